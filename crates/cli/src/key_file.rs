//! The master key's file: made once, rotated in steps of which each can be the
//! last one that a killed process did.
//!
//! 1. The new key is written beside the file, with `.new` behind its name.
//! 2. Every organisation's key is wrapped with it, in one transaction.
//! 3. The old file gets a second name with `.old-` and the instant behind it.
//! 4. The new file takes the place of the old.
//!
//! Before 2 the file opens the data; after it the one with `.new` does, and
//! whoever opens the data next finds that out and does what is left. Whoever
//! does any of these steps holds the lock of one further file, `.lock`, which is
//! never removed: what was looked at is then still so when it is changed. What
//! opens the data is never written over.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use muster_storage::{Entropy, MasterKey};

use crate::output;

/// What the master key's file is called beside the data.
pub(crate) const NAME: &str = "muster.key";
/// How often, and how many times, the lock is asked for: half a minute, as long as
/// whoever rotates waits for another writer of the database.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const LOOKS: u32 = 600;

/// Makes a master key that only this user can read; if there is one already, it is
/// the one.
pub(crate) fn make(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<MasterKey> {
    let key = MasterKey::generate(entropy);
    if let Some(folder) = path.parent() {
        make_private(folder).with_context(|| {
            format!(
                "storage.directory: the folder {} cannot be made",
                folder.display()
            )
        })?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    let mut file = match options.open(path) {
        Ok(file) => file,
        // Another process was first: its key is the one.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Ok(MasterKey::from_file(path)?);
        }
        Err(error) => {
            return Err(error).with_context(|| {
                format!("key.file: the key file {} cannot be made", path.display())
            });
        }
    };
    write(&mut file, &key)?;
    sync_folder(path)?;
    output::say(&format!(
        "made the master key {}; keep a copy of it apart from the data: without it nobody can read them",
        path.display()
    ));
    Ok(key)
}

/// The key of a rotation that was begun and has not taken its place, if there is one.
pub(crate) fn begun(path: &Path) -> Option<MasterKey> {
    // Half a file is from before the rotation changed anything.
    MasterKey::from_file(&beside(path, NEW)).ok()
}

/// Is there such a file, whatever is in it?
pub(crate) fn is_begun(path: &Path) -> bool {
    beside(path, NEW).exists()
}

/// The files of keys that were rotated away, newest first.
pub(crate) fn earlier(path: &Path) -> Vec<PathBuf> {
    let first = beside(path, OLD);
    let first = first.file_name().unwrap_or_default().as_encoded_bytes();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(first))
        })
        .collect();
    found.sort();
    found.reverse();
    found
}

/// Behind the name of a new key, of an earlier one, and of the lock.
const NEW: &str = "new";
const OLD: &str = "old-";
const LOCK: &str = "lock";

/// The lock of a key's files: nobody else changes them as long as this lives.
pub(crate) struct Held {
    path: PathBuf,
    _lock: File,
}

/// Waits for the lock of a key's files, and takes it.
pub(crate) async fn hold(path: &Path) -> anyhow::Result<Held> {
    let lock = beside(path, LOCK);
    let fail = || {
        format!(
            "key.lock: {} cannot be locked, without which the key's files are not changed; check that this user may write to its folder",
            lock.display()
        )
    };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    private(&mut options);
    let file = options.open(&lock).with_context(fail)?;
    for _ in 0..LOOKS {
        match file.try_lock() {
            Ok(()) => {
                return Ok(Held {
                    path: path.to_owned(),
                    _lock: file,
                });
            }
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOOK_AGAIN).await,
            Err(TryLockError::Error(error)) => return Err(error).with_context(fail),
        }
    }
    anyhow::bail!(
        "key.rotating: another process is rotating the key {} and did not end in half a minute; try again when it has",
        path.display()
    );
}

impl Held {
    /// Step 1: writes a new key beside the file. What a rotation left there that came
    /// to nothing is in the way of nothing: the caller saw that another key opens the data.
    pub(crate) fn begin(&self, entropy: &dyn Entropy) -> anyhow::Result<MasterKey> {
        let new = beside(&self.path, NEW);
        let fail = || format!("key.file: the key file {} cannot be made", new.display());
        self.discard().with_context(fail)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        private(&mut options);
        let key = MasterKey::generate(entropy);
        let mut file = options.open(&new).with_context(fail)?;
        write(&mut file, &key).with_context(fail)?;
        sync_folder(&new).with_context(fail)?;
        Ok(key)
    }

    /// Takes back step 1. Only for a key of which the caller saw that it opens nothing.
    pub(crate) fn discard(&self) -> std::io::Result<()> {
        match std::fs::remove_file(beside(&self.path, NEW)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Steps 3 and 4: the new file, which holds the key that was seen to open the data,
    /// takes the place of the old, which keeps its content under another name. Gives
    /// that name.
    pub(crate) fn swap(&self, seen: &MasterKey, now: Timestamp) -> anyhow::Result<PathBuf> {
        let path = &self.path;
        let new = beside(path, NEW);
        let old = beside(path, &format!("{OLD}{}", now.strftime("%Y%m%dT%H%M%S%fZ")));
        let fail = || {
            format!(
                "key.swap: the new key {} is in use and could not take the place of {}; give it that name by hand and keep the old one",
                new.display(),
                path.display()
            )
        };
        let holds_it = |file: &Path| -> anyhow::Result<bool> {
            let there = MasterKey::from_file(file).with_context(fail)?;
            Ok(there.to_hex() == seen.to_hex())
        };
        if !holds_it(&new)? || holds_it(path)? {
            anyhow::bail!(
                "key.swap: {} or {} was changed by hand while the key was rotated; give the file that opens the data the second name",
                new.display(),
                path.display()
            );
        }
        if std::fs::hard_link(path, &old).is_err() {
            // A file system without second names.
            std::fs::copy(path, &old).with_context(fail)?;
        }
        std::fs::rename(&new, path).with_context(fail)?;
        sync_folder(path).with_context(fail)?;
        Ok(old)
    }
}

/// Can others than this user read the file? Empty where the system has no such modes.
pub(crate) fn open_to_others(path: &Path) -> std::io::Result<Option<u32>> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let mode = path.metadata()?.mode() & 0o777;
        Ok((mode & 0o077 != 0).then_some(mode))
    }
    #[cfg(not(unix))]
    path.metadata().map(|_| None)
}

/// The file with something behind its name.
pub(crate) fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(what);
    path.with_file_name(name)
}

fn write(file: &mut File, key: &MasterKey) -> std::io::Result<()> {
    file.write_all(key.to_hex().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Makes a folder if it is missing, for this user alone.
fn make_private(folder: &Path) -> std::io::Result<()> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
