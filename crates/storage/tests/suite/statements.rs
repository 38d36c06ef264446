//! What the statements themselves promise.

use std::fs;
use std::path::Path;

/// The statements that are bound to no organisation, and nothing else is.
#[test]
fn only_the_front_door_is_bound_to_no_organisation() {
    let mut at_the_door = Vec::new();
    let mut bound = 0;
    for (file, source) in sources("src/statements") {
        for text in literals(&source) {
            let is_statement = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM "]
                .iter()
                .any(|word| text.contains(word));
            if !is_statement {
                continue;
            }
            if file == "front_door.rs" {
                at_the_door.push(text);
                continue;
            }
            let is_bound = text.contains("organisation_id = $1")
                || text.ends_with("organisation_id = ")
                || text.starts_with("INSERT INTO ") && text.contains("(organisation_id, ");
            assert!(is_bound, "{file}: {text}");
            bound += 1;
        }
    }
    assert!(bound > 50, "only {bound} statements were found");
    let columns = "id, name, region, time_zone, wrapped_key, wrapped_index_key, created_at";
    let known = [
        format!(
            "INSERT INTO organisations ({columns}) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (name) DO NOTHING"
        ),
        format!("SELECT {columns} FROM organisations WHERE name = $1"),
        format!("SELECT {columns} FROM organisations WHERE id = $1"),
        format!("SELECT {columns} FROM organisations ORDER BY name"),
        // The master key, and what is known of the installation.
        "SELECT count(*) FROM organisations".to_owned(),
        "UPDATE organisations SET wrapped_key = $2 WHERE id = $1".to_owned(),
        // Ids, for a restore.
        "SELECT organisation_id, person_id, erased_at FROM erased_people \
         ORDER BY organisation_id, person_id"
            .to_owned(),
        "SELECT organisation_id, connection_id, digest, erased_at FROM erased_records \
         ORDER BY organisation_id, connection_id, digest"
            .to_owned(),
        "UPDATE installation SET key_version = key_version WHERE id = 1".to_owned(),
        "UPDATE installation SET key_version = key_version + 1, key_rotated_at = $1 WHERE id = 1"
            .to_owned(),
        "UPDATE installation SET restored_at = $1, restored_from = $2, confirmed_at = NULL \
         WHERE id = 1"
            .to_owned(),
        "UPDATE installation SET confirmed_at = $1 WHERE id = 1 AND restored_at IS NOT NULL \
         AND confirmed_at IS NULL"
            .to_owned(),
        "SELECT key_version, key_rotated_at, restored_at, restored_from, confirmed_at \
         FROM installation WHERE id = 1"
            .to_owned(),
        // Accounts by their address, links and tokens by their digest.
        "INSERT INTO accounts (id, address, created_at) VALUES ($1, $2, $3) \
         ON CONFLICT (address) DO NOTHING"
            .to_owned(),
        "SELECT id, CAST(CASE WHEN password_hash IS NULL THEN 0 ELSE 1 END AS BIGINT) \
         FROM accounts WHERE address = $1"
            .to_owned(),
        "DELETE FROM account_links WHERE account_id = $1 AND used_at IS NULL".to_owned(),
        "INSERT INTO account_links (digest, account_id, created_at, expires_at) \
         VALUES ($1, $2, $3, $4)"
            .to_owned(),
        "SELECT account_id FROM account_links WHERE digest = $1 AND used_at IS NULL \
         AND expires_at > $2"
            .to_owned(),
        "SELECT organisation_id, id, scopes, connection_id FROM tokens WHERE digest = $1 \
         AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)"
            .to_owned(),
    ];
    assert_eq!(at_the_door, known);
}

/// What belongs to the installation and not to an organisation.
const OF_THE_INSTALLATION: [&str; 4] =
    ["organisations", "installation", "accounts", "account_links"];

/// Every primary key begins with the organisation.
#[test]
fn every_primary_key_begins_with_the_organisation() {
    for engine in ["sqlite", "postgres"] {
        let mut keys = 0;
        for (file, source) in sources(&format!("migrations/{engine}")) {
            for table in source.split("CREATE TABLE ").skip(1) {
                let name = table.split_whitespace().next().unwrap();
                let key = table.split("PRIMARY KEY").nth(1).unwrap();
                let key = key.split([';', ')']).next().unwrap();
                assert!(
                    key.trim_start().starts_with("(organisation_id")
                        || OF_THE_INSTALLATION.contains(&name),
                    "{engine}/{file}: {name} has the key {key}"
                );
                keys += 1;
            }
        }
        assert!(keys > 10);
    }
}

/// A function that no test tries across organisations is not written.
#[test]
fn every_repository_function_is_tried_across_organisations() {
    let tried = include_str!("crossing.rs");
    let mut functions = 0;
    for file in ["reader.rs", "transaction.rs"] {
        let source = fs::read_to_string(crate_path("src").join(file)).unwrap();
        for line in source
            .lines()
            .filter_map(|line| line.trim().strip_prefix("pub async fn "))
        {
            let name = line.split('(').next().unwrap();
            if name == "commit" {
                continue;
            }
            assert!(tried.contains(&format!(".{name}(")), "{name} is not tried");
            functions += 1;
        }
    }
    assert!(functions > 40);
}

fn crate_path(inside: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(inside)
}

fn sources(directory: &str) -> Vec<(String, String)> {
    let mut sources: Vec<_> = fs::read_dir(crate_path(directory))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    sources.sort();
    assert!(!sources.is_empty());
    sources
}

/// The string literals of a source, with continued lines joined.
fn literals(source: &str) -> Vec<String> {
    source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
        .split('"')
        .skip(1)
        .step_by(2)
        .map(|text| {
            text.split("\\\n")
                .map(str::trim_start)
                .collect::<Vec<_>>()
                .concat()
        })
        .collect()
}
