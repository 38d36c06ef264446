//! Who does something.

use std::fmt;
use std::str::FromStr;

use muster_model::{AccountId, TokenId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Who does something, as the audit log names them: ids, never names or addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Actor {
    /// Nobody asked for it: a schedule, a clock, a queue.
    #[default]
    System,
    /// A command on a machine, with the number that the operating system gives its
    /// user, where it gives one.
    CommandLine {
        /// The user's number.
        user: Option<u32>,
    },
    /// Somebody who signed in.
    Account(AccountId),
    /// A program, by its token.
    Token(TokenId),
}

/// A text that names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("audit.actor: this names nobody who could have done something")]
pub struct NobodyError;

const SYSTEM: &str = "system";
const COMMAND_LINE: &str = "command-line";

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => formatter.write_str(SYSTEM),
            Self::CommandLine { user: None } => formatter.write_str(COMMAND_LINE),
            Self::CommandLine { user: Some(user) } => write!(formatter, "{COMMAND_LINE}:{user}"),
            Self::Account(account) => write!(formatter, "account:{account}"),
            Self::Token(token) => write!(formatter, "token:{token}"),
        }
    }
}

impl FromStr for Actor {
    type Err = NobodyError;

    fn from_str(text: &str) -> Result<Self, NobodyError> {
        let (word, id) = match text.split_once(':') {
            Some((word, id)) => (word, Some(id)),
            None => (text, None),
        };
        match (word, id) {
            (SYSTEM, None) => Ok(Self::System),
            (COMMAND_LINE, None) => Ok(Self::CommandLine { user: None }),
            (COMMAND_LINE, Some(user)) => {
                let user = user.parse().map_err(|_| NobodyError)?;
                Ok(Self::CommandLine { user: Some(user) })
            }
            ("account", Some(id)) => Ok(Self::Account(id.parse().map_err(|_| NobodyError)?)),
            ("token", Some(id)) => Ok(Self::Token(id.parse().map_err(|_| NobodyError)?)),
            _ => Err(NobodyError),
        }
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_reads_back_and_nothing_else_is_one() {
        let id = "01890000-0000-7000-8000-000000000001";
        for text in [
            "system",
            "command-line",
            "command-line:1000",
            &format!("account:{id}"),
            &format!("token:{id}"),
        ] {
            assert_eq!(text.parse::<Actor>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "root",
            "system:1",
            "command-line:kari",
            "account:",
            "token:1",
        ] {
            assert_eq!(text.parse::<Actor>(), Err(NobodyError), "{text}");
        }
    }
}
