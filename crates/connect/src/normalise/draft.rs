//! A record in the making.

use jiff::civil::Date;
use muster_model::value::{Address, Percentage, SealedText};
use muster_model::values::{
    BankAccount, Country, Email, Iban, IdRules, NationalId, NationalIdKind, Phone, Synthetic,
    ValueError,
};
use muster_model::{Engagement, Field, FieldProblem, Fields, Said, Value};
use serde_json::Value as Json;

use super::raw;
use crate::connector::FieldScope;

/// What reading a value depends on beside the value.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The civil day of the organisation.
    pub today: Date,
    /// The organisation's country, for telephone numbers without a calling code.
    pub region: Option<Country>,
    /// Are identity numbers of test people taken?
    pub synthetic: Synthetic,
}

/// Collects the fields of one record and the problems on the way.
///
/// The methods that name a field as their first argument put it, if it is in
/// scope. The `read_…` methods give the value back instead, for parts of
/// engagements; their caller minds the scope.
pub struct Draft<'a> {
    rules: &'a Rules,
    scope: &'a FieldScope,
    fields: Fields,
    problems: Vec<FieldProblem>,
}

impl<'a> Draft<'a> {
    /// Nothing said yet.
    #[must_use]
    pub fn new(rules: &'a Rules, scope: &'a FieldScope) -> Self {
        Self {
            rules,
            scope,
            fields: Fields::new(),
            problems: Vec::new(),
        }
    }

    /// The fields, and what could not be read.
    #[must_use]
    pub fn finish(self) -> (Fields, Vec<FieldProblem>) {
        (self.fields, self.problems)
    }

    /// Puts a value that is canonical already.
    pub fn value(&mut self, field: Field, value: Value) {
        if self.scope.has(field) {
            self.fields.put(field, value);
        }
    }

    /// Puts engagements. They hold only what the scope allows, which their
    /// maker has minded; so they are put for any field of an engagement.
    pub fn engagements(&mut self, engagements: Vec<Engagement>) {
        self.fields
            .put(Field::Engagements, Value::Engagements(engagements));
    }

    /// Puts free text or a code.
    pub fn text(&mut self, field: Field, said: Option<&Json>) {
        if self.scope.has(field)
            && let Said::Value(text) = self.read_text(field, said)
        {
            self.value(field, Value::Text(text));
        }
    }

    /// Says that there is none.
    pub fn none(&mut self, field: Field) {
        if self.scope.has(field) {
            self.fields.set(field, Said::Null);
        }
    }

    /// Puts a country, as its code.
    pub fn country(&mut self, said: Option<&Json>) {
        self.typed(Field::Country, said, |text| {
            Ok(Value::text(Country::parse_either(text)?.code()))
        });
    }

    /// Tells that what was said cannot be read, without repeating it. Out of
    /// scope, nothing is told.
    pub fn unreadable(&mut self, field: Field, code: &str, why: &str) {
        self.problem(
            field,
            format!("{field}.{code}"),
            None,
            format!(
                "This cannot be read: {why}. Correct it in the source, or change where the field comes from."
            ),
        );
    }

    /// Puts an e-mail address, as said.
    pub fn email(&mut self, field: Field, said: Option<&Json>) {
        self.typed(field, said, |text| {
            Ok(Value::text(Email::parse(text)?.said()))
        });
    }

    /// Puts the telephone number, as E.164. The country is the one that the
    /// source keeps with the number (ISO 3166-1 alpha-2); without it the
    /// organisation's counts.
    pub fn phone(&mut self, said: Option<&Json>, country: Option<&str>) {
        let own = country.and_then(|code| Country::parse_either(code).ok());
        let region = own.or(self.rules.region);
        self.typed(Field::Phone, said, |text| {
            Ok(Value::text(Phone::parse(text, region)?.e164()))
        });
    }

    /// Puts the date of birth.
    pub fn date_of_birth(&mut self, said: Option<&Json>) {
        if !self.scope.has(Field::DateOfBirth) {
            return;
        }
        let Said::Value(date) = self.read_date(Field::DateOfBirth, said) else {
            return;
        };
        if date > self.rules.today {
            self.problem(
                Field::DateOfBirth,
                "date_of_birth.in_future",
                Some(date.to_string()),
                "The date of birth is in the future. Correct it in the source.",
            );
        } else {
            self.value(Field::DateOfBirth, Value::Date(date));
        }
    }

