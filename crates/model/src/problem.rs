//! A value that could not be read.

use serde::{Deserialize, Serialize};

use crate::field::Field;

/// Why a field counts as absent although the source said something
/// (`engine.md`, Comparing).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// The field.
    pub field: Field,
    /// Stable code, such as `phone.impossible`.
    pub code: String,
    /// What the source said; `None` where the field is sealed.
    pub said: Option<String>,
    /// What is wrong and what to do, in one sentence.
    pub message: String,
}
