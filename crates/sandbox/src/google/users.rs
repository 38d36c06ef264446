//! The reads: users and organisational units.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::company::Employee;
use crate::stage::{Listing, Roster, State};
use crate::wire::{Answer, WireRequest};

use super::failure::Failure;
use super::mask::Mask;
use super::render::{
    customer_id, etag, has_account, manager_address, restrict, unit_path, user, user_id,
};
use super::{Google, Success, only_parameters};

const DEFAULT_PAGE: usize = 100;
const LARGEST_PAGE: usize = 500;

/// The parameters of `users.list`.
const LIST_PARAMETERS: [&str; 12] = [
    "customFieldMask",
    "customer",
    "domain",
    "event",
    "maxResults",
    "orderBy",
    "pageToken",
    "projection",
    "query",
    "showDeleted",
    "sortOrder",
    "viewType",
];

/// What a list is asked for.
struct Asked {
    parameters: Vec<(String, String)>,
}

impl Asked {
    fn text(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(given, value)| given == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    fn one_of(&self, name: &str, known: &[&str]) -> Result<Option<&str>, Failure> {
        match self.text(name) {
            Some(value) if !known.contains(&value) => Err(Failure::invalid(name)),
            given => Ok(given),
        }
    }

    /// Whether customers' own fields are shown.
    fn with_schemas(&self) -> Result<bool, Failure> {
        match self.one_of("projection", &["basic", "custom", "full"])? {
            Some("full") => Ok(true),
            Some("custom") => match self.text("customFieldMask") {
                Some(schemas) => Ok(schemas.split(',').any(|schema| schema == "HR")),
                None => Err(Failure::invalid("customFieldMask")),
            },
            _ => Ok(false),
        }
    }
}

/// Somebody as on a day.
fn shown(
    google: &Google,
    roster: &Roster,
    (employee, day): (&Employee, Date),
    with_schemas: bool,
) -> Value {
    let mut user = user(roster, (employee, day), with_schemas);
    if google.stage.has_lost_rights() {
        restrict(&mut user);
    }
    google.stage.prune(&mut user, false);
    user
}

pub(super) fn list(google: &mut Google, request: &WireRequest) -> Result<Success, Failure> {
    only_parameters(request, &LIST_PARAMETERS)?;
    if google.stage.mischief.throttles() {
        google.throttled += 1;
        return Err(Failure::throttled(google.throttled - 1));
    }
    let asked = Asked {
        parameters: request.parameters(),
    };
    customer_asked(google, &asked)?;
    let size = match asked.text("maxResults").map(str::parse::<usize>) {
        None => DEFAULT_PAGE,
        Some(Ok(size)) if (1..=LARGEST_PAGE).contains(&size) => size,
        Some(_) => return Err(Failure::invalid("maxResults")),
    };
    let with_schemas = asked.with_schemas()?;
    asked.one_of("viewType", &["admin_view", "domain_public"])?;
    asked.one_of("sortOrder", &["ASCENDING", "DESCENDING"])?;
    asked.one_of("orderBy", &["email", "familyName", "givenName"])?;
    if asked.text("showDeleted") == Some("true") {
        let users: Vec<Value> = google
            .deleted
            .values()
            .map(|employee| deleted(google.stage.roster(), employee))
            .collect();
        return Ok(Success::Json(envelope(google, users, None)));
    }
    let filter = asked
        .text("query")
        .map(Filter::parse)
        .transpose()?
        .unwrap_or_default();
    let order = (
        asked.text("orderBy").unwrap_or_default().to_owned(),
        asked.text("sortOrder") == Some("DESCENDING"),
    );
    let name = format!("{filter:?}{order:?}");
    let from = match asked.text("pageToken") {
        None => 0,
        Some(token) => offset(token, &name).ok_or_else(|| Failure::invalid("pageToken"))?,
    };
    let mut listing = select(google, &name, size, &filter, &order);
    if google.stage.moves_border(&listing, from) {
        listing = select(google, &name, size, &filter, &order);
    }
    let served = google.stage.serve(&listing, from, size);
    let users: Vec<Value> = listing
        .rows(served.range.clone())
        .map(|row| {
            let today = listing.roster.day();
            let day = match row.is_older {
                true => today.yesterday().unwrap_or(today),
                false => today,
            };
            shown(google, &listing.roster, (&row, day), with_schemas)
        })
        .collect();
    if google.stage.mischief.breaks(served.place) {
        return Err(Failure::backend());
    }
    if google.stage.mischief.expires_token(served.place) {
        google.grants.clear();
    }
    let next = (!served.is_end).then(|| token(from.saturating_add(size), &name));
    let value = envelope(google, users, next);
    let mask = asked
        .text("fields")
        .and_then(Mask::parse)
        .unwrap_or_default();
    let answer = Answer::json(200, &mask.of(value));
    Ok(Success::Whole(google.stage.finish(served.place, answer)))
}

/// `customer` or `domain` must name the customer that the token is of.
fn customer_asked(google: &Google, asked: &Asked) -> Result<(), Failure> {
    let roster = google.stage.roster();
    if let Some(customer) = asked.text("customer") {
        return if customer == "my_customer" || customer == customer_id(roster) {
            Ok(())
        } else {
            Err(Failure::not_found("customer"))
        };
    }
    let domain = asked.text("domain").ok_or_else(Failure::bad_request)?;
    let ending = format!("@{}", domain.to_lowercase());
    let is_own = roster.employees().iter().any(|employee| {
        employee
            .work_email
            .as_ref()
            .is_some_and(|address| address.to_lowercase().ends_with(&ending))
    });
    if is_own {
        Ok(())
    } else {
        Err(Failure::not_found("domain"))
    }
}

fn select(
    google: &mut Google,
    name: &str,
    size: usize,
    filter: &Filter,
    (order, descending): &(String, bool),
) -> Listing {
    let keep = |roster: &Roster, employee: &Employee| {
        has_account(roster, employee) && filter.keeps(roster, employee)
    };
    if order.is_empty() {
        return google.stage.listing(name, size, keep);
    }
    let key = |employee: &Employee| match order.as_str() {
        "email" => employee.work_email.clone().unwrap_or_default(),
        "familyName" => employee.family_name.clone(),
        _ => employee.given_name.clone(),
    };
    google
        .stage
        .sorted_listing(name, size, keep, key, *descending)
}

fn envelope(google: &Google, users: Vec<Value>, next: Option<String>) -> Value {
    let mut value = json!({
        "kind": "admin#directory#users",
        "etag": format!("\"{}\"", google.stage.roster().day()),
    });
    if let Some(value) = value.as_object_mut() {
        // An empty list is not there at all.
        if !users.is_empty() {
            value.insert("users".to_owned(), Value::Array(users));
        }
        if let Some(next) = next {
            value.insert("nextPageToken".to_owned(), json!(next));
        }
    }
    value
}

fn deleted(roster: &Roster, employee: &Employee) -> Value {
    json!({
        "kind": "admin#directory#user",
        "id": user_id(employee.id),
        "etag": etag(employee),
        "primaryEmail": employee.work_email,
        "customerId": customer_id(roster),
        "deletionTime": format!("{}T12:00:00.000Z", roster.day()),
    })
}

/// A token for the page that begins at `from` of the list of this name.
fn token(from: usize, name: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{from} {name}"))
}

fn offset(token: &str, name: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (from, list) = text.split_once(' ')?;
    (list == name).then_some(from.parse().ok()?)
}

/// What a search asks for; all of it must hold.
#[derive(Debug, Default)]
struct Filter(Vec<(String, String)>);

impl Filter {
    /// Reads `isSuspended=false orgUnitPath='/Sales' email:kari*`.
    fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = || Failure::invalid("query");
        let (mut rest, mut clauses) = (text.trim(), Vec::new());
        while !rest.is_empty() {
            let at = rest.find(['=', ':']).ok_or_else(wrong)?;
            let (name, behind) = rest.split_at(at);
            let behind = behind.get(1..).unwrap_or_default();
            let (value, after) = match behind.strip_prefix('\'') {
                Some(quoted) => quoted.split_once('\'').ok_or_else(wrong)?,
                None => behind.split_once(' ').unwrap_or((behind, "")),
            };
            let known = [
                "email",
                "givenName",
                "familyName",
                "orgUnitPath",
                "isSuspended",
                "isAdmin",
                "manager",
                "directManager",
                "externalId",
            ];
            if !known.contains(&name) {
                return Err(wrong());
            }
            clauses.push((name.to_owned(), value.to_lowercase()));
            rest = after.trim_start();
        }
        Ok(Self(clauses))
    }

