//! What people decided can be taken back: by a line of a file, and by taking back
//! the run that did it.

use muster_engine::deciding::Line;
use muster_engine::undoing::Undone;
use muster_model::plan::Effect;
use muster_model::{Access, Field, HoldKind, Preset, RunReport, Situation};
use muster_reconcile::undo::Way;

use crate::decisions::{
    Seen, decide, dial_here, dialled, firm, mirrored, phone, problems, try_to_decide, world,
};
use crate::world::{
    DatabaseKind, World, plain_staff, rehearsal, with_leavers, with_new_phones, without,
};

/// A line about what was decided before: without a row.
fn before(record: u64, field: &str, held: &str, decision: &str) -> Line {
    Line {
        number: record,
        external_id: record.to_string(),
        field: field.to_owned(),
        held: held.to_owned(),
        decision: decision.to_owned(),
        ..Line::default()
    }
}

/// Rows that wait for a person, as `doctor` counts them.
async fn waiting(world: &World) -> u64 {
    let storage = world.engine.storage();
    let mut reader = storage.read(world.organisation.id).await.unwrap();
    reader.condition().await.unwrap().held_rows
}

async fn undo(world: &World, run: &RunReport) -> Undone {
    world
        .engine
        .undo(&world.organisation, &run.run.to_string(), false, |_| {})
        .await
        .unwrap()
}

/// Is a person asked about the telephone number of a record?
fn asks(seen: &Seen, record: u64) -> bool {
    let id = muster_model::ExternalId::new(record.to_string());
    let conflict = |planned: &muster_model::plan::Planned| {
        matches!(
            planned.effect,
            Effect::Conflict {
                field: Field::Phone,
                ..
            }
        )
    };
    seen.rows
        .iter()
        .filter(|row| row.external_id.as_ref() == Some(&id))
        .any(|row| row.effects.iter().any(conflict))
}

/// Four people of whom both sides know another number.
async fn at_odds(kind: DatabaseKind) -> (World, Vec<u64>) {
    let (company, staff) = firm(&rehearsal(60, 1), 4);
    let world = mirrored(kind, &company, &staff).await;
    let mut both = company;
    for (place, record) in staff.iter().enumerate() {
        both = dialled(both, *record, &format!("4000000{place}"));
    }
    world.turn_to(both);
    for (place, record) in staff.iter().enumerate() {
        dial_here(&world, *record, &format!("+479000000{place}")).await;
    }
    (world, staff)
}

#[tokio::test]
async fn a_skip_is_taken_back_by_a_file_and_decided_otherwise() {
    for kind in DatabaseKind::all() {
        let (world, staff) = at_odds(kind).await;
        let seen = Seen::of(&world).await;
        let skips: Vec<Line> = staff.iter().map(|id| seen.line(*id, "skip")).collect();
        decide(&world, &seen, &skips).await;
        let seen = Seen::of(&world).await;
        assert!(staff.iter().all(|record| !asks(&seen, *record)));

        let decided = decide(
            &world,
            &seen,
            &[
                before(staff[0], "phone", "", "ask"),
                before(staff[1], "phone", "", "theirs"),
                before(staff[2], "phone", "", "ours"),
            ],
        )
        .await;
        assert_eq!((decided.taken, decided.later), (3, 3));
        let report = world.sync_well().await;
        assert_eq!(report.counts.conflicts, 1, "{:?}", report.counts);
        assert_eq!(waiting(&world).await, 1, "a conflict waits");
        let now = [
            phone(&world, staff[0]).await,
            phone(&world, staff[1]).await,
            phone(&world, staff[2]).await,
            phone(&world, staff[3]).await,
        ];
        assert_eq!(
            now.map(Option::unwrap),
            ["+4790000000", "+4740000001", "+4790000002", "+4790000003"]
        );
        assert_eq!(report.target.updated, 1, "ours went out");
        let seen = Seen::of(&world).await;
        assert!(asks(&seen, staff[0]) && !asks(&seen, staff[3]));

        // Words that say nothing, and then what nobody decided about.
        let empty = [
            before(staff[3], "shoe_size", "", "ask"),
            before(staff[3], "", "often", "ask"),
            before(staff[3], "", "", "skip"),
        ];
        let unknown = [
            before(staff[3], "job_title", "", "ask"),
            before(staff[3], "job_title", "", "theirs"),
            before(staff[3], "", "", "ask"),
            before(staff[3], "", "suspend_said", "ask"),
            // Fits, and is not taken with the others.
            before(staff[3], "phone", "", "ask"),
        ];
        let codes = |result| -> Vec<&str> {
            let mut codes: Vec<&str> = problems(result).into_iter().map(|(_, code)| code).collect();
            codes.sort_unstable();
            codes
        };
        assert_eq!(
            codes(try_to_decide(&world, &seen, &empty).await),
            ["decision.unfit", "decision.unfit", "hold.unknown"]
        );
        assert_eq!(
            codes(try_to_decide(&world, &seen, &unknown).await),
            ["decision.no_row"; 4]
        );
        let seen = Seen::of(&world).await;
        assert!(!asks(&seen, staff[3]), "a file is taken as a whole");
        world.end().await;
    }
}

