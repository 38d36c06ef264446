//! What is known of one record: the row that the asked or the last run left, or
//! what the planner says of it when it is asked again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use muster_model::plan::{Change, Effect, Planned, Quiet};
use muster_model::zone::zone_of;
use muster_model::{
    Digest, Evidence, ExternalId, Field, Fields, Hold, Link, MatchKey, Person, PersonId,
    ReadHistory, RecordDecision, RunId,
};
use muster_reconcile::{Candidate, Input, KeyHolders, ManagerIndex, RecordHolder, Touched};
use muster_storage::{
    ChangeState, Connection, PlannedRow, Reader, Sighting, StoredChange, StoredPlan, StoredRecord,
};

use super::Asked;
use super::done::{self, Done, Origin};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::planning::sources::{self, Heard, Sources};
use crate::planning::versions;

/// Rows of a record looked through.
const ROWS: u32 = 50;
/// How long a key that changed hands is no identity (`docs/engine`, Matching).
const CHANGED_HANDS_DAYS: i64 = 400;

/// One record, and what was thought of it.
pub(super) struct Recalled {
    pub(super) connection: Connection,
    pub(super) external_id: ExternalId,
    pub(super) stored: Option<StoredRecord>,
    pub(super) link: Option<Link>,
    pub(super) sighting: Option<Sighting>,
    pub(super) thought: Thought,
    /// What somebody answered about the record as a whole.
    pub(super) decisions: Vec<RecordDecision>,
    /// Which row gave its person the value of a field.
    pub(super) origins: BTreeMap<Field, Origin>,
    /// Is the answer about now, not about an earlier run?
    pub(super) now: bool,
    /// The versions under which the connection maps and plans now.
    pub(super) versions: String,
}

/// The last thing that was thought of a record.
pub(super) enum Thought {
    /// A run left a row.
    Row {
        change: Box<Change>,
        state: ChangeState,
        /// Who did which part, when not only the run that made the plan.
        done: Vec<Done>,
        /// What still waits.
        open: Vec<Planned>,
        holds: Vec<Hold>,
        evidence: Box<Evidence>,
        run: Option<RunId>,
        at: Timestamp,
        versions: Option<String>,
    },
    /// It came to rest without a row.
    Quiet(Quiet),
    /// It is not at rest, and the next read will plan this.
    Next(Box<Change>),
    /// The asked run had no row about it.
    NoRow,
    /// Nobody is linked to it, and it was not in the last read.
    NotThere,
}

impl Engine {
    pub(super) async fn recall(
        &self,
        reader: &mut Reader,
        asked: &Asked<'_>,
        connection: &Connection,
        id: &ExternalId,
        person: Option<&Person>,
    ) -> Result<Recalled, EngineError> {
        let one = std::slice::from_ref(id);
        let stored = reader.records(connection.id, one).await?.pop();
        let link = reader.links(connection.id, one).await?.pop();
        let sighting = reader.sighting(connection.id, id).await?;
        let info = muster_connect::catalogue()
            .iter()
            .find(|info| info.name == connection.connector);
        let versions = info.map_or_else(String::new, |info| versions(connection, info));
        let rows = reader.rows_of_record(connection.id, id, ROWS).await?;
        let linked = person.filter(|person| {
            let of = link.as_ref().map(|link| link.person);
            of == Some(person.id)
        });
        let origins = match linked {
            Some(person) => done::origins(reader, connection.id, person, &rows).await?,
            None => BTreeMap::new(),
        };
        let mut recalled = Recalled {
            decisions: reader.decisions(connection.id, one).await?,
            origins,
            now: asked.run.is_none(),
            connection: connection.clone(),
            external_id: id.clone(),
            stored,
            link,
            sighting,
            thought: Thought::NoRow,
            versions,
        };
        recalled.thought = self.thought(reader, asked, &recalled, rows).await?;
        Ok(recalled)
    }

