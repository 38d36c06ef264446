//! What people decide about the rows of a plan, from the file to the end state,
//! on both databases.

use std::collections::BTreeSet;

use muster_engine::EngineError;
use muster_engine::deciding::{Decided, Line};
use muster_model::plan::{Change, Effect};
use muster_model::report::{Outcome, Trigger};
use muster_model::{Access, DoubtKind, ExternalId, Field, HoldKind, Preset, Value};
use muster_sandbox::company::{Company, Phone, Rehearsal};
use muster_storage::OutboxState;

use crate::world::{DatabaseKind, Setting, World, plain_staff, rehearsal, without};

/// A firm of a few people whom nothing happens to by itself.
pub(crate) fn firm(rehearsal: &Rehearsal, people: usize) -> (Company, Vec<u64>) {
    let mut company = rehearsal.on_day(0);
    let mut staff = plain_staff(rehearsal, 0);
    staff.retain(|id| {
        let one = company.employees.iter().find(|one| one.id == *id).unwrap();
        one.phone.is_some() && one.national_id.is_none()
    });
    if staff.len() < people {
        staff = plain_staff(rehearsal, 0);
    }
    staff.truncate(people);
    company.employees.retain(|one| staff.contains(&one.id));
    for one in &mut company.employees {
        one.manager = None;
    }
    (company, staff)
}

pub(crate) fn dialled(mut company: Company, record: u64, number: &str) -> Company {
    for employee in &mut company.employees {
        if employee.id == record {
            employee.version += 1;
            employee.phone = Some(Phone {
                country: Some("NO".to_owned()),
                number: number.to_owned(),
            });
        }
    }
    company
}

pub(crate) async fn world(kind: DatabaseKind, company: Company, preset: Preset) -> World {
    let rehearsal = rehearsal(60, 1);
    let world = World::unconnected(Setting {
        database: kind,
        company,
        page_size: 50,
        ..Setting::rehearsed(&rehearsal, 0)
    })
    .await;
    let mut wish = world.wish();
    wish.preset = preset;
    world.connect(wish).await;
    world
}

/// A plan as somebody looks at it.
pub(crate) struct Seen {
    pub(crate) id: String,
    pub(crate) rows: Vec<Change>,
}

impl Seen {
    pub(crate) async fn of(world: &World) -> Self {
        let planned = world.plan().await.planned.unwrap();
        Self {
            id: planned.id.to_string(),
            rows: planned.plan.changes,
        }
    }

    pub(crate) fn row(&self, record: u64) -> usize {
        let id = ExternalId::new(record.to_string());
        self.rows
            .iter()
            .position(|row| row.external_id.as_ref() == Some(&id))
            .unwrap_or_else(|| panic!("no row of {record}"))
    }

    /// Every row with its record.
    pub(crate) fn records(&self) -> impl Iterator<Item = (u64, &Change)> {
        self.rows.iter().filter_map(|row| {
            let id = row.external_id.as_ref()?.as_str().parse().ok()?;
            Some((id, row))
        })
    }

    /// The line of a record with its cells, decided so.
    pub(crate) fn line(&self, record: u64, decision: &str) -> Line {
        let place = self.row(record);
        let row = &self.rows[place];
        let held = row.effects.iter().find_map(|planned| planned.held);
        let field = row.effects.iter().find_map(|planned| match planned.effect {
            Effect::Conflict { field, .. } => Some(field.name()),
            _ => None,
        });
        let older = if row.is_older() {
            muster_engine::deciding::OLDER
        } else {
            ""
        };
        Line {
            number: place as u64 + 2,
            plan: self.id.clone(),
            row: place.to_string(),
            external_id: record.to_string(),
            field: field.unwrap_or_default().to_owned(),
            held: held.map_or(older, HoldKind::word).to_owned(),
            decision: decision.to_owned(),
            ..Line::default()
        }
    }
}

