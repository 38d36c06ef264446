//! What every template of a connection can use.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use muster_model::Clock;
use muster_model::time::date_in;
use serde_json::Value as Json;

use crate::expression::Scope;

/// Settings, the host and the time, as trees.
#[derive(Clone)]
pub(crate) struct General {
    settings: Json,
    host: Json,
    today: Json,
    now: Json,
    seconds: Json,
}

impl General {
    /// As of now.
    pub(crate) fn now(settings: &Json, host: &str, clock: &dyn Clock) -> Self {
        let now = clock.now();
        let whole = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Self {
            settings: settings.clone(),
            host: Json::String(host.to_owned()),
            today: Json::String(date_in(now, &TimeZone::UTC).to_string()),
            now: Json::String(whole.to_string()),
            seconds: Json::from(now.as_second()),
        }
    }

    /// With another day than the clock's in UTC: the organisation's.
    pub(crate) fn on(mut self, today: jiff::civil::Date) -> Self {
        self.today = Json::String(today.to_string());
        self
    }

    /// As variables.
    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope::new()
            .with("setting", &self.settings)
            .with("host", &self.host)
            .with("today", &self.today)
            .with("now", &self.now)
            .with("seconds", &self.seconds)
    }
}
