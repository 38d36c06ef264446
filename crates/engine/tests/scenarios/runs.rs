//! Runs: one at a time, and what becomes of a connection whose source fails.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use muster_engine::EngineError;
use muster_engine::connections::Wish;
use muster_engine::read::Watch;
use muster_model::report::{Outcome, Trigger};
use muster_storage::{ConnectionState, Run};
use secrecy::SecretString;

use crate::world::{Setting, TRIPLETEX, World, rehearsal, simulator};

async fn world() -> World {
    World::new(Setting::rehearsed(&rehearsal(9, 1), 0)).await
}

/// Takes the connection for a run that somebody else has begun.
async fn begun_elsewhere(world: &World, lease: Duration) -> Run {
    let connection = world.connection().await.id;
    let storage = world.engine.storage();
    let mut transaction = storage.begin(world.organisation.id).await.unwrap();
    let run = transaction
        .begin_run(connection, Trigger::Schedule, lease)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    run
}

async fn refusal(world: &World) -> EngineError {
    world
        .engine
        .sync(&world.organisation, TRIPLETEX, Trigger::Manual, None)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_second_run_at_once_is_refused_and_leaves_nothing() {
    let world = world().await;
    let first = begun_elsewhere(&world, Duration::from_secs(300)).await;
    let before = world.connection().await;

    let error = refusal(&world).await;
    assert_eq!(error.code(), "run.in_progress");
    assert!(error.to_string().contains(&first.id.to_string()));

    let runs = world.engine.runs(&world.organisation, 10).await.unwrap();
    assert_eq!(runs, [first]);
    assert_eq!(world.connection().await, before);
    assert!(world.people().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn of_two_runs_begun_together_one_does_the_work_and_one_is_refused() {
    let world = world().await;
    let sync = || {
        world
            .engine
            .sync(&world.organisation, TRIPLETEX, Trigger::Manual, None)
    };
    let (one, two) = tokio::join!(sync(), sync());
    let (done, refused) = match (one, two) {
        (Ok(done), Err(refused)) | (Err(refused), Ok(done)) => (done, refused),
        both => panic!("one must work and one be refused: {both:?}"),
    };
    assert_eq!(refused.code(), "run.in_progress");
    assert_eq!(done.report.outcome, Outcome::Ok);
    assert_eq!(
        world.people().await.len() as u64,
        done.report.counts.created
    );
    let runs = world.engine.runs(&world.organisation, 10).await.unwrap();
    assert_eq!(runs.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_run_whose_lease_ran_out_is_taken_over() {
    let world = world().await;
    let dead = begun_elsewhere(&world, Duration::ZERO).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(world.sync().await.report.outcome, Outcome::Ok);

    // Whoever comes back from the dead stores nothing any more.
    let storage = world.engine.storage();
    let mut transaction = storage.begin(world.organisation.id).await.unwrap();
    let error = transaction
        .extend_lease(dead.id, Duration::from_secs(1))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "run.lease_lost");
    drop(transaction);
    assert_eq!(world.sync().await.report.outcome, Outcome::Ok);
    world.end().await;
}

#[tokio::test]
async fn a_source_that_is_down_fails_the_run_and_touches_nobody() {
    let rehearsal = rehearsal(60, 1);
    let mut world = World::new(Setting::rehearsed(&rehearsal, 0)).await;
    world.sync_well().await;
    world.let_everybody_in().await;
    assert_eq!(world.connection().await.state, ConnectionState::Active);
    let before = world.directory().await;

    let setting = Setting::rehearsed(&rehearsal, 0);
    let healthy = simulator(&world.clock, setting.clone()).await;
    std::mem::replace(&mut world.sandbox, healthy).stop().await;
    let made = world.sync().await;
    assert_eq!(made.report.outcome, Outcome::Failed);
    assert!(made.planned.is_none());
    let error = made.report.error.unwrap();
    assert!(!error.code.is_empty() && error.message.starts_with(&error.code));
    let connection = world.connection().await;
    assert_eq!(connection.state, ConnectionState::Failing);
    assert_eq!(before.differences(&world.directory().await), [""; 0]);
    let runs = world.engine.runs(&world.organisation, 1).await.unwrap();
    assert_eq!(runs[0].report.as_ref().unwrap().outcome, Outcome::Failed);

    // The same company answers again, elsewhere.
    world.connect(world.wish()).await;
    assert_eq!(world.sync().await.report.outcome, Outcome::Ok);
    assert_eq!(world.connection().await.state, ConnectionState::Active);
    assert_eq!(before.differences(&world.directory().await), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn a_wrong_token_is_said_and_nothing_is_stored() {
    let world = World::unconnected(Setting::rehearsed(&rehearsal(9, 1), 0)).await;
    let wrong = || Wish {
        secrets: BTreeMap::from([
            ("consumer_token".to_owned(), SecretString::from("wrong-one")),
            ("employee_token".to_owned(), SecretString::from("wrong-two")),
        ]),
        ..world.wish()
    };
    let error = world
        .engine
        .connect(&world.organisation, wrong())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "tripletex.token_refused");
    assert!(!error.to_string().contains("wrong-"), "{error}");
    let missing = world
        .engine
        .connection(world.organisation.id, TRIPLETEX)
        .await
        .unwrap_err();
    assert_eq!(missing.code(), "connection.unknown");

    // A token that was right once and is not any more.
    world.connect(world.wish()).await;
    world.sync_well().await;
    let error = world
        .engine
        .connect(&world.organisation, wrong())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "tripletex.token_refused");
    assert_eq!(world.sync().await.report.outcome, Outcome::Ok);
    world.end().await;
}

#[tokio::test]
async fn another_company_is_not_connected_under_the_same_name() {
    let ours = rehearsal(9, 1);
    let world = World::new(Setting::rehearsed(&ours, 0)).await;
    world.sync_well().await;
    let before = world.directory().await;
    let setting = Setting {
        company: ours.other_company(),
        ..Setting::rehearsed(&ours, 0)
    };
    let stranger = simulator(&world.clock, setting).await;
    let wish = world.wish_for(&stranger, TRIPLETEX);
    let error = world
        .engine
        .connect(&world.organisation, wish)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "connection.other_account");
    assert_eq!(
        world.connection().await.base_url,
        Some(world.sandbox.base_url())
    );
    assert_eq!(world.sync().await.report.outcome, Outcome::Ok);
    assert_eq!(before.differences(&world.directory().await), [""; 0]);
    stranger.stop().await;
    world.end().await;
}

#[tokio::test]
async fn a_changed_address_asks_for_the_credentials_again() {
    let ours = rehearsal(9, 1);
    let world = World::new(Setting {
        record: true,
        ..Setting::rehearsed(&ours, 0)
    })
    .await;
    let moved = simulator(
        &world.clock,
        Setting {
            record: true,
            ..Setting::rehearsed(&ours, 0)
        },
    )
    .await;
    let without_secrets = Wish {
        secrets: BTreeMap::new(),
        ..world.wish_for(&moved, TRIPLETEX)
    };
    let error = world
        .engine
        .connect(&world.organisation, without_secrets)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "credentials.asked_again");
    assert!(
        moved.exchanges().is_empty(),
        "it was asked with the old secrets"
    );

    world.connect(world.wish_for(&moved, TRIPLETEX)).await;
    assert_eq!(world.sync().await.report.outcome, Outcome::Ok);
    assert!(!moved.exchanges().is_empty());
    // Without a new address the stored ones are good.
    let same = Wish {
        secrets: BTreeMap::new(),
        ..world.wish_for(&moved, TRIPLETEX)
    };
    world.connect(same).await;
    moved.stop().await;
    world.end().await;
}

#[tokio::test]
async fn a_paused_connection_reads_and_applies_nothing() {
    let world = World::new(Setting {
        record: true,
        ..Setting::rehearsed(&rehearsal(9, 1), 0)
    })
    .await;
    let plan = world.plan().await.planned.unwrap().id.to_string();
    let mut connection = world.connection().await;
    connection.state = ConnectionState::Paused;
    world.set_connection(&connection).await;
    let asked = world.sandbox.exchanges().len();

    assert_eq!(refusal(&world).await.code(), "connection.not_running");
    let error = world
        .engine
        .apply(&world.organisation, &plan, None, Default::default())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "connection.not_running");
    assert_eq!(world.sandbox.exchanges().len(), asked);
    assert!(world.people().await.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_during_a_run_outlives_the_run() {
    let world = World::new(Setting::rehearsed(&rehearsal(9, 1), 0)).await;
    let (engine, organisation) = (world.engine.clone(), world.organisation.clone());
    let pause = async move || {
        let mut connection = engine.connection(organisation.id, TRIPLETEX).await.unwrap();
        connection.state = ConnectionState::Paused;
        let mut transaction = engine.storage().begin(organisation.id).await.unwrap();
        transaction
            .update_connection(&connection, None)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    };
    // The watch is told after each page: the run is at work then.
    let watch: Watch = Arc::new(move |_| {
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(pause()));
    });
    let made = world
        .engine
        .plan(&world.organisation, TRIPLETEX, Trigger::Manual, Some(watch))
        .await
        .unwrap();
    assert_eq!(made.report.error, None);
    assert_eq!(world.connection().await.state, ConnectionState::Paused);
    assert_eq!(refusal(&world).await.code(), "connection.not_running");
    world.end().await;
}
