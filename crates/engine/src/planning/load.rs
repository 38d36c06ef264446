//! Loads what the planner needs: the touched records with their links and
//! people, who holds their keys, and the numbers the brakes count against.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use muster_model::engagement::{EngagementStatus, employment_on};
use muster_model::plan::{Rest as RestKind, RestCounts};
use muster_model::policy::BrakeKind;
use muster_model::{
    ConnectionId, Digest, ExternalId, Field, Flow, Link, MatchKey, Person, PersonId, Presence,
    RecordDecision, SnapshotId,
};
use muster_reconcile::{KeyHolders, ManagerIndex, RecordHolder, Touched};
use muster_storage::{Connection, ConnectionState, Organisation, Reader, StoredRecord};

use super::Known;
use super::candidates::{candidates, named_by_decisions};
use super::sources::{Heard, Sources};
use crate::engine::Engine;
use crate::error::EngineError;

/// Records loaded at once.
const AT_ONCE: u32 = 2_000;
/// How long a key that changed hands is no identity (`docs/engine`, Matching).
const CHANGED_HANDS_DAYS: i64 = 400;

/// What was loaded for a plan.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(crate) touched: Vec<Touched>,
    pub(crate) holders: KeyHolders,
    pub(crate) untouched: RestCounts,
    pub(crate) linked: u64,
    pub(crate) administrators: u64,
    pub(crate) let_through: BTreeMap<BrakeKind, u64>,
    pub(crate) other_sources: Vec<Option<Timestamp>>,
    pub(crate) managers: ManagerIndex,
    marks: BTreeMap<ExternalId, (Digest, u64)>,
}

impl Loaded {
    /// What each touched record rests under.
    pub(crate) fn rests(&self) -> BTreeMap<ExternalId, Known> {
        self.touched
            .iter()
            .filter_map(|touched| {
                let id = touched.external_id.clone()?;
                let (digest, due_marks) = *self.marks.get(&id)?;
                let known = Known {
                    digest,
                    due_marks,
                    record: touched.record.clone(),
                    person: touched.person.clone(),
                };
                Some((id, known))
            })
            .collect()
    }

    /// The links of the touched records.
    pub(crate) fn links(&self) -> BTreeMap<ExternalId, Link> {
        self.touched
            .iter()
            .filter_map(|touched| {
                let link = touched.link.clone()?;
                Some((link.external_id.clone(), link))
            })
            .collect()
    }
}

impl Engine {
    /// Loads everything a plan of this snapshot needs.
    pub(crate) async fn load(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        snapshot: SnapshotId,
        versions: &str,
    ) -> Result<Loaded, EngineError> {
        let mut transaction = self.storage.begin(organisation.id).await?;
        transaction.mark_due_on(self.today(organisation)).await?;
        transaction.commit().await?;

        let mut reader = self.storage.read(organisation.id).await?;
        let connections: Vec<Connection> = reader.connections().await?;
        let mut loaded = Loaded {
            untouched: rest_counts(
                reader
                    .untouched_counts(connection.id, snapshot, versions)
                    .await?,
            ),
            linked: reader.linked_people(connection.id).await?,
            administrators: reader.administrators().await?,
            let_through: self.let_through(&mut reader, connection).await?,
            other_sources: connections
                .iter()
                .filter(|other| other.id != connection.id && moves(other))
                .map(|other| other.last_read_at)
                .collect(),
            ..Loaded::default()
        };
        let sources = Sources::of(&connections, connection.id, organisation, self.now());

        let mut after: Option<ExternalId> = None;
        loop {
            let block = reader
                .touched(connection.id, snapshot, versions, after.as_ref(), AT_ONCE)
                .await?;
            let Some(last) = block.last() else { break };
            after = Some(last.external_id.clone());
            self.load_block(
                &mut reader,
                connection,
                snapshot,
                &sources,
                block,
                &mut loaded,
            )
            .await?;
        }
        self.load_missing(&mut reader, connection, snapshot, &sources, &mut loaded)
            .await?;
        load_managers(&mut reader, connection, &mut loaded).await?;
        Ok(loaded)
    }

