//! Decisions are written down, all of a file in one transaction, before anything
//! is done: whoever is killed after it finds them done by the next sync.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::link::{Choice, Decision};
use muster_model::plan::{Answered, Change, Effect, Planned};
use muster_model::{
    Answer, Digest, DigestKey, ExternalId, Field, Link, MatchKey, Matter, Person, PersonId, Plan,
    PlanId, RecordDecision, RunId, Said, Value,
};
use muster_reconcile::compare::pair_digest;
use muster_reconcile::decided::keys_digest;
use muster_reconcile::resolve::RowAnswer;
use muster_storage::{
    ChangeMark, ChangeState, Connection, NewPlan, Organisation, StoredChange, StoredPlan,
    StoredRecord, Transaction,
};

use super::ahead::Ahead;
use super::answers::Answers;
use super::check::row_done;
use super::contradicts;
use super::later::{Later, What};
use super::line::Line;
use super::problem::Problem;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::lease::LEASE;

/// Rows noted at once.
const AT_ONCE: u32 = 500;

/// What notes the decisions of one file.
pub(super) struct Noting<'a> {
    engine: &'a Engine,
    organisation: &'a Organisation,
    connection: &'a Connection,
    run: RunId,
    plan: PlanId,
    /// The day for which it was made, and when.
    made: (jiff::civil::Date, jiff::Timestamp),
    key: DigestKey,
    /// Strong keys of whom the file makes: nobody is made twice.
    making: BTreeSet<(MatchKey, Digest)>,
    problems: Vec<Problem>,
    /// Lines about what was done before.
    refused: Vec<Problem>,
}

/// What a block of rows is about.
struct About {
    links: BTreeMap<ExternalId, Link>,
    records: BTreeMap<ExternalId, StoredRecord>,
    people: BTreeMap<PersonId, Person>,
    known: BTreeSet<(MatchKey, Digest)>,
    /// What was answered before.
    answers: BTreeMap<(ExternalId, Matter), RecordDecision>,
}

