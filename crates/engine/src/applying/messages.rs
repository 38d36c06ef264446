//! What a row sends out of the house: put into the outbox in the transaction
//! that causes it.

use muster_model::plan::{Change, Effect, FieldValue};
use muster_model::{Access, ConnectionId, PersonId, PlanId, RunId, Said};
use muster_storage::{OutboxMessage, OutboxTarget};

/// What a message follows from.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    pub(super) connection: ConnectionId,
    pub(super) run: RunId,
    /// Plan and place.
    pub(super) row: (PlanId, u64),
}

/// What a row sends out of the house.
pub(super) fn messages(change: &Change, person: PersonId, origin: Origin) -> Vec<OutboxMessage> {
    let Origin {
        connection,
        run,
        row,
    } = origin;
    let message = |kind: &str, body: serde_json::Value| {
        OutboxMessage::about(person, kind, body)
            .of_run(run)
            .of_row(row)
    };
    let mail = |kind: &str| message(kind, serde_json::json!({}));
    let value = |said: &Said<FieldValue>| said.as_ref().map(|said| said.value.clone());
    // What never left needs no answer.
    let cancels = |kind: &str| {
        change.effects.iter().any(|planned| {
            matches!(&planned.effect, Effect::Cancel { kind: cancelled, .. } if cancelled == kind)
        })
    };
    change
        .effects
        .iter()
        .filter(|planned| planned.held.is_none())
        .filter_map(|planned| match &planned.effect {
            Effect::Access {
                to: Access::Invited,
                ..
            } if cancels("mail.invitation_withdrawn") => None,
            Effect::Access {
                from: Access::Invited,
                to: Access::NotInvited,
            } if cancels("mail.invitation") => None,
            Effect::Access {
                to: Access::Invited,
                ..
            }
            | Effect::Create {
                access: Access::Invited,
                ..
            } => Some(mail("mail.invitation")),
            Effect::Access {
                from: Access::Invited,
                to: Access::NotInvited,
            } => Some(mail("mail.invitation_withdrawn")),
            Effect::Outward {
                field,
                theirs,
                ours,
            } => {
                let target = OutboxTarget {
                    connection,
                    external_id: change.external_id.clone()?,
                    field: *field,
                };
                let write =
                    crate::sending::message(person, run, target, value(theirs), value(ours));
                Some(write.of_row(row))
            }
            _ => None,
        })
        .collect()
}
