//! The adapter for Tripletex.
