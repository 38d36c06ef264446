//! Employee records under the canonical names of the project's files.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::contact::e164;
use super::snapshot::{
    Address, Employee, EndReason, Engagement, EngagementKind, NationalId, Period,
};

/// The flat fields of a person on a day, and those of their primary engagement.
///
/// `null` means that the HR system says there is none.
pub(super) fn person(
    employee: &Employee,
    department: Option<&str>,
    day: Date,
) -> Map<String, Value> {
    let primary = primary(employee, day);
    let terms = primary.and_then(|engagement| period_on(engagement, day));
    let status = if employee.is_running_on(day) {
        "active"
    } else if primary.is_some_and(|engagement| engagement.start_date > day) {
        "future"
    } else {
        "ended"
    };
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("external_id", json!(employee.id.to_string()));
    put("employee_number", json!(employee.employee_number));
    put("given_name", json!(employee.given_name));
    put("family_name", json!(employee.family_name));
    put(
        "display_name",
        json!(format!("{} {}", employee.given_name, employee.family_name)),
    );
    put("work_email", json!(employee.work_email));
    put("personal_email", json!(employee.personal_email));
    put("phone", json!(employee.phone.as_ref().map(e164)));
    put("date_of_birth", json!(employee.date_of_birth));
    put(
        "national_id",
        json!(employee.national_id.as_ref().map(number)),
    );
    put("bank_account", json!(employee.bank_account));
    put("job_title", json!(terms.map(|period| &period.job_title)));
    put("department", json!(department));
    put(
        "address",
        employee.address.as_ref().map_or(Value::Null, address),
    );
    put(
        "manager_external_id",
        json!(employee.manager.map(|id| id.to_string())),
    );
    put("employment_status", json!(status));
    put(
        "employment_percentage",
        json!(terms.map(|period| period.percentage)),
    );
    put(
        "start_date",
        json!(primary.map(|engagement| engagement.start_date)),
    );
    put(
        "end_date",
        json!(primary.and_then(|engagement| engagement.end_date)),
    );
    fields
}

/// All engagements of a person.
pub(super) fn engagements(employee: &Employee, day: Date) -> Vec<Map<String, Value>> {
    let first = primary(employee, day).map(|engagement| engagement.id);
    employee
        .engagements
        .iter()
        .map(|engagement| one_engagement(engagement, day, first == Some(engagement.id)))
        .collect()
}

fn one_engagement(engagement: &Engagement, day: Date, primary: bool) -> Map<String, Value> {
    let terms = period_on(engagement, day);
    let status = if engagement.is_running_on(day) {
        "active"
    } else if engagement.start_date > day {
        "future"
    } else {
        "ended"
    };
    let kind = match engagement.kind {
        EngagementKind::Employee => "employee",
        EngagementKind::Contractor => "contractor",
    };
    let reason = engagement.end_reason.map(|reason| match reason {
        EndReason::Expired => "expired",
        EndReason::Employee => "employee",
        EndReason::Employer => "employer",
        EndReason::InternalChange => "internal_change",
    });
    let periods: Vec<Value> = engagement.periods.iter().map(one_period).collect();
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("id", json!(engagement.id.to_string()));
    put("kind", json!(kind));
    put("status", json!(status));
    put("type", json!(terms.map(employment_type)));
    put("percentage", json!(terms.map(|period| period.percentage)));
    put("start_date", json!(engagement.start_date));
    put("end_date", json!(engagement.end_date));
    put("end_reason", json!(reason));
    put("job_title", json!(terms.map(|period| &period.job_title)));
    put("primary", json!(primary));
    put("periods", json!(periods));
    fields
}

fn one_period(period: &Period) -> Value {
    json!({
        "from": period.from,
        "percentage": period.percentage,
        "job_title": period.job_title,
        "type": employment_type(period),
    })
}

fn employment_type(period: &Period) -> &'static str {
    if period.permanent {
        "permanent"
    } else {
        "temporary"
    }
}

/// The primary engagement: running before future before ended; then the
/// largest percentage; then the earliest start; then the smallest id.
pub(crate) fn primary(employee: &Employee, day: Date) -> Option<&Engagement> {
    employee.engagements.iter().min_by_key(|engagement| {
        let when = if engagement.is_running_on(day) {
            0
        } else if engagement.start_date > day {
            1
        } else {
            2
        };
        let percentage = period_on(engagement, day).map_or(0, |period| period.percentage);
        (
            when,
            std::cmp::Reverse(percentage),
            engagement.start_date,
            engagement.id,
        )
    })
}

/// The terms that hold on a day, or the first ones when none has begun.
pub(crate) fn period_on(engagement: &Engagement, day: Date) -> Option<&Period> {
    let begun = |period: &&Period| period.from <= day;
    engagement
        .periods
        .iter()
        .rev()
        .find(begun)
        .or_else(|| engagement.periods.first())
}

pub(crate) fn number(id: &NationalId) -> &str {
    match id {
        NationalId::Norwegian { number }
        | NationalId::DNumber { number }
        | NationalId::Foreign { number, .. } => number,
    }
}

fn address(address: &Address) -> Value {
    json!({
        "line": address.line,
        "postal_code": address.postal_code,
        "city": address.city,
        "country": address.country,
    })
}
