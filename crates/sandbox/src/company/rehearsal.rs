//! The rehearsal company: a firm that is the same for a seed on every machine,
//! with a year of joiners, movers and leavers.

use jiff::civil::Date;

use super::biography::{Biography, Event, Happening, Mailbox};
use super::calendar::{Calendar, LAST_DAY};
use super::change::Change;
use super::expected::Expected;
use super::hard_case::HardCase;
use super::portrait::{Firm, Portrait};
use super::snapshot::{Company, Department, Employee};
use super::stream::StreamKey;
use super::year::{Story, tell};

/// The first day of the rehearsal year when nobody says another.
pub const DEFAULT_YEAR_START: Date = Date::constant(2025, 1, 1);
/// The largest firm.
pub const MOST_PEOPLE: u32 = 1_000_000;
/// How many days older a stale answer is.
pub const STALE_DAYS: i32 = 30;
/// Years in which a rehearsal may begin: those in which everybody who works
/// was born between 1900 and 2039, for whom Norwegian numbers are defined.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2050;

/// What makes one rehearsal company different from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RehearsalSpec {
    /// Employee records on day 0, from 1 to [`MOST_PEOPLE`]; a few of them
    /// left before the year.
    pub people: u32,
    /// The same seed gives the same firm, on every machine.
    pub seed: u64,
    /// Day 0, between 1970 and 2050.
    pub year_start: Date,
}

/// Why there is no such rehearsal company.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RehearsalError {
    /// The size is 0 or above [`MOST_PEOPLE`].
    #[error("a rehearsal company cannot have {people} people: ask for 1 to {MOST_PEOPLE}")]
    People {
        /// What was asked for.
        people: u32,
    },
    /// The year is too far away.
    #[error(
        "a rehearsal year cannot begin on {year_start}: choose a day between {} and {}",
        YEARS.start(),
        YEARS.end()
    )]
    YearStart {
        /// What was asked for.
        year_start: Date,
    },
}

impl RehearsalError {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::People { .. } => "rehearsal.people_out_of_range",
            Self::YearStart { .. } => "rehearsal.year_out_of_range",
        }
    }
}

/// A firm and its year. Keeps a few numbers for each person; records are drawn
/// from them when a day is asked for.
#[derive(Debug)]
pub struct Rehearsal {
    spec: RehearsalSpec,
    pub(super) firm: Firm,
    pub(super) story: Story,
    /// The story's events by person, then in the order in which they happen.
    by_person: Vec<Event>,
}

impl Rehearsal {
    /// Invents the firm.
    ///
    /// # Errors
    /// When the size or the year is outside its range.
    pub fn new(spec: RehearsalSpec) -> Result<Self, RehearsalError> {
        if spec.people == 0 || spec.people > MOST_PEOPLE {
            return Err(RehearsalError::People {
                people: spec.people,
            });
        }
        if !YEARS.contains(&spec.year_start.year()) {
            return Err(RehearsalError::YearStart {
                year_start: spec.year_start,
            });
        }
        Ok(Self::invent(spec, false))
    }

    fn invent(spec: RehearsalSpec, other: bool) -> Self {
        let key = StreamKey {
            seed: spec.seed,
            other,
        };
        let calendar = Calendar {
            year_start: spec.year_start,
        };
        let firm = Firm::new(key, spec.people, calendar);
        let story = tell(key, spec.people, &firm.names, calendar, &firm.chart);
        let mut by_person = story.events.clone();
        by_person.sort_by_key(|event| event.person);
        Self {
            spec,
            firm,
            story,
            by_person,
        }
    }

    /// What the firm was made from.
    #[must_use]
    pub fn spec(&self) -> RehearsalSpec {
        self.spec
    }

    /// The firm on a day. Day 0 is the year's start and day 365 the last one
    /// on which something changes; later days show the same people. There are
    /// changes in the thirty days before the year as well, so that day −30 is
    /// an older state of the same firm; nothing is known of earlier days,
    /// which show the same people as day −30.
    #[must_use]
    pub fn on_day(&self, day: i32) -> Company {
        Company {
            account_id: self.firm.account_id(),
            name: self.firm.name().to_owned(),
            country: "NO".to_owned(),
            as_of: self.firm.calendar.date(day),
            departments: self.departments_on(day),
            employees: self.employees_on(day).collect(),
        }
    }

    /// The firm thirty days before a day: what a source that serves old
    /// answers shows on it.
    #[must_use]
    pub fn shifted(&self, day: i32) -> Company {
        self.on_day(day.saturating_sub(STALE_DAYS))
    }

    /// Another firm of the same size on day 0: other people, other ids,
    /// another account id.
    #[must_use]
    pub fn other_company(&self) -> Company {
        Self::invent(self.spec, true).on_day(0)
    }

