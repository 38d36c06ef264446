//! The Humaans simulator, written from the vendor's pages and from what its
//! clients show of its answers.

mod ids;
mod lists;
mod query;
mod render;
mod writes;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::company::Company;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::limit::Left;
use crate::server::{SandboxError, SandboxOptions};
use crate::simulator::Simulator;
use crate::stage::{Roster, Stage, secret};
use crate::wire::{Answer, WireRequest};

use lists::Roles;

/// How long a caller is to wait who asked too often, in seconds.
const THROTTLE_WAIT: &str = "1";

/// A company at Humaans, seen with one token.
pub(crate) struct Humaans {
    stage: Stage,
    token: String,
    /// Whether the token was taken back, for good.
    is_revoked: bool,
    roles: Option<(Arc<Roster>, Roles)>,
}

/// A refusal in the vendor's form.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
    /// What of the request it is about.
    path: Option<String>,
}

impl Refusal {
    fn of(status: u16, code: &'static str, message: &str) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
            path: None,
        }
    }

    fn unauthorized() -> Self {
        Self::of(401, "NotAuthenticatedError", "Not authenticated")
    }

    pub(super) fn not_found() -> Self {
        Self::of(404, "NotFoundError", "Not found")
    }

    pub(super) fn server() -> Self {
        Self::of(500, "GeneralError", "Internal server error")
    }

    pub(super) fn invalid(path: &str) -> Self {
        Self {
            path: Some(path.to_owned()),
            ..Self::of(422, "ValidationError", "Validation failed")
        }
    }

    fn throttled() -> Self {
        Self::of(429, "TooManyRequestsError", "Too many requests")
    }

    fn answer(&self) -> Answer {
        let mut body = json!({"code": self.code, "name": self.code, "message": self.message});
        if let (Some(path), Some(body)) = (&self.path, body.as_object_mut()) {
            let issue = json!({"path": path, "message": "is not valid"});
            body.insert("issues".to_owned(), Value::Array(vec![issue]));
        }
        let answer = Answer::json(self.status, &body);
        match self.status {
            429 => answer.with("retry-after", THROTTLE_WAIT),
            _ => answer,
        }
    }
}

impl Humaans {
    pub(crate) fn new(options: SandboxOptions) -> Result<Self, SandboxError> {
        Ok(Self {
            token: secret(options.seed, "humaans.token", 48),
            stage: Stage::new(options, render::FIELDS)?,
            is_revoked: false,
            roles: None,
        })
    }

    fn route(&mut self, request: &WireRequest) -> Result<Answer, Refusal> {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        let ["api", path @ ..] = path.as_slice() else {
            return Err(Refusal::not_found());
        };
        if self.is_revoked || request.bearer() != Some(self.token.as_str()) {
            return Err(Refusal::unauthorized());
        }
        let method = request.method.as_str();
        if matches!((method, path), ("GET", ["people" | "job-roles"]))
            && self.stage.mischief.throttles()
        {
            return Err(Refusal::throttled());
        }
        match (method, path) {
            ("GET", ["me"]) => lists::me(self),
            ("GET", ["people"]) => lists::people(self, request),
            ("GET", ["people", id]) => {
                let id = lists::find(self, id)?;
                lists::one(self, id)
            }
            ("GET", ["job-roles"]) => lists::roles(self, request),
            ("GET", ["job-roles", id]) => lists::role(self, id),
            ("GET", ["companies"]) => lists::companies(self, request),
            ("GET", ["locations"]) => lists::few(request, Vec::new()),
            ("POST", ["people"]) => writes::create(self, request),
            ("PATCH", ["people", id]) => writes::change(self, request, id),
            ("DELETE", ["people", id]) => writes::delete(self, id),
            _ => Err(Refusal::not_found()),
        }
    }
}

impl Simulator for Humaans {
    fn base_path(&self) -> &'static str {
        ""
    }

    fn credentials(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("token".to_owned(), self.token.clone())])
    }

    fn settings(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("national_id_country".to_owned(), "NO".to_owned()),
            ("test_identities".to_owned(), "accept".to_owned()),
        ])
    }

    fn answer(&mut self, request: &WireRequest) -> Answer {
        self.stage.count_call();
        let answer = match self.route(request) {
            Ok(answer) => answer,
            Err(refusal) => refusal.answer(),
        };
        Answer {
            delay: self.stage.mischief.delay(answer.delay),
            ..answer
        }
    }

    fn throttled(&mut self) -> Answer {
        Refusal::throttled().answer()
    }

    fn tell_quota(&self, answer: &mut Answer, left: Left) {
        if left.is_refused {
            answer.headers.retain(|(name, _)| *name != "retry-after");
            answer
                .headers
                .push(("retry-after", left.seconds.to_string()));
        }
    }

    fn is_write(&self, request: &WireRequest) -> bool {
        request.method != "GET"
    }

    fn set_company(&mut self, company: Company) {
        self.stage.set_company(company);
        self.roles = None;
    }

    fn set_earlier(&mut self, earlier: Company) {
        self.stage.set_earlier(earlier);
        self.roles = None;
    }

    fn set_faults(&mut self, faults: Vec<Fault>) -> Result<(), SandboxError> {
        self.is_revoked = false;
        self.roles = None;
        self.stage.set_faults(faults)
    }

    /// Nothing secret stands in a body.
    fn redact(&self, _: &WireRequest, _: &mut Exchange) {}
}
