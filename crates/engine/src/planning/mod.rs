//! Scope, trust, match, compare, decide: loads what the pure planner needs,
//! asks the source the questions it has, and stores the plan. Everything goes by
//! in blocks, twice: a first pass counts and learns who manages whom, a second
//! one makes the rows. Of each person only ids and numbers are kept.

mod blocks;
mod candidates;
mod load;
mod managers;
mod settling;
pub(crate) mod sources;
mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use muster_connect::Connector;
use muster_connect::manifest::ReadById;
use muster_model::evidence::{ChangesFrom, PastRead, ReadSummary};
use muster_model::plan::Rest as RestKind;
use muster_model::zone::zone_of;
use muster_model::{Digest, DigestKey, ExternalId, Fields, Plan, PlanId, ReadHistory, RunId};
use muster_reconcile::{
    Confirmation, Decided, Draft, Input, KeyHolders, ManagerIndex, PlanError, Survey, Touched,
};
use muster_storage::{Connection, ConnectionState, Organisation, Transaction};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::Instrument;

pub(crate) use versions::{mapping, versions};

use crate::applying::{Order, Prepared};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::read::Read;
use crate::task::ended;
use blocks::{AT_ONCE, Blocks};
use load::{Block, Frame, Loader, Marks};

/// Of a plan of at most so many rows the rows are kept, for whoever shows them.
const KEPT_ROWS: u64 = 20_000;
/// Drafts of at most so many records are kept between the two passes; of more
/// records every block is loaded and looked at a second time.
const KEPT_DRAFTS: usize = 2 * AT_ONCE as usize;
/// At most so many ids of contested records are kept: some megabytes.
const KEPT_CONTESTED: usize = 50_000;
/// Of so many records that are new, and a tenth of all, it is asked at once which of them
/// are contested, instead of each by itself: for that the keys of all are gone through.
const ALL_AT_ONCE: u64 = KEPT_DRAFTS as u64;
const ALL_OF: u64 = 10;
/// Rows and records at rest written in one transaction.
const WRITTEN_AT_ONCE: usize = 10_000;
/// How often a plan is made anew when somebody wrote while it was made.
const TRIES: usize = 3;
/// Missing records that the source is asked about in one run.
const MOST_QUESTIONS: usize = 500;

/// A plan with the id under which it is stored.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Its id.
    pub id: PlanId,
    /// The change set. Of a plan of more than 20,000 rows `changes` is empty: they
    /// are read from the storage, page by page.
    pub plan: Plan,
    /// Under which versions it was made; `None` for a stored plan, which is
    /// applied under those of today.
    pub(crate) versions: Option<String>,
    /// The run that made it, if one did.
    pub made_by: Option<RunId>,
    /// The run that it takes back, if it does.
    pub undoes: Option<RunId>,
}

impl Engine {
    /// Plans what a read brought, stores the plan, and lays to rest what needs nothing.
    pub(crate) async fn plan_read(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        connector: &dyn Connector,
        run: RunId,
        read: Read,
    ) -> Result<(Planned, Prepared), EngineError> {
        let mut tries = 1;
        loop {
            let planning = self.plan_once(organisation, connection, connector, run, &read);
            match planning.await {
                Err(EngineError::Plan(PlanError::Moved)) if tries < TRIES => tries += 1,
                made => return made,
            }
        }
    }

