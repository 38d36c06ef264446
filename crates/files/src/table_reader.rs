//! Reads a table from a file, block by block.

use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;

use crate::block::Block;
use crate::charset::TextReader;
use crate::csv_table::CsvTable;
use crate::error::{FileError, FileProblem};
use crate::ndjson::NdjsonTable;
use crate::options::ReadOptions;
use crate::sniff::{self, Kind};
use crate::text_blocks::TextBlocks;
use crate::xlsx;

/// Reads a table from a file, block by block.
///
/// ```
/// use muster_files::{ReadOptions, TableReader};
///
/// let bytes = "name;town\nÅse;Oslo\n".as_bytes();
/// let mut table = TableReader::from_reader(Box::new(bytes), &ReadOptions::default())?;
/// assert_eq!(table.columns(), ["name", "town"]);
/// while let Some(block) = table.next_block()? {
///     for row in block.rows() {
///         assert_eq!(row.cell(1).text(), "Oslo");
///     }
/// }
/// # Ok::<(), muster_files::FileError>(())
/// ```
pub struct TableReader {
    table: Table,
    /// As it was named, for the errors.
    file: Option<String>,
}

enum Table {
    Csv(CsvTable),
    Ndjson(NdjsonTable),
    Made {
        columns: Vec<String>,
        blocks: std::vec::IntoIter<Block>,
    },
}

impl TableReader {
    /// Opens a file. Its content says what it is, not its name.
    ///
    /// # Errors
    /// When it cannot be read, or its header can not; the error names the file.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, FileError> {
        let name = path.display().to_string();
        let opened = File::open(path)
            .map_err(|error| FileError::of_file(FileProblem::Unreadable(error)))
            .and_then(|file| Self::of_file(file, options));
        let mut reader = opened.map_err(|error| error.in_file(&name))?;
        reader.file = Some(name);
        Ok(reader)
    }

    fn of_file(mut file: File, options: &ReadOptions) -> Result<Self, FileError> {
        let first = first_bytes(&mut file)?;
        if sniff::binary(&first) == Some(Kind::Workbook) {
            let unreadable = |error| FileError::of_file(FileProblem::Unreadable(error));
            file.rewind().map_err(unreadable)?;
            return Self::of_workbook(std::io::BufReader::new(file), options);
        }
        Self::of_text(first, Box::new(file), options)
    }

    /// Reads from anything that gives bytes. A workbook must be read from its
    /// end, so it is taken into memory first.
    ///
    /// # Errors
    /// As for [`TableReader::open`].
    pub fn from_reader(
        mut source: Box<dyn Read + Send>,
        options: &ReadOptions,
    ) -> Result<Self, FileError> {
        let first = first_bytes(&mut source)?;
        if sniff::binary(&first) == Some(Kind::Workbook) {
            let limit = options.limits.text_bytes;
            let mut bytes = first;
            source
                .take(limit.saturating_add(1))
                .read_to_end(&mut bytes)
                .map_err(|error| FileError::of_file(FileProblem::Unreadable(error)))?;
            if bytes.len() as u64 > limit {
                return Err(FileError::of_file(FileProblem::TooLarge(limit)));
            }
            return Self::of_workbook(Cursor::new(bytes), options);
        }
        Self::of_text(first, source, options)
    }

    fn of_workbook(source: impl Read + Seek, options: &ReadOptions) -> Result<Self, FileError> {
        let (columns, blocks) = xlsx::read(source, options)?;
        Ok(Self {
            table: Table::Made {
                columns,
                blocks: blocks.into_iter(),
            },
            file: None,
        })
    }

    fn of_text(
        first: Vec<u8>,
        source: Box<dyn Read + Send>,
        options: &ReadOptions,
    ) -> Result<Self, FileError> {
        if sniff::binary(&first) == Some(Kind::OldWorkbook) {
            return Err(FileError::of_file(FileProblem::OldWorkbook));
        }
        let text = TextReader::new(
            Box::new(Cursor::new(first).chain(source)),
            options.encoding,
            options.progress.clone(),
        )
        .map_err(|error| FileError::of_file(FileProblem::Unreadable(error)))?;
        let mut blocks = TextBlocks::new(text, options.limits);
        let piece = blocks.next()?;
        let table = match sniff::text(&piece.text) {
            Kind::Ndjson => Table::Ndjson(NdjsonTable::new(blocks, piece, options.limits)?),
            _ => Table::Csv(CsvTable::new(blocks, piece, options)?),
        };
        Ok(Self { table, file: None })
    }

    /// The names of the columns as they stand in the file, without space around
    /// them. Of NDJSON they are known when the last block was read; more may
    /// come with each block.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        match &self.table {
            Table::Csv(table) => table.columns(),
            Table::Ndjson(table) => table.columns(),
            Table::Made { columns, .. } => columns,
        }
    }

    /// Are the columns known from the beginning?
    #[must_use]
    pub const fn columns_are_fixed(&self) -> bool {
        !matches!(self.table, Table::Ndjson(_))
    }

    /// The next rows; `None` behind the last one.
    ///
    /// # Errors
    /// At the first row that cannot be read, with its place. Nothing may be
    /// read after an error.
    pub fn next_block(&mut self) -> Result<Option<Block>, FileError> {
        let next = match &mut self.table {
            Table::Csv(table) => table.next_block(),
            Table::Ndjson(table) => table.next_block(),
            Table::Made { blocks, .. } => Ok(blocks.next()),
        };
        next.map_err(|error| match &self.file {
            Some(file) => error.in_file(file),
            None => error,
        })
    }
}

/// Enough bytes to tell a binary kind, or the whole of a shorter file.
fn first_bytes(source: &mut impl Read) -> Result<Vec<u8>, FileError> {
    let mut first = Vec::with_capacity(sniff::MAGIC);
    source
        .take(sniff::MAGIC as u64)
        .read_to_end(&mut first)
        .map_err(|error| FileError::of_file(FileProblem::Unreadable(error)))?;
    Ok(first)
}
