//! A custom report as a web service: everybody in one answer, in the columns that
//! its author chose and under the aliases that they gave them.

use serde_json::{Map, Value, json};

use crate::company::{NationalId, national_number, period_on};
use crate::wire::{Answer, Body, JSON, WireRequest};

use super::element::write;
use super::person::{
    Person, current, department, entered, has_begun, is_contingent, number, phone, wid,
};
use super::worker::worker_reference;
use super::{Tenant, USERNAME, refused};

/// Rows made at a time.
const ROWS_A_PIECE: usize = 200;

/// Who owns the report, and what it is called.
pub(super) const OWNER: &str = "hr_admin";
pub(super) const NAME: &str = "All_Workers_for_Muster";

/// The aliases of the columns, in their order.
pub(super) const COLUMNS: &[&str] = &[
    "Employee_ID",
    "Worker_WID",
    "First_Name",
    "Last_Name",
    "Work_Email",
    "Personal_Email",
    "Mobile_Phone",
    "Date_of_Birth",
    "National_ID",
    "Business_Title",
    "Supervisory_Organization",
    "Cost_Center",
    "Manager_Employee_ID",
    "Worker_Type",
    "Worker_Status",
    "FTE",
    "Hire_Date",
    "Termination_Date",
    "Last_Functionally_Updated",
];

/// Columns of domains that may be lost.
const RESTRICTED: &[&str] = &[
    "Personal_Email",
    "Mobile_Phone",
    "Date_of_Birth",
    "National_ID",
];

/// The forms in which it is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    SimpleXml,
    /// With the ids of what a column names.
    Xml,
    Csv,
}

/// Answers `GET /ccx/service/customreport2/TENANT/OWNER/NAME`.
pub(super) fn answer(tenant: &mut Tenant, request: &WireRequest) -> Answer {
    if !is_known(tenant, request) {
        return Answer::empty(401);
    }
    let parameters = request.parameters();
    let format = parameters.iter().find(|(name, _)| name == "format");
    let form = match format.map(|(_, value)| value.as_str()) {
        Some("json") => Form::Json,
        Some("simplexml") => Form::SimpleXml,
        Some("xml") | None => Form::Xml,
        Some("csv") => Form::Csv,
        Some(_) => return Answer::empty(400),
    };
    if tenant.stage.mischief.throttles() {
        return refused();
    }
    let listing = tenant
        .stage
        .listing("report", usize::MAX, |roster, employee| {
            has_begun(employee, roster.day())
        });
    let served = tenant.stage.serve(&listing, 0, listing.len().max(1));
    let lost = tenant.stage.has_lost_rights();
    let columns: Vec<&'static str> = COLUMNS
        .iter()
        .copied()
        .filter(|column| !(lost && RESTRICTED.contains(column) || tenant.stage.drops(column)))
        .collect();
    let (head, separator, tail, content_type) = frame(form, &columns);
    let range = served.range.clone();
    let pieces = range.clone().step_by(ROWS_A_PIECE).map(move |from| {
        let mut piece = String::new();
        for at in from..from.saturating_add(ROWS_A_PIECE).min(range.end) {
            let Some(employee) = listing.row(at) else {
                continue;
            };
            if at > range.start {
                piece.push_str(separator);
            }
            let person = Person {
                roster: &listing.roster,
                employee: &employee,
                day: listing.roster.day(),
            };
            entry(&person, form, &columns, &mut piece);
        }
        piece
    });
    let pieces = std::iter::once(head)
        .chain(pieces)
        .chain(std::iter::once(tail.to_owned()));
    if tenant.stage.mischief.breaks(served.place) {
        return Answer::empty(500);
    }
    if tenant.stage.mischief.expires_token(served.place) {
        tenant.expire();
    }
    let answer = Answer {
        content_type,
        body: Body::Pieces(Box::new(pieces)),
        ..Answer::empty(200)
    };
    tenant.stage.finish(served.place, answer)
}

