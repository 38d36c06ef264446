//! Is the log as it was written, and is what it speaks of as it was entered?
//! Read from the first entry to the last, some at a time; found is the first
//! place that is wrong.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::{Digest, DigestKey, PlanId, RunId};
use serde::Deserialize;
use uuid::Uuid;

use super::search::{Suspect, first_difference, one_byte};
use super::{
    AuditBreak, AuditFindings, AuditHead, Cause, ChangeRow, DetailRow, EmptiedRows, EventKind,
    LEAF_BYTES, Leaf, StoredEntry, Tree, entry_hash, genesis, report_digest, seal_digest,
};
use crate::both::on_its_engine;
use crate::error::StorageError;
use crate::plan::ChangeState;
use crate::reader::Reader;
use crate::stored::{count, digest};

/// Entries read at once.
const AT_ONCE: u32 = 100;
/// How often it begins again because somebody was writing meanwhile.
const TRIES: usize = 3;

/// Verifies an organisation's log; `head` is one that was kept elsewhere.
///
/// Rows that are written while they are read can look wrong: then it begins
/// again, as long as the log grew meanwhile.
pub(crate) async fn verify(
    reader: &mut Reader,
    head: Option<AuditHead>,
) -> Result<AuditFindings, StorageError> {
    let mut findings = AuditFindings::default();
    for _ in 0..TRIES {
        let before = reader.audit_head().await?;
        findings = verify_once(reader, before, head).await?;
        if findings.broken.is_none() || reader.audit_head().await? == before {
            break;
        }
    }
    Ok(findings)
}

async fn verify_once(
    reader: &mut Reader,
    stored_head: Option<AuditHead>,
    kept: Option<AuditHead>,
) -> Result<AuditFindings, StorageError> {
    let key = reader.scope.index_key.clone();
    // The keys of both are gone, and with them what they sealed. Whether these details are
    // as they were entered is found out with their entries.
    let mut erased = Erased::default();
    for kind in [EventKind::PersonErased, EventKind::PersonRemoved] {
        for (person, facts) in on_its_engine!(reader, audited::erased(kind.word()))? {
            erased.add(person, &facts);
        }
    }
    let mut check = Check {
        previous: genesis(&key, reader.organisation()).as_bytes().to_vec(),
        key,
        erased,
        findings: AuditFindings::default(),
        stored_head,
        kept,
        open: BTreeMap::new(),
    };
    let mut from = i64::MIN;
    loop {
        let entries = on_its_engine!(reader, audited::entries(from, AT_ONCE))?;
        let Some(last) = entries.last() else { break };
        let last = last.number;
        let after = last.saturating_add(1);
        let details = on_its_engine!(reader, audited::details(from, last))?;
        let mut by_entry: BTreeMap<i64, Vec<DetailRow>> = BTreeMap::new();
        for row in details {
            by_entry.entry(row.number).or_default().push(row);
        }
        // One more tells what the last of them is called by the one after it.
        let next = on_its_engine!(reader, audited::entries(after, 1))?;
        for (at, entry) in entries.iter().enumerate() {
            let follower = entries.get(at + 1).or_else(|| next.first());
            let rows = by_entry.remove(&entry.number).unwrap_or_default();
            if let Some(broken) = check.entry(reader, entry, follower, &rows).await? {
                check.findings.broken = Some(broken);
                return Ok(check.findings);
            }
        }
        if let Some((number, row)) = by_entry
            .into_iter()
            .find_map(|(number, rows)| Some((number, rows.into_iter().next()?)))
        {
            check.findings.broken = Some(AuditBreak::new(
                u64::try_from(number).unwrap_or_default(),
                format!("audit_details (row {})", row.ordinal),
                "belongs to an entry that is not there",
            ));
            return Ok(check.findings);
        }
        from = after;
    }
    check.findings.broken = check.end(reader, from).await?;
    Ok(check.findings)
}

/// A row of a plan whose leaf fits another state than the stored one: a later
/// entry must have changed it.
struct Superseded {
    entry: u64,
    /// Where the stored state differs from the one that the leaf fits.
    byte: Option<usize>,
}

struct Check {
    key: DigestKey,
    erased: Erased,
    findings: AuditFindings,
    stored_head: Option<AuditHead>,
    kept: Option<AuditHead>,
    /// The hash of the entry before.
    previous: Vec<u8>,
    open: BTreeMap<(PlanId, u32), Superseded>,
}

/// Of whom the log says that they are gone, and of what it took their content.
#[derive(Default)]
struct Erased {
    people: BTreeSet<Uuid>,
    rows: BTreeSet<(PlanId, u64)>,
    /// People of whom the rows were not named, as entries did not in the beginning.
    unnamed: BTreeSet<Uuid>,
}

#[derive(Deserialize)]
struct ErasedFacts {
    rows: Option<EmptiedRows>,
}

