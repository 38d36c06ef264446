//! The Google Workspace simulator (Directory API), written from the vendor's
//! discovery document and its pages on service accounts.

mod failure;
mod mask;
mod render;
mod tokens;
mod users;
mod writes;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::company::{Company, Employee};
use crate::exchange::{Exchange, LEFT_OUT};
use crate::fault::Fault;
use crate::keys::KeyPair;
use crate::server::{SandboxError, SandboxOptions};
use crate::simulator::Simulator;
use crate::stage::{Stage, secret};
use crate::wire::{Answer, WireRequest};

use failure::Failure;
use mask::Mask;
use tokens::Grant;

/// Parameters that every method of the vendor's takes.
const STANDARD_PARAMETERS: [&str; 12] = [
    "$.xgafv",
    "access_token",
    "alt",
    "callback",
    "fields",
    "key",
    "oauth_token",
    "prettyPrint",
    "quotaUser",
    "uploadType",
    "upload_protocol",
    "userIp",
];

/// A Google Workspace customer.
pub(crate) struct Google {
    stage: Stage,
    keys: KeyPair,
    key_id: String,
    client_email: String,
    client_id: String,
    token_uri: String,
    grants: BTreeMap<String, Grant>,
    /// How many tokens were made.
    made: u64,
    /// How many calls were throttled.
    throttled: u64,
    /// Who was deleted through the interface, by id.
    deleted: BTreeMap<u64, Employee>,
}

/// What a call gives when it is not refused.
enum Success {
    Json(Value),
    /// An answer that is already made: nothing is taken out of it.
    Whole(Answer),
    Nothing,
}

impl Google {
    /// A simulator that answers at `address` (host and port, no scheme).
    pub(crate) fn new(options: SandboxOptions, address: &str) -> Result<Self, SandboxError> {
        let seed = options.seed;
        let account = options.company.account_id;
        Ok(Self {
            keys: KeyPair::of(seed)?,
            key_id: secret(seed, "google.key", 40),
            client_email: format!("muster@sandbox-{account}.iam.gserviceaccount.com"),
            client_id: format!("1{account:020}"),
            token_uri: format!("http://{address}/token"),
            stage: Stage::new(options, render::FIELDS)?,
            grants: BTreeMap::new(),
            made: 0,
            throttled: 0,
            deleted: BTreeMap::new(),
        })
    }

    /// The key file as the vendor's console gives it out.
    fn key_file(&self) -> Value {
        json!({
            "type": "service_account",
            "project_id": format!("sandbox-{}", self.stage.own_account_id()),
            "private_key_id": self.key_id,
            "private_key": self.keys.pem,
            "client_email": self.client_email,
            "client_id": self.client_id,
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": self.token_uri,
            "universe_domain": "googleapis.com",
        })
    }

    /// The grant of the token that asks, whose subject may manage the directory.
    fn granted(&self, request: &WireRequest) -> Result<Grant, Failure> {
        let token = request.bearer().ok_or_else(Failure::login_required)?;
        let grant = self
            .grants
            .get(token)
            .ok_or_else(Failure::invalid_credentials)?;
        let roster = self.stage.roster();
        let is_administrator = match (&grant.subject, render::administrator(roster)) {
            (Some(subject), Some(administrator)) => administrator
                .work_email
                .as_ref()
                .is_some_and(|address| address.eq_ignore_ascii_case(subject)),
            _ => false,
        };
        // The token of an account whose people were swapped is still good.
        if is_administrator
            || grant.subject.is_some() && self.stage.mischief.has(&Fault::WrongCompany)
        {
            Ok(grant.clone())
        } else {
            Err(Failure::forbidden())
        }
    }

    fn respond(&mut self, request: &WireRequest) -> Answer {
        if request.method == "POST" && request.path == ["token"] {
            return tokens::answer(self, request);
        }
        let fields = request
            .parameters()
            .into_iter()
            .find(|(name, _)| name == "fields")
            .map(|(_, value)| value);
        let mask = match fields.as_deref().map(Mask::parse) {
            Some(None) => return Failure::invalid("fields").answer(),
            Some(Some(mask)) => mask,
            None => Mask::default(),
        };
        match self.route(request) {
            Ok(Success::Json(value)) => Answer::json(200, &mask.of(value)),
            Ok(Success::Whole(answer)) => answer,
            Ok(Success::Nothing) => Answer::empty(204),
            Err(failure) => failure.answer(),
        }
    }

