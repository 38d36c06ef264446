//! The settings of a connection. A preset is a named policy: data, never a branch.

pub mod brakes;
pub mod preset;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use brakes::{Brake, BrakeKind, Brakes};
pub use preset::Preset;

use crate::digest::{Digest, DigestKey};
use crate::field::Field;
use crate::fields::Fields;

/// The choices of `engine.md`, Reactions and presets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// The preset it was made from.
    pub preset: Preset,
    /// When the source is read.
    pub read: ReadWhen,
    /// Fields that a record needs to be covered.
    pub scope: Vec<Field>,
    /// Keys after the record id, in order.
    pub keys: Vec<MatchKey>,
    /// Must all keys that are there name the same person?
    pub keys_must_agree: bool,
    /// What a key match with an existing person means.
    pub matched: MatchedReaction,
    /// What a joiner causes.
    pub new: NewReaction,
    /// What a person without a record causes.
    pub ours_only: OursOnlyReaction,
    /// Who decides about which field; those not named are off.
    pub flows: BTreeMap<Field, Flow>,
    /// What differs at first sight, in fields that flow both ways.
    pub first_difference: FirstDifference,
    /// What a value that is null now and was filled causes.
    pub emptied: EmptyRule,
    /// A leaving that the source says.
    pub ended: LeaverReaction,
    /// A leaving by silence.
    pub gone: LeaverReaction,
    /// Out of scope, after having been in it.
    pub out_of_scope: LeaverReaction,
    /// What a leaving of the owner, the last administrator or a protected person causes.
    pub protected: ProtectedReaction,
    /// Was the connection made by an administrator of the HR software (REV-19)?
    pub made_by_hr_administrator: bool,
    /// Are joiners invited without being picked (REV-7)?
    pub auto_invite: bool,
    /// Days that access outlives employment (BEY-29).
    pub grace_days: u16,
    /// Each row alone, or all together.
    pub apply: ApplyMode,
    /// What ending the connection does.
    pub disconnect: DisconnectRule,
    /// Hours between reads: the schedule, and the interval in which silence is proved.
    pub interval_hours: u16,
    /// Fields without which a record is invalid.
    pub required: Vec<Field>,
    /// Floors and shares.
    pub brakes: Brakes,
}

/// Who decides about a field (`engine.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// The source owns what it says.
    In,
    /// We own it, and it is pushed.
    Out,
    /// Either side; both at once is a conflict.
    Both,
    /// For matching alone.
    KeyOnly,
    /// Neither read nor written after creating.
    Off,
}

/// A key that can name a person, beside the record id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchKey {
    /// Work e-mail, folded.
    WorkEmail,
    /// Employee number.
    EmployeeNumber,
    /// National id: a strong key.
    NationalId,
}

impl MatchKey {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::WorkEmail, Self::EmployeeNumber, Self::NationalId];

    /// The field that holds it.
    #[must_use]
    pub const fn field(self) -> Field {
        match self {
            Self::WorkEmail => Field::WorkEmail,
            Self::EmployeeNumber => Field::EmployeeNumber,
            Self::NationalId => Field::NationalId,
        }
    }

    /// The keyed digest of the key, if these fields hold it: what people and
    /// records are looked up by, so that no sealed value is ever compared in the clear.
    #[must_use]
    pub fn digest(self, fields: &Fields, key: &DigestKey) -> Option<Digest> {
        let text = fields.value(self.field())?.key_text(self.field())?;
        Some(key.digest(self.purpose(), &text))
    }

    /// The name that is stored beside a digest.
    #[must_use]
    pub const fn purpose(self) -> &'static str {
        self.field().name()
    }

    /// Does it name one human for life?
    #[must_use]
    pub const fn is_strong(self) -> bool {
        matches!(self, Self::NationalId)
    }
}

/// Declares a choice with the words of its cell in the presets table.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $cell:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// The words of its cell in the presets table.
            #[must_use]
            pub const fn cell(self) -> &'static str {
                match self { $(Self::$variant => $cell,)+ }
            }
        }
    };
}

