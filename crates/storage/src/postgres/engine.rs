//! The pool of connections to the server.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection as _, PgConnection, PgPool, Postgres, SqlSafeStr,
    Transaction,
};

use uuid::Uuid;

use super::Session;
use crate::error::StorageError;
use crate::presence::lock_key;
use crate::scope::Scope;

/// Connections at once from this process.
const CONNECTIONS: u32 = 10;
/// How long a free connection is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the first connection may take.
const REACH: Duration = Duration::from_secs(10);
/// What a server says that is starting or ending, or has all its connections in use.
const PASSING: [&str; 2] = ["57P03", "53300"];

/// Everything that is committed now is older than this transaction.
const NEXT_TRANSACTION: &str = "SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)";
/// Can anybody still see what is older? A transaction of any database of the server
/// that began before counts, because every new look at the data begins with it.
const SEEN_BY_OTHERS: &str = "SELECT \
    CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT) < $1 \
    OR EXISTS (SELECT 1 FROM pg_stat_activity AS other \
        WHERE other.datname = current_database() AND other.pid <> pg_backend_pid() \
        AND age(COALESCE(other.backend_xmin, other.backend_xid)) \
            > age(CAST(CAST($1 % 4294967296 AS TEXT) AS XID)))";
/// How often that is asked.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// And how long at most.
const LONG_WAIT: Duration = Duration::from_secs(60);
/// How long rewriting the directory waits for others to leave it.
const SHORT_WAIT: &str = "SET lock_timeout = '30s'";
/// What the server says when the wait was too long.
const LOCKED: &str = "55P03";
/// Tables that erasing takes rows from, besides the directory.
const SEALED: [&str; 8] = [
    "person_keys",
    "past_person_keys",
    "links",
    "source_records",
    "record_bodies",
    "record_keys",
    "plan_rows",
    "outbox",
];

/// Each version of the schema; forward only, and never edited once published.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (
        1,
        "first",
        include_str!("../../migrations/postgres/0001_first.sql"),
    ),
    (
        2,
        "decisions",
        include_str!("../../migrations/postgres/0002_decisions.sql"),
    ),
    (
        3,
        "undo",
        include_str!("../../migrations/postgres/0003_undo.sql"),
    ),
    (
        4,
        "audit",
        include_str!("../../migrations/postgres/0004_audit.sql"),
    ),
    (
        5,
        "operation",
        include_str!("../../migrations/postgres/0005_operation.sql"),
    ),
    (
        6,
        "sending",
        include_str!("../../migrations/postgres/0006_sending.sql"),
    ),
    (
        7,
        "large firms",
        include_str!("../../migrations/postgres/0007_large_firms.sql"),
    ),
    (
        8,
        "decided rows",
        include_str!("../../migrations/postgres/0008_decided_rows.sql"),
    ),
    (
        9,
        "seen in place",
        include_str!("../../migrations/postgres/0009_seen_in_place.sql"),
    ),
    (
        10,
        "looked at anew",
        include_str!("../../migrations/postgres/0010_looked_at_anew.sql"),
    ),
];

/// The tables that grow with people, and of each what statements look things up by: of
/// the rest nothing is asked, and to sort samples of it would take many times as long.
const LEARN: &str = "ANALYZE \
    source_records (organisation_id, connection_id, external_id, seen_in, settled_digest, due_on), \
    record_bodies (organisation_id, connection_id, external_id), \
    record_keys (organisation_id, connection_id, external_id, kind, digest), \
    people (organisation_id, id, work_email, employee_number, manager_id, employment, access), \
    person_keys (organisation_id, person_id, kind, digest), \
    links (organisation_id, connection_id, external_id, person_id, revision), \
    plan_rows (organisation_id, plan_id, ordinal, external_id, state)";

/// Lets this transaction's commit wait for the disk, if the server would not.
const SYNCED: &str = "SELECT set_config('synchronous_commit', 'on', true) \
    WHERE current_setting('synchronous_commit') = 'off'";

/// The server.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    pool: PgPool,
}

impl Engine {
    /// Connects and brings the schema up to date; of several processes that
    /// start at once, one does it and the others wait.
    pub(crate) async fn open(url: &str) -> Result<Self, StorageError> {
        let engine = Self::connect(url).await?;
        engine.migrate().await?;
        Ok(engine)
    }

    /// Brings the schema up to date.
    pub(crate) async fn migrate(&self) -> Result<(), StorageError> {
        Ok(migrations(None).run(&self.pool).await?)
    }

