//! A plan: what exactly would change, as data that can be printed, stored,
//! compared, hashed and checked.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::digest::{Digest, DigestKey, Digester};
use crate::engagement::EngagementStatus;
use crate::evidence::Evidence;
use crate::field::Field;
use crate::fields::Fields;
use crate::id::{ConnectionId, ExternalId, PersonId};
use crate::policy::brakes::BrakeKind;
use crate::report::{Class, Counts, FieldCounts, PeopleCounts};
use crate::said::Said;
use crate::situation::{Reaction, Situation, words};
use crate::value::Value;

/// A stored change set.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// For which connection.
    pub connection: ConnectionId,
    /// Why it was made.
    pub cause: Cause,
    /// The organisation's civil date it was made for.
    pub made_for: Date,
    /// When it was made; not part of the hash.
    pub made_at: Timestamp,
    /// The read, judged.
    pub evidence: Evidence,
    /// Records before matching.
    pub people: PeopleCounts,
    /// Records at rest: touched ones for whom there is nothing to do, and untouched ones.
    pub resting: RestCounts,
    /// Touched records that come to rest with this plan, because nothing follows from them.
    pub quiet: Vec<Quiet>,
    /// In the order of record id.
    pub changes: Vec<Change>,
    /// What is held back, with its arithmetic.
    pub holds: Vec<Hold>,
    /// Managers that could not be resolved; they change no team.
    pub managers: Vec<ManagerProblem>,
    /// See [`Plan::compute_hash`].
    pub hash: Digest,
}

/// Why a plan was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A read of the source.
    Read,
    /// A new version of the mapping or the normaliser.
    Mapping,
}

/// How many records rest, by what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RestCounts {
    /// Nothing differs.
    pub unchanged: u64,
    /// Explained and left alone.
    pub ignored: u64,
    /// Not covered by the policy.
    pub out_of_scope: u64,
    /// Linked, missing from reads, and dealt with.
    pub gone: u64,
}

words! {
    /// What a record at rest is.
    Rest {
        /// Nothing differs.
        Unchanged = "unchanged",
        /// Explained and left alone.
        Ignored = "ignored",
        /// Not covered by the policy.
        OutOfScope = "out_of_scope",
        /// Missing from reads, and dealt with.
        Gone = "gone",
    }
}

impl Rest {
    /// The rest of a stored word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rest| rest.word() == word)
    }
}

impl RestCounts {
    /// Counts records.
    pub const fn add(&mut self, rest: Rest, records: u64) {
        let counter = match rest {
            Rest::Unchanged => &mut self.unchanged,
            Rest::Ignored => &mut self.ignored,
            Rest::OutOfScope => &mut self.out_of_scope,
            Rest::Gone => &mut self.gone,
        };
        *counter += records;
    }

    /// Takes back what was counted: the record has a row after all.
    pub const fn remove(&mut self, rest: Rest, records: u64) {
        let counter = match rest {
            Rest::Unchanged => &mut self.unchanged,
            Rest::Ignored => &mut self.ignored,
            Rest::OutOfScope => &mut self.out_of_scope,
            Rest::Gone => &mut self.gone,
        };
        *counter = counter.saturating_sub(records);
    }
}

/// A touched record that comes to rest without a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    /// The record.
    pub external_id: ExternalId,
    /// What it is.
    pub rest: Rest,
    /// The day on which it must be looked at again.
    pub due_on: Option<Date>,
    /// Why it is left alone.
    pub reason: Reason,
    /// May its link take over what the record says? Not from an older state of the source.
    pub believed: bool,
    /// Is it at rest? One that waits for somebody else to appear is not.
    pub settles: bool,
}

