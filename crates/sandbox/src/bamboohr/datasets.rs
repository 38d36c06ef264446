//! The paged bulk read, in both versions.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::wire::{Answer, WireRequest};

use super::calls::parameter;
use super::fields::{Person, RESTRICTED, field, full_name};
use super::lists::{everybody, finish};
use super::{BambooHr, Refusal};

/// Rows of a page unless said otherwise: of the first version, of the second.
const DEFAULT_PAGE_SIZES: (usize, usize) = (500, 100);
const LARGEST_PAGE: usize = 1000;

/// The dataset's own names, and the aliases of the same fields elsewhere.
const NAMES: &[(&str, &str)] = &[
    ("eeid", "id"),
    ("employeeNumber", "employeeNumber"),
    ("firstName", "firstName"),
    ("lastName", "lastName"),
    ("preferredName", "preferredName"),
    ("email", "workEmail"),
    ("workPhone", "workPhone"),
    ("mobilePhone", "mobilePhone"),
    ("dateOfBirth", "dateOfBirth"),
    ("hireDate", "hireDate"),
    ("status", "status"),
    ("employmentStatus", "employmentHistoryStatus"),
    ("jobInformationJobTitle", "jobTitle"),
    ("jobInformationDepartment", "department"),
    ("jobInformationDivision", "division"),
    ("jobInformationLocation", "location"),
    ("jobInformationReportsTo", "supervisor"),
    ("supervisorEid", "supervisorEId"),
    ("lastChanged", "lastChanged"),
];

#[derive(Debug, Deserialize)]
struct DataRequest {
    fields: Vec<String>,
    page: Option<usize>,
    #[serde(rename = "pageSize")]
    page_size: Option<usize>,
    filter: Option<String>,
}

/// A refusal of the newer calls: a problem document.
fn problem(status: u16, code: &str, title: &str) -> Answer {
    let body = json!({"status": status, "code": code, "title": title});
    Answer::text(status, "application/problem+json", body.to_string())
}

pub(super) fn first_version(
    account: &mut BambooHr,
    request: &WireRequest,
    name: &str,
) -> Result<Answer, Refusal> {
    let asked: DataRequest = serde_json::from_slice(&request.body)
        .map_err(|_| Refusal::of(400, "The request body is not valid"))?;
    let number = |name, default| match parameter(request, name) {
        None => Ok(default),
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|number| *number > 0)
            .ok_or(Refusal::of(400, "Invalid page or page size")),
    };
    let page = number("page", 1)?;
    let page_size = number("page_size", DEFAULT_PAGE_SIZES.0)?;
    if name != "employee" || page_size > LARGEST_PAGE || unknown(&asked.fields) {
        return Err(Refusal::of(400, "Invalid argument"));
    }
    page_of(
        account,
        &asked.fields,
        "all",
        (page, page_size),
        |rows, meta| {
            json!({
                "data": rows, "aggregations": [],
                "pagination": {
                    "total_records": meta.total, "current_page": meta.page,
                    "total_pages": meta.pages, "next_page": null, "prev_page": null,
                },
            })
        },
    )
}

pub(super) fn second_version(
    account: &mut BambooHr,
    request: &WireRequest,
    name: &str,
) -> Result<Answer, Refusal> {
    let Ok(asked) = serde_json::from_slice::<DataRequest>(&request.body) else {
        return Ok(problem(
            400,
            "INVALID_BODY",
            "The request body is not valid",
        ));
    };
    if name != "employee" {
        return Ok(problem(404, "DATASET_NOT_FOUND", "Dataset not found"));
    }
    let page = asked.page.unwrap_or(1);
    let page_size = asked.page_size.unwrap_or(DEFAULT_PAGE_SIZES.1);
    if page == 0 || page_size == 0 || page_size > LARGEST_PAGE {
        return Ok(problem(
            422,
            "INVALID_PAGINATION",
            "Invalid page or page size",
        ));
    }
    if unknown(&asked.fields) || asked.fields.is_empty() {
        return Ok(problem(
            400,
            "INVALID_FIELD",
            "An unknown field was asked for",
        ));
    }
    let Some(list) = list_of(asked.filter.as_deref()) else {
        return Ok(problem(
            422,
            "INVALID_FILTER",
            "The filter is not supported",
        ));
    };
    let origin = request.origin();
    page_of(
        account,
        &asked.fields,
        list,
        (page, page_size),
        |rows, meta| {
            let rows: Vec<Value> = rows.into_iter().map(|row| json!({"fields": row})).collect();
            let address = |page: usize| format!("{origin}{}?page={page}", request.path_as_sent);
            let mut links = Map::new();
            if meta.page > 1 {
                links.insert("prev".to_owned(), json!(address(meta.page - 1)));
            }
            if meta.page < meta.pages {
                links.insert("next".to_owned(), json!(address(meta.page + 1)));
            }
            // Recorded: without neighbours the links are an empty list.
            let links = if links.is_empty() {
                json!([])
            } else {
                Value::Object(links)
            };
            json!({
                "data": rows, "links": links,
                "meta": {
                    "page": meta.page, "pageSize": page_size,
                    "totalPages": meta.pages, "totalItems": meta.total,
                },
            })
        },
    )
}

