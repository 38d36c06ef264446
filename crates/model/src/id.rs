//! Identifiers: UUID v7, one type per kind, so that one cannot be passed for
//! another. Time and randomness come from an [`IdSource`].

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where new identifiers come from. The binary gives one made of its clock and
/// the system's entropy; a test gives a counting one.
pub trait IdSource: Send + Sync {
    /// The next UUID v7.
    fn next_uuid(&self) -> Uuid;
}

/// A UUID v7 from its parts: milliseconds since 1970 and ten random bytes.
#[must_use]
pub fn uuid_v7(unix_milliseconds: u64, random: [u8; 10]) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(unix_milliseconds, &random).into_uuid()
}

macro_rules! id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new one from the source that was passed in.
            pub fn new(source: &dyn IdSource) -> Self {
                Self(source.next_uuid())
            }

            /// Wraps a stored UUID.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID to store.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(
    /// One tenant.
    OrganisationId
);
id!(
    /// One organisation's configured use of a connector.
    ConnectionId
);
id!(
    /// A human in one organisation's directory.
    PersonId
);
id!(
    /// The source records of one read.
    SnapshotId
);
id!(
    /// A stored change set.
    PlanId
);
id!(
    /// One execution of the pipeline.
    RunId
);
id!(
    /// A human's sign-in, of the installation.
    AccountId
);
id!(
    /// What a program signs in with.
    TokenId
);

/// A source's own stable key of a record: opaque text, unique within one
/// connection. Cheap to clone, because it names rows all along the pipeline.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExternalId(Arc<str>);

impl ExternalId {
    /// Wraps what the source calls the record.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// As the source writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ExternalId({})", self.0)
    }
}

impl From<&str> for ExternalId {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_id_sorts_after_an_earlier_one() {
        let earlier = uuid_v7(1_700_000_000_000, [255; 10]);
        let later = uuid_v7(1_700_000_000_001, [0; 10]);
        assert!(earlier < later);
        assert_eq!(earlier.get_version_num(), 7);
    }
}
