//! Which call is which, and the answers about one employee and the account.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::stage::{Roster, State};
use crate::wire::{Answer, WireRequest};

use super::fields::{FIELDS, Person, RESTRICTED, changed_at, field, full_name, is_since};
use super::{BambooHr, Refusal, datasets, lists, webhooks, writes};

/// The most fields that one employee can be asked for.
const MOST_FIELDS: usize = 400;

/// Answers a call whose key is good.
pub(super) fn answer(
    account: &mut BambooHr,
    request: &WireRequest,
    version: &str,
    path: &[&str],
) -> Result<Answer, Refusal> {
    match (request.method.as_str(), version, path) {
        ("GET", "v1", ["company_information"]) => Ok(company_information(account)),
        ("GET", "v1", ["meta", "fields"]) => Ok(meta_fields()),
        ("GET", "v1", ["meta", "lists"]) => Ok(meta_lists(account.stage.roster())),
        ("GET", "v1", ["meta", "tables"]) => Ok(meta_tables()),
        ("GET", "v1", ["employees"]) => Err(Refusal::of(
            403,
            "This endpoint is for OAuth applications only",
        )),
        ("GET", "v1", ["employees", "directory"]) => lists::directory(account, request),
        ("GET", "v1", ["employees", "changed"]) => changed(account, request),
        ("GET", "v1" | "v1_1", ["employees", who, "tables", table]) => {
            lists::table(account, who, table)
        }
        ("POST", "v1", ["reports", "custom"]) => lists::custom_report(account, request),
        ("POST", "v1", ["datasets", name]) => datasets::first_version(account, request, name),
        ("POST", "v2", ["datasets", name, "data"]) => {
            datasets::second_version(account, request, name)
        }
        ("GET", "v1_2", ["datasets", name, "fields"]) => datasets::fields(request, name),
        ("GET", "v1", ["employees", id]) => employee(account, request, id),
        ("POST", "v1", ["employees"]) => writes::create(account, request),
        ("POST", "v1", ["employees", id]) => writes::update(account, request, id),
        ("POST", "v1" | "v1_1", ["employees", id, "tables", table]) => {
            writes::add_row(account, request, id, table)
        }
        (method, "v1", ["webhooks", rest @ ..]) => webhooks::answer(account, request, method, rest),
        _ => Err(Refusal::of(404, "Not found")),
    }
}

/// A parameter of the query.
pub(super) fn parameter(request: &WireRequest, name: &str) -> Option<String> {
    request
        .parameters()
        .into_iter()
        .find(|(given, value)| given == name && !value.is_empty())
        .map(|(_, value)| value)
}

/// `onlyCurrent`: what begins later and who has left are left out unless asked for.
pub(super) fn only_current(request: &WireRequest) -> bool {
    !matches!(
        parameter(request, "onlyCurrent").as_deref(),
        Some("false" | "0")
    )
}

/// Old calls answer in XML unless JSON is asked for by name.
pub(super) fn wants_json(request: &WireRequest) -> bool {
    request
        .header("accept")
        .is_some_and(|accept| accept.contains("application/json"))
        || parameter(request, "format").is_some_and(|format| format.eq_ignore_ascii_case("json"))
}

/// Text that is safe inside an element or an attribute of XML.
pub(super) fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// Whose employee a path means; `0` is the owner of the key.
pub(super) fn employee_id(account: &BambooHr, text: &str) -> Result<u64, Refusal> {
    let missing = || Refusal::of(404, "Employee not found");
    let roster = account.stage.roster();
    let id = match text.parse().map_err(|_| missing())? {
        0 => roster.owner(),
        id => id,
    };
    if roster.employee(id).is_none() || account.stage.hides(roster, id) {
        return Err(missing());
    }
    Ok(id)
}

fn employee(account: &mut BambooHr, request: &WireRequest, id: &str) -> Result<Answer, Refusal> {
    if account.stage.mischief.throttles() {
        return Err(Refusal::of(429, "Limit exceeded"));
    }
    let id = employee_id(account, id)?;
    let asked = parameter(request, "fields").unwrap_or_default();
    let asked: Vec<&str> = asked.split(',').filter(|name| !name.is_empty()).collect();
    if asked.len() > MOST_FIELDS {
        return Err(Refusal::of(400, "Too many fields"));
    }
    let roster = account.stage.roster();
    let Some(employee) = roster.employee(id) else {
        return Err(Refusal::of(404, "Employee not found"));
    };
    let person = Person {
        roster,
        employee,
        only_current: only_current(request),
    };
    let mut values = Map::new();
    values.insert("id".to_owned(), json!(id.to_string()));
    for name in asked {
        // What does not exist or may not be seen is left out without a word.
        let Some(field) = field(name) else { continue };
        if account.stage.drops(field.alias)
            || account.stage.has_lost_rights() && RESTRICTED.contains(&field.alias)
        {
            continue;
        }
        let text = field.read(&person);
        let value = match (text.is_empty(), field.kind) {
            (true, "date") => json!("0000-00-00"),
            (true, _) => Value::Null,
            (false, _) => json!(text),
        };
        values.insert(name.to_owned(), value);
    }
    if wants_json(request) {
        return Ok(Answer::json(200, &Value::Object(values)));
    }
    let fields: String = values
        .iter()
        .filter(|(name, _)| *name != "id")
        .map(|(name, value)| {
            let text = value.as_str().unwrap_or_default();
            format!("<field id=\"{}\">{}</field>", escaped(name), escaped(text))
        })
        .collect();
    let xml = format!("<?xml version=\"1.0\"?>\n<employee id=\"{id}\">{fields}</employee>");
    Ok(Answer::text(200, "application/xml", xml))
}

