//! Plans as they are stored.

use jiff::Timestamp;
use jiff::civil::Date;
use muster_model::plan::{Cause, ManagerProblem, Planned, RestCounts};
use muster_model::report::PeopleCounts;
use muster_model::{
    Change, ConnectionId, Digest, Evidence, Hold, HoldKind, PersonId, Plan, PlanId, RunId,
};
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
    /// The run that it takes back, if it does.
    pub undoes: Option<RunId>,
    /// Under which versions of connector, mapping and policy it was made.
    pub versions: Option<&'a str>,
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
    /// The run that it takes back, if it does.
    pub undoes: Option<RunId>,
    /// Under which versions of connector, mapping and policy it was made.
    pub versions: Option<String>,
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
    /// Who did which part of it, when not only the run that made the plan.
    pub done_by: Vec<DoneBy>,
}

/// A part of a row that a run did.
#[derive(Debug, Clone, PartialEq)]
pub struct DoneBy {
    /// Which run.
    pub run: RunId,
    /// Which part: what no kind held, or what this kind held until it was released.
    pub parts: Vec<Option<HoldKind>>,
    /// What it did, where somebody decided that it should be something else than
    /// the row says.
    pub effects: Vec<Planned>,
}

impl DoneBy {
    /// The word for what no kind held.
    const FREE: &'static str = "free";
    /// The word for no part of it: only what was decided.
    const NONE: &'static str = "-";

    pub(crate) fn text(&self) -> String {
        let parts: Vec<&str> = self
            .parts
            .iter()
            .map(|part| part.map_or(Self::FREE, HoldKind::word))
            .collect();
        if parts.is_empty() {
            return format!("{}:{}", self.run, Self::NONE);
        }
        format!("{}:{}", self.run, parts.join(","))
    }

    pub(crate) fn all(text: &str) -> Option<Vec<Self>> {
        text.split_whitespace()
            .map(|one| {
                let (run, parts) = one.split_once(':')?;
                let part = |word: &str| match word {
                    Self::FREE => Some(None),
                    word => HoldKind::from_word(word).map(Some),
                };
                let parts = match parts {
                    Self::NONE => Vec::new(),
                    parts => parts.split(',').map(part).collect::<Option<_>>()?,
                };
                Some(Self {
                    run: run.parse().ok()?,
                    parts,
                    effects: Vec::new(),
                })
            })
            .collect()
    }
}

/// A row of some plan about a record.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRow {
    /// Which plan.
    pub plan: PlanId,
    /// The row.
    pub row: StoredChange,
}

/// What became of a row, to store.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeMark {
    /// Its place in the plan, from 0.
    pub ordinal: u64,
    /// The new state.
    pub state: ChangeState,
    /// Why it failed.
    pub error_code: Option<String>,
    /// The person that applying it created; `None` leaves what is stored.
    pub person: Option<PersonId>,
    /// Who did which part, when it is not the run that made the plan; added to
    /// what is stored.
    pub done_by: Option<DoneBy>,
}
