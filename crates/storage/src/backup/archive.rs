//! What stands inside the envelope, compressed: what the backup is, then each
//! table with its rows and what they add up to, then the end.

use std::io::{self, BufReader, Read, Write};

use serde::{Deserialize, Serialize};

use super::envelope::{Opener, Sealer};
use super::error::BackupError;
use super::shape::Shape;
use super::tuple::Tally;
use crate::entropy::Entropy;
use crate::seal::MasterKey;

/// Fast, and within a few per cent of the next levels: sealed values do not compress.
const LEVEL: i32 = 3;

const HEAD: u8 = 1;
const TABLE: u8 = 2;
const ROWS: u8 = 3;
const TABLE_END: u8 = 4;
const END: u8 = 5;

/// What the backup is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// By which version of Muster.
    pub(crate) version: String,
    /// Which migrations the database had.
    pub(crate) schema: Vec<i64>,
    /// Which engine held the data.
    pub(crate) engine: String,
    /// When it was made, in microseconds since 1970 UTC.
    pub(crate) made_at: i64,
    /// The tables, each after those that it refers to.
    pub(crate) tables: Vec<Shape>,
}

/// What the rows of a table add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableEnd {
    pub(crate) rows: u64,
    pub(crate) digest: String,
}

/// One part of the archive.
#[derive(Debug)]
pub(crate) enum Part {
    /// The table of this number begins.
    Table(usize),
    /// Whole rows of it.
    Rows(Vec<u8>),
    /// Its rows are complete.
    TableEnd(TableEnd),
}

/// Writes an archive.
pub(crate) struct Writer<W: Write> {
    stream: zstd::Encoder<'static, Sealer<W>>,
    tally: Tally,
}

impl<W: Write> Writer<W> {
    pub(crate) fn begin(
        inner: W,
        master: &MasterKey,
        entropy: &dyn Entropy,
        head: &Head,
    ) -> io::Result<Self> {
        let sealer = Sealer::begin(inner, master, entropy)?;
        let mut writer = Self {
            stream: zstd::Encoder::new(sealer, LEVEL)?,
            tally: Tally::default(),
        };
        writer.put(HEAD, &serde_json::to_vec(head)?)?;
        Ok(writer)
    }

    pub(crate) fn table(&mut self, number: usize) -> io::Result<()> {
        self.tally = Tally::default();
        self.put(TABLE, &serde_json::to_vec(&number)?)
    }

    pub(crate) fn rows(&mut self, block: &[u8]) -> io::Result<()> {
        self.tally
            .add_block(block)
            .ok_or_else(|| BackupError::content("a block of rows is not whole"))?;
        self.put(ROWS, block)
    }

    /// The rows of the table are complete; says how many there were.
    pub(crate) fn table_end(&mut self) -> io::Result<u64> {
        let end = TableEnd {
            rows: self.tally.rows,
            digest: self.tally.digest(),
        };
        self.put(TABLE_END, &serde_json::to_vec(&end)?)?;
        Ok(end.rows)
    }

    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.put(END, &[])?;
        self.stream.finish()?.finish()
    }

    fn put(&mut self, tag: u8, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len())
            .map_err(|_| BackupError::content("a block of rows is longer than 4 GiB"))?;
        self.stream.write_all(&[tag])?;
        self.stream.write_all(&length.to_le_bytes())?;
        self.stream.write_all(bytes)
    }
}

/// Reads an archive and holds it against what it says of itself.
pub(crate) struct Reader<R: Read> {
    stream: zstd::Decoder<'static, BufReader<Opener<R>>>,
    head: Head,
    tally: Tally,
    next_table: usize,
    in_table: bool,
}

impl<R: Read> Reader<R> {
    pub(crate) fn begin(inner: R, master: &MasterKey) -> io::Result<Self> {
        let mut stream = zstd::Decoder::new(Opener::begin(inner, master)?)?;
        let (tag, bytes) = get(&mut stream)?;
        if tag != HEAD {
            return Err(BackupError::content("it does not begin with what it is").into());
        }
        // A later version may say more, and then its schema is newer too.
        let head = serde_json::from_slice(&bytes)
            .map_err(|_| BackupError::content("what it says of itself cannot be read"))?;
        Ok(Self {
            stream,
            head,
            tally: Tally::default(),
            next_table: 0,
            in_table: false,
        })
    }

    pub(crate) const fn head(&self) -> &Head {
        &self.head
    }

    /// The next part; `None` at the end, when everything was there.
    pub(crate) fn next(&mut self) -> io::Result<Option<Part>> {
        let (tag, bytes) = get(&mut self.stream)?;
        match tag {
            TABLE if !self.in_table => {
                let number: usize = serde_json::from_slice(&bytes)?;
                if number != self.next_table || number >= self.head.tables.len() {
                    return Err(BackupError::content("a table is out of place").into());
                }
                self.next_table += 1;
                self.in_table = true;
                self.tally = Tally::default();
                Ok(Some(Part::Table(number)))
            }
            ROWS if self.in_table => {
                self.tally
                    .add_block(&bytes)
                    .ok_or_else(|| BackupError::content("a block of rows is not whole"))?;
                Ok(Some(Part::Rows(bytes)))
            }
            TABLE_END if self.in_table => {
                let end: TableEnd = serde_json::from_slice(&bytes)?;
                if end.rows != self.tally.rows || end.digest != self.tally.digest() {
                    let table = self.head.tables.get(self.next_table.saturating_sub(1));
                    let name = table.map_or("", |table| &table.name);
                    let what = format!("the rows of {name} do not add up");
                    return Err(BackupError::content(what).into());
                }
                self.in_table = false;
                Ok(Some(Part::TableEnd(end)))
            }
            END if !self.in_table => {
                if self.next_table != self.head.tables.len() {
                    return Err(BackupError::content("a table is missing").into());
                }
                // To the end of the envelope, so that its last piece is proved.
                if self.stream.read(&mut [0])? != 0 {
                    return Err(BackupError::content("it goes on after its end").into());
                }
                Ok(None)
            }
            _ => Err(BackupError::content("its parts are out of order").into()),
        }
    }
}

fn get(stream: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut begin = [0; 5];
    stream.read_exact(&mut begin)?;
    let [tag, length @ ..] = begin;
    let length = u32::from_le_bytes(length);
    let mut bytes = Vec::new();
    // As much as there is: a length alone reserves nothing.
    let read = stream.take(u64::from(length)).read_to_end(&mut bytes)?;
    if read as u64 != u64::from(length) {
        return Err(BackupError::content("it ends in the middle").into());
    }
    Ok((tag, bytes))
}
