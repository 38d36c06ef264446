//! What happens to whom on which day.

use std::collections::HashSet;

use super::biography::{Biography, Event, Happening, Opening, Succession};
use super::calendar::{Calendar, FIRST_DAY, LAST_DAY};
use super::casting::{Casting, Part, Wish};
use super::chart::{Chart, Rank};
use super::hard_case::{CYCLE, Cast, HardCaseKind, SELF_MANAGED};
use super::names::NameBook;
use super::rates::{Rates, spread};
use super::seating::{Seating, seat};
use super::snapshot::EndReason;
use super::stream::{Purpose, Stream, StreamKey};

/// The first thirty days hold nothing but ordinary changes, so that the
/// numbers of a first demonstration can be read off; succession and the hard
/// cases that have a day begin after them.
const AFTER_THE_FIRST_MONTH: i32 = 31;

/// Everything that is known of a firm.
#[derive(Debug)]
pub(super) struct Story {
    /// By ordinal.
    pub(super) people: Vec<Biography>,
    /// In the order in which they happen.
    pub(super) events: Vec<Event>,
    /// In the order in which they happen.
    pub(super) successions: Vec<Succession>,
    /// Kind, ordinals, day.
    pub(super) hard_cases: Vec<(HardCaseKind, Vec<u32>, i32)>,
}

/// What can change about somebody who stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    Phone,
    JobTitle,
    Department,
    Percentage,
    Surname { new_address: bool },
    Manager,
}

/// Movers take these in turn, so that a small firm has all of them too.
const MOVES: [Move; 10] = [
    Move::Phone,
    Move::JobTitle,
    Move::Department,
    Move::Percentage,
    Move::Surname { new_address: true },
    Move::Phone,
    Move::Manager,
    Move::JobTitle,
    Move::Surname { new_address: false },
    Move::Percentage,
];

#[derive(Debug, Clone, Copy)]
enum Task {
    Join,
    Leave(u32),
    Move(u32, Move),
    Return(u32),
    Succeed,
    TakeAddressOf { leaver: u32, released: bool },
    Convert(u32),
    JoinAgain(u32),
}

/// Tells the whole year of a firm.
pub(super) fn tell(
    key: StreamKey,
    people: u32,
    names: &NameBook,
    calendar: Calendar,
    chart: &Chart,
) -> Story {
    let rates = Rates::of(people, chart.departments);
    let mut stream = Stream::new(key, Purpose::Year, 0);
    let mut casting = Casting::new(key, names, calendar);
    let seating = seat(&mut casting, chart, &rates, &mut stream);
    let mut tasks = Vec::new();
    let quiet = ordinary(&mut stream, &rates, &seating, &mut tasks);
    let mut year = Year::new(casting, chart, stream, &seating, &quiet, rates.first_day());
    if let Some(cast) = &seating.cast {
        year.hard(cast, &mut tasks);
    }
    // A stable sort: what falls on one day happens in the order it was planned.
    tasks.sort_by_key(|(day, _)| *day);
    for (day, task) in tasks {
        year.perform(day, task);
    }
    year.into_story()
}

/// Plans what happens at the usual rates; gives those to whom nothing happens.
fn ordinary(
    stream: &mut Stream,
    rates: &Rates,
    seating: &Seating,
    tasks: &mut Vec<(i32, Task)>,
) -> Vec<u32> {
    const EARLY: (i32, i32) = (FIRST_DAY + 1, -FIRST_DAY);
    const YEAR: (i32, i32) = (1, LAST_DAY);
    let mut days = |count: u32, (first, length): (i32, i32)| spread(stream, count, first, length);

    for (count, time) in [(rates.early_joiners, EARLY), (rates.joiners, YEAR)] {
        tasks.extend(days(count, time).into_iter().map(|day| (day, Task::Join)));
    }
    let mut members = seating.members.iter().copied();
    for (count, time) in [(rates.early_leavers, EARLY), (rates.leavers, YEAR)] {
        let leaving = days(count, time).into_iter().zip(members.by_ref());
        tasks.extend(leaving.map(|(day, person)| (day, Task::Leave(person))));
    }
    let staying: Vec<u32> = members.collect();
    // In a firm with nobody else, something happens to the one who leads it.
    let alone = [0];
    let movers = if staying.is_empty() {
        &alone[..]
    } else {
        &staying
    };
    let mut turn = movers
        .iter()
        .copied()
        .cycle()
        .zip(MOVES.into_iter().cycle());
    for (count, time) in [(rates.early_movers, EARLY), (rates.movers, YEAR)] {
        let moving = days(count, time).into_iter().zip(turn.by_ref());
        tasks.extend(moving.map(|(day, (person, change))| (day, Task::Move(person, change))));
    }
    let returning = days(rates.returners, YEAR);
    let former = seating.former.iter().copied();
    tasks.extend(
        returning
            .into_iter()
            .zip(former)
            .map(|(day, person)| (day, Task::Return(person))),
    );
    let succession = (AFTER_THE_FIRST_MONTH, LAST_DAY - AFTER_THE_FIRST_MONTH + 1);
    tasks.extend(
        days(rates.successions, succession)
            .into_iter()
            .map(|day| (day, Task::Succeed)),
    );

    let moved = (rates.early_movers + rates.movers) as usize;
    staying.into_iter().skip(moved).collect()
}

