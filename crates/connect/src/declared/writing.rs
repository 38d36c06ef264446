//! Writing fields of one record, as a manifest says it, and reading records back.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use muster_model::{ExternalId, Field, Fields, SourceRecord, Value};
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
use crate::http::Answer;
use crate::manifest::{Call, Gone, Meaning, Path, Property};
use crate::writing::{Fetched, RecordWrite, WriteAnswer, Written};

/// How fields are written.
pub(super) struct CompiledWrite {
    record: Part,
    engagement: Option<Part>,
    moved: Option<Gone>,
    /// The names of the properties that a refusal speaks of.
    refused: Option<Expression>,
}

/// One object of the vendor: the person's, or that of an employment.
struct Part {
    request: CompiledCall,
    before: Option<CompiledCall>,
    always: Vec<(String, Expression)>,
    fields: Vec<(Field, CompiledProperty)>,
}

/// The vendor's property of a field.
struct CompiledProperty {
    /// Its place in the body: names from the outside in.
    place: Vec<String>,
    value: Option<Expression>,
    also: Vec<(String, Expression)>,
}

/// Compiles the write abilities of a manifest.
pub(super) fn compile(compiling: &mut Compiling<'_>) -> Option<CompiledWrite> {
    let manifest = compiling.manifest();
    let written = manifest.write.as_ref()?;
    let path = Path::default().name("write");
    if !manifest.by_id.iter().any(|by_id| by_id.whole_row) {
        let message = "whoever writes reads back: [[by_id]] with whole_row = true is needed";
        compiling.flaw(&path, "manifest.write", message);
    }
    let of_record = Sources {
        request: &written.request,
        before: written.before.as_ref(),
        always: &written.always,
        fields: &written.fields,
        variables: &["id", "revision"],
    };
    let record = part(compiling, &path, &of_record);
    let engagement = written.engagement.as_ref().map(|engagement| {
        let sources = Sources {
            request: &engagement.request,
            before: engagement.before.as_ref(),
            always: &engagement.always,
            fields: &engagement.fields,
            variables: &["id", "revision", "engagement"],
        };
        part(compiling, &path.name("engagement"), &sources)
    });
    let refused = (written.refused.as_ref())
        .and_then(|text| compiling.expression(&path.name("refused"), text, &["answer"]));
    Some(CompiledWrite {
        record: record?,
        engagement: match engagement {
            Some(engagement) => Some(engagement?),
            None => None,
        },
        moved: written.moved.clone(),
        refused,
    })
}

/// What one object is written by, as the manifest has it.
struct Sources<'a> {
    request: &'a Call,
    before: Option<&'a Call>,
    always: &'a BTreeMap<String, String>,
    fields: &'a BTreeMap<String, Property>,
    variables: &'a [&'static str],
}

fn part(compiling: &mut Compiling<'_>, path: &Path, sources: &Sources<'_>) -> Option<Part> {
    let mut variables = GENERAL.to_vec();
    variables.extend(sources.variables);
    let before = (sources.before)
        .map(|call| CompiledCall::compile(compiling, &path.name("before"), call, &variables));
    variables.push("body");
    let request = CompiledCall::compile(
        compiling,
        &path.name("request"),
        sources.request,
        &variables,
    );
    let mut of_always = vec!["setting", "today", "before"];
    of_always.extend(sources.variables);
    let always = expressions(compiling, &path.name("always"), sources.always, &of_always);
    let mut fields = Vec::new();
    for (name, property) in sources.fields {
        let path = path.name("fields").name(name);
        // An unknown name is told where the entry in the catalogue is made.
        let Ok(field) = name.parse::<Field>() else {
            continue;
        };
        let of_value = ["it", "setting", "today", "before"];
        let value = (property.value())
            .and_then(|text| compiling.expression(&path.name("value"), text, &of_value));
        let also = property
            .also()
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect();
        let also = expressions(compiling, &path.name("also"), &also, &of_value);
        let place: Vec<String> = property.name().split('/').map(str::to_owned).collect();
        if place.iter().any(String::is_empty) {
            compiling.flaw(&path, "manifest.empty", "name the property");
        }
        fields.push((field, CompiledProperty { place, value, also }));
    }
    Some(Part {
        request: request?,
        before: match before {
            Some(before) => Some(before?),
            None => None,
        },
        always,
        fields,
    })
}

fn expressions(
    compiling: &mut Compiling<'_>,
    path: &Path,
    texts: &BTreeMap<String, String>,
    variables: &[&str],
) -> Vec<(String, Expression)> {
    (texts.iter())
        .filter_map(|(name, text)| {
            let made = compiling.expression(&path.name(name), text, variables)?;
            Some((name.clone(), made))
        })
        .collect()
}

impl Part {
    fn property(&self, field: Field) -> Option<&CompiledProperty> {
        let found = self.fields.iter().find(|(known, _)| *known == field);
        found.map(|(_, property)| property)
    }

