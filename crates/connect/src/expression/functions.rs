//! Operators and functions of expressions.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cel::common::ast::operators as op;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use muster_model::values::{Country, Phone};
use regex::Regex;
use serde_json::Value as Json;

use super::Fault;
use super::evaluate::{LONGEST_TEXT, bounded};

/// Every function with the numbers of arguments that it takes, the value before
/// the dot included.
const FUNCTIONS: [(&str, usize, usize); 48] = [
    (op::CONDITIONAL, 3, 3),
    (op::LOGICAL_AND, 2, 2),
    (op::LOGICAL_OR, 2, 2),
    (op::LOGICAL_NOT, 1, 1),
    (op::NOT_STRICTLY_FALSE, 1, 1),
    (op::INDEX, 2, 2),
    (op::IN, 2, 2),
    (op::ADD, 2, 2),
    (op::SUBSTRACT, 2, 2),
    (op::MULTIPLY, 2, 2),
    (op::DIVIDE, 2, 2),
    (op::MODULO, 2, 2),
    (op::NEGATE, 1, 1),
    (op::EQUALS, 2, 2),
    (op::NOT_EQUALS, 2, 2),
    (op::LESS, 2, 2),
    (op::LESS_EQUALS, 2, 2),
    (op::GREATER, 2, 2),
    (op::GREATER_EQUALS, 2, 2),
    ("size", 1, 1),
    ("contains", 2, 2),
    ("startsWith", 2, 2),
    ("endsWith", 2, 2),
    ("matches", 2, 2),
    ("lower", 1, 1),
    ("upper", 1, 1),
    ("trim", 1, 1),
    ("replace", 3, 3),
    ("split", 2, 2),
    ("join", 2, 2),
    ("substring", 3, 3),
    ("first", 1, 1),
    ("last", 1, 1),
    ("list", 1, 1),
    ("filled", 1, 1),
    ("text", 1, 1),
    ("string", 1, 1),
    ("number", 1, 1),
    ("int", 1, 1),
    ("date", 2, 2),
    ("addDays", 2, 2),
    ("base64", 1, 1),
    ("json", 1, 1),
    ("min", 1, 1),
    ("max", 1, 1),
    ("encode", 1, 1),
    ("nested", 1, 1),
    ("national", 2, 2),
];

/// Is there such a function, with that many arguments?
pub(super) fn known(name: &str, arguments: usize) -> Result<(), String> {
    let found = FUNCTIONS.iter().find(|(known, ..)| *known == name);
    match found {
        Some((_, least, most)) if (*least..=*most).contains(&arguments) => Ok(()),
        Some((_, least, _)) => Err(format!("`{name}` takes {least} arguments, not {arguments}")),
        None => {
            let names: Vec<&str> = (FUNCTIONS.iter())
                .map(|(name, ..)| *name)
                .filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
                .collect();
            Err(format!(
                "there is no function `{name}`; there is: {}",
                names.join(", ")
            ))
        }
    }
}

