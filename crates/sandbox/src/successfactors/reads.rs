//! The reads: lists, single rows, what lies behind them, and counts.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::company::Employee;
use crate::wire::{Answer, WireRequest};

use super::SuccessFactors;
use super::atom;
use super::failure::{Failure, wants_json};
use super::filter::{Filter, Literal, is_equal, literal, midnight};
use super::picklist;
use super::query::{Days, Query, Shape};
use super::register::Register;
use super::render::{View, value};
use super::row::{Cell, Row, rows_of};
use super::schema::{Entity, Kind};
use super::table::{Rows, Table};

/// The status of a user who works here.
const ACTIVE_USER: &str = "t";

/// The properties by which rows are found without going through all.
const KEYS: [&str; 2] = ["personIdExternal", "userId"];

pub(super) fn answer(
    vendor: &mut SuccessFactors,
    request: &WireRequest,
    path: &[&str],
) -> Result<Answer, Failure> {
    let [first, rest @ ..] = path else {
        return Err(Failure::not_found());
    };
    let (name, key) = match first.split_once('(') {
        Some((name, key)) => {
            let key = key.strip_suffix(')');
            (name, Some(key.ok_or_else(|| Failure::bad_request("key"))?))
        }
        None => (*first, None),
    };
    let entity = Entity::named(name).ok_or_else(|| Failure::unknown_entity(name))?;
    match (key, rest) {
        (None, []) => list(vendor, request, entity),
        (None, ["$count"]) => {
            let query = Query::of(entity, request)?;
            let register = vendor.register();
            let count = match fixed(&register, entity) {
                Some(rows) => rows.len(),
                None => table(vendor, entity, &query).len(),
            };
            Ok(plain(count))
        }
        (Some(key), rest) => single(vendor, request, entity, key, rest),
        _ => Err(Failure::not_found()),
    }
}

fn plain(count: usize) -> Answer {
    Answer::text(200, "text/plain; charset=utf-8", count.to_string())
}

/// Rows of foundation objects and picklists, which are few and about nobody;
/// none for an entity of people.
fn fixed<'a>(register: &'a Register, entity: &Entity) -> Option<Vec<Row<'a>>> {
    Some(match entity.name {
        "FOCompany" => vec![Row::Company],
        "FODepartment" => {
            let departments = &register.roster.company.departments;
            departments.iter().map(Row::Department).collect()
        }
        "PicklistOption" => picklist::CHOICES
            .iter()
            .map(|choice| Row::Choice(choice))
            .collect(),
        "PicklistLabel" => picklist::CHOICES
            .iter()
            .flat_map(|choice| (0..choice.labels.len()).map(|at| Row::Label(choice, at)))
            .collect(),
        name if name.starts_with("FO") => Vec::new(),
        _ => return None,
    })
}

/// Whether a row passes, with the status that users are asked for by themselves.
fn passes(entity: &Entity, filter: Option<&Filter>, register: &Register, row: &Row<'_>) -> bool {
    if filter.is_some_and(|filter| !filter.keeps(register, row)) {
        return false;
    }
    let asks_for_status = filter.is_some_and(|filter| filter.overrides("status"));
    entity.name != "User"
        || asks_for_status
        || row.cell(register, "status", Kind::Text) == Cell::Text(ACTIVE_USER.to_owned())
}

/// The rows of those whom a filter names; none when it names nobody.
fn looked_up<'a>(
    register: &'a Register,
    entity: &'static Entity,
    query: &Query,
) -> Option<Vec<Row<'a>>> {
    let filter = query.filter.as_ref()?;
    let (property, ids) = KEYS
        .iter()
        .filter(|property| entity.kind(property).is_some())
        .find_map(|property| Some((*property, filter.named(property)?)))?;
    let mut found: Vec<&Employee> = ids
        .into_iter()
        .filter_map(|id| match property {
            "personIdExternal" => register.person(id),
            _ => register.user(id),
        })
        .collect();
    found.sort_by_key(|employee| employee.id);
    found.dedup_by_key(|employee| employee.id);
    let rows = found
        .into_iter()
        .flat_map(|employee| rows_of(entity.name, employee))
        .filter(|row| passes(entity, Some(filter), register, row))
        .collect();
    Some(rows)
}

