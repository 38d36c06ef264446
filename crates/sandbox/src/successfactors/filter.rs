//! `$filter`: its grammar as far as it is served, and whether a row passes.
//!
//! Served are `eq ne gt ge lt le in`, `and or not`, brackets, and the functions
//! `startswith`, `endswith`, `substringof` and `tolower`. A path through a
//! navigation passes when one of the rows behind it does, whatever the day for
//! which rows are shown (articles 2920680 and 2554717).

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::failure::Failure;
use super::register::Register;
use super::row::{Cell, Row};
use super::schema::{Entity, Kind};

/// Brackets inside brackets.
const DEEPEST: usize = 32;

/// A condition.
#[derive(Debug)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Compare {
        path: Path,
        operator: Operator,
        with: Vec<Literal>,
    },
}

/// A property at the end of navigations.
#[derive(Debug)]
pub(super) struct Path {
    ways: Vec<&'static str>,
    property: &'static str,
    kind: Kind,
    in_small_letters: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Different,
    Greater,
    AtLeast,
    Less,
    AtMost,
    Begins,
    Ends,
    Contains,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Text(String),
    Moment(Timestamp),
    Number(f64),
    Flag(bool),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Literal(Literal),
    Open,
    Close,
    Comma,
}

/// A day at midnight, as every comparison takes it.
pub(super) fn midnight(day: Date) -> Option<Timestamp> {
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// What stands in the quotes of `datetime` and `datetimeoffset`.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    if let Ok(moment) = text.parse::<DateTime>() {
        return Some(moment.to_zoned(TimeZone::UTC).ok()?.timestamp());
    }
    midnight(text.parse().ok()?)
}

/// A literal that stands at the beginning of a text, and what is left.
pub(super) fn literal(text: &str) -> Option<(Literal, &str)> {
    for prefix in ["datetimeoffset", "datetime"] {
        if let Some(rest) = text.strip_prefix(prefix)
            && rest.starts_with('\'')
        {
            let (inside, rest) = quoted(rest)?;
            return Some((Literal::Moment(moment(&inside)?), rest));
        }
    }
    if text.starts_with('\'') {
        let (inside, rest) = quoted(text)?;
        return Some((Literal::Text(inside), rest));
    }
    let end = text
        .find(|one: char| one.is_whitespace() || "(),".contains(one))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let value = match word {
        "null" => Literal::Null,
        "true" => Literal::Flag(true),
        "false" => Literal::Flag(false),
        word => {
            let digits = word.trim_end_matches(['L', 'l', 'd', 'D', 'm', 'M', 'f', 'F']);
            if !digits.starts_with(|one: char| one.is_ascii_digit() || one == '-') {
                return None;
            }
            Literal::Number(digits.parse().ok()?)
        }
    };
    Some((value, rest))
}

/// A text in single quotes; a doubled quote is one.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut inside = String::new();
    let mut rest = text.strip_prefix('\'')?;
    loop {
        let at = rest.find('\'')?;
        let (part, behind) = rest.split_at(at);
        inside.push_str(part);
        rest = behind.get(1..)?;
        match rest.strip_prefix('\'') {
            Some(behind) => {
                inside.push('\'');
                rest = behind;
            }
            None => return Some((inside, rest)),
        }
    }
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let single = match first {
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            ',' => Some(Token::Comma),
            _ => None,
        };
        rest = if let Some(single) = single {
            tokens.push(single);
            rest.get(1..)?
        } else if let Some((value, behind)) = literal(rest) {
            tokens.push(Token::Literal(value));
            behind
        } else {
            let end = rest
                .find(|one: char| one.is_whitespace() || "(),".contains(one))
                .unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            if word.is_empty() || word.contains('\'') {
                return None;
            }
            tokens.push(Token::Word(word.to_owned()));
            behind
        }
        .trim_start();
    }
    Some(tokens)
}

struct Parser<'a> {
    entity: &'static Entity,
    tokens: &'a [Token],
    depth: usize,
}

type Parsed<T> = Result<T, Failure>;

fn malformed() -> Failure {
    Failure::bad_request("$filter")
}

impl Filter {
    /// Reads a filter over the rows of an entity.
    pub(super) fn parse(entity: &'static Entity, text: &str) -> Parsed<Self> {
        let tokens = tokens(text).ok_or_else(malformed)?;
        let mut parser = Parser {
            entity,
            tokens: &tokens,
            depth: 0,
        };
        let filter = parser.any()?;
        match parser.tokens {
            [] => Ok(filter),
            _ => Err(malformed()),
        }
    }