/// Runs a function.
pub(super) fn apply<'a>(
    name: &str,
    mut arguments: Vec<Cow<'a, Json>>,
    patterns: &BTreeMap<String, Regex>,
) -> Result<Cow<'a, Json>, Fault> {
    // `string` and `int` are CEL's own names.
    let name = match name {
        "string" => "text",
        name => name,
    };
    match (name, arguments.as_mut_slice()) {
        ("first", [list]) => {
            return Ok(match std::mem::take(list) {
                Cow::Borrowed(Json::Array(list)) => {
                    (list.iter().find(|one| filled(one))).map_or(nothing(), Cow::Borrowed)
                }
                Cow::Owned(Json::Array(list)) => {
                    (list.into_iter().find(filled)).map_or(nothing(), Cow::Owned)
                }
                other => other,
            });
        }
        ("last", [list]) => {
            return Ok(match std::mem::take(list) {
                Cow::Borrowed(Json::Array(list)) => list.last().map_or(nothing(), Cow::Borrowed),
                Cow::Owned(Json::Array(mut list)) => list.pop().map_or(nothing(), Cow::Owned),
                other => other,
            });
        }
        _ => {}
    }
    let made = match (name, arguments.as_slice()) {
        (op::EQUALS, [one, two]) => Json::Bool(same(one, two)),
        (op::NOT_EQUALS, [one, two]) => Json::Bool(!same(one, two)),
        (op::LESS, [one, two]) => Json::Bool(order(one, two)?.is_some_and(Ordering::is_lt)),
        (op::LESS_EQUALS, [one, two]) => Json::Bool(order(one, two)?.is_some_and(Ordering::is_le)),
        (op::GREATER, [one, two]) => Json::Bool(order(one, two)?.is_some_and(Ordering::is_gt)),
        (op::GREATER_EQUALS, [one, two]) => {
            Json::Bool(order(one, two)?.is_some_and(Ordering::is_ge))
        }
        (op::IN, [one, of]) => Json::Bool(match &**of {
            Json::Array(list) => list.iter().any(|element| same(element, one)),
            Json::Object(map) => one.as_str().is_some_and(|key| map.contains_key(key)),
            Json::Null => false,
            _ => return Err(Fault::Kind),
        }),
        ("filled", [one]) => Json::Bool(filled(one)),
        ("list", [one]) => match &**one {
            Json::Null => Json::Array(Vec::new()),
            Json::Array(list) => Json::Array(list.clone()),
            one => Json::Array(vec![one.clone()]),
        },
        ("join", [list, between]) => {
            let (Json::Array(list), Json::String(between)) = (&**list, &**between) else {
                return null_or(&[list, between], Fault::Kind);
            };
            let parts: Result<Vec<Option<String>>, Fault> = list.iter().map(text).collect();
            let parts: Vec<String> = (parts?.into_iter().flatten())
                .filter(|part| !part.trim().is_empty())
                .collect();
            made_text(parts.join(between))?
        }
        // Without a country, or another's, a number keeps its calling code.
        ("national", [number, country]) if country.is_null() => (**number).clone(),
        // Everything below is null when one of its arguments is.
        (_, arguments) if arguments.iter().any(|argument| argument.is_null()) => Json::Null,
        (op::ADD, [one, two]) => match (&**one, &**two) {
            (Json::String(one), Json::String(two)) => made_text(format!("{one}{two}"))?,
            (Json::Array(one), Json::Array(two)) => {
                bounded(one.iter().chain(two).cloned().collect())?
            }
            (one, two) => arithmetic(name, one, two)?,
        },
        (op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO, [one, two]) => {
            arithmetic(name, one, two)?
        }
        (op::NEGATE, [one]) => arithmetic(op::SUBSTRACT, &Json::from(0), one)?,
        ("size", [one]) => Json::from(match &**one {
            Json::String(text) => text.chars().count(),
            Json::Array(list) => list.len(),
            Json::Object(map) => map.len(),
            _ => return Err(Fault::Kind),
        }),
        ("text", [one]) => match text(one)? {
            Some(text) => Json::String(text),
            None => Json::Null,
        },
        ("number", [one]) => number(one)?,
        ("int", [one]) => match number(one)? {
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Json::from(whole),
                (None, Some(part)) => whole(part)?,
                _ => return Err(Fault::Limit),
            },
            _ => return Err(Fault::Unreadable),
        },
        ("min" | "max", [one]) => {
            let Json::Array(list) = &**one else {
                return Err(Fault::Kind);
            };
            let wanted = match name {
                "min" => Ordering::Less,
                _ => Ordering::Greater,
            };
            let mut best: Option<&Json> = None;
            for element in list.iter().filter(|element| filled(element)) {
                let better = match best {
                    Some(best) => order(element, best)? == Some(wanted),
                    None => true,
                };
                if better {
                    best = Some(element);
                }
            }
            best.cloned().unwrap_or_default()
        }
        ("addDays", [day, days]) => {
            let day: Date = text_of(day)?.parse().map_err(|_| Fault::Unreadable)?;
            let days = days.as_i64().ok_or(Fault::Kind)?;
            let span = jiff::Span::new().try_days(days).map_err(|_| Fault::Limit)?;
            Json::String(day.checked_add(span).map_err(|_| Fault::Limit)?.to_string())
        }
        ("date", [of, how]) => date(of, text_of(how)?)?,
        ("json", [one]) => serde_json::from_str(text_of(one)?).map_err(|_| Fault::Unreadable)?,
        ("contains", [of, part]) => match &**of {
            Json::Array(list) => Json::Bool(list.iter().any(|element| same(element, part))),
            of => Json::Bool(text_of(of)?.contains(text_of(part)?)),
        },
        ("startsWith", [of, part]) => Json::Bool(text_of(of)?.starts_with(text_of(part)?)),
        ("endsWith", [of, part]) => Json::Bool(text_of(of)?.ends_with(text_of(part)?)),
        ("matches", [of, pattern]) => {
            let pattern = patterns.get(text_of(pattern)?).ok_or(Fault::Kind)?;
            Json::Bool(pattern.is_match(text_of(of)?))
        }
        ("lower", [one]) => made_text(text_of(one)?.to_lowercase())?,
        ("upper", [one]) => made_text(text_of(one)?.to_uppercase())?,
        ("trim", [one]) => Json::String(text_of(one)?.trim().to_owned()),
        ("base64", [one]) => made_text(STANDARD.encode(text_of(one)?))?,
        ("nested", [one]) => {
            let Json::Array(ways) = &**one else {
                return Err(Fault::Kind);
            };
            let mut tree = Selection::default();
            for way in ways {
                tree.add(text_of(way)?)?;
            }
            made_text(tree.written())?
        }
        ("national", [number, country]) => {
            let number = text_of(number)?;
            let country = Country::parse_either(text_of(country)?).ok();
            let made = country.and_then(|country| national(number, country));
            Json::String(made.unwrap_or_else(|| number.to_owned()))
        }
        ("encode", [one]) => made_text(super::template::percent_encoded(text_of(one)?))?,
        ("split", [of, at]) => {
            let (of, at) = (text_of(of)?, text_of(at)?);
            bounded(
                of.split(at)
                    .map(|part| Json::String(part.to_owned()))
                    .collect(),
            )?
        }
        ("replace", [of, what, with]) => {
            let (of, what, with) = (text_of(of)?, text_of(what)?, text_of(with)?);
            // Each of the many places could grow by all of it.
            let places = of.len() / what.len().max(1) + 1;
            if places.saturating_mul(with.len()) > LONGEST_TEXT * 16 {
                return Err(Fault::Limit);
            }
            made_text(of.replace(what, with))?
        }
        ("substring", [of, from, to]) => {
            let place = |number: &Json| {
                let number = number.as_u64().ok_or(Fault::Kind)?;
                usize::try_from(number).map_err(|_| Fault::Limit)
            };
            let (from, to) = (place(from)?, place(to)?);
            let taken = to.saturating_sub(from);
            Json::String(text_of(of)?.chars().skip(from).take(taken).collect())
        }
        _ => return Err(Fault::Kind),
    };
    Ok(Cow::Owned(made))
}

