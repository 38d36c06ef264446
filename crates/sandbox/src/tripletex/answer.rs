//! What a call gives before it goes over the wire.

use crate::stage::CutLength;

/// What a call gives when it is not refused.
#[derive(Debug)]
pub(super) struct Success {
    pub(super) status: u16,
    pub(super) body: Option<String>,
    /// The body stops inside a value.
    pub(super) cut: Option<CutLength>,
    /// The answer waits first.
    pub(super) is_slow: bool,
}

impl Success {
    pub(super) fn of(status: u16, body: String) -> Self {
        Self {
            status,
            body: Some(body),
            cut: None,
            is_slow: false,
        }
    }

    pub(super) fn without_body(status: u16) -> Self {
        Self {
            status,
            body: None,
            cut: None,
            is_slow: false,
        }
    }
}
