//! A plan as text for people: one row a person, then what is held back and
//! why, then managers that could not be resolved. The same plan always gives
//! the same text; sealed values are masked.

use std::collections::BTreeMap;
use std::fmt::Write;

use muster_model::plan::{
    Cause, Change, Effect, FieldValue, HoldKind, ManagerKey, ManagerProblemKind, Planned,
};
use muster_model::{Engagement, Field, PersonId, Plan, Said, Value};

/// Names of people, for whoever reads a plan: a row knows its person by id alone.
pub type Names = BTreeMap<PersonId, String>;

/// The people whom the rows of a plan speak of: those whose names help to read it.
pub fn spoken_of(plan: &Plan) -> impl Iterator<Item = PersonId> + '_ {
    plan.changes.iter().flat_map(|change| {
        let managers = change
            .effects
            .iter()
            .filter_map(|planned| match &planned.effect {
                Effect::Manager { from, to } => Some([
                    *from,
                    to.as_ref().and_then(|key| match key {
                        ManagerKey::Person(person) => Some(*person),
                        ManagerKey::Record(_) => None,
                    }),
                ]),
                _ => None,
            });
        change
            .person
            .into_iter()
            .chain(managers.flatten().flatten())
    })
}

/// Shows the plan; who is not in `names` is shown by id.
#[must_use]
pub fn render(plan: &Plan, names: &Names) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, plan, names);
    text
}

fn write(text: &mut String, plan: &Plan, names: &Names) -> std::fmt::Result {
    let people = plan.people;
    match plan.cause {
        Cause::Undo => writeln!(text, "undo, planned for {}", plan.made_for)?,
        Cause::Read | Cause::Mapping => writeln!(
            text,
            "plan for {}: {} read, {} not covered, {} invalid, {} gone",
            plan.made_for, people.read, people.out_of_scope, people.invalid, people.gone
        )?,
    }
    if plan.cause == Cause::Mapping {
        writeln!(
            text,
            "the mapping is another than at the last plan; no schedule applies this one"
        )?;
    }
    for doubt in &plan.evidence.doubts {
        writeln!(text, "doubt {}: {}", doubt.kind.code(), doubt.detail)?;
    }
    if plan.changes.is_empty() {
        writeln!(text, "nothing to do")?;
    }
    for change in &plan.changes {
        row(text, change, names)?;
    }
    for hold in &plan.holds {
        writeln!(
            text,
            "held {}: {} of {}; {}",
            hold.kind,
            counted(hold.rows, "row"),
            hold_words(hold.kind),
            hold.reason
        )?;
        writeln!(text, "  next: {}", hold.next)?;
    }
    for problem in &plan.managers {
        let wrong = match problem.kind {
            ManagerProblemKind::Unresolved => "names nobody we know",
            ManagerProblemKind::Oneself => "names the person",
            ManagerProblemKind::Cyclic => "stands on a ring of managers",
        };
        writeln!(text, "manager of {}: {wrong}", problem.external_id)?;
    }
    Ok(())
}

fn row(text: &mut String, change: &Change, names: &Names) -> std::fmt::Result {
    let record = change.external_id.as_ref().map(ToString::to_string);
    let person = change
        .person
        .map(|person| named(person, names))
        .or_else(|| name_of_new(change));
    let who = match (record, person) {
        // The id of the person beside the id of the record helps nobody.
        (Some(record), Some(name)) if !name.is_id => format!("{record} {}", name.text),
        (Some(record), _) => record,
        (None, person) => person.map(|name| name.text).unwrap_or_default(),
    };
    write!(text, "{who}: {} → {}", change.situation, change.reaction)?;
    if let Some(day) = change.due_on {
        write!(text, " (looked at again on {day})")?;
    }
    writeln!(text)?;
    for planned in &change.effects {
        writeln!(text, "  {}", effect(planned, names))?;
    }
    for reason in &change.reasons {
        writeln!(text, "  because {}: {}", reason.code, reason.detail)?;
    }
    Ok(())
}

/// How somebody is shown.
struct Shown {
    text: String,
    /// Because no name is known.
    is_id: bool,
}

fn named(person: PersonId, names: &Names) -> Shown {
    match names.get(&person) {
        Some(name) => Shown {
            text: name.clone(),
            is_id: false,
        },
        None => Shown {
            text: person.to_string(),
            is_id: true,
        },
    }
}

/// Whom a row makes.
fn name_of_new(change: &Change) -> Option<Shown> {
    let name = change
        .effects
        .iter()
        .find_map(|planned| match &planned.effect {
            Effect::Create { fields, .. } => fields.value(Field::DisplayName),
            _ => None,
        })?;
    Some(Shown {
        text: value(name),
        is_id: false,
    })
}

