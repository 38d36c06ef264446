//! Inventing people: names, birth, identity papers and mail addresses that
//! nobody else has.

use std::collections::HashMap;

use super::biography::{Biography, Document, Mailbox, Opening};
use super::calendar::{Calendar, FIRST_DAY};
use super::chart::Rank;
use super::names::{NameBook, NameRef};
use super::national_id::{IndividualDigits, NorwegianNumber};
use super::stream::{Purpose, Stream, StreamKey};

/// Days in a year, near enough for ages.
const YEAR: i32 = 365;
/// Nobody is employed before this age in years.
const YOUNGEST: i32 = 18;
/// Nobody is employed above this age in years.
const OLDEST: i32 = 66;
/// The longest service in years.
const LONGEST_SERVICE: i32 = 25;
/// Countries of passports.
const PASSPORTS: [&str; 6] = ["PL", "DE", "LT", "GB", "UA", "IN"];

/// What somebody must be like; the rest is chance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) appears: i32,
    pub(super) opening: Opening,
    pub(super) rank: Rank,
    pub(super) department: u32,
    pub(super) manager: Option<u32>,
    pub(super) email: Wish,
    pub(super) employee_number: Wish,
    /// Has a fødselsnummer.
    pub(super) norwegian: bool,
    /// Is called like the person with this ordinal.
    pub(super) namesake: Option<u32>,
    /// Is born on this day of the month.
    pub(super) born_on: Option<i8>,
    /// Gets the first address of the person with this ordinal.
    pub(super) address_of: Option<u32>,
    /// Is the same human as the person with this ordinal.
    pub(super) same_human: Option<u32>,
}

/// Whether somebody has something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Yes,
    No,
    /// Nearly everybody has it.
    Usually,
}

impl Part {
    /// An ordinary member of a department.
    pub(super) fn member(appears: i32, department: u32, manager: Option<u32>) -> Self {
        Self {
            appears,
            opening: Opening::Ordinary,
            rank: Rank::Member,
            department,
            manager,
            email: Wish::Usually,
            employee_number: Wish::Usually,
            norwegian: false,
            namesake: None,
            born_on: None,
            address_of: None,
            same_human: None,
        }
    }
}

/// Invents people, one ordinal after the other.
pub(super) struct Casting<'a> {
    key: StreamKey,
    names: &'a NameBook,
    calendar: Calendar,
    people: Vec<Biography>,
    next: u32,
    digits: IndividualDigits,
    /// How many have had the letters, by a hash of them: a collision costs
    /// nothing but a number behind a name.
    letters: HashMap<u64, u32>,
}

impl<'a> Casting<'a> {
    pub(super) fn new(key: StreamKey, names: &'a NameBook, calendar: Calendar) -> Self {
        Self {
            key,
            names,
            calendar,
            people: Vec::new(),
            next: 0,
            digits: IndividualDigits::default(),
            letters: HashMap::new(),
        }
    }

    /// Invents the next person and gives their ordinal.
    pub(super) fn cast(&mut self, part: Part) -> u32 {
        let ordinal = self.next;
        let biography = match part.same_human.and_then(|earlier| self.person(earlier)) {
            Some(earlier) => self.again(part, earlier.clone()),
            None => self.invent(part, ordinal),
        };
        self.people.push(biography);
        self.next += 1;
        ordinal
    }

    /// The person with this ordinal.
    pub(super) fn person(&self, ordinal: u32) -> Option<&Biography> {
        self.people.get(ordinal as usize)
    }

    /// A new family name for somebody; with the number of those who had the
    /// letters of the new address before.
    pub(super) fn rename(&mut self, ordinal: u32) -> Option<(NameRef, u32)> {
        let person = self.person(ordinal)?;
        let (given, family) = (person.given, person.family);
        let mut stream = Stream::new(self.key, Purpose::Rename, ordinal);
        let family = self.names.draw_other_family(&mut stream, family);
        Some((family, self.claim(given, family)))
    }

    /// Everybody, in the order of their ordinals.
    pub(super) fn into_people(self) -> Vec<Biography> {
        self.people
    }

