//! A link whose record was not in the read.

use jiff::ToSpan;
use muster_model::engagement::EngagementStatus;
use muster_model::plan::{Change, Effect, HoldKind, Planned, Rest};
use muster_model::policy::{BrakeKind, OursOnlyReaction};
use muster_model::time::date_in;
use muster_model::{Access, Link, Reaction, Reason, Situation};

use super::engagements::of_other_records;
use super::record::{employ, employment, tie};
use super::{Rows, precondition, quiet, takes_access};
use crate::decide;
use crate::input::{Confirmation, Input, Touched};
use crate::trust::{Follows, Verdict};

/// Takes one missing record through the steps.
pub(super) fn plan(input: &Input<'_>, verdict: &Verdict, touched: &Touched, rows: &mut Rows) {
    let Some(person) = &touched.person else {
        return;
    };
    let (Some(external_id), Some(link)) = (&touched.external_id, &touched.link) else {
        return ours_only(input, touched, rows);
    };
    rows.people.gone += 1;
    let today = date_in(input.now, &(input.zone_of)(&person.fields));
    let mine = of_other_records(input.connection, person, Some(link));
    let employment = employment(input, person, &touched.others, Some(&mine), today, false);
    let last_administrator = person.standing.administrator
        && person.access == Access::Active
        && input.administrators <= 1;
    let turn = decide::turn(
        input.policy,
        person,
        Situation::Gone,
        employment,
        last_administrator,
        today,
    );
    if let Some(spared) = turn.spared {
        let reason = Reason::new(spared.code(), "missing from the read; access stays");
        rows.quiet
            .push(quiet(external_id, Rest::Gone, reason, None));
        rows.resting.ignored += 1;
        return;
    }
    let mut effects = Vec::new();
    employ(input, person, Some(mine), turn, &mut effects);
    if effects.is_empty() {
        let reason = Reason::new("decide.gone_before", "access was taken away before");
        rows.quiet
            .push(quiet(external_id, Rest::Gone, reason, None));
        rows.resting.ignored += 1;
        return;
    }
    let held = held(input, verdict, external_id, link);
    tie(&mut effects, BrakeKind::SuspendSilent, held);
    // Silence begins to count with the first read that can be believed.
    if link.gone_since.is_none() && verdict.allows(Follows::Gone) {
        effects.push(Planned::free(Effect::MarkGone));
    }
    if person.standing.administrator && takes_access(&effects) {
        rows.administrators_leaving += 1;
    }
    let reaction = if turn.employment == EngagementStatus::Ended {
        turn.reaction
    } else {
        // Somebody else still employs them: only this connection's part goes.
        Reaction::Update
    };
    rows.push(Change {
        external_id: Some(external_id.clone()),
        person: Some(person.id),
        situation: Situation::Gone,
        reaction,
        settles: held.is_none(),
        effects,
        reasons: vec![Reason::new("decide.gone", "missing from a full read")],
        precondition: precondition(touched),
        due_on: None,
    });
}

/// What holds a silent leaving: a doubtful read, a silence that nobody
/// confirmed, or other sources that were not heard yet.
fn held(
    input: &Input<'_>,
    verdict: &Verdict,
    external_id: &muster_model::ExternalId,
    link: &Link,
) -> Option<HoldKind> {
    if !verdict.allows(Follows::Gone) {
        return Some(HoldKind::Doubt);
    }
    let interval = i64::from(input.policy.interval_hours).hours();
    let an_interval_ago = input
        .now
        .checked_sub(interval)
        .unwrap_or(jiff::Timestamp::MIN);
    let long_missing = link
        .gone_since
        .is_some_and(|since| since <= an_interval_ago);
    let confirmed = if input.can_confirm {
        input.confirmations.get(external_id) == Some(&Confirmation::NotThere)
    } else {
        long_missing
    };
    let heard = input.other_sources.iter().all(|last_read| {
        matches!((last_read, link.gone_since), (Some(read), Some(since)) if *read >= since)
    });
    let settled = input.other_sources.is_empty() || heard || long_missing;
    (!confirmed || !settled).then_some(HoldKind::Unconfirmed)
}

/// A person in reach without a record, where the policy asks about them.
fn ours_only(input: &Input<'_>, touched: &Touched, rows: &mut Rows) {
    if input.policy.ours_only != OursOnlyReaction::Ask {
        return;
    }
    rows.push(Change {
        external_id: None,
        person: touched.person.as_ref().map(|person| person.id),
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