fn nothing<'a>() -> Cow<'a, Json> {
    Cow::Owned(Json::Null)
}

fn null_or<'a>(arguments: &[&Cow<'_, Json>], fault: Fault) -> Result<Cow<'a, Json>, Fault> {
    if arguments.iter().any(|argument| argument.is_null()) {
        return Ok(nothing());
    }
    Err(fault)
}

/// Neither null nor blank.
pub(super) fn filled(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::String(text) => !text.trim().is_empty(),
        _ => true,
    }
}

/// The text of one value; `None` for null.
pub(super) fn text(value: &Json) -> Result<Option<String>, Fault> {
    Ok(Some(match value {
        Json::Null => return Ok(None),
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Bool(truth) => truth.to_string(),
        Json::Array(_) | Json::Object(_) => return Err(Fault::Kind),
    }))
}

fn text_of(value: &Json) -> Result<&str, Fault> {
    value.as_str().ok_or(Fault::Kind)
}

fn made_text(text: String) -> Result<Json, Fault> {
    if text.len() > LONGEST_TEXT {
        return Err(Fault::Limit);
    }
    Ok(Json::String(text))
}

/// Numbers are the same by value, whole or not.
fn same(one: &Json, two: &Json) -> bool {
    match (one, two) {
        (Json::Number(a), Json::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (one, two) => one == two,
    }
}

/// `None` when one of them is null: neither before nor after.
fn order(one: &Json, two: &Json) -> Result<Option<Ordering>, Fault> {
    match (one, two) {
        (Json::Null, _) | (_, Json::Null) => Ok(None),
        (Json::String(one), Json::String(two)) => Ok(Some(one.cmp(two))),
        (Json::Number(a), Json::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Ok(Some(a.cmp(&b))),
            _ => Ok(a.as_f64().partial_cmp(&b.as_f64())),
        },
        _ => Err(Fault::Kind),
    }
}

fn arithmetic(name: &str, one: &Json, two: &Json) -> Result<Json, Fault> {
    let (Json::Number(one), Json::Number(two)) = (one, two) else {
        return Err(Fault::Kind);
    };
    if let (Some(one), Some(two)) = (one.as_i64(), two.as_i64()) {
        let made = match name {
            op::ADD => one.checked_add(two),
            op::SUBSTRACT => one.checked_sub(two),
            op::MULTIPLY => one.checked_mul(two),
            op::DIVIDE => one.checked_div(two),
            _ => one.checked_rem(two),
        };
        return made.map(Json::from).ok_or(Fault::Limit);
    }
    let (Some(one), Some(two)) = (one.as_f64(), two.as_f64()) else {
        return Err(Fault::Kind);
    };
    let made = match name {
        op::ADD => one + two,
        op::SUBSTRACT => one - two,
        op::MULTIPLY => one * two,
        op::DIVIDE => one / two,
        _ => one % two,
    };
    serde_json::Number::from_f64(made)
        .map(Json::Number)
        .ok_or(Fault::Limit)
}

fn number(value: &Json) -> Result<Json, Fault> {
    match value {
        Json::Number(_) => Ok(value.clone()),
        Json::String(text) => {
            let text = text.trim();
            if let Ok(whole) = text.parse::<i64>() {
                return Ok(Json::from(whole));
            }
            let part: f64 = text.parse().map_err(|_| Fault::Unreadable)?;
            serde_json::Number::from_f64(part)
                .map(Json::Number)
                .ok_or(Fault::Unreadable)
        }
        _ => Err(Fault::Kind),
    }
}

#[allow(clippy::cast_possible_truncation)] // bounded just before
fn whole(part: f64) -> Result<Json, Fault> {
    if part.abs() < 9.0e15 {
        Ok(Json::from(part.trunc() as i64))
    } else {
        Err(Fault::Limit)
    }
}

/// Depth of a selection.
const DEEPEST_SELECTION: usize = 16;

/// Members that are asked for, each with those of its own.
#[derive(Default)]
struct Selection(Vec<(String, Selection)>);

impl Selection {
    /// Adds a way of names with slashes between.
    fn add(&mut self, way: &str) -> Result<(), Fault> {
        if way.split('/').count() > DEEPEST_SELECTION {
            return Err(Fault::Limit);
        }
        let mut at = self;
        for name in way.split('/') {
            let known = at.0.iter().position(|(known, _)| known == name);
            let place = known.unwrap_or(at.0.len());
            if known.is_none() {
                at.0.push((name.to_owned(), Self::default()));
            }
            let Some((_, below)) = at.0.get_mut(place) else {
                return Err(Fault::Limit);
            };
            at = below;
        }
        Ok(())
    }

    /// `id,department(id,name)`
    fn written(&self) -> String {
        let parts: Vec<String> = (self.0.iter())
            .map(|(name, below)| match below.0.is_empty() {
                true => name.clone(),
                false => format!("{name}({})", below.written()),
            })
            .collect();
        parts.join(",")
    }
}

/// A number as it is dialled in a country; `None` when it is another country's.
fn national(e164: &str, country: Country) -> Option<String> {
    let digits = e164.strip_prefix('+')?;
    // Calling codes have one to three digits (ITU-T E.164).
    (1..=3).find_map(|length| {
        let national = digits.get(length..)?;
        let read = Phone::parse(national, Some(country)).ok()?;
        (read.e164() == e164).then(|| national.to_owned())
    })
}

/// Milliseconds since 1970 of OData's `/Date(…)/`.
pub(crate) fn odata_milliseconds(text: &str) -> Option<i64> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let signed = inner.strip_prefix('-');
    let digits = signed.unwrap_or(inner);
    // An offset behind the count only says how to show it.
    let digits = digits.split(['+', '-']).next().unwrap_or_default();
    let count: i64 = digits.parse().ok()?;
    Some(if signed.is_some() { -count } else { count })
}

