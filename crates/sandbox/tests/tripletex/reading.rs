//! Lists, single objects, the `fields` grammar.

use muster_sandbox::company::Company;
use serde_json::{Value, json};

use crate::support::{Caller, company, ids};

#[tokio::test]
async fn pages_are_counted_from_and_end_with_a_short_one() {
    let caller = Caller::new(25).await;
    let reply = caller.get("/employee?from=20&count=10").await;
    assert_eq!(reply.body["fullResultSize"], 25);
    assert_eq!(reply.body["from"], 20);
    assert_eq!(reply.body["count"], 5);
    assert_eq!(
        reply.body["versionDigest"],
        "Checksum not yet supported for this endpoint"
    );
    assert_eq!(ids(&reply.values()), [1021, 1022, 1023, 1024, 1025]);
    assert_eq!(
        ids(&caller.sweep(10).await),
        (1001..=1025).collect::<Vec<_>>()
    );
    assert!(caller.get("/employee?from=99").await.values().is_empty());
}

#[tokio::test]
async fn a_page_may_hold_ten_thousand_rows_and_no_more() {
    let caller = Caller::new(3).await;
    assert_eq!(caller.get("/employee?count=10000").await.status, 200);
    let reply = caller.get("/employee?count=10001").await;
    assert_eq!((reply.status, reply.code()), (422, 23000));
    let reply = caller.get("/employee?count=many").await;
    assert_eq!((reply.status, reply.code()), (422, 21000));
}

#[tokio::test]
async fn an_employee_reads_as_recorded() {
    let caller = Caller::new(4).await;
    let reply = caller.get("/employee/1003").await;
    let employee = &reply.body["value"];
    assert_eq!(employee["userType"], json!(null));
    assert_eq!(employee["nationalIdentityNumber"], "");
    assert_eq!(employee["internationalId"]["number"], "131052-0003");
    assert_eq!(employee["department"].as_object().unwrap().len(), 2);
    assert_eq!(employee["address"], json!(null));
    assert_eq!(employee["companyId"], 93_000_001);
    let url = employee["url"].as_str().unwrap();
    assert!(
        url.ends_with("/v2/employee/1003") && !url.contains("://"),
        "{url}"
    );
    assert_eq!(
        employee["employments"][0].as_object().unwrap().len(),
        2,
        "a reference without a sub-selection is id and url"
    );
    assert_eq!(employee.get("changes"), None);
    // Fields of the recorded answer, in its order.
    let recorded: Value = serde_json::from_str(include_str!(
        "../../../../connectors/tripletex/fixtures/recorded-shapes.json"
    ))
    .unwrap();
    let names =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(
        names(employee),
        names(&recorded["GET /v2/employee"]["values"][0])
    );
    // The department that nobody manages has the recorded fields, too.
    let department = caller.get("/department/503").await.body["value"].clone();
    assert_eq!(
        names(&department),
        names(&recorded["GET /v2/department"]["values"][0])
    );
}

#[tokio::test]
async fn sub_selections_expand_what_they_name() {
    let caller = Caller::new(5).await;
    let reply = caller
        .get("/employee?id=1005&fields=id,department(name,departmentManager(id)),employments(startDate,endDate,employmentDetails(date,employmentType,occupationCode(nameNO,code)))")
        .await;
    assert_eq!(
        reply.values()[0]["department"],
        json!({"name": "Økonomi"}),
        "a manager that is not set is left out"
    );
    let employments = reply.values()[0]["employments"].clone();
    assert_eq!(employments[1]["endDate"], "2024-12-31");
    let last = &employments[1]["employmentDetails"][1];
    assert_eq!(last["date"], "2024-08-01");
    assert_eq!(last["employmentType"], "FREELANCE");
    assert_eq!(last["occupationCode"]["nameNO"], "Montør");
    let codes = caller
        .get(&format!(
            "/employee/employment/occupationCode?code={}",
            last["occupationCode"]["code"].as_str().unwrap()
        ))
        .await;
    assert_eq!(codes.values()[0]["nameNO"], "Montør");
    let changes = caller
        .get("/employee/1001?fields=changes(changeType)")
        .await;
    assert_eq!(
        changes.body["value"]["changes"][0],
        json!({"changeType": "CREATE"})
    );
}

#[tokio::test]
async fn an_unknown_field_is_an_illegal_filter() {
    let caller = Caller::new(3).await;
    for fields in [
        "id,startDate",
        "department(nope)",
        "department(id",
        "firstName(id)",
    ] {
        let reply = caller.get(&format!("/employee?fields={fields}")).await;
        assert_eq!((reply.status, reply.code()), (400, 11000), "{fields}");
    }
    let reply = caller.get("/employee/1001?fields=salary").await;
    assert_eq!((reply.status, reply.code()), (400, 11000));
}

