//! Runs and their reports.

use std::collections::BTreeMap;
use std::time::Duration;

use muster_model::report::{
    Counts, MessageCounts, Outcome, PeopleCounts, RunError, TargetCounts, Trigger,
};
use muster_model::{ConnectionId, Digest, Evidence, PlanId, RunId, RunReport};
use uuid::Uuid;

use super::{Db, Session, leases, outbox};
use crate::audit::report_digest;
use crate::error::StorageError;
use crate::run::{Run, RunStep};
use crate::scope::Scope;
use crate::stored::{from_json, instant, instant_or_none, to_json, word};

const INSERT: &str = "INSERT INTO runs (organisation_id, id, connection_id, started_by, started_at) \
    VALUES ($1, $2, $3, $4, $5)";
const FINISH: &str = "UPDATE runs SET finished_at = $3, report = $4 \
    WHERE organisation_id = $1 AND id = $2 AND connection_id = $5";
const LIST: &str = "SELECT id, connection_id, started_by, started_at, finished_at, report, \
    step, interrupted_at \
    FROM runs WHERE organisation_id = $1 ORDER BY started_at DESC, id DESC LIMIT $2";
const BY_ID: &str = "SELECT id, connection_id, started_by, started_at, finished_at, report, \
    step, interrupted_at \
    FROM runs WHERE organisation_id = $1 AND id = $2";
const UNFINISHED: &str = "SELECT id, connection_id, started_by, started_at, finished_at, report, \
    step, interrupted_at \
    FROM runs WHERE organisation_id = $1 AND finished_at IS NULL";
const INTERRUPT: &str = "UPDATE runs SET finished_at = $3, report = $4 \
    WHERE organisation_id = $1 AND id = $2 AND finished_at IS NULL";

const APPLIES: &str = "UPDATE runs SET plan_id = $3 WHERE organisation_id = $1 AND id = $2";

const STEP: &str = "UPDATE runs SET step = $3 WHERE organisation_id = $1 AND id = $2";
const INTERRUPT_ONE: &str = "UPDATE runs SET interrupted_at = $3 \
    WHERE organisation_id = $1 AND id = $2 AND finished_at IS NULL";
/// What of its plans was not done is nobody's any more: the run that took over
/// plans anew.
const SUPERSEDE: &str = "UPDATE plan_rows SET state = 'stale', error_code = 'plan.superseded' \
    WHERE organisation_id = $1 AND state IN ('open', 'held', 'waiting') AND plan_id IN ( \
        SELECT id FROM plans WHERE organisation_id = $1 AND run_id = $2)";

type Row = (
    Uuid,
    Uuid,
    String,
    i64,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<i64>,
);

pub(crate) async fn begin(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    trigger: Trigger,
    lease: Duration,
) -> Result<Run, StorageError> {
    // The connection must be one of this organisation's, with a readable refusal.
    super::connections::by_id(scope, &mut *session, connection).await?;
    let run = Run {
        id: RunId::from_uuid(scope.ids.next_uuid()),
        connection,
        trigger,
        started_at: scope.now_stored()?,
        finished_at: None,
        step: None,
        interrupted_at: None,
        report: None,
    };
    // First the lease: a refused run leaves nothing behind.
    if let Some(dead) = leases::take(scope, &mut *session, connection, run.id, lease).await? {
        interrupt_one(scope, &mut *session, dead).await?;
    }
    sqlx::query(INSERT)
        .bind(scope.id())
        .bind(run.id.uuid())
        .bind(connection.uuid())
        .bind(to_json("runs.started_by", &trigger)?)
        .bind(run.started_at.as_microsecond())
        .execute(session)
        .await?;
    Ok(run)
}

/// Says which stored plan a run applies.
pub(crate) async fn applies(
    scope: &Scope,
    session: &mut Session,
    run: RunId,
    plan: PlanId,
) -> Result<(), StorageError> {
    sqlx::query(APPLIES)
        .bind(scope.id())
        .bind(run.uuid())
        .bind(plan.uuid())
        .execute(session)
        .await?;
    Ok(())
}

/// A run that is dead leaves nothing open: it says so itself, its plan is over,
/// and what it was sending is free.
async fn interrupt_one(
    scope: &Scope,
    session: &mut Session,
    dead: RunId,
) -> Result<(), StorageError> {
    sqlx::query(INTERRUPT_ONE)
        .bind(scope.id())
        .bind(dead.uuid())
        .bind(scope.now())
        .execute(&mut *session)
        .await?;
    sqlx::query(SUPERSEDE)
        .bind(scope.id())
        .bind(dead.uuid())
        .execute(&mut *session)
        .await?;
    outbox::let_go(scope, session, dead).await
}

