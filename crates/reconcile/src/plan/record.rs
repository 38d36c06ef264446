//! A record that was read: linked, or not yet.

use jiff::ToSpan;
use jiff::civil::Date;
use muster_model::engagement::{self, EngagementStatus};
use muster_model::plan::{Effect, FieldValue, HoldKind, Planned, Quiet, Rest};
use muster_model::policy::BrakeKind;
use muster_model::time::date_in;
use muster_model::{
    ConnectionId, Engagement, Field, Fields, Flow, Person, Presence, Reaction, Reason, Said,
    Situation, SourceRecord, Value,
};

use super::engagements::{of_other_records, said_employment, together, with_known_days};
use super::{Change, Rows, precondition, quiet, takes_access};
use crate::compare::{self, Wish};
use crate::decide::{self, Turn};
use crate::input::{Input, OtherLink, Touched};
use crate::managers::{Named, Statement};
use crate::matching::{self, Match};
use crate::scope::{self, Scope};
use crate::trust::{Follows, Verdict};

/// Takes one record through the steps.
pub(super) fn plan(
    input: &Input<'_>,
    verdict: &Verdict,
    touched: &Touched,
    record: &SourceRecord,
    rows: &mut Rows,
) {
    match (&touched.link, &touched.person) {
        (Some(link), Some(person)) => {
            if is_older(link.revision, record.revision) {
                rows.rest(Quiet {
                    believed: false,
                    settles: false,
                    ..quiet(
                        &record.external_id,
                        Rest::Ignored,
                        Reason::new("trust.older_record", "an older revision than the one known"),
                        None,
                    )
                });
                return;
            }
            let known = Known {
                person,
                others: &touched.others,
                first: false,
            };
            let situation = match scope::judge(input.policy, record, true) {
                Scope::Invalid(fields) => return invalid(touched, record, &fields, rows),
                Scope::Out(_) => Situation::OutOfScope,
                Scope::In if record.presence == Presence::Removed => Situation::Removed,
                Scope::In => Situation::Linked,
            };
            linked(input, verdict, touched, record, &known, situation, rows);
        }
        _ => unlinked(input, verdict, touched, record, rows),
    }
}

const fn is_older(known: Option<i64>, read: Option<i64>) -> bool {
    match (known, read) {
        (Some(known), Some(read)) => read < known,
        _ => false,
    }
}

/// A person, and whether this read is the first to join them to the record.
struct Known<'a> {
    person: &'a Person,
    others: &'a [OtherLink],
    first: bool,
}

fn invalid(touched: &Touched, record: &SourceRecord, fields: &[Field], rows: &mut Rows) {
    rows.people.invalid += 1;
    let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
    let mut row = row(touched, record, Situation::Invalid, Reaction::Report, None);
    row.settles = false;
    row.reasons.push(Reason::new(
        "scope.required_field",
        format!(
            "missing or unreadable: {}; mend it in the source",
            names.join(", ")
        ),
    ));
    rows.push(row);
}

fn row(
    touched: &Touched,
    record: &SourceRecord,
    situation: Situation,
    reaction: Reaction,
    due_on: Option<Date>,
) -> Change {
    Change {
        external_id: Some(record.external_id.clone()),
        person: touched.person.as_ref().map(|person| person.id),
        situation,
        reaction,
        effects: Vec::new(),
        reasons: problems(record),
        precondition: precondition(touched),
        due_on,
        settles: true,
    }
}

fn problems(record: &SourceRecord) -> Vec<Reason> {
    record
        .problems
        .iter()
        .map(|problem| {
            Reason::new(
                "field.unreadable",
                format!("{}: {}", problem.field, problem.code),
            )
        })
        .collect()
}

