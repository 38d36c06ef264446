//! The laws of the pure function (`docs/engine/`), as properties over made-up
//! houses: up to 200 people, three connections, dated engagements, edits by
//! hand, faults, releases, policy changes and passing days.
//!
//! Each law is a function of the machine that it judges. For each there is a
//! planted bug, believable and small, and a test that the law finds it: a law
//! that finds nothing proves nothing. The seed is fixed, so that a run here is
//! the run everywhere.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where its made-up house is wrong"
)]

mod script;
mod world;

use std::collections::BTreeSet;

use muster_model::plan::{Change, Effect, Quiet};
use muster_model::{Field, HoldKind, Plan, Reaction, Situation};
use muster_reconcile::undo::{UndoInput, Undoing};
use muster_reconcile::{EnactContext, Input, PlanError, State};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use script::{Script, Step};
use world::{Fault, HONEST, Load, Machine, World};

type Law = fn(&Machine, &Script) -> Result<(), TestCaseError>;

/// Tries a law on as many scripts; the first that breaks it comes back.
fn try_law(law: Law, machine: &Machine, cases: u32) -> Result<(), String> {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[23; 32]);
    TestRunner::new_with_rng(config, rng)
        .run(&script::scripts(), |script| law(machine, &script))
        .map_err(|error| match error {
            TestError::Fail(why, script) => format!("{why}\n{script:#?}"),
            TestError::Abort(why) => why.to_string(),
        })
}

fn holds(law: Law) {
    if let Err(why) = try_law(law, &HONEST, script::cases()) {
        panic!("{why}");
    }
}

fn finds(law: Law, bug: &Machine) {
    assert!(
        try_law(law, bug, script::cases()).is_err(),
        "the law does not find the planted bug"
    );
}

fn ensure(truth: bool, why: impl FnOnce() -> String) -> Result<(), TestCaseError> {
    if truth {
        Ok(())
    } else {
        Err(TestCaseError::fail(why()))
    }
}

fn is_open(change: &Change) -> bool {
    // What waits for a person or for a better read is no defect of applying.
    matches!(change.reaction, Reaction::Ask | Reaction::Offer)
        || change.situation == Situation::Invalid
        || change.effects.iter().any(|planned| {
            planned.held.is_some() || matches!(planned.effect, Effect::Conflict { .. })
        })
}

// --- planning twice, and from the same input in another order

fn same_hash(machine: &Machine, script: &Script) -> Result<(), TestCaseError> {
    let world = script.play(machine, Load::Touched);
    for source in 0..world.sources.len() {
        let hash = |turned: bool| {
            world::loading::with_input(
                &world,
                source,
                Fault::None,
                Load::Everybody,
                true,
                |mut input| {
                    if turned {
                        turn(&mut input);
                    }
                    (machine.plan)(input).unwrap().hash
                },
            )
        };
        ensure(hash(false) == hash(false), || "planned twice".to_owned())?;
        ensure(hash(false) == hash(true), || "permuted".to_owned())?;
    }
    Ok(())
}

/// The same input in another order.
fn turn(input: &mut Input<'_>) {
    input.touched.reverse();
    input.other_sources.reverse();
    for touched in &mut input.touched {
        touched.others.reverse();
        touched.siblings.reverse();
    }
    input
        .holders
        .people
        .values_mut()
        .for_each(|people| people.reverse());
    input
        .holders
        .records
        .values_mut()
        .for_each(|records| records.reverse());
    for candidate in input.holders.candidates.values_mut() {
        candidate.linked_here.reverse();
        candidate.others.reverse();
        candidate.siblings.reverse();
    }
}

/// The order of what was loaded leaks into a reason.
fn plan_in_order_of_loading(input: Input<'_>) -> Result<Plan, PlanError> {
    let first = input
        .touched
        .first()
        .and_then(|one| one.external_id.clone());
    let key = input.key.clone();
    let mut plan = muster_reconcile::plan(input)?;
    if let (Some(change), Some(first)) = (plan.changes.first_mut(), first) {
        change
            .reasons
            .push(muster_model::Reason::new("match.after", first.to_string()));
    }
    plan.hash = plan.compute_hash(&key);
    Ok(plan)
}

// --- planning in blocks

