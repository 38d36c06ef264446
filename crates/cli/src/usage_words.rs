//! What is said of a command line that cannot be read. The parser repeats the
//! word that it stumbled over; beside `--secret` that may be the secret.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};

use crate::args::Arguments;
use crate::exit::Exit;
use crate::output;

/// Prints help, or what is wrong, and gives the exit code.
pub(crate) fn report(error: &clap::Error) -> ExitCode {
    let words: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let gives_secrets =
        (words.iter()).any(|word| word == "--secret" || word.starts_with("--secret="));
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
        let root = Arguments::command();
        output::say(&other_option(error, &root, &words).unwrap_or_else(|| {
            "usage.word: a word stands where none is expected; write each secret as one word, \
             --secret NAME=@FILE, NAME=- or NAME=VALUE. The word is not repeated, because it may \
             be a secret; `muster COMMAND --help` lists the options"
                .to_owned()
        }));
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

/// An option that only other commands have is no secret: it is named.
fn other_option(error: &clap::Error, root: &Command, words: &[String]) -> Option<String> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let name = given.strip_prefix("--")?.split('=').next()?;
    let mut owners = Vec::new();
    owners_of(root, name, "muster", &mut owners);
    if owners.is_empty() {
        return None;
    }
    let command = command_of(root, words);
    Some(format!(
        "usage.option: `{command}` has no option --{name}; it is one of {}. `{command} --help` \
         lists those that it has",
        owners.join(", ")
    ))
}

/// The commands that have an option, each with its way.
fn owners_of(command: &Command, name: &str, way: &str, owners: &mut Vec<String>) {
    let has = |argument: &clap::Arg| argument.get_long() == Some(name);
    if command.get_arguments().any(has) {
        owners.push(format!("`{way}`"));
    }
    for below in command.get_subcommands() {
        owners_of(below, name, &format!("{way} {}", below.get_name()), owners);
    }
}

/// The command that the first words name.
fn command_of(root: &Command, words: &[String]) -> String {
    let (mut at, mut way) = (root, "muster".to_owned());
    for word in words {
        let Some(below) = at.find_subcommand(word) else {
            continue;
        };
        way = format!("{way} {}", below.get_name());
        at = below;
    }
    way
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn said(words: &[&str]) -> Option<String> {
        let error = Arguments::try_parse_from(std::iter::once(&"muster").chain(words)).err();
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        other_option(&error.unwrap(), &Arguments::command(), &words)
    }

    #[test]
    fn an_option_of_another_command_is_named_and_any_other_word_is_not() {
        let secret = ["pull", "tripletex", "--secret", "token=@file"];
        let words = said(&[&secret[..], &["--from", "x.csv"]].concat()).unwrap();
        assert!(
            words.starts_with("usage.option: `muster pull` has no option --from"),
            "{words}"
        );
        assert!(words.contains("`muster sandbox`"), "{words}");
        for word in ["--hunter2", "hunter2", "-h7"] {
            assert_eq!(said(&[&secret[..], &[word]].concat()), None, "{word}");
        }
    }
}
