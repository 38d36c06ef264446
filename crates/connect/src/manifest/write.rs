//! What can be written, as a manifest says it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::reading::{Call, Gone};

/// Writing fields of a record. It is read by its id before and after.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Write {
    /// The request; it sees `id`, and `body` with the properties that are written. It is made once, never repeated.
    pub(crate) request: Call,
    /// A request made before, when a property or `always` uses its answer: `before`.
    pub(crate) before: Option<Call>,
    /// Further properties of every body, each by a CEL expression over `id`, `revision` (as it was
    /// read) and `before`; null is left out. A vendor that is told the revision refuses what
    /// somebody else wrote meanwhile.
    #[serde(default)]
    pub(crate) always: BTreeMap<String, String>,
    /// The vendor's property of each field.
    pub(crate) fields: BTreeMap<String, Property>,
    /// Fields of the employment that counts, where it is an object of its own.
    pub(crate) engagement: Option<WriteEngagement>,
    /// The answer that says that somebody wrote the record since it was read.
    pub(crate) moved: Option<Gone>,
    /// A CEL expression over `answer` that gives the names of the properties that a refusal speaks of.
    pub(crate) refused: Option<String>,
}

/// Writing fields of an employment.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WriteEngagement {
    /// The request; it sees `id` (of the record), `engagement` (the employment's id) and `body`.
    pub(crate) request: Call,
    /// A request made before, when a property or `always` uses its answer: `before`.
    pub(crate) before: Option<Call>,
    /// Further properties of every body, as for the record; they see `engagement` too.
    #[serde(default)]
    pub(crate) always: BTreeMap<String, String>,
    /// The vendor's property of each field.
    pub(crate) fields: BTreeMap<String, Property>,
}

/// The vendor's property of a field: its name (`name/given` for depth), or a table that says more.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Property {
    /// Its name.
    Name(String),
    /// More of it.
    Table(PropertyTable),
}

/// A property and its form.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PropertyTable {
    /// Its name.
    pub(crate) name: String,
    /// A CEL expression that makes it of `it`, the canonical value (null stands for none), and of
    /// `before`.
    pub(crate) value: Option<String>,
    /// Further properties that go with it, each by such an expression; null is left out.
    #[serde(default)]
    pub(crate) also: BTreeMap<String, String>,
}

impl Property {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Table(table) => &table.name,
        }
    }

    /// How it is made.
    pub(crate) fn value(&self) -> Option<&str> {
        match self {
            Self::Name(_) => None,
            Self::Table(table) => table.value.as_deref(),
        }
    }

    /// What goes with it.
    pub(crate) fn also(&self) -> impl Iterator<Item = (&String, &String)> {
        let table = match self {
            Self::Name(_) => None,
            Self::Table(table) => Some(table),
        };
        table.into_iter().flat_map(|table| &table.also)
    }
}
