//! What holds between the days of a rehearsal year.

use std::collections::{BTreeMap, BTreeSet};

use super::firm_tests::{DAYS, SEEDS, SIZES, rehearsal};
use super::*;

/// The days from which a reader may read again thirty days later.
fn windows() -> impl Iterator<Item = (i32, i32)> {
    (0..=335).map(|day| (day, day + 30))
}

fn own_fields(employee: &Employee) -> Employee {
    Employee {
        version: 0,
        changed: jiff::civil::Date::default(),
        engagements: Vec::new(),
        ..employee.clone()
    }
}

fn by_id(company: &Company) -> BTreeMap<u64, &Employee> {
    company
        .employees
        .iter()
        .map(|employee| (employee.id, employee))
        .collect()
}

#[test]
fn a_version_grows_exactly_when_its_record_changes_and_no_record_vanishes() {
    let mut grown = 0;
    for people in SIZES {
        for seed in SEEDS {
            let rehearsal = rehearsal(people, seed);
            let states: Vec<Company> = DAYS.iter().map(|day| rehearsal.on_day(*day)).collect();
            for pair in states.windows(2) {
                let later = by_id(&pair[1]);
                for before in &pair[0].employees {
                    let after = later.get(&before.id).expect("records stay");
                    assert!(after.version >= before.version);
                    let changed = own_fields(before) != own_fields(after);
                    assert_eq!(changed, after.version > before.version);
                    grown += usize::from(changed);
                    for (one, other) in before.engagements.iter().zip(&after.engagements) {
                        assert_eq!(one.id, other.id);
                        let mut same_version = other.clone();
                        same_version.version = one.version;
                        assert_eq!(*one != same_version, other.version > one.version);
                    }
                }
                for (one, other) in pair[0].departments.iter().zip(&pair[1].departments) {
                    assert_eq!(one.manager != other.manager, other.version > one.version);
                    assert_eq!((one.id, &one.name), (other.id, &other.name));
                }
            }
        }
    }
    assert!(grown > 300, "{grown}");
}

#[test]
fn what_two_days_show_agrees_with_the_list_of_changes() {
    for people in SIZES {
        for seed in SEEDS {
            let rehearsal = rehearsal(people, seed);
            for (first, second) in [
                (-30, 0),
                (0, 30),
                (30, 60),
                (60, 150),
                (17, 203),
                (0, 365),
                (365, 400),
            ] {
                let shown = rehearsal.between(first, second);
                let listed = rehearsal.tally(first, second);
                assert_eq!(
                    shown, listed,
                    "{people} people, seed {seed}, {first} to {second}"
                );
            }
        }
    }
}

#[test]
fn the_list_of_changes_is_in_order_and_adds_up_to_the_year() {
    let rehearsal = rehearsal(250, 1);
    let changes = rehearsal.changes();
    assert!(changes.windows(2).all(|pair| pair[0].day <= pair[1].day));
    assert!(changes.iter().all(|change| (1..=365).contains(&change.day)));
    let count = |kind| changes.iter().filter(|change| change.kind == kind).count();
    let before = rehearsal.on_day(0).employees.len();
    assert_eq!(
        rehearsal.on_day(365).employees.len(),
        before + count(ChangeKind::Joined)
    );
    assert_eq!(count(ChangeKind::Converted), 1);
    assert_eq!(count(ChangeKind::TookOver), 1);
    assert!((28..=36).contains(&count(ChangeKind::Joined)));
    assert!((24..=32).contains(&count(ChangeKind::Left)));
    assert!((50..=80).contains(&count(ChangeKind::Moved)));
    assert_eq!(count(ChangeKind::Returned), 3);
}

