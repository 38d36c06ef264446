//! Two-way sync: what we changed goes to the source, once, and comes back as no change.

use muster_engine::applying::Choice;
use muster_model::report::{Outcome, TargetCounts};
use muster_model::{Base, Field, Link, Preset, RunReport, Said, Value};
use muster_sandbox::company::{Company, Rehearsal};
use muster_sandbox::{Exchange, Fault};
use muster_storage::{OutboxState, StoredMessage};
use serde_json::Value as Json;

use crate::world::{DatabaseKind, Setting, World, plain_staff, rehearsal, with_new_phones};

const PHONE: &str = "+4798765432";

/// A company that two systems keep equal, with nothing to say to each other.
struct Mirrored {
    world: World,
    rehearsal: Rehearsal,
    /// People to whom nothing else happens.
    staff: Vec<u64>,
    /// Differences that were there at the beginning and wait for a person.
    conflicts: u64,
}

impl Mirrored {
    async fn new(database: DatabaseKind) -> Self {
        let rehearsal = rehearsal(40, 1);
        let world = World::new(Setting {
            database,
            page_size: 50,
            record: true,
            ..Setting::rehearsed(&rehearsal, 0)
        })
        .await;
        world.sync_well().await;
        world
            .connect(muster_engine::connections::Wish {
                preset: Preset::Mirror,
                ..world.wish()
            })
            .await;
        let report = world.sync_well().await;
        assert_eq!(report.target, TargetCounts::default());
        let staff = plain_staff(&rehearsal, 0);
        let mirrored = Self {
            world,
            rehearsal,
            staff,
            conflicts: report.counts.conflicts,
        };
        assert_eq!(mirrored.writes(), []);
        mirrored
    }

    /// A hand changes fields of the person of a record.
    async fn edit(&self, record: u64, fields: &[(Field, &str)]) {
        let mut person = self.world.person(record).await;
        for (field, text) in fields {
            person.fields.put(*field, Value::text(*text));
        }
        assert_eq!(self.world.write(vec![person]).await.unwrap(), []);
    }

    /// Every call that wrote, as `PUT /path` with its status.
    fn writes(&self) -> Vec<(String, u16)> {
        self.put_calls()
            .into_iter()
            .map(|call| (call.path, call.status))
            .collect()
    }

    fn put_calls(&self) -> Vec<Exchange> {
        let mut calls = self.world.sandbox.exchanges();
        calls.retain(|call| call.method == "PUT");
        calls
    }

    async fn link(&self, record: u64) -> Link {
        self.world
            .links()
            .await
            .into_iter()
            .map(|(_, link)| link)
            .find(|link| link.external_id.as_str() == record.to_string())
            .unwrap()
    }

    async fn outbox(&self, state: OutboxState) -> Vec<StoredMessage> {
        let organisation = self.world.organisation.id;
        let mut reader = self
            .world
            .engine
            .storage()
            .read(organisation)
            .await
            .unwrap();
        reader.outbox(state, 100).await.unwrap()
    }

    /// The source's next read brings nothing new, in either direction.
    async fn assert_quiet(&self) {
        let before = self.writes();
        let report = self.world.sync_well().await;
        assert_eq!(report.target, TargetCounts::default());
        let applied: u64 = report.fields.values().map(|one| one.applied).sum();
        assert_eq!(applied, 0);
        assert_eq!(report.counts.updated, 0);
        assert_eq!(report.counts.conflicts, self.conflicts);
        assert_eq!(self.writes(), before);
    }

    /// A company in which the telephone number of one person is another.
    fn with_their_phone(&self, record: u64) -> Company {
        with_new_phones(self.rehearsal.on_day(0), &[record])
    }
}

fn target(updated: u64, failed: u64, waiting: u64) -> TargetCounts {
    TargetCounts {
        queued: updated + failed + waiting,
        created: 0,
        updated,
        failed,
        waiting,
    }
}

