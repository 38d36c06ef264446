use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use super::folding::is_hyphen;
use super::{SEALED, ValueError, digits};

/// Weights of the first ten digits; with the check digit itself the sum is a multiple of 11.
const WEIGHTS: [u32; 10] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];

const EMPTY: ValueError = ValueError::new(
    "bank_account.empty",
    "There is no bank account number.",
    "Give a number, or leave the field out.",
);
const CHARACTER: ValueError = ValueError::new(
    "bank_account.character",
    "The bank account number holds something else than digits, dots and spaces.",
    "Give the eleven digits of a Norwegian account; an international number belongs in the IBAN field.",
);
const LENGTH: ValueError = ValueError::new(
    "bank_account.length",
    "The bank account number does not have eleven digits.",
    "Check the number; a spreadsheet may have removed a zero at its beginning.",
);
const PLACEHOLDER: ValueError = ValueError::new(
    "bank_account.placeholder",
    "The bank account number is nothing but zeros.",
    "Give the account's number, or leave the field out.",
);
const CHECKSUM: ValueError = ValueError::new(
    "bank_account.checksum",
    "The check digit of the bank account number is wrong.",
    "Compare the number with the account statement; a digit is wrong or two have changed places.",
);

pub(super) const ERRORS: &[ValueError] = &[EMPTY, CHARACTER, LENGTH, PLACEHOLDER, CHECKSUM];

/// A Norwegian bank account number: eleven digits, the last of them a check digit modulo 11.
///
/// Whether the bank exists and the account is open is not known here. A sealed value: `Debug`
/// shows nothing of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BankAccount {
    said: String,
    canonical: String,
}

impl BankAccount {
    /// Reads an account number, written with or without dots, spaces or hyphens.
    ///
    /// # Errors
    ///
    /// A code that begins with `bank_account.`.
    pub fn parse(said: &str) -> Result<Self, ValueError> {
        let canonical: String = said
            .chars()
            .filter(|character| {
                !character.is_whitespace() && *character != '.' && !is_hyphen(*character)
            })
            .collect();
        if canonical.is_empty() {
            return Err(EMPTY);
        }
        if !canonical
            .chars()
            .all(|character| character.is_ascii_digit())
        {
            return Err(CHARACTER);
        }
        let account: [u8; 11] = digits::exactly(&canonical).ok_or(LENGTH)?;
        if account == [0; 11] {
            // Zeros satisfy the check digit, and people type them to get past a required field.
            return Err(PLACEHOLDER);
        }
        if !check_digit_holds(account) {
            return Err(CHECKSUM);
        }
        Ok(Self {
            said: said.nfc().collect(),
            canonical,
        })
    }

    /// What the source said, in NFC.
    #[must_use]
    pub fn said(&self) -> &str {
        &self.said
    }

    /// The eleven digits: the compared form, and the one to digest.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }
}

impl fmt::Debug for BankAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(SEALED)
    }
}

pub(super) fn check_digit_holds(account: [u8; 11]) -> bool {
    let [.., check] = account;
    (digits::weighted_sum(&account, &WEIGHTS) + u32::from(check)).is_multiple_of(11)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(said: &str) -> &'static str {
        BankAccount::parse(said).expect_err("must be refused").code
    }

    #[test]
    fn the_ways_of_writing_an_account_have_one_canonical_form() {
        for said in [
            "86011117947",
            "8601.11.17947",
            "8601 11 17947",
            " 8601\u{a0}1117947",
        ] {
            let account = BankAccount::parse(said).unwrap();
            assert_eq!(account.canonical(), "86011117947");
            assert_eq!(account.said(), said);
        }
    }

    #[test]
    fn each_fault_has_its_own_code() {
        assert_eq!(code(" . "), "bank_account.empty");
        assert_eq!(code("NO9386011117947"), "bank_account.character");
        assert_eq!(code("6011117947"), "bank_account.length");
        assert_eq!(code("860111179470"), "bank_account.length");
        assert_eq!(code("0000 00 00000"), "bank_account.placeholder");
        assert_eq!(code("86011117948"), "bank_account.checksum");
        assert_eq!(code("68011117947"), "bank_account.checksum");
    }

    #[test]
    fn debug_shows_nothing_of_the_number() {
        let account = BankAccount::parse("86011117947").unwrap();
        assert_eq!(
            format!("{account:?} {:?}", Some(&account)),
            "•••• Some(••••)"
        );
    }
}