    async fn let_through(
        &self,
        reader: &mut Reader,
        connection: &Connection,
    ) -> Result<BTreeMap<BrakeKind, u64>, EngineError> {
        let since = self.now().checked_sub(24.hours()).unwrap_or(Timestamp::MIN);
        Ok(reader.passed_since(connection.id, since).await?)
    }

    async fn load_block(
        &self,
        reader: &mut Reader,
        connection: &Connection,
        snapshot: SnapshotId,
        sources: &Sources,
        block: Vec<StoredRecord>,
        loaded: &mut Loaded,
    ) -> Result<(), EngineError> {
        let ids: Vec<ExternalId> = block.iter().map(|row| row.external_id.clone()).collect();
        let mut links = links_by_record(reader, connection.id, &ids).await?;
        let unlinked: Vec<&StoredRecord> = block
            .iter()
            .filter(|row| !links.contains_key(&row.external_id))
            .collect();
        self.load_holders(
            reader,
            connection,
            snapshot,
            sources,
            &unlinked,
            &mut loaded.holders,
        )
        .await?;
        let linked: Vec<PersonId> = links.values().map(|link| link.person).collect();
        let people = people_by_id(reader, &linked).await?;
        let heard = sources.heard(reader, &linked).await?;
        let mut decided = decisions_by_record(reader, connection.id, &ids).await?;
        named_by_decisions(reader, sources, &decided, &mut loaded.holders).await?;
        for row in block {
            let link = links.remove(&row.external_id);
            let person = link
                .as_ref()
                .and_then(|link| people.get(&link.person))
                .cloned();
            loaded
                .marks
                .insert(row.external_id.clone(), (row.digest, row.due_marks));
            let heard = beside(&heard, person.as_ref(), &row.external_id);
            loaded.touched.push(Touched {
                decisions: decided.remove(&row.external_id).unwrap_or_default(),
                external_id: Some(row.external_id),
                record: Some(row.record),
                digest: Some(row.digest),
                others: heard.others,
                siblings: heard.siblings,
                link,
                person,
            });
        }
        Ok(())
    }

    /// Links whose records were not in the read, but for those dealt with.
    async fn load_missing(
        &self,
        reader: &mut Reader,
        connection: &Connection,
        snapshot: SnapshotId,
        sources: &Sources,
        loaded: &mut Loaded,
    ) -> Result<(), EngineError> {
        let mut after: Option<ExternalId> = None;
        loop {
            let ids = reader
                .missing(connection.id, snapshot, after.as_ref(), AT_ONCE)
                .await?;
            let Some(last) = ids.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            let rows = reader.records(connection.id, &ids).await?;
            let mut links = links_by_record(reader, connection.id, &ids).await?;
            let linked: Vec<PersonId> = links.values().map(|link| link.person).collect();
            let people = people_by_id(reader, &linked).await?;
            let heard = sources.heard(reader, &linked).await?;
            let mut decided = decisions_by_record(reader, connection.id, &ids).await?;
            for row in rows {
                if row.rest.as_deref() == Some(RestKind::Gone.word()) && !row.due {
                    loaded.untouched.gone += 1;
                    continue;
                }
                let Some(link) = links.remove(&row.external_id) else {
                    continue;
                };
                let person = people.get(&link.person).cloned();
                loaded
                    .marks
                    .insert(row.external_id.clone(), (row.digest, row.due_marks));
                let heard = beside(&heard, person.as_ref(), &row.external_id);
                loaded.touched.push(Touched {
                    decisions: decided.remove(&row.external_id).unwrap_or_default(),
                    external_id: Some(row.external_id),
                    record: None,
                    digest: None,
                    others: heard.others,
                    siblings: heard.siblings,
                    link: Some(link),
                    person,
                });
            }
        }
    }