fn employee(record: u64) -> String {
    format!("/v2/employee/{record}")
}

fn codes(messages: &[StoredMessage]) -> Vec<&str> {
    messages
        .iter()
        .map(|stored| stored.error_code.as_deref().unwrap_or_default())
        .collect()
}

async fn apply(world: &World, plan: &str) -> RunReport {
    world
        .engine
        .apply(&world.organisation, plan, None, Choice::default())
        .await
        .unwrap()
        .report
}

#[tokio::test]
async fn hum_24_hum_26_what_is_pushed_comes_back_as_no_change() {
    for database in DatabaseKind::all() {
        let mirrored = Mirrored::new(database).await;
        // Somebody whose number the source keeps with its country.
        let company = mirrored.rehearsal.on_day(0);
        let has_country = |id: &u64| {
            let found = company.employees.iter().find(|one| one.id == *id).unwrap();
            let phone = found.phone.as_ref();
            phone.is_some_and(|phone| phone.country.as_deref() == Some("NO"))
        };
        let record = *mirrored.staff.iter().find(|id| has_country(id)).unwrap();
        let other = *mirrored.staff.iter().find(|id| **id != record).unwrap();
        // Two fields of one person are one request; a field that is none of the
        // eight goes nowhere (HUM-24).
        mirrored
            .edit(
                record,
                &[(Field::Phone, PHONE), (Field::FamilyName, "Nordmann")],
            )
            .await;
        mirrored
            .edit(other, &[(Field::PersonalEmail, "a@home.example")])
            .await;
        let report = mirrored.world.sync_well().await;
        assert_eq!(report.target, target(2, 0, 0));
        assert_eq!(report.counts.failed, 0);
        let calls = mirrored.put_calls();
        assert_eq!(mirrored.writes(), [(employee(record), 200)]);
        let body: Json = serde_json::from_str(calls[0].request_body.as_ref().unwrap()).unwrap();
        assert_eq!(body["phoneNumberMobile"], "98765432");
        assert_eq!(body["lastName"], "Nordmann");
        assert!(body["version"].is_u64());
        assert_eq!(body.as_object().unwrap().len(), 4, "{body}");

        let link = mirrored.link(record).await;
        let phone = Said::Value(Value::text(PHONE));
        assert_eq!(
            link.base[&Field::Phone],
            Base {
                theirs: phone.clone(),
                ours: phone
            }
        );
        let sent = mirrored.outbox(OutboxState::Sent).await;
        assert_eq!(sent.len(), 2);
        assert!(
            sent.iter()
                .all(|message| message.message.run == Some(report.run))
        );
        mirrored.assert_quiet().await;
        mirrored.assert_quiet().await;
        mirrored.world.end().await;
    }
}

#[tokio::test]
async fn a_vendor_that_writes_its_own_form_causes_no_echo_and_is_still_followed() {
    for database in DatabaseKind::all() {
        let mirrored = Mirrored::new(database).await;
        let record = mirrored.staff[0];
        mirrored.world.faults(&[Fault::ReformatWrites]);
        mirrored
            .edit(
                record,
                &[(Field::Phone, PHONE), (Field::FamilyName, "Nordmann")],
            )
            .await;
        let report = mirrored.world.sync_well().await;
        assert_eq!(report.target, target(2, 0, 0));
        let link = mirrored.link(record).await;
        assert_eq!(
            link.base[&Field::FamilyName],
            Base {
                theirs: Said::Value(Value::text("NORDMANN")),
                ours: Said::Value(Value::text("Nordmann")),
            }
        );
        mirrored.assert_quiet().await;
        mirrored.assert_quiet().await;
        assert_eq!(mirrored.writes().len(), 1);

        // The base holds: what moves there next is theirs, what moves here is ours.
        mirrored
            .edit(record, &[(Field::FamilyName, "Nordmann Berg")])
            .await;
        let report = mirrored.world.sync_well().await;
        assert_eq!(report.target, target(1, 0, 0));
        mirrored.assert_quiet().await;
        mirrored.world.end().await;
    }
}

