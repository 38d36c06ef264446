//! The vendor's error bodies.

use serde_json::{Value, json};

/// An answer that refuses, before it gets its request id.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) status: u16,
    /// The vendor's own code; none where it publishes none (throttling).
    code: Option<u32>,
    message: &'static str,
    developer_message: String,
    messages: Vec<ValidationMessage>,
}

/// One thing wrong with a body.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ValidationMessage {
    field: Option<String>,
    message: String,
    path: Option<String>,
}

impl ValidationMessage {
    /// About one field, dots going into sub-objects.
    pub(super) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: Some(field.into()),
            message: message.into(),
            path: None,
        }
    }

    /// About the object as a whole.
    pub(super) fn whole(message: impl Into<String>) -> Self {
        Self {
            field: None,
            message: message.into(),
            path: None,
        }
    }

    /// The same message with the place in the body.
    pub(super) fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }
}

impl Failure {
    fn of(status: u16, code: u32, message: &'static str, developer: impl Into<String>) -> Self {
        Self {
            status,
            code: Some(code),
            message,
            developer_message: developer.into(),
            messages: Vec::new(),
        }
    }

    /// A missing, wrong or expired session.
    pub(super) fn unauthorized() -> Self {
        Self::of(401, 3000, "Unauthorized", "Authentication failed")
    }

    /// No such path, or no such row.
    pub(super) fn not_found() -> Self {
        Self::of(404, 6000, "Object not found", "Object not found")
    }

    /// A `fields` parameter that names what is not there, or has no form.
    pub(super) fn illegal_filter(developer: impl Into<String>) -> Self {
        Self::of(400, 11000, "Illegal field in fields filter", developer)
    }

    /// A variable of the path that is no id.
    pub(super) fn path_parameter() -> Self {
        Self::of(400, 12000, "Bad request", "Path parameter is not a number")
    }

    /// A list of ids that is none (recorded with this status and code).
    pub(super) fn id_list(parameter: &str) -> Self {
        Self::of(422, 12000, "Validering feilet.", "VALIDATION_ERROR").with(vec![
            ValidationMessage::field(parameter, "Ugyldig liste av id-er."),
        ])
    }

    /// A body that is no JSON.
    pub(super) fn invalid_json() -> Self {
        Self::of(422, 22000, "Invalid JSON", "The body is not valid JSON")
    }

    /// A body whose properties do not fit the object.
    pub(super) fn mapping(messages: Vec<ValidationMessage>) -> Self {
        Self::of(422, 16000, "Request mapping failed", "MAPPING_ERROR").with(messages)
    }

    /// A `sorting` that names what cannot be sorted by.
    pub(super) fn sorting(field: &str) -> Self {
        Self::of(422, 17000, "Ugyldig sortering.", "SORTING_ERROR").with(vec![
            ValidationMessage::field("sorting", format!("Kan ikke sortere på {field}.")),
        ])
    }

    /// An object that breaks the vendor's rules.
    pub(super) fn validation(messages: Vec<ValidationMessage>) -> Self {
        Self::of(422, 18000, "Validering feilet.", "VALIDATION_ERROR").with(messages)
    }

    /// A parameter of the query that is missing or of the wrong type.
    pub(super) fn parameter(name: &str) -> Self {
        Self::of(422, 21000, "Ugyldig parameter.", "PARAM_ERROR")
            .with(vec![ValidationMessage::field(name, "Ugyldig format.")])
    }

    /// A page larger than the vendor gives.
    pub(super) fn result_too_large() -> Self {
        Self::of(
            422,
            23000,
            "Resultatet er for stort.",
            "RESULT_SET_TOO_LARGE",
        )
        .with(vec![ValidationMessage::field(
            "count",
            "Verdien er for stor.",
        )])
    }

    /// A version that is no longer the current one.
    pub(super) fn revision() -> Self {
        Self::of(
            409,
            8000,
            "Objektet er endret av en annen bruker.",
            "The object has been changed since it was read",
        )
    }

    /// Too many calls.
    pub(super) fn throttled() -> Self {
        Self {
            code: None,
            ..Self::of(429, 0, "Too Many Requests", "Rate limit exceeded")
        }
    }

    /// Something broke on the vendor's side.
    pub(super) fn server_error() -> Self {
        Self::of(500, 1000, "Internal server error", "Internal error")
    }

    fn with(mut self, messages: Vec<ValidationMessage>) -> Self {
        self.messages = messages;
        self
    }

    /// The body, with the id that the answer's header carries too.
    pub(super) fn body(&self, request_id: &str) -> Value {
        let messages: Vec<Value> = self
            .messages
            .iter()
            .map(|message| {
                json!({
                    "field": message.field,
                    "message": message.message,
                    "path": message.path,
                    "rootId": null,
                })
            })
            .collect();
        json!({
            "status": self.status,
            "code": self.code,
            "message": self.message,
            "link": "https://tripletex.no/v2-docs/",
            "developerMessage": self.developer_message,
            "validationMessages": if messages.is_empty() { Value::Null } else { messages.into() },
            "requestId": request_id,
        })
    }
}
