//! A list of people in its order, from which pages are cut.

use std::borrow::Cow;
use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::company::{Employee, Phone};

use super::roster::Roster;

/// A list as it stands at one moment; keeping it is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(crate) roster: Arc<Roster>,
    earlier: Arc<Roster>,
    /// Positions in the roster, ascending.
    rows: Arc<[u32]>,
    duplicates: Option<Duplicates>,
}

/// A row: somebody as they are, or as they were.
pub(crate) struct Shown<'a> {
    employee: Cow<'a, Employee>,
    /// Is it the older one of two that stand for the same person?
    pub(crate) is_older: bool,
}

impl Deref for Shown<'_> {
    type Target = Employee;

    fn deref(&self) -> &Employee {
        &self.employee
    }
}

/// Which rows stand twice, by arithmetic: the copies stand behind all rows.
#[derive(Debug, Clone, Copy)]
struct Duplicates {
    /// How many rows stand twice.
    wanted: usize,
    /// From how many at the beginning they are chosen: a row in the last page's
    /// width could meet its copy on the same page.
    pool: usize,
}

impl Duplicates {
    fn of(rows: usize, page_size: usize) -> Option<Self> {
        let wanted = (rows / 10).max(1).min(rows);
        let pool = rows.saturating_sub(page_size).max(wanted);
        (wanted > 0).then_some(Self { wanted, pool })
    }

    /// The row that the copy of this number is of.
    fn original(self, number: usize) -> usize {
        number * self.pool / self.wanted
    }

    /// The number of the copy of a row, when it has one.
    fn copy_of(self, row: usize) -> Option<usize> {
        let number = (row * self.wanted).div_ceil(self.pool);
        (number < self.wanted && self.original(number) == row).then_some(number)
    }
}

impl Listing {
    pub(super) fn new(
        roster: Arc<Roster>,
        earlier: Arc<Roster>,
        rows: Arc<[u32]>,
        doubled_for: Option<usize>,
    ) -> Self {
        let duplicates = doubled_for.and_then(|page_size| Duplicates::of(rows.len(), page_size));
        Self {
            roster,
            earlier,
            rows,
            duplicates,
        }
    }

    /// How many rows it has, those that stand twice counted twice.
    pub(crate) fn len(&self) -> usize {
        self.rows.len() + self.duplicates.map_or(0, |duplicates| duplicates.wanted)
    }

    /// One row. Of two that stand for the same person one is older, the first
    /// and the second in turn.
    pub(crate) fn row(&self, at: usize) -> Option<Shown<'_>> {
        let (at, is_older) = match self.duplicates {
            None => (at, false),
            Some(duplicates) if at < self.rows.len() => {
                let copy = duplicates.copy_of(at);
                (at, copy.is_some_and(|number| !number.is_multiple_of(2)))
            }
            Some(duplicates) => {
                let number = at - self.rows.len();
                if number >= duplicates.wanted {
                    return None;
                }
                (duplicates.original(number), number.is_multiple_of(2))
            }
        };
        let position = usize::try_from(*self.rows.get(at)?).ok()?;
        let employee = self.roster.employees().get(position)?;
        let employee = if is_older {
            Cow::Owned(older_copy(employee, &self.earlier))
        } else {
            Cow::Borrowed(employee)
        };
        Some(Shown { employee, is_older })
    }

    /// The rows of a part of the list.
    pub(crate) fn rows(&self, range: Range<usize>) -> impl Iterator<Item = Shown<'_>> {
        range.filter_map(|at| self.row(at))
    }

    /// The last of the first `border` rows whom nobody needs.
    pub(super) fn dispensable_before(&self, border: usize) -> Option<u64> {
        let rows = self.rows.get(..border.min(self.rows.len()))?;
        rows.iter()
            .rev()
            .filter_map(|at| self.roster.employees().get(usize::try_from(*at).ok()?))
            .map(|employee| employee.id)
            .find(|id| *id != self.roster.owner() && !self.roster.is_manager(*id))
    }
}

/// A record as it was: from the earlier state when it has changed since, else
/// with another telephone number.
fn older_copy(employee: &Employee, earlier: &Roster) -> Employee {
    if let Some(before) = earlier.employee(employee.id)
        && before.version < employee.version
    {
        return before.clone();
    }
    let mut older = employee.clone();
    older.version = older.version.saturating_sub(1);
    older.changed = older.changed.yesterday().unwrap_or(older.changed);
    let phone = older.phone.get_or_insert_with(|| Phone {
        country: Some("NO".to_owned()),
        number: "40000000".to_owned(),
    });
    let mut digits: Vec<char> = phone.number.chars().collect();
    if let Some(last) = digits.iter_mut().rev().find(|digit| digit.is_ascii_digit()) {
        *last = if *last == '9' { '0' } else { '9' };
    }
    phone.number = digits.into_iter().collect();
    older
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_stands_twice_and_every_copy_knows_its_original() {
        for rows in [1, 2, 9, 10, 11, 99, 1000] {
            for page_size in [1, 3, 10, 500] {
                let duplicates = Duplicates::of(rows, page_size).unwrap();
                assert_eq!(duplicates.wanted, (rows / 10).max(1));
                let found: Vec<usize> = (0..rows)
                    .filter_map(|row| duplicates.copy_of(row))
                    .collect();
                let all: Vec<usize> = (0..duplicates.wanted).collect();
                assert_eq!(found, all, "{rows} rows, {page_size} a page");
            }
        }
        assert!(Duplicates::of(0, 10).is_none());
    }
}
