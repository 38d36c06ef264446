//! `muster runs`: what was run, newest first.

use crate::args::{DatabaseArguments, PlanFormat, Runs};
use crate::exit::Exit;
use crate::{database, output};

/// The most runs shown.
const MOST: u32 = 1_000;

pub(crate) async fn run(command: Runs, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    let engine = database::open(database).await?;
    let organisation = engine
        .organisation(command.organisation.name.as_deref())
        .await?;
    let runs = engine.runs(&organisation, MOST).await?;
    match command.format {
        PlanFormat::Json => {
            for report in runs.iter().filter_map(|run| run.report.as_ref()) {
                output::json(report)?;
            }
        }
        PlanFormat::Text => {
            let names = engine.connection_names(&organisation).await?;
            for run in &runs {
                let name = names.get(&run.connection).map_or("", String::as_str);
                output::line(&format!(
                    "{:.0} {name}, {}",
                    run.started_at,
                    run.trigger.name()
                ))?;
                match &run.report {
                    Some(report) => output::line(&output::report_words(report))?,
                    None => {
                        let step = run.step.map(|step| format!(", {step}")).unwrap_or_default();
                        let state = match run.interrupted_at {
                            Some(at) => format!("interrupted {at:.0}{step}"),
                            None => format!("at work{step}"),
                        };
                        output::line(&format!("run {}: {state}", run.id))?
                    }
                }
            }
        }
        PlanFormat::Csv => {
            let mut csv = csv::Writer::from_writer(std::io::stdout().lock());
            csv.write_record([
                "run",
                "started",
                "finished",
                "outcome",
                "read",
                "created",
                "suspended",
                "held",
            ])?;
            for report in runs.iter().filter_map(|run| run.report.as_ref()) {
                csv.write_record([
                    report.run.to_string(),
                    report.started.to_string(),
                    report.finished.to_string(),
                    report.outcome.name().to_owned(),
                    report.people.read.to_string(),
                    report.counts.created.to_string(),
                    report.counts.suspended.to_string(),
                    report.counts.held.to_string(),
                ])?;
            }
            csv.flush()?;
        }
    }
    Ok(Exit::Done)
}
