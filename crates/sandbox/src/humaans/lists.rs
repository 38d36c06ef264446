//! The reads: people, job roles, and what there is once.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::company::Employee;
use crate::stage::Roster;
use crate::wire::{Answer, WireRequest};

use super::ids::{Of, id, number};
use super::query::Query;
use super::render::{company, job_role, job_roles, person, restrict, status};
use super::{Humaans, Refusal};

/// What people may be asked for by.
const PERSON_FIELDS: &[&str] = &[
    "id",
    "companyId",
    "firstName",
    "lastName",
    "email",
    "status",
    "employeeId",
    "locationId",
    "updatedAt",
    "createdAt",
    "employmentStartDate",
    "employmentEndDate",
];
/// What job roles may be asked for by.
const ROLE_FIELDS: &[&str] = &["id", "personId", "effectiveDate"];

/// A record as the token may see it.
fn seen(account: &Humaans, roster: &Roster, employee: &Employee) -> Value {
    let mut person = person(roster, employee);
    if account.stage.has_lost_rights() {
        restrict(&mut person);
    }
    account.stage.prune(&mut person, false);
    person
}

fn envelope(query: &Query, total: usize, data: Vec<Value>) -> Answer {
    Answer::json(
        200,
        &json!({"total": total, "limit": query.limit, "skip": query.skip, "data": data}),
    )
}

pub(super) fn people(account: &mut Humaans, request: &WireRequest) -> Result<Answer, Refusal> {
    let query = Query::of(request, PERSON_FIELDS)?;
    let size = query.limit.max(1);
    let name = query.name();
    let keep = |roster: &Roster, employee: &Employee| {
        query.is_plain() || query.keeps(&person(roster, employee))
    };
    let mut listing = account.stage.listing(&name, size, keep);
    if account.stage.moves_border(&listing, query.skip) {
        listing = account.stage.listing(&name, size, keep);
    }
    let served = account.stage.serve(&listing, query.skip, size);
    let mut data: Vec<Value> = listing
        .rows(served.range.clone())
        .map(|row| seen(account, &listing.roster, &row))
        .collect();
    data.truncate(query.limit);
    if account.stage.mischief.breaks(served.place) {
        return Err(Refusal::server());
    }
    if account.stage.mischief.expires_token(served.place) {
        account.is_revoked = true;
    }
    // A list that ends early says so by its total as well.
    let is_short = served.is_end && served.range.end < listing.len();
    let total = match is_short {
        true => served.range.end,
        false => served.total,
    };
    let answer = envelope(&query, total, data);
    Ok(account.stage.finish(served.place, answer))
}

/// Somebody who is seen, by id.
pub(super) fn find(account: &Humaans, id: &str) -> Result<u64, Refusal> {
    let roster = account.stage.roster();
    number(Of::Person, id)
        .and_then(|number| roster.employee(number))
        .filter(|employee| !account.stage.hides(roster, employee.id))
        .map(|employee| employee.id)
        .ok_or_else(Refusal::not_found)
}

pub(super) fn one(account: &Humaans, id: u64) -> Result<Answer, Refusal> {
    let roster = account.stage.roster();
    let employee = roster.employee(id).ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &seen(account, roster, employee)))
}

/// Whose token it is: the first who works here.
pub(super) fn me(account: &Humaans) -> Result<Answer, Refusal> {
    let roster = account.stage.roster();
    let owner = roster
        .employees()
        .iter()
        .find(|employee| status(roster, employee) == "active")
        .ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &seen(account, roster, owner)))
}

/// Whose roles stand in which rows: positions in the roster with the role.
pub(super) type Roles = Arc<[(u32, u32)]>;

fn role_at(account: &Humaans, roster: &Roster, (at, which): (u32, u32)) -> Option<Value> {
    let employee = roster.employees().get(usize::try_from(at).ok()?)?;
    let roles = job_roles(employee);
    let (terms, next) = roles.get(usize::try_from(which).ok()?)?;
    let mut role = job_role(roster, employee, terms, *next);
    account.stage.prune(&mut role, false);
    Some(role)
}

/// All roles of those who are seen.
fn all_roles(account: &mut Humaans) -> Roles {
    let roster = Arc::clone(account.stage.roster());
    if let Some((known, roles)) = &account.roles
        && Arc::ptr_eq(known, &roster)
    {
        return Arc::clone(roles);
    }
    let roles: Roles = (0_u32..)
        .zip(roster.employees())
        .filter(|(_, employee)| !account.stage.hides(&roster, employee.id))
        .flat_map(|(at, employee)| {
            let count = u32::try_from(job_roles(employee).len()).unwrap_or_default();
            (0..count).map(move |which| (at, which))
        })
        .collect();
    account.roles = Some((roster, Arc::clone(&roles)));
    roles
}

/// Job roles show no faults of lists: those of people do.
pub(super) fn roles(account: &mut Humaans, request: &WireRequest) -> Result<Answer, Refusal> {
    let query = Query::of(request, ROLE_FIELDS)?;
    let roles = all_roles(account);
    let roster = Arc::clone(account.stage.roster());
    let wanted: Roles = match query.named("personId") {
        None if query.is_plain() => roles,
        named => {
            let of_named = |at: u32| match named {
                None => true,
                Some(ids) => usize::try_from(at)
                    .ok()
                    .and_then(|at| roster.employees().get(at))
                    .is_some_and(|employee| ids.contains(&id(Of::Person, employee.id))),
            };
            roles
                .iter()
                .filter(|(at, _)| of_named(*at))
                .filter(|row| {
                    role_at(account, &roster, **row).is_some_and(|role| query.keeps(&role))
                })
                .copied()
                .collect()
        }
    };
    let until = query.skip.saturating_add(query.limit).min(wanted.len());
    let data: Vec<Value> = wanted
        .get(query.skip.min(until)..until)
        .unwrap_or_default()
        .iter()
        .filter_map(|row| role_at(account, &roster, *row))
        .collect();
    Ok(envelope(&query, wanted.len(), data))
}

pub(super) fn role(account: &mut Humaans, id: &str) -> Result<Answer, Refusal> {
    let wanted = number(Of::JobRole, id).ok_or_else(Refusal::not_found)?;
    let roster = Arc::clone(account.stage.roster());
    roster
        .employees()
        .iter()
        .filter(|employee| !account.stage.hides(&roster, employee.id))
        .find_map(|employee| {
            let roles = job_roles(employee);
            let (terms, next) = roles.into_iter().find(|(terms, _)| terms.id == wanted)?;
            Some(job_role(&roster, employee, terms, next))
        })
        .map(|role| Answer::json(200, &role))
        .ok_or_else(Refusal::not_found)
}

/// A list of what there is once, or not at all.
pub(super) fn few(request: &WireRequest, rows: Vec<Value>) -> Result<Answer, Refusal> {
    let query = Query::of(request, &["id"])?;
    let kept: Vec<Value> = rows.into_iter().filter(|row| query.keeps(row)).collect();
    let data: Vec<Value> = kept
        .iter()
        .skip(query.skip)
        .take(query.limit)
        .cloned()
        .collect();
    Ok(envelope(&query, kept.len(), data))
}

pub(super) fn companies(account: &Humaans, request: &WireRequest) -> Result<Answer, Refusal> {
    few(request, vec![company(account.stage.roster())])
}