#[tokio::test]
async fn who_was_left_and_what_was_refused_is_asked_about_again() {
    for kind in DatabaseKind::all() {
        let (company, staff) = firm(&rehearsal(60, 1), 3);
        let world = world(kind, company, Preset::Mirror).await;
        let seen = Seen::of(&world).await;
        let leave: Vec<Line> = staff.iter().map(|id| seen.line(*id, "leave")).collect();
        decide(&world, &seen, &leave).await;
        assert_eq!(world.sync_well().await.counts.conflicts, 0);
        let seen = Seen::of(&world).await;
        decide(&world, &seen, &[before(staff[0], "", "", "ask")]).await;
        let asked = world.sync_well().await;
        assert_eq!((asked.counts.conflicts, asked.counts.ignored), (1, 2));
        assert_eq!(waiting(&world).await, 1, "a question waits");
        let name = world.connection().await.name;
        let record = format!("{name}/{}", staff[0]);
        let explained = world
            .engine
            .explain(&world.organisation, &record, None, None)
            .await
            .unwrap();
        let release = &explained.records[0].why[0].release;
        assert!(release.contains("muster decide"), "{release}");
        world.end().await;
    }
}

#[tokio::test]
async fn the_values_that_were_decided_come_back_with_an_undo() {
    for kind in DatabaseKind::all() {
        let (world, staff) = at_odds(kind).await;
        let seen = Seen::of(&world).await;
        let lines = [
            seen.line(staff[0], "theirs"),
            seen.line(staff[1], "ours"),
            seen.line(staff[2], "skip"),
        ];
        let run = decide(&world, &seen, &lines).await.made.report;
        assert_eq!(phone(&world, staff[0]).await.unwrap(), "+4740000000");

        let undone = undo(&world, &run).await;
        assert!(undone.undoing.left.is_empty(), "{:?}", undone.undoing.left);
        let ways: Vec<Way> = undone.undoing.outward.iter().map(|one| one.way).collect();
        assert_eq!(ways, [Way::CounterWrite], "what went out is written back");
        let report = undone.made.unwrap().report;
        assert_eq!(report.undoes, Some(run.run));
        assert_eq!(report.counts.failed, 0, "{:?}", report.counts);
        assert_eq!(phone(&world, staff[0]).await.unwrap(), "+4790000000");
        assert_eq!(phone(&world, staff[1]).await.unwrap(), "+4790000001");

        // What was taken back stays so; what was skipped, and what nobody decided, is
        // asked about.
        for _ in 0..2 {
            let seen = Seen::of(&world).await;
            let asked: Vec<bool> = staff.iter().map(|record| asks(&seen, *record)).collect();
            assert_eq!(asked, [false, false, true, true]);
            world.sync_well().await;
        }
        assert_eq!(phone(&world, staff[0]).await.unwrap(), "+4790000000");
        // A file opens the question again.
        let seen = Seen::of(&world).await;
        decide(&world, &seen, &[before(staff[0], "phone", "", "ask")]).await;
        assert!(asks(&Seen::of(&world).await, staff[0]));
        world.end().await;
    }
}

