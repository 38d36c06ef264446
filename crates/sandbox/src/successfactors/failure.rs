//! The vendor's error bodies, in JSON where JSON was asked for, else in XML.

use serde_json::json;

use crate::wire::{Answer, WireRequest};

/// How long a caller is to wait who asked too often, in seconds. SAP says that
/// the header is sent, not what stands in it.
const THROTTLE_WAIT: &str = "1";

/// A refusal of the OData interface.
#[derive(Debug)]
pub(super) struct Failure {
    status: u16,
    code: &'static str,
    message: String,
}

impl Failure {
    fn of(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub(super) fn credentials_missing() -> Self {
        Self::of(
            401,
            "LGN0003",
            "[LGN0003]Authentication information is missing. Please use OAuth 2.0 to authenticate the user.",
        )
    }

    pub(super) fn wrong_password() -> Self {
        Self::of(
            401,
            "LGN0015",
            "[LGN0015]Authentication failed. You have entered an incorrect username or password (status code = 4).",
        )
    }

    pub(super) fn wrong_company() -> Self {
        Self::of(
            403,
            "LGN0008",
            "[LGN0008]Company not found. Please validate the spelling of your company id, which is case-sensitive.",
        )
    }

    /// A token that has run out comes with the status of a missing right.
    pub(super) fn token_expired() -> Self {
        Self::of(
            403,
            "LGN0022",
            "[LGN0022]The access token is either rejected or expired",
        )
    }

    pub(super) fn unknown_entity(name: &str) -> Self {
        Self::of(
            400,
            "COE_ENTITY_NOT_FOUND",
            format!("[COE0001]Invalid entity (or function) name: {name}"),
        )
    }

    pub(super) fn unknown_property(entity: &str, name: &str) -> Self {
        Self::of(
            400,
            "COE_PROPERTY_NOT_FOUND",
            format!("[COE0021]Invalid property names: {entity}/{name}."),
        )
    }

    pub(super) fn bad_request(what: &str) -> Self {
        Self::of(
            400,
            "COE_GENERAL_BADREQUEST",
            format!("[COE0018]The request is not well formed: {what}"),
        )
    }

    pub(super) fn not_found() -> Self {
        Self::of(
            404,
            "NotFoundException",
            "The requested entity is not found",
        )
    }

    pub(super) fn not_allowed() -> Self {
        Self::of(
            405,
            "COE_METHOD_NOT_ALLOWED",
            "[COE0020]The method is not allowed for this entity",
        )
    }

    pub(super) fn server() -> Self {
        Self::of(500, "COE_GENERAL_SERVER_ERROR", "Internal server error")
    }

    pub(super) fn throttled() -> Self {
        Self::of(429, "TOO_MANY_REQUESTS", "Too many requests")
    }

    pub(super) fn answer(&self, request: Option<&WireRequest>) -> Answer {
        let answer = if request.is_none_or(wants_json) {
            Answer::json(
                self.status,
                &json!({"error": {
                    "code": self.code,
                    "message": {"lang": "en-US", "value": self.message},
                }}),
            )
        } else {
            let message = quick_xml::escape::escape(self.message.as_str());
            Answer::text(
                self.status,
                super::atom::XML,
                format!(
                    "<?xml version=\"1.0\" encoding=\"utf-8\"?><error xmlns=\"{}\"><code>{}</code>\
                     <message xml:lang=\"en-US\">{message}</message></error>",
                    super::atom::METADATA,
                    self.code
                ),
            )
        };
        match self.status {
            429 => answer.with("retry-after", THROTTLE_WAIT),
            _ => answer,
        }
    }
}

/// Whether JSON was asked for: the vendor answers in Atom otherwise.
pub(super) fn wants_json(request: &WireRequest) -> bool {
    let format = request
        .parameters()
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("$format"));
    match format {
        Some((_, format)) => format.eq_ignore_ascii_case("json"),
        None => request
            .header("accept")
            .is_some_and(|accept| accept.contains("application/json")),
    }
}
