use unicode_normalization::UnicodeNormalization as _;

use super::{NationalIdKind, Reading, ValueError};

/// Characters. The longest in use have about 20; what is longer is a sentence, not a number.
const LONGEST: usize = 40;

pub(super) const COUNTRY_CHECKED: ValueError = ValueError::new(
    "national_id.country_checked",
    "National ids of this country are checked, so this one cannot be kept unchecked.",
    "Read it by the country's rules.",
);
const TOO_LONG: ValueError = ValueError::new(
    "national_id.too_long",
    "The national id is longer than 40 characters.",
    "Give the number alone.",
);
const CHARACTER: ValueError = ValueError::new(
    "national_id.character",
    "The national id holds neither a letter nor a digit.",
    "Give the number, or leave the field out.",
);

pub(super) const ERRORS: &[ValueError] = &[COUNTRY_CHECKED, TOO_LONG, CHARACTER];

/// Any number: what stands between its letters and digits is taken for decoration.
pub(super) fn read(text: &str) -> Result<Reading, ValueError> {
    if text.chars().count() > LONGEST {
        return Err(TOO_LONG);
    }
    // Composed again, because what stood between two characters may have kept them apart.
    let letters_and_digits = text.chars().filter(|c| c.is_alphanumeric());
    let canonical: String = letters_and_digits.nfc().collect();
    if canonical.is_empty() {
        return Err(CHARACTER);
    }
    Ok(Reading {
        kind: NationalIdKind::Foreign,
        canonical,
        date_of_birth: None,
        synthetic: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_no_number_of_any_country_is_refused() {
        let code = |text: &str| read(text).err().map(|error| error.code);
        assert_eq!(code("1.85.05.78.006.084.36"), None);
        assert_eq!(code("--"), Some("national_id.character"));
        assert_eq!(code(&"1".repeat(40)), None);
        assert_eq!(code(&"1".repeat(41)), Some("national_id.too_long"));
    }
}
