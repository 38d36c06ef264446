//! A simulator behind a real socket.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use futures::StreamExt;
use jiff::civil::Date;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::address::decoded;
use crate::company::Company;
use crate::exchange::{Exchange, LEFT_OUT};
use crate::fault::Fault;
use crate::listener::{BracketListener, as_sent};
use crate::tripletex::{self, Answer, Query, World};

/// The path in front of every call.
const BASE_PATH: &str = "v2";
/// Bodies above this many bytes are refused: no list of new employees is near it.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;
/// How long `stop` waits for open connections before it cuts them.
const STOP_PATIENCE: Duration = Duration::from_secs(1);
/// How long a cut body waits before its connection breaks.
const CUT_PAUSE: Duration = Duration::from_millis(20);

/// Which vendor is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    /// Tripletex API 2.0.
    Tripletex,
}

impl fmt::Display for Vendor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("tripletex")
    }
}

impl FromStr for Vendor {
    type Err = SandboxError;

    fn from_str(text: &str) -> Result<Self, SandboxError> {
        match text {
            "tripletex" => Ok(Vendor::Tripletex),
            _ => Err(SandboxError::UnknownVendor {
                given: text.to_owned(),
            }),
        }
    }
}

/// The simulator's calendar: what day it is, whenever it asks.
pub type Today = Arc<dyn Fn() -> Date + Send + Sync>;

/// What a simulator is to be.
#[derive(Clone)]
pub struct SandboxOptions {
    /// Whose interface it speaks.
    pub vendor: Vendor,
    /// The company it serves.
    pub company: Company,
    /// The company it serves under `wrong-company`.
    pub other_company: Company,
    /// The company as it was thirty days ago, for `stale` and for older duplicates.
    pub earlier: Company,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Makes tokens and chooses whom a fault hits: same seed, same answers.
    pub seed: u64,
    /// How long `slow` waits before the last page; a minute unless set.
    pub slow: Duration,
    /// Whether exchanges are kept for [`Sandbox::exchanges`].
    pub record: bool,
    /// Where each call that writes is logged when it is done, as one JSON line
    /// `{"method", "path", "status", "body"}`; the company is made up, so that
    /// nobody's data is in it.
    pub write_log: Option<PathBuf>,
    /// A file that gets the method, the address as it was sent and the status of
    /// every request, a line each: what a proxy on the way would keep.
    pub log: Option<PathBuf>,
    /// What day it is: sessions expire by it.
    pub today: Today,
}

impl SandboxOptions {
    /// A simulator without faults, with seed 1, that keeps no exchanges.
    pub fn new(
        vendor: Vendor,
        company: Company,
        other_company: Company,
        earlier: Company,
        today: Today,
    ) -> Self {
        Self {
            vendor,
            company,
            other_company,
            earlier,
            faults: Vec::new(),
            seed: 1,
            slow: Duration::from_secs(60),
            record: false,
            write_log: None,
            log: None,
            today,
        }
    }
}

impl fmt::Debug for SandboxOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SandboxOptions")
            .field("vendor", &self.vendor)
            .field("faults", &self.faults)
            .field("seed", &self.seed)
            .field("slow", &self.slow)
            .field("record", &self.record)
            .finish_non_exhaustive()
    }
}

/// Why a simulator cannot run as told.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// No such vendor.
    #[error("sandbox.vendor.unknown: there is no simulator `{given}`; choose from: tripletex")]
    UnknownVendor {
        /// What was typed.
        given: String,
    },
    /// `drop-field` names a field that the vendor does not have.
    #[error(
        "sandbox.fault.unknown-field: the vendor's employee has no field `{field}`; use the vendor's own names, with dots for depth (employments.startDate)"
    )]
    UnknownField {
        /// What was typed.
        field: String,
    },
    /// The log cannot be written.
    #[error("sandbox.log: the log {} cannot be written: {source}; choose a file that you may write to", path.display())]
    Log {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The address cannot be listened on.
    #[error("sandbox.listen: cannot listen on {address}: {source}; choose another address or port")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
}

impl SandboxError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            SandboxError::UnknownVendor { .. } => "sandbox.vendor.unknown",
            SandboxError::UnknownField { .. } => "sandbox.fault.unknown-field",
            SandboxError::Log { .. } => "sandbox.log",
            SandboxError::Listen { .. } => "sandbox.listen",
        }
    }
}

/// A running simulator.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    shared: Arc<Shared>,
    shutdown: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