/// Every change is written with the values that are new, under the names that the list gives.
#[test]
fn the_values_of_a_change_hold_its_fields() {
    let rehearsal = rehearsal(250, 2);
    let changes = rehearsal.changes();
    let lines = rehearsal.change_lines();
    assert_eq!(changes.len(), lines.len());
    for (change, line) in changes.iter().zip(&lines) {
        assert_eq!(line["external_id"], change.employee.to_string());
        assert_eq!(line["day"], change.day);
        let values = line["values"].as_object().expect("an object");
        assert!(!values.is_empty());
        for field in change.fields {
            // Who has nobody above both before and after keeps that.
            let may_stay = *field == "manager_external_id" && change.kind != ChangeKind::Moved;
            assert!(
                values.contains_key(*field) || may_stay,
                "{change:?}: {values:?}"
            );
        }
    }
}

#[test]
fn thirty_days_of_a_firm_of_200_or_more_have_one_of_each_kind() {
    for people in [200, 250, 333, 2_000] {
        for seed in SEEDS {
            let rehearsal = rehearsal(people, seed);
            for (first, second) in windows() {
                let expected = rehearsal.tally(first, second);
                let label = format!("{people} people, seed {seed}, from day {first}");
                assert!(!expected.joiners.is_empty(), "{label}");
                assert!(!expected.leavers.is_empty(), "{label}");
                assert!(!expected.movers.is_empty(), "{label}");
            }
        }
    }
}

/// Brakes hold a kind of change above a floor or a share of the people (the
/// project's table of brakes); an ordinary month must stay below all of them.
#[test]
fn no_thirty_days_make_a_brake_hold() {
    for people in [1, 2, 3, 9, 20, 60, 250, 2_000] {
        for seed in SEEDS {
            let rehearsal = rehearsal(people, seed);
            let changes = rehearsal.changes();
            let limit = |floor: usize, percent: usize| floor.max(people as usize * percent / 100);
            for (first, second) in windows() {
                let label = format!("{people} people, seed {seed}, from day {first}");
                let expected = rehearsal.tally(first, second);
                let within = || changes.iter().filter(|c| first < c.day && c.day <= second);
                let field = |name: &str| within().filter(|c| c.fields.contains(&name)).count();
                assert!(expected.leavers.len() <= limit(3, 10), "{label}");
                assert!(expected.joiners.len() <= limit(20, 20), "{label}");
                assert!(field("work_email") <= limit(2, 2), "{label}");
                assert!(field("manager_external_id") <= limit(10, 20), "{label}");
            }
        }
    }
}

/// Where only departments have managers, a succession changes the manager of everybody in one.
#[test]
fn a_succession_stays_below_the_brake_where_departments_have_the_managers() {
    let mut successions = 0;
    for people in [60, 61, 100, 250] {
        for seed in SEEDS {
            let rehearsal = rehearsal(people, seed);
            for first in (0..=330).step_by(30) {
                let (before, after) = (rehearsal.on_day(first), rehearsal.on_day(first + 30));
                let head = |company: &Company, employee: &Employee| {
                    company
                        .departments
                        .iter()
                        .find(|d| Some(d.id) == employee.department)
                        .and_then(|d| d.manager)
                };
                let later = by_id(&after);
                let changed = before
                    .employees
                    .iter()
                    .filter(|e| head(&before, e) != later.get(&e.id).and_then(|l| head(&after, l)))
                    .count();
                assert!(
                    changed <= 10.max(people as usize / 5),
                    "{people} people, seed {seed}, day {first}"
                );
                successions += before
                    .departments
                    .iter()
                    .zip(&after.departments)
                    .filter(|(b, a)| b.manager != a.manager)
                    .count();
            }
        }
    }
    assert!(successions >= 12, "{successions}");
}

#[test]
fn the_first_thirty_days_hold_ordinary_changes_only() {
    for people in SIZES {
        for seed in SEEDS {
            let month = rehearsal(people, seed).between(0, 30);
            assert!(
                month.joiners_with_used_email.is_empty() && month.rejoined_under_new_id.is_empty()
            );
        }
    }
}

#[test]
fn a_stale_answer_can_be_told_from_a_fresh_one_in_firms_of_any_size() {
    for people in SIZES {
        for seed in SEEDS {
            let rehearsal = rehearsal(people, seed);
            let (fresh, stale) = (rehearsal.on_day(0), rehearsal.shifted(0));
            assert_eq!(stale, rehearsal.on_day(-30));
            assert_eq!(stale.account_id, fresh.account_id);
            assert!(!rehearsal.between(-30, 0).changed.is_empty());
        }
    }
}

