//! Henkilötunnus (HETU): day, month, year, a century sign, three digits, a check character.
//!
//! Source: Digi- ja väestötietovirasto, "Henkilötunnuksen välimerkkiuudistus": since 2023 several
//! signs stand for one century, and two people may have numbers that differ in the sign alone. So
//! the sign is part of the number and is never replaced by another of its century. Individual
//! numbers 900 to 999 are temporary or made for tests and belong to nobody for good.

use super::super::digits::{self, three, two};
use super::{IdRules, NationalIdKind, Reading, Synthetic, ValueError, born};

const CHECK_CHARACTERS: &str = "0123456789ABCDEFHJKLMNPRSTUVWXY";

const FORMAT: ValueError = ValueError::new(
    "national_id.format",
    "A Finnish national id is six digits, a century sign, three digits and a check character.",
    "Write it as DDMMYY-NNNC, with the sign that stands in the document.",
);
const DATE: ValueError = ValueError::new(
    "national_id.date",
    "The Finnish national id does not begin with a date (day, month, year).",
    "Check the first six digits and the sign after them.",
);
const CHECKSUM: ValueError = ValueError::new(
    "national_id.checksum",
    "The check character of the Finnish national id is wrong.",
    "Compare it with a document; a digit is wrong or two have changed places.",
);
const SERIAL: ValueError = ValueError::new(
    "national_id.serial",
    "The Finnish national id has the individual number 000 or 001, which is never given out.",
    "Compare it with a document.",
);
const SYNTHETIC: ValueError = ValueError::new(
    "national_id.synthetic",
    "The Finnish national id is temporary or a test number (individual number 900 to 999).",
    "Give the person's own number; test numbers are accepted only where the organisation says so.",
);

pub(super) const ERRORS: &[ValueError] = &[FORMAT, DATE, CHECKSUM, SERIAL, SYNTHETIC];

pub(super) fn read(text: &str, rules: &IdRules) -> Result<Reading, ValueError> {
    let parts = Parts::of(text).ok_or(FORMAT)?;
    let date = digits::date(parts.century, parts.year, parts.month, parts.day).ok_or(DATE)?;
    if parts.expected_check_character() != Some(parts.check) {
        return Err(CHECKSUM);
    }
    let synthetic = match parts.individual {
        0..=1 => return Err(SERIAL),
        2..=899 => false,
        _ if rules.synthetic == Synthetic::Refuse => return Err(SYNTHETIC),
        _ => true,
    };
    Ok(Reading {
        kind: NationalIdKind::Hetu,
        canonical: text.to_owned(),
        date_of_birth: Some(born(date, rules)?),
        synthetic,
    })
}

/// The layout, and a day and a month at its beginning.
pub(super) fn is_written_like(text: &str) -> bool {
    Parts::of(text)
        .is_some_and(|parts| (1..=31).contains(&parts.day) && (1..=12).contains(&parts.month))
}

struct Parts {
    day: u8,
    month: u8,
    year: u8,
    century: i16,
    individual: u16,
    check: char,
}

impl Parts {
    fn of(text: &str) -> Option<Self> {
        let characters: [char; 11] = text.chars().collect::<Vec<_>>().try_into().ok()?;
        let [d1, d2, m1, m2, y1, y2, sign, n1, n2, n3, check] = characters;
        let century = match sign {
            '+' => 1800,
            '-' | 'U'..='Y' => 1900,
            'A'..='F' => 2000,
            _ => return None,
        };
        let digits: String = [d1, d2, m1, m2, y1, y2, n1, n2, n3].iter().collect();
        let [d1, d2, m1, m2, y1, y2, n1, n2, n3] = digits::exactly(&digits)?;
        Some(Self {
            day: two(d1, d2),
            month: two(m1, m2),
            year: two(y1, y2),
            century,
            individual: three(n1, n2, n3),
            check: CHECK_CHARACTERS.contains(check).then_some(check)?,
        })
    }

    /// The nine digits as one number, modulo 31.
    fn expected_check_character(&self) -> Option<char> {
        let date = [self.day, self.month, self.year]
            .iter()
            .fold(0, |number, part| number * 100 + usize::from(*part));
        let number = date * 1000 + usize::from(self.individual);
        CHECK_CHARACTERS.chars().nth(number % 31)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::super::{Country, NationalId};
    use super::*;

    fn parse(said: &str, synthetic: Synthetic) -> Result<NationalId, &'static str> {
        let rules = IdRules {
            today: date(2026, 11, 22),
            synthetic,
        };
        NationalId::parse(said, Some(Country::FINLAND), &rules).map_err(|error| error.code)
    }

    #[test]
    fn case_and_the_kind_of_hyphen_make_no_difference() {
        for said in ["131052-308T", "131052-308t", " 131052\u{2013}308T "] {
            let id = parse(said, Synthetic::Refuse).unwrap();
            assert_eq!(id.canonical(), "131052-308T");
            assert_eq!(id.date_of_birth(), Some(date(1952, 10, 13)));
        }
    }

    #[test]
    fn each_century_sign_is_read_and_tells_people_apart() {
        let read = |sign| {
            parse(
                &format!("131012{sign}308{}", check("131012308")),
                Synthetic::Refuse,
            )
            .unwrap()
        };
        for (signs, year) in [("+", 1812), ("-UVWXY", 1912), ("ABCDEF", 2012)] {
            for sign in signs.chars() {
                let id = read(sign);
                assert_eq!(id.date_of_birth(), Some(date(year, 10, 13)));
                assert!(id.canonical().contains(sign));
            }
        }
        assert_ne!(read('-').canonical(), read('Y').canonical());
    }

    fn check(digits: &str) -> char {
        let number: usize = digits.parse().unwrap();
        CHECK_CHARACTERS.chars().nth(number % 31).unwrap()
    }

    /// Imagined people that Digi- ja väestötietovirasto publishes for tests.
    #[test]
    fn published_test_numbers_are_refused_in_production_and_read_in_a_rehearsal() {
        for (said, year) in [
            ("010594Y9032", 1994),
            ("020594X903P", 1994),
            ("050594U903M", 1994),
            ("010516B903X", 2016),
            ("020504A902E", 2004),
        ] {
            assert_eq!(parse(said, Synthetic::Refuse), Err("national_id.synthetic"));
            let id = parse(said, Synthetic::Accept).unwrap();
            assert!(id.is_synthetic());
            assert_eq!(id.date_of_birth().map(|date| date.year()), Some(year));
        }
    }

    #[test]
    fn each_fault_has_its_own_code() {
        let code = |said: &str| parse(said, Synthetic::Refuse).unwrap_err();
        assert_eq!(code("131052-308"), "national_id.format");
        assert_eq!(code("131052G308T"), "national_id.format");
        assert_eq!(code("131052-308G"), "national_id.format");
        assert_eq!(code("310252-308Y"), "national_id.date");
        assert_eq!(code("131052-308U"), "national_id.checksum");
        let with_serial = |number: &str| {
            let (date, serial) = number.split_at(6);
            code(&format!("{date}A{serial}{}", check(number)))
        };
        assert_eq!(with_serial("131012001"), "national_id.serial");
        assert_eq!(with_serial("131052308"), "national_id.future");
    }
}