impl Erased {
    fn add(&mut self, person: Uuid, facts: &str) {
        self.people.insert(person);
        // Facts that are none were not written by us, and their entry says so.
        let rows = serde_json::from_str::<ErasedFacts>(facts).ok();
        match rows.and_then(|facts| facts.rows) {
            None => {
                self.unnamed.insert(person);
            }
            Some(rows) => {
                let places = |(plan, rows): (PlanId, BTreeSet<u64>)| {
                    rows.into_iter().map(move |row| (plan, row))
                };
                self.rows.extend(rows.into_iter().flat_map(places));
            }
        }
    }

    fn explains(&self, plan: PlanId, place: u32, person: Option<Uuid>) -> bool {
        self.rows.contains(&(plan, u64::from(place)))
            || person.is_some_and(|person| self.unnamed.contains(&person))
    }
}

#[derive(Deserialize)]
struct ReportFacts {
    run: RunId,
    report: Digest,
}

#[derive(Deserialize)]
struct PlanFacts {
    plan: PlanId,
    hash: Digest,
    rows: i64,
}

impl Check {
    async fn entry(
        &mut self,
        reader: &mut Reader,
        entry: &StoredEntry,
        follower: Option<&StoredEntry>,
        details: &[DetailRow],
    ) -> Result<Option<AuditBreak>, StorageError> {
        let number = self.findings.entries + 1;
        if entry.number < 1 {
            let message = format!("an entry {} is there that nobody wrote", entry.number);
            return Ok(Some(AuditBreak::new(0, "audit_entries", message)));
        }
        if entry.number != i64::try_from(number).unwrap_or(i64::MAX) {
            return Ok(Some(AuditBreak::new(
                number,
                "audit_entries",
                "the entry is missing",
            )));
        }
        let key = self.key.clone();
        let head = self
            .stored_head
            .filter(|head| head.number == number)
            .map(|head| *head.hash.as_bytes());
        let suspect = Suspect {
            key: &key,
            organisation: reader.organisation(),
            entry,
            number,
            previous: &self.previous.clone(),
            next: follower
                .map(|next| next.previous.as_slice())
                .or(head.as_ref().map(<[u8; 32]>::as_slice)),
        };
        let hash = entry_hash(&key, reader.organisation(), entry);
        if entry.hash != hash.as_bytes() || entry.previous != self.previous {
            return Ok(Some(suspect.find()));
        }
        let expected = self.expected(reader, number, entry, details).await?;
        let root = Tree::of(&key, &entry.leaves).root(&key);
        let rows = usize::try_from(entry.details.saturating_add(entry.changes)).unwrap_or(0);
        if entry.root != root.as_bytes() || entry.leaves.len() != rows * LEAF_BYTES {
            return Ok(Some(suspect.find_in_leaves(&expected.leaves)));
        }
        if let Some(kept) = self.kept.filter(|kept| kept.number == number)
            && kept.hash != hash
        {
            return Ok(Some(AuditBreak::new(
                number,
                "audit_entries.hash",
                "is not that of the head that was kept: this is another history, or another organisation's",
            )));
        }
        if expected.broken.is_some() {
            return Ok(expected.broken);
        }
        self.previous.clone_from(&entry.hash);
        self.findings.entries = number;
        self.findings.head = Some(AuditHead { number, hash });
        let cause = serde_json::from_str::<Cause>(&entry.cause);
        let by = cause.ok().and_then(|cause| cause.by);
        let by = by.map_or_else(|| "unknown".to_owned(), |by| by.to_string());
        *self.findings.by.entry(by).or_default() += 1;
        Ok(None)
    }

    /// What the rows that are stored say of an entry's leaves, and the first of
    /// them that is wrong.
    async fn expected(
        &mut self,
        reader: &mut Reader,
        number: u64,
        entry: &StoredEntry,
        details: &[DetailRow],
    ) -> Result<Expected, StorageError> {
        let mut expected = Expected::default();
        let of_details = usize::try_from(entry.details).unwrap_or(0);
        let leaves: Vec<Option<Leaf>> = entry.leaves.chunks(LEAF_BYTES).map(Leaf::read).collect();
        let (first, changes) = leaves.split_at(of_details.min(leaves.len()));
        for (place, leaf) in (0_u32..).zip(first) {
            let row = details.iter().find(|row| row.ordinal == i64::from(place));
            self.detail(reader, number, place, *leaf, row, &mut expected)
                .await?;
        }
        if let Some(row) = details
            .iter()
            .find(|row| usize::try_from(row.ordinal).map_or(true, |place| place >= of_details))
        {
            expected.wrong(AuditBreak::new(
                number,
                format!("audit_details (row {})", row.ordinal),
                "was not written with the entry",
            ));
        }
        let plan = serde_json::from_str::<Cause>(&entry.cause)
            .ok()
            .and_then(|cause| cause.plan);
        if let Some(plan) = plan {
            let places: Vec<u32> = changes.iter().flatten().map(|leaf| leaf.place).collect();
            let rows = on_its_engine!(reader, audited::changes(plan, &places))?;
            for leaf in changes {
                let row = leaf.and_then(|leaf| rows.get(&leaf.place));
                self.change(number, plan, *leaf, row, &mut expected);
            }
        }
        Ok(expected)
    }

