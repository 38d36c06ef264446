//! Calls that come in from a vendor: is it the vendor, and of whom does it speak?
//!
//! Nothing of a call is believed before its proof holds, and then only that
//! something changed: what it is, the source is asked. A call that is repeated
//! causes one more read and nothing else.

use std::collections::BTreeMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use muster_model::ExternalId;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;

use crate::catalogue::manifest_of;
use crate::declared::{Compiling, not_made};
use crate::error::{ConnectError, ErrorKind};
use crate::expression::Scope;
use crate::manifest::{Encoding, Hash, Key, Manifest, Path, Signature, Webhook};
use crate::settings::{ConnectorSettings, missing_secret};

/// Bytes of a call that are looked at.
pub const LARGEST_CALL: usize = 1024 * 1024;
/// Signatures that a header may list.
const MOST_SIGNATURES: usize = 8;
/// Records of which one call may speak.
const MOST_RECORDS: usize = 1_000;

/// A call as it came in.
pub struct Call<'a> {
    /// Its headers, their names in lower case.
    pub headers: &'a BTreeMap<String, String>,
    /// Its body, byte by byte as it came.
    pub body: &'a [u8],
}

/// Of whom a call speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaks {
    /// Of these records.
    Of(Vec<ExternalId>),
    /// Of the source as a whole, or of more than is worth naming.
    OfAll,
}

/// Checks the proof of a call to a connection, and reads of whom it speaks.
///
/// # Errors
/// `webhook.none` where the connector has none, `webhook.proof` where the proof
/// does not hold, `webhook.time` where the call is too old or from the future,
/// `webhook.body` where it cannot be read.
pub fn receive(
    connector: &str,
    settings: &ConnectorSettings,
    call: &Call<'_>,
) -> Result<Speaks, ConnectError> {
    let manifest = manifest_of(connector)?;
    let Some(webhook) = &manifest.webhook else {
        return Err(ConnectError::new(
            ErrorKind::Settings,
            "webhook.none",
            format!("{} takes no calls", manifest.title),
            "let the schedule read it",
        ));
    };
    if call.body.len() > LARGEST_CALL {
        return Err(unreadable());
    }
    prove(webhook, settings, call)?;
    let Some(records) = &webhook.records else {
        return Ok(Speaks::OfAll);
    };
    let body: Json = serde_json::from_slice(call.body).map_err(|_| unreadable())?;
    let mut compiling = Compiling::with(manifest, &settings.settings);
    let path = Path::default().name("webhook").name("records");
    let Some(expression) = compiling.expression(&path, records, &OF_CALL) else {
        return Ok(Speaks::OfAll);
    };
    let scope = Scope::new().with("body", &body);
    let Json::Array(found) = expression.run(&scope).map_err(not_made)? else {
        return Ok(Speaks::OfAll);
    };
    if found.is_empty() || found.len() > MOST_RECORDS {
        return Ok(Speaks::OfAll);
    }
    let id = |value: &Json| match value {
        Json::String(text) if !text.trim().is_empty() => Some(ExternalId::new(text.trim())),
        Json::Number(number) => Some(ExternalId::new(number.to_string())),
        _ => None,
    };
    Ok((found.iter().map(id).collect::<Option<Vec<_>>>()).map_or(Speaks::OfAll, Speaks::Of))
}

/// The variables of an expression about a call.
const OF_CALL: [&str; 1] = ["body"];

/// What cannot be run in a manifest's webhooks.
pub(crate) fn check(compiling: &mut Compiling<'_>) {
    let manifest = compiling.manifest();
    let Some(webhook) = &manifest.webhook else {
        return;
    };
    let path = Path::default().name("webhook");
    if let Some(records) = &webhook.records {
        compiling.expression(&path.name("records"), records, &OF_CALL);
    }
    let secrets: Vec<&str> = (webhook.signature.iter())
        .map(|signature| signature.secret.as_str())
        .chain(webhook.token.iter().map(|token| token.secret.as_str()))
        .collect();
    if secrets.len() != 1 {
        let message = "say how a call is proved: exactly one of signature and token";
        compiling.flaw(&path, "manifest.webhook", message);
    }
    for secret in secrets {
        if !manifest.secrets.iter().any(|entry| entry.name == secret) {
            let message = format!("there is no secret `{secret}`");
            compiling.flaw(&path, "manifest.unknown_setting", message);
        }
    }
    if let Some(signature) = &webhook.signature {
        let path = path.name("signature");
        let pieces: Vec<_> = signature
            .over
            .iter()
            .map(|piece| Piece::of(piece))
            .collect();
        if pieces.iter().any(Option::is_none) {
            let message = "a piece is body, header:NAME or text:…";
            compiling.flaw(&path.name("over"), "manifest.webhook", message);
        }
        if !pieces.contains(&Some(Piece::Body)) {
            let message = "a signature that is not over the body proves nothing of it";
            compiling.flaw(&path, "manifest.webhook", message);
        }
        let timed = signature.time_header.as_deref();
        let signed = |name: &str| {
            (pieces.iter()).any(|piece| matches!(piece, Some(Piece::Header(of)) if *of == name))
        };
        if timed.is_some_and(|name| !signed(name)) {
            let message = "a time that is not signed can be changed on the way";
            compiling.flaw(&path, "manifest.webhook", message);
        }
    }
}

