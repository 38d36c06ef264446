//! `muster key rotate`: a new master key for all organisations.

use muster_model::Clock;

use crate::args::{DatabaseArguments, Key, KeyCommand};
use crate::database::Place;
use crate::exit::Exit;
use crate::machine::{MachineClock, MachineEntropy};
use crate::{key_file, output};

pub(crate) async fn run(command: Key, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    match command.command {
        KeyCommand::Rotate => rotate(&Place::of(database)?).await,
    }
}

async fn rotate(place: &Place) -> anyhow::Result<Exit> {
    // What is left of an earlier rotation is done by opening.
    let engine = place.open().await?;
    let new = key_file::begin(&place.key_file, &MachineEntropy)?;
    let organisations = engine
        .storage()
        .rotate_key(&new.key)
        .await
        .map_err(muster_engine::EngineError::from)?;
    let old = key_file::swap(&place.key_file, MachineClock.now())?;
    output::json(&serde_json::json!({
        "key_file": place.key_file,
        "old_key_file": old,
        "organisations": organisations,
    }))?;
    output::say(&format!(
        "copy {} to a safe place apart from the data, and to every machine that opens them; restart what runs. \
         {} opens the backups made until now: keep it as long as you keep those, then delete it",
        place.key_file.display(),
        old.display()
    ));
    Ok(Exit::Done)
}
