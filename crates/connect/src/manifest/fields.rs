//! How fields are read out of rows, as a manifest says it.

use std::collections::BTreeMap;
use std::fmt;

use muster_model::Field;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::text::Texts;

/// Where a field comes from: a pointer, or a table that says more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mapping(pub(crate) Source);

/// The table of a mapping. What it says is done in the order of its members.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    /// Pointers into the row (`/name/given`, `/emails[type=work]/address`) or into a joined list
    /// (`department:/name`); the first that says something counts.
    #[serde(default)]
    pub(crate) from: Texts,
    /// A CEL expression for what a pointer cannot say; `it` is what the pointers gave, `row` the row.
    pub(crate) value: Option<String>,
    /// What the source writes for "not said", beside null and blank text.
    #[serde(default)]
    pub(crate) absent: Vec<String>,
    /// What the source writes for "there is none", such as 9999-12-31.
    #[serde(default)]
    pub(crate) none: Vec<String>,
    /// The source's codes and ours.
    #[serde(default)]
    pub(crate) codes: BTreeMap<String, String>,
    /// Ours for every other code; without it, an unknown code is kept as said, or is a problem where the field has a list of words.
    pub(crate) otherwise: Option<String>,
    /// The form of a date (strptime, such as %d/%m/%Y), or the zone in which an instant is a day; without it, YYYY-MM-DD.
    pub(crate) date: Option<String>,
    /// Pointers to the country (ISO 3166-1, two or three letters) of a telephone number or identity number.
    #[serde(default)]
    pub(crate) country: Texts,
    /// Lines of an address; all of them are taken.
    #[serde(default)]
    pub(crate) line: Texts,
    /// Postal code of an address.
    pub(crate) postal_code: Option<String>,
    /// City of an address.
    pub(crate) city: Option<String>,
    /// Country of an address, as code.
    pub(crate) address_country: Option<String>,
    /// An address of which one part is missing from the row, not empty but missing, counts as not
    /// said: of vendors that leave out what may not be seen.
    #[serde(default)]
    pub(crate) whole: bool,
    /// What the vendor is asked for when it lets fields be chosen; without it, the first names of the pointers.
    #[serde(default)]
    pub(crate) asks: Vec<String>,
    /// Null or blank text that stands there means "there is none"; only what is missing is not said.
    #[serde(default)]
    pub(crate) empty_is_none: bool,
    /// A day of an employment that is always there: without it, the record is not whole.
    #[serde(default)]
    pub(crate) needed: bool,
    /// What an administrator should know of it.
    pub(crate) note: Option<String>,
}

impl JsonSchema for Mapping {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Mapping".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let table = generator.subschema_for::<Source>();
        schemars::json_schema!({
            "description": "Where a field comes from: a pointer, or a table that says more.",
            "anyOf": [{"type": "string"}, table]
        })
    }
}

// By hand, because serde's own way to choose between shapes loses the place of errors.
impl<'de> Deserialize<'de> for Mapping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PointerOrTable;
        impl<'de> Visitor<'de> for PointerOrTable {
            type Value = Mapping;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a pointer, or a table such as { from = \"/mail\" }")
            }

            fn visit_str<E>(self, pointer: &str) -> Result<Mapping, E> {
                Ok(Mapping::pointer(pointer))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Mapping, A::Error> {
                Source::deserialize(MapAccessDeserializer::new(map)).map(Mapping)
            }
        }
        deserializer.deserialize_any(PointerOrTable)
    }
}

impl Mapping {
    /// A pointer alone.
    pub(crate) fn pointer(pointer: &str) -> Self {
        Self(Source {
            from: Texts(vec![pointer.to_owned()]),
            ..Source::default()
        })
    }

    /// An expression alone.
    pub(crate) fn expression(text: &str) -> Self {
        Self(Source {
            value: Some(text.to_owned()),
            ..Source::default()
        })
    }

    /// Read from another place: what is done with the value stays.
    pub(crate) fn moved_to(&self, pointer: &str) -> Self {
        let names_it = |text: &str| {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            words.into_iter().any(|word| word == "it")
        };
        let of_value = |text: &String| names_it(text).then(|| text.clone());
        Self(Source {
            from: Texts(vec![pointer.to_owned()]),
            // An expression that looks into the old place has nothing to say any more.
            value: self.0.value.as_ref().and_then(of_value),
            line: Texts::default(),
            postal_code: None,
            city: None,
            address_country: None,
            asks: Vec::new(),
            ..self.0.clone()
        })
    }

    /// A table as in a manifest: `{ from = "/state", codes = { A = "active" } }`.
    pub(crate) fn table(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct One {
            mapping: Source,
        }
        let read: Result<One, _> = toml::from_str(&format!("mapping = {text}"));
        read.map(|one| Self(one.mapping))
            .map_err(|error| error.message().to_owned())
    }

