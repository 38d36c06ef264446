//! What can go wrong with a backup.

use std::path::PathBuf;

use muster_model::OrganisationId;

use crate::error::StorageError;

/// A failure of a backup or of its restoring. The text begins with its stable
/// code and holds nobody's data.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is there already.
    #[error(
        "backup.exists: {} exists already; choose another name, or replace it with --force", path.display()
    )]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// Another process writes the same backup.
    #[error(
        "backup.in_progress: another backup is being written to {}; wait for it, or choose another name", path.display()
    )]
    InProgress {
        /// Which file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error(
        "backup.file: {} cannot be used: {reason}; check the path, its owner and the space left on the disk", path.display()
    )]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::ErrorKind,
    },
    /// Something else.
    #[error(
        "backup.not_one: the file is no backup of Muster; give the file that `muster backup` wrote"
    )]
    NotOne,
    /// Written by a program that came later.
    #[error(
        "backup.newer: the backup was made by Muster {version}, which is newer than this program; restore it with that version or a later one"
    )]
    Newer {
        /// By which version, or by which format of the file.
        version: String,
    },
    /// The master key is another one than when the backup was made.
    #[error(
        "backup.key: the master key does not open this backup; give the key file of the day it was made with --backup-key (after a rotation the earlier one is kept beside the key file)"
    )]
    Key,
    /// It opens, and an organisation's key in it does not.
    #[error(
        "backup.other_key: the master key opens this backup, but not organisation {organisation} in it: it was made with another key than that of its data, and cannot be restored; make a new backup with the key of the data"
    )]
    OtherKey {
        /// Whose key it does not open.
        organisation: OrganisationId,
    },
    /// There is nothing to save.
    #[error(
        "backup.empty: there is no organisation in these data, so there is nothing to back up; check --data or --database"
    )]
    Empty,
    /// A piece does not open: cut short, or changed.
    #[error(
        "backup.damaged: the backup is cut short or was changed: the piece at byte {at} does not open; nothing was restored, take another copy of the file"
    )]
    Damaged {
        /// Where the piece begins that does not open, in bytes of the file.
        at: u64,
    },
    /// It opens, and does not say what a backup says.
    #[error(
        "backup.content: the backup opens, but {what}; nothing was restored, take another backup and report this"
    )]
    Content {
        /// What is wrong, without anybody's data.
        what: String,
    },
    /// There are data already where it would go.
    #[error(
        "restore.not_empty: there are data already; restore into an empty folder or database, or stop the service and replace the data with --replace"
    )]
    NotEmpty,
    /// Somebody else's tables stand there.
    #[error(
        "restore.foreign: the database holds tables that are not Muster's; restore into a database of its own"
    )]
    Foreign,
    /// Nothing was restored, so there is nothing to confirm.
    #[error(
        "restore.nothing_to_confirm: no restore waits for a confirmation; outward work is not stopped"
    )]
    NothingToConfirm,
    /// A list of erased people that cannot be read.
    #[error(
        "restore.erased_list: line {line} of the list of erased people cannot be read; give the file that `muster backup --erased-list` wrote"
    )]
    ErasedList {
        /// Which line, from 1.
        line: usize,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl BackupError {
    /// A failure of the file system.
    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            reason: error.kind(),
        }
    }

    /// What it says that it should not.
    pub(crate) fn content(what: impl Into<String>) -> Self {
        Self::Content { what: what.into() }
    }

    /// From an error of a stream, which carries one of these when it is ours.
    pub(crate) fn of_stream(path: &std::path::Path, error: std::io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(ours) => ours,
            // The compression tells its own failures in this kind.
            Err(error) if error.kind() == std::io::ErrorKind::Other => {
                Self::content("its compressed stream is broken")
            }
            Err(error) => Self::file(path, &error),
        }
    }
}

impl From<BackupError> for std::io::Error {
    fn from(error: BackupError) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, error)
    }
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}
