//! The rows of a CSV file with known columns, with positions for the errors.

use std::collections::HashMap;
use std::io::Read;

use jiff::civil::Date;

use super::csv_error::{CsvError, CsvProblem};

/// The row of the header, as a spreadsheet counts.
const HEADER_ROW: u64 = 1;

/// A CSV file in memory.
pub(super) struct Table {
    columns: HashMap<String, usize>,
    rows: Vec<csv::StringRecord>,
}

/// One row of a table.
pub(super) struct Row<'a> {
    table: &'a Table,
    number: u64,
    cells: &'a csv::StringRecord,
}

impl Table {
    /// Reads a file whose header has exactly these columns, in any order.
    pub(super) fn read(reader: impl Read, expected: &[&str]) -> Result<Self, CsvError> {
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(reader);
        let header = reader
            .headers()
            .map_err(|error| unreadable(HEADER_ROW, error))?;
        let columns = columns(header, expected)?;
        let mut rows = Vec::new();
        for (number, row) in (HEADER_ROW + 1..).zip(reader.records()) {
            rows.push(row.map_err(|error| unreadable(number, error))?);
        }
        Ok(Self { columns, rows })
    }

    /// The rows below the header.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (HEADER_ROW + 1..)
            .zip(&self.rows)
            .map(|(number, cells)| Row {
                table: self,
                number,
                cells,
            })
    }
}

impl<'a> Row<'a> {
    /// A cell; `None` when it is empty.
    pub(super) fn optional(&self, column: &str) -> Option<&'a str> {
        let index = self.table.columns.get(column)?;
        self.cells.get(*index).filter(|cell| !cell.is_empty())
    }

    /// A cell that must not be empty.
    pub(super) fn required(&self, column: &str) -> Result<&'a str, CsvError> {
        self.optional(column)
            .ok_or_else(|| self.error(column, CsvProblem::Empty))
    }

    /// A date, `2025-01-31`.
    pub(super) fn date(&self, column: &str) -> Result<Date, CsvError> {
        let text = self.required(column)?;
        text.parse()
            .map_err(|_| self.error(column, CsvProblem::NotADate(text.to_owned())))
    }

    /// An error in this row.
    pub(super) fn error(&self, column: &str, problem: CsvProblem) -> CsvError {
        CsvError {
            row: self.number,
            column: Some(column.to_owned()),
            problem,
        }
    }
}

fn columns(
    header: &csv::StringRecord,
    expected: &[&str],
) -> Result<HashMap<String, usize>, CsvError> {
    let error = |column: &str, problem| CsvError {
        row: HEADER_ROW,
        column: Some(column.to_owned()),
        problem,
    };
    let mut columns = HashMap::new();
    for (index, name) in header.iter().enumerate() {
        // Spreadsheets put a byte order mark before the first name.
        let name = name.trim_start_matches('\u{feff}');
        if !expected.contains(&name) {
            return Err(error(name, CsvProblem::UnknownColumn(expected.join(", "))));
        }
        if columns.insert(name.to_owned(), index).is_some() {
            return Err(error(name, CsvProblem::RepeatedColumn));
        }
    }
    match expected.iter().find(|name| !columns.contains_key(**name)) {
        Some(missing) => Err(error(missing, CsvProblem::MissingColumn)),
        None => Ok(columns),
    }
}

fn unreadable(row: u64, error: csv::Error) -> CsvError {
    CsvError {
        row,
        column: None,
        problem: CsvProblem::Unreadable(error.into()),
    }
}
