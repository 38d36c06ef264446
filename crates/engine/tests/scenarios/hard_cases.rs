//! The people who make matching hard.

use muster_model::report::Class;
use muster_model::{Access, EngagementStatus, Field, Value};
use muster_sandbox::company::{ChangeKind, Company, HardCaseKind, Rehearsal};

use crate::world::{
    DatabaseKind, Setting, TRIPLETEX, World, plain_staff, rehearsal, with_leavers, with_new_phones,
    without,
};

/// The records of a kind, and the day on which it shows.
fn case(rehearsal: &Rehearsal, kind: HardCaseKind) -> (Vec<u64>, i32) {
    let case = rehearsal
        .hard_cases()
        .into_iter()
        .find(|case| case.kind == kind)
        .unwrap();
    (case.employees, case.day)
}

/// A world in which everybody of a day is known and may enter, and then a later day.
async fn on_days(rehearsal: &Rehearsal, first: i32, second: i32) -> World {
    let world = World::new(Setting {
        page_size: 50,
        ..Setting::rehearsed(rehearsal, first)
    })
    .await;
    world.sync_well().await;
    world.let_everybody_in().await;
    world.turn_to(rehearsal.on_day(second));
    world
}

#[tokio::test]
async fn the_same_name_twice_stays_two_people() {
    let rehearsal = rehearsal(60, 1);
    let (twins, _) = case(&rehearsal, HardCaseKind::SameName);
    let world = on_days(&rehearsal, 0, 1).await;
    let (one, two) = (world.person(twins[0]).await, world.person(twins[1]).await);
    assert_ne!(one.id, two.id);
    for field in [Field::GivenName, Field::FamilyName] {
        assert_eq!(one.fields.text(field), two.fields.text(field));
    }
    world.end().await;
}

#[tokio::test]
async fn bey_1_a_changed_surname_and_address_are_the_same_person() {
    let rehearsal = rehearsal(60, 1);
    for kind in [
        HardCaseKind::SurnameChanged,
        HardCaseKind::SurnameAndAddressChanged,
    ] {
        let (who, day) = case(&rehearsal, kind);
        let world = on_days(&rehearsal, day - 1, day).await;
        let before = world.person(who[0]).await;
        let people = world.people().await.len();
        let report = world.sync_well().await;
        let after = world.person(who[0]).await;
        assert_eq!(after.id, before.id);
        assert_eq!(after.access, Access::Active);
        let changed = |field| before.fields.text(field) != after.fields.text(field);
        assert!(changed(Field::FamilyName));
        assert_eq!(
            changed(Field::WorkEmail),
            kind == HardCaseKind::SurnameAndAddressChanged
        );
        let made = usize::try_from(report.counts.created).unwrap();
        assert_eq!(world.people().await.len(), people + made);
        world.end().await;
    }
}

#[tokio::test]
async fn a_recycled_address_never_makes_two_humans_one() {
    let rehearsal = rehearsal(60, 1);
    for kind in [
        HardCaseKind::RecycledEmail,
        HardCaseKind::RecycledEmailStillListed,
    ] {
        let (who, day) = case(&rehearsal, kind);
        let (left, joins) = (who[0], who[1]);
        let world = on_days(&rehearsal, 0, day).await;
        let before = world.person(left).await;
        let made = world.sync().await;
        let rows = &made.planned.as_ref().unwrap().plan.changes;
        let row = rows
            .iter()
            .find(|row| row.external_id.as_ref().unwrap().as_str() == joins.to_string())
            .unwrap();
        assert_eq!(row.class(), Some(Class::Ambiguous), "{kind:?}");
        assert!(
            row.reasons
                .iter()
                .any(|reason| reason.code.starts_with("match."))
        );
        assert!(!world.linked().await.contains_key(&joins));
        let after = world.person(left).await;
        for field in [Field::GivenName, Field::FamilyName, Field::DateOfBirth] {
            assert_eq!(before.fields.value(field), after.fields.value(field));
        }
        assert_eq!(after.access, Access::Suspended);
        world.end().await;
    }
}

