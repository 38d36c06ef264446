//! Everything of everybody, looked for in every place.

use serde_json::Value;

use crate::archive;
use crate::bad_secrets;
use crate::muster::{Database, Muster, Sandbox};
use crate::places::{Books, PEOPLE, Places, SEED, database, elsewhere, stored_secrets};
use crate::search::{Canary, Search};

/// Runs a command at trace level that ends with 0 or 3, and keeps what it says.
fn traced(muster: &Muster, places: &mut Places, arguments: &[&str]) -> String {
    let output = muster.run_traced(arguments);
    assert!(
        [0, 3].contains(&output.code),
        "{arguments:?}: {}",
        output.words
    );
    places.output(&arguments.join(" "), &output);
    output.data
}

fn nothing_stands_in_the_open(kind: Database) {
    let muster = Muster::new(kind);
    let since = muster.log_position();
    let log = muster.path("requests.log");
    let sandbox = muster.sandbox(&["--people", PEOPLE, "--seed", SEED, "--log", &log], None);
    let books = Books::read(&muster);
    let mut places = Places::default();
    traced(&muster, &mut places, &["org", "create", "Nordlys"]);
    let bad = bad_secrets::tried(&muster, &sandbox, &mut places);
    let connect = sandbox.connect("hr", "provision");
    let connect: Vec<&str> = connect.iter().map(String::as_str).collect();
    let output = muster.run_traced(&connect);
    assert_eq!(output.code, 0, "{}", output.words);
    places.output("connect", &output);

    let plan = muster.path("plan.json");
    let planning = ["plan", "hr", "--format", "json", "--out", &plan];
    traced(&muster, &mut places, &planning);
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

    traced(&muster, &mut places, &["apply", &plan, "--format", "json"]);
    traced(&muster, &mut places, &["plan", "hr", "--format", "csv"]);
    traced(&muster, &mut places, &["plan", "hr"]);
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
        traced(&muster, &mut places, &["people", "--format", format]);
    }
    traced(&muster, &mut places, &["runs", "--format", "json"]);
    traced(&muster, &mut places, &["runs"]);
    traced(
        &muster,
        &mut places,
        &["audit", "verify", "--format", "json"],
    );
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
    explained_and_undone(&muster, &mut places);
    decided(&muster, &sandbox, &mut places);
    let once = printed_once(&muster);
    kept_and_brought_back(&muster, &mut places);
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
    // What may stand in the directory and in what people ask for stands in no
    // log and no address.
    let logs = |place: &str| {
        place.starts_with("standard error")
            || place.contains("log of addresses")
            || place.contains("runs")
            || place.contains("audit")
    };
    assert_eq!(places.with(&clear, logs), Vec::<String>::new());

    for (name, bytes) in muster.log_of_writes(since.as_deref()) {
        places.put(name, bytes);
    }
    let mut secrets = books.canaries(&["national_id", "bank_account"]);
    secrets.extend(
        sandbox
            .secrets()
            .into_iter()
            .map(|secret| Canary::new("a token", secret)),
    );
    secrets.extend(stored_secrets(&muster));
    secrets.extend(bad);
    secrets.extend(once);
    let found = places.with(&Search::new(&secrets), |_| true);
    assert_eq!(found, Vec::<String>::new());
}

