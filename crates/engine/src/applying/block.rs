//! Some rows of a plan, in one transaction: loaded, checked against their
//! preconditions, done by the pure core, and written in bulk.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use muster_model::plan::{self, Change, Effect, ManagerKey};
use muster_model::{
    DigestKey, ExternalId, HoldKind, Link, MatchKey, Person, PersonId, Provenance, Reason, RunId,
    Situation, Stamp,
};
use muster_reconcile::{EnactContext, State, enact};
use muster_storage::{
    ChangeMark, ChangeState, Connection, DoneBy, Organisation, OutboxMessage, PersonToWrite, Rest,
    StoredRecord, Transaction,
};

use tracing::Instrument;

use super::messages::{Origin, messages};
use super::takes_back;
use super::tally::{chosen, release};
use super::{Applied, Block, Choice};
use crate::deciding::Answers;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::planning::{Planned, settled_digest, versions};
use crate::wake::wake;

/// What every block of one plan shares.
pub(super) struct Work<'a> {
    engine: &'a Engine,
    connection: &'a Connection,
    choice: &'a Choice,
    planned: &'a Planned,
    run: RunId,
    key: DigestKey,
    versions: String,
    now: Timestamp,
    today: Date,
}

/// Everything written by one block.
#[derive(Default)]
struct Writes {
    people: Vec<PersonToWrite>,
    links: Vec<Link>,
    rests: Vec<Rest>,
    /// Records whose rows were done in part, or refused: whatever they rested under is
    /// true no more, also if the source says that again.
    unsettled: Vec<ExternalId>,
    marks: Vec<ChangeMark>,
    messages: Vec<OutboxMessage>,
    touched_people: Vec<PersonId>,
    takes_back: takes_back::Writes,
}

/// What a block works on.
struct Loaded<'a> {
    people: BTreeMap<PersonId, Person>,
    links: BTreeMap<ExternalId, Link>,
    records: &'a BTreeMap<ExternalId, StoredRecord>,
    managers: BTreeMap<ExternalId, PersonId>,
    holders: muster_storage::KeyHolders,
    /// Messages to cancel that have not left.
    waiting: BTreeSet<uuid::Uuid>,
    /// Records that were missing when the plan was made, and were seen since.
    back: BTreeSet<ExternalId>,
}

impl<'a> Work<'a> {
    pub(super) async fn new(
        engine: &'a Engine,
        organisation: &Organisation,
        connection: &'a Connection,
        planned: &'a Planned,
        choice: &'a Choice,
        run: RunId,
    ) -> Result<Self, EngineError> {
        let versions = match &planned.versions {
            Some(versions) => versions.clone(),
            None => {
                let info = muster_connect::catalogue()
                    .iter()
                    .find(|info| info.name == connection.connector)
                    .ok_or_else(|| EngineError::ConnectionUnknown {
                        name: connection.name.clone(),
                    })?;
                versions(connection, info)
            }
        };
        Ok(Self {
            engine,
            connection,
            choice,
            planned,
            run,
            key: organisation.digest_key(),
            versions,
            now: engine.now(),
            today: engine.today(organisation),
        })
    }

    /// Applies some rows; a stale one is refused alone.
    pub(super) async fn apply(
        &self,
        transaction: &mut Transaction,
        block: &Block,
        applied: &mut Applied,
    ) -> Result<(), EngineError> {
        let rows = &block.rows;
        let mut loaded = self
            .load(transaction, block)
            .instrument(tracing::debug_span!("apply: load"))
            .await?;
        let enacting = tracing::debug_span!("apply: decide");
        let mut writes = Writes::default();
        let mut joined: BTreeMap<ExternalId, PersonId> = BTreeMap::new();
        let before = applied.passed.clone();
        for row in rows {
            let Some(change) = &row.change else { continue };
            if !chosen(change, self.choice) {
                applied.left(change);
                continue;
            }
            // Most rows are done as they stand.
            let mut change = Cow::Borrowed(change);
            let in_part = row.state == ChangeState::Waiting;
            // Decided rows come without what is done already.
            if in_part && self.choice.decided.is_none() {
                // What was not held is done already.
                let open = &mut change.to_mut().effects;
                open.retain(|planned| planned.held.is_some());
            }
            let kinds: Vec<Option<HoldKind>> =
                change.effects.iter().map(|planned| planned.held).collect();
            if kinds.iter().any(Option::is_some) {
                release(change.to_mut(), &self.choice.allow);
            }
            if !is_workable(&change) {
                // Somebody decided that nothing is done.
                if let Some(answers) = &self.choice.decided {
                    let done_by = self.noted(answers, row.ordinal, &change, true);
                    writes
                        .marks
                        .push(mark(row.ordinal, state_of(&change), None, None, done_by));
                }
                continue;
            }
            if self.is_stale(&change, in_part, &loaded) {
                applied.refused(&change);
                writes.unsettled.extend(change.external_id.clone());
                writes.marks.push(mark(
                    row.ordinal,
                    ChangeState::Stale,
                    Some("row.stale"),
                    None,
                    None,
                ));
                continue;
            }
            let done_by = match &self.choice.decided {
                Some(answers) => {
                    owned(change.to_mut(), &loaded);
                    self.noted(answers, row.ordinal, &change, in_part)
                }
                None => self.done_by(&change, &kinds),
            };
            let place = (row.ordinal, done_by);
            self.enact(place, &change, &mut loaded, &mut joined, &mut writes);
            applied.done(&change);
        }
        drop(enacting);
        self.write(transaction, writes).await?;
        for (kind, rows) in &applied.passed {
            let rows = rows - before.get(kind).copied().unwrap_or_default();
            if rows > 0 {
                transaction
                    .passed(self.connection.id, *kind, self.now, rows)
                    .await?;
            }
        }
        Ok(())
    }

