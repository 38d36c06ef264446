//! The writes: new people, changed and deleted ones.

use serde_json::{Map, Value, json};

use crate::company::{Employee, Phone};
use crate::stage::newcomer;
use crate::wire::{Answer, WireRequest};

use super::ids::{Of, id};
use super::lists::{find, one};
use super::{Humaans, Refusal};

fn body(request: &WireRequest) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_slice(&request.body).map_err(|_| Refusal::invalid("body"))
}

fn text(value: &Value) -> Option<String> {
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

pub(super) fn create(account: &mut Humaans, request: &WireRequest) -> Result<Answer, Refusal> {
    let body = body(request)?;
    for name in ["firstName", "lastName", "email"] {
        body.get(name)
            .and_then(text)
            .ok_or_else(|| Refusal::invalid(name))?;
    }
    let roster = account.stage.roster();
    let mut employee = newcomer(roster.next_id(), roster.day());
    set(&mut employee, &body)?;
    let id = employee.id;
    account.stage.roster_mut().push(employee);
    one(account, id)
}

pub(super) fn change(
    account: &mut Humaans,
    request: &WireRequest,
    person: &str,
) -> Result<Answer, Refusal> {
    let body = body(request)?;
    let id = find(account, person)?;
    let roster = account.stage.roster();
    let mut employee = (roster.employee(id).cloned()).ok_or_else(Refusal::not_found)?;
    set(&mut employee, &body)?;
    employee.version += 1;
    employee.changed = roster.day();
    account.stage.roster_mut().replace(employee);
    one(account, id)
}

pub(super) fn delete(account: &mut Humaans, person: &str) -> Result<Answer, Refusal> {
    let found = find(account, person)?;
    account.stage.roster_mut().remove(found);
    Ok(Answer::json(
        200,
        &json!({"id": id(Of::Person, found), "deleted": true}),
    ))
}

fn set(employee: &mut Employee, body: &Map<String, Value>) -> Result<(), Refusal> {
    for (name, value) in body {
        match name.as_str() {
            "firstName" => {
                employee.given_name = text(value).ok_or_else(|| Refusal::invalid(name))?;
            }
            "lastName" => {
                employee.family_name = text(value).ok_or_else(|| Refusal::invalid(name))?;
            }
            "email" => employee.work_email = text(value),
            "personalEmail" => employee.personal_email = text(value),
            "employeeId" => employee.employee_number = text(value),
            "phoneNumber" => {
                employee.phone = text(value).map(|number| Phone {
                    country: None,
                    number,
                });
            }
            "birthday" => {
                employee.date_of_birth = match text(value) {
                    None => None,
                    Some(day) => Some(day.parse().map_err(|_| Refusal::invalid(name))?),
                };
            }
            _ => return Err(Refusal::invalid(name)),
        }
    }
    Ok(())
}
