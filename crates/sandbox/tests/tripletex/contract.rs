//! The contract: what it refuses, and that the simulator keeps it.

use muster_sandbox::Exchange;
use muster_sandbox::contract::{Contract, ViolationKind};
use serde_json::{Value, json};

use crate::support::Caller;

fn own() -> Contract {
    Contract::load(include_str!(
        "../../../../connectors/tripletex/contract/openapi.json"
    ))
    .unwrap()
}

/// Our contract, and the vendor's document where it is at hand.
fn contracts() -> Vec<(&'static str, Contract)> {
    let mut contracts = vec![("our contract", own())];
    match std::env::var_os("MUSTER_VENDOR_SPECS") {
        None => println!("not run: the vendor's document, MUSTER_VENDOR_SPECS is not set"),
        Some(folder) => {
            let path = std::path::Path::new(&folder).join("tripletex.json");
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    contracts.push(("the vendor's document", Contract::load(&text).unwrap()));
                }
                Err(error) => println!("not run: the vendor's document, {error}"),
            }
        }
    }
    contracts
}

fn read(query: &str, body: &Value) -> Exchange {
    Exchange {
        method: "GET".to_owned(),
        path: "/v2/employee".to_owned(),
        query: query.to_owned(),
        request_body: None,
        status: 200,
        response_body: Some(body.to_string()),
    }
}

fn page() -> Value {
    json!({
        "fullResultSize": 1, "from": 0, "count": 1, "versionDigest": "",
        "values": [{"id": 1, "firstName": "Kari", "employments": [{"startDate": "2024-02-01"}]}]
    })
}

fn kinds(contract: &Contract, exchange: &Exchange) -> Vec<(ViolationKind, String)> {
    contract
        .check(exchange)
        .into_iter()
        .map(|violation| (violation.kind, violation.place))
        .collect()
}

#[test]
fn a_page_that_keeps_the_contract_passes_and_each_breach_is_named() {
    for (name, contract) in contracts() {
        assert_eq!(
            kinds(&contract, &read("count=1&fields=*", &page())),
            [],
            "{name}"
        );
        assert_eq!(
            kinds(&contract, &read("changedSince=2025-01-01", &page())),
            [(
                ViolationKind::UnknownParameter,
                "query.changedSince".to_owned()
            )]
        );
        assert_eq!(
            kinds(&contract, &read("includeContacts=maybe", &page())),
            [(
                ViolationKind::ParameterType,
                "query.includeContacts".to_owned()
            )]
        );
        for field in ["fullResultSize", "from", "count", "versionDigest", "values"] {
            let mut body = page();
            body.as_object_mut().unwrap().remove(field);
            assert_eq!(
                kinds(&contract, &read("", &body)),
                [(ViolationKind::MissingField, "answer".to_owned())],
                "{field}"
            );
            let mut body = page();
            body[field] = Value::Null;
            assert_eq!(
                kinds(&contract, &read("", &body)),
                [(ViolationKind::WrongType, format!("answer/{field}"))]
            );
        }
        let mut body = page();
        body["values"][0]["id"] = json!("1");
        assert_eq!(
            kinds(&contract, &read("", &body)),
            [(ViolationKind::WrongType, "answer/values/0/id".to_owned())]
        );
        let mut body = page();
        body["values"][0]["employments"][0]["status"] = json!("ACTIVE");
        assert_eq!(
            kinds(&contract, &read("", &body)),
            [(
                ViolationKind::UnknownProperty,
                "answer/values/0/employments/0".to_owned()
            )]
        );
        let mut body = page();
        body["values"][0]["userType"] = json!("ADMIN");
        assert_eq!(
            kinds(&contract, &read("", &body)),
            [(
                ViolationKind::NotListed,
                "answer/values/0/userType".to_owned()
            )]
        );
    }
}

#[test]
fn null_passes_anywhere_but_in_an_envelope() {
    let contract = own();
    let mut body = page();
    body["values"][0] = json!({"id": 1, "userType": null, "address": null, "department": null, "employments": null});
    assert_eq!(kinds(&contract, &read("", &body)), []);
    let mut single = read("", &json!({"value": null}));
    single.path = "/v2/employee/1".to_owned();
    assert_eq!(
        kinds(&contract, &single),
        [(ViolationKind::WrongType, "answer/value".to_owned())]
    );
}

