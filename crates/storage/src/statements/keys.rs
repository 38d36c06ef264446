//! Who holds a key: people of the organisation, records of a snapshot.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use muster_model::{
    ConnectionId, Digest, ExternalId, MatchKey, PersonId, SnapshotId, SourceRecord,
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::bulk::{append, stage};
use super::{Db, Session, due, people};
use crate::cell::{Cell, Kind, Table};
use crate::error::StorageError;
use crate::key_holders::KeyHolders;
use crate::scope::Scope;
use crate::stored::{damaged, digest, number};

/// The keys of one record, or of one person.
type Keys = BTreeMap<MatchKey, Digest>;

/// Keys, or their holders, asked about in one statement.
const AT_ONCE: usize = 400;

const RECORD_KEYS: Table = Table {
    name: "stage_record_keys",
    columns: &[
        ("external_id", Kind::Text),
        ("kind", Kind::Text),
        ("digest", Kind::Bytes),
    ],
};
const PERSON_KEYS: Table = Table {
    name: "stage_person_keys",
    columns: &[
        ("person_id", Kind::Uuid),
        ("kind", Kind::Text),
        ("digest", Kind::Bytes),
    ],
};
const NEW_RECORD_KEYS: Table = Table {
    name: "record_keys",
    columns: &[
        ("organisation_id", Kind::Uuid),
        ("connection_id", Kind::Uuid),
        ("external_id", Kind::Text),
        ("kind", Kind::Text),
        ("digest", Kind::Bytes),
    ],
};
const NEW_PERSON_KEYS: Table = Table {
    name: "person_keys",
    columns: &[
        ("organisation_id", Kind::Uuid),
        ("person_id", Kind::Uuid),
        ("kind", Kind::Text),
        ("digest", Kind::Bytes),
    ],
};

const FORGET_RECORD_KEYS: &str = "DELETE FROM record_keys \
    WHERE organisation_id = $1 AND connection_id = $2 \
    AND external_id IN (SELECT external_id FROM stage_external_ids) \
    AND NOT EXISTS (SELECT 1 FROM stage_record_keys AS given \
        WHERE given.external_id = record_keys.external_id AND given.kind = record_keys.kind)";
const STORE_RECORD_KEYS: &str = "INSERT INTO record_keys \
    (organisation_id, connection_id, external_id, kind, digest) \
    SELECT $1, $2, external_id, kind, digest FROM stage_record_keys WHERE 1 = 1 \
    ON CONFLICT (organisation_id, connection_id, external_id, kind) \
    DO UPDATE SET digest = excluded.digest WHERE record_keys.digest <> excluded.digest";
const FORGET_PERSON_KEYS: &str = "DELETE FROM person_keys \
    WHERE organisation_id = $1 AND person_id IN (SELECT id FROM stage_ids) \
    AND NOT EXISTS (SELECT 1 FROM stage_person_keys AS given \
        WHERE given.person_id = person_keys.person_id AND given.kind = person_keys.kind)";
const STORE_PERSON_KEYS: &str = "INSERT INTO person_keys (organisation_id, person_id, kind, digest) \
    SELECT $1, person_id, kind, digest FROM stage_person_keys WHERE 1 = 1 \
    ON CONFLICT (organisation_id, person_id, kind) \
    DO UPDATE SET digest = excluded.digest WHERE person_keys.digest <> excluded.digest";

/// What a person gives up is remembered, before it is overwritten.
const HELD_TWICE: &str = "SELECT DISTINCT held.external_id FROM ( \
        SELECT kind, digest FROM record_keys WHERE organisation_id = $1 AND connection_id = $2 \
        GROUP BY kind, digest HAVING count(*) > 1) AS twice \
    CROSS JOIN record_keys AS held WHERE held.organisation_id = $1 \
    AND held.connection_id = $2 AND held.kind = twice.kind AND held.digest = twice.digest LIMIT $3";
const HELD_BY_SOMEBODY: &str = "SELECT DISTINCT own.external_id FROM person_keys AS held \
    CROSS JOIN record_keys AS own WHERE held.organisation_id = $1 AND own.organisation_id = $1 \
    AND own.connection_id = $2 AND own.kind = held.kind AND own.digest = held.digest LIMIT $3";
