//! Why somebody is as they are: ten answers, word for word. Ids of runs, people
//! and versions are not compared: they are another in every database.

use muster_model::{Access, Field, Preset, Value};
use muster_sandbox::Fault;
use muster_sandbox::company::{Company, Employee};

use crate::decisions::{self, Seen, decide, dial_here, dialled, firm};
use crate::world::{
    DatabaseKind, Setting, TRIPLETEX, World, plain_staff, rehearsal, with_leavers, with_new_phones,
    without,
};

/// The answer as text, without what differs from one database to another.
async fn answer(world: &World, person: &str, field: Option<&str>) -> String {
    let explanation = world
        .engine
        .explain(&world.organisation, person, field, None)
        .await
        .unwrap();
    masked(&serde_json::to_string_pretty(&explanation).unwrap())
}

/// Ids become `<id>`, hashes of settings `<hash>`; a sealed value shows nothing anyhow.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut word = String::new();
    for character in text.chars().chain(['\n']) {
        if character.is_ascii_hexdigit() || character == '-' {
            word.push(character);
            continue;
        }
        let is_id = word.len() == 36 && word.matches('-').count() == 4;
        let is_hash = word.len() == 16 && !word.contains('-');
        masked.push_str(if is_id {
            "<id>"
        } else if is_hash {
            "<hash>"
        } else {
            &word
        });
        word.clear();
        masked.push(character);
    }
    masked.trim_end().to_owned()
}

fn employee(company: &mut Company, id: u64) -> &mut Employee {
    let employee = company.employees.iter_mut().find(|one| one.id == id);
    let employee = employee.unwrap();
    employee.version += 1;
    employee
}

fn address(company: &Company, id: u64) -> String {
    let employee = company.employees.iter().find(|one| one.id == id);
    employee.unwrap().work_email.clone().unwrap()
}

/// A world of a kind of database in which everybody but some is known and may enter.
async fn settled(kind: DatabaseKind, strangers: &[u64]) -> World {
    let rehearsal = rehearsal(60, 1);
    World::settled(Setting {
        database: kind,
        page_size: 50,
        company: without(rehearsal.on_day(0), strangers),
        ..Setting::rehearsed(&rehearsal, 0)
    })
    .await
}

#[tokio::test]
async fn ten_answers_of_one_connection_are_the_same_on_both_engines() {
    for kind in DatabaseKind::all() {
        let rehearsal = rehearsal(60, 1);
        let staff = plain_staff(&rehearsal, 0);
        let [
            moved,
            bad,
            declined,
            gone,
            no_key,
            twin,
            other,
            contradicted,
            ..,
        ] = staff[..]
        else {
            panic!("too few people");
        };
        let leavers = &staff[9..17];
        let strangers = [no_key, twin, other, contradicted];
        let world = settled(kind, &strangers).await;
        let first = with_new_phones(without(rehearsal.on_day(0), &strangers), &[declined]);
        let address_of = |id| address(&rehearsal.on_day(0), id);

        // Somebody is taken back, and somebody is missing.
        world.turn_to(first.clone());
        world.clock.wait(24 * 2);
        let run = world.sync_well().await.run.to_string();
        let undone = world.engine.undo(&world.organisation, &run, false, |_| {});
        undone.await.unwrap();
        let mut today = rehearsal.on_day(0);
        let declined_phone = first.employees.iter().find(|one| one.id == declined);
        *employee(&mut today, declined) = declined_phone.unwrap().clone();
        let mut today = without(with_new_phones(today, &[moved]), &[gone]);
        employee(&mut today, bad).phone = Some(muster_sandbox::company::Phone {
            country: Some("NO".to_owned()),
            number: "12".to_owned(),
        });
        employee(&mut today, no_key).work_email = None;
        let shared = address_of(twin);
        employee(&mut today, other).work_email = Some(shared.clone());
        // Somebody else has the address of the fourth stranger.
        let mut known = employee(&mut today, contradicted).clone();
        known.given_name = "Zacharias".to_owned();
        known.family_name = "Quisling-Berg".to_owned();
        world.add_by_hand(&[&known]).await;
        world.turn_to(with_leavers(today, leavers));
        world.clock.wait(24 * 3);
        for _ in 0..2 {
            world.sync().await;
            world.clock.wait(4);
        }

        let number = rehearsal
            .on_day(0)
            .employees
            .iter()
            .find(|one| one.id == no_key)
            .and_then(|one| one.employee_number.clone());
        let without_key = match number {
            Some(number) => number,
            None => format!("{TRIPLETEX}/{no_key}"),
        };
        let cases = [
            ("linked_and_updated", address_of(moved), Some("phone")),
            ("bad_value", address_of(bad), Some("phone")),
            ("declined_after_undo", address_of(declined), Some("phone")),
            ("not_in_the_source", address_of(gone), Some("work_email")),
            ("out_of_scope", without_key, Some("work_email")),
            ("ambiguous", shared, Some("work_email")),
            (
                "contradicted_key",
                format!("{TRIPLETEX}/{contradicted}"),
                Some("work_email"),
            ),
            ("held_by_a_brake", address_of(leavers[0]), Some("end_date")),
        ];
        for (name, person, field) in cases {
            insta::assert_snapshot!(name, answer(&world, &person, field).await);
        }
        // As an earlier run found it: it had nothing to do with this one.
        let earlier = world
            .engine
            .explain(
                &world.organisation,
                &address_of(moved),
                Some("phone"),
                Some(&run),
            )
            .await
            .unwrap();
        assert_eq!(earlier.records[0].why[0].rule, "run.no_row");

        // A read that proves nothing.
        world.faults(&[Fault::Empty]);
        world.clock.wait(4);
        world.sync().await;
        insta::assert_snapshot!(
            "doubtful_read",
            answer(&world, &address_of(moved), Some("phone")).await
        );
        world.end().await;
    }
}

