//! The validated values against python-stdnum, which shares no line of code with them.
//!
//! The numbers and verdicts are in `vectors/`, made by `vectors/generate.py`. Where the two differ
//! on purpose, the reason stands here; any other difference fails.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use muster_model::values::{
    BankAccount, Country, Iban, IdRules, NationalId, NationalIdKind, Synthetic, ValueError,
    fold_text,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use unicode_normalization::UnicodeNormalization as _;

#[derive(Deserialize)]
struct Vectors<Case> {
    today: Date,
    cases: Vec<Case>,
}

fn vectors<Case: DeserializeOwned>(json: &str) -> Vectors<Case> {
    match serde_json::from_str::<Vectors<Case>>(json) {
        Ok(vectors) => vectors,
        Err(error) => unreachable!("the vectors have another shape: {error}"),
    }
}

/// What came of comparing the verdicts: agreements on each side, and differences by reason.
#[derive(Default)]
struct Tally {
    both_accept: usize,
    both_refuse: usize,
    differ: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn add(&mut self, ours: bool, theirs: bool, reason: impl FnOnce() -> &'static str) {
        match (ours, theirs) {
            (true, true) => self.both_accept += 1,
            (false, false) => self.both_refuse += 1,
            _ => *self.differ.entry(reason()).or_default() += 1,
        }
    }

    /// Both sides must have been seen often, and the reasons for differing must be exactly these.
    fn assert_differs_only_for(&self, reasons: &[&str]) {
        assert!(self.both_accept >= 50, "accepted: {}", self.both_accept);
        assert!(self.both_refuse >= 50, "refused: {}", self.both_refuse);
        let found: Vec<_> = self.differ.keys().copied().collect();
        assert_eq!(found, reasons, "{:?}", self.differ);
    }
}

fn code<T>(result: &Result<T, ValueError>) -> &'static str {
    result
        .as_ref()
        .map_or_else(|error| error.code, |_| "accepted")
}

#[derive(Deserialize)]
struct PersonNumber {
    said: String,
    valid: bool,
    born: Option<Date>,
    checksum: Option<bool>,
}

fn read(
    case: &PersonNumber,
    country: Country,
    today: Date,
    synthetic: Synthetic,
) -> Result<NationalId, ValueError> {
    NationalId::parse(&case.said, Some(country), &IdRules { today, synthetic })
}

fn individual_digits(case: &PersonNumber) -> Option<u16> {
    case.said.get(6..9)?.parse().ok()
}

#[test]
fn norwegian_numbers_in_production() {
    let vectors = vectors::<PersonNumber>(include_str!("vectors/no_fodselsnummer.json"));
    let mut tally = Tally::default();
    let mut moved_d_numbers = 0;
    for case in &vectors.cases {
        let ours = read(case, Country::NORWAY, vectors.today, Synthetic::Refuse);
        tally.add(ours.is_ok(), case.valid, || match &ours {
            // stdnum takes month + 40 for a helper number and does not know test numbers.
            Err(error) if error.code == "national_id.synthetic" => "made for tests",
            // stdnum reads D-numbers by the series of birth numbers.
            Ok(id)
                if id.kind() == NationalIdKind::DNumber
                    && individual_digits(case).is_some_and(|i| (600..900).contains(&i)) =>
            {
                "series given to D-numbers in 2021"
            }
            _ => panic!("unexplained: {} is {} here", case.said, code(&ours)),
        });
        if let (Ok(id), Some(born)) = (&ours, case.born)
            && id.date_of_birth() != Some(born)
        {
            // The same day and month, a century apart.
            assert_eq!(id.kind(), NationalIdKind::DNumber, "{}", case.said);
            assert!(individual_digits(case).is_some_and(|individual| individual >= 200));
            let ours = id.date_of_birth().expect("a date");
            assert_eq!((ours.year() - born.year()).abs(), 100, "{}", case.said);
            moved_d_numbers += 1;
        }
    }
    tally.assert_differs_only_for(&["made for tests", "series given to D-numbers in 2021"]);
    assert!(moved_d_numbers > 0);
}

#[test]
fn norwegian_numbers_in_a_rehearsal_and_after_2032() {
    let vectors = vectors::<PersonNumber>(include_str!("vectors/no_fodselsnummer.json"));
    let mut refused_for_being_synthetic = 0;
    let mut only_from_2032 = 0;
    for case in &vectors.cases {
        let production = read(case, Country::NORWAY, vectors.today, Synthetic::Refuse);
        let rehearsal = read(case, Country::NORWAY, vectors.today, Synthetic::Accept);
        if code(&production) == "national_id.synthetic" {
            refused_for_being_synthetic += 1;
            assert!(rehearsal.is_ok_and(|id| id.is_synthetic()), "{}", case.said);
        } else {
            // What is not synthetic reads the same under both settings.
            assert_eq!(rehearsal, production, "{}", case.said);
        }
        let later = read(case, Country::NORWAY, date(2032, 1, 1), Synthetic::Refuse);
        if case.valid && production.is_ok() {
            assert!(
                later.is_ok(),
                "nobody loses a number in 2032: {}",
                case.said
            );
        }
        if later.is_ok() && code(&production) == "national_id.checksum" {
            only_from_2032 += 1;
        }
    }
    assert!(refused_for_being_synthetic > 50);
    assert!(only_from_2032 > 20);
}

