//! Some records: read, judged, written, read again, stored.

use std::collections::BTreeMap;

use jiff::Timestamp;
use muster_connect::{
    ConnectError, Connector, ErrorKind, Fetched, FieldScope, ReadRequest, RecordWrite, WriteAnswer,
    Written,
};
use muster_model::engagement::primary;
use muster_model::time::date_in;
use muster_model::zone::zone_of;
use muster_model::{
    Base, ExternalId, Field, Fields, Flow, Person, RunId, Said, SourceRecord, Value,
};
use muster_storage::{Connection, Organisation, OutboxMark, OutboxState};

use super::back_off::next_attempt;
use super::judge::{Verdict, is_form_of, judge};
use super::write::Write;
use super::{AT_ONCE, Goes, LEASE, WRITING};
use crate::connections::region;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::lease;

/// How often a record is read again when somebody writes it at the same time.
const MOST_LOOKS: u32 = 3;
/// How often results are stored against other writers of the same links.
const TRIES: u32 = 4;
/// Answers in a row that leave open whether anything was done, until the source
/// is left alone.
const MOST_UNCLEAR_IN_A_ROW: u32 = 3;

/// Somebody put another value there, or their record cannot be read: the next
/// plan says what to do.
const MOVED: &str = "outbox.source_moved";
/// The record is not there any more.
const NOT_THERE: &str = "outbox.record_not_there";
/// A field of the record that flows outwards cannot be read (BEY-49).
const BAD_FIELD: &str = "outbox.bad_field";
/// The source took the write, and holds what it held before.
const NOT_TAKEN: &str = "outbox.not_taken";
/// Nothing was tried: the time of the batch was over, or the source had failed.
const NOT_TRIED: &str = "outbox.not_tried";
/// The source did not say anything about the record.
const NOT_ANSWERED: &str = "outbox.not_answered";
/// The message cannot be understood.
const UNREADABLE: &str = "outbox.unreadable";

/// Sends for one connection, as one run.
pub(super) struct Sender<'a> {
    engine: &'a Engine,
    organisation: &'a Organisation,
    connection: &'a Connection,
    connector: &'a dyn Connector,
    run: RunId,
}

/// What became of a batch.
pub(super) struct Outcome {
    pub(super) updated: u64,
    pub(super) failed: u64,
    pub(super) goes: Goes,
}

/// What became of one write.
enum End {
    /// The source holds it, in this form; `None` when it does not show the field.
    Holds(Said<Value>),
    /// Never again: the code says why.
    Failed(String),
    /// No longer wanted in this form: the next plan decides.
    Overtaken(&'static str),
    /// Another time.
    Later(String),
}

/// The writes of one record that are under way.
struct Work {
    external_id: ExternalId,
    writes: Vec<Write>,
    person: Option<Person>,
    ends: Vec<(Write, End)>,
    /// The record's revision when it was last seen.
    revision: Option<i64>,
}

impl<'a> Sender<'a> {
    pub(super) const fn new(
        engine: &'a Engine,
        organisation: &'a Organisation,
        connection: &'a Connection,
        connector: &'a dyn Connector,
        run: RunId,
    ) -> Self {
        Self {
            engine,
            organisation,
            connection,
            connector,
            run,
        }
    }

    /// Sends the next records that are due by an instant; `None` when there are none.
    pub(super) async fn send(&self, due_by: Timestamp) -> Result<Option<Outcome>, EngineError> {
        let (mut work, mut marks) = self.claim(due_by).await?;
        if work.is_empty() && marks.is_empty() {
            return Ok(None);
        }
        let goes = self.work(&mut work).await;
        let mut outcome = Outcome {
            updated: 0,
            failed: marks.len() as u64,
            goes,
        };
        for record in &work {
            for (write, end) in &record.ends {
                let mark = self.mark(write, end);
                match mark.state {
                    OutboxState::Sent => outcome.updated += 1,
                    OutboxState::Waiting => {}
                    OutboxState::Failed | OutboxState::Cancelled => outcome.failed += 1,
                }
                marks.push(mark);
            }
        }
        self.store(&work, &marks).await?;
        Ok(Some(outcome))
    }

