//! One person, with each step of each field.
//!
//! What is sealed is not shown, at any step.

use muster_model::{ExternalId, Field, SourceRecord};
use serde::Serialize;
use serde_json::Value as Json;

use super::compiled::{CompiledPeople, take_rows};
use super::confirmation::is_gone;
use super::joining::{Joined, Joiner};
use super::mapping::{CompiledMapping, Steps};
use super::reading::Reader;
use super::record::{OF_EMPLOYMENT, Row};
use super::streaming::Wanted;
use super::vendor::{Unlisted, Variables};
use crate::connector::FieldScope;
use crate::error::ConnectError;
use crate::expression::Scope;
use crate::http::{MOST_TRIES, back_off};

/// Pages that are looked through for somebody whom the vendor does not give by id.
const MOST_PAGES: u32 = 1_000;

/// What is shown of a value that is sealed.
const SEALED: &str = "••••";

/// What becomes of one person's fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// The record's id.
    pub external_id: String,
    /// Could everything be read that belongs to the record?
    pub whole: bool,
    /// Each mapped field.
    pub fields: Vec<FieldTrial>,
    /// The canonical person, as `pull` prints it, sealed fields masked.
    pub canonical: serde_json::Map<String, Json>,
}

/// What becomes of one field.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldTrial {
    /// The canonical name.
    pub field: String,
    /// What stood at each pointer, in their order; null where nothing did.
    pub found: Vec<(String, Json)>,
    /// The expression, and what it gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<(String, Json)>,
    /// What the source's code means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Json>,
    /// The canonical value; null where the source does not say, or it cannot be read.
    pub value: Json,
    /// Why it cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

impl Reader<'_> {
    /// Tries one person.
    pub(super) async fn trial(&self, wanted: &ExternalId) -> Result<Option<Trial>, ConnectError> {
        let general = self.vendor.general(Some(self.request.today));
        let scope = general.scope();
        let Some(row) = self.row_of(wanted, &scope).await? else {
            return Ok(None);
        };
        let joiner = Joiner::prepare(self).await?;
        let Joined { mut rows, failure } = joiner.join(self, vec![row]).await?;
        if let Some(error) = failure {
            return Err(error);
        }
        let mapping = &self.compiled.mapping;
        let fields = &self.request.fields;
        for row in &mut rows {
            mapping.derive(row, joiner.names(), &scope, fields);
        }
        Ok(rows.first().map(|row| {
            let record = mapping.record(row, joiner.names(), &scope, fields, self.rules);
            let trees = mapping.trees(row, joiner.names(), &scope);
            let canonical = record.on(self.request.today);
            let tried = mapping
                .fields
                .iter()
                .filter(|(field, _)| is_shown(*field, fields))
                .map(|(field, mapping)| {
                    let mut steps = Steps::default();
                    mapping.steps(&trees, &mut steps);
                    tried(*field, mapping, steps, &canonical, &record)
                })
                .collect();
            Trial {
                external_id: row.id.clone(),
                whole: record.whole,
                fields: tried,
                canonical: masked(&canonical),
            }
        }))
    }

    /// The row of one person: by its id where the vendor gives the same row
    /// so, else from the lists.
    async fn row_of(
        &self,
        wanted: &ExternalId,
        scope: &Scope<'_>,
    ) -> Result<Option<Row>, ConnectError> {
        if let (Some(by_id), Some(people)) = (
            self.compiled.by_id.as_ref().filter(|by_id| by_id.whole_row),
            self.compiled.people.first(),
        ) {
            let variables = (self.variables(people).with("id", wanted.as_str()))
                .with("ids", vec![wanted.as_str()]);
            let mut answer = self.vendor.ask(&by_id.request, &variables).await?;
            if is_gone(self.vendor, by_id, &answer) {
                return Ok(None);
            }
            if self.vendor.refusals.meaning(&answer).is_some() {
                return Err(self.vendor.refusals.error(&answer));
            }
            let rows = match by_id.batch {
                1 => by_id.rows.take(&mut answer.json).into_iter().collect(),
                _ => take_rows(&by_id.rows, false, &mut answer.json).unwrap_or_default(),
            };
            let found = (rows.into_iter())
                .find(|tree| people.id_of(tree).as_deref() == Some(wanted.as_str()));
            return Ok(found.and_then(|tree| {
                people
                    .row(wanted.as_str().to_owned(), tree, scope)
                    .ok()
                    .flatten()
            }));
        }
        for people in &self.compiled.people {
            let variables = self.variables(people);
            if let Some(rows) = people.list.streams(&self.vendor.refusals) {
                let found = self.found(people, rows, &variables, wanted).await?;
                if let Some(tree) = found {
                    let id = wanted.as_str().to_owned();
                    return Ok(people.row(id, tree, scope).ok().flatten());
                }
                continue;
            }
            let (mut at, mut seen) = (people.list.paging.first(), 0);
            for _ in 0..MOST_PAGES {
                let today = Some(self.request.today);
                let page = self
                    .vendor
                    .page(&people.list, &at, seen, &variables, today)
                    .await?;
                seen += page.rows.len() as u64;
                let found = (page.rows.into_iter())
                    .find(|tree| people.id_of(tree).as_deref() == Some(wanted.as_str()));
                if let Some(tree) = found {
                    let id = wanted.as_str().to_owned();
                    return Ok(people.row(id, tree, scope).ok().flatten());
                }
                match page.turn.next {
                    Some(next) if next != at => at = next,
                    _ => break,
                }
            }
        }
        Ok(None)
    }

    /// The row of one person in a list that is one answer; a body that breaks is asked
    /// for again.
    async fn found(
        &self,
        people: &CompiledPeople,
        rows: Wanted,
        variables: &Variables,
        wanted: &ExternalId,
    ) -> Result<Option<Json>, ConnectError> {
        let mut tried = 1;
        loop {
            let rows = rows.clone();
            match self.looked_for(people, rows, variables, wanted).await? {
                Ok(found) => return Ok(found),
                Err(error) if !error.is_broken_body() || tried == MOST_TRIES => return Err(error),
                Err(_) => self.vendor.http.pause(back_off(tried)).await,
            }
            tried += 1;
        }
    }

    /// The same in one body, of which what follows the row is not read; the inner error
    /// is that of a body that broke.
    async fn looked_for(
        &self,
        people: &CompiledPeople,
        rows: Wanted,
        variables: &Variables,
        wanted: &ExternalId,
    ) -> Result<Result<Option<Json>, ConnectError>, ConnectError> {
        let today = Some(self.request.today);
        let mut stream = (self.vendor)
            .rows(&people.list, rows, variables, today)
            .await?;
        while let Some(batch) = stream.next().await {
            let found = (batch.into_iter())
                .find(|tree| people.id_of(tree).as_deref() == Some(wanted.as_str()));
            if found.is_some() {
                return Ok(Ok(found));
            }
        }
        match self.vendor.ended(stream).await {
            Ok(()) => Ok(Ok(None)),
            Err(Unlisted::Broken(error)) => Ok(Err(error)),
            Err(Unlisted::Refused(error)) => Err(error),
        }
    }
}

