//! This vendor as the server sees it.

use std::collections::BTreeMap;

use crate::company::Company;
use crate::exchange::{Exchange, LEFT_OUT};
use crate::fault::Fault;
use crate::limit::Left;
use crate::server::SandboxError;
use crate::simulator::Simulator;
use crate::wire::{Answer, WireRequest};

use super::request::{Query, Request};
use super::world::World;

/// The path in front of every call.
pub(crate) const BASE_PATH: &str = "v2";

impl Simulator for World {
    fn base_path(&self) -> &'static str {
        BASE_PATH
    }

    fn credentials(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (
                "consumer_token".to_owned(),
                self.consumer_token().to_owned(),
            ),
            (
                "employee_token".to_owned(),
                self.employee_token().to_owned(),
            ),
        ])
    }

    /// Made-up people have synthetic national ids, which are refused elsewhere.
    fn settings(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("test_identities".to_owned(), "accept".to_owned())])
    }

    fn answer(&mut self, request: &WireRequest) -> Answer {
        let path = match request.path.split_first() {
            Some((base, rest)) if base == BASE_PATH => rest.to_vec(),
            // Outside the base path nothing is found, in the vendor's own words.
            _ => Vec::new(),
        };
        self.respond(&Request {
            method: request.method.clone(),
            path,
            query: Query::of(&request.query),
            authorization: request.header("authorization").map(str::to_owned),
            if_none_match: request.header("if-none-match").map(str::to_owned),
            body: request.body.clone(),
        })
    }

    fn throttled(&mut self) -> Answer {
        self.refuse_for_rate()
    }

    fn tell_quota(&self, answer: &mut Answer, left: Left) {
        for (name, value) in &mut answer.headers {
            match *name {
                "X-Rate-Limit-Limit" => *value = left.allowed.to_string(),
                "X-Rate-Limit-Remaining" => *value = left.calls.to_string(),
                "X-Rate-Limit-Reset" => *value = left.seconds.to_string(),
                _ => {}
            }
        }
    }

    fn is_write(&self, request: &WireRequest) -> bool {
        let is_session_call = request.path.get(1).is_some_and(|first| first == "token");
        request.method != "GET" && !is_session_call
    }

    fn set_company(&mut self, company: Company) {
        World::set_company(self, company);
    }

    fn set_earlier(&mut self, earlier: Company) {
        World::set_earlier(self, earlier);
    }

    fn set_faults(&mut self, faults: Vec<Fault>) -> Result<(), SandboxError> {
        World::set_faults(self, faults)
    }

    /// Replaces the secrets in the path, the query and the bodies of session calls.
    fn redact(&self, request: &WireRequest, exchange: &mut Exchange) {
        let is_session_call = matches!(
            request.path.as_slice(),
            [_, token, session, _] if token == "token" && session == "session"
        );
        if !is_session_call {
            return;
        }
        if exchange.method == "DELETE" {
            exchange.path = format!("/{BASE_PATH}/token/session/{LEFT_OUT}");
        }
        exchange.query = exchange
            .query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((name, _)) if name.ends_with("Token") => format!("{name}={LEFT_OUT}"),
                _ => pair.to_owned(),
            })
            .collect::<Vec<_>>()
            .join("&");
        exchange.request_body = exchange.request_body.as_deref().map(without_tokens);
        exchange.response_body = exchange.response_body.as_deref().map(without_tokens);
    }
}

/// A session call's body with every token's text replaced; a body that is no
/// JSON is replaced as a whole.
fn without_tokens(body: &str) -> String {
    let Ok(mut value) = serde_json::from_str(body) else {
        return LEFT_OUT.to_owned();
    };
    replace_tokens(&mut value);
    value.to_string()
}

fn replace_tokens(value: &mut serde_json::Value) {
    if let serde_json::Value::Object(properties) = value {
        for (name, value) in properties {
            match value {
                serde_json::Value::String(text) if name == "token" || name.ends_with("Token") => {
                    LEFT_OUT.clone_into(text);
                }
                inner => replace_tokens(inner),
            }
        }
    }
}
