//! Why is somebody as they are? The situation of each of their records, the last
//! decision about each field with its run, time, rule, what was said and the
//! versions it was mapped under, and what would release it.
//!
//! What a run left a row about is answered from the row; of a record that came
//! to rest without one the pure planner is asked again, on what is stored.

mod answer;
mod done;
mod fields;
mod recall;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use muster_model::{ConnectionId, ExternalId, Field, Fields, MatchKey, Person, PersonId, Value};
use muster_storage::{Connection, Organisation, Reader, Run};

pub use answer::{
    DonePart, ExplainedField, ExplainedRecord, ExplainedSaid, Explanation, HeldPart, ShownStamp,
    Why,
};

use crate::engine::Engine;
use crate::error::EngineError;

/// What was asked for, found.
struct Found {
    person: Option<Person>,
    /// The person's records, then those that a key names and that are nobody.
    records: Vec<(ConnectionId, ExternalId)>,
}

/// Everything an explanation is made from.
struct Asked<'a> {
    organisation: &'a Organisation,
    connections: BTreeMap<ConnectionId, Connection>,
    run: Option<Run>,
}

impl Engine {
    /// Explains a person, or a record that is nobody yet; `field` leaves only
    /// that field, `run` answers as that run found it.
    ///
    /// # Errors
    /// When the word names nobody or several people, the field or the run is
    /// none, or the storage fails.
    pub async fn explain(
        &self,
        organisation: &Organisation,
        word: &str,
        field: Option<&str>,
        run: Option<&str>,
    ) -> Result<Explanation, EngineError> {
        let only = field.map(field_named).transpose()?;
        let run = match run {
            Some(name) => Some(self.run_named(organisation, name).await?),
            None => None,
        };
        let mut reader = self.storage.read(organisation.id).await?;
        let connections: BTreeMap<ConnectionId, Connection> = reader
            .connections()
            .await?
            .into_iter()
            .map(|connection| (connection.id, connection))
            .collect();
        let found = self
            .look_for(&mut reader, organisation, &connections, word)
            .await?;
        let asked = Asked {
            organisation,
            connections,
            run,
        };
        let mut records = Vec::new();
        for (connection, id) in &found.records {
            let Some(connection) = asked.connections.get(connection) else {
                continue;
            };
            let person = found.person.as_ref();
            let recalled = self.recall(&mut reader, &asked, connection, id, person);
            records.push(recalled.await?);
        }
        Ok(answer::explanation(
            self,
            &asked,
            found.person,
            records,
            only,
        ))
    }

    async fn look_for(
        &self,
        reader: &mut Reader,
        organisation: &Organisation,
        connections: &BTreeMap<ConnectionId, Connection>,
        word: &str,
    ) -> Result<Found, EngineError> {
        // A record that has no address and no number is named by its connection.
        if let Some((name, record)) = word.split_once('/')
            && let Some(connection) = connections.values().find(|one| one.name == name)
        {
            let id = ExternalId::new(record);
            let person = reader
                .people_of_records(connection.id, std::slice::from_ref(&id))
                .await?;
            let people: Vec<PersonId> = person.into_values().collect();
            let person = reader.people(&people).await?.pop();
            let known = reader.sighting(connection.id, &id).await?.is_some();
            if !known && person.is_none() {
                return Err(unknown(word));
            }
            return found(reader, person, BTreeSet::from([(connection.id, id)])).await;
        }
        let mut people = self.find(organisation, word).await?;
        if people.len() > 1 {
            let ids: Vec<String> = people.iter().map(|person| person.id.to_string()).collect();
            return Err(EngineError::PersonUnclear {
                query: word.to_owned(),
                ids: ids.join(", "),
            });
        }
        let named: BTreeSet<(ConnectionId, ExternalId)> = reader
            .records_holding(&keys(organisation, word))
            .await?
            .into_iter()
            .collect();
        if people.is_empty() && named.is_empty() {
            return Err(unknown(word));
        }
        let mut people_named = BTreeSet::new();
        if people.is_empty() {
            for (connection, id) in &named {
                let of = reader
                    .people_of_records(*connection, std::slice::from_ref(id))
                    .await?;
                people_named.extend(of.into_values());
            }
            // A record may hold a key that its person does not.
            let ids: Vec<PersonId> = people_named.into_iter().collect();
            people = reader.people(&ids).await?;
            if people.len() > 1 {
                people.clear();
            }
        }
        found(reader, people.pop(), named).await
    }
}

/// The person's records, and those of the named ones that are nobody.
async fn found(
    reader: &mut Reader,
    person: Option<Person>,
    named: BTreeSet<(ConnectionId, ExternalId)>,
) -> Result<Found, EngineError> {
    let mut records = Vec::new();
    if let Some(person) = &person {
        for (connection, link) in reader.links_of_people(&[person.id]).await? {
            records.push((connection, link.external_id));
        }
    }
    records.sort();
    for (connection, id) in named {
        let linked = reader
            .people_of_records(connection, std::slice::from_ref(&id))
            .await?;
        let of_another = linked
            .get(&id)
            .is_some_and(|of| person.as_ref().is_some_and(|person| person.id != *of));
        let place = (connection, id);
        if !of_another && !records.contains(&place) {
            records.push(place);
        }
    }
    Ok(Found { person, records })
}

fn keys(organisation: &Organisation, word: &str) -> Vec<(MatchKey, muster_model::Digest)> {
    let match_key = if word.contains('@') {
        MatchKey::WorkEmail
    } else {
        MatchKey::EmployeeNumber
    };
    let mut fields = Fields::new();
    fields.put(match_key.field(), Value::text(word));
    match_key
        .digest(&fields, &organisation.digest_key())
        .map(|digest| (match_key, digest))
        .into_iter()
        .collect()
}

fn unknown(word: &str) -> EngineError {
    EngineError::PersonUnknown {
        query: word.to_owned(),
    }
}

fn field_named(name: &str) -> Result<Field, EngineError> {
    Field::ALL
        .into_iter()
        .find(|field| field.name() == name)
        .ok_or_else(|| EngineError::FieldUnknown {
            name: name.to_owned(),
        })
}