/// Whatever the size of the blocks, the plan is the same.
fn same_in_blocks(machine: &Machine, script: &Script) -> Result<(), TestCaseError> {
    let world = script.play(machine, Load::Touched);
    for source in 0..world.sources.len() {
        let make = |plan: for<'a> fn(Input<'a>) -> Result<Plan, PlanError>| {
            world::loading::with_input(
                &world,
                source,
                Fault::None,
                Load::Everybody,
                true,
                |input| plan(input).unwrap(),
            )
        };
        let (whole, parts) = (make(muster_reconcile::plan), make(machine.plan));
        ensure(whole == parts, || "other rows, holds or counts".to_owned())?;
    }
    Ok(())
}

/// Plans in blocks of three, each of which is looked at twice.
fn plan_in_blocks(mut input: Input<'_>) -> Result<Plan, PlanError> {
    let blocks = blocks_of(&mut input);
    let mut survey = muster_reconcile::Survey::begin(&input)?;
    for block in &blocks {
        input.touched.clone_from(block);
        survey.look(&input);
    }
    let deferred = survey.deferred();
    for block in &blocks {
        input.touched.clone_from(block);
        survey.look_again(&input, &deferred);
    }
    let mut decided = survey.decide(&input);
    let (mut changes, mut quiet) = (Vec::new(), Vec::new());
    for block in blocks {
        input.touched = block;
        let rows = decided.block(decided.look(&input));
        changes.extend(rows.changes);
        quiet.extend(rows.quiet);
    }
    let (mut plan, tally) = decided.finish(&input)?;
    plan.changes = changes;
    plan.quiet = quiet;
    assert_eq!(plan.tally(), tally);
    Ok(plan)
}

/// Each block is planned as if it were the whole company.
fn plan_each_block_alone(mut input: Input<'_>) -> Result<Plan, PlanError> {
    let mut blocks = blocks_of(&mut input);
    let key = input.key.clone();
    let (mut changes, mut quiet) = (Vec::new(), Vec::new());
    let last = blocks.pop().unwrap_or_default();
    for block in blocks {
        input.touched = block;
        let rows = block_alone(&input)?.0;
        changes.extend(rows.changes);
        quiet.extend(rows.quiet);
    }
    input.touched = last;
    let (rows, mut plan) = block_alone(&input)?;
    changes.extend(rows.changes);
    quiet.extend(rows.quiet);
    plan.changes = changes;
    plan.quiet = quiet;
    plan.hash = plan.compute_hash(&key);
    Ok(plan)
}

fn block_alone(input: &Input<'_>) -> Result<(muster_reconcile::Block, Plan), PlanError> {
    let mut survey = muster_reconcile::Survey::begin(input)?;
    let mut draft = survey.look(input);
    let deferred = survey.deferred();
    draft.append(survey.look_again(input, &deferred));
    let mut decided = survey.decide(input);
    let rows = decided.block(draft);
    Ok((rows, decided.finish(input)?.0))
}

fn blocks_of(input: &mut Input<'_>) -> Vec<Vec<muster_reconcile::Touched>> {
    let mut touched = std::mem::take(&mut input.touched);
    touched.sort_by(|one, two| one.external_id.cmp(&two.external_id));
    touched.chunks(3).map(<[_]>::to_vec).collect()
}

#[test]
fn the_size_of_blocks_changes_nothing() {
    let machine = Machine {
        plan: plan_in_blocks,
        ..HONEST
    };
    if let Err(why) = try_law(same_in_blocks, &machine, script::cases()) {
        panic!("{why}");
    }
}

#[test]
fn blocks_that_are_planned_alone_are_found() {
    finds(
        same_in_blocks,
        &Machine {
            plan: plan_each_block_alone,
            ..HONEST
        },
    );
}

#[test]
fn the_hash_is_the_same_when_planned_twice_and_in_any_order() {
    holds(same_hash);
}

#[test]
fn the_law_of_the_hash_finds_an_order_that_leaks() {
    let bug = Machine {
        plan: plan_in_order_of_loading,
        ..HONEST
    };
    finds(same_hash, &bug);
}

// --- applying, and planning again for the same instant

