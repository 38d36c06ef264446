//! Small made-up companies and a caller.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use jiff::civil::{Date, date};
use muster_sandbox::company::{
    Address, Company, Department, Employee, EndReason, Engagement, EngagementKind, NationalId,
    Period, Phone,
};
use muster_sandbox::{Fault, Sandbox, SandboxOptions, Vendor, start};
use serde_json::{Value, json};

/// The day of the company's state, and the first day of the simulator's calendar.
pub(crate) const TODAY: Date = date(2025, 6, 1);

/// A company whose employees have the ids `1001..=1000 + people`.
pub(crate) fn company(people: u64) -> Company {
    Company {
        account_id: 93_000_001,
        name: "Fjordlys AS".to_owned(),
        country: "NO".to_owned(),
        as_of: TODAY,
        departments: (1..=3)
            .map(|number| Department {
                id: 500 + number,
                version: 0,
                number: format!("{number}0"),
                name: ["Salg", "Drift", "Økonomi"][usize::try_from(number).unwrap() - 1].to_owned(),
                manager: (number < 3 && people >= number).then_some(1000 + number),
            })
            .collect(),
        employees: (1..=people).map(employee).collect(),
    }
}

/// Another company: other ids, another account.
pub(crate) fn other_company() -> Company {
    let mut other = company(7);
    other.account_id = 94_000_002;
    other.name = "Skogbris AS".to_owned();
    for employee in &mut other.employees {
        employee.id += 8000;
        employee.given_name = "Fremmed".to_owned();
    }
    other
}

/// The company thirty days before: fewer people, older data.
pub(crate) fn earlier(people: u64) -> Company {
    let mut earlier = company(people - people / 10);
    earlier.as_of = date(2025, 5, 2);
    for employee in &mut earlier.employees {
        employee.version = employee.version.saturating_sub(1);
        employee.family_name = "Før".to_owned();
    }
    earlier
}

fn employee(number: u64) -> Employee {
    let id = 1000 + number;
    let national_id = match number % 4 {
        0 => None,
        1 => Some(NationalId::Norwegian {
            number: format!("1189{number:07}"),
        }),
        2 => Some(NationalId::DNumber {
            number: format!("5189{number:07}"),
        }),
        _ => Some(NationalId::Foreign {
            country: "FI".to_owned(),
            number: format!("131052-{number:04}"),
        }),
    };
    let mut engagements = vec![engagement(number, 1, EngagementKind::Employee)];
    if number.is_multiple_of(5) {
        engagements.push(engagement(number, 2, EngagementKind::Contractor));
    }
    Employee {
        id,
        version: 1 + u32::try_from(number % 3).unwrap(),
        changed: TODAY,
        employee_number: (!number.is_multiple_of(7)).then(|| format!("{number}")),
        given_name: ["Åse", "Kåre", "Zoë", "Ola"][usize::try_from(number % 4).unwrap()].to_owned(),
        family_name: format!("Prøve{number:05}"),
        work_email: (!number.is_multiple_of(11))
            .then(|| format!("person{number}@fjordlys.example")),
        personal_email: None,
        phone: (!number.is_multiple_of(6)).then(|| Phone {
            country: Some("SE".to_owned()),
            number: format!("4{number:07}"),
        }),
        date_of_birth: Some(date(1980, 2, 29)),
        national_id,
        bank_account: Some(format!("{number:011}")),
        address: number.is_multiple_of(2).then(|| Address {
            line: "Prøveveien 1".to_owned(),
            postal_code: "0150".to_owned(),
            city: "Oslo".to_owned(),
            country: "NO".to_owned(),
        }),
        department: Some(501 + number % 3),
        manager: Some(1001),
        engagements,
    }
}

