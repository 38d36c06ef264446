//! A client's key pair, made from the seed, and the check of what was signed
//! with it: for vendors whose clients sign what they hand in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::{CryptoRng, Error, RngCore};
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer, Verifier};
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde_json::{Map, Value};

use crate::server::SandboxError;

/// The size of the keys that vendors give out.
const BITS: usize = 2048;

/// A pair of keys that is the same for the same seed, so that a simulator
/// started again still knows its client.
pub(crate) struct KeyPair {
    /// PKCS #8 in PEM, as it stands in a key file.
    pub(crate) pem: String,
    private: RsaPrivateKey,
    public: RsaPublicKey,
}

/// The house's generator as the older interface that key making takes.
struct Seeded(ChaCha8Rng);

impl RngCore for Seeded {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Seeded {}

impl KeyPair {
    pub(crate) fn of(seed: u64) -> Result<Self, SandboxError> {
        let failed = |message: String| SandboxError::Key { message };
        let mut random = Seeded(ChaCha8Rng::seed_from_u64(seed));
        let private =
            RsaPrivateKey::new(&mut random, BITS).map_err(|error| failed(error.to_string()))?;
        let pem = private
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            pem: pem.to_string(),
            public: RsaPublicKey::from(&private),
            private,
        })
    }

    /// Header and claims of a JWT, when its signature is ours.
    pub(crate) fn opened(&self, jwt: &str) -> Option<(Map<String, Value>, Map<String, Value>)> {
        let (signed, signature) = jwt.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let object = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
        let header: Map<String, Value> = object(header)?;
        if header.get("alg").and_then(Value::as_str) != Some("RS256") {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        (self.verifies(signed.as_bytes(), &signature)).then_some((header, object(claims)?))
    }

    /// Whether these bytes were signed with the private key (RSA, PKCS #1 v1.5, SHA-256).
    pub(crate) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        Signature::try_from(signature).is_ok_and(|signature| {
            VerifyingKey::<Sha256>::new(self.public.clone())
                .verify(signed, &signature)
                .is_ok()
        })
    }

    /// The signature of these bytes.
    pub(crate) fn signed(&self, bytes: &[u8]) -> Vec<u8> {
        SigningKey::<Sha256>::new(self.private.clone())
            .sign(bytes)
            .to_vec()
    }

    /// The public key as certificates hold it (SubjectPublicKeyInfo).
    pub(crate) fn public_der(&self) -> Result<Vec<u8>, SandboxError> {
        let der = self.public.to_public_key_der();
        der.map(|der| der.as_bytes().to_vec())
            .map_err(|error| SandboxError::Key {
                message: error.to_string(),
            })
    }
}
