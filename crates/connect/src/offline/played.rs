//! The recorded list of people, and the vendor that plays it.

use serde_json::{Map, Value as Json};

use super::fixture::fits;
use super::tape::Tape;
use super::trying::Kit;
use crate::manifest::{self, Manifest, Path, People, Speaks};
use crate::pointer::Pointer;

/// The list of people that is played.
pub(super) struct Played<'a> {
    pub(super) people: &'a People,
    pub(super) path: Path,
    /// Method and path of its request, as fixtures name it.
    pub(super) key: (String, String),
    /// The recorded pages.
    pub(super) pages: Vec<Json>,
    /// Their rows.
    pub(super) rows: Vec<Json>,
}

impl<'a> Kit<'a> {
    /// The first list of people that default settings mean, with what was recorded of it.
    pub(super) fn people(&mut self) -> Option<Played<'a>> {
        let manifest: &'a Manifest = self.manifest;
        let settings = self.settings();
        let meant = |people: &&People| {
            (people.when.iter()).all(|(name, value)| settings.settings.get(name) == Some(value))
        };
        let place = manifest.people.iter().position(|people| meant(&people))?;
        let people = manifest.people.get(place)?;
        let path = Path::default().name("people").place(place);
        let (method, address) = (method(people), self.full(&people.request.path));
        let Some(pages) = self.recorded.find(&method, &address) else {
            let message = format!(
                "the fixtures hold no answer to {method} {}, so nothing was played; record one \
                 under that name",
                people.request.path
            );
            self.findings
                .note(&path.name("request"), "offline.not_played", message);
            return None;
        };
        let key = (self.recorded.answers.keys())
            .find(|(known, pattern)| *known == method && fits(pattern, &address))?
            .clone();
        let mut rows = Vec::new();
        for page in pages {
            let tree = tree_of(page, manifest.speaks);
            match rows_at(people, &tree) {
                Some(found) => rows.extend(found),
                None if manifest.lists_may_be_missing || manifest.speaks == Speaks::Xml => {}
                None => {
                    let message = format!(
                        "the recorded answer has no list at {:?}; it has: {}",
                        people.rows,
                        names(&tree)
                    );
                    self.findings
                        .wrong(&path.name("rows"), "offline.list_not_found", message);
                    return None;
                }
            }
        }
        if rows.is_empty() {
            let message = "the recorded list has no rows; record one with a person or two";
            self.findings.note(&path, "offline.not_played", message);
            return None;
        }
        let id = Pointer::parse(&people.id).ok()?;
        if rows
            .iter()
            .all(|row| id.find(row).is_none_or(Json::is_null))
        {
            let message = format!(
                "no recorded row has an id at {}; a row has: {}",
                people.id,
                rows.first().map(names).unwrap_or_default()
            );
            self.findings
                .wrong(&path.name("id"), "offline.no_id", message);
            return None;
        }
        Some(Played {
            people,
            path,
            key,
            pages: pages.clone(),
            rows,
        })
    }

    /// Rows of the joined lists that were recorded.
    pub(super) fn joined(&self) -> Vec<(String, Vec<Json>)> {
        let mut joined = Vec::new();
        for (name, join) in &self.manifest.joins {
            let address = self.full(&pattern(&join.request.path));
            let method = match join.request.method {
                manifest::Method::Post => "POST",
                _ => "GET",
            };
            let pages = self.recorded.find(method, &address);
            let mut rows = Vec::new();
            for page in pages.into_iter().flatten() {
                let mut tree = tree_of(page, self.manifest.speaks);
                let found = Pointer::parse(&join.rows)
                    .ok()
                    .and_then(|pointer| pointer.take(&mut tree));
                match found {
                    Some(Json::Array(list)) => rows.extend(list),
                    Some(Json::Object(map)) if join.keyed => {
                        rows.extend(map.into_iter().map(|(_, row)| row));
                    }
                    Some(row @ Json::Object(_)) => rows.push(row),
                    _ => {}
                }
            }
            if !rows.is_empty() {
                joined.push((name.clone(), rows));
            }
        }
        joined
    }

    /// The path with that of the base address before it.
    fn full(&self, path: &str) -> String {
        let base = self
            .info
            .base_urls
            .first()
            .map_or("", |base| base.url.as_str());
        let base = base.split_once("://").map_or("", |(_, rest)| rest);
        let base = base.split_once('/').map_or("", |(_, path)| path);
        match (base.trim_matches('/'), path) {
            (_, path) if path.starts_with("https://") => path.to_owned(),
            ("", path) => pattern(path),
            (base, path) => format!("/{base}{}", pattern(path)),
        }
    }

    /// The vendor with these pages of people.
    pub(super) fn tape(&self, played: &Played<'_>, pages: &[Json]) -> Tape {
        let mut tape = Tape::new(self.recorded, self.otherwise());
        let written = |page: &Json| match page {
            Json::String(text) => text.clone(),
            page => page.to_string(),
        };
        tape.answers
            .insert(played.key.clone(), pages.iter().map(written).collect());
        let last = pages
            .last()
            .and_then(|page| with_rows(played.people, page, Vec::new()));
        if let Some(end) = last {
            tape.ends.insert(played.key.clone(), end.to_string());
        }
        tape
    }

    /// Answers to what was not recorded: a company of some name, and lists of none.
    fn otherwise(&self) -> Vec<(String, String)> {
        let mut made = Vec::new();
        if let Some(company) = &self.manifest.company {
            if let (Some(request), Some(id)) = (&company.request, company.id.0.first()) {
                let body = around(id, Json::from("recorded"));
                made.push((self.full(&request.path), body.to_string()));
            }
            if let Some(list) = &company.rights_list {
                let body = around(&list.rows, Json::Array(Vec::new()));
                made.push((self.full(&list.request.path), body.to_string()));
            }
        }
        for join in self.manifest.joins.values() {
            let body = around(&join.rows, Json::Array(Vec::new()));
            made.push((self.full(&join.request.path), body.to_string()));
        }
        for people in &self.manifest.people {
            let body = around(&people.rows, Json::Array(Vec::new()));
            made.push((self.full(&people.request.path), body.to_string()));
        }
        if let Some(discovery) = &self.manifest.discovery {
            let body = around(&discovery.rows, Json::Array(Vec::new()));
            made.push((self.full(&discovery.request.path), body.to_string()));
        }
        made
    }
}

