//! Time and entropy for the engine that is measured.

use std::sync::Arc;

use jiff::Timestamp;
use muster_model::id::uuid_v7;
use muster_model::{Clock, IdSource};
use muster_storage::Entropy;
use uuid::Uuid;

pub(crate) struct MachineClock;

impl Clock for MachineClock {
    #[allow(clippy::disallowed_methods)] // as in the binary
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

pub(crate) struct MachineEntropy;

impl Entropy for MachineEntropy {
    #[allow(clippy::disallowed_methods, clippy::expect_used)] // as in the binary
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

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
