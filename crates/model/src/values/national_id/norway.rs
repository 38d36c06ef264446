//! Fødselsnummer and D-number: day, month, year, three individual digits, two check digits.
//!
//! Sources: Skatteetaten's documentation of Folkeregisteret ("Nytt fødselsnummer fra 2032",
//! "Utvidelse av D-nummerserien" of 24 June 2021), Forskrift til folkeregisterloven § 2-2, and for
//! test numbers the practice of Skatteetaten (Tenor, month + 80), NAV (month + 40) and Norsk
//! Helsenett (month + 65).

use jiff::civil::Date;

use super::super::digits::{self, three, two};
use super::{IdRules, NationalIdKind, Reading, Synthetic, ValueError, born};

const WEIGHTS_1: [u32; 9] = [3, 7, 6, 1, 8, 9, 4, 5, 2];
const WEIGHTS_2: [u32; 10] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];

/// From this day on numbers are given out whose first check digit may leave a remainder of 0 to 3,
/// and whose individual digits no longer tell the century.
const NEW_NUMBERS_FROM: Date = jiff::civil::date(2032, 1, 1);

const CHARACTER: ValueError = ValueError::new(
    "national_id.character",
    "A Norwegian national id holds only digits.",
    "Give the eleven digits, or say which other country issued the number.",
);
const LENGTH: ValueError = ValueError::new(
    "national_id.length",
    "A Norwegian national id has eleven digits.",
    "Check the number; a spreadsheet may have removed a zero at its beginning.",
);
const DATE: ValueError = ValueError::new(
    "national_id.date",
    "The Norwegian national id does not begin with a date (day, month, year).",
    "Check the first six digits; a hospital's helper number is no national id.",
);
const CHECKSUM: ValueError = ValueError::new(
    "national_id.checksum",
    "The check digits of the Norwegian national id are wrong.",
    "Compare it with a document; a digit is wrong or two have changed places.",
);
const CENTURY: ValueError = ValueError::new(
    "national_id.century",
    "The Norwegian national id has individual digits that were never given out for its year.",
    "Compare it with a document.",
);
const SYNTHETIC: ValueError = ValueError::new(
    "national_id.synthetic",
    "The Norwegian national id is a test number or a helper number and belongs to nobody.",
    "Give the person's own number; test numbers are accepted only where the organisation says so.",
);

pub(super) const ERRORS: &[ValueError] = &[CHARACTER, LENGTH, DATE, CHECKSUM, CENTURY, SYNTHETIC];

pub(super) fn read(text: &str, rules: &IdRules) -> Result<Reading, ValueError> {
    let canonical = undecorated(text);
    if !canonical.chars().all(|c| c.is_ascii_digit()) {
        return Err(CHARACTER);
    }
    let number: [u8; 11] = digits::exactly(&canonical).ok_or(LENGTH)?;
    let parts = Parts::of(number);
    if !parts.is_a_day_of_some_century() {
        return Err(DATE);
    }
    let new_numbers_exist = rules.today >= NEW_NUMBERS_FROM;
    let form = Form::of(number).ok_or(CHECKSUM)?;
    // Nothing of the new form was given out before 2032; until then it is a typing mistake.
    // Registers for tests hold such numbers today, so that systems can prepare.
    if form == Form::Of2032 && !new_numbers_exist && !parts.synthetic {
        return Err(CHECKSUM);
    }
    if parts.synthetic && rules.synthetic == Synthetic::Refuse {
        return Err(SYNTHETIC);
    }
    let date_of_birth = if form == Form::Of2032 || new_numbers_exist {
        // A new number may look like an old one, so from 2032 on no number tells its century.
        None
    } else {
        let date = parts.date_of_birth(rules.today).ok_or(CENTURY)?;
        Some(born(date, rules)?)
    };
    Ok(Reading {
        kind: parts.kind,
        canonical,
        date_of_birth,
        synthetic: parts.synthetic,
    })
}

/// No other country among ours writes eleven digits.
pub(super) fn is_written_like(text: &str) -> bool {
    digits::exactly::<11>(&undecorated(text)).is_some()
}

fn undecorated(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '-' | '.')).collect()
}

/// Which rule the check digits follow.
#[derive(PartialEq, Eq)]
enum Form {
    Of1964,
    Of2032,
}

impl Form {
    fn of(number: [u8; 11]) -> Option<Self> {
        let [.., first, second] = number;
        let remainder_1 = (digits::weighted_sum(&number, &WEIGHTS_1) + u32::from(first)) % 11;
        let remainder_2 = (digits::weighted_sum(&number, &WEIGHTS_2) + u32::from(second)) % 11;
        match (remainder_1, remainder_2) {
            (0, 0) => Some(Self::Of1964),
            (1..=3, 0) => Some(Self::Of2032),
            _ => None,
        }
    }
}

/// The number taken apart, with what was added to day and month taken off again.
struct Parts {
    kind: NationalIdKind,
    synthetic: bool,
    day: u8,
    month: u8,
    year: u8,
    individual: u16,
}

