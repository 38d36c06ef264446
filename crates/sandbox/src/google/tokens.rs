//! The token call: a signed assertion for an access token, in the name of an
//! administrator to whom the domain has lent the service account.

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::stage::secret;
use crate::wire::{Answer, WireRequest};

use super::Google;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The vendor's own address of the call: an assertion may be made for it too.
const VENDOR_AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// The longest that an assertion may be good, in seconds.
const LONGEST: i64 = 3600;
/// What all scopes begin with.
const SCOPE: &str = "https://www.googleapis.com/auth/admin.directory.";
/// What the domain has lent to the service account, behind the common beginning.
const DELEGATED: [&str; 4] = ["user", "user.readonly", "orgunit", "orgunit.readonly"];

/// Who asks with an access token, and what for.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    /// In whose name; nobody's without `sub`.
    pub(super) subject: Option<String>,
    scopes: Vec<String>,
}

impl Grant {
    /// Whether one of these scopes was granted, named behind the common beginning.
    pub(super) fn allows(&self, scopes: &[&str]) -> bool {
        self.scopes.iter().any(|granted| {
            granted
                .strip_prefix(SCOPE)
                .is_some_and(|granted| scopes.contains(&granted))
        })
    }
}

fn refused(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(
        status,
        &json!({"error": error, "error_description": description}),
    )
}

/// Answers `POST /token`.
pub(super) fn answer(google: &mut Google, request: &WireRequest) -> Answer {
    let form = request.form();
    let field = |name: &str| {
        form.iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    };
    if field("grant_type") != Some(GRANT) {
        return refused(400, "unsupported_grant_type", "Invalid grant_type");
    }
    let Some((header, claims)) = google.keys.opened(field("assertion").unwrap_or_default()) else {
        return refused(400, "invalid_grant", "Invalid JWT Signature.");
    };
    let claim = |name: &str| claims.get(name).and_then(Value::as_str);
    let kid = header.get("kid").and_then(Value::as_str);
    if kid.is_some_and(|kid| kid != google.key_id) {
        return refused(400, "invalid_grant", "Invalid JWT Signature.");
    }
    if claim("iss") != Some(google.client_email.as_str()) {
        return refused(400, "invalid_grant", "Invalid grant: account not found");
    }
    let audience = claim("aud").unwrap_or_default();
    if audience != VENDOR_AUDIENCE && audience != google.token_uri {
        return refused(400, "invalid_grant", "Invalid JWT: Failed audience check.");
    }
    let moment = |name: &str| claims.get(name).and_then(Value::as_i64);
    let is_timely = match (moment("iat"), moment("exp")) {
        (Some(from), Some(until)) => {
            from < until
                && until.saturating_sub(from) <= LONGEST
                && is_near(from, google.stage.today())
        }
        _ => false,
    };
    if !is_timely {
        return refused(
            400,
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
        );
    }
    let scopes: Vec<String> = claim("scope")
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let are_delegated = scopes.iter().all(|scope| {
        scope
            .strip_prefix(SCOPE)
            .is_some_and(|scope| DELEGATED.contains(&scope))
    });
    if scopes.is_empty() || !are_delegated {
        return refused(
            401,
            "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
        );
    }
    let subject = claim("sub").map(str::to_owned);
    let roster = google.stage.roster();
    // The account whose people were swapped knows its own administrator.
    let is_swapped = google.stage.mischief.has(&Fault::WrongCompany);
    if !is_swapped
        && subject
            .as_deref()
            .is_some_and(|subject| roster.holder_of(subject).is_none())
    {
        return refused(400, "invalid_grant", "Invalid email or User ID");
    }
    google.made += 1;
    let name = format!("google.token.{}", google.made);
    let token = format!("ya29.{}", secret(google.stage.seed, &name, 64));
    google
        .grants
        .insert(token.clone(), Grant { subject, scopes });
    Answer::json(
        200,
        &json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"}),
    )
}

/// Whether a moment is of today or a day beside it: the simulator knows days only.
fn is_near(second: i64, today: Date) -> bool {
    let Ok(moment) = Timestamp::from_second(second) else {
        return false;
    };
    let day = moment.to_zoned(TimeZone::UTC).date();
    today
        .until(day)
        .is_ok_and(|distance| distance.get_days().abs() <= 1)
}
