//! Random numbers that are the same for a seed on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What every stream of one firm is derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StreamKey {
    /// The seed somebody chose.
    pub(super) seed: u64,
    /// Whether this is the other firm of the same seed.
    pub(super) other: bool,
}

/// What a stream decides. Each has numbers of its own, so that a new question
/// asked of one does not change the answers of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The firm: its name and ids.
    Firm = 1,
    /// Names, birth, and which identity papers somebody has.
    Persona = 2,
    /// Telephone, address, bank account.
    Contact = 3,
    /// Employments and their terms.
    Work = 4,
    /// Who sits where, and what happens to whom and when.
    Year = 5,
    /// The name somebody takes later.
    Rename = 6,
    /// How somebody's telephone numbers are typed.
    Phone = 7,
}

/// A stream of random numbers.
///
/// The draws below are written out instead of taken from a distribution of the
/// `rand` crate: those may give other values in another release or, for
/// `usize`, on another machine, and the rehearsal company must not.
pub(super) struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of one purpose and one ordinal (of a person, or 0).
    pub(super) fn new(key: StreamKey, purpose: Purpose, ordinal: u32) -> Self {
        let mut bytes = [0_u8; 32];
        let head = key.seed.to_le_bytes();
        let tail = [u8::from(key.other), purpose as u8];
        for (slot, byte) in bytes.iter_mut().zip(head.into_iter().chain(tail)) {
            *slot = byte;
        }
        let mut generator = ChaCha8Rng::from_seed(bytes);
        generator.set_stream(u64::from(ordinal));
        Self(generator)
    }

    /// A number from 0 up to, not including, `bound`; 0 when `bound` is 0.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        let product = u64::from(self.0.next_u32()) * u64::from(bound);
        // The product's upper half is below `bound`, so it fits.
        u32::try_from(product >> 32).unwrap_or(0)
    }

    /// A number of days from 0 up to, not including, `bound`; 0 when `bound` is not positive.
    pub(super) fn days_below(&mut self, bound: i32) -> i32 {
        let bound = u32::try_from(bound).unwrap_or(0);
        // Below a positive `i32`, so it fits.
        i32::try_from(self.below(bound)).unwrap_or(0)
    }

    /// The smaller of two draws below `bound`: small numbers are likelier.
    pub(super) fn low_days_below(&mut self, bound: i32) -> i32 {
        self.days_below(bound).min(self.days_below(bound))
    }

    /// True in `percent` of a hundred cases.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of a list that is not empty; `otherwise` for an empty one.
    pub(super) fn pick<T: Copy>(&mut self, list: &[T], otherwise: T) -> T {
        let bound = u32::try_from(list.len()).unwrap_or(u32::MAX);
        let index = self.below(bound) as usize;
        list.get(index).copied().unwrap_or(otherwise)
    }

    /// Puts a list into a random order (Fisher and Yates).
    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        let length = u32::try_from(list.len()).unwrap_or(u32::MAX);
        for last in (1..length).rev() {
            let other = self.below(last + 1);
            list.swap(last as usize, other as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: StreamKey = StreamKey {
        seed: 1,
        other: false,
    };

    /// The first numbers of a known stream: if these move, every firm moves.
    #[test]
    fn the_numbers_of_a_seed_are_fixed() {
        let mut stream = Stream::new(KEY, Purpose::Year, 0);
        let drawn: Vec<u32> = (0..6).map(|_| stream.below(1000)).collect();
        assert_eq!(drawn, FIRST_DRAWS);
    }

    const FIRST_DRAWS: [u32; 6] = [775, 204, 515, 710, 180, 779];

    #[test]
    fn purpose_ordinal_seed_and_firm_each_give_another_stream() {
        let first =
            |mut stream: Stream| -> Vec<u32> { (0..4).map(|_| stream.below(u32::MAX)).collect() };
        let reference = first(Stream::new(KEY, Purpose::Year, 0));
        let other_seed = StreamKey { seed: 2, ..KEY };
        let other_firm = StreamKey { other: true, ..KEY };
        assert_ne!(reference, first(Stream::new(KEY, Purpose::Work, 0)));
        assert_ne!(reference, first(Stream::new(KEY, Purpose::Year, 1)));
        assert_ne!(reference, first(Stream::new(other_seed, Purpose::Year, 0)));
        assert_ne!(reference, first(Stream::new(other_firm, Purpose::Year, 0)));
    }

    #[test]
    fn draws_stay_below_their_bound_and_reach_all_of_it() {
        let mut stream = Stream::new(KEY, Purpose::Year, 7);
        let mut seen = [false; 5];
        for _ in 0..200 {
            seen[stream.below(5) as usize] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(stream.below(0), 0);
        assert_eq!(stream.days_below(-3), 0);
    }

    #[test]
    fn a_shuffle_keeps_every_element() {
        let mut list: Vec<u32> = (0..50).collect();
        Stream::new(KEY, Purpose::Year, 0).shuffle(&mut list);
        assert_ne!(list, (0..50).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..50).collect::<Vec<_>>());
    }
}