impl Parts {
    const fn kind_and_day(day: u8) -> (NationalIdKind, u8) {
        match day {
            41..=71 => (NationalIdKind::DNumber, day - 40),
            _ => (NationalIdKind::Fodselsnummer, day),
        }
    }

    /// Month + 40 is NAV's test number and also the helper number (H-nummer) of health care, which
    /// is used inside one institution: neither is anybody's national id.
    const fn synthetic_and_month(month: u8) -> (bool, u8) {
        match month {
            41..=52 => (true, month - 40),
            66..=77 => (true, month - 65),
            81..=92 => (true, month - 80),
            _ => (false, month),
        }
    }

    fn of(number: [u8; 11]) -> Self {
        let [d1, d2, m1, m2, y1, y2, i1, i2, i3, _, _] = number;
        let (kind, day) = Self::kind_and_day(two(d1, d2));
        let (synthetic, month) = Self::synthetic_and_month(two(m1, m2));
        Self {
            kind,
            synthetic,
            day,
            month,
            year: two(y1, y2),
            individual: three(i1, i2, i3),
        }
    }

    fn is_a_day_of_some_century(&self) -> bool {
        [1800, 1900, 2000]
            .iter()
            .any(|century| self.in_century(*century).is_some())
    }

    fn in_century(&self, century: i16) -> Option<Date> {
        digits::date(century, self.year, self.month, self.day)
    }

    fn date_of_birth(&self, today: Date) -> Option<Date> {
        match self.kind {
            NationalIdKind::DNumber => self.date_of_birth_in_d_number(today),
            _ => self.in_century(match (self.individual, self.year) {
                (0..=499, _) => 1900,
                (500..=749, 54..) => 1800,
                (500..=999, ..=39) => 2000,
                (900..=999, 40..) => 1900,
                _ => return None,
            }),
        }
    }

