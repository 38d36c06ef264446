//! One organisation tries to reach another's data with every function.

use std::collections::BTreeMap;

use jiff::civil::date;
use muster_model::policy::BrakeKind;
use muster_model::report::Trigger;
use muster_model::values::Email;
use muster_model::{Answer, MatchKey, Matter, PersonId, RecordDecision};
use muster_storage::{
    ChangeMark, ChangeState, Condition, NewPlan, NewToken, OutboxMark, OutboxMessage, OutboxState,
    OutboxTarget, PersonQuery, Queue, Rest, Role, RunStep, RunsAtWork, StorageError, TokenScope,
};

use crate::bench::Bench;
use crate::company::{
    Company, LEASE, VERSIONS, creation, credentials, external_id, link, person, record, report,
    to_store, to_write,
};

on_both_engines!(
    nothing_is_read_across_organisations,
    nothing_is_written_across_organisations
);

/// Somebody's organisation with something in every table.
struct Victim {
    company: Company,
    snapshot: muster_model::SnapshotId,
    people: Vec<PersonId>,
    plan: muster_model::PlanId,
    made: muster_model::Plan,
    release: RecordDecision,
}

async fn victim(bench: &Bench) -> Victim {
    let company = Company::found(bench, "Nordlys").await;
    let (snapshot, _) = company.snapshot((0..3).map(record).collect()).await;
    let (plan, made) = company.plan((0..3).map(creation).collect()).await;
    let people = company.people(0..2).await;
    let mut managed = company
        .read()
        .await
        .people(&people[1..])
        .await
        .unwrap()
        .remove(0);
    managed.manager = Some(people[0]);
    managed.standing.administrator = true;
    managed.access = muster_model::Access::Active;
    let release = RecordDecision {
        external_id: external_id(0),
        matter: Matter::Match,
        answer: Answer::Link(people[0]),
        about: company.key.digest("held", "keys"),
        plan: Some(plan),
    };
    let mut transaction = company.begin().await;
    transaction
        .write_people(&[to_write(managed, &company.key)])
        .await
        .unwrap();
    transaction
        .store_decisions(company.id(), std::slice::from_ref(&release))
        .await
        .unwrap();
    transaction
        .passed(company.id(), BrakeKind::Create, bench_now(), 3)
        .await
        .unwrap();
    let body = serde_json::Value::Null;
    let target = OutboxTarget {
        connection: company.id(),
        external_id: external_id(0),
        field: muster_model::Field::Phone,
    };
    let message = OutboxMessage::about(people[0], "mail", body).to(target);
    transaction.enqueue(&[message]).await.unwrap();
    let rest = Rest {
        external_id: external_id(2),
        digest: record(2).digest(&company.key),
        rest: "ignored".to_owned(),
        due_on: Some(date(2025, 7, 1)),
        due_marks: 0,
    };
    transaction
        .settle(company.id(), VERSIONS, &[rest])
        .await
        .unwrap();
    let address = Email::parse("Kari@nordlys.example").unwrap();
    transaction
        .give_access(&address, Role::Owner, LEASE)
        .await
        .unwrap();
    transaction
        .create_token(&new_token(Some(company.id())))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    Victim {
        company,
        snapshot,
        people,
        plan,
        made,
        release,
    }
}

fn new_token(connection: Option<muster_model::ConnectionId>) -> NewToken {
    NewToken {
        scopes: [TokenScope::Scim].into(),
        connection,
        expires_at: None,
    }
}

fn bench_now() -> jiff::Timestamp {
    "2025-06-02T08:00:00Z".parse().unwrap()
}

fn ids() -> Vec<muster_model::ExternalId> {
    (0..4).map(external_id).collect()
}

fn code<T>(answer: Result<T, StorageError>) -> &'static str {
    answer.err().map_or("nothing refused", |error| error.code())
}

