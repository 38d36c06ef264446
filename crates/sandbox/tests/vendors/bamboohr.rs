//! BambooHR: every call, every fault, the contract, and the whole manager tree.

use std::collections::{BTreeMap, BTreeSet};

use muster_sandbox::company::Company;
use muster_sandbox::contract::Contract;
use muster_sandbox::{Exchange, Vendor};
use serde_json::{Value, json};

use crate::support::{Caller, Reply, managers, oracle, rehearsed, send, simulate};

fn contract() -> Contract {
    Contract::load(include_str!(
        "../../../../connectors/bamboohr/contract/openapi.json"
    ))
    .unwrap()
}

const FIELDS: [&str; 10] = [
    "id",
    "employeeNumber",
    "firstName",
    "lastName",
    "workEmail",
    "supervisorEId",
    "status",
    "hireDate",
    "terminationDate",
    "dateOfBirth",
];

struct Bamboo(Caller);

impl Bamboo {
    async fn new(people: u32, faults: &[&str]) -> Self {
        Self(simulate(Vendor::BambooHr, rehearsed(people), faults).await)
    }

    async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None).await
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let mut request = self
            .0
            .request(method, path)
            .basic_auth(self.0.credential("api_key"), Some("x"))
            .header("accept", "application/json");
        if let Some(body) = body {
            request = request.json(&body);
        }
        send(request).await
    }

    async fn report(&self) -> Reply {
        let path = "/api/v1/reports/custom?format=JSON&onlyCurrent=false";
        let body = json!({"title": "All", "fields": FIELDS});
        self.call("POST", path, Some(body)).await
    }

    async fn everybody(&self) -> Vec<Value> {
        let reply = self.report().await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["employees"].as_array().unwrap().clone()
    }

    async fn page(&self, page: usize, size: usize) -> Reply {
        let body =
            json!({"fields": ["eeid", "lastName", "mobilePhone"], "page": page, "pageSize": size});
        self.call("POST", "/api/v2/datasets/employee/data", Some(body))
            .await
    }

    /// The ids of the whole dataset, read by the vendor's rule.
    async fn sweep(&self, size: usize) -> Vec<String> {
        let (mut ids, mut page) = (Vec::new(), 1);
        loop {
            let reply = self.page(page, size).await.json();
            for row in reply["data"].as_array().unwrap() {
                ids.push(row["fields"]["eeid"].as_str().unwrap().to_owned());
            }
            if page >= usize::try_from(reply["meta"]["totalPages"].as_u64().unwrap()).unwrap() {
                return ids;
            }
            page += 1;
        }
    }
}

fn ids(company: &Company) -> Vec<String> {
    company
        .employees
        .iter()
        .map(|one| one.id.to_string())
        .collect()
}

#[tokio::test]
async fn the_report_gives_everybody_and_leavers_are_inactive_with_their_last_day() {
    let [company, ..] = rehearsed(120);
    let bamboo = Bamboo::new(120, &[]).await;
    let rows = bamboo.everybody().await;
    let found: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(found, ids(&company));
    let mut leavers = 0;
    for (row, employee) in rows.iter().zip(&company.employees) {
        let running = employee.is_running_on(company.as_of);
        assert_eq!(row["status"], if running { "Active" } else { "Inactive" });
        if !running {
            leavers += 1;
            let last = employee
                .engagements
                .iter()
                .filter_map(|one| one.end_date)
                .max()
                .unwrap();
            assert_eq!(row["terminationDate"], last.to_string());
        }
        let manager = employee
            .manager
            .map(|id| id.to_string())
            .unwrap_or_default();
        assert_eq!(row["supervisorEId"], manager);
    }
    assert!(leavers > 0, "the rehearsal has leavers by this day");
    // The directory hides them unless told otherwise.
    let reply = bamboo.get("/api/v1/employees/directory").await.json();
    assert_eq!(
        reply["employees"].as_array().unwrap().len(),
        rows.len() - leavers
    );
    let reply = bamboo
        .get("/api/v1/employees/directory?onlyCurrent=false")
        .await
        .json();
    assert_eq!(reply["employees"].as_array().unwrap().len(), rows.len());
    assert_eq!(bamboo.sweep(50).await, ids(&company));
}

#[tokio::test]
async fn every_answer_keeps_the_contract() {
    let bamboo = Bamboo::new(60, &[]).await;
    let id = bamboo.everybody().await[3]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for path in [
        "/api/v1/company_information".to_owned(),
        "/api/v1/meta/fields".to_owned(),
        "/api/v1/meta/lists?format=json".to_owned(),
        "/api/v1/employees/directory?onlyCurrent=false".to_owned(),
        "/api/v1/employees/changed?since=2025-01-01T00:00:00Z".to_owned(),
        format!("/api/v1/employees/{id}?fields=firstName,workEmail,nin"),
        format!("/api/v1/employees/{id}/tables/jobInfo"),
        "/api/v1/employees/all/tables/jobInfo".to_owned(),
    ] {
        let reply = bamboo.get(&path).await;
        assert_eq!(reply.status, 200, "{path}");
    }
    assert!(!bamboo.sweep(20).await.is_empty());
    let hook = json!({"name": "a", "url": "https://example.com", "format": "json"});
    let reply = bamboo.call("POST", "/api/v1/webhooks", Some(hook)).await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.json()["privateKey"].as_str().unwrap().len(), 32);
    assert!(bamboo.0.keeps(&contract()) >= 13);
    let kept = bamboo.0.sandbox.exchanges();
    let hook = kept.last().unwrap().response_body.clone().unwrap();
    assert!(hook.contains("left-out"), "a secret is not kept");
}

