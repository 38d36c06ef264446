//! Rows as the vendor was recorded to send them, and rows cut short.

use jiff::civil::date;
use muster_model::engagement::{EngagementKind, EngagementStatus};
use muster_model::values::Synthetic;
use muster_model::{Fields, Said};
use serde_json::json;

use super::*;

const TODAY: jiff::civil::Date = date(2025, 6, 1);

const RULES: Rules = Rules {
    today: TODAY,
    region: Some(Country::NORWAY),
    synthetic: Synthetic::Accept,
};

fn read(scope: &FieldScope, row: &Json) -> SourceRecord {
    let managers = Managers::default();
    let reader = RowReader {
        scope,
        rules: &RULES,
        managers: &managers,
    };
    reader.record(id(row).unwrap(), row)
}

/// The shape of an answer recorded against the vendor's test environment
/// (`fields=*`, published by a third party); the person is made up.
fn recorded() -> Json {
    json!({
        "id": 4_210_001, "version": 1, "url": "tripletex.no/v2/employee/4210001",
        "firstName": "Kari", "lastName": "Ødegård", "displayName": "Kari Ødegård",
        "employeeNumber": "", "dateOfBirth": null, "email": "kari.odegard@nordlys.example",
        "phoneNumberMobileCountry": {"id": 161, "url": "tripletex.no/v2/country/161"},
        "phoneNumberMobile": "", "phoneNumberHome": "", "phoneNumberWork": "",
        "nationalIdentityNumber": "", "dnumber": "",
        "internationalId": {"intAmeldingType": null, "country": null, "number": ""},
        "bankAccountNumber": "", "iban": "", "bic": "", "creditorBankCountryId": 0,
        "usesAbroadPayment": false, "userType": null, "allowInformationRegistration": true,
        "isContact": false, "isProxy": false, "comments": "", "address": null,
        "department": {"id": 501, "url": "tripletex.no/v2/department/501"},
        "employments": [{"id": 77001, "url": "tripletex.no/v2/employee/employment/77001"}],
        "holidayAllowanceEarned": {"year": 0, "amount": 0, "basis": 0, "amountExtraHolidayWeek": 0},
        "employeeCategory": null, "isAuthProjectOverviewURL": true, "pictureId": 0,
        "companyId": 93_000_001, "vismaConnect2FAactive": false
    })
}

fn full() -> Json {
    json!({
        "id": 4_210_002, "version": 3, "isContact": false, "isProxy": false,
        "employeeNumber": "1042", "firstName": "Åse", "lastName": "Hansen",
        "displayName": "Åse Hansen", "email": "ase@nordlys.example",
        "phoneNumberMobile": "400 00 000", "phoneNumberMobileCountry": {"isoAlpha2Code": "NO"},
        "phoneNumberWork": "", "phoneNumberHome": "",
        "dateOfBirth": "1990-05-17",
        "nationalIdentityNumber": "", "dnumber": "",
        "internationalId": {
            "intAmeldingType": "NATIONAL_INSURANCE_NO", "number": "44051401359",
            "country": {"isoAlpha2Code": "PL"}
        },
        "bankAccountNumber": "8601.11.17947", "iban": "",
        "department": {"id": 501, "name": "Salg"},
        "address": {
            "addressLine1": "Storgata 1", "addressLine2": "", "postalCode": "0155",
            "city": "Oslo", "country": {"isoAlpha2Code": "NO"}
        },
        "employments": employments(),
    })
}

