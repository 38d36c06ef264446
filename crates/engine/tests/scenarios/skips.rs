//! Whatever happens, in whatever order: what somebody skipped stays quiet.

use std::collections::{BTreeMap, BTreeSet};

use muster_engine::deciding::Line;
use muster_model::Field;
use muster_model::plan::Effect;
use muster_sandbox::company::Company;

use crate::decisions::{Seen, decide, dial_here, dialled, firm, mirrored, phone};
use crate::world::{DatabaseKind, World, rehearsal};

/// Numbers of a stream that is the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

/// Whatever is said, dialled, decided and synced, in whatever order: a pair of
/// values that somebody skipped is not asked about again while it stands, and no
/// record is ever two people.
#[tokio::test]
async fn a_skipped_pair_stays_quiet_and_no_record_becomes_two_people() {
    const NUMBERS: [&str; 6] = [
        "40000001", "40000002", "40000003", "40000004", "40000005", "40000006",
    ];
    let (mut checked, mut skips, mut made) = (0, 0, 0);
    for kind in DatabaseKind::all() {
        for seed in 1..=3_u64 {
            let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let (mut company, staff) = firm(&rehearsal(60, 1), 4);
            let world = mirrored(kind, &company, &staff[..2]).await;
            let mut skipped: BTreeMap<u64, (Option<String>, Option<String>)> = BTreeMap::new();
            let mut created = 2;
            for _ in 0..18 {
                let record = staff[dice.roll(staff.len())];
                let number = NUMBERS[dice.roll(NUMBERS.len())];
                let linked = world.linked().await;
                let action = dice.roll(6);
                match action {
                    0 => {
                        company = dialled(company, record, number);
                        world.sandbox.set_company(company.clone());
                    }
                    1 | 2 => {
                        let record = if linked.contains_key(&record) {
                            record
                        } else {
                            staff[0]
                        };
                        dial_here(&world, record, &format!("+47{number}")).await;
                        // Most often the source moves too, and nobody can know who is right.
                        let theirs = NUMBERS[dice.roll(NUMBERS.len())];
                        company = dialled(company, record, theirs);
                        world.sandbox.set_company(company.clone());
                    }
                    3 => {
                        world.sync_well().await;
                    }
                    _ => {}
                }
                // What both moved is looked at while it stands.
                if !matches!(action, 0 | 3) {
                    let seen = Seen::of(&world).await;
                    let mut lines = Vec::new();
                    for (record, row) in seen.records() {
                        let asks = |planned: &muster_model::plan::Planned| {
                            matches!(
                                planned.effect,
                                Effect::Conflict {
                                    field: Field::Phone,
                                    ..
                                }
                            )
                        };
                        let conflict = row.effects.iter().any(asks);
                        let now = (theirs(&company, record), our_phone(&world, record).await);
                        if skipped.get(&record) == Some(&now) {
                            assert!(!conflict, "asked again: seed {seed}, record {record}");
                            checked += 1;
                        }
                        let words: &[&str] = if conflict {
                            &["theirs", "ours", "skip", "skip", "skip", ""]
                        } else if row.situation == muster_model::Situation::New {
                            &["create", "create", "leave", ""]
                        } else {
                            &[""]
                        };
                        let word = words[dice.roll(words.len())];
                        if conflict && !word.is_empty() {
                            skipped.remove(&record);
                        }
                        if word == "skip" {
                            skips += 1;
                            skipped.insert(record, now);
                        }
                        lines.push(Line {
                            field: if conflict { "phone" } else { "" }.to_owned(),
                            ..seen.line(record, word)
                        });
                    }
                    // Skipped pairs that have no row are quiet as well.
                    checked += skipped.len();
                    let report = decide(&world, &seen, &lines).await.made.report;
                    created += report.counts.created;
                }
                let linked = world.linked().await;
                let people: BTreeSet<_> = linked.values().collect();
                assert_eq!(people.len(), linked.len(), "two records are one person");
                assert_eq!(world.people().await.len() as u64, created);
                assert_eq!(
                    linked.len() as u64,
                    created,
                    "each was made of its record, once"
                );
            }
            made += created;
            world.end().await;
        }
    }
    println!("{skips} skips, looked at {checked} times, {made} people made");
    assert!(
        skips > 5 && checked > 5 && made > 5,
        "{skips} skips, looked at {checked} times, {made} people made"
    );
}

fn theirs(company: &Company, record: u64) -> Option<String> {
    let employee = company.employees.iter().find(|one| one.id == record)?;
    employee.phone.as_ref().map(|phone| phone.number.clone())
}

async fn our_phone(world: &World, record: u64) -> Option<String> {
    if world.linked().await.contains_key(&record) {
        phone(world, record).await
    } else {
        None
    }
}