#[tokio::test]
async fn a_contractor_who_is_employed_keeps_access_all_the_way() {
    let rehearsal = rehearsal(60, 1);
    let (who, day) = case(&rehearsal, HardCaseKind::ContractorBecomesEmployee);
    let world = on_days(&rehearsal, day - 1, day).await;
    for later in 0..20 {
        world.turn_to(rehearsal.on_day(day + later));
        world.sync_well().await;
        let person = world.person(who[0]).await;
        let standing = (person.access, person.employment);
        let kept = (Access::Active, EngagementStatus::Active);
        assert_eq!(standing, kept, "{later} days later");
    }
    let person = world.person(who[0]).await;
    let today = world.clock.today();
    let engagements: Vec<_> = person.engagements.values().flatten().collect();
    assert_eq!(engagements.len(), 2);
    assert_eq!(engagements[0].status_on(today), EngagementStatus::Ended);
    world.end().await;
}

#[tokio::test]
async fn whoever_comes_back_under_the_same_id_gets_back_what_was_taken() {
    let rehearsal = rehearsal(60, 1);
    let (who, day) = case(&rehearsal, HardCaseKind::LeftAndReturned);
    let left = rehearsal
        .changes()
        .into_iter()
        .find(|change| change.employee == who[0] && change.kind == ChangeKind::Left)
        .unwrap();
    let world = on_days(&rehearsal, left.day - 1, left.day).await;
    let before = world.person(who[0]).await;
    world.sync_well().await;
    assert_eq!(world.person(who[0]).await.access, Access::Suspended);
    world.turn_to(rehearsal.on_day(day));
    world.clock.wait(1);
    let made = world.sync().await;
    let back = world.person(who[0]).await;
    assert_eq!((back.id, back.access), (before.id, Access::Active));
    assert_eq!(back.employment, EngagementStatus::Active);
    assert!(made.report.counts.restored >= 1);
    world.end().await;
}

/// The company in which somebody who left comes back as another record.
fn with_new_record(mut company: Company, left: u64) -> (Company, u64) {
    let new = company.employees.iter().map(|one| one.id).max().unwrap() + 1;
    let mut back = company
        .employees
        .iter()
        .find(|one| one.id == left)
        .unwrap()
        .clone();
    back.id = new;
    back.version = 1;
    back.employee_number = Some("990001".to_owned());
    back.work_email = Some("back.again@firm.example".to_owned());
    for engagement in &mut back.engagements {
        engagement.id += 500_000_000;
        engagement.start_date = company.as_of;
        engagement.end_date = None;
        engagement.end_reason = None;
        engagement.periods.truncate(1);
        for period in &mut engagement.periods {
            period.id += 500_000_000;
            period.from = company.as_of;
        }
    }
    company.employees.push(back);
    (company, new)
}

#[tokio::test]
async fn whoever_comes_back_as_another_record_with_the_same_national_id_is_the_same_person() {
    let rehearsal = rehearsal(60, 1);
    let left = *plain_staff(&rehearsal, 0)
        .iter()
        .find(|id| {
            let company = rehearsal.on_day(0);
            let employee = company.employees.iter().find(|one| one.id == **id).unwrap();
            employee.national_id.is_some()
        })
        .unwrap();
    let world = on_days(&rehearsal, 0, 0).await;
    world.turn_to(with_leavers(rehearsal.on_day(5), &[left]));
    world.sync_well().await;
    let suspended = world.person(left).await;
    assert_eq!(suspended.access, Access::Suspended);

    let old = with_leavers(rehearsal.on_day(5), &[left]);
    let mut today = rehearsal.on_day(9);
    for employee in &mut today.employees {
        if employee.id == left {
            let old = old.employees.iter().find(|one| one.id == left);
            employee.clone_from(old.unwrap());
        }
    }
    let (company, new) = with_new_record(today, left);
    world.turn_to(company.clone());
    let made = world.sync().await;
    let report = made.report;
    let back = world.person(new).await;
    assert_eq!(back.id, suspended.id, "{:?}", report.counts);
    assert_eq!(
        (back.access, back.employment),
        (Access::Active, EngagementStatus::Active)
    );
    // The old record goes on saying that its own employment is over; it speaks for
    // itself alone, also when it changes, and when it is gone.
    world.turn_to(with_new_phones(company.clone(), &[left]));
    world.sync_well().await;
    assert_eq!(world.person(new).await.access, Access::Active);
    world.turn_to(without(company, &[left]));
    for _ in 0..3 {
        world.clock.wait(4);
        world.sync_well().await;
        let person = world.person(new).await;
        assert_eq!(
            (person.access, person.employment),
            (Access::Active, EngagementStatus::Active)
        );
    }
    world.end().await;
}

