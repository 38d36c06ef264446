//! Erasing people for good, and letting somebody back whom the source means anew.

use jiff::civil::Date;
use muster_model::time::date_in;
use muster_model::{Access, EngagementStatus, ExternalId, Person, PersonId};
use muster_storage::Organisation;

use crate::engine::Engine;
use crate::error::EngineError;

/// What erasing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// Who was erased: the ids are all that is left of them.
    pub people: Vec<PersonId>,
    /// On which of the organisation's days.
    pub on: Date,
    /// Are the bytes gone from the files? If others read all the time the old pages
    /// stay until [`Engine::scrub`] finds a pause.
    pub scrubbed: bool,
}

impl Engine {
    /// Erases the people whom these words name, each by id, e-mail or employee
    /// number: row, keys, digests, what the sources said, rows of plans, outward
    /// work. What is left is the id and the day. Their records are not stored
    /// again, whatever the source says, until [`Engine::readmit`].
    ///
    /// Whoever is employed, or may enter, is refused unless `even_if_employed`
    /// (GRJ-44).
    ///
    /// # Errors
    /// When a word names nobody, several, or somebody who was erased before; when
    /// somebody is employed. Then nobody is erased.
    pub async fn erase(
        &self,
        organisation: &Organisation,
        words: &[String],
        even_if_employed: bool,
    ) -> Result<Erased, EngineError> {
        let mut people: Vec<Person> = Vec::new();
        for word in words {
            let person = self.one_to_erase(organisation, word).await?;
            if !even_if_employed && !has_left(&person) {
                return Err(EngineError::StillEmployed {
                    person: person.id,
                    employment: person.employment.name(),
                    access: person.access.name(),
                });
            }
            people.push(person);
        }
        let ids: Vec<PersonId> = people.iter().map(|person| person.id).collect();
        let mut transaction = self.storage.begin(organisation.id).await?;
        transaction.erase_people(&ids).await?;
        transaction.commit().await?;
        Ok(Erased {
            people: ids,
            on: self.today(organisation),
            scrubbed: self.storage.scrub().await?,
        })
    }

    /// Takes the bytes of what was erased out of the files of the database;
    /// `false` if others were in the way.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn scrub(&self) -> Result<bool, EngineError> {
        Ok(self.storage.scrub().await?)
    }

    /// Lets the record of an erased person be read again: the source means
    /// somebody who came back.
    ///
    /// # Errors
    /// When there is no such connection, or the record is of nobody erased.
    pub async fn readmit(
        &self,
        organisation: &Organisation,
        connection: &str,
        record: &ExternalId,
    ) -> Result<(), EngineError> {
        let connection = self.connection(organisation.id, connection).await?;
        let mut transaction = self.storage.begin(organisation.id).await?;
        if !transaction.readmit(connection.id, record).await? {
            return Err(EngineError::NotErased {
                connection: connection.name,
            });
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn one_to_erase(
        &self,
        organisation: &Organisation,
        word: &str,
    ) -> Result<Person, EngineError> {
        let mut found = self.find(organisation, word).await?;
        match (found.pop(), found.is_empty()) {
            (Some(person), true) => Ok(person),
            (Some(last), false) => {
                let ids: Vec<String> = found
                    .iter()
                    .chain([&last])
                    .map(|person| person.id.to_string())
                    .collect();
                Err(EngineError::PersonUnclear {
                    query: word.to_owned(),
                    ids: ids.join(", "),
                })
            }
            (None, _) => {
                let unknown = EngineError::PersonUnknown {
                    query: word.to_owned(),
                };
                let Ok(person) = word.parse::<PersonId>() else {
                    return Err(unknown);
                };
                let mut reader = self.storage.read(organisation.id).await?;
                let at = reader.erased_at(person).await?;
                Err(at.map_or(unknown, |at| EngineError::PersonErased {
                    person,
                    on: date_in(at, &Self::zone(organisation)),
                }))
            }
        }
    }
}

/// Has the person left, or never come? Nobody who works here is erased by mistake.
fn has_left(person: &Person) -> bool {
    matches!(
        person.employment,
        EngagementStatus::Ended | EngagementStatus::Unknown
    ) && person.access != Access::Active
}
