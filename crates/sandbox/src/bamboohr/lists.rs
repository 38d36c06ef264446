//! The calls that give everybody in one answer: directory, custom report, tables.
//! They are made piece by piece while they are sent.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::company::Employee;
use crate::stage::{Listing, Place, State};
use crate::wire::{Answer, Body, JSON, WireRequest};

use super::calls::{employee_id, escaped, only_current, parameter, reports_to, wants_json};
use super::fields::{Field, Person, RESTRICTED, changed_at, field, full_name, is_since};
use super::{BambooHr, Refusal};

/// Rows made at a time.
const ROWS_A_PIECE: usize = 200;

/// What the directory shows of everybody.
const DIRECTORY: &[&str] = &[
    "displayName",
    "firstName",
    "lastName",
    "preferredName",
    "jobTitle",
    "workPhone",
    "mobilePhone",
    "workEmail",
    "department",
    "location",
    "division",
    "workPhoneExtension",
    "supervisor",
];

/// A list of everybody, or of those who work here now.
pub(super) fn everybody(account: &mut BambooHr, only_current: bool, page_size: usize) -> Listing {
    let name = if only_current { "current" } else { "all" };
    account.stage.listing(name, page_size, |roster, employee| {
        !only_current || roster.state(employee) == State::Running
    })
}

/// How one person becomes text.
type Render = Box<dyn Fn(&Person<'_>) -> String + Send>;

/// Answers with a whole list, which is one page to the faults.
fn whole(
    account: &mut BambooHr,
    only_current: bool,
    content_type: &'static str,
    (head, separator, tail): (String, &'static str, &'static str),
    render: Render,
) -> Result<Answer, Refusal> {
    if account.stage.mischief.throttles() {
        return Err(Refusal::of(429, "Limit exceeded"));
    }
    let listing = everybody(account, only_current, usize::MAX);
    let served = account.stage.serve(&listing, 0, listing.len().max(1));
    let range = served.range;
    let pieces = range.clone().step_by(ROWS_A_PIECE).map(move |from| {
        let mut piece = String::new();
        for at in from..from.saturating_add(ROWS_A_PIECE).min(range.end) {
            let Some(employee) = listing.row(at) else {
                continue;
            };
            if at > range.start {
                piece.push_str(separator);
            }
            piece.push_str(&render(&Person {
                roster: &listing.roster,
                employee: &employee,
                only_current,
            }));
        }
        piece
    });
    let pieces = std::iter::once(head)
        .chain(pieces)
        .chain(std::iter::once(tail.to_owned()));
    let answer = Answer {
        content_type,
        body: Body::Pieces(Box::new(pieces)),
        ..Answer::empty(200)
    };
    finish(account, served.place, answer)
}

/// The faults that touch an answer as a whole.
pub(super) fn finish(
    account: &mut BambooHr,
    place: Place,
    answer: Answer,
) -> Result<Answer, Refusal> {
    if account.stage.mischief.breaks(place) {
        return Err(Refusal::of(500, "Internal error"));
    }
    // A key does not expire; somebody takes it back, and nobody renews it.
    account.is_revoked |= account.stage.mischief.expires_token(place);
    Ok(account.stage.finish(place, answer))
}

pub(super) fn directory(account: &mut BambooHr, request: &WireRequest) -> Result<Answer, Refusal> {
    let columns: Vec<&'static Field> = DIRECTORY
        .iter()
        .filter_map(|alias| field(alias))
        .filter(|field| !account.stage.drops(field.alias))
        .collect();
    let only_current = only_current(request);
    if !wants_json(request) {
        let fields: String = columns
            .iter()
            .map(|field| {
                format!(
                    "<field id=\"{}\" type=\"{}\">{}</field>",
                    field.alias, field.kind, field.name
                )
            })
            .collect();
        let head =
            format!("<?xml version=\"1.0\"?>\n<directory><fieldset>{fields}</fieldset><employees>");
        let render: Render = Box::new(move |person| {
            let fields: String = columns
                .iter()
                .map(|field| {
                    let text = escaped(&field.read(person));
                    format!("<field id=\"{}\">{text}</field>", field.alias)
                })
                .collect();
            format!(
                "<employee id=\"{}\">{fields}</employee>",
                person.employee.id
            )
        });
        let frame = (head, "", "</employees></directory>");
        return whole(account, only_current, "application/xml", frame, render);
    }
    let mut described: Vec<Value> = columns.iter().map(|field| field.described()).collect();
    described.extend([
        json!({"id": "photoUploaded", "type": "bool", "name": "Employee photo exists"}),
        json!({"id": "photoUrl", "type": "url", "name": "Employee photo url"}),
        json!({"type": "bool", "name": "", "id": "canUploadPhoto"}),
    ]);
    let head = format!("{{\"fields\":{},\"employees\":[", Value::Array(described));
    let render: Render = Box::new(move |person| {
        let mut row = Map::new();
        row.insert("id".to_owned(), json!(person.employee.id.to_string()));
        for field in &columns {
            let text = match field.alias {
                "supervisor" => person.manager().map(full_name).unwrap_or_default(),
                _ => field.read(person),
            };
            let value = if text.is_empty() {
                Value::Null
            } else {
                json!(text)
            };
            row.insert(field.alias.to_owned(), value);
        }
        row.insert("photoUploaded".to_owned(), json!(false));
        row.insert("photoUrl".to_owned(), Value::Null);
        row.insert("canUploadPhoto".to_owned(), json!(0));
        Value::Object(row).to_string()
    });
    whole(account, only_current, JSON, (head, ",", "]}"), render)
}

/// The body of a custom report.
#[derive(Debug, Deserialize)]
struct ReportRequest {
    title: Option<String>,
    fields: Vec<String>,
    filters: Option<ReportFilters>,
}

#[derive(Debug, Deserialize)]
struct ReportFilters {
    #[serde(rename = "lastChanged")]
    last_changed: Option<LastChanged>,
}

#[derive(Debug, Deserialize)]
struct LastChanged {
    value: Option<String>,
}

pub(super) fn custom_report(
    account: &mut BambooHr,
    request: &WireRequest,
) -> Result<Answer, Refusal> {
    let format = parameter(request, "format").unwrap_or_default();
    if !format.eq_ignore_ascii_case("json") {
        return Err(Refusal::of(400, "Only the format JSON is simulated"));
    }
    let asked: ReportRequest = serde_json::from_slice(&request.body)
        .map_err(|_| Refusal::of(400, "The request body is not a valid report"))?;
    let since = asked
        .filters
        .and_then(|filters| filters.last_changed)
        .and_then(|filter| filter.value)
        .filter(|value| !value.is_empty());
    let mut columns: Vec<&'static Field> = Vec::new();
    for name in &asked.fields {
        if let Some(field) = field(name)
            && !(account.stage.has_lost_rights() && RESTRICTED.contains(&field.alias))
        {
            columns.push(field);
        }
    }
    let described: Vec<Value> = columns.iter().map(|field| field.described()).collect();
    // The id comes whether or not it was asked for.
    if !columns.iter().any(|field| field.alias == "id")
        && let Some(id) = field("id")
    {
        columns.insert(0, id);
    }
    let dropped: Vec<&str> = columns
        .iter()
        .map(|field| field.alias)
        .filter(|alias| account.stage.drops(alias))
        .collect();
    let title = json!(asked.title.unwrap_or_default());
    let head = format!(
        "{{\"title\":{title},\"fields\":{},\"employees\":[",
        Value::Array(described)
    );
    let only_current = only_current(request);
    let render = move |person: &Person<'_>| {
        let row: Map<String, Value> = columns
            .iter()
            .map(|field| {
                let text = if dropped.contains(&field.alias) {
                    String::new()
                } else {
                    field.read(person)
                };
                (field.alias.to_owned(), json!(text))
            })
            .collect();
        Value::Object(row).to_string()
    };
    let Some(since) = since else {
        return whole(
            account,
            only_current,
            JSON,
            (head, ",", "]}"),
            Box::new(render),
        );
    };
    // The few who changed: small enough to be made at once.
    if account.stage.mischief.throttles() {
        return Err(Refusal::of(429, "Limit exceeded"));
    }
    let listing = everybody(account, only_current, usize::MAX);
    let rows: Vec<String> = listing
        .rows(0..listing.len())
        .filter_map(|employee| {
            let person = Person {
                roster: &listing.roster,
                employee: &employee,
                only_current,
            };
            is_since(&changed_at(person.employee), &since).then(|| render(&person))
        })
        .collect();
    let body = format!("{head}{}]}}", rows.join(","));
    finish(account, Place::of(0, 1, 1), Answer::text(200, JSON, body))
}

