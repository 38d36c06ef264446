//! Everybody, page by page, with the evidence of the read.
//!
//! While a page is handed over, the next one is under way: never more than
//! that, so memory is bounded by two pages and the ids.

use jiff::Timestamp;
use muster_model::{DoubtKind, Evidence, EvidenceLevel, Presence};
use serde_json::Value as Json;

use super::compiled::{Compiled, CompiledPeople, Revision};
use super::joining::{Joined, Joiner};
use super::paging::At;
use super::record::Row;
use super::sightings::Sightings;
use super::streaming::{RowStream, Wanted};
use super::vendor::{Page, Unlisted, Variables, Vendor, told};
use crate::connector::{Progress, ReadRequest, RecordSink};
use crate::error::ConnectError;
use crate::expression::Scope;
use crate::http::{MOST_TRIES, back_off};
use crate::normalise::Rules;

/// Failed pages in a row after which the vendor is taken to be down.
const MOST_FAILED_IN_A_ROW: u32 = 3;
/// Failed pages after which the read is not worth its calls.
const MOST_FAILED: u32 = 10;
/// Pages with rows, and nobody new, in a row after which a list does not advance.
const MOST_STALE_IN_A_ROW: u32 = 3;
/// Pages without rows in a row that a cursor may pass through.
const MOST_EMPTY_IN_A_ROW: u32 = 100;

/// What a read needs.
pub(super) struct Reader<'a> {
    pub(super) vendor: &'a Vendor,
    pub(super) compiled: &'a Compiled,
    pub(super) request: &'a ReadRequest,
    pub(super) rules: &'a Rules,
    pub(super) concurrent: usize,
    /// Fields that the vendor is asked for, where it lets them be chosen.
    pub(super) wanted: Vec<String>,
    /// The same at any depth: ways of names with slashes between.
    pub(super) selected: Vec<String>,
    /// When the read began, for vendors that show everything as of an instant.
    pub(super) read_at: Timestamp,
}

/// A read under way.
struct Reading<'a, 's> {
    reader: &'a Reader<'a>,
    joiner: Joiner<'a>,
    sink: &'s mut dyn RecordSink,
    evidence: Evidence,
    /// Ids of all rows, those left out included.
    seen: Sightings,
    /// Is a body read once more, so that whoever came before is passed over?
    passing: bool,
    /// Rows of this list that stood before.
    twice: u64,
    total: Option<u64>,
    /// The first answer has come.
    begun: bool,
}

/// How a list ended.
struct Ended {
    /// The vendor's end mark was seen, and every page was whole.
    whole: bool,
    rows: u64,
    total: Option<u64>,
}

impl Reader<'_> {
    /// Reads everybody into the sink; the evidence already names the account.
    pub(super) async fn read(
        &self,
        evidence: Evidence,
        sink: &mut dyn RecordSink,
    ) -> Result<Evidence, ConnectError> {
        let joiner = Joiner::prepare(self).await?;
        let mut evidence = evidence;
        for failed in joiner.failed() {
            evidence.doubt(DoubtKind::PageFailed, failed);
        }
        let mut reading = Reading {
            reader: self,
            joiner,
            sink,
            evidence,
            seen: Sightings::default(),
            passing: false,
            twice: 0,
            begun: false,
            total: None,
        };
        let mut level = EvidenceLevel::Counted;
        let mut declared = Some(0_u64);
        let lists = match self.request.since {
            Some(since) if !self.compiled.changes.is_empty() => {
                reading.evidence.changes_since = Some(since);
                &self.compiled.changes
            }
            _ => &self.compiled.people,
        };
        for people in lists {
            let ended = reading.list(people).await?;
            level = level.min(reading.level_of(people, &ended));
            let exact = ended.total.filter(|_| people.list.paging.vouches());
            declared = declared.zip(exact).map(|(sum, exact)| sum + exact);
        }
        reading.evidence.declared = declared;
        Ok(reading.close(level))
    }

    pub(super) fn variables(&self, people: &CompiledPeople) -> Variables {
        let with_always = |names: &[String]| {
            let mut wanted = people.always.clone();
            for name in names {
                if !wanted.contains(name) {
                    wanted.push(name.clone());
                }
            }
            wanted
        };
        Variables::default()
            .with("wanted", with_always(&self.wanted))
            .with("selected", with_always(&self.selected))
            .with("read_at", self.read_at.to_string())
            .with("since", self.request.since.map(|since| since.to_string()))
    }
}

