//! A company and the people in it, in no vendor's shape: what the simulators
//! serve. It comes from a CSV file ([`Company::from_csv`]) or is invented
//! ([`Rehearsal`]).
//!
//! # The rehearsal company
//!
//! A [`Rehearsal`] is a firm of any size that is the same for a seed on every
//! machine, with one year of joiners, movers and leavers. Nothing is known
//! before the day on which it takes effect: a joiner's record appears on the
//! first day of work, and a leaver's last day stands in the record from the
//! day after it. So what a reader finds depends on the day that was asked for
//! and not on the reader's clock. The one exception is
//! [`HardCaseKind::ContractorBecomesEmployee`].
//!
//! ```
//! use muster_sandbox::company::{DEFAULT_YEAR_START, Rehearsal, RehearsalSpec};
//!
//! let rehearsal = Rehearsal::new(RehearsalSpec {
//!     people: 250,
//!     seed: 1,
//!     year_start: DEFAULT_YEAR_START,
//! })?;
//! let month = rehearsal.between(0, 30);
//! assert!(!month.joiners.is_empty() && !month.leavers.is_empty());
//! # Ok::<(), muster_sandbox::company::RehearsalError>(())
//! ```
//!
//! How it is made: [`Rehearsal::new`] invents the people (`casting`), seats
//! them in departments (`chart`, `seating`) and lets the year go by (`rates`,
//! `year`). It remembers a few numbers for each person and event
//! (`biography`), from which the records of a day are drawn (`portrait`).

mod bank_account;
mod biography;
mod calendar;
mod canonical;
mod casting;
mod change;
mod chart;
mod contact;
mod csv_company;
mod csv_error;
mod csv_table;
mod expected;
mod files;
mod hard_case;
mod names;
mod national_id;
mod portrait;
mod rates;
mod rehearsal;
mod seating;
mod snapshot;
mod stream;
mod year;

#[cfg(test)]
mod csv_tests;
#[cfg(test)]
mod firm_tests;
#[cfg(test)]
mod year_tests;

pub(crate) use canonical::{number as national_number, period_on, primary};
pub use change::{Change, ChangeKind};
pub(crate) use contact::e164;
pub use csv_company::CsvOptions;
pub use csv_error::{CsvError, CsvProblem};
pub use expected::Expected;
pub use files::WriteError;
pub use hard_case::{HARD_CASES_FROM, HardCase, HardCaseKind};
pub use rehearsal::{
    DEFAULT_YEAR_START, MOST_PEOPLE, Rehearsal, RehearsalError, RehearsalSpec, STALE_DAYS,
};
pub use snapshot::*;