    /// What this run does of a row as somebody decided it: not what the row says.
    fn noted(
        &self,
        answers: &Answers,
        ordinal: u64,
        change: &Change,
        in_part: bool,
    ) -> Option<DoneBy> {
        let open = change
            .effects
            .iter()
            .filter(|one| one.held.is_none() && !matches!(one.effect, Effect::Conflict { .. }));
        let notes = answers.notes.get(&ordinal).into_iter().flatten();
        let effects: Vec<plan::Planned> = notes.chain(open).cloned().collect();
        let parts = if in_part { Vec::new() } else { vec![None] };
        (!effects.is_empty()).then_some(DoneBy {
            run: self.run,
            parts,
            effects,
        })
    }

    /// Which part of a row this run does; `None` when that goes without saying,
    /// because the run made the plan and releases nothing.
    fn done_by(&self, change: &Change, kinds: &[Option<HoldKind>]) -> Option<DoneBy> {
        let open = change.effects.iter().zip(kinds);
        let parts: BTreeSet<Option<HoldKind>> = open
            .filter(|(planned, _)| planned.held.is_none())
            .map(|(_, kind)| *kind)
            .collect();
        let only_free = parts.iter().all(Option::is_none);
        (self.planned.made_by != Some(self.run) || !only_free).then(|| DoneBy {
            run: self.run,
            parts: parts.into_iter().collect(),
            effects: Vec::new(),
        })
    }