impl Reading<'_, '_> {
    async fn list(&mut self, people: &CompiledPeople) -> Result<Ended, ConnectError> {
        let reader = self.reader;
        let variables = reader.variables(people);
        self.passing = false;
        self.twice = 0;
        if people.adds {
            self.seen.begin_list();
        }
        if let Some(wanted) = people.list.streams(&reader.vendor.refusals) {
            return self.streamed(people, &wanted, &variables).await;
        }
        let paging = &people.list.paging;
        let fetch = |at: At, seen: u64| {
            let variables = &variables;
            async move {
                let today = Some(reader.request.today);
                let page = reader
                    .vendor
                    .page(&people.list, &at, seen, variables, today)
                    .await;
                (at, page)
            }
        };
        let (mut failed, mut failed_in_a_row, mut stale, mut empty) = (0, 0, 0, 0);
        let (mut rows, mut total) = (0_u64, None);
        let mut whole = true;
        let mut under_way = Some(fetch(paging.first(), 0).await);
        while let Some((at, page)) = under_way.take() {
            match page {
                Ok(Page {
                    rows: page,
                    turn,
                    at: told,
                }) => {
                    if !turn.counted {
                        self.doubt(
                            DoubtKind::PageFailed,
                            "a page holds another number of rows than it says",
                        );
                    }
                    if !self.begun {
                        self.begun = true;
                        told.into_iter().for_each(|at| self.sink.began(at));
                    }
                    failed_in_a_row = 0;
                    total = turn.total;
                    let count = page.len() as u64;
                    rows += count;
                    let stuck = turn.next.as_ref() == Some(&at);
                    let next = turn.next.filter(|_| !stuck);
                    self.total = total;
                    self.evidence.pages += 1;
                    let brought_new = match next {
                        Some(next) => {
                            let (taken, fetched) =
                                futures::join!(self.take(people, page), fetch(next, rows));
                            under_way = Some(fetched);
                            taken?
                        }
                        None => self.take(people, page).await?,
                    };
                    (stale, empty) = match (count, brought_new) {
                        (0, _) => (stale, empty + 1),
                        (_, true) => (0, 0),
                        (_, false) => (stale + 1, 0),
                    };
                    if stuck || stale == MOST_STALE_IN_A_ROW || empty == MOST_EMPTY_IN_A_ROW {
                        self.doubt(
                            DoubtKind::PageFailed,
                            "the list does not advance from page to page",
                        );
                        whole = false;
                        break;
                    }
                }
                Err(error) => {
                    let nothing_said = self.evidence.pages == 0;
                    failed += 1;
                    failed_in_a_row += 1;
                    let behind = paging.after_failure(&at);
                    let stops = !error.is_of_one_answer()
                        || failed_in_a_row == MOST_FAILED_IN_A_ROW
                        || failed == MOST_FAILED
                        || behind.is_none();
                    if stops && nothing_said {
                        return Err(error);
                    }
                    whole = false;
                    self.failed(&at, &error);
                    if let Some(behind) = behind.filter(|_| !stops) {
                        under_way = Some(fetch(behind, rows).await);
                    }
                }
            }
        }
        Ok(Ended { whole, rows, total })
    }

