//! Must a queued write still be sent, now that the source was looked at?

use muster_model::{Said, Value};
use muster_reconcile::compare::same;

use super::write::Write;

/// What the source's present value means for a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The source holds our value, or its own form of it: there is nothing to send.
    Holds,
    /// It holds what it held when the write was decided.
    Write,
    /// Somebody put another value there since: it is not overwritten unseen.
    Moved,
}

/// Compares what the source holds with what it shall hold. Only a repeated write
/// can be there in the vendor's own form already; of a first one such a value is
/// somebody's edit.
pub(super) fn judge(write: &Write, present: Said<&Value>) -> Verdict {
    let (field, ours) = (write.field, write.ours.as_ref());
    if same(field, present, ours) {
        Verdict::Holds
    } else if same(field, present, write.theirs.as_ref()) {
        Verdict::Write
    } else if write.is_repeated() && is_form_of(present, ours) {
        Verdict::Holds
    } else {
        Verdict::Moved
    }
}

/// Could a vendor have made `form` of `value` by trimming, cutting, spacing,
/// punctuating or changing the case?
pub(super) fn is_form_of(form: Said<&Value>, value: Said<&Value>) -> bool {
    let (Some(form), Some(value)) = (form.value(), value.value()) else {
        return false;
    };
    let (Some(form), Some(value)) = (bare(form), bare(value)) else {
        return false;
    };
    // A cut value must leave enough to be told from another.
    form == value || (value.starts_with(&form) && form.len() * 2 >= value.len())
}

/// Letters and digits alone, in one case.
fn bare(value: &Value) -> Option<String> {
    let text = match value {
        Value::Text(text) => text.as_str(),
        Value::Sealed(text) => text.expose(),
        _ => return None,
    };
    let bare: String = text
        .chars()
        .filter(|one| one.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .collect();
    (!bare.is_empty()).then_some(bare)
}

#[cfg(test)]
mod tests {
    use muster_model::{Field, PersonId};
    use uuid::Uuid;

    use super::*;

    fn write(ours: &str, theirs: Option<&str>, attempts: u64) -> Write {
        Write {
            id: Uuid::nil(),
            person: PersonId::from_uuid(Uuid::nil()),
            field: Field::FamilyName,
            ours: Said::Value(Value::text(ours)),
            theirs: Said::from_optional(theirs.map(Value::text)),
            attempts,
        }
    }

    fn judged(write: &Write, present: Option<&str>) -> Verdict {
        let present = Said::from_optional(present.map(Value::text));
        judge(write, present.as_ref())
    }

    #[test]
    fn what_is_there_already_is_not_sent() {
        let first = write("Hansen", Some("Olsen"), 1);
        assert_eq!(judged(&first, Some("Hansen")), Verdict::Holds);
        assert_eq!(judged(&first, Some("Olsen")), Verdict::Write);
        assert_eq!(judged(&write("Hansen", None, 1), None), Verdict::Write);
    }

    #[test]
    fn somebody_elses_edit_is_not_overwritten() {
        for attempts in [1, 2] {
            let write = write("Hansen", Some("Olsen"), attempts);
            assert_eq!(judged(&write, Some("Berg")), Verdict::Moved);
            assert_eq!(judged(&write, None), Verdict::Moved);
        }
    }

    #[test]
    fn the_vendors_form_counts_only_when_it_may_be_ours() {
        for form in ["HANSEN-BERG", "Hansen", "hansen berg"] {
            let ours = "Hansen-Berg";
            assert_eq!(
                judged(&write(ours, Some("Olsen"), 1), Some(form)),
                Verdict::Moved
            );
            assert_eq!(
                judged(&write(ours, Some("Olsen"), 2), Some(form)),
                Verdict::Holds
            );
        }
        let short = write("Hansen-Berg", Some("Olsen"), 2);
        assert_eq!(judged(&short, Some("Han")), Verdict::Moved);
    }

    #[test]
    fn a_form_that_was_there_before_does_not_stand_for_ours() {
        let corrected = write("McDonald", Some("Mcdonald"), 2);
        assert_eq!(judged(&corrected, Some("Mcdonald")), Verdict::Write);
    }
}
