//! Text from bytes of any usual encoding.
//!
//! A byte order mark decides; then UTF-16 without one where the first bytes
//! leave no doubt; then UTF-8 as long as it is that; and windows-1252 from the
//! first byte on that is not, if everything before it was plain ASCII. A file
//! that was UTF-8 up to a bad byte is damaged, not of another encoding.

use std::io::Read;

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::error::FileProblem;
use crate::options::Progress;

/// Bytes looked at before anything is decided.
const LOOK: usize = 64;
/// Bytes read at once where they must be decoded.
const PIECE: usize = 64 << 10;
/// Room that a decoder wants to write one character.
const ROOM: usize = 16;
/// What windows-1252 has no character for. An exported text holds none of it.
const NO_CHARACTERS: [char; 5] = ['\u{81}', '\u{8d}', '\u{8f}', '\u{90}', '\u{9d}'];

/// Whether there is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum More {
    /// Perhaps.
    Perhaps,
    /// That was the end.
    Ended,
}

/// Reads bytes and gives text.
pub(crate) struct TextReader {
    source: Box<dyn Read + Send>,
    /// Read, and not yet given as text.
    pending: Vec<u8>,
    mode: Mode,
    progress: Option<Progress>,
}

enum Mode {
    /// UTF-8, which needs no copy.
    Utf8 {
        /// May it turn out to be windows-1252? Only while all was ASCII.
        may_fall_back: bool,
    },
    Decoded {
        decoder: Box<Decoder>,
        name: &'static str,
        /// Was the encoding our guess? Then it must make sense throughout.
        guessed: bool,
        source_ended: bool,
    },
}

impl TextReader {
    /// Looks at the first bytes.
    pub(crate) fn new(
        mut source: Box<dyn Read + Send>,
        said: Option<&'static Encoding>,
        progress: Option<Progress>,
    ) -> std::io::Result<Self> {
        let mut pending = Vec::with_capacity(LOOK);
        (&mut source).take(LOOK as u64).read_to_end(&mut pending)?;
        let mark = Encoding::for_bom(&pending);
        let encoding = said
            .or(mark.map(|(encoding, _)| encoding))
            .or_else(|| utf16_without_mark(&pending));
        if let Some((marked, length)) = mark
            && encoding == Some(marked)
        {
            pending.drain(..length.min(pending.len()));
        }
        let mode = match encoding {
            None => Mode::Utf8 {
                may_fall_back: true,
            },
            Some(utf8) if utf8 == UTF_8 => Mode::Utf8 {
                may_fall_back: false,
            },
            Some(other) => Mode::decoded(other, said.is_none()),
        };
        Ok(Self {
            source,
            pending,
            mode,
            progress,
        })
    }

    /// Adds text until there are at least `until` bytes of it, or a little less
    /// where a character would be cut, or the file ends.
    ///
    /// At an error the text ends before the bad bytes.
    pub(crate) fn fill(&mut self, text: &mut String, until: usize) -> Result<More, FileProblem> {
        loop {
            let ended = match &mut self.mode {
                Mode::Utf8 { .. } => self.fill_utf8(text, until)?,
                Mode::Decoded { .. } => self.fill_decoded(text, until)?,
            };
            // The encoding may have changed on the way; then nothing is decided yet.
            if ended == More::Ended || text.len() + ROOM >= until {
                return Ok(ended);
            }
        }
    }

    fn fill_utf8(&mut self, text: &mut String, until: usize) -> Result<More, FileProblem> {
        let mut bytes = std::mem::take(text).into_bytes();
        let before = bytes.len();
        bytes.append(&mut self.pending);
        let wanted = until.saturating_sub(bytes.len());
        let read = (&mut self.source)
            .take(wanted as u64)
            .read_to_end(&mut bytes);
        let read = match read {
            Ok(read) => read,
            Err(error) => return Err(FileProblem::Unreadable(error)),
        };
        if let Some(progress) = &self.progress {
            progress.tell(read);
        }
        let ended = if read < wanted {
            More::Ended
        } else {
            More::Perhaps
        };
        let Mode::Utf8 { may_fall_back } = &mut self.mode else {
            return Ok(ended);
        };
        match String::from_utf8(bytes) {
            Ok(whole) => {
                *may_fall_back =
                    *may_fall_back && whole.as_bytes().get(before..).is_some_and(<[u8]>::is_ascii);
                *text = whole;
                Ok(ended)
            }
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let cut = error.utf8_error().error_len().is_none();
                let mut bytes = error.into_bytes();
                self.pending = bytes.split_off(good);
                let was_ascii = bytes.get(before..).is_some_and(<[u8]>::is_ascii);
                // Valid up to here, so nothing is replaced.
                *text = String::from_utf8_lossy(&bytes).into_owned();
                *may_fall_back = *may_fall_back && was_ascii;
                if cut && ended == More::Perhaps {
                    return Ok(More::Perhaps);
                }
                if !*may_fall_back {
                    return Err(FileProblem::Encoding("UTF-8"));
                }
                self.mode = Mode::decoded(WINDOWS_1252, true);
                Ok(More::Perhaps)
            }
        }
    }

    fn fill_decoded(&mut self, text: &mut String, until: usize) -> Result<More, FileProblem> {
        let Mode::Decoded {
            decoder,
            name,
            guessed,
            source_ended,
        } = &mut self.mode
        else {
            return Ok(More::Perhaps);
        };
        let before = text.len();
        text.reserve(until.saturating_sub(before) + ROOM);
        let ended = loop {
            if self.pending.is_empty() && !*source_ended {
                let read = (&mut self.source)
                    .take(PIECE as u64)
                    .read_to_end(&mut self.pending)
                    .map_err(FileProblem::Unreadable)?;
                if let Some(progress) = &self.progress {
                    progress.tell(read);
                }
                *source_ended = read < PIECE;
            }
            let (result, read) =
                decoder.decode_to_string_without_replacement(&self.pending, text, *source_ended);
            self.pending.drain(..read.min(self.pending.len()));
            match result {
                DecoderResult::InputEmpty if *source_ended => break More::Ended,
                DecoderResult::InputEmpty if text.len() + ROOM >= until => break More::Perhaps,
                DecoderResult::InputEmpty => {}
                DecoderResult::OutputFull => break More::Perhaps,
                DecoderResult::Malformed(..) => return Err(FileProblem::Encoding(name)),
            }
        };
        if *guessed
            && *name == WINDOWS_1252.name()
            && let Some(bad) = text.get(before..).and_then(|new| new.find(NO_CHARACTERS))
        {
            text.truncate(before + bad);
            return Err(FileProblem::Encoding("UTF-8 or windows-1252"));
        }
        Ok(ended)
    }
}

impl Mode {
    fn decoded(encoding: &'static Encoding, guessed: bool) -> Self {
        Self::Decoded {
            decoder: Box::new(encoding.new_decoder_without_bom_handling()),
            name: encoding.name(),
            guessed,
            source_ended: false,
        }
    }
}

/// UTF-16 without a mark, where it is certain: each of the first characters,
/// which are those of the header, has one byte zero and the other not.
fn utf16_without_mark(first: &[u8]) -> Option<&'static Encoding> {
    if first.len() < 4 {
        return None;
    }
    let pairs = || {
        first
            .chunks_exact(2)
            .map(|pair| (pair.first() == Some(&0), pair.last() == Some(&0)))
    };
    if pairs().all(|zeros| zeros == (false, true)) {
        Some(UTF_16LE)
    } else if pairs().all(|zeros| zeros == (true, false)) {
        Some(UTF_16BE)
    } else {
        None
    }
}