    /// The series of D-numbers as widened in August 2021. The series 200 to 499 of the years 00 to
    /// 39 went to the 2000s then; the few given out earlier to people born in the 1900s are told
    /// apart only when the other reading lies in the future.
    fn date_of_birth_in_d_number(&self, today: Date) -> Option<Date> {
        match (self.individual, self.year) {
            (0..=199, ..=39) => self.in_century(1900),
            (200..=499, ..=39) => match self.in_century(2000) {
                Some(date) if date <= today => Some(date),
                _ => self.in_century(1900),
            },
            (500..=999, ..=39) => self.in_century(2000),
            (500..=599, 58..) => self.in_century(1800),
            (500..=599, _) => None,
            _ => self.in_century(1900),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::super::{Country, NationalId};
    use super::*;

    fn rules(synthetic: Synthetic) -> IdRules {
        IdRules {
            today: date(2026, 11, 22),
            synthetic,
        }
    }

    fn parse(said: &str, rules: IdRules) -> Result<NationalId, &'static str> {
        NationalId::parse(said, Some(Country::NORWAY), &rules).map_err(|error| error.code)
    }

    #[test]
    fn the_ways_of_writing_a_number_have_one_canonical_form() {
        for said in [
            "15108695088",
            "151086 95088",
            "151086-95088",
            "151086.95088",
        ] {
            let id = parse(said, rules(Synthetic::Refuse)).unwrap();
            assert_eq!(id.canonical(), "15108695088");
            assert_eq!(id.kind(), NationalIdKind::Fodselsnummer);
            assert_eq!(id.date_of_birth(), Some(date(1986, 10, 15)));
            assert!(!id.is_synthetic());
        }
    }

    #[test]
    fn each_fault_has_its_own_code() {
        let code = |said| parse(said, rules(Synthetic::Refuse)).unwrap_err();
        assert_eq!(code("15108695O88"), "national_id.character");
        assert_eq!(code("5108695088"), "national_id.length");
        assert_eq!(code("32108695088"), "national_id.date");
        assert_eq!(code("15208695088"), "national_id.date");
        assert_eq!(code("00000000000"), "national_id.date");
        assert_eq!(code("15108695077"), "national_id.checksum");
        assert_eq!(code("27068678221"), "national_id.century");
    }

    /// Examples that Skatteetaten (Tenor) and NAV published with their birth dates.
    #[test]
    fn published_test_numbers_are_refused_in_production_and_read_in_a_rehearsal() {
        for (said, kind, born) in [
            (
                "17912099997",
                NationalIdKind::Fodselsnummer,
                date(2020, 11, 17),
            ),
            ("57912075186", NationalIdKind::DNumber, date(2020, 11, 17)),
            (
                "29822099635",
                NationalIdKind::Fodselsnummer,
                date(2020, 2, 29),
            ),
            (
                "12829499914",
                NationalIdKind::Fodselsnummer,
                date(1994, 2, 12),
            ),
            ("61883600222", NationalIdKind::DNumber, date(1936, 8, 21)),
            (
                "21929774873",
                NationalIdKind::Fodselsnummer,
                date(1897, 12, 21),
            ),
            ("61929750062", NationalIdKind::DNumber, date(1897, 12, 21)),
            (
                "15507600333",
                NationalIdKind::Fodselsnummer,
                date(1976, 10, 15),
            ),
            ("55507608360", NationalIdKind::DNumber, date(1976, 10, 15)),
            ("45440356293", NationalIdKind::DNumber, date(2003, 4, 5)),
        ] {
            assert_eq!(
                parse(said, rules(Synthetic::Refuse)),
                Err("national_id.synthetic")
            );
            let id = parse(said, rules(Synthetic::Accept)).unwrap();
            assert!(id.is_synthetic());
            assert_eq!((id.kind(), id.date_of_birth()), (kind, Some(born)));
        }
    }

    /// The examples of Skatteetaten's page about the numbers of 2032.
    #[test]
    fn the_numbers_of_2032_are_read_from_the_day_they_exist_and_not_before() {
        let on = |today| IdRules {
            today,
            synthetic: Synthetic::Refuse,
        };
        for said in ["02013299903", "02013299806", "30108299939"] {
            let today = on(date(2032, 2, 1));
            // 02013299806 has the old form, which goes on being given out.
            assert_eq!(parse(said, today).map(|id| id.date_of_birth()), Ok(None));
        }
        assert_eq!(
            parse("30108299939", on(date(2031, 12, 31))),
            Err("national_id.checksum")
        );
        assert!(parse("30108299939", on(date(2032, 1, 1))).is_ok());
        assert_eq!(
            parse("30108299920", on(date(2026, 11, 22))).map(|id| id.date_of_birth()),
            Ok(Some(date(1982, 10, 30)))
        );
    }

    /// Of all check digits behind one person's nine digits, those that the page's formula gives.
    #[test]
    fn four_first_check_digits_at_most_are_right_in_2032_and_one_before() {
        let accepted = |today| -> Vec<String> {
            let rules = IdRules {
                today,
                synthetic: Synthetic::Refuse,
            };
            (0..100)
                .map(|check| format!("301082999{check:02}"))
                .filter(|said| parse(said, rules).is_ok())
                .collect()
        };
        assert_eq!(accepted(date(2031, 12, 31)), ["30108299920"]);
        assert_eq!(
            accepted(date(2032, 1, 1)),
            ["30108299920", "30108299939", "30108299947", "30108299955"]
        );
    }

    #[test]
    fn synthetic_numbers_of_2032_are_read_in_a_rehearsal_before_that_year() {
        let id = parse("11871858235", rules(Synthetic::Accept)).unwrap();
        assert!(id.is_synthetic());
        assert_eq!(id.date_of_birth(), None);
    }

    #[test]
    fn what_was_added_to_the_month_is_recognised_from_january_to_december() {
        for added in [40, 65, 80] {
            for month in 1..=12 {
                let found = Parts::synthetic_and_month(added + month);
                assert_eq!(found, (true, month));
            }
            for month in [added, added + 13] {
                assert_eq!(Parts::synthetic_and_month(month), (false, month));
            }
        }
    }

    #[test]
    fn the_individual_digits_of_a_birth_number_tell_the_century() {
        let born = |individual, year| {
            let parts = Parts {
                kind: NationalIdKind::Fodselsnummer,
                synthetic: false,
                day: 1,
                month: 6,
                year,
                individual,
            };
            let date = parts.date_of_birth(date(2026, 11, 22));
            date.map(|date| date.year())
        };
        for (individual, year, expected) in [
            (0, 0, Some(1900)),
            (499, 99, Some(1999)),
            (500, 53, None),
            (500, 54, Some(1854)),
            (749, 99, Some(1899)),
            (750, 99, None),
            (500, 39, Some(2039)),
            (999, 0, Some(2000)),
            (899, 40, None),
            (900, 40, Some(1940)),
            (999, 99, Some(1999)),
        ] {
            assert_eq!(born(individual, year), expected, "{individual} {year}");
        }
    }

    #[test]
    fn a_person_is_not_born_tomorrow() {
        let on = |today| IdRules {
            today,
            synthetic: Synthetic::Accept,
        };
        assert_eq!(
            parse("17912099997", on(date(2020, 11, 16))),
            Err("national_id.future")
        );
        assert!(parse("17912099997", on(date(2020, 11, 17))).is_ok());
    }

    #[test]
    fn d_numbers_of_the_moved_series_are_of_the_2000s_unless_that_is_in_the_future() {
        let of = |year, individual| Parts {
            kind: NationalIdKind::DNumber,
            synthetic: false,
            day: 1,
            month: 6,
            year,
            individual,
        };
        let today = date(2026, 11, 22);
        let born = |year, individual| of(year, individual).date_of_birth(today);
        assert_eq!(born(20, 250), Some(date(2020, 6, 1)));
        assert_eq!(born(35, 250), Some(date(1935, 6, 1)));
        assert_eq!(born(35, 150), Some(date(1935, 6, 1)));
        assert_eq!(born(85, 700), Some(date(1985, 6, 1)));
        assert_eq!(born(85, 550), Some(date(1885, 6, 1)));
        assert_eq!(born(45, 550), None);
    }
}
