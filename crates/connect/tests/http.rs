//! The HTTP client against a real socket: tries, waits, bounds, redirects.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // tests and their helpers

mod support;

use std::sync::Arc;

use muster_connect::ConnectError;
use muster_connect::http::{Answer, BaseUrl, Dialect, HttpClient, Request};
use support::{Raw, TestClock, Vendor, Waits};

fn dialect() -> Dialect {
    Dialect::json("x-tlx-request-id").reset_seconds("x-rate-limit-reset")
}

struct Asked {
    result: Result<Answer, ConnectError>,
    waits: Vec<u64>,
}

impl Asked {
    fn code(&self) -> String {
        match &self.result {
            Ok(answer) => answer.status.to_string(),
            Err(error) => error.code().to_owned(),
        }
    }
}

async fn ask_at(base_url: &str, request: Request) -> Asked {
    let waits = Arc::new(Waits::default());
    let client = HttpClient::new(
        BaseUrl::parse(base_url, false).unwrap(),
        dialect(),
        waits.clone(),
        TestClock::at("2025-01-01T12:00:00Z"),
    )
    .unwrap();
    let result = client.send(&request).await;
    Asked {
        result,
        waits: waits.seconds(),
    }
}

async fn ask(answers: Vec<Raw>, request: Request) -> (Asked, usize) {
    let vendor = Vendor::scripted(answers).await;
    let asked = ask_at(&vendor.base_url, request).await;
    (asked, vendor.requests().len())
}

fn get() -> Request {
    Request::get("/people").query("fields", "id")
}

#[tokio::test]
async fn throttling_is_waited_for_as_long_as_the_vendor_says() {
    let (asked, requests) = ask(
        vec![
            Raw::new(429, &[("X-Rate-Limit-Reset", "7")], "{}"),
            Raw::new(429, &[("Retry-After", "3")], "{}"),
            Raw::new(429, &[], "{}"),
            Raw::new(200, &[], "{\"value\":1}"),
        ],
        get(),
    )
    .await;
    assert_eq!(asked.code(), "200");
    assert_eq!(asked.waits, [7, 3, 4]);
    assert_eq!(requests, 4);
}

#[tokio::test]
async fn the_seconds_of_the_vendors_period_are_no_wait_when_it_fails() {
    let failing = || Raw::new(500, &[("X-Rate-Limit-Reset", "50")], "{}");
    let (asked, _) = ask(vec![failing(), Raw::new(200, &[], "{}")], get()).await;
    assert_eq!((asked.code().as_str(), asked.waits), ("200", vec![1]));
}

#[tokio::test]
async fn a_wait_beyond_the_bound_is_not_waited() {
    let (asked, requests) = ask(
        vec![Raw::new(429, &[("Retry-After", "86400")], "{}")],
        get(),
    )
    .await;
    assert_eq!(asked.code(), "http.throttled");
    assert!(
        asked
            .result
            .err()
            .unwrap()
            .to_string()
            .contains("86400 seconds")
    );
    assert_eq!((asked.waits, requests), (vec![], 1));
}

#[tokio::test]
async fn failures_are_tried_five_times_with_doubling_waits() {
    for (answer, code) in [
        (Raw::new(503, &[], "down"), "http.server_error"),
        // A right length: the transport cannot see that the body was cut.
        (
            Raw::new(200, &[], "{\"values\":[{\"firstName\":\"Ka"),
            "http.truncated_body",
        ),
        // A wrong one: the connection ends before the body does.
        (
            Raw::with_length(200, &[], "{\"values\":[", 400),
            "http.truncated_body",
        ),
        (Raw::new(200, &[], ""), "http.truncated_body"),
        (Raw(b"HTTP/1.1 200".to_vec()), "http.unreachable"),
    ] {
        let (asked, requests) = ask(vec![answer], get()).await;
        assert_eq!(asked.code(), code);
        assert_eq!(asked.waits, [1, 2, 4, 8], "{code}");
        assert_eq!(requests, 5, "{code}");
    }
}

#[tokio::test]
async fn a_failure_that_passes_leaves_no_trace() {
    let (asked, _) = ask(
        vec![
            Raw::new(500, &[], "{}"),
            Raw::with_length(200, &[], "{\"va", 90),
            Raw::new(200, &[], "{\"value\":1}"),
        ],
        get(),
    )
    .await;
    assert_eq!(asked.result.ok().unwrap().json["value"], 1);
    assert_eq!(asked.waits, [1, 2]);
}

#[tokio::test]
async fn nobody_answering_is_an_error_with_a_code() {
    // Bound and dropped, so that the port is free and silent.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v2", listener.local_addr().unwrap());
    drop(listener);
    let asked = ask_at(&base_url, get()).await;
    assert_eq!(asked.code(), "http.unreachable");
    assert_eq!(asked.waits.len(), 4);
}

#[tokio::test]
async fn what_is_not_repeatable_is_sent_once() {
    let (asked, requests) = ask(vec![Raw::new(500, &[], "{}")], Request::post("/people")).await;
    assert_eq!(asked.code(), "http.server_error");
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn refusals_come_back_at_once_with_what_they_say() {
    let body = "{\"code\":11000}";
    let (asked, requests) = ask(vec![Raw::new(400, &[], body)], get()).await;
    let answer = asked.result.ok().unwrap();
    assert_eq!((answer.status, requests), (400, 1));
    assert_eq!(answer.json["code"], 11000);
    assert_eq!(
        answer.place.to_string(),
        "GET /people, status 400, request request-7"
    );
}

#[tokio::test]
async fn what_is_no_json_is_told_and_not_repeated() {
    let (asked, requests) = ask(vec![Raw::new(200, &[], "<html>Kari Hansen</html>")], get()).await;
    assert_eq!((asked.code().as_str(), requests), ("http.not_json", 1));
    assert!(!asked.result.err().unwrap().to_string().contains("Hansen"));
}

#[tokio::test]
async fn credentials_follow_no_redirect_to_another_host() {
    let elsewhere = Vendor::scripted(vec![Raw::new(200, &[], "{}")]).await;
    let to = format!("{}/people", elsewhere.base_url);
    let (asked, _) = ask(vec![Raw::new(302, &[("Location", &to)], "")], get()).await;
    assert_eq!(asked.code(), "http.redirected");
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_within_the_host_is_followed_a_bounded_number_of_times() {
    let moved = || Raw::new(302, &[("Location", "/v2/elsewhere")], "");
    let (asked, _) = ask(vec![moved(), Raw::new(200, &[], "{}")], get()).await;
    assert_eq!(asked.code(), "200");
    let (asked, requests) = ask(vec![moved()], get()).await;
    assert_eq!(asked.code(), "http.redirected");
    assert_eq!(requests, 4);
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_dropped() {
    let body = " ".repeat(64 * 1024 * 1024 + 1);
    let (asked, requests) = ask(vec![Raw::new(200, &[], &body)], get()).await;
    assert_eq!(
        (asked.code().as_str(), requests),
        ("http.body_too_large", 1)
    );
}
