//! `muster decide PLAN --file DECISIONS.csv`: decide about rows of a plan, and do
//! at once what was decided.

use muster_engine::EngineError;

use super::sync::show;
use crate::args::{DatabaseArguments, Decide};
use crate::exit::Exit;
use crate::{database, decisions_file, output};

pub(crate) async fn run(command: Decide, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    let lines = decisions_file::read(&command.file)?;
    let engine = database::open(database).await?;
    let organisation = engine
        .organisation(command.organisation.name.as_deref())
        .await?;
    let decided = match engine.decide(&organisation, &command.plan, &lines).await {
        Ok(decided) => decided,
        Err(error) => {
            if let EngineError::Decisions { problems } = &error {
                for problem in problems {
                    output::say(&problem.to_string());
                }
            }
            return Err(error.into());
        }
    };
    for problem in &decided.refused {
        output::say(&problem.to_string());
    }
    output::say(&format!("{} decisions taken", decided.taken));
    if decided.later > 0 {
        output::say(&format!(
            "{} of them are about records without a row in the plan: the next sync does them",
            decided.later
        ));
    }
    show(&decided.made.report, command.format)?;
    Ok(match Exit::from(decided.made.report.outcome) {
        Exit::Done if !decided.refused.is_empty() => Exit::NeedsPerson,
        exit => exit,
    })
}
