//! Creating and changing employments and their details.

use jiff::civil::Date;

use super::books::{Books, MAIN_EMPLOYER_CODE, tax_deduction_code};
use super::failure::{Failure, ValidationMessage};
use super::mapping::Draft;
use super::resource::Resource;
use super::row::{Cell, Row};
use super::write_rules::{self, CANNOT_BE_NULL, MUST_BE_FILLED, Messages, NOT_THERE, refuse};

/// Whose employment it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) employee: u64,
    pub(super) born: Option<Date>,
}

/// Creates an employment of an employee who is already there.
pub(super) fn create(books: &mut Books, draft: &Draft) -> Result<u64, Failure> {
    let mut messages = Messages::new();
    write_rules::is_new(draft, &mut messages);
    let employee = match draft.cell("employee") {
        Some(Cell::Reference(id)) => match books.find(Resource::Employee, *id) {
            Some(row) => Some(Owner {
                employee: *id,
                born: row.date("dateOfBirth"),
            }),
            None => {
                messages.push(ValidationMessage::field("employee.id", NOT_THERE));
                None
            }
        },
        _ => {
            messages.push(ValidationMessage::field("employee", CANNOT_BE_NULL));
            None
        }
    };
    check(
        books,
        draft,
        employee.map(|owner| owner.born),
        "",
        &mut messages,
    );
    refuse(messages)?;
    let employee = employee.ok_or_else(Failure::not_found)?;
    Ok(insert(books, employee.employee, draft))
}

/// Checks an employment inside an employee's body.
pub(super) fn check_inline(
    books: &Books,
    owner: Owner,
    draft: &Draft,
    index: usize,
    messages: &mut Messages,
) {
    let mut own = Messages::new();
    check(books, draft, Some(owner.born), "employments.", &mut own);
    messages.extend(
        own.into_iter()
            .map(|message| message.at(format!("employments[{index}]"))),
    );
}

/// The rules of a new employment; `born` is none when its employee is not known.
fn check(
    books: &Books,
    draft: &Draft,
    born: Option<Option<Date>>,
    prefix: &str,
    messages: &mut Messages,
) {
    let mut row = Row::new(Resource::Employment, 0, 0);
    draft.apply(&mut row);
    let mut say = |field: &str, text: &str| {
        messages.push(ValidationMessage::field(format!("{prefix}{field}"), text));
    };
    if row.date("startDate").is_none() {
        say("startDate", CANNOT_BE_NULL);
    }
    if born == Some(None) {
        say("employee.dateOfBirth", MUST_BE_FILLED);
    }
    check_terms(books, &row, draft, &mut say);
    let mut dates: Vec<Option<Date>> = Vec::new();
    for details in draft.nested("employmentDetails") {
        let mut inner = Row::new(Resource::EmploymentDetails, 0, 0);
        details.apply(&mut inner);
        let date = inner.date("date").or(row.date("startDate"));
        if dates.contains(&date) {
            say("employmentDetails.date", DATE_TAKEN);
        }
        dates.push(date);
        check_details_references(books, &inner, &mut |field, text| {
            say(&format!("employmentDetails.{field}"), text);
        });
    }
}

const DATE_TAKEN: &str = "Det finnes allerede en rad med denne datoen.";

/// What holds for new and for changed employments.
fn check_terms(books: &Books, row: &Row, draft: &Draft, say: &mut impl FnMut(&str, &str)) {
    if let (Some(start), Some(end)) = (row.date("startDate"), row.date("endDate"))
        && end < start
    {
        say("endDate", "Sluttdato kan ikke være før startdato.");
    }
    if draft.cell("taxDeductionCode") == Some(&Cell::Choice("")) {
        say("taxDeductionCode", "Ugyldig verdi.");
    }
    if row
        .reference("division")
        .is_some_and(|id| books.find(Resource::Division, id).is_none())
    {
        say("division.id", NOT_THERE);
    }
}

fn check_details_references(books: &Books, row: &Row, say: &mut impl FnMut(&str, &str)) {
    let references = [
        ("occupationCode", Resource::OccupationCode),
        ("payrollTaxMunicipalityId", Resource::Municipality),
    ];
    for (name, target) in references {
        if row
            .reference(name)
            .is_some_and(|id| books.find(target, id).is_none())
        {
            say(&format!("{name}.id"), NOT_THERE);
        }
    }
}

/// Adds a checked employment to its employee.
pub(super) fn insert(books: &mut Books, employee: u64, draft: &Draft) -> u64 {
    let id = books.table(Resource::Employment).next_id();
    let mut row = Row::new(Resource::Employment, id, 0)
        .with("isMainEmployer", Cell::Boolean(true))
        .with("taxDeductionCode", tax_deduction_code(true));
    draft.apply(&mut row);
    row.set("employee", Cell::Reference(employee));
    default_each_other(draft, &mut row);
    let start = row.date("startDate");
    books.table_mut(Resource::Employment).push(row);
    if let Some(owner) = books.table_mut(Resource::Employee).find_mut(employee) {
        owner.refer_to("employments", id);
    }
    for details in draft.nested("employmentDetails") {
        insert_details(books, id, start, details);
    }
    id
}

/// Being the main employer and the tax deduction code set each other.
fn default_each_other(draft: &Draft, row: &mut Row) {
    match (draft.sets("isMainEmployer"), draft.sets("taxDeductionCode")) {
        (true, false) => row.set(
            "taxDeductionCode",
            tax_deduction_code(row.flag("isMainEmployer")),
        ),
        (false, true) => {
            let is_main = row.text("taxDeductionCode") == MAIN_EMPLOYER_CODE;
            row.set("isMainEmployer", Cell::Boolean(is_main));
        }
        _ => {}
    }
}

