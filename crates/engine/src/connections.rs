//! An organisation's configured use of a connector.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use muster_connect::http::BaseUrl;
use muster_connect::{Connector, ConnectorSettings, KeepSecret};
use muster_model::{OrganisationId, Preset};
use muster_storage::{
    Connection, ConnectionState, Credentials, NewConnection, Organisation, Transaction,
};
use secrecy::{ExposeSecret, SecretString};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::keeping::{Held, Kept};

/// Settings that are Muster's own, whatever the connector.
const REGION: &str = "region";

/// What a connection is made or changed with.
pub struct Wish {
    /// Its name.
    pub name: String,
    /// The connector.
    pub connector: String,
    /// The preset its policy is made from.
    pub preset: Preset,
    /// Another address than the connector's own.
    pub base_url: Option<String>,
    /// Settings by name.
    pub settings: BTreeMap<String, String>,
    /// Secrets by name; none leaves the stored ones.
    pub secrets: BTreeMap<String, SecretString>,
}

impl Engine {
    /// Makes a connection, or changes the one of that name. The source is asked
    /// who it is: that account is pinned, and no other is ever read under this name.
    ///
    /// # Errors
    /// When a setting is wrong, the source refuses, or another company answers.
    pub async fn connect(
        &self,
        organisation: &Organisation,
        mut wish: Wish,
    ) -> Result<Connection, EngineError> {
        // What a database wrote and took back can still stand in its files: an address
        // with a password in it never gets there.
        if let Some(url) = &wish.base_url {
            BaseUrl::parse(url, true)?;
        }
        // Everything is tried without being kept, and the source is asked while
        // nothing is locked: it may take minutes to answer.
        let mut trial = self.storage.begin(organisation.id).await?;
        let tried = save(&mut trial, &wish).await?;
        let credentials = trial.credentials(tried.id).await?;
        drop(trial);
        let held = Arc::new(Held::default());
        let keep: Arc<dyn KeepSecret> = match wish.secrets.is_empty() {
            // The stored ones are used: what replaces one takes its place.
            true => Kept::with(&self.storage, organisation.id, tried.id),
            false => held.clone(),
        };
        let answered = self.open_with(&tried, credentials, keep)?.account().await;
        wish.secrets.extend(held.taken());
        let account = answered?;

        let mut transaction = self.storage.begin(organisation.id).await?;
        let mut connection = save(&mut transaction, &wish).await?;
        match &connection.account {
            Some(pinned) if *pinned != account.id => {
                return Err(EngineError::OtherAccount {
                    name: connection.name,
                });
            }
            _ => connection.account = Some(account.id),
        }
        if connection.state == ConnectionState::Draft {
            connection.state = ConnectionState::Connected;
        }
        transaction.update_connection(&connection, None).await?;
        transaction.commit().await?;
        Ok(connection)
    }

    /// The connection of a name.
    ///
    /// # Errors
    /// When there is none.
    pub async fn connection(
        &self,
        organisation: OrganisationId,
        name: &str,
    ) -> Result<Connection, EngineError> {
        let mut reader = self.storage.read(organisation).await?;
        reader
            .connection_by_name(name)
            .await?
            .ok_or_else(|| EngineError::ConnectionUnknown {
                name: name.to_owned(),
            })
    }

    /// A connection's connector, with its stored credentials.
    pub(crate) async fn open(
        &self,
        organisation: OrganisationId,
        connection: &Connection,
    ) -> Result<Box<dyn Connector>, EngineError> {
        let mut reader = self.storage.read(organisation).await?;
        let credentials = reader.credentials(connection.id).await?;
        let keep = Kept::with(&self.storage, organisation, connection.id);
        self.open_with(connection, credentials, keep)
    }

    fn open_with(
        &self,
        connection: &Connection,
        credentials: Option<Credentials>,
        keep: Arc<dyn KeepSecret>,
    ) -> Result<Box<dyn Connector>, EngineError> {
        let Some(credentials) = credentials else {
            return Err(EngineError::NoCredentials {
                name: connection.name.clone(),
            });
        };
        let mut settings = ConnectorSettings::new(Arc::clone(&self.clock));
        settings.base_url.clone_from(&connection.base_url);
        settings.settings = connection
            .settings
            .iter()
            .filter(|(name, _)| name.as_str() != REGION)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        settings.secrets = credentials
            .iter()
            .map(|(name, secret)| (name.to_owned(), SecretString::from(secret.to_owned())))
            .collect();
        settings.pause = Arc::clone(&self.pause);
        settings.keep = Some(keep);
        Ok((self.open_connector)(&connection.connector, settings)?)
    }
}

/// Writes what was wished: a new connection, or a known one changed.
async fn save(transaction: &mut Transaction, wish: &Wish) -> Result<Connection, EngineError> {
    let given: Credentials = wish
        .secrets
        .iter()
        .map(|(name, secret)| (name.clone(), secret.expose_secret().to_owned()))
        .collect();
    let credentials = (!wish.secrets.is_empty()).then_some(&given);
    let Some(mut connection) = transaction.connection_by_name(&wish.name).await? else {
        let rank = transaction.connections().await?.len();
        let new = NewConnection {
            name: wish.name.clone(),
            connector: wish.connector.clone(),
            policy: wish.preset.policy(),
            base_url: wish.base_url.clone(),
            settings: wish.settings.clone(),
            host_settings: host_settings(&wish.connector),
            rank: i64::try_from(rank).unwrap_or(i64::MAX),
        };
        return Ok(transaction.insert_connection(new, credentials).await?);
    };
    if connection.connector != wish.connector {
        return Err(EngineError::OtherConnector {
            name: connection.name,
            connector: connection.connector,
        });
    }
    connection.policy = wish.preset.policy();
    connection.base_url.clone_from(&wish.base_url);
    connection.settings.clone_from(&wish.settings);
    transaction
        .update_connection(&connection, credentials)
        .await?;
    Ok(connection)
}

/// The settings that are part of the connector's address: whoever changes one
/// enters the credentials again.
fn host_settings(connector: &str) -> BTreeSet<String> {
    let info = muster_connect::catalogue()
        .iter()
        .find(|info| info.name == connector);
    info.map(|info| info.host_settings.iter().cloned().collect())
        .unwrap_or_default()
}

/// The region for telephone numbers: the connection's, else the organisation's.
pub(crate) fn region(organisation: &Organisation, connection: &Connection) -> String {
    connection
        .settings
        .get(REGION)
        .unwrap_or(&organisation.region)
        .clone()
}
