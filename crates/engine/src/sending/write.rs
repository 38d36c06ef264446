//! One queued write of a field.

use muster_model::{Field, Fields, PersonId, RunId, Said, Value};
use muster_storage::{OutboxMessage, OutboxTarget, StoredMessage};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The kind of message.
const KIND: &str = "source.update";

/// What is stored sealed: the value that shall be there, and the one that was
/// there when this was decided.
#[derive(Serialize, Deserialize)]
struct Body {
    ours: Fields,
    theirs: Fields,
}

/// A message that writes `ours` where the plan saw `theirs`.
pub(crate) fn message(
    person: PersonId,
    run: RunId,
    target: OutboxTarget,
    theirs: Said<Value>,
    ours: Said<Value>,
) -> OutboxMessage {
    let mut body = Body {
        ours: Fields::new(),
        theirs: Fields::new(),
    };
    body.ours.set(target.field, ours);
    body.theirs.set(target.field, theirs);
    // Two maps of canonical values: there is nothing in them that JSON cannot say.
    let body = serde_json::to_value(body).unwrap_or_default();
    OutboxMessage::about(person, KIND, body)
        .of_run(run)
        .to(target)
}

/// A queued write, read back.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) id: Uuid,
    pub(super) person: PersonId,
    pub(super) field: Field,
    /// What shall be there.
    pub(super) ours: Said<Value>,
    /// What was there when it was decided.
    pub(super) theirs: Said<Value>,
    /// Attempts, the present one included.
    pub(super) attempts: u64,
}

impl Write {
    /// `None` for a message that is none, which no version of this program queues.
    pub(super) fn read(stored: &StoredMessage) -> Option<(OutboxTarget, Self)> {
        let target = stored.message.target.clone()?;
        if stored.message.kind != KIND {
            return None;
        }
        let body: Body = serde_json::from_value(stored.message.body.clone()).ok()?;
        let side = |fields: &Fields| fields.get(target.field).map(Clone::clone);
        let write = Self {
            id: stored.id,
            person: stored.message.person,
            field: target.field,
            ours: side(&body.ours),
            theirs: side(&body.theirs),
            attempts: stored.attempts,
        };
        Some((target, write))
    }

    /// May an earlier attempt have gone out?
    pub(super) const fn is_repeated(&self) -> bool {
        self.attempts > 1
    }
}
