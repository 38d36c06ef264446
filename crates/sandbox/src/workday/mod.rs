//! The Workday simulator, written from the vendor's description of its web
//! services and the public pages on reports: `Get_Workers` by SOAP, and a custom
//! report as a web service.

mod asked;
mod element;
mod fault;
mod person;
mod report;
mod services;
mod tokens;
mod worker;

use std::collections::{BTreeMap, BTreeSet};

use crate::company::Company;
use crate::exchange::{Exchange, LEFT_OUT};
use crate::fault::Fault;
use crate::limit::Left;
use crate::server::{SandboxError, SandboxOptions, Vendor};
use crate::simulator::Simulator;
use crate::stage::{Stage, secret};
use crate::wire::{Answer, WireRequest};

/// The integration system user.
const USERNAME: &str = "ISU_Muster";
/// Digits of a secret.
const SECRET_DIGITS: usize = 32;

/// A customer's tenant: both ways into it stand open, whichever was asked for.
pub(crate) struct Tenant {
    stage: Stage,
    /// Which way a connection is told of.
    vendor: Vendor,
    password: String,
    /// The user of the integration is locked until faults are set anew.
    is_locked: bool,
    /// Access tokens that are good.
    tokens: BTreeSet<String>,
    /// How many tokens were made.
    made: u64,
    /// What has changed behind the moment of entry that is read as of.
    behind: Option<services::Behind>,
}

impl Tenant {
    pub(crate) fn new(options: SandboxOptions) -> Result<Self, SandboxError> {
        let vendor = options.vendor;
        let fields = match vendor {
            Vendor::WorkdaySoap => worker::FIELDS,
            _ => report::COLUMNS,
        };
        Ok(Self {
            password: secret(options.seed, "workday.password", SECRET_DIGITS),
            stage: Stage::new(options, fields)?,
            vendor,
            is_locked: false,
            tokens: BTreeSet::new(),
            made: 0,
            behind: None,
        })
    }

    fn name(&self) -> String {
        person::tenant(self.stage.own_account_id())
    }

    fn client_id(&self) -> String {
        secret(self.stage.seed, "workday.client_id", SECRET_DIGITS)
    }

    fn client_secret(&self) -> String {
        secret(self.stage.seed, "workday.client_secret", SECRET_DIGITS)
    }

    fn refresh_token(&self) -> String {
        secret(self.stage.seed, "workday.refresh_token", SECRET_DIGITS)
    }

    /// Ends what proves the caller: tokens can be made anew, a password cannot.
    fn expire(&mut self) {
        match self.tokens.is_empty() {
            true => self.is_locked = true,
            false => self.tokens.clear(),
        }
    }

    fn respond(&mut self, request: &WireRequest) -> Answer {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        let name = self.name();
        match (request.method.as_str(), path.as_slice()) {
            ("POST", ["ccx", "service", tenant, "Human_Resources", version])
                if *tenant == name && is_version(version) =>
            {
                services::answer(self, request, version)
            }
            ("POST", ["ccx", "oauth2", tenant, "token"]) if *tenant == name => {
                tokens::answer(self, request)
            }
            (
                "GET",
                [
                    "ccx",
                    "service",
                    "customreport2",
                    tenant,
                    report::OWNER,
                    report::NAME,
                ],
            ) if *tenant == name => report::answer(self, request),
            _ => Answer::empty(404),
        }
    }
}

/// The refusal of one call too many.
fn refused() -> Answer {
    Answer::empty(429).with("Retry-After", "1")
}

/// `v37.0`
fn is_version(text: &str) -> bool {
    let is_number = |text: &str| {
        !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    text.strip_prefix('v')
        .and_then(|numbers| numbers.split_once('.'))
        .is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}

impl Simulator for Tenant {
    fn base_path(&self) -> &'static str {
        ""
    }

    fn credentials(&self) -> BTreeMap<String, String> {
        let mut credentials = BTreeMap::from([("password".to_owned(), self.password.clone())]);
        if self.vendor == Vendor::Workday {
            credentials.extend([
                ("client_id".to_owned(), self.client_id()),
                ("client_secret".to_owned(), self.client_secret()),
                ("refresh_token".to_owned(), self.refresh_token()),
            ]);
        }
        credentials
    }

    fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::from([
            ("tenant".to_owned(), self.name()),
            // Made-up people have synthetic national ids, which are refused elsewhere.
            ("test_identities".to_owned(), "accept".to_owned()),
            ("username".to_owned(), USERNAME.to_owned()),
        ]);
        if self.vendor == Vendor::Workday {
            settings.extend([
                ("national_id_country".to_owned(), "NO".to_owned()),
                ("report_name".to_owned(), report::NAME.to_owned()),
                ("report_owner".to_owned(), report::OWNER.to_owned()),
            ]);
        }
        settings
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
        refused()
    }

    /// When to come again stands in refusals only.
    fn tell_quota(&self, answer: &mut Answer, left: Left) {
        for (name, value) in &mut answer.headers {
            if *name == "Retry-After" {
                *value = left.seconds.to_string();
            }
        }
    }

    /// Reads are asked for with a body, and nothing is written.
    fn is_write(&self, _request: &WireRequest) -> bool {
        false
    }

    fn set_company(&mut self, company: Company) {
        self.stage.set_company(company);
        self.behind = None;
    }

    fn set_earlier(&mut self, earlier: Company) {
        self.stage.set_earlier(earlier);
    }

    fn set_faults(&mut self, faults: Vec<Fault>) -> Result<(), SandboxError> {
        services::catch_up(self, None);
        self.stage.set_faults(faults)?;
        self.is_locked = false;
        Ok(())
    }

    /// Takes passwords and tokens out.
    fn redact(&self, request: &WireRequest, exchange: &mut Exchange) {
        if let Some(body) = &mut exchange.request_body {
            *body = body.replace(&self.password, LEFT_OUT);
        }
        if request.path.last().is_some_and(|last| last == "token") {
            exchange.request_body = Some(LEFT_OUT.to_owned());
            if exchange.status == 200 {
                exchange.response_body = Some(LEFT_OUT.to_owned());
            }
        }
    }
}
