//! `muster diff LEFT RIGHT`: compare two employee files.

use std::io::{BufWriter, Write};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use muster_files::diff::{self, Comparison, DiffError, DiffOptions, DiffReport, Line, Situation};
use muster_files::{Column, ColumnMap, Progress, ReadOptions, TableReader};
use muster_model::values::Country;

use crate::args::{Diff, DiffFormat};
use crate::exit::{Exit, Usage};
use crate::{machine, output};

pub(crate) fn run(command: &Diff) -> anyhow::Result<Exit> {
    let options = options(command)?;
    let bar = bar(&[&command.left, &command.right]);
    let (encoding_left, encoding_right) = encodings(&command.encoding)?;
    let open = |path: &Path, encoding: Option<&str>| -> anyhow::Result<(String, TableReader)> {
        let mut options = ReadOptions {
            delimiter: delimiter(command.delimiter.as_deref())?,
            progress: bar
                .clone()
                .map(|bar| Progress::new(move |bytes| bar.inc(bytes))),
            ..ReadOptions::default()
        };
        if let Some(encoding) = encoding {
            options = options
                .with_encoding(encoding)
                .map_err(|error| Usage(error.to_string()))?;
        }
        Ok((
            path.display().to_string(),
            TableReader::open(path, &options)?,
        ))
    };
    let (left_name, left) = open(&command.left, encoding_left)?;
    let (right_name, right) = open(&command.right, encoding_right)?;
    let sides = diff::load(
        (&left_name, left),
        (&right_name, right),
        &options,
        &machine::unforeseen_hashes(),
    )
    .map_err(|error| match error {
        DiffError::File(error) => anyhow::Error::from(error),
        usage => Usage(usage.to_string()).into(),
    })?;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let comparison = Comparison::new(&sides, &options, threads);
    let (only_left, only_right) = comparison.not_compared();
    for (columns, file) in [(only_left, &left_name), (only_right, &right_name)] {
        if !columns.is_empty() {
            output::say(&format!(
                "not compared, because only {file} has them: {}",
                columns.join(", ")
            ));
        }
    }
    let needs_person = match command.format {
        DiffFormat::Summary => {
            let report = comparison.report();
            output::line(&words(&report))?;
            report.needs_person()
        }
        DiffFormat::Json => {
            let report = comparison.report();
            output::json(&report)?;
            report.needs_person()
        }
        DiffFormat::Ndjson => ndjson(&comparison)?,
        DiffFormat::Csv => csv(&comparison, &options.key)?,
    };
    // The machine takes the memory back faster than we give it, piece by piece.
    drop(comparison);
    std::mem::forget(sides);
    Ok(if needs_person {
        Exit::NeedsPerson
    } else {
        Exit::Done
    })
}

fn options(command: &Diff) -> Result<DiffOptions, Usage> {
    let mut map = ColumnMap::default();
    for said in &command.maps {
        let parts = said
            .split_once('=')
            .filter(|(header, field)| !header.trim().is_empty() && !field.trim().is_empty());
        let (header, field) = parts.ok_or_else(|| {
            Usage(format!(
                "diff.map: `--map {said}` is not HEADER=FIELD. Write the header as it stands in the file, and what it means"
            ))
        })?;
        if !map.say(header, field) {
            return Err(Usage(format!(
                "diff.map: of the header `{header}` two things are said. Say one"
            )));
        }
    }
    let mut key: Vec<Column> = Vec::new();
    for name in &command.key {
        let column = Column::named(name);
        if name.trim().is_empty() || key.contains(&column) {
            return Err(Usage(format!(
                "diff.key: `--key {}` names no column, or one twice. Write --key FIELD or --key FIELD,FIELD",
                command.key.join(",")
            )));
        }
        key.push(column);
    }
    let region = command.region.as_deref().map(Country::parse).transpose();
    Ok(DiffOptions {
        key,
        map,
        region: region.map_err(|error| Usage(format!("--region: {error}")))?,
        exact: command.exact,
    })
}

fn delimiter(said: Option<&str>) -> Result<Option<u8>, Usage> {
    match said {
        None => Ok(None),
        Some("tab" | "\t" | "\\t") => Ok(Some(b'\t')),
        Some(said) => match said.as_bytes() {
            [byte] if byte.is_ascii_punctuation() && *byte != b'"' => Ok(Some(*byte)),
            _ => Err(Usage(format!(
                "diff.delimiter: `{said}` separates no cells. Give one sign such as ; or | or the word tab"
            ))),
        },
    }
}

