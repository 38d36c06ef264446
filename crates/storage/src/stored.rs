//! Reading back what was stored: a value that does not fit is damage, with a
//! reason that shows nothing of it.

use jiff::Timestamp;
use jiff::civil::Date;
use muster_model::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StorageError;

/// Damage, without the value.
pub(crate) fn damaged(what: &'static str, reason: impl Into<String>) -> StorageError {
    StorageError::Damaged {
        what,
        reason: reason.into(),
    }
}

/// An instant from microseconds since 1970 UTC.
pub(crate) fn instant(what: &'static str, microseconds: i64) -> Result<Timestamp, StorageError> {
    Timestamp::from_microsecond(microseconds).map_err(|_| damaged(what, "not an instant"))
}

/// An instant that may be missing.
pub(crate) fn instant_or_none(
    what: &'static str,
    microseconds: Option<i64>,
) -> Result<Option<Timestamp>, StorageError> {
    microseconds
        .map(|microseconds| instant(what, microseconds))
        .transpose()
}

/// A civil date from ISO text.
pub(crate) fn date(what: &'static str, text: &str) -> Result<Date, StorageError> {
    text.parse().map_err(|_| damaged(what, "not a date"))
}

/// A digest from its 32 bytes.
pub(crate) fn digest(what: &'static str, bytes: &[u8]) -> Result<Digest, StorageError> {
    Digest::from_slice(bytes).ok_or_else(|| damaged(what, "not 32 bytes"))
}

/// A count or version, stored as a signed number.
pub(crate) fn count(what: &'static str, number: i64) -> Result<u64, StorageError> {
    u64::try_from(number).map_err(|_| damaged(what, "a negative number"))
}

/// A count or version, to store.
pub(crate) fn number(what: &'static str, number: u64) -> Result<i64, StorageError> {
    i64::try_from(number).map_err(|_| StorageError::Number { what, number })
}

/// A value of a word.
pub(crate) fn word<T>(what: &'static str, value: Option<T>) -> Result<T, StorageError> {
    value.ok_or_else(|| damaged(what, "not one of its words"))
}

/// From JSON. The reason names the place in the text, never the text.
pub(crate) fn from_json<T: DeserializeOwned>(
    what: &'static str,
    json: &[u8],
) -> Result<T, StorageError> {
    serde_json::from_slice(json).map_err(|error| {
        let kind = error.classify();
        damaged(
            what,
            format!(
                "{kind:?} error at line {}, column {}",
                error.line(),
                error.column()
            ),
        )
    })
}

/// To JSON, as text.
pub(crate) fn to_json<T: Serialize>(what: &'static str, value: &T) -> Result<String, StorageError> {
    serde_json::to_string(value)
        .map_err(|error| damaged(what, format!("{:?} error", error.classify())))
}
