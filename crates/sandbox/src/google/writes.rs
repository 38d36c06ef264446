//! The writes: new users, changed, suspended and deleted ones.

use jiff::ToSpan;
use serde_json::{Map, Value, json};

use crate::company::Employee;
use crate::company::Phone;
use crate::stage::{Roster, newcomer};
use crate::wire::WireRequest;

use super::failure::Failure;
use super::users::{find, one};
use super::{Google, Success};

fn body(request: &WireRequest) -> Result<Map<String, Value>, Failure> {
    serde_json::from_slice(&request.body).map_err(|_| Failure::bad_request())
}

fn text(value: Option<&Value>) -> Option<&str> {
    value
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

pub(super) fn insert(google: &mut Google, request: &WireRequest) -> Result<Success, Failure> {
    let body = body(request)?;
    let roster = google.stage.roster();
    let address =
        text(body.get("primaryEmail")).ok_or_else(|| Failure::invalid("primary_user_email"))?;
    let name = body.get("name");
    let given = text(name.and_then(|name| name.get("givenName")));
    let family = text(name.and_then(|name| name.get("familyName")));
    if given.is_none() || family.is_none() {
        return Err(Failure::invalid("name"));
    }
    text(body.get("password")).ok_or_else(|| Failure::invalid("password"))?;
    if roster.holder_of(address).is_some() {
        return Err(Failure::duplicate());
    }
    let id = roster
        .next_id()
        .max(google.deleted.keys().next_back().map_or(0, |last| last + 1));
    let mut employee = newcomer(id, roster.day());
    set(roster, &mut employee, &body)?;
    google.stage.roster_mut().push(employee);
    one(google, id, false)
}

pub(super) fn change(
    google: &mut Google,
    request: &WireRequest,
    key: &str,
) -> Result<Success, Failure> {
    let body = body(request)?;
    let id = find(google, key)?;
    let roster = google.stage.roster();
    let Some(mut employee) = roster.employee(id).cloned() else {
        return Err(Failure::not_found("userKey"));
    };
    set(roster, &mut employee, &body)?;
    employee.version += 1;
    employee.changed = roster.day();
    google.stage.roster_mut().replace(employee);
    one(google, id, false)
}

pub(super) fn delete(google: &mut Google, key: &str) -> Result<Success, Failure> {
    let id = find(google, key)?;
    let employee = google.stage.roster().employee(id).cloned();
    google.stage.roster_mut().remove(id);
    google
        .deleted
        .extend(employee.map(|employee| (employee.id, employee)));
    Ok(Success::Nothing)
}

pub(super) fn undelete(google: &mut Google, id: &str) -> Result<Success, Failure> {
    let id: u64 = id
        .strip_prefix('1')
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| Failure::not_found("userKey"))?;
    let employee = google
        .deleted
        .remove(&id)
        .ok_or_else(|| Failure::not_found("userKey"))?;
    google.stage.roster_mut().insert(employee);
    Ok(Success::Nothing)
}

/// A channel as it was asked for; the simulator sends nothing through it.
pub(super) fn watch(request: &WireRequest) -> Result<Success, Failure> {
    let body = body(request)?;
    let id = text(body.get("id")).ok_or_else(|| Failure::invalid("channel.id"))?;
    let is_secure =
        text(body.get("address")).is_some_and(|address| address.starts_with("https://"));
    if !is_secure || text(body.get("type")) != Some("web_hook") {
        return Err(Failure::invalid("channel.address"));
    }
    Ok(Success::Json(json!({
        "kind": "api#channel", "id": id, "resourceId": "muster-users",
        "resourceUri": format!("{}{}", request.origin(), request.path_as_sent),
    })))
}

/// The first entry of a list, or the one value in its place.
fn first(value: &Value) -> &Value {
    match value {
        Value::Array(items) => items.first().unwrap_or(&Value::Null),
        other => other,
    }
}

fn set(roster: &Roster, employee: &mut Employee, body: &Map<String, Value>) -> Result<(), Failure> {
    for (name, value) in body {
        match name.as_str() {
            "primaryEmail" => {
                let address =
                    text(Some(value)).ok_or_else(|| Failure::invalid("primary_user_email"))?;
                let holder = roster.holder_of(address);
                if holder.is_some_and(|holder| holder.id != employee.id) {
                    return Err(Failure::duplicate());
                }
                employee.work_email = Some(address.to_owned());
            }
            "name" => {
                if let Some(given) = text(value.get("givenName")) {
                    given.clone_into(&mut employee.given_name);
                }
                if let Some(family) = text(value.get("familyName")) {
                    family.clone_into(&mut employee.family_name);
                }
            }
            "suspended" => suspend(roster, employee, value.as_bool().unwrap_or_default())?,
            "externalIds" => {
                employee.employee_number = text(first(value).get("value")).map(str::to_owned);
            }
            "phones" => {
                employee.phone = text(first(value).get("value")).map(|number| Phone {
                    country: None,
                    number: number.to_owned(),
                });
            }
            "relations" => {
                let manager =
                    text(first(value).get("value")).and_then(|address| roster.holder_of(address));
                employee.manager = manager.map(|manager| manager.id);
            }
            "orgUnitPath" => {
                let path = text(Some(value)).unwrap_or_default();
                let unit = path.trim_start_matches('/');
                let department = roster.department_named(unit);
                if department.is_none() && !unit.is_empty() {
                    return Err(Failure::invalid("INVALID_OU_ID"));
                }
                employee.department = department;
            }
            "organizations" => {
                if let Some(title) = text(first(value).get("title"))
                    && let Some(period) = employee
                        .engagements
                        .last_mut()
                        .and_then(|engagement| engagement.periods.last_mut())
                {
                    title.clone_into(&mut period.job_title);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Access that is taken ends the engagement yesterday; given back, it runs on.
fn suspend(roster: &Roster, employee: &mut Employee, suspended: bool) -> Result<(), Failure> {
    let day = roster.day();
    let yesterday = day
        .checked_sub(1.day())
        .map_err(|_| Failure::bad_request())?;
    if suspended {
        for engagement in &mut employee.engagements {
            if engagement.is_running_on(day) {
                engagement.end_date = Some(yesterday);
            }
        }
    } else if !employee.is_running_on(day)
        && let Some(last) = employee.engagements.last_mut()
    {
        last.end_date = None;
    }
    Ok(())
}
