//! Rehearsal companies, the Oracle company, and a caller.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::date;
use muster_sandbox::company::{Company, CsvOptions, DEFAULT_YEAR_START, Rehearsal, RehearsalSpec};
use muster_sandbox::contract::Contract;
use muster_sandbox::{Fault, Sandbox, SandboxOptions, Vendor, start};
use serde_json::Value;

/// The day in the year of the rehearsal company.
pub(crate) const DAY: i32 = 60;

/// The rehearsal company, as it is, as it was, and the other one.
pub(crate) fn rehearsed(people: u32) -> [Company; 3] {
    let rehearsal = Rehearsal::new(RehearsalSpec {
        people,
        seed: 1,
        year_start: DEFAULT_YEAR_START,
    })
    .unwrap();
    [
        rehearsal.on_day(DAY),
        rehearsal.shifted(DAY),
        rehearsal.other_company(),
    ]
}

/// The Oracle company: everybody but the president has a manager.
pub(crate) fn oracle() -> [Company; 3] {
    let company = Company::from_csv(
        include_bytes!("../../data/oracle-hr/employees.csv").as_slice(),
        CsvOptions {
            account_id: 93_000_107,
            name: "Oracle HR".to_owned(),
            country: "US".to_owned(),
            as_of: date(2025, 1, 1),
        },
    )
    .unwrap();
    let [_, _, other] = rehearsed(30);
    [company.clone(), company, other]
}

pub(crate) async fn simulate(
    vendor: Vendor,
    [company, earlier, other]: [Company; 3],
    faults: &[&str],
) -> Caller {
    let mut options = SandboxOptions::new(
        vendor,
        company,
        other,
        earlier,
        Arc::new(|| DEFAULT_YEAR_START),
    );
    options.faults = faults
        .iter()
        .map(|name| name.parse::<Fault>().unwrap())
        .collect();
    options.slow = Duration::from_millis(400);
    options.record = true;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Caller {
        sandbox: start(options, listen).await.unwrap(),
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
    }
}

/// A running simulator and somebody who asks it.
pub(crate) struct Caller {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|_| panic!("{}: {}", self.status, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends a request; a body that breaks off is the text that came.
pub(crate) async fn send(request: reqwest::RequestBuilder) -> Reply {
    let mut response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(bytes).unwrap();
    Reply {
        status,
        headers,
        text,
    }
}

impl Caller {
    pub(crate) fn credential(&self, name: &str) -> String {
        self.sandbox.credentials()[name].clone()
    }

    /// A request that is not sent yet; `path` from the root.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let address = format!("{}{path}", self.sandbox.base_url());
        self.client.request(method, address)
    }

    /// Holds every answer that was no refusal against a contract.
    pub(crate) fn keeps(&self, contract: &Contract) -> usize {
        let exchanges = self.sandbox.exchanges();
        let answered = exchanges.iter().filter(|exchange| exchange.status < 400);
        let mut held = 0;
        for exchange in answered {
            let violations = contract.check(exchange);
            assert!(
                violations.is_empty(),
                "{} {}: {violations:?}",
                exchange.method,
                exchange.path
            );
            held += 1;
        }
        held
    }
}

/// What each person's manager is, by work e-mail, in the company itself.
pub(crate) fn managers(company: &Company) -> BTreeMap<String, Option<String>> {
    let email = |id: u64| {
        let employee = company.employees.iter().find(|one| one.id == id).unwrap();
        employee.work_email.clone().unwrap()
    };
    company
        .employees
        .iter()
        .map(|one| (email(one.id), one.manager.map(email)))
        .collect()
}
