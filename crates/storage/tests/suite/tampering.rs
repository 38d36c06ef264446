//! Changing what is stored past the repositories, as somebody with the database could.

use muster_storage::Location;

use crate::bench::Bench;

/// The log is made changeable, as somebody with the database could do it.
pub(crate) async fn unlock(bench: &Bench) {
    let statements: &[&str] = match bench.location {
        Location::Directory(_) => &[
            "DROP TRIGGER audit_entries_stay",
            "DROP TRIGGER audit_entries_are_final",
            "DROP TRIGGER audit_details_stay",
            "DROP TRIGGER audit_details_are_final",
        ],
        Location::Url(_) => &[
            "ALTER TABLE audit_entries DISABLE TRIGGER USER",
            "ALTER TABLE audit_details DISABLE TRIGGER USER",
        ],
    };
    for statement in statements {
        bench.raw_execute(statement).await;
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Bytes,
    Text,
    Number,
    Uuid,
}

/// One stored value.
pub(crate) struct Column {
    table: &'static str,
    pub(crate) name: String,
    row: String,
    kind: Kind,
}

impl Column {
    pub(crate) fn new(table: &'static str, name: &str, row: String, kind: Kind) -> Self {
        Self {
            table,
            name: name.to_owned(),
            row,
            kind,
        }
    }

    pub(crate) async fn read(&self, bench: &Bench) -> Vec<u8> {
        let Self {
            table, name, row, ..
        } = self;
        let from = format!("{table} WHERE {row}");
        match (self.kind, &bench.location) {
            (Kind::Number, _) => {
                let numbers = bench
                    .raw_numbers(&format!("SELECT {name} FROM {from}"))
                    .await;
                numbers[0].to_be_bytes().to_vec()
            }
            (Kind::Text, _) => bench.raw_bytes(&text(bench, name, &from)).await.remove(0),
            (Kind::Uuid, Location::Url(_)) => {
                let sql = format!("SELECT uuid_send({name}) FROM {from}");
                bench.raw_bytes(&sql).await.remove(0)
            }
            _ => {
                let sql = format!("SELECT {name} FROM {from}");
                bench.raw_bytes(&sql).await.remove(0)
            }
        }
    }

    pub(crate) async fn write(&self, bench: &Bench, bytes: &[u8]) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let literal = match (self.kind, &bench.location) {
            (Kind::Number, _) => i64::from_be_bytes(bytes.try_into().unwrap()).to_string(),
            (Kind::Text, _) => {
                let text = String::from_utf8(bytes.to_vec()).unwrap();
                format!("'{}'", text.replace('\'', "''"))
            }
            (_, Location::Directory(_)) => format!("x'{hex}'"),
            (Kind::Uuid, _) => format!("'{hex}'::uuid"),
            (Kind::Bytes, _) => format!("'\\x{hex}'::bytea"),
        };
        let Self {
            table, name, row, ..
        } = self;
        bench
            .raw_execute(&format!(
                "UPDATE {table} SET {name} = {literal} WHERE {row}"
            ))
            .await;
    }

    pub(crate) async fn flip(&self, bench: &Bench, bytes: &[u8], byte: usize) {
        let mut changed = bytes.to_vec();
        changed[byte] ^= 1;
        if self.kind == Kind::Text && !changed[byte].is_ascii_graphic() {
            changed[byte] ^= 3;
        }
        self.write(bench, &changed).await;
    }
}

/// A statement that reads a text as bytes.
pub(crate) fn text(bench: &Bench, column: &str, from: &str) -> String {
    match bench.location {
        Location::Directory(_) => format!("SELECT CAST({column} AS BLOB) FROM {from}"),
        Location::Url(_) => format!("SELECT convert_to({column}, 'UTF8') FROM {from}"),
    }
}

/// A statement that reads all that is clear of a table.
pub(crate) fn whole_rows(bench: &Bench, table: &str) -> String {
    let columns = match table {
        "audit_entries" => "cause",
        _ => "kind || ' ' || facts",
    };
    text(bench, &format!("({columns})"), table)
}
