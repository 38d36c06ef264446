//! A run's hold on its connection.

use std::time::Duration;

use muster_model::{OrganisationId, RunId};
use muster_storage::{Storage, StorageError};
use tokio::task::JoinHandle;

/// How long a run may be silent before another may take its connection over. A
/// process that ended is noticed at once; this is for one that hangs.
pub(crate) const LEASE: Duration = Duration::from_secs(60);
/// How often a run that lives says so.
const BEAT: Duration = Duration::from_secs(15);

/// Says that a run lives, as long as it is kept.
pub(crate) struct Heartbeat(JoinHandle<()>);

impl Heartbeat {
    pub(crate) fn of(storage: &Storage, organisation: OrganisationId, run: RunId) -> Self {
        let storage = storage.clone();
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(BEAT).await;
                match beat(&storage, organisation, run).await {
                    Ok(()) => {}
                    // The run has ended, or was taken over and notices it when it writes.
                    Err(StorageError::LeaseLost { .. }) => return,
                    Err(error) => {
                        tracing::warn!(code = error.code(), "a run cannot say that it lives")
                    }
                }
            }
        }))
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn beat(
    storage: &Storage,
    organisation: OrganisationId,
    run: RunId,
) -> Result<(), StorageError> {
    storage.stay_present().await?;
    let mut transaction = storage.begin(organisation).await?;
    transaction.extend_lease(run, LEASE).await?;
    transaction.commit().await
}
