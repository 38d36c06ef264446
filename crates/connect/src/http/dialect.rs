//! What a vendor's answers look like beside their content.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::answer::Answer;
use crate::budget::Rate;

/// What a vendor's answers look like beside their content.
#[derive(Clone)]
pub struct Dialect {
    /// Headers with the vendor's id of the request; the first that is there counts.
    pub request_id_headers: Vec<Cow<'static, str>>,
    /// The header with the seconds until throttling ends.
    pub reset_seconds_header: Option<Cow<'static, str>>,
    /// The header with the calls that are left; at none, the next call waits
    /// for the seconds of the header before.
    pub remaining_header: Option<Cow<'static, str>>,
    /// What is sent as `Accept`, and how answers are read.
    pub speaks: Speech,
    /// The limit that the vendor publishes.
    pub(crate) rate: Option<Rate>,
    /// The wait when the vendor throttles without saying how long.
    pub(crate) throttled_wait: Option<Duration>,
    /// What an answer means, where its status alone does not tell.
    pub(crate) judge: Option<Judge>,
}

/// Tells what is to be done about an answer; `None` leaves it to the status.
pub(crate) type Judge = Arc<dyn Fn(&Answer) -> Option<Verdict> + Send + Sync>;

/// How a vendor's answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    /// JSON.
    Json,
    /// XML, read into the same tree.
    Xml,
}

/// What is to be done about an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the answer, of success or refusal.
    Final,
    /// Too many calls: again later.
    Throttled,
    /// The vendor failed: again.
    Failed,
}

impl Dialect {
    /// A vendor that speaks JSON and names its requests by this header.
    #[must_use]
    pub fn json(request_id_header: &'static str) -> Self {
        Self {
            request_id_headers: vec![Cow::Borrowed(request_id_header)],
            reset_seconds_header: None,
            remaining_header: None,
            speaks: Speech::Json,
            rate: None,
            throttled_wait: None,
            judge: None,
        }
    }

    /// With the header of the calls that are left.
    #[must_use]
    pub fn remaining(mut self, header: &'static str) -> Self {
        self.remaining_header = Some(Cow::Borrowed(header));
        self
    }

    /// With the header of the seconds until throttling ends.
    #[must_use]
    pub fn reset_seconds(mut self, header: &'static str) -> Self {
        self.reset_seconds_header = Some(Cow::Borrowed(header));
        self
    }
}
