//! Storing what was read, in bulk, writing only what changed.

use std::collections::BTreeMap;

use muster_model::{ConnectionId, ExternalId, SnapshotId};
use uuid::Uuid;

use super::bulk::{NOT_THE_SAME, stage};
use super::{Db, Session, erase, keys, snapshots};
use crate::cell::{Cell, Kind, Table};
use crate::error::StorageError;
use crate::record::{RecordToStore, Stored};
use crate::scope::Scope;
use crate::stored::to_json;

/// Records staged at once: bounds memory, and is many times the rows of a statement.
const AT_ONCE: usize = 5_000;

const SEEN: Table = Table {
    name: "stage_seen",
    columns: &[
        ("external_id", Kind::Text),
        ("digest", Kind::Bytes),
        ("revision", Kind::Number),
    ],
};
const RECORDS: Table = Table {
    name: "stage_records",
    columns: &[
        ("external_id", Kind::Text),
        ("digest", Kind::Bytes),
        ("revision", Kind::Number),
        ("wrapped_key", Kind::Bytes),
        ("body", Kind::Bytes),
    ],
};

/// Seen again, unchanged: the body stays as it is. The digest does not cover the revision.
const SEEN_AGAIN: &str = "UPDATE source_records SET seen_in = $3, revision = seen.revision \
    FROM stage_seen AS seen WHERE source_records.organisation_id = $1 \
    AND source_records.connection_id = $2 AND source_records.external_id = seen.external_id \
    AND source_records.external_id IN (SELECT external_id FROM stage_seen) \
    AND source_records.digest = seen.digest AND source_records.seen_in <> $3";
const STORE: &str = "INSERT INTO source_records \
    (organisation_id, connection_id, external_id, digest, revision, seen_in) \
    SELECT $1, $2, external_id, digest, revision, $3 FROM stage_records WHERE 1 = 1 \
    ON CONFLICT (organisation_id, connection_id, external_id) DO UPDATE \
    SET digest = excluded.digest, revision = excluded.revision, seen_in = excluded.seen_in";
const STORE_BODIES: &str = "INSERT INTO record_bodies \
    (organisation_id, connection_id, external_id, wrapped_key, body) \
    SELECT $1, $2, external_id, wrapped_key, body FROM stage_records WHERE 1 = 1 \
    ON CONFLICT (organisation_id, connection_id, external_id) DO UPDATE SET body = excluded.body";

/// Stores what was read, and tells what became of it.
pub(crate) async fn store(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    snapshot: SnapshotId,
    records: &[RecordToStore],
) -> Result<Stored, StorageError> {
    snapshots::require(scope, &mut *session, connection, snapshot).await?;
    let mut stored = Stored::default();
    for records in records.chunks(AT_ONCE) {
        stored.add(store_some(scope, &mut *session, connection, snapshot, records).await?);
    }
    Ok(stored)
}

async fn store_some(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    snapshot: SnapshotId,
    records: &[RecordToStore],
) -> Result<Stored, StorageError> {
    let mut stored = Stored::default();
    let mut best = best_of_each(connection, records, &mut stored.already_in_this_snapshot)?;
    // Of whom was erased nothing is kept, whatever the source still says.
    for id in erase::of_records(scope, &mut *session, connection, best.keys().copied()).await? {
        if let Some(given) = best.remove(id.as_str()) {
            stored.erased.push(given.record.external_id.clone());
        }
    }
    let rows: Vec<Vec<Cell>> = best
        .iter()
        .map(|(id, given)| {
            let digest = given.digest.as_bytes().to_vec();
            vec![Cell::from(*id), digest.into(), given.record.revision.into()]
        })
        .collect();
    stage(&mut *session, &SEEN, &rows).await?;
    let not_the_same =
        sqlx::query_as::<Db, (String, Option<Uuid>, Option<i64>, Option<Vec<u8>>)>(NOT_THE_SAME)
            .bind(scope.id())
            .bind(connection.uuid())
            .bind(snapshot.uuid())
            .fetch_all(&mut *session)
            .await?;
    stored.unchanged = sqlx::query(SEEN_AGAIN)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(snapshot.uuid())
        .execute(&mut *session)
        .await?
        .rows_affected();

    let mut to_write = Vec::with_capacity(not_the_same.len());
    for (id, seen_in, revision, wrapped) in not_the_same {
        let Some(given) = best.get(id.as_str()) else {
            continue;
        };
        match seen_in {
            None => stored.new += 1,
            Some(seen_in) if seen_in == snapshot.uuid() => {
                stored
                    .already_in_this_snapshot
                    .push(given.record.external_id.clone());
                if given.record.revision < revision {
                    continue;
                }
            }
            Some(_) => stored.changed += 1,
        }
        to_write.push((*given, wrapped));
    }
    if !to_write.is_empty() {
        write(scope, session, connection, snapshot, &to_write).await?;
    }
    Ok(stored)
}

async fn write(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    snapshot: SnapshotId,
    records: &[(&RecordToStore, Option<Vec<u8>>)],
) -> Result<(), StorageError> {
    let mut rows = Vec::with_capacity(records.len());
    for (given, wrapped) in records {
        let id = &given.record.external_id;
        let connection_id = connection.uuid();
        let owner = [connection_id.as_bytes().as_slice(), id.as_str().as_bytes()];
        let (key, wrapped) = match wrapped {
            Some(wrapped) => (
                scope.unwrap("record_bodies.wrapped_key", &owner, wrapped)?,
                wrapped.clone(),
            ),
            None => {
                let key = scope.new_key();
                let wrapped = scope.wrap(&key, "record_bodies.wrapped_key", &owner)?;
                (key, wrapped)
            }
        };
        let plain = zeroize::Zeroizing::new(to_json("record_bodies.body", &given.record)?);
        let body = scope.seal(&key, "record_bodies.body", &owner, plain.as_bytes())?;
        rows.push(vec![
            id.as_str().into(),
            given.digest.as_bytes().to_vec().into(),
            given.record.revision.into(),
            wrapped.into(),
            body.into(),
        ]);
    }
    stage(&mut *session, &RECORDS, &rows).await?;
    sqlx::query(STORE)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(snapshot.uuid())
        .execute(&mut *session)
        .await?;
    sqlx::query(STORE_BODIES)
        .bind(scope.id())
        .bind(connection.uuid())
        .execute(&mut *session)
        .await?;
    let keys = records
        .iter()
        .map(|(given, _)| (&given.record.external_id, &given.keys));
    let any_known = records.iter().any(|(_, wrapped)| wrapped.is_some());
    keys::replace_of_records(scope, session, connection, any_known, keys).await
}

/// Of rows with the same id the higher revision, of equal ones the later; in
/// the order of ids, so that the index is filled from left to right.
fn best_of_each<'a>(
    connection: ConnectionId,
    records: &'a [RecordToStore],
    twice: &mut Vec<ExternalId>,
) -> Result<BTreeMap<&'a str, &'a RecordToStore>, StorageError> {
    let mut best: BTreeMap<&str, &RecordToStore> = BTreeMap::new();
    for given in records {
        let id = &given.record.external_id;
        if id.as_str().is_empty() {
            return Err(StorageError::RecordWithoutId { connection });
        }
        match best.get_mut(id.as_str()) {
            None => {
                best.insert(id.as_str(), given);
            }
            Some(before) => {
                twice.push(id.clone());
                if given.record.revision >= before.record.revision {
                    *before = given;
                }
            }
        }
    }
    Ok(best)
}
