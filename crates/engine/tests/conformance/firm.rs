//! A plain firm: everybody works there, has an address of their own and every
//! field that an HR system may keep, so that what is missing was lost on the way.

use jiff::civil::{Date, date};
use muster_sandbox::company::{
    Address, Company, Department, Employee, Engagement, EngagementKind, Period, Phone,
};

/// The day of the firm's state.
pub(crate) const TODAY: Date = date(2025, 6, 10);
/// The day of its former state.
const EARLIER: Date = date(2025, 5, 11);
/// Who joined since.
const JOINED_SINCE: u64 = 4;
/// The first id.
const FIRST: u64 = 1001;

/// A firm, as it is, as it was, and another one.
#[derive(Clone)]
pub(crate) struct Firm {
    pub(crate) now: Company,
    pub(crate) earlier: Company,
    pub(crate) other: Company,
}

impl Firm {
    /// A firm of this many.
    pub(crate) fn of(people: u64) -> Self {
        let mut earlier = company(people - JOINED_SINCE.min(people - 1));
        earlier.as_of = EARLIER;
        for employee in &mut earlier.employees {
            employee.version -= 1;
            employee.changed = date(2025, 4, 1);
        }
        let mut other = company(people);
        other.account_id += 1_000_000;
        other.name = "Skogbris AS".to_owned();
        for employee in &mut other.employees {
            employee.id += 7000;
            employee.manager = None;
            employee.work_email = Some(format!("person{}@skogbris.example", employee.id));
            employee.employee_number = Some(format!("S{}", employee.id));
        }
        for department in &mut other.departments {
            department.manager = None;
        }
        Self {
            now: company(people),
            earlier,
            other,
        }
    }

    /// The same with somebody changed, by the place in the firm.
    pub(crate) fn with(mut self, place: usize, change: impl FnOnce(&mut Employee)) -> Self {
        change(&mut self.now.employees[place]);
        self
    }
}

fn company(people: u64) -> Company {
    Company {
        account_id: 93_000_001,
        name: "Nordlys AS".to_owned(),
        country: "NO".to_owned(),
        as_of: TODAY,
        departments: [(501, "Salg"), (502, "Drift"), (503, "Økonomi")]
            .map(|(id, name)| Department {
                id,
                version: 0,
                number: id.to_string(),
                name: name.to_owned(),
                manager: Some(FIRST),
            })
            .to_vec(),
        employees: (0..people)
            .map(|number| employee(number, number + JOINED_SINCE >= people))
            .collect(),
    }
}

fn employee(number: u64, is_new: bool) -> Employee {
    let id = FIRST + number;
    let begins = if is_new {
        date(2025, 6, 2)
    } else {
        date(2024, 2, 1)
    };
    Employee {
        id,
        version: 3,
        changed: date(2025, 6, 1),
        employee_number: Some(format!("7{number:03}")),
        given_name: ["Åse", "Kåre", "Zoë", "Ola"][usize::try_from(number % 4).unwrap()].to_owned(),
        family_name: format!("Prøve{number}"),
        work_email: Some(format!("person{id}@nordlys.example")),
        personal_email: Some(format!("hjemme{id}@epost.example")),
        phone: Some(Phone {
            country: Some("NO".to_owned()),
            number: format!("4{:07}", 1_234_567 + number),
        }),
        date_of_birth: Some(date(1980, 2, 29)),
        national_id: None,
        bank_account: None,
        address: Some(Address {
            line: format!("Prøveveien {}", number + 1),
            postal_code: "0150".to_owned(),
            city: "Oslo".to_owned(),
            country: "NO".to_owned(),
        }),
        department: Some(501 + number % 3),
        manager: (number > 0).then_some(FIRST),
        engagements: vec![Engagement {
            id: 70_000 + number * 10,
            version: 1,
            kind: EngagementKind::Employee,
            start_date: begins,
            end_date: None,
            end_reason: None,
            periods: vec![Period {
                id: 700_000 + number * 100,
                from: begins,
                percentage: 80,
                job_title: "Elektriker".to_owned(),
                permanent: true,
            }],
        }],
    }
}
