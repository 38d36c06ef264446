//! What can be wrong with a CSV file of a company, and where.

/// A CSV file could not be read as a company.
///
/// The text names no cell that may hold personal data but employee numbers
/// and dates.
#[derive(Debug, thiserror::Error)]
#[error("row {row}{}: {problem}", in_column(self.column.as_deref()))]
pub struct CsvError {
    /// The row as a spreadsheet counts: the header is row 1.
    pub row: u64,
    /// The column's name; none when the row as a whole cannot be read.
    pub column: Option<String>,
    /// What is wrong.
    pub problem: CsvProblem,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CsvProblem {
    /// Not CSV, not UTF-8, or another number of cells than the header has.
    #[error(
        "cannot be read: {0}. Save the file as CSV in UTF-8, with the same number of cells in each row"
    )]
    Unreadable(std::io::Error),
    /// A column the file must have.
    #[error(
        "the column is missing. Add it to the header; its cells may be empty where there is nothing to say"
    )]
    MissingColumn,
    /// A column nobody knows.
    #[error("the column is not known. Remove or rename it; known are {0}")]
    UnknownColumn(String),
    /// The same column twice.
    #[error("the column stands twice. Remove one")]
    RepeatedColumn,
    /// A cell that must be filled.
    #[error("the cell is empty. Fill it in")]
    Empty,
    /// Not a date.
    #[error("`{0}` is not a date. Write it as 2025-01-31")]
    NotADate(String),
    /// The same employee number twice.
    #[error("the employee number `{0}` stands in an earlier row too. Give each employee their own")]
    Repeated(String),
    /// An employee number that no row has.
    #[error("no row has the employee number `{0}`. Correct it, or add the employee")]
    UnknownEmployee(String),
    /// A job that ends before it begins.
    #[error("the end is before the start. Correct one of them")]
    EndBeforeStart,
}

impl CsvError {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.problem {
            CsvProblem::Unreadable(_) => "company_csv.unreadable",
            CsvProblem::MissingColumn => "company_csv.missing_column",
            CsvProblem::UnknownColumn(_) => "company_csv.unknown_column",
            CsvProblem::RepeatedColumn => "company_csv.repeated_column",
            CsvProblem::Empty => "company_csv.empty_cell",
            CsvProblem::NotADate(_) => "company_csv.not_a_date",
            CsvProblem::Repeated(_) => "company_csv.repeated_employee_number",
            CsvProblem::UnknownEmployee(_) => "company_csv.unknown_employee",
            CsvProblem::EndBeforeStart => "company_csv.end_before_start",
        }
    }
}

fn in_column(column: Option<&str>) -> String {
    column.map_or_else(String::new, |column| format!(", column `{column}`"))
}
