//! The items that a read alone shows.

use std::collections::BTreeSet;

use jiff::ToSpan;
use muster_connect::manifest::LeaverShows;
use muster_model::{DoubtKind, Field, Presence};
use muster_sandbox::company::{Employee, Phone};

use crate::bench::{Bench, Read};
use crate::firm::{Firm, TODAY};
use crate::subject::Subject;
use crate::truth::{address, addresses, books, by_address, differences, said};

/// People in the firm; not a multiple of the usual page sizes.
const PEOPLE: u64 = 23;
/// Rows a page, so that there are several.
pub(crate) const PAGE: usize = 5;

/// A read that says that it is whole, of exactly these people.
pub(crate) fn proves(bench: &Bench, read: &Read, expected: &BTreeSet<String>) -> Vec<String> {
    let evidence = &read.evidence;
    let mut findings = Vec::new();
    if !evidence.complete {
        findings.push("the read is not complete".to_owned());
    }
    if evidence.level < bench.info.evidence.level {
        let level = evidence.level.name();
        findings.push(format!("the read earned the level {level} only"));
    }
    for doubt in &evidence.doubts {
        findings.push(format!("doubt: {}", doubt.kind.code()));
    }
    findings.extend(are_there(read, expected));
    let told = usize::try_from(evidence.read).unwrap();
    if told != expected.len() {
        findings.push(format!("{told} read, of {}", expected.len()));
    }
    findings
}

/// Are these the people, each once?
pub(crate) fn are_there(read: &Read, expected: &BTreeSet<String>) -> Vec<String> {
    let found: Vec<String> = read.records.iter().map(address).collect();
    let once: BTreeSet<String> = found.iter().cloned().collect();
    let mut findings = Vec::new();
    if found.len() != once.len() {
        findings.push(format!("{} records twice", found.len() - once.len()));
    }
    let lost = expected.difference(&once).count();
    if lost > 0 {
        findings.push(format!("{lost} people are missing"));
    }
    let strange = once.difference(expected).count();
    if strange > 0 {
        findings.push(format!("{strange} people are not of the company"));
    }
    findings
}

/// The read of a firm that is well; a failure is the finding.
async fn well(bench: &Bench, page_size: usize, firm: &Firm) -> Result<Read, Vec<String>> {
    let read = match bench.read(page_size).await {
        Ok(read) => read,
        Err(error) => return Err(vec![error.code().to_owned()]),
    };
    let findings = proves(bench, &read, &addresses(&firm.now));
    if findings.is_empty() {
        Ok(read)
    } else {
        Err(findings)
    }
}

pub(crate) async fn happy_path(subject: &Subject) -> Vec<String> {
    let firm = Firm::of(PEOPLE);
    let bench = Bench::new(subject, &firm).await;
    let read = match well(&bench, 500, &firm).await {
        Ok(read) => read,
        Err(findings) => return findings,
    };
    let mut findings = Vec::new();
    let account = bench.account().await.ok();
    if account.is_none() || read.evidence.account != account {
        findings.push("the account of the read is not that of connecting".to_owned());
    }
    let records = by_address(&read.records);
    let ids: BTreeSet<&str> = (read.records.iter())
        .map(|record| record.external_id.as_str())
        .collect();
    let mut managed = 0;
    for employee in &firm.now.employees {
        let record = records[employee.work_email.as_ref().unwrap()];
        findings.extend(differences(
            bench.info,
            record,
            &books(&firm.now, employee),
            None,
        ));
        findings.extend(plain(record, employee));
        let said = said(record);
        let chief = &firm.now.employees[0];
        let manager = said.get("manager_external_id").map(|id| {
            let id = id.as_str().unwrap_or_default();
            ids.contains(id)
                && records[chief.work_email.as_ref().unwrap()]
                    .external_id
                    .as_str()
                    == id
        });
        let manager = manager.or_else(|| {
            let address = said.get("manager_email")?.as_str();
            Some(address == chief.work_email.as_deref())
        });
        match manager {
            Some(true) => managed += 1,
            Some(false) => findings.push("a manager is not the one of the books".to_owned()),
            None => {}
        }
    }
    let names_managers = bench
        .info
        .fields
        .iter()
        .any(|source| matches!(source.field, Field::ManagerExternalId | Field::ManagerEmail));
    if names_managers && managed + 1 < firm.now.employees.len() {
        findings.push(format!("only {managed} have their manager"));
    }
    findings
}