fn unlinked(
    input: &Input<'_>,
    verdict: &Verdict,
    touched: &Touched,
    record: &SourceRecord,
    rows: &mut Rows,
) {
    let id = &record.external_id;
    if record.presence == Presence::Removed {
        let reason = Reason::new(
            "match.removed_before_known",
            "deleted before anybody knew it",
        );
        rows.rest(quiet(id, Rest::Ignored, reason, None));
        return;
    }
    match scope::judge(input.policy, record, false) {
        Scope::In => {}
        Scope::Out(fields) => {
            rows.people.out_of_scope += 1;
            let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
            let reason = Reason::new("scope.lacks", format!("has no {}", names.join(", ")));
            rows.rest(quiet(id, Rest::OutOfScope, reason, None));
            return;
        }
        Scope::Invalid(fields) => return invalid(touched, record, &fields, rows),
    }
    let today = date_in(input.now, &(input.zone_of)(&record.fields));
    let engagements = record.engagements().unwrap_or_default();
    let over = decide::employment(engagements.iter(), today, input.policy.grace_days)
        == EngagementStatus::Ended;
    match matching::find(record, input.policy, input.key, &input.holders) {
        Match::New if over => {
            let reason = Reason::new("match.ended_before_known", "left before anybody knew them");
            rows.rest(quiet(id, Rest::Ignored, reason, None));
        }
        Match::New => joiner(input, verdict, touched, record, today, rows),
        Match::Person { person, agreeing } => {
            let Some(candidate) = input.holders.candidates.get(&person) else {
                return;
            };
            let mut touched = touched.clone();
            touched.person = Some(candidate.person.clone());
            let known = Known {
                person: &candidate.person,
                others: &candidate.others,
                first: true,
            };
            let names: Vec<&str> = agreeing.iter().map(|key| key.field().name()).collect();
            let before = rows.changes.len();
            linked(
                input,
                verdict,
                &touched,
                record,
                &known,
                Situation::Matched,
                rows,
            );
            if let Some(change) = rows.changes.get_mut(before) {
                change
                    .reasons
                    .push(Reason::new("match.by", names.join(", ")));
            }
        }
        Match::Ambiguous(reason) => undecided(touched, record, Situation::Ambiguous, reason, rows),
        Match::Taken(reason) => {
            let greyed = input.policy.matched == muster_model::policy::MatchedReaction::Taken;
            if greyed {
                rows.rest(quiet(id, Rest::Ignored, reason, None));
            } else {
                undecided(touched, record, Situation::Taken, reason, rows);
            }
        }
    }
}

fn undecided(
    touched: &Touched,
    record: &SourceRecord,
    situation: Situation,
    reason: Reason,
    rows: &mut Rows,
) {
    let mut change = row(touched, record, situation, Reaction::Ask, None);
    change.reasons.push(reason);
    change.settles = false;
    rows.push(change);
}

fn joiner(
    input: &Input<'_>,
    verdict: &Verdict,
    touched: &Touched,
    record: &SourceRecord,
    today: Date,
    rows: &mut Rows,
) {
    let (reaction, access) = decide::joiner(input.policy);
    let due_on = due_on(
        record.engagements().unwrap_or_default(),
        today,
        input.policy.grace_days,
    );
    let mut change = row(touched, record, Situation::New, reaction, due_on);
    change
        .reasons
        .push(Reason::new("match.new", "no key names anybody"));
    match reaction {
        Reaction::Create | Reaction::Invite => {
            let fields = record.on(today).only(|field| !field.is_manager());
            let mut planned = Planned::braked(Effect::Create { fields, access }, BrakeKind::Create);
            if !verdict.allows(Follows::Create) || !record.whole {
                planned.held = Some(HoldKind::Doubt);
                change.settles = false;
            }
            change.effects.push(planned);
            state_manager(input, touched, record, None, today, rows);
        }
        // A candidate rests until it changes or somebody picks it; a question does not rest.
        Reaction::Offer => {}
        _ => change.settles = false,
    }
    rows.push(change);
}

