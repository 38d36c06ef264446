//! Tables from files that somebody exported: CSV of any usual kind, NDJSON and
//! XLSX, in any usual encoding, read in blocks with bounded memory, and with
//! errors that say where and what to do. And the comparison of two of them.
//!
//! All formats arrive as [`Block`]s of the same row shape, so that whoever
//! compares or imports is written once.

mod block;
mod charset;
mod column;
mod csv_rows;
mod csv_table;
mod delimiter;
pub mod diff;
mod error;
mod limits;
mod ndjson;
mod normal;
mod options;
mod row;
mod sniff;
mod table_reader;
mod text;
mod text_blocks;
mod xlsx;

pub use block::Block;
pub use column::{Column, ColumnMap};
pub use error::{FileError, FileProblem, Place};
pub use limits::Limits;
pub use normal::Region;
pub use options::{Progress, ReadOptions};
pub use row::{Cell, Row};
pub use table_reader::TableReader;
pub use text::text_of;
