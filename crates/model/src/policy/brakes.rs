//! Brakes: how many rows of a kind one day may bring (`engine.md`, Brakes).

use serde::{Deserialize, Serialize};

use crate::situation::words;

words! {
    /// What a brake counts.
    BrakeKind {
        /// Leavers of whom the source says so.
        SuspendSaid = "suspend or end, said",
        /// Leavers by silence.
        SuspendSilent = "suspend or end, silent",
        /// Joiners, except in the first run.
        Create = "create (not on the first run)",
        /// Fields that lose their value.
        FieldEmptied = "field emptied",
        /// Keys and addresses.
        KeyChanged = "key or address changed",
        /// Managers.
        ManagerChanged = "manager changed",
        /// Teams.
        TeamRemoved = "team removed",
        /// Writes to other systems.
        OutwardWrite = "outward write",
        /// Bank accounts written to other systems.
        OutwardBankAccount = "outward bank account",
    }
}

/// A number that is never braked, and a share of the linked people in scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brake {
    /// Up to this number, whatever the size of the firm.
    pub floor: u64,
    /// Percent of the linked people in scope before the run.
    pub share_percent: u64,
}

impl Brake {
    /// The most rows that pass in a firm of so many people.
    #[must_use]
    pub const fn limit(self, people: u64) -> u64 {
        let share = people.saturating_mul(self.share_percent) / 100;
        if share > self.floor {
            share
        } else {
            self.floor
        }
    }
}

/// One brake for each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // one for each kind, by its name
pub struct Brakes {
    pub suspend_said: Brake,
    pub suspend_silent: Brake,
    pub create: Brake,
    pub field_emptied: Brake,
    pub key_changed: Brake,
    pub manager_changed: Brake,
    pub team_removed: Brake,
    pub outward_write: Brake,
    pub outward_bank_account: Brake,
}

impl Default for Brakes {
    fn default() -> Self {
        const fn brake(floor: u64, share_percent: u64) -> Brake {
            Brake {
                floor,
                share_percent,
            }
        }
        Self {
            suspend_said: brake(3, 10),
            suspend_silent: brake(1, 5),
            create: brake(20, 20),
            field_emptied: brake(3, 2),
            key_changed: brake(2, 2),
            manager_changed: brake(10, 20),
            team_removed: brake(2, 10),
            outward_write: brake(20, 20),
            outward_bank_account: brake(1, 1),
        }
    }
}

impl Brakes {
    /// The brake of a kind.
    #[must_use]
    pub const fn of(&self, kind: BrakeKind) -> Brake {
        match kind {
            BrakeKind::SuspendSaid => self.suspend_said,
            BrakeKind::SuspendSilent => self.suspend_silent,
            BrakeKind::Create => self.create,
            BrakeKind::FieldEmptied => self.field_emptied,
            BrakeKind::KeyChanged => self.key_changed,
            BrakeKind::ManagerChanged => self.manager_changed,
            BrakeKind::TeamRemoved => self.team_removed,
            BrakeKind::OutwardWrite => self.outward_write,
            BrakeKind::OutwardBankAccount => self.outward_bank_account,
        }
    }
}
