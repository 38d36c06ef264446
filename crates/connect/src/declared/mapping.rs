//! From a row to one value: the steps of a mapping.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::compiling::Compiling;
use crate::expression::{Expression, Fault, Scope, day};
use crate::manifest::{Mapping, Path, Source, Texts};
use crate::pointer::Pointer;

/// A mapping that can be run.
pub(crate) struct CompiledMapping {
    from: Vec<Pointer>,
    written: Texts,
    value: Option<(String, Expression)>,
    absent: Vec<String>,
    none: Vec<String>,
    codes: BTreeMap<String, String>,
    otherwise: Option<String>,
    date: Option<String>,
    pub(super) country: Vec<Pointer>,
    pub(super) address: Option<AddressParts>,
    asks: Vec<String>,
    empty_is_none: bool,
    /// Of an employment, without which the record is not whole.
    pub(super) needed: bool,
}

/// The parts of an address.
pub(super) struct AddressParts {
    pub(super) lines: Vec<Pointer>,
    pub(super) postal_code: Option<Pointer>,
    pub(super) city: Option<Pointer>,
    pub(super) country: Option<Pointer>,
    /// Is a part that is missing from the row one that may not be seen?
    whole: bool,
}

impl AddressParts {
    /// Is a part hidden, so that the address is not known as a whole?
    pub(super) fn is_hidden(&self, trees: &Trees<'_>) -> bool {
        let parts = [&self.postal_code, &self.city, &self.country];
        let mut pointers = self.lines.iter().chain(parts.into_iter().flatten());
        self.whole && pointers.any(|pointer| trees.find(pointer).is_none())
    }
}

/// What a mapping came to.
#[derive(Debug)]
pub(super) enum Said<'a> {
    /// The source does not say.
    Absent,
    /// It says that there is none.
    None,
    /// It says this.
    Value(Cow<'a, Json>),
    /// It cannot be read: why.
    Unreadable(&'static str, Fault),
}

/// Each step of a mapping, for people.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps {
    /// What stood at the pointers: the pointer and the value.
    pub(crate) found: Vec<(String, Option<Json>)>,
    /// What the expression made of it.
    pub(crate) expression: Option<(String, Result<Json, Fault>)>,
    /// What the code means.
    pub(crate) code: Option<String>,
    /// The day.
    pub(crate) date: Option<Result<Json, Fault>>,
}

/// What a mapping reads from.
pub(super) struct Trees<'a> {
    /// Variables of expressions, the row among them.
    pub(super) scope: Scope<'a>,
    /// The row that pointers without a name point into.
    pub(super) row: &'a Json,
}

impl<'a> Trees<'a> {
    /// What a pointer finds.
    pub(super) fn find(&self, pointer: &Pointer) -> Option<&'a Json> {
        let tree = match pointer.of() {
            None => self.row,
            Some(name) => self.scope.get(name)?,
        };
        pointer.find(tree).map(text_of_element)
    }

    /// What the first pointer finds that finds something.
    pub(super) fn first(&self, pointers: &[Pointer]) -> Option<&'a Json> {
        let found = pointers.iter().filter_map(|pointer| self.find(pointer));
        found.into_iter().find(|value| is_filled(value))
    }
}

impl CompiledMapping {
    pub(super) fn compile(
        compiling: &mut Compiling<'_>,
        path: &Path,
        mapping: &Mapping,
        trees: &[&str],
    ) -> Self {
        let source = &mapping.0;
        let mut variables = vec!["row", "it", "setting", "today"];
        variables.extend(trees);
        if let Some(date) = &source.date
            && !date.contains('%')
            && jiff::tz::TimeZone::get(date).is_err()
        {
            let message = "this is no form of a date (%d/%m/%Y) and no time zone (Europe/Oslo)";
            compiling.flaw(&path.name("date"), "manifest.date", message);
        }
        let nothing = Source {
            note: source.note.clone(),
            ..Source::default()
        };
        if *source == nothing {
            let message = "say where it comes from: a pointer (from) or an expression (value)";
            compiling.flaw(path, "manifest.no_source", message);
        }
        // A pointer that stands alone is the mapping itself.
        let alone = *mapping
            == source
                .from
                .0
                .first()
                .map_or_else(Mapping::default, |one| Mapping::pointer(one));
        let from_path = if alone {
            path.clone()
        } else {
            path.name("from")
        };
        let parts = [&source.postal_code, &source.city, &source.address_country];
        let address =
            (!source.line.0.is_empty() || parts.iter().any(|part| part.is_some())).then(|| {
                AddressParts {
                    lines: compiling.pointers(&path.name("line"), &source.line, trees),
                    postal_code: one(
                        compiling,
                        &path.name("postal_code"),
                        &source.postal_code,
                        trees,
                    ),
                    city: one(compiling, &path.name("city"), &source.city, trees),
                    country: one(
                        compiling,
                        &path.name("address_country"),
                        &source.address_country,
                        trees,
                    ),
                    whole: source.whole,
                }
            });
        Self {
            from: match alone {
                true => (source.from.0.iter())
                    .filter_map(|one| compiling.pointer(&from_path, one, trees))
                    .collect(),
                false => compiling.pointers(&from_path, &source.from, trees),
            },
            written: source.from.clone(),
            value: source.value.as_ref().and_then(|text| {
                let expression = compiling.expression(&path.name("value"), text, &variables)?;
                Some((text.clone(), expression))
            }),
            absent: source.absent.clone(),
            none: source.none.clone(),
            codes: source.codes.clone(),
            otherwise: source.otherwise.clone(),
            date: source.date.clone(),
            country: compiling.pointers(&path.name("country"), &source.country, trees),
            address,
            asks: source.asks.clone(),
            empty_is_none: source.empty_is_none,
            needed: source.needed,
        }
    }

