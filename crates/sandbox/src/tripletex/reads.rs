//! Every read but the employees' list.

use super::answer::Success;
use super::books::Books;
use super::entitlements::LEFT_AFTER_LOSS;
use super::failure::Failure;
use super::listing::{
    CHECKSUM_NOT_ASKED, DEFAULT_COUNT, NO_CHECKSUM, SingleEnvelope, envelope, sort, text,
};
use super::occupation::letters_hash;
use super::render::Rendered;
use super::request::{Query, Request};
use super::resource::Resource;
use super::row::{Cell, Row};
use super::world::World;

/// The page size of `GET /department/query` when none is asked for.
const QUERY_COUNT: usize = 25;

/// One object by its id.
pub(super) fn one(
    world: &World,
    resource: Resource,
    id: &str,
    query: &Query,
) -> Result<Success, Failure> {
    let id: u64 = id.parse().map_err(|_| Failure::path_parameter())?;
    let selection = query.selection(resource, "")?;
    let books = world.books();
    let lens = &world.disturbance.lens;
    let row = books
        .find(resource, id)
        .filter(|row| !lens.hides(books, row))
        .ok_or_else(Failure::not_found)?;
    let body = text(&SingleEnvelope {
        value: Rendered {
            books,
            row,
            selection: &selection,
            lens,
        },
    })?;
    Ok(Success::of(200, body))
}

/// A list: the rows that `keep` keeps, sorted, a page of them.
fn list(
    world: &World,
    resource: Resource,
    query: &Query,
    version_digest: &str,
    keep: impl Fn(&Books, &Row) -> bool,
) -> Result<String, Failure> {
    list_by(
        world,
        resource,
        query,
        (DEFAULT_COUNT, ""),
        version_digest,
        keep,
    )
}

/// As `list`, with other defaults of `count` and `fields`.
fn list_by(
    world: &World,
    resource: Resource,
    query: &Query,
    (count, fields): (usize, &str),
    version_digest: &str,
    keep: impl Fn(&Books, &Row) -> bool,
) -> Result<String, Failure> {
    let page = query.page(count)?;
    let selection = query.selection(resource, fields)?;
    let books = world.books();
    let lens = &world.disturbance.lens;
    let mut rows: Vec<&Row> = books
        .table(resource)
        .rows()
        .iter()
        .filter(|row| keep(books, row) && !lens.hides(books, row))
        .collect();
    sort(books, resource, &mut rows, query.text("sorting"))?;
    envelope(books, lens, &rows, page, &selection, version_digest)
}

/// Whether a text holds another, letters' case aside; an absent part is held by all.
fn holds(text: &str, part: Option<&str>) -> bool {
    part.is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()))
}

/// Whether an id is in a list; an absent list holds all.
fn listed(ids: Option<&[u64]>, id: Option<u64>) -> bool {
    ids.is_none_or(|ids| id.is_some_and(|id| ids.contains(&id)))
}

/// `GET /employee/employment`.
pub(super) fn employments(world: &World, query: &Query) -> Result<Success, Failure> {
    let employee = query.id("employeeId")?;
    let body = list(world, Resource::Employment, query, NO_CHECKSUM, |_, row| {
        employee.is_none() || row.reference("employee") == employee
    })?;
    Ok(Success::of(200, body))
}

/// `GET /employee/employment/details`.
pub(super) fn details(world: &World, query: &Query) -> Result<Success, Failure> {
    let employments = query.ids("employmentId")?;
    let body = list(
        world,
        Resource::EmploymentDetails,
        query,
        NO_CHECKSUM,
        |_, row| listed(employments.as_deref(), row.reference("employment")),
    )?;
    Ok(Success::of(200, body))
}

