//! Norwegian identity numbers of people who do not exist.
//!
//! A Norwegian number is the birth date as `ddmmyy`, three individual digits
//! that also tell the century, and two check digits (Norwegian Tax
//! Administration, "Fødselsnummer" and "D-nummer"). For test data that
//! administration adds 80 to the month, so that such a number can belong to
//! nobody; a D-number adds 40 to the day.

use std::collections::HashMap;

use jiff::civil::Date;

/// Weights of the first check digit over the nine digits before it.
const FIRST_WEIGHTS: [u32; 9] = [3, 7, 6, 1, 8, 9, 4, 5, 2];
/// Weights of the second check digit over the ten digits before it.
const SECOND_WEIGHTS: [u32; 10] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
/// What the month of a synthetic number is raised by.
const SYNTHETIC_MONTH: u32 = 80;
/// What the day of a D-number is raised by.
const D_NUMBER_DAY: u32 = 40;

/// Which of the two Norwegian numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NorwegianNumber {
    /// A fødselsnummer.
    Birth,
    /// A D-number.
    D,
}

/// The eleven digits; `None` where the check digits do not exist for these
/// individual digits, or the birth year is outside 1900 to 2039.
pub(super) fn synthetic(kind: NorwegianNumber, birth: Date, individual: u16) -> Option<String> {
    let day = u32::from(birth.day().unsigned_abs());
    let month = u32::from(birth.month().unsigned_abs());
    let year = u32::from(birth.year().unsigned_abs());
    if !individual_digits(birth)?.contains(&individual) {
        return None;
    }
    let individual = u32::from(individual);
    let day = match kind {
        NorwegianNumber::Birth => day,
        NorwegianNumber::D => day + D_NUMBER_DAY,
    };
    let month = month + SYNTHETIC_MONTH;
    let year = year % 100;
    let mut digits = vec![
        day / 10,
        day % 10,
        month / 10,
        month % 10,
        year / 10,
        year % 10,
        individual / 100,
        individual / 10 % 10,
        individual % 10,
    ];
    digits.push(check_digit(&digits, &FIRST_WEIGHTS)?);
    digits.push(check_digit(&digits, &SECOND_WEIGHTS)?);
    digits
        .into_iter()
        .map(|digit| char::from_digit(digit, 10))
        .collect()
}

/// The check digit modulo 11; `None` when it would have to be ten.
pub(super) fn check_digit(digits: &[u32], weights: &[u32]) -> Option<u32> {
    let sum: u32 = digits
        .iter()
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    match 11 - sum % 11 {
        11 => Some(0),
        10 => None,
        digit => Some(digit),
    }
}

/// The individual digits of a birth year's century: 000–499 for 1900–1999,
/// 500–999 for 2000–2039.
fn individual_digits(birth: Date) -> Option<std::ops::Range<u16>> {
    match birth.year() {
        1900..=1999 => Some(0..500),
        2000..=2039 => Some(500..1000),
        _ => None,
    }
}

/// Hands out individual digits so that nobody has a number twice.
#[derive(Debug, Default)]
pub(super) struct IndividualDigits {
    next: HashMap<Date, u16>,
}

impl IndividualDigits {
    /// The next digits of a birth date that give a number of this kind;
    /// `None` when the day has none left.
    pub(super) fn take(&mut self, kind: NorwegianNumber, birth: Date) -> Option<u16> {
        let range = individual_digits(birth)?;
        let next = self.next.entry(birth).or_insert(range.start);
        let found = (*next..range.end).find(|digits| synthetic(kind, birth, *digits).is_some())?;
        *next = found + 1;
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    /// Written apart from the code above: the sum over all digits must be a multiple of 11.
    fn checks(number: &str) -> bool {
        let digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
        let sum = |weights: &[u32]| -> u32 { digits.iter().zip(weights).map(|(d, w)| d * w).sum() };
        digits.len() == 11
            && sum(&[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 == 0
            && sum(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0
    }

    #[test]
    fn numbers_have_right_check_digits_and_a_synthetic_month() {
        let mut digits = IndividualDigits::default();
        for birth in [date(1961, 2, 3), date(1999, 12, 31), date(2004, 10, 9)] {
            for kind in [NorwegianNumber::Birth, NorwegianNumber::D] {
                let individual = digits.take(kind, birth).expect("digits are left");
                let number = synthetic(kind, birth, individual).expect("taken digits give one");
                assert!(checks(&number), "{number}");
                let month: u32 = number[2..4].parse().expect("digits");
                assert_eq!(month, u32::from(birth.month().unsigned_abs()) + 80);
                let day: u32 = number[0..2].parse().expect("digits");
                assert_eq!(day > 31, kind == NorwegianNumber::D);
            }
        }
    }

    #[test]
    fn a_wrong_digit_is_noticed_by_the_check() {
        let number = synthetic(NorwegianNumber::Birth, date(1980, 5, 5), 0)
            .or_else(|| synthetic(NorwegianNumber::Birth, date(1980, 5, 5), 1))
            .expect("one of the two exists");
        assert!(checks(&number));
        let wrong = number.replacen('8', "9", 1);
        assert!(!checks(&wrong));
    }

    #[test]
    fn a_day_gives_each_number_once_and_then_none() {
        let mut digits = IndividualDigits::default();
        let birth = date(1975, 6, 1);
        let mut taken = Vec::new();
        while let Some(individual) = digits.take(NorwegianNumber::Birth, birth) {
            taken.push(individual);
        }
        assert!(taken.len() > 350 && taken.len() < 500, "{}", taken.len());
        assert!(taken.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_birth_year_without_a_rule_has_no_number() {
        assert_eq!(synthetic(NorwegianNumber::Birth, date(1899, 1, 1), 0), None);
        assert_eq!(
            synthetic(NorwegianNumber::Birth, date(1980, 1, 1), 700),
            None
        );
    }
}
