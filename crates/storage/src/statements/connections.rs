//! Connections and their credentials.

use muster_model::ConnectionId;
use uuid::Uuid;

use super::{Db, Session};
use crate::connection::{Connection, ConnectionState, Credentials, NewConnection};
use crate::error::StorageError;
use crate::scope::Scope;
use crate::seal::Key;
use crate::stored::{from_json, instant, instant_or_none, to_json, word};

const BY_ID: &str = "SELECT id, name, connector, policy, base_url, settings, host_settings, state, \
    account, source_rank, history, last_read_at, last_confirmed_at, created_at \
    FROM connections WHERE organisation_id = $1 AND id = $2";
const BY_NAME: &str = "SELECT id, name, connector, policy, base_url, settings, host_settings, \
    state, account, source_rank, history, last_read_at, last_confirmed_at, created_at \
    FROM connections WHERE organisation_id = $1 AND name = $2";
const LIST: &str = "SELECT id, name, connector, policy, base_url, settings, host_settings, state, \
    account, source_rank, history, last_read_at, last_confirmed_at, created_at \
    FROM connections WHERE organisation_id = $1 ORDER BY source_rank, name";
const INSERT: &str = "INSERT INTO connections (organisation_id, id, name, connector, policy, \
    base_url, settings, host_settings, state, source_rank, history, created_at, wrapped_key) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
    ON CONFLICT (organisation_id, name) DO NOTHING";
const UPDATE: &str = "UPDATE connections SET name = $3, connector = $4, policy = $5, \
    base_url = $6, settings = $7, host_settings = $8, state = $9, account = $10, \
    source_rank = $11, history = $12, last_read_at = $13, last_confirmed_at = $14 \
    WHERE organisation_id = $1 AND id = $2";
const CREDENTIALS: &str = "SELECT wrapped_key, credentials FROM connections \
    WHERE organisation_id = $1 AND id = $2";
const SET_CREDENTIALS: &str = "UPDATE connections SET credentials = $3 \
    WHERE organisation_id = $1 AND id = $2";
const REPLACE_CREDENTIALS: &str = "UPDATE connections SET credentials = $3 \
    WHERE organisation_id = $1 AND id = $2 AND credentials = $4";

type Row = (
    Uuid,
    String,
    String,
    String,
    Option<String>,
    String,
    String,
    String,
    Option<String>,
    i64,
    String,
    Option<i64>,
    Option<i64>,
    i64,
);

pub(crate) async fn by_id(
    scope: &Scope,
    session: &mut Session,
    id: ConnectionId,
) -> Result<Connection, StorageError> {
    sqlx::query_as::<Db, Row>(BY_ID)
        .bind(scope.id())
        .bind(id.uuid())
        .fetch_optional(session)
        .await?
        .map(read)
        .transpose()?
        .ok_or(StorageError::ConnectionUnknown { connection: id })
}

pub(crate) async fn by_name(
    scope: &Scope,
    session: &mut Session,
    name: &str,
) -> Result<Option<Connection>, StorageError> {
    sqlx::query_as::<Db, Row>(BY_NAME)
        .bind(scope.id())
        .bind(name)
        .fetch_optional(session)
        .await?
        .map(read)
        .transpose()
}

pub(crate) async fn list(
    scope: &Scope,
    session: &mut Session,
) -> Result<Vec<Connection>, StorageError> {
    sqlx::query_as::<Db, Row>(LIST)
        .bind(scope.id())
        .fetch_all(session)
        .await?
        .into_iter()
        .map(read)
        .collect()
}

/// All connections by name, each as far as it can be read.
pub(crate) async fn one_by_one(
    scope: &Scope,
    session: &mut Session,
) -> Result<Vec<(String, Result<Connection, StorageError>)>, StorageError> {
    Ok(sqlx::query_as::<Db, Row>(LIST)
        .bind(scope.id())
        .fetch_all(session)
        .await?
        .into_iter()
        .map(|row| (row.1.clone(), read(row)))
        .collect())
}