    async fn plan_once(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        connector: &dyn Connector,
        run: RunId,
        read: &Read,
    ) -> Result<(Planned, Prepared), EngineError> {
        let versions = versions(connection, connector.info());
        let (loader, frame) = Loader::new(self, organisation, connection, read, versions)
            .instrument(tracing::debug_span!("plan: count"))
            .await?;
        let zone = Self::zone(organisation);
        let zone_of = |fields: &Fields| zone_of(fields, &zone);
        let key = organisation.digest_key();
        let Frame {
            untouched,
            linked,
            administrators,
            let_through,
            other_sources,
            missing,
        } = frame;
        let mut input = Input {
            connection: connection.id,
            rank: sources::rank(connection),
            policy: &connection.policy,
            key: &key,
            now: self.now(),
            today: self.today(organisation),
            zone_of: &zone_of,
            account: connection.account.as_deref(),
            evidence: read.evidence.clone(),
            summary: read.summary.clone(),
            history: &connection.history,
            linked,
            first_sync: matches!(
                connection.state,
                ConnectionState::Draft | ConnectionState::Connected
            ),
            untouched,
            touched: Vec::new(),
            holders: KeyHolders::default(),
            confirmations: BTreeMap::new(),
            can_confirm: connector.info().read_by_id != ReadById::No,
            other_sources,
            let_through,
            administrators,
            managers: ManagerIndex::default(),
        };
        let questions = questions(&loader, &missing, &mut input).await?;
        if !questions.is_empty() {
            input.confirmations = answers(connector.confirm(&questions).await?);
        }
        let all = read.evidence.read;
        let new = all.saturating_sub(untouched.total() + linked);
        let together = new >= ALL_AT_ONCE.max(all / ALL_OF);
        let surveying = self.survey(&loader, run, &missing, together, &mut input);
        let (survey, looked) = surveying
            .instrument(tracing::debug_span!("plan: survey"))
            .await?;
        input.managers = managers::index(&loader, survey.named())
            .instrument(tracing::debug_span!("plan: managers"))
            .await?;
        let decided = tracing::debug_span!("plan: managers").in_scope(|| survey.decide(&input));
        // Only ids were asked of it; the passes need the memory.
        input.managers = ManagerIndex::default();
        self.write_plan(&loader, run, read, &missing, &mut input, decided, looked)
            .instrument(tracing::debug_span!("plan: rows"))
            .await
    }

    /// The first pass: what would follow, and who must be known before it is said. Who
    /// is contested is asked `together`, or of each record by itself.
    async fn survey(
        &self,
        loader: &Arc<Loader>,
        run: RunId,
        missing: &Arc<Vec<ExternalId>>,
        together: bool,
        input: &mut Input<'_>,
    ) -> Result<(Survey, Looked), EngineError> {
        let mut survey = Survey::begin(input)?;
        let mut kept = Some(Kept::default());
        let mut contested = Some(BTreeSet::new());
        let perhaps = if together {
            loader.contested(KEPT_CONTESTED).await?
        } else {
            None
        };
        let mut blocks = Blocks::of(loader, missing, perhaps);
        let mut looked = 0;
        while let Some(mut block) = blocks.next().await? {
            note(&mut contested, std::mem::take(&mut block.contested));
            let marks = take_on(input, block);
            let draft = survey.look(input);
            keep(&mut kept, draft, std::mem::take(&mut input.touched), marks);
            looked += 1;
            if looked % 10 == 0 {
                self.stay(loader, run).await?;
            }
        }
        let deferred = survey.deferred();
        if !deferred.is_empty() {
            let mut blocks = Blocks::these(loader, deferred.clone());
            while let Some(block) = blocks.next().await? {
                take_on(input, block);
                let draft = survey.look_again(input, &deferred);
                input.touched = Vec::new();
                // The records themselves were kept when they were deferred.
                keep(&mut kept, draft, Vec::new(), Marks::new());
                looked += 1;
                if looked % 10 == 0 {
                    self.stay(loader, run).await?;
                }
            }
        }
        input.holders = KeyHolders::default();
        Ok((survey, Looked { kept, contested }))
    }

    /// The second pass: the rows, stored block by block.
    #[allow(clippy::too_many_arguments)] // what the first pass found, and where it goes
    async fn write_plan(
        &self,
        loader: &Arc<Loader>,
        run: RunId,
        read: &Read,
        missing: &Arc<Vec<ExternalId>>,
        input: &mut Input<'_>,
        mut decided: Decided,
        looked: Looked,
    ) -> Result<(Planned, Prepared), EngineError> {
        let mut writer = Writer::new(self, loader, run, input.key);
        if let Some(Kept {
            draft,
            touched,
            marks,
        }) = looked.kept
        {
            let rows = Rows {
                block: decided.block(draft),
                touched,
                marks,
            };
            writer.write(rows).await?;
        } else {
            // Each block is decided while the one before is written.
            let (rows, coming) = mpsc::channel(1);
            let mut writing = JoinSet::new();
            writing.spawn(writer.all(coming));
            let mut blocks = Blocks::of(loader, missing, looked.contested);
            while let Some(block) = blocks.next().await? {
                let marks = take_on(input, block);
                let block = decided.block(decided.look(input));
                let touched = std::mem::take(&mut input.touched);
                let decided = Rows {
                    block,
                    touched,
                    marks,
                };
                if rows.send(decided).await.is_err() {
                    break; // writing ended, and says why
                }
            }
            drop(rows);
            writer = ended(writing).await?;
        }
        let (mut plan, tally) = decided.finish(input)?;
        let id = writer.id;
        let past = past_read(
            &plan,
            input.history,
            input.policy,
            read.summary.clone(),
            self.now(),
        );
        let transaction = writer.transaction().await?;
        transaction.finish_plan(id, &plan).await?;
        self.remember(transaction, loader, read, past).await?;
        writer.commit().await?;
        plan.changes = writer.kept.unwrap_or_default();
        let prepared = Prepared::new(tally, writer.order);
        let planned = Planned {
            id,
            plan,
            versions: Some(loader.versions.clone()),
            made_by: Some(run),
            undoes: None,
        };
        Ok((planned, prepared))
    }

