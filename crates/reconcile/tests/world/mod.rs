//! A small house in memory: a directory, several sources with dated
//! engagements, links, what rests and what is due. It does with the pure
//! functions what the engine does with a database, and nothing else.

#![allow(dead_code)] // each test binary uses a part of it

pub(crate) mod cast;
pub(crate) mod loading;
pub(crate) mod source;
pub(crate) mod undoing;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use muster_model::plan::{Effect, ManagerKey, Planned, Rest};
use muster_model::time::date_in;
use muster_model::{
    Access, AccessCause, Base, Change, DigestKey, ExternalId, Field, MatchKey, Person, PersonId,
    Plan, Policy, Value,
};
use muster_reconcile::undo::{UndoInput, Undoing};
use muster_reconcile::{EnactContext, Input, PlanError, State, brakes, trust};

pub(crate) use source::{Fault, Source};

/// What plans and what does: the honest one, or one with a planted bug.
#[derive(Clone, Copy)]
pub(crate) struct Machine {
    pub(crate) plan: for<'a> fn(Input<'a>) -> Result<Plan, PlanError>,
    pub(crate) enact: for<'a, 'b> fn(&Change, State, &EnactContext<'a>) -> State,
    /// Are the other records of a changed person looked at again?
    pub(crate) wakes: bool,
    /// Does a row come to rest although something of it is held?
    pub(crate) settles_held: bool,
    /// Is a record looked at on the day of which it speaks?
    pub(crate) minds_days: bool,
    /// Takes back what a run did.
    pub(crate) undo: for<'a> fn(UndoInput<'a>) -> Undoing,
}

/// The machine as it is.
pub(crate) const HONEST: Machine = Machine {
    plan: muster_reconcile::plan,
    enact: muster_reconcile::enact,
    wakes: true,
    settles_held: false,
    minds_days: true,
    undo: muster_reconcile::undo,
};

/// What a sync loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// What differs from what rests, or is due.
    Touched,
    /// Everybody.
    Everybody,
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) people: BTreeMap<PersonId, Person>,
    pub(crate) sources: Vec<Source>,
    pub(crate) now: Timestamp,
    pub(crate) key: DigestKey,
    /// Keys that somebody else held within 400 days.
    pub(crate) recycled: BTreeSet<(PersonId, MatchKey)>,
    made: u64,
    /// What the last run did: each row with the effects that were done.
    pub(crate) done: Vec<(Change, Vec<Planned>)>,
}

