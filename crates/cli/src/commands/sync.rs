//! `muster sync NAME`: plan, and apply what needs nobody.

use muster_model::RunReport;
use muster_model::report::Trigger;

use super::plan::watch;
use crate::args::{DatabaseArguments, PlanFormat, Sync};
use crate::exit::Exit;
use crate::{database, output};

pub(crate) async fn run(command: Sync, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    let engine = database::open(database).await?;
    let organisation = engine
        .organisation(command.organisation.name.as_deref())
        .await?;
    let made = engine
        .sync(&organisation, &command.connection, Trigger::Manual, watch())
        .await?;
    show(&made.report, command.format)?;
    Ok(made.report.outcome.into())
}

/// Prints a run report.
pub(crate) fn show(report: &RunReport, format: PlanFormat) -> anyhow::Result<()> {
    match format {
        PlanFormat::Json => output::json(report),
        PlanFormat::Text => output::line(&output::report_words(report)),
        PlanFormat::Csv => {
            let mut csv = csv::Writer::from_writer(std::io::stdout().lock());
            csv.write_record(["class", "people"])?;
            if let serde_json::Value::Object(counts) = serde_json::to_value(report.counts)? {
                for (class, people) in counts {
                    csv.write_record([class, people.to_string()])?;
                }
            }
            csv.flush()?;
            Ok(())
        }
    }
}
