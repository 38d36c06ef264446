//! What a person let through.

use muster_model::{ExternalId, HoldKind, PlanId};

/// A hold that somebody released, until it is taken back or used up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldRelease {
    /// Which kind.
    pub kind: HoldKind,
    /// One record's rows, or, when `None`, every row of the kind.
    pub external_id: Option<ExternalId>,
    /// In which plan it was seen and released.
    pub plan: PlanId,
}
