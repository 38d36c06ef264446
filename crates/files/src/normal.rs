//! When two texts of a column mean the same.

use std::borrow::Cow;

use jiff::civil::Date;
use muster_model::Field;
use muster_model::field::Shape;
use muster_model::value::Percentage;
use muster_model::values::{Country, Email, Phone};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::column::Column;

/// The country in whose national form telephone numbers are read; none when
/// nobody said.
pub type Region = Option<Country>;

/// How the texts of a column are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Normal {
    /// Outer space and the form of composed letters make no difference.
    Text,
    /// Nor does case.
    Email,
    /// Only the number counts.
    Phone(Region),
    /// Only the day counts.
    Date,
    /// Only the number counts.
    Percentage,
    /// Neither space nor the order of names counts.
    Json,
}

impl Normal {
    /// Of a column.
    pub(crate) fn of(column: &Column, region: Region) -> Self {
        let Column::Field(field) = column else {
            return Self::Text;
        };
        match field {
            Field::WorkEmail | Field::PersonalEmail | Field::ManagerEmail => Self::Email,
            Field::Phone => Self::Phone(region),
            _ => match field.shape() {
                Shape::Date => Self::Date,
                Shape::Percentage => Self::Percentage,
                Shape::Address | Shape::Map | Shape::Engagements => Self::Json,
                Shape::Text | Shape::Sealed => Self::Text,
            },
        }
    }

    /// Do two texts that differ mean the same?
    pub(crate) fn same(self, one: &str, two: &str) -> bool {
        self.form(one) == self.form(two)
    }

    /// The compared form; what cannot be read is compared as text.
    pub(crate) fn form(self, text: &str) -> Cow<'_, str> {
        self.read(text).unwrap_or_else(|| plain(text))
    }

    /// The compared form of a key; `None` when it is empty or cannot be read.
    pub(crate) fn key(self, text: &str) -> Option<Cow<'_, str>> {
        self.read(text).filter(|form| !form.is_empty())
    }

    fn read(self, text: &str) -> Option<Cow<'_, str>> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Some(Cow::Borrowed(""));
        }
        match self {
            Self::Text => Some(plain(text)),
            Self::Email => Some(Cow::Owned(Email::parse(text).ok()?.folded().to_owned())),
            Self::Phone(region) => phone(trimmed, region).map(Cow::Owned),
            Self::Date => Some(Cow::Owned(date(trimmed)?.to_string())),
            Self::Percentage => {
                let number = trimmed.strip_suffix('%').unwrap_or(trimmed).trim_end();
                let percent = number.replace(',', ".").parse().ok()?;
                Some(Cow::Owned(Percentage::from_percent(percent)?.to_string()))
            }
            Self::Json => {
                let mut json: serde_json::Value = serde_json::from_str(trimmed).ok()?;
                json.sort_all_objects();
                Some(Cow::Owned(json.to_string()))
            }
        }
    }
}

/// Without outer space, in NFC.
fn plain(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.is_ascii() || is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// E.164 where that can be told, else the digits.
fn phone(text: &str, region: Region) -> Option<String> {
    match Phone::parse(text, region) {
        Ok(phone) => Some(phone.e164().to_owned()),
        // Without a region a national number is only digits.
        Err(error) if error.code == "phone.region_missing" => {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            Some(digits).filter(|digits| !digits.is_empty())
        }
        Err(_) => None,
    }
}

/// The forms whose day cannot be mistaken: ISO 8601 with dashes, without, or
/// with a time of midnight; year first with slashes; day, month and year with
/// dots. `03/04/2025` is a different day in different countries, and stays text.
fn date(text: &str) -> Option<Date> {
    let day = match text.split_once(['T', ' ']) {
        Some((day, time)) if is_midnight(time) => day,
        Some(_) => return None,
        None => text,
    };
    let numbers = |separator| {
        let mut parts = day.split(separator);
        let three = [parts.next()?, parts.next()?, parts.next()?];
        let short = |part: &&str| {
            (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        (parts.next().is_none() && three.iter().all(short)).then_some(three)
    };
    let [year, month, date] = if let Some(parts) = numbers('-') {
        parts
    } else if let Some(parts) = numbers('/') {
        parts
    } else if let Some([date, month, year]) = numbers('.') {
        [year, month, date]
    } else if day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()) {
        [day.get(..4)?, day.get(4..6)?, day.get(6..)?]
    } else {
        return None;
    };
    if year.len() != 4 || month.len() > 2 || date.len() > 2 {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, date.parse().ok()?).ok()
}

fn is_midnight(time: &str) -> bool {
    let time = time.strip_suffix('Z').unwrap_or(time);
    let time = time.strip_suffix("+00:00").unwrap_or(time);
    let (time, part) = time.split_once('.').unwrap_or((time, "0"));
    matches!(time, "00:00:00" | "00:00") && part.bytes().all(|byte| byte == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(column: &str, region: Region, one: &str, two: &str) -> bool {
        Normal::of(&Column::named(column), region).same(one, two)
    }

    #[test]
    fn what_differs_only_in_its_form_is_the_same() {
        let norway = Some(Country::NORWAY);
        for (column, region, one, two) in [
            ("work_email", None, "Kari@Example.org ", "kari@example.org"),
            ("phone", norway, "22 33 44 55", "+4722334455"),
            ("phone", None, "22 33 44 55", "22334455"),
            ("phone", None, "0047 22 33 44 55", "+47 22334455"),
            ("start_date", None, "2025-01-31", "31.01.2025"),
            ("start_date", None, "2025-01-31T00:00:00.000Z", "20250131"),
            ("start_date", None, "2025/1/31", "2025-01-31 00:00:00"),
            ("employment_percentage", None, "80", "80,0 %"),
            (
                "address",
                None,
                r#"{"city":"Oslo","line":"A 1"}"#,
                r#"{"line": "A 1", "city": "Oslo"}"#,
            ),
            ("given_name", None, " Åse", "A\u{30a}se "),
            ("shoe size", None, "42 ", "42"),
            ("phone", None, "ext 12 ", "ext 12"),
        ] {
            assert!(same(column, region, one, two), "{column}: {one} and {two}");
            assert!(same(column, region, two, one), "{column}: {one} and {two}");
        }
    }

    #[test]
    fn what_differs_in_meaning_differs() {
        for (column, one, two) in [
            ("phone", "22 33 44 55", "+4722334455"),
            ("phone", "", "0"),
            ("start_date", "03/04/2025", "04/03/2025"),
            ("start_date", "2025-01-31", "2025-01-31T10:00:00"),
            ("start_date", "2025-02-30", "2025-03-02"),
            ("given_name", "Kari", "kari"),
            ("employee_number", "007", "7"),
            ("employment_percentage", "80", "800"),
        ] {
            assert!(!same(column, None, one, two), "{column}: {one} and {two}");
        }
    }

    #[test]
    fn a_key_is_there_and_readable_or_none() {
        let key = |column: &str, text| {
            Normal::of(&Column::named(column), None)
                .key(text)
                .map(Cow::into_owned)
        };
        assert_eq!(key("employee_number", " 7 "), Some("7".to_owned()));
        assert_eq!(key("employee_number", " \u{a0}"), None);
        assert_eq!(
            key("work_email", "Kari@Example.org"),
            Some("kari@example.org".to_owned())
        );
        assert_eq!(key("work_email", "kari"), None);
        assert_eq!(key("phone", "none"), None);
        assert_eq!(key("start_date", "soon"), None);
    }
}
