use std::collections::BTreeMap;

use jiff::civil::date;
use muster_model::{Digest, ExternalId, Field, SnapshotId, Value};
use muster_storage::Rest;

use crate::bench::Bench;
use crate::company::{Company, VERSIONS, external_id, record};

on_both_engines!(
    a_record_at_rest_is_touched_again_for_each_reason,
    a_mark_set_while_somebody_settles_is_not_lost,
    the_clock_sets_the_marks_of_a_day,
    links_not_seen_are_missing,
    revisions_that_run_backwards_are_counted,
);

fn rest(number: u32, digest: Digest, class: &str) -> Rest {
    Rest {
        external_id: external_id(number),
        digest,
        rest: class.to_owned(),
        due_on: None,
        due_marks: 0,
    }
}

async fn touched(company: &Company, snapshot: SnapshotId, versions: &str) -> Vec<ExternalId> {
    let mut reader = company.read().await;
    let rows = reader
        .touched(company.id(), snapshot, versions, None, 100)
        .await
        .unwrap();
    rows.into_iter().map(|row| row.external_id).collect()
}

async fn a_record_at_rest_is_touched_again_for_each_reason(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let (_, _) = company.snapshot((0..6).map(record).collect()).await;
    let digest = |number| record(number).digest(&company.key);
    let rests: Vec<_> = (0..6)
        .map(|number| {
            rest(
                number,
                digest(number),
                if number < 4 { "unchanged" } else { "ignored" },
            )
        })
        .collect();
    let mut transaction = company.begin().await;
    transaction
        .settle(company.id(), VERSIONS, &rests)
        .await
        .unwrap();
    transaction.commit().await.unwrap();

    let (snapshot, _) = company.snapshot((0..5).map(record).collect()).await;
    assert!(touched(&company, snapshot, VERSIONS).await.is_empty());
    let counts = company
        .read()
        .await
        .untouched_counts(company.id(), snapshot, VERSIONS)
        .await
        .unwrap();
    // Record 5 was not seen this time.
    assert_eq!(
        counts,
        BTreeMap::from([("ignored".to_owned(), 1), ("unchanged".to_owned(), 4)])
    );
    // Other versions touch everything seen.
    assert_eq!(touched(&company, snapshot, "mapping 2").await.len(), 5);

    // What is said changes; a mark is set; rest is taken away.
    let mut records: Vec<_> = (0..5).map(record).collect();
    records[0]
        .fields
        .put(Field::JobTitle, Value::text("Fitter"));
    let (snapshot, _) = company.snapshot(records).await;
    let mut transaction = company.begin().await;
    transaction
        .mark_records_due(company.id(), &[external_id(1)])
        .await
        .unwrap();
    transaction
        .unsettle(company.id(), &[external_id(2)])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(
        touched(&company, snapshot, VERSIONS).await,
        [external_id(0), external_id(1), external_id(2)]
    );
    let found = company
        .read()
        .await
        .records(company.id(), &[external_id(1)])
        .await
        .unwrap();
    assert!(found[0].due);
    assert_eq!(found[0].rest.as_deref(), Some("unchanged"));
    assert_eq!(found[0].settled, Some(digest(1)));
    assert_eq!(found[0].settled_versions.as_deref(), Some(VERSIONS));
    let counts = company
        .read()
        .await
        .untouched_counts(company.id(), snapshot, VERSIONS)
        .await
        .unwrap();
    assert_eq!(counts.values().sum::<u64>(), 2);
}

async fn a_mark_set_while_somebody_settles_is_not_lost(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let (snapshot, _) = company.snapshot(vec![record(0), record(1)]).await;
    let people = company.people(0..2).await;
    let loaded = company
        .read()
        .await
        .touched(company.id(), snapshot, VERSIONS, None, 10)
        .await
        .unwrap();

    // While it is planned, the person changes on our side.
    let mut transaction = company.begin().await;
    transaction.mark_people_due(&people[..1]).await.unwrap();
    transaction.commit().await.unwrap();
    let rests: Vec<_> = loaded
        .iter()
        .map(|row| Rest {
            external_id: row.external_id.clone(),
            digest: row.digest,
            rest: "unchanged".to_owned(),
            due_on: None,
            due_marks: row.due_marks,
        })
        .collect();
    let mut transaction = company.begin().await;
    transaction
        .settle(company.id(), VERSIONS, &rests)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(
        touched(&company, snapshot, VERSIONS).await,
        [external_id(0)]
    );

    // Planned once more with the mark in sight, it rests.
    let marked = company
        .read()
        .await
        .touched(company.id(), snapshot, VERSIONS, None, 10)
        .await
        .unwrap();
    let again = [Rest {
        due_marks: marked[0].due_marks,
        ..rests[0].clone()
    }];
    let mut transaction = company.begin().await;
    transaction
        .settle(company.id(), VERSIONS, &again)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert!(touched(&company, snapshot, VERSIONS).await.is_empty());
}

async fn the_clock_sets_the_marks_of_a_day(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let (snapshot, _) = company.snapshot((0..3).map(record).collect()).await;
    let rests: Vec<_> = (0..3)
        .map(|number| Rest {
            due_on: [None, Some(date(2025, 6, 30)), Some(date(2025, 10, 1))][number as usize],
            ..rest(number, record(number).digest(&company.key), "unchanged")
        })
        .collect();
    let mut transaction = company.begin().await;
    transaction
        .settle(company.id(), VERSIONS, &rests)
        .await
        .unwrap();
    assert_eq!(transaction.mark_due_on(date(2025, 6, 29)).await.unwrap(), 0);
    assert_eq!(transaction.mark_due_on(date(2025, 6, 30)).await.unwrap(), 1);
    // Once is enough.
    assert_eq!(transaction.mark_due_on(date(2025, 7, 1)).await.unwrap(), 0);
    transaction.commit().await.unwrap();
    assert_eq!(
        touched(&company, snapshot, VERSIONS).await,
        [external_id(1)]
    );
    let rows = company
        .read()
        .await
        .records(company.id(), &[external_id(2)])
        .await
        .unwrap();
    assert_eq!(rows[0].due_on, Some(date(2025, 10, 1)));
}

async fn links_not_seen_are_missing(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    company.snapshot((0..5).map(record).collect()).await;
    company.people(0..4).await;
    let (snapshot, _) = company.snapshot(vec![record(0)]).await;
    let mut reader = company.read().await;
    let first = reader
        .missing(company.id(), snapshot, None, 2)
        .await
        .unwrap();
    assert_eq!(first, [external_id(1), external_id(2)]);
    let rest = reader
        .missing(company.id(), snapshot, first.last(), 2)
        .await
        .unwrap();
    // Record 4 is missing as well, but nobody is linked to it.
    assert_eq!(rest, [external_id(3)]);
}

async fn revisions_that_run_backwards_are_counted(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    company.snapshot((1..4).map(record).collect()).await;
    company.people(1..4).await;
    let mut records: Vec<_> = (1..4).map(record).collect();
    records[0].revision = Some(0);
    records[1].revision = None;
    let (snapshot, _) = company.snapshot(records).await;
    assert_eq!(
        company
            .read()
            .await
            .backwards(company.id(), snapshot)
            .await
            .unwrap(),
        1
    );
}