const RELEASE_PERSON_KEYS: &str = "INSERT INTO past_person_keys \
    (organisation_id, kind, digest, person_id, released_at) \
    SELECT $1, held.kind, held.digest, held.person_id, $2 FROM person_keys AS held \
    WHERE held.organisation_id = $1 AND held.person_id IN (SELECT id FROM stage_ids) \
    AND NOT EXISTS (SELECT 1 FROM stage_person_keys AS given \
        WHERE given.person_id = held.person_id AND given.kind = held.kind \
        AND given.digest = held.digest) \
    ON CONFLICT (organisation_id, kind, digest, person_id) \
    DO UPDATE SET released_at = excluded.released_at";

fn kind(word: &str) -> Result<MatchKey, StorageError> {
    MatchKey::ALL
        .into_iter()
        .find(|key| key.purpose() == word)
        .ok_or_else(|| damaged("keys.kind", "not one of its words"))
}

/// Adds the keys of records that were never seen before.
pub(crate) async fn add_of_records<'a>(
    scope: &'a Scope,
    session: &mut Session,
    connection: ConnectionId,
    records: impl Iterator<Item = &'a SourceRecord>,
) -> Result<(), StorageError> {
    let of_connection = [Cell::from(scope.id()), connection.uuid().into()];
    let rows: Vec<Vec<Cell>> = of_records(scope, records)
        .map(|row| of_connection.iter().cloned().chain(row).collect())
        .collect();
    append(session, &NEW_RECORD_KEYS, rows).await
}

/// Replaces the keys of known records. Most changes touch no key: those that stay are
/// read, and nothing is written of them.
pub(crate) async fn replace_of_records<'a>(
    scope: &'a Scope,
    session: &mut Session,
    connection: ConnectionId,
    records: impl Iterator<Item = &'a SourceRecord>,
) -> Result<(), StorageError> {
    let mut given: BTreeMap<&ExternalId, Keys> = records
        .map(|record| (&record.external_id, keys_of(scope, record)))
        .collect();
    let mut held: BTreeMap<String, Keys> = BTreeMap::new();
    let ids: Vec<&ExternalId> = given.keys().copied().collect();
    for ids in ids.chunks(AT_ONCE) {
        let mut query = given_ids(ids.iter().copied());
        query.push(
            "SELECT held.external_id, held.kind, held.digest FROM given \
             CROSS JOIN record_keys AS held WHERE held.external_id = given.external_id \
             AND held.organisation_id = ",
        );
        query
            .push_bind(scope.id())
            .push(" AND held.connection_id = ")
            .push_bind(connection.uuid());
        for (id, word, bytes) in query
            .build_query_as::<(String, String, Vec<u8>)>()
            .fetch_all(&mut *session)
            .await?
        {
            let digest = digest("record_keys.digest", &bytes)?;
            held.entry(id).or_default().insert(kind(&word)?, digest);
        }
    }
    given.retain(|id, keys| *keys != held.remove(id.as_str()).unwrap_or_default());
    if given.is_empty() {
        return Ok(());
    }
    let ids: Vec<ExternalId> = given.keys().copied().cloned().collect();
    due::stage_records(&mut *session, &ids).await?;
    let rows = |(id, keys): (&&ExternalId, &Keys)| -> Vec<Vec<Cell>> {
        let row = |(key, digest): (&MatchKey, &Digest)| {
            Vec::from(row_of_key(id.as_str().into(), *key, digest))
        };
        keys.iter().map(row).collect()
    };
    let rows: Vec<Vec<Cell>> = given.iter().flat_map(rows).collect();
    stage(&mut *session, &RECORD_KEYS, rows).await?;
    for statement in [FORGET_RECORD_KEYS, STORE_RECORD_KEYS] {
        sqlx::query(statement)
            .bind(scope.id())
            .bind(connection.uuid())
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}

/// The keys of a record.
fn keys_of(scope: &Scope, record: &SourceRecord) -> Keys {
    let of = |key: MatchKey| Some((key, key.digest(&record.fields, &scope.index_key)?));
    MatchKey::ALL.into_iter().filter_map(of).collect()
}

/// A row a key: the record, which key, its digest.
fn of_records<'a>(
    scope: &'a Scope,
    records: impl Iterator<Item = &'a SourceRecord>,
) -> impl Iterator<Item = [Cell; 3]> {
    records.flat_map(move |record| {
        keys_of(scope, record)
            .into_iter()
            .map(|(key, digest)| row_of_key(record.external_id.as_str().into(), key, &digest))
    })
}

