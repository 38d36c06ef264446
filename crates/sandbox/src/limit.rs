//! How many calls a vendor allows.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// So many calls in each period of a vendor's time; what is more is refused in
/// the vendor's own words until the period ends.
#[derive(Clone)]
pub struct RateLimit {
    /// Calls in a period.
    pub calls: u64,
    /// How long a period is. The first begins with the first call.
    pub per: Duration,
    /// What time it is at the vendor.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} calls in {:?}", self.calls, self.per)
    }
}

/// What became of the calls under a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Calls that were answered.
    pub answered: u64,
    /// Calls that were refused.
    pub refused: u64,
}

/// The calls of the running period.
pub(crate) struct Quota {
    limit: RateLimit,
    begun: Option<Timestamp>,
    used: u64,
    pub(crate) counted: Counted,
}

/// What is left of a period.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    pub(crate) allowed: u64,
    pub(crate) calls: u64,
    /// Until the period ends.
    pub(crate) seconds: u64,
    /// Was the call one too many?
    pub(crate) is_refused: bool,
}

impl Quota {
    pub(crate) fn of(limit: RateLimit) -> Self {
        Self {
            limit,
            begun: None,
            used: 0,
            counted: Counted::default(),
        }
    }

    /// Counts a call.
    pub(crate) fn take(&mut self) -> Left {
        let now = (self.limit.now)();
        let passed = |begun: Timestamp| {
            Duration::try_from(now.duration_since(begun)).unwrap_or(Duration::ZERO)
        };
        let begun = match self.begun {
            Some(begun) if passed(begun) < self.limit.per => begun,
            _ => {
                self.used = 0;
                now
            }
        };
        self.begun = Some(begun);
        let is_refused = self.used >= self.limit.calls;
        if is_refused {
            self.counted.refused += 1;
        } else {
            self.used += 1;
            self.counted.answered += 1;
        }
        let rest = self.limit.per.saturating_sub(passed(begun));
        Left {
            allowed: self.limit.calls,
            calls: self.limit.calls - self.used,
            // A part of a second is a second: who waits less comes too early.
            seconds: rest.as_secs() + u64::from(rest.subsec_nanos() > 0),
            is_refused,
        }
    }
}
