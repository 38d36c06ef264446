//! Which records a plan must look at, and which rest.

use std::collections::BTreeMap;

use muster_model::{ConnectionId, ExternalId, SnapshotId, SourceRecord};
use sqlx::QueryBuilder;

use super::{Db, Session};
use crate::cores::all_at_once;
use crate::error::StorageError;
use crate::record::StoredRecord;
use crate::scope::Scope;
use crate::stored::{count, date, digest, from_json};

/// Records asked for in one statement.
const AT_ONCE: usize = 500;

/// Seen in the snapshot, and never brought to rest, or changed since, or
/// brought to rest under other versions, or marked. The case hides the snapshot from
/// whoever plans the statement: a snapshot that no statistics know yet is taken for an
/// empty one, and then each page is a walk through all records and a sort.
const TOUCHED: &str = "SELECT record.external_id, record.digest, record.revision, \
    record.settled_digest, record.settled_versions, record.rest, record.due_on, \
    record.due_marks, record.due_marks_settled, body.wrapped_key, body.body \
    FROM source_records AS record CROSS JOIN record_bodies AS body \
    WHERE body.organisation_id = $1 AND body.connection_id = $2 \
    AND body.external_id = record.external_id \
    AND record.organisation_id = $1 AND record.connection_id = $2 \
    AND CASE WHEN record.seen_in = $3 THEN 1 = 1 END \
    AND (record.settled_digest IS NULL OR record.settled_digest <> record.digest \
        OR record.settled_versions <> $4 OR record.due_marks <> record.due_marks_settled) \
    AND record.external_id > $5 ORDER BY record.external_id LIMIT $6";
const AT_REST: &str = "SELECT rest, count(*) FROM source_records \
    WHERE organisation_id = $1 AND connection_id = $2 AND seen_in = $3 \
    AND settled_digest = digest AND settled_versions = $4 AND due_marks = due_marks_settled \
    GROUP BY rest";
const MISSING: &str = "SELECT link.external_id FROM links AS link \
    LEFT JOIN source_records AS record ON record.organisation_id = link.organisation_id \
    AND record.connection_id = link.connection_id AND record.external_id = link.external_id \
    WHERE link.organisation_id = $1 AND link.connection_id = $2 \
    AND (record.seen_in IS NULL OR record.seen_in <> $3) \
    AND link.external_id > $4 ORDER BY link.external_id LIMIT $5";
const BACKWARDS: &str = "SELECT count(*) FROM links AS link \
    JOIN source_records AS record ON record.organisation_id = link.organisation_id \
    AND record.connection_id = link.connection_id AND record.external_id = link.external_id \
    WHERE link.organisation_id = $1 AND link.connection_id = $2 AND record.seen_in = $3 \
    AND record.revision < link.revision";

type Row = (
    String,
    Vec<u8>,
    Option<i64>,
    Option<Vec<u8>>,
    Option<String>,
    Option<String>,
    Option<String>,
    i64,
    i64,
    Vec<u8>,
    Vec<u8>,
);

pub(crate) async fn touched(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    snapshot: SnapshotId,
    versions: &str,
    after: Option<&ExternalId>,
    limit: u32,
) -> Result<Vec<StoredRecord>, StorageError> {
    let rows = sqlx::query_as::<Db, Row>(TOUCHED)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(snapshot.uuid())
        .bind(versions)
        // No id is empty.
        .bind(after.map_or("", ExternalId::as_str))
        .bind(i64::from(limit))
        .fetch_all(session)
        .await?;
    all_at_once(rows, |row| read(scope, connection, row))
}

pub(crate) async fn untouched_counts(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    snapshot: SnapshotId,
    versions: &str,
) -> Result<BTreeMap<String, u64>, StorageError> {
    sqlx::query_as::<Db, (String, i64)>(AT_REST)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(snapshot.uuid())
        .bind(versions)
        .fetch_all(session)
        .await?
        .into_iter()
        .map(|(rest, records)| Ok((rest, count("records at rest", records)?)))
        .collect()
}

pub(crate) async fn missing(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    snapshot: SnapshotId,
    after: Option<&ExternalId>,
    limit: u32,
) -> Result<Vec<ExternalId>, StorageError> {
    Ok(sqlx::query_scalar::<Db, String>(MISSING)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(snapshot.uuid())
        .bind(after.map_or("", ExternalId::as_str))
        .bind(i64::from(limit))
        .fetch_all(session)
        .await?
        .into_iter()
        .map(ExternalId::new)
        .collect())
}

pub(crate) async fn backwards(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    snapshot: SnapshotId,
) -> Result<u64, StorageError> {
    let records = sqlx::query_scalar::<Db, i64>(BACKWARDS)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(snapshot.uuid())
        .fetch_one(session)
        .await?;
    count("records that run backwards", records)
}

/// The records of these ids, whatever snapshot saw them last.
pub(crate) async fn by_ids(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    ids: &[ExternalId],
) -> Result<Vec<StoredRecord>, StorageError> {
    let mut records = Vec::with_capacity(ids.len());
    for ids in ids.chunks(AT_ONCE) {
        let mut query = QueryBuilder::<Db>::new("WITH given (external_id) AS (");
        query.push_values(ids, |mut row, id| {
            row.push_bind(id.as_str());
        });
        query.push(
            ") SELECT record.external_id, record.digest, record.revision, record.settled_digest, \
             record.settled_versions, record.rest, record.due_on, record.due_marks, \
             record.due_marks_settled, body.wrapped_key, body.body FROM given \
             CROSS JOIN source_records AS record \
             JOIN record_bodies AS body ON body.organisation_id = record.organisation_id \
             AND body.connection_id = record.connection_id \
             AND body.external_id = record.external_id WHERE record.external_id = given.external_id AND record.organisation_id = ",
        );
        query
            .push_bind(scope.id())
            .push(" AND record.connection_id = ")
            .push_bind(connection.uuid());
        let rows = query
            .build_query_as::<Row>()
            .fetch_all(&mut *session)
            .await?;
        records.extend(all_at_once(rows, |row| read(scope, connection, row))?);
    }
    Ok(records)
}

fn read(scope: &Scope, connection: ConnectionId, row: Row) -> Result<StoredRecord, StorageError> {
    let (
        id,
        bytes,
        revision,
        settled,
        settled_versions,
        rest,
        due_on,
        marks,
        settled_marks,
        wrapped,
        body,
    ) = row;
    let connection = connection.uuid();
    let owner = [connection.as_bytes().as_slice(), id.as_bytes()];
    let key = scope.unwrap("record_bodies.wrapped_key", &owner, &wrapped)?;
    let plain = scope.open(&key, "record_bodies.body", &owner, &body)?;
    let mut record: SourceRecord = from_json("record_bodies.body", &plain)?;
    // An unchanged record may come with a new revision without its body being written.
    record.revision = revision;
    Ok(StoredRecord {
        external_id: ExternalId::new(id),
        record,
        digest: digest("source_records.digest", &bytes)?,
        settled: settled
            .map(|bytes| digest("source_records.settled_digest", &bytes))
            .transpose()?,
        settled_versions,
        rest,
        due_on: due_on
            .map(|text| date("source_records.due_on", &text))
            .transpose()?,
        due: marks != settled_marks,
        due_marks: count("source_records.due_marks", marks)?,
    })
}