fn method(people: &People) -> String {
    match people.request.method {
        manifest::Method::Get => "GET",
        manifest::Method::Post => "POST",
        manifest::Method::Put => "PUT",
        manifest::Method::Patch => "PATCH",
    }
    .to_owned()
}

/// A path with a star for each segment that holds an expression.
fn pattern(path: &str) -> String {
    let mut plain = String::new();
    let mut depth = 0_u32;
    for letter in path.chars() {
        match letter {
            '{' => {
                if depth == 0 {
                    plain.push('*');
                }
                depth += 1;
            }
            '}' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            letter => plain.push(letter),
        }
    }
    plain
}

/// An answer as the tree that pointers point into.
fn tree_of(answer: &Json, speaks: Speaks) -> Json {
    match (answer, speaks) {
        (Json::String(text), Speaks::Xml) => crate::xml::parse(text.as_bytes()).unwrap_or_default(),
        (answer, _) => answer.clone(),
    }
}

fn rows_at(people: &People, tree: &Json) -> Option<Vec<Json>> {
    let pointer = Pointer::parse(&people.rows).ok()?;
    match pointer.find(tree)? {
        Json::Array(rows) => Some(rows.clone()),
        Json::Object(map) if people.keyed => Some(map.values().cloned().collect()),
        one @ Json::Object(_) => Some(vec![one.clone()]),
        _ => None,
    }
}

/// The answer with other rows, and with the numbers that speak of them.
pub(super) fn with_rows(people: &People, page: &Json, rows: Vec<Json>) -> Option<Json> {
    let mut page = page.clone();
    let count = Json::from(rows.len());
    let list = match people.keyed {
        false => Json::Array(rows),
        true => {
            let named = rows.into_iter().enumerate();
            Json::Object(
                named
                    .map(|(number, row)| (number.to_string(), row))
                    .collect::<Map<_, _>>(),
            )
        }
    };
    let is_end = count == 0;
    *page.pointer_mut(&people.rows)? = list;
    let paging = &people.paging;
    let end =
        (paging.offset.as_ref().map(|one| &one.end)).or(paging.page.as_ref().map(|one| &one.end));
    if let Some(said) = end.and_then(|end| end.count.as_ref())
        && let Some(place) = page.pointer_mut(said)
    {
        *place = count.clone();
    }
    if let Some(said) = end.and_then(|end| end.total.as_ref())
        && let Some(place) = page.pointer_mut(said)
        && !is_end
    {
        *place = count;
    }
    if is_end
        && let Some(begins) = paging.offset.as_ref().and_then(|one| one.begins.as_ref())
        && let Some(place) = page.pointer_mut(begins)
    {
        *place = Json::Null;
    }
    Some(page)
}

/// The answer without its list.
pub(super) fn without_rows(people: &People, page: &Json) -> Option<Json> {
    let mut page = page.clone();
    let (around, name) = people.rows.rsplit_once('/')?;
    page.pointer_mut(around)?.as_object_mut()?.remove(name)?;
    Some(page)
}

/// A value at the end of a pointer, with what must be around it.
fn around(pointer: &str, value: Json) -> Json {
    let names = pointer.split('/').skip(1).collect::<Vec<_>>();
    names
        .into_iter()
        .rev()
        .fold(value, |inner, name| match name.parse::<usize>() {
            Ok(_) => Json::Array(vec![inner]),
            Err(_) => Json::Object(Map::from_iter([(name.to_owned(), inner)])),
        })
}

/// Names of the members of an answer, without what stands in them.
fn names(tree: &Json) -> String {
    match tree {
        Json::Object(members) => {
            let names: Vec<&str> = members.keys().take(40).map(String::as_str).collect();
            names.join(", ")
        }
        Json::Array(_) => "a list".to_owned(),
        _ => "one value".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_expressions_are_patterns() {
        assert_eq!(pattern("/people/{id}/jobs"), "/people/*/jobs");
        assert!(fits("/people/*/jobs", "/v2/people/4/jobs"));
        assert!(fits("/v2/token/>whoAmI", "/v2/token/%3EwhoAmI"));
        assert!(!fits("/people", "/people/4"));
        assert_eq!(
            around("/data/0/id", Json::from(1)).to_string(),
            r#"{"data":[{"id":1}]}"#
        );
    }
}