/// A record without anything that speaks against it.
fn plain(record: &muster_model::SourceRecord, employee: &Employee) -> Vec<String> {
    let mut findings = Vec::new();
    if !record.whole {
        findings.push(format!("the record of {} is not whole", employee.id));
    }
    if record.presence != Presence::Present {
        findings.push(format!("{} is said to be removed", employee.id));
    }
    for problem in &record.problems {
        findings.push(format!("problem with {}: {}", problem.field, problem.code));
    }
    findings
}

pub(crate) async fn every_page_size(subject: &Subject) -> Vec<String> {
    let firm = Firm::of(12);
    let bench = Bench::new(subject, &firm).await;
    let sizes: &[usize] = if bench.has_pages() {
        &[1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 500]
    } else {
        &[500]
    };
    let mut findings = Vec::new();
    for size in sizes {
        if let Err(found) = well(&bench, *size, &firm).await {
            findings.extend(found.iter().map(|one| format!("{size} a page: {one}")));
        }
    }
    findings
}

pub(crate) async fn empty_company(subject: &Subject) -> Vec<String> {
    let bench = Bench::new(subject, &Firm::of(PEOPLE)).await;
    bench.fault(Some("empty"));
    match bench.read(PAGE).await {
        // A vendor whose list names the company cannot be asked who it is.
        Err(_) => Vec::new(),
        Ok(read) => {
            let mut findings = Vec::new();
            if !read.records.is_empty() {
                findings.push("somebody was read of an empty company".to_owned());
            }
            if !read.evidence.has(DoubtKind::Empty) {
                findings.push("an empty answer is no doubt".to_owned());
            }
            findings
        }
    }
}

/// A fault that a connector gets over: everybody is read.
pub(crate) async fn survives(subject: &Subject, fault: &str, waits: bool) -> Vec<String> {
    let firm = Firm::of(PEOPLE);
    let bench = Bench::new(subject, &firm).await;
    bench.fault(Some(fault));
    match well(&bench, PAGE, &firm).await {
        Err(findings) => findings,
        Ok(_) if waits && bench.waited() == 0 => {
            vec!["it did not wait before it asked again".to_owned()]
        }
        Ok(_) => Vec::new(),
    }
}

pub(crate) async fn expired_token(subject: &Subject) -> Vec<String> {
    let firm = Firm::of(PEOPLE);
    let bench = Bench::new(subject, &firm).await;
    bench.fault(Some("expired-token"));
    let expected = addresses(&firm.now);
    match bench.read(PAGE).await {
        Ok(read) if read.evidence.complete => proves(&bench, &read, &expected),
        // A key that is taken back for good cannot be renewed: then nobody is
        // let in any more, and that is said.
        _ => match bench.read(PAGE).await {
            Err(error) if error.kind() == muster_connect::ErrorKind::Credentials => Vec::new(),
            _ => vec!["the proof was not renewed, although it can be".to_owned()],
        },
    }
}

pub(crate) async fn truncated_body(subject: &Subject) -> Vec<String> {
    let firm = Firm::of(PEOPLE);
    let bench = Bench::new(subject, &firm).await;
    bench.fault(Some("truncated-body"));
    let Ok(read) = bench.read(PAGE).await else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    if read.evidence.complete {
        findings.push("a read with a torn page is said to be complete".to_owned());
    }
    if !read.evidence.has(DoubtKind::PageFailed) {
        findings.push("the torn page is no doubt".to_owned());
    }
    let expected = addresses(&firm.now);
    let strangers = read.records.iter().map(address);
    if strangers.into_iter().any(|one| !expected.contains(&one)) {
        findings.push("a torn row was taken for somebody".to_owned());
    }
    findings
}

