//! What is joined to people: small lists read before, and requests for each
//! person or batch of a page.

use std::collections::{HashMap, HashSet};

use futures::StreamExt as _;
use serde_json::Value as Json;

use super::compiled::{By, CompiledJoin};
use super::reading::{Reader, id};
use super::record::Row;
use super::vendor::Variables;
use crate::error::{ConnectError, ErrorKind};
use crate::expression::Scope;
use crate::manifest::{Meaning, Per};

/// Joins the rows of one read.
pub(super) struct Joiner<'a> {
    /// Those that the scope needs, with what was read before.
    joins: Vec<(&'a CompiledJoin, HashMap<String, Json>)>,
    names: Vec<String>,
    /// Lists that could not be read, each with the reason.
    failed: Vec<String>,
}

/// Rows with what was joined to them.
pub(super) struct Joined {
    pub(super) rows: Vec<Row>,
    /// The last failure that made a row less than whole.
    pub(super) failure: Option<ConnectError>,
}

impl<'a> Joiner<'a> {
    /// Reads the lists that the scope needs.
    pub(super) async fn prepare(reader: &Reader<'a>) -> Result<Self, ConnectError> {
        let mut joins = Vec::new();
        let (mut names, mut failed) = (Vec::new(), Vec::new());
        for join in &reader.compiled.joins {
            if !reader
                .compiled
                .mapping
                .needs(&join.name, &reader.request.fields)
            {
                continue;
            }
            let known = match join.per {
                Per::Read => match known(reader, join).await {
                    Ok(known) => known,
                    Err(error) if join.optional && error.is_of_one_answer() => {
                        tracing::warn!(code = error.code(), join = join.name, "not joined");
                        failed.push(format!("{}: {}", join.name, error.in_short()));
                        HashMap::new()
                    }
                    Err(error) => return Err(error),
                },
                Per::Batch | Per::Person => HashMap::new(),
            };
            joins.push((join, known));
            names.push(join.name.clone());
        }
        Ok(Self {
            joins,
            names,
            failed,
        })
    }

    /// The lists that could not be read, each with the reason: nothing that would
    /// come from them is said of anybody.
    pub(super) fn failed(&self) -> &[String] {
        &self.failed
    }

    /// The names of the joined trees, in the order of [`Row::joined`].
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Joins a page.
    pub(super) async fn join(
        &self,
        reader: &Reader<'_>,
        mut rows: Vec<Row>,
    ) -> Result<Joined, ConnectError> {
        let mut failure = None;
        for (join, known) in &self.joins {
            match join.per {
                Per::Read => {
                    let general = reader.vendor.general(Some(reader.request.today));
                    for row in &mut rows {
                        let by = join.by_of(row, &general.scope());
                        row.whole &= by.is_ok();
                        let by = by.unwrap_or_default();
                        let trees = by.iter().filter_map(|by| known.get(by)).cloned();
                        row.joined.push(join.put_together(trees));
                    }
                }
                Per::Batch => {
                    let mut found = HashMap::new();
                    let general = reader.vendor.general(Some(reader.request.today));
                    let of_rows: Vec<Vec<String>> = (rows.iter_mut())
                        .map(|row| {
                            let by = join.by_of(row, &general.scope());
                            row.whole &= by.is_ok();
                            by.unwrap_or_default()
                        })
                        .collect();
                    let keys = distinct(&of_rows);
                    let mut missed: HashSet<String> = HashSet::new();
                    let batches: Vec<_> = (keys.chunks(join.batch))
                        .map(|ids| batch(reader, join, ids))
                        .collect();
                    let answers = futures::stream::iter(batches)
                        .buffered(reader.concurrent)
                        .collect::<Vec<_>>()
                        .await;
                    for (ids, answered) in keys.chunks(join.batch).zip(answers) {
                        match answered {
                            Ok(trees) => found.extend(trees),
                            Err(error) => {
                                failure = Some(forgiven(error)?);
                                missed.extend(ids.iter().cloned());
                            }
                        }
                    }
                    for (row, of_row) in rows.iter_mut().zip(of_rows) {
                        row.whole &= !of_row.iter().any(|by| missed.contains(by));
                        let trees = of_row.iter().filter_map(|by| found.get(by)).cloned();
                        row.joined.push(join.put_together(trees));
                    }
                }
                Per::Person => {
                    let each: Vec<_> = rows.iter().map(|row| person(reader, join, row)).collect();
                    let trees = futures::stream::iter(each)
                        .buffered(reader.concurrent)
                        .collect::<Vec<_>>()
                        .await;
                    for (row, tree) in rows.iter_mut().zip(trees) {
                        row.joined.push(match tree {
                            Ok(tree) => tree,
                            Err(error) => {
                                failure = Some(forgiven(error)?);
                                row.whole = false;
                                Json::Null
                            }
                        });
                    }
                }
            }
        }
        Ok(Joined { rows, failure })
    }
}

