//! Loads what a run did, and what is true of it now.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use muster_model::plan::{Answered, Change, Effect, ManagerKey, Planned};
use muster_model::{Answer, ExternalId, Link, Matter, Person, PersonId, RunId, SourceRecord};
use muster_reconcile::managers::Named;
use muster_reconcile::undo::{Done, NowRecord, UndoInput, Undoing};
use muster_storage::{
    ChangeState, Connection, Organisation, PersonQuery, Reader, StoredChange, StoredPlan,
};

use super::outbox::Sent;
use crate::engine::Engine;
use crate::error::EngineError;

/// Rows looked at at once.
const AT_ONCE: u32 = 2_000;

/// A row with the effects that the run did of it.
struct Applied {
    ordinal: u64,
    change: Change,
    effects: Vec<Planned>,
    person: Option<PersonId>,
}

impl Engine {
    /// Plans the undo of a run; nothing is written.
    pub(super) async fn plan_undo(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        run: RunId,
    ) -> Result<Undoing, EngineError> {
        let mut reader = self.storage.read(organisation.id).await?;
        let mut rows: Vec<Done> = Vec::new();
        for (place, plan) in reader.plans_of_run(run).await?.into_iter().enumerate() {
            let first_rows = rows.len();
            let mut after: Option<u64> = None;
            loop {
                let states = [ChangeState::Applied, ChangeState::Waiting];
                let block = reader.changes(plan.id, &states, after, AT_ONCE).await?;
                let (Some(first), Some(last)) = (block.first(), block.last()) else {
                    break;
                };
                after = Some(last.ordinal);
                let mut sent = Sent::of(&mut reader, plan.id, first.ordinal, last.ordinal).await?;
                let applied = block
                    .into_iter()
                    .filter_map(|row| done_of(row, &plan, run))
                    .collect();
                rows.extend(now(&mut reader, connection, applied, &mut sent).await?);
            }
            if place > 0 {
                let more = rows.split_off(first_rows);
                beside(&mut rows, more);
            }
        }
        let today = self.today(organisation);
        let managers = Managers::of(&mut reader, connection, &rows, today).await?;
        let since = self.now().checked_sub(24.hours()).unwrap_or(Timestamp::MIN);
        let key = organisation.digest_key();
        let manager = |named: &Named| managers.whom(named);
        Ok(muster_reconcile::undo(UndoInput {
            connection: connection.id,
            policy: &connection.policy,
            key: &key,
            now: self.now(),
            today,
            linked: reader.linked_people(connection.id).await?,
            let_through: reader.passed_since(connection.id, since).await?,
            administrators: reader.administrators().await?,
            manager: &manager,
            known: &managers.known,
            rows,
        }))
    }
}

/// A file of decisions can be about a record both with a row and without: that is
/// one row to take back, since the first of two would make the other stale.
fn beside(rows: &mut Vec<Done>, more: Vec<Done>) {
    let mut places: BTreeMap<ExternalId, usize> = BTreeMap::new();
    for (place, done) in rows.iter().enumerate() {
        if let Some(id) = &done.change.external_id {
            places.insert(id.clone(), place);
        }
    }
    for mut done in more {
        let place = done
            .change
            .external_id
            .as_ref()
            .and_then(|id| places.get(id));
        match place.and_then(|place| rows.get_mut(*place)) {
            Some(row) => {
                row.effects.append(&mut done.effects);
                row.messages.append(&mut done.messages);
            }
            None => rows.push(done),
        }
    }
}

/// The part of a row that a run did.
fn done_of(row: StoredChange, plan: &StoredPlan, run: RunId) -> Option<Applied> {
    let change = row.change?;
    let mut parts: BTreeSet<_> = BTreeSet::new();
    let mut free_by_another = false;
    let mut decided: Vec<Planned> = Vec::new();
    for done in &row.done_by {
        if done.run == run && !done.effects.is_empty() {
            decided.extend(done.effects.iter().cloned());
        } else if done.run == run {
            parts.extend(done.parts.iter().copied());
        } else {
            free_by_another |= done.parts.contains(&None);
        }
    }
    // What somebody decided is what was done, and not what the row said.
    if !decided.is_empty() {
        return Some(Applied {
            ordinal: row.ordinal,
            change,
            effects: decided,
            person: row.person,
        });
    }
    // The run that made the plan does what no kind holds, and says so nowhere.
    if plan.run == Some(run) && !free_by_another {
        parts.insert(None);
    }
    let effects: Vec<Planned> = change
        .effects
        .iter()
        .filter(|planned| parts.contains(&planned.held))
        .cloned()
        .collect();
    (!effects.is_empty()).then_some(Applied {
        ordinal: row.ordinal,
        change,
        effects,
        person: row.person,
    })
}

