//! The people that make matching hard: a few in every firm large enough.

use serde::{Deserialize, Serialize};

/// The smallest firm that has all the hard cases.
pub const HARD_CASES_FROM: u32 = 60;

/// What makes somebody hard to match or to place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HardCaseKind {
    /// Two people with the same names and different birth dates.
    SameName,
    /// A new family name, the address stays.
    SurnameChanged,
    /// A new family name and a new address with it.
    SurnameAndAddressChanged,
    /// A joiner gets the address of one who left; it was taken off the old
    /// record on the same day. The one who left comes first.
    RecycledEmail,
    /// The same, but the old record shows the address too.
    RecycledEmailStillListed,
    /// An employment begins some days before the contract ends. That end is
    /// the one thing in a rehearsal that is known in advance.
    ContractorBecomesEmployee,
    /// Left before the year, comes back under the same id.
    RehiredSameId,
    /// Left before the year, comes back under a new id with the same national
    /// id. The old record comes first.
    RehiredNewId,
    /// Leaves in the year and comes back in it under the same id; the day is
    /// that of coming back.
    LeftAndReturned,
    /// Has no work address.
    NoEmail,
    /// Has no employee number.
    NoEmployeeNumber,
    /// Is their own manager, as a person and as the manager of their department.
    SelfManager,
    /// Two who manage each other, as people and as managers of the department
    /// that the other is in.
    ManagerCycle,
}

/// A hard case of one firm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HardCase {
    /// What is hard about it.
    pub kind: HardCaseKind,
    /// The records it is about.
    pub employees: Vec<u64>,
    /// The day on which it shows; 0 when it is there from the beginning.
    pub day: i32,
}

/// The people of the first day whom the hard cases are about; nothing else
/// happens to them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cast {
    pub(super) same_name: [u32; 2],
    pub(super) surname_changed: u32,
    pub(super) surname_and_address_changed: u32,
    pub(super) address_released: u32,
    pub(super) address_still_listed: u32,
    pub(super) contractor: u32,
    pub(super) comes_back: u32,
    pub(super) no_email: u32,
    pub(super) no_employee_number: u32,
    /// Former, like the next.
    pub(super) rehired_same_id: u32,
    pub(super) rehired_new_id: u32,
}

impl Cast {
    /// Takes the people for the cases; `None` when there are too few.
    pub(super) fn choose(
        members: &mut impl Iterator<Item = u32>,
        former: &mut impl Iterator<Item = u32>,
    ) -> Option<Self> {
        Some(Self {
            same_name: [members.next()?, members.next()?],
            surname_changed: members.next()?,
            surname_and_address_changed: members.next()?,
            address_released: members.next()?,
            address_still_listed: members.next()?,
            contractor: members.next()?,
            comes_back: members.next()?,
            no_email: members.next()?,
            no_employee_number: members.next()?,
            rehired_same_id: former.next()?,
            rehired_new_id: former.next()?,
        })
    }
}

/// The departments whose managers are hard cases: one manages themselves, two
/// manage each other. None of them is the first.
pub(super) const SELF_MANAGED: u32 = 1;
/// See [`SELF_MANAGED`].
pub(super) const CYCLE: [u32; 2] = [2, 3];
