//! Personnummer and samordningsnummer: year, month, day, three digits, one check digit (Luhn).
//!
//! Source: Folkbokföringslagen (1991:481) §§ 18 and 18 a, and Skatteverket's guidance on them: the
//! hyphen becomes a plus in the year a person turns 100, a samordningsnummer adds 60 to the day,
//! birth numbers go from 001 to 999, and the stored form has twelve digits with the century 18, 19
//! or 20. Skatteverket's test numbers are not told apart from real ones by any rule.

use super::super::digits::{self, three, two};
use super::{IdRules, NationalIdKind, Reading, ValueError, born};

const FORMAT: ValueError = ValueError::new(
    "national_id.format",
    "A Swedish national id holds only digits, and a hyphen or plus before the last four.",
    "Write it as YYMMDD-NNNN or YYYYMMDD-NNNN.",
);
const LENGTH: ValueError = ValueError::new(
    "national_id.length",
    "A Swedish national id has ten digits, or twelve with the century.",
    "Check the number; a spreadsheet may have removed a zero at its beginning.",
);
const DATE: ValueError = ValueError::new(
    "national_id.date",
    "The Swedish national id does not begin with a date (year, month, day).",
    "Check the digits before the last four.",
);
const CENTURY: ValueError = ValueError::new(
    "national_id.century",
    "The Swedish national id begins with a century in which no holder was born.",
    "Check the first two digits.",
);
const SERIAL: ValueError = ValueError::new(
    "national_id.serial",
    "The Swedish national id has the birth number 000, which is never given out.",
    "Compare it with a document.",
);
const CHECKSUM: ValueError = ValueError::new(
    "national_id.checksum",
    "The check digit of the Swedish national id is wrong.",
    "Compare it with a document; a digit is wrong or two have changed places.",
);

pub(super) const ERRORS: &[ValueError] = &[FORMAT, LENGTH, DATE, CENTURY, SERIAL, CHECKSUM];

pub(super) fn read(text: &str, rules: &IdRules) -> Result<Reading, ValueError> {
    let (century, number) = match Written::of(text)? {
        Written::WithCentury(century, number) => (century, number),
        Written::WithoutCentury { number, past_100 } => {
            let [y1, y2, ..] = number;
            (century_until(rules, two(y1, y2), past_100), number)
        }
    };
    if !(1800..=2000).contains(&century) {
        return Err(CENTURY);
    }
    let [y1, y2, m1, m2, d1, d2, n1, n2, n3, check] = number;
    let (kind, day) = kind_and_day(two(d1, d2));
    let date = digits::date(century, two(y1, y2), two(m1, m2), day).ok_or(DATE)?;
    if !digits::luhn_holds(&number) {
        return Err(CHECKSUM);
    }
    let serial = three(n1, n2, n3);
    if serial == 0 {
        return Err(SERIAL);
    }
    let year = date.year();
    Ok(Reading {
        kind,
        canonical: format!("{year:04}{m1}{m2}{d1}{d2}{serial:03}{check}"),
        date_of_birth: Some(born(date, rules)?),
        synthetic: false,
    })
}

/// Twelve digits, a plus, or ten digits that begin with a year, a month and a day.
pub(super) fn is_written_like(text: &str) -> bool {
    match Written::of(text) {
        Ok(Written::WithCentury(..)) => true,
        Ok(Written::WithoutCentury { number, .. }) => {
            let [_, _, m1, m2, d1, d2, ..] = number;
            let (_, day) = kind_and_day(two(d1, d2));
            (1..=12).contains(&two(m1, m2)) && (1..=31).contains(&day)
        }
        Err(_) => false,
    }
}

/// How the number was written; the ten digits are the same either way.
enum Written {
    WithCentury(i16, [u8; 10]),
    WithoutCentury { number: [u8; 10], past_100: bool },
}