    /// Reads a list that is one answer, row by row. A body that breaks is asked for
    /// again, and whoever came before is passed over: what was handed over stays good.
    async fn streamed(
        &mut self,
        people: &CompiledPeople,
        wanted: &Wanted,
        variables: &Variables,
    ) -> Result<Ended, ConnectError> {
        let vendor = self.reader.vendor;
        let mut rows = 0;
        let mut tried = 1;
        loop {
            let today = Some(self.reader.request.today);
            let opened = vendor
                .rows(&people.list, wanted.clone(), variables, today)
                .await;
            let broken = match opened {
                Ok(stream) => match self.drained(people, stream, &mut rows).await? {
                    Ok(()) => {
                        return Ok(Ended {
                            whole: true,
                            rows,
                            total: None,
                        });
                    }
                    Err(error) => {
                        let again = error.is_broken_body();
                        (error, again && tried < MOST_TRIES)
                    }
                },
                // Tried often enough before it came here.
                Err(error) => (error, false),
            };
            match broken {
                (error, true) => {
                    tracing::info!(code = error.code(), tried, "a body broke; asking again");
                    vendor.http.pause(back_off(tried)).await;
                    tried += 1;
                    self.seen.draw_line();
                    self.passing = true;
                }
                (error, false) if self.evidence.pages == 0 => return Err(error),
                (error, false) => {
                    self.failed(&At::First, &error);
                    return Ok(Ended {
                        whole: false,
                        rows,
                        total: None,
                    });
                }
            }
        }
    }

    /// Takes the rows of a body as they come; the inner error is that of a body that broke.
    async fn drained(
        &mut self,
        people: &CompiledPeople,
        mut stream: RowStream,
        rows: &mut u64,
    ) -> Result<Result<(), ConnectError>, ConnectError> {
        if !self.begun {
            self.begun = true;
            let at = told(&stream.headers);
            at.into_iter().for_each(|at| self.sink.began(at));
        }
        let mut batch = stream.next().await;
        while let Some(taken) = batch.take() {
            self.evidence.pages = self.evidence.pages.max(1);
            *rows += taken.len() as u64;
            let (next, taken) = futures::join!(stream.next(), self.take(people, taken));
            taken?;
            batch = next;
        }
        match self.reader.vendor.ended(stream).await {
            Ok(()) => {}
            Err(Unlisted::Broken(error)) => return Ok(Err(error)),
            // As if it had come whole: nothing of it is believed.
            Err(Unlisted::Refused(error)) => return Err(error),
        }
        // An answer without anybody is one too.
        self.evidence.pages = self.evidence.pages.max(1);
        Ok(Ok(()))
    }

    /// Takes a page; tells whether it brought anybody new.
    async fn take(
        &mut self,
        people: &CompiledPeople,
        page: Vec<Json>,
    ) -> Result<bool, ConnectError> {
        let reader = self.reader;
        let general = reader.vendor.general(Some(reader.request.today));
        let scope = general.scope();
        let mut rows = Vec::with_capacity(page.len());
        let mut brought_new = false;
        let mut again = 0_u64;
        for tree in page {
            let Some(id) = people.id_of(&tree) else {
                self.doubt(DoubtKind::PageFailed, "a row without an id");
                continue;
            };
            if people.adds || self.passing {
                // Here they only show that the list goes on.
                if let Some(first) = self.seen.pass(&id) {
                    brought_new |= first;
                    continue;
                }
            }
            let new = self.seen.meet(&id);
            brought_new |= new;
            again += u64::from(!new);
            match people.row(id, tree, &scope) {
                Ok(Some(row)) => {
                    self.evidence.read += u64::from(new);
                    rows.push(row);
                }
                Ok(None) => {}
                Err(()) => self.doubt(
                    DoubtKind::PageFailed,
                    "an expression that tells people from other rows gave no answer",
                ),
            }
        }
        self.twice += again;
        if again > 0 {
            let detail = format!("{again} records stood on an earlier page too");
            self.doubt(DoubtKind::RecordTwice, &detail);
        }
        let Joined { mut rows, failure } = self.joiner.join(reader, rows).await?;
        if let Some(error) = failure {
            tracing::warn!(code = error.code(), "a request for details failed");
        }
        let mapping = &reader.compiled.mapping;
        let fields = &reader.request.fields;
        for row in &mut rows {
            mapping.derive(row, self.joiner.names(), &scope, fields);
        }
        let records = (rows.iter())
            .map(|row| mapping.record(row, self.joiner.names(), &scope, fields, reader.rules))
            .collect();
        self.sink.records(records).await?;
        reader.request.tell(Progress {
            pages: self.evidence.pages,
            records: self.evidence.read,
            expected: self.total,
        });
        Ok(brought_new)
    }

