//! The state of the database itself, looked at without changing anything.

use std::sync::Arc;

use jiff::Timestamp;
use muster_model::{Clock, IdSource, OrganisationId};

use crate::both::{Engine, on_the_whole};
use crate::entropy::Entropy;
use crate::error::StorageError;
use crate::location::Location;
use crate::seal::MasterKey;
use crate::storage::Storage;
use crate::stored::instant;
use crate::{postgres, sqlite};

/// What the database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Which migrations it had.
    pub schema: Vec<i64>,
    /// Which this program knows.
    pub known: Vec<i64>,
    /// What is broken, in the engine's words: tables, pages and indexes, never values.
    pub faults: Vec<String>,
    /// Its clock.
    pub now: Timestamp,
    /// Each organisation, and whether the master key opens it.
    pub organisations: Vec<(OrganisationId, bool)>,
}

impl Health {
    /// Is the schema the one that this program works with?
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.schema == self.known
    }
}

impl Storage {
    /// Looks at a database without bringing its schema up to date. With a schema
    /// that is not this program's, only [`Storage::health`] may be asked.
    ///
    /// # Errors
    /// `storage.none` if there is no database, and as [`Storage::open`].
    pub async fn look(
        location: &Location,
        key: MasterKey,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StorageError> {
        if let Location::Directory(folder) = location
            && !folder.join(sqlite::engine::FILE).exists()
        {
            return Err(StorageError::None);
        }
        let engine = Engine::connect(location).await?;
        Ok(Self::over(engine, key, clock, ids, entropy))
    }

    /// What the database says of itself. Reads all of it.
    ///
    /// # Errors
    /// `storage.none` if it holds nothing of Muster; when it cannot answer.
    pub async fn health(&self) -> Result<Health, StorageError> {
        let mut handle = self.engine.read().await?;
        let mut known = match &self.engine {
            Engine::Sqlite(_) => sqlite::engine::versions(),
            Engine::Postgres(_) => postgres::engine::versions(),
        };
        known.sort_unstable();
        let schema = on_the_whole!(handle, whole::schema())?;
        if schema.is_empty() {
            return Err(StorageError::None);
        }
        let faults = on_the_whole!(handle, whole::faults())?;
        let now = instant(
            "the database's clock",
            on_the_whole!(handle, engine::now())?,
        )?;
        let organisations = on_the_whole!(handle, front_door::list())?
            .into_iter()
            .map(|row| {
                let id = OrganisationId::from_uuid(row.0);
                (id, self.open_organisation(row).is_ok())
            })
            .collect();
        Ok(Health {
            schema,
            known,
            faults,
            now,
            organisations,
        })
    }
}