/// The list of everybody, as it stands now.
fn table(vendor: &mut SuccessFactors, entity: &'static Entity, query: &Query) -> Table {
    let register = vendor.register();
    let name = format!(
        "{}|{}|{:?}|{:?}",
        entity.name, query.filter_text, query.days, query.order
    );
    let keeps =
        |register: &Register, row: &Row<'_>| passes(entity, query.filter.as_ref(), register, row);
    if entity.name == "PerPerson" && query.order.is_empty() {
        let listing = vendor.stage.listing(&name, query.page_size, |_, employee| {
            keeps(&register, &Row::Person(employee))
        });
        return Table {
            register,
            rows: Rows::People(listing),
        };
    }
    let view = View {
        stage: &vendor.stage,
        origin: "",
        days: query.days,
    };
    vendor.tables.named(&name, &register, || {
        let mut kept: Vec<(Vec<SortKey>, (u32, u32))> = Vec::new();
        for (at, employee) in (0_u32..).zip(register.roster.employees()) {
            for (which, row) in (0_u32..).zip(rows_of(entity.name, employee)) {
                if view.sees(&register, entity, &row)
                    && view.holds(&register, &row)
                    && keeps(&register, &row)
                {
                    kept.push((sort_keys(&register, entity, query, &row), (at, which)));
                }
            }
        }
        if !query.order.is_empty() {
            kept.sort_by(|(one, _), (other, _)| ordered(query, one, other));
        }
        Rows::Of(entity.name, kept.into_iter().map(|(_, row)| row).collect())
    })
}

/// What rows are sorted by; days and numbers in their order, not as text.
type SortKey = (i64, String);

fn sort_keys(register: &Register, entity: &Entity, query: &Query, row: &Row<'_>) -> Vec<SortKey> {
    query
        .order
        .iter()
        .map(|(property, _)| {
            let kind = entity.kind(property).unwrap_or(Kind::Text);
            match row.cell(register, property, kind) {
                Cell::Text(text) => (0, text),
                Cell::Day(day) => (
                    midnight(day).map_or(0, |moment| moment.as_second()),
                    String::new(),
                ),
                #[allow(clippy::cast_possible_truncation, reason = "only for an order")]
                Cell::Number(number) => ((number * 1000.0) as i64, String::new()),
                Cell::Flag(flag) => (i64::from(flag), String::new()),
                Cell::Null => (i64::MIN, String::new()),
            }
        })
        .collect()
}

fn ordered(query: &Query, one: &[SortKey], other: &[SortKey]) -> std::cmp::Ordering {
    let pairs = one.iter().zip(other).zip(&query.order);
    pairs
        .map(|((one, other), (_, down))| match down {
            true => other.cmp(one),
            false => one.cmp(other),
        })
        .find(|order| order.is_ne())
        .unwrap_or(std::cmp::Ordering::Equal)
}

/// Where the next page begins, and in which list.
struct Token {
    row: usize,
    still: Option<u64>,
}

impl Token {
    fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(json!({"startRow": self.row, "snapshot": self.still}).to_string())
    }

    fn of(text: &str) -> Option<Self> {
        let token: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        Some(Self {
            row: usize::try_from(token.get("startRow")?.as_u64()?).ok()?,
            still: token.get("snapshot").and_then(Value::as_u64),
        })
    }
}

/// The address of the next page: the one that was asked, with another token.
fn next_address(request: &WireRequest, token: &Token) -> String {
    let kept: Vec<&str> = request
        .query
        .split('&')
        .filter(|part| {
            let name = part.split('=').next().unwrap_or_default();
            !part.is_empty()
                && !["$skiptoken", "%24skiptoken"].contains(&name.to_lowercase().as_str())
        })
        .collect();
    format!(
        "{}{}?{}&$skiptoken={}",
        request.origin(),
        request.path_as_sent,
        kept.join("&"),
        token.text()
    )
}

