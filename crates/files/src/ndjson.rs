//! A table in NDJSON: one object a line.

use std::collections::HashMap;
use std::fmt;

use memchr::memchr;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::block::Block;
use crate::error::{FileError, FileProblem};
use crate::limits::Limits;
use crate::text_blocks::{Piece, TextBlocks};

/// Any will do, because the rows are written by us.
const DELIMITER: u8 = b',';

/// Reads NDJSON block by block. An object's names are its columns; what an
/// object does not name, and `null`, are empty cells; what is neither text nor
/// number nor truth is a cell of JSON.
pub(crate) struct NdjsonTable {
    blocks: TextBlocks,
    /// The piece that was read to find out what the file is.
    first: Option<Piece>,
    columns: Vec<String>,
    places: HashMap<String, usize>,
    limits: Limits,
    rows: u32,
    ended: bool,
}

impl NdjsonTable {
    pub(crate) fn new(blocks: TextBlocks, first: Piece, limits: Limits) -> Result<Self, FileError> {
        if first.text.trim_start().starts_with('[') {
            let at = first.text.find('[').unwrap_or(0);
            return Err(blocks.error(&first.text, at, FileProblem::JsonArray));
        }
        Ok(Self {
            blocks,
            first: Some(first),
            columns: Vec::new(),
            places: HashMap::new(),
            limits,
            rows: 0,
            ended: false,
        })
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(crate) fn next_block(&mut self) -> Result<Option<Block>, FileError> {
        if self.ended {
            return Ok(None);
        }
        let mut piece = match self.first.take() {
            Some(piece) => piece,
            None => self.blocks.next()?,
        };
        let mut block = Block::new(DELIMITER);
        let mut cells = Vec::new();
        let mut at = 0;
        while at < piece.text.len() {
            let rest = piece.text.get(at..).unwrap_or_default();
            let end = memchr(b'\n', rest.as_bytes());
            let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            if line.len() > self.limits.row_bytes {
                let problem = FileProblem::RowTooLong(self.limits.row_bytes);
                return Err(self.blocks.error(&piece.text, at, problem));
            }
            if end.is_none() && !piece.ended {
                break;
            }
            if !line.trim().is_empty() {
                if let Err((column, problem)) = self.read(line, &mut cells) {
                    return Err(self.blocks.error(&piece.text, at + column, problem));
                }
                if self.rows == self.limits.rows {
                    let problem = FileProblem::TooManyRows(self.limits.rows);
                    return Err(self.blocks.error(&piece.text, at, problem));
                }
                self.rows += 1;
                block.write(&cells);
            }
            at += end.map_or(rest.len(), |end| end + 1);
        }
        self.ended = piece.ended;
        self.blocks.cut(&mut piece, at);
        Ok(Some(block))
    }

    /// Reads one object into cells. The error says at which byte of the line.
    fn read(&mut self, line: &str, cells: &mut Vec<String>) -> Result<(), (usize, FileProblem)> {
        let begin = line.len() - line.trim_start().len();
        let mut json = serde_json::Deserializer::from_str(line);
        let mut repeated = false;
        let entries = json
            .deserialize_map(Entries {
                repeated: &mut repeated,
            })
            .and_then(|entries| json.end().map(|()| entries));
        let entries = match entries {
            Ok(entries) => entries,
            Err(_) if repeated => return Err((begin, FileProblem::RepeatedName)),
            // The words of the error itself may repeat what stands in the line.
            Err(error) => {
                let at = error.column().saturating_sub(1).min(line.len());
                return Err(match error.classify() {
                    Category::Data => (begin, FileProblem::NotAnObject),
                    Category::Eof => (at, FileProblem::Json("it ends too early")),
                    Category::Syntax | Category::Io => {
                        (at, FileProblem::Json("a character cannot stand here"))
                    }
                });
            }
        };
        cells.clear();
        cells.resize(self.columns.len(), String::new());
        for (name, value) in entries {
            let text = text_of(value).map_err(|_| {
                let problem = FileProblem::Json("a character cannot stand here");
                (begin, problem)
            })?;
            if text.len() > self.limits.cell_bytes {
                return Err((begin, FileProblem::CellTooLong(self.limits.cell_bytes)));
            }
            if text.contains('\0') {
                return Err((begin, FileProblem::Nul));
            }
            let place = match self.places.get(&name) {
                Some(place) => *place,
                None => {
                    let place = self.columns.len();
                    if place == self.limits.columns {
                        return Err((begin, FileProblem::TooManyColumns(place)));
                    }
                    self.columns.push(name.trim().to_owned());
                    self.places.insert(name, place);
                    cells.push(String::new());
                    place
                }
            };
            if let Some(cell) = cells.get_mut(place) {
                *cell = text;
            }
        }
        Ok(())
    }
}

/// A value as a cell. A number stays as it is written: as a floating-point number two
/// long ones would become one.
fn text_of(value: &RawValue) -> serde_json::Result<String> {
    let written = value.get();
    let is_number = written.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if is_number && !written.contains(['e', 'E']) {
        return Ok(written.to_owned());
    }
    Ok(match serde_json::from_str(written)? {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    })
}

/// The entries of one object, in which no name may stand twice.
struct Entries<'a> {
    repeated: &'a mut bool,
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries: Vec<(String, &'de RawValue)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
            if !names.insert(name.clone()) {
                *self.repeated = true;
                return Err(serde::de::Error::custom("a name stands twice"));
            }
            entries.push((name, value));
        }
        Ok(entries)
    }
}
