//! A plan as text for people: one row a person, then what is held back and
//! why, then managers that could not be resolved. The same plan always gives
//! the same text; sealed values are masked.

use std::fmt::Write;

use muster_model::plan::{
    Cause, Change, Effect, FieldValue, HoldKind, ManagerKey, ManagerProblemKind, Planned,
};
use muster_model::{Engagement, Field, Plan, Said, Value};

/// Shows the plan.
#[must_use]
pub fn render(plan: &Plan) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, plan);
    text
}

fn write(text: &mut String, plan: &Plan) -> std::fmt::Result {
    let people = plan.people;
    writeln!(
        text,
        "plan for {}: {} read, {} not covered, {} invalid, {} gone",
        plan.made_for, people.read, people.out_of_scope, people.invalid, people.gone
    )?;
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
        row(text, change)?;
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

fn row(text: &mut String, change: &Change) -> std::fmt::Result {
    let who = change
        .external_id
        .as_ref()
        .map(ToString::to_string)
        .or_else(|| change.person.map(|person| person.to_string()))
        .unwrap_or_default();
    write!(text, "{who}: {} → {}", change.situation, change.reaction)?;
    if let Some(day) = change.due_on {
        write!(text, " (looked at again on {day})")?;
    }
    writeln!(text)?;
    for planned in &change.effects {
        writeln!(text, "  {}", effect(planned))?;
    }
    for reason in &change.reasons {
        writeln!(text, "  because {}: {}", reason.code, reason.detail)?;
    }
    Ok(())
}

/// One effect in a line, with what holds it.
fn effect(planned: &Planned) -> String {
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
            from.map_or_else(none, |person| person.to_string()),
            match to {
                None => none(),
                Some(ManagerKey::Person(person)) => person.to_string(),
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
    format!("{field}: {} → {}{changed}", said(from), said(to))
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
