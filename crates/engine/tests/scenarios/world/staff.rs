//! Who works in a company, and what a test makes happen to them.

use jiff::ToSpan;
use jiff::civil::Date;
use muster_sandbox::company::{Company, EndReason, Rehearsal};

/// People on a day who work there, can sign in, manage nobody, are no hard case,
/// and to whom nothing happens in the two months around it.
pub(crate) fn plain_staff(rehearsal: &Rehearsal, day: i32) -> Vec<u64> {
    let company = rehearsal.on_day(day);
    let changed = rehearsal.between((day - 65).max(0), day + 60).changed;
    let cast: Vec<u64> = rehearsal
        .hard_cases()
        .into_iter()
        .flat_map(|case| case.employees)
        .collect();
    let manages = |id: u64| {
        company
            .departments
            .iter()
            .any(|department| department.manager == Some(id))
    };
    company
        .employees
        .iter()
        .filter(|one| one.is_running_on(company.as_of) && one.work_email.is_some())
        .map(|one| one.id)
        .filter(|id| !changed.contains(id) && !cast.contains(id) && !manages(*id))
        .collect()
}

/// The company with the last day of these people typed in: yesterday.
pub(crate) fn with_leavers(mut company: Company, leavers: &[u64]) -> Company {
    let last = company.as_of.checked_sub(1.days()).unwrap();
    for employee in &mut company.employees {
        if leavers.contains(&employee.id) {
            employee.version += 1;
            end(employee, last);
        }
    }
    company
}

fn end(employee: &mut muster_sandbox::company::Employee, last: Date) {
    for engagement in &mut employee.engagements {
        if engagement.end_date.is_none() {
            engagement.end_date = Some(last);
            engagement.end_reason = Some(EndReason::Employee);
            engagement.version += 1;
        }
    }
}

/// The company with another telephone number of these people.
pub(crate) fn with_new_phones(mut company: Company, people: &[u64]) -> Company {
    for employee in &mut company.employees {
        if people.contains(&employee.id) {
            employee.version += 1;
            employee.phone = Some(muster_sandbox::company::Phone {
                country: Some("NO".to_owned()),
                number: format!("4{:07}", employee.id % 10_000_000),
            });
        }
    }
    company
}

/// The company without these people.
pub(crate) fn without(mut company: Company, people: &[u64]) -> Company {
    company
        .employees
        .retain(|employee| !people.contains(&employee.id));
    company
}
