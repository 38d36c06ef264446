//! Nothing personal and no secret in any trace or error, whatever happens.

#![allow(clippy::unwrap_used)] // tests and their helpers

mod support;

use std::io;
use std::sync::{Arc, Mutex};

use muster_connect::{FieldScope, ReadRequest, open};
use serde_json::{Value, json};
use support::{CONSUMER_TOKEN, EMPLOYEE_TOKEN, Raw, TestClock, Vendor, Waits, settings};
use tracing_subscriber::fmt::MakeWriter;

const SESSION: &str = "session-hush-3";
/// Stands in every text of the vendor, whatever it is for.
const CANARY: &str = "Kanarifugl";

/// Keeps what is traced.
#[derive(Clone, Default)]
struct Traces(Arc<Mutex<Vec<u8>>>);

impl Traces {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Traces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Traces {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn row() -> Value {
    json!({"id": 1, "version": 1, "firstName": CANARY, "lastName": CANARY,
        "email": CANARY, "phoneNumberMobile": CANARY, "dateOfBirth": CANARY,
        "nationalIdentityNumber": CANARY, "bankAccountNumber": CANARY,
        "employments": [{"id": 2, "startDate": CANARY, "endDate": CANARY}]})
}

fn list(rows: &[Value]) -> Value {
    json!({"fullResultSize": 9, "from": 0, "count": rows.len(), "versionDigest": CANARY,
        "values": rows})
}

/// A refusal that says the canary wherever a body can say something.
fn refusal(status: u16) -> Raw {
    let body = json!({"status": status, "code": 18000, "message": CANARY,
        "developerMessage": CANARY, "link": CANARY, "requestId": CANARY,
        "validationMessages": [{"field": CANARY, "message": CANARY, "path": CANARY}]});
    Raw::json(status, &body)
}

#[tokio::test]
async fn neither_traces_nor_errors_repeat_people_or_secrets() {
    let traces = Traces::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(traces.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let mut spoken = String::new();
    for wrong in 0..6 {
        for style in ["post", "put"] {
            let vendor = vendor(wrong).await;
            let clock = TestClock::at("2025-01-01T12:00:00Z");
            let settings = settings(&vendor.base_url, clock, Arc::new(Waits::default()))
                .set("session", style)
                .set("page_size", "1");
            spoken.push_str(&format!("{settings:?}"));
            let connector = open("tripletex", settings).unwrap();
            let request = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1));
            match connector.read(&request, &mut Vec::new()).await {
                Ok(evidence) => spoken.push_str(&format!("{evidence:?}")),
                Err(error) => spoken.push_str(&format!("{error} {error:?}")),
            }
            if let Err(error) = connector.confirm(&["1".into()]).await {
                spoken.push_str(&format!("{error} {error:?}"));
            }
        }
    }
    let traced = traces.text();
    // The net is in place: what may be told is there.
    assert!(traced.contains("path=\"/v2/employee\""), "{traced}");
    assert!(spoken.contains("tripletex.refused"), "{spoken}");
    for text in [&traced, &spoken] {
        for silent in [
            CANARY,
            CONSUMER_TOKEN,
            EMPLOYEE_TOKEN,
            SESSION,
            "expirationDate",
        ] {
            let at = text.find(silent);
            let line = at.map(|at| text.get(at.saturating_sub(200)..at + 40));
            assert_eq!(line, None, "{silent} was repeated");
        }
    }
}

/// The vendor, with the list of employees going wrong in one of six ways.
async fn vendor(wrong: u32) -> Vendor {
    let session = json!({"value": {"token": SESSION, "expirationDate": "2025-01-03"}});
    let who =
        json!({"value": {"employeeId": 7, "companyId": 9, "company": {"name": "Nordlys AS"}}});
    Vendor::start(move |request| match request.path.as_str() {
        "/v2/token/session/:create" if wrong == 5 => refusal(422),
        "/v2/token/session/:create" => Raw::json(201, &session),
        "/v2/token/session/>whoAmI" => Raw::json(200, &who),
        "/v2/employee" => match wrong {
            0 => Raw::json(200, &list(&[row()])),
            1 => Raw::new(
                200,
                &[],
                &format!("{{\"values\":[{{\"firstName\":\"{CANARY}"),
            ),
            2 => refusal(422),
            3 => refusal(500),
            _ => Raw::new(200, &[], CANARY),
        },
        _ => Raw::json(200, &list(&[])),
    })
    .await
}
