//! What can be wrong with a comparison.

use crate::error::FileError;

/// Two files cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// One of them cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A key that a file has no column for. The headers themselves are not
    /// told, for where a header is missing its place is taken by a person.
    #[error(
        "diff.no_key: {file} has no column for the key {key}{}. Name one of its columns, or say which one is meant with --map HEADER={key}",
        or_known(.known)
    )]
    NoKey {
        /// The file.
        file: String,
        /// The key.
        key: String,
        /// The canonical fields that the file has.
        known: Vec<&'static str>,
    },
    /// Something was said of a column that is in neither file.
    #[error(
        "diff.unknown_column: neither file has a column `{0}`. Write the header as it stands in the file"
    )]
    UnknownColumn(String),
}

impl DiffError {
    /// Is it what was asked for that is wrong, and not a file?
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        !matches!(self, Self::File(_))
    }
}

fn or_known(fields: &[&str]) -> String {
    if fields.is_empty() {
        ", nor any other that is known; perhaps its header line is missing".to_owned()
    } else {
        format!("; it has {}", fields.join(", "))
    }
}
