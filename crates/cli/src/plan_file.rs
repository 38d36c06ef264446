//! A plan as a file: ids, reasons, digests and clear values that are not
//! sensitive, signed; `apply FILE` takes the values from the database by the
//! plan's hash.

use muster_engine::planning::Planned;
use muster_model::{Digest, DigestKey};
use serde::{Deserialize, Serialize};

use crate::plan_table;

/// What `plan --out` writes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PlanFile {
    /// The plan's id in the database.
    pub(crate) plan: String,
    /// The plan's hash.
    pub(crate) hash: Digest,
    /// The rows, for people.
    rows: serde_json::Value,
    /// Keyed digest of everything above: a file that was edited is refused.
    signature: Digest,
}

impl PlanFile {
    /// The file of a plan, signed with the organisation's key.
    pub(crate) fn of(planned: &Planned, key: &DigestKey) -> Self {
        let rows = plan_table::json(planned);
        let plan = planned.id.to_string();
        let hash = planned.plan.hash;
        let signature = Self::signature(&plan, &hash, &rows, key);
        Self {
            plan,
            hash,
            rows,
            signature,
        }
    }

    /// Is the file as it was written?
    pub(crate) fn is_signed(&self, key: &DigestKey) -> bool {
        self.signature == Self::signature(&self.plan, &self.hash, &self.rows, key)
    }

    fn signature(plan: &str, hash: &Digest, rows: &serde_json::Value, key: &DigestKey) -> Digest {
        let mut digester = key.digester("plan file");
        digester.text(plan).digest(hash).text(&rows.to_string());
        digester.finish()
    }
}
