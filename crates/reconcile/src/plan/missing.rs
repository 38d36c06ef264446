//! A link whose record was not in the read, and a person without one.

use jiff::{Timestamp, ToSpan};
use muster_model::engagement::EngagementStatus;
use muster_model::plan::{Change, Effect, HoldKind, Planned, Quiet, Rest};
use muster_model::policy::{BrakeKind, OursOnlyReaction};
use muster_model::{ExternalId, Link, Reaction, Reason, Situation};

use super::declining;
use super::employing::{Employing, is_leaving, takes_access, tie};
use super::rows::{Rows, precondition, quiet};
use super::subject::Subject;
use crate::decide::{Spared, Turn};
use crate::input::{Confirmation, Input, Touched};
use crate::trust::{Follows, Verdict};

/// Takes one missing record through the steps.
pub(super) fn plan(input: &Input<'_>, verdict: &Verdict, touched: &Touched, rows: &mut Rows) {
    let Some(missing) = Missing::of(input, verdict, touched) else {
        return ours_only(input, touched, rows);
    };
    rows.people.gone += 1;
    if !input.policy.cuts(input.policy.gone) {
        let reason = Reason::new(Spared::Policy.code(), "missing from the read; access stays");
        return rows.rest(quiet(missing.subject.external_id, Rest::Gone, reason, None));
    }
    let (turn, mut effects) = missing.effects();
    let held = missing.held().filter(|_| !effects.is_empty());
    let brake = (is_leaving(&effects) && turn.spared.is_none()).then_some(BrakeKind::SuspendSilent);
    tie(&mut effects, brake, held);
    // Silence begins to count with the first read that can be believed.
    if missing.link.gone_since.is_none() && verdict.allows(Follows::Gone) {
        effects.push(Planned::free(Effect::MarkGone));
    }
    if effects.is_empty() {
        return rows.rest(missing.at_rest(turn));
    }
    let person = missing.subject.person;
    if person.standing.administrator && takes_access(&effects) {
        rows.administrators_leaving.insert(person.id);
    }
    let mut reasons = vec![Reason::new("decide.gone", "missing from a full read")];
    reasons.extend(
        turn.spared
            .map(|spared| Reason::new(spared.code(), "access stays")),
    );
    rows.push(Change {
        external_id: touched.external_id.clone(),
        person: Some(person.id),
        situation: Situation::Gone,
        reaction: match (turn.employment, turn.spared) {
            _ if effects.iter().all(is_mark) => Reaction::Report,
            (EngagementStatus::Ended, _) | (_, Some(_)) => turn.reaction,
            // Somebody else still employs them: only this connection's part goes.
            _ => Reaction::Update,
        },
        settles: held.is_none() && missing.settles(turn),
        effects,
        reasons,
        precondition: precondition(touched),
        due_on: missing.subject.due_on(&[], missing.subject.today()),
    });
}

const fn is_mark(planned: &Planned) -> bool {
    matches!(planned.effect, Effect::MarkGone)
}

/// A person whose record is missing.
struct Missing<'a> {
    subject: Subject<'a>,
    link: &'a Link,
}

impl<'a> Missing<'a> {
    fn of(input: &'a Input<'a>, verdict: &'a Verdict, touched: &'a Touched) -> Option<Self> {
        let (external_id, link, person) = (
            touched.external_id.as_ref()?,
            touched.link.as_ref()?,
            touched.person.as_ref()?,
        );
        Some(Self {
            subject: Subject {
                input,
                verdict,
                external_id,
                person,
                link: Some(link),
                others: &touched.others,
                siblings: &touched.siblings,
            },
            link,
        })
    }

    /// What the silence would mean, if it is believed.
    fn effects(&self) -> (Turn, Vec<Planned>) {
        let today = self.subject.today();
        let (employing, _) = Employing::none(&self.subject).without_declined(&self.subject);
        let employment = employing.union(&self.subject, today);
        let turn = self.subject.turn(Situation::Gone, employment, today);
        let (turn, _) = declining::turn(&self.subject, Situation::Gone, &[], turn);
        (turn, employing.effects(&self.subject, turn))
    }

    /// What holds a silent leaving: a doubtful read, a silence that nobody
    /// confirmed, or other sources that were not heard yet.
    fn held(&self) -> Option<HoldKind> {
        let Subject { input, verdict, .. } = self.subject;
        if verdict.is_first_read() {
            return Some(HoldKind::FirstRead);
        }
        if !verdict.allows(Follows::Gone) {
            return Some(HoldKind::Doubt);
        }
        let interval = i64::from(input.policy.interval_hours).hours();
        let an_interval_ago = input.now.checked_sub(interval).unwrap_or(Timestamp::MIN);
        let since = self.link.gone_since;
        let long_missing = since.is_some_and(|since| since <= an_interval_ago);
        let confirmed = if input.can_confirm {
            input.confirmations.get(self.subject.external_id) == Some(&Confirmation::NotThere)
        } else {
            long_missing
        };
        let heard = |last_read: &Option<Timestamp>| matches!((last_read, since), (Some(read), Some(since)) if *read >= since);
        let settled = long_missing || input.other_sources.iter().all(heard);
        (!confirmed || !settled).then_some(HoldKind::Unconfirmed)
    }

    fn at_rest(&self, turn: Turn) -> Quiet {
        let reason = match turn.spared {
            Some(spared) => Reason::new(spared.code(), "missing from the read; access stays"),
            None => Reason::new("decide.gone_before", "dealt with before"),
        };
        let due_on = self.subject.due_on(&[], self.subject.today());
        Quiet {
            settles: self.settles(turn) && self.link.gone_since.is_some(),
            ..quiet(self.subject.external_id, Rest::Gone, reason, due_on)
        }
    }

    /// The last administrator is looked at in each read: there may be another soon.
    fn settles(&self, turn: Turn) -> bool {
        turn.spared != Some(Spared::Protected) || !self.subject.is_last_administrator()
    }
}

/// Must the source be asked for this record by id, before its silence counts?
pub(super) fn is_question(input: &Input<'_>, verdict: &Verdict, touched: &Touched) -> bool {
    touched.record.is_none()
        && Missing::of(input, verdict, touched)
            .is_some_and(|missing| !missing.effects().1.is_empty())
}

/// A person in reach without a record, where the policy asks about them.
fn ours_only(input: &Input<'_>, touched: &Touched, rows: &mut Rows) {
    if input.policy.ours_only != OursOnlyReaction::Ask || touched.link.is_some() {
        return;
    }
    let Some(person) = &touched.person else {
        return;
    };
    rows.push(Change {
        external_id: None::<ExternalId>,
        person: Some(person.id),
        situation: Situation::OursOnly,
        reaction: Reaction::Ask,
        effects: Vec::new(),
        reasons: vec![Reason::new(
            "match.ours_only",
            "the source has no record of this person",
        )],
        precondition: precondition(touched),
        due_on: None,
        settles: false,
    });
}
