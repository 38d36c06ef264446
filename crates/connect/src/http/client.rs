//! The one client: sends, waits, tries again, and gives up with a reason.

use std::sync::Arc;
use std::time::Duration;

use muster_model::Clock;
use reqwest::header::HeaderMap;
use reqwest::redirect::{self, Policy};
use reqwest::{Client, StatusCode};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::answer::Answer;
use super::base_url::BaseUrl;
use super::pause::Pause;
use super::request::Request;
use super::retry::{LONGEST_WAIT, MOST_TRIES, asked_wait, back_off};
use crate::error::{ConnectError, ErrorKind, Place};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
const LARGEST_BODY: usize = 64 * 1024 * 1024;
const MOST_REDIRECTS: usize = 3;
const USER_AGENT: &str = concat!("muster/", env!("CARGO_PKG_VERSION"));

/// What a vendor's answers look like beside their content.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The header with the vendor's id of the request.
    pub request_id_header: &'static str,
    /// The header with the seconds until throttling ends.
    pub reset_seconds_header: Option<&'static str>,
}

/// The HTTP client of one connection.
pub struct HttpClient {
    client: Client,
    base: BaseUrl,
    dialect: Dialect,
    pause: Arc<dyn Pause>,
    clock: Arc<dyn Clock>,
}

/// What one try came to.
enum Try {
    /// An answer, of success or refusal.
    Answered(Answer),
    /// Worth another try, after the wait that the vendor asks for.
    Again(ConnectError, Option<Duration>),
    /// Not worth one.
    GivenUp(ConnectError),
}

impl HttpClient {
    /// A client for one base address.
    ///
    /// # Errors
    /// `http.client` when the machine's certificates cannot be loaded.
    pub fn new(
        base: BaseUrl,
        dialect: Dialect,
        pause: Arc<dyn Pause>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConnectError> {
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .referer(false)
            // Tries are counted here; none may happen unseen below.
            .retry(reqwest::retry::never())
            .redirect(Policy::custom(same_origin));
        if base.is_loopback() {
            // A proxy for this machine is a mistake of the environment.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|_| {
            ConnectError::new(
                ErrorKind::Settings,
                "http.client",
                "no encrypted connection can be prepared on this machine",
                "check that its root certificates are installed",
            )
        })?;
        Ok(Self {
            client,
            base,
            dialect,
            pause,
            clock,
        })
    }

    /// Sends a request and reads the whole answer. Answers of success and of
    /// refusal (4xx except 429) come back; for throttling, failures of the
    /// server and broken answers it tries again within its bounds.
    ///
    /// # Errors
    /// `http.throttled`, `http.server_error`, `http.truncated_body`,
    /// `http.timeout`, `http.unreachable`, `http.not_json`,
    /// `http.body_too_large`, `http.redirected`.
    pub async fn send(&self, request: &Request) -> Result<Answer, ConnectError> {
        let mut tried = 1;
        loop {
            let (error, asked) = match self.try_once(request).await {
                Try::Answered(answer) => return Ok(answer),
                Try::GivenUp(error) => return Err(error),
                Try::Again(error, asked) => (error, asked),
            };
            // What was turned away for its number of calls was not done.
            let tries = match request.repeatable || error.kind() == ErrorKind::Throttled {
                true => MOST_TRIES,
                false => 1,
            };
            let wait = asked.unwrap_or_else(|| back_off(tried));
            if tried >= tries || wait > LONGEST_WAIT {
                tracing::warn!(code = error.code(), path = request.path, tried, "given up");
                return Err(error);
            }
            tracing::info!(
                code = error.code(),
                path = request.path,
                tried,
                wait_seconds = wait.as_secs(),
                "trying again"
            );
            self.pause.pause(wait).await;
            tried += 1;
        }
    }

