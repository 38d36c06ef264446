//! Files as people and programs write them, and as nobody should: a right
//! table, or an error with its place.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what supports a test may panic, like the test"
)]

use std::io::Read;

use muster_files::{FileError, Limits, ReadOptions, TableReader};

type Table = (Vec<String>, Vec<Vec<String>>);

fn read_with(bytes: &[u8], options: &ReadOptions) -> Result<Table, FileError> {
    let mut reader =
        TableReader::from_reader(Box::new(std::io::Cursor::new(bytes.to_vec())), options)?;
    let mut rows = Vec::new();
    while let Some(block) = reader.next_block()? {
        for row in block.rows() {
            rows.push(row.cells().map(|cell| cell.text().into_owned()).collect());
        }
    }
    Ok((reader.columns().to_vec(), rows))
}

fn read(bytes: impl AsRef<[u8]>) -> Result<Table, FileError> {
    read_with(bytes.as_ref(), &ReadOptions::default())
}

fn rows(bytes: impl AsRef<[u8]>) -> Vec<Vec<String>> {
    read(bytes).unwrap().1
}

/// Code, line and column of the refusal.
fn refused(bytes: impl AsRef<[u8]>) -> (&'static str, u64, u64) {
    let error = read(bytes).expect_err("a defect");
    let place = error.place.expect("it has a place");
    (error.code(), place.line, place.column)
}

fn utf16(text: &str, little: bool) -> Vec<u8> {
    text.encode_utf16()
        .flat_map(|unit| {
            if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        })
        .collect()
}

const TABLE: &str = "name;town\nÅse;Tromsø\n\"Li; Bo\";\"two\nlines\"\n";

fn the_table() -> Table {
    (
        vec!["name".to_owned(), "town".to_owned()],
        vec![
            vec!["Åse".to_owned(), "Tromsø".to_owned()],
            vec!["Li; Bo".to_owned(), "two\nlines".to_owned()],
        ],
    )
}

#[test]
fn every_usual_encoding_gives_the_same_table() {
    let mut marked = b"\xEF\xBB\xBF".to_vec();
    marked.extend(TABLE.as_bytes());
    let mut little = vec![0xFF, 0xFE];
    little.extend(utf16(TABLE, true));
    let mut big = vec![0xFE, 0xFF];
    big.extend(utf16(TABLE, false));
    let windows: Vec<u8> = TABLE
        .chars()
        .map(|letter| u8::try_from(u32::from(letter)).unwrap())
        .collect();
    for (name, bytes) in [
        ("UTF-8", TABLE.as_bytes().to_vec()),
        ("UTF-8 with a mark", marked),
        ("UTF-16 LE with a mark", little),
        ("UTF-16 BE with a mark", big),
        ("UTF-16 LE without a mark", utf16(TABLE, true)),
        ("UTF-16 BE without a mark", utf16(TABLE, false)),
        ("windows-1252", windows),
    ] {
        assert_eq!(read(bytes).unwrap(), the_table(), "{name}");
    }
}

#[test]
fn a_said_encoding_is_believed() {
    let options = ReadOptions::default().with_encoding("iso-8859-15").unwrap();
    let (_, rows) = read_with(b"a,b\n\xA4,1\n", &options).unwrap();
    assert_eq!(rows, [["€", "1"]]);
    let utf8 = ReadOptions::default().with_encoding("utf-8").unwrap();
    let error = read_with(b"a,b\nx,1\ny,\xE5\n", &utf8).unwrap_err();
    let place = error.place.unwrap();
    assert_eq!(
        (error.code(), place.line, place.column),
        ("files.encoding", 3, 3)
    );
    let unknown = ReadOptions::default().with_encoding("klingon").unwrap_err();
    assert_eq!(unknown.code(), "files.unknown_encoding");
}

#[test]
fn windows_1252_may_begin_late_and_far_from_the_beginning() {
    let mut bytes = b"number,name\n".to_vec();
    for number in 0..700_000 {
        bytes.extend(format!("{number},Kari Hansen\n").bytes());
    }
    bytes.extend(b"700000,\xC5se \x80\n");
    let rows = rows(bytes);
    assert_eq!(rows.len(), 700_001);
    assert_eq!(rows[700_000], ["700000", "Åse €"]);
    assert_eq!(rows[699_999], ["699999", "Kari Hansen"]);
}

