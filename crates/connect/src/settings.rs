//! What an administrator enters to use a connector.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use muster_model::{Clock, Field};
use secrecy::SecretString;

use crate::error::{ConnectError, ErrorKind};
use crate::http::{Pause, TokioPause};
use crate::manifest::{ConnectorInfo, Input, is_between};

/// One organisation's settings and secrets for a connector, with the time that
/// the connector lives by.
#[derive(Clone)]
pub struct ConnectorSettings {
    /// The base address; without it, the first one of the manifest.
    pub base_url: Option<String>,
    /// Settings by the names of the manifest.
    pub settings: BTreeMap<String, String>,
    /// Secrets by the names of the manifest.
    pub secrets: BTreeMap<String, SecretString>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How to wait between two tries.
    pub pause: Arc<dyn Pause>,
    /// Where a secret goes that the vendor replaces; without it, a new one is
    /// lost with the connector.
    pub keep: Option<Arc<dyn KeepSecret>>,
}

/// Keeps secrets that a vendor replaces while they are used, such as a refresh
/// token that holds for one use only.
#[async_trait]
pub trait KeepSecret: Send + Sync {
    /// The newest one that was kept, if any was.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn latest(&self, name: &str) -> Result<Option<SecretString>, ConnectError>;

    /// Keeps one. It is durable when this returns: only then is it used.
    ///
    /// # Errors
    /// When it cannot be kept; the token that came with it is not used either.
    async fn keep(&self, name: &str, secret: SecretString) -> Result<(), ConnectError>;
}

/// What a setting's name begins with that says where a field comes from.
pub const MAP_PREFIX: &str = "map.";

impl ConnectorSettings {
    /// No settings and no secrets yet; waits as long as it is told to.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            base_url: None,
            settings: BTreeMap::new(),
            secrets: BTreeMap::new(),
            clock,
            pause: Arc::new(TokioPause),
            keep: None,
        }
    }

    /// With a base address.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// With a setting.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// With a secret.
    #[must_use]
    pub fn secret(mut self, name: impl Into<String>, value: SecretString) -> Self {
        self.secrets.insert(name.into(), value);
        self
    }

    /// With another way to wait.
    #[must_use]
    pub fn pause(mut self, pause: Arc<dyn Pause>) -> Self {
        self.pause = pause;
        self
    }

    /// With somebody who keeps secrets that the vendor replaces.
    #[must_use]
    pub fn keep(mut self, keep: Arc<dyn KeepSecret>) -> Self {
        self.keep = Some(keep);
        self
    }

    /// Where this connection reads fields from instead: settings `map.FIELD`,
    /// a pointer, a CEL expression that begins with `=`, or a table as in a
    /// manifest, in braces.
    pub fn changed_fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(MAP_PREFIX)?, value.as_str())))
    }

    /// Checks the names, the required ones and the values that have a list.
    ///
    /// # Errors
    /// Names what is missing, unknown or not allowed; never a value of a secret.
    pub fn check(&self, info: &ConnectorInfo) -> Result<(), ConnectError> {
        check_names(info, "secret", &info.secrets, self.secrets.keys())?;
        let own = (self.settings.keys()).filter(|name| !name.starts_with(MAP_PREFIX));
        check_names(info, "setting", &info.settings, own)?;
        for (field, _) in self.changed_fields() {
            field.parse::<Field>().map_err(|error| {
                ConnectError::new(
                    ErrorKind::Settings,
                    "settings.unknown",
                    format!("the setting `{MAP_PREFIX}{field}` names no field"),
                    error.to_string(),
                )
            })?;
        }
        for input in &info.settings {
            let Some(value) = self.settings.get(&input.name) else {
                continue;
            };
            if !input.values.is_empty() && !input.values.contains(value) {
                return Err(bad_value(
                    &input.name,
                    &format!("one of: {}", input.values.join(", ")),
                ));
            }
            if let Some([least, most]) = input.between
                && !is_between(value, [least, most])
            {
                return Err(bad_value(
                    &input.name,
                    &format!("a whole number from {least} to {most}"),
                ));
            }
        }
        Ok(())
    }

    /// The value of a setting, or the manifest's default for it.
    #[must_use]
    pub fn value<'a>(&'a self, info: &'a ConnectorInfo, name: &str) -> Option<&'a str> {
        self.settings.get(name).map(String::as_str).or_else(|| {
            info.settings
                .iter()
                .find(|input| input.name == name)
                .and_then(|input| input.default.as_deref())
        })
    }

    /// The base address: entered, or the manifest's first.
    #[must_use]
    pub fn address<'a>(&'a self, info: &'a ConnectorInfo) -> Option<&'a str> {
        self.base_url
            .as_deref()
            .or_else(|| info.base_urls.first().map(|base| base.url.as_str()))
    }
}

/// The error for a setting whose value is of no use.
pub(crate) fn bad_value(name: &str, expected: &str) -> ConnectError {
    ConnectError::new(
        ErrorKind::Settings,
        "settings.bad_value",
        format!("the value of the setting `{name}` is not allowed"),
        format!("enter {expected}"),
    )
}

/// The error for a secret that is not there.
pub(crate) fn missing_secret(name: &str) -> ConnectError {
    ConnectError::new(
        ErrorKind::Settings,
        "settings.missing",
        format!("the secret `{name}` is missing"),
        format!("enter `{name}`; the connector's notes say where to find it"),
    )
}

fn check_names<'a>(
    info: &ConnectorInfo,
    what: &str,
    inputs: &[Input],
    given: impl Iterator<Item = &'a String>,
) -> Result<(), ConnectError> {
    let given: Vec<&String> = given.collect();
    let known = |name: &str| inputs.iter().any(|input| input.name == name);
    if let Some(unknown) = given.iter().find(|name| !known(name)) {
        let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        return Err(ConnectError::new(
            ErrorKind::Settings,
            "settings.unknown",
            format!("{} has no {what} named `{unknown}`", info.title),
            format!("use one of: {}", names.join(", ")),
        ));
    }
    let missing = |input: &&Input| input.required && !given.contains(&&input.name);
    if let Some(input) = inputs.iter().find(missing) {
        return Err(ConnectError::new(
            ErrorKind::Settings,
            "settings.missing",
            format!("the {what} `{}` is missing", input.name),
            format!("enter it: {}", input.meaning),
        ));
    }
    Ok(())
}

impl fmt::Debug for ConnectorSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ConnectorSettings")
            .field("base_url", &self.base_url)
            .field("settings", &self.settings)
            .field("secrets", &self.secrets.keys())
            .finish_non_exhaustive()
    }
}
