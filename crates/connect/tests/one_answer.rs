//! Lists that are one answer, read row by row over real HTTP: in JSON and in XML, larger
//! than any answer that is held whole, broken, refused, and judged by rules of manifests.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use muster_connect::{
    ConnectError, Connector, ConnectorSettings, FieldScope, ReadRequest, install, open,
};
use muster_model::{DoubtKind, Evidence, EvidenceLevel, Field, SourceRecord};
use secrecy::SecretString;
use serde_json::{Value, json};
use support::{Raw, TestClock, Vendor, Waits};

const FORMS: [&str; 3] = ["json", "simplexml", "xml"];

fn settings(vendor: &Vendor) -> ConnectorSettings {
    ConnectorSettings::new(TestClock::at("2025-01-01T12:00:00Z"))
        .base_url(vendor.base_url.trim_end_matches("/v2"))
        .pause(Arc::new(Waits::default()))
}

fn report(vendor: &Vendor, form: &str) -> Box<dyn Connector> {
    let settings = settings(vendor)
        .secret("password", SecretString::from("hush"))
        .set("tenant", "nordlys")
        .set("username", "ISU_Muster")
        .set("report_owner", "lmcneil")
        .set("report_name", "All_Workers")
        .set("format", form);
    open("workday", settings).unwrap()
}

fn request() -> ReadRequest {
    ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1))
}

async fn read(connector: &dyn Connector) -> (Result<Evidence, ConnectError>, Vec<SourceRecord>) {
    let mut records = Vec::new();
    let evidence = connector.read(&request(), &mut records).await;
    (evidence, records)
}

/// A report of so many people, each with a note of so many letters.
fn body(form: &str, people: usize, note: usize) -> String {
    let note = "n".repeat(note);
    let rows = (1..=people).map(|id| match form {
        "json" => {
            let row = json!({"Employee_ID": id.to_string(), "First_Name": format!("Åse{id} 🙂"), "Note": note});
            format!("{}{row}", if id == 1 { "" } else { "," })
        }
        _ => format!(
            "<wd:Report_Entry>\n  <wd:Employee_ID>{id}</wd:Employee_ID><wd:First_Name>Åse{id} &amp; 🙂</wd:First_Name>\
             <wd:Note>{note}</wd:Note></wd:Report_Entry>\n"
        ),
    });
    let rows: String = rows.collect();
    match form {
        "json" => format!("{{\"Report_Entry\":[{rows}]}}"),
        _ => format!(
            "<?xml version='1.0' encoding='UTF-8'?>\n\
             <wd:Report_Data xmlns:wd=\"urn:com.workday.report/All_Workers\">{rows}</wd:Report_Data>"
        ),
    }
}

#[tokio::test]
async fn a_report_larger_than_an_answer_that_is_held_whole_is_read_in_every_form() {
    for form in FORMS {
        let whole = body(form, 700, 100_000);
        assert!(whole.len() > 65 * 1024 * 1024);
        let vendor = Vendor::start(move |_| Raw::new(200, &[], &whole)).await;
        let connector = report(&vendor, form);
        let (evidence, records) = read(&*connector).await;
        let evidence = evidence.unwrap();
        assert_eq!((evidence.read, records.len()), (700, 700));
        assert_eq!(evidence.level, EvidenceLevel::Whole);
        assert_eq!(evidence.doubts, []);
        let name = records[699].fields.text(Field::GivenName).unwrap();
        assert!(name.starts_with("Åse700") && name.ends_with('🙂'), "{name}");
        assert_eq!(vendor.requests().len(), 1);
        // One person is found in it as well, and nobody who is not there.
        let found = connector.trial(&"700".into(), &request()).await.unwrap();
        assert_eq!(found.unwrap().external_id, "700");
        assert!(
            connector
                .trial(&"701".into(), &request())
                .await
                .unwrap()
                .is_none()
        );
    }
}

