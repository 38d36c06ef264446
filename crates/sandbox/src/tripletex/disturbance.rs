//! When each fault shows, and what it has done so far.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::fault::Fault;
use crate::server::SandboxError;

use super::render::Lens;
use super::resource::Resource;

/// One call in this many is throttled.
const THROTTLE_EVERY: u64 = 5;
/// How often the third page fails before it comes.
const SERVER_ERRORS: u32 = 2;

/// The faults that are switched on, with their memory.
#[derive(Debug, Default)]
pub(super) struct Disturbance {
    faults: BTreeSet<Fault>,
    pub(super) lens: Lens,
    list_calls: u64,
    write_calls: u64,
    /// Objects of which a write was done and answered with an error.
    failed_after: BTreeSet<(Resource, u64)>,
    refused: Vec<(Resource, &'static str)>,
    pub(super) delay: Option<Duration>,
    server_errors: u32,
    cut_bodies: u64,
    token_expired: bool,
    /// A first page was read and the border behind it has not moved since.
    border_waits: bool,
}

/// Which page of how many a list call asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) index: usize,
    pub(super) pages: usize,
}

impl Place {
    /// The page that begins at `from` of a list of `rows`, `count` rows a page.
    pub(super) fn of(from: usize, count: usize, rows: usize) -> Self {
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
    pub(super) fn is_middle(self) -> bool {
        let middle = if self.pages < 3 {
            self.last()
        } else {
            self.pages / 2
        };
        self.index == middle
    }

    pub(super) fn is_last(self) -> bool {
        self.index == self.last()
    }
}

/// How the length header of a cut body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CutLength {
    /// The length of what is sent.
    Sent,
    /// The length of what should have been sent.
    Whole,
}

impl Disturbance {
    /// Switches these faults on, as if nothing had happened before.
    pub(super) fn of(faults: Vec<Fault>, seed: u64) -> Result<Self, SandboxError> {
        let mut lens = Lens::default();
        let mut refused = Vec::new();
        let mut delay = None;
        for fault in &faults {
            match fault {
                Fault::DropField(name) => lens.dropped.push(field_of_employee(name)?),
                Fault::RefuseField(name) => refused.push(field_of_employee(name)?),
                Fault::Delay(milliseconds) => delay = Some(Duration::from_millis(*milliseconds)),
                Fault::PermissionLoss => lens.rights_lost = Some(seed),
                _ => {}
            }
        }
        Ok(Self {
            faults: faults.into_iter().collect(),
            lens,
            refused,
            delay,
            ..Self::default()
        })
    }

    pub(super) fn has(&self, fault: &Fault) -> bool {
        self.faults.contains(fault)
    }

    /// Whether this list call is one of the throttled ones: the first and every
    /// fifth after it, so that a list of one page shows it too.
    pub(super) fn throttles(&mut self) -> bool {
        if !self.has(&Fault::Throttle) {
            return false;
        }
        let call = self.list_calls;
        self.list_calls += 1;
        call.is_multiple_of(THROTTLE_EVERY)
    }

    /// Whether this write is one of the throttled ones, counted like list calls.
    pub(super) fn throttles_write(&mut self) -> bool {
        if !self.has(&Fault::Throttle) {
            return false;
        }
        let call = self.write_calls;
        self.write_calls += 1;
        call.is_multiple_of(THROTTLE_EVERY)
    }

    /// Whether the answer to a write that was done is an error: once for each object.
    pub(super) fn fails_after_write(&mut self, resource: Resource, id: u64) -> bool {
        self.has(&Fault::WriteThenFail) && self.failed_after.insert((resource, id))
    }

    /// The fields of a resource that no write may name.
    pub(super) fn refused(&self, resource: Resource) -> impl Iterator<Item = &'static str> + '_ {
        self.refused
            .iter()
            .filter(move |(of, _)| *of == resource)
            .map(|(_, name)| *name)
    }

    /// Whether this page breaks on the server this time.
    pub(super) fn breaks(&mut self, place: Place) -> bool {
        let breaks =
            self.has(&Fault::ServerError) && place.is_third() && self.server_errors < SERVER_ERRORS;
        self.server_errors += u32::from(breaks);
        breaks
    }

    /// Whether the session dies behind this page: once.
    pub(super) fn expires_token(&mut self, place: Place) -> bool {
        let expires =
            self.has(&Fault::ExpiredToken) && place.is_second_or_later() && !self.token_expired;
        self.token_expired |= expires;
        expires
    }

    /// Whether and how this page's body is cut: on every try, the header in turn.
    pub(super) fn cuts(&mut self, place: Place) -> Option<CutLength> {
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
    pub(super) fn first_page_served(&mut self) {
        self.border_waits = self.has(&Fault::MovingPages);
    }

    /// Whether the border moves before this page: once for each read.
    pub(super) fn moves_border(&mut self, from: usize) -> bool {
        let moves = self.border_waits && from > 0;
        self.border_waits &= !moves;
        moves
    }
}

/// The field that a dotted name means, seen from an employee.
fn field_of_employee(name: &str) -> Result<(Resource, &'static str), SandboxError> {
    let unknown = || SandboxError::UnknownField {
        field: name.to_owned(),
    };
    let mut pieces = name.split('.').peekable();
    let mut resource = Resource::Employee;
    while let Some(piece) = pieces.next() {
        let (_, field) = resource.field(piece).ok_or_else(unknown)?;
        if pieces.peek().is_none() {
            return Ok((resource, field.name));
        }
        resource = field.kind.target().ok_or_else(unknown)?;
    }
    Err(unknown())
}
