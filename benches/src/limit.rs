//! How fast a database takes rows at all: what a first sync is compared with.
//! A table of twelve columns, about 165 bytes a row, a key of 16 bytes that grows
//! with time, and a unique index, filled by the fastest way that there is.

use std::fmt::Write as _;
use std::str::FromStr;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, QueryBuilder, Sqlite};

use crate::stopwatch::Stopwatch;

const ROWS: u64 = 500_000;
/// Rows in a statement of SQLite; measured best.
const AT_ONCE: u64 = 500;
/// Rows sent at once to PostgreSQL.
const CHUNK: u64 = 5_000;

/// What a database takes a second.
pub(crate) struct Limit {
    pub(crate) rows: f64,
    /// Bytes by which it grows, indexes included.
    pub(crate) bytes: f64,
}

/// What the database takes a second.
pub(crate) async fn run(server: Option<&str>) -> anyhow::Result<Limit> {
    let (seconds, bytes) = match server {
        None => sqlite().await?,
        Some(server) => postgres(server).await?,
    };
    Ok(Limit {
        rows: crate::pipeline::rate(ROWS, seconds),
        bytes: crate::pipeline::rate(bytes, seconds),
    })
}

const COLUMNS: &str = "id, tenant, external_id, given_name, family_name, email, phone, title, \
    department, started, salary, changed";

async fn sqlite() -> anyhow::Result<(f64, u64)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("limit.db");
    let mut raw = SqliteConnectOptions::from_str(&path.display().to_string())?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .pragma("cache_size", "-65536")
        .connect()
        .await?;
    raw.execute(
        "CREATE TABLE people (id BLOB NOT NULL PRIMARY KEY, tenant INTEGER, external_id TEXT, \
         given_name TEXT, family_name TEXT, email TEXT, phone TEXT, title TEXT, department TEXT, \
         started TEXT, salary INTEGER, changed INTEGER) STRICT; \
         CREATE UNIQUE INDEX by_id ON people (tenant, external_id);",
    )
    .await?;
    let watch = Stopwatch::start();
    let mut transaction = raw.begin().await?;
    for from in (0..ROWS).step_by(usize::try_from(AT_ONCE)?) {
        let mut query = QueryBuilder::<Sqlite>::new(format!("INSERT INTO people ({COLUMNS}) "));
        query.push_values(from..from + AT_ONCE, |mut row, number| {
            let number_signed = i64::try_from(number).unwrap_or_default();
            row.push_bind(id(number).to_vec())
                .push_bind(1_i64)
                .push_bind(format!("{number:08}"))
                .push_bind("Ingrid")
                .push_bind("Solberg")
                .push_bind(format!("person.{number}@fjordlys.example"))
                .push_bind(format!("+47{}", 40_000_000 + number))
                .push_bind("Engineer")
                .push_bind("Engineering")
                .push_bind("2015-03-01")
                .push_bind(number_signed)
                .push_bind(number_signed);
        });
        query.build().execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    let seconds = watch.elapsed().as_secs_f64();
    let bytes: i64 = sqlx::query_scalar(
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    )
    .fetch_one(&mut raw)
    .await?;
    Ok((seconds, u64::try_from(bytes)?))
}

/// Which server it is, and what of its settings matters for writing much.
pub(crate) async fn server(url: &str) -> anyhow::Result<String> {
    let mut raw = PgConnection::connect(url).await?;
    let version: String = sqlx::query_scalar("SHOW server_version")
        .fetch_one(&mut raw)
        .await?;
    let settings: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, current_setting(name) FROM pg_settings WHERE name IN \
         ('shared_buffers', 'max_wal_size', 'fsync', 'synchronous_commit') ORDER BY name",
    )
    .fetch_all(&mut raw)
    .await?;
    raw.close().await?;
    let settings = settings
        .iter()
        .map(|(name, value)| format!("{name} {value}"));
    let settings: Vec<String> = settings.collect();
    Ok(format!("{version}, {}", settings.join(", ")))
}

async fn postgres(server: &str) -> anyhow::Result<(f64, u64)> {
    let database = crate::database::Database::new(Some(server)).await?;
    let mut raw = PgConnection::connect(&database.url()?).await?;
    raw.execute(
        "CREATE TABLE people (id UUID NOT NULL PRIMARY KEY, tenant BIGINT, external_id TEXT, \
         given_name TEXT, family_name TEXT, email TEXT, phone TEXT, title TEXT, department TEXT, \
         started TEXT, salary BIGINT, changed BIGINT); \
         CREATE UNIQUE INDEX by_id ON people (tenant, external_id);",
    )
    .await?;
    let watch = Stopwatch::start();
    let statement = format!("COPY people ({COLUMNS}) FROM STDIN");
    let mut copy = raw.copy_in_raw(&statement).await?;
    let mut text = String::new();
    for from in (0..ROWS).step_by(usize::try_from(CHUNK)?) {
        text.clear();
        for number in from..from + CHUNK {
            writeln!(
                text,
                "{}\t1\t{number:08}\tIngrid\tSolberg\tperson.{number}@fjordlys.example\t+47{}\t\
                 Engineer\tEngineering\t2015-03-01\t{number}\t{number}",
                uuid::Uuid::from_bytes(id(number)),
                40_000_000 + number,
            )?;
        }
        copy.send(text.as_bytes()).await?;
    }
    copy.finish().await?;
    let seconds = watch.elapsed().as_secs_f64();
    let bytes: i64 = sqlx::query_scalar("SELECT pg_total_relation_size('people')")
        .fetch_one(&mut raw)
        .await?;
    raw.close().await?;
    database.close().await?;
    Ok((seconds, u64::try_from(bytes)?))
}

/// An id that grows with time, as ours do.
fn id(number: u64) -> [u8; 16] {
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut random = [0; 10];
    if let Some(tail) = random.get_mut(2..) {
        tail.copy_from_slice(&scattered.to_be_bytes());
    }
    muster_model::id::uuid_v7(1_700_000_000_000 + number / 100, random).into_bytes()
}
