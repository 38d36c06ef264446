//! Loads what the planner needs: records with their links and people, who holds
//! their keys, and the numbers that the brakes count against.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use muster_model::engagement::{EngagementStatus, employment_on};
use muster_model::plan::{Rest as RestKind, RestCounts};
use muster_model::policy::BrakeKind;
use muster_model::{
    ConnectionId, Digest, ExternalId, Link, MatchKey, OrganisationId, Person, PersonId, Presence,
    RecordDecision, SnapshotId,
};
use muster_reconcile::{KeyHolders, RecordHolder, Touched};
use muster_storage::{Connection, ConnectionState, Organisation, Reader, StoredRecord};

use super::blocks::AT_ONCE;
use super::candidates::{candidates, named_by_decisions};
use super::sources::{Heard, Sources};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::read::Read;

/// How long a key that changed hands is no identity (`docs/engine`, Matching).
const CHANGED_HANDS_DAYS: i64 = 400;

/// What each record rests under: its digest, and how often it was marked.
pub(super) type Marks = BTreeMap<ExternalId, (Digest, u64)>;

/// Some records with everything that planning them needs.
#[derive(Default)]
pub(super) struct Block {
    pub(super) touched: Vec<Touched>,
    pub(super) holders: KeyHolders,
    pub(super) marks: Marks,
    /// Records without a link of which somebody, or another record, holds a key.
    pub(super) contested: BTreeSet<ExternalId>,
}

/// What all blocks share, and what brakes and trust count against.
pub(super) struct Frame {
    pub(super) untouched: RestCounts,
    pub(super) linked: u64,
    pub(super) administrators: u64,
    pub(super) let_through: BTreeMap<BrakeKind, u64>,
    pub(super) other_sources: Vec<Option<Timestamp>>,
    /// Linked records that were not in the read and were not dealt with, in order.
    pub(super) missing: Arc<Vec<ExternalId>>,
}

/// Loads blocks of records.
pub(super) struct Loader {
    engine: Engine,
    pub(super) organisation: OrganisationId,
    pub(super) connection: Connection,
    pub(super) snapshot: SnapshotId,
    pub(super) versions: String,
    /// The organisation's day.
    pub(super) today: Date,
    sources: Sources,
}

impl Loader {
    /// A loader for the plan of a snapshot, and what is asked once.
    pub(super) async fn new(
        engine: &Engine,
        organisation: &Organisation,
        connection: &Connection,
        read: &Read,
        versions: String,
    ) -> Result<(Arc<Self>, Frame), EngineError> {
        let snapshot = read.snapshot;
        let mut transaction = engine.storage.begin(organisation.id).await?;
        transaction.mark_due_on(engine.today(organisation)).await?;
        transaction.commit().await?;

        let mut reader = engine.storage.read(organisation.id).await?;
        let connections: Vec<Connection> = reader.connections().await?;
        let loader = Arc::new(Self {
            engine: engine.clone(),
            organisation: organisation.id,
            connection: connection.clone(),
            snapshot,
            sources: Sources::of(&connections, connection.id, organisation, engine.now()),
            versions,
            today: engine.today(organisation),
        });
        let mut untouched = rest_counts(
            reader
                .untouched_counts(connection.id, snapshot, &loader.versions)
                .await?,
        );
        // Whoever did not change is missing from a read of changes, and from nothing else.
        let missing = match read.evidence.changes_since {
            None => loader.missing(&mut reader, &mut untouched).await?,
            Some(_) => Vec::new(),
        };
        let since = engine
            .now()
            .checked_sub(24.hours())
            .unwrap_or(Timestamp::MIN);
        let frame = Frame {
            untouched,
            linked: reader.linked_people(connection.id).await?,
            administrators: reader.administrators().await?,
            let_through: reader.passed_since(connection.id, since).await?,
            other_sources: connections
                .iter()
                .filter(|other| other.id != connection.id && moves(other))
                .map(|other| other.last_read_at)
                .collect(),
            missing: Arc::new(missing),
        };
        Ok((loader, frame))
    }

    /// A reader of the organisation's data.
    pub(super) async fn reader(&self) -> Result<Reader, EngineError> {
        Ok(self.engine.storage.read(self.organisation).await?)
    }

    /// Records of which somebody, or another record, holds a key; `None` if there are more
    /// than `most`.
    pub(super) async fn contested(
        &self,
        most: usize,
    ) -> Result<Option<BTreeSet<ExternalId>>, EngineError> {
        let mut reader = self.reader().await?;
        let connection = self.connection.id;
        Ok(reader.contested_records(connection, most).await?)
    }

