//! Days of the rehearsal year as civil dates.

use jiff::ToSpan;
use jiff::civil::Date;

/// The day before the first change: what the `stale` fault of day 0 serves.
pub(super) const FIRST_DAY: i32 = -30;
/// The last day on which something changes.
pub(super) const LAST_DAY: i32 = 365;

/// Some 270 years: no calendar here goes further, and every date library does.
const FURTHEST: i32 = 100_000;

/// Turns day numbers into dates: day 0 is the year's start.
///
/// Nothing depends on the day of the week, so that a firm is the same
/// whichever year it is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Calendar {
    /// The date of day 0.
    pub(super) year_start: Date,
}

impl Calendar {
    /// The date of a day; a day before the year is negative. Days further
    /// away than [`FURTHEST`] have the date of that one.
    pub(super) fn date(self, day: i32) -> Date {
        let day = day.clamp(-FURTHEST, FURTHEST);
        self.year_start.saturating_add(i64::from(day).days())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_count_from_the_start_of_the_year() {
        let calendar = Calendar {
            year_start: date(2025, 1, 1),
        };
        assert_eq!(calendar.date(0), date(2025, 1, 1));
        assert_eq!(calendar.date(59), date(2025, 3, 1));
        assert_eq!(calendar.date(-31), date(2024, 12, 1));
    }
}