/// History rows of one employee, or of everybody (`all`).
pub(super) fn table(account: &mut BambooHr, who: &str, table: &str) -> Result<Answer, Refusal> {
    let rows: fn(&Person<'_>) -> Vec<Value> = match table {
        "jobInfo" => job_info,
        "employmentStatus" => employment_status,
        _ => return Err(Refusal::of(404, "Table not found")),
    };
    if who != "all" {
        let id = employee_id(account, who)?;
        let roster = account.stage.roster();
        let rows = roster.employee(id).map(|employee| {
            rows(&Person {
                roster,
                employee,
                only_current: false,
            })
        });
        return Ok(Answer::json(200, &Value::Array(rows.unwrap_or_default())));
    }
    let render: Render = Box::new(move |person| {
        let rows: Vec<String> = rows(person).iter().map(Value::to_string).collect();
        rows.join(",")
    });
    whole(account, false, JSON, ("[".to_owned(), ",", "]"), render)
}

/// One row for each change of terms; the department is known only as it is now.
fn job_info(person: &Person<'_>) -> Vec<Value> {
    let Employee {
        engagements, id, ..
    } = person.employee;
    engagements
        .iter()
        .flat_map(|engagement| &engagement.periods)
        .map(|period| {
            json!({
                "id": period.id.to_string(), "employeeId": id.to_string(),
                "date": period.from, "location": null,
                "department": person.roster.department(person.employee),
                "division": person.roster.company.name, "jobTitle": period.job_title,
                "reportsTo": reports_to(person), "teams": null,
            })
        })
        .collect()
}

/// One row for each beginning and one for each end.
fn employment_status(person: &Person<'_>) -> Vec<Value> {
    let mut rows = Vec::new();
    for engagement in &person.employee.engagements {
        let mut row = |id: u64, date: jiff::civil::Date, status: &str| {
            rows.push(json!({
                "id": id.to_string(), "employeeId": person.employee.id.to_string(),
                "date": date, "employmentStatus": status,
            }));
        };
        let full = engagement
            .periods
            .first()
            .is_none_or(|period| period.percentage >= 100);
        let status = match (engagement.kind, full) {
            (crate::company::EngagementKind::Contractor, _) => "Contractor",
            (_, true) => "Full-Time",
            (_, false) => "Part-Time",
        };
        row(
            engagement.id.saturating_mul(2),
            engagement.start_date,
            status,
        );
        if let Some(end) = engagement.end_date {
            row(
                engagement.id.saturating_mul(2).saturating_add(1),
                end,
                "Terminated",
            );
        }
    }
    rows
}