#[test]
fn requests_are_judged_by_path_method_and_body() {
    let contract = own();
    let mut exchange = read("", &page());
    exchange.path = "/v2/employees".to_owned();
    assert_eq!(
        kinds(&contract, &exchange),
        [(ViolationKind::UnknownOperation, "path".to_owned())]
    );
    exchange.path = "/v2/employee/one".to_owned();
    exchange.response_body = Some(json!({"value": {}}).to_string());
    assert_eq!(
        kinds(&contract, &exchange),
        [(ViolationKind::ParameterType, "path".to_owned())]
    );
    let write = |body: Option<Value>| Exchange {
        method: "PUT".to_owned(),
        path: "/v2/employee/1".to_owned(),
        query: String::new(),
        request_body: body.map(|body| body.to_string()),
        status: 200,
        response_body: Some(json!({"value": {}}).to_string()),
    };
    assert_eq!(
        kinds(&contract, &write(Some(json!({"firstName": "Kari"})))),
        []
    );
    assert_eq!(
        kinds(&contract, &write(None)),
        [(ViolationKind::MissingInput, "request".to_owned())]
    );
    assert_eq!(
        kinds(&contract, &write(Some(json!({"startDate": "2025-01-01"})))),
        [(ViolationKind::UnknownProperty, "request".to_owned())]
    );
    let mut refused = write(None);
    refused.status = 404;
    assert!(
        kinds(&contract, &refused).contains(&(ViolationKind::UnknownProperty, "answer".to_owned())),
        "an error body has a form of its own"
    );
    let mut grant = write(None);
    grant.path = "/v2/employee/entitlement/:grantEntitlementsByTemplate".to_owned();
    grant.response_body = None;
    assert_eq!(
        kinds(&contract, &grant).len(),
        2,
        "two parameters are required"
    );
}

#[test]
fn recorded_answers_keep_the_contract() {
    let recorded: Value = serde_json::from_str(include_str!(
        "../../../../connectors/tripletex/fixtures/recorded-shapes.json"
    ))
    .unwrap();
    for (name, contract) in contracts() {
        for path in ["/v2/employee", "/v2/department"] {
            let mut exchange = read("", &recorded[format!("GET {path}")]);
            exchange.path = path.to_owned();
            assert_eq!(contract.check(&exchange), [], "{name}: {path}");
        }
    }
}

#[test]
fn a_document_that_is_no_contract_is_refused() {
    for text in ["", "[]", "{\"components\":{\"schemas\":{}}}"] {
        assert!(Contract::load(text).is_err(), "{text}");
    }
}

/// Every exchange so far must keep the contract: asked and answered.
fn assert_kept(caller: &Caller) {
    let exchanges = caller.sandbox.exchanges();
    assert!(!exchanges.is_empty());
    for (name, contract) in contracts() {
        for exchange in &exchanges {
            let violations = contract.check(exchange);
            assert!(
                violations.is_empty(),
                "{name}: {} {}?{} -> {}: {violations:#?}",
                exchange.method,
                exchange.path,
                exchange.query,
                exchange.status
            );
        }
    }
}

