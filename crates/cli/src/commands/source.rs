//! Settings and secrets of a source, as the command line gives them.

use std::collections::BTreeMap;

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
}