/// Somebody of whom everything sealed is known is explained in every way, and the
/// last run is taken back.
fn explained_and_undone(muster: &Muster, places: &mut Places) {
    let runs = muster.lines(&["runs", "--format", "json"]);
    // The one in which sixty days passed.
    let newest = runs
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|run| run["counts"]["updated"].as_u64() > Some(0))
        .expect("a run that changed somebody");
    let newest = newest["run"].as_str().unwrap().to_owned();
    let people = muster.lines(&["people", "--format", "ndjson"]);
    let somebody = people
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|person| person["national_id"].is_string() && person["bank_account"].is_string())
        .expect("somebody with a national id and a bank account");
    let id = somebody["id"].as_str().unwrap();
    let address = somebody["work_email"].as_str().unwrap();
    for arguments in [
        &["explain", id][..],
        &["explain", id, "--format", "json"],
        &["explain", id, "national_id"],
        &["explain", id, "bank_account", "--format", "json"],
        &["explain", id, "--run", &newest],
    ] {
        traced(muster, places, arguments);
    }
    let by_address = muster.run_traced(&["explain", address]);
    places.output("explain by address", &by_address);
    for format in ["text", "json", "csv"] {
        let look = ["undo", &newest, "--dry-run", "--format", format];
        traced(muster, places, &look);
    }
    traced(muster, places, &["undo", &newest, "--format", "json"]);
    traced(muster, places, &["sync", "hr", "--format", "json"]);
    traced(muster, places, &["unlink", id, "hr"]);
    traced(muster, places, &["doctor"]);
    traced(muster, places, &["doctor", "--format", "json"]);
}

/// In another organisation everybody is asked about, and decided in a file.
fn decided(muster: &Muster, sandbox: &Sandbox, places: &mut Places) {
    traced(muster, places, &["org", "create", "Sydlys"]);
    let mut connect = sandbox.connect("desk", "mirror");
    connect.extend(["--org".to_owned(), "Sydlys".to_owned()]);
    muster.done(&connect);
    let asked = traced(
        muster,
        places,
        &["plan", "desk", "--org", "Sydlys", "--format", "csv"],
    );
    let id = asked.lines().nth(1).unwrap().split(',').next().unwrap();
    let answered: String = asked
        .lines()
        .enumerate()
        .map(|(number, line)| match line.strip_suffix(',') {
            Some(line) if number > 0 && line.contains(",new,ask,") => format!("{line},create\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    assert!(answered.contains(",create\n"), "{answered}");
    let file = muster.path("decisions.csv");
    std::fs::write(&file, &answered).unwrap();
    places.put("the file of decisions", &answered);
    let deciding = ["decide", id, "--org", "Sydlys", "--file", &file];
    traced(muster, places, &deciding);
    // The same again is refused row by row, in words.
    let again = muster.run_traced(&deciding);
    assert_eq!(again.code, 3, "{}", again.words);
    places.output("decide again", &again);
    let people = ["people", "--org", "Sydlys", "--format", "ndjson"];
    assert!(traced(muster, places, &people).lines().count() > 20);
}

/// What is shown once, to whoever asked for it, and stands nowhere afterwards.
fn printed_once(muster: &Muster) -> Vec<Canary> {
    let user = muster.json(&[
        "user",
        "create",
        "--org",
        "Nordlys",
        "--email",
        "kari@nordlys.example",
        "--role",
        "owner",
    ]);
    let token = muster.json(&[
        "token",
        "create",
        "--org",
        "Nordlys",
        "--scope",
        "people:read",
    ]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    vec![
        Canary::new("what sets a password", text(&user["set_password"])),
        Canary::new("a program's token", text(&token["token"])),
    ]
}

/// A backup as bytes and opened, a new master key, and a restore of all of it.
fn kept_and_brought_back(muster: &Muster, places: &mut Places) {
    let file = muster.path("kept.backup");
    let list = muster.path("erased.csv");
    traced(muster, places, &["backup", &file, "--erased-list", &list]);
    places.put("the list of erased people", std::fs::read(&list).unwrap());
    places.put("the backup's file", std::fs::read(&file).unwrap());
    let inside = archive::opened(file.as_ref(), &muster.key_file());
    places.put("the backup, opened", inside);
    let restored = elsewhere(muster);
    traced(&restored, places, &["restore", &file, "--check"]);
    traced(&restored, places, &["restore", &file, "--erased", &list]);
    traced(&restored, places, &["restore", "--confirm", "cancel"]);
    database(&restored, places, "after a restore");

    traced(muster, places, &["key", "rotate"]);
    database(muster, places, "after a new key");
    let later = muster.path("later.backup");
    traced(muster, places, &["backup", &later]);
    let inside = archive::opened(later.as_ref(), &muster.key_file());
    places.put("the backup after a new key, opened", inside);
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
