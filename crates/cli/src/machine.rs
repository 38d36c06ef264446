//! The one place that asks the machine: what time is it, and something that
//! nobody can guess. Everything below takes these as arguments.

use std::sync::Arc;

use jiff::Timestamp;
use muster_model::id::uuid_v7;
use muster_model::{Clock, IdSource};
use muster_storage::Entropy;
use uuid::Uuid;

/// The machine's clock.
pub(crate) struct MachineClock;

impl Clock for MachineClock {
    #[allow(clippy::disallowed_methods)] // the one place
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The operating system's entropy.
pub(crate) struct MachineEntropy;

impl Entropy for MachineEntropy {
    #[allow(clippy::disallowed_methods)] // the one place
    fn fill(&self, bytes: &mut [u8]) {
        // Without entropy no key may be made, and no work can go on.
        #[allow(clippy::expect_used)]
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// Hashes that nobody can foresee, so that no file can be made to collide in them.
pub(crate) fn unforeseen_hashes() -> std::hash::RandomState {
    std::hash::RandomState::new()
}

/// UUID v7 of a clock and of entropy.
pub(crate) struct Ids {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl IdSource for Ids {
    fn next_uuid(&self) -> Uuid {
        let mut random = [0; 10];
        self.entropy.fill(&mut random);
        let milliseconds = u64::try_from(self.clock.now().as_millisecond()).unwrap_or_default();
        uuid_v7(milliseconds, random)
    }
}
