//! Who and what may enter an organisation: accounts of humans, tokens of programs.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use muster_model::TokenId;
use muster_model::values::Email;
use muster_storage::{Access, NewToken, Organisation, Role, Secret, TokenScope};

use crate::engine::Engine;
use crate::error::EngineError;

/// How long a link to set a password is good: a weekend and the days around it.
const LINK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// An account that was let in.
#[derive(Debug)]
pub struct LetIn {
    /// As what.
    pub access: Access,
    /// A one-time link to set a password, and until when it is good; none for an
    /// account that has one. Told here and stored nowhere.
    pub link: Option<(Secret, Timestamp)>,
}

/// A token that was made.
#[derive(Debug)]
pub struct MadeToken {
    /// Which one.
    pub id: TokenId,
    /// What it may do.
    pub scopes: BTreeSet<TokenScope>,
    /// What the program presents. Told here and stored nowhere.
    pub secret: Secret,
}

impl Engine {
    /// Lets a human into an organisation. Who has no password yet and may enter as the
    /// same already gets another link; the earlier one is over.
    ///
    /// # Errors
    /// When the address is none, the role is unknown, or the account may enter already
    /// with a password, or as something else.
    pub async fn let_in(
        &self,
        organisation: &Organisation,
        address: &str,
        role: &str,
    ) -> Result<LetIn, EngineError> {
        let address = Email::parse(address).map_err(|error| EngineError::Address {
            reason: error.to_string(),
        })?;
        let role = Role::from_word(role).ok_or_else(|| EngineError::RoleUnknown {
            name: role.to_owned(),
            known: words(Role::ALL.iter().map(|role| role.word())),
        })?;
        let until = self.now().saturating_add(LINK).unwrap_or(Timestamp::MAX);
        let mut transaction = self.storage.begin(organisation.id).await?;
        let (access, link) = transaction.give_access(&address, role, LINK).await?;
        transaction.commit().await?;
        Ok(LetIn {
            access,
            link: link.map(|link| (link, until)),
        })
    }

    /// Makes a token for a program.
    ///
    /// # Errors
    /// When a scope is unknown, there is none, or provisioning has no connection.
    pub async fn make_token(
        &self,
        organisation: &Organisation,
        scopes: &[String],
        connection: Option<&str>,
        expires_at: Option<Timestamp>,
    ) -> Result<MadeToken, EngineError> {
        let scopes = scopes
            .iter()
            .map(|name| {
                TokenScope::from_word(name).ok_or_else(|| EngineError::ScopeUnknown {
                    name: name.clone(),
                    known: words(TokenScope::ALL.iter().map(|scope| scope.word())),
                })
            })
            .collect::<Result<BTreeSet<_>, _>>()?;
        if scopes.is_empty() {
            return Err(EngineError::ScopeUnknown {
                name: String::new(),
                known: words(TokenScope::ALL.iter().map(|scope| scope.word())),
            });
        }
        // The bearer token of SCIM decides the connection: there is nothing else that could.
        if scopes.contains(&TokenScope::Scim) && connection.is_none() {
            return Err(EngineError::ScimWithoutConnection);
        }
        if expires_at.is_some_and(|at| at <= self.now()) {
            return Err(EngineError::ExpiredAlready);
        }
        let connection = match connection {
            Some(name) => Some(self.connection(organisation.id, name).await?.id),
            None => None,
        };
        let new = NewToken {
            scopes,
            connection,
            expires_at,
        };
        let mut transaction = self.storage.begin(organisation.id).await?;
        let (id, secret) = transaction.create_token(&new).await?;
        transaction.commit().await?;
        Ok(MadeToken {
            id,
            scopes: new.scopes,
            secret,
        })
    }
}

fn words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}
