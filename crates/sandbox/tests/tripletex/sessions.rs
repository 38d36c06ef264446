//! Tokens, sessions, and what stands on every answer.

use serde_json::json;

use crate::faults::raw_get;
use crate::support::Caller;

#[tokio::test]
async fn the_legacy_call_makes_a_session_from_the_query_in_both_spellings() {
    let caller = Caller::new(3).await;
    let credentials = caller.sandbox.credentials();
    for path in ["/token/session/:create", "/token/session/%3Acreate"] {
        let reply = caller
            .send_raw(
                "PUT",
                &format!(
                    "{path}?consumerToken={}&employeeToken={}&expirationDate=2025-06-02",
                    credentials["consumer_token"], credentials["employee_token"]
                ),
                None,
                None,
            )
            .await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.body["value"]["encryptionKey"], json!(null));
        let token = reply.body["value"]["token"].as_str().unwrap();
        let who = caller
            .send_raw("GET", "/token/session/%3EwhoAmI", Some(("", token)), None)
            .await;
        assert_eq!(who.status, 200);
        assert_eq!(who.body["value"]["companyId"], 93_000_001);
        assert_eq!(who.body["value"]["employee"]["id"], 1001);
    }
}

#[tokio::test]
async fn wrong_tokens_and_wrong_users_are_refused_with_code_3000() {
    let caller = Caller::new(3).await;
    let session = caller.session.as_str();
    let wrong = caller
        .send_raw(
            "POST",
            "/token/session/:create",
            None,
            Some(
                json!({"consumerToken": "a", "employeeToken": "b", "expirationDate": "2025-06-02"}),
            ),
        )
        .await;
    assert_eq!((wrong.status, wrong.code()), (401, 3000));
    for (user, password, status) in [
        ("0", session, 200),
        ("", session, 200),
        ("93000001", session, 200),
        ("kari@fjordlys.example", session, 401),
        ("94000002", session, 401),
        ("0", "no-session", 401),
    ] {
        let reply = caller
            .send_raw("GET", "/employee", Some((user, password)), None)
            .await;
        assert_eq!(reply.status, status, "user {user:?}");
        if status == 401 {
            assert_eq!(reply.code(), 3000);
            assert_eq!(reply.body["message"], "Unauthorized");
        }
    }
    let nobody = caller.send_raw("GET", "/employee", None, None).await;
    assert_eq!(nobody.status, 401);
}

#[tokio::test]
async fn a_session_is_dead_from_the_start_of_its_expiry_date() {
    let mut caller = Caller::new(3).await;
    assert_eq!(caller.get("/employee").await.status, 200);
    caller.pass_day();
    assert_eq!(caller.get("/employee").await.status, 401);
    caller.sign_in_until("2025-06-05").await;
    assert_eq!(caller.get("/employee").await.status, 200);
}

#[tokio::test]
async fn a_session_that_was_ended_is_refused() {
    let caller = Caller::new(3).await;
    let path = format!("/token/session/{}", caller.session);
    let ended = caller.send("DELETE", &path, None).await;
    assert_eq!(ended.status, 204);
    assert_eq!(caller.get("/employee").await.status, 401);
    let kept = caller.sandbox.exchanges();
    assert!(
        kept.iter()
            .all(|exchange| !format!("{exchange:?}").contains(&caller.session)),
        "a kept exchange shows the session token"
    );
    for secret in caller.sandbox.credentials().values() {
        assert!(
            kept.iter()
                .all(|exchange| !format!("{exchange:?}").contains(secret))
        );
    }
}

#[tokio::test]
async fn every_answer_says_what_is_left_of_the_allowance() {
    let caller = Caller::new(3).await;
    for path in ["/employee", "/nothing", "/employee/999999"] {
        let reply = caller.get(path).await;
        for name in [
            "x-rate-limit-limit",
            "x-rate-limit-remaining",
            "x-rate-limit-reset",
            "x-tlx-request-id",
        ] {
            assert!(reply.headers.contains_key(name), "{path} lacks {name}");
        }
        if reply.status != 200 {
            assert_eq!((reply.status, reply.code()), (404, 6000));
            assert_eq!(
                reply.body["requestId"],
                reply.headers["x-tlx-request-id"].to_str().unwrap()
            );
        }
    }
}

#[tokio::test]
async fn the_first_line_names_what_a_connection_needs() {
    let caller = Caller::new(3).await;
    let line = caller.sandbox.first_line();
    assert!(line["base_url"].as_str().unwrap().ends_with("/v2"));
    let names: Vec<&String> = line["credentials"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["consumer_token", "employee_token"]);
    assert_eq!(line["settings"], json!({"test_identities": "accept"}));
    caller.sandbox.stop().await;
}

#[tokio::test]
async fn an_aggregate_may_be_asked_for_with_its_bracket_as_it_is() {
    let caller = Caller::new(3).await;
    for path in [
        "/v2/token/session/>whoAmI",
        "/v2/company/>withLoginAccess?count=1",
    ] {
        let (_, body) = raw_get(&caller, path).await;
        assert!(
            String::from_utf8_lossy(&body).contains("93000001"),
            "{path}"
        );
    }
}