/// Notes whom the record names as manager, for the pass over the managers.
fn state_manager(
    input: &Input<'_>,
    touched: &Touched,
    record: &SourceRecord,
    person: Option<&Person>,
    today: Date,
    rows: &mut Rows,
) {
    let flows = |field| matches!(input.policy.flow(field), Flow::In | Flow::Both);
    if !flows(Field::ManagerExternalId) && !flows(Field::ManagerEmail) {
        return;
    }
    let owned = person.is_none()
        || owns(input, &touched.others, Field::ManagerExternalId)
            && owns(input, &touched.others, Field::ManagerEmail);
    if let Some(named) = Named::of(&record.on(today)).filter(|_| owned) {
        rows.statements.push(Statement {
            external_id: record.external_id.clone(),
            person: person.map(|person| person.id),
            current: person.and_then(|person| person.manager),
            precondition: precondition(touched),
            named,
        });
    }
}

/// Does this connection decide about the field? The first in the order of
/// sources that says something does, whichever ran first.
fn owns(input: &Input<'_>, others: &[OtherLink], field: Field) -> bool {
    !others
        .iter()
        .any(|other| other.rank < input.rank && other.says.contains(&field))
}

fn linked(
    input: &Input<'_>,
    verdict: &Verdict,
    touched: &Touched,
    record: &SourceRecord,
    known: &Known<'_>,
    situation: Situation,
    rows: &mut Rows,
) {
    let person = known.person;
    let today = date_in(input.now, &(input.zone_of)(&person.fields));
    let stays = matches!(situation, Situation::Linked | Situation::Matched);
    let elsewhere = of_other_records(input.connection, person, touched.link.as_ref());
    let mine: Option<Vec<Engagement>> = if stays {
        let known = person.engagements.get(&input.connection);
        said_employment(record).map(|said| {
            let said = with_known_days(said, known.map(Vec::as_slice));
            together(said, elsewhere)
        })
    } else {
        Some(elsewhere)
    };
    let due_on = due_on(
        mine.as_deref().unwrap_or_default(),
        today,
        input.policy.grace_days,
    );
    let employment = employment(input, person, known.others, mine.as_deref(), today, stays);
    let last_administrator = person.standing.administrator
        && person.access == muster_model::Access::Active
        && input.administrators <= 1;
    let turn = decide::turn(
        input.policy,
        person,
        situation,
        employment,
        last_administrator,
        today,
    );
    let mut effects = Vec::new();
    if known.first {
        effects.push(Planned::free(Effect::Link));
    }
    if stays {
        compare_fields(input, verdict, touched, record, known, today, &mut effects);
    }
    employ(input, person, mine, turn, &mut effects);
    let leaves = turn.employment == EngagementStatus::Ended
        && (person.employment != EngagementStatus::Ended || turn.access != person.access)
        && turn.spared.is_none();
    if leaves {
        let (brake, follows) = match situation {
            Situation::OutOfScope => (BrakeKind::SuspendSilent, Follows::Gone),
            _ => (BrakeKind::SuspendSaid, Follows::Ended),
        };
        let held = if !verdict.allows(follows) || !record.whole {
            Some(HoldKind::Doubt)
        } else if known.first {
            Some(HoldKind::FirstRead)
        } else {
            None
        };
        tie(&mut effects, brake, held);
    }
    if person.standing.administrator && takes_access(&effects) {
        rows.administrators_leaving += 1;
    }
    if stays {
        state_manager(input, touched, record, Some(person), today, rows);
    }
    if effects.is_empty() {
        let (rest, reason) = match turn.spared {
            Some(spared) => (
                Rest::Ignored,
                Reason::new(spared.code(), "employment is over, access stays"),
            ),
            None if !stays => (
                Rest::OutOfScope,
                Reason::new("scope.left", "dealt with before"),
            ),
            None => (
                Rest::Unchanged,
                Reason::new("compare.same", "nothing differs"),
            ),
        };
        rows.rest(quiet(&record.external_id, rest, reason, due_on));
        return;
    }
    let said_situation = if stays && leaves {
        Situation::Ended
    } else {
        situation
    };
    let situation = if known.first {
        Situation::Matched
    } else {
        said_situation
    };
    let reaction = match turn.reaction {
        Reaction::Update if known.first => Reaction::Link,
        reaction => reaction,
    };
    let mut change = row(touched, record, situation, reaction, due_on);
    change.settles = effects.iter().all(|planned| {
        planned.held.is_none()
            && !matches!(
                planned.effect,
                Effect::Conflict { .. } | Effect::Outward { .. }
            )
    });
    change
        .reasons
        .extend(reasons(&turn, situation, person, employment));
    change.effects = effects;
    rows.push(change);
}

