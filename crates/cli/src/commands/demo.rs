//! `muster demo`: the main job on a machine with nothing else. The embedded
//! database, the rehearsal company behind the Tripletex simulator, a first
//! sync, thirty days, a second one.

mod story;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use jiff::tz::TimeZone;
use muster_engine::Engine;
use muster_engine::connections::Wish;
use muster_engine::run::Made;
use muster_model::report::Trigger;
use muster_model::time::date_in;
use muster_model::{Clock, Preset};
use muster_sandbox::company::{DEFAULT_YEAR_START, Rehearsal, RehearsalSpec};
use muster_sandbox::{Sandbox, SandboxOptions, Vendor};
use muster_storage::{Location, NewOrganisation, Organisation};
use secrecy::SecretString;

use crate::args::Demo;
use crate::exit::Exit;
use crate::machine::{MachineClock, MachineEntropy};
use crate::{database, key_file, output};

/// The connection's name.
const CONNECTION: &str = "tripletex";
/// How many days pass between the two syncs.
const DAYS: i32 = 30;

pub(crate) async fn run(command: Demo) -> anyhow::Result<Exit> {
    let folder = new_folder()?;
    let rehearsal = Rehearsal::new(RehearsalSpec {
        people: command.people,
        seed: command.seed,
        year_start: DEFAULT_YEAR_START,
    })?;
    let sandbox = sandbox(&command, &rehearsal).await?;
    let key = key_file::make(&folder.join(key_file::NAME), &MachineEntropy)?;
    let location = Location::Directory(folder.clone());
    let engine = database::engine(&location, key, Arc::new(MachineClock)).await?;
    let organisation = organisation(&engine).await?;
    connect(&engine, &organisation, &sandbox).await?;

    let first = sync(&engine, &organisation).await?;
    if command.once {
        output::json(&first.report)?;
        return Ok(first.report.outcome.into());
    }
    output::line(&story::beginning(&rehearsal, &sandbox.base_url()))?;
    output::line(&story::first(&first.report))?;

    sandbox.set_company(rehearsal.on_day(DAYS));
    sandbox.set_earlier(rehearsal.shifted(DAYS));
    let second = sync(&engine, &organisation).await?;
    output::line(&story::second(&engine, &organisation, &rehearsal, DAYS, &second).await?)?;
    output::line(&story::mail(&second.report))?;
    output::line(&go_on(&command, &folder, &sandbox))?;
    sandbox.stop().await;
    Ok(Exit::Done)
}

async fn sync(engine: &Engine, organisation: &Organisation) -> anyhow::Result<Made> {
    let made = engine
        .sync(
            organisation,
            CONNECTION,
            Trigger::Manual,
            super::plan::watch(),
        )
        .await?;
    if let Some(error) = &made.report.error {
        anyhow::bail!("{}", error.message);
    }
    Ok(made)
}

async fn sandbox(command: &Demo, rehearsal: &Rehearsal) -> anyhow::Result<Sandbox> {
    let options = SandboxOptions::new(
        Vendor::Tripletex,
        rehearsal.on_day(0),
        rehearsal.other_company(),
        rehearsal.shifted(0),
        Arc::new(|| date_in(MachineClock.now(), &TimeZone::UTC)),
    );
    Ok(muster_sandbox::start(options, command.listen).await?)
}

async fn organisation(engine: &Engine) -> anyhow::Result<Organisation> {
    Ok(engine
        .create_organisation(NewOrganisation {
            name: "demo".to_owned(),
            region: "NO".to_owned(),
            time_zone: "Europe/Oslo".to_owned(),
        })
        .await?)
}

async fn connect(
    engine: &Engine,
    organisation: &Organisation,
    sandbox: &Sandbox,
) -> anyhow::Result<()> {
    let secrets: BTreeMap<String, SecretString> = sandbox
        .credentials()
        .into_iter()
        .map(|(name, secret)| (name, SecretString::from(secret)))
        .collect();
    engine
        .connect(
            organisation,
            Wish {
                name: CONNECTION.to_owned(),
                connector: Vendor::Tripletex.to_string(),
                preset: Preset::Provision,
                base_url: Some(sandbox.base_url()),
                settings: sandbox.settings(),
                secrets,
            },
        )
        .await?;
    Ok(())
}

/// A new folder for the data of one demo, which nobody else can read.
fn new_folder() -> anyhow::Result<PathBuf> {
    let time = MachineClock.now().strftime("%Y%m%d-%H%M%S").to_string();
    let parent = std::env::temp_dir();
    for number in 0..100 {
        let folder = match number {
            0 => parent.join(format!("muster-demo-{time}")),
            number => parent.join(format!("muster-demo-{time}-{number}")),
        };
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(error).with_context(|| {
                    format!(
                        "storage.directory: the folder {} cannot be made",
                        folder.display()
                    )
                });
            }
        }
    }
    anyhow::bail!(
        "storage.directory: no new folder can be made in {}",
        parent.display()
    )
}

/// The commands to go on with.
fn go_on(command: &Demo, folder: &Path, sandbox: &Sandbox) -> String {
    let program = std::env::args()
        .next()
        .unwrap_or_else(|| "muster".to_owned());
    let address = sandbox
        .base_url()
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let data = folder.display();
    format!(
        "Go on with these (the data is in {data}):\n\
         \n\
         \x20 {program} people --data {data}\n\
         \x20 {program} runs --data {data}\n\
         \x20 {program} sandbox tripletex --people {} --seed {} --day 60 --listen {address} &\n\
         \x20 {program} sync --data {data} {CONNECTION}      (thirty days more)",
        command.people, command.seed
    )
}
