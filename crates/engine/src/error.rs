//! What can go wrong in a step.

use muster_connect::ConnectError;
use muster_model::{PlanId, RunId};
use muster_reconcile::PlanError;
use muster_storage::StorageError;
use muster_storage::backup::BackupError;

use crate::deciding::Problem;

/// A failure of a step. The text begins with its stable code, says what to do,
/// and holds nobody's data.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No organisation of that name.
    #[error(
        "organisation.unknown: there is no organisation named {name:?}; make it with `muster org create`"
    )]
    OrganisationUnknown {
        /// What was asked for.
        name: String,
    },
    /// A name that nobody could tell from another, or write.
    #[error(
        "organisation.name: an organisation's name must not be {what}; write it as it shall be shown"
    )]
    OrganisationName {
        /// What is wrong with it.
        what: &'static str,
    },
    /// There is no organisation at all.
    #[error(
        "organisation.none: there is no organisation yet; make one with `muster org create NAME`"
    )]
    NoOrganisation,
    /// Which of them?
    #[error("organisation.several: there are several organisations; say which with --org")]
    SeveralOrganisations,
    /// A zone that nobody knows.
    #[error(
        "organisation.time_zone: there is no time zone {name:?}; write an IANA name such as Europe/Oslo"
    )]
    UnknownZone {
        /// What was given.
        name: String,
    },
    /// A region that is no country code.
    #[error(
        "organisation.region: {name:?} is no country of ISO 3166-1; write its two capital letters, such as NO"
    )]
    UnknownRegion {
        /// What was given.
        name: String,
    },
    /// No connection of that name.
    #[error(
        "connection.unknown: there is no connection named {name:?}; make it with `muster connect`"
    )]
    ConnectionUnknown {
        /// What was asked for.
        name: String,
    },
    /// A connection that may not move anything.
    #[error(
        "connection.not_running: connection {name:?} is {state}; nothing was read and nothing applied. Resume it first"
    )]
    NotRunning {
        /// The connection's name.
        name: String,
        /// Where it stands.
        state: &'static str,
    },
    /// Another connector under the same name.
    #[error(
        "connection.other_connector: connection {name:?} uses {connector}; choose another name for another HR system"
    )]
    OtherConnector {
        /// The connection's name.
        name: String,
        /// What it uses.
        connector: String,
    },
    /// Another company than before answered at connecting.
    #[error(
        "connection.other_account: connection {name:?} was made for another company; connect this one under a name of its own"
    )]
    OtherAccount {
        /// The connection's name.
        name: String,
    },
    /// No credentials are stored.
    #[error(
        "connection.no_credentials: connection {name:?} has no credentials; enter them with `muster connect`"
    )]
    NoCredentials {
        /// The connection's name.
        name: String,
    },
    /// A plan of another connection's version, or one that was applied.
    #[error("plan.changed: the stored plan is not the one of the file; make a new plan")]
    PlanChanged,
    /// Rows were changed by somebody else while they were applied.
    #[error(
        "apply.raced: somebody else changed the same people again and again while rows were applied; those rows were not written, apply the plan again"
    )]
    Raced,
    /// A kind that does not exist, or that nobody may release.
    #[error("hold.unknown: no rows of the kind {kind:?} can be released; the kinds are {known}")]
    HoldUnknown {
        /// What was given.
        kind: String,
        /// The kinds that can be.
        known: String,
    },
    /// Lines of a file of decisions cannot be taken.
    #[error(
        "decision.refused: {} of the lines cannot be taken, so none was; mend them and give the file again",
        problems.len()
    )]
    Decisions {
        /// What is wrong with each.
        problems: Vec<Problem>,
    },
    /// Nothing to take apart.
    #[error("link.none: the person has no link to connection {name:?}; nothing was changed")]
    NotLinked {
        /// The connection's name.
        name: String,
    },
    /// Nobody by that name.
    #[error("person.unknown: {query:?} names nobody; give an id, an e-mail or an employee number")]
    PersonUnknown {
        /// What was asked for.
        query: String,
    },
    /// Several by that name.
    #[error("person.unclear: {query:?} names several people; give one of these ids: {ids}")]
    PersonUnclear {
        /// What was asked for.
        query: String,
        /// Who they are.
        ids: String,
    },
    /// Who works here is not erased.
    #[error(
        "erase.employed: {person} is not gone: employment {employment}, access {access}; end the employment first, or say --even-if-employed"
    )]
    StillEmployed {
        /// Who.
        person: muster_model::PersonId,
        /// Their employment.
        employment: &'static str,
        /// Their access.
        access: &'static str,
    },
    /// Erased before.
    #[error("person.erased: {person} is a deleted person, {on}; nothing is left of them")]
    PersonErased {
        /// The id.
        person: muster_model::PersonId,
        /// When.
        on: jiff::civil::Date,
    },
    /// The record is of nobody who was erased.
    #[error(
        "readmit.unknown: connection {connection:?} has no record of that id that is kept out because its person was erased"
    )]
    NotErased {
        /// The connection's name.
        connection: String,
    },
    /// No e-mail address.
    #[error("account.address: {reason}")]
    Address {
        /// What is wrong with it, without it.
        reason: String,
    },
    /// A role that does not exist.
    #[error("account.role: there is no role {name:?}; the roles are {known}")]
    RoleUnknown {
        /// What was given.
        name: String,
        /// The roles that exist.
        known: String,
    },
    /// A scope that does not exist.
    #[error("token.scope: there is no scope {name:?}; the scopes are {known}")]
    ScopeUnknown {
        /// What was given.
        name: String,
        /// The scopes that exist.
        known: String,
    },
    /// Provisioning into nowhere.
    #[error(
        "token.connection: a token with the scope scim belongs to one connection; name it with --connection"
    )]
    ScimWithoutConnection,
    /// A token that would be over before it begins.
    #[error(
        "token.expired: the token would have expired already; give an instant that is still to come"
    )]
    ExpiredAlready,
    /// No field of that name.
    #[error(
        "field.unknown: {name:?} is no field; the canonical names are those of `muster people --format ndjson`"
    )]
    FieldUnknown {
        /// What was asked for.
        name: String,
    },
    /// No run of that id.
    #[error(
        "run.unknown: no run of this organisation begins with {name:?}; `muster runs` lists them"
    )]
    RunUnknown {
        /// What was asked for.
        name: String,
    },
    /// Several runs of that beginning.
    #[error("run.ambiguous: {name:?} is the beginning of several runs; give more of the id")]
    RunAmbiguous {
        /// What was asked for.
        name: String,
    },
    /// The run has no report yet.
    #[error("undo.at_work: run {run} has not ended; wait for it, or sync again if it was killed")]
    UndoAtWork {
        /// Which run.
        run: RunId,
    },
    /// Too long ago.
    #[error(
        "undo.too_old: run {run} began on {began}, and a run can be taken back for {days} days; change what is wrong in the source or by hand"
    )]
    UndoTooOld {
        /// Which run.
        run: RunId,
        /// The day it began.
        began: jiff::civil::Date,
        /// For how many days it is offered.
        days: i64,
    },
    /// Somebody was faster.
    #[error(
        "undo.already: run {run} was taken back by run {by}{}",
        waiting(plan.as_ref())
    )]
    UndoneBefore {
        /// Which run.
        run: RunId,
        /// The run that took it back.
        by: RunId,
        /// Its plan, while rows of it wait.
        plan: Option<PlanId>,
    },
    /// Nothing to take back.
    #[error(
        "undo.nothing: nothing that run {run} did can be taken back: it changed nothing, or everything was changed since"
    )]
    UndoNothing {
        /// Which run.
        run: RunId,
    },
    /// The planner refused.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The source failed.
    #[error(transparent)]
    Source(#[from] ConnectError),
    /// A backup or a restore failed.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl EngineError {
    /// The stable code: what the text begins with.
    #[must_use]
    pub fn code(&self) -> String {
        let text = self.to_string();
        text.split_once(':')
            .map_or_else(|| text.clone(), |(code, _)| code.to_owned())
    }

    /// Was the command used wrongly, rather than refused or failed?
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoOrganisation
                | Self::SeveralOrganisations
                | Self::OrganisationUnknown { .. }
                | Self::OrganisationName { .. }
                | Self::UnknownZone { .. }
                | Self::UnknownRegion { .. }
                | Self::ConnectionUnknown { .. }
                | Self::HoldUnknown { .. }
                | Self::Decisions { .. }
                | Self::NotLinked { .. }
                | Self::FieldUnknown { .. }
                | Self::RunUnknown { .. }
                | Self::RunAmbiguous { .. }
                | Self::PersonUnknown { .. }
                | Self::PersonUnclear { .. }
                | Self::PersonErased { .. }
                | Self::NotErased { .. }
                | Self::Address { .. }
                | Self::RoleUnknown { .. }
                | Self::ScopeUnknown { .. }
                | Self::ScimWithoutConnection
                | Self::ExpiredAlready
                | Self::Storage(
                    StorageError::PlanUnknown { .. } | StorageError::PlanAmbiguous { .. }
                )
        )
    }
}

/// Where the held rows of an undo wait, if any do.
fn waiting(plan: Option<&PlanId>) -> String {
    plan.map(|plan| {
        format!("; what was held of it waits in plan {plan}: muster apply {plan} --allow KIND")
    })
    .unwrap_or_default()
}
