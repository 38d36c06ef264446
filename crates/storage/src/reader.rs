//! Reading one organisation's data.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use muster_model::policy::BrakeKind;
use muster_model::{
    ConnectionId, Digest, ExternalId, Link, MatchKey, OrganisationId, Person, PersonId, PlanId,
    RecordDecision, RunId, SnapshotId,
};

use crate::account::{Access, Token};
use crate::audit::{AuditFindings, AuditHead};
use crate::both::{Handle, on_its_engine};
use crate::condition::{Condition, Queue, RunsAtWork};
use crate::connection::{Connection, Credentials};
use crate::error::StorageError;
use crate::key_holders::KeyHolders;
use crate::outbox::{OutboxState, StoredMessage};
use crate::person::PersonQuery;
use crate::plan::{ChangeState, PlannedRow, StoredChange, StoredPlan};
use crate::record::{Sighting, StoredRecord};
use crate::run::Run;
use crate::scope::Scope;

/// Reads one organisation's data. Every method fails with `storage.database`
/// or `storage.busy` when the database cannot answer, and with
/// `storage.unreadable` or `storage.damaged` when what is stored is broken;
/// other errors are named where they can occur.
pub struct Reader {
    pub(crate) scope: Scope,
    pub(crate) handle: Handle,
}

/// What storage calls answer.
type Result<T> = std::result::Result<T, StorageError>;

impl Reader {
    /// Whose data.
    #[must_use]
    pub const fn organisation(&self) -> OrganisationId {
        self.scope.organisation
    }

    /// How the work stands, in numbers.
    ///
    /// # Errors
    /// As every method.
    pub async fn condition(&mut self) -> Result<Condition> {
        Ok(Condition {
            waiting: self.outbox_queue(OutboxState::Waiting).await?,
            failed: self.outbox_queue(OutboxState::Failed).await?,
            runs: self.runs_at_work().await?,
            held_rows: self.held_rows().await?,
        })
    }

    /// Which runs work, and which nobody works on any more.
    ///
    /// # Errors
    /// As every method.
    pub async fn runs_at_work(&mut self) -> Result<RunsAtWork> {
        on_its_engine!(self, condition::runs())
    }

    /// How many outward messages there are in a state, and since when.
    ///
    /// # Errors
    /// As every method.
    pub async fn outbox_queue(&mut self, state: OutboxState) -> Result<Queue> {
        on_its_engine!(self, condition::queue(state))
    }

    /// How many rows of the newest plan of each connection wait for a person.
    ///
    /// # Errors
    /// As every method.
    pub async fn held_rows(&mut self) -> Result<u64> {
        on_its_engine!(self, condition::held())
    }

    // --- who signs in

    /// Who may enter, by address.
    ///
    /// # Errors
    /// As every method.
    pub async fn accesses(&mut self) -> Result<Vec<Access>> {
        on_its_engine!(self, account_access::list())
    }

    /// All tokens, oldest first.
    ///
    /// # Errors
    /// As every method.
    pub async fn tokens(&mut self) -> Result<Vec<Token>> {
        on_its_engine!(self, tokens::list())
    }

    // --- connections

    /// A connection.
    ///
    /// # Errors
    /// `connection.unknown`.
    pub async fn connection(&mut self, id: ConnectionId) -> Result<Connection> {
        on_its_engine!(self, connections::by_id(id))
    }

    /// The connection of a name.
    ///
    /// # Errors
    /// As every method.
    pub async fn connection_by_name(&mut self, name: &str) -> Result<Option<Connection>> {
        on_its_engine!(self, connections::by_name(name))
    }

    /// All connections, in the order of sources.
    ///
    /// # Errors
    /// As every method.
    pub async fn connections(&mut self) -> Result<Vec<Connection>> {
        on_its_engine!(self, connections::list())
    }

    /// All connections by name, each as far as it can be read: one that is broken
    /// does not hide the others.
    ///
    /// # Errors
    /// As every method.
    pub async fn connections_one_by_one(&mut self) -> Result<Vec<(String, Result<Connection>)>> {
        on_its_engine!(self, connections::one_by_one())
    }

    /// A connection's credentials; `None` if none were entered.
    ///
    /// # Errors
    /// `connection.unknown`; `credentials.asked_again` if they were entered
    /// for another connector, base address or host setting.
    pub async fn credentials(&mut self, id: ConnectionId) -> Result<Option<Credentials>> {
        on_its_engine!(self, connections::credentials(id))
    }

    // --- the audit log

    /// The newest entry of the audit log; `None` if there is none.
    ///
    /// # Errors
    /// As every method.
    pub async fn audit_head(&mut self) -> Result<Option<AuditHead>> {
        on_its_engine!(self, audit::head())
    }

