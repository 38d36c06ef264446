//! One of the two tables, in memory.

use std::hash::{BuildHasher, Hasher};

use crate::block::Block;
use crate::column::Column;
use crate::diff::compare::DiffOptions;
use crate::diff::error::DiffError;
use crate::error::{FileError, FileProblem};
use crate::normal::Normal;
use crate::row::Row;
use crate::table_reader::TableReader;

/// Rows of a side: ids of both sides, and what is noted of them, fit into 32 bits.
const MOST_ROWS: u32 = 1 << 30;

/// The hash of a row without a key.
pub(super) const INVALID: u64 = 0;

/// A table in memory: its text as it came, and per row where it stands and the
/// hash of its key.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) columns: Vec<Column>,
    blocks: Vec<Block>,
    /// The id of the first row of each block.
    first: Vec<u32>,
    /// The hash of each row's key.
    pub(super) hashes: Vec<u64>,
    keys: Vec<KeyPart>,
    /// Rows before the first one, as people count: a header.
    before: u32,
}

/// One column of the key.
#[derive(Debug, Clone, Copy)]
struct KeyPart {
    column: usize,
    normal: Normal,
}

/// The two tables.
#[derive(Debug)]
pub struct Sides {
    pub(super) left: Side,
    pub(super) right: Side,
}

/// Reads both tables, each in a thread of its own. `hasher` must be keyed with
/// something nobody can guess, or a file could be made that takes for ever.
///
/// # Errors
/// When a file cannot be read, or has no column for the key, or the options
/// speak of columns that are not there.
pub fn load<S: BuildHasher + Sync>(
    left: (&str, TableReader),
    right: (&str, TableReader),
    options: &DiffOptions,
    hasher: &S,
) -> Result<Sides, DiffError> {
    let (left, right) = std::thread::scope(|scope| {
        let left = scope.spawn(|| Side::load(left.0, left.1, options, hasher));
        let right = Side::load(right.0, right.1, options, hasher);
        let left = left
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (left, right)
    });
    let ((left, left_headers), (right, right_headers)) = (left?, right?);
    if let Some(unknown) = options.map.unused(&[&left_headers, &right_headers]).first() {
        return Err(DiffError::UnknownColumn((*unknown).to_owned()));
    }
    Ok(Sides { left, right })
}

impl Side {
    fn load<S: BuildHasher>(
        name: &str,
        mut reader: TableReader,
        options: &DiffOptions,
        hasher: &S,
    ) -> Result<(Self, Vec<String>), DiffError> {
        let recognise = |headers: &[String]| {
            let columns = options.map.recognise(headers);
            columns.map_err(|error| error.in_file(name))
        };
        let fixed = reader.columns_are_fixed();
        let mut side = Self {
            columns: recognise(reader.columns())?,
            blocks: Vec::new(),
            first: Vec::new(),
            hashes: Vec::new(),
            keys: Vec::new(),
            before: u32::from(fixed),
        };
        if fixed {
            side.find_keys(name, options)?;
        }
        let mut rows = 0_u32;
        while let Some(block) = reader.next_block()? {
            // The hash is made while the row is still in the cache.
            if fixed {
                side.hash(&block, hasher);
            }
            side.first.push(rows);
            rows = rows.saturating_add(u32::try_from(block.len()).unwrap_or(u32::MAX));
            if rows > MOST_ROWS {
                let problem = FileProblem::TooManyRows(MOST_ROWS);
                return Err(FileError::of_file(problem).in_file(name).into());
            }
            side.blocks.push(block);
        }
        if !fixed {
            side.columns = recognise(reader.columns())?;
            // An empty file has no columns, and no rows that would miss them.
            if rows > 0 || !reader.columns().is_empty() {
                side.find_keys(name, options)?;
            }
            for block in std::mem::take(&mut side.blocks) {
                side.hash(&block, hasher);
                side.blocks.push(block);
            }
        }
        Ok((side, reader.columns().to_vec()))
    }

