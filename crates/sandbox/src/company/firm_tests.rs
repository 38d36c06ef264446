//! What holds in every firm on every day, whatever its size and seed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;

use super::*;

pub(super) const SIZES: [u32; 7] = [1, 2, 3, 9, 60, 250, 2_000];
pub(super) const SEEDS: [u64; 3] = [1, 2, 40_417];
pub(super) const DAYS: [i32; 7] = [-30, 0, 1, 30, 95, 200, 365];

pub(super) fn rehearsal(people: u32, seed: u64) -> Rehearsal {
    Rehearsal::new(RehearsalSpec {
        people,
        seed,
        year_start: DEFAULT_YEAR_START,
    })
    .expect("a size and year in range")
}

fn every_firm(mut check: impl FnMut(&Rehearsal, &Company, &str)) {
    for people in SIZES {
        for seed in SEEDS {
            let rehearsal = rehearsal(people, seed);
            for day in DAYS {
                let label = format!("{people} people, seed {seed}, day {day}");
                check(&rehearsal, &rehearsal.on_day(day), &label);
            }
        }
    }
}

fn ascending(ids: impl IntoIterator<Item = u64>) -> bool {
    let ids: Vec<u64> = ids.into_iter().collect();
    ids.windows(2).all(|pair| pair[0] < pair[1])
}

/// The records that two hard cases share an address or an identity between.
fn sharing(rehearsal: &Rehearsal, kind: HardCaseKind) -> BTreeSet<u64> {
    let cases = rehearsal.hard_cases().into_iter();
    cases
        .filter(|case| case.kind == kind)
        .flat_map(|case| case.employees)
        .collect()
}

#[test]
fn day_0_has_as_many_records_as_were_asked_for() {
    for people in SIZES {
        for seed in SEEDS {
            let company = rehearsal(people, seed).on_day(0);
            assert_eq!(company.employees.len(), people as usize);
            assert_eq!(company.as_of, date(2025, 1, 1));
            let running = company
                .employees
                .iter()
                .filter(|e| e.is_running_on(company.as_of))
                .count();
            if people >= 60 {
                assert!(running < people as usize && running * 10 > people as usize * 9);
            }
        }
    }
}

#[test]
fn ids_are_unique_and_ascending() {
    every_firm(|_, company, label| {
        assert!(
            ascending(company.departments.iter().map(|d| d.id)),
            "{label}"
        );
        assert!(ascending(company.employees.iter().map(|e| e.id)), "{label}");
        let engagements = || company.employees.iter().flat_map(|e| &e.engagements);
        assert!(ascending(engagements().map(|e| e.id)), "{label}");
        assert!(
            ascending(engagements().flat_map(|e| &e.periods).map(|p| p.id)),
            "{label}"
        );
        let numbers: Vec<&String> = company
            .employees
            .iter()
            .filter_map(|e| e.employee_number.as_ref())
            .collect();
        assert_eq!(
            numbers.iter().collect::<BTreeSet<_>>().len(),
            numbers.len(),
            "{label}"
        );
    });
}

#[test]
fn managers_and_departments_exist_and_heads_are_at_work() {
    every_firm(|_, company, label| {
        let employees: BTreeMap<u64, &Employee> =
            company.employees.iter().map(|e| (e.id, e)).collect();
        let departments: BTreeSet<u64> = company.departments.iter().map(|d| d.id).collect();
        for employee in &company.employees {
            assert!(
                employee
                    .manager
                    .is_none_or(|id| employees.contains_key(&id)),
                "{label}"
            );
            assert!(
                employee
                    .department
                    .is_some_and(|id| departments.contains(&id)),
                "{label}"
            );
            let manager = employee.manager.and_then(|id| employees.get(&id));
            if employee.is_running_on(company.as_of) {
                assert!(
                    manager.is_none_or(|m| m.is_running_on(company.as_of)),
                    "{label}"
                );
            }
        }
        let alone = company
            .employees
            .iter()
            .filter(|e| e.manager.is_none())
            .count();
        assert_eq!(alone, 1, "{label}: one person has no manager");
        for department in &company.departments {
            let head = department
                .manager
                .and_then(|id| employees.get(&id))
                .expect("every department has a head");
            assert!(head.is_running_on(company.as_of), "{label}");
        }
    });
}

