//! Which accounts may enter an organisation.

use std::time::Duration;

use muster_model::AccountId;
use muster_model::values::Email;
use uuid::Uuid;

use super::{Db, Session, front_door};
use crate::account::{Access, Role};
use crate::error::StorageError;
use crate::scope::Scope;
use crate::secret::Secret;
use crate::stored::{instant, number, word};

const INSERT: &str = "INSERT INTO account_access (organisation_id, account_id, role, created_at) \
    VALUES ($1, $2, $3, $4) ON CONFLICT (organisation_id, account_id) DO NOTHING";
const GIVEN: &str = "SELECT role, created_at FROM account_access \
    WHERE organisation_id = $1 AND account_id = $2";
const LIST: &str = "SELECT access.account_id, account.address, access.role, access.created_at \
    FROM account_access AS access JOIN accounts AS account ON account.id = access.account_id \
    WHERE access.organisation_id = $1 ORDER BY account.address";

/// What the printed link begins with.
const PREFIX: &str = "muster_link_";

/// Lets the account of an address in, made if there is none. A link to set a
/// password comes with one that has none yet; who lost it is let in once more, as what
/// they may enter already, and gets another one.
pub(crate) async fn give(
    scope: &Scope,
    session: &mut Session,
    address: &Email,
    role: Role,
    link_for: Duration,
) -> Result<(Access, Option<Secret>), StorageError> {
    let now = scope.now();
    let new = AccountId::new(scope.ids.as_ref());
    let (account, has_password) =
        front_door::account(&mut *session, new, address.folded(), now).await?;
    let given = sqlx::query(INSERT)
        .bind(scope.id())
        .bind(account.uuid())
        .bind(role.word())
        .bind(now)
        .execute(&mut *session)
        .await?
        .rows_affected();
    let mut since = now;
    if given == 0 {
        let (as_what, created_at) = sqlx::query_as::<Db, (String, i64)>(GIVEN)
            .bind(scope.id())
            .bind(account.uuid())
            .fetch_one(&mut *session)
            .await?;
        if has_password || as_what != role.word() {
            return Err(StorageError::AccessExists);
        }
        since = created_at;
    }
    let access = Access {
        account,
        address: address.folded().to_owned(),
        role,
        created_at: instant("account_access.created_at", since)?,
    };
    if has_password {
        return Ok((access, None));
    }
    let secret = Secret::generate(scope.entropy.as_ref(), PREFIX);
    let length = u64::try_from(link_for.as_micros()).unwrap_or(u64::MAX);
    let until = now.saturating_add(number("how long a link is good", length)?);
    front_door::insert_link(session, account, &secret.digest(), now, until).await?;
    Ok((access, Some(secret)))
}

/// Who may enter, by address.
pub(crate) async fn list(
    scope: &Scope,
    session: &mut Session,
) -> Result<Vec<Access>, StorageError> {
    sqlx::query_as::<Db, (Uuid, String, String, i64)>(LIST)
        .bind(scope.id())
        .fetch_all(session)
        .await?
        .into_iter()
        .map(|(account, address, role, created_at)| {
            Ok(Access {
                account: AccountId::from_uuid(account),
                address,
                role: word("account_access.role", Role::from_word(&role))?,
                created_at: instant("account_access.created_at", created_at)?,
            })
        })
        .collect()
}
