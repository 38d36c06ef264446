mod denmark;
mod finland;
mod foreign;
mod norway;
mod sweden;

use std::fmt;

use jiff::civil::Date;
use unicode_normalization::UnicodeNormalization as _;

use super::folding::is_hyphen;
use super::{Country, SEALED, ValueError};

const EMPTY: ValueError = ValueError::new(
    "national_id.empty",
    "There is no national id.",
    "Give a number, or leave the field out.",
);
const COUNTRY_UNKNOWN: ValueError = ValueError::new(
    "national_id.country_unknown",
    "The national id could be of several countries, or of one whose rules are not known.",
    "Say which country issued it.",
);
const FUTURE: ValueError = ValueError::new(
    "national_id.future",
    "The national id belongs to a person who is not born yet.",
    "Check the digits of the birth date.",
);

/// Whether numbers made for tests are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Synthetic {
    /// Refuse them with `national_id.synthetic`: the setting of every real organisation.
    Refuse,
    /// Take them: rehearsals and organisations of developers.
    Accept,
}

/// What reading a national id depends on besides the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdRules {
    /// The civil date it is read on. It decides which century two digits mean, that nobody is born
    /// tomorrow, and since when Norway's numbers of 2032 exist.
    pub today: Date,
    /// Whether numbers made for tests are taken.
    pub synthetic: Synthetic,
}

/// Which register a national id comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NationalIdKind {
    /// Norway, people who are or were resident.
    Fodselsnummer,
    /// Norway, people with a passing connection to the country. It is replaced by a
    /// fødselsnummer when they settle, so one person may have had both.
    DNumber,
    /// Sweden, people who are or were resident.
    Personnummer,
    /// Sweden, people who never were. Replaced by a personnummer when they settle.
    Samordningsnummer,
    /// Denmark.
    Cpr,
    /// Finland.
    Hetu,
    /// Any other country: kept as said, unchecked.
    Foreign,
}

/// A national identity number that passed its country's checks.
///
/// A sealed value: `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NationalId {
    said: String,
    country: Country,
    reading: Reading,
}

/// What a country's rules find in a number.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Reading {
    kind: NationalIdKind,
    canonical: String,
    date_of_birth: Option<Date>,
    synthetic: bool,
}

impl NationalId {
    /// Reads a national id.
    ///
    /// Without a country it is read only where the way it is written belongs to one of Norway,
    /// Sweden, Denmark and Finland alone; check digits are never used to guess. With a country
    /// that has no rules here it is kept as by [`foreign`](Self::foreign).
    ///
    /// # Errors
    ///
    /// A code that begins with `national_id.`: `synthetic` for a number made for tests where the
    /// rules refuse it, `country_unknown` when the country must be said.
    pub fn parse(
        said: &str,
        country: Option<Country>,
        rules: &IdRules,
    ) -> Result<Self, ValueError> {
        let text = compact(said);
        if text.is_empty() {
            return Err(EMPTY);
        }
        let country = match country {
            Some(country) => country,
            None => only_country(&text)?,
        };
        let reading = match country {
            Country::NORWAY => norway::read(&text, rules)?,
            Country::SWEDEN => sweden::read(&text, rules)?,
            Country::DENMARK => denmark::read(&text, rules)?,
            Country::FINLAND => finland::read(&text, rules)?,
            _ => foreign::read(&text)?,
        };
        Ok(Self {
            said: said.nfc().collect(),
            country,
            reading,
        })
    }

    /// Keeps a number of a country whose rules are not known here.
    ///
    /// # Errors
    ///
    /// `national_id.empty`, `national_id.too_long` or `national_id.character` when it cannot be a
    /// number of any country, and `national_id.country_checked` for a country whose rules are
    /// known: [`parse`](Self::parse) applies them.
    pub fn foreign(country: Country, said: &str) -> Result<Self, ValueError> {
        if matches!(
            country,
            Country::NORWAY | Country::SWEDEN | Country::DENMARK | Country::FINLAND
        ) {
            return Err(foreign::COUNTRY_CHECKED);
        }
        let text = compact(said);
        if text.is_empty() {
            return Err(EMPTY);
        }
        Ok(Self {
            said: said.nfc().collect(),
            country,
            reading: foreign::read(&text)?,
        })
    }

    /// What the source said, in NFC.
    #[must_use]
    pub fn said(&self) -> &str {
        &self.said
    }

    /// The country that issued it.
    #[must_use]
    pub const fn country(&self) -> Country {
        self.country
    }

    /// The register it comes from.
    #[must_use]
    pub const fn kind(&self) -> NationalIdKind {
        self.reading.kind
    }

