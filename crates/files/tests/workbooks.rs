//! Workbooks: cells as a person would type them, and what is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what supports a test may panic, like the test"
)]

#[path = "support/workbook.rs"]
mod workbook;

use muster_files::{FileError, ReadOptions, TableReader};
use workbook::{Cell, archive, workbook};

fn read(bytes: Vec<u8>) -> Result<Vec<Vec<String>>, FileError> {
    let mut reader = TableReader::from_reader(
        Box::new(std::io::Cursor::new(bytes)),
        &ReadOptions::default(),
    )?;
    let mut rows = vec![reader.columns().to_vec()];
    while let Some(block) = reader.next_block()? {
        for row in block.rows() {
            rows.push(row.cells().map(|cell| cell.text().into_owned()).collect());
        }
    }
    Ok(rows)
}

#[test]
fn cells_are_what_a_person_would_type() {
    let rows = read(workbook(&[
        vec![
            Cell::Text("number"),
            Cell::Text("hired"),
            Cell::Text("name"),
            Cell::Text("share"),
        ],
        vec![
            Cell::Number("1001"),
            Cell::Day(45_688),
            Cell::Text("Åse, &quot;Åse&quot;"),
            Cell::Number("37.5"),
        ],
        vec![],
        vec![
            Cell::Number("1002.0"),
            Cell::Nothing,
            Cell::Text("two\nlines"),
        ],
    ]))
    .unwrap();
    assert_eq!(
        rows,
        [
            ["number", "hired", "name", "share"],
            ["1001", "2025-01-31", "Åse, \"Åse\"", "37.5"],
            ["1002", "", "two\nlines", ""],
        ]
    );
}

#[test]
fn a_workbook_that_is_none_or_too_long_a_row_is_refused() {
    let code = |bytes| read(bytes).unwrap_err().code();
    assert_eq!(code(workbook(&[])), "files.no_sheet");
    assert_eq!(code(archive(&[("a.txt", "hello")])), "files.xlsx");
    let long = read(workbook(&[
        vec![Cell::Text("a")],
        vec![Cell::Text("1")],
        vec![Cell::Text("2"), Cell::Nothing, Cell::Text("3")],
    ]))
    .unwrap_err();
    let place = long.place.unwrap();
    assert_eq!(
        (long.code(), place.line, place.column),
        ("files.row_length", 3, 2)
    );
    let mut cut = workbook(&[vec![Cell::Text("a")]]);
    cut.truncate(cut.len() / 2);
    assert_eq!(code(cut), "files.xlsx");
}

/// A small archive that unpacks to more than the limit is refused before it is
/// taken into memory.
#[test]
fn what_unpacks_to_too_much_is_refused() {
    let mut options = ReadOptions::default();
    options.limits.text_bytes = 1 << 20;
    let bytes = archive(&[("xl/sharedStrings.xml", &" ".repeat(8 << 20))]);
    assert!(bytes.len() < 100_000);
    let source = Box::new(std::io::Cursor::new(bytes));
    let error = TableReader::from_reader(source, &options).err().unwrap();
    assert_eq!(error.code(), "files.too_large");
}