#[tokio::test]
async fn hum_21_a_value_that_moved_in_the_source_meanwhile_is_not_overwritten() {
    for database in DatabaseKind::all() {
        let mirrored = Mirrored::new(database).await;
        let record = mirrored.staff[0];
        mirrored.edit(record, &[(Field::Phone, PHONE)]).await;
        let plan = mirrored.world.plan().await.planned.unwrap().id.to_string();
        // Somebody edits the number there after it was compared.
        mirrored
            .world
            .sandbox
            .set_company(mirrored.with_their_phone(record));
        let report = apply(&mirrored.world, &plan).await;
        assert_eq!(report.target, target(0, 1, 0));
        assert_eq!(report.outcome, Outcome::Partial);
        assert_eq!(mirrored.writes(), []);
        let cancelled = mirrored.outbox(OutboxState::Cancelled).await;
        assert_eq!(codes(&cancelled), ["outbox.source_moved"]);
        // Both moved: a person decides.
        let report = mirrored.world.sync_well().await;
        assert_eq!(report.counts.conflicts, mirrored.conflicts + 1);
        assert_eq!(report.target, TargetCounts::default());
        assert_eq!(mirrored.writes(), []);
        mirrored.world.end().await;
    }
}

#[tokio::test]
async fn bey_49_a_refused_field_keeps_its_person_back_and_nobody_else() {
    for database in DatabaseKind::all() {
        let mirrored = Mirrored::new(database).await;
        let [record, other, ..] = mirrored.staff[..] else {
            panic!("too few people");
        };
        mirrored
            .world
            .faults(&[Fault::RefuseField("lastName".to_owned())]);
        mirrored
            .edit(
                record,
                &[(Field::Phone, PHONE), (Field::FamilyName, "Nordmann")],
            )
            .await;
        mirrored.edit(other, &[(Field::Phone, "+4791234567")]).await;
        let report = mirrored.world.sync_well().await;
        assert_eq!(report.target, target(1, 2, 0));
        assert_eq!(report.outcome, Outcome::Partial);
        let mut writes = mirrored.writes();
        writes.sort();
        let mut expected = [(employee(record), 422), (employee(other), 200)];
        expected.sort();
        assert_eq!(writes, expected);
        let failed = mirrored.outbox(OutboxState::Failed).await;
        let mut reasons = codes(&failed);
        reasons.sort_unstable();
        assert_eq!(
            reasons,
            ["tripletex.refused_with_another", "tripletex.value_refused"]
        );
        // It is planned anew, and goes out once the source takes it.
        mirrored.world.faults(&[]);
        let report = mirrored.world.sync_well().await;
        assert_eq!(report.target, target(2, 0, 0));
        mirrored.assert_quiet().await;
        mirrored.world.end().await;
    }
}

#[tokio::test]
async fn hum_25_a_write_whose_answer_was_lost_is_found_and_not_sent_again() {
    for database in DatabaseKind::all() {
        let mirrored = Mirrored::new(database).await;
        let [one, two, ..] = mirrored.staff[..] else {
            panic!("too few people");
        };
        // Even where the source changes the form of what arrived.
        mirrored
            .world
            .faults(&[Fault::WriteThenFail, Fault::ReformatWrites]);
        mirrored.edit(one, &[(Field::FamilyName, "Nordmann")]).await;
        mirrored.edit(two, &[(Field::Phone, PHONE)]).await;
        let report = mirrored.world.sync_well().await;
        assert_eq!(report.target, target(2, 0, 0));
        let mut writes = mirrored.writes();
        writes.sort();
        let mut expected = [(employee(one), 500), (employee(two), 500)];
        expected.sort();
        assert_eq!(writes, expected);
        mirrored.assert_quiet().await;
        mirrored.world.end().await;
    }
}

