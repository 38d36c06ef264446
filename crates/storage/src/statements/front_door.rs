//! The statements that are not bound to an organisation, because they find it.
//!
//! They read and write the table of organisations, what belongs to the
//! installation, and what signs in, and answer with an organisation or an
//! account, never with another organisation's data. A test lists them.

use muster_model::{AccountId, OrganisationId};
use uuid::Uuid;

use super::{Db, Session};
use crate::error::StorageError;

pub(crate) const INSERT: &str = "INSERT INTO organisations \
    (id, name, region, time_zone, wrapped_key, wrapped_index_key, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING";
pub(crate) const BY_NAME: &str = "SELECT id, name, region, time_zone, wrapped_key, \
    wrapped_index_key, created_at FROM organisations WHERE name = $1";
pub(crate) const BY_ID: &str = "SELECT id, name, region, time_zone, wrapped_key, \
    wrapped_index_key, created_at FROM organisations WHERE id = $1";
pub(crate) const LIST: &str = "SELECT id, name, region, time_zone, wrapped_key, \
    wrapped_index_key, created_at FROM organisations ORDER BY name";
const COUNT: &str = "SELECT count(*) FROM organisations";
const REWRAP: &str = "UPDATE organisations SET wrapped_key = $2 WHERE id = $1";
const ERASED: &str = "SELECT organisation_id, person_id, erased_at FROM erased_people \
    ORDER BY organisation_id, person_id";
const ERASED_RECORDS: &str = "SELECT organisation_id, connection_id, digest, erased_at \
    FROM erased_records ORDER BY organisation_id, connection_id, digest";

/// Written first by whoever wraps with the master key: of two, one waits.
const HOLD_KEY: &str = "UPDATE installation SET key_version = key_version WHERE id = 1";
const ROTATED: &str = "UPDATE installation SET key_version = key_version + 1, \
    key_rotated_at = $1 WHERE id = 1";
const RESTORED: &str = "UPDATE installation SET restored_at = $1, restored_from = $2, \
    confirmed_at = NULL WHERE id = 1";
const CONFIRM: &str = "UPDATE installation SET confirmed_at = $1 WHERE id = 1 \
    AND restored_at IS NOT NULL AND confirmed_at IS NULL";
const INSTALLATION: &str = "SELECT key_version, key_rotated_at, restored_at, restored_from, \
    confirmed_at FROM installation WHERE id = 1";

const INSERT_ACCOUNT: &str = "INSERT INTO accounts (id, address, created_at) VALUES ($1, $2, $3) \
    ON CONFLICT (address) DO NOTHING";
const ACCOUNT_BY_ADDRESS: &str = "SELECT id, \
    CAST(CASE WHEN password_hash IS NULL THEN 0 ELSE 1 END AS BIGINT) \
    FROM accounts WHERE address = $1";
const DROP_LINKS: &str = "DELETE FROM account_links WHERE account_id = $1 AND used_at IS NULL";
const INSERT_LINK: &str = "INSERT INTO account_links (digest, account_id, created_at, expires_at) \
    VALUES ($1, $2, $3, $4)";
const ACCOUNT_BY_LINK: &str = "SELECT account_id FROM account_links \
    WHERE digest = $1 AND used_at IS NULL AND expires_at > $2";
const TOKEN_BY_DIGEST: &str = "SELECT organisation_id, id, scopes, connection_id FROM tokens \
    WHERE digest = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)";

/// The row of the installation: how often the key was rotated and when, when a
/// backup was restored, of when it was, and when a person confirmed.
pub(crate) type InstallationRow = (i64, Option<i64>, Option<i64>, Option<i64>, Option<i64>);

/// A record of somebody who was erased: organisation, connection, keyed digest of
/// its id, when.
pub(crate) type ErasedRecordRow = (Uuid, Uuid, Vec<u8>, i64);

/// A token as it is found: whose, which, its scopes, its connection.
pub(crate) type TokenRow = (Uuid, Uuid, String, Option<Uuid>);

/// An organisation as it is stored: id, name, region, time zone, wrapped key,
/// wrapped index key, when it was made.
pub(crate) type OrganisationRow = (Uuid, String, String, String, Vec<u8>, Vec<u8>, i64);