    /// Is the answer of the request before needed for these fields?
    fn looks_before(&self, fields: &Fields) -> bool {
        let asks = |expression: &Expression| expression.names("before");
        self.always.iter().any(|(_, made)| asks(made))
            || fields.iter().any(|(field, _)| {
                self.property(field).is_some_and(|property| {
                    property.value.iter().any(asks)
                        || property.also.iter().any(|(_, made)| asks(made))
                })
            })
    }

    /// The body: the properties of these fields, and those of every body.
    fn body(&self, fields: &Fields, scope: &Scope<'_>) -> Result<Json, ConnectError> {
        let mut body = Map::new();
        for (name, made) in &self.always {
            let value = made.run(scope).map_err(not_made)?;
            if !value.is_null() {
                body.insert(name.clone(), value);
            }
        }
        for (field, said) in fields.iter() {
            let Some(property) = self.property(field) else {
                continue;
            };
            let canonical = said.value().map_or(Json::Null, |value| value.to_json());
            let scope = scope.clone().with("it", &canonical);
            let value = match &property.value {
                Some(value) => value.run(&scope).map_err(not_made)?,
                None => canonical.clone(),
            };
            put(&mut body, &property.place, value);
            for (name, made) in &property.also {
                let value = made.run(&scope).map_err(not_made)?;
                if !value.is_null() {
                    body.insert(name.clone(), value);
                }
            }
        }
        Ok(Json::Object(body))
    }

    /// The fields whose properties are among these.
    fn fields_of(&self, names: &[&str]) -> Vec<Field> {
        let named = |property: &CompiledProperty| {
            let own = property.place.first().map(String::as_str);
            own.is_some_and(|own| names.contains(&own))
                || (property.also.iter()).any(|(name, _)| names.contains(&name.as_str()))
        };
        (self.fields.iter())
            .filter(|(_, property)| named(property))
            .map(|(field, _)| *field)
            .collect()
    }
}

/// What became of one object.
enum Sent {
    /// The vendor took it.
    Taken,
    /// Somebody wrote it meanwhile.
    Moved,
    /// Refused, each field with the word of its reason.
    Refused(BTreeMap<Field, &'static str>),
}

/// The vendor refuses this value.
const REFUSED: &str = "value_refused";
/// It refuses another field of the same object, which it takes as a whole or not at all.
const REFUSED_WITH: &str = "refused_with_another";
/// There is no such person or employment.
const NOT_THERE: &str = "record_not_there";
/// Cannot be written here.
const NOT_WRITABLE: &str = "field_not_writable";

impl Reader<'_> {
    /// Reads records by their ids.
    pub(super) async fn fetch(
        &self,
        ids: &[ExternalId],
    ) -> Result<BTreeMap<ExternalId, Fetched>, ConnectError> {
        let Some(by_id) = &self.compiled.by_id else {
            return Ok(BTreeMap::new());
        };
        let ids = by_id.own(ids);
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
                fetched.insert((*id).clone(), Fetched::NotThere);
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
        ids: &[&ExternalId],
    ) -> Result<Option<Vec<Row>>, ConnectError> {
        let Some(people) = self.compiled.people.first() else {
            return Ok(None);
        };
        let asked: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
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
        if by_id.batch > 1 && !by_id.is_counted(&answer.json, trees.len()) {
            return Ok(None);
        }
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
        let mut written = Written::default();
        let of = |part: &Part| write.fields.only(|field| part.property(field).is_some());
        let of_record = of(&how.record);
        let of_engagement = how.engagement.as_ref().map(of).unwrap_or_default();
        for (field, _) in write.fields.iter() {
            if of_record.get(field).is_absent() && of_engagement.get(field).is_absent() {
                self.refuse(&mut written, field, NOT_WRITABLE);
            }
        }
        let mut taken = Vec::new();
        if !of_record.is_empty() {
            match self.send(how, &how.record, write, &of_record).await? {
                Sent::Moved => return Ok(WriteAnswer::Moved),
                Sent::Taken => taken.extend(of_record.iter().map(|(field, _)| field)),
                Sent::Refused(reasons) => {
                    for (field, reason) in reasons {
                        self.refuse(&mut written, field, reason);
                    }
                }
            }
        }
        if let (Some(part), false) = (&how.engagement, of_engagement.is_empty()) {
            let fields: Vec<Field> = of_engagement.iter().map(|(field, _)| field).collect();
            let sent = match write.engagement {
                Some(_) => self.send(how, part, write, &of_engagement).await?,
                None => Sent::Refused(fields.iter().map(|field| (*field, NOT_THERE)).collect()),
            };
            match sent {
                // The person may be written by now: only the days are tried again.
                Sent::Moved if !taken.is_empty() => {
                    for field in fields {
                        self.refuse(&mut written, field, REFUSED_WITH);
                    }
                }
                Sent::Moved => return Ok(WriteAnswer::Moved),
                Sent::Taken => taken.extend(fields),
                Sent::Refused(reasons) => {
                    for (field, reason) in reasons {
                        self.refuse(&mut written, field, reason);
                    }
                }
            }
        }
        if taken.is_empty() {
            return Ok(WriteAnswer::Done(written));
        }
        let id = &write.external_id;
        let shown = self.fetch(std::slice::from_ref(id)).await?.remove(id);
        if let Some(Fetched::Record(record)) = shown {
            written.revision = record.revision;
            written.fields = (record.fields).only(|field| taken.contains(&field));
            if let Some(engagement) = &write.engagement {
                days(&record, engagement, &taken, &mut written.fields);
            }
        }
        Ok(WriteAnswer::Done(written))
    }