fn apply_then_empty(machine: &Machine, script: &Script) -> Result<(), TestCaseError> {
    let mut world = script.play(machine, Load::Touched);
    for source in 0..world.sources.len() {
        for load in [Load::Everybody, Load::Touched] {
            // Rows of one person beside each other make one another stale once.
            for _ in 0..3 {
                world.run(machine, source, Fault::None, load, true);
            }
            let again = world.plan(machine, source, Fault::None, load).unwrap();
            let left: Vec<&Change> = again
                .changes
                .iter()
                .filter(|change| !is_open(change))
                .collect();
            ensure(left.is_empty(), || {
                format!("{load:?}, source {source}: {left:#?}")
            })?;
        }
    }
    Ok(())
}

/// Forgets to write the employment down.
fn enact_without_employment(change: &Change, state: State, context: &EnactContext<'_>) -> State {
    let mut change = change.clone();
    change
        .effects
        .retain(|planned| !matches!(planned.effect, Effect::Employment { .. }));
    muster_reconcile::enact(&change, state, context)
}

#[test]
fn applying_and_planning_again_plans_nothing() {
    holds(apply_then_empty);
}

#[test]
fn the_law_of_applying_finds_an_effect_that_is_forgotten() {
    let bug = Machine {
        enact: enact_without_employment,
        ..HONEST
    };
    finds(apply_then_empty, &bug);
}

// --- what a row carries

fn rows_carry_their_conditions(machine: &Machine, script: &Script) -> Result<(), TestCaseError> {
    let world = script.play(machine, Load::Touched);
    for (place, source) in world.sources.iter().enumerate() {
        let plan = world
            .plan(machine, place, Fault::None, Load::Everybody)
            .unwrap();
        for change in &plan.changes {
            let Some(id) = &change.external_id else {
                continue;
            };
            let expected = &change.precondition;
            let link = source.links.get(id).map(|link| link.version);
            let person = change.person.and_then(|id| world.people.get(&id));
            let record = source
                .records
                .get(id)
                .map(|record| record.digest(&world.key));
            let next = source
                .records
                .get(id)
                .filter(|_| !change.effects.is_empty())
                .and_then(|record| record.engagements())
                .into_iter()
                .flatten()
                .filter_map(|one| one.next_change_after(world.today()))
                .min();
            ensure(
                expected.link_version == link
                    && expected.person_version == person.map(|person| person.version)
                    && expected.record == record
                    && next.is_none_or(|next| change.due_on.is_some_and(|due| due <= next)),
                || format!("{change:#?}, next {next:?}"),
            )?;
        }
    }
    Ok(())
}

/// Rows that stay true for ever.
fn plan_without_days(input: Input<'_>) -> Result<Plan, PlanError> {
    let mut plan = muster_reconcile::plan(input)?;
    for change in &mut plan.changes {
        change.due_on = None;
    }
    Ok(plan)
}

#[test]
fn each_row_carries_its_precondition_and_the_day_until_which_it_is_true() {
    holds(rows_carry_their_conditions);
}

#[test]
fn the_law_of_conditions_finds_rows_without_a_day() {
    let bug = Machine {
        plan: plan_without_days,
        ..HONEST
    };
    finds(rows_carry_their_conditions, &bug);
}

// --- a read that is not proved

fn doubt_takes_nobody(machine: &Machine, script: &Script) -> Result<(), TestCaseError> {
    let world = script.play(machine, Load::Touched);
    for source in 0..world.sources.len() {
        for fault in [
            Fault::Empty,
            Fault::PageFailed(3),
            Fault::Uncounted(3),
            Fault::Short(3),
        ] {
            // Two short reads an interval apart are two proved ones, where nobody can
            // be asked for.
            if fault == Fault::Short(3) && !world.sources[source].can_confirm {
                continue;
            }
            let plan = world.plan(machine, source, fault, Load::Everybody).unwrap();
            // A short read tells nothing of it, but whoever is asked for comes back;
            // those really gone are the ones whose record the source has no more.
            let reacts = |change: &Change| {
                change.situation == Situation::Gone
                    && change.effects.iter().any(|planned| planned.held.is_none())
            };
            let wrong: Vec<&Change> = plan
                .changes
                .iter()
                .filter(|change| reacts(change))
                .filter(|change| {
                    let there = |id| world.sources[source].records.contains_key(id);
                    fault != Fault::Short(3) || change.external_id.as_ref().is_some_and(there)
                })
                .filter(|change| {
                    // That silence began is no reaction: nothing is taken.
                    change
                        .effects
                        .iter()
                        .any(|one| one.held.is_none() && one.effect != Effect::MarkGone)
                })
                .collect();
            ensure(wrong.is_empty(), || format!("{fault:?}: {wrong:#?}"))?;
        }
    }
    Ok(())
}