/// The firm while its year goes by.
struct Year<'a> {
    casting: Casting<'a>,
    chart: &'a Chart,
    stream: Stream,
    /// The manager of each person now.
    managers: Vec<Option<u32>>,
    /// The department of each person now.
    departments: Vec<u32>,
    /// Whether each person has left.
    gone: Vec<bool>,
    /// The manager of each department now.
    heads: Vec<u32>,
    leads: Vec<Vec<u32>>,
    /// Who got another department or manager, which happens once: a way there
    /// and back would look like nothing.
    relocated: HashSet<u32>,
    /// Departments that may get another manager, each with who could be it.
    successors: Vec<(u32, u32)>,
    events: Vec<Event>,
    successions: Vec<Succession>,
    hard_cases: Vec<(HardCaseKind, Vec<u32>, i32)>,
}

impl<'a> Year<'a> {
    fn new(
        casting: Casting<'a>,
        chart: &'a Chart,
        stream: Stream,
        seating: &Seating,
        quiet: &[u32],
        people: u32,
    ) -> Self {
        let seated = || (0..people).filter_map(|ordinal| casting.person(ordinal));
        let managers = seated().map(|person| person.manager).collect();
        let departments: Vec<u32> = seated().map(|person| person.department).collect();
        let gone = seated()
            .map(|person| matches!(person.opening, Opening::Former { .. }))
            .collect();
        let successors = successors(chart, &departments, quiet);
        Self {
            casting,
            chart,
            stream,
            managers,
            departments,
            gone,
            heads: (0..chart.departments).collect(),
            leads: seating.leads.clone(),
            relocated: HashSet::new(),
            successors,
            events: Vec::new(),
            successions: Vec::new(),
            hard_cases: Vec::new(),
        }
    }

    /// Plans the hard cases that have a day and notes those that are there from the beginning.
    fn hard(&mut self, cast: &Cast, tasks: &mut Vec<(i32, Task)>) {
        let [one, other] = cast.same_name;
        let from_the_beginning = [
            (HardCaseKind::SameName, vec![one, other]),
            (HardCaseKind::NoEmail, vec![cast.no_email]),
            (
                HardCaseKind::NoEmployeeNumber,
                vec![cast.no_employee_number],
            ),
            (HardCaseKind::SelfManager, vec![SELF_MANAGED]),
            (HardCaseKind::ManagerCycle, CYCLE.to_vec()),
        ];
        for (kind, people) in from_the_beginning {
            self.hard_cases.push((kind, people, 0));
        }
        let mut plan = |after: i32, task: Task| -> i32 {
            let day = AFTER_THE_FIRST_MONTH + after + self.stream.days_below(6);
            tasks.push((day, task));
            day
        };
        let surname = |new_address| Move::Surname { new_address };
        plan(0, Task::Leave(cast.comes_back));
        plan(10, Task::Leave(cast.address_released));
        plan(20, Task::Leave(cast.address_still_listed));
        plan(
            70,
            Task::TakeAddressOf {
                leaver: cast.address_released,
                released: true,
            },
        );
        plan(
            80,
            Task::TakeAddressOf {
                leaver: cast.address_still_listed,
                released: false,
            },
        );
        plan(90, Task::JoinAgain(cast.rehired_new_id));
        let dated = [
            (
                HardCaseKind::SurnameChanged,
                cast.surname_changed,
                5,
                Task::Move(cast.surname_changed, surname(false)),
            ),
            (
                HardCaseKind::SurnameAndAddressChanged,
                cast.surname_and_address_changed,
                15,
                Task::Move(cast.surname_and_address_changed, surname(true)),
            ),
            (
                HardCaseKind::ContractorBecomesEmployee,
                cast.contractor,
                30,
                Task::Convert(cast.contractor),
            ),
            (
                HardCaseKind::RehiredSameId,
                cast.rehired_same_id,
                45,
                Task::Return(cast.rehired_same_id),
            ),
            (
                HardCaseKind::LeftAndReturned,
                cast.comes_back,
                130,
                Task::Return(cast.comes_back),
            ),
        ];
        for (kind, person, after, task) in dated {
            let day = plan(after, task);
            self.hard_cases.push((kind, vec![person], day));
        }
    }

