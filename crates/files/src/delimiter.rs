//! What separates the cells of a CSV file.

/// What is tried, the more usual first.
const KNOWN: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The delimiter that stands most often in the first line, outside quotes; a
/// comma when there is none, for then the table has one column.
pub(crate) fn guess(first_line: &str) -> u8 {
    let mut counts = [0_usize; KNOWN.len()];
    let mut quoted = false;
    for byte in first_line.bytes() {
        if byte == b'"' {
            quoted = !quoted;
        } else if !quoted
            && let Some(count) = KNOWN
                .iter()
                .position(|known| *known == byte)
                .and_then(|index| counts.get_mut(index))
        {
            *count += 1;
        }
    }
    let mut best = (0, b',');
    for (count, known) in counts.into_iter().zip(KNOWN) {
        if count > best.0 {
            best = (count, known);
        }
    }
    best.1
}

/// The line with which Excel says the delimiter, `sep=;`.
pub(crate) fn said_by_excel(first_line: &str) -> Option<u8> {
    match first_line.strip_prefix("sep=")?.as_bytes() {
        [delimiter] if KNOWN.contains(delimiter) => Some(*delimiter),
        _ => None,
    }
}
