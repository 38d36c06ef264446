//! Keyed digests: equality without the value, and hashes of records and plans.
//!
//! No unkeyed hash of personal data exists anywhere (`engine.md`, Sealing): a
//! birth date or an eleven-digit number is found by trying them all.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A 32-byte keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From stored bytes; `None` if there are not 32.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.to_hex().get(..12).unwrap_or_default())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_hex())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        blake3::Hash::from_hex(&text)
            .map(|hash| Self(*hash.as_bytes()))
            .map_err(de::Error::custom)
    }
}

/// The secret an organisation's digests are made with. Cannot be printed.
#[derive(Clone)]
pub struct DigestKey([u8; 32]);

impl DigestKey {
    /// Wraps key material.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Begins a digest for one purpose. The purpose is part of the hash, so
    /// that equal bytes in two places give unrelated digests.
    #[must_use]
    pub fn digester(&self, purpose: &str) -> Digester {
        let mut digester = Digester::new(self);
        digester.text(purpose);
        digester
    }

    /// The digest of one text for one purpose.
    #[must_use]
    pub fn digest(&self, purpose: &str, text: &str) -> Digest {
        let mut digester = self.digester(purpose);
        digester.text(text);
        digester.finish()
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DigestKey(••••)")
    }
}

/// Collects parts into a digest; each part carries its length, so that
/// ("ab", "c") and ("a", "bc") differ. Parts are gathered before they are hashed:
/// hashing many short parts one by one costs three times as much.
#[derive(Clone)]
pub struct Digester {
    hasher: blake3::Hasher,
    gathered: Vec<u8>,
}

/// Bytes gathered before they are hashed: a record of usual size.
const GATHERED: usize = 1024;

impl Digester {
    fn new(key: &DigestKey) -> Self {
        Self {
            hasher: blake3::Hasher::new_keyed(&key.0),
            gathered: Vec::with_capacity(GATHERED),
        }
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Adds bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64).gather(bytes)
    }

    /// Adds a number.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.gather(&number.to_le_bytes())
    }

    /// Adds another digest.
    pub fn digest(&mut self, digest: &Digest) -> &mut Self {
        self.gather(&digest.0)
    }

    /// The result.
    #[must_use]
    pub fn finish(mut self) -> Digest {
        self.hasher.update(&self.gathered);
        Digest(*self.hasher.finalize().as_bytes())
    }

    fn gather(&mut self, bytes: &[u8]) -> &mut Self {
        if self.gathered.len() + bytes.len() > GATHERED {
            self.hasher.update(&self.gathered);
            self.gathered.clear();
        }
        if bytes.len() > GATHERED {
            self.hasher.update(bytes);
        } else {
            self.gathered.extend_from_slice(bytes);
        }
        self
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Digester(••••)")
    }
}
