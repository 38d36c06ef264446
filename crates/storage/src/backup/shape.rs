//! What tables there are: asked of the database, never listed by hand, so that
//! a new table is in every backup.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// How a value is written in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    /// As they are; ids are sixteen of them.
    Bytes,
    /// UTF-8.
    Text,
    /// Eight bytes, the most significant first.
    Number,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) form: Form,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
}

impl Shape {
    /// The name, quoted for SQL.
    pub(crate) fn quoted(&self) -> String {
        quoted(&self.name)
    }

    /// The names of the columns, quoted, with commas.
    pub(crate) fn column_names(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|c| quoted(&c.name)).collect();
        names.join(", ")
    }

    /// Has the table these columns, in whatever order?
    pub(crate) fn has_columns_of(&self, other: &Self) -> bool {
        let set = |shape: &Self| -> BTreeMap<String, Form> {
            let columns = shape.columns.iter();
            columns
                .map(|column| (column.name.clone(), column.form))
                .collect()
        };
        self.name == other.name && set(self) == set(other)
    }
}

/// A name for SQL, whatever is in it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Puts tables in an order in which each comes after those that it refers to.
/// Those that refer to each other in a ring come last, by name.
pub(crate) fn parents_first(
    mut tables: Vec<Shape>,
    references: &BTreeSet<(String, String)>,
) -> Vec<Shape> {
    tables.sort_by(|left, right| left.name.cmp(&right.name));
    let mut ordered: Vec<Shape> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let open: BTreeSet<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        let is_free = |table: &Shape| {
            !references.iter().any(|(child, parent)| {
                *child == table.name && parent != child && open.contains(parent.as_str())
            })
        };
        let (free, rest): (Vec<Shape>, Vec<Shape>) =
            tables.iter().cloned().partition(|table| is_free(table));
        if free.is_empty() {
            ordered.extend(rest);
            break;
        }
        ordered.extend(free);
        tables = rest;
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_referred_to_comes_first_and_a_ring_comes_last() {
        let table = |name: &str| Shape {
            name: name.to_owned(),
            columns: Vec::new(),
        };
        let tables = ["a", "b", "c", "d", "e"].map(table).to_vec();
        let references: BTreeSet<(String, String)> =
            [("a", "c"), ("c", "d"), ("a", "a"), ("b", "e"), ("e", "b")]
                .map(|(child, parent)| (child.to_owned(), parent.to_owned()))
                .into();
        let names: Vec<String> = parents_first(tables, &references)
            .into_iter()
            .map(|table| table.name)
            .collect();
        assert_eq!(names, ["d", "c", "a", "b", "e"]);
    }
}
