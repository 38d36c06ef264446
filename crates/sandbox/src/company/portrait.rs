//! Drawing employee records from what is remembered of people.

use super::biography::{Biography, Document, Event, Happening, Mailbox, Opening};
use super::calendar::{Calendar, FIRST_DAY};
use super::chart::{Chart, Rank, firm};
use super::contact::{self, Places};
use super::names::{NameBook, NameRef};
use super::national_id::{NorwegianNumber, synthetic};
use super::snapshot::{Employee, EndReason, Engagement, EngagementKind, NationalId, Period};
use super::stream::{Purpose, Stream, StreamKey};

/// Firms whose ids do not meet: the two of one seed have different numbers.
const FIRM_NUMBERS: u32 = 90;
/// How far the ids of two firms are apart.
const IDS_A_FIRM: u64 = 10_000_000;
/// Where the ids of departments begin, behind those of the employees.
const DEPARTMENT_IDS: u64 = 5_000_000;
/// Ids for the engagements of one employee.
const ENGAGEMENTS_EACH: u64 = 16;
/// Ids for the periods of one engagement.
const PERIODS_EACH: u64 = 64;
/// The employee number of the first record.
const FIRST_EMPLOYEE_NUMBER: u32 = 1_001;
/// Working time in percent, as often as it stands here.
const PERCENTAGES: [u8; 12] = [100, 100, 100, 100, 100, 100, 100, 100, 80, 80, 60, 50];
/// Two jobs of one person, first and second.
const TWO_JOBS: [(u8, u8); 4] = [(60, 40), (50, 30), (40, 20), (70, 30)];
/// What working time changes to.
const OTHER_PERCENTAGES: [u8; 5] = [80, 100, 60, 90, 50];

/// The firm as far as it is the same on every day.
#[derive(Debug)]
pub(super) struct Firm {
    key: StreamKey,
    number: u32,
    pub(super) calendar: Calendar,
    pub(super) names: NameBook,
    pub(super) places: Places,
    pub(super) chart: Chart,
}

impl Firm {
    pub(super) fn new(key: StreamKey, people: u32, calendar: Calendar) -> Self {
        // Both firms of a seed are drawn from the stream of the first.
        let main = StreamKey {
            other: false,
            ..key
        };
        let drawn = Stream::new(main, Purpose::Firm, 0).below(FIRM_NUMBERS / 2);
        let places = Places::load();
        Self {
            key,
            number: drawn * 2 + u32::from(key.other),
            calendar,
            names: NameBook::load(),
            chart: Chart::new(people, &places),
            places,
        }
    }

    /// What a connection pins: different for the two firms of a seed.
    pub(super) fn account_id(&self) -> u64 {
        let main = StreamKey {
            other: false,
            ..self.key
        };
        let drawn = Stream::new(main, Purpose::Firm, 1).below(4_000_000);
        1_000_000 + u64::from(drawn) * 2 + u64::from(self.key.other)
    }

