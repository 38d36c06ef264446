//! What the vendor's refusals mean.
//!
//! An error body has a `message` in the user's language and messages about
//! fields; both can repeat what was sent or what is stored. Only its number,
//! and its constant in capitals, are taken over.

use crate::error::{ConnectError, ErrorKind};
use crate::http::Answer;

/// The vendor's codes (its FAQ, "Error codes"), in our words.
const MEANINGS: [(u64, &str); 17] = [
    (1000, "internal error"),
    (3000, "authentication"),
    (4000, "bad request"),
    (6000, "not found"),
    (7000, "exists already"),
    (8000, "changed meanwhile"),
    (9000, "no permission"),
    (10_000, "locked"),
    (11_000, "illegal selection of fields"),
    (12_000, "illegal parameter in the path"),
    (14_000, "duplicate entry"),
    (15_000, "illegal value"),
    (16_000, "body not understood"),
    (17_000, "illegal sorting"),
    (18_000, "validation failed"),
    (21_000, "illegal parameter"),
    (23_000, "too many rows asked for"),
];

/// The error for an answer of refusal.
pub(super) fn of(answer: &Answer) -> ConnectError {
    let told = told(answer);
    let (kind, code, what, next) = match answer.status {
        401 => (
            ErrorKind::Credentials,
            "tripletex.unauthorized",
            "Tripletex makes sessions from these tokens and then refuses them",
            "check that the employee token is not revoked, and that company_id is one of its clients",
        ),
        403 => (
            ErrorKind::Rights,
            "tripletex.forbidden",
            "the token lacks a right, or the company lacks the module",
            "give the employee token the rights that the connector's notes list",
        ),
        404 => (
            ErrorKind::Refused,
            "tripletex.not_found",
            "Tripletex knows nothing at this address",
            "check the base address; it ends in /v2",
        ),
        _ => (
            ErrorKind::Refused,
            "tripletex.refused",
            "Tripletex refuses the request",
            "if page_size was changed, use a smaller one; else report it with the request id",
        ),
    };
    ConnectError::new(kind, code, format!("{what}{told}"), next).at(answer.place.clone())
}

/// The error for an answer of success that is not what the vendor documents.
pub(super) fn unexpected(what: &str, answer: &Answer) -> ConnectError {
    ConnectError::new(
        ErrorKind::Answer,
        "tripletex.unexpected_answer",
        what,
        "check the base address; if it is right, report it with the request id",
    )
    .at(answer.place.clone())
}

/// What the body says of the reason, in parentheses; empty when it says nothing.
pub(super) fn told(answer: &Answer) -> String {
    let Some(code) = answer.json.get("code").and_then(|code| code.as_u64()) else {
        return String::new();
    };
    let meaning = MEANINGS
        .iter()
        .find(|(known, _)| *known == code)
        .map(|(_, meaning)| *meaning);
    let constant = answer
        .json
        .get("developerMessage")
        .and_then(|text| text.as_str())
        .filter(|text| is_constant(text));
    let said: Vec<&str> = meaning.into_iter().chain(constant).collect();
    if said.is_empty() {
        format!(" (its code {code})")
    } else {
        format!(" (its code {code}: {})", said.join(", "))
    }
}

/// A constant of the vendor's program: nobody is called that.
fn is_constant(text: &str) -> bool {
    (1..=60).contains(&text.len())
        && text.contains('_')
        && (text.bytes()).all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Place;
    use serde_json::{Value, json};

    fn answer(status: u16, json: Value) -> Answer {
        let place = Place {
            method: "GET",
            path: "/employee".to_owned(),
            status: Some(status),
            request_id: Some("abc-1".to_owned()),
        };
        Answer {
            status,
            json,
            headers: reqwest::header::HeaderMap::new(),
            place,
        }
    }

    #[test]
    fn a_refusal_gives_code_place_and_advice_and_repeats_nobodys_data() {
        let error = of(&answer(
            422,
            json!({
                "status": 422, "code": 18000,
                "message": "Kari Hansen finnes allerede.",
                "developerMessage": "VALIDATION_ERROR",
                "validationMessages": [{"field": "email", "message": "kari@nordlys.example er i bruk"}],
                "requestId": "abc-1"
            }),
        ));
        assert_eq!(error.code(), "tripletex.refused");
        assert_eq!(
            error.to_string(),
            "tripletex.refused: Tripletex refuses the request (its code 18000: validation failed, \
             VALIDATION_ERROR) (GET /employee, status 422, request abc-1); if page_size was \
             changed, use a smaller one; else report it with the request id"
        );
    }

    #[test]
    fn each_status_has_its_own_code() {
        for (status, code, kind) in [
            (401, "tripletex.unauthorized", ErrorKind::Credentials),
            (403, "tripletex.forbidden", ErrorKind::Rights),
            (404, "tripletex.not_found", ErrorKind::Refused),
            (400, "tripletex.refused", ErrorKind::Refused),
        ] {
            let error = of(&answer(status, Value::Null));
            assert_eq!((error.code(), error.kind()), (code, kind));
        }
    }

    #[test]
    fn a_name_in_the_place_of_the_constant_is_left_out() {
        for text in ["Kari", "KARI", "kari_hansen", "KARI HANSEN_", ""] {
            let told = told(&answer(
                400,
                json!({"code": 4000, "developerMessage": text}),
            ));
            assert_eq!(told, " (its code 4000: bad request)");
        }
    }
}
