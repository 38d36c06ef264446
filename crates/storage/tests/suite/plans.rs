use std::collections::BTreeMap;

use muster_model::plan::Planned;
use muster_model::{Effect, Field, HoldKind, PlanId, Reaction, Said, Situation, Value};
use muster_storage::{ChangeMark, ChangeState, DoneBy, NewPlan};

use crate::bench::Bench;
use crate::company::{Company, creation, external_id, record};

on_both_engines!(
    a_plan_reads_back_page_by_page,
    rows_are_marked_with_what_became_of_them,
    what_was_done_as_decided_is_kept_by_run_and_goes_with_the_person,
    a_plan_is_named_by_the_beginning_of_its_id,
    a_row_about_nobody_stored_is_refused,
);

/// Two creations of which one is held, a change of somebody known, and
/// somebody without a record.
async fn changes(company: &Company) -> Vec<muster_model::Change> {
    company.snapshot((0..3).map(record).collect()).await;
    let people = company.people(2..4).await;
    let mut held = creation(1);
    held.effects[0].held = Some(HoldKind::Create);
    let mut known = creation(2);
    known.person = Some(people[0]);
    known.situation = Situation::Linked;
    known.reaction = Reaction::Update;
    known.effects = vec![Planned::free(Effect::Set {
        field: Field::JobTitle,
        from: Said::Absent,
        to: Said::Value(muster_model::plan::FieldValue {
            field: Field::JobTitle,
            value: Value::text("Fitter"),
        }),
    })];
    let mut ours = known.clone();
    ours.external_id = None;
    ours.person = Some(people[1]);
    ours.situation = Situation::OursOnly;
    vec![creation(0), held, known, ours]
}

async fn a_plan_reads_back_page_by_page(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let changes = changes(&company).await;
    let (id, plan) = company.plan(changes.clone()).await;
    let mut reader = company.read().await;
    let stored = reader.latest_plan(company.id()).await.unwrap().unwrap();
    assert_eq!(
        (stored.id, stored.run, stored.rows),
        (id, Some(company.run.id), 4)
    );
    assert_eq!(
        stored.plan,
        muster_model::Plan {
            changes: Vec::new(),
            ..plan
        }
    );

    let first = reader.changes(id, ChangeState::ALL, None, 3).await.unwrap();
    let rest = reader
        .changes(id, ChangeState::ALL, Some(first[2].ordinal), 3)
        .await
        .unwrap();
    assert_eq!((first.len(), rest.len()), (3, 1));
    let read: Vec<_> = first
        .iter()
        .chain(&rest)
        .map(|row| row.change.clone().unwrap())
        .collect();
    assert_eq!(read, changes);
    assert_eq!(first[2].person, changes[2].person);
    let held = reader
        .changes(id, &[ChangeState::Held], None, 10)
        .await
        .unwrap();
    assert_eq!(held.iter().map(|row| row.ordinal).collect::<Vec<_>>(), [1]);
    assert!(reader.changes(id, &[], None, 10).await.unwrap().is_empty());
    assert_eq!(
        reader.change_states(id).await.unwrap(),
        BTreeMap::from([(ChangeState::Open, 3), (ChangeState::Held, 1)])
    );
}

async fn rows_are_marked_with_what_became_of_them(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let (id, _) = company.plan(changes(&company).await).await;
    let made = company.people([0].into_iter()).await[0];
    let marks = [
        ChangeMark {
            ordinal: 0,
            state: ChangeState::Applied,
            error_code: None,
            person: Some(made),
            done_by: None,
        },
        ChangeMark {
            ordinal: 2,
            state: ChangeState::Failed,
            error_code: Some("person.stale".to_owned()),
            person: None,
            done_by: None,
        },
    ];
    let mut transaction = company.begin().await;
    transaction.mark_changes(id, &marks).await.unwrap();
    transaction.commit().await.unwrap();
    let rows = company
        .read()
        .await
        .changes(id, ChangeState::ALL, None, 10)
        .await
        .unwrap();
    let states: Vec<_> = rows.iter().map(|row| row.state).collect();
    use ChangeState::{Applied, Failed, Held, Open};
    assert_eq!(states, [Applied, Held, Failed, Open]);
    assert_eq!(rows[0].person, Some(made));
    // Still sealed with the key of its record, and readable.
    assert_eq!(
        rows[0].change.as_ref().unwrap().external_id,
        Some(external_id(0))
    );
    assert_eq!(rows[2].error_code.as_deref(), Some("person.stale"));
    assert_eq!(rows[2].person, rows[2].change.as_ref().unwrap().person);
}