/// Believes every read.
fn plan_without_doubt(input: Input<'_>) -> Result<Plan, PlanError> {
    let mut plan = muster_reconcile::plan(input)?;
    for planned in plan
        .changes
        .iter_mut()
        .flat_map(|change| &mut change.effects)
    {
        if planned.held == Some(HoldKind::Doubt) {
            planned.held = None;
        }
    }
    Ok(plan)
}

#[test]
fn a_read_that_is_not_proved_takes_nobody_for_gone() {
    holds(doubt_takes_nobody);
}

#[test]
fn the_law_of_doubt_finds_a_read_that_is_believed() {
    let bug = Machine {
        plan: plan_without_doubt,
        ..HONEST
    };
    finds(doubt_takes_nobody, &bug);
}

// --- the order in which connections run

fn order_decides_nothing(machine: &Machine, script: &Script) -> Result<(), TestCaseError> {
    let mut ends = Vec::new();
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let mut world = script.play_in_order(machine, order);
        settle(machine, &mut world, order);
        let seen: std::collections::BTreeMap<_, _> = world
            .seen()
            .into_iter()
            .map(|(name, seen)| (name, (seen.access, seen.employment, seen.owned)))
            .collect();
        ends.push(seen);
    }
    for end in &ends {
        for (name, first) in &ends[0] {
            ensure(end.get(name) == Some(first), || {
                format!("{name}: {first:#?} or {:#?}", end.get(name))
            })?;
        }
        ensure(end.len() == ends[0].len(), || "people".to_owned())?;
    }
    Ok(())
}

/// Lets every connection run until nothing follows any more.
fn settle(machine: &Machine, world: &mut World, order: [usize; 3]) {
    for _ in 0..6 {
        for source in order {
            world.run(machine, source, Fault::None, Load::Touched, true);
        }
        world.pass(4);
    }
}

/// The last one to run owns what it says.
fn plan_as_first_source(mut input: Input<'_>) -> Result<Plan, PlanError> {
    input.rank = 0;
    for touched in &mut input.touched {
        touched
            .others
            .iter_mut()
            .for_each(|other| other.says.clear());
    }
    for candidate in input.holders.candidates.values_mut() {
        candidate
            .others
            .iter_mut()
            .for_each(|other| other.says.clear());
    }
    muster_reconcile::plan(input)
}

#[test]
fn the_order_of_connections_decides_no_owner_and_no_access() {
    holds(order_decides_nothing);
}

#[test]
fn the_law_of_order_finds_a_source_that_owns_by_running_last() {
    let bug = Machine {
        plan: plan_as_first_source,
        ..HONEST
    };
    finds(order_decides_nothing, &bug);
}

// --- the shortcut

fn shortcut_equals_everybody(machine: &Machine, script: &Script) -> Result<(), TestCaseError> {
    let ends = [Load::Touched, Load::Everybody].map(|load| {
        let mut world = script.play(machine, load);
        // Days pass of which records spoke, and every source is read once more.
        world.pass(24 * 9);
        script.step(&mut world, machine, load, Step::ReadAll, [0, 1, 2]);
        world
    });
    let [short, full] = ends;
    let (short_seen, full_seen) = (short.seen(), full.seen());
    for (name, seen) in &full_seen {
        ensure(short_seen.get(name) == Some(seen), || {
            format!(
                "{name}: everybody {seen:#?}, touched {:#?}",
                short_seen.get(name)
            )
        })?;
    }
    ensure(short_seen.len() == full_seen.len(), || "people".to_owned())
}

#[test]
fn the_shortcut_and_loading_everybody_end_alike() {
    holds(shortcut_equals_everybody);
}

#[test]
fn the_law_of_the_shortcut_finds_rows_that_rest_while_held() {
    let bug = Machine {
        settles_held: true,
        ..HONEST
    };
    finds(shortcut_equals_everybody, &bug);
}

