//! Creating and changing employees, by the rules seen at the vendor.

use super::books::Books;
use super::failure::{Failure, ValidationMessage};
use super::mapping::Draft;
use super::resource::Resource;
use super::row::{Cell, Row};
use super::write_employment::{self, Owner};
use super::write_rules::{
    self, CANNOT_BE_NULL, INVALID_FORMAT, MUST_BE_FILLED, Messages, NOT_THERE, refuse,
};

/// Creates an employee with everything nested in the body; nothing is changed
/// when anything is refused.
pub(super) fn create(books: &mut Books, draft: &Draft) -> Result<u64, Failure> {
    let mut row = Row::new(
        Resource::Employee,
        books.table(Resource::Employee).next_id(),
        0,
    )
    .with("allowInformationRegistration", Cell::Boolean(true))
    .with("isAuthProjectOverviewURL", Cell::Boolean(true));
    draft.apply(&mut row);
    let mut messages = Messages::new();
    write_rules::is_new(draft, &mut messages);
    for name in ["firstName", "lastName"] {
        if row.text(name).trim().is_empty() {
            messages
                .push(ValidationMessage::field(name, CANNOT_BE_NULL).at(format!("null.{name}")));
        }
    }
    if *row.get("userType") == Cell::Null {
        messages.push(ValidationMessage::whole(
            "Brukertype kan ikke være «0» eller tom.",
        ));
    }
    check_department(books, &row, &mut messages);
    check_email(books, &row, &mut messages);
    check_references(books, &row, draft, &mut messages);
    let owner = Owner {
        employee: row.id,
        born: row.date("dateOfBirth"),
    };
    for (index, employment) in draft.nested("employments").iter().enumerate() {
        write_employment::check_inline(books, owner, employment, index, &mut messages);
    }
    refuse(messages)?;
    let id = row.id;
    write_address(books, draft, &mut row);
    books.table_mut(Resource::Employee).push(row);
    for employment in draft.nested("employments") {
        write_employment::insert(books, id, employment);
    }
    Ok(id)
}

/// Changes what the body names of an employee; what it leaves out stays.
pub(super) fn update(books: &mut Books, id: u64, draft: &Draft) -> Result<(), Failure> {
    let present = books
        .find(Resource::Employee, id)
        .ok_or_else(Failure::not_found)?;
    write_rules::is_current(draft, present)?;
    let mut row = present.clone();
    draft.apply(&mut row);
    let mut messages = Messages::new();
    for name in ["firstName", "lastName"] {
        if row.text(name).trim().is_empty() {
            messages.push(ValidationMessage::field(name, CANNOT_BE_NULL));
        }
    }
    if row.get("department") != present.get("department") {
        check_department(books, &row, &mut messages);
    }
    if row.get("email") != present.get("email") || row.get("userType") != present.get("userType") {
        check_email(books, &row, &mut messages);
    }
    check_references(books, &row, draft, &mut messages);
    let owner = Owner {
        employee: id,
        born: row.date("dateOfBirth"),
    };
    let nested: Vec<&Draft> = draft
        .nested("employments")
        .iter()
        .filter(|employment| !employment.is_bare_reference())
        .collect();
    for (index, employment) in nested.iter().enumerate() {
        match employment.id {
            None => {
                write_employment::check_inline(books, owner, employment, index, &mut messages);
            }
            Some(wanted) if row.references("employments").contains(&wanted) => {}
            Some(_) => messages.push(ValidationMessage::field("employments.id", NOT_THERE)),
        }
    }
    refuse(messages)?;
    // An employment inside the body can still be refused by its own rules:
    // those come before anything is changed.
    for employment in &nested {
        if let Some(wanted) = employment.id {
            write_employment::update(books, wanted, employment)?;
        }
    }
    write_address(books, draft, &mut row);
    books.replace(row);
    for employment in nested {
        if employment.id.is_none() {
            write_employment::insert(books, id, employment);
        }
    }
    Ok(())
}

fn check_department(books: &Books, row: &Row, messages: &mut Messages) {
    match row.reference("department") {
        Some(id) if books.find(Resource::Department, id).is_none() => {
            messages.push(ValidationMessage::field("department.id", NOT_THERE));
        }
        // A company with departments has the department module.
        None if !books.table(Resource::Department).rows().is_empty() => {
            messages.push(ValidationMessage::field("department.id", MUST_BE_FILLED));
        }
        _ => {}
    }
}

fn check_email(books: &Books, row: &Row, messages: &mut Messages) {
    let email = row.text("email");
    if email.is_empty() {
        if matches!(row.text("userType"), "STANDARD" | "EXTENDED") {
            messages.push(ValidationMessage::field(
                "email",
                "Må angis for Tripletex-brukere.",
            ));
        }
        return;
    }
    let well_formed = email.is_ascii()
        && !email.contains(char::is_whitespace)
        && email
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'));
    if !well_formed {
        messages.push(ValidationMessage::field("email", INVALID_FORMAT));
        return;
    }
    let taken = books
        .table(Resource::Employee)
        .rows()
        .iter()
        .any(|other| other.id != row.id && other.text("email").eq_ignore_ascii_case(email));
    if taken {
        messages.push(ValidationMessage::field(
            "email",
            "Det finnes allerede en bruker med denne e-postadressen.",
        ));
    }
}

fn check_references(books: &Books, row: &Row, draft: &Draft, messages: &mut Messages) {
    let references = [
        ("phoneNumberMobileCountry", Resource::Country),
        ("employeeCategory", Resource::EmployeeCategory),
    ];
    for (name, target) in references {
        if draft.sets(name)
            && row
                .reference(name)
                .is_some_and(|id| books.find(target, id).is_none())
        {
            messages.push(ValidationMessage::field(format!("{name}.id"), NOT_THERE));
        }
    }
    for address in draft.nested("address") {
        if let Some(Cell::Reference(id)) = address.cell("country")
            && books.find(Resource::Country, *id).is_none()
        {
            messages.push(ValidationMessage::field("address.country.id", NOT_THERE));
        }
    }
}

/// Writes the address that came with the employee into its own row.
fn write_address(books: &mut Books, draft: &Draft, row: &mut Row) {
    let Some(address) = draft.nested("address").first() else {
        return;
    };
    match row.reference("address") {
        Some(id) => {
            if let Some(present) = books.find(Resource::Address, id) {
                let mut changed = present.clone();
                address.apply(&mut changed);
                books.replace(changed);
            }
        }
        None => {
            let id = books.table(Resource::Address).next_id();
            let mut new = Row::new(Resource::Address, id, 0);
            address.apply(&mut new);
            books.table_mut(Resource::Address).push(new);
            row.set("address", Cell::Reference(id));
        }
    }
}
