//! Everything a running simulator holds, and the way from a request to its answer.

use std::fmt;
use std::time::Duration;

use jiff::civil::Date;

use crate::company::Company;
use crate::fault::Fault;
use crate::server::{SandboxError, SandboxOptions, Today};
use crate::stage::CutLength;
use crate::wire::{Answer, Body, JSON, cut};

use super::answer::Success;
use super::books::Books;
use super::disturbance::Disturbance;
use super::failure::Failure;
use super::listing;
use super::request::Request;
use super::resource::Resource;
use super::session::Sessions;
use super::{employee_list, reads, session_calls, writes};

/// Calls in a period; the vendor does not publish the number.
const RATE_LIMIT: u64 = 1000;
/// Seconds until the period ends, for who is throttled.
const THROTTLE_SECONDS: u64 = 1;
/// Seconds until the period ends, for all others.
const PERIOD_SECONDS: u64 = 10;

/// Everything a running simulator holds.
pub(crate) struct World {
    main: Books,
    other: Books,
    pub(super) earlier: Books,
    pub(super) sessions: Sessions,
    pub(super) disturbance: Disturbance,
    today: Today,
    seed: u64,
    slow: Duration,
    /// Host and base path in front of every row's `url`.
    address: String,
    calls: u64,
}

impl fmt::Debug for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("World")
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}

impl World {
    /// A simulator that answers at `address` (host and base path, no scheme).
    pub(crate) fn new(options: SandboxOptions, address: &str) -> Result<Self, SandboxError> {
        Ok(Self {
            main: Books::of(options.company, address),
            other: Books::of(options.other_company, address),
            earlier: Books::of(options.earlier, address),
            sessions: Sessions::new(options.seed),
            disturbance: Disturbance::of(options.faults, options.seed)?,
            today: options.today,
            seed: options.seed,
            slow: options.slow,
            address: address.to_owned(),
            calls: 0,
        })
    }

    pub(crate) fn set_company(&mut self, company: Company) {
        self.main = Books::of(company, &self.address);
    }

    pub(crate) fn set_earlier(&mut self, earlier: Company) {
        self.earlier = Books::of(earlier, &self.address);
    }

    pub(crate) fn set_faults(&mut self, faults: Vec<Fault>) -> Result<(), SandboxError> {
        self.disturbance = Disturbance::of(faults, self.seed)?;
        Ok(())
    }

    pub(crate) fn consumer_token(&self) -> &str {
        &self.sessions.consumer_token
    }

    pub(crate) fn employee_token(&self) -> &str {
        &self.sessions.employee_token
    }

    pub(super) fn today(&self) -> Date {
        (self.today)()
    }

    /// The books that are open: which company answers is a matter of faults.
    pub(super) fn books(&self) -> &Books {
        if self.disturbance.has(&Fault::WrongCompany) {
            &self.other
        } else if self.disturbance.has(&Fault::Stale) {
            &self.earlier
        } else {
            &self.main
        }
    }

    pub(super) fn books_mut(&mut self) -> &mut Books {
        if self.disturbance.has(&Fault::WrongCompany) {
            &mut self.other
        } else if self.disturbance.has(&Fault::Stale) {
            &mut self.earlier
        } else {
            &mut self.main
        }
    }

    /// Answers one request.
    pub(crate) fn respond(&mut self, request: &Request) -> Answer {
        self.calls += 1;
        let outcome = self.route(request);
        self.answered(outcome)
    }

    /// Refuses one call too many.
    pub(super) fn refuse_for_rate(&mut self) -> Answer {
        self.calls += 1;
        self.answered(Err(Failure::throttled()))
    }

    fn answered(&self, outcome: Result<Success, Failure>) -> Answer {
        let request_id = format!("{:08x}-{:08x}", self.seed & 0xffff_ffff, self.calls);
        let throttled = matches!(&outcome, Err(failure) if failure.status == 429);
        let (remaining, reset) = if throttled {
            (0, THROTTLE_SECONDS)
        } else {
            // Never near the end of the allowance unless that fault is on.
            (
                RATE_LIMIT - 1 - self.calls % (RATE_LIMIT / 2),
                PERIOD_SECONDS,
            )
        };
        let headers = vec![
            ("X-Rate-Limit-Limit", RATE_LIMIT.to_string()),
            ("X-Rate-Limit-Remaining", remaining.to_string()),
            ("X-Rate-Limit-Reset", reset.to_string()),
            ("x-tlx-request-id", request_id.clone()),
        ];
        let answer = match outcome {
            Ok(success) => self.success(success, headers),
            Err(failure) => Answer {
                status: failure.status,
                headers,
                ..Answer::text(
                    failure.status,
                    JSON,
                    listing::text(&failure.body(&request_id)).unwrap_or_default(),
                )
            },
        };
        Answer {
            delay: self.disturbance.delay(answer.delay),
            ..answer
        }
    }

