//! The state of the database itself, looked at without changing anything.

use std::sync::Arc;

use jiff::Timestamp;
use muster_model::{Clock, IdSource, OrganisationId};
use sqlx::{Connection as _, SqliteConnection};

use crate::backup::shape::Shape;
use crate::both::{Engine, on_the_whole};
use crate::entropy::Entropy;
use crate::error::StorageError;
use crate::location::Location;
use crate::presence::Presence;
use crate::seal::MasterKey;
use crate::storage::Storage;
use crate::stored::instant;
use crate::{postgres, sqlite};

/// What the database says of itself, each thing as far as it can be read.
#[derive(Debug)]
pub struct Health {
    /// Which migrations it had.
    pub schema: Result<Vec<i64>, StorageError>,
    /// Which this program knows.
    pub known: Vec<i64>,
    /// What is broken, in the engine's words: tables, pages and indexes, never values.
    pub faults: Result<Vec<String>, StorageError>,
    /// Its clock.
    pub now: Result<Timestamp, StorageError>,
    /// Each organisation, and its name if the master key opens it.
    pub organisations: Result<Vec<(OrganisationId, Option<String>)>, StorageError>,
}

impl Health {
    /// Is the schema the one that this program works with?
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.schema
            .as_ref()
            .is_ok_and(|schema| *schema == self.known)
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
        Ok(Self::over(
            engine,
            Presence::at(location)?,
            key,
            clock,
            ids,
            entropy,
        ))
    }

    /// What the database says of itself. Reads all of it.
    ///
    /// # Errors
    /// `storage.none` if it holds nothing of Muster; when it cannot be asked at all.
    pub async fn health(&self) -> Result<Health, StorageError> {
        let mut handle = self.engine.read().await?;
        let mut known = match &self.engine {
            Engine::Sqlite(_) => sqlite::engine::versions(),
            Engine::Postgres(_) => postgres::engine::versions(),
        };
        known.sort_unstable();
        let schema = on_the_whole!(handle, whole::schema());
        if schema.as_ref().is_ok_and(Vec::is_empty) {
            return Err(StorageError::None);
        }
        let mut faults = on_the_whole!(handle, whole::faults());
        if let (Ok(faults), Ok(schema)) = (&mut faults, &schema)
            && schema.iter().all(|version| known.contains(version))
        {
            let tables = on_the_whole!(handle, whole::tables());
            if let Ok(tables) = tables {
                faults.extend(lacking(schema, &tables).await?);
            }
        }
        let now = on_the_whole!(handle, engine::now())
            .and_then(|now| instant("the database's clock", now));
        let organisations = on_the_whole!(handle, front_door::list()).map(|rows| {
            rows.into_iter()
                .map(|row| {
                    let id = OrganisationId::from_uuid(row.0);
                    let opened = self.open_organisation(row).ok();
                    (id, opened.map(|(organisation, _)| organisation.name))
                })
                .collect()
        });
        Ok(Health {
            schema,
            known,
            faults,
            now,
            organisations,
        })
    }
}

/// Which tables of a schema are missing, or are others. What a schema holds is asked
/// of an empty database of it, which is the same for either engine.
async fn lacking(schema: &[i64], tables: &[Shape]) -> Result<Vec<String>, StorageError> {
    let mut empty = SqliteConnection::connect("sqlite::memory:").await?;
    sqlite::engine::migrate(&mut empty, Some(schema)).await?;
    let wanted = sqlite::whole::tables(&mut empty).await?;
    empty.close().await?;
    Ok(wanted
        .iter()
        .filter_map(
            |wanted| match tables.iter().find(|table| table.name == wanted.name) {
                None => Some(format!("the table {} is missing", wanted.name)),
                Some(table) if !table.has_columns_of(wanted) => Some(format!(
                    "the table {} has other columns than its schema",
                    wanted.name
                )),
                Some(_) => None,
            },
        )
        .collect())
}
