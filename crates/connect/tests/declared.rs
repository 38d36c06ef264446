//! Connectors that are manifests, over real HTTP: answers are those that the
//! vendors publish, with made-up people.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use muster_connect::{Confirmation, Connector, ConnectorSettings, FieldScope, ReadRequest, open};
use muster_model::engagement::EngagementStatus;
use muster_model::{DoubtKind, Evidence, EvidenceLevel, ExternalId, Field, Presence, SourceRecord};
use secrecy::SecretString;
use serde_json::{Value, json};
use support::{Raw, Request, TestClock, Vendor, Waits};

const NOON: &str = "2025-01-01T12:00:00Z";
const API_KEY: &str = "hush-api-key";

async fn read(connector: &dyn Connector, scope: FieldScope) -> (Evidence, Vec<SourceRecord>) {
    let request = ReadRequest::new(scope, jiff::civil::date(2025, 1, 1)).region("NO");
    let mut records = Vec::new();
    let evidence = connector.read(&request, &mut records).await.unwrap();
    (evidence, records)
}

fn bamboo(vendor: &Vendor, more: &[(&str, &str)]) -> Box<dyn Connector> {
    let mut settings = ConnectorSettings::new(TestClock::at(NOON))
        .base_url(&vendor.base_url)
        .pause(Arc::new(Waits::default()))
        .secret("api_key", SecretString::from(API_KEY))
        .set("company_domain", "nordlys");
    for (name, value) in more {
        settings = settings.set(*name, *value);
    }
    open("bamboohr", settings).unwrap()
}

fn report() -> Value {
    json!({"title": "Muster", "fields": [{"id": "id", "type": "int", "name": "EEID"}],
    "employees": [
       {"id": "4", "employeeNumber": "1042", "firstName": "Kari", "lastName": "Hansen",
        "dateOfBirth": "1990-05-17", "workEmail": "kari@nordlys.example", "jobTitle": "Developer",
        "hireDate": "2024-02-01", "terminationDate": "0000-00-00", "supervisorEId": "6",
        "supervisorId": "77", "department": "Sales", "location": "Oslo", "status": "Active",
        "employmentHistoryStatus": "Full-Time", "workPhone": "+47 400 00 000",
        "address1": "Storgata 1", "city": "Oslo", "customCostCentre": "CC-7"},
       {"id": "6", "employeeNumber": "7", "firstName": "Nina", "lastName": "Berg æøå 🙂",
        "hireDate": "2020-01-01", "terminationDate": "2024-06-30", "status": "Inactive",
        "supervisorEId": "6", "mobilePhone": "", "workEmail": null},
    ]})
}

fn bamboo_answers(request: &Request) -> Raw {
    let key = format!("Basic {}", STANDARD.encode(format!("{API_KEY}:x")));
    if request.authorization.as_deref() != Some(&key) {
        return Raw::new(401, &[], "");
    }
    match request.path.as_str() {
        "/v2/api/v1/company_information" => Raw::json(
            200,
            &json!({"legalName": "Nordlys AS", "displayName": "Nordlys"}),
        ),
        "/v2/api/v1/reports/custom" => Raw::json(200, &report()),
        "/v2/api/v1/employees/directory" => Raw::new(
            403,
            &[("X-BambooHR-Error-Message", "not shared with Kari Hansen")],
            "",
        ),
        "/v2/api/v1/employees/all/tables/jobInfo" => Raw::json(
            200,
            &json!([
                {"id": "9", "employeeId": "4", "date": "2025-03-01", "jobTitle": "Head", "department": "Sales"},
                {"id": "8", "employeeId": "4", "date": "2024-02-01", "jobTitle": "Developer", "department": "Sales"},
                {"id": "10", "employeeId": "4", "date": "2025-03-01", "jobTitle": "Director", "department": "Sales"},
            ]),
        ),
        "/v2/api/v1/employees/4" => Raw::json(200, &report()["employees"][0]),
        "/v2/api/v1/meta/fields" => Raw::json(
            200,
            &json!([
            {"id": 8, "name": "Address Line 1", "type": "text", "alias": "address1"},
            {"id": "4510.1", "name": "Own", "type": "currency"}]),
        ),
        _ => Raw::new(404, &[], ""),
    }
}

