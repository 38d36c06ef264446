//! Secrets that a vendor replaces while they are used.
//!
//! A refresh token that holds for one use is dead once another was given for
//! it: the new one is in the database, sealed, before the access token that
//! came with it is used for anything.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use muster_connect::{ConnectError, KeepSecret, SinkError};
use muster_model::{ConnectionId, OrganisationId};
use muster_storage::{Storage, StorageError};
use secrecy::{ExposeSecret, SecretString};

/// Keeps them with the connection that they were entered for.
pub(crate) struct Kept {
    storage: Storage,
    organisation: OrganisationId,
    connection: ConnectionId,
}

impl Kept {
    pub(crate) fn with(
        storage: &Storage,
        organisation: OrganisationId,
        connection: ConnectionId,
    ) -> Arc<Self> {
        Arc::new(Self {
            storage: storage.clone(),
            organisation,
            connection,
        })
    }

    async fn stored(&self, name: &str) -> Result<Option<SecretString>, StorageError> {
        // Read anew each time: another process may have replaced it since.
        let mut reader = self.storage.read(self.organisation).await?;
        let credentials = reader.credentials(self.connection).await?;
        let secret = credentials.and_then(|all| all.expose(name).map(SecretString::from));
        Ok(secret)
    }

    async fn replace(&self, name: &str, secret: &SecretString) -> Result<(), StorageError> {
        let mut transaction = self.storage.begin(self.organisation).await?;
        transaction
            .replace_secret(self.connection, name, secret.expose_secret())
            .await?;
        transaction.commit().await
    }
}

#[async_trait]
impl KeepSecret for Kept {
    async fn latest(&self, name: &str) -> Result<Option<SecretString>, ConnectError> {
        self.stored(name).await.map_err(failed)
    }

    async fn keep(&self, name: &str, secret: SecretString) -> Result<(), ConnectError> {
        self.replace(name, &secret).await.map_err(failed)
    }
}

fn failed(error: StorageError) -> ConnectError {
    SinkError::new(error).into()
}

/// Holds them until the connection that they belong to is written.
#[derive(Default)]
pub(crate) struct Held(Mutex<BTreeMap<String, SecretString>>);

impl Held {
    /// What was replaced.
    pub(crate) fn taken(&self) -> BTreeMap<String, SecretString> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl KeepSecret for Held {
    async fn latest(&self, name: &str) -> Result<Option<SecretString>, ConnectError> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(held.get(name).cloned())
    }

    async fn keep(&self, name: &str, secret: SecretString) -> Result<(), ConnectError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(name.to_owned(), secret);
        Ok(())
    }
}
