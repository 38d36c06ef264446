//! The source records of one read.

use muster_model::{ConnectionId, RunId, SnapshotId};
use uuid::Uuid;

use super::{Db, Session};
use crate::error::StorageError;
use crate::scope::Scope;

const INSERT: &str = "INSERT INTO snapshots (organisation_id, id, connection_id, run_id, begun_at) \
    SELECT organisation_id, $2, connection_id, id, $5 FROM runs \
    WHERE organisation_id = $1 AND connection_id = $3 AND id = $4";
const EXISTS: &str = "SELECT id FROM snapshots \
    WHERE organisation_id = $1 AND connection_id = $2 AND id = $3";

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
