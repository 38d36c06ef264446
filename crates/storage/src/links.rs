//! The sealed half of a link.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::{Base, Field, Fields, Link, ReadAs, Said, Swing};
use serde::{Deserialize, Serialize};

/// What of a link is personal data: what was said, and the pairs taken as equal.
#[derive(Serialize, Deserialize)]
pub(crate) struct LinkMemory {
    said: Fields,
    /// Fields that have a base; a side that is in neither map was absent.
    based: BTreeSet<Field>,
    theirs: Fields,
    ours: Fields,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    swings: BTreeMap<Field, Swing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read_as: Option<ReadAs>,
}

/// The memory, taken apart.
pub(crate) struct Parts {
    pub(crate) said: Fields,
    pub(crate) base: BTreeMap<Field, Base>,
    pub(crate) swings: BTreeMap<Field, Swing>,
    pub(crate) read_as: Option<ReadAs>,
}

impl LinkMemory {
    pub(crate) fn of(link: &Link) -> Self {
        let side = |pick: fn(&Base) -> &Said<muster_model::Value>| {
            link.base
                .iter()
                .map(|(field, base)| (*field, pick(base).clone()))
                .collect()
        };
        Self {
            said: link.said.clone(),
            based: link.base.keys().copied().collect(),
            theirs: side(|base| &base.theirs),
            ours: side(|base| &base.ours),
            swings: link.swings.clone(),
            read_as: link.read_as.clone(),
        }
    }

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
