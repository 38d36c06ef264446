//! A person as a worker of `Get_Workers`.

use serde_json::{Map, Value, json};

use crate::company::{Address, EngagementKind, Phone, national_number, period_on};

use super::person::{
    Person, current, department, entered, full_name, is_contingent, issuer, number,
    organization_descriptor, other_wid, phone, three_letters, wid,
};

/// The vendor's fields that `drop-field` may name.
pub(super) const FIELDS: &[&str] = &[
    "Worker_Reference",
    "Worker_Data",
    "Worker_Data.Worker_ID",
    "Worker_Data.User_ID",
    "Worker_Data.Personal_Data",
    "Worker_Data.Personal_Data.Name_Data",
    "Worker_Data.Personal_Data.Name_Data.Legal_Name_Data",
    "Worker_Data.Personal_Data.Name_Data.Preferred_Name_Data",
    "Worker_Data.Personal_Data.Birth_Date",
    "Worker_Data.Personal_Data.Identification_Data",
    "Worker_Data.Personal_Data.Contact_Data",
    "Worker_Data.Personal_Data.Contact_Data.Address_Data",
    "Worker_Data.Personal_Data.Contact_Data.Phone_Data",
    "Worker_Data.Personal_Data.Contact_Data.Email_Address_Data",
    "Worker_Data.Employment_Data",
    "Worker_Data.Employment_Data.Worker_Job_Data",
    "Worker_Data.Employment_Data.Worker_Job_Data.Position_Data.Business_Title",
    "Worker_Data.Employment_Data.Worker_Job_Data.Position_Data.Full_Time_Equivalent_Percentage",
    "Worker_Data.Employment_Data.Worker_Job_Data.Position_Data.Manager_as_of_last_detected_manager_change_Reference",
    "Worker_Data.Employment_Data.Worker_Status_Data",
    "Worker_Data.Employment_Data.Worker_Status_Data.Active",
    "Worker_Data.Employment_Data.Worker_Status_Data.Hire_Date",
    "Worker_Data.Employment_Data.Worker_Status_Data.Termination_Date",
    "Worker_Data.Organization_Data",
];

/// Which parts of a worker are asked for.
#[derive(Debug, Clone)]
pub(super) struct Groups(Vec<String>);

impl Groups {
    /// What comes when nothing is said.
    pub(super) fn usual() -> Self {
        let usual = [
            "Include_Reference",
            "Include_Personal_Information",
            "Include_Employment_Information",
            "Include_Compensation",
            "Include_Organizations",
            "Include_Roles",
        ];
        Self(usual.map(str::to_owned).to_vec())
    }

    /// These switches are on.
    pub(super) fn of(on: Vec<String>) -> Self {
        Self(on)
    }

    fn has(&self, switch: &str) -> bool {
        self.0.iter().any(|on| on == switch)
    }
}

/// A reference to something that is no worker: its WID and its own kind of id.
fn reference(kind: &str, id: &str, descriptor: Option<&str>) -> Value {
    let mut reference = Map::new();
    if let Some(descriptor) = descriptor {
        reference.insert("@Descriptor".to_owned(), json!(descriptor));
    }
    let ids = json!([
        {"@type": "WID", "#text": other_wid(kind, id)},
        {"@type": kind, "#text": id},
    ]);
    reference.insert("ID".to_owned(), ids);
    Value::Object(reference)
}

fn country(code: &str) -> Value {
    let mut ids = vec![
        json!({"@type": "WID", "#text": other_wid("country", code)}),
        json!({"@type": "ISO_3166-1_Alpha-2_Code", "#text": code}),
    ];
    if let Some(three) = three_letters(code) {
        ids.push(json!({"@type": "ISO_3166-1_Alpha-3_Code", "#text": three}));
    }
    json!({"ID": ids})
}

