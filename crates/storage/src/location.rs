//! Where the data is.

use std::fmt;
use std::path::PathBuf;

/// Where the data is, and with it which engine holds it.
#[derive(Clone)]
pub enum Location {
    /// A folder of this machine; SQLite keeps the file `muster.db` in it.
    Directory(PathBuf),
    /// A PostgreSQL server and database: `postgres://user:password@host/database`.
    Url(String),
}

impl fmt::Debug for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => formatter.debug_tuple("Directory").field(path).finish(),
            // The address may hold a password.
            Self::Url(_) => formatter.write_str("Url(••••)"),
        }
    }
}
