//! Links, their memory sealed with the person's key.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::{ConnectionId, Decision, ExternalId, Field, Link, PersonId};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::bulk::{append_made, stage_made};
use super::{Db, Session, connections, due, people};
use crate::cell::{Cell, Kind, Table};
use crate::cores::all_at_once;
use crate::error::StorageError;
use crate::links::{LinkMemory, LinkMemoryOf};
use crate::scope::Scope;
use crate::seal::Key;
use crate::stored::{count, from_json, instant_or_none, number, to_json};

/// Links asked for in one statement.
const AT_ONCE: usize = 500;
/// Links staged at once.
const STAGED: usize = 5_000;

/// Declares the columns of a link once, for the table and for its stage.
macro_rules! link_columns {
    ($($more:expr),* $(,)?) => {
        &[
            ("external_id", Kind::Text),
            ("person_id", Kind::Uuid),
            ("sealed", Kind::Bytes),
            ("decisions", Kind::Text),
            ("revision", Kind::Number),
            ("gone_since", Kind::Number),
            ("version", Kind::Number),
            $($more,)*
        ]
    };
}
const LINKS: Table = Table {
    name: "stage_links",
    columns: link_columns![],
};
const NEW_LINKS: Table = Table {
    name: "links",
    columns: link_columns![
        ("organisation_id", Kind::Uuid),
        ("connection_id", Kind::Uuid),
    ],
};
const UPDATE: &str = "UPDATE links SET person_id = given.person_id, sealed = given.sealed, \
    decisions = given.decisions, revision = given.revision, gone_since = given.gone_since, \
    version = given.version + 1 FROM stage_links AS given \
    WHERE links.organisation_id = $1 AND links.connection_id = $2 \
    AND links.external_id IN (SELECT external_id FROM stage_links) \
    AND links.external_id = given.external_id AND links.version = given.version \
    AND given.version > 0 RETURNING links.external_id";
const DELETE: &str = "DELETE FROM links WHERE organisation_id = $1 AND connection_id = $2 \
    AND external_id IN (SELECT external_id FROM stage_external_ids) \
    RETURNING external_id, person_id";

/// Whoever has left is linked still, in case they come back, and is no share of the firm.
const LINKED_PEOPLE: &str = "SELECT count(*) FROM people \
    WHERE people.organisation_id = $1 AND people.employment <> 'ended' AND EXISTS ( \
        SELECT 1 FROM links WHERE links.organisation_id = $1 \
        AND links.person_id = people.id AND links.connection_id = $2)";

type Row = (
    Uuid,
    String,
    Uuid,
    Vec<u8>,
    String,
    Option<i64>,
    Option<i64>,
    i64,
    Vec<u8>,
);

pub(crate) async fn by_records(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    ids: &[ExternalId],
) -> Result<Vec<Link>, StorageError> {
    let mut links = Vec::with_capacity(ids.len());
    for ids in ids.chunks(AT_ONCE) {
        let mut query = QueryBuilder::<Db>::new("WITH given (external_id) AS (");
        query.push_values(ids, |mut row, id| {
            row.push_bind(id.as_str());
        });
        query.push(
            ") SELECT link.connection_id, link.external_id, link.person_id, link.sealed, \
             link.decisions, link.revision, link.gone_since, link.version, person.wrapped_key \
             FROM given CROSS JOIN links AS link \
             JOIN people AS person ON person.organisation_id = link.organisation_id \
             AND person.id = link.person_id WHERE link.external_id = given.external_id AND link.organisation_id = ",
        );
        query
            .push_bind(scope.id())
            .push(" AND link.connection_id = ")
            .push_bind(connection.uuid());
        let rows = query
            .build_query_as::<Row>()
            .fetch_all(&mut *session)
            .await?;
        links.extend(all_at_once(rows, |row| Ok(read(scope, row)?.1))?);
    }
    Ok(links)
}