/// A reference to a worker.
pub(super) fn worker_reference(person: &Person<'_>) -> Value {
    let kind = match is_contingent(person.employee, person.day) {
        true => "Contingent_Worker_ID",
        false => "Employee_ID",
    };
    json!({
        "@Descriptor": person.descriptor(),
        "ID": [
            {"@type": "WID", "#text": wid(person.employee.id)},
            {"@type": kind, "#text": number(person.employee)},
        ],
    })
}

/// A worker with the parts that are asked for; `restricted` leaves out what the
/// security group may not see any more.
pub(super) fn worker(person: &Person<'_>, groups: &Groups, restricted: bool) -> Value {
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
    put("Worker_ID", json!(number(person.employee)));
    if let Some((user, _)) = user_name(person) {
        put("User_ID", json!(user));
    }
    if groups.has("Include_Personal_Information") {
        put("Personal_Data", personal(person, restricted));
    }
    if groups.has("Include_Employment_Information") {
        put("Employment_Data", employment(person, groups));
    }
    if groups.has("Include_Organizations") {
        put("Organization_Data", organizations(person, groups));
    }
    if groups.has("Include_Management_Chain_Data") {
        put("Management_Chain_Data", management_chain(person));
    }
    if groups.has("Include_Transaction_Log_Data") {
        put("Transaction_Log_Entry_Data", transactions(person));
    }
    if groups.has("Include_User_Account")
        && let Some((user, _)) = user_name(person)
    {
        put("User_Account_Data", json!({"User_Name": user}));
    }
    let mut worker = Map::new();
    if groups.has("Include_Reference") {
        worker.insert("Worker_Reference".to_owned(), worker_reference(person));
    }
    worker.insert("Worker_Data".to_owned(), Value::Object(data));
    Value::Object(worker)
}

/// The name people sign in with is the first part of their work address.
fn user_name<'a>(person: &Person<'a>) -> Option<(&'a str, &'a str)> {
    person.employee.work_email.as_ref()?.split_once('@')
}

fn personal(person: &Person<'_>, restricted: bool) -> Value {
    let employee = person.employee;
    let name = json!({
        "@Formatted_Name": full_name(employee),
        "@Reporting_Name": format!("{}, {}", employee.family_name, employee.given_name),
        "Country_Reference": country(&person.roster.company.country),
        "First_Name": employee.given_name,
        "Last_Name": employee.family_name,
    });
    let mut personal = Map::new();
    personal.insert(
        "Name_Data".to_owned(),
        json!({
            "Legal_Name_Data": {"Name_Detail_Data": name},
            "Preferred_Name_Data": {"Name_Detail_Data": name},
        }),
    );
    if !restricted {
        if let Some(day) = employee.date_of_birth {
            personal.insert("Birth_Date".to_owned(), json!(day));
        }
        if let Some(id) = &employee.national_id {
            let data = json!({
                "ID": national_number(id), "Country_Reference": country(issuer(id)),
            });
            let identification = json!({"National_ID": {"National_ID_Data": data}});
            personal.insert("Identification_Data".to_owned(), identification);
        }
    }
    let mut contact = Map::new();
    if let Some(home) = employee.address.as_ref().filter(|_| !restricted) {
        contact.insert("Address_Data".to_owned(), address(home));
    }
    if let Some(number) = employee.phone.as_ref().filter(|_| !restricted) {
        contact.insert("Phone_Data".to_owned(), telephone(number));
    }
    let mut addresses = Vec::new();
    if let Some(work) = &employee.work_email {
        addresses.push(json!({"Email_Address": work, "Usage_Data": usage("WORK", true)}));
    }
    if let Some(home) = employee.personal_email.as_ref().filter(|_| !restricted) {
        addresses.push(json!({"Email_Address": home, "Usage_Data": usage("HOME", false)}));
    }
    contact.insert("Email_Address_Data".to_owned(), Value::Array(addresses));
    personal.insert("Contact_Data".to_owned(), Value::Object(contact));
    Value::Object(personal)
}

fn usage(kind: &str, public: bool) -> Value {
    json!({
        "@Public": public,
        "Type_Data": {
            "@Primary": true,
            "Type_Reference": reference("Communication_Usage_Type_ID", kind, None),
        },
    })
}

