//! The laws of the comparison, for random tables, against a model of it that
//! is as simple as it is slow.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what supports a test may panic, like the test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher};

use muster_files::diff::{Comparison, DiffOptions, DiffReport, Line, Situation, load};
use muster_files::{Column, ReadOptions, TableReader};
use proptest::prelude::*;

/// A hash that is nearly always the same: everything collides.
#[derive(Clone, Copy, Default)]
struct Colliding(u64);

impl Hasher for Colliding {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>() % 3;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

impl BuildHasher for Colliding {
    type Hasher = Self;
    fn build_hasher(&self) -> Self {
        *self
    }
}

#[derive(Debug, Clone)]
struct Table {
    /// The order in which the columns key, mail, town and x stand.
    order: Vec<usize>,
    delimiter: char,
    rows: Vec<[String; 4]>,
}

const NAMES: [&str; 4] = ["employee_number", "email", "town", "x"];

impl Table {
    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |cells: Vec<&str>| {
            let quoted: Vec<String> = cells
                .iter()
                .map(|cell| {
                    // Some cells are quoted without need, which must make no difference.
                    if cell.len() % 3 == 1 || cell.contains(['"', '\n', ',', ';']) {
                        format!("\"{}\"", cell.replace('"', "\"\""))
                    } else {
                        (*cell).to_owned()
                    }
                })
                .collect();
            text.push_str(&quoted.join(&self.delimiter.to_string()));
            text.push('\n');
        };
        line(self.order.iter().map(|column| NAMES[*column]).collect());
        for row in &self.rows {
            line(
                self.order
                    .iter()
                    .map(|column| row[*column].as_str())
                    .collect(),
            );
        }
        text
    }
}

fn table() -> impl Strategy<Value = Table> {
    let key = prop_oneof![
        8 => "[1-9][0-9]?",
        2 => " [1-9] ",
        1 => Just(String::new()),
        1 => Just("  ".to_owned()),
    ];
    let mail = prop_oneof![
        "[abAB]@example\\.org ?",
        Just(String::new()),
        Just("none".to_owned()),
    ];
    let row = (key, mail, "[AB ,;\"\n]{0,2}", "[01]?");
    let rows = prop::collection::vec(row.prop_map(|(a, b, c, d)| [a, b, c, d]), 0..25);
    let order = Just(vec![0, 1, 2, 3]).prop_shuffle();
    (order, prop_oneof![Just(','), Just(';')], rows).prop_map(|(order, delimiter, rows)| Table {
        order,
        delimiter,
        rows,
    })
}

#[derive(Debug, Clone, Copy)]
struct How {
    by_mail: bool,
    both: bool,
    exact: bool,
}

fn how() -> impl Strategy<Value = How> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(by_mail, both, exact)| How {
        by_mail,
        both,
        exact,
    })
}

impl How {
    fn key(self) -> Vec<usize> {
        match (self.both, self.by_mail) {
            (true, true) => vec![1, 0],
            (true, false) => vec![0, 2],
            (false, true) => vec![1],
            (false, false) => vec![0],
        }
    }

    fn options(self) -> DiffOptions {
        DiffOptions {
            key: self
                .key()
                .into_iter()
                .map(|key| Column::named(NAMES[key]))
                .collect(),
            exact: self.exact,
            ..DiffOptions::default()
        }
    }
}

fn open(text: &str) -> TableReader {
    let bytes = std::io::Cursor::new(text.as_bytes().to_vec());
    TableReader::from_reader(Box::new(bytes), &ReadOptions::default()).unwrap()
}

fn compare(
    left: &str,
    right: &str,
    options: &DiffOptions,
    threads: usize,
) -> (DiffReport, Vec<Line>) {
    let sides = load(
        ("left", open(left)),
        ("right", open(right)),
        options,
        &Colliding(0),
    )
    .unwrap();
    let comparison = Comparison::new(&sides, options, threads);
    let mut lines = Vec::new();
    comparison
        .tell(|line| -> Result<(), ()> {
            lines.push(line);
            Ok(())
        })
        .unwrap();
    (comparison.report(), lines)
}

