//! `muster rehearse`: the rehearsal company as files.

use muster_sandbox::company::{DEFAULT_YEAR_START, Rehearsal, RehearsalSpec};

use crate::args::Rehearse;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(command: &Rehearse) -> anyhow::Result<Exit> {
    let rehearsal = Rehearsal::new(RehearsalSpec {
        people: command.people,
        seed: command.seed,
        year_start: DEFAULT_YEAR_START,
    })?;
    rehearsal.write(&command.out)?;
    output::say(&format!(
        "wrote the rehearsal company to {}",
        command.out.display()
    ));
    Ok(Exit::Done)
}
