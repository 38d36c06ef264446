//! Everything a plan is made from. Whoever calls loads it; nothing here asks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use muster_model::evidence::ReadSummary;
use muster_model::plan::RestCounts;
use muster_model::policy::BrakeKind;
use muster_model::{
    ConnectionId, Digest, DigestKey, Engagement, Evidence, ExternalId, Field, Fields, Flow, Link,
    MatchKey, Person, PersonId, Policy, ReadHistory, RecordDecision, Said, SourceRecord, Value,
};

/// What [`crate::plan()`] takes (`engine.md`, The pure function).
pub struct Input<'a> {
    /// Which connection was read.
    pub connection: ConnectionId,
    /// Its place in the organisation's order of sources; the lowest owns a field.
    pub rank: u32,
    /// Its settings.
    pub policy: &'a Policy,
    /// The organisation's index key.
    pub key: &'a DigestKey,
    /// The instant of planning.
    pub now: Timestamp,
    /// The organisation's civil date.
    pub today: Date,
    /// The zone of somebody of whom this is known; their dates turn there.
    pub zone_of: &'a (dyn Fn(&Fields) -> TimeZone + Sync),
    /// The account pinned at connecting.
    pub account: Option<&'a str>,
    /// What the read brought along.
    pub evidence: Evidence,
    /// What was counted over all records of the read.
    pub summary: ReadSummary,
    /// What it is judged by.
    pub history: &'a ReadHistory,
    /// Linked people in scope before the run.
    pub linked: u64,
    /// Records that nothing touched since they came to rest.
    pub untouched: RestCounts,
    /// Records and links that something touched.
    pub touched: Vec<Touched>,
    /// Who holds the keys of the touched records that have no link.
    pub holders: KeyHolders,
    /// What the source answered when asked for missing records by id.
    pub confirmations: BTreeMap<ExternalId, Confirmation>,
    /// Can this connector ask by id at all?
    pub can_confirm: bool,
    /// When each other people source of the organisation was last read.
    pub other_sources: Vec<Option<Timestamp>>,
    /// Rows of each kind let through in the past 24 hours.
    pub let_through: BTreeMap<BrakeKind, u64>,
    /// Administrators who may enter now.
    pub administrators: u64,
    /// Who manages whom, and which record is whom.
    pub managers: ManagerIndex,
}

/// A record that something touched, or a link whose record is missing.
#[derive(Debug, Clone)]
pub struct Touched {
    /// The record's id; `None` for a person in reach without a record.
    pub external_id: Option<ExternalId>,
    /// What was read; `None` when it was not in the read.
    pub record: Option<SourceRecord>,
    /// The record's keyed digest.
    pub digest: Option<Digest>,
    /// The link, when there is one.
    pub link: Option<Link>,
    /// The linked person.
    pub person: Option<Person>,
    /// What other connections say of that person.
    pub others: Vec<OtherLink>,
    /// What the person's other records in this connection say.
    pub siblings: Vec<Sibling>,
    /// What people decided about the record.
    pub decisions: Vec<RecordDecision>,
}

/// Another record of this connection that is linked to the same person: a
/// second employment, or the old record of somebody rehired under a new id.
#[derive(Debug, Clone)]
pub struct Sibling {
    /// Which.
    pub external_id: ExternalId,
    /// Was it there when the connection was last read?
    pub present: bool,
    /// What it last said of employment.
    pub engagements: Vec<Engagement>,
    /// The fields of which it says something, as in [`OtherLink::says`].
    pub says: BTreeSet<Field>,
}

/// Does this give the field something to hold? A value does; null does not, but
/// for the last day: an engagement without one is open.
pub(crate) const fn gives(field: Field, said: Said<&Value>) -> bool {
    match said {
        Said::Value(_) => true,
        Said::Null => matches!(field, Field::EndDate),
        Said::Absent => false,
    }
}

/// What another connection says of a person.
#[derive(Debug, Clone)]
pub struct OtherLink {
    /// Which connection.
    pub connection: ConnectionId,
    /// Its place in the order of sources.
    pub rank: u32,
    /// Was its record there when it was last read? One that is not owns nothing,
    /// and holds nobody.
    pub present: bool,
    /// The fields it owns when nobody before it does: [`says`].
    pub says: BTreeSet<Field>,
}

/// The fields of which a link has a value on a day, and that its policy lets in:
/// those that its connection owns when nobody before it does. Null owns nothing,
/// so that the next source can fill what the first one leaves empty.
#[must_use]
pub fn says(link: &Link, policy: &Policy, today: Date) -> BTreeSet<Field> {
    muster_model::engagement::flatten(&link.said, today)
        .iter()
        .filter(|(field, said)| {
            gives(*field, *said) && matches!(policy.flow(*field), Flow::In | Flow::Both)
        })
        .map(|(field, _)| field)
        .collect()
}

/// Who holds a key.
#[derive(Debug, Clone, Default)]
pub struct KeyHolders {
    /// People of the directory.
    pub people: BTreeMap<(MatchKey, Digest), Vec<PersonId>>,
    /// Records of this read.
    pub records: BTreeMap<(MatchKey, Digest), Vec<RecordHolder>>,
    /// The people that `people` names.
    pub candidates: BTreeMap<PersonId, Candidate>,
}

/// A record that holds a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHolder {
    /// Which.
    pub external_id: ExternalId,
    /// Is it linked to somebody?
    pub linked: bool,
    /// Does it claim to be somebody here: covered, present, and not ended?
    pub running: bool,
}

/// A person whom a key names.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The person.
    pub person: Person,
    /// What other connections say of them.
    pub others: Vec<OtherLink>,
    /// What their records in this connection say.
    pub siblings: Vec<Sibling>,
    /// The records of this connection that they are linked to, and whether each
    /// was in this read.
    pub linked_here: Vec<(ExternalId, bool)>,
    /// Keys of theirs that somebody else held within the past 400 days.
    pub recycled: BTreeSet<MatchKey>,
}

/// What the source says of a missing record, asked for it by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// It is not there.
    NotThere,
    /// It is there: the read was not whole.
    Present,
}

/// Who manages whom: ids only, so that a million people fit.
#[derive(Debug, Clone, Default)]
pub struct ManagerIndex {
    /// Which person a record of this connection is.
    pub records: BTreeMap<ExternalId, PersonId>,
    /// Which person an address is; only addresses that name one person.
    pub addresses: BTreeMap<String, PersonId>,
    /// Each person's manager today.
    pub edges: BTreeMap<PersonId, PersonId>,
}