    /// For the catalogue: where it comes from, in a few words.
    pub(crate) fn described(&self) -> String {
        let source = &self.0;
        let mut words = source.from.0.join(", else ");
        let lines = &source.line.0;
        let parts = [&source.postal_code, &source.city, &source.address_country];
        let parts: Vec<&str> = (lines.iter().map(String::as_str))
            .chain(parts.into_iter().flatten().map(String::as_str))
            .collect();
        if !parts.is_empty() {
            words.push_str(&parts.join(", "));
        }
        let mut add = |more: String| {
            if !words.is_empty() {
                words.push_str("; ");
            }
            words.push_str(&more);
        };
        if let Some(value) = &source.value {
            add(format!("`{value}`"));
        }
        if !source.codes.is_empty() {
            let pairs: Vec<String> = (source.codes.iter())
                .map(|(theirs, ours)| format!("{theirs} is {ours}"))
                .collect();
            add(pairs.join(", "));
        }
        if let Some(note) = &source.note {
            add(note.clone());
        }
        words
    }
}

/// Employments and contracts, where they stand in lists of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Engagements {
    /// Pointer to the list, in the row (`/employments`) or of a joined list (`jobs:`); without
    /// it, the row itself is the one engagement and `[fields]` says what belongs to it.
    pub(crate) rows: Option<String>,
    /// Only rows for which this CEL expression holds; `row` is the engagement's row, `person` the person's.
    pub(crate) only: Option<String>,
    /// A record without the list is not whole.
    #[serde(default)]
    pub(crate) needed: bool,
    /// A list of none says nothing: of vendors that show it so to who may not see it.
    #[serde(default)]
    pub(crate) empty_is_silence: bool,
    /// The source's id of it.
    pub(crate) id: Option<Mapping>,
    /// employee, contractor or other.
    pub(crate) kind: Option<Mapping>,
    /// active, on_leave, laid_off, future, ended or unknown.
    pub(crate) status: Option<Mapping>,
    /// First day.
    pub(crate) start_date: Option<Mapping>,
    /// Last day.
    pub(crate) end_date: Option<Mapping>,
    /// Why it ended, in the source's words.
    pub(crate) end_reason: Option<Mapping>,
    /// Is it the main one?
    pub(crate) primary: Option<Mapping>,
    /// The terms, as far as they do not change by date.
    #[serde(default)]
    pub(crate) terms: Terms,
    /// Terms that hold from a day on.
    pub(crate) periods: Option<Periods>,
}

/// What may change during an engagement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Terms {
    /// Employment type in the source's words.
    #[serde(rename = "type")]
    pub(crate) employment_type: Option<Mapping>,
    /// Percent of full time, 0 to 100.
    pub(crate) percentage: Option<Mapping>,
    /// Job title.
    pub(crate) job_title: Option<Mapping>,
    /// Department by name.
    pub(crate) department: Option<Mapping>,
    /// Place of work.
    pub(crate) location: Option<Mapping>,
    /// Cost centre.
    pub(crate) cost_centre: Option<Mapping>,
    /// The manager's record id.
    pub(crate) manager_external_id: Option<Mapping>,
    /// The manager's address.
    pub(crate) manager_email: Option<Mapping>,
}

impl Terms {
    /// Each detail that is mapped, with its flat field.
    pub(crate) fn each(&self) -> impl Iterator<Item = (Field, &Mapping)> {
        [
            (Field::EmploymentType, &self.employment_type),
            (Field::EmploymentPercentage, &self.percentage),
            (Field::JobTitle, &self.job_title),
            (Field::Department, &self.department),
            (Field::Location, &self.location),
            (Field::CostCentre, &self.cost_centre),
            (Field::ManagerExternalId, &self.manager_external_id),
            (Field::ManagerEmail, &self.manager_email),
        ]
        .into_iter()
        .filter_map(|(field, mapping)| Some((field, mapping.as_ref()?)))
    }
}

/// Effective-dated rows of an engagement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Periods {
    /// Pointer to the list: in the engagement's row, of a joined list (`jobs:`), or of the person (`person:/history`).
    pub(crate) rows: String,
    /// A record with an engagement without the list is not whole.
    #[serde(default)]
    pub(crate) needed: bool,
    /// Only rows for which this CEL expression holds; `row` is the period's row, `engagement` the engagement's, `person` the person's.
    pub(crate) only: Option<String>,
    /// The day from which it holds.
    pub(crate) from: Mapping,
    /// Orders rows that begin on the same day: the one with the greatest value counts.
    pub(crate) order: Option<Mapping>,
    /// What holds from then on.
    #[serde(default)]
    pub(crate) terms: Terms,
}
