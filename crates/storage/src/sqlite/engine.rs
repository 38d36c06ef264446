//! The file, its one writer and its readers.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlSafeStr, Sqlite, SqlitePool, Transaction};

use uuid::Uuid;

use super::Session;
use crate::error::StorageError;
use crate::scope::Scope;

/// The file inside the folder.
pub(crate) const FILE: &str = "muster.db";
/// How long a writer of this or another process is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Readers at once; more would only share the same cores.
const READERS: u32 = 8;
/// Page cache of the writer, in KiB (negative by SQLite's convention): a bulk load
/// touches the indexes of digests everywhere.
const WRITER_CACHE: &str = "-65536";
/// Page cache of a reader, in KiB: what it misses stands in the system's cache.
const READER_CACHE: &str = "-8192";
/// Rows that the thread of the database may be ahead of whoever takes them: with the
/// fifty that are usual, each block of some hundred rows wakes both sides often.
const ROWS_AHEAD: usize = 1000;
/// Bytes of a page: a person and a row of a plan are two kilobytes each, and a page of
/// four would hold one of them.
const PAGE: u32 = 8192;
/// Pages in the log of writes before they are copied into the file: a page that many
/// commits touch is copied once, and the log stays below some thirty megabytes.
const CHECKPOINT: &str = "4000";

/// Up to this size in bytes the file is copied in memory when it is written anew;
/// a larger one through a temporary file, which SQLite removes.
const IN_MEMORY: i64 = 512 * 1024 * 1024;
const SIZE: &str = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";

/// Each version of the schema; forward only, and never edited once published.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (
        1,
        "first",
        include_str!("../../migrations/sqlite/0001_first.sql"),
    ),
    (
        2,
        "decisions",
        include_str!("../../migrations/sqlite/0002_decisions.sql"),
    ),
    (
        3,
        "undo",
        include_str!("../../migrations/sqlite/0003_undo.sql"),
    ),
    (
        4,
        "audit",
        include_str!("../../migrations/sqlite/0004_audit.sql"),
    ),
    (
        5,
        "operation",
        include_str!("../../migrations/sqlite/0005_operation.sql"),
    ),
    (
        6,
        "sending",
        include_str!("../../migrations/sqlite/0006_sending.sql"),
    ),
    (
        7,
        "large firms",
        include_str!("../../migrations/sqlite/0007_large_firms.sql"),
    ),
    (
        8,
        "decided rows",
        include_str!("../../migrations/sqlite/0008_decided_rows.sql"),
    ),
    (
        9,
        "seen in place",
        include_str!("../../migrations/sqlite/0009_seen_in_place.sql"),
    ),
    (
        10,
        "looked at anew",
        include_str!("../../migrations/sqlite/0010_looked_at_anew.sql"),
    ),
];

