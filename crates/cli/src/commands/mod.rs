//! The commands, one file each: parse, call the engine, render.

mod apply;
mod audit;
mod connect;
mod connectors;
mod demo;
mod diff;
mod erase;
mod org;
mod people;
mod plan;
mod pull;
mod rehearse;
mod runs;
mod sandbox;
mod source;
mod sync;

use crate::args::{Arguments, Command};
use crate::exit::{Exit, Usage};

/// Runs one command.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<Exit> {
    let database = &arguments.database;
    let done = match arguments.command {
        Command::Demo(command) => demo::run(command).await,
        Command::Diff(command) => diff::run(&command),
        Command::Pull(command) => pull::run(command).await,
        Command::Connectors(command) => connectors::run(command),
        Command::Sandbox(command) => sandbox::run(command).await,
        Command::Org(command) => org::run(command, database).await,
        Command::Connect(command) => connect::run(command, database).await,
        Command::Plan(command) => plan::run(command, database).await,
        Command::Apply(command) => apply::run(command, database).await,
        Command::Sync(command) => sync::run(command, database).await,
        Command::People(command) => people::run(command, database).await,
        Command::Runs(command) => runs::run(command, database).await,
        Command::Erase(command) => erase::run(command, database).await,
        Command::Readmit(command) => erase::readmit(command, database).await,
        Command::Audit(command) => audit::run(command, database).await,
        Command::Rehearse(command) => rehearse::run(&command),
    };
    done.map_err(
        |error| match error.downcast::<muster_engine::EngineError>() {
            // What the engine was asked wrongly is wrong usage of the command.
            Ok(engine) if engine.is_usage() => Usage(engine.to_string()).into(),
            Ok(engine) => engine.into(),
            Err(error) => error,
        },
    )
}