/// A row a key: the person, which key, its digest.
fn of_people<'a>(
    keys: impl Iterator<Item = (PersonId, &'a Keys)>,
) -> impl Iterator<Item = [Cell; 3]> {
    keys.flat_map(|(id, keys)| {
        keys.iter()
            .map(move |(key, digest)| row_of_key(id.uuid().into(), *key, digest))
    })
}

fn row_of_key(owner: Cell, key: MatchKey, digest: &Digest) -> [Cell; 3] {
    let digest = digest.as_bytes().to_vec();
    [owner, key.purpose().into(), digest.into()]
}

/// Adds the keys of people who were never stored before.
pub(crate) async fn add_of_people(
    scope: &Scope,
    session: &mut Session,
    keys: impl Iterator<Item = (PersonId, &Keys)>,
) -> Result<(), StorageError> {
    let of_organisation = [Cell::from(scope.id())];
    let rows: Vec<Vec<Cell>> = of_people(keys)
        .map(|row| of_organisation.iter().cloned().chain(row).collect())
        .collect();
    append(session, &NEW_PERSON_KEYS, rows).await
}

/// Replaces the keys of known people; those that stay are read, and nothing is written
/// of them.
pub(crate) async fn replace_of_people<'a>(
    scope: &Scope,
    session: &mut Session,
    keys: impl Iterator<Item = (PersonId, &'a Keys)>,
) -> Result<(), StorageError> {
    let mut given: BTreeMap<PersonId, &Keys> = keys.collect();
    let mut held: BTreeMap<PersonId, Keys> = BTreeMap::new();
    let ids: Vec<PersonId> = given.keys().copied().collect();
    for ids in ids.chunks(AT_ONCE) {
        let mut query = people::given(ids);
        query.push(
            "SELECT held.person_id, held.kind, held.digest FROM given \
             CROSS JOIN person_keys AS held WHERE held.person_id = given.id \
             AND held.organisation_id = ",
        );
        query.push_bind(scope.id());
        for (id, word, bytes) in query
            .build_query_as::<(Uuid, String, Vec<u8>)>()
            .fetch_all(&mut *session)
            .await?
        {
            let digest = digest("person_keys.digest", &bytes)?;
            let held = held.entry(PersonId::from_uuid(id)).or_default();
            held.insert(kind(&word)?, digest);
        }
    }
    given.retain(|id, keys| **keys != held.remove(id).unwrap_or_default());
    if given.is_empty() {
        return Ok(());
    }
    let ids: Vec<PersonId> = given.keys().copied().collect();
    due::stage_people(&mut *session, &ids).await?;
    let rows: Vec<Vec<Cell>> = of_people(given.into_iter()).map(Vec::from).collect();
    stage(&mut *session, &PERSON_KEYS, rows).await?;
    sqlx::query(RELEASE_PERSON_KEYS)
        .bind(scope.id())
        .bind(scope.now())
        .execute(&mut *session)
        .await?;
    for statement in [FORGET_PERSON_KEYS, STORE_PERSON_KEYS] {
        sqlx::query(statement)
            .bind(scope.id())
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}

/// Who held each of the keys and gave it up since an instant.
pub(crate) async fn past_holders(
    scope: &Scope,
    session: &mut Session,
    keys: &[(MatchKey, Digest)],
    since: Timestamp,
) -> Result<BTreeMap<(MatchKey, Digest), Vec<PersonId>>, StorageError> {
    let mut holders: BTreeMap<(MatchKey, Digest), Vec<PersonId>> = BTreeMap::new();
    for keys in keys.chunks(AT_ONCE) {
        let mut query = given(keys);
        query.push(
            "SELECT past.kind, past.digest, past.person_id FROM given CROSS JOIN past_person_keys AS past \
             WHERE past.kind = given.kind AND past.digest = given.digest \
             AND past.organisation_id = ",
        );
        query
            .push_bind(scope.id())
            .push(" AND past.released_at >= ")
            .push_bind(since.as_microsecond())
            .push(" ORDER BY past.person_id");
        for (word, bytes, person) in query
            .build_query_as::<(String, Vec<u8>, Uuid)>()
            .fetch_all(&mut *session)
            .await?
        {
            let key = (kind(&word)?, digest("past_person_keys.digest", &bytes)?);
            holders
                .entry(key)
                .or_default()
                .push(PersonId::from_uuid(person));
        }
    }
    Ok(holders)
}

/// The people of the organisation, and the records of the snapshot, that hold
/// each of the keys.
pub(crate) async fn holders(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    snapshot: SnapshotId,
    keys: &[(MatchKey, Digest)],
) -> Result<KeyHolders, StorageError> {
    let mut holders = KeyHolders::new();
    for keys in keys.chunks(AT_ONCE) {
        let mut people = given(keys);
        people.push(
            "SELECT held.kind, held.digest, held.person_id FROM given CROSS JOIN person_keys AS held \
             WHERE held.kind = given.kind AND held.digest = given.digest AND held.organisation_id = ",
        );
        people
            .push_bind(scope.id())
            .push(" ORDER BY held.person_id");
        for (word, bytes, person) in people
            .build_query_as::<(String, Vec<u8>, Uuid)>()
            .fetch_all(&mut *session)
            .await?
        {
            let key = (kind(&word)?, digest("person_keys.digest", &bytes)?);
            let people = &mut holders.entry(key).or_default().people;
            let person = PersonId::from_uuid(person);
            // A key asked about twice answers once.
            if people.last() != Some(&person) {
                people.push(person);
            }
        }

        let mut records = given(keys);
        records.push(
            "SELECT held.kind, held.digest, held.external_id FROM given CROSS JOIN record_keys AS held \
             JOIN source_records AS record ON record.organisation_id = held.organisation_id \
             AND record.connection_id = held.connection_id \
             AND record.external_id = held.external_id WHERE held.kind = given.kind AND held.digest = given.digest AND held.organisation_id = ",
        );
        records
            .push_bind(scope.id())
            .push(" AND held.connection_id = ")
            .push_bind(connection.uuid())
            .push(" AND record.seen_in = ")
            .push_bind(snapshot.uuid())
            .push(" ORDER BY held.external_id");
        for (word, bytes, external_id) in records
            .build_query_as::<(String, Vec<u8>, String)>()
            .fetch_all(&mut *session)
            .await?
        {
            let key = (kind(&word)?, digest("record_keys.digest", &bytes)?);
            let records = &mut holders.entry(key).or_default().records;
            let external_id = ExternalId::new(external_id);
            if records.last() != Some(&external_id) {
                records.push(external_id);
            }
        }
    }
    Ok(holders)
}

/// The people who hold a key of one of these records, and which of these records.
pub(crate) async fn people_of_records(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    ids: &[ExternalId],
) -> Result<KeyHolders, StorageError> {
    let mut holders = KeyHolders::new();
    for ids in ids.chunks(AT_ONCE) {
        let mut people = given_ids(ids);
        people.push(
            "SELECT held.kind, held.digest, held.person_id, own.external_id FROM given \
             CROSS JOIN record_keys AS own CROSS JOIN person_keys AS held \
             WHERE own.external_id = given.external_id \
             AND held.organisation_id = own.organisation_id AND held.kind = own.kind \
             AND held.digest = own.digest AND own.organisation_id = ",
        );
        people
            .push_bind(scope.id())
            .push(" AND own.connection_id = ")
            .push_bind(connection.uuid());
        for (word, bytes, person, own) in people
            .build_query_as::<(String, Vec<u8>, Uuid, String)>()
            .fetch_all(&mut *session)
            .await?
        {
            let key = (kind(&word)?, digest("person_keys.digest", &bytes)?);
            let owners = holders.entry(key).or_default();
            owners.people.push(PersonId::from_uuid(person));
            owners.records.push(ExternalId::new(own));
        }
    }
    // Two records of one key, or two people.
    for owners in holders.values_mut() {
        owners.people.sort_unstable();
        owners.people.dedup();
        owners.records.sort_unstable();
        owners.records.dedup();
    }
    Ok(holders)
}

/// The people who hold a key of one of these records, and which of these; and, of keys
/// that another record of the snapshot holds too, all records that hold them.
pub(crate) async fn holders_of_records(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    snapshot: SnapshotId,
    ids: &[ExternalId],
) -> Result<KeyHolders, StorageError> {
    let mut holders = people_of_records(scope, &mut *session, connection, ids).await?;
    for ids in ids.chunks(AT_ONCE) {
        let mut records = given_ids(ids);
        records.push(
            "SELECT own.kind, own.digest, own.external_id, other.external_id FROM given \
             CROSS JOIN record_keys AS own CROSS JOIN record_keys AS other \
             CROSS JOIN source_records AS record \
             WHERE own.external_id = given.external_id \
             AND other.organisation_id = own.organisation_id \
             AND other.connection_id = own.connection_id AND other.kind = own.kind \
             AND other.digest = own.digest AND other.external_id <> own.external_id \
             AND record.organisation_id = other.organisation_id \
             AND record.connection_id = other.connection_id \
             AND record.external_id = other.external_id AND own.organisation_id = ",
        );
        records
            .push_bind(scope.id())
            .push(" AND own.connection_id = ")
            .push_bind(connection.uuid())
            .push(" AND record.seen_in = ")
            .push_bind(snapshot.uuid());
        for (word, bytes, own, other) in records
            .build_query_as::<(String, Vec<u8>, String, String)>()
            .fetch_all(&mut *session)
            .await?
        {
            let key = (kind(&word)?, digest("record_keys.digest", &bytes)?);
            let owners = holders.entry(key).or_default();
            owners.records.extend([own, other].map(ExternalId::new));
        }
    }
    for owners in holders.values_mut() {
        owners.records.sort_unstable();
        owners.records.dedup();
    }
    Ok(holders)
}

/// Records of a connection that hold a key which another record of it, or anybody, holds
/// too; `None` if there are more than `most`. Both statements go through an index from
/// its beginning to its end: asking for each record by itself reads a page for each key
/// of each, all over the index.
pub(crate) async fn contested_records(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    most: usize,
) -> Result<Option<BTreeSet<ExternalId>>, StorageError> {
    let mut contested = BTreeSet::new();
    let one_more = number("contested records", most as u64)?.saturating_add(1);
    for statement in [HELD_TWICE, HELD_BY_SOMEBODY] {
        let found = sqlx::query_scalar::<Db, String>(statement)
            .bind(scope.id())
            .bind(connection.uuid())
            .bind(one_more)
            .fetch_all(&mut *session)
            .await?;
        if found.len() > most {
            return Ok(None);
        }
        contested.extend(found.into_iter().map(ExternalId::new));
    }
    Ok(Some(contested))
}

/// The beginning of a statement that asks about records.
pub(crate) fn given_ids<'a>(ids: impl IntoIterator<Item = &'a ExternalId>) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new("WITH given (external_id) AS (");
    query.push_values(ids, |mut row, id| {
        row.push_bind(id.as_str());
    });
    query.push(") ");
    query
}

