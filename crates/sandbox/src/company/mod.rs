//! A company and the people in it, in no vendor's shape.

mod snapshot;

pub use snapshot::*;