    /// Connects and leaves the schema as it is.
    pub(crate) async fn connect(url: &str) -> Result<Self, StorageError> {
        let options = options(url)?;
        reach(&options).await?;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options);
        Ok(Self { pool })
    }

    /// A connection of the pool that could not be had in time: are all of them at
    /// work, or is the server gone?
    async fn why(&self, error: sqlx::Error) -> StorageError {
        if !matches!(error, sqlx::Error::PoolTimedOut) {
            return error.into();
        }
        match reach(&self.pool.connect_options()).await {
            Ok(()) => error.into(),
            Err(unreachable) => unreachable,
        }
    }

    /// A connection that only reads.
    pub(crate) async fn read(&self) -> Result<PoolConnection<Postgres>, StorageError> {
        match self.pool.acquire().await {
            Ok(connection) => Ok(connection),
            Err(error) => Err(self.why(error).await),
        }
    }

    /// A transaction that sees what others committed before each statement.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Postgres>, StorageError> {
        match self.pool.begin().await {
            Ok(transaction) => Ok(transaction),
            Err(error) => Err(self.why(error).await),
        }
    }

    /// As [`Self::begin`]; what is committed survives a power cut at once, also where
    /// the server was told that commits need not.
    pub(crate) async fn begin_durable(
        &self,
    ) -> Result<Transaction<'static, Postgres>, StorageError> {
        let mut transaction = self.begin().await?;
        sqlx::query(SYNCED).execute(&mut *transaction).await?;
        Ok(transaction)
    }

    /// Nothing: it was said of the one transaction.
    #[allow(clippy::unused_async)] // as on the other engine
    pub(crate) async fn ordinary_again(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Takes what was deleted out of the files: the directory, the one table with
    /// clear values, is written anew; the others are sealed, and only give back
    /// their room. Rows that somebody could still see would be taken along, so it
    /// waits until nobody can. `false` if others were in the way for too long.
    pub(crate) async fn scrub(&self) -> Result<bool, StorageError> {
        let mut session = self.pool.acquire().await?;
        let now: i64 = sqlx::query_scalar(NEXT_TRANSACTION)
            .fetch_one(&mut *session)
            .await?;
        let mut waited = Duration::ZERO;
        while sqlx::query_scalar::<_, bool>(SEEN_BY_OTHERS)
            .bind(now)
            .fetch_one(&mut *session)
            .await?
        {
            if waited >= LONG_WAIT {
                return Ok(false);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            waited += LOOK_AGAIN;
        }
        sqlx::query(SHORT_WAIT).execute(&mut *session).await?;
        let rewritten = sqlx::query("VACUUM FULL people")
            .execute(&mut *session)
            .await;
        sqlx::query("RESET lock_timeout")
            .execute(&mut *session)
            .await?;
        match rewritten {
            Ok(_) => {}
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(LOCKED) => {
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
        for table in SEALED {
            let vacuum = AssertSqlSafe(format!("VACUUM {table}"));
            sqlx::query(vacuum).execute(&mut *session).await?;
        }
        Ok(true)
    }

    /// Lets the server count what stands in the tables that grow with people. It
    /// does so by itself a minute later; until then it takes a table that was
    /// just filled for an empty one and plans accordingly.
    pub(crate) async fn learn(&self) -> Result<(), StorageError> {
        sqlx::query(LEARN).execute(&self.pool).await?;
        Ok(())
    }

    /// A reader that sees everything as it is at its first statement, however long
    /// it reads; writers go on meanwhile.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Postgres>, StorageError> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        Ok(self.pool.begin_with(begin).await?)
    }

    /// Waits for open work and closes the connections.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// Connects once, directly: the pool tries again until its patience ends, and then
/// says only that it waited. A server that is starting, or is full, is left to it.
async fn reach(options: &PgConnectOptions) -> Result<(), StorageError> {
    let connecting = PgConnection::connect_with(options);
    match tokio::time::timeout(REACH, connecting).await {
        Ok(Ok(connection)) => Ok(connection.close().await?),
        Ok(Err(sqlx::Error::Database(error)))
            if error
                .code()
                .is_some_and(|code| PASSING.contains(&code.as_ref())) =>
        {
            Ok(())
        }
        Ok(Err(error)) => Err(StorageError::Unreachable(error)),
        Err(_) => Err(StorageError::Unreachable(sqlx::Error::Io(
            std::io::ErrorKind::TimedOut.into(),
        ))),
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

/// How each connection to the server is made.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, StorageError> {
    Ok(PgConnectOptions::from_str(url)
        // The error could repeat the address, and with it a password.
        .map_err(|_| StorageError::Address)?
        .options([
            // A stage that already exists is no news.
            ("client_min_messages", "warning"),
            // A plan made for an empty table is a trap once it is full.
            ("plan_cache_mode", "force_custom_plan"),
            // Compiling a statement takes longer than running it.
            ("jit", "off"),
        ])
        .disable_statement_logging())
}

/// Is the process that holds a lease gone? The lock of its session is free then;
/// it is taken for the rest of this transaction alone.
pub(crate) async fn is_gone(
    _scope: &Scope,
    session: &mut Session,
    holder: Uuid,
) -> Result<bool, StorageError> {
    Ok(sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)")
        .bind(lock_key(holder))
        .fetch_one(session)
        .await?)
}

/// What makes a look at rows lock them, and pass over those that another node is at.
pub(crate) const LOCK_FREE_ROWS: &str = " FOR UPDATE SKIP LOCKED";

/// The database's own clock, in microseconds since 1970 UTC: leases of several
/// processes are judged by one clock.
pub(crate) async fn now(session: &mut Session) -> Result<i64, StorageError> {
    Ok(
        sqlx::query_scalar(
            "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)",
        )
        .fetch_one(session)
        .await?,
    )
}
