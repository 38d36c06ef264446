use std::fmt;

use iban::{BaseIban, IbanLike as _, ParseBaseIbanError, ParseIbanError};
use unicode_normalization::UnicodeNormalization as _;

use super::folding::is_hyphen;
use super::{Country, SEALED, ValueError, bank_account, digits};

const EMPTY: ValueError = ValueError::new(
    "iban.empty",
    "There is no IBAN.",
    "Give an IBAN, or leave the field out.",
);
const FORMAT: ValueError = ValueError::new(
    "iban.format",
    "The text is not built like an IBAN: two letters, two digits, then letters and digits.",
    "Give the whole IBAN, beginning with the country code.",
);
const CHECKSUM: ValueError = ValueError::new(
    "iban.checksum",
    "The check digits of the IBAN are wrong.",
    "Compare it with the account statement; a character is wrong or two have changed places.",
);
const COUNTRY: ValueError = ValueError::new(
    "iban.country",
    "The IBAN begins with the code of a country that issues none.",
    "Check the first two letters.",
);
const STRUCTURE: ValueError = ValueError::new(
    "iban.structure",
    "The IBAN has the wrong length or the wrong kind of characters for its country.",
    "Check that nothing is missing at its end.",
);
const ACCOUNT: ValueError = ValueError::new(
    "iban.account",
    "The Norwegian account number inside the IBAN has a wrong check digit.",
    "Make the IBAN again from the account number, and check that number first.",
);

pub(super) const ERRORS: &[ValueError] = &[EMPTY, FORMAT, CHECKSUM, COUNTRY, STRUCTURE, ACCOUNT];

/// An international bank account number (ISO 13616) with right check digits and its country's
/// structure; for Norway also with a right account number inside.
///
/// A sealed value: `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Iban {
    said: String,
    canonical: String,
    country: Country,
}

impl Iban {
    /// Reads an IBAN in either case, with or without spaces, hyphens or dots.
    ///
    /// # Errors
    ///
    /// A code that begins with `iban.`.
    pub fn parse(said: &str) -> Result<Self, ValueError> {
        let electronic: String = said
            .chars()
            .filter(|character| {
                !character.is_whitespace() && *character != '.' && !is_hyphen(*character)
            })
            .map(|character| character.to_ascii_uppercase())
            .collect();
        if electronic.is_empty() {
            return Err(EMPTY);
        }
        let iban = read(&electronic)?;
        let country = Country::parse(iban.country_code()).map_err(|_| COUNTRY)?;
        if country == Country::NORWAY {
            let account = digits::exactly(iban.bban_unchecked()).ok_or(STRUCTURE)?;
            if !bank_account::check_digit_holds(account) {
                return Err(ACCOUNT);
            }
        }
        Ok(Self {
            said: said.nfc().collect(),
            canonical: iban.electronic_str().to_owned(),
            country,
        })
    }

    /// What the source said, in NFC.
    #[must_use]
    pub fn said(&self) -> &str {
        &self.said
    }

    /// The electronic form, in capitals and without spaces: the compared form, and the one to
    /// digest.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The country of the bank.
    #[must_use]
    pub const fn country(&self) -> Country {
        self.country
    }
}

impl fmt::Debug for Iban {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(SEALED)
    }
}

/// The IBAN, with its check digits and its country's structure checked.
fn read(electronic: &str) -> Result<BaseIban, ValueError> {
    match electronic.parse::<iban::Iban>() {
        Ok(iban) => Ok(iban.into()),
        Err(ParseIbanError::UnknownCountry(iban)) => {
            let account = iban.bban_unchecked();
            match is_account_of_unlisted_country(iban.country_code(), account) {
                Some(true) => Ok(iban),
                Some(false) => Err(STRUCTURE),
                None => Err(COUNTRY),
            }
        }
        Err(ParseIbanError::InvalidBban(_)) => Err(STRUCTURE),
        Err(ParseIbanError::InvalidBaseIban { source }) => Err(match source {
            ParseBaseIbanError::InvalidChecksum => CHECKSUM,
            ParseBaseIbanError::InvalidFormat => FORMAT,
        }),
    }
}

/// The countries that SWIFT's IBAN registry holds and the table of the crate `iban_validate` 5.0.1
/// does not: Honduras (four letters, twenty digits) and Pakistan (four letters, sixteen characters).
fn is_account_of_unlisted_country(country: &str, account: &str) -> Option<bool> {
    let (bank, number) = account.split_at_checked(4)?;
    let is_bank = bank.bytes().all(|byte| byte.is_ascii_uppercase());
    match country {
        "HN" => Some(is_bank && digits::exactly::<20>(number).is_some()),
        "PK" => Some(is_bank && number.len() == 16),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(said: &str) -> &'static str {
        Iban::parse(said).expect_err("must be refused").code
    }

    #[test]
    fn the_ways_of_writing_an_iban_have_one_canonical_form() {
        for said in [
            "NO9386011117947",
            "no93 8601 1117 947",
            "NO93-8601 11 17947",
        ] {
            let iban = Iban::parse(said).unwrap();
            assert_eq!(iban.canonical(), "NO9386011117947");
            assert_eq!(iban.said(), said);
            assert_eq!(iban.country(), Country::NORWAY);
        }
    }

    #[test]
    fn each_fault_has_its_own_code() {
        assert_eq!(code("  "), "iban.empty");
        assert_eq!(code("86011117947"), "iban.format");
        assert_eq!(code("NO93 8601 1117 94å"), "iban.format");
        assert_eq!(code("NO9486011117947"), "iban.checksum");
        assert_eq!(code("DE8850010517540732493"), "iban.structure");
        assert_eq!(code("US5012345678901"), "iban.country");
        assert_eq!(code("NO6686011117948"), "iban.account");
    }

    #[test]
    fn countries_that_the_table_lacks_are_read_by_their_structure() {
        assert!(Iban::parse("PK36SCBL0000001123456702").is_ok());
        assert_eq!(code("PK50SC1L0000001123456702"), "iban.structure");
        assert!(Iban::parse("HN27ABCD00000000000123456789").is_ok());
        assert_eq!(code("HN15ABCD0000000000012345678X"), "iban.structure");
    }

    #[test]
    fn debug_shows_nothing_of_the_number() {
        assert_eq!(format!("{:?}", Iban::parse("NO9386011117947")), "Ok(••••)");
    }
}
