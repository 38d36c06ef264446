//! A manifest tried on recorded answers, without a network.
//!
//! Whoever writes a manifest has a few answers of the vendor; the connector that
//! it describes reads them here as it would read the vendor, and then reads what
//! such answers become on a bad day: members that are null, missing or of another
//! kind, letters of any alphabet, one bad person among others, a body that stops.
//! What is wrong is told with the place in the manifest.
//!
//! | Module | What it is |
//! |---|---|
//! | `fixture` | the recorded answers of a folder |
//! | `tape` | the vendor, played from them |
//! | `probe` | does every field find its place in them? |
//! | `places` | the same, of a whole manifest |
//! | `bad_day` | rows as they become on a bad day |
//! | `played` | the recorded list of people, and the vendor that plays it |
//! | `judging` | what bad days make of people |
//! | `trying` | the checks, in their order |

mod bad_day;
mod fixture;
mod judging;
mod places;
mod played;
mod probe;
mod tape;
mod trying;

use serde::Serialize;

pub use fixture::Fixture;
pub use trying::try_recorded;

use crate::manifest::{Path, position};

/// Something that recorded answers show of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable code, such as `offline.field_not_there`.
    pub code: &'static str,
    /// Is it only said, because recorded answers cannot show more?
    pub note: bool,
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Collects findings of one manifest.
struct Findings<'a> {
    file: &'a str,
    text: &'a str,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn wrong(&mut self, path: &Path, code: &'static str, message: impl Into<String>) {
        self.add(path, code, false, message.into());
    }

    fn note(&mut self, path: &Path, code: &'static str, message: impl Into<String>) {
        self.add(path, code, true, message.into());
    }

    fn add(&mut self, path: &Path, code: &'static str, note: bool, message: String) {
        let (line, column) = position(self.text, path.offset(self.text).0);
        let finding = Finding {
            code,
            note,
            file: self.file.to_owned(),
            line,
            column,
            message,
        };
        if !self.found.contains(&finding) {
            self.found.push(finding);
        }
    }
}
