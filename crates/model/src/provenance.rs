//! Which run set what of a person: one compact map, not a row a field.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::field::Field;
use crate::id::{ConnectionId, RunId};
use crate::person::Person;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    /// The run that set it.
    pub run: RunId,
    /// The connection whose run it was.
    pub connection: ConnectionId,
    /// When.
    pub at: Timestamp,
    /// Under which versions of connector, mapping and policy.
    pub versions: String,
}

/// Stamps by what they stamp: a field's name, `access`, `manager`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Provenance {
    /// Each stamp once; most people have few.
    stamps: Vec<Stamp>,
    /// The place of the stamp of each thing.
    of: BTreeMap<String, usize>,
}

impl Provenance {
    /// The name under which access stands.
    pub const ACCESS: &'static str = "access";
    /// The name under which the manager stands.
    pub const MANAGER: &'static str = "manager";

    /// Is nothing known?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Where a thing came from.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&Stamp> {
        self.of.get(name).and_then(|place| self.stamps.get(*place))
    }

    /// Stamps everything that differs between before and after.
    pub fn note(before: Option<&Person>, after: &mut Person, stamp: &Stamp) {
        let mut moved: Vec<&str> = Field::ALL
            .into_iter()
            .filter(|field| {
                let value = |person: &Person| person.fields.get(*field).map(Clone::clone);
                let owner = |person: &Person| person.owners.get(field).copied();
                match before {
                    None => after.fields.value(*field).is_some(),
                    Some(before) => value(before) != value(after) || owner(before) != owner(after),
                }
            })
            .map(Field::name)
            .collect();
        if before.is_none_or(|before| before.engagements != after.engagements) {
            moved.push(Field::Engagements.name());
        }
        if before.is_none_or(|before| before.access != after.access) {
            moved.push(Self::ACCESS);
        }
        if before.map(|before| before.manager) != Some(after.manager)
            && (before.is_some() || after.manager.is_some())
        {
            moved.push(Self::MANAGER);
        }
        let own = &mut after.provenance;
        if moved.is_empty() {
            return;
        }
        let place = own.stamps.len();
        own.stamps.push(stamp.clone());
        for name in moved {
            own.of.insert(name.to_owned(), place);
        }
        own.tidy();
    }

    /// Lets go of stamps that stamp nothing any more.
    fn tidy(&mut self) {
        let mut kept: Vec<Stamp> = Vec::new();
        for place in self.of.values_mut() {
            let Some(stamp) = self.stamps.get(*place) else {
                continue;
            };
            *place = kept.iter().position(|one| one == stamp).unwrap_or_else(|| {
                kept.push(stamp.clone());
                kept.len() - 1
            });
        }
        self.stamps = kept;
    }
}
