//! One row of a plan, done: from the state before to the state after. Whoever
//! calls loads the one and stores the other.

use jiff::Timestamp;
use jiff::civil::Date;
use muster_model::engagement::EngagementStatus;
use muster_model::link::Choice;
use muster_model::plan::{Change, Effect, FieldValue, ManagerKey, Planned};
use muster_model::{
    Access, AccessCause, Base, ConnectionId, Decision, DigestKey, Field, Fields, Flow, Link,
    Person, PersonId, Policy, Remapped, Said, Situation, SourceRecord, Swing, Value,
};

use crate::compare::side_digest;
use crate::input::gives;

/// A person and a link, before or after.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// The person; `None` when there is none.
    pub person: Option<Person>,
    /// The link; `None` when there is none.
    pub link: Option<Link>,
}

/// What a row needs to be done, beside the state.
pub struct EnactContext<'a> {
    /// The connection of the plan.
    pub connection: ConnectionId,
    /// Its settings.
    pub policy: &'a Policy,
    /// The organisation's index key.
    pub key: &'a DigestKey,
    /// The instant of applying.
    pub now: Timestamp,
    /// Its civil day.
    pub today: Date,
    /// The id that a created person gets.
    pub new_person: PersonId,
    /// The record of the row; `None` when it is missing from the read.
    pub record: Option<&'a SourceRecord>,
    /// Whom a manager key names, now that creations are done.
    pub manager: &'a dyn Fn(&ManagerKey) -> Option<PersonId>,
}

/// Does everything of a row that is not held. The preconditions are the caller's
/// to check, in the transaction in which the result is stored.
#[must_use]
pub fn enact(change: &Change, mut state: State, context: &EnactContext<'_>) -> State {
    let before = state.person.clone();
    let open = change
        .effects
        .iter()
        .filter(|planned| planned.held.is_none());
    for effect in open.map(|planned| &planned.effect) {
        match effect {
            Effect::Create { fields, access } => {
                state.person = Some(created(fields, *access, context));
                state.link = linked(context, context.new_person);
            }
            Effect::Link => {
                if let Some(person) = &state.person {
                    state.link = linked(context, person.id);
                }
            }
            Effect::Remove { .. } => state = State::default(),
            Effect::Unlink => state.link = None,
            Effect::Decide {
                field,
                to,
                theirs,
                ours,
                ..
            } => {
                if let Some(link) = &mut state.link {
                    let pair = [theirs, ours].map(|said| said.clone().map(|said| said.value));
                    decide(link, *field, to.as_ref(), pair, context.policy);
                }
            }
            // What goes outwards, and what waits for a person, changes nothing here;
            // nor does what is kept beside people and links.
            Effect::Conflict { .. }
            | Effect::Outward { .. }
            | Effect::MarkGone
            | Effect::DeclineRecord { .. }
            | Effect::Answer { .. }
            | Effect::Cancel { .. } => {}
            effect => {
                if let Some(person) = &mut state.person {
                    enact_on(person, effect, context);
                }
            }
        }
    }
    if let (Some(before), Some(after)) = (&before, &mut state.person)
        && before != after
    {
        after.version = before.version + 1;
    }
    let known = state.link.as_ref().map(|link| link.version);
    if let Some(link) = &mut state.link
        && !change.takes_back()
        && swing(link, change, context)
    {
        link.version += 1;
    }
    // A link whose record is deleted, or covered no more, takes over nothing; nor
    // does an undo, which is about what was said before.
    let holds = !matches!(change.situation, Situation::Removed | Situation::OutOfScope)
        && !change.takes_back();
    if let (true, Some(record), Some(link)) = (holds, context.record, &mut state.link) {
        believe(
            link,
            record,
            state.person.as_ref(),
            context.policy,
            context.today,
        );
    }
    let marks =
        |planned: &Planned| planned.held.is_none() && matches!(planned.effect, Effect::MarkGone);
    // After believing: that takes a record that is there for one that holds somebody.
    if let Some(link) = state.link.as_mut()
        && change.effects.iter().any(marks)
    {
        link.gone_since = Some(context.now);
        link.version += 1;
    }
    // One change, however many things of the link it touched.
    if let (Some(known), Some(link)) = (known, &mut state.link) {
        link.version = link.version.min(known + 1);
    }
    state
}

