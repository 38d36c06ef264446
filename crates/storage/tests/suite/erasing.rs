use muster_model::{Answer, Matter, RecordDecision};
use muster_storage::{ChangeState, OutboxMessage, OutboxState};

use crate::bench::Bench;
use crate::company::{Company, creation, external_id, record, to_write};

on_both_engines!(erasing_leaves_nothing_that_could_be_read);

async fn erasing_leaves_nothing_that_could_be_read(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let (snapshot, _) = company.snapshot((0..3).map(record).collect()).await;
    // Made from their records, before there was anybody.
    let (plan, _) = company.plan((0..3).map(creation).collect()).await;
    let people = company.people(0..3).await;
    let mut managed = company
        .read()
        .await
        .people(&people[1..2])
        .await
        .unwrap()
        .remove(0);
    managed.manager = Some(people[0]);
    let mut transaction = company.begin().await;
    transaction
        .write_people(&[to_write(managed, &company.key)])
        .await
        .unwrap();
    let messages: Vec<_> = people
        .iter()
        .map(|person| OutboxMessage::about(*person, "mail", serde_json::Value::Null))
        .collect();
    transaction.enqueue(&messages).await.unwrap();
    let decision = |number, answer| RecordDecision {
        external_id: external_id(number),
        matter: Matter::Match,
        answer,
        about: company.key.digest("held", "keys"),
        plan: None,
    };
    // About a record of theirs, and about another that was to be theirs.
    let decided = [
        decision(0, Answer::Leave),
        decision(1, Answer::Unlinked(people[0])),
        decision(2, Answer::Leave),
    ];
    transaction
        .store_decisions(company.id(), &decided)
        .await
        .unwrap();
    assert_eq!(transaction.erase_people(&people[..1]).await.unwrap(), 1);
    assert_eq!(transaction.erase_people(&people[..1]).await.unwrap(), 0);
    transaction.commit().await.unwrap();

    let mut reader = company.read().await;
    let ids: Vec<_> = (0..3).map(external_id).collect();
    let kept = reader.decisions(company.id(), &ids).await.unwrap();
    assert_eq!(kept, decided[2..]);
    let mut left: Vec<_> = reader.people(&people).await.unwrap();
    left.sort_by_key(|person| person.id);
    assert_eq!(
        left.iter().map(|person| person.id).collect::<Vec<_>>(),
        people[1..]
    );
    // Who had them as manager has none, and is newer for it.
    assert_eq!((left[0].manager, left[0].version), (None, 3));
    assert!(
        reader
            .records(company.id(), &[external_id(0)])
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        reader
            .links_of_people(&people[..1])
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        reader.outbox(OutboxState::Waiting, 10).await.unwrap().len(),
        2
    );
    let rows = reader
        .changes(plan, ChangeState::ALL, None, 10)
        .await
        .unwrap();
    let readable: Vec<_> = rows.iter().map(|row| row.change.is_some()).collect();
    assert_eq!(readable, [false, true, true]);
    let keys: Vec<_> = crate::company::keys(&record(0).fields, &company.key)
        .into_iter()
        .collect();
    assert!(
        reader
            .key_holders(company.id(), snapshot, &keys)
            .await
            .unwrap()
            .is_empty()
    );
    for (table, rows) in [
        ("people", 2),
        ("record_bodies", 2),
        ("source_records", 2),
        ("record_keys", 6),
        ("person_keys", 6),
        ("links", 2),
        ("erased_people", 1),
    ] {
        let found = bench
            .raw_numbers(&format!("SELECT count(*) FROM {table}"))
            .await;
        assert_eq!(found, [rows], "{table}");
    }
}
