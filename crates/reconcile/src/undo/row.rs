//! One row, turned round.

use muster_model::engagement::EngagementStatus;
use muster_model::link::Choice;
use muster_model::plan::{Change, Effect, FieldValue, ManagerKey, Planned};
use muster_model::policy::BrakeKind;
use muster_model::{
    Access, Answer, Decision, Digest, Field, Person, PersonId, Said, Situation, Value,
};

use super::outwards::OutwardEffect;
use super::{Done, Left, UndoInput, change, created, outwards};
use crate::compare::pair_digest;
use crate::decided;
use crate::input::gives;
use crate::managers::Named;
use crate::plan::declining::{engagements_pair, manager_pair, turn_pair};
use crate::plan::managing::statement;

/// What becomes of one row.
#[derive(Default)]
pub(super) struct Reverted {
    pub(super) change: Option<Change>,
    pub(super) left: Vec<Left>,
    pub(super) outward: Vec<OutwardEffect>,
}

/// The row while it is turned round.
pub(super) struct Turning<'a> {
    pub(super) input: &'a UndoInput<'a>,
    pub(super) done: &'a Done,
    /// What follows.
    pub(super) effects: Vec<Planned>,
    pub(super) left: Vec<Left>,
    pub(super) outward: Vec<OutwardEffect>,
}

pub(super) const SINCE: (&str, &str) = ("undo.changed_since", "changed since the run");

pub(super) fn revert(input: &UndoInput<'_>, done: &Done) -> Reverted {
    let mut turning = Turning {
        input,
        done,
        effects: Vec::new(),
        left: Vec::new(),
        outward: Vec::new(),
    };
    turning.answers();
    let only_answers = done
        .effects
        .iter()
        .all(|planned| matches!(planned.effect, Effect::Answer { .. }));
    let creates = done
        .effects
        .iter()
        .find_map(|planned| match &planned.effect {
            Effect::Create { fields, access } => Some((fields, *access)),
            _ => None,
        });
    let removes = done
        .effects
        .iter()
        .find_map(|planned| match &planned.effect {
            Effect::Remove { fields, access } => Some((fields, *access)),
            _ => None,
        });
    if let Some((fields, access)) = creates {
        created::take_back(&mut turning, fields, access);
    } else if let Some((fields, access)) = removes {
        created::bring_back(&mut turning, fields, access);
    } else if let Some(person) = &done.person {
        turning.turn(person);
    } else if !only_answers {
        turning.leave(
            "person",
            "undo.person_gone",
            "the person is not there any more",
        );
    }
    let Turning {
        effects,
        left,
        outward,
        ..
    } = turning;
    Reverted {
        change: (!effects.is_empty()).then(|| change(done, effects)),
        left,
        outward,
    }
}

