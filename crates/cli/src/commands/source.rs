//! Settings and secrets of a source, as the command line gives them.

use std::collections::BTreeMap;
use std::sync::Arc;

use muster_connect::{Connector, ConnectorSettings};
use muster_model::Clock;
use secrecy::SecretString;

use crate::args::Source;
use crate::pairs;

/// What was given, taken apart.
pub(crate) struct Given {
    pub(crate) base_url: Option<String>,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) secrets: BTreeMap<String, SecretString>,
}

impl Given {
    pub(crate) fn read(source: Source) -> anyhow::Result<Self> {
        let settings = source
            .settings
            .iter()
            .map(|pair| pairs::split(pair))
            .collect::<Result<_, _>>()?;
        let secrets = source
            .secrets
            .iter()
            .map(|pair| pairs::secret(pair))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            base_url: source.base_url,
            settings,
            secrets,
        })
    }

    /// The connector, and the region for telephone numbers.
    pub(crate) fn open(
        mut self,
        connector: &str,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<(Box<dyn Connector>, Option<String>)> {
        let region = self.settings.remove("region");
        let mut settings = ConnectorSettings::new(Arc::clone(clock));
        settings.base_url = self.base_url;
        settings.settings = self.settings;
        settings.secrets = self.secrets;
        Ok((muster_connect::open(connector, settings)?, region))
    }
}
