//! The fault `duplicate-rows`: a tenth of the rows twice, one of them older.

use super::books::Books;
use super::resource::Resource;
use super::row::{Cell, Row};

/// A row of a list, as it is or as it was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) row: &'a Row,
    pub(super) is_older: bool,
}

impl<'a> Entry<'a> {
    pub(super) fn current(row: &'a Row) -> Self {
        Self {
            row,
            is_older: false,
        }
    }
}

/// Adds a tenth of the rows (at least one) once more at the end, far enough
/// from where they stand to lie on another page; the older of the two comes
/// first and second in turn. Only rows that have been changed before can have
/// an older copy.
pub(super) fn add(rows: Vec<&Row>, page_size: usize) -> Vec<Entry<'_>> {
    let changed: Vec<usize> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.version > 0)
        .map(|(index, _)| index)
        .collect();
    let wanted = (rows.len() / 10).max(1).min(changed.len());
    // A row in the last page's width could meet its copy on the same page.
    let border = rows.len().saturating_sub(page_size);
    let far = changed.partition_point(|index| *index < border);
    let pool = changed.get(..far.max(wanted)).unwrap_or(changed.as_slice());
    let chosen: Vec<usize> = (0..wanted)
        .filter_map(|number| pool.get(number * pool.len() / wanted).copied())
        .collect();
    let mut entries: Vec<Entry<'_>> = rows.into_iter().map(Entry::current).collect();
    for (number, index) in chosen.into_iter().enumerate() {
        let Some(original) = entries.get_mut(index) else {
            continue;
        };
        let first_is_older = number % 2 == 1;
        let copy = Entry {
            row: original.row,
            is_older: !first_is_older,
        };
        original.is_older = first_is_older;
        entries.push(copy);
    }
    entries
}

/// A row as it was: from the earlier books when it has changed since, else with
/// another telephone number.
pub(super) fn older_copy(row: &Row, earlier: &Books) -> Row {
    if let Some(before) = earlier.find(Resource::Employee, row.id)
        && before.version < row.version
    {
        return before.clone();
    }
    let mut older = row.clone();
    older.version = row.version.saturating_sub(1);
    older.set(
        "phoneNumberMobile",
        Cell::text(other_number(row.text("phoneNumberMobile"))),
    );
    older
}

/// Another number in the same form; a number where there was none.
fn other_number(number: &str) -> String {
    let mut digits: Vec<char> = number.chars().collect();
    match digits.iter_mut().rev().find(|digit| digit.is_ascii_digit()) {
        Some(last) => {
            *last = if *last == '9' { '0' } else { '9' };
            digits.into_iter().collect()
        }
        None => "40000000".to_owned(),
    }
}
