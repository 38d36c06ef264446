//! Who else claims the same person? Two records of one read can name one
//! person by different keys; a key that names two records is never guessed.

use std::collections::BTreeMap;

use muster_model::{ExternalId, PersonId, Presence, Reason};

use super::record::is_over;
use crate::decided;
use crate::input::{Input, Touched};
use crate::matching::{self, Match};
use crate::scope::{self, Scope};

/// Which records, still running, name a person of whom they hold no link.
#[derive(Debug, Default)]
pub(super) struct Claims(BTreeMap<PersonId, Vec<ExternalId>>);

impl Claims {
    /// Does a record without a link name somebody? Then it waits until all claims
    /// are known; one that still runs is a claim itself.
    pub(super) fn hear(&mut self, input: &Input<'_>, touched: &Touched) -> bool {
        let unlinked = touched.link.is_none() || touched.person.is_none();
        let Some(source) = touched.record.as_ref().filter(|_| unlinked) else {
            return false;
        };
        // Whoever is left alone claims nobody.
        let answer = decided::match_answer(touched, input.key);
        if answer.and_then(decided::left).is_some() {
            return false;
        }
        // Nobody is named where nobody holds a key.
        if input.holders.people.is_empty()
            || source.presence != Presence::Present
            || scope::judge(input.policy, source, false) != Scope::In
        {
            return false;
        }
        let found = matching::find(source, input.policy, input.key, &input.holders);
        let Match::Person { person, .. } = found else {
            return false;
        };
        if touched.link.is_none() && !is_over(input, source) {
            let claims = self.0.entry(person).or_default();
            claims.push(source.external_id.clone());
        }
        true
    }

    /// What a match is worth beside the other claims: without a strong key or
    /// two agreeing ones, a record joins nobody whom another record claims.
    pub(super) fn settle(&self, id: &ExternalId, found: Match, over: bool) -> Match {
        let Match::Person { person, agreeing } = &found else {
            return found;
        };
        if matching::is_sure(agreeing) {
            return found;
        }
        let rival = self
            .0
            .get(person)
            .into_iter()
            .flatten()
            .find(|claim| *claim != id);
        match rival {
            Some(rival) => Match::Ambiguous(Reason::new(
                "match.person_on_two_records",
                if over {
                    format!("over, and record {rival} names the same person {person}")
                } else {
                    format!("record {rival} names the same person {person} by another key")
                },
            )),
            None => found,
        }
    }
}
