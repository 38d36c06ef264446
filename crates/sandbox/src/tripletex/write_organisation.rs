//! Creating, changing and deleting departments; creating divisions.

use super::books::Books;
use super::failure::{Failure, ValidationMessage};
use super::mapping::Draft;
use super::resource::Resource;
use super::row::Row;
use super::write_rules::{
    self, CANNOT_BE_NULL, IN_USE, INVALID_FORMAT, Messages, NOT_THERE, refuse,
};

/// Creates a department: only the name is needed.
pub(super) fn create_department(books: &mut Books, draft: &Draft) -> Result<u64, Failure> {
    let id = books.table(Resource::Department).next_id();
    let mut row = Row::new(Resource::Department, id, 0);
    draft.apply(&mut row);
    let mut messages = Messages::new();
    write_rules::is_new(draft, &mut messages);
    check_department(books, &row, &mut messages);
    refuse(messages)?;
    books.table_mut(Resource::Department).push(row);
    Ok(id)
}

/// Changes what the body names of a department.
pub(super) fn update_department(books: &mut Books, id: u64, draft: &Draft) -> Result<(), Failure> {
    let present = books
        .find(Resource::Department, id)
        .ok_or_else(Failure::not_found)?;
    write_rules::is_current(draft, present)?;
    let mut row = present.clone();
    draft.apply(&mut row);
    let mut messages = Messages::new();
    check_department(books, &row, &mut messages);
    refuse(messages)?;
    books.replace(row);
    Ok(())
}

fn check_department(books: &Books, row: &Row, messages: &mut Messages) {
    if row.text("name").trim().is_empty() {
        messages.push(ValidationMessage::field("name", CANNOT_BE_NULL));
    }
    let number = row.text("departmentNumber");
    let taken = !number.is_empty()
        && books
            .table(Resource::Department)
            .rows()
            .iter()
            .any(|other| other.id != row.id && other.text("departmentNumber") == number);
    if taken {
        messages.push(ValidationMessage::field("departmentNumber", IN_USE));
    }
    if row
        .reference("departmentManager")
        .is_some_and(|id| books.find(Resource::Employee, id).is_none())
    {
        messages.push(ValidationMessage::field("departmentManager.id", NOT_THERE));
    }
}

/// Deletes a department that nobody is in.
pub(super) fn delete_department(books: &mut Books, id: u64) -> Result<(), Failure> {
    if books.find(Resource::Department, id).is_none() {
        return Err(Failure::not_found());
    }
    let is_used = books
        .table(Resource::Employee)
        .rows()
        .iter()
        .any(|employee| employee.reference("department") == Some(id));
    if is_used {
        return Err(Failure::validation(vec![ValidationMessage::whole(
            "Avdelingen er i bruk og kan ikke slettes.",
        )]));
    }
    books.table_mut(Resource::Department).remove(id);
    Ok(())
}

/// Creates a division (sub-unit).
pub(super) fn create_division(books: &mut Books, draft: &Draft) -> Result<u64, Failure> {
    let id = books.table(Resource::Division).next_id();
    let mut row = Row::new(Resource::Division, id, 0);
    draft.apply(&mut row);
    let mut messages = Messages::new();
    write_rules::is_new(draft, &mut messages);
    let mut say = |field: &str, text: &str| messages.push(ValidationMessage::field(field, text));
    for name in [
        "name",
        "organizationNumber",
        "startDate",
        "municipality",
        "municipalityDate",
    ] {
        if !draft.sets(name) {
            say(name, CANNOT_BE_NULL);
        }
    }
    let number = row.text("organizationNumber");
    if draft.sets("organizationNumber")
        && (number.len() != 9 || !number.bytes().all(|byte| byte.is_ascii_digit()))
    {
        say("organizationNumber", INVALID_FORMAT);
    }
    let is_the_legal_entity = books
        .table(Resource::Company)
        .rows()
        .iter()
        .any(|company| company.text("organizationNumber") == number);
    if is_the_legal_entity {
        say(
            "organizationNumber",
            "Juridisk enhet kan ikke registreres som virksomhet.",
        );
    }
    if row
        .reference("municipality")
        .is_some_and(|id| books.find(Resource::Municipality, id).is_none())
    {
        say("municipality.id", NOT_THERE);
    }
    refuse(messages)?;
    books.table_mut(Resource::Division).push(row);
    Ok(id)
}