/// Says what a run is at.
pub(crate) async fn set_step(
    scope: &Scope,
    session: &mut Session,
    run: RunId,
    step: RunStep,
) -> Result<(), StorageError> {
    sqlx::query(STEP)
        .bind(scope.id())
        .bind(run.uuid())
        .bind(step.word())
        .execute(session)
        .await?;
    Ok(())
}

/// Stores the report and lets the connection go; gives back the report's digest.
pub(crate) async fn finish(
    scope: &Scope,
    session: &mut Session,
    report: &RunReport,
) -> Result<Digest, StorageError> {
    let text = to_json("runs.report", report)?;
    leases::give_back(scope, &mut *session, report.run).await?;
    let finished = sqlx::query(FINISH)
        .bind(scope.id())
        .bind(report.run.uuid())
        .bind(report.finished.as_microsecond())
        .bind(&text)
        .bind(report.connection.uuid())
        .execute(session)
        .await?
        .rows_affected();
    if finished == 1 {
        Ok(report_digest(&scope.index_key, &text))
    } else {
        Err(StorageError::ConnectionUnknown {
            connection: report.connection,
        })
    }
}

pub(crate) async fn list(
    scope: &Scope,
    session: &mut Session,
    limit: u32,
) -> Result<Vec<Run>, StorageError> {
    sqlx::query_as::<Db, Row>(LIST)
        .bind(scope.id())
        .bind(i64::from(limit))
        .fetch_all(session)
        .await?
        .into_iter()
        .map(read)
        .collect()
}

pub(crate) async fn by_id(
    scope: &Scope,
    session: &mut Session,
    run: RunId,
) -> Result<Option<Run>, StorageError> {
    sqlx::query_as::<Db, Row>(BY_ID)
        .bind(scope.id())
        .bind(run.uuid())
        .fetch_optional(session)
        .await?
        .map(read)
        .transpose()
}

/// Ends every run that has not ended, and takes its lease: for a database that was
/// put back, where nobody works on them. How many there were.
pub(crate) async fn interrupt(scope: &Scope, session: &mut Session) -> Result<u64, StorageError> {
    leases::take_all(scope, &mut *session).await?;
    let runs = sqlx::query_as::<Db, Row>(UNFINISHED)
        .bind(scope.id())
        .fetch_all(&mut *session)
        .await?;
    let mut interrupted = 0;
    for run in runs {
        let run = read(run)?;
        let finished = scope.now_stored()?.max(run.started_at);
        let report = RunReport {
            run: run.id,
            connection: run.connection,
            trigger: run.trigger,
            outcome: Outcome::Failed,
            planned_only: false,
            undoes: None,
            plan: None,
            started: run.started_at,
            finished,
            evidence: Evidence::none(),
            people: PeopleCounts::default(),
            counts: Counts::default(),
            fields: BTreeMap::new(),
            target: TargetCounts::default(),
            messages: MessageCounts::default(),
            holds: Vec::new(),
            audit: None,
            error: Some(RunError {
                code: "run.interrupted".to_owned(),
                message: "run.interrupted: the run was at work when the backup was made that was \
                          restored; what it had done until then stays, the next run goes on"
                    .to_owned(),
            }),
        };
        interrupted += sqlx::query(INTERRUPT)
            .bind(scope.id())
            .bind(run.id.uuid())
            .bind(finished.as_microsecond())
            .bind(to_json("runs.report", &report)?)
            .execute(&mut *session)
            .await?
            .rows_affected();
    }
    Ok(interrupted)
}

fn read(
    (id, connection, trigger, started_at, finished_at, report, step, interrupted_at): Row,
) -> Result<Run, StorageError> {
    Ok(Run {
        id: RunId::from_uuid(id),
        connection: ConnectionId::from_uuid(connection),
        trigger: from_json("runs.started_by", trigger.as_bytes())?,
        started_at: instant("runs.started_at", started_at)?,
        finished_at: instant_or_none("runs.finished_at", finished_at)?,
        step: step
            .map(|step| word("runs.step", RunStep::from_word(&step)))
            .transpose()?,
        interrupted_at: instant_or_none("runs.interrupted_at", interrupted_at)?,
        report: report
            .map(|report| from_json("runs.report", report.as_bytes()))
            .transpose()?,
    })
}
