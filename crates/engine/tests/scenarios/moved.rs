//! A connection that is moved from one company to another: the pinned account
//! decides, whatever the ids of the records say.

use muster_model::report::Outcome;
use muster_sandbox::company::Company;

use crate::world::{Setting, TRIPLETEX, World, rehearsal, simulator};

const OTHER: &str = "other";

/// Another company whose employees carry the ids of ours.
fn with_ids_of(mut other: Company, ours: &Company) -> Company {
    let ids: Vec<u64> = ours.employees.iter().map(|one| one.id).collect();
    let renamed: std::collections::BTreeMap<u64, u64> = other
        .employees
        .iter()
        .zip(ids)
        .map(|(theirs, ours)| (theirs.id, ours))
        .collect();
    let new = |id: &mut u64| {
        if let Some(renamed) = renamed.get(id) {
            *id = *renamed;
        }
    };
    for employee in &mut other.employees {
        new(&mut employee.id);
        if let Some(manager) = &mut employee.manager {
            new(manager);
        }
    }
    for department in &mut other.departments {
        if let Some(manager) = &mut department.manager {
            new(manager);
        }
    }
    other
}

#[tokio::test]
async fn a_source_that_turns_into_another_company_and_back_changes_nobody() {
    let ours = rehearsal(40, 1);
    let world = World::new(Setting::rehearsed(&ours, 0)).await;
    world.sync_well().await;
    world.let_everybody_in().await;
    let before = world.directory().await;
    let read_at = world.connection().await.last_read_at;
    let company = ours.on_day(0);

    let mut other = with_ids_of(ours.other_company(), &company);
    other.as_of = company.as_of;
    world.turn_to(other);
    world.clock.wait(24);
    let report = world.sync().await.report;
    assert_eq!(report.outcome, Outcome::Failed);
    assert_eq!(report.error.unwrap().code, "trust.other_account");
    assert_eq!(report.people.read, 0, "nothing of another company is kept");
    assert_eq!(world.connection().await.state.word(), "failing");
    assert_eq!(world.connection().await.last_read_at, read_at);
    assert_eq!(before.differences(&world.directory().await), [""; 0]);

    world.turn_to(company);
    world.clock.wait(48);
    let report = world.sync_well().await;
    assert_eq!(report.outcome, Outcome::Ok);
    assert_eq!(report.counts.updated + report.counts.created, 0);
    assert_eq!(world.connection().await.state.word(), "active");
    assert_eq!(before.differences(&world.directory().await), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn two_companies_with_the_same_record_ids_stay_apart_in_either_order() {
    let ours = rehearsal(40, 1);
    for first in [TRIPLETEX, OTHER] {
        let setting = Setting::rehearsed(&ours, 0);
        let company = with_ids_of(ours.other_company(), &setting.company);
        let world = World::unconnected(setting.clone()).await;
        let stranger = simulator(&world.clock, Setting { company, ..setting }).await;
        world.connect(world.wish()).await;
        world.connect(world.wish_for(&stranger, OTHER)).await;
        let second = if first == OTHER { TRIPLETEX } else { OTHER };
        assert_eq!(world.sync_named(first).await.report.error, None);
        let before = world.directory().await;
        world.clock.wait(1);
        let made = world.sync_named(second).await.report;
        assert_eq!(made.error, None);
        assert_eq!(made.counts.linked, 0, "nobody is two people at once");
        assert_eq!(made.counts.updated, 0);
        assert!(made.counts.created > 20, "{}", made.counts.created);
        let after = world.directory().await;
        for (name, cells) in &before.0 {
            assert_eq!(after.0.get(name), Some(cells), "{name}");
        }
        stranger.stop().await;
        world.end().await;
    }
}
