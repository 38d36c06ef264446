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

    /// The master key for data that come from elsewhere: made if it may be, and if
    /// there are no data that another one opens.
    pub(crate) async fn key(&self) -> anyhow::Result<MasterKey> {
        if self.key_file.exists() || !self.may_make_key {
            return Ok(MasterKey::from_file(&self.key_file)?);
        }
        match self.look().await {
            Ok(storage) => self.make_key_for(&storage).await?,
            Err(StorageError::None) => {
                key_file::make(&self.key_file, &MachineEntropy)?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(MasterKey::from_file(&self.key_file)?)
    }

    /// Opens the engine over data that are there; what is left of a rotation of the
    /// key is done first. Makes nothing.
    pub(crate) async fn open(&self) -> anyhow::Result<Engine> {
        let clock: Arc<dyn Clock> = Arc::new(MachineClock);
        let (entropy, ids) = machine(&clock);
        let storage = Storage::open_existing(&self.location, no_key(), clock, ids, entropy).await?;
        Ok(over(self.with_its_key(&storage, None).await?))
    }

    /// As [`Self::open`]; where there are no data yet, folder, database and key are made.
    pub(crate) async fn open_or_make(&self) -> anyhow::Result<Engine> {
        if !self.may_make_key {
            // Before anything is made that it would not open.
            MasterKey::from_file(&self.key_file)?;
        }
        let clock: Arc<dyn Clock> = Arc::new(MachineClock);
        let (entropy, ids) = machine(&clock);
        let storage = Storage::open(&self.location, no_key(), clock, ids, entropy).await?;
        if !self.key_file.exists() {
            self.make_key_for(&storage).await?;
        }
        Ok(over(self.with_its_key(&storage, None).await?))
    }

    /// The same data with the key that opens them, by whoever holds the key's files.
    pub(crate) async fn open_held(
        &self,
        storage: &Storage,
        held: &key_file::Held,
    ) -> anyhow::Result<Engine> {
        Ok(over(self.with_its_key(storage, Some(held)).await?))
    }

    async fn look(&self) -> Result<Storage, StorageError> {
        let clock: Arc<dyn Clock> = Arc::new(MachineClock);
        let (entropy, ids) = machine(&clock);
        Storage::look(&self.location, no_key(), clock, ids, entropy).await
    }

    /// Makes the key, unless there is an organisation, which another one opens.
    async fn make_key_for(&self, storage: &Storage) -> anyhow::Result<()> {
        if storage.opened_by(&no_key()).await?.is_some() {
            return Err(self.closed(storage).await?);
        }
        key_file::make(&self.key_file, &MachineEntropy)?;
        Ok(())
    }

    /// The data with the key of the file, or with that of a rotation which is finished
    /// here; whoever rotates at this moment is waited for.
    async fn with_its_key(
        &self,
        storage: &Storage,
        held: Option<&key_file::Held>,
    ) -> anyhow::Result<Storage> {
        if let Some(opened) = self.with_key_of_file(storage).await? {
            return Ok(opened);
        }
        let locked;
        let held = match held {
            Some(held) => held,
            None if key_file::is_begun(&self.key_file) => {
                locked = key_file::hold(&self.key_file).await?;
                &locked
            }
            None => {
                // A rotation may have ended between the two looks.
                return match self.with_key_of_file(storage).await? {
                    Some(opened) => Ok(opened),
                    None => Err(self.closed(storage).await?),
                };
            }
        };
        // Whoever held the lock may have done what was left.
        if let Some(opened) = self.with_key_of_file(storage).await? {
            return Ok(opened);
        }
        let Some(begun) = key_file::begun(&self.key_file) else {
            return Err(self.closed(storage).await?);
        };
        if !self.key_file.exists() || storage.opened_by(&begun).await? != Some(true) {
            return Err(self.closed(storage).await?);
        }
        let old = held.swap(&begun, MachineClock.now())?;
        output::say(&format!(
            "finished a rotation of the master key that was interrupted; the earlier key is {}",
            old.display()
        ));
        Ok(storage.with_key(begun))
    }

    /// The data with the key of the file, if it opens them.
    async fn with_key_of_file(&self, storage: &Storage) -> anyhow::Result<Option<Storage>> {
        if !self.key_file.exists() {
            return Ok(None);
        }
        let key = MasterKey::from_file(&self.key_file)?;
        Ok(match storage.opened_by(&key).await? {
            Some(false) => None,
            Some(true) | None => Some(storage.with_key(key)),
        })
    }

    /// Why the data stay closed, and which file beside the key opens them, if one does.
    /// Nothing is changed by itself: somebody put the files as they are.
    async fn closed(&self, storage: &Storage) -> anyhow::Result<anyhow::Error> {
        if storage.opened_by(&no_key()).await?.is_none() {
            // Nothing can be read, and nothing is lost.
            return Ok(StorageError::None.into());
        }
        let path = self.key_file.display();
        let said = if self.key_file.exists() {
            format!("key.wrong: the master key {path} does not open the data")
        } else {
            format!("key.file: the master key {path} is missing, and there are data which it opens")
        };
        let beside = std::iter::once(key_file::beside(&self.key_file, "new"))
            .chain(key_file::earlier(&self.key_file));
        for file in beside {
            let Ok(key) = MasterKey::from_file(&file) else {
                continue;
            };
            if storage.opened_by(&key).await? == Some(true) {
                return Ok(anyhow::anyhow!(
                    "{said}, but {file} does; keep what is there under another name and copy {file} to {path}",
                    file = file.display()
                ));
            }
        }
        Ok(anyhow::anyhow!(
            "{said}; put the key file that belongs to these data there, or name it with --key-file"
        ))
    }
}

/// Opens the engine over the database that the arguments name.
pub(crate) async fn open(arguments: &DatabaseArguments) -> anyhow::Result<Engine> {
    Place::of(arguments)?.open().await
}

/// As [`open`]; data and key are made if there are none.
pub(crate) async fn open_or_make(arguments: &DatabaseArguments) -> anyhow::Result<Engine> {
    Place::of(arguments)?.open_or_make().await
}

/// A key that opens nothing, until it is known which one does.
fn no_key() -> MasterKey {
    MasterKey::generate(&MachineEntropy)
}

/// The engine over a storage, for whoever calls the command.
fn over(storage: Storage) -> Engine {
    let clock: Arc<dyn Clock> = Arc::new(MachineClock);
    let (_, ids) = machine(&clock);
    Engine::new(
        storage.acting_for(actor()),
        clock,
        ids,
        Arc::new(TokioPause),
    )
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
