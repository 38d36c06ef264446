//! Erasing people: rows, digests and keys go; what other places sealed with
//! those keys can then be read by nobody, and is emptied as well. Of a record
//! that the source may still speak of a keyed digest of its id stays, so that
//! nobody comes back by being read again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use muster_model::{ConnectionId, Digest, ExternalId, PersonId, PlanId};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::bulk::stage;
use super::due::stage_people;
use super::{Db, Session};
use crate::audit::{EmptiedRows, Forgotten};
use crate::cell::{Cell, Kind, Table};
use crate::error::StorageError;
use crate::scope::Scope;
use crate::stored::{count, from_json, instant, to_json};

/// People erased, or marks asked about, at once.
const AT_ONCE: usize = 5_000;
const ASKED: usize = 400;

const RECORDS: &str = "SELECT link.connection_id, link.external_id FROM links AS link \
    JOIN stage_ids ON stage_ids.id = link.person_id WHERE link.organisation_id = $1";

/// Rows of plans about them; each tells which row it was, and of whom.
const EMPTY_ROWS: [&str; 2] = [
    // Whoever is erased is named in the row: the audit log looks for the reason there.
    "UPDATE plan_rows SET sealed = NULL, done_as = NULL, external_id = NULL, person_id = link.person_id \
        FROM plans AS plan, links AS link, stage_ids WHERE plan_rows.organisation_id = $1 \
        AND plan.organisation_id = $1 AND plan.id = plan_rows.plan_id \
        AND link.organisation_id = $1 AND link.connection_id = plan.connection_id \
        AND link.external_id = plan_rows.external_id AND stage_ids.id = link.person_id \
        RETURNING plan_rows.plan_id, plan_rows.ordinal, plan_rows.person_id, plan_rows.sealed_person_id",
    "UPDATE plan_rows SET sealed = NULL, done_as = NULL, external_id = NULL WHERE organisation_id = $1 AND ( \
        person_id IN (SELECT id FROM stage_ids) \
        OR sealed_person_id IN (SELECT id FROM stage_ids)) \
        RETURNING plan_id, ordinal, person_id, sealed_person_id",
];
/// In this order: each needs rows that later ones delete.
const EMPTY: [&str; 11] = [
    "DELETE FROM outbox WHERE organisation_id = $1 \
        AND person_id IN (SELECT id FROM stage_ids)",
    "DELETE FROM record_keys WHERE organisation_id = $1 AND (connection_id, external_id) IN ( \
        SELECT link.connection_id, link.external_id FROM links AS link \
        JOIN stage_ids ON stage_ids.id = link.person_id WHERE link.organisation_id = $1)",
    "DELETE FROM record_bodies WHERE organisation_id = $1 AND (connection_id, external_id) IN ( \
        SELECT link.connection_id, link.external_id FROM links AS link \
        JOIN stage_ids ON stage_ids.id = link.person_id WHERE link.organisation_id = $1)",
    "DELETE FROM record_decisions WHERE organisation_id = $1 AND ( \
        person_id IN (SELECT id FROM stage_ids) OR (connection_id, external_id) IN ( \
        SELECT link.connection_id, link.external_id FROM links AS link \
        JOIN stage_ids ON stage_ids.id = link.person_id WHERE link.organisation_id = $1))",
    "DELETE FROM source_records WHERE organisation_id = $1 AND (connection_id, external_id) IN ( \
        SELECT link.connection_id, link.external_id FROM links AS link \
        JOIN stage_ids ON stage_ids.id = link.person_id WHERE link.organisation_id = $1)",
    "DELETE FROM links WHERE organisation_id = $1 \
        AND person_id IN (SELECT id FROM stage_ids)",
    "DELETE FROM person_keys WHERE organisation_id = $1 \
        AND person_id IN (SELECT id FROM stage_ids)",
    "DELETE FROM past_person_keys WHERE organisation_id = $1 \
        AND person_id IN (SELECT id FROM stage_ids)",
    "UPDATE audit_details SET sealed = NULL WHERE organisation_id = $1 AND sealed IS NOT NULL \
        AND person_id IN (SELECT id FROM stage_ids)",
    // Who had them as manager is looked at again.
    "UPDATE source_records SET due_marks = due_marks + 1 WHERE organisation_id = $1 \
        AND (connection_id, external_id) IN ( \
        SELECT link.connection_id, link.external_id FROM people AS report \
        JOIN stage_ids ON stage_ids.id = report.manager_id \
        JOIN links AS link ON link.organisation_id = report.organisation_id \
        AND link.person_id = report.id WHERE report.organisation_id = $1)",
    "UPDATE people SET manager_id = NULL, version = version + 1 WHERE organisation_id = $1 \
        AND manager_id IN (SELECT id FROM stage_ids)",
];
const REMEMBER: &str = "INSERT INTO erased_people (organisation_id, person_id, erased_at) \
    SELECT people.organisation_id, people.id, $2 FROM people \
    JOIN stage_ids ON stage_ids.id = people.id WHERE people.organisation_id = $1 \
    ON CONFLICT (organisation_id, person_id) DO NOTHING";
