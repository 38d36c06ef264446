//! How an organisation's work stands, in numbers.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::engine::{is_gone, now};
use super::{Db, Session};
use crate::condition::{Queue, RunsAtWork};
use crate::error::StorageError;
use crate::outbox::OutboxState;
use crate::scope::Scope;
use crate::stored::{count, instant, instant_or_none};

const QUEUE: &str = "SELECT count(*), min(created_at) FROM outbox \
    WHERE organisation_id = $1 AND state = $2";
const LEASES: &str = "SELECT run_id, holder_id FROM leases \
    WHERE organisation_id = $1 AND lease_until > $2";
/// What was taken over says so itself, and what a later run of its connection ended
/// after needs nobody any more.
const LEFT: &str = "SELECT run.id, run.started_at FROM runs AS run \
    WHERE run.organisation_id = $1 AND run.finished_at IS NULL \
    AND run.interrupted_at IS NULL AND NOT EXISTS ( \
        SELECT 1 FROM runs AS later WHERE later.organisation_id = $1 \
        AND later.connection_id = run.connection_id AND later.finished_at IS NOT NULL \
        AND (later.started_at, later.id) > (run.started_at, run.id)) \
    ORDER BY run.started_at";
/// Held, done in part, or a question. What was planned and not applied waits for
/// whoever planned it.
const HELD: &str = "SELECT count(*) FROM plan_rows AS held \
    WHERE held.organisation_id = $1 AND (held.state IN ('held', 'waiting') \
        OR (held.state = 'open' AND held.reaction = 'ask')) AND held.plan_id IN ( \
        SELECT plan.id FROM plans AS plan WHERE plan.organisation_id = $1 AND NOT EXISTS ( \
            SELECT 1 FROM plans AS later WHERE later.organisation_id = $1 \
            AND later.connection_id = plan.connection_id \
            AND (later.made_at, later.id) > (plan.made_at, plan.id)))";

/// Which runs work, and which nobody works on any more, on the database's clock. A
/// lease whose process is gone is nobody's, however long it is good.
pub(crate) async fn runs(scope: &Scope, session: &mut Session) -> Result<RunsAtWork, StorageError> {
    let now = now(&mut *session).await?;
    let leases = sqlx::query_as::<Db, (Uuid, Option<Uuid>)>(LEASES)
        .bind(scope.id())
        .bind(now)
        .fetch_all(&mut *session)
        .await?;
    let mut at_work = BTreeSet::new();
    for (run, holder) in leases {
        let gone = match holder {
            Some(holder) => is_gone(scope, &mut *session, holder).await?,
            None => false,
        };
        if !gone {
            at_work.insert(run);
        }
    }
    let mut runs = RunsAtWork {
        at_work: at_work.len() as u64,
        ..RunsAtWork::default()
    };
    for (run, started_at) in sqlx::query_as::<Db, (Uuid, i64)>(LEFT)
        .bind(scope.id())
        .fetch_all(session)
        .await?
    {
        if !at_work.contains(&run) {
            runs.left += 1;
            let started_at = instant("runs.started_at", started_at)?;
            runs.oldest_left.get_or_insert(started_at);
        }
    }
    Ok(runs)
}

/// Rows that wait for a person.
pub(crate) async fn held(scope: &Scope, session: &mut Session) -> Result<u64, StorageError> {
    let held = sqlx::query_scalar::<Db, i64>(HELD)
        .bind(scope.id())
        .fetch_one(session)
        .await?;
    count("held rows", held)
}

/// Outward messages in a state.
pub(crate) async fn queue(
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
