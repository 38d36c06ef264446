//! A secret that is printed once and stored as a digest.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::entropy::Entropy;

/// Bytes that nobody can guess, in a secret: as many as a key has.
const BYTES: usize = 32;

/// A bearer secret. Cannot be printed but by [`Secret::expose`]; wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A new one that begins with a word, so that whoever finds it knows what it is.
    pub(crate) fn generate(entropy: &dyn Entropy, prefix: &str) -> Self {
        let mut bytes = Zeroizing::new([0; BYTES]);
        entropy.fill(bytes.as_mut_slice());
        let text = URL_SAFE_NO_PAD.encode(bytes.as_slice());
        Self(Zeroizing::new(format!("{prefix}{text}")))
    }

    /// One that somebody presents.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The text: to print it once, and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored. A secret of 256 random bits needs no slow hash: there is
    /// nothing to guess.
    pub(crate) fn digest(&self) -> Vec<u8> {
        blake3::derive_key(
            "Muster secret: digest of what is presented",
            self.0.as_bytes(),
        )
        .to_vec()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(••••)")
    }
}