choice! {
    /// When the source is read.
    ReadWhen {
        /// A person asks.
        OnRequest = "on request only",
        /// A person asks, and the first time goes through every difference.
        OnRequestFirstByHand = "on request; the first by hand",
        /// On a schedule, or as the source pushes.
        Scheduled = "every 3 h; SCIM as it comes",
        /// On a schedule that somebody switched on.
        ScheduledOnceOn = "every 3 h, once auto-sync is on",
    }
}

choice! {
    /// What a key match with an existing person means.
    MatchedReaction {
        /// They are joined.
        Link = "link",
        /// They are shown as taken; nothing is joined.
        Taken = "taken",
    }
}

choice! {
    /// What a joiner causes.
    NewReaction {
        /// Shown as candidate.
        Offer = "offer; sign-in address must be free when finishing",
        /// A person decides.
        Ask = "ask: create, or leave",
        /// Made, without access.
        Create = "create without access (not invited)",
        /// Made, and invited when the switch is on.
        CreateAndInvite = "the same; invite when auto-invite is on",
    }
}

choice! {
    /// What a person without a record causes.
    OursOnlyReaction {
        /// Counted.
        Report = "report",
        /// A person decides.
        Ask = "ask: add to source, or leave",
        /// Counted under the words "not synced".
        ReportNotSynced = "report (\"not synced\")",
    }
}

choice! {
    /// What differs at first sight.
    FirstDifference {
        /// A person decides.
        Ask = "ask",
        /// The source is right.
        TakeTheirs = "take theirs",
    }
}

choice! {
    /// What a value that became null causes.
    EmptyRule {
        /// Our value stays.
        Keep = "keep",
        /// Ours goes too.
        Clear = "clear",
    }
}

choice! {
    /// What a leaving causes.
    LeaverReaction {
        /// Counted and explained.
        Report = "report",
        /// Counted and explained; the last workday goes out.
        ReportLastWorkdayOut = "report; last workday goes out",
        /// Invitations are withdrawn, access is suspended.
        Suspend = "withdraw if only invited, else suspend",
        /// The same, if an administrator of the HR software made the connection.
        SuspendIfHrAdministrator = "the same, only if the connection was made by an administrator of the HR software",
    }
}

choice! {
    /// What a leaving of somebody protected causes.
    ProtectedReaction {
        /// The policy touches nobody anyhow.
        NotReached = "–",
        /// Counted and explained.
        Report = "report",
    }
}

choice! {
    /// How a plan is applied.
    ApplyMode {
        /// All or nothing.
        Together = "together: all or nothing",
        /// Each person by themselves.
        EachAlone = "each row alone",
    }
}

choice! {
    /// What ending a connection does.
    DisconnectRule {
        /// Nothing to people.
        PeopleStay = "people stay",
        /// Who accepted stays; who never did, and is held by no other link, goes.
        NeverAcceptedGo = "accepted stay; never accepted and held by no other link: withdraw, remove",
        /// People stay, and lose the connection's marks.
        PeopleStayMarksGo = "people stay, marks go",
    }
}

impl Policy {
    /// The flow of a field.
    #[must_use]
    pub fn flow(&self, field: Field) -> Flow {
        self.flows.get(&field).copied().unwrap_or(Flow::Off)
    }

    /// Does a leaving that is said take access away under this policy?
    #[must_use]
    pub const fn cuts(&self, reaction: LeaverReaction) -> bool {
        match reaction {
            LeaverReaction::Report | LeaverReaction::ReportLastWorkdayOut => false,
            LeaverReaction::Suspend => true,
            LeaverReaction::SuspendIfHrAdministrator => self.made_by_hr_administrator,
        }
    }

    /// Does one leaving take access away just as another does?
    #[must_use]
    pub fn cuts_as(&self, one: LeaverReaction, other: LeaverReaction) -> bool {
        one == other
            && matches!(
                one,
                LeaverReaction::Suspend | LeaverReaction::SuspendIfHrAdministrator
            )
    }
}
