//! How a connector proves who it is, as a manifest says it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::reading::Call;

/// A way to prove who asks; exactly one kind. Texts may hold CEL expressions in braces, which see
/// `secret`, `setting`, `now` (RFC 3339), `seconds` (since 1970) and `host`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Authentication {
    /// Only when these settings have these values.
    #[serde(default)]
    pub(crate) when: BTreeMap<String, String>,
    /// Headers that go with every request beside the proof.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// A header, such as an API key.
    pub(crate) header: Option<Named>,
    /// A parameter of the query. It may stand in logs on the way; only where the vendor has no other.
    pub(crate) query: Option<Named>,
    /// A member of the JSON body or form.
    pub(crate) body: Option<Named>,
    /// The Basic scheme.
    pub(crate) basic: Option<BasicScheme>,
    /// A bearer token that does not end.
    pub(crate) bearer: Option<Bearer>,
    /// OAuth 2, client credentials.
    pub(crate) client_credentials: Option<ClientCredentials>,
    /// OAuth 2, authorisation code with refresh tokens.
    pub(crate) refresh_token: Option<RefreshToken>,
    /// OAuth 2, an assertion that is a signed JWT (RFC 7523).
    pub(crate) jwt_bearer: Option<JwtBearer>,
    /// OAuth 2, an assertion that is signed SAML 2 (RFC 7522).
    pub(crate) saml_bearer: Option<SamlBearer>,
    /// WS-Security UsernameToken in the SOAP header.
    pub(crate) ws_security: Option<WsSecurity>,
    /// A session that is made by a request of its own.
    pub(crate) session: Option<Session>,
}

/// A name and what stands under it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// The name.
    pub(crate) name: String,
    /// The value.
    pub(crate) value: String,
}

/// Name and secret of the Basic scheme.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BasicScheme {
    /// The name.
    pub(crate) user: String,
    /// The secret.
    pub(crate) password: String,
}

/// A token that does not end.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bearer {
    /// The token.
    pub(crate) token: String,
}

/// Where the client's id and secret stand in a request for a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientPlace {
    /// In the form.
    #[default]
    Form,
    /// In the Basic scheme.
    Basic,
}

/// OAuth 2, client credentials.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientCredentials {
    /// Where tokens are given: a path below the base address, or a whole address.
    pub(crate) token_url: String,
    /// The client's id.
    pub(crate) client_id: String,
    /// The client's secret.
    pub(crate) client_secret: String,
    /// Where both stand.
    #[serde(default)]
    pub(crate) client: ClientPlace,
    /// The scope.
    pub(crate) scope: Option<String>,
    /// Further fields of the form.
    #[serde(default)]
    pub(crate) form: BTreeMap<String, String>,
    /// The form goes as JSON.
    #[serde(default)]
    pub(crate) json: bool,
}

/// OAuth 2, authorisation code with refresh tokens.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshToken {
    /// Where tokens are given.
    pub(crate) token_url: String,
    /// The client's id.
    pub(crate) client_id: String,
    /// The client's secret, where there is one.
    pub(crate) client_secret: Option<String>,
    /// Where both stand.
    #[serde(default)]
    pub(crate) client: ClientPlace,
    /// The secret that holds the refresh token. A vendor that gives a new one with each access
    /// token has it stored there before it is used.
    pub(crate) secret: String,
    /// The scope.
    pub(crate) scope: Option<String>,
    /// Further fields of the form.
    #[serde(default)]
    pub(crate) form: BTreeMap<String, String>,
}

/// OAuth 2 with a signed JWT.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JwtBearer {
    /// Where tokens are given.
    pub(crate) token_url: String,
    /// The private key, PEM (PKCS #8 or PKCS #1).
    pub(crate) private_key: String,
    /// The key's id.
    pub(crate) key_id: Option<String>,
    /// Claims; `iat` and `exp` are added.
    pub(crate) claims: BTreeMap<String, String>,
    /// Seconds from `iat` to `exp`.
    #[serde(default = "ten_minutes")]
    pub(crate) lifetime_seconds: i64,
    /// Further fields of the form.
    #[serde(default)]
    pub(crate) form: BTreeMap<String, String>,
}

const fn ten_minutes() -> i64 {
    600
}

/// OAuth 2 with signed SAML.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SamlBearer {
    /// Where tokens are given.
    pub(crate) token_url: String,
    /// The private key, PEM.
    pub(crate) private_key: String,
    /// The certificate, PEM; sent along where it is given.
    pub(crate) certificate: Option<String>,
    /// Who issues the assertion.
    pub(crate) issuer: String,
    /// Of whom it speaks (`NameID`).
    pub(crate) subject: String,
    /// The format of the name.
    pub(crate) subject_format: Option<String>,
    /// For whom it is.
    pub(crate) audience: String,
    /// Where it is handed in; without it, the address of the token.
    pub(crate) recipient: Option<String>,
    /// Attributes.
    #[serde(default)]
    pub(crate) attributes: BTreeMap<String, String>,
    /// Fields of the form beside `grant_type` and `assertion`.
    #[serde(default)]
    pub(crate) form: BTreeMap<String, String>,
    /// Seconds that it holds.
    #[serde(default = "ten_minutes")]
    pub(crate) lifetime_seconds: i64,
}

/// WS-Security UsernameToken.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WsSecurity {
    /// The name.
    pub(crate) user: String,
    /// The password, sent as text.
    pub(crate) password: String,
}

/// A session.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Session {
    /// The request that makes it.
    pub(crate) request: Call,
    /// The Basic scheme of that request, where it needs one.
    pub(crate) basic: Option<BasicScheme>,
    /// Pointer to the session's token.
    pub(crate) token: String,
    /// Seconds that it holds; without it, until it is refused.
    pub(crate) lifetime_seconds: Option<i64>,
    /// Pointer to the seconds that it holds, in the answer.
    pub(crate) expires_in: Option<String>,
    /// A template that gives the instant (RFC 3339), or the day from whose beginning in UTC, it is
    /// taken for dead: for a vendor that is asked for a session until a day.
    pub(crate) expires: Option<String>,
    /// How it is sent; templates see `token`. Without any, as bearer.
    #[serde(default)]
    pub(crate) send: Send,
}

/// How a session is sent.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Send {
    /// In a header.
    pub(crate) header: Option<Named>,
    /// In the Basic scheme.
    pub(crate) basic: Option<BasicScheme>,
    /// In the query.
    pub(crate) query: Option<Named>,
}
