//! The main job by hand, as the README tells it, with the real binary, on both
//! databases: a company is connected, planned, applied; thirty days pass; it is
//! synced again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what supports a test may panic and print, like the test"
)]

mod muster;

use muster::{Database, Muster};
use serde_json::Value;

fn number(report: &Value, path: &str) -> u64 {
    report
        .pointer(path)
        .and_then(Value::as_u64)
        .unwrap_or_else(|| panic!("no {path} in {report}"))
}

/// Everybody once: the classes add up to the records in scope plus the gone.
fn adds_up(report: &Value) {
    let classes: u64 = report
        .pointer("/counts")
        .and_then(Value::as_object)
        .unwrap()
        .values()
        .map(|number| number.as_u64().unwrap())
        .sum();
    let in_scope = number(report, "/people/read") - number(report, "/people/out_of_scope");
    assert_eq!(
        classes,
        in_scope + number(report, "/people/gone"),
        "{report}"
    );
}

fn the_whole_story(database: Database) {
    let muster = Muster::new(database);
    let sandbox = muster.sandbox(&["--people", "120", "--seed", "3"], None);
    muster.done(&["org", "create", "Nordlys Øst AS"]);
    let connected = muster.json(&sandbox.connect("hr", "provision"));
    assert_eq!(connected["state"], "connected", "connecting moves nothing");
    assert_eq!(muster.lines(&["people", "--format", "ndjson"]).len(), 0);

    let file = muster.path("plan.json");
    let plan = muster.json(&["plan", "hr", "--format", "json", "--out", &file]);
    let planned = number(&plan, "/counts/created");
    assert!(planned > 100, "{planned}");
    assert_eq!(
        muster.lines(&["people", "--format", "ndjson"]).len(),
        0,
        "a plan changes nobody"
    );

    let applied = muster.json(&["apply", &file, "--format", "json"]);
    assert_eq!(number(&applied, "/counts/created"), planned);
    adds_up(&applied);
    let people = muster.lines(&["people", "--format", "ndjson"]);
    assert_eq!(people.len() as u64, planned);
    for line in &people {
        let person: Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            person["access"], "not_invited",
            "PLE-16: nobody is invited by being synced"
        );
        assert_eq!(person["links"][0]["connection"], "hr");
        assert_eq!(person["national_id"].as_str().unwrap_or("••••"), "••••");
    }

    let again = muster.json(&["sync", "hr", "--format", "json"]);
    assert_eq!(number(&again, "/counts/unchanged"), planned);
    adds_up(&again);

    let address = sandbox.address();
    sandbox.stop();
    let books = muster.rehearsed(120, 3);
    let _sandbox = muster.sandbox(
        &["--people", "120", "--seed", "3", "--day", "30"],
        Some(&address),
    );
    let month = muster.json(&["sync", "hr", "--format", "json"]);
    adds_up(&month);
    assert_eq!(number(&month, "/counts/created"), books.joiners, "{month}");
    assert_eq!(
        number(&month, "/counts/suspended"),
        books.leavers,
        "{month}"
    );
    assert_eq!(month["outcome"], "ok");

    let runs = muster.lines(&["runs", "--format", "json"]);
    assert_eq!(runs.len(), 4, "plan, apply and two syncs");
}

#[test]
fn s2_1_the_whole_story_on_sqlite() {
    the_whole_story(Database::Sqlite);
}

#[test]
fn s2_1_the_whole_story_on_postgresql() {
    let Some(database) = Database::postgres() else {
        return;
    };
    the_whole_story(database);
}

#[test]
fn the_demo_s_numbers_are_those_that_rehearse_wrote() {
    for (people, seed) in [(250, 1), (80, 4)] {
        let muster = Muster::new(Database::Sqlite);
        let books = muster.rehearsed(people, seed);
        let (people, seed) = (people.to_string(), seed.to_string());
        let report = muster.json(&["demo", "--once", "--people", &people, "--seed", &seed]);
        assert_eq!(report["outcome"], "ok");
        assert_eq!(number(&report, "/people/read"), books.records);
        adds_up(&report);
        let told = muster.text(&["demo", "--people", &people, "--seed", &seed]);
        for words in [
            format!("{} created", number(&report, "/counts/created")),
            format!("Joiners ({})", books.joiners),
            format!("Leavers ({})", books.leavers),
            "sync --data".to_owned(),
        ] {
            assert!(told.contains(&words), "{words:?} is not in\n{told}");
        }
    }
}

