//! What all vendors' simulators stand on: the companies, the faults and the
//! lists from which pages are cut. A vendor adds its routes and how a person
//! looks in its words.

mod listing;
mod mischief;
mod roster;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use serde_json::Value;

use crate::company::{Company, Employee, Engagement, EngagementKind, Period};
use crate::fault::Fault;
use crate::server::{SandboxError, SandboxOptions, Today, Vendor};
use crate::wire::{Answer, cut};

pub(crate) use listing::Listing;
pub(crate) use mischief::{CutLength, Mischief, Place};
pub(crate) use roster::{Roster, State};

/// How many lists are remembered.
const MOST_SELECTIONS: usize = 32;

/// The companies, the faults, and what they have done so far.
pub(crate) struct Stage {
    vendor: Vendor,
    main: Arc<Roster>,
    other: Arc<Roster>,
    earlier: Arc<Roster>,
    pub(crate) mischief: Mischief,
    /// The vendor's fields, dots for depth: what `drop-field` may name.
    fields: &'static [&'static str],
    dropped: Vec<Vec<String>>,
    pub(crate) seed: u64,
    today: Today,
    slow: Duration,
    calls: u64,
    /// Who is on a list, by the list's name, until the company changes: so a
    /// page costs as much as a page.
    selections: BTreeMap<String, Arc<[u32]>>,
}

/// What one page holds.
pub(crate) struct Served {
    /// Which rows of the list.
    pub(crate) range: Range<usize>,
    pub(crate) place: Place,
    /// How many rows the list claims to have.
    pub(crate) total: usize,
    /// How many pages the list claims to have.
    pub(crate) pages: usize,
    /// Whether the read ends here by the vendor's rule.
    pub(crate) is_end: bool,
}

