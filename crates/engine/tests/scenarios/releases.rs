//! What brakes hold is released and refused by people, on both databases.

use muster_engine::deciding::Line;
use muster_model::report::Outcome;
use muster_model::{Access, ExternalId, Field, HoldKind, Preset, Value};

use crate::decisions::{Seen, decide, world};
use crate::world::{DatabaseKind, plain_staff, rehearsal, with_leavers};

#[tokio::test]
async fn bey_33_held_rows_are_released_and_refused_one_by_one_and_by_kind() {
    for kind in DatabaseKind::all() {
        let rehearsal = rehearsal(60, 1);
        let world = world(kind, rehearsal.on_day(0), Preset::Provision).await;
        world.sync_well().await;
        world.let_everybody_in().await;
        world.clock.wait(25);
        world.sync_well().await;
        let leavers = &plain_staff(&rehearsal, 0)[..9];
        let company = with_leavers(rehearsal.on_day(2), leavers);
        world.turn_to(company.clone());
        assert_eq!(world.sync().await.report.counts.held, 9);

        let seen = Seen::of(&world).await;
        let lines = [
            seen.line(leavers[0], "release"),
            seen.line(leavers[1], "release"),
            seen.line(leavers[2], "refuse"),
        ];
        let report = decide(&world, &seen, &lines).await.made.report;
        assert_eq!(report.counts.suspended, 2, "{:?}", report.counts);
        assert_eq!(report.counts.held, 6, "{:?}", report.counts);
        assert_eq!((report.holds[0].rows, report.outcome), (6, Outcome::Held));
        for (record, expected) in [
            (leavers[0], Access::Suspended),
            (leavers[1], Access::Suspended),
            (leavers[2], Access::Active),
            (leavers[3], Access::Active),
        ] {
            assert_eq!(world.person(record).await.access, expected);
        }

        // The refused one is asked about no more; the others are, with the two that passed.
        let next = world.sync_well().await;
        assert_eq!(next.counts.held, 6, "{:?}", next.counts);
        assert_eq!(world.person(leavers[2]).await.access, Access::Active);
        // One is a mistake: the source takes it back, and its hold dissolves.
        let mended = with_leavers(
            rehearsal.on_day(2),
            &leavers
                .iter()
                .copied()
                .filter(|id| *id != leavers[3])
                .collect::<Vec<_>>(),
        );
        let mut mended = mended;
        for employee in &mut mended.employees {
            employee.version += 2;
        }
        world.turn_to(mended.clone());
        let seen = Seen::of(&world).await;
        let by_kind = Line {
            number: 2,
            held: HoldKind::SuspendSaid.word().to_owned(),
            decision: "release".to_owned(),
            ..Line::default()
        };
        let report = decide(&world, &seen, &[by_kind]).await.made.report;
        assert_eq!(
            (report.counts.suspended, report.counts.held),
            (5, 0),
            "{:?}",
            report.counts
        );
        assert_eq!(world.person(leavers[3]).await.access, Access::Active);

        // A whole kind was released as it stood: who comes later is held as ever.
        let later = &plain_staff(&rehearsal, 0)[9..15];
        let mut flood = with_leavers(mended, later);
        for employee in &mut flood.employees {
            employee.version += 1;
        }
        world.turn_to(flood.clone());
        let next = world.sync().await.report;
        assert_eq!(
            (next.counts.held, next.counts.suspended),
            (6, 0),
            "{:?}",
            next.counts
        );
        assert_eq!(world.person(leavers[2]).await.access, Access::Active);

        // The refused one gets another last day: that is something else.
        for employee in &mut flood.employees {
            if employee.id == leavers[2] {
                employee.version += 1;
                for engagement in &mut employee.engagements {
                    engagement.version += 1;
                    engagement.end_date = engagement.end_date.and_then(|day| day.yesterday().ok());
                }
            }
        }
        world.turn_to(flood);
        let seen = Seen::of(&world).await;
        let row = &seen.rows[seen.row(leavers[2])];
        assert!(
            row.effects
                .iter()
                .any(|planned| planned.held == Some(HoldKind::SuspendSaid))
        );
        world.end().await;
    }
}