pub(crate) async fn duplicate_rows(subject: &Subject) -> Vec<String> {
    let bench = Bench::new(subject, &Firm::of(PEOPLE)).await;
    bench.fault(Some("duplicate-rows"));
    match bench.read(PAGE).await {
        Err(error) => vec![error.code().to_owned()],
        Ok(read) if read.evidence.complete => {
            vec!["rows that stand twice leave the read complete".to_owned()]
        }
        Ok(read) if !read.evidence.has(DoubtKind::RecordTwice) => {
            vec!["rows that stand twice are no doubt".to_owned()]
        }
        Ok(_) => Vec::new(),
    }
}

pub(crate) async fn moving_pages(subject: &Subject) -> Vec<String> {
    let firm = Firm::of(PEOPLE);
    let bench = Bench::new(subject, &firm).await;
    let Ok(before) = bench.read(PAGE).await else {
        return vec!["the firm cannot be read".to_owned()];
    };
    bench.fault(Some("moving-pages"));
    let Ok(moving) = bench.read(PAGE).await else {
        return vec!["the read failed".to_owned()];
    };
    bench.fault(None);
    let Ok(after) = bench.read(PAGE).await else {
        return vec!["the firm cannot be read any more".to_owned()];
    };
    let id = |record: &muster_model::SourceRecord| record.external_id.clone();
    let ids = |read: &Read| read.records.iter().map(id).collect::<BTreeSet<_>>();
    let (before, moving, after) = (ids(&before), ids(&moving), ids(&after));
    let mut findings = Vec::new();
    let Ok(connector) = bench.connector(PAGE) else {
        return vec!["it cannot be opened".to_owned()];
    };
    for missed in before.difference(&moving) {
        let asked = std::slice::from_ref(missed);
        let answer = connector.confirm(asked).await.ok();
        let is_there = after.contains(missed);
        match answer.and_then(|answer| answer.get(missed).copied()) {
            Some(muster_connect::Confirmation::NotThere) if is_there => {
                findings.push("somebody who is there was said to be gone".to_owned());
            }
            Some(muster_connect::Confirmation::Present) if !is_there => {
                findings.push("somebody who is gone was said to be there".to_owned());
            }
            _ => {}
        }
    }
    findings
}

pub(crate) async fn lost_rights(subject: &Subject) -> Vec<String> {
    let bench = Bench::new(subject, &Firm::of(PEOPLE)).await;
    if bench.read(PAGE).await.is_err() {
        return vec!["the firm cannot be read".to_owned()];
    }
    bench.fault(Some("permission-loss"));
    let Ok(read) = bench.read(PAGE).await else {
        return Vec::new();
    };
    let removed = |record: &&muster_model::SourceRecord| record.presence == Presence::Removed;
    let ended = |record: &&muster_model::SourceRecord| {
        said(record)
            .get("employment_status")
            .and_then(|one| one.as_str())
            == Some("ended")
    };
    let mut findings = Vec::new();
    if read.records.iter().any(|record| removed(&record)) {
        findings.push("who may not be seen is said to be removed".to_owned());
    }
    if read.records.iter().any(|record| ended(&record)) {
        findings.push("who may not be seen whole is said to have left".to_owned());
    }
    findings
}