#[tokio::test]
async fn every_route_keeps_the_contract() {
    let caller = Caller::new(30).await;
    let credentials = caller.sandbox.credentials();
    caller
        .send_raw(
            "PUT",
            &format!(
                "/token/session/%3Acreate?consumerToken={}&employeeToken={}&expirationDate=2025-06-02",
                credentials["consumer_token"], credentials["employee_token"]
            ),
            None,
            None,
        )
        .await;
    for path in [
        "/token/session/>whoAmI",
        "/token/session/%3EwhoAmI?fields=*,employee(*),company(*)",
        "/company/>withLoginAccess",
        "/company/93000001?fields=*,currency(*)",
        "/country",
        "/department?fields=*,changes,departmentManager(*)",
        "/department/501",
        "/department/query",
        "/division?fields=*,municipality(*)",
        "/employee?fields=*,changes(*),internationalId(*),phoneNumberMobileCountry(*),address(*,country(*)),department(*),employments(*,division(*),latestSalary(*),employmentDetails(*,occupationCode(*),payrollTaxMunicipalityId(*)))",
        "/employee?includeContacts=true&onlyContacts=false&count=5&from=5&sorting=lastName",
        "/employee/1001",
        "/employee/employment",
        "/employee/employment/70011",
        "/employee/employment/details",
        "/employee/employment/details/700110",
        "/employee/employment/occupationCode",
        "/employee/entitlement?fields=*,customer(*)",
        "/employee/999",
        "/employee?fields=nope",
        "/no/such/path",
    ] {
        caller.get(path).await;
    }
    let person = |number: u32| {
        json!({"firstName": "Nils", "lastName": "Ny", "userType": "STANDARD", "department": {"id": 501},
               "email": format!("nils{number}@fjordlys.example"), "dateOfBirth": "1999-01-01"})
    };
    let made = caller.post("/employee", person(1)).await;
    let id = made.body["value"]["id"].clone();
    for (method, path, body) in [
        (
            "POST",
            "/employee/list",
            Some(json!([person(2), person(3)])),
        ),
        ("PUT", "/employee/1001", Some(json!({"lastName": "Annet"}))),
        ("PUT", "/employee/1001", Some(json!({"version": 77}))),
        (
            "POST",
            "/employee/employment",
            Some(json!({"employee": {"id": id}, "startDate": "2025-07-01"})),
        ),
        (
            "PUT",
            "/employee/employment/70011",
            Some(json!({"endDate": "2025-07-01"})),
        ),
        (
            "POST",
            "/employee/employment/details",
            Some(json!({"employment": {"id": 70021}, "date": "2025-07-01"})),
        ),
        (
            "PUT",
            "/employee/employment/details/700110",
            Some(json!({"percentageOfFullTimeEquivalent": 10})),
        ),
        ("POST", "/department", Some(json!({"name": "Lager"}))),
        ("PUT", "/department/501", Some(json!({"name": "Nord"}))),
        ("POST", "/department/list", Some(json!([{"name": "Vest"}]))),
        (
            "PUT",
            "/department/list",
            Some(json!([{"id": 502, "version": 0, "name": "Øst"}])),
        ),
        ("DELETE", "/department/504", None),
        (
            "POST",
            "/division",
            Some(
                json!({"name": "Bergen", "organizationNumber": "987654321", "startDate": "2025-01-01", "municipality": {"id": 3}, "municipalityDate": "2025-01-01"}),
            ),
        ),
        (
            "PUT",
            "/employee/entitlement/:grantEntitlementsByTemplate?employeeId=1003&template=AUDITOR",
            None,
        ),
        ("POST", "/employee", Some(json!({}))),
    ] {
        let status = caller.send(method, path, body).await.status;
        assert!(status < 500, "{method} {path}: {status}");
    }
    let path = format!("/token/session/{}", caller.session);
    assert_eq!(caller.send("DELETE", &path, None).await.status, 204);
    caller.get("/employee").await;
    assert_kept(&caller);
    let operations: std::collections::BTreeSet<String> = caller
        .sandbox
        .exchanges()
        .iter()
        .filter(|exchange| exchange.status < 300)
        .map(|exchange| exchange.method.clone() + " " + &exchange.path)
        .collect();
    assert_eq!(
        operations.len(),
        33,
        "every route was asked with success: {operations:#?}"
    );
}

#[tokio::test]
async fn every_faulty_answer_keeps_the_contract() {
    for fault in [
        "empty",
        "short-page",
        "throttle",
        "server-error",
        "permission-loss",
        "duplicate-rows",
        "moving-pages",
        "expired-token",
        "slow",
        "drop-field:email",
        "drop-field:employments.startDate",
        "wrong-company",
        "stale",
    ] {
        let caller = Caller::with_faults(50, &[fault]).await;
        for from in [0, 10, 20, 30, 40] {
            caller
                .get(&format!(
                    "/employee?from={from}&count=10&fields=*,employments(*,employmentDetails(*))"
                ))
                .await;
        }
        caller.get("/employee/entitlement").await;
        assert_kept(&caller);
    }
}
