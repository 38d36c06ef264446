//! The rows that the log speaks of, as they stand in the database, and which of
//! their columns is not what was entered.

use muster_model::{Digest, DigestKey, PlanId};
use uuid::Uuid;

use super::search::{first_difference, one_byte};
use super::{AuditBreak, Leaf, change_leaf, detail_leaf, seal_digest};
use crate::plan::ChangeState;

/// What is said of a column that is wrong.
const CHANGED: &str = "is not what was written";

/// A detail.
#[derive(Debug, Clone)]
pub(crate) struct DetailRow {
    pub(crate) number: i64,
    pub(crate) ordinal: i64,
    pub(crate) kind: String,
    pub(crate) person: Option<Uuid>,
    pub(crate) facts: String,
    pub(crate) sealed: Option<Vec<u8>>,
    pub(crate) seal: Option<Vec<u8>>,
}

/// A row of a plan.
#[derive(Debug, Clone)]
pub(crate) struct ChangeRow {
    pub(crate) state: String,
    pub(crate) error_code: Option<String>,
    pub(crate) person: Option<Uuid>,
    pub(crate) sealed: Option<Vec<u8>>,
}

impl DetailRow {
    /// The leaf that this row makes.
    pub(crate) fn leaf(&self, key: &DigestKey) -> Digest {
        let seal = self.seal.as_deref();
        detail_leaf(key, &self.kind, self.person, &self.facts, seal)
    }

    /// A column of this row is wrong.
    pub(crate) fn column(&self, entry: u64, column: &str) -> AuditBreak {
        let place = format!("audit_details.{column} (row {})", self.ordinal);
        AuditBreak::new(entry, place, CHANGED)
    }

    /// Which column keeps the row from making the leaf that was entered.
    pub(crate) fn broken(&self, key: &DigestKey, entry: u64, leaf: Digest) -> AuditBreak {
        let agrees = |row: &Self| row.leaf(key) == leaf;
        let mut tried = self.clone();
        // The digest of what is sealed can be made again.
        if let Some(sealed) = &self.sealed {
            let right = seal_digest(key, sealed);
            tried.seal = Some(right.as_bytes().to_vec());
            if agrees(&tried) {
                let stored = self.seal.as_deref().unwrap_or_default();
                let byte = first_difference(stored, right.as_bytes());
                return self.column(entry, "seal").at(byte);
            }
        }
        let person = self.person.map(|person| *person.as_bytes());
        let columns: [(&str, &[u8]); 4] = [
            ("kind", self.kind.as_bytes()),
            ("facts", self.facts.as_bytes()),
            ("person_id", person.as_ref().map_or(&[], |id| id)),
            ("seal", self.seal.as_deref().unwrap_or_default()),
        ];
        for (column, bytes) in columns {
            let byte = one_byte(bytes, |bytes| {
                tried.clone_from(self);
                tried.put(column, bytes).is_some() && agrees(&tried)
            });
            if byte.is_some() {
                return self.column(entry, column).at(byte);
            }
        }
        let place = format!("audit_details (row {})", self.ordinal);
        AuditBreak::new(entry, place, CHANGED)
    }

    /// Other bytes for a column; `None` if they are none for it.
    fn put(&mut self, column: &str, bytes: &[u8]) -> Option<()> {
        match column {
            "kind" => self.kind = std::str::from_utf8(bytes).ok()?.to_owned(),
            "facts" => self.facts = std::str::from_utf8(bytes).ok()?.to_owned(),
            "person_id" => self.person = Some(Uuid::from_slice(bytes).ok()?),
            _ => self.seal = Some(bytes.to_vec()),
        }
        Some(())
    }
}

impl ChangeRow {
    /// The leaf that this row makes.
    pub(crate) fn leaf(&self, key: &DigestKey, plan: PlanId, place: u32) -> Digest {
        change_leaf(
            key,
            plan,
            i64::from(place),
            &self.state,
            self.error_code.as_deref(),
            self.person,
            self.sealed.as_deref(),
        )
    }

    /// The state that the row had when the leaf was entered, if nothing but its
    /// state (and, of a row that made a person, the person) changed since.
    pub(crate) fn had(&self, key: &DigestKey, plan: PlanId, leaf: Leaf) -> Option<&'static str> {
        let mut before = self.clone();
        before.error_code = None;
        for state in ChangeState::ALL {
            state.word().clone_into(&mut before.state);
            for person in [self.person, None] {
                before.person = person;
                if before.leaf(key, plan, leaf.place) == leaf.digest {
                    return Some(state.word());
                }
            }
        }
        None
    }

    /// Which column keeps the row from making the leaf that was entered.
    pub(crate) fn broken(
        &self,
        key: &DigestKey,
        entry: u64,
        plan: PlanId,
        leaf: Leaf,
    ) -> AuditBreak {
        let mut tried = self.clone();
        let person = self.person.map(|person| *person.as_bytes());
        let columns: [(&str, &[u8]); 4] = [
            ("state", self.state.as_bytes()),
            (
                "error_code",
                self.error_code.as_deref().unwrap_or_default().as_bytes(),
            ),
            ("person_id", person.as_ref().map_or(&[], |id| id)),
            ("sealed", self.sealed.as_deref().unwrap_or_default()),
        ];
        for (column, bytes) in columns {
            let byte = one_byte(bytes, |bytes| {
                tried.clone_from(self);
                tried.put(column, bytes).is_some()
                    && tried.leaf(key, plan, leaf.place) == leaf.digest
            });
            if byte.is_some() {
                let place = format!("plan_rows.{column} (plan {plan}, row {})", leaf.place);
                return AuditBreak::new(entry, place, CHANGED).at(byte);
            }
        }
        let place = format!("plan_rows (plan {plan}, row {})", leaf.place);
        AuditBreak::new(entry, place, CHANGED)
    }

    /// Other bytes for a column; `None` if they are none for it.
    fn put(&mut self, column: &str, bytes: &[u8]) -> Option<()> {
        match column {
            "state" => self.state = std::str::from_utf8(bytes).ok()?.to_owned(),
            "error_code" => self.error_code = Some(std::str::from_utf8(bytes).ok()?.to_owned()),
            "person_id" => self.person = Some(Uuid::from_slice(bytes).ok()?),
            _ => self.sealed = Some(bytes.to_vec()),
        }
        Some(())
    }
}