    fn failed(&mut self, at: &At, error: &ConnectError) {
        let at = at.shown();
        tracing::warn!(code = error.code(), at, "a page could not be read");
        let detail = format!("{at}: {}", error.in_short());
        self.doubt(DoubtKind::PageFailed, &detail);
    }

    fn doubt(&mut self, kind: DoubtKind, detail: &str) {
        self.evidence.doubt(kind, detail);
    }

    /// What one list proves.
    fn level_of(&mut self, people: &CompiledPeople, ended: &Ended) -> EvidenceLevel {
        if !ended.whole {
            return EvidenceLevel::None;
        }
        let paging = &people.list.paging;
        let Some(total) = ended.total else {
            return paging.level();
        };
        // A total that nobody vouches for is held against people: somebody who stands
        // twice must not hide somebody who is missing.
        let rows = match paging.vouches() {
            true => ended.rows,
            false => ended.rows.saturating_sub(self.twice),
        };
        if total == rows {
            return match paging.vouches() {
                true => EvidenceLevel::Counted,
                false => paging.level(),
            };
        }
        let detail = format!("{rows} rows, and the vendor counts {total}");
        self.doubt(DoubtKind::TotalDiffers, &detail);
        match paging.vouches() {
            true => EvidenceLevel::None,
            false => paging.level(),
        }
    }

    /// What can be said at the end.
    fn close(mut self, level: EvidenceLevel) -> Evidence {
        if self.evidence.read == 0 && self.evidence.changes_since.is_none() {
            self.doubt(DoubtKind::Empty, "the read brought nobody");
        }
        let whole = level > EvidenceLevel::None && !self.evidence.has(DoubtKind::PageFailed);
        self.evidence.level = if whole { level } else { EvidenceLevel::None };
        self.evidence.complete = whole && !self.evidence.has(DoubtKind::RecordTwice);
        self.evidence
    }
}

impl CompiledPeople {
    /// The record's id of a row.
    pub(super) fn id_of(&self, tree: &Json) -> Option<String> {
        id(self.id.find(tree)?)
    }

    /// The row with what it says of itself; `None` for a row that is nobody of
    /// the company, an error when that cannot be told.
    pub(super) fn row(
        &self,
        id: String,
        tree: Json,
        general: &Scope<'_>,
    ) -> Result<Option<Row>, ()> {
        let scope = general.clone().with("row", &tree);
        if let Some(only) = &self.only
            && !only.holds(&scope).map_err(|_| ())?
        {
            return Ok(None);
        }
        let removed = match &self.removed {
            Some(removed) => removed.holds(&scope).map_err(|_| ())?,
            None => false,
        };
        let revision = match &self.revision {
            Some(Revision::At(pointer)) => pointer.find(&tree).and_then(revision),
            // One that cannot be told is none, like one that is not there.
            Some(Revision::Of(told)) => told.run(&scope).ok().as_ref().and_then(revision),
            None => None,
        };
        Ok(Some(Row {
            id,
            tree,
            bookkeeping: self.bookkeeping.clone(),
            joined: Vec::new(),
            derived: Vec::new(),
            whole: true,
            presence: match removed {
                true => Presence::Removed,
                false => Presence::Present,
            },
            revision,
        }))
    }
}

/// An id as text.
pub(crate) fn id(value: &Json) -> Option<String> {
    let text = match value {
        Json::String(text) => text.trim().to_owned(),
        Json::Number(number) => number.to_string(),
        Json::Object(element) => id(element.get("#text")?)?,
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A number, or a time as milliseconds since 1970.
fn revision(value: &Json) -> Option<i64> {
    match value {
        Json::Number(number) => number.as_i64(),
        Json::String(text) => {
            let text = text.trim();
            (text.parse().ok())
                .or_else(|| crate::expression::odata_milliseconds(text))
                .or_else(|| {
                    text.parse()
                        .ok()
                        .map(|at: jiff::Timestamp| at.as_millisecond())
                })
        }
        _ => None,
    }
}