/// One row: what would change for one person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The source record; `None` for a person without one.
    pub external_id: Option<ExternalId>,
    /// The person, when there is one.
    pub person: Option<PersonId>,
    /// What matching found.
    pub situation: Situation,
    /// What the policy answers.
    pub reaction: Reaction,
    /// What follows, in the order in which it is done.
    pub effects: Vec<Planned>,
    /// Why, in codes and words without anybody's data.
    pub reasons: Vec<Reason>,
    /// What must still be true when it is applied.
    pub precondition: Precondition,
    /// The day on which the row stops being true; `None` while no date matters.
    pub due_on: Option<Date>,
    /// Is the record at rest once this is done? Held, ambiguous and conflicting
    /// rows never are: they are planned anew at each read.
    pub settles: bool,
}

/// An effect, and whether it is held back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// What would happen.
    pub effect: Effect,
    /// Which brake counts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brake: Option<BrakeKind>,
    /// What holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HoldKind>,
}

impl Planned {
    /// An effect that no brake counts.
    #[must_use]
    pub const fn free(effect: Effect) -> Self {
        Self {
            effect,
            brake: None,
            held: None,
        }
    }

    /// An effect that a brake counts.
    #[must_use]
    pub const fn braked(effect: Effect, brake: BrakeKind) -> Self {
        Self {
            effect,
            brake: Some(brake),
            held: None,
        }
    }
}

/// One thing that would happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "effect")]
pub enum Effect {
    /// A person is made with these fields and this access.
    Create {
        /// What the source says.
        fields: Fields,
        /// Where they stand at first.
        access: Access,
    },
    /// The record is joined to the person.
    Link,
    /// The person's field follows the source.
    Set {
        /// Which field.
        field: Field,
        /// What we hold.
        #[serde(with = "said_json")]
        from: Said<FieldValue>,
        /// What we shall hold.
        #[serde(with = "said_json")]
        to: Said<FieldValue>,
    },
    /// Both sides moved, or differ at first sight: a person decides.
    Conflict {
        /// Which field.
        field: Field,
        /// The source's value.
        #[serde(with = "said_json")]
        theirs: Said<FieldValue>,
        /// Our value.
        #[serde(with = "said_json")]
        ours: Said<FieldValue>,
    },
    /// The manager, resolved.
    Manager {
        /// Now.
        from: Option<PersonId>,
        /// Then: somebody known, or a record of the same plan.
        to: Option<ManagerKey>,
    },
    /// Employment by the union of all engagements.
    Employment {
        /// Now.
        from: EngagementStatus,
        /// Then.
        to: EngagementStatus,
    },
    /// The right to enter.
    Access {
        /// Now.
        from: Access,
        /// Then.
        to: Access,
    },
    /// The source's field follows us: an outward row.
    Outward {
        /// Which field.
        field: Field,
        /// What the source holds.
        #[serde(with = "said_json")]
        theirs: Said<FieldValue>,
        /// What it shall hold.
        #[serde(with = "said_json")]
        ours: Said<FieldValue>,
    },
    /// The field keeps its value and is this connection's from now on: the first
    /// in the order of sources that says it owns it, whoever ran first.
    Own {
        /// Which field.
        field: Field,
    },
    /// The link learns that the record is missing.
    MarkGone,
    /// The directory entry goes.
    Remove,
}

/// A value that knows its field while it stands in a plan row.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldValue {
    /// The field that gives the shape.
    pub field: Field,
    /// The value.
    pub value: Value,
}

impl FieldValue {
    /// A statement about a field.
    #[must_use]
    pub fn said(field: Field, said: Said<&Value>) -> Said<Self> {
        said.map(|value| Self {
            field,
            value: value.clone(),
        })
    }
}

/// Whom a manager statement names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManagerKey {
    /// Somebody in the directory.
    Person(PersonId),
    /// Somebody whom the same plan creates or links.
    Record(ExternalId),
}

/// What must still be true when a row is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Precondition {
    /// The person's version; `None` when there must be no person yet.
    pub person_version: Option<u64>,
    /// The link's version; `None` when there must be no link yet.
    pub link_version: Option<u64>,
    /// The digest of the record it was computed from; `None` for a missing record.
    pub record: Option<Digest>,
}

