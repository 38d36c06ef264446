//! Why a source could not be asked, in words that help.

use std::borrow::Cow;
use std::fmt;

use crate::connector::SinkError;

/// What went wrong between Muster and a vendor: a stable code, what was wrong,
/// where, and what to do next. Holds nobody's data and no secret.
#[derive(Debug)]
pub struct ConnectError(Box<Details>);

#[derive(Debug)]
struct Details {
    kind: ErrorKind,
    code: Cow<'static, str>,
    what: String,
    place: Option<Place>,
    next: Cow<'static, str>,
    sink: Option<SinkError>,
}

/// What kind of failure it is: who has to act, and whether time may heal it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A setting or secret is missing or wrong: the administrator has to act.
    Settings,
    /// The vendor refuses the credentials.
    Credentials,
    /// The credentials are good, their rights are not enough.
    Rights,
    /// The vendor refuses this request: ours is wrong, or the vendor changed.
    Refused,
    /// Too many calls.
    Throttled,
    /// Nobody answers: name, network, encryption, time.
    Unreachable,
    /// The vendor failed, or its answer broke off.
    Unavailable,
    /// The answer cannot be understood.
    Answer,
    /// The receiver of the records failed.
    Sink,
}

/// The request that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The method.
    pub method: &'static str,
    /// The path below the base address, without its query.
    pub path: String,
    /// The status, if there was an answer.
    pub status: Option<u16>,
    /// The vendor's id of the request: what its support asks for.
    pub request_id: Option<String>,
}

impl ConnectError {
    /// An error of a kind, with its stable code, what is wrong, and what to do next.
    pub fn new(
        kind: ErrorKind,
        code: impl Into<Cow<'static, str>>,
        what: impl Into<String>,
        next: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Details {
            kind,
            code: code.into(),
            what: what.into(),
            place: None,
            next: next.into(),
            sink: None,
        }))
    }

    /// At a request.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.0.place = Some(place);
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code, such as `http.throttled`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// What was wrong.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// Where, if a request was made.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// What to do next.
    #[must_use]
    pub fn next(&self) -> &str {
        &self.0.next
    }

    /// The receiver's error, when it was the sink that failed.
    #[must_use]
    pub fn into_sink_error(self) -> Option<SinkError> {
        self.0.sink
    }

    /// Could the next page of a list still be read? Not when nobody answers or
    /// everything is refused: only when this one answer was bad.
    #[must_use]
    pub fn is_of_one_answer(&self) -> bool {
        matches!(self.kind(), ErrorKind::Unavailable | ErrorKind::Answer)
    }

    /// Did a body that was under way break off, so that it may come whole another time?
    pub(crate) fn is_broken_body(&self) -> bool {
        matches!(self.kind(), ErrorKind::Unavailable | ErrorKind::Unreachable)
    }

    /// In one line without the advice, for the detail of a doubt.
    #[must_use]
    pub fn in_short(&self) -> String {
        match &self.0.place {
            Some(place) => format!("{} at {place}", self.0.code),
            None => self.0.code.to_string(),
        }
    }
}

impl From<SinkError> for ConnectError {
    fn from(error: SinkError) -> Self {
        let mut wrapped = Self::new(
            ErrorKind::Sink,
            "read.sink",
            "the records that were read could not be kept",
            "see the cause; the source is not at fault",
        );
        wrapped.0.sink = Some(error);
        wrapped
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details {
            code,
            what,
            place,
            next,
            ..
        } = &*self.0;
        write!(formatter, "{code}: {what}")?;
        if let Some(place) = place {
            write!(formatter, " ({place})")?;
        }
        write!(formatter, "; {next}")
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0
            .sink
            .as_ref()
            .map(|error| error as &(dyn std::error::Error + 'static))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.path)?;
        if let Some(status) = self.status {
            write!(formatter, ", status {status}")?;
        }
        if let Some(id) = &self.request_id {
            write!(formatter, ", request {id}")?;
        }
        Ok(())
    }
}
