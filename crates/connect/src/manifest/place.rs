//! Where in a manifest something stands.

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The way to a value: names of tables and places in lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Place(usize),
}

impl Path {
    /// The way to a member of what stands here.
    pub(crate) fn name(&self, name: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Name(name.to_owned()));
        Self(steps)
    }

    /// The way to an element of the list that stands here.
    pub(crate) fn place(&self, place: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Place(place));
        Self(steps)
    }

    /// Bytes before the name of the member that stands here.
    pub(crate) fn name_offset(&self, text: &str) -> usize {
        let around = Self(
            self.0
                .split_last()
                .map(|(_, around)| around.to_vec())
                .unwrap_or_default(),
        );
        let Some(Step::Name(name)) = self.0.last() else {
            return self.offset(text).0;
        };
        let Ok(root) = DeTable::parse(text) else {
            return 0;
        };
        let mut at = root.get_ref();
        for step in &around.0 {
            let Step::Name(name) = step else {
                return self.offset(text).0;
            };
            match member(at, name).map(|(_, value)| value.get_ref()) {
                Some(DeValue::Table(table)) => at = table,
                _ => return self.offset(text).0,
            }
        }
        member(at, name).map_or_else(|| self.offset(text).0, |(start, _)| start)
    }

    /// Bytes before the value, and whether it is a text in one pair of quotes,
    /// so that a place inside it can be told. What is not there begins where
    /// the nearest table around it begins.
    pub(crate) fn offset(&self, text: &str) -> (usize, bool) {
        let Ok(root) = DeTable::parse(text) else {
            return (0, false);
        };
        let mut at: Option<&Spanned<DeValue<'_>>> = None;
        let mut offset = 0;
        for step in &self.0 {
            let next = match (step, at.map(Spanned::get_ref)) {
                (Step::Name(name), None) => member(root.get_ref(), name),
                (Step::Name(name), Some(DeValue::Table(table))) => member(table, name),
                (Step::Place(place), Some(DeValue::Array(list))) => {
                    list.get(*place).map(|value| (value.span().start, value))
                }
                // One value may stand where a list may.
                (Step::Place(0), Some(_)) => continue,
                _ => None,
            };
            let Some((start, value)) = next else {
                return (offset, false);
            };
            offset = start;
            at = Some(value);
        }
        match at {
            Some(value) if matches!(value.get_ref(), DeValue::String(_)) => {
                let start = value.span().start;
                let quoted = text.get(start..).is_some_and(|rest| {
                    rest.starts_with(['"', '\''])
                        && !rest.starts_with("\"\"\"")
                        && !rest.starts_with("'''")
                });
                (start, quoted)
            }
            Some(value)
                if self
                    .0
                    .last()
                    .is_some_and(|step| matches!(step, Step::Place(_))) =>
            {
                (value.span().start, false)
            }
            _ => (offset, false),
        }
    }
}

/// Where a member's name stands, and its value.
fn member<'a, 'i>(table: &'a DeTable<'i>, name: &str) -> Option<(usize, &'a Spanned<DeValue<'i>>)> {
    let found = table.iter().find(|(key, _)| key.get_ref().as_ref() == name);
    found.map(|(key, value)| (key.span().start, value))
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            match step {
                Step::Name(name) if number == 0 => formatter.write_str(name)?,
                Step::Name(name) => write!(formatter, ".{name}")?,
                Step::Place(place) => write!(formatter, "[{place}]")?,
            }
        }
        Ok(())
    }
}
