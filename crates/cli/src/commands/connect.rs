//! `muster connect CONNECTOR --name NAME --preset PRESET`.

use muster_engine::connections::Wish;
use muster_model::Preset;

use super::source::Given;
use crate::args::{Connect, DatabaseArguments};
use crate::exit::{Exit, Usage};
use crate::{database, output};

pub(crate) async fn run(command: Connect, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    let preset: Preset = command
        .preset
        .parse()
        .map_err(|error| Usage(format!("{error}")))?;
    let given = Given::read(command.source)?;
    let engine = database::open(database).await?;
    let organisation = engine
        .organisation(command.organisation.name.as_deref())
        .await?;
    let connection = engine
        .connect(
            &organisation,
            Wish {
                name: command.name,
                connector: command.connector,
                preset,
                base_url: given.base_url,
                settings: given.settings,
                secrets: given.secrets,
            },
        )
        .await?;
    output::json(&serde_json::json!({
        "id": connection.id,
        "name": connection.name,
        "connector": connection.connector,
        "preset": preset.name(),
        "state": connection.state.word(),
        "account": connection.account,
    }))?;
    Ok(Exit::Done)
}
