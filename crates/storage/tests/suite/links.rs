use std::collections::BTreeMap;

use muster_model::link::Choice;
use muster_model::{Base, Decision, Field, PersonId, Said, Value};

use crate::bench::Bench;
use crate::company::{Company, external_id, link, new_connection, record};

on_both_engines!(
    a_link_reads_back_with_its_memory,
    a_stale_link_is_refused_alone,
    links_are_found_by_people_and_deleted,
);

async fn a_link_reads_back_with_its_memory(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let ids = company.people([1].into_iter()).await;
    let mut written = link(&record(1), ids[0]);
    written.version = 1;
    written.base = BTreeMap::from([
        (
            Field::Phone,
            Base {
                theirs: Said::Null,
                ours: Said::Absent,
            },
        ),
        (
            Field::JobTitle,
            Base {
                theirs: Said::Absent,
                ours: Said::Absent,
            },
        ),
        (
            Field::NationalId,
            Base {
                theirs: Said::Value(crate::company::sealed("1 2")),
                ours: Said::Value(crate::company::sealed("12")),
            },
        ),
    ]);
    written.decisions = BTreeMap::from([(
        Field::GivenName,
        Decision {
            pair: company.key.digest("pair", "x"),
            choice: Choice::Declined,
        },
    )]);
    written.revision = None;
    written.gone_since = Some("2025-06-01T12:00:00.5Z".parse().unwrap());
    let mut transaction = company.begin().await;
    assert!(
        transaction
            .write_links(company.id(), &[written.clone()])
            .await
            .unwrap()
            .is_empty()
    );
    transaction.commit().await.unwrap();
    written.version = 2;
    let read = company
        .read()
        .await
        .links(company.id(), &[external_id(1)])
        .await
        .unwrap();
    assert_eq!(read, [written]);
}

async fn a_stale_link_is_refused_alone(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let ids = company.people(0..2).await;
    let mut again = link(&record(0), ids[1]);
    let mut right = link(&record(1), ids[1]);
    right.version = 1;
    right.said.put(Field::JobTitle, Value::text("Fitter"));
    let mut transaction = company.begin().await;
    let given = [again.clone(), right.clone()];
    let stale = transaction.write_links(company.id(), &given).await.unwrap();
    assert_eq!(stale, [external_id(0)]);
    again.version = 7;
    assert_eq!(
        transaction
            .write_links(company.id(), &[again])
            .await
            .unwrap(),
        [external_id(0)]
    );
    transaction.commit().await.unwrap();
    let people = company
        .read()
        .await
        .people_of_records(
            company.id(),
            &[external_id(0), external_id(1), external_id(2)],
        )
        .await
        .unwrap();
    assert_eq!(
        people,
        BTreeMap::from([(external_id(0), ids[0]), (external_id(1), ids[1])])
    );

    let nobody = link(&record(3), PersonId::new(bench.ids()));
    let mut transaction = company.begin().await;
    let error = transaction
        .write_links(company.id(), &[nobody])
        .await
        .unwrap_err();
    assert_eq!(error.code(), "person.unknown");
}

async fn links_are_found_by_people_and_deleted(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let ids = company.people(0..3).await;
    let mut transaction = company.begin().await;
    let other = transaction
        .insert_connection(new_connection("other"), None)
        .await
        .unwrap();
    transaction
        .write_links(other.id, &[link(&record(7), ids[0])])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let mut found = company
        .read()
        .await
        .links_of_people(&ids[..2])
        .await
        .unwrap();
    found.sort_by(|(_, one), (_, two)| one.external_id.cmp(&two.external_id));
    let found: Vec<_> = found
        .into_iter()
        .map(|(of, link)| (of, link.external_id))
        .collect();
    assert_eq!(
        found,
        [
            (company.id(), external_id(0)),
            (company.id(), external_id(1)),
            (other.id, external_id(7)),
        ]
    );
    let mut transaction = company.begin().await;
    let asked = [external_id(0), external_id(7)];
    assert_eq!(
        transaction
            .delete_links(company.id(), &asked)
            .await
            .unwrap(),
        1
    );
    transaction.commit().await.unwrap();
    let left = company
        .read()
        .await
        .links_of_people(&ids[..1])
        .await
        .unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].0, other.id);
}
