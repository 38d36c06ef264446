//! Whom do the manager statements name? A pass of its own, after everybody is
//! planned: a manager may be somebody whom the same plan creates.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::plan::{ManagerKey, ManagerProblem, ManagerProblemKind, Precondition};
use muster_model::values::Email;
use muster_model::{ExternalId, ExternalIds, Field, Fields, PersonId, Said};

use crate::input::ManagerIndex;

/// One statement: this record's manager is that.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Whose.
    pub external_id: ExternalId,
    /// The person, when there is one already.
    pub person: Option<PersonId>,
    /// The manager now.
    pub current: Option<PersonId>,
    /// What must still hold when a row is made of it.
    pub precondition: Precondition,
    /// What the source says: a record, an address, or nobody.
    pub named: Named,
}

/// Whom a source names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A record of the same connection.
    Record(ExternalId),
    /// An address.
    Address(String),
    /// Nobody: the source says that there is no manager.
    Nobody,
}

impl Named {
    /// What the fields of a day say; `None` when they do not say.
    #[must_use]
    pub fn of(flat: &Fields) -> Option<Self> {
        if let Some(record) = flat.text(Field::ManagerExternalId) {
            return Some(Self::Record(ExternalId::new(record)));
        }
        if let Some(address) = flat.text(Field::ManagerEmail) {
            return Some(Self::Address(Email::fold(address)));
        }
        let null = |field| matches!(flat.get(field), Said::Null);
        (null(Field::ManagerExternalId) || null(Field::ManagerEmail)).then_some(Self::Nobody)
    }
}

/// What the pass over the managers keeps of the records of a plan: ids and
/// numbers only, so that a million people fit.
#[derive(Debug, Default)]
pub struct Register {
    ids: ExternalIds,
    entries: Vec<Entry>,
    /// Known people with their managers now.
    people: Vec<(PersonId, Option<PersonId>)>,
    records: BTreeMap<ExternalId, u32>,
    addresses: BTreeMap<String, u32>,
    /// The own addresses of those who come with the plan, with their places: a
    /// source that names managers by address names those too.
    own: ExternalIds,
    own_places: Vec<u32>,
}

/// One record.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Its place among what brakes see; `None` when it would rest.
    outline: Option<u32>,
    /// Its place in `people`; `None` when it is nobody yet.
    who: Option<u32>,
    /// `None` when it says nothing about a manager.
    named: Option<Name>,
    /// Does this plan make or join its person, as far as that is not in doubt?
    coming: bool,
}

/// A name by its place in the register.
#[derive(Debug, Clone, Copy)]
enum Name {
    Record(u32),
    Address(u32),
    Nobody,
}

impl Register {
    /// Notes a record: where its row stands among what brakes see, whether its
    /// person comes with the plan and under which address, and whom it names.
    pub fn note(
        &mut self,
        id: &ExternalId,
        outline: Option<u32>,
        coming: bool,
        address: Option<&str>,
        statement: Option<&Statement>,
    ) {
        let named = statement.map(|statement| match &statement.named {
            Named::Nobody => Name::Nobody,
            Named::Record(record) => Name::Record(place_of(&mut self.records, record)),
            Named::Address(address) => Name::Address(place_of(&mut self.addresses, address)),
        });
        let person = statement.and_then(|statement| Some((statement.person?, statement.current)));
        let who = person.map(|known| {
            self.people.push(known);
            small(self.people.len() - 1)
        });
        if let Some(address) = address
            && coming
            && !matches!(named, Some(Name::Record(_)))
        {
            self.own.push(&Email::fold(address));
            self.own_places.push(small(self.entries.len()));
        }
        self.ids.push(id.as_str());
        self.entries.push(Entry {
            outline,
            who,
            named,
            coming,
        });
    }

    /// The records that are named, each once.
    pub fn named_records(&self) -> impl Iterator<Item = &ExternalId> {
        self.records.keys()
    }

