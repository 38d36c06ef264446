//! The fields of an employee by their aliases, as the vendor's field list has them.

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::company::{Employee, Engagement, EngagementKind, Period, e164, national_number};
use crate::stage::{Roster, State};

/// One field of the account.
pub(super) struct Field {
    pub(super) alias: &'static str,
    /// The field's number in this account (numbers of customers' fields differ).
    pub(super) number: u32,
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    read: fn(&Person<'_>) -> String,
}

/// A person with what the fields are read from.
pub(super) struct Person<'a> {
    pub(super) roster: &'a Roster,
    pub(super) employee: &'a Employee,
    /// Whether what begins later is left out.
    pub(super) only_current: bool,
}

macro_rules! fields {
    ($($alias:literal, $number:literal, $kind:literal, $name:literal, $read:expr;)*) => {
        /// Every alias, for `drop-field`.
        pub(super) const ALIASES: &[&str] = &[$($alias),*];
        /// Every field.
        pub(super) const FIELDS: &[Field] = &[$(Field {
            alias: $alias, number: $number, kind: $kind, name: $name, read: $read,
        }),*];
    };
}

fields! {
    "id", 4001, "int", "EEID", |person| person.employee.id.to_string();
    "employeeNumber", 636, "employee_number", "Employee #", |person| text(person.employee.employee_number.as_ref());
    "firstName", 1, "text", "First Name", |person| person.employee.given_name.clone();
    "lastName", 2, "text", "Last Name", |person| person.employee.family_name.clone();
    "preferredName", 4002, "text", "Preferred Name", |_| String::new();
    "displayName", 4003, "text", "Display name", |person| full_name(person.employee);
    "workEmail", 4004, "email", "Work Email", |person| text(person.employee.work_email.as_ref());
    "homeEmail", 4005, "email", "Home Email", |person| text(person.employee.personal_email.as_ref());
    "bestEmail", 4006, "email", "Email", |person| text(person.employee.work_email.as_ref().or(person.employee.personal_email.as_ref()));
    "mobilePhone", 4007, "phone", "Mobile Phone", |person| person.employee.phone.as_ref().map(e164).unwrap_or_default();
    "workPhone", 4008, "text", "Work Phone", |_| String::new();
    "workPhoneExtension", 4009, "text", "Work Ext.", |_| String::new();
    "homePhone", 4010, "text", "Home Phone", |_| String::new();
    "dateOfBirth", 6, "date", "Birth Date", |person| date(person.employee.date_of_birth);
    "nin", 4011, "nin", "NIN", |person| person.employee.national_id.as_ref().map(|id| national_number(id).to_owned()).unwrap_or_default();
    "address1", 8, "text", "Address Line 1", |person| person.employee.address.as_ref().map(|address| address.line.clone()).unwrap_or_default();
    "address2", 9, "text", "Address Line 2", |_| String::new();
    "city", 10, "text", "City", |person| person.employee.address.as_ref().map(|address| address.city.clone()).unwrap_or_default();
    "zipcode", 4012, "text", "ZIP", |person| person.employee.address.as_ref().map(|address| address.postal_code.clone()).unwrap_or_default();
    "country", 3991, "country", "Country", |person| person.employee.address.as_ref().map(|address| country(&address.country)).unwrap_or_default();
    "jobTitle", 17, "list", "Job Title", |person| person.terms().map(|terms| terms.job_title.clone()).unwrap_or_default();
    "department", 4, "list", "Department", |person| person.roster.department(person.employee).unwrap_or_default().to_owned();
    "division", 1355, "list", "Division", |person| person.roster.company.name.clone();
    "location", 4013, "list", "Location", |_| String::new();
    "supervisor", 4014, "employee", "Supervisor name", |person| person.manager().map(|manager| format!("{}, {}", manager.family_name, manager.given_name)).unwrap_or_default();
    "supervisorId", 4015, "text", "Supervisor ID", |person| person.manager().and_then(|manager| manager.employee_number.clone()).unwrap_or_default();
    "supervisorEId", 4016, "text", "Supervisor EID", |person| person.manager().map(|manager| manager.id.to_string()).unwrap_or_default();
    "status", 4017, "status", "Status", |person| person.status().to_owned();
    "employmentHistoryStatus", 16, "list", "Employment Status", |person| person.employment_status().to_owned();
    "hireDate", 3, "date", "Hire Date", |person| date(person.engagement().map(|engagement| engagement.start_date));
    "originalHireDate", 4018, "date", "Original Hire Date", |person| date(person.employee.engagements.iter().map(|engagement| engagement.start_date).min());
    "terminationDate", 4019, "date", "Termination Date", |person| date(person.last_day());
    "lastChanged", 4020, "timestamp", "Last changed", |person| changed_at(person.employee);
}