    /// The employee records of a day, ascending by id, one at a time.
    pub fn employees_on(&self, day: i32) -> impl Iterator<Item = Employee> + '_ {
        self.biographies()
            .filter(move |(_, person, _)| person.appears <= day.max(super::calendar::FIRST_DAY))
            .map(move |(ordinal, person, events)| {
                let mut portrait = self.portrait(ordinal, person);
                for event in events.iter().take_while(|event| event.day <= day) {
                    portrait.apply(event);
                }
                portrait.employee
            })
    }

    /// The departments of a day, ascending by id.
    #[must_use]
    pub fn departments_on(&self, day: i32) -> Vec<Department> {
        let mut departments: Vec<Department> = (0..self.firm.chart.departments)
            .map(|department| Department {
                id: self.firm.department_id(department),
                version: 1,
                number: (100 + department).to_string(),
                name: self.firm.chart.name(department),
                manager: Some(self.firm.employee_id(department)),
            })
            .collect();
        let past = |succession: &&super::biography::Succession| succession.day <= day;
        for succession in self.story.successions.iter().take_while(past) {
            if let Some(department) = departments.get_mut(succession.department as usize) {
                department.manager = Some(self.firm.employee_id(succession.manager));
                department.version += 1;
            }
        }
        departments
    }

    /// What changes on the days 1 to 365, in order.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        self.story
            .events
            .iter()
            .filter(|event| event.day >= 1)
            .map(|event| self.change(event))
            .collect()
    }

    /// The hard cases, by kind and day; none in a firm of fewer than
    /// [`HARD_CASES_FROM`](super::HARD_CASES_FROM) people.
    #[must_use]
    pub fn hard_cases(&self) -> Vec<HardCase> {
        self.story
            .hard_cases
            .iter()
            .map(|(kind, people, day)| HardCase {
                kind: *kind,
                employees: people
                    .iter()
                    .map(|person| self.firm.employee_id(*person))
                    .collect(),
                day: *day,
            })
            .collect()
    }

    /// What a reader must find when they read on one day and again on a later
    /// one, told from what the two days show.
    #[must_use]
    pub fn between(&self, first: i32, second: i32) -> Expected {
        Expected::between(&self.on_day(first), &self.on_day(second))
    }

    /// The same from the list of changes, without drawing anybody; for days up to 365.
    pub(super) fn tally(&self, first: i32, second: i32) -> Expected {
        let mut expected = Expected::default();
        let within = |event: &&Event| first < event.day && event.day <= second.min(LAST_DAY);
        for (ordinal, person, events) in self.biographies() {
            let id = self.firm.employee_id(ordinal);
            let mut happenings = events
                .iter()
                .filter(within)
                .map(|event| event.happening)
                .peekable();
            let Some(first) = happenings.peek().copied() else {
                continue;
            };
            if first == Happening::Joined {
                expected.tally_joiner(id, ordinal, person);
                continue;
            }
            expected.changed.insert(id);
            let mut turns = happenings.filter(|happening| {
                matches!(happening, Happening::Left(_) | Happening::Returned { .. })
            });
            let first = turns.next();
            match (first, turns.next_back().or(first)) {
                (Some(Happening::Left(_)), Some(Happening::Left(_))) => {
                    expected.leavers.insert(id);
                }
                (Some(Happening::Returned { .. }), Some(Happening::Returned { .. })) => {
                    expected.returners.insert(id);
                }
                _ => {}
            }
        }
        expected.settle_movers();
        expected
    }

    /// Everybody with their events.
    pub(super) fn biographies(&self) -> impl Iterator<Item = (u32, &Biography, &[Event])> {
        let mut rest = self.by_person.as_slice();
        (0_u32..)
            .zip(&self.story.people)
            .map(move |(ordinal, person)| {
                let own = rest
                    .iter()
                    .take_while(|event| event.person == ordinal)
                    .count();
                let (events, others) = rest.split_at(own);
                rest = others;
                (ordinal, person, events)
            })
    }

    /// The record of a person as it first appears.
    pub(super) fn portrait<'a>(&'a self, ordinal: u32, person: &'a Biography) -> Portrait<'a> {
        Portrait::new(&self.firm, &self.story.people, ordinal, person)
    }

    pub(super) fn change(&self, event: &Event) -> Change {
        let (kind, fields) = event.happening.described();
        Change {
            day: event.day,
            date: self.firm.calendar.date(event.day),
            kind,
            employee: self.firm.employee_id(event.person),
            fields,
        }
    }
}

impl Expected {
    fn tally_joiner(&mut self, id: u64, ordinal: u32, person: &Biography) {
        match person.mailbox {
            Mailbox::Missing => {
                self.joiners_without_email.insert(id);
            }
            Mailbox::Of(_) => {
                self.joiners.insert(id);
                self.joiners_with_used_email.insert(id);
            }
            Mailbox::Own { .. } => {
                self.joiners.insert(id);
            }
        }
        if person.identity != ordinal {
            self.rejoined_under_new_id.insert(id);
        }
    }
}
