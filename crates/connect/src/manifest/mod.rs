//! Manifests: what a connector says about itself and how it is spoken to, as TOML.
//!
//! | Module | What it is |
//! |---|---|
//! | `written` | the file as types, with `reading`, `authentication_types`, `fields`, `webhook` and `text` |
//! | `info` | the entry in the catalogue, made from it |
//! | `check` | what types cannot say, with line and column |
//! | `place` | where in the file something stands |

mod authentication_types;
mod check;
mod fields;
mod info;
mod place;
mod reading;
mod text;
mod webhook;
mod write;
mod written;

#[cfg(test)]
mod tests;

pub use check::{Problem, check_manifest};
pub use info::{
    BaseAddress, ChangesInfo, Confidence, ConnectorInfo, EvidenceInfo, FieldSource, Input,
    LeaverInfo, LeaverShows, Link, ReadById,
};

pub(crate) use authentication_types::{Authentication, BasicScheme, ClientPlace, Named};
pub(crate) use check::{is_between, position, read};
pub(crate) use fields::{Engagements, Mapping, Source, Terms};
pub(crate) use place::Path;
pub(crate) use reading::{
    ById, Call, Carrier, Company, Discovery, End, Gone, Join, Method, Paging, People, Per,
    RightsList,
};
pub(crate) use text::Texts;
pub(crate) use webhook::{Encoding, Hash, Key, Signature, Webhook};
pub(crate) use write::Property;
pub(crate) use written::{ErrorRule, Manifest, Meaning, Speaks};

/// The schema of a manifest (JSON Schema 2020-12), for editors.
#[must_use]
pub fn schema() -> serde_json::Value {
    let schema = schemars::schema_for!(Manifest);
    schema.to_value()
}
