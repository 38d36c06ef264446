//! A connector as the kit takes it.

use std::sync::Arc;

use muster_sandbox::Vendor;

use crate::broken::Memory;
use crate::item::Item;

/// A connector, whole or broken.
pub(crate) struct Subject {
    /// Whose simulator it speaks to, under whose name it stands in the catalogue.
    pub(crate) vendor: Vendor,
    /// In what it is broken, with what it remembers.
    pub(crate) defect: Option<(Item, Arc<Memory>)>,
}

impl Subject {
    /// The connector of a vendor.
    pub(crate) fn of(vendor: Vendor) -> Self {
        Self {
            vendor,
            defect: None,
        }
    }

    /// Does the vendor give everybody an employee number, whether one was entered or
    /// not? Then nobody can be shown without one.
    pub(crate) fn numbers_everybody(&self) -> bool {
        matches!(
            self.vendor,
            // In Workday it is the worker's id; in SuccessFactors `personIdExternal`,
            // the key of a person and the number that stands on forms.
            Vendor::WorkdaySoap | Vendor::Workday | Vendor::SapSuccessFactors
        )
    }

    /// A connector that is broken in one item: Tripletex, which has all of them.
    pub(crate) fn broken(item: Item) -> Self {
        Self {
            vendor: Vendor::Tripletex,
            defect: Some((item, Arc::default())),
        }
    }
}
