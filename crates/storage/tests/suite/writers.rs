use muster_model::Access;
use muster_model::report::Trigger;

use crate::bench::{Bench, KEY};
use crate::company::{Company, LEASE, report, to_write};

on_both_engines!(
    of_two_writers_the_second_finds_its_version_stale,
    two_processes_write_side_by_side,
    a_transaction_that_is_dropped_wrote_nothing,
);

async fn of_two_writers_the_second_finds_its_version_stale(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let ids = company.people([1].into_iter()).await;
    let read = company.read().await.people(&ids).await.unwrap().remove(0);
    let write = |access: Access| {
        let mut person = read.clone();
        person.access = access;
        [to_write(person, &company.key)]
    };
    let mut first = company.begin().await;
    assert!(
        first
            .write_people(&write(Access::Active))
            .await
            .unwrap()
            .is_empty()
    );
    // On SQLite the second waits to begin, on PostgreSQL to write.
    let (storage, organisation) = (bench.storage.clone(), company.organisation.id);
    let late = write(Access::Ended);
    let second = tokio::spawn(async move {
        let mut second = storage.begin(organisation).await.unwrap();
        let stale = second.write_people(&late).await.unwrap();
        second.commit().await.unwrap();
        stale
    });
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), ids);
    let read = company.read().await.people(&ids).await.unwrap().remove(0);
    assert_eq!((read.access, read.version), (Access::Active, 2));
}

async fn two_processes_write_side_by_side(bench: Bench) {
    const RUNS: usize = 10;
    let company = Company::found(&bench, "Nordlys").await;
    let mut transaction = company.begin().await;
    transaction
        .finish_run(&report(company.run.id, company.id()))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let mut tasks = Vec::new();
    for _ in 0..2 {
        let storage = bench.open_again(KEY).await.unwrap();
        let (organisation, connection) = (company.organisation.id, company.id());
        tasks.push(tokio::spawn(async move {
            let mut done = 0;
            while done < RUNS {
                let mut transaction = storage.begin(organisation).await.unwrap();
                match transaction
                    .begin_run(connection, Trigger::Manual, LEASE)
                    .await
                {
                    Ok(run) => {
                        transaction.commit().await.unwrap();
                        let mut transaction = storage.begin(organisation).await.unwrap();
                        let report = report(run.id, connection);
                        transaction.finish_run(&report).await.unwrap();
                        transaction.commit().await.unwrap();
                        done += 1;
                    }
                    // The other one holds it, or gave it back this very moment.
                    Err(error) => {
                        assert!(matches!(error.code(), "run.in_progress" | "storage.busy"));
                        drop(transaction);
                        tokio::task::yield_now().await;
                    }
                }
            }
            storage.close().await;
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let runs = company.read().await.runs(100).await.unwrap();
    assert_eq!(runs.len(), 2 * RUNS + 1);
    assert!(runs.iter().all(|run| run.report.is_some()));
}

async fn a_transaction_that_is_dropped_wrote_nothing(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let ids = company.people([1].into_iter()).await;
    let mut transaction = company.begin().await;
    transaction.erase_people(&ids).await.unwrap();
    assert!(transaction.people(&ids).await.unwrap().is_empty());
    drop(transaction);
    assert_eq!(company.read().await.people(&ids).await.unwrap().len(), 1);
    // And the next writer finds the door open.
    company.begin().await.commit().await.unwrap();
}