fn list(
    vendor: &mut SuccessFactors,
    request: &WireRequest,
    entity: &'static Entity,
) -> Result<Answer, Failure> {
    if vendor.stage.mischief.throttles() {
        return Err(Failure::throttled());
    }
    let query = Query::of(entity, request)?;
    let token = match &query.skip_token {
        Some(text) => Some(Token::of(text).ok_or_else(|| Failure::bad_request("$skiptoken"))?),
        None => None,
    };
    let from = token.as_ref().map_or(query.skip, |token| token.row);
    let count = query.page_size.min(query.top.unwrap_or(usize::MAX)).max(1);
    let register = vendor.register();
    let found = fixed(&register, entity).map_or_else(
        || looked_up(&register, entity, &query),
        |rows| {
            let keeps = |row: &Row<'_>| passes(entity, query.filter.as_ref(), &register, row);
            Some(rows.into_iter().filter(keeps).collect())
        },
    );
    let origin = request.origin();
    if let Some(mut rows) = found {
        let view = View {
            stage: &vendor.stage,
            origin: &origin,
            days: query.days,
        };
        rows.retain(|row| view.sees(&register, entity, row) && view.holds(&register, row));
        if !query.order.is_empty() {
            let keys = |row: &Row<'_>| sort_keys(&register, entity, &query, row);
            rows.sort_by(|one, other| ordered(&query, &keys(one), &keys(other)));
        }
        let end = end(&query, rows.len());
        let until = from.saturating_add(count).min(end);
        let page: Vec<Value> = (rows.get(from.min(until)..until).unwrap_or_default().iter())
            .map(|row| view.object(&register, entity, row, &query.shape))
            .collect();
        let next = (until < end).then_some(Token {
            row: until,
            still: None,
        });
        return Ok(envelope(request, entity, &query, page, rows.len(), next));
    }
    // A list that stands still, or one that is made anew for every page.
    let still = token.as_ref().and_then(|token| token.still);
    let mut listed = match still {
        Some(number) => {
            let kept = vendor.tables.kept(number);
            kept.ok_or_else(|| Failure::bad_request("$skiptoken"))?
        }
        None => table(vendor, entity, &query),
    };
    if let Rows::People(listing) = &listed.rows
        && vendor.stage.moves_border(listing, from)
        && still.is_none()
    {
        listed = table(vendor, entity, &query);
    }
    let all = listed.len();
    let end = end(&query, all);
    let limit = match query.top {
        Some(top) if top > query.page_size => end,
        _ => all,
    };
    let served = vendor.stage.serve_of(limit, from, count);
    let view = View {
        stage: &vendor.stage,
        origin: &origin,
        days: query.days,
    };
    let mut page = Vec::new();
    let until = served.range.end.min(end).max(served.range.start);
    listed.each(served.range.start..until, |register, row| {
        page.push(view.object(register, entity, &row, &query.shape));
    });
    if vendor.stage.mischief.breaks(served.place) {
        return Err(Failure::server());
    }
    if vendor.stage.mischief.expires_token(served.place) {
        vendor.expire();
    }
    let next_row = from.saturating_add(count);
    let next = (!served.is_end && next_row < end).then(|| {
        let is_new = still.is_none() && query.is_snapshot;
        Token {
            row: next_row,
            still: match is_new {
                true => Some(vendor.tables.keep(listed)),
                false => still,
            },
        }
    });
    let answer = envelope(request, entity, &query, page, served.total, next);
    Ok(vendor.stage.finish(served.place, answer))
}

/// Behind which row a list ends: its own end, or what was asked for at most.
fn end(query: &Query, rows: usize) -> usize {
    match query.top {
        Some(top) => query.skip.saturating_add(top).min(rows),
        None => rows,
    }
}

fn envelope(
    request: &WireRequest,
    entity: &Entity,
    query: &Query,
    rows: Vec<Value>,
    total: usize,
    next: Option<Token>,
) -> Answer {
    let next = next.map(|token| next_address(request, &token));
    if !wants_json(request) {
        return atom::feed(request, entity, &rows, next.as_deref());
    }
    let mut inside = serde_json::Map::new();
    if query.wants_count {
        inside.insert("__count".to_owned(), json!(total.to_string()));
    }
    inside.insert("results".to_owned(), Value::Array(rows));
    if let Some(next) = next {
        inside.insert("__next".to_owned(), json!(next));
    }
    Answer::json(200, &json!({"d": inside}))
}