/// Why: a stable code, and words without anybody's data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reason {
    /// Stable.
    pub code: Cow<'static, str>,
    /// Field names, ids, counts and dates; never a value.
    pub detail: String,
}

impl Reason {
    /// The code of differences about which somebody decided: left alone until
    /// one of the two values moves.
    pub const DECIDED: &'static str = "compare.decided";

    /// A reason.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code: Cow::Borrowed(code),
            detail: detail.into(),
        }
    }
}

words! {
    /// What holds a row back: a brake, or a doubt about the read.
    HoldKind {
        /// Said leavers above the brake.
        SuspendSaid = "suspend_said",
        /// Silent leavers above the brake.
        SuspendSilent = "suspend_silent",
        /// Joiners above the brake.
        Create = "create",
        /// Emptied fields above the brake.
        FieldEmptied = "field_emptied",
        /// Changed keys or addresses above the brake.
        KeyChanged = "key_changed",
        /// Changed managers above the brake.
        ManagerChanged = "manager_changed",
        /// Removed teams above the brake.
        TeamRemoved = "team_removed",
        /// Outward writes above the brake.
        OutwardWrite = "outward_write",
        /// Outward bank accounts above the brake.
        OutwardBankAccount = "outward_bank_account",
        /// The run would leave nobody, or less than half.
        TooFewLeft = "too_few_left",
        /// The last administrator would lose access.
        LastAdministrator = "last_administrator",
        /// The read does not prove what the row needs.
        Doubt = "doubt",
        /// Nobody is suspended, ended or removed in the first read.
        FirstRead = "first_read",
        /// Missing, and not yet confirmed or settled.
        Unconfirmed = "unconfirmed",
    }
}

impl HoldKind {
    /// The kind of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }

    /// May a person release it? A doubt goes only with a better read.
    #[must_use]
    pub const fn can_be_released(self) -> bool {
        !matches!(self, Self::Doubt | Self::FirstRead | Self::Unconfirmed)
    }
}

impl From<BrakeKind> for HoldKind {
    fn from(kind: BrakeKind) -> Self {
        match kind {
            BrakeKind::SuspendSaid => Self::SuspendSaid,
            BrakeKind::SuspendSilent => Self::SuspendSilent,
            BrakeKind::Create => Self::Create,
            BrakeKind::FieldEmptied => Self::FieldEmptied,
            BrakeKind::KeyChanged => Self::KeyChanged,
            BrakeKind::ManagerChanged => Self::ManagerChanged,
            BrakeKind::TeamRemoved => Self::TeamRemoved,
            BrakeKind::OutwardWrite => Self::OutwardWrite,
            BrakeKind::OutwardBankAccount => Self::OutwardBankAccount,
        }
    }
}

/// Rows of one kind that are held, with the arithmetic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Which kind.
    pub kind: HoldKind,
    /// How many rows.
    pub rows: u64,
    /// The arithmetic, or the doubt, in words.
    pub reason: String,
    /// What a person can do.
    pub next: String,
}

/// A manager statement that names nobody usable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ManagerProblem {
    /// Whose manager.
    pub external_id: ExternalId,
    /// What is wrong.
    pub kind: ManagerProblemKind,
}

/// What can be wrong with a manager (PLE-36).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManagerProblemKind {
    /// Names nobody we know.
    Unresolved,
    /// Names the person.
    Oneself,
    /// Is below the person.
    Cyclic,
}