/// Makes a connection, a draft.
pub(crate) async fn insert(
    scope: &Scope,
    session: &mut Session,
    new: NewConnection,
    credentials: Option<&Credentials>,
) -> Result<Connection, StorageError> {
    let id = ConnectionId::from_uuid(scope.ids.next_uuid());
    let key = scope.new_key();
    let inserted = sqlx::query(INSERT)
        .bind(scope.id())
        .bind(id.uuid())
        .bind(&new.name)
        .bind(&new.connector)
        .bind(to_json("connections.policy", &new.policy)?)
        .bind(&new.base_url)
        .bind(to_json("connections.settings", &new.settings)?)
        .bind(to_json("connections.host_settings", &new.host_settings)?)
        .bind(ConnectionState::Draft.word())
        .bind(new.rank)
        .bind(to_json(
            "connections.history",
            &muster_model::ReadHistory::default(),
        )?)
        .bind(scope.now())
        .bind(wrap_key(scope, id, &key)?)
        .execute(&mut *session)
        .await?
        .rows_affected()
        == 1;
    if !inserted {
        return Err(StorageError::ConnectionExists { name: new.name });
    }
    let connection = by_id(scope, &mut *session, id).await?;
    if let Some(credentials) = credentials {
        store_credentials(scope, session, &connection, &key, credentials).await?;
    }
    Ok(connection)
}

/// Writes everything but the id; credentials entered for another address must come
/// again. Gives back how it was before.
pub(crate) async fn update(
    scope: &Scope,
    session: &mut Session,
    connection: &Connection,
    credentials: Option<&Credentials>,
) -> Result<Connection, StorageError> {
    let stored = by_id(scope, &mut *session, connection.id).await?;
    let (key, sealed) = key_and_sealed(scope, &mut *session, connection.id).await?;
    if credentials.is_none() && sealed.is_some() && address(connection)? != address(&stored)? {
        return Err(StorageError::CredentialsAskedAgain {
            connection: connection.name.clone(),
        });
    }
    sqlx::query(UPDATE)
        .bind(scope.id())
        .bind(connection.id.uuid())
        .bind(&connection.name)
        .bind(&connection.connector)
        .bind(to_json("connections.policy", &connection.policy)?)
        .bind(&connection.base_url)
        .bind(to_json("connections.settings", &connection.settings)?)
        .bind(to_json(
            "connections.host_settings",
            &connection.host_settings,
        )?)
        .bind(connection.state.word())
        .bind(&connection.account)
        .bind(connection.rank)
        .bind(to_json("connections.history", &connection.history)?)
        .bind(connection.last_read_at.map(jiff::Timestamp::as_microsecond))
        .bind(
            connection
                .last_confirmed_at
                .map(jiff::Timestamp::as_microsecond),
        )
        .execute(&mut *session)
        .await?;
    if let Some(credentials) = credentials {
        store_credentials(scope, session, connection, &key, credentials).await?;
    }
    Ok(stored)
}

/// The credentials, if there are any and the address is still the one they
/// were entered for.
pub(crate) async fn credentials(
    scope: &Scope,
    session: &mut Session,
    id: ConnectionId,
) -> Result<Option<Credentials>, StorageError> {
    let connection = by_id(scope, &mut *session, id).await?;
    let (key, sealed) = key_and_sealed(scope, session, id).await?;
    let Some(sealed) = sealed else {
        return Ok(None);
    };
    let address = address(&connection)?;
    let plain = scope
        .open(
            &key,
            "connections.credentials",
            &[id.uuid().as_bytes(), address.as_bytes()],
            &sealed,
        )
        .map_err(|_| StorageError::CredentialsAskedAgain {
            connection: connection.name,
        })?;
    let secrets: std::collections::BTreeMap<String, String> =
        from_json("connections.credentials", &plain)?;
    Ok(Some(secrets.into_iter().collect()))
}

