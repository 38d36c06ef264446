//! The audit log: entered with every commit that counts, never changed, and
//! whatever is changed in it or in what it speaks of is found at its place.

use std::collections::BTreeMap;

use muster_model::{Answer, HoldKind, Matter, PersonId, RecordDecision};
use muster_storage::{
    Actor, AuditFindings, AuditHead, ChangeMark, ChangeState, OutboxMessage, OutboxState,
};

use crate::bench::Bench;
use crate::company::{
    Company, creation, credentials, external_id, person, record, report, to_write,
};
use crate::tampering::{Column, Kind, text, unlock, whole_rows};

on_both_engines!(
    what_is_done_is_entered_and_verifies,
    the_log_is_only_added_to,
    a_changed_byte_is_found_in_its_column,
    a_missing_or_moved_row_is_found,
    a_cut_end_is_found_by_a_head_that_was_kept,
    a_row_done_in_two_steps_verifies_and_its_state_is_watched,
    writers_at_once_leave_no_gap,
    a_read_enters_nothing,
    erasing_leaves_the_log_whole,
    every_entry_names_who_made_it,
);

/// A company whose log has an entry of every kind; its newest entries mark rows
/// of a plan.
struct Story {
    company: Company,
    plan: muster_model::PlanId,
    people: Vec<PersonId>,
}

async fn story(bench: &Bench) -> Story {
    let company = Company::found(bench, "Nordlys").await;
    company.snapshot((0..5).map(record).collect()).await;
    let (plan, _) = company.plan((0..5).map(creation).collect()).await;
    let people = company.people(0..5).await;
    let mut transaction = company.begin().await;
    let mut renamed = company.connection.clone();
    renamed.name = "payroll".to_owned();
    transaction
        .update_connection(&renamed, Some(&credentials("hush")))
        .await
        .unwrap();
    let matter = Matter::Hold(HoldKind::Create);
    let decision = RecordDecision {
        external_id: external_id(1),
        matter,
        answer: Answer::Release,
        about: company.key.digest("about", "made up"),
        plan: Some(plan),
    };
    transaction
        .store_decisions(company.id(), &[decision])
        .await
        .unwrap();
    transaction
        .take_back_decisions(company.id(), &[(external_id(1), matter)])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let mut transaction = company.begin().await;
    let message = OutboxMessage::about(people[0], "mail", serde_json::Value::Null);
    transaction.enqueue(&[message]).await.unwrap();
    let queued = transaction.outbox(OutboxState::Waiting, 10).await.unwrap();
    transaction
        .mark_outbox(&[queued[0].id], OutboxState::Sent)
        .await
        .unwrap();
    assert_eq!(
        transaction
            .delete_links(company.id(), &[external_id(4)])
            .await
            .unwrap(),
        1
    );
    transaction.commit().await.unwrap();
    let mut transaction = company.begin().await;
    transaction
        .mark_changes(plan, &marks(&people, 0..3))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let mut transaction = company.begin().await;
    transaction
        .finish_run(&report(company.run.id, company.id()))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    Story {
        company,
        plan,
        people,
    }
}

fn marks(people: &[PersonId], rows: std::ops::Range<usize>) -> Vec<ChangeMark> {
    rows.map(|row| ChangeMark {
        ordinal: row as u64,
        state: if row == 2 {
            ChangeState::Stale
        } else {
            ChangeState::Applied
        },
        error_code: (row == 2).then(|| "row.stale".to_owned()),
        person: Some(people[row]),
        done_by: None,
    })
    .collect()
}

impl Story {
    async fn verify(&self, head: Option<AuditHead>) -> AuditFindings {
        self.company.read().await.verify_audit(head).await.unwrap()
    }

    async fn head(&self) -> AuditHead {
        let head = self.company.read().await.audit_head().await.unwrap();
        head.expect("something was entered")
    }

    /// The entry, the place and the byte that are found.
    async fn broken(&self, head: Option<AuditHead>) -> (u64, String, Option<u64>) {
        let findings = self.verify(head).await;
        let broken = findings.broken.expect("something is wrong");
        (broken.entry, broken.place, broken.byte)
    }

