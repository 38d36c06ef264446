//! Storing what was read, in bulk, writing only what changed.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::{ConnectionId, ExternalId, SnapshotId, SourceRecord};
use uuid::Uuid;

use super::bulk::{
    SEE_THE_SAME, THE_SAME_ARE_SEEN, append, append_made, stage_made, stage_to_go_through,
};
use super::{Db, Session, erase, keys, snapshots};
use crate::cell::{Cell, Kind, Table};
use crate::error::StorageError;
use crate::record::{RecordToStore, Stored};
use crate::scope::Scope;
use crate::seal::Key;
use crate::stored::to_json;

/// Records staged at once: bounds memory, and is many times the rows of a statement.
const AT_ONCE: usize = 10_000;

const SEEN: Table = Table {
    name: "stage_seen",
    columns: &[
        ("external_id", Kind::Text),
        ("digest", Kind::Bytes),
        ("revision", Kind::Number),
    ],
};
const NEW_RECORDS: Table = Table {
    name: "source_records",
    columns: &[
        ("external_id", Kind::Text),
        ("digest", Kind::Bytes),
        ("revision", Kind::Number),
        ("organisation_id", Kind::Uuid),
        ("connection_id", Kind::Uuid),
        ("seen_in", Kind::Uuid),
    ],
};
const BODIES: Table = Table {
    name: "stage_records",
    columns: &[
        ("external_id", Kind::Text),
        ("wrapped_key", Kind::Bytes),
        ("body", Kind::Bytes),
    ],
};
const NEW_BODIES: Table = Table {
    name: "record_bodies",
    columns: &[
        ("organisation_id", Kind::Uuid),
        ("connection_id", Kind::Uuid),
        ("external_id", Kind::Text),
        ("wrapped_key", Kind::Bytes),
        ("body", Kind::Bytes),
    ],
};

/// Of an unchanged record this writes the snapshot and the revision, which the digest
/// does not cover; its body stays as it is.
const SEE: &str = "INSERT INTO source_records \
    (organisation_id, connection_id, external_id, digest, revision, seen_in) \
    SELECT $1, $2, external_id, digest, revision, $3 FROM stage_seen WHERE 1 = 1 \
    ON CONFLICT (organisation_id, connection_id, external_id) DO UPDATE \
    SET digest = excluded.digest, revision = excluded.revision, seen_in = excluded.seen_in";
const STORE_BODIES: &str = "UPDATE record_bodies SET body = given.body \
    FROM stage_records AS given WHERE record_bodies.organisation_id = $1 \
    AND record_bodies.connection_id = $2 AND record_bodies.external_id = given.external_id \
    AND record_bodies.external_id IN (SELECT external_id FROM stage_records)";

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
    stage_to_go_through(&mut *session, &SEEN, sightings(&best)).await?;
    let others =
        sqlx::query_as::<Db, (String, Option<Uuid>, Option<i64>, Option<Vec<u8>>)>(SEE_THE_SAME)
            .bind(scope.id())
            .bind(connection.uuid())
            .bind(snapshot.uuid())
            .fetch_all(&mut *session)
            .await?;
    stored.unchanged = (best.len() - others.len()) as u64;
    let staged = best.len();
    if THE_SAME_ARE_SEEN {
        let others: BTreeSet<&str> = others.iter().map(|(id, ..)| id.as_str()).collect();
        best.retain(|id, _| others.contains(*id));
    }
    let (mut new, mut known) = (Vec::new(), Vec::new());
    for (id, seen_in, revision, wrapped) in &others {
        let Some(given) = best.get(id.as_str()) else {
            continue;
        };
        match seen_in {
            None => stored.new += 1,
            Some(seen_in) if *seen_in == snapshot.uuid() => {
                stored
                    .already_in_this_snapshot
                    .push(given.record.external_id.clone());
                if given.record.revision < *revision {
                    // What this snapshot holds of it already is newer, and stays.
                    best.remove(id.as_str());
                    continue;
                }
            }
            Some(_) => stored.changed += 1,
        }
        match wrapped {
            None => new.push(*given),
            Some(wrapped) => known.push((*given, wrapped)),
        }
    }
    let sightings = sightings(&best);
    if stored.new == best.len() as u64 {
        let of_snapshot = [
            Cell::from(scope.id()),
            connection.uuid().into(),
            snapshot.uuid().into(),
        ];
        let row = |row: Vec<Cell>| row.into_iter().chain(of_snapshot.iter().cloned()).collect();
        let rows: Vec<Vec<Cell>> = sightings.into_iter().map(row).collect();
        append(&mut *session, &NEW_RECORDS, rows).await?;
    } else {
        if best.len() < staged {
            stage_to_go_through(&mut *session, &SEEN, sightings).await?;
        }
        sqlx::query(SEE)
            .bind(scope.id())
            .bind(connection.uuid())
            .bind(snapshot.uuid())
            .execute(&mut *session)
            .await?;
    }
    add(scope, &mut *session, connection, &new).await?;
    replace(scope, session, connection, &known).await?;
    Ok(stored)
}

