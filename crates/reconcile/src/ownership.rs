//! Who owns a field of a person whom a second source joins?

use jiff::civil::Date;
use muster_model::{ConnectionId, Field, Fields, Flow, Person, Policy, SourceRecord};

/// Can a source own it? Employment is the union of what all of them say.
#[must_use]
pub const fn can_be_owned(field: Field) -> bool {
    !matches!(field, Field::Engagements | Field::EmploymentStatus)
}

/// Notes the connection as owner of each field that flows in, of which its
/// record says what the person already has, and which nobody before it in the
/// order of sources owns. Where the values differ the plan sets the field, and
/// with it the owner; where they are equal nothing is set, and whoever was read
/// first would stay the owner.
///
/// `comes_before` tells whether a connection stands before this one.
pub fn claim(
    person: &mut Person,
    record: &SourceRecord,
    policy: &Policy,
    connection: ConnectionId,
    comes_before: &dyn Fn(ConnectionId) -> bool,
    today: Date,
) {
    let said: Fields = record.on(today);
    for (field, value) in said.iter() {
        let flows = can_be_owned(field) && matches!(policy.flow(field), Flow::In | Flow::Both);
        let owner = person.owners.get(&field).copied();
        let is_free = owner.is_none_or(|owner| !comes_before(owner));
        let ours = person.fields.value(field);
        let equal = match (value.value(), ours) {
            (Some(theirs), Some(ours)) => theirs.same(ours, field),
            _ => false,
        };
        if flows && is_free && equal {
            person.owners.insert(field, connection);
        }
    }
}