/// One running employment with a change to come, and an earlier contract.
fn employments() -> Json {
    json!(
        [
            {
                "id": 2, "startDate": "2024-02-01", "endDate": null, "employmentEndReason": null,
                "noEmploymentRelationship": false, "division": {"id": 9, "name": "Oslo sentrum"},
                "employmentDetails": [
                    {"id": 22, "date": "2025-09-01", "employmentType": "ORDINARY",
                     "employmentForm": "PERMANENT", "percentageOfFullTimeEquivalent": 100.0,
                     "occupationCode": {"id": 5, "nameNO": "SALGSSJEF"}},
                    {"id": 21, "date": "2024-02-01", "employmentType": "ORDINARY",
                     "employmentForm": "TEMPORARY", "percentageOfFullTimeEquivalent": 37.5,
                     "occupationCode": {"id": 4, "nameNO": "SELGER"}}
                ]
            },
            {
                "id": 1, "startDate": "2023-01-01", "endDate": "2023-12-31",
                "employmentEndReason": "EMPLOYMENT_END_EXPIRED", "noEmploymentRelationship": false,
                "division": null,
                "employmentDetails": [
                    {"id": 11, "date": "2023-01-01", "employmentType": "FREELANCE",
                     "employmentForm": "NOT_CHOSEN", "percentageOfFullTimeEquivalent": 0,
                     "occupationCode": null}
                ]
            }
        ]
    )
}

#[test]
fn a_recorded_row_with_empty_texts_says_nothing_with_them() {
    let record = read(&FieldScope::all(), &recorded());
    let said: Vec<Field> = record.fields.iter().map(|(field, _)| field).collect();
    assert_eq!(
        said,
        [
            Field::GivenName,
            Field::FamilyName,
            Field::DisplayName,
            Field::WorkEmail,
            Field::Engagements
        ]
    );
    assert_eq!(record.revision, Some(1));
    assert_eq!(record.problems, []);
}

#[test]
fn references_that_were_not_expanded_make_the_record_not_whole_and_end_nobody() {
    let record = read(&FieldScope::all(), &recorded());
    assert!(!record.whole);
    let [engagement] = record.engagements().unwrap() else {
        panic!("one engagement");
    };
    assert_eq!(engagement.id, "77001");
    assert_eq!(engagement.status_on(TODAY), EngagementStatus::Unknown);

    let mut row = full();
    row["employments"][0]["employmentDetails"] = json!([{"id": 21, "url": "tripletex.no/…"}]);
    assert!(!read(&FieldScope::all(), &row).whole);
}

#[test]
fn a_record_without_employments_is_whole_only_if_nobody_asked_for_them() {
    let mut row = full();
    row.as_object_mut().unwrap().remove("employments");
    let record = read(&FieldScope::all(), &row);
    assert!(!record.whole);
    assert!(record.engagements().is_none());
    let narrow = FieldScope::only([Field::GivenName, Field::Department]);
    assert!(read(&narrow, &row).whole);
}

#[test]
fn no_employment_at_all_is_silence() {
    let mut row = full();
    row["employments"] = json!([]);
    let record = read(&FieldScope::all(), &row);
    assert!(record.whole);
    assert!(record.engagements().is_none());
}

#[test]
fn a_full_row_gives_the_canonical_person() {
    let record = read(&FieldScope::all(), &full());
    assert!(record.whole);
    assert_eq!(record.problems, []);
    assert_eq!(
        serde_json::Value::Object(record.on(TODAY).only(|f| f != Field::Engagements).to_json()),
        json!({
            "employee_number": "1042", "given_name": "Åse", "family_name": "Hansen",
            "display_name": "Åse Hansen", "work_email": "ase@nordlys.example",
            "phone": "+4740000000", "date_of_birth": "1990-05-17",
            "national_id": "PL 44051401359", "bank_account": "86011117947",
            "job_title": "SELGER", "department": "Salg", "location": "Oslo sentrum",
            "address": {"line": "Storgata 1", "postal_code": "0155", "city": "Oslo", "country": "NO"},
            "employment_status": "active", "employment_type": "TEMPORARY",
            "employment_percentage": 37.5, "start_date": "2024-02-01", "end_date": null
        })
    );
}

#[test]
fn a_future_term_is_kept_until_its_day() {
    let record = read(&FieldScope::all(), &full());
    let later = record.on(date(2025, 9, 1));
    assert_eq!(later.text(Field::JobTitle), Some("SALGSSJEF"));
    assert_eq!(later.text(Field::EmploymentType), Some("PERMANENT"));
}

