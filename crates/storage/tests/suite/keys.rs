//! Rotating the master key.

use muster_storage::{MasterKey, NewOrganisation};

use crate::bench::{Bench, KEY};
use crate::company::{Company, record};

on_both_engines!(
    after_a_rotation_the_new_key_opens_everything_and_the_old_one_nothing,
    one_organisation_that_does_not_open_stops_the_rotation,
);

const NEW: &str = "11111111111111111111111111111111111111111111111111111111111111bb";

fn organisation(name: &str) -> NewOrganisation {
    NewOrganisation {
        name: name.to_owned(),
        region: "NO".to_owned(),
        time_zone: "Europe/Oslo".to_owned(),
    }
}

async fn after_a_rotation_the_new_key_opens_everything_and_the_old_one_nothing(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    company.snapshot((0..3).map(record).collect()).await;
    company.people(0..3).await;
    bench.organisation("Aurora").await;
    let people = company.read().await.people_page(None, 10).await.unwrap();
    let new = MasterKey::from_hex(NEW).unwrap();
    assert_eq!(bench.storage.rotate_key(&new).await.unwrap(), 2);

    let storage = bench.open_again(NEW).await.unwrap();
    let mut reader = storage.read(company.organisation.id).await.unwrap();
    assert_eq!(reader.people_page(None, 10).await.unwrap(), people);
    let credentials = reader.credentials(company.id()).await.unwrap().unwrap();
    assert_eq!(credentials.expose("token"), Some("hush"));
    drop(reader);
    let rotated = storage.installation().await.unwrap().key_rotated_at;
    assert_eq!(rotated, Some("2025-06-02T08:00:00Z".parse().unwrap()));

    // A process that was started before goes on with the old key: it opens nothing,
    // and above all makes nothing that the others could not open.
    assert_eq!(
        bench.storage.organisations().await.unwrap_err().code(),
        "key.wrong"
    );
    let error = bench
        .storage
        .create_organisation(organisation("Polaris"))
        .await;
    assert_eq!(error.unwrap_err().code(), "key.wrong");
    assert_eq!(
        bench.storage.rotate_key(&new).await.unwrap_err().code(),
        "key.wrong"
    );
    assert_eq!(storage.organisations().await.unwrap().len(), 2);
    storage.close().await;
    assert!(
        bench
            .open_again(KEY)
            .await
            .unwrap()
            .organisations()
            .await
            .is_err()
    );
}

async fn one_organisation_that_does_not_open_stops_the_rotation(bench: Bench) {
    bench.organisation("Aurora").await;
    bench.organisation("Nordlys").await;
    let spoil = "UPDATE organisations SET wrapped_key = wrapped_index_key WHERE name = 'Nordlys'";
    bench.raw_execute(spoil).await;
    let new = MasterKey::from_hex(NEW).unwrap();
    assert_eq!(
        bench.storage.rotate_key(&new).await.unwrap_err().code(),
        "key.wrong"
    );
    // The one before it was not changed.
    assert!(bench.storage.organisation_by_name("Aurora").await.is_ok());
}
