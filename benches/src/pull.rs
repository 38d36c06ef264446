//! Everybody pulled through a vendor's simulator, beside a bare loop that only
//! fetches the same pages: what is between the two is ours.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, Response, header};
use muster_connect::{ConnectorSettings, FieldScope, ReadRequest, RecordSink, SinkError};
use muster_model::{Evidence, SourceRecord};
use muster_sandbox::company::{DEFAULT_YEAR_START, Rehearsal, RehearsalSpec};
use muster_sandbox::{Sandbox, SandboxOptions, Vendor, start};
use secrecy::SecretString;
use serde::Serialize;
use tokio::net::TcpListener;

use crate::machine::MachineClock;
use crate::stopwatch::{Stopwatch, memory_now};

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// The largest body of a request that is passed on.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// What a pull came to.
#[derive(Debug, Serialize)]
pub(crate) struct Pulled {
    vendor: &'static str,
    people: u64,
    pages: u64,
    complete: bool,
    seconds: f64,
    /// Seconds of a loop that fetches the same pages and looks into none.
    bare_seconds: f64,
    people_a_second: f64,
    bare_people_a_second: f64,
    /// Requests made, and the fewest that the vendor's largest page allows.
    requests: u64,
    fewest_requests: u64,
    /// Memory that came on top while pulling, in bytes; simulator included.
    memory: u64,
}

/// Rows of the vendor's largest page; none where everybody comes in one answer.
const fn largest_page(vendor: Vendor) -> Option<u64> {
    match vendor {
        Vendor::Tripletex | Vendor::SapSuccessFactors => Some(1000),
        Vendor::GoogleWorkspace => Some(500),
        Vendor::BambooHr | Vendor::Workday => None,
        Vendor::WorkdaySoap => Some(999),
        Vendor::Humaans => Some(250),
    }
}

/// How many lists tell of everybody: people, and what stands by date in lists
/// of its own: their names, their jobs.
const fn lists(vendor: Vendor) -> u64 {
    match vendor {
        Vendor::SapSuccessFactors => 3,
        Vendor::Humaans => 2,
        _ => 1,
    }
}

/// Counts records and keeps none.
#[derive(Default)]
struct Counting(u64);

#[async_trait]
impl RecordSink for Counting {
    async fn records(&mut self, records: Vec<SourceRecord>) -> Result<(), SinkError> {
        self.0 += records.len() as u64;
        Ok(())
    }
}

/// A request as the connector made it.
struct Made {
    method: Method,
    target: String,
    headers: HeaderMap,
    body: axum::body::Bytes,
}

/// Settings of a connection by their names.
type Settings = [(String, String)];

/// Reads `NAME=VALUE`.
pub(crate) fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Pulls this many people through a vendor's simulator, with these settings beside
/// those that the simulator needs.
pub(crate) async fn run(
    vendor: Vendor,
    people: u32,
    settings: &Settings,
) -> anyhow::Result<Pulled> {
    let made = requests(vendor, people, settings).await?;
    let sandbox = simulator(vendor, people, None).await?;
    let before = memory_now()?;
    let (most, stop) = watch();
    let watch = Stopwatch::start();
    let (evidence, records) = pull(vendor, &sandbox, &sandbox.base_url(), settings).await?;
    let took = watch.elapsed();
    drop(stop);
    let most = *lock(&most);
    let bare = Stopwatch::start();
    fetch(&sandbox, &made).await?;
    let bare = bare.elapsed();
    let pages = largest_page(vendor).map_or(1, |page| records.div_ceil(page));
    let overhead = made.iter().filter(|one| !is_list(vendor, one)).count() as u64;
    Ok(Pulled {
        vendor: vendor.name(),
        people: records,
        pages: evidence.pages,
        complete: evidence.complete,
        seconds: took.as_secs_f64(),
        bare_seconds: bare.as_secs_f64(),
        people_a_second: rate(records, took),
        bare_people_a_second: rate(records, bare),
        requests: made.len() as u64,
        fewest_requests: pages * lists(vendor) + overhead.min(2),
        memory: most.saturating_sub(before),
    })
}

/// Is it a page of people? Beside those a token and who the company is are asked for.
fn is_list(vendor: Vendor, made: &Made) -> bool {
    let path = made.target.split('?').next().unwrap_or_default();
    match vendor {
        Vendor::Tripletex => path.ends_with("/employee"),
        Vendor::GoogleWorkspace => {
            path.ends_with("/users") && !made.target.contains("maxResults=1&")
        }
        Vendor::BambooHr => path.ends_with("/reports/custom"),
        Vendor::WorkdaySoap => path.contains("/Human_Resources/"),
        Vendor::Workday => path.contains("/customreport2/"),
        Vendor::SapSuccessFactors => path.starts_with("/odata/"),
        Vendor::Humaans => path.ends_with("/people") || path.ends_with("/job-roles"),
    }
}

#[allow(clippy::cast_precision_loss)] // people, not stars
fn rate(people: u64, time: Duration) -> f64 {
    people as f64 / time.as_secs_f64()
}

async fn simulator(
    vendor: Vendor,
    people: u32,
    front: Option<std::net::SocketAddr>,
) -> anyhow::Result<Sandbox> {
    let rehearsal = Rehearsal::new(RehearsalSpec {
        people,
        seed: 1,
        year_start: DEFAULT_YEAR_START,
    })?;
    let other = Rehearsal::new(RehearsalSpec {
        people: 10,
        seed: 2,
        year_start: DEFAULT_YEAR_START,
    })?;
    let company = rehearsal.on_day(0);
    let today = today();
    let mut options = SandboxOptions::new(
        vendor,
        company,
        other.on_day(0),
        other.on_day(0),
        Arc::new(move || today),
    );
    options.front = front;
    Ok(start(options, (std::net::Ipv4Addr::LOCALHOST, 0).into()).await?)
}

