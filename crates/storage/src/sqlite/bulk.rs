//! Loading many rows: some hundred in each statement.

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe};

use super::Session;
use crate::cell::{Cell, Kind, Table};
use crate::cores::at_once;
use crate::error::StorageError;

/// Rows in a statement; measured best between 50 and 2,000.
const ROWS: usize = 500;
/// SQLite takes 32,766 parameters in a statement.
const PARAMETERS: usize = 32_000;

/// Tells of the staged records that are new, say something else, or were in this
/// snapshot before: an outer join begins with its left side.
pub(crate) const SEE_THE_SAME: &str = "SELECT seen.external_id, record.seen_in, record.revision, \
    (SELECT body.wrapped_key FROM record_bodies AS body WHERE body.organisation_id = $1 \
        AND body.connection_id = $2 AND body.external_id = seen.external_id) \
    FROM stage_seen AS seen LEFT JOIN source_records AS record \
    ON record.organisation_id = $1 AND record.connection_id = $2 \
    AND record.external_id = seen.external_id \
    WHERE record.digest IS NULL OR record.digest <> seen.digest OR record.seen_in = $3";

/// Those that say the same are seen with the others: one statement that goes through
/// all of them is cheaper here than two.
pub(crate) const THE_SAME_ARE_SEEN: bool = false;

/// Makes an empty stage of this table's columns and loads the rows into it.
/// A stage belongs to the connection and is never written to disk.
pub(crate) async fn stage(
    session: &mut Session,
    table: &Table,
    rows: Vec<Vec<Cell>>,
) -> Result<(), StorageError> {
    empty(&mut *session, table, true).await?;
    append(session, table, rows).await
}

/// As [`stage`], of rows that are made while those before them are loaded.
pub(crate) async fn stage_made<T: Sync>(
    session: &mut Session,
    table: &Table,
    items: &[T],
    make: impl Fn(&T) -> Result<Vec<Cell>, StorageError> + Send + Sync,
) -> Result<(), StorageError> {
    empty(&mut *session, table, true).await?;
    append_made(session, table, items, make).await
}

/// As [`stage`], of rows that nothing looks up: they are only gone through.
pub(crate) async fn stage_to_go_through(
    session: &mut Session,
    table: &Table,
    rows: Vec<Vec<Cell>>,
) -> Result<(), StorageError> {
    empty(&mut *session, table, false).await?;
    append(session, table, rows).await
}

/// An empty stage, looked up by its key or only gone through.
async fn empty(session: &mut Session, table: &Table, looked_up: bool) -> Result<(), StorageError> {
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
    // By its key, so that whichever side the planner begins with, the other is looked
    // up. (It believes that a stage is huge, and begins with the table where it may: so
    // every statement also asks the table for the keys of the stage alone.)
    if let (Some((key, _)), true) = (table.columns.first(), looked_up) {
        let index = format!("CREATE INDEX IF NOT EXISTS temp.{name}_key ON {name} ({key})");
        sqlx::query(AssertSqlSafe(index))
            .execute(&mut *session)
            .await?;
    }
    sqlx::query(AssertSqlSafe(format!("DELETE FROM temp.{name}")))
        .execute(&mut *session)
        .await?;
    Ok(())
}

/// Adds rows to a table that has no such rows yet.
pub(crate) async fn append(
    session: &mut Session,
    table: &Table,
    rows: Vec<Vec<Cell>>,
) -> Result<(), StorageError> {
    let mut rows = rows.into_iter();
    let full = rows_at_once(table);
    let statements = std::iter::from_fn(|| {
        let rows: Vec<_> = rows.by_ref().take(full).collect();
        (!rows.is_empty()).then(|| Statement::new(table, rows))
    });
    run(session, table, statements).await
}

/// As [`append`], of rows that are made (sealed, written as JSON) while those before
/// them are stored: the database has a thread of its own.
pub(crate) async fn append_made<T: Sync>(
    session: &mut Session,
    table: &Table,
    items: &[T],
    make: impl Fn(&T) -> Result<Vec<Cell>, StorageError> + Send + Sync,
) -> Result<(), StorageError> {
    let statements = items
        .chunks(rows_at_once(table))
        .map(|items| Statement::new(table, at_once(items, &make)?));
    run(session, table, statements).await
}

/// Some rows on their way into a table.
struct Statement {
    text: String,
    arguments: SqliteArguments,
    rows: usize,
}

impl Statement {
    /// Not with a builder of queries: the text is the same row again and again, and the
    /// values are moved, not copied.
    fn new(table: &Table, rows: Vec<Vec<Cell>>) -> Result<Self, StorageError> {
        let tuple = format!("({})", vec!["?"; table.columns.len()].join(", "));
        let tuples = vec![tuple.as_str(); rows.len()].join(", ");
        let (name, columns) = (table.name, table.column_names());
        let mut statement = Self {
            text: format!("INSERT INTO {name} ({columns}) VALUES {tuples}"),
            arguments: SqliteArguments::default(),
            rows: rows.len(),
        };
        let arguments = &mut statement.arguments;
        arguments.reserve(rows.len() * table.columns.len(), 0);
        for cell in rows.into_iter().flatten() {
            match cell {
                Cell::Uuid(value) => arguments.add(value),
                Cell::Text(value) => arguments.add(value),
                Cell::Number(value) => arguments.add(value),
                Cell::Bytes(value) => arguments.add(value),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        Ok(statement)
    }
}

/// Executes statements, each while the one after it is made.
async fn run(
    session: &mut Session,
    table: &Table,
    mut statements: impl Iterator<Item = Result<Statement, StorageError>>,
) -> Result<(), StorageError> {
    let full = rows_at_once(table);
    let mut next = statements.next().transpose()?;
    while let Some(statement) = next {
        // Statements of the full length come again; the last one of a load does not.
        let query = sqlx::query_with(AssertSqlSafe(statement.text), statement.arguments)
            .persistent(statement.rows == full);
        let (done, following) = tokio::join!(
            biased;
            query.execute(&mut *session),
            async { statements.next().transpose() },
        );
        done?;
        next = following?;
    }
    Ok(())
}

fn rows_at_once(table: &Table) -> usize {
    (PARAMETERS / table.columns.len().max(1)).min(ROWS)
}
