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
use crate::audit::{Journal, event};
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
    /// What the audit log enters of it.
    journal: Journal,
}

/// What storage calls answer.
type Result<T> = std::result::Result<T, StorageError>;

impl Transaction {
    pub(crate) fn new(reader: Reader) -> Self {
        Self {
            reader,
            journal: Journal::default(),
        }
    }

    /// Makes everything last, with its entry in the audit log. Without it,
    /// dropping the transaction undoes it.
    ///
    /// # Errors
    /// `storage.database`: then nothing was written.
    pub async fn commit(mut self) -> Result<()> {
        on_its_engine!(&mut self.reader, audit::enter(self.journal))?;
        self.reader.handle.commit().await
    }

    /// The handle, for whoever goes on in another organisation.
    /// The transaction goes on for another organisation: what was done for this
    /// one is entered in its audit log.
    pub(crate) async fn into_handle(mut self) -> Result<crate::both::Handle> {
        on_its_engine!(&mut self.reader, audit::enter(self.journal))?;
        Ok(self.reader.handle)
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
        let given = on_its_engine!(
            &mut self.reader,
            account_access::give(address, role, link_for)
        )?;
        self.journal.note(event::access_given(&given.0));
        Ok(given)
    }

    /// Makes a token for a program; its secret is stored nowhere.
    ///
    /// # Errors
    /// `connection.unknown`.
    pub async fn create_token(&mut self, new: &NewToken) -> Result<(TokenId, Secret)> {
        let made = on_its_engine!(&mut self.reader, tokens::insert(new))?;
        self.journal.note(event::token_made(made.0, new));
        Ok(made)
    }

    /// Ends a token; `false` if there is none of the id, or it was over.
    ///
    /// # Errors
    /// As every method.
    pub async fn revoke_token(&mut self, id: TokenId) -> Result<bool> {
        let was = on_its_engine!(&mut self.reader, tokens::revoke(id))?;
        if was {
            self.journal.note(event::token_revoked(id));
        }
        Ok(was)
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
        let made = on_its_engine!(&mut self.reader, connections::insert(new, credentials))?;
        self.journal.note(event::connection_made(&made));
        if let Some(credentials) = credentials {
            self.journal
                .note(event::credentials_stored(&made, credentials));
        }
        Ok(made)
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
        let before = on_its_engine!(
            &mut self.reader,
            connections::update(connection, credentials)
        )?;
        if let Some(changed) = event::connection_changed(&before, connection)? {
            self.journal.note(changed);
        }
        if let Some(credentials) = credentials {
            self.journal
                .note(event::credentials_stored(connection, credentials));
        }
        Ok(())
    }

    /// Puts another secret in the place of one of a connection's.
    ///
    /// # Errors
    /// `connection.unknown`; `credentials.asked_again` if none were entered for
    /// its address.
    pub async fn replace_secret(
        &mut self,
        connection: ConnectionId,
        name: &str,
        secret: &str,
    ) -> Result<()> {
        let of = on_its_engine!(
            &mut self.reader,
            connections::replace_secret(connection, name, secret)
        )?;
        let mut replaced = Credentials::new();
        replaced.put(name, secret);
        self.journal.note(event::credentials_stored(&of, &replaced));
        Ok(())
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
        let run = on_its_engine!(&mut self.reader, runs::begin(connection, trigger, lease))?;
        self.journal.belongs_to(run.id);
        self.journal.note(event::run_begun(&run));
        Ok(run)
    }

    /// Says which stored plan a run applies.
    ///
    /// # Errors
    /// As every method.
    pub async fn run_applies(&mut self, run: RunId, plan: PlanId) -> Result<()> {
        on_its_engine!(&mut self.reader, runs::applies(run, plan))?;
        self.journal.note(event::run_applies(run, plan));
        Ok(())
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
        on_its_engine!(&mut self.reader, leases::extend(run, lease))?;
        self.journal.belongs_to(run);
        Ok(())
    }

    /// Stores the report and lets the connection go.
    ///
    /// # Errors
    /// `run.lease_lost` if another run took the connection.
    pub async fn finish_run(&mut self, report: &RunReport) -> Result<()> {
        let digest = on_its_engine!(&mut self.reader, runs::finish(report))?;
        self.journal.belongs_to(report.run);
        self.journal.note(event::run_finished(report, digest));
        Ok(())
    }

