//! Where the data is, and the key that opens it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use muster_connect::http::TokioPause;
use muster_engine::Engine;
use muster_model::{Clock, IdSource};
use muster_storage::{Actor, Entropy, Location, MasterKey, Storage, StorageError};

use crate::args::DatabaseArguments;
use crate::machine::{Ids, MachineClock, MachineEntropy};
use crate::{key_file, output};

/// Where the data and their key are.
pub(crate) struct Place {
    pub(crate) location: Location,
    pub(crate) key_file: PathBuf,
    /// A key file that was named must be there; the usual one is made.
    pub(crate) may_make_key: bool,
}

impl Place {
    /// What the arguments name.
    pub(crate) fn of(arguments: &DatabaseArguments) -> anyhow::Result<Self> {
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
            .unwrap_or_else(|| folder.join(key_file::NAME));
        Ok(Self {
            location,
            key_file,
            may_make_key: arguments.key_file.is_none(),
        })
    }

    /// The master key, made if it may be.
    pub(crate) fn key(&self) -> anyhow::Result<MasterKey> {
        key_file::read_or_make(&self.key_file, self.may_make_key, &MachineEntropy)
    }

    /// Opens the engine; what is left of a rotation of the key is done first.
    pub(crate) async fn open(&self) -> anyhow::Result<Engine> {
        let key = self.key()?;
        let Some(begun) = key_file::begun(&self.key_file) else {
            return engine(&self.location, key, Arc::new(MachineClock)).await;
        };
        let opened = engine(&self.location, key, Arc::new(MachineClock)).await?;
        match opened.storage().organisations().await {
            Err(StorageError::WrongMasterKey { .. }) => {}
            // The rotation changed nothing before it ended.
            _ => return Ok(opened),
        }
        let with_new = engine(&self.location, begun, Arc::new(MachineClock)).await?;
        if with_new.storage().organisations().await.is_err() {
            // Neither opens the data; what is said then is said of the key file.
            return Ok(opened);
        }
        opened.storage().close().await;
        let old = key_file::swap(&self.key_file, MachineClock.now())?;
        output::say(&format!(
            "finished a rotation of the master key that was interrupted; the earlier key is {}",
            old.display()
        ));
        Ok(with_new)
    }
}

/// Opens the engine over the database that the arguments name.
pub(crate) async fn open(arguments: &DatabaseArguments) -> anyhow::Result<Engine> {
    Place::of(arguments)?.open().await
}

/// An engine over a location, with a clock.
pub(crate) async fn engine(
    location: &Location,
    key: MasterKey,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Engine> {
    let (entropy, ids) = machine(&clock);
    let storage = Storage::open(location, key, Arc::clone(&clock), ids.clone(), entropy)
        .await?
        .acting_for(actor());
    Ok(Engine::new(storage, clock, ids, Arc::new(TokioPause)))
}

/// Who does what a command does.
pub(crate) fn actor() -> Actor {
    #[cfg(unix)]
    let user = Some(rustix::process::getuid().as_raw());
    #[cfg(not(unix))]
    let user = None;
    Actor::CommandLine { user }
}

/// The machine's entropy, and ids of it and of a clock.
pub(crate) fn machine(clock: &Arc<dyn Clock>) -> (Arc<dyn Entropy>, Arc<dyn IdSource>) {
    let entropy: Arc<dyn Entropy> = Arc::new(MachineEntropy);
    let ids = Arc::new(Ids {
        clock: Arc::clone(clock),
        entropy: Arc::clone(&entropy),
    });
    (entropy, ids)
}

/// The folder for data when none is named.
fn default_folder() -> anyhow::Result<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    data.map(|data| data.join("muster"))
        .context("storage.directory: there is no home folder for the data; name one with --data")
}
