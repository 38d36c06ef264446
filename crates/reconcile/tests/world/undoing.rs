//! Takes back the last run, as the engine does.

use std::collections::BTreeSet;

use muster_model::{Change, Effect, ExternalId, PersonId};
use muster_reconcile::managers::Named;
use muster_reconcile::undo::{Done, NowRecord, UndoInput, Undoing};

use super::{Machine, World};

impl World {
    /// Plans the undo of what the last run of a source did.
    pub(crate) fn plan_undo(&self, machine: &Machine, source: usize) -> Undoing {
        let of = &self.sources[source];
        let known: BTreeSet<PersonId> = self.people.keys().copied().collect();
        let manager = |named: &Named| match named {
            Named::Record(record) => of.links.get(record).map(|link| link.person),
            Named::Address(_) | Named::Nobody => None,
        };
        (machine.undo)(UndoInput {
            connection: of.id,
            policy: &of.policy,
            key: &self.key,
            now: self.now,
            today: self.today(),
            rows: self
                .done
                .iter()
                .map(|(change, effects)| self.row(source, change, effects.clone()))
                .collect(),
            linked: of.links.len() as u64,
            let_through: std::collections::BTreeMap::new(),
            administrators: u64::MAX,
            manager: &manager,
            known: &known,
        })
    }

    fn row(
        &self,
        source: usize,
        change: &Change,
        effects: Vec<muster_model::plan::Planned>,
    ) -> Done {
        let of = &self.sources[source];
        let id = change.external_id.clone().unwrap();
        let link = of.links.get(&id).cloned();
        let person = change.person.or(link.as_ref().map(|link| link.person));
        let person = person.and_then(|id| self.people.get(&id).cloned());
        let who = person.as_ref().map(|person| person.id);
        let linked_elsewhere = self.sources.iter().enumerate().any(|(place, other)| {
            other
                .links
                .values()
                .any(|link| Some(link.person) == who && (place != source || link.external_id != id))
        });
        Done {
            change: change.clone(),
            effects,
            link,
            record: of.records.get(&id).map(|record| {
                let digest = record.digest(&self.key);
                NowRecord {
                    record: record.clone(),
                    digest,
                    rests: of
                        .rests
                        .get(&id)
                        .is_some_and(|rest| rest.settled.is_some_and(|at| at.0 == Some(digest))),
                }
            }),
            linked_elsewhere,
            manages: self
                .people
                .values()
                .filter(|report| who.is_some() && report.manager == who)
                .map(|report| report.id)
                .collect(),
            declined: of.declined.get(&id).copied(),
            answers: std::collections::BTreeMap::new(),
            messages: Vec::new(),
            person,
        }
    }

    /// Applies an undo, whatever its brakes hold.
    pub(crate) fn apply_undo(&mut self, machine: &Machine, source: usize, undoing: &Undoing) {
        self.apply(machine, source, &undoing.plan, true);
        for change in &undoing.plan.changes {
            if let Some(id) = &change.external_id {
                self.sources[source].unsettle(id);
            }
        }
    }

    pub(super) fn decline(&mut self, source: usize, id: &ExternalId, change: &Change) {
        for planned in change.effects.iter().filter(|one| one.held.is_none()) {
            if let Effect::DeclineRecord { to, .. } = &planned.effect {
                let declined = &mut self.sources[source].declined;
                match to {
                    Some(digest) => declined.insert(id.clone(), *digest),
                    None => declined.remove(id),
                };
            }
        }
    }
}
