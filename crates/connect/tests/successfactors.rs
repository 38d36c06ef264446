//! SAP SuccessFactors, over real HTTP: answers in the form that is published,
//! with made-up people; the requests are held against SAP's own names.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_connect::{Confirmation, Connector, ConnectorSettings, FieldScope, ReadRequest, open};
use muster_model::engagement::{EngagementKind, EngagementStatus};
use muster_model::{Evidence, EvidenceLevel, ExternalId, Field, SourceRecord};
use secrecy::SecretString;
use serde_json::{Value, json};
use support::{Raw, Request, TestClock, Vendor, Waits};

const NOON: &str = "2025-01-01T12:00:00Z";
const NO_END: &str = "/Date(253402214400000)/";
const PUBLISHED: &str =
    include_str!("../../../connectors/sap-successfactors/fixtures/published.json");
const FACTS: &str = include_str!("../../../connectors/sap-successfactors/contract/facts.json");

/// Midnight of a day in UTC, as SAP writes it.
fn day(text: &str) -> String {
    let date: jiff::civil::Date = text.parse().unwrap();
    let at = date.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    format!("/Date({})/", at.as_millisecond())
}

fn origin(vendor: &Vendor) -> String {
    vendor.base_url.trim_end_matches("/v2").to_owned()
}

fn basic(vendor: &Vendor, more: &[(&str, &str)]) -> Box<dyn Connector> {
    let mut settings = ConnectorSettings::new(TestClock::at(NOON))
        .base_url(origin(vendor))
        .pause(Arc::new(Waits::default()))
        .secret("password", SecretString::from("hush"))
        .set("authentication", "basic")
        .set("company_id", "NORDLYS")
        .set("user_id", "muster");
    for (name, value) in more {
        settings = settings.set(*name, *value);
    }
    open("sap-successfactors", settings).unwrap()
}

async fn read_of(connector: &dyn Connector, scope: FieldScope) -> (Evidence, Vec<SourceRecord>) {
    let request = ReadRequest::new(scope, jiff::civil::date(2025, 1, 1)).region("NO");
    let mut records = Vec::new();
    let evidence = connector.read(&request, &mut records).await.unwrap();
    (evidence, records)
}

async fn read(connector: &dyn Connector) -> (Evidence, Vec<SourceRecord>) {
    read_of(connector, FieldScope::all()).await
}

fn rows(rows: Vec<Value>) -> Value {
    json!({"d": {"results": rows}})
}

fn employment(person: &str, user: &str, from: &str, until: Option<&str>) -> Value {
    json!({"__metadata": {"type": "SFOData.EmpEmployment"}, "personIdExternal": person,
        "userId": user, "startDate": day(from), "endDate": until.map(day), "isContingentWorker": false})
}

fn slice(user: &str, from: &str, until: Option<&str>, number: u32, more: &Value) -> Value {
    let mut row = json!({"__metadata": {"type": "SFOData.EmpJob"}, "userId": user,
        "seqNumber": number.to_string(), "startDate": day(from),
        "endDate": until.map_or(NO_END.to_owned(), day), "fte": "1",
        "emplStatusNav": {"externalCode": "A"}, "managerId": "NO_MANAGER"});
    for (name, value) in more.as_object().unwrap() {
        row[name] = value.clone();
    }
    row
}