    /// The registered name.
    pub(super) fn name(&self) -> &'static str {
        firm(self.number).0
    }

    /// The id of a person's record.
    pub(super) fn employee_id(&self, ordinal: u32) -> u64 {
        self.first_id() + u64::from(ordinal)
    }

    /// The id of a department.
    pub(super) fn department_id(&self, department: u32) -> u64 {
        self.first_id() + DEPARTMENT_IDS + u64::from(department)
    }

    fn first_id(&self) -> u64 {
        (u64::from(self.number) + 1) * IDS_A_FIRM + 1
    }

    fn email(&self, given: NameRef, family: NameRef, earlier: u32) -> String {
        let local = self.names.local_part(given, family);
        let domain = firm(self.number).1;
        match earlier {
            0 => format!("{local}@{domain}"),
            earlier => format!("{local}{}@{domain}", earlier + 1),
        }
    }

    fn mailbox(&self, people: &[Biography], person: &Biography) -> Option<String> {
        match person.mailbox {
            Mailbox::Missing => None,
            Mailbox::Own { earlier } => Some(self.email(person.given, person.family, earlier)),
            // The other has one of their own, so this goes one step only.
            Mailbox::Of(other) => match people.get(other as usize) {
                Some(other) if !matches!(other.mailbox, Mailbox::Of(_)) => {
                    self.mailbox(people, other)
                }
                _ => None,
            },
        }
    }

    fn national_id(&self, person: &Biography) -> Option<NationalId> {
        let born = self.calendar.date(person.born);
        match person.document {
            Document::Norwegian(individual) => synthetic(NorwegianNumber::Birth, born, individual)
                .map(|number| NationalId::Norwegian { number }),
            Document::DNumber(individual) => synthetic(NorwegianNumber::D, born, individual)
                .map(|number| NationalId::DNumber { number }),
            Document::Passport(country) => Some(NationalId::Foreign {
                country: country.to_owned(),
                // No country issues passports whose number begins with XX.
                number: format!("XX{:07}", person.identity),
            }),
            Document::Missing => None,
        }
    }
}

/// A record that events can be applied to.
#[derive(Debug)]
pub(super) struct Portrait<'a> {
    firm: &'a Firm,
    person: &'a Biography,
    /// How many telephone numbers came after the first.
    numbers: u32,
    pub(super) employee: Employee,
}

impl<'a> Portrait<'a> {
    /// The record of a person as it first appears.
    pub(super) fn new(
        firm: &'a Firm,
        people: &[Biography],
        ordinal: u32,
        person: &'a Biography,
    ) -> Self {
        let contact = contact::draw(firm.key, &firm.places, person.identity);
        let personal_email = contact.personal_email.then(|| {
            let local = firm.names.local_part(person.given, person.family);
            format!("{local}.{}@epost.example", person.identity + 1)
        });
        let id = firm.employee_id(ordinal);
        let employee = Employee {
            id,
            version: 1,
            // What happened before the rehearsal begins happened just before.
            changed: firm.calendar.date(person.appears.max(FIRST_DAY - 1)),
            employee_number: person
                .has_employee_number
                .then(|| (FIRST_EMPLOYEE_NUMBER + ordinal).to_string()),
            given_name: firm.names.given(person.given),
            family_name: firm.names.family(person.family),
            work_email: firm.mailbox(people, person),
            personal_email,
            phone: contact.phone,
            date_of_birth: Some(firm.calendar.date(person.born)),
            national_id: firm.national_id(person),
            bank_account: contact.bank_account,
            address: contact.address,
            department: Some(firm.department_id(person.department)),
            manager: person.manager.map(|manager| firm.employee_id(manager)),
            engagements: first_engagements(firm, person, ordinal, id),
        };
        Self {
            firm,
            person,
            numbers: 0,
            employee,
        }
    }

    /// What the record says after an event.
    pub(super) fn apply(&mut self, event: &Event) {
        let before = versions(&self.employee);
        self.happen(event);
        if versions(&self.employee) != before {
            self.employee.changed = self.firm.calendar.date(event.day);
        }
    }

