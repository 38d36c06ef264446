use std::collections::BTreeMap;

use muster_model::policy::BrakeKind;
use muster_model::{Answer, HoldKind, Matter, RecordDecision};
use muster_storage::{OutboxMessage, OutboxState};

use crate::bench::Bench;
use crate::company::{Company, external_id};

on_both_engines!(
    what_brakes_let_through_adds_up_in_its_window,
    decisions_stay_until_they_are_taken_back,
    outward_work_is_queued_in_order,
);

async fn what_brakes_let_through_adds_up_in_its_window(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let mut transaction = company.begin().await;
    for (at, kind, rows) in [
        ("2025-06-01T07:59:59Z", BrakeKind::Create, 100),
        ("2025-06-01T08:00:00Z", BrakeKind::Create, 2),
        ("2025-06-01T08:00:00Z", BrakeKind::Create, 3),
        ("2025-06-02T08:00:00Z", BrakeKind::Create, 4),
        ("2025-06-02T08:00:00Z", BrakeKind::SuspendSilent, 1),
    ] {
        transaction
            .passed(company.id(), kind, at.parse().unwrap(), rows)
            .await
            .unwrap();
    }
    transaction.commit().await.unwrap();
    let since = "2025-06-01T08:00:00Z".parse().unwrap();
    let passed = company
        .read()
        .await
        .passed_since(company.id(), since)
        .await
        .unwrap();
    assert_eq!(
        passed,
        BTreeMap::from([(BrakeKind::Create, 9), (BrakeKind::SuspendSilent, 1)])
    );
}

async fn decisions_stay_until_they_are_taken_back(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let (plan, _) = company.plan(Vec::new()).await;
    let person = company.people(0..1).await[0];
    let about = |text: &str| company.key.digest("held", text);
    let decision = |number, matter, answer, about, plan| RecordDecision {
        external_id: external_id(number),
        matter,
        answer,
        about,
        plan,
    };
    let hold = Matter::Hold(HoldKind::SuspendSaid);
    let released = decision(1, hold, Answer::Release, about("one"), Some(plan));
    let joined = decision(1, Matter::Match, Answer::Link(person), about("keys"), None);
    let left = decision(2, Matter::Match, Answer::Leave, about("keys"), None);
    let mut transaction = company.begin().await;
    let given = [released.clone(), joined.clone(), left.clone()];
    for _ in 0..2 {
        // Twice is once.
        transaction
            .store_decisions(company.id(), &given)
            .await
            .unwrap();
    }
    transaction.commit().await.unwrap();
    let ids = [external_id(1), external_id(2), external_id(3)];
    let stored = company.read().await.decisions(company.id(), &ids).await;
    assert_eq!(stored.unwrap(), [joined, released, left.clone()]);

    // A later answer to the same matter takes the place of the first.
    let refused = decision(1, hold, Answer::Refuse, about("another"), Some(plan));
    let mut transaction = company.begin().await;
    transaction
        .store_decisions(company.id(), std::slice::from_ref(&refused))
        .await
        .unwrap();
    transaction
        .take_back_decisions(company.id(), &[(external_id(1), Matter::Match)])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let stored = company.read().await.decisions(company.id(), &ids).await;
    assert_eq!(stored.unwrap(), [refused, left]);
}

async fn outward_work_is_queued_in_order(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let people = company.people(0..3).await;
    let messages: Vec<_> = people
        .iter()
        .enumerate()
        .map(|(number, person)| OutboxMessage {
            row: None,
            kind: "mail.invitation".to_owned(),
            person: *person,
            body: serde_json::json!({ "number": number }),
        })
        .collect();
    let mut transaction = company.begin().await;
    transaction.enqueue(&messages).await.unwrap();
    transaction.commit().await.unwrap();
    let mut reader = company.read().await;
    let queued = reader.outbox(OutboxState::Waiting, 10).await.unwrap();
    let read: Vec<_> = queued.iter().map(|stored| stored.message.clone()).collect();
    assert_eq!(read, messages);
    assert_eq!(
        reader.outbox(OutboxState::Waiting, 1).await.unwrap(),
        queued[..1]
    );
    let mut transaction = company.begin().await;
    transaction
        .mark_outbox(&[queued[1].id], OutboxState::Sent)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let sent = reader.outbox(OutboxState::Sent, 10).await.unwrap();
    assert_eq!(
        sent.iter().map(|stored| stored.id).collect::<Vec<_>>(),
        [queued[1].id]
    );
    assert_eq!(
        reader.outbox(OutboxState::Waiting, 10).await.unwrap().len(),
        2
    );

    let mut nobody = messages[0].clone();
    nobody.person = muster_model::PersonId::new(bench.ids());
    let mut transaction = company.begin().await;
    assert_eq!(
        transaction.enqueue(&[nobody]).await.unwrap_err().code(),
        "person.unknown"
    );
}