fn people() -> Vec<Value> {
    let email = |kind: &str, address: &str, primary: bool| json!({"emailAddress": address, "isPrimary": primary, "emailTypeNav": {"externalCode": kind}});
    vec![
        json!({"personIdExternal": "1001", "lastModifiedDateTime": "/Date(1717200000000+0000)/",
            "dateOfBirth": "/Date(-501206400000)/",
            "employmentNav": {"results": [
                employment("1001", "u-1", "2020-01-01", Some("2022-06-30")),
                employment("1001", "u-2", "2024-02-01", None)]},
            "emailNav": {"results": [email("P", "k@home.example", false),
                email("B", "old@nordlys.example", false), email("B", "kari@nordlys.example", true)]},
            "phoneNav": {"results": [
                {"countryCode": "+47", "areaCode": null, "phoneNumber": "40000000", "isPrimary": true}]},
            "nationalIdNav": {"results": [
                {"nationalId": "17912099997", "country": "NOR", "isPrimary": true}]}}),
        json!({"personIdExternal": "1000", "lastModifiedDateTime": "/Date(1717200000000+0000)/",
            "employmentNav": {"results": [employment("1000", "u-9", "2010-01-01", None)]},
            "emailNav": {"results": [email("B", "nina@nordlys.example", true)]},
            "phoneNav": {"results": []}}),
        // Begins in March.
        json!({"personIdExternal": "1002", "employmentNav": {"results":
            [employment("1002", "u-3", "2025-03-01", None)]}}),
        // On leave, and a contractor.
        json!({"personIdExternal": "1003", "employmentNav": {"results":
            [{"userId": "u-4", "personIdExternal": "1003", "startDate": day("2023-01-01"),
              "endDate": null, "isContingentWorker": true}]}}),
        // Left; is no person's contact.
        json!({"personIdExternal": "1004", "employmentNav": {"results":
            [employment("1004", "u-5", "2019-01-01", Some("2024-11-30"))]}}),
        // A dependant: employed by nobody.
        json!({"personIdExternal": "2001", "employmentNav": {"results": []}}),
    ]
}

fn jobs() -> Vec<Value> {
    let sales = json!({"jobTitle": "Developer", "department": "5000", "departmentNav": {"name": "Sales"},
        "location": "OSL", "locationNav": {"name": "Oslo"}, "costCenter": "CC300", "fte": "0.8",
        "managerId": "u-9", "managerEmploymentNav": {"personIdExternal": "1000", "userId": "u-9"},
        "employmentTypeNav": {"externalCode": "4102", "picklistLabels": {"results": [
            {"locale": "de_DE", "label": "Unbefristet"}, {"locale": "en_US", "label": "Permanent"}]}}});
    let head = json!({"jobTitle": "Head", "department": "5000", "departmentNav": {"name": "Sales"},
        "managerEmploymentNav": {"personIdExternal": "1000"}});
    let director = json!({"jobTitle": "Director", "department": "6000", "departmentNav": {"name": "Board"},
        "managerEmploymentNav": {"personIdExternal": "1000"}});
    let status =
        |code: &str| json!({"emplStatusNav": {"externalCode": code}, "jobTitle": "Tester"});
    vec![
        slice("u-1", "2022-07-01", None, 1, &status("T")),
        // Two rows of one day: the later number counts.
        slice("u-2", "2025-03-01", None, 2, &director),
        slice("u-2", "2024-02-01", Some("2025-02-28"), 1, &sales),
        slice("u-2", "2025-03-01", None, 1, &head),
        slice("u-9", "2010-01-01", None, 1, &status("A")),
        slice("u-3", "2025-03-01", None, 1, &status("A")),
        slice("u-4", "2023-01-01", Some("2025-01-01"), 1, &status("A")),
        slice("u-4", "2025-01-01", None, 2, &status("U")),
        slice("u-5", "2024-12-01", None, 1, &status("T")),
    ]
}

fn names() -> Vec<Value> {
    let name = |person: &str, from: &str, until: Option<&str>, given: &str, family: &str| {
        json!({"personIdExternal": person, "startDate": day(from),
            "endDate": until.map_or(NO_END.to_owned(), day),
            "firstName": given, "lastName": family, "displayName": null})
    };
    vec![
        name("1001", "2025-06-01", None, "Kari", "Berg"),
        name("1001", "2020-01-01", Some("2025-05-31"), "Kari", "Hansen"),
        name("1000", "2010-01-01", None, "Nina", "Å'Berg 🙂"),
        name("1002", "2025-03-01", None, "Ola", "Nordmann"),
    ]
}

/// The values that a filter names.
fn named(request: &Request) -> BTreeSet<String> {
    let filter = request.parameter("$filter").unwrap();
    let (_, list) = filter.split_once(" in ").unwrap();
    list.split("','")
        .map(|one| one.trim_matches('\'').replace("''", "'"))
        .collect()
}

