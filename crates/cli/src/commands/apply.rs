//! `muster apply PLAN`: apply a stored plan, by its id or by the file that
//! `plan --out` wrote.

use std::path::Path;

use anyhow::Context;
use muster_engine::applying::Choice;
use muster_model::Digest;

use super::sync::show;
use crate::args::{Apply, DatabaseArguments};
use crate::database;
use crate::exit::{Exit, Usage};
use crate::output;
use crate::plan_file::PlanFile;

pub(crate) async fn run(command: Apply, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    let engine = database::open(database).await?;
    let organisation = engine
        .organisation(command.organisation.name.as_deref())
        .await?;
    let (plan, hash) = named(&command.plan, &organisation)?;
    let only = if command.only.is_empty() {
        None
    } else {
        Some(engine.people_named(&organisation, &command.only).await?)
    };
    let choice = Choice {
        allow: Choice::allowing(&command.allow)?,
        only,
        ..Choice::default()
    };
    let made = engine.apply(&organisation, &plan, hash, choice).await?;
    show(&made.report, command.format)?;
    let refused = made.report.counts.failed;
    if refused > 0 {
        output::say(&format!(
            "row.stale: {refused} rows were refused, and nothing of them was written: the person, \
             the link or the record changed since the plan was made, or the plan was waiting for a \
             day that has come; `muster plan` makes a new one, which shows what is still to be done"
        ));
    }
    Ok(made.report.outcome.into())
}

/// The id of a plan, and its hash when a file names it.
fn named(
    word: &str,
    organisation: &muster_storage::Organisation,
) -> anyhow::Result<(String, Option<Digest>)> {
    let path = Path::new(word);
    if !path.is_file() {
        // Ids are digits, letters and dashes.
        if word.contains(['.', '/', '\\']) {
            return Err(Usage(format!(
                "plan.file: there is no file {word}; name a plan by its id, or by the file that \
                 `muster plan --out` wrote"
            ))
            .into());
        }
        return Ok((word.to_owned(), None));
    }
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("plan.file: {} cannot be read", path.display()))?;
    let file: PlanFile = serde_json::from_str(&text).map_err(|error| {
        Usage(format!(
            "plan.file: {} is no plan (line {}, column {}); write one with `muster plan --out`",
            path.display(),
            error.line(),
            error.column()
        ))
    })?;
    if !file.is_signed(&organisation.digest_key()) {
        return Err(Usage(format!(
            "plan.signature: {} was changed, or belongs to another organisation; make a new plan",
            path.display()
        ))
        .into());
    }
    Ok((file.plan, Some(file.hash)))
}
