//! One organisation's configured use of a connector.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use muster_model::{ConnectionId, Policy, ReadHistory};
use zeroize::Zeroizing;

use crate::word::words;

/// A connection, without its credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Which one.
    pub id: ConnectionId,
    /// Its name, unique in the organisation.
    pub name: String,
    /// The connector's name.
    pub connector: String,
    /// Its settings as a policy; the preset is named in it.
    pub policy: Policy,
    /// Another address than the connector's own.
    pub base_url: Option<String>,
    /// The connector's settings, none of them secret.
    pub settings: BTreeMap<String, String>,
    /// Which of the settings name a host: credentials are bound to them.
    pub host_settings: BTreeSet<String>,
    /// Where it stands.
    pub state: ConnectionState,
    /// The company or tenant that answered when it was connected; pinned.
    pub account: Option<String>,
    /// Its place in the order of sources, lowest first.
    pub rank: i64,
    /// Earlier reads, to judge the next one by.
    pub history: ReadHistory,
    /// When the source was last read.
    pub last_read_at: Option<Timestamp>,
    /// When a read was last believed in full.
    pub last_confirmed_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a connection is made of.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // as in `Connection`
pub struct NewConnection {
    pub name: String,
    pub connector: String,
    pub policy: Policy,
    pub base_url: Option<String>,
    pub settings: BTreeMap<String, String>,
    pub host_settings: BTreeSet<String>,
    pub rank: i64,
}

words! {
    /// Where a connection stands (`engine.md`, States).
    ConnectionState {
        /// Being set up.
        Draft = "draft",
        /// Works, and moves nothing until the first sync is confirmed.
        Connected = "connected",
        /// Works.
        Active = "active",
        /// Stopped by a person.
        Paused = "paused",
        /// The source cannot be read; outward writes wait.
        Failing = "failing",
        /// Over.
        Disconnected = "disconnected",
    }
}

/// Secrets by name: tokens, keys, passwords. Cannot be printed; wiped when dropped.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Credentials(BTreeMap<String, Zeroizing<String>>);

impl Credentials {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds one.
    pub fn put(&mut self, name: impl Into<String>, secret: impl Into<String>) {
        self.0.insert(name.into(), Zeroizing::new(secret.into()));
    }

    /// The secret of a name: to sign a request with it, and nothing else.
    #[must_use]
    pub fn expose(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|secret| secret.as_str())
    }

    /// Names and secrets, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, secret)| (name.as_str(), secret.as_str()))
    }
}

impl FromIterator<(String, String)> for Credentials {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(secrets: I) -> Self {
        Self(
            secrets
                .into_iter()
                .map(|(name, secret)| (name, Zeroizing::new(secret)))
                .collect(),
        )
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_map()
            .entries(self.0.keys().map(|name| (name, "••••")))
            .finish()
    }
}
