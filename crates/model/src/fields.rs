//! What is said about the fields of one person.

use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};

use crate::digest::Digester;
use crate::field::Field;
use crate::said::Said;
use crate::value::{Plain, Value, WrongShape};

/// Statements by field; a field that is not in it is absent.
///
/// In the order of fields, in one piece of memory: there are a few dozen at most, and
/// a sync of many people copies and drops millions of these.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Fields(Vec<Statement>);

/// A field, and its value or null.
type Statement = (Field, Option<Value>);

impl Fields {
    /// Nothing said.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// What is said about a field.
    #[must_use]
    pub fn get(&self, field: Field) -> Said<&Value> {
        let found = self.place(field).ok().and_then(|place| self.0.get(place));
        match found {
            None => Said::Absent,
            Some((_, None)) => Said::Null,
            Some((_, Some(value))) => Said::Value(value),
        }
    }

    /// The value of a field, if there is one.
    #[must_use]
    pub fn value(&self, field: Field) -> Option<&Value> {
        self.get(field).into_value()
    }

    /// The text of a field, if it has one.
    #[must_use]
    pub fn text(&self, field: Field) -> Option<&str> {
        self.value(field).and_then(Value::as_text)
    }

    /// Says something about a field; absent takes back what was said.
    pub fn set(&mut self, field: Field, said: Said<Value>) {
        match said {
            Said::Absent => {
                if let Ok(place) = self.place(field) {
                    self.0.remove(place);
                }
            }
            Said::Null => self.insert(field, None),
            Said::Value(value) => self.insert(field, Some(value)),
        }
    }

    /// Says a value.
    pub fn put(&mut self, field: Field, value: Value) {
        self.insert(field, Some(value));
    }

    /// Those of which something is said, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Field, Said<&Value>)> {
        self.0
            .iter()
            .map(|(field, value)| (*field, value.as_ref().map_or(Said::Null, Said::Value)))
    }

    /// Where a field stands, or where it would.
    fn place(&self, field: Field) -> Result<usize, usize> {
        // Most are put in their order.
        match self.0.last() {
            Some((last, _)) if *last < field => Err(self.0.len()),
            _ => self.0.binary_search_by_key(&field, |(known, _)| *known),
        }
    }

    fn insert(&mut self, field: Field, value: Option<Value>) {
        match self.place(field) {
            Ok(place) => {
                if let Some(known) = self.0.get_mut(place) {
                    known.1 = value;
                }
            }
            Err(place) => self.0.insert(place, (field, value)),
        }
    }

    /// Is nothing said?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Only the fields that pass.
    #[must_use]
    pub fn only(&self, pass: impl Fn(Field) -> bool) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(field, _)| pass(*field))
                .cloned()
                .collect(),
        )
    }

    /// Takes what the other says, wherever it says something.
    pub fn overlay(&mut self, other: Self) {
        for (field, value) in other.0 {
            self.insert(field, value);
        }
    }

    /// Adds everything that is said to a keyed digest.
    pub fn digest_into(&self, digester: &mut Digester) {
        digester.number(self.0.len() as u64);
        for (field, value) in &self.0 {
            digester.text(field.name());
            match value {
                None => {
                    digester.number(0);
                }
                Some(value) => value.digest_into(digester),
            }
        }
    }

    /// As one JSON object, sealed values in the clear: for storage under seal
    /// and for `pull`, never for logs.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Map<String, serde_json::Value> {
        self.0
            .iter()
            .map(|(field, value)| {
                let json = value
                    .as_ref()
                    .map_or(serde_json::Value::Null, Value::to_json);
                (field.name().to_owned(), json)
            })
            .collect()
    }

    /// From one JSON object of canonical names.
    ///
    /// # Errors
    /// An unknown name, or a value of the wrong shape.
    pub fn from_json(
        object: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Self, FieldsError> {
        let mut fields = Self::new();
        for (name, json) in object {
            let field: Field = name.parse()?;
            let said = match json {
                serde_json::Value::Null => Said::Null,
                json => Said::Value(Value::from_json(field, json)?),
            };
            fields.set(field, said);
        }
        Ok(fields)
    }
}

/// Why an object is no set of fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldsError {
    /// A name that is no canonical field.
    #[error(transparent)]
    Unknown(#[from] crate::field::UnknownField),
    /// A value that does not fit.
    #[error(transparent)]
    Shape(#[from] WrongShape),
}

impl FromIterator<(Field, Said<Value>)> for Fields {
    fn from_iter<I: IntoIterator<Item = (Field, Said<Value>)>>(said: I) -> Self {
        let mut fields = Self::new();
        for (field, said) in said {
            fields.set(field, said);
        }
        fields
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `Value` masks what is sealed; other personal data is for tests' eyes,
        // and no log statement takes a `Fields`.
        formatter
            .debug_map()
            .entries(self.0.iter().map(|(f, v)| (f.name(), v)))
            .finish()
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_said(self.iter(), serializer)
    }
}

/// Writes statements as [`Fields`] are written, from wherever they stand.
///
/// # Errors
/// What the serializer refuses.
pub fn serialize_said<'a, S: Serializer>(
    said: impl Iterator<Item = (Field, Said<&'a Value>)>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    for (field, said) in said {
        match said {
            Said::Absent => {}
            Said::Null => map.serialize_entry(field.name(), &())?,
            Said::Value(value) => map.serialize_entry(field.name(), &Plain(value))?,
        }
    }
    map.end()
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ReadFields)
    }
}

/// Reads a map of canonical names, each value in the shape of its field.
struct ReadFields;

impl<'de> Visitor<'de> for ReadFields {
    type Value = Fields;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::new();
        while let Some(field) = map.next_key::<Field>()? {
            let value = map.next_value_seed(ReadValue(field))?;
            fields.insert(field, value);
        }
        Ok(fields)
    }
}

/// Reads what is said about one field: a value, or null.
struct ReadValue(Field);

impl<'de> DeserializeSeed<'de> for ReadValue {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for ReadValue {
    type Value = Option<Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a value of {}, or null", self.0)
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Value::read(self.0, deserializer).map(Some)
    }
}
