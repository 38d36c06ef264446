//! RSA signatures with SHA-256, from a key that an administrator pasted.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::{ConnectError, ErrorKind};

/// A private key that signs.
pub(super) struct SigningKey(KeyPair);

impl SigningKey {
    /// From PEM: PKCS #8 (`BEGIN PRIVATE KEY`) or PKCS #1 (`BEGIN RSA PRIVATE KEY`).
    pub(super) fn from_pem(text: &str) -> Result<Self, ConnectError> {
        let der = from_pem(text).ok_or_else(bad_key)?;
        let key = match text.contains("BEGIN RSA PRIVATE KEY") {
            true => KeyPair::from_der(&der),
            false => KeyPair::from_pkcs8(&der),
        };
        key.map(Self).map_err(|_| bad_key())
    }

    /// The signature of RSASSA-PKCS1-v1_5 with SHA-256.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ConnectError> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        // The scheme itself needs no randomness; it is asked for against timing.
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .map_err(|_| bad_key())?;
        Ok(signature)
    }
}

/// The bytes between the first pair of PEM lines. Line breaks may have been
/// lost or written as `\n` on the way through a form.
pub(super) fn from_pem(text: &str) -> Option<Vec<u8>> {
    let text = text.replace("\\n", "\n");
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (_, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    STANDARD.decode(body).ok()
}

fn bad_key() -> ConnectError {
    ConnectError::new(
        ErrorKind::Settings,
        "settings.bad_key",
        "the private key cannot be read",
        "enter it as it was downloaded: PEM that begins with -----BEGIN PRIVATE KEY-----",
    )
}
