//! Files of any content.

use std::io::Cursor;

use muster_files::{FileError, Limits, ReadOptions, TableReader};

/// Small, so that a small file meets them.
const LIMITS: Limits = Limits {
    cell_bytes: 64,
    row_bytes: 256,
    columns: 8,
    rows: 100,
    text_bytes: 1 << 20,
};

/// A file that may be CSV, in an encoding that may be said: the first byte
/// chooses.
pub fn csv(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else {
        return;
    };
    let encodings = ["utf-8", "utf-16le", "utf-16be", "windows-1252", "shift_jis"];
    let mut options = ReadOptions {
        limits: LIMITS,
        ..ReadOptions::default()
    };
    if let Some(name) = encodings.get(usize::from(*choice))
        && let Ok(said) = options.clone().with_encoding(name)
    {
        options = said;
    }
    check(bytes, &options);
}

/// A file that may be NDJSON.
pub fn ndjson(bytes: &[u8]) {
    let options = ReadOptions {
        limits: LIMITS,
        ..ReadOptions::default()
    };
    check(bytes, &options);
}

/// A right table within its limits, or an error that begins with its code.
fn check(bytes: &[u8], options: &ReadOptions) {
    if let Err(error) = read(bytes, options) {
        assert!(
            error.to_string().starts_with("files."),
            "an error has a code"
        );
        if let Some(place) = error.place {
            assert!(
                place.line > 0 && place.column > 0,
                "places are counted from 1"
            );
        }
    }
}

fn read(bytes: &[u8], options: &ReadOptions) -> Result<(), FileError> {
    let mut reader = TableReader::from_reader(Box::new(Cursor::new(bytes.to_vec())), options)?;
    let mut rows = 0;
    while let Some(block) = reader.next_block()? {
        let columns = reader.columns().len();
        assert!(columns <= LIMITS.columns, "there are few columns");
        for row in block.rows() {
            rows += 1;
            let cells = row.cells().count();
            if reader.columns_are_fixed() {
                assert_eq!(cells, columns, "a row has as many cells as the header");
            } else {
                assert!(
                    cells <= columns.max(1),
                    "a row has no cell without a column"
                );
            }
            for cell in row.cells() {
                let text = cell.text();
                assert!(text.len() <= LIMITS.cell_bytes, "cells are bounded");
                assert!(!text.contains('\0'), "no cell holds a NUL");
            }
        }
    }
    assert!(rows <= LIMITS.rows, "rows are bounded");
    Ok(())
}
