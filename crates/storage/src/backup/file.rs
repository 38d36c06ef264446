//! A file that appears under its name whole or not at all.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::BackupError;

/// How often somebody else may be faster before it counts as being written.
const MOST_TRIES: u32 = 100;

/// A file in the making, under its name with `.partial` behind it. What a killed
/// process left there is taken away by the next, never written into: it may be
/// the second name of a file that was finished.
pub(crate) struct NewFile {
    file: File,
    path: PathBuf,
    partial: PathBuf,
    replace: bool,
    done: bool,
}

impl NewFile {
    /// Begins a file that only this user can read.
    ///
    /// # Errors
    /// `backup.exists`, `backup.in_progress`, `backup.file`.
    pub(crate) fn begin(path: &Path, replace: bool) -> Result<Self, BackupError> {
        if !replace && path.symlink_metadata().is_ok() {
            return Err(BackupError::Exists {
                path: path.to_owned(),
            });
        }
        let mut name = path
            .file_name()
            .ok_or_else(|| BackupError::file(path, &io::ErrorKind::InvalidInput.into()))?
            .to_owned();
        name.push(".partial");
        let partial = path.with_file_name(name);
        for _ in 0..MOST_TRIES {
            let made = make_anew(&partial).map_err(|error| BackupError::file(&partial, &error))?;
            match made {
                Made::Ours(file) => {
                    return Ok(Self {
                        file,
                        path: path.to_owned(),
                        partial,
                        replace,
                        done: false,
                    });
                }
                Made::Faster => {}
                Made::Held => break,
            }
        }
        Err(BackupError::InProgress {
            path: path.to_owned(),
        })
    }

    /// Makes it last and gives it its name.
    ///
    /// # Errors
    /// `backup.exists` if somebody else was faster, `backup.file`.
    pub(crate) fn finish(mut self) -> Result<(), BackupError> {
        let fail = |error: &io::Error| BackupError::file(&self.path, error);
        self.file.sync_all().map_err(|error| fail(&error))?;
        if self.replace {
            std::fs::rename(&self.partial, &self.path).map_err(|error| fail(&error))?;
        } else {
            // A second name can be given only if it is free, in one step.
            match std::fs::hard_link(&self.partial, &self.path) {
                Ok(()) => {
                    std::fs::remove_file(&self.partial).map_err(|error| fail(&error))?;
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(BackupError::Exists {
                        path: self.path.clone(),
                    });
                }
                // A file system without second names.
                Err(_) => {
                    std::fs::rename(&self.partial, &self.path).map_err(|error| fail(&error))?;
                }
            }
        }
        self.done = true;
        sync_folder(&self.path).map_err(|error| fail(&error))
    }
}

/// What became of making a file.
enum Made {
    /// It is there, empty and locked.
    Ours(File),
    /// Somebody else made or took it in the same moment.
    Faster,
    /// Somebody else writes it.
    Held,
}

/// Makes a file that was not there before, and takes away what a killed process left.
fn make_anew(path: &Path) -> io::Result<Made> {
    let left = match OpenOptions::new().read(true).open(path) {
        Ok(left) => Some(left),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(left) = &left {
        match left.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Made::Held),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Its owner may have renamed it between opening and locking: then this is
        // a finished file, and another may be at its place.
        if !is_at(left, path) {
            return Ok(Made::Faster);
        }
        std::fs::remove_file(path)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Made::Faster),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        // Somebody may have found it before it was locked, and taken it away.
        Ok(()) if is_at(&file, path) => Ok(Made::Ours(file)),
        Ok(()) => Ok(Made::Faster),
        Err(TryLockError::WouldBlock) => Ok(Made::Held),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

impl Write for &NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&self.file).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&self.file).flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.done {
            // What is left is only in the way; if it stays, the next one takes it away.
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

/// Makes a name last: the folder is what holds it.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), path.metadata()) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, replace: bool, text: &str) -> Result<(), BackupError> {
        let file = NewFile::begin(path, replace)?;
        (&file).write_all(text.as_bytes()).unwrap();
        file.finish()
    }

    #[test]
    fn it_appears_whole_and_replaces_nothing_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b");
        let unfinished = NewFile::begin(&path, false).unwrap();
        (&unfinished).write_all(b"half").unwrap();
        assert!(!path.exists());
        let error = NewFile::begin(&path, false).err().unwrap();
        assert!(error.to_string().starts_with("backup.in_progress"));
        drop(unfinished);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

        // What a killed process left is longer than what comes.
        std::fs::write(folder.path().join("b.partial"), "left by somebody").unwrap();
        write(&path, false, "one").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = write(&path, false, "two").unwrap_err();
        assert!(error.to_string().starts_with("backup.exists"));
        write(&path, true, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
    }

    #[test]
    fn a_finished_file_keeps_its_bytes_when_its_partial_name_was_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b");
        // Killed between its two names: both are of one file.
        write(&path, false, "the finished one").unwrap();
        std::fs::hard_link(&path, folder.path().join("b.partial")).unwrap();
        let kept = folder.path().join("kept");
        std::fs::rename(&path, &kept).unwrap();
        write(&path, false, "the next").unwrap();
        assert_eq!(std::fs::read_to_string(&kept).unwrap(), "the finished one");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "the next");

        // And with the name still there: it is replaced whole or not at all.
        std::fs::hard_link(&path, folder.path().join("b.partial")).unwrap();
        let unfinished = NewFile::begin(&path, true).unwrap();
        (&unfinished).write_all(b"half").unwrap();
        drop(unfinished);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "the next");
        assert!(!folder.path().join("b.partial").exists());
    }
}