pub(crate) async fn try_to_decide(
    world: &World,
    seen: &Seen,
    lines: &[Line],
) -> Result<Decided, EngineError> {
    world
        .engine
        .decide(&world.organisation, &seen.id, lines)
        .await
}

pub(crate) async fn decide(world: &World, seen: &Seen, lines: &[Line]) -> Decided {
    match try_to_decide(world, seen, lines).await {
        Ok(decided) => decided,
        Err(EngineError::Decisions { problems }) => panic!("{problems:?}"),
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn problems(result: Result<Decided, EngineError>) -> Vec<(u64, &'static str)> {
    match result {
        Err(EngineError::Decisions { problems }) => problems
            .iter()
            .map(|problem| (problem.line, problem.code))
            .collect(),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn phone(world: &World, record: u64) -> Option<String> {
    let person = world.person(record).await;
    person.fields.text(Field::Phone).map(str::to_owned)
}

pub(crate) async fn dial_here(world: &World, record: u64, number: &str) {
    let mut person = world.person(record).await;
    person.fields.put(Field::Phone, Value::text(number));
    assert_eq!(world.write(vec![person]).await.unwrap(), []);
}

/// A mirrored firm of which everybody is known.
pub(crate) async fn mirrored(kind: DatabaseKind, company: &Company, staff: &[u64]) -> World {
    let world = world(kind, company.clone(), Preset::Mirror).await;
    let seen = Seen::of(&world).await;
    let lines: Vec<Line> = staff.iter().map(|id| seen.line(*id, "create")).collect();
    let decided = decide(&world, &seen, &lines).await;
    assert_eq!(decided.made.report.counts.created, staff.len() as u64);
    world.sync_well().await;
    world
}

#[tokio::test]
async fn what_is_new_is_created_or_left_and_nobody_is_asked_again() {
    for kind in DatabaseKind::all() {
        let (company, staff) = firm(&rehearsal(60, 1), 5);
        let world = world(kind, company.clone(), Preset::Mirror).await;
        let asked = world.sync_well().await;
        assert_eq!(
            (asked.counts.conflicts, asked.outcome),
            (5, Outcome::Partial)
        );
        assert_eq!(world.people().await.len(), 0);

        let seen = Seen::of(&world).await;
        let lines = [
            seen.line(staff[0], "create"),
            seen.line(staff[1], " Create "),
            seen.line(staff[2], "leave"),
            seen.line(staff[3], ""),
        ];
        let decided = decide(&world, &seen, &lines).await;
        let report = &decided.made.report;
        assert_eq!((decided.taken, decided.refused.len()), (3, 0));
        assert_eq!(report.trigger, Trigger::Decision);
        assert_eq!(report.counts.created, 2, "{:?}", report.counts);
        assert_eq!(report.counts.ignored, 1, "{:?}", report.counts);
        assert_eq!(report.counts.conflicts, 2, "{:?}", report.counts);
        assert_eq!(report.outcome, Outcome::Partial);
        assert_eq!(world.linked().await.len(), 2);

        // The same file again: what was done is done, and says so.
        let again = decide(&world, &seen, &lines).await;
        let codes: Vec<_> = again.refused.iter().map(|one| one.code).collect();
        assert_eq!(codes, ["decision.row_done"; 3]);
        assert_eq!(world.people().await.len(), 2);

        let next = world.sync_well().await;
        assert_eq!(next.counts.conflicts, 2, "{:?}", next.counts);
        assert_eq!((next.counts.unchanged, next.counts.ignored), (2, 1));
        // Another telephone number asks nobody again; another address does.
        let mut moved = dialled(company, staff[2], "41234567");
        world.turn_to(moved.clone());
        assert_eq!(world.sync_well().await.counts.ignored, 1);
        for employee in &mut moved.employees {
            if employee.id == staff[2] {
                employee.version += 1;
                employee.work_email = Some("somebody.else@fjordlys.example".to_owned());
            }
        }
        world.turn_to(moved);
        let asked = world.sync_well().await;
        assert_eq!((asked.counts.conflicts, asked.counts.ignored), (3, 0));
        world.end().await;
    }
}

#[tokio::test]
async fn hum_12_hum_13_a_conflict_is_listed_and_ends_as_decided_and_a_skip_holds() {
    for kind in DatabaseKind::all() {
        let (company, staff) = firm(&rehearsal(60, 1), 4);
        let world = mirrored(kind, &company, &staff).await;
        let mut both = company.clone();
        for (place, record) in staff.iter().enumerate() {
            both = dialled(both, *record, &format!("4000000{place}"));
        }
        world.turn_to(both.clone());
        for (place, record) in staff.iter().enumerate() {
            dial_here(&world, *record, &format!("+479000000{place}")).await;
        }
        let seen = Seen::of(&world).await;
        assert_eq!(seen.rows.len(), 4);
        let lines = [
            seen.line(staff[0], "theirs"),
            seen.line(staff[1], "ours"),
            seen.line(staff[2], "skip"),
        ];
        let decided = decide(&world, &seen, &lines).await;
        let report = decided.made.report;
        assert_eq!(report.counts.conflicts, 1, "{:?}", report.counts);
        assert_eq!(report.target.queued, 1);
        assert_eq!(
            phone(&world, staff[0]).await.as_deref(),
            Some("+4740000000")
        );
        assert_eq!(
            phone(&world, staff[1]).await.as_deref(),
            Some("+4790000001")
        );
        assert_eq!(
            phone(&world, staff[2]).await.as_deref(),
            Some("+4790000002")
        );
        let mut reader = world
            .engine
            .storage()
            .read(world.organisation.id)
            .await
            .unwrap();
        let sent = reader.outbox(OutboxState::Sent, 10).await.unwrap();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].message.body["ours"]["phone"], "+4790000001");
        drop(reader);

        for _ in 0..2 {
            let seen = Seen::of(&world).await;
            let asking: Vec<_> = seen
                .rows
                .iter()
                .filter(|row| {
                    let asks = |planned: &muster_model::plan::Planned| {
                        matches!(planned.effect, Effect::Conflict { .. })
                    };
                    row.effects.iter().any(asks)
                })
                .collect();
            assert_eq!(
                asking.len(),
                1,
                "only the one that nobody decided: {asking:?}"
            );
        }
        // The source moves: the skip was about the other number.
        world.turn_to(dialled(both, staff[2], "40000009"));
        let seen = Seen::of(&world).await;
        let row = &seen.rows[seen.row(staff[2])];
        assert!(
            matches!(row.effects[0].effect, Effect::Conflict { .. }),
            "{row:?}"
        );
        world.end().await;
    }
}

#[tokio::test]
async fn bey_4_whoever_is_linked_by_a_person_is_taken_apart_and_stays_so() {
    for kind in DatabaseKind::all() {
        let (company, staff) = firm(&rehearsal(60, 1), 4);
        let twin = company
            .employees
            .iter()
            .find(|one| one.id == staff[0])
            .unwrap();
        let world = world(kind, company.clone(), Preset::Provision).await;
        // Two people here have the address of one record there.
        let [one, other] = world.add_by_hand_twice(twin).await;
        let asked = world.sync_well().await;
        assert_eq!(asked.counts.ambiguous, 1, "{:?}", asked.counts);
        let people = world.people().await.len();

        let seen = Seen::of(&world).await;
        let nobody = seen.line(staff[0], "link:nobody@nowhere.example");
        let refused = try_to_decide(&world, &seen, &[nobody]).await;
        assert_eq!(problems(refused), [(2, "person.unknown")]);
        let decided = decide(
            &world,
            &seen,
            &[seen.line(staff[0], &format!("link:{one}"))],
        )
        .await;
        assert_eq!(decided.made.report.counts.linked, 1);
        assert_eq!(world.linked().await[&staff[0]], one);
        assert_eq!(world.sync_well().await.outcome, Outcome::Ok);
        let owned = world.person(staff[0]).await.owners;
        assert!(!owned.is_empty(), "the next sync brings the fields");

        let unlinked = world
            .engine
            .unlink(
                &world.organisation,
                &one.to_string(),
                crate::world::TRIPLETEX,
            )
            .await
            .unwrap();
        assert_eq!(unlinked.records, [ExternalId::new(staff[0].to_string())]);
        assert_eq!(unlinked.fields.len(), owned.len());
        let again = world
            .engine
            .unlink(
                &world.organisation,
                &one.to_string(),
                crate::world::TRIPLETEX,
            )
            .await;
        assert_eq!(again.unwrap_err().code(), "link.none");
        for _ in 0..2 {
            let report = world.sync_well().await;
            assert_eq!((report.outcome, report.counts.ignored), (Outcome::Ok, 1));
            assert!(!world.linked().await.contains_key(&staff[0]));
        }
        assert_eq!(world.people().await.len(), people, "nobody is made or lost");
        let free = world
            .people()
            .await
            .into_iter()
            .find(|person| person.id == one)
            .unwrap();
        assert!(free.owners.is_empty() && free.engagements.is_empty());
        assert_eq!(free.access, Access::Active, "access stays as it is");

        // Somebody says who it is after all, without a row in the plan.
        let seen = Seen::of(&world).await;
        let by_hand = Line {
            number: 2,
            external_id: staff[0].to_string(),
            decision: format!("link:{other}"),
            ..Line::default()
        };
        let decided = decide(&world, &seen, &[by_hand]).await;
        assert_eq!(decided.later, 1);
        let report = world.sync_well().await;
        assert_eq!(report.counts.linked, 1, "{:?}", report.counts);
        assert_eq!(world.linked().await[&staff[0]], other);
        assert_eq!(world.sync_well().await.outcome, Outcome::Ok);
        world.end().await;
    }
}

#[tokio::test]
async fn an_older_record_is_doubted_until_a_person_accepts_it() {
    for kind in DatabaseKind::all() {
        let (mut company, staff) = firm(&rehearsal(60, 1), 6);
        for employee in &mut company.employees {
            employee.version += 10;
        }
        let world = world(kind, company.clone(), Preset::Provision).await;
        world.sync_well().await;
        // A backup was restored: two records are what they were, for good.
        for employee in &mut company.employees {
            if staff[..2].contains(&employee.id) {
                employee.version -= 5;
            }
        }
        company = dialled(company, staff[2], "41111111");
        for employee in &mut company.employees {
            if employee.id == staff[0] {
                employee.phone = Some(Phone {
                    country: Some("NO".to_owned()),
                    number: "42222222".to_owned(),
                });
            }
        }
        world.turn_to(company);
        for _ in 0..2 {
            let report = world.sync_well().await;
            assert!(report.evidence.has(DoubtKind::OlderThanLastRead));
        }
        let seen = Seen::of(&world).await;
        let refused = try_to_decide(&world, &seen, &[seen.line(staff[0], "refuse")]).await;
        assert_eq!(problems(refused)[0].1, "decision.unfit");
        decide(&world, &seen, &[seen.line(staff[0], "release")]).await;
        let report = world.sync_well().await;
        assert!(
            report.evidence.has(DoubtKind::OlderThanLastRead),
            "one is left"
        );
        assert_eq!(
            phone(&world, staff[0]).await.as_deref(),
            Some("+4742222222")
        );
        let seen = Seen::of(&world).await;
        let all = Line {
            number: 2,
            held: muster_engine::deciding::OLDER.to_owned(),
            decision: "release".to_owned(),
            ..Line::default()
        };
        decide(&world, &seen, &[all]).await;
        let report = world.sync_well().await;
        assert_eq!(report.evidence.doubts, []);
        assert_eq!((report.outcome, report.counts.unchanged), (Outcome::Ok, 6));
        world.end().await;
    }
}

#[tokio::test]
async fn a_field_that_goes_back_and_forth_is_frozen_until_a_person_or_a_day_decides() {
    for kind in DatabaseKind::all() {
        let (company, staff) = firm(&rehearsal(60, 1), 3);
        let mut company = dialled(company, staff[0], "40000001");
        let world = world(kind, company.clone(), Preset::Provision).await;
        world.sync_well().await;
        let mut say = async |number: &str| {
            let before = world.clock.today();
            company = dialled(company.clone(), staff[0], number);
            company.as_of = before;
            world.sandbox.set_company(company.clone());
            world.clock.wait(1);
            world.sync_well().await
        };
        for number in ["40000002", "40000001", "40000002"] {
            let report = say(number).await;
            assert_eq!(report.counts.updated, 1);
        }
        let frozen = say("40000001").await;
        assert_eq!(
            (frozen.counts.updated, frozen.counts.conflicts),
            (0, 1),
            "{:?}",
            frozen.counts
        );
        assert_eq!(frozen.outcome, Outcome::Partial);
        assert_eq!(
            phone(&world, staff[0]).await.as_deref(),
            Some("+4740000002")
        );
        let seen = Seen::of(&world).await;
        let row = &seen.rows[seen.row(staff[0])];
        assert!(
            row.reasons
                .iter()
                .any(|reason| reason.code == "compare.frozen"),
            "{row:?}"
        );
        // Nothing of ours goes to a source that owns the field.
        let ours = try_to_decide(&world, &seen, &[seen.line(staff[0], "ours")]).await;
        assert_eq!(problems(ours)[0].1, "decision.inwards_only");
        let decided = decide(&world, &seen, &[seen.line(staff[0], "theirs")]).await;
        assert_eq!(decided.made.report.counts.updated, 1);
        assert_eq!(
            phone(&world, staff[0]).await.as_deref(),
            Some("+4740000001")
        );
        assert_eq!(world.sync_well().await.outcome, Outcome::Ok);

        // It begins again, and this time nobody looks: a quiet day lets it through.
        for number in ["40000002", "40000001", "40000002"] {
            assert_eq!(
                say(number).await.counts.updated,
                1,
                "decided, so it begins anew"
            );
        }
        assert_eq!(say("40000001").await.counts.conflicts, 1);
        world.clock.wait(24);
        let thawed = world.sync_well().await;
        assert_eq!((thawed.counts.updated, thawed.outcome), (1, Outcome::Ok));
        assert_eq!(
            phone(&world, staff[0]).await.as_deref(),
            Some("+4740000001")
        );
        world.end().await;
    }
}

#[tokio::test]
async fn hum_21_a_decision_overwrites_no_value_that_changed_after_the_comparison() {
    for kind in DatabaseKind::all() {
        let (company, staff) = firm(&rehearsal(60, 1), 3);
        let world = mirrored(kind, &company, &staff).await;
        let mut both = company;
        for record in &staff[..2] {
            both = dialled(both, *record, "40000001");
        }
        world.turn_to(both);
        for record in &staff[..2] {
            dial_here(&world, *record, "+4790000001").await;
        }
        let seen = Seen::of(&world).await;
        // Somebody types a third number while the file is being filled in.
        dial_here(&world, staff[0], "+4790000002").await;
        let lines = [seen.line(staff[0], "theirs"), seen.line(staff[1], "theirs")];
        let report = decide(&world, &seen, &lines).await.made.report;
        assert_eq!((report.counts.failed, report.counts.updated), (1, 1));
        assert_eq!(report.outcome, Outcome::Partial);
        assert_eq!(
            phone(&world, staff[0]).await.as_deref(),
            Some("+4790000002")
        );
        assert_eq!(
            phone(&world, staff[1]).await.as_deref(),
            Some("+4740000001")
        );
        // The old decision was about the old number: it is asked about again.
        let next = world.sync_well().await;
        assert_eq!((next.counts.conflicts, next.counts.updated), (1, 0));
        assert_eq!(
            phone(&world, staff[0]).await.as_deref(),
            Some("+4790000002")
        );
        world.end().await;
    }
}

#[tokio::test]
async fn a_file_is_taken_as_a_whole_or_not_at_all() {
    for kind in DatabaseKind::all() {
        let (company, staff) = firm(&rehearsal(60, 1), 4);
        let world = mirrored(kind, &company, &staff[..2]).await;
        let both = dialled(company, staff[0], "40000001");
        world.turn_to(both);
        dial_here(&world, staff[0], "+4790000001").await;
        let seen = Seen::of(&world).await;
        let numbered = |number: u64, line: Line| Line { number, ..line };
        let good = numbered(2, seen.line(staff[0], "theirs"));
        let runs = world
            .engine
            .runs(&world.organisation, 100)
            .await
            .unwrap()
            .len();
        for (bad, code) in [
            (seen.line(staff[0], "perhaps"), "decision.unknown"),
            (seen.line(staff[0], "create"), "decision.unfit"),
            (seen.line(staff[0], "release"), "decision.unfit"),
            (seen.line(staff[0], "ours"), "decision.twice"),
            (seen.line(staff[2], "theirs"), "decision.unfit"),
            (
                Line {
                    external_id: staff[3].to_string(),
                    ..seen.line(staff[2], "leave")
                },
                "decision.other_row",
            ),
            (
                Line {
                    row: "999".to_owned(),
                    ..seen.line(staff[2], "leave")
                },
                "decision.no_row",
            ),
            (
                Line {
                    plan: "another".to_owned(),
                    ..seen.line(staff[2], "leave")
                },
                "decision.other_plan",
            ),
            (
                Line {
                    held: "doubt".to_owned(),
                    decision: "release".to_owned(),
                    ..Line::default()
                },
                "decision.not_releasable",
            ),
            (
                Line {
                    held: "create".to_owned(),
                    decision: "theirs".to_owned(),
                    ..Line::default()
                },
                "decision.no_row",
            ),
        ] {
            let refused = try_to_decide(&world, &seen, &[good.clone(), numbered(3, bad)]).await;
            assert_eq!(problems(refused), [(3, code)]);
            assert_eq!(
                phone(&world, staff[0]).await.as_deref(),
                Some("+4790000001")
            );
        }
        let now = world
            .engine
            .runs(&world.organisation, 100)
            .await
            .unwrap()
            .len();
        assert_eq!(runs, now, "a file that is refused is no run");
        decide(&world, &seen, &[good]).await;
        assert_eq!(
            phone(&world, staff[0]).await.as_deref(),
            Some("+4740000001")
        );
        world.end().await;
    }
}

#[tokio::test]
async fn nobody_decides_that_one_human_is_two_or_two_are_one() {
    let rehearsal = rehearsal(60, 1);
    let company = rehearsal.on_day(0);
    let world = world(
        DatabaseKind::of_this_run(),
        without(company.clone(), &[]),
        Preset::Mirror,
    )
    .await;
    let seen = Seen::of(&world).await;
    let lines: Vec<Line> = seen
        .rows
        .iter()
        .filter(|row| row.situation == muster_model::Situation::New)
        .map(|row| {
            let id = row.external_id.as_ref().unwrap().as_str().parse().unwrap();
            seen.line(id, "create")
        })
        .collect();
    let decided = decide(&world, &seen, &lines).await;
    let made = decided.made.report.counts.created;
    assert_eq!(made, lines.len() as u64);
    // Each record is one person, and each person one record.
    let linked = world.linked().await;
    let people: BTreeSet<_> = linked.values().collect();
    assert_eq!((linked.len() as u64, people.len() as u64), (made, made));
    world.end().await;
}
