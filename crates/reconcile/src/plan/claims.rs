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
pub(super) struct Claims(BTreeMap<PersonId, Vec<ExternalId>>);

impl Claims {
    /// Asks every touched record that has no link.
    pub(super) fn of(input: &Input<'_>, touched: &[Touched]) -> Self {
        let mut claims: BTreeMap<PersonId, Vec<ExternalId>> = BTreeMap::new();
        let unlinked = touched
            .iter()
            .filter(|touched| touched.link.is_none())
            // Whoever is left alone claims nobody.
            .filter(|touched| {
                decided::match_answer(touched, input.key)
                    .and_then(decided::left)
                    .is_none()
            })
            .filter_map(|touched| touched.record.as_ref());
        for source in unlinked {
            let running = source.presence == Presence::Present
                && scope::judge(input.policy, source, false) == Scope::In
                && !is_over(input, source);
            if !running {
                continue;
            }
            let found = matching::find(source, input.policy, input.key, &input.holders);
            if let Match::Person { person, .. } = found {
                claims
                    .entry(person)
                    .or_default()
                    .push(source.external_id.clone());
            }
        }
        Self(claims)
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
