//! Calls about tokens and sessions.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::answer::Success;
use super::failure::{Failure, ValidationMessage};
use super::listing::{SingleEnvelope, text};
use super::render::Rendered;
use super::request::Request;
use super::resource::Resource;
use super::row::{Cell, Row};
use super::world::World;
use super::write_rules::{CANNOT_BE_NULL, INVALID_FORMAT};

/// The names that make a session, in the body and in the legacy query alike.
const NAMES: [&str; 3] = ["consumerToken", "employeeToken", "expirationDate"];

/// `POST /token/session/:create`: tokens in the body, answered 201.
pub(super) fn create_by_body(world: &mut World, request: &Request) -> Result<Success, Failure> {
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| Failure::invalid_json())?;
    let Value::Object(properties) = &body else {
        return Err(Failure::mapping(vec![ValidationMessage::whole(
            "Et objekt var forventet.",
        )]));
    };
    let unknown: Vec<ValidationMessage> = properties
        .keys()
        .filter(|name| !NAMES.contains(&name.as_str()))
        .map(|name| ValidationMessage::field(name.as_str(), "Feltet eksisterer ikke i objektet."))
        .collect();
    if !unknown.is_empty() {
        return Err(Failure::mapping(unknown));
    }
    let [consumer, employee, expires] =
        NAMES.map(|name| properties.get(name).and_then(Value::as_str));
    create(world, consumer, employee, expires, 201)
}

/// `PUT /token/session/:create`: tokens in the query, answered 200.
pub(super) fn create_by_query(world: &mut World, request: &Request) -> Result<Success, Failure> {
    let [consumer, employee, expires] = NAMES.map(|name| request.query.text(name));
    create(world, consumer, employee, expires, 200)
}

fn create(
    world: &mut World,
    consumer: Option<&str>,
    employee: Option<&str>,
    expires: Option<&str>,
    status: u16,
) -> Result<Success, Failure> {
    let missing: Vec<ValidationMessage> = NAMES
        .into_iter()
        .zip([consumer, employee, expires])
        .filter(|(_, given)| given.is_none())
        .map(|(name, _)| ValidationMessage::field(name, CANNOT_BE_NULL))
        .collect();
    if !missing.is_empty() {
        return Err(Failure::validation(missing));
    }
    let expires = expires
        .and_then(|text| text.parse::<Date>().ok())
        .filter(|date| *date >= world.today())
        .ok_or_else(|| {
            Failure::validation(vec![ValidationMessage::field(
                "expirationDate",
                INVALID_FORMAT,
            )])
        })?;
    let known = consumer == Some(world.sessions.consumer_token.as_str())
        && employee == Some(world.sessions.employee_token.as_str());
    if !known {
        return Err(Failure::unauthorized());
    }
    let address = world.books().address.clone();
    let (number, token) = world.sessions.create(expires);
    let reference =
        |kind: &str, id: u64| json!({"id": id, "url": format!("{address}/token/{kind}/{id}")});
    let body = json!({"value": {
        "id": number,
        "version": 0,
        "url": format!("{address}/token/session/{number}"),
        "consumerToken": reference("consumer", 1),
        "employeeToken": reference("employee", 1),
        "expirationDate": expires,
        "token": token,
        "encryptionKey": null,
    }});
    Ok(Success::of(status, text(&body)?))
}

/// `DELETE /token/session/{token}`.
pub(super) fn end(world: &mut World, token: &str) -> Result<Success, Failure> {
    if world.sessions.end(token) {
        Ok(Success::without_body(204))
    } else {
        Err(Failure::not_found())
    }
}

/// `GET /token/session/>whoAmI`: the token's owner and company.
pub(super) fn who_am_i(world: &World, request: &Request) -> Result<Success, Failure> {
    let selection = request.query.selection(Resource::LoggedInUser, "")?;
    let books = world.books();
    let owner = i64::try_from(books.owner).map_err(|_| Failure::server_error())?;
    let row = Row::new(Resource::LoggedInUser, 0, 0)
        .with("employeeId", Cell::Integer(owner))
        .with("actualEmployeeId", Cell::Integer(owner))
        .with(
            "employee",
            Cell::reference((books.owner != 0).then_some(books.owner)),
        )
        .with("company", Cell::Reference(books.account_id))
        .with("language", Cell::text("no"));
    let body = text(&SingleEnvelope {
        value: Rendered {
            books,
            row: &row,
            selection: &selection,
            lens: &world.disturbance.lens,
        },
    })?;
    Ok(Success::of(200, body))
}
