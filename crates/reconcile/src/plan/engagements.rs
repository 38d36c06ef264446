//! What a record says of a person's engagements, beside what is known and what
//! other records of the same connection say.

use std::collections::BTreeSet;

use muster_model::{ConnectionId, Engagement, Field, Link, Person, SourceRecord, Value};

/// What a record says of employment. One that is not whole says nothing of it:
/// an engagement without its last day looks like one that runs, and would bring
/// somebody back who has left.
pub(super) fn said_employment(record: &SourceRecord) -> Option<&[Engagement]> {
    record.engagements().filter(|_| record.whole)
}

/// The engagements of a person that another record of the same connection said:
/// somebody who came back under a new id has two records, and neither speaks for
/// the other.
pub(super) fn of_other_records(
    connection: ConnectionId,
    person: &Person,
    link: Option<&Link>,
) -> Vec<Engagement> {
    let own: BTreeSet<&str> = link
        .and_then(|link| link.said.value(Field::Engagements))
        .and_then(Value::as_engagements)
        .into_iter()
        .flatten()
        .map(|engagement| engagement.id.as_str())
        .collect();
    person
        .engagements
        .get(&connection)
        .into_iter()
        .flatten()
        .filter(|engagement| !own.contains(engagement.id.as_str()))
        .cloned()
        .collect()
}

/// What this record says, beside what others say; in one order, whichever comes first.
pub(super) fn together(mut said: Vec<Engagement>, elsewhere: Vec<Engagement>) -> Vec<Engagement> {
    let own: BTreeSet<String> = said.iter().map(|one| one.id.clone()).collect();
    let before = said.len();
    said.extend(elsewhere.into_iter().filter(|one| !own.contains(&one.id)));
    if said.len() > before {
        said.sort_by(|one, two| {
            let start = |one: &Engagement| one.start_date.value().copied();
            (start(one), &one.id).cmp(&(start(two), &two.id))
        });
    }
    said
}

/// Engagements with the days that were known before wherever the source now
/// keeps silent about them: absent changes nothing, while null takes a day back.
pub(super) fn with_known_days(
    said: &[Engagement],
    known: Option<&[Engagement]>,
) -> Vec<Engagement> {
    let known = known.unwrap_or_default();
    said.iter()
        .map(|engagement| {
            let mut engagement = engagement.clone();
            if let Some(before) = known.iter().find(|before| before.id == engagement.id) {
                if engagement.end_date.is_absent() {
                    engagement.end_date = before.end_date;
                    // The reason belongs to the day: without it, it is not known to be of it.
                    engagement.end_reason = before.end_reason.clone();
                }
                engagement.start_date = engagement.start_date.or(before.start_date);
                engagement.status = engagement.status.or(before.status);
            }
            engagement
        })
        .collect()
}