/// Records as rows of [`SEEN`].
fn sightings(records: &BTreeMap<&str, &RecordToStore>) -> Vec<Vec<Cell>> {
    let row = |(id, given): (&&str, &&RecordToStore)| {
        let digest = given.digest.as_bytes().to_vec();
        vec![Cell::from(*id), digest.into(), given.record.revision.into()]
    };
    records.iter().map(row).collect()
}

/// Stores what is said in records that were never seen before: each under a key of
/// its own.
async fn add(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    records: &[&RecordToStore],
) -> Result<(), StorageError> {
    append_made(&mut *session, &NEW_BODIES, records, |given| {
        let id = given.record.external_id.as_str();
        let key = scope.new_key();
        let wrapped = scope.wrap(
            &key,
            "record_bodies.wrapped_key",
            &owner(&connection.uuid(), id),
        )?;
        Ok(vec![
            scope.id().into(),
            connection.uuid().into(),
            id.into(),
            wrapped.into(),
            seal(scope, &key, connection, &given.record)?.into(),
        ])
    })
    .await?;
    let records = records.iter().map(|given| &given.record);
    keys::add_of_records(scope, session, connection, records).await
}

/// Stores what is said in records that are known.
async fn replace(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    records: &[(&RecordToStore, &Vec<u8>)],
) -> Result<(), StorageError> {
    if records.is_empty() {
        return Ok(());
    }
    stage_made(&mut *session, &BODIES, records, |(given, wrapped)| {
        let id = given.record.external_id.as_str();
        let key = scope.unwrap(
            "record_bodies.wrapped_key",
            &owner(&connection.uuid(), id),
            wrapped,
        )?;
        Ok(vec![
            id.into(),
            wrapped.to_vec().into(),
            seal(scope, &key, connection, &given.record)?.into(),
        ])
    })
    .await?;
    sqlx::query(STORE_BODIES)
        .bind(scope.id())
        .bind(connection.uuid())
        .execute(&mut *session)
        .await?;
    let records = records.iter().map(|(given, _)| &given.record);
    keys::replace_of_records(scope, session, connection, records).await
}

fn owner<'a>(connection: &'a Uuid, id: &'a str) -> [&'a [u8]; 2] {
    [connection.as_bytes(), id.as_bytes()]
}

fn seal(
    scope: &Scope,
    key: &Key,
    connection: ConnectionId,
    record: &SourceRecord,
) -> Result<Vec<u8>, StorageError> {
    let plain = zeroize::Zeroizing::new(to_json("record_bodies.body", record)?);
    let connection = connection.uuid();
    let owner = owner(&connection, record.external_id.as_str());
    Ok(scope.seal(key, "record_bodies.body", &owner, plain.as_bytes())?)
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
