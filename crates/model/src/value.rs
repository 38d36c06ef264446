//! One value of a canonical field, in its canonical form.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::digest::Digester;
use crate::engagement::Engagement;
use crate::field::{Field, Shape};
use crate::values::{Email, fold_text};

/// A value as the source said it, brought into the field's canonical form
/// (NFC text, ISO dates, E.164 telephone numbers). Comparing folds; storing
/// does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Free text, or a code.
    Text(String),
    /// Text that is never printed.
    Sealed(SealedText),
    /// A civil date.
    Date(Date),
    /// Percent of full time.
    Percentage(Percentage),
    /// A postal address.
    Address(Address),
    /// Names and texts.
    Map(BTreeMap<String, String>),
    /// Engagements, by start date and id.
    Engagements(Vec<Engagement>),
}

/// A sensitive text: national id, bank account. `Debug` masks it; only
/// [`SealedText::expose`] gives it, so that a search finds every place.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedText(String);

impl SealedText {
    /// Wraps the canonical text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself: to seal it, to digest it, to send it to its own system.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SealedText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("••••")
    }
}

/// Percent of full time, 0 to 100, kept in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percentage(u16);

impl Percentage {
    /// From hundredths of a percent; `None` above 100 %.
    #[must_use]
    pub fn from_hundredths(hundredths: u16) -> Option<Self> {
        (hundredths <= 10_000).then_some(Self(hundredths))
    }

    /// From a number of percent, rounded to hundredths; `None` outside 0 to 100.
    #[must_use]
    pub fn from_percent(percent: f64) -> Option<Self> {
        // The range is checked first, so that the cast can lose nothing but the fraction.
        if !(0.0..=100.0).contains(&percent) {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Self::from_hundredths((percent * 100.0).round() as u16)
    }

    /// Hundredths of a percent.
    #[must_use]
    pub const fn hundredths(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Percentage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        match part {
            0 => write!(formatter, "{whole}"),
            part if part % 10 == 0 => write!(formatter, "{whole}.{}", part / 10),
            part => write!(formatter, "{whole}.{part:02}"),
        }
    }
}

impl Serialize for Percentage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // 80 and not 80.0: most are whole, and a person reads them.
        if self.0.is_multiple_of(100) {
            serializer.serialize_u16(self.0 / 100)
        } else {
            serializer.serialize_f64(f64::from(self.0) / 100.0)
        }
    }
}

impl<'de> Deserialize<'de> for Percentage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let percent = f64::deserialize(deserializer)?;
        Self::from_percent(percent)
            .ok_or_else(|| de::Error::custom("a percentage lies between 0 and 100"))
    }
}

/// A postal address; parts that the source does not say are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Address {
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

impl Address {
    /// Does it say nothing?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.line.is_none()
            && self.postal_code.is_none()
            && self.city.is_none()
            && self.country.is_none()
    }

    fn parts(&self) -> [Option<&str>; 4] {
        [
            self.line.as_deref(),
            self.postal_code.as_deref(),
            self.city.as_deref(),
            self.country.as_deref(),
        ]
    }
}

/// A value whose shape does not fit its field: a defect of stored data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("value.shape: what is stored for {field} has not the shape of that field: {reason}")]
pub struct WrongShape {
    /// The field.
    pub field: Field,
    /// What the reader missed; names no value.
    pub reason: String,
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The text, of free text and codes.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The date.
    #[must_use]
    pub const fn as_date(&self) -> Option<Date> {
        match self {
            Self::Date(date) => Some(*date),
            _ => None,
        }
    }

    /// The engagements.
    #[must_use]
    pub fn as_engagements(&self) -> Option<&[Engagement]> {
        match self {
            Self::Engagements(engagements) => Some(engagements),
            _ => None,
        }
    }

    /// Are the two the same for this field, once folded? Addresses by case and
    /// outer space, e-mail by Unicode case, other text by outer space and runs
    /// of space only: a corrected "hansen" to "Hansen" is a change.
    #[must_use]
    pub fn same(&self, other: &Self, field: Field) -> bool {
        if self == other {
            return true;
        }
        match (self, other) {
            (Self::Text(one), Self::Text(two)) => fold(field, one) == fold(field, two),
            (Self::Address(one), Self::Address(two)) => one
                .parts()
                .into_iter()
                .zip(two.parts())
                .all(|(one, two)| one.map(fold_space) == two.map(fold_space)),
            _ => false,
        }
    }

    /// What equality of a key is judged by, as text: for digests only.
    #[must_use]
    pub fn key_text(&self, field: Field) -> Option<String> {
        match self {
            Self::Text(text) => Some(fold(field, text)),
            Self::Sealed(text) => Some(text.expose().to_owned()),
            Self::Date(date) => Some(date.to_string()),
            _ => None,
        }
        .filter(|text| !text.is_empty())
    }