    /// The addresses that are named, each once.
    pub fn named_addresses(&self) -> impl Iterator<Item = &str> {
        self.addresses.keys().map(String::as_str)
    }

    /// The only one who comes with the plan under this address.
    fn coming_under(&self, address: &str, order: &[u32]) -> Option<u32> {
        let of = |place: &u32| self.own.get(*place as usize);
        let first = order.partition_point(|place| of(place) < address);
        let mut same = order
            .get(first..)?
            .iter()
            .take_while(|place| of(place) == address);
        let only = same.next().filter(|_| same.next().is_none())?;
        self.own_places.get(*only as usize).copied()
    }

    fn person(&self, entry: &Entry) -> Option<(PersonId, Option<PersonId>)> {
        self.people.get(entry.who? as usize).copied()
    }
}

fn place_of<K: Ord + Clone>(places: &mut BTreeMap<K, u32>, name: &K) -> u32 {
    if let Some(place) = places.get(name) {
        return *place;
    }
    let place = small(places.len());
    places.insert(name.clone(), place);
    place
}

/// Places are counted in 32 bits: four thousand million records are out of reach.
fn small(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// Whom a statement comes to name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Person(PersonId),
    /// A record of the same plan, by its place in the register.
    Entry(u32),
}

/// What follows from one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    Nothing,
    /// The manager changes.
    Change,
    /// Looked at again at each read: the stranger may appear, the cycle may open.
    Wait,
}

/// What the pass found.
#[derive(Debug)]
pub struct Resolved {
    register: Register,
    /// The places of the register in the order of ids.
    order: Vec<u32>,
    follows: Vec<Follows>,
    records: Vec<Option<Node>>,
    addresses: Vec<Option<Node>>,
    /// Statements that name nobody usable.
    pub problems: Vec<ManagerProblem>,
}

impl Resolved {
    /// The manager that changes for a record: now, then.
    #[must_use]
    pub fn change(&self, id: &ExternalId) -> Option<(Option<PersonId>, Option<ManagerKey>)> {
        let place = self.place(id)?;
        (self.follows.get(place) == Some(&Follows::Change)).then_some(())?;
        let entry = self.register.entries.get(place)?;
        let now = self.register.person(entry).and_then(|(_, manager)| manager);
        let then = self.target(entry).map(|node| match node {
            Node::Person(person) => ManagerKey::Person(person),
            Node::Entry(place) => {
                ManagerKey::Record(ExternalId::new(self.register.ids.get(place as usize)))
            }
        });
        Some((now, then))
    }

    /// Must the record be looked at again at each read?
    #[must_use]
    pub fn waits(&self, id: &ExternalId) -> bool {
        let follows = self.place(id).and_then(|place| self.follows.get(place));
        follows == Some(&Follows::Wait)
    }

    /// The outline of the row of a record that comes with the plan.
    #[must_use]
    pub fn outline_of(&self, id: &ExternalId) -> Option<u32> {
        self.register.entries.get(self.place(id)?)?.outline
    }

    /// Each change: the outline of the record's row, if it has one without it,
    /// and the manager now.
    pub fn changes(&self) -> impl Iterator<Item = (Option<u32>, Option<PersonId>)> {
        let entries = self.register.entries.iter().zip(&self.follows);
        entries
            .filter(|(_, follows)| **follows == Follows::Change)
            .map(|(entry, _)| {
                let person = self.register.person(entry);
                (entry.outline, person.and_then(|(_, manager)| manager))
            })
    }

    fn place(&self, id: &ExternalId) -> Option<usize> {
        self.register.ids.find(id.as_str(), &self.order)
    }

    fn target(&self, entry: &Entry) -> Option<Node> {
        match entry.named? {
            Name::Nobody => None,
            Name::Record(place) => *self.records.get(place as usize)?,
            Name::Address(place) => *self.addresses.get(place as usize)?,
        }
    }
}