    fn find_keys(&mut self, file: &str, options: &DiffOptions) -> Result<(), DiffError> {
        for key in &options.key {
            let column = self.columns.iter().position(|column| column == key);
            let column = column.ok_or_else(|| DiffError::NoKey {
                file: file.to_owned(),
                key: key.name().to_owned(),
                known: self
                    .columns
                    .iter()
                    .filter_map(|column| match column {
                        Column::Field(field) => Some(field.name()),
                        Column::Other(_) => None,
                    })
                    .collect(),
            })?;
            self.keys.push(KeyPart {
                column,
                normal: Normal::of(key, options.region),
            });
        }
        Ok(())
    }

    fn hash<S: BuildHasher>(&mut self, block: &Block, hasher: &S) {
        self.hashes.reserve(block.len());
        let mut scratch = String::new();
        for row in block.rows() {
            let hash = self.with_key(row, &mut scratch, |key| {
                let mut hash = hasher.build_hasher();
                hash.write(key.as_bytes());
                // The one value that has another meaning gives way.
                hash.finish().max(INVALID + 1)
            });
            self.hashes.push(hash.unwrap_or(INVALID));
        }
    }

    /// Does something with the compared form of a row's key; `None` when the
    /// row has no key.
    fn with_key<T>(
        &self,
        row: Row<'_>,
        scratch: &mut String,
        then: impl FnOnce(&str) -> T,
    ) -> Option<T> {
        if let [only] = self.keys.as_slice() {
            let cell = row.cell(only.column);
            // A number without anything around it is its own compared form.
            if let (Normal::Text, Some(plain)) = (only.normal, cell.plain())
                && !plain.is_empty()
                && plain.bytes().all(|byte| byte.is_ascii_alphanumeric())
            {
                return Some(then(plain));
            }
            let text = cell.text();
            return only.normal.key(&text).map(|key| then(&key));
        }
        scratch.clear();
        for part in &self.keys {
            let cell = row.cell(part.column).text();
            let key = part.normal.key(&cell)?;
            // The length first: `ab` and `c` are not `a` and `bc`.
            scratch.push_str(&key.len().to_string());
            scratch.push(':');
            scratch.push_str(&key);
        }
        Some(then(scratch))
    }

    /// Have these two rows the same key?
    pub(super) fn same_key(&self, row: Row<'_>, other: &Self, other_row: Row<'_>) -> bool {
        let (mut one, mut two) = (String::new(), String::new());
        self.with_key(row, &mut one, |one| {
            other.with_key(other_row, &mut two, |two| one == two)
        })
        .flatten()
        .unwrap_or(false)
    }

    /// The parts of a row's key, as they are compared; a part that is empty is
    /// none, one that cannot be read is as it stands.
    pub(super) fn key(&self, row: Row<'_>) -> Vec<Option<String>> {
        let part = |part: &KeyPart| {
            let text = row.cell(part.column).text();
            let form = part.normal.form(&text).into_owned();
            Some(form).filter(|form| !form.is_empty())
        };
        self.keys.iter().map(part).collect()
    }

    /// How many rows.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.hashes.len()).unwrap_or(u32::MAX)
    }

    /// A row by its id, which is its place among the rows, from 0.
    pub(super) fn row(&self, id: u32) -> Row<'_> {
        let block = self.first.partition_point(|first| *first <= id);
        let block = block.saturating_sub(1);
        let first = self.first.get(block).copied().unwrap_or(0);
        self.blocks
            .get(block)
            .and_then(|block| block.row((id - first) as usize))
            .unwrap_or(Row::new("", b','))
    }

    /// The number of a row as people count; blank lines are not counted.
    pub(super) fn number(&self, id: u32) -> u64 {
        u64::from(id) + u64::from(self.before) + 1
    }

    /// Are equal rows of both equal texts?
    pub(super) fn is_laid_out_as(&self, other: &Self) -> bool {
        let delimiter = |side: &Self| side.blocks.first().map(Block::delimiter);
        self.columns == other.columns && delimiter(self) == delimiter(other)
    }
}
