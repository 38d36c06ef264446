//! Writing an employee, and the days of an employment.
//!
//! A `PUT` takes a partial object: what it leaves out stays. With the `version`
//! that was read it is refused (409) when somebody wrote since.

use std::collections::BTreeMap;

use muster_model::values::{Country, Phone};
use muster_model::{Field, Fields, Said, Value};
use serde_json::{Map, Value as Json, json};

use super::api::Api;
use super::departments::Managers;
use super::employee::RowReader;
use super::refusal;
use crate::connector::FieldScope;
use crate::error::{ConnectError, ErrorKind};
use crate::http::Answer;
use crate::normalise::{Draft, Rules};
use crate::writing::{RecordWrite, WriteAnswer, Written};

/// Fields of the employee and the properties that hold them, the first for what
/// is written; refusals may name any of them.
const OF_EMPLOYEE: [(Field, &[&str]); 7] = [
    (Field::EmployeeNumber, &["employeeNumber"]),
    (Field::GivenName, &["firstName"]),
    (Field::FamilyName, &["lastName"]),
    (Field::WorkEmail, &["email"]),
    (
        Field::Phone,
        &["phoneNumberMobile", "phoneNumberMobileCountry"],
    ),
    (Field::DateOfBirth, &["dateOfBirth"]),
    (Field::BankAccount, &["bankAccountNumber", "iban"]),
];
/// Fields of an employment.
const OF_EMPLOYMENT: [(Field, &[&str]); 2] = [
    (Field::StartDate, &["startDate"]),
    (Field::EndDate, &["endDate"]),
];

/// The vendor refuses this value.
const REFUSED: &str = "tripletex.value_refused";
/// The vendor refuses another field of the same object, which it takes as a whole or not at all.
const REFUSED_WITH: &str = "tripletex.refused_with_another";
/// There is no such person or employment.
const NOT_THERE: &str = "tripletex.record_not_there";
/// Cannot be written here.
const NOT_WRITABLE: &str = "tripletex.field_not_writable";

/// Writes the fields of one record.
pub(super) async fn write(
    api: &Api,
    write: &RecordWrite,
    rules: &Rules,
) -> Result<WriteAnswer, ConnectError> {
    let mut written = Written::default();
    let named = |table: &[(Field, &[&str])]| {
        write
            .fields
            .only(|field| table.iter().any(|(known, _)| *known == field))
    };
    let (employee, employment) = (named(&OF_EMPLOYEE), named(&OF_EMPLOYMENT));
    for (field, _) in write.fields.iter() {
        if employee.get(field).is_absent() && employment.get(field).is_absent() {
            written.refused.insert(field, NOT_WRITABLE.to_owned());
        }
    }
    if !employee.is_empty() {
        match write_employee(api, write, &employee, rules).await? {
            WriteAnswer::Moved => return Ok(WriteAnswer::Moved),
            WriteAnswer::Done(done) => join(&mut written, done),
        }
    }
    if !employment.is_empty() {
        match write_employment(api, write, &employment, rules).await? {
            // The employee may be written by now: only the days are tried again.
            WriteAnswer::Moved if !written.fields.is_empty() => {
                for (field, _) in employment.iter() {
                    written.refused.insert(field, REFUSED_WITH.to_owned());
                }
            }
            WriteAnswer::Moved => return Ok(WriteAnswer::Moved),
            WriteAnswer::Done(done) => join(&mut written, done),
        }
    }
    Ok(WriteAnswer::Done(written))
}

fn join(written: &mut Written, more: Written) {
    written.revision = written.revision.or(more.revision);
    written.fields.overlay(more.fields);
    written.refused.extend(more.refused);
}

