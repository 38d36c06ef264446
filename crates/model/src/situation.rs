//! What matching found, and what the policy answers.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word people read.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.word())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What matching found about a source record, or about a person without one
    /// (`engine.md`, Matching).
    Situation {
        /// The record is linked to a person.
        Linked = "linked",
        /// A key names exactly one person, who is not linked here yet.
        Matched = "matched",
        /// Nobody is named by any key.
        New = "new",
        /// A key names two people, two records share a key, or a key is contradicted.
        Ambiguous = "ambiguous",
        /// The key belongs to a person already linked here, or is held elsewhere.
        Taken = "taken",
        /// A person in this connection's reach without a record.
        OursOnly = "ours only",
        /// Linked, and silently absent from a full read.
        Gone = "gone",
        /// The source says that the employment is over.
        Ended = "ended",
        /// The source says that it deleted the record.
        Removed = "removed",
        /// The policy does not cover the record.
        OutOfScope = "out of scope",
        /// A field that the policy requires is missing or cannot be read.
        Invalid = "invalid",
    }
}

words! {
    /// What the policy answers to a situation (`engine.md`, Reactions and presets).
    Reaction {
        /// A person is made.
        Create = "create",
        /// The record is joined to a person.
        Link = "link",
        /// The person's data follow.
        Update = "update",
        /// Access that a sync took is given back.
        Restore = "restore",
        /// Shown as a candidate; nothing is created until somebody picks.
        Offer = "offer",
        /// An invitation is sent.
        Invite = "invite",
        /// An invitation is cancelled.
        Withdraw = "withdraw",
        /// Access off, reversibly; employment over.
        Suspend = "suspend",
        /// Employment over; there was no access to take.
        End = "end",
        /// The directory entry goes.
        Remove = "remove",
        /// An outward row: the source gets a person.
        AddToSource = "add to source",
        /// An outward row: the source gets a value.
        UpdateSource = "update source",
        /// A person decides.
        Ask = "ask",
        /// Counted and explained, nothing else.
        Report = "report",
    }
}
