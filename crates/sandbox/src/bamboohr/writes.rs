//! New employees, changed ones, and new rows of their history.

use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::company::{Employee, Period, Phone};
use crate::stage::{Roster, newcomer};
use crate::wire::{Answer, WireRequest};

use super::calls::employee_id;
use super::{BambooHr, Refusal};

pub(super) fn create(account: &mut BambooHr, request: &WireRequest) -> Result<Answer, Refusal> {
    let body = object(request)?;
    let named = ["firstName", "lastName"]
        .iter()
        .all(|name| text(&body, name).is_some_and(|text| !text.is_empty()));
    if !named {
        return Err(Refusal::of(400, "First name and last name are required"));
    }
    let roster = account.stage.roster();
    let id = roster.next_id();
    let hired = date(&body, "hireDate")?.unwrap_or_else(|| account.stage.today());
    let mut employee = newcomer(id, hired);
    change(roster, &mut employee, &body)?;
    account.stage.roster_mut().push(employee);
    let location = format!("{}/api/v1/employees/{id}", request.origin());
    Ok(Answer::empty(201).with("Location", location))
}

pub(super) fn update(
    account: &mut BambooHr,
    request: &WireRequest,
    id: &str,
) -> Result<Answer, Refusal> {
    let body = object(request)?;
    let id = employee_id(account, id)?;
    let roster = account.stage.roster();
    let Some(mut employee) = roster.employee(id).cloned() else {
        return Err(Refusal::of(404, "Employee not found"));
    };
    change(roster, &mut employee, &body)?;
    employee.version += 1;
    employee.changed = roster.day();
    account.stage.roster_mut().replace(employee);
    Ok(Answer::empty(200))
}

/// A row of the history: a new position, or a new status such as the end.
pub(super) fn add_row(
    account: &mut BambooHr,
    request: &WireRequest,
    id: &str,
    table: &str,
) -> Result<Answer, Refusal> {
    let body = object(request)?;
    let id = employee_id(account, id)?;
    let day = date(&body, "date")?.ok_or(Refusal::of(400, "date is required"))?;
    let roster = account.stage.roster();
    let Some(mut employee) = roster.employee(id).cloned() else {
        return Err(Refusal::of(404, "Employee not found"));
    };
    match table {
        "jobInfo" => {
            change(roster, &mut employee, &body)?;
            if let Some(title) = text(&body, "jobTitle") {
                new_terms(&mut employee, day, title);
            }
        }
        "employmentStatus" => {
            if text(&body, "employmentStatus") == Some("Terminated") {
                for engagement in &mut employee.engagements {
                    engagement.end_date.get_or_insert(day);
                }
            }
        }
        _ => return Err(Refusal::of(404, "Table not found")),
    }
    employee.version += 1;
    employee.changed = roster.day();
    account.stage.roster_mut().replace(employee);
    Ok(Answer::empty(200))
}

fn object(request: &WireRequest) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_slice(&request.body)
        .map_err(|_| Refusal::of(400, "The request body is not a JSON object"))
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}

fn date(body: &Map<String, Value>, name: &str) -> Result<Option<Date>, Refusal> {
    text(body, name)
        .filter(|text| !text.is_empty())
        .map(|text| text.parse().map_err(|_| Refusal::of(409, "Invalid date")))
        .transpose()
}

/// Sets what the body names and the account keeps.
fn change(
    roster: &Roster,
    employee: &mut Employee,
    body: &Map<String, Value>,
) -> Result<(), Refusal> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    for (name, value) in body {
        let value = value.as_str().unwrap_or_default();
        match name.as_str() {
            "firstName" => value.clone_into(&mut employee.given_name),
            "lastName" => value.clone_into(&mut employee.family_name),
            "employeeNumber" => employee.employee_number = some(value),
            "homeEmail" => employee.personal_email = some(value),
            "workEmail" => {
                let taken = roster.holder_of(value);
                if taken.is_some_and(|holder| holder.id != employee.id) {
                    return Err(Refusal::of(409, "Duplicate email address"));
                }
                employee.work_email = some(value);
            }
            "mobilePhone" => {
                employee.phone = some(value).map(|number| Phone {
                    country: None,
                    number,
                });
            }
            "dateOfBirth" => employee.date_of_birth = date(body, "dateOfBirth")?,
            "department" => {
                let known = roster.department_named(value);
                employee.department = Some(known.ok_or(Refusal::of(409, "Invalid department"))?);
            }
            "jobTitle" => {
                if let Some(period) = employee
                    .engagements
                    .last_mut()
                    .and_then(|engagement| engagement.periods.last_mut())
                {
                    value.clone_into(&mut period.job_title);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn new_terms(employee: &mut Employee, from: Date, title: &str) {
    if let Some(engagement) = employee.engagements.last_mut()
        && let Some(last) = engagement.periods.last().cloned()
    {
        engagement.periods.push(Period {
            id: last.id.saturating_add(1),
            from,
            job_title: title.to_owned(),
            ..last
        });
    }
}
