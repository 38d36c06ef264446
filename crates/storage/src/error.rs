//! What can go wrong between the program and its data.

use std::path::PathBuf;

use jiff::Timestamp;
use muster_model::{ConnectionId, OrganisationId, PersonId, PlanId, RunId, SnapshotId};

use crate::seal::{MasterKeyError, Unopened};

/// A failure of the storage. The text begins with its stable code and holds
/// nobody's data.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The name is in use in this installation.
    #[error(
        "organisation.exists: there is already an organisation named {name:?}; choose another name"
    )]
    OrganisationExists {
        /// The name that was wanted.
        name: String,
    },
    /// No such organisation.
    #[error(
        "organisation.unknown: there is no organisation {organisation}; list the organisations to find its name"
    )]
    OrganisationUnknown {
        /// The id that was given.
        organisation: OrganisationId,
    },
    /// The name is in use in this organisation.
    #[error(
        "connection.exists: there is already a connection named {name:?}; choose another name, or change that one"
    )]
    ConnectionExists {
        /// The name that was wanted.
        name: String,
    },
    /// No such connection in this organisation.
    #[error(
        "connection.unknown: there is no connection {connection} in this organisation; list the connections to find it"
    )]
    ConnectionUnknown {
        /// The id that was given.
        connection: ConnectionId,
    },
    /// No such snapshot of the connection.
    #[error(
        "snapshot.unknown: connection {connection} has no snapshot {snapshot}; begin a new read"
    )]
    SnapshotUnknown {
        /// Of which connection.
        connection: ConnectionId,
        /// The id that was given.
        snapshot: SnapshotId,
    },
    /// Credentials were entered for another address.
    #[error(
        "credentials.asked_again: the credentials of connection {connection:?} were entered for another connector, base address or host setting; enter them again"
    )]
    CredentialsAskedAgain {
        /// The connection's name.
        connection: String,
    },
    /// Another run holds the connection.
    #[error(
        "run.in_progress: run {run} of this connection is in progress since {since}; wait until it ends, or until its lease runs out"
    )]
    RunInProgress {
        /// The run that is at work.
        run: RunId,
        /// Since when.
        since: Timestamp,
    },
    /// The run's lease ran out and another run took the connection, or it has ended.
    #[error(
        "run.lease_lost: run {run} no longer holds its connection, because its lease ran out or it has ended; start a new run"
    )]
    LeaseLost {
        /// The run that lost it.
        run: RunId,
    },
    /// No such person, or no longer.
    #[error(
        "person.unknown: there is no person {person} in this organisation; the person may have been erased, plan again"
    )]
    PersonUnknown {
        /// The id that was given.
        person: PersonId,
    },
    /// A record without an id cannot be told from another.
    #[error(
        "record.without_id: connection {connection} gave a record with an empty id; the connector must refuse such a record"
    )]
    RecordWithoutId {
        /// Of which connection.
        connection: ConnectionId,
    },
    /// A row of a plan names nobody whose key could seal it.
    #[error(
        "plan.row_without_owner: row {ordinal} of the plan names neither a stored person nor a stored record; read the source again and plan anew"
    )]
    RowWithoutOwner {
        /// The row's place in the plan, from 0.
        ordinal: u64,
    },
    /// No such plan.
    #[error(
        "plan.unknown: no plan of this organisation begins with {name:?}; its id is the first line that `muster plan` prints, and stands in the column `plan` of its CSV"
    )]
    PlanUnknown {
        /// What was asked for.
        name: String,
    },
    /// The beginning fits several plans.
    #[error(
        "plan.ambiguous: {name:?} is the beginning of more than one plan ({first} and {second}); give more of the id"
    )]
    PlanAmbiguous {
        /// What was asked for.
        name: String,
        /// One of them.
        first: PlanId,
        /// Another.
        second: PlanId,
    },
    /// The account may enter already.
    #[error(
        "access.exists: this address may enter the organisation already; choose another, or change its role"
    )]
    AccessExists,
    /// The master key could not be used.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The master key is not the one that the data were sealed with.
    #[error(
        "key.wrong: the master key does not open organisation {organisation}; give the key file that belongs to these data"
    )]
    WrongMasterKey {
        /// Whose key it does not open.
        organisation: OrganisationId,
    },
    /// Sealed data cannot be opened.
    #[error("storage.unreadable: {0}; restore the row from a backup")]
    Unreadable(#[from] Unopened),
    /// A stored value has not the shape that was written.
    #[error(
        "storage.damaged: what is stored as {what} cannot be read: {reason}; restore it from a backup"
    )]
    Damaged {
        /// Table and column, or the noun.
        what: &'static str,
        /// Why, without the value.
        reason: String,
    },
    /// A number is larger than the database holds.
    #[error("storage.number: {what} is {number}, more than can be stored; nothing was written")]
    Number {
        /// Which number.
        what: &'static str,
        /// The number.
        number: u64,
    },
    /// The folder cannot be made or used.
    #[error("storage.directory: the folder {} cannot be used: {reason}; check that it exists and that this user may write to it", path.display())]
    Directory {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        reason: std::io::ErrorKind,
    },
    /// The address of the database is not one of PostgreSQL.
    #[error(
        "storage.address: the address of the database is no PostgreSQL address; write postgres://user:password@host/database"
    )]
    Address,
    /// There is no database yet.
    #[error(
        "storage.none: there are no data yet; make an organisation with `muster org create`, or restore a backup"
    )]
    None,
    /// The stored schema does not fit this version of the program.
    #[error(
        "storage.migration: the database cannot be brought to this version's schema: {0}; run the newest version that ever opened it, or restore a backup"
    )]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// Nobody let go of the database in time.
    #[error("storage.busy: the database is busy with another writer; try again")]
    Busy,
    /// The server cannot be reached, or lets nobody in.
    #[error(
        "storage.database: the server of the database cannot be reached: {0}; check that it runs, the address in --database, and that it lets this user in"
    )]
    Unreachable(#[source] sqlx::Error),
    /// The database refused or could not be reached.
    #[error(
        "storage.database: the database refused or could not be reached: {0}; see the log of the database"
    )]
    Database(#[source] sqlx::Error),
}

