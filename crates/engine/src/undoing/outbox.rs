//! What a run put into the outbox, and how far it came.

use std::collections::BTreeMap;

use muster_model::plan::Planned;
use muster_model::{ExternalId, PersonId, RunId};
use muster_reconcile::undo::Message;
use muster_storage::Reader;

use crate::error::EngineError;

/// The messages of a run, by person.
#[derive(Default)]
pub(super) struct Sent(BTreeMap<PersonId, Vec<Message>>);

/// Everything that a run put into the outbox.
pub(super) async fn of_run(_reader: &mut Reader, _run: RunId) -> Result<Sent, EngineError> {
    Ok(Sent::default())
}

impl Sent {
    /// The messages of a row.
    pub(super) fn take(
        &mut self,
        person: Option<PersonId>,
        _record: Option<&ExternalId>,
        _effects: &[Planned],
    ) -> Vec<Message> {
        person
            .and_then(|person| self.0.remove(&person))
            .unwrap_or_default()
    }
}