    fn route(&mut self, request: &WireRequest) -> Result<Success, Failure> {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        if let ("POST", ["admin", "directory_v1", "channels", "stop"]) =
            (request.method.as_str(), path.as_slice())
        {
            self.granted(request)?;
            return Ok(Success::Nothing);
        }
        let ["admin", "directory", "v1", path @ ..] = path.as_slice() else {
            return Err(Failure::not_found("path"));
        };
        let grant = self.granted(request)?;
        let reads = grant.allows(&["user", "user.readonly"]);
        let writes = grant.allows(&["user"]);
        let units = grant.allows(&["orgunit", "orgunit.readonly"]);
        match (request.method.as_str(), path) {
            ("GET", ["users", ..]) if !reads => Err(Failure::scopes()),
            ("GET", ["customer", ..]) if !units => Err(Failure::scopes()),
            ("GET", ["users"]) => users::list(self, request),
            ("GET", ["users", key]) => users::get(self, request, key),
            ("GET", ["customer", customer, "orgunits"]) => users::units(self, request, customer),
            ("POST" | "PATCH" | "PUT" | "DELETE", ["users", ..]) if !writes => {
                Err(Failure::scopes())
            }
            ("POST", ["users"]) => writes::insert(self, request),
            ("POST", ["users", "watch"]) => writes::watch(request),
            ("PATCH" | "PUT", ["users", key]) => writes::change(self, request, key),
            ("DELETE", ["users", key]) => writes::delete(self, key),
            ("POST", ["users", id, "undelete"]) => writes::undelete(self, id),
            _ => Err(Failure::not_found("path")),
        }
    }
}

/// Refuses parameters that the method does not have.
fn only_parameters(request: &WireRequest, known: &[&str]) -> Result<(), Failure> {
    match request.parameters().iter().find(|(name, _)| {
        !known.contains(&name.as_str()) && !STANDARD_PARAMETERS.contains(&name.as_str())
    }) {
        Some((name, _)) => Err(Failure::unknown_parameter(name)),
        None => Ok(()),
    }
}

impl Simulator for Google {
    fn base_path(&self) -> &'static str {
        ""
    }

    fn credentials(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("service_account".to_owned(), self.key_file().to_string())])
    }

    fn settings(&self) -> BTreeMap<String, String> {
        let subject = render::administrator(self.stage.roster())
            .and_then(|administrator| administrator.work_email.clone())
            .unwrap_or_default();
        BTreeMap::from([
            ("customer".to_owned(), "my_customer".to_owned()),
            ("subject".to_owned(), subject),
        ])
    }

    fn answer(&mut self, request: &WireRequest) -> Answer {
        self.stage.count_call();
        let answer = self.respond(request);
        Answer {
            delay: self.stage.mischief.delay(answer.delay),
            ..answer
        }
    }

    fn throttled(&mut self) -> Answer {
        self.throttled += 1;
        Failure::throttled(self.throttled - 1).answer()
    }

    fn is_write(&self, request: &WireRequest) -> bool {
        request.method != "GET" && request.path != ["token"]
    }

    fn set_company(&mut self, company: Company) {
        self.stage.set_company(company);
        self.deleted.clear();
    }

    fn set_earlier(&mut self, earlier: Company) {
        self.stage.set_earlier(earlier);
    }

    fn set_faults(&mut self, faults: Vec<Fault>) -> Result<(), SandboxError> {
        self.throttled = 0;
        self.stage.set_faults(faults)
    }

    /// Takes assertions and tokens out.
    fn redact(&self, request: &WireRequest, exchange: &mut Exchange) {
        if request.path == ["token"] {
            exchange.request_body = Some(LEFT_OUT.to_owned());
            if exchange.status == 200 {
                exchange.response_body = Some(json!({"access_token": LEFT_OUT}).to_string());
            }
        }
    }
}
