//! The fields of a linked person, compared one by one.

use jiff::civil::Date;
use muster_model::plan::{Effect, FieldValue, HoldKind, Planned};
use muster_model::policy::BrakeKind;
use muster_model::{DigestKey, Field, Fields, Flow, Link, Remapped, Said, SourceRecord, Value};

use super::declining;
use super::subject::Subject;
use crate::compare::{self, Wish};
use crate::enact;
use crate::input::gives;

/// What comparing all fields gives.
#[derive(Default)]
pub(super) struct Compared {
    /// What follows.
    pub(super) effects: Vec<Planned>,
    /// Differences about which somebody decided.
    pub(super) decided: Vec<Field>,
    /// Fields that went back and forth, and wait for a person or for a quiet day.
    pub(super) frozen: Vec<Field>,
    /// Fields of which only our reading moved: the next read looks at them again.
    pub(super) later: Vec<Field>,
    /// Fields that would go outwards, were it not for a bad one (BEY-49).
    pub(super) not_written: Vec<Field>,
}

/// Compares every field that the record decides about.
pub(super) fn compare(subject: &Subject<'_>, record: &SourceRecord, today: Date) -> Compared {
    let mut compared = Compared::default();
    let theirs: Fields = if record.whole {
        record.on(today)
    } else {
        record.fields.only(|field| field != Field::Engagements)
    };
    let said = record.engagements().unwrap_or_default();
    let outwards = |field| matches!(subject.input.policy.flow(field), Flow::Out | Flow::Both);
    let target_has_bad_field = record
        .problems
        .iter()
        .any(|problem| outwards(problem.field));
    let remapped = subject
        .link
        .map_or(Remapped::No, |link| enact::remapped(link, record));
    for field in Field::ALL {
        // Employment and managers have steps of their own.
        if field.is_manager() || matches!(field, Field::Engagements | Field::EmploymentStatus) {
            continue;
        }
        let flow = subject.input.policy.flow(field);
        if matches!(flow, Flow::Off | Flow::KeyOnly) || !subject.owns(field, said, today) {
            continue;
        }
        let pair = Pair {
            field,
            theirs: theirs.get(field),
            ours: subject.person.fields.get(field),
        };
        // Who has no value owns nothing while another source has one.
        let empty = pair.theirs.is_null() && !gives(field, pair.theirs);
        if flow != Flow::Out && empty && subject.is_said_elsewhere(field) {
            continue;
        }
        let policy = subject.input.policy;
        let key = subject.input.key;
        let (theirs, ours) = (pair.theirs, pair.ours);
        let wish = compare::wish(policy, field, subject.link, theirs, ours, key);
        let writes = matches!(wish, Some(Wish::GiveOurs | Wish::TakeTheirs | Wish::Clear));
        if writes && compare::is_frozen(subject.link, field, theirs, ours, key, subject.input.now) {
            compared.frozen.push(field);
            compared.effects.push(pair.ask());
            continue;
        }
        // What only our reading moved is no move of the source: it comes in, and
        // nothing goes out for it. The next read finds whatever we moved ourselves.
        let ours_alone = wish == Some(Wish::Ask)
            && remapped == Remapped::Still
            && subject
                .link
                .is_some_and(|link| link.base.contains_key(&field));
        if (wish == Some(Wish::GiveOurs) && !remapped.lets_out()) || ours_alone {
            compared.later.push(field);
            continue;
        }
        match wish {
            None if subject.link.is_some_and(|link| pair.is_decided(link, key)) => {
                compared.decided.push(field);
            }
            None => compared.effects.extend(pair.own(subject, flow)),
            Some(Wish::Decided) => compared.decided.push(field),
            Some(Wish::GiveOurs) if target_has_bad_field => compared.not_written.push(field),
            Some(Wish::GiveOurs) => compared.effects.push(pair.give_ours()),
            Some(Wish::TakeTheirs) => compared.effects.push(pair.take_theirs()),
            Some(Wish::Clear) => {
                let proved = subject.verdict.allows_emptying(field) && record.whole;
                compared.effects.push(pair.clear(proved));
            }
            Some(Wish::Ask) => compared.effects.push(pair.ask()),
        }
    }
    // Whose each field was, for whoever takes this back.
    for planned in &mut compared.effects {
        if let Effect::Set { field, .. } | Effect::Own { field } = &planned.effect {
            planned.owner = subject.person.owners.get(field).copied();
        }
    }
    compared
}

/// What both sides say of one field.
#[derive(Clone, Copy)]
struct Pair<'a> {
    field: Field,
    theirs: Said<&'a Value>,
    ours: Said<&'a Value>,
}

impl Pair<'_> {
    fn theirs(&self) -> Said<FieldValue> {
        FieldValue::said(self.field, self.theirs)
    }

    fn ours(&self) -> Said<FieldValue> {
        FieldValue::said(self.field, self.ours)
    }

    fn set(&self, to: Said<FieldValue>) -> Effect {
        Effect::Set {
            field: self.field,
            from: self.ours(),
            to,
        }
    }

    fn take_theirs(&self) -> Planned {
        let effect = self.set(self.theirs());
        // A first value changes no key: only another one does.
        if is_key(self.field) && self.ours.value().is_some() {
            Planned::braked(effect, BrakeKind::KeyChanged)
        } else {
            Planned::free(effect)
        }
    }

    fn clear(&self, proved: bool) -> Planned {
        Planned {
            held: (!proved).then_some(HoldKind::Doubt),
            ..Planned::braked(self.set(Said::Null), BrakeKind::FieldEmptied)
        }
    }

    fn give_ours(&self) -> Planned {
        let brake = match self.field {
            Field::BankAccount => BrakeKind::OutwardBankAccount,
            _ => BrakeKind::OutwardWrite,
        };
        let effect = Effect::Outward {
            field: self.field,
            theirs: self.theirs(),
            ours: self.ours(),
        };
        Planned::braked(effect, brake)
    }

    fn ask(&self) -> Planned {
        Planned::free(Effect::Conflict {
            field: self.field,
            theirs: self.theirs(),
            ours: self.ours(),
        })
    }

    /// Did somebody decide about these very values?
    fn is_decided(&self, link: &Link, key: &DigestKey) -> bool {
        declining::holds(Some(link), self.field, || {
            compare::pair_digest(key, self.field, self.theirs, self.ours)
        })
    }

    /// Nothing differs, but another connection gave the value before: the owner
    /// follows the order of sources, not the order of runs, and so does the form.
    fn own(&self, subject: &Subject<'_>, flow: Flow) -> Option<Planned> {
        let owned = subject.person.owners.get(&self.field) == Some(&subject.input.connection);
        if owned || !matches!(flow, Flow::In | Flow::Both) || !gives(self.field, self.theirs) {
            return None;
        }
        let (theirs, ours) = (self.theirs.value(), self.ours.value());
        if !compare::same(self.field, self.theirs, self.ours) {
            return None;
        }
        Some(Planned::free(if theirs == ours {
            Effect::Own { field: self.field }
        } else {
            self.set(self.theirs())
        }))
    }
}

/// Keys and addresses: what somebody could be taken for somebody else by.
const fn is_key(field: Field) -> bool {
    matches!(
        field,
        Field::WorkEmail | Field::PersonalEmail | Field::EmployeeNumber | Field::NationalId
    )
}
