//! Humaans over real HTTP: the answers that are published, and made-up people
//! in the same form for what no published answer shows.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::sync::{Arc, Mutex};

use muster_connect::{
    Confirmation, Connector, ConnectorSettings, FieldScope, ReadRequest, RecordWrite, WriteAnswer,
    open,
};
use muster_model::engagement::EngagementStatus;
use muster_model::{
    Evidence, EvidenceLevel, ExternalId, Field, Fields, Said, SourceRecord, Value as Canonical,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use support::{Raw, Request, TestClock, Vendor, Waits};

const PUBLISHED: &str = include_str!("../../../connectors/humaans/fixtures/published.json");
const TOKEN: &str = "hush-token";
const KELSEY: &str = "VMB1yzL5uL8VvNNCJc9rykJz";
const LEAVER: &str = "LeaverLeaverLeaverLeaver";
const NEW: &str = "NewNewNewNewNewNewNewNew";

fn published(name: &str) -> Value {
    let all: Value = serde_json::from_str(PUBLISHED).unwrap();
    all[name]["answer"].clone()
}

/// The published person, with other members.
fn person(changes: &Value) -> Value {
    let mut row = published("people")["data"][0].clone();
    for (name, value) in changes.as_object().unwrap() {
        row[name] = value.clone();
    }
    row
}

fn people() -> Vec<Value> {
    vec![
        person(&json!({})),
        person(
            &json!({"id": LEAVER, "firstName": "Åse", "preferredName": " ", "lastName": "Ødegård 🙂",
            "status": "offboarded", "employmentEndDate": "2024-06-30", "employeeId": "1007",
            "phoneNumber": "+447911123456", "locationId": null}),
        ),
        person(
            &json!({"id": NEW, "firstName": "Kim", "preferredName": "Kimmy", "lastName": "Wells",
            "status": "a word that nobody told us", "employmentStartDate": "2025-03-01",
            "firstWorkingDay": "2025-03-03", "teams": []}),
        ),
    ]
}

/// A page in the vendor's envelope. The server gives two rows at most, however
/// many it is asked for.
fn page(request: &Request, rows: &[Value]) -> Raw {
    let (skip, limit) = (request.number("$skip"), request.number("$limit").min(2));
    let data: Vec<_> = rows.iter().skip(skip).take(limit).collect();
    Raw::json(
        200,
        &json!({"total": rows.len(), "limit": limit, "skip": skip, "data": data}),
    )
}

fn answers(request: &Request) -> Raw {
    if request.authorization.as_deref() != Some(&format!("Bearer {TOKEN}")) {
        return Raw::json(
            401,
            &json!({"code": "NotAuthenticated", "message": "Kelsey"}),
        );
    }
    match request.path.as_str() {
        "/v2/api/companies" => Raw::json(200, &published("companies")),
        "/v2/api/people" => page(request, &people()),
        "/v2/api/job-roles" => page(
            request,
            &[
                json!({"id": "r2", "personId": KELSEY, "jobTitle": "Head of Growth", "department": "Growth",
                    "reportingTo": LEAVER, "effectiveDate": "2025-03-01", "endDate": null}),
                json!({"id": "r1", "personId": KELSEY, "jobTitle": "Analyst", "department": "Finance",
                    "reportingTo": NEW, "effectiveDate": "2018-03-10", "endDate": "2025-02-28"}),
                json!({"id": "r3", "personId": LEAVER, "jobTitle": "Clerk", "department": null,
                    "reportingTo": null, "effectiveDate": "2018-03-10"}),
            ],
        ),
        "/v2/api/locations" => page(
            request,
            &[json!({"id": "FnAjNOIyLRsmZGRohZsHApiE", "label": "London", "city": "London"})],
        ),
        path => match people()
            .iter()
            .find(|row| path == format!("/v2/api/people/{}", row["id"].as_str().unwrap()))
        {
            Some(row) => Raw::json(200, row),
            None => Raw::json(404, &json!({"code": "NotFound"})),
        },
    }
}

fn humaans(vendor: &Vendor, token: &str) -> Box<dyn Connector> {
    let settings = ConnectorSettings::new(TestClock::at("2025-01-01T12:00:00Z"))
        .base_url(&vendor.base_url)
        .pause(Arc::new(Waits::default()))
        .secret("token", SecretString::from(token.to_owned()))
        .set("national_id_country", "GB")
        .set("test_identities", "accept");
    open("humaans", settings).unwrap()
}

async fn read(connector: &dyn Connector) -> (Evidence, Vec<SourceRecord>) {
    let request = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1)).region("GB");
    let mut records = Vec::new();
    let evidence = connector.read(&request, &mut records).await.unwrap();
    (evidence, records)
}

