use std::collections::BTreeSet;

use muster_model::{ExternalId, Field, MatchKey, Said, SourceRecord, Value};
use muster_storage::Stored;

use crate::bench::Bench;
use crate::company::{Company, VERSIONS, external_id, fields, record, to_store};

on_both_engines!(
    records_read_back_as_they_were_said,
    an_unchanged_read_writes_nothing_but_that_it_was_seen,
    of_two_rows_in_one_snapshot_the_higher_revision_wins,
    keys_follow_what_records_say,
    ids_of_any_shape_are_kept_apart,
    a_record_needs_an_id_and_a_snapshot_of_its_connection,
    records_whose_keys_others_hold_are_told_at_once,
);

async fn records_read_back_as_they_were_said(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let (snapshot, stored) = company.snapshot((0..3).map(record).collect()).await;
    assert_eq!(
        stored,
        Stored {
            new: 3,
            ..Stored::default()
        }
    );
    let mut reader = company.read().await;
    let touched = reader
        .touched(company.id(), snapshot, VERSIONS, None, 10)
        .await
        .unwrap();
    let said: Vec<_> = touched.iter().map(|stored| stored.record.clone()).collect();
    assert_eq!(said, (0..3).map(record).collect::<Vec<_>>());
    for stored in &touched {
        assert_eq!(stored.digest, stored.record.digest(&company.key));
        assert_eq!(
            (stored.settled, stored.due, stored.due_marks),
            (None, false, 0)
        );
    }
    let asked = [external_id(2), external_id(7)];
    let found = reader.records(company.id(), &asked).await.unwrap();
    assert_eq!(found, touched[2..]);
}

async fn an_unchanged_read_writes_nothing_but_that_it_was_seen(bench: Bench) {
    const BODIES: &str = "SELECT body FROM record_bodies ORDER BY external_id";
    let company = Company::found(&bench, "Nordlys").await;
    company.snapshot((0..3).map(record).collect()).await;
    let before = bench.raw_bytes(BODIES).await;

    let mut again: Vec<_> = (0..3).map(record).collect();
    again[1].fields.put(Field::JobTitle, Value::text("Fitter"));
    // A revision by itself is no change of what is said.
    again[2].revision = Some(99);
    let (snapshot, stored) = company.snapshot(again.clone()).await;
    assert_eq!(
        stored,
        Stored {
            changed: 1,
            unchanged: 2,
            ..Stored::default()
        }
    );
    let after = bench.raw_bytes(BODIES).await;
    assert_eq!((&after[0], &after[2]), (&before[0], &before[2]));
    assert_ne!(after[1], before[1]);

    let touched = company
        .read()
        .await
        .touched(company.id(), snapshot, VERSIONS, None, 10)
        .await
        .unwrap();
    let said: Vec<_> = touched.into_iter().map(|stored| stored.record).collect();
    assert_eq!(said, again);
}

async fn of_two_rows_in_one_snapshot_the_higher_revision_wins(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let version = |number: u32, revision: Option<i64>, title: &str| {
        let mut said = record(number);
        said.revision = revision;
        said.fields.put(Field::JobTitle, Value::text(title));
        to_store(said, &company.key)
    };
    let mut transaction = company.begin().await;
    let snapshot = transaction
        .begin_snapshot(company.id(), company.run.id)
        .await
        .unwrap();
    let id = company.id();
    let page = [
        version(1, Some(2), "newer"),
        version(1, Some(1), "older"),
        version(2, None, "first"),
    ];
    let stored = transaction
        .store_records(id, snapshot, &page)
        .await
        .unwrap();
    assert_eq!(
        (stored.new, stored.already_in_this_snapshot),
        (2, vec![external_id(1)])
    );
    // The same ids come again on other pages.
    let page = [
        version(1, Some(1), "older still"),
        version(2, None, "later"),
    ];
    let stored = transaction
        .store_records(id, snapshot, &page)
        .await
        .unwrap();
    assert_eq!((stored.new, stored.changed, stored.unchanged), (0, 0, 0));
    assert_eq!(
        stored.already_in_this_snapshot,
        [external_id(1), external_id(2)]
    );
    let page = [version(1, Some(2), "newer")];
    let stored = transaction
        .store_records(id, snapshot, &page)
        .await
        .unwrap();
    assert_eq!(stored.already_in_this_snapshot, [external_id(1)]);
    let touched = transaction
        .touched(id, snapshot, VERSIONS, None, 10)
        .await
        .unwrap();
    let titles: Vec<_> = touched
        .iter()
        .map(|row| row.record.fields.text(Field::JobTitle).unwrap())
        .collect();
    assert_eq!(titles, ["newer", "later"]);
}

