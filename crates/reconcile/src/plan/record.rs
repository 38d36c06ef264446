//! A record that was read: who is it, and what follows?

use jiff::civil::Date;
use muster_model::engagement::EngagementStatus;
use muster_model::plan::{Change, Effect, HoldKind, Planned, Rest};
use muster_model::policy::{BrakeKind, MatchedReaction};
use muster_model::time::date_in;
use muster_model::{
    Access, Answer, Field, MatchKey, Presence, Reaction, Reason, Situation, SourceRecord,
};

use super::claims::Claims;
use super::rows::{Rows, precondition, quiet};
use super::subject::{Subject, due_on};
use super::{linked, managing};
use crate::input::{Candidate, Input, Touched};
use crate::matching::{self, Match};
use crate::resolve::beginnings;
use crate::scope::{self, Scope};
use crate::trust::{Follows, Verdict};
use crate::{decide, decided};

/// What every record of a plan is judged with.
pub(super) struct Judge<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) verdict: &'a Verdict,
    pub(super) claims: &'a Claims,
}

impl<'a> Judge<'a> {
    /// Takes one record through the steps.
    pub(super) fn plan(&self, touched: &Touched, source: &SourceRecord, rows: &mut Rows) {
        let (Some(link), Some(person)) = (&touched.link, &touched.person) else {
            return self.unlinked(touched, source, rows);
        };
        if matches!((link.revision, source.revision), (Some(known), Some(read)) if read < known) {
            // A row, although nothing is done: somebody may say that it is right.
            let mut change = row(touched, source, Situation::Linked, Reaction::Report, None);
            change.settles = false;
            change.reasons.push(Reason::new(
                Reason::OLDER,
                "an older revision than the one known; a newer one decides by itself, or a person who releases it",
            ));
            return rows.push(change);
        }
        let situation = match scope::judge(self.input.policy, source, true) {
            Scope::Invalid(fields) => return invalid(touched, source, &fields, rows),
            // A tombstone says more than the fields that it no longer has.
            _ if source.presence == Presence::Removed => Situation::Removed,
            Scope::Out(_) => Situation::OutOfScope,
            Scope::In => Situation::Linked,
        };
        let subject = Subject {
            input: self.input,
            verdict: self.verdict,
            external_id: &source.external_id,
            person,
            link: Some(link),
            others: &touched.others,
            siblings: &touched.siblings,
        };
        linked::plan(&subject, touched, source, situation, rows);
    }

    fn unlinked(&self, touched: &Touched, source: &SourceRecord, rows: &mut Rows) {
        let id = &source.external_id;
        if source.presence == Presence::Removed {
            let reason = Reason::new(
                "match.removed_before_known",
                "deleted before anybody knew it",
            );
            return rows.rest(quiet(id, Rest::Ignored, reason, None));
        }
        match scope::judge(self.input.policy, source, false) {
            Scope::In => {}
            Scope::Out(fields) => {
                let reason = Reason::new("scope.lacks", format!("has no {}", names(&fields)));
                return rows.rest(quiet(id, Rest::OutOfScope, reason, None));
            }
            Scope::Invalid(fields) => return invalid(touched, source, &fields, rows),
        }
        let answer = decided::match_answer(touched, self.input.key);
        if let Some(reason) = answer.and_then(decided::left) {
            return rows.rest(quiet(id, Rest::Ignored, reason, None));
        }
        match answer {
            Some(Answer::Link(person)) => {
                if let Some(candidate) = self.input.holders.candidates.get(&person) {
                    return self.matched(touched, source, candidate, &[], rows);
                }
            }
            Some(Answer::Create) if !is_known(self.input, source) => {
                return self.joiner(touched, source, true, rows);
            }
            _ => {}
        }
        let over = is_over(self.input, source);
        let greyed = self.input.policy.matched == MatchedReaction::Taken;
        match self.claims.settle(
            id,
            matching::find(
                source,
                self.input.policy,
                self.input.key,
                &self.input.holders,
            ),
            over,
        ) {
            Match::Person { person, agreeing } => {
                if let Some(candidate) = self.input.holders.candidates.get(&person) {
                    let by: Vec<Field> = agreeing.iter().map(|key| key.field()).collect();
                    self.matched(touched, source, candidate, &by, rows);
                }
            }
            // Nobody is made, joined or asked about for a record that is over.
            Match::New if over => {
                let reason =
                    Reason::new("match.ended_before_known", "left before anybody knew them");
                rows.rest(quiet(id, Rest::Ignored, reason, None));
            }
            Match::Ambiguous(reason) | Match::Taken(reason) if over => {
                rows.rest(quiet(id, Rest::Ignored, reason, None));
            }
            Match::New => self.joiner(touched, source, false, rows),
            Match::Taken(reason) if greyed => {
                rows.rest(quiet(id, Rest::Ignored, reason, None));
            }
            Match::Taken(reason) => undecided(touched, source, Situation::Taken, reason, rows),
            Match::Ambiguous(reason) => {
                undecided(touched, source, Situation::Ambiguous, reason, rows);
            }
        }
    }

