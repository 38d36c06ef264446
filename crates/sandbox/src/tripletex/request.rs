//! What a caller asked, read once and typed where it is used.

use jiff::civil::Date;

use crate::address::query_pairs;

use super::failure::Failure;
use super::resource::Resource;
use super::selection::{IllegalSelection, Selection};

/// Above this page size the vendor answers that the result is too large.
const MAX_COUNT: usize = 10_000;

/// One request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path's segments behind the base path, decoded.
    pub(crate) path: Vec<String>,
    pub(crate) query: Query,
    pub(crate) authorization: Option<String>,
    pub(crate) if_none_match: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// The parameters behind the question mark.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    pub(super) from: usize,
    pub(super) count: usize,
}

impl Query {
    pub(crate) fn of(text: &str) -> Self {
        Self {
            pairs: query_pairs(text),
        }
    }

    /// A parameter as text; an empty one counts as not given.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Failure> {
        self.text(name).ok_or_else(|| Failure::parameter(name))
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Failure> {
        self.text(name)
            .map(|text| text.trim().parse().map_err(|_| Failure::parameter(name)))
            .transpose()
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        self.parsed(name)
    }

    pub(super) fn id(&self, name: &str) -> Result<Option<u64>, Failure> {
        self.parsed(name)
    }

    pub(super) fn date(&self, name: &str) -> Result<Option<Date>, Failure> {
        self.parsed(name)
    }

    /// A comma list of ids.
    pub(super) fn ids(&self, name: &str) -> Result<Option<Vec<u64>>, Failure> {
        self.text(name)
            .map(|text| {
                text.split(',')
                    .map(|id| id.trim().parse().map_err(|_| Failure::id_list(name)))
                    .collect()
            })
            .transpose()
    }

    /// `from` and `count`.
    pub(super) fn page(&self, default_count: usize) -> Result<Page, Failure> {
        let from = self.parsed("from")?.unwrap_or(0);
        let count = self.parsed("count")?.unwrap_or(default_count);
        if count > MAX_COUNT {
            return Err(Failure::result_too_large());
        }
        Ok(Page { from, count })
    }

    /// `fields`, or `default` when it is not given.
    pub(super) fn selection(
        &self,
        resource: Resource,
        default: &str,
    ) -> Result<Selection, Failure> {
        let text = self.text("fields").unwrap_or(default);
        Selection::parse(resource, text).map_err(|illegal| match illegal {
            IllegalSelection::Field(name) => {
                Failure::illegal_filter(format!("Illegal field in fields filter: {name}"))
            }
            IllegalSelection::Form => {
                Failure::illegal_filter("The fields filter is not well formed")
            }
        })
    }
}