    fn perform(&mut self, day: i32, task: Task) {
        match task {
            Task::Join => {
                let part = self.joiner(day);
                self.join(day, part);
            }
            Task::Leave(person) => self.leave(day, person),
            Task::Move(person, change) => self.change(day, person, change),
            Task::Return(person) => self.come_back(day, person),
            Task::Succeed => self.succeed(day),
            Task::TakeAddressOf { leaver, released } => self.take_address(day, leaver, released),
            Task::Convert(person) => {
                let overlap = 5 + self.stream.days_below(10);
                self.happens(day, person, Happening::Converted { overlap });
            }
            Task::JoinAgain(earlier) => {
                let mut part = self.joiner(day);
                part.same_human = Some(earlier);
                let person = self.join(day, part);
                self.hard_cases
                    .push((HardCaseKind::RehiredNewId, vec![earlier, person], day));
            }
        }
    }

    fn joiner(&mut self, day: i32) -> Part {
        let department = self.stream.below(self.chart.departments);
        Part::member(day, department, self.head(department))
    }

    fn join(&mut self, day: i32, part: Part) -> u32 {
        let person = self.casting.cast(part);
        self.managers.push(part.manager);
        self.departments.push(part.department);
        self.gone.push(false);
        self.happens(day, person, Happening::Joined);
        person
    }

    fn take_address(&mut self, day: i32, leaver: u32, released: bool) {
        let mut part = self.joiner(day);
        part.address_of = Some(leaver);
        part.email = Wish::Yes;
        part.employee_number = Wish::Yes;
        let kind = if released {
            self.happens(day, leaver, Happening::AddressReleased);
            HardCaseKind::RecycledEmail
        } else {
            HardCaseKind::RecycledEmailStillListed
        };
        let person = self.join(day, part);
        self.hard_cases.push((kind, vec![leaver, person], day));
    }

    fn leave(&mut self, day: i32, person: u32) {
        let reason = match self.stream.below(10) {
            0..6 => EndReason::Employee,
            6..8 => EndReason::Expired,
            _ => EndReason::Employer,
        };
        self.happens(day, person, Happening::Left(reason));
        if let Some(gone) = self.gone.get_mut(person as usize) {
            *gone = true;
        }
    }

    fn come_back(&mut self, day: i32, person: u32) {
        let manager = self
            .department(person)
            .and_then(|department| self.head(department));
        self.happens(day, person, Happening::Returned { manager });
        self.set_manager(person, manager);
        if let Some(gone) = self.gone.get_mut(person as usize) {
            *gone = false;
        }
    }

    fn change(&mut self, day: i32, person: u32, change: Move) {
        let rank = self
            .casting
            .person(person)
            .map_or(Rank::Member, |person| person.rank);
        let happening = match change {
            Move::Phone => Happening::Phone,
            Move::Percentage => Happening::Percentage,
            Move::JobTitle if rank == Rank::Member => Happening::JobTitle,
            Move::Department => self.other_department(person).unwrap_or(Happening::Phone),
            Move::Manager => self.other_manager(person).unwrap_or(Happening::Phone),
            Move::Surname { new_address } => self.other_surname(person, new_address),
            // Who leads has the title of that: a new number instead.
            Move::JobTitle => Happening::Phone,
        };
        if let Happening::Department { to, .. } = happening
            && let Some(department) = self.departments.get_mut(person as usize)
        {
            *department = to;
        }
        if let Happening::Department { manager: to, .. } | Happening::Manager { to } = happening {
            self.relocated.insert(person);
            self.set_manager(person, to);
        }
        self.happens(day, person, happening);
    }

    fn other_surname(&mut self, person: u32, new_address: bool) -> Happening {
        let has_address = self
            .casting
            .person(person)
            .is_some_and(|person| person.mailbox != super::biography::Mailbox::Missing);
        match self.casting.rename(person) {
            Some((family, earlier)) => Happening::Surname {
                family,
                earlier: (new_address && has_address).then_some(earlier),
            },
            None => Happening::Phone,
        }
    }

