//! Applying stored plans: what changed since, twice, a part, a release, all or
//! nothing, and the brakes over several runs.

use std::collections::BTreeSet;

use muster_engine::applying::Choice;
use muster_model::policy::ApplyMode;
use muster_model::report::Outcome;
use muster_model::{Access, Field, HoldKind, RunReport, Value};
use muster_sandbox::company::Rehearsal;

use crate::world::{
    DatabaseKind, Setting, World, plain_staff, rehearsal, with_leavers, with_new_phones, without,
};

/// A world in which everybody of a day is known and may enter.
async fn settled(rehearsal: &Rehearsal, day: i32) -> World {
    World::settled(Setting {
        page_size: 50,
        ..Setting::rehearsed(rehearsal, day)
    })
    .await
}

async fn apply(world: &World, plan: &str, choice: Choice) -> RunReport {
    world
        .engine
        .apply(&world.organisation, plan, None, choice)
        .await
        .unwrap()
        .report
}

fn allow(kind: HoldKind) -> Choice {
    Choice {
        allow: [kind].into(),
        ..Choice::default()
    }
}

async fn stored_plan(world: &World) -> String {
    world.plan().await.planned.unwrap().id.to_string()
}

async fn access(world: &World, record: u64) -> Access {
    world.person(record).await.access
}

async fn phone(world: &World, record: u64) -> Option<String> {
    let person = world.person(record).await;
    person.fields.text(Field::Phone).map(str::to_owned)
}

#[tokio::test]
async fn bey_19_what_changed_since_the_plan_is_refused_alone_and_planned_anew() {
    let rehearsal = rehearsal(60, 1);
    let staff = plain_staff(&rehearsal, 0);
    let [edited, changed, calm, left, joins, rival] = staff[..6] else {
        panic!("too few people");
    };
    let world = World::new(Setting {
        company: without(rehearsal.on_day(0), &[joins, rival]),
        ..Setting::rehearsed(&rehearsal, 0)
    })
    .await;
    world.sync_well().await;
    world.let_everybody_in().await;
    world.sync_well().await;

    let company = with_leavers(
        with_new_phones(rehearsal.on_day(0), &[edited, changed, calm]),
        &[left],
    );
    world.turn_to(company.clone());
    let plan = stored_plan(&world).await;
    // A hand, the source, and somebody who was made meanwhile.
    let mut person = world.person(edited).await;
    person
        .fields
        .put(Field::PersonalEmail, Value::text("a@home.example"));
    assert_eq!(world.write(vec![person]).await.unwrap(), []);
    let mut later = with_new_phones(company, &[changed]);
    for employee in &mut later.employees {
        if employee.id == changed {
            employee.phone.as_mut().unwrap().number = "41234567".to_owned();
        }
    }
    world.turn_to(later.clone());
    world.plan().await;
    let twin = later.employees.iter().find(|one| one.id == joins).unwrap();
    world.add_by_hand(&[twin]).await;

    let before = world.directory().await;
    let old_phone = phone(&world, changed).await;
    let report = apply(&world, &plan, Choice::default()).await;
    assert_eq!(report.counts.failed, 3, "{:?}", report.counts);
    assert_eq!(report.outcome, Outcome::Partial);
    assert_eq!(report.counts.created, 1);
    assert_eq!(report.counts.suspended, 1);
    assert_eq!(report.counts.updated, 1);
    assert_eq!(access(&world, left).await, Access::Suspended);
    assert_ne!(phone(&world, calm).await, None);
    assert_eq!(phone(&world, changed).await, old_phone);
    let linked = world.linked().await;
    assert!(linked.contains_key(&rival) && !linked.contains_key(&joins));
    let now = world.directory().await;
    let untouched = format!("{}/{edited}", crate::world::TRIPLETEX);
    assert_eq!(before.0[&untouched], now.0[&untouched]);

    // The next read finds the three as they are now.
    let next = world.sync_well().await;
    assert_eq!(next.counts.linked, 1, "{:?}", next.counts);
    assert_eq!(next.counts.updated, 2, "{:?}", next.counts);
    assert_eq!(phone(&world, changed).await.as_deref(), Some("+4741234567"));
    world.end().await;
}

