//! `muster diff` with the real binary: each format, each kind of file, and how
//! it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what supports a test may panic, like the test"
)]

#[path = "../../files/tests/support/workbook.rs"]
mod workbook;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use workbook::Cell;

const LEFT: &str = "employee_number,first name,surname,E-mail,phone,hire_date,shoe size\n\
    1,Kari,Hansen,Kari@Example.org,+47 22 33 44 55,2020-01-31,38\n\
    2,Ola,Berg,ola@example.org,22334456,2021-02-01,44\n\
    3,Åse,Dahl,ase@example.org,22334457,2022-03-01,39\n\
    5,Bo,Lie,bo@example.org,22334458,2022-03-01,\n\
    5,Bo,Lie,bo@example.org,22334458,2022-03-01,\n\
    ,Nobody,Known,,,,\n";
const RIGHT: &str = "Surname;employee_number;work_email;telephone;given_name;start_date;office\n\
    Hansen;1 ;kari@example.org;22334455;Kari;31.01.2020;Oslo\n\
    Bergh;2;ola@example.org;99887766;Ola;2021-02-01;Oslo\n\
    Lie;5;bo@example.org;22334458;Bo;2022-03-01;Oslo\n\
    Moe;6;moe@example.org;;Mia;2022-03-01;Oslo\n";

struct Files(TempDir);

struct Ended {
    data: String,
    words: String,
    code: i32,
}

impl Files {
    fn new() -> Self {
        let files = Self(TempDir::new().unwrap());
        files.write("left.csv", LEFT);
        files.write("right.csv", RIGHT);
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn diff(&self, left: &str, right: &str, options: &[&str]) -> Ended {
        let output = Command::new(env!("CARGO_BIN_EXE_muster"))
            .arg("diff")
            .args([self.path(left), self.path(right)])
            .args(options)
            .env_remove("MUSTER_LOG")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Ended {
            data: String::from_utf8(output.stdout).unwrap(),
            words: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code().unwrap(),
        }
    }
}

const BY_NUMBER: [&str; 4] = ["--key", "employee_number", "--region", "NO"];

fn with<'a>(options: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    options.iter().chain(more).copied().collect()
}

