//! Whose civil day it is: a person's own zone, else their location's, else the
//! country's when it has one, else the organisation's (`surfaces.md`).

use jiff::tz::TimeZone;

use crate::field::Field;
use crate::fields::Fields;
use crate::value::Value;

/// Countries with one civil time. Those with several (Russia, the United
/// States, Spain with the Canaries, Portugal with the Azores, …) are left out:
/// their country says nothing.
const ONE_ZONE: &[(&str, &str)] = &[
    ("AT", "Europe/Vienna"),
    ("BE", "Europe/Brussels"),
    ("BG", "Europe/Sofia"),
    ("CH", "Europe/Zurich"),
    ("CZ", "Europe/Prague"),
    ("DE", "Europe/Berlin"),
    ("DK", "Europe/Copenhagen"),
    ("EE", "Europe/Tallinn"),
    ("FI", "Europe/Helsinki"),
    ("GB", "Europe/London"),
    ("GR", "Europe/Athens"),
    ("HR", "Europe/Zagreb"),
    ("HU", "Europe/Budapest"),
    ("IE", "Europe/Dublin"),
    ("IN", "Asia/Kolkata"),
    ("IS", "Atlantic/Reykjavik"),
    ("IT", "Europe/Rome"),
    ("LT", "Europe/Vilnius"),
    ("LU", "Europe/Luxembourg"),
    ("LV", "Europe/Riga"),
    ("NO", "Europe/Oslo"),
    ("PL", "Europe/Warsaw"),
    ("RO", "Europe/Bucharest"),
    ("SE", "Europe/Stockholm"),
    ("SI", "Europe/Ljubljana"),
    ("SK", "Europe/Bratislava"),
];

/// The zone of somebody of whom these fields are known. A zone's name that
/// nobody knows counts as not said.
#[must_use]
pub fn zone_of(fields: &Fields, organisation: &TimeZone) -> TimeZone {
    let own = fields
        .text(Field::TimeZone)
        .and_then(|name| TimeZone::get(name).ok());
    own.or_else(|| of_country(country(fields)?))
        .unwrap_or_else(|| organisation.clone())
}

fn country(fields: &Fields) -> Option<&str> {
    fields
        .text(Field::Country)
        .or_else(|| match fields.value(Field::Address) {
            Some(Value::Address(address)) => address.country.as_deref(),
            _ => None,
        })
}

fn of_country(country: &str) -> Option<TimeZone> {
    let (_, name) = ONE_ZONE
        .iter()
        .find(|(code, _)| code.eq_ignore_ascii_case(country))?;
    TimeZone::get(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::said::Said;

    fn fields(zone: Option<&str>, country: Option<&str>) -> Fields {
        [(Field::TimeZone, zone), (Field::Country, country)]
            .into_iter()
            .map(|(field, text)| (field, Said::from_optional(text.map(Value::text))))
            .collect()
    }

    #[test]
    fn own_zone_before_country_before_organisation() {
        let organisation = TimeZone::get("Europe/Oslo").unwrap();
        for (zone, country, expected) in [
            (Some("Asia/Tokyo"), Some("FI"), "Asia/Tokyo"),
            (Some("Mars/Olympus"), Some("FI"), "Europe/Helsinki"),
            (None, Some("fi"), "Europe/Helsinki"),
            (None, Some("US"), "Europe/Oslo"),
            (None, None, "Europe/Oslo"),
        ] {
            let found = zone_of(&fields(zone, country), &organisation);
            assert_eq!(found.iana_name(), Some(expected));
        }
    }

    #[test]
    fn every_zone_of_the_list_exists() {
        for (country, name) in ONE_ZONE {
            assert!(TimeZone::get(name).is_ok(), "{country}: {name}");
        }
        assert!(ONE_ZONE.is_sorted());
    }
}
