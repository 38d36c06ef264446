//! Repositories over SQLite and PostgreSQL, migrations, sealing.
//!
//! SQL that both engines understand is written once, in `statements/`, and
//! compiled for both drivers: `sqlite` and `postgres` include the same
//! files, each with its own driver types. Where the engines differ for a
//! reason (pools, bulk loading, the database's clock) each has a small module
//! of its own. Nothing else asks which engine it runs on.
//!
//! Every statement is bound to one organisation, that of the [`Reader`] or
//! [`Transaction`] it runs in; the few that find an organisation in the first
//! place stand in `front_door`.

mod account;
mod audit;
pub mod backup;
mod both;
mod cell;
mod condition;
mod connection;
mod cores;
mod entropy;
mod error;
mod health;
mod installation;
mod key_holders;
mod links;
mod location;
mod organisation;
mod outbox;
mod owners;
mod person;
mod plan;
mod presence;
// The same files are compiled for both engines on purpose.
#[allow(clippy::duplicate_mod)]
mod postgres;
mod reader;
mod record;
mod run;
mod scope;
pub mod seal;
mod secret;
#[allow(clippy::duplicate_mod)]
mod sqlite;
mod storage;
mod stored;
mod transaction;
mod word;

pub use account::{Access, NewToken, Role, Token, TokenScope};
pub use audit::{Actor, AuditBreak, AuditFindings, AuditHead, AuditHeadError, NobodyError};
pub use condition::{Condition, Queue, RunsAtWork};
pub use connection::{Connection, ConnectionState, Credentials, NewConnection};
pub use entropy::Entropy;
pub use error::StorageError;
pub use health::Health;
pub use installation::Installation;
pub use key_holders::{KeyHolders, KeyOwners};
pub use location::Location;
pub use organisation::{NewOrganisation, Organisation};
pub use outbox::{OutboxMark, OutboxMessage, OutboxState, OutboxTarget, StoredMessage};
pub use person::{PersonQuery, PersonToWrite};
pub use plan::{ChangeMark, ChangeState, DoneBy, NewPlan, PlannedRow, StoredChange, StoredPlan};
pub use reader::Reader;
pub use record::{RecordToStore, Rest, Sighting, Stored, StoredRecord};
pub use run::{Run, RunStep};
pub use seal::MasterKey;
pub use secret::Secret;
pub use storage::Storage;
pub use transaction::Transaction;
