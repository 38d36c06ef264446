//! What brakes let through in their window.

use std::collections::BTreeMap;

use jiff::Timestamp;
use muster_model::policy::BrakeKind;
use muster_model::{ConnectionId, HoldKind};

use super::{Db, Session, connections};
use crate::error::StorageError;
use crate::scope::Scope;
use crate::stored::{count, number, word};

const PASS: &str = "INSERT INTO brake_passes \
    (organisation_id, connection_id, kind, passed_at, passed_rows) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (organisation_id, connection_id, kind, passed_at) \
    DO UPDATE SET passed_rows = brake_passes.passed_rows + excluded.passed_rows";
const PASSED_SINCE: &str = "SELECT kind, CAST(sum(passed_rows) AS BIGINT) FROM brake_passes \
    WHERE organisation_id = $1 AND connection_id = $2 AND passed_at >= $3 GROUP BY kind";
/// The stored word of a brake: that of its hold.
fn brake_word(kind: BrakeKind) -> &'static str {
    HoldKind::from(kind).word()
}

pub(crate) async fn passed(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    kind: BrakeKind,
    at: Timestamp,
    rows: u64,
) -> Result<(), StorageError> {
    connections::by_id(scope, &mut *session, connection).await?;
    sqlx::query(PASS)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(brake_word(kind))
        .bind(at.as_microsecond())
        .bind(number("brake_passes.passed_rows", rows)?)
        .execute(session)
        .await?;
    Ok(())
}

pub(crate) async fn passed_since(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    since: Timestamp,
) -> Result<BTreeMap<BrakeKind, u64>, StorageError> {
    sqlx::query_as::<Db, (String, i64)>(PASSED_SINCE)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(since.as_microsecond())
        .fetch_all(session)
        .await?
        .into_iter()
        .map(|(stored, rows)| {
            let kind = BrakeKind::ALL
                .iter()
                .copied()
                .find(|kind| brake_word(*kind) == stored);
            Ok((
                word("brake_passes.kind", kind)?,
                count("brake_passes.passed_rows", rows)?,
            ))
        })
        .collect()
}
