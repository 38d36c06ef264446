//! One thing that would happen, and the values in it.

use serde::{Deserialize, Serialize};

use uuid::Uuid;

use crate::access::Access;
use crate::decision::{Answer, Matter};
use crate::digest::{Digest, Digester};
use crate::engagement::EngagementStatus;
use crate::field::Field;
use crate::fields::Fields;
use crate::id::{ConnectionId, ExternalId, PersonId};
use crate::link::Decision;
use crate::said::Said;
use crate::value::Value;

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
    /// The directory entry goes, with what it held: so that it can come back.
    Remove {
        /// What was known.
        fields: Fields,
        /// Where they stood.
        access: Access,
    },
    /// The tie between record and person is cut.
    Unlink,
    /// Another connection, or nobody, is the owner of the field again.
    Owner {
        /// Which field.
        field: Field,
        /// Now; `None` for ours.
        from: Option<ConnectionId>,
        /// Then.
        to: Option<ConnectionId>,
    },
    /// What is decided about a field of the link changes.
    Decide {
        /// Which field; employment and access stand under `employment_status`,
        /// the manager under `manager_external_id`.
        field: Field,
        /// Now.
        from: Option<Decision>,
        /// Then.
        to: Option<Decision>,
        /// The pair that is taken as equal from now on, where it flows both ways.
        #[serde(with = "said_json")]
        theirs: Said<FieldValue>,
        /// Our half of the pair.
        #[serde(with = "said_json")]
        ours: Said<FieldValue>,
    },
    /// A record that is nobody is declined while its keys have this digest: nobody
    /// is made of it, and nobody joined to it, until one of them changes.
    DeclineRecord {
        /// Now.
        from: Option<Digest>,
        /// Then.
        to: Option<Digest>,
    },
    /// What somebody answered about the record as a whole changes: who it is, or
    /// whether something held may be done.
    Answer {
        /// What was asked.
        matter: Matter,
        /// Now.
        from: Option<Answered>,
        /// Then.
        to: Option<Answered>,
    },
    /// A message that has not left the house is cancelled.
    Cancel {
        /// Which message of the outbox.
        message: Uuid,
        /// Its kind, such as `mail.invitation`.
        kind: String,
    },
}

/// An answer, and what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// What was answered.
    pub answer: Answer,
    /// See [`crate::RecordDecision::about`].
    pub about: Digest,
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

impl Effect {
    pub(super) fn digest_into(&self, digester: &mut Digester) {
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
            Self::Remove { fields, access } => {
                digester.text("remove").text(access.name());
                fields.digest_into(digester);
            }
            Self::Unlink => {
                digester.text("unlink");
            }
            Self::Owner { field, from, to } => {
                digester.text("owner").text(field.name());
                for owner in [from, to] {
                    digester.text(&owner.map(|id| id.to_string()).unwrap_or_default());
                }
            }
            Self::Decide {
                field,
                from,
                to,
                theirs,
                ours,
            } => {
                digester.text("decide").text(field.name());
                for decision in [from, to] {
                    optional(digester, decision.as_ref().map(|decision| &decision.pair));
                }
                said(digester, theirs);
                said(digester, ours);
            }
            Self::DeclineRecord { from, to } => {
                digester.text("decline_record");
                optional(digester, from.as_ref());
                optional(digester, to.as_ref());
            }
            Self::Answer { matter, from, to } => {
                digester.text("answer").text(matter.word());
                for answered in [from, to] {
                    let answer = answered.as_ref().map(|one| one.answer);
                    digester.text(answer.map_or("", |answer| answer.word()));
                    let person = answer.and_then(|answer| answer.person());
                    digester.text(&person.map(|id| id.to_string()).unwrap_or_default());
                    optional(digester, answered.as_ref().map(|one| &one.about));
                }
            }
            Self::Cancel { message, kind } => {
                digester
                    .text("cancel")
                    .text(&message.to_string())
                    .text(kind);
            }
        }
    }
}

fn optional(digester: &mut Digester, digest: Option<&Digest>) {
    match digest {
        None => digester.number(0),
        Some(digest) => digester.number(1).digest(digest),
    };
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
