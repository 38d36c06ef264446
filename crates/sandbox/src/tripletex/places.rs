//! Countries and municipalities that the simulated company refers to.

use super::resource::Resource;
use super::row::{Cell, Row};

/// Alpha-2, alpha-3 and numeric code of ISO 3166-1, and the vendor's name for it.
const COUNTRIES: &[(&str, &str, &str, &str)] = &[
    ("AT", "AUT", "040", "Østerrike"),
    ("AU", "AUS", "036", "Australia"),
    ("BE", "BEL", "056", "Belgia"),
    ("BG", "BGR", "100", "Bulgaria"),
    ("BR", "BRA", "076", "Brasil"),
    ("CA", "CAN", "124", "Canada"),
    ("CH", "CHE", "756", "Sveits"),
    ("CN", "CHN", "156", "Kina"),
    ("CZ", "CZE", "203", "Tsjekkia"),
    ("DE", "DEU", "276", "Tyskland"),
    ("DK", "DNK", "208", "Danmark"),
    ("EE", "EST", "233", "Estland"),
    ("ES", "ESP", "724", "Spania"),
    ("FI", "FIN", "246", "Finland"),
    ("FR", "FRA", "250", "Frankrike"),
    ("GB", "GBR", "826", "Storbritannia"),
    ("GR", "GRC", "300", "Hellas"),
    ("HR", "HRV", "191", "Kroatia"),
    ("HU", "HUN", "348", "Ungarn"),
    ("IE", "IRL", "372", "Irland"),
    ("IN", "IND", "356", "India"),
    ("IS", "ISL", "352", "Island"),
    ("IT", "ITA", "380", "Italia"),
    ("JP", "JPN", "392", "Japan"),
    ("LT", "LTU", "440", "Litauen"),
    ("LU", "LUX", "442", "Luxembourg"),
    ("LV", "LVA", "428", "Latvia"),
    ("NL", "NLD", "528", "Nederland"),
    ("NO", "NOR", "578", "Norge"),
    ("PL", "POL", "616", "Polen"),
    ("PT", "PRT", "620", "Portugal"),
    ("RO", "ROU", "642", "Romania"),
    ("SE", "SWE", "752", "Sverige"),
    ("SI", "SVN", "705", "Slovenia"),
    ("SK", "SVK", "703", "Slovakia"),
    ("UA", "UKR", "804", "Ukraina"),
    ("US", "USA", "840", "USA"),
];

/// Number, name and county of the municipalities that a division can lie in.
const MUNICIPALITIES: &[(&str, &str, &str)] = &[
    ("0301", "Oslo", "Oslo"),
    ("1103", "Stavanger", "Rogaland"),
    ("4601", "Bergen", "Vestland"),
    ("5001", "Trondheim", "Trøndelag"),
    ("5501", "Tromsø", "Troms"),
];

/// The id of Norway, as recorded; other countries' ids were not recorded.
pub(super) const NORWAY: u64 = 161;

/// The id of a country by its alpha-2 code, whether it is in the table or not.
///
/// Apart from Norway's recorded one, ids are made from the two letters, so that
/// each code has its own and the same in every company.
pub(super) fn country_id(alpha2: &str) -> u64 {
    if alpha2 == "NO" {
        return NORWAY;
    }
    alpha2
        .bytes()
        .fold(1, |id, letter| id * 256 + u64::from(letter))
}

/// The countries' rows; `used` adds codes that are not in the table.
pub(super) fn countries<'a>(used: impl IntoIterator<Item = &'a str>) -> Vec<Row> {
    let mut rows: Vec<Row> = COUNTRIES
        .iter()
        .map(|(alpha2, alpha3, numeric, name)| {
            country(alpha2, name)
                .with("isoAlpha3Code", Cell::text(*alpha3))
                .with("isoNumericCode", Cell::text(*numeric))
        })
        .collect();
    for code in used {
        let id = country_id(code);
        if !rows.iter().any(|row| row.id == id) {
            rows.push(country(code, code));
        }
    }
    rows
}

fn country(alpha2: &str, name: &str) -> Row {
    Row::new(Resource::Country, country_id(alpha2), 0)
        .with("name", Cell::text(name))
        .with("isoAlpha2Code", Cell::text(alpha2))
}

/// The municipalities' rows; the first is where a company's own division lies.
pub(super) fn municipalities() -> Vec<Row> {
    (1..)
        .zip(MUNICIPALITIES)
        .map(|(id, (number, name, county))| {
            Row::new(Resource::Municipality, id, 0)
                .with("number", Cell::text(*number))
                .with("name", Cell::text(*name))
                .with("county", Cell::text(*county))
        })
        .collect()
}
