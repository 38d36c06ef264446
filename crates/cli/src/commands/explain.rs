//! `muster explain PERSON [FIELD]`: why somebody is as they are.

use std::fmt::Write;

use muster_engine::explaining::{ExplainedField, ExplainedRecord, Explanation, ShownStamp, Why};

use crate::args::{DatabaseArguments, Explain, TextOrJson};
use crate::exit::Exit;
use crate::{database, output};

pub(crate) async fn run(command: Explain, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    let engine = database::open(database).await?;
    let organisation = engine
        .organisation(command.organisation.name.as_deref())
        .await?;
    let explanation = engine
        .explain(
            &organisation,
            &command.person,
            command.field.as_deref(),
            command.run.as_deref(),
        )
        .await?;
    match command.format {
        TextOrJson::Json => output::json(&explanation)?,
        TextOrJson::Text => output::line(words(&explanation)?.trim_end())?,
    }
    Ok(Exit::Done)
}

fn words(explanation: &Explanation) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    match explanation.person {
        Some(person) => writeln!(text, "person {person}")?,
        None => writeln!(text, "nobody in the directory")?,
    }
    if let Some(access) = explanation.access {
        writeln!(
            text,
            "  access: {access}{}",
            set(explanation.access_set.as_ref())
        )?;
    }
    if let Some(employment) = explanation.employment {
        writeln!(text, "  employment: {employment}")?;
    }
    if let Some(manager) = explanation.manager {
        writeln!(
            text,
            "  manager: {manager}{}",
            set(explanation.manager_set.as_ref())
        )?;
    }
    for record in &explanation.records {
        of_record(&mut text, record)?;
    }
    for field in &explanation.fields {
        of_field(&mut text, field)?;
    }
    Ok(text)
}

fn of_record(text: &mut String, record: &ExplainedRecord) -> std::fmt::Result {
    write!(
        text,
        "record {} {}: {}",
        record.connection, record.external_id, record.situation
    )?;
    if let Some(reaction) = &record.reaction {
        write!(text, " → {reaction}")?;
    }
    writeln!(text, ", {}", record.state)?;
    if let (Some(run), Some(at)) = (record.run, record.at) {
        writeln!(
            text,
            "  run {run} at {at:.0}, mapped under {}",
            record.versions
        )?;
    }
    if !record.in_last_read {
        writeln!(text, "  not in the last read")?;
    }
    for why in &record.why {
        because(text, "  ", why)?;
    }
    for done in &record.done {
        let who = if done.decided { "decided" } else { "done" };
        write!(text, "  {who}: {}, run {}", done.what.join(", "), done.run)?;
        match done.at {
            Some(at) => writeln!(text, " at {at:.0}")?,
            None => writeln!(text)?,
        }
    }
    for doubt in &record.doubts {
        writeln!(text, "  doubt {doubt}")?;
    }
    for held in &record.held {
        writeln!(
            text,
            "  held: {} by {}: {}",
            held.what, held.kind, held.reason
        )?;
        writeln!(text, "    released by: {}", held.release)?;
    }
    Ok(())
}

fn of_field(text: &mut String, field: &ExplainedField) -> std::fmt::Result {
    writeln!(
        text,
        "{}: {} ({}{})",
        field.field,
        field.value.as_deref().unwrap_or("none"),
        field.owner,
        set(field.set.as_ref())
    )?;
    for said in &field.said {
        writeln!(
            text,
            "  {} {} says {}, mapped under {}",
            said.connection, said.external_id, said.said, said.versions
        )?;
        because(text, "    ", &said.why)?;
    }
    Ok(())
}

fn because(text: &mut String, indent: &str, why: &Why) -> std::fmt::Result {
    write!(text, "{indent}because {}", why.rule)?;
    for part in [&why.words, &why.detail] {
        if !part.is_empty() {
            write!(text, ": {part}")?;
        }
    }
    writeln!(text)?;
    if !why.release.is_empty() {
        writeln!(text, "{indent}  released by: {}", why.release)?;
    }
    Ok(())
}

fn set(stamp: Option<&ShownStamp>) -> String {
    stamp.map_or_else(String::new, |stamp| {
        format!(
            ", set by run {} of {} at {:.0} under {}",
            stamp.run, stamp.connection, stamp.at, stamp.versions
        )
    })
}
