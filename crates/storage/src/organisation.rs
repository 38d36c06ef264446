//! One tenant.

use jiff::Timestamp;
use muster_model::{DigestKey, OrganisationId};

/// An organisation: every row, job, token and file belongs to exactly one.
#[derive(Debug, Clone)]
pub struct Organisation {
    /// Which one.
    pub id: OrganisationId,
    /// Its name, unique in the installation.
    pub name: String,
    /// ISO 3166-1 alpha-2: how national numbers are read.
    pub region: String,
    /// IANA name: whose civil day it is.
    pub time_zone: String,
    /// When it was made.
    pub created_at: Timestamp,
    pub(crate) index_key: DigestKey,
}

impl Organisation {
    /// The key of the organisation's digests.
    #[must_use]
    pub fn digest_key(&self) -> DigestKey {
        self.index_key.clone()
    }
}

/// What an organisation is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrganisation {
    /// Its name, unique in the installation.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub region: String,
    /// IANA name of a time zone.
    pub time_zone: String,
}
