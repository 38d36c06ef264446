//! The trait every HR system is reached through.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use muster_model::{Evidence, ExternalId, Field, SourceRecord};

use crate::declared::{Trial, VendorField};
use crate::error::{ConnectError, ErrorKind};
use crate::manifest::ConnectorInfo;
use crate::writing::{Fetched, RecordWrite, WriteAnswer};

/// One vendor, with one organisation's credentials.
#[async_trait]
pub trait Connector: Send + Sync {
    /// What the catalogue says about it.
    fn info(&self) -> &ConnectorInfo;

    /// Who answers: the company behind the credentials, and their rights.
    ///
    /// # Errors
    /// When the vendor refuses the credentials or cannot be reached.
    async fn account(&self) -> Result<Account, ConnectError>;

    /// Reads everybody and hands the records over page by page, so that memory
    /// is bounded by a page and the ids. What could not be read stands in the
    /// evidence as a doubt; records that were handed over stay good.
    ///
    /// # Errors
    /// When nothing at all can be said of the source (credentials refused,
    /// network down), or when the sink fails.
    async fn read(
        &self,
        request: &ReadRequest,
        sink: &mut dyn RecordSink,
    ) -> Result<Evidence, ConnectError>;

    /// Asks by id whether records are still there, in batches. An id that is
    /// not in the answer was not answered, and proves nothing.
    ///
    /// # Errors
    /// When the vendor refuses the credentials, or answers no batch at all.
    async fn confirm(
        &self,
        ids: &[ExternalId],
    ) -> Result<BTreeMap<ExternalId, Confirmation>, ConnectError>;

    /// Reads one person and shows what becomes of each field, step by step.
    /// `None` when there is no such person.
    ///
    /// # Errors
    /// `connector.no_trial` where the mapping is code; else as for a read.
    async fn trial(
        &self,
        _id: &ExternalId,
        _request: &ReadRequest,
    ) -> Result<Option<Trial>, ConnectError> {
        Err(ConnectError::new(
            ErrorKind::Settings,
            "connector.no_trial",
            "this connector's mapping is code and cannot be tried step by step",
            "use `muster pull`, which shows what people become",
        ))
    }

    /// The fields that the vendor has for this company.
    ///
    /// # Errors
    /// `connector.no_discovery` where the vendor does not tell; else as for a read.
    async fn vendor_fields(&self) -> Result<Vec<VendorField>, ConnectError> {
        Err(ConnectError::new(
            ErrorKind::Settings,
            "connector.no_discovery",
            "this vendor does not tell which fields it has",
            "`muster connectors show` lists those that are read",
        ))
    }

    /// Reads records by their ids, with the fields of the request and in the form
    /// of a read. An id that is not in the answer was not answered. Only of
    /// connectors whose manifest names fields that can be written.
    ///
    /// # Errors
    /// When the vendor refuses, cannot be reached or answers what cannot be
    /// understood; `connector.writes_nothing` where there is nothing to write.
    async fn fetch(
        &self,
        _ids: &[ExternalId],
        _request: &ReadRequest,
    ) -> Result<BTreeMap<ExternalId, Fetched>, ConnectError> {
        Err(writes_nothing(self.info()))
    }

    /// Writes fields of one record, once: a failure that leaves open whether it
    /// was done is an error, and nothing is tried again here. The request gives
    /// day and region, by which the answer is read.
    ///
    /// # Errors
    /// As [`Connector::fetch`]. What the vendor refuses for its content is no
    /// error but an answer.
    async fn write(
        &self,
        _write: &RecordWrite,
        _request: &ReadRequest,
    ) -> Result<WriteAnswer, ConnectError> {
        Err(writes_nothing(self.info()))
    }
}

fn writes_nothing(info: &ConnectorInfo) -> ConnectError {
    ConnectError::new(
        ErrorKind::Refused,
        "connector.writes_nothing",
        format!("the connector {} only reads", info.name),
        "let no field of the connection's policy flow outwards",
    )
}

