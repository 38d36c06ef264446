//! How an organisation's work stands, in numbers.

use jiff::Timestamp;

/// Outward messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Queue {
    /// How many.
    pub messages: u64,
    /// Since when the oldest is there.
    pub oldest: Option<Timestamp>,
}

/// What works, waits or was left lying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Condition {
    /// Outward messages to be sent.
    pub waiting: Queue,
    /// Outward messages given up.
    pub failed: Queue,
    /// Runs at work now, with a lease that is still good.
    pub runs_at_work: u64,
    /// Runs that have not ended and that nobody works on any more.
    pub runs_left: u64,
    /// Since when the oldest of these.
    pub oldest_left: Option<Timestamp>,
    /// Rows of the newest plan of each connection that wait for a person.
    pub held_rows: u64,
}
