//! People and job roles as Humaans writes them.

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::company::{Employee, EngagementKind, Period, e164, national_number};
use crate::stage::{Roster, State};

use super::ids::{Of, id};

/// The vendor's fields that `drop-field` may name.
pub(super) const FIELDS: &[&str] = &[
    "firstName",
    "lastName",
    "preferredName",
    "email",
    "personalEmail",
    "phoneNumber",
    "personalPhoneNumber",
    "birthday",
    "employmentStartDate",
    "employmentEndDate",
    "contractType",
    "employeeId",
    "taxId",
    "teams",
    "status",
    "companyId",
    "updatedAt",
    "jobTitle",
    "department",
    "reportingTo",
    "effectiveDate",
];

/// What everybody may see of a person: the scope `public:read`.
const PUBLIC: [&str; 13] = [
    "id",
    "companyId",
    "firstName",
    "middleName",
    "lastName",
    "preferredName",
    "email",
    "locationId",
    "phoneNumber",
    "teams",
    "status",
    "timezone",
    "updatedAt",
];

/// Who works here, who left, and who begins later.
pub(super) fn status(roster: &Roster, employee: &Employee) -> &'static str {
    match roster.state(employee) {
        State::Running => "active",
        State::Future => "new_hire",
        State::Ended => "offboarded",
    }
}

fn moment(day: Date) -> String {
    format!("{day}T00:00:00.000Z")
}

/// Somebody's record.
pub(super) fn person(roster: &Roster, employee: &Employee) -> Value {
    let engagement = roster.primary(employee);
    let terms = engagement.and_then(|engagement| roster.terms(engagement));
    let phone = employee.phone.as_ref().map(e164);
    let first = employee.engagements.iter().map(|one| one.start_date).min();
    let contract = match (engagement.map(|one| one.kind), terms) {
        (Some(EngagementKind::Contractor), _) => Some("Contractor"),
        (_, Some(terms)) if terms.percentage < 100 => Some("Part time"),
        (_, Some(_)) => Some("Full time"),
        _ => None,
    };
    let address = employee.address.as_ref();
    let begins = engagement.map(|engagement| engagement.start_date);
    let ends = engagement.and_then(|engagement| engagement.end_date);
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    let mut person = json!({
        "id": id(Of::Person, employee.id),
        "companyId": id(Of::Company, roster.company.account_id),
        "firstName": employee.given_name,
        "middleName": null,
        "lastName": employee.family_name,
        "preferredName": null,
        "email": employee.work_email,
        "locationId": null,
        "remoteCity": null,
        "remoteRegionCode": null,
        "remoteCountryCode": null,
        "remoteTimezone": null,
        "personalEmail": employee.personal_email,
        "phoneNumber": phone,
        "formattedPhoneNumber": phone,
        "personalPhoneNumber": null,
        "formattedPersonalPhoneNumber": null,
        "gender": null,
        "birthday": employee.date_of_birth,
        "nationality": null,
        "nationalities": [],
        "address": address.map(|address| &address.line),
        "city": address.map(|address| &address.city),
        "state": null,
        "postcode": address.map(|address| &address.postal_code),
        "countryCode": address.map(|address| &address.country),
    });
    let employment = json!({
        "employmentStartDate": begins,
        "firstWorkingDay": begins,
        "employmentEndDate": ends,
        "lastWorkingDay": ends,
        "probationEndDate": null,
        "leavingReason": null,
        "workingDays": days.map(|day| json!({"day": day})),
        "contractType": contract,
        "employeeId": employee.employee_number,
        "taxId": employee.national_id.as_ref().map(national_number),
        "taxCode": null,
        "teams": [],
        "status": status(roster, employee),
        "role": "user",
        "source": null,
        "sourceId": null,
        "timezone": "Europe/Oslo",
        "createdAt": moment(first.unwrap_or(employee.changed)),
        "updatedAt": moment(employee.changed),
    });
    if let (Some(person), Value::Object(employment)) = (person.as_object_mut(), employment) {
        person.extend(employment);
    }
    person
}

/// What is left of a record without the scope `private:read`.
pub(super) fn restrict(person: &mut Value) {
    if let Some(person) = person.as_object_mut() {
        person.retain(|name, _| PUBLIC.contains(&name.as_str()));
    }
}

/// Somebody's terms from a day on, with the day on which the next ones begin.
pub(super) fn job_role(
    roster: &Roster,
    employee: &Employee,
    terms: &Period,
    next: Option<Date>,
) -> Value {
    let title = Some(terms.job_title.as_str()).filter(|title| !title.is_empty());
    json!({
        "id": id(Of::JobRole, terms.id),
        "personId": id(Of::Person, employee.id),
        "jobTitle": title,
        "department": roster.department(employee),
        "reportingTo": roster.manager(employee).map(|manager| id(Of::Person, manager.id)),
        "effectiveDate": terms.from,
        "endDate": next.and_then(|next| next.yesterday().ok()),
        "note": null,
    })
}

/// Somebody's job roles, of all their engagements, the first first.
pub(super) fn job_roles(employee: &Employee) -> Vec<(&Period, Option<Date>)> {
    let mut terms: Vec<&Period> = employee
        .engagements
        .iter()
        .flat_map(|engagement| engagement.periods.iter())
        .collect();
    terms.sort_by_key(|period| period.from);
    let next: Vec<Option<Date>> = terms
        .iter()
        .skip(1)
        .map(|period| Some(period.from))
        .chain([None])
        .collect();
    terms.into_iter().zip(next).collect()
}

/// The company.
pub(super) fn company(roster: &Roster) -> Value {
    let company = &roster.company;
    json!({
        "id": id(Of::Company, company.account_id),
        "name": company.name,
        "domains": [],
        "status": "active",
        "createdAt": "2020-01-28T08:44:42.000Z",
        "updatedAt": "2020-01-28T08:44:42.000Z",
    })
}

/// A value of a record as it stands in a query.
pub(super) fn text_of(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "null".to_owned(),
        Some(other) => other.to_string(),
    }
}
