//! Rows of Tripletex as the vendor was recorded to send them, rows cut short,
//! and what they have always become: the golden records.
//!
//! `MUSTER_UPDATE_GOLDEN=1` writes the golden file anew; its difference is what
//! every customer's next sync brings.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests and their helpers

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use jiff::civil::date;
use muster_connect::{ConnectorSettings, FieldScope, ReadRequest, open};
use muster_model::{DigestKey, Field, SourceRecord};
use muster_sandbox::company::{DEFAULT_YEAR_START, Rehearsal, RehearsalSpec};
use muster_sandbox::{SandboxOptions, Vendor as SandboxVendor, start};
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use support::{Raw, Request, TestClock, Vendor, Waits, settings};

const TODAY: jiff::civil::Date = date(2025, 6, 1);
const GOLDEN: &str = "tests/golden/tripletex.json";

/// The shape of an answer recorded against the vendor's test environment
/// (`fields=*`, published by a third party); the person is made up.
fn recorded() -> Json {
    json!({
        "id": 4_210_001, "version": 1, "url": "tripletex.no/v2/employee/4210001",
        "firstName": "Kari", "lastName": "Ødegård", "displayName": "Kari Ødegård",
        "employeeNumber": "", "dateOfBirth": null, "email": "kari.odegard@nordlys.example",
        "phoneNumberMobileCountry": {"id": 161, "url": "tripletex.no/v2/country/161"},
        "phoneNumberMobile": "", "phoneNumberHome": "", "phoneNumberWork": "",
        "nationalIdentityNumber": "", "dnumber": "",
        "internationalId": {"intAmeldingType": null, "country": null, "number": ""},
        "bankAccountNumber": "", "iban": "", "bic": "", "creditorBankCountryId": 0,
        "usesAbroadPayment": false, "userType": null, "allowInformationRegistration": true,
        "isContact": false, "isProxy": false, "comments": "", "address": null,
        "department": {"id": 501, "url": "tripletex.no/v2/department/501"},
        "employments": [{"id": 77001, "url": "tripletex.no/v2/employee/employment/77001"}],
        "holidayAllowanceEarned": {"year": 0, "amount": 0, "basis": 0, "amountExtraHolidayWeek": 0},
        "employeeCategory": null, "isAuthProjectOverviewURL": true, "pictureId": 0,
        "companyId": 93_000_001, "vismaConnect2FAactive": false
    })
}

fn full() -> Json {
    json!({
        "id": 4_210_002, "version": 3, "isContact": false, "isProxy": false,
        "employeeNumber": "1042", "firstName": "Åse", "lastName": "Hansen",
        "displayName": "Åse Hansen", "email": "ase@nordlys.example",
        "phoneNumberMobile": "400 00 000", "phoneNumberMobileCountry": {"isoAlpha2Code": "NO"},
        "phoneNumberWork": "", "phoneNumberHome": "",
        "dateOfBirth": "1990-05-17",
        "nationalIdentityNumber": "", "dnumber": "",
        "internationalId": {
            "intAmeldingType": "NATIONAL_INSURANCE_NO", "number": "44051401359",
            "country": {"isoAlpha2Code": "PL"}
        },
        "bankAccountNumber": "8601.11.17947", "iban": "",
        "department": {"id": 501, "name": "Salg"},
        "address": {
            "addressLine1": "Storgata 1", "addressLine2": "", "postalCode": "0155",
            "city": "Oslo", "country": {"isoAlpha2Code": "NO"}
        },
        "employments": employments(),
    })
}

/// One running employment with a change to come, and an earlier contract.
fn employments() -> Json {
    json!(
        [
            {
                "id": 2, "startDate": "2024-02-01", "endDate": null, "employmentEndReason": null,
                "noEmploymentRelationship": false, "division": {"id": 9, "name": "Oslo sentrum"},
                "employmentDetails": [
                    {"id": 22, "date": "2025-09-01", "employmentType": "ORDINARY",
                     "employmentForm": "PERMANENT", "percentageOfFullTimeEquivalent": 100.0,
                     "occupationCode": {"id": 5, "nameNO": "SALGSSJEF"}},
                    {"id": 21, "date": "2024-02-01", "employmentType": "ORDINARY",
                     "employmentForm": "TEMPORARY", "percentageOfFullTimeEquivalent": 37.5,
                     "occupationCode": {"id": 4, "nameNO": "SELGER"}}
                ]
            },
            {
                "id": 1, "startDate": "2023-01-01", "endDate": "2023-12-31",
                "employmentEndReason": "EMPLOYMENT_END_EXPIRED", "noEmploymentRelationship": false,
                "division": null,
                "employmentDetails": [
                    {"id": 11, "date": "2023-01-01", "employmentType": "FREELANCE",
                     "employmentForm": "NOT_CHOSEN", "percentageOfFullTimeEquivalent": 0,
                     "occupationCode": null}
                ]
            }
        ]
    )
}