    async fn thought(
        &self,
        reader: &mut Reader,
        asked: &Asked<'_>,
        recalled: &Recalled,
        rows: Vec<PlannedRow>,
    ) -> Result<Thought, EngineError> {
        if let Some(run) = &asked.run {
            let plans = reader.plans_of_run(run.id).await?;
            for row in rows {
                let plan = plans.iter().find(|plan| plan.id == row.plan);
                if let (Some(plan), Some(change)) = (plan, &row.row.change) {
                    return as_row(reader, change, &row.row, plan).await;
                }
            }
            return Ok(Thought::NoRow);
        }
        let missing = recalled
            .sighting
            .as_ref()
            .is_none_or(|sighting| sighting.snapshot != sighting.newest);
        if missing && recalled.link.is_none() {
            return Ok(Thought::NotThere);
        }
        // A row of the newest plan is the last word; so is an older one, while
        // nothing brought the record to rest without a row since.
        let newest = reader.latest_plan(recalled.connection.id).await?;
        if let (Some(newest), Some(row)) = (&newest, rows.into_iter().next())
            && row.plan == newest.id
            && let Some(change) = &row.row.change
            && !taken_apart_since(change, &row.row, recalled)
        {
            return as_row(reader, change, &row.row, newest).await;
        }
        let evidence = newest.map_or_else(Evidence::none, |plan| plan.plan.evidence);
        self.ask_again(reader, asked, recalled, missing, evidence)
            .await
    }

    /// Asks the planner once more about one record, as if it alone were touched.
    async fn ask_again(
        &self,
        reader: &mut Reader,
        asked: &Asked<'_>,
        recalled: &Recalled,
        missing: bool,
        evidence: Evidence,
    ) -> Result<Thought, EngineError> {
        let connection = &recalled.connection;
        let all: Vec<Connection> = asked.connections.values().cloned().collect();
        let sources = Sources::of(&all, connection.id, asked.organisation, self.now());
        let linked: Vec<PersonId> = recalled.link.iter().map(|link| link.person).collect();
        let person = reader.people(&linked).await?.pop();
        let mut heard = sources.heard(reader, &linked).await?;
        let heard = person
            .as_ref()
            .and_then(|person| heard.remove(&person.id))
            .unwrap_or_default()
            .beside(&recalled.external_id);
        let stored = recalled.stored.as_ref().filter(|_| !missing);
        let holders = match (stored, &recalled.link, &recalled.sighting) {
            (Some(stored), None, Some(sighting)) => {
                self.holders(reader, asked, connection, &sources, stored, sighting)
                    .await?
            }
            _ => KeyHolders::default(),
        };
        let touched = Touched {
            external_id: Some(recalled.external_id.clone()),
            record: stored.map(|stored| stored.record.clone()),
            digest: stored.map(|stored| stored.digest),
            link: recalled.link.clone(),
            person,
            others: heard.others,
            siblings: heard.siblings,
            decisions: recalled.decisions.clone(),
        };
        let zone = Self::zone(asked.organisation);
        let zone_of = |fields: &Fields| zone_of(fields, &zone);
        let key = asked.organisation.digest_key();
        // The read was judged by what was known before it.
        let mut history: ReadHistory = connection.history.clone();
        let summary = history.reads.pop().map(|read| read.summary);
        let input = Input {
            first_sync: false,
            connection: connection.id,
            rank: sources::rank(connection),
            policy: &connection.policy,
            key: &key,
            now: self.now(),
            today: self.today(asked.organisation),
            zone_of: &zone_of,
            account: None,
            evidence,
            summary: summary.unwrap_or_default(),
            history: &history,
            linked: reader.linked_people(connection.id).await?,
            untouched: muster_model::plan::RestCounts::default(),
            touched: vec![touched],
            holders,
            confirmations: BTreeMap::new(),
            can_confirm: false,
            other_sources: Vec::new(),
            let_through: BTreeMap::new(),
            administrators: reader.administrators().await?,
            // Managers are resolved over everybody; one record alone tells nothing of them.
            managers: ManagerIndex::default(),
        };
        let mut plan = muster_reconcile::plan(input)?;
        Ok(match (plan.quiet.pop(), plan.changes.pop()) {
            (_, Some(change)) => Thought::Next(Box::new(change)),
            (Some(quiet), None) => Thought::Quiet(quiet),
            (None, None) => Thought::NoRow,
        })
    }

