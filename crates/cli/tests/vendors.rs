//! The main job over every vendor that has a simulator, with the real binary: a
//! company is connected and synced, thirty days pass, and then its HR system has
//! each of its bad days.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what supports a test may panic and print, like the test"
)]

mod muster;

use std::collections::BTreeMap;

use muster::{Database, Muster};
use serde_json::Value;

const PEOPLE: u32 = 120;
const SEED: u64 = 2;
/// What every vendor's simulator shows.
const FAULTS: [&str; 11] = [
    "empty",
    "short-page",
    "truncated-body",
    "throttle",
    "server-error",
    "expired-token",
    "permission-loss",
    "duplicate-rows",
    "wrong-company",
    "stale",
    MOVING_PAGES,
];
/// While pages move somebody truly joins, whom a read of several pages may find;
/// it is the last of the days, because the next one knows nothing of them.
const MOVING_PAGES: &str = "moving-pages";

fn number(report: &Value, path: &str) -> u64 {
    report
        .pointer(path)
        .and_then(Value::as_u64)
        .unwrap_or_else(|| panic!("no {path} in {report}"))
}

/// Everybody, by their id.
fn people(muster: &Muster) -> BTreeMap<String, Value> {
    muster
        .lines(&["people", "--format", "ndjson"])
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .map(|person: Value| (person["id"].as_str().unwrap().to_owned(), person))
        .collect()
}

/// Nobody is lost or new but so many who truly joined, nobody's employment or access is another, and whoever
/// is employed has every field that they had.
fn nothing_is_destroyed(
    fault: &str,
    before: &BTreeMap<String, Value>,
    muster: &Muster,
    joined: usize,
) {
    let after = people(muster);
    assert_eq!(after.len(), before.len() + joined, "{fault}");
    for (id, was) in before {
        let is = (after.get(id)).unwrap_or_else(|| panic!("{fault}: {id} is gone"));
        for field in ["employment", "access", "status"] {
            assert_eq!(was[field], is[field], "{fault}: {field} of {id}");
        }
        if was["employment"] == "ended" {
            continue;
        }
        for (field, value) in was.as_object().unwrap() {
            let lost = !value.is_null() && is.get(field).is_none_or(Value::is_null);
            assert!(!lost, "{fault}: {id} has lost {field}");
        }
    }
}

fn the_story_of(vendor: &str, database: Database) {
    let muster = Muster::new(database);
    let seed = SEED.to_string();
    let people_wanted = PEOPLE.to_string();
    let company = ["--people", &people_wanted, "--seed", &seed];
    let sandbox = muster.sandbox_of(vendor, &company, None);
    let address = sandbox.address();
    muster.done(&["org", "create", "Nordlys Øst AS"]);
    muster.json(&sandbox.connect("hr", "provision"));
    let first = muster.json(&["sync", "hr", "--format", "json"]);
    let created = number(&first, "/counts/created");
    assert!(created > 100, "{first}");
    let again = muster.json(&["sync", "hr", "--format", "json"]);
    assert_eq!(number(&again, "/counts/unchanged"), created, "{again}");
    sandbox.stop();

    let books = muster.rehearsed(PEOPLE, SEED);
    assert!(books.joiners > 0 && books.leavers > 0);
    let at_day_30 = |faults: &[&str]| {
        let mut arguments = company.to_vec();
        arguments.extend(["--day", "30"]);
        for fault in faults {
            arguments.extend(["--fault", fault]);
        }
        muster.sandbox_of(vendor, &arguments, Some(&address))
    };
    let month = at_day_30(&[]);
    let report = muster.json(&["sync", "hr", "--format", "json"]);
    assert_eq!(
        number(&report, "/counts/created"),
        books.joiners,
        "{report}"
    );
    let left = number(&report, "/counts/suspended") + number(&report, "/counts/ended");
    assert_eq!(left, books.leavers, "{report}");
    month.stop();

    let before = people(&muster);
    let mut joined = 0;
    for fault in FAULTS {
        let ill = at_day_30(&[fault]);
        let output = muster.run(&["sync", "hr", "--format", "json"]);
        assert!(
            [0, 1, 3].contains(&output.code),
            "{fault}: {}",
            output.words
        );
        let report: Value = serde_json::from_str(&output.data).unwrap();
        for class in ["restored", "suspended", "ended", "failed"] {
            let rows = number(&report, &format!("/counts/{class}"));
            assert_eq!(rows, 0, "{fault}: {class} in {report}");
        }
        joined = number(&report, "/counts/created");
        let most = u64::from(fault == MOVING_PAGES);
        assert!(joined <= most, "{fault}: created in {report}");
        nothing_is_destroyed(fault, &before, &muster, usize::try_from(joined).unwrap());
        ill.stop();
    }
    let _well = at_day_30(&[]);
    let report = muster.json(&["sync", "hr", "--format", "json"]);
    assert_eq!(report["outcome"], "ok", "{report}");
    let joined = usize::try_from(joined).unwrap();
    nothing_is_destroyed("none any more", &before, &muster, joined);
}