    fn keeps(&self, roster: &Roster, employee: &Employee) -> bool {
        let same = |text: &str, wanted: &str| {
            let text = text.to_lowercase();
            match wanted.strip_suffix('*') {
                Some(beginning) => text.starts_with(beginning),
                None => text == wanted,
            }
        };
        self.0.iter().all(|(name, wanted)| match name.as_str() {
            "email" => same(employee.work_email.as_deref().unwrap_or_default(), wanted),
            "givenName" => same(&employee.given_name, wanted),
            "familyName" => same(&employee.family_name, wanted),
            "orgUnitPath" => same(&unit_path(roster, employee), wanted),
            "isSuspended" => (roster.state(employee) == State::Ended) == (wanted == "true"),
            "isAdmin" => (employee.id == roster.owner()) == (wanted == "true"),
            "externalId" => same(
                employee.employee_number.as_deref().unwrap_or_default(),
                wanted,
            ),
            _ => manager_address(roster, employee).is_some_and(|address| same(address, wanted)),
        })
    }
}

/// The user of an id or an address, when they are seen.
pub(super) fn find(google: &Google, key: &str) -> Result<u64, Failure> {
    let roster = google.stage.roster();
    let found = if key.contains('@') {
        roster.holder_of(key)
    } else {
        // An id is a one and twenty digits.
        key.strip_prefix('1')
            .filter(|digits| digits.len() == 20)
            .and_then(|digits| digits.parse().ok())
            .and_then(|id| roster.employee(id))
    };
    found
        .filter(|employee| {
            has_account(roster, employee) && !google.stage.hides(roster, employee.id)
        })
        .map(|employee| employee.id)
        .ok_or_else(|| Failure::not_found("userKey"))
}

