//! Erasing people: rows, digests and keys go; what other places sealed with
//! those keys can then be read by nobody, and is emptied as well.

use jiff::Timestamp;
use muster_model::PersonId;

use super::Session;
use super::bulk::stage;
use super::due::stage_people;
use crate::cell::{Cell, Kind, Table};
use crate::error::StorageError;
use crate::scope::Scope;

/// People erased at once.
const AT_ONCE: usize = 5_000;

/// In this order: each needs rows that later ones delete.
const EMPTY: [&str; 10] = [
    "UPDATE plan_rows SET sealed = NULL WHERE organisation_id = $1 AND ( \
        person_id IN (SELECT id FROM stage_ids) \
        OR sealed_person_id IN (SELECT id FROM stage_ids) \
        OR EXISTS (SELECT 1 FROM plans AS plan JOIN links AS link \
            ON link.organisation_id = plan.organisation_id \
            AND link.connection_id = plan.connection_id \
            JOIN stage_ids ON stage_ids.id = link.person_id \
            WHERE plan.organisation_id = $1 AND plan.id = plan_rows.plan_id \
            AND link.external_id = plan_rows.external_id))",
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
    AND id IN (SELECT id FROM stage_ids)";

/// Who is removed is nobody any more; their records stay, and so does what was
/// sealed with the records' keys.
const REMOVE: [&str; 8] = [
    "UPDATE plan_rows SET sealed = NULL WHERE organisation_id = $1 \
        AND sealed_person_id IN (SELECT id FROM stage_ids)",
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
    "DELETE FROM people WHERE organisation_id = $1 \
        AND id IN (SELECT id FROM stage_ids)",
];

/// Takes people out of the directory who never had access; nothing remembers
/// them as erased, because an undo may bring them back.
pub(crate) async fn remove(
    scope: &Scope,
    session: &mut Session,
    people: &[PersonId],
) -> Result<(), StorageError> {
    for people in people.chunks(AT_ONCE) {
        stage_people(&mut *session, people).await?;
        for statement in REMOVE {
            sqlx::query(statement)
                .bind(scope.id())
                .execute(&mut *session)
                .await?;
        }
    }
    Ok(())
}

/// Erases people and the source records linked to them; says how many there were.
pub(crate) async fn people(
    scope: &Scope,
    session: &mut Session,
    people: &[PersonId],
) -> Result<u64, StorageError> {
    let mut erased = 0;
    for people in people.chunks(AT_ONCE) {
        stage_people(&mut *session, people).await?;
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
        erased += sqlx::query(DELETE)
            .bind(scope.id())
            .execute(&mut *session)
            .await?
            .rows_affected();
    }
    Ok(erased)
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
        stage(&mut *session, &ERASED, &rows).await?;
        sqlx::query(REMEMBER_GIVEN)
            .bind(scope.id())
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}