    fn happen(&mut self, event: &Event) {
        let day = event.day;
        match event.happening {
            Happening::Joined => {}
            Happening::Left(reason) => {
                let last = self.firm.calendar.date(day - 1);
                for engagement in self.open() {
                    engagement.end_date = Some(last);
                    engagement.end_reason = Some(match engagement.kind {
                        EngagementKind::Contractor => EndReason::Expired,
                        EngagementKind::Employee => reason,
                    });
                    engagement.version += 1;
                }
            }
            Happening::Returned { manager } => {
                self.engage(day);
                self.set_manager(manager);
            }
            Happening::Converted { overlap } => {
                let last = self.firm.calendar.date(day + overlap);
                for engagement in self.open() {
                    engagement.end_date = Some(last);
                    engagement.end_reason = Some(EndReason::InternalChange);
                    engagement.version += 1;
                }
                self.engage(day);
            }
            Happening::Phone => {
                self.numbers += 1;
                self.employee.phone = Some(contact::phone(
                    self.firm.key,
                    self.person.identity,
                    self.numbers,
                ));
                self.employee.version += 1;
            }
            Happening::Percentage => {
                let jobs = self.open().count();
                self.new_terms(day, |period| {
                    period.percentage = if jobs > 1 {
                        // Ten less, so that two jobs stay within full time.
                        period.percentage.saturating_sub(10)
                    } else {
                        other_percentage(period.percentage, day)
                    };
                });
            }
            Happening::JobTitle => {
                let department = self.person.department;
                let chart = &self.firm.chart;
                self.new_terms(day, |period| {
                    period.job_title = chart.next_title(department, &period.job_title).to_owned();
                });
            }
            Happening::Department { to, manager } => {
                self.employee.department = Some(self.firm.department_id(to));
                self.employee.manager = manager.map(|manager| self.firm.employee_id(manager));
                self.employee.version += 1;
            }
            Happening::Manager { to } => self.set_manager(to),
            Happening::Surname { family, earlier } => {
                self.employee.family_name = self.firm.names.family(family);
                if let Some(earlier) = earlier {
                    let email = self.firm.email(self.person.given, family, earlier);
                    self.employee.work_email = Some(email);
                }
                self.employee.version += 1;
            }
            Happening::AddressReleased => {
                self.employee.work_email = None;
                self.employee.version += 1;
            }
            Happening::TookOver { manager } => {
                self.set_manager(manager);
                let title = self
                    .firm
                    .chart
                    .title(self.person.department, Rank::Manager, 0);
                self.new_terms(day, |period| title.clone_into(&mut period.job_title));
            }
        }
    }

    fn open(&mut self) -> impl Iterator<Item = &mut Engagement> {
        self.employee
            .engagements
            .iter_mut()
            .filter(|engagement| engagement.end_date.is_none())
    }

    fn set_manager(&mut self, manager: Option<u32>) {
        let manager = manager.map(|manager| self.firm.employee_id(manager));
        if self.employee.manager != manager {
            self.employee.manager = manager;
            self.employee.version += 1;
        }
    }

    /// A full-time employment from a day on.
    fn engage(&mut self, day: i32) {
        let title = self
            .firm
            .chart
            .title(self.person.department, Rank::Member, 0);
        let from = self.firm.calendar.date(day);
        let id = engagement_id(self.employee.id, self.employee.engagements.len());
        self.employee.engagements.push(Engagement {
            id,
            version: 1,
            kind: EngagementKind::Employee,
            start_date: from,
            end_date: None,
            end_reason: None,
            periods: vec![Period {
                id: period_id(id, 0),
                from,
                percentage: 100,
                job_title: title.to_owned(),
                permanent: true,
            }],
        });
    }

    /// New terms of the first running engagement.
    fn new_terms(&mut self, day: i32, change: impl FnOnce(&mut Period)) {
        let from = self.firm.calendar.date(day);
        let Some(engagement) = self.open().next() else {
            return;
        };
        let Some(last) = engagement.periods.last() else {
            return;
        };
        let mut next = Period {
            id: period_id(engagement.id, engagement.periods.len()),
            from,
            ..last.clone()
        };
        change(&mut next);
        engagement.periods.push(next);
        engagement.version += 1;
    }
}

/// What grows whenever the record or one of its engagements changes.
fn versions(employee: &Employee) -> u32 {
    let engagements = employee.engagements.iter();
    let of_engagements: u32 = engagements.map(|engagement| engagement.version).sum();
    employee.version.saturating_add(of_engagements)
}

fn engagement_id(employee: u64, index: usize) -> u64 {
    employee * ENGAGEMENTS_EACH + index as u64
}

