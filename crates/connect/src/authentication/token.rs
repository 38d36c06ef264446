//! Tokens that are asked for, held and renewed.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan};
use muster_model::Clock;
use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::error::ConnectError;

/// Seconds before its end from which a token is taken for dead: an answer may
/// be that long under way.
const SPARE_SECONDS: i64 = 60;

/// A token.
pub(crate) struct Token {
    /// The token itself.
    pub(super) value: SecretString,
    /// From when it is taken for dead; `None` when only the vendor knows.
    dead_from: Option<Timestamp>,
}

impl Token {
    /// A token that holds so many seconds from now.
    pub(super) fn new(value: SecretString, seconds: Option<i64>, clock: &dyn Clock) -> Self {
        // A short one is used for half its time, rather than never.
        let dead_from = seconds.map(|seconds| {
            let spare = SPARE_SECONDS.min(seconds / 2);
            let now = clock.now();
            now.saturating_add((seconds - spare).max(0).seconds())
                .unwrap_or(now)
        });
        Self { value, dead_from }
    }

    /// A token that is dead from an instant on, which was chosen with time to spare.
    pub(super) const fn until(value: SecretString, dead_from: Timestamp) -> Self {
        Self {
            value,
            dead_from: Some(dead_from),
        }
    }

    fn is_alive(&self, clock: &dyn Clock) -> bool {
        self.dead_from.is_none_or(|dead| clock.now() < dead)
    }
}

/// The one token of a connection: whoever finds it dead asks for another, and
/// everybody else waits for that one.
#[derive(Default)]
pub(super) struct Holder(Mutex<Option<Arc<Token>>>);

impl Holder {
    /// The token, asked for by `ask` when there is none that is alive.
    pub(super) async fn get(
        &self,
        clock: &dyn Clock,
        ask: impl AsyncFnOnce() -> Result<Token, ConnectError>,
    ) -> Result<Arc<Token>, ConnectError> {
        let mut held = self.0.lock().await;
        if let Some(token) = &*held
            && token.is_alive(clock)
        {
            return Ok(token.clone());
        }
        // A failure leaves nothing behind, so the next one asks again.
        *held = None;
        let token = Arc::new(ask().await?);
        *held = Some(token.clone());
        Ok(token)
    }

    /// Drops a token, unless somebody has put another in its place meanwhile.
    pub(super) async fn forget(&self, refused: &Arc<Token>) {
        let mut held = self.0.lock().await;
        if held
            .as_ref()
            .is_some_and(|token| Arc::ptr_eq(token, refused))
        {
            *held = None;
        }
    }
}
