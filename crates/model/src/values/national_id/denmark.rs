//! CPR: day, month, year and four digits, the first of which tells the century.
//!
//! Source: CPR-kontoret, "Personnummeret i CPR". Its modulus-11 check has not held since 2007
//! ("Personnumre uden kontrolciffer"), also for people born earlier, so it is never looked at.

use super::super::digits::{self, two};
use super::{IdRules, NationalIdKind, Reading, ValueError, born};

const CHARACTER: ValueError = ValueError::new(
    "national_id.character",
    "A Danish national id holds only digits and a hyphen.",
    "Write it as DDMMYY-NNNN, or say which other country issued the number.",
);
const LENGTH: ValueError = ValueError::new(
    "national_id.length",
    "A Danish national id has ten digits.",
    "Check the number; a spreadsheet may have removed a zero at its beginning.",
);
const DATE: ValueError = ValueError::new(
    "national_id.date",
    "The Danish national id does not begin with a date (day, month, year).",
    "Check the first six digits; a hospital's replacement number is no national id.",
);

pub(super) const ERRORS: &[ValueError] = &[CHARACTER, LENGTH, DATE];

pub(super) fn read(text: &str, rules: &IdRules) -> Result<Reading, ValueError> {
    let canonical = undecorated(text);
    if !canonical.chars().all(|c| c.is_ascii_digit()) {
        return Err(CHARACTER);
    }
    let number: [u8; 10] = digits::exactly(&canonical).ok_or(LENGTH)?;
    let [d1, d2, m1, m2, y1, y2, century_digit, ..] = number;
    let year = two(y1, y2);
    let century = match (century_digit, year) {
        (0..=3, _) | (4 | 9, 37..) => 1900,
        (5..=8, 58..) => 1800,
        _ => 2000,
    };
    let date = digits::date(century, year, two(m1, m2), two(d1, d2)).ok_or(DATE)?;
    Ok(Reading {
        kind: NationalIdKind::Cpr,
        canonical,
        date_of_birth: Some(born(date, rules)?),
        synthetic: false,
    })
}

/// Ten digits that begin with a day and a month.
pub(super) fn is_written_like(text: &str) -> bool {
    digits::exactly::<10>(&undecorated(text)).is_some_and(|[d1, d2, m1, m2, ..]| {
        (1..=31).contains(&two(d1, d2)) && (1..=12).contains(&two(m1, m2))
    })
}

fn undecorated(text: &str) -> String {
    text.chars().filter(|c| *c != '-').collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::super::{Country, NationalId, Synthetic};
    use super::*;

    fn parse(said: &str) -> Result<NationalId, &'static str> {
        let rules = IdRules {
            today: date(2026, 11, 22),
            synthetic: Synthetic::Refuse,
        };
        NationalId::parse(said, Some(Country::DENMARK), &rules).map_err(|error| error.code)
    }

    #[test]
    fn the_ways_of_writing_a_number_have_one_canonical_form() {
        for said in ["2110625629", "211062-5629", "211062 5629"] {
            let id = parse(said).unwrap();
            assert_eq!(id.canonical(), "2110625629");
            assert_eq!(id.date_of_birth(), Some(date(1862, 10, 21)));
        }
    }

    #[test]
    fn any_last_four_digits_are_accepted_because_the_check_digit_no_longer_holds() {
        let accepted = (0..10).filter(|last| parse(&format!("211062012{last}")).is_ok());
        assert_eq!(accepted.count(), 10);
    }

    #[test]
    fn the_seventh_digit_tells_the_century() {
        let year = |said| parse(said).map(|id| id.date_of_birth().map(|date| date.year()));
        assert_eq!(year("0101363000"), Ok(Some(1936)));
        assert_eq!(year("0101224000"), Ok(Some(2022)));
        assert_eq!(year("0101374000"), Ok(Some(1937)));
        assert_eq!(year("0101225000"), Ok(Some(2022)));
        assert_eq!(year("0101585000"), Ok(Some(1858)));
        assert_eq!(year("0101379000"), Ok(Some(1937)));
        assert_eq!(year("0101229000"), Ok(Some(2022)));
    }

    #[test]
    fn each_fault_has_its_own_code() {
        let code = |said| parse(said).unwrap_err();
        assert_eq!(code("211062-562A"), "national_id.character");
        assert_eq!(code("211062-562"), "national_id.length");
        assert_eq!(code("310262-0123"), "national_id.date");
        assert_eq!(code("811062-0123"), "national_id.date");
        assert_eq!(code("010157-5000"), "national_id.future");
    }
}
