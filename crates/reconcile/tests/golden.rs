//! Golden plans: what people read, scenario by scenario.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where its made-up house is wrong"
)]

mod world;

use insta::assert_snapshot;
use jiff::Timestamp;
use muster_model::policy::Flow;
use muster_model::{Access, Field, FieldProblem, MatchKey, Plan, Presence, Preset, Said, Value};
use muster_reconcile::render::Names;
use world::cast::{bare, employ, end, engagement, introduce, know, record, say, value};
use world::{Fault, HONEST, Load, Machine, World};

fn morning() -> Timestamp {
    "2025-07-07T06:00:00Z".parse().unwrap()
}

fn world(preset: Preset) -> World {
    let mut world = World::new(morning());
    world.add_source(preset.policy());
    world
}

fn plan(world: &World) -> Plan {
    world.plan(&HONEST, 0, Fault::None, Load::Touched).unwrap()
}

fn run(world: &mut World) -> Plan {
    let plan = world.run(&HONEST, 0, Fault::None, Load::Touched, false);
    world.pass(4);
    plan
}

/// A connection that has been running for some hours, with these people.
fn running(preset: Preset, names: &[&str]) -> World {
    let mut world = world(preset);
    for (place, name) in names.iter().enumerate() {
        world.sources[0].put(record(&format!("{}", 10 + place), name));
    }
    run(&mut world);
    run(&mut world);
    world
}

fn active(world: &mut World) {
    let ids: Vec<_> = world.people.keys().copied().collect();
    for id in ids {
        world.edit(id, |person| person.access = Access::Active);
    }
    run(world);
}

const FIVE: [&str; 5] = [
    "Ingrid Solberg",
    "Jonas Lind",
    "Amara Okafor",
    "Petra Novak",
    "Ove Dahl",
];

/// As whoever sees a plan without the directory.
fn render(plan: &Plan) -> String {
    muster_reconcile::render(plan, &Names::new())
}

#[test]
fn first_sync_creates_everybody_without_access_and_ends_nobody() {
    let mut world = world(Preset::Provision);
    world.add_person(|person| introduce(person, "Amara Okafor"));
    let mut ingrid = record("10", "Ingrid Solberg");
    say(&mut ingrid, Field::NationalId, "15076500565");
    world.sources[0].put(ingrid);
    let mut amara = record("11", "Amara Okafor");
    end(&mut amara);
    world.sources[0].put(amara);
    let mut left = record("12", "Ove Dahl");
    end(&mut left);
    world.sources[0].put(left);
    let mut uncovered = record("13", "Petra Novak");
    uncovered.fields.set(Field::WorkEmail, Said::Absent);
    world.sources[0].put(uncovered);
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 4 read, 1 not covered, 0 invalid, 0 gone
    10: new → create
      create, not_invited: given_name Ingrid, family_name Solberg, work_email ingrid@fjordlys.example, national_id ••••, employment_status active, start_date 2024-01-01, engagements job 2024-01-01 – …
      because match.new: no key names anybody
    11: matched → suspend
      link
      given_name: this source decides from now on
      family_name: this source decides from now on
      work_email: this source decides from now on
      start_date: – → 2024-01-01
      end_date: – → 2025-06-30 [held: first_read]
      engagements: – → job 2024-01-01 – 2025-06-30 [held: first_read]
      employment: unknown → ended [held: first_read]
      access: active → suspended [held: first_read]
      because decide.ended: every engagement is over
      because compare.theirs_changed: the source says otherwise: start_date
      because match.by: work_email
    held first_read: 1 row of what a first read never does; this is the first time that these records are seen
      next: nobody is suspended in the first read; the next one decides
    ");
}

