//! `muster undo RUN`: take back what a run did. What left the house, and what was
//! changed since, is told before anything happens.

use muster_model::Change;
use muster_reconcile::undo::{OutwardEffect, Undoing, Way};
use serde_json::json;

use super::sync::show;
use crate::args::{DatabaseArguments, PlanFormat, Undo};
use crate::exit::Exit;
use crate::{database, output};

pub(crate) async fn run(command: Undo, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    let engine = database::open(database).await?;
    let organisation = engine
        .organisation(command.organisation.name.as_deref())
        .await?;
    let undone = engine
        .undo(&organisation, &command.run, command.dry_run, |undoing| {
            // The lists are words about the work; a dry run's are its data.
            if !command.dry_run {
                output::say(&words(undoing));
            }
        })
        .await?;
    let Some(made) = &undone.made else {
        match command.format {
            PlanFormat::Text => {
                let plan = &undone.undoing.plan;
                let names = engine.names(&organisation, plan).await?;
                output::line(muster_reconcile::render(plan, &names).trim_end())?;
                output::line(&words(&undone.undoing))?;
            }
            PlanFormat::Json => output::json(&json(&undone.run.to_string(), &undone.undoing))?,
            PlanFormat::Csv => {
                let plan = &undone.undoing.plan;
                let subjects = engine.subjects(&organisation, plan).await?;
                crate::plan_table::csv_of(plan, "", &subjects, std::io::stdout().lock())?;
            }
        }
        let open = undone.undoing.plan.holds.is_empty();
        return Ok(if open { Exit::Done } else { Exit::NeedsPerson });
    };
    show(&made.report, command.format)?;
    if let (false, Some(planned)) = (made.report.holds.is_empty(), &made.planned) {
        output::say(&format!(
            "held rows wait: muster apply {} --allow KIND",
            planned.id
        ));
    }
    Ok(made.report.outcome.into())
}

/// Is nothing of the row done before somebody releases it?
fn is_held(row: &Change) -> bool {
    row.effects.iter().all(|planned| planned.held.is_some())
}

/// What left the house, in its lists, and what is left alone.
fn words(undoing: &Undoing) -> String {
    let held = undoing.plan.changes.iter().filter(|row| is_held(row));
    let held = held.count();
    let mut words = vec![match undoing.plan.changes.len() - held {
        1 => "1 row is taken back".to_owned(),
        rows => format!("{rows} rows are taken back"),
    }];
    if held > 0 {
        words.push(format!("held, until somebody releases them: {held}"));
    }
    for way in Way::ALL {
        let all: Vec<&OutwardEffect> = undoing
            .outward
            .iter()
            .filter(|effect| effect.way == way)
            .collect();
        words.push(format!("{}: {}", way.words(), all.len()));
        words.extend(all.iter().map(|effect| {
            let field = effect.field.map_or("", |field| field.name());
            let why = effect.reason.map(|why| format!(" ({why})"));
            format!(
                "  person {}: {} {field}{}",
                effect.person,
                effect.kind,
                why.unwrap_or_default()
            )
        }));
    }
    words.push(format!("changed since, left alone: {}", undoing.left.len()));
    words.extend(undoing.left.iter().map(|left| {
        let who = match (&left.person, &left.external_id) {
            (Some(person), _) => format!("person {person}"),
            (None, Some(record)) => format!("record {record}"),
            (None, None) => String::new(),
        };
        format!("  {who}: {} ({}: {})", left.what, left.code, left.reason)
    }));
    words.join("\n")
}

fn json(run: &str, undoing: &Undoing) -> serde_json::Value {
    let list = |way: Way| -> Vec<serde_json::Value> {
        undoing
            .outward
            .iter()
            .filter(|effect| effect.way == way)
            .map(|effect| {
                json!({
                    "person": effect.person,
                    "external_id": effect.external_id,
                    "kind": effect.kind,
                    "field": effect.field,
                    "reason": effect.reason,
                })
            })
            .collect()
    };
    let outward: serde_json::Map<String, serde_json::Value> = Way::ALL
        .into_iter()
        .map(|way| (way.name().to_owned(), list(way).into()))
        .collect();
    let left: Vec<serde_json::Value> = undoing
        .left
        .iter()
        .map(|left| {
            json!({
                "person": left.person,
                "external_id": left.external_id,
                "what": left.what,
                "code": left.code,
            })
        })
        .collect();
    json!({
        "undoes": run,
        "counts": undoing.plan.counts(),
        "fields": undoing.plan.field_counts(),
        "holds": undoing.plan.holds,
        "rows": crate::plan_table::rows(&undoing.plan),
        "outward": outward,
        "left": left,
    })
}
