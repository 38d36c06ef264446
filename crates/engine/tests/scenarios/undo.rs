//! Taking back what a run did, after later edits too.

use muster_engine::undoing::Undone;
use muster_model::report::Outcome;
use muster_model::{Access, EngagementStatus, Field, Flow, RunReport, Value};
use muster_reconcile::undo::Way;
use muster_sandbox::company::{Company, Rehearsal};
use muster_storage::{OutboxState, StoredMessage};

use crate::world::{
    Directory, Setting, World, plain_staff, rehearsal, with_leavers, with_new_phones, without,
};

/// A world in which everybody of a day but some is known and may enter.
async fn settled(rehearsal: &Rehearsal, strangers: &[u64]) -> World {
    World::settled(Setting {
        page_size: 50,
        company: without(rehearsal.on_day(0), strangers),
        ..Setting::rehearsed(rehearsal, 0)
    })
    .await
}

async fn undo(world: &World, run: &RunReport) -> Undone {
    world
        .engine
        .undo(&world.organisation, &run.run.to_string(), false, |_| {})
        .await
        .unwrap()
}

async fn refusal(world: &World, run: &RunReport) -> String {
    world
        .engine
        .undo(&world.organisation, &run.run.to_string(), false, |_| {})
        .await
        .unwrap_err()
        .code()
}

/// Everything of everybody, but for the word of employment among the fields: it
/// follows the employment, which stands beside it.
async fn directory(world: &World) -> Directory {
    let mut directory = world.directory().await;
    let people: Vec<String> = directory.0.keys().cloned().collect();
    for person in people {
        directory.forget(&person, "field employment_status");
    }
    directory
}

fn changed(rehearsal: &Rehearsal, staff: &[u64]) -> Company {
    let [moved, edited, left, ..] = staff else {
        panic!("too few people");
    };
    with_leavers(
        with_new_phones(rehearsal.on_day(0), &[*moved, *edited]),
        &[*left],
    )
}

#[tokio::test]
async fn an_undo_restores_what_nobody_changed_and_the_next_sync_plans_nothing() {
    let rehearsal = rehearsal(60, 1);
    let staff = plain_staff(&rehearsal, 0);
    let (joins, rest) = (&staff[..2], &staff[2..]);
    let world = settled(&rehearsal, joins).await;
    // One of the two is here already, by hand, and will be linked.
    let company = rehearsal.on_day(0);
    let known = company.employees.iter().find(|one| one.id == joins[1]);
    world.add_by_hand(&[known.unwrap()]).await;
    let before = directory(&world).await;

    world.turn_to(changed(&rehearsal, rest));
    world.clock.wait(48);
    let run = world.sync_well().await;
    assert_eq!((run.counts.created, run.counts.linked), (1, 1));
    assert_eq!((run.counts.suspended, run.counts.updated), (1, 2));
    let after = directory(&world).await;
    assert_ne!(before.differences(&after), [""; 0]);

    // A day later, and after another sync.
    world.clock.wait(24);
    world.sync_well().await;
    let undone = undo(&world, &run).await;
    assert!(undone.undoing.left.is_empty(), "{:?}", undone.undoing.left);
    let report = undone.made.unwrap().report;
    assert_eq!(report.outcome, Outcome::Ok, "{:?}", report.holds);
    assert_eq!(report.undoes, Some(run.run));
    assert_eq!((report.counts.restored, report.counts.failed), (1, 0));
    assert_eq!(before.differences(&directory(&world).await), [""; 0]);
    assert_eq!(
        world.person(rest[2]).await.employment,
        EngagementStatus::Active
    );

    for _ in 0..2 {
        world.clock.wait(3);
        let made = world.sync().await;
        assert_eq!(made.report.error, None);
        let planned = made.planned.unwrap().plan.changes;
        assert_eq!(planned, [], "the source is unchanged");
        assert_eq!(before.differences(&directory(&world).await), [""; 0]);
    }
    assert_eq!(refusal(&world, &run).await, "undo.already");
    world.end().await;
}

