//! Every kind of sign-in, paging and joining that a manifest can say, over
//! real HTTP, from a folder that is installed at run time.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};

use async_trait::async_trait;
use muster_connect::{
    ConnectError, Connector, ConnectorSettings, FieldScope, KeepSecret, ReadRequest, install, open,
};
use muster_model::{DoubtKind, Evidence, EvidenceLevel, Field, SourceRecord};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use support::{Raw, Request, TestClock, Vendor, Waits};

const HEAD: &str = r#"
title = "Nordlys HR"
summary = "An HR system that does not exist."
version = 1
confidence = "unverified"
account = "the host"
record_id_survives_rehire = true
read_by_id = "no"
dates = "civil dates"
administrator = ["Make a key."]
evidence = { level = "LEVEL", end = "see the list" }
leaver = { shows = "absent", how = "the record is missing" }
base_urls = [{ title = "Production", url = "https://hr.nordlys.example/v2" }]
company = { id = "{host}" }
secrets = [
  { name = "key", meaning = "The key." }, { name = "user", meaning = "The user." },
]
"#;

const BEARER: &str = "[[authentication]]\nbearer = { token = \"{secret.key}\" }\n";
const NAME: &str = "[fields]\ngiven_name = \"/name\"\n";

fn list(paging: &str) -> String {
    format!(
        "{BEARER}\n[[people]]\nrequest = {{ path = \"/people\" }}\nrows = \"/data\"\nid = \"/id\"\n\
         paging = {{ {paging} }}\n{NAME}"
    )
}

/// Each manifest by its name.
fn manifests() -> BTreeMap<&'static str, String> {
    let offset = |end: &str| {
        list(&format!(
            "offset = {{ parameter = \"from\", size_parameter = \"count\", size = \"2\", end = {{ {end} }} }}"
        ))
    };
    BTreeMap::from([
        ("t-short", offset("short_page = true")),
        ("t-total", offset("total = \"/total\", exact = true")),
        ("t-page", list("page = { parameter = \"page\", end = { when = \"answer.page >= answer.pages\" } }")),
        ("t-cursor", list("cursor = { parameter = \"after\", next = \"/next\" }")),
        ("t-link", list("link_header = {}")),
        ("t-next", list("next_link = { next = \"/next\" }")),
        ("t-odata", list("odata = { version = 4 }").replace("/data", "/value")),
        (
            "t-joins",
            format!(
                "rate = {{ concurrent = 3 }}\n{}{}",
                list("none = {}"),
                r#"department = "department:/name"
team = "teams:/0/name"
cost_centre = "detail:/costCentre"

[joins.department]
request = { path = "/departments" }
rows = "/data"
key = "/id"
by = "/departmentId"
paging = { cursor = { parameter = "after", next = "/next" } }

[joins.teams]
per = "batch"
request = { path = "/teams", query = { ids = "{join(ids, ',')}" } }
rows = "/data"
key = "/person"
many = true
batch = 2

[joins.detail]
per = "person"
request = { path = "/people/{id}" }
"#
            ),
        ),
        (
            "t-soap",
            format!(
                "speaks = \"xml\"\n{}{NAME}",
                r#"[[authentication]]
ws_security = { user = "{secret.user}@nordlys", password = "{secret.key}" }

[[errors.rules]]
when = "answer.Envelope.Body.Fault.faultcode == 'SOAP-ENV:Client.authenticationError'"
means = "credentials"

[[people]]
rows = "/Envelope/Body/Response/Data/Worker"
id = "/Reference/ID[@type=WID]"

[people.request]
method = "POST"
path = "/Human_Resources"
xml = """
<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><!--security--></e:Header>
<e:Body><Get><Page>{page}</Page><Count>{size}</Count></Get></e:Body></e:Envelope>"""

[people.paging.page]
size = "2"
carried = "template"
end = { when = "number(answer.Envelope.Body.Response.Results.Page) >= number(answer.Envelope.Body.Response.Results.Total_Pages)", total = "/Envelope/Body/Response/Results/Total", exact = true }
"#
            )
            .replace("/name", "/Name"),
        ),
        (
            "t-client",
            list("none = {}").replace(
                "bearer = { token = \"{secret.key}\" }",
                "client_credentials = { token_url = \"/token\", client_id = \"{secret.user}\", client_secret = \"{secret.key}\", client = \"basic\", scope = \"people\" }",
            ),
        ),
        (
            "t-refresh",
            list("none = {}").replace(
                "bearer = { token = \"{secret.key}\" }",
                "refresh_token = { token_url = \"/token\", client_id = \"{secret.user}\", secret = \"key\" }",
            ),
        ),
        (
            "t-session",
            list("none = {}").replace(
                "bearer = { token = \"{secret.key}\" }",
                "session = { request = { path = \"/auth\", headers = { authToken = \"{secret.key}\" } }, token = \"/token/$\", send = { header = { name = \"x-session\", value = \"{token}\" } } }",
            ),
        ),
        (
            "t-body",
            list("none = {}")
                .replace("bearer = { token = \"{secret.key}\" }", "body = { name = \"APIKey\", value = \"{secret.key}\" }")
                .replace("path = \"/people\"", "path = \"/people\", method = \"POST\", json = { Action = \"All\" }")
                + "\n[[errors.rules]]\nwhen = \"answer.isError == true\"\nmeans = \"credentials\"\n",
        ),
    ])
}

