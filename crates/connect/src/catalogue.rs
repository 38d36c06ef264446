//! Every connector there is: those that are compiled in, and those of a folder
//! that the operator names.

use std::path::Path;
use std::sync::{LazyLock, OnceLock};

use crate::connector::Connector;
use crate::declared;
use crate::error::{ConnectError, ErrorKind};
use crate::manifest::{self, ConnectorInfo, Manifest};
use crate::settings::ConnectorSettings;

/// A connector that is compiled in: its manifest, and its notes in Markdown.
struct BuiltIn {
    manifest: &'static str,
    notes: &'static str,
}

macro_rules! built_in {
    ($name:literal) => {
        BuiltIn {
            manifest: include_str!(concat!("../../../connectors/", $name, "/manifest.toml")),
            notes: include_str!(concat!("../../../connectors/", $name, "/notes.md")),
        }
    };
}

const BUILT_IN: [BuiltIn; 7] = [
    built_in!("bamboohr"),
    built_in!("google-workspace"),
    built_in!("humaans"),
    built_in!("sap-successfactors"),
    built_in!("tripletex"),
    built_in!("workday"),
    built_in!("workday-soap"),
];

/// Manifests and their entries, in the same order, by name.
#[derive(Default)]
struct Catalogue {
    infos: Vec<ConnectorInfo>,
    manifests: Vec<Manifest>,
}

/// Those of the operator's folder.
static INSTALLED: OnceLock<Vec<(Manifest, ConnectorInfo)>> = OnceLock::new();

/// A manifest that is compiled in and cannot be read is left out here and
/// fails a test.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let mut entries: Vec<(Manifest, ConnectorInfo)> = INSTALLED.get().cloned().unwrap_or_default();
    for built_in in &BUILT_IN {
        if let Ok((manifest, info)) = manifest::read(built_in.manifest)
            && !entries.iter().any(|(known, _)| known.name == manifest.name)
        {
            entries.push((manifest, info.with_notes(built_in.notes)));
        }
    }
    entries.sort_by(|(one, _), (two, _)| one.name.cmp(&two.name));
    let (manifests, infos) = entries.into_iter().unzip();
    Catalogue { infos, manifests }
});

/// Adds the connectors of a folder, or puts them in the place of those that are
/// compiled in: `FOLDER/NAME/manifest.toml`, with `notes.md` beside it. For the
/// operator, at the start, before the catalogue is first used.
///
/// # Errors
/// `connectors.folder` when the folder cannot be read, `connectors.manifest`
/// with file, line and column when a manifest is not sound, and
/// `connectors.too_late` after the catalogue was used.
pub fn install(folder: &Path) -> Result<usize, ConnectError> {
    let unreadable = |path: &Path| {
        ConnectError::new(
            ErrorKind::Settings,
            "connectors.folder",
            format!("{} cannot be read", path.display()),
            "name a folder that holds a folder with a manifest.toml for each connector",
        )
    };
    let mut folders: Vec<_> = std::fs::read_dir(folder)
        .map_err(|_| unreadable(folder))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("manifest.toml").is_file())
        .collect();
    folders.sort();
    let mut entries = Vec::new();
    for folder in folders {
        let file = folder.join("manifest.toml");
        let text = std::fs::read_to_string(&file).map_err(|_| unreadable(&file))?;
        let (manifest, info) = manifest::read(&text).map_err(|problems| {
            let first = problems.first();
            let (line, column) = first.map_or((1, 1), |first| (first.line, first.column));
            let message = first.map_or("", |first| &first.message);
            ConnectError::new(
                ErrorKind::Settings,
                "connectors.manifest",
                format!("{}:{line}:{column}: {message}", file.display()),
                "correct it; `muster connectors check FILE` tells everything that is wrong",
            )
        })?;
        let notes = std::fs::read_to_string(folder.join("notes.md"))
            .unwrap_or_else(|_| format!("# Connecting {}\n", info.title));
        entries.push((manifest, info.with_notes(&notes)));
    }
    let count = entries.len();
    INSTALLED.set(entries).map_err(|_| {
        ConnectError::new(
            ErrorKind::Settings,
            "connectors.too_late",
            "the catalogue is in use already",
            "name one folder, when the program starts",
        )
    })?;
    Ok(count)
}

/// Every connector, by name.
#[must_use]
pub fn catalogue() -> &'static [ConnectorInfo] {
    &CATALOGUE.infos
}

/// Opens a connector by its name in the catalogue. Speaks to nobody yet.
///
/// # Errors
/// `connector.unknown`, or what [`ConnectorSettings::check`] and the address
/// check find.
pub fn open(name: &str, settings: ConnectorSettings) -> Result<Box<dyn Connector>, ConnectError> {
    let (info, manifest) = entry(name)?;
    settings.check(info)?;
    declared::open(info, manifest, &settings)
}

/// The manifest of a connector.
pub(crate) fn manifest_of(name: &str) -> Result<&'static Manifest, ConnectError> {
    Ok(entry(name)?.1)
}

fn entry(name: &str) -> Result<(&'static ConnectorInfo, &'static Manifest), ConnectError> {
    let entries = CATALOGUE.infos.iter().zip(&CATALOGUE.manifests);
    let found = entries.into_iter().find(|(info, _)| info.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = catalogue().iter().map(|info| info.name.as_str()).collect();
        ConnectError::new(
            ErrorKind::Settings,
            "connector.unknown",
            format!("there is no connector named `{name}`"),
            format!("use one of: {}", names.join(", ")),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::check_manifest;

    #[test]
    fn every_manifest_that_is_compiled_in_is_sound_and_in_the_catalogue() {
        for built_in in &BUILT_IN {
            assert_eq!(check_manifest(built_in.manifest), []);
        }
        assert_eq!(catalogue().len(), BUILT_IN.len());
        for info in catalogue() {
            assert!(info.notes.starts_with("# "), "{} has no notes", info.name);
        }
    }
}