#[tokio::test]
async fn what_was_changed_since_is_listed_and_left_alone() {
    let rehearsal = rehearsal(60, 1);
    let staff = plain_staff(&rehearsal, 0);
    let world = settled(&rehearsal, &[]).await;
    world.turn_to(changed(&rehearsal, &staff));
    let (moved, edited) = (staff[0], staff[1]);
    let old = world
        .person(moved)
        .await
        .fields
        .text(Field::Phone)
        .map(str::to_owned);
    let run = world.sync_well().await;
    let mut person = world.person(edited).await;
    person.fields.put(Field::Phone, Value::text("+4790000001"));
    let id = person.id;
    assert_eq!(world.write(vec![person]).await.unwrap(), []);

    // A look does nothing.
    let look = world
        .engine
        .undo(&world.organisation, &run.run.to_string(), true, |_| {})
        .await
        .unwrap();
    assert!(look.made.is_none());
    assert_eq!(look.undoing.left.len(), 1);
    let undone = undo(&world, &run).await;
    let left = &undone.undoing.left;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!((left[0].person, left[0].what.as_str()), (Some(id), "phone"));
    assert_eq!(left[0].code, "undo.changed_since");
    let phone = |person: &muster_model::Person| person.fields.text(Field::Phone).map(str::to_owned);
    assert_eq!(
        phone(&world.person(edited).await).as_deref(),
        Some("+4790000001")
    );
    assert_eq!(phone(&world.person(moved).await), old);
    world.end().await;
}

#[tokio::test]
async fn a_declined_row_is_planned_again_when_the_source_says_something_else() {
    let rehearsal = rehearsal(60, 1);
    let staff = plain_staff(&rehearsal, 0);
    let joins = staff[3];
    let world = settled(&rehearsal, &[joins]).await;
    let company = changed(&rehearsal, &staff);
    world.turn_to(company.clone());
    world.clock.wait(1);
    let run = world.sync_well().await;
    assert_eq!(run.counts.created, 1);
    undo(&world, &run).await;
    assert!(!world.linked().await.contains_key(&joins));
    assert_eq!(world.person(staff[2]).await.access, Access::Active);

    let mut company = company;
    for employee in &mut company.employees {
        if employee.id == staff[0] {
            employee.phone.as_mut().unwrap().number = "41234567".to_owned();
            employee.version += 1;
        }
        if employee.id == joins {
            employee.work_email = Some("anew@firm.example".to_owned());
            employee.version += 1;
        }
        if employee.id == staff[2] {
            let last = company.as_of;
            for engagement in &mut employee.engagements {
                engagement.end_date = engagement.end_date.map(|_| last);
                engagement.version += 1;
            }
            employee.version += 1;
        }
    }
    world.turn_to(company);
    world.clock.wait(30);
    let next = world.sync_well().await;
    assert_eq!(
        (next.counts.created, next.counts.suspended),
        (1, 1),
        "{:?}",
        next.counts
    );
    let phone = world.person(staff[0]).await;
    assert_eq!(phone.fields.text(Field::Phone), Some("+4741234567"));
    world.end().await;
}

#[tokio::test]
async fn an_undo_can_be_undone() {
    let rehearsal = rehearsal(60, 1);
    let staff = plain_staff(&rehearsal, 0);
    let world = settled(&rehearsal, &staff[3..5]).await;
    world.turn_to(changed(&rehearsal, &staff));
    world.clock.wait(1);
    let run = world.sync_well().await;
    let after = directory(&world).await;
    let report = undo(&world, &run).await.made.unwrap().report;
    world.clock.wait(1);
    world.sync_well().await;
    let again = undo(&world, &report).await;
    assert!(again.undoing.left.is_empty(), "{:?}", again.undoing.left);
    assert_eq!(again.made.unwrap().report.outcome, Outcome::Ok);
    assert_eq!(after.differences(&directory(&world).await), [""; 0]);
    let made = world.sync().await;
    assert_eq!(made.planned.unwrap().plan.changes, []);
    // Now the first run stands as if nobody had taken it back: it can be once more.
    assert_eq!(refusal(&world, &report).await, "undo.already");
    world.clock.wait(25);
    let third = undo(&world, &run).await.made.unwrap().report;
    assert_eq!(third.outcome, Outcome::Ok, "{:?}", third.holds);
    world.end().await;
}

