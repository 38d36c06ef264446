//! What a run did, taken back by a run of its own: planned by the pure core
//! from the rows that the run applied and from what is true now, stored, braked,
//! applied and reported like any other plan.

mod load;
mod outbox;

use jiff::ToSpan;
use muster_model::report::Trigger;
use muster_model::{PlanId, RunId};
use muster_reconcile::undo::Undoing;
use muster_storage::{Connection, NewPlan, Organisation, Run};

use crate::applying::Choice;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::lease::Heartbeat;
use crate::planning::Planned;
use crate::run::{Ended, Made};

/// For so many days a run can be taken back.
pub const OFFERED_DAYS: i64 = 30;

/// What an undo did, or would do.
#[derive(Debug, Clone)]
pub struct Undone {
    /// The run that is taken back.
    pub run: RunId,
    /// What follows, what is left alone, and what left the house.
    pub undoing: Undoing,
    /// The run that did it; `None` when it was only looked at.
    pub made: Option<Made>,
}

impl Engine {
    /// The run of an id, or of the only id that begins so.
    ///
    /// # Errors
    /// When there is none, or several.
    pub async fn run_named(
        &self,
        organisation: &Organisation,
        name: &str,
    ) -> Result<Run, EngineError> {
        let mut reader = self.storage.read(organisation.id).await?;
        let unknown = || EngineError::RunUnknown {
            name: name.to_owned(),
        };
        if let Ok(id) = name.parse::<RunId>() {
            return reader.run(id).await?.ok_or_else(unknown);
        }
        if name.is_empty() {
            return Err(unknown());
        }
        let runs = reader.runs(NEWEST).await?;
        let mut found = runs
            .into_iter()
            .filter(|run| run.id.to_string().starts_with(name));
        match (found.next(), found.next()) {
            (Some(run), None) => Ok(run),
            (None, _) => Err(unknown()),
            (Some(_), Some(_)) => Err(EngineError::RunAmbiguous {
                name: name.to_owned(),
            }),
        }
    }

    /// Takes back what a run did. `told` hears what will happen before anything
    /// does; with `only_look` nothing does.
    ///
    /// # Errors
    /// When the run is not over, too old, or taken back already; when nothing of
    /// it can be; when the connection is at work, or the storage fails.
    pub async fn undo(
        &self,
        organisation: &Organisation,
        run: &str,
        only_look: bool,
        told: impl FnOnce(&Undoing),
    ) -> Result<Undone, EngineError> {
        let undone = self.run_named(organisation, run).await?;
        self.may_be_undone(organisation, &undone).await?;
        let mut reader = self.storage.read(organisation.id).await?;
        let connection = reader.connection(undone.connection).await?;
        drop(reader);
        if only_look {
            let undoing = self.plan_undo(organisation, &connection, undone.id).await?;
            told(&undoing);
            return Ok(Undone {
                run: undone.id,
                undoing,
                made: None,
            });
        }
        // From here on no run of the connection writes beside this one.
        let run = self
            .begin(organisation, &connection, Trigger::Manual)
            .await?;
        let _heartbeat = Heartbeat::of(&self.storage, organisation.id, run.id);
        let done = self
            .undo_in(organisation, &connection, &run, &undone, told)
            .await;
        match done {
            Ok(done) => Ok(done),
            // Nothing was read: of the source nothing is known by it, so the connection
            // stays as it was. A storage that does not answer lets it go in time.
            Err(error) => {
                if !matches!(error, EngineError::Storage(_)) {
                    self.refused(organisation, &run, &error).await?;
                }
                Err(error)
            }
        }
    }

    async fn undo_in(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        run: &Run,
        undone: &Run,
        told: impl FnOnce(&Undoing),
    ) -> Result<Undone, EngineError> {
        let undoing = self.plan_undo(organisation, connection, undone.id).await?;
        told(&undoing);
        if undoing.plan.changes.is_empty() {
            return Err(EngineError::UndoNothing { run: undone.id });
        }
        let planned = Planned {
            id: PlanId::new(self.ids.as_ref()),
            plan: undoing.plan.clone(),
            made_by: Some(run.id),
            undoes: Some(undone.id),
            versions: None,
        };
        let mut transaction = self.storage.begin(organisation.id).await?;
        transaction
            .store_plan(NewPlan {
                id: planned.id,
                run: Some(run.id),
                plan: &planned.plan,
                undoes: Some(undone.id),
                versions: None,
            })
            .await?;
        transaction.commit().await?;
        let choice = Choice::default();
        let applied = self
            .apply_rows(organisation, connection, run.id, &planned, &choice)
            .await?;
        let sent = self.send_after(organisation, connection, run.id).await?;
        let mut report = self.report(run, &planned.plan, applied, sent, false);
        report.undoes = Some(undone.id);
        self.close(organisation, &mut report, Ended::Applied)
            .await?;
        Ok(Undone {
            run: undone.id,
            undoing,
            made: Some(Made {
                report,
                planned: Some(planned),
            }),
        })
    }

    /// Refuses what is not over, too old, or taken back already.
    async fn may_be_undone(
        &self,
        organisation: &Organisation,
        run: &Run,
    ) -> Result<(), EngineError> {
        if run.report.is_none() {
            return Err(EngineError::UndoAtWork { run: run.id });
        }
        let last = run
            .started_at
            .checked_add((OFFERED_DAYS * 24).hours())
            .unwrap_or(run.started_at);
        if last < self.now() {
            return Err(EngineError::UndoTooOld {
                run: run.id,
                began: muster_model::time::date_in(run.started_at, &Self::zone(organisation)),
                days: OFFERED_DAYS,
            });
        }
        let mut reader = self.storage.read(organisation.id).await?;
        for by in reader.undoings(run.id).await? {
            // An undo that was taken back itself leaves the run as it was.
            if reader.undoings(by).await?.is_empty() {
                return Err(EngineError::UndoneBefore { run: run.id, by });
            }
        }
        Ok(())
    }
}

/// Runs looked through for the beginning of an id.
const NEWEST: u32 = 1_000;
