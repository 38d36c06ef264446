//! `muster connectors`: the catalogue, one entry, trying a mapping, and the
//! check of a manifest.

mod page;
mod trying;

use anyhow::Context;
use muster_connect::{ConnectorInfo, catalogue, check_manifest};

use crate::args::{Connectors, ConnectorsCommand, ShowFormat, TextOrJson};
use crate::exit::{Exit, Usage};
use crate::output;

pub(crate) async fn run(command: Connectors) -> anyhow::Result<Exit> {
    match command.command {
        None => list(command.format),
        Some(ConnectorsCommand::Show { name, format }) => show(&name, format),
        Some(ConnectorsCommand::Try {
            name,
            person,
            source,
            format,
        }) => trying::one(&name, &person, source, format).await,
        Some(ConnectorsCommand::Fields {
            name,
            source,
            format,
        }) => trying::fields(&name, source, format).await,
        Some(ConnectorsCommand::Schema) => {
            let schema = serde_json::to_string_pretty(&muster_connect::manifest::schema())?;
            output::line(&schema)?;
            Ok(Exit::Done)
        }
        Some(ConnectorsCommand::Check { file, format }) => check(&file, format),
    }
}

fn list(format: TextOrJson) -> anyhow::Result<Exit> {
    match format {
        TextOrJson::Json => output::json(&catalogue())?,
        TextOrJson::Text => {
            for info in catalogue() {
                output::line(&format!("{:<18} {}", info.name, info.summary))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn show(name: &str, format: ShowFormat) -> anyhow::Result<Exit> {
    let info = catalogue()
        .iter()
        .find(|info| info.name == name)
        .ok_or_else(|| {
            Usage(format!(
                "connector.unknown: there is no connector {name:?}; `muster connectors` lists them"
            ))
        })?;
    match format {
        ShowFormat::Json => output::json(info)?,
        ShowFormat::Text => output::line(&words(info))?,
        ShowFormat::Markdown => output::line(page::of(info).trim_end())?,
    }
    Ok(Exit::Done)
}

fn words(info: &ConnectorInfo) -> String {
    let mut words = vec![format!("{} — {}", info.title, info.summary), String::new()];
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            words.push(format!("{title}:"));
            words.extend(lines.into_iter().map(|line| format!("  {line}")));
            words.push(String::new());
        }
    };
    let input = |input: &muster_connect::manifest::Input| {
        let default = input
            .default
            .as_ref()
            .map(|value| format!(" [{value}]"))
            .unwrap_or_default();
        format!("{}{default}: {}", input.name, input.meaning)
    };
    section("How to connect", info.administrator.clone());
    section("Rights", info.rights.clone());
    section(
        "Secrets (--secret NAME=@FILE)",
        info.secrets.iter().map(input).collect(),
    );
    section(
        "Settings (--set NAME=VALUE)",
        info.settings.iter().map(input).collect(),
    );
    section(
        "Addresses",
        info.base_urls
            .iter()
            .map(|base| format!("{}: {}", base.title, base.url))
            .collect(),
    );
    section("Features", info.features.clone());
    section(
        "Fields",
        info.fields
            .iter()
            .map(|source| format!("{} from {}", source.field, source.from))
            .collect(),
    );
    section(
        "Writes",
        if info.writes.is_empty() {
            vec!["nothing".to_owned()]
        } else {
            info.writes
                .iter()
                .map(|field| field.name().to_owned())
                .collect()
        },
    );
    section(
        "Proof of a whole read",
        vec![format!(
            "{}: {}",
            info.evidence.level.name(),
            info.evidence.end
        )],
    );
    if let Some(changes) = &info.changes {
        section(
            "What changed",
            vec![format!(
                "can be asked for, from {} seconds before the last read; everybody is read every {} hours",
                changes.overlap_seconds, changes.full_hours
            )],
        );
    }
    if info.webhooks {
        section("Webhooks", vec!["their signature is checked".to_owned()]);
    }
    section("Leavers", vec![info.leaver.how.clone()]);
    section("Limits", info.limits.clone());
    section(
        "Documents",
        info.links
            .iter()
            .map(|link| format!("{}: {}", link.title, link.url))
            .collect(),
    );
    let mut confidence = vec![format!("{:?}", info.confidence).to_lowercase()];
    confidence.extend(info.uncertain.iter().cloned());
    section("Confidence", confidence);
    words.push(info.notes.clone());
    words.join("\n")
}

fn check(file: &std::path::Path, format: TextOrJson) -> anyhow::Result<Exit> {
    // A connector is a folder; its manifest is meant.
    let inside = file.join("manifest.toml");
    let file = if file.is_dir() { &inside } else { file };
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("manifest.file: {} cannot be read", file.display()))?;
    let problems = check_manifest(&text);
    match format {
        TextOrJson::Json => output::json(&problems)?,
        TextOrJson::Text => {
            for problem in &problems {
                output::line(&format!(
                    "{}:{}:{}: {}: {}",
                    file.display(),
                    problem.line,
                    problem.column,
                    problem.code,
                    problem.message
                ))?;
            }
            if problems.is_empty() {
                output::say(&format!("{} is sound", file.display()));
            }
        }
    }
    Ok(if problems.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    })
}
