//! Norwegian account numbers: eleven digits, the last a check digit modulo 11.

use super::national_id::check_digit;

/// Weights over the ten digits before the check digit (Finance Norway's rule
/// for account numbers).
const WEIGHTS: [u32; 10] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
/// The first two digits of every account here: one made-up bank.
const BANK: u64 = 99;
/// How many accounts there are before they repeat.
const ACCOUNTS: u64 = 10_000_000;
/// Has no factor in common with `ACCOUNTS`, so that no two people share an account.
const SCATTER: u64 = 7_654_321;

/// The account of one person; different for different ordinals below ten million.
pub(super) fn account(ordinal: u32) -> Option<String> {
    let serial = u64::from(ordinal) * SCATTER % ACCOUNTS;
    // For one of eleven stems there is no check digit; the next stem then has one.
    (0..2).find_map(|last| {
        let stem = format!("{:010}", BANK * 100_000_000 + serial * 10 + last);
        let digits: Vec<u32> = stem
            .chars()
            .filter_map(|digit| digit.to_digit(10))
            .collect();
        let check = check_digit(&digits, &WEIGHTS)?;
        Some(format!("{stem}{check}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn accounts_are_unique_and_their_digits_add_up() {
        let mut seen = HashSet::new();
        for ordinal in 0..20_000 {
            let account = account(ordinal).expect("one of two stems has a check digit");
            let digits: Vec<u32> = account.chars().filter_map(|c| c.to_digit(10)).collect();
            let weights = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1];
            let sum: u32 = digits.iter().zip(weights).map(|(d, w)| d * w).sum();
            assert_eq!((digits.len(), sum % 11), (11, 0), "{account}");
            assert!(seen.insert(account));
        }
    }
}