#[tokio::test]
async fn who_had_access_since_is_suspended_and_not_removed() {
    let rehearsal = rehearsal(60, 1);
    let staff = plain_staff(&rehearsal, 0);
    let (lets_in, waits) = (staff[0], staff[1]);
    let world = settled(&rehearsal, &[lets_in, waits]).await;
    world.turn_to(rehearsal.on_day(0));
    world.clock.wait(1);
    let run = world.sync_well().await;
    assert_eq!(run.counts.created, 2);
    let mut person = world.person(lets_in).await;
    person.access = Access::Active;
    assert_eq!(world.write(vec![person]).await.unwrap(), []);
    undo(&world, &run).await;
    assert!(!world.linked().await.contains_key(&waits));
    assert_eq!(world.person(lets_in).await.access, Access::Suspended);
    world.clock.wait(30);
    let made = world.sync().await;
    assert_eq!(made.planned.unwrap().plan.changes, []);
    assert_eq!(world.person(lets_in).await.access, Access::Suspended);
    world.end().await;
}

#[tokio::test]
async fn an_undo_is_braked_like_every_plan() {
    let rehearsal = rehearsal(60, 1);
    let joins: Vec<u64> = plain_staff(&rehearsal, 0)[..15].to_vec();
    let world = settled(&rehearsal, &joins).await;
    world.turn_to(rehearsal.on_day(0));
    world.clock.wait(1);
    let run = world.sync_well().await;
    assert_eq!(run.counts.created, 15, "{:?}", run.holds);
    let undone = undo(&world, &run).await;
    let made = undone.made.unwrap();
    assert_eq!(made.report.outcome, Outcome::Held);
    assert_eq!(made.report.holds[0].kind, "suspend_said");
    assert!(world.linked().await.contains_key(&joins[0]));
    // While it waits, a sync goes by.
    world.clock.wait(3);
    let quiet = world.sync().await;
    assert_eq!(quiet.planned.unwrap().plan.changes, []);
    let choice = muster_engine::applying::Choice {
        allow: [muster_model::HoldKind::SuspendSaid].into(),
        ..Default::default()
    };
    let plan = made.planned.unwrap().id.to_string();
    let report = world
        .engine
        .apply(&world.organisation, &plan, None, choice)
        .await
        .unwrap()
        .report;
    assert_eq!(
        (report.outcome, report.undoes),
        (Outcome::Ok, Some(run.run))
    );
    let linked = world.linked().await;
    assert!(joins.iter().all(|id| !linked.contains_key(id)));
    let made = world.sync().await;
    assert_eq!(made.planned.unwrap().plan.changes, []);
    world.end().await;
}

#[tokio::test]
async fn a_run_is_offered_for_thirty_days_and_only_what_it_did_is_taken_back() {
    let rehearsal = rehearsal(60, 1);
    let staff = plain_staff(&rehearsal, 0);
    let world = settled(&rehearsal, &[]).await;
    world.turn_to(changed(&rehearsal, &staff));
    // One run only plans, another applies what it planned.
    let planned = world.plan().await;
    let id = planned.planned.unwrap().id.to_string();
    world.clock.wait(1);
    let applied = world
        .engine
        .apply(
            &world.organisation,
            &id,
            None,
            muster_engine::applying::Choice::default(),
        )
        .await
        .unwrap()
        .report;
    assert_eq!(refusal(&world, &planned.report).await, "undo.nothing");
    assert_eq!(refusal(&world, &planned.report).await, "undo.nothing");
    let undone = undo(&world, &applied).await;
    assert_eq!(undone.undoing.plan.changes.len(), 3);
    let second = world
        .engine
        .undo(&world.organisation, "no-such-run", false, |_| {})
        .await;
    assert_eq!(second.unwrap_err().code(), "run.unknown");
    world.clock.wait(30 * 24 + 1);
    assert_eq!(refusal(&world, &applied).await, "undo.too_old");
    world.end().await;
}

/// Every message of a state.
async fn outbox(world: &World, state: OutboxState) -> Vec<StoredMessage> {
    let storage = world.engine.storage();
    let mut reader = storage.read(world.organisation.id).await.unwrap();
    reader.outbox(state, 100).await.unwrap()
}