    /// Takes messages, and with them the duty to say what became of them. What
    /// cannot be understood is marked at once.
    async fn claim(&self, due_by: Timestamp) -> Result<(Vec<Work>, Vec<OutboxMark>), EngineError> {
        let storage = &self.engine.storage;
        let mut transaction = storage.begin(self.organisation.id).await?;
        transaction.extend_lease(self.run, lease::LEASE).await?;
        let claimed = transaction
            .claim_outbox(self.connection.id, self.run, due_by, AT_ONCE, LEASE)
            .await?;
        let ids: Vec<_> = claimed.iter().map(|stored| stored.message.person).collect();
        let people: BTreeMap<_, Person> = transaction
            .people(&ids)
            .await?
            .into_iter()
            .map(|person| (person.id, person))
            .collect();
        // Before anything is sent it must be known that it may have been.
        transaction.commit().await?;
        let mut work: Vec<Work> = Vec::new();
        let mut marks = Vec::new();
        for stored in &claimed {
            let Some((target, write)) = Write::read(stored) else {
                marks.push(OutboxMark {
                    id: stored.id,
                    state: OutboxState::Failed,
                    error_code: Some(UNREADABLE.to_owned()),
                    due_at: None,
                });
                continue;
            };
            match work
                .iter_mut()
                .find(|record| record.external_id == target.external_id)
            {
                Some(record) => record.writes.push(write),
                None => work.push(Work {
                    external_id: target.external_id,
                    person: people.get(&write.person).cloned(),
                    writes: vec![write],
                    ends: Vec::new(),
                    revision: None,
                }),
            }
        }
        Ok((work, marks))
    }

    /// Does the work of a batch; afterwards every write of it has an end.
    async fn work(&self, work: &mut [Work]) -> Goes {
        let ids: Vec<ExternalId> = work.iter().map(|one| one.external_id.clone()).collect();
        let request = self.request(work.iter().flat_map(|one| &one.writes));
        let present = match self.connector.fetch(&ids, &request).await {
            Ok(present) => present,
            Err(error) => {
                tracing::warn!(
                    code = error.code(),
                    "records could not be read before writing"
                );
                for record in work {
                    record.all_later(error.code());
                }
                return Goes::NoFurther;
            }
        };
        let began = self.engine.now();
        let mut unclear = 0;
        let mut goes = Goes::On;
        let mut written: BTreeMap<ExternalId, Written> = BTreeMap::new();
        for record in work.iter_mut() {
            let over = self.engine.now().duration_since(began) > WRITING;
            if goes == Goes::NoFurther || over {
                record.all_later(NOT_TRIED);
                continue;
            }
            let seen = present.get(&record.external_id).cloned();
            match self.write(record, seen).await {
                Ok(Some(done)) => {
                    unclear = 0;
                    written.insert(record.external_id.clone(), done);
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(code = error.code(), "a record could not be written");
                    let unclear_answer = error.is_of_one_answer();
                    match error.kind() {
                        ErrorKind::Refused | ErrorKind::Settings => record.all_failed(error.code()),
                        _ => record.all_later(error.code()),
                    }
                    unclear += u32::from(unclear_answer);
                    if unclear == MOST_UNCLEAR_IN_A_ROW
                        || !(unclear_answer || error.kind() == ErrorKind::Refused)
                    {
                        goes = Goes::NoFurther;
                    }
                }
            }
        }
        self.prove(work, written).await;
        goes
    }