    /// Verifies the audit log, and the rows that it speaks of, from the first
    /// entry to the last; `head` is one that was kept elsewhere.
    ///
    /// # Errors
    /// As every method. What is wrong with the log is no error but a finding.
    pub async fn verify_audit(&mut self, head: Option<AuditHead>) -> Result<AuditFindings> {
        crate::audit::verify(self, head).await
    }

    /// When a person was erased; `None` if nobody of this id was.
    ///
    /// # Errors
    /// As every method.
    pub async fn erased_at(&mut self, person: PersonId) -> Result<Option<Timestamp>> {
        on_its_engine!(self, erase::erased_at(person))
    }

    // --- runs

    /// The newest runs, newest first.
    ///
    /// # Errors
    /// As every method.
    pub async fn runs(&mut self, limit: u32) -> Result<Vec<Run>> {
        on_its_engine!(self, runs::list(limit))
    }

    /// A run.
    ///
    /// # Errors
    /// As every method.
    pub async fn run(&mut self, id: RunId) -> Result<Option<Run>> {
        on_its_engine!(self, runs::by_id(id))
    }

    // --- source records

    /// Records seen in the snapshot that must be planned: never brought to
    /// rest, or changed since, or brought to rest under other versions, or
    /// marked as due. In the order of ids, at most `limit` after `after`.
    ///
    /// # Errors
    /// As every method.
    pub async fn touched(
        &mut self,
        connection: ConnectionId,
        snapshot: SnapshotId,
        versions: &str,
        after: Option<&ExternalId>,
        limit: u32,
    ) -> Result<Vec<StoredRecord>> {
        on_its_engine!(
            self,
            touched::touched(connection, snapshot, versions, after, limit)
        )
    }

    /// How many records of the snapshot are not touched, by the class in
    /// which they came to rest.
    ///
    /// # Errors
    /// As every method.
    pub async fn untouched_counts(
        &mut self,
        connection: ConnectionId,
        snapshot: SnapshotId,
        versions: &str,
    ) -> Result<BTreeMap<String, u64>> {
        on_its_engine!(
            self,
            touched::untouched_counts(connection, snapshot, versions)
        )
    }

    /// Linked records that were not seen in the snapshot, in the order of
    /// ids, at most `limit` after `after`.
    ///
    /// # Errors
    /// As every method.
    pub async fn missing(
        &mut self,
        connection: ConnectionId,
        snapshot: SnapshotId,
        after: Option<&ExternalId>,
        limit: u32,
    ) -> Result<Vec<ExternalId>> {
        on_its_engine!(self, touched::missing(connection, snapshot, after, limit))
    }

    /// How many records of the snapshot have a lower revision than their link
    /// last believed.
    ///
    /// # Errors
    /// As every method.
    pub async fn backwards(
        &mut self,
        connection: ConnectionId,
        snapshot: SnapshotId,
    ) -> Result<u64> {
        on_its_engine!(self, touched::backwards(connection, snapshot))
    }

    /// The records of these ids, whatever snapshot saw them last; unknown ids
    /// are left out, the order is free.
    ///
    /// # Errors
    /// As every method.
    pub async fn records(
        &mut self,
        connection: ConnectionId,
        ids: &[ExternalId],
    ) -> Result<Vec<StoredRecord>> {
        on_its_engine!(self, touched::by_ids(connection, ids))
    }

    /// When a record was last seen; `None` for one that never was.
    ///
    /// # Errors
    /// As every method.
    pub async fn sighting(
        &mut self,
        connection: ConnectionId,
        record: &ExternalId,
    ) -> Result<Option<Sighting>> {
        on_its_engine!(self, snapshots::sighting(connection, record))
    }

    /// Those of these records that were seen in the newest read that had begun by an
    /// instant, or in a later one.
    ///
    /// # Errors
    /// As every method.
    pub async fn seen_since(
        &mut self,
        connection: ConnectionId,
        ids: &[ExternalId],
        at: Timestamp,
    ) -> Result<BTreeSet<ExternalId>> {
        on_its_engine!(self, snapshots::seen_since(connection, ids, at))
    }

    /// The records of every connection that hold any of these keys.
    ///
    /// # Errors
    /// As every method.
    pub async fn records_holding(
        &mut self,
        keys: &[(MatchKey, Digest)],
    ) -> Result<Vec<(ConnectionId, ExternalId)>> {
        on_its_engine!(self, keys::records_holding(keys))
    }

    /// Who held each of these keys and gave it up since an instant, also people
    /// who hold it again.
    ///
    /// # Errors
    /// As every method.
    pub async fn past_holders(
        &mut self,
        keys: &[(MatchKey, Digest)],
        since: Timestamp,
    ) -> Result<BTreeMap<(MatchKey, Digest), Vec<PersonId>>> {
        on_its_engine!(self, keys::past_holders(keys, since))
    }