#[tokio::test]
async fn bey_19_who_was_missing_and_is_back_is_not_suspended_by_the_old_plan() {
    let rehearsal = rehearsal(60, 1);
    let missing = &plain_staff(&rehearsal, 0)[..5];
    for database in DatabaseKind::all() {
        let world = World::settled(Setting {
            database,
            ..Setting::rehearsed(&rehearsal, 0)
        })
        .await;
        // A read without them, held or not, and they are back in the next.
        world.turn_to(without(rehearsal.on_day(0), missing));
        world.clock.wait(1);
        let made = world.plan().await;
        let plan = made.planned.unwrap().id.to_string();
        world.turn_to(rehearsal.on_day(0));
        world.clock.wait(1);
        world.sync_well().await;

        let report = apply(&world, &plan, allow(HoldKind::SuspendSilent)).await;
        assert_eq!(report.counts.failed, 5, "{:?}", report.counts);
        assert_eq!(report.counts.suspended, 0, "{:?}", report.counts);
        for record in missing {
            assert_eq!(access(&world, *record).await, Access::Active);
        }

        // Missing once more, and still when the plan is applied: then it is true.
        world.turn_to(without(rehearsal.on_day(0), missing));
        world.clock.wait(1);
        let plan = stored_plan(&world).await;
        world.plan().await;
        let report = apply(&world, &plan, allow(HoldKind::SuspendSilent)).await;
        assert_eq!(report.counts.failed, 0, "{:?}", report.counts);
        assert_eq!(report.counts.suspended, 5, "{:?}", report.counts);
        world.end().await;
    }
}

#[tokio::test]
async fn applying_a_plan_twice_does_nothing_the_second_time() {
    let rehearsal = rehearsal(60, 1);
    let world = settled(&rehearsal, 0).await;
    world.turn_to(rehearsal.on_day(30));
    let plan = stored_plan(&world).await;
    let first = apply(&world, &plan, Choice::default()).await;
    assert!(first.counts.created > 0 && first.counts.updated > 0);
    let before = world.directory().await;
    let second = apply(&world, &plan, Choice::default()).await;
    assert_eq!(before.differences(&world.directory().await), [""; 0]);
    let done = |report: &RunReport| {
        let counts = report.counts;
        counts.created + counts.updated + counts.suspended + counts.linked + counts.failed
    };
    assert_eq!(done(&second), 0, "{:?}", second.counts);
    assert_eq!(second.counts.total(), first.counts.total());
    world.end().await;
}

#[tokio::test]
async fn bey_33_a_held_kind_waits_for_its_release_and_everything_else_goes_on() {
    let rehearsal = rehearsal(60, 1);
    let world = settled(&rehearsal, 0).await;
    let staff = plain_staff(&rehearsal, 0);
    let leavers = &staff[..8];
    let moves = [leavers[0], staff[9]];
    let company = with_new_phones(rehearsal.on_day(2), &moves);
    world.turn_to(with_leavers(company, leavers));
    let old = phone(&world, leavers[0]).await;

    let made = world.sync().await;
    assert_eq!(made.report.outcome, Outcome::Held);
    assert_eq!(made.report.counts.held, 8);
    assert_eq!(made.report.counts.suspended, 0);
    let hold = &made.report.holds[0];
    assert_eq!((hold.kind.as_str(), hold.rows), ("suspend_said", 8));
    assert!(
        hold.reason
            .contains("8 in this run and 0 in the past 24 hours")
    );
    assert!(hold.next.contains("--allow suspend_said"));
    for leaver in leavers {
        assert_eq!(access(&world, *leaver).await, Access::Active);
    }
    // What is not held went on, also for somebody whose leaving is.
    assert_ne!(phone(&world, leavers[0]).await, old);

    let plan = made.planned.unwrap().id.to_string();
    let report = apply(&world, &plan, allow(HoldKind::SuspendSaid)).await;
    assert_eq!(report.counts.suspended, 8, "{:?}", report.counts);
    assert_eq!(report.counts.failed, 0);
    assert_eq!(report.outcome, Outcome::Ok);
    for leaver in leavers {
        assert_eq!(access(&world, *leaver).await, Access::Suspended);
    }
    let next = world.sync_well().await;
    assert_eq!((next.outcome, next.counts.held), (Outcome::Ok, 0));
    world.end().await;
}

