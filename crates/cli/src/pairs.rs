//! `NAME=VALUE` on the command line, and secrets that stay out of it.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use anyhow::Context;
use secrecy::SecretString;

use crate::exit::Usage;

/// Splits `NAME=VALUE`.
pub(crate) fn split(pair: &str) -> Result<(String, String), Usage> {
    match pair.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Usage("usage.pair: write NAME=VALUE".to_owned())),
    }
}

/// Reads `NAME=VALUE`, `NAME=@FILE` or `NAME=-` (one line of standard input).
/// A value given in the open is taken, with a warning: the list of processes
/// shows it to everybody on the machine. With it comes the file that it was read from.
pub(crate) fn secret(pair: &str) -> anyhow::Result<(String, SecretString, Option<PathBuf>)> {
    let (name, value) = split(pair)?;
    let file = value.strip_prefix('@').map(PathBuf::from);
    let secret = if let Some(path) = &file {
        std::fs::read_to_string(path)
            .with_context(|| format!("secret.file: the file for the secret {name} cannot be read"))?
            .trim_end_matches(['\r', '\n'])
            .to_owned()
    } else if value == "-" {
        let mut line = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .context("secret.input")?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        let _ = writeln!(
            std::io::stderr(),
            "warning: the list of processes shows {name}; give it as {name}=@FILE or {name}=-"
        );
        value
    };
    if secret.is_empty() {
        return Err(Usage(format!("secret.empty: the secret {name} is empty")).into());
    }
    Ok((name, SecretString::from(secret), file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_keeps_what_follows_the_first_sign() {
        assert_eq!(
            split("url=a=b").unwrap(),
            ("url".to_owned(), "a=b".to_owned())
        );
        assert!(split("=x").is_err());
        assert!(split("name").is_err());
    }
}
