//! Why a row is what it is.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Why: a stable code, and words without anybody's data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reason {
    /// Stable.
    pub code: Cow<'static, str>,
    /// Field names, ids, counts and dates; never a value.
    pub detail: String,
}

impl Reason {
    /// The code of differences about which somebody decided: left alone until
    /// one of the two values moves.
    pub const DECIDED: &'static str = "compare.decided";

    /// The code of records that are older than the one known.
    pub const OLDER: &'static str = "trust.older_record";
    /// The code of fields that go back and forth.
    pub const FROZEN: &'static str = "compare.frozen";
    /// The code of records that an undo set aside: nobody is made of them until
    /// they say something else.
    pub const DECLINED: &'static str = "decide.declined";

    /// The code of every row that takes back what a run did.
    pub const UNDONE: &'static str = "undo.reverted";

    /// The code of records of which a person said who they are.
    pub const MATCH_DECIDED: &'static str = "match.decided";

    /// The code of rows whose record is read by another mapping than before.
    pub const REMAPPED: &'static str = "mapping.changed";

    /// A reason.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code: Cow::Borrowed(code),
            detail: detail.into(),
        }
    }
}