    /// Ends every run that has not ended and takes its lease: for a database that
    /// was put back, where nobody works on them; how many there were.
    ///
    /// # Errors
    /// As every method.
    pub async fn interrupt_runs(&mut self) -> Result<u64> {
        let runs = on_its_engine!(&mut self.reader, runs::interrupt())?;
        self.journal.note(event::database_restored(runs));
        Ok(runs)
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

    /// Takes the records of one snapshot that another does not have into that one: of a
    /// read that brought only what changed.
    ///
    /// # Errors
    /// `snapshot.unknown`.
    pub async fn carry_over(
        &mut self,
        connection: ConnectionId,
        from: SnapshotId,
        to: SnapshotId,
    ) -> Result<()> {
        on_its_engine!(
            &mut self.reader,
            snapshots::carry_over(connection, from, to)
        )
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
        let deleted = on_its_engine!(&mut self.reader, links::delete(connection, ids))?;
        for (record, person) in &deleted {
            self.journal
                .note(event::link_deleted(connection, *person, record));
        }
        Ok(deleted.len() as u64)
    }

    // --- people

    /// Inserts people of version 0 and updates the others where the version
    /// still holds; the stored version is one more. Gives back the stale
    /// ones, of whom nothing was written.
    ///
    /// # Errors
    /// As every method.
    pub async fn write_people(&mut self, people: &[PersonToWrite]) -> Result<Vec<PersonId>> {
        let stale = on_its_engine!(&mut self.reader, people::write(people))?;
        let written = people.iter().map(|given| given.person.id);
        self.journal.wrote(written.filter(|id| !stale.contains(id)));
        Ok(stale)
    }

    /// Takes people out of the directory who never had access, with their links:
    /// their records stay, and nothing remembers them as erased.
    ///
    /// # Errors
    /// As every method.
    pub async fn remove_people(&mut self, people: &[PersonId]) -> Result<()> {
        for gone in on_its_engine!(&mut self.reader, erase::remove(people))? {
            self.journal.note(event::person_removed(&gone));
        }
        Ok(())
    }

    /// Erases people: their rows, digests, keys, links and linked records,
    /// and what was sealed with those keys; how many there were. Their ids are
    /// remembered as erased, and of the linked records a keyed digest of the id,
    /// so that they are not stored again. The bytes are gone from the files after
    /// [`crate::Storage::scrub`].
    ///
    /// # Errors
    /// As every method.
    pub async fn erase_people(&mut self, people: &[PersonId]) -> Result<u64> {
        let erased = on_its_engine!(&mut self.reader, erase::people(people))?;
        for gone in &erased {
            self.journal.note(event::person_erased(gone));
        }
        Ok(erased.iter().filter(|gone| gone.was_there).count() as u64)
    }

    /// Lets the record of an erased person be read again, because the source
    /// means somebody who came back; was there such a record?
    ///
    /// # Errors
    /// As every method.
    pub async fn readmit(&mut self, connection: ConnectionId, id: &ExternalId) -> Result<bool> {
        let was = on_its_engine!(&mut self.reader, erase::readmit(connection, id))?;
        if was {
            self.journal.note(event::record_readmitted(connection, id));
        }
        Ok(was)
    }

    /// Marks records as those of erased people, so that nobody comes back by being
    /// read again: connection, keyed digest of the id, when.
    pub(crate) async fn mark_erased_records(
        &mut self,
        marks: &[(Uuid, Vec<u8>, i64)],
    ) -> Result<()> {
        on_its_engine!(&mut self.reader, erase::mark_given(marks))
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
        let rows = on_its_engine!(&mut self.reader, plans::store(new))?;
        if let Some(run) = new.run {
            self.journal.belongs_to(run);
        }
        self.journal.note(event::plan_stored(
            new.id,
            new.plan,
            rows.unwrap_or_default(),
        ));
        Ok(())
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
        if let Some(rows) = on_its_engine!(&mut self.reader, plans::finish(id, plan))? {
            self.journal.note(event::plan_stored(id, plan, rows));
        }
        Ok(())
    }

    /// Says what became of rows.
    ///
    /// # Errors
    /// As every method.
    pub async fn mark_changes(&mut self, plan: PlanId, marks: &[ChangeMark]) -> Result<()> {
        let leaves = on_its_engine!(&mut self.reader, plan_rows::mark(plan, marks))?;
        self.journal.marked(plan, leaves);
        Ok(())
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
        on_its_engine!(&mut self.reader, decisions::store(connection, decisions))?;
        self.journal.note(event::decided(connection, decisions));
        Ok(())
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
        on_its_engine!(&mut self.reader, decisions::take_back(connection, matters))?;
        self.journal
            .note(event::decisions_taken_back(connection, matters));
        Ok(())
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
        let cancelled = on_its_engine!(&mut self.reader, outbox::cancel_before(at))?;
        self.journal.note(event::outbox_cancelled(cancelled));
        Ok(cancelled)
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
        let cancelled = on_its_engine!(&mut self.reader, outbox::cancel(ids))?;
        if cancelled > 0 {
            self.journal.note(event::outbox_cancelled(cancelled));
        }
        Ok(cancelled)
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
        on_its_engine!(&mut self.reader, outbox::mark(ids, state))?;
        self.journal.note(event::outbox_marked(ids, state));
        Ok(())
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