/// Resolves all statements: linear but for the logarithms of looking up.
#[must_use]
pub fn resolve(register: Register, index: &ManagerIndex) -> Resolved {
    let order = register.ids.order();
    let coming = |record: &ExternalId| {
        let place = register.ids.find(record.as_str(), &order)?;
        let comes = register.entries.get(place)?.coming;
        comes.then(|| Node::Entry(small(place)))
    };
    let mut records = vec![None; register.records.len()];
    for (record, place) in &register.records {
        if let Some(target) = records.get_mut(*place as usize) {
            *target = match index.records.get(record) {
                Some(person) => Some(Node::Person(*person)),
                None => coming(record),
            };
        }
    }
    let own_order = register.own.order();
    let mut addresses = vec![None; register.addresses.len()];
    for (address, place) in &register.addresses {
        if let Some(target) = addresses.get_mut(*place as usize) {
            *target = match index.addresses.get(address) {
                Some(person) => Some(Node::Person(*person)),
                None => register.coming_under(address, &own_order).map(Node::Entry),
            };
        }
    }
    let mut resolved = Resolved {
        follows: vec![Follows::Nothing; register.entries.len()],
        problems: Vec::new(),
        register,
        order,
        records,
        addresses,
    };
    let wishes = Wishes::of(&mut resolved);
    let cyclic = wishes.cyclic(&resolved, &index.edges);
    for (place, wish) in wishes.targets.iter().enumerate() {
        let (Some(target), Some(entry)) = (wish, resolved.register.entries.get(place)) else {
            continue;
        };
        let now = resolved
            .register
            .person(entry)
            .and_then(|(_, manager)| manager);
        if cyclic.get(place) == Some(&true) {
            resolved.problem(place, ManagerProblemKind::Cyclic);
        } else if now.map(Node::Person) != Some(*target) {
            resolved.set(place, Follows::Change);
        }
    }
    resolved.problems.sort();
    resolved
}

impl Resolved {
    fn set(&mut self, place: usize, follows: Follows) {
        if let Some(known) = self.follows.get_mut(place) {
            *known = follows;
        }
    }

    fn problem(&mut self, place: usize, kind: ManagerProblemKind) {
        if kind != ManagerProblemKind::Oneself {
            self.set(place, Follows::Wait);
        }
        self.problems.push(ManagerProblem {
            external_id: ExternalId::new(self.register.ids.get(place)),
            kind,
        });
    }
}

/// Who would report to whom, if every statement came true.
struct Wishes {
    /// By the place of the record.
    targets: Vec<Option<Node>>,
    /// The places of those who are somebody already, by person.
    people: Vec<(PersonId, u32)>,
}

impl Wishes {
    /// Takes the statements that name somebody else; the others are done with.
    fn of(resolved: &mut Resolved) -> Self {
        let mut targets: Vec<Option<Node>> = vec![None; resolved.register.entries.len()];
        let mut people: Vec<(PersonId, u32)> = Vec::new();
        for place in resolved.order.clone() {
            let at = place as usize;
            let Some(entry) = resolved.register.entries.get(at).copied() else {
                continue;
            };
            let person = resolved.register.person(&entry);
            match entry.named {
                None => continue,
                Some(Name::Nobody) => {
                    if person.is_some_and(|(_, manager)| manager.is_some()) {
                        resolved.set(at, Follows::Change);
                    }
                    continue;
                }
                Some(Name::Record(_) | Name::Address(_)) => {}
            }
            let own = person.map_or(Node::Entry(place), |(person, _)| Node::Person(person));
            match resolved.target(&entry) {
                None => resolved.problem(at, ManagerProblemKind::Unresolved),
                Some(target) if target == own => {
                    resolved.problem(at, ManagerProblemKind::Oneself);
                }
                Some(target) => {
                    if let Some(wish) = targets.get_mut(at) {
                        *wish = Some(target);
                    }
                    people.extend(person.map(|(person, _)| (person, place)));
                }
            }
        }
        // Of two records of one person the last in the order of ids speaks.
        people.sort_by_key(|(person, _)| *person);
        let mut last: Vec<(PersonId, u32)> = Vec::with_capacity(people.len());
        for (person, place) in people {
            match last.last_mut() {
                Some(before) if before.0 == person => {
                    if let Some(wish) = targets.get_mut(before.1 as usize) {
                        *wish = None;
                    }
                    before.1 = place;
                }
                _ => last.push((person, place)),
            }
        }
        Self {
            targets,
            people: last,
        }
    }

