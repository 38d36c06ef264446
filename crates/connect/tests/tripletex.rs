//! The connector for Tripletex against answers made by hand in the vendor's shape:
//! what a simulator of whole companies does not do.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // tests and their helpers

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use muster_connect::{
    Confirmation, ErrorKind, FieldScope, Progress, ReadRequest, RecordSink, SinkError, open,
};
use muster_model::{DoubtKind, Evidence, EvidenceLevel, ExternalId, Field, SourceRecord};
use serde_json::{Value, json};
use support::{
    CONSUMER_TOKEN, EMPLOYEE_TOKEN, Raw, Request, TestClock, Vendor, Waits, settings, tripletex,
};

/// An employee with a department and a running employment.
fn employee(id: i64) -> Value {
    json!({
        "id": id, "version": 1, "isContact": false, "isProxy": false,
        "firstName": "Kari", "lastName": format!("Hansen {id}"), "employeeNumber": "",
        "email": format!("kari{id}@nordlys.example"), "department": {"id": 501, "name": "Salg"},
        "employments": [{
            "id": id * 10, "startDate": "2024-02-01", "endDate": null,
            "employmentEndReason": null, "noEmploymentRelationship": false, "division": null,
            "employmentDetails": [{"id": id * 100, "date": "2024-02-01", "employmentType": "ORDINARY",
                "employmentForm": "PERMANENT", "percentageOfFullTimeEquivalent": 100,
                "occupationCode": null}]
        }]
    })
}

fn list(request: &Request, rows: &[Value]) -> Raw {
    let from = request.number("from");
    let page: Vec<&Value> = rows
        .iter()
        .skip(from)
        .take(request.number("count"))
        .collect();
    Raw::json(
        200,
        &json!({
            "fullResultSize": rows.len(), "from": from, "count": page.len(),
            "versionDigest": "Checksum not yet supported for this endpoint", "values": page
        }),
    )
}

/// The vendor with these employees, before anything goes wrong.
fn answer(request: &Request, employees: &[Value]) -> Raw {
    match (request.method.as_str(), request.path.as_str()) {
        ("POST" | "PUT", "/v2/token/session/:create") => Raw::json(
            if request.method == "POST" { 201 } else { 200 },
            &json!({"value": {"id": 1, "expirationDate": "2025-01-03", "token": "session-hush-3"}}),
        ),
        (_, "/v2/token/session/>whoAmI") => Raw::json(
            200,
            &json!({"value": {"employeeId": 77, "companyId": 93_000_001,
                "company": {"id": 93_000_001, "name": "Nordlys AS"}}}),
        ),
        (_, "/v2/employee/entitlement") => {
            let rows: Vec<Value> = [11, 12, 13]
                .iter()
                .map(|id| json!({"id": id * 7, "entitlementId": id}))
                .collect();
            list(request, &rows)
        }
        (_, "/v2/department") => list(
            request,
            &[json!({"id": 501, "departmentManager": {"id": 1}})],
        ),
        (_, "/v2/employee") => match request.parameter("id") {
            None => list(request, employees),
            Some(ids) => {
                let ids: BTreeSet<&str> = ids.split(',').collect();
                let mut found = employees.to_vec();
                found.retain(|row| ids.contains(row["id"].to_string().as_str()));
                list(request, &found)
            }
        },
        _ => Raw::json(404, &json!({"status": 404, "code": 6000})),
    }
}

fn employees(count: i64) -> Vec<Value> {
    (1..=count).map(employee).collect()
}

/// A vendor in which `wrong` may answer instead.
async fn vendor(
    employees: Vec<Value>,
    wrong: impl Fn(&Request) -> Option<Raw> + Send + Sync + 'static,
) -> Vendor {
    Vendor::start(move |request| wrong(request).unwrap_or_else(|| answer(request, &employees)))
        .await
}

fn is_page(request: &Request, from: &str) -> bool {
    request.path == "/v2/employee" && request.parameter("from") == Some(from)
}

