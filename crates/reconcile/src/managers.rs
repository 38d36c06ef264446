//! Whom do the manager statements name? A pass of its own, after everybody is
//! planned: a manager may be somebody whom the same plan creates.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::plan::{ManagerKey, ManagerProblem, ManagerProblemKind, Precondition};
use muster_model::values::Email;
use muster_model::{ExternalId, Field, Fields, PersonId, Said};

use crate::input::ManagerIndex;

/// One statement: this record's manager is that.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Whose.
    pub external_id: ExternalId,
    /// The person, when there is one already.
    pub person: Option<PersonId>,
    /// The manager now.
    pub current: Option<PersonId>,
    /// What must still hold when a row is made of it.
    pub precondition: Precondition,
    /// What the source says: a record, an address, or nobody.
    pub named: Named,
}

/// Whom a source names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A record of the same connection.
    Record(ExternalId),
    /// An address.
    Address(String),
    /// Nobody: the source says that there is no manager.
    Nobody,
}

impl Named {
    /// What the fields of a day say; `None` when they do not say.
    #[must_use]
    pub fn of(flat: &Fields) -> Option<Self> {
        if let Some(record) = flat.text(Field::ManagerExternalId) {
            return Some(Self::Record(ExternalId::new(record)));
        }
        if let Some(address) = flat.text(Field::ManagerEmail) {
            return Some(Self::Address(Email::fold(address)));
        }
        let null = |field| matches!(flat.get(field), Said::Null);
        (null(Field::ManagerExternalId) || null(Field::ManagerEmail)).then_some(Self::Nobody)
    }
}

/// What the pass found.
#[derive(Debug, Default)]
pub struct Resolved {
    /// Managers that change, by record: now, then.
    pub changes: BTreeMap<ExternalId, (Option<PersonId>, Option<ManagerKey>)>,
    /// Statements that name nobody usable.
    pub problems: Vec<ManagerProblem>,
}

/// Resolves all statements. `coming` are the records whose people this plan makes.
#[must_use]
pub fn resolve(
    statements: &[Statement],
    coming: &BTreeSet<ExternalId>,
    index: &ManagerIndex,
) -> Resolved {
    let mut resolved = Resolved::default();
    let mut wished: BTreeMap<ManagerKey, (ManagerKey, &Statement)> = BTreeMap::new();
    for statement in statements {
        let own = statement.person.map_or_else(
            || ManagerKey::Record(statement.external_id.clone()),
            ManagerKey::Person,
        );
        let target = match &statement.named {
            Named::Nobody => {
                if statement.current.is_some() {
                    resolved
                        .changes
                        .insert(statement.external_id.clone(), (statement.current, None));
                }
                continue;
            }
            Named::Record(record) => match index.records.get(record) {
                Some(person) => Some(ManagerKey::Person(*person)),
                None if coming.contains(record) => Some(ManagerKey::Record(record.clone())),
                None => None,
            },
            Named::Address(address) => index
                .addresses
                .get(address)
                .map(|person| ManagerKey::Person(*person)),
        };
        let problem = match target {
            None => ManagerProblemKind::Unresolved,
            Some(target) if target == own => ManagerProblemKind::Oneself,
            Some(target) => {
                wished.insert(own, (target, statement));
                continue;
            }
        };
        resolved.problems.push(ManagerProblem {
            external_id: statement.external_id.clone(),
            kind: problem,
        });
    }
    let cyclic = cyclic(&wished, &index.edges);
    for (own, (target, statement)) in wished {
        let id = statement.external_id.clone();
        if cyclic.contains(&own) {
            let kind = ManagerProblemKind::Cyclic;
            resolved.problems.push(ManagerProblem {
                external_id: id,
                kind,
            });
        } else if statement.current.map(ManagerKey::Person).as_ref() != Some(&target) {
            resolved
                .changes
                .insert(id, (statement.current, Some(target)));
        }
    }
    resolved.problems.sort();
    resolved
}

