//! The whole database at once, for backup and restore: what tables there are,
//! their rows out and in. Bound to no organisation, because a backup is of the
//! installation.

use std::collections::BTreeSet;

use futures::TryStreamExt as _;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _, SqlSafeStr as _};
use tokio::sync::mpsc::Sender;

use super::{Db, Session};
use crate::backup::shape::{Column, Form, Shape, parents_first};
use crate::backup::tuple::{BLOCK, Parsed, begin_row, parse, push_value};
use crate::error::StorageError;
use crate::stored::damaged;

/// Rows in a statement.
const ROWS: usize = 500;
/// SQLite takes 32,766 parameters in a statement.
const PARAMETERS: usize = 32_000;

const COLUMNS: &str = "SELECT t.name, c.name, c.type FROM sqlite_schema AS t \
    JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table' \
    AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND t.name <> '_sqlx_migrations' \
    ORDER BY t.name, c.cid";
const REFERENCES: &str = "SELECT DISTINCT t.name, f.\"table\" FROM sqlite_schema AS t \
    JOIN pragma_foreign_key_list(t.name) AS f WHERE t.type = 'table'";

/// The word of this engine in a backup.
pub(crate) const ENGINE: &str = "sqlite";

/// All tables, each after those that it refers to.
pub(crate) async fn tables(session: &mut Session) -> Result<Vec<Shape>, StorageError> {
    let mut tables: Vec<Shape> = Vec::new();
    for (table, column, kind) in sqlx::query_as::<Db, (String, String, String)>(COLUMNS)
        .fetch_all(&mut *session)
        .await?
    {
        let form = match kind.as_str() {
            "BLOB" => Form::Bytes,
            "TEXT" => Form::Text,
            "INTEGER" => Form::Number,
            _ => {
                return Err(damaged(
                    "a column's type",
                    format!("{table}.{column} is {kind}"),
                ));
            }
        };
        let column = Column { name: column, form };
        match tables.last_mut().filter(|last| last.name == table) {
            Some(last) => last.columns.push(column),
            None => tables.push(Shape {
                name: table,
                columns: vec![column],
            }),
        }
    }
    let references: BTreeSet<(String, String)> = sqlx::query_as::<Db, (String, String)>(REFERENCES)
        .fetch_all(session)
        .await?
        .into_iter()
        .collect();
    Ok(parents_first(tables, &references))
}

/// Gives the rows of a table away in blocks. The receiver stops it by going.
pub(crate) async fn dump(
    session: &mut Session,
    table: &Shape,
    blocks: &Sender<Vec<u8>>,
) -> Result<(), StorageError> {
    let select = format!("SELECT {} FROM {}", table.column_names(), table.quoted());
    let mut rows = sqlx::query(AssertSqlSafe(select).into_sql_str())
        .persistent(false)
        .fetch(session);
    let mut block = Vec::with_capacity(BLOCK + BLOCK / 4);
    while let Some(row) = rows.try_next().await? {
        write_row(&mut block, table, &row)?;
        if block.len() >= BLOCK {
            let full = std::mem::replace(&mut block, Vec::with_capacity(BLOCK + BLOCK / 4));
            if blocks.send(full).await.is_err() {
                return Ok(());
            }
        }
    }
    if !block.is_empty() {
        // Nobody receives any more: then nobody wants it either.
        let _ = blocks.send(block).await;
    }
    Ok(())
}

fn write_row(block: &mut Vec<u8>, table: &Shape, row: &SqliteRow) -> Result<(), StorageError> {
    begin_row(block, table.columns.len());
    for (at, column) in table.columns.iter().enumerate() {
        match column.form {
            Form::Bytes => push_value(block, row.try_get::<Option<&[u8]>, _>(at)?),
            Form::Text => {
                let text: Option<&str> = row.try_get(at)?;
                push_value(block, text.map(str::as_bytes));
            }
            Form::Number => {
                let number: Option<i64> = row.try_get(at)?;
                let bytes = number.map(i64::to_be_bytes);
                push_value(block, bytes.as_ref().map(<[u8; 8]>::as_slice));
            }
        }
    }
    Ok(())
}