/// `GET /department`, with a checksum for who asks for one.
pub(super) fn departments(world: &World, request: &Request) -> Result<Success, Failure> {
    let query = &request.query;
    let ids = query.ids("id")?;
    let managers = query.ids("departmentManagerId")?;
    let inactive = query.flag("isInactive")?;
    let answer = |version_digest: &str| {
        list(
            world,
            Resource::Department,
            query,
            version_digest,
            |_, row| {
                listed(ids.as_deref(), Some(row.id))
                    && listed(managers.as_deref(), row.reference("departmentManager"))
                    && holds(row.text("name"), query.text("name"))
                    && holds(row.text("departmentNumber"), query.text("departmentNumber"))
                    && inactive.is_none_or(|inactive| row.flag("isInactive") == inactive)
            },
        )
    };
    let Some(known) = &request.if_none_match else {
        return Ok(Success::of(200, answer(CHECKSUM_NOT_ASKED)?));
    };
    let checksum = format!("{:016x}", letters_hash(&answer("")?));
    if *known == checksum {
        return Ok(Success::without_body(304));
    }
    Ok(Success::of(200, answer(&checksum)?))
}

/// `GET /department/query`.
pub(super) fn department_query(world: &World, query: &Query) -> Result<Success, Failure> {
    let ids = query.ids("id")?;
    let inactive = query.flag("isInactive")?;
    let body = list_by(
        world,
        Resource::Department,
        query,
        (QUERY_COUNT, "id, name"),
        CHECKSUM_NOT_ASKED,
        |_, row| {
            let part = query.text("query");
            listed(ids.as_deref(), Some(row.id))
                && (holds(row.text("name"), part) || holds(row.text("departmentNumber"), part))
                && inactive.is_none_or(|inactive| row.flag("isInactive") == inactive)
        },
    )?;
    Ok(Success::of(200, body))
}

/// `GET /division`.
pub(super) fn divisions(world: &World, query: &Query) -> Result<Success, Failure> {
    let part = query.text("query");
    let body = list(world, Resource::Division, query, NO_CHECKSUM, |_, row| {
        holds(row.text("name"), part) || holds(row.text("organizationNumber"), part)
    })?;
    Ok(Success::of(200, body))
}

/// `GET /country`.
pub(super) fn countries(world: &World, query: &Query) -> Result<Success, Failure> {
    let ids = query.ids("id")?;
    // Every country of the table is in use, and payments to none are supported.
    let is_disabled = query.flag("isDisabled")?;
    let supported = query.flag("supportedInZtl")?;
    let body = list(world, Resource::Country, query, NO_CHECKSUM, |_, row| {
        let code = row.text("isoAlpha2Code");
        listed(ids.as_deref(), Some(row.id))
            && query
                .text("code")
                .is_none_or(|codes| codes.split(',').any(|wanted| wanted.trim() == code))
            && is_disabled != Some(true)
            && supported != Some(true)
    })?;
    Ok(Success::of(200, body))
}

/// `GET /employee/employment/occupationCode`.
pub(super) fn occupation_codes(world: &World, query: &Query) -> Result<Success, Failure> {
    let ids = query.ids("id")?;
    let body = list(
        world,
        Resource::OccupationCode,
        query,
        NO_CHECKSUM,
        |_, row| {
            listed(ids.as_deref(), Some(row.id))
                && holds(row.text("nameNO"), query.text("nameNO"))
                && holds(row.text("code"), query.text("code"))
        },
    )?;
    Ok(Success::of(200, body))
}

/// `GET /company/>withLoginAccess`: for a token of the company's own, itself.
pub(super) fn companies(world: &World, query: &Query) -> Result<Success, Failure> {
    let body = list(world, Resource::Client, query, NO_CHECKSUM, |_, _| true)?;
    Ok(Success::of(200, body))
}

/// `GET /employee/entitlement`: by default the rights of the token's owner.
pub(super) fn entitlements(world: &World, query: &Query) -> Result<Success, Failure> {
    let employee = query.id("employeeId")?.unwrap_or(world.books().owner);
    let rights_lost = world.disturbance.lens.rights_lost.is_some();
    let body = list(
        world,
        Resource::Entitlement,
        query,
        NO_CHECKSUM,
        |books, row| {
            let remains = match row.get("entitlementId") {
                Cell::Integer(right) => LEFT_AFTER_LOSS.contains(right),
                _ => false,
            };
            row.reference("employee") == Some(employee)
                && (!rights_lost || employee != books.owner || remains)
        },
    )?;
    Ok(Success::of(200, body))
}
