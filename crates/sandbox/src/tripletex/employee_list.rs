//! `GET /employee`: the list read, where most faults show.

use super::answer::Success;
use super::books::Books;
use super::duplicates::{self, Entry};
use super::failure::Failure;
use super::listing::{DEFAULT_COUNT, ListEnvelope, NO_CHECKSUM, page_of, sort, text};
use super::render::{Lens, Rendered};
use super::request::{Page, Query};
use super::resource::Resource;
use super::row::{Cell, Row};
use super::world::World;
use crate::fault::Fault;
use crate::stage::Place;

/// Answers the list read. `session` is the token that asks.
pub(super) fn answer(world: &mut World, query: &Query, session: &str) -> Result<Success, Failure> {
    if world.disturbance.throttles() {
        return Err(Failure::throttled());
    }
    let page = query.page(DEFAULT_COUNT)?;
    let selection = query.selection(Resource::Employee, "")?;
    // Asking for people by their ids is no read of the list: what a list may
    // lose on the way is still found there.
    let is_sweep = query.text("id").is_none();
    if is_sweep && world.disturbance.moves_border(page.from) {
        move_border(world, page.from);
    }
    let (body, place) = {
        let World {
            disturbance,
            earlier,
            ..
        } = &*world;
        let books = world.books();
        let lens = &disturbance.lens;
        let mut rows = matching(books, lens, query)?;
        sort(books, Resource::Employee, &mut rows, query.text("sorting"))?;
        let entries = if is_sweep && disturbance.has(&Fault::DuplicateRows) {
            duplicates::add(rows, page.count)
        } else {
            rows.into_iter().map(Entry::current).collect()
        };
        let place = Place::of(page.from, page.count, entries.len());
        let mut full_result_size = entries.len();
        let mut shown = page_of(&entries, page);
        if is_sweep && disturbance.has(&Fault::Empty) && place.index == 0 {
            shown = &[];
            full_result_size = 0;
        }
        if is_sweep && disturbance.has(&Fault::ShortPage) && place.is_middle() {
            shown = shown.get(..shown.len() / 2).unwrap_or_default();
        }
        let older: Vec<Option<Row>> = shown
            .iter()
            .map(|entry| {
                entry
                    .is_older
                    .then(|| duplicates::older_copy(entry.row, earlier))
            })
            .collect();
        let values: Vec<Rendered<'_>> = shown
            .iter()
            .zip(&older)
            .map(|(entry, older)| Rendered {
                books,
                row: older.as_ref().unwrap_or(entry.row),
                selection: &selection,
                lens,
            })
            .collect();
        let body = text(&ListEnvelope {
            full_result_size,
            from: page.from,
            count: values.len(),
            version_digest: NO_CHECKSUM,
            values,
        })?;
        (body, place)
    };
    if !is_sweep {
        return Ok(Success::of(200, body));
    }
    disturb(world, page, place, session, body)
}

/// The faults that touch the answer as a whole, and what the read leaves behind.
fn disturb(
    world: &mut World,
    page: Page,
    place: Place,
    session: &str,
    body: String,
) -> Result<Success, Failure> {
    if world.disturbance.breaks(place) {
        return Err(Failure::server_error());
    }
    if page.from == 0 {
        world.disturbance.first_page_served();
    }
    if world.disturbance.expires_token(place) {
        world.sessions.end(session);
    }
    Ok(Success {
        cut: world.disturbance.cuts(place),
        is_slow: place.is_last() && world.disturbance.has(&Fault::Slow),
        ..Success::of(200, body)
    })
}

