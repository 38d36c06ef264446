//! The vendor, played from recorded answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde_json::Value as Json;

use super::fixture::{Recorded, fits};
use crate::http::Play;

/// What plays.
pub(super) struct Tape {
    /// Bodies by method and pattern of the path, pages in their order.
    pub(super) answers: BTreeMap<(String, String), Vec<String>>,
    /// Bodies behind the last page of a list: the same without rows.
    pub(super) ends: BTreeMap<(String, String), String>,
    /// Bodies for what was not recorded: lists of none.
    pub(super) otherwise: Vec<(String, String)>,
    /// How often each was asked for, and what was asked for and is not there.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    asked: BTreeMap<(String, String), usize>,
    missing: BTreeSet<String>,
}

impl Tape {
    pub(super) fn new(recorded: &Recorded, otherwise: Vec<(String, String)>) -> Self {
        let written = |pages: &Vec<Json>| pages.iter().map(body).collect();
        let answers = (recorded.answers.iter())
            .map(|(key, pages)| (key.clone(), written(pages)))
            .collect();
        Self {
            answers,
            ends: BTreeMap::new(),
            otherwise,
            state: Mutex::default(),
        }
    }

    /// What was asked for and was not recorded.
    pub(super) fn missing(&self) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.missing.iter().cloned().collect()
    }
}

/// An answer as it goes over the wire; XML is kept as text.
fn body(answer: &Json) -> String {
    match answer {
        Json::String(text) => text.clone(),
        answer => answer.to_string(),
    }
}

impl Play for Tape {
    fn play(&self, method: &str, path: &str) -> (u16, String) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let found = (self.answers.iter())
            .find(|((known, pattern), _)| known == method && fits(pattern, path));
        if let Some((key, pages)) = found {
            let asked = state.asked.entry(key.clone()).or_default();
            // Behind the last page there is nobody; whoever still pages on then does
            // not see the end that the vendor tells.
            let behind = || self.ends.get(key).or(pages.last());
            let page = pages.get(*asked).or_else(behind);
            *asked += 1;
            return (200, page.cloned().unwrap_or_default());
        }
        state.missing.insert(format!("{method} {path}"));
        let otherwise = self
            .otherwise
            .iter()
            .find(|(pattern, _)| fits(pattern, path));
        match otherwise {
            Some((_, body)) => (200, body.clone()),
            None => (404, String::new()),
        }
    }
}