#[tokio::test]
async fn a_release_that_was_not_used_dissolves_when_the_source_takes_it_back() {
    for kind in DatabaseKind::all() {
        let rehearsal = rehearsal(60, 1);
        let world = world(kind, rehearsal.on_day(0), Preset::Provision).await;
        world.sync_well().await;
        world.let_everybody_in().await;
        world.clock.wait(25);
        world.sync_well().await;
        let leavers = &plain_staff(&rehearsal, 0)[..8];
        world.turn_to(with_leavers(rehearsal.on_day(2), leavers));
        let seen = Seen::of(&world).await;
        // A hand is faster: the row is refused alone, and its release is kept.
        let mut person = world.person(leavers[0]).await;
        person.fields.put(Field::Language, Value::text("nb"));
        assert_eq!(world.write(vec![person]).await.unwrap(), []);
        let lines = [
            seen.line(leavers[0], "release"),
            seen.line(leavers[1], "release"),
        ];
        let report = decide(&world, &seen, &lines).await.made.report;
        assert_eq!((report.counts.suspended, report.counts.failed), (1, 1));
        let id = ExternalId::new(leavers[0].to_string());
        let decisions = || async {
            let connection = world.connection().await.id;
            let mut reader = world
                .engine
                .storage()
                .read(world.organisation.id)
                .await
                .unwrap();
            reader
                .decisions(connection, std::slice::from_ref(&id))
                .await
                .unwrap()
        };
        assert_eq!(decisions().await.len(), 1);

        // Everybody's last day is taken back; a day later all of it comes again.
        let mut back = rehearsal.on_day(2);
        for employee in &mut back.employees {
            employee.version += 3;
            for engagement in &mut employee.engagements {
                engagement.version += 3;
            }
        }
        world.turn_to(back.clone());
        let next = world.sync_well().await;
        assert_eq!(next.counts.held, 0, "{:?}", next.counts);
        assert_eq!(decisions().await, [], "taken back with what it was about");
        world.clock.wait(25);
        let mut again = with_leavers(back, leavers);
        again.as_of = rehearsal.on_day(4).as_of;
        for employee in &mut again.employees {
            employee.version += 1;
        }
        world.sandbox.set_company(again);
        let held = world.sync().await.report;
        assert_eq!(
            (held.counts.suspended, held.counts.held),
            (0, 8),
            "{:?}",
            held.counts
        );
        assert_eq!(world.person(leavers[0]).await.access, Access::Active);
        world.end().await;
    }
}

#[tokio::test]
async fn a_released_row_goes_through_at_the_next_plan_too() {
    let rehearsal = rehearsal(60, 1);
    let world = world(
        DatabaseKind::of_this_run(),
        rehearsal.on_day(0),
        Preset::Provision,
    )
    .await;
    world.sync_well().await;
    world.let_everybody_in().await;
    world.clock.wait(25);
    world.sync_well().await;
    let leavers = &plain_staff(&rehearsal, 0)[..8];
    world.turn_to(with_leavers(rehearsal.on_day(2), leavers));
    let seen = Seen::of(&world).await;
    let mut person = world.person(leavers[0]).await;
    person.fields.put(Field::Language, Value::text("nb"));
    assert_eq!(world.write(vec![person]).await.unwrap(), []);
    let report = decide(&world, &seen, &[seen.line(leavers[0], "release")])
        .await
        .made
        .report;
    assert_eq!(
        (report.counts.failed, report.counts.held),
        (1, 7),
        "{:?}",
        report.counts
    );
    let next = world.sync_well().await;
    assert_eq!(
        (next.counts.suspended, next.counts.held),
        (1, 7),
        "{:?}",
        next.counts
    );
    assert_eq!(world.person(leavers[0]).await.access, Access::Suspended);
    world.end().await;
}
