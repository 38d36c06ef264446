//! Somebody who was erased is nowhere, and no backup brings them back.

use serde_json::Value;

use crate::archive;
use crate::muster::{Database, Muster};
use crate::places::{Books, PEOPLE, Places, SEED, database, elsewhere};
use crate::search::{Canary, Search};

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
    let older = muster.path("older.backup");
    muster.done(&["backup", &older]);
    let inside = archive::opened(older.as_ref(), &muster.key_file());
    assert!(search.find(&inside).is_some(), "an older backup has them");
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

    no_backup_brings_them_back(&muster, &older, &search, shown.len() as u64 - 1);

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

/// The list of erased people is applied again to what an older backup brings.
fn no_backup_brings_them_back(muster: &Muster, older: &str, search: &Search, left: u64) {
    let list = muster.path("erased.csv");
    let newer = muster.path("newer.backup");
    muster.done(&["backup", &newer, "--erased-list", &list]);
    let inside = archive::opened(newer.as_ref(), &muster.key_file());
    assert_eq!(search.find(&inside), None, "in a backup made afterwards");

    // After a loss, into an empty place; and in place of what is there.
    let elsewhere = elsewhere(muster);
    let with_list = ["restore", older, "--erased", &list];
    let in_place = ["restore", older, "--replace"];
    for (restored, arguments) in [(&elsewhere, &with_list[..]), (muster, &in_place[..])] {
        let told = restored.json(arguments);
        assert_eq!(told["erased_again"], 1, "{told}");
        restored.analyse();
        let mut places = Places::default();
        database(restored, &mut places, "after a restore");
        places.output(
            "people",
            &restored.run_traced(&["people", "--format", "ndjson"]),
        );
        assert_eq!(
            places.with(search, |_| true),
            Vec::<String>::new(),
            "{arguments:?}"
        );
        let people = restored.lines(&["people", "--format", "ndjson"]);
        assert_eq!(people.len() as u64, left, "{arguments:?}");
        let findings = restored.json(&["audit", "verify", "--format", "json"]);
        assert_eq!(findings["whole"], true, "{arguments:?}: {findings}");
        assert!(findings["erased"].as_u64().unwrap() > 0, "{findings}");
        let again = restored.path("again.backup");
        restored.done(&["backup", &again]);
        let inside = archive::opened(again.as_ref(), &restored.key_file());
        assert_eq!(search.find(&inside), None, "{arguments:?}");
        restored.done(&["restore", "--confirm", "cancel"]);
    }
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