#[test]
fn swedish_numbers() {
    let vectors = vectors::<PersonNumber>(include_str!("vectors/se_personnummer.json"));
    let mut tally = Tally::default();
    for case in &vectors.cases {
        let ours = read(case, Country::SWEDEN, vectors.today, Synthetic::Refuse);
        tally.add(ours.is_ok(), case.valid, || match (&ours, code(&ours)) {
            (Ok(id), _) if id.kind() == NationalIdKind::Samordningsnummer => "samordningsnummer",
            (_, "national_id.future") => "not born yet",
            (_, "national_id.serial") => "birth number 000",
            (_, ours) => panic!("unexplained: {} is {ours} here", case.said),
        });
        if let (Ok(id), Some(born)) = (&ours, case.born) {
            assert_eq!(id.date_of_birth(), Some(born), "{}", case.said);
        }
    }
    tally.assert_differs_only_for(&["birth number 000", "not born yet", "samordningsnummer"]);
}

#[test]
fn danish_numbers_whatever_their_old_check_digit_says() {
    let vectors = vectors::<PersonNumber>(include_str!("vectors/dk_cpr.json"));
    let mut tally = Tally::default();
    let mut accepted_by_checksum = BTreeMap::<bool, usize>::new();
    for case in &vectors.cases {
        let ours = read(case, Country::DENMARK, vectors.today, Synthetic::Refuse);
        tally.add(ours.is_ok(), case.valid, || {
            panic!("unexplained: {} is {} here", case.said, code(&ours))
        });
        if let Ok(id) = &ours {
            assert_eq!(id.date_of_birth(), case.born, "{}", case.said);
            let holds = case.checksum.expect("ten digits have a checksum");
            *accepted_by_checksum.entry(holds).or_default() += 1;
        }
    }
    tally.assert_differs_only_for(&[]);
    assert!(accepted_by_checksum[&true] > 0);
    assert!(accepted_by_checksum[&false] > 100);
}

#[derive(Deserialize)]
struct FinnishNumber {
    said: String,
    valid: bool,
    valid_temporary: bool,
}

#[test]
fn finnish_numbers() {
    let vectors = vectors::<FinnishNumber>(include_str!("vectors/fi_hetu.json"));
    for synthetic in [Synthetic::Refuse, Synthetic::Accept] {
        let rules = IdRules {
            today: vectors.today,
            synthetic,
        };
        let mut tally = Tally::default();
        for case in &vectors.cases {
            let ours = NationalId::parse(&case.said, Some(Country::FINLAND), &rules);
            let theirs = match synthetic {
                Synthetic::Refuse => case.valid,
                Synthetic::Accept => case.valid_temporary,
            };
            tally.add(ours.is_ok(), theirs, || match code(&ours) {
                "national_id.future" => "not born yet",
                ours => panic!("unexplained: {} is {ours} here", case.said),
            });
        }
        tally.assert_differs_only_for(&["not born yet"]);
    }
}

#[derive(Deserialize)]
struct Account {
    said: String,
    valid: bool,
}

#[test]
fn norwegian_bank_accounts() {
    let vectors = vectors::<Account>(include_str!("vectors/no_kontonr.json"));
    let mut tally = Tally::default();
    for case in &vectors.cases {
        let ours = BankAccount::parse(&case.said);
        tally.add(ours.is_ok(), case.valid, || match case.said.len() {
            // The postal giro is gone; its accounts had seven digits and Luhn's check digit.
            7 => "postal giro",
            11 if case.said.starts_with("0000") => "postal giro behind four zeros",
            _ => panic!("unexplained: {} is {} here", case.said, code(&ours)),
        });
    }
    tally.assert_differs_only_for(&["postal giro", "postal giro behind four zeros"]);
}

#[derive(Deserialize)]
struct InternationalAccount {
    said: String,
    valid: bool,
    valid_internationally: bool,
}

#[test]
fn international_bank_accounts() {
    let vectors = vectors::<InternationalAccount>(include_str!("vectors/iban.json"));
    let mut tally = Tally::default();
    for case in &vectors.cases {
        let ours = Iban::parse(&case.said);
        let country = case.said.get(..2).unwrap_or_default();
        tally.add(ours.is_ok(), case.valid, || match (&ours, country) {
            (Ok(_), country) if country != "NO" && case.valid_internationally => {
                "check digits inside the account of another country"
            }
            _ => panic!("unexplained: {} is {} here", case.said, code(&ours)),
        });
    }
    tally.assert_differs_only_for(&["check digits inside the account of another country"]);
}

#[derive(Deserialize)]
struct CaseFolding {
    pairs: Vec<(String, String)>,
}

#[test]
fn letters_fold_as_in_the_tables_of_unicode_and_no_others_are_merged() {
    let folding: CaseFolding =
        serde_json::from_str(include_str!("vectors/case_folding.json")).expect("JSON");
    assert!(folding.pairs.len() > 1_400);
    let table: BTreeMap<&str, &str> = folding
        .pairs
        .iter()
        .map(|(letter, folded)| (letter.as_str(), folded.as_str()))
        .collect();
    for (letter, folded) in &table {
        assert_eq!(
            fold_text(letter),
            fold_text(folded),
            "{letter} and {folded}"
        );
    }
    // In the blocks that were complete long ago, what the tables leave alone is left alone.
    let old_letters = ('!'..'\u{0500}').filter(|letter| !letter.is_whitespace());
    for letter in old_letters {
        let composed: String = letter.nfc().collect();
        let folded_here = fold_text(&composed) != composed;
        let folded_by_unicode = table.contains_key(composed.as_str());
        assert!(
            folded_by_unicode || !folded_here,
            "{letter} is folded here and not by Unicode"
        );
    }
}
