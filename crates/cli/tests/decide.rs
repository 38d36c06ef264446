//! Decisions by hand, with the real binary, on both databases: the plan as CSV,
//! a column filled in, the file given back, and a quiet sync.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    dead_code,
    reason = "what supports a test may panic and print, like the test; not every test needs all of it"
)]

mod muster;

use muster::{Database, Muster};
use serde_json::Value;

/// A table of the CSV that a plan printed.
struct Table {
    headers: csv::StringRecord,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn of(text: &str) -> Self {
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        Self {
            headers: csv.headers().unwrap().clone(),
            rows: csv
                .records()
                .map(|row| row.unwrap().iter().map(ToOwned::to_owned).collect())
                .collect(),
        }
    }

    fn column(&self, name: &str) -> usize {
        self.headers
            .iter()
            .position(|header| header == name)
            .unwrap()
    }

    fn cell(&self, row: usize, name: &str) -> &str {
        &self.rows[row][self.column(name)]
    }

    fn decide(&mut self, row: usize, decision: &str) {
        let column = self.column("decision");
        self.rows[row][column] = decision.to_owned();
    }

    /// As a spreadsheet of this country writes it.
    fn text(&self) -> String {
        let mut csv = csv::WriterBuilder::new()
            .delimiter(b';')
            .from_writer(Vec::new());
        csv.write_record(&self.headers).unwrap();
        for row in &self.rows {
            csv.write_record(row).unwrap();
        }
        let bytes = csv.into_inner().unwrap();
        format!("\u{feff}{}", String::from_utf8(bytes).unwrap())
    }
}

fn number(report: &Value, path: &str) -> u64 {
    report.pointer(path).and_then(Value::as_u64).unwrap()
}

fn plan(muster: &Muster) -> Table {
    let output = muster.run(&["plan", "payroll", "--format", "csv"]);
    assert_eq!(output.code, 3, "{}", output.words);
    Table::of(&output.data)
}

fn the_round_trip(database: Database) {
    let muster = Muster::new(database);
    let sandbox = muster.sandbox(&["--people", "12", "--seed", "3"], None);
    muster.done(&["org", "create", "Nordlys Øst AS"]);
    muster.json(&sandbox.connect("payroll", "mirror"));

    let mut table = plan(&muster);
    let asked: Vec<usize> = (0..table.rows.len())
        .filter(|row| table.cell(*row, "situation") == "new")
        .collect();
    assert!(asked.len() > 5, "{}", asked.len());
    for row in &asked {
        assert_eq!(table.cell(*row, "decision"), "");
        assert_eq!(table.cell(*row, "reaction"), "ask");
        // About whom it is, for whoever decides.
        assert!(table.cell(*row, "name").contains(' '));
        assert!(!table.cell(*row, "work_email").is_empty());
        table.decide(*row, "create");
    }
    table.decide(asked[0], "leave");
    let id = table.cell(asked[0], "plan").to_owned();
    let file = muster.path("decisions.csv");
    std::fs::write(&file, table.text()).unwrap();
    let decide = ["decide", &id, "--file", &file, "--format", "json"];

    // A word that is none: told with its place, and nobody is made.
    table.decide(asked[1], "perhaps");
    std::fs::write(&file, table.text()).unwrap();
    let refused = muster.run(&decide);
    assert_eq!((refused.code, refused.data.as_str()), (2, ""));
    let told = format!(
        "line {}, column decision, {}: decision.unknown",
        asked[1] + 2,
        table.cell(asked[1], "external_id")
    );
    assert!(refused.words.contains(&told), "{}", refused.words);
    assert_eq!(muster.lines(&["people", "--format", "ndjson"]).len(), 0);

    table.decide(asked[1], "create");
    std::fs::write(&file, table.text()).unwrap();
    let decided = muster.run(&decide);
    assert_eq!(decided.code, 0, "{}", decided.words);
    let report: Value = serde_json::from_str(&decided.data).unwrap();
    assert_eq!(report["trigger"], "decision");
    let made = asked.len() as u64 - 1;
    assert_eq!(number(&report, "/counts/created"), made, "{report}");
    assert_eq!(
        muster.lines(&["people", "--format", "ndjson"]).len() as u64,
        made
    );

    // The sync is quiet: nobody is asked about again.
    let sync = muster.json(&["sync", "payroll", "--format", "json"]);
    assert_eq!(sync["outcome"], "ok", "{sync}");
    assert_eq!(number(&sync, "/counts/conflicts"), 0);
    assert_eq!(number(&sync, "/counts/unchanged"), made, "{sync}");

    // The same file once more says that it was done, and does nothing.
    let again = muster.run(&decide);
    assert_eq!(again.code, 3, "{}", again.words);
    assert!(again.words.contains("decision.row_done"), "{}", again.words);
    assert_eq!(
        muster.lines(&["people", "--format", "ndjson"]).len() as u64,
        made
    );

    // Apart, and it stays so.
    let person: Value =
        serde_json::from_str(&muster.lines(&["people", "--format", "ndjson"])[0]).unwrap();
    let id = person["id"].as_str().unwrap().to_owned();
    let apart = muster.json(&["unlink", &id, "payroll", "--format", "json"]);
    assert_eq!(apart["records"][0], person["links"][0]["external_id"]);
    let sync = muster.json(&["sync", "payroll", "--format", "json"]);
    assert_eq!(number(&sync, "/counts/linked"), 0);
    assert_eq!(
        muster.lines(&["people", "--format", "ndjson"]).len() as u64,
        made
    );
    let nothing = muster.run(&["unlink", &id, "payroll"]);
    assert_eq!(nothing.code, 2);
    assert!(nothing.words.contains("link.none"), "{}", nothing.words);

    std::fs::write(&file, "external_id,decision\n1,create\n").unwrap();
    let no_file = muster.run(&decide);
    assert_eq!(no_file.code, 2);
    assert!(
        no_file.words.contains("decisions.file"),
        "{}",
        no_file.words
    );
}

#[test]
fn hum_15_decisions_go_out_as_csv_and_come_back_on_sqlite() {
    the_round_trip(Database::Sqlite);
}

#[test]
fn hum_15_decisions_go_out_as_csv_and_come_back_on_postgresql() {
    let Some(database) = Database::postgres() else {
        return;
    };
    the_round_trip(database);
}