/// What somebody without the right to see it does not get, and is not told of.
pub(super) const RESTRICTED: &[&str] = &[
    "dateOfBirth",
    "nin",
    "homeEmail",
    "address1",
    "address2",
    "city",
];

/// The field of an alias or a number.
pub(super) fn field(name: &str) -> Option<&'static Field> {
    FIELDS
        .iter()
        .find(|field| field.alias == name || field.number.to_string() == name)
}

impl Field {
    /// The value as text; empty when there is none.
    pub(super) fn read(&self, person: &Person<'_>) -> String {
        (self.read)(person)
    }

    /// How answers describe the field.
    pub(super) fn described(&self) -> Value {
        json!({"id": self.alias, "type": self.kind, "name": self.name})
    }
}

impl<'a> Person<'a> {
    pub(super) fn engagement(&self) -> Option<&'a Engagement> {
        self.roster.primary(self.employee)
    }

    pub(super) fn terms(&self) -> Option<&'a Period> {
        self.roster.terms(self.engagement()?)
    }

    pub(super) fn manager(&self) -> Option<&'a Employee> {
        self.roster.manager(self.employee)
    }

    /// `Active` or `Inactive`; who has not begun is inactive.
    pub(super) fn status(&self) -> &'static str {
        match self.roster.state(self.employee) {
            State::Running => "Active",
            State::Future | State::Ended => "Inactive",
        }
    }

    /// The current row of the employment status table.
    pub(super) fn employment_status(&self) -> &'static str {
        let Some(engagement) = self.engagement() else {
            return "";
        };
        if self.roster.state(self.employee) == State::Ended {
            return "Terminated";
        }
        match (engagement.kind, self.terms()) {
            (EngagementKind::Contractor, _) => "Contractor",
            (EngagementKind::Employee, Some(terms)) if terms.percentage < 100 => "Part-Time",
            (EngagementKind::Employee, _) => "Full-Time",
        }
    }

    /// The last day: of a leaver, and of who is known to leave when what lies
    /// ahead is asked for.
    fn last_day(&self) -> Option<Date> {
        match self.roster.state(self.employee) {
            State::Ended => self
                .employee
                .engagements
                .iter()
                .filter_map(|engagement| engagement.end_date)
                .max(),
            _ if self.only_current => None,
            _ => self.engagement()?.end_date,
        }
    }
}

/// The instant of somebody's last change as the vendor writes it: some time of the
/// working day, later for each change of the same day.
pub(super) fn changed_at(employee: &Employee) -> String {
    let spread = employee.id % 977 + u64::from(employee.version).saturating_mul(37);
    let second = spread.saturating_add(FIRST_SECOND).min(LAST_SECOND);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!(
        "{}T{hour:02}:{minute:02}:{:02}+00:00",
        employee.changed,
        second % 60
    )
}

/// Eight in the morning, in seconds of the day.
const FIRST_SECOND: u64 = 8 * 60 * 60;
/// The last second of the day.
const LAST_SECOND: u64 = 24 * 60 * 60 - 1;

/// Did something that changed then change since? `since` is an instant, or a day.
pub(super) fn is_since(changed: &str, since: &str) -> bool {
    let instant = |text: &str| text.parse::<jiff::Timestamp>().ok();
    match (instant(changed), instant(since)) {
        (Some(changed), Some(since)) => changed >= since,
        _ => changed.get(..10) >= since.get(..10),
    }
}

/// Given name first, as the directory and the tables write names.
pub(super) fn full_name(employee: &Employee) -> String {
    format!("{} {}", employee.given_name, employee.family_name)
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

fn date(value: Option<Date>) -> String {
    value.map(|date| date.to_string()).unwrap_or_default()
}

/// Countries are written out; those that the made-up people live in.
fn country(code: &str) -> String {
    match code {
        "NO" => "Norway",
        "SE" => "Sweden",
        "DK" => "Denmark",
        "FI" => "Finland",
        "GB" => "United Kingdom",
        other => other,
    }
    .to_owned()
}