#[test]
fn a_damaged_utf_8_file_is_not_taken_for_another_encoding() {
    assert_eq!(
        refused(b"a,b\n\xC3\x85se,1\nBo\xFF,2\n"),
        ("files.encoding", 3, 3)
    );
    // windows-1252 has no character 0x81.
    assert_eq!(refused(b"a,b\n1,\xE5\n2,x\x81\n"), ("files.encoding", 3, 4));
    // A cut character at the end of the file.
    assert_eq!(refused(b"a,b\n\xC3\x85,\xC3"), ("files.encoding", 2, 3));
}

#[test]
fn a_character_across_the_border_of_two_pieces_stays_whole() {
    // Each of these shifts puts another byte of the letters on the border.
    for shift in 0..4 {
        let mut text = format!("name\n{}\n", "x".repeat(shift + 1));
        while text.len() < 9 << 20 {
            text.push_str("ååååååååååååååååååååååååååååååååååååååååå\n");
        }
        let wide = rows(utf16(&text, true)).len();
        let rows = rows(&text);
        assert!(rows[1..].iter().all(|row| row[0].chars().count() == 41));
        assert_eq!(rows.len(), text.lines().count() - 1);
        assert_eq!(rows.len(), wide);
    }
}

#[test]
fn delimiters_are_found_and_quotes_protect_them() {
    for (text, columns) in [
        ("a,b\n1,2\n", 2),
        ("a;b\n1;2\n", 2),
        ("a\tb\n1\t2\n", 2),
        ("a|b\n1|2\n", 2),
        ("\"a,b,c\";d\n1;2\n", 2),
        ("sep=;\na,x;b\n1;2\n", 2),
        ("alone\n1\n", 1),
    ] {
        assert_eq!(read(text).unwrap().0.len(), columns, "{text}");
        assert_eq!(rows(text).len(), 1, "{text}");
    }
    let colon = ReadOptions {
        delimiter: Some(b':'),
        ..ReadOptions::default()
    };
    assert_eq!(read_with(b"a:b\n1:2\n", &colon).unwrap().1, [["1", "2"]]);
}

#[test]
fn quotes_and_line_ends_are_read_as_programs_write_them() {
    assert_eq!(
        rows("a,b\r\n\"say \"\"hi\"\"\",\"\"\r\n1,2"),
        [["say \"hi\"", ""], ["1", "2"]]
    );
    assert_eq!(rows("a,b\r1,2\r3,4\r"), [["1", "2"], ["3", "4"]]);
    assert_eq!(rows("\n\r\na,b\n\n1,2\n\r\n\n"), [["1", "2"]]);
    assert_eq!(rows("a,b\n\"x\r\ny,z\",2\n"), [["x\r\ny,z", "2"]]);
    // A quote inside a cell that does not begin with one is a quote.
    assert_eq!(
        rows("a,b\n5\" pipe,2\n3,\" \"\n"),
        [["5\" pipe", "2"], ["3", " "]]
    );
    assert_eq!(rows("a,b\n,\n"), [["", ""]]);
    assert_eq!(rows("a,b\n1,\"\""), [["1", ""]]);
    assert_eq!(rows("a\n\"\"\n"), [[""]]);
    assert_eq!(rows("a,b\n"), Vec::<Vec<String>>::new());
    assert_eq!(rows("a,b"), Vec::<Vec<String>>::new());
}