impl StorageError {
    /// The stable code, for interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OrganisationExists { .. } => "organisation.exists",
            Self::OrganisationUnknown { .. } => "organisation.unknown",
            Self::ConnectionExists { .. } => "connection.exists",
            Self::ConnectionUnknown { .. } => "connection.unknown",
            Self::SnapshotUnknown { .. } => "snapshot.unknown",
            Self::CredentialsAskedAgain { .. } => "credentials.asked_again",
            Self::RunInProgress { .. } => "run.in_progress",
            Self::LeaseLost { .. } => "run.lease_lost",
            Self::PersonUnknown { .. } => "person.unknown",
            Self::RecordWithoutId { .. } => "record.without_id",
            Self::RowWithoutOwner { .. } => "plan.row_without_owner",
            Self::PlanUnknown { .. } => "plan.unknown",
            Self::PlanAmbiguous { .. } => "plan.ambiguous",
            Self::AccessExists => "access.exists",
            Self::MasterKey(error) => error.code(),
            Self::WrongMasterKey { .. } => "key.wrong",
            Self::Unreadable(_) => "storage.unreadable",
            Self::Damaged { .. } => "storage.damaged",
            Self::Number { .. } => "storage.number",
            Self::Directory { .. } => "storage.directory",
            Self::Address => "storage.address",
            Self::None => "storage.none",
            Self::Migration(_) => "storage.migration",
            Self::Busy => "storage.busy",
            Self::Unreachable(_) | Self::Database(_) => "storage.database",
        }
    }
}

impl StorageError {
    /// Is what is stored broken, so that a backup is needed?
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Unreadable(_) | Self::Damaged { .. } => true,
            Self::Database(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| says_damage(&code))
            }
            Self::Database(
                sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::Decode(_)
                | sqlx::Error::ColumnNotFound(_),
            ) => true,
            _ => false,
        }
    }
}

/// A table or column that is not there, a page or an index that cannot be read. The
/// codes of SQLite are numbers with the kind in the last eight bits; those of
/// PostgreSQL have five characters.
fn says_damage(code: &str) -> bool {
    const SQLITE_ERROR: u32 = 1;
    const SQLITE_CORRUPT: u32 = 11;
    const SQLITE_NOTADB: u32 = 26;
    if code.len() == 5 {
        return code.starts_with("XX") || matches!(code, "42P01" | "42703");
    }
    let kind = code.parse::<u32>().map(|code| code & 0xff);
    matches!(kind, Ok(SQLITE_ERROR | SQLITE_CORRUPT | SQLITE_NOTADB))
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        // SQLITE_BUSY and its extended codes; a waiting pool says it in its own way.
        let busy = match &error {
            sqlx::Error::PoolTimedOut => true,
            sqlx::Error::Database(database) => database
                .code()
                .is_some_and(|code| matches!(code.as_ref(), "5" | "261" | "517")),
            _ => false,
        };
        if busy {
            Self::Busy
        } else {
            Self::Database(error)
        }
    }
}
