//! One session on whichever engine it is, and the call to the statements
//! compiled for it.

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection, Transaction};

use crate::error::StorageError;
use crate::location::Location;
use crate::{postgres, sqlite};

/// The engine that holds the data.
#[derive(Debug, Clone)]
pub(crate) enum Engine {
    Sqlite(sqlite::Engine),
    Postgres(postgres::Engine),
}

/// A connection to read with, or a transaction to write in.
pub(crate) enum Handle {
    SqliteRead(PoolConnection<Sqlite>),
    SqliteWrite(Transaction<'static, Sqlite>),
    PostgresRead(PoolConnection<Postgres>),
    PostgresWrite(Transaction<'static, Postgres>),
}

/// The connection itself.
pub(crate) enum Lane<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl Engine {
    pub(crate) async fn read(&self) -> Result<Handle, StorageError> {
        Ok(match self {
            Self::Sqlite(engine) => Handle::SqliteRead(engine.read().await?),
            Self::Postgres(engine) => Handle::PostgresRead(engine.read().await?),
        })
    }

    pub(crate) async fn begin(&self) -> Result<Handle, StorageError> {
        Ok(match self {
            Self::Sqlite(engine) => Handle::SqliteWrite(engine.begin().await?),
            Self::Postgres(engine) => Handle::PostgresWrite(engine.begin().await?),
        })
    }

    /// A transaction whose commit survives a power cut at once; when it has ended,
    /// [`Self::ordinary_again`].
    pub(crate) async fn begin_durable(&self) -> Result<Handle, StorageError> {
        Ok(match self {
            Self::Sqlite(engine) => Handle::SqliteWrite(engine.begin_durable().await?),
            Self::Postgres(engine) => Handle::PostgresWrite(engine.begin_durable().await?),
        })
    }

    pub(crate) async fn ordinary_again(&self) -> Result<(), StorageError> {
        match self {
            Self::Sqlite(engine) => engine.ordinary_again().await,
            Self::Postgres(engine) => engine.ordinary_again().await,
        }
    }

    /// Brings the schema up to date.
    pub(crate) async fn migrate(&self) -> Result<(), StorageError> {
        match self {
            Self::Sqlite(engine) => engine.migrate().await,
            Self::Postgres(engine) => engine.migrate().await,
        }
    }

    pub(crate) async fn scrub(&self) -> Result<bool, StorageError> {
        match self {
            Self::Sqlite(engine) => engine.scrub().await,
            Self::Postgres(engine) => engine.scrub().await,
        }
    }

    pub(crate) async fn learn(&self) -> Result<(), StorageError> {
        match self {
            Self::Sqlite(engine) => engine.learn().await,
            Self::Postgres(engine) => engine.learn().await,
        }
    }

    /// Connects, and leaves the schema as it is.
    pub(crate) async fn connect(location: &Location) -> Result<Self, StorageError> {
        Ok(match location {
            Location::Directory(path) => Self::Sqlite(sqlite::Engine::connect(path).await?),
            Location::Url(url) => Self::Postgres(postgres::Engine::connect(url).await?),
        })
    }

    /// Everything as it is at one instant, for as long as it is read.
    pub(crate) async fn snapshot(&self) -> Result<Handle, StorageError> {
        Ok(match self {
            Self::Sqlite(engine) => Handle::SqliteWrite(engine.snapshot().await?),
            Self::Postgres(engine) => Handle::PostgresWrite(engine.snapshot().await?),
        })
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(engine) => engine.close().await,
            Self::Postgres(engine) => engine.close().await,
        }
    }
}

impl Handle {
    pub(crate) fn lane(&mut self) -> Lane<'_> {
        match self {
            Self::SqliteRead(connection) => Lane::Sqlite(connection),
            Self::SqliteWrite(transaction) => Lane::Sqlite(transaction),
            Self::PostgresRead(connection) => Lane::Postgres(connection),
            Self::PostgresWrite(transaction) => Lane::Postgres(transaction),
        }
    }

    /// Makes what was written last; of a reader there is nothing to make last.
    pub(crate) async fn commit(self) -> Result<(), StorageError> {
        match self {
            Self::SqliteWrite(transaction) => transaction.commit().await?,
            Self::PostgresWrite(transaction) => transaction.commit().await?,
            Self::SqliteRead(_) | Self::PostgresRead(_) => {}
        }
        Ok(())
    }
}

/// Calls `module::function(scope, session, arguments…)` as compiled for the
/// engine of the session.
macro_rules! on_its_engine {
    ($reader:expr, $module:ident :: $function:ident ( $($argument:expr),* $(,)? )) => {{
        let crate::reader::Reader { scope, handle } = $reader;
        match handle.lane() {
            crate::both::Lane::Sqlite(session) => {
                crate::sqlite::$module::$function(scope, session $(, $argument)*).await
            }
            crate::both::Lane::Postgres(session) => {
                crate::postgres::$module::$function(scope, session $(, $argument)*).await
            }
        }
    }};
}
pub(crate) use on_its_engine;

/// Calls `module::function(session, arguments…)` as compiled for the engine of the
/// handle: what is bound to no organisation.
macro_rules! on_the_whole {
    ($handle:expr, $module:ident :: $function:ident ( $($argument:expr),* $(,)? )) => {
        match $handle.lane() {
            crate::both::Lane::Sqlite(session) => {
                crate::sqlite::$module::$function(session $(, $argument)*).await
            }
            crate::both::Lane::Postgres(session) => {
                crate::postgres::$module::$function(session $(, $argument)*).await
            }
        }
    };
}
pub(crate) use on_the_whole;
