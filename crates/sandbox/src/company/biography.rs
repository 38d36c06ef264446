//! What is remembered of one person: a few numbers, from which a snapshot of
//! any day is drawn. Keeping these instead of finished records lets a firm of
//! a million fit into memory.

use super::chart::Rank;
use super::names::NameRef;
use super::snapshot::EndReason;

/// One employee record of the firm.
#[derive(Debug, Clone)]
pub(super) struct Biography {
    /// The record whose contact data and identity papers this one has: its own
    /// ordinal, or that of an earlier record of the same human.
    pub(super) identity: u32,
    pub(super) given: NameRef,
    pub(super) family: NameRef,
    /// Day of birth, counted like every day from the start of the year.
    pub(super) born: i32,
    pub(super) document: Document,
    /// The day on which the record appears.
    pub(super) appears: i32,
    /// The first day of the first engagement.
    pub(super) starts: i32,
    pub(super) opening: Opening,
    pub(super) rank: Rank,
    pub(super) department: u32,
    /// The ordinal of the manager.
    pub(super) manager: Option<u32>,
    pub(super) mailbox: Mailbox,
    pub(super) has_employee_number: bool,
}

/// How somebody's story with the firm begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// Employments or a contract, as chance has it.
    Ordinary,
    /// One contract.
    Contractor,
    /// One employment that ended on this day, before anything else happens.
    Former {
        /// The last day.
        ended: i32,
    },
}

/// Which identity paper HR has of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Document {
    /// A fødselsnummer with these individual digits.
    Norwegian(u16),
    /// A D-number with these individual digits.
    DNumber(u16),
    /// A passport of this country.
    Passport(&'static str),
    /// None.
    Missing,
}

/// The firm's mail address of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mailbox {
    /// None.
    Missing,
    /// From the name; how many had the same letters before.
    Own {
        /// 0 for the first, who needs no number behind the name.
        earlier: u32,
    },
    /// The first address of another record.
    Of(u32),
}

/// Something that happens to somebody on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happening {
    /// The record appears.
    Joined,
    /// The day before was the last one.
    Left(EndReason),
    /// A new employment in the same record.
    Returned {
        /// The manager from then on.
        manager: Option<u32>,
    },
    /// An employment begins while the contract runs for some more days.
    Converted {
        /// The contract's last day is so many days later.
        overlap: i32,
    },
    /// A new number.
    Phone,
    /// Other working hours.
    Percentage,
    /// Another position.
    JobTitle,
    /// Another department, and so another manager.
    Department { to: u32, manager: Option<u32> },
    /// Another manager.
    Manager { to: Option<u32> },
    /// Another family name; with or without a new address.
    Surname {
        family: NameRef,
        /// How many had the letters of the new address before; none when it is kept.
        earlier: Option<u32>,
    },
    /// The address of somebody who left is taken off the record.
    AddressReleased,
    /// Becomes the manager of the department they are in.
    TookOver { manager: Option<u32> },
}

/// A happening with its day and person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event {
    /// Its place among all that happens.
    pub(super) sequence: u32,
    /// The ordinal of the record.
    pub(super) person: u32,
    pub(super) day: i32,
    pub(super) happening: Happening,
}

/// A department gets another manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Succession {
    pub(super) department: u32,
    pub(super) day: i32,
    pub(super) manager: u32,
}