/// The full row with one place changed.
fn with(pointer: &str, value: Json) -> Json {
    let mut row = full();
    match row.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => panic!("there is no {pointer}"),
    }
    row
}

/// Rows by what is special about them.
fn rows() -> BTreeMap<&'static str, Json> {
    let without = |name: &str| {
        let mut row = full();
        row.as_object_mut().unwrap().remove(name);
        row
    };
    BTreeMap::from([
        ("recorded", recorded()),
        ("full", full()),
        (
            "a Norwegian number",
            with("/nationalIdentityNumber", json!("15876500016")),
        ),
        ("a D-number", with("/dnumber", json!("44051401359"))),
        (
            "a passport",
            with("/internationalId/intAmeldingType", json!("PASSPORT_NO")),
        ),
        (
            "a VAT number",
            with(
                "/internationalId/intAmeldingType",
                json!("VALUE_ADDED_TAX_IDENTIFICATION_NO"),
            ),
        ),
        (
            "a foreign number without country",
            with("/internationalId/country", json!(null)),
        ),
        ("no foreign number", with("/internationalId", json!(null))),
        (
            "a foreign number without kind",
            with("/internationalId/intAmeldingType", json!(null)),
        ),
        (
            "a Swedish mobile",
            with("/phoneNumberMobileCountry", json!({"isoAlpha2Code": "SE"})),
        ),
        ("a work number", {
            let mut row = with("/phoneNumberMobile", json!(" "));
            row["phoneNumberMobileCountry"] = json!({"isoAlpha2Code": "SE"});
            row["phoneNumberWork"] = json!("22 00 00 00");
            row["phoneNumberHome"] = json!("23 00 00 00");
            row
        }),
        ("a home number", {
            let mut row = with("/phoneNumberMobile", json!(null));
            row["phoneNumberHome"] = json!("23 00 00 00");
            row
        }),
        (
            "an impossible number",
            with("/phoneNumberMobile", json!("12")),
        ),
        ("an IBAN", {
            let mut row = with("/bankAccountNumber", json!(""));
            row["iban"] = json!("NO93 8601 1117 947");
            row
        }),
        (
            "a wrong account",
            with("/bankAccountNumber", json!("86011117948")),
        ),
        ("a manager of herself", with("/department/id", json!(502))),
        (
            "a department without manager",
            with("/department/id", json!(503)),
        ),
        (
            "a department whose manager is nobody",
            with("/department/id", json!(504)),
        ),
        ("no department", with("/department", json!(null))),
        ("a wrong address", with("/email", json!("ase"))),
        ("an emoji", with("/firstName", json!("Åse 🙂"))),
        ("a first name as list", with("/firstName", json!(["Åse"]))),
        (
            "an address without country",
            with("/address/country", json!(null)),
        ),
        (
            "an address of unknown country",
            with("/address/country/isoAlpha2Code", json!("X1")),
        ),
        ("born in 2090", with("/dateOfBirth", json!("2090-05-17"))),
        ("no employment", with("/employments", json!([]))),
        ("employments null", with("/employments", json!(null))),
        ("without employments", without("employments")),
        (
            "without a mobile country",
            without("phoneNumberMobileCountry"),
        ),
        ("without international id", without("internationalId")),
        ("without an address", without("address")),
        (
            "a last day that is blank",
            with("/employments/0/endDate", json!(" ")),
        ),
        (
            "a last day that is none",
            with("/employments/0/endDate", json!("31.12.2024")),
        ),
        (
            "a last day to come",
            with("/employments/0/endDate", json!("2025-12-31")),
        ),
        (
            "a first day that is none",
            with("/employments/0/startDate", json!("x")),
        ),
        (
            "no first day",
            with("/employments/0/startDate", json!(null)),
        ),
        (
            "details as references",
            with("/employments/0/employmentDetails", json!([{"id": 21}])),
        ),
        (
            "details null",
            with("/employments/0/employmentDetails", json!(null)),
        ),
        (
            "no details",
            with("/employments/0/employmentDetails", json!([])),
        ),
        (
            "no employment relationship",
            with("/employments/0/noEmploymentRelationship", json!(true)),
        ),
        (
            "freelance in one of two",
            with(
                "/employments/0/employmentDetails/0/employmentType",
                json!("FREELANCE"),
            ),
        ),
        (
            "type not chosen",
            with(
                "/employments/1/employmentDetails/0/employmentType",
                json!("NOT_CHOSEN"),
            ),
        ),
        (
            "a form not chosen",
            with(
                "/employments/0/employmentDetails/1/employmentForm",
                json!("NOT_CHOSEN"),
            ),
        ),
        (
            "a hundred and one percent",
            with(
                "/employments/0/employmentDetails/1/percentageOfFullTimeEquivalent",
                json!(101),
            ),
        ),
    ])
}

