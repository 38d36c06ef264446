//! `docs/command-line.md` is what the program says of itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what supports a test may panic and print, like the test"
)]

use std::fmt::Write;
use std::process::Command;

/// Every command with a page of its own.
const COMMANDS: [&[&str]; 32] = [
    &[],
    &["demo"],
    &["diff"],
    &["pull"],
    &["connectors"],
    &["connectors", "show"],
    &["connectors", "try"],
    &["connectors", "fields"],
    &["connectors", "schema"],
    &["connectors", "check"],
    &["sandbox"],
    &["org", "create"],
    &["user", "create"],
    &["token", "create"],
    &["connect"],
    &["plan"],
    &["apply"],
    &["sync"],
    &["decide"],
    &["unlink"],
    &["undo"],
    &["explain"],
    &["people"],
    &["runs"],
    &["erase"],
    &["readmit"],
    &["audit", "verify"],
    &["doctor"],
    &["backup"],
    &["restore"],
    &["key", "rotate"],
    &["rehearse"],
];

const HEAD: &str = "# The command line

Written from the program's own help; a test holds the two together.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but something needs a person (held rows, conflicts, rejected rows). Data goes to standard output, words and progress to standard error. `MUSTER_LOG=debug` tells more on standard error, and never anybody's data.
";

/// The commands that a help lists.
fn commands_in<'a>(lines: &'a [&str]) -> impl Iterator<Item = &'a str> {
    lines
        .iter()
        .skip_while(|line| **line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
}

#[test]
fn the_reference_is_what_the_program_says() {
    let mut page = HEAD.to_owned();
    for command in COMMANDS {
        let output = Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(command)
            .arg("--help")
            .env_remove("MUSTER_DATA")
            .env_remove("MUSTER_DATABASE")
            .env_remove("MUSTER_KEY_FILE")
            .env_remove("MUSTER_CONNECTORS")
            .output()
            .unwrap();
        assert!(output.status.success());
        let help = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        for below in commands_in(&lines) {
            let mut wanted = command.to_vec();
            wanted.push(below);
            assert!(
                COMMANDS.iter().any(|page| page.starts_with(&wanted)),
                "{wanted:?} has no page"
            );
        }
        let name = ["muster"]
            .into_iter()
            .chain(command.iter().copied())
            .collect::<Vec<_>>()
            .join(" ");
        write!(
            page,
            "\n## `{name}`\n\n```\n{}\n```\n",
            lines.join("\n").trim_end()
        )
        .unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/command-line.md");
    if std::env::var_os("MUSTER_UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        stored == page,
        "docs/command-line.md is stale: run MUSTER_UPDATE_DOCS=1 cargo test -p muster-cli --test reference"
    );
}