    async fn whole(&self) {
        assert_eq!(self.verify(None).await.broken, None);
    }
}

async fn what_is_done_is_entered_and_verifies(bench: Bench) {
    let story = story(&bench).await;
    let kinds = bench
        .raw_bytes(&text(
            &bench,
            "kind",
            "audit_details ORDER BY number, ordinal",
        ))
        .await;
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|kind| String::from_utf8(kind).unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "connection.made",
            "credentials.stored",
            "run.begun",
            "plan.stored",
            "people.written",
            "connection.changed",
            "credentials.stored",
            "decided",
            "decision.taken_back",
            "outbox.marked",
            "link.deleted",
            "run.finished",
        ]
    );
    let head = story.head().await;
    let findings = story.verify(Some(head)).await;
    assert_eq!(findings.broken, None);
    assert_eq!(findings.head, Some(head));
    assert_eq!(findings.entries, head.number);
    // Twelve details, three rows of the plan, one report and one plan.
    assert_eq!((findings.rows, findings.erased), (17, 0));
    let numbers = bench
        .raw_numbers("SELECT number FROM audit_entries ORDER BY number")
        .await;
    let expected: Vec<i64> = (1..=numbers.len() as i64).collect();
    assert_eq!(numbers, expected, "no gap");

    // A head of long ago still proves what was there then.
    let mut transaction = story.company.begin().await;
    let id = PersonId::new(bench.ids());
    transaction
        .write_people(&[to_write(person(id, 77), &story.company.key)])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(story.verify(Some(head)).await.broken, None);
    assert_eq!(story.head().await.number, head.number + 1);

    // What was undone was not done.
    let transaction = story.company.begin().await;
    drop(transaction);
    assert_eq!(story.head().await.number, head.number + 1);

    // Nothing of anybody stands in it in the clear.
    for table in ["audit_entries", "audit_details"] {
        for row in bench.raw_bytes(&whole_rows(&bench, table)).await {
            let row = String::from_utf8_lossy(&row).into_owned();
            for value in ["nordlys.example", "degård", "hr.example", "hush", "e-00000"] {
                assert!(!row.contains(value), "{table}: {value}");
            }
        }
    }
}

async fn the_log_is_only_added_to(bench: Bench) {
    let story = story(&bench).await;
    for statement in [
        "UPDATE audit_entries SET at = at + 1",
        "DELETE FROM audit_entries",
        "DELETE FROM audit_details",
        "UPDATE audit_details SET kind = 'x'",
        "UPDATE audit_details SET facts = 'x', sealed = NULL",
    ] {
        let refused = bench.try_raw(statement).await;
        assert!(refused.is_err(), "{statement}");
    }
    story.whole().await;
}

