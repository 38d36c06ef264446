//! A table in CSV.

use crate::block::Block;
use crate::csv_rows::{Step, first_line, step};
use crate::delimiter;
use crate::error::{FileError, FileProblem};
use crate::limits::Limits;
use crate::options::ReadOptions;
use crate::row::Row;
use crate::text_blocks::{Piece, TextBlocks};

/// Reads a CSV text block by block.
pub(crate) struct CsvTable {
    blocks: TextBlocks,
    columns: Vec<String>,
    delimiter: u8,
    limits: Limits,
    rows: u32,
    /// Rows of the last block: about as many will come again.
    usual: usize,
    ended: bool,
}

impl CsvTable {
    /// Reads the header from the first piece.
    pub(crate) fn new(
        blocks: TextBlocks,
        mut piece: Piece,
        options: &ReadOptions,
    ) -> Result<Self, FileError> {
        let text = piece.text.as_str();
        let begin = text
            .find(|letter| !matches!(letter, '\n' | '\r'))
            .unwrap_or(text.len());
        let mut line = first_line(text.get(begin..).unwrap_or_default());
        let mut header = begin;
        let said = delimiter::said_by_excel(line);
        if said.is_some() {
            let behind = text.get(begin + line.len()..).unwrap_or_default();
            header = text.len() - behind.trim_start_matches(['\n', '\r']).len();
            line = first_line(text.get(header..).unwrap_or_default());
        }
        let delimiter = options
            .delimiter
            .or(said)
            .unwrap_or_else(|| delimiter::guess(line));
        let mut table = Self {
            blocks,
            columns: Vec::new(),
            delimiter,
            limits: options.limits,
            rows: 0,
            usual: 0,
            ended: false,
        };
        match step(text.as_bytes(), header, delimiter, piece.ended) {
            Step::Row { end, next, cells } => {
                table.check_size(text, header, end)?;
                if cells > table.limits.columns {
                    let problem = FileProblem::TooManyColumns(table.limits.columns);
                    return Err(table.blocks.error(text, header, problem));
                }
                let row = Row::new(text.get(header..end).unwrap_or_default(), delimiter);
                table.columns = row
                    .cells()
                    .map(|cell| cell.text().trim().to_owned())
                    .collect();
                table.blocks.cut(&mut piece, next);
                Ok(table)
            }
            Step::Fault { at, problem } => Err(table.blocks.error(text, at, problem)),
            Step::Open { .. } | Step::Blank { .. } if header == text.len() => {
                Err(table.blocks.error(text, 0, FileProblem::Empty))
            }
            Step::Open { quote } => Err(table.too_long(text, quote.unwrap_or(header))),
            Step::Blank { .. } => Err(table.blocks.error(text, 0, FileProblem::Empty)),
        }
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(crate) fn next_block(&mut self) -> Result<Option<Block>, FileError> {
        if self.ended {
            return Ok(None);
        }
        let mut piece = self.blocks.next()?;
        let mut block = Block::new(self.delimiter);
        block.expect(self.usual + self.usual / 8);
        let mut at = 0;
        while at < piece.text.len() {
            match step(piece.text.as_bytes(), at, self.delimiter, piece.ended) {
                Step::Row { end, next, cells } => {
                    self.check_size(&piece.text, at, end)?;
                    if cells != self.columns.len() {
                        return Err(self.wrong_length(&piece.text, at, end, cells));
                    }
                    if self.rows == self.limits.rows {
                        let problem = FileProblem::TooManyRows(self.limits.rows);
                        return Err(self.blocks.error(&piece.text, at, problem));
                    }
                    self.rows += 1;
                    block.note(at, end);
                    at = next;
                }
                Step::Blank { next } => at = next,
                Step::Open { quote } => {
                    if piece.text.len() - at > self.limits.row_bytes {
                        return Err(self.too_long(&piece.text, quote.unwrap_or(at)));
                    }
                    break;
                }
                Step::Fault { at, problem } => {
                    return Err(self.blocks.error(&piece.text, at, problem));
                }
            }
        }
        self.ended = piece.ended;
        self.blocks.cut(&mut piece, at);
        self.usual = block.len();
        Ok(Some(block.with_text(piece.text)))
    }

    fn check_size(&self, text: &str, start: usize, end: usize) -> Result<(), FileError> {
        if end - start <= self.limits.cell_bytes {
            return Ok(());
        }
        let raw = text.get(start..end).unwrap_or_default();
        if raw.len() > self.limits.row_bytes {
            return Err(self.too_long(text, start));
        }
        let cells = Row::new(raw, self.delimiter).cells();
        for (cell, at) in cells.zip(cell_starts(raw, self.delimiter)) {
            if cell.text().len() > self.limits.cell_bytes {
                let problem = FileProblem::CellTooLong(self.limits.cell_bytes);
                return Err(self.blocks.error(text, start + at, problem));
            }
        }
        Ok(())
    }

    fn too_long(&self, text: &str, at: usize) -> FileError {
        let problem = FileProblem::RowTooLong(self.limits.row_bytes);
        self.blocks.error(text, at, problem)
    }

    /// Points at the first cell too many, or at the end of a row too short.
    fn wrong_length(&self, text: &str, start: usize, end: usize, cells: usize) -> FileError {
        let header = self.columns.len();
        let raw = text.get(start..end).unwrap_or_default();
        let at = cell_starts(raw, self.delimiter)
            .nth(header)
            .map_or(end, |at| start + at);
        self.blocks
            .error(text, at, FileProblem::RowLength { cells, header })
    }
}

/// Where the cells of a row begin in it.
fn cell_starts(raw: &str, delimiter: u8) -> impl Iterator<Item = usize> {
    let mut cells = Row::new(raw, delimiter).cells();
    std::iter::from_fn(move || {
        let rest = cells.rest()?;
        cells.next();
        Some(raw.len() - rest.len())
    })
}
