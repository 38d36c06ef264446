//! What a vendor's simulator is to the server.

use std::collections::BTreeMap;

use crate::company::Company;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::limit::Left;
use crate::server::SandboxError;
use crate::wire::{Answer, WireRequest};

/// One vendor, simulated.
pub(crate) trait Simulator: Send {
    /// The path in front of every call, without slashes around it; empty when
    /// the address is the vendor's host.
    fn base_path(&self) -> &'static str;

    /// The secrets that open it, by the names of `--secret`.
    fn credentials(&self) -> BTreeMap<String, String>;

    /// What else a connection needs, by the names of `--set`.
    fn settings(&self) -> BTreeMap<String, String>;

    /// Answers one request.
    fn answer(&mut self, request: &WireRequest) -> Answer;

    /// The refusal of one call too many.
    fn throttled(&mut self) -> Answer;

    /// Says in an answer what is left of the limit, where the vendor says it.
    fn tell_quota(&self, _answer: &mut Answer, _left: Left) {}

    /// Whether a call writes; reads and the making of tokens do not.
    fn is_write(&self, request: &WireRequest) -> bool;

    /// Serves another state of the company from now on.
    fn set_company(&mut self, company: Company);

    /// Sets what `stale` shows from now on.
    fn set_earlier(&mut self, earlier: Company);

    /// Shows these faults from now on.
    ///
    /// # Errors
    /// When `drop-field` names a field that the vendor does not have, or this
    /// simulator does not show a fault.
    fn set_faults(&mut self, faults: Vec<Fault>) -> Result<(), SandboxError>;

    /// Takes secrets out of an exchange that is to be kept.
    fn redact(&self, request: &WireRequest, exchange: &mut Exchange);
}
