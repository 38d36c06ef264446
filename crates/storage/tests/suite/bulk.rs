use muster_storage::{ChangeState, Rest, Stored};

use crate::bench::Bench;
use crate::company::{Company, VERSIONS, creation, record};

on_both_engines!(twenty_thousand_people_go_through_in_bulk);

/// No time is asserted; row by row this would take minutes.
async fn twenty_thousand_people_go_through_in_bulk(bench: Bench) {
    const PEOPLE: u32 = 20_000;
    let company = Company::found(&bench, "Nordlys").await;
    let (snapshot, stored) = company.snapshot((0..PEOPLE).map(record).collect()).await;
    assert_eq!(
        stored,
        Stored {
            new: PEOPLE.into(),
            ..Stored::default()
        }
    );
    let (plan, _) = company.plan((0..PEOPLE).map(creation).collect()).await;
    let people = company.people(0..PEOPLE).await;

    let mut reader = company.read().await;
    let loaded = reader
        .touched(company.id(), snapshot, VERSIONS, None, PEOPLE)
        .await
        .unwrap();
    assert_eq!(loaded.len(), PEOPLE as usize);
    assert_eq!(reader.people(&people).await.unwrap().len(), PEOPLE as usize);
    assert_eq!(
        reader.links_of_people(&people).await.unwrap().len(),
        PEOPLE as usize
    );
    let rows = reader
        .changes(plan, ChangeState::ALL, None, PEOPLE)
        .await
        .unwrap();
    assert_eq!(rows.len(), PEOPLE as usize);

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
    let (snapshot, stored) = company.snapshot((0..PEOPLE).map(record).collect()).await;
    assert_eq!(
        stored,
        Stored {
            unchanged: PEOPLE.into(),
            ..Stored::default()
        }
    );
    assert!(
        reader
            .touched(company.id(), snapshot, VERSIONS, None, 1)
            .await
            .unwrap()
            .is_empty()
    );
}
