//! `docs/connectors/` is what the manifests say: a page for each connector, and
//! the schema of a manifest. And a folder of the operator adds connectors.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what supports a test may panic, like the test"
)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn muster(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(arguments)
        .env_remove("MUSTER_CONNECTORS")
        .env_remove("MUSTER_DATA")
        .env_remove("MUSTER_DATABASE")
        .output()
        .unwrap()
}

fn data(arguments: &[&str]) -> String {
    let output = muster(arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn same(file: &str, text: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/connectors");
    let path = Path::new(folder).join(file);
    if std::env::var_os("MUSTER_UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == text,
        "docs/connectors/{file} is stale: run MUSTER_UPDATE_DOCS=1 cargo test -p muster-cli --test catalogue"
    );
}

#[test]
fn the_pages_are_what_the_manifests_say() {
    let catalogue: Value =
        serde_json::from_str(&data(&["connectors", "--format", "json"])).unwrap();
    let mut list = String::from(
        "# Connectors\n\nWritten from the manifests in `connectors/`; a test holds the two together. \
         How to write one: [writing-a-connector.md](writing-a-connector.md).\n\n\
         | Connector | What it is | Confidence |\n|---|---|---|\n",
    );
    for info in catalogue.as_array().unwrap() {
        let text = |name: &str| info[name].as_str().unwrap().to_owned();
        let name = text("name");
        list.push_str(&format!(
            "| [{}]({name}.md) | {} | {} |\n",
            text("title"),
            text("summary"),
            text("confidence")
        ));
        same(
            &format!("{name}.md"),
            &data(&["connectors", "show", &name, "--format", "markdown"]),
        );
    }
    same("README.md", &list);
}

#[test]
fn the_schema_is_made_from_the_types() {
    let schema = data(&["connectors", "schema"]);
    same("manifest.schema.json", &schema);
    let schema: Value = serde_json::from_str(&schema).unwrap();
    for section in [
        "authentication",
        "people",
        "joins",
        "by_id",
        "fields",
        "rate",
        "errors",
    ] {
        assert!(schema["properties"].get(section).is_some(), "{section}");
    }
}

const MANIFEST: &str = r#"name = "nordlys-hr"
title = "Nordlys HR"
summary = "An HR system that does not exist."
version = 1
confidence = "unverified"
account = "the company"
record_id_survives_rehire = true
read_by_id = "no"
dates = "civil dates"
administrator = ["Make a key."]
evidence = { level = "ended", end = "a short page" }
leaver = { shows = "absent", how = "the record is missing" }
base_urls = [{ title = "Production", url = "https://hr.nordlys.example/v1" }]
company = { id = "{host}" }
authentication = [{ bearer = { token = "{secret.key}" } }]
secrets = [{ name = "key", meaning = "The key.", required = true }]
people = [{ request = { path = "/people" }, rows = "/data", id = "/id", paging = { none = {} } }]
fields.given_name = "/first"
"#;

#[test]
fn a_folder_of_the_operator_adds_connectors_and_a_bad_one_is_told_with_its_place() {
    let folder = tempfile::TempDir::new().unwrap();
    let own = folder.path().join("nordlys-hr");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("manifest.toml"), MANIFEST).unwrap();
    let path = folder.path().to_str().unwrap();
    let list = data(&["--connectors", path, "connectors"]);
    assert!(
        list.contains("nordlys-hr") && list.contains("tripletex"),
        "{list}"
    );
    assert!(!data(&["connectors"]).contains("nordlys-hr"));

    std::fs::write(
        own.join("manifest.toml"),
        MANIFEST.replace("\"/first\"", "\"first\""),
    )
    .unwrap();
    let refused = muster(&["--connectors", path, "connectors"]);
    assert!(!refused.status.success());
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(words.contains("manifest.toml:18:21"), "{words}");
    let file = own.join("manifest.toml");
    let checked = muster(&[
        "connectors",
        "check",
        file.to_str().unwrap(),
        "--format",
        "json",
    ]);
    let problems: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(problems[0]["code"], "manifest.pointer");
    assert_eq!(
        (&problems[0]["line"], &problems[0]["column"]),
        (&18.into(), &21.into())
    );
}
