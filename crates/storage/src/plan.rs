//! Plans as they are stored.

use jiff::Timestamp;
use jiff::civil::Date;
use muster_model::plan::{Cause, ManagerProblem, RestCounts};
use muster_model::report::PeopleCounts;
use muster_model::{Change, ConnectionId, Digest, Evidence, Hold, PersonId, Plan, PlanId, RunId};
use serde::{Deserialize, Serialize};

use crate::word::words;

/// A plan to store.
#[derive(Debug, Clone, Copy)]
pub struct NewPlan<'a> {
    /// Its id.
    pub id: PlanId,
    /// The run that made it, if one did.
    pub run: Option<RunId>,
    /// The change set.
    pub plan: &'a Plan,
}

/// The head of a stored plan; its rows are read page by page.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPlan {
    /// Which one.
    pub id: PlanId,
    /// The run that made it, if one did.
    pub run: Option<RunId>,
    /// The plan without its rows: `changes` and `quiet` are empty.
    pub plan: Plan,
    /// How many rows it has.
    pub rows: u64,
}

/// The clear part of a plan's head; the rest stands in columns.
#[derive(Serialize, Deserialize)]
pub(crate) struct PlanHeader {
    pub(crate) cause: Cause,
    pub(crate) evidence: Evidence,
    pub(crate) people: PeopleCounts,
    pub(crate) resting: RestCounts,
    pub(crate) holds: Vec<Hold>,
    pub(crate) managers: Vec<ManagerProblem>,
}

impl PlanHeader {
    pub(crate) fn of(plan: &Plan) -> Self {
        Self {
            cause: plan.cause,
            evidence: plan.evidence.clone(),
            people: plan.people,
            resting: plan.resting,
            holds: plan.holds.clone(),
            managers: plan.managers.clone(),
        }
    }

    pub(crate) fn into_plan(
        self,
        connection: ConnectionId,
        made_for: Date,
        made_at: Timestamp,
        hash: Digest,
    ) -> Plan {
        let Self {
            cause,
            evidence,
            people,
            resting,
            holds,
            managers,
        } = self;
        Plan {
            connection,
            cause,
            made_for,
            made_at,
            evidence,
            people,
            resting,
            // Laid to rest when the plan was stored; nothing is left to do with them.
            quiet: Vec::new(),
            changes: Vec::new(),
            holds,
            managers,
            hash,
        }
    }
}

words! {
    /// What became of a row.
    ChangeState {
        /// Not yet applied.
        Open = "open",
        /// Done.
        Applied = "applied",
        /// Held back by a brake or a doubt.
        Held = "held",
        /// Tried, and refused; see the error code.
        Failed = "failed",
        /// Its precondition no longer holds: it is planned anew.
        Stale = "stale",
        /// Waits for a decision or for work outside.
        Waiting = "waiting",
    }
}

/// A row of a stored plan.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredChange {
    /// Its place in the plan, from 0.
    pub ordinal: u64,
    /// The row; `None` once the human it is about was erased.
    pub change: Option<Change>,
    /// The person, also one that applying it created.
    pub person: Option<PersonId>,
    /// What became of it.
    pub state: ChangeState,
    /// Why it failed.
    pub error_code: Option<String>,
}

/// What became of a row, to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeMark {
    /// Its place in the plan, from 0.
    pub ordinal: u64,
    /// The new state.
    pub state: ChangeState,
    /// Why it failed.
    pub error_code: Option<String>,
    /// The person that applying it created; `None` leaves what is stored.
    pub person: Option<PersonId>,
}
