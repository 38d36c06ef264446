//! Which kind of file it is, by its first bytes; a name can lie.

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Rows of cells as text.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// A ZIP archive, of which we read workbooks.
    Workbook,
    /// A workbook as it was before 2007.
    OldWorkbook,
}

/// Bytes that tell a binary kind.
pub(crate) const MAGIC: usize = 8;

/// The kind, as far as the first bytes tell it.
pub(crate) fn binary(first: &[u8]) -> Option<Kind> {
    if first.starts_with(b"PK\x03\x04") {
        Some(Kind::Workbook)
    } else if first.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        Some(Kind::OldWorkbook)
    } else {
        None
    }
}

/// The kind of a text.
pub(crate) fn text(begin: &str) -> Kind {
    let begin = begin.trim_start();
    // An array of objects is no NDJSON, but nearer to it than to CSV: its reader says so.
    let array = begin.strip_prefix('[').is_some_and(|inside| {
        let inside = inside.trim_start();
        inside.starts_with(['{', ']'])
    });
    if array || begin.starts_with('{') {
        Kind::Ndjson
    } else {
        Kind::Csv
    }
}
