//! Backup and restore of a whole installation.
//!
//! A backup is one file: what the tables hold, row by row, compressed and then
//! encrypted with a key that follows from the master key. The same file is
//! written from either engine and restored into either. Values are in it as
//! they are stored, sealed ones sealed; the master key is not in it.
//!
//! Which tables there are is asked of the database, so that nothing has to be
//! added here when one comes. What a backup sees is one instant, and writers go
//! on meanwhile; a restore is one transaction, so that it happens or does not.

mod archive;
mod envelope;
mod erased;
mod error;
mod file;
mod restore;
pub(crate) mod shape;
pub(crate) mod tuple;
mod wrapped;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc;

use self::archive::{Head, Writer};
use self::file::NewFile;
use crate::both::{Engine, on_the_whole};
use crate::entropy::Entropy;
use crate::seal::MasterKey;
use crate::storage::Storage;
use crate::stored::instant;
use crate::{postgres, sqlite};

pub use erased::Erased;
pub use error::BackupError;
pub use restore::{Restore, Restored, check};

/// Blocks on their way from the database to the file: each at most about a mebibyte.
const WAITING: usize = 2;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// The file.
    pub file: PathBuf,
    /// When it was made: it shows the data of this instant.
    pub made_at: Timestamp,
    /// By which version of Muster.
    pub version: String,
    /// Which engine held the data: `sqlite` or `postgresql`.
    pub engine: String,
    /// Which migrations the database had.
    pub schema: Vec<i64>,
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// Bytes of the file.
    pub bytes: u64,
}

/// What the writing thread is told.
enum Step {
    /// The rows of a table follow in the channel.
    Table(usize, mpsc::Receiver<Vec<u8>>),
    /// Everything is there.
    Finish,
}

impl Storage {
    /// Writes everything into a file, as it is at this instant. Whoever works
    /// meanwhile goes on; an existing file is written over only if asked.
    ///
    /// # Errors
    /// `backup.exists`, `backup.in_progress`, `backup.file`, `backup.empty`, `key.wrong`,
    /// and what the storage says.
    pub async fn backup(&self, path: &Path, replace: bool) -> Result<Backup, BackupError> {
        let file = NewFile::begin(path, replace)?;
        let mut handle = self.engine.snapshot().await?;
        // What another key encrypts than the one that opens the data, nobody restores.
        let organisations = on_the_whole!(handle, front_door::list())?;
        if organisations.is_empty() {
            return Err(BackupError::Empty);
        }
        for row in organisations {
            self.open_organisation(row)?;
        }
        let tables = on_the_whole!(handle, whole::tables())?;
        let head = Head {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            schema: on_the_whole!(handle, whole::schema())?,
            engine: self.engine.word().to_owned(),
            made_at: self.clock.now().as_microsecond(),
            tables: tables.clone(),
        };
        let (steps, receiver) = mpsc::channel(1);
        let (master, entropy) = (self.master.clone(), std::sync::Arc::clone(&self.entropy));
        let its_head = head.clone();
        let its_path = path.to_owned();
        let writing = tokio::task::spawn_blocking(move || {
            write(&file, &master, entropy.as_ref(), &its_head, receiver)
                .map_err(|error| BackupError::of_stream(&its_path, error))
                .and_then(|written| file.finish().map(|()| written))
        });
        for (number, table) in tables.iter().enumerate() {
            let (blocks, of_table) = mpsc::channel(WAITING);
            // Whoever writes failed: its own error says more.
            if steps.send(Step::Table(number, of_table)).await.is_err() {
                break;
            }
            on_the_whole!(handle, whole::dump(table, &blocks))?;
        }
        let _ = steps.send(Step::Finish).await;
        drop(steps);
        let written = writing
            .await
            .map_err(|error| BackupError::file(path, &io::Error::other(error)))??;
        let rows = tables.into_iter().map(|table| table.name).zip(written.rows);
        Ok(Backup {
            file: path.to_owned(),
            made_at: instant("the present instant", head.made_at)?,
            version: head.version,
            engine: head.engine,
            schema: head.schema,
            rows: rows.collect(),
            bytes: written.bytes,
        })
    }
}

struct Written {
    rows: Vec<u64>,
    bytes: u64,
}

fn write(
    file: &NewFile,
    master: &MasterKey,
    entropy: &dyn Entropy,
    head: &Head,
    mut steps: mpsc::Receiver<Step>,
) -> io::Result<Written> {
    let counted = Counted {
        inner: BufWriter::with_capacity(1 << 20, file),
        bytes: 0,
    };
    let mut writer = Writer::begin(counted, master, entropy, head)?;
    let mut rows = Vec::with_capacity(head.tables.len());
    loop {
        match steps.blocking_recv() {
            Some(Step::Table(number, mut blocks)) => {
                writer.table(number)?;
                while let Some(block) = blocks.blocking_recv() {
                    writer.rows(&block)?;
                }
                rows.push(writer.table_end()?);
            }
            Some(Step::Finish) => break,
            // The database failed; what is written so far has no end and goes.
            None => return Err(io::ErrorKind::Interrupted.into()),
        }
    }
    let mut counted = writer.finish()?;
    counted.flush()?;
    Ok(Written {
        rows,
        bytes: counted.bytes,
    })
}

/// Counts what goes through.
struct Counted<W> {
    inner: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Engine {
    /// The word of the engine in a backup.
    const fn word(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => sqlite::whole::ENGINE,
            Self::Postgres(_) => postgres::whole::ENGINE,
        }
    }
}
