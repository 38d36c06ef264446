//! Calls that change the simulated company, from body to answer.

use super::answer::Success;
use super::books::Books;
use super::entitlements;
use super::failure::{Failure, ValidationMessage};
use super::listing::{CHECKSUM_NOT_ASKED, NO_CHECKSUM, SingleEnvelope, envelope, text};
use super::mapping::{self, Draft};
use super::render::Rendered;
use super::request::{Page, Request};
use super::resource::Resource;
use super::row::Row;
use super::selection::Selection;
use super::world::World;
use super::write_rules::{INVALID_FORMAT, refuse};
use super::{write_employee, write_employment, write_organisation};
use crate::fault::Fault;

/// Creates one object and answers it.
pub(super) fn create(
    world: &mut World,
    resource: Resource,
    request: &Request,
) -> Result<Success, Failure> {
    let draft = read(world, resource, request)?;
    let id = insert(world.books_mut(), resource, &draft)?;
    done(world, resource, id)?;
    single(world, resource, id, 201)
}

/// Changes one object and answers it.
pub(super) fn update(
    world: &mut World,
    resource: Resource,
    id: &str,
    request: &Request,
) -> Result<Success, Failure> {
    let id: u64 = id.parse().map_err(|_| Failure::path_parameter())?;
    let hidden = {
        let books = world.books();
        books
            .find(resource, id)
            .is_none_or(|row| world.disturbance.lens.hides(books, row))
    };
    if hidden {
        return Err(Failure::not_found());
    }
    let draft = read(world, resource, request)?;
    change(world.books_mut(), resource, id, &draft)?;
    done(world, resource, id)?;
    single(world, resource, id, 200)
}

/// The body as an object, with what the vendor refuses or writes in another form.
fn read(world: &World, resource: Resource, request: &Request) -> Result<Draft, Failure> {
    let mut draft = mapping::object(resource, &request.body)?;
    let refused = (world.disturbance.refused(resource))
        .filter(|name| draft.cell(name).is_some())
        .map(|name| ValidationMessage::field(name, INVALID_FORMAT))
        .collect();
    refuse(refused)?;
    if world.disturbance.has(&Fault::ReformatWrites) {
        draft.change_texts(own_form);
    }
    Ok(draft)
}

/// The vendor's own form of a text: telephone numbers in pairs of digits, other
/// text in capital letters. An address for mail keeps its own.
fn own_form(name: &str, text: &str) -> String {
    if name == "email" {
        return text.to_owned();
    }
    if !name.starts_with("phoneNumber") {
        return text.to_uppercase();
    }
    let mut form = String::new();
    for (index, digit) in text.chars().filter(|one| !one.is_whitespace()).enumerate() {
        if index > 0 && index % 2 == 0 {
            form.push(' ');
        }
        form.push(digit);
    }
    form
}

/// What a write leaves behind; an answer that tells of a failure although it was done.
fn done(world: &mut World, resource: Resource, id: u64) -> Result<(), Failure> {
    if world.disturbance.fails_after_write(resource, id) {
        return Err(Failure::server_error());
    }
    Ok(())
}

/// `POST /employee/list`: all or nothing.
pub(super) fn create_employees(world: &mut World, request: &Request) -> Result<Success, Failure> {
    let drafts = mapping::objects(Resource::Employee, &request.body)?;
    let books = world.books_mut();
    let mut made = Vec::with_capacity(drafts.len());
    for draft in &drafts {
        match write_employee::create(books, draft) {
            Ok(id) => made.push(id),
            Err(failure) => {
                for id in made {
                    books.erase_employee(id);
                }
                return Err(failure);
            }
        }
    }
    many(world, Resource::Employee, &made, NO_CHECKSUM, 201)
}

/// `POST /department/list`: all or nothing.
pub(super) fn create_departments(world: &mut World, request: &Request) -> Result<Success, Failure> {
    let drafts = mapping::objects(Resource::Department, &request.body)?;
    let made = all_departments(world, &drafts, |books, draft| {
        write_organisation::create_department(books, draft)
    })?;
    many(world, Resource::Department, &made, CHECKSUM_NOT_ASKED, 201)
}

