//! A manifest as it is written: plain types, from which the published schema is made.
//!
//! Where something stands is found again by its [`Path`](super::place::Path):
//! so these types need no positions, and serde's own errors keep theirs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::authentication_types::Authentication;
use super::fields::{Engagements, Mapping};
use super::info::{Confidence, EvidenceInfo, LeaverInfo, ReadById};
use super::reading::{ById, Changes, Company, Discovery, Join, People};
use super::text::Texts;
use super::webhook::Webhook;
use super::write::Write;

/// A connector's manifest: what it is, what it needs, and how it is spoken to.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// The name on the command line: lower case, digits and hyphens.
    pub(crate) name: String,
    /// The vendor's name for people.
    pub(crate) title: String,
    /// What it is, in one sentence.
    pub(crate) summary: String,
    /// Grows when the same answer of the vendor is read another way, so that everybody is planned anew.
    pub(crate) version: u32,
    /// How sure we are of what is written here.
    pub(crate) confidence: Confidence,
    /// What is not certain, and from where it is known.
    #[serde(default)]
    pub(crate) uncertain: Vec<String>,
    /// How the account identifies itself: what is pinned when connecting.
    pub(crate) account: String,
    /// Does somebody who comes back keep the record id?
    pub(crate) record_id_survives_rehire: bool,
    /// Can records be asked for by id?
    pub(crate) read_by_id: ReadById,
    /// What numbers a record's revisions, if anything does.
    pub(crate) revision: Option<String>,
    /// The zone of its dates, as the vendor means them.
    pub(crate) dates: String,
    /// What the administrator must do in the vendor's system, step by step.
    pub(crate) administrator: Vec<String>,
    /// The rights that the credentials need.
    #[serde(default)]
    pub(crate) rights: Vec<String>,
    /// What else it can do, for people.
    #[serde(default)]
    pub(crate) features: Vec<String>,
    /// What it does not do.
    #[serde(default)]
    pub(crate) limits: Vec<String>,
    /// Fields that come back empty when the credentials' rights are too few.
    #[serde(default)]
    pub(crate) hidden_without_rights: Vec<String>,
    /// What a read can prove, and how.
    pub(crate) evidence: EvidenceInfo,
    /// How somebody who left shows.
    pub(crate) leaver: LeaverInfo,
    /// Where the vendor explains its side.
    #[serde(default)]
    pub(crate) links: Vec<Address>,
    /// Base addresses; the first is the default. A template may use settings for one label of the host.
    pub(crate) base_urls: Vec<Address>,
    /// Other hosts that the connector may speak to, such as where tokens are given (`https://…`).
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
    /// What is entered and kept sealed.
    #[serde(default)]
    pub(crate) secrets: Vec<Entry>,
    /// What is entered and shown.
    #[serde(default)]
    pub(crate) settings: Vec<Entry>,
    /// JSON or XML.
    #[serde(default)]
    pub(crate) speaks: Speaks,
    /// Ways to prove who asks; the first whose `when` fits counts.
    #[serde(default)]
    pub(crate) authentication: Vec<Authentication>,
    /// A list without rows may be left out of the answer; otherwise that is an error.
    #[serde(default)]
    pub(crate) lists_may_be_missing: bool,
    /// Headers of every request.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// How fast the vendor may be asked.
    #[serde(default)]
    pub(crate) rate: RateLimit,
    /// How the vendor refuses.
    #[serde(default)]
    pub(crate) errors: Errors,
    /// The company behind the credentials.
    pub(crate) company: Option<Company>,
    /// The lists that say who there is.
    #[serde(default)]
    pub(crate) people: Vec<People>,
    /// What changed since a read, where the vendor tells it.
    pub(crate) changes: Option<Changes>,
    /// Lists and requests whose rows are joined to people, by the name that pointers and expressions use.
    #[serde(default)]
    pub(crate) joins: BTreeMap<String, Join>,
    /// Trees made of the row and of what is joined to it, each by a CEL expression: pointers and
    /// expressions of fields reach them by their names, like joined lists.
    #[serde(default)]
    pub(crate) derived: BTreeMap<String, String>,
    /// Asking by id whether somebody is still there; the first whose `when` fits counts.
    #[serde(default)]
    pub(crate) by_id: Vec<ById>,
    /// What can be written.
    pub(crate) write: Option<Write>,
    /// How the vendor tells by itself that something changed.
    pub(crate) webhook: Option<Webhook>,
    /// Which fields the vendor has for this company.
    pub(crate) discovery: Option<Discovery>,
    /// What is read, and from where, by canonical field.
    pub(crate) fields: BTreeMap<String, Mapping>,
    /// Further fields, which become `custom`.
    #[serde(default)]
    pub(crate) custom: BTreeMap<String, Mapping>,
    /// Employments and contracts.
    pub(crate) engagements: Option<Engagements>,
}