impl Change {
    /// The class the row is counted in: the first that applies in the order of
    /// the run report. `failed` is known only after applying.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        // The classes add up to the records in scope plus the gone.
        match self.situation {
            Situation::OursOnly => None,
            _ => Some(self.class_of_record()),
        }
    }

    /// What the record is once everything of the row is done.
    #[must_use]
    pub fn rest(&self) -> Rest {
        let decided = |reason: &Reason| reason.code == Reason::DECIDED;
        match (self.situation, self.reaction) {
            (Situation::Gone, _) => Rest::Gone,
            (Situation::OutOfScope, _) => Rest::OutOfScope,
            (Situation::Removed, _) | (_, Reaction::Report | Reaction::Offer) => Rest::Ignored,
            _ if self.reasons.iter().any(decided) => Rest::Ignored,
            _ => Rest::Unchanged,
        }
    }

    fn class_of_record(&self) -> Class {
        let any = |test: fn(&Effect) -> bool| {
            self.effects
                .iter()
                .any(|planned| planned.held.is_none() && test(&planned.effect))
        };
        match self.situation {
            Situation::Ambiguous | Situation::Taken => return Class::Ambiguous,
            Situation::Invalid => return Class::Failed,
            _ => {}
        }
        if any(|effect| matches!(effect, Effect::Conflict { .. })) || self.reaction == Reaction::Ask
        {
            Class::Conflicts
        } else if self.effects.iter().any(|planned| planned.held.is_some()) {
            Class::Held
        } else if any(|effect| matches!(effect, Effect::Create { .. })) {
            Class::Created
        } else if self.reaction == Reaction::Restore {
            Class::Restored
        } else if any(|effect| {
            matches!(
                effect,
                Effect::Access {
                    to: Access::Suspended,
                    ..
                }
            )
        }) {
            Class::Suspended
        } else if matches!(
            self.reaction,
            Reaction::End | Reaction::Withdraw | Reaction::Remove
        ) {
            Class::Ended
        } else if any(|effect| matches!(effect, Effect::Link)) {
            Class::Linked
        } else if any(|effect| !matches!(effect, Effect::MarkGone | Effect::Outward { .. })) {
            Class::Updated
        } else {
            Class::Ignored
        }
    }

    /// Adds what the hash of a plan covers.
    fn digest_into(&self, digester: &mut Digester) {
        digester
            .text(self.external_id.as_ref().map_or("", ExternalId::as_str))
            .text(&self.person.map(|id| id.to_string()).unwrap_or_default())
            .text(self.situation.word())
            .text(self.reaction.word())
            .number(u64::from(self.settles))
            .text(&self.due_on.map(|date| date.to_string()).unwrap_or_default());
        digester.number(self.effects.len() as u64);
        for planned in &self.effects {
            planned.effect.digest_into(digester);
            digester.text(planned.held.map_or("", HoldKind::word));
        }
        digester.number(self.reasons.len() as u64);
        for reason in &self.reasons {
            digester.text(&reason.code).text(&reason.detail);
        }
        for version in [
            self.precondition.person_version,
            self.precondition.link_version,
        ] {
            digester.number(version.map_or(u64::MAX, |version| version));
        }
        if let Some(record) = &self.precondition.record {
            digester.digest(record);
        }
    }
}

impl Effect {
    fn digest_into(&self, digester: &mut Digester) {
        let said = |digester: &mut Digester, said: &Said<FieldValue>| match said {
            Said::Absent => {
                digester.number(0);
            }
            Said::Null => {
                digester.number(1);
            }
            Said::Value(json) => {
                digester.number(2);
                json.value.digest_into(digester);
            }
        };
        match self {
            Self::Create { fields, access } => {
                digester.text("create").text(access.name());
                fields.digest_into(digester);
            }
            Self::Link => {
                digester.text("link");
            }
            Self::Set { field, from, to } => {
                digester.text("set").text(field.name());
                said(digester, from);
                said(digester, to);
            }
            Self::Conflict {
                field,
                theirs,
                ours,
            } => {
                digester.text("conflict").text(field.name());
                said(digester, theirs);
                said(digester, ours);
            }
            Self::Manager { from, to } => {
                digester
                    .text("manager")
                    .text(&from.map(|id| id.to_string()).unwrap_or_default());
                match to {
                    None => digester.number(0),
                    Some(ManagerKey::Person(id)) => digester.number(1).text(&id.to_string()),
                    Some(ManagerKey::Record(id)) => digester.number(2).text(id.as_str()),
                };
            }
            Self::Employment { from, to } => {
                digester
                    .text("employment")
                    .text(from.name())
                    .text(to.name());
            }
            Self::Access { from, to } => {
                digester.text("access").text(from.name()).text(to.name());
            }
            Self::Outward {
                field,
                theirs,
                ours,
            } => {
                digester.text("outward").text(field.name());
                said(digester, theirs);
                said(digester, ours);
            }
            Self::Own { field } => {
                digester.text("own").text(field.name());
            }
            Self::MarkGone => {
                digester.text("mark_gone");
            }
            Self::Remove => {
                digester.text("remove");
            }
        }
    }
}

