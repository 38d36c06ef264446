use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use super::folding::is_hyphen;
use super::numbering_plan::{self, NumberingPlan, is_expected_as_it_is};
use super::{Country, ValueError};

/// Digits of an international number with its country code: ITU-T E.164, 6.2.1.
const LONGEST_NUMBER: usize = 15;
/// More digits than that cannot be a number even with every prefix people dial before it.
const LONGEST_DIALLED: usize = LONGEST_NUMBER + 5;

const EMPTY: ValueError = ValueError::new(
    "phone.empty",
    "There is no phone number.",
    "Give a number, or leave the field out.",
);
const CHARACTER: ValueError = ValueError::new(
    "phone.character",
    "The phone number holds something else than digits, spaces and the usual signs between them.",
    "Give one number, without a name, a word or an extension.",
);
const REGION_MISSING: ValueError = ValueError::new(
    "phone.region_missing",
    "The phone number has no country code, and the organisation has no country to assume.",
    "Write it in international form, such as +47 and the number, or set the organisation's country.",
);
const REGION_UNKNOWN: ValueError = ValueError::new(
    "phone.region_unknown",
    "The country that is assumed for phone numbers has no numbering plan of its own.",
    "Write the number in international form, with + and the country code.",
);
const COUNTRY_CODE: ValueError = ValueError::new(
    "phone.country_code",
    "The phone number begins with a country code that does not exist.",
    "Check the digits after the + or 00.",
);
const IMPOSSIBLE: ValueError = ValueError::new(
    "phone.impossible",
    "No phone number of that country has this many digits.",
    "Check that nothing is missing, and write a number of another country with + in front.",
);

pub(super) const ERRORS: &[ValueError] = &[
    EMPTY,
    CHARACTER,
    REGION_MISSING,
    REGION_UNKNOWN,
    COUNTRY_CODE,
    IMPOSSIBLE,
];

/// A phone number that its country's numbering plan has room for.
///
/// *Possible* is enough, *valid* is not asked: plans open new series all the time, and the ranges
/// kept free for fiction and tests (such as 555-0100 to 555-0199 in North America) are never valid.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Phone {
    said: String,
    e164: String,
}

impl Phone {
    /// Reads a number in international form, or in the national form of `region` (the
    /// organisation's country).
    ///
    /// `00` counts as the international prefix everywhere, as people write it, besides what is
    /// dialled in the region (such as 011 in the United States). A `(0)` in an international number
    /// is left out, unless the country's numbers keep their zero.
    ///
    /// # Errors
    ///
    /// A code that begins with `phone.`; `phone.region_missing` when the number is national and no
    /// region is given.
    pub fn parse(said: &str, region: Option<Country>) -> Result<Self, ValueError> {
        let said: String = said.nfc().collect();
        let digits = international_digits(dialled(&said)?, region)?;
        // A national prefix is taken off by rules that were not made to be applied twice. A form
        // that does not read back as itself would compare as changed after each write.
        let reads_back = numbering_plan::international(&digits).as_ref() == Some(&digits);
        if digits.len() > LONGEST_NUMBER || !reads_back {
            return Err(IMPOSSIBLE);
        }
        let e164 = format!("+{digits}");
        Ok(Self { said, e164 })
    }

    /// What the source said, in NFC.
    #[must_use]
    pub fn said(&self) -> &str {
        &self.said
    }

    /// The compared form: `+`, country code and number, digits only (ITU-T E.164).
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.e164
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.e164)
    }
}

/// What one would dial: digits, with a `+` in front if the number was said in international form.
fn dialled(said: &str) -> Result<String, ValueError> {
    let said: String = said.trim().nfkc().collect();
    let text = match said.split_at_checked(4) {
        Some((scheme, number)) if scheme.eq_ignore_ascii_case("tel:") => number,
        _ => &said,
    };
    let text: String = text.chars().filter(|c| !is_unprinted(*c)).collect();
    let dialled = digits_and_plus(&text)?;
    let abroad = dialled
        .strip_prefix('+')
        .or_else(|| dialled.strip_prefix("00"));
    // Nearly everywhere "(0)" is the zero that is dialled at home only. In Italy it is part of the
    // number.
    let dialled = match abroad {
        Some(digits) if text.contains("(0)") && !is_expected_as_it_is(digits) => {
            digits_and_plus(&text.replace("(0)", ""))?
        }
        _ => dialled,
    };
    match dialled.trim_start_matches('+').len() {
        0 => Err(EMPTY),
        1..=LONGEST_DIALLED => Ok(dialled),
        _ => Err(IMPOSSIBLE),
    }
}

