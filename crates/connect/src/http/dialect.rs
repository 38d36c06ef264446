//! What a vendor's answers look like beside their content.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;

use super::answer::Answer;
use super::client::{not_json, not_xml, truncated};
use crate::budget::Rate;
use crate::error::ConnectError;
use crate::xml::{self, NotXml};

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

impl Speech {
    /// Reads a whole answer.
    ///
    /// # Errors
    /// `http.truncated_body`, `http.not_json`, `http.not_xml`.
    pub(crate) fn read(self, body: &[u8]) -> Result<Json, ConnectError> {
        let json = |body: &[u8]| {
            serde_json::from_slice(body).map_err(|error| match error.is_eof() {
                true => truncated(),
                false => not_json(),
            })
        };
        if self == Self::Json {
            return json(body);
        }
        let first = body.iter().position(|byte| !Form::is_blank(*byte));
        let body = first.and_then(|at| body.get(at..)).unwrap_or_default();
        match Form::beginning(body.first().copied()) {
            Form::Json => json(body),
            Form::Xml => xml::parse(body).map_err(|problem| match problem {
                NotXml::Truncated => truncated(),
                NotXml::Other => not_xml(),
            }),
            Form::Unclear => json(body).map_err(|_| not_xml()),
        }
    }
}

/// In which form one answer is written, of a vendor that writes XML: tokens and
/// refusals may be JSON where everything else is XML, and so may whole answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// JSON.
    Json,
    /// XML, or nothing.
    Xml,
    /// Perhaps a single value of JSON; surely no XML.
    Unclear,
}

impl Form {
    /// By the first byte that says something.
    pub(crate) const fn beginning(first: Option<u8>) -> Self {
        match first {
            Some(b'{' | b'[') => Self::Json,
            Some(b'<') | None => Self::Xml,
            Some(_) => Self::Unclear,
        }
    }

    /// Does a byte at the beginning say nothing: a space, or one of the mark of the
    /// byte order?
    pub(crate) const fn is_blank(byte: u8) -> bool {
        byte.is_ascii_whitespace() || matches!(byte, 0xEF | 0xBB | 0xBF)
    }
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
