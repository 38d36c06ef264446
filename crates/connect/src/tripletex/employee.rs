//! One row of the list of employees as a source record.

use muster_model::values::Country;
use muster_model::{ExternalId, Field, Presence, Raw, SourceRecord, Value};
use serde_json::Value as Json;

use super::departments::Managers;
use super::{employment, selection};
use crate::connector::FieldScope;
use crate::normalise::{Draft, Rules};

/// Kinds of foreign numbers that are no identity number: a passport is replaced
/// every ten years, and a VAT number is a firm's.
const NO_IDENTITY: [&str; 2] = ["PASSPORT_NO", "VALUE_ADDED_TAX_IDENTIFICATION_NO"];

/// What the vendor says of somebody: all that was asked for, but for what tells
/// when it was last saved and where it stands.
fn words(row: &Json) -> Json {
    match row {
        Json::Object(properties) => properties
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "version" | "url" | "changes"))
            .map(|(name, value)| (name.clone(), words(value)))
            .collect(),
        Json::Array(values) => values.iter().map(words).collect(),
        value => value.clone(),
    }
}

/// Turns rows into records.
pub(super) struct RowReader<'a> {
    pub(super) scope: &'a FieldScope,
    pub(super) rules: &'a Rules,
    pub(super) managers: &'a Managers,
}

/// The row's own id.
pub(super) fn id(row: &Json) -> Option<i64> {
    row.get("id")?.as_i64()
}

/// Is it one of the company's people? Contacts and the users of accounting or
/// auditing offices are not.
pub(super) fn is_of_company(row: &Json) -> bool {
    ["isContact", "isProxy"]
        .iter()
        .all(|flag| row.get(flag) != Some(&Json::Bool(true)))
}

impl RowReader<'_> {
    /// Reads a row with its id.
    pub(super) fn record(&self, id: i64, row: &Json) -> SourceRecord {
        let mut draft = Draft::new(self.rules, self.scope);
        for (field, property) in [
            (Field::EmployeeNumber, "employeeNumber"),
            (Field::GivenName, "firstName"),
            (Field::FamilyName, "lastName"),
            (Field::DisplayName, "displayName"),
        ] {
            draft.text(field, row.get(property));
        }
        draft.email(Field::WorkEmail, row.get("email"));
        phone(&mut draft, row);
        draft.date_of_birth(row.get("dateOfBirth"));
        national_id(&mut draft, row);
        match filled(row, "bankAccountNumber") {
            Some(account) => draft.bank_account(Some(account)),
            None => draft.iban(row.get("iban")),
        }
        draft.text(Field::Department, row.pointer("/department/name"));
        if let Some(address) = row.get("address") {
            draft.address(
                &[address.get("addressLine1"), address.get("addressLine2")],
                address.get("postalCode"),
                address.get("city"),
                address.pointer("/country/isoAlpha2Code"),
            );
        }
        if let Some(manager) = self.manager(id, row) {
            draft.value(Field::ManagerExternalId, Value::text(manager.to_string()));
        }
        let whole = !selection::needs_employments(self.scope) || self.employments(&mut draft, row);
        let (fields, problems) = draft.finish();
        SourceRecord {
            external_id: ExternalId::new(id.to_string()),
            revision: row.get("version").and_then(Json::as_i64),
            presence: Presence::Present,
            whole,
            fields,
            problems,
            raw: Raw::of(words(row).to_string()),
        }
    }

    fn manager(&self, id: i64, row: &Json) -> Option<i64> {
        let department = row.pointer("/department/id")?.as_i64()?;
        self.managers.of(id, department)
    }

    /// Reads the employments; tells whether they came whole. No employment at
    /// all is silence, like empty text: a token without the right to see
    /// employments gets the same.
    fn employments(&self, draft: &mut Draft<'_>, row: &Json) -> bool {
        let Some(read) = employment::read(row, self.scope, draft) else {
            return false;
        };
        if !read.engagements.is_empty() {
            draft.engagements(read.engagements);
        }
        read.whole
    }
}

/// The first number that is filled; only the mobile one has a country.
fn phone(draft: &mut Draft<'_>, row: &Json) {
    if let Some(mobile) = filled(row, "phoneNumberMobile") {
        let country = row.pointer("/phoneNumberMobileCountry/isoAlpha2Code");
        draft.phone(Some(mobile), country.and_then(Json::as_str));
    } else {
        let other = filled(row, "phoneNumberWork").or_else(|| filled(row, "phoneNumberHome"));
        draft.phone(other, None);
    }
}

fn national_id(draft: &mut Draft<'_>, row: &Json) {
    let norwegian = filled(row, "nationalIdentityNumber").or_else(|| filled(row, "dnumber"));
    if norwegian.is_some() {
        return draft.national_id(norwegian, Some(Country::NORWAY));
    }
    let Some(foreign) = row.get("internationalId") else {
        return;
    };
    let kind = foreign.get("intAmeldingType").and_then(Json::as_str);
    if kind.is_some_and(|kind| NO_IDENTITY.contains(&kind)) {
        return;
    }
    let country = foreign
        .pointer("/country/isoAlpha2Code")
        .and_then(Json::as_str)
        .and_then(|code| Country::parse(code).ok());
    draft.national_id(foreign.get("number"), country);
}

fn filled<'a>(row: &'a Json, property: &str) -> Option<&'a Json> {
    let said = row.get(property)?;
    let blank = said.is_null() || said.as_str().is_some_and(|text| text.trim().is_empty());
    (!blank).then_some(said)
}

#[cfg(test)]
mod tests;
