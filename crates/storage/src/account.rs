//! Who and what signs in.

use std::collections::BTreeSet;

use jiff::Timestamp;
use muster_model::{AccountId, ConnectionId, OrganisationId, TokenId};

use crate::word::words;

words! {
    /// What an account may do in an organisation.
    Role {
        /// Everything, and can be removed by nobody else.
        Owner = "owner",
        /// Everything but removing the owner.
        Administrator = "administrator",
        /// People, plans and imports; no connections, no settings.
        Editor = "editor",
        /// Look.
        Viewer = "viewer",
    }
}

words! {
    /// What a token may do.
    TokenScope {
        /// Read people, engagements, teams.
        PeopleRead = "people:read",
        /// Change them.
        PeopleWrite = "people:write",
        /// Read connections and connectors.
        ConnectionsRead = "connections:read",
        /// Make, change and pause them.
        ConnectionsWrite = "connections:write",
        /// Read plans, runs and what waits for a person.
        PlansRead = "plans:read",
        /// Plan, apply, decide and undo.
        PlansWrite = "plans:write",
        /// Read imports and their errors.
        ImportsRead = "imports:read",
        /// Import.
        ImportsWrite = "imports:write",
        /// Read ticket rights.
        TicketsRead = "tickets:read",
        /// Change them.
        TicketsWrite = "tickets:write",
        /// Read the audit log.
        AuditRead = "audit:read",
        /// Provision people over SCIM, into the token's connection.
        Scim = "scim",
    }
}

/// An account's right to enter an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Whose.
    pub account: AccountId,
    /// The sign-in address, folded.
    pub address: String,
    /// As what.
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
}

/// What a token is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// What it may do.
    pub scopes: BTreeSet<TokenScope>,
    /// The only connection that it may touch, if it is bound to one.
    pub connection: Option<ConnectionId>,
    /// When it ends by itself, if it does.
    pub expires_at: Option<Timestamp>,
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Which one.
    pub id: TokenId,
    /// Into which organisation it leads.
    pub organisation: OrganisationId,
    /// What it may do.
    pub scopes: BTreeSet<TokenScope>,
    /// The only connection that it may touch, if it is bound to one.
    pub connection: Option<ConnectionId>,
    /// When it was made; not told to whoever presents it.
    pub created_at: Option<Timestamp>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was ended by a person.
    pub revoked_at: Option<Timestamp>,
}
