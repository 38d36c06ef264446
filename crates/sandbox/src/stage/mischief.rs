//! When each fault shows, and what it has done so far: the same for all vendors.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::fault::Fault;

/// One call in this many is throttled.
const THROTTLE_EVERY: u64 = 5;
/// How often the third page fails before it comes.
const SERVER_ERRORS: u32 = 2;

/// The faults that are switched on, with their memory.
#[derive(Debug, Default)]
pub(crate) struct Mischief {
    faults: BTreeSet<Fault>,
    list_calls: u64,
    write_calls: u64,
    server_errors: u32,
    cut_bodies: u64,
    token_expired: bool,
    /// A first page was read and the border behind it has not moved since.
    border_waits: bool,
}

/// Which page of how many a list call asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) index: usize,
    pub(crate) pages: usize,
}

impl Place {
    /// The page that begins at `from` of a list of `rows`, `count` rows a page.
    pub(crate) fn of(from: usize, count: usize, rows: usize) -> Self {
        let count = count.max(1);
        Self {
            index: from / count,
            pages: rows.div_ceil(count).max(1),
        }
    }

    fn last(self) -> usize {
        self.pages.saturating_sub(1)
    }

    /// The second page, or the last of a shorter list.
    fn is_second_or_later(self) -> bool {
        self.index >= self.last().min(1)
    }

    /// The third page, or the last of a shorter list.
    fn is_third(self) -> bool {
        self.index == self.last().min(2)
    }

    /// The page in the middle, or the last of a list of less than three pages.
    pub(crate) fn is_middle(self) -> bool {
        let middle = if self.pages < 3 {
            self.last()
        } else {
            self.pages / 2
        };
        self.index == middle
    }

    pub(crate) fn is_last(self) -> bool {
        self.index == self.last()
    }
}

/// How the length header of a cut body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CutLength {
    /// The length of what is sent.
    Sent,
    /// The length of what should have been sent.
    Whole,
}

impl Mischief {
    /// Switches these faults on, as if nothing had happened before.
    pub(crate) fn of(faults: Vec<Fault>) -> Self {
        Self {
            faults: faults.into_iter().collect(),
            ..Self::default()
        }
    }

    pub(crate) fn has(&self, fault: &Fault) -> bool {
        self.faults.contains(fault)
    }

    /// Whether this list call is one of the throttled ones: the first and every
    /// fifth after it, so that a list of one page shows it too.
    pub(crate) fn throttles(&mut self) -> bool {
        if !self.has(&Fault::Throttle) {
            return false;
        }
        let call = self.list_calls;
        self.list_calls += 1;
        call.is_multiple_of(THROTTLE_EVERY)
    }

    /// Whether this write is one of the throttled ones, counted like list calls.
    pub(crate) fn throttles_write(&mut self) -> bool {
        if !self.has(&Fault::Throttle) {
            return false;
        }
        let call = self.write_calls;
        self.write_calls += 1;
        call.is_multiple_of(THROTTLE_EVERY)
    }

    /// How much later an answer goes out that would wait so long by itself.
    pub(crate) fn delay(&self, own: Option<Duration>) -> Option<Duration> {
        let longer = self.faults.iter().find_map(|fault| match fault {
            Fault::Delay(milliseconds) => Some(Duration::from_millis(*milliseconds)),
            _ => None,
        });
        match (own, longer) {
            (Some(own), Some(longer)) => Some(own.saturating_add(longer)),
            (own, longer) => own.or(longer),
        }
    }

    /// Whether this page breaks on the server this time.
    pub(crate) fn breaks(&mut self, place: Place) -> bool {
        let breaks =
            self.has(&Fault::ServerError) && place.is_third() && self.server_errors < SERVER_ERRORS;
        self.server_errors += u32::from(breaks);
        breaks
    }

    /// Whether the session dies behind this page: once.
    pub(crate) fn expires_token(&mut self, place: Place) -> bool {
        let expires =
            self.has(&Fault::ExpiredToken) && place.is_second_or_later() && !self.token_expired;
        self.token_expired |= expires;
        expires
    }

    /// Whether and how this page's body is cut: on every try, the header in turn.
    pub(crate) fn cuts(&mut self, place: Place) -> Option<CutLength> {
        if !self.has(&Fault::TruncatedBody) || !place.is_middle() {
            return None;
        }
        self.cut_bodies += 1;
        Some(if self.cut_bodies.is_multiple_of(2) {
            CutLength::Whole
        } else {
            CutLength::Sent
        })
    }

    /// A first page was served: the border behind it may move.
    pub(crate) fn first_page_served(&mut self) {
        self.border_waits = self.has(&Fault::MovingPages);
    }

    /// Whether the border moves before this page: once for each read.
    pub(crate) fn moves_border(&mut self, from: usize) -> bool {
        let moves = self.border_waits && from > 0;
        self.border_waits &= !moves;
        moves
    }
}
