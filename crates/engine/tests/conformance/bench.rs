//! A simulator on loopback and a connector to it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use muster_connect::http::Pause;
use muster_connect::{
    ConnectError, Connector, ConnectorInfo, ConnectorSettings, FieldScope, ReadRequest, catalogue,
};
use muster_engine::OpenConnector;
use muster_model::{Evidence, SourceRecord};
use muster_sandbox::{Fault, Sandbox, SandboxOptions, start};
use secrecy::SecretString;

use crate::broken;
use crate::firm::{Firm, TODAY};
use crate::machine::{HandClock, noon};
use crate::middleman::Middleman;
use crate::subject::Subject;

/// The setting by which connectors take a page size.
const PAGE_SIZE: &str = "page_size";

/// Waits in no time, and counts.
#[derive(Default)]
pub(crate) struct Waits(AtomicU64);

#[async_trait]
impl Pause for Waits {
    async fn pause(&self, _: Duration) {
        self.0.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
}

/// A whole read.
pub(crate) struct Read {
    pub(crate) evidence: Evidence,
    pub(crate) records: Vec<SourceRecord>,
}

/// A simulator, and what connects to it.
pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) info: &'static ConnectorInfo,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) waits: Arc<Waits>,
    pub(crate) open: OpenConnector,
    middleman: Option<Middleman>,
}

impl Bench {
    /// The firm's HR system, on its day; the connector's clock shows noon.
    pub(crate) async fn new(subject: &Subject, firm: &Firm) -> Self {
        let mut options = SandboxOptions::new(
            subject.vendor,
            firm.now.clone(),
            firm.other.clone(),
            firm.earlier.clone(),
            Arc::new(|| TODAY),
        );
        options.slow = Duration::from_millis(10);
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let sandbox = start(options, listen).await.unwrap();
        let middleman = match &subject.defect {
            Some((item, _)) => Middleman::of(*item, &sandbox.base_url()).await,
            None => None,
        };
        let name = subject.vendor.name();
        Self {
            info: catalogue().iter().find(|info| info.name == name).unwrap(),
            clock: Arc::new(HandClock::noon(TODAY)),
            waits: Arc::default(),
            open: broken::opener(subject.defect.clone()),
            sandbox,
            middleman,
        }
    }

    /// Where the connector is pointed at.
    pub(crate) fn base_url(&self) -> String {
        match &self.middleman {
            Some(middleman) => middleman.base_url(),
            None => self.sandbox.base_url(),
        }
    }

    /// Does the connector take a page size?
    pub(crate) fn has_pages(&self) -> bool {
        let settings = &self.info.settings;
        settings.iter().any(|setting| setting.name == PAGE_SIZE)
    }

    /// What is entered, with a page size where there is one.
    pub(crate) fn settings(&self, page_size: usize) -> Vec<(String, String)> {
        let mut settings: Vec<(String, String)> = self.sandbox.settings().into_iter().collect();
        if self.has_pages() {
            settings.push((PAGE_SIZE.to_owned(), page_size.to_string()));
        }
        settings
    }

    pub(crate) fn connector(&self, page_size: usize) -> Result<Box<dyn Connector>, ConnectError> {
        let mut entered = ConnectorSettings::new(self.clock.clone())
            .base_url(self.base_url())
            .pause(self.waits.clone());
        for (name, secret) in self.sandbox.credentials() {
            entered = entered.secret(name, SecretString::from(secret));
        }
        for (name, value) in self.settings(page_size) {
            entered = entered.set(name, value);
        }
        (self.open)(&self.info.name, entered)
    }

    /// Reads everybody, with a connector of its own.
    pub(crate) async fn read(&self, page_size: usize) -> Result<Read, ConnectError> {
        let connector = self.connector(page_size)?;
        let request = ReadRequest::new(FieldScope::all(), TODAY).region("NO");
        let mut records = Vec::new();
        let evidence = connector.read(&request, &mut records).await?;
        Ok(Read { evidence, records })
    }

    /// The company that answers.
    pub(crate) async fn account(&self) -> Result<String, ConnectError> {
        Ok(self.connector(10)?.account().await?.id)
    }

    /// Shows this fault from now on, or none.
    pub(crate) fn fault(&self, name: Option<&str>) {
        let faults: Vec<Fault> = name.iter().map(|name| name.parse().unwrap()).collect();
        self.sandbox.set_faults(faults).unwrap();
    }

    /// How often the connector waited so far.
    pub(crate) fn waited(&self) -> u64 {
        self.waits.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set_time(&self, now: &str) {
        let now: Timestamp = now.parse().unwrap();
        self.clock.set(now);
    }

    /// Later on the same day.
    pub(crate) fn wait(&self, hours: i64) {
        assert!(self.clock.today() == noon(TODAY).to_zoned(jiff::tz::TimeZone::UTC).date());
        self.clock.wait(hours);
    }
}
