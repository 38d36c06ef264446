//! The connectors to Workday against the simulator, over real HTTP: what they ask is
//! held against the vendor's description, and every form of the report and every way
//! to sign in reads the same people.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use muster_connect::{Connector, ConnectorSettings, FieldScope, ReadRequest, open};
use muster_model::{Evidence, Field, SourceRecord};
use muster_sandbox::contract::Elements;
use muster_sandbox::{Sandbox, SandboxOptions, Vendor, start};
use secrecy::SecretString;
use serde_json::{Map, Value};
use support::company::{TODAY, company, earlier, other_company};
use support::{TestClock, Waits};

const PEOPLE: u64 = 9;

async fn simulator(vendor: Vendor, faults: &[&str]) -> Sandbox {
    let mut company = company(PEOPLE);
    for employee in company.employees.iter_mut().skip(1) {
        employee.manager = Some(1001);
    }
    let mut options = SandboxOptions::new(
        vendor,
        company,
        other_company(),
        earlier(PEOPLE),
        Arc::new(|| TODAY),
    );
    options.faults = faults.iter().map(|name| name.parse().unwrap()).collect();
    options.record = true;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    start(options, listen).await.unwrap()
}

fn connector(name: &str, sandbox: &Sandbox, set: &[(&str, &str)]) -> Box<dyn Connector> {
    let mut entered = ConnectorSettings::new(TestClock::at(&format!("{TODAY}T12:00:00Z")))
        .base_url(sandbox.base_url())
        .pause(Arc::new(Waits::default()));
    for (name, secret) in sandbox.credentials() {
        entered = entered.secret(name, SecretString::from(secret));
    }
    for (name, value) in sandbox.settings() {
        entered = entered.set(name, value);
    }
    for (name, value) in set {
        entered = entered.set(*name, *value);
    }
    open(name, entered).unwrap()
}

async fn read(connector: &dyn Connector) -> (Evidence, Vec<SourceRecord>) {
    let request = ReadRequest::new(FieldScope::all(), TODAY).region("NO");
    let mut records = Vec::new();
    let evidence = connector.read(&request, &mut records).await.unwrap();
    assert!(evidence.complete, "{:?}", evidence.doubts);
    (evidence, records)
}

/// What records say, by the id of the record.
fn said(records: &[SourceRecord]) -> BTreeMap<String, Map<String, Value>> {
    records
        .iter()
        .map(|record| {
            let mut fields = record.on(TODAY).to_json();
            // Only one form of the report names the worker as a whole.
            fields.remove("display_name");
            (record.external_id.as_str().to_owned(), fields)
        })
        .collect()
}

#[tokio::test]
async fn every_call_to_the_web_services_is_as_workday_describes_it() {
    let sandbox = simulator(Vendor::WorkdaySoap, &[]).await;
    let services = connector("workday-soap", &sandbox, &[("page_size", "4")]);
    let (evidence, records) = read(&*services).await;
    assert_eq!(records.len(), usize::try_from(PEOPLE).unwrap());
    let ids: Vec<_> = records
        .iter()
        .map(|record| record.external_id.clone())
        .collect();
    let answers = services.confirm(&ids).await.unwrap();
    assert_eq!(answers.len(), ids.len());
    let since = "2025-05-20T00:00:00Z".parse().unwrap();
    let request = ReadRequest::new(FieldScope::all(), TODAY)
        .region("NO")
        .since(since);
    let mut changed = Vec::new();
    services.read(&request, &mut changed).await.unwrap();
    let facts = Elements::load(include_str!(
        "../../../connectors/workday-soap/contract/facts.json"
    ))
    .unwrap();
    let exchanges = sandbox.exchanges();
    // Pages of today and of a later day, those asked for by id, and what changed.
    assert!(exchanges.len() as u64 >= evidence.pages + 2);
    for exchange in exchanges {
        assert_eq!(exchange.status, 200);
        facts
            .check(&exchange.request_body.unwrap(), "_Request")
            .unwrap();
        facts
            .check(&exchange.response_body.unwrap(), "_Response")
            .unwrap();
    }
}

#[tokio::test]
async fn every_form_of_the_report_and_every_way_in_reads_the_same_people() {
    let sandbox = simulator(Vendor::Workday, &[]).await;
    let mut seen = Vec::new();
    for authentication in ["basic", "oauth"] {
        for format in ["json", "simplexml", "xml"] {
            let set = [("authentication", authentication), ("format", format)];
            let report = connector("workday", &sandbox, &set);
            let (_, records) = read(&*report).await;
            assert!(records.iter().all(|record| record.revision.is_some()));
            assert!(
                records
                    .iter()
                    .any(|record| { record.fields.text(Field::ManagerExternalId).is_some() })
            );
            seen.push(((authentication, format), said(&records)));
        }
    }
    let (_, first) = &seen[0];
    // One begins in a month: a report shows its day.
    assert_eq!(first.len(), usize::try_from(PEOPLE - 1).unwrap());
    for (how, people) in &seen {
        assert_eq!(people, first, "{how:?}");
    }
}

#[tokio::test]
async fn a_token_that_ended_is_made_anew() {
    let sandbox = simulator(Vendor::Workday, &["expired-token"]).await;
    let report = connector("workday", &sandbox, &[("authentication", "oauth")]);
    let made = || {
        let exchanges = sandbox.exchanges();
        let tokens = exchanges.iter().filter(|one| one.path.ends_with("/token"));
        tokens.count()
    };
    // The token ends behind the first report.
    read(&*report).await;
    assert_eq!(made(), 1);
    read(&*report).await;
    assert_eq!(made(), 2);
}