#[tokio::test]
async fn a_released_row_is_refused_when_the_person_was_restored_or_changed_since() {
    let rehearsal = rehearsal(60, 1);
    let world = settled(&rehearsal, 0).await;
    let leavers = &plain_staff(&rehearsal, 0)[..8];
    world.turn_to(with_leavers(rehearsal.on_day(2), leavers));
    let plan = world.sync().await.planned.unwrap().id.to_string();
    // A hand was faster with one of them.
    let mut person = world.person(leavers[0]).await;
    person.access = Access::Ended;
    assert_eq!(world.write(vec![person]).await.unwrap(), []);
    let report = apply(&world, &plan, allow(HoldKind::SuspendSaid)).await;
    assert_eq!((report.counts.suspended, report.counts.failed), (7, 1));
    assert_eq!(access(&world, leavers[0]).await, Access::Ended);
    world.end().await;
}

#[test]
fn a_doubt_is_released_by_nobody() {
    for kind in ["doubt", "first_read", "unconfirmed", "everything"] {
        let error = Choice::allowing(&[kind.to_owned()]).unwrap_err();
        assert_eq!(error.code(), "hold.unknown");
        assert!(error.to_string().contains("suspend_said"), "{error}");
    }
    let kinds = Choice::allowing(&["suspend_said".to_owned(), "create".to_owned()]).unwrap();
    assert_eq!(kinds, [HoldKind::SuspendSaid, HoldKind::Create].into());
}

#[tokio::test]
async fn only_those_who_are_named_are_applied_and_the_others_wait() {
    let rehearsal = rehearsal(60, 1);
    let world = settled(&rehearsal, 0).await;
    let leavers = &plain_staff(&rehearsal, 0)[..2];
    world.turn_to(with_leavers(rehearsal.on_day(2), leavers));
    let plan = stored_plan(&world).await;
    let one = world.person(leavers[0]).await.id;
    let choice = Choice {
        only: Some(BTreeSet::from([one])),
        ..Choice::default()
    };
    let report = apply(&world, &plan, choice).await;
    assert_eq!(report.counts.suspended, 1);
    assert_eq!(access(&world, leavers[0]).await, Access::Suspended);
    assert_eq!(access(&world, leavers[1]).await, Access::Active);
    let report = apply(&world, &plan, Choice::default()).await;
    assert_eq!(report.counts.suspended, 1);
    assert_eq!(access(&world, leavers[1]).await, Access::Suspended);
    world.end().await;
}

#[tokio::test]
async fn what_is_released_for_one_stays_held_for_the_others() {
    let rehearsal = rehearsal(60, 1);
    let world = settled(&rehearsal, 0).await;
    let leavers = &plain_staff(&rehearsal, 0)[..9];
    world.turn_to(with_leavers(rehearsal.on_day(2), leavers));
    let plan = stored_plan(&world).await;
    let allow = BTreeSet::from([HoldKind::SuspendSaid]);
    let one = world.person(leavers[0]).await.id;
    let choice = Choice {
        allow: allow.clone(),
        only: Some(BTreeSet::from([one])),
        ..Choice::default()
    };
    let report = apply(&world, &plan, choice).await;
    assert_eq!((report.counts.suspended, report.counts.held), (1, 8));
    assert_eq!(report.outcome, Outcome::Held);
    let held: Vec<_> = report.holds.iter().map(|hold| hold.rows).collect();
    assert_eq!(held, [8]);
    // Once more without a release: they are held still, and nothing else is.
    let report = apply(&world, &plan, Choice::default()).await;
    assert_eq!((report.outcome, report.holds[0].rows), (Outcome::Held, 8));
    let choice = Choice {
        allow,
        ..Choice::default()
    };
    let report = apply(&world, &plan, choice).await;
    assert_eq!((report.counts.suspended, report.counts.held), (8, 0));
    let report = apply(&world, &plan, Choice::default()).await;
    assert_eq!((report.outcome, report.holds.len()), (Outcome::Ok, 0));
    world.end().await;
}

