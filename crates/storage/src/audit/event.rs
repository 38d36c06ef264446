//! Something that was done and is no row of a plan.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::{
    ConnectionId, Digest, DigestKey, ExternalId, Matter, PersonId, Plan, PlanId, RecordDecision,
    RunId, RunReport, TokenId,
};
use serde_json::json;
use uuid::Uuid;

use crate::account::{Access, NewToken};
use crate::connection::{Connection, Credentials};
use crate::error::StorageError;
use crate::outbox::OutboxState;
use crate::run::Run;
use crate::stored::damaged;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    ConnectionMade,
    ConnectionChanged,
    CredentialsStored,
    RunBegun,
    RunFinished,
    PlanStored,
    Decided,
    DecisionTakenBack,
    AccessGiven,
    TokenMade,
    TokenRevoked,
    DatabaseRestored,
    OutboxCancelled,
    LinkDeleted,
    PeopleWritten,
    PersonErased,
    PersonRemoved,
    RunApplies,
    RecordReadmitted,
    OutboxMarked,
}

impl EventKind {
    /// As it is stored and shown.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::ConnectionMade => "connection.made",
            Self::ConnectionChanged => "connection.changed",
            Self::CredentialsStored => "credentials.stored",
            Self::RunBegun => "run.begun",
            Self::RunFinished => "run.finished",
            Self::PlanStored => "plan.stored",
            Self::Decided => "decided",
            Self::DecisionTakenBack => "decision.taken_back",
            Self::AccessGiven => "access.given",
            Self::TokenMade => "token.made",
            Self::TokenRevoked => "token.revoked",
            Self::DatabaseRestored => "database.restored",
            Self::OutboxCancelled => "outbox.cancelled",
            Self::LinkDeleted => "link.deleted",
            Self::PeopleWritten => "people.written",
            Self::PersonErased => "person.erased",
            Self::PersonRemoved => "person.removed",
            Self::RunApplies => "run.applies",
            Self::RecordReadmitted => "record.readmitted",
            Self::OutboxMarked => "outbox.marked",
        }
    }
}

/// One thing that was done.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    /// Whom it is about, if it is about one person.
    pub(crate) person: Option<PersonId>,
    /// Ids, words and counts: nothing of anybody.
    pub(crate) facts: serde_json::Value,
    /// What says more: sealed with the person's key, or, when it is about
    /// nobody, with the organisation's.
    pub(crate) more: Option<serde_json::Value>,
}

impl Event {
    /// One that needs no sealed part.
    pub(crate) const fn new(kind: EventKind, facts: serde_json::Value) -> Self {
        Self {
            kind,
            person: None,
            facts,
            more: None,
        }
    }

    /// About this person.
    pub(crate) const fn about(mut self, person: PersonId) -> Self {
        self.person = Some(person);
        self
    }

    /// With a sealed part.
    pub(crate) fn saying(mut self, more: serde_json::Value) -> Self {
        self.more = Some(more);
        self
    }
}

/// The rows of plans that were emptied because somebody is gone, by their plan. Entered
/// with that, so that no other row can pass for one of them.
pub(crate) type EmptiedRows = BTreeMap<PlanId, BTreeSet<u64>>;

/// Somebody who is gone from the directory, and the rows of plans that told of them.
pub(crate) struct Forgotten {
    pub(crate) person: PersonId,
    /// Did the directory have them?
    pub(crate) was_there: bool,
    pub(crate) rows: EmptiedRows,
}

/// The leaf of a stored detail. It covers the sealed part by its digest, which
/// stays when the part itself is erased.
pub(crate) fn detail_leaf(
    key: &DigestKey,
    kind: &str,
    person: Option<Uuid>,
    facts: &str,
    seal: Option<&[u8]>,
) -> Digest {
    let mut digester = key.digester("audit detail");
    digester
        .text(kind)
        .bytes(person.as_ref().map_or(&[], |id| id.as_bytes().as_slice()))
        .text(facts)
        .bytes(seal.unwrap_or_default());
    digester.finish()
}

/// The digest of a sealed part. What it covers begins with random bytes: it
/// tells nothing of what was sealed.
pub(crate) fn seal_digest(key: &DigestKey, sealed: &[u8]) -> Digest {
    let mut digester = key.digester("audit seal");
    digester.bytes(sealed);
    digester.finish()
}

/// What of a connection people set, by name; what reads leave there is none of it.
fn settings(
    connection: &Connection,
) -> Result<serde_json::Map<String, serde_json::Value>, StorageError> {
    let value = json!({
        "name": connection.name,
        "connector": connection.connector,
        "policy": connection.policy,
        "base_url": connection.base_url,
        "settings": connection.settings,
        "host_settings": connection.host_settings,
        "state": connection.state.word(),
        "account": connection.account,
        "rank": connection.rank,
    });
    match value {
        serde_json::Value::Object(settings) => Ok(settings),
        _ => Err(damaged("audit_details.sealed", "no object")),
    }
}

pub(crate) fn connection_made(made: &Connection) -> Event {
    let facts = json!({ "connection": made.id, "connector": made.connector });
    Event::new(EventKind::ConnectionMade, facts).saying(json!({
        "name": made.name,
        "policy": made.policy,
        "base_url": made.base_url,
        "settings": made.settings,
    }))
}