    /// Puts the national identity number in its canonical form. A number of a
    /// country without rules here stands with its country before it (`PL
    /// 44051401359`): such numbers are unique within a country only, and this
    /// field is a key.
    pub fn national_id(&mut self, said: Option<&Json>, country: Option<Country>) {
        let rules = IdRules {
            today: self.rules.today,
            synthetic: self.rules.synthetic,
        };
        self.typed(Field::NationalId, said, |text| {
            let id = NationalId::parse(text, country, &rules)?;
            let canonical = match id.kind() {
                NationalIdKind::Foreign => format!("{} {}", id.country(), id.canonical()),
                _ => id.canonical().to_owned(),
            };
            Ok(Value::Sealed(SealedText::new(canonical)))
        });
    }

    /// Puts a domestic bank account number in its canonical form.
    pub fn bank_account(&mut self, said: Option<&Json>) {
        self.typed(Field::BankAccount, said, |text| {
            let account = BankAccount::parse(text)?;
            Ok(Value::Sealed(SealedText::new(account.canonical())))
        });
    }

    /// Puts an IBAN in its canonical form.
    pub fn iban(&mut self, said: Option<&Json>) {
        self.typed(Field::BankAccount, said, |text| {
            let iban = Iban::parse(text)?;
            Ok(Value::Sealed(SealedText::new(iban.canonical())))
        });
    }

    /// Puts a postal address, if any part of it is said. Lines are joined by a comma.
    pub fn address(
        &mut self,
        lines: &[Option<&Json>],
        postal_code: Option<&Json>,
        city: Option<&Json>,
        country: Option<&Json>,
    ) {
        let field = Field::Address;
        if !self.scope.has(field) {
            return;
        }
        let lines: Vec<String> = lines
            .iter()
            .filter_map(|line| self.read_text(field, *line).into_value())
            .collect();
        let address = Address {
            line: (!lines.is_empty()).then(|| lines.join(", ")),
            postal_code: self.read_text(field, postal_code).into_value(),
            city: self.read_text(field, city).into_value(),
            country: self.read_country(field, country),
        };
        if !address.is_empty() {
            self.value(field, Value::Address(address));
        }
    }

    /// Reads text; what is not said is absent.
    pub fn read_text(&mut self, field: Field, said: Option<&Json>) -> Said<String> {
        match raw::text(said) {
            Ok(text) => Said::from_optional(text),
            Err(raw::NotOneValue) => {
                self.problem(
                    field,
                    format!("{field}.wrong_type"),
                    None,
                    "The source sent a list, an object or a truth value where one value belongs. \
                     Report it with the connector's name and version.",
                );
                Said::Absent
            }
        }
    }

    /// Reads a civil date; what is not said is absent.
    pub fn read_date(&mut self, field: Field, said: Option<&Json>) -> Said<Date> {
        let Said::Value(text) = self.read_text(field, said) else {
            return Said::Absent;
        };
        match text.trim().parse() {
            Ok(date) => Said::Value(date),
            Err(_) => {
                self.problem(
                    field,
                    format!("{field}.not_a_date"),
                    Some(text),
                    "This is no date of the form YYYY-MM-DD. Correct it in the source.",
                );
                Said::Absent
            }
        }
    }

    /// Reads a percentage of full time; what is not said is absent.
    pub fn read_percentage(&mut self, said: Option<&Json>) -> Said<Percentage> {
        let field = Field::EmploymentPercentage;
        let Said::Value(text) = self.read_text(field, said) else {
            return Said::Absent;
        };
        let percentage = (text.trim().parse().ok()).and_then(Percentage::from_percent);
        if percentage.is_none() {
            self.problem(
                field,
                "employment_percentage.out_of_range",
                Some(text),
                "This is no number from 0 to 100. Correct it in the source.",
            );
        }
        Said::from_optional(percentage)
    }

    fn read_country(&mut self, field: Field, said: Option<&Json>) -> Option<String> {
        let text = self.read_text(field, said).into_value()?;
        match Country::parse_either(&text) {
            Ok(country) => Some(country.code().to_owned()),
            Err(error) => {
                self.refused(field, &text, error);
                None
            }
        }
    }

    fn typed(
        &mut self,
        field: Field,
        said: Option<&Json>,
        read: impl FnOnce(&str) -> Result<Value, ValueError>,
    ) {
        if !self.scope.has(field) {
            return;
        }
        let Said::Value(text) = self.read_text(field, said) else {
            return;
        };
        match read(&text) {
            Ok(value) => self.value(field, value),
            Err(error) => self.refused(field, &text, error),
        }
    }

    fn refused(&mut self, field: Field, said: &str, error: ValueError) {
        self.problem(field, error.code, Some(said.to_owned()), error.to_string());
    }

