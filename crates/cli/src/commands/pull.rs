//! `muster pull CONNECTOR`: read one HR system and print canonical people,
//! without storing anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil::Date;
use muster_connect::{FieldScope, ReadRequest, RecordSink, SinkError};
use muster_model::time::date_in;
use muster_model::zone::zone_of;
use muster_model::{Clock, Field, Fields, SourceRecord, Value};

use super::source::Given;
use crate::args::{PeopleFormat, Pull};
use crate::exit::{Exit, Usage};
use crate::machine::MachineClock;
use crate::output;

pub(crate) async fn run(command: Pull) -> anyhow::Result<Exit> {
    let scope = scope(&command.fields, command.format)?;
    let clock: Arc<dyn Clock> = Arc::new(MachineClock);
    let (connector, region) = Given::read(command.source)?.open(&command.connector, &clock)?;
    let now = clock.now();
    // There is no organisation here; the region's own zone is the nearest to one.
    let mut of_region = Fields::new();
    if let Some(region) = &region {
        of_region.put(Field::Country, Value::text(region.as_str()));
    }
    let zone = zone_of(&of_region, &jiff::tz::TimeZone::UTC);
    let mut request = ReadRequest::new(scope.clone(), date_in(now, &zone));
    request.region = region;
    request.progress = super::plan::watch();
    let mut printer = Printer {
        format: command.format,
        scope,
        today: Box::new(move |fields| date_in(now, &zone_of(fields, &zone))),
        csv: csv::Writer::from_writer(std::io::stdout()),
        table: comfy_table::Table::new(),
        problems: BTreeMap::new(),
        failed: None,
    };
    printer.begin()?;
    let evidence = match connector.read(&request, &mut printer).await {
        Ok(evidence) => evidence,
        // What went wrong is the printing, such as a reader that wants no more lines.
        Err(error) => return Err(printer.failed.take().unwrap_or_else(|| error.into())),
    };
    printer.end()?;
    output::say(&format!("evidence: {}", serde_json::to_string(&evidence)?));
    Ok(if evidence.complete {
        Exit::Done
    } else {
        Exit::NeedsPerson
    })
}

fn scope(names: &[String], format: PeopleFormat) -> Result<FieldScope, Usage> {
    if names.is_empty() {
        return Ok(FieldScope::all());
    }
    let fields: Vec<Field> = names
        .iter()
        .filter(|name| *name != "external_id")
        .map(|name| name.parse::<Field>().map_err(unknown))
        .collect::<Result<_, _>>()?;
    match fields.iter().find(|field| !is_flat(**field)) {
        Some(field) if format != PeopleFormat::Ndjson => Err(Usage(format!(
            "usage.field: {field} has no column in a table; ask for --format ndjson, or leave it out"
        ))),
        _ => Ok(FieldScope::only(fields)),
    }
}

fn unknown(error: impl std::error::Error) -> Usage {
    Usage(error.to_string())
}

/// Does one column hold it?
const fn is_flat(field: Field) -> bool {
    !matches!(field, Field::Custom | Field::Engagements)
}

/// The columns of tables: everything flat.
fn columns(scope: &FieldScope) -> Vec<Field> {
    Field::ALL
        .into_iter()
        .filter(|field| scope.has(*field) && is_flat(*field))
        .collect()
}

/// Prints people as they are read.
struct Printer {
    format: PeopleFormat,
    scope: FieldScope,
    today: Box<dyn Fn(&Fields) -> Date + Send>,
    csv: csv::Writer<std::io::Stdout>,
    table: comfy_table::Table,
    problems: BTreeMap<String, u64>,
    failed: Option<anyhow::Error>,
}

impl Printer {
    fn begin(&mut self) -> anyhow::Result<()> {
        let names: Vec<&str> = std::iter::once("external_id")
            .chain(columns(&self.scope).into_iter().map(Field::name))
            .collect();
        match self.format {
            PeopleFormat::Csv => self.csv.write_record(&names)?,
            PeopleFormat::Table => {
                self.table
                    .load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY)
                    .set_header(&names);
            }
            PeopleFormat::Ndjson => {}
        }
        Ok(())
    }

    fn print(&mut self, record: &SourceRecord) -> anyhow::Result<()> {
        for problem in &record.problems {
            let name = format!("{}: {}", problem.field, problem.code);
            *self.problems.entry(name).or_default() += 1;
        }
        let fields = record.on((self.today)(&record.fields));
        if self.format == PeopleFormat::Ndjson {
            let mut person = serde_json::Map::new();
            person.insert("external_id".to_owned(), record.external_id.as_str().into());
            // A flat field may come of an engagement that was asked for by another field.
            person.extend(fields.only(|field| self.scope.has(field)).to_json());
            return output::json(&person);
        }
        // A table is read over shoulders, a file is not: only the one masks.
        let cell = |value: &Value| match self.format {
            PeopleFormat::Table => value.shown(),
            _ => match value.to_json() {
                serde_json::Value::String(text) => text,
                json => json.to_string(),
            },
        };
        let cells: Vec<String> = std::iter::once(record.external_id.to_string())
            .chain(
                columns(&self.scope)
                    .into_iter()
                    .map(|field| fields.value(field).map(cell).unwrap_or_default()),
            )
            .collect();
        match self.format {
            PeopleFormat::Csv => self.csv.write_record(cells)?,
            _ => {
                self.table.add_row(cells);
            }
        }
        Ok(())
    }

    fn end(&mut self) -> anyhow::Result<()> {
        match self.format {
            PeopleFormat::Csv => self.csv.flush()?,
            PeopleFormat::Table => output::line(&self.table.to_string())?,
            PeopleFormat::Ndjson => {}
        }
        for (problem, people) in &self.problems {
            output::say(&format!(
                "not readable, counts as absent: {problem} ({people} people)"
            ));
        }
        Ok(())
    }
}

#[async_trait]
impl RecordSink for Printer {
    async fn records(&mut self, records: Vec<SourceRecord>) -> Result<(), SinkError> {
        for record in &records {
            if let Err(error) = self.print(record) {
                let reason = SinkError::new(error.to_string());
                self.failed = Some(error);
                return Err(reason);
            }
        }
        Ok(())
    }
}