#[tokio::test]
async fn a_report_that_breaks_is_asked_for_again_and_nobody_comes_twice() {
    for form in FORMS {
        let asked = AtomicUsize::new(0);
        let vendor = Vendor::start(move |_| {
            let whole = body(form, 1_700, 10);
            let cut = whole.len() / 2 + 31 * asked.load(Ordering::SeqCst);
            let cut = (0..=cut)
                .rev()
                .find(|at| whole.is_char_boundary(*at))
                .unwrap();
            match asked.fetch_add(1, Ordering::SeqCst) {
                // The transport sees that the body was cut.
                0 => Raw::with_length(200, &[], &whole[..cut], whole.len()),
                // It does not.
                1 => Raw::new(200, &[], &whole[..cut]),
                _ => Raw::new(200, &[], &whole),
            }
        })
        .await;
        let (evidence, records) = read(&*report(&vendor, form)).await;
        let evidence = evidence.unwrap();
        assert_eq!((evidence.read, records.len()), (1_700, 1_700), "{form}");
        assert_eq!(evidence.doubts, []);
        assert_eq!(evidence.level, EvidenceLevel::Whole);
        assert_eq!(vendor.requests().len(), 3);
    }
}

#[tokio::test]
async fn a_report_that_breaks_for_good_proves_nothing_of_those_behind() {
    for form in FORMS {
        let whole = body(form, 1_700, 10);
        let vendor = Vendor::start(move |_| {
            let cut = (0..=whole.len() / 2)
                .rev()
                .find(|at| whole.is_char_boundary(*at));
            Raw::new(200, &[], &whole[..cut.unwrap()])
        })
        .await;
        let connector = report(&vendor, form);
        let (evidence, records) = read(&*connector).await;
        let evidence = evidence.unwrap();
        assert!(!records.is_empty() && records.len() < 1_700, "{form}");
        assert_eq!(evidence.level, EvidenceLevel::None);
        assert_eq!(evidence.doubts[0].kind, DoubtKind::PageFailed);
        assert!(evidence.doubts[0].detail.contains("http.truncated_body"));
        assert_eq!(vendor.requests().len(), 5);
        let error = connector
            .trial(&"1700".into(), &request())
            .await
            .unwrap_err();
        assert_eq!(error.code(), "http.truncated_body", "{form}");
    }
}

#[tokio::test]
async fn another_page_in_the_place_of_a_report_is_no_report_of_nobody() {
    for form in FORMS {
        for (body, code) in [
            ("<html><body>Sign in</body></html>", "workday.bad_setting"),
            (
                "<wd:Maintenance xmlns:wd=\"urn:x\"><wd:Until>9:00</wd:Until></wd:Maintenance>",
                "workday.bad_setting",
            ),
            (
                "<Envelope><Report_Data><Report_Entry><Employee_ID>1</Employee_ID></Report_Entry></Report_Data></Envelope>",
                "workday.bad_setting",
            ),
            ("{\"error\": \"invalid\"}", "workday.bad_setting"),
            (
                "{\"data\": {\"Report_Entry\": [{\"Employee_ID\": \"1\"}]}}",
                "workday.bad_setting",
            ),
            ("[{\"Employee_ID\": \"1\"}]", "workday.bad_setting"),
            (
                "<!DOCTYPE html><html><body>Sign in</body></html>",
                "http.not_xml",
            ),
            ("Under maintenance", "http.not_xml"),
            ("<html><br></html>", "http.not_xml"),
            ("", "http.truncated_body"),
        ] {
            let vendor = Vendor::start(move |_| Raw::new(200, &[], body)).await;
            let connector = report(&vendor, form);
            let (evidence, records) = read(&*connector).await;
            assert_eq!(evidence.unwrap_err().code(), code, "{form}: {body}");
            assert_eq!(records, [], "{form}: {body}");
            let error = connector.trial(&"1".into(), &request()).await.unwrap_err();
            assert_eq!(error.code(), code, "{form}: {body}");
        }
        // And one of nobody is one.
        let empty = match form {
            "json" => "{\"Report_Entry\": []}",
            _ => "<wd:Report_Data xmlns:wd=\"urn:com.workday.report/All_Workers\"/>",
        };
        let vendor = Vendor::start(move |_| Raw::new(200, &[], empty)).await;
        let (evidence, records) = read(&*report(&vendor, form)).await;
        assert!(evidence.unwrap().has(DoubtKind::Empty), "{form}");
        assert_eq!(records, []);
    }
}

