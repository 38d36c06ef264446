//! What is said of a command line that cannot be read. The parser repeats the
//! word that it stumbled over; beside `--secret` that may be the secret.

use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::exit::Exit;
use crate::output;

/// Prints help, or what is wrong, and gives the exit code.
pub(crate) fn report(error: &clap::Error) -> ExitCode {
    let gives_secrets = std::env::args_os().any(|word| {
        let word = word.to_string_lossy();
        word == "--secret" || word.starts_with("--secret=")
    });
    // Only these repeat a word that is no name of an option or command.
    let repeats = matches!(
        error.kind(),
        ErrorKind::UnknownArgument
            | ErrorKind::InvalidValue
            | ErrorKind::ValueValidation
            | ErrorKind::InvalidSubcommand
            | ErrorKind::TooManyValues
            | ErrorKind::NoEquals
    );
    if gives_secrets && repeats {
        output::say(
            "usage.word: a word stands where none is expected; write each secret as one word, \
             --secret NAME=@FILE, NAME=- or NAME=VALUE. The word is not repeated, because it may \
             be a secret; `muster COMMAND --help` lists the options",
        );
    } else {
        // Where nobody listens the exit code says it.
        let _ = error.print();
    }
    if error.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Done.into()
    }
}
