//! What belongs to the installation as a whole.

use jiff::Timestamp;
use muster_model::{AccountId, ConnectionId, OrganisationId, TokenId};

use crate::account::Token;
use crate::backup::BackupError;
use crate::both::on_the_whole;
use crate::error::StorageError;
use crate::seal::{Key, MasterKey, Unopened};
use crate::secret::Secret;
use crate::storage::{OrganisationRow, Storage, key_place};
use crate::stored::instant_or_none;
use crate::transaction::Transaction;

/// What is known of the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Installation {
    /// When the master key was last rotated.
    pub key_rotated_at: Option<Timestamp>,
    /// When a backup was last restored.
    pub restored_at: Option<Timestamp>,
    /// Of which instant that backup was.
    pub restored_from: Option<Timestamp>,
    /// When a person let outward work go on after it.
    pub confirmed_at: Option<Timestamp>,
}

impl Installation {
    /// Must outward work wait, because a backup was restored and nobody confirmed?
    /// What waited in the backup may have gone out since it was made.
    #[must_use]
    pub const fn outward_work_waits(&self) -> bool {
        self.restored_at.is_some() && self.confirmed_at.is_none()
    }
}

impl Storage {
    /// What is known of the installation.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn installation(&self) -> Result<Installation, StorageError> {
        let mut handle = self.engine.read().await?;
        let (_, rotated, restored, from, confirmed) =
            on_the_whole!(handle, front_door::installation())?;
        Ok(Installation {
            key_rotated_at: instant_or_none("installation.key_rotated_at", rotated)?,
            restored_at: instant_or_none("installation.restored_at", restored)?,
            restored_from: instant_or_none("installation.restored_from", from)?,
            confirmed_at: instant_or_none("installation.confirmed_at", confirmed)?,
        })
    }

    /// Lets outward work go on after a restore. What waited in the backup is
    /// cancelled first, if so wished; how much there was.
    ///
    /// # Errors
    /// `restore.nothing_to_confirm`.
    pub async fn confirm_restore(&self, cancel: bool) -> Result<u64, BackupError> {
        let restored_at = self.installation().await?.restored_at;
        let mut handle = self.engine.begin().await?;
        let now = self.clock.now().as_microsecond();
        if !on_the_whole!(handle, front_door::confirm(now))? {
            return Err(BackupError::NothingToConfirm);
        }
        let mut cancelled = 0;
        if let (true, Some(restored_at)) = (cancel, restored_at) {
            for row in on_the_whole!(handle, front_door::list())? {
                let id = OrganisationId::from_uuid(row.0);
                let scope = self.scope(id, Some(row))?;
                let mut transaction = Transaction::new(crate::reader::Reader { scope, handle });
                cancelled += transaction.cancel_outbox_before(restored_at).await?;
                handle = transaction.into_handle().await?;
            }
        }
        handle.commit().await?;
        Ok(cancelled)
    }

    /// Does a master key open the data? Empty while there is no organisation, which
    /// any key opens. One organisation that opens is enough: the key is in use, even
    /// where another one is damaged.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn opened_by(&self, key: &MasterKey) -> Result<Option<bool>, StorageError> {
        let mut handle = self.engine.read().await?;
        // A database of which nothing was made yet has no organisation either.
        if on_the_whole!(handle, whole::schema())?.is_empty() {
            return Ok(None);
        }
        let rows = on_the_whole!(handle, front_door::list())?;
        if rows.is_empty() {
            return Ok(None);
        }
        let opens = |row: &OrganisationRow| {
            let place = key_place(
                OrganisationId::from_uuid(row.0),
                "organisations.wrapped_key",
            );
            key.key().open(place, &row.4).is_ok()
        };
        Ok(Some(rows.iter().any(opens)))
    }

    /// Wraps the key of every organisation with another master key, in one
    /// transaction; how many there are. What was committed survives a power cut:
    /// the key's file is changed by that. This storage goes on with the old key
    /// and opens nothing any more: open it anew.
    ///
    /// # Errors
    /// `key.wrong` if one of them does not open with the key of this storage:
    /// then nothing was changed.
    pub async fn rotate_key(&self, new: &MasterKey) -> Result<u64, StorageError> {
        let rotated = self.rewrap_all(new).await;
        let ordinary = self.engine.ordinary_again().await;
        let organisations = rotated?;
        ordinary?;
        Ok(organisations)
    }

    async fn rewrap_all(&self, new: &MasterKey) -> Result<u64, StorageError> {
        let mut handle = self.engine.begin_durable().await?;
        on_the_whole!(handle, front_door::hold_key())?;
        let mut organisations = 0;
        for row in on_the_whole!(handle, front_door::list())? {
            let id = OrganisationId::from_uuid(row.0);
            let (_, key) = self.open_organisation(row)?;
            let wrapped = self.wrapped(new, id, &key)?;
            on_the_whole!(handle, front_door::rewrap(id, wrapped.as_slice()))?;
            organisations += 1;
        }
        let now = self.clock.now().as_microsecond();
        on_the_whole!(handle, front_door::rotated(now))?;
        handle.commit().await?;
        Ok(organisations)
    }

    /// The key of an organisation that another master key wrapped, wrapped with ours.
    pub(crate) fn rewrapped(
        &self,
        row: &OrganisationRow,
        old: &MasterKey,
    ) -> Result<Vec<u8>, StorageError> {
        let id = OrganisationId::from_uuid(row.0);
        let place = key_place(id, "organisations.wrapped_key");
        let key = old
            .key()
            .open(place, &row.4)
            .ok()
            .and_then(|bytes| Key::from_slice(&bytes))
            .ok_or(StorageError::WrongMasterKey { organisation: id })?;
        Ok(self.wrapped(&self.master, id, &key)?)
    }

    fn wrapped(
        &self,
        master: &MasterKey,
        organisation: OrganisationId,
        key: &Key,
    ) -> Result<Vec<u8>, Unopened> {
        let place = key_place(organisation, "organisations.wrapped_key");
        master.key().seal(self.entropy.as_ref(), place, key.bytes())
    }

    /// Whose one-time link it is, while it is good.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn account_of_link(&self, link: &Secret) -> Result<Option<AccountId>, StorageError> {
        let (digest, now) = (link.digest(), self.clock.now().as_microsecond());
        let mut handle = self.engine.read().await?;
        on_the_whole!(handle, front_door::account_by_link(digest.as_slice(), now))
    }

    /// The token that a program presents, while it is good.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn token(&self, presented: &Secret) -> Result<Option<Token>, StorageError> {
        let (digest, now) = (presented.digest(), self.clock.now().as_microsecond());
        let mut handle = self.engine.read().await?;
        let row = on_the_whole!(handle, front_door::token_by_digest(digest.as_slice(), now))?;
        row.map(|(organisation, id, scopes, connection)| {
            Ok(Token {
                id: TokenId::from_uuid(id),
                organisation: OrganisationId::from_uuid(organisation),
                scopes: crate::sqlite::tokens::read_scopes(&scopes)?,
                connection: connection.map(ConnectionId::from_uuid),
                created_at: None,
                expires_at: None,
                revoked_at: None,
            })
        })
        .transpose()
    }
}
