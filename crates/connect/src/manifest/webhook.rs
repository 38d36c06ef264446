//! How a vendor tells by itself that something changed, as a manifest says it.

use schemars::JsonSchema;
use serde::Deserialize;

/// Webhooks in: how a call is proved to be the vendor's, and of whom it speaks. A call never
/// carries data: it only says that the source is worth reading.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    /// A CEL expression over `body` that gives the record ids of which it speaks; without it, the whole source changed.
    pub(crate) records: Option<String>,
    /// A signature over the body.
    pub(crate) signature: Option<Signature>,
    /// A secret that comes along as it is; only where the vendor signs nothing.
    pub(crate) token: Option<Token>,
}

/// A signature by HMAC (RFC 2104).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signature {
    /// The header that carries it.
    pub(crate) header: String,
    /// The hash; SHA-256 when nothing is said.
    #[serde(default)]
    pub(crate) hash: Hash,
    /// How it is written; hexadecimal when nothing is said.
    #[serde(default)]
    pub(crate) encoding: Encoding,
    /// What stands before it in the header, such as sha256=. The header may list several, with spaces between them.
    #[serde(default)]
    pub(crate) prefix: String,
    /// The secret that is the key.
    pub(crate) secret: String,
    /// How the secret is the key: its text as it is, or Base64, from behind whsec_ where it begins so.
    #[serde(default)]
    pub(crate) key: Key,
    /// What is signed, piece by piece: body, header:NAME or text:….
    pub(crate) over: Vec<String>,
    /// The header with the time of the call: seconds since 1970, or RFC 3339.
    pub(crate) time_header: Option<String>,
    /// How far that may be from now, in seconds.
    #[serde(default = "five_minutes")]
    pub(crate) tolerance_seconds: u32,
}

const fn five_minutes() -> u32 {
    300
}

/// The hash of a signature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hash {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
    /// SHA-1, where a vendor has nothing else.
    Sha1,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Encoding {
    /// Hexadecimal.
    #[default]
    Hex,
    /// Base64.
    Base64,
}

/// How a secret is a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Key {
    /// Its text.
    #[default]
    Text,
    /// The bytes that its Base64 stands for.
    Base64,
}

/// A secret in a header.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    /// The header.
    pub(crate) header: String,
    /// The secret.
    pub(crate) secret: String,
}