#[test]
fn a_joiner_a_mover_and_a_leaver() {
    let mut world = running(Preset::Provision, &FIVE);
    active(&mut world);
    world.sources[0].put(record("20", "Nils Berg"));
    world.sources[0].change("11", |jonas| {
        say(jonas, Field::Department, "Sales");
        say(jonas, Field::ManagerExternalId, "10");
    });
    world.sources[0].change("12", end);
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 6 read, 0 not covered, 0 invalid, 0 gone
    11: linked → update
      department: – → Sales
      manager: – → 00000000-0000-7000-8000-000000000001
      because compare.theirs_changed: the source says otherwise: department
    12: ended → suspend
      end_date: – → 2025-06-30
      engagements: job 2024-01-01 – … → job 2024-01-01 – 2025-06-30
      employment: active → ended
      access: active → suspended
      because decide.ended: every engagement is over
    20: new → create
      create, not_invited: given_name Nils, family_name Berg, work_email nils@fjordlys.example, employment_status active, start_date 2024-01-01, engagements job 2024-01-01 – …
      because match.new: no key names anybody
    ");
}

#[test]
fn a_leaver_with_another_running_engagement_elsewhere_keeps_access() {
    let mut world = running(Preset::Provision, &FIVE);
    world.add_source(Preset::Provision.policy());
    let mut second = record("b-12", "Amara Okafor");
    employ(
        &mut second,
        vec![engagement("consulting", "2025-01-01", None)],
    );
    world.sources[1].put(second);
    world.run(&HONEST, 1, Fault::None, Load::Touched, false);
    active(&mut world);
    world.sources[0].change("12", end);
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 5 read, 0 not covered, 0 invalid, 0 gone
    12: linked → update
      end_date: – → 2025-06-30
      engagements: job 2024-01-01 – … → job 2024-01-01 – 2025-06-30
    ");
}

#[test]
fn a_contractor_becomes_an_employee_with_an_overlap() {
    let mut world = running(Preset::Provision, &FIVE);
    active(&mut world);
    world.sources[0].change("12", |amara| {
        employ(
            amara,
            vec![
                engagement("contract", "2024-01-01", Some("2025-07-11")),
                engagement("job", "2025-07-01", None),
            ],
        );
    });
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 5 read, 0 not covered, 0 invalid, 0 gone
    12: linked → update (looked at again on 2025-07-12)
      end_date: – → 2025-07-11
      engagements: job 2024-01-01 – … → contract 2024-01-01 – 2025-07-11; job 2025-07-01 – …
    ");
}

#[test]
fn rehired_under_the_same_id_gets_the_access_back() {
    let mut world = running(Preset::Provision, &FIVE);
    active(&mut world);
    world.sources[0].change("12", end);
    run(&mut world);
    world.sources[0].change("12", |amara| {
        employ(amara, vec![engagement("again", "2025-07-01", None)]);
    });
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 5 read, 0 not covered, 0 invalid, 0 gone
    12: linked → restore
      start_date: 2024-01-01 → 2025-07-01
      end_date: 2025-06-30 → –
      engagements: job 2024-01-01 – 2025-06-30 → again 2025-07-01 – …
      employment: ended → active
      access: suspended → active
      because decide.returned: the record is there, and employment runs
      because compare.theirs_changed: the source says otherwise: start_date
    ");
}

#[test]
fn rehired_under_a_new_id_comes_back_by_national_id_and_waits_on_an_address() {
    let mut world = running(Preset::Provision, &FIVE);
    world.sources[0].change("12", |amara| say(amara, Field::NationalId, "15076500565"));
    run(&mut world);
    active(&mut world);
    for id in ["12", "13"] {
        world.sources[0].change(id, end);
    }
    run(&mut world);
    let mut amara = record("90", "Amara Okafor");
    say(&mut amara, Field::NationalId, "15076500565");
    employ(&mut amara, vec![engagement("again", "2025-07-01", None)]);
    world.sources[0].put(amara);
    world.sources[0].put(record("91", "Petra Novak"));
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-08: 7 read, 0 not covered, 0 invalid, 0 gone
    90: matched → restore
      link
      start_date: 2024-01-01 → 2025-07-01
      end_date: 2025-06-30 → –
      engagements: job 2024-01-01 – 2025-06-30 → job 2024-01-01 – 2025-06-30; again 2025-07-01 – …
      employment: ended → active
      access: suspended → active
      because decide.returned: the record is there, and employment runs
      because compare.theirs_changed: the source says otherwise: start_date
      because match.by: work_email, national_id
    91: taken → ask
      because match.taken: person 00000000-0000-7000-8000-000000000004 is linked here to record 13; one key alone joins no second record
    ");
}

