//! A source that makes its records instead of asking anybody: no network, and
//! no vendor's mapping, so that what is measured is ours.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use muster_connect::manifest::ConnectorInfo;
use muster_connect::{Account, Confirmation, ConnectError, Connector, ReadRequest, RecordSink};
use muster_model::{Evidence, EvidenceLevel, ExternalId};

use crate::people;
use crate::stopwatch::Stopwatch;

/// Records of a page.
const PAGE: u64 = 1_000;

/// A source of made-up people.
pub(crate) struct Generated {
    info: &'static ConnectorInfo,
    people: u64,
    /// Each so-many-th record says something else; 0 for none.
    changed_every: u64,
    made: AtomicU64,
}

impl Generated {
    pub(crate) fn new(info: &'static ConnectorInfo, people: u64, changed_every: u64) -> Self {
        Self {
            info,
            people,
            changed_every,
            made: AtomicU64::new(0),
        }
    }

    /// How long making the records took: no part of the pipeline.
    pub(crate) fn making(&self) -> Duration {
        Duration::from_nanos(self.made.load(Ordering::Relaxed))
    }
}

#[async_trait]
impl Connector for Generated {
    fn info(&self) -> &ConnectorInfo {
        self.info
    }

    async fn account(&self) -> Result<Account, ConnectError> {
        Ok(Account {
            id: "bench".to_owned(),
            name: None,
            rights: None,
        })
    }

    async fn read(
        &self,
        _request: &ReadRequest,
        sink: &mut dyn RecordSink,
    ) -> Result<Evidence, ConnectError> {
        let mut evidence = Evidence::none();
        evidence.account = Some("bench".to_owned());
        let mut next = 0;
        while next < self.people {
            let end = (next + PAGE).min(self.people);
            let making = Stopwatch::start();
            let page = (next..end)
                .map(|number| {
                    let changed = self.changed_every > 0 && number % self.changed_every == 0;
                    people::record(number, changed)
                })
                .collect();
            let nanoseconds = u64::try_from(making.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.made.fetch_add(nanoseconds, Ordering::Relaxed);
            sink.records(page).await?;
            evidence.pages += 1;
            next = end;
        }
        evidence.read = self.people;
        evidence.level = EvidenceLevel::Ended;
        evidence.complete = true;
        Ok(evidence)
    }

    async fn confirm(
        &self,
        _ids: &[ExternalId],
    ) -> Result<BTreeMap<ExternalId, Confirmation>, ConnectError> {
        Ok(BTreeMap::new())
    }
}
