//! What can be wrong with a file, where, and what to do about it.

use std::fmt;

/// Where in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line as a text editor counts, the first being 1; in a spreadsheet
    /// the row.
    pub line: u64,
    /// The character in the line, the first being 1; in a spreadsheet the
    /// number of the column.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}", self.line, self.column)
    }
}

/// A file that cannot be read. The text holds nothing of what stands in the
/// file, for that is somebody's data, and where a header is missing even its
/// first line is.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}{problem}", problem.code(), self.whereabouts())]
pub struct FileError {
    /// The file as it was named; none when the bytes came from elsewhere.
    pub file: Option<String>,
    /// Where; none when the file as a whole is meant.
    pub place: Option<Place>,
    /// What is wrong.
    pub problem: FileProblem,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the message is the documentation
pub enum FileProblem {
    #[error("it cannot be read: {0}. Check the path and that you may read it")]
    Unreadable(std::io::Error),
    #[error("there is nothing in it. Export it again, with a header line")]
    Empty,
    #[error(
        "the bytes here are no {0} text. Save the file as UTF-8, or name its encoding with --encoding"
    )]
    Encoding(&'static str),
    #[error(
        "`{0}` is no encoding. Give a name such as utf-8, utf-16le, windows-1252 or iso-8859-15"
    )]
    UnknownEncoding(String),
    #[error(
        "there is a NUL character, which no text has. Export the file again, or name its encoding with --encoding"
    )]
    Nul,
    #[error(
        "a quoted cell begins here and never ends. Close it with a quote, or double the quotes inside it"
    )]
    OpenQuote,
    #[error(
        "there is text behind the closing quote of a cell. Double the quotes inside a quoted cell"
    )]
    AfterQuote,
    #[error(
        "the row has {cells} cells and the header {header}. Quote cells that hold the delimiter or a line end, and give each row as many cells as the header"
    )]
    RowLength { cells: usize, header: usize },
    #[error(
        "the row, or the quoted cell that begins here, is longer than {0} bytes. Check the quotes and line ends"
    )]
    RowTooLong(usize),
    #[error("the cell is longer than {0} bytes. Check the quotes and the delimiter")]
    CellTooLong(usize),
    #[error("there are more than {0} columns. Check the delimiter, or export fewer columns")]
    TooManyColumns(usize),
    #[error("there are more than {0} rows. Split the file")]
    TooManyRows(u32),
    #[error("the file is longer than {0} bytes. Split it, or export fewer columns")]
    TooLarge(u64),
    #[error(
        "columns {first} and {second} have the same name. Rename one, or name its field with --map"
    )]
    RepeatedColumn { first: usize, second: usize },
    #[error(
        "columns {first} and {second} both mean {field}. Say which one with --map, such as --map HEADER={field}, and --map OTHER=OTHER for the other one"
    )]
    RepeatedField {
        first: usize,
        second: usize,
        field: String,
    },
    #[error("this is no JSON: {0}. Give one object a line")]
    Json(&'static str),
    #[error("this line is JSON, but no object. Give one object a line")]
    NotAnObject,
    #[error("the object has the same name twice. Remove one")]
    RepeatedName,
    #[error(
        "this is a JSON array. Give one object a line instead (NDJSON); `jq -c '.[]'` makes it so"
    )]
    JsonArray,
    #[error("the workbook cannot be read: {0}. Open it and save it again as XLSX, or as CSV")]
    Xlsx(String),
    #[error("the workbook has no sheet with cells. Save the sheet with the people first")]
    NoSheet,
    #[error("this is a workbook of the old kind (XLS). Save it as XLSX or CSV")]
    OldWorkbook,
}

impl FileProblem {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "files.unreadable",
            Self::Empty => "files.empty",
            Self::Encoding(_) => "files.encoding",
            Self::UnknownEncoding(_) => "files.unknown_encoding",
            Self::Nul => "files.nul",
            Self::OpenQuote => "files.open_quote",
            Self::AfterQuote => "files.after_quote",
            Self::RowLength { .. } => "files.row_length",
            Self::RowTooLong(_) => "files.row_too_long",
            Self::CellTooLong(_) => "files.cell_too_long",
            Self::TooManyColumns(_) => "files.too_many_columns",
            Self::TooManyRows(_) => "files.too_many_rows",
            Self::TooLarge(_) => "files.too_large",
            Self::RepeatedColumn { .. } => "files.repeated_column",
            Self::RepeatedField { .. } => "files.repeated_field",
            Self::Json(_) => "files.json",
            Self::NotAnObject => "files.not_an_object",
            Self::RepeatedName => "files.repeated_name",
            Self::JsonArray => "files.json_array",
            Self::Xlsx(_) => "files.xlsx",
            Self::NoSheet => "files.no_sheet",
            Self::OldWorkbook => "files.old_workbook",
        }
    }
}

impl FileError {
    /// An error of the file as a whole.
    #[must_use]
    pub const fn of_file(problem: FileProblem) -> Self {
        Self {
            file: None,
            place: None,
            problem,
        }
    }

    /// An error at a place.
    #[must_use]
    pub const fn at(place: Place, problem: FileProblem) -> Self {
        Self {
            file: None,
            place: Some(place),
            problem,
        }
    }

    /// The same, naming the file.
    #[must_use]
    pub fn in_file(mut self, file: &str) -> Self {
        self.file.get_or_insert_with(|| file.to_owned());
        self
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.problem.code()
    }

    fn whereabouts(&self) -> String {
        match (&self.file, self.place) {
            (Some(file), Some(place)) => format!("{file}, {place}: "),
            (Some(file), None) => format!("{file}: "),
            (None, Some(place)) => format!("{place}: "),
            (None, None) => String::new(),
        }
    }
}
