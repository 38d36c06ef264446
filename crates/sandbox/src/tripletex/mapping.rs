//! From the JSON of a body to the cells of a row: the vendor's "request mapping".

use jiff::civil::Date;
use serde_json::{Map, Value};

use super::failure::{Failure, ValidationMessage};
use super::resource::{Access, Field, Kind, Resource};
use super::row::{Cell, Row, unset_cells};

/// A partial object as it was sent: only what was named in the body.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) id: Option<u64>,
    pub(super) version: Option<u64>,
    /// Values by the place of their field.
    cells: Vec<(usize, Cell)>,
    /// Objects to be written through this one, by field.
    nested: Vec<(&'static str, Vec<Draft>)>,
    /// What it is a draft of.
    resource: Option<Resource>,
}

impl Draft {
    /// Whether the body set this field to something.
    pub(super) fn sets(&self, name: &str) -> bool {
        self.cell(name).is_some_and(|cell| *cell != Cell::Null)
    }

    /// What the body set this field to.
    pub(super) fn cell(&self, name: &str) -> Option<&Cell> {
        let (wanted, _) = self.resource?.field(name)?;
        self.cells
            .iter()
            .find(|(index, _)| *index == wanted)
            .map(|(_, cell)| cell)
    }

    /// The objects sent inside this one under a name.
    pub(super) fn nested(&self, name: &str) -> &[Draft] {
        self.nested
            .iter()
            .find(|(field, _)| *field == name)
            .map_or(&[], |(_, drafts)| drafts.as_slice())
    }

    /// Whether the draft names another row and says nothing about it.
    pub(super) fn is_bare_reference(&self) -> bool {
        self.id.is_some() && self.cells.is_empty() && self.nested.is_empty()
    }

    /// Changes every text that the body set, by the name of its field.
    pub(super) fn change_texts(&mut self, change: impl Fn(&str, &str) -> String) {
        let fields = self.resource.map(Resource::fields).unwrap_or_default();
        for (index, cell) in &mut self.cells {
            if let (Cell::Text(text), Some(field)) = (&mut *cell, fields.get(*index)) {
                let changed = change(field.name, text);
                *cell = Cell::text(changed);
            }
        }
    }

    /// Puts what the body set into a row; what it left out stays.
    pub(super) fn apply(&self, row: &mut Row) {
        for (index, cell) in &self.cells {
            row.put(*index, cell.clone());
        }
    }
}

/// Reads a body that is one object.
pub(super) fn object(resource: Resource, body: &[u8]) -> Result<Draft, Failure> {
    let value: Value = serde_json::from_slice(body).map_err(|_| Failure::invalid_json())?;
    let mut messages = Vec::new();
    let draft = draft(resource, &value, &Position::default(), &mut messages);
    finish(draft, messages)
}

/// Reads a body that is a list of objects.
pub(super) fn objects(resource: Resource, body: &[u8]) -> Result<Vec<Draft>, Failure> {
    let value: Value = serde_json::from_slice(body).map_err(|_| Failure::invalid_json())?;
    let Value::Array(values) = value else {
        return Err(Failure::mapping(vec![ValidationMessage::whole(
            "En liste var forventet.",
        )]));
    };
    let mut messages = Vec::new();
    let drafts = values
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let position = Position {
                field: String::new(),
                path: format!("[{index}]"),
            };
            draft(resource, value, &position, &mut messages)
        })
        .collect();
    finish(drafts, messages)
}

fn finish<T>(result: T, messages: Vec<ValidationMessage>) -> Result<T, Failure> {
    if messages.is_empty() {
        Ok(result)
    } else {
        Err(Failure::mapping(messages))
    }
}

/// Where in a body we are, in the vendor's two notations.
#[derive(Debug, Clone, Default)]
struct Position {
    /// `employments.employmentDetails`
    field: String,
    /// `employments[0].employmentDetails[0]`
    path: String,
}

impl Position {
    fn inside(&self, name: &str) -> Self {
        let joined = |before: &str| {
            if before.is_empty() {
                name.to_owned()
            } else {
                format!("{before}.{name}")
            }
        };
        Self {
            field: joined(&self.field),
            path: joined(&self.path),
        }
    }

    fn element(&self, index: usize) -> Self {
        Self {
            field: self.field.clone(),
            path: format!("{}[{index}]", self.path),
        }
    }

    fn message(&self, text: impl Into<String>) -> ValidationMessage {
        ValidationMessage::field(self.field.clone(), text).at(self.path.clone())
    }
}