static INSTALL: Once = Once::new();

fn connector(name: &str, vendor: &Vendor) -> Box<dyn Connector> {
    connector_with(name, vendor, |settings| settings)
}

fn connector_with(
    name: &str,
    vendor: &Vendor,
    more: impl FnOnce(ConnectorSettings) -> ConnectorSettings,
) -> Box<dyn Connector> {
    INSTALL.call_once(|| {
        let folder = std::env::temp_dir().join(format!("muster-kinds-{}", std::process::id()));
        for (name, text) in manifests() {
            std::fs::create_dir_all(folder.join(name)).unwrap();
            // What a list with an exact total earns, and no other may promise.
            let level = if text.contains("exact = true") {
                "counted"
            } else {
                "ended"
            };
            let head = HEAD.replace("LEVEL", level);
            let text = format!("name = \"{name}\"{head}{text}");
            std::fs::write(folder.join(name).join("manifest.toml"), text).unwrap();
        }
        let installed = install(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(
            installed.map_err(|error| error.to_string()),
            Ok(manifests().len())
        );
    });
    let settings = ConnectorSettings::new(TestClock::at("2025-01-01T12:00:00Z"))
        .base_url(&vendor.base_url)
        .pause(Arc::new(Waits::default()))
        .secret("key", SecretString::from("hush"))
        .secret("user", SecretString::from("isu"));
    open(name, more(settings)).unwrap()
}

async fn read(connector: &dyn Connector) -> (Evidence, Vec<SourceRecord>) {
    let request = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1));
    let mut records = Vec::new();
    let evidence = connector.read(&request, &mut records).await.unwrap();
    (evidence, records)
}

fn ids(records: &[SourceRecord]) -> Vec<&str> {
    records
        .iter()
        .map(|record| record.external_id.as_str())
        .collect()
}

fn people(numbers: std::ops::Range<usize>) -> Value {
    numbers
        .map(|n| json!({"id": n, "name": format!("Kari {n}")}))
        .collect()
}

fn skip(request: &Request, all: usize) -> Value {
    let from = request.number("from");
    people(from.min(all)..(from + request.number("count")).min(all))
}

#[tokio::test]
async fn offsets_end_at_a_short_page_and_pass_over_one_that_fails() {
    let vendor = Vendor::start(|request| match request.number("from") {
        2 => Raw::new(500, &[], ""),
        _ => Raw::json(200, &json!({"data": skip(request, 7)})),
    })
    .await;
    let (evidence, records) = read(&*connector("t-short", &vendor)).await;
    assert_eq!(ids(&records), ["0", "1", "4", "5", "6"]);
    assert_eq!(evidence.level, EvidenceLevel::None);
    assert!(evidence.has(DoubtKind::PageFailed));
}

#[tokio::test]
async fn a_total_that_the_vendor_vouches_for_proves_and_disproves() {
    for (told, level, doubt) in [
        (5, EvidenceLevel::Counted, false),
        (6, EvidenceLevel::None, true),
    ] {
        // Gives one row fewer than asked for: nobody behind it is lost.
        let vendor = Vendor::start(move |request| {
            let from = request.number("from");
            Raw::json(
                200,
                &json!({"data": people(from.min(5)..(from + 1).min(5)), "total": told}),
            )
        })
        .await;
        let (evidence, records) = read(&*connector("t-total", &vendor)).await;
        assert_eq!(records.len(), 5);
        assert_eq!(
            (evidence.level, evidence.has(DoubtKind::TotalDiffers)),
            (level, doubt)
        );
    }
}