    /// Everything that planning these records needs. Who holds their keys is asked of
    /// the `contested` ones, and without them of all.
    pub(super) async fn block(
        &self,
        reader: &mut Reader,
        present: Vec<StoredRecord>,
        absent: Vec<ExternalId>,
        contested: Option<&BTreeSet<ExternalId>>,
    ) -> Result<Block, EngineError> {
        let connection = self.connection.id;
        let mut block = Block::default();
        let mut ids: Vec<ExternalId> = present.iter().map(|row| row.external_id.clone()).collect();
        let absent_rows = if absent.is_empty() {
            Vec::new()
        } else {
            reader.records(connection, &absent).await?
        };
        ids.extend(absent);
        let mut links = links_by_record(reader, connection, &ids).await?;
        let unlinked: Vec<ExternalId> = present
            .iter()
            .filter(|row| !links.contains_key(&row.external_id))
            .map(|row| row.external_id.clone())
            .filter(|id| contested.is_none_or(|contested| contested.contains(id)))
            .collect();
        if !unlinked.is_empty() {
            block.contested = self
                .load_holders(reader, &unlinked, &mut block.holders)
                .await?;
        }
        let linked: Vec<PersonId> = links.values().map(|link| link.person).collect();
        let people = people_by_id(reader, &linked).await?;
        let heard = self.sources.heard(reader, &linked).await?;
        let mut decided = decisions_by_record(reader, connection, &ids).await?;
        named_by_decisions(reader, &self.sources, &decided, &mut block.holders).await?;
        let rows = present
            .into_iter()
            .map(|row| (row, true))
            .chain(absent_rows.into_iter().map(|row| (row, false)));
        for (row, is_present) in rows {
            let link = links.remove(&row.external_id);
            if !is_present && link.is_none() {
                continue;
            }
            let person = link
                .as_ref()
                .and_then(|link| people.get(&link.person))
                .cloned();
            block
                .marks
                .insert(row.external_id.clone(), (row.digest, row.due_marks));
            let heard = beside(&heard, person.as_ref(), &row.external_id);
            block.touched.push(Touched {
                decisions: decided.remove(&row.external_id).unwrap_or_default(),
                external_id: Some(row.external_id),
                digest: is_present.then_some(row.digest),
                record: is_present.then_some(row.record),
                others: heard.others,
                siblings: heard.siblings,
                link,
                person,
            });
        }
        block
            .touched
            .sort_by(|one, two| one.external_id.cmp(&two.external_id));
        Ok(block)
    }

    /// Links whose records were not in the read; those dealt with are only counted.
    async fn missing(
        &self,
        reader: &mut Reader,
        untouched: &mut RestCounts,
    ) -> Result<Vec<ExternalId>, EngineError> {
        let connection = self.connection.id;
        let mut missing = Vec::new();
        let mut after: Option<ExternalId> = None;
        loop {
            let ids = reader
                .missing(connection, self.snapshot, after.as_ref(), AT_ONCE)
                .await?;
            let Some(last) = ids.last() else {
                missing.sort_unstable();
                return Ok(missing);
            };
            after = Some(last.clone());
            for row in reader.records(connection, &ids).await? {
                if row.rest.as_deref() == Some(RestKind::Gone.word()) && !row.due {
                    untouched.gone += 1;
                } else {
                    missing.push(row.external_id);
                }
            }
        }
    }

    /// Who else holds the keys of records that have no link; gives back which records
    /// those are.
    async fn load_holders(
        &self,
        reader: &mut Reader,
        records: &[ExternalId],
        holders: &mut KeyHolders,
    ) -> Result<BTreeSet<ExternalId>, EngineError> {
        let found = reader
            .holders_of_records(self.connection.id, self.snapshot, records)
            .await?;
        if found.is_empty() {
            return Ok(BTreeSet::new());
        }
        let contested = found
            .values()
            .flat_map(|owners| owners.records.iter().cloned())
            .collect();
        let held: Vec<(MatchKey, Digest)> = found
            .iter()
            .filter(|(_, owners)| !owners.people.is_empty())
            .map(|(place, _)| *place)
            .collect();
        let mut people: BTreeSet<PersonId> = BTreeSet::new();
        let mut rivals: BTreeSet<ExternalId> = BTreeSet::new();
        for owners in found.values() {
            people.extend(&owners.people);
            // A key that one record alone holds has no rival.
            if owners.records.len() > 1 {
                rivals.extend(owners.records.iter().cloned());
            }
        }
        let claims = self.claims(reader, &rivals).await?;
        for (place, owners) in found {
            if !owners.people.is_empty() {
                holders.people.insert(place, owners.people);
            }
            if owners.records.len() > 1 {
                let records = owners
                    .records
                    .iter()
                    .filter_map(|id| claims.get(id).cloned())
                    .collect();
                holders.records.insert(place, records);
            }
        }
        let people: Vec<PersonId> = people.into_iter().collect();
        let recycled = self.recycled(reader, holders, &held).await?;
        candidates(reader, &self.sources, &people, &recycled, holders).await?;
        Ok(contested)
    }

