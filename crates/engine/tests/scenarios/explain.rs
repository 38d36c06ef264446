//! Why somebody is as they are: ten answers, word for word. Ids of runs, people
//! and versions are not compared: they are another in every database.

use muster_model::{Access, Field, Value};
use muster_sandbox::Fault;
use muster_sandbox::company::{Company, Employee};

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
    let world = World::new(Setting {
        database: kind,
        page_size: 50,
        company: without(rehearsal.on_day(0), strangers),
        ..Setting::rehearsed(&rehearsal, 0)
    })
    .await;
    world.sync_well().await;
    world.let_everybody_in().await;
    world.clock.wait(25);
    world.sync_well().await;
    world
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
