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
    // First without the lock: where there are no data, there is nothing to lock.
    let opened = place.open().await?;
    let held = key_file::hold(&place.key_file).await?;
    // Another process may have rotated since.
    let engine = place.open_held(opened.storage(), &held).await?;
    let new = held.begin(&MachineEntropy)?;
    let organisations = match engine.storage().rotate_key(&new).await {
        Ok(organisations) => organisations,
        Err(error) => {
            // A commit of which the answer was lost may have come through all the same:
            // then the next command finds the new key there and finishes.
            if let Ok(None | Some(false)) = engine.storage().opened_by(&new).await {
                held.discard()?;
            }
            return Err(muster_engine::EngineError::from(error).into());
        }
    };
    let old = held.swap(&new, MachineClock.now())?;
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
