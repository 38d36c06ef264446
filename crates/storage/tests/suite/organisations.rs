use muster_storage::StorageError;
use uuid::Uuid;

use crate::bench::Bench;

on_both_engines!(
    an_organisation_is_made_once,
    the_wrong_master_key_opens_nothing,
    opening_again_migrates_nothing
);

async fn an_organisation_is_made_once(bench: Bench) {
    let made = bench.organisation("Nordlys").await;
    let again = muster_storage::NewOrganisation {
        name: "Nordlys".to_owned(),
        region: "SE".to_owned(),
        time_zone: "Europe/Stockholm".to_owned(),
    };
    let error = bench.storage.create_organisation(again).await.unwrap_err();
    assert_eq!(error.code(), "organisation.exists");
    bench.organisation("Aurora").await;

    let found = bench
        .storage
        .organisation_by_name("Nordlys")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.id, found.region.as_str()), (made.id, "NO"));
    assert_eq!(found.created_at, "2025-06-02T08:00:00Z".parse().unwrap());
    assert_eq!(
        found.digest_key().digest("x", "y"),
        made.digest_key().digest("x", "y")
    );
    assert!(
        bench
            .storage
            .organisation_by_name("nordlys")
            .await
            .unwrap()
            .is_none()
    );

    let all = bench.storage.organisations().await.unwrap();
    let names: Vec<&str> = all
        .iter()
        .map(|organisation| organisation.name.as_str())
        .collect();
    assert_eq!(names, ["Aurora", "Nordlys"]);
    // Each has digests of its own.
    assert_ne!(
        all[0].digest_key().digest("x", "y"),
        all[1].digest_key().digest("x", "y")
    );

    let nobody = muster_model::OrganisationId::from_uuid(Uuid::nil());
    assert_eq!(
        bench.storage.begin(nobody).await.err().unwrap().code(),
        "organisation.unknown"
    );
    assert_eq!(
        bench.storage.read(nobody).await.err().unwrap().code(),
        "organisation.unknown"
    );
}

async fn the_wrong_master_key_opens_nothing(bench: Bench) {
    let organisation = bench.organisation("Nordlys").await;
    let storage = bench.open_again(&"00".repeat(32)).await.unwrap();
    for error in [
        storage.organisations().await.err(),
        storage.read(organisation.id).await.err(),
        storage.begin(organisation.id).await.err(),
    ] {
        assert!(
            matches!(error, Some(StorageError::WrongMasterKey { .. })),
            "{error:?}"
        );
    }
    storage.close().await;
}

async fn opening_again_migrates_nothing(bench: Bench) {
    let organisation = bench.organisation("Nordlys").await;
    let versions = "SELECT version FROM _sqlx_migrations ORDER BY version";
    let before = bench.raw_numbers(versions).await;
    assert_eq!(before[0], 1);
    let storage = bench.open_again(crate::bench::KEY).await.unwrap();
    assert_eq!(
        storage.organisations().await.unwrap()[0].id,
        organisation.id
    );
    storage.close().await;
    assert_eq!(bench.raw_numbers(versions).await, before);
    let files = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    assert_eq!(before.len(), std::fs::read_dir(files).unwrap().count());
}
