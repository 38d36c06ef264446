//! `upsert` of what is written back to people: addresses, telephone numbers and
//! names. Each row has its own outcome in an answer of success.

use serde_json::{Map, Value, json};

use crate::company::{Employee, Phone};
use crate::wire::{Answer, WireRequest};

use super::SuccessFactors;
use super::failure::Failure;
use super::picklist;

pub(super) fn upsert(
    vendor: &mut SuccessFactors,
    request: &WireRequest,
) -> Result<Answer, Failure> {
    let body: Value =
        serde_json::from_slice(&request.body).map_err(|_| Failure::bad_request("body"))?;
    let rows = match body {
        Value::Array(rows) => rows,
        row @ Value::Object(_) => vec![row],
        _ => return Err(Failure::bad_request("body")),
    };
    let mut outcomes = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let (key, done) = written(vendor, row);
        outcomes.push(match done {
            Ok(()) => json!({"key": key, "status": "OK", "editStatus": "UPSERTED",
                "message": null, "index": index, "httpCode": 200, "inlineResults": null}),
            Err(message) => json!({"key": key, "status": "ERROR", "editStatus": null,
                "message": message, "index": index, "httpCode": 500, "inlineResults": null}),
        });
    }
    Ok(Answer::json(200, &json!({"d": outcomes})))
}

/// Writes a row: its key, and what was wrong.
fn written(vendor: &mut SuccessFactors, row: &Value) -> (Value, Result<(), String>) {
    let uri = row
        .pointer("/__metadata/uri")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let name = uri.rsplit('/').next().unwrap_or_default();
    let entity = name.split('(').next().unwrap_or_default();
    let Some(fields) = row.as_object() else {
        return (Value::Null, Err("no object".to_owned()));
    };
    let from_address = |field: &str| {
        let (_, behind) = uri.split_once(&format!("{field}='"))?;
        Some(behind.split_once('\'')?.0.to_owned())
    };
    let field = |field: &str| {
        let given = fields.get(field).and_then(Value::as_str);
        given.map(str::to_owned).or_else(|| from_address(field))
    };
    let person = field("personIdExternal").unwrap_or_default();
    let key = json!(format!("{entity}/personIdExternal={person}"));
    let register = vendor.register();
    let Some(mut employee) = register
        .person(&person)
        .filter(|employee| !vendor.stage.hides(&register.roster, employee.id))
        .cloned()
    else {
        let message = "Invalid value for personIdExternal".to_owned();
        return (key, Err(message));
    };
    let done = match entity {
        "PerEmail" => address(&mut employee, fields, field("emailType").as_deref()),
        "PerPhone" => telephone(&mut employee, fields),
        "PerPersonal" => names(&mut employee, fields),
        _ => Err(format!("{entity} cannot be written here")),
    };
    if done.is_ok() {
        employee.version += 1;
        employee.changed = register.roster.day();
        drop(register);
        vendor.stage.roster_mut().replace(employee);
    }
    (key, done)
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name)?.as_str().map(str::to_owned)
}

fn address(
    employee: &mut Employee,
    fields: &Map<String, Value>,
    kind: Option<&str>,
) -> Result<(), String> {
    let address = text(fields, "emailAddress").ok_or("emailAddress is required")?;
    let is =
        |is_private: bool| kind == Some(picklist::email_type(is_private).id.to_string().as_str());
    if is(false) {
        employee.work_email = Some(address);
    } else if is(true) {
        employee.personal_email = Some(address);
    } else {
        return Err("emailType is not a choice of the picklist".to_owned());
    }
    Ok(())
}

fn telephone(employee: &mut Employee, fields: &Map<String, Value>) -> Result<(), String> {
    let number = text(fields, "phoneNumber").ok_or("phoneNumber is required")?;
    let code = text(fields, "countryCode").unwrap_or_default();
    let code = code.trim_start_matches('+');
    employee.phone = Some(Phone {
        country: None,
        number: match code {
            "" => number,
            code => format!("+{code}{number}"),
        },
    });
    Ok(())
}

fn names(employee: &mut Employee, fields: &Map<String, Value>) -> Result<(), String> {
    if let Some(given) = text(fields, "firstName") {
        employee.given_name = given;
    }
    if let Some(family) = text(fields, "lastName") {
        employee.family_name = family;
    }
    Ok(())
}
