//! The statements that are not bound to an organisation, because they find it.
//!
//! They read and write the table of organisations and nothing else, and
//! answer with an organisation, never with anybody's data. A test lists them.

use muster_model::OrganisationId;
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
