//! The session that the two tokens are exchanged for.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use muster_model::Clock;
use muster_model::time::date_in;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::refusal;
use crate::error::{ConnectError, ErrorKind};
use crate::http::{Answer, HttpClient, Request};

const PATH: &str = "/token/session/:create";

/// Days that a session is asked for. The vendor takes a date and does not say
/// at what hour it lapses; two days leave one whole day in every zone.
const DAYS: i64 = 2;

/// A session.
pub(super) struct Session {
    /// The password of every other call.
    pub(super) token: SecretString,
    /// From the start of this day it is taken for dead.
    dead_from: Date,
}

/// How a session is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Tokens in the body.
    Post,
    /// Tokens in the address: the older way.
    Put,
}

/// What a session is made of.
pub(super) struct Tokens {
    pub(super) consumer: SecretString,
    pub(super) employee: SecretString,
    pub(super) style: Style,
}

impl Session {
    /// Makes one.
    pub(super) async fn make(
        tokens: &Tokens,
        http: &HttpClient,
        clock: &dyn Clock,
    ) -> Result<Self, ConnectError> {
        let dead_from = today(clock).saturating_add(DAYS.days());
        let parts = [
            ("consumerToken", tokens.consumer.expose_secret().to_owned()),
            ("employeeToken", tokens.employee.expose_secret().to_owned()),
            ("expirationDate", dead_from.to_string()),
        ];
        let request = match tokens.style {
            Style::Post => {
                let [consumer, employee, expiration] = parts;
                Request::post(PATH).json(json!({
                    consumer.0: consumer.1,
                    employee.0: employee.1,
                    expiration.0: expiration.1,
                }))
            }
            Style::Put => parts
                .into_iter()
                .fold(Request::put(PATH), |request, (name, value)| {
                    request.query(name, value)
                }),
        };
        // A session that nobody uses does no harm.
        let answer = http.send(&request.repeatable()).await?;
        if !answer.is_success() {
            return Err(refused(&answer));
        }
        let token = answer
            .json
            .pointer("/value/token")
            .and_then(|token| token.as_str())
            .filter(|token| !token.is_empty())
            .ok_or_else(|| refusal::unexpected("the answer holds no session", &answer))?;
        Ok(Self {
            token: SecretString::from(token),
            dead_from,
        })
    }

    /// May it still be used?
    pub(super) fn is_alive(&self, clock: &dyn Clock) -> bool {
        today(clock) < self.dead_from
    }
}

fn today(clock: &dyn Clock) -> Date {
    date_in(clock.now(), &TimeZone::UTC)
}

/// Whatever the vendor calls it: at this place a refusal is about the tokens.
fn refused(answer: &Answer) -> ConnectError {
    match answer.status {
        400 | 401 | 403 | 404 | 422 => ConnectError::new(
            ErrorKind::Credentials,
            "tripletex.token_refused",
            format!(
                "Tripletex makes no session from these tokens{}",
                refusal::told(answer)
            ),
            "enter both tokens again; a token that begins with test- belongs to the test address",
        )
        .at(answer.place.clone()),
        _ => refusal::of(answer),
    }
}
