//! The faults a simulator can be told to show, by the names people type.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Something that goes wrong at the vendor, on purpose.
///
/// Faults can be combined. Each is deterministic: the same seed and the same
/// calls give the same answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The first page has no rows, in a valid envelope.
    Empty,
    /// A page in the middle has half its rows, which ends the read by the vendor's own rule.
    ShortPage,
    /// The body of a page in the middle stops inside a value, with a right and a wrong length header in turn.
    TruncatedBody,
    /// The vendor's throttling answer in one of five calls.
    Throttle,
    /// 500 on the third page, twice.
    ServerError,
    /// The session is refused after the second page, once.
    ExpiredToken,
    /// Rows and fields vanish as the vendor lets them vanish, with success.
    PermissionLoss,
    /// A tenth of the rows twice, one of them older.
    DuplicateRows,
    /// Between two pages one row before the border is deleted and one inserted.
    MovingPages,
    /// The last page takes a minute.
    Slow,
    /// The vendor's field is missing; dots go into sub-objects.
    DropField(String),
    /// Another company's people under its own account id.
    WrongCompany,
    /// The company as it was thirty days ago, under the same account id.
    Stale,
    /// What is written is kept in the vendor's own form: telephone numbers in
    /// pairs of digits, other text in capital letters.
    ReformatWrites,
    /// The first write of each object is done and answered with 500.
    WriteThenFail,
    /// A write that names this field of the vendor is refused as not valid.
    RefuseField(String),
    /// Every answer takes so many milliseconds longer.
    Delay(u64),
}

/// The faults without an argument, in the order they are listed to people.
const PLAIN: [Fault; 14] = [
    Fault::Empty,
    Fault::ShortPage,
    Fault::TruncatedBody,
    Fault::Throttle,
    Fault::ServerError,
    Fault::ExpiredToken,
    Fault::PermissionLoss,
    Fault::DuplicateRows,
    Fault::MovingPages,
    Fault::Slow,
    Fault::WrongCompany,
    Fault::Stale,
    Fault::ReformatWrites,
    Fault::WriteThenFail,
];

/// What `drop-field:NAME` begins with.
const DROP_FIELD: &str = "drop-field:";
/// What `refuse-field:NAME` begins with.
const REFUSE_FIELD: &str = "refuse-field:";
/// What `delay:MILLISECONDS` begins with.
const DELAY: &str = "delay:";
/// The longest delay: a minute.
const LONGEST_DELAY: u64 = 60_000;

impl Fault {
    /// Every name that can be typed; those with an argument stand for all of their kind.
    pub fn names() -> Vec<String> {
        let mut names: Vec<String> = PLAIN.iter().map(Fault::to_string).collect();
        names.push(format!("{DROP_FIELD}NAME"));
        names.push(format!("{REFUSE_FIELD}NAME"));
        names.push(format!("{DELAY}MILLISECONDS"));
        names
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Fault::Empty => "empty",
            Fault::ShortPage => "short-page",
            Fault::TruncatedBody => "truncated-body",
            Fault::Throttle => "throttle",
            Fault::ServerError => "server-error",
            Fault::ExpiredToken => "expired-token",
            Fault::PermissionLoss => "permission-loss",
            Fault::DuplicateRows => "duplicate-rows",
            Fault::MovingPages => "moving-pages",
            Fault::Slow => "slow",
            Fault::WrongCompany => "wrong-company",
            Fault::Stale => "stale",
            Fault::ReformatWrites => "reformat-writes",
            Fault::WriteThenFail => "write-then-fail",
            Fault::DropField(field) => return write!(formatter, "{DROP_FIELD}{field}"),
            Fault::RefuseField(field) => return write!(formatter, "{REFUSE_FIELD}{field}"),
            Fault::Delay(milliseconds) => return write!(formatter, "{DELAY}{milliseconds}"),
        };
        formatter.write_str(name)
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        for (prefix, fault) in [
            (DROP_FIELD, Fault::DropField as fn(String) -> Self),
            (REFUSE_FIELD, Fault::RefuseField),
        ] {
            if let Some(field) = text.strip_prefix(prefix) {
                if field.split('.').any(str::is_empty) {
                    return Err(FaultError::NoField {
                        given: text.to_owned(),
                    });
                }
                return Ok(fault(field.to_owned()));
            }
        }
        if let Some(milliseconds) = text.strip_prefix(DELAY) {
            return (milliseconds.parse().ok())
                .filter(|milliseconds| *milliseconds <= LONGEST_DELAY)
                .map(Fault::Delay)
                .ok_or_else(|| FaultError::NoDelay {
                    given: text.to_owned(),
                });
        }
        PLAIN
            .iter()
            .find(|fault| fault.to_string() == text)
            .cloned()
            .ok_or_else(|| FaultError::Unknown {
                given: text.to_owned(),
            })
    }
}

/// Why a fault's name was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FaultError {
    /// No fault has this name.
    #[error(
        "sandbox.fault.unknown: there is no fault `{given}`; choose from: {}",
        Fault::names().join(", ")
    )]
    Unknown {
        /// What was typed.
        given: String,
    },
    /// `delay:` without a usable time behind it.
    #[error(
        "sandbox.fault.no-delay: `{given}` names no time; write delay:MILLISECONDS, at most 60000"
    )]
    NoDelay {
        /// What was typed.
        given: String,
    },
    /// `drop-field:` or `refuse-field:` without a usable field name behind it.
    #[error(
        "sandbox.fault.no-field: `{given}` names no field; write drop-field:NAME or refuse-field:NAME, with dots for depth (drop-field:department.name)"
    )]
    NoField {
        /// What was typed.
        given: String,
    },
}

impl FaultError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            FaultError::Unknown { .. } => "sandbox.fault.unknown",
            FaultError::NoDelay { .. } => "sandbox.fault.no-delay",
            FaultError::NoField { .. } => "sandbox.fault.no-field",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_name_is_understood_and_reads_back_the_same() {
        for name in Fault::names() {
            let name = name.replace("MILLISECONDS", "20");
            let fault: Fault = name.parse().unwrap();
            assert_eq!(fault.to_string(), name);
        }
        assert_eq!(Fault::names().len(), 17);
    }

    #[test]
    fn a_dropped_field_may_lie_deep() {
        assert_eq!(
            "drop-field:employments.startDate".parse(),
            Ok(Fault::DropField("employments.startDate".to_owned()))
        );
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_names_that_exist() {
        let error = "gremlins".parse::<Fault>().unwrap_err();
        assert_eq!(error.code(), "sandbox.fault.unknown");
        let words = error.to_string();
        assert!(words.contains("gremlins"));
        for name in Fault::names() {
            assert!(words.contains(&name), "{name} is not listed");
        }
    }

    #[test]
    fn a_delay_needs_a_time() {
        for text in ["delay:", "delay:x", "delay:-1", "delay:60001"] {
            let error = text.parse::<Fault>().unwrap_err();
            assert_eq!(error.code(), "sandbox.fault.no-delay", "{text}");
        }
    }

    #[test]
    fn a_dropped_field_needs_a_name() {
        for text in [
            "drop-field:",
            "drop-field:.x",
            "drop-field:a..b",
            "refuse-field:",
        ] {
            let error = text.parse::<Fault>().unwrap_err();
            assert_eq!(error.code(), "sandbox.fault.no-field", "{text}");
        }
    }
}
