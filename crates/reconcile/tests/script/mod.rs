//! What happens in a made-up house: people, and steps that befall them.

use jiff::ToSpan;
use muster_model::policy::{EmptyRule, Flow, Policy};
use muster_model::{
    Access, EngagementStatus, Field, PersonId, Presence, Preset, Said, SourceRecord,
};
use proptest::prelude::*;

use crate::world::cast::{employ, engagement, know, record, say};
use crate::world::{Fault, Load, Machine, World};

/// How many scripts each law is tried on; a long proof asks for more with
/// `MUSTER_LAW_CASES`.
pub(crate) fn cases() -> u32 {
    std::env::var("MUSTER_LAW_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(48)
}

/// A house and what befalls it.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// How many humans there are.
    pub(crate) people: usize,
    /// Which of the three sources have which humans, and with which values.
    pub(crate) mix: u64,
    /// What happens, in order.
    pub(crate) steps: Vec<Step>,
}

/// One thing that happens. Numbers choose a human, a source or a variant by
/// their remainder, so that any number means something.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// A source is read.
    Read(u8, u8),
    /// Every source is read.
    ReadAll,
    /// The source says something else of somebody.
    Change(u8, u8, u8),
    /// The source names a leaver, at once or on a later day.
    End(u8, u8, u8),
    /// The source has somebody running (again).
    Run(u8, u8),
    /// The record vanishes from the source.
    Vanish(u8, u8),
    /// The source deletes it and says so.
    Remove(u8, u8),
    /// The record has no address any more, or has one again.
    Scope(u8, u8),
    /// Somebody is edited by hand.
    Edit(u8, u8),
    /// Somebody's access is cut by hand.
    Cut(u8),
    /// Somebody accepts an invitation.
    Accept(u8),
    /// A policy changes.
    Policy(u8, u8),
    /// Days pass.
    Days(u8),
    /// What is held is released in the next read of the source.
    Release(u8),
}

