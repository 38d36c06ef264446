//! What would take back what a run did? A plan like any other: each effect is
//! turned round where nobody changed its outcome since, and the pair of values
//! is declined, so that the next sync does not plan it again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use muster_model::plan::{Answered, Cause, Change, Effect, Planned, RestCounts};
use muster_model::policy::BrakeKind;
use muster_model::report::PeopleCounts;
use muster_model::{
    Access, ConnectionId, Digest, DigestKey, Evidence, Field, Link, Matter, Person, PersonId, Plan,
    Policy, Reaction, Reason, Situation, SourceRecord,
};
use uuid::Uuid;

use crate::brakes::{self, Day};
use crate::managers::Named;

mod created;
mod outwards;
mod row;

pub use outwards::{Outward, OutwardEffect, Way};

/// Everything an undo is planned from.
pub struct UndoInput<'a> {
    /// The connection of the run.
    pub connection: ConnectionId,
    /// Its settings.
    pub policy: &'a Policy,
    /// The organisation's index key.
    pub key: &'a DigestKey,
    /// The instant of planning.
    pub now: Timestamp,
    /// The organisation's civil date.
    pub today: Date,
    /// The rows, with everything they are about as it is now.
    pub rows: Vec<Done>,
    /// Linked people in scope.
    pub linked: u64,
    /// Rows of each kind let through in the past 24 hours.
    pub let_through: BTreeMap<BrakeKind, u64>,
    /// Administrators who may enter now.
    pub administrators: u64,
    /// Whom a manager statement names now.
    pub manager: &'a (dyn Fn(&Named) -> Option<PersonId> + Sync),
    /// Managers that still exist, of those who stand in the rows.
    pub known: &'a BTreeSet<PersonId>,
}

/// One row of which the run did something.
#[derive(Debug, Clone)]
pub struct Done {
    /// The row as it was planned.
    pub change: Change,
    /// The effects that the run did.
    pub effects: Vec<Planned>,
    /// The person, also one that the row made; `None` when they are gone.
    pub person: Option<Person>,
    /// The link of the record, as it is now.
    pub link: Option<Link>,
    /// The record, as it was last read.
    pub record: Option<NowRecord>,
    /// Is the person linked to any other record?
    pub linked_elsewhere: bool,
    /// Whom the person manages now.
    pub manages: BTreeSet<PersonId>,
    /// The digest under which the record is declined now.
    pub declined: Option<Digest>,
    /// What is answered about the record as a whole now.
    pub answers: BTreeMap<Matter, Answered>,
    /// What the row sent, or would send, out of the house.
    pub messages: Vec<Message>,
}

/// A record as it was last read.
#[derive(Debug, Clone)]
pub struct NowRecord {
    /// What it says.
    pub record: SourceRecord,
    /// Its keyed digest.
    pub digest: Digest,
    /// Is it at rest, so that what it says was dealt with?
    pub rests: bool,
}

/// A message that a row put into the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which.
    pub id: Uuid,
    /// Its kind, such as `mail.invitation`.
    pub kind: String,
    /// The field that it writes, if it writes one.
    pub field: Option<Field>,
    /// Has it left, or may it have left?
    pub left: bool,
    /// Does it still wait to leave?
    pub waits: bool,
}

/// What an undo would do.
#[derive(Debug, Clone)]
pub struct Undoing {
    /// The plan.
    pub plan: Plan,
    /// What was changed since, and is left alone.
    pub left: Vec<Left>,
    /// What left the house.
    pub outward: Vec<OutwardEffect>,
}

/// Something that an undo leaves alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Whose.
    pub person: Option<PersonId>,
    /// The record of the row.
    pub external_id: Option<muster_model::ExternalId>,
    /// What: a field's name, `access`, `manager`, `employment`, `person`.
    pub what: String,
    /// Why: a stable code.
    pub code: &'static str,
    /// In words.
    pub reason: &'static str,
}