fn lines(ended: &Ended) -> Vec<Value> {
    ended
        .data
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn json_is_one_object_of_the_documented_shape() {
    let files = Files::new();
    let ended = files.diff(
        "left.csv",
        "right.csv",
        &with(&BY_NUMBER, &["--format", "json"]),
    );
    assert_eq!(
        ended.data,
        "{\"left\":6,\"right\":4,\"matched\":2,\"changed\":1,\"only_left\":1,\"only_right\":1,\
         \"ambiguous_left\":2,\"ambiguous_right\":1,\"invalid_left\":1,\"invalid_right\":0,\
         \"fields\":{\"family_name\":1,\"phone\":1}}\n"
    );
    assert_eq!(ended.code, 3);
    assert!(
        ended.words.contains("shoe size") && ended.words.contains("location"),
        "{}",
        ended.words
    );
}

#[test]
fn exact_tells_what_differs_only_in_its_form() {
    let files = Files::new();
    let ended = files.diff(
        "left.csv",
        "right.csv",
        &with(&BY_NUMBER, &["--format", "json", "--exact"]),
    );
    let report: Value = serde_json::from_str(&ended.data).unwrap();
    assert_eq!(
        report["fields"],
        json!({"phone": 2, "employee_number": 1, "family_name": 1, "start_date": 1, "work_email": 1})
    );
    assert_eq!(
        (&report["matched"], &report["changed"]),
        (&json!(2), &json!(2))
    );
}

#[test]
fn ndjson_is_one_line_a_person() {
    let files = Files::new();
    let ended = files.diff(
        "left.csv",
        "right.csv",
        &with(&BY_NUMBER, &["--format", "ndjson"]),
    );
    assert_eq!(
        lines(&ended),
        [
            json!({"key": "2", "situation": "changed", "fields": {
                "family_name": {"left": "Berg", "right": "Bergh"},
                "phone": {"left": "22334456", "right": "99887766"}}}),
            json!({"key": "3", "situation": "only_left", "fields": {}}),
            json!({"key": "5", "situation": "ambiguous", "fields": {}, "left_rows": [5, 6], "right_rows": [4]}),
            json!({"key": null, "situation": "invalid", "fields": {}, "left_rows": [7], "right_rows": []}),
            json!({"key": "6", "situation": "only_right", "fields": {}}),
        ]
    );
    assert_eq!(ended.code, 3);
    let two = files.diff(
        "left.csv",
        "right.csv",
        &["--key", "surname,hire_date", "--format", "ndjson"],
    );
    assert!(
        lines(&two).contains(
            &json!({"key": ["Moe", "2022-03-01"], "situation": "only_right", "fields": {}})
        )
    );
}

#[test]
fn csv_is_one_line_a_difference() {
    let files = Files::new();
    let ended = files.diff(
        "left.csv",
        "right.csv",
        &with(&BY_NUMBER, &["--format", "csv"]),
    );
    assert_eq!(
        ended.data,
        "employee_number,situation,field,left,right,left_rows,right_rows\n\
         2,changed,family_name,Berg,Bergh,3,3\n\
         2,changed,phone,22334456,99887766,3,3\n\
         3,only_left,,,,4,\n\
         5,ambiguous,,,,5 6,4\n\
         ,invalid,,,,7,\n\
         6,only_right,,,,,5\n"
    );
    assert_eq!(ended.code, 3);
}

#[test]
fn the_summary_is_for_people_and_the_default() {
    let files = Files::new();
    let ended = files.diff("left.csv", "right.csv", &BY_NUMBER);
    for words in [
        "1 of 2 on both sides differ",
        "family_name 1",
        "phone 1",
        "ambiguous key",
    ] {
        assert!(ended.data.contains(words), "{words} in {}", ended.data);
    }
    assert!(!ended.data.contains("Hansen"), "no values in a summary");
    let same = files.diff("left.csv", "left.csv", &["--key", "e-mail,employee_number"]);
    assert!(
        same.data.contains("nobody who is on both sides differs"),
        "{}",
        same.data
    );
}

#[test]
fn exit_codes_say_how_it_ended() {
    let files = Files::new();
    files.write("one.csv", "employee_number,x\n1,a\n");
    files.write("two.csv", "employee_number,x\n1,b\n");
    files.write("twice.csv", "employee_number,x\n1,b\n1,c\n");
    files.write("torn.csv", "employee_number,x\n1\n");
    let key = ["--key", "employee_number"];
    let code = |left: &str, right: &str, options: &[&str]| files.diff(left, right, options).code;
    assert_eq!(code("one.csv", "one.csv", &key), 0);
    // A difference is an answer, no failure.
    assert_eq!(code("one.csv", "two.csv", &key), 0);
    for format in ["summary", "json", "ndjson", "csv"] {
        assert_eq!(
            code("one.csv", "twice.csv", &with(&key, &["--format", format])),
            3,
            "{format}"
        );
    }
    assert_eq!(code("one.csv", "torn.csv", &key), 1);
    assert_eq!(code("one.csv", "nowhere.csv", &key), 1);
    for wrong in [
        &["--key", "shoe"][..],
        &[],
        &["--key", "employee_number,employee no"],
        &["--key", "employee_number", "--map", "x"],
        &["--key", "employee_number", "--map", "gone=x"],
        &[
            "--key",
            "employee_number",
            "--map",
            "x=phone",
            "--map",
            "X=team",
        ],
        &["--key", "employee_number", "--region", "Norway"],
        &["--key", "employee_number", "--encoding", "klingon"],
        &["--key", "employee_number", "--delimiter", "ab"],
        &["--key", "employee_number", "--format", "xml"],
    ] {
        let ended = files.diff("one.csv", "two.csv", wrong);
        assert_eq!(ended.code, 2, "{wrong:?}: {}", ended.words);
        assert_eq!(ended.data, "");
    }
}

#[test]
fn map_says_what_a_column_means() {
    let files = Files::new();
    files.write("a.csv", "nr,login,tel,mobile\n1,KARI@example.org,1,2\n");
    files.write(
        "b.csv",
        "employee_number,e-mail,phone,cell\n1,kari@example.org,2,1\n",
    );
    let torn = files.diff(
        "a.csv",
        "b.csv",
        &["--key", "employee_number", "--map", "nr=employee_number"],
    );
    assert_eq!(torn.code, 1);
    assert!(
        torn.words.contains("files.repeated_field") && torn.words.contains("--map"),
        "{}",
        torn.words
    );
    let ended = files.diff(
        "a.csv",
        "b.csv",
        &[
            "--key",
            "employee_number",
            "--map",
            "nr=employee_number",
            "--map",
            "login=email",
            "--map",
            "mobile=phone",
            "--map",
            "tel=cell",
            "--format",
            "json",
        ],
    );
    let report: Value = serde_json::from_str(&ended.data).unwrap();
    assert_eq!(
        (&report["matched"], &report["changed"]),
        (&json!(1), &json!(0)),
        "{}",
        ended.words
    );
    assert_eq!(ended.words, "");
}

#[test]
fn every_kind_of_file_compares_with_every_other() {
    let files = Files::new();
    let text = "employee_number;given_name;start_date\n1;Åse;2025-01-31\n2;Bo;\n";
    files.write("utf8.csv", text);
    files.write(
        "marked.csv",
        format!("\u{feff}{}", text.replace('\n', "\r\n")),
    );
    let units = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    files.write("utf16.txt", units(&text.replace(';', "\t")));
    let latin: Vec<u8> = text
        .chars()
        .map(|letter| u8::try_from(u32::from(letter)).unwrap())
        .collect();
    files.write("windows.csv", latin);
    files.write(
        "people.ndjson",
        "{\"employee_number\": 2, \"given_name\": \"Bo\", \"start_date\": null}\n\
         {\"employee_number\": \"1\", \"given_name\": \"Åse\", \"start_date\": \"2025-01-31T00:00:00Z\"}\n",
    );
    files.write(
        "people.xlsx",
        workbook::workbook(&[
            vec![
                Cell::Text("Start date"),
                Cell::Text("First name"),
                Cell::Text("Employee number"),
            ],
            vec![Cell::Day(45_688), Cell::Text("Åse"), Cell::Number("1")],
            vec![Cell::Nothing, Cell::Text("Bo"), Cell::Number("2")],
        ]),
    );
    let names = [
        "utf8.csv",
        "marked.csv",
        "utf16.txt",
        "windows.csv",
        "people.ndjson",
        "people.xlsx",
    ];
    for left in names {
        for right in names {
            let ended = files.diff(
                left,
                right,
                &["--key", "employee_number", "--format", "json"],
            );
            let report: Value =
                serde_json::from_str(&ended.data).unwrap_or_else(|_| panic!("{}", ended.words));
            assert_eq!(
                (&report["matched"], &report["changed"], &report["right"]),
                (&json!(2), &json!(0), &json!(2)),
                "{left} {right}"
            );
            assert_eq!(
                (ended.code, ended.words.as_str()),
                (0, ""),
                "{left} {right}"
            );
        }
    }
}

#[test]
fn hostile_files_are_refused_with_their_place_and_without_their_content() {
    let files = Files::new();
    files.write("good.csv", "employee_number,x\n1,a\n");
    for (name, bytes, told) in [
        ("empty.csv", &b""[..], "files.empty: "),
        (
            "short.csv",
            b"employee_number,x\n1,a\n\nKari\n",
            "line 4, column 5: ",
        ),
        (
            "long.csv",
            b"employee_number,x\n1,Kari,b\n",
            "line 2, column 8: ",
        ),
        (
            "twice.csv",
            b"employee_number,x,X \n1,Kari,b\n",
            "files.repeated_column: ",
        ),
        (
            "nul.csv",
            b"employee_number,x\n1,Kari\0\n",
            "line 2, column 7: ",
        ),
        (
            "open.csv",
            b"employee_number,x\n1,\"Kari\n2,b\n",
            "line 2, column 3: ",
        ),
        (
            "bytes.csv",
            b"employee_number,x\n1,\xC3\x85se\n2,Kari\xFF\n",
            "line 3, column 7: ",
        ),
        (
            "headless.csv",
            b"Kari,Hansen\nOla,Berg\n",
            "perhaps its header line is missing",
        ),
        ("array.json", b"[{\"x\":\"Kari\"}]", "files.json_array: "),
    ] {
        files.write(name, bytes);
        for (left, right) in [(name, "good.csv"), ("good.csv", name)] {
            let ended = files.diff(left, right, &["--key", "employee_number"]);
            assert_eq!(
                ended.code,
                if name == "headless.csv" { 2 } else { 1 },
                "{name}: {}",
                ended.words
            );
            assert!(
                ended.words.contains(told) && ended.words.contains(name),
                "{name}: {}",
                ended.words
            );
            assert!(!ended.words.contains("Kari"), "{name}: {}", ended.words);
            assert_eq!(ended.data, "");
        }
    }
}

/// Long before its end: what was read of it is far less than the file.
#[test]
fn a_line_that_never_ends_fails_early() {
    let files = Files::new();
    files.write(
        "huge.csv",
        format!("employee_number,x\n1,a\n{}", "x".repeat(64 << 20)),
    );
    let ended = files.diff("huge.csv", "left.csv", &BY_NUMBER);
    assert_eq!(ended.code, 1);
    assert!(
        ended.words.contains("files.row_too_long") && ended.words.contains("line 3, column 1"),
        "{}",
        ended.words
    );
}

#[test]
fn nobody_reading_any_more_is_no_failure() {
    let files = Files::new();
    let mut many = String::from("employee_number,x\n");
    for number in 0..100_000 {
        many.push_str(&format!("{number},x\n"));
    }
    files.write("many.csv", many);
    let mut child = Command::new(env!("CARGO_BIN_EXE_muster"))
        .arg("diff")
        .args([files.path("many.csv"), files.path("left.csv")])
        .args(["--key", "employee_number", "--format", "ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