async fn write_employee(
    api: &Api,
    write: &RecordWrite,
    fields: &Fields,
    rules: &Rules,
) -> Result<WriteAnswer, ConnectError> {
    let id = write.external_id.as_str();
    let path = format!("/employee/{id}");
    let mut body = Map::new();
    body.insert("id".to_owned(), number(id));
    if let Some(version) = write.revision {
        body.insert("version".to_owned(), json!(version));
    }
    let mut country = Json::Null;
    for (field, said) in fields.iter() {
        match field {
            Field::Phone => {
                country = mobile_country(api, &path).await?;
                let phone = said
                    .value()
                    .and_then(|value| value.as_text())
                    .unwrap_or_default();
                let text = in_country(phone, &country).unwrap_or_else(|| phone.to_owned());
                body.insert("phoneNumberMobile".to_owned(), json!(text));
            }
            Field::BankAccount => body.extend(bank_account(said)),
            _ => {
                if let Some((_, [property, ..])) =
                    OF_EMPLOYEE.iter().find(|(known, _)| *known == field)
                {
                    body.insert((*property).to_owned(), plain(field, said));
                }
            }
        }
    }
    let mut answer = match taken(
        api.put(&path, &Json::Object(body)).await?,
        fields,
        &OF_EMPLOYEE,
    )? {
        Taken::Answer(answer) => answer,
        Taken::Other(answer) => return Ok(answer),
    };
    let Some(row) = answer.json.get_mut("value") else {
        return Err(refusal::unexpected("the answer shows no employee", &answer));
    };
    // The answer names the country of the number by its id alone.
    if let (Some(shown), false) = (row.get_mut("phoneNumberMobileCountry"), country.is_null())
        && shown.get("id") == country.get("id")
    {
        *shown = country;
    }
    let scope = FieldScope::only(fields.iter().map(|(field, _)| field));
    let reader = RowReader {
        scope: &scope,
        rules,
        managers: &Managers::default(),
    };
    let record = reader.record(id.parse().unwrap_or_default(), row);
    Ok(WriteAnswer::Done(Written {
        revision: record.revision,
        fields: record.fields,
        refused: BTreeMap::new(),
    }))
}

async fn write_employment(
    api: &Api,
    write: &RecordWrite,
    fields: &Fields,
    rules: &Rules,
) -> Result<WriteAnswer, ConnectError> {
    let Some(id) = &write.engagement else {
        let refused = fields
            .iter()
            .map(|(field, _)| (field, NOT_THERE.to_owned()));
        return Ok(WriteAnswer::Done(Written {
            refused: refused.collect(),
            ..Written::default()
        }));
    };
    let path = format!("/employee/employment/{id}");
    let selection = [("fields", "id,version".to_owned())];
    let present = api.get(&path, &selection).await?;
    let mut body = Map::new();
    body.insert("id".to_owned(), number(id));
    if let Some(version) = present.json.pointer("/value/version") {
        body.insert("version".to_owned(), version.clone());
    }
    for (field, said) in fields.iter() {
        if let Some((_, [property, ..])) = OF_EMPLOYMENT.iter().find(|(known, _)| *known == field) {
            body.insert((*property).to_owned(), plain(field, said));
        }
    }
    let answer = match taken(
        api.put(&path, &Json::Object(body)).await?,
        fields,
        &OF_EMPLOYMENT,
    )? {
        Taken::Answer(answer) => answer,
        Taken::Other(answer) => return Ok(answer),
    };
    let scope = FieldScope::only(fields.iter().map(|(field, _)| field));
    let mut draft = Draft::new(rules, &scope);
    let mut given = Fields::new();
    for (field, _) in fields.iter() {
        let Some((_, [property, ..])) = OF_EMPLOYMENT.iter().find(|(known, _)| *known == field)
        else {
            continue;
        };
        let shown = answer.json.get("value").and_then(|row| row.get(*property));
        let said = match shown {
            Some(Json::Null) => Said::Null,
            shown => draft.read_date(field, shown).map(Value::Date),
        };
        given.set(field, said);
    }
    Ok(WriteAnswer::Done(Written {
        revision: None,
        fields: given,
        refused: BTreeMap::new(),
    }))
}

/// Was a write taken?
enum Taken {
    /// Yes, and this is the answer.
    Answer(Answer),
    /// No; this is what it means.
    Other(WriteAnswer),
}

fn taken(
    answer: Answer,
    fields: &Fields,
    table: &[(Field, &[&str])],
) -> Result<Taken, ConnectError> {
    let code = answer.json.get("code").and_then(Json::as_u64);
    let refused = |reasons: BTreeMap<Field, String>| {
        Ok(Taken::Other(WriteAnswer::Done(Written {
            refused: reasons,
            ..Written::default()
        })))
    };
    let all = |reason: &str| {
        fields
            .iter()
            .map(|(field, _)| (field, reason.to_owned()))
            .collect()
    };
    match answer.status {
        _ if answer.is_success() => Ok(Taken::Answer(answer)),
        409 if code == Some(refusal::CHANGED_MEANWHILE) => Ok(Taken::Other(WriteAnswer::Moved)),
        404 => refused(all(NOT_THERE)),
        400 | 409 | 422 => {
            tracing::warn!(
                path = answer.place.path,
                status = answer.status,
                code,
                request_id = answer.place.request_id.as_deref(),
                "a write was refused"
            );
            let named = named(&answer, table);
            let one_is_named = fields.iter().any(|(field, _)| named.contains(&field));
            let reason = |field: Field| {
                if !one_is_named || named.contains(&field) {
                    REFUSED
                } else {
                    REFUSED_WITH
                }
            };
            refused(
                fields
                    .iter()
                    .map(|(field, _)| (field, reason(field).to_owned()))
                    .collect(),
            )
        }
        _ => Err(refusal::of(&answer)),
    }
}

