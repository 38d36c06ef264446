//! Everything that was written somewhere, by the place.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::muster::{Database, Muster, Output};
use crate::search::{Canary, Search};

/// How many people the company has, and which it is.
pub(crate) const PEOPLE: &str = "60";
pub(crate) const SEED: &str = "11";

/// Everything that was written somewhere, by the place.
#[derive(Default)]
pub(crate) struct Places(pub(crate) BTreeMap<String, Vec<u8>>);

impl Places {
    pub(crate) fn put(&mut self, place: impl Into<String>, bytes: impl AsRef<[u8]>) {
        let kept = self.0.entry(place.into()).or_default();
        kept.extend_from_slice(bytes.as_ref());
        kept.push(b'\n');
    }

    pub(crate) fn output(&mut self, command: &str, output: &Output) {
        self.put(format!("standard output of {command}"), &output.data);
        self.put(format!("standard error of {command}"), &output.words);
    }

    /// In which places something of this is found, and what.
    pub(crate) fn with(&self, search: &Search, place: impl Fn(&str) -> bool) -> Vec<String> {
        self.0
            .iter()
            .filter(|(name, _)| place(name))
            .filter_map(|(name, bytes)| Some(format!("{} in {name}", search.find(bytes)?)))
            .collect()
    }
}

/// What the rehearsal wrote of its people on day 0, and who left later.
pub(crate) struct Books {
    pub(crate) people: Vec<Value>,
    pub(crate) left: Vec<(u64, String)>,
}

impl Books {
    pub(crate) fn read(muster: &Muster) -> Self {
        let folder = muster.path("rehearsed");
        muster.done(&[
            "rehearse", "--people", PEOPLE, "--seed", SEED, "--out", &folder,
        ]);
        let lines = |name: &str| -> Vec<Value> {
            std::fs::read_to_string(format!("{folder}/{name}"))
                .unwrap()
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect()
        };
        let left = lines("changes.ndjson")
            .iter()
            .filter(|change| change["kind"] == "left")
            .map(|change| {
                let id = change["external_id"].as_str().unwrap().to_owned();
                (change["day"].as_u64().unwrap(), id)
            })
            .collect();
        Self {
            people: lines("people.ndjson"),
            left,
        }
    }

    /// Values of these fields, of everybody.
    pub(crate) fn canaries(&self, fields: &[&str]) -> Vec<Canary> {
        let mut canaries = Vec::new();
        for person in &self.people {
            let id = person["external_id"].as_str().unwrap();
            for field in fields {
                let value = person[*field].as_str().unwrap_or_default();
                // What is written for somebody without one is nobody's.
                if value.len() >= 9 && !value.ends_with("0000000") {
                    canaries.push(Canary::new(format!("{field} of {id}"), value));
                }
            }
        }
        assert!(canaries.len() > 40, "only {}", canaries.len());
        canaries
    }
}

/// The bytes of the database: of SQLite the files, of PostgreSQL the files of
/// every table, index and catalogue of this database.
pub(crate) fn database(muster: &Muster, into: &mut Places, when: &str) {
    for (name, bytes) in muster.database_files() {
        into.put(format!("{name} {when}"), bytes);
    }
}

/// Every master key that was ever in use here.
pub(crate) fn stored_secrets(muster: &Muster) -> Vec<Canary> {
    let folder = muster.key_file().parent().unwrap().to_owned();
    let mut canaries = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        // The lock holds nothing.
        if !name.starts_with("muster.key") || name == "muster.key.lock" {
            continue;
        }
        let key = std::fs::read_to_string(entry.path()).unwrap();
        let key = key.trim().to_owned();
        let raw: Vec<u8> = (0..key.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&key[at..at + 2], 16).unwrap())
            .collect();
        // As bytes it is no text; its letters of base64 are.
        let base64 = {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD_NO_PAD.encode(raw)
        };
        canaries.push(Canary::new(format!("the key {name}"), key));
        canaries.push(Canary::new(format!("the key {name} in base64"), base64));
    }
    assert!(!canaries.is_empty());
    canaries
}

/// Another installation on an engine of the same kind, with the same master key.
pub(crate) fn elsewhere(muster: &Muster) -> Muster {
    let database = match muster.database() {
        Database::Sqlite => Database::Sqlite,
        Database::Postgres(_) => Database::postgres().unwrap(),
    };
    let other = Muster::new(database);
    std::fs::create_dir_all(other.key_file().parent().unwrap()).unwrap();
    std::fs::copy(muster.key_file(), other.key_file()).unwrap();
    other
}