async fn a_changed_byte_is_found_in_its_column(bench: Bench) {
    let story = story(&bench).await;
    unlock(&bench).await;
    let (marked, finished) = (story.head().await.number - 1, story.head().await.number);
    let middle = 3;
    let mut cases: Vec<(u64, Column, &str, usize)> = Vec::new();
    for (column, byte) in [
        ("at", 7),
        ("at", 0),
        ("cause", 3),
        ("details", 7),
        ("changes", 6),
        ("root", 31),
        ("leaves", 35),
        ("leaves", 0),
        ("previous", 0),
        ("hash", 16),
    ] {
        let kind = match column {
            "cause" => Kind::Text,
            "at" | "details" | "changes" => Kind::Number,
            _ => Kind::Bytes,
        };
        // At the first entry, in the middle, at the one of the plan, and at the last.
        for entry in [1, middle, marked, finished] {
            let column_of = Column::new("audit_entries", column, format!("number = {entry}"), kind);
            if column == "cause" && entry == middle {
                continue; // people written by hand have no cause: it is two braces
            }
            cases.push((entry, column_of, "audit_entries", byte));
        }
    }
    for at in [1, 2] {
        let leaf = Column::new(
            "audit_entries",
            "leaves",
            format!("number = {marked}"),
            Kind::Bytes,
        );
        cases.push((marked, leaf, "audit_entries", 36 * at + 7));
    }
    let links = bench
        .raw_numbers("SELECT number FROM audit_details WHERE kind = 'link.deleted'")
        .await;
    let link = u64::try_from(links[0]).unwrap();
    let ordinal = bench
        .raw_numbers("SELECT ordinal FROM audit_details WHERE kind = 'link.deleted'")
        .await;
    for (column, byte, kind) in [
        ("kind", 2, Kind::Text),
        ("facts", 5, Kind::Text),
        ("person_id", 15, Kind::Uuid),
        ("sealed", 0, Kind::Bytes),
        ("sealed", 30, Kind::Bytes),
        ("seal", 9, Kind::Bytes),
    ] {
        let row = format!("number = {link} AND ordinal = {}", ordinal[0]);
        let column = Column::new("audit_details", column, row, kind);
        cases.push((link, column, "audit_details", byte));
    }
    for (column, byte, kind) in [
        ("state", 1, Kind::Text),
        ("error_code", 4, Kind::Text),
        ("person_id", 3, Kind::Uuid),
        ("sealed", 100, Kind::Bytes),
    ] {
        let column = Column::new("plan_rows", column, "ordinal = 2".to_owned(), kind);
        cases.push((marked, column, "plan_rows", byte));
    }
    let report = Column::new(
        "runs",
        "report",
        "report IS NOT NULL".to_owned(),
        Kind::Text,
    );
    cases.push((finished, report, "runs", 12));
    let stored = bench
        .raw_numbers("SELECT number FROM audit_details WHERE kind = 'plan.stored'")
        .await;
    let hash = Column::new("plans", "hash", "1 = 1".to_owned(), Kind::Bytes);
    cases.push((u64::try_from(stored[0]).unwrap(), hash, "plans", 4));
    let head = Column::new("audit_heads", "hash", "1 = 1".to_owned(), Kind::Bytes);
    cases.push((finished, head, "audit_heads", 8));

    let mut found = 0;
    for (entry, column, table, byte) in cases {
        let before = column.read(&bench).await;
        column.flip(&bench, &before, byte).await;
        let (at, place, wrong) = story.broken(None).await;
        let expected = format!("{table}.{}", column.name);
        assert!(
            at == entry && place.starts_with(&expected) && wrong == Some(byte as u64),
            "{expected} byte {byte} of entry {entry}: found entry {at}, {place}, byte {wrong:?}"
        );
        column.write(&bench, &before).await;
        found += 1;
    }
    assert!(found > 45, "{found}");
    // A number that is another leaves a gap where it was.
    bench
        .raw_execute("UPDATE audit_entries SET number = 900 WHERE number = 2")
        .await;
    assert_eq!(
        story.broken(None).await,
        (2, "audit_entries".to_owned(), None)
    );
    bench
        .raw_execute("UPDATE audit_entries SET number = 2 WHERE number = 900")
        .await;
    story.whole().await;
}

