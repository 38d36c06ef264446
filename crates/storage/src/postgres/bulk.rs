//! Loading many rows: COPY, about five times as fast as INSERT.

use std::fmt::Write as _;

use sqlx::AssertSqlSafe;

use super::Session;
use crate::cell::{Cell, Kind, Table};
use crate::cores::at_once;
use crate::error::StorageError;

/// Bytes sent at once.
const CHUNK: usize = 1 << 20;
/// Rows made before they are sent.
const MADE_AT_ONCE: usize = 500;

/// Sees the staged records that say what they said before, and tells of the others:
/// those that are new, say something else, or were in this snapshot before (all parts
/// of the statement look at the table as it was). A record is looked up through
/// the primary key, once: a join is planned badly while the database has no statistics of a
/// connection that was never read, and the offset keeps the lookup from becoming a
/// join. A row that somebody marks at the same instant has moved from its place; then
/// it is told of, and seen like one that says something else.
pub(crate) const SEE_THE_SAME: &str = "WITH same AS (UPDATE source_records AS record \
    SET revision = seen.revision, seen_in = $3 FROM ( \
        SELECT known.ctid AS place, given.external_id, given.revision FROM stage_seen AS given \
        CROSS JOIN LATERAL (SELECT one.ctid, one.digest, one.seen_in FROM source_records AS one \
            WHERE one.organisation_id = $1 AND one.connection_id = $2 \
            AND one.external_id = given.external_id OFFSET 0) AS known \
        WHERE known.digest = given.digest AND known.seen_in <> $3) AS seen \
    WHERE record.ctid = seen.place AND record.organisation_id = $1 AND record.connection_id = $2 \
    RETURNING seen.external_id) \
    SELECT given.external_id, record.seen_in, record.revision, \
    (SELECT body.wrapped_key FROM record_bodies AS body WHERE body.organisation_id = $1 \
        AND body.connection_id = $2 AND body.external_id = given.external_id) \
    FROM stage_seen AS given LEFT JOIN LATERAL (SELECT one.seen_in, one.revision \
        FROM source_records AS one WHERE one.organisation_id = $1 \
        AND one.connection_id = $2 AND one.external_id = given.external_id OFFSET 0) \
    AS record ON TRUE WHERE given.external_id NOT IN (SELECT external_id FROM same)";

/// After [`SEE_THE_SAME`] those that say the same are done.
pub(crate) const THE_SAME_ARE_SEEN: bool = true;

/// Makes an empty stage of this table's columns and loads the rows into it.
/// A stage belongs to the connection and is empty again after the transaction.
pub(crate) async fn stage(
    session: &mut Session,
    table: &Table,
    rows: &[Vec<Cell>],
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
    rows: &[Vec<Cell>],
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
                Kind::Uuid => "UUID",
                Kind::Text => "TEXT COLLATE \"C\"",
                Kind::Number => "BIGINT",
                Kind::Bytes => "BYTEA",
            };
            format!("{name} {kind}")
        })
        .collect();
    let (name, columns) = (table.name, columns.join(", "));
    let create =
        format!("CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DELETE ROWS");
    sqlx::query(AssertSqlSafe(create))
        .execute(&mut *session)
        .await?;
    // By its key, so that whichever side the planner begins with, the other is looked up.
    if let (Some((key, _)), true) = (table.columns.first(), looked_up) {
        let index = format!("CREATE INDEX IF NOT EXISTS {name}_key ON pg_temp.{name} ({key})");
        sqlx::query(AssertSqlSafe(index))
            .execute(&mut *session)
            .await?;
    }
    sqlx::query(AssertSqlSafe(format!("TRUNCATE pg_temp.{name}")))
        .execute(&mut *session)
        .await?;
    Ok(())
}

/// Adds rows to a table that has no such rows yet.
pub(crate) async fn append(
    session: &mut Session,
    table: &Table,
    rows: &[Vec<Cell>],
) -> Result<(), StorageError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut stream = session.copy_in_raw(&copy(table)).await?;
    let mut text = String::new();
    for row in rows {
        write_row(&mut text, row);
        if text.len() >= CHUNK {
            stream.send(text.as_bytes()).await?;
            text.clear();
        }
    }
    stream.send(text.as_bytes()).await?;
    stream.finish().await?;
    Ok(())
}

/// As [`append`], of rows that are made (sealed, written as JSON) while the server
/// stores those before them. A row that cannot be made ends the transaction: what is
/// to be refused is refused before.
pub(crate) async fn append_made<T: Sync>(
    session: &mut Session,
    table: &Table,
    items: &[T],
    make: impl Fn(&T) -> Result<Vec<Cell>, StorageError> + Send + Sync,
) -> Result<(), StorageError> {
    if items.is_empty() {
        return Ok(());
    }
    let mut stream = session.copy_in_raw(&copy(table)).await?;
    let mut text = String::new();
    for items in items.chunks(MADE_AT_ONCE) {
        match at_once(items, &make) {
            Ok(rows) => rows.iter().for_each(|row| write_row(&mut text, row)),
            Err(error) => {
                // The server must not wait for the rest.
                stream.abort("a row could not be made").await?;
                return Err(error);
            }
        }
        stream.send(text.as_bytes()).await?;
        text.clear();
    }
    stream.finish().await?;
    Ok(())
}

fn copy(table: &Table) -> String {
    format!("COPY {} ({}) FROM STDIN", table.name, table.column_names())
}

/// One row in the text format of COPY.
fn write_row(text: &mut String, row: &[Cell]) {
    for (index, cell) in row.iter().enumerate() {
        if index > 0 {
            text.push('\t');
        }
        write_cell(text, cell);
    }
    text.push('\n');
}

/// One value in the text format of COPY.
fn write_cell(text: &mut String, cell: &Cell) {
    // Writing to a text cannot fail.
    match cell {
        Cell::Uuid(None) | Cell::Text(None) | Cell::Number(None) | Cell::Bytes(None) => {
            text.push_str("\\N");
        }
        Cell::Uuid(Some(value)) => {
            let _ = write!(text, "{value}");
        }
        Cell::Number(Some(value)) => {
            let _ = write!(text, "{value}");
        }
        Cell::Bytes(Some(value)) => {
            const DIGITS: [char; 16] = [
                '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
            ];
            text.push_str("\\\\x");
            text.reserve(value.len() * 2);
            for byte in value {
                for half in [byte >> 4, byte & 15] {
                    text.extend(DIGITS.get(usize::from(half)));
                }
            }
        }
        Cell::Text(Some(value)) => {
            for character in value.chars() {
                match character {
                    '\\' => text.push_str("\\\\"),
                    '\n' => text.push_str("\\n"),
                    '\r' => text.push_str("\\r"),
                    '\t' => text.push_str("\\t"),
                    other => text.push(other),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_written_as_copy_reads_them() {
        for (cell, written) in [
            (Cell::from("a\tb\nc\rd\\N"), "a\\tb\\nc\\rd\\\\N"),
            (Cell::Text(None), "\\N"),
            (Cell::from(vec![0_u8, 0xab]), "\\\\x00ab"),
            (Cell::from(-7_i64), "-7"),
        ] {
            let mut text = String::new();
            write_cell(&mut text, &cell);
            assert_eq!(text, written);
        }
    }
}