#[test]
fn engagements_and_periods_are_in_order_and_fit_together() {
    every_firm(|_, company, label| {
        for employee in &company.employees {
            assert!(!employee.engagements.is_empty(), "{label}");
            assert!(
                employee
                    .engagements
                    .windows(2)
                    .all(|pair| pair[0].start_date <= pair[1].start_date),
                "{label}"
            );
            for engagement in &employee.engagements {
                let first = engagement
                    .periods
                    .first()
                    .expect("terms from the first day");
                assert_eq!(first.from, engagement.start_date, "{label}");
                assert!(
                    engagement
                        .periods
                        .windows(2)
                        .all(|pair| pair[0].from < pair[1].from),
                    "{label}"
                );
                if let Some(end) = engagement.end_date {
                    assert!(engagement.end_reason.is_some(), "{label}");
                    assert!(engagement.periods.iter().all(|p| p.from <= end), "{label}");
                }
                assert!(
                    engagement
                        .periods
                        .iter()
                        .all(|p| (1..=100).contains(&p.percentage) && !p.job_title.is_empty()),
                    "{label}"
                );
            }
            let together: u32 = employee
                .engagements
                .iter()
                .filter(|e| e.is_running_on(company.as_of) && e.kind == EngagementKind::Employee)
                .filter_map(|e| e.periods.last())
                .map(|p| u32::from(p.percentage))
                .sum();
            assert!(together <= 100, "{label}");
        }
    });
}

#[test]
fn nothing_is_known_before_its_day_but_the_end_of_the_converted_contract() {
    every_firm(|rehearsal, company, label| {
        let converted = sharing(rehearsal, HardCaseKind::ContractorBecomesEmployee);
        for employee in &company.employees {
            for engagement in &employee.engagements {
                assert!(engagement.start_date <= company.as_of, "{label}");
                assert!(
                    engagement.periods.iter().all(|p| p.from <= company.as_of),
                    "{label}"
                );
                let known_end = engagement.end_date.is_none_or(|end| end < company.as_of);
                assert!(known_end || converted.contains(&employee.id), "{label}");
            }
        }
    });
}

