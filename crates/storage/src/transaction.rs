//! Writing one organisation's data.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use muster_model::policy::BrakeKind;
use muster_model::report::Trigger;
use muster_model::values::Email;
use muster_model::{
    Change, ConnectionId, ExternalId, Link, Matter, PersonId, Plan, PlanId, RecordDecision, RunId,
    RunReport, SnapshotId, TokenId,
};
use uuid::Uuid;

use crate::account::{Access, NewToken, Role};
use crate::both::on_its_engine;
use crate::connection::{Connection, Credentials, NewConnection};
use crate::error::StorageError;
use crate::outbox::{OutboxMark, OutboxMessage, OutboxState, StoredMessage};
use crate::person::PersonToWrite;
use crate::plan::{ChangeMark, NewPlan};
use crate::reader::Reader;
use crate::record::{RecordToStore, Rest, Stored};
use crate::run::{Run, RunStep};
use crate::secret::Secret;

/// A transaction over one organisation's data: everything in it becomes true
/// together with [`Transaction::commit`], or nothing does. It reads like a
/// [`Reader`], its own writes included. Errors as there.
pub struct Transaction {
    reader: Reader,
}

/// What storage calls answer.
type Result<T> = std::result::Result<T, StorageError>;

impl Transaction {
    pub(crate) const fn new(reader: Reader) -> Self {
        Self { reader }
    }

    /// Makes everything last. Without it, dropping the transaction undoes it.
    ///
    /// # Errors
    /// `storage.database`: then nothing was written.
    pub async fn commit(self) -> Result<()> {
        self.reader.handle.commit().await
    }

    /// The handle, for whoever goes on in another organisation.
    pub(crate) fn into_handle(self) -> crate::both::Handle {
        self.reader.handle
    }

    // --- who signs in

    /// Lets the account of an address into the organisation, made if there is
    /// none. With an account that has no password comes a one-time link to set one.
    ///
    /// # Errors
    /// `access.exists` if it may enter already.
    pub async fn give_access(
        &mut self,
        address: &Email,
        role: Role,
        link_for: Duration,
    ) -> Result<(Access, Option<Secret>)> {
        on_its_engine!(
            &mut self.reader,
            account_access::give(address, role, link_for)
        )
    }

    /// Makes a token for a program; its secret is stored nowhere.
    ///
    /// # Errors
    /// `connection.unknown`.
    pub async fn create_token(&mut self, new: &NewToken) -> Result<(TokenId, Secret)> {
        on_its_engine!(&mut self.reader, tokens::insert(new))
    }

    /// Ends a token; `false` if there is none of the id, or it was over.
    ///
    /// # Errors
    /// As every method.
    pub async fn revoke_token(&mut self, id: TokenId) -> Result<bool> {
        on_its_engine!(&mut self.reader, tokens::revoke(id))
    }

    // --- connections

    /// Makes a connection, a draft.
    ///
    /// # Errors
    /// `connection.exists` if the name is in use.
    pub async fn insert_connection(
        &mut self,
        new: NewConnection,
        credentials: Option<&Credentials>,
    ) -> Result<Connection> {
        on_its_engine!(&mut self.reader, connections::insert(new, credentials))
    }

    /// Writes everything but id and creation; `None` keeps the credentials.
    ///
    /// # Errors
    /// `connection.unknown`; `credentials.asked_again` if the address changes
    /// and no credentials come along.
    pub async fn update_connection(
        &mut self,
        connection: &Connection,
        credentials: Option<&Credentials>,
    ) -> Result<()> {
        on_its_engine!(
            &mut self.reader,
            connections::update(connection, credentials)
        )
    }

    // --- runs

    /// Begins a run and takes the connection for it, until the lease runs out
    /// on the database's clock or its process ends. A run that had the connection
    /// and is dead is marked as interrupted, its plan is over, and what it was
    /// sending is free. Commit at once: others see it only then.
    ///
    /// # Errors
    /// `connection.unknown`; `run.in_progress` if another run holds the connection.
    pub async fn begin_run(
        &mut self,
        connection: ConnectionId,
        trigger: Trigger,
        lease: Duration,
    ) -> Result<Run> {
        on_its_engine!(&mut self.reader, runs::begin(connection, trigger, lease))
    }

