//! What is wrong with a line of a file of decisions.

use serde::Serialize;

use super::line::Line;

/// A line that cannot be taken: where, about whom, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line of the file, from 1.
    pub line: u64,
    /// The column.
    pub column: &'static str,
    /// Whom the line is about: the record's id, or the person's.
    pub about: String,
    /// Stable.
    pub code: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Problem {
    pub(super) fn new(
        line: &Line,
        column: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let about = if line.external_id.is_empty() {
            &line.person
        } else {
            &line.external_id
        };
        Self {
            line: line.number,
            column,
            about: about.clone(),
            code,
            message: message.into(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "line {}, column {}", self.line, self.column)?;
        if !self.about.is_empty() {
            write!(formatter, ", {}", self.about)?;
        }
        write!(formatter, ": {}: {}", self.code, self.message)
    }
}
