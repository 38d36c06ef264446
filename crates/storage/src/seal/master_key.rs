//! The key above all keys, kept outside the database.

use std::fmt;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::key::Key;
use crate::entropy::Entropy;

/// The master key: wraps the key of each organisation. Cannot be printed.
#[derive(Clone)]
pub struct MasterKey(Key);

/// A key file that cannot be used. Never tells what is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    /// It cannot be read.
    #[error("key.file: the key file {} cannot be read: {reason}; check its path and its owner", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::ErrorKind,
    },
    /// It holds something else.
    #[error(
        "key.format: a master key is 64 hexadecimal digits; give the file that was made with these data"
    )]
    Format,
}

impl MasterKeyError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "key.file",
            Self::Format => "key.format",
        }
    }
}

impl MasterKey {
    /// A new one; store it with [`MasterKey::to_hex`] before anything is sealed.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Key::generate(entropy))
    }

    /// From 64 hexadecimal digits; white space around them does not count.
    ///
    /// # Errors
    /// [`MasterKeyError::Format`].
    pub fn from_hex(text: &str) -> Result<Self, MasterKeyError> {
        let text = text.trim();
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(MasterKeyError::Format);
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(32));
        for pair in text.as_bytes().chunks_exact(2) {
            let pair = std::str::from_utf8(pair).map_err(|_| MasterKeyError::Format)?;
            bytes.push(u8::from_str_radix(pair, 16).map_err(|_| MasterKeyError::Format)?);
        }
        Key::from_slice(&bytes)
            .map(Self)
            .ok_or(MasterKeyError::Format)
    }

    /// From a file of 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`MasterKeyError`] when it cannot be read or holds something else.
    pub fn from_file(path: &Path) -> Result<Self, MasterKeyError> {
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| MasterKeyError::File {
                path: path.to_owned(),
                reason: error.kind(),
            })?;
        Self::from_hex(&text)
    }

    /// 64 hexadecimal digits, for the key file and nowhere else.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(64));
        for byte in self.0.bytes() {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    pub(crate) const fn key(&self) -> &Key {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MasterKey(••••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_read_back_and_nothing_else_is_a_key() {
        let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff";
        let key = MasterKey::from_hex(&format!(" {hex}\n")).unwrap();
        assert_eq!(key.to_hex().as_str(), hex);
        assert_eq!(format!("{key:?}"), "MasterKey(••••)");
        for text in [
            "",
            &hex[1..],
            &hex.replace('0', "g"),
            &hex.replace("00", "æ"),
            &format!("{hex}00"),
        ] {
            assert_eq!(
                MasterKey::from_hex(text).unwrap_err(),
                MasterKeyError::Format
            );
        }
    }
}
