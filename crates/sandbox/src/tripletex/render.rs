//! Rows as the JSON of an answer, straight into the text: no tree in between,
//! so that a page of a thousand people is a matter of milliseconds.

use jiff::civil::Date;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::stage::scattered;

use super::books::{self, Books};
use super::resource::{Access, Derivation, Field, Kind, Resource};
use super::row::{Cell, Row};
use super::selection::{Selected, Selection};

/// What stands between the books and the reader's eye.
#[derive(Debug, Clone, Default)]
pub(super) struct Lens {
    /// Fields that are missing from every answer.
    pub(super) dropped: Vec<(Resource, &'static str)>,
    /// With a seed when the token has lost rights: rows and fields vanish.
    pub(super) rights_lost: Option<u64>,
}

/// Fields that come back empty without payroll rights.
const PAYROLL_FIELDS: &[(Resource, &str)] = &[
    (Resource::Employee, "nationalIdentityNumber"),
    (Resource::Employee, "dnumber"),
    (Resource::Employee, "internationalId"),
    (Resource::Employee, "bankAccountNumber"),
    (Resource::Employee, "iban"),
    (Resource::Employee, "bic"),
    (Resource::EmploymentDetails, "annualSalary"),
    (Resource::EmploymentDetails, "hourlyWage"),
    (Resource::EmploymentDetails, "monthlySalary"),
];

impl Lens {
    /// Whether a row cannot be seen at all.
    pub(super) fn hides(&self, books: &Books, row: &Row) -> bool {
        let employee = match row.resource {
            Resource::Employee => Some(row.id),
            Resource::Employment => row.reference("employee"),
            Resource::EmploymentDetails => row
                .reference("employment")
                .and_then(|id| books.find(Resource::Employment, id))
                .and_then(|employment| employment.reference("employee")),
            _ => None,
        };
        match (self.rights_lost, employee) {
            (Some(seed), Some(id)) => id != books.owner && scattered(seed, id).is_multiple_of(3),
            _ => false,
        }
    }

    fn drops(&self, resource: Resource, field: &str) -> bool {
        self.dropped
            .iter()
            .any(|(owner, name)| *owner == resource && *name == field)
    }

    fn empties(&self, resource: Resource, field: &str) -> bool {
        self.rights_lost.is_some() && PAYROLL_FIELDS.contains(&(resource, field))
    }
}

/// One row, as far as it is selected and seen.
#[derive(Clone, Copy)]
pub(super) struct Rendered<'a> {
    pub(super) books: &'a Books,
    pub(super) row: &'a Row,
    pub(super) selection: &'a Selection,
    pub(super) lens: &'a Lens,
}

impl Serialize for Rendered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for selected in &self.selection.fields {
            let field = selected.field;
            let resource = self.row.resource;
            if self.lens.drops(resource, field.name) {
                if field.kind.is_text() {
                    map.serialize_entry(field.name, "")?;
                }
                continue;
            }
            let cell = self.row.at(selected.index);
            if field.absent_when_unset && *cell == Cell::Null {
                continue;
            }
            let value = Value {
                around: *self,
                selected,
                cell,
                emptied: self.lens.empties(resource, field.name),
            };
            map.serialize_entry(field.name, &value)?;
        }
        map.end()
    }
}

/// One field's value.
struct Value<'a> {
    around: Rendered<'a>,
    selected: &'a Selected,
    cell: &'a Cell,
    emptied: bool,
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Rendered { books, row, .. } = self.around;
        let Field { kind, access, .. } = *self.selected.field;
        if access == Access::ReadsAsNull {
            return serializer.serialize_none();
        }
        match kind {
            Kind::Id => serializer.serialize_u64(row.id),
            Kind::Version => serializer.serialize_u32(row.version),
            Kind::Url => serializer.collect_str(&address(books, row.resource, row.id)),
            Kind::Changes => serializer.collect_seq(changes(books, row, self.selected)),
            Kind::Derived(derivation) => self.derived(derivation, serializer),
            Kind::Text if self.emptied => serializer.serialize_str(""),
            Kind::Number if self.emptied => serializer.serialize_f64(0.0),
            Kind::Embedded(resource) if self.emptied => {
                self.embedded(resource, &books::no_international_id(), serializer)
            }
            Kind::Text
            | Kind::Date
            | Kind::Integer
            | Kind::Number
            | Kind::Boolean
            | Kind::Choice(_)
            | Kind::Reference(_)
            | Kind::References(_)
            | Kind::Owned(_)
            | Kind::Embedded(_) => self.stored(kind, serializer),
        }
    }
}