fn reasons(
    turn: &Turn,
    situation: Situation,
    person: &Person,
    employment: EngagementStatus,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Some(spared) = turn.spared {
        reasons.push(Reason::new(
            spared.code(),
            "employment is over, access stays",
        ));
    }
    match (turn.reaction, situation) {
        (Reaction::Restore, _) => reasons.push(Reason::new(
            "decide.returned",
            "the record is there, and employment runs",
        )),
        (_, Situation::Ended) => reasons.push(Reason::new(
            "decide.ended",
            "the record says that every engagement is over",
        )),
        (_, Situation::Removed) => {
            reasons.push(Reason::new(
                "decide.removed",
                "the source deleted the record",
            ));
        }
        (_, Situation::OutOfScope) => reasons.push(Reason::new(
            "decide.out_of_scope",
            "the policy no longer covers the record",
        )),
        _ if person.employment != employment => reasons.push(Reason::new(
            "decide.employment",
            format!("{} becomes {}", person.employment.name(), employment.name()),
        )),
        _ => {}
    }
    reasons
}

/// The employment of a person once this connection's engagements are `mine`.
/// Another connection that holds the person, and says nothing of employment,
/// keeps them: access follows the union.
pub(super) fn employment(
    input: &Input<'_>,
    person: &Person,
    others: &[OtherLink],
    mine: Option<&[Engagement]>,
    today: Date,
    stays: bool,
) -> EngagementStatus {
    let here: ConnectionId = input.connection;
    let own = mine
        .or_else(|| person.engagements.get(&here).map(Vec::as_slice))
        .unwrap_or_default();
    let elsewhere = person
        .engagements
        .iter()
        .filter(|(connection, _)| **connection != here)
        .flat_map(|(_, engagements)| engagements);
    let status = decide::employment(own.iter().chain(elsewhere), today, input.policy.grace_days);
    let says_nothing = |other: &OtherLink| {
        person
            .engagements
            .get(&other.connection)
            .is_none_or(Vec::is_empty)
    };
    let held_elsewhere = others
        .iter()
        .any(|other| other.present && says_nothing(other));
    match status {
        EngagementStatus::Ended if held_elsewhere => EngagementStatus::Unknown,
        EngagementStatus::Unknown if !stays && own.is_empty() && !held_elsewhere => {
            EngagementStatus::Ended
        }
        status => status,
    }
}

/// The effects on engagements, employment and access.
pub(super) fn employ(
    input: &Input<'_>,
    person: &Person,
    mine: Option<Vec<Engagement>>,
    turn: Turn,
    effects: &mut Vec<Planned>,
) {
    if input.policy.flow(Field::Engagements) == Flow::In {
        let now = person
            .engagements
            .get(&input.connection)
            .cloned()
            .unwrap_or_default();
        if let Some(mine) = mine.filter(|mine| *mine != now) {
            let said = |engagements: Vec<Engagement>| {
                let value = Value::Engagements(engagements);
                Said::Value(FieldValue {
                    field: Field::Engagements,
                    value,
                })
            };
            effects.push(Planned::free(Effect::Set {
                field: Field::Engagements,
                from: said(now),
                to: said(mine),
            }));
        }
        if turn.employment != person.employment {
            effects.push(Planned::free(Effect::Employment {
                from: person.employment,
                to: turn.employment,
            }));
        }
    }
    if turn.access != person.access {
        effects.push(Planned::free(Effect::Access {
            from: person.access,
            to: turn.access,
        }));
    }
}