/// The body of the first request for a report.
fn reported(vendor: &Vendor) -> Value {
    serde_json::from_str(&vendor.requests_to("/api/v1/reports/custom")[0].body).unwrap()
}

#[tokio::test]
async fn bamboohr_reads_the_company_by_one_report() {
    let vendor = Vendor::start(bamboo_answers).await;
    let connector = bamboo(&vendor, &[]);
    let account = connector.account().await.unwrap();
    assert_eq!(account.id, "Nordlys AS");
    assert_eq!(account.name.as_deref(), Some("Nordlys"));
    let (evidence, records) = read(&*connector, FieldScope::all()).await;
    assert_eq!(evidence.level, EvidenceLevel::Whole);
    assert!(
        evidence.complete && evidence.doubts.is_empty(),
        "{evidence:?}"
    );
    assert_eq!((evidence.read, records.len()), (2, 2));
    let kari = &records[0];
    assert_eq!(kari.external_id.as_str(), "4");
    for (field, text) in [
        (Field::EmployeeNumber, "1042"),
        (Field::GivenName, "Kari"),
        (Field::WorkEmail, "kari@nordlys.example"),
        (Field::Phone, "+4740000000"),
        (Field::JobTitle, "Developer"),
        (Field::Department, "Sales"),
        (Field::ManagerExternalId, "6"),
    ] {
        assert_eq!(kari.fields.text(field), Some(text), "{field}");
    }
    let engagement = &kari.engagements().unwrap()[0];
    assert_eq!(engagement.status.value(), Some(&EngagementStatus::Active));
    assert_eq!(
        engagement.start_date.value().unwrap().to_string(),
        "2024-02-01"
    );
    assert!(engagement.end_date.is_absent());
    assert_eq!(
        engagement.terms.employment_type.value().unwrap(),
        "Full-Time"
    );
    let nina = &records[1];
    let engagement = &nina.engagements().unwrap()[0];
    assert_eq!(engagement.status.value(), Some(&EngagementStatus::Ended));
    assert_eq!(
        engagement.end_date.value().unwrap().to_string(),
        "2024-06-30"
    );
    // Nobody manages themselves; blank and null are silence.
    assert!(nina.fields.get(Field::ManagerExternalId).is_absent());
    assert!(nina.fields.get(Field::WorkEmail).is_absent());
    assert_eq!((nina.whole, &nina.problems[..]), (true, &[][..]));
    let asked: Value = reported(&vendor);
    let fields = asked["fields"].as_array().unwrap();
    assert!(fields.contains(&json!("supervisorEId")) && !fields.contains(&json!("payRate")));
}

#[tokio::test]
async fn a_narrow_scope_asks_for_nothing_else() {
    let vendor = Vendor::start(bamboo_answers).await;
    let connector = bamboo(&vendor, &[]);
    let scope = FieldScope::only([Field::WorkEmail]);
    let (_, records) = read(&*connector, scope).await;
    let asked: Value = reported(&vendor);
    assert_eq!(
        asked["fields"],
        json!(["id", "status", "lastChanged", "workEmail"])
    );
    // The vendor sent more than it was asked for: it is dropped.
    assert_eq!(records[0].fields.iter().count(), 1);
}

/// Keeps the records, and when the read began.
#[derive(Default)]
struct Sink(Vec<SourceRecord>, Option<jiff::Timestamp>);

#[async_trait::async_trait]
impl muster_connect::RecordSink for Sink {
    async fn records(
        &mut self,
        records: Vec<SourceRecord>,
    ) -> Result<(), muster_connect::SinkError> {
        self.0.extend(records);
        Ok(())
    }

    fn began(&mut self, at: jiff::Timestamp) {
        self.1 = Some(at);
    }
}

