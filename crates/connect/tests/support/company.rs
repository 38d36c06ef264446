//! A small made-up company for the simulators.

use jiff::civil::{Date, date};
use muster_sandbox::company::{
    Address, Company, Department, Employee, EndReason, Engagement, EngagementKind, NationalId,
    Period, Phone,
};

/// The day of the company's state.
pub const TODAY: Date = date(2025, 6, 1);

/// A right synthetic number (month + 80), for the one person who has one.
pub const SYNTHETIC_ID: &str = "15876500016";

/// Employees with the ids 1001 and up, in three departments. 1001 and 1002 are
/// managers; every fifth has an earlier contract; the sixth has left; the
/// seventh begins in a month.
pub fn company(people: u64) -> Company {
    Company {
        account_id: 93_000_001,
        name: "Nordlys AS".to_owned(),
        country: "NO".to_owned(),
        as_of: TODAY,
        departments: [
            (501, "Salg", Some(1001)),
            (502, "Drift", Some(1002)),
            (503, "Økonomi", None),
        ]
        .map(|(id, name, manager)| Department {
            id,
            version: 0,
            number: id.to_string(),
            name: name.to_owned(),
            manager,
        })
        .to_vec(),
        employees: (1..=people).map(employee).collect(),
    }
}

/// Another company: other ids, another account.
pub fn other_company() -> Company {
    let mut other = company(5);
    other.account_id = 94_000_002;
    other.name = "Skogbris AS".to_owned();
    for employee in &mut other.employees {
        employee.id += 8000;
    }
    other
}

/// The company thirty days before: one person fewer, older revisions.
pub fn earlier(people: u64) -> Company {
    let mut earlier = company(people.saturating_sub(1));
    earlier.as_of = date(2025, 5, 2);
    for employee in &mut earlier.employees {
        employee.version -= 1;
    }
    earlier
}

fn employee(number: u64) -> Employee {
    let mut engagements = Vec::new();
    if number.is_multiple_of(5) {
        engagements.push(contract(number));
    }
    engagements.push(job(number));
    Employee {
        id: 1000 + number,
        version: 3,
        changed: TODAY,
        employee_number: (number != 3).then(|| format!("{number:04}")),
        given_name: ["Åse", "Kåre", "Zoë", "Ola 🦊"][usize::try_from(number % 4).unwrap()]
            .to_owned(),
        family_name: format!("Prøve{number}"),
        work_email: (number != 4).then(|| format!("person{number}@nordlys.example")),
        personal_email: None,
        phone: (number != 2).then(|| Phone {
            country: Some("NO".to_owned()),
            number: format!("4{number:07}"),
        }),
        date_of_birth: Some(date(1980, 2, 29)),
        national_id: (number == 1).then(|| NationalId::Norwegian {
            number: SYNTHETIC_ID.to_owned(),
        }),
        bank_account: (number == 1).then(|| "86011117947".to_owned()),
        address: (number == 1).then(|| Address {
            line: "Prøveveien 1".to_owned(),
            postal_code: "0150".to_owned(),
            city: "Oslo".to_owned(),
            country: "NO".to_owned(),
        }),
        department: (number != 8).then_some(501 + number % 3),
        manager: None,
        engagements,
    }
}

fn job(number: u64) -> Engagement {
    let id = 70_000 + number * 10;
    let start_date = match number {
        7 => date(2025, 7, 1),
        _ => date(2024, 2, 1),
    };
    let left = number == 6;
    Engagement {
        id,
        version: 1,
        kind: EngagementKind::Employee,
        start_date,
        end_date: left.then_some(date(2025, 4, 30)),
        end_reason: left.then_some(EndReason::Employee),
        periods: vec![
            period(id, start_date, 80, "Elektriker"),
            period(id + 1, date(2025, 9, 1), 100, "Montør"),
        ],
    }
}

fn contract(number: u64) -> Engagement {
    let id = 40_000 + number * 10;
    Engagement {
        id,
        version: 1,
        kind: EngagementKind::Contractor,
        start_date: date(2023, 1, 1),
        end_date: Some(date(2024, 1, 31)),
        end_reason: Some(EndReason::Expired),
        periods: vec![period(id, date(2023, 1, 1), 40, "Elektriker")],
    }
}

fn period(id: u64, from: Date, percentage: u8, job_title: &str) -> Period {
    Period {
        id: id * 10,
        from,
        percentage,
        job_title: job_title.to_owned(),
        permanent: true,
    }
}
