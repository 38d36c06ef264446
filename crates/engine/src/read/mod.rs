//! Read and normalise: the source's records become a snapshot, page by page,
//! with the evidence by which it is judged.

mod sink;
mod tally;

use muster_connect::{Connector, FieldScope, ReadRequest};
use muster_model::evidence::ReadSummary;
use muster_model::{DoubtKind, Evidence, Field, Flow, Policy, RunId, SnapshotId};
use muster_storage::{Connection, Organisation};

pub(crate) use sink::SnapshotSink;
pub(crate) use tally::Tally;

use crate::connections::region;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::planning::mapping;

/// A snapshot and what came with it.
#[derive(Debug, Clone)]
pub struct Read {
    /// Where the records are.
    pub snapshot: SnapshotId,
    /// What the connector says of the read, completed by what storing saw.
    pub evidence: Evidence,
    /// What was counted.
    pub summary: ReadSummary,
}

/// Told how a read goes on: pages, records, and the expected number of records.
pub type Watch = std::sync::Arc<dyn Fn(muster_connect::Progress) + Send + Sync>;

impl Engine {
    /// Reads a source into a new snapshot.
    pub(crate) async fn read_source(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        connector: &dyn Connector,
        run: RunId,
        watch: Option<Watch>,
    ) -> Result<Read, EngineError> {
        let mut transaction = self.storage.begin(organisation.id).await?;
        let snapshot = transaction.begin_snapshot(connection.id, run).await?;
        transaction.commit().await?;

        let mut request = ReadRequest::new(scope_of(&connection.policy), self.today(organisation))
            .region(region(organisation, connection));
        request.progress = watch;
        let mut sink = SnapshotSink::new(
            self,
            organisation,
            connection,
            snapshot,
            run,
            mapping(connector.info()),
        );
        let mut evidence = match connector.read(&request, &mut sink).await {
            Ok(evidence) => evidence,
            Err(error) => return Err(sink.failure(error)),
        };
        let tally = sink.finish().await?;
        if tally.repeated > 0 {
            evidence.doubt(
                DoubtKind::RecordTwice,
                format!("{} record ids stood on more than one page", tally.repeated),
            );
            evidence.complete = false;
        }
        evidence.read = tally.summary.present;
        // Nothing was here before, and the database does not know yet that this changed.
        let is_first = connection.history.reads.is_empty();
        if is_first {
            self.storage.learn().await?;
        }
        let mut reader = self.storage.read(organisation.id).await?;
        let backwards = reader.backwards(connection.id, snapshot).await?;
        let summary = ReadSummary {
            backwards,
            ..tally.summary
        };
        Ok(Read {
            snapshot,
            evidence,
            summary,
        })
    }
}

/// Only what the policy has a use for is asked for and kept (`product.md`, B14):
/// the fields that flow or match, what the scope asks, and what a person is
/// made of where people are made.
fn scope_of(policy: &Policy) -> FieldScope {
    use muster_model::policy::NewReaction;
    let creates = policy.new != NewReaction::Ask;
    FieldScope::only(Field::ALL.into_iter().filter(|field| {
        creates
            || policy.flow(*field) != Flow::Off
            || policy.scope.contains(field)
            || policy.required.contains(field)
            || policy.keys.iter().any(|key| key.field() == *field)
            // Names and birth dates contradict a key; employment says who is there.
            || matches!(
                field,
                Field::GivenName | Field::FamilyName | Field::DateOfBirth | Field::Engagements
            )
    }))
}
