//! The one client: sends, waits, tries again, and gives up with a reason.

use std::sync::Arc;
use std::time::Duration;

use muster_model::Clock;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::{self, Policy};
use reqwest::{Client, StatusCode, Url};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::answer::Answer;
use super::base_url::BaseUrl;
use super::dialect::{Dialect, Speech, Verdict};
use super::pause::Pause;
use super::played::Play;
use super::request::{Body, Request, Target};
use super::retry::{LONGEST_WAIT, MOST_TRIES, asked_wait, back_off};
use super::streaming::{Opened, Streaming};
use crate::budget::Budget;
use crate::error::{ConnectError, ErrorKind, Place};
use crate::expression::percent_encoded;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// The longest that a body may come for that is read row by row: a million people,
/// with a receiver that stores each.
const STREAM_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
/// The longest that such a body may be made before it comes: a vendor that gives
/// everybody at once makes the whole list first.
const STREAM_BEGIN_TIMEOUT: Duration = Duration::from_secs(30 * 60);
const LARGEST_BODY: usize = 64 * 1024 * 1024;
const MOST_REDIRECTS: usize = 3;
const USER_AGENT: &str = concat!("muster/", env!("CARGO_PKG_VERSION"));

/// The HTTP client of one connection.
pub struct HttpClient {
    client: Client,
    base: BaseUrl,
    /// Other addresses of the same vendor, such as where it gives tokens.
    others: Vec<Url>,
    dialect: Dialect,
    budget: Budget,
    pause: Arc<dyn Pause>,
    clock: Arc<dyn Clock>,
    /// Who answers instead of the network.
    played: Option<Arc<dyn Play>>,
}

