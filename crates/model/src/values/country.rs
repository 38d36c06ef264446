use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::ValueError;

const UNKNOWN: ValueError = ValueError::new(
    "country.unknown",
    "The text is not a country code of ISO 3166-1.",
    "Give the two-letter code, such as NO for Norway.",
);

pub(super) const ERRORS: &[ValueError] = &[UNKNOWN];

/// Officially assigned two-letter codes of ISO 3166-1, and `XK`, which the standard leaves to its
/// users and the European Union, SWIFT and the phone numbering plans use for Kosovo.
const CODES: &str = "\
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE \
EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM \
HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC \
LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA \
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO \
TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// The three-letter codes, in the order of [`CODES`].
const THREE_LETTERS: &str = "\
AND ARE AFG ATG AIA ALB ARM AGO ATA ARG ASM AUT AUS ABW ALA AZE BIH BRB BGD BEL BFA BGR BHR BDI \
BEN BLM BMU BRN BOL BES BRA BHS BTN BVT BWA BLR BLZ CAN CCK COD CAF COG CHE CIV COK CHL CMR CHN \
COL CRI CUB CPV CUW CXR CYP CZE DEU DJI DNK DMA DOM DZA ECU EST EGY ESH ERI ESP ETH FIN FJI FLK \
FSM FRO FRA GAB GBR GRD GEO GUF GGY GHA GIB GRL GMB GIN GLP GNQ GRC SGS GTM GUM GNB GUY HKG HMD \
HND HRV HTI HUN IDN IRL ISR IMN IND IOT IRQ IRN ISL ITA JEY JAM JOR JPN KEN KGZ KHM KIR COM KNA \
PRK KOR KWT CYM KAZ LAO LBN LCA LIE LKA LBR LSO LTU LUX LVA LBY MAR MCO MDA MNE MAF MDG MHL MKD \
MLI MMR MNG MAC MNP MTQ MRT MSR MLT MUS MDV MWI MEX MYS MOZ NAM NCL NER NFK NGA NIC NLD NOR NPL \
NRU NIU NZL OMN PAN PER PYF PNG PHL PAK POL SPM PCN PRI PSE PRT PLW PRY QAT REU ROU SRB RUS RWA \
SAU SLB SYC SDN SWE SGP SHN SVN SJM SVK SLE SMR SEN SOM SUR SSD STP SLV SXM SYR SWZ TCA TCD ATF \
TGO THA TJK TKL TLS TKM TUN TON TUR TTO TUV TWN TZA UKR UGA UMI USA URY UZB VAT VCT VEN VGB VIR \
VNM VUT WLF WSM XKX YEM MYT ZAF ZMB ZWE";

/// A country by its two-letter code of ISO 3166-1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(&'static str);

impl Country {
    /// Denmark.
    pub const DENMARK: Self = Self("DK");
    /// Finland.
    pub const FINLAND: Self = Self("FI");
    /// Norway.
    pub const NORWAY: Self = Self("NO");
    /// Sweden.
    pub const SWEDEN: Self = Self("SE");

    /// Reads a two-letter code in either case; space around it is ignored.
    ///
    /// # Errors
    ///
    /// `country.unknown` when no country has that code.
    pub fn parse(said: &str) -> Result<Self, ValueError> {
        let said = said.trim();
        CODES
            .split(' ')
            .find(|code| code.eq_ignore_ascii_case(said))
            .map(Self)
            .ok_or(UNKNOWN)
    }

    /// Reads a two-letter or a three-letter code, as some systems write them.
    ///
    /// # Errors
    ///
    /// `country.unknown` when no country has that code.
    pub fn parse_either(said: &str) -> Result<Self, ValueError> {
        let said = said.trim();
        let three = (THREE_LETTERS.split(' ')).position(|code| code.eq_ignore_ascii_case(said));
        match three.and_then(|place| CODES.split(' ').nth(place)) {
            Some(code) => Ok(Self(code)),
            None => Self::parse(said),
        }
    }

    /// The two-letter code, in upper case.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.0
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_the_249_assigned_codes_and_kosovo_in_order() {
        let codes: Vec<_> = CODES.split(' ').collect();
        assert_eq!(codes.len(), 250);
        assert!(codes.is_sorted());
        assert!(codes.iter().all(|code| code.len() == 2));
    }

    #[test]
    fn a_code_is_read_in_either_case_and_printed_in_upper_case() {
        assert_eq!(Country::parse(" no ").map(Country::code), Ok("NO"));
        assert_eq!(Country::parse("DK"), Ok(Country::DENMARK));
        assert_eq!(serde_json::to_string(&Country::FINLAND).unwrap(), "\"FI\"");
        assert_eq!(
            serde_json::from_str::<Country>("\"se\"").unwrap(),
            Country::SWEDEN
        );
    }

    #[test]
    fn three_letters_name_the_same_countries() {
        let three: Vec<_> = THREE_LETTERS.split(' ').collect();
        assert_eq!(three.len(), 250);
        let distinct: std::collections::BTreeSet<_> = three.iter().collect();
        assert_eq!(distinct.len(), 250);
        for (said, code) in [
            ("NOR", "NO"),
            ("swe", "SE"),
            (" USA ", "US"),
            ("GBR", "GB"),
            ("DEU", "DE"),
            ("CHE", "CH"),
            ("AND", "AD"),
            ("ZWE", "ZW"),
            ("XKX", "XK"),
            ("dk", "DK"),
        ] {
            assert_eq!(
                Country::parse_either(said).map(Country::code),
                Ok(code),
                "{said}"
            );
        }
        for text in ["", "XXX", "Norway", "NO NO"] {
            assert!(Country::parse_either(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_country_is_refused() {
        for text in ["", "N", "ZZ", "NOR", "Norway", "A D", "AD AE"] {
            assert_eq!(Country::parse(text).unwrap_err().code, "country.unknown");
        }
    }
}
