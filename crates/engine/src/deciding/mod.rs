//! What people decide about the rows of a plan: checked against the rows,
//! remembered, and done at once as a run of its own (`docs/decisions.md`).

mod ahead;
mod answers;
mod check;
mod joining;
mod later;
mod line;
mod noting;
mod problem;
mod unlink;

use std::collections::BTreeMap;
use std::sync::Arc;

use muster_model::report::Trigger;
use muster_model::{Answer, Change, Effect, ExternalId, Field, Fields, PersonId, PlanId};
use muster_reconcile::resolve::{RowAnswer, beginnings, resolve};
use muster_storage::{ChangeState, Connection, Organisation, StoredChange, StoredPlan};

pub use answers::Answers;
pub use line::{Line, OLDER};
pub use problem::Problem;
pub use unlink::Unlinked;

use crate::applying::Choice;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::lease::Heartbeat;
use crate::planning::Planned;
use crate::run::{Ended, Made, may_move};

use check::{Check, Checked};
use noting::Noting;

/// Rows looked at, or records asked for, at once.
const AT_ONCE: u32 = 2_000;

/// What became of a file of decisions.
#[derive(Debug, Clone)]
pub struct Decided {
    /// The run that did what was decided.
    pub made: Made,
    /// Lines about rows that were done before or are true no more: refused alone.
    pub refused: Vec<Problem>,
    /// Lines that were taken.
    pub taken: u64,
    /// Of these, decisions about records that the plan has no row for: the next
    /// sync does them.
    pub later: u64,
}

impl Engine {
    /// Takes decisions about the rows of a stored plan, all of them or none, and
    /// does at once what they allow.
    ///
    /// # Errors
    /// [`EngineError::Decisions`] with every line that cannot be taken: then none
    /// was. Also when there is no such plan, the connection is at work already,
    /// or the storage fails.
    pub async fn decide(
        &self,
        organisation: &Organisation,
        plan: &str,
        lines: &[Line],
    ) -> Result<Decided, EngineError> {
        let mut reader = self.storage.read(organisation.id).await?;
        let stored = reader.plan(plan).await?;
        let connection = reader.connection(stored.plan.connection).await?;
        may_move(&connection)?;
        drop(reader);
        let people = self.people_behind_links(organisation, lines).await?;
        let check = self
            .check(organisation, &connection, stored.id, lines, people)
            .await?;
        let run = self
            .begin(organisation, &connection, Trigger::Decision)
            .await?;
        let _heartbeat = Heartbeat::of(&self.storage, organisation.id, run.id);
        let done = self
            .decide_in_run(organisation, &connection, &run, stored, check)
            .await;
        match done {
            Ok(decided) => Ok(decided),
            // The connection is let go; a storage that does not answer lets it go in time.
            Err(error) => {
                if !matches!(error, EngineError::Storage(_)) {
                    self.refused(organisation, &run, &error).await?;
                }
                Err(error)
            }
        }
    }

    /// Holds the lines against the rows of the plan, block by block.
    async fn check(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        plan: PlanId,
        lines: &[Line],
        people: BTreeMap<String, PersonId>,
    ) -> Result<Checked, EngineError> {
        let mut check = Check::new(&connection.policy, plan, lines, people);
        let mut reader = self.storage.read(organisation.id).await?;
        let mut after = None;
        loop {
            let block = reader
                .changes(plan, ChangeState::ALL, after, AT_ONCE)
                .await?;
            let Some(last) = block.last() else { break };
            after = Some(last.ordinal);
            check.meet(&block);
        }
        check.finish().map_err(in_order)
    }

    async fn decide_in_run(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        run: &muster_storage::Run,
        stored: StoredPlan,
        checked: Checked,
    ) -> Result<Decided, EngineError> {
        let Checked {
            mut answers,
            records,
            mut refused,
            lines,
        } = checked;
        let mut noting = Noting::new(self, organisation, connection, run.id, &stored);
        let problems = noting.note(&mut answers, &records).await?;
        if !problems.is_empty() {
            return Err(in_order(problems));
        }
        let late = noting.refused();
        let later = records.len() - late.len();
        refused.extend(late);
        let taken = lines - refused.len() as u64;
        let made = self
            .do_decided(organisation, connection, run, stored, answers)
            .await?;
        Ok(Decided {
            made,
            refused,
            taken,
            later: later as u64,
        })
    }