/// A piece of what is signed.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Body,
    Header(&'a str),
    Text(&'a str),
}

impl<'a> Piece<'a> {
    fn of(written: &'a str) -> Option<Self> {
        match written.split_once(':') {
            None if written == "body" => Some(Self::Body),
            Some(("header", name)) if name == name.to_ascii_lowercase() => Some(Self::Header(name)),
            Some(("text", text)) => Some(Self::Text(text)),
            _ => None,
        }
    }
}

fn prove(
    webhook: &Webhook,
    settings: &ConnectorSettings,
    call: &Call<'_>,
) -> Result<(), ConnectError> {
    let secret = |name: &str| -> Result<&SecretString, ConnectError> {
        settings
            .secrets
            .get(name)
            .ok_or_else(|| missing_secret(name))
    };
    if let Some(signature) = &webhook.signature {
        return signed(signature, secret(&signature.secret)?, settings, call);
    }
    let token = webhook.token.as_ref().ok_or_else(unproved)?;
    let said = call.headers.get(&token.header).ok_or_else(unproved)?;
    let known = secret(&token.secret)?.expose_secret();
    verify_slices_are_equal(said.as_bytes(), known.as_bytes()).map_err(|_| unproved())
}

fn signed(
    signature: &Signature,
    secret: &SecretString,
    settings: &ConnectorSettings,
    call: &Call<'_>,
) -> Result<(), ConnectError> {
    let secret = secret.expose_secret();
    let key = match signature.key {
        Key::Text => secret.as_bytes().to_vec(),
        Key::Base64 => STANDARD
            .decode(secret.strip_prefix("whsec_").unwrap_or(secret).trim())
            .map_err(|_| bad_key(&signature.secret))?,
    };
    let algorithm = match signature.hash {
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha512 => hmac::HMAC_SHA512,
        Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    };
    let mut message = Vec::with_capacity(call.body.len() + 64);
    for piece in &signature.over {
        match Piece::of(piece).ok_or_else(unproved)? {
            Piece::Body => message.extend_from_slice(call.body),
            Piece::Header(name) => {
                let said = call.headers.get(name).ok_or_else(unproved)?;
                message.extend_from_slice(said.as_bytes());
            }
            Piece::Text(text) => message.extend_from_slice(text.as_bytes()),
        }
    }
    let key = hmac::Key::new(algorithm, &key);
    let said = call.headers.get(&signature.header).ok_or_else(unproved)?;
    let holds = said
        .split_ascii_whitespace()
        .take(MOST_SIGNATURES)
        .filter_map(|one| one.strip_prefix(signature.prefix.as_str()))
        .filter_map(|one| match signature.encoding {
            Encoding::Hex => bytes_of_hex(one),
            Encoding::Base64 => STANDARD.decode(one).ok(),
        })
        .any(|tag| hmac::verify(&key, &message, &tag).is_ok());
    if !holds {
        return Err(unproved());
    }
    // Only a time that was signed is worth looking at.
    let Some(header) = &signature.time_header else {
        return Ok(());
    };
    let at = (call.headers.get(header)).and_then(|said| instant(said.trim()));
    let apart = at.map(|at| at.duration_since(settings.clock.now()).abs());
    match apart {
        Some(apart) if apart.as_secs() <= i64::from(signature.tolerance_seconds) => Ok(()),
        _ => Err(ConnectError::new(
            ErrorKind::Refused,
            "webhook.time",
            "the call was signed too long ago, or in the future",
            "check this machine's clock; a call that came late is made up for by the next read",
        )),
    }
}

fn instant(said: &str) -> Option<Timestamp> {
    match said.parse::<i64>() {
        Ok(seconds) => Timestamp::from_second(seconds).ok(),
        Err(_) => said.parse().ok(),
    }
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|v| u8::try_from(v).ok())
    };
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(value(*high)? * 16 + value(*low)?),
            _ => None,
        })
        .collect()
}

fn unproved() -> ConnectError {
    ConnectError::new(
        ErrorKind::Credentials,
        "webhook.proof",
        "the call does not prove that it comes from the vendor",
        "enter the secret that the vendor showed when the webhook was made; if it is entered, somebody else called",
    )
}

fn bad_key(name: &str) -> ConnectError {
    ConnectError::new(
        ErrorKind::Settings,
        "webhook.key",
        format!("the secret `{name}` is no key of a webhook"),
        "enter it as the vendor showed it",
    )
}

fn unreadable() -> ConnectError {
    ConnectError::new(
        ErrorKind::Answer,
        "webhook.body",
        "the call is too large, or no JSON",
        "let the vendor send JSON",
    )
}

/// Does a manifest take calls?
pub(crate) const fn takes_calls(manifest: &Manifest) -> bool {
    manifest.webhook.is_some()
}
