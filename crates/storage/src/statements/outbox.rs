//! Outward work, queued with the change it follows from, and who sends it.

use std::time::Duration;

use jiff::Timestamp;
use muster_model::{ConnectionId, ExternalId, Field, PersonId, PlanId, RunId};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::bulk::{append, stage};
use super::engine::{LOCK_FREE_ROWS, now};
use super::{Db, Session, due, leases, people};
use crate::cell::{Cell, Kind, Table};
use crate::error::StorageError;
use crate::outbox::{OutboxMark, OutboxMessage, OutboxState, OutboxTarget, StoredMessage};
use crate::scope::Scope;
use crate::stored::{count, from_json, instant, number, to_json, word};

/// Messages written at once.
const STAGED: usize = 5_000;

const MESSAGES: Table = Table {
    name: "outbox",
    columns: &[
        ("organisation_id", Kind::Uuid),
        ("id", Kind::Uuid),
        ("kind", Kind::Text),
        ("person_id", Kind::Uuid),
        ("sealed", Kind::Bytes),
        ("state", Kind::Text),
        ("created_at", Kind::Number),
        ("run_id", Kind::Uuid),
        ("connection_id", Kind::Uuid),
        ("external_id", Kind::Text),
        ("field", Kind::Text),
        ("due_at", Kind::Number),
        ("plan_id", Kind::Uuid),
        ("ordinal", Kind::Number),
    ],
};
const TARGETS: Table = Table {
    name: "stage_targets",
    columns: &[
        ("external_id", Kind::Text),
        ("connection_id", Kind::Uuid),
        ("field", Kind::Text),
    ],
};
const MARKS: Table = Table {
    name: "stage_outbox_marks",
    columns: &[
        ("id", Kind::Uuid),
        ("state", Kind::Text),
        ("error_code", Kind::Text),
        ("due_at", Kind::Number),
        ("ended_at", Kind::Number),
    ],
};
const LIST: &str = "SELECT message.id, message.kind, message.person_id, message.sealed, \
    message.state, message.created_at, message.run_id, message.connection_id, \
    message.external_id, message.field, message.attempts, message.due_at, message.error_code, \
    message.plan_id, message.ordinal, person.wrapped_key FROM outbox AS message \
    JOIN people AS person ON person.organisation_id = message.organisation_id \
    AND person.id = message.person_id \
    WHERE message.organisation_id = $1 AND message.state = $2 ORDER BY message.id LIMIT $3";
const CLAIMED: &str = "SELECT message.id, message.kind, message.person_id, message.sealed, \
    message.state, message.created_at, message.run_id, message.connection_id, \
    message.external_id, message.field, message.attempts, message.due_at, message.error_code, \
    message.plan_id, message.ordinal, person.wrapped_key FROM outbox AS message \
    JOIN people AS person ON person.organisation_id = message.organisation_id \
    AND person.id = message.person_id \
    JOIN stage_ids AS claimed ON claimed.id = message.id \
    WHERE message.organisation_id = $1 ORDER BY message.id";
/// Of the rows of a plan from one place to another, both included.
const OF_ROWS: &str = "SELECT message.id, message.kind, message.person_id, message.sealed, \
    message.state, message.created_at, message.run_id, message.connection_id, \
    message.external_id, message.field, message.attempts, message.due_at, message.error_code, \
    message.plan_id, message.ordinal, person.wrapped_key FROM outbox AS message \
    JOIN people AS person ON person.organisation_id = message.organisation_id \
    AND person.id = message.person_id \
    WHERE message.organisation_id = $1 AND message.plan_id = $2 \
    AND message.ordinal >= $3 AND message.ordinal <= $4 ORDER BY message.id";
/// What waits and was never begun: an attempt that was begun may have gone out.
const WAITING: &str = "SELECT id FROM outbox WHERE organisation_id = $1 AND state = 'waiting' \
    AND attempts = 0 AND id IN (SELECT id FROM stage_ids)";
const CANCEL: &str = "UPDATE outbox SET state = 'cancelled', ended_at = $2 \
    WHERE organisation_id = $1 AND state = 'waiting' AND attempts = 0 \
    AND id IN (SELECT id FROM stage_ids)";
const CANCEL_BEFORE: &str = "UPDATE outbox SET state = $2, error_code = 'outbox.not_confirmed', \
    ended_at = $5 WHERE organisation_id = $1 AND state = $3 AND created_at <= $4";
const MARK: &str = "UPDATE outbox SET state = $2 \
    WHERE organisation_id = $1 AND id IN (SELECT id FROM stage_ids)";
