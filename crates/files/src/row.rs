//! One row of a table.

use std::borrow::Cow;

use memchr::{memchr, memmem};

/// One row below the header.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// As it stands in the text, without its line end.
    raw: &'a str,
    delimiter: u8,
}

/// One cell as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell<'a> {
    /// Without the quotes around it, but with the doubled ones inside.
    raw: &'a str,
    quoted: bool,
}

impl<'a> Row<'a> {
    pub(crate) const fn new(raw: &'a str, delimiter: u8) -> Self {
        Self { raw, delimiter }
    }

    /// The row as it stands in the text: equal texts of tables with the same
    /// columns and delimiter are equal rows.
    #[must_use]
    pub const fn raw(&self) -> &'a str {
        self.raw
    }

    /// The cells, from left to right; at least one.
    #[must_use]
    pub const fn cells(&self) -> Cells<'a> {
        Cells {
            rest: Some(self.raw),
            delimiter: self.delimiter,
        }
    }

    /// A cell by its column, from 0; empty when the row has no such cell.
    #[must_use]
    pub fn cell(&self, column: usize) -> Cell<'a> {
        self.cells().nth(column).unwrap_or(Cell::EMPTY)
    }
}

/// The cells of a row.
#[derive(Debug, Clone)]
pub struct Cells<'a> {
    rest: Option<&'a str>,
    delimiter: u8,
}

impl<'a> Cells<'a> {
    /// What is left; `None` behind the last cell.
    pub(crate) const fn rest(&self) -> Option<&'a str> {
        self.rest
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = Cell<'a>;

    fn next(&mut self) -> Option<Cell<'a>> {
        let rest = self.rest?;
        if let Some(inside) = rest.strip_prefix('"') {
            let end = closing_quote(inside);
            self.rest = inside.get(end + 1..).and_then(|after| after.get(1..));
            return Some(Cell {
                raw: inside.get(..end).unwrap_or(inside),
                quoted: true,
            });
        }
        let end = memchr(self.delimiter, rest.as_bytes());
        let raw = match end {
            Some(end) => {
                self.rest = rest.get(end + 1..);
                rest.get(..end)
            }
            None => self.rest.take(),
        };
        raw.map(|raw| Cell { raw, quoted: false })
    }
}

/// Where the quote is that ends a quoted cell. The row was checked when it was
/// read, so there is one.
fn closing_quote(inside: &str) -> usize {
    let bytes = inside.as_bytes();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr(b'"', rest)) {
        let quote = at + found;
        if bytes.get(quote + 1) != Some(&b'"') {
            return quote;
        }
        at = quote + 2;
    }
    bytes.len()
}

impl<'a> Cell<'a> {
    /// A cell that is not there.
    pub(crate) const EMPTY: Self = Self {
        raw: "",
        quoted: false,
    };

    /// What was written.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        if self.quoted && memmem::find(self.raw.as_bytes(), b"\"\"").is_some() {
            Cow::Owned(self.raw.replace("\"\"", "\""))
        } else {
            Cow::Borrowed(self.raw)
        }
    }

    /// What was written, where it stands in the text exactly so.
    #[must_use]
    pub const fn plain(&self) -> Option<&'a str> {
        if self.quoted { None } else { Some(self.raw) }
    }
}
