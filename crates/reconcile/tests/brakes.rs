//! The brakes on rows alone: what counts, what is held, and what a person opens.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where its made-up house is wrong"
)]

use std::collections::{BTreeMap, BTreeSet};

use muster_model::plan::{Change, Effect, HoldKind, Planned, Precondition};
use muster_model::policy::{BrakeKind, Brakes};
use muster_model::{Access, Fields, PersonId, Reaction, Situation};
use muster_reconcile::brakes::{self, Day};

fn person(number: u64) -> PersonId {
    PersonId::from_uuid(muster_model::id::uuid_v7(number, [0; 10]))
}

fn row(number: u64, reaction: Reaction, planned: Planned) -> Change {
    Change {
        external_id: Some(format!("{number:04}").as_str().into()),
        person: Some(person(number)),
        situation: Situation::Linked,
        reaction,
        effects: vec![planned],
        reasons: Vec::new(),
        precondition: Precondition::default(),
        due_on: None,
        settles: true,
    }
}

fn leaver(number: u64, brake: BrakeKind) -> Change {
    let effect = Effect::Access {
        from: Access::Active,
        to: Access::Suspended,
    };
    row(number, Reaction::Suspend, Planned::braked(effect, brake))
}

fn joiner(number: u64) -> Change {
    let effect = Effect::Create {
        fields: Fields::new(),
        access: Access::NotInvited,
    };
    row(
        number,
        Reaction::Create,
        Planned::braked(effect, BrakeKind::Create),
    )
}

/// What is held of these rows in a firm of so many, after so many today.
fn holds(changes: &mut [Change], linked: u64, today: &[(BrakeKind, u64)]) -> Vec<(HoldKind, u64)> {
    let let_through: BTreeMap<BrakeKind, u64> = today.iter().copied().collect();
    let day = Day {
        brakes: &Brakes::default(),
        linked,
        first_sync: false,
        let_through: &let_through,
        administrators: 9,
        administrators_leaving: &BTreeSet::new(),
    };
    brakes::apply(&day, changes)
        .into_iter()
        .map(|hold| (hold.kind, hold.rows))
        .collect()
}

fn leavers(number: u64, brake: BrakeKind) -> Vec<Change> {
    (0..number).map(|one| leaver(one, brake)).collect()
}

#[test]
fn bey_33_what_was_let_through_today_counts_too() {
    let silent = BrakeKind::SuspendSilent;
    // 8 in the morning and 2 in the afternoon are 10, the limit of 200 people.
    assert!(holds(&mut leavers(2, silent), 200, &[(silent, 8)]).is_empty());
    let held = holds(&mut leavers(4, silent), 200, &[(silent, 8)]);
    assert_eq!(held, [(HoldKind::SuspendSilent, 4)]);
    // Another kind's morning is another kind's.
    let said = [(BrakeKind::SuspendSaid, 99)];
    assert!(holds(&mut leavers(4, silent), 200, &said).is_empty());
}

#[test]
fn a_kind_is_held_whole_and_everything_else_goes_on() {
    let mut changes = leavers(22, BrakeKind::SuspendSaid);
    changes.extend((100..104).map(joiner));
    changes.push(leaver(200, BrakeKind::SuspendSilent));
    let held = holds(&mut changes, 200, &[]);
    assert_eq!(held, [(HoldKind::SuspendSaid, 22)]);
    for change in &changes {
        let said = change.effects[0].brake == Some(BrakeKind::SuspendSaid);
        assert_eq!(change.effects[0].held.is_some(), said);
        assert_eq!(change.settles, !said, "a held row never rests");
    }
}

#[test]
fn joiners_are_counted_from_the_second_run_on() {
    let mut first: Vec<Change> = (0..500).map(joiner).collect();
    assert!(holds(&mut first, 0, &[]).is_empty());
    let mut later: Vec<Change> = (0..41).map(joiner).collect();
    assert_eq!(holds(&mut later, 200, &[]), [(HoldKind::Create, 41)]);
}

#[test]
fn every_kind_holds_one_more_than_its_limit() {
    let brakes = Brakes::default();
    for kind in BrakeKind::ALL.iter().copied() {
        for linked in [10, 1_000] {
            let limit = brakes.of(kind).limit(linked);
            let rows = |number: u64| -> Vec<Change> {
                (0..number)
                    .map(|one| row(one, Reaction::Update, Planned::braked(Effect::Link, kind)))
                    .collect()
            };
            assert!(holds(&mut rows(limit), linked, &[]).is_empty(), "{kind}");
            let held = holds(&mut rows(limit + 1), linked, &[]);
            assert_eq!(held, [(kind.into(), limit + 1)], "{kind}, {linked} people");
        }
    }
}

#[test]
fn bey_35_the_last_administrators_are_held_alone() {
    let mut changes = leavers(3, BrakeKind::SuspendSaid);
    let day = |leaving: &BTreeSet<PersonId>, changes: &mut [Change]| {
        brakes::apply(
            &Day {
                brakes: &Brakes::default(),
                linked: 20,
                first_sync: false,
                let_through: &BTreeMap::new(),
                administrators: 2,
                administrators_leaving: leaving,
            },
            changes,
        )
    };
    assert!(day(&[person(0)].into(), &mut changes).is_empty());
    let held = day(&[person(0), person(1)].into(), &mut changes);
    assert_eq!(held.len(), 1);
    assert_eq!(
        (held[0].kind, held[0].rows),
        (HoldKind::LastAdministrator, 2)
    );
    let kinds: Vec<_> = changes
        .iter()
        .map(|change| change.effects[0].held)
        .collect();
    let last = Some(HoldKind::LastAdministrator);
    assert_eq!(kinds, [last, last, None]);
}

#[test]
fn a_person_opens_a_brake_and_nobody_opens_a_doubt() {
    for kind in HoldKind::ALL.iter().copied() {
        let mut change = leaver(1, BrakeKind::SuspendSaid);
        change.effects[0].held = Some(kind);
        change.settles = false;
        brakes::release(&mut change, kind);
        assert_eq!(
            change.effects[0].held.is_none(),
            kind.can_be_released(),
            "{kind}"
        );
        assert!(!change.settles, "it is looked at once more");
    }
    let mut change = leaver(1, BrakeKind::SuspendSaid);
    change.effects[0].held = Some(HoldKind::SuspendSaid);
    brakes::release(&mut change, HoldKind::Create);
    assert!(
        change.effects[0].held.is_some(),
        "only the kind that was released"
    );
}

/// A first sync that was killed goes on: its joiners are still those of the first.
#[test]
fn joiners_are_not_braked_until_a_sync_came_to_its_end() {
    let brakes = Brakes::default();
    let (nobody, nothing) = (BTreeSet::new(), BTreeMap::new());
    for (first_sync, held) in [(true, 0), (false, 1)] {
        let mut changes: Vec<Change> = (0..100).map(joiner).collect();
        let day = Day {
            brakes: &brakes,
            linked: 50,
            first_sync,
            let_through: &nothing,
            administrators: 9,
            administrators_leaving: &nobody,
        };
        assert_eq!(brakes::apply(&day, &mut changes).len(), held);
    }
}
