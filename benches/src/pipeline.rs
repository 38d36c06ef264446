//! A first sync, a second one without changes and a third one with some,
//! through the real engine into a real database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;
use muster_connect::http::TokioPause;
use muster_engine::Engine;
use muster_model::report::Trigger;
use muster_model::{Clock, Preset, RunReport};
use muster_storage::{
    ConnectionState, Credentials, Entropy, MasterKey, NewConnection, NewOrganisation, Organisation,
    Storage,
};
use serde::{Deserialize, Serialize};

use crate::connector::Generated;
use crate::database::{Contents, Database};
use crate::machine::{Ids, MachineClock, MachineEntropy};
use crate::steps::Steps;
use crate::stopwatch::{self, Stopwatch};

/// The connection's name.
const NAME: &str = "hr";

/// One sync, measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Which sync.
    pub(crate) what: String,
    /// People in the source.
    pub(crate) people: u64,
    /// Of them: with a row in the plan.
    pub(crate) touched: u64,
    /// Seconds, without the making of the records.
    pub(crate) seconds: f64,
    /// Seconds of the processor, all threads together.
    pub(crate) processor: f64,
    /// Seconds by step.
    pub(crate) steps: BTreeMap<String, f64>,
    /// Rows that came, and bytes by which the database grew.
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// The largest resident memory of the process at the end of this sync.
    pub(crate) memory: u64,
}

/// What to sync.
pub(crate) struct Plan<'a> {
    pub(crate) people: u64,
    pub(crate) server: Option<&'a str>,
    /// Shares of changed records of the later syncs: each so-many-th, 0 for none.
    pub(crate) later: &'a [(&'a str, u64)],
}

/// Runs the syncs in one database and tells of each as it is done.
pub(crate) async fn run(
    plan: &Plan<'_>,
    steps: &Steps,
    tell: impl Fn(&Measured) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let database = Database::new(plan.server).await?;
    let measured = syncs(&database, plan, steps, tell).await;
    database.close().await?;
    measured
}

async fn syncs(
    database: &Database,
    plan: &Plan<'_>,
    steps: &Steps,
    tell: impl Fn(&Measured) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let world = World::new(database).await?;
    let all = std::iter::once(("first sync", 0)).chain(plan.later.iter().copied());
    for (what, changed_every) in all {
        let sync = world.sync(what, plan.people, changed_every, database, steps);
        tell(&sync.await?)?;
    }
    world.engine.storage().close().await;
    Ok(())
}

struct World {
    engine: Engine,
    organisation: Organisation,
}

impl World {
    async fn new(database: &Database) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(MachineClock);
        let entropy: Arc<dyn Entropy> = Arc::new(MachineEntropy);
        let ids = Arc::new(Ids {
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
        });
        let storage = Storage::open(
            &database.location()?,
            MasterKey::generate(entropy.as_ref()),
            Arc::clone(&clock),
            ids.clone(),
            entropy,
        )
        .await?;
        let engine = Engine::new(storage, clock, ids, Arc::new(TokioPause));
        let organisation = engine
            .create_organisation(NewOrganisation {
                name: "fjordlys".to_owned(),
                region: "NO".to_owned(),
                time_zone: "Europe/Oslo".to_owned(),
            })
            .await?;
        let mut transaction = engine.storage().begin(organisation.id).await?;
        let mut connection = transaction
            .insert_connection(
                NewConnection {
                    name: NAME.to_owned(),
                    connector: info()?.name.clone(),
                    policy: Preset::Provision.policy(),
                    base_url: None,
                    settings: BTreeMap::new(),
                    host_settings: BTreeSet::new(),
                    rank: 0,
                },
                Some(&Credentials::default()),
            )
            .await?;
        connection.account = Some("bench".to_owned());
        connection.state = ConnectionState::Connected;
        transaction.update_connection(&connection, None).await?;
        transaction.commit().await?;
        Ok(Self {
            engine,
            organisation,
        })
    }

    async fn sync(
        &self,
        what: &str,
        people: u64,
        changed_every: u64,
        database: &Database,
        steps: &Steps,
    ) -> anyhow::Result<Measured> {
        let before = database.contents().await?;
        let source = Generated::new(info()?, people, changed_every);
        steps.take();
        let processor = stopwatch::processor()?;
        let watch = Stopwatch::start();
        let made = self
            .engine
            .sync_from(&self.organisation, NAME, &source, Trigger::Manual)
            .await?;
        let seconds = watch
            .elapsed()
            .saturating_sub(source.making())
            .as_secs_f64();
        let processor = stopwatch::processor()? - processor - source.making().as_secs_f64();
        let memory = stopwatch::most_memory()?;
        let touched = check(what, people, changed_every, &made.report)?;
        let steps = steps
            .take()
            .into_iter()
            .map(|(name, spent)| (name.to_owned(), spent.as_secs_f64()))
            .collect();
        drop(made);
        let after = database.contents().await?;
        let Contents { rows, bytes } = before;
        Ok(Measured {
            what: what.to_owned(),
            people,
            touched,
            seconds,
            processor,
            steps,
            rows: after.rows.saturating_sub(rows),
            bytes: after.bytes.saturating_sub(bytes),
            memory,
        })
    }
}

/// A run that did something else than it should measures nothing.
fn check(what: &str, people: u64, changed_every: u64, report: &RunReport) -> anyhow::Result<u64> {
    if let Some(error) = &report.error {
        anyhow::bail!("{what}: {} {}", error.code, error.message);
    }
    let counts = &report.counts;
    let (done, expected) = match (what, changed_every) {
        ("first sync", _) => (counts.created, people),
        (_, 0) => (counts.unchanged, people),
        (_, every) => (counts.updated, people.div_ceil(every)),
    };
    anyhow::ensure!(
        done == expected,
        "{what}: {done} people instead of {expected}: {counts:?}"
    );
    Ok(if changed_every == 0 && what != "first sync" {
        0
    } else {
        done
    })
}

fn info() -> anyhow::Result<&'static muster_connect::manifest::ConnectorInfo> {
    muster_connect::catalogue()
        .first()
        .context("the catalogue has a connector")
}

/// Seconds, so that a rate of nothing is nothing.
pub(crate) fn rate(amount: u64, seconds: f64) -> f64 {
    if seconds <= 0.0 {
        return 0.0;
    }
    #[allow(clippy::cast_precision_loss)] // people and bytes are far below 2^53
    {
        amount as f64 / seconds
    }
}
