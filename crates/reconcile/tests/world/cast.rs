//! Made-up people and their records.

use jiff::civil::Date;
use muster_model::value::SealedText;
use muster_model::{Engagement, EngagementStatus, Field, Person, Said, SourceRecord, Value};

/// A record of somebody employed since 2024 without end.
pub(crate) fn record(id: &str, name: &str) -> SourceRecord {
    let mut record = bare(id, name);
    employ(&mut record, vec![engagement("job", "2024-01-01", None)]);
    record
}

/// A record that says nothing of employment.
pub(crate) fn bare(id: &str, name: &str) -> SourceRecord {
    let mut record = SourceRecord {
        external_id: id.into(),
        revision: None,
        presence: muster_model::Presence::Present,
        whole: true,
        fields: muster_model::Fields::new(),
        problems: Vec::new(),
        raw: muster_model::Raw::default(),
    };
    let (given, family) = name.split_once(' ').unwrap();
    say(&mut record, Field::GivenName, given);
    say(&mut record, Field::FamilyName, family);
    let address = format!("{}@fjordlys.example", given.to_lowercase());
    say(&mut record, Field::WorkEmail, &address);
    record
}

pub(crate) fn say(record: &mut SourceRecord, field: Field, text: &str) {
    record.fields.put(field, value(field, text));
}

/// A value in the shape of its field.
pub(crate) fn value(field: Field, text: &str) -> Value {
    if field.is_sealed() {
        return Value::Sealed(SealedText::new(text));
    }
    text.parse::<Date>()
        .map_or_else(|_| Value::text(text), Value::Date)
}

pub(crate) fn know(person: &mut Person, field: Field, text: &str) {
    person.fields.put(field, value(field, text));
}

/// A person with the name and address of [`record`].
pub(crate) fn introduce(person: &mut Person, name: &str) {
    for (field, said) in bare("x", name).fields.iter() {
        person.fields.set(field, said.map(Clone::clone));
    }
}

pub(crate) fn employ(record: &mut SourceRecord, engagements: Vec<Engagement>) {
    record
        .fields
        .put(Field::Engagements, Value::Engagements(engagements));
}

pub(crate) fn engagement(id: &str, start: &str, end: Option<&str>) -> Engagement {
    let mut engagement = Engagement::new(id);
    engagement.start_date = Said::Value(start.parse().unwrap());
    engagement.end_date = Said::from_nullable(end.map(|end| end.parse().unwrap()));
    engagement
}

/// The source names the person as a leaver.
pub(crate) fn end(record: &mut SourceRecord) {
    let mut over = engagement("job", "2024-01-01", Some("2025-06-30"));
    over.status = Said::Value(EngagementStatus::Ended);
    employ(record, vec![over]);
}
