//! What brakes let through in their window, and what people released.

use std::collections::BTreeMap;

use jiff::Timestamp;
use muster_model::policy::BrakeKind;
use muster_model::{ConnectionId, ExternalId, HoldKind, PlanId};
use uuid::Uuid;

use super::bulk::stage;
use super::{Db, Session, connections};
use crate::cell::{Cell, Kind, Table};
use crate::error::StorageError;
use crate::release::HoldRelease;
use crate::scope::Scope;
use crate::stored::{count, number, word};

const PASS: &str = "INSERT INTO brake_passes \
    (organisation_id, connection_id, kind, passed_at, passed_rows) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (organisation_id, connection_id, kind, passed_at) \
    DO UPDATE SET passed_rows = brake_passes.passed_rows + excluded.passed_rows";
const PASSED_SINCE: &str = "SELECT kind, CAST(sum(passed_rows) AS BIGINT) FROM brake_passes \
    WHERE organisation_id = $1 AND connection_id = $2 AND passed_at >= $3 GROUP BY kind";
const RELEASE: &str = "INSERT INTO hold_releases \
    (organisation_id, connection_id, kind, external_id, plan_id, released_at) \
    SELECT plan.organisation_id, plan.connection_id, given.kind, given.external_id, plan.id, $3 \
    FROM stage_hold_releases AS given JOIN plans AS plan ON plan.id = given.plan_id \
    WHERE plan.organisation_id = $1 AND plan.connection_id = $2 \
    ON CONFLICT (organisation_id, connection_id, kind, external_id) \
    DO UPDATE SET plan_id = excluded.plan_id, released_at = excluded.released_at";
const RELEASES: &str = "SELECT kind, external_id, plan_id FROM hold_releases \
    WHERE organisation_id = $1 AND connection_id = $2 ORDER BY kind, external_id";
const TAKE_BACK: &str = "DELETE FROM hold_releases \
    WHERE organisation_id = $1 AND connection_id = $2 AND EXISTS ( \
        SELECT 1 FROM stage_hold_releases AS given WHERE given.kind = hold_releases.kind \
        AND given.external_id = hold_releases.external_id)";

const STAGE: Table = Table {
    name: "stage_hold_releases",
    columns: &[
        ("kind", Kind::Text),
        ("external_id", Kind::Text),
        ("plan_id", Kind::Uuid),
    ],
};

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

pub(crate) async fn release(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    releases: &[HoldRelease],
) -> Result<(), StorageError> {
    stage(&mut *session, &STAGE, &rows(releases)).await?;
    sqlx::query(RELEASE)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(scope.now())
        .execute(session)
        .await?;
    Ok(())
}

pub(crate) async fn take_back(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    releases: &[HoldRelease],
) -> Result<(), StorageError> {
    stage(&mut *session, &STAGE, &rows(releases)).await?;
    sqlx::query(TAKE_BACK)
        .bind(scope.id())
        .bind(connection.uuid())
        .execute(session)
        .await?;
    Ok(())
}

pub(crate) async fn releases(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
) -> Result<Vec<HoldRelease>, StorageError> {
    sqlx::query_as::<Db, (String, String, Uuid)>(RELEASES)
        .bind(scope.id())
        .bind(connection.uuid())
        .fetch_all(session)
        .await?
        .into_iter()
        .map(|(kind, external_id, plan)| {
            Ok(HoldRelease {
                kind: word("hold_releases.kind", HoldKind::from_word(&kind))?,
                external_id: (!external_id.is_empty()).then(|| ExternalId::new(external_id)),
                plan: PlanId::from_uuid(plan),
            })
        })
        .collect()
}

fn rows(releases: &[HoldRelease]) -> Vec<Vec<Cell>> {
    releases
        .iter()
        .map(|release| {
            let external_id = release.external_id.as_ref().map_or("", ExternalId::as_str);
            vec![
                release.kind.word().into(),
                external_id.into(),
                release.plan.uuid().into(),
            ]
        })
        .collect()
}
