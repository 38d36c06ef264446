//! `muster restore FILE`: everything back, or nothing; and what a person says
//! after it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use muster_engine::EngineError;
use muster_model::Clock;
use muster_storage::MasterKey;
use muster_storage::backup::{Erased, Restore, check};

use super::backup::told;
use crate::args::{self, Confirm, DatabaseArguments};
use crate::database::{self, Place};
use crate::exit::{Exit, Usage};
use crate::machine::MachineClock;
use crate::output;

pub(crate) async fn run(
    command: args::Restore,
    arguments: &DatabaseArguments,
) -> anyhow::Result<Exit> {
    let place = Place::of(arguments)?;
    if let Some(confirm) = command.confirm {
        let engine = place.open().await?;
        let cancelled = engine
            .storage()
            .confirm_restore(confirm == Confirm::Cancel)
            .await
            .map_err(EngineError::from)?;
        output::json(&serde_json::json!({ "confirmed": true, "cancelled": cancelled }))?;
        return Ok(Exit::Done);
    }
    let Some(file) = command.file else {
        let words = "restore.nothing: name the backup to restore, or --confirm send|cancel";
        return Err(Usage(words.to_owned()).into());
    };
    let backup_key = command
        .backup_key
        .as_deref()
        .map(MasterKey::from_file)
        .transpose()?;
    if command.check {
        let key = match backup_key {
            Some(key) => key,
            None => needed(&place)?,
        };
        let backup = check(&file, &key).await.map_err(EngineError::from)?;
        output::json(&told(&backup))?;
        return Ok(Exit::Done);
    }
    // A key made now opens no backup: it is made only to wrap anew what another opens.
    let key = match &backup_key {
        Some(_) => place.key().await?,
        None => needed(&place)?,
    };
    let erased = match &command.erased {
        Some(path) => list(path)?,
        None => Vec::new(),
    };
    let clock: Arc<dyn Clock> = Arc::new(MachineClock);
    let (entropy, ids) = database::machine(&clock);
    let restored = Restore {
        file,
        location: place.location,
        key,
        backup_key,
        replace: command.replace,
        erased,
        actor: database::actor(),
    }
    .run(clock, ids, entropy)
    .await
    .map_err(EngineError::from)?;
    output::json(&serde_json::json!({
        "backup": told(&restored.backup),
        "erased_again": restored.erased_again,
        "interrupted_runs": restored.interrupted_runs,
        "waiting_messages": restored.waiting_messages,
    }))?;
    output::say(&format!(
        "restored what was on {}; nothing goes outwards until you confirm: {} messages waited then, \
         and may have gone out since. `muster restore --confirm send` sends them, \
         `--confirm cancel` does not",
        restored.backup.made_at, restored.waiting_messages
    ));
    if restored.scrubbed {
        return Ok(Exit::Done);
    }
    output::say(super::erase::IN_USE);
    Ok(Exit::NeedsPerson)
}

/// The key that must be there already.
fn needed(place: &Place) -> anyhow::Result<MasterKey> {
    MasterKey::from_file(&place.key_file).context(
        "restore needs the master key of the day the backup was made: put its file there, \
         or name it with --backup-key",
    )
}

fn list(path: &Path) -> anyhow::Result<Vec<Erased>> {
    let text = std::fs::read_to_string(path).with_context(|| {
        format!(
            "restore.erased_list: {} cannot be read; check the path",
            path.display()
        )
    })?;
    Ok(Erased::from_csv(&text).map_err(EngineError::from)?)
}
