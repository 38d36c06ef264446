//! Bringing records to rest, and waking them.

use jiff::civil::Date;
use muster_model::{ConnectionId, ExternalId, PersonId};

use super::Session;
use super::bulk::stage;
use crate::cell::{Cell, Kind, Table};
use crate::error::StorageError;
use crate::record::Rest;
use crate::scope::Scope;
use crate::stored::number;

/// Rows staged at once.
const AT_ONCE: usize = 10_000;

const RESTS: Table = Table {
    name: "stage_rests",
    columns: &[
        ("external_id", Kind::Text),
        ("digest", Kind::Bytes),
        ("rest", Kind::Text),
        ("due_on", Kind::Text),
        ("due_marks", Kind::Number),
    ],
};
/// Ids of source records.
pub(crate) const EXTERNAL_IDS: Table = Table {
    name: "stage_external_ids",
    columns: &[("external_id", Kind::Text)],
};
/// Ids of people.
pub(crate) const IDS: Table = Table {
    name: "stage_ids",
    columns: &[("id", Kind::Uuid)],
};

const SETTLE: &str = "UPDATE source_records SET settled_digest = given.digest, \
    settled_versions = $3, rest = given.rest, due_on = given.due_on, \
    due_marks_settled = given.due_marks FROM stage_rests AS given \
    WHERE source_records.organisation_id = $1 AND source_records.connection_id = $2 \
    AND source_records.external_id IN (SELECT external_id FROM stage_rests) \
    AND source_records.external_id = given.external_id";
const UNSETTLE: &str = "UPDATE source_records SET settled_digest = NULL, settled_versions = NULL, \
    rest = NULL WHERE organisation_id = $1 AND connection_id = $2 \
    AND external_id IN (SELECT external_id FROM stage_external_ids) \
    AND (settled_digest IS NOT NULL OR rest IS NOT NULL)";
const MARK_RECORDS: &str = "UPDATE source_records SET due_marks = due_marks + 1 \
    WHERE organisation_id = $1 AND connection_id = $2 \
    AND external_id IN (SELECT external_id FROM stage_external_ids)";
const MARK_PEOPLE: &str = "UPDATE source_records SET due_marks = due_marks + 1 \
    WHERE organisation_id = $1 AND (connection_id, external_id) IN ( \
        SELECT link.connection_id, link.external_id FROM links AS link \
        JOIN stage_ids ON stage_ids.id = link.person_id WHERE link.organisation_id = $1)";
/// The day is taken away with the mark: the record says a new one when it rests again.
const MARK_DUE_ON: &str = "UPDATE source_records SET due_marks = due_marks + 1, due_on = NULL \
    WHERE organisation_id = $1 AND due_on <= $2";

pub(crate) async fn settle(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    versions: &str,
    rests: &[Rest],
) -> Result<(), StorageError> {
    for rests in rests.chunks(AT_ONCE) {
        let mut rows = Vec::with_capacity(rests.len());
        for rest in rests {
            rows.push(vec![
                rest.external_id.as_str().into(),
                rest.digest.as_bytes().to_vec().into(),
                rest.rest.as_str().into(),
                rest.due_on.map(|date| date.to_string()).into(),
                number("source_records.due_marks", rest.due_marks)?.into(),
            ]);
        }
        stage(&mut *session, &RESTS, rows).await?;
        sqlx::query(SETTLE)
            .bind(scope.id())
            .bind(connection.uuid())
            .bind(versions)
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}

pub(crate) async fn unsettle(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    ids: &[ExternalId],
) -> Result<(), StorageError> {
    of_records(UNSETTLE, scope, session, connection, ids).await
}

pub(crate) async fn mark_records(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    ids: &[ExternalId],
) -> Result<(), StorageError> {
    of_records(MARK_RECORDS, scope, session, connection, ids).await
}

pub(crate) async fn mark_people(
    scope: &Scope,
    session: &mut Session,
    people: &[PersonId],
) -> Result<(), StorageError> {
    for people in people.chunks(AT_ONCE) {
        stage_people(&mut *session, people).await?;
        sqlx::query(MARK_PEOPLE)
            .bind(scope.id())
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}

pub(crate) async fn mark_due_on(
    scope: &Scope,
    session: &mut Session,
    today: Date,
) -> Result<u64, StorageError> {
    let marked = sqlx::query(MARK_DUE_ON)
        .bind(scope.id())
        .bind(today.to_string())
        .execute(session)
        .await?;
    Ok(marked.rows_affected())
}

/// Loads ids of people into their stage.
pub(crate) async fn stage_people(
    session: &mut Session,
    people: &[PersonId],
) -> Result<(), StorageError> {
    let rows: Vec<Vec<Cell>> = people.iter().map(|id| vec![id.uuid().into()]).collect();
    stage(session, &IDS, rows).await
}

/// Loads ids of source records into their stage.
pub(crate) async fn stage_records(
    session: &mut Session,
    ids: &[ExternalId],
) -> Result<(), StorageError> {
    let rows: Vec<Vec<Cell>> = ids.iter().map(|id| vec![id.as_str().into()]).collect();
    stage(session, &EXTERNAL_IDS, rows).await
}

async fn of_records(
    statement: &'static str,
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    ids: &[ExternalId],
) -> Result<(), StorageError> {
    for ids in ids.chunks(AT_ONCE) {
        stage_records(&mut *session, ids).await?;
        sqlx::query(statement)
            .bind(scope.id())
            .bind(connection.uuid())
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}