fn today() -> jiff::civil::Date {
    use muster_model::Clock as _;
    MachineClock.now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

async fn pull(
    vendor: Vendor,
    sandbox: &Sandbox,
    base_url: &str,
    settings: &Settings,
) -> anyhow::Result<(Evidence, u64)> {
    let mut entered = ConnectorSettings::new(Arc::new(MachineClock)).base_url(base_url);
    for (name, secret) in sandbox.credentials() {
        entered = entered.secret(name, SecretString::from(secret));
    }
    for (name, value) in sandbox.settings() {
        entered = entered.set(name, value);
    }
    if vendor == Vendor::SapSuccessFactors {
        // An assertion names the address that it was made for: the bare loop asks at
        // another one.
        entered = entered.set("authentication", "basic");
    }
    if let Some(rows) = largest_page(vendor) {
        entered = entered.set("page_size", rows.to_string());
    }
    for (name, value) in settings {
        entered = entered.set(name.as_str(), value.as_str());
    }
    let connector = muster_connect::open(vendor.name(), entered)?;
    let request = ReadRequest::new(FieldScope::all(), today()).region("NO");
    let mut counting = Counting::default();
    let evidence = connector.read(&request, &mut counting).await?;
    Ok((evidence, counting.0))
}

/// The requests of a pull, written down by somebody who passes them on. The
/// simulator of the measured pull has the same seed: its tokens are the same.
async fn requests(vendor: Vendor, people: u32, settings: &Settings) -> anyhow::Result<Vec<Made>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let front = listener.local_addr()?;
    let sandbox = simulator(vendor, people, Some(front)).await?;
    let base_url = sandbox.base_url();
    let (scheme, rest) = base_url.split_once("://").context("an address")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let passing = Arc::new(Passing {
        origin: format!("{scheme}://{host}"),
        client: client()?,
        made: Mutex::default(),
    });
    let router = Router::new()
        .fallback(pass)
        .with_state(Arc::clone(&passing));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let in_front = format!("http://{front}/{path}");
    pull(vendor, &sandbox, in_front.trim_end_matches('/'), settings).await?;
    server.abort();
    sandbox.stop().await;
    Ok(std::mem::take(&mut *lock(&passing.made)))
}

struct Passing {
    origin: String,
    client: reqwest::Client,
    made: Mutex<Vec<Made>>,
}

fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

async fn pass(State(passing): State<Arc<Passing>>, request: Request<Body>) -> Response<Body> {
    match passed(&passing, request).await {
        Ok(response) => response,
        Err(error) => {
            let mut response = Response::new(Body::from(error.to_string()));
            *response.status_mut() = axum::http::StatusCode::BAD_GATEWAY;
            response
        }
    }
}

async fn passed(passing: &Passing, request: Request<Body>) -> anyhow::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().context("a path")?.to_string();
    let mut headers = parts.headers;
    // The host stays: a vendor may name it in the address of the next page.
    headers.remove(header::CONTENT_LENGTH);
    let made = Made {
        method: parts.method,
        target,
        headers,
        body: to_bytes(body, MOST_BYTES).await?,
    };
    let answer = send(&passing.client, &passing.origin, &made).await?;
    lock(&passing.made).push(made);
    let status = answer.status();
    let kept = [header::CONTENT_TYPE].map(|name| (answer.headers().get(&name).cloned(), name));
    // Passed on as it comes: a body that is held here would be memory that is not new
    // in the pull that is measured.
    let mut response = Response::new(Body::new(reqwest::Body::from(answer)));
    *response.status_mut() = status;
    for (value, name) in kept {
        if let Some(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

async fn send(
    client: &reqwest::Client,
    origin: &str,
    made: &Made,
) -> anyhow::Result<reqwest::Response> {
    let request = client
        .request(made.method.clone(), format!("{origin}{}", made.target))
        .headers(made.headers.clone())
        .body(made.body.clone());
    Ok(request.send().await?)
}

/// The bare loop: every page, one after the other, and nothing done with it.
async fn fetch(sandbox: &Sandbox, made: &[Made]) -> anyhow::Result<()> {
    let base_url = sandbox.base_url();
    let (scheme, rest) = base_url.split_once("://").context("an address")?;
    let host = rest.split('/').next().unwrap_or_default();
    let origin = format!("{scheme}://{host}");
    let client = client()?;
    // A token was made for another address; it is the same token here.
    for one in made.iter().filter(|one| one.target != "/token") {
        let mut answer = send(&client, &origin, one).await?.error_for_status()?;
        while answer.chunk().await?.is_some() {}
    }
    Ok(())
}

/// Looks at this process's memory until the other half is dropped.
fn watch() -> (Arc<Mutex<u64>>, tokio::sync::oneshot::Sender<()>) {
    let most = Arc::new(Mutex::new(0));
    let (stop, mut stopped) = tokio::sync::oneshot::channel();
    let told = Arc::clone(&most);
    std::thread::spawn(move || {
        while stopped.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty) {
            if let Ok(now) = memory_now() {
                let mut most = lock(&told);
                *most = now.max(*most);
            }
            std::thread::sleep(LOOK);
        }
    });
    (most, stop)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
