//! The token call: a signed assertion for an access token.

use jiff::ToSpan;
use serde_json::json;

use crate::stage::secret;
use crate::wire::{Answer, WireRequest};

use super::SuccessFactors;
use super::assertion::{is_near, opened};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";
/// How long a token is good, in seconds: a day.
const LIFETIME: u32 = 86_400;

fn refused(status: u16, message: &str, id: &str) -> Answer {
    Answer::json(
        status,
        &json!({"errorHttpCode": status.to_string(), "errorMessage": message, "requestId": id}),
    )
}

/// Answers `POST /oauth/token`.
pub(super) fn answer(vendor: &mut SuccessFactors, request: &WireRequest) -> Answer {
    let id = vendor.stage.count_call();
    let form = request.form();
    let field = |name: &str| {
        form.iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    };
    let no_client = |why: &str| {
        let message = format!("Unable to authenticate the client ({why})");
        refused(401, &message, &id)
    };
    if field("grant_type") != Some(GRANT) {
        return refused(400, "Unsupported grant type", &id);
    }
    if field("client_id") != Some(vendor.api_key.as_str()) {
        return no_client("Login failed - invalid client");
    }
    if field("company_id") != Some(vendor.company_id.as_str()) {
        return no_client("Login failed - invalid company");
    }
    let assertion = field("assertion").unwrap_or_default();
    let said = match opened(assertion, &vendor.keys, &vendor.certificate) {
        Ok(said) => said,
        Err(word) => {
            let message = format!("Unable to verify the SAML assertion: {word}");
            return refused(401, &message, &id);
        }
    };
    let today = vendor.stage.today();
    let is_timely = said.from < said.until
        && (said
            .from
            .checked_add(1.hour())
            .is_ok_and(|latest| said.until <= latest))
        && is_near(said.from, today);
    if said.recipient != vendor.token_address
        || said.api_key.as_deref() != Some(vendor.api_key.as_str())
        || !is_timely
    {
        return refused(401, "Unable to verify the SAML assertion: conditions", &id);
    }
    if said.user != super::API_USER {
        return no_client("Login failed - invalid user");
    }
    // The same token again, until it runs out or a new one is asked for.
    let wants_new = field("new_token") == Some("true");
    let token = match vendor.token.take().filter(|_| !wants_new) {
        Some(token) => token,
        None => {
            vendor.made += 1;
            let name = format!("successfactors.token.{}", vendor.made);
            secret(vendor.stage.seed, &name, 64)
        }
    };
    vendor.token = Some(token.clone());
    Answer::json(
        200,
        &json!({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME}),
    )
}