/// The integration's user with its password, or a token of the API client.
fn is_known(tenant: &Tenant, request: &WireRequest) -> bool {
    if let Some(token) = request.bearer() {
        return tenant.tokens.contains(token);
    }
    let whole = format!("{USERNAME}@{}", tenant.name());
    request.basic().is_some_and(|(user, password)| {
        (user == USERNAME || user == whole) && password == tenant.password && !tenant.is_locked
    })
}

/// What stands before, between and behind the rows, and the type of the body.
fn frame(form: Form, columns: &[&str]) -> (String, &'static str, &'static str, &'static str) {
    let xml = || {
        format!(
            "<?xml version='1.0' encoding='UTF-8'?>\n<wd:Report_Data xmlns:wd=\"urn:com.workday.report/{NAME}\">"
        )
    };
    match form {
        Form::Json => ("{\"Report_Entry\":[".to_owned(), ",", "]}", JSON),
        Form::SimpleXml | Form::Xml => (
            xml(),
            "",
            "</wd:Report_Data>",
            "application/xml; charset=UTF-8",
        ),
        Form::Csv => (
            format!("{}\n", columns.join(",")),
            "",
            "",
            "text/csv; charset=UTF-8",
        ),
    }
}

fn entry(person: &Person<'_>, form: Form, columns: &[&'static str], text: &mut String) {
    let mut row = row(person, columns);
    match form {
        Form::Json => text.push_str(&Value::Object(row).to_string()),
        Form::SimpleXml => write("Report_Entry", &Value::Object(row), text),
        Form::Xml => {
            row.shift_insert(0, "Worker".to_owned(), worker_reference(person));
            if let Some(manager) = person.manager() {
                row.insert("Manager".to_owned(), worker_reference(&manager));
            }
            write("Report_Entry", &Value::Object(row), text);
        }
        Form::Csv => {
            let cells: Vec<String> = columns
                .iter()
                .map(|column| row.get(*column).and_then(Value::as_str).unwrap_or_default())
                .map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")))
                .collect();
            text.push_str(&cells.join(","));
            text.push('\n');
        }
    }
}

/// A row: everything is text, and what is empty is not there.
fn row(person: &Person<'_>, columns: &[&'static str]) -> Map<String, Value> {
    let mut row = Map::new();
    for column in columns {
        if let Some(value) = cell(person, column).filter(|value| !value.is_empty()) {
            row.insert((*column).to_owned(), json!(value));
        }
    }
    row
}

fn cell(person: &Person<'_>, column: &str) -> Option<String> {
    let employee = person.employee;
    let engagement = current(employee, person.day);
    let terms = engagement.and_then(|engagement| period_on(engagement, person.day));
    let is_active = person.is_active();
    Some(match column {
        "Employee_ID" => number(employee),
        "Worker_WID" => wid(employee.id),
        "First_Name" => employee.given_name.clone(),
        "Last_Name" => employee.family_name.clone(),
        "Work_Email" => employee.work_email.clone()?,
        "Personal_Email" => employee.personal_email.clone()?,
        "Mobile_Phone" => phone(employee.phone.as_ref()?).0,
        "Date_of_Birth" => employee.date_of_birth?.to_string(),
        // The author chose numbers of the company's own country: a column does
        // not say whose a number is.
        "National_ID" => match employee.national_id.as_ref()? {
            NationalId::Foreign { .. } => return None,
            own => national_number(own).to_owned(),
        },
        "Business_Title" => terms?.job_title.clone(),
        "Supervisory_Organization" => department(person.roster, employee)?.name.clone(),
        "Cost_Center" => {
            let department = department(person.roster, employee)?;
            format!("{} {}", department.number, department.name)
        }
        "Manager_Employee_ID" => number(person.manager()?.employee),
        "Worker_Type" => match is_contingent(employee, person.day) {
            true => "Contingent Worker".to_owned(),
            false => "Employee".to_owned(),
        },
        "Worker_Status" => match is_active {
            true => "Active".to_owned(),
            false => "Terminated".to_owned(),
        },
        "FTE" => terms?.percentage.to_string(),
        "Hire_Date" => engagement?.start_date.to_string(),
        "Termination_Date" => engagement?.end_date?.to_string(),
        "Last_Functionally_Updated" => entered(employee.changed),
        _ => return None,
    })
}