fn address(home: &Address) -> Value {
    json!({
        "@Formatted_Address": format!("{}, {} {}", home.line, home.postal_code, home.city),
        "Country_Reference": country(&home.country),
        "Address_Line_Data": {"@Type": "ADDRESS_LINE_1", "#text": home.line},
        "Municipality": home.city,
        "Postal_Code": home.postal_code,
        "Usage_Data": usage("HOME", false),
    })
}

fn telephone(number: &Phone) -> Value {
    let (formatted, parts) = phone(number);
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
    put("@Formatted_Phone", json!(formatted));
    if let Some(three) = number.country.as_deref().and_then(three_letters) {
        put("Country_ISO_Code", json!(three));
    }
    match parts {
        Some((code, national)) => {
            put("International_Phone_Code", json!(code));
            put("Phone_Number", json!(national));
        }
        None => {
            put("Phone_Number", json!(number.number));
        }
    }
    let device = reference("Phone_Device_Type_ID", "Mobile", Some("Mobile"));
    put("Phone_Device_Type_Reference", device);
    put("Usage_Data", usage("WORK", true));
    Value::Object(data)
}

fn employment(person: &Person<'_>, groups: &Groups) -> Value {
    let Some(engagement) = current(person.employee, person.day) else {
        return json!({});
    };
    let mut jobs = vec![job(person, engagement, true)];
    if groups.has("Include_Additional_Jobs") {
        let others = person.employee.engagements.iter();
        let others =
            others.filter(|other| other.id != engagement.id && other.is_running_on(person.day));
        jobs.extend(others.map(|other| job(person, other, false)));
    }
    let is_active = person.is_active();
    let first = person.employee.engagements.iter().map(|one| one.start_date);
    let mut status = Map::new();
    let mut put = |name: &str, value: Value| status.insert(name.to_owned(), value);
    put("Active", json!(is_active));
    let since = match (is_active, engagement.end_date) {
        (false, Some(last)) => last.tomorrow().unwrap_or(last),
        _ => engagement.start_date,
    };
    put("Active_Status_Date", json!(since));
    put("Hire_Date", json!(engagement.start_date));
    put("Original_Hire_Date", json!(first.min()));
    // An end that is known in advance; afterwards it is a termination.
    if let Some(last) = engagement.end_date.filter(|_| is_active) {
        put("End_Employment_Date", json!(last));
    }
    put("Continuous_Service_Date", json!(engagement.start_date));
    put("First_Day_of_Work", json!(engagement.start_date));
    put("Retired", json!(false));
    put("Terminated", json!(!is_active));
    if let Some(last) = engagement.end_date.filter(|_| !is_active) {
        put("Termination_Date", json!(last));
        put("Termination_Last_Day_of_Work", json!(last));
    }
    json!({"Worker_Job_Data": jobs, "Worker_Status_Data": status})
}

fn job(person: &Person<'_>, engagement: &crate::company::Engagement, primary: bool) -> Value {
    let terms = period_on(engagement, person.day);
    let mut position = Map::new();
    let mut put = |name: &str, value: Value| position.insert(name.to_owned(), value);
    let since = terms.map_or(engagement.start_date, |terms| terms.from);
    put("@Effective_Date", json!(since));
    put("Position_ID", json!(format!("P-{}", engagement.id)));
    let title = terms
        .map(|terms| terms.job_title.as_str())
        .unwrap_or_default();
    if !title.is_empty() {
        put("Position_Title", json!(title));
        put("Business_Title", json!(title));
    }
    put("Start_Date", json!(engagement.start_date));
    if let Some(last) = engagement.end_date {
        put("End_Employment_Date", json!(last));
    }
    let (kind, name) = match (engagement.kind, terms.is_none_or(|terms| terms.permanent)) {
        (EngagementKind::Contractor, _) => ("Contingent_Worker_Type_ID", "Contractor"),
        (_, true) => ("Employee_Type_ID", "Regular"),
        (_, false) => ("Employee_Type_ID", "Fixed_Term"),
    };
    put("Worker_Type_Reference", reference(kind, name, Some(name)));
    if let Some(terms) = terms {
        let time = match terms.percentage {
            100.. => "Full_time",
            _ => "Part_time",
        };
        let time = reference("Position_Time_Type_ID", time, None);
        put("Position_Time_Type_Reference", time);
        put("Full_Time_Equivalent_Percentage", json!(terms.percentage));
    }
    if !title.is_empty() {
        put(
            "Job_Profile_Summary_Data",
            json!({"Job_Profile_Name": title}),
        );
    }
    if let Some(manager) = person.manager() {
        put(
            "Manager_as_of_last_detected_manager_change_Reference",
            worker_reference(&manager),
        );
    }
    json!({"@Primary_Job": primary, "Position_Data": position})
}

