//! The records that a plan looks at, in blocks, in the order of their ids: those
//! that something touched and those that are missing, in one sequence.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use muster_model::ExternalId;
use muster_storage::{Reader, StoredRecord};
use tokio::sync::mpsc;

use super::load::{Block, Loader};
use crate::error::EngineError;

/// Records looked at together: a few tens of megabytes.
pub(super) const AT_ONCE: u32 = 2_000;

/// What a sequence goes through.
enum Sequence {
    /// Everything touched, and these missing records; who holds keys is asked of the
    /// contested ones, or of all.
    Everything(Arc<Vec<ExternalId>>, Option<BTreeSet<ExternalId>>),
    /// These records, whatever they are.
    These(Arc<Vec<ExternalId>>),
}

/// Blocks that are loaded while the one before is worked on: one ahead, never more.
pub(super) struct Blocks {
    coming: mpsc::Receiver<Result<Block, EngineError>>,
}

impl Blocks {
    /// Everything touched, and these missing records in order; who holds keys is asked of
    /// the contested records, where it is known which these are.
    pub(super) fn of(
        loader: &Arc<Loader>,
        missing: &Arc<Vec<ExternalId>>,
        contested: Option<BTreeSet<ExternalId>>,
    ) -> Self {
        Self::start(loader, Sequence::Everything(Arc::clone(missing), contested))
    }

    /// These records in order.
    pub(super) fn these(loader: &Arc<Loader>, ids: Vec<ExternalId>) -> Self {
        Self::start(loader, Sequence::These(Arc::new(ids)))
    }

    /// The next block; `None` after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Block>, EngineError> {
        self.coming.recv().await.transpose()
    }

    fn start(loader: &Arc<Loader>, sequence: Sequence) -> Self {
        let (sender, coming) = mpsc::channel(1);
        let loader = Arc::clone(loader);
        // Ends with the receiver: then nobody takes what is sent.
        tokio::spawn(async move {
            if let Err(error) = load(&loader, sequence, &sender).await {
                let _ = sender.send(Err(error)).await;
            }
        });
        Self { coming }
    }
}

async fn load(
    loader: &Loader,
    sequence: Sequence,
    sender: &mpsc::Sender<Result<Block, EngineError>>,
) -> Result<(), EngineError> {
    let mut reader = loader.reader().await?;
    match sequence {
        Sequence::These(ids) => {
            for ids in ids.chunks(AT_ONCE as usize) {
                let mut present = reader.records(loader.connection.id, ids).await?;
                present.sort_by(|one, two| one.external_id.cmp(&two.external_id));
                let block = loader.block(&mut reader, present, Vec::new(), None).await?;
                if sender.send(Ok(block)).await.is_err() {
                    return Ok(());
                }
            }
        }
        Sequence::Everything(missing, contested) => {
            let mut cursor = Cursor::new(loader, &missing);
            while let Some((present, absent)) = cursor.next(&mut reader).await? {
                let block = loader
                    .block(&mut reader, present, absent, contested.as_ref())
                    .await?;
                if sender.send(Ok(block)).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Where the two ordered sequences stand.
struct Cursor<'a> {
    loader: &'a Loader,
    missing: VecDeque<&'a ExternalId>,
    touched: VecDeque<StoredRecord>,
    after: Option<ExternalId>,
    exhausted: bool,
}

impl<'a> Cursor<'a> {
    fn new(loader: &'a Loader, missing: &'a [ExternalId]) -> Self {
        Self {
            loader,
            missing: missing.iter().collect(),
            touched: VecDeque::new(),
            after: None,
            exhausted: false,
        }
    }

    /// The records of the next block: those that were read, and those that were not.
    async fn next(
        &mut self,
        reader: &mut Reader,
    ) -> Result<Option<(Vec<StoredRecord>, Vec<ExternalId>)>, EngineError> {
        let (mut present, mut absent) = (Vec::new(), Vec::new());
        while present.len() + absent.len() < AT_ONCE as usize {
            if self.touched.is_empty() && !self.exhausted {
                self.fill(reader).await?;
            }
            match (self.touched.front(), self.missing.front()) {
                (Some(record), Some(id)) if **id < record.external_id => {
                    absent.extend(self.missing.pop_front().cloned());
                }
                (Some(_), _) => present.extend(self.touched.pop_front()),
                (None, Some(_)) => absent.extend(self.missing.pop_front().cloned()),
                (None, None) => break,
            }
        }
        let any = !present.is_empty() || !absent.is_empty();
        Ok(any.then_some((present, absent)))
    }

    async fn fill(&mut self, reader: &mut Reader) -> Result<(), EngineError> {
        let loader = self.loader;
        let page = reader
            .touched(
                loader.connection.id,
                loader.snapshot,
                &loader.versions,
                self.after.as_ref(),
                AT_ONCE,
            )
            .await?;
        self.exhausted = page.len() < AT_ONCE as usize;
        if let Some(last) = page.last() {
            self.after = Some(last.external_id.clone());
        }
        self.touched = page.into();
        Ok(())
    }
}
