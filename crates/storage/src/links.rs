//! The sealed half of a link.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::fields::serialize_said;
use muster_model::{Base, Field, Fields, Link, ReadAs, Said, Swing, Value};
use serde::{Deserialize, Serialize, Serializer};

/// What of a link is personal data: what was said, and the pairs taken as equal.
#[derive(Deserialize)]
pub(crate) struct LinkMemory {
    said: Fields,
    /// Fields that have a base; a side that is in neither map was absent.
    based: BTreeSet<Field>,
    theirs: Fields,
    ours: Fields,
    #[serde(default)]
    swings: BTreeMap<Field, Swing>,
    #[serde(default)]
    read_as: Option<ReadAs>,
}

/// The same on its way in, where everything stands in the link.
#[derive(Serialize)]
pub(crate) struct LinkMemoryOf<'a> {
    said: &'a Fields,
    based: Vec<Field>,
    theirs: Side<'a>,
    ours: Side<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    swings: &'a BTreeMap<Field, Swing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_as: Option<&'a ReadAs>,
}

/// One side of the pairs, written as [`Fields`] are.
struct Side<'a> {
    base: &'a BTreeMap<Field, Base>,
    of: fn(&Base) -> &Said<Value>,
}

/// The memory, taken apart.
pub(crate) struct Parts {
    pub(crate) said: Fields,
    pub(crate) base: BTreeMap<Field, Base>,
    pub(crate) swings: BTreeMap<Field, Swing>,
    pub(crate) read_as: Option<ReadAs>,
}

impl<'a> LinkMemoryOf<'a> {
    pub(crate) fn new(link: &'a Link) -> Self {
        let side = |of| Side {
            base: &link.base,
            of,
        };
        Self {
            said: &link.said,
            based: link.base.keys().copied().collect(),
            theirs: side(|base| &base.theirs),
            ours: side(|base| &base.ours),
            swings: &link.swings,
            read_as: link.read_as.as_ref(),
        }
    }
}

impl Serialize for Side<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let said = (self.base)
            .iter()
            .map(|(field, base)| (*field, (self.of)(base).as_ref()));
        serialize_said(said, serializer)
    }
}

impl LinkMemory {
    pub(crate) fn into_parts(self) -> Parts {
        let Self {
            said,
            based,
            theirs,
            ours,
            swings,
            read_as,
        } = self;
        let base = based
            .into_iter()
            .map(|field| {
                let theirs = theirs.get(field).map(Clone::clone);
                let ours = ours.get(field).map(Clone::clone);
                (field, Base { theirs, ours })
            })
            .collect();
        Parts {
            said,
            base,
            swings,
            read_as,
        }
    }
}
