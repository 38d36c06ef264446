//! How much happens in a year of a firm of one size, and on which days.

use super::calendar::{FIRST_DAY, LAST_DAY};
use super::hard_case::HARD_CASES_FROM;
use super::stream::Stream;

/// Joiners in a year for a hundred people.
const JOINERS: u32 = 12;
/// Leavers in a year for a hundred people.
const LEAVERS: u32 = 10;
/// Movers in a year for a hundred people.
const MOVERS: u32 = 20;
/// People who left before the year, in a hundred records.
const FORMER: u32 = 3;
/// Who comes back under the same id, in a thousand people a year.
const RETURNERS: u32 = 5;
/// The smallest firm to which somebody who is no hard case comes back.
const RETURNERS_FROM: u32 = 200;
/// One manager in so many departments is succeeded by one of their people.
const DEPARTMENTS_A_SUCCESSION: u32 = 20;

/// Numbers of happenings, apart from those of the hard cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rates {
    /// Records on day 0.
    pub(super) people: u32,
    /// Who of them left before the year.
    pub(super) former: u32,
    pub(super) joiners: u32,
    pub(super) leavers: u32,
    pub(super) movers: u32,
    pub(super) returners: u32,
    pub(super) successions: u32,
    /// In the thirty days before the year, at the same rates.
    pub(super) early_joiners: u32,
    pub(super) early_leavers: u32,
    pub(super) early_movers: u32,
}

impl Rates {
    /// The numbers for a firm with so many records on day 0.
    pub(super) fn of(people: u32, departments: u32) -> Self {
        let share = |percent: u32| people * percent / 100;
        let early = |a_year: u32| a_year * FIRST_DAY.unsigned_abs() / LAST_DAY.unsigned_abs();
        let has_hard_cases = people >= HARD_CASES_FROM;
        // Even in a firm of one somebody joins and something changes; nobody
        // leaves a firm of fewer than ten.
        let joiners = share(JOINERS).max(1);
        let leavers = share(LEAVERS);
        let movers = share(MOVERS).max(1);
        Self {
            people,
            // Two of them are hard cases.
            former: share(FORMER).max(if has_hard_cases { 3 } else { 0 }),
            joiners,
            leavers,
            movers,
            returners: if people >= RETURNERS_FROM {
                people * RETURNERS / 1_000
            } else {
                0
            },
            successions: if has_hard_cases {
                (departments / DEPARTMENTS_A_SUCCESSION).max(1)
            } else {
                0
            },
            early_joiners: early(joiners),
            early_leavers: early(leavers),
            // At least one, so that an answer thirty days old can be told from a fresh one.
            early_movers: early(movers).max(1),
        }
    }

    /// Records on the first day of all, thirty days before the year.
    pub(super) fn first_day(&self) -> u32 {
        self.people - self.early_joiners
    }
}

/// Days for `count` happenings, evenly over `days` from `first`: each in the
/// middle half of its own share of the time, so that no two are further apart
/// than one and a half shares and no month gets a crowd.
pub(super) fn spread(stream: &mut Stream, count: u32, first: i32, days: i32) -> Vec<i32> {
    const SHARE: i64 = 4_096;
    (0..i64::from(count))
        .map(|index| {
            let place = index * SHARE + SHARE / 4 + i64::from(stream.below(2_048));
            let offset = place * i64::from(days) / (i64::from(count) * SHARE);
            // Below `days`, so it fits.
            first + i32::try_from(offset).unwrap_or(0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::company::stream::{Purpose, StreamKey};

    #[test]
    fn happenings_are_spread_evenly_and_stay_in_their_time() {
        let key = StreamKey {
            seed: 9,
            other: false,
        };
        for count in [1, 2, 20, 25, 1_000] {
            let mut stream = Stream::new(key, Purpose::Year, 0);
            let days = spread(&mut stream, count, 1, 365);
            assert_eq!(days.len(), count as usize);
            assert!(days.iter().all(|day| (1..=365).contains(day)));
            let furthest = days.windows(2).map(|pair| pair[1] - pair[0]).max();
            let share = 365.0 / f64::from(count);
            assert!(f64::from(furthest.unwrap_or(0)) <= 1.5 * share + 1.0);
        }
    }

    #[test]
    fn a_firm_of_any_size_keeps_most_of_its_people() {
        for people in [1, 2, 3, 9, 10, 60, 250, 1_000_000] {
            let rates = Rates::of(people, people.isqrt());
            let left = rates.former + rates.early_leavers + rates.leavers + rates.successions;
            assert!(left * 4 <= people, "{left} of {people}");
            assert!(rates.first_day() >= 1 && rates.joiners >= 1 && rates.movers >= 1);
        }
    }
}
