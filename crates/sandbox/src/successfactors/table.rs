//! Lists of rows from which pages are cut, and those that stand still while
//! they are read.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::stage::Listing;

use super::register::Register;
use super::row::{Row, rows_of};

/// How many lists are remembered.
const MOST_TABLES: usize = 32;

/// Rows in their order.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) register: Arc<Register>,
    pub(super) rows: Rows,
}

#[derive(Debug, Clone)]
pub(super) enum Rows {
    /// A row for each person, with what the faults of lists do to it.
    People(Listing),
    /// Employees by their position, with which of their rows it is.
    Of(&'static str, Arc<[(u32, u32)]>),
}

impl Table {
    pub(super) fn len(&self) -> usize {
        match &self.rows {
            Rows::People(listing) => listing.len(),
            Rows::Of(_, rows) => rows.len(),
        }
    }

    /// Hands each row of a part of the list on.
    pub(super) fn each(&self, range: Range<usize>, mut each: impl FnMut(&Register, Row<'_>)) {
        match &self.rows {
            Rows::People(listing) => {
                for shown in listing.rows(range) {
                    each(&self.register, Row::Person(&shown));
                }
            }
            Rows::Of(entity, rows) => {
                for (at, which) in rows.get(range).unwrap_or_default() {
                    let employees = self.register.roster.employees();
                    let found = usize::try_from(*at).ok().and_then(|at| employees.get(at));
                    let row = found.and_then(|employee| {
                        let which = usize::try_from(*which).ok()?;
                        rows_of(entity, employee).get(which).copied()
                    });
                    if let Some(row) = row {
                        each(&self.register, row);
                    }
                }
            }
        }
    }
}

/// What is remembered of lists.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// By what was asked for.
    known: BTreeMap<String, Table>,
    /// Those that stand still, by the number in their tokens.
    still: BTreeMap<u64, Table>,
    given: u64,
}

impl Tables {
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    /// The list of this name of this company; made when it is not known.
    pub(super) fn named(
        &mut self,
        name: &str,
        register: &Arc<Register>,
        make: impl FnOnce() -> Rows,
    ) -> Table {
        if let Some(table) = self.known.get(name)
            && Arc::ptr_eq(&table.register, register)
        {
            return table.clone();
        }
        // Callers choose the names: they must not fill the memory.
        if self.known.len() >= MOST_TABLES {
            self.known.clear();
        }
        let table = Table {
            register: Arc::clone(register),
            rows: make(),
        };
        self.known.insert(name.to_owned(), table.clone());
        table
    }

    /// Keeps a list as it stands; its number.
    pub(super) fn keep(&mut self, table: Table) -> u64 {
        self.given += 1;
        self.still.insert(self.given, table);
        if self.still.len() > MOST_TABLES {
            self.still.pop_first();
        }
        self.given
    }

    /// A list that was kept.
    pub(super) fn kept(&self, number: u64) -> Option<Table> {
        self.still.get(&number).cloned()
    }
}
