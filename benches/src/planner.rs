//! The pure planner in memory, on one core: no database, no network.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use muster_model::evidence::ReadSummary;
use muster_model::plan::RestCounts;
use muster_model::{
    ConnectionId, Digest, DigestKey, Evidence, EvidenceLevel, Fields, PersonId, Plan, Policy,
    Preset, ReadHistory, SourceRecord,
};
use muster_reconcile::{EnactContext, Input, KeyHolders, ManagerIndex, State, Touched, enact};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::people;
use crate::stopwatch::Stopwatch;

/// Each so-many-th record says something else.
const CHANGED_EVERY: u64 = 100;

/// Seconds of planning.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Planning {
    /// People in the source.
    pub(crate) people: u64,
    /// Hashing every record and comparing it with what it rests under.
    pub(crate) hashing: f64,
    /// Planning those that changed.
    pub(crate) planning: f64,
    /// Rows of the plan.
    pub(crate) rows: u64,
}

/// Plans a company of which one in a hundred changed.
pub(crate) fn run(people: u64) -> anyhow::Result<Planning> {
    let key = DigestKey::new([7; 32]);
    let policy = Preset::Provision.policy();
    let changed: Vec<u64> = (0..people)
        .filter(|number| number % CHANGED_EVERY == 0)
        .collect();
    let known = joined(&policy, &key, &changed)?;

    let mut resting: Vec<Digest> = Vec::new();
    for number in 0..people {
        resting.push(people::record(number, false).digest(&key));
    }
    let mut hashing = 0.0;
    let mut touched: Vec<Touched> = Vec::with_capacity(changed.len());
    let mut known = known.into_iter();
    let mut resting = resting.into_iter();
    for from in (0..people).step_by(1_000) {
        let page: Vec<SourceRecord> = (from..(from + 1_000).min(people))
            .map(|number| people::record(number, number % CHANGED_EVERY == 0))
            .collect();
        let watch = Stopwatch::start();
        let mut differ: Vec<(SourceRecord, Digest)> = Vec::new();
        for (record, rests) in page.into_iter().zip(resting.by_ref()) {
            let digest = record.digest(&key);
            if digest != rests {
                differ.push((record, digest));
            }
        }
        hashing += watch.elapsed().as_secs_f64();
        for (record, digest) in differ {
            let state = known.next().unwrap_or_default();
            touched.push(Touched {
                external_id: Some(record.external_id.clone()),
                digest: Some(digest),
                record: Some(record),
                link: state.link,
                person: state.person,
                others: Vec::new(),
                siblings: Vec::new(),
                decisions: Vec::new(),
            });
        }
    }
    anyhow::ensure!(touched.len() == changed.len(), "other records changed");
    let untouched = RestCounts {
        unchanged: people - touched.len() as u64,
        ..RestCounts::default()
    };
    let watch = Stopwatch::start();
    let plan = plan(&policy, &key, people, untouched, touched)?;
    let planning = watch.elapsed().as_secs_f64();
    Ok(Planning {
        people,
        hashing,
        planning,
        rows: plan.changes.len() as u64,
    })
}

/// These people as a first sync makes them.
fn joined(policy: &Policy, key: &DigestKey, numbers: &[u64]) -> anyhow::Result<Vec<State>> {
    let touched = numbers
        .iter()
        .map(|number| {
            let record = people::record(*number, false);
            Touched {
                external_id: Some(record.external_id.clone()),
                digest: Some(record.digest(key)),
                record: Some(record),
                link: None,
                person: None,
                others: Vec::new(),
                siblings: Vec::new(),
                decisions: Vec::new(),
            }
        })
        .collect();
    let made = plan(policy, key, 0, RestCounts::default(), touched)?;
    let states = made.changes.iter().zip(numbers).map(|(change, number)| {
        let record = people::record(*number, false);
        enact(
            change,
            State::default(),
            &EnactContext {
                connection: connection(),
                policy,
                key,
                today: date(2025, 6, 2),
                now: Timestamp::UNIX_EPOCH,
                new_person: PersonId::from_uuid(Uuid::from_u128(u128::from(*number) + 1)),
                record: Some(&record),
                manager: &|_| None,
            },
        )
    });
    Ok(states.collect())
}

fn plan(
    policy: &Policy,
    key: &DigestKey,
    linked: u64,
    untouched: RestCounts,
    touched: Vec<Touched>,
) -> anyhow::Result<Plan> {
    let history = ReadHistory::default();
    let mut evidence = Evidence::none();
    evidence.level = EvidenceLevel::Ended;
    evidence.complete = true;
    evidence.read = linked;
    Ok(muster_reconcile::plan(Input {
        connection: connection(),
        rank: 0,
        policy,
        key,
        now: Timestamp::UNIX_EPOCH,
        today: date(2025, 6, 2),
        zone_of: &|_: &Fields| TimeZone::UTC,
        account: None,
        evidence,
        summary: ReadSummary {
            present: linked,
            ..ReadSummary::default()
        },
        history: &history,
        linked,
        first_sync: linked == 0,
        untouched,
        touched,
        holders: KeyHolders::default(),
        confirmations: BTreeMap::new(),
        can_confirm: false,
        other_sources: Vec::new(),
        let_through: BTreeMap::new(),
        administrators: 1,
        managers: ManagerIndex::default(),
    })?)
}

fn connection() -> ConnectionId {
    ConnectionId::from_uuid(Uuid::from_u128(1))
}
