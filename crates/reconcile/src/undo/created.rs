//! Somebody whom a run made: they go, if they never had access; else they are
//! suspended, and keep their history.

use muster_model::plan::{Effect, ManagerKey, Planned};
use muster_model::policy::BrakeKind;
use muster_model::{Access, Field, Fields, Flow, Person, PersonId, Said, Value};

use super::outwards;
use super::row::{SINCE, Turning};
use crate::input::gives;

/// Takes back a creation.
pub(super) fn take_back(turning: &mut Turning<'_>, fields: &Fields, access: Access) {
    let done = turning.done;
    let Some(person) = &done.person else {
        return turning.leave(
            "person",
            "undo.person_gone",
            "the person is not there any more",
        );
    };
    // Taken apart by hand, or joined to somebody else: the person is the directory's own
    // by now, and whoever took them apart did not ask for more.
    let tied = done
        .link
        .as_ref()
        .is_some_and(|link| link.person == person.id);
    if !tied {
        return turning.leave_since("link");
    }
    let had_access = matches!(
        person.access,
        Access::Active | Access::Suspended | Access::Ended
    ) || person.access_before.is_some();
    if had_access {
        if person.access.is_off() {
            return turning.leave(
                "access",
                "undo.had_access",
                "had access, and it is off already",
            );
        }
        turning.change_access(person.access, Access::Suspended);
        turning.decide_turn(person, false);
        return;
    }
    if done.messages.iter().any(|message| message.left) {
        // The invitation is out: it is withdrawn, and the person stays to be told.
        if person.access == Access::Invited {
            turning.change_access(Access::Invited, Access::NotInvited);
            turning.decide_turn(person, false);
        }
        return outwards::revert(turning, person);
    }
    if let Some(what) = changed(turning, person, fields) {
        return turning.leave(what, SINCE.0, SINCE.1);
    }
    if done.linked_elsewhere {
        return turning.leave(
            "person",
            "undo.linked_since",
            "another source knows the person by now",
        );
    }
    if let Some(field) = owned_otherwise(turning, person, fields) {
        return turning.leave(field.name(), SINCE.0, SINCE.1);
    }
    if !manages_only_undone(turning, &done.manages) {
        return turning.leave(
            "person",
            "undo.manages",
            "somebody reports to the person since the run",
        );
    }
    outwards::revert(turning, person);
    let mut held = person.fields.clone();
    if let Some(engagements) = person.engagements.get(&turning.input.connection) {
        held.set(
            Field::Engagements,
            Said::Value(Value::Engagements(engagements.clone())),
        );
    }
    let first = turning.effects.len();
    if let Some(manager) = person.manager {
        turning.push(Effect::Manager {
            from: Some(manager),
            to: None,
        });
    }
    turning.effects.push(Planned::braked(
        Effect::Remove {
            fields: held,
            access,
        },
        BrakeKind::SuspendSaid,
    ));
    turning.decline_record();
    // All of it or nothing: a record that is declined while its person is still there
    // would be taken for one that somebody linked since, and declined no more.
    for planned in turning.effects.iter_mut().skip(first) {
        planned.brake = Some(BrakeKind::SuspendSaid);
    }
}

/// Brings back somebody whom an undo removed.
pub(super) fn bring_back(turning: &mut Turning<'_>, fields: &Fields, access: Access) {
    let done = turning.done;
    if done.person.is_some() || done.link.is_some() || done.record.is_none() {
        return turning.leave_since("person");
    }
    let decided = done
        .effects
        .iter()
        .find_map(|planned| match &planned.effect {
            Effect::DeclineRecord { from, to } => Some((*from, *to)),
            _ => None,
        });
    turning.effects.push(Planned::braked(
        Effect::Create {
            fields: fields.clone(),
            access,
        },
        BrakeKind::Create,
    ));
    let manager = done
        .effects
        .iter()
        .find_map(|planned| match &planned.effect {
            Effect::Manager { from, .. } => *from,
            _ => None,
        });
    if let Some(manager) = manager.filter(|manager| is_there(turning, *manager)) {
        turning.push(Effect::Manager {
            from: None,
            to: Some(ManagerKey::Person(manager)),
        });
    }
    if let Some((from, to)) = decided {
        turning.release_record(from, to);
    }
}

/// Is the manager known, or brought back as well?
fn is_there(turning: &Turning<'_>, manager: PersonId) -> bool {
    turning.input.known.contains(&manager)
        || turning.input.rows.iter().any(|other| {
            let back = |planned: &Planned| matches!(planned.effect, Effect::Remove { .. });
            other.change.person == Some(manager) && other.effects.iter().any(back)
        })
}

/// The first thing of the person that is not as the run left it.
fn changed(turning: &Turning<'_>, person: &Person, fields: &Fields) -> Option<&'static str> {
    let derived = |field: &Field| matches!(field, Field::Engagements | Field::EmploymentStatus);
    let moved = Field::ALL
        .into_iter()
        .filter(|field| !derived(field))
        .find(|field| person.fields.get(*field) != fields.get(*field));
    if let Some(field) = moved {
        return Some(field.name());
    }
    let here = person.engagements.get(&turning.input.connection);
    let here = here.map(Vec::as_slice).unwrap_or_default();
    let made = fields
        .value(Field::Engagements)
        .and_then(Value::as_engagements);
    if !here.is_empty() && made.is_some_and(|made| made != here) {
        return Some(Field::Engagements.name());
    }
    (person.standing != muster_model::person::Standing::default()).then_some("standing")
}

/// The first field that is not owned as enacting the creation left it.
fn owned_otherwise(turning: &Turning<'_>, person: &Person, fields: &Fields) -> Option<Field> {
    let ours = turning.input.connection;
    let derived = |field: Field| matches!(field, Field::Engagements | Field::EmploymentStatus);
    Field::ALL.into_iter().find(|field| {
        let inwards = matches!(turning.input.policy.flow(*field), Flow::In | Flow::Both);
        let made = inwards && !derived(*field) && gives(*field, fields.get(*field));
        let now = person.owners.get(field).copied();
        now.map_or(made, |owner| owner != ours)
    })
}

/// Is everybody who reports to the person taken back with them?
fn manages_only_undone(
    turning: &Turning<'_>,
    manages: &std::collections::BTreeSet<PersonId>,
) -> bool {
    manages.iter().all(|report| {
        turning.input.rows.iter().any(|other| {
            other
                .person
                .as_ref()
                .is_some_and(|person| person.id == *report)
                && other.effects.iter().any(|planned| {
                    matches!(
                        planned.effect,
                        Effect::Create { .. } | Effect::Manager { .. }
                    )
                })
        })
    })
}