    /// Keys of people that somebody else held within 400 days: an address or a
    /// number that changed hands names nobody by itself.
    async fn recycled(
        &self,
        reader: &mut Reader,
        holders: &KeyHolders,
        asked: &[(MatchKey, Digest)],
    ) -> Result<BTreeMap<PersonId, BTreeSet<MatchKey>>, EngineError> {
        let since = self
            .engine
            .now()
            .checked_sub((CHANGED_HANDS_DAYS * 24).hours())
            .unwrap_or(Timestamp::MIN);
        let mut recycled: BTreeMap<PersonId, BTreeSet<MatchKey>> = BTreeMap::new();
        for (place, past) in reader.past_holders(asked, since).await? {
            for person in holders.people.get(&place).into_iter().flatten() {
                if past.iter().any(|before| before != person) {
                    recycled.entry(*person).or_default().insert(place.0);
                }
            }
        }
        Ok(recycled)
    }

    /// Which of these records claim to be somebody here.
    async fn claims(
        &self,
        reader: &mut Reader,
        ids: &BTreeSet<ExternalId>,
    ) -> Result<BTreeMap<ExternalId, RecordHolder>, EngineError> {
        let ids: Vec<ExternalId> = ids.iter().cloned().collect();
        let connection = self.connection.id;
        let linked = reader.people_of_records(connection, &ids).await?;
        let now = self.engine.now();
        Ok(reader
            .records(connection, &ids)
            .await?
            .into_iter()
            .map(|row| {
                // The day of the zone that is last: whoever may still be employed claims.
                let today = jiff::tz::TimeZone::UTC.to_datetime(now).date();
                let employment = employment_on(row.record.engagements().unwrap_or_default(), today);
                let holder = RecordHolder {
                    linked: linked.contains_key(&row.external_id),
                    running: row.record.presence == Presence::Present
                        && employment != Some(EngagementStatus::Ended),
                    external_id: row.external_id.clone(),
                };
                (row.external_id, holder)
            })
            .collect())
    }
}

/// Does a connection count as a source of people?
fn moves(connection: &Connection) -> bool {
    !matches!(
        connection.state,
        ConnectionState::Draft | ConnectionState::Paused | ConnectionState::Disconnected
    )
}

fn rest_counts(stored: BTreeMap<String, u64>) -> RestCounts {
    let mut counts = RestCounts::default();
    for (word, records) in stored {
        if let Some(rest) = RestKind::from_word(&word) {
            counts.add(rest, records);
        }
    }
    counts
}

/// What the links of a person say, beside this one.
fn beside(heard: &BTreeMap<PersonId, Heard>, person: Option<&Person>, own: &ExternalId) -> Heard {
    // Two records of one person each hear the other.
    person
        .and_then(|person| heard.get(&person.id).cloned())
        .unwrap_or_default()
        .beside(own)
}

async fn links_by_record(
    reader: &mut Reader,
    connection: ConnectionId,
    ids: &[ExternalId],
) -> Result<BTreeMap<ExternalId, Link>, EngineError> {
    let links = reader.links(connection, ids).await?;
    Ok(links
        .into_iter()
        .map(|link| (link.external_id.clone(), link))
        .collect())
}

async fn decisions_by_record(
    reader: &mut Reader,
    connection: ConnectionId,
    ids: &[ExternalId],
) -> Result<BTreeMap<ExternalId, Vec<RecordDecision>>, EngineError> {
    let mut decided: BTreeMap<ExternalId, Vec<RecordDecision>> = BTreeMap::new();
    for decision in reader.decisions(connection, ids).await? {
        decided
            .entry(decision.external_id.clone())
            .or_default()
            .push(decision);
    }
    Ok(decided)
}

pub(super) async fn people_by_id(
    reader: &mut Reader,
    ids: &[PersonId],
) -> Result<BTreeMap<PersonId, Person>, EngineError> {
    let people = reader.people(ids).await?;
    Ok(people
        .into_iter()
        .map(|person| (person.id, person))
        .collect())
}
