//! How much of a file is taken in.

/// The bounds of a file. What exceeds one is an error that names it: a file
/// beyond them is broken or hostile far more often than it is somebody's staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one cell, in UTF-8. A spreadsheet's cell holds 32,767 characters.
    pub cell_bytes: usize,
    /// Bytes of one row, in UTF-8, line ends inside quotes included.
    pub row_bytes: usize,
    /// Columns of a table. A spreadsheet has 16,384; no export of people does.
    pub columns: usize,
    /// Rows of a table, without its header.
    pub rows: u32,
    /// Bytes of the whole text of a file, in UTF-8; of an XLSX file the size
    /// unpacked.
    pub text_bytes: u64,
}

impl Limits {
    /// The usual bounds: 256 KiB a cell, 1 MiB a row, 4,096 columns, twenty
    /// million rows, 4 GiB a file.
    pub const USUAL: Self = Self {
        cell_bytes: 256 << 10,
        row_bytes: 1 << 20,
        columns: 4096,
        rows: 20_000_000,
        text_bytes: 4 << 30,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::USUAL
    }
}
