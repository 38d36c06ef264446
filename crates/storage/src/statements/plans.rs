//! The heads of plans.

use muster_model::{ConnectionId, Plan, PlanId, RunId};
use uuid::Uuid;

use super::{Db, Session, connections, plan_rows};
use crate::error::StorageError;
use crate::plan::{NewPlan, PlanHeader, StoredPlan};
use crate::scope::Scope;
use crate::stored::{count, date, digest, from_json, instant, to_json};

const BEGIN: &str = "INSERT INTO plans (organisation_id, id, connection_id, run_id, hash, \
    made_for, made_at, header, finished, undoes, versions) \
    VALUES ($1, $2, $3, $4, $5, '', 0, '', 0, $6, $7)";
const FINISH: &str = "UPDATE plans SET hash = $3, made_for = $4, made_at = $5, header = $6, \
    finished = 1 WHERE organisation_id = $1 AND id = $2 \
    RETURNING (SELECT count(*) FROM plan_rows AS held \
        WHERE held.organisation_id = $1 AND held.plan_id = $2)";
/// Parts of plans that were never finished: a run was killed on the way.
const DISCARD_ROWS: &str = "DELETE FROM plan_rows WHERE organisation_id = $1 AND plan_id IN ( \
    SELECT id FROM plans WHERE organisation_id = $1 AND connection_id = $2 AND finished = 0)";
const DISCARD: &str = "DELETE FROM plans \
    WHERE organisation_id = $1 AND connection_id = $2 AND finished = 0";
const BETWEEN: &str = "SELECT id, connection_id, run_id, hash, made_for, made_at, header, \
    (SELECT count(*) FROM plan_rows AS held WHERE held.organisation_id = plans.organisation_id \
        AND held.plan_id = plans.id), undoes, versions \
    FROM plans WHERE organisation_id = $1 AND id >= $2 AND id <= $3 AND finished = 1 ORDER BY id LIMIT 2";
const LATEST: &str = "SELECT id, connection_id, run_id, hash, made_for, made_at, header, \
    (SELECT count(*) FROM plan_rows AS held WHERE held.organisation_id = plans.organisation_id \
        AND held.plan_id = plans.id), undoes, versions \
    FROM plans WHERE organisation_id = $1 AND connection_id = $2 AND finished = 1 \
    ORDER BY made_at DESC, id DESC LIMIT 1";

/// The plan that a run made, and the stored one that it applied.
const OF_RUN: &str = "SELECT id, connection_id, run_id, hash, made_for, made_at, header, \
    (SELECT count(*) FROM plan_rows AS held WHERE held.organisation_id = plans.organisation_id \
        AND held.plan_id = plans.id), undoes, versions \
    FROM plans WHERE organisation_id = $1 AND finished = 1 AND (run_id = $2 OR id = \
        (SELECT plan_id FROM runs WHERE runs.organisation_id = $1 AND runs.id = $2)) ORDER BY id";
const UNDOINGS: &str = "SELECT run_id FROM plans \
    WHERE organisation_id = $1 AND undoes = $2 AND run_id IS NOT NULL ORDER BY id";

type Row = (
    Uuid,
    Uuid,
    Option<Uuid>,
    Vec<u8>,
    String,
    i64,
    String,
    i64,
    Option<Uuid>,
    Option<String>,
);

pub(crate) async fn store(
    scope: &Scope,
    session: &mut Session,
    new: NewPlan<'_>,
) -> Result<Option<i64>, StorageError> {
    let NewPlan {
        id,
        run,
        plan,
        undoes,
        versions,
    } = new;
    begin(
        scope,
        &mut *session,
        Begun {
            id,
            run,
            connection: plan.connection,
            undoes,
            versions,
        },
    )
    .await?;
    let (connection, changes) = (plan.connection, plan.changes.as_slice());
    plan_rows::add(scope, &mut *session, id, connection, 0, changes).await?;
    finish(scope, session, id, plan).await
}

/// A plan whose rows are still to come.
pub(crate) struct Begun<'a> {
    pub(crate) id: PlanId,
    pub(crate) run: Option<RunId>,
    pub(crate) connection: ConnectionId,
    pub(crate) undoes: Option<RunId>,
    pub(crate) versions: Option<&'a str>,
}

/// Begins a plan whose rows come in parts: nobody sees it before it is finished.
pub(crate) async fn begin(
    scope: &Scope,
    session: &mut Session,
    begun: Begun<'_>,
) -> Result<(), StorageError> {
    let Begun {
        id,
        run,
        connection,
        undoes,
        versions,
    } = begun;
    connections::by_id(scope, &mut *session, connection).await?;
    sqlx::query(BEGIN)
        .bind(scope.id())
        .bind(id.uuid())
        .bind(connection.uuid())
        .bind(run.map(RunId::uuid))
        .bind(Vec::<u8>::new())
        .bind(undoes.map(RunId::uuid))
        .bind(versions)
        .execute(session)
        .await?;
    Ok(())
}