    fn invent(&mut self, part: Part, ordinal: u32) -> Biography {
        let mut stream = Stream::new(self.key, Purpose::Persona, ordinal);
        let own_names = self.names.draw(&mut stream);
        let (given, family) = match part.namesake {
            Some(other) => self.name_of(other),
            None => own_names,
        };
        let starts = start(&mut stream, part);
        let mut born = birth(&mut stream, starts);
        if let Some(day_of_month) = part.born_on {
            let date = self.calendar.date(born);
            born += i32::from(day_of_month) - i32::from(date.day());
        }
        let document = self.document(&mut stream, born, part.norwegian);
        let mailbox = match (part.address_of, part.email) {
            (Some(other), _) => Mailbox::Of(other),
            (None, Wish::No) => Mailbox::Missing,
            (None, Wish::Usually) if stream.below(50) == 0 => Mailbox::Missing,
            (None, Wish::Yes | Wish::Usually) => Mailbox::Own {
                earlier: self.claim(given, family),
            },
        };
        let has_employee_number = match part.employee_number {
            Wish::Yes => true,
            Wish::No => false,
            Wish::Usually => stream.below(100) != 0,
        };
        Biography {
            identity: ordinal,
            given,
            family,
            born,
            document,
            appears: part.appears,
            starts,
            opening: part.opening,
            rank: part.rank,
            department: part.department,
            manager: part.manager,
            mailbox,
            has_employee_number,
        }
    }

    /// Somebody who comes back under a new record.
    fn again(&mut self, part: Part, earlier: Biography) -> Biography {
        let mailbox = Mailbox::Own {
            earlier: self.claim(earlier.given, earlier.family),
        };
        Biography {
            appears: part.appears,
            starts: part.appears,
            opening: part.opening,
            rank: part.rank,
            department: part.department,
            manager: part.manager,
            mailbox,
            has_employee_number: true,
            ..earlier
        }
    }

    fn name_of(&self, ordinal: u32) -> (NameRef, NameRef) {
        self.names
            .draw(&mut Stream::new(self.key, Purpose::Persona, ordinal))
    }

    fn document(&mut self, stream: &mut Stream, born: i32, norwegian: bool) -> Document {
        let ticket = stream.below(100);
        let passport = stream.pick(&PASSPORTS, "PL");
        let born = self.calendar.date(born);
        let mut digits = |kind| self.digits.take(kind, born);
        match ticket {
            _ if norwegian => digits(NorwegianNumber::Birth).map(Document::Norwegian),
            0..84 => digits(NorwegianNumber::Birth).map(Document::Norwegian),
            84..90 => digits(NorwegianNumber::D).map(Document::DNumber),
            90..94 => Some(Document::Passport(passport)),
            _ => None,
        }
        // Also when so many were born on a day that its numbers are used up.
        .unwrap_or(Document::Missing)
    }

    /// Counts one more with these letters and says how many there were.
    fn claim(&mut self, given: NameRef, family: NameRef) -> u32 {
        let letters = fnv(&self.names.local_part(given, family));
        let count = self.letters.entry(letters).or_insert(0);
        let earlier = *count;
        *count += 1;
        earlier
    }
}

/// The first day of the first engagement.
fn start(stream: &mut Stream, part: Part) -> i32 {
    let served = stream.low_days_below(LONGEST_SERVICE * YEAR);
    match part.opening {
        Opening::Former { ended } => ended - 200 - served / 3,
        Opening::Ordinary | Opening::Contractor if part.appears > FIRST_DAY => part.appears,
        Opening::Contractor => FIRST_DAY - 30 - served / 20,
        Opening::Ordinary => FIRST_DAY - 1 - served,
    }
}

/// A day of birth that fits a first day: of age then, not too old in the year.
fn birth(stream: &mut Stream, starts: i32) -> i32 {
    let youngest = starts - YOUNGEST * YEAR - YEAR;
    let oldest = -OLDEST * YEAR;
    youngest - stream.days_below(youngest - oldest)
}

/// The hash of Fowler, Noll and Vo (FNV-1a, 64 bits): the same in every
/// release of the standard library, whose own hash is not.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
