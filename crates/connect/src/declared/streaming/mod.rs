//! A list that is one answer, read row by row while it comes.
//!
//! Whoever gives everybody in one body would otherwise be held in memory as a
//! whole. A thread of its own parses what arrives; a few batches of rows are
//! ever under way, so a slow receiver slows the vendor down, and not the memory up.
//!
//! What stands beside the rows is kept where a rule of the manifest looks into answers of
//! success: when the body has ended, and before the list is believed, the answer is judged
//! by it, with an empty list where the rows were.

mod batches;
mod json;
mod xml;

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use reqwest::header::HeaderMap;
use serde_json::Value as Json;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinHandle;

use crate::error::{ConnectError, Place};
use crate::http::{Form, Speech, Streaming, not_json, not_xml, row_too_large, truncated};
use batches::Batches;

/// Batches that wait for the receiver.
const WAITING: usize = 2;
/// Pieces of the body that wait for the parser.
const PIECES: usize = 8;
/// Bytes between two rows, and of one row: more is no list of people.
const LARGEST_ROW: usize = 64 * 1024 * 1024;
/// Bytes that are kept of what stands beside the rows: titles, and what refuses.
const MOST_KEPT: usize = 8 * 1024 * 1024;
/// Bytes that are read ahead.
const AHEAD: usize = 64 * 1024;

/// Rows as they come.
pub(super) struct RowStream {
    rows: Receiver<Vec<Json>>,
    parsing: JoinHandle<Result<Ended, Unparsed>>,
    receiving: JoinHandle<Result<(), ConnectError>>,
    /// Of the answer.
    pub(super) headers: HeaderMap,
    /// Where it comes from.
    pub(super) place: Place,
}

/// Which rows are taken out of a body.
#[derive(Clone)]
pub(super) struct Wanted {
    /// The names that lead to them.
    pub(super) way: Vec<String>,
    /// Is what stands beside them wanted?
    pub(super) keeps: bool,
}

/// How a body ended that was read to its end.
#[derive(Debug, PartialEq)]
pub(super) struct Ended {
    /// Was there a list at the place?
    pub(super) found: bool,
    /// What stands beside the rows, if it was wanted; an empty list where they were.
    pub(super) beside: Json,
}

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unparsed {
    /// It stopped in its middle.
    Truncated,
    /// It is no JSON.
    NotJson,
    /// It is no XML.
    NotXml,
    /// The way to the rows stands twice: it leads to no list.
    Twice,
    /// A row is larger than any row, or too much stands beside the rows.
    TooLarge,
    /// Nobody takes the rows any more.
    Left,
}

/// How a body ended that was not read to its end.
pub(super) enum Broken {
    /// It cannot be used.
    Error(ConnectError),
    /// There is no one list at the place.
    NoList,
}

impl RowStream {
    /// Begins.
    pub(super) fn begin(mut body: Streaming, wanted: Wanted) -> Self {
        let (pieces_in, pieces) = channel(PIECES);
        let (rows_in, rows) = channel(WAITING);
        let (headers, place, speaks) = (body.headers.clone(), body.place.clone(), body.speaks);
        let receiving = tokio::spawn(async move {
            while let Some(piece) = body.piece().await? {
                if pieces_in.send(piece).await.is_err() {
                    break; // the parser has ended and says why
                }
            }
            Ok(())
        });
        let parsing = tokio::task::spawn_blocking(move || {
            let since = Rc::new(Cell::new(0));
            let pieces = Pieces {
                pieces,
                piece: Vec::new(),
                at: 0,
                since: since.clone(),
            };
            let reader = BufReader::with_capacity(AHEAD, pieces);
            parse(reader, speaks, &wanted, &since, &mut |batch| {
                rows_in.blocking_send(batch).is_ok()
            })
        });
        Self {
            rows,
            parsing,
            receiving,
            headers,
            place,
        }
    }

    /// The next rows; `None` at the end, of which [`RowStream::end`] says how it came.
    pub(super) async fn next(&mut self) -> Option<Vec<Json>> {
        self.rows.recv().await
    }

    /// How the body ended.
    pub(super) async fn end(mut self) -> Result<Ended, Broken> {
        self.rows.close();
        let parsed = (&mut self.parsing).await;
        let parsed = match parsed {
            Ok(parsed) => parsed,
            // A panic is told without its text.
            Err(_) => Err(Unparsed::NotJson),
        };
        let received = match parsed {
            Ok(_) | Err(Unparsed::Truncated) => match (&mut self.receiving).await {
                Ok(received) => received,
                Err(_) => Err(truncated()),
            },
            // The rest of the body is not waited for once it is no use.
            Err(_) => Ok(()),
        };
        // What broke the connection explains a body that stops.
        received.map_err(Broken::Error)?;
        parsed.map_err(|why| match why {
            Unparsed::Truncated | Unparsed::Left => Broken::Error(truncated()),
            Unparsed::NotJson => Broken::Error(not_json()),
            Unparsed::NotXml => Broken::Error(not_xml()),
            Unparsed::TooLarge => Broken::Error(row_too_large()),
            Unparsed::Twice => Broken::NoList,
        })
    }
}

impl Drop for RowStream {
    fn drop(&mut self) {
        self.receiving.abort();
    }
}

/// The body as a reader.
struct Pieces {
    pieces: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
    /// Bytes since the last row.
    since: Rc<Cell<usize>>,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.piece.len() {
            match self.pieces.blocking_recv() {
                Some(piece) => (self.piece, self.at) = (piece, 0),
                None => return Ok(0),
            }
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let taken = rest.len().min(into.len());
        if let (Some(into), Some(from)) = (into.get_mut(..taken), rest.get(..taken)) {
            into.copy_from_slice(from);
        }
        self.at += taken;
        self.since.set(self.since.get() + taken);
        if self.since.get() > LARGEST_ROW {
            return Err(io::Error::other("too large"));
        }
        Ok(taken)
    }
}

/// Parses a body in the form in which it is written, handing its rows over; `take` says
/// whether somebody still wants them.
fn parse(
    mut body: impl BufRead,
    speaks: Speech,
    wanted: &Wanted,
    since: &Cell<usize>,
    take: &mut dyn FnMut(Vec<Json>) -> bool,
) -> Result<Ended, Unparsed> {
    let mut batches = Batches::new(since, take);
    let parsed = match speaks {
        Speech::Json => json::rows(body, wanted, &mut batches),
        Speech::Xml => match first(&mut body) {
            Ok(first) => match Form::beginning(first) {
                Form::Json => json::rows(body, wanted, &mut batches),
                Form::Xml => xml::rows(body, wanted, &mut batches),
                Form::Unclear => json::rows(body, wanted, &mut batches).map_err(|why| match why {
                    Unparsed::NotJson | Unparsed::Truncated => Unparsed::NotXml,
                    why => why,
                }),
            },
            Err(_) => Err(Unparsed::Truncated),
        },
    };
    let is_there = batches.flush();
    match parsed {
        _ if batches.is_left() || !is_there => Err(Unparsed::Left),
        Err(_) if since.get() > LARGEST_ROW => Err(Unparsed::TooLarge),
        parsed => parsed,
    }
}

/// The first byte that says something; spaces and the mark of the byte order do not.
fn first(body: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let next = body.fill_buf()?.first().copied();
        match next {
            Some(byte) if Form::is_blank(byte) => body.consume(1),
            next => return Ok(next),
        }
    }
}

#[cfg(test)]
mod tests;
