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

/// Runs that have not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunsAtWork {
    /// At work now: the lease is good and the process lives.
    pub at_work: u64,
    /// Nobody works on them any more, and no later run took over.
    pub left: u64,
    /// Since when the oldest of these.
    pub oldest_left: Option<Timestamp>,
}

/// What works, waits or was left lying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Condition {
    /// Outward messages to be sent.
    pub waiting: Queue,
    /// Outward messages given up.
    pub failed: Queue,
    /// Runs that have not ended.
    pub runs: RunsAtWork,
    /// Rows of the newest plan of each connection that wait for a person.
    pub held_rows: u64,
}
