//! The vendor's error bodies.

use serde_json::json;

use crate::wire::Answer;

/// A refusal of the Directory API.
#[derive(Debug)]
pub(super) struct Failure {
    code: u16,
    domain: &'static str,
    reason: &'static str,
    message: String,
    status: Option<&'static str>,
}

impl Failure {
    fn of(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            domain: "global",
            reason,
            message: message.into(),
            status: None,
        }
    }

    pub(super) fn login_required() -> Self {
        Self {
            status: Some("UNAUTHENTICATED"),
            ..Self::of(401, "required", "Login Required.")
        }
    }

    pub(super) fn invalid_credentials() -> Self {
        Self {
            status: Some("UNAUTHENTICATED"),
            ..Self::of(401, "authError", "Invalid Credentials")
        }
    }

    pub(super) fn forbidden() -> Self {
        Self::of(
            403,
            "forbidden",
            "Not Authorized to access this resource/api",
        )
    }

    pub(super) fn scopes() -> Self {
        Self {
            status: Some("PERMISSION_DENIED"),
            ..Self::of(
                403,
                "insufficientPermissions",
                "Request had insufficient authentication scopes.",
            )
        }
    }

    pub(super) fn bad_request() -> Self {
        Self::of(400, "badRequest", "Bad Request")
    }

    pub(super) fn unknown_parameter(name: &str) -> Self {
        Self {
            status: Some("INVALID_ARGUMENT"),
            ..Self::of(
                400,
                "invalid",
                format!(
                    "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter."
                ),
            )
        }
    }

    pub(super) fn invalid(what: &str) -> Self {
        Self::of(400, "invalid", format!("Invalid Input: {what}"))
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::of(404, "notFound", format!("Resource Not Found: {what}"))
    }

    pub(super) fn duplicate() -> Self {
        Self::of(409, "duplicate", "Entity already exists.")
    }

    pub(super) fn backend() -> Self {
        Self {
            status: Some("INTERNAL"),
            ..Self::of(500, "backendError", "Internal error encountered.")
        }
    }

    /// Too many calls: two statuses for the same thing, in turn.
    pub(super) fn throttled(turn: u64) -> Self {
        let (code, reason, message) = if turn.is_multiple_of(2) {
            (
                403,
                "quotaExceeded",
                "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user'.",
            )
        } else {
            (429, "rateLimitExceeded", "Rate Limit Exceeded")
        };
        Self {
            domain: "usageLimits",
            ..Self::of(code, reason, message)
        }
    }

    pub(super) fn answer(&self) -> Answer {
        let mut error = json!({
            "code": self.code,
            "message": self.message,
            "errors": [{
                "domain": self.domain, "reason": self.reason, "message": self.message,
            }],
        });
        if let (Some(status), Some(error)) = (self.status, error.as_object_mut()) {
            error.insert("status".to_owned(), json!(status));
        }
        Answer::json(self.code, &json!({"error": error}))
    }
}
