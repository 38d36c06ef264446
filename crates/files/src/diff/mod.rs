//! What differs between two tables of people?
//!
//! Rows are found by a key, compared column by column, and counted. Nothing of
//! it depends on the order of rows or columns.

mod compare;
mod error;
mod join;
mod line;
mod report;
mod side;

pub use compare::{Comparison, DiffOptions};
pub use error::DiffError;
pub use line::{Difference, Key, Line, Situation};
pub use report::DiffReport;
pub use side::{Sides, load};