    /// The values that a property of the row itself must have, when the filter
    /// names them.
    pub(super) fn named(&self, property: &str) -> Option<Vec<&str>> {
        match self {
            Filter::All(parts) => parts.iter().find_map(|part| part.named(property)),
            Filter::Compare {
                path,
                operator: Operator::Equal,
                with,
            } if path.ways.is_empty() && path.property == property && !path.in_small_letters => {
                let texts: Vec<&str> = with
                    .iter()
                    .filter_map(|one| match one {
                        Literal::Text(text) => Some(text.as_str()),
                        _ => None,
                    })
                    .collect();
                (texts.len() == with.len()).then_some(texts)
            }
            _ => None,
        }
    }

    /// Whether it speaks of a property of the row itself, or is an alternative:
    /// both switch off what is filtered without being asked.
    pub(super) fn overrides(&self, property: &str) -> bool {
        match self {
            Filter::Any(_) => true,
            Filter::All(parts) => parts.iter().any(|part| part.overrides(property)),
            Filter::Not(inner) => inner.overrides(property),
            Filter::Compare { path, .. } => path.ways.is_empty() && path.property == property,
        }
    }

    /// Whether a row passes.
    pub(super) fn keeps(&self, register: &Register, row: &Row<'_>) -> bool {
        match self {
            Filter::All(parts) => parts.iter().all(|part| part.keeps(register, row)),
            Filter::Any(parts) => parts.iter().any(|part| part.keeps(register, row)),
            Filter::Not(inner) => !inner.keeps(register, row),
            Filter::Compare {
                path,
                operator,
                with,
            } => path.found(register, row, &path.ways, &|cell| {
                with.iter().any(|one| holds(&cell, *operator, one))
            }),
        }
    }
}

impl Path {
    fn found(
        &self,
        register: &Register,
        row: &Row<'_>,
        ways: &[&'static str],
        holds: &dyn Fn(Cell) -> bool,
    ) -> bool {
        match ways {
            [] => {
                let cell = match row.cell(register, self.property, self.kind) {
                    Cell::Text(text) if self.in_small_letters => Cell::Text(text.to_lowercase()),
                    cell => cell,
                };
                holds(cell)
            }
            [first, rest @ ..] => row
                .way(register, first)
                .iter()
                .any(|inner| self.found(register, inner, rest, holds)),
        }
    }
}

/// Whether a value is the one that a key names.
pub(super) fn is_equal(cell: &Cell, with: &Literal) -> bool {
    holds(cell, Operator::Equal, with)
}

fn holds(cell: &Cell, operator: Operator, with: &Literal) -> bool {
    use std::cmp::Ordering;
    let order: Option<Ordering> = match (cell, with) {
        (Cell::Null, Literal::Null) => Some(Ordering::Equal),
        (Cell::Null, _) | (_, Literal::Null) => None,
        (Cell::Text(text), Literal::Text(wanted)) => match operator {
            Operator::Begins => return text.starts_with(wanted),
            Operator::Ends => return text.ends_with(wanted),
            Operator::Contains => return text.contains(wanted),
            _ => Some(text.as_str().cmp(wanted)),
        },
        (Cell::Day(day), Literal::Moment(moment)) => midnight(*day).map(|day| day.cmp(moment)),
        (Cell::Number(number), Literal::Number(wanted)) => number.partial_cmp(wanted),
        // Ids that are numbers may be written in quotes.
        (Cell::Number(number), Literal::Text(wanted)) => wanted
            .parse()
            .ok()
            .and_then(|wanted| number.partial_cmp(&wanted)),
        (Cell::Flag(flag), Literal::Flag(wanted)) => Some(flag.cmp(wanted)),
        _ => None,
    };
    match operator {
        Operator::Equal => order == Some(Ordering::Equal),
        Operator::Different => order != Some(Ordering::Equal),
        Operator::Greater => order == Some(Ordering::Greater),
        Operator::AtLeast => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Operator::Less => order == Some(Ordering::Less),
        Operator::AtMost => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Operator::Begins | Operator::Ends | Operator::Contains => false,
    }
}

impl Parser<'_> {
    fn is_word(&self, word: &str) -> bool {
        matches!(self.tokens.first(), Some(Token::Word(known)) if known == word)
    }

    fn next(&mut self) -> Parsed<Token> {
        let (first, rest) = self.tokens.split_first().ok_or_else(malformed)?;
        self.tokens = rest;
        Ok(first.clone())
    }

    fn take(&mut self, token: &Token) -> Parsed<()> {
        if self.next()? == *token {
            Ok(())
        } else {
            Err(malformed())
        }
    }

