//! A company from a CSV file of employees, as somebody's export gives it.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use jiff::civil::Date;

use super::csv_error::{CsvError, CsvProblem};
use super::csv_table::{Row, Table};
use super::snapshot::{Company, Department, Employee, Engagement, EngagementKind, Period, Phone};

/// The columns of the employees' file; they may stand in any order, and only
/// `family_name` and `start_date` must be filled in each row.
const COLUMNS: [&str; 9] = [
    "employee_number",
    "given_name",
    "family_name",
    "work_email",
    "phone",
    "start_date",
    "job_title",
    "manager_employee_number",
    "department",
];
/// The columns of the file of earlier jobs.
const JOB_COLUMNS: [&str; 5] = [
    "employee_number",
    "start_date",
    "end_date",
    "job_title",
    "department",
];

/// What a CSV file does not say about its company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvOptions {
    /// The HR system's id of the company.
    pub account_id: u64,
    /// The registered name.
    pub name: String,
    /// ISO 3166-1 alpha-2 of the company's seat.
    pub country: String,
    /// The day this is the state of.
    pub as_of: Date,
}

impl Company {
    /// Reads a company from a CSV file with a header row and the columns
    /// `employee_number, given_name, family_name, work_email, phone,
    /// start_date, job_title, manager_employee_number, department` in any order.
    ///
    /// The first row becomes employee 1, the second employee 2, and so on;
    /// departments are numbered in the order in which they first stand. Each
    /// department gets as its manager the employee whom most of its people
    /// name as theirs, of several the one with the lowest employee number.
    /// Telephone numbers stay as typed, without a country.
    ///
    /// # Errors
    /// At the first row that cannot be read, with row, column and code.
    pub fn from_csv(reader: impl Read, options: CsvOptions) -> Result<Self, CsvError> {
        let table = Table::read(reader, &COLUMNS)?;
        let numbers = employee_ids(&table)?;
        let mut departments = Departments::default();
        let mut employees = Vec::new();
        for (id, row) in (1_u64..).zip(table.rows()) {
            let manager = match row.optional("manager_employee_number") {
                Some(number) => Some(*numbers.get(number).ok_or_else(|| {
                    row.error(
                        "manager_employee_number",
                        CsvProblem::UnknownEmployee(number.to_owned()),
                    )
                })?),
                None => None,
            };
            let department = row.optional("department").map(|name| departments.id(name));
            employees.push(employee(id, &row, manager, department)?);
        }
        Ok(Self {
            account_id: options.account_id,
            name: options.name,
            country: options.country,
            as_of: options.as_of,
            departments: departments.with_managers(&employees),
            employees,
        })
    }

    /// Adds earlier jobs from a CSV file with the columns `employee_number,
    /// start_date, end_date, job_title, department`. A job within the running
    /// engagement becomes a period of it; one that began before it becomes an
    /// engagement of its own that has ended. The department of an earlier job
    /// is not kept, since a person has one department.
    ///
    /// # Errors
    /// At the first row that cannot be read or names an unknown employee; the
    /// company is unchanged then.
    pub fn add_job_history(&mut self, reader: impl Read) -> Result<(), CsvError> {
        let table = Table::read(reader, &JOB_COLUMNS)?;
        let mut jobs: BTreeMap<u64, Vec<Job>> = BTreeMap::new();
        for row in table.rows() {
            let number = row.required("employee_number")?;
            let employee = self
                .employees
                .iter()
                .find(|employee| employee.employee_number.as_deref() == Some(number))
                .ok_or_else(|| {
                    row.error(
                        "employee_number",
                        CsvProblem::UnknownEmployee(number.to_owned()),
                    )
                })?;
            let job = Job {
                from: row.date("start_date")?,
                until: row.date("end_date")?,
                title: row.required("job_title")?.to_owned(),
            };
            if job.until < job.from {
                return Err(row.error("end_date", CsvProblem::EndBeforeStart));
            }
            jobs.entry(employee.id).or_default().push(job);
        }
        // Ids behind all others of their kind, so that those of the file stay.
        let mut next_id = self
            .employees
            .iter()
            .map(|employee| employee.id)
            .max()
            .unwrap_or(0);
        for employee in &mut self.employees {
            let mut own = jobs.remove(&employee.id).unwrap_or_default();
            own.sort_by_key(|job| job.from);
            for job in own {
                add_job(employee, job, &mut next_id);
            }
        }
        Ok(())
    }
}

/// The id of each employee number.
fn employee_ids(table: &Table) -> Result<HashMap<String, u64>, CsvError> {
    let mut ids = HashMap::new();
    for (id, row) in (1_u64..).zip(table.rows()) {
        if let Some(number) = row.optional("employee_number")
            && ids.insert(number.to_owned(), id).is_some()
        {
            return Err(row.error("employee_number", CsvProblem::Repeated(number.to_owned())));
        }
    }
    Ok(ids)
}