#[tokio::test]
async fn a_field_of_another_connection_says_whose_it_is() {
    let rehearsal = rehearsal(60, 1);
    let firm = crate::sources::firm(&rehearsal).await;
    firm.sync(&["hr", "payroll"]).await;
    firm.sync(&["hr", "payroll"]).await;
    let record = firm.shared[0];
    let person = format!("hr/{record}");
    insta::assert_snapshot!(
        "owned_by_another_connection",
        answer(&firm.world, &person, Some("phone")).await
    );
    firm.end().await;
}

#[tokio::test]
async fn sealed_values_are_masked_and_who_is_meant_is_asked_for() {
    let rehearsal = rehearsal(60, 1);
    let world = settled(DatabaseKind::of_this_run(), &[]).await;
    let people = world.people().await;
    let sealed = people
        .iter()
        .find(|person| person.fields.value(Field::NationalId).is_some())
        .unwrap();
    assert_eq!(sealed.access, Access::Active);
    let Some(Value::Sealed(number)) = sealed.fields.value(Field::NationalId) else {
        panic!("a national id is sealed");
    };
    let whole = answer(&world, &sealed.id.to_string(), None).await;
    assert!(whole.contains("••••") && !whole.contains(number.expose()));
    let explain = |word: &str, field: Option<&str>| {
        let (word, field) = (word.to_owned(), field.map(str::to_owned));
        let world = &world;
        async move {
            let asked = world
                .engine
                .explain(&world.organisation, &word, field.as_deref(), None);
            asked.await.unwrap_err().code()
        }
    };
    assert_eq!(
        explain("nobody@nowhere.example", None).await,
        "person.unknown"
    );
    let address = address(&rehearsal.on_day(0), plain_staff(&rehearsal, 0)[0]);
    assert_eq!(explain(&address, Some("shoe_size")).await, "field.unknown");
    world.end().await;
}

