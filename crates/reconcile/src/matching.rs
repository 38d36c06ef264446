//! Who is it? (`engine.md`, Matching.)

use std::collections::BTreeSet;

use muster_model::policy::MatchedReaction;
use muster_model::values::fold_name;
use muster_model::{
    DigestKey, EngagementStatus, ExternalId, Field, Fields, MatchKey, PersonId, Policy, Reason,
    SourceRecord,
};

use crate::input::{Candidate, KeyHolders};

/// What matching says of a record that has no link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// Nobody is named.
    New,
    /// This person, and nobody else; `agreeing` keys name them.
    Person {
        /// Who.
        person: PersonId,
        /// Keys that are equal on both sides.
        agreeing: BTreeSet<MatchKey>,
    },
    /// Never guessed: a person decides.
    Ambiguous(Reason),
    /// The key belongs to somebody already linked here.
    Taken(Reason),
}

/// Finds whom a record names. The policy's keys and the strong keys are asked:
/// whoever is known by a national id is never created twice, whatever the policy.
#[must_use]
pub fn find(
    record: &SourceRecord,
    policy: &Policy,
    key: &DigestKey,
    holders: &KeyHolders,
) -> Match {
    let mut named: BTreeSet<PersonId> = BTreeSet::new();
    for match_key in asked(policy) {
        let Some(digest) = match_key.digest(&record.fields, key) else {
            continue;
        };
        let place = (match_key, digest);
        let rival: Option<&ExternalId> = holders
            .records
            .get(&place)
            .into_iter()
            .flatten()
            // One that ended before anybody knew it claims nothing, and a linked one
            // speaks through its person.
            .filter(|holder| !holder.linked && holder.running)
            .map(|holder| &holder.external_id)
            .filter(|id| **id != record.external_id)
            // Whatever the order in which they were loaded.
            .min();
        if let Some(rival) = rival {
            return Match::Ambiguous(Reason::new(
                "match.key_on_two_records",
                format!("record {rival} has the same {}", match_key.field()),
            ));
        }
        let people = holders
            .people
            .get(&place)
            .map(Vec::as_slice)
            .unwrap_or_default();
        if people.len() > 1 {
            return Match::Ambiguous(Reason::new(
                "match.key_names_several",
                format!("{} names {} people", match_key.field(), people.len()),
            ));
        }
        named.extend(people);
    }
    let mut named = named.into_iter();
    match (named.next(), named.next()) {
        (None, _) => Match::New,
        (Some(_), Some(_)) => Match::Ambiguous(Reason::new(
            "match.keys_disagree",
            "different keys of the record name different people",
        )),
        (Some(person), None) => match holders.candidates.get(&person) {
            Some(candidate) => weigh(record, policy, candidate),
            // Named by the index and gone when it was loaded: the next read knows better.
            None => Match::Ambiguous(Reason::new(
                "match.person_vanished",
                "the person whom a key names was removed meanwhile",
            )),
        },
    }
}

/// The keys to ask, in order: the policy's, then the strong ones.
pub fn asked(policy: &Policy) -> impl Iterator<Item = MatchKey> + '_ {
    let strong = MatchKey::ALL
        .into_iter()
        .filter(|key| key.is_strong() && !policy.keys.contains(key));
    policy.keys.iter().copied().chain(strong)
}

fn weigh(record: &SourceRecord, policy: &Policy, candidate: &Candidate) -> Match {
    let person = candidate.person.id;
    let ours = &candidate.person.fields;
    if let Some(fields) = contradiction(&record.fields, ours) {
        return Match::Ambiguous(Reason::new(
            "match.key_contradicted",
            format!("a key names person {person}, but {fields} differ"),
        ));
    }
    let agreeing = agreeing(&record.fields, ours);
    let sure = is_sure(&agreeing);
    if policy.matched == MatchedReaction::Taken {
        return Match::Taken(Reason::new(
            "match.taken",
            format!("the key belongs to person {person}"),
        ));
    }
    // A record still there speaks against the key; one that is gone may be the old one.
    let linked_here = candidate
        .linked_here
        .iter()
        .max_by_key(|(id, present)| (*present, std::cmp::Reverse(id)));
    if !sure && let Some((other, present)) = linked_here {
        let reason = Reason::new(
            "match.taken",
            format!(
                "person {person} is linked here to record {other}; one key alone joins no second record"
            ),
        );
        return if *present {
            Match::Taken(reason)
        } else {
            Match::Ambiguous(reason)
        };
    }
    let left =
        candidate.person.access.is_off() || candidate.person.employment == EngagementStatus::Ended;
    if !sure && left {
        return Match::Ambiguous(Reason::new(
            "match.returner_on_one_key",
            format!("person {person} has left; one key alone brings nobody back"),
        ));
    }
    if policy.keys_must_agree
        && let Some(key) = disagreeing(policy, &record.fields, ours)
    {
        return Match::Ambiguous(Reason::new(
            "match.keys_must_agree",
            format!("a key names person {person}, but {} differs", key.field()),
        ));
    }
    if !sure && agreeing.iter().any(|key| candidate.recycled.contains(key)) {
        return Match::Ambiguous(Reason::new(
            "match.key_changed_hands",
            format!("the key of person {person} was somebody else's within 400 days"),
        ));
    }
    Match::Person { person, agreeing }
}

/// Do these keys name a human without a doubt: a strong one, or two that agree?
#[must_use]
pub fn is_sure(agreeing: &BTreeSet<MatchKey>) -> bool {
    agreeing.len() >= 2 || agreeing.iter().any(|key| key.is_strong())
}

/// What contradicts the belief that both are the same human.
fn contradiction(theirs: &Fields, ours: &Fields) -> Option<String> {
    let differs = |field: Field| match (theirs.value(field), ours.value(field)) {
        (Some(one), Some(two)) => !one.same(two, field),
        _ => false,
    };
    let name_differs = |field: Field| match (theirs.text(field), ours.text(field)) {
        (Some(one), Some(two)) => fold_name(one) != fold_name(two),
        _ => false,
    };
    if differs(Field::NationalId) {
        Some(Field::NationalId.to_string())
    } else if differs(Field::DateOfBirth) {
        Some(Field::DateOfBirth.to_string())
    } else if name_differs(Field::GivenName) && name_differs(Field::FamilyName) {
        Some(format!("{} and {}", Field::GivenName, Field::FamilyName))
    } else {
        None
    }
}

fn same_key(key: MatchKey, theirs: &Fields, ours: &Fields) -> Option<bool> {
    let field = key.field();
    Some(theirs.value(field)?.key_text(field)? == ours.value(field)?.key_text(field)?)
}

fn agreeing(theirs: &Fields, ours: &Fields) -> BTreeSet<MatchKey> {
    MatchKey::ALL
        .into_iter()
        .filter(|key| same_key(*key, theirs, ours) == Some(true))
        .collect()
}

fn disagreeing(policy: &Policy, theirs: &Fields, ours: &Fields) -> Option<MatchKey> {
    policy
        .keys
        .iter()
        .copied()
        .find(|key| same_key(*key, theirs, ours) == Some(false))
}
