//! Ids as Humaans has them: twenty-four letters and digits, case sensitive. The
//! last part holds the record's own number, so that it is found again.

use crate::stage::scattered;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Characters of an id.
const LENGTH: usize = 24;
/// Characters that hold the number.
const NUMBER: usize = 11;

/// What an id is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum Of {
    Person = 1,
    JobRole = 2,
    Company = 3,
}

fn write(mut number: u64, length: usize) -> String {
    let mut text = Vec::with_capacity(length);
    for _ in 0..length {
        let at = usize::try_from(number % 62).unwrap_or_default();
        text.extend(DIGITS.get(at));
        number /= 62;
    }
    text.reverse();
    String::from_utf8(text).unwrap_or_default()
}

/// The id of a record.
pub(super) fn id(of: Of, number: u64) -> String {
    let noise = scattered(of as u64, number);
    let more = scattered(noise, number);
    let head = LENGTH - NUMBER;
    format!(
        "{}{}{}",
        write(noise, head - 2),
        write(more, 2),
        write(number, NUMBER)
    )
}

/// The number of the record that has this id.
pub(super) fn number(of: Of, text: &str) -> Option<u64> {
    if text.len() != LENGTH {
        return None;
    }
    let mut number: u64 = 0;
    for byte in text.get(LENGTH - NUMBER..)?.bytes() {
        let digit = DIGITS.iter().position(|known| *known == byte)?;
        number = number
            .checked_mul(62)?
            .checked_add(u64::try_from(digit).ok()?)?;
    }
    (id(of, number) == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_again_and_only_as_what_it_is() {
        for record in [0, 1, 1001, 9_300_001, u64::from(u32::MAX)] {
            let person = id(Of::Person, record);
            assert_eq!(person.len(), LENGTH);
            assert_eq!(number(Of::Person, &person), Some(record));
            assert_eq!(number(Of::JobRole, &person), None);
            assert_eq!(number(Of::Person, &person.to_lowercase()), None, "{person}");
        }
        assert_eq!(number(Of::Person, "x"), None);
        assert_ne!(id(Of::Person, 1)[..12], id(Of::Person, 2)[..12]);
    }
}
