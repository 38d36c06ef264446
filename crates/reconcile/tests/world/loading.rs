//! Makes the planner's input of the world, as the engine does of its database.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::tz::TimeZone;
use muster_model::plan::RestCounts;
use muster_model::{Access, ExternalId, Fields, Link, MatchKey, PersonId, Presence, SourceRecord};
use muster_reconcile::{
    Candidate, Confirmation, Input, KeyHolders, ManagerIndex, OtherLink, RecordHolder, Sibling,
    Touched,
};

use super::{Fault, Load, Source, World};

/// Calls with the input of a read.
pub(crate) fn with_input<T>(
    world: &World,
    place: usize,
    fault: Fault,
    load: Load,
    minds_days: bool,
    call: impl FnOnce(Input<'_>) -> T,
) -> T {
    let source = &world.sources[place];
    let zone = |_: &Fields| TimeZone::UTC;
    let visible = source.visible(fault);
    let (touched, untouched) = touched(world, place, &visible, load, minds_days);
    let mut input = Input {
        connection: source.id,
        rank: source.rank,
        policy: &source.policy,
        key: &world.key,
        now: world.now,
        today: world.today(),
        zone_of: &zone,
        account: None,
        evidence: source.evidence(fault),
        summary: source.summary(fault),
        history: &source.history,
        linked: source
            .links
            .values()
            .filter(|link| link.gone_since.is_none())
            .count() as u64,
        untouched,
        holders: holders(world, place, &visible, &touched),
        touched,
        confirmations: BTreeMap::new(),
        can_confirm: source.can_confirm,
        other_sources: world
            .sources
            .iter()
            .filter(|other| other.id != source.id)
            .map(|other| other.last_read)
            .collect(),
        let_through: let_through(world, source),
        administrators: world
            .people
            .values()
            .filter(|person| person.standing.administrator && person.access == Access::Active)
            .count() as u64,
        managers: managers(world, source),
    };
    input.confirmations = muster_reconcile::questions(&input)
        .into_iter()
        .map(|id| {
            let there = source.records.contains_key(&id);
            let answer = if there {
                Confirmation::Present
            } else {
                Confirmation::NotThere
            };
            (id, answer)
        })
        .collect();
    call(input)
}

fn touched(
    world: &World,
    place: usize,
    visible: &BTreeSet<ExternalId>,
    load: Load,
    minds_days: bool,
) -> (Vec<Touched>, RestCounts) {
    let source = &world.sources[place];
    let mut untouched = RestCounts::default();
    let mut all = Vec::new();
    let ids: BTreeSet<&ExternalId> = visible.iter().chain(source.links.keys()).collect();
    for id in ids {
        let record = source.records.get(id).filter(|_| visible.contains(id));
        let digest = record.map(|record| record.digest(&world.key));
        if load == Load::Touched && !source.is_touched(id, digest, world.today(), minds_days) {
            untouched.add(source.rests[id].rest, 1);
            continue;
        }
        let link = source.links.get(id);
        let person = link.and_then(|link| world.people.get(&link.person));
        all.push(Touched {
            external_id: Some(id.clone()),
            record: record.cloned(),
            digest,
            link: link.cloned(),
            person: person.cloned(),
            others: person.map_or_else(Vec::new, |person| others(world, place, person.id)),
            siblings: person.map_or_else(Vec::new, |person| {
                siblings(world, place, person.id, Some(id))
            }),
            decisions: source
                .declined
                .get(id)
                .map(|about| muster_model::RecordDecision {
                    external_id: id.clone(),
                    matter: muster_model::Matter::Match,
                    answer: muster_model::Answer::Declined,
                    about: *about,
                    plan: None,
                })
                .into_iter()
                .collect(),
        });
    }
    (all, untouched)
}

fn others(world: &World, place: usize, person: PersonId) -> Vec<OtherLink> {
    let mut all = Vec::new();
    for (other, source) in world.sources.iter().enumerate() {
        let links = source.links.values().filter(|link| link.person == person);
        all.extend(links.filter(|_| other != place).map(|link| OtherLink {
            connection: source.id,
            rank: source.rank,
            present: link.gone_since.is_none(),
            says: source.says(link, world.today()),
        }));
    }
    all
}

fn siblings(
    world: &World,
    place: usize,
    person: PersonId,
    but: Option<&ExternalId>,
) -> Vec<Sibling> {
    let source = &world.sources[place];
    let other = |link: &&Link| link.person == person && Some(&link.external_id) != but;
    source
        .links
        .values()
        .filter(other)
        .map(|link| Sibling {
            external_id: link.external_id.clone(),
            present: link.gone_since.is_none(),
            engagements: link
                .said
                .value(muster_model::Field::Engagements)
                .and_then(muster_model::Value::as_engagements)
                .unwrap_or_default()
                .to_vec(),
            says: source.says(link, world.today()),
        })
        .collect()
}

fn holders(
    world: &World,
    place: usize,
    visible: &BTreeSet<ExternalId>,
    touched: &[Touched],
) -> KeyHolders {
    let source = &world.sources[place];
    let mut holders = KeyHolders::default();
    let unlinked = touched.iter().filter(|touched| touched.link.is_none());
    let keys: BTreeSet<_> = unlinked
        .filter_map(|touched| touched.record.as_ref())
        .flat_map(|record| {
            MatchKey::ALL
                .into_iter()
                .filter_map(|key| Some((key, key.digest(&record.fields, &world.key)?)))
        })
        .collect();
    for person in world.people.values() {
        for key in MatchKey::ALL {
            let Some(digest) = key.digest(&person.fields, &world.key) else {
                continue;
            };
            if keys.contains(&(key, digest)) {
                holders
                    .people
                    .entry((key, digest))
                    .or_default()
                    .push(person.id);
                holders
                    .candidates
                    .entry(person.id)
                    .or_insert_with(|| candidate(world, place, visible, person.id));
            }
        }
    }
    for record in source.records.values() {
        if !visible.contains(&record.external_id) {
            continue;
        }
        for key in MatchKey::ALL {
            let Some(digest) = key.digest(&record.fields, &world.key) else {
                continue;
            };
            if keys.contains(&(key, digest)) {
                holders
                    .records
                    .entry((key, digest))
                    .or_default()
                    .push(RecordHolder {
                        external_id: record.external_id.clone(),
                        linked: source.links.contains_key(&record.external_id),
                        running: is_running(world, source, record),
                    });
            }
        }
    }
    holders
}

fn is_running(world: &World, source: &Source, record: &SourceRecord) -> bool {
    let covered = muster_reconcile::scope::judge(&source.policy, record, false)
        == muster_reconcile::scope::Scope::In;
    let over = muster_model::engagement::employment_on(
        record.engagements().unwrap_or_default(),
        world.today(),
    ) == Some(muster_model::EngagementStatus::Ended);
    covered && record.presence == Presence::Present && !over
}

fn candidate(
    world: &World,
    place: usize,
    visible: &BTreeSet<ExternalId>,
    person: PersonId,
) -> Candidate {
    let source = &world.sources[place];
    Candidate {
        person: world.people[&person].clone(),
        others: others(world, place, person),
        siblings: siblings(world, place, person, None),
        linked_here: source
            .links
            .values()
            .filter(|link| link.person == person)
            .map(|link| {
                (
                    link.external_id.clone(),
                    visible.contains(&link.external_id),
                )
            })
            .collect(),
        recycled: MatchKey::ALL
            .into_iter()
            .filter(|key| world.recycled.contains(&(person, *key)))
            .collect(),
    }
}

fn let_through(world: &World, source: &Source) -> BTreeMap<muster_model::policy::BrakeKind, u64> {
    let day_ago = world.now.checked_sub(24.hours()).unwrap();
    let mut passed = BTreeMap::new();
    for (at, kind, rows) in &source.let_through {
        if *at > day_ago {
            *passed.entry(*kind).or_default() += rows;
        }
    }
    passed
}

fn managers(world: &World, source: &Source) -> ManagerIndex {
    ManagerIndex {
        records: source
            .links
            .values()
            .map(|link| (link.external_id.clone(), link.person))
            .collect(),
        addresses: BTreeMap::new(),
        edges: world
            .people
            .values()
            .filter_map(|person| Some((person.id, person.manager?)))
            .collect(),
    }
}
