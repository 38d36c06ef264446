//! The simulated company as the vendor would keep it: tables of rows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::company::{
    Company, Employee, EndReason, Engagement, EngagementKind, NationalId, Period,
};

use super::entitlements;
use super::occupation::Occupations;
use super::places;
use super::resource::Resource;
use super::row::{Cell, Row, Table, unset_cells};

/// One company's books.
#[derive(Debug)]
pub(super) struct Books {
    /// The vendor's id of the company.
    pub(super) account_id: u64,
    /// The day this is the state of.
    pub(super) as_of: Date,
    /// The employee whose token the integration uses: the one with the lowest
    /// id; zero in a company without employees.
    pub(super) owner: u64,
    /// The host and base path in front of every row's `url`, without a scheme.
    pub(super) address: String,
    tables: BTreeMap<Resource, Table>,
}

/// What a resource without rows reads as.
static NO_ROWS: Table = Table::empty();

impl Books {
    /// Takes a company over into the vendor's shape. `address` is the host and
    /// base path in front of every row's `url`.
    pub(super) fn of(company: Company, address: &str) -> Self {
        let occupations = Occupations::of(&company);
        let division = company.account_id;
        let owner = company.employees.first().map_or(0, |employee| employee.id);
        let mut filling = Filling {
            occupations: &occupations,
            division,
            countries: BTreeSet::from([company.country.clone()]),
            employees: Vec::with_capacity(company.employees.len()),
            employments: Vec::new(),
            details: Vec::new(),
            addresses: Vec::new(),
        };
        for employee in company.employees {
            filling.add(employee);
        }
        let departments = company.departments.into_iter().map(|department| {
            Row::new(Resource::Department, department.id, department.version)
                .with("name", Cell::text(department.name))
                .with("departmentNumber", Cell::text(department.number))
                .with("departmentManager", Cell::reference(department.manager))
        });
        let organisation = organisation_number(company.account_id);
        let company_row = |resource| {
            Row::new(resource, company.account_id, 1)
                .with("name", Cell::text(company.name.as_str()))
                .with("organizationNumber", Cell::text(organisation.as_str()))
                .with("type", Cell::Choice("AS"))
                .with("currency", Cell::Reference(1))
                .with("companyMigration", Cell::Choice("NONE"))
        };
        let currency = Row::new(Resource::Currency, 1, 0)
            .with("code", Cell::text("NOK"))
            .with("description", Cell::text("Norge"))
            .with("factor", Cell::Integer(1))
            .with("displayName", Cell::text("NOK"));
        let own_division = Row::new(Resource::Division, division, 0)
            .with("name", Cell::text(company.name.as_str()))
            .with(
                "organizationNumber",
                Cell::text(organisation_number(company.account_id.saturating_add(1))),
            )
            .with("startDate", Cell::Date(FOUNDED))
            .with("municipalityDate", Cell::Date(FOUNDED))
            .with("municipality", Cell::Reference(1));
        let tables = BTreeMap::from([
            (Resource::Department, Table::of(departments.collect())),
            (
                Resource::Country,
                Table::of(places::countries(
                    filling.countries.iter().map(String::as_str),
                )),
            ),
            (Resource::Employee, Table::of(filling.employees)),
            (Resource::Employment, Table::of(filling.employments)),
            (Resource::EmploymentDetails, Table::of(filling.details)),
            (Resource::Address, Table::of(filling.addresses)),
            (Resource::Municipality, Table::of(places::municipalities())),
            (Resource::OccupationCode, Table::of(occupations.rows())),
            (Resource::Division, Table::of(vec![own_division])),
            (
                Resource::Company,
                Table::of(vec![company_row(Resource::Company)]),
            ),
            (
                Resource::Client,
                Table::of(vec![company_row(Resource::Client)]),
            ),
            (Resource::Currency, Table::of(vec![currency])),
            (
                Resource::Entitlement,
                Table::of(entitlements::of_owner(owner, company.account_id)),
            ),
        ]);
        Self {
            account_id: company.account_id,
            as_of: company.as_of,
            owner,
            address: address.to_owned(),
            tables,
        }
    }