fn form(column: usize, text: &str) -> String {
    let text = text.trim();
    if column == 1 && text.contains('@') {
        text.to_lowercase()
    } else {
        text.to_owned()
    }
}

/// The rows of one key, left and right.
type Group<'a> = (Vec<&'a [String; 4]>, Vec<&'a [String; 4]>);

/// The model: groups by key, then looks at each.
fn model(left: &Table, right: &Table, how: How) -> (DiffReport, BTreeSet<(String, Told)>) {
    let key = |row: &[String; 4]| -> Option<Vec<String>> {
        how.key()
            .into_iter()
            .map(|column| {
                let text = form(column, &row[column]);
                let readable = !text.is_empty() && (column != 1 || text.contains('@'));
                readable.then_some(text)
            })
            .collect()
    };
    let mut groups: BTreeMap<Vec<String>, Group<'_>> = BTreeMap::new();
    let mut report = DiffReport {
        left: left.rows.len() as u64,
        right: right.rows.len() as u64,
        ..DiffReport::default()
    };
    for row in &left.rows {
        match key(row) {
            Some(key) => groups.entry(key).or_default().0.push(row),
            None => report.invalid_left += 1,
        }
    }
    for row in &right.rows {
        match key(row) {
            Some(key) => groups.entry(key).or_default().1.push(row),
            None => report.invalid_right += 1,
        }
    }
    let mut situations = BTreeSet::new();
    let mut fields = [0_u64; 4];
    for (key, (left, right)) in groups {
        let shown = key.join("/");
        match (left.as_slice(), right.as_slice()) {
            ([one], [two]) => {
                report.matched += 1;
                let differing: Vec<usize> = (0..4)
                    .filter(|column| {
                        if how.exact {
                            one[*column] != two[*column]
                        } else {
                            form(*column, &one[*column]) != form(*column, &two[*column])
                        }
                    })
                    .collect();
                if !differing.is_empty() {
                    report.changed += 1;
                    situations.insert((shown, Told::Changed));
                }
                for column in differing {
                    fields[column] += 1;
                }
            }
            ([_], []) => {
                report.only_left += 1;
                situations.insert((shown, Told::OnlyLeft));
            }
            ([], [_]) => {
                report.only_right += 1;
                situations.insert((shown, Told::OnlyRight));
            }
            (left, right) => {
                report.ambiguous_left += left.len() as u64;
                report.ambiguous_right += right.len() as u64;
                situations.insert((shown, Told::Ambiguous));
            }
        }
    }
    let names = ["employee_number", "work_email", "town", "x"];
    report.fields = names
        .iter()
        .zip(fields)
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| ((*name).to_owned(), count))
        .collect();
    report
        .fields
        .sort_by(|one, two| two.1.cmp(&one.1).then(one.0.cmp(&two.0)));
    (report, situations)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Changed,
    OnlyLeft,
    OnlyRight,
    Ambiguous,
}

