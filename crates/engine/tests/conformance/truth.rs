//! What the firm's books say, beside what was read.

use std::collections::{BTreeMap, BTreeSet};

use muster_connect::ConnectorInfo;
use muster_model::SourceRecord;
use muster_sandbox::company::{Company, Employee};
use serde_json::{Map, Value, json};

use crate::firm::TODAY;

/// What a record says on the day, by the names of the fields.
pub(crate) fn said(record: &SourceRecord) -> Map<String, Value> {
    record.on(TODAY).to_json()
}

/// The work address of a record, which tells people apart in every system.
pub(crate) fn address(record: &SourceRecord) -> String {
    let said = said(record);
    said.get("work_email")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Records by work address.
pub(crate) fn by_address(records: &[SourceRecord]) -> BTreeMap<String, &SourceRecord> {
    records
        .iter()
        .map(|record| (address(record), record))
        .collect()
}

/// The work addresses of everybody in the books.
pub(crate) fn addresses(company: &Company) -> BTreeSet<String> {
    let employees = company.employees.iter();
    employees.filter_map(|one| one.work_email.clone()).collect()
}

/// What the books say of somebody.
pub(crate) fn books(company: &Company, employee: &Employee) -> Map<String, Value> {
    let engagement = &employee.engagements[0];
    let department = company
        .departments
        .iter()
        .find(|department| Some(department.id) == employee.department);
    let phone = (employee.phone.as_ref()).map(|phone| format!("+47{}", phone.number));
    let status = match engagement.end_date {
        Some(last) if last < TODAY => "ended",
        _ => "active",
    };
    let books = json!({
        "employee_number": employee.employee_number,
        "given_name": employee.given_name,
        "family_name": employee.family_name,
        "work_email": employee.work_email,
        "personal_email": employee.personal_email,
        "phone": phone,
        "date_of_birth": employee.date_of_birth,
        "job_title": engagement.periods[0].job_title,
        "department": department.map(|department| &department.name),
        "employment_percentage": engagement.periods[0].percentage,
        "employment_status": status,
        "start_date": engagement.start_date,
        "end_date": engagement.end_date,
    });
    let Value::Object(books) = books else {
        panic!("an object was made");
    };
    books
}

/// Where a record differs from the books, in the fields that the connector names
/// and the books have. `fields` are all of them, or those that are looked at.
pub(crate) fn differences(
    info: &ConnectorInfo,
    record: &SourceRecord,
    books: &Map<String, Value>,
    fields: Option<&[&str]>,
) -> Vec<String> {
    let said = said(record);
    let named = |field: &str| {
        info.fields
            .iter()
            .any(|source| source.field.name() == field)
    };
    let looked_at = |field: &str| fields.is_none_or(|fields| fields.contains(&field));
    books
        .iter()
        .filter(|(field, value)| !value.is_null() && named(field) && looked_at(field))
        .filter(|(field, value)| !same(field, said.get(*field), value))
        .map(|(field, _)| format!("{field} is not what the books say"))
        .collect()
}

fn same(field: &str, said: Option<&Value>, books: &Value) -> bool {
    match (said, field) {
        (Some(said), "employment_percentage") => said.as_f64() == books.as_f64(),
        // Vendors that keep their own list of titles write them their own way.
        (Some(said), "job_title") => {
            let small = |value: &Value| value.as_str().map(str::to_lowercase);
            small(said) == small(books)
        }
        (said, _) => said == Some(books),
    }
}