fn of(all: Vec<Value>, key: &str, named: &BTreeSet<String>) -> Value {
    let wanted = |row: &Value| named.contains(row[key].as_str().unwrap());
    rows(all.into_iter().filter(wanted).collect())
}

/// Employee Central, with two people on a page.
fn central(request: &Request, base: &str) -> Raw {
    assert_eq!(request.parameter("$format"), Some("json"), "{request:?}");
    match request.path.as_str() {
        "/odata/v2/PerPerson"
            if request
                .parameter("$filter")
                .is_some_and(|text| text.contains(" ge ")) =>
        {
            Raw::json(200, &rows(people().split_off(4)))
        }
        "/odata/v2/PerPerson" if request.parameter("$filter").is_some() => {
            Raw::json(200, &of(people(), "personIdExternal", &named(request)))
        }
        "/odata/v2/PerPerson" => {
            assert_eq!(request.parameter("paging"), Some("snapshot"));
            let begin: usize = request
                .parameter("$skiptoken")
                .map_or(0, |token| token.trim_start_matches("eyJ").parse().unwrap());
            let all = people();
            let end = (begin + 2).min(all.len());
            let mut answer = rows(all[begin..end].to_vec());
            if end < all.len() {
                answer["d"]["__next"] = json!(format!(
                    "{base}/odata/v2/PerPerson?$format=json&paging=snapshot&$skiptoken=eyJ{end}"
                ));
            }
            Raw::json(200, &answer)
        }
        "/odata/v2/PerPersonal" => {
            assert_eq!(request.parameter("fromDate"), Some("2025-01-01"));
            Raw::json(200, &of(names(), "personIdExternal", &named(request)))
        }
        "/odata/v2/EmpJob" => {
            assert_eq!(request.parameter("toDate"), Some("9999-12-31"));
            Raw::json(200, &of(jobs(), "userId", &named(request)))
        }
        _ => Raw::json(404, &json!({"error": {"code": "COE_GENERAL_NOT_FOUND"}})),
    }
}

async fn company() -> Vendor {
    let base = Arc::new(Mutex::new(String::new()));
    let known = base.clone();
    let vendor = Vendor::start(move |request| {
        let proof = format!("Basic {}", STANDARD.encode("muster@NORDLYS:hush"));
        if request.authorization.as_deref() != Some(&proof) {
            return Raw::json(
                401,
                &json!({"error": {"code": "LGN0003", "message": {"value": "Kari"}}}),
            );
        }
        central(request, &known.lock().unwrap())
    })
    .await;
    *base.lock().unwrap() = origin(&vendor);
    vendor
}

fn record<'a>(records: &'a [SourceRecord], id: &str) -> &'a SourceRecord {
    records
        .iter()
        .find(|record| record.external_id.as_str() == id)
        .unwrap()
}

