//! The clock that is passed in, and the civil day of a zone.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Where "now" comes from. Nothing below the binary asks the machine.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still: for tests, and for rehearsals of another day.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// The civil date of an instant in a zone.
#[must_use]
pub fn date_in(instant: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(instant).date()
}
