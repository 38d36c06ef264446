//! Where the rows of a CSV text end.
//!
//! RFC 4180, and what programs really write: any line end, blank lines, and
//! quotes inside cells that do not begin with one. What could be read in two
//! ways (text behind a closing quote, a quote that never closes) is an error.

use memchr::{memchr, memchr_iter, memchr2, memchr3};

use crate::error::FileProblem;

/// What stands at a place of the text.
#[derive(Debug)]
pub(crate) enum Step {
    /// A row; the next one begins at `next`.
    Row {
        end: usize,
        next: usize,
        cells: usize,
    },
    /// A blank line, or the second half of a line end.
    Blank { next: usize },
    /// The row goes on behind the text. An open quote is told, because a row
    /// that gets too long usually began there.
    Open { quote: Option<usize> },
    /// Something wrong.
    Fault { at: usize, problem: FileProblem },
}

/// Finds the end of the row that begins at `start`. `ended`: is the end of the
/// text the end of the file?
pub(crate) fn step(text: &[u8], start: usize, delimiter: u8, ended: bool) -> Step {
    let rest = text.get(start..).unwrap_or_default();
    match memchr3(b'\n', b'\r', b'"', rest) {
        // The usual row, without any quote, costs two looks over its bytes.
        Some(found) if rest.get(found) != Some(&b'"') => {
            let row = rest.get(..found).unwrap_or_default();
            let cells = 1 + memchr_iter(delimiter, row).count();
            finish(text, start, start + found, cells, ended)
        }
        Some(_) => quoted_step(text, start, delimiter, ended),
        None if ended && !rest.is_empty() => Step::Row {
            end: text.len(),
            next: text.len(),
            cells: 1 + memchr_iter(delimiter, rest).count(),
        },
        None => Step::Open { quote: None },
    }
}

/// A row with quotes in it, cell by cell.
fn quoted_step(text: &[u8], start: usize, delimiter: u8, ended: bool) -> Step {
    let mut at = start;
    let mut cells = 0;
    loop {
        cells += 1;
        if text.get(at) == Some(&b'"') {
            match closed(text, at + 1, ended) {
                Some(behind) => at = behind,
                None if ended => {
                    return Step::Fault {
                        at,
                        problem: FileProblem::OpenQuote,
                    };
                }
                None => return Step::Open { quote: Some(at) },
            }
        } else {
            let rest = text.get(at..).unwrap_or_default();
            at = memchr3(delimiter, b'\n', b'\r', rest).map_or(text.len(), |found| at + found);
        }
        match text.get(at) {
            Some(byte) if *byte == delimiter => at += 1,
            Some(b'\n' | b'\r') => return finish(text, start, at, cells, ended),
            Some(_) => {
                return Step::Fault {
                    at,
                    problem: FileProblem::AfterQuote,
                };
            }
            None if ended => {
                return Step::Row {
                    end: at,
                    next: at,
                    cells,
                };
            }
            None => return Step::Open { quote: None },
        }
    }
}

/// The place behind the quote that closes; `None` while it may not be told.
fn closed(text: &[u8], mut at: usize, ended: bool) -> Option<usize> {
    loop {
        at += memchr(b'"', text.get(at..)?)? + 1;
        match text.get(at) {
            Some(b'"') => at += 1,
            Some(_) => return Some(at),
            None if ended => return Some(at),
            None => return None,
        }
    }
}

/// The row ends at a line end.
fn finish(text: &[u8], start: usize, end: usize, cells: usize, ended: bool) -> Step {
    let next = match (text.get(end), text.get(end + 1)) {
        (Some(b'\r'), Some(b'\n')) => end + 2,
        // Whether the line end has a second half is not known yet.
        (Some(b'\r'), None) if !ended => return Step::Open { quote: None },
        _ => end + 1,
    };
    if end == start {
        Step::Blank { next }
    } else {
        Step::Row { end, next, cells }
    }
}

/// How many lines end in a text. `\r\n` is one end.
pub(crate) fn line_ends(text: &[u8]) -> usize {
    let alone = memchr_iter(b'\r', text)
        .filter(|at| text.get(at + 1) != Some(&b'\n'))
        .count();
    memchr_iter(b'\n', text).count() + alone
}

/// Where the last line of a text begins.
pub(crate) fn last_line(text: &str) -> &str {
    let begin = text.rfind(['\n', '\r']).map_or(0, |end| end + 1);
    text.get(begin..).unwrap_or_default()
}

/// The first line of a text, without its end.
pub(crate) fn first_line(text: &str) -> &str {
    let end = memchr2(b'\n', b'\r', text.as_bytes()).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}
