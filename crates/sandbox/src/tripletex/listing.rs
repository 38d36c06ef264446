//! Lists: sorting, the page, the envelope.

use std::cmp::Ordering;

use serde::Serialize;

use super::books::Books;
use super::failure::Failure;
use super::render::{Lens, Rendered, display_name};
use super::request::Page;
use super::resource::{Derivation, Kind, Resource};
use super::row::{Cell, Row};
use super::selection::Selection;

/// The page size when none is asked for.
pub(super) const DEFAULT_COUNT: usize = 1000;

/// What `versionDigest` says where checksums do not exist (recorded).
pub(super) const NO_CHECKSUM: &str = "Checksum not yet supported for this endpoint";
/// What it says where they do and were not asked for (recorded).
pub(super) const CHECKSUM_NOT_ASKED: &str = "'If-None-Match' header not specified";

/// A list's envelope.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListEnvelope<'a, T> {
    pub(super) full_result_size: usize,
    pub(super) from: usize,
    pub(super) count: usize,
    pub(super) version_digest: &'a str,
    pub(super) values: Vec<T>,
}

/// A single object's envelope.
#[derive(Serialize)]
pub(super) struct SingleEnvelope<T> {
    pub(super) value: T,
}

/// The rows of a page.
pub(super) fn page_of<T>(rows: &[T], page: Page) -> &[T] {
    let begin = page.from.min(rows.len());
    let end = page.from.saturating_add(page.count).min(rows.len());
    rows.get(begin..end).unwrap_or_default()
}

/// A page of rows in its envelope, as text.
pub(super) fn envelope(
    books: &Books,
    lens: &Lens,
    rows: &[&Row],
    page: Page,
    selection: &Selection,
    version_digest: &str,
) -> Result<String, Failure> {
    let values: Vec<Rendered<'_>> = page_of(rows, page)
        .iter()
        .map(|row| Rendered {
            books,
            row,
            selection,
            lens,
        })
        .collect();
    text(&ListEnvelope {
        full_result_size: rows.len(),
        from: page.from,
        count: values.len(),
        version_digest,
        values,
    })
}

/// An answer's body as text.
pub(super) fn text(body: &impl Serialize) -> Result<String, Failure> {
    // The answers are maps with text keys, which always can be written; should
    // one not, that is the server's fault and is answered as such.
    serde_json::to_string(body).map_err(|_| Failure::server_error())
}

/// Sorts by a `sorting` parameter: comma list, `-` for descending, dots into
/// the objects behind references.
pub(super) fn sort(
    books: &Books,
    resource: Resource,
    rows: &mut [&Row],
    sorting: Option<&str>,
) -> Result<(), Failure> {
    let Some(sorting) = sorting else {
        return Ok(());
    };
    let mut keys = Vec::new();
    for wish in sorting.split(',') {
        let wish = wish.trim();
        let (name, descending) = match wish.strip_prefix('-') {
            Some(name) => (name, true),
            None => (wish, false),
        };
        check_sortable(resource, name)?;
        keys.push((name, descending));
    }
    let mut keyed: Vec<(Vec<SortKey>, &Row)> = rows
        .iter()
        .map(|row| {
            let values = keys.iter().map(|(name, _)| key(books, row, name)).collect();
            (values, *row)
        })
        .collect();
    keyed.sort_by(|(left, _), (right, _)| {
        keys.iter()
            .zip(left.iter().zip(right))
            .map(|((_, descending), (left, right))| {
                let order = left.order(right);
                if *descending { order.reverse() } else { order }
            })
            .find(|order| *order != Ordering::Equal)
            .unwrap_or(Ordering::Equal)
    });
    for (place, (_, row)) in rows.iter_mut().zip(keyed) {
        *place = row;
    }
    Ok(())
}

fn check_sortable(resource: Resource, name: &str) -> Result<(), Failure> {
    let mut resource = resource;
    let mut pieces = name.split('.').peekable();
    while let Some(piece) = pieces.next() {
        let (_, field) = resource
            .field(piece)
            .ok_or_else(|| Failure::sorting(name))?;
        match (field.kind, pieces.peek().is_some()) {
            (Kind::Reference(target) | Kind::Owned(target), true) => resource = target,
            (kind, false) if kind.target().is_none() => return Ok(()),
            _ => break,
        }
    }
    Err(Failure::sorting(name))
}

/// What a row is sorted by.
enum SortKey {
    Nothing,
    Whole(i128),
    Number(f64),
    Text(String),
}

impl SortKey {
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (SortKey::Whole(left), SortKey::Whole(right)) => left.cmp(right),
            (SortKey::Number(left), SortKey::Number(right)) => left.total_cmp(right),
            (SortKey::Text(left), SortKey::Text(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            SortKey::Nothing => 0,
            SortKey::Whole(_) => 1,
            SortKey::Number(_) => 2,
            SortKey::Text(_) => 3,
        }
    }
}

fn key(books: &Books, row: &Row, name: &str) -> SortKey {
    let (piece, behind) = match name.split_once('.') {
        Some((piece, behind)) => (piece, Some(behind)),
        None => (name, None),
    };
    let Some((index, field)) = row.resource.field(piece) else {
        return SortKey::Nothing;
    };
    if let (Some(behind), Some(target)) = (behind, field.kind.target()) {
        return match row.at(index) {
            Cell::Reference(id) => books
                .find(target, *id)
                .map_or(SortKey::Nothing, |row| key(books, row, behind)),
            _ => SortKey::Nothing,
        };
    }
    match (field.kind, row.at(index)) {
        (Kind::Id, _) => SortKey::Whole(row.id.into()),
        (Kind::Version, _) => SortKey::Whole(row.version.into()),
        (Kind::Derived(Derivation::DisplayName), _) => {
            SortKey::Text(display_name(row).to_lowercase())
        }
        (_, Cell::Text(text)) => SortKey::Text(text.to_lowercase()),
        (_, Cell::Choice(word)) => SortKey::Text((*word).to_owned()),
        (_, Cell::Date(date)) => SortKey::Text(date.to_string()),
        (_, Cell::Integer(number)) => SortKey::Whole((*number).into()),
        (_, Cell::Number(number)) => SortKey::Number(*number),
        (_, Cell::Boolean(flag)) => SortKey::Whole((*flag).into()),
        _ => SortKey::Nothing,
    }
}