/// Notes which fields moved between which values, so that one that goes back and
/// forth is seen; a decision that is done is used up. Says whether anything changed.
fn swing(link: &mut Link, change: &Change, context: &EnactContext<'_>) -> bool {
    let open = change
        .effects
        .iter()
        .filter(|planned| planned.held.is_none());
    let mut changed = false;
    for effect in open.map(|planned| &planned.effect) {
        let (field, from, to, inwards) = match effect {
            Effect::Set { field, from, to } if *field != Field::Engagements => {
                (*field, from, to, true)
            }
            Effect::Outward {
                field,
                theirs,
                ours,
            } => (*field, theirs, ours, false),
            _ => continue,
        };
        let decided = link
            .decisions
            .get(&field)
            .is_some_and(|decision| matches!(decision.choice, Choice::Theirs | Choice::Ours));
        if decided {
            // Somebody looked: it begins anew. What goes outwards is done only when
            // the source has it.
            changed |= link.swings.remove(&field).is_some();
            changed |= inwards && link.decisions.remove(&field).is_some();
            continue;
        }
        let side = |said: &Said<FieldValue>| {
            side_digest(context.key, field, said.as_ref().map(|said| &said.value))
        };
        let before = link.swings.get(&field);
        let after = Swing::after(before, side(from), side(to), context.now);
        if before != Some(&after) {
            link.swings.insert(field, after);
            changed = true;
        }
    }
    if changed {
        link.swings.retain(|_, swing| {
            let last = swing.at.last();
            last.is_some_and(|last| context.now.duration_since(*last) < Swing::WINDOW)
        });
    }
    changed
}

/// May the record come to rest with this row? Not while something of it is
/// held, waits for a person or an answer, or names a manager who is not there.
#[must_use]
pub fn is_done(change: &Change, manager: &dyn Fn(&ManagerKey) -> Option<PersonId>) -> bool {
    change.settles
        && change.effects.iter().all(|planned| {
            let found = match &planned.effect {
                Effect::Manager { to: Some(key), .. } => manager(key).is_some(),
                _ => true,
            };
            found && planned.held.is_none()
        })
}

fn enact_on(person: &mut Person, effect: &Effect, context: &EnactContext<'_>) {
    match effect {
        Effect::Set {
            field: Field::Engagements,
            to,
            ..
        } => {
            let engagements = match to {
                Said::Value(FieldValue {
                    value: Value::Engagements(engagements),
                    ..
                }) => engagements.clone(),
                _ => Vec::new(),
            };
            if engagements.is_empty() {
                person.engagements.remove(&context.connection);
            } else {
                person.engagements.insert(context.connection, engagements);
            }
        }
        Effect::Set { field, to, .. } => {
            person
                .fields
                .set(*field, to.clone().map(|value| value.value));
            // Who gives no value owns nothing: the next source may fill it.
            if gives(*field, person.fields.get(*field)) {
                person.owners.insert(*field, context.connection);
            } else {
                person.owners.remove(field);
            }
        }
        Effect::Own { field } => {
            person.owners.insert(*field, context.connection);
        }
        Effect::Owner { field, to, .. } => match to {
            Some(owner) => {
                person.owners.insert(*field, *owner);
            }
            None => {
                person.owners.remove(field);
            }
        },
        Effect::Manager { to, .. } => {
            person.manager = match to {
                None => None,
                // One who cannot be found takes nobody's manager away; see `is_done`.
                Some(key) => (context.manager)(key).or(person.manager),
            };
        }
        Effect::Employment { to, .. } => {
            person.employment = *to;
            person
                .fields
                .put(Field::EmploymentStatus, Value::text(to.name()));
        }
        Effect::Access { to, .. } => {
            if to.is_off() {
                person.access_before = Some(person.access);
                person.access_cause = Some(AccessCause::Sync);
            } else {
                person.access_before = None;
                person.access_cause = None;
            }
            person.access = *to;
        }
        _ => {}
    }
}

/// Does a person still stand where an effect begins? What is left of a row of
/// which a part was done is checked by this, because that part moved the versions.
#[must_use]
pub fn begins_with(effect: &Effect, person: &Person, connection: ConnectionId) -> bool {
    match effect {
        Effect::Set {
            field: Field::Engagements,
            from,
            ..
        } => {
            let ours = person.engagements.get(&connection);
            let from = match from {
                Said::Value(FieldValue {
                    value: Value::Engagements(engagements),
                    ..
                }) => engagements.as_slice(),
                _ => &[],
            };
            ours.map(Vec::as_slice).unwrap_or_default() == from
        }
        Effect::Set { field, from, .. } => {
            from.as_ref().map(|said| &said.value) == person.fields.get(*field)
        }
        Effect::Manager { from, .. } => *from == person.manager,
        Effect::Employment { from, .. } => *from == person.employment,
        Effect::Access { from, .. } => *from == person.access,
        // These are made or joined once: the versions say whether they were.
        Effect::Create { .. } | Effect::Link => false,
        Effect::Owner { field, from, .. } => *from == person.owners.get(field).copied(),
        Effect::MarkGone
        | Effect::Remove { .. }
        | Effect::Unlink
        | Effect::Decide { .. }
        | Effect::DeclineRecord { .. }
        | Effect::Answer { .. }
        | Effect::Cancel { .. }
        | Effect::Own { .. }
        | Effect::Conflict { .. }
        | Effect::Outward { .. } => true,
    }
}

