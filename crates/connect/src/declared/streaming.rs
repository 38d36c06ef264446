//! A list that is one answer, read row by row while it comes.
//!
//! Whoever gives everybody in one body would otherwise be held in memory as a
//! whole. A thread of its own parses what arrives; a few batches of rows are
//! ever under way, so a slow receiver slows the vendor down, and not the memory up.

use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use reqwest::header::HeaderMap;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value as Json;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinHandle;

use crate::error::{ConnectError, Place};
use crate::http::{Streaming, not_json, too_large, truncated};

/// Rows of one batch.
const BATCH: usize = 500;
/// Batches that wait for the receiver.
const WAITING: usize = 2;
/// Pieces of the body that wait for the parser.
const PIECES: usize = 8;
/// Bytes between two rows, and of one row: more is no list of people.
const LARGEST_ROW: usize = 64 * 1024 * 1024;
/// Bytes that are read ahead.
const AHEAD: usize = 64 * 1024;

/// Rows as they come.
pub(super) struct RowStream {
    rows: Receiver<Vec<Json>>,
    parsing: JoinHandle<Result<(), Unparsed>>,
    receiving: JoinHandle<Result<(), ConnectError>>,
    /// Of the answer.
    pub(super) headers: HeaderMap,
    /// Where it comes from.
    pub(super) place: Place,
}

/// Why a body gave no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unparsed {
    /// It stopped in its middle.
    Truncated,
    /// It is no JSON.
    NotJson,
    /// There is no list at the place.
    NoList,
    /// A row is larger than any row.
    TooLarge,
    /// Nobody takes the rows any more.
    Left,
}

/// How a body ended that was not read to its end.
pub(super) enum Broken {
    /// It cannot be used.
    Error(ConnectError),
    /// There is no list at the place.
    NoList,
}