impl World {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            people: BTreeMap::new(),
            sources: Vec::new(),
            now,
            key: DigestKey::new([7; 32]),
            recycled: BTreeSet::new(),
            made: 0,
            done: Vec::new(),
        }
    }

    pub(crate) fn today(&self) -> Date {
        date_in(self.now, &TimeZone::UTC)
    }

    pub(crate) fn pass(&mut self, hours: i64) {
        self.now = self.now.checked_add(hours.hours()).unwrap();
    }

    pub(crate) fn add_source(&mut self, policy: Policy) -> usize {
        let place = self.sources.len();
        self.sources.push(Source::new(place, policy));
        place
    }

    pub(crate) fn next_id(&mut self) -> PersonId {
        self.made += 1;
        format!("00000000-0000-7000-8000-{:012x}", self.made)
            .parse()
            .unwrap()
    }

    /// Somebody who was here before any source.
    pub(crate) fn add_person(&mut self, change: impl FnOnce(&mut Person)) -> PersonId {
        let id = self.next_id();
        let mut person = Person::new(id);
        person.access = Access::Active;
        person.version = 1;
        change(&mut person);
        self.people.insert(id, person);
        self.wake_keys(id);
        id
    }

    pub(crate) fn person_of(&self, source: usize, record: &str) -> Option<&Person> {
        let link = self.sources[source].links.get(&ExternalId::from(record))?;
        self.people.get(&link.person)
    }

    /// A change by hand: every record of the person is looked at again.
    pub(crate) fn edit(&mut self, id: PersonId, change: impl FnOnce(&mut Person)) {
        let Some(person) = self.people.get_mut(&id) else {
            return;
        };
        let before = person.clone();
        change(person);
        if *person == before {
            return;
        }
        person.version += 1;
        self.wake_person(id, None);
        self.wake_keys(id);
    }

    /// Somebody takes the access away by hand.
    pub(crate) fn cut(&mut self, id: PersonId) {
        self.edit(id, |person| {
            if !person.access.is_off() {
                person.access_before = Some(person.access);
            }
            person.access = Access::Suspended;
            person.access_cause = Some(AccessCause::Hand);
        });
    }

    /// Plans, without doing anything.
    pub(crate) fn plan(
        &self,
        machine: &Machine,
        source: usize,
        fault: Fault,
        load: Load,
    ) -> Result<Plan, PlanError> {
        loading::with_input(self, source, fault, load, machine.minds_days, |input| {
            (machine.plan)(input)
        })
    }

    /// A run: reads, plans, applies. `release` opens what a person may release.
    pub(crate) fn run(
        &mut self,
        machine: &Machine,
        source: usize,
        fault: Fault,
        load: Load,
        release: bool,
    ) -> Plan {
        let plan = self.plan(machine, source, fault, load).unwrap();
        self.keep_history(source, fault, &plan);
        self.rest(machine, source, &plan);
        self.apply(machine, source, &plan, release);
        plan
    }

    fn keep_history(&mut self, source: usize, fault: Fault, plan: &Plan) {
        let summary = self.sources[source].summary(fault);
        let of = &self.sources[source];
        let mut evidence = plan.evidence.clone();
        let verdict = trust::judge(
            &mut evidence,
            &summary,
            &of.history,
            &of.policy,
            None,
            self.now,
        );
        let read = trust::past_read(self.now, &evidence, summary, &verdict);
        self.sources[source].history.push(read);
        self.sources[source].last_read = Some(self.now);
    }

    fn rest(&mut self, machine: &Machine, source: usize, plan: &Plan) {
        for quiet in &plan.quiet {
            let id = &quiet.external_id;
            let record = self.sources[source].records.get(id).cloned();
            if let (true, Some(record), true) = (quiet.believed, record, quiet.rest != Rest::Gone) {
                let of = &mut self.sources[source];
                if let Some(link) = of.links.get_mut(id) {
                    let before = link.clone();
                    let person = self.people.get(&link.person);
                    muster_reconcile::enact::believe(link, &record, person, &of.policy);
                    let (changed, person) = (*link != before, link.person);
                    if changed && machine.wakes {
                        self.wake_person(person, Some((source, id)));
                    }
                }
            }
            let missing = quiet.rest == Rest::Gone;
            self.sources[source].lay(
                &self.key,
                id,
                missing,
                quiet.rest,
                quiet.due_on,
                quiet.settles,
            );
        }
    }

    /// Applies a plan row by row; a stale row is refused alone.
    pub(crate) fn apply(&mut self, machine: &Machine, source: usize, plan: &Plan, release: bool) {
        let mut passed = BTreeMap::new();
        self.done.clear();
        for planned in &plan.changes {
            let mut change = planned.clone();
            if release {
                for kind in muster_model::HoldKind::ALL {
                    brakes::release(&mut change, *kind);
                }
            }
            if self.enact(machine, source, &change) {
                let open = |planned: &&Planned| planned.held.is_none();
                let effects = change.effects.iter().filter(open).cloned().collect();
                self.done.push((planned.clone(), effects));
                let kinds: BTreeSet<_> = change
                    .effects
                    .iter()
                    .filter(|planned| planned.held.is_none())
                    .filter_map(|planned| planned.brake)
                    .collect();
                for kind in kinds {
                    *passed.entry(kind).or_default() += 1;
                }
            }
        }
        let now = self.now;
        self.sources[source]
            .let_through
            .extend(passed.into_iter().map(|(kind, rows)| (now, kind, rows)));
    }

    fn enact(&mut self, machine: &Machine, source: usize, change: &Change) -> bool {
        let Some(id) = change.external_id.clone() else {
            return false;
        };
        let before = State {
            person: change.person.and_then(|id| self.people.get(&id).cloned()),
            link: self.sources[source].links.get(&id).cloned(),
        };
        let expected = &change.precondition;
        if before.person.as_ref().map(|person| person.version) != expected.person_version
            || before.link.as_ref().map(|link| link.version) != expected.link_version
        {
            return false;
        }
        if change.effects.iter().all(|planned| planned.held.is_some()) && !change.effects.is_empty()
            || change.effects.is_empty() && !change.settles
        {
            self.sources[source].unsettle(&id);
            return false;
        }
        let new_person = change.person.unwrap_or_else(|| self.next_id());
        let of = &self.sources[source];
        let record = expected.record.and_then(|_| of.records.get(&id)).cloned();
        let manager = |key: &ManagerKey| match key {
            ManagerKey::Person(person) => Some(*person),
            ManagerKey::Record(record) => of.links.get(record).map(|link| link.person),
        };
        let context = EnactContext {
            connection: of.id,
            policy: &of.policy,
            key: &self.key,
            now: self.now,
            new_person,
            record: record.as_ref(),
            manager: &manager,
        };
        let after = (machine.enact)(change, before.clone(), &context);
        let done = muster_reconcile::enact::is_done(change, &manager);
        self.store(machine, source, &id, &before, after);
        self.decline(source, &id, change);
        self.write_out(source, &id, change);
        let settles =
            done || machine.settles_held && change.effects.iter().any(|one| one.held.is_some());
        let missing = record.is_none();
        let (rest, due_on) = (change.rest(), change.due_on);
        self.sources[source].lay(&self.key, &id, missing, rest, due_on, settles);
        true
    }

    fn store(
        &mut self,
        machine: &Machine,
        source: usize,
        id: &ExternalId,
        before: &State,
        after: State,
    ) {
        let (person, link) = (after.person.clone(), after.link.clone());
        match &link {
            Some(link) => {
                self.sources[source].links.insert(id.clone(), link.clone());
            }
            None => {
                self.sources[source].links.remove(id);
            }
        }
        if let (Some(before), None) = (&before.person, &person) {
            self.people.remove(&before.id);
        }
        if let Some(person) = &person {
            self.people.insert(person.id, person.clone());
        }
        let changed = person != before.person || link != before.link;
        let Some(person) = person.filter(|_| changed && machine.wakes) else {
            return;
        };
        self.wake_person(person.id, Some((source, id)));
        self.wake_keys(person.id);
    }

    /// The vendor takes what we write in its own form, and answers with it.
    fn write_out(&mut self, source: usize, id: &ExternalId, change: &Change) {
        let of = &mut self.sources[source];
        for planned in change.effects.iter().filter(|one| one.held.is_none()) {
            let Effect::Outward { field, ours, .. } = &planned.effect else {
                continue;
            };
            let ours = ours.clone().map(|ours| ours.value);
            let theirs = ours.clone().map(|value| match value {
                Value::Text(text) => Value::Text(text.to_uppercase()),
                value => value,
            });
            if let (Some(record), Some(link)) = (of.records.get_mut(id), of.links.get_mut(id)) {
                record.fields.set(*field, theirs.clone());
                link.base.insert(*field, Base { theirs, ours });
                link.version += 1;
            }
        }
    }

    fn wake_person(&mut self, person: PersonId, but: Option<(usize, &ExternalId)>) {
        for (place, source) in self.sources.iter_mut().enumerate() {
            let records: Vec<ExternalId> = source
                .links
                .values()
                .filter(|link| link.person == person && but != Some((place, &link.external_id)))
                .map(|link| link.external_id.clone())
                .collect();
            for record in records {
                source.mark_due(&record);
            }
        }
    }

    /// Records without a link that hold a key of the person.
    fn wake_keys(&mut self, person: PersonId) {
        let Some(person) = self.people.get(&person) else {
            return;
        };
        for source in &mut self.sources {
            let named: Vec<ExternalId> = source
                .records
                .values()
                .filter(|record| !source.links.contains_key(&record.external_id))
                .filter(|record| {
                    MatchKey::ALL.into_iter().any(|key| {
                        let digest = key.digest(&record.fields, &self.key);
                        digest.is_some() && digest == key.digest(&person.fields, &self.key)
                    })
                })
                .map(|record| record.external_id.clone())
                .collect();
            for record in named {
                source.mark_due(&record);
            }
        }
    }

    /// The house as one can see it, whatever ids people got: by national id,
    /// else by address.
    pub(crate) fn seen(&self) -> BTreeMap<String, Seen> {
        self.people
            .values()
            .map(|person| (name_of(person), Seen::of(self, person)))
            .collect()
    }
}