impl<'a> Noting<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        organisation: &'a Organisation,
        connection: &'a Connection,
        run: RunId,
        plan: &StoredPlan,
    ) -> Self {
        Self {
            engine,
            organisation,
            connection,
            run,
            plan: plan.id,
            made: (plan.plan.made_for, plan.plan.made_at),
            key: organisation.digest_key(),
            making: BTreeSet::new(),
            problems: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Lines about what was done before: refused alone.
    pub(super) fn refused(self) -> Vec<Problem> {
        self.refused
    }

    /// Notes everything, or nothing when something cannot be.
    pub(super) async fn note(
        &mut self,
        answers: &mut Answers,
        records: &[Later],
    ) -> Result<Vec<Problem>, EngineError> {
        let mut transaction = self.engine.storage.begin(self.organisation.id).await?;
        transaction.extend_lease(self.run, LEASE).await?;
        transaction.run_applies(self.run, self.plan).await?;
        let mut after = None;
        while !answers.rows.is_empty() {
            let block = transaction
                .changes(self.plan, ChangeState::ALL, after, AT_ONCE)
                .await?;
            let Some(last) = block.last() else { break };
            after = Some(last.ordinal);
            self.block(&mut transaction, &block, answers).await?;
        }
        self.records(&mut transaction, records).await?;
        if self.problems.is_empty() {
            transaction.commit().await?;
        }
        Ok(std::mem::take(&mut self.problems))
    }

    async fn block(
        &mut self,
        transaction: &mut Transaction,
        block: &[StoredChange],
        answers: &mut Answers,
    ) -> Result<(), EngineError> {
        let decided: Vec<(u64, &Change)> = block
            .iter()
            .filter(|row| answers.rows.contains_key(&row.ordinal))
            .filter_map(|row| Some((row.ordinal, row.change.as_ref()?)))
            .collect();
        let ids: Vec<ExternalId> = decided
            .iter()
            .filter_map(|(_, change)| change.external_id.clone())
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let named: Vec<PersonId> = decided
            .iter()
            .filter_map(|(ordinal, _)| answers.of(*ordinal)?.matching?.person())
            .collect();
        let about = self.about(transaction, &ids, &named).await?;
        let mut decisions: Vec<RecordDecision> = Vec::new();
        let mut links: Vec<Link> = Vec::new();
        for (ordinal, change) in decided {
            let (Some(id), Some(answer)) = (&change.external_id, answers.of(ordinal)) else {
                continue;
            };
            let first = decisions.len();
            decisions.extend(self.of_holds(id, change, answer));
            if let (Some(given), Some(record)) = (answer.matching, about.records.get(id)) {
                let line = Line {
                    external_id: id.to_string(),
                    number: answers.lines.get(&ordinal).copied().unwrap_or_default(),
                    ..Line::default()
                };
                // What the record says now is not what was decided about.
                if Some(record.digest) != change.precondition.record {
                    continue;
                }
                decisions.extend(self.of_match(&line, record, given, &about));
            }
            let given = decisions.get(first..).unwrap_or_default();
            let mut notes: Vec<Planned> = noted_answers(given, &about.answers).collect();
            let Some(link) = about.links.get(id) else {
                answers.notes.insert(ordinal, notes);
                continue;
            };
            let as_planned = Some(link.version) == change.precondition.link_version;
            if let Some(after) =
                self.of_link(link, change, answer, as_planned, about.records.get(id))
            {
                if as_planned {
                    answers.noted.insert(ordinal);
                }
                notes.extend(noted_skips(change, link, &after));
                links.push(after);
            }
            answers.notes.insert(ordinal, notes);
        }
        let connection = self.connection.id;
        if !transaction
            .write_links(connection, &links)
            .await?
            .is_empty()
        {
            return Err(EngineError::Raced);
        }
        transaction.store_decisions(connection, &decisions).await?;
        transaction.mark_records_due(connection, &ids).await?;
        Ok(())
    }

    async fn about(
        &self,
        transaction: &mut Transaction,
        ids: &[ExternalId],
        named: &[PersonId],
    ) -> Result<About, EngineError> {
        let connection = self.connection.id;
        let records: BTreeMap<ExternalId, StoredRecord> = transaction
            .records(connection, ids)
            .await?
            .into_iter()
            .map(|row| (row.external_id.clone(), row))
            .collect();
        let strong: BTreeSet<(MatchKey, Digest)> = records
            .values()
            .flat_map(|row| strong_keys(row, &self.key))
            .collect();
        let strong: Vec<_> = strong.into_iter().collect();
        // Of records nothing is asked: a snapshot that does not exist holds none.
        let nowhere = muster_model::SnapshotId::from_uuid(uuid::Uuid::nil());
        let holders = transaction
            .key_holders(connection, nowhere, &strong)
            .await?;
        Ok(About {
            known: holders
                .into_iter()
                .filter(|(_, owners)| !owners.people.is_empty())
                .map(|(place, _)| place)
                .collect(),
            answers: transaction
                .decisions(connection, ids)
                .await?
                .into_iter()
                .map(|decision| ((decision.external_id.clone(), decision.matter), decision))
                .collect(),
            links: transaction
                .links(connection, ids)
                .await?
                .into_iter()
                .map(|link| (link.external_id.clone(), link))
                .collect(),
            people: transaction
                .people(named)
                .await?
                .into_iter()
                .map(|person| (person.id, person))
                .collect(),
            records,
        })
    }

    fn of_holds(
        &self,
        id: &ExternalId,
        change: &Change,
        answer: &RowAnswer,
    ) -> Vec<RecordDecision> {
        answer
            .holds
            .iter()
            .filter_map(|(kind, given)| {
                Some(RecordDecision {
                    external_id: id.clone(),
                    matter: Matter::Hold(*kind),
                    answer: *given,
                    about: change.matter_of(*kind, &self.key)?,
                    plan: Some(self.plan),
                })
            })
            .collect()
    }

    /// Who the record is; a problem where nobody may decide that.
    fn of_match(
        &mut self,
        line: &Line,
        record: &StoredRecord,
        given: Answer,
        about: &About,
    ) -> Option<RecordDecision> {
        match given {
            Answer::Create => {
                for place in strong_keys(record, &self.key) {
                    if about.known.contains(&place) || !self.making.insert(place) {
                        self.problems.push(Problem::new(
                            line,
                            "decision",
                            "decision.known_already",
                            format!("somebody is known by the same {}: nobody is made twice; write link:PERSON", place.0.field()),
                        ));
                        return None;
                    }
                }
            }
            Answer::Link(person) => {
                let Some(person) = about.people.get(&person) else {
                    let message = "the person named behind link: is gone; make a new plan";
                    self.problems
                        .push(Problem::new(line, "decision", "person.unknown", message));
                    return None;
                };
                if contradicts(&record.record.fields, &person.fields) {
                    self.problems.push(Problem::new(
                        line,
                        "decision",
                        "decision.contradicted",
                        "the two have different national ids: they are not one human; mend the number where it is wrong",
                    ));
                    return None;
                }
            }
            _ => {}
        }
        Some(RecordDecision {
            external_id: record.external_id.clone(),
            matter: Matter::Match,
            answer: given,
            about: keys_digest(&record.record, &self.key),
            plan: Some(self.plan),
        })
    }

    /// The link with what was decided about its fields; `None` when nothing was.
    fn of_link(
        &self,
        link: &Link,
        change: &Change,
        answer: &RowAnswer,
        as_planned: bool,
        record: Option<&StoredRecord>,
    ) -> Option<Link> {
        let mut after = link.clone();
        for planned in &change.effects {
            let Effect::Conflict {
                field,
                theirs,
                ours,
            } = &planned.effect
            else {
                continue;
            };
            let Some(choice) = answer.fields.get(field) else {
                continue;
            };
            let side = |said: &Said<muster_model::plan::FieldValue>| -> Said<Value> {
                said.clone().map(|said| said.value)
            };
            let (theirs, ours) = (side(theirs), side(ours));
            after.decisions.insert(
                *field,
                Decision {
                    pair: pair_digest(&self.key, *field, theirs.as_ref(), ours.as_ref()),
                    choice: *choice,
                },
            );
        }
        let same = |record: &&StoredRecord| Some(record.digest) == change.precondition.record;
        if let (true, true, Some(record)) = (answer.older, as_planned, record.filter(same)) {
            // From here on the older revision is the one known.
            after.revision = record.record.revision;
        }
        (after != *link).then_some(after)
    }

    /// Decisions about records that the plan has no row for: those that were left
    /// alone before, above all.
    async fn records(
        &mut self,
        transaction: &mut Transaction,
        records: &[Later],
    ) -> Result<(), EngineError> {
        if records.is_empty() {
            return Ok(());
        }
        let ids: Vec<ExternalId> = records.iter().map(|later| later.id.clone()).collect();
        let named: Vec<PersonId> = records
            .iter()
            .filter_map(|later| match later.what {
                What::Match(answer) => answer.person(),
                _ => None,
            })
            .collect();
        let mut about = self.about(transaction, &ids, &named).await?;
        let mut decisions = Vec::new();
        let mut taken_back = Vec::new();
        let mut touched: BTreeSet<ExternalId> = BTreeSet::new();
        let mut ahead = Ahead::default();
        for later in records {
            let Later { id, line, what, .. } = later;
            match what {
                What::Match(given) => match about.records.get(id) {
                    Some(record) if !about.links.contains_key(id) => {
                        let decision = self.of_match(line, record, *given, &about);
                        if let Some(decision) = &decision {
                            let before = about.answers.get(&(id.clone(), Matter::Match));
                            ahead.answered(id, Matter::Match, before, Some(decision));
                        }
                        decisions.extend(decision);
                    }
                    Some(_) if later.row_done => self.refused.push(row_done(line)),
                    Some(_) => self.problem(
                        line,
                        "decision.linked",
                        "the record is linked to a person; take it apart first with `muster unlink`",
                    ),
                    None => {
                        self.problem(line, "decision.no_row", "the source has no such record");
                    }
                },
                What::Field(field, choice) => {
                    let link = about.links.get_mut(id);
                    if link.is_some_and(|link| {
                        decide_again(link, *field, Some(*choice), &mut ahead)
                    }) {
                        touched.insert(id.clone());
                    } else {
                        self.problem(line, "decision.no_row", NOTHING_BEFORE);
                    }
                }
                What::AskField(field) => {
                    let link = about.links.get_mut(id);
                    if link.is_some_and(|link| decide_again(link, *field, None, &mut ahead)) {
                        touched.insert(id.clone());
                    } else {
                        self.problem(line, "decision.no_row", NOTHING_BEFORE);
                    }
                }
                What::AskMatter(matter) => {
                    let place = (id.clone(), *matter);
                    if let Some(before) = about.answers.get(&place) {
                        ahead.answered(id, *matter, Some(before), None);
                        taken_back.push(place);
                    } else {
                        self.problem(line, "decision.no_row", NOTHING_BEFORE);
                    }
                }
            }
        }
        let connection = self.connection.id;
        let links: Vec<Link> = about
            .links
            .into_values()
            .filter(|link| touched.contains(&link.external_id))
            .collect();
        if !transaction
            .write_links(connection, &links)
            .await?
            .is_empty()
        {
            return Err(EngineError::Raced);
        }
        transaction.store_decisions(connection, &decisions).await?;
        transaction
            .take_back_decisions(connection, &taken_back)
            .await?;
        transaction.mark_records_due(connection, &ids).await?;
        if let Some(plan) = ahead.plan(connection, self.made, &self.key) {
            self.keep(transaction, &plan).await?;
        }
        Ok(())
    }

    /// Keeps what was decided without a row, for an undo of the run.
    async fn keep(&self, transaction: &mut Transaction, plan: &Plan) -> Result<(), EngineError> {
        let id = PlanId::new(self.engine.ids.as_ref());
        transaction
            .store_plan(NewPlan {
                id,
                run: Some(self.run),
                plan,
                undoes: None,
                versions: None,
            })
            .await?;
        let done = |ordinal| ChangeMark {
            ordinal,
            state: ChangeState::Applied,
            error_code: None,
            person: None,
            done_by: None,
        };
        let marks: Vec<ChangeMark> = (0..plan.changes.len() as u64).map(done).collect();
        transaction.mark_changes(id, &marks).await?;
        Ok(())
    }

    fn problem(&mut self, line: &Line, code: &'static str, message: &str) {
        let problem = Problem::new(line, "external_id", code, message);
        self.problems.push(problem);
    }
}

/// What is said of a line that would decide anew what nobody decided.
const NOTHING_BEFORE: &str =
    "the plan asks nothing about this, and nobody decided about it before; leave the cell empty";

/// Decides about a pair of values otherwise, or leaves it to be asked about;
/// `false` if nobody decided about it.
fn decide_again(link: &mut Link, field: Field, choice: Option<Choice>, ahead: &mut Ahead) -> bool {
    let before = link.clone();
    let Some(decision) = link.decisions.remove(&field) else {
        return false;
    };
    let (from, pair) = (Some(decision.clone()), decision.pair);
    let to = choice.map(|choice| Decision { pair, choice });
    ahead.pair(&before, field, from, to);
    // What an undo declined is taken as equal: it has to be seen as a difference again.
    if decision.choice == Choice::Declined {
        link.base.remove(&field);
    }
    if let Some(choice) = choice {
        link.decisions
            .insert(field, Decision { choice, ..decision });
    }
    true
}

/// Answers that stand for a while, as an undo will find them: what is done at once
/// is taken back as what was done.
fn noted_answers<'a>(
    given: &'a [RecordDecision],
    before: &'a BTreeMap<(ExternalId, Matter), RecordDecision>,
) -> impl Iterator<Item = Planned> + 'a {
    let answered = |decision: &RecordDecision| Answered {
        answer: decision.answer,
        about: decision.about,
    };
    given
        .iter()
        .filter(|decision| matches!(decision.answer, Answer::Leave | Answer::Refuse))
        .map(move |decision| {
            let place = (decision.external_id.clone(), decision.matter);
            Planned::free(Effect::Answer {
                matter: decision.matter,
                from: before.get(&place).map(answered),
                to: Some(answered(decision)),
            })
        })
}

/// Pairs of values that were skipped.
fn noted_skips<'a>(
    change: &'a Change,
    before: &'a Link,
    after: &'a Link,
) -> impl Iterator<Item = Planned> + 'a {
    change.effects.iter().filter_map(|planned| {
        let Effect::Conflict {
            field,
            theirs,
            ours,
        } = &planned.effect
        else {
            return None;
        };
        let (from, to) = (before.decisions.get(field), after.decisions.get(field));
        let skipped = to.is_some_and(|decision| decision.choice == Choice::Skip);
        (from != to && skipped).then(|| {
            Planned::free(Effect::Decide {
                field: *field,
                from: from.cloned(),
                to: to.cloned(),
                theirs: theirs.clone(),
                ours: ours.clone(),
            })
        })
    })
}

fn strong_keys(record: &StoredRecord, key: &DigestKey) -> Vec<(MatchKey, Digest)> {
    MatchKey::ALL
        .into_iter()
        .filter(|match_key| match_key.is_strong())
        .filter_map(|match_key| Some((match_key, match_key.digest(&record.record.fields, key)?)))
        .collect()
}