    /// The people of the organisation, and the records of the snapshot, that
    /// hold each of the keys.
    ///
    /// # Errors
    /// As every method.
    pub async fn key_holders(
        &mut self,
        connection: ConnectionId,
        snapshot: SnapshotId,
        keys: &[(MatchKey, Digest)],
    ) -> Result<KeyHolders> {
        on_its_engine!(self, keys::holders(connection, snapshot, keys))
    }

    /// The people who hold a key of one of these records, and which of these.
    ///
    /// # Errors
    /// As every method.
    pub async fn people_with_keys_of(
        &mut self,
        connection: ConnectionId,
        ids: &[ExternalId],
    ) -> Result<KeyHolders> {
        on_its_engine!(self, keys::people_of_records(connection, ids))
    }

    /// The people who hold a key of one of these records, and which of these; and, of
    /// keys that another record of the snapshot holds too, all records that hold them.
    ///
    /// # Errors
    /// As every method.
    pub async fn holders_of_records(
        &mut self,
        connection: ConnectionId,
        snapshot: SnapshotId,
        ids: &[ExternalId],
    ) -> Result<KeyHolders> {
        on_its_engine!(self, keys::holders_of_records(connection, snapshot, ids))
    }

    /// Records of a connection, of whatever read, that hold a key which another record of
    /// it holds too, or a person of the organisation; `None` if there are more than `most`.
    ///
    /// # Errors
    /// As every method.
    pub async fn contested_records(
        &mut self,
        connection: ConnectionId,
        most: usize,
    ) -> Result<Option<BTreeSet<ExternalId>>> {
        on_its_engine!(self, keys::contested_records(connection, most))
    }

    // --- links

    /// The links of these records; the order is free.
    ///
    /// # Errors
    /// As every method.
    pub async fn links(
        &mut self,
        connection: ConnectionId,
        ids: &[ExternalId],
    ) -> Result<Vec<Link>> {
        on_its_engine!(self, links::by_records(connection, ids))
    }

    /// All links of these people, on every connection; the order is free.
    ///
    /// # Errors
    /// As every method.
    pub async fn links_of_people(
        &mut self,
        people: &[PersonId],
    ) -> Result<Vec<(ConnectionId, Link)>> {
        on_its_engine!(self, links::of_people(people))
    }

    /// Whose records these are; records without a link are left out.
    ///
    /// # Errors
    /// As every method.
    pub async fn people_of_records(
        &mut self,
        connection: ConnectionId,
        ids: &[ExternalId],
    ) -> Result<BTreeMap<ExternalId, PersonId>> {
        on_its_engine!(self, links::people_of_records(connection, ids))
    }

    /// How many people are linked on a connection and have not left: what the
    /// shares of the brakes are of.
    ///
    /// # Errors
    /// As every method.
    pub async fn linked_people(&mut self, connection: ConnectionId) -> Result<u64> {
        on_its_engine!(self, links::count_people(connection))
    }

    // --- people

    /// How many administrators may enter now.
    ///
    /// # Errors
    /// As every method.
    pub async fn administrators(&mut self) -> Result<u64> {
        on_its_engine!(self, people::administrators())
    }

    /// These people; unknown ids are left out, the order is free.
    ///
    /// # Errors
    /// As every method.
    pub async fn people(&mut self, ids: &[PersonId]) -> Result<Vec<Person>> {
        on_its_engine!(self, people::by_ids(ids))
    }

    /// People in the order of ids, at most `limit` after `after`.
    ///
    /// # Errors
    /// As every method.
    pub async fn people_page(
        &mut self,
        after: Option<PersonId>,
        limit: u32,
    ) -> Result<Vec<Person>> {
        on_its_engine!(self, people::page(after, limit))
    }

    /// Everybody who fits, in the order of ids.
    ///
    /// # Errors
    /// As every method.
    pub async fn find_people(&mut self, query: &PersonQuery) -> Result<Vec<Person>> {
        on_its_engine!(self, people::find(query))
    }

    /// Who has a manager, and whom: (person, manager), in the order of people.
    ///
    /// # Errors
    /// As every method.
    pub async fn manager_edges(&mut self) -> Result<Vec<(PersonId, PersonId)>> {
        on_its_engine!(self, people::manager_edges())
    }

    /// Those of these people who have a manager, and whom: (person, manager).
    ///
    /// # Errors
    /// As every method.
    pub async fn managers_of(&mut self, ids: &[PersonId]) -> Result<Vec<(PersonId, PersonId)>> {
        on_its_engine!(self, people::managers_of(ids))
    }