fn norwegian_digits_check(number: &str) -> bool {
    let digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum = |weights: &[u32]| -> u32 { digits.iter().zip(weights).map(|(d, w)| d * w).sum() };
    digits.len() == 11
        && number.len() == 11
        && sum(&[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 == 0
        && sum(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0
}

#[test]
fn national_ids_are_unique_right_and_can_belong_to_nobody() {
    let mut kinds = BTreeSet::new();
    every_firm(|rehearsal, company, label| {
        let twice = sharing(rehearsal, HardCaseKind::RehiredNewId);
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        for employee in &company.employees {
            let number = match &employee.national_id {
                None => continue,
                Some(NationalId::Foreign { country, number }) => {
                    kinds.insert("foreign");
                    assert!(country.len() == 2 && number.starts_with("XX"), "{label}");
                    number
                }
                Some(NationalId::Norwegian { number }) => {
                    kinds.insert("norwegian");
                    assert!(
                        number[..2].parse::<u8>().is_ok_and(|day| day <= 31),
                        "{label}"
                    );
                    number
                }
                Some(NationalId::DNumber { number }) => {
                    kinds.insert("d_number");
                    assert!(
                        number[..2]
                            .parse::<u8>()
                            .is_ok_and(|day| (41..=71).contains(&day)),
                        "{label}"
                    );
                    number
                }
            };
            if !number.starts_with("XX") {
                assert!(norwegian_digits_check(number), "{label}: {number}");
                let born = employee.date_of_birth.expect("everybody invented was born");
                assert_eq!(
                    number[2..4].parse::<i8>().expect("digits"),
                    born.month() + 80,
                    "{label}"
                );
                assert_eq!(
                    number[4..6].parse::<i16>().expect("digits"),
                    born.year() % 100,
                    "{label}"
                );
            }
            if let Some(other) = seen.insert(number.clone(), employee.id) {
                assert!(
                    twice.contains(&other) && twice.contains(&employee.id),
                    "{label}"
                );
            }
        }
    });
    assert_eq!(kinds.len(), 3, "all kinds were seen");
}

#[test]
fn addresses_of_people_at_work_are_unique_and_reserved() {
    every_firm(|rehearsal, company, label| {
        let listed = sharing(rehearsal, HardCaseKind::RecycledEmailStillListed);
        let mut at_work = BTreeSet::new();
        let mut all: BTreeMap<&str, u64> = BTreeMap::new();
        for employee in &company.employees {
            for email in employee.work_email.iter().chain(&employee.personal_email) {
                assert!(
                    email.ends_with(".example") && email.is_ascii(),
                    "{label}: {email}"
                );
            }
            let Some(email) = employee.work_email.as_deref() else {
                continue;
            };
            if employee.is_running_on(company.as_of) {
                assert!(at_work.insert(email), "{label}: {email}");
            }
            if let Some(other) = all.insert(email, employee.id) {
                assert!(
                    listed.contains(&other) && listed.contains(&employee.id),
                    "{label}: {email}"
                );
            }
        }
    });
}

#[test]
fn people_at_work_are_of_an_age_to_work() {
    every_firm(|_, company, label| {
        for employee in company
            .employees
            .iter()
            .filter(|e| e.is_running_on(company.as_of))
        {
            let born = employee.date_of_birth.expect("everybody invented was born");
            let youngest = employee.engagements.first().expect("has one").start_date;
            assert!(
                (16..=67).contains(&(company.as_of.year() - born.year())),
                "{label}"
            );
            assert!(youngest.year() - born.year() >= 17, "{label}");
        }
    });
}

#[test]
fn a_normal_firm_has_every_kind_of_person() {
    let company = rehearsal(2_000, 1).on_day(0);
    let share = |test: &dyn Fn(&Employee) -> bool| {
        company.employees.iter().filter(|e| test(e)).count() * 100 / company.employees.len()
    };
    let two_jobs = |e: &Employee| {
        let running: Vec<&Engagement> = e
            .engagements
            .iter()
            .filter(|e| e.is_running_on(company.as_of))
            .collect();
        running.len() == 2
            && running[0].periods.last().map(|p| p.percentage)
                != running[1].periods.last().map(|p| p.percentage)
    };
    assert!((1..=6).contains(&share(&two_jobs)));
    assert!((2..=10).contains(&share(
        &|e| e.engagements[0].kind == EngagementKind::Contractor
    )));
    assert!((10..=40).contains(&share(&|e| e.engagements[0].periods.len() > 1)));
    assert!((1..=5).contains(&share(&|e| e.work_email.is_none())));
    assert!((80..=95).contains(&share(&|e| matches!(
        e.national_id,
        Some(NationalId::Norwegian { .. })
    ))));
    assert!(share(&|e| e.given_name.contains(['ø', 'å', 'æ', 'Å', 'Ø'])) >= 5);
    assert!(
        company
            .employees
            .iter()
            .any(|e| !e.family_name.chars().all(|c| c < '\u{250}'))
    );
    assert!(
        company
            .employees
            .iter()
            .all(|e| !e.given_name.is_empty() && !e.family_name.is_empty())
    );
}

#[test]
fn the_chain_of_managers_ends_at_the_chief_but_for_the_cycles() {
    let rehearsal = rehearsal(250, 1);
    let company = rehearsal.on_day(0);
    let managers: BTreeMap<u64, Option<u64>> = company
        .employees
        .iter()
        .map(|e| (e.id, e.manager))
        .collect();
    let mut depths = BTreeMap::new();
    for employee in &company.employees {
        let (mut at, mut depth) = (employee.id, 0);
        while let Some(Some(next)) = managers.get(&at)
            && depth < 20
        {
            at = *next;
            depth += 1;
        }
        *depths.entry(depth).or_insert(0) += 1;
    }
    assert_eq!(depths.get(&0), Some(&1));
    assert!(
        depths.keys().filter(|depth| **depth < 20).count() >= 3,
        "{depths:?}"
    );
    // Below the hard cases' managers the chain never ends.
    assert!(
        depths
            .get(&20)
            .is_some_and(|count| *count > 2 && *count < 125),
        "{depths:?}"
    );
}

/// If this changes, every file and demonstration made before changes too.
#[test]
fn the_first_people_of_seed_1_are_always_the_same() {
    let company = rehearsal(250, 1).on_day(0);
    let told: Vec<String> = company
        .employees
        .iter()
        .take(3)
        .map(|e| {
            let phone = e.phone.as_ref().map_or("none", |p| p.number.as_str());
            format!(
                "{} {} {} {} {phone}",
                e.id, e.given_name, e.family_name, e.engagements[0].start_date
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "430000001 Rasmus Birthe Sørensen 2019-12-09 40000000",
            "430000002 Bjørn Svein Rønning-Edvardsen 2020-09-21 070-174 06 13",
            "430000003 Sunniva Sivertsen 2009-05-19 40246928",
        ]
    );
}

#[test]
fn the_same_seed_gives_the_same_firm_and_another_seed_another() {
    for people in SIZES {
        let first = rehearsal(people, 1).on_day(30);
        assert_eq!(first, rehearsal(people, 1).on_day(30));
        let second = rehearsal(people, 2).on_day(30);
        assert_ne!(first.employees, second.employees);
        assert_ne!(first.account_id, second.account_id);
    }
}

#[test]
fn the_year_it_is_put_in_moves_the_dates_and_nothing_else() {
    let spec = RehearsalSpec {
        people: 250,
        seed: 1,
        year_start: date(2031, 6, 15),
    };
    let moved = Rehearsal::new(spec).expect("in range");
    let usual = rehearsal(250, 1);
    for day in DAYS {
        let (one, other) = (moved.on_day(day), usual.on_day(day));
        assert_eq!(one.as_of, spec.year_start + jiff::Span::new().days(day));
        let told = |company: &Company| -> Vec<(u64, String, u32)> {
            company
                .employees
                .iter()
                .map(|e| (e.id, e.family_name.clone(), e.version))
                .collect()
        };
        assert_eq!(told(&one), told(&other));
    }
}

#[test]
fn the_other_company_shares_nothing_with_the_first() {
    for people in SIZES {
        let rehearsal = rehearsal(people, 1);
        let (one, other) = (rehearsal.on_day(0), rehearsal.other_company());
        assert_eq!(one.employees.len(), other.employees.len());
        assert_ne!(one.account_id, other.account_id);
        assert_ne!(one.name, other.name);
        let ids: BTreeSet<u64> = one.employees.iter().map(|e| e.id).collect();
        let emails: BTreeSet<&String> = one
            .employees
            .iter()
            .filter_map(|e| e.work_email.as_ref())
            .collect();
        assert!(other.employees.iter().all(|e| !ids.contains(&e.id)));
        assert!(
            other
                .employees
                .iter()
                .filter_map(|e| e.work_email.as_ref())
                .all(|e| !emails.contains(e))
        );
        assert_ne!(
            one.employees[0].given_name.clone() + &one.employees[0].family_name,
            other.employees[0].given_name.clone() + &other.employees[0].family_name
        );
    }
}

#[test]
fn sizes_and_years_out_of_range_are_refused_with_a_code() {
    let spec = RehearsalSpec {
        people: 1,
        seed: 1,
        year_start: DEFAULT_YEAR_START,
    };
    let refused = |spec| {
        Rehearsal::new(spec)
            .err()
            .map(|error| (error.code(), error.to_string()))
    };
    let (code, text) = refused(RehearsalSpec { people: 0, ..spec }).expect("nobody is no firm");
    assert_eq!(code, "rehearsal.people_out_of_range");
    assert!(text.contains("1 to 1000000"), "{text}");
    let large = RehearsalSpec {
        people: MOST_PEOPLE + 1,
        ..spec
    };
    assert_eq!(
        refused(large).map(|(code, _)| code),
        Some("rehearsal.people_out_of_range")
    );
    let far = RehearsalSpec {
        year_start: date(2051, 1, 1),
        ..spec
    };
    let (code, text) = refused(far).expect("too late for the numbers");
    assert_eq!(code, "rehearsal.year_out_of_range");
    assert!(text.contains("1970 and 2050"), "{text}");
    assert!(refused(spec).is_none());
}
