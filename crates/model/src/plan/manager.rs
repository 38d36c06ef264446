//! Managers that could not be resolved.

use serde::{Deserialize, Serialize};

use crate::id::ExternalId;

/// A manager statement that names nobody usable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ManagerProblem {
    /// Whose manager.
    pub external_id: ExternalId,
    /// What is wrong.
    pub kind: ManagerProblemKind,
}

/// What can be wrong with a manager (PLE-36).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManagerProblemKind {
    /// Names nobody we know.
    Unresolved,
    /// Names the person.
    Oneself,
    /// Is below the person.
    Cyclic,
}
