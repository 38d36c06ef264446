//! A company as its HR system holds it at one moment: what every vendor
//! simulator serves, in no vendor's shape.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A company on one day, with the ids and versions its HR system would give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Company {
    /// The HR system's id of this company: what a connection pins.
    pub account_id: u64,
    /// The registered name.
    pub name: String,
    /// ISO 3166-1 alpha-2 of the company's seat.
    pub country: String,
    /// The day this is the state of.
    pub as_of: Date,
    /// Ascending by id.
    pub departments: Vec<Department>,
    /// Ascending by id.
    pub employees: Vec<Employee>,
}

/// An organisational unit with, usually, a manager.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Department {
    /// Stable id.
    pub id: u64,
    /// Grows by one with each change.
    pub version: u32,
    /// The number people write on forms.
    pub number: String,
    /// The name.
    pub name: String,
    /// The id of the employee who manages it.
    pub manager: Option<u64>,
}

/// One person as the HR system knows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Employee {
    /// Stable id; a rehired person may come back under a new one.
    pub id: u64,
    /// Grows by one with each change.
    pub version: u32,
    /// The day of the last change of the record or of one of its engagements.
    pub changed: Date,
    /// The number people write on forms; some have none.
    pub employee_number: Option<String>,
    /// Given name or names.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// The company's address for this person; some have none.
    pub work_email: Option<String>,
    /// Their own address.
    pub personal_email: Option<String>,
    /// Mobile number.
    pub phone: Option<Phone>,
    /// Date of birth.
    pub date_of_birth: Option<Date>,
    /// National identity number. Made-up people carry synthetic ones only.
    pub national_id: Option<NationalId>,
    /// Domestic account number.
    pub bank_account: Option<String>,
    /// Home address.
    pub address: Option<Address>,
    /// The department's id.
    pub department: Option<u64>,
    /// The manager's employee id (systems without a manager field do not show it).
    pub manager: Option<u64>,
    /// Ascending by start date, then id.
    pub engagements: Vec<Engagement>,
}

/// A telephone number as typed into the HR system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// ISO 3166-1 alpha-2 of the country whose calling code applies, when the system keeps one.
    pub country: Option<String>,
    /// The number as typed.
    pub number: String,
}

/// A national identity number with its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum NationalId {
    /// Norwegian fødselsnummer.
    Norwegian {
        /// Eleven digits.
        number: String,
    },
    /// Norwegian D-number.
    DNumber {
        /// Eleven digits.
        number: String,
    },
    /// Another country's number.
    Foreign {
        /// ISO 3166-1 alpha-2.
        country: String,
        /// As that country writes it.
        number: String,
    },
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Street and number.
    pub line: String,
    /// Postal code.
    pub postal_code: String,
    /// Town.
    pub city: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
}

/// One employment or contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Engagement {
    /// Stable id.
    pub id: u64,
    /// Grows by one with each change.
    pub version: u32,
    /// Employment or contract.
    pub kind: EngagementKind,
    /// First day.
    pub start_date: Date,
    /// Last day, when it is known.
    pub end_date: Option<Date>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// What changes by date: ascending by `from`, the first equal to `start_date`.
    pub periods: Vec<Period>,
}

/// What kind of engagement it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngagementKind {
    /// Employed.
    Employee,
    /// Hired in or freelance.
    Contractor,
}

/// Why an engagement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The agreed term ran out.
    Expired,
    /// The employee gave notice.
    Employee,
    /// The employer gave notice.
    Employer,
    /// It became another engagement in the same company.
    InternalChange,
}

/// The terms of an engagement from one day on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Period {
    /// Stable id.
    pub id: u64,
    /// First day these terms hold.
    pub from: Date,
    /// Working time in percent of full time, 0 to 100.
    pub percentage: u8,
    /// The occupation's or position's title.
    pub job_title: String,
    /// Open-ended (true) or for a term.
    pub permanent: bool,
}

impl Engagement {
    /// Whether it has begun and has not ended; its last day still counts.
    #[must_use]
    pub fn is_running_on(&self, day: Date) -> bool {
        self.start_date <= day && self.end_date.is_none_or(|last| day <= last)
    }
}

impl Employee {
    /// Whether any engagement is running.
    #[must_use]
    pub fn is_running_on(&self, day: Date) -> bool {
        self.engagements
            .iter()
            .any(|engagement| engagement.is_running_on(day))
    }
}
