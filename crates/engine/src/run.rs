//! One execution of the pipeline, with its lease and its report.

use std::collections::BTreeMap;

use jiff::Timestamp;
use muster_connect::Connector;
use muster_model::plan::Cause;
use muster_model::report::{
    Counts, HoldReport, MessageCounts, Outcome, PeopleCounts, RunError, TargetCounts, Trigger,
};
use muster_model::{Evidence, Plan, RunId, RunReport};
use muster_storage::{Connection, ConnectionState, Organisation, Run, RunStep};

use crate::applying::{Applied, Choice, Prepared};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::lease::{Heartbeat, LEASE};
use crate::planning::Planned;
use crate::read::Watch;
use crate::sending::{Sent, Take};

/// What a run made.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its report.
    pub report: RunReport,
    /// The plan, when there is one.
    pub planned: Option<Planned>,
}

/// What a run that ended says of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The source answered; nothing was applied.
    Read,
    /// The source answered, and what needs nobody was applied.
    Synced,
    /// A stored plan was applied: of the source nothing is known.
    Applied,
    /// Refused before anything was done.
    Refused,
    /// The source could not be read.
    Failed,
}

impl Ended {
    /// The state of the connection then. What a person stopped while the run was
    /// at work stays stopped.
    pub(crate) const fn turns(self, state: ConnectionState) -> ConnectionState {
        match (state, self) {
            (ConnectionState::Paused | ConnectionState::Disconnected, _) => state,
            (_, Self::Failed) => ConnectionState::Failing,
            (_, Self::Synced)
            | (ConnectionState::Failing, Self::Read)
            | (ConnectionState::Connected, Self::Applied) => ConnectionState::Active,
            (_, Self::Read | Self::Applied | Self::Refused) => state,
        }
    }
}

/// Refuses to move anything on a connection that a person stopped.
pub(crate) fn may_move(connection: &Connection) -> Result<(), EngineError> {
    match connection.state {
        ConnectionState::Paused | ConnectionState::Disconnected => Err(EngineError::NotRunning {
            name: connection.name.clone(),
            state: connection.state.word(),
        }),
        _ => Ok(()),
    }
}

impl Engine {
    /// Reads a connection's source and plans: nothing is applied.
    ///
    /// # Errors
    /// When the connection is at work already, or the storage fails. A source
    /// that fails makes a run that failed.
    pub async fn plan(
        &self,
        organisation: &Organisation,
        name: &str,
        trigger: Trigger,
        watch: Option<Watch>,
    ) -> Result<Made, EngineError> {
        self.run(organisation, name, None, trigger, watch, false)
            .await
    }

    /// Plans, and applies what needs nobody.
    ///
    /// # Errors
    /// As [`Engine::plan`].
    pub async fn sync(
        &self,
        organisation: &Organisation,
        name: &str,
        trigger: Trigger,
        watch: Option<Watch>,
    ) -> Result<Made, EngineError> {
        self.run(organisation, name, None, trigger, watch, true)
            .await
    }

    /// Syncs from a connector that is open already instead of the stored
    /// settings: for whoever reads from something that is no address, such as a
    /// measurement that has no network in it.
    ///
    /// # Errors
    /// As [`Engine::plan`].
    pub async fn sync_from(
        &self,
        organisation: &Organisation,
        name: &str,
        connector: &dyn Connector,
        trigger: Trigger,
    ) -> Result<Made, EngineError> {
        self.run(organisation, name, Some(connector), trigger, None, true)
            .await
    }

    /// Applies a stored plan by its id or the beginning of it, as a run of its own.
    ///
    /// # Errors
    /// When there is no such plan, its hash is another than `hash`, the
    /// connection is at work already, or the storage fails.
    pub async fn apply(
        &self,
        organisation: &Organisation,
        plan: &str,
        hash: Option<muster_model::Digest>,
        choice: Choice,
    ) -> Result<Made, EngineError> {
        let mut reader = self.storage.read(organisation.id).await?;
        let stored = reader.plan(plan).await?;
        if hash.is_some_and(|hash| hash != stored.plan.hash) {
            return Err(EngineError::PlanChanged);
        }
        let connection = reader.connection(stored.plan.connection).await?;
        drop(reader);
        // What was done is taken back on a stopped connection too: nothing is read.
        if stored.undoes.is_none() {
            may_move(&connection)?;
        }
        let mut planned = Planned {
            id: stored.id,
            plan: stored.plan,
            versions: None,
            made_by: stored.run,
            undoes: stored.undoes,
        };
        let run = self
            .begin(organisation, &connection, Trigger::Manual)
            .await?;
        let _heartbeat = Heartbeat::of(&self.storage, organisation.id, run.id);
        let mut transaction = self.storage.begin(organisation.id).await?;
        transaction.run_applies(run.id, planned.id).await?;
        transaction.commit().await?;
        self.step(organisation, run.id, RunStep::Apply).await?;
        let prepared = self.prepare(organisation, &planned, &choice).await?;
        // What was released before, or is now, is held no more.
        prepared.still_held(&mut planned.plan.holds);
        let applied = self
            .apply_prepared(
                organisation,
                &connection,
                run.id,
                &planned,
                &prepared,
                &choice,
            )
            .await?;
        let sent = self.send_after(organisation, &connection, run.id).await?;
        let mut report = self.report(&run, &planned.plan, applied, sent, false);
        report.undoes = planned.undoes;
        self.close(organisation, &mut report, Ended::Applied)
            .await?;
        Ok(Made {
            report,
            planned: Some(planned),
        })
    }

