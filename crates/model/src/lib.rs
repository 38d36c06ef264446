//! The nouns of Muster: people, engagements, source records, policies, plans,
//! ids, dates and validated values. No I/O, no async, no clock.
//!
//! The words are those of `ARCHITECTURE.md`; one noun, one module.

pub mod access;
pub mod decision;
pub mod digest;
pub mod engagement;
pub mod evidence;
pub mod field;
pub mod fields;
pub mod id;
pub mod id_list;
pub mod link;
pub mod person;
pub mod plan;
pub mod policy;
pub mod problem;
pub mod provenance;
pub mod raw;
pub mod record;
pub mod report;
pub mod said;
pub mod situation;
pub mod swing;
pub mod time;
pub mod value;
pub mod values;
pub mod zone;

pub use access::{Access, AccessCause};
pub use decision::{Answer, Matter, RecordDecision};
pub use digest::{Digest, DigestKey, Digester};
pub use engagement::{Engagement, EngagementKind, EngagementStatus, Period, Terms};
pub use evidence::{Doubt, DoubtKind, Evidence, EvidenceLevel, ReadHistory, ReadSummary};
pub use field::Field;
pub use fields::Fields;
pub use id::{
    AccountId, ConnectionId, ExternalId, IdSource, OrganisationId, PersonId, PlanId, RunId,
    SnapshotId, TokenId,
};
pub use id_list::ExternalIds;
pub use link::{Base, Decision, Link};
pub use person::{Person, Status};
pub use plan::{Change, Effect, Hold, HoldKind, Plan, Reason};
pub use policy::{Flow, MatchKey, Policy, Preset};
pub use problem::FieldProblem;
pub use provenance::{Provenance, Stamp};
pub use raw::{Raw, ReadAs, Remapped};
pub use record::{Presence, SourceRecord};
pub use report::RunReport;
pub use said::Said;
pub use situation::{Reaction, Situation};
pub use swing::Swing;
pub use time::Clock;
pub use value::Value;