impl Stage {
    pub(crate) fn new(
        options: SandboxOptions,
        fields: &'static [&'static str],
    ) -> Result<Self, SandboxError> {
        let mut stage = Self {
            vendor: options.vendor,
            main: Arc::new(Roster::of(options.company)),
            other: Arc::new(Roster::of(options.other_company)),
            earlier: Arc::new(Roster::of(options.earlier)),
            mischief: Mischief::default(),
            fields,
            dropped: Vec::new(),
            seed: options.seed,
            today: options.today,
            slow: options.slow,
            calls: 0,
            selections: BTreeMap::new(),
        };
        stage.set_faults(options.faults)?;
        Ok(stage)
    }

    pub(crate) fn set_company(&mut self, company: Company) {
        self.main = Arc::new(Roster::of(company));
        self.selections.clear();
    }

    pub(crate) fn set_earlier(&mut self, earlier: Company) {
        self.earlier = Arc::new(Roster::of(earlier));
        self.selections.clear();
    }

    pub(crate) fn set_faults(&mut self, faults: Vec<Fault>) -> Result<(), SandboxError> {
        let mut dropped = Vec::new();
        for fault in &faults {
            match fault {
                Fault::DropField(name) if !self.fields.contains(&name.as_str()) => {
                    return Err(SandboxError::UnknownField {
                        field: name.clone(),
                    });
                }
                Fault::DropField(name) => {
                    dropped.push(name.split('.').map(str::to_owned).collect());
                }
                // Nothing of ours writes to these vendors.
                Fault::ReformatWrites | Fault::WriteThenFail | Fault::RefuseField(_) => {
                    return Err(SandboxError::NotShown {
                        vendor: self.vendor,
                        fault: fault.clone(),
                    });
                }
                _ => {}
            }
        }
        self.dropped = dropped;
        self.mischief = Mischief::of(faults);
        self.selections.clear();
        Ok(())
    }

    /// Counts a call; its number serves as the vendor's request id.
    pub(crate) fn count_call(&mut self) -> String {
        self.calls += 1;
        format!("{:08x}-{:08x}", self.seed & 0xffff_ffff, self.calls)
    }

    /// What day it is.
    pub(crate) fn today(&self) -> Date {
        (self.today)()
    }

    /// The id of the account that this simulator was started for.
    pub(crate) fn own_account_id(&self) -> u64 {
        self.main.company.account_id
    }

    /// The state of thirty days ago.
    pub(crate) fn earlier(&self) -> &Arc<Roster> {
        &self.earlier
    }

    /// The company that is served: which one is a matter of faults.
    pub(crate) fn roster(&self) -> &Arc<Roster> {
        if self.mischief.has(&Fault::WrongCompany) {
            &self.other
        } else if self.mischief.has(&Fault::Stale) {
            &self.earlier
        } else {
            &self.main
        }
    }

    /// The same, to be changed; lists in somebody's hands stay as they were.
    pub(crate) fn roster_mut(&mut self) -> &mut Roster {
        self.selections.clear();
        let roster = if self.mischief.has(&Fault::WrongCompany) {
            &mut self.other
        } else if self.mischief.has(&Fault::Stale) {
            &mut self.earlier
        } else {
            &mut self.main
        };
        Arc::make_mut(roster)
    }

    /// Whether rights are lost.
    pub(crate) fn has_lost_rights(&self) -> bool {
        self.mischief.has(&Fault::PermissionLoss)
    }

    /// Whether somebody cannot be seen, because rights are lost.
    pub(crate) fn hides(&self, roster: &Roster, id: u64) -> bool {
        self.has_lost_rights() && id != roster.owner() && scattered(self.seed, id).is_multiple_of(3)
    }

    /// The list of all who are seen and kept. `name` says which list it is:
    /// the same name must always keep the same people.
    pub(crate) fn listing(
        &mut self,
        name: &str,
        page_size: usize,
        keep: impl Fn(&Roster, &Employee) -> bool,
    ) -> Listing {
        let select = |roster: &Roster, seen: &dyn Fn(u64) -> bool| -> Vec<u32> {
            (0_u32..)
                .zip(roster.employees())
                .filter(|(_, employee)| seen(employee.id) && keep(roster, employee))
                .map(|(at, _)| at)
                .collect()
        };
        self.listed(name, page_size, select)
    }

    /// The same in another order than that of the ids.
    pub(crate) fn sorted_listing(
        &mut self,
        name: &str,
        page_size: usize,
        keep: impl Fn(&Roster, &Employee) -> bool,
        key: impl Fn(&Employee) -> String,
        descending: bool,
    ) -> Listing {
        let select = |roster: &Roster, seen: &dyn Fn(u64) -> bool| -> Vec<u32> {
            let mut keyed: Vec<(String, u32)> = roster
                .employees()
                .iter()
                .zip(0_u32..)
                .filter(|(employee, _)| seen(employee.id) && keep(roster, employee))
                .map(|(employee, at)| (key(employee), at))
                .collect();
            keyed.sort_unstable();
            if descending {
                keyed.reverse();
            }
            keyed.into_iter().map(|(_, at)| at).collect()
        };
        self.listed(name, page_size, select)
    }

    fn listed(
        &mut self,
        name: &str,
        page_size: usize,
        select: impl Fn(&Roster, &dyn Fn(u64) -> bool) -> Vec<u32>,
    ) -> Listing {
        let roster = Arc::clone(self.roster());
        let rows = match self.selections.get(name) {
            Some(rows) => Arc::clone(rows),
            None => {
                let rows: Arc<[u32]> = select(&roster, &|id| !self.hides(&roster, id)).into();
                // Callers choose the names: they must not fill the memory.
                if self.selections.len() >= MOST_SELECTIONS {
                    self.selections.clear();
                }
                self.selections.insert(name.to_owned(), Arc::clone(&rows));
                rows
            }
        };
        let doubled = self.mischief.has(&Fault::DuplicateRows);
        Listing::new(
            roster,
            Arc::clone(&self.earlier),
            rows,
            doubled.then_some(page_size),
        )
    }

    /// Lets the border in front of `from` move when that fault is on: the last
    /// row before it whom nobody needs is deleted and a new one added at the
    /// end, so that the row behind the border slips in front of it and the size
    /// stays the same. True when the list has to be made anew.
    pub(crate) fn moves_border(&mut self, listing: &Listing, from: usize) -> bool {
        if from >= listing.len() || !self.mischief.moves_border(from) {
            return false;
        }
        let Some(leaving) = listing.dispensable_before(from) else {
            return false;
        };
        let roster = self.roster_mut();
        let (id, day) = (roster.next_id(), roster.day());
        let mut new = listing
            .roster
            .employee(leaving)
            .cloned()
            .unwrap_or_else(|| newcomer(id, day));
        roster.remove(leaving);
        new = Employee {
            department: new.department,
            work_email: new
                .work_email
                .as_ref()
                .and_then(|address| address.split_once('@'))
                .map(|(_, domain)| format!("ny.tilkommen{id}@{domain}")),
            ..newcomer(id, day)
        };
        roster.push(new);
        true
    }

    /// The rows from `from` on, at most `count`, with what the faults make of them.
    pub(crate) fn serve(&self, listing: &Listing, from: usize, count: usize) -> Served {
        self.serve_of(listing.len(), from, count)
    }

    /// The same of a list of so many rows, whatever a row is.
    pub(crate) fn serve_of(&self, rows: usize, from: usize, count: usize) -> Served {
        let place = Place::of(from, count, rows);
        let mut until = from.saturating_add(count).min(rows);
        let (mut total, mut pages) = (rows, place.pages);
        let mut is_end = until >= rows;
        if self.mischief.has(&Fault::Empty) && place.index == 0 {
            (until, total, pages, is_end) = (from, 0, 0, true);
        } else if self.mischief.has(&Fault::ShortPage) && place.is_middle() {
            until = from + until.saturating_sub(from) / 2;
            (pages, is_end) = (place.index + 1, true);
        }
        Served {
            range: from.min(until)..until,
            place,
            total,
            pages,
            is_end,
        }
    }

    /// What the faults do to an answer as a whole, and what the read leaves behind.
    pub(crate) fn finish(&mut self, place: Place, mut answer: Answer) -> Answer {
        if place.index == 0 {
            self.mischief.first_page_served();
        }
        if let Some(length) = self.mischief.cuts(place)
            && let Some(body) = answer.gather()
        {
            let whole = body.len();
            cut(body);
            answer.claimed_length = (length == CutLength::Whole).then_some(whole);
        }
        if place.is_last() && self.mischief.has(&Fault::Slow) {
            answer.delay = Some(self.slow);
        }
        answer
    }

    /// Takes dropped fields out of a rendered person. Where the vendor sends
    /// empty text for what is missing, `emptied` says so.
    pub(crate) fn prune(&self, person: &mut Value, emptied: bool) {
        for path in &self.dropped {
            drop_at(person, path, emptied);
        }
    }

    /// Whether exactly this is dropped.
    pub(crate) fn drops_at(&self, path: &[&str]) -> bool {
        self.dropped.iter().any(|dropped| dropped == path)
    }

    /// Whether this field is dropped (top level only).
    pub(crate) fn drops(&self, field: &str) -> bool {
        self.dropped
            .iter()
            .any(|path| matches!(path.as_slice(), [only] if only == field))
    }
}