    /// Who has each of these folded work addresses.
    ///
    /// # Errors
    /// As every method.
    pub async fn people_of_addresses(
        &mut self,
        addresses: &[String],
    ) -> Result<BTreeMap<String, Vec<PersonId>>> {
        on_its_engine!(self, people::of_addresses(addresses))
    }

    /// Who reports to these people: (report, manager).
    ///
    /// # Errors
    /// As every method.
    pub async fn reports_of(&mut self, managers: &[PersonId]) -> Result<Vec<(PersonId, PersonId)>> {
        on_its_engine!(self, people::reports_of(managers))
    }

    // --- plans

    /// The plan of an id, or of the only id that begins so.
    ///
    /// # Errors
    /// `plan.unknown`, `plan.ambiguous`.
    pub async fn plan(&mut self, name: &str) -> Result<StoredPlan> {
        on_its_engine!(self, plans::by_name(name))
    }

    /// The newest plan of a connection.
    ///
    /// # Errors
    /// As every method.
    pub async fn latest_plan(&mut self, connection: ConnectionId) -> Result<Option<StoredPlan>> {
        on_its_engine!(self, plans::latest(connection))
    }

    /// Rows of a plan in any of these states, by their place in it, at most
    /// `limit` after `after`.
    ///
    /// # Errors
    /// As every method.
    pub async fn changes(
        &mut self,
        plan: PlanId,
        states: &[ChangeState],
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StoredChange>> {
        on_its_engine!(self, plan_rows::page(plan, states, after, limit))
    }

    /// The rows at these places of a plan, in this order; places that the plan does
    /// not have are left out.
    ///
    /// # Errors
    /// As every method.
    pub async fn changes_at(
        &mut self,
        plan: PlanId,
        ordinals: &[u64],
    ) -> Result<Vec<StoredChange>> {
        on_its_engine!(self, plan_rows::at(plan, ordinals))
    }

    /// How many rows of a plan stand in each state.
    ///
    /// # Errors
    /// As every method.
    pub async fn change_states(&mut self, plan: PlanId) -> Result<BTreeMap<ChangeState, u64>> {
        on_its_engine!(self, plan_rows::states(plan))
    }

    /// The plan that a run made, and the stored one that it applied.
    ///
    /// # Errors
    /// As every method.
    pub async fn plans_of_run(&mut self, run: RunId) -> Result<Vec<StoredPlan>> {
        on_its_engine!(self, plans::of_run(run))
    }

    /// The runs that took a run back, oldest first.
    ///
    /// # Errors
    /// As every method.
    pub async fn undoings(&mut self, run: RunId) -> Result<Vec<RunId>> {
        on_its_engine!(self, plans::undoings(run))
    }

    /// The newest rows about a record, newest first.
    ///
    /// # Errors
    /// As every method.
    pub async fn rows_of_record(
        &mut self,
        connection: ConnectionId,
        record: &ExternalId,
        limit: u32,
    ) -> Result<Vec<PlannedRow>> {
        on_its_engine!(self, plan_rows::of_record(connection, record, limit))
    }

    // --- holds

    /// How many rows of each kind the brakes let through since an instant,
    /// inclusive.
    ///
    /// # Errors
    /// As every method.
    pub async fn passed_since(
        &mut self,
        connection: ConnectionId,
        since: Timestamp,
    ) -> Result<BTreeMap<BrakeKind, u64>> {
        on_its_engine!(self, holds::passed_since(connection, since))
    }

    // --- decisions

    /// What was decided about these records, in order.
    ///
    /// # Errors
    /// As every method.
    pub async fn decisions(
        &mut self,
        connection: ConnectionId,
        ids: &[ExternalId],
    ) -> Result<Vec<RecordDecision>> {
        on_its_engine!(self, decisions::of_records(connection, ids))
    }

    // --- outbox

    /// The oldest messages of a state.
    ///
    /// # Errors
    /// As every method.
    pub async fn outbox(&mut self, state: OutboxState, limit: u32) -> Result<Vec<StoredMessage>> {
        on_its_engine!(self, outbox::list(state, limit))
    }

    /// What followed from the rows of a plan between two places, both included,
    /// in the order of queueing.
    ///
    /// # Errors
    /// As every method.
    pub async fn outbox_of_rows(
        &mut self,
        plan: PlanId,
        first: u64,
        last: u64,
    ) -> Result<Vec<StoredMessage>> {
        on_its_engine!(self, outbox::of_rows(plan, first, last))
    }

    /// How many outward writes wait for a connection, and when the first is due.
    ///
    /// # Errors
    /// As every method.
    pub async fn waiting_writes(
        &mut self,
        connection: ConnectionId,
    ) -> Result<(u64, Option<Timestamp>)> {
        on_its_engine!(self, outbox::waiting(connection))
    }
}