    /// Says which stored plan a run applies.
    ///
    /// # Errors
    /// As every method.
    pub async fn run_applies(&mut self, run: RunId, plan: PlanId) -> Result<()> {
        on_its_engine!(&mut self.reader, runs::applies(run, plan))
    }

    /// Says what a run is at.
    ///
    /// # Errors
    /// As every method.
    pub async fn set_step(&mut self, run: RunId, step: RunStep) -> Result<()> {
        on_its_engine!(&mut self.reader, runs::set_step(run, step))
    }

    /// Keeps the connection for so long from now.
    ///
    /// # Errors
    /// `run.lease_lost` if another run took it, or the run has ended: stop
    /// and commit nothing.
    pub async fn extend_lease(&mut self, run: RunId, lease: Duration) -> Result<()> {
        on_its_engine!(&mut self.reader, leases::extend(run, lease))
    }

    /// Stores the report and lets the connection go.
    ///
    /// # Errors
    /// `run.lease_lost` if another run took the connection.
    pub async fn finish_run(&mut self, report: &RunReport) -> Result<()> {
        on_its_engine!(&mut self.reader, runs::finish(report))
    }

    /// Ends every run that has not ended and takes its lease: for a database that
    /// was put back, where nobody works on them; how many there were.
    ///
    /// # Errors
    /// As every method.
    pub async fn interrupt_runs(&mut self) -> Result<u64> {
        on_its_engine!(&mut self.reader, runs::interrupt())
    }

    // --- source records

    /// Begins the snapshot of a run's read.
    ///
    /// # Errors
    /// `run.lease_lost` if there is no such run of this connection.
    pub async fn begin_snapshot(
        &mut self,
        connection: ConnectionId,
        run: RunId,
    ) -> Result<SnapshotId> {
        on_its_engine!(&mut self.reader, snapshots::begin(connection, run))
    }

    /// Stores a page of records. Of an unchanged one only the snapshot and
    /// the revision are written.
    ///
    /// # Errors
    /// `snapshot.unknown`, `record.without_id`.
    pub async fn store_records(
        &mut self,
        connection: ConnectionId,
        snapshot: SnapshotId,
        records: &[RecordToStore],
    ) -> Result<Stored> {
        on_its_engine!(
            &mut self.reader,
            records::store(connection, snapshot, records)
        )
    }

    /// Brings records to rest under these versions. A mark set after the
    /// record was loaded stays.
    ///
    /// # Errors
    /// As every method.
    pub async fn settle(
        &mut self,
        connection: ConnectionId,
        versions: &str,
        rests: &[Rest],
    ) -> Result<()> {
        on_its_engine!(&mut self.reader, due::settle(connection, versions, rests))
    }

    /// Takes records out of rest.
    ///
    /// # Errors
    /// As every method.
    pub async fn unsettle(&mut self, connection: ConnectionId, ids: &[ExternalId]) -> Result<()> {
        on_its_engine!(&mut self.reader, due::unsettle(connection, ids))
    }

    /// Marks records as due.
    ///
    /// # Errors
    /// As every method.
    pub async fn mark_records_due(
        &mut self,
        connection: ConnectionId,
        ids: &[ExternalId],
    ) -> Result<()> {
        on_its_engine!(&mut self.reader, due::mark_records(connection, ids))
    }

    /// Marks every record linked to these people as due, on every connection.
    ///
    /// # Errors
    /// As every method.
    pub async fn mark_people_due(&mut self, people: &[PersonId]) -> Result<()> {
        on_its_engine!(&mut self.reader, due::mark_people(people))
    }

    /// Marks the records that say something about this day or an earlier one;
    /// how many there were.
    ///
    /// # Errors
    /// As every method.
    pub async fn mark_due_on(&mut self, today: Date) -> Result<u64> {
        on_its_engine!(&mut self.reader, due::mark_due_on(today))
    }

    // --- links

