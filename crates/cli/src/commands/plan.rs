//! `muster plan NAME`: read, compare, and show what would change.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use muster_engine::read::Watch;
use muster_model::report::{Outcome, Trigger};

use crate::args::{DatabaseArguments, Plan, PlanFormat};
use crate::exit::Exit;
use crate::plan_file::PlanFile;
use crate::{database, output, plan_table};

pub(crate) async fn run(command: Plan, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    let engine = database::open(database).await?;
    let organisation = engine
        .organisation(command.organisation.name.as_deref())
        .await?;
    let made = engine
        .plan(&organisation, &command.connection, Trigger::Manual, watch())
        .await?;
    let Some(planned) = &made.planned else {
        output::say(&output::report_words(&made.report));
        return Ok(made.report.outcome.into());
    };
    // First, because whoever reads what is printed may stop reading.
    if let Some(path) = &command.out {
        let file = PlanFile::of(planned, &organisation.digest_key());
        write_private(path, &serde_json::to_vec_pretty(&file)?)
            .with_context(|| format!("plan.file: {} cannot be written", path.display()))?;
        output::say(&format!("wrote the plan to {}", path.display()));
    }
    match command.format {
        PlanFormat::Text => {
            let names = engine.names(&organisation, &planned.plan).await?;
            output::line(&format!("plan {}", planned.id))?;
            output::line(&muster_reconcile::render(&planned.plan, &names))?;
        }
        PlanFormat::Json => output::json(&plan_table::json(planned))?,
        PlanFormat::Csv => {
            let subjects = engine.subjects(&organisation, &planned.plan).await?;
            plan_table::csv(planned, &subjects, std::io::stdout().lock())?;
        }
    }
    Ok(match made.report.outcome {
        Outcome::Ok => Exit::Done,
        outcome => outcome.into(),
    })
}

/// Writes a file that this user alone may read: it names people.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}

/// A progress bar on a terminal, and nothing elsewhere.
pub(crate) fn watch() -> Option<Watch> {
    let target = ProgressDrawTarget::stderr();
    if target.is_hidden() {
        return None;
    }
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} of {len} people read") {
        bar.set_style(style);
    }
    Some(Arc::new(move |progress: muster_connect::Progress| {
        if let Some(expected) = progress.expected {
            bar.set_length(expected);
        }
        bar.set_position(progress.records);
        if progress.expected == Some(progress.records) {
            bar.finish_and_clear();
        }
    }))
}
