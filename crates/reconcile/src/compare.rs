//! What differs from what we both knew last? Per field (`engine.md`, Comparing;
//! the table is [`TABLE`]).

use jiff::Timestamp;
use muster_model::link::{Base, Choice};
use muster_model::policy::{EmptyRule, FirstDifference};
use muster_model::{Digest, DigestKey, Field, Flow, Link, Policy, Said, Value};

/// How a side stands to the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// As it was.
    Kept,
    /// Another value.
    Moved,
    /// A value was there, and the source says that there is none.
    Emptied,
}

/// The outcome for one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Equal, once folded.
    Same,
    /// The source moved.
    TheirsChanged,
    /// We moved.
    OursChanged,
    /// Both moved, to different values.
    Conflict,
    /// The source lost its value; the field's empty rule decides.
    Emptied,
    /// The source does not say.
    Silent,
    /// Only the source has a value, and nothing was ever agreed.
    MissingHere,
    /// Only we have one.
    MissingThere,
    /// Both have one, and nothing was ever agreed.
    FirstDifference,
}

/// One line of the comparing table.
#[derive(Debug)]
pub struct Line {
    /// Cells: base, theirs against base, ours against base, outcome.
    pub cells: [&'static str; 4],
    /// What the line says.
    pub outcome: Outcome,
}

/// The comparing table, as data.
pub const TABLE: &[Line] = &[
    Line {
        cells: ["any", "equals ours", "–", "same; base becomes that"],
        outcome: Outcome::Same,
    },
    Line {
        cells: ["some", "moved", "not", "theirs changed"],
        outcome: Outcome::TheirsChanged,
    },
    Line {
        cells: ["some", "not", "moved", "ours changed"],
        outcome: Outcome::OursChanged,
    },
    Line {
        cells: [
            "some",
            "moved",
            "moved",
            "both changed: conflict (their null counts as moved)",
        ],
        outcome: Outcome::Conflict,
    },
    Line {
        cells: [
            "some",
            "null now, was filled",
            "not",
            "emptied: the field's empty rule decides (keep by default)",
        ],
        outcome: Outcome::Emptied,
    },
    Line {
        cells: [
            "some",
            "absent now",
            "–",
            "nothing changes; the coverage watch is fed",
        ],
        outcome: Outcome::Silent,
    },
    Line {
        cells: ["none", "has a value", "none", "missing here"],
        outcome: Outcome::MissingHere,
    },
    Line {
        cells: ["none", "none", "has a value", "missing there"],
        outcome: Outcome::MissingThere,
    },
    Line {
        cells: [
            "none",
            "has a value",
            "another value",
            "first difference: the policy's first-sync answer (`mirror` asks; `provision` and `auto` take theirs)",
        ],
        outcome: Outcome::FirstDifference,
    },
];

/// Compares one field three ways.
#[must_use]
pub fn outcome(
    field: Field,
    base: Option<&Base>,
    theirs: Said<&Value>,
    ours: Said<&Value>,
) -> Outcome {
    // A source that does not speak of a field says nothing about its value: not
    // that it is missing there either, for it may have no such field at all.
    if theirs.is_absent() {
        return Outcome::Silent;
    }
    if same(field, theirs, ours) {
        return Outcome::Same;
    }
    let Some(base) = base else {
        return match (theirs.value(), ours.value()) {
            (Some(_), None) => Outcome::MissingHere,
            (None, Some(_)) => Outcome::MissingThere,
            (Some(_), Some(_)) => Outcome::FirstDifference,
            (None, None) => Outcome::Same,
        };
    };
    let theirs_stand = match (theirs, base.theirs.value()) {
        (Said::Null, Some(_)) => Stand::Emptied,
        _ if same(field, theirs, base.theirs.as_ref()) => Stand::Kept,
        _ => Stand::Moved,
    };
    let ours_moved = !same(field, ours, base.ours.as_ref());
    match (theirs_stand, ours_moved) {
        (Stand::Kept, false) => Outcome::Same,
        (Stand::Moved, false) => Outcome::TheirsChanged,
        (Stand::Emptied, false) => Outcome::Emptied,
        (Stand::Kept, true) => Outcome::OursChanged,
        (Stand::Moved | Stand::Emptied, true) => Outcome::Conflict,
    }
}

/// Are the two statements the same for this field, once folded?
pub(crate) fn same(field: Field, one: Said<&Value>, two: Said<&Value>) -> bool {
    match (one.value(), two.value()) {
        (Some(one), Some(two)) => one.same(two, field),
        (None, None) => true,
        _ => false,
    }
}

/// What the comparison of one field asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Ours becomes theirs.
    TakeTheirs,
    /// Ours loses its value.
    Clear,
    /// Theirs becomes ours.
    GiveOurs,
    /// A person decides.
    Ask,
    /// A person decided about this very pair of values: it is left alone until
    /// one of them moves.
    Decided,
}