#[tokio::test]
async fn changes_since_and_deletions_are_read_and_the_vendors_clock_is_told() {
    const DATE: (&str, &str) = ("Date", "Wed, 01 Jan 2025 11:58:30 GMT");
    let vendor = Vendor::start(|request| {
        if request.path.ends_with("/changed") {
            assert_eq!(request.parameter("since"), Some("2024-12-31T08:00:00Z"));
            assert_eq!(request.parameter("type"), Some("deleted"));
            return Raw::json(
                200,
                &json!({"latest": "x", "employees": {"9": {"id": "9", "action": "Deleted"}}}),
            );
        }
        if request.path.ends_with("/company_information") {
            return Raw::json(200, &json!({"displayName": "Nordlys"}));
        }
        let mut body = report();
        let asked: Value = serde_json::from_str(&request.body).unwrap();
        if asked["filters"]["lastChanged"]["value"] == "2024-12-31T08:00:00Z" {
            body["employees"].as_array_mut().unwrap().truncate(1);
        }
        Raw::new(200, &[DATE], &body.to_string())
    })
    .await;
    let connector = bamboo(&vendor, &[]);
    let everybody = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1));
    let mut sink = Sink::default();
    let evidence = connector.read(&everybody, &mut sink).await.unwrap();
    assert_eq!((sink.0.len(), evidence.changes_since), (2, None));
    assert_eq!(sink.1, Some("2025-01-01T11:58:30Z".parse().unwrap()));

    let since = "2024-12-31T08:00:00Z".parse().unwrap();
    let mut sink = Sink::default();
    let evidence = connector
        .read(&everybody.clone().since(since), &mut sink)
        .await
        .unwrap();
    assert_eq!(evidence.changes_since, Some(since));
    assert!(
        evidence.complete && evidence.doubts.is_empty(),
        "{evidence:?}"
    );
    let presence: Vec<_> = (sink.0.iter())
        .map(|record| (record.external_id.as_str(), record.presence))
        .collect();
    assert_eq!(
        presence,
        [("4", Presence::Present), ("9", Presence::Removed)]
    );

    // With these settings the vendor has no list of changes: everybody is read.
    let vendor = Vendor::start(|_| Raw::json(200, &report())).await;
    let connector = bamboo(&vendor, &[("list", "directory")]);
    let mut sink = Sink::default();
    let request = everybody.since(since);
    let evidence = connector.read(&request, &mut sink).await.unwrap();
    assert_eq!(evidence.changes_since, None);
}

#[tokio::test]
async fn an_address_of_which_a_part_may_not_be_seen_is_not_known() {
    let vendor = Vendor::start(|_: &Request| {
        let row = |id: &str, city: &[&str]| {
            let mut row = json!({"id": id, "status": "Active", "address1": "Storgata 1",
                "address2": "", "zipcode": "0150"});
            for city in city {
                row["city"] = json!(city);
            }
            row
        };
        let rows = [row("1", &["Oslo"]), row("2", &[""]), row("3", &[])];
        Raw::json(200, &json!({"employees": rows}))
    })
    .await;
    let (_, records) = read(&*bamboo(&vendor, &[]), FieldScope::all()).await;
    let known: Vec<bool> = (records.iter())
        .map(|record| record.fields.value(Field::Address).is_some())
        .collect();
    assert_eq!(known, [true, true, false], "empty is said, missing is not");
}

#[tokio::test]
async fn terms_by_date_come_from_another_list() {
    let vendor = Vendor::start(bamboo_answers).await;
    let connector = bamboo(&vendor, &[("history", "yes")]);
    let (_, records) = read(&*connector, FieldScope::all()).await;
    let periods = &records[0].engagements().unwrap()[0].periods;
    let told: Vec<_> = (periods.iter())
        .map(|period| {
            (
                period.from.to_string(),
                period.terms.job_title.value().unwrap().as_str(),
            )
        })
        .collect();
    // Of two rows that begin on one day the later one counts.
    assert_eq!(
        told,
        [
            ("2024-02-01".to_owned(), "Developer"),
            ("2025-03-01".to_owned(), "Director")
        ]
    );
}

#[tokio::test]
async fn a_connection_says_where_a_field_comes_from() {
    let vendor = Vendor::start(bamboo_answers).await;
    let own = [
        ("map.cost_centre", "/customCostCentre"),
        ("map.team", "=upper(row.department)"),
    ];
    let connector = bamboo(&vendor, &own);
    let (_, records) = read(&*connector, FieldScope::all()).await;
    assert_eq!(records[0].fields.text(Field::CostCentre), Some("CC-7"));
    assert_eq!(records[0].fields.text(Field::Team), Some("SALES"));
    let asked: Value = reported(&vendor);
    assert!(
        asked["fields"]
            .as_array()
            .unwrap()
            .contains(&json!("customCostCentre"))
    );
    for (name, value, code) in [
        ("map.surname", "/x", "settings.unknown"),
        ("map.team", "x", "manifest.pointer"),
        ("map.team", "=row.", "manifest.expression"),
        ("nap.team", "/x", "settings.unknown"),
    ] {
        let settings = ConnectorSettings::new(TestClock::at(NOON))
            .secret("api_key", SecretString::from(API_KEY))
            .set("company_domain", "nordlys")
            .set(name, value);
        let error = open("bamboohr", settings).err().unwrap();
        assert_eq!(error.code(), code, "{name} {value}: {error}");
    }
}

