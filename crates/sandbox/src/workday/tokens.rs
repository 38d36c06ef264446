//! The token call: an API client's refresh token for an access token.

use serde_json::json;

use crate::stage::secret;
use crate::wire::{Answer, WireRequest};

use super::Tenant;

/// How long an access token is good, in seconds.
const GOOD_FOR: u64 = 3600;

/// Answers `POST /ccx/oauth2/TENANT/token`.
pub(super) fn answer(tenant: &mut Tenant, request: &WireRequest) -> Answer {
    let form = request.form();
    let field = |name: &str| {
        form.iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    };
    let client = request.basic();
    let is_client = client
        .is_some_and(|(id, secret)| id == tenant.client_id() && secret == tenant.client_secret());
    if !is_client {
        return Answer::json(401, &json!({"error": "invalid_client"}));
    }
    if field("grant_type") != Some("refresh_token") {
        return Answer::json(400, &json!({"error": "unsupported_grant_type"}));
    }
    let refresh_token = tenant.refresh_token();
    if field("refresh_token") != Some(refresh_token.as_str()) {
        return Answer::json(400, &json!({"error": "invalid_grant"}));
    }
    tenant.made += 1;
    let name = format!("workday.token.{}", tenant.made);
    let token = secret(tenant.stage.seed, &name, 40);
    tenant.tokens.insert(token.clone());
    let body = json!({
        "access_token": token, "refresh_token": refresh_token,
        "token_type": "Bearer", "expires_in": GOOD_FOR,
    });
    Answer::json(200, &body)
}
