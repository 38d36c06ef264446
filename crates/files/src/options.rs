//! How a file is to be read.

use std::fmt;
use std::sync::Arc;

use encoding_rs::Encoding;

use crate::error::{FileError, FileProblem};
use crate::limits::Limits;

/// Told how many bytes of a file were read since it was told last.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(u64) + Send + Sync>);

impl Progress {
    /// Tells this function.
    pub fn new(told: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self(Arc::new(told))
    }

    pub(crate) fn tell(&self, bytes: usize) {
        (self.0)(bytes as u64);
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Progress")
    }
}

/// What is known of a file before it is opened. What is not said is found out.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The encoding; found by byte order mark and content when it is not said.
    pub encoding: Option<&'static Encoding>,
    /// The delimiter of CSV; found from the first line when it is not said.
    pub delimiter: Option<u8>,
    /// The bounds.
    pub limits: Limits,
    /// Who wants to know how far the reading is.
    pub progress: Option<Progress>,
}

impl ReadOptions {
    /// Sets the encoding by a name of the Encoding Standard.
    ///
    /// # Errors
    /// When no encoding has that name.
    pub fn with_encoding(mut self, name: &str) -> Result<Self, FileError> {
        let known = Encoding::for_label_no_replacement(name.as_bytes());
        self.encoding =
            Some(known.ok_or_else(|| {
                FileError::of_file(FileProblem::UnknownEncoding(name.to_owned()))
            })?);
        Ok(self)
    }
}