    fn place_of(&self, person: PersonId) -> Option<usize> {
        let found = self.people.binary_search_by_key(&person, |known| known.0);
        self.people.get(found.ok()?).map(|known| known.1 as usize)
    }

    /// The place of the statement that speaks for a node.
    fn speaks(&self, resolved: &Resolved, node: Node) -> Option<usize> {
        match node {
            Node::Person(person) => self.place_of(person),
            // Of somebody who is known already the person speaks, not the record.
            Node::Entry(place) => {
                let entry = resolved.register.entries.get(place as usize)?;
                entry.who.is_none().then_some(place as usize)
            }
        }
    }

    /// Who would stand on a cycle, by the place of the record. Each has at most
    /// one manager, so one walk with three colours finds them all.
    fn cyclic(&self, resolved: &Resolved, edges: &BTreeMap<PersonId, PersonId>) -> Vec<bool> {
        let above = |node: Node| -> Option<Node> {
            let wish = self
                .speaks(resolved, node)
                .and_then(|place| *self.targets.get(place)?);
            match (wish, node) {
                (Some(target), _) => Some(target),
                (None, Node::Person(person)) => edges.get(&person).copied().map(Node::Person),
                (None, Node::Entry(_)) => None,
            }
        };
        let mut cyclic = vec![false; self.targets.len()];
        let mut walked = Walked::new(self.targets.len());
        for (start, wish) in self.targets.iter().enumerate() {
            let Some(entry) = wish.and(resolved.register.entries.get(start)) else {
                continue;
            };
            let person = resolved.register.person(entry);
            let mut at = person.map_or(Node::Entry(small(start)), |(person, _)| {
                Node::Person(person)
            });
            let mut path: Vec<Node> = Vec::new();
            while walked.step_on(at, self.speaks(resolved, at)) {
                path.push(at);
                match above(at) {
                    Some(next) => at = next,
                    None => break,
                }
            }
            // The walk came back to its own path: from there on it is a cycle.
            let comes_back = path.last().and_then(|last| above(*last)) == Some(at);
            let entry = path.iter().position(|node| *node == at);
            if let (true, Some(entry)) = (comes_back, entry) {
                let on_cycle = path.iter().skip(entry);
                for place in on_cycle.filter_map(|node| self.speaks(resolved, *node)) {
                    if let Some(place) = cyclic.get_mut(place) {
                        *place = true;
                    }
                }
            }
        }
        cyclic
    }
}

/// Nodes that a walk came over.
struct Walked {
    places: Vec<bool>,
    /// People of whom no statement speaks.
    others: BTreeSet<PersonId>,
    /// Records of known people, and such that say nothing.
    entries: BTreeSet<u32>,
}

impl Walked {
    fn new(places: usize) -> Self {
        Self {
            places: vec![false; places],
            others: BTreeSet::new(),
            entries: BTreeSet::new(),
        }
    }

