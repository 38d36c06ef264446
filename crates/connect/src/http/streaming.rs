//! An answer whose body is read while it comes.

use std::time::Duration;

use reqwest::header::HeaderMap;

use super::answer::Answer;
use super::client::{timed_out, truncated};
use super::dialect::Speech;
use crate::error::{ConnectError, Place};

/// The wait for the next piece: as long as for a whole answer.
const PIECE_TIMEOUT: Duration = Duration::from_secs(120);

/// What a request came to of which the body is read while it comes.
pub(crate) enum Opened {
    /// A refusal, or an answer that was wanted whole.
    Whole(Box<Answer>),
    /// The body is under way.
    Body(Box<Streaming>),
}

/// A body under way.
pub(crate) struct Streaming {
    /// Of the answer.
    pub(crate) headers: HeaderMap,
    /// Where it comes from.
    pub(crate) place: Place,
    /// How the vendor writes.
    pub(crate) speaks: Speech,
    pub(super) response: reqwest::Response,
}

impl Streaming {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// `http.truncated_body`, `http.timeout`.
    pub(crate) async fn piece(&mut self) -> Result<Option<Vec<u8>>, ConnectError> {
        let piece = tokio::time::timeout(PIECE_TIMEOUT, self.response.chunk()).await;
        let error = match piece {
            Ok(Ok(piece)) => return Ok(piece.map(|bytes| bytes.to_vec())),
            Ok(Err(error)) if !error.is_timeout() => truncated(),
            _ => timed_out(),
        };
        Err(error.at(self.place.clone()))
    }
}
