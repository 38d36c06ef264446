//! A vendor made of a closure, on a real socket, and waiting that takes no time.
// Each test file uses its own part.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

pub mod company;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use muster_connect::http::Pause;
use muster_connect::{Connector, ConnectorSettings, open};
use muster_model::Clock;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The secrets of every test: they must turn up nowhere but on the wire.
pub const CONSUMER_TOKEN: &str = "consumer-hush-1";
pub const EMPLOYEE_TOKEN: &str = "employee-hush-2";

/// A request as it came over the socket.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub authorization: Option<String>,
    pub body: String,
}

impl Request {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn number(&self, name: &str) -> usize {
        self.parameter(name).unwrap().parse().unwrap()
    }
}

/// An answer as it goes over the socket: the bytes, and then the end.
pub struct Raw(pub Vec<u8>);

impl Raw {
    pub fn new(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        Self::with_length(status, headers, body, body.len())
    }

    /// With a length that need not be the body's.
    pub fn with_length(status: u16, headers: &[(&str, &str)], body: &str, length: usize) -> Self {
        let mut text = format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\
             x-tlx-request-id: request-7\r\n"
        );
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.push_str(body);
        Self(text.into_bytes())
    }

    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, &[], &body.to_string())
    }
}

/// A server that answers by a closure and remembers what it was asked.
pub struct Vendor {
    pub base_url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Vendor {
    pub async fn start(answer: impl Fn(&Request) -> Raw + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v2", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (requests.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (seen, answer) = (seen.clone(), answer.clone());
                tokio::spawn(async move { serve(socket, &seen, &*answer).await });
            }
        });
        Self {
            base_url,
            requests,
            task,
        }
    }

    /// Answers in this order, and the last one from then on.
    pub async fn scripted(answers: Vec<Raw>) -> Self {
        let next = Mutex::new(0);
        Self::start(move |_| {
            let mut next = next.lock().unwrap();
            let answer = &answers[(*next).min(answers.len() - 1)];
            *next += 1;
            Raw(answer.0.clone())
        })
        .await
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Those to a path below the base.
    pub fn requests_to(&self, path: &str) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| request.path == format!("/v2{path}"));
        requests
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut socket: TcpStream,
    seen: &Mutex<Vec<Request>>,
    answer: &(dyn Fn(&Request) -> Raw + Send + Sync),
) {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let (head, body) = loop {
        match socket.read(&mut chunk).await {
            Ok(read) if read > 0 => bytes.extend_from_slice(&chunk[..read]),
            _ => return,
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = header(head, "content-length").map_or(0, |text| text.parse().unwrap());
            if body.len() >= length {
                break (head.to_owned(), body.to_owned());
            }
        }
    };
    let request = request(&head, body);
    let raw = answer(&request);
    seen.lock().unwrap().push(request);
    // A client that has seen enough may be gone.
    let _ = socket.write_all(&raw.0).await;
    let _ = socket.shutdown().await;
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (given, value) = line.split_once(':')?;
        given.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn request(head: &str, body: String) -> Request {
    let mut line = head.split(' ');
    let method = line.next().unwrap().to_owned();
    let url = reqwest::Url::parse(&format!("http://vendor.example{}", line.next().unwrap()));
    let url = url.unwrap();
    Request {
        method,
        path: url.path().replace("%3E", ">"),
        query: url.query_pairs().into_owned().collect(),
        authorization: header(head, "authorization").map(str::to_owned),
        body,
    }
}

/// Remembers the waits and takes none.
#[derive(Default)]
pub struct Waits(Mutex<Vec<u64>>);

impl Waits {
    pub fn seconds(&self) -> Vec<u64> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl Pause for Waits {
    async fn pause(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration.as_secs());
    }
}

/// A clock that a test can set.
pub struct TestClock(Mutex<Timestamp>);

impl TestClock {
    pub fn at(text: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(text.parse().unwrap())))
    }

    pub fn set(&self, text: &str) {
        *self.0.lock().unwrap() = text.parse().unwrap();
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Settings for a vendor at an address, with the test's secrets.
pub fn settings(base_url: &str, clock: Arc<TestClock>, waits: Arc<Waits>) -> ConnectorSettings {
    ConnectorSettings::new(clock)
        .base_url(base_url)
        .secret("consumer_token", SecretString::from(CONSUMER_TOKEN))
        .secret("employee_token", SecretString::from(EMPLOYEE_TOKEN))
        .pause(waits)
}

/// The connector at a vendor, at noon of New Year's Day 2025.
pub fn tripletex(vendor: &Vendor) -> Box<dyn Connector> {
    let clock = TestClock::at("2025-01-01T12:00:00Z");
    open(
        "tripletex",
        settings(&vendor.base_url, clock, Arc::new(Waits::default())).set("page_size", "2"),
    )
    .unwrap()
}
