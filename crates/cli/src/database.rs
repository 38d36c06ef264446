//! Where the data is, and the key that opens it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use muster_connect::http::TokioPause;
use muster_engine::Engine;
use muster_model::Clock;
use muster_storage::{Entropy, Location, MasterKey, Storage};

use crate::args::DatabaseArguments;
use crate::machine::{Ids, MachineClock, MachineEntropy};
use crate::output;

/// The key's file beside the data.
const KEY_FILE: &str = "muster.key";

/// Opens the engine over the database that the arguments name.
pub(crate) async fn open(arguments: &DatabaseArguments) -> anyhow::Result<Engine> {
    let (location, folder) = match &arguments.database {
        Some(url) => (Location::Url(url.clone()), default_folder()?),
        None => {
            let folder = match &arguments.data {
                Some(folder) => folder.clone(),
                None => default_folder()?,
            };
            (Location::Directory(folder.clone()), folder)
        }
    };
    let key_file = arguments
        .key_file
        .clone()
        .unwrap_or_else(|| folder.join(KEY_FILE));
    let key = key(&key_file, arguments.key_file.is_none())?;
    engine(&location, key, Arc::new(MachineClock)).await
}

/// An engine over a location, with a clock.
pub(crate) async fn engine(
    location: &Location,
    key: MasterKey,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Engine> {
    let entropy: Arc<dyn Entropy> = Arc::new(MachineEntropy);
    let ids = Arc::new(Ids {
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
    });
    let storage = Storage::open(location, key, Arc::clone(&clock), ids.clone(), entropy).await?;
    Ok(Engine::new(storage, clock, ids, Arc::new(TokioPause)))
}

/// The folder for data when none is named.
fn default_folder() -> anyhow::Result<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    data.map(|data| data.join("muster"))
        .context("storage.directory: there is no home folder for the data; name one with --data")
}

/// Reads the master key; the first time, makes one that only this user can read.
pub(crate) fn key(path: &Path, may_make: bool) -> anyhow::Result<MasterKey> {
    if path.exists() || !may_make {
        return Ok(MasterKey::from_file(path)?);
    }
    let key = MasterKey::generate(&MachineEntropy);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| {
            format!(
                "storage.directory: the folder {} cannot be made",
                folder.display()
            )
        })?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
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
    file.write_all(key.to_hex().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    output::say(&format!(
        "made the master key {}; keep a copy of it apart from the data: without it nobody can read them",
        path.display()
    ));
    Ok(key)
}