fn everything() -> ReadRequest {
    ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1)).region("NO")
}

async fn read(vendor: &Vendor) -> (Evidence, Vec<SourceRecord>) {
    let mut records = Vec::new();
    let connector = tripletex(vendor);
    let evidence = connector.read(&everything(), &mut records).await.unwrap();
    (evidence, records)
}

fn ids(records: &[SourceRecord]) -> Vec<&str> {
    records
        .iter()
        .map(|record| record.external_id.as_str())
        .collect()
}

fn doubts(evidence: &Evidence) -> Vec<DoubtKind> {
    evidence.doubts.iter().map(|doubt| doubt.kind).collect()
}

fn refusal(status: u16, code: u64) -> Raw {
    Raw::json(
        status,
        &json!({"status": status, "code": code, "message": "Kari Hansen"}),
    )
}

#[tokio::test]
async fn a_whole_read_ends_with_a_short_page_and_proves_it() {
    let vendor = vendor(employees(5), |_| None).await;
    let (evidence, records) = read(&vendor).await;
    assert_eq!(ids(&records), ["1", "2", "3", "4", "5"]);
    assert_eq!(evidence.level, EvidenceLevel::Ended);
    assert!(evidence.complete);
    assert_eq!((evidence.pages, evidence.read), (3, 5));
    assert_eq!(evidence.declared, None);
    assert_eq!(evidence.doubts, []);
    assert_eq!(evidence.account.as_deref(), Some("93000001"));
    let rights: Vec<String> = evidence.rights.unwrap().into_iter().collect();
    assert_eq!(rights, ["11", "12", "13"]);
}

#[tokio::test]
async fn a_last_page_that_is_full_is_followed_by_an_empty_one() {
    let vendor = vendor(employees(4), |_| None).await;
    let (evidence, records) = read(&vendor).await;
    assert_eq!(records.len(), 4);
    assert_eq!(evidence.pages, 3);
    assert_eq!(evidence.level, EvidenceLevel::Ended);
}

#[tokio::test]
async fn the_manager_is_the_departments_and_nobodys_own() {
    let vendor = vendor(employees(2), |_| None).await;
    let (_, records) = read(&vendor).await;
    assert!(records[0].fields.get(Field::ManagerExternalId).is_absent());
    assert_eq!(records[1].fields.text(Field::ManagerExternalId), Some("1"));
}

#[tokio::test]
async fn what_is_not_in_scope_is_not_asked_for() {
    let vendor = vendor(employees(1), |_| None).await;
    let scope = FieldScope::only([Field::WorkEmail]);
    let request = ReadRequest::new(scope, jiff::civil::date(2025, 1, 1));
    let connector = tripletex(&vendor);
    connector.read(&request, &mut Vec::new()).await.unwrap();
    assert!(vendor.requests_to("/department").is_empty());
    let pages = vendor.requests_to("/employee");
    assert_eq!(
        pages[0].parameter("fields"),
        Some("id,version,isContact,isProxy,email")
    );
    assert_eq!(pages[0].parameter("sorting"), Some("id"));
}

#[tokio::test]
async fn a_session_is_made_once_for_two_days_and_used_as_password_of_user_0() {
    let vendor = vendor(employees(3), |_| None).await;
    read(&vendor).await;
    let sessions = vendor.requests_to("/token/session/:create");
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].method, "POST");
    assert_eq!(sessions[0].query, []);
    assert_eq!(
        serde_json::from_str::<Value>(&sessions[0].body).unwrap(),
        json!({"consumerToken": CONSUMER_TOKEN, "employeeToken": EMPLOYEE_TOKEN,
            "expirationDate": "2025-01-03"})
    );
    let basic = base64::engine::general_purpose::STANDARD.encode("0:session-hush-3");
    for request in vendor.requests_to("/employee") {
        assert_eq!(request.authorization, Some(format!("Basic {basic}")));
    }
}

