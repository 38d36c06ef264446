//! What every statement knows of where it runs.

use std::sync::Arc;

use jiff::Timestamp;
use muster_model::{Clock, DigestKey, IdSource, OrganisationId};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::audit::Actor;
use crate::entropy::Entropy;
use crate::error::StorageError;
use crate::presence::Presence;
use crate::seal::{Key, Place, Unopened};

/// One organisation, its key, and what was passed in.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) organisation: OrganisationId,
    pub(crate) key: Key,
    /// Of the organisation's digests.
    pub(crate) index_key: DigestKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) presence: Arc<Presence>,
    /// Who does what is done.
    pub(crate) actor: Actor,
}

impl Scope {
    /// The organisation, to bind.
    pub(crate) const fn id(&self) -> Uuid {
        self.organisation.uuid()
    }

    /// Now, in the precision that is stored.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_microsecond()
    }

    /// Now, as it reads back.
    pub(crate) fn now_stored(&self) -> Result<Timestamp, StorageError> {
        crate::stored::instant("the present instant", self.now())
    }

    /// A fresh key for a connection, person or record.
    pub(crate) fn new_key(&self) -> Key {
        Key::generate(self.entropy.as_ref())
    }

    /// Seals with a key of this organisation.
    pub(crate) fn seal(
        &self,
        key: &Key,
        field: &'static str,
        owner: &[&[u8]],
        plain: &[u8],
    ) -> Result<Vec<u8>, Unopened> {
        key.seal(self.entropy.as_ref(), self.place(field, owner), plain)
    }

    /// Opens what was sealed in this organisation, for this field and owner.
    pub(crate) fn open(
        &self,
        key: &Key,
        field: &'static str,
        owner: &[&[u8]],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        key.open(self.place(field, owner), sealed)
    }

    /// Seals a key with the organisation's key.
    pub(crate) fn wrap(
        &self,
        key: &Key,
        field: &'static str,
        owner: &[&[u8]],
    ) -> Result<Vec<u8>, Unopened> {
        self.seal(&self.key, field, owner, key.bytes())
    }

    /// Opens a wrapped key.
    pub(crate) fn unwrap(
        &self,
        field: &'static str,
        owner: &[&[u8]],
        wrapped: &[u8],
    ) -> Result<Key, Unopened> {
        let bytes = self.open(&self.key, field, owner, wrapped)?;
        Key::from_slice(&bytes).ok_or(Unopened { field })
    }

    const fn place<'a>(&self, field: &'static str, owner: &'a [&'a [u8]]) -> Place<'a> {
        Place {
            organisation: self.organisation,
            field,
            owner,
        }
    }
}
