//! Laws of the validated values that hold for every text.

use jiff::civil::{Date, date};
use muster_model::values::{
    BankAccount, Country, Email, Iban, IdRules, NationalId, Phone, Synthetic, fold_name, fold_text,
};
use proptest::prelude::*;

const NORDIC: [Country; 4] = [
    Country::NORWAY,
    Country::SWEDEN,
    Country::DENMARK,
    Country::FINLAND,
];

/// Any text, and texts close enough to the real thing to get past the first checks.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9 .+()/-]{0,24}",
        "[0-9]{10,12}",
        "[0-9]{6}[-+A-FU-Y]?[0-9]{3}[0-9A-Y]",
        "[A-Za-z]{2}[0-9]{2}[A-Za-z0-9 ]{5,32}",
        "[a-zåéß.+İı@-]{0,12}@[a-zåß.-]{0,12}",
        "\\+?[0-9]{1,17}",
        "00[0-9]{6,14}",
    ]
}

fn countries() -> impl Strategy<Value = Option<Country>> {
    prop_oneof![
        Just(None),
        prop::sample::select(&NORDIC[..]).prop_map(Some),
        prop::sample::select(vec!["US", "GB", "IT", "RU", "AR", "BR", "MX", "AQ", "DE"])
            .prop_map(|code| Country::parse(code).ok()),
    ]
}

fn days() -> impl Strategy<Value = Date> {
    (1970i16..2060, 1i8..=12, 1i8..=28).prop_map(|(year, month, day)| date(year, month, day))
}

fn rules() -> impl Strategy<Value = IdRules> {
    let synthetic = prop_oneof![Just(Synthetic::Refuse), Just(Synthetic::Accept)];
    (days(), synthetic).prop_map(|(today, synthetic)| IdRules { today, synthetic })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_makes_reading_panic_and_what_is_read_reads_back_as_itself(
        text in texts(),
        country in countries(),
        rules in rules(),
    ) {
        if let Ok(email) = Email::parse(&text) {
            // An address cannot always be read from its folded form: folding may make it longer.
            prop_assert_eq!(fold_text(email.folded()), email.folded());
            prop_assert_eq!(email.folded().matches('@').count(), 1);
        }
        if let Ok(phone) = Phone::parse(&text, country) {
            for region in [None, country] {
                let again = Phone::parse(phone.e164(), region).map(|phone| phone.e164().to_owned());
                prop_assert_eq!(again.as_deref(), Ok(phone.e164()));
            }
            prop_assert!(phone.e164().len() <= 16);
        }
        if let Ok(account) = BankAccount::parse(&text) {
            let again = BankAccount::parse(account.canonical()).map(|a| a.canonical().to_owned());
            prop_assert_eq!(again.as_deref(), Ok(account.canonical()));
        }
        if let Ok(iban) = Iban::parse(&text) {
            let again = Iban::parse(iban.canonical()).map(|iban| iban.canonical().to_owned());
            prop_assert_eq!(again.as_deref(), Ok(iban.canonical()));
        }
        if let Ok(id) = NationalId::parse(&text, country, &rules) {
            let again = NationalId::parse(id.canonical(), Some(id.country()), &rules);
            let again = again.map(|id| (id.canonical().to_owned(), id.kind(), id.date_of_birth()));
            prop_assert_eq!(again, Ok((id.canonical().to_owned(), id.kind(), id.date_of_birth())));
            prop_assert!(id.date_of_birth().is_none_or(|born| born <= rules.today));
        }
    }

    #[test]
    fn folding_twice_is_folding_once(text in prop_oneof![any::<String>(), "[ÅåİıßẞΣσςǅﬁё̈́й ’'-]{0,12}"]) {
        let name = fold_name(&text);
        prop_assert_eq!(fold_name(&name), name);
        let folded = fold_text(&text);
        prop_assert_eq!(fold_text(&folded), folded);
    }

    #[test]
    fn folding_does_not_see_case_or_composition(text in any::<String>()) {
        use unicode_normalization::UnicodeNormalization as _;
        prop_assert_eq!(fold_text(&text.nfd().collect::<String>()), fold_text(&text));
        prop_assert_eq!(fold_name(&text.nfd().collect::<String>()), fold_name(&text));
    }

    #[test]
    fn an_error_never_repeats_what_was_said(
        digits in "[0-9]{9,13}",
        country in prop::sample::select(&NORDIC[..]),
        rules in rules(),
    ) {
        let errors = [
            NationalId::parse(&digits, Some(country), &rules).err(),
            NationalId::parse(&digits, None, &rules).err(),
            BankAccount::parse(&digits).err(),
            Iban::parse(&format!("NO{digits}")).err(),
        ];
        for error in errors.into_iter().flatten() {
            let printed = format!("{error} {error:?}");
            prop_assert!(!printed.contains(&digits));
        }
    }

    #[test]
    fn the_same_number_is_read_the_same_whatever_country_is_left_out(
        text in texts(),
        rules in rules(),
    ) {
        // Reading without a country may refuse, but never reads what the country would refuse.
        if let Ok(id) = NationalId::parse(&text, None, &rules) {
            prop_assert_eq!(NationalId::parse(&text, Some(id.country()), &rules), Ok(id));
        }
    }
}
