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
use axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use futures::StreamExt;
use jiff::civil::Date;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::address::decoded;
use crate::bamboohr::BambooHr;
use crate::company::Company;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::google::Google;
use crate::humaans::Humaans;
use crate::limit::{Counted, Quota, RateLimit};
use crate::listener::{BracketListener, as_sent};
use crate::simulator::Simulator;
use crate::successfactors::SuccessFactors;
use crate::tripletex;
use crate::wire::{Answer, Body as WireBody, WireRequest};
use crate::workday;

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
    /// BambooHR API v1 and v2.
    BambooHr,
    /// Google Workspace, Directory API v1.
    GoogleWorkspace,
    /// Workday Human Resources, `Get_Workers` by SOAP.
    WorkdaySoap,
    /// A custom report of Workday as a web service.
    Workday,
    /// SAP SuccessFactors, OData API v2.
    SapSuccessFactors,
    /// Humaans.
    Humaans,
}

impl Vendor {
    /// Every vendor that can be simulated.
    pub const ALL: [Vendor; 7] = [
        Vendor::Tripletex,
        Vendor::BambooHr,
        Vendor::GoogleWorkspace,
        Vendor::WorkdaySoap,
        Vendor::Workday,
        Vendor::SapSuccessFactors,
        Vendor::Humaans,
    ];

