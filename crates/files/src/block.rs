//! Some rows of a table, with the text they stand in.

use crate::row::Row;

/// Some rows of a table. Whoever keeps blocks keeps the table; whoever drops
/// them reads a table of any size.
#[derive(Debug)]
pub struct Block {
    text: String,
    spans: Vec<Span>,
    delimiter: u8,
}

/// Where a row stands in its block's text.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    length: u32,
}

impl Block {
    pub(crate) fn new(delimiter: u8) -> Self {
        Self {
            text: String::new(),
            spans: Vec::new(),
            delimiter,
        }
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Has it no row?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The rows in their order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.spans.iter().map(|span| self.at(*span))
    }

    /// A row by its place in the block, from 0.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<Row<'_>> {
        self.spans.get(index).map(|span| self.at(*span))
    }

    fn at(&self, span: Span) -> Row<'_> {
        let start = span.start as usize;
        let raw = self.text.get(start..start + span.length as usize);
        Row::new(raw.unwrap_or_default(), self.delimiter)
    }

    /// What separates its cells.
    pub(crate) const fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Bytes of text.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Takes the text in which the noted rows stand.
    pub(crate) fn with_text(mut self, text: String) -> Self {
        self.text = text;
        self.spans.shrink_to_fit();
        self
    }

    /// Notes a row. Blocks are far smaller than what 32 bits can say.
    pub(crate) fn note(&mut self, start: usize, end: usize) {
        self.spans.push(Span {
            start: u32::try_from(start).unwrap_or(u32::MAX),
            length: u32::try_from(end - start).unwrap_or(u32::MAX),
        });
    }

    /// Makes room for about as many rows as another block of the table has.
    pub(crate) fn expect(&mut self, rows: usize) {
        self.spans.reserve(rows);
    }

    /// Writes a row from the texts of its cells.
    pub(crate) fn write<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let start = self.text.len();
        for (index, cell) in cells.into_iter().enumerate() {
            if index > 0 {
                self.text.push(char::from(self.delimiter));
            }
            let cell = cell.as_ref();
            let delimiter = self.delimiter;
            if cell.bytes().any(|byte| byte == b'"' || byte == delimiter) {
                self.text.push('"');
                self.text.push_str(&cell.replace('"', "\"\""));
                self.text.push('"');
            } else {
                self.text.push_str(cell);
            }
        }
        self.note(start, self.text.len());
    }
}
