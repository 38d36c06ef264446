//! Everything that the data say, in words that are the same in every run.
//!
//! Ids that are made anew in each run are mapped to the records that they stand
//! for, and what is sealed is opened. Left out, with the reason:
//!
//! - runs, plans, snapshots, the history of reads and the times: they tell what
//!   happened, and a run that was killed did happen;
//! - versions of links: a further read may teach a link what it knew, which counts;
//! - where values come from and the entries of the audit: both name runs and times;
//! - how often a record was marked as due and a message tried: only whether
//!   something is left to do is compared;
//! - keys of people and records: they are made from the fields, which are compared.

use std::collections::BTreeMap;

use jiff::Timestamp;
use muster_model::{ExternalId, PersonId};
use muster_storage::{OutboxState, Reader, Storage};

/// The data as lines, each with how often it stands there.
pub(crate) type Dump = BTreeMap<String, u64>;

pub(crate) async fn dump(storage: &Storage) -> Dump {
    let mut lines = Vec::new();
    let organisations = storage.organisations().await.unwrap();
    for organisation in organisations {
        lines.push(format!("organisation {}", organisation.name));
        let mut reader = storage.read(organisation.id).await.unwrap();
        of_organisation(&mut reader, &mut lines).await;
    }
    let mut dump = Dump::new();
    for line in lines {
        *dump.entry(line).or_default() += 1;
    }
    dump
}

async fn of_organisation(reader: &mut Reader, lines: &mut Vec<String>) {
    let people = reader.people_page(None, 1_000_000).await.unwrap();
    let ids: Vec<PersonId> = people.iter().map(|person| person.id).collect();
    let mut links = reader.links_of_people(&ids).await.unwrap();
    links.sort_by(|(_, one), (_, two)| one.external_id.cmp(&two.external_id));
    let names: BTreeMap<PersonId, String> = links
        .iter()
        .map(|(_, link)| (link.person, format!("<{}>", link.external_id)))
        .collect();
    let called = |person: PersonId| names.get(&person).cloned().unwrap_or_default();
    for connection in reader.connections().await.unwrap() {
        lines.push(format!(
            "connection {} {:?} {:?} {:?}",
            connection.name, connection.state, connection.policy, connection.account
        ));
        let passed = reader
            .passed_since(connection.id, Timestamp::UNIX_EPOCH)
            .await
            .unwrap();
        lines.push(format!("passed {passed:?}"));
        let records: Vec<ExternalId> = links
            .iter()
            .filter(|(of, _)| *of == connection.id)
            .map(|(_, link)| link.external_id.clone())
            .collect();
        let decisions = reader.decisions(connection.id, &records).await.unwrap();
        lines.push(format!("decisions {}", decisions.len()));
        for row in reader.records(connection.id, &records).await.unwrap() {
            lines.push(format!(
                "record {} {:?} {:?} settled {:?} {:?} {:?} {:?} due {}",
                row.external_id,
                row.digest,
                row.record.revision,
                row.settled,
                row.settled_versions,
                row.rest,
                row.due_on,
                row.due
            ));
        }
    }
    for mut person in people {
        let manager = person.manager.map(called);
        let name = called(person.id);
        person.id = PersonId::from_uuid(uuid::Uuid::nil());
        person.manager = None;
        person.provenance = muster_model::Provenance::default();
        lines.push(format!(
            "person {name} under {manager:?}: {:?} {:?}",
            person,
            shown(&person.fields)
        ));
    }
    for (_, link) in links {
        let base: Vec<String> = link
            .base
            .iter()
            .map(|(field, base)| format!("{field}: {:?} / {:?}", base.theirs, base.ours))
            .collect();
        lines.push(format!(
            "link {} said {:?} revision {:?} base {base:?} decisions {:?} gone {}",
            link.external_id,
            shown(&link.said),
            link.revision,
            link.decisions,
            link.gone_since.is_some()
        ));
    }
    for state in OutboxState::ALL {
        for stored in reader.outbox(*state, 1_000_000).await.unwrap() {
            let target = stored.message.target.as_ref();
            lines.push(format!(
                "message {state} {} {} {:?} {}",
                stored.message.kind,
                called(stored.message.person),
                target.map(|target| (target.external_id.to_string(), target.field)),
                stored.message.body
            ));
        }
    }
}

/// Fields with what is sealed opened.
fn shown(fields: &muster_model::Fields) -> String {
    serde_json::to_string(fields).unwrap()
}

/// Lines that are in one of the two alone.
pub(crate) fn differences(expected: &Dump, found: &Dump) -> Vec<String> {
    let side = |sign: char, here: &Dump, there: &Dump| -> Vec<String> {
        here.iter()
            .filter(|(line, times)| there.get(*line) != Some(times))
            .map(|(line, times)| format!("{sign} {times} × {line}"))
            .collect()
    };
    let mut differences = side('-', expected, found);
    differences.extend(side('+', found, expected));
    differences
}
