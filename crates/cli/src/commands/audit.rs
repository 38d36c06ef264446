//! `muster audit verify`: is the log as it was written?

use muster_engine::EngineError;
use muster_storage::{AuditFindings, AuditHead, Organisation};

use crate::args::{Audit, AuditCommand, DatabaseArguments, TextOrJson};
use crate::exit::{Exit, Usage};
use crate::{database, output};

pub(crate) async fn run(command: Audit, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    let AuditCommand::Verify {
        organisation,
        head,
        format,
    } = command.command;
    let head: Option<AuditHead> = head
        .map(|text| text.parse())
        .transpose()
        .map_err(|error| Usage(format!("{error}")))?;
    let engine = database::open(database).await?;
    let organisations = match &organisation {
        Some(name) => vec![engine.organisation(Some(name)).await?],
        None => engine.organisations().await?,
    };
    if organisations.is_empty() {
        return Err(EngineError::NoOrganisation.into());
    }
    if head.is_some() && organisations.len() > 1 {
        return Err(EngineError::SeveralOrganisations.into());
    }
    let mut exit = Exit::Done;
    for organisation in &organisations {
        let findings = engine.verify_audit(organisation, head).await?;
        if findings.broken.is_some() {
            exit = Exit::Failed;
        }
        match format {
            TextOrJson::Json => output::json(&json(organisation, &findings))?,
            TextOrJson::Text => output::line(&words(organisation, &findings))?,
        }
    }
    Ok(exit)
}

fn json(organisation: &Organisation, findings: &AuditFindings) -> serde_json::Value {
    serde_json::json!({
        "organisation": organisation.name,
        "whole": findings.broken.is_none(),
        "entries": findings.entries,
        "rows": findings.rows,
        "erased": findings.erased,
        "by": findings.by,
        "head": findings.head.map(|head| head.to_string()),
        "broken": findings.broken,
    })
}

fn words(organisation: &Organisation, findings: &AuditFindings) -> String {
    let AuditFindings {
        entries,
        rows,
        erased,
        by,
        head,
        broken,
    } = findings;
    let name = &organisation.name;
    let seen = format!("{entries} entries and {rows} rows as they were written, {erased} erased");
    match (broken, head) {
        (Some(broken), _) => format!("{name}: broken at {broken} (before it {seen})"),
        (None, Some(head)) => {
            let by: Vec<String> = by
                .iter()
                .map(|(who, entries)| format!("{who} {entries}"))
                .collect();
            format!(
                "{name}: whole: {seen}\n  entered by {}\n  head {head}",
                by.join(", ")
            )
        }
        (None, None) => format!("{name}: nothing was entered yet"),
    }
}