/// Adds a block of rows to a table.
pub(crate) async fn load(
    session: &mut Session,
    table: &Shape,
    block: &[u8],
) -> Result<(), StorageError> {
    let insert = format!("INSERT INTO {} ({}) ", table.quoted(), table.column_names());
    let at_once = (PARAMETERS / table.columns.len().max(1)).min(ROWS);
    let mut rest = block;
    while !rest.is_empty() {
        let mut rows = Vec::with_capacity(at_once);
        while rows.len() < at_once && !rest.is_empty() {
            let Parsed::Row(values, length) = parse(rest) else {
                return Err(damaged("a row of a backup", "it is not whole"));
            };
            if values.len() != table.columns.len() {
                return Err(damaged("a row of a backup", "it has other columns"));
            }
            rows.push(values);
            rest = rest.get(length..).unwrap_or_default();
        }
        let mut unreadable = false;
        let mut query = QueryBuilder::<Db>::new(insert.as_str());
        let full = rows.len() == at_once;
        query.push_values(rows, |mut tuple, values| {
            for (value, column) in values.into_iter().zip(&table.columns) {
                match column.form {
                    Form::Bytes => tuple.push_bind(value.map(<[u8]>::to_vec)),
                    Form::Text => {
                        let text = value.map(|bytes| std::str::from_utf8(bytes).map(str::to_owned));
                        unreadable |= matches!(text, Some(Err(_)));
                        tuple.push_bind(text.and_then(Result::ok))
                    }
                    Form::Number => {
                        let number = value.map(<[u8; 8]>::try_from);
                        unreadable |= matches!(number, Some(Err(_)));
                        tuple.push_bind(number.and_then(Result::ok).map(i64::from_be_bytes))
                    }
                };
            }
        });
        if unreadable {
            return Err(damaged("a row of a backup", "a value is not of its column"));
        }
        query
            .build()
            .persistent(full)
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}

/// Takes away all tables, with what hangs on them.
pub(crate) async fn clear(session: &mut Session) -> Result<(), StorageError> {
    sqlx::query("PRAGMA defer_foreign_keys = ON")
        .execute(&mut *session)
        .await?;
    for table in tables(&mut *session).await?.iter().rev() {
        let drop = format!("DROP TABLE {}", table.quoted());
        sqlx::query(AssertSqlSafe(drop))
            .execute(&mut *session)
            .await?;
    }
    sqlx::query("DROP TABLE IF EXISTS _sqlx_migrations")
        .execute(session)
        .await?;
    Ok(())
}

/// Before rows are loaded: references are looked at when everything is there.
pub(crate) async fn prepare(session: &mut Session) -> Result<(), StorageError> {
    sqlx::query("PRAGMA defer_foreign_keys = ON")
        .execute(session)
        .await?;
    Ok(())
}

/// Takes away the rows of a table, if there are any: some tables refuse it at all.
pub(crate) async fn empty(session: &mut Session, table: &Shape) -> Result<(), StorageError> {
    let count = format!("SELECT count(*) FROM {}", table.quoted());
    let rows: i64 = sqlx::query_scalar(AssertSqlSafe(count))
        .fetch_one(&mut *session)
        .await?;
    if rows == 0 {
        return Ok(());
    }
    let delete = format!("DELETE FROM {}", table.quoted());
    sqlx::query(AssertSqlSafe(delete)).execute(session).await?;
    Ok(())
}

/// Which migrations the database has; none if it has no tables yet.
pub(crate) async fn schema(session: &mut Session) -> Result<Vec<i64>, StorageError> {
    let exists: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'")
            .fetch_one(&mut *session)
            .await?;
    if exists == 0 {
        return Ok(Vec::new());
    }
    Ok(
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
            .fetch_all(session)
            .await?,
    )
}

/// What is wrong with the file itself, in the engine's words; they name tables and
/// pages, never a value.
pub(crate) async fn faults(session: &mut Session) -> Result<Vec<String>, StorageError> {
    let mut faults: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(20)")
        .fetch_all(&mut *session)
        .await?;
    faults.retain(|fault| fault != "ok");
    let orphans = sqlx::query("PRAGMA foreign_key_check")
        .fetch_all(session)
        .await?;
    for row in orphans.iter().take(20) {
        let (child, parent): (String, String) = (row.try_get(0)?, row.try_get(2)?);
        faults.push(format!(
            "a row of {child} refers to a row of {parent} that is not there"
        ));
    }
    Ok(faults)
}

/// Lets the planner know how much there is.
pub(crate) async fn analyse(session: &mut Session) -> Result<(), StorageError> {
    sqlx::query("ANALYZE").execute(session).await?;
    Ok(())
}
