//! The audit log's head, as run reports print it.

use serde_json::Value;

use crate::muster::{Database, Muster};

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
    // Each entry names who made it: here nobody but whoever runs this.
    let by = findings["by"].as_object().unwrap();
    assert!(
        by.keys().all(|who| who.starts_with("command-line:")) && !by.is_empty(),
        "{findings}"
    );
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