    async fn try_once(&self, request: &Request) -> Try {
        let mut url = self.base.join(&request.path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut builder = self
            .client
            .request(request.method.clone(), url)
            .header(reqwest::header::ACCEPT, "application/json");
        if let Some(basic) = &request.basic {
            builder = builder.basic_auth(&basic.user, Some(basic.password.expose_secret()));
        }
        if let Some(body) = &request.body {
            builder = builder.json(body);
        }
        let mut place = request.place();
        let response = match builder.send().await {
            Ok(response) => response,
            Err(error) => return Try::Again(unreachable(&error).at(place), None),
        };
        let status = response.status();
        place.status = Some(status.as_u16());
        place.request_id = request_id(response.headers(), self.dialect.request_id_header);
        tracing::debug!(
            method = place.method,
            path = place.path,
            status = status.as_u16(),
            request_id = place.request_id.as_deref(),
            "answered"
        );
        if status.is_redirection() {
            return Try::GivenUp(redirected().at(place));
        }
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            // The vendor's own header stands on every answer and counts the
            // seconds of its period: it asks for a wait only with 429.
            let reset = (self.dialect.reset_seconds_header)
                .filter(|_| status == StatusCode::TOO_MANY_REQUESTS);
            let asked = asked_wait(response.headers(), reset, self.clock.now());
            return Try::Again(busy(status, asked).at(place), asked);
        }
        let body = match read_body(response, &place).await {
            Ok(body) => body,
            Err(again) => return again,
        };
        let json = match serde_json::from_slice(&body) {
            Ok(json) => json,
            // What a refusal says beside its status helps, but is not needed.
            Err(_) if !status.is_success() || status == StatusCode::NO_CONTENT => Value::Null,
            Err(error) if error.is_eof() => return Try::Again(truncated().at(place), None),
            Err(_) => return Try::GivenUp(not_json().at(place)),
        };
        Try::Answered(Answer {
            status: status.as_u16(),
            json,
            place,
        })
    }
}

async fn read_body(mut response: reqwest::Response, place: &Place) -> Result<Vec<u8>, Try> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > LARGEST_BODY => {
                return Err(Try::GivenUp(too_large().at(place.clone())));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) if error.is_timeout() => {
                return Err(Try::Again(unreachable(&error).at(place.clone()), None));
            }
            Err(_) => return Err(Try::Again(truncated().at(place.clone()), None)),
        }
    }
}

/// Follows redirects within the origin that was asked, and stops at any other:
/// the answer of redirection itself then comes back.
fn same_origin(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let asked = attempt.previous().first().map(reqwest::Url::origin);
    if asked == Some(attempt.url().origin()) && attempt.previous().len() <= MOST_REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

/// The vendor's request id, if it is harmless to print.
fn request_id(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    let harmless = !text.is_empty()
        && text.len() <= 64
        && (text.bytes()).all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    harmless.then(|| text.to_owned())
}

fn unreachable(error: &reqwest::Error) -> ConnectError {
    // The error's own text is not used: it can hold the address with its query.
    if error.is_timeout() {
        return ConnectError::new(
            ErrorKind::Unreachable,
            "http.timeout",
            "no answer within the time allowed (10 s to connect, 120 s for an answer)",
            "try again later; if it stays, check the network and the vendor's status page",
        );
    }
    let what = if error.is_connect() {
        "no connection could be made"
    } else {
        "the connection broke before an answer came"
    };
    ConnectError::new(
        ErrorKind::Unreachable,
        "http.unreachable",
        what,
        "check the base address, the network, and any proxy or firewall on the way",
    )
}

fn busy(status: StatusCode, asked: Option<Duration>) -> ConnectError {
    if status == StatusCode::TOO_MANY_REQUESTS {
        let what = match asked {
            Some(wait) => format!(
                "the vendor limits the number of calls and asks to wait {} seconds",
                wait.as_secs()
            ),
            None => "the vendor limits the number of calls".to_owned(),
        };
        return ConnectError::new(
            ErrorKind::Throttled,
            "http.throttled",
            what,
            "let other uses of the same credentials wait, or read less often",
        );
    }
    ConnectError::new(
        ErrorKind::Unavailable,
        "http.server_error",
        format!("the vendor failed with status {}", status.as_u16()),
        "try again later; if it stays, give the request id to the vendor's support",
    )
}

fn truncated() -> ConnectError {
    ConnectError::new(
        ErrorKind::Unavailable,
        "http.truncated_body",
        "the answer stopped in its middle",
        "try again later; if it stays, check any proxy on the way, or use a smaller page size",
    )
}

fn not_json() -> ConnectError {
    ConnectError::new(
        ErrorKind::Answer,
        "http.not_json",
        "the answer is no JSON",
        "check that the base address is the one of the API, and any proxy on the way",
    )
}

fn too_large() -> ConnectError {
    ConnectError::new(
        ErrorKind::Answer,
        "http.body_too_large",
        "the answer is larger than 64 MiB",
        "use a smaller page size",
    )
}

fn redirected() -> ConnectError {
    ConnectError::new(
        ErrorKind::Refused,
        "http.redirected",
        "the vendor sends the request to another address, which gets no credentials",
        "enter the vendor's present base address",
    )
}
