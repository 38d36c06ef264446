//! The whole list, page by page, with its evidence.
//!
//! Pages are offsets into a list sorted by id; `from` grows by the number of
//! rows asked for, and the list ends at a page with fewer rows than that (the
//! vendor calls its total "not exact"). A page that cannot be read spoils the
//! proof but not the other pages: the read goes on behind it.

use std::collections::HashSet;

use muster_model::{DoubtKind, Evidence, EvidenceLevel};

use super::api::{Api, Page};
use super::departments::Managers;
use super::employee::{self, RowReader};
use super::selection;
use crate::connector::{Progress, ReadRequest, RecordSink};
use crate::error::{ConnectError, ErrorKind};
use crate::normalise::Rules;

/// Failed pages in a row after which the vendor is taken to be down.
const MOST_FAILED_IN_A_ROW: u32 = 3;

/// Failed pages after which the read is not worth its calls.
const MOST_FAILED: u32 = 10;

/// Full pages in a row without anybody new after which the vendor is taken to
/// ignore the offset. One such page can happen where records stand twice.
const MOST_STALE_IN_A_ROW: u32 = 3;

/// Reads everybody into the sink; the evidence already names the account.
pub(super) async fn read(
    api: &Api,
    page_size: u64,
    request: &ReadRequest,
    rules: &Rules,
    mut evidence: Evidence,
    sink: &mut dyn RecordSink,
) -> Result<Evidence, ConnectError> {
    let managers = managers(api, page_size, request, &mut evidence).await?;
    let rows = RowReader {
        scope: &request.fields,
        rules,
        managers: &managers,
    };
    let mut reading = Reading {
        request,
        rows,
        sink,
        evidence,
        seen: HashSet::new(),
        total: None,
    };
    let query = [("fields", selection::of_employee(&request.fields))];
    let (mut from, mut failed, mut failed_in_a_row, mut stale_in_a_row) = (0, 0, 0, 0);
    let ended = loop {
        match api.page("/employee", &query, from, page_size).await {
            Ok(page) => {
                failed_in_a_row = 0;
                let short = (page.rows.len() as u64) < page_size;
                let brought_new = reading.take(page).await?;
                if short {
                    break true;
                }
                stale_in_a_row = if brought_new { 0 } else { stale_in_a_row + 1 };
                if stale_in_a_row == MOST_STALE_IN_A_ROW {
                    reading.doubt(
                        DoubtKind::PageFailed,
                        "full pages brought nobody new: the list does not advance",
                    );
                    break false;
                }
            }
            Err(error) => {
                let nothing_said = reading.evidence.pages == 0;
                failed += 1;
                failed_in_a_row += 1;
                let stops = !error.is_of_one_answer()
                    || failed_in_a_row == MOST_FAILED_IN_A_ROW
                    || failed == MOST_FAILED;
                if stops && nothing_said {
                    return Err(error);
                }
                reading.failed(from, &error);
                if stops {
                    break false;
                }
            }
        }
        from += page_size;
    };
    Ok(reading.close(ended))
}

/// The departments' managers. Without the right to see departments there are
/// none; a list that fails for another reason is a doubt.
async fn managers(
    api: &Api,
    page_size: u64,
    request: &ReadRequest,
    evidence: &mut Evidence,
) -> Result<Managers, ConnectError> {
    if !selection::needs_managers(&request.fields) {
        return Ok(Managers::default());
    }
    match Managers::read(api, page_size).await {
        Ok(managers) => Ok(managers),
        Err(error) if error.kind() == ErrorKind::Rights => {
            tracing::warn!(
                code = error.code(),
                "no managers: departments are not shown"
            );
            Ok(Managers::default())
        }
        Err(error) if error.is_of_one_answer() => {
            let detail = format!("departments: {}", error.in_short());
            evidence.doubt(DoubtKind::PageFailed, detail);
            Ok(Managers::default())
        }
        Err(error) => Err(error),
    }
}

/// A read under way.
struct Reading<'a> {
    request: &'a ReadRequest,
    rows: RowReader<'a>,
    sink: &'a mut dyn RecordSink,
    evidence: Evidence,
    /// Ids of all rows, those left out included.
    seen: HashSet<i64>,
    total: Option<u64>,
}

impl Reading<'_> {
    /// Takes a page; tells whether it brought anybody new.
    async fn take(&mut self, page: Page) -> Result<bool, ConnectError> {
        self.evidence.pages += 1;
        self.total = page.total;
        if !page.whole {
            self.doubt(
                DoubtKind::PageFailed,
                "a page holds another number of rows than it says",
            );
        }
        let mut records = Vec::with_capacity(page.rows.len());
        let mut brought_new = false;
        let mut again = 0_u64;
        for row in &page.rows {
            let Some(id) = employee::id(row) else {
                self.doubt(DoubtKind::PageFailed, "a row without an id");
                continue;
            };
            let new = self.seen.insert(id);
            brought_new |= new;
            again += u64::from(!new);
            if employee::is_of_company(row) {
                self.evidence.read += u64::from(new);
                records.push(self.rows.record(id, row));
            }
        }
        if again > 0 {
            let detail = format!("{again} records stood on an earlier page too");
            self.doubt(DoubtKind::RecordTwice, &detail);
        }
        self.sink.records(records).await?;
        self.request.tell(Progress {
            pages: self.evidence.pages,
            records: self.evidence.read,
            expected: self.total,
        });
        Ok(brought_new)
    }

    fn failed(&mut self, from: u64, error: &ConnectError) {
        tracing::warn!(code = error.code(), from, "a page could not be read");
        let detail = format!("rows from {from}: {}", error.in_short());
        self.doubt(DoubtKind::PageFailed, &detail);
    }

    fn doubt(&mut self, kind: DoubtKind, detail: &str) {
        self.evidence.doubt(kind, detail);
    }

    /// What can be said at the end; `ended` when the vendor's end mark was seen.
    fn close(mut self, ended: bool) -> Evidence {
        if self.evidence.read == 0 {
            self.doubt(DoubtKind::Empty, "the read brought nobody");
        }
        let whole = ended && !self.evidence.has(DoubtKind::PageFailed);
        let rows = self.seen.len() as u64;
        // The total of the last page: on earlier ones it may only say that more follows.
        if let Some(total) = self.total
            && whole
            && total != rows
        {
            let detail = format!("{rows} rows, and the vendor counts {total}");
            self.doubt(DoubtKind::TotalDiffers, &detail);
        }
        self.evidence.level = if whole {
            EvidenceLevel::Ended
        } else {
            EvidenceLevel::None
        };
        self.evidence.complete = whole && !self.evidence.has(DoubtKind::RecordTwice);
        self.evidence
    }
}