    async fn detail(
        &mut self,
        reader: &mut Reader,
        number: u64,
        place: u32,
        leaf: Option<Leaf>,
        row: Option<&DetailRow>,
        expected: &mut Expected,
    ) -> Result<(), StorageError> {
        let Some(row) = row else {
            expected.leaves.push(None);
            expected.wrong(AuditBreak::new(
                number,
                format!("audit_details (row {place})"),
                "the row is missing",
            ));
            return Ok(());
        };
        let digest = row.leaf(&self.key);
        expected.leaves.push(Some(Leaf { place, digest }.bytes()));
        let Some(leaf) = leaf else { return Ok(()) };
        if leaf.digest != digest {
            expected.wrong(row.broken(&self.key, number, leaf.digest));
            return Ok(());
        }
        match (&row.sealed, &row.seal) {
            (Some(sealed), Some(seal)) => {
                let right = |bytes: &[u8]| *seal == seal_digest(&self.key, bytes).as_bytes();
                if !right(sealed) {
                    let byte = one_byte(sealed, right);
                    expected.wrong(row.column(number, "sealed").at(byte));
                    return Ok(());
                }
            }
            (None, Some(_)) => {
                if !row
                    .person
                    .is_some_and(|person| self.erased.people.contains(&person))
                {
                    expected.wrong(AuditBreak::new(
                        number,
                        format!("audit_details.sealed (row {place})"),
                        "is empty, and nobody was erased",
                    ));
                    return Ok(());
                }
                self.findings.erased += 1;
                return Ok(());
            }
            (Some(_), None) => {
                expected.wrong(row.column(number, "sealed"));
                return Ok(());
            }
            (None, None) => {}
        }
        self.findings.rows += 1;
        self.spoken_of(reader, number, row, expected).await
    }

    /// What a detail says of a row elsewhere that is not sealed: reports and plans.
    async fn spoken_of(
        &mut self,
        reader: &mut Reader,
        number: u64,
        row: &DetailRow,
        expected: &mut Expected,
    ) -> Result<(), StorageError> {
        if row.kind == EventKind::RunFinished.word()
            && let Ok(facts) = serde_json::from_str::<ReportFacts>(&row.facts)
        {
            let place = format!("runs.report (run {})", facts.run);
            match on_its_engine!(reader, audited::report(facts.run))? {
                None => expected.wrong(AuditBreak::new(number, place, "the report is missing")),
                Some(report) => {
                    let right = |bytes: &[u8]| {
                        std::str::from_utf8(bytes)
                            .is_ok_and(|text| report_digest(&self.key, text) == facts.report)
                    };
                    if right(report.as_bytes()) {
                        self.findings.rows += 1;
                    } else {
                        let byte = one_byte(report.as_bytes(), right);
                        expected.wrong(
                            AuditBreak::new(number, place, "is not what was written").at(byte),
                        );
                    }
                }
            }
        }
        if row.kind == EventKind::PlanStored.word()
            && let Ok(facts) = serde_json::from_str::<PlanFacts>(&row.facts)
        {
            match on_its_engine!(reader, audited::plan(facts.plan))? {
                None => expected.wrong(AuditBreak::new(
                    number,
                    format!("plans (plan {})", facts.plan),
                    "the plan is missing",
                )),
                Some((hash, _)) if hash != facts.hash.as_bytes() => expected.wrong(
                    AuditBreak::new(
                        number,
                        format!("plans.hash (plan {})", facts.plan),
                        "is not what was written",
                    )
                    .at(first_difference(&hash, facts.hash.as_bytes())),
                ),
                Some((_, rows)) if rows != facts.rows => expected.wrong(AuditBreak::new(
                    number,
                    format!("plan_rows (plan {})", facts.plan),
                    format!("{rows} rows are stored, and {} were written", facts.rows),
                )),
                Some(_) => self.findings.rows += 1,
            }
        }
        Ok(())
    }