const NO_SUCH_FIELD: &str = "Feltet eksisterer ikke i objektet.";
const WRONG_FORMAT: &str = "Verdien er ikke av korrekt type for dette feltet.";

fn draft(
    resource: Resource,
    value: &Value,
    position: &Position,
    messages: &mut Vec<ValidationMessage>,
) -> Draft {
    let mut draft = Draft {
        resource: Some(resource),
        ..Draft::default()
    };
    let Value::Object(properties) = value else {
        messages.push(position.message(WRONG_FORMAT));
        return draft;
    };
    for (name, value) in properties {
        let position = position.inside(name);
        match resource.field(name) {
            None => messages.push(position.message(NO_SUCH_FIELD)),
            Some((index, field)) => {
                read_field(&mut draft, index, field, value, &position, messages);
            }
        }
    }
    draft
}

fn read_field(
    draft: &mut Draft,
    index: usize,
    field: &'static Field,
    value: &Value,
    position: &Position,
    messages: &mut Vec<ValidationMessage>,
) {
    if field.access == Access::ReadOnly {
        return;
    }
    let cell = match (field.kind, value) {
        (Kind::Id, Value::Null) | (Kind::Version, Value::Null) => return,
        (Kind::Id | Kind::Version, value) => {
            match (value.as_u64(), field.kind) {
                (None, _) => messages.push(position.message(WRONG_FORMAT)),
                (number, Kind::Id) => draft.id = number,
                (number, _) => draft.version = number,
            }
            return;
        }
        // What reads as null is sent back as null by who edits what they read.
        (_, Value::Null) if field.access == Access::ReadsAsNull => return,
        (Kind::References(_), Value::Null) => return,
        (Kind::References(target), Value::Array(values)) => {
            let drafts = values
                .iter()
                .enumerate()
                .map(|(index, value)| {
                    self::draft(target, value, &position.element(index), messages)
                })
                .collect();
            draft.nested.push((field.name, drafts));
            return;
        }
        (Kind::Owned(target), Value::Object(_)) => {
            let owned = self::draft(target, value, position, messages);
            draft.nested.push((field.name, vec![owned]));
            return;
        }
        (Kind::Reference(target), Value::Object(_)) => {
            let referred = self::draft(target, value, position, messages);
            match referred.id {
                Some(id) => Some(Cell::Reference(id)),
                None => {
                    messages.push(position.inside("id").message("Feltet må fylles ut."));
                    return;
                }
            }
        }
        (Kind::Embedded(target), Value::Object(properties)) => {
            Some(embedded(target, properties, position, messages))
        }
        (kind, value) => plain(kind, value),
    };
    match cell {
        Some(cell) => draft.cells.push((index, cell)),
        None => messages.push(position.message(WRONG_FORMAT)),
    }
}

fn embedded(
    resource: Resource,
    properties: &Map<String, Value>,
    position: &Position,
    messages: &mut Vec<ValidationMessage>,
) -> Cell {
    let value = Value::Object(properties.clone());
    let mut row = Row {
        resource,
        id: 0,
        version: 0,
        cells: unset_cells(resource),
    };
    draft(resource, &value, position, messages).apply(&mut row);
    Cell::Embedded(row.cells)
}

/// A value without an object behind it; none when its type is wrong.
fn plain(kind: Kind, value: &Value) -> Option<Cell> {
    match (kind, value) {
        (Kind::Text, Value::Null) => Some(Cell::text("")),
        (Kind::Text, Value::String(text)) => Some(Cell::text(text.as_str())),
        (Kind::Date, Value::String(text)) => text.parse::<Date>().ok().map(Cell::Date),
        (Kind::Integer, value @ Value::Number(_)) => value.as_i64().map(Cell::Integer),
        (Kind::Number, value @ Value::Number(_)) => value.as_f64().map(Cell::Number),
        (Kind::Boolean, Value::Bool(flag)) => Some(Cell::Boolean(*flag)),
        (Kind::Choice(words), Value::String(text)) => words
            .iter()
            .find(|word| **word == text.as_str())
            .map(|word| Cell::Choice(word)),
        (Kind::Integer, Value::Null) => Some(Cell::Integer(0)),
        (Kind::Number, Value::Null) => Some(Cell::Number(0.0)),
        (Kind::Boolean, Value::Null) => Some(Cell::Boolean(false)),
        (
            Kind::Date | Kind::Choice(_) | Kind::Reference(_) | Kind::Owned(_) | Kind::Embedded(_),
            Value::Null,
        ) => Some(Cell::Null),
        _ => None,
    }
}
