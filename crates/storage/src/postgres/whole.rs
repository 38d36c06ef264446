//! The whole database at once, for backup and restore: what tables there are,
//! their rows out and in. Bound to no organisation, because a backup is of the
//! installation.

use std::collections::BTreeSet;

use futures::TryStreamExt as _;
use sqlx::AssertSqlSafe;
use tokio::sync::mpsc::Sender;

use super::{Db, Session};
use crate::backup::shape::{Column, Form, Shape, parents_first, quoted};
use crate::backup::tuple::{BLOCK, Parsed, parse};
use crate::error::StorageError;
use crate::stored::damaged;

/// What a stream of COPY in its binary format begins with: the signature, no
/// flags, no extension.
const SIGNATURE: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

const COLUMNS: &str = "SELECT CAST(t.relname AS text), CAST(c.attname AS text), \
    CAST(k.typname AS text) FROM pg_class AS t \
    JOIN pg_attribute AS c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped \
    AND c.attgenerated = '' JOIN pg_type AS k ON k.oid = c.atttypid \
    WHERE t.relkind IN ('r', 'p') AND NOT t.relispartition \
    AND t.relnamespace = CAST(current_schema() AS regnamespace) \
    AND t.relname <> '_sqlx_migrations' ORDER BY t.relname, c.attnum";
const REFERENCES: &str = "SELECT DISTINCT CAST(child.relname AS text), CAST(parent.relname AS text) \
    FROM pg_constraint AS f JOIN pg_class AS child ON child.oid = f.conrelid \
    JOIN pg_class AS parent ON parent.oid = f.confrelid WHERE f.contype = 'f' \
    AND child.relnamespace = CAST(current_schema() AS regnamespace)";
/// Functions of triggers; those of extensions are none of ours.
const ROUTINES: &str = "SELECT CAST(CAST(p.oid AS regprocedure) AS text) FROM pg_proc AS p \
    WHERE p.pronamespace = CAST(current_schema() AS regnamespace) AND NOT EXISTS ( \
        SELECT 1 FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')";
const FAULTS: &str = "SELECT 'the index ' || CAST(i.relname AS text) || ' is not valid' \
    FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid \
    WHERE NOT x.indisvalid AND i.relnamespace = CAST(current_schema() AS regnamespace) \
    UNION ALL SELECT 'the constraint ' || CAST(c.conname AS text) || ' is not validated' \
    FROM pg_constraint AS c WHERE NOT c.convalidated \
    AND c.connamespace = CAST(current_schema() AS regnamespace)";

/// The word of this engine in a backup.
pub(crate) const ENGINE: &str = "postgresql";

/// All tables, each after those that it refers to.
pub(crate) async fn tables(session: &mut Session) -> Result<Vec<Shape>, StorageError> {
    let mut tables: Vec<Shape> = Vec::new();
    for (table, column, kind) in sqlx::query_as::<Db, (String, String, String)>(COLUMNS)
        .fetch_all(&mut *session)
        .await?
    {
        let form = match kind.as_str() {
            "uuid" | "bytea" => Form::Bytes,
            "text" => Form::Text,
            "int8" => Form::Number,
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
    let nonsense = || damaged("the stream of COPY", "not in its format");
    let copy = format!(
        "COPY {} ({}) TO STDOUT (FORMAT binary)",
        table.quoted(),
        table.column_names()
    );
    let mut stream = session.copy_out_raw(&copy).await?;
    let mut bytes: Vec<u8> = Vec::with_capacity(BLOCK + BLOCK / 4);
    let mut begun = false;
    let mut ended = false;
    // How much of the bytes are whole rows.
    let mut whole = 0;
    while let Some(more) = stream.try_next().await? {
        bytes.extend_from_slice(&more);
        if !begun {
            if bytes.len() < SIGNATURE.len() {
                continue;
            }
            bytes = bytes.strip_prefix(SIGNATURE).ok_or_else(nonsense)?.to_vec();
            begun = true;
        }
        loop {
            match parse(bytes.get(whole..).unwrap_or_default()) {
                Parsed::Row(_, length) => whole += length,
                Parsed::Cut => break,
                Parsed::End => {
                    ended = true;
                    break;
                }
                Parsed::Nonsense => return Err(nonsense()),
            }
        }
        if whole >= BLOCK {
            let rest = bytes.split_off(whole);
            whole = 0;
            if blocks
                .send(std::mem::replace(&mut bytes, rest))
                .await
                .is_err()
            {
                return Ok(());
            }
        }
    }
    if !ended {
        return Err(nonsense());
    }
    bytes.truncate(whole);
    if !bytes.is_empty() {
        // Nobody receives any more: then nobody wants it either.
        let _ = blocks.send(bytes).await;
    }
    Ok(())
}

/// Adds a block of rows to a table.
pub(crate) async fn load(
    session: &mut Session,
    table: &Shape,
    block: &[u8],
) -> Result<(), StorageError> {
    let copy = format!(
        "COPY {} ({}) FROM STDIN (FORMAT binary)",
        table.quoted(),
        table.column_names()
    );
    let mut stream = session.copy_in_raw(&copy).await?;
    stream.send(SIGNATURE.as_slice()).await?;
    stream.send(block).await?;
    stream.send(TRAILER.as_slice()).await?;
    stream.finish().await?;
    Ok(())
}

/// Takes away all tables, with what hangs on them.
pub(crate) async fn clear(session: &mut Session) -> Result<(), StorageError> {
    for table in tables(&mut *session).await?.iter().rev() {
        let drop = format!("DROP TABLE {} CASCADE", table.quoted());
        sqlx::query(AssertSqlSafe(drop))
            .execute(&mut *session)
            .await?;
    }
    let routines: Vec<String> = sqlx::query_scalar(ROUTINES)
        .fetch_all(&mut *session)
        .await?;
    for routine in routines {
        let drop = format!("DROP ROUTINE {routine} CASCADE");
        sqlx::query(AssertSqlSafe(drop))
            .execute(&mut *session)
            .await?;
    }
    sqlx::query("DROP TABLE IF EXISTS _sqlx_migrations")
        .execute(session)
        .await?;
    Ok(())
}

/// Before rows are loaded: the order of tables is enough.
#[allow(clippy::unused_async)] // as its sibling
pub(crate) async fn prepare(_session: &mut Session) -> Result<(), StorageError> {
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
    let exists: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *session)
        .await?;
    if !exists {
        return Ok(Vec::new());
    }
    Ok(
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
            .fetch_all(session)
            .await?,
    )
}

/// What is wrong with the database itself; names of indexes and constraints only.
pub(crate) async fn faults(session: &mut Session) -> Result<Vec<String>, StorageError> {
    Ok(sqlx::query_scalar(FAULTS).fetch_all(session).await?)
}

/// Lets the planner know how much there is.
pub(crate) async fn analyse(session: &mut Session) -> Result<(), StorageError> {
    for table in tables(&mut *session).await? {
        let analyse = format!("ANALYZE {}", quoted(&table.name));
        sqlx::query(AssertSqlSafe(analyse))
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}
