//! The statements as compiled for PostgreSQL, and what only PostgreSQL needs.

mod bulk;
pub(crate) mod engine;
pub(crate) mod whole;

pub(crate) use engine::Engine;

/// The driver.
pub(crate) type Db = sqlx::Postgres;
/// One connection to the database.
pub(crate) type Session = sqlx::PgConnection;

#[path = "../statements/account_access.rs"]
pub(crate) mod account_access;
#[path = "../statements/audit.rs"]
pub(crate) mod audit;
#[path = "../statements/audited.rs"]
pub(crate) mod audited;
#[path = "../statements/condition.rs"]
pub(crate) mod condition;
#[path = "../statements/connections.rs"]
pub(crate) mod connections;
#[path = "../statements/decisions.rs"]
pub(crate) mod decisions;
#[path = "../statements/due.rs"]
pub(crate) mod due;
#[path = "../statements/erase.rs"]
pub(crate) mod erase;
#[path = "../statements/front_door.rs"]
pub(crate) mod front_door;
#[path = "../statements/holds.rs"]
pub(crate) mod holds;
#[path = "../statements/keys.rs"]
pub(crate) mod keys;
#[path = "../statements/leases.rs"]
pub(crate) mod leases;
#[path = "../statements/links.rs"]
pub(crate) mod links;
#[path = "../statements/outbox.rs"]
pub(crate) mod outbox;
#[path = "../statements/people.rs"]
pub(crate) mod people;
#[path = "../statements/plan_rows.rs"]
pub(crate) mod plan_rows;
#[path = "../statements/plans.rs"]
pub(crate) mod plans;
#[path = "../statements/records.rs"]
pub(crate) mod records;
#[path = "../statements/runs.rs"]
pub(crate) mod runs;
#[path = "../statements/snapshots.rs"]
pub(crate) mod snapshots;
#[path = "../statements/tokens.rs"]
pub(crate) mod tokens;
#[path = "../statements/touched.rs"]
pub(crate) mod touched;