    /// Inserts links of version 0 and updates the others where the version
    /// still holds; the stored version is one more. Gives back the ids of the
    /// stale ones, of which nothing was written.
    ///
    /// # Errors
    /// `connection.unknown`, `person.unknown`.
    pub async fn write_links(
        &mut self,
        connection: ConnectionId,
        links: &[Link],
    ) -> Result<Vec<ExternalId>> {
        on_its_engine!(&mut self.reader, links::write(connection, links))
    }

    /// Deletes links; how many there were.
    ///
    /// # Errors
    /// As every method.
    pub async fn delete_links(
        &mut self,
        connection: ConnectionId,
        ids: &[ExternalId],
    ) -> Result<u64> {
        on_its_engine!(&mut self.reader, links::delete(connection, ids))
    }

    // --- people

    /// Inserts people of version 0 and updates the others where the version
    /// still holds; the stored version is one more. Gives back the stale
    /// ones, of whom nothing was written.
    ///
    /// # Errors
    /// As every method.
    pub async fn write_people(&mut self, people: &[PersonToWrite]) -> Result<Vec<PersonId>> {
        on_its_engine!(&mut self.reader, people::write(people))
    }

    /// Takes people out of the directory who never had access, with their links:
    /// their records stay, and nothing remembers them as erased.
    ///
    /// # Errors
    /// As every method.
    pub async fn remove_people(&mut self, people: &[PersonId]) -> Result<()> {
        on_its_engine!(&mut self.reader, erase::remove(people))
    }

    /// Erases people: their rows, digests, keys, links and linked records,
    /// and what was sealed with those keys; how many there were. Their ids are
    /// remembered as erased.
    ///
    /// # Errors
    /// As every method.
    pub async fn erase_people(&mut self, people: &[PersonId]) -> Result<u64> {
        on_its_engine!(&mut self.reader, erase::people(people))
    }

    /// Remembers people as erased, whether or not they are there.
    ///
    /// # Errors
    /// As every method.
    pub async fn remember_erased(&mut self, people: &[(PersonId, Timestamp)]) -> Result<()> {
        on_its_engine!(&mut self.reader, erase::remember(people))
    }

    // --- plans

    /// Stores a plan: its head in the clear, each row sealed with the key of
    /// the person or, while there is none, of the source record.
    ///
    /// # Errors
    /// `connection.unknown`, `plan.row_without_owner`.
    pub async fn store_plan(&mut self, new: NewPlan<'_>) -> Result<()> {
        on_its_engine!(&mut self.reader, plans::store(new))
    }

    /// Begins a plan whose rows come in parts, in this transaction and later ones:
    /// nobody sees it before [`Transaction::finish_plan`]. What a killed run left
    /// of another one is thrown away.
    ///
    /// # Errors
    /// `connection.unknown`.
    pub async fn begin_plan(
        &mut self,
        id: PlanId,
        run: Option<RunId>,
        connection: ConnectionId,
        versions: &str,
    ) -> Result<()> {
        on_its_engine!(&mut self.reader, plans::discard_unfinished(connection))?;
        on_its_engine!(
            &mut self.reader,
            plans::begin_read(id, run, connection, versions)
        )
    }

    /// Adds rows to a plan, the first of them at place `first`.
    ///
    /// # Errors
    /// `plan.row_without_owner`.
    pub async fn add_changes(
        &mut self,
        id: PlanId,
        connection: ConnectionId,
        first: u64,
        changes: &[Change],
    ) -> Result<()> {
        on_its_engine!(
            &mut self.reader,
            plan_rows::add(id, connection, first, changes)
        )
    }

    /// Writes the head of a plan whose rows were added before; those in `plan` are
    /// not looked at.
    ///
    /// # Errors
    /// As every method.
    pub async fn finish_plan(&mut self, id: PlanId, plan: &Plan) -> Result<()> {
        on_its_engine!(&mut self.reader, plans::finish(id, plan))
    }

    /// Says what became of rows.
    ///
    /// # Errors
    /// As every method.
    pub async fn mark_changes(&mut self, plan: PlanId, marks: &[ChangeMark]) -> Result<()> {
        on_its_engine!(&mut self.reader, plan_rows::mark(plan, marks))
    }

    // --- holds

