//! The source records of one read.

use std::collections::BTreeSet;

use jiff::Timestamp;
use muster_model::{ConnectionId, ExternalId, RunId, SnapshotId};
use uuid::Uuid;

use super::keys::given_ids;
use super::{Db, Session};
use crate::error::StorageError;
use crate::record::Sighting;
use crate::scope::Scope;
use crate::stored::instant;

const INSERT: &str = "INSERT INTO snapshots (organisation_id, id, connection_id, run_id, begun_at) \
    SELECT organisation_id, $2, connection_id, id, $5 FROM runs \
    WHERE organisation_id = $1 AND connection_id = $3 AND id = $4";
const EXISTS: &str = "SELECT id FROM snapshots \
    WHERE organisation_id = $1 AND connection_id = $2 AND id = $3";
const CARRY_OVER: &str = "UPDATE source_records SET seen_in = $4 \
    WHERE organisation_id = $1 AND connection_id = $2 AND seen_in = $3";

const SIGHTING: &str = "SELECT seen.id, seen.run_id, seen.begun_at, \
    (SELECT newest.id FROM snapshots AS newest WHERE newest.organisation_id = $1 \
        AND newest.connection_id = $2 ORDER BY newest.begun_at DESC, newest.id DESC LIMIT 1) \
    FROM source_records AS record JOIN snapshots AS seen \
    ON seen.organisation_id = record.organisation_id AND seen.id = record.seen_in \
    WHERE record.organisation_id = $1 AND record.connection_id = $2 AND record.external_id = $3";

/// When a record was last seen.
pub(crate) async fn sighting(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    record: &ExternalId,
) -> Result<Option<Sighting>, StorageError> {
    sqlx::query_as::<Db, (Uuid, Uuid, i64, Uuid)>(SIGHTING)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(record.as_str())
        .fetch_optional(session)
        .await?
        .map(|(seen, run, at, newest)| {
            Ok(Sighting {
                snapshot: SnapshotId::from_uuid(seen),
                run: RunId::from_uuid(run),
                at: instant("snapshots.begun_at", at)?,
                newest: SnapshotId::from_uuid(newest),
            })
        })
        .transpose()
}

/// Records asked about in one statement.
const ASKED: usize = 500;

/// Those of these records that were seen in the newest read that had begun by an instant,
/// or in a later one.
pub(crate) async fn seen_since(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    ids: &[ExternalId],
    at: Timestamp,
) -> Result<BTreeSet<ExternalId>, StorageError> {
    let mut seen = BTreeSet::new();
    for ids in ids.chunks(ASKED) {
        let mut query = given_ids(ids);
        query.push(
            "SELECT record.external_id FROM given CROSS JOIN source_records AS record \
             JOIN snapshots AS seen ON seen.organisation_id = record.organisation_id \
             AND seen.id = record.seen_in WHERE record.external_id = given.external_id \
             AND (seen.begun_at, seen.id) >= (SELECT newest.begun_at, newest.id \
             FROM snapshots AS newest WHERE newest.organisation_id = ",
        );
        query
            .push_bind(scope.id())
            .push(" AND newest.connection_id = ")
            .push_bind(connection.uuid())
            .push(" AND newest.begun_at <= ")
            .push_bind(at.as_microsecond())
            .push(
                " ORDER BY newest.begun_at DESC, newest.id DESC LIMIT 1) \
                 AND record.organisation_id = ",
            )
            .push_bind(scope.id())
            .push(" AND record.connection_id = ")
            .push_bind(connection.uuid());
        let found = query
            .build_query_scalar::<String>()
            .fetch_all(&mut *session)
            .await?;
        seen.extend(found.into_iter().map(ExternalId::new));
    }
    Ok(seen)
}

pub(crate) async fn begin(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    run: RunId,
) -> Result<SnapshotId, StorageError> {
    let id = SnapshotId::from_uuid(scope.ids.next_uuid());
    let begun = sqlx::query(INSERT)
        .bind(scope.id())
        .bind(id.uuid())
        .bind(connection.uuid())
        .bind(run.uuid())
        .bind(scope.now())
        .execute(session)
        .await?
        .rows_affected();
    if begun == 1 {
        Ok(id)
    } else {
        Err(StorageError::LeaseLost { run })
    }
}

/// Takes the records of one snapshot into another that holds only what changed.
pub(crate) async fn carry_over(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    from: SnapshotId,
    to: SnapshotId,
) -> Result<(), StorageError> {
    require(scope, &mut *session, connection, to).await?;
    sqlx::query(CARRY_OVER)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(from.uuid())
        .bind(to.uuid())
        .execute(session)
        .await?;
    Ok(())
}

/// Refuses a snapshot of another connection, or of another organisation.
pub(crate) async fn require(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    snapshot: SnapshotId,
) -> Result<(), StorageError> {
    sqlx::query_scalar::<Db, Uuid>(EXISTS)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(snapshot.uuid())
        .fetch_optional(session)
        .await?
        .map(|_| ())
        .ok_or(StorageError::SnapshotUnknown {
            connection,
            snapshot,
        })
}