fn employee(
    id: u64,
    row: &Row<'_>,
    manager: Option<u64>,
    department: Option<u64>,
) -> Result<Employee, CsvError> {
    let start_date = row.date("start_date")?;
    let text = |column: &str| row.optional(column).map(str::to_owned);
    Ok(Employee {
        id,
        version: 1,
        changed: start_date,
        employee_number: text("employee_number"),
        given_name: text("given_name").unwrap_or_default(),
        family_name: row.required("family_name")?.to_owned(),
        work_email: text("work_email"),
        personal_email: None,
        phone: text("phone").map(|number| Phone {
            country: None,
            number,
        }),
        date_of_birth: None,
        national_id: None,
        bank_account: None,
        address: None,
        department,
        manager,
        engagements: vec![Engagement {
            id,
            version: 1,
            kind: EngagementKind::Employee,
            start_date,
            end_date: None,
            end_reason: None,
            periods: vec![Period {
                id,
                from: start_date,
                percentage: 100,
                job_title: text("job_title").unwrap_or_default(),
                permanent: true,
            }],
        }],
    })
}

/// Departments in the order in which they first stand.
#[derive(Default)]
struct Departments {
    names: Vec<String>,
    ids: HashMap<String, u64>,
}

impl Departments {
    fn id(&mut self, name: &str) -> u64 {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        self.names.push(name.to_owned());
        let id = self.names.len() as u64;
        self.ids.insert(name.to_owned(), id);
        id
    }

    fn with_managers(self, employees: &[Employee]) -> Vec<Department> {
        let mut votes: BTreeMap<u64, BTreeMap<u64, u32>> = BTreeMap::new();
        for employee in employees {
            if let (Some(department), Some(manager)) = (employee.department, employee.manager) {
                *votes
                    .entry(department)
                    .or_default()
                    .entry(manager)
                    .or_insert(0) += 1;
            }
        }
        let numbers: HashMap<u64, NumberOrder<'_>> = employees
            .iter()
            .map(|employee| (employee.id, number_order(employee)))
            .collect();
        (1_u64..)
            .zip(self.names)
            .map(|(id, name)| Department {
                id,
                version: 1,
                number: id.to_string(),
                name,
                manager: votes.get(&id).and_then(|votes| {
                    votes
                        .iter()
                        .min_by_key(|(manager, count)| {
                            (std::cmp::Reverse(**count), numbers.get(manager).copied())
                        })
                        .map(|(manager, _)| *manager)
                }),
            })
            .collect()
    }
}

/// Numbers in the order people expect: 99 before 100, digits before letters.
type NumberOrder<'a> = (bool, u64, &'a str);

fn number_order(employee: &Employee) -> NumberOrder<'_> {
    let number = employee.employee_number.as_deref().unwrap_or("");
    match number.parse::<u64>() {
        Ok(value) => (false, value, number),
        Err(_) => (true, 0, number),
    }
}

/// An earlier job.
struct Job {
    from: Date,
    until: Date,
    title: String,
}

fn add_job(employee: &mut Employee, job: Job, next_id: &mut u64) {
    let mut fresh = || {
        *next_id += 1;
        *next_id
    };
    let within = |engagement: &&mut Engagement| {
        engagement.end_date.is_none() && engagement.start_date <= job.from
    };
    if let Some(engagement) = employee.engagements.iter_mut().find(within) {
        add_period(engagement, job, fresh);
    } else {
        employee.engagements.push(Engagement {
            id: fresh(),
            version: 1,
            kind: EngagementKind::Employee,
            start_date: job.from,
            end_date: Some(job.until),
            end_reason: None,
            periods: vec![Period {
                id: fresh(),
                from: job.from,
                percentage: 100,
                job_title: job.title,
                permanent: true,
            }],
        });
        employee
            .engagements
            .sort_by_key(|engagement| (engagement.start_date, engagement.id));
    }
}

/// Puts an earlier job into an engagement: its title from its first day, and
/// on the day after its last one the title that held around it.
fn add_period(engagement: &mut Engagement, job: Job, mut fresh: impl FnMut() -> u64) {
    let after = job.until.saturating_add(jiff::Span::new().days(1));
    let Some(around) = engagement.periods.last().cloned() else {
        return;
    };
    engagement.periods.retain(|period| period.from < job.from);
    engagement.periods.push(Period {
        id: fresh(),
        from: job.from,
        job_title: job.title,
        ..around.clone()
    });
    engagement.periods.push(Period {
        id: fresh(),
        from: after,
        ..around
    });
}