/// Ties everything that tells of a leaving to its brake, and to what holds it:
/// a source that may lie writes no end dates either.
pub(super) fn tie(effects: &mut [Planned], brake: BrakeKind, held: Option<HoldKind>) {
    for planned in effects {
        let of_leaving = match &planned.effect {
            Effect::Employment { .. } | Effect::Access { .. } => true,
            Effect::Set { field, .. } => field.tells_employment(),
            _ => false,
        };
        if of_leaving {
            planned.brake = Some(brake);
            planned.held = held;
        }
    }
}

fn compare_fields(
    input: &Input<'_>,
    verdict: &Verdict,
    touched: &Touched,
    record: &SourceRecord,
    known: &Known<'_>,
    today: Date,
    effects: &mut Vec<Planned>,
) {
    let theirs: Fields = if record.whole {
        record.on(today)
    } else {
        record.fields.only(|field| field != Field::Engagements)
    };
    let ours = &known.person.fields;
    for field in Field::ALL {
        // Employment and managers have steps of their own.
        if field.is_manager() || matches!(field, Field::Engagements | Field::EmploymentStatus) {
            continue;
        }
        if !owns(input, known.others, field) {
            continue;
        }
        let (said, held) = (theirs.get(field), ours.get(field));
        let link = touched.link.as_ref();
        let Some(wish) = compare::wish(input.policy, field, link, said, held, input.key) else {
            continue;
        };
        let value = |said| FieldValue::said(field, said);
        effects.push(match wish {
            Wish::TakeTheirs => {
                let effect = Effect::Set {
                    field,
                    from: value(held),
                    to: value(said),
                };
                // A first value changes no key: only another one does.
                if is_key(field) && held.value().is_some() {
                    Planned::braked(effect, BrakeKind::KeyChanged)
                } else {
                    Planned::free(effect)
                }
            }
            Wish::Clear => {
                let effect = Effect::Set {
                    field,
                    from: value(held),
                    to: Said::Null,
                };
                let mut planned = Planned::braked(effect, BrakeKind::FieldEmptied);
                if !verdict.allows_emptying(field) || !record.whole {
                    planned.held = Some(HoldKind::Doubt);
                }
                planned
            }
            Wish::GiveOurs => {
                let effect = Effect::Outward {
                    field,
                    theirs: value(said),
                    ours: value(held),
                };
                let brake = if field == Field::BankAccount {
                    BrakeKind::OutwardBankAccount
                } else {
                    BrakeKind::OutwardWrite
                };
                Planned::braked(effect, brake)
            }
            Wish::Ask => Planned::free(Effect::Conflict {
                field,
                theirs: value(said),
                ours: value(held),
            }),
        });
    }
}

/// Keys and addresses: what somebody could be taken for somebody else by.
const fn is_key(field: Field) -> bool {
    matches!(
        field,
        Field::WorkEmail | Field::PersonalEmail | Field::EmployeeNumber | Field::NationalId
    )
}

/// The next day on which the record means something else by itself.
pub(super) fn due_on(engagements: &[Engagement], today: Date, grace_days: u16) -> Option<Date> {
    let turns = engagements
        .iter()
        .filter_map(|one| one.next_change_after(today));
    let grace_over = engagements
        .iter()
        .filter_map(|one: &engagement::Engagement| one.end_date.value())
        .filter_map(|end| end.checked_add((i64::from(grace_days) + 1).days()).ok())
        .filter(|day| *day > today);
    let begins_within_grace = engagements
        .iter()
        .filter_map(|one| one.start_date.value())
        .filter_map(|start| start.checked_sub(i64::from(grace_days).days()).ok())
        .filter(|day| *day > today);
    turns.chain(grace_over).chain(begins_within_grace).min()
}
