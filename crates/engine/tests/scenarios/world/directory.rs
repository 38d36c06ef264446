//! Everything the directory says, cell by cell, so that two worlds can be compared.

use std::collections::BTreeMap;
use std::fmt;

use muster_model::{Link, Person, PersonId};
use muster_storage::Connection;

/// People by a name that is the same in every world, each as cells.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Directory(pub(crate) BTreeMap<String, BTreeMap<String, String>>);

impl Directory {
    pub(crate) fn of(
        people: &[Person],
        links: &[(muster_model::ConnectionId, Link)],
        connections: &[Connection],
        given: &BTreeMap<PersonId, String>,
    ) -> Self {
        let names: BTreeMap<_, &str> = connections
            .iter()
            .map(|connection| (connection.id, connection.name.as_str()))
            .collect();
        let mut called: BTreeMap<PersonId, String> = BTreeMap::new();
        for person in people {
            let link = links
                .iter()
                .filter(|(_, link)| link.person == person.id)
                .map(|(connection, link)| format!("{}/{}", names[connection], link.external_id))
                .min();
            let address = person.fields.text(muster_model::Field::WorkEmail);
            let name = given
                .get(&person.id)
                .cloned()
                .or(link)
                .or(address.map(str::to_owned))
                .unwrap_or_else(|| person.id.to_string());
            called.insert(person.id, name);
        }
        let mut directory = BTreeMap::new();
        for person in people {
            let mut cells = BTreeMap::new();
            for (field, said) in person.fields.iter() {
                // To say that there is none, and to say nothing, is no value in both cases.
                if let Some(value) = said.value() {
                    cells.insert(format!("field {field}"), value.to_json().to_string());
                }
            }
            for (field, owner) in &person.owners {
                cells.insert(format!("owner {field}"), names[owner].to_owned());
            }
            for (connection, engagements) in &person.engagements {
                cells.insert(
                    format!("engagements {}", names[connection]),
                    serde_json::to_string(engagements).unwrap(),
                );
            }
            if let Some(manager) = person.manager {
                cells.insert("manager".to_owned(), called[&manager].clone());
            }
            cells.insert("employment".to_owned(), person.employment.name().to_owned());
            cells.insert("access".to_owned(), person.access.name().to_owned());
            if let Some(before) = person.access_before {
                cells.insert("access before".to_owned(), before.name().to_owned());
            }
            for (connection, link) in links.iter().filter(|(_, link)| link.person == person.id) {
                let gone = if link.gone_since.is_some() {
                    "gone"
                } else {
                    "there"
                };
                cells.insert(
                    format!("link {}/{}", names[connection], link.external_id),
                    gone.to_owned(),
                );
            }
            let twice = directory.insert(called[&person.id].clone(), cells);
            assert!(twice.is_none(), "two people called {}", called[&person.id]);
        }
        Self(directory)
    }

    /// A cell of somebody; `None` when the person or the cell is not there.
    pub(crate) fn cell(&self, person: &str, cell: &str) -> Option<&str> {
        self.0.get(person)?.get(cell).map(String::as_str)
    }

    /// Without a cell of somebody.
    pub(crate) fn forget(&mut self, person: &str, cell: &str) {
        if let Some(cells) = self.0.get_mut(person) {
            cells.remove(cell);
        }
    }

    /// Every cell that differs: person, cell, here, there.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let nobody = BTreeMap::new();
        let mut people: Vec<&String> = self.0.keys().chain(other.0.keys()).collect();
        people.sort_unstable();
        people.dedup();
        let mut differences = Vec::new();
        for person in people {
            let (here, there) = (
                self.0.get(person).unwrap_or(&nobody),
                other.0.get(person).unwrap_or(&nobody),
            );
            let mut cells: Vec<&String> = here.keys().chain(there.keys()).collect();
            cells.sort_unstable();
            cells.dedup();
            for cell in cells {
                let (here, there) = (here.get(cell), there.get(cell));
                if here != there {
                    differences.push(format!("{person}, {cell}: {here:?} against {there:?}"));
                }
            }
        }
        differences
    }

    /// Cells that are neither as `before` nor as in the `truth`: people whom neither
    /// of them knows, people who vanished, and values that nobody ever said.
    /// Of somebody new less may be known than is true.
    pub(crate) fn strays(&self, before: &Self, truth: &Self) -> Vec<String> {
        let allowed = [before, truth];
        let mut strays = Vec::new();
        let everywhere = |person: &String| allowed.iter().all(|one| one.0.contains_key(person));
        for person in before.0.keys() {
            if everywhere(person) && !self.0.contains_key(person) {
                strays.push(format!("{person} vanished"));
            }
        }
        let nobody = BTreeMap::new();
        for (person, here) in &self.0 {
            let known: Vec<_> = allowed.iter().filter_map(|one| one.0.get(person)).collect();
            if known.is_empty() {
                strays.push(format!("{person} appeared"));
                continue;
            }
            let mut cells: Vec<&String> = known
                .iter()
                .copied()
                .chain([here, &nobody])
                .flat_map(BTreeMap::keys)
                .collect();
            cells.sort_unstable();
            cells.dedup();
            for cell in cells {
                let value = here.get(cell);
                let unknown = value.is_none() && !before.0.contains_key(person);
                if !unknown && !known.iter().any(|known| known.get(cell) == value) {
                    strays.push(format!("{person}, {cell}: {value:?}"));
                }
            }
        }
        strays.sort();
        strays.dedup();
        strays
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(&self.0).finish()
    }
}