/// The oldest message of a record stands for all of them: while it is held, or not
/// due, none of the record is taken. After a restore nothing is, until a person
/// confirms. `{lock}` is the engine's.
const CLAIM: &str = "WITH heads AS (SELECT head.id, head.external_id FROM outbox AS head \
    WHERE head.organisation_id = $1 AND head.connection_id = $2 AND head.state = 'waiting' \
    AND head.due_at <= $3 AND head.lease_until <= $4 \
    AND NOT EXISTS (SELECT 1 FROM outbox AS older WHERE older.organisation_id = $1 \
        AND older.connection_id = $2 AND older.external_id = head.external_id \
        AND older.state = 'waiting' AND older.id < head.id) \
    AND NOT EXISTS (SELECT 1 FROM installation AS here \
        WHERE here.restored_at IS NOT NULL AND here.confirmed_at IS NULL) \
    ORDER BY head.id LIMIT $5{lock}) \
    UPDATE outbox SET attempts = attempts + 1, sender_id = $6, lease_until = $7 \
    WHERE organisation_id = $1 AND connection_id = $2 AND state = 'waiting' \
    AND external_id IN (SELECT external_id FROM heads) RETURNING id";
/// Only what its sender still holds: whoever lost the lease marks nothing.
const END_ATTEMPT: &str = "UPDATE outbox SET state = given.state, error_code = given.error_code, \
    due_at = given.due_at, ended_at = given.ended_at, sender_id = NULL, lease_until = 0 \
    FROM stage_outbox_marks AS given WHERE outbox.organisation_id = $1 AND outbox.id = given.id \
    AND outbox.sender_id = $2 AND outbox.state = 'waiting'";
/// A newer value for a field replaces the older one, unless that is on its way.
const SUPERSEDE: &str = "UPDATE outbox SET state = 'cancelled', \
    error_code = 'outbox.superseded', ended_at = $2 \
    WHERE organisation_id = $1 AND state = 'waiting' AND lease_until <= $3 \
    AND EXISTS (SELECT 1 FROM stage_targets AS newer \
        WHERE newer.external_id = outbox.external_id \
        AND newer.connection_id = outbox.connection_id AND newer.field = outbox.field)";
const LET_GO: &str = "UPDATE outbox SET sender_id = NULL, lease_until = 0 \
    WHERE organisation_id = $1 AND sender_id = $2 AND state = 'waiting'";
const HASTEN: &str = "UPDATE outbox SET due_at = $3 WHERE organisation_id = $1 \
    AND connection_id = $2 AND state = 'waiting' AND due_at > $3";
const COUNT_WAITING: &str = "SELECT count(*), min(due_at) FROM outbox \
    WHERE organisation_id = $1 AND connection_id = $2 AND state = 'waiting'";

type Row = (
    Uuid,
    String,
    Uuid,
    Vec<u8>,
    String,
    i64,
    Option<Uuid>,
    Option<Uuid>,
    Option<String>,
    Option<String>,
    i64,
    i64,
    Option<String>,
    Option<Uuid>,
    Option<i64>,
    Vec<u8>,
);

pub(crate) async fn enqueue(
    scope: &Scope,
    session: &mut Session,
    messages: &[OutboxMessage],
) -> Result<(), StorageError> {
    supersede(scope, &mut *session, messages).await?;
    for messages in messages.chunks(STAGED) {
        let owners: Vec<PersonId> = messages.iter().map(|message| message.person).collect();
        let keys = people::keys_of(scope, &mut *session, &owners).await?;
        let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(messages.len());
        for message in messages {
            let key = keys
                .get(&message.person)
                .ok_or(StorageError::PersonUnknown {
                    person: message.person,
                })?;
            let id = scope.ids.next_uuid();
            let plain = zeroize::Zeroizing::new(to_json("outbox.sealed", &message.body)?);
            let target = message.target.as_ref();
            rows.push(vec![
                scope.id().into(),
                id.into(),
                message.kind.as_str().into(),
                message.person.uuid().into(),
                scope
                    .seal(key, "outbox.sealed", &[id.as_bytes()], plain.as_bytes())?
                    .into(),
                OutboxState::Waiting.word().into(),
                scope.now().into(),
                message.run.map(RunId::uuid).into(),
                target.map(|target| target.connection.uuid()).into(),
                target
                    .map(|target| target.external_id.as_str().to_owned())
                    .into(),
                target.map(|target| target.field.name().to_owned()).into(),
                scope.now().into(),
                message.row.map(|(plan, _)| plan.uuid()).into(),
                message
                    .row
                    .map(|(_, ordinal)| number("outbox.ordinal", ordinal))
                    .transpose()?
                    .into(),
            ]);
        }
        append(&mut *session, &MESSAGES, rows).await?;
    }
    Ok(())
}