impl Plan {
    /// The keyed hash: connection, civil date, then per record its situation,
    /// reaction, values, reasons and versions. Not the time, not the evidence's
    /// page count, no new id: planning twice gives the same.
    #[must_use]
    pub fn compute_hash(&self, key: &DigestKey) -> Digest {
        let mut digester = key.digester("plan");
        digester
            .text(&self.connection.to_string())
            .text(&self.made_for.to_string())
            .number(self.changes.len() as u64);
        for change in &self.changes {
            change.digest_into(&mut digester);
        }
        for problem in &self.managers {
            digester
                .text(problem.external_id.as_str())
                .number(problem.kind as u64);
        }
        digester.finish()
    }

    /// Each person once, by class, as if everything open succeeds. The classes
    /// add up to the records in scope plus the gone; the gone at rest are ignored.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        counts.add(Class::Unchanged, self.resting.unchanged);
        counts.add(Class::Ignored, self.resting.ignored + self.resting.gone);
        for class in self.changes.iter().filter_map(Change::class) {
            counts.add(class, 1);
        }
        counts
    }

    /// Per field, as if everything open succeeds.
    #[must_use]
    pub fn field_counts(&self) -> BTreeMap<Field, FieldCounts> {
        let mut counts: BTreeMap<Field, FieldCounts> = BTreeMap::new();
        for planned in self.changes.iter().flat_map(|change| &change.effects) {
            match &planned.effect {
                Effect::Set { field, .. } => {
                    let entry = counts.entry(*field).or_default();
                    if planned.held.is_some() {
                        entry.held += 1
                    } else {
                        entry.applied += 1
                    }
                }
                Effect::Manager { .. } => {
                    let entry = counts.entry(Field::ManagerExternalId).or_default();
                    if planned.held.is_some() {
                        entry.held += 1
                    } else {
                        entry.applied += 1
                    }
                }
                Effect::Conflict { field, .. } => counts.entry(*field).or_default().conflicts += 1,
                _ => {}
            }
        }
        counts
    }

    /// Is there nothing to do and nothing to decide?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Three-state values of a field inside a plan row.
mod said_json {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    use super::FieldValue;
    use crate::field::Field;
    use crate::said::Said;
    use crate::value::Value;

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Stored {
        Absent,
        Null,
        Value {
            field: Field,
            value: serde_json::Value,
        },
    }

    pub(super) fn serialize<S: Serializer>(
        said: &Said<FieldValue>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match said {
            Said::Absent => Stored::Absent,
            Said::Null => Stored::Null,
            Said::Value(json) => Stored::Value {
                field: json.field,
                value: json.value.to_json(),
            },
        }
        .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Said<FieldValue>, D::Error> {
        Ok(match Stored::deserialize(deserializer)? {
            Stored::Absent => Said::Absent,
            Stored::Null => Said::Null,
            Stored::Value { field, value } => {
                let value = Value::from_json(field, &value).map_err(de::Error::custom)?;
                Said::Value(FieldValue { field, value })
            }
        })
    }
}
