//! The commands, one file each: parse, call the engine, render.

mod apply;
mod audit;
mod backup;
mod connect;
mod connectors;
mod decide;
mod demo;
mod diff;
mod doctor;
mod erase;
mod explain;
mod key;
mod org;
mod people;
mod plan;
mod pull;
mod rehearse;
mod restore;
mod runs;
mod sandbox;
mod source;
mod sync;
mod token;
mod undo;
mod unlink;
mod user;

use crate::args::{Arguments, Command};
use crate::exit::{Exit, Usage};

/// Runs one command.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<Exit> {
    let database = &arguments.database;
    if let Some(folder) = &arguments.connectors_folder {
        muster_connect::install(folder)?;
    }
    let done = match arguments.command {
        Command::Demo(command) => demo::run(command).await,
        Command::Diff(command) => diff::run(&command),
        Command::Pull(command) => pull::run(command).await,
        Command::Connectors(command) => connectors::run(command).await,
        Command::Sandbox(command) => sandbox::run(command).await,
        Command::Org(command) => org::run(command, database).await,
        Command::User(command) => user::run(command, database).await,
        Command::Token(command) => token::run(command, database).await,
        Command::Connect(command) => connect::run(command, database).await,
        Command::Plan(command) => plan::run(command, database).await,
        Command::Apply(command) => apply::run(command, database).await,
        Command::Sync(command) => sync::run(command, database).await,
        Command::Decide(command) => decide::run(command, database).await,
        Command::Unlink(command) => unlink::run(command, database).await,
        Command::Undo(command) => undo::run(command, database).await,
        Command::Explain(command) => explain::run(command, database).await,
        Command::People(command) => people::run(command, database).await,
        Command::Runs(command) => runs::run(command, database).await,
        Command::Erase(command) => erase::run(command, database).await,
        Command::Readmit(command) => erase::readmit(command, database).await,
        Command::Audit(command) => audit::run(command, database).await,
        Command::Doctor(command) => doctor::run(command, database).await,
        Command::Backup(command) => backup::run(command, database).await,
        Command::Restore(command) => restore::run(command, database).await,
        Command::Key(command) => key::run(command, database).await,
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