async fn a_missing_or_moved_row_is_found(bench: Bench) {
    let story = story(&bench).await;
    unlock(&bench).await;
    let last = story.head().await.number;
    for entry in 1..=last {
        bench
            .raw_execute(&format!(
                "CREATE TABLE kept AS SELECT * FROM audit_entries WHERE number = {entry}"
            ))
            .await;
        bench
            .raw_execute(&format!("DELETE FROM audit_entries WHERE number = {entry}"))
            .await;
        let (at, place, _) = story.broken(None).await;
        assert_eq!((at, place.as_str()), (entry, "audit_entries"));
        bench
            .raw_execute("INSERT INTO audit_entries SELECT * FROM kept")
            .await;
        bench.raw_execute("DROP TABLE kept").await;
    }
    story.whole().await;

    // Two entries change places.
    for (from, to) in [(2, 900), (3, 2), (900, 3)] {
        bench
            .raw_execute(&format!(
                "UPDATE audit_entries SET number = {to} WHERE number = {from}"
            ))
            .await;
    }
    assert_eq!(story.broken(None).await.0, 2);
    for (from, to) in [(2, 900), (3, 2), (900, 3)] {
        bench
            .raw_execute(&format!(
                "UPDATE audit_entries SET number = {to} WHERE number = {from}"
            ))
            .await;
    }
    story.whole().await;

    for (table, row, put_back, place) in [
        (
            "audit_details",
            "kind = 'run.begun'",
            true,
            "audit_details (row 2)",
        ),
        ("plan_rows", "ordinal = 1", true, ""),
        ("plan_rows", "ordinal = 4", true, "plan_rows (plan "),
    ] {
        bench
            .raw_execute(&format!(
                "CREATE TABLE kept AS SELECT * FROM {table} WHERE {row}"
            ))
            .await;
        bench
            .raw_execute(&format!("DELETE FROM {table} WHERE {row}"))
            .await;
        let (_, found, _) = story.broken(None).await;
        assert!(found.starts_with(place), "{table}: {found}");
        if put_back {
            bench
                .raw_execute(&format!("INSERT INTO {table} SELECT * FROM kept"))
                .await;
        }
        bench.raw_execute("DROP TABLE kept").await;
        story.whole().await;
    }
    // One too many is found as well.
    bench
        .raw_execute(
            "INSERT INTO audit_details (organisation_id, number, ordinal, kind, facts) \
             SELECT organisation_id, number, 900, 'person.erased', '{}' FROM audit_entries \
             WHERE number = 2",
        )
        .await;
    assert_eq!(
        story.broken(None).await,
        (2, "audit_details (row 900)".to_owned(), None)
    );
    bench
        .raw_execute("DELETE FROM audit_details WHERE ordinal = 900")
        .await;
    // Several bytes of one column: the entry after it knows that the hash is right.
    bench
        .raw_execute("UPDATE audit_entries SET at = at + 1000000 WHERE number = 3")
        .await;
    assert_eq!(
        story.broken(None).await,
        (
            3,
            "audit_entries.at, cause, details or changes".to_owned(),
            None
        )
    );
    bench
        .raw_execute("UPDATE audit_entries SET at = at - 1000000 WHERE number = 3")
        .await;
    // Before the first entry nothing was written either.
    for number in [i64::MIN, -1, 0] {
        for (table, columns, values) in [
            (
                "audit_details",
                "ordinal, kind, facts",
                "0, 'person.erased', '{}'",
            ),
            (
                "audit_entries",
                "at, cause, details, changes, root, leaves, previous, hash",
                "at, cause, details, changes, root, leaves, previous, hash",
            ),
        ] {
            bench
                .raw_execute(&format!(
                    "INSERT INTO {table} (organisation_id, number, {columns}) \
                     SELECT organisation_id, {number}, {values} FROM audit_entries WHERE number = 2"
                ))
                .await;
            let (entry, place, _) = story.broken(None).await;
            assert_eq!(entry, 0, "{place}");
            assert!(place.starts_with(table), "{place}");
            bench
                .raw_execute(&format!("DELETE FROM {table} WHERE number = {number}"))
                .await;
        }
    }
    story.whole().await;
    // What was sealed is gone, and nobody was erased.
    bench
        .raw_execute("UPDATE plan_rows SET sealed = NULL WHERE ordinal = 0")
        .await;
    let (_, place, _) = story.broken(None).await;
    assert!(place.starts_with("plan_rows.sealed"), "{place}");
    // The log is emptied altogether.
    for table in ["audit_details", "audit_entries"] {
        bench.raw_execute(&format!("DELETE FROM {table}")).await;
    }
    assert_eq!(
        story.broken(None).await,
        (1, "audit_entries".to_owned(), None)
    );
}

async fn a_cut_end_is_found_by_a_head_that_was_kept(bench: Bench) {
    let story = story(&bench).await;
    unlock(&bench).await;
    let kept = story.head().await;
    let cut = kept.number - 2;
    for table in ["audit_details", "audit_entries"] {
        bench
            .raw_execute(&format!("DELETE FROM {table} WHERE number > {cut}"))
            .await;
    }
    // Whoever only cuts is betrayed by the stored head.
    assert_eq!(
        story.broken(None).await,
        (cut + 1, "audit_entries".to_owned(), None)
    );
    // Whoever sets that back as well leaves a whole log, though a shorter one.
    bench
        .raw_execute(&format!(
            "UPDATE audit_heads SET number = {cut}, \
             hash = (SELECT hash FROM audit_entries WHERE number = {cut})"
        ))
        .await;
    story.whole().await;
    assert_eq!(
        story.broken(Some(kept)).await,
        (cut + 1, "audit_entries".to_owned(), None)
    );
    // And whoever goes on from there writes another history.
    for number in 0..2 {
        let mut transaction = story.company.begin().await;
        let id = PersonId::new(bench.ids());
        transaction
            .write_people(&[to_write(person(id, 70 + number), &story.company.key)])
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }
    story.whole().await;
    assert_eq!(
        story.broken(Some(kept)).await,
        (kept.number, "audit_entries.hash".to_owned(), None)
    );
}

