//! What holds a row back, and with which arithmetic.

use serde::{Deserialize, Serialize};

use crate::policy::brakes::BrakeKind;
use crate::situation::words;

words! {
    /// What holds a row back: a brake, or a doubt about the read.
    HoldKind {
        /// Said leavers above the brake.
        SuspendSaid = "suspend_said",
        /// Silent leavers above the brake.
        SuspendSilent = "suspend_silent",
        /// Joiners above the brake.
        Create = "create",
        /// Emptied fields above the brake.
        FieldEmptied = "field_emptied",
        /// Changed keys or addresses above the brake.
        KeyChanged = "key_changed",
        /// Changed managers above the brake.
        ManagerChanged = "manager_changed",
        /// Removed teams above the brake.
        TeamRemoved = "team_removed",
        /// Outward writes above the brake.
        OutwardWrite = "outward_write",
        /// Outward bank accounts above the brake.
        OutwardBankAccount = "outward_bank_account",
        /// The run would leave nobody, or less than half.
        TooFewLeft = "too_few_left",
        /// The last administrator would lose access.
        LastAdministrator = "last_administrator",
        /// The read does not prove what the row needs.
        Doubt = "doubt",
        /// Nobody is suspended, ended or removed in the first read.
        FirstRead = "first_read",
        /// Missing, and not yet confirmed or settled.
        Unconfirmed = "unconfirmed",
    }
}

impl HoldKind {
    /// The kind of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }

    /// The brakes whose effects it holds: what a release or a refusal of this
    /// kind is about. None for what no brake counts.
    #[must_use]
    pub const fn brakes(self) -> &'static [BrakeKind] {
        match self {
            Self::SuspendSaid => &[BrakeKind::SuspendSaid],
            Self::SuspendSilent => &[BrakeKind::SuspendSilent],
            Self::Create => &[BrakeKind::Create],
            Self::FieldEmptied => &[BrakeKind::FieldEmptied],
            Self::KeyChanged => &[BrakeKind::KeyChanged],
            Self::ManagerChanged => &[BrakeKind::ManagerChanged],
            Self::TeamRemoved => &[BrakeKind::TeamRemoved],
            Self::OutwardWrite => &[BrakeKind::OutwardWrite],
            Self::OutwardBankAccount => &[BrakeKind::OutwardBankAccount],
            // Whoever leaves, said or silent.
            Self::TooFewLeft | Self::LastAdministrator => {
                &[BrakeKind::SuspendSaid, BrakeKind::SuspendSilent]
            }
            Self::Doubt | Self::FirstRead | Self::Unconfirmed => &[],
        }
    }

    /// May a person release it? A doubt goes only with a better read.
    #[must_use]
    pub const fn can_be_released(self) -> bool {
        !matches!(self, Self::Doubt | Self::FirstRead | Self::Unconfirmed)
    }
}

impl From<BrakeKind> for HoldKind {
    fn from(kind: BrakeKind) -> Self {
        match kind {
            BrakeKind::SuspendSaid => Self::SuspendSaid,
            BrakeKind::SuspendSilent => Self::SuspendSilent,
            BrakeKind::Create => Self::Create,
            BrakeKind::FieldEmptied => Self::FieldEmptied,
            BrakeKind::KeyChanged => Self::KeyChanged,
            BrakeKind::ManagerChanged => Self::ManagerChanged,
            BrakeKind::TeamRemoved => Self::TeamRemoved,
            BrakeKind::OutwardWrite => Self::OutwardWrite,
            BrakeKind::OutwardBankAccount => Self::OutwardBankAccount,
        }
    }
}

/// Rows of one kind that are held, with the arithmetic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Which kind.
    pub kind: HoldKind,
    /// How many rows.
    pub rows: u64,
    /// The arithmetic, or the doubt, in words.
    pub reason: String,
    /// What a person can do.
    pub next: String,
}
