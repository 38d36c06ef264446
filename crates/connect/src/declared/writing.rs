//! Writing fields of one record, as a manifest says it, and reading records back.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use muster_model::{ExternalId, Field};
use serde_json::{Map, Value as Json};

use super::call::CompiledCall;
use super::compiled::{CompiledById, take_rows};
use super::compiling::{Compiling, GENERAL};
use super::confirmation::is_gone;
use super::joining::{Joined, Joiner};
use super::not_made;
use super::reading::Reader;
use super::record::Row;
use super::vendor::Variables;
use crate::error::{ConnectError, ErrorKind};
use crate::expression::{Expression, Scope};
use crate::manifest::{Meaning, Path};
use crate::writing::{Fetched, RecordWrite, WriteAnswer, Written};

/// How fields are written.
pub(super) struct CompiledWrite {
    request: CompiledCall,
    fields: Vec<(Field, CompiledProperty)>,
}

/// The vendor's property of a field.
struct CompiledProperty {
    /// Its place in the body: names from the outside in.
    place: Vec<String>,
    value: Option<Expression>,
}

/// Compiles the write abilities of a manifest.
pub(super) fn compile(compiling: &mut Compiling<'_>) -> Option<CompiledWrite> {
    let manifest = compiling.manifest();
    let written = manifest.write.as_ref()?;
    let path = Path::default().name("write");
    let mut variables = GENERAL.to_vec();
    variables.extend(["id", "body"]);
    let request = CompiledCall::compile(
        compiling,
        &path.name("request"),
        &written.request,
        &variables,
    );
    if !manifest.by_id.iter().any(|by_id| by_id.whole_row) {
        let message = "whoever writes reads back: [[by_id]] with whole_row = true is needed";
        compiling.flaw(&path, "manifest.write", message);
    }
    let mut fields = Vec::new();
    for (name, property) in &written.fields {
        let path = path.name("fields").name(name);
        // An unknown name is told where the entry in the catalogue is made.
        let Ok(field) = name.parse::<Field>() else {
            continue;
        };
        let value = (property.value()).and_then(|text| {
            compiling.expression(&path.name("value"), text, &["it", "setting", "today"])
        });
        let place: Vec<String> = property.name().split('/').map(str::to_owned).collect();
        if place.iter().any(String::is_empty) {
            compiling.flaw(&path, "manifest.empty", "name the property");
        }
        fields.push((field, CompiledProperty { place, value }));
    }
    Some(CompiledWrite {
        request: request?,
        fields,
    })
}

