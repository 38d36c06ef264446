//! Sends the outward writes that wait in the outbox, in the order of each record.
//!
//! | Module | What it is |
//! |---|---|
//! | `write` | one queued write of a field, as it is stored and as it is read back |
//! | `judge` | must it still be written? |
//! | `batch` | some records: read, judged, written, read again, stored |
//! | `back_off` | when to try again, and when to give up |
//!
//! Exactly once in effect: the attempt is committed before anything is sent, and
//! whatever is sent is compared with what the source holds at that moment. A
//! write that arrived although nobody learned of it, because the process was
//! killed or the answer was lost, is found there and not sent again. A value
//! that somebody else put there since the plan was made is not overwritten: the
//! next plan asks about it.

mod back_off;
mod batch;
mod judge;
mod write;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use muster_model::RunId;
use muster_model::report::TargetCounts;
use muster_storage::{Connection, Organisation};

pub(crate) use write::message;

use crate::engine::Engine;
use crate::error::EngineError;

/// Records sent in one go: read together, written one by one, stored together.
const AT_ONCE: u32 = 20;
/// How long a sender holds messages. Longer than [`WRITING`] and one last request
/// of the connector (two minutes to answer).
const LEASE: Duration = Duration::from_secs(300);
/// After so long no further record of a batch is begun.
const WRITING: SignedDuration = SignedDuration::from_secs(120);
/// How long one run sends.
const SENDING: SignedDuration = SignedDuration::from_secs(600);
/// How long one run waits in all for messages that are due soon.
const WAITING: Duration = Duration::from_secs(20);
/// Batches of one run, whatever the clock says.
const MOST_BATCHES: u32 = 100_000;

/// What became of outward writes, each field of each record counted once.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sent {
    /// Arrived.
    pub(crate) updated: u64,
    /// Refused, overtaken by somebody else's edit, or given up.
    pub(crate) failed: u64,
    /// Still to be sent.
    pub(crate) waiting: u64,
}

impl Sent {
    pub(crate) const fn counts(self) -> TargetCounts {
        TargetCounts {
            queued: self.updated + self.failed + self.waiting,
            created: 0,
            updated: self.updated,
            failed: self.failed,
            waiting: self.waiting,
        }
    }

    pub(crate) const fn and(self, later: Self) -> Self {
        Self {
            updated: self.updated + later.updated,
            failed: self.failed + later.failed,
            waiting: later.waiting,
        }
    }
}

/// Which of the waiting writes a run takes up at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Take {
    /// All: what an earlier run left must be settled before anything is compared.
    Everything,
    /// Those that are due.
    Due,
}

/// Does it make sense to go on with the next records?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goes {
    On,
    /// The source refuses or does not answer.
    NoFurther,
}

impl Engine {
    /// Sends what waits for a connection, within a bounded time, as part of a run
    /// that holds it. What cannot be sent now waits on; a source that fails is no
    /// failure of the run.
    pub(crate) async fn send_waiting(
        &self,
        organisation: &Organisation,
        connection: &Connection,
        run: RunId,
        take: Take,
    ) -> Result<Sent, EngineError> {
        let mut sent = self.left_waiting(organisation, connection).await?;
        if sent.waiting == 0 {
            return Ok(sent);
        }
        // What waited in the backup may have gone out since; the claim asks once more.
        if self.storage.installation().await?.outward_work_waits() {
            tracing::warn!(
                code = "restore.unconfirmed",
                "outward writes wait until the restore is confirmed"
            );
            return Ok(sent);
        }
        let connector = match self.open_for_sending(organisation, connection).await {
            Ok(connector) => connector,
            Err(error @ EngineError::Storage(_)) => return Err(error),
            Err(error) => {
                tracing::warn!(code = error.code(), "outward writes wait");
                return Ok(sent);
            }
        };
        let sender = batch::Sender::new(self, organisation, connection, connector.as_ref(), run);
        let began = self.now();
        let mut waited = Duration::ZERO;
        let mut due_by = began;
        if take == Take::Everything {
            let mut transaction = self.storage.begin(organisation.id).await?;
            transaction.hasten_outbox(connection.id).await?;
            transaction.commit().await?;
        }
        for _ in 0..MOST_BATCHES {
            if self.now().duration_since(began) > SENDING {
                break;
            }
            let Some(outcome) = sender.send(due_by).await? else {
                // Nothing more is due. What will be soon is waited for.
                let (_, Some(due_at)) = self.waiting(organisation, connection).await? else {
                    break;
                };
                let wait = due_at.duration_since(self.now());
                let wait = Duration::try_from(wait).unwrap_or(Duration::ZERO);
                if due_at <= due_by || waited + wait > WAITING {
                    break;
                }
                waited += wait;
                self.pause.pause(wait).await;
                due_by = due_at;
                continue;
            };
            sent.updated += outcome.updated;
            sent.failed += outcome.failed;
            if outcome.goes == Goes::NoFurther {
                break;
            }
        }
        sent.waiting = self.waiting(organisation, connection).await?.0;
        Ok(sent)
    }

    /// Sends nothing: what waits is only counted.
    pub(crate) async fn left_waiting(
        &self,
        organisation: &Organisation,
        connection: &Connection,
    ) -> Result<Sent, EngineError> {
        Ok(Sent {
            waiting: self.waiting(organisation, connection).await?.0,
            ..Sent::default()
        })
    }

    async fn waiting(
        &self,
        organisation: &Organisation,
        connection: &Connection,
    ) -> Result<(u64, Option<Timestamp>), EngineError> {
        let mut reader = self.storage.read(organisation.id).await?;
        Ok(reader.waiting_writes(connection.id).await?)
    }

    /// A connector whose account is the pinned one: nothing is ever written to
    /// another company.
    async fn open_for_sending(
        &self,
        organisation: &Organisation,
        connection: &Connection,
    ) -> Result<Box<dyn muster_connect::Connector>, EngineError> {
        let connector = self.open(organisation.id, connection).await?;
        let account = connector.account().await?;
        if connection.account.as_ref() != Some(&account.id) {
            return Err(EngineError::OtherAccount {
                name: connection.name.clone(),
            });
        }
        Ok(connector)
    }
}
