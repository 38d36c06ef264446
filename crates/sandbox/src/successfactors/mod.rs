//! The SAP SuccessFactors simulator (OData API version 2), written from SAP's
//! knowledge base, its specification of Employment Information and answers that
//! its customers have published.

mod assertion;
mod atom;
mod canonical;
mod certificate;
mod failure;
mod filter;
mod picklist;
mod query;
mod reads;
mod register;
mod render;
mod row;
mod schema;
mod table;
mod tokens;
mod writes;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use crate::company::Company;
use crate::exchange::{Exchange, LEFT_OUT};
use crate::fault::Fault;
use crate::keys::KeyPair;
use crate::limit::Left;
use crate::server::{SandboxError, SandboxOptions};
use crate::simulator::Simulator;
use crate::stage::{Stage, secret};
use crate::wire::{Answer, WireRequest};

use failure::Failure;
use register::Register;
use table::Tables;

/// The technical user as whom is read.
const API_USER: &str = "sfapi";

/// What `drop-field` may name: an entity with a property or a navigation.
const FIELDS: &[&str] = &[
    "PerPerson.dateOfBirth",
    "PerPerson.lastModifiedDateTime",
    "PerPerson.emailNav",
    "PerPerson.phoneNav",
    "PerPerson.nationalIdNav",
    "PerPerson.employmentNav",
    "PerPersonal.firstName",
    "PerPersonal.lastName",
    "PerEmail.emailAddress",
    "PerEmail.emailType",
    "PerEmail.emailTypeNav",
    "PerEmail.isPrimary",
    "PerPhone.phoneNumber",
    "PerPhone.countryCode",
    "PerNationalId.nationalId",
    "EmpEmployment.startDate",
    "EmpEmployment.endDate",
    "EmpEmployment.isContingentWorker",
    "EmpJob.jobTitle",
    "EmpJob.department",
    "EmpJob.departmentNav",
    "EmpJob.managerId",
    "EmpJob.managerEmploymentNav",
    "EmpJob.managerUserNav",
    "EmpJob.emplStatus",
    "EmpJob.emplStatusNav",
    "EmpJob.employmentType",
    "EmpJob.employmentTypeNav",
    "EmpJob.fte",
    "FODepartment.name",
    "User.email",
    "User.firstName",
    "User.lastName",
    "User.manager",
    "User.status",
];

/// A company's instance.
pub(crate) struct SuccessFactors {
    stage: Stage,
    keys: KeyPair,
    certificate: Vec<u8>,
    company_id: String,
    api_key: String,
    password: String,
    token_address: String,
    /// The token that is good now.
    token: Option<String>,
    /// How many tokens were made.
    made: u64,
    /// Whether the password has run out.
    is_locked: bool,
    register: Option<Arc<Register>>,
    tables: Tables,
}

impl SuccessFactors {
    /// A simulator that answers at `address` (host and port, no scheme).
    pub(crate) fn new(options: SandboxOptions, address: &str) -> Result<Self, SandboxError> {
        let seed = options.seed;
        let keys = KeyPair::of(seed)?;
        Ok(Self {
            certificate: certificate::certificate(&keys)?,
            keys,
            company_id: format!("muster{}", options.company.account_id),
            api_key: secret(seed, "successfactors.api-key", 32),
            password: secret(seed, "successfactors.password", 24),
            token_address: format!("http://{address}/oauth/token"),
            stage: Stage::new(options, FIELDS)?,
            token: None,
            made: 0,
            is_locked: false,
            register: None,
            tables: Tables::default(),
        })
    }

    /// The company that is served, with its ids.
    fn register(&mut self) -> Arc<Register> {
        let roster = self.stage.roster();
        match &self.register {
            Some(register) if Arc::ptr_eq(&register.roster, roster) => Arc::clone(register),
            _ => {
                let register = Arc::new(Register::of(Arc::clone(roster)));
                self.register = Some(Arc::clone(&register));
                register
            }
        }
    }

    /// Whether the request is of the API user.
    fn signed_in(&self, request: &WireRequest) -> Result<(), Failure> {
        if let Some(token) = request.bearer() {
            return match &self.token {
                Some(known) if known == token => Ok(()),
                _ => Err(Failure::token_expired()),
            };
        }
        let (user, password) = request.basic().ok_or_else(Failure::credentials_missing)?;
        match user.split_once('@') {
            Some((_, company)) if company != self.company_id => Err(Failure::wrong_company()),
            Some((user, _)) if user == API_USER && password == self.password && !self.is_locked => {
                Ok(())
            }
            _ => Err(Failure::wrong_password()),
        }
    }

    /// What was good until now is so no more.
    fn expire(&mut self) {
        self.token = None;
        self.is_locked = true;
    }

    fn respond(&mut self, request: &WireRequest) -> Answer {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        let outcome = match (request.method.as_str(), path.as_slice()) {
            ("POST", ["oauth", "token"]) => return tokens::answer(self, request),
            (method, ["odata", "v2", path @ ..]) => {
                self.signed_in(request).and_then(|()| match (method, path) {
                    ("GET", ["$metadata"]) => {
                        Ok(Answer::text(200, atom::XML, atom::metadata_document()))
                    }
                    ("GET", path) => reads::answer(self, request, path),
                    ("POST", ["upsert"]) => writes::upsert(self, request),
                    _ => Err(Failure::not_allowed()),
                })
            }
            _ => Err(Failure::not_found()),
        };
        match outcome {
            // The session of the first answer may be sent back.
            Ok(answer) if request.header("cookie").is_none() => {
                let session = self.stage.count_call();
                answer.with("x-csrf-token", session.clone()).with(
                    "set-cookie",
                    format!("JSESSIONID={session}; Path=/; HttpOnly"),
                )
            }
            Ok(answer) => answer,
            Err(failure) => failure.answer(Some(request)),
        }
    }
}

impl Simulator for SuccessFactors {
    fn base_path(&self) -> &'static str {
        ""
    }

    fn credentials(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("api_key".to_owned(), self.api_key.clone()),
            ("private_key".to_owned(), self.keys.pem.clone()),
            (
                "certificate".to_owned(),
                certificate::pem(&self.certificate),
            ),
            ("password".to_owned(), self.password.clone()),
        ])
    }

    fn settings(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("company_id".to_owned(), self.company_id.clone()),
            ("user_id".to_owned(), API_USER.to_owned()),
            ("test_identities".to_owned(), "accept".to_owned()),
        ])
    }

    fn answer(&mut self, request: &WireRequest) -> Answer {
        let answer = self.respond(request);
        Answer {
            delay: self.stage.mischief.delay(answer.delay),
            ..answer
        }
    }

    fn throttled(&mut self) -> Answer {
        Failure::throttled().answer(None)
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
        request.method != "GET" && request.path != ["oauth", "token"]
    }

    fn set_company(&mut self, company: Company) {
        self.stage.set_company(company);
        self.tables.clear();
    }

    fn set_earlier(&mut self, earlier: Company) {
        self.stage.set_earlier(earlier);
        self.tables.clear();
    }

    fn set_faults(&mut self, faults: Vec<Fault>) -> Result<(), SandboxError> {
        self.tables.clear();
        self.is_locked = false;
        self.stage.set_faults(faults)
    }

    /// Takes assertions and tokens out.
    fn redact(&self, request: &WireRequest, exchange: &mut Exchange) {
        if request.path == ["oauth", "token"] {
            exchange.request_body = Some(LEFT_OUT.to_owned());
            if exchange.status == 200 {
                exchange.response_body = Some(json!({"access_token": LEFT_OUT}).to_string());
            }
        }
    }
}