#[tokio::test]
async fn a_refusal_has_code_place_and_advice_and_repeats_nobodys_data() {
    let vendor = Vendor::start(bamboo_answers).await;
    let connector = bamboo(&vendor, &[("list", "directory")]);
    let request = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1));
    let error = connector
        .read(&request, &mut Vec::new())
        .await
        .err()
        .unwrap();
    assert_eq!(error.code(), "bamboohr.forbidden");
    let text = error.to_string();
    assert!(
        text.contains("/api/v1/employees/directory, status 403"),
        "{text}"
    );
    assert!(!text.contains("Kari") && !text.contains(API_KEY), "{text}");
}

#[tokio::test]
async fn asking_by_id_tells_who_is_gone() {
    let vendor = Vendor::start(bamboo_answers).await;
    let connector = bamboo(&vendor, &[]);
    let ids = [ExternalId::new("4"), ExternalId::new("99")];
    let answers = connector.confirm(&ids).await.unwrap();
    assert_eq!(answers[&ids[0]], Confirmation::Present);
    assert_eq!(answers[&ids[1]], Confirmation::NotThere);
}

#[tokio::test]
async fn one_person_can_be_tried_and_what_is_sealed_is_masked() {
    let vendor = Vendor::start(bamboo_answers).await;
    let own = [
        ("map.national_id", "/employeeNumber"),
        ("map.team", "=row.department + 1"),
    ];
    let connector = bamboo(&vendor, &own);
    let request = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1)).region("NO");
    let trial = connector
        .trial(&ExternalId::new("4"), &request)
        .await
        .unwrap()
        .unwrap();
    let field = |name: &str| {
        trial
            .fields
            .iter()
            .find(|tried| tried.field == name)
            .unwrap()
    };
    let phone = field("phone");
    assert_eq!(phone.found[0], ("/mobilePhone".to_owned(), Value::Null));
    assert_eq!(
        phone.found[1],
        ("/workPhone".to_owned(), json!("+47 400 00 000"))
    );
    assert_eq!(phone.value, json!("+4740000000"));
    assert_eq!(field("employment_status").code.as_deref(), Some("active"));
    assert_eq!(field("national_id").found[0].1, json!("••••"));
    assert!(!field("national_id").problems.is_empty());
    assert!(
        field("team").problems[0].starts_with("team.expression"),
        "{:?}",
        field("team")
    );
    assert!(
        connector
            .trial(&ExternalId::new("99"), &request)
            .await
            .unwrap()
            .is_none()
    );
    let fields = connector.vendor_fields().await.unwrap();
    assert_eq!(
        (fields[0].name.as_str(), fields[1].name.as_str()),
        ("address1", "4510.1")
    );
}

#[tokio::test]
async fn the_sub_domain_can_only_be_one_label_of_the_host() {
    for value in ["evil.example/", "a.b", "", "-a", "a@b"] {
        let settings = ConnectorSettings::new(TestClock::at(NOON))
            .secret("api_key", SecretString::from(API_KEY))
            .set("company_domain", value);
        let error = open("bamboohr", settings).err().unwrap();
        assert_eq!(error.code(), "settings.bad_value", "{value}");
    }
}