/// Each key once, in the order of the rows.
fn distinct(of_rows: &[Vec<String>]) -> Vec<String> {
    let mut seen = HashSet::new();
    (of_rows.iter().flatten())
        .filter(|key| seen.insert(key.as_str()))
        .cloned()
        .collect()
}

/// A failure that only makes one record less than whole.
fn forgiven(error: ConnectError) -> Result<ConnectError, ConnectError> {
    match error.is_of_one_answer() {
        true => Ok(error),
        false => Err(error),
    }
}

impl CompiledJoin {
    /// What a person's row is joined by: one key, none, or several; an error when an
    /// expression cannot tell.
    fn by_of(&self, row: &Row, general: &Scope<'_>) -> Result<Vec<String>, ()> {
        Ok(match &self.by {
            By::Id => vec![row.id.clone()],
            By::Pointer(by) => by.find(&row.tree).and_then(id).into_iter().collect(),
            By::Expression(by) => {
                let given = by.run(&general.clone().with("row", &row.tree));
                match given.map_err(|_| ())? {
                    Json::Array(several) => several.iter().filter_map(id).collect(),
                    one => id(&one).into_iter().collect(),
                }
            }
        })
    }

    /// The tree of a person of the trees of each key.
    fn put_together(&self, mut trees: impl Iterator<Item = Json>) -> Json {
        if !self.many {
            return trees.next().unwrap_or_default();
        }
        let mut all = Vec::new();
        for tree in trees {
            match tree {
                Json::Array(mut rows) => all.append(&mut rows),
                other => all.push(other),
            }
        }
        match all.is_empty() {
            // Nothing was found: the source does not show its list.
            true => Json::Null,
            false => Json::Array(all),
        }
    }

    fn keep(&self, into: &mut HashMap<String, Json>, row: Json) {
        let Some(key) = self.key.as_ref().and_then(|key| id(key.find(&row)?)) else {
            return;
        };
        match (self.many, into.get_mut(&key)) {
            (true, Some(Json::Array(list))) => list.push(row),
            (true, _) => {
                into.insert(key, Json::Array(vec![row]));
            }
            // The first of several counts.
            (false, Some(_)) => {}
            (false, None) => {
                into.insert(key, row);
            }
        }
    }
}

async fn known(
    reader: &Reader<'_>,
    join: &CompiledJoin,
) -> Result<HashMap<String, Json>, ConnectError> {
    let mut known = HashMap::new();
    let today = Some(reader.request.today);
    let read = reader
        .vendor
        .all(&join.list, &Variables::default(), today, |row| {
            join.keep(&mut known, row)
        })
        .await;
    match read {
        Ok(()) => Ok(known),
        Err(error) if join.optional && error.kind() == ErrorKind::Rights => {
            tracing::warn!(
                code = error.code(),
                join = join.name,
                "not joined: a right is missing"
            );
            Ok(HashMap::new())
        }
        Err(error) => Err(error),
    }
}

async fn batch(
    reader: &Reader<'_>,
    join: &CompiledJoin,
    ids: &[String],
) -> Result<HashMap<String, Json>, ConnectError> {
    let mut found = HashMap::new();
    let variables = Variables::default().with("ids", ids.to_vec());
    let today = Some(reader.request.today);
    let read = reader
        .vendor
        .all(&join.list, &variables, today, |row| {
            join.keep(&mut found, row)
        })
        .await;
    match read {
        Err(error) if join.optional && error.kind() == ErrorKind::Rights => Ok(HashMap::new()),
        Err(error) => Err(error),
        Ok(()) => Ok(found),
    }
}

/// The tree of one person; a record that is not there joins nothing.
async fn person(reader: &Reader<'_>, join: &CompiledJoin, row: &Row) -> Result<Json, ConnectError> {
    let variables = Variables::default()
        .with("id", row.id.as_str())
        .with("row", row.tree.clone());
    let answer = reader.vendor.ask(&join.list.request, &variables).await?;
    match reader.vendor.refusals.meaning(&answer) {
        None => {}
        Some(Meaning::NotFound) => return Ok(Json::Null),
        Some(Meaning::Rights) if join.optional => return Ok(Json::Null),
        Some(_) => return Err(reader.vendor.refusals.error(&answer)),
    }
    let mut tree = answer.json;
    let found = join.list.rows.take(&mut tree).unwrap_or_default();
    Ok(match (join.many, found) {
        (true, Json::Object(map)) if join.list.keyed => {
            Json::Array(map.into_iter().map(|(_, row)| row).collect())
        }
        (true, Json::Null) => Json::Array(Vec::new()),
        (true, one @ Json::Object(_)) => Json::Array(vec![one]),
        (false, Json::Array(mut list)) if !list.is_empty() => list.swap_remove(0),
        (_, found) => found,
    })
}
