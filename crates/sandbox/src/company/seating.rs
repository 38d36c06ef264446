//! The firm on its first day: who is in which department, who leads, who left
//! before, and whom the hard cases are about.

use super::biography::Opening;
use super::calendar::FIRST_DAY;
use super::casting::{Casting, Part, Wish};
use super::chart::{Chart, Rank};
use super::hard_case::{CYCLE, Cast, HARD_CASES_FROM, SELF_MANAGED};
use super::rates::Rates;
use super::stream::Stream;

/// So many report to a department's manager, or to a team's lead, before the
/// next lead.
const TEAM: u32 = 9;
/// Who left before the year did so between so many days and about a year more before it.
const LEFT_BEFORE: std::ops::Range<i32> = 61..400;

/// What became of the people of the first day.
#[derive(Debug)]
pub(super) struct Seating {
    /// Who is there for the hard cases, in a firm large enough.
    pub(super) cast: Option<Cast>,
    /// Who left before the year and is no hard case.
    pub(super) former: Vec<u32>,
    /// Who leads nobody and is no hard case, in random order.
    pub(super) members: Vec<u32>,
    /// The leads of each department.
    pub(super) leads: Vec<Vec<u32>>,
}

/// Invents everybody of the first day.
pub(super) fn seat(
    casting: &mut Casting<'_>,
    chart: &Chart,
    rates: &Rates,
    stream: &mut Stream,
) -> Seating {
    let people = rates.first_day();
    let departments = chart.departments;
    let mut plain: Vec<u32> = (departments..people).collect();
    stream.shuffle(&mut plain);
    let mut plain = plain.into_iter();
    let former: Vec<u32> = plain.by_ref().take(rates.former as usize).collect();
    let mut former_rest = former.iter().copied();
    let cast = if rates.people >= HARD_CASES_FROM {
        Cast::choose(&mut plain, &mut former_rest)
    } else {
        None
    };
    let mut free = vec![false; people as usize];
    for ordinal in plain.as_slice() {
        if let Some(flag) = free.get_mut(*ordinal as usize) {
            *flag = true;
        }
    }
    let left: std::collections::HashSet<u32> = former.iter().copied().collect();

    let mut teams: Vec<Team> = vec![Team::default(); departments as usize];
    for (ordinal, free) in (0_u32..).zip(free) {
        let part = if ordinal < departments {
            manager_part(ordinal, cast.is_some())
        } else {
            let department = draw_department(stream, departments);
            let mut part = Part::member(FIRST_DAY, department, Some(department));
            if left.contains(&ordinal) {
                let days =
                    LEFT_BEFORE.start + stream.days_below(LEFT_BEFORE.end - LEFT_BEFORE.start);
                part.opening = Opening::Former { ended: -days };
            } else if let Some(team) = teams.get_mut(department as usize) {
                team.seat(ordinal, free, &mut part);
            }
            if let Some(cast) = &cast {
                make_hard(&mut part, ordinal, cast);
            }
            part
        };
        casting.cast(part);
    }
    let leads: Vec<Vec<u32>> = teams.into_iter().map(|team| team.leads).collect();
    let leading: std::collections::HashSet<u32> = leads.iter().flatten().copied().collect();
    Seating {
        cast,
        former: former_rest.collect(),
        members: plain.filter(|ordinal| !leading.contains(ordinal)).collect(),
        leads,
    }
}

/// The people of one department while they are seated.
#[derive(Debug, Clone, Default)]
struct Team {
    leads: Vec<u32>,
    under_the_last: u32,
}

impl Team {
    fn seat(&mut self, ordinal: u32, may_lead: bool, part: &mut Part) {
        if self.under_the_last >= TEAM && may_lead {
            part.rank = Rank::Lead;
            self.leads.push(ordinal);
            self.under_the_last = 0;
            return;
        }
        self.under_the_last += 1;
        if let Some(lead) = self.leads.last() {
            part.manager = Some(*lead);
        }
    }
}

/// The ordinal of a department's first manager is that of the department.
fn manager_part(department: u32, hard_cases: bool) -> Part {
    let mut part = Part::member(FIRST_DAY, department, Chart::parent(department));
    part.rank = if department == 0 {
        Rank::Chief
    } else {
        Rank::Manager
    };
    part.email = Wish::Yes;
    part.employee_number = Wish::Yes;
    if hard_cases {
        if department == SELF_MANAGED {
            part.manager = Some(SELF_MANAGED);
        }
        let [one, other] = CYCLE;
        for (this, that) in [(one, other), (other, one)] {
            if department == this {
                part.manager = Some(that);
                // So the cycle shows as well where only departments have managers.
                part.department = that;
            }
        }
    }
    part
}

/// Half of the people choose at random, half prefer the first departments, so
/// that departments have different sizes.
fn draw_department(stream: &mut Stream, departments: u32) -> u32 {
    let first = stream.below(departments);
    let second = stream.below(departments);
    if stream.chance(50) {
        first
    } else {
        first.min(second)
    }
}

fn make_hard(part: &mut Part, ordinal: u32, cast: &Cast) {
    let [one, other] = cast.same_name;
    // On different days of the month, so that the birth dates differ.
    if ordinal == one {
        part.born_on = Some(11);
    }
    if ordinal == other {
        part.born_on = Some(23);
        part.namesake = Some(one);
    }
    let needs_email = [
        one,
        other,
        cast.surname_changed,
        cast.surname_and_address_changed,
        cast.address_released,
        cast.address_still_listed,
        cast.contractor,
        cast.comes_back,
        cast.no_employee_number,
        cast.rehired_same_id,
        cast.rehired_new_id,
    ];
    if needs_email.contains(&ordinal) {
        part.email = Wish::Yes;
        part.employee_number = Wish::Yes;
    }
    if ordinal == cast.no_email {
        part.email = Wish::No;
        part.employee_number = Wish::Yes;
    }
    if ordinal == cast.no_employee_number {
        part.employee_number = Wish::No;
    }
    if ordinal == cast.contractor {
        part.opening = Opening::Contractor;
    }
    if ordinal == cast.rehired_new_id {
        part.norwegian = true;
    }
}
