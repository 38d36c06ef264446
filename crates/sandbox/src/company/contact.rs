//! Telephone numbers, addresses and accounts of made-up people.
//!
//! Swedish and British numbers come from the ranges that those countries'
//! regulators keep free for fiction (PTS: 070-174 06 05 to 99; Ofcom: 07700
//! 900000 to 900999). Norway keeps none; its numbers are in 40 0 to 40 9.
//! Nothing in this project ever calls or writes to any of them.

use super::bank_account;
use super::snapshot::{Address, Phone};
use super::stream::{Purpose, Stream, StreamKey};

const PLACES: &str = include_str!("../../data/places.txt");

/// Has no factor in common with a million: spreads the numbers of neighbours.
const SCATTER: u64 = 765_433;
/// How many numbers one person may have had before theirs touch the next person's.
const NUMBERS_EACH: u64 = 8;

/// A town with one street.
#[derive(Debug, Clone, Copy)]
struct Place {
    postal_code: &'static str,
    city: &'static str,
    country: &'static str,
    street: &'static str,
}

/// Where people can live.
#[derive(Debug)]
pub(super) struct Places(Vec<Place>);

impl Places {
    /// Reads the list that is compiled in.
    pub(super) fn load() -> Self {
        Self(
            table(PLACES)
                .filter_map(|columns| match *columns.as_slice() {
                    [postal_code, city, country, street] => Some(Place {
                        postal_code,
                        city,
                        country,
                        street,
                    }),
                    _ => None,
                })
                .collect(),
        )
    }

    /// The different towns of one country, in the order of the list.
    pub(super) fn towns(&self, country: &str) -> Vec<&'static str> {
        let mut towns: Vec<&'static str> = Vec::new();
        for place in self.0.iter().filter(|place| place.country == country) {
            if !towns.contains(&place.city) {
                towns.push(place.city);
            }
        }
        towns
    }
}

/// The rows of a list with columns divided by semicolons; `#` starts a comment line.
pub(super) fn table(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| line.split(';').map(str::trim).collect())
}

/// How one person can be reached and paid.
#[derive(Debug)]
pub(super) struct Contact {
    /// Their mobile number.
    pub(super) phone: Option<Phone>,
    /// Where they live.
    pub(super) address: Option<Address>,
    /// Their account.
    pub(super) bank_account: Option<String>,
    /// Whether they gave an address of their own.
    pub(super) personal_email: bool,
}

/// The contact data of one identity.
pub(super) fn draw(key: StreamKey, places: &Places, identity: u32) -> Contact {
    let mut stream = Stream::new(key, Purpose::Contact, identity);
    let phone = stream.chance(94).then(|| phone(key, identity, 0));
    let house = 1 + stream.below(140);
    let letter = stream.pick(&["", "", "", "A", "B"], "");
    let place = stream.below(u32::try_from(places.0.len()).unwrap_or(0));
    let address = places
        .0
        .get(place as usize)
        .filter(|_| stream.chance(92))
        .map(|place| Address {
            line: format!("{} {house}{letter}", place.street),
            postal_code: place.postal_code.to_owned(),
            city: place.city.to_owned(),
            country: place.country.to_owned(),
        });
    Contact {
        phone,
        address,
        bank_account: stream
            .chance(93)
            .then(|| bank_account::account(identity))
            .flatten(),
        personal_email: stream.chance(70),
    }
}

/// The number with this index (0 is the first) that one identity has had; a
/// new index gives a new number in the same country and style of typing.
pub(super) fn phone(key: StreamKey, identity: u32, index: u32) -> Phone {
    let mut stream = Stream::new(key, Purpose::Phone, identity);
    let serial = u64::from(identity) * NUMBERS_EACH + u64::from(index);
    let scattered = serial * SCATTER % 1_000_000;
    let typed = |country: &str, number: String| Phone {
        country: Some(country.to_owned()),
        number,
    };
    match stream.below(100) {
        0..6 => typed("SE", format!("070-174 06 {:02}", 5 + serial % 95)),
        6..9 => typed("GB", format!("07700 900{:03}", serial % 1_000)),
        style => {
            let digits = format!("40{scattered:06}");
            let (first, rest) = digits.split_at(3);
            let (middle, last) = rest.split_at(2);
            match style {
                9..40 => typed("NO", digits),
                40..75 => typed("NO", format!("{first} {middle} {last}")),
                75..90 => Phone {
                    country: None,
                    number: format!("+47 {first} {middle} {last}"),
                },
                _ => Phone {
                    country: None,
                    number: format!("0047{digits}"),
                },
            }
        }
    }
}

/// A number of ours as E.164.
pub(crate) fn e164(phone: &Phone) -> String {
    let digits: String = phone.number.chars().filter(char::is_ascii_digit).collect();
    let (code, national) = match phone.country.as_deref() {
        Some("SE") => ("46", digits.trim_start_matches('0')),
        Some("GB") => ("44", digits.trim_start_matches('0')),
        Some("NO") => ("47", digits.as_str()),
        _ => ("", digits.trim_start_matches('0')),
    };
    format!("+{code}{national}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: StreamKey = StreamKey {
        seed: 1,
        other: false,
    };

    #[test]
    fn a_new_number_differs_and_keeps_its_country() {
        for identity in 0..1_000 {
            let numbers: Vec<Phone> = (0..4).map(|index| phone(KEY, identity, index)).collect();
            for pair in numbers.windows(2) {
                assert_ne!(pair[0].number, pair[1].number);
                assert_eq!(pair[0].country, pair[1].country);
            }
        }
    }

    #[test]
    fn every_style_of_typing_has_one_international_form() {
        let mut countries = std::collections::BTreeSet::new();
        for identity in 0..1_000 {
            let international = e164(&phone(KEY, identity, 0));
            let (country, length) = match international.get(..3).expect("a sign and two digits") {
                "+47" => ("NO", 11),
                "+46" => ("SE", 12),
                "+44" => ("GB", 13),
                other => panic!("{other} is no calling code of ours"),
            };
            assert_eq!(international.len(), length, "{international}");
            countries.insert(country);
        }
        assert_eq!(countries.len(), 3);
    }

    #[test]
    fn every_line_of_the_list_of_places_is_read() {
        assert_eq!(Places::load().0.len(), table(PLACES).count());
        assert!(Places::load().towns("NO").len() >= 20);
    }
}
