//! One key, and what it seals.

use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use muster_model::OrganisationId;
use zeroize::Zeroizing;

use crate::entropy::Entropy;

/// Bytes of an XChaCha20-Poly1305 nonce: long enough to be random.
const NONCE_BYTES: usize = 24;

/// Key material. Cannot be printed; wiped when dropped.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; 32]>);

/// Where a sealed value belongs. It opens nowhere else.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Whose data.
    pub(crate) organisation: OrganisationId,
    /// Which field of which table.
    pub(crate) field: &'static str,
    /// Which row, by the parts of its key.
    pub(crate) owner: &'a [&'a [u8]],
}

/// Sealed data that did not open: another key, another place, or damage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} does not open with its key at its place")]
pub struct Unopened {
    /// Which field of which table.
    pub field: &'static str,
}

impl Key {
    /// A new key.
    pub(crate) fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(bytes.as_mut_slice());
        Self(bytes)
    }

    /// From 32 bytes.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        <[u8; 32]>::try_from(bytes)
            .ok()
            .map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// The bytes, to wrap them or to make a digest key of them.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals: a fresh nonce, then the ciphertext with its tag.
    pub(crate) fn seal(
        &self,
        entropy: &dyn Entropy,
        place: Place<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, Unopened> {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let payload = Payload {
            msg: plain,
            aad: &place.bytes(),
        };
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Unopened { field: place.field })?;
        let mut bytes = Vec::with_capacity(NONCE_BYTES + sealed.len());
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Ok(bytes)
    }

    /// Opens what [`Key::seal`] made for the same place.
    pub(crate) fn open(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let unopened = || Unopened { field: place.field };
        let (nonce, sealed) = sealed
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or_else(unopened)?;
        let payload = Payload {
            msg: sealed,
            aad: &place.bytes(),
        };
        self.cipher()
            .decrypt(&XNonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| unopened())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&chacha20poly1305::Key::from(*self.0))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(••••)")
    }
}

impl Place<'_> {
    /// The associated data: each part with its length, so that no two places
    /// are written alike.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96);
        let organisation = self.organisation.uuid();
        let parts = [organisation.as_bytes().as_slice(), self.field.as_bytes()];
        for part in parts.into_iter().chain(self.owner.iter().copied()) {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    fn organisation(number: u128) -> OrganisationId {
        OrganisationId::from_uuid(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn a_sealed_value_opens_at_its_own_place_only() {
        let entropy = Counting(AtomicU8::new(0));
        let key = Key::generate(&entropy);
        let place = Place {
            organisation: organisation(1),
            field: "people.sealed",
            owner: &[b"a", b"bc"],
        };
        let sealed = key.seal(&entropy, place, b"secret").unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_eq!(key.open(place, &sealed).unwrap().as_slice(), b"secret");

        let elsewhere = [
            Place {
                organisation: organisation(2),
                ..place
            },
            Place {
                field: "people.other",
                ..place
            },
            Place {
                owner: &[b"ab", b"c"],
                ..place
            },
            Place {
                owner: &[b"a"],
                ..place
            },
        ];
        for place in elsewhere {
            assert!(key.open(place, &sealed).is_err());
        }
        assert!(Key::generate(&entropy).open(place, &sealed).is_err());
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let entropy = Counting(AtomicU8::new(7));
        let key = Key::generate(&entropy);
        let place = Place {
            organisation: organisation(1),
            field: "links.sealed",
            owner: &[],
        };
        let sealed = key.seal(&entropy, place, b"x").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(place, &changed).is_err(), "byte {at}");
            assert!(key.open(place, &sealed[..at]).is_err(), "cut at {at}");
        }
    }
}
