//! What was skipped on a row that joins a record and somebody: before the row is done
//! there is no link that could take it over, so the one that doing it makes does.

use muster_model::link::{Choice, Decision};
use muster_model::plan::{Change, Effect, FieldValue, Planned};
use muster_model::{DigestKey, Said, Value};
use muster_reconcile::compare::pair_digest;
use muster_reconcile::resolve::RowAnswer;

/// The effects that write down what was skipped, where the row as it was decided
/// joins; none otherwise.
pub(super) fn skips(
    asked: &Change,
    decided: &Change,
    answer: &RowAnswer,
    key: &DigestKey,
) -> Vec<Planned> {
    let joins = |planned: &Planned| planned.held.is_none() && planned.effect == Effect::Link;
    if !decided.effects.iter().any(joins) {
        return Vec::new();
    }
    let skipped = asked.effects.iter().filter_map(|planned| {
        let Effect::Conflict {
            field,
            theirs,
            ours,
        } = &planned.effect
        else {
            return None;
        };
        let side = |said: &Said<FieldValue>| -> Said<Value> { said.clone().map(|said| said.value) };
        let (one, other) = (side(theirs), side(ours));
        let pair = pair_digest(key, *field, one.as_ref(), other.as_ref());
        (answer.fields.get(field) == Some(&Choice::Skip)).then(|| {
            Planned::free(Effect::Decide {
                field: *field,
                from: None,
                to: Some(Decision {
                    pair,
                    choice: Choice::Skip,
                }),
                theirs: theirs.clone(),
                ours: ours.clone(),
            })
        })
    });
    skipped.collect()
}
