//! Made-up people and what surrounds them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::civil::date;
use muster_model::plan::{Cause, Planned, Precondition, RestCounts};
use muster_model::report::{Counts, MessageCounts, Outcome, PeopleCounts, TargetCounts, Trigger};
use muster_model::value::SealedText;
use muster_model::{
    Access, Change, ConnectionId, Digest, DigestKey, Effect, Evidence, ExternalId, Field, Fields,
    Hold, HoldKind, Link, MatchKey, Person, PersonId, Plan, PlanId, Preset, Reaction, Reason,
    RunId, RunReport, Said, Situation, SnapshotId, SourceRecord, Value,
};
use muster_storage::{
    Connection, Credentials, NewConnection, NewPlan, Organisation, PersonToWrite, RecordToStore,
    Run, Stored,
};

use crate::bench::Bench;

pub(crate) const VERSIONS: &str = "connector 1, mapping 1";
pub(crate) const LEASE: Duration = Duration::from_secs(600);

pub(crate) fn new_connection(name: &str) -> NewConnection {
    NewConnection {
        name: name.to_owned(),
        connector: "payrollio".to_owned(),
        policy: Preset::Provision.policy(),
        base_url: Some("https://hr.example".to_owned()),
        settings: BTreeMap::from([
            ("company".to_owned(), "17".to_owned()),
            ("host".to_owned(), "eu.hr.example".to_owned()),
        ]),
        host_settings: BTreeSet::from(["host".to_owned()]),
        rank: 1,
    }
}

pub(crate) fn credentials(token: &str) -> Credentials {
    [("token".to_owned(), token.to_owned())]
        .into_iter()
        .collect()
}

/// What the source says of the person with a number.
pub(crate) fn record(number: u32) -> SourceRecord {
    SourceRecord {
        external_id: external_id(number),
        revision: Some(i64::from(number)),
        presence: muster_model::Presence::Present,
        whole: true,
        fields: fields(number),
        problems: Vec::new(),
        raw: muster_model::Raw::default(),
    }
}

pub(crate) fn external_id(number: u32) -> ExternalId {
    ExternalId::new(format!("e-{number:06}"))
}

pub(crate) fn fields(number: u32) -> Fields {
    [
        (Field::GivenName, Said::Value(Value::text("Åse"))),
        (
            Field::FamilyName,
            Said::Value(Value::text(format!("Ødegård {number}"))),
        ),
        (
            Field::WorkEmail,
            Said::Value(Value::text(format!("Aase.{number}@nordlys.example"))),
        ),
        (
            Field::EmployeeNumber,
            Said::Value(Value::text(format!("{number}"))),
        ),
        (
            Field::NationalId,
            Said::Value(sealed(&format!("{number:011}"))),
        ),
        (Field::Phone, Said::Null),
    ]
    .into_iter()
    .collect()
}

pub(crate) fn sealed(text: &str) -> Value {
    Value::Sealed(SealedText::new(text))
}

pub(crate) fn keys(fields: &Fields, key: &DigestKey) -> BTreeMap<MatchKey, Digest> {
    MatchKey::ALL
        .into_iter()
        .filter_map(|kind| Some((kind, kind.digest(fields, key)?)))
        .collect()
}

pub(crate) fn to_store(record: SourceRecord, key: &DigestKey) -> RecordToStore {
    RecordToStore {
        digest: record.digest(key),
        record,
    }
}

pub(crate) fn person(id: PersonId, number: u32) -> Person {
    let mut person = Person::new(id);
    person.fields = fields(number);
    person
}

pub(crate) fn to_write(person: Person, key: &DigestKey) -> PersonToWrite {
    PersonToWrite {
        keys: keys(&person.fields, key),
        person,
    }
}

pub(crate) fn link(record: &SourceRecord, person: PersonId) -> Link {
    Link {
        external_id: record.external_id.clone(),
        person,
        said: record.fields.clone(),
        revision: record.revision,
        base: BTreeMap::new(),
        decisions: BTreeMap::new(),
        swings: BTreeMap::new(),
        read_as: None,
        gone_since: None,
        version: 0,
    }
}

/// An organisation with a connection that has a run at work.
pub(crate) struct Company {
    pub(crate) bench: Bench,
    pub(crate) organisation: Organisation,
    pub(crate) key: DigestKey,
    pub(crate) connection: Connection,
    pub(crate) run: Run,
}

