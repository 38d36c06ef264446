//! The hash of a plan, row by row as it is made.

use jiff::civil::Date;

use super::change::Change;
use super::manager::ManagerProblem;
use crate::digest::{Digest, DigestKey, Digester};
use crate::id::ConnectionId;

/// Hashes a plan: connection, civil date, then per record its situation,
/// reaction, values, reasons and versions. Not the time, not the evidence's
/// page count, no new id: planning twice gives the same.
#[derive(Debug, Clone)]
pub struct PlanHasher(Digester);

impl PlanHasher {
    /// Begins a plan of so many rows.
    #[must_use]
    pub fn new(key: &DigestKey, connection: ConnectionId, made_for: Date, rows: u64) -> Self {
        let mut digester = key.digester("plan");
        digester
            .text(&connection.to_string())
            .text(&made_for.to_string())
            .number(rows);
        Self(digester)
    }

    /// Adds the next row, in the order of the plan.
    pub fn row(&mut self, change: &Change) {
        change.digest_into(&mut self.0);
    }

    /// The hash, with the managers that could not be resolved.
    #[must_use]
    pub fn finish(mut self, managers: &[ManagerProblem]) -> Digest {
        for problem in managers {
            self.0
                .text(problem.external_id.as_str())
                .number(problem.kind as u64);
        }
        self.0.finish()
    }
}