#[test]
fn a_recycled_address_is_taken_and_a_contradicted_one_is_never_joined() {
    let mut world = running(Preset::Provision, &FIVE);
    // The address of somebody who is linked and there.
    let mut other = record("90", "Ingrid Solberg");
    say(&mut other, Field::EmployeeNumber, "77");
    world.sources[0].put(other);
    // The address of somebody known here, with other names.
    world.add_person(|person| introduce(person, "Kari Moe"));
    let mut stranger = record("91", "Lars Vik");
    say(&mut stranger, Field::WorkEmail, "kari@fjordlys.example");
    world.sources[0].put(stranger);
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 7 read, 0 not covered, 0 invalid, 0 gone
    90: taken → ask
      because match.taken: person 00000000-0000-7000-8000-000000000001 is linked here to record 10; one key alone joins no second record
    91: ambiguous → ask
      because match.key_contradicted: a key names person 00000000-0000-7000-8000-000000000006, but given_name and family_name differ
    ");
}

#[test]
fn two_people_or_two_records_under_one_key_are_ambiguous() {
    let mut world = running(Preset::Provision, &FIVE);
    for _ in 0..2 {
        world.add_person(|person| introduce(person, "Kari Moe"));
    }
    world.sources[0].put(record("90", "Kari Moe"));
    world.sources[0].put(record("91", "Lars Vik"));
    world.sources[0].put(record("92", "Lars Vik"));
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 8 read, 0 not covered, 0 invalid, 0 gone
    90: ambiguous → ask
      because match.key_names_several: work_email names 2 people
    91: ambiguous → ask
      because match.key_on_two_records: record 92 has the same work_email
    92: ambiguous → ask
      because match.key_on_two_records: record 91 has the same work_email
    ");
}

#[test]
fn gone_and_confirmed_leaves() {
    let mut world = running(Preset::Provision, &FIVE);
    active(&mut world);
    world.sources[0].take("12");
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 4 read, 0 not covered, 0 invalid, 1 gone
    12: gone → suspend
      engagements: job 2024-01-01 – … → –
      employment: active → ended
      access: active → suspended
      holds nobody from now on
      because decide.gone: missing from a full read
    ");
}

#[test]
fn gone_and_unconfirmed_waits_for_the_next_read() {
    let mut world = running(Preset::Provision, &FIVE);
    active(&mut world);
    world.sources[0].can_confirm = false;
    world.sources[0].take("12");
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 4 read, 0 not covered, 0 invalid, 1 gone
    12: gone → suspend
      engagements: job 2024-01-01 – … → – [held: unconfirmed]
      employment: active → ended [held: unconfirmed]
      access: active → suspended [held: unconfirmed]
      holds nobody from now on
      because decide.gone: missing from a full read
    held unconfirmed: 1 row of silence that nobody confirmed; missing from the read, and not confirmed by the source
      next: the next read decides, once the silence is confirmed
    ");
    run(&mut world);
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 4 read, 0 not covered, 0 invalid, 1 gone
    12: gone → suspend
      engagements: job 2024-01-01 – … → –
      employment: active → ended
      access: active → suspended
      because decide.gone: missing from a full read
    ");
}