/// The recorded answers of the vendor keep the contract that the simulator keeps.
#[test]
fn recorded_answers_keep_the_contract() {
    let Some(folder) = std::env::var_os("MUSTER_VENDOR_SPECS") else {
        println!("not run: recorded answers, MUSTER_VENDOR_SPECS is not set");
        return;
    };
    let path = std::path::Path::new(&folder).join("bamboohr-fixtures.json");
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let contract = contract();
    let mut held = 0;
    for (name, value) in recorded.as_object().unwrap() {
        let Some((method, address)) = name
            .split_once(' ')
            .filter(|(_, path)| path.starts_with('/'))
        else {
            continue;
        };
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let answer = value.get("response").unwrap_or(value);
        let exchange = Exchange {
            method: method.to_owned(),
            path: format!("/api{path}"),
            query: query.to_owned(),
            request_body: value.get("request").map(Value::to_string),
            status: value
                .get("status")
                .and_then(Value::as_u64)
                .map_or(200, |status| u16::try_from(status).unwrap()),
            response_body: Some(answer.to_string()),
        };
        if path == "/v1/employees" {
            continue; // Recorded with a body that the reference says is not there.
        }
        let violations = contract.check(&exchange);
        assert!(violations.is_empty(), "{name}: {violations:?}");
        held += 1;
    }
    assert!(held >= 6);
}

#[tokio::test]
async fn the_oracle_company_keeps_its_whole_manager_tree() {
    let expected = managers(&oracle()[0]);
    let bamboo = Bamboo(simulate(Vendor::BambooHr, oracle(), &[]).await);
    let rows = bamboo.everybody().await;
    let by_id: BTreeMap<&str, &str> = rows
        .iter()
        .map(|row| {
            (
                row["id"].as_str().unwrap(),
                row["workEmail"].as_str().unwrap(),
            )
        })
        .collect();
    let found: BTreeMap<String, Option<String>> = rows
        .iter()
        .map(|row| {
            let manager = row["supervisorEId"].as_str().unwrap();
            let manager = (!manager.is_empty()).then(|| by_id[manager].to_owned());
            (row["workEmail"].as_str().unwrap().to_owned(), manager)
        })
        .collect();
    assert_eq!(found.len(), 107);
    assert_eq!(found, expected);
}

#[tokio::test]
async fn what_the_vendor_refuses_is_refused_in_its_words() {
    let bamboo = Bamboo::new(30, &[]).await;
    let reply = send(bamboo.0.request("GET", "/api/v1/meta/fields")).await;
    assert_eq!((reply.status, reply.text.as_str()), (401, ""));
    assert!(!reply.header("x-bamboohr-error-message").is_empty());
    assert_eq!(bamboo.get("/api/v1/employees").await.status, 403);
    assert_eq!(bamboo.get("/api/v1/employees/changed").await.status, 400);
    assert_eq!(bamboo.get("/api/v1/employees/999999999").await.status, 404);
    assert_eq!(bamboo.page(1, 1001).await.status, 422);
    assert_eq!(bamboo.page(0, 10).await.status, 422);
    let unknown = json!({"fields": ["workEmail"]});
    let reply = bamboo
        .call("POST", "/api/v2/datasets/employee/data", Some(unknown))
        .await;
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!(
        bamboo
            .get("/api/gateway.php/somebodyelse/v1/meta/fields")
            .await
            .status,
        404
    );
    let own = bamboo.0.sandbox.settings()["company_domain"].clone();
    assert_eq!(
        bamboo
            .get(&format!("/api/gateway.php/{own}/v1/meta/fields"))
            .await
            .status,
        200
    );
    // Without asking for JSON the directory is XML.
    let request = bamboo.0.request("GET", "/api/v1/employees/directory");
    let reply = send(request.basic_auth(bamboo.0.credential("api_key"), Some("x"))).await;
    assert!(reply.text.starts_with("<?xml"), "{}", reply.text);
    let field = bamboo
        .0
        .sandbox
        .set_faults(vec!["drop-field:workMail".parse().unwrap()]);
    assert_eq!(field.unwrap_err().code(), "sandbox.fault.unknown-field");
}

