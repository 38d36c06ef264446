//! From what a source said to canonical fields, with problems.
