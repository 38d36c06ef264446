//! `muster unlink PERSON NAME`: take a person and a connection's record apart.

use muster_model::Field;

use crate::args::{DatabaseArguments, TextOrJson, Unlink};
use crate::exit::Exit;
use crate::{database, output};

pub(crate) async fn run(command: Unlink, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    let engine = database::open(database).await?;
    let organisation = engine
        .organisation(command.organisation.name.as_deref())
        .await?;
    let unlinked = engine
        .unlink(&organisation, &command.person, &command.connection)
        .await?;
    match command.format {
        TextOrJson::Json => output::json(&unlinked)?,
        TextOrJson::Text => {
            let records: Vec<String> = unlinked.records.iter().map(ToString::to_string).collect();
            let fields: Vec<&str> = unlinked.fields.iter().copied().map(Field::name).collect();
            output::line(&format!(
                "person {} and {} record {} are apart",
                unlinked.person,
                unlinked.connection,
                records.join(", ")
            ))?;
            if !fields.is_empty() {
                output::line(&format!("  ours from now on: {}", fields.join(", ")))?;
            }
        }
    }
    Ok(Exit::Done)
}