pub(crate) async fn wrong_company(subject: &Subject) -> Vec<String> {
    let bench = Bench::new(subject, &Firm::of(PEOPLE)).await;
    let Ok(pinned) = bench.account().await else {
        return vec!["the company is not known".to_owned()];
    };
    bench.fault(Some("wrong-company"));
    // Where answers do not name the company, it is what was entered; then only
    // its people tell, and the engine judges them.
    let entered = bench
        .settings(PAGE)
        .iter()
        .any(|(_, value)| *value == pinned);
    let same = |account: Option<String>| account.as_ref() == Some(&pinned);
    let mut findings = Vec::new();
    if !entered && same(bench.account().await.ok()) {
        findings.push("another company is not noticed".to_owned());
    }
    if let Ok(read) = bench.read(PAGE).await
        && !entered
        && same(read.evidence.account)
    {
        findings.push("a read of another company names the pinned one".to_owned());
    }
    findings
}

pub(crate) async fn stale_answer(subject: &Subject) -> Vec<String> {
    let bench = Bench::new(subject, &Firm::of(PEOPLE)).await;
    let Ok(read) = bench.read(PAGE).await else {
        return vec!["the firm cannot be read".to_owned()];
    };
    bench.fault(Some("stale"));
    let Ok(old) = bench.read(PAGE).await else {
        return Vec::new();
    };
    let known = by_address(&read.records);
    let backwards = old.records.iter().any(|record| {
        let before = known.get(&address(record)).and_then(|one| one.revision);
        matches!((before, record.revision), (Some(before), Some(now)) if now < before)
    });
    if backwards {
        Vec::new()
    } else {
        vec!["an old copy cannot be told from a new one: no revision runs backwards".to_owned()]
    }
}

pub(crate) async fn wrong_time_zone(subject: &Subject) -> Vec<String> {
    const DATES: &[&str] = &[
        "date_of_birth",
        "start_date",
        "end_date",
        "employment_status",
    ];
    // One leaves today, one left yesterday.
    let firm = Firm::of(PEOPLE)
        .with(3, |one| one.engagements[0].end_date = Some(TODAY))
        .with(4, |one| {
            one.engagements[0].end_date = TODAY.yesterday().ok();
        });
    let bench = Bench::new(subject, &firm).await;
    let mut findings = Vec::new();
    // The same day of the firm, begun in the east and not yet over in the west.
    let yesterday = TODAY.yesterday().unwrap();
    let tomorrow = TODAY.tomorrow().unwrap();
    for now in [
        format!("{yesterday}T23:30:00Z"),
        format!("{TODAY}T00:10:00Z"),
        format!("{tomorrow}T00:30:00Z"),
    ] {
        bench.set_time(&now);
        let Ok(read) = bench.read(PAGE).await else {
            findings.push(format!("nothing can be read at {now}"));
            continue;
        };
        let records = by_address(&read.records);
        for employee in &firm.now.employees {
            let Some(record) = records.get(employee.work_email.as_ref().unwrap()) else {
                findings.push(format!("somebody is missing at {now}"));
                continue;
            };
            let books = books(&firm.now, employee);
            let found = differences(bench.info, record, &books, Some(DATES));
            findings.extend(found.iter().map(|one| format!("at {now}: {one}")));
        }
    }
    findings
}

pub(crate) async fn nulls(subject: &Subject) -> Vec<String> {
    const EMPTY: [&str; 8] = [
        "employee_number",
        "personal_email",
        "phone",
        "date_of_birth",
        "address",
        "department",
        "manager_external_id",
        "manager_email",
    ];
    let firm = Firm::of(PEOPLE).with(6, |one| {
        one.employee_number = None;
        one.personal_email = None;
        one.phone = None;
        one.date_of_birth = None;
        one.address = None;
        one.department = None;
        one.manager = None;
    });
    let bench = Bench::new(subject, &firm).await;
    let read = match well(&bench, PAGE, &firm).await {
        Ok(read) => read,
        Err(findings) => return findings,
    };
    let employee = &firm.now.employees[6];
    let record = by_address(&read.records)[employee.work_email.as_ref().unwrap()];
    let said = said(record);
    let mut findings = plain(record, employee);
    let numbered = |field: &str| field == "employee_number" && subject.numbers_everybody();
    for field in EMPTY.into_iter().filter(|field| !numbered(field)) {
        if said.get(field).is_some_and(|value| !value.is_null()) {
            findings.push(format!("{field} has a value that nobody entered"));
        }
    }
    findings
}