/// The parts of a key: `'1001'`, or `startDate=datetime'…',userId='…'`.
fn key_parts(entity: &Entity, text: &str) -> Option<Vec<(&'static str, Literal)>> {
    let (mut parts, mut rest) = (Vec::new(), text.trim());
    loop {
        let name = entity.keys.iter().find(|name| {
            rest.strip_prefix(**name)
                .is_some_and(|rest| rest.starts_with('='))
        });
        let name: &'static str = match (name, entity.keys) {
            (Some(name), _) => {
                rest = rest.get(name.len() + 1..)?;
                name
            }
            (None, [only]) => only,
            _ => return None,
        };
        let (value, behind) = literal(rest)?;
        parts.push((name, value));
        rest = behind.trim_start();
        match rest.strip_prefix(',') {
            Some(behind) => rest = behind.trim_start(),
            None => break,
        }
    }
    let is_whole = entity
        .keys
        .iter()
        .all(|key| parts.iter().any(|(name, _)| name == key));
    (rest.is_empty() && is_whole && parts.len() == entity.keys.len()).then_some(parts)
}

fn single(
    vendor: &mut SuccessFactors,
    request: &WireRequest,
    entity: &'static Entity,
    key: &str,
    path: &[&str],
) -> Result<Answer, Failure> {
    let parts = key_parts(entity, key).ok_or_else(|| Failure::bad_request("key"))?;
    let register: Arc<Register> = vendor.register();
    let employee = parts.iter().find_map(|(name, value)| match (*name, value) {
        ("personIdExternal", Literal::Text(id)) => register.person(id),
        ("userId", Literal::Text(id)) => register.user(id),
        _ => None,
    });
    let rows = fixed(&register, entity).unwrap_or_else(|| {
        employee
            .map(|employee| rows_of(entity.name, employee))
            .unwrap_or_default()
    });
    let origin = request.origin();
    let mut view = View {
        stage: &vendor.stage,
        origin: &origin,
        days: Days::Today,
    };
    let row = rows
        .into_iter()
        .find(|row| {
            view.sees(&register, entity, row)
                && parts.iter().all(|(name, wanted)| {
                    let kind = entity.kind(name).unwrap_or(Kind::Text);
                    is_equal(&row.cell(&register, name, kind), wanted)
                })
        })
        .ok_or_else(Failure::not_found)?;
    match path {
        [] => {
            let query = Query::of(entity, request)?;
            view.days = query.days;
            let object = view.object(&register, entity, &row, &query.shape);
            if wants_json(request) {
                Ok(Answer::json(200, &json!({"d": object})))
            } else {
                Ok(atom::entry(request, entity, &object))
            }
        }
        [name, rest @ ..] => {
            if let Some((property, kind)) = entity.property(name) {
                let cell = row.cell(&register, property, kind);
                return Ok(Answer::json(
                    200,
                    &json!({"d": {property: value(&cell, kind)}}),
                ));
            }
            let way = entity
                .navigation(name)
                .ok_or_else(|| Failure::unknown_property(entity.name, name))?;
            let target = Entity::named(way.target).ok_or_else(Failure::not_found)?;
            let query = Query::of(target, request)?;
            view.days = query.days;
            let mut rows = view.behind(&register, &row, target, way.name);
            rows.retain(|row| passes(target, query.filter.as_ref(), &register, row));
            if rest == ["$count"] {
                return Ok(plain(rows.len()));
            }
            let object = |row: &Row<'_>, shape: &Shape| view.object(&register, target, row, shape);
            let shown = match way.is_many {
                true => {
                    json!({"results": rows.iter().map(|row| object(row, &query.shape)).collect::<Vec<_>>()})
                }
                false => object(rows.first().ok_or_else(Failure::not_found)?, &query.shape),
            };
            Ok(Answer::json(200, &json!({"d": shown})))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_in_every_form() {
        let job = Entity::named("EmpJob").unwrap();
        let parts = key_parts(
            job,
            "seqNumber=1L,startDate=datetime'2024-01-01T00:00:00',userId='sf1'",
        )
        .unwrap();
        assert_eq!(parts.len(), 3);
        let person = Entity::named("PerPerson").unwrap();
        for text in ["'O''Hara'", "personIdExternal='O''Hara'"] {
            let parts = key_parts(person, text).unwrap();
            assert_eq!(
                parts,
                [("personIdExternal", Literal::Text("O'Hara".to_owned()))]
            );
        }
        for text in ["", "'a'x", "userId='a'", "'a','b'"] {
            assert!(key_parts(person, text).is_none(), "{text}");
        }
    }
}