pub(crate) async fn of_people(
    scope: &Scope,
    session: &mut Session,
    people: &[PersonId],
) -> Result<Vec<(ConnectionId, Link)>, StorageError> {
    let mut links = Vec::with_capacity(people.len());
    for people in people.chunks(AT_ONCE) {
        let mut query = QueryBuilder::<Db>::new("WITH given (id) AS (");
        query.push_values(people, |mut row, id| {
            row.push_bind(id.uuid());
        });
        query.push(
            ") SELECT link.connection_id, link.external_id, link.person_id, link.sealed, \
             link.decisions, link.revision, link.gone_since, link.version, person.wrapped_key \
             FROM given CROSS JOIN links AS link \
             JOIN people AS person ON person.organisation_id = link.organisation_id \
             AND person.id = link.person_id WHERE link.person_id = given.id AND link.organisation_id = ",
        );
        query.push_bind(scope.id());
        let rows = query
            .build_query_as::<Row>()
            .fetch_all(&mut *session)
            .await?;
        links.extend(all_at_once(rows, |row| read(scope, row))?);
    }
    Ok(links)
}

/// Whose records these are; a record without a link is not in it.
pub(crate) async fn people_of_records(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    ids: &[ExternalId],
) -> Result<BTreeMap<ExternalId, PersonId>, StorageError> {
    let mut people = BTreeMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let mut query = QueryBuilder::<Db>::new("WITH given (external_id) AS (");
        query.push_values(ids, |mut row, id| {
            row.push_bind(id.as_str());
        });
        query.push(
            ") SELECT link.external_id, link.person_id FROM given \
             CROSS JOIN links AS link \
             WHERE link.external_id = given.external_id AND link.organisation_id = ",
        );
        query
            .push_bind(scope.id())
            .push(" AND link.connection_id = ")
            .push_bind(connection.uuid());
        for (id, person) in query
            .build_query_as::<(String, Uuid)>()
            .fetch_all(&mut *session)
            .await?
        {
            people.insert(ExternalId::new(id), PersonId::from_uuid(person));
        }
    }
    Ok(people)
}

/// How many people are linked on a connection.
pub(crate) async fn count_people(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
) -> Result<u64, StorageError> {
    let people = sqlx::query_scalar::<Db, i64>(LINKED_PEOPLE)
        .bind(scope.id())
        .bind(connection.uuid())
        .fetch_one(session)
        .await?;
    count("linked people", people)
}

/// Inserts links of version 0 and updates the others where the version still
/// holds; gives back the ids of those that were stale.
pub(crate) async fn write(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    links: &[Link],
) -> Result<Vec<ExternalId>, StorageError> {
    connections::by_id(scope, &mut *session, connection).await?;
    let mut stale = Vec::new();
    for links in links.chunks(STAGED) {
        let owners: Vec<PersonId> = links.iter().map(|link| link.person).collect();
        let keys = people::keys_of(scope, &mut *session, &owners).await?;
        // Told before anything is written.
        if let Some(person) = owners.into_iter().find(|id| !keys.contains_key(id)) {
            return Err(StorageError::PersonUnknown { person });
        }
        let fresh: Vec<ExternalId> = links
            .iter()
            .filter(|link| link.version == 0)
            .map(|link| link.external_id.clone())
            .collect();
        let taken = people_of_records(scope, &mut *session, connection, &fresh).await?;
        let (mut new, mut known) = (Vec::new(), Vec::new());
        let mut refused = BTreeSet::new();
        for link in links {
            if link.version > 0 {
                known.push(link);
            } else if taken.contains_key(&link.external_id) {
                refused.insert(link.external_id.clone());
            } else {
                new.push(link);
            }
        }
        append_made(&mut *session, &NEW_LINKS, &new, |link| {
            let mut row = cells(scope, connection, link, &keys, 1)?;
            row.extend([scope.id().into(), connection.uuid().into()]);
            Ok(row)
        })
        .await?;
        refused.extend(update(scope, &mut *session, connection, &known, &keys).await?);
        let ids = links.iter().map(|link| &link.external_id);
        stale.extend(ids.filter(|id| refused.contains(*id)).cloned());
    }
    Ok(stale)
}