/// What one try came to.
enum Try {
    /// An answer, of success or refusal.
    Answered(Opened),
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
            others: Vec::new(),
            budget: Budget::new(dialect.rate),
            dialect,
            pause,
            clock,
            played: None,
        })
    }

    /// Asks nobody: these answers are taken.
    #[must_use]
    pub(crate) fn with_played(mut self, played: Option<Arc<dyn Play>>) -> Self {
        self.played = played;
        self
    }

    async fn deliver(
        &self,
        builder: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, reqwest::Error> {
        let Some(played) = &self.played else {
            return builder.send().await;
        };
        let request = builder.build()?;
        let (status, body) = played.play(request.method().as_str(), request.url().path());
        let mut response = http::Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_FOUND);
        Ok(reqwest::Response::from(response))
    }

    /// May speak to these hosts as well.
    #[must_use]
    pub(crate) fn with_others(mut self, others: Vec<Url>) -> Self {
        self.others = others;
        self
    }

    /// The base address.
    pub(crate) const fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// The clock that the client lives by.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Sends a request and reads the whole answer. Answers of success and of
    /// refusal (4xx except 429) come back; for throttling, failures of the
    /// server and broken answers it tries again within its bounds.
    ///
    /// # Errors
    /// `http.throttled`, `http.server_error`, `http.truncated_body`,
    /// `http.timeout`, `http.unreachable`, `http.not_json`, `http.not_xml`,
    /// `http.body_too_large`, `http.redirected`, `http.other_host`.
    pub async fn send(&self, request: &Request) -> Result<Answer, ConnectError> {
        match self.tried(request, false).await? {
            Opened::Whole(answer) => Ok(*answer),
            // It was not asked for.
            Opened::Body(body) => Err(truncated().at(body.place)),
        }
    }

    /// The same, but a body of success is read by the caller while it comes; what
    /// breaks it is the caller's to try again.
    ///
    /// # Errors
    /// As [`HttpClient::send`].
    pub(crate) async fn open(&self, request: &Request) -> Result<Opened, ConnectError> {
        self.tried(request, true).await
    }

    /// Waits.
    pub(crate) async fn pause(&self, wait: Duration) {
        self.pause.pause(wait).await;
    }

    async fn tried(&self, request: &Request, streaming: bool) -> Result<Opened, ConnectError> {
        let mut tried = 1;
        loop {
            let (error, asked) = match self.try_once(request, streaming).await {
                Try::Answered(opened) => return Ok(opened),
                Try::GivenUp(error) => return Err(error),
                Try::Again(error, asked) => (error, asked),
            };
            let throttled = error.kind() == ErrorKind::Throttled;
            // What was turned away for its number of calls was not done.
            let tries = match request.repeatable || throttled {
                true => MOST_TRIES,
                false => 1,
            };
            let wait = asked.unwrap_or_else(|| match self.usual_wait() {
                Some(usual) if throttled => usual,
                _ => back_off(tried),
            });
            let path = error.place().map(|place| place.path.as_str());
            if tried >= tries || wait > LONGEST_WAIT {
                tracing::warn!(code = error.code(), path, tried, "given up");
                return Err(error);
            }
            tracing::info!(
                code = error.code(),
                path,
                tried,
                wait_seconds = wait.as_secs(),
                "trying again"
            );
            if throttled {
                // Every call of this connection waits, this one with them.
                self.budget.close_for(wait, &*self.clock);
            } else {
                self.pause.pause(wait).await;
            }
            tried += 1;
        }
    }

    /// The wait when the vendor throttles and does not say how long.
    fn usual_wait(&self) -> Option<Duration> {
        let limit = self.budget.rate().map(|rate| rate.per);
        self.dialect.throttled_wait.or(limit)
    }

    async fn try_once(&self, request: &Request, streaming: bool) -> Try {
        let mut place = request.place();
        let builder = match self.prepared(request) {
            Ok(builder) if streaming => builder.timeout(STREAM_TIMEOUT),
            Ok(builder) => builder,
            Err(error) => return Try::GivenUp(error.at(place)),
        };
        let ticket = self.budget.take(&*self.clock, &*self.pause).await;
        let sent = tokio::time::timeout(STREAM_BEGIN_TIMEOUT, self.deliver(builder)).await;
        self.budget.answered(ticket, &*self.clock);
        let Ok(sent) = sent else {
            return Try::Again(timed_out().at(place), None);
        };
        let response = match sent {
            Ok(response) => response,
            Err(error) => return Try::Again(unreachable(&error).at(place), None),
        };
        let status = response.status();
        place.status = Some(status.as_u16());
        place.request_id = self.request_id(response.headers());
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
        self.mind_what_is_left(response.headers());
        let headers = response.headers().clone();
        if streaming && status.is_success() && status != StatusCode::NO_CONTENT {
            return Try::Answered(Opened::Body(Box::new(Streaming {
                headers,
                place,
                speaks: self.dialect.speaks,
                response,
            })));
        }
        let body = match read_body(response, &place).await {
            Ok(body) => body,
            // What a refusal says beside its status helps, but is not needed.
            Err(_) if !status.is_success() => Vec::new(),
            Err(again) => return again,
        };
        let json = match self.dialect.speaks.read(&body) {
            Ok(json) => json,
            // Whoever writes and is told nothing was told that it is done.
            Err(_) if body.is_empty() && !request.repeatable => Value::Null,
            Err(_) if !status.is_success() || status == StatusCode::NO_CONTENT => Value::Null,
            Err(error) if error.is_of_one_answer() && error.code() == "http.truncated_body" => {
                return Try::Again(error.at(place), None);
            }
            Err(error) => return Try::GivenUp(error.at(place)),
        };
        let answer = Answer {
            status: status.as_u16(),
            json,
            headers,
            place,
        };
        let judged = self.dialect.judge.as_ref().and_then(|judge| judge(&answer));
        match judged.unwrap_or_else(|| by_status(status)) {
            Verdict::Final => Try::Answered(Opened::Whole(Box::new(answer))),
            verdict => {
                // The vendor's own header stands on every answer and counts the
                // seconds of its period: it asks for a wait only with throttling.
                let throttled = verdict == Verdict::Throttled;
                let reset = (self.dialect.reset_seconds_header.as_deref()).filter(|_| throttled);
                let asked = asked_wait(&answer.headers, reset, self.clock.now());
                Try::Again(busy(status, throttled, asked).at(answer.place), asked)
            }
        }
    }

    fn prepared(&self, request: &Request) -> Result<reqwest::RequestBuilder, ConnectError> {
        let mut url = match &request.target {
            Target::Path(path) => self.base.join(path),
            Target::Address(url) => {
                let known = |other: &Url| other.origin() == url.origin();
                if !self.base.is_origin_of(url) && !self.others.iter().any(known) {
                    return Err(other_host());
                }
                url.clone()
            }
        };
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let accept = match self.dialect.speaks {
            Speech::Json => "application/json",
            Speech::Xml => "application/xml, text/xml",
        };
        let mut headers = HeaderMap::new();
        headers.insert(reqwest::header::ACCEPT, HeaderValue::from_static(accept));
        for (name, value) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad_header())?;
            let mut value =
                HeaderValue::from_str(value.expose_secret()).map_err(|_| bad_header())?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let mut builder = self.client.request(request.method.clone(), url);
        if let Some(basic) = &request.basic {
            builder = builder.basic_auth(&basic.user, Some(basic.password.expose_secret()));
        }
        builder = match &request.body {
            None => builder,
            Some(Body::Json(body)) => builder.json(body),
            Some(Body::Form(fields)) => {
                let pairs = fields.iter().map(|(name, value)| {
                    let value = percent_encoded(value.expose_secret());
                    format!("{}={value}", percent_encoded(name))
                });
                let body = pairs.collect::<Vec<_>>().join("&");
                builder
                    .header(
                        reqwest::header::CONTENT_TYPE,
                        "application/x-www-form-urlencoded",
                    )
                    .body(body)
            }
            Some(Body::Text(content_type, text)) => builder
                .header(reqwest::header::CONTENT_TYPE, *content_type)
                .body(text.expose_secret().to_owned()),
        };
        // Last, so that a manifest's own header replaces the usual one.
        Ok(builder.headers(headers))
    }

    /// A vendor that says that nothing is left is not asked once more to be refused.
    fn mind_what_is_left(&self, headers: &HeaderMap) {
        let Some(name) = self.dialect.remaining_header.as_deref() else {
            return;
        };
        let left = headers.get(name).and_then(|value| value.to_str().ok());
        if left.is_some_and(|left| left.trim() == "0") {
            let reset = self.dialect.reset_seconds_header.as_deref();
            if let Some(wait) = asked_wait(headers, reset, self.clock.now())
                && wait <= LONGEST_WAIT
            {
                self.budget.close_for(wait, &*self.clock);
            }
        }
    }

    /// The vendor's request id, if it is harmless to print.
    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        let names = &self.dialect.request_id_headers;
        names.iter().find_map(|name| request_id(headers, name))
    }
}