fn is_shown(field: Field, scope: &FieldScope) -> bool {
    scope.has(field) || (OF_EMPLOYMENT.contains(&field) && scope.has(Field::Engagements))
}

fn tried(
    field: Field,
    mapping: &CompiledMapping,
    steps: Steps,
    canonical: &muster_model::Fields,
    record: &SourceRecord,
) -> FieldTrial {
    let shown = |value: Json| match (field.is_sealed(), value) {
        (_, Json::Null) => Json::Null,
        (true, _) => Json::String(SEALED.to_owned()),
        (false, value) => value,
    };
    let made = |made: Result<Json, crate::expression::Fault>| match made {
        Ok(value) => shown(value),
        Err(fault) => Json::String(format!("({})", fault.words())),
    };
    let mut found: Vec<(String, Json)> = (steps.found.into_iter())
        .map(|(pointer, value)| (pointer, shown(value.unwrap_or_default())))
        .collect();
    if mapping.address.is_some() {
        found.push(("(parts of an address)".to_owned(), Json::Null));
    }
    FieldTrial {
        field: field.name().to_owned(),
        found,
        expression: steps.expression.map(|(text, value)| (text, made(value))),
        code: steps.code,
        date: steps.date.map(made),
        value: canonical
            .value(field)
            .map_or(Json::Null, |value| shown(value.to_json())),
        problems: (record.problems.iter())
            .filter(|problem| problem.field == field)
            .map(|problem| format!("{}: {}", problem.code, problem.message))
            .collect(),
    }
}

fn masked(fields: &muster_model::Fields) -> serde_json::Map<String, Json> {
    let mut person = fields.to_json();
    for field in Field::ALL.into_iter().filter(|field| field.is_sealed()) {
        if let Some(value) = person.get_mut(field.name())
            && !value.is_null()
        {
            *value = Json::String(SEALED.to_owned());
        }
    }
    person
}