/// Who would stand on a cycle, if every wish came true. Each has at most one
/// manager, so one walk with three colours finds them all.
fn cyclic(
    wished: &BTreeMap<ManagerKey, (ManagerKey, &Statement)>,
    edges: &BTreeMap<PersonId, PersonId>,
) -> BTreeSet<ManagerKey> {
    let above = |key: &ManagerKey| -> Option<ManagerKey> {
        if let Some((target, _)) = wished.get(key) {
            return Some(target.clone());
        }
        match key {
            ManagerKey::Person(person) => edges.get(person).copied().map(ManagerKey::Person),
            ManagerKey::Record(_) => None,
        }
    };
    let mut done: BTreeSet<ManagerKey> = BTreeSet::new();
    let mut cyclic = BTreeSet::new();
    for start in wished.keys() {
        let mut path: Vec<ManagerKey> = Vec::new();
        let mut on_path: BTreeSet<ManagerKey> = BTreeSet::new();
        let mut at = start.clone();
        while !done.contains(&at) && on_path.insert(at.clone()) {
            path.push(at.clone());
            match above(&at) {
                Some(next) => at = next,
                None => break,
            }
        }
        if !done.contains(&at)
            && let Some(entry) = path.iter().position(|key| *key == at)
            && above(path.last().unwrap_or(&at)).as_ref() == Some(&at)
        {
            cyclic.extend(path.iter().skip(entry).cloned());
        }
        done.extend(path);
    }
    cyclic
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid_for_tests::person;

    mod uuid_for_tests {
        use muster_model::PersonId;

        pub(super) fn person(number: u8) -> PersonId {
            format!("00000000-0000-7000-8000-0000000000{number:02x}")
                .parse()
                .unwrap()
        }
    }

    fn statement(record: &str, own: Option<PersonId>, manager: &str) -> Statement {
        Statement {
            external_id: record.into(),
            person: own,
            current: None,
            precondition: Precondition::default(),
            named: Named::Record(manager.into()),
        }
    }

    #[test]
    fn ple_36_self_cycle_and_stranger_are_listed_and_change_nothing() {
        let index = ManagerIndex {
            records: [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
                .into_iter()
                .map(|(record, number)| (record.into(), person(number)))
                .collect(),
            ..ManagerIndex::default()
        };
        let statements = [
            statement("a", Some(person(1)), "b"),
            statement("b", Some(person(2)), "a"),
            statement("c", Some(person(3)), "c"),
            statement("d", Some(person(4)), "a"),
            statement("e", None, "nobody"),
        ];
        let resolved = resolve(&statements, &BTreeSet::new(), &index);
        let kinds: Vec<_> = resolved
            .problems
            .iter()
            .map(|p| (p.external_id.as_str(), p.kind))
            .collect();
        assert_eq!(
            kinds,
            [
                ("a", ManagerProblemKind::Cyclic),
                ("b", ManagerProblemKind::Cyclic),
                ("c", ManagerProblemKind::Oneself),
                ("e", ManagerProblemKind::Unresolved),
            ]
        );
        // Below a cycle, but not on it.
        let manager = resolved.changes.get(&"d".into()).unwrap();
        assert_eq!(*manager, (None, Some(ManagerKey::Person(person(1)))));
        assert_eq!(resolved.changes.len(), 1);
    }

    #[test]
    fn a_manager_may_come_with_the_same_plan() {
        let statements = [statement("a", None, "b")];
        let coming: BTreeSet<ExternalId> = ["a".into(), "b".into()].into();
        let resolved = resolve(&statements, &coming, &ManagerIndex::default());
        assert_eq!(
            resolved.changes.get(&"a".into()),
            Some(&(None, Some(ManagerKey::Record("b".into()))))
        );
    }

    #[test]
    fn a_cycle_through_people_whom_nothing_touched_is_found() {
        // b reports to c and c to a already; a would report to b.
        let index = ManagerIndex {
            records: [("a", 1), ("b", 2)]
                .into_iter()
                .map(|(record, number)| (record.into(), person(number)))
                .collect(),
            edges: [(person(2), person(3)), (person(3), person(1))].into(),
            ..ManagerIndex::default()
        };
        let resolved = resolve(
            &[statement("a", Some(person(1)), "b")],
            &BTreeSet::new(),
            &index,
        );
        assert!(resolved.changes.is_empty());
        assert_eq!(resolved.problems.len(), 1);
    }
}