    async fn load<'block>(
        &self,
        transaction: &mut Transaction,
        block: &'block Block,
    ) -> Result<Loaded<'block>, EngineError> {
        let changes = || block.rows.iter().filter_map(|row| row.change.as_ref());
        let ids: Vec<ExternalId> = changes()
            .filter_map(|change| change.external_id.clone())
            .collect();
        let people: Vec<PersonId> = changes().filter_map(|change| change.person).collect();
        let managers: BTreeSet<ExternalId> = changes()
            .flat_map(|change| &change.effects)
            .filter_map(|planned| match &planned.effect {
                Effect::Manager {
                    to: Some(ManagerKey::Record(record)),
                    ..
                } => Some(record.clone()),
                _ => None,
            })
            .collect();
        let managers: Vec<ExternalId> = managers.into_iter().collect();
        let created: Vec<ExternalId> = changes()
            .filter(|change| makes_a_person(change))
            .filter_map(|change| change.external_id.clone())
            .collect();
        let cancels: Vec<uuid::Uuid> = changes().flat_map(takes_back::cancels).collect();
        let waiting = if cancels.is_empty() {
            Vec::new()
        } else {
            transaction.still_waiting(&cancels).await?
        };
        let absent: Vec<ExternalId> = changes()
            .filter(|change| follows_from_absence(change))
            .filter_map(|change| change.external_id.clone())
            .collect();
        let made_at = self.planned.plan.made_at;
        // The records that hold a key were asked about when the plan was made; people
        // may have come since.
        Ok(Loaded {
            back: if absent.is_empty() {
                BTreeSet::new()
            } else {
                transaction
                    .seen_since(self.connection.id, &absent, made_at)
                    .await?
            },
            people: transaction
                .people(&people)
                .await?
                .into_iter()
                .map(|person| (person.id, person))
                .collect(),
            links: transaction
                .links(self.connection.id, &ids)
                .await?
                .into_iter()
                .map(|link| (link.external_id.clone(), link))
                .collect(),
            managers: transaction
                .people_of_records(self.connection.id, &managers)
                .await?,
            holders: transaction
                .people_with_keys_of(self.connection.id, &created)
                .await?,
            records: &block.records,
            waiting: waiting.into_iter().collect(),
        })
    }

    /// Is something else true than when the row was planned? A row of which a part
    /// was done has moved the versions itself: the rest of it is true as long as
    /// each effect still finds what it begins with.
    fn is_stale(&self, change: &Change, in_part: bool, loaded: &Loaded<'_>) -> bool {
        if change.due_on.is_some_and(|day| day <= self.today)
            && self.planned.plan.made_for < self.today
        {
            return true;
        }
        if takes_back::cancels(change).any(|message| !loaded.waiting.contains(&message)) {
            return true;
        }
        let expected = &change.precondition;
        let person = change.person.and_then(|id| loaded.people.get(&id));
        let id = change.external_id.as_ref();
        let link = id.and_then(|id| loaded.links.get(id));
        if in_part {
            let Some(person) = person else { return true };
            let open = change.effects.iter().filter(|one| one.held.is_none());
            if open.map(|one| &one.effect).any(|effect| {
                !muster_reconcile::enact::begins_with(effect, person, self.connection.id)
            }) {
                return true;
            }
        } else {
            let version = person.map(|person| person.version);
            if change.person.is_some() && version != expected.person_version {
                return true;
            }
            if link.map(|link| link.version) != expected.link_version {
                return true;
            }
        }
        // What leaves nobody's version another still says that they are here.
        if follows_from_absence(change) && id.is_some_and(|id| loaded.back.contains(id)) {
            return true;
        }
        let record = id.and_then(|id| loaded.records.get(id));
        if expected.record.is_some() && record.map(|row| row.digest) != expected.record {
            return true;
        }
        makes_a_person(change) && record.is_some_and(|row| self.is_taken(change, row, loaded))
    }

    /// Does somebody hold a key of a record that is to become a person? The plan
    /// found nobody; whoever came since must not be made twice.
    fn is_taken(&self, change: &Change, row: &StoredRecord, loaded: &Loaded<'_>) -> bool {
        // Whoever decided to make somebody saw who shares a weak key.
        let decided = change
            .reasons
            .iter()
            .any(|reason| reason.code == Reason::MATCH_DECIDED);
        let mut asked = muster_reconcile::matching::asked(&self.connection.policy);
        asked.any(|match_key| {
            (!decided || match_key.is_strong())
                && match_key
                    .digest(&row.record.fields, &self.key)
                    .and_then(|digest| loaded.holders.get(&(match_key, digest)))
                    .is_some_and(|owners| !owners.people.is_empty())
        })
    }

    fn enact(
        &self,
        (ordinal, done_by): (u64, Option<DoneBy>),
        change: &Change,
        loaded: &mut Loaded<'_>,
        joined: &mut BTreeMap<ExternalId, PersonId>,
        writes: &mut Writes,
    ) {
        let id = change.external_id.as_ref();
        let before = State {
            person: change
                .person
                .and_then(|person| loaded.people.get(&person).cloned()),
            link: id.and_then(|id| loaded.links.get(id).cloned()),
        };
        let stored = id.and_then(|id| loaded.records.get(id));
        // A missing record is in the storage still, but not in the read.
        let record = change
            .precondition
            .record
            .and(stored)
            .map(|row| &row.record);
        let manager = |key: &ManagerKey| match key {
            ManagerKey::Person(person) => Some(*person),
            ManagerKey::Record(record) => joined
                .get(record)
                .or_else(|| loaded.managers.get(record))
                .copied(),
        };
        let mut after = enact(
            change,
            before.clone(),
            &EnactContext {
                connection: self.connection.id,
                policy: &self.connection.policy,
                key: &self.key,
                now: self.now,
                today: self.today,
                // Whom an undo brings back is who they were.
                new_person: change
                    .person
                    .unwrap_or_else(|| PersonId::new(self.engine.ids.as_ref())),
                record,
                manager: &manager,
            },
        );
        let lost_manager = change.effects.iter().any(|planned| match &planned.effect {
            Effect::Manager { to: Some(key), .. } => {
                planned.held.is_none() && manager(key).is_none()
            }
            _ => false,
        });
        if let Some(person) = &mut after.person {
            let stamp = Stamp {
                run: self.run,
                connection: self.connection.id,
                at: self.now,
                versions: self.versions.clone(),
            };
            Provenance::note(before.person.as_ref(), person, &stamp);
        }
        writes
            .takes_back
            .note(change, &before, &after, self.planned.id);
        let person = after.person.as_ref().map(|person| person.id);
        if let Some(person) = after.person {
            // Whom this plan makes or links may be somebody's manager in it.
            if before.link.is_none()
                && let Some(id) = id
            {
                joined.insert(id.clone(), person.id);
            }
            let origin = Origin {
                connection: self.connection.id,
                run: self.run,
                row: (self.planned.id, ordinal),
            };
            writes.messages.extend(messages(change, person.id, origin));
            let changed = before.person.as_ref() != Some(&person);
            // Of somebody who was just made nobody else has said anything.
            if changed && before.person.is_some() {
                writes.touched_people.push(person.id);
            }
            // A later row of the block may be about the same person, but for one who has
            // no id before this row.
            if change.person.is_some() {
                loaded.people.insert(person.id, person.clone());
            }
            if changed {
                writes.people.push(PersonToWrite {
                    keys: keys_of(&person, &self.key),
                    person: Person {
                        version: before.person.as_ref().map_or(0, |before| before.version),
                        ..person
                    },
                });
            }
        }
        if let Some(link) = after.link
            && before.link.as_ref() != Some(&link)
        {
            writes.links.push(Link {
                version: before.link.as_ref().map_or(0, |before| before.version),
                ..link
            });
        }
        let held = change.effects.iter().any(|planned| planned.held.is_some());
        if let (Some(row), true) = (stored, change.settles && !held && !lost_manager) {
            let rest = change.rest();
            writes.rests.push(Rest {
                external_id: row.external_id.clone(),
                digest: settled_digest(&self.key, rest, row.digest),
                rest: rest.word().to_owned(),
                due_on: change.due_on,
                due_marks: row.due_marks,
            });
        } else {
            writes.unsettled.extend(id.cloned());
        }
        let state = state_of(change);
        writes
            .marks
            .push(mark(ordinal, state, None, person, done_by));
    }

    async fn write(
        &self,
        transaction: &mut Transaction,
        writes: Writes,
    ) -> Result<(), EngineError> {
        let people = transaction
            .write_people(&writes.people)
            .instrument(tracing::debug_span!("apply: people"))
            .await?;
        let links = transaction
            .write_links(self.connection.id, &writes.links)
            .instrument(tracing::debug_span!("apply: links"))
            .await?;
        // Somebody wrote between the look and the writing, which several nodes can do:
        // nothing of the block may stand, least of all its marks.
        if !people.is_empty() || !links.is_empty() {
            return Err(EngineError::Raced);
        }
        transaction
            .settle(self.connection.id, &self.versions, &writes.rests)
            .instrument(tracing::debug_span!("apply: rests"))
            .await?;
        transaction
            .unsettle(self.connection.id, &writes.unsettled)
            .await?;
        transaction
            .mark_changes(self.planned.id, &writes.marks)
            .instrument(tracing::debug_span!("apply: marks"))
            .await?;
        transaction.enqueue(&writes.messages).await?;
        writes
            .takes_back
            .write(transaction, self.connection.id)
            .await?;
        let just = writes
            .links
            .iter()
            .map(|link| link.external_id.clone())
            .chain(writes.rests.iter().map(|rest| rest.external_id.clone()))
            .collect();
        wake(
            transaction,
            self.connection.id,
            &just,
            &writes.touched_people,
        )
        .await
    }
}