#[test]
fn the_law_of_the_shortcut_finds_people_whom_nobody_wakes() {
    let bug = Machine {
        wakes: false,
        ..HONEST
    };
    finds(shortcut_equals_everybody, &bug);
}

#[test]
fn the_law_of_the_shortcut_finds_days_that_pass_unnoticed() {
    let bug = Machine {
        minds_days: false,
        ..HONEST
    };
    finds(shortcut_equals_everybody, &bug);
}

// --- undo

/// Plays a script, lets a source run, and takes that back.
fn undo_restores(machine: &Machine, script: &Script) -> Result<(), TestCaseError> {
    for source in 0..3 {
        let mut world = script.play(machine, Load::Touched);
        let before = world.clone();
        let plan = world.run(machine, source, Fault::None, Load::Touched, false);
        let undoing = world.plan_undo(machine, source);
        ensure(undoing.left.is_empty(), || {
            format!(
                "source {source}: nothing was changed since: {:#?}",
                undoing.left
            )
        })?;
        world.apply_undo(machine, source, &undoing);
        let (was, is) = (plainly(&before), plainly(&world));
        for (name, was) in &was {
            ensure(is.get(name) == Some(was), || {
                format!(
                    "source {source}, {name}: {was:#?}, after the undo {:#?}",
                    is.get(name)
                )
            })?;
        }
        ensure(was.len() == is.len(), || "people".to_owned())?;
        let taken_back: BTreeSet<_> = undoing
            .plan
            .changes
            .iter()
            .filter_map(|change| change.external_id.clone())
            .collect();
        for load in [Load::Touched, Load::Everybody] {
            let mut world = world.clone();
            let again = world.run(machine, source, Fault::None, load, false);
            let back: Vec<&Change> = again
                .changes
                .iter()
                .filter(|change| !is_open(change))
                .filter(|change| {
                    let id = change.external_id.as_ref();
                    id.is_some_and(|id| taken_back.contains(id))
                })
                .collect();
            ensure(back.is_empty(), || {
                format!("source {source}, {load:?}: planned again {back:#?} after {plan:#?}")
            })?;
        }
    }
    Ok(())
}

/// The house without the word of employment among the fields: it follows the
/// employment, which is seen as well.
fn plainly(world: &World) -> std::collections::BTreeMap<String, world::Seen> {
    let mut seen = world.seen();
    for one in seen.values_mut() {
        one.fields.remove(&Field::EmploymentStatus);
    }
    seen
}

/// What was changed since the run is left alone, and the rest comes back.
fn undo_minds_the_hand(machine: &Machine, script: &Script) -> Result<(), TestCaseError> {
    let mut world = script.play(machine, Load::Touched);
    world.run(machine, 0, Fault::None, Load::Touched, true);
    let done = world.done.clone();
    let Some(person) = done.iter().find_map(|(change, _)| change.person) else {
        return Ok(());
    };
    world.edit(person, |person| {
        person
            .fields
            .put(Field::Phone, muster_model::Value::text("+4799999999"));
        person
            .fields
            .put(Field::Department, muster_model::Value::text("By hand"));
    });
    let undoing = world.plan_undo(machine, 0);
    world.apply_undo(machine, 0, &undoing);
    let fields = world
        .people
        .get(&person)
        .map(|person| person.fields.clone());
    let phone = fields.as_ref().and_then(|fields| fields.text(Field::Phone));
    ensure(phone == Some("+4799999999"), || {
        format!("{phone:?}, {undoing:#?}")
    })
}

/// Forgets to decline what it took back.
fn undo_without_declining(input: UndoInput<'_>) -> Undoing {
    let mut undoing = muster_reconcile::undo(input);
    for change in &mut undoing.plan.changes {
        change.effects.retain(|planned| {
            !matches!(
                planned.effect,
                Effect::Decide { .. } | Effect::DeclineRecord { .. }
            )
        });
    }
    undoing
}

/// Gives the field back, and not to whom it belonged.
fn undo_without_owners(input: UndoInput<'_>) -> Undoing {
    let mut undoing = muster_reconcile::undo(input);
    for change in &mut undoing.plan.changes {
        let given_back =
            |planned: &muster_model::plan::Planned| !matches!(planned.effect, Effect::Owner { .. });
        change.effects.retain(given_back);
    }
    undoing
}