/// A vendor with these rows.
async fn vendor(rows: Vec<Json>) -> Vendor {
    Vendor::start(move |request| answer(request, &rows)).await
}

fn answer(request: &Request, rows: &[Json]) -> Raw {
    let list = |rows: &[Json]| {
        let rows: Vec<&Json> = rows.iter().skip(request.number("from")).collect();
        let rows: Vec<&Json> = rows.into_iter().take(request.number("count")).collect();
        Raw::json(
            200,
            &json!({"from": request.number("from"), "count": rows.len(), "values": rows}),
        )
    };
    match request.path.as_str() {
        "/v2/token/session/:create" => Raw::json(201, &json!({"value": {"token": "hush"}})),
        "/v2/token/session/>whoAmI" => Raw::json(200, &json!({"value": {"companyId": 93_000_001}})),
        "/v2/employee/entitlement" => list(&[]),
        "/v2/department" => list(&[
            json!({"id": 501, "departmentManager": {"id": 10}}),
            json!({"id": 502, "departmentManager": {"id": 4_210_002}}),
            json!({"id": 503, "departmentManager": null}),
            json!({"id": 504, "departmentManager": {"id": 0}}),
        ]),
        _ => list(rows),
    }
}

async fn read_in(vendor: &Vendor, scope: FieldScope) -> Vec<SourceRecord> {
    let clock = TestClock::at("2025-06-01T12:00:00Z");
    let entered = settings(&vendor.base_url, clock, Arc::new(Waits::default()))
        .set("test_identities", "accept");
    let connector = open("tripletex", entered).unwrap();
    let request = ReadRequest::new(scope, TODAY).region("NO");
    let mut records = Vec::new();
    connector.read(&request, &mut records).await.unwrap();
    records
}

async fn read(scope: FieldScope, row: &Json) -> SourceRecord {
    let vendor = vendor(vec![row.clone()]).await;
    read_in(&vendor, scope).await.remove(0)
}

/// The leaves of a selection, in no order: `a,b(c,d)` names a, b/c and b/d.
fn leaves(selection: &str) -> BTreeSet<String> {
    let (mut leaves, mut around, mut name) = (BTreeSet::new(), Vec::new(), String::new());
    for letter in selection.chars().chain([',']) {
        match letter {
            '(' => around.push(std::mem::take(&mut name)),
            ',' | ')' => {
                if !name.is_empty() {
                    let mut path = around.clone();
                    path.push(std::mem::take(&mut name));
                    leaves.insert(path.join("/"));
                }
                if letter == ')' {
                    around.pop();
                }
            }
            letter => name.push(letter),
        }
    }
    leaves
}

/// What is compared of a record: all of it but the vendor's words.
fn told(record: &SourceRecord) -> Json {
    let mut told = serde_json::to_value(record).unwrap();
    told.as_object_mut().unwrap().remove("raw");
    told["fields"] = Json::Object(record.fields.to_json());
    told
}