#[tokio::test]
async fn writes_wait_while_the_vendor_throttles_and_arrive_once() {
    for database in DatabaseKind::all() {
        let mirrored = Mirrored::new(database).await;
        let staff: Vec<u64> = mirrored.staff.iter().copied().take(5).collect();
        assert_eq!(staff.len(), 5);
        for (index, record) in staff.iter().enumerate() {
            let phone = format!("+479123456{index}");
            mirrored.edit(*record, &[(Field::Phone, &phone)]).await;
        }
        mirrored.world.faults(&[Fault::Throttle]);
        let report = mirrored.world.sync_well().await;
        assert_eq!(report.target, target(5, 0, 0));
        let writes = mirrored.writes();
        let done = writes.iter().filter(|(_, status)| *status == 200).count();
        let throttled = writes.iter().filter(|(_, status)| *status == 429).count();
        assert_eq!((done, writes.len()), (5, 5 + throttled));
        assert!(throttled > 0);
        mirrored.world.faults(&[]);
        mirrored.assert_quiet().await;
        mirrored.world.end().await;
    }
}

#[tokio::test]
async fn nothing_is_written_to_another_company() {
    for database in DatabaseKind::all() {
        let mirrored = Mirrored::new(database).await;
        let record = mirrored.staff[0];
        mirrored.edit(record, &[(Field::Phone, PHONE)]).await;
        let plan = mirrored.world.plan().await.planned.unwrap().id.to_string();
        mirrored.world.faults(&[Fault::WrongCompany]);
        let report = apply(&mirrored.world, &plan).await;
        assert_eq!(report.target, target(0, 0, 1));
        assert_eq!(report.outcome, Outcome::Partial);
        assert_eq!(mirrored.writes(), []);
        // The right company again: what waited goes out before anything is compared.
        mirrored.world.faults(&[]);
        let report = mirrored.world.sync_well().await;
        assert_eq!(report.target, target(1, 0, 0));
        assert_eq!(mirrored.writes(), [(employee(record), 200)]);
        mirrored.assert_quiet().await;
        mirrored.world.end().await;
    }
}

#[tokio::test]
async fn hum_38_the_last_workday_reaches_the_source() {
    for database in DatabaseKind::all() {
        let mirrored = Mirrored::new(database).await;
        let record = mirrored.staff[0];
        let mut person = mirrored.world.person(record).await;
        let last = jiff::civil::date(2031, 8, 31);
        person.fields.put(Field::EndDate, Value::Date(last));
        mirrored.world.write(vec![person]).await.unwrap();
        let report = mirrored.world.sync_well().await;
        assert_eq!(report.target, target(1, 0, 0));
        let calls = mirrored.put_calls();
        assert_eq!(calls.len(), 1);
        assert!(calls[0].path.starts_with("/v2/employee/employment/"));
        let body: Json = serde_json::from_str(calls[0].request_body.as_ref().unwrap()).unwrap();
        assert_eq!(body["endDate"], "2031-08-31");
        let base = &mirrored.link(record).await.base[&Field::EndDate];
        assert_eq!(base.theirs, Said::Value(Value::Date(last)));
        mirrored.assert_quiet().await;
        mirrored.world.end().await;
    }
}

#[tokio::test]
async fn hum_27_a_value_taken_from_the_source_is_not_pushed_back() {
    for database in DatabaseKind::all() {
        let mirrored = Mirrored::new(database).await;
        let record = mirrored.staff[0];
        mirrored
            .world
            .sandbox
            .set_company(mirrored.with_their_phone(record));
        let before = mirrored.world.person(record).await;
        let report = mirrored.world.sync_well().await;
        assert_eq!(report.counts.updated, 1);
        assert_eq!(report.target, TargetCounts::default());
        let after = mirrored.world.person(record).await;
        assert_ne!(
            before.fields.text(Field::Phone),
            after.fields.text(Field::Phone)
        );
        mirrored.assert_quiet().await;
        assert_eq!(mirrored.writes(), []);
        mirrored.world.end().await;
    }
}