/// What one field of a linked person asks for under a policy; `None`: nothing.
#[must_use]
pub fn wish(
    policy: &Policy,
    field: Field,
    link: Option<&Link>,
    theirs: Said<&Value>,
    ours: Said<&Value>,
    key: &DigestKey,
) -> Option<Wish> {
    let base = link.and_then(|link| link.base.get(&field));
    let wish = match policy.flow(field) {
        Flow::KeyOnly | Flow::Off => None,
        Flow::Out => gives_ours(field, base, theirs, ours).then_some(Wish::GiveOurs),
        Flow::In => match (theirs, ours.value()) {
            (Said::Absent, _) | (Said::Null, None) => None,
            // An engagement without an end is open: that is a statement, not a loss,
            // and whoever was rehired has no last day any more.
            (Said::Null, Some(_)) if field == Field::EndDate => Some(Wish::TakeTheirs),
            (Said::Null, Some(_)) => match policy.emptied {
                EmptyRule::Keep => None,
                EmptyRule::Clear => Some(Wish::Clear),
            },
            (Said::Value(theirs), Some(ours)) if theirs.same(ours, field) => None,
            (Said::Value(_), _) => Some(Wish::TakeTheirs),
        },
        Flow::Both => {
            let first = match policy.first_difference {
                FirstDifference::Ask => Wish::Ask,
                FirstDifference::TakeTheirs => Wish::TakeTheirs,
            };
            match outcome(field, base, theirs, ours) {
                Outcome::Same | Outcome::Silent => None,
                Outcome::TheirsChanged => Some(Wish::TakeTheirs),
                Outcome::OursChanged => Some(Wish::GiveOurs),
                Outcome::Conflict => Some(Wish::Ask),
                Outcome::Emptied => match policy.emptied {
                    EmptyRule::Keep => None,
                    EmptyRule::Clear => Some(Wish::Clear),
                },
                Outcome::MissingHere | Outcome::FirstDifference => Some(first),
                Outcome::MissingThere => match first {
                    Wish::TakeTheirs => None,
                    other => Some(other),
                },
            }
        }
    }?;
    // A skip, and an undone or refused row, hold until one of the values moves.
    Some(match decision(link, field, theirs, ours, key) {
        Some(Choice::Skip | Choice::Declined) => Wish::Decided,
        Some(Choice::Theirs) => Wish::TakeTheirs,
        Some(Choice::Ours) => Wish::GiveOurs,
        None => wish,
    })
}

/// What somebody decided about this very pair of values.
#[must_use]
pub fn decision(
    link: Option<&Link>,
    field: Field,
    theirs: Said<&Value>,
    ours: Said<&Value>,
    key: &DigestKey,
) -> Option<Choice> {
    link?
        .decisions
        .get(&field)
        .filter(|decision| decision.pair == pair_digest(key, field, theirs, ours))
        .map(|decision| decision.choice)
}

/// May the field not move between these two values, because it went back and
/// forth between them and nobody has decided?
#[must_use]
pub fn is_frozen(
    link: Option<&Link>,
    field: Field,
    theirs: Said<&Value>,
    ours: Said<&Value>,
    key: &DigestKey,
    now: Timestamp,
) -> bool {
    let swing = link.and_then(|link| link.swings.get(&field));
    swing.is_some_and(|swing| {
        let side = |said| side_digest(key, field, said);
        swing.freezes(&side(theirs), &side(ours), now)
    }) && decision(link, field, theirs, ours, key).is_none()
}

/// The keyed digest of one side of a field.
pub(crate) fn side_digest(key: &DigestKey, field: Field, said: Said<&Value>) -> Digest {
    let mut digester = key.digester("side");
    digester.text(field.name());
    match said.value() {
        None => {
            digester.number(0);
        }
        Some(value) => value.digest_into(digester.number(1)),
    }
    digester.finish()
}

/// Does a field that we own have to be written? Not while the source holds the
/// form that it gave back for the value we have; and nothing is emptied there
/// that we never had.
fn gives_ours(field: Field, base: Option<&Base>, theirs: Said<&Value>, ours: Said<&Value>) -> bool {
    let Some(base) = base else {
        return ours.value().is_some() && (theirs.is_absent() || !same(field, theirs, ours));
    };
    let ours_moved = !same(field, ours, base.ours.as_ref());
    let theirs_moved = !theirs.is_absent() && !same(field, theirs, base.theirs.as_ref());
    let equal = !theirs.is_absent() && same(field, theirs, ours);
    !equal && (ours_moved || theirs_moved)
}

/// The keyed digest of a pair of values: what a decision is about.
#[must_use]
pub fn pair_digest(
    key: &DigestKey,
    field: Field,
    theirs: Said<&Value>,
    ours: Said<&Value>,
) -> Digest {
    let mut digester = key.digester("pair");
    digester.text(field.name());
    for said in [theirs, ours] {
        match said {
            Said::Absent => {
                digester.number(0);
            }
            Said::Null => {
                digester.number(1);
            }
            Said::Value(value) => value.digest_into(digester.number(2)),
        }
    }
    digester.finish()
}