/// One encoding for both files, or one for each.
fn encodings(said: &[String]) -> Result<(Option<&str>, Option<&str>), Usage> {
    match said {
        [] => Ok((None, None)),
        [both] => Ok((Some(both), Some(both))),
        [left, right] => Ok((Some(left), Some(right))),
        _ => Err(Usage(
            "diff.encoding: there are two files. Give --encoding NAME or --encoding LEFT,RIGHT"
                .to_owned(),
        )),
    }
}

fn words(report: &DiffReport) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["", "left", "right"]);
    let rows = [
        ("rows", report.left, report.right),
        ("matched", report.matched, report.matched),
        ("only here", report.only_left, report.only_right),
        (
            "ambiguous key",
            report.ambiguous_left,
            report.ambiguous_right,
        ),
        ("no valid key", report.invalid_left, report.invalid_right),
    ];
    for (name, left, right) in rows {
        table.add_row([name.to_owned(), left.to_string(), right.to_string()]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    let mut words: Vec<String> = table
        .to_string()
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    words.push(String::new());
    words.push(match report.changed {
        0 => "nobody who is on both sides differs".to_owned(),
        changed => format!("{changed} of {} on both sides differ:", report.matched),
    });
    let fields = report.fields.iter();
    words.extend(fields.map(|(field, count)| format!("  {field} {count}")));
    if report.needs_person() {
        words.push(String::new());
        words.push(
            "Rows with an ambiguous key or none were not compared; --format ndjson names them."
                .to_owned(),
        );
    }
    words.join("\n")
}

/// One line a person. Is somebody needed?
fn ndjson(comparison: &Comparison<'_>) -> anyhow::Result<bool> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut needs_person = false;
    comparison.tell(|line| -> anyhow::Result<()> {
        needs_person |= waits(&line);
        serde_json::to_writer(&mut out, &line).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
        Ok(())
    })?;
    out.flush()?;
    Ok(needs_person)
}

/// One line a difference. Is somebody needed?
fn csv(comparison: &Comparison<'_>, key: &[Column]) -> anyhow::Result<bool> {
    let mut out = csv::Writer::from_writer(std::io::stdout().lock());
    let names = [
        "situation",
        "field",
        "left",
        "right",
        "left_rows",
        "right_rows",
    ];
    out.write_record(key.iter().map(Column::name).chain(names))?;
    let mut needs_person = false;
    comparison.tell(|line| -> anyhow::Result<()> {
        needs_person |= waits(&line);
        let numbers = |rows: &[u64]| {
            let texts: Vec<String> = rows.iter().map(u64::to_string).collect();
            texts.join(" ")
        };
        let rows = [numbers(&line.left_rows), numbers(&line.right_rows)];
        let keys: Vec<&str> = line
            .key
            .0
            .iter()
            .map(|part| part.as_deref().unwrap_or(""))
            .collect();
        let mut write = |difference: [&str; 3]| {
            let cells = keys.iter().copied();
            let cells = cells.chain([line.situation.name()]).chain(difference);
            out.write_record(cells.chain(rows.iter().map(String::as_str)))
        };
        if line.differences.is_empty() {
            write(["", "", ""])?;
        }
        for difference in &line.differences {
            write([&difference.field, &difference.left, &difference.right])?;
        }
        Ok(())
    })?;
    out.flush()?;
    Ok(needs_person)
}

fn waits(line: &Line) -> bool {
    matches!(line.situation, Situation::Ambiguous | Situation::Invalid)
}

/// How much of both files is read, on a terminal only.
fn bar(files: &[&Path]) -> Option<ProgressBar> {
    let target = ProgressDrawTarget::stderr();
    if target.is_hidden() {
        return None;
    }
    let sizes = files.iter().filter_map(|file| std::fs::metadata(file).ok());
    let bar = ProgressBar::with_draw_target(Some(sizes.map(|file| file.len()).sum()), target);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {bytes} of {total_bytes} read") {
        bar.set_style(style);
    }
    Some(bar)
}
