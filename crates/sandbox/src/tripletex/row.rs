//! Rows of the simulated company and the tables that hold them.

use jiff::civil::Date;

use super::resource::{Kind, Resource};

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Text(Box<str>),
    Date(Date),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Choice(&'static str),
    Reference(u64),
    References(Box<[u64]>),
    Embedded(Box<[Cell]>),
}

impl Cell {
    pub(super) fn text(text: impl Into<Box<str>>) -> Self {
        Cell::Text(text.into())
    }

    pub(super) fn date(date: Option<Date>) -> Self {
        date.map_or(Cell::Null, Cell::Date)
    }

    pub(super) fn reference(id: Option<u64>) -> Self {
        id.map_or(Cell::Null, Cell::Reference)
    }

    /// What a field of this kind holds before anybody sets it.
    fn unset(kind: Kind) -> Self {
        match kind {
            Kind::Text => Cell::text(""),
            Kind::Integer => Cell::Integer(0),
            Kind::Number => Cell::Number(0.0),
            Kind::Boolean => Cell::Boolean(false),
            Kind::References(_) => Cell::References(Box::default()),
            Kind::Embedded(Resource::MaritimeEmployment) => Cell::Null,
            Kind::Embedded(resource) => Cell::Embedded(unset_cells(resource)),
            Kind::Id
            | Kind::Version
            | Kind::Changes
            | Kind::Url
            | Kind::Date
            | Kind::Choice(_)
            | Kind::Reference(_)
            | Kind::Owned(_)
            | Kind::Derived(_) => Cell::Null,
        }
    }
}

/// One cell a field, none of them set.
pub(super) fn unset_cells(resource: Resource) -> Box<[Cell]> {
    resource
        .fields()
        .iter()
        .map(|field| {
            if field.absent_when_unset {
                Cell::Null
            } else {
                Cell::unset(field.kind)
            }
        })
        .collect()
}

/// One object: its id, its version and one cell for each field of its resource.
///
/// Cells of fields that are kept by the row itself or worked out stay null.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) resource: Resource,
    pub(super) id: u64,
    pub(super) version: u32,
    pub(super) cells: Box<[Cell]>,
}

/// What a missing cell reads as.
static NULL: Cell = Cell::Null;

impl Row {
    pub(super) fn new(resource: Resource, id: u64, version: u32) -> Self {
        Self {
            resource,
            id,
            version,
            cells: unset_cells(resource),
        }
    }

    /// The same row with one field set; for filling a new row.
    pub(super) fn with(mut self, name: &str, cell: Cell) -> Self {
        self.set(name, cell);
        self
    }

    pub(super) fn get(&self, name: &str) -> &Cell {
        self.resource
            .field(name)
            .map_or(&NULL, |(index, _)| self.at(index))
    }

    pub(super) fn at(&self, index: usize) -> &Cell {
        self.cells.get(index).unwrap_or(&NULL)
    }

    pub(super) fn set(&mut self, name: &str, cell: Cell) {
        let found = self.resource.field(name);
        debug_assert!(found.is_some(), "{:?} has no field {name}", self.resource);
        if let Some((index, _)) = found {
            self.put(index, cell);
        }
    }

    pub(super) fn put(&mut self, index: usize, cell: Cell) {
        if let Some(place) = self.cells.get_mut(index) {
            *place = cell;
        }
    }

    /// The text of a field; empty when it is unset or no text.
    pub(super) fn text(&self, name: &str) -> &str {
        match self.get(name) {
            Cell::Text(text) => text,
            Cell::Choice(word) => word,
            _ => "",
        }
    }

    pub(super) fn date(&self, name: &str) -> Option<Date> {
        match self.get(name) {
            Cell::Date(date) => Some(*date),
            _ => None,
        }
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Cell::Boolean(true))
    }

    pub(super) fn number(&self, name: &str) -> f64 {
        match self.get(name) {
            Cell::Number(number) => *number,
            _ => 0.0,
        }
    }

    pub(super) fn reference(&self, name: &str) -> Option<u64> {
        match self.get(name) {
            Cell::Reference(id) => Some(*id),
            _ => None,
        }
    }

    pub(super) fn references(&self, name: &str) -> &[u64] {
        match self.get(name) {
            Cell::References(ids) => ids,
            _ => &[],
        }
    }

    /// Adds one id to a list of references.
    pub(super) fn refer_to(&mut self, name: &str, id: u64) {
        let ids: Box<[u64]> = self
            .references(name)
            .iter()
            .copied()
            .chain(std::iter::once(id))
            .collect();
        self.set(name, Cell::References(ids));
    }
}

/// Rows of one resource, ascending by id.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

impl Table {
    pub(super) const fn empty() -> Self {
        Self { rows: Vec::new() }
    }

    /// Takes rows in any order.
    pub(super) fn of(mut rows: Vec<Row>) -> Self {
        rows.sort_by_key(|row| row.id);
        Self { rows }
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(super) fn find(&self, id: u64) -> Option<&Row> {
        let index = self.rows.binary_search_by_key(&id, |row| row.id).ok()?;
        self.rows.get(index)
    }

    pub(super) fn find_mut(&mut self, id: u64) -> Option<&mut Row> {
        let index = self.rows.binary_search_by_key(&id, |row| row.id).ok()?;
        self.rows.get_mut(index)
    }

    /// The id that the next new row gets: above every id there is.
    pub(super) fn next_id(&self) -> u64 {
        self.rows.last().map_or(1, |row| row.id.saturating_add(1))
    }

    /// Adds a row whose id comes from [`Table::next_id`].
    pub(super) fn push(&mut self, row: Row) {
        debug_assert!(self.rows.last().is_none_or(|last| last.id < row.id));
        self.rows.push(row);
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Row> {
        let index = self.rows.binary_search_by_key(&id, |row| row.id).ok()?;
        Some(self.rows.remove(index))
    }
}
