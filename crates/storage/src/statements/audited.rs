//! Reading the audit log back, and the rows that it speaks of, to be verified.
//! Nothing is believed here: values come as they stand.

use std::collections::BTreeMap;

use muster_model::{PlanId, RunId};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{Db, Session};
use crate::audit::{ChangeRow, DetailRow, StoredEntry};
use crate::error::StorageError;
use crate::scope::Scope;

/// Rows of a plan asked for in one statement.
const AT_ONCE: usize = 500;

const ENTRIES: &str = "SELECT number, at, cause, details, changes, root, leaves, previous, hash \
    FROM audit_entries WHERE organisation_id = $1 AND number >= $2 ORDER BY number LIMIT $3";
const DETAILS: &str = "SELECT number, ordinal, kind, person_id, facts, sealed, seal \
    FROM audit_details WHERE organisation_id = $1 AND number >= $2 AND number <= $3 \
    ORDER BY number, ordinal";
const ERASED: &str = "SELECT person_id, facts FROM audit_details \
    WHERE organisation_id = $1 AND kind = $2 AND person_id IS NOT NULL";
const REPORT: &str = "SELECT report FROM runs WHERE organisation_id = $1 AND id = $2";
const PLAN: &str = "SELECT hash, (SELECT count(*) FROM plan_rows AS held \
        WHERE held.organisation_id = $1 AND held.plan_id = $2) \
    FROM plans WHERE organisation_id = $1 AND id = $2";

pub(crate) async fn entries(
    scope: &Scope,
    session: &mut Session,
    from: i64,
    limit: u32,
) -> Result<Vec<StoredEntry>, StorageError> {
    type Row = (
        i64,
        i64,
        String,
        i64,
        i64,
        Vec<u8>,
        Vec<u8>,
        Vec<u8>,
        Vec<u8>,
    );
    Ok(sqlx::query_as::<Db, Row>(ENTRIES)
        .bind(scope.id())
        .bind(from)
        .bind(i64::from(limit))
        .fetch_all(session)
        .await?
        .into_iter()
        .map(
            |(number, at, cause, details, changes, root, leaves, previous, hash)| StoredEntry {
                number,
                at,
                cause,
                details,
                changes,
                root,
                leaves,
                previous,
                hash,
            },
        )
        .collect())
}

pub(crate) async fn details(
    scope: &Scope,
    session: &mut Session,
    from: i64,
    to: i64,
) -> Result<Vec<DetailRow>, StorageError> {
    type Row = (
        i64,
        i64,
        String,
        Option<Uuid>,
        String,
        Option<Vec<u8>>,
        Option<Vec<u8>>,
    );
    Ok(sqlx::query_as::<Db, Row>(DETAILS)
        .bind(scope.id())
        .bind(from)
        .bind(to)
        .fetch_all(session)
        .await?
        .into_iter()
        .map(
            |(number, ordinal, kind, person, facts, sealed, seal)| DetailRow {
                number,
                ordinal,
                kind,
                person,
                facts,
                sealed,
                seal,
            },
        )
        .collect())
}

/// Whom details of a kind are about, and what they say.
pub(crate) async fn erased(
    scope: &Scope,
    session: &mut Session,
    kind: &str,
) -> Result<Vec<(Uuid, String)>, StorageError> {
    Ok(sqlx::query_as::<Db, (Uuid, String)>(ERASED)
        .bind(scope.id())
        .bind(kind)
        .fetch_all(session)
        .await?)
}

/// Rows of a plan by their place; a missing one is not in it.
pub(crate) async fn changes(
    scope: &Scope,
    session: &mut Session,
    plan: PlanId,
    places: &[u32],
) -> Result<BTreeMap<u32, ChangeRow>, StorageError> {
    type Row = (i64, String, Option<String>, Option<Uuid>, Option<Vec<u8>>);
    let mut rows = BTreeMap::new();
    for places in places.chunks(AT_ONCE) {
        let mut query = QueryBuilder::<Db>::new(
            "SELECT ordinal, state, error_code, person_id, sealed FROM plan_rows \
             WHERE organisation_id = ",
        );
        query
            .push_bind(scope.id())
            .push(" AND plan_id = ")
            .push_bind(plan.uuid())
            .push(" AND ordinal IN (");
        let mut list = query.separated(", ");
        for place in places {
            list.push_bind(i64::from(*place));
        }
        query.push(")");
        for (ordinal, state, error_code, person, sealed) in query
            .build_query_as::<Row>()
            .fetch_all(&mut *session)
            .await?
        {
            let Ok(place) = u32::try_from(ordinal) else {
                continue;
            };
            let row = ChangeRow {
                state,
                error_code,
                person,
                sealed,
            };
            rows.insert(place, row);
        }
    }
    Ok(rows)
}

/// The stored report of a run; `None` if there is no such run, or no report.
pub(crate) async fn report(
    scope: &Scope,
    session: &mut Session,
    run: RunId,
) -> Result<Option<String>, StorageError> {
    Ok(sqlx::query_scalar::<Db, Option<String>>(REPORT)
        .bind(scope.id())
        .bind(run.uuid())
        .fetch_optional(session)
        .await?
        .flatten())
}

/// The stored hash of a plan, and how many rows are stored of it.
pub(crate) async fn plan(
    scope: &Scope,
    session: &mut Session,
    plan: PlanId,
) -> Result<Option<(Vec<u8>, i64)>, StorageError> {
    Ok(sqlx::query_as::<Db, (Vec<u8>, i64)>(PLAN)
        .bind(scope.id())
        .bind(plan.uuid())
        .fetch_optional(session)
        .await?)
}
