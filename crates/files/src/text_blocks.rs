//! The text of a file, piece by piece, knowing at each place its line.

use memchr::memchr;

use crate::charset::{More, TextReader};
use crate::csv_rows::{last_line, line_ends};
use crate::error::{FileError, FileProblem, Place};
use crate::limits::Limits;

/// Bytes of text in one piece: a few fit into a processor's cache, and there
/// are not many of them in a large file.
const PIECE: usize = 4 << 20;

/// Gives text in pieces. What a piece has too little of is kept for the next.
pub(crate) struct TextBlocks {
    text: TextReader,
    /// Begins at the beginning of a row.
    carry: String,
    /// Line ends before that.
    lines: u64,
    /// Bytes of text so far.
    bytes: u64,
    more: More,
    limits: Limits,
}

/// A piece of text.
pub(crate) struct Piece {
    pub(crate) text: String,
    /// Is its end the end of the file?
    pub(crate) ended: bool,
}

impl TextBlocks {
    pub(crate) fn new(text: TextReader, limits: Limits) -> Self {
        Self {
            text,
            carry: String::new(),
            lines: 0,
            bytes: 0,
            more: More::Perhaps,
            limits,
        }
    }

    /// The next piece, beginning where the last one was left.
    pub(crate) fn next(&mut self) -> Result<Piece, FileError> {
        let size = PIECE.max(self.limits.row_bytes.saturating_mul(2));
        let mut text = std::mem::take(&mut self.carry);
        if self.more == More::Perhaps && text.len() < size {
            let before = text.len();
            text.reserve_exact(size - before + 64);
            match self.text.fill(&mut text, size) {
                Ok(more) => self.more = more,
                Err(problem @ FileProblem::Unreadable(_)) => {
                    return Err(FileError::of_file(problem));
                }
                Err(problem) => return Err(self.error(&text, text.len(), problem)),
            }
            let new = text.as_bytes().get(before..).unwrap_or_default();
            self.bytes += new.len() as u64;
            if let Some(nul) = memchr(0, new) {
                return Err(self.error(&text, before + nul, FileProblem::Nul));
            }
            if self.bytes > self.limits.text_bytes {
                let problem = FileProblem::TooLarge(self.limits.text_bytes);
                return Err(self.error(&text, before, problem));
            }
        }
        Ok(Piece {
            text,
            ended: self.more == More::Ended,
        })
    }

    /// Cuts a piece where a row begins, and keeps what is behind.
    pub(crate) fn cut(&mut self, piece: &mut Piece, at: usize) {
        piece
            .text
            .get(at..)
            .unwrap_or_default()
            .clone_into(&mut self.carry);
        piece.text.truncate(at);
        self.lines += line_ends(piece.text.as_bytes()) as u64;
    }

    /// An error at a place of the current piece, which was not cut yet.
    pub(crate) fn error(&self, text: &str, at: usize, problem: FileProblem) -> FileError {
        let before = text.get(..at).unwrap_or(text);
        FileError::at(
            Place {
                line: self.lines + line_ends(before.as_bytes()) as u64 + 1,
                column: last_line(before).chars().count() as u64 + 1,
            },
            problem,
        )
    }
}