fn period_id(engagement: u64, index: usize) -> u64 {
    engagement * PERIODS_EACH + index as u64
}

/// Another percentage than now; which one depends on the day.
fn other_percentage(now: u8, day: i32) -> u8 {
    let turn = day.unsigned_abs() as usize;
    OTHER_PERCENTAGES
        .iter()
        .cycle()
        .skip(turn % OTHER_PERCENTAGES.len())
        .take(OTHER_PERCENTAGES.len())
        .copied()
        .find(|percentage| *percentage != now)
        .unwrap_or(100)
}

/// The engagements of a record that appears.
fn first_engagements(
    firm: &Firm,
    person: &Biography,
    ordinal: u32,
    employee: u64,
) -> Vec<Engagement> {
    let mut stream = Stream::new(firm.key, Purpose::Work, ordinal);
    let (contractor, two_jobs) = (stream.below(100) < 6, stream.below(100) < 4);
    let percentage = stream.pick(&PERCENTAGES, 100);
    let jobs = stream.pick(&TWO_JOBS, (50, 50));
    let ordinary = person.opening == Opening::Ordinary && person.rank == Rank::Member;
    let contractor = person.opening == Opening::Contractor || ordinary && contractor;
    let kind = if contractor {
        EngagementKind::Contractor
    } else {
        EngagementKind::Employee
    };
    let two_jobs = ordinary && two_jobs && !contractor;
    // The last day whose terms may already have changed.
    let known_until = match person.opening {
        Opening::Former { ended } => ended,
        _ => person.starts.max(FIRST_DAY - 1),
    };
    let mut build = |index: usize, starts: i32, percentage: u8| {
        let id = engagement_id(employee, index);
        let periods = first_periods(
            &mut stream,
            firm,
            person,
            (id, starts, known_until),
            percentage,
            kind,
        );
        let ended = match person.opening {
            Opening::Former { ended } => Some(firm.calendar.date(ended)),
            _ => None,
        };
        Engagement {
            id,
            version: 1,
            kind,
            start_date: firm.calendar.date(starts),
            end_date: ended,
            end_reason: ended.map(|_| EndReason::Employee),
            periods,
        }
    };
    if two_jobs {
        let first = build(0, person.starts, jobs.0);
        // The second job began with the first or halfway since.
        let halfway = person.starts + (known_until - person.starts) / 2;
        vec![first, build(1, halfway, jobs.1)]
    } else {
        let percentage = if person.rank == Rank::Member {
            percentage
        } else {
            100
        };
        vec![build(0, person.starts, percentage)]
    }
}

/// The terms of one engagement until now; `(id, first day, last day)`.
fn first_periods(
    stream: &mut Stream,
    firm: &Firm,
    person: &Biography,
    (engagement, starts, until): (u64, i32, i32),
    percentage: u8,
    kind: EngagementKind,
) -> Vec<Period> {
    let changes = stream.below(8).saturating_sub(5);
    let mut days: Vec<i32> = (0..changes)
        .map(|_| starts + 1 + stream.days_below(until - starts))
        .filter(|day| *day <= until)
        .collect();
    days.push(starts);
    days.sort_unstable();
    days.dedup();
    let permanent = kind == EngagementKind::Employee && stream.chance(90);
    let choice = stream.below(3);
    let last = days.len().saturating_sub(1);
    days.into_iter()
        .enumerate()
        .map(|(index, day)| {
            let (rank, choice, percentage) = if index == last {
                (person.rank, choice, percentage)
            } else {
                // Before, they had other hours and led nobody.
                let before = u32::try_from(last - index).unwrap_or(0);
                (
                    Rank::Member,
                    choice + before,
                    stream.pick(&PERCENTAGES, 100),
                )
            };
            Period {
                id: period_id(engagement, index),
                from: firm.calendar.date(day),
                percentage,
                job_title: firm.chart.title(person.department, rank, choice).to_owned(),
                permanent,
            }
        })
        .collect()
}