#[tokio::test]
async fn who_was_made_and_who_was_left_comes_back_with_an_undo() {
    for kind in DatabaseKind::all() {
        let (company, staff) = firm(&rehearsal(60, 1), 7);
        let world = mirrored(kind, &company, &staff[..4]).await;
        let seen = Seen::of(&world).await;
        let lines = [seen.line(staff[4], "create"), seen.line(staff[5], "leave")];
        let run = decide(&world, &seen, &lines).await.made.report;
        assert_eq!(world.people().await.len(), 5);

        let undone = undo(&world, &run).await;
        assert!(undone.undoing.left.is_empty(), "{:?}", undone.undoing.left);
        assert_eq!(world.people().await.len(), 4);
        assert_eq!(world.linked().await.len(), 4);
        // Nobody is made again by a sync; who was left, and who was not decided about,
        // is asked about.
        let seen = Seen::of(&world).await;
        let new: Vec<&str> = seen
            .rows
            .iter()
            .filter(|row| row.situation == Situation::New)
            .filter_map(|row| Some(row.external_id.as_ref()?.as_str()))
            .collect();
        let mut expected = [staff[5].to_string(), staff[6].to_string()];
        expected.sort();
        assert_eq!(new, expected);
        world.sync_well().await;
        assert_eq!(world.people().await.len(), 4);
        world.end().await;
    }
}

#[tokio::test]
async fn who_was_linked_by_a_person_is_apart_again_with_an_undo() {
    for kind in DatabaseKind::all() {
        let (company, staff) = firm(&rehearsal(60, 1), 4);
        let twin = company
            .employees
            .iter()
            .find(|one| one.id == staff[0])
            .unwrap();
        let world = world(kind, company.clone(), Preset::Provision).await;
        let [one, _] = world.add_by_hand_twice(twin).await;
        let asked = world.sync_well().await;
        assert_eq!(asked.counts.ambiguous, 1, "{:?}", asked.counts);
        let before = world.directory().await;
        let seen = Seen::of(&world).await;
        let link = seen.line(staff[0], &format!("link:{one}"));
        let run = decide(&world, &seen, &[link]).await.made.report;
        assert_eq!(world.linked().await[&staff[0]], one);

        let undone = undo(&world, &run).await;
        assert!(undone.undoing.left.is_empty(), "{:?}", undone.undoing.left);
        assert_eq!(undone.made.unwrap().report.counts.failed, 0);
        assert_eq!(before.differences(&world.directory().await), [""; 0]);
        // Who took the link back is not asked the same again by the next sync.
        for _ in 0..2 {
            let report = world.sync_well().await;
            assert_eq!((report.counts.linked, report.counts.ignored), (0, 1));
            assert!(!world.linked().await.contains_key(&staff[0]));
        }
        // They can still say who it is.
        let by_hand = Line {
            number: 2,
            external_id: staff[0].to_string(),
            decision: format!("link:{one}"),
            ..Line::default()
        };
        let seen = Seen::of(&world).await;
        assert_eq!(decide(&world, &seen, &[by_hand]).await.later, 1);
        assert_eq!(world.sync_well().await.counts.linked, 1);
        assert_eq!(world.linked().await[&staff[0]], one);
        world.end().await;
    }
}

#[tokio::test]
async fn what_was_released_and_refused_comes_back_with_an_undo_and_each_run_takes_its_own() {
    for kind in DatabaseKind::all() {
        let rehearsal = rehearsal(60, 1);
        let world = world(kind, rehearsal.on_day(0), Preset::Provision).await;
        world.sync_well().await;
        world.let_everybody_in().await;
        world.clock.wait(25);
        world.sync_well().await;
        let leavers = &plain_staff(&rehearsal, 0)[..9];
        let old = phone(&world, leavers[0]).await;
        // The leaver's new number is taken at once, the leaving waits.
        let company = with_leavers(with_new_phones(rehearsal.on_day(0), &[leavers[0]]), leavers);
        world.turn_to(company);
        let synced = world.sync().await.report;
        assert_eq!(synced.counts.held, 9, "{:?}", synced.counts);
        let new = phone(&world, leavers[0]).await;
        assert_ne!(old, new);

        let seen = Seen::of(&world).await;
        let lines = [
            seen.line(leavers[0], "release"),
            seen.line(leavers[1], "release"),
            seen.line(leavers[2], "refuse"),
        ];
        let run = decide(&world, &seen, &lines).await.made.report;
        assert_eq!(run.counts.suspended, 2, "{:?}", run.counts);
        assert_eq!(world.person(leavers[0]).await.access, Access::Suspended);

        let undone = undo(&world, &run).await;
        assert!(undone.undoing.left.is_empty(), "{:?}", undone.undoing.left);
        for record in &leavers[..3] {
            assert_eq!(world.person(*record).await.access, Access::Active);
        }
        assert_eq!(phone(&world, leavers[0]).await, new, "that another run did");
        // The refused one is held again; the two that were taken back stay in.
        let seen = Seen::of(&world).await;
        let held = |record: u64| {
            let id = muster_model::ExternalId::new(record.to_string());
            seen.rows
                .iter()
                .filter(|row| row.external_id.as_ref() == Some(&id))
                .flat_map(|row| &row.effects)
                .any(|planned| planned.held == Some(HoldKind::SuspendSaid))
        };
        assert_eq!(
            [0, 1, 2, 3].map(|place| held(leavers[place])),
            [false, false, true, true]
        );
        // The sync's own part is its own to take back.
        undo(&world, &synced).await;
        assert_eq!(phone(&world, leavers[0]).await, old);
        world.end().await;
    }
}