#[tokio::test]
async fn the_employees_list_filters_as_documented() {
    let caller = Caller::new(12).await;
    for (query, expected) in [
        ("id=1003,1001", vec![1001, 1003]),
        ("firstName=%C3%A5s", vec![1004, 1008, 1012]),
        ("lastName=00007", vec![1007]),
        ("email=PERSON12@", vec![1012]),
        ("employeeNumber=1", vec![1001]),
        ("departmentId=501&id=1001,1003,1006", vec![1003, 1006]),
        ("hasSystemAccess=false", vec![1011]),
        ("onlyContacts=true", vec![]),
        ("onlyEmployeeTokens=true", vec![1001]),
        ("periodEnd=2024-01-31", vec![]),
        (
            "periodStart=2024-06-01&periodEnd=2024-06-30&id=1001",
            vec![1001],
        ),
        ("sorting=-id&count=2", vec![1012, 1011]),
        (
            "sorting=department.name,-lastName&count=2",
            vec![1010, 1007],
        ),
    ] {
        let reply = caller.get(&format!("/employee?{query}")).await;
        assert_eq!(ids(&reply.values()), expected, "{query}");
    }
    let reply = caller.get("/employee?id=1,two").await;
    assert_eq!((reply.status, reply.code()), (422, 12000));
    let reply = caller.get("/employee?sorting=employments.startDate").await;
    assert_eq!((reply.status, reply.code()), (422, 17000));
    let reply = caller.get("/employee/two").await;
    assert_eq!((reply.status, reply.code()), (400, 12000));
}

#[tokio::test]
async fn employments_departments_and_the_rest_can_be_read() {
    let caller = Caller::new(12).await;
    for (path, expected) in [
        ("/employee/employment?employeeId=1005", vec![70_051, 70_052]),
        (
            "/employee/employment/details?employmentId=70011,70021",
            vec![700_110, 700_111, 700_210, 700_211],
        ),
        ("/department?name=sal", vec![501]),
        ("/department?departmentManagerId=1002", vec![502]),
        ("/department?isInactive=true", vec![]),
        ("/department/query?query=20", vec![502]),
        ("/division", vec![93_000_001]),
        ("/company/%3EwithLoginAccess", vec![93_000_001]),
        ("/country?code=NO", vec![161]),
    ] {
        let reply = caller.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(ids(&reply.values()), expected, "{path}");
    }
    let queried = caller.get("/department/query").await;
    assert_eq!(queried.values()[0], json!({"id": 501, "name": "Salg"}));
    let company = caller.get("/company/93000001").await;
    assert_eq!(company.body["value"]["name"], "Fjordlys AS");
    assert_eq!(caller.get("/company/94000002").await.status, 404);
}

#[tokio::test]
async fn departments_have_a_checksum_for_who_asks() {
    let caller = Caller::new(3).await;
    let ask = |known: String| {
        caller
            .request("GET", "/department")
            .basic_auth("0", Some(&caller.session))
            .header("If-None-Match", known)
            .send()
    };
    let first: Value = ask("any".to_owned()).await.unwrap().json().await.unwrap();
    let checksum = first["versionDigest"].as_str().unwrap().to_owned();
    assert_eq!(ask(checksum.clone()).await.unwrap().status(), 304);
    caller
        .put("/department/501", json!({"name": "Salg og service"}))
        .await;
    assert_eq!(ask(checksum).await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_next_day_keeps_tokens_and_codes() {
    let caller = Caller::new(5).await;
    let code = |rows: Vec<Value>| rows[0]["id"].clone();
    let before = caller
        .get("/employee/employment/occupationCode?nameNO=Mont")
        .await;
    let mut next: Company = company(6);
    next.employees[0].engagements[0].periods[0].job_title = "Anleggsleder".to_owned();
    caller.sandbox.set_company(next);
    assert_eq!(caller.sweep(100).await.len(), 6);
    let after = caller
        .get("/employee/employment/occupationCode?nameNO=Mont")
        .await;
    assert_eq!(code(before.values()), code(after.values()));
}

#[tokio::test]
async fn an_empty_company_is_a_valid_one() {
    let caller = Caller::new(0).await;
    assert_eq!(caller.sweep(10).await.len(), 0);
    let who = caller.get("/token/session/>whoAmI").await;
    assert_eq!(who.status, 200);
    assert_eq!(who.body["value"]["employee"], json!(null));
}

#[tokio::test]
async fn a_page_far_into_a_large_company_is_found() {
    let caller = Caller::new(20_000).await;
    let reply = caller.get("/employee?from=19990&count=1000").await;
    assert_eq!(reply.body["fullResultSize"], 20_000);
    assert_eq!(ids(&reply.values()), (20_991..=21_000).collect::<Vec<_>>());
}