#[test]
fn a_freelance_employment_is_a_contract_and_keeps_the_reason_of_its_end() {
    let record = read(&FieldScope::all(), &full());
    let [contract, job] = record.engagements().unwrap() else {
        panic!("two engagements");
    };
    assert_eq!(contract.kind, EngagementKind::Contractor);
    assert_eq!(contract.end_date, Said::Value(date(2023, 12, 31)));
    assert_eq!(
        contract.end_reason,
        Said::Value("EMPLOYMENT_END_EXPIRED".to_owned())
    );
    assert_eq!(job.kind, EngagementKind::Employee);
    assert_eq!(job.end_date, Said::Null);
    assert_eq!(job.end_reason, Said::Absent);
}

#[test]
fn a_last_day_that_cannot_be_read_ends_nobody() {
    let mut row = full();
    row["employments"][0]["endDate"] = json!("31.12.2024");
    let record = read(&FieldScope::all(), &row);
    assert!(!record.whole);
    assert_eq!(record.problems[0].code, "end_date.not_a_date");
    assert_eq!(record.engagements().unwrap()[1].end_date, Said::Absent);
}

#[test]
fn only_what_is_in_scope_is_kept_even_if_more_is_sent() {
    let record = read(&FieldScope::only([Field::WorkEmail]), &full());
    let expected: Fields = [(
        Field::WorkEmail,
        Said::Value(Value::text("ase@nordlys.example")),
    )]
    .into_iter()
    .collect();
    assert_eq!(record.fields, expected);

    let scope = FieldScope::only([Field::EndDate]);
    let record = read(&scope, &full());
    let job = &record.engagements().unwrap()[1];
    assert_eq!(job.terms_on(TODAY), muster_model::Terms::default());
    assert_eq!(job.start_date, Said::Value(date(2024, 2, 1)));
}

#[test]
fn a_passport_is_no_national_identity_number() {
    let mut row = full();
    row["internationalId"]["intAmeldingType"] = json!("PASSPORT_NO");
    let record = read(&FieldScope::all(), &row);
    assert!(record.fields.get(Field::NationalId).is_absent());
    assert_eq!(record.problems, []);
}

#[test]
fn the_first_filled_number_is_taken_and_only_the_mobile_one_has_a_country() {
    let mut row = full();
    row["phoneNumberMobileCountry"] = json!({"isoAlpha2Code": "SE"});
    row["phoneNumberMobile"] = json!("");
    row["phoneNumberHome"] = json!("22 00 00 00");
    let record = read(&FieldScope::all(), &row);
    assert_eq!(record.fields.text(Field::Phone), Some("+4722000000"));
}

#[test]
fn nothing_in_a_row_can_crash_the_reader() {
    let strange = [
        json!(null),
        json!(true),
        json!(-1),
        json!("x"),
        json!([[]]),
        json!({"a": {}}),
    ];
    let Json::Object(properties) = full() else {
        panic!("an object");
    };
    for name in properties.keys().filter(|name| *name != "id") {
        for value in &strange {
            let mut row = full();
            row[name] = value.clone();
            let record = read(&FieldScope::all(), &row);
            assert_eq!(record.external_id.as_str(), "4210002", "{name}: {value}");
        }
    }
    for value in &strange {
        let mut row = full();
        row["employments"] = json!([value]);
        assert!(!read(&FieldScope::all(), &row).whole, "{value}");
        row["employments"] = full()["employments"].clone();
        row["employments"][0]["employmentDetails"] = json!([value]);
        assert!(!read(&FieldScope::all(), &row).whole, "{value}");
    }
}

#[test]
fn contacts_and_proxies_are_not_the_companys_people() {
    assert!(is_of_company(&full()));
    for flag in ["isContact", "isProxy"] {
        let mut row = full();
        row[flag] = json!(true);
        assert!(!is_of_company(&row), "{flag}");
    }
}
