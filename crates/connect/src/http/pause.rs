//! Waiting that a test can skip.

use std::time::Duration;

use async_trait::async_trait;

/// How to wait between two tries.
#[async_trait]
pub trait Pause: Send + Sync {
    /// Waits.
    async fn pause(&self, duration: Duration);
}

/// Waits by the runtime's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioPause;

#[async_trait]
impl Pause for TokioPause {
    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