async fn keys_follow_what_records_say(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let (first, _) = company.snapshot(vec![record(1), record(2)]).await;
    let people = company.people([1].into_iter()).await;
    let digest =
        |kind: MatchKey, number: u32| (kind, kind.digest(&fields(number), &company.key).unwrap());
    let asked = [
        digest(MatchKey::WorkEmail, 1),
        digest(MatchKey::NationalId, 2),
        digest(MatchKey::WorkEmail, 2),
        digest(MatchKey::EmployeeNumber, 3),
        digest(MatchKey::WorkEmail, 1),
    ];
    let mut reader = company.read().await;
    let holders = reader
        .key_holders(company.id(), first, &asked)
        .await
        .unwrap();
    assert_eq!(holders[&asked[0]].people, people);
    assert_eq!(holders[&asked[0]].records, [external_id(1)]);
    assert_eq!(holders[&asked[1]].records, [external_id(2)]);
    assert!(holders[&asked[1]].people.is_empty());
    assert!(!holders.contains_key(&asked[3]));

    // Record 1 takes the address of record 2 and loses its national id.
    let mut moved = record(1);
    moved.fields.set(
        Field::WorkEmail,
        record(2).fields.get(Field::WorkEmail).map(Clone::clone),
    );
    moved.fields.set(Field::NationalId, Said::Absent);
    let (second, _) = company.snapshot(vec![moved, record(2)]).await;
    let holders = reader
        .key_holders(company.id(), second, &asked)
        .await
        .unwrap();
    assert!(holders[&asked[0]].records.is_empty());
    assert_eq!(holders[&asked[2]].records, [external_id(1), external_id(2)]);
    let lost = digest(MatchKey::NationalId, 1);
    let holders = reader
        .key_holders(company.id(), second, &[lost])
        .await
        .unwrap();
    assert_eq!(holders[&lost].people, people);
    assert!(holders[&lost].records.is_empty());
    // Nothing of it was seen in the first snapshot any more.
    let holders = reader
        .key_holders(company.id(), first, &asked)
        .await
        .unwrap();
    assert!(holders.values().all(|owners| owners.records.is_empty()));
}

async fn ids_of_any_shape_are_kept_apart(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    // In the order of their bytes, whatever the collation of the machine.
    let ids = [
        " ",
        "\\N",
        "\\x41",
        "a\tb\nc\rd\\",
        "e",
        "E",
        "ä",
        "æøå 🙂",
        "'; DROP TABLE people",
    ];
    let records = ids.iter().map(|id| {
        let mut said = record(1);
        said.external_id = ExternalId::new(*id);
        said
    });
    let (snapshot, stored) = company.snapshot(records.collect()).await;
    assert_eq!(stored.new, ids.len() as u64);
    let mut expected: Vec<&str> = ids.to_vec();
    expected.sort_unstable();

    let mut reader = company.read().await;
    let mut seen = Vec::new();
    let mut after: Option<ExternalId> = None;
    loop {
        let page = reader
            .touched(company.id(), snapshot, VERSIONS, after.as_ref(), 2)
            .await
            .unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.external_id.clone());
        seen.extend(page.into_iter().map(|row| row.external_id));
    }
    assert_eq!(
        seen.iter().map(ExternalId::as_str).collect::<Vec<_>>(),
        expected
    );
}

async fn a_record_needs_an_id_and_a_snapshot_of_its_connection(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let (snapshot, _) = company.snapshot(Vec::new()).await;
    let mut nameless = record(1);
    nameless.external_id = ExternalId::new("");
    let nameless = to_store(nameless, &company.key);
    let mut transaction = company.begin().await;
    let error = transaction
        .store_records(company.id(), snapshot, &[nameless])
        .await
        .unwrap_err();
    assert_eq!(error.code(), "record.without_id");
    let other = transaction
        .insert_connection(crate::company::new_connection("other"), None)
        .await
        .unwrap();
    let given = [to_store(record(1), &company.key)];
    let error = transaction
        .store_records(other.id, snapshot, &given)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "snapshot.unknown");
    let error = transaction
        .begin_snapshot(other.id, company.run.id)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "run.lease_lost");
}

async fn records_whose_keys_others_hold_are_told_at_once(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let mut records: Vec<SourceRecord> = (0..6).map(record).collect();
    // Four has the address of one; three is known as a person.
    records[4].fields.put(
        Field::WorkEmail,
        Value::text("Aase.1@nordlys.example".to_owned()),
    );
    company.snapshot(records).await;
    company.people(3..4).await;
    let mut reader = company.read().await;
    let told = reader.contested_records(company.id(), 3).await.unwrap();
    let expected: BTreeSet<ExternalId> = [1, 3, 4].map(external_id).into();
    assert_eq!(told, Some(expected));
    // More than were asked for are not told of in part: by either way of sharing.
    for most in [0, 1] {
        let told = reader.contested_records(company.id(), most).await.unwrap();
        assert_eq!(told, None);
    }
}