    /// Tells a problem; what was said of a sealed field is dropped.
    pub fn problem(
        &mut self,
        field: Field,
        code: impl Into<String>,
        said: Option<String>,
        message: impl Into<String>,
    ) {
        self.problems.push(FieldProblem {
            field,
            code: code.into(),
            said: said.filter(|_| !field.is_sealed()),
            message: message.into(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use serde_json::json;

    const RULES: Rules = Rules {
        today: date(2025, 6, 1),
        region: Some(Country::NORWAY),
        synthetic: Synthetic::Refuse,
    };

    fn drafted(
        scope: &FieldScope,
        make: impl FnOnce(&mut Draft<'_>),
    ) -> (Fields, Vec<FieldProblem>) {
        let mut draft = Draft::new(&RULES, scope);
        make(&mut draft);
        draft.finish()
    }

    fn codes(problems: &[FieldProblem]) -> Vec<&str> {
        problems
            .iter()
            .map(|problem| problem.code.as_str())
            .collect()
    }

    #[test]
    fn a_phone_number_takes_its_own_country_before_the_organisations() {
        for (said, country, e164) in [
            ("40 00 00 00", None, "+4740000000"),
            ("40000000", Some("NO"), "+4740000000"),
            ("070-123 45 67", Some("SE"), "+46701234567"),
            ("+46 70 123 45 67", Some("NO"), "+46701234567"),
        ] {
            let (fields, problems) = drafted(&FieldScope::all(), |draft| {
                draft.phone(Some(&json!(said)), country);
            });
            assert_eq!(fields.text(Field::Phone), Some(e164), "{said} {problems:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_absent_and_told() {
        let (fields, problems) = drafted(&FieldScope::all(), |draft| {
            draft.email(Field::WorkEmail, Some(&json!("kari.hansen")));
            draft.phone(Some(&json!("12")), None);
            draft.date_of_birth(Some(&json!("17.05.1990")));
            draft.text(Field::GivenName, Some(&json!({"id": 7})));
            assert_eq!(draft.read_percentage(Some(&json!(101))), Said::Absent);
        });
        assert!(fields.is_empty(), "{fields:?}");
        assert_eq!(
            codes(&problems),
            [
                "email.no_at",
                "phone.impossible",
                "date_of_birth.not_a_date",
                "given_name.wrong_type",
                "employment_percentage.out_of_range",
            ]
        );
        assert_eq!(problems[0].said.as_deref(), Some("kari.hansen"));
    }

    #[test]
    fn synthetic_numbers_are_refused_unless_taken_and_a_sealed_value_is_never_repeated() {
        // Month + 80: made for tests, belongs to nobody.
        let said = json!("15876500016");
        let (fields, problems) = drafted(&FieldScope::all(), |draft| {
            draft.national_id(Some(&said), Some(Country::NORWAY));
            draft.bank_account(Some(&json!("86011117948")));
        });
        assert!(fields.is_empty());
        assert_eq!(
            codes(&problems),
            ["national_id.synthetic", "bank_account.checksum"]
        );
        for problem in &problems {
            assert_eq!(problem.said, None);
            assert!(!format!("{problem:?}").contains("5876500"), "{problem:?}");
        }
    }

    #[test]
    fn a_number_of_a_country_without_rules_stands_with_its_country() {
        let (fields, _) = drafted(&FieldScope::all(), |draft| {
            let poland = Country::parse("PL").ok();
            draft.national_id(Some(&json!("44051401359")), poland);
        });
        let expected = Value::Sealed(SealedText::new("PL 44051401359"));
        assert_eq!(fields.value(Field::NationalId), Some(&expected));
    }

    #[test]
    fn what_is_out_of_scope_is_dropped_with_its_problems() {
        let scope = FieldScope::only([Field::GivenName]);
        let (fields, problems) = drafted(&scope, |draft| {
            draft.text(Field::GivenName, Some(&json!("Kari")));
            draft.text(Field::FamilyName, Some(&json!("Hansen")));
            draft.email(Field::WorkEmail, Some(&json!("no address")));
            draft.address(&[Some(&json!("Storgata 1")), None], None, None, None);
        });
        assert_eq!(fields.iter().count(), 1);
        assert_eq!(problems, []);
    }

    #[test]
    fn nobody_is_born_tomorrow() {
        let (fields, problems) = drafted(&FieldScope::all(), |draft| {
            draft.date_of_birth(Some(&json!("2025-06-02")));
        });
        assert!(fields.is_empty());
        assert_eq!(codes(&problems), ["date_of_birth.in_future"]);
    }
}
