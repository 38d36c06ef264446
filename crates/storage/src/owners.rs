//! Which connection owns which fields of a person, as it is stored.

use std::collections::BTreeMap;

use muster_model::{ConnectionId, Field};
use serde::{Deserialize, Serialize};

/// Fields by their owner: most people have one, and its id is written once. Rows that
/// were written before that name the owner of each field.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Owners {
    /// The fields of each owner.
    ByOwner(BTreeMap<ConnectionId, Vec<Field>>),
    /// The owner of each field.
    ByField(BTreeMap<Field, ConnectionId>),
}

impl Owners {
    pub(crate) fn of(owners: &BTreeMap<Field, ConnectionId>) -> Self {
        let mut by_owner: BTreeMap<ConnectionId, Vec<Field>> = BTreeMap::new();
        for (field, owner) in owners {
            by_owner.entry(*owner).or_default().push(*field);
        }
        Self::ByOwner(by_owner)
    }

    pub(crate) fn into_map(self) -> BTreeMap<Field, ConnectionId> {
        match self {
            Self::ByField(owners) => owners,
            Self::ByOwner(owners) => owners
                .into_iter()
                .flat_map(|(owner, fields)| fields.into_iter().map(move |field| (field, owner)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_read_back() {
        let one = ConnectionId::from_uuid(uuid::Uuid::from_u128(1));
        let two = ConnectionId::from_uuid(uuid::Uuid::from_u128(2));
        let owners = BTreeMap::from([
            (Field::GivenName, one),
            (Field::Phone, two),
            (Field::JobTitle, one),
        ]);
        let now = serde_json::to_string(&Owners::of(&owners)).unwrap();
        let before = serde_json::to_string(&owners).unwrap();
        assert!(now.len() < before.len());
        for text in [now, before] {
            let read: Owners = serde_json::from_str(&text).unwrap();
            assert_eq!(read.into_map(), owners, "{text}");
        }
        let nobody: Owners = serde_json::from_str("{}").unwrap();
        assert!(nobody.into_map().is_empty());
    }
}