/// Plans an undo.
#[must_use]
pub fn undo(input: UndoInput<'_>) -> Undoing {
    let mut undoing = Undoing {
        plan: empty(&input),
        left: Vec::new(),
        outward: Vec::new(),
    };
    for done in &input.rows {
        let reverted = row::revert(&input, done);
        undoing.left.extend(reverted.left);
        undoing.outward.extend(reverted.outward);
        undoing.plan.changes.extend(reverted.change);
    }
    // Who goes goes last: until then somebody may still name them as manager.
    undoing.plan.changes.sort_by(|one, two| {
        let place = |change: &Change| {
            let goes = change
                .effects
                .iter()
                .any(|planned| removes(&planned.effect));
            (goes, change.external_id.clone(), change.person)
        };
        place(one).cmp(&place(two))
    });
    let day = Day {
        brakes: &input.policy.brakes,
        linked: input.linked,
        first_sync: false,
        let_through: &input.let_through,
        administrators: input.administrators,
        administrators_leaving: &administrators(&input),
    };
    undoing.plan.holds = brakes::apply(&day, &mut undoing.plan.changes);
    undoing.plan.hash = undoing.plan.compute_hash(input.key);
    undoing
}

const fn removes(effect: &Effect) -> bool {
    matches!(effect, Effect::Remove { .. })
}

fn administrators(input: &UndoInput<'_>) -> BTreeSet<PersonId> {
    input
        .rows
        .iter()
        .filter_map(|done| done.person.as_ref())
        .filter(|person| person.standing.administrator && person.access == Access::Active)
        .map(|person| person.id)
        .collect()
}

fn empty(input: &UndoInput<'_>) -> Plan {
    Plan {
        connection: input.connection,
        cause: Cause::Undo,
        made_for: input.today,
        made_at: input.now,
        evidence: Evidence::none(),
        people: PeopleCounts::default(),
        resting: RestCounts::default(),
        quiet: Vec::new(),
        changes: Vec::new(),
        holds: Vec::new(),
        managers: Vec::new(),
        // The hash covers the rest of the plan, so it comes last.
        hash: input.key.digest("plan", ""),
    }
}

/// What the row of an undo is called, by what it does to access.
fn reaction(effects: &[Planned]) -> Reaction {
    let mut reaction = Reaction::Update;
    for planned in effects {
        reaction = match &planned.effect {
            Effect::Remove { .. } => return Reaction::Remove,
            Effect::Create { .. } => return Reaction::Create,
            Effect::Access { to, .. } if to.is_off() => Reaction::Suspend,
            Effect::Access { from, .. } if from.is_off() => Reaction::Restore,
            Effect::Access {
                from: Access::Invited,
                ..
            } => Reaction::Withdraw,
            Effect::Access {
                to: Access::Invited,
                ..
            } => Reaction::Invite,
            Effect::Link => Reaction::Link,
            _ => continue,
        };
    }
    reaction
}

/// A row of the undo.
fn change(done: &Done, effects: Vec<Planned>) -> Change {
    let planned = &done.change;
    Change {
        external_id: planned.external_id.clone(),
        person: done
            .person
            .as_ref()
            .map(|person| person.id)
            .or(planned.person),
        situation: match planned.situation {
            // Nobody is ambiguous or new to an undo: it is about a row that was done.
            Situation::Gone => Situation::Gone,
            Situation::Removed => Situation::Removed,
            Situation::OutOfScope => Situation::OutOfScope,
            _ => Situation::Linked,
        },
        reaction: reaction(&effects),
        effects,
        reasons: vec![Reason::new(Reason::UNDONE, "a run is taken back")],
        precondition: muster_model::plan::Precondition {
            person_version: done.person.as_ref().map(|person| person.version),
            link_version: done.link.as_ref().map(|link| link.version),
            record: done.record.as_ref().map(|now| now.digest),
        },
        due_on: None,
        // The next read looks at the record again, and finds it declined.
        settles: false,
    }
}
