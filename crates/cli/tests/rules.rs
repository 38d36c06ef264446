//! `docs/status.md` against `docs/rules/` and against the tests: from the row
//! to the test, and from the test to the row.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The families of rules.
const FAMILIES: [&str; 6] = ["ple", "grj", "hum", "ent", "rev", "bey"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A rule's name, and whether its page calls it not ours.
fn rules() -> BTreeMap<String, bool> {
    let mut rules = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("docs/rules")).unwrap() {
        let page = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in page.lines().filter_map(|line| line.strip_prefix("- **")) {
            let Some((name, rest)) = line.split_once("**") else {
                continue;
            };
            assert!(
                rules
                    .insert(name.to_owned(), rest.contains("(not ours)"))
                    .is_none(),
                "{name} stands twice"
            );
        }
    }
    rules
}

/// A row of the status page: state, and the tests it names.
struct Row {
    state: String,
    tests: BTreeSet<String>,
}

fn rows() -> BTreeMap<String, Row> {
    let page = std::fs::read_to_string(root().join("docs/status.md")).unwrap();
    let mut rows = BTreeMap::new();
    for line in page.lines().filter_map(|line| line.strip_prefix("| ")) {
        let cells: Vec<&str> = line.trim_end_matches(" |").split(" | ").collect();
        let (Some(name), Some(proof)) = (cells.first(), cells.last()) else {
            continue;
        };
        let is_rule = name.split_once('-').is_some_and(|(family, number)| {
            FAMILIES.contains(&family.to_lowercase().as_str()) && number.parse::<u32>().is_ok()
        });
        let is_feature = name.len() <= 4
            && name.starts_with(['S', 'B'])
            && name
                .get(1..)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if !is_rule && !is_feature {
            continue;
        }
        let proved = proof.split("missing:").next().unwrap_or_default();
        let tests = proved
            .split([',', ';'])
            .map(|test| test.trim().trim_matches('`').to_owned())
            .filter(|test| !test.is_empty() && test != "–")
            .collect();
        let state = cells.get(cells.len() - 2).unwrap_or(&"").to_string();
        rows.insert((*name).to_owned(), Row { state, tests });
    }
    rows
}

/// Every test function of the workspace, and the rules it names.
fn tests() -> BTreeMap<String, BTreeSet<String>> {
    let mut tests = BTreeMap::new();
    let mut folders = vec![root().join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                for name in functions(&source) {
                    tests.insert(name.to_owned(), named(name));
                }
            }
        }
    }
    tests
}

fn functions(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ")?.split(['(', '<']).next()
    })
}

/// `ple_11_bey_17_somebody_left` names PLE-11 and BEY-17.
fn named(test: &str) -> BTreeSet<String> {
    let words: Vec<&str> = test.split('_').collect();
    let mut rules = BTreeSet::new();
    for pair in words.chunks(2) {
        let [family, number] = pair else { break };
        if !FAMILIES.contains(family) || number.parse::<u32>().is_err() {
            break;
        }
        rules.insert(format!("{}-{number}", family.to_uppercase()));
    }
    rules
}

#[test]
fn every_rule_has_a_row_and_every_row_its_tests() {
    let (rules, rows, tests) = (rules(), rows(), tests());
    assert!(
        rules.len() > 300 && rows.len() > 300,
        "{} rules, {} rows",
        rules.len(),
        rows.len()
    );
    let mut errors = Vec::new();
    for (name, not_ours) in &rules {
        match rows.get(name) {
            None => errors.push(format!("{name} has no row")),
            Some(row) if *not_ours != (row.state == "not ours") => {
                errors.push(format!("{name}: page and row disagree about \"not ours\""));
            }
            Some(_) => {}
        }
    }
    for (name, row) in &rows {
        if name.contains('-') && !rules.contains_key(name) {
            errors.push(format!("{name} is no rule"));
        }
        match row.state.as_str() {
            "works" | "partly" if row.tests.is_empty() => {
                errors.push(format!("{name} is said to work, and no test proves it"));
            }
            "works" | "partly" | "not yet" | "not ours" => {}
            other => errors.push(format!("{name}: {other:?} is no state")),
        }
        for test in row.tests.iter().filter(|test| !tests.contains_key(*test)) {
            errors.push(format!("{name} names {test}, which does not exist"));
        }
    }
    for (test, names) in &tests {
        for name in names {
            match rows.get(name) {
                None => errors.push(format!("{test} names {name}, which is no rule")),
                Some(row) if !matches!(row.state.as_str(), "works" | "partly") => {
                    errors.push(format!(
                        "{test} proves {name}, whose row says {:?}",
                        row.state
                    ));
                }
                Some(row) if !row.tests.contains(test) => {
                    errors.push(format!("{test} is not in the row of {name}"));
                }
                Some(_) => {}
            }
        }
    }
    assert!(errors.is_empty(), "docs/status.md:\n{}", errors.join("\n"));
    let waiting = rows.values().filter(|row| row.state == "not yet").count();
    println!(
        "{} rules, {} rows, {waiting} without a test",
        rules.len(),
        rows.len()
    );
}

#[test]
fn a_test_s_name_gives_its_rules() {
    let rules = |test| named(test).into_iter().collect::<Vec<_>>();
    assert_eq!(rules("ple_11_bey_17_somebody_left"), ["BEY-17", "PLE-11"]);
    assert!(rules("the_ple_11").is_empty());
    assert!(rules("entry_is_shown").is_empty());
}