/// A manifest of a list that is one answer, with a rule of its errors.
fn own(name: &str, rule: &str) -> String {
    format!(
        r#"name = "{name}"
title = "Nordlys HR"
summary = "An HR system that does not exist."
version = 1
confidence = "unverified"
account = "the host"
record_id_survives_rehire = true
read_by_id = "no"
dates = "civil dates"
administrator = ["Make a key."]
evidence = {{ level = "whole", end = "one answer" }}
leaver = {{ shows = "absent", how = "the record is missing" }}
base_urls = [{{ title = "Production", url = "https://hr.nordlys.example" }}]
company = {{ id = "{{host}}" }}
secrets = [{{ name = "key", meaning = "The key." }}]
errors.code = ["/error/code"]

[[authentication]]
bearer = {{ token = "{{secret.key}}" }}

[[people]]
request = {{ path = "/people" }}
rows = "/data/people"
id = "/id"
paging = {{ none = {{}} }}

[fields]
given_name = "/name"

[[errors.rules]]
{rule}
"#
    )
}

/// Reads these bodies, one after the other and the last from then on, with a rule.
async fn judged(
    name: &str,
    rule: &str,
    bodies: Vec<Value>,
) -> (Result<Evidence, ConnectError>, usize, usize) {
    let folder = std::env::temp_dir().join(format!("muster-{name}-{}", std::process::id()));
    std::fs::create_dir_all(folder.join(name)).unwrap();
    std::fs::write(folder.join(name).join("manifest.toml"), own(name, rule)).unwrap();
    let installed = install(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(installed.map_err(|error| error.to_string()), Ok(1));
    let answers = bodies.iter().map(|body| Raw::json(200, body)).collect();
    let vendor = Vendor::scripted(answers).await;
    let entered = settings(&vendor).secret("key", SecretString::from("hush"));
    let (evidence, records) = read(&*open(name, entered).unwrap()).await;
    (evidence, records.len(), vendor.requests().len())
}

fn people() -> Value {
    json!({"data": {"people": [{"id": 1, "name": "Åse"}, {"id": 2, "name": "Bo"}], "count": 2}})
}

#[tokio::test]
async fn what_stands_beside_the_rows_is_judged_when_they_have_come() {
    const RULE: &str =
        "when = \"answer.data.count == 3\"\nmeans = \"settings\"\nsay = \"it counts three\"";
    let (evidence, records, _) = judged("t-beside", RULE, vec![people()]).await;
    assert!(evidence.is_ok_and(|evidence| evidence.complete) && records == 2);
}

#[tokio::test]
async fn an_answer_that_is_refused_beside_its_rows_is_refused() {
    const RULE: &str = "status = 200\nwhen = \"'error' in answer\"\nmeans = \"settings\"";
    let mut refused = people();
    refused["error"] = json!({"code": "E-7"});
    let (evidence, _, asked) = judged("t-refused", RULE, vec![refused]).await;
    let error = evidence.unwrap_err();
    assert_eq!((error.code(), asked), ("t-refused.bad_setting", 1));
    assert!(error.to_string().contains("E-7"), "{error}");
}

#[tokio::test]
async fn a_rule_that_looks_at_the_rows_is_asked_before_any_is_taken() {
    const RULE: &str =
        "when = \"answer.data.people.exists(one, one.name == 'Bo')\"\nmeans = \"refused\"";
    let (evidence, records, _) = judged("t-rows", RULE, vec![people()]).await;
    assert_eq!(
        (evidence.unwrap_err().code(), records),
        ("t-rows.refused", 0)
    );
}

#[tokio::test]
async fn a_rule_that_means_to_ask_again_is_asked_before_any_is_taken() {
    const RULE: &str = "when = \"answer.busy == true\"\nmeans = \"throttled\"";
    let (evidence, records, asked) =
        judged("t-again", RULE, vec![json!({"busy": true}), people()]).await;
    assert!(evidence.is_ok_and(|evidence| evidence.complete));
    assert_eq!((records, asked), (2, 2));
}