    /// Who holds the keys of a record that is nobody.
    async fn holders(
        &self,
        reader: &mut Reader,
        asked: &Asked<'_>,
        connection: &Connection,
        sources: &Sources,
        stored: &StoredRecord,
        sighting: &Sighting,
    ) -> Result<KeyHolders, EngineError> {
        let key = asked.organisation.digest_key();
        let keys: Vec<(MatchKey, Digest)> = MatchKey::ALL
            .into_iter()
            .filter_map(|one| Some((one, one.digest(&stored.record.fields, &key)?)))
            .collect();
        let found = reader
            .key_holders(connection.id, sighting.newest, &keys)
            .await?;
        let mut holders = KeyHolders::default();
        let mut people: BTreeSet<PersonId> = BTreeSet::new();
        for (place, owners) in found {
            people.extend(&owners.people);
            let linked = reader
                .people_of_records(connection.id, &owners.records)
                .await?;
            let mut records = Vec::new();
            for row in reader.records(connection.id, &owners.records).await? {
                let running = row.record.presence == muster_model::Presence::Present
                    && muster_model::engagement::employment_on(
                        row.record.engagements().unwrap_or_default(),
                        self.today(asked.organisation),
                    ) != Some(muster_model::EngagementStatus::Ended);
                records.push(RecordHolder {
                    linked: linked.contains_key(&row.external_id),
                    running,
                    external_id: row.external_id,
                });
            }
            holders.people.insert(place, owners.people);
            holders.records.insert(place, records);
        }
        let people: Vec<PersonId> = people.into_iter().collect();
        let since = self
            .now()
            .checked_sub((CHANGED_HANDS_DAYS * 24).hours())
            .unwrap_or(Timestamp::MIN);
        let past = reader.past_holders(&keys, since).await?;
        let mut heard = sources.heard(reader, &people).await?;
        for person in reader.people(&people).await? {
            let recycled = past
                .iter()
                .filter(|(place, before)| {
                    let holds = holders.people.get(*place);
                    holds.is_some_and(|holds| holds.contains(&person.id))
                        && before.iter().any(|one| *one != person.id)
                })
                .map(|(place, _)| place.0)
                .collect();
            let heard = heard.remove(&person.id).unwrap_or_default();
            holders
                .candidates
                .insert(person.id, candidate(person, heard, recycled));
        }
        Ok(holders)
    }
}

fn candidate(person: Person, heard: Heard, recycled: BTreeSet<MatchKey>) -> Candidate {
    Candidate {
        linked_here: heard.here(),
        others: heard.others,
        siblings: heard.siblings,
        recycled,
        person,
    }
}

/// Is the row about a link that somebody cut since? Then it is the last word no more.
fn taken_apart_since(change: &Change, row: &StoredChange, recalled: &Recalled) -> bool {
    let joins = |planned: &Planned| matches!(planned.effect, Effect::Create { .. } | Effect::Link);
    let done = row.done_by.iter().flat_map(|done| &done.effects);
    let was_linked = change.precondition.link_version.is_some()
        || (row.state == ChangeState::Applied && change.effects.iter().chain(done).any(joins));
    recalled.link.is_none() && was_linked && !change.takes_back()
}

async fn as_row(
    reader: &mut Reader,
    change: &Change,
    row: &StoredChange,
    plan: &StoredPlan,
) -> Result<Thought, EngineError> {
    let done = done::done(reader, row).await?;
    Ok(Thought::Row {
        open: done::open(change, row.state, &done),
        done,
        change: Box::new(change.clone()),
        state: row.state,
        holds: plan.plan.holds.clone(),
        evidence: Box::new(plan.plan.evidence.clone()),
        run: plan.run,
        at: plan.plan.made_at,
        versions: plan.versions.clone(),
    })
}
