//! Restoring: the file is read to its end and proved first; then everything is
//! loaded, read back, brought to this version's schema and made safe in one
//! transaction.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use muster_model::{Clock, IdSource, OrganisationId, PersonId};
use serde::Serialize;
use tokio::sync::mpsc;

use super::archive::{Head, Part, Reader, TableEnd};
use super::erased::{self, Erased};
use super::error::BackupError;
use super::shape::Shape;
use super::tuple::Tally;
use super::{Backup, WAITING, wrapped};
use crate::audit::Actor;
use crate::both::{Engine, Handle, on_the_whole};
use crate::entropy::Entropy;
use crate::location::Location;
use crate::presence::Presence;
use crate::seal::MasterKey;
use crate::storage::Storage;
use crate::stored::instant;
use crate::transaction::Transaction;
use crate::{postgres, sqlite};

/// A record of somebody who was erased: connection, keyed digest of its id, when.
type Mark = (uuid::Uuid, Vec<u8>, i64);

/// What to restore, and where.
pub struct Restore {
    /// The backup.
    pub file: PathBuf,
    /// Where the data go.
    pub location: Location,
    /// The master key that the restored data will have.
    pub key: MasterKey,
    /// The one of the day when the backup was made, if it was another.
    pub backup_key: Option<MasterKey>,
    /// May it take the place of data that are there?
    pub replace: bool,
    /// Who was erased since, as far as only a list of it is left.
    pub erased: Vec<Erased>,
    /// Who restores: the audit log names them.
    pub actor: Actor,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// The backup that it came from.
    pub backup: Backup,
    /// People who had been erased after the backup and were erased again.
    pub erased_again: u64,
    /// Runs that were at work when the backup was made; they have ended now.
    pub interrupted_runs: u64,
    /// Outward messages that wait until a person confirms.
    pub waiting_messages: u64,
    /// Are the bytes of who was erased again gone from the files? If others read
    /// all the time they stay until [`Storage::scrub`] finds a pause.
    pub scrubbed: bool,
}

/// Reads a backup to its end, proves every byte of it, and opens the key of every
/// organisation in it.
///
/// # Errors
/// `backup.file`, `backup.not_one`, `backup.newer`, `backup.key`,
/// `backup.other_key`, `backup.damaged`, `backup.content`.
pub async fn check(file: &Path, key: &MasterKey) -> Result<Backup, BackupError> {
    let (path, key) = (file.to_owned(), key.clone());
    let (head, ends) = blocking(file, move || read_and_open(&path, &key)).await?;
    let rows = head.tables.iter().map(|table| table.name.clone());
    Ok(Backup {
        file: file.to_owned(),
        made_at: instant("the instant of a backup", head.made_at)?,
        version: head.version,
        engine: head.engine,
        schema: head.schema,
        rows: rows.zip(ends.iter().map(|end| end.rows)).collect(),
        bytes: file
            .metadata()
            .map_err(|error| BackupError::file(file, &error))?
            .len(),
    })
}

