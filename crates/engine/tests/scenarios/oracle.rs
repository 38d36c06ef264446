//! A well-known sample company of 107 people, through the simulator, from one
//! file to the directory: with numbers that anybody can check against the file.

use std::collections::BTreeMap;

use muster_model::report::Outcome;
use muster_model::{Field, PersonId};
use muster_sandbox::company::{Company, CsvOptions, DEFAULT_YEAR_START};

use crate::world::{DatabaseKind, Setting, World, rehearsal};

const EMPLOYEES: &str = include_str!("../../../sandbox/data/oracle-hr/employees.csv");
const JOB_HISTORY: &str = include_str!("../../../sandbox/data/oracle-hr/job-history.csv");

/// The manager of each department: whom most of its people name as theirs, of
/// several the one with the lowest number.
const MANAGERS: [(&str, &str); 11] = [
    ("Accounting", "101"),
    ("Administration", "101"),
    ("Executive", "100"),
    ("Finance", "108"),
    ("Human Resources", "101"),
    ("IT", "103"),
    ("Marketing", "100"),
    ("Public Relations", "101"),
    ("Purchasing", "114"),
    ("Sales", "145"),
    ("Shipping", "120"),
];

/// How many people get which manager. Seven have none: six who manage the
/// department that they are in, and one who is in none.
const REPORTS: [(&str, usize); 7] = [
    ("100", 4),
    ("101", 5),
    ("103", 4),
    ("108", 5),
    ("114", 5),
    ("120", 44),
    ("145", 33),
];

/// People whose number the file gives as an American one; the other 35 have
/// British numbers without a plus, which no region makes readable.
const READABLE: usize = 72;

fn sample() -> Company {
    let options = CsvOptions {
        account_id: 93_000_107,
        name: "Sample Company".to_owned(),
        country: "US".to_owned(),
        as_of: DEFAULT_YEAR_START,
    };
    let mut company = Company::from_csv(EMPLOYEES.as_bytes(), options).unwrap();
    company.add_job_history(JOB_HISTORY.as_bytes()).unwrap();
    company
}

async fn world(region: &'static str) -> World {
    World::new(Setting {
        database: DatabaseKind::of_this_run(),
        company: sample(),
        other_company: rehearsal(9, 1).other_company(),
        earlier: sample(),
        page_size: 25,
        region,
        seed: 1,
        record: true,
    })
    .await
}

#[tokio::test]
async fn the_sample_company_arrives_whole_with_its_managers() {
    let world = world("US").await;
    let made = world.sync().await;
    let report = &made.report;
    assert_eq!(report.outcome, Outcome::Ok);
    assert_eq!(report.people.read, 107);
    assert_eq!(report.counts.created, 107);
    assert_eq!(report.people.out_of_scope, 0);
    assert_eq!(report.counts.ignored, 0);
    assert_eq!(report.counts.total(), 107);
    assert_eq!(report.evidence.pages, 5);

    let people = world.people().await;
    let number = |person: &muster_model::Person| {
        person
            .fields
            .text(Field::EmployeeNumber)
            .unwrap()
            .to_owned()
    };
    let numbers: BTreeMap<PersonId, String> = people
        .iter()
        .map(|person| (person.id, number(person)))
        .collect();
    let mut managers: BTreeMap<String, String> = BTreeMap::new();
    let mut reports: BTreeMap<String, usize> = BTreeMap::new();
    let mut without = 0;
    for person in &people {
        let Some(manager) = person.manager else {
            without += 1;
            continue;
        };
        let manager = numbers[&manager].clone();
        let department = person.fields.text(Field::Department).unwrap().to_owned();
        let before = managers.insert(department, manager.clone());
        assert!(before.is_none_or(|before| before == manager));
        *reports.entry(manager).or_default() += 1;
    }
    let told = |pairs: &BTreeMap<String, String>| {
        pairs
            .iter()
            .map(|(department, manager)| format!("{department}: {manager}"))
            .collect::<Vec<_>>()
    };
    let expected =
        MANAGERS.map(|(department, manager)| (department.to_owned(), manager.to_owned()));
    assert_eq!(told(&managers), told(&expected.into()));
    assert_eq!(
        reports,
        REPORTS
            .map(|(manager, people)| (manager.to_owned(), people))
            .into()
    );
    assert_eq!(without, 7);

    // The vendor knows no manager of an employee, only of a department.
    let mut rows = 0;
    for exchange in world.sandbox.exchanges() {
        if !exchange.path.ends_with("/employee") {
            continue;
        }
        let body: serde_json::Value =
            serde_json::from_str(exchange.response_body.as_deref().unwrap()).unwrap();
        for row in body["values"].as_array().unwrap() {
            rows += 1;
            let fields = row.as_object().unwrap();
            assert!(
                fields
                    .keys()
                    .all(|name| !name.to_lowercase().contains("manager")),
                "an employee with a manager"
            );
        }
    }
    assert_eq!(rows, 107);

    let again = world.sync_well().await;
    assert_eq!(again.counts.unchanged, 107);
    world.end().await;
}

#[tokio::test]
async fn a_telephone_number_needs_its_region_and_counts_as_absent_without() {
    for (region, readable) in [("US", READABLE), ("NO", 0)] {
        let world = world(region).await;
        let made = world.sync().await;
        assert_eq!(made.report.counts.created, 107, "{region}");
        let people = world.people().await;
        let phones: Vec<&str> = people
            .iter()
            .filter_map(|person| person.fields.text(Field::Phone))
            .collect();
        assert_eq!(phones.len(), readable, "{region}");
        assert!(phones.iter().all(|phone| phone.starts_with("+1")));
        let reported = made
            .planned
            .unwrap()
            .plan
            .changes
            .iter()
            .flat_map(|change| &change.reasons)
            .filter(|reason| {
                reason.code == "field.unreadable" && reason.detail.starts_with("phone: ")
            })
            .count();
        assert_eq!(reported + phones.len(), 107, "{region}");
        world.end().await;
    }
}
