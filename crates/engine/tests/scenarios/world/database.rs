//! A database of its own for each world.

use std::sync::atomic::{AtomicU64, Ordering};

use muster_storage::Location;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

/// Where a server for tests is: `postgres://user:password@host/database`.
const SERVER: &str = "MUSTER_TEST_POSTGRES";

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DatabaseKind {
    Sqlite,
    Postgres,
}

impl DatabaseKind {
    /// SQLite, and PostgreSQL where there is a server.
    pub(crate) fn all() -> Vec<Self> {
        let mut kinds = vec![Self::Sqlite];
        if std::env::var_os(SERVER).is_some() {
            kinds.push(Self::Postgres);
        }
        kinds
    }

    /// The one that this run of the suite is about.
    pub(crate) fn of_this_run() -> Self {
        if std::env::var_os(SERVER).is_some() {
            Self::Postgres
        } else {
            Self::Sqlite
        }
    }
}

/// An empty database.
pub(crate) enum Database {
    /// The folder goes with it.
    Sqlite(TempDir),
    Postgres {
        server: String,
        name: String,
    },
}

impl Database {
    pub(crate) async fn new(kind: DatabaseKind) -> Self {
        match kind {
            DatabaseKind::Sqlite => Self::Sqlite(tempfile::tempdir().unwrap()),
            DatabaseKind::Postgres => {
                static NUMBER: AtomicU64 = AtomicU64::new(0);
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                let name = format!("muster_scenario_{}_{number}", std::process::id());
                let server = std::env::var(SERVER).unwrap();
                let mut connection = PgConnection::connect(&server).await.unwrap();
                for statement in [
                    format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
                    format!("CREATE DATABASE {name}"),
                ] {
                    connection.execute(AssertSqlSafe(statement)).await.unwrap();
                }
                Self::Postgres { server, name }
            }
        }
    }

    pub(crate) fn location(&self) -> Location {
        match self {
            Self::Sqlite(folder) => Location::Directory(folder.path().to_owned()),
            Self::Postgres { server, name } => {
                let (before, _) = server.rsplit_once('/').unwrap();
                Location::Url(format!("{before}/{name}"))
            }
        }
    }

    /// Takes it away; a test that failed leaves its database to be looked at.
    pub(crate) async fn remove(self) {
        if let Self::Postgres { server, name } = self {
            let mut connection = PgConnection::connect(&server).await.unwrap();
            let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            connection.execute(AssertSqlSafe(statement)).await.unwrap();
        }
    }
}
