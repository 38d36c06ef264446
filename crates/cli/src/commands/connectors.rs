//! `muster connectors`: the catalogue, one entry, trying a mapping, and the
//! check of a manifest.

mod page;
mod trying;

use std::sync::Arc;

use anyhow::Context;
use muster_connect::offline::{Finding, Fixture, try_recorded};
use muster_connect::{ConnectorInfo, catalogue, check_manifest};
use muster_model::Clock;
use muster_model::time::date_in;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

use crate::args::{Connectors, ConnectorsCommand, ShowFormat, TextOrJson};
use crate::exit::{Exit, Usage};
use crate::machine::MachineClock;
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
        Some(ConnectorsCommand::Check { file, format }) => check(&file, format).await,
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

async fn check(file: &std::path::Path, format: TextOrJson) -> anyhow::Result<Exit> {
    // A connector is a folder; its manifest is meant.
    let inside = file.join("manifest.toml");
    let file = if file.is_dir() { &inside } else { file };
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("manifest.file: {} cannot be read", file.display()))?;
    let name = file.display().to_string();
    let mut findings: Vec<Finding> = (check_manifest(&text).into_iter())
        .map(|problem| Finding {
            code: problem.code,
            note: false,
            file: name.clone(),
            line: problem.line,
            column: problem.column,
            message: problem.message,
        })
        .collect();
    let fixtures = match findings.is_empty() {
        true => fixtures(file)?,
        false => Vec::new(),
    };
    if !fixtures.is_empty() {
        let clock: Arc<dyn Clock> = Arc::new(MachineClock);
        let today = date_in(clock.now(), &jiff::tz::TimeZone::UTC);
        // What the engine would log of a bad day that is only played helps nobody.
        findings = try_recorded(&name, &text, &fixtures, today, clock)
            .with_subscriber(NoSubscriber::default())
            .await;
    }
    let is_sound = findings.iter().all(|finding| finding.note);
    match format {
        TextOrJson::Json => output::json(&findings)?,
        TextOrJson::Text => {
            for finding in &findings {
                output::line(&format!(
                    "{}:{}:{}: {}{}: {}",
                    finding.file,
                    finding.line,
                    finding.column,
                    if finding.note { "note: " } else { "" },
                    finding.code,
                    finding.message
                ))?;
            }
            if is_sound {
                let silent = (findings.iter()).any(|one| one.code == "offline.not_played");
                let played = match fixtures.len() {
                    0 => "; beside it is no folder `fixtures` with recorded answers to try it on",
                    _ if silent => "",
                    _ => ", and reads what was recorded",
                };
                output::say(&format!("{name} is sound{played}"));
            }
        }
    }
    Ok(if is_sound { Exit::Done } else { Exit::Failed })
}

/// The files of recorded answers beside a manifest.
fn fixtures(manifest: &std::path::Path) -> anyhow::Result<Vec<Fixture>> {
    let folder = manifest.with_file_name("fixtures");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let unreadable = || format!("manifest.fixtures: {} cannot be read", folder.display());
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .with_context(unreadable)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    (files.into_iter())
        .map(|path| {
            Ok(Fixture {
                text: std::fs::read_to_string(&path).with_context(unreadable)?,
                file: path.display().to_string(),
            })
        })
        .collect()
}