#[tokio::test]
async fn pages_cursors_and_links_go_to_their_end() {
    let by_page = |request: &Request| {
        let page = request
            .parameter("page")
            .map_or(1, |text| text.parse().unwrap());
        let from = (page - 1) * 2;
        (
            page,
            json!({"data": people(from..(from + 2).min(5)), "page": page, "pages": 3}),
        )
    };
    let vendor = Vendor::start(move |request| Raw::json(200, &by_page(request).1)).await;
    let (evidence, records) = read(&*connector("t-page", &vendor)).await;
    assert_eq!((records.len(), evidence.level), (5, EvidenceLevel::Ended));

    let vendor = Vendor::start(move |request| {
        let (page, mut body) = by_page(request);
        if page < 3 {
            body["next"] = json!(format!("?page={}", page + 1));
        }
        Raw::json(200, &body)
    })
    .await;
    let (evidence, records) = read(&*connector("t-next", &vendor)).await;
    assert_eq!((records.len(), evidence.complete), (5, true));

    let vendor = Vendor::start(move |request| {
        let (page, body) = by_page(request);
        let link = format!(
            "</v2/people?page=1>; rel=\"first\", </v2/people?a=1,2&page={}>; rel=\"next\"",
            page + 1
        );
        let headers = [("link", link.as_str())];
        Raw::new(
            200,
            if page < 3 { &headers } else { &[] },
            &body.to_string(),
        )
    })
    .await;
    let (evidence, records) = read(&*connector("t-link", &vendor)).await;
    assert_eq!((records.len(), evidence.complete), (5, true));

    let vendor = Vendor::start(|request| match request.parameter("$skiptoken") {
        None => Raw::json(
            200,
            &json!({"value": people(0..2), "@odata.nextLink": "people?$skiptoken=x"}),
        ),
        Some(_) => Raw::json(200, &json!({"value": people(2..3)})),
    })
    .await;
    let (_, records) = read(&*connector("t-odata", &vendor)).await;
    assert_eq!(ids(&records), ["0", "1", "2"]);
}

#[tokio::test]
async fn a_list_that_does_not_advance_is_no_proof() {
    let vendor =
        Vendor::start(|_| Raw::json(200, &json!({"data": people(0..2), "next": "a"}))).await;
    let (evidence, _) = read(&*connector("t-cursor", &vendor)).await;
    assert_eq!(evidence.level, EvidenceLevel::None);
    assert!(vendor.requests().len() < 5);
}

