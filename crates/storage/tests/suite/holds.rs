use std::collections::BTreeMap;

use jiff::Timestamp;
use muster_model::policy::BrakeKind;
use muster_model::{Answer, Field, HoldKind, Matter, PersonId, RecordDecision, RunId};
use muster_storage::{OutboxMark, OutboxMessage, OutboxState, OutboxTarget, StoredMessage};

use crate::bench::Bench;
use crate::company::{Company, external_id};

on_both_engines!(
    what_brakes_let_through_adds_up_in_its_window,
    decisions_stay_until_they_are_taken_back,
    outward_work_is_queued_in_order,
    hum_25_one_sender_at_a_time_has_the_messages_of_a_record,
    a_newer_value_replaces_one_that_waits_and_not_one_on_its_way,
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

fn now_of_bench() -> Timestamp {
    "2025-06-02T08:00:00Z".parse().unwrap()
}

/// What writes a field of a record.
fn write(company: &Company, person: PersonId, record: u32, field: Field) -> OutboxMessage {
    OutboxMessage::about(person, "source.update", serde_json::Value::Null).to(OutboxTarget {
        connection: company.id(),
        external_id: external_id(record),
        field,
    })
}

async fn enqueue(company: &Company, messages: &[OutboxMessage]) {
    let mut transaction = company.begin().await;
    transaction.enqueue(messages).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn claim(company: &Company, sender: RunId, records: u32) -> Vec<StoredMessage> {
    let mut transaction = company.begin().await;
    let minute = std::time::Duration::from_secs(60);
    let ever = Timestamp::MAX;
    let claimed = transaction
        .claim_outbox(company.id(), sender, ever, records, minute)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    claimed
}

fn fields(messages: &[StoredMessage]) -> Vec<(String, Field)> {
    messages
        .iter()
        .map(|stored| stored.message.target.clone().unwrap())
        .map(|target| (target.external_id.to_string(), target.field))
        .collect()
}

async fn hum_25_one_sender_at_a_time_has_the_messages_of_a_record(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let people = company.people(0..2).await;
    let (one, two) = (RunId::new(bench.ids()), RunId::new(bench.ids()));
    let queue = [
        write(&company, people[0], 0, Field::Phone),
        write(&company, people[1], 1, Field::Phone),
        write(&company, people[0], 0, Field::GivenName),
    ];
    enqueue(&company, &queue).await;
    assert_eq!(
        company
            .read()
            .await
            .waiting_writes(company.id())
            .await
            .unwrap()
            .0,
        3
    );

    let first = claim(&company, one, 1).await;
    let of_first = [
        (external_id(0).to_string(), Field::Phone),
        (external_id(0).to_string(), Field::GivenName),
    ];
    assert_eq!(fields(&first), of_first);
    assert!(first.iter().all(|stored| stored.attempts == 1));
    // A later message of the record waits behind those that are on their way.
    enqueue(
        &company,
        &[write(&company, people[0], 0, Field::FamilyName)],
    )
    .await;
    let second = claim(&company, two, 10).await;
    assert_eq!(
        fields(&second),
        [(external_id(1).to_string(), Field::Phone)]
    );

    // Who does not hold them says nothing about them.
    let sent = |stored: &StoredMessage| OutboxMark {
        id: stored.id,
        state: OutboxState::Sent,
        error_code: None,
        due_at: None,
    };
    let marks: Vec<OutboxMark> = first.iter().map(sent).collect();
    let mut transaction = company.begin().await;
    assert_eq!(transaction.end_attempts(two, &marks).await.unwrap(), 0);
    assert_eq!(transaction.end_attempts(one, &marks).await.unwrap(), 2);
    transaction.commit().await.unwrap();
    let third = claim(&company, two, 10).await;
    assert_eq!(
        fields(&third),
        [(external_id(0).to_string(), Field::FamilyName)]
    );

    // What failed waits for its time; hastened, it is due.
    let later = now_of_bench() + jiff::SignedDuration::from_hours(1);
    let again = OutboxMark {
        id: third[0].id,
        state: OutboxState::Waiting,
        error_code: Some("http.server_error".to_owned()),
        due_at: Some(later),
    };
    let mut transaction = company.begin().await;
    transaction.end_attempts(two, &[again]).await.unwrap();
    let minute = std::time::Duration::from_secs(60);
    let not_yet = transaction
        .claim_outbox(company.id(), two, now_of_bench(), 10, minute)
        .await
        .unwrap();
    assert_eq!(fields(&not_yet), []);
    let (waiting, due_at) = transaction.waiting_writes(company.id()).await.unwrap();
    assert_eq!((waiting, due_at.is_some()), (2, true));
    transaction.hasten_outbox(company.id()).await.unwrap();
    transaction.commit().await.unwrap();
    let fourth = claim(&company, one, 10).await;
    assert_eq!(fields(&fourth), fields(&third));
    assert_eq!(fourth[0].attempts, 2);
    assert_eq!(fourth[0].error_code.as_deref(), Some("http.server_error"));
}

async fn a_newer_value_replaces_one_that_waits_and_not_one_on_its_way(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let people = company.people(0..2).await;
    let phone = write(&company, people[0], 0, Field::Phone);
    let name = write(&company, people[0], 0, Field::GivenName);
    enqueue(&company, &[phone.clone(), name]).await;
    enqueue(&company, std::slice::from_ref(&phone)).await;
    let mut reader = company.read().await;
    let cancelled = reader.outbox(OutboxState::Cancelled, 10).await.unwrap();
    assert_eq!(
        fields(&cancelled),
        [(external_id(0).to_string(), Field::Phone)]
    );
    assert_eq!(
        cancelled[0].error_code.as_deref(),
        Some("outbox.superseded")
    );

    claim(&company, RunId::new(bench.ids()), 10).await;
    enqueue(&company, &[phone]).await;
    assert_eq!(
        reader.outbox(OutboxState::Waiting, 10).await.unwrap().len(),
        3
    );
    assert_eq!(
        reader
            .outbox(OutboxState::Cancelled, 10)
            .await
            .unwrap()
            .len(),
        1
    );
}

async fn outward_work_is_queued_in_order(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let people = company.people(0..3).await;
    let messages: Vec<_> = people
        .iter()
        .enumerate()
        .map(|(number, person)| {
            OutboxMessage::about(
                *person,
                "mail.invitation",
                serde_json::json!({ "number": number }),
            )
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