    fn any(&mut self) -> Parsed<Filter> {
        let mut parts = vec![self.all()?];
        while self.is_word("or") {
            self.next()?;
            parts.push(self.all()?);
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Filter::Any(parts),
        })
    }

    fn all(&mut self) -> Parsed<Filter> {
        let mut parts = vec![self.one()?];
        while self.is_word("and") {
            self.next()?;
            parts.push(self.one()?);
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Filter::All(parts),
        })
    }

    fn one(&mut self) -> Parsed<Filter> {
        if self.is_word("not") {
            self.next()?;
            return Ok(Filter::Not(Box::new(self.one()?)));
        }
        if self.tokens.first() == Some(&Token::Open) {
            self.next()?;
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(malformed());
            }
            let inner = self.any()?;
            self.depth -= 1;
            self.take(&Token::Close)?;
            return Ok(inner);
        }
        for (name, operator) in [
            ("startswith", Operator::Begins),
            ("endswith", Operator::Ends),
            ("substringof", Operator::Contains),
        ] {
            if self.is_word(name) {
                self.next()?;
                return self.function(operator);
            }
        }
        let path = self.path()?;
        let Token::Word(operator) = self.next()? else {
            return Err(malformed());
        };
        let operator = match operator.as_str() {
            "eq" | "in" => Operator::Equal,
            "ne" => Operator::Different,
            "gt" => Operator::Greater,
            "ge" => Operator::AtLeast,
            "lt" => Operator::Less,
            "le" => Operator::AtMost,
            _ => return Err(malformed()),
        };
        let mut with = vec![self.literal()?];
        while self.tokens.first() == Some(&Token::Comma) {
            self.next()?;
            with.push(self.literal()?);
        }
        Ok(Filter::Compare {
            path,
            operator,
            with,
        })
    }

    /// `startswith(path,'x')`, and `substringof('x',path)`; `eq true` behind it may stand.
    fn function(&mut self, operator: Operator) -> Parsed<Filter> {
        self.take(&Token::Open)?;
        let (path, with) = if operator == Operator::Contains {
            let with = self.literal()?;
            self.take(&Token::Comma)?;
            (self.path()?, with)
        } else {
            let path = self.path()?;
            self.take(&Token::Comma)?;
            (path, self.literal()?)
        };
        self.take(&Token::Close)?;
        if self.is_word("eq") {
            self.next()?;
            self.take(&Token::Literal(Literal::Flag(true)))?;
        }
        Ok(Filter::Compare {
            path,
            operator,
            with: vec![with],
        })
    }

    fn literal(&mut self) -> Parsed<Literal> {
        match self.next()? {
            Token::Literal(value) => Ok(value),
            _ => Err(malformed()),
        }
    }

    fn path(&mut self) -> Parsed<Path> {
        let in_small_letters = self.is_word("tolower");
        if in_small_letters {
            self.next()?;
            self.take(&Token::Open)?;
        }
        let Token::Word(word) = self.next()? else {
            return Err(malformed());
        };
        if in_small_letters {
            self.take(&Token::Close)?;
        }
        let mut entity = self.entity;
        let mut ways = Vec::new();
        let mut parts = word.split('/').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                let (property, kind) = entity
                    .property(part)
                    .ok_or_else(|| Failure::unknown_property(entity.name, part))?;
                return Ok(Path {
                    ways,
                    property,
                    kind,
                    in_small_letters,
                });
            }
            let way = entity
                .navigation(part)
                .ok_or_else(|| Failure::unknown_property(entity.name, part))?;
            ways.push(way.name);
            entity = Entity::named(way.target).ok_or_else(malformed)?;
        }
        Err(malformed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Parsed<Filter> {
        Filter::parse(Entity::named("PerPerson").unwrap(), text)
    }

    #[test]
    fn a_filter_names_ids_and_quotes_are_doubled() {
        let filter = parse("personIdExternal in 'a','O''Hara'").unwrap();
        assert_eq!(filter.named("personIdExternal"), Some(vec!["a", "O'Hara"]));
        let filter =
            parse("(personIdExternal eq 'a') and (employmentNav/startDate le datetime'2024-01-01T00:00:00')")
                .unwrap();
        assert_eq!(filter.named("personIdExternal"), Some(vec!["a"]));
        let filter = parse("personIdExternal eq 'a' or dateOfBirth ne null").unwrap();
        assert_eq!(filter.named("personIdExternal"), None);
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in [
            "",
            "personIdExternal",
            "personIdExternal eq",
            "personIdExternal eq 'a",
            "personIdExternal like 'a'",
            "(personIdExternal eq 'a'",
            "shoeSize eq 44",
            "emailNav/shoeSize eq 44",
            "lastModifiedDateTime ge datetimeoffset'yesterday'",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let deep = format!(
            "{}personIdExternal eq 'a'{}",
            "(".repeat(40),
            ")".repeat(40)
        );
        assert!(parse(&deep).is_err());
    }
}