    /// Counts rows of a kind that a brake let through at an instant.
    ///
    /// # Errors
    /// `connection.unknown`.
    pub async fn passed(
        &mut self,
        connection: ConnectionId,
        kind: BrakeKind,
        at: Timestamp,
        rows: u64,
    ) -> Result<()> {
        on_its_engine!(&mut self.reader, holds::passed(connection, kind, at, rows))
    }

    // --- decisions

    /// Stores what was decided about records; an earlier answer to the same
    /// matter gives way. Of a plan of another connection, or a person of
    /// another organisation, nothing is taken.
    ///
    /// # Errors
    /// `connection.unknown`.
    pub async fn store_decisions(
        &mut self,
        connection: ConnectionId,
        decisions: &[RecordDecision],
    ) -> Result<()> {
        on_its_engine!(&mut self.reader, decisions::store(connection, decisions))
    }

    /// Takes decisions back, or uses them up.
    ///
    /// # Errors
    /// As every method.
    pub async fn take_back_decisions(
        &mut self,
        connection: ConnectionId,
        matters: &[(ExternalId, Matter)],
    ) -> Result<()> {
        on_its_engine!(&mut self.reader, decisions::take_back(connection, matters))
    }

    // --- outbox

    /// Queues outward work, in order. A write of a field replaces one that waits
    /// for the same field, unless that is being sent.
    ///
    /// # Errors
    /// `person.unknown`.
    pub async fn enqueue(&mut self, messages: &[OutboxMessage]) -> Result<()> {
        on_its_engine!(&mut self.reader, outbox::enqueue(messages))
    }

    /// Cancels outward work that waits since an instant or longer; how much there was.
    ///
    /// # Errors
    /// As every method.
    pub async fn cancel_outbox_before(&mut self, at: Timestamp) -> Result<u64> {
        on_its_engine!(&mut self.reader, outbox::cancel_before(at))
    }

    /// Which of these messages wait still.
    ///
    /// # Errors
    /// As every method.
    pub async fn still_waiting(&mut self, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        on_its_engine!(&mut self.reader, outbox::still_waiting(ids))
    }

    /// Cancels messages that wait still; how many of these that were.
    ///
    /// # Errors
    /// As every method.
    pub async fn cancel_outbox(&mut self, ids: &[Uuid]) -> Result<u64> {
        on_its_engine!(&mut self.reader, outbox::cancel(ids))
    }

    /// Takes everything that waits for at most so many records of a connection,
    /// those whose oldest message is due by an instant and held by nobody, and
    /// counts the attempt that follows. Nobody else gets them until the lease
    /// runs out on the database's clock, or the sender says what became of them.
    /// Commit before sending: an attempt that may go out must be known.
    ///
    /// # Errors
    /// As every method.
    pub async fn claim_outbox(
        &mut self,
        connection: ConnectionId,
        sender: RunId,
        due_by: Timestamp,
        records: u32,
        lease: Duration,
    ) -> Result<Vec<StoredMessage>> {
        on_its_engine!(
            &mut self.reader,
            outbox::claim(connection, sender, due_by, records, lease)
        )
    }

    /// Makes everything that waits for a connection due now.
    ///
    /// # Errors
    /// As every method.
    pub async fn hasten_outbox(&mut self, connection: ConnectionId) -> Result<()> {
        on_its_engine!(&mut self.reader, outbox::hasten(connection))
    }

    /// Says what became of messages that the sender took; how many of them it
    /// still held. If fewer than given, somebody else has them: commit nothing.
    ///
    /// # Errors
    /// As every method.
    pub async fn end_attempts(&mut self, sender: RunId, marks: &[OutboxMark]) -> Result<u64> {
        on_its_engine!(&mut self.reader, outbox::end_attempts(sender, marks))
    }

    /// Says where outward work stands.
    ///
    /// # Errors
    /// As every method.
    pub async fn mark_outbox(&mut self, ids: &[Uuid], state: OutboxState) -> Result<()> {
        on_its_engine!(&mut self.reader, outbox::mark(ids, state))
    }
}

impl Deref for Transaction {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Reader {
        &mut self.reader
    }
}
