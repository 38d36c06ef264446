//! Job titles as occupation codes: the vendor has no free-text title.

use std::collections::BTreeMap;

use crate::company::Company;

use super::resource::Resource;
use super::row::{Cell, Row};

/// Occupation codes have seven digits.
const CODES: u64 = 9_000_000;
const FIRST_CODE: u64 = 1_000_000;

/// The titles of a company, each with its code.
///
/// A title's code comes from its letters, so that it is the same in the company
/// of another day; only when two titles meet does the later in the alphabet
/// move on to the next free code. A code is also its row's id.
#[derive(Debug)]
pub(super) struct Occupations {
    by_title: BTreeMap<String, u64>,
}

impl Occupations {
    pub(super) fn of(company: &Company) -> Self {
        let mut by_title: BTreeMap<String, u64> = BTreeMap::new();
        let titles = company
            .employees
            .iter()
            .flat_map(|employee| &employee.engagements)
            .flat_map(|engagement| &engagement.periods)
            .map(|period| period.job_title.as_str())
            .filter(|title| !title.is_empty());
        for title in titles {
            if !by_title.contains_key(title) {
                by_title.insert(title.to_owned(), 0);
            }
        }
        let mut taken = std::collections::BTreeSet::new();
        for (title, code) in &mut by_title {
            let mut wish = letters_hash(title) % CODES;
            while !taken.insert(wish) {
                wish = (wish + 1) % CODES;
            }
            *code = FIRST_CODE + wish;
        }
        Self { by_title }
    }

    /// The row id of a title; none for an empty title.
    pub(super) fn id(&self, title: &str) -> Option<u64> {
        self.by_title.get(title).copied()
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        self.by_title
            .iter()
            .map(|(title, code)| {
                Row::new(Resource::OccupationCode, *code, 0)
                    .with("nameNO", Cell::text(title.as_str()))
                    .with("code", Cell::text(code.to_string()))
            })
            .collect()
    }
}

/// FNV-1a over the title's bytes: the same on every machine and in every version.
pub(super) fn letters_hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