impl<'a> Value<'a> {
    fn stored<S: Serializer>(&self, kind: Kind, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.cell, kind.target()) {
            (Cell::Text(text), _) => serializer.serialize_str(text),
            (Cell::Date(date), _) => serializer.collect_str(date),
            (Cell::Integer(number), _) => serializer.serialize_i64(*number),
            (Cell::Number(number), _) => serializer.serialize_f64(*number),
            (Cell::Boolean(flag), _) => serializer.serialize_bool(*flag),
            (Cell::Choice(word), _) => serializer.serialize_str(word),
            (Cell::Reference(id), Some(target)) => {
                self.reference(target, *id).serialize(serializer)
            }
            (Cell::References(ids), Some(target)) => {
                let mut sequence = serializer.serialize_seq(Some(ids.len()))?;
                for id in ids {
                    sequence.serialize_element(&self.reference(target, *id))?;
                }
                sequence.end()
            }
            (Cell::Embedded(cells), Some(target)) => self.embedded(target, cells, serializer),
            (Cell::Null | Cell::Reference(_) | Cell::References(_) | Cell::Embedded(_), _) => {
                serializer.serialize_none()
            }
        }
    }

    fn reference(&self, target: Resource, id: u64) -> Referred<'a> {
        Referred {
            books: self.around.books,
            target,
            id,
            nested: self.selected.nested.as_ref(),
            lens: self.around.lens,
        }
    }

    fn embedded<S: Serializer>(
        &self,
        resource: Resource,
        cells: &[Cell],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let row = Row {
            resource,
            id: 0,
            version: 0,
            cells: cells.into(),
        };
        let all;
        let selection = match &self.selected.nested {
            Some(nested) => nested,
            None => {
                all = Selection::all(resource);
                &all
            }
        };
        Rendered {
            row: &row,
            selection,
            ..self.around
        }
        .serialize(serializer)
    }

    fn derived<S: Serializer>(
        &self,
        derivation: Derivation,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let Rendered { books, row, .. } = self.around;
        match derivation {
            Derivation::DisplayName => serializer.serialize_str(&display_name(row)),
            Derivation::CompanyId => serializer.serialize_u64(books.account_id),
            Derivation::MonthlySalary if self.emptied => serializer.serialize_f64(0.0),
            Derivation::MonthlySalary => {
                serializer.serialize_f64(row.number("annualSalary") / 12.0)
            }
            Derivation::LatestDetails => match latest_details(books, row) {
                None => serializer.serialize_none(),
                Some(id) => self
                    .reference(Resource::EmploymentDetails, id)
                    .serialize(serializer),
            },
        }
    }
}

/// A row that another one points to.
struct Referred<'a> {
    books: &'a Books,
    target: Resource,
    id: u64,
    nested: Option<&'a Selection>,
    lens: &'a Lens,
}

impl Serialize for Referred<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self
            .books
            .find(self.target, self.id)
            .filter(|row| !self.lens.hides(self.books, row));
        match (self.nested, row) {
            (Some(selection), Some(row)) => Rendered {
                books: self.books,
                row,
                selection,
                lens: self.lens,
            }
            .serialize(serializer),
            // Not expanded, or nothing there that may be seen.
            _ => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("id", &self.id)?;
                map.serialize_entry("url", &address(self.books, self.target, self.id))?;
                map.end()
            }
        }
    }
}

/// A row's address, without a scheme as the vendor writes it.
pub(super) fn address(books: &Books, resource: Resource, id: u64) -> String {
    format!("{}/{}/{id}", books.address, resource.path())
}

pub(super) fn display_name(row: &Row) -> String {
    match row.resource {
        Resource::Employee => format!("{} {}", row.text("firstName"), row.text("lastName"))
            .trim()
            .to_owned(),
        Resource::Address => {
            let town = format!("{} {}", row.text("postalCode"), row.text("city"));
            [row.text("addressLine1"), town.trim()]
                .into_iter()
                .filter(|piece| !piece.is_empty())
                .collect::<Vec<_>>()
                .join(", ")
        }
        _ => row.text("name").to_owned(),
    }
}

/// The id of the details with the latest date.
fn latest_details(books: &Books, employment: &Row) -> Option<u64> {
    employment
        .references("employmentDetails")
        .iter()
        .filter_map(|id| books.find(Resource::EmploymentDetails, *id))
        .max_by_key(|details| details.date("date"))
        .map(|details| details.id)
}

/// What happened to a row: it was made, and changed if its version says so.
fn changes(
    books: &Books,
    row: &Row,
    selected: &Selected,
) -> Vec<serde_json::Map<String, serde_json::Value>> {
    let made = match row.resource {
        Resource::Employee => row
            .references("employments")
            .iter()
            .filter_map(|id| books.find(Resource::Employment, *id)?.date("startDate"))
            .min(),
        Resource::Employment => row.date("startDate"),
        _ => None,
    };
    let made = made.unwrap_or(books.as_of).min(books.as_of);
    let mut happened = vec![("CREATE", made)];
    if row.version > 1 {
        happened.push(("UPDATE", books.as_of));
    }
    let shown = |name: &str| {
        selected.nested.as_ref().is_none_or(|nested| {
            nested
                .fields
                .iter()
                .any(|selected| selected.field.name == name)
        })
    };
    happened
        .into_iter()
        .map(|(kind, day)| change(books.owner, kind, day, &shown))
        .collect()
}

fn change(
    owner: u64,
    kind: &str,
    day: Date,
    shown: &impl Fn(&str) -> bool,
) -> serde_json::Map<String, serde_json::Value> {
    [
        ("employeeId", serde_json::Value::from(owner)),
        // Date-times are local, without a zone.
        ("timestamp", format!("{day}T00:00:00").into()),
        ("changeType", kind.into()),
    ]
    .into_iter()
    .filter(|(name, _)| shown(name))
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
