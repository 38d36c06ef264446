//! Runs: everything that reads, decides and writes. Here the pure core
//! (`muster-reconcile`) meets the sources (`muster-connect`) and the data
//! (`muster-storage`).
//!
//! | Module | Step |
//! |---|---|
//! | [`connections`] | an organisation gets a configured use of a connector |
//! | [`read`](mod@read) | read and normalise: a snapshot with its evidence |
//! | [`planning`] | scope, trust, match, compare, decide: a stored plan |
//! | [`applying`] | each row by itself, or all together; what must go out is queued |
//! | [`deciding`] | what people decide about rows: checked, remembered, done |
//! | `sending` | the outward writes that wait go to the source, once each |
//! | [`run`](mod@run) | one execution of these, with its lease and its report |
//! | [`undoing`] | what a run did, taken back by a run of its own |
//! | [`explaining`] | why somebody is as they are |
//! | [`erasing`] | people go for good |
//! | [`auditing`] | is the audit log whole? |
//! | [`directory`] | people and runs, for whoever asks |
//! | [`sign_in`] | who and what may enter an organisation |
//! | [`doctor`] | what an operator should look at |
//!
//! The service, the schedule, mails, the lifecycle clock and the
//! import desk get modules of their own beside these.

pub mod applying;
pub mod auditing;
pub mod connections;
pub mod deciding;
pub mod directory;
pub mod doctor;
pub mod engine;
pub mod erasing;
pub mod error;
pub mod explaining;
mod keeping;
mod lease;
pub mod planning;
pub mod read;
pub mod run;
mod sending;
pub mod sign_in;
pub mod subjects;
mod task;
pub mod undoing;
mod wake;

pub use engine::{Engine, OpenConnector};
pub use error::EngineError;