    /// Keeps what was seen of the read, to judge later ones by.
    async fn remember(
        &self,
        transaction: &mut Transaction,
        loader: &Loader,
        read: &Read,
        past: PastRead,
    ) -> Result<(), EngineError> {
        // What somebody changed while the source was read (paused it, above all) stays.
        let mut after = transaction.connection(loader.connection.id).await?;
        let proved = past.proved;
        if read.evidence.changes_since.is_some() {
            // The next one goes on from here, if nothing of this one failed.
            if let (Some(changes), Some(began), true) = (
                &mut after.history.changes,
                read.began,
                read.evidence.complete,
            ) {
                changes.at = began;
            }
        } else {
            after.history.push(past);
            after.history.changes = read.began.filter(|_| proved).map(|at| ChangesFrom {
                at,
                full_at: self.now(),
                snapshot: read.snapshot,
                versions: loader.versions.clone(),
            });
        }
        after.last_read_at = Some(self.now());
        if proved {
            after.last_confirmed_at = Some(self.now());
        }
        transaction.update_connection(&after, None).await?;
        Ok(())
    }

    /// Keeps the connection while nothing is written.
    async fn stay(&self, loader: &Loader, run: RunId) -> Result<(), EngineError> {
        let transaction = self.transaction(loader.organisation, run).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Puts a block before the planner; the marks of its records come back.
fn take_on(input: &mut Input<'_>, block: Block) -> Marks {
    input.touched = block.touched;
    input.holders = block.holders;
    block.marks
}

/// What is kept between the passes.
struct Looked {
    /// Of a small plan, everything.
    kept: Option<Kept>,
    /// Records without a link of which somebody else holds a key, if they are few: the
    /// others are not asked about twice. Whoever comes between the passes is seen when
    /// the rows are applied.
    contested: Option<BTreeSet<ExternalId>>,
}

fn note(contested: &mut Option<BTreeSet<ExternalId>>, more: BTreeSet<ExternalId>) {
    if let Some(so_far) = contested {
        so_far.extend(more);
        if so_far.len() > KEPT_CONTESTED {
            *contested = None;
        }
    }
}

/// What a small plan keeps between the passes.
#[derive(Default)]
struct Kept {
    draft: Draft,
    touched: Vec<Touched>,
    marks: Marks,
}

fn keep(kept: &mut Option<Kept>, draft: Draft, touched: Vec<Touched>, marks: Marks) {
    if let Some(so_far) = kept {
        so_far.draft.append(draft);
        so_far.touched.extend(touched);
        so_far.marks.extend(marks);
        if so_far.touched.len() > KEPT_DRAFTS {
            *kept = None;
        }
    }
}

/// The rows of a block, and what they were made from.
struct Rows {
    block: muster_reconcile::Block,
    touched: Vec<Touched>,
    marks: Marks,
}

/// Stores the rows of a plan, some thousand in a transaction. Nobody sees the plan
/// before its head is written; what rests already rests in truth, whatever comes.
struct Writer {
    engine: Engine,
    loader: Arc<Loader>,
    run: RunId,
    key: DigestKey,
    id: PlanId,
    /// Open while there is something to commit.
    transaction: Option<Transaction>,
    begun: bool,
    written: usize,
    rows: u64,
    order: Order,
    kept: Option<Vec<muster_model::Change>>,
}

impl Writer {
    fn new(engine: &Engine, loader: &Arc<Loader>, run: RunId, key: &DigestKey) -> Self {
        Self {
            engine: engine.clone(),
            loader: Arc::clone(loader),
            run,
            key: key.clone(),
            id: PlanId::new(engine.ids.as_ref()),
            transaction: None,
            begun: false,
            written: 0,
            rows: 0,
            order: Order::default(),
            kept: Some(Vec::new()),
        }
    }

    /// The open transaction, or another one.
    async fn transaction(&mut self) -> Result<&mut Transaction, EngineError> {
        let mut transaction = match self.transaction.take() {
            Some(open) => open,
            None => {
                self.engine
                    .transaction(self.loader.organisation, self.run)
                    .await?
            }
        };
        if !self.begun {
            transaction
                .begin_plan(
                    self.id,
                    Some(self.run),
                    self.loader.connection.id,
                    &self.loader.versions,
                )
                .await?;
            self.begun = true;
        }
        Ok(self.transaction.insert(transaction))
    }

    async fn commit(&mut self) -> Result<(), EngineError> {
        self.written = 0;
        if let Some(done) = self.transaction.take() {
            done.commit().await?;
        }
        Ok(())
    }

    /// Stores block after block, and gives itself back.
    async fn all(mut self, mut coming: mpsc::Receiver<Rows>) -> Result<Self, EngineError> {
        while let Some(rows) = coming.recv().await {
            self.write(rows).await?;
        }
        Ok(self)
    }

    async fn write(&mut self, rows: Rows) -> Result<(), EngineError> {
        let Rows {
            block,
            touched,
            marks,
        } = rows;
        let (id, first) = (self.id, self.rows);
        let (loader, key) = (Arc::clone(&self.loader), self.key.clone());
        let transaction = self.transaction().await?;
        transaction
            .add_changes(id, loader.connection.id, first, &block.changes)
            .await?;
        settling::settle(transaction, &loader, &key, &block.quiet, &touched, &marks).await?;
        if !block.spent.is_empty() {
            transaction
                .take_back_decisions(loader.connection.id, &block.spent)
                .await?;
        }
        for (change, ordinal) in block.changes.iter().zip(self.rows..) {
            self.order.add(ordinal, change);
        }
        self.rows += block.changes.len() as u64;
        self.written += block.changes.len() + block.quiet.len();
        if self.rows > KEPT_ROWS {
            self.kept = None;
        }
        if let Some(kept) = &mut self.kept {
            kept.extend(block.changes);
        }
        if self.written >= WRITTEN_AT_ONCE {
            self.commit().await?;
        }
        Ok(())
    }
}

/// The missing records that the source must be asked for by id.
async fn questions(
    loader: &Arc<Loader>,
    missing: &Arc<Vec<ExternalId>>,
    input: &mut Input<'_>,
) -> Result<Vec<ExternalId>, EngineError> {
    let mut questions = Vec::new();
    let mut reader = loader.reader().await?;
    for absent in missing.chunks(AT_ONCE as usize) {
        let block = loader
            .block(&mut reader, Vec::new(), absent.to_vec(), None)
            .await?;
        take_on(input, block);
        questions.extend(muster_reconcile::questions(input));
        if questions.len() >= MOST_QUESTIONS {
            questions.truncate(MOST_QUESTIONS);
            break;
        }
    }
    input.touched = Vec::new();
    Ok(questions)
}

/// What is kept of the read, to judge later ones by.
fn past_read(
    plan: &Plan,
    history: &ReadHistory,
    policy: &muster_model::Policy,
    summary: ReadSummary,
    now: Timestamp,
) -> PastRead {
    let mut evidence = plan.evidence.clone();
    let verdict =
        muster_reconcile::trust::judge(&mut evidence, &summary, history, policy, None, now);
    muster_reconcile::trust::past_read(now, &evidence, summary, &verdict)
}

/// The digest under which a record rests. One that is missing rests under a
/// digest that no record has, so that it is looked at when it comes back.
pub(crate) fn settled_digest(
    key: &muster_model::DigestKey,
    rest: RestKind,
    digest: Digest,
) -> Digest {
    match rest {
        RestKind::Gone => key.digest("gone", ""),
        _ => digest,
    }
}

fn answers(
    answers: BTreeMap<ExternalId, muster_connect::Confirmation>,
) -> BTreeMap<ExternalId, Confirmation> {
    answers
        .into_iter()
        .map(|(id, answer)| {
            let answer = match answer {
                muster_connect::Confirmation::NotThere => Confirmation::NotThere,
                muster_connect::Confirmation::Present => Confirmation::Present,
            };
            (id, answer)
        })
        .collect()
}
