use muster_model::{Answer, Field, Matter, RecordDecision, Value};
use muster_storage::{ChangeState, Location, OutboxMessage, OutboxState};

use crate::bench::Bench;
use crate::company::{Company, creation, external_id, record, to_write};

on_both_engines!(
    erasing_leaves_nothing_that_could_be_read,
    erased_bytes_are_gone_from_the_files,
    an_erased_person_s_record_is_stored_again_only_when_readmitted,
);

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

/// Pages are split, merged and written again and again before and between, so that
/// what was moved would be found where it was as well.
async fn erased_bytes_are_gone_from_the_files(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let people = company.people(0..1_500).await;
    let canary = |number: usize| format!("kanari-{number:05}-xyzzy");
    for round in 0..4 {
        let mut known = company.read().await.people(&people).await.unwrap();
        known.sort_by_key(|person| person.id);
        let changed: Vec<_> = known
            .into_iter()
            .enumerate()
            .map(|(number, mut person)| {
                // Longer and shorter in turns.
                let padding = "å".repeat((number * 7 + round * 31) % 90);
                let text = format!("{}{padding}", canary(number));
                for field in [Field::FamilyName, Field::WorkEmail, Field::JobTitle] {
                    person.fields.put(field, Value::text(text.as_str()));
                }
                person
            })
            .map(|person| to_write(person, &company.key))
            .collect();
        let mut transaction = company.begin().await;
        assert!(transaction.write_people(&changed).await.unwrap().is_empty());
        transaction.commit().await.unwrap();
    }
    let mut sorted = people.clone();
    sorted.sort();
    let gone: Vec<usize> = (0..1_500).filter(|number| number % 13 < 3).collect();
    assert!(holds(&bench, &canary(gone[5])).await, "the search works");
    for some in gone.chunks(50) {
        let ids: Vec<_> = some.iter().map(|number| sorted[*number]).collect();
        let mut transaction = company.begin().await;
        assert_eq!(
            transaction.erase_people(&ids).await.unwrap(),
            ids.len() as u64
        );
        transaction.commit().await.unwrap();
    }
    assert!(bench.storage.scrub().await.unwrap());
    for number in gone.iter().step_by(9) {
        assert!(!holds(&bench, &canary(*number)).await, "number {number}");
    }
    assert!(
        holds(&bench, &canary(3)).await,
        "who was not erased is there"
    );
}

async fn an_erased_person_s_record_is_stored_again_only_when_readmitted(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    company.snapshot((0..3).map(record).collect()).await;
    let people = company.people(0..3).await;
    let mut transaction = company.begin().await;
    transaction.erase_people(&people[..1]).await.unwrap();
    transaction.commit().await.unwrap();
    assert!(
        company
            .read()
            .await
            .erased_at(people[0])
            .await
            .unwrap()
            .is_some()
    );
    let (_, stored) = company.snapshot((0..3).map(record).collect()).await;
    assert_eq!(stored.erased, [external_id(0)]);
    assert_eq!((stored.new, stored.unchanged), (0, 2));
    // Another connection may have a record of the same id: it is another human.
    let stranger = Company::found(&bench, "Aurora").await;
    let (_, stored) = stranger.snapshot((0..3).map(record).collect()).await;
    assert_eq!((stored.new, stored.erased.len()), (3, 0));
    // Nobody else may let it in.
    let mut transaction = stranger.begin().await;
    assert!(
        !transaction
            .readmit(company.id(), &external_id(0))
            .await
            .unwrap()
    );
    transaction.commit().await.unwrap();
    let mut transaction = company.begin().await;
    for was in [true, false] {
        assert_eq!(
            transaction
                .readmit(company.id(), &external_id(0))
                .await
                .unwrap(),
            was
        );
    }
    transaction.commit().await.unwrap();
    let (_, stored) = company.snapshot((0..3).map(record).collect()).await;
    assert_eq!((stored.new, stored.erased.len()), (1, 0));
}

/// Do these bytes stand in a file of the database?
async fn holds(bench: &Bench, text: &str) -> bool {
    match &bench.location {
        Location::Directory(path) => std::fs::read_dir(path).unwrap().any(|entry| {
            let path = entry.unwrap().path();
            // The locks of running processes stand in a folder of their own.
            if path.is_dir() {
                return false;
            }
            let bytes = std::fs::read(path).unwrap();
            bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        }),
        Location::Url(_) => {
            bench.raw_execute("CHECKPOINT").await;
            let found = bench
                .raw_numbers(&format!(
                    "SELECT count(*) FROM pg_class WHERE relpersistence = 'p' \
                     AND pg_relation_filepath(oid) LIKE 'base/%' AND relkind IN ('r', 'i', 't') \
                     AND position('{text}'::bytea IN \
                     pg_read_binary_file(pg_relation_filepath(oid))) > 0"
                ))
                .await;
            found[0] > 0
        }
    }
}
