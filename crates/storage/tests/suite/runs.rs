use std::time::Duration;

use muster_model::RunId;
use muster_model::report::Trigger;
use muster_storage::{ChangeState, OutboxMessage, OutboxTarget, RunStep, RunsAtWork, StorageError};

use crate::bench::Bench;
use crate::company::{Company, LEASE, report};

on_both_engines!(
    one_run_at_a_time_holds_a_connection,
    a_lease_that_ran_out_is_taken_over,
    a_run_whose_process_is_gone_is_taken_over_at_once,
    runs_are_listed_newest_first_with_their_reports,
);

async fn one_run_at_a_time_holds_a_connection(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let mut transaction = company.begin().await;
    match transaction
        .begin_run(company.id(), Trigger::Schedule, LEASE)
        .await
    {
        Err(StorageError::RunInProgress { run, .. }) => assert_eq!(run, company.run.id),
        other => panic!("{other:?}"),
    }
    // A refused run leaves nothing behind, even if its transaction is committed.
    transaction.commit().await.unwrap();
    assert_eq!(company.read().await.runs(10).await.unwrap().len(), 1);

    let mut transaction = company.begin().await;
    transaction
        .finish_run(&report(company.run.id, company.id()))
        .await
        .unwrap();
    let next = transaction
        .begin_run(company.id(), Trigger::Push, LEASE)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_ne!(next.id, company.run.id);
}

async fn a_lease_that_ran_out_is_taken_over(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let first = company.run.id;
    let mut transaction = company.begin().await;
    transaction
        .extend_lease(first, Duration::from_millis(1))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;

    // Nobody took it yet: the first run may go on.
    let mut transaction = company.begin().await;
    transaction
        .extend_lease(first, Duration::from_millis(1))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;

    let mut transaction = company.begin().await;
    let second = transaction
        .begin_run(company.id(), Trigger::Manual, LEASE)
        .await
        .unwrap()
        .id;
    transaction.commit().await.unwrap();

    let mut transaction = company.begin().await;
    let lost = transaction.extend_lease(first, LEASE).await.unwrap_err();
    assert_eq!(lost.code(), "run.lease_lost");
    let lost = transaction
        .finish_run(&report(first, company.id()))
        .await
        .unwrap_err();
    assert_eq!(lost.code(), "run.lease_lost");
    transaction.extend_lease(second, LEASE).await.unwrap();
    transaction
        .finish_run(&report(second, company.id()))
        .await
        .unwrap();
    transaction.commit().await.unwrap();

    // It was taken over: nobody need look after it, for good.
    let runs = company.read().await.runs_at_work().await.unwrap();
    assert_eq!(runs, RunsAtWork::default());
    let first = company.read().await.run(first).await.unwrap().unwrap();
    assert_eq!((first.finished_at, first.report), (None, None));
}

/// Of a process that lives nothing is taken; of one that ended everything, at once.
async fn a_run_whose_process_is_gone_is_taken_over_at_once(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let people = company.people(0..1).await;
    company.snapshot(vec![crate::company::record(7)]).await;
    let (plan, _) = company.plan(vec![crate::company::creation(7)]).await;
    let mut transaction = company.begin().await;
    let target = OutboxTarget {
        connection: company.id(),
        external_id: crate::company::external_id(0),
        field: muster_model::Field::Phone,
    };
    let message = OutboxMessage::about(people[0], "source.update", serde_json::Value::Null);
    transaction.enqueue(&[message.to(target)]).await.unwrap();
    transaction
        .finish_run(&report(company.run.id, company.id()))
        .await
        .unwrap();
    transaction.commit().await.unwrap();

    let other = bench.open_again(crate::bench::KEY).await.unwrap();
    let mut transaction = other.begin(company.organisation.id).await.unwrap();
    let dead = transaction
        .begin_run(company.id(), Trigger::Schedule, LEASE)
        .await
        .unwrap()
        .id;
    transaction.set_step(dead, RunStep::Outbox).await.unwrap();
    let claimed = transaction
        .claim_outbox(company.id(), dead, jiff::Timestamp::MAX, 10, LEASE)
        .await
        .unwrap();
    assert_eq!(claimed.len(), 1);
    transaction.commit().await.unwrap();

    let begin = async || {
        let mut transaction = company.begin().await;
        let begun = transaction
            .begin_run(company.id(), Trigger::Manual, LEASE)
            .await;
        if begun.is_ok() {
            transaction.commit().await.unwrap();
        }
        begun
    };
    match begin().await {
        Err(StorageError::RunInProgress { run, .. }) => assert_eq!(run, dead),
        other => panic!("{other:?}"),
    }

    // The process ends without giving anything back.
    other.close().await;
    drop(other);
    // A server takes some milliseconds to see that a session has ended; a lease would
    // take minutes.
    let mut tries = 0;
    loop {
        let runs = company.read().await.runs_at_work().await.unwrap();
        if (runs.at_work, runs.left) == (0, 1) {
            break;
        }
        assert!(tries < 200, "the dead are told at once: {runs:?}");
        tries += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut tries = 0;
    let next = loop {
        match begin().await {
            Err(StorageError::RunInProgress { .. }) if tries < 200 => tries += 1,
            begun => break begun.unwrap(),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let mut reader = company.read().await;
    let dead = reader.run(dead).await.unwrap().unwrap();
    assert_eq!((dead.finished_at, dead.step), (None, Some(RunStep::Outbox)));
    assert!(dead.interrupted_at.is_some());
    // What it was sending is free, and nobody's plan but its own is closed.
    let mut transaction = company.begin().await;
    let claimed = transaction
        .claim_outbox(company.id(), next.id, jiff::Timestamp::MAX, 10, LEASE)
        .await
        .unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].attempts, 2);
    let states = transaction.change_states(plan).await.unwrap();
    assert!(!states.contains_key(&ChangeState::Stale), "{states:?}");
}

async fn runs_are_listed_newest_first_with_their_reports(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let written = report(company.run.id, company.id());
    bench.clock.set("2025-06-02T11:00:00Z");
    let mut transaction = company.begin().await;
    transaction.finish_run(&written).await.unwrap();
    let second = transaction
        .begin_run(company.id(), Trigger::Schedule, LEASE)
        .await
        .unwrap();
    transaction.commit().await.unwrap();

    let mut reader = company.read().await;
    let runs = reader.runs(10).await.unwrap();
    assert_eq!(runs[0], second);
    assert_eq!(runs[1].report.as_ref(), Some(&written));
    assert_eq!(runs[1].finished_at, Some(written.finished));
    assert_eq!(reader.runs(1).await.unwrap(), [second]);
    assert_eq!(
        reader.run(company.run.id).await.unwrap().as_ref(),
        runs.get(1)
    );
    let nobody = RunId::from_uuid(uuid::Uuid::nil());
    assert_eq!(reader.run(nobody).await.unwrap(), None);
}
