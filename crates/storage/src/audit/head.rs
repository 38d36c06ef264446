//! The newest entry in one line, to be kept elsewhere.

use std::fmt;
use std::str::FromStr;

use muster_model::Digest;

/// An entry's number and its keyed hash, written `N:HASH`. The hash covers
/// every entry up to it, so that one such line, kept where nobody can change
/// it, proves that nothing before it was changed or cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    /// Which entry, from 1.
    pub number: u64,
    /// Its hash.
    pub hash: Digest,
}

/// A text that is no head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "audit.head: a head is written N:HASH, a number and 64 hexadecimal digits, as run reports print it"
)]
pub struct AuditHeadError;

impl fmt::Display for AuditHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.number, self.hash)
    }
}

impl FromStr for AuditHead {
    type Err = AuditHeadError;

    fn from_str(text: &str) -> Result<Self, AuditHeadError> {
        let (number, hash) = text.trim().split_once(':').ok_or(AuditHeadError)?;
        let number = number.parse().map_err(|_| AuditHeadError)?;
        if number == 0 || hash.len() != 64 || !hash.is_ascii() {
            return Err(AuditHeadError);
        }
        let mut bytes = Vec::with_capacity(32);
        for pair in hash.as_bytes().chunks_exact(2) {
            let pair = std::str::from_utf8(pair).map_err(|_| AuditHeadError)?;
            bytes.push(u8::from_str_radix(pair, 16).map_err(|_| AuditHeadError)?);
        }
        let hash = Digest::from_slice(&bytes).ok_or(AuditHeadError)?;
        Ok(Self { number, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_back_and_nothing_else_is_one() {
        let text = format!("12:{}", "0f".repeat(32));
        assert_eq!(text.parse::<AuditHead>().unwrap().to_string(), text);
        for text in [
            "",
            "12",
            "0:00",
            &text[1..text.len() - 1],
            &text.replace("12:", "0:"),
            &text.replace("0f", "0g"),
            &text.replace("0f", "æ"),
            &format!("{text}00"),
            &format!("-{text}"),
        ] {
            assert_eq!(text.parse::<AuditHead>(), Err(AuditHeadError), "{text}");
        }
    }
}
