//! Applies a stored plan: each row by itself and resumable, or all together
//! when the policy says so. What must go out is queued in the transaction that
//! caused it.

mod block;
mod messages;
mod order;
mod prepared;
mod takes_back;
mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use muster_model::policy::ApplyMode;
use muster_model::{
    ConnectionId, ExternalId, HoldKind, OrganisationId, Person, PersonId, PlanId, RunId,
};
use muster_storage::{
    ChangeState, Connection, Organisation, PersonQuery, Storage, StoredChange, StoredRecord,
    Transaction,
};
use tokio::sync::mpsc;

use tracing::Instrument;

pub(crate) use order::Order;
pub(crate) use prepared::Prepared;
pub use tally::{Applied, DoneBefore};

use crate::deciding::Answers;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::lease::LEASE;
use crate::planning::Planned;

/// Rows applied in one transaction.
const AT_ONCE: usize = 5_000;
/// Rows read at once where they are only looked at.
const PAGE: u32 = 2_000;
/// How often a block is tried against other writers.
const TRIES: usize = 4;

/// What of a plan shall be applied.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Kinds of held rows to release.
    pub allow: BTreeSet<HoldKind>,
    /// Only these people; `None` for everybody.
    pub only: Option<BTreeSet<PersonId>>,
    /// Only the rows about which somebody decided, as they were decided.
    pub decided: Option<Arc<Answers>>,
}

impl Choice {
    /// Reads kinds as people write them.
    ///
    /// # Errors
    /// A kind that does not exist, or that nobody may release.
    pub fn allowing(kinds: &[String]) -> Result<BTreeSet<HoldKind>, EngineError> {
        let releasable = || HoldKind::ALL.iter().filter(|kind| kind.can_be_released());
        kinds
            .iter()
            .map(|word| {
                HoldKind::from_word(word)
                    .filter(|kind| kind.can_be_released())
                    .ok_or_else(|| {
                        let known: Vec<&str> = releasable().map(|kind| kind.word()).collect();
                        EngineError::HoldUnknown {
                            kind: word.clone(),
                            known: known.join(", "),
                        }
                    })
            })
            .collect()
    }
}

