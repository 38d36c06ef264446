//! Trees that are made of a row and of what was joined to it.
//!
//! Rows that hold from a day on, a list of addresses by use: what one field
//! after the other would look for again is found once and has a name. A tree
//! may depend on the day, so it is no part of the vendor's words.

use serde_json::Value as Json;

use super::compiling::Compiling;
use crate::expression::{Expression, Scope};
use crate::manifest::Path;

/// How one is made.
pub(super) struct Derived {
    pub(super) name: String,
    pub(super) made: Expression,
}

/// Compiles those of a manifest; each sees the row and the joined lists.
pub(super) fn compile(compiling: &mut Compiling<'_>, joins: &[&str]) -> Vec<Derived> {
    let manifest = compiling.manifest();
    let mut variables = vec!["row", "setting", "today"];
    variables.extend(joins);
    let mut all = Vec::new();
    for (name, text) in &manifest.derived {
        let path = Path::default().name("derived").name(name);
        compiling.tree_name(&path, name);
        if joins.contains(&name.as_str()) {
            let message = format!("there is a joined list `{name}` already");
            compiling.flaw(&path, "manifest.name_twice", message);
        }
        if let Some(made) = compiling.expression(&path, text, &variables) {
            let name = name.clone();
            all.push(Derived { name, made });
        }
    }
    all
}

impl Derived {
    /// The tree; an error when it cannot be made.
    pub(super) fn of(&self, scope: &Scope<'_>) -> Result<Json, ()> {
        self.made.run(scope).map_err(|fault| {
            tracing::debug!(tree = self.name, why = fault.words(), "a tree is not made");
        })
    }
}
