//! What a sync over a fault does to the people in the directory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use muster_engine::Engine;
use muster_engine::connections::Wish;
use muster_model::report::Trigger;
use muster_model::{Access, EngagementStatus, Field, Person, Preset};
use muster_storage::{MasterKey, NewOrganisation, Organisation, PersonToWrite, Storage};
use secrecy::SecretString;

use crate::bench::Bench;
use crate::database::{Database, DatabaseKind};
use crate::firm::Firm;
use crate::machine::{CountingIds, SeededEntropy};
use crate::reading::PAGE;
use crate::subject::Subject;
use crate::truth::address;

/// People in the firm.
const PEOPLE: u64 = 31;
const NAME: &str = "hr";
const MASTER_KEY: &str = "5d0ac0ffee00000000000000000000000000000000000000000000000000beef";

/// Somebody in the directory.
#[derive(Debug, PartialEq, Eq)]
struct Standing {
    access: Access,
    employment: EngagementStatus,
    filled: BTreeSet<Field>,
}

/// Everybody who was read and let in; then the source has this fault, and is synced.
/// Tells whom that harmed.
pub(crate) async fn harm(subject: &Subject, fault: &str) -> Vec<String> {
    let bench = Bench::new(subject, &Firm::of(PEOPLE)).await;
    let database = Database::new(DatabaseKind::Sqlite).await;
    let ids = Arc::new(CountingIds::default());
    let storage = Storage::open(
        &database.location(),
        MasterKey::from_hex(MASTER_KEY).unwrap(),
        bench.clock.clone(),
        ids.clone(),
        Arc::new(SeededEntropy::default()),
    )
    .await
    .unwrap();
    let engine = Engine::new(storage, bench.clock.clone(), ids, bench.waits.clone())
        .opening(bench.open.clone());
    let findings = played(&engine, &bench, fault).await;
    engine.storage().close().await;
    database.remove().await;
    findings
}

async fn played(engine: &Engine, bench: &Bench, fault: &str) -> Vec<String> {
    let organisation = engine
        .create_organisation(NewOrganisation {
            name: "nordlys".to_owned(),
            region: "NO".to_owned(),
            time_zone: "Europe/Oslo".to_owned(),
        })
        .await
        .unwrap();
    let wish = Wish {
        name: NAME.to_owned(),
        connector: bench.info.name.clone(),
        preset: Preset::Provision,
        base_url: Some(bench.base_url()),
        settings: bench.settings(PAGE).into_iter().collect(),
        secrets: bench
            .sandbox
            .credentials()
            .into_iter()
            .map(|(name, secret)| (name, SecretString::from(secret)))
            .collect(),
    };
    if let Err(error) = engine.connect(&organisation, wish).await {
        return vec![format!("it does not connect: {}", error.code())];
    }
    let sync = || engine.sync(&organisation, NAME, Trigger::Manual, None);
    for _ in 0..2 {
        match sync().await {
            Ok(made) if made.report.error.is_none() => {}
            _ => return vec!["a firm that is well cannot be synced".to_owned()],
        }
        let_everybody_in(engine, &organisation).await;
        bench.wait(2);
    }
    let before = standing(engine, &organisation).await;
    if before.len() != usize::try_from(PEOPLE).unwrap() {
        return vec![format!("{} people in the directory", before.len())];
    }
    bench.fault(Some(fault));
    // A run that fails has harmed nobody, whatever it says.
    let _ = sync().await;
    let after = standing(engine, &organisation).await;
    bench.fault(None);
    // Who was deleted at the vendor in the meantime has truly gone.
    let still_there: Option<BTreeSet<String>> =
        (bench.read(PAGE).await.ok()).map(|read| read.records.iter().map(address).collect());
    let is_there = |one: &str| still_there.as_ref().is_none_or(|there| there.contains(one));
    let mut findings = Vec::new();
    for (who, was) in &before {
        match after.get(who) {
            None => findings.push(format!("{who} is gone from the directory")),
            Some(is) if is_there(who) => findings.extend(compared(who, was, is)),
            Some(_) => {}
        }
    }
    let strangers = after.keys().filter(|who| !before.contains_key(*who));
    for who in strangers.filter(|who| !is_there(who)) {
        findings.push(format!("{who} came in and works nowhere"));
    }
    findings
}

fn compared(who: &str, was: &Standing, is: &Standing) -> Vec<String> {
    let mut findings = Vec::new();
    if was.access != is.access {
        findings.push(format!("the access of {who} is {}", is.access.name()));
    }
    if was.employment != is.employment {
        findings.push(format!("the employment of {who} is another"));
    }
    for field in was.filled.difference(&is.filled) {
        findings.push(format!("{who} has lost {field}"));
    }
    findings
}

async fn people(engine: &Engine, organisation: &Organisation) -> Vec<Person> {
    let mut reader = engine.storage().read(organisation.id).await.unwrap();
    reader.people_page(None, 10_000).await.unwrap()
}

async fn standing(engine: &Engine, organisation: &Organisation) -> BTreeMap<String, Standing> {
    people(engine, organisation)
        .await
        .into_iter()
        .map(|person| {
            let who = person.fields.text(Field::WorkEmail).unwrap_or_default();
            let filled = person
                .fields
                .iter()
                .filter(|(_, said)| said.value().is_some());
            let standing = Standing {
                access: person.access,
                employment: person.employment,
                filled: filled.map(|(field, _)| field).collect(),
            };
            (who.to_owned(), standing)
        })
        .collect()
}

async fn let_everybody_in(engine: &Engine, organisation: &Organisation) {
    let key = organisation.digest_key();
    let written: Vec<PersonToWrite> = people(engine, organisation)
        .await
        .into_iter()
        .filter(|person| person.access == Access::NotInvited)
        .map(|mut person| {
            person.access = Access::Active;
            let keys = muster_model::MatchKey::ALL
                .into_iter()
                .filter_map(|one| Some((one, one.digest(&person.fields, &key)?)))
                .collect();
            PersonToWrite { keys, person }
        })
        .collect();
    let ids: Vec<_> = written.iter().map(|one| one.person.id).collect();
    let mut transaction = engine.storage().begin(organisation.id).await.unwrap();
    assert!(transaction.write_people(&written).await.unwrap().is_empty());
    transaction.mark_people_due(&ids).await.unwrap();
    transaction.commit().await.unwrap();
}
