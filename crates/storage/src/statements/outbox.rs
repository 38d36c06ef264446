//! Outward work, queued with the change it follows from.

use jiff::Timestamp;
use muster_model::{PersonId, PlanId};
use uuid::Uuid;

use super::bulk::{append, stage};
use super::{Db, Session, due, people};
use crate::cell::{Cell, Kind, Table};
use crate::error::StorageError;
use crate::outbox::{OutboxMessage, OutboxState, StoredMessage};
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
        ("plan_id", Kind::Uuid),
        ("ordinal", Kind::Number),
    ],
};
const LIST: &str = "SELECT message.id, message.kind, message.person_id, message.sealed, \
    message.state, message.created_at, person.wrapped_key, message.plan_id, message.ordinal \
    FROM outbox AS message \
    JOIN people AS person ON person.organisation_id = message.organisation_id \
    AND person.id = message.person_id \
    WHERE message.organisation_id = $1 AND message.state = $2 ORDER BY message.id LIMIT $3";
/// Of the rows of a plan from one place to another, both included.
const OF_ROWS: &str = "SELECT message.id, message.kind, message.person_id, message.sealed, \
    message.state, message.created_at, person.wrapped_key, message.plan_id, message.ordinal \
    FROM outbox AS message \
    JOIN people AS person ON person.organisation_id = message.organisation_id \
    AND person.id = message.person_id \
    WHERE message.organisation_id = $1 AND message.plan_id = $2 \
    AND message.ordinal >= $3 AND message.ordinal <= $4 ORDER BY message.id";
const WAITING: &str = "SELECT id FROM outbox WHERE organisation_id = $1 AND state = 'waiting' \
    AND id IN (SELECT id FROM stage_ids)";
const CANCEL: &str = "UPDATE outbox SET state = 'cancelled' \
    WHERE organisation_id = $1 AND state = 'waiting' AND id IN (SELECT id FROM stage_ids)";
const MARK: &str = "UPDATE outbox SET state = $2 \
    WHERE organisation_id = $1 AND id IN (SELECT id FROM stage_ids)";
const CANCEL_BEFORE: &str = "UPDATE outbox SET state = $2 \
    WHERE organisation_id = $1 AND state = $3 AND created_at <= $4";

type Row = (
    Uuid,
    String,
    Uuid,
    Vec<u8>,
    String,
    i64,
    Vec<u8>,
    Option<Uuid>,
    Option<i64>,
);

pub(crate) async fn enqueue(
    scope: &Scope,
    session: &mut Session,
    messages: &[OutboxMessage],
) -> Result<(), StorageError> {
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
                message.row.map(|(plan, _)| plan.uuid()).into(),
                message
                    .row
                    .map(|(_, ordinal)| number("outbox.ordinal", ordinal))
                    .transpose()?
                    .into(),
            ]);
        }
        append(&mut *session, &MESSAGES, &rows).await?;
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

pub(crate) async fn mark(
    scope: &Scope,
    session: &mut Session,
    ids: &[Uuid],
    state: OutboxState,
) -> Result<(), StorageError> {
    for ids in ids.chunks(STAGED) {
        let rows: Vec<Vec<Cell>> = ids.iter().map(|id| vec![(*id).into()]).collect();
        stage(&mut *session, &due::IDS, &rows).await?;
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
        stage(&mut *session, &due::IDS, &rows).await?;
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
        stage(&mut *session, &due::IDS, &rows).await?;
        cancelled += sqlx::query(CANCEL)
            .bind(scope.id())
            .execute(&mut *session)
            .await?
            .rows_affected();
    }
    Ok(cancelled)
}

fn read(scope: &Scope, row: Row) -> Result<StoredMessage, StorageError> {
    let (id, kind, person, sealed, state, created_at, wrapped, plan, ordinal) = row;
    let key = people::open_key(scope, person, &wrapped)?;
    let plain = scope.open(&key, "outbox.sealed", &[id.as_bytes()], &sealed)?;
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
        },
        state: word("outbox.state", OutboxState::from_word(&state))?,
        created_at: instant("outbox.created_at", created_at)?,
    })
}
