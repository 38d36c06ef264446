//! Rows on their way into a table, in the types that both engines store.

use uuid::Uuid;

/// The type of a column of a bulk load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Uuid,
    Text,
    Number,
    Bytes,
}

/// One value of a row; any of them may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Uuid(Option<Uuid>),
    Text(Option<String>),
    Number(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

/// A table that rows are loaded into: a stage, or a table itself. Names are
/// words of this program, never input.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Kind)],
}

impl Table {
    /// The names of the columns, with commas.
    pub(crate) fn column_names(&self) -> String {
        self.columns
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

macro_rules! cell_from {
    ($($from:ty => $variant:ident),+ $(,)?) => {
        $(
            impl From<$from> for Cell {
                fn from(value: $from) -> Self {
                    Self::$variant(Some(value))
                }
            }
            impl From<Option<$from>> for Cell {
                fn from(value: Option<$from>) -> Self {
                    Self::$variant(value)
                }
            }
        )+
    };
}
cell_from!(Uuid => Uuid, String => Text, i64 => Number, Vec<u8> => Bytes);

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}
