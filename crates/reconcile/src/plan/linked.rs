//! A record that was read, and the person to whom it is joined.

use jiff::civil::Date;
use muster_model::engagement::EngagementStatus;
use muster_model::plan::{Change, Effect, HoldKind, Planned, Rest};
use muster_model::policy::BrakeKind;
use muster_model::{Field, Reaction, Reason, Remapped, Situation, SourceRecord};

use super::declining;
use super::employing::{self, Employing};
use super::fields::{self, Compared};
use super::record::row;
use super::rows::{Rows, precondition, quiet};
use super::subject::Subject;
use super::{managing, record};
use crate::decide::{Spared, Turn};
use crate::enact;
use crate::input::Touched;
use crate::trust::Follows;

/// Takes a record through comparing and deciding.
pub(super) fn plan(
    subject: &Subject<'_>,
    touched: &Touched,
    source: &SourceRecord,
    situation: Situation,
    rows: &mut Rows,
) {
    let policy = subject.input.policy;
    let id = &source.external_id;
    if situation == Situation::OutOfScope && !policy.cuts(policy.out_of_scope) {
        let reason = Reason::new(Spared::Policy.code(), "no longer covered; access stays");
        return rows.rest(quiet(id, Rest::OutOfScope, reason, None));
    }
    let today = subject.today();
    let stays = matches!(situation, Situation::Linked | Situation::Matched);
    let employing = if stays {
        Employing::of(subject, source)
    } else {
        Employing::none(subject)
    };
    let (employing, engagements_declined) = employing.without_declined(subject);
    let employment = employing.union(subject, today);
    let said = source.engagements().unwrap_or_default();
    let turn = subject.turn(situation, employment, today);
    let (turn, turn_declined) = declining::turn(subject, situation, said, turn);
    let mut compared = if stays {
        fields::compare(subject, source, today)
    } else {
        Compared::default()
    };
    if engagements_declined {
        compared.decided.push(Field::Engagements);
    }
    if turn_declined {
        compared.decided.push(Field::EmploymentStatus);
    }
    if stays && managing::state(subject, source, precondition(touched), today, rows) {
        compared.decided.push(Field::ManagerExternalId);
    }
    let outcome = Outcome {
        situation,
        turn,
        employment,
        stays,
        due_on: subject.due_on(source.engagements().unwrap_or_default(), today),
    };
    let effects = outcome.effects(subject, source, employing, &compared);
    if employing::takes_access(&effects) && subject.person.standing.administrator {
        rows.administrators_leaving.insert(subject.person.id);
    }
    let settles =
        !matches!(turn.spared, Some(Spared::Protected)) || !subject.is_last_administrator();
    if effects.is_empty() {
        let mut at_rest = quiet(
            id,
            outcome.rest(&compared),
            outcome.at_rest(&compared),
            outcome.due_on,
        );
        // What a doubt keeps from being marked is looked at again.
        at_rest.settles = settles && !outcome.still_holds(subject) && compared.later.is_empty();
        // A link that holds nobody takes over nothing.
        at_rest.believed = stays;
        return rows.rest(at_rest);
    }
    rows.push(outcome.change(subject, touched, source, effects, &compared, settles));
}

/// What was decided for one record.
struct Outcome {
    situation: Situation,
    turn: Turn,
    employment: EngagementStatus,
    stays: bool,
    due_on: Option<Date>,
}

impl Outcome {
    fn effects(
        &self,
        subject: &Subject<'_>,
        source: &SourceRecord,
        employing: Employing,
        compared: &Compared,
    ) -> Vec<Planned> {
        let mut effects = Vec::new();
        if subject.is_first() {
            effects.push(Planned::free(Effect::Link));
        }
        effects.extend(compared.effects.iter().cloned());
        effects.extend(employing.effects(subject, self.turn));
        let leaving = employing::is_leaving(&effects);
        let held = self.held(subject, source);
        if leaving || !self.stays {
            // Whoever keeps access is in nobody's way: no brake counts them.
            let brake = (leaving && self.turn.spared.is_none()).then(|| self.brake());
            employing::tie(&mut effects, brake, held);
        } else if subject.verdict.is_older_copy() && employing::is_returning(&effects) {
            employing::tie(&mut effects, None, Some(HoldKind::Doubt));
        }
        // Deleted, or covered no more: the record holds nobody from now on.
        if self.still_holds(subject) && held.is_none() {
            effects.push(Planned::free(Effect::MarkGone));
        }
        effects
    }

    /// Does the link still count, although the record no longer holds anybody?
    fn still_holds(&self, subject: &Subject<'_>) -> bool {
        !self.stays && subject.link.is_some_and(|link| link.gone_since.is_none())
    }

    fn brake(&self) -> BrakeKind {
        match self.situation {
            Situation::OutOfScope => BrakeKind::SuspendSilent,
            _ => BrakeKind::SuspendSaid,
        }
    }

    /// What holds a leaving that stands in the record: a doubt, or that nobody
    /// is suspended, ended or removed by the first read that knows them.
    fn held(&self, subject: &Subject<'_>, source: &SourceRecord) -> Option<HoldKind> {
        let follows = match self.situation {
            Situation::OutOfScope => Follows::Gone,
            _ => Follows::Ended,
        };
        if subject.is_first() || subject.verdict.is_first_read() {
            Some(HoldKind::FirstRead)
        } else if !subject.verdict.allows(follows) || !source.whole {
            Some(HoldKind::Doubt)
        } else {
            None
        }
    }