    /// A department other than now; `None` when there is one only, or the
    /// person leads, or was moved before.
    fn other_department(&mut self, person: u32) -> Option<Happening> {
        let now = self.movable(person)?;
        let others = self
            .chart
            .departments
            .checked_sub(1)
            .filter(|others| *others > 0)?;
        let to = (now + 1 + self.stream.below(others)) % self.chart.departments;
        let manager = self.head(to);
        Some(Happening::Department { to, manager })
    }

    /// A manager other than now: a lead of the same department, else its head,
    /// else the head of the next one.
    fn other_manager(&mut self, person: u32) -> Option<Happening> {
        let department = self.movable(person)?;
        let now = self.managers.get(person as usize).copied().flatten();
        let leads = self
            .leads
            .get(department as usize)
            .map_or(&[][..], Vec::as_slice);
        let next = (department + 1) % self.chart.departments;
        let to = leads
            .iter()
            .copied()
            .chain(self.head(department))
            .chain(self.head(next))
            .find(|manager| Some(*manager) != now && *manager != person)?;
        Some(Happening::Manager { to: Some(to) })
    }

    /// The department of somebody who leads nobody and was not moved before.
    fn movable(&self, person: u32) -> Option<u32> {
        let rank = self.casting.person(person)?.rank;
        let may = rank == Rank::Member && !self.relocated.contains(&person);
        self.department(person).filter(|_| may)
    }

    /// The head of a department leaves, and one of its people takes over.
    fn succeed(&mut self, day: i32) {
        let Some((department, successor)) = self.successors.pop() else {
            return;
        };
        let Some(former) = self.head(department) else {
            return;
        };
        let above = self.managers.get(former as usize).copied().flatten();
        let reports: Vec<u32> = (0_u32..)
            .zip(self.managers.iter().zip(&self.gone))
            .filter(|(person, (manager, gone))| {
                **manager == Some(former) && !**gone && *person != successor && *person != former
            })
            .map(|(person, _)| person)
            .collect();
        self.leave(day, former);
        self.happens(day, successor, Happening::TookOver { manager: above });
        self.set_manager(successor, above);
        for person in reports {
            self.happens(
                day,
                person,
                Happening::Manager {
                    to: Some(successor),
                },
            );
            self.set_manager(person, Some(successor));
        }
        if let Some(head) = self.heads.get_mut(department as usize) {
            *head = successor;
        }
        self.successions.push(Succession {
            department,
            day,
            manager: successor,
        });
    }

    fn happens(&mut self, day: i32, person: u32, happening: Happening) {
        // A firm has far fewer events than this counts.
        let sequence = u32::try_from(self.events.len()).unwrap_or(u32::MAX);
        self.events.push(Event {
            sequence,
            person,
            day,
            happening,
        });
    }

    fn head(&self, department: u32) -> Option<u32> {
        self.heads.get(department as usize).copied()
    }

    fn department(&self, person: u32) -> Option<u32> {
        self.departments.get(person as usize).copied()
    }

    fn set_manager(&mut self, person: u32, manager: Option<u32>) {
        if let Some(slot) = self.managers.get_mut(person as usize) {
            *slot = manager;
        }
    }

    fn into_story(mut self) -> Story {
        self.hard_cases.sort_by_key(|(kind, _, day)| (*kind, *day));
        Story {
            people: self.casting.into_people(),
            events: self.events,
            successions: self.successions,
            hard_cases: self.hard_cases,
        }
    }
}

/// Departments whose head can be succeeded, largest first so that the
/// smallest is popped first: a change of manager must stay a matter of few
/// people. Not those above others, nor those of the hard cases.
fn successors(chart: &Chart, departments: &[u32], quiet: &[u32]) -> Vec<(u32, u32)> {
    let mut sizes = vec![0_u32; chart.departments as usize];
    for department in departments {
        if let Some(size) = sizes.get_mut(*department as usize) {
            *size += 1;
        }
    }
    let [_, last_of_the_cycle] = CYCLE;
    let mut candidates: Vec<(u32, u32, u32)> = Vec::new();
    let mut taken: HashSet<u32> = HashSet::new();
    for person in quiet {
        let Some(department) = departments.get(*person as usize).copied() else {
            continue;
        };
        let may = department > last_of_the_cycle && !chart.has_children(department);
        if may && taken.insert(department) {
            let size = sizes.get(department as usize).copied().unwrap_or(0);
            candidates.push((size, department, *person));
        }
    }
    candidates.sort_unstable_by(|one, other| other.cmp(one));
    candidates
        .into_iter()
        .map(|(_, department, person)| (department, person))
        .collect()
}
