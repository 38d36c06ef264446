//! Whom the rows of a plan are about, for people who read it.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::plan::{Change, Effect};
use muster_model::{ExternalId, Field, Fields, PersonId, Plan};
use muster_storage::Organisation;

use crate::engine::Engine;
use crate::error::EngineError;

/// People or records asked for at once.
const AT_ONCE: usize = 2_000;

/// By what people know somebody; what is not known is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subject {
    /// The name.
    pub name: String,
    /// The work e-mail.
    pub work_email: String,
    /// The employee number.
    pub employee_number: String,
}

impl Subject {
    fn of(fields: &Fields) -> Self {
        let shown = |field| {
            fields
                .value(field)
                .map(|value| value.shown())
                .unwrap_or_default()
        };
        let parts = [shown(Field::GivenName), shown(Field::FamilyName)];
        let name = match shown(Field::DisplayName) {
            whole if whole.is_empty() => parts.join(" ").trim().to_owned(),
            whole => whole,
        };
        Self {
            name,
            work_email: shown(Field::WorkEmail),
            employee_number: shown(Field::EmployeeNumber),
        }
    }
}

impl Engine {
    /// Whom each row of a plan is about, in the order of the rows: by the directory;
    /// whoever is not in it, by what the row or the source says of them.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn subjects(
        &self,
        organisation: &Organisation,
        plan: &Plan,
    ) -> Result<Vec<Subject>, EngineError> {
        let mut reader = self.storage.read(organisation.id).await?;
        let people: BTreeSet<PersonId> = plan.changes.iter().filter_map(|row| row.person).collect();
        let people: Vec<PersonId> = people.into_iter().collect();
        let mut known: BTreeMap<PersonId, Subject> = BTreeMap::new();
        for ids in people.chunks(AT_ONCE) {
            for person in reader.people(ids).await? {
                known.insert(person.id, Subject::of(&person.fields));
            }
        }
        let nobody = |row: &&Change| {
            let person = row.person.and_then(|id| known.get(&id));
            person.is_none() && carried(row).is_none()
        };
        let ids: BTreeSet<ExternalId> = plan
            .changes
            .iter()
            .filter(nobody)
            .filter_map(|row| row.external_id.clone())
            .collect();
        let ids: Vec<ExternalId> = ids.into_iter().collect();
        let mut said: BTreeMap<ExternalId, Subject> = BTreeMap::new();
        for ids in ids.chunks(AT_ONCE) {
            for row in reader.records(plan.connection, ids).await? {
                said.insert(row.external_id, Subject::of(&row.record.fields));
            }
        }
        let subject = |row: &Change| {
            let person = row.person.and_then(|id| known.get(&id).cloned());
            person
                .or_else(|| carried(row).map(Subject::of))
                .or_else(|| said.get(row.external_id.as_ref()?).cloned())
                .unwrap_or_default()
        };
        Ok(plan.changes.iter().map(subject).collect())
    }
}

/// The values that a row brings along: of a joiner, or of an entry that goes.
fn carried(row: &Change) -> Option<&Fields> {
    row.effects
        .iter()
        .find_map(|planned| match &planned.effect {
            Effect::Create { fields, .. } | Effect::Remove { fields, .. } => Some(fields),
            _ => None,
        })
}
