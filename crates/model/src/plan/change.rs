//! One row of a plan: what would change for one person, and why.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::effect::Effect;
use super::hold::HoldKind;
use super::reason::Reason;
use super::rest::Rest;
use crate::access::Access;
use crate::digest::{Digest, DigestKey, Digester};
use crate::id::{ConnectionId, ExternalId, PersonId};
use crate::policy::MatchKey;
use crate::policy::brakes::BrakeKind;
use crate::report::Class;
use crate::situation::{Reaction, Situation};

/// One row: what would change for one person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The source record; `None` for a person without one.
    pub external_id: Option<ExternalId>,
    /// The person, when there is one.
    pub person: Option<PersonId>,
    /// What matching found.
    pub situation: Situation,
    /// What the policy answers.
    pub reaction: Reaction,
    /// What follows, in the order in which it is done.
    pub effects: Vec<Planned>,
    /// Why, in codes and words without anybody's data.
    pub reasons: Vec<Reason>,
    /// What must still be true when it is applied.
    pub precondition: Precondition,
    /// The day on which the row stops being true; `None` while no date matters.
    pub due_on: Option<Date>,
    /// Is the record at rest once this is done? Held, ambiguous and conflicting
    /// rows never are: they are planned anew at each read.
    pub settles: bool,
}

/// An effect, and whether it is held back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// What would happen.
    pub effect: Effect,
    /// Which brake counts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brake: Option<BrakeKind>,
    /// What holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HoldKind>,
    /// Which connection gave the field's value before; `None` for ours. With it
    /// an undo knows whose the field was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<ConnectionId>,
}

impl Planned {
    /// An effect that no brake counts.
    #[must_use]
    pub const fn free(effect: Effect) -> Self {
        Self {
            effect,
            brake: None,
            held: None,
            owner: None,
        }
    }

    /// An effect that a brake counts.
    #[must_use]
    pub const fn braked(effect: Effect, brake: BrakeKind) -> Self {
        Self {
            effect,
            brake: Some(brake),
            held: None,
            owner: None,
        }
    }
}

/// What must still be true when a row is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Precondition {
    /// The person's version; `None` when there must be no person yet.
    pub person_version: Option<u64>,
    /// The link's version; `None` when there must be no link yet.
    pub link_version: Option<u64>,
    /// The digest of the record it was computed from; `None` for a missing record.
    pub record: Option<Digest>,
}

impl Change {
    /// The class the row is counted in: the first that applies in the order of
    /// the run report. `failed` is known only after applying.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        // The classes add up to the records in scope plus the gone.
        match self.situation {
            Situation::OursOnly => None,
            _ => Some(self.class_of_record()),
        }
    }

    /// Is it about a record that is older than the one known?
    #[must_use]
    pub fn is_older(&self) -> bool {
        let older = |reason: &Reason| reason.code == Reason::OLDER;
        self.effects.is_empty() && self.reasons.iter().any(older)
    }

    /// Does the row take back what a run did?
    #[must_use]
    pub fn takes_back(&self) -> bool {
        self.reasons
            .iter()
            .any(|reason| reason.code == Reason::UNDONE)
    }

    /// What the record is once everything of the row is done.
    #[must_use]
    pub fn rest(&self) -> Rest {
        let decided = |reason: &Reason| reason.code == Reason::DECIDED;
        match (self.situation, self.reaction) {
            (Situation::Gone, _) => Rest::Gone,
            (Situation::OutOfScope, _) => Rest::OutOfScope,
            (Situation::Removed, _) | (_, Reaction::Report | Reaction::Offer) => Rest::Ignored,
            _ if self.reasons.iter().any(decided) => Rest::Ignored,
            _ => Rest::Unchanged,
        }
    }

    /// The keyed digest of what this kind would hold of the row: what a release
    /// or a refusal is about. `None` when the row has nothing of the kind.
    #[must_use]
    pub fn matter_of(&self, kind: HoldKind, key: &DigestKey) -> Option<Digest> {
        let brakes = kind.brakes();
        let mut digester = key.digester("held");
        let mut any = false;
        for planned in &self.effects {
            if !planned.brake.is_some_and(|brake| brakes.contains(&brake)) {
                continue;
            }
            any = true;
            match &planned.effect {
                // Whoever is created is known by their keys: another telephone number
                // is no other person.
                Effect::Create { fields, .. } => {
                    for match_key in MatchKey::ALL {
                        match match_key.digest(fields, key) {
                            None => digester.number(0),
                            Some(digest) => digester.number(1).digest(&digest),
                        };
                    }
                }
                effect => effect.digest_into(&mut digester),
            }
        }
        any.then(|| digester.finish())
    }

    fn class_of_record(&self) -> Class {
        let any = |test: fn(&Effect) -> bool| {
            self.effects
                .iter()
                .any(|planned| planned.held.is_none() && test(&planned.effect))
        };
        match self.situation {
            Situation::Ambiguous | Situation::Taken => return Class::Ambiguous,
            Situation::Invalid => return Class::Failed,
            _ => {}
        }
        if any(|effect| matches!(effect, Effect::Conflict { .. })) || self.reaction == Reaction::Ask
        {
            Class::Conflicts
        } else if self.effects.iter().any(|planned| planned.held.is_some()) {
            Class::Held
        } else if any(|effect| matches!(effect, Effect::Create { .. })) {
            Class::Created
        } else if self.reaction == Reaction::Restore {
            Class::Restored
        } else if any(|effect| {
            matches!(
                effect,
                Effect::Access {
                    to: Access::Suspended,
                    ..
                }
            )
        }) {
            Class::Suspended
        } else if matches!(
            self.reaction,
            Reaction::End | Reaction::Withdraw | Reaction::Remove
        ) {
            Class::Ended
        } else if any(|effect| matches!(effect, Effect::Link)) {
            Class::Linked
        } else if any(|effect| {
            !matches!(
                effect,
                Effect::MarkGone
                    | Effect::Outward { .. }
                    | Effect::Decide { .. }
                    | Effect::DeclineRecord { .. }
                    | Effect::Answer { .. }
                    | Effect::Cancel { .. }
            )
        }) {
            Class::Updated
        } else {
            Class::Ignored
        }
    }

    /// Adds what the hash of a plan covers.
    pub(super) fn digest_into(&self, digester: &mut Digester) {
        digester
            .text(self.external_id.as_ref().map_or("", ExternalId::as_str))
            .text(&self.person.map(|id| id.to_string()).unwrap_or_default())
            .text(self.situation.word())
            .text(self.reaction.word())
            .number(u64::from(self.settles))
            .text(&self.due_on.map(|date| date.to_string()).unwrap_or_default());
        digester.number(self.effects.len() as u64);
        for planned in &self.effects {
            planned.effect.digest_into(digester);
            digester.text(planned.held.map_or("", HoldKind::word));
        }
        digester.number(self.reasons.len() as u64);
        for reason in &self.reasons {
            digester.text(&reason.code).text(&reason.detail);
        }
        for version in [
            self.precondition.person_version,
            self.precondition.link_version,
        ] {
            digester.number(version.map_or(u64::MAX, |version| version));
        }
        if let Some(record) = &self.precondition.record {
            digester.digest(record);
        }
    }
}
