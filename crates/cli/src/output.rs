//! Data to standard output, words to standard error.

use std::io::{self, Write};

use muster_model::RunReport;
use serde::Serialize;

/// Writes one line of data.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(())
}

/// Writes one JSON value in one line.
pub(crate) fn json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    line(&serde_json::to_string(value)?)
}

/// Says something about the work.
pub(crate) fn say(text: &str) {
    // Words that nobody reads any more are no failure.
    let _ = writeln!(io::stderr(), "{text}");
}

/// How a run that read a source ended.
fn read_words(report: &RunReport) -> String {
    format!(
        "run {}{}: {} — {} read, level {}, {}",
        report.run,
        if report.planned_only {
            " (planned only)"
        } else {
            ""
        },
        report.outcome.name(),
        report.people.read,
        report.evidence.level.name(),
        if report.evidence.complete {
            "complete"
        } else {
            "not complete"
        },
    )
}

/// A run report in words.
pub(crate) fn report_words(report: &RunReport) -> String {
    let counts = &report.counts;
    let mut words = vec![match report.undoes {
        Some(undone) => format!(
            "run {}: {} — takes back run {undone}",
            report.run,
            report.outcome.name()
        ),
        None => read_words(report),
    }];
    let classes = [
        ("created", counts.created),
        ("linked", counts.linked),
        ("updated", counts.updated),
        ("restored", counts.restored),
        ("suspended", counts.suspended),
        ("ended", counts.ended),
        ("held", counts.held),
        ("conflicts", counts.conflicts),
        ("ambiguous", counts.ambiguous),
        ("failed", counts.failed),
        ("ignored", counts.ignored),
        ("unchanged", counts.unchanged),
        ("out of scope", report.people.out_of_scope),
    ];
    let shown: Vec<String> = classes
        .into_iter()
        .filter(|(_, number)| *number > 0)
        .map(|(name, number)| format!("{number} {name}"))
        .collect();
    words.push(format!("  people: {}", shown.join(", ")));
    if !report.fields.is_empty() {
        let fields: Vec<String> = report
            .fields
            .iter()
            .map(|(field, counts)| format!("{field} {}", counts.applied + counts.held))
            .collect();
        words.push(format!("  fields: {}", fields.join(", ")));
    }
    let target = &report.target;
    if target.queued > 0 {
        let written = [
            ("created", target.created),
            ("written", target.updated),
            ("failed", target.failed),
            ("waiting", target.waiting),
        ];
        let shown: Vec<String> = written
            .into_iter()
            .filter(|(_, number)| *number > 0)
            .map(|(name, number)| format!("{number} {name}"))
            .collect();
        words.push(format!("  to the source: {}", shown.join(", ")));
    }
    for doubt in &report.evidence.doubts {
        words.push(format!("  doubt: {}: {}", doubt.kind.code(), doubt.detail));
    }
    for hold in &report.holds {
        words.push(format!(
            "  held: {} ({} rows): {}",
            hold.kind, hold.rows, hold.reason
        ));
        words.push(format!("        {}", hold.next));
    }
    let asked = counts.conflicts + counts.ambiguous;
    if asked > 0 {
        words.push(format!(
            "  waiting for a decision: {asked}; `muster plan NAME --format csv` lists them, with a column to fill in"
        ));
        words.push("        that file then goes to `muster decide PLAN --file FILE`".to_owned());
    }
    if let Some(head) = &report.audit {
        words.push(format!("  audit: {head}"));
    }
    if let Some(error) = &report.error {
        words.push(format!("  failed: {}", error.message));
    }
    words.join("\n")
}