fn digits_and_plus(text: &str) -> Result<String, ValueError> {
    let mut dialled = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '+' if dialled.is_empty() => dialled.push('+'),
            digit if digit.is_ascii_digit() => dialled.push(digit),
            '.' | '/' | '(' | ')' => {}
            hyphen if is_hyphen(hyphen) => {}
            _ => return Err(CHARACTER),
        }
    }
    Ok(dialled)
}

/// Space, and the direction marks that address books put around a copied number.
fn is_unprinted(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// The country code and the number.
fn international_digits(dialled: String, region: Option<Country>) -> Result<String, ValueError> {
    if let Some(digits) = dialled.strip_prefix('+') {
        return from_abroad(digits);
    }
    let abroad = dialled.strip_prefix("00");
    let Some(region) = region else {
        return from_abroad(abroad.ok_or(REGION_MISSING)?);
    };
    let plan = NumberingPlan::of_country(region).ok_or(REGION_UNKNOWN)?;
    match abroad {
        // Where the region's own prefix fits it goes first: Australia's is 0011.
        Some(digits) if !plan.dials_abroad(&dialled) => from_abroad(digits),
        _ => plan.international(&dialled).ok_or(IMPOSSIBLE),
    }
}

fn from_abroad(digits: &str) -> Result<String, ValueError> {
    match numbering_plan::split_country_code(digits) {
        None => Err(COUNTRY_CODE),
        Some(_) => numbering_plan::international(digits).ok_or(IMPOSSIBLE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(said: &str, region: &str) -> Result<String, &'static str> {
        let region = (!region.is_empty()).then(|| Country::parse(region).unwrap());
        Phone::parse(said, region)
            .map(|phone| phone.e164)
            .map_err(|error| error.code)
    }

    #[test]
    fn the_ways_of_writing_a_number_have_one_international_form() {
        for (said, region, e164) in [
            ("1.515.555.0100", "US", "+15155550100"),
            ("(515) 555-0100", "US", "+15155550100"),
            ("+1 515 555 0100", "", "+15155550100"),
            ("001 515 555 0100", "NO", "+15155550100"),
            ("0047 22 33 44 55", "US", "+4722334455"),
            ("0047 22 33 44 55", "", "+4722334455"),
            ("011 47 22 33 44 55", "US", "+4722334455"),
            ("0011 47 22 33 44 55", "AU", "+4722334455"),
            ("22 33 44 55", "NO", "+4722334455"),
            ("4722334455", "NO", "+4722334455"),
            ("(+47) 22 33 44 55", "", "+4722334455"),
            ("tel:+47-22-33-44-55", "", "+4722334455"),
            ("\u{202A}+47\u{a0}22334455\u{202C}", "", "+4722334455"),
            ("＋４７２２３３４４５５", "", "+4722334455"),
            ("+44 (0)20 7946 0018", "", "+442079460018"),
            ("0044 (0) 7700 900123", "NO", "+447700900123"),
            ("020 7946 0018", "GB", "+442079460018"),
            ("07700 900123", "GB", "+447700900123"),
            ("+47 (0) 22 33 44 55", "", "+4722334455"),
            ("+39 (0)6 1234 5678", "", "+390612345678"),
            ("+49 (0)30 123456", "", "+4930123456"),
            ("+46 (0)8-465 004 12", "SE", "+46846500412"),
            ("06 12345678", "IT", "+390612345678"),
            ("8 (812) 345-67-89", "RU", "+78123456789"),
            ("+7 812 345-67-89", "", "+78123456789"),
        ] {
            assert_eq!(read(said, region), Ok(e164.to_owned()), "{said} {region}");
        }
    }

    #[test]
    fn what_was_said_is_kept() {
        let phone = Phone::parse(" 22 33 44 55", Some(Country::NORWAY)).unwrap();
        assert_eq!(phone.said(), " 22 33 44 55");
        assert_eq!(phone.to_string(), "+4722334455");
    }

    #[test]
    fn each_fault_has_its_own_code() {
        for (said, region, code) in [
            ("", "NO", "phone.empty"),
            (" + ", "NO", "phone.empty"),
            ("call Kari", "NO", "phone.character"),
            ("22 33 44 55 ext 12", "NO", "phone.character"),
            ("47+22334455", "NO", "phone.character"),
            ("22 33 44 55", "", "phone.region_missing"),
            ("22 33 44 55", "AQ", "phone.region_unknown"),
            ("+999 22 33 44 55", "NO", "phone.country_code"),
            ("22 33 44", "NO", "phone.impossible"),
            ("+47 22 33 44 55 6", "", "phone.impossible"),
            ("22334455 / 99887766", "NO", "phone.impossible"),
            ("1", "NO", "phone.impossible"),
            ("555-0100", "US", "phone.impossible"),
            ("9999999999999999999999", "NO", "phone.impossible"),
        ] {
            assert_eq!(read(said, region), Err(code), "{said} {region}");
        }
    }
}
