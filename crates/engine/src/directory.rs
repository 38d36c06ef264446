//! People and runs, for whoever asks: the command line, and later the API.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use muster_model::engagement;
use muster_model::{ConnectionId, Field, Fields, Person, PersonId, Plan, Said, Status, Value};
use muster_reconcile::Names;
use muster_storage::{Organisation, Reader, Run};
use serde::Serialize;

use crate::engine::Engine;
use crate::error::EngineError;

/// A person as everybody is shown them: the canonical fields, and where they stand.
#[derive(Debug, Clone, Serialize)]
pub struct ShownPerson {
    /// The person's id.
    pub id: PersonId,
    /// The canonical fields, sealed ones masked.
    #[serde(flatten)]
    pub fields: serde_json::Map<String, serde_json::Value>,
    /// Employment by the union of all engagements.
    pub employment: &'static str,
    /// The right to enter.
    pub access: &'static str,
    /// The one word for lists.
    pub status: &'static str,
    /// The manager, resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<PersonId>,
    /// Who says so.
    pub links: Vec<ShownLink>,
}

/// One link of a person.
#[derive(Debug, Clone, Serialize)]
pub struct ShownLink {
    /// The connection's name.
    pub connection: String,
    /// The source record.
    pub external_id: String,
    /// What matching says of it: linked, or gone.
    pub situation: &'static str,
}

/// People shown at once.
const AT_ONCE: u32 = 1_000;

impl Engine {
    /// Gives everybody of an organisation, in the order of ids, to `show`.
    /// `as_of` shows employment and its flat fields as they are on another day,
    /// as far as engagements tell it.
    ///
    /// # Errors
    /// When the storage fails, or `show` does.
    pub async fn people<E: From<EngineError>>(
        &self,
        organisation: &Organisation,
        as_of: Option<Date>,
        mut show: impl FnMut(ShownPerson) -> Result<(), E>,
    ) -> Result<(), E> {
        let today = self.today(organisation);
        let mut reader = self
            .storage
            .read(organisation.id)
            .await
            .map_err(EngineError::from)?;
        let names = names_of(&mut reader).await?;
        let mut after: Option<PersonId> = None;
        loop {
            let people = reader
                .people_page(after, AT_ONCE)
                .await
                .map_err(EngineError::from)?;
            let Some(last) = people.last() else {
                return Ok(());
            };
            after = Some(last.id);
            let ids: Vec<PersonId> = people.iter().map(|person| person.id).collect();
            let mut links: BTreeMap<PersonId, Vec<ShownLink>> = BTreeMap::new();
            for (connection, link) in reader
                .links_of_people(&ids)
                .await
                .map_err(EngineError::from)?
            {
                links.entry(link.person).or_default().push(ShownLink {
                    connection: names.get(&connection).cloned().unwrap_or_default(),
                    external_id: link.external_id.to_string(),
                    situation: if link.gone_since.is_some() {
                        "gone"
                    } else {
                        "linked"
                    },
                });
            }
            for person in people {
                let links = links.remove(&person.id).unwrap_or_default();
                show(shown(
                    &person,
                    as_of.unwrap_or(today),
                    as_of.is_some(),
                    links,
                ))?;
            }
        }
    }

    /// The names of the people whom a plan speaks of, for whoever reads it. Who has
    /// none, or is there no more, is left out.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn names(
        &self,
        organisation: &Organisation,
        plan: &Plan,
    ) -> Result<Names, EngineError> {
        let ids: BTreeSet<PersonId> = muster_reconcile::spoken_of(plan).collect();
        let ids: Vec<PersonId> = ids.into_iter().collect();
        let mut reader = self.storage.read(organisation.id).await?;
        let mut names = Names::new();
        for ids in ids.chunks(AT_ONCE as usize) {
            for person in reader.people(ids).await? {
                if let Some(name) = person.fields.value(Field::DisplayName) {
                    names.insert(person.id, name.shown());
                }
            }
        }
        Ok(names)
    }

    /// The names of an organisation's connections.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn connection_names(
        &self,
        organisation: &Organisation,
    ) -> Result<BTreeMap<ConnectionId, String>, EngineError> {
        names_of(&mut self.storage.read(organisation.id).await?).await
    }

    /// The newest runs of an organisation.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn runs(
        &self,
        organisation: &Organisation,
        limit: u32,
    ) -> Result<Vec<Run>, EngineError> {
        let mut reader = self.storage.read(organisation.id).await?;
        Ok(reader.runs(limit).await?)
    }
}

async fn names_of(reader: &mut Reader) -> Result<BTreeMap<ConnectionId, String>, EngineError> {
    let connections = reader.connections().await?;
    Ok(connections
        .into_iter()
        .map(|connection| (connection.id, connection.name))
        .collect())
}

fn shown(person: &Person, today: Date, recompute: bool, links: Vec<ShownLink>) -> ShownPerson {
    let mut fields = person.fields.clone();
    let engagements: Vec<engagement::Engagement> =
        person.engagements.values().flatten().cloned().collect();
    let mut employment = person.employment;
    if recompute && !engagements.is_empty() {
        employment = person.employment_on(today);
        let mut all = Fields::new();
        all.put(Field::Engagements, Value::Engagements(engagements.clone()));
        fields.overlay(engagement::flatten(&all, today));
    }
    if !engagements.is_empty() {
        fields.put(Field::Engagements, Value::Engagements(engagements));
    }
    fields.set(
        Field::EmploymentStatus,
        Said::Value(Value::text(employment.name())),
    );
    let masked = fields
        .iter()
        .map(|(field, said)| {
            let json = match said.value() {
                Some(Value::Sealed(_)) => serde_json::Value::from("••••"),
                Some(value) => value.to_json(),
                None => serde_json::Value::Null,
            };
            (field.name().to_owned(), json)
        })
        .collect();
    ShownPerson {
        id: person.id,
        fields: masked,
        employment: employment.name(),
        access: person.access.name(),
        status: Status::of(employment, person.access).name(),
        manager: person.manager,
        links,
    }
}