/// Whose each field was, for whoever takes this back.
fn owned(change: &mut Change, loaded: &Loaded<'_>) {
    let person = change.person.and_then(|id| loaded.people.get(&id));
    for planned in &mut change.effects {
        if let (Effect::Set { field, .. } | Effect::Own { field }, Some(person)) =
            (&planned.effect, person)
        {
            planned.owner = person.owners.get(field).copied();
        }
    }
}

/// Has the row anything to do by itself? Questions and ambiguities wait for a person.
fn is_workable(change: &Change) -> bool {
    change
        .effects
        .iter()
        .any(|planned| planned.held.is_none() && !matches!(planned.effect, Effect::Conflict { .. }))
}

/// The part that is held, or asks, waits for whoever may release or decide it.
fn state_of(change: &Change) -> ChangeState {
    if muster_reconcile::resolve::waits(change) {
        ChangeState::Waiting
    } else {
        ChangeState::Applied
    }
}

/// Does the row follow from a record's being missing from the read?
fn follows_from_absence(change: &Change) -> bool {
    change.precondition.record.is_none()
        && !change.takes_back()
        && matches!(change.situation, Situation::Gone | Situation::Removed)
}

fn makes_a_person(change: &Change) -> bool {
    change
        .effects
        .iter()
        .any(|planned| planned.held.is_none() && matches!(planned.effect, Effect::Create { .. }))
}

fn keys_of(person: &Person, key: &DigestKey) -> BTreeMap<MatchKey, muster_model::Digest> {
    MatchKey::ALL
        .into_iter()
        .filter_map(|match_key| Some((match_key, match_key.digest(&person.fields, key)?)))
        .collect()
}

fn mark(
    ordinal: u64,
    state: ChangeState,
    error_code: Option<&str>,
    person: Option<PersonId>,
    done_by: Option<DoneBy>,
) -> ChangeMark {
    ChangeMark {
        ordinal,
        state,
        error_code: error_code.map(ToOwned::to_owned),
        person,
        done_by,
    }
}