#[tokio::test]
async fn who_was_taken_apart_by_hand_since_stays_with_an_undo() {
    for kind in DatabaseKind::all() {
        let (company, staff) = firm(&rehearsal(60, 1), 4);
        let world = world(
            kind,
            without(company.clone(), &staff[2..]),
            Preset::Provision,
        )
        .await;
        world.sync_well().await;
        world.turn_to(company);
        let run = world.sync_well().await;
        assert_eq!(run.counts.created, 2, "{:?}", run.counts);
        let apart = world.linked().await[&staff[2]];
        let name = world.connection().await.name;
        world
            .engine
            .unlink(&world.organisation, &apart.to_string(), &name)
            .await
            .unwrap();

        let undone = undo(&world, &run).await;
        let left: Vec<_> = undone
            .undoing
            .left
            .iter()
            .map(|left| (left.person, left.what.as_str(), left.code))
            .collect();
        assert_eq!(left, [(Some(apart), "link", "undo.changed_since")]);
        let people = world.people().await;
        assert_eq!(people.len(), 3, "the other one went");
        assert!(people.iter().any(|person| person.id == apart));
        world.end().await;
    }
}

#[tokio::test]
async fn no_counter_write_is_promised_once_the_source_moved_and_was_read() {
    for kind in DatabaseKind::all() {
        let (world, staff) = at_odds(kind).await;
        let seen = Seen::of(&world).await;
        let run = decide(&world, &seen, &[seen.line(staff[0], "ours")]).await;
        let run = run.made.report;
        assert_eq!(run.target.updated, 1, "{:?}", run.target);
        world.clock.wait(1);
        world.sync_well().await;
        // Somebody writes there since, and a sync takes it over.
        let (mut moved, _) = firm(&rehearsal(60, 1), 4);
        for (place, record) in staff.iter().enumerate() {
            moved = dialled(moved, *record, &format!("4000000{place}"));
        }
        for _ in 0..8 {
            moved = dialled(moved, staff[0], "45454545");
        }
        world.turn_to(moved);
        world.sync_well().await;
        assert_eq!(phone(&world, staff[0]).await.unwrap(), "+4745454545");

        let look = world
            .engine
            .undo(&world.organisation, &run.run.to_string(), true, |_| {})
            .await
            .unwrap()
            .undoing;
        let ways: Vec<Way> = look.outward.iter().map(|one| one.way).collect();
        assert_eq!(ways, [Way::Never]);
        let reason = look.outward[0].reason;
        assert_eq!(reason, Some("somebody wrote there since"));
        world.end().await;
    }
}

#[tokio::test]
async fn an_undo_that_takes_nothing_back_leaves_the_connection_as_it_was() {
    for kind in DatabaseKind::all() {
        let (company, staff) = firm(&rehearsal(60, 1), 2);
        let world = mirrored(kind, &company, &staff).await;
        let before = world.connection().await.state;
        // A plan that nobody applied changed nothing.
        let planned = world.plan().await.report;
        let refused = world
            .engine
            .undo(&world.organisation, &planned.run.to_string(), false, |_| {})
            .await;
        assert_eq!(refused.unwrap_err().code(), "undo.nothing");
        assert_eq!(world.connection().await.state, before);
        world.end().await;
    }
}
