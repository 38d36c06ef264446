//! One way in which an exchange breaks a contract.

use std::fmt;

/// What kind of rule was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ViolationKind {
    /// The contract has no such path, or not with this method.
    UnknownOperation,
    /// A query parameter that the operation does not have.
    UnknownParameter,
    /// A parameter given more than once.
    RepeatedParameter,
    /// A required query parameter or a required body is not there.
    MissingInput,
    /// A parameter's text is not of its type.
    ParameterType,
    /// A status that the operation does not promise.
    UnknownStatus,
    /// A body where there must be none.
    UnexpectedBody,
    /// A body that is no JSON.
    NotJson,
    /// A field of the envelope is missing.
    MissingField,
    /// A value of the wrong JSON type, or null where null cannot be.
    WrongType,
    /// A property that the schema does not have.
    UnknownProperty,
    /// A value that is not one of the listed ones.
    NotListed,
    /// Another rule of the schema (a minimum, a maximum).
    Other,
}

/// One way in which an exchange breaks a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What kind of rule was broken.
    pub kind: ViolationKind,
    /// Where: `path`, `query.NAME`, `request` or `answer` with a JSON pointer, `status`.
    pub place: String,
    /// What is wrong, without the value itself: values may be somebody's data.
    pub message: String,
}

impl Violation {
    pub(super) fn new(
        kind: ViolationKind,
        place: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            place: place.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:?} at {}: {}",
            self.kind, self.place, self.message
        )
    }
}
