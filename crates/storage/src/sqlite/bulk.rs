//! Loading many rows: some hundred in each statement.

use sqlx::{AssertSqlSafe, QueryBuilder};

use super::{Db, Session};
use crate::cell::{Cell, Kind, Table};
use crate::error::StorageError;

/// Rows in a statement; measured best between 50 and 2,000.
const ROWS: usize = 500;
/// SQLite takes 32,766 parameters in a statement.
const PARAMETERS: usize = 32_000;

/// Makes an empty stage of this table's columns and loads the rows into it.
/// A stage belongs to the connection and is never written to disk.
pub(crate) async fn stage(
    session: &mut Session,
    table: &Table,
    rows: &[Vec<Cell>],
) -> Result<(), StorageError> {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|(name, kind)| {
            let kind = match kind {
                Kind::Uuid | Kind::Bytes => "BLOB",
                Kind::Text => "TEXT",
                Kind::Number => "INTEGER",
            };
            format!("{name} {kind}")
        })
        .collect();
    let (name, columns) = (table.name, columns.join(", "));
    let create = format!("CREATE TEMP TABLE IF NOT EXISTS {name} ({columns}) STRICT");
    sqlx::query(AssertSqlSafe(create))
        .execute(&mut *session)
        .await?;
    // By its key, so that whichever side the planner begins with, the other is looked up.
    if let Some((key, _)) = table.columns.first() {
        let index = format!("CREATE INDEX IF NOT EXISTS temp.{name}_key ON {name} ({key})");
        sqlx::query(AssertSqlSafe(index))
            .execute(&mut *session)
            .await?;
    }
    sqlx::query(AssertSqlSafe(format!("DELETE FROM temp.{name}")))
        .execute(&mut *session)
        .await?;
    append(session, table, rows).await
}

/// Adds rows to a table that has no such rows yet.
pub(crate) async fn append(
    session: &mut Session,
    table: &Table,
    rows: &[Vec<Cell>],
) -> Result<(), StorageError> {
    let insert = format!("INSERT INTO {} ({}) ", table.name, table.column_names());
    let at_once = (PARAMETERS / table.columns.len().max(1)).min(ROWS);
    for rows in rows.chunks(at_once) {
        let mut query = QueryBuilder::<Db>::new(insert.as_str());
        query.push_values(rows, |mut tuple, row| {
            for cell in row {
                match cell {
                    Cell::Uuid(value) => tuple.push_bind(*value),
                    Cell::Text(value) => tuple.push_bind(value.clone()),
                    Cell::Number(value) => tuple.push_bind(*value),
                    Cell::Bytes(value) => tuple.push_bind(value.clone()),
                };
            }
        });
        // Statements of the full length come again; the last one of a load does not.
        let full = rows.len() == at_once;
        query
            .build()
            .persistent(full)
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}