    /// Is this the first time that a walk comes here?
    fn step_on(&mut self, node: Node, speaks: Option<usize>) -> bool {
        match (speaks.and_then(|place| self.places.get_mut(place)), node) {
            (Some(walked), _) => !std::mem::replace(walked, true),
            (None, Node::Person(person)) => self.others.insert(person),
            (None, Node::Entry(place)) => self.entries.insert(place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid_for_tests::person;

    mod uuid_for_tests {
        use muster_model::PersonId;

        pub(super) fn person(number: u8) -> PersonId {
            format!("00000000-0000-7000-8000-0000000000{number:02x}")
                .parse()
                .unwrap()
        }
    }

    fn statement(record: &str, own: Option<PersonId>, manager: &str) -> Statement {
        Statement {
            external_id: record.into(),
            person: own,
            current: None,
            precondition: Precondition::default(),
            named: Named::Record(manager.into()),
        }
    }

    fn register(statements: &[Statement], coming: bool) -> Register {
        let mut register = Register::default();
        for statement in statements {
            register.note(&statement.external_id, None, coming, None, Some(statement));
        }
        register
    }

    #[test]
    fn ple_36_self_cycle_and_stranger_are_listed_and_change_nothing() {
        let index = ManagerIndex {
            records: [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
                .into_iter()
                .map(|(record, number)| (record.into(), person(number)))
                .collect(),
            ..ManagerIndex::default()
        };
        let statements = [
            statement("a", Some(person(1)), "b"),
            statement("b", Some(person(2)), "a"),
            statement("c", Some(person(3)), "c"),
            statement("d", Some(person(4)), "a"),
            statement("e", None, "nobody"),
        ];
        let resolved = resolve(register(&statements, false), &index);
        let kinds: Vec<_> = resolved
            .problems
            .iter()
            .map(|p| (p.external_id.as_str(), p.kind))
            .collect();
        assert_eq!(
            kinds,
            [
                ("a", ManagerProblemKind::Cyclic),
                ("b", ManagerProblemKind::Cyclic),
                ("c", ManagerProblemKind::Oneself),
                ("e", ManagerProblemKind::Unresolved),
            ]
        );
        // Below a cycle, but not on it.
        let manager = resolved.change(&"d".into()).unwrap();
        assert_eq!(manager, (None, Some(ManagerKey::Person(person(1)))));
        assert_eq!(resolved.changes().count(), 1);
    }

    #[test]
    fn a_manager_may_come_with_the_same_plan() {
        let mut register = register(&[statement("a", None, "b")], true);
        register.note(&"b".into(), Some(0), true, None, None);
        let resolved = resolve(register, &ManagerIndex::default());
        assert_eq!(
            resolved.change(&"a".into()),
            Some((None, Some(ManagerKey::Record("b".into()))))
        );
    }

    #[test]
    fn a_manager_named_by_address_may_come_with_the_same_plan() {
        let named = |record: &str, address: &str| Statement {
            named: Named::Address(address.to_owned()),
            ..statement(record, None, "")
        };
        let mut register = Register::default();
        for (record, own, manager) in [
            ("a", "a@nordlys.example", "b@nordlys.example"),
            ("c", "c@nordlys.example", "twin@nordlys.example"),
        ] {
            let statement = named(record, manager);
            register.note(&record.into(), None, true, Some(own), Some(&statement));
        }
        for (record, own) in [
            ("b", "B@nordlys.example"),
            ("twin", "twin@nordlys.example"),
            ("other twin", "twin@nordlys.example"),
        ] {
            register.note(&record.into(), Some(0), true, Some(own), None);
        }
        let resolved = resolve(register, &ManagerIndex::default());
        assert_eq!(
            resolved.change(&"a".into()),
            Some((None, Some(ManagerKey::Record("b".into()))))
        );
        // Of two who come under one address neither is taken.
        assert_eq!(resolved.change(&"c".into()), None);
        assert!(resolved.waits(&"c".into()));
    }

    #[test]
    fn a_cycle_through_people_whom_nothing_touched_is_found() {
        // b reports to c and c to a already; a would report to b.
        let index = ManagerIndex {
            records: [("a", 1), ("b", 2)]
                .into_iter()
                .map(|(record, number)| (record.into(), person(number)))
                .collect(),
            edges: [(person(2), person(3)), (person(3), person(1))].into(),
            ..ManagerIndex::default()
        };
        let resolved = resolve(
            register(&[statement("a", Some(person(1)), "b")], false),
            &index,
        );
        assert_eq!(resolved.changes().count(), 0);
        assert_eq!(resolved.problems.len(), 1);
    }
}
