//! When to try again, and when to give up.

use std::time::Duration;

use jiff::Timestamp;

/// Seconds after each attempt: the first ones for a passing fault, the later
/// ones for a source that is down; about nine hours in all.
const WAITS: [u64; 7] = [1, 4, 15, 60, 600, 3_600, 28_800];

/// When a message is tried again after so many attempts; `None` when there were
/// enough. Whatever still differs then is planned anew by the next sync.
pub(super) fn next_attempt(attempts: u64, now: Timestamp) -> Option<Timestamp> {
    let index = usize::try_from(attempts.saturating_sub(1)).ok()?;
    let seconds = WAITS.get(index)?;
    now.checked_add(Duration::from_secs(*seconds)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let now = Timestamp::UNIX_EPOCH;
        let waits: Vec<Option<i64>> = (1..=9)
            .map(|attempts| next_attempt(attempts, now).map(Timestamp::as_second))
            .collect();
        let grown = waits.windows(2).all(|pair| match (pair[0], pair[1]) {
            (Some(one), Some(two)) => one < two,
            (_, None) => true,
            (None, Some(_)) => false,
        });
        assert!(grown, "{waits:?}");
        assert_eq!(waits[0], Some(1));
        assert_eq!(waits[7], None);
    }
}