    /// Writes what must be written of one record; what is left in `record.writes`
    /// was taken by the source, whose answer comes back.
    async fn write(
        &self,
        record: &mut Work,
        mut seen: Option<Fetched>,
    ) -> Result<Option<Written>, ConnectError> {
        let request = self.request(&record.writes);
        for _ in 0..MOST_LOOKS {
            let present = match seen.take() {
                None => {
                    record.all_later(NOT_ANSWERED);
                    return Ok(None);
                }
                Some(Fetched::NotThere) => {
                    record.all_failed(NOT_THERE);
                    return Ok(None);
                }
                Some(Fetched::Record(present)) => present,
            };
            self.sort_out(record, &present);
            if record.writes.is_empty() {
                return Ok(None);
            }
            let today = self.today_of(record);
            let engagement = present
                .engagements()
                .and_then(|all| primary(all, today))
                .map(|one| one.id.clone());
            let mut fields = Fields::new();
            // In the order of queueing, so that the last value of a field stays.
            for write in &record.writes {
                fields.set(write.field, or_null(write.ours.clone()));
            }
            let write = RecordWrite {
                external_id: record.external_id.clone(),
                revision: present.revision,
                fields,
                engagement,
            };
            match self.connector.write(&write, &request).await? {
                WriteAnswer::Done(done) => {
                    record.end_where(|write| {
                        let code = done.refused.get(&write.field)?;
                        Some(End::Failed(code.clone()))
                    });
                    return Ok(Some(done));
                }
                WriteAnswer::Moved => {
                    let id = &record.external_id;
                    let asked = std::slice::from_ref(id);
                    seen = self.connector.fetch(asked, &request).await?.remove(id);
                }
            }
        }
        record.all_later(MOVED);
        Ok(None)
    }

    /// Ends what need not or must not be written, now that the record was seen.
    fn sort_out(&self, record: &mut Work, present: &SourceRecord) {
        record.revision = present.revision;
        let policy = &self.connection.policy;
        let is_bad = present
            .problems
            .iter()
            .any(|problem| matches!(policy.flow(problem.field), Flow::Out | Flow::Both));
        if is_bad {
            record.end_where(|_| Some(End::Overtaken(BAD_FIELD)));
            return;
        }
        let fields = present.on(self.today_of(record));
        record.end_where(|write| {
            let held = fields.get(write.field);
            match judge(write, held) {
                Verdict::Holds => Some(End::Holds(held.map(Clone::clone))),
                Verdict::Write => None,
                Verdict::Moved => Some(End::Overtaken(MOVED)),
            }
        });
    }

    /// Reads back what was written. The form in which the source now holds a value
    /// is what later reads are compared with, unless somebody wrote again since.
    async fn prove(&self, work: &mut [Work], mut written: BTreeMap<ExternalId, Written>) {
        if written.is_empty() {
            return;
        }
        let ids: Vec<ExternalId> = written.keys().cloned().collect();
        let request = self.request(work.iter().flat_map(|one| &one.writes));
        let shown = match self.connector.fetch(&ids, &request).await {
            Ok(shown) => shown,
            Err(error) => {
                // The source's answers to the writes stand for it.
                tracing::warn!(
                    code = error.code(),
                    "what was written could not be read back"
                );
                BTreeMap::new()
            }
        };
        for record in work {
            let Some(done) = written.remove(&record.external_id) else {
                continue;
            };
            let today = self.today_of(record);
            let shown = match shown.get(&record.external_id) {
                Some(Fetched::Record(shown))
                    if done.revision.is_none() || done.revision == shown.revision =>
                {
                    record.revision = shown.revision;
                    Some(shown.on(today))
                }
                _ => {
                    record.revision = done.revision.or(record.revision);
                    None
                }
            };
            record.end_where(|write| {
                let field = write.field;
                let answered = done.fields.get(field);
                let form = shown
                    .as_ref()
                    .map_or(answered, |shown| shown.get(field).or(answered));
                let unchanged = muster_reconcile::compare::same(field, form, write.theirs.as_ref());
                let ours = write.ours.as_ref();
                if !form.is_absent()
                    && unchanged
                    && !muster_reconcile::compare::same(field, form, ours)
                    && !is_form_of(form, ours)
                {
                    return Some(End::Failed(NOT_TAKEN.to_owned()));
                }
                Some(End::Holds(form.map(Clone::clone)))
            });
        }
    }

