//! Answers that are played instead of asked for.

/// Answers requests without a network.
pub(crate) trait Play: Send + Sync {
    /// Status and body of the answer to a request of this method and path.
    fn play(&self, method: &str, path: &str) -> (u16, String);
}