impl Engine {
    /// The rows of a stored plan, for whoever shows them.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn rows(
        &self,
        organisation: &Organisation,
        plan: PlanId,
    ) -> Result<Vec<muster_model::Change>, EngineError> {
        let rows = self.stored_rows(organisation, plan).await?;
        Ok(rows.into_iter().filter_map(|row| row.change).collect())
    }

    pub(crate) async fn stored_rows(
        &self,
        organisation: &Organisation,
        plan: PlanId,
    ) -> Result<Vec<StoredChange>, EngineError> {
        let mut reader = self.storage.read(organisation.id).await?;
        let mut rows = Vec::new();
        let mut after: Option<u64> = None;
        loop {
            let block = reader.changes(plan, ChangeState::ALL, after, PAGE).await?;
            let Some(last) = block.last() else {
                return Ok(rows);
            };
            after = Some(last.ordinal);
            rows.extend(block);
        }
    }

    /// Everybody whom these words name, each by id, e-mail or employee number.
    ///
    /// # Errors
    /// When a word names nobody or several.
    pub async fn people_named(
        &self,
        organisation: &Organisation,
        words: &[String],
    ) -> Result<BTreeSet<PersonId>, EngineError> {
        let mut people = BTreeSet::new();
        for word in words {
            let found = self.find(organisation, word).await?;
            match found.as_slice() {
                [person] => people.insert(person.id),
                [] => {
                    return Err(EngineError::PersonUnknown {
                        query: word.clone(),
                    });
                }
                several => {
                    let ids: Vec<String> =
                        several.iter().map(|person| person.id.to_string()).collect();
                    return Err(EngineError::PersonUnclear {
                        query: word.clone(),
                        ids: ids.join(", "),
                    });
                }
            };
        }
        Ok(people)
    }

    /// Everybody whom one word names.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn find(
        &self,
        organisation: &Organisation,
        word: &str,
    ) -> Result<Vec<Person>, EngineError> {
        let mut reader = self.storage.read(organisation.id).await?;
        let query = if let Ok(id) = word.parse() {
            PersonQuery::Id(id)
        } else if word.contains('@') {
            PersonQuery::WorkEmail(word.to_owned())
        } else {
            PersonQuery::EmployeeNumber(word.to_owned())
        };
        Ok(reader.find_people(&query).await?)
    }

    /// Applies the rows of a stored plan that are open, and those that `choice`
    /// releases.
    pub(crate) async fn apply_rows(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        run: RunId,
        planned: &Planned,
        choice: &Choice,
    ) -> Result<Applied, EngineError> {
        let prepared = self
            .prepare(organisation, planned, choice)
            .instrument(tracing::debug_span!("apply: rows"))
            .await?;
        self.apply_prepared(organisation, connection, run, planned, &prepared, choice)
            .await
    }

    /// Applies rows that are counted and in order already.
    pub(crate) async fn apply_prepared(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        run: RunId,
        planned: &Planned,
        prepared: &Prepared,
        choice: &Choice,
    ) -> Result<Applied, EngineError> {
        let mut applied = Applied::nothing(prepared);
        let work = block::Work::new(self, organisation, connection, planned, choice, run).await?;
        let mut coming = Coming::of(
            self,
            organisation.id,
            connection.id,
            planned.id,
            &prepared.ordinals,
        );
        match connection.policy.apply {
            ApplyMode::EachAlone => {
                let mut done = 0;
                let mut learns_at = AT_ONCE;
                while let Some(mut block) = coming.next().await? {
                    block.rows = self
                        .as_chosen(organisation, connection, block.rows, choice)
                        .await?;
                    self.apply_block(organisation, run, &work, &block, &mut applied)
                        .await?;
                    done += block.rows.len();
                    // The tables grow tenfold and tenfold again: they are looked at anew.
                    if done >= learns_at && applied.made_people() {
                        self.storage.learn().await?;
                        learns_at *= 10;
                    }
                }
            }
            ApplyMode::Together => {
                let mut transaction = self.transaction(organisation.id, run).await?;
                while let Some(mut block) = coming.next().await? {
                    block.rows = self
                        .as_chosen(organisation, connection, block.rows, choice)
                        .await?;
                    work.apply(&mut transaction, &block, &mut applied).await?;
                }
                // All or nothing: one stale row, and the transaction is dropped.
                if applied.stale > 0 {
                    return Ok(Applied::refused_together(planned, prepared, applied.stale));
                }
                transaction.commit().await?;
            }
        }
        applied.done_before(prepared.done_before);
        Ok(applied)
    }

    /// The rows as they shall be done: where somebody decided, as they were decided.
    async fn as_chosen(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        rows: Vec<StoredChange>,
        choice: &Choice,
    ) -> Result<Vec<StoredChange>, EngineError> {
        match &choice.decided {
            Some(answers) => {
                self.as_decided(organisation, connection, rows, answers)
                    .await
            }
            None => Ok(rows),
        }
    }

    /// Applies some rows in a transaction of their own. When somebody else wrote
    /// the same people meanwhile it is tried again on what they left, where the
    /// changed row is stale by itself.
    async fn apply_block(
        &self,
        organisation: &Organisation,
        run: RunId,
        work: &block::Work<'_>,
        block: &Block,
        applied: &mut Applied,
    ) -> Result<(), EngineError> {
        for _ in 0..TRIES {
            let mut counted = applied.clone();
            let mut transaction = self.transaction(organisation.id, run).await?;
            match work.apply(&mut transaction, block, &mut counted).await {
                Err(EngineError::Raced) => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    transaction.commit().await?;
                    *applied = counted;
                    return Ok(());
                }
            }
        }
        Err(EngineError::Raced)
    }

    /// A transaction of a run, which by that keeps its connection.
    pub(crate) async fn transaction(
        &self,
        organisation: OrganisationId,
        run: RunId,
    ) -> Result<Transaction, EngineError> {
        let mut transaction = self.storage.begin(organisation).await?;
        transaction.extend_lease(run, LEASE).await?;
        Ok(transaction)
    }
}

/// Some rows of a plan, with the records that they were made from. Of records nobody
/// but this run may store anything, because it keeps the connection: so they need not
/// be read in the transaction that applies them.
struct Block {
    rows: Vec<StoredChange>,
    records: BTreeMap<ExternalId, StoredRecord>,
}

/// Blocks that are read and opened while those before them are applied: one ahead,
/// never more.
struct Coming(mpsc::Receiver<Result<Block, EngineError>>);

impl Coming {
    fn of(
        engine: &Engine,
        organisation: OrganisationId,
        connection: ConnectionId,
        plan: PlanId,
        ordinals: &[u32],
    ) -> Self {
        let (sender, coming) = mpsc::channel(1);
        let storage = engine.storage.clone();
        let ordinals = ordinals.to_vec();
        // Ends with the receiver: then nobody takes what is sent.
        tokio::spawn(async move {
            for ordinals in ordinals.chunks(AT_ONCE) {
                let ordinals: Vec<u64> = ordinals.iter().copied().map(u64::from).collect();
                let block = read_block(&storage, organisation, connection, plan, &ordinals).await;
                let failed = block.is_err();
                if sender.send(block).await.is_err() || failed {
                    return;
                }
            }
        });
        Self(coming)
    }

    async fn next(&mut self) -> Result<Option<Block>, EngineError> {
        self.0.recv().await.transpose()
    }
}

async fn read_block(
    storage: &Storage,
    organisation: OrganisationId,
    connection: ConnectionId,
    plan: PlanId,
    ordinals: &[u64],
) -> Result<Block, EngineError> {
    let mut reader = storage.read(organisation).await?;
    let rows = reader.changes_at(plan, ordinals).await?;
    let ids: Vec<ExternalId> = rows
        .iter()
        .filter_map(|row| row.change.as_ref()?.external_id.clone())
        .collect();
    let records = reader
        .records(connection, &ids)
        .await?
        .into_iter()
        .map(|row| (row.external_id.clone(), row))
        .collect();
    Ok(Block { rows, records })
}