/// The given instant is the right one: that of erasing again is not.
const REMEMBER_GIVEN: &str = "INSERT INTO erased_people (organisation_id, person_id, erased_at) \
    SELECT $1, given.person_id, min(given.erased_at) FROM stage_erased AS given WHERE true \
    GROUP BY given.person_id ON CONFLICT (organisation_id, person_id) \
    DO UPDATE SET erased_at = excluded.erased_at";
const ERASED: Table = Table {
    name: "stage_erased",
    columns: &[("person_id", Kind::Uuid), ("erased_at", Kind::Number)],
};
const DELETE: &str = "DELETE FROM people WHERE organisation_id = $1 \
    AND id IN (SELECT id FROM stage_ids) RETURNING id";

const MARKS: Table = Table {
    name: "stage_erased_records",
    columns: &[("connection_id", Kind::Uuid), ("digest", Kind::Bytes)],
};
const MARK: &str = "INSERT INTO erased_records (organisation_id, connection_id, digest, erased_at) \
    SELECT $1, connection_id, digest, $2 FROM stage_erased_records WHERE 1 = 1 \
    ON CONFLICT (organisation_id, connection_id, digest) DO NOTHING";
const MARK_GIVEN: &str = "INSERT INTO erased_records \
    (organisation_id, connection_id, digest, erased_at) \
    SELECT $1, connection_id, digest, erased_at FROM stage_given_marks WHERE 1 = 1 \
    ON CONFLICT (organisation_id, connection_id, digest) DO NOTHING";
const GIVEN_MARKS: Table = Table {
    name: "stage_given_marks",
    columns: &[
        ("connection_id", Kind::Uuid),
        ("digest", Kind::Bytes),
        ("erased_at", Kind::Number),
    ],
};
const ANY_MARK: &str = "SELECT 1 FROM erased_records \
    WHERE organisation_id = $1 AND connection_id = $2 LIMIT 1";
const LIFT: &str = "DELETE FROM erased_records \
    WHERE organisation_id = $1 AND connection_id = $2 AND digest = $3";
const ERASED_AT: &str = "SELECT erased_at FROM erased_people \
    WHERE organisation_id = $1 AND person_id = $2";
/// A plan's head lists the records whose manager could not be resolved.
const HEADERS: &str = "SELECT id, header FROM plans WHERE organisation_id = $1 \
    AND connection_id = $2 AND header LIKE '%\"external_id\"%'";
const SET_HEADER: &str = "UPDATE plans SET header = $3 WHERE organisation_id = $1 AND id = $2";

/// Who is removed is nobody any more; their records stay, and so does what was
/// sealed with the records' keys.
const REMOVE_ROWS: [&str; 1] = [
    "UPDATE plan_rows SET sealed = NULL, done_as = NULL WHERE organisation_id = $1 \
        AND sealed_person_id IN (SELECT id FROM stage_ids) \
        RETURNING plan_id, ordinal, person_id, sealed_person_id",
];
const REMOVE: [&str; 6] = [
    "DELETE FROM outbox WHERE organisation_id = $1 \
        AND person_id IN (SELECT id FROM stage_ids)",
    "DELETE FROM record_decisions WHERE organisation_id = $1 \
        AND person_id IN (SELECT id FROM stage_ids)",
    "DELETE FROM links WHERE organisation_id = $1 \
        AND person_id IN (SELECT id FROM stage_ids)",
    "DELETE FROM person_keys WHERE organisation_id = $1 \
        AND person_id IN (SELECT id FROM stage_ids)",
    "DELETE FROM past_person_keys WHERE organisation_id = $1 \
        AND person_id IN (SELECT id FROM stage_ids)",
    "UPDATE people SET manager_id = NULL, version = version + 1 WHERE organisation_id = $1 \
        AND manager_id IN (SELECT id FROM stage_ids)",
];

/// Takes people out of the directory who never had access; nothing remembers
/// them as erased, because an undo may bring them back. Gives back who was there.
pub(crate) async fn remove(
    scope: &Scope,
    session: &mut Session,
    people: &[PersonId],
) -> Result<Vec<Forgotten>, StorageError> {
    let mut removed = Vec::new();
    for people in people.chunks(AT_ONCE) {
        stage_people(&mut *session, people).await?;
        let rows = emptied(scope, &mut *session, people, &REMOVE_ROWS).await?;
        for statement in REMOVE {
            sqlx::query(statement)
                .bind(scope.id())
                .execute(&mut *session)
                .await?;
        }
        removed.extend(deleted(scope, &mut *session, rows).await?);
    }
    Ok(removed)
}