/// The records of every connection that hold any of the keys, of whatever read.
pub(crate) async fn records_holding(
    scope: &Scope,
    session: &mut Session,
    keys: &[(MatchKey, Digest)],
) -> Result<Vec<(ConnectionId, ExternalId)>, StorageError> {
    let mut records = Vec::new();
    for keys in keys.chunks(AT_ONCE) {
        let mut query = given(keys);
        query.push(
            "SELECT held.connection_id, held.external_id FROM given \
             CROSS JOIN connections AS connection \
             JOIN record_keys AS held ON held.organisation_id = connection.organisation_id \
             AND held.connection_id = connection.id \
             WHERE held.kind = given.kind AND held.digest = given.digest \
             AND connection.organisation_id = ",
        );
        query
            .push_bind(scope.id())
            .push(" ORDER BY held.connection_id, held.external_id");
        for (connection, id) in query
            .build_query_as::<(Uuid, String)>()
            .fetch_all(&mut *session)
            .await?
        {
            records.push((ConnectionId::from_uuid(connection), ExternalId::new(id)));
        }
    }
    records.sort();
    records.dedup();
    Ok(records)
}

fn given(keys: &[(MatchKey, Digest)]) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new("WITH given (kind, digest) AS (");
    query.push_values(keys, |mut row, (key, digest)| {
        row.push_bind(key.purpose())
            .push_bind(digest.as_bytes().to_vec());
    });
    query.push(") ");
    query
}