#[tokio::test]
async fn fields_are_written_once_and_read_back() {
    use muster_connect::{Fetched, RecordWrite, WriteAnswer};
    use muster_model::{Fields, Value as Canonical};
    let stored = Arc::new(std::sync::Mutex::new(report()["employees"][0].clone()));
    let seen = stored.clone();
    let vendor = Vendor::start(move |request| {
        let mut row = seen.lock().unwrap();
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/v2/api/v1/employees/4") => {
                let body: Value = serde_json::from_str(&request.body).unwrap();
                if body["workEmail"] == "taken@nordlys.example" {
                    return Raw::new(409, &[("X-BambooHR-Error-Message", "Kari has it")], "");
                }
                if body["firstName"] == "Down" {
                    return Raw::new(500, &[], "");
                }
                for (name, value) in body.as_object().unwrap() {
                    row[name] = value.clone();
                }
                // The vendor trims, and keeps its own form.
                row["lastName"] = json!(row["lastName"].as_str().unwrap().trim());
                Raw::new(200, &[], "")
            }
            ("GET", "/v2/api/v1/employees/4") => Raw::json(200, &row),
            _ => Raw::new(404, &[], ""),
        }
    })
    .await;
    let connector = bamboo(&vendor, &[]);
    let request = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1)).region("NO");
    let ids = [ExternalId::new("4"), ExternalId::new("99")];
    let fetched = connector.fetch(&ids, &request).await.unwrap();
    assert!(matches!(&fetched[&ids[0]], Fetched::Record(record)
        if record.fields.text(Field::GivenName) == Some("Kari")));
    assert!(matches!(fetched[&ids[1]], Fetched::NotThere));

    let write = |id: &ExternalId, pairs: &[(Field, Option<&str>)]| {
        let mut fields = Fields::new();
        for (field, value) in pairs {
            fields.set(
                *field,
                match value {
                    Some(text) => muster_model::Said::Value(Canonical::text(*text)),
                    None => muster_model::Said::Null,
                },
            );
        }
        RecordWrite {
            external_id: id.clone(),
            revision: None,
            fields,
            engagement: None,
        }
    };
    let new = [
        (Field::FamilyName, Some("Solberg ")),
        (Field::PersonalEmail, None),
        (Field::JobTitle, Some("Head")),
    ];
    let answer = connector
        .write(&write(&ids[0], &new), &request)
        .await
        .unwrap();
    let WriteAnswer::Done(done) = answer else {
        panic!("nobody else wrote");
    };
    assert_eq!(done.fields.text(Field::FamilyName), Some("Solberg"));
    assert_eq!(
        done.refused[&Field::JobTitle],
        "bamboohr.field_not_writable"
    );
    let sent = vendor
        .requests()
        .into_iter()
        .find(|one| one.method == "POST")
        .unwrap();
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(body, json!({"lastName": "Solberg ", "homeEmail": null}));

    let refused = [(Field::WorkEmail, Some("taken@nordlys.example"))];
    let answer = connector
        .write(&write(&ids[0], &refused), &request)
        .await
        .unwrap();
    let WriteAnswer::Done(done) = answer else {
        panic!("nobody else wrote");
    };
    assert_eq!(done.refused[&Field::WorkEmail], "bamboohr.value_refused");
    let gone = connector
        .write(&write(&ids[1], &refused), &request)
        .await
        .unwrap();
    assert!(matches!(gone, WriteAnswer::Done(done)
        if done.refused[&Field::WorkEmail] == "bamboohr.record_not_there"));
    // What may have arrived is not sent again.
    let before = vendor.requests().len();
    let down = [(Field::GivenName, Some("Down"))];
    let error = connector
        .write(&write(&ids[0], &down), &request)
        .await
        .err()
        .unwrap();
    assert_eq!(error.code(), "http.server_error");
    assert_eq!(vendor.requests().len() - before, 1);
}

/// Google, with a key pair of its own.
struct Google {
    vendor: Vendor,
    key: String,
    tokens: Arc<AtomicUsize>,
}