/// One effect in a line, with what holds it.
fn effect(planned: &Planned, names: &Names) -> String {
    let mut line = match &planned.effect {
        Effect::Create { fields, access } => {
            let said: Vec<String> = fields
                .iter()
                .filter_map(|(field, said)| Some(format!("{field} {}", value(said.value()?))))
                .collect();
            format!("create, {}: {}", access.name(), said.join(", "))
        }
        Effect::Link => "link".to_owned(),
        Effect::Set { field, from, to } => pair(*field, from, to),
        Effect::Conflict {
            field,
            theirs,
            ours,
        } => format!("{field}: theirs {} / ours {} ?", said(theirs), said(ours)),
        Effect::Outward {
            field,
            theirs,
            ours,
        } => format!("to the source, {}", pair(*field, theirs, ours)),
        Effect::Manager { from, to } => format!(
            "manager: {} → {}",
            from.map_or_else(none, |person| named(person, names).text),
            match to {
                None => none(),
                Some(ManagerKey::Person(person)) => named(*person, names).text,
                Some(ManagerKey::Record(record)) => format!("record {record}"),
            }
        ),
        Effect::Employment { from, to } => {
            format!("employment: {} → {}", from.name(), to.name())
        }
        Effect::Access { from, to } => format!("access: {} → {}", from.name(), to.name()),
        Effect::Own { field } => format!("{field}: this source decides from now on"),
        Effect::MarkGone => "holds nobody from now on".to_owned(),
        Effect::Remove { .. } => "remove from the directory".to_owned(),
        Effect::Unlink => "unlink".to_owned(),
        Effect::Owner { field, to, .. } => match to {
            Some(owner) => format!("{field}: connection {owner} decides again"),
            None => format!("{field}: ours again"),
        },
        Effect::Decide { field, to, .. } => match to {
            Some(_) => format!("{field}: declined until one of the values moves"),
            None => format!("{field}: no longer declined"),
        },
        Effect::DeclineRecord { to, .. } => match to {
            Some(_) => "the record is declined until it says something else".to_owned(),
            None => "the record is no longer declined".to_owned(),
        },
        Effect::Answer { matter, to, .. } => match to {
            Some(to) => format!("{}: {} again", matter.word(), to.answer.word()),
            None => format!("{}: the answer is taken back", matter.word()),
        },
        Effect::Cancel { kind, .. } => format!("cancel {kind}, which has not left"),
    };
    if let Some(kind) = planned.held {
        line.push_str(&format!(" [held: {}]", kind.word()));
    }
    line
}

fn pair(field: Field, from: &Said<FieldValue>, to: &Said<FieldValue>) -> String {
    let changed = if field.is_sealed() { " (changed)" } else { "" };
    let (mut before, mut after) = (said(from), said(to));
    // Days alone do not tell what is another: the terms do.
    if before == after && field == Field::Engagements {
        (before, after) = (with_terms(from), with_terms(to));
    }
    format!("{field}: {before} → {after}{changed}")
}

fn with_terms(said: &Said<FieldValue>) -> String {
    match said.value().map(|shown| &shown.value) {
        Some(Value::Engagements(engagements)) => engagements
            .iter()
            .map(Engagement::shown_with_terms)
            .collect::<Vec<_>>()
            .join("; "),
        _ => none(),
    }
}

fn said(said: &Said<FieldValue>) -> String {
    said.value().map_or_else(none, |shown| value(&shown.value))
}

fn value(shown: &Value) -> String {
    match shown {
        Value::Engagements(engagements) if engagements.is_empty() => none(),
        Value::Engagements(engagements) => engagements
            .iter()
            .map(Engagement::shown)
            .collect::<Vec<_>>()
            .join("; "),
        shown => shown.shown(),
    }
}

fn none() -> String {
    "–".to_owned()
}

fn counted(number: u64, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// What the code of a hold means.
const fn hold_words(kind: HoldKind) -> &'static str {
    match kind {
        HoldKind::SuspendSaid => "leavers whom the source names",
        HoldKind::SuspendSilent => "leavers by silence",
        HoldKind::Create => "joiners",
        HoldKind::FieldEmptied => "fields that lose their value",
        HoldKind::KeyChanged => "changed keys or addresses",
        HoldKind::ManagerChanged => "changed managers",
        HoldKind::TeamRemoved => "removed teams",
        HoldKind::OutwardWrite => "writes to the source",
        HoldKind::OutwardBankAccount => "bank accounts to the source",
        HoldKind::TooFewLeft => "leavers after whom too few are left",
        HoldKind::LastAdministrator => "last administrators",
        HoldKind::Doubt => "what the read does not prove",
        HoldKind::FirstRead => "what a first read never does",
        HoldKind::Unconfirmed => "silence that nobody confirmed",
    }
}