/// Empties rows of plans; which those were, by the person of whom they told.
async fn emptied(
    scope: &Scope,
    session: &mut Session,
    people: &[PersonId],
    statements: &'static [&'static str],
) -> Result<BTreeMap<PersonId, EmptiedRows>, StorageError> {
    type Row = (Uuid, i64, Option<Uuid>, Option<Uuid>);
    let asked: BTreeSet<PersonId> = people.iter().copied().collect();
    let mut rows: BTreeMap<PersonId, EmptiedRows> = BTreeMap::new();
    for statement in statements {
        for (plan, ordinal, person, sealed_for) in sqlx::query_as::<Db, Row>(*statement)
            .bind(scope.id())
            .fetch_all(&mut *session)
            .await?
        {
            let of = [person, sealed_for].into_iter().flatten();
            if let Some(person) = of.map(PersonId::from_uuid).find(|id| asked.contains(id)) {
                let ordinal = count("plan_rows.ordinal", ordinal)?;
                let rows = rows.entry(person).or_default();
                rows.entry(PlanId::from_uuid(plan))
                    .or_default()
                    .insert(ordinal);
            }
        }
    }
    Ok(rows)
}

/// Deletes the staged people. Of whoever was not there any more, rows of plans may
/// still have told.
async fn deleted(
    scope: &Scope,
    session: &mut Session,
    mut rows: BTreeMap<PersonId, EmptiedRows>,
) -> Result<Vec<Forgotten>, StorageError> {
    let mut forgotten: Vec<Forgotten> = sqlx::query_scalar::<Db, Uuid>(DELETE)
        .bind(scope.id())
        .fetch_all(session)
        .await?
        .into_iter()
        .map(PersonId::from_uuid)
        .map(|person| Forgotten {
            person,
            was_there: true,
            rows: rows.remove(&person).unwrap_or_default(),
        })
        .collect();
    forgotten.extend(rows.into_iter().map(|(person, rows)| Forgotten {
        person,
        was_there: false,
        rows,
    }));
    Ok(forgotten)
}

/// Erases people and the source records linked to them; of whom there was something.
pub(crate) async fn people(
    scope: &Scope,
    session: &mut Session,
    people: &[PersonId],
) -> Result<Vec<Forgotten>, StorageError> {
    let mut erased = Vec::new();
    for people in people.chunks(AT_ONCE) {
        stage_people(&mut *session, people).await?;
        let mut records: BTreeMap<Uuid, BTreeSet<String>> = BTreeMap::new();
        for (connection, id) in sqlx::query_as::<Db, (Uuid, String)>(RECORDS)
            .bind(scope.id())
            .fetch_all(&mut *session)
            .await?
        {
            records.entry(connection).or_default().insert(id);
        }
        mark(scope, &mut *session, &records).await?;
        for (connection, ids) in &records {
            forget_in_headers(scope, &mut *session, *connection, ids).await?;
        }
        let rows = emptied(scope, &mut *session, people, &EMPTY_ROWS).await?;
        for statement in EMPTY {
            sqlx::query(statement)
                .bind(scope.id())
                .execute(&mut *session)
                .await?;
        }
        sqlx::query(REMEMBER)
            .bind(scope.id())
            .bind(scope.now())
            .execute(&mut *session)
            .await?;
        erased.extend(deleted(scope, &mut *session, rows).await?);
    }
    Ok(erased)
}

/// When a person was erased; `None` if nobody of this id was.
pub(crate) async fn erased_at(
    scope: &Scope,
    session: &mut Session,
    person: PersonId,
) -> Result<Option<Timestamp>, StorageError> {
    sqlx::query_scalar::<Db, i64>(ERASED_AT)
        .bind(scope.id())
        .bind(person.uuid())
        .fetch_optional(session)
        .await?
        .map(|at| instant("erased_people.erased_at", at))
        .transpose()
}