    /// Adds the value, exactly as it stands, to a keyed digest.
    pub fn digest_into(&self, digester: &mut Digester) {
        match self {
            Self::Text(text) => digester.number(1).text(text),
            Self::Sealed(text) => digester.number(2).text(text.expose()),
            Self::Date(date) => digester.number(3).text(&date.to_string()),
            Self::Percentage(percentage) => {
                digester.number(4).number(percentage.hundredths().into())
            }
            Self::Address(address) => {
                digester.number(5);
                for part in address.parts() {
                    match part {
                        Some(part) => digester.number(1).text(part),
                        None => digester.number(0),
                    };
                }
                digester
            }
            Self::Map(map) => {
                digester.number(6).number(map.len() as u64);
                for (name, text) in map {
                    digester.text(name).text(text);
                }
                digester
            }
            Self::Engagements(engagements) => {
                digester.number(7).number(engagements.len() as u64);
                for engagement in engagements {
                    engagement.digest_into(digester);
                }
                digester
            }
        };
    }

    /// As JSON, sealed values in the clear: for storage under seal and for
    /// `pull`, never for logs.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        // Plain maps, lists and numbers: there is nothing in them that JSON cannot say.
        serde_json::to_value(Plain(self)).unwrap_or(serde_json::Value::Null)
    }

    /// From JSON, with the shape of the field.
    ///
    /// # Errors
    /// [`WrongShape`] when the JSON is of another shape.
    pub fn from_json(field: Field, json: &serde_json::Value) -> Result<Self, WrongShape> {
        Self::read(field, json).map_err(|error| WrongShape {
            field,
            reason: error.to_string(),
        })
    }

    /// From any format, with the shape of the field. An error about a sealed value
    /// does not repeat it.
    pub(crate) fn read<'de, D: Deserializer<'de>>(
        field: Field,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        Ok(match field.shape() {
            Shape::Text => Self::Text(Deserialize::deserialize(deserializer)?),
            Shape::Sealed => {
                let text = String::deserialize(deserializer);
                Self::Sealed(SealedText(
                    text.map_err(|_| de::Error::custom("not a text"))?,
                ))
            }
            Shape::Date => Self::Date(Deserialize::deserialize(deserializer)?),
            Shape::Percentage => Self::Percentage(Deserialize::deserialize(deserializer)?),
            Shape::Address => Self::Address(Deserialize::deserialize(deserializer)?),
            Shape::Map => Self::Map(Deserialize::deserialize(deserializer)?),
            Shape::Engagements => Self::Engagements(Deserialize::deserialize(deserializer)?),
        })
    }

    /// For people: sealed values masked, lists counted.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Sealed(_) => "••••".to_owned(),
            Self::Date(date) => date.to_string(),
            Self::Percentage(percentage) => format!("{percentage} %"),
            Self::Address(address) => address
                .parts()
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", "),
            Self::Map(map) => map
                .iter()
                .map(|(name, text)| format!("{name}={text}"))
                .collect::<Vec<_>>()
                .join(", "),
            Self::Engagements(engagements) => engagements
                .iter()
                .map(Engagement::shown)
                .collect::<Vec<_>>()
                .join("; "),
        }
    }
}

/// A value on its way into storage, sealed text in the clear: in this crate only.
pub(crate) struct Plain<'a>(pub(crate) &'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Text(text) => text.serialize(serializer),
            Value::Sealed(text) => text.expose().serialize(serializer),
            Value::Date(date) => date.serialize(serializer),
            Value::Percentage(percentage) => percentage.serialize(serializer),
            Value::Address(address) => address.serialize(serializer),
            Value::Map(map) => map.serialize(serializer),
            Value::Engagements(engagements) => engagements.serialize(serializer),
        }
    }
}

fn fold(field: Field, text: &str) -> String {
    match field {
        Field::WorkEmail | Field::PersonalEmail | Field::ManagerEmail => Email::fold(text),
        // Names of units: "Marketing" and "marketing" are one group (BEY-7).
        Field::Department | Field::Team | Field::Location | Field::CostCentre => fold_text(text),
        _ => fold_space(text),
    }
}

fn fold_space(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_text_is_never_printed() {
        let value = Value::Sealed(SealedText::new("15076500565"));
        assert!(!format!("{value:?}").contains("15076500565"));
        assert_eq!(value.shown(), "••••");
    }

    #[test]
    fn percentages_are_numbers_from_0_to_100() {
        for (percent, shown) in [(100.0, "100"), (37.5, "37.5"), (33.33, "33.33"), (0.0, "0")] {
            let percentage = Percentage::from_percent(percent).unwrap();
            assert_eq!(percentage.to_string(), shown);
            let json = serde_json::to_string(&percentage).unwrap();
            assert_eq!(json, shown);
            assert_eq!(
                serde_json::from_str::<Percentage>(&json).unwrap(),
                percentage
            );
        }
        for percent in [-0.01, 100.01, f64::NAN, f64::INFINITY] {
            assert_eq!(Percentage::from_percent(percent), None);
        }
    }

    #[test]
    fn ple_10_e_mail_compares_without_case_and_outer_space() {
        let one = Value::text(" Åse.Ødegård@Nordlys.example ");
        let two = Value::text("åse.ødegård@nordlys.example");
        assert!(one.same(&two, Field::WorkEmail));
        assert!(!one.same(&two, Field::FamilyName));
    }
}