/// Puts another secret in the place of one. Gives back the connection.
pub(crate) async fn replace_secret(
    scope: &Scope,
    session: &mut Session,
    id: ConnectionId,
    name: &str,
    secret: &str,
) -> Result<Connection, StorageError> {
    let connection = by_id(scope, &mut *session, id).await?;
    let known = credentials(scope, &mut *session, id).await?;
    let (key, sealed) = key_and_sealed(scope, &mut *session, id).await?;
    let asked_again = || StorageError::CredentialsAskedAgain {
        connection: connection.name.clone(),
    };
    let (Some(mut known), Some(sealed)) = (known, sealed) else {
        return Err(asked_again());
    };
    known.put(name, secret);
    let replaced = seal_credentials(scope, &connection, &key, &known)?;
    let written = sqlx::query(REPLACE_CREDENTIALS)
        .bind(scope.id())
        .bind(id.uuid())
        .bind(replaced)
        .bind(sealed)
        .execute(session)
        .await?
        .rows_affected();
    // Somebody entered others meanwhile: this one belongs to what is gone.
    match written {
        1 => Ok(connection),
        _ => Err(asked_again()),
    }
}

async fn store_credentials(
    scope: &Scope,
    session: &mut Session,
    connection: &Connection,
    key: &Key,
    credentials: &Credentials,
) -> Result<(), StorageError> {
    let sealed = seal_credentials(scope, connection, key, credentials)?;
    sqlx::query(SET_CREDENTIALS)
        .bind(scope.id())
        .bind(connection.id.uuid())
        .bind(sealed)
        .execute(session)
        .await?;
    Ok(())
}

fn seal_credentials(
    scope: &Scope,
    connection: &Connection,
    key: &Key,
    credentials: &Credentials,
) -> Result<Vec<u8>, StorageError> {
    let secrets: std::collections::BTreeMap<&str, &str> = credentials.iter().collect();
    let plain = zeroize::Zeroizing::new(to_json("connections.credentials", &secrets)?);
    let id = connection.id.uuid();
    let address = address(connection)?;
    let owner = [id.as_bytes().as_slice(), address.as_bytes()];
    Ok(scope.seal(key, "connections.credentials", &owner, plain.as_bytes())?)
}

/// What credentials are bound to: whoever could change it could have them sent
/// to a machine of their own.
fn address(connection: &Connection) -> Result<String, StorageError> {
    let hosts: Vec<(&str, Option<&str>)> = connection
        .host_settings
        .iter()
        .map(|name| {
            (
                name.as_str(),
                connection.settings.get(name).map(String::as_str),
            )
        })
        .collect();
    to_json(
        "the address of a connection",
        &(&connection.connector, &connection.base_url, hosts),
    )
}

async fn key_and_sealed(
    scope: &Scope,
    session: &mut Session,
    id: ConnectionId,
) -> Result<(Key, Option<Vec<u8>>), StorageError> {
    let (wrapped, sealed) = sqlx::query_as::<Db, (Vec<u8>, Option<Vec<u8>>)>(CREDENTIALS)
        .bind(scope.id())
        .bind(id.uuid())
        .fetch_optional(session)
        .await?
        .ok_or(StorageError::ConnectionUnknown { connection: id })?;
    let key = scope.unwrap("connections.wrapped_key", &[id.uuid().as_bytes()], &wrapped)?;
    Ok((key, sealed))
}

fn wrap_key(scope: &Scope, id: ConnectionId, key: &Key) -> Result<Vec<u8>, StorageError> {
    Ok(scope.wrap(key, "connections.wrapped_key", &[id.uuid().as_bytes()])?)
}

fn read(row: Row) -> Result<Connection, StorageError> {
    let (
        id,
        name,
        connector,
        policy,
        base_url,
        settings,
        host_settings,
        state,
        account,
        rank,
        history,
        last_read_at,
        last_confirmed_at,
        created_at,
    ) = row;
    Ok(Connection {
        id: ConnectionId::from_uuid(id),
        name,
        connector,
        policy: from_json("connections.policy", policy.as_bytes())?,
        base_url,
        settings: from_json("connections.settings", settings.as_bytes())?,
        host_settings: from_json("connections.host_settings", host_settings.as_bytes())?,
        state: word("connections.state", ConnectionState::from_word(&state))?,
        account,
        rank,
        history: from_json("connections.history", history.as_bytes())?,
        last_read_at: instant_or_none("connections.last_read_at", last_read_at)?,
        last_confirmed_at: instant_or_none("connections.last_confirmed_at", last_confirmed_at)?,
        created_at: instant("connections.created_at", created_at)?,
    })
}
