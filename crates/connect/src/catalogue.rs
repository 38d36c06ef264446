//! Every connector there is.

use std::sync::LazyLock;

use crate::connector::Connector;
use crate::error::{ConnectError, ErrorKind};
use crate::manifest::{self, ConnectorInfo};
use crate::settings::ConnectorSettings;
use crate::tripletex;

/// Makes an adapter with checked settings.
type Open =
    fn(&'static ConnectorInfo, &ConnectorSettings) -> Result<Box<dyn Connector>, ConnectError>;

/// A connector that is compiled in.
struct BuiltIn {
    /// Its name, as in the manifest.
    name: &'static str,
    /// Its manifest.
    manifest: &'static str,
    /// Its notes for the administrator, in Markdown.
    notes: &'static str,
    /// The adapter that speaks to the vendor.
    open: Open,
}

const BUILT_IN: [BuiltIn; 1] = [BuiltIn {
    name: "tripletex",
    manifest: include_str!("../../../connectors/tripletex/manifest.toml"),
    notes: include_str!("../../../connectors/tripletex/notes.md"),
    open: tripletex::open,
}];

/// The entries, in the order of [`BUILT_IN`]. A manifest that is compiled in
/// and cannot be read is left out here and fails a test.
static CATALOGUE: LazyLock<Vec<ConnectorInfo>> = LazyLock::new(|| {
    BUILT_IN
        .iter()
        .filter_map(|built_in| {
            let info = manifest::read(built_in.manifest).ok()?;
            Some(info.with_notes(built_in.notes))
        })
        .collect()
});

/// Every connector, by name.
#[must_use]
pub fn catalogue() -> &'static [ConnectorInfo] {
    &CATALOGUE
}

/// Opens a connector by its name in the catalogue. Speaks to nobody yet.
///
/// # Errors
/// `connector.unknown`, or what [`ConnectorSettings::check`] and the address
/// check find.
pub fn open(name: &str, settings: ConnectorSettings) -> Result<Box<dyn Connector>, ConnectError> {
    let info = CATALOGUE.iter().find(|info| info.name == name);
    let built_in = BUILT_IN.iter().find(|built_in| built_in.name == name);
    let (Some(info), Some(built_in)) = (info, built_in) else {
        let names: Vec<&str> = CATALOGUE.iter().map(|info| info.name.as_str()).collect();
        return Err(ConnectError::new(
            ErrorKind::Settings,
            "connector.unknown",
            format!("there is no connector named `{name}`"),
            format!("use one of: {}", names.join(", ")),
        ));
    };
    settings.check(info)?;
    (built_in.open)(info, &settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::check_manifest;

    #[test]
    fn every_manifest_that_is_compiled_in_is_sound_and_in_the_catalogue() {
        for built_in in &BUILT_IN {
            assert_eq!(check_manifest(built_in.manifest), []);
            assert!(catalogue().iter().any(|info| info.name == built_in.name));
        }
        for info in catalogue() {
            assert!(info.notes.starts_with("# "), "{} has no notes", info.name);
        }
    }
}
