//! What a reader must find between two states of a firm.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;

use super::snapshot::{Company, Employee, NationalId};

/// Exact sets of employee ids between a first and a second state, told from
/// what the two states show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// Records that only the second state has, with a work address.
    pub joiners: BTreeSet<u64>,
    /// Records that only the second state has, without a work address.
    pub joiners_without_email: BTreeSet<u64>,
    /// Those of both kinds of joiners whose national id stands on another record too.
    pub rejoined_under_new_id: BTreeSet<u64>,
    /// Those joiners whose work address stood or stands on another record.
    pub joiners_with_used_email: BTreeSet<u64>,
    /// A running engagement in the first state, none in the second.
    pub leavers: BTreeSet<u64>,
    /// No running engagement in the first state, one in the second.
    pub returners: BTreeSet<u64>,
    /// Changed, but neither leavers nor returners.
    pub movers: BTreeSet<u64>,
    /// In both states, and anything but a version differs: movers, leavers,
    /// returners, and those who did both.
    pub changed: BTreeSet<u64>,
}

impl Expected {
    /// Compares two states of one company.
    #[must_use]
    pub fn between(first: &Company, second: &Company) -> Self {
        let before: BTreeMap<u64, &Employee> = by_id(first);
        let mut expected = Self::default();
        let holders = Holders::of([first, second]);
        for employee in &second.employees {
            let Some(earlier) = before.get(&employee.id) else {
                expected.join(employee, &holders);
                continue;
            };
            let ran = earlier.is_running_on(first.as_of);
            let runs = employee.is_running_on(second.as_of);
            if ran && !runs {
                expected.leavers.insert(employee.id);
            }
            if !ran && runs {
                expected.returners.insert(employee.id);
            }
            if !same_content(earlier, employee) {
                expected.changed.insert(employee.id);
            }
        }
        expected.settle_movers();
        expected
    }

    fn join(&mut self, employee: &Employee, holders: &Holders<'_>) {
        let id = employee.id;
        match &employee.work_email {
            Some(email) => {
                self.joiners.insert(id);
                if holders
                    .emails
                    .get(email.as_str())
                    .is_some_and(|ids| ids.len() > 1)
                {
                    self.joiners_with_used_email.insert(id);
                }
            }
            None => {
                self.joiners_without_email.insert(id);
            }
        }
        let shared = employee.national_id.as_ref().map(digits);
        if shared.is_some_and(|number| holders.numbers.get(number).is_some_and(|ids| ids.len() > 1))
        {
            self.rejoined_under_new_id.insert(id);
        }
    }

    pub(super) fn settle_movers(&mut self) {
        self.movers = self
            .changed
            .iter()
            .filter(|id| !self.leavers.contains(id) && !self.returners.contains(id))
            .copied()
            .collect();
    }
}

/// Which records have held a work address or a national id.
struct Holders<'a> {
    emails: BTreeMap<&'a str, BTreeSet<u64>>,
    numbers: BTreeMap<&'a str, BTreeSet<u64>>,
}

impl<'a> Holders<'a> {
    fn of(states: [&'a Company; 2]) -> Self {
        let mut holders = Self {
            emails: BTreeMap::new(),
            numbers: BTreeMap::new(),
        };
        for employee in states.into_iter().flat_map(|state| &state.employees) {
            if let Some(email) = &employee.work_email {
                holders.emails.entry(email).or_default().insert(employee.id);
            }
            if let Some(number) = employee.national_id.as_ref().map(digits) {
                holders
                    .numbers
                    .entry(number)
                    .or_default()
                    .insert(employee.id);
            }
        }
        holders
    }
}

fn digits(id: &NationalId) -> &str {
    match id {
        NationalId::Norwegian { number }
        | NationalId::DNumber { number }
        | NationalId::Foreign { number, .. } => number,
    }
}

fn by_id(company: &Company) -> BTreeMap<u64, &Employee> {
    company
        .employees
        .iter()
        .map(|employee| (employee.id, employee))
        .collect()
}

/// Whether two records say the same, whatever their versions.
fn same_content(one: &Employee, other: &Employee) -> bool {
    // Most are equal to the last bit, and need no copies.
    one == other || without_versions(one) == without_versions(other)
}

fn without_versions(employee: &Employee) -> Employee {
    let mut copy = employee.clone();
    copy.version = 0;
    copy.changed = Date::default();
    for engagement in &mut copy.engagements {
        engagement.version = 0;
    }
    copy
}
