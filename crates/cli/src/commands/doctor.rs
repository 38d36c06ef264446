//! `muster doctor`: looks at everything that can go wrong in operation, changes
//! nothing, and says what to do.

use std::path::Path;
use std::sync::Arc;

use muster_connect::http::TokioPause;
use muster_engine::Engine;
use muster_engine::doctor::{Finding, Verdict};
use muster_model::Clock;
use muster_storage::{Location, MasterKey, Storage};

use crate::args::{DatabaseArguments, Doctor, TextOrJson};
use crate::database::{self, Place};
use crate::exit::Exit;
use crate::machine::MachineClock;
use crate::{key_file, output};

/// Below this nothing can be written for long.
const NO_SPACE: u64 = 64 << 20;
/// Below this, or below the size of the data, a restore or a growing log may fail.
const LITTLE_SPACE: u64 = 1 << 30;

pub(crate) async fn run(command: Doctor, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    let place = Place::of(database)?;
    let mut findings = Vec::new();
    if let Location::Directory(folder) = &place.location {
        findings.push(space(folder));
        findings.push(writable(folder));
    }
    findings.push(key_mode(&place.key_file));
    match MasterKey::from_file(&place.key_file) {
        Ok(key) => findings.extend(inside(&place, key).await),
        Err(error) => findings.push(Finding::fail(
            "key.file",
            error.to_string(),
            "put the key file that belongs to these data there, or name it with --key-file",
        )),
    }
    if key_file::begun(&place.key_file).is_some() {
        findings.push(Finding::warn(
            "key.rotation",
            format!(
                "a rotation of the key was interrupted: {} is there",
                key_file::beside(&place.key_file, "new").display()
            ),
            "any other command finishes it if it had changed anything; `muster key rotate` begins anew",
        ));
    }
    let worst = findings.iter().map(|finding| finding.verdict).max();
    match command.format {
        TextOrJson::Json => output::json(&serde_json::json!({
            "verdict": worst,
            "findings": findings,
        }))?,
        TextOrJson::Text => {
            for finding in &findings {
                output::line(&words(finding))?;
            }
        }
    }
    Ok(match worst {
        Some(Verdict::Fail) => Exit::Failed,
        Some(Verdict::Warn) => Exit::NeedsPerson,
        Some(Verdict::Ok) | None => Exit::Done,
    })
}

/// What is to be found in the database.
async fn inside(place: &Place, key: MasterKey) -> Vec<Finding> {
    let clock: Arc<dyn Clock> = Arc::new(MachineClock);
    let (entropy, ids) = database::machine(&clock);
    let looked = Storage::look(
        &place.location,
        key,
        Arc::clone(&clock),
        Arc::clone(&ids),
        entropy,
    )
    .await;
    match looked {
        Ok(storage) => {
            Engine::new(storage, clock, ids, Arc::new(TokioPause))
                .examine()
                .await
        }
        Err(error) => vec![Finding::unexamined("database.reachable", &error)],
    }
}

/// Can this user write where the data are?
fn writable(folder: &Path) -> Finding {
    const CODE: &str = "data.writable";
    let inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let database = inside.filter(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with("muster.db")
    });
    let places = std::iter::once(folder.to_owned()).chain(database.map(|entry| entry.path()));
    for place in places {
        if let Err(error) = rustix::fs::access(&place, rustix::fs::Access::WRITE_OK) {
            return Finding::fail(
                CODE,
                format!("this user cannot write to {}: {error}", place.display()),
                "work as the user who owns the data, or give them to this one",
            );
        }
    }
    Finding::ok(CODE, format!("this user can write to {}", folder.display()))
}

/// Is there room where the data are?
fn space(folder: &Path) -> Finding {
    const CODE: &str = "disk.space";
    let statistics = match rustix::fs::statvfs(folder) {
        Ok(statistics) => statistics,
        Err(error) => {
            return Finding::fail(
                CODE,
                format!("{} cannot be looked at: {error}", folder.display()),
                "check --data and who owns the folder",
            );
        }
    };
    let free = statistics.f_bavail.saturating_mul(statistics.f_frsize);
    let data: u64 = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.metadata().ok())
        .map(|metadata| metadata.len())
        .sum();
    let found = format!("{} MiB free, the data take {} MiB", free >> 20, data >> 20);
    if free < NO_SPACE {
        Finding::fail(CODE, found, "make room now: the next write may fail")
    } else if free < LITTLE_SPACE.max(data) {
        Finding::warn(
            CODE,
            found,
            "make room: a restore needs as much again as the data take",
        )
    } else {
        Finding::ok(CODE, found)
    }
}

/// Can only this user read the key?
fn key_mode(path: &Path) -> Finding {
    const CODE: &str = "key.mode";
    match key_file::open_to_others(path) {
        Ok(None) => Finding::ok(CODE, format!("only its owner can read {}", path.display())),
        Ok(Some(mode)) => Finding::fail(
            CODE,
            format!("others can read {} (mode {mode:03o})", path.display()),
            format!(
                "chmod 600 {}, and rotate the key if others use this machine",
                path.display()
            ),
        ),
        Err(error) => Finding::fail(
            CODE,
            format!("{} cannot be looked at: {}", path.display(), error.kind()),
            "put the key file that belongs to these data there, or name it with --key-file",
        ),
    }
}

fn words(finding: &Finding) -> String {
    let verdict = match finding.verdict {
        Verdict::Ok => "ok  ",
        Verdict::Warn => "warn",
        Verdict::Fail => "FAIL",
    };
    let of = finding
        .organisation
        .as_ref()
        .map(|name| format!("{name}: "))
        .unwrap_or_default();
    let mut text = format!("{verdict}  {:<20}  {of}{}", finding.code, finding.found);
    if let Some(next) = &finding.next {
        text.push_str("\n      → ");
        text.push_str(next);
    }
    text
}
