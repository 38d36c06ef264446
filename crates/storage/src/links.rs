//! The sealed half of a link.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::{Base, Field, Fields, Link, Said};
use serde::{Deserialize, Serialize};

/// What of a link is personal data: what was said, and the pairs taken as equal.
#[derive(Serialize, Deserialize)]
pub(crate) struct LinkMemory {
    said: Fields,
    /// Fields that have a base; a side that is in neither map was absent.
    based: BTreeSet<Field>,
    theirs: Fields,
    ours: Fields,
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
        }
    }

    pub(crate) fn into_parts(self) -> (Fields, BTreeMap<Field, Base>) {
        let Self {
            said,
            based,
            theirs,
            ours,
        } = self;
        let base = based
            .into_iter()
            .map(|field| {
                let theirs = theirs.get(field).map(Clone::clone);
                let ours = ours.get(field).map(Clone::clone);
                (field, Base { theirs, ours })
            })
            .collect();
        (said, base)
    }
}