pub(crate) async fn leavers(subject: &Subject) -> Vec<String> {
    let left = TODAY.checked_sub(40.days()).unwrap();
    let firm = Firm::of(PEOPLE).with(7, |one| one.engagements[0].end_date = Some(left));
    let bench = Bench::new(subject, &firm).await;
    let read = match bench.read(PAGE).await {
        Ok(read) => read,
        Err(error) => return vec![error.code().to_owned()],
    };
    let leaver = firm.now.employees[7].work_email.as_ref().unwrap();
    let status = |record: &muster_model::SourceRecord| {
        let said = said(record);
        let status = said.get("employment_status").and_then(|one| one.as_str());
        status.unwrap_or("unknown").to_owned()
    };
    let mut findings = Vec::new();
    let records = by_address(&read.records);
    match (bench.info.leaver.shows, records.get(leaver)) {
        (LeaverShows::Flagged | LeaverShows::SeparateList, Some(record))
            if status(record) == "ended" || record.presence == Presence::Removed => {}
        (LeaverShows::Absent, None) => {}
        (_, record) => {
            let shown = record.map_or_else(|| "missing".to_owned(), |record| status(record));
            findings.push(format!("who left 40 days ago is {shown}"));
        }
    }
    let others = records.iter().filter(|(one, _)| *one != leaver);
    for (_, record) in others {
        if status(record) != "active" {
            findings.push(format!("somebody who works there is {}", status(record)));
        }
    }
    findings
}

pub(crate) async fn names(subject: &Subject) -> Vec<String> {
    const NAMES: &[&str] = &["given_name", "family_name"];
    let firm = Firm::of(PEOPLE)
        .with(8, |one| {
            one.given_name = "Åsa-Émilie 🦊".to_owned();
            one.family_name = "Ørjansæter 👩‍🚀".to_owned();
        })
        .with(9, |one| {
            one.given_name = "Ďáša".to_owned();
            one.family_name = "O’Brien-Łuczak 李".to_owned();
        });
    let bench = Bench::new(subject, &firm).await;
    let read = match well(&bench, PAGE, &firm).await {
        Ok(read) => read,
        Err(findings) => return findings,
    };
    let records = by_address(&read.records);
    (firm.now.employees.iter())
        .flat_map(|employee| {
            let record = records[employee.work_email.as_ref().unwrap()];
            let books = books(&firm.now, employee);
            differences(bench.info, record, &books, Some(NAMES))
        })
        .collect()
}

pub(crate) async fn one_bad_field(subject: &Subject) -> Vec<String> {
    const OTHERS: &[&str] = &[
        "given_name",
        "family_name",
        "work_email",
        "date_of_birth",
        "department",
    ];
    let firm = Firm::of(PEOPLE).with(10, |one| {
        one.phone = Some(Phone {
            country: Some("NO".to_owned()),
            number: "12".to_owned(),
        });
    });
    let bench = Bench::new(subject, &firm).await;
    let read = match well(&bench, PAGE, &firm).await {
        Ok(read) => read,
        Err(findings) => return findings,
    };
    let records = by_address(&read.records);
    let mut findings = Vec::new();
    for (place, employee) in firm.now.employees.iter().enumerate() {
        let record = records[employee.work_email.as_ref().unwrap()];
        let books = books(&firm.now, employee);
        if place != 10 {
            findings.extend(plain(record, employee));
        } else {
            if !record.problems.iter().any(|one| one.field == Field::Phone) {
                findings.push("the number that is none is no problem".to_owned());
            }
            if said(record).get("phone").is_some_and(|one| !one.is_null()) {
                findings.push("the number that is none was taken".to_owned());
            }
        }
        findings.extend(differences(bench.info, record, &books, Some(OTHERS)));
    }
    findings
}