/// The id of a department as an organization of this kind.
pub(super) fn organization_id(kind: &str, number: &str) -> String {
    format!("{kind}_{number}")
}

fn organizations(person: &Person<'_>, groups: &Groups) -> Value {
    let company = &person.roster.company;
    let mut memberships = Vec::new();
    let mut member = |kind: &str, code: &str, name: &str, descriptor: &str| {
        let id = organization_id(kind, code);
        memberships.push(json!({
            "Organization_Reference": reference("Organization_Reference_ID", &id, Some(descriptor)),
            "Organization_Data": {
                "Organization_Reference_ID": id,
                "Organization_Code": code,
                "Organization_Name": name,
                "Organization_Type_Reference": reference("Organization_Type_ID", kind, None),
            },
        }));
    };
    if !groups.has("Exclude_Companies") {
        let code = company.account_id.to_string();
        member("COMPANY", &code, &company.name, &company.name);
    }
    if let Some(department) = department(person.roster, person.employee) {
        let (code, name) = (department.number.as_str(), department.name.as_str());
        if !groups.has("Exclude_Supervisory_Organizations") {
            let descriptor = organization_descriptor(person.roster, department);
            member("SUPERVISORY", code, name, &descriptor);
        }
        if !groups.has("Exclude_Cost_Centers") {
            member("COST_CENTER", code, name, &format!("{code} {name}"));
        }
    }
    json!({"Worker_Organization_Data": memberships})
}

/// The managers above somebody, the highest first. Who manages themselves by way
/// of others is not gone round twice.
fn management_chain(person: &Person<'_>) -> Value {
    let (mut chain, mut seen) = (Vec::new(), vec![person.employee.id]);
    let mut below = *person;
    while let Some(manager) = below.roster.manager(below.employee) {
        if seen.contains(&manager.id) {
            break;
        }
        seen.push(manager.id);
        below = Person {
            employee: manager,
            ..*person
        };
        chain.push(json!({"Manager_Reference": worker_reference(&below)}));
    }
    chain.reverse();
    json!({"Worker_Supervisory_Management_Chain_Data": {"Management_Chain_Data": chain}})
}

/// What was entered about somebody: the hire, and the last change.
fn transactions(person: &Person<'_>) -> Value {
    let employee = person.employee;
    let first = employee.engagements.iter().map(|one| one.start_date).min();
    let first = first.unwrap_or(employee.changed).min(employee.changed);
    let mut entries = vec![("Hire", first)];
    if employee.changed > first {
        entries.push(("Change", employee.changed));
    }
    let entries: Vec<Value> = entries
        .into_iter()
        .map(|(what, day)| {
            let id = format!("{what}-{}-{}", employee.id, employee.version);
            json!({
                "Transaction_Log_Reference": {
                    "ID": [{"@type": "WID", "#text": other_wid("transaction", &id)}],
                },
                "Transaction_Log_Data": {
                    "Transaction_Log_Description": format!("{what}: {}", full_name(employee)),
                    "Transaction_Effective_Moment": format!("{day}T00:00:00.000-08:00"),
                    "Transaction_Entry_Moment": entered(day),
                },
            })
        })
        .collect();
    json!({"Transaction_Log_Entry": entries})
}