    pub(super) fn table(&self, resource: Resource) -> &Table {
        self.tables.get(&resource).unwrap_or(&NO_ROWS)
    }

    pub(super) fn table_mut(&mut self, resource: Resource) -> &mut Table {
        self.tables.entry(resource).or_default()
    }

    pub(super) fn find(&self, resource: Resource, id: u64) -> Option<&Row> {
        self.table(resource).find(id)
    }

    /// Replaces a row and counts its version up, if anything in it is different.
    pub(super) fn replace(&mut self, mut row: Row) {
        let Some(present) = self.table_mut(row.resource).find_mut(row.id) else {
            return;
        };
        if present.cells != row.cells {
            row.version = present.version.saturating_add(1);
            *present = row;
        }
    }

    /// Takes an employee out with everything that hangs on them: something the
    /// vendor does to its own data (there is no call for it).
    pub(super) fn erase_employee(&mut self, id: u64) {
        let Some(employee) = self.table_mut(Resource::Employee).remove(id) else {
            return;
        };
        for employment in employee.references("employments") {
            let row = self.table_mut(Resource::Employment).remove(*employment);
            for details in row
                .iter()
                .flat_map(|row| row.references("employmentDetails"))
            {
                self.table_mut(Resource::EmploymentDetails).remove(*details);
            }
        }
        if let Some(address) = employee.reference("address") {
            self.table_mut(Resource::Address).remove(address);
        }
    }

    /// Whether anybody's department has this employee as its manager.
    pub(super) fn is_manager(&self, id: u64) -> bool {
        self.table(Resource::Department)
            .rows()
            .iter()
            .any(|department| department.reference("departmentManager") == Some(id))
    }
}

/// The day on which every simulated company and its division began.
const FOUNDED: Date = jiff::civil::date(2000, 1, 1);

/// A nine-digit number in the form of a Norwegian organisation number, made
/// from an id (its check digit is not computed: the vendor's rules that the
/// simulator knows do not look at it).
fn organisation_number(id: u64) -> String {
    format!("9{:08}", id % 100_000_000)
}

/// Rows as they are filled from a company's employees.
struct Filling<'a> {
    occupations: &'a Occupations,
    division: u64,
    countries: BTreeSet<String>,
    employees: Vec<Row>,
    employments: Vec<Row>,
    details: Vec<Row>,
    addresses: Vec<Row>,
}

