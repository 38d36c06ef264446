//! How an organisation's work stands, in numbers.

use super::engine::now;
use super::{Db, Session};
use crate::condition::{Condition, Queue};
use crate::error::StorageError;
use crate::outbox::OutboxState;
use crate::scope::Scope;
use crate::stored::{count, instant_or_none};

const QUEUE: &str = "SELECT count(*), min(created_at) FROM outbox \
    WHERE organisation_id = $1 AND state = $2";
const AT_WORK: &str = "SELECT count(*) FROM leases \
    WHERE organisation_id = $1 AND lease_until > $2";
const LEFT: &str = "SELECT count(*), min(run.started_at) FROM runs AS run \
    WHERE run.organisation_id = $1 AND run.finished_at IS NULL AND NOT EXISTS ( \
        SELECT 1 FROM leases AS lease WHERE lease.organisation_id = $1 \
        AND lease.run_id = run.id AND lease.lease_until > $2)";
/// Held, done in part, or a question. What was planned and not applied waits for
/// whoever planned it.
const HELD: &str = "SELECT count(*) FROM plan_rows AS held \
    WHERE held.organisation_id = $1 AND (held.state IN ('held', 'waiting') \
        OR (held.state = 'open' AND held.reaction = 'ask')) AND held.plan_id IN ( \
        SELECT plan.id FROM plans AS plan WHERE plan.organisation_id = $1 AND NOT EXISTS ( \
            SELECT 1 FROM plans AS later WHERE later.organisation_id = $1 \
            AND later.connection_id = plan.connection_id \
            AND (later.made_at, later.id) > (plan.made_at, plan.id)))";

/// How the work stands now, on the database's clock.
pub(crate) async fn read(scope: &Scope, session: &mut Session) -> Result<Condition, StorageError> {
    let now = now(&mut *session).await?;
    let at_work = sqlx::query_scalar::<Db, i64>(AT_WORK)
        .bind(scope.id())
        .bind(now)
        .fetch_one(&mut *session)
        .await?;
    let (left, oldest_left) = sqlx::query_as::<Db, (i64, Option<i64>)>(LEFT)
        .bind(scope.id())
        .bind(now)
        .fetch_one(&mut *session)
        .await?;
    let held = sqlx::query_scalar::<Db, i64>(HELD)
        .bind(scope.id())
        .fetch_one(&mut *session)
        .await?;
    Ok(Condition {
        waiting: queue(scope, &mut *session, OutboxState::Waiting).await?,
        failed: queue(scope, session, OutboxState::Failed).await?,
        runs_at_work: count("runs at work", at_work)?,
        runs_left: count("runs that never ended", left)?,
        oldest_left: instant_or_none("runs.started_at", oldest_left)?,
        held_rows: count("held rows", held)?,
    })
}

async fn queue(
    scope: &Scope,
    session: &mut Session,
    state: OutboxState,
) -> Result<Queue, StorageError> {
    let (messages, oldest) = sqlx::query_as::<Db, (i64, Option<i64>)>(QUEUE)
        .bind(scope.id())
        .bind(state.word())
        .fetch_one(session)
        .await?;
    Ok(Queue {
        messages: count("messages", messages)?,
        oldest: instant_or_none("outbox.created_at", oldest)?,
    })
}
