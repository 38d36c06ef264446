//! Settings and secrets of a source, as the command line gives them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use muster_connect::{
    ConnectError, Connector, ConnectorSettings, KeepSecret, SinkError, catalogue,
};
use muster_model::Clock;
use secrecy::{ExposeSecret, SecretString};

use crate::args::Source;
use crate::exit::Usage;
use crate::pairs;

/// What was given, taken apart.
pub(crate) struct Given {
    pub(crate) base_url: Option<String>,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) secrets: BTreeMap<String, SecretString>,
    /// The files that secrets were read from.
    files: BTreeMap<String, PathBuf>,
}

impl Given {
    pub(crate) fn read(source: Source) -> anyhow::Result<Self> {
        let settings = source
            .settings
            .iter()
            .map(|pair| pairs::split(pair))
            .collect::<Result<_, _>>()?;
        let (mut secrets, mut files) = (BTreeMap::new(), BTreeMap::new());
        for pair in &source.secrets {
            let (name, secret, file) = pairs::secret(pair)?;
            files.extend(file.map(|file| (name.clone(), file)));
            secrets.insert(name, secret);
        }
        Ok(Self {
            base_url: source.base_url,
            settings,
            secrets,
            files,
        })
    }

    /// The connector, and the region for telephone numbers. Nothing is stored here, so a
    /// secret that the vendor may replace while it is used goes back into its file; one
    /// that came from elsewhere is refused before it is used up.
    pub(crate) fn open(
        mut self,
        connector: &str,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<(Box<dyn Connector>, Option<String>)> {
        let region = self.settings.remove("region");
        let info = catalogue().iter().find(|info| info.name == connector);
        for name in info.into_iter().flat_map(|info| &info.replaced_secrets) {
            if self.secrets.contains_key(name) && !self.files.contains_key(name) {
                return Err(Usage(format!(
                    "secret.replaced: the vendor may replace `{name}` while it is used, and a new \
                     one would be lost here; give it as {name}=@FILE, into which the new one is \
                     written"
                ))
                .into());
            }
        }
        let mut settings = ConnectorSettings::new(Arc::clone(clock));
        settings.base_url = self.base_url;
        settings.settings = self.settings;
        settings.secrets = self.secrets;
        settings.keep = Some(Arc::new(InFiles(self.files)));
        Ok((muster_connect::open(connector, settings)?, region))
    }
}

/// Keeps replaced secrets in the files that they were read from.
struct InFiles(BTreeMap<String, PathBuf>);

#[async_trait]
impl KeepSecret for InFiles {
    async fn latest(&self, _: &str) -> Result<Option<SecretString>, ConnectError> {
        Ok(None) // it was read just now
    }

    async fn keep(&self, name: &str, secret: SecretString) -> Result<(), ConnectError> {
        let Some(file) = self.0.get(name) else {
            return Err(lost(name));
        };
        replace(file, &secret).map_err(|error| {
            tracing::error!(secret = name, %error, "a replaced secret could not be written");
            lost(name)
        })
    }
}

/// Writes beside the file and puts it in its place, so that no instant leaves neither
/// the old secret nor the new one. Who may read it stays as it was.
fn replace(file: &Path, secret: &SecretString) -> std::io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = file.with_file_name(name);
    let mut new = private().open(&beside)?;
    new.set_permissions(std::fs::metadata(file)?.permissions())?;
    writeln!(new, "{}", secret.expose_secret())?;
    new.sync_all()?;
    std::fs::rename(&beside, file)?;
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    std::fs::File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// A file that nobody else may read, from its first instant on.
fn private() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn lost(name: &str) -> ConnectError {
    let words = format!(
        "secret.replaced: the vendor replaced `{name}`, and the new one could not be written to \
         its file; the old one holds no more: make a new one at the vendor"
    );
    SinkError::new(words).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_replaced_secret_goes_into_its_file_and_nowhere_else() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "old\n").unwrap();
        let keeps = InFiles(BTreeMap::from([("token".to_owned(), file.clone())]));
        let new = || SecretString::from("new");
        keeps.keep("token", new()).await.unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = keeps.keep("other", new()).await.unwrap_err();
        assert!(
            error
                .into_sink_error()
                .unwrap()
                .to_string()
                .contains("secret.replaced")
        );
    }
}