impl Reader<'_> {
    /// Reads records by their ids.
    pub(super) async fn fetch(
        &self,
        ids: &[ExternalId],
    ) -> Result<BTreeMap<ExternalId, Fetched>, ConnectError> {
        let Some(by_id) = &self.compiled.by_id else {
            return Ok(BTreeMap::new());
        };
        let asked: Vec<_> = (ids.chunks(by_id.batch))
            .map(|ids| self.rows_of(by_id, ids))
            .collect();
        let answers = futures::stream::iter(asked)
            .buffered(self.concurrent)
            .collect::<Vec<_>>()
            .await;
        let (mut fetched, mut rows) = (BTreeMap::new(), Vec::new());
        for (ids, answer) in ids.chunks(by_id.batch).zip(answers) {
            let found = answer?;
            let Some(found) = found else {
                continue; // it answered something else
            };
            let known: BTreeSet<&str> = found.iter().map(|row| row.id.as_str()).collect();
            for id in ids.iter().filter(|id| !known.contains(id.as_str())) {
                fetched.insert(id.clone(), Fetched::NotThere);
            }
            rows.extend(found);
        }
        let general = self.vendor.general(Some(self.request.today));
        let scope = general.scope();
        let joiner = Joiner::prepare(self).await?;
        let Joined { mut rows, failure } = joiner.join(self, rows).await?;
        if let Some(error) = failure {
            return Err(error);
        }
        let (mapping, fields) = (&self.compiled.mapping, &self.request.fields);
        for row in &mut rows {
            mapping.derive(row, joiner.names(), &scope, fields);
        }
        for row in &rows {
            let record = mapping.record(row, joiner.names(), &scope, fields, self.rules);
            fetched.insert(
                ExternalId::new(row.id.as_str()),
                Fetched::Record(Box::new(record)),
            );
        }
        Ok(fetched)
    }

    /// The rows of these ids; `None` where the answer speaks of somebody else.
    async fn rows_of(
        &self,
        by_id: &CompiledById,
        ids: &[ExternalId],
    ) -> Result<Option<Vec<Row>>, ConnectError> {
        let Some(people) = self.compiled.people.first() else {
            return Ok(None);
        };
        let asked: Vec<&str> = ids.iter().map(ExternalId::as_str).collect();
        let variables = (self.variables(people))
            .with("ids", asked.clone())
            .with("id", asked.first().copied().unwrap_or_default());
        let mut answer = self.vendor.ask(&by_id.request, &variables).await?;
        if by_id.batch == 1 && is_gone(self.vendor, by_id, &answer) {
            return Ok(Some(Vec::new()));
        }
        if self.vendor.refusals.meaning(&answer).is_some() {
            return Err(self.vendor.refusals.error(&answer));
        }
        let trees = match by_id.batch {
            1 => by_id.rows.take(&mut answer.json).into_iter().collect(),
            _ => match take_rows(&by_id.rows, false, &mut answer.json) {
                Some(rows) => rows,
                None if self.vendor.lists_may_be_missing => Vec::new(),
                None => return Ok(None),
            },
        };
        let general = self.vendor.general(Some(self.request.today));
        let mut rows = Vec::new();
        for tree in trees {
            let id = people
                .id_of(&tree)
                .filter(|id| asked.contains(&id.as_str()));
            let Some(id) = id else {
                return Ok(None);
            };
            rows.extend(people.row(id, tree, &general.scope()).ok().flatten());
        }
        Ok(Some(rows))
    }

    /// Writes fields of one record, once, and reads it back.
    pub(super) async fn write(&self, write: &RecordWrite) -> Result<WriteAnswer, ConnectError> {
        let Some(how) = &self.compiled.write else {
            return Err(ConnectError::new(
                ErrorKind::Refused,
                "connector.writes_nothing",
                "the connector only reads",
                "let no field of the connection's policy flow outwards",
            ));
        };
        let name = self.vendor.refusals.name();
        let mut written = Written::default();
        let mut body = Map::new();
        for (field, said) in write.fields.iter() {
            let property = how.fields.iter().find(|(known, _)| *known == field);
            let Some((_, property)) = property else {
                let code = format!("{name}.field_not_writable");
                written.refused.insert(field, code);
                continue;
            };
            let canonical = said.value().map_or(Json::Null, |value| value.to_json());
            let settings = self.vendor.settings();
            let value = match &property.value {
                Some(value) => value
                    .run(
                        &Scope::new()
                            .with("it", &canonical)
                            .with("setting", settings),
                    )
                    .map_err(not_made)?,
                None => canonical,
            };
            put(&mut body, &property.place, value);
        }
        if body.is_empty() {
            return Ok(WriteAnswer::Done(written));
        }
        let variables = Variables::default()
            .with("id", write.external_id.as_str())
            .with("body", Json::Object(body));
        let today = Some(self.request.today);
        let answer = self.vendor.once(&how.request, &variables, today).await?;
        let sent = write
            .fields
            .only(|field| how.fields.iter().any(|(known, _)| *known == field));
        let refused = match self.vendor.refusals.meaning(&answer) {
            None => None,
            Some(Meaning::Refused) => Some("value_refused"),
            Some(Meaning::NotFound) => Some("record_not_there"),
            Some(_) => return Err(self.vendor.refusals.error(&answer)),
        };
        if let Some(code) = refused {
            // The vendor takes the body as a whole or not at all.
            for (field, _) in sent.iter() {
                written.refused.insert(field, format!("{name}.{code}"));
            }
            return Ok(WriteAnswer::Done(written));
        }
        let id = &write.external_id;
        let shown = self.fetch(std::slice::from_ref(id)).await?.remove(id);
        if let Some(Fetched::Record(record)) = shown {
            written.revision = record.revision;
            written.fields = record
                .fields
                .only(|field| sent.iter().any(|(known, _)| known == field));
        }
        Ok(WriteAnswer::Done(written))
    }
}

/// Puts a value at its place, making what is around it.
fn put(body: &mut Map<String, Json>, place: &[String], value: Json) {
    match place {
        [] => {}
        [name] => {
            body.insert(name.clone(), value);
        }
        [name, rest @ ..] => {
            let around = body
                .entry(name.clone())
                .or_insert_with(|| Json::Object(Map::new()));
            if let Json::Object(around) = around {
                put(around, rest, value);
            }
        }
    }
}