/// Updates links where the version still holds; gives back the ids of the others.
async fn update(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    links: &[&Link],
    keys: &BTreeMap<PersonId, Key>,
) -> Result<Vec<ExternalId>, StorageError> {
    if links.is_empty() {
        return Ok(Vec::new());
    }
    stage_made(&mut *session, &LINKS, links, |link| {
        let version = number("links.version", link.version)?;
        cells(scope, connection, link, keys, version)
    })
    .await?;
    let written: BTreeSet<String> = sqlx::query_scalar::<Db, String>(UPDATE)
        .bind(scope.id())
        .bind(connection.uuid())
        .fetch_all(session)
        .await?
        .into_iter()
        .collect();
    let ids = links.iter().map(|link| &link.external_id);
    Ok(ids
        .filter(|id| !written.contains(id.as_str()))
        .cloned()
        .collect())
}

/// A link as a row of [`LINKS`].
fn cells(
    scope: &Scope,
    connection: ConnectionId,
    link: &Link,
    keys: &BTreeMap<PersonId, Key>,
    version: i64,
) -> Result<Vec<Cell>, StorageError> {
    let key = keys.get(&link.person).ok_or(StorageError::PersonUnknown {
        person: link.person,
    })?;
    let connection = connection.uuid();
    let owner = [
        connection.as_bytes().as_slice(),
        link.external_id.as_str().as_bytes(),
    ];
    let plain = zeroize::Zeroizing::new(to_json("links.sealed", &LinkMemoryOf::new(link))?);
    Ok(vec![
        link.external_id.as_str().into(),
        link.person.uuid().into(),
        scope
            .seal(key, "links.sealed", &owner, plain.as_bytes())?
            .into(),
        to_json("links.decisions", &link.decisions)?.into(),
        link.revision.into(),
        link.gone_since.map(jiff::Timestamp::as_microsecond).into(),
        version.into(),
    ])
}

/// Deletes links; gives back which, and of whom.
pub(crate) async fn delete(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    ids: &[ExternalId],
) -> Result<Vec<(String, PersonId)>, StorageError> {
    let mut deleted = Vec::new();
    for ids in ids.chunks(STAGED) {
        due::stage_records(&mut *session, ids).await?;
        deleted.extend(
            sqlx::query_as::<Db, (String, Uuid)>(DELETE)
                .bind(scope.id())
                .bind(connection.uuid())
                .fetch_all(&mut *session)
                .await?
                .into_iter()
                .map(|(id, person)| (id, PersonId::from_uuid(person))),
        );
    }
    Ok(deleted)
}

fn read(scope: &Scope, row: Row) -> Result<(ConnectionId, Link), StorageError> {
    let (connection, id, person, sealed, decisions, revision, gone_since, version, wrapped) = row;
    let key = people::open_key(scope, person, &wrapped)?;
    let owner = [connection.as_bytes().as_slice(), id.as_bytes()];
    let plain = scope.open(&key, "links.sealed", &owner, &sealed)?;
    let memory = from_json::<LinkMemory>("links.sealed", &plain)?.into_parts();
    let decisions: BTreeMap<Field, Decision> = from_json("links.decisions", decisions.as_bytes())?;
    let link = Link {
        external_id: ExternalId::new(id),
        person: PersonId::from_uuid(person),
        said: memory.said,
        revision,
        base: memory.base,
        decisions,
        swings: memory.swings,
        read_as: memory.read_as,
        gone_since: instant_or_none("links.gone_since", gone_since)?,
        version: count("links.version", version)?,
    };
    Ok((ConnectionId::from_uuid(connection), link))
}