#[tokio::test]
async fn a_next_address_at_another_host_is_not_followed() {
    let other = Vendor::start(|_| Raw::json(200, &json!({"data": []}))).await;
    let next = format!("{}/people?page=2", other.base_url);
    let vendor =
        Vendor::start(move |_| Raw::json(200, &json!({"data": people(0..2), "next": next}))).await;
    let (evidence, _) = read(&*connector("t-next", &vendor)).await;
    assert_eq!(evidence.level, EvidenceLevel::None);
    assert!(
        evidence.doubts[0].detail.contains("http.other_host"),
        "{:?}",
        evidence.doubts
    );
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn lists_batches_and_requests_per_person_are_joined_with_bounded_concurrency() {
    let at_once = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let counted = at_once.clone();
    let vendor = Vendor::start(move |request| match request.path.as_str() {
        "/v2/departments" => match request.parameter("after") {
            None => Raw::json(
                200,
                &json!({"data": [{"id": 1, "name": "Sales"}], "next": "b"}),
            ),
            Some(_) => Raw::json(
                200,
                &json!({"data": [{"id": 2, "name": "Research"}], "next": null}),
            ),
        },
        "/v2/teams" => {
            let asked = request.parameter("ids").unwrap().to_owned();
            assert!(asked.split(',').count() <= 2);
            let rows: Vec<Value> = asked
                .split(',')
                .filter(|id| *id != "3")
                .map(|id| json!({"person": id, "name": format!("Team {id}")}))
                .collect();
            Raw::json(200, &json!({"data": rows}))
        }
        "/v2/people" => {
            let mut all = people(0..6);
            for (place, row) in all.as_array_mut().unwrap().iter_mut().enumerate() {
                row["departmentId"] = json!(place % 3);
            }
            Raw::json(200, &json!({"data": all}))
        }
        path => {
            let now = counted.0.fetch_add(1, Ordering::SeqCst) + 1;
            counted.1.fetch_max(now, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(20));
            counted.0.fetch_sub(1, Ordering::SeqCst);
            match path {
                "/v2/people/4" => Raw::new(500, &[], ""),
                "/v2/people/5" => Raw::new(404, &[], ""),
                path => Raw::json(200, &json!({"costCentre": format!("CC{}", &path[11..])})),
            }
        }
    })
    .await;
    let (evidence, records) = read(&*connector("t-joins", &vendor)).await;
    assert!(evidence.complete);
    let text = |at: usize, field| records[at].fields.text(field);
    assert_eq!(text(1, Field::Department), Some("Sales"));
    assert_eq!(text(2, Field::Department), Some("Research"));
    assert_eq!(text(3, Field::Department), None);
    assert_eq!(text(2, Field::Team), Some("Team 2"));
    assert_eq!(text(3, Field::Team), None);
    assert_eq!(text(2, Field::CostCentre), Some("CC2"));
    // What could not be read makes a record less than whole; what is not there does not.
    assert_eq!((records[4].whole, records[5].whole), (false, true));
    assert!(at_once.1.load(Ordering::SeqCst) <= 3);
    // Nobody needs the details: nobody is asked for them.
    let before = vendor.requests().len();
    let narrow = ReadRequest::new(
        FieldScope::only([Field::GivenName]),
        jiff::civil::date(2025, 1, 1),
    );
    connector("t-joins", &vendor)
        .read(&narrow, &mut Vec::new())
        .await
        .unwrap();
    assert_eq!(vendor.requests().len() - before, 1);
}

#[tokio::test]
async fn soap_pages_carry_the_security_header_and_a_fault_is_a_refusal() {
    let vendor = Vendor::start(|request| {
        if !request.body.contains("<wsse:Username>isu@nordlys</wsse:Username>")
            || !request.body.contains(">hush</wsse:Password>")
        {
            return Raw::new(500, &[], "<e:Envelope xmlns:e=\"x\"><e:Body><e:Fault>\
                <faultcode>SOAP-ENV:Client.authenticationError</faultcode><faultstring>Kari</faultstring>\
                </e:Fault></e:Body></e:Envelope>");
        }
        let page = if request.body.contains("<Page>1</Page><Count>2</Count>") { 1 } else { 2 };
        let worker = |n: usize| format!(
            "<wd:Worker><wd:Reference><wd:ID wd:type=\"WID\">w{n}</wd:ID>\
             <wd:ID wd:type=\"Employee_ID\">{n}</wd:ID></wd:Reference><wd:Name>Åse &amp; {n}</wd:Name></wd:Worker>");
        let workers = if page == 1 { worker(1) + &worker(2) } else { worker(3) };
        Raw::new(200, &[], &format!(
            "<e:Envelope xmlns:e=\"x\" xmlns:wd=\"y\"><e:Body><wd:Response><wd:Results><wd:Total>3</wd:Total>\
             <wd:Total_Pages>2</wd:Total_Pages><wd:Page>{page}</wd:Page></wd:Results>\
             <wd:Data>{workers}</wd:Data></wd:Response></e:Body></e:Envelope>"))
    })
    .await;
    let (evidence, records) = read(&*connector("t-soap", &vendor)).await;
    assert_eq!(ids(&records), ["w1", "w2", "w3"]);
    assert_eq!(evidence.level, EvidenceLevel::Counted);
    assert_eq!(records[0].fields.text(Field::GivenName), Some("Åse & 1"));
    let wrong = connector_with("t-soap", &vendor, |settings| {
        settings.secret("key", SecretString::from("<wrong & bad>"))
    });
    let request = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1));
    let error = wrong.read(&request, &mut Vec::new()).await.err().unwrap();
    assert_eq!(error.code(), "t-soap.unauthorized");
    assert!(!error.to_string().contains("Kari"));
}

#[tokio::test]
async fn client_credentials_sessions_and_keys_in_bodies() {
    let vendor = Vendor::start(|request| match request.path.as_str() {
        "/v2/token" => {
            assert!(
                request
                    .authorization
                    .as_deref()
                    .unwrap()
                    .starts_with("Basic ")
            );
            assert_eq!(request.body, "grant_type=client_credentials&scope=people");
            Raw::json(200, &json!({"access_token": "t", "expires_in": 3600}))
        }
        _ if request.authorization.as_deref() == Some("Bearer t") => {
            Raw::json(200, &json!({"data": people(0..1)}))
        }
        _ => Raw::new(401, &[], ""),
    })
    .await;
    let (evidence, _) = read(&*connector("t-client", &vendor)).await;
    assert_eq!(evidence.level, EvidenceLevel::Whole);

    let vendor = Vendor::start(|request| match request.path.as_str() {
        "/v2/auth" => Raw::json(200, &json!({"token": {"$": "session-1"}})),
        _ => Raw::json(200, &json!({"data": people(0..1)})),
    })
    .await;
    assert!(read(&*connector("t-session", &vendor)).await.0.complete);

    let vendor = Vendor::start(|request| {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        match body["APIKey"] == "hush" && body["Action"] == "All" {
            true => Raw::json(200, &json!({"isError": false, "data": people(0..1)})),
            false => Raw::json(200, &json!({"isError": true, "Message": "Kari"})),
        }
    })
    .await;
    assert!(read(&*connector("t-body", &vendor)).await.0.complete);
    let wrong = connector_with("t-body", &vendor, |settings| {
        settings.secret("key", SecretString::from("wrong"))
    });
    let request = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1));
    let error = wrong.read(&request, &mut Vec::new()).await.err().unwrap();
    assert_eq!(error.code(), "t-body.unauthorized");
}