/// What the server's tasks share.
#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    /// None when exchanges are not kept.
    exchanges: Option<Mutex<Vec<Exchange>>>,
    /// None when writes are not logged.
    write_log: Option<Mutex<File>>,
    /// None when no log is kept.
    log: Option<Mutex<File>>,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }
}

/// A lock that outlives a panic elsewhere: the books are whole after each call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a simulator; port 0 takes a free port.
///
/// # Errors
/// When the address cannot be listened on, or a fault names a field that the
/// vendor does not have.
pub async fn start(options: SandboxOptions, listen: SocketAddr) -> Result<Sandbox, SandboxError> {
    let failed = |source| SandboxError::Listen {
        address: listen,
        source,
    };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let record = options.record;
    let write_log = options.write_log.as_deref().map(opened).transpose()?;
    let log = options.log.as_deref().map(opened).transpose()?;
    let world = match options.vendor {
        Vendor::Tripletex => World::new(options, &format!("{address}/{BASE_PATH}"))?,
    };
    let shared = Arc::new(Shared {
        world: Mutex::new(world),
        exchanges: record.then(|| Mutex::new(Vec::new())),
        write_log: write_log.map(Mutex::new),
        log: log.map(Mutex::new),
    });
    let router = Router::new()
        .fallback(handle)
        .with_state(Arc::clone(&shared));
    let (shutdown, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let serving =
            axum::serve(BracketListener(listener), router).with_graceful_shutdown(async {
                // Both a message and a dropped sender mean the end.
                let _ = stopped.await;
            });
        if let Err(error) = serving.await {
            tracing::error!(%error, "the simulator stopped");
        }
    });
    Ok(Sandbox {
        address,
        shared,
        shutdown,
        server,
    })
}

impl Sandbox {
    /// Where it is reached; ends in the vendor's base path, without a slash.
    pub fn base_url(&self) -> String {
        format!("http://{}/{BASE_PATH}", self.address)
    }

    /// The secrets that open it, by the names of `--secret`.
    pub fn credentials(&self) -> BTreeMap<String, String> {
        let world = self.shared.world();
        BTreeMap::from([
            (
                "consumer_token".to_owned(),
                world.consumer_token().to_owned(),
            ),
            (
                "employee_token".to_owned(),
                world.employee_token().to_owned(),
            ),
        ])
    }

    /// The settings a connection needs, by the names of `--set`: made-up people
    /// have synthetic national ids, which are refused elsewhere.
    pub fn settings(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("test_identities".to_owned(), "accept".to_owned())])
    }

    /// What `muster sandbox` prints first.
    pub fn first_line(&self) -> serde_json::Value {
        serde_json::json!({
            "base_url": self.base_url(),
            "credentials": self.credentials(),
            "settings": self.settings(),
        })
    }

    /// Every exchange so far, in the order in which answers were ready; empty
    /// unless recording was switched on. Secrets are replaced.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared
            .exchanges
            .as_ref()
            .map(|exchanges| lock(exchanges).clone())
            .unwrap_or_default()
    }

    /// Serves another state of the company from now on; tokens and sessions
    /// stay good, what was written to the former state is gone.
    pub fn set_company(&self, company: Company) {
        self.shared.world().set_company(company);
    }

    /// Sets what `stale` shows from now on.
    pub fn set_earlier(&self, earlier: Company) {
        self.shared.world().set_earlier(earlier);
    }

    /// Shows these faults from now on, each from its beginning.
    ///
    /// # Errors
    /// When `drop-field` names a field that the vendor does not have; the
    /// faults then stay as they were.
    pub fn set_faults(&self, faults: Vec<Fault>) -> Result<(), SandboxError> {
        self.shared.world().set_faults(faults)
    }

    /// Stops listening; answers under way have a second to end.
    pub async fn stop(self) {
        let Self {
            shutdown,
            mut server,
            ..
        } = self;
        drop(shutdown);
        if tokio::time::timeout(STOP_PATIENCE, &mut server)
            .await
            .is_err()
        {
            server.abort();
        }
    }
}