fn situations(lines: &[Line]) -> BTreeSet<(String, Told)> {
    lines
        .iter()
        .filter_map(|line| {
            let situation = match line.situation {
                Situation::Changed => Told::Changed,
                Situation::OnlyLeft => Told::OnlyLeft,
                Situation::OnlyRight => Told::OnlyRight,
                Situation::Ambiguous => Told::Ambiguous,
                Situation::Invalid => return None,
            };
            let key: Vec<&str> = line
                .key
                .0
                .iter()
                .map(|part| part.as_deref().unwrap())
                .collect();
            Some((key.join("/"), situation))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("MUSTER_LAW_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400)
    ))]

    #[test]
    fn the_comparison_is_that_of_the_model(left in table(), right in table(), how in how(), threads in 1_usize..4) {
        let (report, lines) = compare(&left.text(), &right.text(), &how.options(), threads);
        let (expected, situations_expected) = model(&left, &right, how);
        prop_assert_eq!(&report, &expected);
        prop_assert_eq!(situations(&lines), situations_expected);
        // Each line is one key, and the lines account for every row.
        let invalid = lines.iter().filter(|line| line.situation == Situation::Invalid).count() as u64;
        prop_assert_eq!(invalid, report.invalid_left + report.invalid_right);
        let ambiguous = lines.iter().filter(|line| line.situation == Situation::Ambiguous);
        let (mut on_left, mut on_right) = (0, 0);
        for line in ambiguous {
            on_left += line.left_rows.len() as u64;
            on_right += line.right_rows.len() as u64;
        }
        prop_assert_eq!((on_left, on_right), (report.ambiguous_left, report.ambiguous_right));
    }

    #[test]
    fn every_row_is_counted_once(left in table(), right in table(), how in how()) {
        let (report, _) = compare(&left.text(), &right.text(), &how.options(), 2);
        prop_assert_eq!(
            report.left,
            report.matched + report.only_left + report.ambiguous_left + report.invalid_left
        );
        prop_assert_eq!(
            report.right,
            report.matched + report.only_right + report.ambiguous_right + report.invalid_right
        );
        prop_assert!(report.changed <= report.matched);
    }

    #[test]
    fn swapping_the_sides_swaps_the_counts(left in table(), right in table(), how in how()) {
        let (one, _) = compare(&left.text(), &right.text(), &how.options(), 2);
        let (two, _) = compare(&right.text(), &left.text(), &how.options(), 1);
        let swapped = DiffReport {
            left: two.right,
            right: two.left,
            only_left: two.only_right,
            only_right: two.only_left,
            ambiguous_left: two.ambiguous_right,
            ambiguous_right: two.ambiguous_left,
            invalid_left: two.invalid_right,
            invalid_right: two.invalid_left,
            ..two
        };
        prop_assert_eq!(one, swapped);
    }

    #[test]
    fn a_table_differs_in_nothing_from_itself_in_any_order(
        table in table(), how in how(), order in Just(vec![0, 1, 2, 3]).prop_shuffle(), turn in 0_usize..25
    ) {
        let mut other = table.clone();
        other.order = order;
        if !other.rows.is_empty() {
            let turn = turn % other.rows.len();
            other.rows.rotate_left(turn);
        }
        let (report, lines) = compare(&table.text(), &other.text(), &how.options(), 2);
        prop_assert_eq!((report.changed, report.only_left, report.only_right), (0, 0, 0));
        prop_assert_eq!(report.ambiguous_left, report.ambiguous_right);
        prop_assert_eq!(report.invalid_left, report.invalid_right);
        prop_assert!(report.fields.is_empty());
        let mut waiting = lines.iter().map(|line| line.situation);
        prop_assert!(waiting.all(|one| matches!(one, Situation::Ambiguous | Situation::Invalid)));
    }
}

#[test]
fn ndjson_and_csv_of_the_same_people_are_the_same() {
    let csv = "employee_number;E-Mail;address;custom field;note\n\
               1;Kari@example.org;\"{\"\"city\"\":\"\"Oslo\"\",\"\"line\"\":\"\"A\"\"}\";;\n\
               2;ola@example.org;;x;y\n";
    let ndjson = "{\"employee_number\": 2, \"work_email\": \"ola@example.org\", \"custom field\": \"x\", \"note\": \"y\"}\n\
                  {\"work_email\": \"kari@example.org\", \"employee_number\": \"1\", \"note\": null, \"address\": {\"line\": \"A\", \"city\": \"Oslo\"}}\n";
    let options = DiffOptions {
        key: vec![Column::named("employee_number")],
        ..DiffOptions::default()
    };
    let (report, lines) = compare(csv, ndjson, &options, 2);
    assert_eq!((report.matched, report.changed), (2, 0), "{lines:?}");
}

/// Keys of one hash make a chain; that many of them would be felt.
#[test]
fn many_equal_keys_are_no_quadratic_work() {
    let mut text = String::from("employee_number,x\n");
    for number in 0..200_000 {
        text.push_str(if number % 2 == 0 { "7,a\n" } else { "8,b\n" });
    }
    let options = DiffOptions {
        key: vec![Column::named("employee_number")],
        ..DiffOptions::default()
    };
    let (report, lines) = compare(&text, &text, &options, 2);
    assert_eq!(
        (report.ambiguous_left, report.ambiguous_right),
        (200_000, 200_000)
    );
    assert_eq!(lines.len(), 2);
}
