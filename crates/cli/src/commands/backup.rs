//! `muster backup FILE`: everything into one encrypted file, while work goes on.

use std::path::{Path, PathBuf};

use muster_storage::Location;
use muster_storage::backup::{Backup, Erased};

use crate::args::{self, DatabaseArguments};
use crate::database::Place;
use crate::exit::{Exit, Usage};
use crate::{key_file, output};

pub(crate) async fn run(
    command: args::Backup,
    database: &DatabaseArguments,
) -> anyhow::Result<Exit> {
    if command.file.is_none() && command.erased_list.is_none() {
        let words = "backup.nothing: name the file to write, or --erased-list FILE";
        return Err(Usage(words.to_owned()).into());
    }
    if let (Some(file), Some(list)) = (&command.file, &command.erased_list)
        && names_of(file)
            .iter()
            .any(|name| names_of(list).contains(name))
    {
        let words = "backup.nothing: the backup and the list of erased people need two files";
        return Err(Usage(words.to_owned()).into());
    }
    let place = Place::of(database)?;
    let engine = place.open().await?;
    for path in command.file.iter().chain(&command.erased_list) {
        refuse_own(&place, path)?;
    }
    if let Some(path) = command.erased_list {
        let list = engine.storage().erased().await?;
        Erased::write(&list, &path, command.force).map_err(muster_engine::EngineError::from)?;
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

/// The files of the embedded database begin with this name.
const DATABASE: &str = "muster.db";

/// Refuses to write where the key or the data are, whatever was asked.
fn refuse_own(place: &Place, path: &Path) -> anyhow::Result<()> {
    let mut own = vec![place.key_file.clone()];
    // Where the name is a link, what it leads to is the key too.
    own.extend(place.key_file.canonicalize());
    if let Location::Directory(folder) = &place.location {
        own.extend([folder.join(DATABASE), folder.join(key_file::NAME)]);
    }
    let targets = names_of(path);
    for own in own {
        let Some((folder, name)) = place_of(&own) else {
            continue;
        };
        // With what stands beside each: `.new`, `.old-…`, `-wal`, `-shm`.
        let is_own = |target: &(PathBuf, String)| {
            let behind = target.1.strip_prefix(&name);
            target.0 == folder
                && behind.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
        };
        if targets.iter().any(is_own) {
            let words = format!(
                "backup.own_file: {} is the key or the database itself, or stands beside it under \
                 its name; choose another name",
                path.display()
            );
            return Err(Usage(words).into());
        }
    }
    Ok(())
}

/// The files that writing a file touches: itself, what it leads to, and the one that
/// it is while it is being written.
fn names_of(path: &Path) -> Vec<(PathBuf, String)> {
    let names = [
        Some(path.to_owned()),
        path.canonicalize().ok(),
        Some(key_file::beside(path, "partial")),
    ];
    let names = names.iter().flatten();
    names.filter_map(|path| place_of(path)).collect()
}

/// The folder as the system knows it and the name in it, in small letters: some
/// systems take them for the same.
fn place_of(path: &Path) -> Option<(PathBuf, String)> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    Some((folder.canonicalize().ok()?, name))
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