    fn change(
        &mut self,
        number: u64,
        plan: PlanId,
        leaf: Option<Leaf>,
        row: Option<&ChangeRow>,
        expected: &mut Expected,
    ) {
        let Some(leaf) = leaf else {
            expected.leaves.push(None);
            return;
        };
        let Some(row) = row else {
            expected.leaves.push(None);
            expected.wrong(AuditBreak::new(
                number,
                format!("plan_rows (plan {plan}, row {})", leaf.place),
                "the row is missing",
            ));
            return;
        };
        let stored = row.leaf(&self.key, plan, leaf.place);
        if row.sealed.is_none() {
            // Erased: that the row was there is proved, and nothing more can be.
            expected.leaves.push(Some(leaf.bytes()));
            if self.erased.explains(plan, leaf.place, row.person) {
                self.findings.erased += 1;
                self.open.remove(&(plan, leaf.place));
            } else {
                expected.wrong(AuditBreak::new(
                    number,
                    format!("plan_rows.sealed (plan {plan}, row {})", leaf.place),
                    "is empty, and nobody was erased",
                ));
            }
            return;
        }
        if stored == leaf.digest {
            expected.leaves.push(Some(leaf.bytes()));
            self.findings.rows += 1;
            self.open.remove(&(plan, leaf.place));
            return;
        }
        // A row that waited and was done later: its first leaf fits the state it had.
        let known = ChangeState::from_word(&row.state).is_some();
        if let Some(was) = row.had(&self.key, plan, leaf).filter(|_| known) {
            expected.leaves.push(Some(leaf.bytes()));
            let byte = first_difference(row.state.as_bytes(), was.as_bytes());
            let superseded = Superseded {
                entry: number,
                byte,
            };
            self.open.insert((plan, leaf.place), superseded);
            return;
        }
        let digest = stored;
        expected.leaves.push(Some(
            Leaf {
                place: leaf.place,
                digest,
            }
            .bytes(),
        ));
        expected.wrong(row.broken(&self.key, number, plan, leaf));
    }

    /// The end of the log against the stored head and the kept one, and rows
    /// whose last word nobody entered.
    async fn end(
        &mut self,
        reader: &mut Reader,
        from: i64,
    ) -> Result<Option<AuditBreak>, StorageError> {
        let last = self.findings.entries;
        let open = self
            .open
            .iter()
            .map(|((plan, place), open)| (open.entry, *plan, *place, open.byte))
            .min();
        if let Some((entry, plan, place, byte)) = open {
            return Ok(Some(
                AuditBreak::new(
                    entry,
                    format!("plan_rows.state (plan {plan}, row {place})"),
                    "is not what was written",
                )
                .at(byte),
            ));
        }
        let cut = |by: &str| {
            AuditBreak::new(
                last + 1,
                "audit_entries",
                format!("the entry is missing: {by}"),
            )
        };
        let strays = on_its_engine!(reader, audited::details(from, i64::MAX))?;
        if let Some(row) = strays.first() {
            let what = format!("row {} of its details is there", row.ordinal);
            return Ok(Some(cut(&what)));
        }
        if let Some(kept) = self.kept.filter(|kept| kept.number > last) {
            let what = format!("the head that was kept is entry {}", kept.number);
            return Ok(Some(cut(&what)));
        }
        match self.stored_head {
            Some(head) if head.number > last => {
                let what = format!("the stored head is entry {}", head.number);
                Ok(Some(cut(&what)))
            }
            None if last > 0 => Ok(Some(AuditBreak::new(
                last,
                "audit_heads",
                "the stored head is missing",
            ))),
            Some(head) => Ok(self.against_head(reader, head).await?),
            None => Ok(None),
        }
    }

    async fn against_head(
        &self,
        reader: &mut Reader,
        head: AuditHead,
    ) -> Result<Option<AuditBreak>, StorageError> {
        // Entries that came while this read went on are newer than the head was.
        let own = i64::try_from(head.number).unwrap_or(i64::MAX);
        let entries = on_its_engine!(reader, audited::entries(own, 1))?;
        let hash = entries.first().map(|entry| entry.hash.clone());
        let number = entries.first().map(|entry| entry.number);
        let number = number
            .map(|number| count("audit_entries.number", number))
            .transpose()?;
        let hash = hash
            .map(|hash| digest("audit_entries.hash", &hash))
            .transpose()?;
        if number == Some(head.number) && hash == Some(head.hash) {
            return Ok(None);
        }
        let byte = hash.and_then(|hash| first_difference(head.hash.as_bytes(), hash.as_bytes()));
        let place = if byte.is_some() {
            "audit_heads.hash"
        } else {
            "audit_heads.number"
        };
        Ok(Some(
            AuditBreak::new(head.number, place, "is not what was written").at(byte),
        ))
    }
}

/// The leaves as the stored rows make them, and the first row that is wrong.
#[derive(Default)]
struct Expected {
    leaves: Vec<Option<[u8; LEAF_BYTES]>>,
    broken: Option<AuditBreak>,
}

impl Expected {
    fn wrong(&mut self, broken: AuditBreak) {
        self.broken.get_or_insert(broken);
    }
}