async fn supersede(
    scope: &Scope,
    session: &mut Session,
    messages: &[OutboxMessage],
) -> Result<(), StorageError> {
    let targets: Vec<&OutboxTarget> = messages
        .iter()
        .filter_map(|message| message.target.as_ref())
        .collect();
    for targets in targets.chunks(STAGED) {
        let rows: Vec<Vec<Cell>> = targets
            .iter()
            .map(|target| {
                vec![
                    target.external_id.as_str().into(),
                    target.connection.uuid().into(),
                    target.field.name().into(),
                ]
            })
            .collect();
        stage(&mut *session, &TARGETS, rows).await?;
        let now = now(&mut *session).await?;
        sqlx::query(SUPERSEDE)
            .bind(scope.id())
            .bind(scope.now())
            .bind(now)
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}

/// The oldest messages of a state.
pub(crate) async fn list(
    scope: &Scope,
    session: &mut Session,
    state: OutboxState,
    limit: u32,
) -> Result<Vec<StoredMessage>, StorageError> {
    sqlx::query_as::<Db, Row>(LIST)
        .bind(scope.id())
        .bind(state.word())
        .bind(i64::from(limit))
        .fetch_all(session)
        .await?
        .into_iter()
        .map(|row| read(scope, row))
        .collect()
}

/// Takes everything that waits for the records whose oldest message is due, and
/// counts the attempt that follows. A record's messages are taken together and
/// by one sender, so that they arrive in their order.
pub(crate) async fn claim(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    sender: RunId,
    due_by: Timestamp,
    records: u32,
    lease: Duration,
) -> Result<Vec<StoredMessage>, StorageError> {
    let now = now(&mut *session).await?;
    let claim = CLAIM.replace("{lock}", LOCK_FREE_ROWS);
    let ids: Vec<Uuid> = sqlx::query_scalar::<Db, Uuid>(AssertSqlSafe(claim))
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(due_by.as_microsecond())
        .bind(now)
        .bind(i64::from(records))
        .bind(sender.uuid())
        .bind(leases::end(now, lease)?)
        .fetch_all(&mut *session)
        .await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Vec<Cell>> = ids.into_iter().map(|id| vec![id.into()]).collect();
    stage(&mut *session, &due::IDS, rows).await?;
    sqlx::query_as::<Db, Row>(CLAIMED)
        .bind(scope.id())
        .fetch_all(session)
        .await?
        .into_iter()
        .map(|row| read(scope, row))
        .collect()
}

/// Says what became of messages that a sender holds; how many it held still.
pub(crate) async fn end_attempts(
    scope: &Scope,
    session: &mut Session,
    sender: RunId,
    marks: &[OutboxMark],
) -> Result<u64, StorageError> {
    let mut ended = 0;
    for marks in marks.chunks(STAGED) {
        let rows: Vec<Vec<Cell>> = marks
            .iter()
            .map(|mark| {
                let over = mark.state != OutboxState::Waiting;
                vec![
                    mark.id.into(),
                    mark.state.word().into(),
                    mark.error_code.clone().into(),
                    mark.due_at
                        .map_or_else(|| scope.now(), Timestamp::as_microsecond)
                        .into(),
                    over.then(|| scope.now()).into(),
                ]
            })
            .collect();
        stage(&mut *session, &MARKS, rows).await?;
        ended += sqlx::query(END_ATTEMPT)
            .bind(scope.id())
            .bind(sender.uuid())
            .execute(&mut *session)
            .await?
            .rows_affected();
    }
    Ok(ended)
}

/// Lets go of everything that a sender holds: it is dead.
pub(crate) async fn let_go(
    scope: &Scope,
    session: &mut Session,
    sender: RunId,
) -> Result<(), StorageError> {
    sqlx::query(LET_GO)
        .bind(scope.id())
        .bind(sender.uuid())
        .execute(session)
        .await?;
    Ok(())
}

/// Makes everything that waits for a connection due now.
pub(crate) async fn hasten(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
) -> Result<(), StorageError> {
    sqlx::query(HASTEN)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(scope.now())
        .execute(session)
        .await?;
    Ok(())
}

/// How many messages wait for a connection, and from when the first of them is due.
pub(crate) async fn waiting(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
) -> Result<(u64, Option<Timestamp>), StorageError> {
    let (messages, due_at) = sqlx::query_as::<Db, (i64, Option<i64>)>(COUNT_WAITING)
        .bind(scope.id())
        .bind(connection.uuid())
        .fetch_one(session)
        .await?;
    Ok((
        count("waiting messages", messages)?,
        due_at
            .map(|due_at| instant("outbox.due_at", due_at))
            .transpose()?,
    ))
}

pub(crate) async fn mark(
    scope: &Scope,
    session: &mut Session,
    ids: &[Uuid],
    state: OutboxState,
) -> Result<(), StorageError> {
    for ids in ids.chunks(STAGED) {
        let rows: Vec<Vec<Cell>> = ids.iter().map(|id| vec![(*id).into()]).collect();
        stage(&mut *session, &due::IDS, rows).await?;
        sqlx::query(MARK)
            .bind(scope.id())
            .bind(state.word())
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}

/// Cancels what waits since an instant or longer; how many there were.
pub(crate) async fn cancel_before(
    scope: &Scope,
    session: &mut Session,
    at: Timestamp,
) -> Result<u64, StorageError> {
    Ok(sqlx::query(CANCEL_BEFORE)
        .bind(scope.id())
        .bind(OutboxState::Cancelled.word())
        .bind(OutboxState::Waiting.word())
        .bind(at.as_microsecond())
        .bind(scope.now())
        .execute(session)
        .await?
        .rows_affected())
}

/// What followed from some rows of a plan.
pub(crate) async fn of_rows(
    scope: &Scope,
    session: &mut Session,
    plan: PlanId,
    first: u64,
    last: u64,
) -> Result<Vec<StoredMessage>, StorageError> {
    sqlx::query_as::<Db, Row>(OF_ROWS)
        .bind(scope.id())
        .bind(plan.uuid())
        .bind(number("outbox.ordinal", first)?)
        .bind(number("outbox.ordinal", last)?)
        .fetch_all(session)
        .await?
        .into_iter()
        .map(|row| read(scope, row))
        .collect()
}

/// Which of these messages wait still.
pub(crate) async fn still_waiting(
    scope: &Scope,
    session: &mut Session,
    ids: &[Uuid],
) -> Result<Vec<Uuid>, StorageError> {
    let mut waiting = Vec::new();
    for ids in ids.chunks(STAGED) {
        let rows: Vec<Vec<Cell>> = ids.iter().map(|id| vec![(*id).into()]).collect();
        stage(&mut *session, &due::IDS, rows).await?;
        waiting.extend(
            sqlx::query_scalar::<Db, Uuid>(WAITING)
                .bind(scope.id())
                .fetch_all(&mut *session)
                .await?,
        );
    }
    Ok(waiting)
}

/// Cancels what waits still; says how many of them that were.
pub(crate) async fn cancel(
    scope: &Scope,
    session: &mut Session,
    ids: &[Uuid],
) -> Result<u64, StorageError> {
    let mut cancelled = 0;
    for ids in ids.chunks(STAGED) {
        let rows: Vec<Vec<Cell>> = ids.iter().map(|id| vec![(*id).into()]).collect();
        stage(&mut *session, &due::IDS, rows).await?;
        cancelled += sqlx::query(CANCEL)
            .bind(scope.id())
            .bind(scope.now())
            .execute(&mut *session)
            .await?
            .rows_affected();
    }
    Ok(cancelled)
}

fn read(scope: &Scope, row: Row) -> Result<StoredMessage, StorageError> {
    let (
        id,
        kind,
        person,
        sealed,
        state,
        created_at,
        run,
        connection,
        external_id,
        field,
        attempts,
        due_at,
        error_code,
        plan,
        ordinal,
        wrapped,
    ) = row;
    let key = people::open_key(scope, person, &wrapped)?;
    let plain = scope.open(&key, "outbox.sealed", &[id.as_bytes()], &sealed)?;
    let field = field
        .map(|name| word("outbox.field", name.parse::<Field>().ok()))
        .transpose()?;
    let target = match (connection, external_id, field) {
        (Some(connection), Some(external_id), Some(field)) => Some(OutboxTarget {
            connection: ConnectionId::from_uuid(connection),
            external_id: ExternalId::new(external_id),
            field,
        }),
        _ => None,
    };
    Ok(StoredMessage {
        id,
        message: OutboxMessage {
            kind,
            person: PersonId::from_uuid(person),
            body: from_json("outbox.sealed", &plain)?,
            row: plan.map(PlanId::from_uuid).zip(
                ordinal
                    .map(|ordinal| count("outbox.ordinal", ordinal))
                    .transpose()?,
            ),
            run: run.map(RunId::from_uuid),
            target,
        },
        state: word("outbox.state", OutboxState::from_word(&state))?,
        created_at: instant("outbox.created_at", created_at)?,
        attempts: count("outbox.attempts", attempts)?,
        due_at: instant("outbox.due_at", due_at)?,
        error_code,
    })
}