/// Takes what stands at a path out of a value; lists on the way are gone through.
fn drop_at(value: &mut Value, path: &[String], emptied: bool) {
    match value {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| drop_at(item, path, emptied)),
        Value::Object(properties) => match path {
            [last] if emptied => {
                if let Some(value) = properties.get_mut(last) {
                    *value = Value::from("");
                }
            }
            [last] => {
                properties.shift_remove(last);
            }
            [first, rest @ ..] => {
                if let Some(inner) = properties.get_mut(first) {
                    drop_at(inner, rest, emptied);
                }
            }
            [] => {}
        },
        _ => {}
    }
}

/// Somebody who joins today, with nothing known but the name.
pub(crate) fn newcomer(id: u64, day: Date) -> Employee {
    let engagement = id.saturating_mul(10);
    Employee {
        id,
        version: 1,
        changed: day,
        employee_number: None,
        given_name: "Ny".to_owned(),
        family_name: format!("Tilkommen {id}"),
        work_email: None,
        personal_email: None,
        phone: None,
        date_of_birth: None,
        national_id: None,
        bank_account: None,
        address: None,
        department: None,
        manager: None,
        engagements: vec![Engagement {
            id: engagement,
            version: 1,
            kind: EngagementKind::Employee,
            start_date: day,
            end_date: None,
            end_reason: None,
            periods: vec![Period {
                id: engagement.saturating_mul(10),
                from: day,
                percentage: 100,
                job_title: String::new(),
                permanent: true,
            }],
        }],
    }
}

/// Spreads ids evenly, in another way for each seed (the finaliser of SplitMix64).
pub(crate) fn scattered(seed: u64, id: u64) -> u64 {
    let mut mixed = seed.wrapping_add(id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A secret in hexadecimal, the same for the same seed and name.
pub(crate) fn secret(seed: u64, name: &str, digits: usize) -> String {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    let salt = name
        .bytes()
        .fold(0_u64, |salt, byte| scattered(salt, u64::from(byte)));
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ salt);
    let mut text = String::new();
    while text.len() < digits {
        text.push_str(&format!("{:016x}", random.next_u64()));
    }
    text.truncate(digits);
    text
}
