//! The pages that an administrator reads say what the program does: every
//! table of `docs/engine/` equals the data, cell by cell.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where its made-up house is wrong"
)]

use muster_model::{Reaction, Situation};
use muster_reconcile::tables;

/// The table of a page whose header begins with this cell, without the header;
/// emphasis and code marks are how a page says it, not what it says.
fn page(name: &str, first_header: &str) -> Vec<Vec<String>> {
    let path = format!("{}/../../docs/engine/{name}.md", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let cells = |line: &str| -> Vec<String> {
        plain(line)
            .trim()
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let table: Vec<Vec<String>> = text
        .lines()
        .skip_while(|line| !line.starts_with('|') || cells(line)[0] != first_header)
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(cells)
        .collect();
    assert!(!table.is_empty(), "{path} has no table {first_header:?}");
    table
}

fn plain(text: &str) -> String {
    text.replace(['*', '`'], "")
}

fn assert_same(name: &str, page: &[Vec<String>], program: &[Vec<String>]) {
    for (said, done) in page.iter().zip(program) {
        let done: Vec<String> = done.iter().map(|cell| plain(cell)).collect();
        for (column, (said, done)) in said.iter().zip(&done).enumerate() {
            assert_eq!(said, done, "{name}.md, line {:?}, column {column}", done);
        }
        assert_eq!(said.len(), done.len(), "{name}.md, cells of {said:?}");
    }
    assert_eq!(page.len(), program.len(), "{name}.md, number of lines");
}

#[test]
fn the_presets_page_is_what_the_presets_do() {
    assert_same("presets", &page("presets", "choice"), &tables::presets());
}

#[test]
fn the_trust_page_is_what_the_gate_asks() {
    assert_same("trust", &page("trust", "Needs"), &tables::trust());
}

#[test]
fn the_brakes_page_is_what_the_brakes_hold() {
    assert_same("brakes", &page("brakes", "kind"), &tables::brakes());
}

#[test]
fn the_comparing_page_is_what_comparing_finds() {
    assert_same(
        "comparing",
        &page("comparing", "base"),
        &tables::comparing(),
    );
}

#[test]
fn the_reactions_page_names_every_reaction_once() {
    assert_same(
        "reactions",
        &page("reactions", "reaction"),
        &tables::reactions(),
    );
    let listed: Vec<Reaction> = tables::REACTIONS
        .iter()
        .flat_map(|(reactions, _)| reactions.iter().copied())
        .collect();
    assert_eq!(listed, Reaction::ALL);
}

#[test]
fn the_states_page_names_every_situation_once() {
    let page: Vec<String> = page("states", "situation")
        .into_iter()
        .map(|mut line| line.swap_remove(0))
        .collect();
    let words: Vec<&str> = Situation::ALL.iter().map(|one| one.word()).collect();
    assert_eq!(page, words);
}
