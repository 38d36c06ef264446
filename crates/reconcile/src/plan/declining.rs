//! What an undo set aside, and what a person refused: the planner leaves it
//! alone while the source says the same and we stand where we stood. Fields
//! have their pair in `compare`; here are employment, access and the manager.

use muster_model::link::Choice;
use muster_model::{
    Access, Digest, DigestKey, Engagement, EngagementStatus, Field, Link, PersonId, Said,
    Situation, Value,
};

use super::subject::Subject;
use crate::compare::pair_digest;
use crate::decide::Turn;
use crate::managers::Named;

/// Does the link decline this pair?
pub(super) fn holds(link: Option<&Link>, field: Field, pair: impl FnOnce() -> Digest) -> bool {
    link.and_then(|link| link.decisions.get(&field))
        .is_some_and(|decision| {
            matches!(decision.choice, Choice::Skip | Choice::Declined) && decision.pair == pair()
        })
}

/// The pair of engagements: what this connection would hold, and what it holds.
#[must_use]
pub fn engagements_pair(key: &DigestKey, theirs: &[Engagement], ours: &[Engagement]) -> Digest {
    let [theirs, ours] = [theirs, ours].map(|list| Value::Engagements(list.to_vec()));
    pair_digest(
        key,
        Field::Engagements,
        Said::Value(&theirs),
        Said::Value(&ours),
    )
}

/// The pair of employment and access: what the source says of the record, and
/// where the person stands. No day is in it: an undo holds until the source
/// says something else, not until a date passes.
#[must_use]
pub fn turn_pair(
    key: &DigestKey,
    situation: Situation,
    said: &[Engagement],
    employment: EngagementStatus,
    access: Access,
) -> Digest {
    let situation = match situation {
        Situation::Gone | Situation::Removed | Situation::OutOfScope => situation,
        // Ended is what a linked record is called while it ends somebody.
        _ => Situation::Linked,
    };
    let mut digester = key.digester("pair.turn");
    digester.text(situation.word());
    if situation == Situation::Linked {
        Value::Engagements(said.to_vec()).digest_into(&mut digester);
    }
    digester.text(employment.name()).text(access.name());
    digester.finish()
}

/// The pair of managers: whom the source names, and whom we hold.
#[must_use]
pub fn manager_pair(key: &DigestKey, named: &Named, ours: Option<PersonId>) -> Digest {
    let mut digester = key.digester("pair.manager");
    match named {
        Named::Record(record) => digester.number(0).text(record.as_str()),
        Named::Address(address) => digester.number(1).text(address),
        Named::Nobody => digester.number(2),
    };
    digester.text(&ours.map(|id| id.to_string()).unwrap_or_default());
    digester.finish()
}

/// The turn that stands once what was declined is left alone.
pub(super) fn turn(
    subject: &Subject<'_>,
    situation: Situation,
    said: &[Engagement],
    turn: Turn,
) -> (Turn, bool) {
    let person = subject.person;
    let moves = turn.employment != person.employment || turn.access != person.access;
    let declined = moves
        && holds(subject.link, Field::EmploymentStatus, || {
            turn_pair(
                subject.input.key,
                situation,
                said,
                person.employment,
                person.access,
            )
        });
    if !declined {
        return (turn, false);
    }
    let stays = Turn {
        reaction: muster_model::Reaction::Update,
        employment: person.employment,
        access: person.access,
        spared: None,
    };
    (stays, true)
}
