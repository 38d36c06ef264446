//! Secrets and sealed fields stand nowhere in the open: not in what the real
//! binary prints at trace level, not in the bytes of the database, not in plans
//! and reports, not in the addresses that it asks. Everything of everybody in a
//! company is looked for, in every form. The second half plants a text in each
//! of the places and must find it.
//!
//! Of a person who is erased nothing is found afterwards, whatever it was.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what supports a test may panic and print, like the test"
)]

mod muster;
mod search;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use muster::{Database, Muster, Output};
use search::{Canary, Search, forms};
use serde_json::Value;

/// How many people the company has, and which it is.
const PEOPLE: &str = "60";
const SEED: &str = "11";

/// Everything that was written somewhere, by the place.
#[derive(Default)]
struct Places(BTreeMap<String, Vec<u8>>);

impl Places {
    fn put(&mut self, place: impl Into<String>, bytes: impl AsRef<[u8]>) {
        let kept = self.0.entry(place.into()).or_default();
        kept.extend_from_slice(bytes.as_ref());
        kept.push(b'\n');
    }

    fn output(&mut self, command: &str, output: &Output) {
        self.put(format!("standard output of {command}"), &output.data);
        self.put(format!("standard error of {command}"), &output.words);
    }

    /// In which places something of this is found, and what.
    fn with(&self, search: &Search, place: impl Fn(&str) -> bool) -> Vec<String> {
        self.0
            .iter()
            .filter(|(name, _)| place(name))
            .filter_map(|(name, bytes)| Some(format!("{} in {name}", search.find(bytes)?)))
            .collect()
    }
}

/// What the rehearsal wrote of its people on day 0, and who left later.
struct Books {
    people: Vec<Value>,
    left: Vec<(u64, String)>,
}