/// Writes down what is decided about a field. What is declined where it flows both
/// ways is the pair that both sides are taken to know: only the next move of one is news.
fn decide(
    link: &mut Link,
    field: Field,
    decision: Option<&Decision>,
    [theirs, ours]: [Said<Value>; 2],
    policy: &Policy,
) {
    match decision {
        Some(decision) => {
            link.decisions.insert(field, decision.clone());
            // What was skipped is asked about as soon as either side moves.
            let declined = decision.choice == Choice::Declined;
            if declined && matches!(policy.flow(field), Flow::Both | Flow::Out) {
                link.base.insert(field, Base { theirs, ours });
            }
        }
        None => {
            link.decisions.remove(&field);
        }
    }
    link.version += 1;
}

fn created(fields: &Fields, access: Access, context: &EnactContext<'_>) -> Person {
    let mut person = Person::new(context.new_person);
    person.fields = fields.only(|field| field != Field::Engagements);
    // Engagements that no later read would follow would keep somebody employed for ever.
    if context.policy.flow(Field::Engagements) == Flow::In
        && let Some(engagements) = fields
            .value(Field::Engagements)
            .and_then(Value::as_engagements)
            .filter(|engagements| !engagements.is_empty())
    {
        person
            .engagements
            .insert(context.connection, engagements.to_vec());
    }
    person.employment = fields
        .text(Field::EmploymentStatus)
        .and_then(EngagementStatus::from_name)
        .unwrap_or(EngagementStatus::Unknown);
    person.access = access;
    person.version = 1;
    for (field, said) in fields.iter() {
        // Employment is the union of what all say: no source owns it.
        if matches!(field, Field::Engagements | Field::EmploymentStatus) {
            continue;
        }
        if gives(field, said) && matches!(context.policy.flow(field), Flow::In | Flow::Both) {
            person.owners.insert(field, context.connection);
        }
    }
    person
}

fn linked(context: &EnactContext<'_>, person: PersonId) -> Option<Link> {
    context.record.map(|record| Link {
        external_id: record.external_id.clone(),
        person,
        said: record.fields.clone(),
        read_as: record.raw.read_as().cloned(),
        revision: record.revision,
        base: std::collections::BTreeMap::new(),
        decisions: std::collections::BTreeMap::new(),
        swings: std::collections::BTreeMap::new(),
        gone_since: None,
        version: 1,
    })
}

/// What a new version of the mapping did to a record since its link believed it.
#[must_use]
pub fn remapped(link: &Link, record: &SourceRecord) -> Remapped {
    record
        .raw
        .read_as()
        .map_or(Remapped::No, |now| now.since(link.read_as.as_ref()))
}

/// The link takes over what the record says. Where both sides are equal now,
/// that pair becomes the base of the next comparison.
/// The flat fields of employment are those of the day, as they are compared.
pub fn believe(
    link: &mut Link,
    record: &SourceRecord,
    person: Option<&Person>,
    policy: &Policy,
    today: Date,
) {
    let before = link.clone();
    let remapped = remapped(link, record);
    link.said = record.fields.clone();
    if let Some(read_as) = record.raw.read_as() {
        link.read_as = Some(read_as.clone());
    }
    // A second record of the person is planned beside what this one says of
    // employment: half an engagement would look like one that runs.
    if !record.whole {
        let known = before.said.get(Field::Engagements).map(Clone::clone);
        link.said.set(Field::Engagements, known);
    }
    // Where only our reading moved, theirs is in the base as it is read now.
    for (field, base) in &mut link.base {
        let owned = policy.flow(*field) == Flow::Out && remapped == Remapped::Unknown;
        let theirs = record.fields.get(*field);
        if (remapped == Remapped::Still || owned) && !theirs.is_absent() {
            base.theirs = theirs.map(Clone::clone);
        }
    }
    link.revision = record.revision.or(link.revision);
    link.gone_since = None;
    if let Some(person) = person {
        // Half a record speaks of no employment.
        let flat = record.whole.then(|| record.on(today));
        let said = flat.as_ref().unwrap_or(&record.fields);
        for (field, flow) in &policy.flows {
            if !matches!(flow, Flow::Both | Flow::Out) {
                continue;
            }
            let (theirs, ours) = (said.get(*field), person.fields.get(*field));
            let equal = match (theirs.value(), ours.value()) {
                (Some(theirs), Some(ours)) => theirs.same(ours, *field),
                (None, None) => !theirs.is_absent(),
                _ => false,
            };
            if equal {
                let base = Base {
                    theirs: theirs.map(Clone::clone),
                    ours: ours.map(Clone::clone),
                };
                link.base.insert(*field, base);
                // What was decided is done.
                if link.decisions.get(field).is_some_and(|decision| {
                    matches!(decision.choice, Choice::Theirs | Choice::Ours)
                }) {
                    link.decisions.remove(field);
                }
            }
        }
    }
    if *link != before {
        link.version = before.version + 1;
    }
}