/// An address with what is there.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Address {
    /// What it is.
    pub(crate) title: String,
    /// The address.
    pub(crate) url: String,
}

/// Something to enter.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// The name of `--set` and `--secret`.
    pub(crate) name: String,
    /// What it means and where to find it.
    pub(crate) meaning: String,
    /// Does the connector need it?
    #[serde(default)]
    pub(crate) required: bool,
    /// The value that holds when none is entered.
    pub(crate) default: Option<String>,
    /// The only values allowed; empty when any is.
    #[serde(default)]
    pub(crate) values: Vec<String>,
    /// A whole number: the least and the greatest that is allowed.
    pub(crate) between: Option<[i64; 2]>,
}

/// How a vendor writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Speaks {
    /// JSON.
    #[default]
    Json,
    /// XML.
    Xml,
}

/// How fast the vendor may be asked.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateLimit {
    /// Calls that the vendor allows, as it publishes them.
    pub(crate) calls: Option<usize>,
    /// In so many seconds.
    pub(crate) seconds: Option<u64>,
    /// Calls at a time, for requests per person.
    pub(crate) concurrent: Option<usize>,
    /// The header with the calls that are left.
    pub(crate) remaining_header: Option<String>,
    /// The header with the seconds until there are calls again. `Retry-After` is always minded.
    pub(crate) reset_seconds_header: Option<String>,
    /// The wait when the vendor throttles and does not say how long.
    pub(crate) throttled_wait_seconds: Option<u64>,
}

/// How the vendor refuses.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Errors {
    /// Headers with the vendor's id of a request.
    #[serde(default)]
    pub(crate) request_id: Texts,
    /// Pointers to the vendor's own code in an answer of refusal; the first there counts.
    #[serde(default)]
    pub(crate) code: Texts,
    /// The vendor's codes in words, for people.
    #[serde(default)]
    pub(crate) words: BTreeMap<String, String>,
    /// What refusals mean; the first that fits counts.
    #[serde(default)]
    pub(crate) rules: Vec<ErrorRule>,
}

/// What a refusal means.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorRule {
    /// Of this status.
    pub(crate) status: Option<u16>,
    /// With one of these codes.
    #[serde(default)]
    pub(crate) codes: Vec<String>,
    /// When this CEL expression holds; it sees `answer`, `status` and `code`. It is the only way to refuse an answer of status 200. One that asks nothing of the rows of a list that is one answer (that they are there may be asked) lets them be read one by one.
    pub(crate) when: Option<String>,
    /// What it means.
    pub(crate) means: Meaning,
    /// What is wrong, for the administrator.
    pub(crate) say: Option<String>,
    /// What to do.
    pub(crate) next: Option<String>,
}

/// What a refusal can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Meaning {
    /// Too many calls: again later.
    Throttled,
    /// The vendor failed: again.
    Failed,
    /// The credentials are not taken, or a session is over.
    Credentials,
    /// The credentials lack a right.
    Rights,
    /// There is nothing at this address, or no such record.
    NotFound,
    /// A setting is wrong.
    Settings,
    /// The request is refused.
    Refused,
}
