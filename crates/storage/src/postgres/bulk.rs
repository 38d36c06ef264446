//! Loading many rows: COPY, about five times as fast as INSERT, in its binary format:
//! what is sealed would be twice as long in text.

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgCopyIn;

use super::Session;
use crate::cell::{Cell, Kind, Table};
use crate::cores::at_once;
use crate::error::StorageError;

/// Bytes sent at once.
const CHUNK: usize = 1 << 20;
/// Rows made before they are sent.
const MADE_AT_ONCE: usize = 500;
/// Bytes of most rows.
const ROW: usize = 2048;

/// What a load in the binary format begins with: its signature, no flags, nothing more.
const HEADER: [u8; 19] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with: a row of minus one values.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
/// The length of a value that is missing.
const MISSING: i32 = -1;

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
    rows: Vec<Vec<Cell>>,
) -> Result<(), StorageError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut stream = session.copy_in_raw(&copy(table)).await?;
    let mut bytes = HEADER.to_vec();
    for row in rows {
        if let Err(error) = write_row(&mut bytes, &row) {
            return given_up(stream, error).await;
        }
        if bytes.len() >= CHUNK {
            stream.send(bytes.as_slice()).await?;
            bytes.clear();
        }
    }
    bytes.extend_from_slice(&TRAILER);
    stream.send(bytes.as_slice()).await?;
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
    let written = |item: &T| {
        let mut bytes = Vec::with_capacity(ROW);
        write_row(&mut bytes, &make(item)?)?;
        Ok(bytes)
    };
    let mut stream = session.copy_in_raw(&copy(table)).await?;
    let mut bytes = HEADER.to_vec();
    for items in items.chunks(MADE_AT_ONCE) {
        match at_once(items, written) {
            Ok(rows) => rows.iter().for_each(|row| bytes.extend_from_slice(row)),
            Err(error) => return given_up(stream, error).await,
        }
        stream.send(bytes.as_slice()).await?;
        bytes.clear();
    }
    stream.send(TRAILER.as_slice()).await?;
    stream.finish().await?;
    Ok(())
}

/// Ends a load that cannot go on: the server must not wait for the rest.
async fn given_up(stream: PgCopyIn<&mut Session>, error: StorageError) -> Result<(), StorageError> {
    stream.abort("a row could not be made").await?;
    Err(error)
}

fn copy(table: &Table) -> String {
    let (name, columns) = (table.name, table.column_names());
    format!("COPY {name} ({columns}) FROM STDIN (FORMAT binary)")
}

/// One row in the binary format of COPY: how many values, then each behind its length.
fn write_row(bytes: &mut Vec<u8>, row: &[Cell]) -> Result<(), StorageError> {
    let columns = i16::try_from(row.len()).map_err(|_| too_large(row.len()))?;
    bytes.extend_from_slice(&columns.to_be_bytes());
    for cell in row {
        match cell {
            Cell::Uuid(None) | Cell::Text(None) | Cell::Number(None) | Cell::Bytes(None) => {
                bytes.extend_from_slice(&MISSING.to_be_bytes());
            }
            Cell::Uuid(Some(value)) => write_value(bytes, value.as_bytes())?,
            Cell::Number(Some(value)) => write_value(bytes, &value.to_be_bytes())?,
            Cell::Bytes(Some(value)) => write_value(bytes, value)?,
            Cell::Text(Some(value)) => write_value(bytes, value.as_bytes())?,
        }
    }
    Ok(())
}

fn write_value(bytes: &mut Vec<u8>, value: &[u8]) -> Result<(), StorageError> {
    let length = i32::try_from(value.len()).map_err(|_| too_large(value.len()))?;
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(value);
    Ok(())
}

fn too_large(length: usize) -> StorageError {
    StorageError::Number {
        what: "a value's length",
        number: length as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_as_copy_reads_them() {
        let row = [
            Cell::from("a\tæ"),
            Cell::Text(None),
            Cell::from(vec![0_u8, 0xab]),
            Cell::from(-2_i64),
        ];
        let mut bytes = Vec::new();
        write_row(&mut bytes, &row).unwrap();
        let mut expected = vec![0, 4];
        expected.extend([0, 0, 0, 4, b'a', b'\t', 0xc3, 0xa6]);
        expected.extend([0xff; 4]);
        expected.extend([0, 0, 0, 2, 0, 0xab]);
        expected.extend([0, 0, 0, 8]);
        expected.extend([0xff; 7]);
        expected.push(0xfe);
        assert_eq!(bytes, expected);
    }
}