pub(super) fn get(
    google: &mut Google,
    request: &WireRequest,
    key: &str,
) -> Result<Success, Failure> {
    only_parameters(request, &["customFieldMask", "projection", "viewType"])?;
    let asked = Asked {
        parameters: request.parameters(),
    };
    let with_schemas = asked.with_schemas()?;
    let id = find(google, key)?;
    one(google, id, with_schemas)
}

/// One user as it is now.
pub(super) fn one(google: &Google, id: u64, with_schemas: bool) -> Result<Success, Failure> {
    let roster = google.stage.roster();
    let employee = roster
        .employee(id)
        .ok_or_else(|| Failure::not_found("userKey"))?;
    let person = (employee, roster.day());
    Ok(Success::Json(shown(google, roster, person, with_schemas)))
}

pub(super) fn units(
    google: &mut Google,
    request: &WireRequest,
    customer: &str,
) -> Result<Success, Failure> {
    only_parameters(request, &["orgUnitPath", "type"])?;
    let roster = google.stage.roster();
    if customer != "my_customer" && customer != customer_id(roster) {
        return Err(Failure::not_found("customer"));
    }
    let units: Vec<Value> = roster
        .company
        .departments
        .iter()
        .map(|department| {
            json!({
                "kind": "admin#directory#orgUnit",
                "etag": format!("\"{}\"", department.version),
                "name": department.name,
                "description": department.number,
                "orgUnitId": format!("id:{:015x}", department.id),
                "orgUnitPath": format!("/{}", department.name.replace('/', "-")),
                "parentOrgUnitId": "id:000000000000000",
                "parentOrgUnitPath": "/",
            })
        })
        .collect();
    Ok(Success::Json(json!({
        "kind": "admin#directory#orgUnits",
        "etag": format!("\"{}\"", roster.day()),
        "organizationUnits": units,
    })))
}
