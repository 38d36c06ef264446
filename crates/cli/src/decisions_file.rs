//! A file of decisions: what `plan --format csv` printed, come back from a
//! spreadsheet.

use std::path::Path;

use anyhow::Context;
use muster_engine::deciding::Line;

use crate::exit::Usage;

/// Reads the lines. Spreadsheets of many countries separate by semicolons, and
/// some put a mark before the first letter.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Line>> {
    let bytes = std::fs::read(path)
        .with_context(|| format!("decisions.file: {} cannot be read", path.display()))?;
    let shown = path.display();
    lines(&bytes).map_err(|fault| {
        Usage(match fault {
            Fault::NoColumn(column) => format!(
                "decisions.file: {shown} has no column {column}; take the file that `muster plan --format csv` printed"
            ),
            Fault::Broken(line) => format!(
                "decisions.file: {shown} cannot be read as CSV at line {line}; save it as CSV in UTF-8"
            ),
        })
        .into()
    })
}

/// Why a file holds no decisions.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    NoColumn(&'static str),
    Broken(u64),
}

fn lines(bytes: &[u8]) -> Result<Vec<Line>, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut csv = csv::ReaderBuilder::new()
        .delimiter(delimiter(bytes))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let broken = |error: &csv::Error| {
        let position = error.position();
        Fault::Broken(position.map_or(1, csv::Position::line))
    };
    let headers = csv.headers().map_err(|error| broken(&error))?.clone();
    let column = |name: &'static str| headers.iter().position(|header| header == name);
    for name in ["row", "external_id", "held", "decision"] {
        column(name).ok_or(Fault::NoColumn(name))?;
    }
    let places = [
        "plan",
        "row",
        "external_id",
        "person",
        "field",
        "held",
        "decision",
    ]
    .map(column);
    let mut lines = Vec::new();
    // As a spreadsheet counts: the first line is that of the names.
    for (number, record) in (2_u64..).zip(csv.records()) {
        let record = record.map_err(|error| broken(&error))?;
        let [plan, row, external_id, person, field, held, decision] = places.map(|place| {
            place
                .and_then(|place| record.get(place))
                .unwrap_or_default()
                .to_owned()
        });
        lines.push(Line {
            number,
            plan,
            row,
            external_id,
            person,
            field,
            held,
            decision,
        });
    }
    Ok(lines)
}

/// The sign that stands most often in the first line.
fn delimiter(bytes: &[u8]) -> u8 {
    let first = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let count = |sign: u8| first.iter().filter(|byte| **byte == sign).count();
    [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|sign| (count(*sign), *sign == b','))
        .unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_s_own_way_of_writing_makes_no_difference() {
        let plain = "plan,row,external_id,person,field,held,decision\np,0,12,,phone,,theirs\n";
        let expected = [Line {
            number: 2,
            plan: "p".to_owned(),
            row: "0".to_owned(),
            external_id: "12".to_owned(),
            field: "phone".to_owned(),
            decision: "theirs".to_owned(),
            ..Line::default()
        }];
        assert_eq!(lines(plain.as_bytes()).unwrap(), expected);
        let semicolons = plain.replace(',', ";").replace('\n', "\r\n");
        let marked = format!("\u{feff}{semicolons}");
        assert_eq!(lines(marked.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn what_is_missing_is_said_and_what_is_broken_is_found() {
        assert_eq!(
            lines(b"row,external_id,held\n"),
            Err(Fault::NoColumn("decision"))
        );
        let broken = b"row,external_id,held,decision\n0,1,,\xff\n";
        assert_eq!(lines(broken), Err(Fault::Broken(2)));
    }
}
