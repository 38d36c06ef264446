//! What stands in a row of each entity, and where its navigations lead.

use jiff::civil::{Date, date};

use crate::company::{
    Department, Employee, Engagement, EngagementKind, NationalId, Period, e164, national_number,
};

use super::picklist::{self, Choice};
use super::register::{Register, user_id};
use super::schema::Kind;

/// The day that stands for no end.
pub(super) const NO_END: Date = date(9999, 12, 31);
/// The day from which everything without a beginning holds.
pub(super) const ALWAYS: Date = date(1900, 1, 1);
/// What stands in place of a manager's user id when there is none.
const NO_MANAGER: &str = "NO_MANAGER";
/// Who made and changed everything.
const ADMINISTRATOR: &str = "sfadmin";

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Row<'a> {
    Person(&'a Employee),
    Personal(&'a Employee),
    /// The address of work, or the private one.
    Email(&'a Employee, bool),
    Phone(&'a Employee),
    NationalId(&'a Employee),
    TerminationInfo(&'a Employee),
    Employment(&'a Employee, &'a Engagement),
    Termination(&'a Employee, &'a Engagement),
    Job(&'a Employee, &'a Engagement, Slice<'a>),
    User(&'a Employee, &'a Engagement),
    Company,
    Department(&'a Department),
    Choice(&'static Choice),
    Label(&'static Choice, usize),
}

/// Job information that holds from a day to a day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice<'a> {
    from: Date,
    until: Date,
    terms: Option<&'a Period>,
    has_left: bool,
}

/// A value of a property.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Text(String),
    Day(Date),
    Number(f64),
    Flag(bool),
}

fn text(value: impl Into<String>) -> Cell {
    Cell::Text(value.into())
}

fn perhaps(value: Option<&str>) -> Cell {
    value.map_or(Cell::Null, text)
}

fn whole(value: u64) -> Cell {
    // Ids and counts of a rehearsal are far below what a double keeps whole.
    #[allow(clippy::cast_precision_loss, reason = "below two to the power of 53")]
    Cell::Number(value as f64)
}

/// The rows by date of an employment: its terms, and the one of having left.
pub(super) fn slices(engagement: &Engagement) -> Vec<Slice<'_>> {
    let last = engagement.end_date.unwrap_or(NO_END);
    let begins: Vec<(Date, &Period)> = engagement
        .periods
        .iter()
        .map(|period| (period.from.max(engagement.start_date), period))
        .filter(|(from, _)| *from <= last)
        .collect();
    let mut slices: Vec<Slice<'_>> = begins
        .iter()
        .enumerate()
        .map(|(at, (from, period))| {
            let next = begins
                .get(at + 1)
                .and_then(|(next, _)| next.yesterday().ok());
            Slice {
                from: *from,
                until: next.unwrap_or(last),
                terms: Some(period),
                has_left: false,
            }
        })
        .collect();
    if let Some(after) = engagement.end_date.and_then(|last| last.tomorrow().ok()) {
        slices.push(Slice {
            from: after,
            until: NO_END,
            terms: slices.last().and_then(|slice| slice.terms),
            has_left: true,
        });
    }
    slices
}

/// The rows of an entity that are about somebody, all of them whatever the day.
pub(super) fn rows_of<'a>(entity: &str, employee: &'a Employee) -> Vec<Row<'a>> {
    let engagements = || employee.engagements.iter();
    match entity {
        "PerPerson" => vec![Row::Person(employee)],
        "PerPersonal" => vec![Row::Personal(employee)],
        "PerEmail" => {
            let work = employee.work_email.is_some().then_some(false);
            let home = employee.personal_email.is_some().then_some(true);
            [work, home]
                .into_iter()
                .flatten()
                .map(|is_private| Row::Email(employee, is_private))
                .collect()
        }
        "PerPhone" if employee.phone.is_some() => vec![Row::Phone(employee)],
        "PerNationalId" if employee.national_id.is_some() => vec![Row::NationalId(employee)],
        "PersonEmpTerminationInfo" => vec![Row::TerminationInfo(employee)],
        "EmpEmployment" => engagements()
            .map(|engagement| Row::Employment(employee, engagement))
            .collect(),
        "EmpEmploymentTermination" => engagements()
            .filter(|engagement| engagement.end_date.is_some())
            .map(|engagement| Row::Termination(employee, engagement))
            .collect(),
        "User" => engagements()
            .map(|engagement| Row::User(employee, engagement))
            .collect(),
        "EmpJob" => engagements()
            .flat_map(|engagement| {
                slices(engagement)
                    .into_iter()
                    .map(move |slice| Row::Job(employee, engagement, slice))
            })
            .collect(),
        _ => Vec::new(),
    }
}

impl<'a> Row<'a> {
    /// Whom the row is about.
    pub(super) fn employee(&self) -> Option<&'a Employee> {
        match self {
            Row::Person(employee)
            | Row::Personal(employee)
            | Row::Email(employee, _)
            | Row::Phone(employee)
            | Row::NationalId(employee)
            | Row::TerminationInfo(employee)
            | Row::Employment(employee, _)
            | Row::Termination(employee, _)
            | Row::Job(employee, ..)
            | Row::User(employee, _) => Some(employee),
            _ => None,
        }
    }

    /// From which day to which it holds, where it is kept by date.
    pub(super) fn holds(&self) -> Option<(Date, Date)> {
        match self {
            Row::Personal(employee) => {
                let first = employee.engagements.iter().map(|one| one.start_date).min();
                Some((first.unwrap_or(ALWAYS), NO_END))
            }
            Row::Job(_, _, slice) => Some((slice.from, slice.until)),
            Row::Company | Row::Department(_) => Some((ALWAYS, NO_END)),
            _ => None,
        }
    }

    /// What a property says.
    pub(super) fn cell(&self, register: &Register, property: &str, kind: Kind) -> Cell {
        if let Some(employee) = self.employee() {
            match property {
                "createdBy" | "lastModifiedBy" => return text(ADMINISTRATOR),
                "createdDateTime" | "createdOn" => {
                    let first = employee.engagements.iter().map(|one| one.start_date).min();
                    return Cell::Day(first.unwrap_or(ALWAYS));
                }
                "lastModifiedDateTime" | "lastModifiedOn" => return Cell::Day(employee.changed),
                "personIdExternal" => return text(register.person_id(employee)),
                _ => {}
            }
        }
        if kind == Kind::Day
            && let Some((from, until)) = self.holds()
        {
            match property {
                "startDate" => return Cell::Day(from),
                "endDate" => return Cell::Day(until),
                _ => {}
            }
        }
        match self {
            Row::Person(employee) => person(employee, property),
            Row::Personal(employee) => match property {
                "firstName" => text(employee.given_name.as_str()),
                "lastName" => text(employee.family_name.as_str()),
                _ => Cell::Null,
            },
            Row::Email(employee, is_private) => email(employee, *is_private, property),
            Row::Phone(employee) => telephone(employee, property),
            Row::NationalId(employee) => national_id(register, employee, property),
            Row::TerminationInfo(employee) => {
                let day = register.roster.day();
                match property {
                    "activeEmploymentsCount" => {
                        let running = employee
                            .engagements
                            .iter()
                            .filter(|one| one.is_running_on(day));
                        whole(running.count() as u64)
                    }
                    "latestTerminationDate" => {
                        let ends = employee.engagements.iter().filter_map(|one| one.end_date);
                        ends.max().map_or(Cell::Null, Cell::Day)
                    }
                    _ => Cell::Null,
                }
            }
            Row::Employment(_, engagement) => employment(engagement, property),
            Row::Termination(_, engagement) => match property {
                "userId" => text(user_id(engagement)),
                "endDate" | "lastDateWorked" => engagement.end_date.map_or(Cell::Null, Cell::Day),
                _ => Cell::Null,
            },
            Row::Job(employee, engagement, slice) => {
                job(register, employee, engagement, slice, property)
            }
            Row::User(employee, engagement) => user(register, employee, engagement, property),
            Row::Company => match property {
                "externalCode" => text(company_code(register)),
                "name" | "name_localized" | "name_defaultValue" => {
                    text(register.roster.company.name.as_str())
                }
                "status" => text("A"),
                _ => Cell::Null,
            },
            Row::Department(department) => match property {
                "externalCode" => text(department.number.as_str()),
                "name" | "name_localized" | "name_defaultValue" => text(department.name.as_str()),
                "status" => text("A"),
                _ => Cell::Null,
            },
            Row::Choice(choice) => match property {
                "id" => whole(choice.id),
                "externalCode" => text(choice.code),
                "status" => text("ACTIVE"),
                "localeLabel" => perhaps(choice.labels.first().copied()),
                _ => Cell::Null,
            },
            Row::Label(choice, at) => match property {
                "optionId" => whole(choice.id),
                "locale" => perhaps(picklist::LOCALES.get(*at).copied()),
                "label" => perhaps(choice.labels.get(*at).copied()),
                _ => Cell::Null,
            },
        }
    }

    /// Where a navigation leads, whatever the day; nobody is hidden here.
    pub(super) fn way(&self, register: &'a Register, name: &str) -> Vec<Row<'a>> {
        match (self, name) {
            (Row::Person(employee), "personalInfoNav") => rows_of("PerPersonal", employee),
            (Row::Person(employee), "emailNav") => rows_of("PerEmail", employee),
            (Row::Person(employee), "phoneNav") => rows_of("PerPhone", employee),
            (Row::Person(employee), "nationalIdNav") => rows_of("PerNationalId", employee),
            (Row::Person(employee), "employmentNav") => rows_of("EmpEmployment", employee),
            (Row::Person(employee), "personEmpTerminationInfoNav") => {
                vec![Row::TerminationInfo(employee)]
            }
            (_, "personNav") => self.employee().map(Row::Person).into_iter().collect(),
            (Row::Email(_, is_private), "emailTypeNav") => {
                vec![Row::Choice(picklist::email_type(*is_private))]
            }
            (Row::Phone(_), "phoneTypeNav") => vec![Row::Choice(&picklist::CELL)],
            (Row::Employment(employee, engagement), "jobInfoNav") => slices(engagement)
                .into_iter()
                .map(|slice| Row::Job(employee, engagement, slice))
                .collect(),
            (Row::Termination(employee, engagement), "jobInfoNav") => slices(engagement)
                .into_iter()
                .filter(|slice| slice.has_left)
                .map(|slice| Row::Job(employee, engagement, slice))
                .collect(),
            (
                Row::Employment(employee, engagement) | Row::Job(employee, engagement, _),
                "userNav",
            ) => vec![Row::User(employee, engagement)],
            (
                Row::Job(employee, engagement, _)
                | Row::Termination(employee, engagement)
                | Row::User(employee, engagement),
                "employmentNav" | "empInfo",
            ) => vec![Row::Employment(employee, engagement)],
            (Row::Job(employee, ..), "managerEmploymentNav") => register
                .manager(employee)
                .map(|(manager, engagement)| Row::Employment(manager, engagement))
                .into_iter()
                .collect(),
            (Row::Job(employee, ..) | Row::User(employee, _), "managerUserNav" | "manager") => {
                register
                    .manager(employee)
                    .map(|(manager, engagement)| Row::User(manager, engagement))
                    .into_iter()
                    .collect()
            }
            (Row::Job(..), "companyNav") => vec![Row::Company],
            (Row::Job(employee, ..), "departmentNav") => register
                .department(employee)
                .map(Row::Department)
                .into_iter()
                .collect(),
            (Row::Job(_, _, slice), "emplStatusNav") => {
                vec![Row::Choice(picklist::status(slice.has_left))]
            }
            (Row::Job(_, _, slice), "employmentTypeNav") => slice
                .terms
                .map(|terms| Row::Choice(picklist::employment_type(terms.permanent)))
                .into_iter()
                .collect(),
            (Row::Choice(choice), "picklistLabels") => (0..choice.labels.len())
                .map(|at| Row::Label(choice, at))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// The code of the one legal entity.
fn company_code(register: &Register) -> String {
    format!(
        "{}{}",
        register.roster.company.country, register.roster.company.account_id
    )
}

fn person(employee: &Employee, property: &str) -> Cell {
    match property {
        "personId" => whole(employee.id),
        "dateOfBirth" => employee.date_of_birth.map_or(Cell::Null, Cell::Day),
        "perPersonUuid" => text(format!("{:032X}", employee.id)),
        _ => Cell::Null,
    }
}

fn email(employee: &Employee, is_private: bool, property: &str) -> Cell {
    match property {
        "emailType" => text(picklist::email_type(is_private).id.to_string()),
        "emailAddress" => perhaps(match is_private {
            true => employee.personal_email.as_deref(),
            false => employee.work_email.as_deref(),
        }),
        "isPrimary" => Cell::Flag(!is_private || employee.work_email.is_none()),
        _ => Cell::Null,
    }
}

fn telephone(employee: &Employee, property: &str) -> Cell {
    let Some(phone) = &employee.phone else {
        return Cell::Null;
    };
    let international = e164(phone);
    // Calling codes of the countries in which people of ours have numbers.
    let (code, number) = ["+47", "+46", "+44", "+1"]
        .iter()
        .find_map(|code| Some((*code, international.strip_prefix(code)?)))
        .unwrap_or(("", phone.number.as_str()));
    match property {
        "phoneType" => text(picklist::CELL.id.to_string()),
        "countryCode" if code.is_empty() => Cell::Null,
        "countryCode" => text(code.trim_start_matches('+')),
        "phoneNumber" => text(number),
        "isPrimary" => Cell::Flag(true),
        _ => Cell::Null,
    }
}

fn national_id(register: &Register, employee: &Employee, property: &str) -> Cell {
    let Some(id) = &employee.national_id else {
        return Cell::Null;
    };
    match property {
        "nationalId" => text(national_number(id)),
        "cardType" => text("ni"),
        "country" => text(picklist::country(match id {
            NationalId::Foreign { country, .. } => country,
            _ => "NO",
        })),
        "isPrimary" => Cell::Flag(true),
        "notes" => Cell::Null,
        "personIdExternal" => text(register.person_id(employee)),
        _ => Cell::Null,
    }
}

fn employment(engagement: &Engagement, property: &str) -> Cell {
    match property {
        "userId" => text(user_id(engagement)),
        "startDate" | "originalStartDate" | "firstDateWorked" | "seniorityDate" => {
            Cell::Day(engagement.start_date)
        }
        "endDate" | "lastDateWorked" => engagement.end_date.map_or(Cell::Null, Cell::Day),
        "isContingentWorker" => Cell::Flag(engagement.kind == EngagementKind::Contractor),
        "isECRecord" => Cell::Flag(true),
        "assignmentClass" => text("ST"),
        _ => Cell::Null,
    }
}

fn job(
    register: &Register,
    employee: &Employee,
    engagement: &Engagement,
    slice: &Slice<'_>,
    property: &str,
) -> Cell {
    let share = slice.terms.map(|terms| f64::from(terms.percentage));
    match property {
        "userId" => text(user_id(engagement)),
        "seqNumber" => Cell::Number(1.0),
        "jobTitle" => perhaps(
            slice
                .terms
                .map(|terms| terms.job_title.as_str())
                .filter(|title| !title.is_empty()),
        ),
        "department" => register
            .department(employee)
            .map_or(Cell::Null, |department| text(department.number.as_str())),
        "company" => text(company_code(register)),
        "managerId" => text(
            register
                .manager(employee)
                .map_or_else(|| NO_MANAGER.to_owned(), |(_, held)| user_id(held)),
        ),
        "emplStatus" => text(picklist::status(slice.has_left).id.to_string()),
        "employmentType" => slice.terms.map_or(Cell::Null, |terms| {
            text(picklist::employment_type(terms.permanent).id.to_string())
        }),
        "fte" => share.map_or(Cell::Null, |share| Cell::Number(share / 100.0)),
        "standardHours" => share.map_or(Cell::Null, |share| Cell::Number(share * 0.4)),
        "isFulltimeEmployee" => share.map_or(Cell::Null, |share| Cell::Flag(share >= 100.0)),
        "countryOfCompany" => text(picklist::country(&register.roster.company.country)),
        _ => Cell::Null,
    }
}

fn user(register: &Register, employee: &Employee, engagement: &Engagement, property: &str) -> Cell {
    let terms = register.roster.terms(engagement);
    let is_running = engagement.is_running_on(register.roster.day());
    match property {
        "userId" | "username" => text(user_id(engagement)),
        "status" => text(if is_running { "t" } else { "f" }),
        "empId" => text(register.person_id(employee)),
        "firstName" => text(employee.given_name.as_str()),
        "lastName" => text(employee.family_name.as_str()),
        "email" => perhaps(employee.work_email.as_deref()),
        "title" => perhaps(terms.map(|terms| terms.job_title.as_str())),
        "department" => perhaps(register.roster.department(employee)),
        "cellPhone" => employee
            .phone
            .as_ref()
            .map_or(Cell::Null, |phone| text(e164(phone))),
        "hireDate" => Cell::Day(engagement.start_date),
        "companyExitDate" => engagement.end_date.map_or(Cell::Null, Cell::Day),
        "dateOfBirth" => employee.date_of_birth.map_or(Cell::Null, Cell::Day),
        "defaultLocale" => text("en_US"),
        _ => Cell::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engagement(end_date: Option<Date>) -> Engagement {
        let period = |id: u64, from: Date| Period {
            id,
            from,
            percentage: 100,
            job_title: "Tester".to_owned(),
            permanent: true,
        };
        Engagement {
            id: 7,
            version: 1,
            kind: EngagementKind::Employee,
            start_date: date(2024, 1, 1),
            end_date,
            end_reason: None,
            periods: vec![period(1, date(2024, 1, 1)), period(2, date(2025, 1, 1))],
        }
    }

    #[test]
    fn rows_by_date_follow_each_other_and_the_last_says_that_somebody_left() {
        let days = |end: Option<Date>| -> Vec<(String, String, bool)> {
            slices(&engagement(end))
                .iter()
                .map(|slice| {
                    (
                        slice.from.to_string(),
                        slice.until.to_string(),
                        slice.has_left,
                    )
                })
                .collect()
        };
        let row = |from: &str, until: &str, left| (from.to_owned(), until.to_owned(), left);
        assert_eq!(
            days(None),
            [
                row("2024-01-01", "2024-12-31", false),
                row("2025-01-01", "9999-12-31", false)
            ]
        );
        assert_eq!(
            days(Some(date(2024, 6, 30))),
            [
                row("2024-01-01", "2024-06-30", false),
                row("2024-07-01", "9999-12-31", true)
            ]
        );
    }
}
