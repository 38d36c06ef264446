//! From what a source said to canonical fields, with problems.
//!
//! | Said | Becomes |
//! |---|---|
//! | nothing, null, or blank text | absent: vendors hide fields in all three ways, so none of them proves "there is none" |
//! | a value that can be read | the field in its canonical form: text in NFC as said, telephone numbers as E.164, dates as civil dates, identity and account numbers in the one form that digests are made of |
//! | a value that cannot be read | absent, and a [`FieldProblem`](muster_model::FieldProblem) with code, field, what was said (never of a sealed field) and what to do |
//!
//! A field that is not in the scope of the read is dropped here, before anything
//! stores it, even if the vendor sent it unasked.

mod draft;
mod raw;

pub use draft::{Draft, Rules};
