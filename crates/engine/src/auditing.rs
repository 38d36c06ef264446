//! The audit log, for whoever asks whether it is whole.

use muster_storage::{AuditFindings, AuditHead, Organisation};

use crate::engine::Engine;
use crate::error::EngineError;

impl Engine {
    /// Verifies an organisation's audit log and what it speaks of; `head` is one
    /// that a run report printed and somebody kept elsewhere.
    ///
    /// # Errors
    /// When the storage fails. What is wrong with the log is a finding.
    pub async fn verify_audit(
        &self,
        organisation: &Organisation,
        head: Option<AuditHead>,
    ) -> Result<AuditFindings, EngineError> {
        let mut reader = self.storage.read(organisation.id).await?;
        Ok(reader.verify_audit(head).await?)
    }

    /// All organisations, by name.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn organisations(&self) -> Result<Vec<Organisation>, EngineError> {
        Ok(self.storage.organisations().await?)
    }
}