fn opened(path: &Path) -> Result<File, SandboxError> {
    let failed = |source| SandboxError::Log {
        path: path.to_owned(),
        source,
    };
    let mut options = File::options();
    options.create(true).append(true).open(path).map_err(failed)
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let path_as_sent = as_sent(parts.uri.path());
    let segments: Vec<String> = path_as_sent
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(decoded)
        .collect();
    let query = parts.uri.query().unwrap_or_default();
    let path = match segments.split_first() {
        Some((base, rest)) if base == BASE_PATH => rest.to_vec(),
        // Outside the base path nothing is found, in the vendor's own words.
        _ => Vec::new(),
    };
    let request = tripletex::Request {
        method: parts.method.as_str().to_owned(),
        path,
        query: Query::of(query),
        authorization: text_of(&parts.headers, &header::AUTHORIZATION),
        if_none_match: text_of(&parts.headers, &header::IF_NONE_MATCH),
        body: body.to_vec(),
    };
    let answer = shared.world().answer(&request);
    if let Some(log) = &shared.write_log {
        log_write(log, &request, &path_as_sent, answer.status);
    }
    if let Some(delay) = answer.delay {
        tokio::time::sleep(delay).await;
    }
    if let Some(log) = &shared.log {
        let mark = if query.is_empty() { "" } else { "?" };
        let (method, status) = (&request.method, answer.status);
        let line = format!("{method} {path_as_sent}{mark}{query} {status}\n");
        if let Err(error) = lock(log).write_all(line.as_bytes()) {
            tracing::error!(%error, "the log cannot be written");
        }
    }
    if let Some(exchanges) = &shared.exchanges {
        let exchange = recorded(&request, &path_as_sent, query, &answer);
        lock(exchanges).push(exchange);
    }
    response(answer)
}

/// Logs a call that writes; reads and sessions are none.
fn log_write(log: &Mutex<File>, request: &tripletex::Request, path: &str, status: u16) {
    let reads = request.method == "GET";
    if reads || request.path.first().is_some_and(|first| first == "token") {
        return;
    }
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let line = serde_json::json!({
        "method": request.method, "path": path, "status": status, "body": body,
    });
    if let Err(error) = writeln!(lock(log), "{line}") {
        tracing::error!(%error, "the log of writes cannot be written");
    }
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn response(answer: Answer) -> Response<Body> {
    let mut response =
        plain(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    let headers = response.headers_mut();
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(&value),
        ) {
            headers.insert(name, value);
        }
    }
    if let Some(body) = answer.body {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        *response.body_mut() = match answer.claimed_length {
            None => Body::from(body),
            Some(length) => {
                response
                    .headers_mut()
                    .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
                cut_stream(body)
            }
        };
    }
    response
}

/// A body that ends before its length header says: a stream, which has no
/// length of its own that could contradict the header. The pause lets what
/// there is go out before the connection breaks.
fn cut_stream(body: String) -> Body {
    let breaking = futures::stream::once(async {
        tokio::time::sleep(CUT_PAUSE).await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted))
    });
    Body::from_stream(futures::stream::iter([Ok(body)]).chain(breaking))
}

/// The exchange as it is kept: secrets in the path, the query and the bodies of
/// session calls are replaced.
fn recorded(request: &tripletex::Request, path: &str, query: &str, answer: &Answer) -> Exchange {
    let mut exchange = Exchange {
        method: request.method.clone(),
        path: path.to_owned(),
        query: query.to_owned(),
        request_body: (!request.body.is_empty())
            .then(|| String::from_utf8_lossy(&request.body).into_owned()),
        status: answer.status,
        response_body: answer.body.clone(),
    };
    let is_session_call = matches!(request.path.as_slice(), [token, session, _] if token == "token" && session == "session");
    if is_session_call {
        if exchange.method == "DELETE" {
            exchange.path = format!("/{BASE_PATH}/token/session/{LEFT_OUT}");
        }
        exchange.query = query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((name, _)) if name.ends_with("Token") => format!("{name}={LEFT_OUT}"),
                _ => pair.to_owned(),
            })
            .collect::<Vec<_>>()
            .join("&");
        exchange.request_body = exchange.request_body.map(|body| without_tokens(&body));
        exchange.response_body = exchange.response_body.map(|body| without_tokens(&body));
    }
    exchange
}

/// A session call's body with every token's text replaced; a body that is no
/// JSON is replaced as a whole.
fn without_tokens(body: &str) -> String {
    let Ok(mut value) = serde_json::from_str(body) else {
        return LEFT_OUT.to_owned();
    };
    replace_tokens(&mut value);
    value.to_string()
}

fn replace_tokens(value: &mut serde_json::Value) {
    if let serde_json::Value::Object(properties) = value {
        for (name, value) in properties {
            match value {
                serde_json::Value::String(text) if name == "token" || name.ends_with("Token") => {
                    LEFT_OUT.clone_into(text);
                }
                inner => replace_tokens(inner),
            }
        }
    }
}