    /// The names that a vendor is asked for to fill it, where fields are chosen.
    pub(super) fn asks(&self) -> Vec<&str> {
        if !self.asks.is_empty() {
            return self.asks.iter().map(String::as_str).collect();
        }
        let mut names: Vec<&str> = (self.pointers().into_iter())
            .filter(|pointer| pointer.of().is_none())
            .filter_map(Pointer::first_name)
            .collect();
        if let Some((_, expression)) = &self.value {
            names.extend(expression.reads("row"));
        }
        names
    }

    /// The same at any depth: ways of names with slashes between.
    pub(super) fn ways(&self) -> Vec<String> {
        if !self.asks.is_empty() {
            return self.asks.clone();
        }
        let mut ways: Vec<String> = (self.pointers().into_iter())
            .filter(|pointer| pointer.of().is_none())
            .flat_map(Pointer::ways)
            .collect();
        if let Some((_, expression)) = &self.value {
            ways.extend(expression.reads("row").map(str::to_owned));
        }
        ways
    }

    fn pointers(&self) -> Vec<&Pointer> {
        let mut pointers: Vec<&Pointer> = self.from.iter().chain(&self.country).collect();
        if let Some(parts) = &self.address {
            pointers.extend(&parts.lines);
            pointers.extend(
                [&parts.postal_code, &parts.city, &parts.country]
                    .into_iter()
                    .flatten(),
            );
        }
        pointers
    }

    /// Which joined trees it needs.
    pub(super) fn needs(&self, tree: &str) -> bool {
        let pointers = self.pointers();
        pointers.iter().any(|pointer| pointer.of() == Some(tree))
            || (self.value.as_ref()).is_some_and(|(_, expression)| expression.names(tree))
    }

    /// What the source says.
    pub(super) fn said<'a>(&self, trees: &Trees<'a>) -> Said<'a> {
        self.run(trees, None)
    }

    /// The same, writing down each step.
    pub(super) fn steps<'a>(&self, trees: &Trees<'a>, steps: &mut Steps) -> Said<'a> {
        self.run(trees, Some(steps))
    }

    fn run<'a>(&self, trees: &Trees<'a>, mut steps: Option<&mut Steps>) -> Said<'a> {
        if let Some(steps) = steps.as_deref_mut() {
            let found = self.from.iter().map(|pointer| trees.find(pointer).cloned());
            steps.found = self.written.0.iter().cloned().zip(found).collect();
        }
        let found = (self.from.iter())
            .filter_map(|pointer| trees.find(pointer))
            .find(|value| is_filled(value) && !self.is_absent(value));
        let mut value = match (&self.value, found) {
            (None, None) if self.empty_is_none && self.is_empty(trees) => return Said::None,
            (None, None) => return Said::Absent,
            (None, Some(found)) => Cow::Borrowed(found),
            (Some((text, expression)), found) => {
                let nothing = Json::Null;
                let scope = trees.scope.clone().with("it", found.unwrap_or(&nothing));
                let made = expression.run(&scope);
                if let Some(steps) = steps.as_deref_mut() {
                    steps.expression = Some((text.clone(), made.clone()));
                }
                match made {
                    Ok(made) => Cow::Owned(made),
                    Err(fault) => return Said::Unreadable("expression", fault),
                }
            }
        };
        if !is_filled(&value) || self.is_absent(&value) {
            return Said::Absent;
        }
        if is_one_of(&value, &self.none) {
            return Said::None;
        }
        if !self.codes.is_empty() || self.otherwise.is_some() {
            let code = plain(&value);
            let ours = code.as_deref().and_then(|code| self.codes.get(code));
            if let Some(ours) = ours.or(self.otherwise.as_ref()) {
                if let Some(steps) = steps.as_deref_mut() {
                    steps.code = Some(ours.clone());
                }
                value = Cow::Owned(Json::String(ours.clone()));
            }
        }
        if let Some(how) = &self.date {
            let made = day(&value, how);
            if let Some(steps) = steps {
                steps.date = Some(made.clone());
            }
            match made {
                Ok(made) => value = Cow::Owned(made),
                Err(fault) => return Said::Unreadable("not_a_date", fault),
            }
        }
        Said::Value(value)
    }

    /// Does something stand there that is empty?
    fn is_empty(&self, trees: &Trees<'_>) -> bool {
        let mut found = self.from.iter().filter_map(|pointer| trees.find(pointer));
        found.any(|value| !is_filled(value))
    }

    fn is_absent(&self, value: &Json) -> bool {
        is_one_of(value, &self.absent)
    }
}

fn one(
    compiling: &mut Compiling<'_>,
    path: &Path,
    written: &Option<String>,
    trees: &[&str],
) -> Option<Pointer> {
    compiling.pointer(path, written.as_ref()?, trees)
}

fn is_one_of(value: &Json, texts: &[String]) -> bool {
    !texts.is_empty() && plain(value).is_some_and(|text| texts.iter().any(|one| one == text.trim()))
}

/// One value as text.
fn plain(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(truth) => Some(truth.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Neither null nor blank.
fn is_filled(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::String(text) => !text.trim().is_empty(),
        _ => true,
    }
}

/// An XML element with attributes is read as its text.
fn text_of_element(value: &Json) -> &Json {
    value.get("#text").unwrap_or(value)
}
