//! The BambooHR simulator, written from the vendor's pages and recorded answers.

mod calls;
mod datasets;
mod fields;
mod lists;
mod webhooks;
mod writes;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::company::Company;
use crate::exchange::{Exchange, LEFT_OUT};
use crate::fault::Fault;
use crate::limit::Left;
use crate::server::{SandboxError, SandboxOptions};
use crate::simulator::Simulator;
use crate::stage::{Stage, secret};
use crate::wire::{Answer, WireRequest};

/// Digits of an API key.
const KEY_DIGITS: usize = 40;

/// A BambooHR account.
pub(crate) struct BambooHr {
    stage: Stage,
    api_key: String,
    /// The key was taken back: nothing is answered any more.
    is_revoked: bool,
    webhooks: Vec<Value>,
}

/// A refusal: the status and the reason, which goes into a header.
pub(super) struct Refusal {
    status: u16,
    reason: &'static str,
}

impl Refusal {
    pub(super) fn of(status: u16, reason: &'static str) -> Self {
        Self { status, reason }
    }

    fn answer(&self) -> Answer {
        let answer =
            Answer::empty(self.status).with("X-BambooHR-Error-Message", self.reason.to_owned());
        if self.status == 429 {
            answer.with("Retry-After", "1")
        } else {
            answer
        }
    }
}

impl BambooHr {
    pub(crate) fn new(options: SandboxOptions) -> Result<Self, SandboxError> {
        let api_key = secret(options.seed, "bamboohr.api_key", KEY_DIGITS);
        Ok(Self {
            stage: Stage::new(options, fields::ALIASES)?,
            api_key,
            is_revoked: false,
            webhooks: Vec::new(),
        })
    }

    /// The sub-domain under which the vendor keeps this company.
    fn company_domain(&self) -> String {
        format!("muster{}", self.stage.own_account_id())
    }

    /// Version and path of a call: `/api/v1/…` on the company's own host, or the
    /// older `/api/gateway.php/COMPANY/v1/…`.
    fn route<'a>(&self, path: &'a [String]) -> Option<(&'a str, Vec<&'a str>)> {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let rest = match path.split_first()? {
            (&"api", rest) => match rest.split_first()? {
                (&"gateway.php", rest) => {
                    let (company, rest) = rest.split_first()?;
                    (*company == self.company_domain()).then_some(rest)?
                }
                _ => rest,
            },
            _ => return None,
        };
        let (version, rest) = rest.split_first()?;
        Some((version, rest.to_vec()))
    }
}

impl Simulator for BambooHr {
    fn base_path(&self) -> &'static str {
        ""
    }

    fn credentials(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("api_key".to_owned(), self.api_key.clone())])
    }

    fn settings(&self) -> BTreeMap<String, String> {
        // Made-up people have synthetic national ids, which are refused elsewhere.
        BTreeMap::from([
            ("company_domain".to_owned(), self.company_domain()),
            ("test_identities".to_owned(), "accept".to_owned()),
        ])
    }

    fn answer(&mut self, request: &WireRequest) -> Answer {
        let request_id = self.stage.count_call();
        let is_known = request
            .basic()
            .is_some_and(|(user, _)| user == self.api_key && !self.is_revoked);
        let outcome = match self.route(&request.path) {
            _ if !is_known => Err(Refusal::of(401, "Invalid API key")),
            Some((version, path)) => calls::answer(self, request, version, &path),
            None => Err(Refusal::of(404, "Not found")),
        };
        let answer = outcome.unwrap_or_else(|refusal| refusal.answer());
        Answer {
            delay: self.stage.mischief.delay(answer.delay),
            ..answer
        }
        .with("x-request-id", request_id)
    }

    fn throttled(&mut self) -> Answer {
        Refusal::of(429, "Limit exceeded").answer()
    }

    /// When to come again stands in refusals only.
    fn tell_quota(&self, answer: &mut Answer, left: Left) {
        for (name, value) in &mut answer.headers {
            if *name == "Retry-After" {
                *value = left.seconds.to_string();
            }
        }
    }

    /// Reports and datasets are asked for with a body.
    fn is_write(&self, request: &WireRequest) -> bool {
        let asks = |segment: &String| segment == "reports" || segment == "datasets";
        request.method != "GET" && !request.path.iter().any(asks)
    }

    fn set_company(&mut self, company: Company) {
        self.stage.set_company(company);
    }

    fn set_earlier(&mut self, earlier: Company) {
        self.stage.set_earlier(earlier);
    }

    fn set_faults(&mut self, faults: Vec<Fault>) -> Result<(), SandboxError> {
        self.stage.set_faults(faults)?;
        self.is_revoked = false;
        Ok(())
    }

    /// The key a webhook is signed with is shown once, in an answer.
    fn redact(&self, _request: &WireRequest, exchange: &mut Exchange) {
        if let Some(body) = &exchange.response_body
            && let Ok(mut value) = serde_json::from_str::<Value>(body)
            && let Some(key) = value.get_mut("privateKey")
        {
            *key = Value::from(LEFT_OUT);
            exchange.response_body = Some(value.to_string());
        }
    }
}