    fn matched(
        &self,
        touched: &Touched,
        source: &SourceRecord,
        candidate: &'a Candidate,
        by: &[Field],
        rows: &mut Rows,
    ) {
        let subject = Subject {
            input: self.input,
            verdict: self.verdict,
            external_id: &source.external_id,
            person: &candidate.person,
            link: None,
            others: &candidate.others,
            siblings: &candidate.siblings,
        };
        let joined = Touched {
            link: None,
            person: Some(candidate.person.clone()),
            ..touched.clone()
        };
        let before = rows.changes.len();
        linked::plan(&subject, &joined, source, Situation::Matched, rows);
        if let Some(change) = rows.changes.get_mut(before) {
            change.reasons.push(if by.is_empty() {
                Reason::new(Reason::MATCH_DECIDED, "joined as decided")
            } else {
                Reason::new("match.by", names(by))
            });
        }
    }

    fn joiner(&self, touched: &Touched, source: &SourceRecord, decided: bool, rows: &mut Rows) {
        let policy = self.input.policy;
        let today = day_of(self.input, source);
        let (reaction, access) = match decide::joiner(policy) {
            // Somebody answered: there is nothing left to ask.
            (Reaction::Ask | Reaction::Offer, _) if decided => {
                (Reaction::Create, Access::NotInvited)
            }
            joiner => joiner,
        };
        let engagements = source.engagements().unwrap_or_default();
        let due_on = due_on(engagements.iter(), today, policy.grace_days);
        let mut change = row(touched, source, Situation::New, reaction, due_on);
        change.reasons.push(if decided {
            Reason::new(Reason::MATCH_DECIDED, "made as decided")
        } else {
            Reason::new("match.new", "no key names anybody")
        });
        match reaction {
            Reaction::Create | Reaction::Invite => {
                let fields = beginnings(source, policy, today);
                let create = Effect::Create { fields, access };
                let mut planned = if decided {
                    Planned::free(create)
                } else {
                    Planned::braked(create, BrakeKind::Create)
                };
                if !decided && !self.verdict.allows(Follows::Create) || !source.whole {
                    planned.held = Some(HoldKind::Doubt);
                    change.settles = false;
                }
                change.effects.push(planned);
                managing::state_of_joiner(self.input, source, precondition(touched), today, rows);
            }
            // A candidate rests until it changes or somebody picks it; a question does not rest.
            Reaction::Offer => {}
            _ => change.settles = false,
        }
        rows.push(change);
    }
}

/// Is somebody known by a strong key of the record? Nobody decides that a human
/// is made twice.
fn is_known(input: &Input<'_>, source: &SourceRecord) -> bool {
    MatchKey::ALL
        .into_iter()
        .filter(|key| key.is_strong())
        .filter_map(|key| Some((key, key.digest(&source.fields, input.key)?)))
        .any(|place| {
            let people = input.holders.people.get(&place);
            people.is_some_and(|people| !people.is_empty())
        })
}

/// The civil day of somebody of whom only the record is known.
fn day_of(input: &Input<'_>, source: &SourceRecord) -> Date {
    date_in(input.now, &(input.zone_of)(&source.fields))
}

/// Is every engagement over, of which the record speaks?
pub(super) fn is_over(input: &Input<'_>, source: &SourceRecord) -> bool {
    let engagements = source.engagements().unwrap_or_default();
    let today = day_of(input, source);
    decide::employment(engagements.iter(), today, input.policy.grace_days)
        == EngagementStatus::Ended
}

fn invalid(touched: &Touched, source: &SourceRecord, fields: &[Field], rows: &mut Rows) {
    rows.people.invalid += 1;
    let mut row = row(touched, source, Situation::Invalid, Reaction::Report, None);
    row.settles = false;
    row.reasons.push(Reason::new(
        "scope.required_field",
        format!(
            "missing or unreadable: {}; mend it in the source",
            names(fields)
        ),
    ));
    rows.push(row);
}

fn undecided(
    touched: &Touched,
    source: &SourceRecord,
    situation: Situation,
    reason: Reason,
    rows: &mut Rows,
) {
    let mut change = row(touched, source, situation, Reaction::Ask, None);
    change.reasons.push(reason);
    change.settles = false;
    rows.push(change);
}

/// A row without effects yet; what could not be read is said with every row.
pub(super) fn row(
    touched: &Touched,
    source: &SourceRecord,
    situation: Situation,
    reaction: Reaction,
    due_on: Option<Date>,
) -> Change {
    let unreadable = source.problems.iter().map(|problem| {
        Reason::new(
            "field.unreadable",
            format!("{}: {}", problem.field, problem.code),
        )
    });
    Change {
        external_id: Some(source.external_id.clone()),
        person: touched.person.as_ref().map(|person| person.id),
        situation,
        reaction,
        effects: Vec::new(),
        reasons: unreadable.collect(),
        precondition: precondition(touched),
        due_on,
        settles: true,
    }
}

/// Fields by name, for reasons.
pub(super) fn names(fields: &[Field]) -> String {
    let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
    names.join(", ")
}
