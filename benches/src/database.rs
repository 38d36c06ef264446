//! A database of its own for each measurement.

use std::str::FromStr;

use anyhow::Context;
use muster_storage::Location;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

/// The tables of people, and what is counted in them.
const TABLES: [&str; 9] = [
    "source_records",
    "record_bodies",
    "record_keys",
    "people",
    "person_keys",
    "past_person_keys",
    "links",
    "plan_rows",
    "outbox",
];

/// An empty database.
pub(crate) enum Database {
    Sqlite(tempfile::TempDir),
    Postgres { server: String, name: String },
}

/// What stands in it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Contents {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

impl Database {
    /// On the server of an address, or in a folder.
    pub(crate) async fn new(server: Option<&str>) -> anyhow::Result<Self> {
        let Some(server) = server else {
            return Ok(Self::Sqlite(tempfile::tempdir()?));
        };
        let name = format!("muster_bench_{}", std::process::id());
        let mut admin = PgConnection::connect(server).await?;
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        sqlx::query(AssertSqlSafe(drop)).execute(&mut admin).await?;
        let create = format!("CREATE DATABASE {name}");
        sqlx::query(AssertSqlSafe(create))
            .execute(&mut admin)
            .await?;
        Ok(Self::Postgres {
            server: server.to_owned(),
            name,
        })
    }

    pub(crate) fn location(&self) -> anyhow::Result<Location> {
        Ok(match self {
            Self::Sqlite(folder) => Location::Directory(folder.path().to_owned()),
            Self::Postgres { .. } => Location::Url(self.url()?),
        })
    }

    /// The address of the database on its server.
    pub(crate) fn url(&self) -> anyhow::Result<String> {
        match self {
            Self::Sqlite(folder) => Ok(folder.path().join("muster.db").display().to_string()),
            Self::Postgres { server, name } => {
                let (base, _) = server
                    .rsplit_once('/')
                    .context("the address of the server ends with a database's name")?;
                Ok(format!("{base}/{name}"))
            }
        }
    }

    pub(crate) async fn contents(&self) -> anyhow::Result<Contents> {
        let counts: Vec<String> = TABLES
            .iter()
            .map(|table| format!("SELECT count(*) AS n FROM {table}"))
            .collect();
        let count = format!(
            "SELECT CAST(sum(n) AS BIGINT) FROM ({}) AS counted",
            counts.join(" UNION ALL ")
        );
        let (rows, bytes): (i64, i64) = match self {
            Self::Sqlite(_) => {
                let mut raw = SqliteConnectOptions::from_str(&self.url()?)?
                    .connect()
                    .await?;
                let rows = sqlx::query_scalar(AssertSqlSafe(count))
                    .fetch_one(&mut raw)
                    .await?;
                let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
                    .fetch_one(&mut raw)
                    .await?;
                let size: i64 = sqlx::query_scalar("PRAGMA page_size")
                    .fetch_one(&mut raw)
                    .await?;
                (rows, pages * size)
            }
            Self::Postgres { .. } => {
                let mut raw = PgConnection::connect(&self.url()?).await?;
                let rows = sqlx::query_scalar(AssertSqlSafe(count))
                    .fetch_one(&mut raw)
                    .await?;
                let bytes = sqlx::query_scalar("SELECT pg_database_size(current_database())")
                    .fetch_one(&mut raw)
                    .await?;
                (rows, bytes)
            }
        };
        Ok(Contents {
            rows: u64::try_from(rows)?,
            bytes: u64::try_from(bytes)?,
        })
    }

    pub(crate) async fn close(self) -> anyhow::Result<()> {
        if let Self::Postgres { server, name } = self {
            let mut admin = PgConnection::connect(&server).await?;
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            sqlx::query(AssertSqlSafe(drop)).execute(&mut admin).await?;
        }
        Ok(())
    }
}