#[tokio::test]
async fn together_means_all_or_nothing() {
    let rehearsal = rehearsal(60, 1);
    let world = settled(&rehearsal, 0).await;
    let mut connection = world.connection().await;
    connection.policy.apply = ApplyMode::Together;
    world.set_connection(&connection).await;
    world.turn_to(rehearsal.on_day(30));
    let made = world.plan().await;
    let planned = made.planned.unwrap();
    let rows = planned.plan.changes.len() as u64;
    let touched = planned
        .plan
        .changes
        .iter()
        .find_map(|change| change.person)
        .unwrap();
    let mut people = world.people().await;
    people.retain(|person| person.id == touched);
    people[0].fields.put(Field::Language, Value::text("nb"));
    assert_eq!(world.write(people).await.unwrap(), []);

    let before = world.directory().await;
    let report = apply(&world, &planned.id.to_string(), Choice::default()).await;
    assert_eq!(before.differences(&world.directory().await), [""; 0]);
    assert_eq!(report.counts.failed, rows);
    assert_eq!(report.counts.created + report.counts.updated, 0);

    let plan = stored_plan(&world).await;
    let report = apply(&world, &plan, Choice::default()).await;
    assert_eq!(report.counts.failed, 0);
    assert!(report.counts.created > 0 && report.counts.updated > 0);
    world.end().await;
}

#[tokio::test]
async fn holds_are_computed_again_at_the_next_read() {
    let rehearsal = rehearsal(60, 1);
    let world = settled(&rehearsal, 0).await;
    let leavers = &plain_staff(&rehearsal, 0)[..8];
    world.turn_to(with_leavers(rehearsal.on_day(2), leavers));
    assert_eq!(world.sync().await.report.counts.held, 8);
    // Six of the last days were typed in by mistake.
    let mut company = with_leavers(rehearsal.on_day(2), &leavers[..2]);
    for employee in &mut company.employees {
        employee.version += 2;
    }
    world.turn_to(company);
    let next = world.sync_well().await;
    assert_eq!((next.counts.suspended, next.counts.held), (2, 0));
    assert_eq!(next.outcome, Outcome::Ok);
    assert_eq!(access(&world, leavers[7]).await, Access::Active);
    world.end().await;
}

#[tokio::test]
async fn bey_33_small_steps_within_a_day_add_up() {
    let rehearsal = rehearsal(105, 1);
    let world = settled(&rehearsal, 0).await;
    let linked = world.linked().await.len();
    assert!((90..110).contains(&linked), "{linked}");
    let staff = plain_staff(&rehearsal, 0);
    let (first, both) = (&staff[..8], &staff[..16]);

    world.turn_to(with_leavers(rehearsal.on_day(2), first));
    let report = world.sync_well().await;
    assert_eq!((report.counts.suspended, report.counts.held), (8, 0));

    world.turn_to(with_leavers(rehearsal.on_day(2), both));
    world.clock.wait(2);
    let report = world.sync_well().await;
    assert_eq!((report.counts.suspended, report.counts.held), (0, 8));
    assert!(
        report.holds[0]
            .reason
            .contains("8 in this run and 8 in the past 24 hours")
    );

    world.clock.wait(25);
    let report = world.sync_well().await;
    assert_eq!((report.counts.suspended, report.counts.held), (8, 0));
    world.end().await;
}

#[tokio::test]
async fn the_joiners_of_the_first_run_do_not_count_against_the_next() {
    let rehearsal = rehearsal(60, 1);
    let later = &plain_staff(&rehearsal, 0)[..15];
    let world = World::new(Setting {
        company: without(rehearsal.on_day(0), later),
        ..Setting::rehearsed(&rehearsal, 0)
    })
    .await;
    let first = world.sync_well().await;
    assert!(first.counts.created > 20);
    world.turn_to(rehearsal.on_day(0));
    world.clock.wait(3);
    let second = world.sync_well().await;
    assert_eq!((second.counts.created, second.counts.held), (15, 0));
    world.end().await;
}
