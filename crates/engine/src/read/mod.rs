//! Read and normalise: the source's records become a snapshot, page by page,
//! with the evidence by which it is judged.

mod sink;
mod tally;

use jiff::{Timestamp, ToSpan};
use muster_connect::{Connector, FieldScope, ReadRequest};
use muster_model::evidence::ReadSummary;
use muster_model::report::Trigger;
use muster_model::{DoubtKind, Evidence, Field, Flow, Policy, RunId, SnapshotId};
use muster_storage::{Connection, Organisation};

pub(crate) use sink::SnapshotSink;
pub(crate) use tally::Tally;

use crate::connections::region;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::planning::{mapping, versions};

/// A snapshot and what came with it.
#[derive(Debug, Clone)]
pub struct Read {
    /// Where the records are.
    pub snapshot: SnapshotId,
    /// What the connector says of the read, completed by what storing saw.
    pub evidence: Evidence,
    /// What was counted.
    pub summary: ReadSummary,
    /// When it began, by the source's own clock, where the source tells it.
    pub(crate) began: Option<Timestamp>,
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
        trigger: Trigger,
        watch: Option<Watch>,
    ) -> Result<Read, EngineError> {
        let from = self.changes_from(connection, connector, trigger);
        let mut transaction = self.storage.begin(organisation.id).await?;
        let snapshot = transaction.begin_snapshot(connection.id, run).await?;
        transaction.commit().await?;

        let mut request = ReadRequest::new(scope_of(&connection.policy), self.today(organisation))
            .region(region(organisation, connection));
        request.progress = watch;
        request.since = from.as_ref().map(|(since, _)| *since);
        let mut sink = SnapshotSink::new(
            self,
            organisation,
            connection,
            snapshot,
            run,
            mapping(connection, connector.info()),
        );
        let mut evidence = match connector.read(&request, &mut sink).await {
            Ok(evidence) => evidence,
            Err(error) => return Err(sink.failure(error)),
        };
        let (tally, began) = sink.finish().await?;
        if tally.repeated > 0 {
            evidence.doubt(
                DoubtKind::RecordTwice,
                format!("{} record ids stood on more than one page", tally.repeated),
            );
            evidence.complete = false;
        }
        evidence.read = tally.summary.present;
        // What did not change is as it was read before; where the connector read
        // everybody all the same, nothing is taken from there.
        if let (Some((_, before)), Some(_)) = (from, evidence.changes_since) {
            self.carry_over(organisation, connection, before, snapshot)
                .await?;
        }
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
            began,
        })
    }

    /// From when, and on what snapshot, only changes are read: between two full reads,
    /// when nobody asked for the read himself, and while the same words are read the
    /// same way.
    fn changes_from(
        &self,
        connection: &Connection,
        connector: &dyn Connector,
        trigger: Trigger,
    ) -> Option<(Timestamp, SnapshotId)> {
        let info = connector.info();
        let (known, can) = (connection.history.changes.as_ref()?, info.changes?);
        let full_again = (known.full_at)
            .checked_add(i64::from(can.full_hours).hours())
            .ok()?;
        let narrow = matches!(trigger, Trigger::Schedule | Trigger::Push)
            && self.now() < full_again
            && known.versions == versions(connection, info);
        let since = (known.at)
            .checked_sub(i64::from(can.overlap_seconds).seconds())
            .ok()?;
        narrow.then_some((since, known.snapshot))
    }

    async fn carry_over(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        before: SnapshotId,
        snapshot: SnapshotId,
    ) -> Result<(), EngineError> {
        let mut transaction = self.storage.begin(organisation.id).await?;
        transaction
            .carry_over(connection.id, before, snapshot)
            .await?;
        // In the same transaction: a run that dies here must not leave the next one
        // looking for records where they are no more.
        let mut after = transaction.connection(connection.id).await?;
        if let Some(changes) = &mut after.history.changes {
            changes.snapshot = snapshot;
        }
        transaction.update_connection(&after, None).await?;
        transaction.commit().await?;
        Ok(())
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