    fn rest(&self, compared: &Compared) -> Rest {
        match self.situation {
            Situation::OutOfScope => Rest::OutOfScope,
            Situation::Removed => Rest::Ignored,
            _ if self.turn.spared.is_some() || !compared.decided.is_empty() => Rest::Ignored,
            _ => Rest::Unchanged,
        }
    }

    fn at_rest(&self, compared: &Compared) -> Reason {
        match self.situation {
            Situation::OutOfScope => Reason::new("scope.left", "dealt with before"),
            Situation::Removed => Reason::new("decide.removed_before", "dealt with before"),
            _ => match self.turn.spared {
                Some(spared) => Reason::new(spared.code(), "employment is over, access stays"),
                None if compared.decided.is_empty() => {
                    Reason::new("compare.same", "nothing differs")
                }
                None => decided(&compared.decided),
            },
        }
    }

    fn change(
        &self,
        subject: &Subject<'_>,
        touched: &Touched,
        source: &SourceRecord,
        effects: Vec<Planned>,
        compared: &Compared,
        settles: bool,
    ) -> Change {
        let ended = self.stays && employing::is_leaving(&effects);
        let situation = match self.situation {
            Situation::Linked if ended => Situation::Ended,
            situation => situation,
        };
        let reaction = match self.turn.reaction {
            Reaction::Update if subject.is_first() => Reaction::Link,
            Reaction::Update if only_marks(&effects) => Reaction::Report,
            Reaction::Update if only_outward(&effects) => Reaction::UpdateSource,
            Reaction::Update if asks(&effects) => Reaction::Ask,
            reaction => reaction,
        };
        let mut change = row(touched, source, situation, reaction, self.due_on);
        change.settles = settles && effects.iter().all(is_final) && compared.later.is_empty();
        if subject
            .link
            .is_some_and(|link| enact::remapped(link, source) != Remapped::No)
        {
            change.reasons.push(Reason::new(
                Reason::REMAPPED,
                "read by another version of the mapping than before",
            ));
        }
        change.reasons.extend(self.reasons(subject, ended));
        change.reasons.extend(says_otherwise(&effects));
        if !compared.decided.is_empty() {
            change.reasons.push(decided(&compared.decided));
        }
        if !compared.frozen.is_empty() {
            change.reasons.push(Reason::new(
                Reason::FROZEN,
                format!(
                    "went back and forth three times within a day; not written until somebody decides, or for a day: {}",
                    record::names(&compared.frozen)
                ),
            ));
        }
        if !compared.not_written.is_empty() {
            change.reasons.push(Reason::new(
                "outward.bad_field",
                format!(
                    "not written while a field for the source is bad: {}",
                    record::names(&compared.not_written)
                ),
            ));
        }
        change.effects = effects;
        change
    }

    fn reasons(&self, subject: &Subject<'_>, ended: bool) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if let Some(spared) = self.turn.spared {
            reasons.push(Reason::new(
                spared.code(),
                "employment is over, access stays",
            ));
        }
        let before = subject.person.employment;
        let why = match self.situation {
            _ if self.turn.reaction == Reaction::Restore => Some(Reason::new(
                "decide.returned",
                "the record is there, and employment runs",
            )),
            Situation::Removed => Some(Reason::new(
                "decide.removed",
                "the source deleted the record",
            )),
            Situation::OutOfScope => Some(Reason::new(
                "decide.out_of_scope",
                "the policy no longer covers the record",
            )),
            _ if ended => Some(Reason::new("decide.ended", "every engagement is over")),
            _ if before != self.employment => Some(Reason::new(
                "decide.employment",
                format!("{} becomes {}", before.name(), self.employment.name()),
            )),
            _ => None,
        };
        reasons.extend(why);
        reasons
    }
}

/// Fields that follow the source, because it owns them and says something else.
fn says_otherwise(effects: &[Planned]) -> Option<Reason> {
    let fields: Vec<Field> = effects
        .iter()
        .filter_map(|planned| match planned.effect {
            Effect::Set { field, .. } if !field.tells_employment() => Some(field),
            _ => None,
        })
        .collect();
    (!fields.is_empty()).then(|| {
        Reason::new(
            "compare.theirs_changed",
            format!("the source says otherwise: {}", record::names(&fields)),
        )
    })
}

fn decided(fields: &[Field]) -> Reason {
    Reason::new(
        Reason::DECIDED,
        format!("left as decided: {}", record::names(fields)),
    )
}

/// Is nothing left to do or to decide once this effect is done?
fn is_final(planned: &Planned) -> bool {
    planned.held.is_none()
        && !matches!(
            planned.effect,
            Effect::Conflict { .. } | Effect::Outward { .. }
        )
}

fn only_marks(effects: &[Planned]) -> bool {
    effects
        .iter()
        .all(|planned| matches!(planned.effect, Effect::MarkGone))
}

fn only_outward(effects: &[Planned]) -> bool {
    effects
        .iter()
        .all(|planned| matches!(planned.effect, Effect::Outward { .. }))
}

/// Is nothing done here before somebody has decided?
fn asks(effects: &[Planned]) -> bool {
    effects.iter().all(|planned| {
        matches!(
            planned.effect,
            Effect::Conflict { .. } | Effect::Outward { .. }
        )
    })
}