#[test]
fn days_outside_the_year_show_its_first_and_last_people() {
    let rehearsal = rehearsal(250, 1);
    assert_eq!(
        rehearsal.on_day(365).employees,
        rehearsal.on_day(800).employees
    );
    assert_eq!(
        rehearsal.on_day(-30).employees,
        rehearsal.on_day(-90).employees
    );
    assert!(rehearsal.on_day(800).as_of > rehearsal.on_day(365).as_of);
    // Not even a day that no calendar has makes it fail.
    assert_eq!(
        rehearsal.on_day(i32::MAX).employees.len(),
        rehearsal.on_day(365).employees.len()
    );
}

fn case(rehearsal: &Rehearsal, kind: HardCaseKind) -> HardCase {
    let found: Vec<HardCase> = rehearsal
        .hard_cases()
        .into_iter()
        .filter(|case| case.kind == kind)
        .collect();
    assert_eq!(found.len(), 1, "{kind:?}");
    found.into_iter().next().expect("just counted")
}

/// The state of a case's nth record before and on its day.
fn around(rehearsal: &Rehearsal, case: &HardCase, nth: usize) -> (Option<Employee>, Employee) {
    let find = |day: i32| {
        rehearsal
            .employees_on(day)
            .find(|e| e.id == case.employees[nth])
    };
    (
        find(case.day - 1),
        find(case.day).expect("there on its day"),
    )
}

fn large_firms() -> impl Iterator<Item = Rehearsal> {
    [60, 61, 250, 400]
        .into_iter()
        .flat_map(|people| SEEDS.map(|seed| rehearsal(people, seed)))
}

#[test]
fn hard_cases_are_in_every_firm_of_60_and_in_no_smaller_one() {
    for people in [1, 2, 3, 9, 59] {
        assert!(rehearsal(people, 1).hard_cases().is_empty());
    }
    for rehearsal in large_firms() {
        let kinds: BTreeSet<HardCaseKind> = rehearsal.hard_cases().iter().map(|c| c.kind).collect();
        assert_eq!(kinds.len(), 13);
    }
}

#[test]
fn people_of_the_same_name_have_different_birth_dates() {
    for rehearsal in large_firms() {
        let case = case(&rehearsal, HardCaseKind::SameName);
        let (one, other) = (
            around(&rehearsal, &case, 0).1,
            around(&rehearsal, &case, 1).1,
        );
        assert_eq!(
            (&one.given_name, &one.family_name),
            (&other.given_name, &other.family_name)
        );
        assert_ne!(one.date_of_birth, other.date_of_birth);
        assert!(one.work_email.is_some() && one.work_email != other.work_email);
    }
}

#[test]
fn a_changed_surname_keeps_or_changes_the_address() {
    for rehearsal in large_firms() {
        for (kind, kept) in [
            (HardCaseKind::SurnameChanged, true),
            (HardCaseKind::SurnameAndAddressChanged, false),
        ] {
            let case = case(&rehearsal, kind);
            let (before, after) = around(&rehearsal, &case, 0);
            let before = before.expect("was there");
            assert_ne!(before.family_name, after.family_name);
            assert_eq!(before.given_name, after.given_name);
            assert_eq!(before.work_email == after.work_email, kept);
            assert!(after.work_email.is_some());
        }
    }
}

#[test]
fn a_recycled_address_passes_from_one_who_left_to_one_who_joins() {
    for rehearsal in large_firms() {
        for (kind, listed) in [
            (HardCaseKind::RecycledEmail, false),
            (HardCaseKind::RecycledEmailStillListed, true),
        ] {
            let case = case(&rehearsal, kind);
            let (old_before, old) = around(&rehearsal, &case, 0);
            let (new_before, new) = around(&rehearsal, &case, 1);
            let old_before = old_before.expect("the record stays");
            assert!(new_before.is_none());
            assert!(new.work_email.is_some() && new.work_email == old_before.work_email);
            assert_eq!(old.work_email.is_some(), listed);
            let company = rehearsal.on_day(case.day);
            assert!(new.is_running_on(company.as_of) && !old.is_running_on(company.as_of));
            assert_ne!(new.date_of_birth, old.date_of_birth);
            let month = rehearsal.between(case.day - 1, case.day);
            assert!(month.joiners_with_used_email.contains(&new.id));
        }
    }
}

