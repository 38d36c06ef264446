//! `muster backup FILE`: everything into one encrypted file, while work goes on.

use muster_storage::backup::{Backup, Erased};

use crate::args::{self, DatabaseArguments};
use crate::exit::{Exit, Usage};
use crate::{database, output};

pub(crate) async fn run(
    command: args::Backup,
    database: &DatabaseArguments,
) -> anyhow::Result<Exit> {
    if command.file.is_none() && command.erased_list.is_none() {
        let words = "backup.nothing: name the file to write, or --erased-list FILE";
        return Err(Usage(words.to_owned()).into());
    }
    let engine = database::open(database).await?;
    if let Some(path) = command.erased_list {
        let list = engine.storage().erased().await?;
        Erased::write(&list, &path).map_err(muster_engine::EngineError::from)?;
        output::say(&format!(
            "{} erased people in {}",
            list.len(),
            path.display()
        ));
    }
    if let Some(path) = command.file {
        let backup = engine
            .storage()
            .backup(&path, command.force)
            .await
            .map_err(muster_engine::EngineError::from)?;
        output::json(&told(&backup))?;
        output::say(
            "the master key is not in the backup: keep a copy of the key file apart from both",
        );
    }
    Ok(Exit::Done)
}

/// A backup as it is told.
pub(super) fn told(backup: &Backup) -> serde_json::Value {
    serde_json::json!({
        "file": backup.file,
        "made_at": backup.made_at,
        "version": backup.version,
        "engine": backup.engine,
        "schema": backup.schema.last(),
        "bytes": backup.bytes,
        "rows": backup.rows.values().sum::<u64>(),
        "tables": backup.rows,
    })
}