#[tokio::test]
async fn people_are_read_with_their_employments_today_and_later() {
    let vendor = company().await;
    let connector = basic(&vendor, &[("test_identities", "accept")]);
    let (evidence, records) = read(&*connector).await;
    assert_eq!(evidence.account.as_deref(), Some("NORDLYS"));
    assert_eq!(evidence.level, EvidenceLevel::Ended, "{evidence:?}");
    assert!(evidence.complete);
    assert_eq!((records.len(), evidence.pages), (5, 3));

    let kari = record(&records, "1001");
    assert_eq!((kari.whole, &kari.problems[..]), (true, &[][..]));
    assert!(kari.fields.value(Field::NationalId).is_some());
    assert_eq!(kari.revision, Some(1_717_200_000_000));
    for (field, text) in [
        (Field::GivenName, "Kari"),
        // Berg begins in June.
        (Field::FamilyName, "Hansen"),
        (Field::WorkEmail, "kari@nordlys.example"),
        (Field::PersonalEmail, "k@home.example"),
        (Field::Phone, "+4740000000"),
    ] {
        assert_eq!(kari.fields.text(field), Some(text), "{field}");
    }
    let [before, now] = kari.engagements().unwrap() else {
        panic!("two employments: {:?}", kari.engagements());
    };
    assert_eq!((before.id.as_str(), now.id.as_str()), ("u-1", "u-2"));
    assert_eq!(before.status.value(), Some(&EngagementStatus::Ended));
    assert_eq!(before.end_date.value().unwrap().to_string(), "2022-06-30");
    assert_eq!(now.status.value(), Some(&EngagementStatus::Active));
    assert_eq!(now.start_date.value().unwrap().to_string(), "2024-02-01");
    let today = now.terms_on(jiff::civil::date(2025, 1, 1));
    assert_eq!(today.job_title.value().unwrap(), "Developer");
    assert_eq!(today.department.value().unwrap(), "Sales");
    assert_eq!(today.location.value().unwrap(), "Oslo");
    assert_eq!(today.cost_centre.value().unwrap(), "CC300");
    assert_eq!(today.manager_external_id.value().unwrap(), "1000");
    assert_eq!(today.employment_type.value().unwrap(), "Permanent");
    assert_eq!(today.percentage.value().unwrap().hundredths(), 8000);
    let later = now.terms_on(jiff::civil::date(2025, 3, 1));
    assert_eq!(later.job_title.value().unwrap(), "Director");
    assert_eq!(later.department.value().unwrap(), "Board");
    assert_eq!(
        now.next_change_after(jiff::civil::date(2025, 1, 1))
            .unwrap(),
        jiff::civil::date(2025, 3, 1)
    );

    let ola = record(&records, "1002");
    assert_eq!(ola.fields.text(Field::FamilyName), Some("Nordmann"));
    let begins = &ola.engagements().unwrap()[0];
    assert!(begins.status.is_absent(), "no row holds today");
    assert_eq!(
        begins.status_on(jiff::civil::date(2025, 1, 1)),
        EngagementStatus::Future
    );
    let contractor = &record(&records, "1003").engagements().unwrap()[0];
    assert_eq!(contractor.kind, EngagementKind::Contractor);
    assert_eq!(contractor.status.value(), Some(&EngagementStatus::OnLeave));
    let left = &record(&records, "1004").engagements().unwrap()[0];
    assert_eq!(left.status.value(), Some(&EngagementStatus::Ended));
    assert_eq!(left.end_date.value().unwrap().to_string(), "2024-11-30");
    assert_eq!(
        record(&records, "1000").fields.text(Field::FamilyName),
        Some("Å'Berg 🙂")
    );
}

#[tokio::test]
async fn a_narrow_scope_asks_for_nothing_else() {
    let vendor = company().await;
    let scope = FieldScope::only([Field::DateOfBirth]);
    let (_, records) = read_of(&*basic(&vendor, &[]), scope).await;
    assert_eq!(records.len(), 5);
    let requests = vendor.requests();
    assert!(
        requests
            .iter()
            .all(|request| request.path.ends_with("/PerPerson")),
        "{requests:?}"
    );
    let chosen = requests[0].parameter("$select").unwrap();
    assert!(
        chosen.ends_with(",dateOfBirth") && !chosen.contains("emailNav"),
        "{chosen}"
    );
    assert_eq!(requests[0].parameter("$expand"), Some("employmentNav"));
}

/// Holds what was asked for against SAP's own names; how many were looked at.
fn known_names<'a>(asked: impl Iterator<Item = (&'a str, &'a str, &'a str)>) -> usize {
    let facts: Value = serde_json::from_str(FACTS).unwrap();
    let property =
        |entity: &str, name: &str| facts["entities"][entity]["properties"].get(name).is_some();
    let mut looked_at = 0;
    for (path, option, value) in asked {
        let entity = path.rsplit('/').next().unwrap();
        let own = [
            "$format",
            "$skiptoken",
            "paging",
            "customPageSize",
            "fromDate",
            "toDate",
        ];
        assert!(
            own.contains(&option)
                || facts["options"]
                    .as_array()
                    .unwrap()
                    .contains(&json!(option)),
            "{option}"
        );
        if option != "$select" {
            continue;
        }
        for path in value.split(',') {
            let (entity, name) = match path.split_once('/') {
                Some(("employmentNav" | "managerEmploymentNav", name)) => ("EmpEmployment", name),
                Some(_) => continue,
                None => (entity, path),
            };
            // Of the entities of Person Information, only what was published is known.
            if facts["entities"].get(entity).is_some() {
                assert!(property(entity, name), "{entity} has no {name}");
                looked_at += 1;
            }
        }
    }
    looked_at
}

