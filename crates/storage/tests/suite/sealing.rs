use muster_model::{Field, Value};
use muster_storage::{Location, OutboxMessage};

use crate::bench::Bench;
use crate::company::{Company, creation, credentials, link, person, record, sealed, to_write};

on_both_engines!(
    what_is_sealed_stands_nowhere_in_the_clear,
    a_body_moved_to_another_record_does_not_open
);

const CANARY: &str = "KanariEttToTre";
const CLEAR: &str = "TydeligNavn";

async fn what_is_sealed_stands_nowhere_in_the_clear(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    // In a directory row a name is clear and the national id is not.
    let mut said = record(1);
    for field in [Field::GivenName, Field::WorkEmail, Field::EmployeeNumber] {
        said.fields.put(field, Value::text(CANARY));
    }
    said.fields.put(Field::BankAccount, sealed(CANARY));
    company.snapshot(vec![said.clone()]).await;
    let mut row = creation(1);
    row.effects = vec![muster_model::plan::Planned::free(
        muster_model::Effect::Create {
            fields: said.fields.clone(),
            access: muster_model::Access::None,
        },
    )];
    company.plan(vec![row]).await;
    let id = muster_model::PersonId::new(bench.ids());
    let mut somebody = person(id, 1);
    somebody.fields.put(Field::NationalId, sealed(CANARY));
    somebody.fields.put(Field::GivenName, Value::text(CLEAR));
    let mut transaction = company.begin().await;
    transaction
        .write_people(&[to_write(somebody, &company.key)])
        .await
        .unwrap();
    transaction
        .write_links(company.id(), &[link(&said, id)])
        .await
        .unwrap();
    let body = serde_json::json!({ "to": CANARY });
    let message = OutboxMessage::about(id, "mail", body);
    transaction.enqueue(&[message]).await.unwrap();
    transaction
        .update_connection(&company.connection, Some(&credentials(CANARY)))
        .await
        .unwrap();
    transaction.commit().await.unwrap();

    assert_eq!(places(&bench, CANARY).await, Vec::<String>::new());
    // What is clear is found in the same way, so the search works.
    assert!(!places(&bench, CLEAR).await.is_empty());
}

/// The files, or the tables, in which a text stands.
async fn places(bench: &Bench, text: &str) -> Vec<String> {
    match &bench.location {
        Location::Directory(path) => std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            // The locks of running processes stand in a folder of their own.
            .filter(|path| path.is_file())
            .filter(|path| {
                let bytes = std::fs::read(path).unwrap();
                bytes
                    .windows(text.len())
                    .any(|window| window == text.as_bytes())
            })
            .map(|path| path.display().to_string())
            .collect(),
        Location::Url(_) => {
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            let tables = bench
                .raw_bytes(
                    "SELECT convert_to(table_name::text, 'UTF8') FROM information_schema.tables \
                     WHERE table_schema = 'public'",
                )
                .await;
            let mut places = Vec::new();
            for table in tables {
                let table = String::from_utf8(table).unwrap();
                let sql = format!(
                    "SELECT count(*) FROM {table} AS t \
                     WHERE t::text LIKE '%{text}%' OR t::text LIKE '%{hex}%'"
                );
                if bench.raw_numbers(&sql).await != [0] {
                    places.push(table);
                }
            }
            places
        }
    }
}

async fn a_body_moved_to_another_record_does_not_open(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    company.snapshot((0..2).map(record).collect()).await;
    bench
        .raw_execute(
            "UPDATE record_bodies SET \
             body = (SELECT other.body FROM record_bodies AS other WHERE other.external_id = 'e-000000'), \
             wrapped_key = (SELECT other.wrapped_key FROM record_bodies AS other \
                 WHERE other.external_id = 'e-000000') \
             WHERE external_id = 'e-000001'",
        )
        .await;
    let mut reader = company.read().await;
    let moved = [crate::company::external_id(1)];
    let error = reader.records(company.id(), &moved).await.unwrap_err();
    assert_eq!(error.code(), "storage.unreadable");
    assert!(
        reader
            .records(company.id(), &[crate::company::external_id(0)])
            .await
            .is_ok()
    );
}