    async fn run(
        &self,
        organisation: &Organisation,
        name: &str,
        connector: Option<&dyn Connector>,
        trigger: Trigger,
        watch: Option<Watch>,
        apply: bool,
    ) -> Result<Made, EngineError> {
        let connection = self.connection(organisation.id, name).await?;
        may_move(&connection)?;
        let run = self.begin(organisation, &connection, trigger).await?;
        let _heartbeat = Heartbeat::of(&self.storage, organisation.id, run.id);
        // What an earlier run left on its way is settled before anything is compared:
        // a value that arrived unseen would look like somebody's edit.
        let mut sent = if apply && connection.state == ConnectionState::Active {
            self.send_waiting(organisation, &connection, run.id, Take::Everything)
                .await?
        } else {
            Sent::default()
        };
        self.step(organisation, run.id, RunStep::Read).await?;
        let (mut planned, prepared) = match self
            .read_and_plan(organisation, &connection, connector, &run, watch)
            .await
        {
            Ok(made) => made,
            Err(error) => return self.fail(organisation, &run, error).await,
        };
        let waits = waits_for_a_look(&planned.plan, trigger);
        let applied = if apply && !waits {
            let choice = Choice::default();
            self.step(organisation, run.id, RunStep::Apply).await?;
            match self
                .apply_prepared(
                    organisation,
                    &connection,
                    run.id,
                    &planned,
                    &prepared,
                    &choice,
                )
                .await
            {
                Ok(applied) => applied,
                Err(error) => return self.fail(organisation, &run, error).await,
            }
        } else {
            // Whoever only plans wants to see the rows, however many they are.
            if (planned.plan.changes.len() as u64) < prepared.tally().rows {
                planned.plan.changes = self.rows(organisation, planned.id).await?;
            }
            Applied::nothing(&prepared)
        };
        if apply {
            self.step(organisation, run.id, RunStep::Outbox).await?;
            let later = self
                .send_waiting(organisation, &connection, run.id, Take::Due)
                .await?;
            sent = sent.and(later);
        }
        let mut report = self.report(&run, &planned.plan, applied, sent, !apply || waits);
        if apply && waits {
            report.outcome = Outcome::Held;
            report
                .holds
                .push(mapping_hold(&planned, prepared.tally().remapped));
        }
        let ended = if apply { Ended::Synced } else { Ended::Read };
        self.close(organisation, &mut report, ended).await?;
        Ok(Made {
            report,
            planned: Some(planned),
        })
    }

    /// Sends what a run queued that did not read. To a source that cannot be read,
    /// or that somebody stopped, nothing is written either.
    pub(crate) async fn send_after(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        run: RunId,
    ) -> Result<Sent, EngineError> {
        self.step(organisation, run, RunStep::Outbox).await?;
        match connection.state {
            ConnectionState::Failing | ConnectionState::Paused | ConnectionState::Disconnected => {
                self.left_waiting(organisation, connection).await
            }
            _ => {
                self.send_waiting(organisation, connection, run, Take::Due)
                    .await
            }
        }
    }

