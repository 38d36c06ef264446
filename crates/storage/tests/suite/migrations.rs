//! Every migration of the folder is known to the program, on both engines.

use std::fs;
use std::path::Path;

use muster_storage::Location;

use crate::bench::Bench;

on_both_engines!(every_migration_of_the_folder_is_applied);

async fn every_migration_of_the_folder_is_applied(bench: Bench) {
    let engine = match bench.location {
        Location::Directory(_) => "sqlite",
        Location::Url(_) => "postgres",
    };
    let names = |engine: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("migrations")
            .join(engine);
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
    let numbers: Vec<i64> = names(engine)
        .iter()
        .map(|name| name.split('_').next().unwrap().parse().unwrap())
        .collect();
    let health = bench.storage.health().await.unwrap();
    assert_eq!(health.known, numbers);
    assert_eq!(*health.schema.as_ref().unwrap(), numbers);
}
