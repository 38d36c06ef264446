//! Each target with its stored corpus, and with copies of it that were cut,
//! joined and changed: a fixed sample, or MUSTER_LAW_CASES=N changed copies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what supports a test may panic, like the test"
)]

use std::path::Path;

use muster_fuzz::TARGETS;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// One change of some bytes.
#[derive(Debug, Clone)]
enum Change {
    Put(prop::sample::Index, Vec<u8>),
    Cut(prop::sample::Index, usize),
    Set(prop::sample::Index, u8),
    Repeat(prop::sample::Index, usize, usize),
}

/// What means something to one of the readers.
const TOKENS: [&[u8]; 24] = [
    b"\"",
    b"\"\"",
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\xFF\xFE",
    b"\xEF\xBB\xBF",
    b"\xC3",
    b"\xE5",
    b"\x81",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"null",
    b"\n---\n",
    b"=",
    b"#",
    b"employee_number",
];

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    let token = prop::sample::select(TOKENS.to_vec()).prop_map(<[u8]>::to_vec);
    prop_oneof![
        (at(), token).prop_map(|(at, token)| Change::Put(at, token)),
        (at(), 1_usize..20).prop_map(|(at, length)| Change::Cut(at, length)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (at(), 1_usize..40, 2_usize..20)
            .prop_map(|(at, length, times)| Change::Repeat(at, length, times)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: Vec<Change>) -> Vec<u8> {
    for change in changes {
        let length = bytes.len() + 1;
        match change {
            Change::Put(at, token) => {
                let at = at.index(length);
                bytes.splice(at..at, token);
            }
            Change::Cut(at, cut) => {
                let at = at.index(length);
                let end = (at + cut).min(bytes.len());
                bytes.drain(at..end);
            }
            Change::Set(at, byte) => {
                let at = at.index(length);
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
            }
            Change::Repeat(at, piece, times) => {
                let at = at.index(length);
                let end = (at + piece).min(bytes.len());
                let again = bytes[at..end].repeat(times);
                bytes.splice(at..at, again);
            }
        }
    }
    bytes
}

#[test]
fn no_target_falls_over_its_corpus_or_what_becomes_of_it() {
    let cases = std::env::var("MUSTER_LAW_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(1500);
    for (name, target) in TARGETS {
        let corpus = corpus(name);
        assert!(!corpus.is_empty(), "{name} has a corpus");
        for bytes in &corpus {
            target(bytes);
        }
        let config = Config {
            cases,
            failure_persistence: None,
            ..Config::default()
        };
        // The same sample each time; a longer one begins with it.
        let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let bytes = (
            prop::sample::select(corpus),
            prop::collection::vec(change(), 1..6),
        )
            .prop_map(|(bytes, changes)| changed(bytes, changes));
        TestRunner::new_with_rng(config, random)
            .run(&bytes, |bytes| {
                target(&bytes);
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// A target that never gets past the first check would prove nothing.
#[test]
fn the_corpus_holds_right_files_too() {
    for name in ["csv", "ndjson", "diff", "manifest"] {
        let right = corpus(name)
            .iter()
            .filter(|bytes| match name {
                "manifest" => std::str::from_utf8(bytes)
                    .is_ok_and(|text| muster_connect::manifest::check_manifest(text).is_empty()),
                _ => reads(if name == "ndjson" { bytes } else { &bytes[1..] }),
            })
            .count();
        assert!(right > 0, "{name} has no right file");
    }
}

fn reads(bytes: &[u8]) -> bool {
    let bytes = Box::new(std::io::Cursor::new(bytes.to_vec()));
    muster_files::TableReader::from_reader(bytes, &muster_files::ReadOptions::default())
        .and_then(|mut reader| {
            while reader.next_block()?.is_some() {}
            Ok(())
        })
        .is_ok()
}