#[test]
fn a_contractor_becomes_an_employee_with_days_of_overlap() {
    for rehearsal in large_firms() {
        let case = case(&rehearsal, HardCaseKind::ContractorBecomesEmployee);
        let (before, after) = around(&rehearsal, &case, 0);
        let before = before.expect("was there");
        assert_eq!(before.engagements.len(), 1);
        assert_eq!(before.engagements[0].kind, EngagementKind::Contractor);
        assert_eq!(after.engagements[1].kind, EngagementKind::Employee);
        let end = after.engagements[0].end_date.expect("known in advance");
        assert!(end > after.engagements[1].start_date);
        assert_eq!(
            after.engagements[0].end_reason,
            Some(EndReason::InternalChange)
        );
        let year = rehearsal.between(0, 365);
        assert!(!year.leavers.contains(&after.id) && year.movers.contains(&after.id));
    }
}

#[test]
fn people_come_back_under_the_same_id_or_a_new_one() {
    for rehearsal in large_firms() {
        let company = rehearsal.on_day(0);
        let year = rehearsal.between(0, 365);

        let same = case(&rehearsal, HardCaseKind::RehiredSameId);
        let old = company
            .employees
            .iter()
            .find(|e| e.id == same.employees[0])
            .expect("a former one");
        assert!(!old.is_running_on(company.as_of) && year.returners.contains(&old.id));

        let left = case(&rehearsal, HardCaseKind::LeftAndReturned);
        let (before, after) = around(&rehearsal, &left, 0);
        let day = rehearsal.on_day(left.day).as_of;
        assert!(before.is_some_and(|e| !e.is_running_on(day)) && after.is_running_on(day));
        assert!(rehearsal.between(0, 90).leavers.contains(&after.id));
        assert!(
            year.movers.contains(&after.id),
            "left and returned: neither in the end"
        );

        let new = case(&rehearsal, HardCaseKind::RehiredNewId);
        let (_, old) = around(&rehearsal, &new, 0);
        let (none, again) = around(&rehearsal, &new, 1);
        assert!(none.is_none() && old.national_id.is_some());
        assert_eq!(old.national_id, again.national_id);
        assert_eq!(old.date_of_birth, again.date_of_birth);
        assert_ne!(old.work_email, again.work_email);
        assert!(year.rejoined_under_new_id.contains(&again.id));
    }
}

#[test]
fn some_lack_an_address_or_a_number_and_some_manage_in_a_circle() {
    for rehearsal in large_firms() {
        let of = |kind| around(&rehearsal, &case(&rehearsal, kind), 0).1;
        assert_eq!(of(HardCaseKind::NoEmail).work_email, None);
        assert_eq!(of(HardCaseKind::NoEmployeeNumber).employee_number, None);

        let company = rehearsal.on_day(0);
        let department_of = |id: u64| {
            company
                .departments
                .iter()
                .find(|d| d.manager == Some(id))
                .map(|d| d.id)
        };
        let own = of(HardCaseKind::SelfManager);
        assert_eq!(own.manager, Some(own.id));
        assert_eq!(own.department, department_of(own.id));

        let cycle = case(&rehearsal, HardCaseKind::ManagerCycle);
        let (one, other) = (
            around(&rehearsal, &cycle, 0).1,
            around(&rehearsal, &cycle, 1).1,
        );
        assert_eq!((one.manager, other.manager), (Some(other.id), Some(one.id)));
        assert_eq!(one.department, department_of(other.id));
        assert_eq!(other.department, department_of(one.id));
    }
}