    /// The one form of this number, however it was written: 11 digits for Norway, 12 for Sweden,
    /// 10 for Denmark, 11 characters with the century sign for Finland. Unique within the country
    /// only: digest it together with [`country`](Self::country).
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.reading.canonical
    }

    /// The birth date in the number, where the number holds one with its century.
    ///
    /// It is what the number says and may differ from the person's birth date: registers give out
    /// a neighbouring day when a day is used up, and a birth date corrected later does not change
    /// the number.
    #[must_use]
    pub const fn date_of_birth(&self) -> Option<Date> {
        self.reading.date_of_birth
    }

    /// Whether the number was made for tests and belongs to nobody.
    #[must_use]
    pub const fn is_synthetic(&self) -> bool {
        self.reading.synthetic
    }
}

impl fmt::Debug for NationalId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(SEALED)
    }
}

/// Every error of this module and its countries.
pub(super) fn errors() -> impl Iterator<Item = &'static ValueError> {
    const OWN: &[ValueError] = &[EMPTY, COUNTRY_UNKNOWN, FUTURE];
    [
        OWN,
        norway::ERRORS,
        sweden::ERRORS,
        denmark::ERRORS,
        finland::ERRORS,
        foreign::ERRORS,
    ]
    .into_iter()
    .flatten()
}

/// The number without space, in capitals, and with one kind of hyphen.
fn compact(said: &str) -> String {
    said.nfc()
        .filter(|character| !character.is_whitespace())
        .map(|character| match character {
            hyphen if is_hyphen(hyphen) => '-',
            other => other.to_ascii_uppercase(),
        })
        .collect()
}

/// The country whose way of writing this is, if it is the only one.
fn only_country(text: &str) -> Result<Country, ValueError> {
    let mut countries = [
        (norway::is_written_like(text), Country::NORWAY),
        (sweden::is_written_like(text), Country::SWEDEN),
        (denmark::is_written_like(text), Country::DENMARK),
        (finland::is_written_like(text), Country::FINLAND),
    ]
    .into_iter()
    .filter_map(|(fits, country)| fits.then_some(country));
    match (countries.next(), countries.next()) {
        (Some(country), None) => Ok(country),
        _ => Err(COUNTRY_UNKNOWN),
    }
}

/// Refuses a birth date after today.
fn born(date: Date, rules: &IdRules) -> Result<Date, ValueError> {
    if date > rules.today {
        Err(FUTURE)
    } else {
        Ok(date)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const RULES: IdRules = IdRules {
        today: date(2026, 11, 22),
        synthetic: Synthetic::Refuse,
    };

    fn country_of(said: &str) -> Result<Country, &'static str> {
        NationalId::parse(said, None, &RULES)
            .map(|id| id.country())
            .map_err(|error| error.code)
    }

    #[test]
    fn a_number_written_as_only_one_country_does_is_read_without_being_told_the_country() {
        assert_eq!(country_of("151086 95088"), Ok(Country::NORWAY));
        assert_eq!(country_of("19811228-9841"), Ok(Country::SWEDEN));
        assert_eq!(country_of("811228-9841"), Ok(Country::SWEDEN));
        assert_eq!(country_of("131052-308T"), Ok(Country::FINLAND));
        assert_eq!(country_of("311250 0123"), Ok(Country::DENMARK));
    }

    #[test]
    fn a_number_that_two_countries_could_have_written_is_not_guessed() {
        // A date both as day-month-year and as year-month-day.
        assert_eq!(country_of("0102031234"), Err("national_id.country_unknown"));
        // 62 is the second of a month in a samordningsnummer.
        assert_eq!(country_of("2110625629"), Err("national_id.country_unknown"));
        // A Danish number with a hyphen is written like a Finnish one with a digit at its end.
        assert_eq!(
            country_of("311250-0123"),
            Err("national_id.country_unknown")
        );
        assert_eq!(country_of("AB123456C"), Err("national_id.country_unknown"));
        assert_eq!(country_of("123456789"), Err("national_id.country_unknown"));
        assert_eq!(country_of(" - "), Err("national_id.country_unknown"));
        assert_eq!(country_of(" "), Err("national_id.empty"));
    }

    #[test]
    fn a_number_of_another_country_is_kept_unchecked_in_one_form() {
        let kingdom = Country::parse("GB").unwrap();
        let id = NationalId::parse(" qq 12 34 56-c ", Some(kingdom), &RULES).unwrap();
        assert_eq!(id.said(), " qq 12 34 56-c ");
        assert_eq!(id.canonical(), "QQ123456C");
        assert_eq!(id.kind(), NationalIdKind::Foreign);
        assert_eq!(id.date_of_birth(), None);
        assert_eq!(NationalId::foreign(kingdom, " qq 12 34 56-c "), Ok(id));
    }

    #[test]
    fn a_country_with_rules_cannot_be_passed_off_as_foreign() {
        let error = NationalId::foreign(Country::NORWAY, "12345678901").unwrap_err();
        assert_eq!(error.code, "national_id.country_checked");
    }

    #[test]
    fn debug_shows_nothing_of_the_number() {
        let id = NationalId::parse("15108695088", None, &RULES);
        assert_eq!(format!("{id:?}"), "Ok(••••)");
    }
}
