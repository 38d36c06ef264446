//! Does the policy cover the person?

use muster_model::{Field, Policy, Said, SourceRecord};

/// What the scope says of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Covered.
    In,
    /// Not covered, because these fields have no value.
    Out(Vec<Field>),
    /// Covered, but a field that the policy requires is missing or unreadable.
    Invalid(Vec<Field>),
}

/// Judges a record. A linked record leaves the scope only when the source says
/// that there is no value: silence about a field takes nobody out, or a field
/// that vanished from an interface would suspend everybody.
#[must_use]
pub fn judge(policy: &Policy, record: &SourceRecord, linked: bool) -> Scope {
    let lacks = |field: &Field| match record.fields.get(*field) {
        Said::Value(_) => false,
        Said::Null => true,
        Said::Absent => !linked,
    };
    let outside: Vec<Field> = policy.scope.iter().copied().filter(lacks).collect();
    if !outside.is_empty() {
        return Scope::Out(outside);
    }
    let missing: Vec<Field> = policy
        .required
        .iter()
        .copied()
        .filter(|field| {
            lacks(field)
                || record
                    .problems
                    .iter()
                    .any(|problem| problem.field == *field)
        })
        .collect();
    if missing.is_empty() {
        Scope::In
    } else {
        Scope::Invalid(missing)
    }
}