impl RowStream {
    /// Begins; the rows stand in a list at this way of names.
    pub(super) fn begin(mut body: Streaming, way: Vec<String>) -> Self {
        let (pieces_in, pieces) = channel(PIECES);
        let (rows_in, rows) = channel(WAITING);
        let (headers, place) = (body.headers.clone(), body.place.clone());
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
            parse(reader, &way, &since, &mut |batch| {
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
    pub(super) async fn end(mut self) -> Result<(), Broken> {
        self.rows.close();
        let parsed = (&mut self.parsing).await;
        let parsed = match parsed {
            Ok(parsed) => parsed,
            // A panic is told without its text.
            Err(_) => Err(Unparsed::NotJson),
        };
        let received = match parsed {
            // The rest of the body is not waited for once it is no use.
            Err(Unparsed::NotJson | Unparsed::NoList | Unparsed::TooLarge | Unparsed::Left) => {
                Ok(())
            }
            _ => match (&mut self.receiving).await {
                Ok(received) => received,
                Err(_) => Err(truncated()),
            },
        };
        // What broke the connection explains a body that stops.
        received.map_err(Broken::Error)?;
        parsed.map_err(|why| match why {
            Unparsed::Truncated | Unparsed::Left => Broken::Error(truncated()),
            Unparsed::NotJson => Broken::Error(not_json()),
            Unparsed::TooLarge => Broken::Error(too_large()),
            Unparsed::NoList => Broken::NoList,
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

/// Parses a body, handing its rows over; `take` says whether somebody still wants them.
fn parse(
    body: impl Read,
    way: &[String],
    since: &Cell<usize>,
    take: &mut dyn FnMut(Vec<Json>) -> bool,
) -> Result<(), Unparsed> {
    let mut batches = Batches {
        batch: Vec::with_capacity(BATCH),
        since,
        take,
        found: false,
        left: false,
    };
    let mut deserializer = serde_json::Deserializer::from_reader(body);
    let walked = Walk {
        way,
        batches: &mut batches,
    }
    .deserialize(&mut deserializer);
    let ended = walked.and_then(|()| deserializer.end());
    let is_there = batches.flush();
    match ended {
        _ if batches.left || !is_there => Err(Unparsed::Left),
        Ok(()) if batches.found => Ok(()),
        Ok(()) => Err(Unparsed::NoList),
        Err(_) if since.get() > LARGEST_ROW => Err(Unparsed::TooLarge),
        Err(error) if error.is_eof() => Err(Unparsed::Truncated),
        Err(_) => Err(Unparsed::NotJson),
    }
}

/// Rows on their way out.
struct Batches<'a> {
    batch: Vec<Json>,
    since: &'a Cell<usize>,
    take: &'a mut dyn FnMut(Vec<Json>) -> bool,
    /// Was the list there?
    found: bool,
    /// Does nobody take rows any more?
    left: bool,
}

impl Batches<'_> {
    fn push(&mut self, row: Json) -> bool {
        self.since.set(0);
        self.batch.push(row);
        self.batch.len() < BATCH || self.flush()
    }

    fn flush(&mut self) -> bool {
        if self.batch.is_empty() {
            return true;
        }
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        let taken = (self.take)(batch);
        self.left |= !taken;
        taken
    }
}

/// The way to the rows.
struct Walk<'w, 'b, 'a> {
    way: &'w [String],
    batches: &'b mut Batches<'a>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an answer with a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Some((wanted, further)) = self.way.split_first() else {
            // A list of one that is written as the one.
            let mut row = serde_json::Map::new();
            while let Some((name, value)) = members.next_entry::<String, Json>()? {
                row.insert(name, value);
            }
            self.batches.found = true;
            self.batches.push(Json::Object(row));
            return Ok(());
        };
        while let Some(name) = members.next_key::<String>()? {
            if name == *wanted {
                members.next_value_seed(Walk {
                    way: further,
                    batches: &mut *self.batches,
                })?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if !self.way.is_empty() {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        self.batches.found = true;
        while let Some(row) = list.next_element::<Json>()? {
            if !self.batches.push(row) {
                return Err(A::Error::custom("nobody takes the rows"));
            }
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(body: &str, way: &[&str]) -> (Vec<Json>, Result<(), Unparsed>) {
        let way: Vec<String> = way.iter().map(|name| (*name).to_owned()).collect();
        let mut rows = Vec::new();
        let since = Cell::new(0);
        let ended = parse(body.as_bytes(), &way, &since, &mut |batch| {
            rows.extend(batch);
            true
        });
        (rows, ended)
    }

    #[test]
    fn rows_come_from_wherever_the_list_stands() {
        let list = json!([{"id": 1, "name": "Åse 🙂"}, {"id": 2, "deep": {"a": [1, null]}}]);
        let all = list.as_array().unwrap().clone();
        for (body, way) in [
            (list.to_string(), vec![]),
            (
                json!({"fields": [{"id": "x"}], "employees": list, "title": "T"}).to_string(),
                vec!["employees"],
            ),
            (
                json!({"a": {"employees": [9]}, "d": {"employees": list}}).to_string(),
                vec!["d", "employees"],
            ),
        ] {
            assert_eq!(rows(&body, &way), (all.clone(), Ok(())), "{body}");
        }
        assert_eq!(
            rows(r#"{"one": {"id": 1}}"#, &["one"]),
            (vec![json!({"id": 1})], Ok(()))
        );
        assert_eq!(rows(r#"{"d": []}"#, &["d"]), (vec![], Ok(())));
    }

    #[test]
    fn a_body_without_the_list_is_told_from_one_that_stops_and_from_none() {
        for body in [
            "{}",
            r#"{"employees": null}"#,
            r#"{"employees": "x"}"#,
            "[1]",
            "null",
        ] {
            assert_eq!(
                rows(body, &["employees"]),
                (vec![], Err(Unparsed::NoList)),
                "{body}"
            );
        }
        let body = r#"{"employees": [{"id": 1}, {"id": 2}], "more": "å"}"#;
        for end in 1..body.len() {
            let Some(cut) = body.get(..end) else { continue };
            assert_eq!(
                rows(cut, &["employees"]).1,
                Err(Unparsed::Truncated),
                "{cut}"
            );
        }
        for body in ["<html>", "{]", r#"{"employees": [1]} x"#] {
            assert_eq!(
                rows(body, &["employees"]).1,
                Err(Unparsed::NotJson),
                "{body}"
            );
        }
    }

    #[test]
    fn many_rows_come_in_batches_until_nobody_takes_them() {
        let body = Json::from_iter(0..1_201).to_string();
        let mut sizes = Vec::new();
        let ended = parse(body.as_bytes(), &[], &Cell::new(0), &mut |batch| {
            sizes.push(batch.len());
            true
        });
        assert_eq!((sizes, ended), (vec![500, 500, 201], Ok(())));
        let ended = parse(body.as_bytes(), &[], &Cell::new(0), &mut |_| false);
        assert_eq!(ended, Err(Unparsed::Left));
    }
}