/// Which of these records are of erased people.
pub(crate) async fn of_records<'a>(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Vec<String>, StorageError> {
    let any = sqlx::query_scalar::<Db, i32>(ANY_MARK)
        .bind(scope.id())
        .bind(connection.uuid())
        .fetch_optional(&mut *session)
        .await?;
    if any.is_none() {
        return Ok(Vec::new());
    }
    let by_digest: BTreeMap<Digest, &str> = ids
        .map(|id| (record_digest(scope, connection.uuid(), id), id))
        .collect();
    let digests: Vec<&Digest> = by_digest.keys().collect();
    let mut found = Vec::new();
    for digests in digests.chunks(ASKED) {
        let mut query = QueryBuilder::<Db>::new("WITH given (digest) AS (");
        query.push_values(digests, |mut row, digest| {
            row.push_bind(digest.as_bytes().to_vec());
        });
        query.push(
            ") SELECT mark.digest FROM given CROSS JOIN erased_records AS mark \
             WHERE mark.digest = given.digest AND mark.organisation_id = ",
        );
        query
            .push_bind(scope.id())
            .push(" AND mark.connection_id = ")
            .push_bind(connection.uuid());
        for bytes in query
            .build_query_scalar::<Vec<u8>>()
            .fetch_all(&mut *session)
            .await?
        {
            let id = Digest::from_slice(&bytes).and_then(|digest| by_digest.get(&digest));
            found.extend(id.map(|id| (*id).to_owned()));
        }
    }
    Ok(found)
}

/// Lets a record of an erased person be read again; was there such a mark?
pub(crate) async fn readmit(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    id: &ExternalId,
) -> Result<bool, StorageError> {
    let digest = record_digest(scope, connection.uuid(), id.as_str());
    let lifted = sqlx::query(LIFT)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(digest.as_bytes().as_slice())
        .execute(session)
        .await?;
    Ok(lifted.rows_affected() > 0)
}

async fn mark(
    scope: &Scope,
    session: &mut Session,
    records: &BTreeMap<Uuid, BTreeSet<String>>,
) -> Result<(), StorageError> {
    let rows: Vec<Vec<Cell>> = records
        .iter()
        .flat_map(|(connection, ids)| ids.iter().map(move |id| (*connection, id)))
        .map(|(connection, id)| {
            let digest = record_digest(scope, connection, id);
            vec![connection.into(), digest.as_bytes().to_vec().into()]
        })
        .collect();
    stage(&mut *session, &MARKS, rows).await?;
    sqlx::query(MARK)
        .bind(scope.id())
        .bind(scope.now())
        .execute(session)
        .await?;
    Ok(())
}

async fn forget_in_headers(
    scope: &Scope,
    session: &mut Session,
    connection: Uuid,
    ids: &BTreeSet<String>,
) -> Result<(), StorageError> {
    let headers = sqlx::query_as::<Db, (Uuid, String)>(HEADERS)
        .bind(scope.id())
        .bind(connection)
        .fetch_all(&mut *session)
        .await?;
    for (plan, header) in headers {
        let mut header: serde_json::Value = from_json("plans.header", header.as_bytes())?;
        let Some(managers) = header
            .get_mut("managers")
            .and_then(|list| list.as_array_mut())
        else {
            continue;
        };
        let before = managers.len();
        managers.retain(|problem| {
            let id = problem.get("external_id").and_then(|id| id.as_str());
            id.is_none_or(|id| !ids.contains(id))
        });
        if managers.len() < before {
            sqlx::query(SET_HEADER)
                .bind(scope.id())
                .bind(plan)
                .bind(to_json("plans.header", &header)?)
                .execute(&mut *session)
                .await?;
        }
    }
    Ok(())
}

/// What stays of a record's id.
fn record_digest(scope: &Scope, connection: Uuid, id: &str) -> Digest {
    let mut digester = scope.index_key.digester("erased record");
    digester.bytes(connection.as_bytes()).text(id);
    digester.finish()
}
/// Remembers people as erased, with the instant, whether or not they are there.
pub(crate) async fn remember(
    scope: &Scope,
    session: &mut Session,
    people: &[(PersonId, Timestamp)],
) -> Result<(), StorageError> {
    for people in people.chunks(AT_ONCE) {
        let rows: Vec<Vec<Cell>> = people
            .iter()
            .map(|(person, at)| vec![person.uuid().into(), at.as_microsecond().into()])
            .collect();
        stage(&mut *session, &ERASED, rows).await?;
        sqlx::query(REMEMBER_GIVEN)
            .bind(scope.id())
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}

/// Marks records as those of erased people: connection, keyed digest of the id, when.
pub(crate) async fn mark_given(
    scope: &Scope,
    session: &mut Session,
    marks: &[(Uuid, Vec<u8>, i64)],
) -> Result<(), StorageError> {
    for marks in marks.chunks(AT_ONCE) {
        let rows: Vec<Vec<Cell>> = marks
            .iter()
            .map(|(connection, digest, at)| {
                vec![(*connection).into(), digest.clone().into(), (*at).into()]
            })
            .collect();
        stage(&mut *session, &GIVEN_MARKS, rows).await?;
        sqlx::query(MARK_GIVEN)
            .bind(scope.id())
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}
