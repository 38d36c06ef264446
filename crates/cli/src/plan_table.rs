//! A plan as rows: one for each person and effect, for spreadsheets and programs.

use std::io::Write;

use muster_engine::deciding::OLDER;
use muster_engine::planning::Planned;
use muster_engine::subjects::Subject;
use muster_model::plan::{Change, Effect, FieldValue, ManagerKey};
use muster_model::{ExternalId, Field, HoldKind, Plan, Said};
use serde_json::json;

/// The columns of the CSV; the last, `decision`, is for whoever fills it in, and the three
/// before it say about whom the row is. Neither these nor `from` and `to` are read back.
const COLUMNS: [&str; 15] = [
    "plan",
    "row",
    "external_id",
    "person",
    "situation",
    "reaction",
    "effect",
    "field",
    "from",
    "to",
    "held",
    "name",
    "work_email",
    "employee_number",
    "decision",
];

/// One effect in words; sealed values are masked.
struct Line {
    effect: &'static str,
    field: String,
    from: String,
    to: String,
}

/// The plan as one JSON object.
pub(crate) fn json(planned: &Planned) -> serde_json::Value {
    let plan = &planned.plan;
    json!({
        "plan": planned.id,
        "connection": plan.connection,
        "hash": plan.hash,
        "cause": plan.cause,
        "made_for": plan.made_for,
        "evidence": plan.evidence,
        "people": plan.people,
        "counts": plan.counts(),
        "fields": plan.field_counts(),
        "holds": plan.holds,
        "managers": plan.managers,
        "rows": rows(plan),
    })
}

/// The rows of a plan as JSON.
pub(crate) fn rows(plan: &Plan) -> Vec<serde_json::Value> {
    plan.changes
        .iter()
        .enumerate()
        .map(|(row, change)| {
            let effects: Vec<serde_json::Value> = change
                .effects
                .iter()
                .flat_map(|planned| {
                    lines(&planned.effect).into_iter().map(move |line| {
                        json!({
                            "effect": line.effect,
                            "field": line.field,
                            "from": line.from,
                            "to": line.to,
                            "held": planned.held.map(HoldKind::word),
                        })
                    })
                })
                .collect();
            json!({
                "row": row,
                "external_id": change.external_id,
                "person": change.person,
                "situation": change.situation,
                "reaction": change.reaction,
                "class": change.class(),
                "effects": effects,
                "reasons": change.reasons,
                "due_on": change.due_on,
            })
        })
        .collect()
}

/// The plan as CSV, one line for each effect.
pub(crate) fn csv(planned: &Planned, subjects: &[Subject], out: impl Write) -> anyhow::Result<()> {
    csv_of(&planned.plan, &planned.id.to_string(), subjects, out)
}

/// A plan under an id as CSV; one that is not stored has none. `subjects` are those
/// of its rows, in their order.
pub(crate) fn csv_of(
    plan: &Plan,
    id: &str,
    subjects: &[Subject],
    out: impl Write,
) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    // A row's place in the plan is its name: `decide` finds it by that.
    for (row, change) in plan.changes.iter().enumerate() {
        let place = [id, &row.to_string()];
        let nobody = Subject::default();
        let about = (change, subjects.get(row).unwrap_or(&nobody));
        if change.effects.is_empty() {
            let held = if change.is_older() { OLDER } else { "" };
            write(&mut csv, place, about, None, held)?;
        }
        for planned in &change.effects {
            let held = planned.held.map_or("", HoldKind::word);
            for line in lines(&planned.effect) {
                write(&mut csv, place, about, Some(&line), held)?;
            }
        }
    }
    csv.flush()?;
    Ok(())
}

fn write<W: Write>(
    csv: &mut csv::Writer<W>,
    [plan, row]: [&str; 2],
    (change, subject): (&Change, &Subject),
    line: Option<&Line>,
    held: &str,
) -> anyhow::Result<()> {
    let person = change
        .person
        .map(|person| person.to_string())
        .unwrap_or_default();
    csv.write_record([
        plan,
        row,
        change.external_id.as_ref().map_or("", ExternalId::as_str),
        &person,
        change.situation.word(),
        change.reaction.word(),
        line.map_or("", |line| line.effect),
        line.map_or("", |line| &line.field),
        &line.map_or_else(String::new, |line| as_text(&line.from)),
        &line.map_or_else(String::new, |line| as_text(&line.to)),
        held,
        &as_text(&subject.name),
        &as_text(&subject.work_email),
        &as_text(&subject.employee_number),
        "",
    ])?;
    Ok(())
}