    /// Stores what became of a batch, in one transaction.
    async fn store(&self, work: &[Work], marks: &[OutboxMark]) -> Result<(), EngineError> {
        for _ in 0..TRIES {
            let mut transaction = self.engine.storage.begin(self.organisation.id).await?;
            transaction.extend_lease(self.run, lease::LEASE).await?;
            let ids: Vec<ExternalId> = work.iter().map(|one| one.external_id.clone()).collect();
            let mut links = transaction.links(self.connection.id, &ids).await?;
            links.retain_mut(|link| {
                let before = link.clone();
                for record in work {
                    if record.external_id == link.external_id {
                        record.teach(link);
                    }
                }
                *link != before
            });
            let stale = transaction.write_links(self.connection.id, &links).await?;
            if !stale.is_empty() {
                continue;
            }
            let ended = transaction.end_attempts(self.run, marks).await?;
            if ended != marks.len() as u64 {
                // Somebody else holds some of them: they say what became of those.
                tracing::warn!("messages were taken over by another sender");
                return Ok(());
            }
            transaction.commit().await?;
            return Ok(());
        }
        Err(EngineError::Raced)
    }

    fn mark(&self, write: &Write, end: &End) -> OutboxMark {
        let (state, code) = match end {
            End::Holds(_) => (OutboxState::Sent, None),
            End::Failed(code) => (OutboxState::Failed, Some(code.clone())),
            End::Overtaken(code) => (OutboxState::Cancelled, Some((*code).to_owned())),
            End::Later(code) => (OutboxState::Waiting, Some(code.clone())),
        };
        let due_at = match state {
            OutboxState::Waiting => next_attempt(write.attempts, self.engine.now()),
            _ => None,
        };
        OutboxMark {
            id: write.id,
            state: if state == OutboxState::Waiting && due_at.is_none() {
                OutboxState::Failed
            } else {
                state
            },
            error_code: code,
            due_at,
        }
    }

    /// The day where the person is: what is compared as of a day.
    fn today_of(&self, record: &Work) -> jiff::civil::Date {
        let organisation = Engine::zone(self.organisation);
        let zone = match &record.person {
            Some(person) => zone_of(&person.fields, &organisation),
            None => organisation,
        };
        date_in(self.engine.now(), &zone)
    }

    /// A read of the fields that are written, and of the problems that stand in the
    /// way of writing any.
    fn request<'w>(&self, writes: impl IntoIterator<Item = &'w Write>) -> ReadRequest {
        let mut fields: Vec<Field> = writes.into_iter().map(|write| write.field).collect();
        if fields
            .iter()
            .any(|field| matches!(field, Field::StartDate | Field::EndDate))
        {
            fields.push(Field::Engagements);
        }
        let policy = &self.connection.policy;
        fields.extend(
            Field::ALL
                .into_iter()
                .filter(|field| matches!(policy.flow(*field), Flow::Out | Flow::Both)),
        );
        ReadRequest::new(
            FieldScope::only(fields),
            self.engine.today(self.organisation),
        )
        .region(region(self.organisation, self.connection))
    }
}

impl Work {
    /// Ends those writes for which there is an end; the others stay.
    fn end_where(&mut self, end: impl Fn(&Write) -> Option<End>) {
        for write in std::mem::take(&mut self.writes) {
            match end(&write) {
                Some(end) => self.ends.push((write, end)),
                None => self.writes.push(write),
            }
        }
    }

    fn all_later(&mut self, code: &str) {
        self.end_where(|_| Some(End::Later(code.to_owned())));
    }

    fn all_failed(&mut self, code: &str) {
        self.end_where(|_| Some(End::Failed(code.to_owned())));
    }

    /// The link learns which pair of forms is equal now.
    fn teach(&self, link: &mut muster_model::Link) {
        for (write, end) in &self.ends {
            let End::Holds(form) = end else { continue };
            let theirs = match form {
                // A source that does not show the field holds what it was given.
                Said::Absent => write.ours.clone(),
                form => form.clone(),
            };
            link.said.set(write.field, theirs.clone());
            let base = Base {
                theirs,
                ours: write.ours.clone(),
            };
            link.base.insert(write.field, base);
            link.revision = link.revision.max(self.revision);
        }
    }
}

/// To write that there is none, not to leave it out.
fn or_null(said: Said<Value>) -> Said<Value> {
    match said {
        Said::Absent => Said::Null,
        said => said,
    }
}
