//! Where records go as they are read: into the snapshot, a page a transaction.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use muster_connect::{ConnectError, RecordSink, SinkError};
use muster_model::{DigestKey, ExternalId, MatchKey, RunId, SnapshotId, SourceRecord};
use muster_storage::{Connection, Organisation, RecordToStore, Storage, StorageError};

use tracing::Instrument;

use super::Tally;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::lease::LEASE;

/// Stores what a connector hands over.
pub(crate) struct SnapshotSink<'a> {
    storage: &'a Storage,
    organisation: &'a Organisation,
    connection: &'a Connection,
    snapshot: SnapshotId,
    run: RunId,
    key: DigestKey,
    mapping: String,
    tally: Tally,
    began: Option<Timestamp>,
}

impl<'a> SnapshotSink<'a> {
    pub(crate) fn new(
        engine: &'a Engine,
        organisation: &'a Organisation,
        connection: &'a Connection,
        snapshot: SnapshotId,
        run: RunId,
        mapping: String,
    ) -> Self {
        Self {
            storage: &engine.storage,
            organisation,
            connection,
            snapshot,
            run,
            key: organisation.digest_key(),
            mapping,
            tally: Tally::default(),
            began: None,
        }
    }

    /// What was counted, and when the read began by the source's own clock.
    pub(crate) fn finish(self) -> (Tally, Option<Timestamp>) {
        (self.tally, self.began)
    }

    /// Whose failure ended the read: the source's, or the storage's in here.
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
            _ => EngineError::Source(ConnectError::new(
                muster_connect::ErrorKind::Sink,
                "read.sink",
                text,
                "see the cause; the source is not at fault",
            )),
        }
    }

    async fn store(&mut self, records: Vec<SourceRecord>) -> Result<(), StorageError> {
        let page: Vec<RecordToStore> = records
            .into_iter()
            .map(|mut record| {
                record.raw.seal(&self.mapping, &self.key);
                record
            })
            .map(|record| RecordToStore {
                digest: record.digest(&self.key),
                keys: MatchKey::ALL
                    .into_iter()
                    .filter_map(|key| Some((key, key.digest(&record.fields, &self.key)?)))
                    .collect(),
                record,
            })
            .collect();
        let mut transaction = self.storage.begin(self.organisation.id).await?;
        // A run that lost its lease stores nothing: somebody else reads now.
        transaction.extend_lease(self.run, LEASE).await?;
        let stored = transaction
            .store_records(self.connection.id, self.snapshot, &page)
            .await?;
        transaction.commit().await?;
        let repeated: BTreeSet<&ExternalId> = stored.already_in_this_snapshot.iter().collect();
        let erased: BTreeSet<&ExternalId> = stored.erased.iter().collect();
        self.tally.add(&page, &repeated, &erased);
        Ok(())
    }
}

#[async_trait]
impl RecordSink for SnapshotSink<'_> {
    async fn records(&mut self, records: Vec<SourceRecord>) -> Result<(), SinkError> {
        self.store(records)
            .instrument(tracing::debug_span!("read: store"))
            .await
            .map_err(SinkError::new)
    }

    fn began(&mut self, at: Timestamp) {
        self.began = Some(at);
    }
}