impl Turning<'_> {
    pub(super) fn leave(&mut self, what: &str, code: &'static str, reason: &'static str) {
        self.left.push(Left {
            person: self.done.person.as_ref().map(|person| person.id),
            external_id: self.done.change.external_id.clone(),
            what: what.to_owned(),
            code,
            reason,
        });
    }

    pub(super) fn leave_since(&mut self, what: &str) {
        self.leave(what, SINCE.0, SINCE.1);
    }

    /// Answers that still stand are taken back: the question is asked again.
    fn answers(&mut self) {
        let done = self.done;
        for planned in &done.effects {
            let Effect::Answer { matter, from, to } = &planned.effect else {
                continue;
            };
            let used = to.is_some_and(|to| {
                done.link.is_some() && matches!(to.answer, Answer::Create | Answer::Link(_))
            });
            if used {
                // A sync did it: what that run made of it is its own to take back.
                self.leave_since("decision");
            } else if done.answers.get(matter).copied() == *to {
                self.push(Effect::Answer {
                    matter: *matter,
                    from: *to,
                    to: *from,
                });
            } else if done.answers.get(matter).copied() != *from {
                self.leave_since("decision");
            }
        }
    }

    pub(super) fn push(&mut self, effect: Effect) {
        self.effects.push(Planned::free(effect));
    }

    fn turn(&mut self, person: &Person) {
        // The last thing done is the first to be taken back.
        let done = self.done;
        let unlinks = self.unlinks(person);
        for planned in done.effects.iter().rev() {
            self.effect(person, planned, unlinks);
        }
        if unlinks {
            self.unlink();
        }
        self.decide_turn(person, unlinks);
        outwards::revert(self, person);
    }

    /// Does the row take back a joining?
    fn unlinks(&mut self, person: &Person) -> bool {
        let joined = self
            .done
            .effects
            .iter()
            .any(|planned| planned.effect == Effect::Link);
        if !joined {
            return false;
        }
        let held = self
            .done
            .link
            .as_ref()
            .is_some_and(|link| link.person == person.id);
        if !held {
            self.leave_since("link");
        }
        held
    }

    fn unlink(&mut self) {
        self.push(Effect::Unlink);
        self.decline_record();
    }

    /// The record is nobody again, and stays it until one of its keys changes.
    pub(super) fn decline_record(&mut self) {
        let key = self.input.key;
        let to = self.done.record.as_ref();
        let to = to.map(|now| decided::keys_digest(&now.record, key));
        let from = self.done.declined;
        if to.is_some() && to != from {
            self.push(Effect::DeclineRecord { from, to });
        }
    }

    fn effect(&mut self, person: &Person, planned: &Planned, unlinks: bool) {
        match &planned.effect {
            Effect::Set {
                field: Field::Engagements,
                from,
                to,
            } => self.engagements(person, from, to, unlinks),
            Effect::Set { field, from, to } => {
                self.set(person, *field, (from, to), planned.owner, unlinks);
            }
            Effect::Own { field } => self.own(person, *field, planned.owner, unlinks),
            Effect::Manager { from, to } => self.manager(person, *from, to.as_ref(), unlinks),
            Effect::Employment { from, to } => {
                if person.employment == *to {
                    self.push(Effect::Employment {
                        from: *to,
                        to: *from,
                    });
                } else if person.employment != *from {
                    self.leave_since("employment");
                }
            }
            Effect::Access { from, to } => self.access(person, *from, *to),
            Effect::Owner { field, from, to } => {
                if person.owners.get(field).copied() == *to {
                    self.push(Effect::Owner {
                        field: *field,
                        from: *to,
                        to: *from,
                    });
                }
            }
            Effect::Decide {
                field,
                from,
                to,
                theirs,
                ours,
            } => {
                let now = self.done.link.as_ref();
                if now.and_then(|link| link.decisions.get(field)) == to.as_ref() {
                    self.push(Effect::Decide {
                        field: *field,
                        from: to.clone(),
                        to: from.clone(),
                        theirs: theirs.clone(),
                        ours: ours.clone(),
                    });
                }
            }
            Effect::DeclineRecord { from, to } => self.release_record(*from, *to),
            Effect::Unlink => {
                let free = self.done.link.is_none() && self.done.record.is_some();
                if free {
                    self.push(Effect::Link);
                } else {
                    self.leave_since("link");
                }
            }
            // A link is taken back at the end; silence is a fact about reads, and
            // questions changed nothing.
            Effect::Link
            | Effect::Answer { .. }
            | Effect::MarkGone
            | Effect::Conflict { .. }
            | Effect::Outward { .. }
            | Effect::Cancel { .. }
            | Effect::Create { .. }
            | Effect::Remove { .. } => {}
        }
    }

    pub(super) fn release_record(&mut self, from: Option<Digest>, to: Option<Digest>) {
        if self.done.declined == to && from != to {
            self.push(Effect::DeclineRecord { from: to, to: from });
        }
    }

    fn set(
        &mut self,
        person: &Person,
        field: Field,
        (from, to): (&Said<FieldValue>, &Said<FieldValue>),
        owner: Option<muster_model::ConnectionId>,
        unlinks: bool,
    ) {
        let now = person.fields.get(field);
        let is = |said: &Said<FieldValue>| said.as_ref().map(|said| &said.value) == now;
        if !is(to) {
            if !is(from) {
                self.leave_since(field.name());
            }
            return;
        }
        let effect = Effect::Set {
            field,
            from: to.clone(),
            to: from.clone(),
        };
        let mut planned = match brake(field, from.value().is_some()) {
            Some(brake) => Planned::braked(effect, brake),
            None => Planned::free(effect),
        };
        // For whoever takes the undo back.
        planned.owner = person.owners.get(&field).copied();
        self.effects.push(planned);
        // As enacting leaves it: this connection's when there is something to own.
        let value = from.as_ref().map(|said| &said.value);
        let after = gives(field, value).then_some(self.input.connection);
        self.owner(field, after, owner);
        if !unlinks {
            self.decide(field, (to.clone(), from.clone()));
        }
    }

    fn own(
        &mut self,
        person: &Person,
        field: Field,
        owner: Option<muster_model::ConnectionId>,
        unlinks: bool,
    ) {
        let ours = self.input.connection;
        if person.owners.get(&field) != Some(&ours) {
            return self.leave_since(field.name());
        }
        self.owner(field, Some(ours), owner);
        // Both said the same when the row was made.
        let value = FieldValue::said(field, person.fields.get(field));
        if !unlinks {
            self.decide(field, (value.clone(), value));
        }
    }

    fn owner(
        &mut self,
        field: Field,
        from: Option<muster_model::ConnectionId>,
        to: Option<muster_model::ConnectionId>,
    ) {
        if from != to {
            self.push(Effect::Owner { field, from, to });
        }
    }

    /// Declines a pair of values of a field.
    pub(super) fn decide(
        &mut self,
        field: Field,
        (theirs, ours): (Said<FieldValue>, Said<FieldValue>),
    ) {
        let pair = pair_digest(
            self.input.key,
            field,
            theirs.as_ref().map(|said| &said.value),
            ours.as_ref().map(|said| &said.value),
        );
        self.decline(field, pair, (theirs, ours));
    }

    fn decline(
        &mut self,
        field: Field,
        pair: Digest,
        pair_of: (Said<FieldValue>, Said<FieldValue>),
    ) {
        let Some(link) = &self.done.link else { return };
        let (theirs, ours) = pair_of;
        let from = link.decisions.get(&field).cloned();
        let to = Decision {
            pair,
            choice: Choice::Declined,
        };
        if from.as_ref() != Some(&to) {
            self.push(Effect::Decide {
                field,
                from,
                to: Some(to),
                theirs,
                ours,
            });
        }
    }

    fn engagements(
        &mut self,
        person: &Person,
        from: &Said<FieldValue>,
        to: &Said<FieldValue>,
        unlinks: bool,
    ) {
        let list = |said: &Said<FieldValue>| match said {
            Said::Value(FieldValue {
                value: Value::Engagements(list),
                ..
            }) => list.clone(),
            _ => Vec::new(),
        };
        let now = person.engagements.get(&self.input.connection);
        let now = now.map(Vec::as_slice).unwrap_or_default();
        if now != list(to) {
            if now != list(from) {
                self.leave_since(Field::Engagements.name());
            }
            return;
        }
        self.push(Effect::Set {
            field: Field::Engagements,
            from: to.clone(),
            to: from.clone(),
        });
        if !unlinks {
            let pair = engagements_pair(self.input.key, &list(to), &list(from));
            self.decline(Field::Engagements, pair, (Said::Absent, Said::Absent));
        }
    }

    fn manager(
        &mut self,
        person: &Person,
        from: Option<PersonId>,
        to: Option<&ManagerKey>,
        unlinks: bool,
    ) {
        let named = to.map(|key| match key {
            ManagerKey::Person(person) => Some(*person),
            ManagerKey::Record(record) => (self.input.manager)(&Named::Record(record.clone())),
        });
        // One who was not there when the row was done changed nothing.
        let set = match named {
            None => None,
            Some(None) => return,
            Some(found) => found,
        };
        if person.manager != set {
            if person.manager != from {
                self.leave_since("manager");
            }
            return;
        }
        if from.is_some_and(|manager| !self.input.known.contains(&manager)) {
            return self.leave(
                "manager",
                "undo.manager_gone",
                "the earlier manager is not there any more",
            );
        }
        let effect = Effect::Manager {
            from: set,
            to: from.map(ManagerKey::Person),
        };
        self.effects.push(if set.is_some() && from.is_some() {
            Planned::braked(effect, BrakeKind::ManagerChanged)
        } else {
            Planned::free(effect)
        });
        if unlinks {
            return;
        }
        let Some(now) = &self.done.record else { return };
        // A source that names somebody else since is not declined with it.
        if let Some(named) = statement(self.input.policy, &now.record, self.input.today)
            && (self.input.manager)(&named) == set
        {
            let pair = manager_pair(self.input.key, &named, from);
            self.decline(Field::ManagerExternalId, pair, (Said::Absent, Said::Absent));
        }
    }

    fn access(&mut self, person: &Person, from: Access, to: Access) {
        if person.access != to {
            if person.access != from {
                self.leave_since("access");
            }
            return;
        }
        self.change_access(to, from);
    }

    pub(super) fn change_access(&mut self, from: Access, to: Access) {
        let effect = Effect::Access { from, to };
        self.effects.push(if to.is_off() {
            Planned::braked(effect, BrakeKind::SuspendSaid)
        } else {
            Planned::free(effect)
        });
    }

    /// Declines what the source says of employment, where anything of it is taken back.
    pub(super) fn decide_turn(&mut self, person: &Person, unlinks: bool) {
        let (mut employment, mut access) = (person.employment, person.access);
        let mut moved = false;
        for planned in &self.effects {
            match &planned.effect {
                Effect::Employment { to, .. } => (employment, moved) = (*to, true),
                Effect::Access { to, .. } => (access, moved) = (*to, true),
                _ => {}
            }
        }
        if moved && !unlinks {
            self.decline_turn(employment, access);
        }
    }

    fn decline_turn(&mut self, employment: EngagementStatus, access: Access) {
        let situation = self.done.change.situation;
        let said = match (&self.done.record, situation) {
            (_, Situation::Gone) | (None, _) => &[],
            (Some(now), _) => {
                // A source that said something since, with which nobody dealt, is news.
                let planned = self.done.change.precondition.record;
                if planned != Some(now.digest) && !now.rests {
                    return;
                }
                now.record.engagements().unwrap_or_default()
            }
        };
        let pair = turn_pair(self.input.key, situation, said, employment, access);
        self.decline(Field::EmploymentStatus, pair, (Said::Absent, Said::Absent));
    }
}

/// Which brake counts a field that gets its earlier value back.
fn brake(field: Field, has_value: bool) -> Option<BrakeKind> {
    match field {
        _ if !has_value => Some(BrakeKind::FieldEmptied),
        Field::WorkEmail | Field::PersonalEmail | Field::EmployeeNumber | Field::NationalId => {
            Some(BrakeKind::KeyChanged)
        }
        _ => None,
    }
}