#[tokio::test]
async fn writes_are_read_back() {
    let bamboo = Bamboo::new(30, &[]).await;
    let taken = bamboo.everybody().await.iter().find_map(|row| {
        row["workEmail"]
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    });
    let reply = bamboo
        .call(
            "POST",
            "/api/v1/employees",
            Some(json!({"firstName": "Kari"})),
        )
        .await;
    assert_eq!(reply.status, 400);
    let new = json!({"firstName": "Kari", "lastName": "Prøve", "workEmail": "kari@ny.example"});
    let reply = bamboo.call("POST", "/api/v1/employees", Some(new)).await;
    assert_eq!((reply.status, reply.text.as_str()), (201, ""));
    let id = reply
        .header("location")
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/employees/{id}");
    let double = bamboo
        .call("POST", &path, Some(json!({"workEmail": taken})))
        .await;
    assert_eq!(double.status, 409);
    let reply = bamboo
        .call("POST", &path, Some(json!({"lastName": "Ny"})))
        .await;
    assert_eq!(reply.status, 200);
    let end = json!({"date": "2025-01-02", "employmentStatus": "Terminated"});
    let reply = bamboo
        .call(
            "POST",
            &format!("{path}/tables/employmentStatus"),
            Some(end),
        )
        .await;
    assert_eq!(reply.status, 200);
    let rows = bamboo.everybody().await;
    let row = rows.iter().find(|row| row["id"] == id).unwrap();
    assert_eq!(
        (&row["lastName"], &row["workEmail"]),
        (&json!("Ny"), &json!("kari@ny.example"))
    );
    assert_eq!(
        (&row["status"], &row["terminationDate"]),
        (&json!("Inactive"), &json!("2025-01-02"))
    );
}

#[tokio::test]
async fn faults_of_the_paged_read() {
    let [company, ..] = rehearsed(60);
    let all = ids(&company);
    let bamboo = Bamboo::new(60, &["empty"]).await;
    assert_eq!(bamboo.sweep(10).await.len(), 0);
    let bamboo = Bamboo::new(60, &["short-page"]).await;
    let short = bamboo.sweep(10).await;
    assert!(
        short.len() < all.len() && all.starts_with(&short),
        "the read ends early"
    );
    let bamboo = Bamboo::new(60, &["duplicate-rows"]).await;
    let doubled = bamboo.sweep(10).await;
    assert_eq!(doubled.len(), all.len() + all.len() / 10);
    assert_eq!(doubled.iter().collect::<BTreeSet<_>>().len(), all.len());
    let bamboo = Bamboo::new(60, &["moving-pages"]).await;
    let moved: BTreeSet<String> = bamboo.sweep(10).await.into_iter().collect();
    let lost: Vec<&String> = all.iter().filter(|id| !moved.contains(*id)).collect();
    assert_eq!(lost.len(), 1, "the row that slipped over the border");
    let bamboo = Bamboo::new(60, &["throttle"]).await;
    let reply = bamboo.page(1, 10).await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, "1"));
    assert_eq!(bamboo.page(1, 10).await.status, 200);
    let bamboo = Bamboo::new(60, &["server-error"]).await;
    let mut statuses = Vec::new();
    for page in [1, 2, 3, 3, 3, 4] {
        statuses.push(bamboo.page(page, 10).await.status);
    }
    assert_eq!(statuses, [200, 200, 500, 500, 200, 200]);
    let bamboo = Bamboo::new(60, &["expired-token"]).await;
    assert_eq!(bamboo.page(1, 10).await.status, 200);
    assert_eq!(bamboo.page(2, 10).await.status, 200);
    assert_eq!(bamboo.page(3, 10).await.status, 401);
    bamboo.0.sandbox.set_faults(Vec::new()).unwrap();
    assert_eq!(bamboo.page(3, 10).await.status, 200);
}

#[tokio::test]
async fn faults_of_the_whole_read() {
    let [company, earlier, other] = rehearsed(60);
    let bamboo = Bamboo::new(60, &["truncated-body"]).await;
    for _ in 0..2 {
        let reply = bamboo.report().await;
        assert!(serde_json::from_str::<Value>(&reply.text).is_err());
    }
    let bamboo = Bamboo::new(60, &["permission-loss"]).await;
    let rows = bamboo.everybody().await;
    assert!(!rows.is_empty() && rows.len() < company.employees.len());
    assert!(rows.iter().all(|row| row.get("dateOfBirth").is_none()));
    let bamboo = Bamboo::new(60, &["drop-field:workEmail"]).await;
    assert!(
        bamboo
            .everybody()
            .await
            .iter()
            .all(|row| row["workEmail"] == "")
    );
    let bamboo = Bamboo::new(60, &["wrong-company"]).await;
    let found = bamboo.everybody().await.len();
    assert_eq!(found, other.employees.len());
    let reply = bamboo.get("/api/v1/company_information").await.json();
    assert_eq!(reply["displayName"], other.name);
    let bamboo = Bamboo::new(60, &["stale"]).await;
    assert_eq!(bamboo.everybody().await.len(), earlier.employees.len());
    let bamboo = Bamboo::new(60, &["slow"]).await;
    assert_eq!(bamboo.everybody().await.len(), company.employees.len());
    let bamboo = Bamboo::new(60, &["duplicate-rows"]).await;
    assert_eq!(
        bamboo.everybody().await.len(),
        company.employees.len() + company.employees.len() / 10
    );
}
