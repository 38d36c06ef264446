//! Undo and explain with the real binary, on both databases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    dead_code,
    reason = "what supports a test may panic and print, like the test"
)]

mod muster;

use muster::{Database, Muster};
use serde_json::Value;

fn changes(report: &Value) -> u64 {
    [
        "created",
        "linked",
        "updated",
        "restored",
        "suspended",
        "ended",
        "held",
        "failed",
    ]
    .into_iter()
    .map(|class| report["counts"][class].as_u64().unwrap())
    .sum()
}

fn a_month_is_taken_back(database: Database) {
    let muster = Muster::new(database);
    let sandbox = muster.sandbox(&["--people", "120", "--seed", "3"], None);
    muster.done(&["org", "create", "Nordlys Øst AS"]);
    muster.done(&sandbox.connect("hr", "provision"));
    muster.json(&["sync", "hr", "--format", "json"]);
    let before = muster.lines(&["people", "--format", "ndjson"]);
    let address = sandbox.address();
    sandbox.stop();
    let day_30 = ["--people", "120", "--seed", "3", "--day", "30"];
    let _sandbox = muster.sandbox(&day_30, Some(&address));
    let month = muster.json(&["sync", "hr", "--format", "json"]);
    assert!(changes(&month) > 0);
    let run = month["run"].as_str().unwrap();

    // A look first: nothing happens by it.
    let look = muster.run(&["undo", run, "--dry-run", "--format", "json"]);
    let looked: Value = serde_json::from_str(&look.data).unwrap();
    assert_eq!(looked["undoes"], run);
    for list in ["cancelled", "counter_write", "new_message", "cannot"] {
        assert_eq!(looked["outward"][list], serde_json::json!([]));
    }
    assert_eq!(looked["left"], serde_json::json!([]));
    let after = muster.lines(&["people", "--format", "ndjson"]);
    assert_ne!(before, after);

    let undone = muster.run(&["undo", run, "--format", "json"]);
    assert!(
        undone.words.contains("rows are taken back"),
        "{}",
        undone.words
    );
    assert!(undone.words.contains("cannot be undone: 0"));
    let report: Value = serde_json::from_str(&undone.data).unwrap();
    assert_eq!(report["undoes"], run);
    if undone.code == 3 {
        // What a brake holds waits for a person, like in every plan.
        let plan = undone.words.split("muster apply ").nth(1).unwrap();
        let plan = plan.split_whitespace().next().unwrap();
        let kinds = "suspend_said,field_emptied,key_changed,manager_changed,too_few_left,create";
        muster.done(&["apply", plan, "--allow", kinds]);
    } else {
        assert_eq!(undone.code, 0);
    }
    assert_eq!(
        muster.lines(&["people", "--format", "ndjson"]).len(),
        before.len()
    );
    assert_eq!(muster.lines(&["people", "--format", "ndjson"]), before);
    let quiet = muster.json(&["sync", "hr", "--format", "json"]);
    assert_eq!(changes(&quiet), 0, "{quiet}");

    let again = muster.run(&["undo", run]);
    assert_eq!(again.code, 1);
    assert!(again.words.contains("undo.already"), "{}", again.words);
    assert_eq!(muster.run(&["undo", "no-such-run"]).code, 2);

    // Why is somebody as they are?
    let somebody: Value = serde_json::from_str(&before[0]).unwrap();
    let address = somebody["work_email"].as_str().unwrap();
    let answer = muster.json(&["explain", address, "--format", "json"]);
    assert_eq!(answer["person"], somebody["id"]);
    assert_eq!(answer["records"][0]["connection"], "hr");
    assert!(answer["fields"].as_array().unwrap().len() > 5);
    let text = muster.text(&["explain", address, "work_email"]);
    assert!(text.contains("because compare."), "{text}");
    assert!(text.contains("mapped under"), "{text}");
    let as_of = muster.text(&["explain", address, "--run", run]);
    assert!(as_of.contains("record hr "), "{as_of}");
    assert_eq!(muster.run(&["explain", "nobody@nowhere.example"]).code, 2);
    assert_eq!(muster.run(&["explain", address, "shoe_size"]).code, 2);
}

#[test]
fn a_month_is_taken_back_and_explained_on_sqlite() {
    a_month_is_taken_back(Database::Sqlite);
}

#[test]
fn a_month_is_taken_back_and_explained_on_postgresql() {
    let Some(database) = Database::postgres() else {
        return;
    };
    a_month_is_taken_back(database);
}