/// Scripts of all sizes; most are small, because most defects are.
pub(crate) fn scripts() -> impl Strategy<Value = Script> {
    let people = prop_oneof![
        20 => 1_usize..8,
        6 => 8_usize..30,
        1 => 100_usize..=200,
    ];
    (people, any::<u64>(), prop::collection::vec(step(), 0..28)).prop_map(
        |(people, mix, mut steps)| {
            // A large house takes its time.
            steps.truncate(if people > 30 { 8 } else { 28 });
            Script { people, mix, steps }
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let any3 = || (any::<u8>(), any::<u8>(), any::<u8>());
    let any2 = || (any::<u8>(), any::<u8>());
    prop_oneof![
        6 => any2().prop_map(|(source, fault)| Step::Read(source, fault)),
        6 => Just(Step::ReadAll),
        5 => any3().prop_map(|(source, who, what)| Step::Change(source, who, what)),
        4 => any3().prop_map(|(source, who, when)| Step::End(source, who, when)),
        3 => any2().prop_map(|(source, who)| Step::Run(source, who)),
        3 => any2().prop_map(|(source, who)| Step::Vanish(source, who)),
        1 => any2().prop_map(|(source, who)| Step::Remove(source, who)),
        1 => any2().prop_map(|(source, who)| Step::Scope(source, who)),
        2 => any2().prop_map(|(who, what)| Step::Edit(who, what)),
        1 => any::<u8>().prop_map(Step::Cut),
        4 => any::<u8>().prop_map(Step::Accept),
        1 => any2().prop_map(|(source, what)| Step::Policy(source, what)),
        3 => any::<u8>().prop_map(Step::Days),
        2 => any::<u8>().prop_map(Step::Release),
    ]
}

impl Script {
    /// Plays everything, sources in their order.
    pub(crate) fn play(&self, machine: &Machine, load: Load) -> World {
        let mut world = self.house();
        for step in &self.steps {
            self.step(&mut world, machine, load, *step, [0, 1, 2]);
        }
        world
    }

    /// Plays what befalls the sources, with no fault, each time until nothing
    /// follows; the sources run in another order.
    pub(crate) fn play_in_order(&self, machine: &Machine, order: [usize; 3]) -> World {
        let mut world = self.house();
        for step in &self.steps {
            match step {
                Step::Read(..) | Step::ReadAll | Step::Release(_) => {
                    for _ in 0..3 {
                        for source in order {
                            world.run(machine, source, Fault::None, Load::Touched, true);
                        }
                        world.pass(4);
                    }
                }
                // By hand, or by who is there at that moment: not the sources' doing.
                Step::Edit(..) | Step::Cut(_) | Step::Accept(_) | Step::Policy(..) => {}
                step => self.step(&mut world, machine, Load::Touched, *step, order),
            }
        }
        world
    }

    /// Three sources over one cast: each has most of it, with its own values.
    fn house(&self) -> World {
        let mut world = World::new("2025-03-03T06:00:00Z".parse().unwrap());
        for place in 0..3 {
            world.add_source(policy(place, self.mix));
        }
        world.sources[2].can_confirm = false;
        for who in 0..self.people {
            for source in 0..3 {
                if self.has(source, who) {
                    world.sources[source].put(self.record(source, who));
                }
            }
        }
        if self.mix & 1 == 1 {
            world.add_person(|person| {
                let known = self.record(0, 0);
                for field in [Field::GivenName, Field::FamilyName, Field::WorkEmail] {
                    person
                        .fields
                        .set(field, known.fields.get(field).map(Clone::clone));
                }
                know(person, Field::NationalId, &national_id(0));
                person.standing.administrator = true;
            });
        }
        world
    }

    fn has(&self, source: usize, who: usize) -> bool {
        source == 0 && who % 7 != 6 || (self.mix >> ((who * 3 + source) % 60)) & 3 != 0
    }

    fn record(&self, source: usize, who: usize) -> SourceRecord {
        let mut of = record(&id(source, who), &format!("Person{who} Example{who}"));
        say(&mut of, Field::NationalId, &national_id(who));
        let value = (self.mix >> ((who + source) % 50)) % 4;
        match value {
            0 => {}
            1 => of.fields.set(Field::Department, Said::Null),
            value => say(&mut of, Field::Department, &format!("Unit {source}{value}")),
        }
        if value != 2 {
            say(
                &mut of,
                Field::Phone,
                &format!("+47400{source}{value}{who:04}"),
            );
        }
        if who > 0 && self.has(source, who / 2) {
            say(&mut of, Field::ManagerExternalId, &id(source, who / 2));
        }
        if source == 1 && value == 3 {
            // A source that says nothing of employment for this person.
            of.fields.set(Field::Engagements, Said::Absent);
        }
        of
    }

    fn name(&self, who: u8) -> usize {
        usize::from(who) % self.people
    }

    /// One step.
    pub(crate) fn step(
        &self,
        world: &mut World,
        machine: &Machine,
        load: Load,
        step: Step,
        order: [usize; 3],
    ) {
        match step {
            Step::Read(source, fault) => {
                let fault = match fault % 8 {
                    0 => Fault::Short(3),
                    1 => Fault::PageFailed(2),
                    2 => Fault::Empty,
                    3 => Fault::Uncounted(4),
                    _ => Fault::None,
                };
                world.run(machine, usize::from(source) % 3, fault, load, false);
                world.pass(4);
            }
            Step::ReadAll => {
                for source in order {
                    world.run(machine, source, Fault::None, load, false);
                }
                world.pass(4);
            }
            Step::Release(source) => {
                world.run(machine, usize::from(source) % 3, Fault::None, load, true);
                world.pass(4);
            }
            Step::Days(days) => world.pass(i64::from(days % 12) * 24),
            Step::Edit(who, what) => self.edit(world, who, what),
            Step::Cut(who) => {
                if let Some(person) = self.person(world, who) {
                    world.cut(person);
                }
            }
            Step::Accept(who) => {
                if let Some(person) = self.person(world, who) {
                    world.edit(person, |person| {
                        if matches!(person.access, Access::NotInvited | Access::Invited) {
                            person.access = if who % 5 == 0 {
                                Access::Invited
                            } else {
                                Access::Active
                            };
                        }
                    });
                }
            }
            Step::Policy(source, what) => change_policy(world, source, what),
            step => self.befall(world, step),
        }
    }

    /// What befalls a source.
    fn befall(&self, world: &mut World, step: Step) {
        let today = world.today();
        match step {
            Step::Change(source, who, what) => self.with(world, source, who, |of| match what % 5 {
                0 => say(of, Field::Phone, &format!("+4741{what:06}")),
                1 => of.fields.set(Field::Phone, Said::Null),
                2 => of.fields.set(Field::Department, Said::Absent),
                3 => say(of, Field::Department, &format!("Unit {what}")),
                _ => say(of, Field::ManagerExternalId, "nobody"),
            }),
            Step::End(source, who, when) => self.with(world, source, who, |of| {
                let last = today.checked_add(i64::from(when % 9).days()).unwrap();
                let last = last.checked_sub(3.days()).unwrap().to_string();
                let mut over = engagement("job", "2024-01-01", Some(&last));
                if when % 4 == 0 {
                    over.status = Said::Value(EngagementStatus::Ended);
                }
                employ(of, vec![over]);
            }),
            Step::Run(source, who) => {
                let (place, who) = (usize::from(source) % 3, self.name(who));
                let mut again = self.record(place, who);
                let start = today.checked_add(2.days()).unwrap().to_string();
                if who % 2 == 0 {
                    employ(&mut again, vec![engagement("again", &start, None)]);
                }
                world.sources[place].put(again);
            }
            Step::Vanish(source, who) => {
                let place = usize::from(source) % 3;
                world.sources[place].take(&id(place, self.name(who)));
            }
            Step::Remove(source, who) => self.with(world, source, who, |of| {
                of.presence = Presence::Removed;
            }),
            Step::Scope(source, who) => self.with(world, source, who, |of| {
                match of.fields.text(Field::WorkEmail) {
                    Some(_) => of.fields.set(Field::WorkEmail, Said::Null),
                    None => say(of, Field::WorkEmail, "again@fjordlys.example"),
                }
            }),
            _ => {}
        }
    }

    fn with(&self, world: &mut World, source: u8, who: u8, change: impl FnOnce(&mut SourceRecord)) {
        let place = usize::from(source) % 3;
        world.sources[place].change(&id(place, self.name(who)), change);
    }

    fn person(&self, world: &World, who: u8) -> Option<PersonId> {
        let who = self.name(who);
        (0..3).find_map(|source| Some(world.person_of(source, &id(source, who))?.id))
    }

    fn edit(&self, world: &mut World, who: u8, what: u8) {
        let Some(id) = self.person(world, who) else {
            return;
        };
        let until = world
            .today()
            .checked_add(i64::from(what % 6).days())
            .unwrap();
        world.edit(id, |person| match what % 4 {
            0 => know(person, Field::Phone, &format!("+4742{what:06}")),
            1 => know(person, Field::JobTitle, "Fitter"),
            2 => person.standing.protected_until = Some(until),
            _ => person.standing.owner = true,
        });
    }
}

fn policy(place: usize, mix: u64) -> Policy {
    let mut policy = match (mix >> (place * 7)) % 3 {
        0 => Policy {
            made_by_hr_administrator: true,
            ..Preset::Auto.policy()
        },
        _ => Preset::Provision.policy(),
    };
    if mix & (2 << place) != 0 {
        policy.flows.insert(Field::Phone, Flow::Off);
    }
    policy
}

fn change_policy(world: &mut World, source: u8, what: u8) {
    world.sources[usize::from(source) % 3].set_policy(|policy| match what % 4 {
        0 => policy.made_by_hr_administrator = !policy.made_by_hr_administrator,
        1 => policy.emptied = EmptyRule::Clear,
        2 => {
            let flow = if policy.flow(Field::Phone) == Flow::In {
                Flow::Both
            } else {
                Flow::In
            };
            policy.flows.insert(Field::Phone, flow);
        }
        _ => policy.required = vec![Field::GivenName],
    });
}

fn id(source: usize, who: usize) -> String {
    format!("s{source}-{who:03}")
}

fn national_id(who: usize) -> String {
    format!("0101900{who:04}")
}
