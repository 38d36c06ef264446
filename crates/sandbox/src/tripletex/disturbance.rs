//! The faults of this vendor: when they show is the same for all, which fields
//! they touch is not.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};

use crate::fault::Fault;
use crate::server::SandboxError;
use crate::stage::Mischief;

use super::render::Lens;
use super::resource::Resource;

/// The faults that are switched on, with their memory.
#[derive(Debug, Default)]
pub(super) struct Disturbance {
    mischief: Mischief,
    pub(super) lens: Lens,
    /// Objects of which a write was done and answered with an error.
    failed_after: BTreeSet<(Resource, u64)>,
    refused: Vec<(Resource, &'static str)>,
}

impl Deref for Disturbance {
    type Target = Mischief;

    fn deref(&self) -> &Mischief {
        &self.mischief
    }
}

impl DerefMut for Disturbance {
    fn deref_mut(&mut self) -> &mut Mischief {
        &mut self.mischief
    }
}

impl Disturbance {
    /// Switches these faults on, as if nothing had happened before.
    pub(super) fn of(faults: Vec<Fault>, seed: u64) -> Result<Self, SandboxError> {
        let mut lens = Lens::default();
        let mut refused = Vec::new();
        for fault in &faults {
            match fault {
                Fault::DropField(name) => lens.dropped.push(field_of_employee(name)?),
                Fault::RefuseField(name) => refused.push(field_of_employee(name)?),
                Fault::PermissionLoss => lens.rights_lost = Some(seed),
                _ => {}
            }
        }
        Ok(Self {
            mischief: Mischief::of(faults),
            lens,
            refused,
            ..Self::default()
        })
    }

    /// Whether the answer to a write that was done is an error: once for each object.
    pub(super) fn fails_after_write(&mut self, resource: Resource, id: u64) -> bool {
        self.has(&Fault::WriteThenFail) && self.failed_after.insert((resource, id))
    }

    /// The fields of a resource that no write may name.
    pub(super) fn refused(&self, resource: Resource) -> impl Iterator<Item = &'static str> + '_ {
        self.refused
            .iter()
            .filter(move |(of, _)| *of == resource)
            .map(|(_, name)| *name)
    }
}

/// The field that a dotted name means, seen from an employee.
fn field_of_employee(name: &str) -> Result<(Resource, &'static str), SandboxError> {
    let unknown = || SandboxError::UnknownField {
        field: name.to_owned(),
    };
    let mut pieces = name.split('.').peekable();
    let mut resource = Resource::Employee;
    while let Some(piece) = pieces.next() {
        let (_, field) = resource.field(piece).ok_or_else(unknown)?;
        if pieces.peek().is_none() {
            return Ok((resource, field.name));
        }
        resource = field.kind.target().ok_or_else(unknown)?;
    }
    Err(unknown())
}
