//! What programs sign in with.

use std::collections::BTreeSet;

use muster_model::{ConnectionId, TokenId};
use uuid::Uuid;

use super::{Db, Session, connections};
use crate::account::{NewToken, Token, TokenScope};
use crate::error::StorageError;
use crate::scope::Scope;
use crate::secret::Secret;
use crate::stored::{from_json, instant, instant_or_none, to_json, word};

const INSERT: &str = "INSERT INTO tokens (organisation_id, id, digest, scopes, connection_id, \
    created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
const LIST: &str = "SELECT id, scopes, connection_id, created_at, expires_at, revoked_at \
    FROM tokens WHERE organisation_id = $1 ORDER BY id";
const REVOKE: &str = "UPDATE tokens SET revoked_at = $3 \
    WHERE organisation_id = $1 AND id = $2 AND revoked_at IS NULL";

type Row = (Uuid, String, Option<Uuid>, i64, Option<i64>, Option<i64>);

/// What a token begins with: whoever finds one knows what it is.
const PREFIX: &str = "muster_token_";

/// Makes a token; its secret is given away here and stored nowhere.
pub(crate) async fn insert(
    scope: &Scope,
    session: &mut Session,
    new: &NewToken,
) -> Result<(TokenId, Secret), StorageError> {
    if let Some(connection) = new.connection {
        // Of this organisation, with a readable refusal.
        connections::by_id(scope, &mut *session, connection).await?;
    }
    let id = TokenId::new(scope.ids.as_ref());
    let secret = Secret::generate(scope.entropy.as_ref(), PREFIX);
    sqlx::query(INSERT)
        .bind(scope.id())
        .bind(id.uuid())
        .bind(secret.digest())
        .bind(scope_words(&new.scopes)?)
        .bind(new.connection.map(ConnectionId::uuid))
        .bind(scope.now())
        .bind(new.expires_at.map(jiff::Timestamp::as_microsecond))
        .execute(session)
        .await?;
    Ok((id, secret))
}

/// Ends a token; `false` if there is none of the id, or it was over.
pub(crate) async fn revoke(
    scope: &Scope,
    session: &mut Session,
    id: TokenId,
) -> Result<bool, StorageError> {
    let revoked = sqlx::query(REVOKE)
        .bind(scope.id())
        .bind(id.uuid())
        .bind(scope.now())
        .execute(session)
        .await?;
    Ok(revoked.rows_affected() == 1)
}

/// All tokens, oldest first.
pub(crate) async fn list(scope: &Scope, session: &mut Session) -> Result<Vec<Token>, StorageError> {
    sqlx::query_as::<Db, Row>(LIST)
        .bind(scope.id())
        .fetch_all(session)
        .await?
        .into_iter()
        .map(
            |(id, scopes, connection, created_at, expires_at, revoked_at)| {
                Ok(Token {
                    id: TokenId::from_uuid(id),
                    organisation: scope.organisation,
                    scopes: read_scopes(&scopes)?,
                    connection: connection.map(ConnectionId::from_uuid),
                    created_at: Some(instant("tokens.created_at", created_at)?),
                    expires_at: instant_or_none("tokens.expires_at", expires_at)?,
                    revoked_at: instant_or_none("tokens.revoked_at", revoked_at)?,
                })
            },
        )
        .collect()
}

fn scope_words(scopes: &BTreeSet<TokenScope>) -> Result<String, StorageError> {
    let words: Vec<&str> = scopes.iter().map(|scope| scope.word()).collect();
    to_json("tokens.scopes", &words)
}

/// The scopes of their stored words.
pub(crate) fn read_scopes(stored: &str) -> Result<BTreeSet<TokenScope>, StorageError> {
    let words: Vec<String> = from_json("tokens.scopes", stored.as_bytes())?;
    words
        .iter()
        .map(|stored| word("tokens.scopes", TokenScope::from_word(stored)))
        .collect()
}