    /// Who else holds the keys of records that have no link.
    async fn load_holders(
        &self,
        reader: &mut Reader,
        connection: &Connection,
        snapshot: SnapshotId,
        sources: &Sources,
        records: &[&StoredRecord],
        holders: &mut KeyHolders,
    ) -> Result<(), EngineError> {
        let mut asked: BTreeSet<(MatchKey, Digest)> = BTreeSet::new();
        for row in records {
            for match_key in MatchKey::ALL {
                if let Some(digest) = sources.digest(match_key, &row.record.fields) {
                    asked.insert((match_key, digest));
                }
            }
        }
        let asked: Vec<(MatchKey, Digest)> = asked.into_iter().collect();
        let found = reader.key_holders(connection.id, snapshot, &asked).await?;
        let mut people: BTreeSet<PersonId> = BTreeSet::new();
        let mut rivals: BTreeSet<ExternalId> = BTreeSet::new();
        for owners in found.values() {
            people.extend(&owners.people);
            // A key that one record alone holds has no rival.
            if owners.records.len() > 1 {
                rivals.extend(owners.records.iter().cloned());
            }
        }
        let claims = self.claims(reader, connection, &rivals).await?;
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
        let recycled = self.recycled(reader, holders, &asked).await?;
        candidates(reader, sources, &people, &recycled, holders).await
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
        connection: &Connection,
        ids: &BTreeSet<ExternalId>,
    ) -> Result<BTreeMap<ExternalId, RecordHolder>, EngineError> {
        let ids: Vec<ExternalId> = ids.iter().cloned().collect();
        let linked = reader.people_of_records(connection.id, &ids).await?;
        let now = self.now();
        Ok(reader
            .records(connection.id, &ids)
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

/// Whom the touched records name as managers, and who manages whom today.
async fn load_managers(
    reader: &mut Reader,
    connection: &Connection,
    loaded: &mut Loaded,
) -> Result<(), EngineError> {
    let flows = |field| matches!(connection.policy.flow(field), Flow::In | Flow::Both);
    if !flows(Field::ManagerExternalId) && !flows(Field::ManagerEmail) {
        return Ok(());
    }
    let mut records: BTreeSet<ExternalId> = BTreeSet::new();
    let mut addresses: BTreeSet<String> = BTreeSet::new();
    for touched in &loaded.touched {
        let Some(record) = &touched.record else {
            continue;
        };
        let flat = [record.fields.text(Field::ManagerExternalId)];
        records.extend(flat.into_iter().flatten().map(ExternalId::new));
        addresses.extend(
            record
                .fields
                .text(Field::ManagerEmail)
                .map(muster_model::values::Email::fold),
        );
        for engagement in record.engagements().unwrap_or_default() {
            let terms = std::iter::once(&engagement.terms)
                .chain(engagement.periods.iter().map(|period| &period.terms));
            for terms in terms {
                records.extend(
                    terms
                        .manager_external_id
                        .value()
                        .map(|id| ExternalId::new(id.as_str())),
                );
                addresses.extend(
                    terms
                        .manager_email
                        .value()
                        .map(|text| muster_model::values::Email::fold(text)),
                );
            }
        }
    }
    if records.is_empty() && addresses.is_empty() {
        return Ok(());
    }
    let records: Vec<ExternalId> = records.into_iter().collect();
    loaded.managers.records = reader.people_of_records(connection.id, &records).await?;
    loaded.managers.edges = reader.manager_edges().await?.into_iter().collect();
    for address in addresses {
        let query = muster_storage::PersonQuery::WorkEmail(address.clone());
        let mut found = reader.find_people(&query).await?;
        // An address that several share names nobody.
        if let (Some(person), true) = (found.pop(), found.is_empty()) {
            loaded.managers.addresses.insert(address, person.id);
        }
    }
    Ok(())
}