    /// Says what a run is at, for whoever asks while it works or finds it dead.
    pub(crate) async fn step(
        &self,
        organisation: &Organisation,
        run: RunId,
        step: RunStep,
    ) -> Result<(), EngineError> {
        let mut transaction = self.storage.begin(organisation.id).await?;
        transaction.extend_lease(run, LEASE).await?;
        transaction.set_step(run, step).await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn begin(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        trigger: Trigger,
    ) -> Result<Run, EngineError> {
        let mut transaction = self.storage.begin(organisation.id).await?;
        let run = transaction.begin_run(connection.id, trigger, LEASE).await?;
        transaction.commit().await?;
        Ok(run)
    }

    async fn read_and_plan(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        connector: Option<&dyn Connector>,
        run: &Run,
        watch: Option<Watch>,
    ) -> Result<(Planned, Prepared), EngineError> {
        let opened;
        let connector = match connector {
            Some(connector) => connector,
            None => {
                opened = self.open(organisation.id, connection).await?;
                opened.as_ref()
            }
        };
        let account = connector.account().await?;
        // Before anything is read: another company's people are none of our business.
        if connection
            .account
            .as_ref()
            .is_some_and(|pinned| *pinned != account.id)
        {
            return Err(muster_reconcile::PlanError::OtherAccount.into());
        }
        let mut read = self
            .read_source(
                organisation,
                connection,
                connector,
                run.id,
                run.trigger,
                watch,
            )
            .await?;
        read.evidence.rights = read.evidence.rights.or(account.rights);
        self.step(organisation, run.id, RunStep::Plan).await?;
        self.plan_read(organisation, connection, connector, run.id, read)
            .await
    }

    /// Stores the report of a run that came to its end.
    pub(crate) async fn close(
        &self,
        organisation: &Organisation,
        report: &mut RunReport,
        ended: Ended,
    ) -> Result<(), EngineError> {
        self.step(organisation, report.run, RunStep::Report).await?;
        let mut transaction = self.storage.begin(organisation.id).await?;
        // Of everything that this run wrote; the next entry covers the report.
        let head = transaction.audit_head().await?;
        report.audit = head.map(|head| head.to_string());
        let mut connection = transaction.connection(report.connection).await?;
        let state = ended.turns(connection.state);
        if connection.state != state {
            connection.state = state;
            transaction.update_connection(&connection, None).await?;
        }
        transaction.finish_run(report).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A run that failed: reported, and the connection's state tells it.
    pub(crate) async fn fail(
        &self,
        organisation: &Organisation,
        run: &Run,
        error: EngineError,
    ) -> Result<Made, EngineError> {
        // Without storage there is nobody to tell.
        if matches!(error, EngineError::Storage(_)) {
            return Err(error);
        }
        let mut report = self.failed(run, &error);
        self.close(organisation, &mut report, Ended::Failed).await?;
        Ok(Made {
            report,
            planned: None,
        })
    }

    /// Ends a run that was refused before it did anything: nothing is known of
    /// the source by it.
    pub(crate) async fn refused(
        &self,
        organisation: &Organisation,
        run: &Run,
        error: &EngineError,
    ) -> Result<(), EngineError> {
        let mut report = self.failed(run, error);
        self.close(organisation, &mut report, Ended::Refused).await
    }

    /// The report of a run that failed.
    fn failed(&self, run: &Run, error: &EngineError) -> RunReport {
        RunReport {
            run: run.id,
            connection: run.connection,
            trigger: run.trigger,
            outcome: Outcome::Failed,
            planned_only: false,
            undoes: None,
            plan: None,
            started: run.started_at,
            finished: self.now(),
            evidence: Evidence::none(),
            people: PeopleCounts::default(),
            counts: Counts::default(),
            fields: BTreeMap::new(),
            target: TargetCounts::default(),
            messages: MessageCounts::default(),
            holds: Vec::new(),
            audit: None,
            error: Some(RunError {
                code: error.code(),
                message: error.to_string(),
            }),
        }
    }

    pub(crate) fn report(
        &self,
        run: &Run,
        plan: &Plan,
        applied: Applied,
        sent: Sent,
        planned_only: bool,
    ) -> RunReport {
        let outcome = outcome(plan, &applied, sent);
        let holds = holds(plan);
        RunReport {
            run: run.id,
            connection: run.connection,
            trigger: run.trigger,
            outcome,
            planned_only,
            undoes: None,
            plan: None,
            started: run.started_at,
            finished: self.finished(run.started_at),
            evidence: plan.evidence.clone(),
            people: plan.people,
            counts: applied.counts,
            fields: applied.fields,
            target: sent.counts(),
            messages: applied.messages,
            holds,
            audit: None,
            error: None,
        }
    }

    fn finished(&self, started: Timestamp) -> Timestamp {
        self.now().max(started)
    }
}

fn outcome(plan: &Plan, applied: &Applied, sent: Sent) -> Outcome {
    let counts = &applied.counts;
    if counts.held > 0 || !plan.holds.is_empty() {
        Outcome::Held
    } else if counts.failed + counts.ambiguous + counts.conflicts > 0
        || sent.failed + sent.waiting > 0
    {
        Outcome::Partial
    } else {
        Outcome::Ok
    }
}

/// Must somebody look at the plan first? What a new version of the mapping makes
/// of people is applied by whoever asks for it, and by no schedule.
fn waits_for_a_look(plan: &Plan, trigger: Trigger) -> bool {
    plan.cause == Cause::Mapping && matches!(trigger, Trigger::Schedule | Trigger::Push)
}

/// `rows` are counted as they are made: a plan of many rows does not hold them.
fn mapping_hold(planned: &Planned, rows: u64) -> HoldReport {
    HoldReport {
        kind: "mapping".to_owned(),
        rows,
        reason: "a new version of the mapping reads these records another way than before"
            .to_owned(),
        next: format!(
            "look at plan {0}, then apply it with `muster apply {0}`; the schedule waits for that",
            planned.id
        ),
    }
}

/// What is still held.
fn holds(plan: &Plan) -> Vec<HoldReport> {
    plan.holds
        .iter()
        .map(|hold| HoldReport {
            kind: hold.kind.word().to_owned(),
            rows: hold.rows,
            reason: hold.reason.clone(),
            next: hold.next.clone(),
        })
        .collect()
}