#[test]
fn another_seed_or_size_is_another_company_and_the_same_one_the_same_bytes() {
    let muster = Muster::new(Database::Sqlite);
    let bytes = |people: u32, seed: u64, folder: &str| {
        let folder = muster.path(folder);
        let (people, seed) = (people.to_string(), seed.to_string());
        muster.done(&[
            "rehearse", "--people", &people, "--seed", &seed, "--out", &folder,
        ]);
        let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, std::fs::read(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    };
    let one = bytes(60, 1, "one");
    assert_eq!(one, bytes(60, 1, "again"));
    assert_ne!(one, bytes(60, 2, "seed"));
    assert_ne!(one, bytes(61, 1, "size"));
}

#[test]
fn wrong_usage_ends_with_2_a_failure_with_1_and_both_say_what_to_do() {
    let muster = Muster::new(Database::Sqlite);
    for (arguments, code, words) in [
        (&["frobnicate"][..], 2, "unrecognized"),
        (&["people"], 2, "storage.none"),
        (&["sandbox", "nobody"], 2, "tripletex"),
        (
            &["sandbox", "tripletex", "--fault", "rain"],
            2,
            "short-page",
        ),
        (&["connectors", "show", "nobody"], 2, "connector.unknown"),
        (
            &["pull", "tripletex", "--secret", "consumer_token"],
            2,
            "NAME=VALUE",
        ),
        (&["pull", "tripletex", "--fields", "salary"], 2, "salary"),
    ] {
        let output = muster.run(arguments);
        assert_eq!(output.code, code, "{arguments:?}: {}", output.words);
        assert!(
            output.words.contains(words),
            "{arguments:?}: {}",
            output.words
        );
        assert_eq!(output.data, "", "{arguments:?} writes no data");
    }
    muster.done(&["org", "create", "one"]);
    let taken = muster.run(&["org", "create", "one"]);
    assert_eq!(taken.code, 1);
    assert!(
        taken.words.contains("organisation.exists"),
        "{}",
        taken.words
    );
    for arguments in [
        &["apply", "ffff"][..],
        &["undo", "ffff"],
        &["explain", "nobody"],
        &["sync", "nothing"],
        // What may be a secret is not repeated.
        &[
            "pull",
            "tripletex",
            "--secret",
            "consumer_token",
            "hunter2-9",
        ],
    ] {
        let output = muster.run(arguments);
        assert_eq!(output.code, 2, "{arguments:?}: {}", output.words);
        assert!(!output.words.contains("hunter2"), "{}", output.words);
    }
    muster.done(&["org", "create", "two"]);
    let which = muster.run(&["people"]);
    assert_eq!(which.code, 2);
    assert!(
        which.words.contains("organisation.several"),
        "{}",
        which.words
    );
}

#[test]
fn an_edited_plan_file_is_refused() {
    let muster = Muster::new(Database::Sqlite);
    let sandbox = muster.sandbox(&["--people", "5"], None);
    muster.done(&["org", "create", "one"]);
    muster.done(&sandbox.connect("hr", "provision"));
    let file = muster.path("plan.json");
    muster.done(&["plan", "hr", "--out", &file]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"create\""));
    std::fs::write(&file, text.replacen("\"create\"", "\"remove\"", 1)).unwrap();
    let refused = muster.run(&["apply", &file]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.words.contains("plan.signature"),
        "{}",
        refused.words
    );
    assert_eq!(muster.lines(&["people", "--format", "ndjson"]).len(), 0);
}

#[test]
fn an_empty_answer_holds_everybody_and_says_so() {
    let muster = Muster::new(Database::Sqlite);
    let sandbox = muster.sandbox(&["--people", "40", "--seed", "2"], None);
    muster.done(&["org", "create", "one"]);
    muster.done(&sandbox.connect("hr", "provision"));
    muster.done(&["sync", "hr"]);
    let before = muster.lines(&["people", "--format", "ndjson"]);
    let address = sandbox.address();
    sandbox.stop();
    let _sandbox = muster.sandbox(
        &["--people", "40", "--seed", "2", "--fault", "empty"],
        Some(&address),
    );
    let held = muster.run(&["sync", "hr", "--format", "json"]);
    assert_eq!(held.code, 3, "done, but a person is needed");
    let report: Value = serde_json::from_str(&held.data).unwrap();
    assert_eq!(report["outcome"], "held");
    assert_eq!(number(&report, "/counts/held"), before.len() as u64);
    adds_up(&report);
    assert_eq!(muster.lines(&["people", "--format", "ndjson"]), before);
}

#[test]
fn pull_prints_people_and_evidence_and_stores_nothing() {
    let muster = Muster::new(Database::Sqlite);
    let sandbox = muster.sandbox(&["--people", "30"], None);
    let output = muster.run(&sandbox.pull(&["--fields", "given_name,work_email"]));
    assert_eq!(output.code, 0, "{}", output.words);
    assert_eq!(output.data.lines().count(), 30);
    for line in output.data.lines() {
        let person: Value = serde_json::from_str(line).unwrap();
        for name in person.as_object().unwrap().keys() {
            assert!(
                ["external_id", "given_name", "work_email"].contains(&name.as_str()),
                "{name}"
            );
        }
    }
    let evidence = output
        .words
        .lines()
        .find_map(|line| line.strip_prefix("evidence: "))
        .unwrap();
    let evidence: Value = serde_json::from_str(evidence).unwrap();
    assert_eq!(evidence["complete"], true);
    assert!(!muster.has_data(), "pull needs no database");
    for format in ["csv", "table"] {
        let output = muster.run(&sandbox.pull(&["--format", format]));
        assert_eq!(output.code, 0);
        assert!(output.data.contains("work_email"));
        // What no column holds is not left out in silence.
        let output = muster.run(&sandbox.pull(&["--format", format, "--fields", "engagements"]));
        assert_eq!((output.code, output.data.as_str()), (2, ""));
        assert!(output.words.contains("usage.field: engagements"));
    }
    let output = muster.run(&sandbox.pull(&["--fields", "nickname"]));
    assert_eq!((output.code, output.data.as_str()), (2, ""));
    assert!(output.words.contains("field.unknown") && output.words.contains("given_name"));
}

#[test]
fn no_secret_is_printed_anywhere() {
    let muster = Muster::new(Database::Sqlite);
    let sandbox = muster.sandbox(&["--people", "9"], None);
    muster.done(&["org", "create", "one"]);
    let connect = sandbox.connect("hr", "provision");
    let mut printed = String::new();
    let sync = ["sync", "hr"];
    let plan = ["plan", "hr", "--format", "json"];
    for arguments in [
        &connect.iter().map(String::as_str).collect::<Vec<_>>()[..],
        &sync,
        &plan,
    ] {
        let output = muster.run_traced(arguments);
        assert_eq!(output.code, 0, "{}", output.words);
        printed.push_str(&output.data);
        printed.push_str(&output.words);
    }
    assert!(printed.len() > 1_000, "tracing was on");
    for secret in sandbox.secrets() {
        assert!(!printed.contains(&secret));
    }
}
