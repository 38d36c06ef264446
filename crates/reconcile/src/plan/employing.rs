//! Engagements, employment and access: what a record does to the union.

use jiff::civil::Date;
use muster_model::engagement::EngagementStatus;
use muster_model::plan::{Effect, FieldValue, HoldKind, Planned};
use muster_model::policy::BrakeKind;
use muster_model::{Access, Engagement, Field, Flow, Said, SourceRecord, Value};

use super::declining;
use super::subject::Subject;
use crate::decide::{self, Turn};
use crate::input::OtherLink;

/// What this connection says of a person's employment from now on.
pub(super) struct Employing {
    /// All engagements here; `None` while nothing is said, and what was stays.
    pub(super) here: Option<Vec<Engagement>>,
    /// Does the record hold the person: there, covered, and not deleted?
    pub(super) holds: bool,
}

impl Employing {
    /// Of a record that is there. A source that stops listing engagements says
    /// nothing about them: an empty list ends nobody and brings nobody back. Nor
    /// does a record that is not whole: an engagement without its last day looks
    /// like one that runs.
    pub(super) fn of(subject: &Subject<'_>, record: &SourceRecord) -> Self {
        let said = record
            .engagements()
            .filter(|said| record.whole && !said.is_empty());
        Self {
            here: said.map(|said| with_siblings(subject, &with_known_days(subject, said))),
            holds: true,
        }
    }

    /// Of a record that is missing, deleted or no longer covered.
    pub(super) fn none(subject: &Subject<'_>) -> Self {
        Self {
            here: Some(with_siblings(subject, &[])),
            holds: false,
        }
    }

    /// Takes out what was declined: then nothing is said, and what was stays.
    pub(super) fn without_declined(mut self, subject: &Subject<'_>) -> (Self, bool) {
        let input = subject.input;
        let ours = subject.person.engagements.get(&input.connection);
        let ours = ours.map(Vec::as_slice).unwrap_or_default();
        let declined = self.here.as_deref().is_some_and(|theirs| {
            theirs != ours
                && declining::holds(subject.link, Field::Engagements, || {
                    declining::engagements_pair(input.key, theirs, ours)
                })
        });
        if declined {
            self.here = None;
        }
        (self, declined)
    }

    /// Employment by the union over all connections. Somebody whom a record
    /// holds that says nothing of employment is not known to have left: nobody
    /// loses access because a source keeps silent.
    pub(super) fn union(&self, subject: &Subject<'_>, today: Date) -> EngagementStatus {
        let person = subject.person;
        let connection = subject.input.connection;
        let stored = || person.engagements.get(&connection).map(Vec::as_slice);
        let own = self.here.as_deref().or_else(stored).unwrap_or_default();
        let elsewhere = person
            .engagements
            .iter()
            .filter(|(source, _)| **source != connection)
            .flat_map(|(_, engagements)| engagements);
        let silent = |other: &OtherLink| {
            other.present
                && person
                    .engagements
                    .get(&other.connection)
                    .is_none_or(Vec::is_empty)
        };
        let held_silently = self.holds && own.is_empty()
            || subject.others.iter().any(silent)
            || subject
                .siblings
                .iter()
                .any(|sibling| sibling.present && sibling.engagements.is_empty());
        let all = own.iter().chain(elsewhere);
        let nothing_said = all.clone().next().is_none();
        match decide::employment(all, today, subject.input.policy.grace_days) {
            EngagementStatus::Ended if held_silently => EngagementStatus::Unknown,
            EngagementStatus::Unknown if nothing_said && !held_silently => EngagementStatus::Ended,
            status => status,
        }
    }

    /// The effects on engagements, employment and access.
    pub(super) fn effects(self, subject: &Subject<'_>, turn: Turn) -> Vec<Planned> {
        let mut effects = Vec::new();
        if subject.input.policy.flow(Field::Engagements) == Flow::In {
            effects.extend(self.engagements(subject));
            let from = subject.person.employment;
            if turn.employment != from {
                effects.push(Planned::free(Effect::Employment {
                    from,
                    to: turn.employment,
                }));
            }
        }
        let from = subject.person.access;
        if turn.access != from {
            effects.push(Planned::free(Effect::Access {
                from,
                to: turn.access,
            }));
        }
        effects
    }

