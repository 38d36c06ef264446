//! What can be written, as a manifest says it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::reading::Call;

/// Writing fields of a record. It is read by its id before and after.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Write {
    /// The request; it sees `id`, and `body` with the properties that are written. It is made once, never repeated.
    pub(crate) request: Call,
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
    /// A CEL expression that makes it of `it`, the canonical value; null stands for none.
    pub(crate) value: Option<String>,
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
}