    /// The name people type, which is the connector's.
    pub fn name(self) -> &'static str {
        match self {
            Vendor::Tripletex => "tripletex",
            Vendor::BambooHr => "bamboohr",
            Vendor::GoogleWorkspace => "google-workspace",
            Vendor::WorkdaySoap => "workday-soap",
            Vendor::Workday => "workday",
            Vendor::SapSuccessFactors => "sap-successfactors",
            Vendor::Humaans => "humaans",
        }
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Vendor {
    type Err = SandboxError;

    fn from_str(text: &str) -> Result<Self, SandboxError> {
        Vendor::ALL
            .into_iter()
            .find(|vendor| vendor.name() == text)
            .ok_or_else(|| SandboxError::UnknownVendor {
                given: text.to_owned(),
            })
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
    /// How many calls it allows; without it, as many as come.
    pub limit: Option<RateLimit>,
    /// Host and port by which callers reach it, where that is not the address it
    /// listens on: what stands in addresses that it gives out.
    pub front: Option<SocketAddr>,
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
            limit: None,
            front: None,
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
    #[error("sandbox.vendor.unknown: there is no simulator `{given}`; choose from: {}", Vendor::ALL.map(Vendor::name).join(", "))]
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
    /// This vendor's simulator does not show this fault.
    #[error(
        "sandbox.fault.not-shown: the simulator of {vendor} does not show `{fault}`; leave it out, or use another vendor"
    )]
    NotShown {
        /// Whose simulator.
        vendor: Vendor,
        /// Which fault.
        fault: Fault,
    },
    /// No key can be made.
    #[error("sandbox.key: the simulator's key cannot be made: {message}; try another seed")]
    Key {
        /// What the maker of keys says.
        message: String,
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
            SandboxError::NotShown { .. } => "sandbox.fault.not-shown",
            SandboxError::Key { .. } => "sandbox.key",
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
struct Shared {
    simulator: Mutex<Box<dyn Simulator>>,
    /// None when exchanges are not kept.
    exchanges: Option<Mutex<Vec<Exchange>>>,
    /// None when writes are not logged.
    write_log: Option<Mutex<File>>,
    /// None when no log is kept.
    log: Option<Mutex<File>>,
    /// None when any number of calls is allowed.
    quota: Option<Mutex<Quota>>,
}

impl Shared {
    fn simulator(&self) -> MutexGuard<'_, Box<dyn Simulator>> {
        lock(&self.simulator)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").finish_non_exhaustive()
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
    let quota = options.limit.clone().map(Quota::of);
    let reached = options.front.unwrap_or(address);
    let write_log = options.write_log.as_deref().map(opened).transpose()?;
    let log = options.log.as_deref().map(opened).transpose()?;
    let simulator: Box<dyn Simulator> = match options.vendor {
        Vendor::Tripletex => Box::new(tripletex::World::new(
            options,
            &format!("{reached}/{}", tripletex::BASE_PATH),
        )?),
        Vendor::BambooHr => Box::new(BambooHr::new(options)?),
        Vendor::GoogleWorkspace => Box::new(Google::new(options, &reached.to_string())?),
        Vendor::WorkdaySoap | Vendor::Workday => Box::new(workday::Tenant::new(options)?),
        Vendor::SapSuccessFactors => Box::new(SuccessFactors::new(options, &reached.to_string())?),
        Vendor::Humaans => Box::new(Humaans::new(options)?),
    };
    let shared = Arc::new(Shared {
        simulator: Mutex::new(simulator),
        exchanges: record.then(|| Mutex::new(Vec::new())),
        write_log: write_log.map(Mutex::new),
        log: log.map(Mutex::new),
        quota: quota.map(Mutex::new),
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
    /// Where it is reached: what stands in place of the vendor's host and, if the
    /// vendor has one, base path; without a slash at the end.
    pub fn base_url(&self) -> String {
        match self.shared.simulator().base_path() {
            "" => format!("http://{}", self.address),
            path => format!("http://{}/{path}", self.address),
        }
    }

    /// The secrets that open it, by the names of `--secret`.
    pub fn credentials(&self) -> BTreeMap<String, String> {
        self.shared.simulator().credentials()
    }

    /// The settings a connection needs, by the names of `--set`.
    pub fn settings(&self) -> BTreeMap<String, String> {
        self.shared.simulator().settings()
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

    /// What became of the calls so far; none counted without a limit.
    pub fn counted(&self) -> Counted {
        let quota = self.shared.quota.as_ref();
        quota.map_or_else(Counted::default, |quota| lock(quota).counted)
    }

    /// Serves another state of the company from now on; tokens and sessions
    /// stay good, what was written to the former state is gone.
    pub fn set_company(&self, company: Company) {
        self.shared.simulator().set_company(company);
    }

    /// Sets what `stale` shows from now on.
    pub fn set_earlier(&self, earlier: Company) {
        self.shared.simulator().set_earlier(earlier);
    }

    /// Shows these faults from now on, each from its beginning.
    ///
    /// # Errors
    /// When `drop-field` names a field that the vendor does not have; the
    /// faults then stay as they were.
    pub fn set_faults(&self, faults: Vec<Fault>) -> Result<(), SandboxError> {
        self.shared.simulator().set_faults(faults)
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
    let path: Vec<String> = path_as_sent
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(decoded)
        .collect();
    let request = WireRequest {
        method: parts.method.as_str().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        path_as_sent,
        path,
        headers: parts.headers,
        body: body.to_vec(),
    };
    let left = shared.quota.as_ref().map(|quota| lock(quota).take());
    let (mut answer, is_write) = {
        let mut simulator = shared.simulator();
        let is_refused = left.is_some_and(|left| left.is_refused);
        let mut answer = match is_refused {
            true => simulator.throttled(),
            false => simulator.answer(&request),
        };
        if let Some(left) = left {
            simulator.tell_quota(&mut answer, left);
        }
        (answer, !is_refused && simulator.is_write(&request))
    };
    if let Some(log) = &shared.write_log
        && is_write
    {
        log_write(log, &request, answer.status);
    }
    if let Some(delay) = answer.delay {
        tokio::time::sleep(delay).await;
    }
    if let Some(log) = &shared.log {
        let mark = if request.query.is_empty() { "" } else { "?" };
        let (method, path, query) = (&request.method, &request.path_as_sent, &request.query);
        let line = format!("{method} {path}{mark}{query} {}\n", answer.status);
        if let Err(error) = lock(log).write_all(line.as_bytes()) {
            tracing::error!(%error, "the log cannot be written");
        }
    }
    if let Some(exchanges) = &shared.exchanges {
        let mut exchange = recorded(&request, &mut answer);
        shared.simulator().redact(&request, &mut exchange);
        lock(exchanges).push(exchange);
    }
    response(answer)
}

/// Logs a call that writes.
fn log_write(log: &Mutex<File>, request: &WireRequest, status: u16) {
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let line = serde_json::json!({
        "method": request.method, "path": request.path_as_sent, "status": status, "body": body,
    });
    if let Err(error) = writeln!(lock(log), "{line}") {
        tracing::error!(%error, "the log of writes cannot be written");
    }
}

/// The exchange as it is kept, before secrets are taken out.
fn recorded(request: &WireRequest, answer: &mut Answer) -> Exchange {
    Exchange {
        method: request.method.clone(),
        path: request.path_as_sent.clone(),
        query: request.query.clone(),
        request_body: (!request.body.is_empty()).then(|| request.text()),
        status: answer.status,
        response_body: answer.gather().cloned(),
    }
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
    if !matches!(answer.body, WireBody::None) {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(answer.content_type),
        );
    }
    *response.body_mut() = match (answer.body, answer.claimed_length) {
        (WireBody::None, _) => Body::empty(),
        (WireBody::Text(body), None) => Body::from(body),
        (WireBody::Text(body), Some(length)) => {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            cut_stream(body)
        }
        (WireBody::Pieces(pieces), _) => {
            Body::from_stream(futures::stream::iter(pieces.map(Ok::<_, std::io::Error>)))
        }
    };
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
