//! A field that goes back and forth between the same two values.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The last moves of a field between two values, in whichever direction they
/// were written. Digests and times only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swing {
    /// What the last move began with.
    pub from: Digest,
    /// What it ended with.
    pub to: Digest,
    /// When each move was written, newest last; at most [`Swing::MOVES`].
    pub at: Vec<Timestamp>,
}

impl Swing {
    /// So many moves between the same two values within [`Swing::WINDOW`], and
    /// the field is frozen (`engine.md`, Comparing).
    pub const MOVES: usize = 3;
    /// A day: the window of the moves, and how long the field is frozen after
    /// the last of them.
    pub const WINDOW: SignedDuration = SignedDuration::from_hours(24);

    /// The swing after another move.
    #[must_use]
    pub fn after(before: Option<&Self>, from: Digest, to: Digest, now: Timestamp) -> Self {
        let fresh = Self {
            from,
            to,
            at: vec![now],
        };
        match before {
            // Asked for again because it was not answered yet: no new move.
            Some(before) if before.from == from && before.to == to => before.clone(),
            Some(before) if before.from == to && before.to == from => {
                let mut at = before.at.clone();
                at.retain(|then| now.duration_since(*then) < Self::WINDOW);
                at.push(now);
                if at.len() > Self::MOVES {
                    at.remove(0);
                }
                Self { at, ..fresh }
            }
            _ => fresh,
        }
    }

    /// May the field move between these two values now?
    #[must_use]
    pub fn freezes(&self, one: &Digest, two: &Digest, now: Timestamp) -> bool {
        let same = (&self.from == one && &self.to == two) || (&self.from == two && &self.to == one);
        let recent = self
            .at
            .last()
            .is_some_and(|last| now.duration_since(*last) < Self::WINDOW);
        same && recent && self.at.len() >= Self::MOVES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::DigestKey;

    #[test]
    fn three_moves_within_a_day_freeze_and_a_day_without_one_thaws() {
        let key = DigestKey::new([7; 32]);
        let [a, b, c] = ["a", "b", "c"].map(|text| key.digest("value", text));
        let at = |hours: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        let mut swing = Swing::after(None, a, b, at(0));
        assert!(!swing.freezes(&b, &a, at(1)));
        swing = Swing::after(Some(&swing), b, a, at(1));
        // The same move asked for again is no move.
        swing = Swing::after(Some(&swing), b, a, at(2));
        assert!(!swing.freezes(&a, &b, at(2)));
        swing = Swing::after(Some(&swing), a, b, at(3));
        assert!(swing.freezes(&b, &a, at(4)) && swing.freezes(&a, &b, at(4)));
        assert!(!swing.freezes(&b, &c, at(4)), "a third value is none of it");
        assert!(!swing.freezes(&b, &a, at(27)), "a day without a move");
        let slow = [(b, a, 30), (a, b, 60), (b, a, 90)];
        for (from, to, hours) in slow {
            swing = Swing::after(Some(&swing), from, to, at(hours));
            assert!(
                !swing.freezes(&to, &from, at(hours + 1)),
                "once in a day is no swing"
            );
        }
        swing = Swing::after(Some(&swing), a, c, at(91));
        assert_eq!(swing.at.len(), 1);
    }
}