    fn refuse(&self, written: &mut Written, field: Field, reason: &str) {
        let code = format!("{}.{reason}", self.vendor.refusals.name());
        written.refused.insert(field, code);
    }

    /// Sends one object, once.
    async fn send(
        &self,
        how: &CompiledWrite,
        part: &Part,
        write: &RecordWrite,
        fields: &Fields,
    ) -> Result<Sent, ConnectError> {
        let refusals = &self.vendor.refusals;
        let all = |reason: &'static str| {
            Sent::Refused(fields.iter().map(|(field, _)| (field, reason)).collect())
        };
        let today = Some(self.request.today);
        let named = || {
            let engagement = write.engagement.as_deref().map(Json::from);
            (Variables::default())
                .with("id", write.external_id.as_str())
                .with("revision", write.revision.map_or(Json::Null, Json::from))
                .with("engagement", engagement.unwrap_or_default())
        };
        let before = match &part.before {
            Some(before) if part.looks_before(fields) => {
                let answer = self.vendor.ask(before, &named()).await?;
                match refusals.meaning(&answer) {
                    None => answer.json,
                    Some(Meaning::NotFound) => return Ok(all(NOT_THERE)),
                    Some(_) => return Err(refusals.error(&answer)),
                }
            }
            _ => Json::Null,
        };
        let variables = named();
        let today_text = Json::String(self.request.today.to_string());
        let mut scope = Scope::new()
            .with("setting", self.vendor.settings())
            .with("today", &today_text)
            .with("before", &before);
        variables.add_to(&mut scope);
        let body = part.body(fields, &scope)?;
        let variables = named().with("body", body);
        let answer = self.vendor.once(&part.request, &variables, today).await?;
        let meaning = refusals.meaning(&answer);
        if meaning.is_none() {
            return Ok(Sent::Taken);
        }
        let code = refusals.code(&answer);
        let is_moved = how.moved.as_ref().is_some_and(|moved| {
            moved.status == answer.status
                && (moved.codes.is_empty()
                    || code.as_ref().is_some_and(|code| moved.codes.contains(code)))
        });
        match meaning {
            _ if is_moved => Ok(Sent::Moved),
            Some(Meaning::NotFound) => Ok(all(NOT_THERE)),
            Some(Meaning::Refused) => {
                tracing::warn!(
                    path = answer.place.path,
                    status = answer.status,
                    code,
                    request_id = answer.place.request_id.as_deref(),
                    "a write was refused"
                );
                Ok(Sent::Refused(reasons(how, part, fields, &answer)))
            }
            _ => Err(refusals.error(&answer)),
        }
    }
}

/// Why each field was not written: the vendor takes an object as a whole or not
/// at all, and may say what is wrong with it.
fn reasons(
    how: &CompiledWrite,
    part: &Part,
    fields: &Fields,
    answer: &Answer,
) -> BTreeMap<Field, &'static str> {
    let scope = Scope::new().with("answer", &answer.json);
    // An answer that an expression cannot read names nobody.
    let said = (how.refused.as_ref()).and_then(|refused| refused.run(&scope).ok());
    let names: Vec<&str> = match &said {
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
        Some(Json::String(name)) => vec![name],
        _ => Vec::new(),
    };
    let named = part.fields_of(&names);
    let one_is_named = fields.iter().any(|(field, _)| named.contains(&field));
    let reason = |field: Field| match !one_is_named || named.contains(&field) {
        true => REFUSED,
        false => REFUSED_WITH,
    };
    (fields.iter())
        .map(|(field, _)| (field, reason(field)))
        .collect()
}

/// The days of an employment, as the record shows them.
fn days(record: &SourceRecord, engagement: &str, taken: &[Field], fields: &mut Fields) {
    let found = (record.engagements().unwrap_or_default().iter()).find(|one| one.id == engagement);
    let Some(found) = found else {
        return;
    };
    for (field, day) in [
        (Field::StartDate, &found.start_date),
        (Field::EndDate, &found.end_date),
    ] {
        if taken.contains(&field) {
            fields.set(field, day.map(Value::Date));
        }
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
