//! Rows of a body in XML.

use std::io::BufRead;

use super::batches::Batches;
use super::{Ended, MOST_KEPT, Unparsed, Wanted};
use crate::xml::{NotRows, NotXml, Rows, Taken, parse_rows};

/// Takes the rows out of a body.
pub(super) fn rows(
    body: impl BufRead,
    wanted: &Wanted,
    batches: &mut Batches<'_>,
) -> Result<Ended, Unparsed> {
    let mut rows = Rows {
        way: &wanted.way,
        keeps: wanted.keeps,
        most_kept: MOST_KEPT,
        take: &mut |row| batches.push(row),
        taken: Taken::None,
    };
    let parsed = parse_rows(body, &mut rows);
    let found = rows.taken == Taken::Rows;
    match parsed {
        Ok(beside) => Ok(Ended { found, beside }),
        Err(why) => Err(match why {
            NotRows::NotXml(NotXml::Truncated) => Unparsed::Truncated,
            NotRows::NotXml(NotXml::Other) => Unparsed::NotXml,
            NotRows::Twice => Unparsed::Twice,
            NotRows::TooLarge => Unparsed::TooLarge,
            NotRows::Left => Unparsed::Left,
        }),
    }
}