/// The day of milliseconds since 1970 in UTC.
fn day_of_epoch(milliseconds: i64) -> Option<Date> {
    let days = milliseconds.div_euclid(24 * 60 * 60 * 1000);
    let span = jiff::Span::new().try_days(days).ok()?;
    jiff::civil::date(1970, 1, 1).checked_add(span).ok()
}

/// The civil day of what a source said. `how` is a format (it has a `%`), or
/// the zone in which an instant is to be a day.
///
/// Instants are RFC 3339 texts, milliseconds since 1970, or those of OData's
/// `/Date(…)/`. A day or a time without a zone stays the day it names.
pub(crate) fn date(of: &Json, how: &str) -> Result<Json, Fault> {
    let day = |date: Date| Ok(Json::String(date.to_string()));
    if how.contains('%') {
        let text = text_of(of)?.trim();
        return day(Date::strptime(how, text).map_err(|_| Fault::Unreadable)?);
    }
    let zone = TimeZone::get(how).map_err(|_| Fault::Unreadable)?;
    let in_zone = |at: Timestamp| day(at.to_zoned(zone.clone()).date());
    let milliseconds = |count: i64| match Timestamp::from_millisecond(count) {
        Ok(at) => in_zone(at),
        // Midnight of 31 December 9999 stands for "no end", and is later than any instant.
        Err(_) => day(day_of_epoch(count).ok_or(Fault::Unreadable)?),
    };
    if let Some(count) = of.as_i64() {
        return milliseconds(count);
    }
    let text = text_of(of)?.trim();
    if text.starts_with("/Date(") {
        return milliseconds(odata_milliseconds(text).ok_or(Fault::Unreadable)?);
    }
    if let Ok(date) = text.parse::<Date>()
        && text.len() == 10
    {
        return day(date);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return in_zone(at);
    }
    day(text
        .parse::<DateTime>()
        .map_err(|_| Fault::Unreadable)?
        .date())
}