fn engagement(number: u64, which: u64, kind: EngagementKind) -> Engagement {
    let id = 70_000 + number * 10 + which;
    let ended = which == 2;
    Engagement {
        id,
        version: 1,
        kind,
        start_date: date(2024, 2, 1),
        end_date: ended.then_some(date(2024, 12, 31)),
        end_reason: ended.then_some(EndReason::Expired),
        periods: vec![
            Period {
                id: id * 10,
                from: date(2024, 2, 1),
                percentage: 80,
                job_title: "Elektriker".to_owned(),
                permanent: true,
            },
            Period {
                id: id * 10 + 1,
                from: date(2024, 8, 1),
                percentage: 100,
                job_title: "Montør".to_owned(),
                permanent: kind == EngagementKind::Employee,
            },
        ],
    }
}

/// A running simulator, its calendar, and a signed-in caller.
pub(crate) struct Caller {
    pub(crate) sandbox: Sandbox,
    days: Arc<AtomicU8>,
    client: reqwest::Client,
    pub(crate) session: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Caller {
    pub(crate) async fn new(people: u64) -> Self {
        Self::with_faults(people, &[]).await
    }

    pub(crate) async fn with_faults(people: u64, faults: &[&str]) -> Self {
        let days = Arc::new(AtomicU8::new(0));
        let calendar = Arc::clone(&days);
        let mut options = SandboxOptions::new(
            Vendor::Tripletex,
            company(people),
            other_company(),
            earlier(people),
            Arc::new(move || {
                let passed = i64::from(calendar.load(Ordering::SeqCst));
                TODAY.checked_add(jiff::Span::new().days(passed)).unwrap()
            }),
        );
        options.faults = faults
            .iter()
            .map(|name| name.parse::<Fault>().unwrap())
            .collect();
        options.slow = Duration::from_millis(400);
        options.record = true;
        let sandbox = start(options, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .await
            .unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut caller = Self {
            sandbox,
            days,
            client,
            session: String::new(),
        };
        caller.sign_in().await;
        caller
    }

    /// Lets a day pass.
    pub(crate) fn pass_day(&self) {
        self.days.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) async fn sign_in(&mut self) {
        self.sign_in_until("2025-06-02").await;
    }

    pub(crate) async fn sign_in_until(&mut self, expires: &str) {
        let credentials = self.sandbox.credentials();
        let reply = self
            .send_raw(
                "POST",
                "/token/session/:create",
                None,
                Some(json!({
                    "consumerToken": credentials["consumer_token"],
                    "employeeToken": credentials["employee_token"],
                    "expirationDate": expires,
                })),
            )
            .await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        self.session = reply.body["value"]["token"].as_str().unwrap().to_owned();
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send("POST", path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.send("PUT", path, Some(body)).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.send_raw(method, path, Some(("0", &self.session)), body)
            .await
    }

    pub(crate) async fn send_raw(
        &self,
        method: &str,
        path: &str,
        user: Option<(&str, &str)>,
        body: Option<Value>,
    ) -> Reply {
        let mut request = self.request(method, path);
        if let Some((user, password)) = user {
            request = request.basic_auth(user, Some(password));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap();
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap()
        };
        Reply {
            status,
            headers,
            body,
        }
    }

    /// A request that is not sent yet.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        self.client
            .request(method, format!("{}{path}", self.sandbox.base_url()))
    }

    /// Reads the whole list by the vendor's rule: until a short page.
    pub(crate) async fn sweep(&self, count: usize) -> Vec<Value> {
        let mut rows = Vec::new();
        loop {
            let reply = self
                .get(&format!("/employee?from={}&count={count}", rows.len()))
                .await;
            assert_eq!(reply.status, 200, "{}", reply.body);
            let page = reply.values();
            let is_last = page.len() < count;
            rows.extend(page);
            if is_last {
                return rows;
            }
        }
    }
}

impl Reply {
    pub(crate) fn values(&self) -> Vec<Value> {
        self.body["values"].as_array().unwrap().clone()
    }

    pub(crate) fn code(&self) -> i64 {
        self.body["code"].as_i64().unwrap()
    }

    /// The fields that the validation messages name.
    pub(crate) fn fields(&self) -> Vec<Option<&str>> {
        self.body["validationMessages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["field"].as_str())
            .collect()
    }
}

/// The ids of rows.
pub(crate) fn ids(rows: &[Value]) -> Vec<u64> {
    rows.iter().map(|row| row["id"].as_u64().unwrap()).collect()
}
