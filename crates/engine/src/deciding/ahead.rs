//! Decisions about records that the plan has no row for, as rows that an undo finds:
//! a plan of the run's own, done already, that changes nothing but what was answered.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use muster_model::plan::{Answered, Cause, Change, Effect, FieldValue, Planned, Precondition};
use muster_model::{
    ConnectionId, Decision, DigestKey, Evidence, ExternalId, Field, Link, Matter, PersonId, Plan,
    Reaction, Reason, RecordDecision, Situation,
};

/// What a file decides ahead of the next sync, by record.
#[derive(Debug, Default)]
pub(super) struct Ahead(BTreeMap<ExternalId, (Option<PersonId>, Vec<Planned>)>);

impl Ahead {
    /// Something is answered about a record as a whole, or no more.
    pub(super) fn answered(
        &mut self,
        record: &ExternalId,
        matter: Matter,
        before: Option<&RecordDecision>,
        after: Option<&RecordDecision>,
    ) {
        let answered = |decision: &RecordDecision| Answered {
            answer: decision.answer,
            about: decision.about,
        };
        let effect = Effect::Answer {
            matter,
            from: before.map(answered),
            to: after.map(answered),
        };
        let row = self.0.entry(record.clone()).or_default();
        row.1.push(Planned::free(effect));
    }

    /// A pair of values is decided otherwise, or asked about again.
    pub(super) fn pair(
        &mut self,
        before: &Link,
        field: Field,
        from: Option<Decision>,
        to: Option<Decision>,
    ) {
        // What was taken as equal is taken so again with the decision.
        let base = before.base.get(&field);
        let theirs = base.map(|base| FieldValue::said(field, base.theirs.as_ref()));
        let ours = base.map(|base| FieldValue::said(field, base.ours.as_ref()));
        let effect = Effect::Decide {
            field,
            from,
            to,
            theirs: theirs.unwrap_or_default(),
            ours: ours.unwrap_or_default(),
        };
        let row = self.0.entry(before.external_id.clone()).or_default();
        row.0 = Some(before.person);
        row.1.push(Planned::free(effect));
    }

    /// The plan, if anything was decided ahead. It is never the newest: that is the
    /// one that people look at, and that was decided about.
    pub(super) fn plan(
        self,
        connection: ConnectionId,
        (made_for, newest): (Date, Timestamp),
        key: &DigestKey,
    ) -> Option<Plan> {
        if self.0.is_empty() {
            return None;
        }
        let before = newest.checked_sub(std::time::Duration::from_micros(1));
        let mut plan = Plan {
            connection,
            cause: Cause::Read,
            made_for,
            made_at: before.unwrap_or(newest),
            evidence: Evidence::none(),
            people: Default::default(),
            resting: Default::default(),
            quiet: Vec::new(),
            changes: self.0.into_iter().map(row).collect(),
            holds: Vec::new(),
            managers: Vec::new(),
            // The hash covers the rest of the plan, so it comes last.
            hash: key.digest("plan", ""),
        };
        plan.hash = plan.compute_hash(key);
        Some(plan)
    }
}

fn row((record, (person, effects)): (ExternalId, (Option<PersonId>, Vec<Planned>))) -> Change {
    let known = person.is_some();
    Change {
        external_id: Some(record),
        person,
        situation: if known {
            Situation::Linked
        } else {
            Situation::New
        },
        reaction: Reaction::Report,
        effects,
        reasons: vec![Reason::new(Reason::DECIDED, "decided without a row")],
        precondition: Precondition::default(),
        due_on: None,
        settles: false,
    }
}