/// Which list a filter asks for; none when the simulator does not know the filter.
fn list_of(filter: Option<&str>) -> Option<&'static str> {
    let filter: String = filter.unwrap_or_default().split_whitespace().collect();
    match filter.as_str() {
        "" | "statusin('Active','Inactive')" | "statusin('Inactive','Active')" => Some("all"),
        "statuseq'Active'" | "statusin('Active')" => Some("current"),
        _ => None,
    }
}

fn unknown(fields: &[String]) -> bool {
    fields
        .iter()
        .any(|name| !NAMES.iter().any(|(known, _)| known == name))
}

/// What stands beside the rows.
struct Meta {
    page: usize,
    pages: usize,
    total: usize,
}

fn page_of(
    account: &mut BambooHr,
    fields: &[String],
    list: &str,
    (page, page_size): (usize, usize),
    envelope: impl Fn(Vec<Map<String, Value>>, &Meta) -> Value,
) -> Result<Answer, Refusal> {
    if account.stage.mischief.throttles() {
        return Err(Refusal::of(429, "Limit exceeded"));
    }
    let from = (page - 1).saturating_mul(page_size);
    let only_current = list == "current";
    let mut listing = everybody(account, only_current, page_size);
    if account.stage.moves_border(&listing, from) {
        listing = everybody(account, only_current, page_size);
    }
    let served = account.stage.serve(&listing, from, page_size);
    let rows: Vec<Map<String, Value>> = listing
        .rows(served.range.clone())
        .map(|employee| {
            let person = Person {
                roster: &listing.roster,
                employee: &employee,
                only_current: true,
            };
            row(account, &person, fields)
        })
        .collect();
    let meta = Meta {
        page,
        pages: served.pages,
        total: served.total,
    };
    let answer = Answer::json(200, &envelope(rows, &meta));
    finish(account, served.place, answer)
}

fn row(account: &BambooHr, person: &Person<'_>, fields: &[String]) -> Map<String, Value> {
    let mut row = Map::new();
    for name in fields {
        let Some((_, alias)) = NAMES.iter().find(|(known, _)| known == name) else {
            continue;
        };
        if account.stage.drops(alias) {
            continue;
        }
        let is_restricted = account.stage.has_lost_rights() && RESTRICTED.contains(alias);
        let text = match (*alias, field(alias)) {
            _ if is_restricted => String::new(),
            ("supervisor", _) => person.manager().map(full_name).unwrap_or_default(),
            (_, Some(field)) => field.read(person),
            (_, None) => String::new(),
        };
        let value = if text.is_empty() {
            Value::Null
        } else {
            json!(text)
        };
        row.insert(name.clone(), value);
    }
    row
}

/// Which fields the dataset has.
pub(super) fn fields(request: &WireRequest, name: &str) -> Result<Answer, Refusal> {
    if name != "employee" {
        return Ok(problem(422, "DATASET_NOT_FOUND", "Dataset not found"));
    }
    if parameter(request, "page").is_some_and(|page| page.parse::<u32>().is_err()) {
        return Ok(problem(422, "INVALID_PAGINATION", "Invalid page"));
    }
    let fields: Vec<Value> = NAMES
        .iter()
        .filter_map(|(name, alias)| Some((name, field(alias)?)))
        .map(|(name, field)| json!({"name": name, "label": field.name, "type": field.kind}))
        .collect();
    Ok(Answer::json(
        200,
        &json!({
            "pagination": {
                "total_records": fields.len(), "current_page": 1, "total_pages": 1,
                "next_page": null, "prev_page": null,
            },
            "name": "employee", "label": "Employee", "fields": fields,
        }),
    ))
}