/// `None` if nothing changed that people set.
pub(crate) fn connection_changed(
    before: &Connection,
    after: &Connection,
) -> Result<Option<Event>, StorageError> {
    let id = after.id;
    let (mut before, mut after) = (settings(before)?, settings(after)?);
    let changed: Vec<String> = after
        .iter()
        .filter(|(name, value)| before.get(name.as_str()) != Some(value))
        .map(|(name, _)| name.clone())
        .collect();
    if changed.is_empty() {
        return Ok(None);
    }
    before.retain(|name, _| changed.contains(name));
    after.retain(|name, _| changed.contains(name));
    let more = json!({ "before": before, "after": after });
    let facts = json!({ "connection": id, "changed": changed });
    Ok(Some(
        Event::new(EventKind::ConnectionChanged, facts).saying(more),
    ))
}

/// The names of the secrets, never the secrets.
pub(crate) fn credentials_stored(connection: &Connection, credentials: &Credentials) -> Event {
    let names: Vec<&str> = credentials.iter().map(|(name, _)| name).collect();
    let facts = json!({ "connection": connection.id, "names": names });
    Event::new(EventKind::CredentialsStored, facts)
}

pub(crate) fn run_begun(run: &Run) -> Event {
    let facts = json!({ "run": run.id, "connection": run.connection, "trigger": run.trigger });
    Event::new(EventKind::RunBegun, facts)
}

/// With the digest of the report as it is stored.
pub(crate) fn run_finished(report: &RunReport, digest: Digest) -> Event {
    let outcome = report.outcome.name();
    let facts = json!({ "run": report.run, "outcome": outcome, "report": digest });
    Event::new(EventKind::RunFinished, facts)
}

/// With the hash of the plan, and how many rows are stored of it.
pub(crate) fn plan_stored(id: PlanId, plan: &Plan, rows: i64) -> Event {
    let facts = json!({
        "plan": id,
        "connection": plan.connection,
        "hash": plan.hash,
        "rows": rows,
    });
    Event::new(EventKind::PlanStored, facts)
}

/// How many of each, and whom the answers name: which records, the plan says.
pub(crate) fn decided(connection: ConnectionId, decisions: &[RecordDecision]) -> Event {
    let mut answers: BTreeMap<String, u64> = BTreeMap::new();
    for decision in decisions {
        let mut words = format!("{}: {}", decision.matter.word(), decision.answer.word());
        if let Some(person) = decision.answer.person() {
            words.push_str(&format!(" {person}"));
        }
        if let Some(plan) = decision.plan {
            words.push_str(&format!(" in {plan}"));
        }
        *answers.entry(words).or_default() += 1;
    }
    let facts = json!({ "connection": connection, "answers": answers });
    Event::new(EventKind::Decided, facts)
}

pub(crate) fn decisions_taken_back(
    connection: ConnectionId,
    matters: &[(ExternalId, Matter)],
) -> Event {
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, matter) in matters {
        *counted.entry(matter.word()).or_default() += 1;
    }
    let facts = json!({ "connection": connection, "matters": counted });
    Event::new(EventKind::DecisionTakenBack, facts)
}

pub(crate) fn access_given(access: &Access) -> Event {
    let facts = json!({ "account": access.account, "role": access.role.word() });
    Event::new(EventKind::AccessGiven, facts)
}

/// What it may do; of the secret nothing.
pub(crate) fn token_made(id: TokenId, new: &NewToken) -> Event {
    let scopes: Vec<&str> = new.scopes.iter().map(|scope| scope.word()).collect();
    let facts = json!({
        "token": id,
        "scopes": scopes,
        "connection": new.connection,
        "expires": new.expires_at,
    });
    Event::new(EventKind::TokenMade, facts)
}

pub(crate) fn token_revoked(id: TokenId) -> Event {
    Event::new(EventKind::TokenRevoked, json!({ "token": id }))
}

/// The log goes on behind a backup: what was entered after it is not there.
pub(crate) fn database_restored(runs: u64) -> Event {
    let facts = json!({ "interrupted_runs": runs });
    Event::new(EventKind::DatabaseRestored, facts)
}

pub(crate) fn outbox_cancelled(messages: u64) -> Event {
    Event::new(EventKind::OutboxCancelled, json!({ "messages": messages }))
}

pub(crate) fn link_deleted(connection: ConnectionId, person: PersonId, record: &str) -> Event {
    Event::new(EventKind::LinkDeleted, json!({ "connection": connection }))
        .about(person)
        .saying(json!({ "external_id": record }))
}

pub(crate) fn person_erased(gone: &Forgotten) -> Event {
    Event::new(EventKind::PersonErased, json!({ "rows": gone.rows })).about(gone.person)
}

/// Out of the directory, and not remembered: what was sealed with the key is gone.
pub(crate) fn person_removed(gone: &Forgotten) -> Event {
    Event::new(EventKind::PersonRemoved, json!({ "rows": gone.rows })).about(gone.person)
}

pub(crate) fn run_applies(run: RunId, plan: PlanId) -> Event {
    Event::new(EventKind::RunApplies, json!({ "run": run, "plan": plan }))
}

/// The record speaks of somebody who is in the source again: its id is sealed
/// with the organisation's key.
pub(crate) fn record_readmitted(connection: ConnectionId, id: &ExternalId) -> Event {
    Event::new(
        EventKind::RecordReadmitted,
        json!({ "connection": connection }),
    )
    .saying(json!({ "external_id": id }))
}

pub(crate) fn outbox_marked(ids: &[Uuid], state: OutboxState) -> Event {
    let facts = json!({ "state": state.word(), "messages": ids });
    Event::new(EventKind::OutboxMarked, facts)
}
