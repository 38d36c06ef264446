//! What is planted is found: a search that finds nothing proves nothing.

use std::io::{Read as _, Write as _};

use serde_json::Value;

use crate::archive;
use crate::muster::{Database, Muster};
use crate::places::{Places, database, elsewhere};
use crate::search::{Canary, Search, forms};

/// A text is planted in each of the places, by the ways that lead there.
fn what_is_planted_is_found(kind: Database) {
    let muster = Muster::new(kind);
    let since = muster.log_position();
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

    told_and_kept(&muster, &mut places, &planted);
    for (name, bytes) in muster.log_of_writes(since.as_deref()) {
        places.put(name, bytes);
    }

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
    if matches!(muster.database(), Database::Postgres(_)) {
        is(&search("connection"), "the log of writes");
    }
    for (name, place) in [
        ("connection", "standard output of explain"),
        ("undone", "standard error of undo"),
        ("decided", "standard error of decide"),
        ("decided", "the file of decisions"),
        ("unlinked", "standard error of unlink"),
        ("organisation", "standard output of doctor"),
        ("organisation", "standard output of audit"),
        ("backup", "standard output of backup"),
        ("backup", "the backup's file"),
        ("organisation", "the backup, opened"),
        ("connection", "the backup, opened"),
        ("restored", "standard error of restore"),
        ("organisation", "after a restore"),
        ("key", "standard output of key"),
    ] {
        is(&search(name), place);
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

/// Each command that answers, complains or writes a file, with something planted.
fn told_and_kept(muster: &Muster, places: &mut Places, planted: &dyn Fn(&str) -> String) {
    let people = muster.lines(&["people", "--format", "ndjson"]);
    let somebody: Value = serde_json::from_str(&people[0]).unwrap();
    let id = somebody["id"].as_str().unwrap();
    let file = muster.path("decisions.csv");
    let lines = format!(
        "row,external_id,held,decision\n0,{},,\n",
        planted("decided")
    );
    std::fs::write(&file, &lines).unwrap();
    places.put("the file of decisions", lines);
    let kept = muster.path(&planted("backup"));
    let lost = format!("/nowhere/{}", planted("restored"));
    for (name, arguments) in [
        ("explain", &["explain", id][..]),
        ("undo", &["undo", &planted("undone")]),
        ("decide", &["decide", &planted("decided"), "--file", &file]),
        ("unlink", &["unlink", id, &planted("unlinked")]),
        ("doctor", &["doctor", "--format", "json"]),
        ("audit", &["audit", "verify", "--format", "json"]),
        ("backup", &["backup", &kept]),
        ("restore", &["restore", &lost]),
    ] {
        places.output(name, &muster.run_traced(arguments));
    }
    // Nothing of anybody gets into a backup's file but by being put there.
    let mut bytes = std::fs::read(&kept).unwrap();
    bytes.extend_from_slice(planted("backup").as_bytes());
    places.put("the backup's file", bytes);
    let inside = archive::opened(kept.as_ref(), &muster.key_file());
    places.put("the backup, opened", inside);
    let restored = elsewhere(muster);
    restored.done(&["restore", &kept]);
    database(&restored, places, "after a restore");
    let key = restored.path(&planted("key"));
    std::fs::copy(restored.key_file(), &key).unwrap();
    let rotated = restored.run_traced(&["key", "rotate", "--key-file", &key]);
    assert_eq!(rotated.code, 0, "{}", rotated.words);
    places.output("key", &rotated);
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
