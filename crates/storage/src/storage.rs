//! The door to the data.

use std::fmt;
use std::sync::Arc;

use muster_model::{Clock, DigestKey, IdSource, OrganisationId};

use crate::audit::Actor;
use crate::both::{Engine, Lane, on_the_whole};
use crate::entropy::Entropy;
use crate::error::StorageError;
use crate::location::Location;
use crate::organisation::{NewOrganisation, Organisation};
use crate::presence::Presence;
use crate::reader::Reader;
use crate::scope::Scope;
use crate::seal::{Key, MasterKey, Place, Unopened};
use crate::transaction::Transaction;
use crate::{postgres, sqlite};

/// The data of all organisations of an installation. Cheap to clone.
#[derive(Clone)]
pub struct Storage {
    pub(crate) engine: Engine,
    pub(crate) master: MasterKey,
    pub(crate) clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    pub(crate) entropy: Arc<dyn Entropy>,
    presence: Arc<Presence>,
    actor: Actor,
}

/// An organisation as it is stored; see `front_door`.
pub(crate) type OrganisationRow = sqlite::front_door::OrganisationRow;

/// Calls a statement of the front door as compiled for the engine.
macro_rules! at_the_door {
    ($handle:ident, $function:ident ( $($argument:expr),* )) => {
        match $handle.lane() {
            Lane::Sqlite(session) => sqlite::front_door::$function(session $(, $argument)*).await,
            Lane::Postgres(session) => postgres::front_door::$function(session $(, $argument)*).await,
        }
    };
}