impl Written {
    fn of(text: &str) -> Result<Self, ValueError> {
        let past_100 = text.contains('+');
        let digits = match text.rsplit_once(['-', '+']) {
            Some((date, serial)) if serial.len() == 4 => format!("{date}{serial}"),
            Some(_) => return Err(FORMAT),
            None => text.to_owned(),
        };
        if !digits.chars().all(|c| c.is_ascii_digit()) {
            return Err(FORMAT);
        }
        if let Some([c1, c2, number @ ..]) = digits::exactly::<12>(&digits) {
            return Ok(Self::WithCentury(i16::from(two(c1, c2)) * 100, number));
        }
        digits::exactly(&digits)
            .map(|number| Self::WithoutCentury { number, past_100 })
            .ok_or(LENGTH)
    }
}

/// The latest century in which the year is not after this year; one earlier with a plus.
fn century_until(rules: &IdRules, year: u8, past_100: bool) -> i16 {
    let this_year = rules.today.year();
    let this_century = this_year - this_year % 100;
    let latest = if this_century + i16::from(year) > this_year {
        this_century - 100
    } else {
        this_century
    };
    if past_100 { latest - 100 } else { latest }
}

const fn kind_and_day(day: u8) -> (NationalIdKind, u8) {
    match day {
        61..=91 => (NationalIdKind::Samordningsnummer, day - 60),
        _ => (NationalIdKind::Personnummer, day),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::super::super::{Country, NationalId, Synthetic};
    use super::*;

    fn parse(said: &str, today: Date) -> Result<NationalId, &'static str> {
        let rules = IdRules {
            today,
            synthetic: Synthetic::Refuse,
        };
        NationalId::parse(said, Some(Country::SWEDEN), &rules).map_err(|error| error.code)
    }

    const TODAY: Date = date(2026, 11, 22);

    #[test]
    fn ten_and_twelve_digits_have_one_canonical_form() {
        for said in ["811228-9841", "8112289841", "19811228-9841", "198112289841"] {
            let id = parse(said, TODAY).unwrap();
            assert_eq!(id.canonical(), "198112289841");
            assert_eq!(id.kind(), NationalIdKind::Personnummer);
            assert_eq!(id.date_of_birth(), Some(date(1981, 12, 28)));
        }
    }

    #[test]
    fn a_plus_means_past_one_hundred_and_the_year_depends_on_today() {
        let born = |said, today| parse(said, today).map(|id| id.date_of_birth());
        assert_eq!(born("121212-1212", TODAY), Ok(Some(date(2012, 12, 12))));
        assert_eq!(born("121212+1212", TODAY), Ok(Some(date(1912, 12, 12))));
        assert_eq!(
            born("121212-1212", date(2011, 12, 12)),
            Ok(Some(date(1912, 12, 12)))
        );
    }

    /// Skatteverket's own example.
    #[test]
    fn a_samordningsnummer_has_sixty_added_to_its_day() {
        let id = parse("701063-2391", TODAY).unwrap();
        assert_eq!(id.kind(), NationalIdKind::Samordningsnummer);
        assert_eq!(id.canonical(), "197010632391");
        assert_eq!(id.date_of_birth(), Some(date(1970, 10, 3)));
    }

    #[test]
    fn each_fault_has_its_own_code() {
        let code = |said| parse(said, TODAY).unwrap_err();
        assert_eq!(code("811228-984A"), "national_id.format");
        assert_eq!(code("8112-289841"), "national_id.format");
        assert_eq!(code("81-1228-9841"), "national_id.format");
        assert_eq!(code("11228-9841"), "national_id.length");
        assert_eq!(code("811328-9841"), "national_id.date");
        assert_eq!(code("811232-9841"), "national_id.date");
        assert_eq!(code("178112289841"), "national_id.century");
        assert_eq!(code("811228-9842"), "national_id.checksum");
        assert_eq!(code("811228-0006"), "national_id.serial");
        assert_eq!(code("261231-0017"), "national_id.future");
    }
}
