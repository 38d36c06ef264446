//! A connector's entry in the catalogue.

use muster_model::{EvidenceLevel, Field};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A connector's entry in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectorInfo {
    /// The name on the command line: lower case, digits and hyphens.
    pub name: String,
    /// The vendor's name for people.
    pub title: String,
    /// What it is, in one sentence.
    pub summary: String,
    /// Grows when the same answer of the vendor is read another way, so that
    /// everybody is planned anew.
    pub version: u32,
    /// How sure we are of what is written here.
    pub confidence: Confidence,
    /// What is not certain, and from where it is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uncertain: Vec<String>,
    /// Where the vendor explains its side.
    pub links: Vec<Link>,
    /// What the administrator must do, step by step.
    pub administrator: Vec<String>,
    /// The rights that the credentials need.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rights: Vec<String>,
    /// Base addresses; the first is the default.
    pub base_urls: Vec<BaseAddress>,
    /// What is entered and kept sealed.
    pub secrets: Vec<Input>,
    /// What is entered and shown.
    pub settings: Vec<Input>,
    /// Settings that are part of the address: whoever changes one enters the
    /// credentials again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub host_settings: Vec<String>,
    /// What is read, and from where.
    pub fields: Vec<FieldSource>,
    /// The fields that can be written back; empty when the connector only reads.
    pub writes: Vec<Field>,
    /// What else it can do, for people.
    pub features: Vec<String>,
    /// What a read can prove.
    pub evidence: EvidenceInfo,
    /// How the account identifies itself: what is pinned when connecting.
    pub account: String,
    /// How somebody who left shows.
    pub leaver: LeaverInfo,
    /// Does somebody who comes back keep the record id?
    pub record_id_survives_rehire: bool,
    /// Can records be asked for by id?
    pub read_by_id: ReadById,
    /// Can what changed be asked for?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<ChangesInfo>,
    /// Does it take calls by which the vendor tells that something changed?
    pub webhooks: bool,
    /// What numbers a record's revisions, if anything does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The zone of its dates, as the vendor means them.
    pub dates: String,
    /// Secrets that the vendor may replace while they are used, such as a refresh token:
    /// whoever opens the connector keeps the new ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced_secrets: Vec<String>,
    /// Fields that come back empty when the credentials' rights are too few.
    pub hidden_without_rights: Vec<Field>,
    /// What it does not do.
    pub limits: Vec<String>,
    /// Notes for the administrator, in Markdown.
    pub notes: String,
}

/// Reading what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ChangesInfo {
    /// Seconds before the last read from which changes are asked for again.
    pub overlap_seconds: u32,
    /// Hours after which everybody is read again: only then does silence mean anything.
    pub full_hours: u32,
}

/// How sure we are of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// From the vendor's own documents.
    Verified,
    /// From third parties, or from memory.
    Unverified,
}

/// A page of the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// What is there.
    pub title: String,
    /// The address.
    pub url: String,
}

/// One of the addresses a vendor answers at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaseAddress {
    /// What it is.
    pub title: String,
    /// The address.
    pub url: String,
}

/// Something to enter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Input {
    /// The name of `--set` and `--secret`.
    pub name: String,
    /// What it means and where to find it.
    pub meaning: String,
    /// Does the connector need it?
    pub required: bool,
    /// The value that holds when none is entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The only values allowed; empty when any is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// A whole number: the least and the greatest that is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between: Option<[i64; 2]>,
}

/// Where a canonical field comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldSource {
    /// The field.
    pub field: Field,
    /// The vendor's own property, and what is done with it.
    pub from: String,
}

/// What a read can prove, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceInfo {
    /// The best level that a read can earn.
    #[schemars(with = "Level")]
    pub level: EvidenceLevel,
    /// How the end of the list is known.
    pub end: String,
}

/// The levels, for the schema.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code)] // the schema is made from it
enum Level {
    /// Nothing.
    None,
    /// One body, parsed to its end.
    Whole,
    /// Every page whole, and the vendor's own end mark seen.
    Ended,
    /// Rows equal a total that the vendor vouches for.
    Counted,
}

/// How somebody who left shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaverInfo {
    /// The kind of sign.
    pub shows: LeaverShows,
    /// The sign itself.
    pub how: String,
}

/// The kinds of sign that somebody left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeaverShows {
    /// The record stays and says so.
    Flagged,
    /// The record is missing.
    Absent,
    /// There is a list of those who left.
    SeparateList,
}

/// Reading by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadById {
    /// Not possible.
    No,
    /// One at a time.
    One,
    /// Many in one request.
    Many,
}

impl ConnectorInfo {
    /// With the notes for the administrator.
    #[must_use]
    pub fn with_notes(mut self, notes: &str) -> Self {
        notes.clone_into(&mut self.notes);
        self
    }
}