/// The answer about a record, with what it rests on.
async fn asked(world: &World, record: u64, field: Field) -> muster_engine::explaining::Explanation {
    let person = format!("{TRIPLETEX}/{record}");
    let explain = &world.engine;
    explain
        .explain(&world.organisation, &person, Some(field.name()), None)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_somebody_decided_is_told_with_its_run_and_no_pair_is_called_equal_that_differs() {
    for kind in DatabaseKind::all() {
        let (company, staff) = firm(&rehearsal(60, 1), 5);
        let world = decisions::world(kind, company.clone(), Preset::Mirror).await;
        let seen = Seen::of(&world).await;
        let mut lines: Vec<_> = staff[..4]
            .iter()
            .map(|id| seen.line(*id, "create"))
            .collect();
        lines.push(seen.line(staff[4], "leave"));
        let run = decide(&world, &seen, &lines).await.made.report.run;
        let made = asked(&world, staff[0], Field::Phone).await;
        assert_eq!(made.records[0].state, "applied");
        assert_eq!(made.records[0].done[0].run, run);
        assert!(made.records[0].done[0].decided && made.records[0].done[0].at.is_some());
        assert_eq!(made.records[0].done[0].what[0], "create");
        assert_eq!(made.fields[0].said[0].why.rule, "field.created");
        let left = asked(&world, staff[4], Field::Phone).await;
        assert_eq!(left.records[0].state, "decided");
        assert_eq!(left.records[0].done[0].what, ["leave"]);
        world.sync_well().await;
        let left = asked(&world, staff[4], Field::Phone).await;
        assert!(
            left.records[0].why[0].words.contains("left alone"),
            "{:?}",
            left.records[0].why
        );
        let made = asked(&world, staff[0], Field::Phone).await;
        assert_eq!(made.fields[0].said[0].why.rule, "field.created");

        // Both sides move; three answers.
        let mut both = company;
        for (place, record) in staff[..3].iter().enumerate() {
            both = dialled(both, *record, &format!("4000000{place}"));
            dial_here(&world, *record, &format!("+479000000{place}")).await;
        }
        world.turn_to(both);
        let seen = Seen::of(&world).await;
        let lines = [
            seen.line(staff[0], "theirs"),
            seen.line(staff[1], "ours"),
            seen.line(staff[2], "skip"),
        ];
        let run = decide(&world, &seen, &lines).await.made.report.run;
        for synced in [false, true] {
            for (place, rule) in ["decided.theirs", "decided.ours", "decided.skip"]
                .into_iter()
                .enumerate()
            {
                let answer = asked(&world, staff[place], Field::Phone).await;
                assert_eq!(
                    answer.fields[0].said[0].why.rule, rule,
                    "{synced} {answer:?}"
                );
                if !synced {
                    let what = ["theirs phone", "ours phone", "skip phone"][place];
                    assert_eq!(answer.records[0].done[0].what, [what]);
                    assert_eq!(answer.records[0].done[0].run, run);
                }
            }
            world.sync_well().await;
        }

        // Taken apart: the row that made the link is the last word no more.
        let person = world.linked().await[&staff[3]].to_string();
        let unlink = world
            .engine
            .unlink(&world.organisation, &person, TRIPLETEX)
            .await;
        unlink.unwrap();
        let apart = asked(&world, staff[3], Field::Phone).await;
        assert_eq!(apart.records[0].why[0].rule, "match.unlinked");
        world.end().await;
    }
}

#[tokio::test]
async fn a_leaver_who_is_held_or_refused_differs_and_what_cannot_be_read_is_said() {
    for kind in DatabaseKind::all() {
        let rehearsal = rehearsal(60, 1);
        let world = settled(kind, &[]).await;
        let staff = plain_staff(&rehearsal, 0);
        let mut company = with_leavers(rehearsal.on_day(2), &staff[..9]);
        employee(&mut company, staff[9]).work_email = Some("nobody at nowhere".to_owned());
        world.turn_to(company);
        world.sync().await;
        let status = Field::EmploymentStatus;
        let held = asked(&world, staff[0], status).await;
        assert_eq!(held.fields[0].said[0].why.rule, "hold.suspend_said");
        let seen = Seen::of(&world).await;
        let run = decide(&world, &seen, &[seen.line(staff[0], "refuse")]).await;
        let run = run.made.report.run;
        let refused = asked(&world, staff[0], status).await;
        assert_eq!(refused.records[0].state, "decided");
        assert_eq!(refused.records[0].done[0].run, run);
        assert_eq!(refused.records[0].done[0].what, ["refuse suspend_said"]);
        assert_eq!(refused.fields[0].said[0].why.rule, "hold.refused");
        world.sync().await;
        let refused = asked(&world, staff[0], status).await;
        assert_eq!(refused.fields[0].said[0].why.rule, "hold.refused");
        assert!(refused.records[0].why[0].words.contains("refused"));

        let bad = asked(&world, staff[9], Field::WorkEmail).await;
        let rules = &bad.records[0].why;
        assert!(
            rules.iter().any(|why| why.rule == "field.unreadable"
                && why.detail.starts_with("work_email: email.")),
            "{rules:?}"
        );
        assert!(!rules.iter().any(|why| why.detail == "nothing differs"));
        world.end().await;
    }
}