async fn a_row_done_in_two_steps_verifies_and_its_state_is_watched(bench: Bench) {
    let story = story(&bench).await;
    let waiting = ChangeMark {
        ordinal: 3,
        state: ChangeState::Waiting,
        error_code: None,
        person: None,
        done_by: None,
    };
    let applied = ChangeMark {
        state: ChangeState::Applied,
        person: Some(story.people[3]),
        ..waiting.clone()
    };
    for mark in [waiting, applied] {
        let mut transaction = story.company.begin().await;
        transaction.mark_changes(story.plan, &[mark]).await.unwrap();
        transaction.commit().await.unwrap();
    }
    story.whole().await;
    let last = story.head().await.number;
    // Set back past the repositories to what was true once: no entry says so.
    bench
        .raw_execute("UPDATE plan_rows SET state = 'waiting' WHERE ordinal = 3")
        .await;
    let (entry, place, byte) = story.broken(None).await;
    assert!(entry == last, "{entry}");
    assert!(place.starts_with("plan_rows.state"), "{place}");
    assert_eq!(byte, Some(0));
}

async fn writers_at_once_leave_no_gap(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let other = bench.open_again(crate::bench::KEY).await.unwrap();
    let mut writers = Vec::new();
    for writer in 0..4_u32 {
        let storage = if writer % 2 == 0 {
            bench.storage.clone()
        } else {
            other.clone()
        };
        let (organisation, key) = (company.organisation.id, company.key.clone());
        let ids: Vec<PersonId> = (0..10).map(|_| PersonId::new(bench.ids())).collect();
        writers.push(tokio::spawn(async move {
            for (number, id) in (0_u32..).zip(ids) {
                let mut transaction = storage.begin(organisation).await.unwrap();
                let person = person(id, 1_000 * writer + number);
                transaction
                    .write_people(&[to_write(person, &key)])
                    .await
                    .unwrap();
                transaction.commit().await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let findings = company.read().await.verify_audit(None).await.unwrap();
    assert_eq!(findings.broken, None);
    assert_eq!(findings.entries, 41, "one of founding, forty of writing");
    other.close().await;
}

async fn a_read_enters_nothing(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let before = company.read().await.audit_head().await.unwrap();
    company.snapshot((0..50).map(record).collect()).await;
    assert_eq!(company.read().await.audit_head().await.unwrap(), before);
}

async fn erasing_leaves_the_log_whole(bench: Bench) {
    let story = story(&bench).await;
    // Row 0 was applied for the first, row 4 has only the record of the last,
    // whose link an entry says was deleted.
    let gone = [story.people[0], story.people[4]];
    let mut transaction = story.company.begin().await;
    assert_eq!(transaction.erase_people(&gone).await.unwrap(), 2);
    transaction.commit().await.unwrap();
    let findings = story.verify(None).await;
    assert_eq!(findings.broken, None);
    assert_eq!(findings.erased, 2, "a row of the plan, and a detail");
    let sealed = bench
        .raw_numbers(
            "SELECT count(*) FROM audit_details WHERE kind = 'link.deleted' AND sealed IS NOT NULL",
        )
        .await;
    assert_eq!(sealed, [0]);
    // Another row that is emptied does not pass for one of theirs.
    unlock(&bench).await;
    let kept = "CREATE TABLE kept AS SELECT sealed, person_id FROM plan_rows WHERE ordinal = 1";
    bench.raw_execute(kept).await;
    bench
        .raw_execute(
            "UPDATE plan_rows SET sealed = NULL, person_id = (SELECT person_id FROM \
             audit_details WHERE kind = 'person.erased' ORDER BY ordinal LIMIT 1) \
             WHERE ordinal = 1",
        )
        .await;
    let (_, place, _) = story.broken(None).await;
    assert!(place.starts_with("plan_rows.sealed"), "{place}");
    bench
        .raw_execute(
            "UPDATE plan_rows SET sealed = (SELECT sealed FROM kept), \
             person_id = (SELECT person_id FROM kept) WHERE ordinal = 1",
        )
        .await;
    story.whole().await;
    // Whoever is called erased is covered by the log like everything else.
    bench
        .raw_execute("DELETE FROM audit_details WHERE kind = 'person.erased'")
        .await;
    assert!(story.verify(None).await.broken.is_some());
}

/// Every method that writes is entered in the log, or says here why it is not.
#[test]
fn every_method_that_writes_is_audited_or_says_why_not() {
    let not_audited = BTreeMap::from([
        ("commit", "enters what the others did"),
        (
            "still_waiting",
            "only looks, at what nobody else may send meanwhile",
        ),
        (
            "begin_snapshot",
            "a read says what others said; nothing follows from it yet",
        ),
        ("store_records", "as begin_snapshot"),
        ("carry_over", "as begin_snapshot"),
        ("set_step", "where a run is, for whoever finds it dead"),
        (
            "claim_outbox",
            "who sends; what is sent follows from rows that are in the log",
        ),
        ("hasten_outbox", "as claim_outbox"),
        ("end_attempts", "as claim_outbox"),
        ("begin_plan", "nobody sees a plan before finish_plan"),
        ("add_changes", "as begin_plan"),
        (
            "remember_erased",
            "repeats a list that is kept outside of the log; who is there is entered as erased",
        ),
        ("settle", "what to look at next, not what is true"),
        ("unsettle", "as settle"),
        ("mark_records_due", "as settle"),
        ("mark_people_due", "as settle"),
        ("mark_due_on", "as settle"),
        (
            "write_links",
            "follows from rows that are marked in the same transaction, or believes a source",
        ),
        (
            "passed",
            "counts rows that are marked in the same transaction",
        ),
        (
            "enqueue",
            "follows from rows that are marked in the same transaction",
        ),
    ]);
    let source = include_str!("../../src/transaction.rs");
    let mut methods = 0;
    let mut seen = Vec::new();
    for method in source.split("    pub async fn ").skip(1) {
        let name = method.split('(').next().unwrap();
        let body = method.split("\n    }\n").next().unwrap();
        let audited = body.contains("self.journal") && name != "commit";
        assert_ne!(
            audited,
            not_audited.contains_key(name),
            "{name}: either it is entered in the journal or the list says why not"
        );
        seen.push(name);
        methods += 1;
    }
    assert!(methods > 20);
    for name in not_audited.keys() {
        assert!(seen.contains(name), "{name} is no method any more");
    }
}

/// By its account, its token, or as the system; ids only.
async fn every_entry_names_who_made_it(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let before = company.begin().await.verify_audit(None).await.unwrap().by;
    let made_by_system = before["system"];
    assert_eq!(before.len(), 1, "{before:?}");
    let id = uuid::Uuid::from_u128(7);
    let actors = [
        Actor::Account(muster_model::AccountId::from_uuid(id)),
        Actor::Token(muster_model::TokenId::from_uuid(id)),
        Actor::CommandLine { user: Some(1000) },
    ];
    for (number, actor) in actors.into_iter().enumerate() {
        let storage = bench.storage.acting_for(actor);
        let mut transaction = storage.begin(company.organisation.id).await.unwrap();
        let mut renamed = company.connection.clone();
        renamed.name = format!("payroll-{number}");
        transaction.update_connection(&renamed, None).await.unwrap();
        transaction.commit().await.unwrap();
    }
    let by = company.begin().await.verify_audit(None).await.unwrap().by;
    let expected = BTreeMap::from([
        ("system".to_owned(), made_by_system),
        (format!("account:{id}"), 1),
        (format!("token:{id}"), 1),
        ("command-line:1000".to_owned(), 1),
    ]);
    assert_eq!(by, expected);
}
