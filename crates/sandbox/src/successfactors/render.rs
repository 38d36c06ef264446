//! A row as the vendor writes it in JSON.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::stage::Stage;

use super::filter::midnight;
use super::query::{Days, Shape};
use super::register::Register;
use super::row::{Cell, Row};
use super::schema::{Entity, Kind};

/// The service's path.
pub(super) const SERVICE: &str = "/odata/v2";
/// What vanishes with the rights over details of people.
const RESTRICTED: [&str; 3] = ["PerPhone", "PerNationalId", "EmpJob"];

/// Who looks at what.
pub(super) struct View<'a> {
    pub(super) stage: &'a Stage,
    pub(super) origin: &'a str,
    pub(super) days: Days,
}

/// A value in JSON.
pub(super) fn value(cell: &Cell, kind: Kind) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Text(text) => json!(text),
        Cell::Flag(flag) => json!(flag),
        #[allow(clippy::cast_possible_truncation, reason = "counts are whole")]
        Cell::Number(number) if kind == Kind::Count => json!(*number as i64),
        Cell::Number(number) => json!(number.to_string()),
        Cell::Day(day) => {
            let milliseconds = midnight(*day).map_or(0, |moment| moment.as_millisecond());
            json!(match kind {
                Kind::Stamp => format!("/Date({milliseconds}+0000)/"),
                _ => format!("/Date({milliseconds})/"),
            })
        }
    }
}

/// The key of a row, as it stands in addresses.
pub(super) fn key(register: &Register, entity: &Entity, row: &Row<'_>) -> String {
    let literal = |name: &str| {
        let kind = entity.kind(name).unwrap_or(Kind::Text);
        match row.cell(register, name, kind) {
            Cell::Null => "null".to_owned(),
            Cell::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Cell::Day(day) => format!("datetime'{day}T00:00:00'"),
            Cell::Number(number) => format!("{number}L"),
            Cell::Flag(flag) => flag.to_string(),
        }
    };
    match entity.keys {
        [only] => format!("{}({})", entity.name, literal(only)),
        keys => {
            let parts: Vec<String> = keys
                .iter()
                .map(|name| format!("{name}={}", literal(name)))
                .collect();
            format!("{}({})", entity.name, parts.join(","))
        }
    }
}

impl View<'_> {
    /// Whether the API user sees a row at all.
    pub(super) fn sees(&self, register: &Register, entity: &Entity, row: &Row<'_>) -> bool {
        let is_restricted = self.stage.has_lost_rights() && RESTRICTED.contains(&entity.name);
        let is_hidden = row
            .employee()
            .is_some_and(|employee| self.stage.hides(&register.roster, employee.id));
        !is_restricted && !is_hidden
    }

    /// Whether a row by date is among those asked for at the top.
    pub(super) fn holds(&self, register: &Register, row: &Row<'_>) -> bool {
        let Some((from, until)) = row.holds() else {
            return true;
        };
        match self.days {
            Days::Today => on(register.roster.day(), from, until),
            Days::AsOf(day) => on(day, from, until),
            Days::Between(first, last) => from <= last && first <= until,
        }
    }

    /// The rows behind a navigation: of the day that was asked for, else of the
    /// day on which the row in front begins, else of today (article 2853045).
    pub(super) fn behind<'a>(
        &self,
        register: &'a Register,
        row: &Row<'a>,
        target: &Entity,
        way: &str,
    ) -> Vec<Row<'a>> {
        let day = match (self.days, row.holds()) {
            (Days::AsOf(day), _) => day,
            (_, Some((from, _))) => from,
            _ => register.roster.day(),
        };
        let mut rows = row.way(register, way);
        rows.retain(|inner| {
            self.sees(register, target, inner)
                && inner
                    .holds()
                    .is_none_or(|(from, until)| on(day, from, until))
        });
        rows
    }

    /// A row with what was asked of it.
    pub(super) fn object<'a>(
        &self,
        register: &'a Register,
        entity: &'static Entity,
        row: &Row<'a>,
        shape: &Shape,
    ) -> Value {
        let key = key(register, entity, row);
        let address = format!("{}{SERVICE}/{key}", self.origin);
        let mut object = Map::new();
        object.insert(
            "__metadata".to_owned(),
            json!({"uri": address, "type": format!("SFOData.{}", entity.name)}),
        );
        let is_restricted = self.stage.has_lost_rights();
        for (name, kind) in entity.properties() {
            let is_chosen = shape
                .properties
                .as_ref()
                .is_none_or(|chosen| chosen.contains(&name));
            if !is_chosen || self.stage.drops_at(&[entity.name, name]) {
                continue;
            }
            let cell = match name {
                "dateOfBirth" if is_restricted => Cell::Null,
                _ => row.cell(register, name, kind),
            };
            object.insert(name.to_owned(), value(&cell, kind));
        }
        for (navigation, inner) in &shape.ways {
            if self.stage.drops_at(&[entity.name, navigation.name]) {
                continue;
            }
            let (Some(inner), Some(target)) = (inner, Entity::named(navigation.target)) else {
                let uri = format!("{address}/{}", navigation.name);
                let deferred = json!({"__deferred": {"uri": uri}});
                object.insert(navigation.name.to_owned(), deferred);
                continue;
            };
            let rows = self.behind(register, row, target, navigation.name);
            let mut objects = rows
                .iter()
                .map(|row| self.object(register, target, row, inner));
            let shown = match navigation.is_many {
                true => json!({"results": objects.collect::<Vec<_>>()}),
                false => objects.next().unwrap_or(Value::Null),
            };
            object.insert(navigation.name.to_owned(), shown);
        }
        Value::Object(object)
    }
}

fn on(day: Date, from: Date, until: Date) -> bool {
    from <= day && day <= until
}