/// The company behind a set of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The vendor's id of the company: pinned when connecting.
    pub id: String,
    /// Its name, where the vendor tells it.
    pub name: Option<String>,
    /// The credential's rights; `None` where the vendor does not tell them.
    pub rights: Option<BTreeSet<String>>,
}

/// What a source answers about one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// The source says that there is no such record.
    NotThere,
    /// It is there.
    Present,
}

/// Where records go as they are read.
#[async_trait]
pub trait RecordSink: Send {
    /// Takes the records of one page, in the order of the source.
    ///
    /// # Errors
    /// Ends the read; see [`SinkError`].
    async fn records(&mut self, records: Vec<SourceRecord>) -> Result<(), SinkError>;

    /// The read has begun: so late is it by the source's own clock. Not told by
    /// sources that do not say what time it is.
    fn began(&mut self, _at: Timestamp) {}
}

/// Collects in memory: for previews and tests, not for large firms.
#[async_trait]
impl RecordSink for Vec<SourceRecord> {
    async fn records(&mut self, records: Vec<SourceRecord>) -> Result<(), SinkError> {
        self.extend(records);
        Ok(())
    }
}

/// The receiver of records failed; the read stops. Whoever made the sink knows
/// what is inside.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SinkError(Box<dyn std::error::Error + Send + Sync>);

impl SinkError {
    /// Wraps the receiver's own error.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }

    /// The receiver's own error.
    #[must_use]
    pub fn into_inner(self) -> Box<dyn std::error::Error + Send + Sync> {
        self.0
    }
}

/// What one read shall bring.
#[derive(Clone)]
pub struct ReadRequest {
    /// Only these fields are asked for and kept.
    pub fields: FieldScope,
    /// The civil day of the organisation: judges which dates are possible.
    pub today: Date,
    /// The organisation's country (ISO 3166-1 alpha-2), for telephone numbers
    /// without a calling code.
    pub region: Option<String>,
    /// Only what changed since then, by the source's own clock, shall be read;
    /// of connectors whose entry has `changes`.
    pub since: Option<Timestamp>,
    /// Told after each page.
    pub progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

impl ReadRequest {
    /// A read of these fields, as of a day.
    #[must_use]
    pub const fn new(fields: FieldScope, today: Date) -> Self {
        Self {
            fields,
            today,
            region: None,
            since: None,
            progress: None,
        }
    }

    /// With the organisation's country.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Of what changed since then, by the source's own clock.
    #[must_use]
    pub const fn since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }

    /// With somebody to be told after each page.
    #[must_use]
    pub fn progress(mut self, told: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(told));
        self
    }

    pub(crate) fn tell(&self, progress: Progress) {
        if let Some(told) = &self.progress {
            told(progress);
        }
    }
}

impl fmt::Debug for ReadRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ReadRequest")
            .field("fields", &self.fields)
            .field("today", &self.today)
            .field("region", &self.region)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

/// How far a read has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Pages answered.
    pub pages: u64,
    /// Records handed over.
    pub records: u64,
    /// How many there may be, where the vendor says so; not exact everywhere.
    pub expected: Option<u64>,
}

/// The fields a read may ask for and keep (field scopes apply before storage).
///
/// Each detail of an engagement needs its own flat field: without
/// [`Field::JobTitle`] no engagement carries a title. What says *that* and
/// *when* somebody is employed (id, kind, first and last day, reason of the
/// end) comes with any field of an engagement, since none of them has a
/// meaning without its days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldScope(BTreeSet<Field>);

impl FieldScope {
    /// Every canonical field.
    #[must_use]
    pub fn all() -> Self {
        Self::only(Field::ALL)
    }

    /// These fields.
    #[must_use]
    pub fn only(fields: impl IntoIterator<Item = Field>) -> Self {
        Self(fields.into_iter().collect())
    }

    /// Is a field in scope?
    #[must_use]
    pub fn has(&self, field: Field) -> bool {
        self.0.contains(&field)
    }

    /// Is one of these in scope?
    #[must_use]
    pub fn has_any(&self, fields: &[Field]) -> bool {
        fields.iter().any(|field| self.has(*field))
    }
}