/// Begins the plan of a read, made under these versions.
pub(crate) async fn begin_read(
    scope: &Scope,
    session: &mut Session,
    id: PlanId,
    run: Option<RunId>,
    connection: ConnectionId,
    versions: &str,
) -> Result<(), StorageError> {
    let begun = Begun {
        id,
        run,
        connection,
        undoes: None,
        versions: Some(versions),
    };
    begin(scope, session, begun).await
}

/// Writes the head of a plan whose rows are all there; how many these are, `None` if
/// there is no such plan.
pub(crate) async fn finish(
    scope: &Scope,
    session: &mut Session,
    id: PlanId,
    plan: &Plan,
) -> Result<Option<i64>, StorageError> {
    Ok(sqlx::query_scalar::<Db, i64>(FINISH)
        .bind(scope.id())
        .bind(id.uuid())
        .bind(plan.hash.as_bytes().to_vec())
        .bind(plan.made_for.to_string())
        .bind(plan.made_at.as_microsecond())
        .bind(to_json("plans.header", &PlanHeader::of(plan))?)
        .fetch_optional(session)
        .await?)
}

/// Throws away what killed runs left of plans.
pub(crate) async fn discard_unfinished(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
) -> Result<(), StorageError> {
    for statement in [DISCARD_ROWS, DISCARD] {
        sqlx::query(statement)
            .bind(scope.id())
            .bind(connection.uuid())
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}

/// The plan of an id, or of the only id that begins so; hyphens do not count.
pub(crate) async fn by_name(
    scope: &Scope,
    session: &mut Session,
    name: &str,
) -> Result<StoredPlan, StorageError> {
    let unknown = || StorageError::PlanUnknown {
        name: name.to_owned(),
    };
    let digits: String = name
        .trim()
        .chars()
        .filter(|character| *character != '-')
        .collect();
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(unknown());
    }
    let bound = |fill: &str| {
        let missing = 32_usize.checked_sub(digits.len())?;
        Uuid::parse_str(&format!("{digits}{}", fill.repeat(missing))).ok()
    };
    let (low, high) = bound("0").zip(bound("f")).ok_or_else(unknown)?;
    let rows = sqlx::query_as::<Db, Row>(BETWEEN)
        .bind(scope.id())
        .bind(low)
        .bind(high)
        .fetch_all(session)
        .await?;
    let mut rows = rows.into_iter();
    match (rows.next(), rows.next()) {
        (Some(row), None) => read(row),
        (Some(first), Some(second)) => Err(StorageError::PlanAmbiguous {
            name: name.to_owned(),
            first: PlanId::from_uuid(first.0),
            second: PlanId::from_uuid(second.0),
        }),
        (None, _) => Err(unknown()),
    }
}

pub(crate) async fn latest(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
) -> Result<Option<StoredPlan>, StorageError> {
    sqlx::query_as::<Db, Row>(LATEST)
        .bind(scope.id())
        .bind(connection.uuid())
        .fetch_optional(session)
        .await?
        .map(read)
        .transpose()
}

pub(crate) async fn of_run(
    scope: &Scope,
    session: &mut Session,
    run: RunId,
) -> Result<Vec<StoredPlan>, StorageError> {
    sqlx::query_as::<Db, Row>(OF_RUN)
        .bind(scope.id())
        .bind(run.uuid())
        .fetch_all(session)
        .await?
        .into_iter()
        .map(read)
        .collect()
}

/// The runs that took a run back, or tried to.
pub(crate) async fn undoings(
    scope: &Scope,
    session: &mut Session,
    run: RunId,
) -> Result<Vec<RunId>, StorageError> {
    Ok(sqlx::query_scalar::<Db, Uuid>(UNDOINGS)
        .bind(scope.id())
        .bind(run.uuid())
        .fetch_all(session)
        .await?
        .into_iter()
        .map(RunId::from_uuid)
        .collect())
}

fn read(row: Row) -> Result<StoredPlan, StorageError> {
    let (id, connection, run, hash, made_for, made_at, header, rows, undoes, versions) = row;
    let header: PlanHeader = from_json("plans.header", header.as_bytes())?;
    let plan: Plan = header.into_plan(
        ConnectionId::from_uuid(connection),
        date("plans.made_for", &made_for)?,
        instant("plans.made_at", made_at)?,
        digest("plans.hash", &hash)?,
    );
    Ok(StoredPlan {
        id: PlanId::from_uuid(id),
        run: run.map(RunId::from_uuid),
        plan,
        rows: count("rows of a plan", rows)?,
        undoes: undoes.map(RunId::from_uuid),
        versions,
    })
}