async fn nothing_is_read_across_organisations(bench: Bench) {
    let victim = victim(&bench).await;
    let (connection, snapshot) = (victim.company.id(), victim.snapshot);
    let thief = bench.organisation("Aurora").await;
    let mut reader = bench.read(&thief).await;
    assert_eq!(reader.organisation(), thief.id);
    assert_eq!(reader.condition().await.unwrap(), Condition::default());
    assert_eq!(reader.runs_at_work().await.unwrap(), RunsAtWork::default());
    let queue = reader.outbox_queue(OutboxState::Waiting).await.unwrap();
    assert_eq!(queue, Queue::default());
    assert_eq!(reader.held_rows().await.unwrap(), 0);
    assert!(reader.connections_one_by_one().await.unwrap().is_empty());
    assert_ne!(
        victim.company.read().await.condition().await.unwrap(),
        Condition::default()
    );
    assert_eq!(reader.accesses().await.unwrap(), []);
    assert_eq!(reader.tokens().await.unwrap(), []);
    assert_eq!(
        code(reader.connection(connection).await),
        "connection.unknown"
    );
    assert_eq!(reader.connection_by_name("hr").await.unwrap(), None);
    assert!(reader.connections().await.unwrap().is_empty());
    assert_eq!(
        code(reader.credentials(connection).await),
        "connection.unknown"
    );
    assert!(reader.runs(10).await.unwrap().is_empty());
    assert_eq!(reader.audit_head().await.unwrap(), None);
    assert_eq!(
        reader.verify_audit(None).await.unwrap(),
        muster_storage::AuditFindings::default()
    );
    let mut owner = victim.company.begin().await;
    owner.erase_people(&victim.people[1..]).await.unwrap();
    assert!(owner.erased_at(victim.people[1]).await.unwrap().is_some());
    assert_eq!(reader.erased_at(victim.people[1]).await.unwrap(), None);
    drop(owner);
    assert_eq!(reader.run(victim.company.run.id).await.unwrap(), None);
    assert!(
        reader
            .touched(connection, snapshot, "", None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    let counts = reader
        .untouched_counts(connection, snapshot, VERSIONS)
        .await
        .unwrap();
    assert_eq!(counts, BTreeMap::new());
    let other = muster_model::SnapshotId::new(bench.ids());
    assert!(
        reader
            .missing(connection, other, None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(reader.backwards(connection, snapshot).await.unwrap(), 0);
    assert!(reader.records(connection, &ids()).await.unwrap().is_empty());
    let kind = MatchKey::WorkEmail;
    let key = [(
        kind,
        kind.digest(&record(0).fields, &victim.company.key).unwrap(),
    )];
    assert!(
        reader
            .key_holders(connection, snapshot, &key)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        reader
            .holders_of_records(connection, snapshot, &ids())
            .await
            .unwrap()
            .is_empty()
    );
    let contested = reader.contested_records(connection, 100).await.unwrap();
    assert!(contested.unwrap().is_empty());
    assert!(
        reader
            .people_with_keys_of(connection, &ids())
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        reader
            .past_holders(&key, jiff::Timestamp::MIN)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(reader.links(connection, &ids()).await.unwrap().is_empty());
    assert!(
        reader
            .links_of_people(&victim.people)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        reader
            .people_of_records(connection, &ids())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(reader.linked_people(connection).await.unwrap(), 0);
    assert_eq!(reader.administrators().await.unwrap(), 0);
    assert!(reader.people(&victim.people).await.unwrap().is_empty());
    assert!(reader.people_page(None, 10).await.unwrap().is_empty());
    for query in [
        PersonQuery::Id(victim.people[0]),
        PersonQuery::WorkEmail("aase.0@nordlys.example".to_owned()),
        PersonQuery::EmployeeNumber("0".to_owned()),
    ] {
        assert!(reader.find_people(&query).await.unwrap().is_empty());
        // And the one who may, finds.
        assert_eq!(
            victim
                .company
                .read()
                .await
                .find_people(&query)
                .await
                .unwrap()
                .len(),
            1
        );
    }
    assert!(reader.manager_edges().await.unwrap().is_empty());
    let of_victims = reader.reports_of(&victim.people).await.unwrap();
    assert!(of_victims.is_empty());
    let run = victim.company.run.id;
    assert!(reader.plans_of_run(run).await.unwrap().is_empty());
    assert!(reader.undoings(run).await.unwrap().is_empty());
    let rows = reader.rows_of_record(connection, &external_id(0), 9).await;
    assert!(rows.unwrap().is_empty());
    let since = reader
        .seen_since(connection, &ids(), jiff::Timestamp::MAX)
        .await;
    assert!(since.unwrap().is_empty());
    let seen = reader.sighting(connection, &external_id(0)).await.unwrap();
    assert_eq!(seen, None);
    assert!(reader.records_holding(&key).await.unwrap().is_empty());
    let messages = reader.outbox_of_rows(victim.plan, 0, 9).await.unwrap();
    assert!(messages.is_empty());
    // And the one who may, finds.
    let mut owner = victim.company.read().await;
    assert_eq!(owner.plans_of_run(run).await.unwrap().len(), 1);
    let seen = owner.sighting(connection, &external_id(0)).await.unwrap();
    assert!(seen.is_some());
    assert_eq!(owner.records_holding(&key).await.unwrap().len(), 1);
    let rows = owner.rows_of_record(connection, &external_id(0), 9).await;
    assert_eq!(rows.unwrap().len(), 1);
    let reports = owner.reports_of(&victim.people).await.unwrap();
    assert_eq!(reports, [(victim.people[1], victim.people[0])]);
    drop(owner);
    assert!(reader.managers_of(&victim.people).await.unwrap().is_empty());
    assert!(
        reader
            .people_of_addresses(&["aase.0@nordlys.example".to_owned()])
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        reader
            .changes_at(victim.plan, &[0, 1])
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        code(reader.plan(&victim.plan.to_string()).await),
        "plan.unknown"
    );
    assert_eq!(reader.latest_plan(connection).await.unwrap(), None);
    assert!(
        reader
            .changes(victim.plan, ChangeState::ALL, None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(reader.change_states(victim.plan).await.unwrap().is_empty());
    assert!(
        reader
            .passed_since(connection, jiff::Timestamp::UNIX_EPOCH)
            .await
            .unwrap()
            .is_empty()
    );
    let records = [victim.release.external_id.clone()];
    assert_eq!(reader.decisions(connection, &records).await.unwrap(), []);
    assert!(
        reader
            .outbox(OutboxState::Waiting, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn nothing_is_written_across_organisations(bench: Bench) {
    let victim = victim(&bench).await;
    let before = everything(&bench, &victim).await;
    let thief = Company::found(&bench, "Aurora").await;
    // The thief's own rows have the same names and ids wherever they can.
    thief.snapshot((0..3).map(record).collect()).await;
    let connection = victim.company.id();
    let run = victim.company.run.id;

    let mut transaction = thief.begin().await;
    let mut stolen = victim.company.connection.clone();
    stolen.name = "mine".to_owned();
    let answer = transaction
        .update_connection(&stolen, Some(&credentials("mine")))
        .await;
    assert_eq!(code(answer), "connection.unknown");
    let answer = transaction
        .begin_run(connection, Trigger::Manual, LEASE)
        .await;
    assert_eq!(code(answer), "connection.unknown");
    assert_eq!(
        code(transaction.extend_lease(run, LEASE).await),
        "run.lease_lost"
    );
    assert_eq!(
        code(transaction.finish_run(&report(run, connection)).await),
        "run.lease_lost"
    );
    assert_eq!(
        code(transaction.begin_snapshot(connection, run).await),
        "run.lease_lost"
    );
    assert_eq!(
        code(transaction.begin_snapshot(thief.id(), run).await),
        "run.lease_lost"
    );
    let token = victim
        .company
        .read()
        .await
        .tokens()
        .await
        .unwrap()
        .remove(0);
    assert!(!transaction.revoke_token(token.id).await.unwrap());
    let answer = transaction.create_token(&new_token(Some(connection))).await;
    assert_eq!(code(answer), "connection.unknown");
    // Only the thief's own run is at work for the thief.
    assert_eq!(transaction.interrupt_runs().await.unwrap(), 1);
    assert_eq!(
        transaction
            .cancel_outbox_before(jiff::Timestamp::MAX)
            .await
            .unwrap(),
        0
    );
    transaction
        .remember_erased(&[(victim.people[0], bench_now())])
        .await
        .unwrap();
    // The same human may enter both, with one account.
    let address = Email::parse("kari@Nordlys.example").unwrap();
    transaction
        .give_access(&address, Role::Viewer, LEASE)
        .await
        .unwrap();
    let given = [to_store(record(1), &thief.key)];
    for connection in [connection, thief.id()] {
        let answer = transaction
            .store_records(connection, victim.snapshot, &given)
            .await;
        assert_eq!(code(answer), "snapshot.unknown");
        let answer = transaction
            .carry_over(connection, victim.snapshot, victim.snapshot)
            .await;
        assert_eq!(code(answer), "snapshot.unknown");
    }
    assert_eq!(
        code(transaction.replace_secret(connection, "token", "x").await),
        "connection.unknown"
    );
    let rest = Rest {
        external_id: external_id(0),
        digest: given[0].digest,
        rest: "unchanged".to_owned(),
        due_on: None,
        due_marks: 9,
    };
    transaction
        .settle(connection, VERSIONS, &[rest])
        .await
        .unwrap();
    transaction.unsettle(connection, &ids()).await.unwrap();
    transaction
        .mark_records_due(connection, &ids())
        .await
        .unwrap();
    transaction.mark_people_due(&victim.people).await.unwrap();
    assert_eq!(transaction.mark_due_on(date(2030, 1, 1)).await.unwrap(), 0);
    let links = [link(&record(2), victim.people[0])];
    assert_eq!(
        code(transaction.write_links(connection, &links).await),
        "connection.unknown"
    );
    assert_eq!(
        code(transaction.write_links(thief.id(), &links).await),
        "person.unknown"
    );
    assert_eq!(
        transaction.delete_links(connection, &ids()).await.unwrap(),
        0
    );
    let mut somebody = person(victim.people[0], 8);
    somebody.version = 1;
    let stale = transaction
        .write_people(&[to_write(somebody, &thief.key)])
        .await
        .unwrap();
    assert_eq!(stale, victim.people[..1]);
    assert_eq!(transaction.erase_people(&victim.people).await.unwrap(), 0);
    assert!(
        !transaction
            .readmit(connection, &external_id(0))
            .await
            .unwrap()
    );
    transaction.remove_people(&victim.people).await.unwrap();
    let run = victim.company.run.id;
    transaction.run_applies(run, victim.plan).await.unwrap();
    let id = muster_model::PlanId::new(bench.ids());
    let answer = transaction
        .store_plan(NewPlan {
            id,
            run: None,
            plan: &victim.made,
            undoes: None,
            versions: None,
        })
        .await;
    assert_eq!(code(answer), "connection.unknown");
    let mark = ChangeMark {
        ordinal: 0,
        state: ChangeState::Failed,
        error_code: None,
        person: None,
        done_by: None,
    };
    transaction
        .mark_changes(victim.plan, &[mark])
        .await
        .unwrap();
    assert_eq!(
        code(
            transaction
                .begin_plan(victim.plan, None, connection, VERSIONS)
                .await
        ),
        "connection.unknown"
    );
    let rows = [crate::company::creation(0)];
    assert_eq!(
        code(
            transaction
                .add_changes(victim.plan, connection, 90, &rows)
                .await
        ),
        "plan.row_without_owner"
    );
    let mut head = victim
        .company
        .read()
        .await
        .plan(&victim.plan.to_string())
        .await
        .unwrap()
        .plan;
    let before_plan = head.clone();
    head.made_for = "2031-01-01".parse().unwrap();
    transaction.finish_plan(victim.plan, &head).await.unwrap();
    let answer = transaction
        .passed(connection, BrakeKind::Create, bench_now(), 9)
        .await;
    assert_eq!(code(answer), "connection.unknown");
    let answer = transaction
        .store_decisions(connection, std::slice::from_ref(&victim.release))
        .await;
    assert_eq!(code(answer), "connection.unknown");
    // Neither under somebody else's plan, nor about somebody else's person.
    let without_plan = RecordDecision {
        plan: None,
        ..victim.release.clone()
    };
    let without_person = RecordDecision {
        answer: Answer::Leave,
        ..victim.release.clone()
    };
    transaction
        .store_decisions(thief.id(), &[without_plan])
        .await
        .unwrap();
    transaction
        .store_decisions(thief.id(), &[without_person])
        .await
        .unwrap();
    let records = [victim.release.external_id.clone()];
    for connection in [connection, thief.id()] {
        let seen = transaction.decisions(connection, &records).await.unwrap();
        assert_eq!(seen, []);
    }
    transaction
        .take_back_decisions(
            connection,
            &[(victim.release.external_id.clone(), victim.release.matter)],
        )
        .await
        .unwrap();
    let body = serde_json::Value::Null;
    let message = OutboxMessage::about(victim.people[0], "mail", body);
    assert_eq!(
        code(transaction.enqueue(&[message]).await),
        "person.unknown"
    );
    let queued = victim
        .company
        .read()
        .await
        .outbox(OutboxState::Waiting, 10)
        .await
        .unwrap();
    transaction
        .mark_outbox(&[queued[0].id], OutboxState::Cancelled)
        .await
        .unwrap();
    let queued_there = [queued[0].id];
    assert!(
        transaction
            .still_waiting(&queued_there)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(transaction.cancel_outbox(&queued_there).await.unwrap(), 0);
    transaction.hasten_outbox(connection).await.unwrap();
    let theirs = victim.company.read().await.runs(1).await.unwrap();
    for run in theirs {
        transaction.set_step(run.id, RunStep::Report).await.unwrap();
    }
    let hour = std::time::Duration::from_secs(3_600);
    let sender = muster_model::RunId::new(bench.ids());
    let claimed = transaction
        .claim_outbox(connection, sender, jiff::Timestamp::MAX, 10, hour)
        .await
        .unwrap();
    assert!(claimed.is_empty());
    let ended = OutboxMark {
        id: queued[0].id,
        state: OutboxState::Sent,
        error_code: None,
        due_at: None,
    };
    let ended = transaction.end_attempts(sender, &[ended]).await.unwrap();
    assert_eq!(ended, 0);
    assert_eq!(
        transaction.waiting_writes(connection).await.unwrap(),
        (0, None)
    );
    // The same name is free in another organisation, and is another connection.
    let mut own = crate::company::new_connection("other");
    own.rank = 7;
    let own = transaction.insert_connection(own, None).await.unwrap();
    assert_ne!(own.id, connection);
    transaction.commit().await.unwrap();

    let plan = victim.plan.to_string();
    let after_plan = victim.company.read().await.plan(&plan).await.unwrap().plan;
    assert_eq!(after_plan, before_plan);
    assert_eq!(everything(&bench, &victim).await, before);
}

/// All that can be read of the victim.
async fn everything(bench: &Bench, victim: &Victim) -> Vec<String> {
    let mut reader = bench.read(&victim.company.organisation).await;
    let (connection, snapshot) = (victim.company.id(), victim.snapshot);
    let mut links = reader.links_of_people(&victim.people).await.unwrap();
    links.sort_by(|(_, one), (_, two)| one.external_id.cmp(&two.external_id));
    vec![
        format!("{:?}", reader.connections().await.unwrap()),
        format!(
            "{:?}",
            reader
                .credentials(connection)
                .await
                .unwrap()
                .unwrap()
                .expose("token")
        ),
        format!("{:?}", reader.runs(10).await.unwrap()),
        format!("{:?}", reader.accesses().await.unwrap()),
        format!("{:?}", reader.tokens().await.unwrap()),
        format!("{:?}", reader.condition().await.unwrap()),
        format!(
            "{:?}",
            reader
                .touched(connection, snapshot, "", None, 10)
                .await
                .unwrap()
        ),
        format!("{links:?}"),
        format!("{:?}", reader.people_page(None, 10).await.unwrap()),
        format!(
            "{:?}",
            reader
                .changes(victim.plan, ChangeState::ALL, None, 10)
                .await
                .unwrap()
        ),
        format!(
            "{:?}",
            reader
                .decisions(connection, &(0..3).map(external_id).collect::<Vec<_>>())
                .await
                .unwrap()
        ),
        format!(
            "{:?}",
            reader
                .passed_since(connection, jiff::Timestamp::UNIX_EPOCH)
                .await
                .unwrap()
        ),
        format!(
            "{:?}",
            reader.outbox(OutboxState::Waiting, 10).await.unwrap()
        ),
    ]
}