/// The database file.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    /// One connection: SQLite has one writer, and a queue in the pool is
    /// fairer than waiting for the lock of the file.
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Engine {
    /// Opens or makes the file in a folder and brings its schema up to date.
    pub(crate) async fn open(directory: &Path) -> Result<Self, StorageError> {
        let engine = Self::connect(directory).await?;
        engine.migrate().await?;
        Ok(engine)
    }

    /// Brings the schema up to date.
    pub(crate) async fn migrate(&self) -> Result<(), StorageError> {
        Ok(migrations(None).run(&self.writer).await?)
    }

    /// Opens or makes the file in a folder and leaves its schema as it is.
    pub(crate) async fn connect(directory: &Path) -> Result<Self, StorageError> {
        let unusable = |error: std::io::Error| StorageError::Directory {
            path: directory.to_owned(),
            reason: error.kind(),
        };
        make_private(directory).map_err(unusable)?;
        make_file(&directory.join(FILE)).map_err(unusable)?;
        let options = SqliteConnectOptions::new()
            .filename(directory.join(FILE))
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            // With WAL a power cut can lose the last commits, never the file.
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .page_size(PAGE)
            .pragma("cache_size", WRITER_CACHE)
            .pragma("wal_autocheckpoint", CHECKPOINT)
            // Stages hold personal data: they never touch the disk.
            .pragma("temp_store", "MEMORY")
            // An erased row is overwritten, not only unlinked.
            .pragma("secure_delete", "ON")
            .row_buffer_size(ROWS_AHEAD)
            .disable_statement_logging();
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .connect_with(options.clone())
            .await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(PATIENCE)
            .connect_with(options.read_only(true).pragma("cache_size", READER_CACHE))
            .await?;
        Ok(Self { writer, readers })
    }

    /// A connection that only reads.
    pub(crate) async fn read(&self) -> Result<PoolConnection<Sqlite>, StorageError> {
        Ok(self.readers.acquire().await?)
    }

    /// The writer, with the write lock already taken: a transaction that begins
    /// by reading and writes later would fail at once when another process
    /// wrote in between, whatever the timeout.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StorageError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// As [`Self::begin`]; what is committed survives a power cut at once. Call
    /// [`Self::ordinary_again`] when the transaction has ended.
    pub(crate) async fn begin_durable(&self) -> Result<Transaction<'static, Sqlite>, StorageError> {
        // There is one connection in the pool, and inside a transaction it is too late.
        sqlx::query("PRAGMA synchronous = FULL")
            .execute(&self.writer)
            .await?;
        self.begin().await
    }

    /// Commits may be lost in a power cut again.
    pub(crate) async fn ordinary_again(&self) -> Result<(), StorageError> {
        sqlx::query("PRAGMA synchronous = NORMAL")
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Takes what was deleted out of the files. Deleted bytes are overwritten when
    /// they are deleted, but a row that was moved within the file before leaves its
    /// bytes in the gaps of pages, so the file is written anew; pages as they were
    /// stand in the log of writes until that is emptied, which needs that nobody
    /// reads them any more. `false` if somebody did.
    pub(crate) async fn scrub(&self) -> Result<bool, StorageError> {
        let mut writer = self.writer.acquire().await?;
        let size: i64 = sqlx::query_scalar(SIZE).fetch_one(&mut *writer).await?;
        // The copy on the way is as large as the file.
        let in_memory = size <= IN_MEMORY;
        if !in_memory {
            sqlx::query("PRAGMA temp_store = FILE")
                .execute(&mut *writer)
                .await?;
        }
        let rewritten = sqlx::query("VACUUM").execute(&mut *writer).await;
        if !in_memory {
            sqlx::query("PRAGMA temp_store = MEMORY")
                .execute(&mut *writer)
                .await?;
        }
        if let Err(error) = rewritten {
            return match StorageError::from(error) {
                StorageError::Busy => Ok(false),
                error => Err(error),
            };
        }
        let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut *writer)
            .await?;
        Ok(busy == 0)
    }

    /// Nothing: every statement over many rows names the side it begins with.
    #[allow(clippy::unused_async)] // as on the other engine
    pub(crate) async fn learn(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// A reader that sees everything as it is at its first statement, however long
    /// it reads; the writer goes on meanwhile.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Sqlite>, StorageError> {
        Ok(self.readers.begin().await?)
    }

    /// Waits for open work and closes the file.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Which versions of the schema this program knows.
pub(crate) fn versions() -> Vec<i64> {
    MIGRATIONS.iter().map(|(version, ..)| *version).collect()
}

/// Brings the schema up to date, or to these versions and no further.
pub(crate) async fn migrate(
    session: &mut Session,
    only: Option<&[i64]>,
) -> Result<(), StorageError> {
    // Not `run`: its future could not be sent to another thread.
    Ok(migrations(only).run_direct(None, session, false).await?)
}

fn migrations(only: Option<&[i64]>) -> Migrator {
    Migrator::with_migrations(
        MIGRATIONS
            .iter()
            .copied()
            .filter(|(version, ..)| only.is_none_or(|only| only.contains(version)))
            .map(|(version, name, sql)| {
                let kind = MigrationType::Simple;
                Migration::new(version, name.into(), kind, sql.into_sql_str(), false)
            })
            .collect(),
    )
}

/// Is the process that holds a lease gone? The lock of its file is free then.
pub(crate) async fn is_gone(
    scope: &Scope,
    _session: &mut Session,
    holder: Uuid,
) -> Result<bool, StorageError> {
    Ok(scope.presence.file_is_free(holder))
}

/// What makes a look at rows pass over those that another node is at: nothing, for
/// there is one writer, and it is alone.
pub(crate) const LOCK_FREE_ROWS: &str = "";

/// The database's own clock, in microseconds since 1970 UTC: leases of several
/// processes are judged by one clock.
pub(crate) async fn now(session: &mut Session) -> Result<i64, StorageError> {
    Ok(
        sqlx::query_scalar("SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)")
            .fetch_one(session)
            .await?,
    )
}

/// Makes the folder if it is missing, for this user alone.
fn make_private(directory: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Makes an empty file, which is an empty database, for this user alone; the files
/// that SQLite puts beside it get its mode. One that is there stays as it is.
fn make_file(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What SQLite calls `FULL` and `NORMAL`.
    const FULL: i64 = 2;
    const NORMAL: i64 = 1;

    #[tokio::test]
    async fn a_durable_commit_is_synced_and_those_after_it_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(folder.path()).await.unwrap();
        let level = "PRAGMA synchronous";
        let mut transaction = engine.begin_durable().await.unwrap();
        let durable: i64 = sqlx::query_scalar(level)
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        engine.ordinary_again().await.unwrap();
        let mut transaction = engine.begin().await.unwrap();
        let ordinary: i64 = sqlx::query_scalar(level)
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        assert_eq!((durable, ordinary), (FULL, NORMAL));
    }
}
