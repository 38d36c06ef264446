//! The master key's file: made once, rotated in steps of which each can be the
//! last one that a killed process did.
//!
//! 1. The new key is written beside the file, with `.new` behind its name.
//! 2. Every organisation's key is wrapped with it, in one transaction.
//! 3. The old file gets a second name with `.old-` and the instant behind it.
//! 4. The new file takes the place of the old.
//!
//! Before 2 the file opens the data; after it the one with `.new` does, and
//! whoever opens the data next finds that out and does what is left.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;
use muster_storage::{Entropy, MasterKey};

use crate::output;

/// What the master key's file is called beside the data.
pub(crate) const NAME: &str = "muster.key";

/// Reads the master key; the first time, makes one that only this user can read.
pub(crate) fn read_or_make(
    path: &Path,
    may_make: bool,
    entropy: &dyn Entropy,
) -> anyhow::Result<MasterKey> {
    if path.exists() || !may_make {
        return Ok(MasterKey::from_file(path)?);
    }
    let key = MasterKey::generate(entropy);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| {
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
    MasterKey::from_file(&beside(path, "new")).ok()
}

/// A new key in its file beside the old one; held as long as this lives, so that
/// nobody else rotates meanwhile.
pub(crate) struct NewKey {
    pub(crate) key: MasterKey,
    _held: File,
}

/// Step 1: writes a new key beside the file.
pub(crate) fn begin(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<NewKey> {
    let new = beside(path, "new");
    let fail = || format!("key.file: the key file {} cannot be made", new.display());
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    private(&mut options);
    let mut file = options.open(&new).with_context(fail)?;
    let held = match file.try_lock() {
        Ok(()) => is_at(&file, &new),
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(error)) => return Err(error).with_context(fail),
    };
    if !held {
        anyhow::bail!(
            "key.rotating: another process is rotating the key {}; wait for it",
            path.display()
        );
    }
    file.set_len(0).with_context(fail)?;
    // One that lay there may be open to others.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .with_context(fail)?;
    let key = MasterKey::generate(entropy);
    write(&mut file, &key).with_context(fail)?;
    sync_folder(&new).with_context(fail)?;
    Ok(NewKey { key, _held: file })
}

/// Steps 3 and 4: the new file takes the place of the old, which keeps its content
/// under another name. Gives that name.
pub(crate) fn swap(path: &Path, now: Timestamp) -> anyhow::Result<PathBuf> {
    let new = beside(path, "new");
    let old = beside(path, &format!("old-{}", now.strftime("%Y%m%dT%H%M%S%fZ")));
    let fail = || {
        format!(
            "key.swap: the new key {} is in use and could not take the place of {}; give it that name by hand and keep the old one",
            new.display(),
            path.display()
        )
    };
    if std::fs::hard_link(path, &old).is_err() {
        // A file system without second names.
        std::fs::copy(path, &old).with_context(fail)?;
    }
    match std::fs::rename(&new, path) {
        Ok(()) => {}
        // Somebody else found it and was faster.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(fail),
    }
    sync_folder(path).with_context(fail)?;
    Ok(old)
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

/// Is the open file still the one of this name?
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        match (file.metadata(), path.metadata()) {
            (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
            _ => false,
        }
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}