impl Storage {
    /// Opens the data, made if there are none, and brings the schema to this
    /// version's.
    ///
    /// # Errors
    /// `storage.directory`, `storage.address`, `storage.database`,
    /// `storage.migration`.
    pub async fn open(
        location: &Location,
        key: MasterKey,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StorageError> {
        let engine = match location {
            Location::Directory(path) => Engine::Sqlite(sqlite::Engine::open(path).await?),
            Location::Url(url) => Engine::Postgres(postgres::Engine::open(url).await?),
        };
        let presence = Presence::at(location)?;
        Ok(Self::over(engine, presence, key, clock, ids, entropy))
    }

    /// Opens data that are there, and brings the schema to this version's; makes
    /// neither folder nor database.
    ///
    /// # Errors
    /// `storage.none` if there is no database, or one without anything of Muster's;
    /// and as [`Storage::open`].
    pub async fn open_existing(
        location: &Location,
        key: MasterKey,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StorageError> {
        let storage = Self::look(location, key, clock, ids, entropy).await?;
        let mut handle = storage.engine.read().await?;
        if on_the_whole!(handle, whole::schema())?.is_empty() {
            return Err(StorageError::None);
        }
        drop(handle);
        storage.engine.migrate().await?;
        Ok(storage)
    }

    /// A storage over an engine, whatever its schema.
    pub(crate) fn over(
        engine: Engine,
        presence: Presence,
        key: MasterKey,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            engine,
            master: key,
            clock,
            ids,
            entropy,
            presence: Arc::new(presence),
            actor: Actor::System,
        }
    }

    /// The same data with another master key.
    #[must_use]
    pub fn with_key(&self, key: MasterKey) -> Self {
        Self {
            master: key,
            ..self.clone()
        }
    }

    /// The same data, for somebody who does something with them: the audit log
    /// names them.
    #[must_use]
    pub fn acting_for(&self, actor: Actor) -> Self {
        Self {
            actor,
            ..self.clone()
        }
    }

    /// Makes an organisation with keys of its own.
    ///
    /// # Errors
    /// `organisation.exists` if the name is in use.
    pub async fn create_organisation(
        &self,
        new: NewOrganisation,
    ) -> Result<Organisation, StorageError> {
        let id = OrganisationId::new(self.ids.as_ref());
        let entropy = self.entropy.as_ref();
        let (key, index_key) = (Key::generate(entropy), Key::generate(entropy));
        let wrapped_key = self.master.key().seal(
            entropy,
            key_place(id, "organisations.wrapped_key"),
            key.bytes(),
        )?;
        let wrapped_index_key = key.seal(
            entropy,
            key_place(id, "organisations.wrapped_index_key"),
            index_key.bytes(),
        )?;
        let NewOrganisation {
            name,
            region,
            time_zone,
        } = new;
        let created_at = self.clock.now().as_microsecond();
        let row: OrganisationRow = (
            id.uuid(),
            name.clone(),
            region,
            time_zone,
            wrapped_key,
            wrapped_index_key,
            created_at,
        );
        let mut handle = self.engine.begin().await?;
        // Who wraps with another master key than everybody else makes an organisation
        // that the others cannot open: a process that was started before a rotation.
        at_the_door!(handle, hold_key())?;
        if let Some(other) = at_the_door!(handle, list())?.into_iter().next() {
            self.open_organisation(other)?;
        }
        if !at_the_door!(handle, insert(row.clone()))? {
            return Err(StorageError::OrganisationExists { name });
        }
        handle.commit().await?;
        Ok(self.open_organisation(row)?.0)
    }

    /// The organisation of a name.
    ///
    /// # Errors
    /// `key.wrong` if the master key is not that of these data.
    pub async fn organisation_by_name(
        &self,
        name: &str,
    ) -> Result<Option<Organisation>, StorageError> {
        let mut handle = self.engine.read().await?;
        let row = at_the_door!(handle, by_name(name))?;
        row.map(|row| Ok(self.open_organisation(row)?.0))
            .transpose()
    }

    /// All organisations, by name.
    ///
    /// # Errors
    /// `key.wrong` if the master key is not that of these data.
    pub async fn organisations(&self) -> Result<Vec<Organisation>, StorageError> {
        let mut handle = self.engine.read().await?;
        let rows = at_the_door!(handle, list())?;
        rows.into_iter()
            .map(|row| Ok(self.open_organisation(row)?.0))
            .collect()
    }

    /// A reader of one organisation's data. Each statement sees what is
    /// committed when it begins.
    ///
    /// # Errors
    /// `organisation.unknown`, `key.wrong`.
    pub async fn read(&self, organisation: OrganisationId) -> Result<Reader, StorageError> {
        let mut handle = self.engine.read().await?;
        let row = at_the_door!(handle, by_id(organisation))?;
        let scope = self.scope(organisation, row)?;
        Ok(Reader { scope, handle })
    }

    /// A transaction over one organisation's data. On SQLite it holds the
    /// only writer: keep it short, and begin no second one inside it.
    ///
    /// # Errors
    /// `organisation.unknown`, `key.wrong`, `storage.busy`.
    pub async fn begin(&self, organisation: OrganisationId) -> Result<Transaction, StorageError> {
        let mut handle = self.engine.begin().await?;
        let row = at_the_door!(handle, by_id(organisation))?;
        let scope = self.scope(organisation, row)?;
        Ok(Transaction::new(Reader { scope, handle }))
    }

    /// Sees to it that others can tell that this process lives, also after the
    /// connection to a server broke.
    ///
    /// # Errors
    /// `storage.database`, `storage.busy`.
    pub async fn stay_present(&self) -> Result<(), StorageError> {
        self.presence.keep().await
    }

    /// Takes the bytes of what was erased out of the files of the database, and
    /// not only out of its tables; on PostgreSQL the directory stands still
    /// meanwhile. `false` if others were in the way for too long (half a minute
    /// to a minute): try again.
    ///
    /// # Errors
    /// `storage.database`, `storage.busy`.
    pub async fn scrub(&self) -> Result<bool, StorageError> {
        self.engine.scrub().await
    }

    /// Lets the database learn how full its tables are, after many rows came at
    /// once: what it does not know it guesses, and guesses badly.
    ///
    /// # Errors
    /// `storage.database`, `storage.busy`.
    pub async fn learn(&self) -> Result<(), StorageError> {
        self.engine.learn().await
    }

    /// Waits for open work and lets the database go.
    pub async fn close(&self) {
        self.engine.close().await;
    }

    pub(crate) fn scope(
        &self,
        organisation: OrganisationId,
        row: Option<OrganisationRow>,
    ) -> Result<Scope, StorageError> {
        let row = row.ok_or(StorageError::OrganisationUnknown { organisation })?;
        let (opened, key) = self.open_organisation(row)?;
        Ok(Scope {
            organisation,
            key,
            index_key: opened.index_key,
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            entropy: Arc::clone(&self.entropy),
            presence: Arc::clone(&self.presence),
            actor: self.actor,
        })
    }

    pub(crate) fn open_organisation(
        &self,
        row: OrganisationRow,
    ) -> Result<(Organisation, Key), StorageError> {
        let (id, name, region, time_zone, wrapped_key, wrapped_index_key, created_at) = row;
        let id = OrganisationId::from_uuid(id);
        let place = key_place(id, "organisations.wrapped_key");
        let key = self
            .master
            .key()
            .open(place, &wrapped_key)
            .ok()
            .and_then(|bytes| Key::from_slice(&bytes))
            .ok_or(StorageError::WrongMasterKey { organisation: id })?;
        let place = key_place(id, "organisations.wrapped_index_key");
        let index_key = Key::from_slice(&key.open(place, &wrapped_index_key)?)
            .ok_or(Unopened { field: place.field })?;
        let organisation = Organisation {
            id,
            name,
            region,
            time_zone,
            created_at: crate::stored::instant("organisations.created_at", created_at)?,
            index_key: DigestKey::new(*index_key.bytes()),
        };
        Ok((organisation, key))
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.engine {
            Engine::Sqlite(_) => "Storage(SQLite)",
            Engine::Postgres(_) => "Storage(PostgreSQL)",
        })
    }
}

pub(crate) const fn key_place(organisation: OrganisationId, field: &'static str) -> Place<'static> {
    Place {
        organisation,
        field,
        owner: &[],
    }
}