/// Takes every row as if nobody had written since.
fn undo_over_the_hand(mut input: UndoInput<'_>) -> Undoing {
    for done in &mut input.rows {
        let Some(person) = &mut done.person else {
            continue;
        };
        for planned in &done.effects {
            if let Effect::Set { field, to, .. } = &planned.effect {
                person.fields.set(*field, to.clone().map(|said| said.value));
            }
        }
    }
    muster_reconcile::undo(input)
}

#[test]
fn undo_restores_what_nobody_changed_and_the_next_sync_plans_nothing() {
    holds(undo_restores);
}

#[test]
fn undo_leaves_alone_what_was_changed_since() {
    holds(undo_minds_the_hand);
}

#[test]
fn the_law_of_undo_finds_a_row_that_is_not_declined() {
    let bug = Machine {
        undo: undo_without_declining,
        ..HONEST
    };
    finds(undo_restores, &bug);
}

#[test]
fn the_law_of_undo_finds_an_owner_who_does_not_come_back() {
    let bug = Machine {
        undo: undo_without_owners,
        ..HONEST
    };
    finds(undo_restores, &bug);
}

#[test]
fn the_law_of_undo_finds_a_hand_that_is_overwritten() {
    let bug = Machine {
        undo: undo_over_the_hand,
        ..HONEST
    };
    finds(undo_minds_the_hand, &bug);
}

// --- the classes

fn classes_add_up(machine: &Machine, script: &Script) -> Result<(), TestCaseError> {
    let world = script.play(machine, Load::Touched);
    for source in 0..world.sources.len() {
        for fault in [Fault::None, Fault::Short(4), Fault::Empty] {
            let mut all = Vec::new();
            for load in [Load::Touched, Load::Everybody] {
                let plan = world.plan(machine, source, fault, load).unwrap();
                let people = plan.people;
                let sum = plan.counts().total();
                ensure(
                    sum == people.read - people.out_of_scope + people.gone,
                    || format!("{load:?}: {people:?}, {:?}", plan.counts()),
                )?;
                all.push((people, sum));
            }
            ensure(all[0] == all[1], || format!("{fault:?}: {all:?}"))?;
        }
    }
    Ok(())
}

/// Lays records down without counting them.
fn plan_without_counting(input: Input<'_>) -> Result<Plan, PlanError> {
    let mut plan = muster_reconcile::plan(input)?;
    let gone = |quiet: &&Quiet| quiet.rest == muster_model::plan::Rest::Gone;
    let uncounted = plan.quiet.iter().filter(gone).count() as u64;
    plan.resting.gone -= uncounted;
    Ok(plan)
}

#[test]
fn the_classes_add_up_to_the_records_in_scope_and_the_gone() {
    holds(classes_add_up);
}

#[test]
fn the_law_of_classes_finds_people_who_are_counted_nowhere() {
    let bug = Machine {
        plan: plan_without_counting,
        ..HONEST
    };
    finds(classes_add_up, &bug);
}

// --- access that was cut by hand

fn cut_by_hand_stays_cut(machine: &Machine, script: &Script) -> Result<(), TestCaseError> {
    let mut world = script.play(machine, Load::Touched);
    let Some(person) = world.people.keys().next().copied() else {
        return Ok(());
    };
    world.cut(person);
    for step in &script.steps {
        if !matches!(step, Step::Cut(_) | Step::Accept(_)) {
            script.step(&mut world, machine, Load::Touched, *step, [0, 1, 2]);
        }
    }
    settle(machine, &mut world, [0, 1, 2]);
    let access = world.people[&person].access;
    ensure(access.is_off(), || format!("{access:?}"))
}

/// Gives back whatever anybody took.
fn enact_restoring(change: &Change, mut state: State, context: &EnactContext<'_>) -> State {
    if let Some(person) = &mut state.person
        && person.access.is_off()
        && person.employment.runs()
    {
        person.access = person.access_before.unwrap_or_default();
    }
    muster_reconcile::enact(change, state, context)
}

#[test]
fn access_that_was_cut_by_hand_is_never_restored() {
    holds(cut_by_hand_stays_cut);
}

#[test]
fn the_law_of_the_hand_finds_a_restore_of_what_no_sync_took() {
    let bug = Machine {
        enact: enact_restoring,
        ..HONEST
    };
    finds(cut_by_hand_stays_cut, &bug);
}
