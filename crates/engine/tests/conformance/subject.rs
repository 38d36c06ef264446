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

    /// What this vendor says of everybody, entered or not.
    pub(crate) fn always_says(&self) -> &'static [&'static str] {
        match self.vendor {
            // A tenant numbers every worker.
            Vendor::WorkdaySoap | Vendor::Workday => &["employee_number"],
            // `personIdExternal` is the key of a person, and the number that
            // people write on forms: who was given none is given one.
            Vendor::SapSuccessFactors => &["employee_number"],
            _ => &[],
        }
    }

    /// A connector that is broken in one item: Tripletex, which has all of them.
    pub(crate) fn broken(item: Item) -> Self {
        Self {
            vendor: Vendor::Tripletex,
            defect: Some((item, Arc::default())),
        }
    }
}