#[tokio::test]
async fn every_name_asked_for_is_one_of_saps() {
    let vendor = company().await;
    read(&*basic(&vendor, &[])).await;
    let requests = vendor.requests();
    let asked = requests.iter().flat_map(|request| {
        let options = request.query.iter();
        options.map(|(option, value)| (request.path.as_str(), option.as_str(), value.as_str()))
    });
    let looked_at = known_names(asked);
    assert!(looked_at > 15, "{looked_at}");
}

/// A simulator that was written from SAP's articles, not from this connector.
#[tokio::test]
async fn the_simulator_is_read_by_a_signed_assertion_and_by_basic() {
    let company = support::company::company(40);
    let mut options = muster_sandbox::SandboxOptions::new(
        muster_sandbox::Vendor::SapSuccessFactors,
        company.clone(),
        support::company::other_company(),
        support::company::earlier(40),
        Arc::new(|| support::company::TODAY),
    );
    options.record = true;
    let sandbox = muster_sandbox::start(options, "127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    for authentication in ["saml_bearer", "basic"] {
        let mut settings = ConnectorSettings::new(TestClock::at("2025-06-01T12:00:00Z"))
            .base_url(sandbox.base_url())
            .set("authentication", authentication)
            .set("page_size", "7");
        for (name, secret) in sandbox.credentials() {
            settings = settings.secret(name, SecretString::from(secret));
        }
        for (name, value) in sandbox.settings() {
            settings = settings.set(name, value);
        }
        let connector = open("sap-successfactors", settings).unwrap();
        let request = ReadRequest::new(FieldScope::all(), support::company::TODAY).region("NO");
        let mut records = Vec::new();
        let evidence = connector.read(&request, &mut records).await.unwrap();
        assert!(evidence.complete, "{:?}", evidence.doubts);
        assert_eq!(records.len(), company.employees.len());
    }
    let exchanges = sandbox.exchanges();
    let options: Vec<(String, Vec<(String, String)>)> = exchanges
        .iter()
        .filter(|exchange| exchange.path.starts_with("/odata"))
        .map(|exchange| {
            assert_eq!(exchange.status, 200);
            let address = format!("http://x/?{}", exchange.query);
            let address = reqwest::Url::parse(&address).unwrap();
            (
                exchange.path.clone(),
                address.query_pairs().into_owned().collect(),
            )
        })
        .collect();
    let asked = options.iter().flat_map(|(path, options)| {
        let options = options.iter();
        options.map(|(option, value)| (path.as_str(), option.as_str(), value.as_str()))
    });
    let looked_at = known_names(asked);
    assert!(looked_at > 15, "{looked_at}");
}

