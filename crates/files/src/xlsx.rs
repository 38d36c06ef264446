//! A table in a workbook: the first sheet that has cells.

use std::io::{Read, Seek};

use calamine::{DataRef, Reader, Xlsx};

use crate::block::Block;
use crate::error::{FileError, FileProblem, Place};
use crate::limits::Limits;
use crate::options::ReadOptions;

/// Any will do, because the rows are written by us.
const DELIMITER: u8 = b',';
/// Bytes of text in one block, as of other files.
const BLOCK: usize = 4 << 20;
/// Bytes that a workbook may have unpacked. Its texts are all in memory while
/// it is read, and a small archive can unpack to anything.
const UNPACKED: u64 = 1 << 30;

/// The header and the rows.
type Table = (Vec<String>, Vec<Block>);

/// Reads the whole sheet. Empty rows below the header are no rows.
pub(crate) fn read(
    mut source: impl Read + Seek,
    options: &ReadOptions,
) -> Result<Table, FileError> {
    measure(&mut source, options)?;
    let mut workbook = Xlsx::new(source).map_err(unreadable)?;
    for name in workbook.sheet_names() {
        let mut cells = match workbook.worksheet_cells_reader(&name) {
            Ok(cells) => cells,
            // A sheet of charts has no cells.
            Err(calamine::XlsxError::NotAWorksheet(_)) => continue,
            Err(error) => return Err(unreadable(error)),
        };
        let mut sheet = Sheet::new(options.limits);
        while let Some(cell) = cells.next_cell().map_err(unreadable)? {
            let (row, column) = cell.get_position();
            sheet.put(row, column, text(cell.get_value()))?;
        }
        if let Some(table) = sheet.finish()? {
            return Ok(table);
        }
    }
    Err(FileError::of_file(FileProblem::NoSheet))
}

/// Unpacks everything once into nothing: what an archive says of its sizes may
/// be untrue.
fn measure(source: &mut (impl Read + Seek), options: &ReadOptions) -> Result<(), FileError> {
    let limit = UNPACKED.min(options.limits.text_bytes);
    let broken =
        |error: zip::result::ZipError| FileError::of_file(FileProblem::Xlsx(error.to_string()));
    let mut archive = zip::ZipArchive::new(&mut *source).map_err(broken)?;
    let mut left = limit;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(broken)?.take(left + 1);
        let size = std::io::copy(&mut entry, &mut std::io::sink())
            .map_err(|error| FileError::of_file(FileProblem::Xlsx(error.to_string())))?;
        left = left
            .checked_sub(size)
            .ok_or_else(|| FileError::of_file(FileProblem::TooLarge(limit)))?;
    }
    if let Some(progress) = &options.progress {
        let size = source.seek(std::io::SeekFrom::End(0));
        progress.tell(size.ok().and_then(|size| size.try_into().ok()).unwrap_or(0));
    }
    source
        .rewind()
        .map_err(|error| FileError::of_file(FileProblem::Unreadable(error)))
}

fn unreadable(error: calamine::XlsxError) -> FileError {
    FileError::of_file(FileProblem::Xlsx(error.to_string()))
}

/// A cell as a person would type it.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        // 1001 and not 1001.0: numbers of employees are numbers in a sheet.
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(truth) => truth.to_string(),
        DataRef::DateTime(time) if time.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            let date = format!("{year:04}-{month:02}-{day:02}");
            match (hour, minute, second) {
                (0, 0, 0) => date,
                _ => format!("{date}T{hour:02}:{minute:02}:{second:02}"),
            }
        }
        DataRef::DateTime(time) => time.as_f64().to_string(),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// The cells of a sheet as rows.
struct Sheet {
    limits: Limits,
    columns: Vec<String>,
    blocks: Vec<Block>,
    block: Block,
    rows: u32,
    bytes: u64,
    /// The row that is being filled, from 0, and its cells.
    row: u32,
    cells: Vec<String>,
}

impl Sheet {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            columns: Vec::new(),
            blocks: Vec::new(),
            block: Block::new(DELIMITER),
            rows: 0,
            bytes: 0,
            row: 0,
            cells: Vec::new(),
        }
    }

    fn put(&mut self, row: u32, column: u32, text: String) -> Result<(), FileError> {
        if text.is_empty() {
            return Ok(());
        }
        let at = |problem| Err(FileError::at(place(row, column as usize), problem));
        if row < self.row {
            return at(FileProblem::Xlsx("its rows are not in order".to_owned()));
        }
        if row > self.row {
            self.end_row()?;
            self.row = row;
        }
        let column = column as usize;
        if column >= self.limits.columns {
            return at(FileProblem::TooManyColumns(self.limits.columns));
        }
        if text.len() > self.limits.cell_bytes {
            return at(FileProblem::CellTooLong(self.limits.cell_bytes));
        }
        if text.contains('\0') {
            return at(FileProblem::Nul);
        }
        // A text that is stored once may be shown in a million cells.
        self.bytes += text.len() as u64;
        let limit = UNPACKED.min(self.limits.text_bytes);
        if self.bytes > limit {
            return at(FileProblem::TooLarge(limit));
        }
        if self.cells.len() <= column {
            self.cells.resize(column + 1, String::new());
        }
        if let Some(cell) = self.cells.get_mut(column) {
            *cell = text;
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), FileError> {
        if self.cells.is_empty() {
            return Ok(());
        }
        if self.columns.is_empty() {
            let header = self.cells.drain(..);
            self.columns = header.map(|name| name.trim().to_owned()).collect();
            return Ok(());
        }
        let header = self.columns.len();
        if self.cells.len() > header {
            let problem = FileProblem::RowLength {
                cells: self.cells.len(),
                header,
            };
            return Err(FileError::at(place(self.row, header), problem));
        }
        if self.rows == self.limits.rows {
            let problem = FileProblem::TooManyRows(self.limits.rows);
            return Err(FileError::at(place(self.row, 0), problem));
        }
        self.rows += 1;
        // A sheet does not store the empty cells at the end of a row.
        self.cells.resize(header, String::new());
        self.block.write(&self.cells);
        self.cells.clear();
        if self.block.bytes() > BLOCK {
            let full = std::mem::replace(&mut self.block, Block::new(DELIMITER));
            self.blocks.push(full);
        }
        Ok(())
    }

    /// `None` when there was no cell.
    fn finish(mut self) -> Result<Option<Table>, FileError> {
        self.end_row()?;
        if self.columns.is_empty() {
            return Ok(None);
        }
        self.blocks.push(self.block);
        Ok(Some((self.columns, self.blocks)))
    }
}

fn place(row: u32, column: usize) -> Place {
    Place {
        line: u64::from(row) + 1,
        column: column as u64 + 1,
    }
}
