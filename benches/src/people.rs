//! Made-up people, made from their number alone: any page can be made again
//! without keeping the others.

use jiff::civil::{Date, date};
use muster_model::engagement::{Engagement, EngagementKind, EngagementStatus, Terms};
use muster_model::value::{Address, Percentage, SealedText};
use muster_model::{ExternalId, Field, Fields, Presence, Said, SourceRecord, Value};

const GIVEN: [&str; 16] = [
    "Kari", "Ola", "Åse", "Nils", "Ingrid", "Per", "Sølvi", "Lars", "Anne", "Jonas", "Emma",
    "Noah", "Nora", "Jakob", "Sofie", "Henrik",
];
const FAMILY: [&str; 16] = [
    "Hansen",
    "Ødegård",
    "Berg",
    "Haugen",
    "Lie",
    "Dahl",
    "Moen",
    "Strand",
    "Solberg",
    "Bakken",
    "Lund",
    "Eide",
    "Aas",
    "Vik",
    "Nygård",
    "Holm",
];
const DEPARTMENTS: [&str; 8] = [
    "Sales",
    "Warehouse",
    "Finance",
    "Engineering",
    "Support",
    "Kitchen",
    "Transport",
    "People",
];
const TITLES: [&str; 8] = [
    "Adviser",
    "Driver",
    "Controller",
    "Engineer",
    "Clerk",
    "Cook",
    "Planner",
    "Manager",
];

/// How many people one manager has.
const TEAM: u64 = 9;

/// The record of a number; `changed` makes it say another telephone and title.
pub(crate) fn record(number: u64, changed: bool) -> SourceRecord {
    let mut fields = Fields::new();
    let (given, family) = (pick(&GIVEN, number), pick(&FAMILY, number / 16));
    let mut text = |field, value: String| fields.put(field, Value::Text(value));
    text(Field::EmployeeNumber, format!("{}", 10_000 + number));
    text(Field::GivenName, given.to_owned());
    text(Field::FamilyName, family.to_owned());
    text(Field::DisplayName, format!("{given} {family}"));
    text(
        Field::WorkEmail,
        format!("person.{number}@fjordlys.example"),
    );
    let extra = u64::from(changed);
    text(
        Field::Phone,
        format!("+47{}", 40_000_000 + number + extra * 3_000_000),
    );
    text(Field::Country, "NO".to_owned());
    text(Field::Language, "nb".to_owned());
    fields.put(Field::DateOfBirth, Value::Date(born(number)));
    fields.put(
        Field::NationalId,
        Value::Sealed(SealedText::new(format!("{:011}", 41_800_000_000 + number))),
    );
    fields.put(
        Field::BankAccount,
        Value::Sealed(SealedText::new(format!(
            "NO93{:011}",
            86_000_000_000 + number
        ))),
    );
    fields.put(
        Field::Address,
        Value::Address(Address {
            line: Some(format!("Storgata {}", number % 400)),
            postal_code: Some(format!("{:04}", number % 9_999)),
            city: Some("Bergen".to_owned()),
            country: Some("NO".to_owned()),
        }),
    );
    fields.put(
        Field::Engagements,
        Value::Engagements(vec![engagement(number, changed)]),
    );
    SourceRecord {
        external_id: id(number),
        revision: Some(if changed { 2 } else { 1 }),
        presence: Presence::Present,
        whole: true,
        fields,
        problems: Vec::new(),
        raw: muster_model::Raw::default(),
    }
}

/// The id of a number.
pub(crate) fn id(number: u64) -> ExternalId {
    ExternalId::new(format!("{:08}", 10_000_000 + number))
}

fn engagement(number: u64, changed: bool) -> Engagement {
    let title = pick(&TITLES, number + u64::from(changed));
    Engagement {
        id: format!("e{number}"),
        kind: EngagementKind::Employee,
        status: Said::Value(EngagementStatus::Active),
        start_date: Said::Value(date(2015, 3, 1)),
        end_date: Said::Null,
        end_reason: Said::Absent,
        primary: Said::Value(true),
        terms: Terms {
            employment_type: Said::Value("ordinary".to_owned()),
            percentage: Percentage::from_hundredths(10_000).map_or(Said::Null, Said::Value),
            job_title: Said::Value(title.to_owned()),
            department: Said::Value(pick(&DEPARTMENTS, number).to_owned()),
            location: Said::Value("Bergen".to_owned()),
            cost_centre: Said::Value(format!("{}", 100 + number % 40)),
            manager_external_id: match number {
                0 => Said::Null,
                _ => Said::Value(id((number - 1) / TEAM).as_str().to_owned()),
            },
            manager_email: Said::Absent,
        },
        periods: Vec::new(),
    }
}

fn born(number: u64) -> Date {
    // Every part is within its range.
    let part = |from: u64, of: u64| i8::try_from(from % of + 1).unwrap_or(1);
    let year = i16::try_from(1960 + number % 40).unwrap_or(1960);
    date(year, part(number, 12), part(number, 28))
}

fn pick<'a>(from: &[&'a str], number: u64) -> &'a str {
    let place = usize::try_from(number % from.len() as u64).unwrap_or_default();
    from.get(place).copied().unwrap_or_default()
}
