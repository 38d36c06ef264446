//! Write calls: what they change and what they refuse.

use serde_json::{Value, json};

use crate::support::Caller;

fn newcomer() -> Value {
    json!({
        "firstName": "Nils", "lastName": "Nykommer", "userType": "STANDARD",
        "email": "nils.nykommer@fjordlys.example", "dateOfBirth": "1999-12-31",
        "department": {"id": 501}
    })
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

fn without(mut body: Value, name: &str) -> Value {
    body.as_object_mut().unwrap().remove(name);
    body
}

#[tokio::test]
async fn a_hire_goes_in_step_by_step_and_reads_back() {
    let caller = Caller::new(5).await;
    let made = caller.post("/employee", newcomer()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.body["value"]["id"].as_u64().unwrap();
    assert_eq!(made.body["value"]["version"], 0);
    assert_eq!(made.body["value"]["userType"], json!(null));
    let employment = caller
        .post(
            "/employee/employment",
            json!({"employee": {"id": id}, "startDate": "2025-07-01", "isMainEmployer": false}),
        )
        .await;
    assert_eq!(employment.status, 201, "{}", employment.body);
    assert_eq!(
        employment.body["value"]["taxDeductionCode"],
        "loennFraBiarbeidsgiver"
    );
    let employment = employment.body["value"]["id"].as_u64().unwrap();
    let code = caller
        .get("/employee/employment/occupationCode?nameNO=Elektriker")
        .await
        .values()[0]["id"]
        .clone();
    let details = json!({
        "employment": {"id": employment}, "date": "2025-07-01", "employmentType": "ORDINARY",
        "employmentForm": "TEMPORARY", "percentageOfFullTimeEquivalent": 62.5, "occupationCode": {"id": code},
        "annualSalary": 600000
    });
    let made = caller
        .post("/employee/employment/details", details.clone())
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["value"]["monthlySalary"], 50000.0);
    let again = caller.post("/employee/employment/details", details).await;
    assert_eq!((again.status, again.fields()), (422, vec![Some("date")]));
    let read = caller
        .get(&format!("/employee/{id}?fields=email,employments(startDate,employmentDetails(percentageOfFullTimeEquivalent))"))
        .await;
    assert_eq!(
        read.body["value"],
        json!({"email": "nils.nykommer@fjordlys.example", "employments": [
            {"startDate": "2025-07-01", "employmentDetails": [{"percentageOfFullTimeEquivalent": 62.5}]}
        ]})
    );
}

#[tokio::test]
async fn what_a_create_needs_is_said_field_by_field() {
    let caller = Caller::new(5).await;
    let body = newcomer();
    for (body, fields) in [
        (without(body.clone(), "firstName"), vec![Some("firstName")]),
        (
            without(without(body.clone(), "firstName"), "lastName"),
            vec![Some("firstName"), Some("lastName")],
        ),
        (without(body.clone(), "userType"), vec![None]),
        (
            without(body.clone(), "department"),
            vec![Some("department.id")],
        ),
        (
            with(body.clone(), "department", json!({"id": 999})),
            vec![Some("department.id")],
        ),
        (without(body.clone(), "email"), vec![Some("email")]),
        (
            with(body.clone(), "email", json!("PERSON1@fjordlys.example")),
            vec![Some("email")],
        ),
        (
            with(body.clone(), "email", json!("kåre@fjordlys.example")),
            vec![Some("email")],
        ),
        (
            with(body.clone(), "email", json!("nobody")),
            vec![Some("email")],
        ),
        (with(body.clone(), "id", json!(7)), vec![Some("id")]),
        (
            with(
                without(body.clone(), "dateOfBirth"),
                "employments",
                json!([{"startDate": "2025-07-01"}]),
            ),
            vec![Some("employments.employee.dateOfBirth")],
        ),
        (
            with(
                body.clone(),
                "employments",
                json!([{"endDate": "2025-07-01"}]),
            ),
            vec![Some("employments.startDate")],
        ),
    ] {
        let reply = caller.post("/employee", body.clone()).await;
        assert_eq!((reply.status, reply.code()), (422, 18000), "{body}");
        assert_eq!(reply.fields(), fields, "{body}");
    }
    let missing = caller
        .post("/employee", without(body.clone(), "firstName"))
        .await;
    assert_eq!(
        missing.body["validationMessages"][0]["path"],
        "null.firstName"
    );
    assert_eq!(missing.body["message"], "Validering feilet.");
    assert_eq!(caller.sweep(100).await.len(), 5, "nothing was created");
    let quiet = with(without(body, "email"), "userType", json!("NO_ACCESS"));
    assert_eq!(caller.post("/employee", quiet).await.status, 201);
}

#[tokio::test]
async fn what_does_not_fit_the_object_is_a_mapping_error() {
    let caller = Caller::new(5).await;
    let unknown = caller
        .post(
            "/employee",
            with(newcomer(), "startDate", json!("2025-07-01")),
        )
        .await;
    assert_eq!((unknown.status, unknown.code()), (422, 16000));
    assert_eq!(unknown.fields(), [Some("startDate")]);
    let wrong = caller
        .post("/employee", with(newcomer(), "employments", json!([{"startDate": "2025-07-01", "employmentDetails": [{"employmentType": "CASUAL"}]}])))
        .await;
    assert_eq!(wrong.body["message"], "Request mapping failed");
    let message = &wrong.body["validationMessages"][0];
    assert_eq!(
        message["field"],
        "employments.employmentDetails.employmentType"
    );
    assert_eq!(
        message["path"],
        "employments[0].employmentDetails[0].employmentType"
    );
    for body in [
        json!({"firstName": 1}),
        json!({"dateOfBirth": "yesterday"}),
        json!({"department": 501}),
        json!([]),
    ] {
        let reply = caller.put("/employee/1001", body.clone()).await;
        assert_eq!((reply.status, reply.code()), (422, 16000), "{body}");
    }
    let text = caller
        .request("POST", "/employee")
        .basic_auth("0", Some(&caller.session))
        .body("{\"firstName\":")
        .send()
        .await
        .unwrap();
    assert_eq!(text.status(), 422);
    assert_eq!(text.json::<Value>().await.unwrap()["code"], 22000);
}

#[tokio::test]
async fn an_update_is_partial_and_locks_by_version() {
    let caller = Caller::new(5).await;
    let before = caller.get("/employee/1002").await.body["value"].clone();
    let version = before["version"].as_u64().unwrap();
    let changed = caller
        .put(
            "/employee/1002",
            json!({"version": version, "lastName": "Giftenavn"}),
        )
        .await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let after = &changed.body["value"];
    assert_eq!(after["version"], version + 1);
    assert_eq!(after["lastName"], "Giftenavn");
    assert_eq!(after["email"], before["email"]);
    assert_eq!(after["employments"], before["employments"]);
    let stale = caller
        .put(
            "/employee/1002",
            json!({"version": version, "lastName": "Annet"}),
        )
        .await;
    assert_eq!((stale.status, stale.code()), (409, 8000));
    let blind = caller
        .put("/employee/1002", json!({"phoneNumberWork": "22000000"}))
        .await;
    assert_eq!(blind.status, 200);
    assert_eq!(blind.body["value"]["version"], version + 2);
    // What was read can be sent back whole, and changes nothing.
    let whole = caller
        .put("/employee/1002", blind.body["value"].clone())
        .await;
    assert_eq!(whole.status, 200, "{}", whole.body);
    assert_eq!(whole.body, blind.body);
    assert_eq!(caller.put("/employee/9", json!({})).await.status, 404);
    assert_eq!(
        caller.send("DELETE", "/employee/1002", None).await.status,
        404
    );
}

#[tokio::test]
async fn an_address_is_written_through_the_employee() {
    let caller = Caller::new(5).await;
    for id in [1001, 1002] {
        let reply = caller
            .put(
                &format!("/employee/{id}"),
                json!({"address": {"addressLine1": "Nyveien 2", "country": {"id": 161}}}),
            )
            .await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let read = caller
            .get(&format!(
                "/employee/{id}?fields=address(addressLine1,country(isoAlpha2Code))"
            ))
            .await;
        assert_eq!(
            read.body["value"]["address"],
            json!({"addressLine1": "Nyveien 2", "country": {"isoAlpha2Code": "NO"}})
        );
    }
}

#[tokio::test]
async fn an_employment_ends_by_its_end_date_and_begins_before_its_second_details() {
    let caller = Caller::new(5).await;
    let path = "/employee/employment/70011";
    let ended = caller
        .put(
            path,
            json!({"endDate": "2025-06-30", "employmentEndReason": "EMPLOYMENT_END_EMPLOYEE"}),
        )
        .await;
    assert_eq!(ended.status, 200, "{}", ended.body);
    assert_eq!(ended.body["value"]["endDate"], "2025-06-30");
    assert_eq!(ended.body["value"]["version"], 2);
    let late = caller.put(path, json!({"startDate": "2024-08-01"})).await;
    assert_eq!((late.status, late.fields()), (422, vec![Some("startDate")]));
    let early = caller.put(path, json!({"endDate": "2020-01-01"})).await;
    assert_eq!((early.status, early.fields()), (422, vec![Some("endDate")]));
    let moved = caller.put(path, json!({"startDate": "2024-03-01"})).await;
    assert_eq!(moved.status, 200);
    assert_eq!(
        caller.get("/employee/employment/details/700110").await.body["value"]["date"],
        "2024-03-01"
    );
    let reopened = caller
        .put(path, json!({"endDate": null, "employmentEndReason": null}))
        .await;
    assert_eq!(reopened.body["value"]["endDate"], json!(null));
    let details = caller
        .put(
            "/employee/employment/details/700111",
            json!({"percentageOfFullTimeEquivalent": 50}),
        )
        .await;
    assert_eq!(
        details.body["value"]["percentageOfFullTimeEquivalent"],
        50.0
    );
}

#[tokio::test]
async fn departments_are_made_changed_and_deleted() {
    let caller = Caller::new(5).await;
    let made = caller.post("/department", json!({"name": "Lager"})).await;
    assert_eq!(made.status, 201);
    let id = made.body["value"]["id"].as_u64().unwrap();
    let taken = caller
        .post(
            "/department",
            json!({"name": "Lager 2", "departmentNumber": "10"}),
        )
        .await;
    assert_eq!(
        (taken.status, taken.fields()),
        (422, vec![Some("departmentNumber")])
    );
    let nameless = caller.post("/department", json!({})).await;
    assert_eq!(
        (nameless.status, nameless.fields()),
        (422, vec![Some("name")])
    );
    let changed = caller
        .put(
            &format!("/department/{id}"),
            json!({"version": 0, "departmentManager": {"id": 1003}}),
        )
        .await;
    assert_eq!(changed.body["value"]["departmentManager"]["id"], 1003);
    assert_eq!(
        caller
            .send("DELETE", &format!("/department/{id}"), None)
            .await
            .status,
        204
    );
    assert_eq!(caller.get(&format!("/department/{id}")).await.status, 404);
    assert_eq!(
        caller.send("DELETE", "/department/502", None).await.status,
        422,
        "in use"
    );
}

#[tokio::test]
async fn lists_are_written_whole_or_not_at_all() {
    let caller = Caller::new(5).await;
    let second = with(newcomer(), "email", json!("andre@fjordlys.example"));
    let twice = caller
        .post("/employee/list", json!([newcomer(), newcomer()]))
        .await;
    assert_eq!((twice.status, twice.fields()), (422, vec![Some("email")]));
    assert_eq!(caller.sweep(100).await.len(), 5);
    let both = caller
        .post("/employee/list", json!([newcomer(), second]))
        .await;
    assert_eq!((both.status, both.body["count"].as_u64()), (201, Some(2)));
    let departments = caller
        .post("/department/list", json!([{"name": "A"}, {}]))
        .await;
    assert_eq!(departments.status, 422);
    assert_eq!(caller.get("/department").await.body["count"], 3);
    let renamed = caller
        .put("/department/list", json!([{"id": 501, "version": 0, "name": "Nord"}, {"id": 502, "version": 0, "name": "Sør"}]))
        .await;
    assert_eq!(
        (renamed.status, renamed.values()[1]["name"].as_str()),
        (200, Some("Sør"))
    );
}

#[tokio::test]
async fn a_division_is_no_legal_entity() {
    let caller = Caller::new(5).await;
    let own = caller.get("/company/93000001").await.body["value"]["organizationNumber"].clone();
    let division = json!({
        "name": "Avdeling Bergen", "organizationNumber": "987654321", "startDate": "2025-01-01",
        "municipality": {"id": 3}, "municipalityDate": "2025-01-01"
    });
    assert_eq!(caller.post("/division", division.clone()).await.status, 201);
    let refused = caller
        .post("/division", with(division, "organizationNumber", own))
        .await;
    assert_eq!(
        (refused.status, refused.fields()),
        (422, vec![Some("organizationNumber")])
    );
    let empty = caller.post("/division", json!({})).await;
    assert_eq!(empty.fields().len(), 5);
}

#[tokio::test]
async fn rights_are_granted_by_template() {
    let caller = Caller::new(5).await;
    let path = "/employee/entitlement/:grantEntitlementsByTemplate";
    let rights = async || {
        caller
            .get("/employee/entitlement?employeeId=1003")
            .await
            .values()
            .len()
    };
    assert_eq!(rights().await, 0);
    for (template, expected) in [("PERSONELL_MANAGER", 4), ("NONE_PRIVILEGES", 0)] {
        let reply = caller
            .send(
                "PUT",
                &format!("{path}?employeeId=1003&template={template}"),
                None,
            )
            .await;
        assert_eq!(reply.status, 200);
        assert_eq!(rights().await, expected, "{template}");
    }
    let unknown = caller
        .send(
            "PUT",
            &format!("{path}?employeeId=1003&template=KING"),
            None,
        )
        .await;
    assert_eq!((unknown.status, unknown.code()), (422, 21000));
}
