//! Where records go as they are read: into the snapshot, some thousand a
//! transaction, while the source is asked for more.

use async_trait::async_trait;
use jiff::Timestamp;
use muster_connect::{ConnectError, RecordSink, SinkError};
use muster_model::{ConnectionId, DigestKey, OrganisationId, RunId, SnapshotId, SourceRecord};
use muster_storage::{Connection, Organisation, RecordToStore, Storage, StorageError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use tracing::Instrument;

use super::Tally;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::lease::LEASE;
use crate::task::ended;

/// Records gathered before they are stored, some tens of megabytes. The index of keys
/// is in the order of digests: each transaction touches all of it, however few
/// records it stores.
const AT_ONCE: usize = 10_000;

/// Takes what a connector hands over.
pub(crate) struct SnapshotSink {
    key: DigestKey,
    mapping: String,
    began: Option<Timestamp>,
    gathered: Vec<RecordToStore>,
    /// To whoever stores; closed when there is nothing more.
    storing: Option<mpsc::Sender<Vec<RecordToStore>>>,
    stored: JoinSet<Result<Tally, StorageError>>,
}

impl SnapshotSink {
    pub(crate) fn new(
        engine: &Engine,
        organisation: &Organisation,
        connection: &Connection,
        snapshot: SnapshotId,
        run: RunId,
        mapping: String,
    ) -> Self {
        // One group waits while another is stored: never more.
        let (storing, groups) = mpsc::channel(1);
        let store = Store {
            storage: engine.storage.clone(),
            organisation: organisation.id,
            connection: connection.id,
            snapshot,
            run,
        };
        let mut stored = JoinSet::new();
        stored.spawn(store.all(groups));
        Self {
            key: organisation.digest_key(),
            mapping,
            began: None,
            gathered: Vec::new(),
            storing: Some(storing),
            stored,
        }
    }

    /// Stores the rest, and tells what was counted, and when the read began by the
    /// source's own clock.
    pub(crate) async fn finish(mut self) -> Result<(Tally, Option<Timestamp>), EngineError> {
        self.pass_on().await?;
        if self.storing.take().is_none() {
            // Told before, to a source that went on all the same.
            return Err(broken_off("what was read could not be stored".to_owned()));
        }
        Ok((ended(self.stored).await?, self.began))
    }

    /// Whose failure ended the read: the source's, or the storage's in here. Nothing
    /// is stored any more.
    pub(crate) fn failure(self, error: ConnectError) -> EngineError {
        if error.kind() != muster_connect::ErrorKind::Sink {
            return error.into();
        }
        let text = error.to_string();
        match error
            .into_sink_error()
            .map(SinkError::into_inner)
            .map(|inner| inner.downcast())
        {
            Some(Ok(storage)) => EngineError::Storage(*storage),
            _ => broken_off(text),
        }
    }

    fn gather(&mut self, records: Vec<SourceRecord>) {
        self.gathered.extend(records.into_iter().map(|mut record| {
            record.raw.seal(&self.mapping, &self.key);
            RecordToStore {
                digest: record.digest(&self.key),
                record,
            }
        }));
    }

    /// Gives what was gathered to whoever stores.
    async fn pass_on(&mut self) -> Result<(), StorageError> {
        let gathered = std::mem::take(&mut self.gathered);
        if let Some(storing) = &self.storing
            && !gathered.is_empty()
            && storing.send(gathered).await.is_err()
        {
            // They end early only for a reason.
            self.storing = None;
            ended(std::mem::take(&mut self.stored)).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl RecordSink for SnapshotSink {
    async fn records(&mut self, records: Vec<SourceRecord>) -> Result<(), SinkError> {
        tracing::debug_span!("read: digest").in_scope(|| self.gather(records));
        if self.gathered.len() < AT_ONCE {
            return Ok(());
        }
        self.pass_on().await.map_err(SinkError::new)
    }

    fn began(&mut self, at: Timestamp) {
        self.began = Some(at);
    }
}

/// A read that ended for a reason of ours.
fn broken_off(text: String) -> EngineError {
    EngineError::Source(ConnectError::new(
        muster_connect::ErrorKind::Sink,
        "read.sink",
        text,
        "see the cause; the source is not at fault",
    ))
}

/// Stores group after group.
struct Store {
    storage: Storage,
    organisation: OrganisationId,
    connection: ConnectionId,
    snapshot: SnapshotId,
    run: RunId,
}

impl Store {
    async fn all(
        self,
        mut groups: mpsc::Receiver<Vec<RecordToStore>>,
    ) -> Result<Tally, StorageError> {
        let mut tally = Tally::default();
        while let Some(group) = groups.recv().await {
            self.store(&group, &mut tally)
                .instrument(tracing::debug_span!("read: store"))
                .await?;
        }
        Ok(tally)
    }

    async fn store(&self, group: &[RecordToStore], tally: &mut Tally) -> Result<(), StorageError> {
        let mut transaction = self.storage.begin(self.organisation).await?;
        // A run that lost its lease stores nothing: somebody else reads now.
        transaction.extend_lease(self.run, LEASE).await?;
        let stored = transaction
            .store_records(self.connection, self.snapshot, group)
            .await?;
        transaction.commit().await?;
        tally.add(group, &stored);
        Ok(())
    }
}