/// The fields whose properties the vendor names in its refusal.
fn named(answer: &Answer, table: &[(Field, &[&str])]) -> Vec<Field> {
    let messages = answer
        .json
        .get("validationMessages")
        .and_then(Json::as_array);
    messages
        .into_iter()
        .flatten()
        .filter_map(|message| message.get("field")?.as_str())
        .filter_map(|name| name.split('.').next())
        .filter_map(|name| {
            let found = table
                .iter()
                .find(|(_, properties)| properties.contains(&name));
            found.map(|(field, _)| *field)
        })
        .collect()
}

/// The country that the vendor keeps with the mobile number; null when there is none.
async fn mobile_country(api: &Api, path: &str) -> Result<Json, ConnectError> {
    let selection = "id,phoneNumberMobileCountry(id,isoAlpha2Code)".to_owned();
    match api.get(path, &[("fields", selection)]).await {
        Ok(answer) => Ok(answer
            .json
            .pointer("/value/phoneNumberMobileCountry")
            .cloned()
            .unwrap_or_default()),
        // The write itself says that there is nobody.
        Err(error) if error.kind() == ErrorKind::Refused => Ok(Json::Null),
        Err(error) => Err(error),
    }
}

/// A number as it is dialled in the country that is kept with it; `None` when it
/// is another country's and stands with its own calling code.
fn in_country(e164: &str, country: &Json) -> Option<String> {
    let code = country.get("isoAlpha2Code")?.as_str()?;
    let region = Country::parse(code).ok()?;
    let digits = e164.strip_prefix('+')?;
    // Calling codes have one to three digits (ITU-T E.164).
    (1..=3).find_map(|length| {
        let national = digits.get(length..)?;
        let read = Phone::parse(national, Some(region)).ok()?;
        (read.e164() == e164).then(|| national.to_owned())
    })
}

/// A domestic number or an IBAN: the property for the one is emptied when the
/// other is written, because the domestic number is read first.
fn bank_account(said: Said<&Value>) -> Map<String, Json> {
    let account = match said.value() {
        Some(Value::Sealed(account)) => account.expose(),
        _ => "",
    };
    let is_iban = account.starts_with(|first: char| first.is_ascii_alphabetic());
    let (domestic, iban) = if is_iban {
        ("", account)
    } else {
        (account, "")
    };
    let mut properties = Map::new();
    properties.insert("bankAccountNumber".to_owned(), json!(domestic));
    // A domestic number may stand beside an IBAN; only when there is none, both go.
    if is_iban || account.is_empty() {
        properties.insert("iban".to_owned(), json!(iban));
    }
    properties
}

/// Text, or a date; none is empty text, and null for a date.
fn plain(field: Field, said: Said<&Value>) -> Json {
    match said.value() {
        Some(value) => value.to_json(),
        None if matches!(
            field,
            Field::DateOfBirth | Field::StartDate | Field::EndDate
        ) =>
        {
            Json::Null
        }
        None => json!(""),
    }
}

fn number(id: &str) -> Json {
    id.parse::<i64>().map_or(Json::Null, |id| json!(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_the_kept_country_stands_without_its_calling_code() {
        let norway = json!({"id": 161, "isoAlpha2Code": "NO"});
        assert_eq!(
            in_country("+4741234567", &norway).as_deref(),
            Some("41234567")
        );
        assert_eq!(in_country("+4520123456", &norway), None);
        assert_eq!(in_country("+4741234567", &Json::Null), None);
    }

    #[test]
    fn an_iban_empties_the_domestic_number_and_not_the_other_way() {
        let sealed = |text: &str| Value::Sealed(muster_model::value::SealedText::new(text));
        let iban = sealed("NO9386011117947");
        assert_eq!(
            Json::Object(bank_account(Said::Value(&iban))),
            json!({"bankAccountNumber": "", "iban": "NO9386011117947"})
        );
        let domestic = sealed("86011117947");
        assert_eq!(
            Json::Object(bank_account(Said::Value(&domestic))),
            json!({"bankAccountNumber": "86011117947"})
        );
        assert_eq!(
            Json::Object(bank_account(Said::Null)),
            json!({"bankAccountNumber": "", "iban": ""})
        );
    }
}