/// Adds an organisation; `false` if the name is taken.
pub(crate) async fn insert(
    session: &mut Session,
    row: OrganisationRow,
) -> Result<bool, StorageError> {
    let (id, name, region, time_zone, wrapped_key, wrapped_index_key, created_at) = row;
    let done = sqlx::query(INSERT)
        .bind(id)
        .bind(name)
        .bind(region)
        .bind(time_zone)
        .bind(wrapped_key)
        .bind(wrapped_index_key)
        .bind(created_at)
        .execute(session)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The organisation of a name.
pub(crate) async fn by_name(
    session: &mut Session,
    name: &str,
) -> Result<Option<OrganisationRow>, StorageError> {
    Ok(sqlx::query_as::<Db, OrganisationRow>(BY_NAME)
        .bind(name)
        .fetch_optional(session)
        .await?)
}

/// The organisation of an id.
pub(crate) async fn by_id(
    session: &mut Session,
    id: OrganisationId,
) -> Result<Option<OrganisationRow>, StorageError> {
    Ok(sqlx::query_as::<Db, OrganisationRow>(BY_ID)
        .bind(id.uuid())
        .fetch_optional(session)
        .await?)
}

/// All organisations, by name.
pub(crate) async fn list(session: &mut Session) -> Result<Vec<OrganisationRow>, StorageError> {
    Ok(sqlx::query_as::<Db, OrganisationRow>(LIST)
        .fetch_all(session)
        .await?)
}

/// How many organisations there are.
pub(crate) async fn count(session: &mut Session) -> Result<i64, StorageError> {
    Ok(sqlx::query_scalar(COUNT).fetch_one(session).await?)
}

/// Stores the key of an organisation, wrapped anew.
pub(crate) async fn rewrap(
    session: &mut Session,
    id: OrganisationId,
    wrapped: &[u8],
) -> Result<(), StorageError> {
    sqlx::query(REWRAP)
        .bind(id.uuid())
        .bind(wrapped)
        .execute(session)
        .await?;
    Ok(())
}

/// Who was erased, by ids.
pub(crate) async fn erased(session: &mut Session) -> Result<Vec<(Uuid, Uuid, i64)>, StorageError> {
    Ok(sqlx::query_as::<Db, (Uuid, Uuid, i64)>(ERASED)
        .fetch_all(session)
        .await?)
}

/// Which records are of erased people, by keyed digests.
pub(crate) async fn erased_records(
    session: &mut Session,
) -> Result<Vec<ErasedRecordRow>, StorageError> {
    Ok(sqlx::query_as::<Db, ErasedRecordRow>(ERASED_RECORDS)
        .fetch_all(session)
        .await?)
}

/// Keeps the master key as it is until the transaction ends.
pub(crate) async fn hold_key(session: &mut Session) -> Result<(), StorageError> {
    sqlx::query(HOLD_KEY).execute(session).await?;
    Ok(())
}

/// Remembers that the master key was rotated.
pub(crate) async fn rotated(session: &mut Session, at: i64) -> Result<(), StorageError> {
    sqlx::query(ROTATED).bind(at).execute(session).await?;
    Ok(())
}

/// Remembers that a backup of an instant was restored.
pub(crate) async fn restored(
    session: &mut Session,
    at: i64,
    from: i64,
) -> Result<(), StorageError> {
    sqlx::query(RESTORED)
        .bind(at)
        .bind(from)
        .execute(session)
        .await?;
    Ok(())
}

/// Remembers that a person confirmed; `false` if there was nothing to confirm.
pub(crate) async fn confirm(session: &mut Session, at: i64) -> Result<bool, StorageError> {
    let confirmed = sqlx::query(CONFIRM).bind(at).execute(session).await?;
    Ok(confirmed.rows_affected() == 1)
}

/// What is known of the installation.
pub(crate) async fn installation(session: &mut Session) -> Result<InstallationRow, StorageError> {
    Ok(sqlx::query_as::<Db, InstallationRow>(INSTALLATION)
        .fetch_one(session)
        .await?)
}

/// The account of a folded address, made if there is none, and whether it has a password.
pub(crate) async fn account(
    session: &mut Session,
    new: AccountId,
    address: &str,
    at: i64,
) -> Result<(AccountId, bool), StorageError> {
    sqlx::query(INSERT_ACCOUNT)
        .bind(new.uuid())
        .bind(address)
        .bind(at)
        .execute(&mut *session)
        .await?;
    let (id, has_password) = sqlx::query_as::<Db, (Uuid, i64)>(ACCOUNT_BY_ADDRESS)
        .bind(address)
        .fetch_one(session)
        .await?;
    Ok((AccountId::from_uuid(id), has_password == 1))
}

/// Stores a one-time link; earlier ones that nobody used are over.
pub(crate) async fn insert_link(
    session: &mut Session,
    account: AccountId,
    digest: &[u8],
    at: i64,
    until: i64,
) -> Result<(), StorageError> {
    sqlx::query(DROP_LINKS)
        .bind(account.uuid())
        .execute(&mut *session)
        .await?;
    sqlx::query(INSERT_LINK)
        .bind(digest)
        .bind(account.uuid())
        .bind(at)
        .bind(until)
        .execute(session)
        .await?;
    Ok(())
}

/// Whose one-time link it is.
pub(crate) async fn account_by_link(
    session: &mut Session,
    digest: &[u8],
    now: i64,
) -> Result<Option<AccountId>, StorageError> {
    Ok(sqlx::query_scalar::<Db, Uuid>(ACCOUNT_BY_LINK)
        .bind(digest)
        .bind(now)
        .fetch_optional(session)
        .await?
        .map(AccountId::from_uuid))
}

/// The token of a digest, if it is still good.
pub(crate) async fn token_by_digest(
    session: &mut Session,
    digest: &[u8],
    now: i64,
) -> Result<Option<TokenRow>, StorageError> {
    Ok(sqlx::query_as::<Db, TokenRow>(TOKEN_BY_DIGEST)
        .bind(digest)
        .bind(now)
        .fetch_optional(session)
        .await?)
}