impl Google {
    async fn start(throttles: bool) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(der.as_ref())
        );
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let public = public.as_ref().to_vec();
        let tokens = Arc::new(AtomicUsize::new(0));
        let (given, calls) = (tokens.clone(), AtomicUsize::new(0));
        let vendor = Vendor::start(move |request| {
            if request.path == "/token" {
                return token(request, &public, &given);
            }
            let call = calls.fetch_add(1, Ordering::SeqCst);
            if throttles && call == 1 {
                return Raw::json(
                    403,
                    &json!({"error": {"code": 403, "message": "Kari",
                    "errors": [{"domain": "usageLimits", "reason": "quotaExceeded"}]}}),
                );
            }
            // The first token dies after the second call.
            let token = if call < 3 { "Bearer t-1" } else { "Bearer t-2" };
            if request.authorization.as_deref() != Some(token) {
                return Raw::json(
                    401,
                    &json!({"error": {"errors": [{"reason": "authError"}]}}),
                );
            }
            users(request)
        })
        .await;
        let origin = vendor.base_url.trim_end_matches("/v2").to_owned();
        let key = json!({
            "type": "service_account", "client_email": "muster@nordlys.example",
            "private_key": pem, "private_key_id": "k1", "token_uri": format!("{origin}/token"),
        });
        Self {
            vendor,
            key: key.to_string(),
            tokens,
        }
    }

    fn connector(&self, waits: &Arc<Waits>) -> Box<dyn Connector> {
        let origin = self.vendor.base_url.trim_end_matches("/v2");
        let settings = ConnectorSettings::new(TestClock::at(NOON))
            .base_url(origin)
            .pause(waits.clone())
            .secret("service_account", SecretString::from(self.key.clone()))
            .set("subject", "admin@nordlys.example")
            .set("page_size", "2");
        open("google-workspace", settings).unwrap()
    }
}

/// Gives a token for an assertion whose signature is right.
fn token(request: &Request, public: &[u8], given: &AtomicUsize) -> Raw {
    let form: Vec<(String, String)> = reqwest::Url::parse(&format!("http://x/?{}", request.body))
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect();
    let field = |name: &str| {
        form.iter()
            .find(|(known, _)| known == name)
            .unwrap()
            .1
            .clone()
    };
    assert_eq!(
        field("grant_type"),
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    let assertion = field("assertion");
    let (message, signature) = assertion.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    key.verify(message.as_bytes(), &signature).unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let part = |text: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    assert_eq!(
        part(header),
        json!({"alg": "RS256", "typ": "JWT", "kid": "k1"})
    );
    let claims = part(claims);
    assert_eq!(claims["iss"], "muster@nordlys.example");
    assert_eq!(claims["sub"], "admin@nordlys.example");
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        3600
    );
    let number = given.fetch_add(1, Ordering::SeqCst) + 1;
    Raw::json(
        200,
        &json!({"access_token": format!("t-{number}"), "expires_in": 3599}),
    )
}

fn users(request: &Request) -> Raw {
    if request.path != "/admin/directory/v1/users" {
        return Raw::json(
            404,
            &json!({"error": {"code": 404, "errors": [{"reason": "notFound"}]}}),
        );
    }
    if request.parameter("maxResults") == Some("1") {
        return Raw::json(
            200,
            &json!({"users": [{"id": "1", "customerId": "C0000001"}]}),
        );
    }
    if request.parameter("showDeleted") == Some("true") {
        return Raw::json(
            200,
            &json!({"users": [{"id": "9", "deletionTime": "2024-12-24T10:00:00Z"}]}),
        );
    }
    assert!(
        request
            .parameter("fields")
            .unwrap()
            .starts_with("nextPageToken,users(id,")
    );
    match request.parameter("pageToken") {
        None => Raw::json(
            200,
            &json!({"nextPageToken": "p2", "users": [
            {"id": "1", "primaryEmail": "kari@nordlys.example",
             "name": {"givenName": "Kari", "familyName": "Hansen", "fullName": "Kari Hansen"},
             "suspended": false, "archived": false,
             "emails": [{"address": "kari@nordlys.example", "primary": true},
                        {"address": "k@home.example", "type": "home"}],
             "externalIds": [{"value": "x", "type": "login_id"}, {"value": "1042", "type": "organization"}],
             "relations": [{"value": "nina@nordlys.example", "type": "manager"}],
             "organizations": [{"title": "Developer", "primary": true, "department": "Sales",
                                "costCenter": "200", "fullTimeEquivalent": 80000}],
             "phones": [{"value": "40000000", "type": "work"}]},
            {"id": "2", "primaryEmail": "ola@nordlys.example", "suspended": true}]}),
        ),
        Some("p2") => Raw::json(
            200,
            &json!({"users": [
            {"id": "3", "primaryEmail": "åse@nordlys.example", "archived": true}]}),
        ),
        Some(_) => Raw::json(400, &json!({"error": {"errors": [{"reason": "invalid"}]}})),
    }
}