fn by_status(status: StatusCode) -> Verdict {
    if status == StatusCode::TOO_MANY_REQUESTS {
        Verdict::Throttled
    } else if status.is_server_error() {
        Verdict::Failed
    } else {
        Verdict::Final
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
        return timed_out();
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

pub(super) fn timed_out() -> ConnectError {
    ConnectError::new(
        ErrorKind::Unreachable,
        "http.timeout",
        "no answer within the time allowed (10 s to connect, 120 s for an answer or a piece of a long one)",
        "try again later; if it stays, check the network and the vendor's status page",
    )
}

fn busy(status: StatusCode, throttled: bool, asked: Option<Duration>) -> ConnectError {
    if throttled {
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

pub(crate) fn truncated() -> ConnectError {
    ConnectError::new(
        ErrorKind::Unavailable,
        "http.truncated_body",
        "the answer stopped in its middle",
        "try again later; if it stays, check any proxy on the way, or use a smaller page size",
    )
}

pub(crate) fn not_json() -> ConnectError {
    ConnectError::new(
        ErrorKind::Answer,
        "http.not_json",
        "the answer is no JSON",
        "check that the base address is the one of the API, and any proxy on the way",
    )
}

pub(crate) fn not_xml() -> ConnectError {
    ConnectError::new(
        ErrorKind::Answer,
        "http.not_xml",
        "the answer is no XML",
        "check that the base address is the one of the API, and any proxy on the way",
    )
}

fn other_host() -> ConnectError {
    ConnectError::new(
        ErrorKind::Refused,
        "http.other_host",
        "the request would go to a host that neither the base address nor the manifest names",
        "check the base address and the credentials; if they are right, report it with the connector's name",
    )
}

fn bad_header() -> ConnectError {
    ConnectError::new(
        ErrorKind::Settings,
        "http.bad_header",
        "a credential or setting holds a character that no header can carry, such as a line break",
        "enter it again without line breaks",
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

pub(crate) fn row_too_large() -> ConnectError {
    ConnectError::new(
        ErrorKind::Answer,
        "http.body_too_large",
        "one row of the answer is larger than 64 MiB, or what stands beside its rows larger than 8 MiB",
        "check that the base address and the settings name a list of people",
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
