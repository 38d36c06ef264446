//! Why somebody is as they are.