impl Filling<'_> {
    fn add(&mut self, employee: Employee) {
        let mut row = Row::new(Resource::Employee, employee.id, employee.version)
            .with("firstName", Cell::text(employee.given_name))
            .with("lastName", Cell::text(employee.family_name))
            .with("dateOfBirth", Cell::date(employee.date_of_birth))
            .with("department", Cell::reference(employee.department))
            .with("allowInformationRegistration", Cell::Boolean(true))
            .with("isAuthProjectOverviewURL", Cell::Boolean(true));
        // Whoever has an address to sign in with may sign in.
        row.set(
            "userType",
            Cell::Choice(if employee.work_email.is_some() {
                "STANDARD"
            } else {
                "NO_ACCESS"
            }),
        );
        let texts = [
            ("employeeNumber", employee.employee_number),
            ("email", employee.work_email),
            ("bankAccountNumber", employee.bank_account),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                row.set(name, Cell::text(text));
            }
        }
        match employee.phone {
            // Recorded so for an employee without a number.
            None => row.set("phoneNumberMobileCountry", Cell::Reference(places::NORWAY)),
            Some(phone) => {
                let country = phone.country.as_deref().map(|code| self.country(code));
                row.set("phoneNumberMobileCountry", Cell::reference(country));
                row.set("phoneNumberMobile", Cell::text(phone.number));
            }
        }
        match employee.national_id {
            None => {}
            Some(NationalId::Norwegian { number }) => {
                row.set("nationalIdentityNumber", Cell::text(number));
            }
            Some(NationalId::DNumber { number }) => row.set("dnumber", Cell::text(number)),
            Some(NationalId::Foreign { country, number }) => {
                let foreign = Row::new(Resource::InternationalId, 0, 0)
                    .with("intAmeldingType", Cell::Choice("NATIONAL_INSURANCE_NO"))
                    .with("country", Cell::Reference(self.country(&country)))
                    .with("number", Cell::text(number));
                row.set("internationalId", Cell::Embedded(foreign.cells));
            }
        }
        if let Some(address) = employee.address {
            let id = employee.id;
            let country = self.country(&address.country);
            self.addresses.push(
                Row::new(Resource::Address, id, 0)
                    .with("addressLine1", Cell::text(address.line))
                    .with("postalCode", Cell::text(address.postal_code))
                    .with("city", Cell::text(address.city))
                    .with("country", Cell::Reference(country)),
            );
            row.set("address", Cell::Reference(id));
        }
        let employments = employee
            .engagements
            .iter()
            .map(|engagement| engagement.id)
            .collect();
        row.set("employments", Cell::References(employments));
        self.employees.push(row);
        let mut is_main = true;
        for engagement in employee.engagements {
            self.add_employment(employee.id, &engagement, is_main);
            is_main = false;
        }
    }

    fn add_employment(&mut self, employee: u64, engagement: &Engagement, is_main: bool) {
        let details = engagement.periods.iter().map(|period| period.id).collect();
        self.employments.push(
            Row::new(Resource::Employment, engagement.id, engagement.version)
                .with("employee", Cell::Reference(employee))
                .with("startDate", Cell::Date(engagement.start_date))
                .with("endDate", Cell::date(engagement.end_date))
                .with(
                    "employmentEndReason",
                    engagement
                        .end_reason
                        .map_or(Cell::Null, |reason| Cell::Choice(end_reason(reason))),
                )
                .with("division", Cell::Reference(self.division))
                .with("isMainEmployer", Cell::Boolean(is_main))
                .with("taxDeductionCode", tax_deduction_code(is_main))
                .with("employmentDetails", Cell::References(details)),
        );
        for period in &engagement.periods {
            let row = self.details_row(engagement, period);
            self.details.push(row);
        }
    }

    fn details_row(&self, engagement: &Engagement, period: &Period) -> Row {
        let kind = match engagement.kind {
            EngagementKind::Employee => "ORDINARY",
            EngagementKind::Contractor => "FREELANCE",
        };
        let form = if period.permanent {
            "PERMANENT"
        } else {
            "TEMPORARY"
        };
        Row::new(Resource::EmploymentDetails, period.id, engagement.version)
            .with("employment", Cell::Reference(engagement.id))
            .with("date", Cell::Date(period.from))
            .with("employmentType", Cell::Choice(kind))
            .with("employmentForm", Cell::Choice(form))
            .with("remunerationType", Cell::Choice("MONTHLY_WAGE"))
            .with("workingHoursScheme", Cell::Choice("NOT_SHIFT"))
            .with(
                "occupationCode",
                Cell::reference(self.occupations.id(&period.job_title)),
            )
            .with(
                "percentageOfFullTimeEquivalent",
                Cell::Number(f64::from(period.percentage)),
            )
    }

    fn country(&mut self, code: &str) -> u64 {
        if !self.countries.contains(code) {
            self.countries.insert(code.to_owned());
        }
        places::country_id(code)
    }
}

/// The tax deduction code that goes with being the main employer or not:
/// the vendor sets each by the other.
pub(super) fn tax_deduction_code(is_main_employer: bool) -> Cell {
    Cell::Choice(if is_main_employer {
        MAIN_EMPLOYER_CODE
    } else {
        "loennFraBiarbeidsgiver"
    })
}

/// The tax deduction code of a main employer.
pub(super) const MAIN_EMPLOYER_CODE: &str = "loennFraHovedarbeidsgiver";

fn end_reason(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Expired => "EMPLOYMENT_END_EXPIRED",
        EndReason::Employee => "EMPLOYMENT_END_EMPLOYEE",
        EndReason::Employer => "EMPLOYMENT_END_EMPLOYER",
        EndReason::InternalChange => "EMPLOYMENT_END_INTERNAL_CHANGE",
    }
}

/// The cells of an unset international id, as shown to who may not see it.
pub(super) fn no_international_id() -> Box<[Cell]> {
    unset_cells(Resource::InternationalId)
}