/// The cell so that no spreadsheet takes it for a formula: what somebody typed in
/// an HR system must not run here. A sign before nothing but digits is a number.
fn as_text(cell: &str) -> String {
    let starts = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let number = cell
        .strip_prefix(['+', '-'])
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    if starts && !number {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn lines(effect: &Effect) -> Vec<Line> {
    let line = |effect, field: &str, from: String, to: String| Line {
        effect,
        field: field.to_owned(),
        from,
        to,
    };
    match effect {
        Effect::Create { fields, access } => {
            let mut lines = vec![line(
                "create",
                "access",
                String::new(),
                access.name().to_owned(),
            )];
            lines.extend(
                fields
                    .iter()
                    .filter(|(field, _)| *field != Field::Engagements)
                    .map(|(field, said)| {
                        let shown = said.value().map(|value| value.shown()).unwrap_or_default();
                        line("create", field.name(), String::new(), shown)
                    }),
            );
            lines
        }
        Effect::Link => vec![line("link", "", String::new(), String::new())],
        Effect::Set { field, from, to } => vec![line("set", field.name(), said(from), said(to))],
        Effect::Conflict {
            field,
            theirs,
            ours,
        } => {
            vec![line("conflict", field.name(), said(ours), said(theirs))]
        }
        Effect::Outward {
            field,
            theirs,
            ours,
        } => {
            vec![line("outward", field.name(), said(theirs), said(ours))]
        }
        Effect::Manager { from, to } => {
            let to = match to {
                None => String::new(),
                Some(ManagerKey::Person(person)) => person.to_string(),
                Some(ManagerKey::Record(record)) => format!("record {record}"),
            };
            let from = from.map(|person| person.to_string()).unwrap_or_default();
            vec![line("set", "manager", from, to)]
        }
        Effect::Employment { from, to } => {
            vec![line(
                "set",
                "employment",
                from.name().to_owned(),
                to.name().to_owned(),
            )]
        }
        Effect::Access { from, to } => {
            vec![line(
                "set",
                "access",
                from.name().to_owned(),
                to.name().to_owned(),
            )]
        }
        Effect::Own { field } => vec![line("own", field.name(), String::new(), String::new())],
        Effect::MarkGone => vec![line("mark_gone", "", String::new(), String::new())],
        Effect::Remove { access, .. } => vec![line(
            "remove",
            "access",
            access.name().to_owned(),
            String::new(),
        )],
        Effect::Unlink => vec![line("unlink", "", String::new(), String::new())],
        Effect::Owner { field, from, to } => {
            let shown = |owner: &Option<muster_model::ConnectionId>| {
                owner.map(|id| id.to_string()).unwrap_or_default()
            };
            vec![line("owner", field.name(), shown(from), shown(to))]
        }
        Effect::Decide { field, to, .. } => {
            let word = if to.is_some() { "declined" } else { "" };
            vec![line("decide", field.name(), String::new(), word.to_owned())]
        }
        Effect::DeclineRecord { to, .. } => {
            let word = if to.is_some() { "declined" } else { "" };
            vec![line("decide", "record", String::new(), word.to_owned())]
        }
        Effect::Answer { matter, from, to } => {
            let word = |answered: &Option<muster_model::plan::Answered>| {
                answered.map_or("", |one| one.answer.word()).to_owned()
            };
            vec![line("answer", matter.word(), word(from), word(to))]
        }
        Effect::Cancel { kind, .. } => vec![line("cancel", kind, String::new(), String::new())],
    }
}

fn said(said: &Said<FieldValue>) -> String {
    said.value()
        .map(|value| value.value.shown())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_typed_is_no_formula_and_a_number_stays_one() {
        for formula in ["=1+1", "@SUM(1)", "-2+3", "+cmd", "\t=1", "-"] {
            assert_eq!(as_text(formula), format!("'{formula}"));
        }
        for plain in ["+4740111176", "-12", "Åse Ås", "", "a=b"] {
            assert_eq!(as_text(plain), plain);
        }
    }
}
