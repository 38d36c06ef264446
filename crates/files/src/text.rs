//! A whole small file as text, whatever its encoding.

use std::io::Read;

use crate::charset::{More, TextReader};
use crate::error::FileProblem;

/// Text wanted at once.
const PIECE: usize = 1 << 20;

/// The text of a file in UTF-8, UTF-16 or windows-1252, with or without a byte
/// order mark. It is held as a whole: for files that somebody fills in by hand.
///
/// # Errors
/// When the bytes cannot be read, or are no text: with the text before them.
pub fn text_of(source: Box<dyn Read + Send>) -> Result<String, (String, FileProblem)> {
    let mut text = String::new();
    let mut reader = match TextReader::new(source, None, None) {
        Ok(reader) => reader,
        Err(error) => return Err((text, FileProblem::Unreadable(error))),
    };
    loop {
        let until = text.len() + PIECE;
        match reader.fill(&mut text, until) {
            Ok(More::Ended) => return Ok(text),
            Ok(More::Perhaps) => {}
            Err(problem) => return Err((text, problem)),
        }
    }
}
