//! `muster erase PERSON…` and `muster readmit CONNECTION RECORD`.

use muster_model::ExternalId;

use crate::args::{DatabaseArguments, Erase, Readmit};
use crate::exit::{Exit, Usage};
use crate::{database, output};

/// Said when the bytes of who was erased are still in the files.
pub(super) const IN_USE: &str = "erase.in_use: they are erased, but others read the database all the time, so that \
    old pages of its files still hold the bytes; they go with the next erasing or restart";

pub(crate) async fn run(command: Erase, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    if !command.yes {
        return Err(Usage(
            "erase.confirm: erasing cannot be undone; say it again with --yes".to_owned(),
        )
        .into());
    }
    let engine = database::open(database).await?;
    let organisation = engine
        .organisation(command.organisation.name.as_deref())
        .await?;
    let erased = engine
        .erase(&organisation, &command.people, command.even_if_employed)
        .await?;
    for person in &erased.people {
        output::json(&serde_json::json!({
            "id": person,
            "name": format!("Deleted person, {}", erased.on),
        }))?;
    }
    if erased.scrubbed {
        return Ok(Exit::Done);
    }
    output::say(IN_USE);
    Ok(Exit::NeedsPerson)
}

pub(crate) async fn readmit(
    command: Readmit,
    database: &DatabaseArguments,
) -> anyhow::Result<Exit> {
    let engine = database::open(database).await?;
    let organisation = engine
        .organisation(command.organisation.name.as_deref())
        .await?;
    let record = ExternalId::new(command.record);
    engine
        .readmit(&organisation, &command.connection, &record)
        .await?;
    output::say("the record is read again from the next sync on");
    Ok(Exit::Done)
}