#[tokio::test]
async fn the_older_way_sends_the_tokens_in_the_address_and_accountants_name_the_client() {
    let vendor = vendor(employees(1), |_| None).await;
    let clock = TestClock::at("2025-01-01T12:00:00Z");
    let settings = settings(&vendor.base_url, clock, Arc::new(Waits::default()))
        .set("session", "put")
        .set("company_id", "93000002");
    let connector = open("tripletex", settings).unwrap();
    connector.account().await.unwrap();
    let sessions = vendor.requests_to("/token/session/:create");
    assert_eq!(sessions[0].method, "PUT");
    assert_eq!(sessions[0].parameter("consumerToken"), Some(CONSUMER_TOKEN));
    assert_eq!(sessions[0].parameter("employeeToken"), Some(EMPLOYEE_TOKEN));
    assert_eq!(sessions[0].parameter("expirationDate"), Some("2025-01-03"));
    let basic = base64::engine::general_purpose::STANDARD.encode("93000002:session-hush-3");
    let asked = vendor.requests_to("/token/session/>whoAmI");
    assert_eq!(asked[0].authorization, Some(format!("Basic {basic}")));
}

#[tokio::test]
async fn a_session_is_dead_from_the_start_of_its_last_day() {
    let vendor = vendor(employees(1), |_| None).await;
    let clock = TestClock::at("2025-01-01T12:00:00Z");
    let waits = Arc::new(Waits::default());
    let connector = open(
        "tripletex",
        settings(&vendor.base_url, clock.clone(), waits),
    )
    .unwrap();
    let sessions = || vendor.requests_to("/token/session/:create").len();
    connector.account().await.unwrap();
    clock.set("2025-01-02T23:59:59Z");
    connector.account().await.unwrap();
    assert_eq!(sessions(), 1);
    clock.set("2025-01-03T00:00:00Z");
    connector.account().await.unwrap();
    assert_eq!(sessions(), 2);
}

#[tokio::test]
async fn a_session_refused_in_mid_read_is_made_anew_and_the_read_goes_on() {
    let refusals = AtomicU32::new(0);
    let vendor = vendor(employees(5), move |request| {
        let expired = is_page(request, "2") && refusals.fetch_add(1, Ordering::SeqCst) < 2;
        expired.then(|| refusal(401, 3000))
    })
    .await;
    let (evidence, records) = read(&vendor).await;
    assert_eq!(ids(&records), ["1", "2", "3", "4", "5"]);
    assert_eq!(evidence.doubts, []);
    assert_eq!(vendor.requests_to("/token/session/:create").len(), 3);
}

#[tokio::test]
async fn sessions_that_are_refused_for_good_end_the_read_with_a_doubt() {
    let vendor = vendor(employees(5), |request| {
        is_page(request, "2").then(|| refusal(401, 3000))
    })
    .await;
    let (evidence, records) = read(&vendor).await;
    assert_eq!(ids(&records), ["1", "2"]);
    assert_eq!(evidence.level, EvidenceLevel::None);
    assert!(!evidence.complete);
    assert_eq!(doubts(&evidence), [DoubtKind::PageFailed]);
    assert_eq!(
        evidence.doubts[0].detail,
        "rows from 2: tripletex.unauthorized at GET /v2/employee, status 401, request request-7"
    );
}

