//! The signed JWT of RFC 7523: who asks for a token, and for whom.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value as Json, json};

use super::signing::SigningKey;
use crate::error::ConnectError;

/// A JWT signed with RS256.
pub(super) fn signed(
    key: &SigningKey,
    key_id: Option<&str>,
    claims: Map<String, Json>,
) -> Result<String, ConnectError> {
    let mut header = json!({"alg": "RS256", "typ": "JWT"});
    if let (Some(id), Some(header)) = (key_id, header.as_object_mut()) {
        header.insert("kid".to_owned(), id.into());
    }
    let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(&header), part(&Json::Object(claims)));
    let signature = key.sign(message.as_bytes())?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