fn on_postgresql(vendor: &str) {
    if let Some(database) = Database::postgres() {
        the_story_of(vendor, database);
    }
}

#[test]
fn bamboohr_s_year_and_its_bad_days_on_sqlite() {
    the_story_of("bamboohr", Database::Sqlite);
}

#[test]
fn bamboohr_s_year_and_its_bad_days_on_postgresql() {
    on_postgresql("bamboohr");
}

#[test]
fn google_workspace_s_year_and_its_bad_days_on_sqlite() {
    the_story_of("google-workspace", Database::Sqlite);
}

#[test]
fn google_workspace_s_year_and_its_bad_days_on_postgresql() {
    on_postgresql("google-workspace");
}

#[test]
fn tripletex_s_year_and_its_bad_days_on_sqlite() {
    the_story_of("tripletex", Database::Sqlite);
}

#[test]
fn workday_soap_s_year_and_its_bad_days_on_sqlite() {
    the_story_of("workday-soap", Database::Sqlite);
}

#[test]
fn workday_soap_s_year_and_its_bad_days_on_postgresql() {
    on_postgresql("workday-soap");
}

#[test]
fn workday_s_year_and_its_bad_days_on_sqlite() {
    the_story_of("workday", Database::Sqlite);
}

#[test]
fn workday_s_year_and_its_bad_days_on_postgresql() {
    on_postgresql("workday");
}

/// The sample company's file, from the simulator into the directory: everybody has
/// the manager that the file says.
fn the_sample_company_keeps_its_managers(vendor: &str) {
    let file = format!(
        "{}/../sandbox/data/oracle-hr/employees.csv",
        env!("CARGO_MANIFEST_DIR")
    );
    let written = std::fs::read_to_string(&file).unwrap();
    let expected: BTreeMap<String, Option<String>> = written
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>())
        .map(|cells| {
            let manager = (!cells[7].is_empty()).then(|| cells[7].to_owned());
            (cells[0].to_owned(), manager)
        })
        .collect();
    assert_eq!(expected.len(), 107);
    let muster = Muster::new(Database::Sqlite);
    let sandbox = muster.sandbox_of(vendor, &["--from", &file], None);
    muster.done(&["org", "create", "Sample Company"]);
    muster.json(&sandbox.connect("hr", "provision"));
    let report = muster.json(&["sync", "hr", "--format", "json"]);
    assert_eq!(number(&report, "/counts/created"), 107, "{report}");
    let people = people(&muster);
    let number = |id: &str| people[id]["employee_number"].as_str().unwrap().to_owned();
    let found: BTreeMap<String, Option<String>> = people
        .iter()
        .map(|(id, person)| {
            let manager = person.get("manager").and_then(Value::as_str).map(number);
            (number(id), manager)
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn workday_soap_keeps_the_sample_company_s_managers() {
    the_sample_company_keeps_its_managers("workday-soap");
}

#[test]
fn workday_keeps_the_sample_company_s_managers() {
    the_sample_company_keeps_its_managers("workday");
}

#[test]
fn sap_successfactors_s_year_and_its_bad_days_on_sqlite() {
    the_story_of("sap-successfactors", Database::Sqlite);
}

#[test]
fn sap_successfactors_s_year_and_its_bad_days_on_postgresql() {
    on_postgresql("sap-successfactors");
}

#[test]
fn humaans_s_year_and_its_bad_days_on_sqlite() {
    the_story_of("humaans", Database::Sqlite);
}

#[test]
fn humaans_s_year_and_its_bad_days_on_postgresql() {
    on_postgresql("humaans");
}

#[test]
fn sap_successfactors_keeps_the_sample_company_s_managers() {
    the_sample_company_keeps_its_managers("sap-successfactors");
}

#[test]
fn humaans_keeps_the_sample_company_s_managers() {
    the_sample_company_keeps_its_managers("humaans");
}