#[tokio::test]
async fn humaans_published_answer_is_read() {
    let vendor = Vendor::start(answers).await;
    let connector = humaans(&vendor, TOKEN);
    let account = connector.account().await.unwrap();
    assert_eq!(account.id, "uoWtfpDIMI2IZ8doGK7kkCwS");
    let (evidence, records) = read(&*connector).await;
    assert_eq!(evidence.level, EvidenceLevel::Ended);
    assert!(
        evidence.complete && evidence.doubts.is_empty(),
        "{evidence:?}"
    );
    let kelsey = &records[0];
    assert_eq!(kelsey.external_id.as_str(), KELSEY);
    let today = kelsey.on(jiff::civil::date(2025, 1, 1));
    for (field, text) in [
        (Field::GivenName, "Kelsey"),
        (Field::FamilyName, "Wicks"),
        (Field::DisplayName, "Kelsey Wicks"),
        (Field::WorkEmail, "kelsey@acme.com"),
        (Field::PersonalEmail, "kwicks@example.com"),
        (Field::Team, "Moonshot"),
        (Field::Location, "London"),
        (Field::TimeZone, "Europe/London"),
        // Title and manager of the day; the next role is known, and waits.
        (Field::JobTitle, "Analyst"),
        (Field::Department, "Finance"),
        (Field::ManagerExternalId, NEW),
    ] {
        assert_eq!(today.text(field), Some(text), "{field}");
    }
    assert!(!today.get(Field::NationalId).is_absent());
    // The sample's telephone number is too short to be one, and is told as such.
    let problems: Vec<_> = (kelsey.problems.iter())
        .map(|problem| (problem.field, problem.code.as_str()))
        .collect();
    assert_eq!(problems, [(Field::Phone, "phone.impossible")]);
    let employment = &kelsey.engagements().unwrap()[0];
    assert_eq!(employment.status.value(), Some(&EngagementStatus::Active));
    assert_eq!(
        employment.start_date.value().unwrap().to_string(),
        "2018-03-10"
    );
    // The published person has a lastWorkingDay in the past, and works there.
    assert!(employment.end_date.is_absent());
    assert_eq!(
        employment.terms.employment_type.value().unwrap(),
        "Full time"
    );
    let told: Vec<_> = (employment.periods.iter())
        .map(|period| {
            (
                period.from.to_string(),
                period.terms.job_title.value().unwrap().as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("2018-03-10".to_owned(), "Analyst"),
            ("2025-03-01".to_owned(), "Head of Growth")
        ]
    );
}

#[tokio::test]
async fn humaans_list_does_not_end_with_a_page_shorter_than_asked_for() {
    let vendor = Vendor::start(answers).await;
    let (evidence, records) = read(&*humaans(&vendor, TOKEN)).await;
    assert_eq!((evidence.read, records.len()), (3, 3));
    let skipped: Vec<_> = (vendor.requests_to("/api/people").iter())
        .map(|request| (request.number("$skip"), request.number("$limit")))
        .collect();
    assert_eq!(skipped, [(0, 100), (2, 100), (3, 100)]);
}

#[tokio::test]
async fn humaans_flags_leavers_and_an_unknown_status_ends_nothing() {
    let vendor = Vendor::start(answers).await;
    let (_, records) = read(&*humaans(&vendor, TOKEN)).await;
    let last = records[1].on(jiff::civil::date(2024, 6, 30));
    let left = &records[1].engagements().unwrap()[0];
    assert_eq!(left.status.value(), Some(&EngagementStatus::Ended));
    assert_eq!(left.end_date.value().unwrap().to_string(), "2024-06-30");
    for (field, text) in [
        (Field::DisplayName, "Åse Ødegård 🙂"),
        (Field::EmployeeNumber, "1007"),
        (Field::Phone, "+447911123456"),
        (Field::JobTitle, "Clerk"),
    ] {
        assert_eq!(last.text(field), Some(text), "{field}");
    }
    assert!(last.get(Field::Location).is_absent());
    let begins = &records[2].engagements().unwrap()[0];
    assert_eq!(begins.status.value(), Some(&EngagementStatus::Unknown));
    assert_eq!(begins.start_date.value().unwrap().to_string(), "2025-03-01");
    assert_eq!(
        records[2].fields.text(Field::DisplayName),
        Some("Kimmy Wells")
    );
    assert!(records[2].fields.get(Field::Team).is_absent());
}

#[tokio::test]
async fn humaans_tells_by_id_who_is_gone_and_refuses_a_wrong_token() {
    let vendor = Vendor::start(answers).await;
    let ids = [ExternalId::new(KELSEY), ExternalId::new("nobody")];
    let told = humaans(&vendor, TOKEN).confirm(&ids).await.unwrap();
    assert_eq!(told[&ids[0]], Confirmation::Present);
    assert_eq!(told[&ids[1]], Confirmation::NotThere);
    let error = humaans(&vendor, "another").account().await.err().unwrap();
    assert_eq!(error.code(), "humaans.unauthorized");
    let text = error.to_string();
    assert!(
        !text.contains("Kelsey") && !text.contains("another"),
        "{text}"
    );
}

#[tokio::test]
async fn humaans_is_sent_only_the_fields_that_are_written() {
    let stored = Arc::new(Mutex::new(person(&json!({}))));
    let seen = stored.clone();
    let vendor = Vendor::start(move |request| {
        if request.path != format!("/v2/api/people/{KELSEY}") {
            return answers(request);
        }
        let mut row = seen.lock().unwrap();
        if request.method == "PATCH" {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            for (name, value) in body.as_object().unwrap() {
                row[name] = value.clone();
            }
        }
        Raw::json(200, &row)
    })
    .await;
    let mut fields = Fields::new();
    for (field, text) in [
        (Field::EmployeeNumber, "1042"),
        (Field::WorkEmail, "kelsey.wicks@acme.com"),
        (Field::JobTitle, "Head"),
    ] {
        fields.set(field, Said::Value(Canonical::text(text)));
    }
    let write = RecordWrite {
        external_id: ExternalId::new(KELSEY),
        revision: None,
        fields,
        engagement: None,
    };
    let request = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1));
    let answer = humaans(&vendor, TOKEN).write(&write, &request).await;
    let WriteAnswer::Done(done) = answer.unwrap() else {
        panic!("nobody else wrote");
    };
    assert_eq!(done.fields.text(Field::EmployeeNumber), Some("1042"));
    assert_eq!(done.refused[&Field::JobTitle], "humaans.field_not_writable");
    let sent: Vec<Value> = (vendor.requests().iter())
        .filter(|request| request.method == "PATCH")
        .map(|request| serde_json::from_str(&request.body).unwrap())
        .collect();
    assert_eq!(
        sent,
        [json!({"employeeId": "1042", "email": "kelsey.wicks@acme.com"})]
    );
}
