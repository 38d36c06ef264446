//! The rehearsal company over two months: exactly those who joined, moved, left
//! and came back are found, each with a class and a reason.

use std::collections::{BTreeMap, BTreeSet};

use muster_engine::run::Made;
use muster_model::PersonId;
use muster_model::report::{Class, Outcome};
use muster_sandbox::company::{Company, Employee, Rehearsal};

use crate::world::{DatabaseKind, Setting, World, rehearsal};

/// An employee as this vendor shows them: the manager is that of the
/// department, except for the manager of it.
fn as_shown(company: &Company, employee: &Employee) -> Employee {
    let mut shown = employee.clone();
    shown.version = 0;
    shown.changed = jiff::civil::Date::default();
    for engagement in &mut shown.engagements {
        engagement.version = 0;
    }
    shown.manager = company
        .departments
        .iter()
        .find(|department| Some(department.id) == employee.department)
        .and_then(|department| department.manager)
        .filter(|manager| *manager != employee.id);
    // This vendor has no private address.
    shown.personal_email = None;
    shown
}

/// Which records stand in a plan in which class.
fn classes(made: &Made) -> BTreeMap<Class, BTreeSet<u64>> {
    let mut classes: BTreeMap<Class, BTreeSet<u64>> = BTreeMap::new();
    for change in &made.planned.as_ref().unwrap().plan.changes {
        assert!(
            !change.reasons.is_empty() || class_needs_no_reason(change),
            "{change:?}"
        );
        let id = change.external_id.as_ref().unwrap().as_str();
        classes
            .entry(change.class().unwrap())
            .or_default()
            .insert(id.parse().unwrap());
    }
    classes
}

/// A row that only sets fields explains itself: each field stands with both values.
fn class_needs_no_reason(change: &muster_model::Change) -> bool {
    change.class() == Some(Class::Updated)
}

/// What the books of two days say that a sync must do.
fn expected(
    rehearsal: &Rehearsal,
    first: i32,
    second: i32,
    known: &BTreeMap<u64, PersonId>,
) -> BTreeMap<Class, BTreeSet<u64>> {
    let books = rehearsal.between(first, second);
    let (before, after) = (rehearsal.on_day(first), rehearsal.on_day(second));
    let earlier: BTreeMap<u64, &Employee> =
        before.employees.iter().map(|one| (one.id, one)).collect();
    let mut expected: BTreeMap<Class, BTreeSet<u64>> = BTreeMap::new();
    let mut put = |class, id| {
        expected.entry(class).or_default().insert(id);
    };
    for employee in &after.employees {
        let id = employee.id;
        let is_known = known.contains_key(&id);
        let moved = earlier
            .get(&id)
            .is_some_and(|one| as_shown(&before, one) != as_shown(&after, employee));
        if !is_known {
            if employee.work_email.is_none() || !employee.is_running_on(after.as_of) {
                continue;
            }
            // An address that was somebody else's names nobody for sure.
            if books.joiners_with_used_email.contains(&id) {
                put(Class::Ambiguous, id);
            } else {
                put(Class::Created, id);
            }
        } else if books.leavers.contains(&id) {
            put(Class::Suspended, id);
        } else if books.returners.contains(&id) {
            put(Class::Restored, id);
        } else if moved {
            put(Class::Updated, id);
        }
    }
    expected
}

/// The reports of two months, and how many rows of each class there were.
async fn two_months(
    database: DatabaseKind,
    people: u32,
    seed: u64,
    rows_by_class: &mut BTreeMap<Class, usize>,
) -> Vec<serde_json::Value> {
    let rehearsal = rehearsal(people, seed);
    let world = World::new(Setting {
        database,
        page_size: 40,
        ..Setting::rehearsed(&rehearsal, 0)
    })
    .await;
    let mut reports = Vec::new();

    let first = world.sync().await;
    let company = rehearsal.on_day(0);
    let created: BTreeSet<u64> = world.linked().await.into_keys().collect();
    let should: BTreeSet<u64> = company
        .employees
        .iter()
        .filter(|one| one.work_email.is_some() && one.is_running_on(company.as_of))
        .map(|one| one.id)
        .collect();
    assert_eq!(created, should, "{people} people, seed {seed}");
    assert_eq!(first.report.outcome, Outcome::Ok);
    let without_address = company
        .employees
        .iter()
        .filter(|one| one.work_email.is_none())
        .count() as u64;
    assert_eq!(first.report.people.out_of_scope, without_address);
    assert_eq!(first.report.people.read, company.employees.len() as u64);
    assert_eq!(
        first.report.counts.total() + first.report.people.out_of_scope,
        first.report.people.read
    );
    reports.push(anonymous(&first));
    world.let_everybody_in().await;

    for (from, to) in [(0, 30), (30, 60)] {
        let known = world.linked().await;
        world.turn_to(rehearsal.on_day(to));
        let made = world.sync().await;
        let found = classes(&made);
        let should = expected(&rehearsal, from, to, &known);
        assert_eq!(found, should, "{people} people, seed {seed}, day {to}");
        reports.push(anonymous(&made));
        for (class, rows) in &found {
            *rows_by_class.entry(*class).or_default() += rows.len();
        }

        let before = world.directory().await;
        let again = world.sync().await;
        let rows: Vec<_> = again
            .planned
            .as_ref()
            .unwrap()
            .plan
            .changes
            .iter()
            .filter(|change| change.class() != Some(Class::Ambiguous))
            .collect();
        assert!(rows.is_empty(), "{rows:?}");
        assert_eq!(before.differences(&world.directory().await), [""; 0]);
        reports.push(anonymous(&again));
        world.let_everybody_in().await;
    }
    world.end().await;
    reports
}

/// A report without what differs between two worlds.
fn anonymous(made: &Made) -> serde_json::Value {
    let mut report = serde_json::to_value(&made.report).unwrap();
    for name in ["run", "connection", "audit"] {
        report.as_object_mut().unwrap().remove(name);
    }
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ple_11_bey_17_a_rehearsal_finds_exactly_who_joined_moved_left_and_came_back() {
    let mut rows_by_class = BTreeMap::new();
    for people in [9, 60, 250] {
        for seed in [1, 2, 7] {
            let mut reports = Vec::new();
            for database in DatabaseKind::all() {
                reports.push(two_months(database, people, seed, &mut rows_by_class).await);
            }
            if let [sqlite, postgres] = reports.as_slice() {
                assert_eq!(sqlite, postgres, "{people} people, seed {seed}");
            }
        }
    }
    // A rehearsal in which nothing happens would prove nothing. Nobody who was known
    // comes back in these two months: that is a hard case of its own.
    for class in [Class::Created, Class::Suspended, Class::Updated] {
        assert!(rows_by_class.contains_key(&class), "nobody is {class:?}");
    }
}
