//! Each fault as a caller sees it.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Caller, ids};

#[tokio::test]
async fn empty_gives_a_valid_first_page_without_rows() {
    let caller = Caller::with_faults(30, &["empty"]).await;
    let reply = caller.get("/employee?count=10").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body["values"], json!([]));
    assert_eq!(reply.body["count"], 0);
    assert_eq!(
        caller
            .get("/employee?from=10&count=10")
            .await
            .values()
            .len(),
        10
    );
}

#[tokio::test]
async fn short_page_ends_the_read_by_the_vendors_rule() {
    let caller = Caller::with_faults(50, &["short-page"]).await;
    assert_eq!(caller.sweep(10).await.len(), 25);
    let middle = caller.get("/employee?from=20&count=10").await;
    assert_eq!(middle.body["count"], 5);
    assert_eq!(middle.body["fullResultSize"], 50);
    // In one page the last is the middle.
    assert_eq!(caller.sweep(100).await.len(), 25);
}

#[tokio::test]
async fn truncated_body_stops_inside_a_value_with_either_length() {
    let caller = Caller::with_faults(50, &["truncated-body"]).await;
    assert_eq!(caller.get("/employee?from=0&count=10").await.status, 200);
    for _ in 0..2 {
        let (claimed, body) = raw_get(&caller, "/v2/employee?from=20&count=10").await;
        assert_eq!(claimed, body.len());
        assert!(serde_json::from_slice::<serde_json::Value>(&body).is_err());
        assert_ne!(body.last(), Some(&b'"'));
        let (claimed, body) = raw_get(&caller, "/v2/employee?from=20&count=10").await;
        assert!(claimed > body.len(), "{claimed} {}", body.len());
        assert!(serde_json::from_slice::<serde_json::Value>(&body).is_err());
    }
}

/// The length header and the body, whatever they are.
pub(crate) async fn raw_get(caller: &Caller, path: &str) -> (usize, Vec<u8>) {
    let url = caller.sandbox.base_url();
    let host = url.trim_start_matches("http://").trim_end_matches("/v2");
    let mut socket = tokio::net::TcpStream::connect(host).await.unwrap();
    let basic = caller
        .request("GET", "/")
        .basic_auth("0", Some(&caller.session))
        .build()
        .unwrap();
    let basic = basic.headers()["authorization"].to_str().unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {basic}\r\nConnection: close\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A body shorter than promised may end in a reset; what came is what counts.
    let _ = socket.read_to_end(&mut answer).await;
    let border = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let (head, body) = answer.split_at(border + 4);
    let head = String::from_utf8_lossy(head).to_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let claimed = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap_or_else(|| panic!("no length in {head}"));
    (claimed.trim().parse().unwrap(), body.to_vec())
}