/// The rows that the parameters ask for and the token may see, ascending by id.
fn matching<'a>(books: &'a Books, lens: &Lens, query: &Query) -> Result<Vec<&'a Row>, Failure> {
    let table = books.table(Resource::Employee);
    let mut rows: Vec<&Row> = match query.ids("id")? {
        None => table.rows().iter().collect(),
        Some(mut ids) => {
            ids.sort_unstable();
            ids.dedup();
            ids.into_iter().filter_map(|id| table.find(id)).collect()
        }
    };
    if lens.rights_lost.is_some() {
        rows.retain(|row| !lens.hides(books, row));
    }
    for name in ["firstName", "lastName", "email"] {
        if let Some(part) = query.text(name) {
            let part = part.to_lowercase();
            rows.retain(|row| row.text(name).to_lowercase().contains(&part));
        }
    }
    if let Some(number) = query.text("employeeNumber") {
        rows.retain(|row| row.text("employeeNumber") == number);
    }
    if let Some(departments) = query.ids("departmentId")? {
        rows.retain(|row| {
            row.reference("department")
                .is_some_and(|id| departments.contains(&id))
        });
    }
    if let Some(allowed) = query.flag("allowInformationRegistration")? {
        rows.retain(|row| row.flag("allowInformationRegistration") == allowed);
    }
    let only_contacts = query.flag("onlyContacts")?.unwrap_or(false);
    if only_contacts {
        rows.retain(|row| row.flag("isContact"));
    } else if !query.flag("includeContacts")?.unwrap_or(false) {
        rows.retain(|row| !row.flag("isContact"));
    }
    if let Some(access) = query.flag("hasSystemAccess")? {
        rows.retain(|row| (row.text("userType") != "NO_ACCESS") == access);
    }
    if query.flag("onlyEmployeeTokens")? == Some(true) {
        rows.retain(|row| row.id == books.owner);
    }
    for name in ["onlyProjectManagers", "assignableProjectManagers"] {
        // The simulated company has no projects.
        if query.flag(name)? == Some(true) {
            rows.clear();
        }
    }
    let period = (query.date("periodStart")?, query.date("periodEnd")?);
    if let (begin @ Some(_), end) | (begin @ None, end @ Some(_)) = period {
        rows.retain(|row| {
            row.references("employments")
                .iter()
                .filter_map(|id| books.find(Resource::Employment, *id))
                .any(|employment| {
                    let starts_in_time = end.is_none_or(|end| {
                        employment
                            .date("startDate")
                            .is_some_and(|start| start <= end)
                    });
                    let ends_late_enough = begin.is_none_or(|begin| {
                        employment.date("endDate").is_none_or(|last| last >= begin)
                    });
                    starts_in_time && ends_late_enough
                })
        });
    }
    Ok(rows)
}

/// Deletes the last row before `border` that nobody needs (no manager, not the
/// token's owner) and adds a new one at the end: the row that stood behind the
/// border moves in front of it, and the size stays the same.
fn move_border(world: &mut World, border: usize) {
    let books = world.books_mut();
    let rows = books.table(Resource::Employee).rows();
    if border >= rows.len() {
        return;
    }
    let leaving = rows
        .get(..border)
        .unwrap_or_default()
        .iter()
        .rev()
        .find(|row| row.id != books.owner && !books.is_manager(row.id));
    let Some(leaving) = leaving else {
        return;
    };
    let (leaving, department) = (leaving.id, leaving.get("department").clone());
    let id = books.table(Resource::Employee).next_id();
    let employment = books.table(Resource::Employment).next_id();
    let new = Row::new(Resource::Employee, id, 1)
        .with("firstName", Cell::text("Ny"))
        .with("lastName", Cell::text(format!("Tilkommen {id}")))
        .with("userType", Cell::Choice("NO_ACCESS"))
        .with("allowInformationRegistration", Cell::Boolean(true))
        .with("isAuthProjectOverviewURL", Cell::Boolean(true))
        .with("department", department)
        .with("employments", Cell::References([employment].into()));
    let employment = Row::new(Resource::Employment, employment, 1)
        .with("employee", Cell::Reference(id))
        .with("startDate", Cell::Date(books.as_of))
        .with("isMainEmployer", Cell::Boolean(true))
        .with("taxDeductionCode", super::books::tax_deduction_code(true));
    books.table_mut(Resource::Employee).push(new);
    books.table_mut(Resource::Employment).push(employment);
    books.erase_employee(leaving);
}
