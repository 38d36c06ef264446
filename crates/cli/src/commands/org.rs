//! `muster org create NAME`.

use muster_storage::NewOrganisation;

use crate::args::{DatabaseArguments, Org, OrgCommand};
use crate::exit::Exit;
use crate::{database, output};

pub(crate) async fn run(command: Org, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    let OrgCommand::Create {
        name,
        region,
        time_zone,
    } = command.command;
    let engine = database::open_or_make(database).await?;
    let organisation = engine
        .create_organisation(NewOrganisation {
            name,
            region,
            time_zone,
        })
        .await?;
    output::json(&serde_json::json!({
        "id": organisation.id,
        "name": organisation.name,
        "region": organisation.region,
        "time_zone": organisation.time_zone,
    }))?;
    Ok(Exit::Done)
}
