//! Arithmetic on the decimal digits of a number. Numbers are held as arrays of a fixed length, so
//! that each rule names its digits in a pattern instead of reaching for positions.

use jiff::civil::Date;

/// The text as exactly `N` decimal digits, or nothing.
pub(super) fn exactly<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|character| character.to_digit(10).and_then(|d| u8::try_from(d).ok()))
        .collect();
    digits?.try_into().ok()
}

/// The number that two digits make.
pub(super) const fn two(tens: u8, ones: u8) -> u8 {
    tens * 10 + ones
}

/// The number that three digits make.
pub(super) fn three(hundreds: u8, tens: u8, ones: u8) -> u16 {
    u16::from(hundreds) * 100 + u16::from(tens) * 10 + u16::from(ones)
}

/// The sum of digits times weights, as long as both last.
pub(super) fn weighted_sum(digits: &[u8], weights: &[u32]) -> u32 {
    digits
        .iter()
        .zip(weights)
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum()
}

/// Whether the last digit is the check digit of the others by Luhn's method (ISO/IEC 7812-1).
pub(super) fn luhn_holds(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match u32::from(*digit) {
            digit if place % 2 == 0 => digit,
            digit if digit < 5 => digit * 2,
            digit => digit * 2 - 9,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The date, if there is such a day.
pub(super) fn date(century: i16, year_in_century: u8, month: u8, day: u8) -> Option<Date> {
    let month = i8::try_from(month).ok()?;
    let day = i8::try_from(day).ok()?;
    Date::new(century + i16::from(year_in_century), month, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_only_when_the_number_of_them_is_right() {
        assert_eq!(exactly::<3>("012"), Some([0, 1, 2]));
        for text in ["", "12", "0123", "01a", "01²", "٠١٢"] {
            assert_eq!(exactly::<3>(text), None, "{text}");
        }
    }

    #[test]
    fn luhn_accepts_the_example_of_the_standard_and_no_other_check_digit() {
        let accepted: Vec<u8> = (0..=9)
            .filter(|check| luhn_holds(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1, *check]))
            .collect();
        assert_eq!(accepted, [3]);
    }

    #[test]
    fn a_date_exists_or_not_by_the_calendar_of_its_century() {
        assert!(date(2000, 0, 2, 29).is_some());
        assert!(date(1900, 0, 2, 29).is_none());
        assert!(date(1900, 99, 13, 1).is_none());
        assert!(date(1900, 99, 1, 0).is_none());
        assert!(date(1900, 99, 1, 200).is_none());
    }
}
