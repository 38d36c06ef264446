//! What every step works with.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use muster_connect::http::Pause;
use muster_connect::{ConnectError, Connector, ConnectorSettings};
use muster_model::time::date_in;
use muster_model::values::Country;
use muster_model::{Clock, IdSource};
use muster_storage::{NewOrganisation, Organisation, Storage};

use crate::error::EngineError;

/// What breaks a line and is no control character: a line, a paragraph separator.
const LINE_BREAKS: [char; 2] = ['\u{2028}', '\u{2029}'];

/// Opens a connector by its name in the catalogue.
pub type OpenConnector =
    Arc<dyn Fn(&str, ConnectorSettings) -> Result<Box<dyn Connector>, ConnectError> + Send + Sync>;

/// The engine: storage, and what is passed in. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) storage: Storage,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) pause: Arc<dyn Pause>,
    pub(crate) open_connector: OpenConnector,
}

impl Engine {
    /// An engine over a storage, with time, ids and a way to wait.
    pub fn new(
        storage: Storage,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        pause: Arc<dyn Pause>,
    ) -> Self {
        Self {
            storage,
            clock,
            ids,
            pause,
            open_connector: Arc::new(muster_connect::open),
        }
    }

    /// The same engine with another way to open connectors: for the proof that
    /// it keeps its word over one that is broken.
    #[must_use]
    pub fn opening(self, open_connector: OpenConnector) -> Self {
        Self {
            open_connector,
            ..self
        }
    }

    /// The storage, for whoever needs a repository that no step offers.
    #[must_use]
    pub const fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The same engine at another time: for rehearsals.
    #[must_use]
    pub fn at(&self, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            ..self.clone()
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Could an organisation be made of this? To be asked before anything is made for it.
    ///
    /// # Errors
    /// When the name cannot be one, or the zone or the region is none.
    pub fn check_new(new: &NewOrganisation) -> Result<(), EngineError> {
        let name = new.name.as_str();
        let wrong = if name.trim().is_empty() {
            Some("empty")
        } else if name
            .chars()
            .any(|c| c.is_control() || LINE_BREAKS.contains(&c))
        {
            Some("one with line breaks or control characters")
        } else if name != name.trim() {
            Some("one with space around it")
        } else {
            None
        };
        if let Some(what) = wrong {
            return Err(EngineError::OrganisationName { what });
        }
        if TimeZone::get(&new.time_zone).is_err() {
            return Err(EngineError::UnknownZone {
                name: new.time_zone.clone(),
            });
        }
        // Written as it is stored: nothing is changed silently.
        if Country::parse(&new.region).map(Country::code) != Ok(new.region.as_str()) {
            return Err(EngineError::UnknownRegion {
                name: new.region.clone(),
            });
        }
        Ok(())
    }

    /// Makes an organisation.
    ///
    /// # Errors
    /// When the name is taken or cannot be one, or the zone or the region is none.
    pub async fn create_organisation(
        &self,
        new: NewOrganisation,
    ) -> Result<Organisation, EngineError> {
        Self::check_new(&new)?;
        Ok(self.storage.create_organisation(new).await?)
    }

    /// The organisation of a name, or the only one.
    ///
    /// # Errors
    /// When there is none of the name, or several and no name.
    pub async fn organisation(&self, name: Option<&str>) -> Result<Organisation, EngineError> {
        if let Some(name) = name {
            return self
                .storage
                .organisation_by_name(name)
                .await?
                .ok_or_else(|| EngineError::OrganisationUnknown {
                    name: name.to_owned(),
                });
        }
        let mut organisations = self.storage.organisations().await?;
        match (organisations.pop(), organisations.is_empty()) {
            (Some(only), true) => Ok(only),
            (None, _) => Err(EngineError::NoOrganisation),
            (Some(_), false) => Err(EngineError::SeveralOrganisations),
        }
    }

    /// The organisation's zone; a stored name that no longer exists counts as UTC.
    pub(crate) fn zone(organisation: &Organisation) -> TimeZone {
        TimeZone::get(&organisation.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// The organisation's civil day.
    pub(crate) fn today(&self, organisation: &Organisation) -> Date {
        date_in(self.now(), &Self::zone(organisation))
    }
}