#[test]
fn every_defect_is_told_with_line_and_column() {
    assert_eq!(refused(""), ("files.empty", 1, 1));
    assert_eq!(refused("\n\r\n\n"), ("files.empty", 1, 1));
    assert_eq!(refused(b"\xEF\xBB\xBF"), ("files.empty", 1, 1));
    assert_eq!(refused("a,b\n1,2\n\n3\n"), ("files.row_length", 4, 2));
    assert_eq!(refused("a,b\n1,2\nå,ø,æ\n"), ("files.row_length", 3, 5));
    assert_eq!(
        refused("a,b\n\"x\ny\",2\n\"z\",3,\"4\"\n"),
        ("files.row_length", 4, 7)
    );
    assert_eq!(refused("a,b\r1,2\r3,4,5\r"), ("files.row_length", 3, 5));
    assert_eq!(refused("a,b\n1,\"open\n2,3\n"), ("files.open_quote", 2, 3));
    assert_eq!(refused("a,b\n1,\"2\"3\n"), ("files.after_quote", 2, 6));
    assert_eq!(refused("a,b\n1,2\n3,\0\n"), ("files.nul", 3, 3));
    assert_eq!(refused("\"a"), ("files.open_quote", 1, 1));
    assert_eq!(refused("[{\"a\":1}]"), ("files.json_array", 1, 1));
    assert_eq!(refused("{\"a\":1}\n\n{\"a\":}\n"), ("files.json", 3, 6));
    assert_eq!(refused("{\"a\":1}\n{\"a\":1"), ("files.json", 2, 6));
    assert_eq!(refused("{\"a\":1}\n[1]\n"), ("files.not_an_object", 2, 1));
    assert_eq!(
        refused("{\"a\":1}\n  {\"b\":1,\"b\":2}\n"),
        ("files.repeated_name", 2, 3)
    );
    assert_eq!(refused("{\"a\":\"\\u0000\"}\n"), ("files.nul", 1, 1));
    let old = read(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1and so on").unwrap_err();
    assert_eq!(old.code(), "files.old_workbook");
    let broken = read(b"PK\x03\x04and so on").unwrap_err();
    assert_eq!(broken.code(), "files.xlsx");
}

#[test]
fn errors_tell_nothing_of_what_stands_in_the_file() {
    for bytes in [
        "Kari,Hansen\n1,2,3\n",
        "Kari,Hansen\n\"Kari\" Hansen,1\n",
        "{\"Kari\": Hansen}\n",
        "{\"Kari\": 1, \"Kari\": 2}\n",
        "{\"n\":1}\n\"Kari Hansen\"\n",
        "Kari,Hansen\nKari,Hansen\0",
    ] {
        let told = read(bytes).unwrap_err().to_string();
        assert!(!told.contains("Kari") && !told.contains("Hansen"), "{told}");
        assert!(told.starts_with("files."), "{told}");
    }
}

#[test]
fn limits_hold_and_say_where() {
    let limits = Limits {
        cell_bytes: 10,
        row_bytes: 30,
        columns: 4,
        rows: 3,
        text_bytes: 100,
    };
    let options = ReadOptions {
        limits,
        ..ReadOptions::default()
    };
    let refused = |text: &str| {
        let error = read_with(text.as_bytes(), &options).unwrap_err();
        let place = error.place.unwrap();
        (error.code(), place.line, place.column)
    };
    assert!(read_with(b"a,b\n0123456789,0123456789\n1,2\n3,4\n", &options).is_ok());
    assert_eq!(
        refused("a,b\n1,01234567890\n"),
        ("files.cell_too_long", 2, 3)
    );
    assert_eq!(
        refused("a,b\n1,\"0123456789012345678901234567890\n"),
        ("files.open_quote", 2, 3)
    );
    assert_eq!(
        refused("a,b\n1,0123456789012345678901234567890\n"),
        ("files.row_too_long", 2, 1)
    );
    assert_eq!(refused("a,b,c,d,e\n"), ("files.too_many_columns", 1, 1));
    assert_eq!(refused("a\n1\n2\n3\n4\n"), ("files.too_many_rows", 5, 1));
    assert_eq!(refused(&"a\n".repeat(51)), ("files.too_large", 1, 1));
    assert_eq!(
        refused("{\"a\":\"01234567890\"}\n"),
        ("files.cell_too_long", 1, 1)
    );
    assert_eq!(
        refused("{\"a\":1,\"b\":1}\n{\"c\":1,\"d\":1,\"e\":1}\n"),
        ("files.too_many_columns", 2, 1)
    );
    assert_eq!(
        refused("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"d\":3}\n"),
        ("files.row_too_long", 1, 1)
    );
}

/// Bytes without end, that counts what was taken of it.
struct Endless {
    begin: std::io::Cursor<Vec<u8>>,
    then: u8,
    taken: std::sync::Arc<std::sync::atomic::AtomicU64>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut read = self.begin.read(buffer)?;
        if read == 0 {
            buffer.fill(self.then);
            read = buffer.len();
        }
        self.taken
            .fetch_add(read as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(read)
    }
}

#[test]
fn a_line_without_end_fails_early() {
    for (begin, then, code, line, column) in [
        ("a,b\n1,", b'x', "files.row_too_long", 2, 1),
        ("a,b\n1,2\n1,\"", b'x', "files.row_too_long", 3, 3),
        ("a,b\n1,2\n\"", b'\n', "files.row_too_long", 3, 1),
        ("", b'x', "files.row_too_long", 1, 1),
        ("\"", b'x', "files.row_too_long", 1, 1),
        ("{\"a\":\"", b'x', "files.row_too_long", 1, 1),
        ("{\"a\":1}\n", b'[', "files.row_too_long", 2, 1),
    ] {
        let taken = std::sync::Arc::default();
        let source = Endless {
            begin: std::io::Cursor::new(begin.as_bytes().to_vec()),
            then,
            taken: std::sync::Arc::clone(&taken),
        };
        let error = TableReader::from_reader(Box::new(source), &ReadOptions::default())
            .and_then(|mut reader| {
                while reader.next_block()?.is_some() {}
                Ok(())
            })
            .unwrap_err();
        let place = error.place.unwrap();
        assert_eq!(
            (error.code(), place.line, place.column),
            (code, line, column),
            "{begin}"
        );
        let taken = taken.load(std::sync::atomic::Ordering::Relaxed);
        assert!(taken < 20 << 20, "{taken} bytes for {begin}");
    }
}

#[test]
fn ndjson_objects_are_rows_and_their_names_columns() {
    let (columns, rows) = read(
        "\u{feff}{\"a\": 1, \"b\": \"x, \\\"y\\\"\\nz\"}\r\n\n{\"b\": null, \"c\": [1, {\"d\": true}], \"a\": 1.50}\n{}",
    )
    .unwrap();
    assert_eq!(columns, ["a", "b", "c"]);
    assert_eq!(rows[0], ["1", "x, \"y\"\nz"]);
    // A number stays as it is written, as in CSV.
    assert_eq!(rows[1], ["1.50", "", "[1,{\"d\":true}]"]);
    assert!(rows[2].iter().all(String::is_empty));
}

#[test]
fn ndjson_numbers_keep_all_their_digits() {
    let ids = ["100000000000000000000001", "100000000000000000000002"];
    let lines = ids.map(|id| format!("{{\"id\": {id}, \"share\": -0.1, \"large\": 1e2}}\n"));
    let (_, rows) = read(&lines.concat()).unwrap();
    assert_eq!(rows[0], [ids[0], "-0.1", "100.0"]);
    assert_eq!(rows[1], [ids[1], "-0.1", "100.0"]);
}

#[test]
fn our_reading_of_right_files_is_that_of_the_csv_crate() {
    use proptest::prelude::*;
    let cell = prop_oneof!["[a-zå ]{0,6}", "[a-z,;\"\n\r]{0,8}", Just(String::new()),];
    let table = (1_usize..5).prop_flat_map(move |columns| {
        prop::collection::vec(prop::collection::vec(cell.clone(), columns), 0..12)
    });
    proptest!(|(table in table, crlf: bool)| {
        let columns = table.first().map_or(2, Vec::len);
        let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().terminator(end).from_writer(Vec::new());
        writer.write_record((0..columns).map(|column| format!("column_{column}"))).unwrap();
        for row in &table {
            writer.write_record(row).unwrap();
        }
        let options = ReadOptions { delimiter: Some(b','), ..ReadOptions::default() };
        let (_, rows) = read_with(&writer.into_inner().unwrap(), &options).unwrap();
        prop_assert_eq!(rows, table);
    });
}