/// `PUT /department/list`: all or nothing.
pub(super) fn update_departments(world: &mut World, request: &Request) -> Result<Success, Failure> {
    let drafts = mapping::objects(Resource::Department, &request.body)?;
    let changed = all_departments(world, &drafts, |books, draft| {
        let id = draft.id.ok_or_else(Failure::not_found)?;
        write_organisation::update_department(books, id, draft).map(|()| id)
    })?;
    many(
        world,
        Resource::Department,
        &changed,
        CHECKSUM_NOT_ASKED,
        200,
    )
}

/// Writes every draft, or puts the departments back as they were.
fn all_departments(
    world: &mut World,
    drafts: &[Draft],
    write: impl Fn(&mut Books, &Draft) -> Result<u64, Failure>,
) -> Result<Vec<u64>, Failure> {
    let books = world.books_mut();
    let before = books.table(Resource::Department).clone();
    let written: Result<Vec<u64>, Failure> =
        drafts.iter().map(|draft| write(books, draft)).collect();
    if written.is_err() {
        *books.table_mut(Resource::Department) = before;
    }
    written
}

/// `DELETE /department/{id}`.
pub(super) fn delete_department(world: &mut World, id: &str) -> Result<Success, Failure> {
    let id: u64 = id.parse().map_err(|_| Failure::path_parameter())?;
    write_organisation::delete_department(world.books_mut(), id)?;
    Ok(Success::without_body(204))
}

/// `PUT /employee/entitlement/:grantEntitlementsByTemplate`.
pub(super) fn grant(world: &mut World, request: &Request) -> Result<Success, Failure> {
    request.query.required("employeeId")?;
    let template = request.query.required("template")?;
    let employee = request
        .query
        .id("employeeId")?
        .ok_or_else(|| Failure::parameter("employeeId"))?;
    let books = world.books_mut();
    if books.find(Resource::Employee, employee).is_none() {
        return Err(Failure::not_found());
    }
    if !entitlements::grant(books, employee, template) {
        return Err(Failure::parameter("template"));
    }
    Ok(Success::without_body(200))
}

fn insert(books: &mut Books, resource: Resource, draft: &Draft) -> Result<u64, Failure> {
    match resource {
        Resource::Employee => write_employee::create(books, draft),
        Resource::Employment => write_employment::create(books, draft),
        Resource::EmploymentDetails => write_employment::create_details(books, draft),
        Resource::Department => write_organisation::create_department(books, draft),
        Resource::Division => write_organisation::create_division(books, draft),
        // No route leads here.
        _ => Err(Failure::not_found()),
    }
}

fn change(books: &mut Books, resource: Resource, id: u64, draft: &Draft) -> Result<(), Failure> {
    match resource {
        Resource::Employee => write_employee::update(books, id, draft),
        Resource::Employment => write_employment::update(books, id, draft),
        Resource::EmploymentDetails => write_employment::update_details(books, id, draft),
        Resource::Department => write_organisation::update_department(books, id, draft),
        // No route leads here.
        _ => Err(Failure::not_found()),
    }
}

fn single(world: &World, resource: Resource, id: u64, status: u16) -> Result<Success, Failure> {
    let books = world.books();
    let row = books.find(resource, id).ok_or_else(Failure::not_found)?;
    let body = text(&SingleEnvelope {
        value: Rendered {
            books,
            row,
            selection: &Selection::all(resource),
            lens: &world.disturbance.lens,
        },
    })?;
    Ok(Success::of(status, body))
}

fn many(
    world: &World,
    resource: Resource,
    ids: &[u64],
    version_digest: &str,
    status: u16,
) -> Result<Success, Failure> {
    let books = world.books();
    let rows: Vec<&Row> = ids
        .iter()
        .filter_map(|id| books.find(resource, *id))
        .collect();
    let page = Page {
        from: 0,
        count: rows.len(),
    };
    let selection = Selection::all(resource);
    let lens = &world.disturbance.lens;
    let body = envelope(books, lens, &rows, page, &selection, version_digest)?;
    Ok(Success::of(status, body))
}
