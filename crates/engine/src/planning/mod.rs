//! Scope, trust, match, compare, decide: loads what the pure planner needs,
//! asks the source the questions it has, and stores the plan.

mod load;
mod sources;
mod versions;

use std::collections::BTreeMap;

use jiff::Timestamp;
use muster_connect::Connector;
use muster_connect::manifest::ReadById;
use muster_model::evidence::{PastRead, ReadSummary};
use muster_model::plan::Rest as RestKind;
use muster_model::zone::zone_of;
use muster_model::{Digest, ExternalId, Fields, Link, PersonId, Plan, PlanId, ReadHistory, RunId};
use muster_reconcile::{Confirmation, Input};
use muster_storage::{Connection, NewPlan, Organisation, Rest};

pub(crate) use versions::versions;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::lease::LEASE;
use crate::read::Read;
use crate::wake::wake;

/// A plan with the id under which it is stored.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Its id.
    pub id: PlanId,
    /// The change set.
    pub plan: Plan,
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
    ) -> Result<Planned, EngineError> {
        let versions = versions(connection, connector.info());
        let mut loaded = self
            .load(organisation, connection, read.snapshot, &versions)
            .await?;
        let zone = Self::zone(organisation);
        let zone_of = |fields: &Fields| zone_of(fields, &zone);
        let key = organisation.digest_key();
        let rests = loaded.rests();
        let links = loaded.links();
        let policy = connection.policy.clone();
        let history = connection.history.clone();
        let account = connection.account.clone();
        let summary = read.summary.clone();
        let mut input = Input {
            connection: connection.id,
            rank: sources::rank(connection),
            policy: &policy,
            key: &key,
            now: self.now(),
            today: self.today(organisation),
            zone_of: &zone_of,
            account: account.as_deref(),
            evidence: read.evidence,
            summary: read.summary,
            history: &history,
            linked: loaded.linked,
            untouched: loaded.untouched,
            touched: std::mem::take(&mut loaded.touched),
            holders: std::mem::take(&mut loaded.holders),
            confirmations: BTreeMap::new(),
            can_confirm: connector.info().read_by_id != ReadById::No,
            other_sources: std::mem::take(&mut loaded.other_sources),
            let_through: std::mem::take(&mut loaded.let_through),
            administrators: loaded.administrators,
            managers: std::mem::take(&mut loaded.managers),
        };
        let questions = muster_reconcile::questions(&input);
        if !questions.is_empty() {
            input.confirmations = answers(connector.confirm(&questions).await?);
        }
        let plan = muster_reconcile::plan(input)?;
        let past = past_read(&plan, &history, &policy, summary, self.now());
        let id = PlanId::new(self.ids.as_ref());
        let mut transaction = self.storage.begin(organisation.id).await?;
        // A run that lost its lease plans nothing: somebody else does.
        transaction.extend_lease(run, LEASE).await?;
        transaction
            .store_plan(NewPlan {
                id,
                run: Some(run),
                plan: &plan,
            })
            .await?;
        let mut believed: Vec<Link> = Vec::new();
        let mut settled: Vec<Rest> = Vec::new();
        for quiet in &plan.quiet {
            let Some(known) = rests.get(&quiet.external_id) else {
                continue;
            };
            if quiet.settles {
                settled.push(Rest {
                    external_id: quiet.external_id.clone(),
                    digest: settled_digest(&key, quiet.rest, known.digest),
                    rest: quiet.rest.word().to_owned(),
                    due_on: quiet.due_on,
                    due_marks: known.due_marks,
                });
            }
            if let (true, Some(link), Some(record)) =
                (quiet.believed, links.get(&quiet.external_id), &known.record)
            {
                let mut after = link.clone();
                muster_reconcile::enact::believe(
                    &mut after,
                    record,
                    known.person.as_ref(),
                    &policy,
                    self.today(organisation),
                );
                if after.version != link.version {
                    // The repository adds one to the version that was read.
                    after.version = link.version;
                    believed.push(after);
                }
            }
        }
        // A link that somebody changed meanwhile keeps their version; with it they
        // set the mark, so that the record is looked at again although it rests.
        transaction.write_links(connection.id, &believed).await?;
        let just = plan
            .quiet
            .iter()
            .map(|quiet| quiet.external_id.clone())
            .collect();
        let people: Vec<PersonId> = believed.iter().map(|link| link.person).collect();
        wake(&mut transaction, connection.id, &just, &people).await?;
        transaction
            .settle(connection.id, &versions, &settled)
            .await?;
        // What somebody changed while the source was read (paused it, above all) stays.
        let mut after = transaction.connection(connection.id).await?;
        let proved = past.proved;
        after.history.push(past);
        after.last_read_at = Some(self.now());
        if proved {
            after.last_confirmed_at = Some(self.now());
        }
        transaction.update_connection(&after, None).await?;
        transaction.commit().await?;
        Ok(Planned { id, plan })
    }
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

/// What a touched record rests under, kept while the planner has the record.
pub(crate) struct Known {
    pub(crate) digest: Digest,
    pub(crate) due_marks: u64,
    pub(crate) record: Option<muster_model::SourceRecord>,
    pub(crate) person: Option<muster_model::Person>,
}