/// Who changed since a moment; the answer's `latest` is the next `since`.
fn changed(account: &BambooHr, request: &WireRequest) -> Result<Answer, Refusal> {
    let since = parameter(request, "since").ok_or(Refusal::of(400, "since is required"))?;
    let day = since.get(..10).and_then(|day| day.parse::<Date>().ok());
    if day.is_none() {
        return Err(Refusal::of(400, "since is not a valid date"));
    }
    let wanted = parameter(request, "type").map(|kind| kind.to_lowercase());
    if let Some(kind) = &wanted
        && !matches!(kind.as_str(), "inserted" | "updated" | "deleted")
    {
        return Err(Refusal::of(
            400,
            "type must be inserted, updated or deleted",
        ));
    }
    let (roster, earlier) = (account.stage.roster(), account.stage.earlier());
    let mut found = Map::new();
    let mut latest = since.clone();
    let mut note = |id: u64, action: &str, at: String| {
        let is_wanted = wanted
            .as_deref()
            .is_none_or(|kind| kind.eq_ignore_ascii_case(action));
        if is_wanted && is_since(&at, &since) {
            if is_since(&at, &latest) {
                latest.clone_from(&at);
            }
            let row = json!({"id": id.to_string(), "action": action, "lastChanged": at});
            found.insert(id.to_string(), row);
        }
    };
    for employee in roster.employees() {
        if account.stage.hides(roster, employee.id) {
            continue;
        }
        let action = match earlier.employee(employee.id) {
            None => "Inserted",
            Some(_) => "Updated",
        };
        note(employee.id, action, changed_at(employee));
    }
    for employee in earlier.employees() {
        if roster.employee(employee.id).is_none() {
            // Deleted at the end of the day of which the state is.
            let at = format!("{}T23:59:59+00:00", roster.day());
            note(employee.id, "Deleted", at);
        }
    }
    Ok(Answer::json(
        200,
        &json!({"latest": latest, "employees": found}),
    ))
}

fn company_information(account: &BambooHr) -> Answer {
    let name = &account.stage.roster().company.name;
    // Of all its members the vendor's reference promises none; an address and a
    // telephone number, which it names beside these, are left out here.
    Answer::json(200, &json!({"legalName": name, "displayName": name}))
}

fn meta_fields() -> Answer {
    let fields: Vec<Value> = FIELDS
        .iter()
        .map(|field| {
            json!({
                "id": field.number, "name": field.name, "type": field.kind, "alias": field.alias,
            })
        })
        .collect();
    Answer::json(200, &Value::Array(fields))
}

/// The tables of an employee's history that this account has.
pub(super) const TABLES: &[(&str, &[&str])] = &[
    (
        "jobInfo",
        &[
            "date",
            "location",
            "department",
            "division",
            "jobTitle",
            "reportsTo",
        ],
    ),
    ("employmentStatus", &["date", "employmentStatus"]),
];

fn meta_tables() -> Answer {
    let tables: Vec<Value> = TABLES
        .iter()
        .zip(1_u32..)
        .map(|((alias, columns), table)| {
            let fields: Vec<Value> = columns
                .iter()
                .zip(1_u32..)
                .map(|(column, number)| {
                    let kind = if *column == "date" { "date" } else { "list" };
                    json!({
                        "id": 4100 + table * 20 + number, "name": column, "alias": column, "type": kind,
                    })
                })
                .collect();
            json!({"alias": alias, "fields": fields})
        })
        .collect();
    Answer::json(200, &Value::Array(tables))
}

fn meta_lists(roster: &Roster) -> Answer {
    let mut titles: Vec<&str> = roster
        .employees()
        .iter()
        .filter(|employee| roster.state(employee) == State::Running)
        .filter_map(|employee| roster.terms(roster.primary(employee)?))
        .map(|terms| terms.job_title.as_str())
        .collect();
    titles.sort_unstable();
    titles.dedup();
    let departments: Vec<&str> = roster
        .company
        .departments
        .iter()
        .map(|department| department.name.as_str())
        .collect();
    let lists: Vec<Value> = [
        (
            "employmentHistoryStatus",
            vec!["Contractor", "Full-Time", "Part-Time", "Terminated"],
        ),
        ("jobTitle", titles),
        ("department", departments),
        ("division", vec![roster.company.name.as_str()]),
    ]
    .into_iter()
    .filter_map(|(alias, options)| {
        let field = field(alias)?;
        let options: Vec<Value> = options
            .into_iter()
            .zip(1_u32..)
            .map(|(name, number)| {
                json!({
                    "id": field.number * 1000 + number, "archived": "no", "manageable": "yes",
                    "createdDate": "2023-01-02T00:00:00+00:00", "archivedDate": null, "name": name,
                })
            })
            .collect();
        Some(json!({
            "id": 3400 + field.number, "fieldId": field.number, "manageable": "yes",
            "multiple": "no", "name": field.name, "options": options, "alias": alias,
        }))
    })
    .collect();
    Answer::json(200, &Value::Array(lists))
}

/// The name as the tables show it.
pub(super) fn reports_to(person: &Person<'_>) -> Value {
    person
        .manager()
        .map_or(Value::Null, |manager| json!(full_name(manager)))
}