/// What is true now of everything that some rows are about.
async fn now(
    reader: &mut Reader,
    connection: &Connection,
    applied: Vec<Applied>,
    sent: &mut Sent,
) -> Result<Vec<Done>, EngineError> {
    let records: Vec<ExternalId> = applied
        .iter()
        .filter_map(|row| row.change.external_id.clone())
        .collect();
    let people: Vec<PersonId> = applied.iter().filter_map(|row| row.person).collect();
    let mut found: BTreeMap<PersonId, Person> = BTreeMap::new();
    for person in reader.people(&people).await? {
        found.insert(person.id, person);
    }
    let mut of_people: BTreeMap<PersonId, Vec<(muster_model::ConnectionId, ExternalId)>> =
        BTreeMap::new();
    for (of, link) in reader.links_of_people(&people).await? {
        let records = of_people.entry(link.person).or_default();
        records.push((of, link.external_id));
    }
    let mut reports: BTreeMap<PersonId, BTreeSet<PersonId>> = BTreeMap::new();
    for (report, manager) in reader.reports_of(&people).await? {
        reports.entry(manager).or_default().insert(report);
    }
    let links: BTreeMap<ExternalId, Link> = reader
        .links(connection.id, &records)
        .await?
        .into_iter()
        .map(|link| (link.external_id.clone(), link))
        .collect();
    let mut declined: BTreeMap<ExternalId, muster_model::Digest> = BTreeMap::new();
    let mut answers: BTreeMap<ExternalId, BTreeMap<Matter, Answered>> = BTreeMap::new();
    for decision in reader.decisions(connection.id, &records).await? {
        let (answer, about) = (decision.answer, decision.about);
        if decision.matter == Matter::Match && answer == Answer::Declined {
            declined.insert(decision.external_id.clone(), about);
        }
        let of_record = answers.entry(decision.external_id).or_default();
        of_record.insert(decision.matter, Answered { answer, about });
    }
    let mut stored: BTreeMap<ExternalId, NowRecord> = BTreeMap::new();
    for row in reader.records(connection.id, &records).await? {
        stored.insert(
            row.external_id,
            NowRecord {
                record: row.record,
                digest: row.digest,
                rests: row.settled == Some(row.digest),
            },
        );
    }
    Ok(applied
        .into_iter()
        .map(|row| {
            let id = row.change.external_id.as_ref();
            let person = row.person.and_then(|id| found.get(&id).cloned());
            let linked_elsewhere = row.person.is_some_and(|person| {
                of_people.get(&person).is_some_and(|records| {
                    let own = id.map(|id| (connection.id, id.clone()));
                    records.iter().any(|record| Some(record) != own.as_ref())
                })
            });
            Done {
                link: id.and_then(|id| links.get(id).cloned()),
                record: id.and_then(|id| stored.get(id).cloned()),
                linked_elsewhere,
                manages: row
                    .person
                    .and_then(|person| reports.get(&person).cloned())
                    .unwrap_or_default(),
                declined: id.and_then(|id| declined.get(id).copied()),
                answers: id
                    .and_then(|id| answers.get(id).cloned())
                    .unwrap_or_default(),
                messages: sent.take(row.ordinal),
                person,
                change: row.change,
                effects: row.effects,
            }
        })
        .collect())
}

/// Whom records and addresses name, and who of the managers is there still.
struct Managers {
    records: BTreeMap<ExternalId, PersonId>,
    addresses: BTreeMap<String, PersonId>,
    known: BTreeSet<PersonId>,
}

impl Managers {
    async fn of(
        reader: &mut Reader,
        connection: &Connection,
        rows: &[Done],
        today: jiff::civil::Date,
    ) -> Result<Self, EngineError> {
        let mut records: BTreeSet<ExternalId> = BTreeSet::new();
        let mut addresses: BTreeSet<String> = BTreeSet::new();
        let mut people: BTreeSet<PersonId> = BTreeSet::new();
        for done in rows {
            for planned in &done.effects {
                let Effect::Manager { from, to } = &planned.effect else {
                    continue;
                };
                people.extend(from);
                if let Some(ManagerKey::Record(record)) = to {
                    records.insert(record.clone());
                }
                let said = done.record.as_ref().map(|now| &now.record);
                match said.and_then(|said| statement(connection, said, today)) {
                    Some(Named::Record(record)) => {
                        records.insert(record);
                    }
                    Some(Named::Address(address)) => {
                        addresses.insert(address);
                    }
                    Some(Named::Nobody) | None => {}
                }
            }
        }
        let ids: Vec<PersonId> = people.into_iter().collect();
        let records: Vec<ExternalId> = records.into_iter().collect();
        let mut found = Self {
            records: reader.people_of_records(connection.id, &records).await?,
            addresses: BTreeMap::new(),
            known: reader
                .people(&ids)
                .await?
                .into_iter()
                .map(|person| person.id)
                .collect(),
        };
        for address in addresses {
            let query = PersonQuery::WorkEmail(address.clone());
            let mut named = reader.find_people(&query).await?;
            // An address that several share names nobody.
            if let (Some(person), true) = (named.pop(), named.is_empty()) {
                found.addresses.insert(address, person.id);
            }
        }
        Ok(found)
    }

    fn whom(&self, named: &Named) -> Option<PersonId> {
        match named {
            Named::Record(record) => self.records.get(record).copied(),
            Named::Address(address) => self.addresses.get(address).copied(),
            Named::Nobody => None,
        }
    }
}

fn statement(
    connection: &Connection,
    record: &SourceRecord,
    today: jiff::civil::Date,
) -> Option<Named> {
    muster_reconcile::plan::managing::statement(&connection.policy, record, today)
}
