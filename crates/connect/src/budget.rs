//! How fast a vendor may be asked.
//!
//! A vendor's limit is so many calls in so many seconds, and no vendor says
//! whether its seconds slide or jump. So at most that many calls are made in
//! *any* stretch of that length, measured from the answer of the first to the
//! sending of the last: the vendor cannot have counted more, whatever lies on
//! the way. What is spent is at most a call's own duration for each stretch.
//!
//! A vendor that throttles all the same is believed for every call of this
//! connection at once, so that no second one is sent into the same refusal.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use muster_model::Clock;

use crate::http::Pause;

/// A vendor's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// Calls.
    pub(crate) calls: usize,
    /// In this time.
    pub(crate) per: Duration,
}

/// The calls made under one limit.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    rate: Option<Rate>,
    state: Mutex<State>,
}

/// A call that was let through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket(u64);

#[derive(Debug, Default)]
struct State {
    /// Calls that may still count: when they were answered, or will be sent.
    calls: VecDeque<Call>,
    /// Nobody calls before.
    closed_until: Option<Timestamp>,
    /// The latest instant known: waiting counts even where a test's clock stands still.
    latest: Option<Timestamp>,
    next: u64,
}

#[derive(Debug, Clone, Copy)]
struct Call {
    ticket: u64,
    at: Timestamp,
    answered: bool,
}

impl Budget {
    /// A budget of this limit; none when the vendor publishes none.
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        Self {
            rate: rate.filter(|rate| rate.calls > 0),
            state: Mutex::default(),
        }
    }

    /// The vendor's limit.
    pub(crate) const fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// Waits until a call may be made, and counts it.
    pub(crate) async fn take(&self, clock: &dyn Clock, pause: &dyn Pause) -> Ticket {
        loop {
            let (ticket, wait, at) = self.reserve(clock.now());
            if !wait.is_zero() {
                pause.pause(wait).await;
                self.reached(at);
            }
            // The vendor may have asked everybody to wait in the meantime.
            if !self.is_closed(clock.now()) {
                return ticket;
            }
            self.give_back(ticket);
        }
    }

    /// The call was answered: the vendor counted it at the latest now.
    pub(crate) fn answered(&self, ticket: Ticket, clock: &dyn Clock) {
        let mut state = self.state();
        let now = state.now(clock.now());
        if let Some(call) = state.calls.iter_mut().find(|call| call.ticket == ticket.0) {
            call.at = call.at.max(now);
            call.answered = true;
        }
    }

    /// The vendor asks everybody to wait.
    pub(crate) fn close_for(&self, wait: Duration, clock: &dyn Clock) {
        let mut state = self.state();
        let now = state.now(clock.now());
        let until = now.checked_add(wait).unwrap_or(now);
        state.closed_until = Some(state.closed_until.map_or(until, |known| known.max(until)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is inside is counts: good even if a thread died while counting.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reached(&self, at: Timestamp) {
        self.state().now(at);
    }

    fn is_closed(&self, clock: Timestamp) -> bool {
        let mut state = self.state();
        let now = state.now(clock);
        state.closed_until.is_some_and(|until| until > now)
    }

    fn give_back(&self, ticket: Ticket) {
        self.state().calls.retain(|call| call.ticket != ticket.0);
    }

    /// When the next call may go, and how long that is from now.
    fn reserve(&self, clock: Timestamp) -> (Ticket, Duration, Timestamp) {
        let mut state = self.state();
        let now = state.now(clock);
        let mut at = state.closed_until.map_or(now, |until| until.max(now));
        let ticket = state.next;
        state.next += 1;
        if let Some(rate) = self.rate {
            let counts_from = now.checked_sub(rate.per).unwrap_or(now);
            (state.calls).retain(|call| !call.answered || call.at > counts_from);
            if state.calls.len() >= rate.calls {
                let mut latest: Vec<Timestamp> = (state.calls.iter())
                    .map(|call| {
                        if call.answered {
                            call.at
                        } else {
                            call.at.max(now)
                        }
                    })
                    .collect();
                latest.sort_unstable_by(|one, two| two.cmp(one));
                if let Some(oldest) = latest.get(rate.calls - 1) {
                    at = at.max(oldest.checked_add(rate.per).unwrap_or(*oldest));
                }
            }
            state.calls.push_back(Call {
                ticket,
                at,
                answered: false,
            });
        }
        let wait = Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO);
        (Ticket(ticket), wait, at)
    }
}

impl State {
    fn now(&mut self, clock: Timestamp) -> Timestamp {
        let now = self.latest.map_or(clock, |latest| latest.max(clock));
        self.latest = Some(now);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use std::sync::Arc;

    /// A clock that pauses move.
    struct World(Mutex<Timestamp>);

    impl World {
        fn pass(&self, time: Duration) {
            let mut now = self.0.lock().unwrap();
            *now = now.checked_add(time).unwrap();
        }
    }

    impl Clock for World {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    #[async_trait]
    impl Pause for World {
        async fn pause(&self, time: Duration) {
            self.pass(time);
        }
    }

    fn world() -> Arc<World> {
        Arc::new(World(Mutex::new("2025-06-01T12:00:00Z".parse().unwrap())))
    }

    const RATE: Rate = Rate {
        calls: 5,
        per: Duration::from_secs(10),
    };

    /// The vendor counts a call when it comes, some time after it was sent.
    async fn arrivals(calls: usize, way: impl Fn(usize) -> u64) -> Vec<Duration> {
        let (world, budget) = (world(), Budget::new(Some(RATE)));
        let began = world.now();
        let mut seen = Vec::new();
        for call in 0..calls {
            let ticket = budget.take(&*world, &*world).await;
            world.pass(Duration::from_millis(way(call)));
            seen.push(Duration::try_from(world.now().duration_since(began)).unwrap());
            world.pass(Duration::from_millis(50));
            budget.answered(ticket, &*world);
        }
        seen
    }

    #[tokio::test]
    async fn no_stretch_of_the_vendors_time_holds_more_calls_than_it_allows() {
        let seen = arrivals(200, |call| [1, 400, 30, 900, 5, 70, 250][call % 7]).await;
        for window in seen.windows(RATE.calls + 1) {
            assert!(window[RATE.calls] - window[0] >= RATE.per, "{window:?}");
        }
    }

    #[tokio::test]
    async fn the_whole_takes_hardly_longer_than_the_limit_needs() {
        let seen = arrivals(100, |_| 20).await;
        let least = RATE.per * 19;
        let took = *seen.last().unwrap();
        assert!(
            took >= least && took <= least.mul_f64(1.1),
            "{took:?} for {least:?}"
        );
    }

    #[tokio::test]
    async fn a_vendor_that_asks_to_wait_is_believed_by_everybody() {
        let (world, budget) = (world(), Budget::new(None));
        budget.close_for(Duration::from_secs(30), &*world);
        let began = world.now();
        budget.take(&*world, &*world).await;
        assert_eq!(world.now().duration_since(began).as_secs(), 30);
        budget.take(&*world, &*world).await;
        assert_eq!(world.now().duration_since(began).as_secs(), 30);
    }
}