#[tokio::test]
async fn published_answers_are_read() {
    let published: Value = serde_json::from_str(PUBLISHED).unwrap();
    let mut list = published["PerPerson"]["answer"].clone();
    // The published row of job information's employment is of the shape above.
    for row in list["d"]["results"].as_array_mut().unwrap() {
        let id = row["personIdExternal"].as_str().unwrap().to_owned();
        row["employmentNav"] = json!({"results": [employment(&id, &id, "2020-04-01", None)]});
    }
    let mut name = published["PerPersonal"]["row"].clone();
    name["personIdExternal"] = json!("test01");
    let vendor = Vendor::start(move |request| {
        Raw::json(
            200,
            &match request.path.as_str() {
                "/odata/v2/PerPerson" => list.clone(),
                "/odata/v2/PerPersonal" => rows(vec![name.clone()]),
                _ => rows(Vec::new()),
            },
        )
    })
    .await;
    let (evidence, records) = read(&*basic(&vendor, &[])).await;
    assert!(evidence.complete, "{evidence:?}");
    let told = &published["PerPerson"]["read_as"];
    for record in &records {
        let expected = &told[record.external_id.as_str()];
        let born = record.fields.value(Field::DateOfBirth).unwrap().to_json();
        assert_eq!(born, expected["dateOfBirth"]);
        let at: jiff::Timestamp = expected["lastModifiedDateTime"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(record.revision, Some(at.as_millisecond()));
        // Nothing is said of the job: the employment stays as its dates tell.
        assert!(record.whole, "{:?}", record.problems);
    }
    assert_eq!(records[0].fields.text(Field::FamilyName), Some("Lawson"));
    assert_eq!(records[1].fields.text(Field::FamilyName), None);
}

#[tokio::test]
async fn the_published_persons_without_employment_are_nobody_of_the_company() {
    let published: Value = serde_json::from_str(PUBLISHED).unwrap();
    let list = published["PerPerson"]["answer"].clone();
    let vendor = Vendor::start(move |_| Raw::json(200, &list)).await;
    let (_, records) = read(&*basic(&vendor, &[])).await;
    assert!(records.is_empty());
}

#[tokio::test]
async fn what_changed_since_is_asked_for_and_says_nothing_of_others() {
    let vendor = company().await;
    let connector = basic(&vendor, &[]);
    let since = "2024-12-31T09:00:00Z".parse().unwrap();
    let request = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1)).since(since);
    let mut records = Vec::new();
    let evidence = connector.read(&request, &mut records).await.unwrap();
    assert_eq!(evidence.changes_since, Some(since));
    let asked = vendor.requests()[0].clone();
    let filter = asked.parameter("$filter").unwrap();
    assert!(
        filter.starts_with(
            "lastModifiedDateTime ge datetimeoffset'2024-12-31T09:00:00Z' or personalInfoNav/"
        ) && filter.contains(" or employmentNav/jobInfoNav/lastModifiedDateTime ge "),
        "{filter}"
    );
}

#[tokio::test]
async fn many_are_asked_for_by_id_and_one_can_be_tried() {
    let vendor = company().await;
    let connector = basic(&vendor, &[]);
    let ids = ["1001", "99", "O'Hara"].map(ExternalId::new);
    let answers = connector.confirm(&ids).await.unwrap();
    assert_eq!(
        ids.each_ref().map(|id| answers[id]),
        [
            Confirmation::Present,
            Confirmation::NotThere,
            Confirmation::NotThere
        ]
    );
    assert_eq!(vendor.requests().len(), 1);
    let request = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1)).region("NO");
    let trial = connector.trial(&ids[0], &request).await.unwrap().unwrap();
    let family = trial
        .fields
        .iter()
        .find(|field| field.field == "family_name")
        .unwrap();
    assert_eq!(
        family.found,
        [("personal:/lastName".to_owned(), json!("Hansen"))]
    );
    assert!(connector.trial(&ids[1], &request).await.unwrap().is_none());
}

#[tokio::test]
async fn a_job_that_cannot_be_read_ends_nobody() {
    let vendor = Vendor::start(|request| match request.path.as_str() {
        "/odata/v2/EmpJob" => Raw::new(500, &[], ""),
        _ => central(request, ""),
    })
    .await;
    let (_, records) = read(&*basic(&vendor, &[("page_size", "1000")])).await;
    assert!(records.iter().all(|record| !record.whole));
}

#[tokio::test]
async fn a_refusal_has_code_place_and_advice_and_repeats_nobodys_data() {
    for (status, code, wanted) in [
        (400, "COE_GENERAL_BADREQUEST", "sap-successfactors.refused"),
        (403, "COE0021", "sap-successfactors.forbidden"),
        (403, "LGN0022", "sap-successfactors.unauthorized"),
        (401, "LGN0003", "sap-successfactors.unauthorized"),
    ] {
        let answer =
            json!({"error": {"code": code, "message": {"lang": "en-US", "value": "Kari Hansen"}}});
        let vendor = Vendor::start(move |_| Raw::json(status, &answer)).await;
        let request = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1));
        let error = basic(&vendor, &[])
            .read(&request, &mut Vec::new())
            .await
            .err()
            .unwrap();
        assert_eq!(error.code(), wanted);
        let text = error.to_string();
        assert!(
            text.contains(code) && !text.contains("Kari") && !text.contains("hush"),
            "{text}"
        );
    }
}