    fn success(&self, success: Success, headers: Vec<(&'static str, String)>) -> Answer {
        let mut body = success.body;
        let mut claimed_length = None;
        if let (Some(body), Some(length)) = (&mut body, success.cut) {
            claimed_length = (length == CutLength::Whole).then_some(body.len());
            cut(body);
        }
        Answer {
            status: success.status,
            headers,
            content_type: JSON,
            body: body.map_or(Body::None, Body::Text),
            claimed_length,
            delay: success.is_slow.then_some(self.slow),
        }
    }

    fn route(&mut self, request: &Request) -> Result<Success, Failure> {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        let method = request.method.as_str();
        // A session is made without one.
        match (method, path.as_slice()) {
            ("POST", ["token", "session", ":create"]) => {
                return session_calls::create_by_body(self, request);
            }
            ("PUT", ["token", "session", ":create"]) => {
                return session_calls::create_by_query(self, request);
            }
            _ => {}
        }
        let session = self
            .sessions
            .authorised(
                request.authorization.as_deref(),
                self.books().account_id,
                self.today(),
            )
            .ok_or_else(Failure::unauthorized)?;
        match method {
            "GET" => self.route_get(&path, request, &session),
            "POST" => self.route_post(&path, request),
            "PUT" => self.route_put(&path, request),
            "DELETE" => match path.as_slice() {
                ["token", "session", token] => session_calls::end(self, token),
                ["department", id] => writes::delete_department(self, id),
                _ => Err(Failure::not_found()),
            },
            _ => Err(Failure::not_found()),
        }
    }

    fn route_get(
        &mut self,
        path: &[&str],
        request: &Request,
        session: &str,
    ) -> Result<Success, Failure> {
        let query = &request.query;
        match path {
            ["token", "session", ">whoAmI"] => session_calls::who_am_i(self, request),
            ["company", ">withLoginAccess"] => reads::companies(self, query),
            ["company", id] => reads::one(self, Resource::Company, id, query),
            ["employee"] => employee_list::answer(self, query, session),
            ["employee", "entitlement"] => reads::entitlements(self, query),
            ["employee", "employment"] => reads::employments(self, query),
            ["employee", "employment", "details"] => reads::details(self, query),
            ["employee", "employment", "occupationCode"] => reads::occupation_codes(self, query),
            ["employee", "employment", "details", id] => {
                reads::one(self, Resource::EmploymentDetails, id, query)
            }
            ["employee", "employment", id] => reads::one(self, Resource::Employment, id, query),
            ["employee", id] => reads::one(self, Resource::Employee, id, query),
            ["department"] => reads::departments(self, request),
            ["department", "query"] => reads::department_query(self, query),
            ["department", id] => reads::one(self, Resource::Department, id, query),
            ["division"] => reads::divisions(self, query),
            ["country"] => reads::countries(self, query),
            _ => Err(Failure::not_found()),
        }
    }

    fn route_post(&mut self, path: &[&str], request: &Request) -> Result<Success, Failure> {
        if self.disturbance.throttles_write() {
            return Err(Failure::throttled());
        }
        match path {
            ["employee"] => writes::create(self, Resource::Employee, request),
            ["employee", "list"] => writes::create_employees(self, request),
            ["employee", "employment"] => writes::create(self, Resource::Employment, request),
            ["employee", "employment", "details"] => {
                writes::create(self, Resource::EmploymentDetails, request)
            }
            ["department"] => writes::create(self, Resource::Department, request),
            ["department", "list"] => writes::create_departments(self, request),
            ["division"] => writes::create(self, Resource::Division, request),
            _ => Err(Failure::not_found()),
        }
    }

    fn route_put(&mut self, path: &[&str], request: &Request) -> Result<Success, Failure> {
        if self.disturbance.throttles_write() {
            return Err(Failure::throttled());
        }
        match path {
            ["employee", "entitlement", ":grantEntitlementsByTemplate"] => {
                writes::grant(self, request)
            }
            ["employee", "employment", "details", id] => {
                writes::update(self, Resource::EmploymentDetails, id, request)
            }
            ["employee", "employment", id] => {
                writes::update(self, Resource::Employment, id, request)
            }
            ["employee", id] => writes::update(self, Resource::Employee, id, request),
            ["department", "list"] => writes::update_departments(self, request),
            ["department", id] => writes::update(self, Resource::Department, id, request),
            _ => Err(Failure::not_found()),
        }
    }
}