#[tokio::test]
async fn ple_36_whoever_manages_themselves_or_each_other_is_listed_and_changes_nothing() {
    let rehearsal = rehearsal(60, 1);
    let (own, _) = case(&rehearsal, HardCaseKind::SelfManager);
    let (ring, _) = case(&rehearsal, HardCaseKind::ManagerCycle);
    let world = World::new(Setting::rehearsed(&rehearsal, 0)).await;
    let made = world.sync().await;
    let listed: Vec<u64> = made
        .planned
        .unwrap()
        .plan
        .managers
        .iter()
        .map(|problem| problem.external_id.as_str().parse().unwrap())
        .collect();
    assert_eq!(listed, ring);
    let directory = world.directory().await;
    for who in own.iter().chain(&ring) {
        assert_eq!(
            directory.cell(&format!("{TRIPLETEX}/{who}"), "manager"),
            None
        );
    }
    // Their reports have them all the same.
    let reports = |who: u64| {
        let manager = format!("{TRIPLETEX}/{who}");
        let names = move |cells: &&std::collections::BTreeMap<String, String>| {
            cells.get("manager") == Some(&manager)
        };
        directory.0.values().filter(names).count()
    };
    assert!(own.iter().chain(&ring).all(|who| reports(*who) > 0));
    world.end().await;
}

#[tokio::test]
async fn an_address_that_changed_hands_waits_400_days() {
    let rehearsal = rehearsal(20, 1);
    let company = rehearsal.on_day(0);
    let staff = plain_staff(&rehearsal, 0);
    let known = |id: u64| company.employees.iter().find(|one| one.id == id).unwrap();
    let (who, before) = (known(staff[0]), known(staff[1]));
    for (days, linked) in [(399, false), (401, true)] {
        let world = World::new(Setting::rehearsed(&rehearsal, 0)).await;
        // The address was somebody else's, who gave it up.
        let ids = world.add_by_hand(&[before]).await;
        let mut holder = world.people().await.remove(0);
        assert_eq!(holder.id, ids[0]);
        let address = who.work_email.clone().unwrap();
        holder.fields.put(Field::WorkEmail, Value::text(address));
        assert!(world.write(vec![holder]).await.unwrap().is_empty());
        let mut holder = world.people().await.remove(0);
        holder
            .fields
            .put(Field::WorkEmail, Value::text("gone@nordlys.example"));
        assert!(world.write(vec![holder]).await.unwrap().is_empty());
        world.clock.wait(days * 24);
        let ids = world.add_by_hand(&[who]).await;

        let made = world.sync().await;
        let found = world.linked().await.get(&who.id).copied();
        assert_eq!(found, linked.then_some(ids[0]), "after {days} days");
        assert_eq!(made.report.counts.ambiguous, u64::from(!linked));
        world.end().await;
    }
}

#[tokio::test]
async fn a_row_done_in_part_is_put_right_when_the_source_says_again_what_it_said_before() {
    let rehearsal = rehearsal(60, 1);
    // A source that says nothing of a telephone empties none.
    let company = rehearsal.on_day(0);
    let called = |id: &u64| {
        let mut employees = company.employees.iter();
        employees.any(|one| one.id == *id && one.phone.is_some())
    };
    let staff: Vec<u64> = plain_staff(&rehearsal, 0)
        .into_iter()
        .filter(called)
        .take(9)
        .collect();
    for database in DatabaseKind::all() {
        let world = World::settled(Setting {
            database,
            ..Setting::rehearsed(&rehearsal, 0)
        })
        .await;
        let before = world.directory().await;

        // New addresses for so many are held; the rest of their rows is done.
        let mut wrong = with_leavers(with_new_phones(rehearsal.on_day(0), &staff), &staff[..1]);
        for employee in &mut wrong.employees {
            if staff.contains(&employee.id) {
                employee.work_email = Some(format!("other.{}@fjordlys.example", employee.id));
            }
        }
        world.turn_to(wrong);
        world.clock.wait(1);
        let report = world.sync().await.report;
        assert!(report.counts.held >= 9, "{:?}", report.counts);
        assert_ne!(world.directory().await.differences(&before), [""; 0]);

        let mut right = rehearsal.on_day(0);
        for employee in &mut right.employees {
            employee.version += 9;
        }
        world.turn_to(right);
        for _ in 0..2 {
            world.clock.wait(25);
            world.sync().await;
        }
        let now = world.directory().await;
        let differences = now.differences(&before);
        assert!(differences.is_empty(), "{differences:?}");
        world.end().await;
    }
}