    /// Does the decided rows, and reports the whole plan.
    async fn do_decided(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        run: &muster_storage::Run,
        stored: StoredPlan,
        answers: Answers,
    ) -> Result<Made, EngineError> {
        let mut planned = Planned {
            id: stored.id,
            plan: stored.plan,
            versions: None,
            made_by: stored.run,
            undoes: stored.undoes,
        };
        let choice = Choice {
            decided: Some(Arc::new(answers)),
            ..Choice::default()
        };
        let prepared = self.prepare(organisation, &planned, &choice).await?;
        // What was decided is held no more.
        prepared.still_held(&mut planned.plan.holds);
        let applied = self
            .apply_prepared(
                organisation,
                connection,
                run.id,
                &planned,
                &prepared,
                &choice,
            )
            .await?;
        let sent = self.send_after(organisation, connection, run.id).await?;
        let mut report = self.report(run, &planned.plan, applied, sent, false);
        self.close(organisation, &mut report, Ended::Applied)
            .await?;
        Ok(Made {
            report,
            planned: Some(planned),
        })
    }

    /// The rows about which somebody decided, as they were decided.
    pub(crate) async fn as_decided(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        rows: Vec<StoredChange>,
        answers: &Answers,
    ) -> Result<Vec<StoredChange>, EngineError> {
        let makes: Vec<ExternalId> = rows
            .iter()
            .filter(|row| {
                let answer = answers.of(row.ordinal);
                answer.is_some_and(|answer| answer.matching == Some(Answer::Create))
            })
            .filter_map(|row| row.change.as_ref()?.external_id.clone())
            .collect();
        let named: Vec<PersonId> = rows
            .iter()
            .filter_map(|row| answers.of(row.ordinal)?.matching?.person())
            .collect();
        let mut reader = self.storage.read(organisation.id).await?;
        let mut made: BTreeMap<ExternalId, Fields> = BTreeMap::new();
        for row in reader.records(connection.id, &makes).await? {
            let zone = muster_model::zone::zone_of(&row.record.fields, &Self::zone(organisation));
            let today = muster_model::time::date_in(self.now(), &zone);
            let fields = beginnings(&row.record, &connection.policy, today);
            made.insert(row.external_id, fields);
        }
        let key = organisation.digest_key();
        let versions: BTreeMap<PersonId, u64> = reader
            .people(&named)
            .await?
            .into_iter()
            .map(|person| (person.id, person.version))
            .collect();
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                let answer = answers.of(row.ordinal)?;
                let asked = what_is_left(&row.change?, row.state);
                let fields = asked.external_id.as_ref().and_then(|id| made.remove(id));
                let mut change = resolve(&asked, answer, fields);
                let skips = joining::skips(&asked, &change, answer, &key);
                change.effects.extend(skips);
                if let Some(Answer::Link(person)) = answer.matching {
                    change.precondition.person_version = versions.get(&person).copied();
                }
                if let (true, Some(version)) = (
                    answers.noted.contains(&row.ordinal),
                    &mut change.precondition.link_version,
                ) {
                    *version += 1;
                }
                Some(StoredChange {
                    change: Some(change),
                    ..row
                })
            })
            .collect())
    }

    /// Whom the words behind `link:` name; words that name nobody, or several, are
    /// left out.
    async fn people_behind_links(
        &self,
        organisation: &Organisation,
        lines: &[Line],
    ) -> Result<BTreeMap<String, PersonId>, EngineError> {
        let mut people = BTreeMap::new();
        for line in lines {
            let Some(line::Word::Link(word)) = line::Word::of(&line.decision) else {
                continue;
            };
            if people.contains_key(&word) {
                continue;
            }
            if let [person] = self.find(organisation, &word).await?.as_slice() {
                people.insert(word, person.id);
            }
        }
        Ok(people)
    }
}

/// Every line that cannot be taken, from the first to the last.
fn in_order(mut problems: Vec<Problem>) -> EngineError {
    problems.sort_by(|one, two| (one.line, one.code).cmp(&(two.line, two.code)));
    EngineError::Decisions { problems }
}

/// What of a row is not done yet: of one that waits, what waited for somebody.
fn what_is_left(change: &Change, state: ChangeState) -> Change {
    let mut change = change.clone();
    if state == ChangeState::Waiting {
        change.effects.retain(|planned| {
            planned.held.is_some() || matches!(planned.effect, Effect::Conflict { .. })
        });
    }
    change
}

/// The row as it was decided, as far as counting it needs.
pub(crate) fn as_counted(change: &Change, state: ChangeState, answer: &RowAnswer) -> Change {
    resolve(&what_is_left(change, state), answer, Some(Fields::new()))
}

/// Does the row wait for somebody's answer?
pub(crate) fn is_waiting(change: &Change) -> bool {
    use muster_model::report::Class;
    matches!(
        change.class(),
        Some(Class::Ambiguous | Class::Conflicts | Class::Held)
    )
}

/// The fields that name a human for life differ: nobody decides that they are one.
fn contradicts(theirs: &Fields, ours: &Fields) -> bool {
    match (
        theirs.value(Field::NationalId),
        ours.value(Field::NationalId),
    ) {
        (Some(one), Some(two)) => !one.same(two, Field::NationalId),
        _ => false,
    }
}