/// As if the messages that wait had been sent.
async fn send_all(world: &World) {
    let waiting: Vec<_> = outbox(world, OutboxState::Waiting)
        .await
        .iter()
        .map(|message| message.id)
        .collect();
    let storage = world.engine.storage();
    let mut transaction = storage.begin(world.organisation.id).await.unwrap();
    transaction
        .mark_outbox(&waiting, OutboxState::Sent)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

fn ways(undone: &Undone) -> Vec<(String, Way)> {
    let outward = &undone.undoing.outward;
    outward
        .iter()
        .map(|one| (one.kind.clone(), one.way))
        .collect()
}

#[tokio::test]
async fn an_invitation_that_has_not_left_is_cancelled_and_one_that_has_is_answered() {
    let rehearsal = rehearsal(60, 1);
    let joins = plain_staff(&rehearsal, 0)[0];
    for left in [false, true] {
        let world = settled(&rehearsal, &[joins]).await;
        let mut connection = world.connection().await;
        connection.policy.new = muster_model::policy::NewReaction::CreateAndInvite;
        connection.policy.auto_invite = true;
        world.set_connection(&connection).await;
        world.turn_to(rehearsal.on_day(0));
        world.clock.wait(1);
        let run = world.sync_well().await;
        assert_eq!((run.counts.created, run.messages.invited), (1, 1));
        if left {
            send_all(&world).await;
        }
        let undone = undo(&world, &run).await;
        let invitation = "mail.invitation".to_owned();
        if left {
            assert_eq!(ways(&undone), [(invitation, Way::NewMessage)]);
            assert_eq!(world.person(joins).await.access, Access::NotInvited);
            let waiting = outbox(&world, OutboxState::Waiting).await;
            assert_eq!(waiting.len(), 1);
            assert_eq!(waiting[0].message.kind, "mail.invitation_withdrawn");
        } else {
            assert_eq!(ways(&undone), [(invitation, Way::Cancelled)]);
            assert!(!world.linked().await.contains_key(&joins));
            assert_eq!(outbox(&world, OutboxState::Waiting).await, []);
        }
        world.clock.wait(3);
        let made = world.sync().await;
        assert_eq!(made.planned.unwrap().plan.changes, [], "left: {left}");
        world.end().await;
    }
}

#[tokio::test]
async fn a_write_is_cancelled_reverted_or_told_to_stay() {
    let rehearsal = rehearsal(60, 1);
    let who = plain_staff(&rehearsal, 0)[0];
    for case in ["waits", "sent", "overwritten"] {
        let world = settled(&rehearsal, &[]).await;
        let mut connection = world.connection().await;
        connection.policy.flows.insert(Field::Phone, Flow::Both);
        world.set_connection(&connection).await;
        world.turn_to(with_new_phones(rehearsal.on_day(0), &[who]));
        world.sync_well().await;
        let mut person = world.person(who).await;
        person.fields.put(Field::Phone, Value::text("+4790000001"));
        assert_eq!(world.write(vec![person]).await.unwrap(), []);
        world.clock.wait(1);
        // To a source that cannot be read nothing is sent.
        let plan = world.plan().await.planned.unwrap().id.to_string();
        let fail = async || {
            let mut connection = world.connection().await;
            connection.state = muster_storage::ConnectionState::Failing;
            world.set_connection(&connection).await;
        };
        fail().await;
        let choice = muster_engine::applying::Choice::default();
        let applied = world.engine.apply(&world.organisation, &plan, None, choice);
        let run = applied.await.unwrap().report;
        assert_eq!(run.target.queued, 1, "{case}");
        if case != "waits" {
            send_all(&world).await;
        }
        if case == "overwritten" {
            let mut company = with_new_phones(rehearsal.on_day(0), &[who]);
            for employee in &mut company.employees {
                if employee.id == who {
                    employee.version += 5;
                    employee.phone.as_mut().unwrap().number = "45454545".to_owned();
                }
            }
            world.turn_to(company);
            world.plan().await;
            fail().await;
        }
        let undone = undo(&world, &run).await;
        let update = "source.update".to_owned();
        let queued: Vec<String> = outbox(&world, OutboxState::Waiting)
            .await
            .iter()
            .map(|message| {
                message.message.body["ours"]["phone"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        match case {
            "waits" => {
                assert_eq!(ways(&undone), [(update, Way::Cancelled)]);
                assert_eq!(queued, [""; 0]);
            }
            "sent" => {
                assert_eq!(ways(&undone), [(update, Way::CounterWrite)]);
                assert_eq!(queued, [format!("+474{:07}", who % 10_000_000)]);
            }
            _ => {
                assert_eq!(ways(&undone), [(update, Way::Never)]);
                assert_eq!(queued, [""; 0]);
            }
        }
        // Ours stays: the run did not set it.
        let phone = world.person(who).await;
        assert_eq!(phone.fields.text(Field::Phone), Some("+4790000001"));
        if case != "overwritten" {
            world.clock.wait(3);
            let made = world.sync().await;
            assert_eq!(made.planned.unwrap().plan.changes, [], "{case}");
        }
        world.end().await;
    }
}