#[tokio::test]
async fn google_reads_by_tokens_of_a_signed_assertion() {
    let google = Google::start(false).await;
    let connector = google.connector(&Arc::new(Waits::default()));
    let (evidence, records) = read(&*connector, FieldScope::all()).await;
    assert_eq!(evidence.account.as_deref(), Some("C0000001"));
    assert_eq!(evidence.level, EvidenceLevel::Ended);
    assert!(evidence.complete, "{evidence:?}");
    let ids: Vec<&str> = records
        .iter()
        .map(|record| record.external_id.as_str())
        .collect();
    assert_eq!(ids, ["1", "2", "3", "9"]);
    let kari = &records[0];
    for (field, text) in [
        (Field::EmployeeNumber, "1042"),
        (Field::ManagerEmail, "nina@nordlys.example"),
        (Field::PersonalEmail, "k@home.example"),
        (Field::JobTitle, "Developer"),
        (Field::CostCentre, "200"),
        (Field::Phone, "+4740000000"),
    ] {
        assert_eq!(kari.fields.text(field), Some(text), "{field}");
    }
    let status = |at: usize| {
        *records[at].engagements().unwrap()[0]
            .status
            .value()
            .unwrap()
    };
    assert_eq!(
        [status(0), status(1), status(2)],
        [
            EngagementStatus::Active,
            EngagementStatus::Ended,
            EngagementStatus::Ended
        ]
    );
    let percentage = kari.engagements().unwrap()[0].terms.percentage;
    assert_eq!(percentage.value().unwrap().hundredths(), 8000);
    assert_eq!(records[3].presence, Presence::Removed);
    // One token was enough until it died; then one more.
    assert_eq!(google.tokens.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_refusal_that_is_throttling_is_waited_for() {
    let google = Google::start(true).await;
    let waits = Arc::new(Waits::default());
    let connector = google.connector(&waits);
    let (evidence, records) = read(&*connector, FieldScope::all()).await;
    assert!(evidence.complete);
    assert_eq!(records.len(), 4);
    // The published limit is per minute: after that, there are calls again.
    assert_eq!(waits.seconds(), [60]);
}

#[tokio::test]
async fn a_token_goes_to_no_host_that_only_the_key_file_names() {
    let google = Google::start(false).await;
    let other = Vendor::start(|_| Raw::json(200, &json!({"access_token": "t"}))).await;
    let mut key: Value = serde_json::from_str(&google.key).unwrap();
    key["token_uri"] = json!(format!("{}/token", other.base_url));
    let settings = ConnectorSettings::new(TestClock::at(NOON))
        .base_url(google.vendor.base_url.trim_end_matches("/v2"))
        .secret("service_account", SecretString::from(key.to_string()))
        .set("subject", "admin@nordlys.example");
    let connector = open("google-workspace", settings).unwrap();
    let error = connector.account().await.err().unwrap();
    assert_eq!(error.code(), "http.other_host", "{error}");
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_page_that_fails_ends_a_read_by_cursor_without_proof() {
    let google = Google::start(false).await;
    let vendor = Vendor::start(|request| match request.parameter("pageToken") {
        None if request.parameter("maxResults") == Some("1") => users(request),
        None if request.path == "/token" => {
            Raw::json(200, &json!({"access_token": "t", "expires_in": 3599}))
        }
        None => users(request),
        Some(_) => Raw::new(500, &[], "{"),
    })
    .await;
    let mut key: Value = serde_json::from_str(&google.key).unwrap();
    let origin = vendor.base_url.trim_end_matches("/v2").to_owned();
    key["token_uri"] = json!(format!("{origin}/token"));
    let settings = ConnectorSettings::new(TestClock::at(NOON))
        .base_url(&origin)
        .pause(Arc::new(Waits::default()))
        .secret("service_account", SecretString::from(key.to_string()))
        .set("subject", "admin@nordlys.example")
        .set("page_size", "2");
    let connector = open("google-workspace", settings).unwrap();
    let (evidence, records) = read(&*connector, FieldScope::all()).await;
    assert_eq!(evidence.level, EvidenceLevel::None);
    assert!(!evidence.complete && evidence.has(DoubtKind::PageFailed));
    assert!(records.len() >= 2, "what was handed over stays");
}

/// A report of many people, from the first to the last, cut off where `until` says.
fn long_report(people: usize, until: Option<usize>) -> Raw {
    let rows: Vec<Value> = (1..=people)
        .map(|id| {
            json!({"id": id.to_string(), "firstName": format!("Åse{id} 🙂"), "status": "Active",
                "lastChanged": "2025-01-01T08:00:00+00:00"})
        })
        .collect();
    let whole = json!({"fields": [], "employees": rows, "title": "Muster"}).to_string();
    match until {
        Some(until) => {
            let cut: String = whole.chars().take(until).collect();
            Raw::with_length(200, &[], &cut, whole.len())
        }
        None => Raw::new(200, &[], &whole),
    }
}

async fn long_vendor(
    report: impl Fn(usize) -> Raw + Send + Sync + 'static,
) -> (Vendor, Box<dyn Connector>) {
    let asked = AtomicUsize::new(0);
    let vendor = Vendor::start(move |request| match request.path.as_str() {
        "/v2/api/v1/reports/custom" => report(asked.fetch_add(1, Ordering::SeqCst)),
        _ => bamboo_answers(request),
    })
    .await;
    let connector = bamboo(&vendor, &[]);
    (vendor, connector)
}

#[tokio::test]
async fn a_long_answer_is_read_row_by_row_as_one() {
    let (vendor, connector) = long_vendor(|_| long_report(1_700, None)).await;
    let (evidence, records) = read(&*connector, FieldScope::all()).await;
    assert_eq!(
        (evidence.read, records.len(), evidence.pages),
        (1_700, 1_700, 1)
    );
    assert_eq!(evidence.level, EvidenceLevel::Whole);
    assert_eq!(
        records[1_699].fields.text(Field::GivenName),
        Some("Åse1700 🙂")
    );
    assert_eq!(vendor.requests_to("/api/v1/reports/custom").len(), 1);
}

#[tokio::test]
async fn a_body_that_breaks_is_asked_for_again_and_nobody_comes_twice() {
    let (vendor, connector) =
        long_vendor(|asked| long_report(1_700, (asked < 2).then_some(60_000 + asked * 30_000)))
            .await;
    let (evidence, records) = read(&*connector, FieldScope::all()).await;
    assert_eq!((evidence.read, records.len()), (1_700, 1_700));
    assert_eq!(evidence.doubts, []);
    assert_eq!(evidence.level, EvidenceLevel::Whole);
    assert_eq!(vendor.requests_to("/api/v1/reports/custom").len(), 3);
}

#[tokio::test]
async fn a_body_that_breaks_for_good_proves_nothing_of_those_behind() {
    let (vendor, connector) = long_vendor(|_| long_report(1_700, Some(90_000))).await;
    let (evidence, records) = read(&*connector, FieldScope::all()).await;
    assert!(
        !records.is_empty() && records.len() < 1_700,
        "{}",
        records.len()
    );
    assert_eq!(evidence.level, EvidenceLevel::None);
    assert!(!evidence.complete);
    assert_eq!(evidence.doubts[0].kind, DoubtKind::PageFailed);
    assert!(evidence.doubts[0].detail.contains("http.truncated_body"));
    assert_eq!(vendor.requests_to("/api/v1/reports/custom").len(), 5);
}

#[tokio::test]
async fn an_answer_without_the_list_is_no_empty_company() {
    for body in ["{}", r#"{"employees": null}"#, "[]", "<html>"] {
        let (_vendor, connector) = long_vendor(move |_| Raw::new(200, &[], body)).await;
        let request = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1));
        let error = connector.read(&request, &mut Vec::new()).await.unwrap_err();
        let code = error.code();
        assert!(
            matches!(code, "bamboohr.unexpected_answer" | "http.not_json"),
            "{body}: {code}"
        );
    }
}

#[tokio::test]
async fn a_company_that_names_itself_nowhere_is_known_by_its_address() {
    let vendor = Vendor::start(|request| match request.path.as_str() {
        "/v2/api/v1/company_information" => Raw::json(200, &json!({"phone": null})),
        _ => bamboo_answers(request),
    })
    .await;
    assert_eq!(bamboo(&vendor, &[]).account().await.unwrap().id, "nordlys");
}