impl Restore {
    /// Restores: everything, or nothing. Nothing goes outwards afterwards until
    /// a person confirms.
    ///
    /// # Errors
    /// As [`check`], and `restore.not_empty`.
    pub async fn run(
        self,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Restored, BackupError> {
        let backup_key = self.backup_key.as_ref().unwrap_or(&self.key);
        let backup = check(&self.file, backup_key).await?;
        let engine = Engine::connect(&self.location).await?;
        let presence = Presence::at(&self.location)?;
        let storage = Storage::over(engine, presence, self.key.clone(), clock, ids, entropy)
            .acting_for(self.actor);
        let restored = self.load_and_scrub(&storage, backup).await;
        storage.close().await;
        restored
    }

    /// Whoever was erased again stood in the files for the length of the
    /// transaction; the bytes go when it has ended.
    async fn load_and_scrub(
        &self,
        storage: &Storage,
        backup: Backup,
    ) -> Result<Restored, BackupError> {
        let mut restored = self.load(storage, backup).await?;
        if restored.erased_again > 0 {
            restored.scrubbed = storage.scrub().await?;
        }
        Ok(restored)
    }

    async fn load(&self, storage: &Storage, backup: Backup) -> Result<Restored, BackupError> {
        let known = match &storage.engine {
            Engine::Sqlite(_) => sqlite::engine::versions(),
            Engine::Postgres(_) => postgres::engine::versions(),
        };
        if backup.schema.iter().any(|version| !known.contains(version)) {
            return Err(BackupError::Newer {
                version: backup.version,
            });
        }
        let mut handle = storage.engine.begin().await?;
        let mut gone = self.erased.clone();
        let mut marks: BTreeMap<OrganisationId, Vec<Mark>> = BTreeMap::new();
        let tables = on_the_whole!(handle, whole::tables())?;
        let is_ours = !on_the_whole!(handle, whole::schema())?.is_empty()
            && tables.iter().any(|table| table.name == "organisations");
        if !is_ours && !tables.is_empty() {
            return Err(BackupError::Foreign);
        }
        if is_ours {
            if on_the_whole!(handle, front_door::count())? > 0 && !self.replace {
                return Err(BackupError::NotEmpty);
            }
            gone.extend(erased::all(&mut handle).await?);
            // An early schema has no such table.
            if tables.iter().any(|table| table.name == "erased_records") {
                for (organisation, connection, digest, at) in
                    on_the_whole!(handle, front_door::erased_records())?
                {
                    let of_one = marks.entry(OrganisationId::from_uuid(organisation));
                    of_one.or_default().push((connection, digest, at));
                }
            }
        }
        on_the_whole!(handle, whole::clear())?;
        on_the_whole!(handle, engine::migrate(Some(&backup.schema)))?;
        self.fill(&mut handle).await?;
        on_the_whole!(handle, engine::migrate(None))?;
        let restored_at = storage.clock.now();
        on_the_whole!(
            handle,
            front_door::restored(
                restored_at.as_microsecond(),
                backup.made_at.as_microsecond()
            )
        )?;
        let mut restored = Restored {
            backup,
            erased_again: 0,
            interrupted_runs: 0,
            waiting_messages: 0,
            scrubbed: true,
        };
        let gone = by_organisation(gone);
        for row in on_the_whole!(handle, front_door::list())? {
            let id = OrganisationId::from_uuid(row.0);
            if let Some(backup_key) = &self.backup_key {
                let wrapped = storage.rewrapped(&row, backup_key)?;
                on_the_whole!(handle, front_door::rewrap(id, wrapped.as_slice()))?;
            }
            let row = on_the_whole!(handle, front_door::by_id(id))?;
            let scope = storage.scope(id, row)?;
            let mut transaction = Transaction::new(crate::reader::Reader { scope, handle });
            let erased: Vec<PersonId> = gone
                .get(&id)
                .map(|people| people.iter().map(|(person, _)| *person).collect())
                .unwrap_or_default();
            restored.erased_again += transaction.erase_people(&erased).await?;
            if let Some(people) = gone.get(&id) {
                transaction.remember_erased(people).await?;
            }
            if let Some(marks) = marks.get(&id) {
                transaction.mark_erased_records(marks).await?;
            }
            restored.interrupted_runs += transaction.interrupt_runs().await?;
            restored.waiting_messages += transaction.condition().await?.waiting.messages;
            handle = transaction.into_handle().await?;
        }
        handle.commit().await?;
        // The planner of the database knows nothing of so many new rows yet.
        let mut handle = storage.engine.begin().await?;
        on_the_whole!(handle, whole::analyse())?;
        handle.commit().await?;
        Ok(restored)
    }

    /// Loads the rows of the backup and reads them back.
    async fn fill(&self, handle: &mut Handle) -> Result<(), BackupError> {
        let tables = on_the_whole!(handle, whole::tables())?;
        // Rows that a migration put there are in the backup too.
        on_the_whole!(handle, whole::prepare())?;
        for table in tables.iter().rev() {
            on_the_whole!(handle, whole::empty(table))?;
        }
        let (parts, mut receiver) = mpsc::channel(WAITING);
        let path = self.file.clone();
        let key = self.backup_key.as_ref().unwrap_or(&self.key).clone();
        let reading = tokio::task::spawn_blocking(move || {
            read(&path, &key, |_, part| parts.blocking_send(part).is_ok())
        });
        let (shapes, mut current) = (self.shapes().await?, None::<&Shape>);
        for shape in &shapes {
            if !tables.iter().any(|table| table.has_columns_of(shape)) {
                let what = format!("the table {} is another in its schema", shape.name);
                return Err(BackupError::content(what));
            }
        }
        if shapes.len() != tables.len() {
            return Err(BackupError::content("a table of its schema is missing"));
        }
        while let Some(part) = receiver.recv().await {
            match part {
                Part::Table(number) => current = shapes.get(number),
                Part::Rows(block) => {
                    if let Some(table) = current {
                        on_the_whole!(handle, whole::load(table, &block))?;
                    }
                }
                Part::TableEnd(end) => {
                    if let Some(table) = current {
                        prove(handle, table, &end).await?;
                    }
                }
            }
        }
        // It was read to its end before; that it is the same file is proved again.
        reading
            .await
            .map_err(|error| BackupError::file(&self.file, &std::io::Error::other(error)))??;
        Ok(())
    }

    async fn shapes(&self) -> Result<Vec<Shape>, BackupError> {
        let path = self.file.clone();
        let key = self.backup_key.as_ref().unwrap_or(&self.key).clone();
        blocking(&self.file, move || {
            let reader = open(&path, &key)?;
            Ok(reader.head().tables.clone())
        })
        .await
    }
}

/// Holds what stands in the table now against what the backup said.
async fn prove(handle: &mut Handle, table: &Shape, end: &TableEnd) -> Result<(), BackupError> {
    let (blocks, mut receiver) = mpsc::channel::<Vec<u8>>(WAITING);
    let counting = tokio::task::spawn_blocking(move || {
        let mut tally = Tally::default();
        while let Some(block) = receiver.blocking_recv() {
            tally.add_block(&block)?;
        }
        Some(tally)
    });
    let dumped = on_the_whole!(handle, whole::dump(table, &blocks));
    drop(blocks);
    dumped?;
    let tally = counting.await.ok().flatten();
    if tally.is_some_and(|tally| tally.rows == end.rows && tally.digest() == end.digest) {
        return Ok(());
    }
    let what = format!("what was loaded into {} is not what was saved", table.name);
    Err(BackupError::content(what))
}

fn open(path: &Path, key: &MasterKey) -> Result<Reader<BufReader<File>>, BackupError> {
    let file = File::open(path).map_err(|error| BackupError::file(path, &error))?;
    Reader::begin(BufReader::with_capacity(1 << 20, file), key)
        .map_err(|error| BackupError::of_stream(path, error))
}

/// Reads a backup to its end and opens the keys in it.
fn read_and_open(path: &Path, key: &MasterKey) -> Result<(Head, Vec<TableEnd>), BackupError> {
    let (mut current, mut opened) = (0, Ok(()));
    let read = read(path, key, |head, part| {
        match part {
            Part::Table(number) => current = number,
            Part::Rows(block) => {
                if let Some(table) = head.tables.get(current) {
                    opened = wrapped::open_all(table, &block, key);
                }
            }
            Part::TableEnd(_) => {}
        }
        opened.is_ok()
    });
    opened?;
    read
}

/// Reads a backup to its end, as long as `take` wants more.
fn read(
    path: &Path,
    key: &MasterKey,
    mut take: impl FnMut(&Head, Part) -> bool,
) -> Result<(Head, Vec<TableEnd>), BackupError> {
    let mut reader = open(path, key)?;
    let mut ends = Vec::new();
    while let Some(part) = reader
        .next()
        .map_err(|error| BackupError::of_stream(path, error))?
    {
        if let Part::TableEnd(end) = &part {
            ends.push(end.clone());
        }
        if !take(reader.head(), part) {
            break;
        }
    }
    Ok((reader.head().clone(), ends))
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| BackupError::file(path, &std::io::Error::other(error)))?
}

fn by_organisation(list: Vec<Erased>) -> BTreeMap<OrganisationId, Vec<(PersonId, Timestamp)>> {
    let mut by_organisation: BTreeMap<OrganisationId, BTreeMap<PersonId, Timestamp>> =
        BTreeMap::new();
    for erased in list {
        by_organisation
            .entry(erased.organisation)
            .or_default()
            .entry(erased.person)
            .or_insert(erased.at);
    }
    by_organisation
        .into_iter()
        .map(|(organisation, people)| (organisation, people.into_iter().collect()))
        .collect()
}
