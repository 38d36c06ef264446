//! `muster connectors try` and `muster connectors fields`: a real vendor, one
//! person, nothing stored.

use std::sync::Arc;

use muster_connect::{FieldScope, FieldTrial, ReadRequest, Trial};
use muster_model::time::date_in;
use muster_model::{Clock, ExternalId};
use serde_json::Value;

use crate::args::{Source, TextOrJson};
use crate::commands::source::Given;
use crate::exit::Exit;
use crate::machine::MachineClock;
use crate::output;

/// Shows what becomes of one person.
pub(super) async fn one(
    name: &str,
    person: &str,
    source: Source,
    format: TextOrJson,
) -> anyhow::Result<Exit> {
    let clock: Arc<dyn Clock> = Arc::new(MachineClock);
    let (connector, region) = Given::read(source)?.open(name, &clock)?;
    let today = date_in(clock.now(), &jiff::tz::TimeZone::UTC);
    let mut request = ReadRequest::new(FieldScope::all(), today);
    request.region = region;
    let trial = connector.trial(&ExternalId::new(person), &request).await?;
    let Some(trial) = trial else {
        output::say(
            "try.nobody: the vendor has no such record; give the record id, not the employee number",
        );
        return Ok(Exit::Failed);
    };
    match format {
        TextOrJson::Json => output::json(&trial)?,
        TextOrJson::Text => output::line(&words(&trial))?,
    }
    let readable = trial.whole && trial.fields.iter().all(|field| field.problems.is_empty());
    Ok(if readable {
        Exit::Done
    } else {
        Exit::NeedsPerson
    })
}

/// Lists the vendor's own fields.
pub(super) async fn fields(name: &str, source: Source, format: TextOrJson) -> anyhow::Result<Exit> {
    let clock: Arc<dyn Clock> = Arc::new(MachineClock);
    let (connector, _) = Given::read(source)?.open(name, &clock)?;
    let fields = connector.vendor_fields().await?;
    match format {
        TextOrJson::Json => output::json(&fields)?,
        TextOrJson::Text => {
            for field in &fields {
                let label = field.label.as_deref().unwrap_or_default();
                let kind = field.kind.as_deref().unwrap_or_default();
                output::line(format!("{:<32} {kind:<16} {label}", field.name).trim_end())?;
            }
        }
    }
    Ok(Exit::Done)
}

fn words(trial: &Trial) -> String {
    let mut lines = vec![format!("record {}", trial.external_id)];
    for field in &trial.fields {
        lines.push(String::new());
        lines.push(field.field.clone());
        lines.extend(steps(field).into_iter().map(|step| format!("  {step}")));
    }
    if !trial.whole {
        lines.push(String::new());
        lines.push("The record is not whole: nobody leaves by it.".to_owned());
    }
    lines.join("\n")
}

fn steps(field: &FieldTrial) -> Vec<String> {
    let mut steps: Vec<String> = (field.found.iter())
        .map(|(pointer, value)| format!("{pointer} → {}", shown(value)))
        .collect();
    if let Some((text, value)) = &field.expression {
        steps.push(format!("{text} → {}", shown(value)));
    }
    if let Some(code) = &field.code {
        steps.push(format!("the code means → {code}"));
    }
    if let Some(date) = &field.date {
        steps.push(format!("the day is → {}", shown(date)));
    }
    steps.push(format!("= {}", shown(&field.value)));
    steps.extend(field.problems.iter().map(|problem| format!("! {problem}")));
    steps
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "(not said)".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