#[tokio::test]
async fn throttle_refuses_one_of_five_calls_and_says_for_how_long() {
    let caller = Caller::with_faults(30, &["throttle"]).await;
    let mut statuses = Vec::new();
    for _ in 0..10 {
        let reply = caller.get("/employee").await;
        if reply.status == 429 {
            assert_eq!(reply.headers["x-rate-limit-reset"], "1");
            assert_eq!(reply.headers["x-rate-limit-remaining"], "0");
        }
        statuses.push(reply.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 2);
    assert_eq!(statuses[..5], statuses[5..]);
}

#[tokio::test]
async fn server_error_breaks_the_third_page_twice() {
    let caller = Caller::with_faults(50, &["server-error"]).await;
    assert_eq!(caller.get("/employee?from=10&count=10").await.status, 200);
    for _ in 0..2 {
        let reply = caller.get("/employee?from=20&count=10").await;
        assert_eq!((reply.status, reply.code()), (500, 1000));
    }
    assert_eq!(caller.get("/employee?from=20&count=10").await.status, 200);
    // One page: the last takes the third's place.
    let caller = Caller::with_faults(5, &["server-error"]).await;
    assert_eq!(caller.get("/employee").await.status, 500);
}

#[tokio::test]
async fn expired_token_refuses_once_after_the_second_page() {
    let mut caller = Caller::with_faults(50, &["expired-token"]).await;
    assert_eq!(caller.get("/employee?from=0&count=10").await.status, 200);
    assert_eq!(caller.get("/employee?from=10&count=10").await.status, 200);
    let reply = caller.get("/employee?from=20&count=10").await;
    assert_eq!((reply.status, reply.code()), (401, 3000));
    caller.sign_in().await;
    assert_eq!(caller.sweep(10).await.len(), 50);
}

#[tokio::test]
async fn permission_loss_hides_rows_and_fields_with_success() {
    let caller = Caller::with_faults(60, &["permission-loss"]).await;
    let seen = caller.sweep(100).await;
    assert!(
        (30..50).contains(&seen.len()),
        "{} of 60 are seen",
        seen.len()
    );
    assert_eq!(ids(&seen), ids(&caller.sweep(7).await), "always the same");
    for employee in &seen {
        for field in ["nationalIdentityNumber", "dnumber", "bankAccountNumber"] {
            assert_eq!(employee[field], "", "{field}");
        }
        assert_eq!(employee["internationalId"]["number"], "");
    }
    let hidden = (1001..=1060).find(|id| !ids(&seen).contains(id)).unwrap();
    assert_eq!(caller.get(&format!("/employee/{hidden}")).await.status, 404);
    assert_eq!(
        caller
            .get(&format!("/employee?id={hidden}"))
            .await
            .values()
            .len(),
        0
    );
    assert_eq!(
        caller
            .get(&format!("/employee/employment?employeeId={hidden}"))
            .await
            .values()
            .len(),
        0
    );
    let rights = caller.get("/employee/entitlement").await.values().len();
    caller.sandbox.set_faults(Vec::new()).unwrap();
    assert_eq!(caller.sweep(100).await.len(), 60);
    let all_rights = caller.get("/employee/entitlement").await.values().len();
    assert!(
        0 < rights && rights < all_rights,
        "{rights} of {all_rights}"
    );
}

#[tokio::test]
async fn duplicate_rows_are_on_different_pages_and_one_is_older() {
    let caller = Caller::with_faults(50, &["duplicate-rows"]).await;
    let count = 10;
    let rows = caller.sweep(count).await;
    assert_eq!(rows.len(), 55);
    let (mut older_first, mut older_second) = (0, 0);
    for id in 1001..=1050 {
        let places: Vec<usize> = (0..rows.len()).filter(|at| rows[*at]["id"] == id).collect();
        let [first, second] = places[..] else {
            assert_eq!(places.len(), 1);
            continue;
        };
        assert_ne!(first / count, second / count, "two of {id} on one page");
        let (a, b) = (&rows[first], &rows[second]);
        let (older, newer) = if a["version"].as_u64() < b["version"].as_u64() {
            older_first += 1;
            (a, b)
        } else {
            older_second += 1;
            (b, a)
        };
        assert!(older["version"].as_u64() < newer["version"].as_u64());
        assert!(
            older["lastName"] != newer["lastName"]
                || older["phoneNumberMobile"] != newer["phoneNumberMobile"],
            "the older copy of {id} has no older data"
        );
    }
    assert!(older_first >= 2 && older_second >= 2);
    assert_eq!(caller.get("/employee?id=1001").await.values().len(), 1);
}

#[tokio::test]
async fn moving_pages_let_one_person_slip_who_is_still_there() {
    let caller = Caller::with_faults(50, &["moving-pages"]).await;
    let rows = ids(&caller.sweep(10).await);
    assert_eq!(
        rows.len(),
        50,
        "one left, one came: the number tells nothing"
    );
    assert!(
        !rows.contains(&1011),
        "the one behind the border slips past"
    );
    assert!(rows.contains(&1010), "the one before it was read already");
    assert_eq!(caller.get("/employee?id=1011").await.values().len(), 1);
    assert_eq!(caller.get("/employee?id=1010").await.values().len(), 0);
    assert_eq!(rows.last(), Some(&1051), "the new one");
    // The next read moves again: others are hit.
    let again = ids(&caller.sweep(10).await);
    assert!(again.contains(&1011) && !again.contains(&1012));
}

#[tokio::test]
async fn slow_keeps_the_last_page_waiting() {
    let caller = Caller::with_faults(30, &["slow"]).await;
    assert_eq!(caller.get("/employee?from=0&count=10").await.status, 200);
    let last = caller.get("/employee?from=20&count=10");
    assert!(
        tokio::time::timeout(Duration::from_millis(100), last)
            .await
            .is_err()
    );
    assert_eq!(
        caller
            .get("/employee?from=20&count=10")
            .await
            .values()
            .len(),
        10
    );
}

#[tokio::test]
async fn drop_field_is_empty_for_text_and_absent_for_the_rest() {
    let caller = Caller::with_faults(
        5,
        &[
            "drop-field:email",
            "drop-field:dateOfBirth",
            "drop-field:employments.startDate",
        ],
    )
    .await;
    let employee = caller
        .get("/employee/1001?fields=*,employments(*)")
        .await
        .body["value"]
        .clone();
    assert_eq!(employee["email"], "");
    assert_eq!(employee.get("dateOfBirth"), None);
    assert_eq!(employee["employments"][0].get("startDate"), None);
    assert_eq!(
        employee["employments"][0].get("endDate"),
        Some(&json!(null))
    );
    let list = caller.get("/employee/employment?employeeId=1001").await;
    assert_eq!(list.values()[0].get("startDate"), None);
}

#[tokio::test]
async fn drop_field_of_no_field_is_refused() {
    let caller = Caller::new(3).await;
    for name in [
        "drop-field:salary",
        "drop-field:firstName.x",
        "drop-field:department.nope",
    ] {
        let error = caller
            .sandbox
            .set_faults(vec![name.parse().unwrap()])
            .unwrap_err();
        assert_eq!(error.code(), "sandbox.fault.unknown-field", "{name}");
    }
}

#[tokio::test]
async fn wrong_company_shows_another_account_everywhere() {
    let caller = Caller::with_faults(30, &["wrong-company"]).await;
    let rows = caller.sweep(100).await;
    assert_eq!(rows.len(), 7);
    assert!(rows.iter().all(|row| row["companyId"] == 94_000_002));
    let who = caller.get("/token/session/>whoAmI").await;
    assert_eq!(who.body["value"]["companyId"], 94_000_002);
    assert_eq!(caller.get("/company/94000002").await.status, 200);
    assert_eq!(caller.get("/company/93000001").await.status, 404);
}

#[tokio::test]
async fn stale_shows_the_earlier_state_under_the_same_account() {
    let caller = Caller::with_faults(30, &["stale"]).await;
    assert_eq!(caller.sweep(100).await.len(), 27);
    let who = caller.get("/token/session/>whoAmI").await;
    assert_eq!(who.body["value"]["companyId"], 93_000_001);
}

#[tokio::test]
async fn faults_combine() {
    let caller = Caller::with_faults(50, &["short-page", "permission-loss", "throttle"]).await;
    assert_eq!(caller.get("/employee").await.status, 429);
    let all = caller.get("/employee?count=10").await.body["fullResultSize"]
        .as_u64()
        .unwrap();
    assert!(all < 50);
    let middle = all / 10 / 2 * 10
        + if (all.div_ceil(10) / 2) > all / 10 / 2 {
            10
        } else {
            0
        };
    let short = caller
        .get(&format!("/employee?from={middle}&count=10"))
        .await;
    assert_eq!(short.values().len(), 5);
}