#[tokio::test]
async fn refused_tokens_are_told_without_being_repeated() {
    let vendor = vendor(employees(1), |request| {
        let session = request.path.ends_with(":create");
        session.then(|| refusal(401, 3000))
    })
    .await;
    let connector = tripletex(&vendor);
    let error = connector
        .read(&everything(), &mut Vec::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert_eq!(error.code(), "tripletex.token_refused");
    let text = format!("{error} {error:?}");
    for secret in [CONSUMER_TOKEN, EMPLOYEE_TOKEN, "Kari"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert_eq!(vendor.requests().len(), 1);
}

#[tokio::test]
async fn a_page_that_fails_spoils_the_proof_and_not_the_other_pages() {
    for (wrong, tries) in [
        (
            Raw::new(200, &[], "{\"values\":[{\"id\":3,\"firstName\":\"Ka"),
            5,
        ),
        (Raw::new(500, &[], "{\"code\":1000}"), 5),
        (Raw::json(200, &json!({"value": {}})), 1),
    ] {
        let bytes = wrong.0;
        let vendor = vendor(employees(5), move |request| {
            is_page(request, "2").then(|| Raw(bytes.clone()))
        })
        .await;
        let (evidence, records) = read(&vendor).await;
        assert_eq!(ids(&records), ["1", "2", "5"]);
        assert_eq!(evidence.level, EvidenceLevel::None);
        assert!(!evidence.complete);
        assert_eq!(doubts(&evidence), [DoubtKind::PageFailed]);
        let mut tried = vendor.requests_to("/employee");
        tried.retain(|request| is_page(request, "2"));
        assert_eq!(tried.len(), tries);
    }
}

#[tokio::test]
async fn a_vendor_that_is_down_is_not_asked_for_ever() {
    let vendor = vendor(employees(50), |request| {
        let from = request.parameter("from").unwrap_or("0");
        let down = request.path == "/v2/employee" && from != "0";
        down.then(|| refusal(500, 1000))
    })
    .await;
    let (evidence, records) = read(&vendor).await;
    assert_eq!(ids(&records), ["1", "2"]);
    assert_eq!(evidence.level, EvidenceLevel::None);
    // The first page, and three failed ones with five tries each.
    assert_eq!(vendor.requests_to("/employee").len(), 16);
}

#[tokio::test]
async fn a_read_of_which_nothing_can_be_said_is_an_error() {
    for (status, code) in [
        (403, "tripletex.forbidden"),
        (400, "tripletex.refused"),
        (500, "http.server_error"),
        (429, "http.throttled"),
    ] {
        let vendor = vendor(employees(5), move |request| {
            (request.path == "/v2/employee").then(|| refusal(status, 1))
        })
        .await;
        let connector = tripletex(&vendor);
        let result = connector.read(&everything(), &mut Vec::new()).await;
        assert_eq!(result.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn an_empty_list_is_a_doubt() {
    let vendor = vendor(Vec::new(), |_| None).await;
    let (evidence, records) = read(&vendor).await;
    assert_eq!(records, []);
    assert_eq!(evidence.level, EvidenceLevel::Ended);
    assert_eq!(doubts(&evidence), [DoubtKind::Empty]);
}

#[tokio::test]
async fn a_short_page_in_the_middle_shows_by_the_inexact_total() {
    let vendor = vendor(employees(5), |request| {
        is_page(request, "2").then(|| {
            let body = json!({"fullResultSize": 5, "from": 2, "count": 1, "versionDigest": "",
                "values": [employee(3)]});
            Raw::json(200, &body)
        })
    })
    .await;
    let (evidence, records) = read(&vendor).await;
    assert_eq!(ids(&records), ["1", "2", "3"]);
    assert_eq!(doubts(&evidence), [DoubtKind::TotalDiffers]);
    assert_eq!(evidence.declared, None);
    assert_eq!(evidence.doubts[0].detail, "3 rows, and the vendor counts 5");
}

#[tokio::test]
async fn a_record_on_two_pages_is_a_doubt_and_counts_once() {
    let mut rows = employees(4);
    rows.push(employee(2));
    let vendor = vendor(rows, |_| None).await;
    let (evidence, records) = read(&vendor).await;
    assert_eq!(ids(&records), ["1", "2", "3", "4", "2"]);
    assert_eq!(evidence.read, 4);
    assert!(evidence.has(DoubtKind::RecordTwice));
    assert_eq!(evidence.level, EvidenceLevel::Ended);
    assert!(!evidence.complete);
}

#[tokio::test]
async fn a_page_that_says_another_number_than_it_holds_proves_nothing() {
    let vendor = vendor(employees(5), |request| {
        is_page(request, "4").then(|| {
            let body = json!({"fullResultSize": 5, "from": 4, "count": 2, "versionDigest": "",
                "values": [employee(5)]});
            Raw::json(200, &body)
        })
    })
    .await;
    let (evidence, records) = read(&vendor).await;
    assert_eq!(records.len(), 5);
    assert_eq!(doubts(&evidence), [DoubtKind::PageFailed]);
    assert_eq!(evidence.level, EvidenceLevel::None);
}

#[tokio::test]
async fn a_vendor_that_ignores_the_offset_does_not_keep_the_read_for_ever() {
    let first = json!({"fullResultSize": 900, "count": 2, "versionDigest": "",
        "values": [employee(1), employee(2)]});
    let vendor = vendor(employees(2), move |request| {
        (request.path == "/v2/employee").then(|| Raw::json(200, &first))
    })
    .await;
    let (evidence, _) = read(&vendor).await;
    // The first, and three that bring nobody new.
    assert_eq!(evidence.pages, 4);
    assert_eq!(evidence.level, EvidenceLevel::None);
    assert_eq!(evidence.read, 2);
}

#[tokio::test]
async fn contacts_and_proxies_are_left_out_and_still_fill_their_page() {
    let mut rows = employees(5);
    rows[1]["isContact"] = json!(true);
    rows[2]["isProxy"] = json!(true);
    let vendor = vendor(rows, |_| None).await;
    let (evidence, records) = read(&vendor).await;
    assert_eq!(ids(&records), ["1", "4", "5"]);
    assert_eq!(evidence.read, 3);
    assert_eq!(evidence.doubts, []);
}

#[tokio::test]
async fn departments_that_may_not_be_seen_leave_managers_unsaid() {
    let vendor = vendor(employees(2), |request| {
        (request.path == "/v2/department").then(|| refusal(403, 9000))
    })
    .await;
    let (evidence, records) = read(&vendor).await;
    assert!(records[1].fields.get(Field::ManagerExternalId).is_absent());
    assert_eq!(records[1].fields.text(Field::Department), Some("Salg"));
    assert_eq!(evidence.doubts, []);
}

#[tokio::test]
async fn rights_that_may_not_be_seen_are_unknown() {
    let vendor = vendor(employees(1), |request| {
        (request.path == "/v2/employee/entitlement").then(|| refusal(403, 9000))
    })
    .await;
    let account = tripletex(&vendor).account().await.unwrap();
    assert_eq!(account.rights, None);
    assert_eq!(account.name.as_deref(), Some("Nordlys AS"));
}

#[tokio::test]
async fn confirming_asks_in_batches_and_tells_present_from_not_there() {
    let vendor = vendor(employees(150), |_| None).await;
    let connector = tripletex(&vendor);
    let asked: Vec<ExternalId> = (101..=250)
        .map(|id: i64| ExternalId::new(id.to_string()))
        .chain(["no-number".into()])
        .collect();
    let answers = connector.confirm(&asked).await.unwrap();
    assert_eq!(vendor.requests_to("/employee").len(), 2);
    assert_eq!(answers.len(), 150);
    assert_eq!(answers[&"150".into()], Confirmation::Present);
    assert_eq!(answers[&"151".into()], Confirmation::NotThere);
    assert!(!answers.contains_key(&"no-number".into()));
}

#[tokio::test]
async fn a_batch_without_a_good_answer_confirms_nobody() {
    // The filter is ignored: somebody comes back who was not asked for.
    let ignored = vendor(employees(3), |request| {
        let body = json!({"fullResultSize": 1, "from": 0, "count": 1, "versionDigest": "",
            "values": [employee(1)]});
        (request.path == "/v2/employee").then(|| Raw::json(200, &body))
    })
    .await;
    let answers = tripletex(&ignored).confirm(&["2".into()]).await.unwrap();
    assert!(answers.is_empty());

    let down = vendor(employees(3), |request| {
        (request.path == "/v2/employee").then(|| refusal(500, 1000))
    })
    .await;
    let error = tripletex(&down).confirm(&["2".into()]).await.unwrap_err();
    assert_eq!(error.code(), "http.server_error");
}

#[tokio::test]
async fn somebody_who_became_a_contact_is_not_there_as_in_the_list() {
    let mut rows = employees(2);
    rows[1]["isContact"] = json!(true);
    let vendor = vendor(rows, |_| None).await;
    let ids = ["1".into(), "2".into()];
    let answers = tripletex(&vendor).confirm(&ids).await.unwrap();
    assert_eq!(answers[&ids[0]], Confirmation::Present);
    assert_eq!(answers[&ids[1]], Confirmation::NotThere);
}

#[tokio::test]
async fn records_come_page_by_page_with_progress_and_a_failing_sink_ends_the_read() {
    struct Full(Vec<usize>);
    #[async_trait::async_trait]
    impl RecordSink for Full {
        async fn records(&mut self, records: Vec<SourceRecord>) -> Result<(), SinkError> {
            self.0.push(records.len());
            if self.0.len() == 2 {
                return Err(SinkError::new("disk full"));
            }
            Ok(())
        }
    }
    let vendor = vendor(employees(5), |_| None).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = told.clone();
    let request = everything().progress(move |progress| telling.lock().unwrap().push(progress));
    let mut sink = Full(Vec::new());
    let connector = tripletex(&vendor);
    let error = connector.read(&request, &mut sink).await.unwrap_err();
    assert_eq!(sink.0, [2, 2]);
    assert_eq!(error.kind(), ErrorKind::Sink);
    assert_eq!(error.into_sink_error().unwrap().to_string(), "disk full");
    let expected = Progress {
        pages: 1,
        records: 2,
        expected: Some(5),
    };
    assert_eq!(*told.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn settings_are_checked_before_anybody_is_asked() {
    let base = || {
        let clock = TestClock::at("2025-01-01T12:00:00Z");
        settings("http://127.0.0.1:9/v2", clock, Arc::new(Waits::default()))
    };
    for (given, code) in [
        (base().set("page_size", "0"), "settings.bad_value"),
        (base().set("page_size", "1001"), "settings.bad_value"),
        (base().set("company_id", "93 1"), "settings.bad_value"),
        (base().set("session", "patch"), "settings.bad_value"),
        (base().set("pagesize", "100"), "settings.unknown"),
        (
            base().base_url("http://vendor.example/v2"),
            "http.insecure_base_url",
        ),
    ] {
        assert_eq!(open("tripletex", given).err().unwrap().code(), code);
    }
    let mut without = base();
    without.secrets.remove("employee_token");
    let error = open("tripletex", without).err().unwrap();
    assert_eq!(error.code(), "settings.missing");
    assert_eq!(
        open("nordlys-hr", base()).err().unwrap().code(),
        "connector.unknown"
    );
}

#[tokio::test]
async fn recorded_answers_are_read_without_harm() {
    let recorded = include_str!("../../../connectors/tripletex/fixtures/recorded-shapes.json");
    let recorded: Value = serde_json::from_str(recorded).unwrap();
    let (people, departments) = (
        recorded["GET /v2/employee"].clone(),
        recorded["GET /v2/department"].clone(),
    );
    let vendor = vendor(Vec::new(), move |request| match request.path.as_str() {
        "/v2/employee" => Some(Raw::json(200, &people)),
        "/v2/department" => Some(Raw::json(200, &departments)),
        _ => None,
    })
    .await;
    let (evidence, records) = read(&vendor).await;
    assert_eq!(evidence.doubts, []);
    assert_eq!(evidence.level, EvidenceLevel::Ended);
    let [record] = records.as_slice() else {
        unreachable!("one record was recorded");
    };
    // References came as id and address alone, since the recording asked for `*`.
    assert!(!record.whole);
    assert_eq!(record.problems, []);
    for silent in [
        Field::EmployeeNumber,
        Field::Phone,
        Field::NationalId,
        Field::BankAccount,
    ] {
        assert!(record.fields.get(silent).is_absent(), "{silent}");
    }
    assert!(record.fields.get(Field::ManagerExternalId).is_absent());
}