impl Books {
    fn read(muster: &Muster) -> Self {
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
    fn canaries(&self, fields: &[&str]) -> Vec<Canary> {
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
fn database(muster: &Muster, into: &mut Places, when: &str) {
    for (name, bytes) in muster.database_files() {
        into.put(format!("{name} {when}"), bytes);
    }
}

fn stored_secrets(muster: &Muster) -> Vec<Canary> {
    let key = std::fs::read_to_string(muster.path("muster/muster.key")).unwrap();
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
    vec![
        Canary::new("the master key", key),
        Canary::new("the master key in base64", base64),
    ]
}

fn nothing_stands_in_the_open(kind: Database) {
    let muster = Muster::new(kind);
    let log = muster.path("requests.log");
    let sandbox = muster.sandbox(&["--people", PEOPLE, "--seed", SEED, "--log", &log], None);
    let books = Books::read(&muster);
    let mut places = Places::default();
    let traced = |places: &mut Places, arguments: &[&str]| {
        let output = muster.run_traced(arguments);
        assert!(
            [0, 3].contains(&output.code),
            "{arguments:?}: {}",
            output.words
        );
        places.output(&arguments.join(" "), &output);
    };
    traced(&mut places, &["org", "create", "Nordlys"]);
    let connect = sandbox.connect("hr", "provision");
    let connect: Vec<&str> = connect.iter().map(String::as_str).collect();
    let output = muster.run_traced(&connect);
    assert_eq!(output.code, 0, "{}", output.words);
    places.output("connect", &output);

    let plan = muster.path("plan.json");
    traced(
        &mut places,
        &["plan", "hr", "--format", "json", "--out", &plan],
    );
    let plan_file = std::fs::read(&plan).unwrap();
    places.put("the plan's file", &plan_file);
    // Before anybody is in the directory no value of anybody is in the clear.
    database(&muster, &mut places, "before anything was applied");
    let clear = Search::new(&books.canaries(&["work_email", "phone", "personal_email"]));
    assert_eq!(
        places.with(&clear, |place| place
            .contains("before anything was applied")),
        Vec::<String>::new()
    );
    // The search would have found them where they may stand.
    assert_eq!(
        places
            .with(&clear, |place| place == "the plan's file")
            .len(),
        1
    );

    traced(&mut places, &["apply", &plan, "--format", "json"]);
    traced(&mut places, &["plan", "hr", "--format", "csv"]);
    traced(&mut places, &["plan", "hr"]);
    for (name, bytes) in muster.while_running(&["sync", "hr", "--format", "json"]) {
        places.put(format!("{name} during a sync"), bytes);
    }
    let address = sandbox.address();
    sandbox.stop();
    let sandbox = muster.sandbox(
        &[
            "--people", PEOPLE, "--seed", SEED, "--day", "60", "--log", &log,
        ],
        Some(&address),
    );
    for (name, bytes) in muster.while_running(&["sync", "hr", "--format", "text"]) {
        places.put(format!("{name} during a sync"), bytes);
    }
    for format in ["ndjson", "csv", "table"] {
        traced(&mut places, &["people", "--format", format]);
    }
    traced(&mut places, &["runs", "--format", "json"]);
    traced(&mut places, &["runs"]);
    traced(&mut places, &["audit", "verify", "--format", "json"]);
    for arguments in [
        &["people", "--org", "nobody"][..],
        &["apply", "ffffffff"],
        &["sync", "nobody"],
    ] {
        places.output(&arguments.join(" "), &muster.run_traced(arguments));
    }
    let pulled = muster.run_traced(&sandbox.pull(&[]));
    // What is pulled is asked for, sealed fields too; what is said of it is not.
    places.put("standard error of pull", pulled.words);
    places.put(
        "standard output of pull as a table",
        muster.run(&sandbox.pull(&["--format", "table"])).data,
    );
    database(&muster, &mut places, "at the end");
    let requests = std::fs::read(&log).unwrap();
    assert!(requests.len() > 500, "the simulator keeps a log");
    places.put("the simulator's log of addresses", requests);
    assert!(
        places
            .0
            .iter()
            .filter(|(place, _)| place.starts_with("standard error"))
            .map(|(_, bytes)| bytes.len())
            .sum::<usize>()
            > 20_000,
        "tracing was on"
    );

    let mut secrets = books.canaries(&["national_id", "bank_account"]);
    secrets.extend(
        sandbox
            .secrets()
            .into_iter()
            .map(|secret| Canary::new("a token", secret)),
    );
    secrets.extend(stored_secrets(&muster));
    let found = places.with(&Search::new(&secrets), |_| true);
    assert_eq!(found, Vec::<String>::new());
    // What may stand in the directory and in what people ask for stands in no
    // log and no address.
    let logs = |place: &str| {
        place.starts_with("standard error")
            || place.contains("log of addresses")
            || place.contains("runs")
            || place.contains("audit")
    };
    assert_eq!(places.with(&clear, logs), Vec::<String>::new());
}

#[test]
fn secrets_and_sealed_fields_stand_nowhere_in_the_open_sqlite() {
    nothing_stands_in_the_open(Database::Sqlite);
}

#[test]
fn secrets_and_sealed_fields_stand_nowhere_in_the_open_postgresql() {
    if let Some(database) = Database::postgres() {
        nothing_stands_in_the_open(database);
    }
}

/// A text is planted in each of the places, by the ways that lead there.
fn what_is_planted_is_found(kind: Database) {
    let muster = Muster::new(kind);
    let log = muster.path("requests.log");
    let sandbox = muster.sandbox(&["--people", "20", "--log", &log], None);
    let planted = |place: &str| format!("Kanari-{place}-æøå-1234567");
    let search = |place: &str| Search::new(&[Canary::new(place, planted(place))]);
    let mut places = Places::default();

    let created = muster.run(&["org", "create", &planted("organisation")]);
    places.put("output", created.data);
    let refused = muster.run_traced(&["people", "--org", &planted("error")]);
    places.put("error", refused.words);
    muster.done(&sandbox.connect(&planted("connection"), "provision"));
    let plan = muster.path("plan.json");
    muster.done(&["plan", &planted("connection"), "--out", &plan]);
    for (name, bytes) in muster.while_running(&["sync", &planted("connection")]) {
        places.put(name, bytes);
    }
    database(&muster, &mut places, "while it stands in the log of writes");
    // Erasing empties the log of writes into the file.
    let people = muster.run(&["people", "--format", "ndjson"]).data;
    let last: Value = serde_json::from_str(people.lines().last().unwrap()).unwrap();
    let last = last["id"].as_str().unwrap();
    muster.done(&["erase", last, "--yes", "--even-if-employed"]);
    database(&muster, &mut places, "at the end");
    let mut stream = std::net::TcpStream::connect(sandbox.address()).unwrap();
    let asked = forms(&planted("address"))
        .into_iter()
        .find(|(form, _)| *form == "URL")
        .unwrap();
    let asked = String::from_utf8(asked.1).unwrap();
    write!(
        stream,
        "GET /v2/employee?firstName={asked} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    places.put("log", std::fs::read(&log).unwrap());

    let is = |search: &Search, part: &str| {
        let found = places.with(search, |place| place.contains(part));
        assert!(!found.is_empty(), "not found in {part}");
    };
    is(&search("organisation"), "output");
    is(&search("error"), "error");
    is(&search("organisation"), "at the end");
    is(&search("connection"), "at the end");
    is(&search("address"), "log");
    if matches!(muster.database(), Database::Sqlite) {
        is(&search("connection"), "muster.db-wal");
        is(&search("connection"), "muster.db at the end");
    }
    // What is shown of people, and plans: an address of the company itself.
    let people = muster.run(&["people", "--format", "ndjson"]).data;
    let somebody: Value = serde_json::from_str(people.lines().next().unwrap()).unwrap();
    let address = somebody["work_email"].as_str().unwrap();
    let address = Search::new(&[Canary::new("an address", address)]);
    assert!(address.find(people.as_bytes()).is_some());
    assert!(address.find(&std::fs::read(&plan).unwrap()).is_some());
    is(&address, "at the end");
}

#[test]
fn what_is_planted_in_each_place_is_found_sqlite() {
    what_is_planted_is_found(Database::Sqlite);
}

#[test]
fn what_is_planted_in_each_place_is_found_postgresql() {
    if let Some(database) = Database::postgres() {
        what_is_planted_is_found(database);
    }
}

#[test]
fn every_form_is_found_wherever_it_begins() {
    use base64::Engine as _;
    let text = "Kanari æ+/?1234567";
    let search = Search::new(&[Canary::new("it", text)]);
    for before in 0..7 {
        for (_, form) in forms(text) {
            let mut bytes = vec![b'~'; before];
            bytes.extend(form);
            bytes.extend(b"~~~");
            assert!(search.find(&bytes).is_some());
        }
        let mut bytes = vec![0xE5; before];
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend([0xF8; 4]);
        for engine in [
            base64::engine::general_purpose::STANDARD,
            base64::engine::general_purpose::URL_SAFE,
        ] {
            assert!(search.find(engine.encode(&bytes).as_bytes()).is_some());
        }
    }
    assert!(search.find(b"Kanari 1234567").is_none());
    assert!(search.find("Kanari ø+/?1234567".as_bytes()).is_none());
}

/// Somebody left, is erased, and nothing of them is found; the source still
/// speaks of them, and they do not come back.
fn an_erased_person_is_gone(kind: Database) {
    let muster = Muster::new(kind);
    let sandbox = muster.sandbox(&["--people", PEOPLE, "--seed", SEED], None);
    let books = Books::read(&muster);
    muster.done(&["org", "create", "Nordlys"]);
    muster.done(&sandbox.connect("hr", "provision"));
    muster.done(&["sync", "hr"]);
    let address = sandbox.address();
    sandbox.stop();
    let _sandbox = muster.sandbox(
        &["--people", PEOPLE, "--seed", SEED, "--day", "120"],
        Some(&address),
    );
    let synced = muster.run(&["sync", "hr", "--format", "json"]);
    assert!([0, 3].contains(&synced.code), "{}", synced.words);
    muster.analyse();

    let shown: Vec<Value> = muster
        .lines(&["people", "--format", "ndjson"])
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let record_of = |person: &Value| {
        person["links"][0]["external_id"]
            .as_str()
            .map(str::to_owned)
    };
    let is_manager = |id: &Value| shown.iter().any(|other| other["manager"] == *id);
    let (record, person) = books
        .left
        .iter()
        .filter(|(day, _)| *day <= 120)
        .find_map(|(_, id)| {
            let person = shown.iter().find(|person| {
                record_of(person).as_ref() == Some(id)
                    && person["employment"] == "ended"
                    && person["access"] != "active"
                    && !is_manager(&person["id"])
            })?;
            Some((id.clone(), person.clone()))
        })
        .expect("somebody left within 120 days");
    let original = books
        .people
        .iter()
        .find(|person| person["external_id"] == record.as_str())
        .unwrap();
    // What says something of this person and of nobody else.
    let everybody = shown
        .iter()
        .filter(|other| other["id"] != person["id"])
        .map(ToString::to_string)
        .chain(
            books
                .people
                .iter()
                .filter(|other| other["external_id"] != record.as_str())
                .map(ToString::to_string),
        )
        .collect::<String>();
    let mut canaries: Vec<Canary> = Vec::new();
    let mut texts = Vec::new();
    for source in [original, &person] {
        for (field, value) in source.as_object().unwrap() {
            match value {
                Value::Object(parts) => {
                    texts.extend(
                        parts
                            .iter()
                            .map(|(name, part)| (name.clone(), part.clone())),
                    );
                }
                // Record ids are no personal data, and PostgreSQL may keep them in free
                // room of its files; of SQLite's they are gone as well.
                _ if field == "external_id" && !matches!(muster.database(), Database::Sqlite) => {}
                value if field != "id" && field != "links" => {
                    texts.push((field.clone(), value.clone()));
                }
                _ => {}
            }
        }
    }
    for (field, value) in texts {
        if let Some(text) = value.as_str()
            && text.len() >= 7
            && !text.contains('•')
            // Dates of one person are days of others.
            && !(text.len() == 10 && text.as_bytes()[4] == b'-')
            && !everybody.contains(text)
        {
            canaries.push(Canary::new(field, text));
        }
    }
    assert!(canaries.len() >= 5, "{canaries:?}");
    let search = Search::new(&canaries);
    let mut places = Places::default();
    database(&muster, &mut places, "before");
    assert!(!places.with(&search, |_| true).is_empty());

    let id = person["id"].as_str().unwrap();
    let unsure = muster.run(&["erase", id]);
    assert_eq!(unsure.code, 2, "{}", unsure.words);
    let at_work = shown
        .iter()
        .find(|person| person["employment"] == "active")
        .unwrap();
    let refused = muster.run(&["erase", at_work["id"].as_str().unwrap(), "--yes"]);
    assert_eq!(refused.code, 1, "{}", refused.words);
    assert!(refused.words.contains("erase.employed"));
    let erased = muster.json(&["erase", id, "--yes"]);
    assert!(
        erased["name"]
            .as_str()
            .unwrap()
            .starts_with("Deleted person, "),
        "{erased}"
    );

    let mut places = Places::default();
    database(&muster, &mut places, "after");
    for arguments in [
        &["people", "--format", "ndjson"][..],
        &["runs", "--format", "json"],
    ] {
        places.output(&arguments.join(" "), &muster.run_traced(arguments));
    }
    assert_eq!(places.with(&search, |_| true), Vec::<String>::new());
    let findings = muster.json(&["audit", "verify", "--format", "json"]);
    assert_eq!(findings["whole"], true, "{findings}");
    assert!(findings["erased"].as_u64().unwrap() > 0, "{findings}");
    let again = muster.run(&["erase", id, "--yes"]);
    assert_eq!(again.code, 2, "{}", again.words);
    assert!(again.words.contains("person.erased"), "{}", again.words);

    // The source still has the record.
    let synced = muster.run_traced(&["sync", "hr", "--format", "json"]);
    assert!([0, 3].contains(&synced.code), "{}", synced.words);
    let report: Value = serde_json::from_str(&synced.data).unwrap();
    assert_eq!(report["counts"]["created"], 0, "{report}");
    assert_eq!(
        muster.lines(&["people", "--format", "ndjson"]).len(),
        shown.len() - 1
    );
    let mut places = Places::default();
    database(&muster, &mut places, "after the next sync");
    places.output("sync", &synced);
    assert_eq!(places.with(&search, |_| true), Vec::<String>::new());

    // Somebody means it: the record is let in again, and counted (nobody is made of
    // somebody who has left).
    muster.done(&["readmit", "hr", &record]);
    let let_in = muster.run(&["sync", "hr", "--format", "json"]);
    let let_in: Value = serde_json::from_str(&let_in.data).unwrap();
    let read = |report: &Value| report["people"]["read"].as_u64().unwrap();
    assert_eq!(read(&let_in), read(&report) + 1, "{let_in}");
    assert_eq!(
        muster.run(&["readmit", "hr", &record]).code,
        2,
        "there is no mark any more"
    );
    let findings = muster.json(&["audit", "verify", "--format", "json"]);
    assert_eq!(findings["whole"], true, "{findings}");
}

#[test]
fn nothing_is_left_of_an_erased_person_sqlite() {
    an_erased_person_is_gone(Database::Sqlite);
}

#[test]
fn nothing_is_left_of_an_erased_person_postgresql() {
    if let Some(database) = Database::postgres() {
        an_erased_person_is_gone(database);
    }
}

/// The head that a run report printed proves the log, and a log that was changed
/// or cut with the tools of the database is found.
#[test]
fn the_head_of_a_run_report_proves_the_log() {
    let muster = Muster::new(Database::Sqlite);
    let sandbox = muster.sandbox(&["--people", "20"], None);
    muster.done(&["org", "create", "Nordlys"]);
    muster.done(&sandbox.connect("hr", "provision"));
    let report = muster.json(&["sync", "hr", "--format", "json"]);
    let head = report["audit"].as_str().expect("a report prints the head");
    muster.done(&["sync", "hr"]);
    let findings = muster.json(&["audit", "verify", "--head", head, "--format", "json"]);
    assert_eq!(findings["whole"], true, "{findings}");
    assert!(
        muster
            .text(&["audit", "verify", "--head", head])
            .contains("whole")
    );
    let (number, hash) = head.split_once(':').unwrap();
    let number: u64 = number.parse().unwrap();
    assert!(number > 2, "{head}");
    let later = format!("{}:{hash}", number + 1_000);
    let cut = muster.run(&["audit", "verify", "--head", &later, "--format", "json"]);
    assert_eq!(cut.code, 1, "{}", cut.words);
    let findings: Value = serde_json::from_str(&cut.data).unwrap();
    assert_eq!(findings["broken"]["place"], "audit_entries");
    let other = format!("{number}:{}", "0".repeat(64));
    let other = muster.run(&["audit", "verify", "--head", &other]);
    assert_eq!(other.code, 1, "{}", other.words);
    assert!(other.data.contains(&format!("entry {number}")));
    assert_eq!(muster.run(&["audit", "verify", "--head", "x"]).code, 2);
}