    fn engagements(self, subject: &Subject<'_>) -> Option<Planned> {
        let before = subject
            .person
            .engagements
            .get(&subject.input.connection)
            .cloned()
            .unwrap_or_default();
        let after = self.here.filter(|after| *after != before)?;
        let said = |engagements| {
            Said::Value(FieldValue {
                field: Field::Engagements,
                value: Value::Engagements(engagements),
            })
        };
        Some(Planned::free(Effect::Set {
            field: Field::Engagements,
            from: said(before),
            to: said(after),
        }))
    }
}

/// Engagements with the days that were known before wherever the source now
/// keeps silent about them: absent changes nothing, while null takes a day back.
fn with_known_days(subject: &Subject<'_>, said: &[Engagement]) -> Vec<Engagement> {
    let connection = subject.input.connection;
    let known = subject.person.engagements.get(&connection);
    let known = known.map(Vec::as_slice).unwrap_or_default();
    said.iter()
        .map(|engagement| {
            let mut engagement = engagement.clone();
            if let Some(before) = known.iter().find(|before| before.id == engagement.id) {
                if engagement.end_date.is_absent() {
                    engagement.end_date = before.end_date;
                    // The reason belongs to the day: without it, it is not known to be of it.
                    engagement.end_reason = before.end_reason.clone();
                }
                engagement.start_date = engagement.start_date.or(before.start_date);
                engagement.status = engagement.status.or(before.status);
            }
            engagement
        })
        .collect()
}

/// One record's engagements together with those of the person's other records here.
fn with_siblings(subject: &Subject<'_>, own: &[Engagement]) -> Vec<Engagement> {
    let mut all = own.to_vec();
    let siblings = subject.siblings.iter().filter(|sibling| sibling.present);
    let mut others = siblings
        .flat_map(|sibling| sibling.engagements.iter().cloned())
        .peekable();
    if others.peek().is_some() {
        all.extend(others);
        // In an order that does not depend on which record is looked at.
        let key = |one: &Engagement| (one.start_date.value().copied(), one.id.clone());
        all.sort_by_key(key);
    }
    all
}

/// Do these effects end the employment, or take the access?
pub(super) fn is_leaving(effects: &[Planned]) -> bool {
    effects.iter().any(|planned| {
        matches!(
            planned.effect,
            Effect::Employment {
                to: EngagementStatus::Ended,
                ..
            } | Effect::Access {
                to: Access::Suspended | Access::Ended,
                ..
            }
        ) || is_withdrawal(&planned.effect)
    })
}

/// Do these effects bring back somebody who had left?
pub(super) fn is_returning(effects: &[Planned]) -> bool {
    effects.iter().any(|planned| {
        matches!(
            planned.effect,
            Effect::Employment {
                from: EngagementStatus::Ended,
                ..
            } | Effect::Access {
                from: Access::Suspended | Access::Ended,
                ..
            }
        )
    })
}

const fn is_withdrawal(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Access {
            from: Access::Invited,
            to: Access::NotInvited
        }
    )
}

/// Ties everything that tells of a leaving to its brake, and to what holds it:
/// a source that may lie writes no end dates either.
pub(super) fn tie(effects: &mut [Planned], brake: Option<BrakeKind>, held: Option<HoldKind>) {
    for planned in effects {
        let of_leaving = match &planned.effect {
            Effect::Employment { .. } | Effect::Access { .. } => true,
            Effect::Set { field, .. } => field.tells_employment(),
            _ => false,
        };
        if of_leaving {
            planned.brake = brake;
            planned.held = held;
        }
    }
}

/// Would these effects take an administrator's access?
pub(super) fn takes_access(effects: &[Planned]) -> bool {
    effects.iter().any(|planned| {
        planned.held.is_none()
            && matches!(
                planned.effect,
                Effect::Access {
                    from: Access::Active,
                    to: Access::Suspended
                }
            )
    })
}
