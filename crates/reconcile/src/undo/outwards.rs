//! What left the house, or was about to: in three lists, and what never left.

use muster_model::plan::{Effect, FieldValue, Planned};
use muster_model::policy::BrakeKind;
use muster_model::{Access, ExternalId, Field, Person, PersonId, Said};

use super::Message;
use super::row::Turning;
use crate::compare::same;

/// What an undo means for one effect outside the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutwardEffect {
    /// About whom.
    pub person: PersonId,
    /// The record, if it is one.
    pub external_id: Option<ExternalId>,
    /// What was sent, such as `source.update`.
    pub kind: String,
    /// The field that was written, if one was.
    pub field: Option<Field>,
    /// What becomes of it.
    pub way: Way,
    /// Why, when it cannot be undone.
    pub reason: Option<&'static str>,
}

/// What becomes of an effect outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// It never left, and will not.
    Cancelled,
    /// The earlier value is written again.
    CounterWrite,
    /// A new message answers it.
    NewMessage,
    /// It stays.
    Never,
}

impl Way {
    /// In the order in which they are listed.
    pub const ALL: [Self; 4] = [
        Self::Cancelled,
        Self::CounterWrite,
        Self::NewMessage,
        Self::Never,
    ];

    /// The heading of its list.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled, nothing left the house",
            Self::CounterWrite => "reverted by a counter-write",
            Self::NewMessage => "answered by a new message",
            Self::Never => "cannot be undone",
        }
    }

    /// The name of its list in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::CounterWrite => "counter_write",
            Self::NewMessage => "new_message",
            Self::Never => "cannot",
        }
    }
}

/// All outward effects of a row.
pub type Outward = Vec<OutwardEffect>;

/// The mail that says that somebody is invited.
const INVITATION: &str = "mail.invitation";
/// The mail that takes it back.
const WITHDRAWAL: &str = "mail.invitation_withdrawn";
/// A field of the source that is written.
const UPDATE: &str = "source.update";

/// Takes back what a row sent.
pub(super) fn revert(turning: &mut Turning<'_>, person: &Person) {
    let done = turning.done;
    for message in &done.messages {
        let way = if message.waits {
            turning.push(Effect::Cancel {
                message: message.id,
                kind: message.kind.clone(),
            });
            (Way::Cancelled, None)
        } else if !message.left {
            // Given up or cancelled before: nothing is out there.
            continue;
        } else {
            sent(turning, person, message)
        };
        turning.outward.push(OutwardEffect {
            person: person.id,
            external_id: done.change.external_id.clone(),
            kind: message.kind.clone(),
            field: message.field,
            way: way.0,
            reason: way.1,
        });
    }
    decline_writes(turning);
}

fn sent(
    turning: &mut Turning<'_>,
    person: &Person,
    message: &Message,
) -> (Way, Option<&'static str>) {
    // An invitation is answered by its withdrawal and the other way round: the mail
    // goes with the change of access.
    let answers = |from: Access, to: Access| {
        turning
            .effects
            .iter()
            .any(|planned| planned.effect == Effect::Access { from, to })
    };
    match message.kind.as_str() {
        INVITATION if answers(Access::Invited, Access::NotInvited) => (Way::NewMessage, None),
        INVITATION if person.access != Access::Invited => {
            (Way::Never, Some("the invitation was answered since"))
        }
        WITHDRAWAL if answers(Access::NotInvited, Access::Invited) => (Way::NewMessage, None),
        UPDATE => write_back(turning, message),
        _ => (Way::Never, Some("what was said cannot be unsaid")),
    }
}

/// Writes the earlier value to the source, if nobody wrote there since.
fn write_back(turning: &mut Turning<'_>, message: &Message) -> (Way, Option<&'static str>) {
    let written = message.field.and_then(|field| outward(turning, field));
    let (Some((field, theirs, ours)), Some(now)) = (written, &turning.done.record) else {
        return (Way::Never, Some("the record is not in the source any more"));
    };
    if theirs.is_absent() {
        return (Way::Never, Some("nobody knows what the source held before"));
    }
    let flat = now.record.on(turning.input.today);
    let value = |said: &Said<FieldValue>| said.clone().map(|said| said.value);
    let (before, after) = (value(&theirs), value(&ours));
    // The form that the vendor gave back for our value is ours too, as long as it is
    // known for that value: a later sync took another pair as equal.
    let given_back = turning
        .done
        .link
        .as_ref()
        .and_then(|link| link.base.get(&field))
        .filter(|base| same(field, base.ours.as_ref(), after.as_ref()))
        .map(|base| base.theirs.clone());
    let holds = flat.get(field);
    let untouched = [Some(&before), Some(&after), given_back.as_ref()]
        .into_iter()
        .flatten()
        .any(|known| same(field, holds, known.as_ref()));
    if !untouched {
        return (Way::Never, Some("somebody wrote there since"));
    }
    let brake = match field {
        Field::BankAccount => BrakeKind::OutwardBankAccount,
        _ => BrakeKind::OutwardWrite,
    };
    turning.effects.push(Planned::braked(
        Effect::Outward {
            field,
            theirs: ours,
            ours: theirs,
        },
        brake,
    ));
    (Way::CounterWrite, None)
}

/// What the row wrote to the source: the field, what was there, what it was given.
fn outward(
    turning: &Turning<'_>,
    wanted: Field,
) -> Option<(Field, Said<FieldValue>, Said<FieldValue>)> {
    turning
        .done
        .effects
        .iter()
        .find_map(|planned| match &planned.effect {
            Effect::Outward {
                field,
                theirs,
                ours,
            } if *field == wanted => Some((*field, theirs.clone(), ours.clone())),
            _ => None,
        })
}

/// Declines what would otherwise go out again at the next sync, or come in.
fn decline_writes(turning: &mut Turning<'_>) {
    let written: Vec<_> = turning
        .done
        .effects
        .iter()
        .filter_map(|planned| match &planned.effect {
            Effect::Outward {
                field,
                theirs,
                ours,
            } => Some((*field, theirs.clone(), ours.clone())),
            _ => None,
        })
        .collect();
    for (field, theirs, ours) in written {
        turning.decide(field, (theirs, ours));
    }
}
