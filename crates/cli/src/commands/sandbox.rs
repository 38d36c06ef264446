//! `muster sandbox VENDOR`: runs a vendor's simulator until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::tz::TimeZone;
use muster_model::Clock;
use muster_model::time::date_in;
use muster_sandbox::company::{Company, CsvOptions, DEFAULT_YEAR_START, Rehearsal, RehearsalSpec};
use muster_sandbox::{Fault, SandboxOptions, Vendor};

use crate::args::Sandbox;
use crate::exit::{Exit, Usage};
use crate::machine::MachineClock;
use crate::output;

pub(crate) async fn run(command: Sandbox) -> anyhow::Result<Exit> {
    let vendor: Vendor = command.vendor.parse().map_err(usage)?;
    let faults: Vec<Fault> = command
        .faults
        .iter()
        .map(|name| name.parse())
        .collect::<Result<_, _>>()
        .map_err(usage)?;
    let companies = match &command.from {
        Some(path) => Companies::from_file(path)?,
        None => Companies::rehearsed(command.people, command.seed, command.day)?,
    };
    let mut options = SandboxOptions::new(
        vendor,
        companies.company,
        companies.other,
        companies.earlier,
        Arc::new(|| date_in(MachineClock.now(), &TimeZone::UTC)),
    );
    options.faults = faults;
    options.seed = command.seed;
    options.slow = Duration::from_secs(60);
    options.write_log = command.write_log;
    options.log = command.log;
    let sandbox = muster_sandbox::start(options, command.listen).await?;
    output::json(&sandbox.first_line())?;
    stopped().await?;
    sandbox.stop().await;
    Ok(Exit::Done)
}

fn usage(error: impl std::fmt::Display) -> Usage {
    Usage(error.to_string())
}

/// Waits for the signal that ends the program.
async fn stopped() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// The company that is served, the one it was, and somebody else's.
struct Companies {
    company: Company,
    earlier: Company,
    other: Company,
}

impl Companies {
    fn rehearsed(people: u32, seed: u64, day: u32) -> anyhow::Result<Self> {
        let rehearsal = Rehearsal::new(RehearsalSpec {
            people,
            seed,
            year_start: DEFAULT_YEAR_START,
        })?;
        let day = i32::try_from(day).unwrap_or(i32::MAX);
        Ok(Self {
            company: rehearsal.on_day(day),
            earlier: rehearsal.shifted(day),
            other: rehearsal.other_company(),
        })
    }

    fn from_file(path: &std::path::Path) -> anyhow::Result<Self> {
        let file = std::fs::File::open(path)
            .with_context(|| format!("company.file: {} cannot be read", path.display()))?;
        let name = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        let company = Company::from_csv(
            std::io::BufReader::new(file),
            CsvOptions {
                account_id: FROM_FILE_ACCOUNT,
                name: name.unwrap_or_default(),
                country: "NO".to_owned(),
                as_of: DEFAULT_YEAR_START,
            },
        )
        .map_err(|error| Usage(format!("{}: {error}", path.display())))?;
        let people = u32::try_from(company.employees.len())
            .unwrap_or(u32::MAX)
            .max(1);
        let other = Rehearsal::new(RehearsalSpec {
            people,
            seed: 1,
            year_start: DEFAULT_YEAR_START,
        })?
        .other_company();
        Ok(Self {
            earlier: company.clone(),
            company,
            other,
        })
    }
}

/// The account id under which a company from a file is served.
const FROM_FILE_ACCOUNT: u64 = 93_000_107;