#[test]
fn a_doubtful_read_takes_nobody_for_gone_and_lets_changes_in() {
    let mut world = running(Preset::Provision, &FIVE);
    active(&mut world);
    world.sources[0].change("11", |jonas| say(jonas, Field::Department, "Sales"));
    let doubtful = world
        .plan(&HONEST, 0, Fault::Uncounted(5), Load::Touched)
        .unwrap();
    assert_snapshot!(render(&doubtful), @r"
    plan for 2025-07-07: 4 read, 0 not covered, 0 invalid, 1 gone
    doubt total_differs: 4 read, 5 declared
    10: gone → suspend
      engagements: job 2024-01-01 – … → – [held: doubt]
      employment: active → ended [held: doubt]
      access: active → suspended [held: doubt]
      because decide.gone: missing from a full read
    11: linked → update
      department: – → Sales
      because compare.theirs_changed: the source says otherwise: department
    held doubt: 1 row of what the read does not prove; total_differs: 4 read, 5 declared
      next: the next read that can be believed in full decides by itself
    ");
}

#[test]
fn somebody_missing_who_is_there_when_asked_for_shows_that_the_read_was_short() {
    let mut world = running(Preset::Provision, &FIVE);
    active(&mut world);
    let short = world
        .plan(&HONEST, 0, Fault::Short(5), Load::Touched)
        .unwrap();
    assert_snapshot!(render(&short), @r"
    plan for 2025-07-07: 4 read, 0 not covered, 0 invalid, 1 gone
    doubt missing_came_back: 1 people missing from the read are there when asked for by id
    10: gone → suspend
      engagements: job 2024-01-01 – … → – [held: doubt]
      employment: active → ended [held: doubt]
      access: active → suspended [held: doubt]
      because decide.gone: missing from a full read
    held doubt: 1 row of what the read does not prove; missing_came_back: 1 people missing from the read are there when asked for by id
      next: the next read that can be believed in full decides by itself
    ");
}

#[test]
fn a_brake_shows_its_arithmetic() {
    let names: Vec<String> = (0..9)
        .map(|number| format!("Person{number} Example"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = running(Preset::Provision, &names);
    active(&mut world);
    for id in ["10", "11"] {
        world.sources[0].take(id);
    }
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 7 read, 0 not covered, 0 invalid, 2 gone
    10: gone → suspend
      engagements: job 2024-01-01 – … → – [held: suspend_silent]
      employment: active → ended [held: suspend_silent]
      access: active → suspended [held: suspend_silent]
      holds nobody from now on
      because decide.gone: missing from a full read
    11: gone → suspend
      engagements: job 2024-01-01 – … → – [held: suspend_silent]
      employment: active → ended [held: suspend_silent]
      access: active → suspended [held: suspend_silent]
      holds nobody from now on
      because decide.gone: missing from a full read
    held suspend_silent: 2 rows of leavers by silence; 2 in this run and 0 in the past 24 hours are more than 1: the larger of 1 and 5 % of 9 linked people
      next: check the rows; then release them with --allow suspend_silent, or leave them: they are computed again at each read
    ");
}

#[test]
fn mirror_asks_about_a_conflict_and_gives_what_we_changed() {
    let mut world = world(Preset::Mirror);
    let id = world.add_person(|person| {
        introduce(person, "Amara Okafor");
        know(person, Field::Phone, "+4740000111");
        know(person, Field::BankAccount, "12345678903");
    });
    let mut amara = bare("12", "Amara Okafor");
    say(&mut amara, Field::Phone, "+4740000111");
    say(&mut amara, Field::BankAccount, "12345678903");
    world.sources[0].put(amara);
    run(&mut world);
    run(&mut world);
    world.edit(id, |person| {
        know(person, Field::Phone, "+4740000222");
        know(person, Field::BankAccount, "98765432106");
    });
    world.sources[0].change("12", |amara| say(amara, Field::Phone, "+4740000333"));
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 1 read, 0 not covered, 0 invalid, 0 gone
    12: linked → ask
      phone: theirs +4740000333 / ours +4740000222 ?
      to the source, bank_account: •••• → •••• (changed)
    ");
}

#[test]
fn bey_49_nothing_is_written_to_a_source_while_a_field_for_it_is_bad() {
    let mut world = world(Preset::Mirror);
    let id = world.add_person(|person| introduce(person, "Amara Okafor"));
    world.sources[0].put(bare("12", "Amara Okafor"));
    run(&mut world);
    run(&mut world);
    world.edit(id, |person| know(person, Field::GivenName, "Amara Grace"));
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 1 read, 0 not covered, 0 invalid, 0 gone
    12: linked → update source
      to the source, given_name: Amara → Amara Grace
    ");
    world.sources[0].change("12", |amara| {
        amara.problems.push(FieldProblem {
            field: Field::Phone,
            code: "phone.impossible".to_owned(),
            said: Some("12".to_owned()),
            message: "not a telephone number".to_owned(),
        });
    });
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 1 read, 0 not covered, 0 invalid, 0 gone
    nothing to do
    ");
}

#[test]
fn pick_offers_and_greys_out() {
    let mut world = world(Preset::Pick);
    world.add_person(|person| {
        introduce(person, "Jonas Lind");
        know(person, Field::EmployeeNumber, "7");
    });
    for (id, name, number) in [("10", "Ingrid Solberg", "6"), ("11", "Jonas Lind", "7")] {
        let mut record = record(id, name);
        say(&mut record, Field::EmployeeNumber, number);
        world.sources[0].put(record);
    }
    let plan = plan(&world);
    assert_snapshot!(render(&plan), @r"
    plan for 2025-07-07: 2 read, 0 not covered, 0 invalid, 0 gone
    10: new → offer
      because match.new: no key names anybody
    ");
    assert_eq!(plan.quiet[0].reason.code, "match.taken");
}

#[test]
fn auto_suspends_nobody_without_an_administrator_of_the_hr_software() {
    let mut world = running(Preset::Auto, &FIVE);
    active(&mut world);
    world.sources[0].change("12", end);
    world.sources[0].take("13");
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 4 read, 0 not covered, 0 invalid, 1 gone
    12: ended → report
      engagements: job 2024-01-01 – … → job 2024-01-01 – 2025-06-30
      employment: active → ended
      because decide.policy_reports: employment is over, access stays
      because decide.ended: every engagement is over
    ");
    world.sources[0].set_policy(|policy| policy.made_by_hr_administrator = true);
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 4 read, 0 not covered, 0 invalid, 1 gone
    12: ended → suspend
      engagements: job 2024-01-01 – … → job 2024-01-01 – 2025-06-30
      employment: active → ended
      access: active → suspended
      because decide.ended: every engagement is over
    13: gone → suspend
      engagements: job 2024-01-01 – … → –
      employment: active → ended
      access: active → suspended
      holds nobody from now on
      because decide.gone: missing from a full read
    ");
}

#[test]
fn the_owner_the_last_administrator_and_the_protected_are_spared() {
    let mut world = running(Preset::Provision, &FIVE);
    active(&mut world);
    let person = |record| world.person_of(0, record).unwrap().id;
    let (owner, administrator, protected) = (person("10"), person("11"), person("12"));
    world.edit(owner, |person| person.standing.owner = true);
    world.edit(administrator, |person| person.standing.administrator = true);
    world.edit(protected, |person| {
        person.standing.protected_until = Some("2025-07-20".parse().unwrap());
    });
    run(&mut world);
    world.sources[0].change("10", end);
    world.sources[0].change("11", end);
    world.sources[0].take("12");
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 4 read, 0 not covered, 0 invalid, 1 gone
    10: ended → report
      end_date: – → 2025-06-30
      engagements: job 2024-01-01 – … → job 2024-01-01 – 2025-06-30
      employment: active → ended
      because decide.protected: employment is over, access stays
      because decide.ended: every engagement is over
    11: ended → report
      end_date: – → 2025-06-30
      engagements: job 2024-01-01 – … → job 2024-01-01 – 2025-06-30
      employment: active → ended
      because decide.protected: employment is over, access stays
      because decide.ended: every engagement is over
    12: gone → report (looked at again on 2025-07-21)
      engagements: job 2024-01-01 – … → –
      employment: active → ended
      holds nobody from now on
      because decide.gone: missing from a full read
      because decide.protected: access stays
    ");
}

#[test]
fn bey_29_the_grace_period_holds_access_after_the_last_day() {
    let mut world = running(Preset::Provision, &FIVE);
    world.sources[0].set_policy(|policy| policy.grace_days = 5);
    active(&mut world);
    world.sources[0].change("12", |amara| {
        employ(
            amara,
            vec![engagement("job", "2024-01-01", Some("2025-07-06"))],
        );
    });
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 5 read, 0 not covered, 0 invalid, 0 gone
    12: linked → update (looked at again on 2025-07-12)
      end_date: – → 2025-07-06
      engagements: job 2024-01-01 – … → job 2024-01-01 – 2025-07-06
    ");
    run(&mut world);
    world.pass(24 * 5);
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-12: 5 read, 0 not covered, 0 invalid, 0 gone
    12: ended → suspend
      employment: active → ended
      access: active → suspended
      because decide.ended: every engagement is over
    ");
}

#[test]
fn a_future_start_is_created_without_access_and_becomes_active_on_the_day() {
    let mut world = running(Preset::Provision, &FIVE);
    let mut future = record("20", "Nils Berg");
    employ(&mut future, vec![engagement("job", "2025-08-01", None)]);
    world.sources[0].put(future);
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 6 read, 0 not covered, 0 invalid, 0 gone
    20: new → create (looked at again on 2025-08-01)
      create, not_invited: given_name Nils, family_name Berg, work_email nils@fjordlys.example, employment_status future, start_date 2025-08-01, engagements job 2025-08-01 – …
      because match.new: no key names anybody
    ");
    run(&mut world);
    world.pass(24 * 30);
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-08-06: 6 read, 0 not covered, 0 invalid, 0 gone
    20: linked → update
      employment: future → active
      because decide.employment: future becomes active
    ");
}

#[test]
fn out_of_scope_leaves_like_gone_and_removed_like_ended() {
    let mut world = running(Preset::Provision, &FIVE);
    active(&mut world);
    world.sources[0].change("12", |amara| amara.fields.set(Field::WorkEmail, Said::Null));
    world.sources[0].change("13", |petra| petra.presence = Presence::Removed);
    assert_snapshot!(render(&plan(&world)), @r"
    plan for 2025-07-07: 5 read, 0 not covered, 0 invalid, 0 gone
    12: out of scope → suspend
      engagements: job 2024-01-01 – … → –
      employment: active → ended
      access: active → suspended
      holds nobody from now on
      because decide.out_of_scope: the policy no longer covers the record
    13: removed → suspend
      engagements: job 2024-01-01 – … → –
      employment: active → ended
      access: active → suspended
      holds nobody from now on
      because decide.removed: the source deleted the record
    ");
    run(&mut world);
    let after = plan(&world);
    assert!(after.is_empty(), "{}", render(&after));
    assert_eq!(after.people.out_of_scope, 1);
    assert_eq!(after.counts().total(), 4);
}

#[test]
fn an_older_revision_is_left_alone_and_looked_at_again() {
    let mut world = running(Preset::Provision, &FIVE);
    world.sources[0].change("12", |amara| {
        amara.revision = Some(5);
        say(amara, Field::Department, "Support");
    });
    run(&mut world);
    world.sources[0].change("12", |amara| {
        amara.revision = Some(4);
        say(amara, Field::Department, "Sales");
    });
    let plan = plan(&world);
    let [row] = &plan.changes[..] else {
        panic!("{}", render(&plan));
    };
    // Nothing follows, and it is looked at again; but somebody may decide about it.
    assert!(row.is_older() && row.effects.is_empty() && !row.settles);
    assert_eq!(plan.counts().ignored, 1);
    assert!(plan.quiet.is_empty());
}

#[test]
fn the_first_difference_follows_the_policy() {
    for (preset, reaction) in [(Preset::Mirror, "link"), (Preset::Provision, "link")] {
        let mut world = world(preset);
        world.add_person(|person| {
            introduce(person, "Amara Okafor");
            know(person, Field::Phone, "+4740000111");
        });
        let mut amara = bare("12", "Amara Okafor");
        say(&mut amara, Field::Phone, "+4740000333");
        world.sources[0].put(amara);
        let text = render(&plan(&world));
        assert!(text.contains(reaction), "{text}");
        let line = match preset {
            Preset::Mirror => "phone: theirs +4740000333 / ours +4740000111 ?",
            _ => "phone: +4740000111 → +4740000333",
        };
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn a_key_that_changed_hands_within_400_days_waits_for_a_person() {
    let mut world = running(Preset::Provision, &FIVE);
    let id = world.add_person(|person| introduce(person, "Kari Moe"));
    world.sources[0].put(record("90", "Kari Moe"));
    assert!(render(&plan(&world)).contains("90: matched → link"));
    world.recycled.insert((id, MatchKey::WorkEmail));
    let text = render(&plan(&world));
    assert!(text.contains("because match.key_changed_hands"), "{text}");
}

#[test]
fn an_empty_value_is_kept_unless_the_policy_says_otherwise() {
    let mut world = running(Preset::Provision, &FIVE);
    world.sources[0].change("12", |amara| say(amara, Field::Phone, "+4740000111"));
    run(&mut world);
    world.sources[0].change("12", |amara| amara.fields.set(Field::Phone, Said::Null));
    assert!(plan(&world).is_empty());
    world.sources[0].set_policy(|policy| policy.emptied = muster_model::policy::EmptyRule::Clear);
    assert!(render(&plan(&world)).contains("phone: +4740000111 → –"));
    world.sources[0].set_policy(|policy| {
        policy.flows.insert(Field::Phone, Flow::Off);
    });
    assert!(plan(&world).is_empty());
    let phone = world.person_of(0, "12").unwrap().fields.value(Field::Phone);
    assert_eq!(phone, Some(&value(Field::Phone, "+4740000111")));
    assert!(matches!(phone, Some(Value::Text(_))));
}

#[test]
fn two_records_of_one_person_in_one_source_come_to_rest_beside_each_other() {
    let mut world = running(Preset::Provision, &FIVE);
    let strong = |amara: &mut _| say(amara, Field::NationalId, "15076500565");
    world.sources[0].change("12", strong);
    world.sources[0].change("12", |amara| say(amara, Field::Department, "Sales"));
    run(&mut world);
    active(&mut world);
    let mut second = record("90", "Amara Okafor");
    strong(&mut second);
    say(&mut second, Field::Department, "Support");
    employ(&mut second, vec![engagement("second", "2025-01-01", None)]);
    world.sources[0].put(second);
    run(&mut world);
    run(&mut world);
    for load in [Load::Touched, Load::Everybody] {
        let plan = world.plan(&HONEST, 0, Fault::None, load).unwrap();
        assert!(plan.is_empty(), "{}", render(&plan));
    }
    let amara = world.person_of(0, "90").unwrap();
    assert_eq!(amara.fields.text(Field::Department), Some("Sales"));
    assert_eq!(amara.engagements.values().flatten().count(), 2);
    // One of the two ends: the other holds her.
    world.sources[0].take("12");
    run(&mut world);
    run(&mut world);
    assert!(plan(&world).is_empty(), "{}", render(&plan(&world)));
    let amara = world.person_of(0, "90").unwrap();
    assert_eq!(amara.access, Access::Active);
    assert_eq!(amara.fields.text(Field::Department), Some("Support"));
}

#[test]
fn two_records_that_name_one_person_by_different_keys_are_ambiguous() {
    let mut world = running(Preset::Provision, &FIVE);
    world.sources[0].set_policy(|policy| policy.keys.push(MatchKey::EmployeeNumber));
    world.add_person(|person| {
        introduce(person, "Kari Moe");
        know(person, Field::EmployeeNumber, "7");
    });
    world.sources[0].put(record("90", "Kari Moe"));
    let mut by_number = record("91", "Kari Moe");
    say(&mut by_number, Field::WorkEmail, "moe@fjordlys.example");
    say(&mut by_number, Field::EmployeeNumber, "7");
    world.sources[0].put(by_number);
    let both = render(&plan(&world));
    assert_eq!(both.matches("ambiguous → ask").count(), 2, "{both}");
    // The one that is over yields to the one that runs.
    world.sources[0].change("91", end);
    let one = render(&plan(&world));
    assert!(one.contains("90: matched → link"), "{one}");
    assert!(!one.contains("91:"), "{one}");
}

#[test]
fn a_manager_whose_creation_is_held_takes_nobodys_manager_away() {
    let mut world = running(Preset::Provision, &FIVE);
    world.sources[0].change("11", |jonas| say(jonas, Field::ManagerExternalId, "10"));
    run(&mut world);
    world.sources[0].set_policy(|policy| {
        policy.brakes.create = muster_model::policy::Brake {
            floor: 2,
            share_percent: 0,
        };
    });
    for number in 0..3 {
        world.sources[0].put(record(
            &format!("{}", 50 + number),
            &format!("New{number} Joiner"),
        ));
    }
    world.sources[0].change("11", |jonas| say(jonas, Field::ManagerExternalId, "50"));
    // Three joiners are held, and who would report to one of them waits.
    let manager = |world: &World| world.person_of(0, "11").unwrap().manager;
    let before = manager(&world);
    let held = run(&mut world);
    assert!(
        render(&held).contains("→ record 50 [held: create]"),
        "{}",
        render(&held)
    );
    assert!(before.is_some());
    assert_eq!(manager(&world), before);
    world.run(&HONEST, 0, Fault::None, Load::Touched, true);
    run(&mut world);
    let joiner = world.person_of(0, "50").unwrap().id;
    assert_eq!(manager(&world), Some(joiner));
}

#[test]
fn ple_36_rings_and_strangers_change_no_manager_and_are_looked_at_again() {
    let mut world = running(Preset::Provision, &FIVE);
    for (who, manager) in [("10", "11"), ("11", "10"), ("12", "12"), ("13", "99")] {
        world.sources[0].change(who, |of| say(of, Field::ManagerExternalId, manager));
    }
    assert_snapshot!(render(&run(&mut world)), @r"
    plan for 2025-07-07: 5 read, 0 not covered, 0 invalid, 0 gone
    nothing to do
    manager of 10: stands on a ring of managers
    manager of 11: stands on a ring of managers
    manager of 12: names the person
    manager of 13: names nobody we know
    ");
    world.sources[0].put(record("99", "Nils Berg"));
    run(&mut world);
    run(&mut world);
    let stranger = world.person_of(0, "99").unwrap().id;
    assert_eq!(world.person_of(0, "13").unwrap().manager, Some(stranger));
    assert_eq!(world.person_of(0, "12").unwrap().manager, None);
}

/// What a firm of so many linked people has held when so many leave, by kind.
fn held(people: u64, said: usize, silent: usize) -> Vec<String> {
    let mut world = world(Preset::Provision);
    for number in 0..people {
        let name = format!("Person{number} Example");
        world.sources[0].put(record(&format!("{number:06}"), &name));
    }
    // One source wakes nobody elsewhere; looking for them would take a large firm long.
    let alone = Machine {
        wakes: false,
        ..HONEST
    };
    world.run(&alone, 0, Fault::None, Load::Touched, false);
    world.pass(4);
    for id in world.people.keys().copied().collect::<Vec<_>>() {
        world.people.get_mut(&id).unwrap().access = Access::Active;
    }
    for number in 0..said {
        world.sources[0].change(&format!("{number:06}"), end);
    }
    for number in said..said + silent {
        world.sources[0].take(&format!("{number:06}"));
    }
    plan(&world)
        .holds
        .iter()
        .map(|hold| format!("{} {}", hold.kind, hold.rows))
        .collect()
}

#[test]
fn firms_of_every_size_walk_through_the_brakes() {
    const NONE: Option<&str> = None;
    // People, said leavers, silent leavers, and which number of rows is held.
    for (people, said, silent, holds) in [
        (1, 1, 0, Some("too_few_left 1")),
        (2, 1, 0, NONE),
        (2, 2, 0, Some("too_few_left 2")),
        (3, 2, 0, NONE),
        (3, 3, 0, Some("too_few_left 3")),
        (5, 2, 0, NONE),
        (5, 3, 0, Some("too_few_left 3")),
        (5, 4, 0, Some("suspend_said 4")),
        (5, 0, 1, NONE),
        (5, 0, 2, Some("suspend_silent 2")),
        (9, 3, 0, NONE),
        (9, 4, 0, Some("suspend_said 4")),
        (9, 3, 1, NONE),
        (9, 0, 2, Some("suspend_silent 2")),
        (20, 3, 0, NONE),
        (20, 4, 0, Some("suspend_said 4")),
        (20, 0, 1, NONE),
        (20, 0, 2, Some("suspend_silent 2")),
        (200, 20, 0, NONE),
        (200, 21, 0, Some("suspend_said 21")),
        (200, 0, 10, NONE),
        (200, 0, 11, Some("suspend_silent 11")),
    ] {
        let held = held(people, said, silent);
        let holds: Vec<&str> = holds.into_iter().collect();
        assert_eq!(held, holds, "{said} said, {silent} silent of {people}");
    }
}

#[test]
fn a_firm_of_twenty_thousand_holds_2001_said_leavers_and_1001_silent_ones() {
    assert_eq!(held(20_000, 2_001, 0), ["suspend_said 2001"],);
}