/// Keeps secrets in memory, and remembers that it did.
#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

#[async_trait]
impl KeepSecret for Kept {
    async fn latest(&self, _: &str) -> Result<Option<SecretString>, ConnectError> {
        Ok(self
            .0
            .lock()
            .unwrap()
            .last()
            .map(|text| SecretString::from(text.as_str())))
    }

    async fn keep(&self, name: &str, secret: SecretString) -> Result<(), ConnectError> {
        assert_eq!(name, "key");
        self.0
            .lock()
            .unwrap()
            .push(secret.expose_secret().to_owned());
        Ok(())
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_replaced_is_kept_before_its_access_token_is_used() {
    let kept = Arc::new(Kept::default());
    let seen = kept.clone();
    let tokens = AtomicUsize::new(0);
    let vendor = Vendor::start(move |request| match request.path.as_str() {
        "/v2/token" => {
            let number = tokens.fetch_add(1, Ordering::SeqCst);
            // Each refresh token holds for one use.
            let expected = if number == 0 {
                "hush".to_owned()
            } else {
                format!("r-{number}")
            };
            assert!(
                request.body.contains(&format!("refresh_token={expected}&")),
                "{}",
                request.body
            );
            let number = number + 1;
            Raw::json(
                200,
                &json!({"access_token": format!("t-{number}"),
                "refresh_token": format!("r-{number}"), "expires_in": 3600}),
            )
        }
        _ => {
            let kept = seen.0.lock().unwrap().clone();
            let token = format!("Bearer {}", kept.last().unwrap().replace('r', "t"));
            assert_eq!(request.authorization.as_deref(), Some(token.as_str()));
            // The first access token is refused at once.
            match kept.len() {
                1 => Raw::new(401, &[], ""),
                _ => Raw::json(200, &json!({"data": people(0..1)})),
            }
        }
    })
    .await;
    let keeper = kept.clone();
    let connector = connector_with("t-refresh", &vendor, |settings| settings.keep(keeper));
    assert!(read(&*connector).await.0.complete);
    assert_eq!(*kept.0.lock().unwrap(), ["r-1", "r-2"]);
}

#[tokio::test]
async fn many_reads_at_once_ask_for_one_token_and_use_a_refresh_token_once() {
    let kept = Arc::new(Kept::default());
    let tokens = Arc::new(AtomicUsize::new(0));
    let counted = tokens.clone();
    let vendor = Vendor::start(move |request| match request.path.as_str() {
        "/v2/token" => {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            // Long enough for everybody else to have found no token.
            std::thread::sleep(std::time::Duration::from_millis(50));
            let expected = ["hush", "r-1"][number];
            assert!(request.body.contains(&format!("refresh_token={expected}&")));
            let number = number + 1;
            let answer = json!({"access_token": format!("t-{number}"),
                "refresh_token": format!("r-{number}"), "expires_in": 3600});
            Raw::json(200, &answer)
        }
        // The first token is refused to everybody who has it.
        _ if request.authorization.as_deref() == Some("Bearer t-1") => Raw::new(401, &[], ""),
        _ => Raw::json(200, &json!({"data": people(0..1)})),
    })
    .await;
    let keeper = kept.clone();
    let connector = connector_with("t-refresh", &vendor, |settings| settings.keep(keeper));
    let reads = (0..8).map(|_| read(&*connector));
    for (evidence, records) in futures::future::join_all(reads).await {
        assert!(evidence.complete && records.len() == 1, "{evidence:?}");
    }
    assert_eq!(tokens.load(Ordering::SeqCst), 2);
    assert_eq!(*kept.0.lock().unwrap(), ["r-1", "r-2"]);
}