/// Sealed beside the row, whichever of two runs did which part.
async fn what_was_done_as_decided_is_kept_by_run_and_goes_with_the_person(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    company.snapshot((0..2).map(record).collect()).await;
    let (plan, _) = company.plan((0..2).map(creation).collect()).await;
    let people = company.people(0..2).await;
    let runs = [company.run.id, muster_model::RunId::new(bench.ids())];
    let effects = [
        vec![Planned::free(Effect::Link)],
        vec![
            Planned::free(Effect::MarkGone),
            Planned::free(Effect::Unlink),
        ],
    ];
    for (run, effects) in runs.iter().zip(&effects) {
        let mark = |ordinal| ChangeMark {
            ordinal,
            state: ChangeState::Waiting,
            error_code: None,
            person: Some(people[usize::try_from(ordinal).unwrap()]),
            done_by: Some(DoneBy {
                run: *run,
                parts: Vec::new(),
                effects: effects.clone(),
            }),
        };
        let mut transaction = company.begin().await;
        transaction
            .mark_changes(plan, &[mark(0), mark(1)])
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }
    let mut reader = company.read().await;
    for row in reader.changes_at(plan, &[1, 0]).await.unwrap() {
        let done: Vec<_> = row
            .done_by
            .iter()
            .map(|done| (done.run, &done.effects))
            .collect();
        assert_eq!(done, [(runs[0], &effects[0]), (runs[1], &effects[1])]);
    }
    drop(reader);
    let mut transaction = company.begin().await;
    transaction.erase_people(&people[..1]).await.unwrap();
    transaction.commit().await.unwrap();
    let mut reader = company.read().await;
    let rows = reader
        .changes(plan, ChangeState::ALL, None, 10)
        .await
        .unwrap();
    let kept: Vec<_> = rows
        .iter()
        .map(|row| {
            row.done_by
                .iter()
                .map(|done| done.effects.len())
                .sum::<usize>()
        })
        .collect();
    assert_eq!(kept, [0, 3]);
    assert_eq!(rows[0].change, None);
    assert!(reader.verify_audit(None).await.unwrap().broken.is_none());
}

async fn a_plan_is_named_by_the_beginning_of_its_id(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let (first, _) = company.plan(Vec::new()).await;
    let (second, _) = company.plan(Vec::new()).await;
    let mut reader = company.read().await;
    let text = second.to_string();
    for name in [text.clone(), text.replace('-', ""), text.to_uppercase()] {
        assert_eq!(reader.plan(&name).await.unwrap().id, second);
    }
    // Both were made in the same second.
    let error = reader.plan(&text[..8]).await.unwrap_err();
    assert_eq!(error.code(), "plan.ambiguous");
    assert!(error.to_string().contains(&first.to_string()));
    for name in ["", "ffff", "plan", "æ", &format!("{text}0"), "%"] {
        assert_eq!(
            reader.plan(name).await.unwrap_err().code(),
            "plan.unknown",
            "{name}"
        );
    }
}

async fn a_row_about_nobody_stored_is_refused(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let (_, mut plan) = company.plan(Vec::new()).await;
    plan.changes = vec![creation(9)];
    let id = PlanId::new(bench.ids());
    let mut transaction = company.begin().await;
    let error = transaction
        .store_plan(NewPlan {
            id,
            run: None,
            plan: &plan,
            undoes: None,
            versions: None,
        })
        .await
        .unwrap_err();
    assert_eq!(error.code(), "plan.row_without_owner");
}