impl Company {
    pub(crate) async fn found(bench: &Bench, name: &str) -> Self {
        let organisation = bench.organisation(name).await;
        let mut transaction = bench.begin(&organisation).await;
        let connection = transaction
            .insert_connection(new_connection("hr"), Some(&credentials("hush")))
            .await
            .unwrap();
        let run = transaction
            .begin_run(connection.id, Trigger::Manual, LEASE)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        let key = organisation.digest_key();
        Self {
            bench: bench.clone(),
            organisation,
            key,
            connection,
            run,
        }
    }

    pub(crate) fn id(&self) -> ConnectionId {
        self.connection.id
    }

    pub(crate) async fn begin(&self) -> muster_storage::Transaction {
        self.bench.begin(&self.organisation).await
    }

    pub(crate) async fn read(&self) -> muster_storage::Reader {
        self.bench.read(&self.organisation).await
    }

    /// A snapshot of these records.
    pub(crate) async fn snapshot(&self, records: Vec<SourceRecord>) -> (SnapshotId, Stored) {
        let mut transaction = self.begin().await;
        let snapshot = transaction
            .begin_snapshot(self.id(), self.run.id)
            .await
            .unwrap();
        let records: Vec<_> = records
            .into_iter()
            .map(|record| to_store(record, &self.key))
            .collect();
        let stored = transaction
            .store_records(self.id(), snapshot, &records)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        (snapshot, stored)
    }

    /// People of these numbers, each linked to the record of the same number.
    pub(crate) async fn people(&self, numbers: impl Iterator<Item = u32>) -> Vec<PersonId> {
        let numbers: Vec<u32> = numbers.collect();
        let people: Vec<_> = numbers
            .iter()
            .map(|number| to_write(person(PersonId::new(self.bench.ids()), *number), &self.key))
            .collect();
        let links: Vec<_> = numbers
            .iter()
            .zip(&people)
            .map(|(number, given)| link(&record(*number), given.person.id))
            .collect();
        let mut transaction = self.begin().await;
        assert!(transaction.write_people(&people).await.unwrap().is_empty());
        assert!(
            transaction
                .write_links(self.id(), &links)
                .await
                .unwrap()
                .is_empty()
        );
        transaction.commit().await.unwrap();
        people.iter().map(|given| given.person.id).collect()
    }

    /// A plan with these rows, stored.
    pub(crate) async fn plan(&self, changes: Vec<Change>) -> (PlanId, Plan) {
        let plan = Plan {
            connection: self.id(),
            cause: Cause::Read,
            made_for: date(2025, 6, 2),
            made_at: "2025-06-02T08:00:00Z".parse().unwrap(),
            evidence: Evidence {
                account: Some("17".to_owned()),
                ..Evidence::none()
            },
            people: PeopleCounts {
                read: 3,
                ..PeopleCounts::default()
            },
            resting: RestCounts {
                unchanged: 2,
                ..RestCounts::default()
            },
            quiet: Vec::new(),
            changes,
            holds: vec![Hold {
                kind: HoldKind::Create,
                rows: 1,
                reason: "1 of 1".to_owned(),
                next: "release it".to_owned(),
            }],
            managers: Vec::new(),
            hash: self.key.digest("plan", "made up"),
        };
        let id = PlanId::new(self.bench.ids());
        let mut transaction = self.begin().await;
        transaction
            .store_plan(NewPlan {
                id,
                run: Some(self.run.id),
                plan: &plan,
                undoes: None,
                versions: None,
            })
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        (id, plan)
    }
}

/// A row that makes a person of a record.
pub(crate) fn creation(number: u32) -> Change {
    Change {
        external_id: Some(external_id(number)),
        person: None,
        situation: Situation::New,
        reaction: Reaction::Create,
        effects: vec![Planned::free(Effect::Create {
            fields: fields(number),
            access: Access::NotInvited,
        })],
        reasons: vec![Reason::new("new", "nobody has its keys")],
        precondition: Precondition::default(),
        due_on: None,
        settles: true,
    }
}

pub(crate) fn report(run: RunId, connection: ConnectionId) -> RunReport {
    RunReport {
        run,
        connection,
        trigger: Trigger::Manual,
        outcome: Outcome::Ok,
        planned_only: false,
        undoes: None,
        plan: None,
        started: "2025-06-02T08:00:00Z".parse().unwrap(),
        finished: "2025-06-02T08:00:05Z".parse().unwrap(),
        evidence: Evidence::none(),
        people: PeopleCounts::default(),
        counts: Counts::default(),
        fields: BTreeMap::new(),
        target: TargetCounts::default(),
        messages: MessageCounts::default(),
        holds: Vec::new(),
        audit: None,
        error: None,
    }
}