/// Changes what the body names of an employment.
pub(super) fn update(books: &mut Books, id: u64, draft: &Draft) -> Result<(), Failure> {
    let present = books
        .find(Resource::Employment, id)
        .ok_or_else(Failure::not_found)?;
    write_rules::is_current(draft, present)?;
    let mut row = present.clone();
    draft.apply(&mut row);
    // An employment stays with its employee.
    row.set("employee", present.get("employee").clone());
    default_each_other(draft, &mut row);
    let mut messages = Messages::new();
    let mut say = |field: &str, text: &str| messages.push(ValidationMessage::field(field, text));
    let mut details: Vec<(Date, u64)> = row
        .references("employmentDetails")
        .iter()
        .filter_map(|id| {
            let date = books.find(Resource::EmploymentDetails, *id)?.date("date")?;
            Some((date, *id))
        })
        .collect();
    details.sort_unstable();
    let start = row.date("startDate");
    match start {
        None => say("startDate", CANNOT_BE_NULL),
        Some(start) => {
            if details.get(1).is_some_and(|(second, _)| start >= *second) {
                say(
                    "startDate",
                    "Startdato kan ikke flyttes forbi neste endring i arbeidsforholdet.",
                );
            }
        }
    }
    check_terms(books, &row, draft, &mut say);
    refuse(messages)?;
    let start_moved = start != present.date("startDate");
    books.replace(row);
    // The first details begin with the employment and move with it.
    if start_moved
        && let Some((_, first)) = details.first()
        && let Some(first) = books.find(Resource::EmploymentDetails, *first)
    {
        let moved = first.clone().with("date", Cell::date(start));
        books.replace(moved);
    }
    for details in draft.nested("employmentDetails") {
        match details.id {
            Some(_) if details.is_bare_reference() => {}
            Some(details_id) => update_details(books, details_id, details)?,
            None => {
                insert_details(books, id, start, details);
            }
        }
    }
    Ok(())
}

/// Creates details of an employment that is already there.
pub(super) fn create_details(books: &mut Books, draft: &Draft) -> Result<u64, Failure> {
    let mut messages = Messages::new();
    write_rules::is_new(draft, &mut messages);
    let mut row = Row::new(Resource::EmploymentDetails, 0, 0);
    draft.apply(&mut row);
    let mut say = |field: &str, text: &str| messages.push(ValidationMessage::field(field, text));
    let employment = row.reference("employment");
    let mut start = None;
    match employment.map(|id| books.find(Resource::Employment, id)) {
        None => say("employment", CANNOT_BE_NULL),
        Some(None) => say("employment.id", NOT_THERE),
        Some(Some(employment)) => {
            start = employment.date("startDate");
            let date = row.date("date").or(start);
            if is_date_taken(books, employment, date, None) {
                say("date", DATE_TAKEN);
            }
        }
    }
    check_details_references(books, &row, &mut say);
    refuse(messages)?;
    let employment = employment.ok_or_else(Failure::not_found)?;
    Ok(insert_details(books, employment, start, draft))
}

/// Whether another row of this employment begins on this date.
fn is_date_taken(books: &Books, employment: &Row, date: Option<Date>, except: Option<u64>) -> bool {
    employment
        .references("employmentDetails")
        .iter()
        .filter(|id| Some(**id) != except)
        .filter_map(|id| books.find(Resource::EmploymentDetails, *id))
        .any(|details| details.date("date") == date)
}

/// Adds checked details to their employment; without a date they begin with it.
fn insert_details(books: &mut Books, employment: u64, start: Option<Date>, draft: &Draft) -> u64 {
    let id = books.table(Resource::EmploymentDetails).next_id();
    let mut row = Row::new(Resource::EmploymentDetails, id, 0);
    draft.apply(&mut row);
    row.set("employment", Cell::Reference(employment));
    if row.date("date").is_none() {
        row.set("date", Cell::date(start));
    }
    for (name, default) in [
        ("employmentType", "NOT_CHOSEN"),
        ("employmentForm", "NOT_CHOSEN"),
        ("remunerationType", "NOT_CHOSEN"),
        ("workingHoursScheme", "NOT_CHOSEN"),
    ] {
        if *row.get(name) == Cell::Null {
            row.set(name, Cell::Choice(default));
        }
    }
    books.table_mut(Resource::EmploymentDetails).push(row);
    if let Some(owner) = books.table_mut(Resource::Employment).find_mut(employment) {
        owner.refer_to("employmentDetails", id);
    }
    id
}

/// Changes what the body names of an employment's details.
pub(super) fn update_details(books: &mut Books, id: u64, draft: &Draft) -> Result<(), Failure> {
    let present = books
        .find(Resource::EmploymentDetails, id)
        .ok_or_else(Failure::not_found)?;
    write_rules::is_current(draft, present)?;
    let mut row = present.clone();
    draft.apply(&mut row);
    // Details stay with their employment.
    row.set("employment", present.get("employment").clone());
    let mut messages = Messages::new();
    let mut say = |field: &str, text: &str| messages.push(ValidationMessage::field(field, text));
    if row.date("date").is_none() {
        say("date", CANNOT_BE_NULL);
    }
    if let Some(employment) = row
        .reference("employment")
        .and_then(|employment| books.find(Resource::Employment, employment))
        && is_date_taken(books, employment, row.date("date"), Some(id))
    {
        say("date", DATE_TAKEN);
    }
    check_details_references(books, &row, &mut say);
    refuse(messages)?;
    books.replace(row);
    Ok(())
}
