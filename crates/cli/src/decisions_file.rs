//! A file of decisions: what `plan --format csv` printed, come back from a
//! spreadsheet.

use std::path::Path;

use anyhow::Context;
use muster_engine::deciding::Line;

use crate::exit::Usage;

/// Reads the lines. Spreadsheets of many countries separate by semicolons, say so
/// in a line of its own, write in the encoding of their country, put a mark before
/// the first letter, leave lines empty, and make `1.0` of `1`.
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
    let text = muster_files::text_of(Box::new(std::io::Cursor::new(bytes.to_vec())))
        .map_err(|(before, _)| Fault::Broken(line_after(&before)))?;
    let (said, table) = separator_said(&text);
    let above = u64::from(said.is_some());
    let mut csv = csv::ReaderBuilder::new()
        .delimiter(said.unwrap_or_else(|| delimiter(table)))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(table.as_bytes());
    let broken = |error: &csv::Error| {
        let position = error.position();
        Fault::Broken(above + position.map_or(1, csv::Position::line))
    };
    let headers = csv.headers().map_err(|error| broken(&error))?.clone();
    let column = |name: &'static str| {
        headers
            .iter()
            .position(|header| header.eq_ignore_ascii_case(name))
    };
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
    let mut record = csv::StringRecord::new();
    loop {
        let number = above + next_line(table, csv.position());
        if !csv
            .read_record(&mut record)
            .map_err(|error| broken(&error))?
        {
            return Ok(lines);
        }
        let [plan, row, external_id, person, field, held, decision] = places.map(|place| {
            place
                .and_then(|place| record.get(place))
                .unwrap_or_default()
                .to_owned()
        });
        lines.push(Line {
            number,
            plan,
            row: whole(row),
            external_id,
            person,
            field,
            held,
            decision,
        });
    }
}

/// The line on which the text goes on, from 1.
fn line_after(before: &str) -> u64 {
    1 + before.bytes().filter(|byte| *byte == b'\n').count() as u64
}

/// The separator, where the first line says nothing else, and what follows it.
fn separator_said(text: &str) -> (Option<u8>, &str) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let first = first.trim_end_matches('\r').trim_matches('"');
    let said = match first.as_bytes() {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', sign] => Some(*sign),
        _ => None,
    };
    (said, if said.is_some() { rest } else { text })
}

/// The line of the file on which the next row begins: empty lines are passed over.
fn next_line(table: &str, position: &csv::Position) -> u64 {
    let place = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = table.as_bytes().get(place..).unwrap_or_default();
    let empty = rest
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .filter(|byte| **byte == b'\n');
    position.line() + empty.count() as u64
}

/// A whole number as a spreadsheet writes it: `1.0`, or `1,0`.
fn whole(cell: String) -> String {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match cell.split_once(['.', ',']) {
        Some((head, zeros))
            if digits(head) && digits(zeros) && zeros.trim_matches('0').is_empty() =>
        {
            head.to_owned()
        }
        _ => cell,
    }
}

/// The sign that stands most often in the first line.
fn delimiter(text: &str) -> u8 {
    let first = text.split('\n').next().unwrap_or_default().as_bytes();
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
        let broken = b"row,external_id,held,decision\n\xc3\x85,1,,\n0,1,,\xff\n";
        assert_eq!(lines(broken), Err(Fault::Broken(3)));
    }

    #[test]
    fn what_spreadsheets_do_to_a_file_is_read_and_lines_are_those_of_the_file() {
        let text = "sep=;\r\nPLAN;Row;EXTERNAL_ID;held;to;Decision\r\n\r\np;1.0;12;;\u{c5}se;create\r\n\r\n;;;;;\r\np;2;13;;;leave\r\n";
        let expected = [
            ("1", "12", "create", 4),
            ("", "", "", 6),
            ("2", "13", "leave", 7),
        ];
        let wide: Vec<u8> = std::iter::once(0xfeff)
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let narrow: Vec<u8> = text
            .chars()
            .map(|one| u8::try_from(u32::from(one)).unwrap())
            .collect();
        for bytes in [text.as_bytes().to_vec(), wide, narrow] {
            let read = lines(&bytes).unwrap();
            let read: Vec<_> = read
                .iter()
                .map(|line| {
                    let Line {
                        row,
                        external_id,
                        decision,
                        number,
                        ..
                    } = line;
                    (
                        row.as_str(),
                        external_id.as_str(),
                        decision.as_str(),
                        *number,
                    )
                })
                .collect();
            assert_eq!(read, expected);
        }
    }
}
