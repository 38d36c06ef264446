//! A person as a user of the directory.

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::company::{Employee, EngagementKind, e164};
use crate::stage::{Roster, State};

/// The vendor's fields that `drop-field` may name.
pub(super) const FIELDS: &[&str] = &[
    "primaryEmail",
    "name",
    "name.givenName",
    "name.familyName",
    "name.fullName",
    "emails",
    "emails.address",
    "externalIds",
    "externalIds.value",
    "relations",
    "relations.value",
    "organizations",
    "organizations.title",
    "organizations.department",
    "organizations.description",
    "organizations.fullTimeEquivalent",
    "phones",
    "phones.value",
    "addresses",
    "suspended",
    "archived",
    "orgUnitPath",
    "creationTime",
    "customSchemas",
];

/// What who has lost rights over somebody's details does not get.
const RESTRICTED: [&str; 3] = ["phones", "addresses", "customSchemas"];

/// The vendor's id of a user: a long number.
pub(super) fn user_id(id: u64) -> String {
    format!("1{id:020}")
}

/// Whether somebody has an account: one address is one account, and it is made
/// on the first day.
pub(super) fn has_account(roster: &Roster, employee: &Employee) -> bool {
    roster.holds_own_address(employee) && roster.state(employee) != State::Future
}

/// Who may manage the directory: the first who works here and has an account.
pub(super) fn administrator(roster: &Roster) -> Option<&Employee> {
    roster.employees().iter().find(|employee| {
        roster.holds_own_address(employee) && roster.state(employee) == State::Running
    })
}

/// What the vendor calls the customer.
pub(super) fn customer_id(roster: &Roster) -> String {
    format!("C{:08x}", roster.company.account_id)
}

/// The organisational unit somebody is in: that of their department.
pub(super) fn unit_path(roster: &Roster, employee: &Employee) -> String {
    match roster.department(employee) {
        Some(department) => format!("/{}", department.replace('/', "-")),
        None => "/".to_owned(),
    }
}

/// The manager's address, when they have an account.
pub(super) fn manager_address<'a>(roster: &'a Roster, employee: &Employee) -> Option<&'a str> {
    let manager = roster.manager(employee)?;
    has_account(roster, manager)
        .then_some(manager.work_email.as_deref())
        .flatten()
}

/// Somebody as a user on a day. `with_schemas` for the projections that show
/// customers' own fields.
pub(super) fn user(
    roster: &Roster,
    (employee, day): (&Employee, Date),
    with_schemas: bool,
) -> Value {
    let id = user_id(employee.id);
    let address = employee.work_email.as_deref().unwrap_or_default();
    let state = roster.state(employee);
    let engagement = roster.primary(employee);
    let terms = engagement.and_then(|engagement| roster.terms(engagement));
    let begun = employee
        .engagements
        .iter()
        .map(|engagement| engagement.start_date)
        .min()
        .unwrap_or(roster.day());
    let is_admin = administrator(roster).is_some_and(|admin| admin.id == employee.id);
    let mut emails = vec![json!({"address": address, "primary": true})];
    if let Some(home) = &employee.personal_email {
        emails.push(json!({"address": home, "type": "home"}));
    }
    let mut organization = json!({"primary": true, "customType": ""});
    let mut user = json!({
        "kind": "admin#directory#user",
        "id": id,
        "etag": etag(employee),
        "primaryEmail": address,
        "name": {
            "givenName": employee.given_name,
            "familyName": employee.family_name,
            "fullName": format!("{} {}", employee.given_name, employee.family_name),
        },
        "isAdmin": is_admin,
        "isDelegatedAdmin": false,
        "lastLoginTime": last_login(employee, state, day),
        "creationTime": format!("{begun}T08:00:00.000Z"),
        "agreedToTerms": true,
        "suspended": state == State::Ended,
        "archived": false,
        "changePasswordAtNextLogin": false,
        "ipWhitelisted": false,
        "emails": emails,
        "customerId": customer_id(roster),
        "orgUnitPath": unit_path(roster, employee),
        "isMailboxSetup": true,
        "isEnrolledIn2Sv": false,
        "isEnforcedIn2Sv": false,
        "includeInGlobalAddressList": true,
    });
    if let Some(organization) = organization.as_object_mut() {
        if let Some(terms) = terms {
            organization.insert("title".to_owned(), json!(terms.job_title));
            let share = u32::from(terms.percentage) * 1000;
            organization.insert("fullTimeEquivalent".to_owned(), json!(share));
        }
        if let Some(department) = roster.department(employee) {
            organization.insert("department".to_owned(), json!(department));
        }
        let description = match engagement.map(|engagement| engagement.kind) {
            Some(EngagementKind::Contractor) => "Contractor",
            _ => "Employee",
        };
        organization.insert("description".to_owned(), json!(description));
    }
    // What is empty is absent.
    if let Some(user) = user.as_object_mut() {
        let mut put = |name: &str, value: Value| user.insert(name.to_owned(), value);
        put("organizations", json!([organization]));
        if state == State::Ended {
            put("suspensionReason", json!("ADMIN"));
        }
        if let Some(number) = &employee.employee_number {
            put(
                "externalIds",
                json!([{"value": number, "type": "organization"}]),
            );
        }
        if let Some(manager) = manager_address(roster, employee) {
            put("relations", json!([{"value": manager, "type": "manager"}]));
        }
        if let Some(phone) = &employee.phone {
            put("phones", json!([{"value": e164(phone), "type": "mobile"}]));
        }
        if let Some(home) = &employee.address {
            put(
                "addresses",
                json!([{
                    "type": "home", "streetAddress": home.line, "postalCode": home.postal_code,
                    "locality": home.city, "countryCode": home.country,
                }]),
            );
        }
        if with_schemas && let Some(engagement) = engagement {
            let mut fields = json!({"startDate": engagement.start_date});
            if let (Some(end), Some(fields)) = (engagement.end_date, fields.as_object_mut()) {
                fields.insert("endDate".to_owned(), json!(end));
            }
            put("customSchemas", json!({"HR": fields}));
        }
    }
    user
}

/// People sign in on every day on which they work here, so that of two states of
/// the directory the older one shows; 1970 is the vendor's word for never.
fn last_login(employee: &Employee, state: State, today: Date) -> String {
    let day = match state {
        State::Running => Some(today),
        State::Future => None,
        State::Ended => (employee.engagements.iter())
            .filter_map(|engagement| engagement.end_date)
            .max(),
    };
    let day = day.unwrap_or(Date::constant(1970, 1, 1));
    let hour = if day.year() == 1970 { 0 } else { 6 };
    format!("{day}T{hour:02}:00:00.000Z")
}

/// Takes out what may no longer be seen.
pub(super) fn restrict(user: &mut Value) {
    if let Some(user) = user.as_object_mut() {
        for field in RESTRICTED {
            user.shift_remove(field);
        }
        if let Some(Value::Array(emails)) = user.get_mut("emails") {
            emails.truncate(1);
        }
    }
}

pub(super) fn etag(employee: &Employee) -> String {
    let engagements: u32 = employee
        .engagements
        .iter()
        .map(|engagement| engagement.version)
        .sum();
    format!("\"{}.{}.{engagements}\"", employee.id, employee.version)
}
