//! A run's hold on its connection.

use std::time::Duration;

/// How long a run may be silent before another may take its connection over.
pub(crate) const LEASE: Duration = Duration::from_secs(300);