#[tokio::test]
async fn every_row_becomes_the_record_that_it_always_became() {
    let mut made = serde_json::Map::new();
    let mut records = serde_json::Map::new();
    for (name, row) in rows() {
        records.insert(name.to_owned(), told(&read(FieldScope::all(), &row).await));
    }
    made.insert("records".to_owned(), Json::Object(records));
    // What each field alone asks for, and becomes.
    let mut alone = serde_json::Map::new();
    for field in Field::ALL {
        let vendor = vendor(vec![full()]).await;
        let record = read_in(&vendor, FieldScope::only([field])).await.remove(0);
        let asked = vendor.requests_to("/employee");
        let asked = leaves(asked[0].parameter("fields").unwrap());
        let managers = !vendor.requests_to("/department").is_empty();
        let said = json!({"asked": asked, "departments": managers, "record": told(&record)});
        alone.insert(field.name().to_owned(), said);
    }
    made.insert("alone".to_owned(), Json::Object(alone));
    made.insert("firm".to_owned(), firm().await);
    let made = Json::Object(made);
    if std::env::var_os("MUSTER_UPDATE_GOLDEN").is_some() {
        let text = serde_json::to_string_pretty(&made).unwrap() + "\n";
        std::fs::write(GOLDEN, text).unwrap();
    }
    let golden: Json = serde_json::from_str(&std::fs::read_to_string(GOLDEN).unwrap()).unwrap();
    for part in ["records", "alone", "firm"] {
        let (was, is) = (golden[part].as_object(), made[part].as_object());
        let (was, is) = (was.unwrap(), is.unwrap());
        assert!(was.keys().eq(is.keys()), "{part}");
        for (name, was) in was {
            let mut is = is[name].clone();
            if part == "alone" {
                // Nothing more is asked for than ever was; an id less makes no difference.
                let set = |of: &Json| -> BTreeSet<String> {
                    serde_json::from_value(of["asked"].clone()).unwrap()
                };
                assert!(set(&is).is_subset(&set(was)), "{name}: {:?}", set(&is));
                is["asked"] = was["asked"].clone();
            }
            assert_eq!(&is, was, "{part}: {name}");
        }
    }
}

/// Digests of a rehearsal firm's records, by id.
async fn firm() -> Json {
    let spec = |people, seed| RehearsalSpec {
        people,
        seed,
        year_start: DEFAULT_YEAR_START,
    };
    let firm = Rehearsal::new(spec(250, 7)).unwrap();
    let other = Rehearsal::new(spec(5, 8)).unwrap();
    let options = SandboxOptions::new(
        SandboxVendor::Tripletex,
        firm.on_day(40),
        other.on_day(0),
        firm.on_day(0),
        Arc::new(|| DEFAULT_YEAR_START),
    );
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let sandbox = start(options, listen).await.unwrap();
    let clock = TestClock::at("2025-06-01T12:00:00Z");
    let mut entered = ConnectorSettings::new(clock)
        .base_url(sandbox.base_url())
        .set("test_identities", "accept");
    for (name, secret) in sandbox.credentials() {
        entered = entered.secret(name, SecretString::from(secret));
    }
    let connector = open("tripletex", entered).unwrap();
    let request = ReadRequest::new(FieldScope::all(), DEFAULT_YEAR_START).region("NO");
    let mut records = Vec::new();
    let evidence = connector.read(&request, &mut records).await.unwrap();
    assert!(evidence.complete);
    sandbox.stop().await;
    let key = DigestKey::new([7; 32]);
    Json::Object(
        (records.iter())
            .map(|one| {
                let digest = Json::String(one.digest(&key).to_hex());
                (one.external_id.to_string(), digest)
            })
            .collect(),
    )
}

#[tokio::test]
async fn nothing_in_a_row_can_crash_the_reader() {
    let strange = [
        json!(null),
        json!(true),
        json!(-1),
        json!("x"),
        json!([[]]),
        json!({"a": {}}),
    ];
    let properties = full().as_object().unwrap().clone();
    let mut rows = Vec::new();
    for name in properties.keys().filter(|name| *name != "id") {
        for value in &strange {
            let mut row = full();
            row[name] = value.clone();
            rows.push(row);
        }
    }
    let named = rows.len();
    for value in &strange {
        let mut row = full();
        row["employments"] = json!([value]);
        rows.push(row);
        rows.push(with("/employments/0/employmentDetails", json!([value])));
    }
    for (number, row) in rows.iter_mut().enumerate() {
        row["id"] = json!(5_000_000 + number);
    }
    let vendor = vendor(rows).await;
    let records = read_in(&vendor, FieldScope::all()).await;
    // Two of them say that they are contacts or proxies.
    assert_eq!(records.len(), named + 2 * strange.len() - 2);
    for record in records.iter().skip(named - 2) {
        assert!(!record.whole, "{record:?}");
    }
}

#[tokio::test]
async fn only_what_is_in_scope_is_kept_even_if_more_is_sent() {
    let record = read(FieldScope::only([Field::WorkEmail]), &full()).await;
    assert_eq!(
        Json::Object(record.fields.to_json()),
        json!({"work_email": "ase@nordlys.example"})
    );
}

#[tokio::test]
async fn no_selection_names_pay() {
    let vendor = vendor(vec![full()]).await;
    read_in(&vendor, FieldScope::all()).await;
    let asked = vendor.requests_to("/employee");
    let selection = asked[0].parameter("fields").unwrap().to_lowercase();
    for word in ["salary", "wage", "comments", "holiday"] {
        assert!(!selection.contains(word), "{word} in {selection}");
    }
}