/// A signed assertion, and how it verifies without any code of ours: `None` where
/// Python or OpenSSL is missing.
fn verified(assertion: &str, public: &str) -> Option<Result<String, String>> {
    let folder = std::env::temp_dir().join(format!("muster-saml-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let key = folder.join(format!("{}.pem", assertion.len()));
    std::fs::write(&key, public).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/saml/verify.py");
    Command::new("openssl").arg("version").output().ok()?;
    let mut child = Command::new("python3")
        .arg(script)
        .arg(&key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    child
        .stdin
        .take()
        .unwrap()
        .write_all(assertion.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    })
}

fn pem(kind: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
        lines.join("\n")
    )
}

#[tokio::test]
async fn the_assertion_is_signed_so_that_others_verify_it() {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let forms = Arc::new(Mutex::new(Vec::new()));
    let seen = forms.clone();
    let vendor = Vendor::start(move |request| {
        if request.path == "/oauth/token" {
            seen.lock().unwrap().push(request.body.clone());
            return Raw::json(
                200,
                &json!({"access_token": "t-1", "token_type": "Bearer", "expires_in": 86400}),
            );
        }
        assert_eq!(request.authorization.as_deref(), Some("Bearer t-1"));
        central(request, "")
    })
    .await;
    let settings = ConnectorSettings::new(TestClock::at(NOON))
        .base_url(origin(&vendor))
        .secret("api_key", SecretString::from("key&<1>"))
        .secret(
            "private_key",
            SecretString::from(pem("PRIVATE KEY", private.as_ref())),
        )
        .set("company_id", "NORDLYS")
        .set("user_id", "sfapi <å> & \"co\"")
        .set("page_size", "1000");
    let connector = open("sap-successfactors", settings).unwrap();
    let request = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1));
    // Only the first page is there: the token is what matters here.
    let _ = connector.read(&request, &mut Vec::new()).await.unwrap();
    let forms = forms.lock().unwrap().clone();
    assert_eq!(forms.len(), 1, "one token for all requests");
    let form: Vec<(String, String)> = reqwest::Url::parse(&format!("http://x/?{}", forms[0]))
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect();
    let field = |name: &str| &form.iter().find(|(known, _)| known == name).unwrap().1;
    assert_eq!(
        field("grant_type"),
        "urn:ietf:params:oauth:grant-type:saml2-bearer"
    );
    assert_eq!(field("company_id"), "NORDLYS");
    assert_eq!(field("client_id"), "key&<1>");
    let public = pem("PUBLIC KEY", public.as_ref());
    let Some(verified_as) = verified(field("assertion"), &public) else {
        println!("not run: python3 or openssl is missing");
        return;
    };
    let told = verified_as.unwrap();
    let recipient = format!("recipient={}/oauth/token", origin(&vendor));
    assert_eq!(
        told.lines().collect::<Vec<_>>(),
        [
            "issuer=www.successfactors.com",
            "subject=sfapi <å> & \"co\"",
            "format=urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
            recipient.as_str(),
            "audience=www.successfactors.com",
            "from=2025-01-01T12:00:00Z",
            "until=2025-01-01T12:10:00Z",
            "api_key=key&<1>",
        ]
    );
    // The verifier tells a changed assertion: it could fail.
    let text = String::from_utf8(STANDARD.decode(field("assertion")).unwrap()).unwrap();
    for (from, to) in [
        ("sfapi", "admin"),
        ("xml-exc-c14n#\"></ds:C", "xml-exc-c14n#\"> </ds:C"),
    ] {
        assert!(text.contains(from));
        let changed = STANDARD.encode(text.replacen(from, to, 1));
        assert!(verified(&changed, &public).unwrap().is_err(), "{from}");
    }
}