fn name_of(person: &Person) -> String {
    match person.fields.value(Field::NationalId) {
        Some(Value::Sealed(id)) => id.expose().to_owned(),
        _ => person
            .fields
            .text(Field::WorkEmail)
            .unwrap_or("?")
            .to_owned(),
    }
}

/// What one can see of a person.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) access: Access,
    pub(crate) employment: &'static str,
    /// Fields that a source gives, with the source's place and the value.
    pub(crate) owned: BTreeMap<Field, (String, String)>,
    /// All fields.
    pub(crate) fields: BTreeMap<Field, String>,
    pub(crate) manager: Option<String>,
}

impl Seen {
    fn of(world: &World, person: &Person) -> Self {
        let fields: BTreeMap<Field, String> = person
            .fields
            .iter()
            .filter_map(|(field, said)| Some((field, format!("{:?}", said.value()?))))
            .collect();
        Self {
            access: person.access,
            employment: person.employment.name(),
            owned: person
                .owners
                .iter()
                .map(|(field, owner)| {
                    let value = fields.get(field).cloned().unwrap_or_default();
                    (*field, (owner.to_string(), value))
                })
                .collect(),
            fields,
            manager: person
                .manager
                .and_then(|manager| world.people.get(&manager))
                .map(name_of),
        }
    }
}
