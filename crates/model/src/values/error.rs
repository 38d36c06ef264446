use super::{bank_account, country, email, iban, national_id, phone};

/// Why a text is not the value it was read as.
///
/// All three parts are fixed texts of the program. That is what keeps the promise that an error
/// never repeats a national id, a bank account or an address: there is no field that could.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{problem} {remedy}")]
#[non_exhaustive]
pub struct ValueError {
    /// Stable name of the fault, such as `national_id.checksum`. Part of the interface: it is
    /// never renamed, and several texts may share one code (the same fault in two countries).
    pub code: &'static str,
    /// What is wrong, as a sentence.
    pub problem: &'static str,
    /// What to do about it, as a sentence.
    pub remedy: &'static str,
}

impl ValueError {
    pub(super) const fn new(
        code: &'static str,
        problem: &'static str,
        remedy: &'static str,
    ) -> Self {
        Self {
            code,
            problem,
            remedy,
        }
    }
}

/// Every error that reading a value can give, for the documentation of the codes.
pub fn value_errors() -> impl Iterator<Item = &'static ValueError> {
    [
        bank_account::ERRORS,
        country::ERRORS,
        email::ERRORS,
        iban::ERRORS,
        phone::ERRORS,
    ]
    .into_iter()
    .flatten()
    .chain(national_id::errors())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_error_says_what_is_wrong_and_what_to_do_under_a_stable_code() {
        let mut seen = HashSet::new();
        for error in value_errors() {
            let (value, fault) = error.code.split_once('.').expect("kind.fault");
            for part in [value, fault] {
                assert!(!part.is_empty());
                assert!(part.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            }
            assert!(error.problem.ends_with('.'), "{error:?}");
            assert!(error.remedy.ends_with('.'), "{error:?}");
            assert!(seen.insert(*error), "listed twice: {error:?}");
        }
        assert!(seen.len() > 30);
    }
}
