//! One run at a time for a connection, on the database's clock.

use std::time::Duration;

use muster_model::{ConnectionId, RunId};
use uuid::Uuid;

use super::engine::now;
use super::{Db, Session};
use crate::error::StorageError;
use crate::scope::Scope;
use crate::stored::{instant, number};

/// Takes the lease, or that of a run whose time is over, in one statement, so
/// that of two that try at once only one gets it.
const TAKE: &str = "INSERT INTO leases (organisation_id, connection_id, run_id, since, lease_until) \
    VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (organisation_id, connection_id) DO UPDATE \
    SET run_id = excluded.run_id, since = excluded.since, lease_until = excluded.lease_until \
    WHERE leases.organisation_id = $1 AND leases.lease_until <= $4";
const HOLDER: &str = "SELECT run_id, since FROM leases \
    WHERE organisation_id = $1 AND connection_id = $2";
const EXTEND: &str =
    "UPDATE leases SET lease_until = $3 WHERE organisation_id = $1 AND run_id = $2";
const GIVE_BACK: &str = "DELETE FROM leases WHERE organisation_id = $1 AND run_id = $2";
const TAKE_ALL: &str = "DELETE FROM leases WHERE organisation_id = $1";

/// Takes the leases of all runs away.
pub(crate) async fn take_all(scope: &Scope, session: &mut Session) -> Result<(), StorageError> {
    sqlx::query(TAKE_ALL)
        .bind(scope.id())
        .execute(session)
        .await?;
    Ok(())
}

/// Takes the connection for a run.
pub(crate) async fn take(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    run: RunId,
    lease: Duration,
) -> Result<(), StorageError> {
    let now = now(&mut *session).await?;
    let taken = sqlx::query(TAKE)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(run.uuid())
        .bind(now)
        .bind(end(now, lease)?)
        .execute(&mut *session)
        .await?
        .rows_affected()
        == 1;
    if taken {
        return Ok(());
    }
    match sqlx::query_as::<Db, (Uuid, i64)>(HOLDER)
        .bind(scope.id())
        .bind(connection.uuid())
        .fetch_optional(session)
        .await?
    {
        Some((run, since)) => Err(StorageError::RunInProgress {
            run: RunId::from_uuid(run),
            since: instant("leases.since", since)?,
        }),
        // It was given back this very moment.
        None => Err(StorageError::Busy),
    }
}

/// Keeps the connection for longer. A lease that ran out and that nobody took
/// is still the run's: nothing was done behind its back.
pub(crate) async fn extend(
    scope: &Scope,
    session: &mut Session,
    run: RunId,
    lease: Duration,
) -> Result<(), StorageError> {
    let until = end(now(&mut *session).await?, lease)?;
    let extended = sqlx::query(EXTEND)
        .bind(scope.id())
        .bind(run.uuid())
        .bind(until)
        .execute(session)
        .await?
        .rows_affected();
    if extended == 1 {
        Ok(())
    } else {
        Err(StorageError::LeaseLost { run })
    }
}

/// Lets the connection go.
pub(crate) async fn give_back(
    scope: &Scope,
    session: &mut Session,
    run: RunId,
) -> Result<(), StorageError> {
    let given = sqlx::query(GIVE_BACK)
        .bind(scope.id())
        .bind(run.uuid())
        .execute(session)
        .await?
        .rows_affected();
    if given == 1 {
        Ok(())
    } else {
        Err(StorageError::LeaseLost { run })
    }
}

fn end(now: i64, lease: Duration) -> Result<i64, StorageError> {
    let lease = u64::try_from(lease.as_micros()).unwrap_or(u64::MAX);
    Ok(now.saturating_add(number("the length of a lease", lease)?))
}
