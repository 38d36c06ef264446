//! Exit codes, and the last words of a command that failed.

use std::io::Write;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// Wrong usage: nothing was done.
    Usage,
    /// Done, but something needs a person.
    NeedsPerson,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::NeedsPerson => 3,
        })
    }
}

impl From<muster_model::report::Outcome> for Exit {
    fn from(outcome: muster_model::report::Outcome) -> Self {
        match outcome.exit_code() {
            0 => Self::Done,
            3 => Self::NeedsPerson,
            _ => Self::Failed,
        }
    }
}

/// A command was used wrongly; the text says what to write instead.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Writes an error with its causes, and gives the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    // The reader of a closed pipe wants no more words, and nothing failed.
    let closed = error.chain().any(is_closed_pipe);
    if closed {
        return Exit::Done.into();
    }
    let mut words = format!("muster: {error}");
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // A transparent error repeats its cause.
        if !words.contains(&cause) {
            words.push_str(&format!(": {cause}"));
        }
    }
    let _ = writeln!(std::io::stderr(), "{words}");
    if error.is::<Usage>() {
        Exit::Usage.into()
    } else {
        Exit::Failed.into()
    }
}

fn is_closed_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    let io = cause.downcast_ref::<std::io::Error>().or_else(|| {
        match cause.downcast_ref::<csv::Error>()?.kind() {
            csv::ErrorKind::Io(error) => Some(error),
            _ => None,
        }
    });
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
