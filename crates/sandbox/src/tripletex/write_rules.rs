//! Rules and words that all written objects share.

use super::failure::{Failure, ValidationMessage};
use super::mapping::Draft;
use super::row::Row;

/// What is wrong with a body, as it is gathered.
pub(super) type Messages = Vec<ValidationMessage>;

pub(super) const CANNOT_BE_NULL: &str = "Kan ikke være null.";
pub(super) const MUST_BE_FILLED: &str = "Feltet må fylles ut.";
pub(super) const INVALID_FORMAT: &str = "Ugyldig format.";
pub(super) const IN_USE: &str = "Nummeret er i bruk.";
pub(super) const NOT_THERE: &str = "Objektet finnes ikke.";

/// A new object has neither id nor version.
pub(super) fn is_new(draft: &Draft, messages: &mut Messages) {
    for (name, given) in [("id", draft.id), ("version", draft.version)] {
        if given.is_some() {
            messages.push(ValidationMessage::field(
                name,
                "Kan ikke angis ved opprettelse.",
            ));
        }
    }
}

/// Optimistic locking: a version in the body must be the current one; without
/// one the write goes through.
pub(super) fn is_current(draft: &Draft, present: &Row) -> Result<(), Failure> {
    match draft.version {
        Some(version) if version != u64::from(present.version) => Err(Failure::revision()),
        _ => Ok(()),
    }
}

/// Refuses when there is anything to say.
pub(super) fn refuse(messages: Messages) -> Result<(), Failure> {
    if messages.is_empty() {
        Ok(())
    } else {
        Err(Failure::validation(messages))
    }
}
