//! Rows as a backup holds them: for each row the number of its values (two
//! bytes), for each value its length (four bytes, -1 for none) and its bytes,
//! the most significant byte first. This is how PostgreSQL's binary COPY writes
//! them, so that there rows go in and out unchanged.

use blake3::Hasher;

/// A block of whole rows ends at about this size: memory is bounded by it.
pub(crate) const BLOCK: usize = 1 << 20;

/// Begins a row of so many values.
pub(crate) fn begin_row(block: &mut Vec<u8>, values: usize) {
    // No table has more than 1,600 columns.
    let values = i16::try_from(values).unwrap_or(i16::MAX);
    block.extend_from_slice(&values.to_be_bytes());
}

/// Adds a value to the row. One of 2 GiB or more is refused by both databases.
pub(crate) fn push_value(block: &mut Vec<u8>, value: Option<&[u8]>) {
    let Some(value) = value else {
        block.extend_from_slice(&(-1_i32).to_be_bytes());
        return;
    };
    let length = i32::try_from(value.len()).unwrap_or(i32::MAX);
    block.extend_from_slice(&length.to_be_bytes());
    block.extend_from_slice(value);
}

/// What stands at the beginning of some bytes.
pub(crate) enum Parsed<'a> {
    /// A row, and how many bytes it takes.
    Row(Vec<Option<&'a [u8]>>, usize),
    /// The beginning of a row.
    Cut,
    /// PostgreSQL's mark after the last row.
    End,
    /// Nothing that a row begins with.
    Nonsense,
}

/// The first row of some bytes.
pub(crate) fn parse(bytes: &[u8]) -> Parsed<'_> {
    let Some((values, mut rest)) = bytes.split_first_chunk::<2>() else {
        return Parsed::Cut;
    };
    let values = i16::from_be_bytes(*values);
    if values == -1 {
        return Parsed::End;
    }
    let Ok(values) = usize::try_from(values) else {
        return Parsed::Nonsense;
    };
    let mut row = Vec::with_capacity(values);
    for _ in 0..values {
        let Some((length, more)) = rest.split_first_chunk::<4>() else {
            return Parsed::Cut;
        };
        let length = i32::from_be_bytes(*length);
        if length == -1 {
            row.push(None);
            rest = more;
            continue;
        }
        let Ok(length) = usize::try_from(length) else {
            return Parsed::Nonsense;
        };
        let Some((value, more)) = more.split_at_checked(length) else {
            return Parsed::Cut;
        };
        row.push(Some(value));
        rest = more;
    }
    Parsed::Row(row, bytes.len() - rest.len())
}

/// Number and digest of a table's rows, whatever their order: databases give
/// rows back in an order of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) rows: u64,
    sum: [u64; 4],
}

impl Tally {
    /// Counts one row by its bytes.
    pub(crate) fn add(&mut self, row: &[u8]) {
        self.rows += 1;
        let hash = blake3::hash(row);
        for (lane, part) in self.sum.iter_mut().zip(hash.as_bytes().as_chunks::<8>().0) {
            *lane = lane.wrapping_add(u64::from_le_bytes(*part));
        }
    }

    /// Counts the rows of a block; `None` if it is not made of whole rows.
    pub(crate) fn add_block(&mut self, block: &[u8]) -> Option<()> {
        let mut rest = block;
        while !rest.is_empty() {
            let Parsed::Row(_, length) = parse(rest) else {
                return None;
            };
            let (row, more) = rest.split_at_checked(length)?;
            self.add(row);
            rest = more;
        }
        Some(())
    }

    /// The digest, as hexadecimal digits.
    pub(crate) fn digest(&self) -> String {
        let mut hasher = Hasher::new();
        for lane in self.sum {
            hasher.update(&lane.to_le_bytes());
        }
        hasher.update(&self.rows.to_le_bytes());
        hasher.finalize().to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row<'a> = &'a [Option<&'a [u8]>];

    fn block(rows: &[Row<'_>]) -> Vec<u8> {
        let mut block = Vec::new();
        for row in rows {
            begin_row(&mut block, row.len());
            for value in *row {
                push_value(&mut block, *value);
            }
        }
        block
    }

    #[test]
    fn rows_read_back_and_every_cut_is_a_cut() {
        let one = block(&[&[Some(b"abc"), None, Some(b"")]]);
        let Parsed::Row(row, length) = parse(&one) else {
            panic!("no row");
        };
        assert_eq!(row, [Some(&b"abc"[..]), None, Some(b"")]);
        assert_eq!(length, one.len());
        for cut in 0..one.len() {
            assert!(matches!(parse(&one[..cut]), Parsed::Cut), "{cut}");
        }
        assert!(matches!(parse(&[0xff, 0xff]), Parsed::End));
    }

    #[test]
    fn a_tally_does_not_depend_on_the_order_and_on_everything_else() {
        let tally = |rows: &[Row<'_>]| {
            let mut tally = Tally::default();
            tally.add_block(&block(rows)).unwrap();
            tally
        };
        let (a, b): (Row<'_>, Row<'_>) = (&[Some(b"a")], &[Some(b"b")]);
        assert_eq!(tally(&[a, b]), tally(&[b, a]));
        for other in [
            &[a][..],
            &[a, a],
            &[a, b, b],
            &[a, &[None]],
            &[a, &[Some(b"")]],
        ] {
            assert_ne!(tally(&[a, b]).digest(), tally(other).digest());
        }
    }
}
