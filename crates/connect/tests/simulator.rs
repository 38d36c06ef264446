//! The connector for Tripletex against the simulator, over real HTTP: whole reads,
//! every fault, and every exchange held against the vendor's contract.

// Tests and their helpers; what did not run is said on standard output.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod support;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::date;
use muster_connect::{
    Account, Confirmation, Connector, Fetched, FieldScope, ReadRequest, RecordWrite, WriteAnswer,
    open,
};
use muster_model::engagement::{EngagementKind, EngagementStatus};
use muster_model::value::SealedText;
use muster_model::{
    DoubtKind, Evidence, EvidenceLevel, ExternalId, Field, Fields, Said, SourceRecord, Value,
};
use muster_sandbox::company::{Company, Employee};
use muster_sandbox::contract::Contract;
use muster_sandbox::{Sandbox, SandboxOptions, Vendor, start};
use secrecy::SecretString;
use support::company::{SYNTHETIC_ID, TODAY, company, earlier, other_company};
use support::{TestClock, Waits};

const OUR_CONTRACT: &str = include_str!("../../../connectors/tripletex/contract/openapi.json");

/// A simulator and a connector to it that reads two rows a page.
struct Pair {
    sandbox: Sandbox,
    connector: Box<dyn Connector>,
    waits: Arc<Waits>,
}

impl Pair {
    async fn new(people: u64, faults: &[&str]) -> Self {
        Self::with(people, faults, &[("page_size", "2")]).await
    }

    async fn with(people: u64, faults: &[&str], settings: &[(&str, &str)]) -> Self {
        let mut options = SandboxOptions::new(
            Vendor::Tripletex,
            company(people),
            other_company(),
            earlier(people),
            Arc::new(|| TODAY),
        );
        options.faults = faults.iter().map(|name| name.parse().unwrap()).collect();
        options.slow = Duration::from_millis(100);
        options.record = true;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let sandbox = start(options, listen).await.unwrap();
        let waits = Arc::new(Waits::default());
        let mut entered =
            muster_connect::ConnectorSettings::new(TestClock::at("2025-06-01T12:00:00Z"))
                .base_url(sandbox.base_url())
                .pause(waits.clone())
                .set("test_identities", "accept");
        for (name, secret) in sandbox.credentials() {
            entered = entered.secret(name, SecretString::from(secret));
        }
        for (name, value) in settings {
            entered = entered.set(*name, *value);
        }
        Self {
            sandbox,
            connector: open("tripletex", entered).unwrap(),
            waits,
        }
    }

    async fn read(&self) -> (Evidence, Vec<SourceRecord>) {
        let request = ReadRequest::new(FieldScope::all(), TODAY).region("NO");
        let mut records = Vec::new();
        let evidence = self.connector.read(&request, &mut records).await.unwrap();
        (evidence, records)
    }

    async fn fetch(&self, id: &ExternalId, request: &ReadRequest) -> SourceRecord {
        let asked = std::slice::from_ref(id);
        match self
            .connector
            .fetch(asked, request)
            .await
            .unwrap()
            .remove(id)
        {
            Some(Fetched::Record(record)) => *record,
            other => panic!("{other:?}"),
        }
    }

    async fn account(&self) -> Account {
        self.connector.account().await.unwrap()
    }

    fn sessions_made(&self) -> usize {
        let made = |path: &str| path.ends_with(":create");
        let exchanges = self.sandbox.exchanges();
        exchanges
            .iter()
            .filter(|exchange| made(&exchange.path))
            .count()
    }

    /// Holds every exchange against a contract; a cut answer only by its request.
    fn check(&self, contract: &Contract, cut_answers: bool) {
        let exchanges = self.sandbox.exchanges();
        assert!(!exchanges.is_empty());
        for exchange in exchanges {
            let violations = if cut_answers {
                contract.check_request(&exchange)
            } else {
                contract.check(&exchange)
            };
            let told: Vec<String> = violations.iter().map(ToString::to_string).collect();
            assert!(
                told.is_empty(),
                "{} {}: {told:#?}",
                exchange.method,
                exchange.path
            );
        }
    }
}

fn ids(records: &[SourceRecord]) -> Vec<u64> {
    let id = |record: &SourceRecord| record.external_id.as_str().parse().unwrap();
    records.iter().map(id).collect()
}

fn numbers(range: std::ops::RangeInclusive<u64>) -> Vec<u64> {
    range.map(|number| 1000 + number).collect()
}

fn doubts(evidence: &Evidence) -> Vec<DoubtKind> {
    evidence.doubts.iter().map(|doubt| doubt.kind).collect()
}

/// A read that proves who is there and who is not.
fn assert_proved(evidence: &Evidence, read: u64) {
    assert_eq!(doubts(evidence), []);
    assert_eq!(evidence.level, EvidenceLevel::Ended);
    assert!(evidence.complete);
    assert_eq!(evidence.read, read);
    assert_eq!(evidence.declared, None);
}

fn has_value(records: &[SourceRecord], field: Field) -> bool {
    records
        .iter()
        .any(|record| record.fields.value(field).is_some())
}

#[tokio::test]
async fn a_whole_company_is_read_as_it_is() {
    for page_size in ["1", "2", "3", "10", "11", "1000"] {
        let pair = Pair::with(10, &[], &[("page_size", page_size)]).await;
        let (evidence, records) = pair.read().await;
        assert_proved(&evidence, 10);
        assert_eq!(evidence.account.as_deref(), Some("93000001"));
        let company = company(10);
        assert_eq!(records.len(), company.employees.len());
        for (record, employee) in records.iter().zip(&company.employees) {
            assert_same(record, employee, &company);
        }
    }
}

#[tokio::test]
async fn the_manifest_names_exactly_the_fields_that_are_read() {
    let pair = Pair::new(10, &[]).await;
    let (_, records) = pair.read().await;
    let read: BTreeSet<Field> = records
        .iter()
        .flat_map(|record| {
            let said = record.on(TODAY);
            said.iter().map(|(field, _)| field).collect::<Vec<_>>()
        })
        .collect();
    let info = pair.connector.info();
    let named: BTreeSet<Field> = info.fields.iter().map(|source| source.field).collect();
    assert_eq!(read, named);
}

/// Compares a record with what the company holds.
fn assert_same(record: &SourceRecord, employee: &Employee, company: &Company) {
    let text = |field| record.fields.text(field).map(str::to_owned);
    assert!(record.whole, "{:?}", record.external_id);
    assert_eq!(record.problems, []);
    assert_eq!(record.revision, Some(employee.version.into()));
    assert_eq!(record.external_id.as_str(), employee.id.to_string());
    assert_eq!(text(Field::GivenName).as_ref(), Some(&employee.given_name));
    assert_eq!(
        text(Field::FamilyName).as_ref(),
        Some(&employee.family_name)
    );
    assert_eq!(text(Field::EmployeeNumber), employee.employee_number);
    assert_eq!(text(Field::WorkEmail), employee.work_email);
    let phone = employee
        .phone
        .as_ref()
        .map(|phone| format!("+47{}", phone.number));
    assert_eq!(text(Field::Phone), phone);
    assert_eq!(
        record
            .fields
            .value(Field::DateOfBirth)
            .and_then(Value::as_date),
        employee.date_of_birth
    );
    let department = company
        .departments
        .iter()
        .find(|department| Some(department.id) == employee.department);
    assert_eq!(
        text(Field::Department),
        department.map(|found| found.name.clone())
    );
    let manager = department
        .and_then(|found| found.manager)
        .filter(|manager| *manager != employee.id);
    assert_eq!(
        text(Field::ManagerExternalId),
        manager.map(|id| id.to_string())
    );
    let engagements = record.engagements().unwrap();
    assert_eq!(engagements.len(), employee.engagements.len());
    for (read, held) in engagements.iter().zip(&employee.engagements) {
        assert_eq!(read.id, held.id.to_string());
        assert_eq!(read.start_date, Said::Value(held.start_date));
        assert_eq!(read.end_date, Said::from_nullable(held.end_date));
        let contract = held.kind == muster_sandbox::company::EngagementKind::Contractor;
        assert_eq!(read.kind == EngagementKind::Contractor, contract);
        assert_eq!(read.end_reason.value().is_some(), held.end_reason.is_some());
        assert_eq!(read.periods.len(), held.periods.len());
        for (read, held) in read.periods.iter().zip(&held.periods) {
            assert_eq!(read.from, held.from);
            let percentage = read.terms.percentage.value().unwrap();
            assert_eq!(percentage.hundredths(), u16::from(held.percentage) * 100);
            let title = read.terms.job_title.value().unwrap();
            assert_eq!(title.to_lowercase(), held.job_title.to_lowercase());
        }
    }
}

#[tokio::test]
async fn leavers_and_joiners_show_by_their_days() {
    let pair = Pair::new(8, &[]).await;
    let (_, records) = pair.read().await;
    let status = |number: usize| {
        let engagements = records[number - 1].engagements().unwrap();
        muster_model::engagement::employment_on(engagements, TODAY).unwrap()
    };
    assert_eq!(status(5), EngagementStatus::Active);
    assert_eq!(status(6), EngagementStatus::Ended);
    assert_eq!(status(7), EngagementStatus::Future);
}

#[tokio::test]
async fn sealed_fields_are_read_and_synthetic_numbers_only_when_accepted() {
    let pair = Pair::new(1, &[]).await;
    let (_, records) = pair.read().await;
    let json = records[0].fields.to_json();
    assert_eq!(json["national_id"], SYNTHETIC_ID);
    assert_eq!(json["bank_account"], "86011117947");
    assert_eq!(json["address"]["line"], "Prøveveien 1");

    let pair = Pair::with(1, &[], &[("test_identities", "refuse")]).await;
    let (_, records) = pair.read().await;
    assert!(!has_value(&records, Field::NationalId));
    assert_eq!(records[0].problems[0].code, "national_id.synthetic");
}

#[tokio::test]
async fn an_empty_company_is_a_doubt() {
    let pair = Pair::new(0, &[]).await;
    let (evidence, _) = pair.read().await;
    assert_eq!(doubts(&evidence), [DoubtKind::Empty]);
}

#[tokio::test]
async fn the_older_way_to_make_a_session_works() {
    let pair = Pair::with(2, &[], &[("session", "put")]).await;
    let (evidence, _) = pair.read().await;
    assert_proved(&evidence, 2);
    let exchanges = pair.sandbox.exchanges();
    assert_eq!(
        (exchanges[0].method.as_str(), exchanges[0].status),
        ("PUT", 200)
    );
}

#[tokio::test]
async fn wrong_tokens_are_refused_with_advice() {
    let pair = Pair::new(1, &[]).await;
    let settings = support::settings(
        &pair.sandbox.base_url(),
        TestClock::at("2025-06-01T12:00:00Z"),
        Arc::new(Waits::default()),
    );
    let connector = open("tripletex", settings).unwrap();
    let error = connector.account().await.unwrap_err();
    assert_eq!(error.code(), "tripletex.token_refused");
}

#[tokio::test]
async fn fault_empty_is_a_doubt_and_no_error() {
    let pair = Pair::new(9, &["empty"]).await;
    let (evidence, records) = pair.read().await;
    assert_eq!(records, []);
    assert!(evidence.has(DoubtKind::Empty));
}

#[tokio::test]
async fn fault_short_page_ends_the_read_with_a_doubt() {
    let pair = Pair::new(9, &["short-page"]).await;
    let (evidence, records) = pair.read().await;
    assert_eq!(ids(&records), numbers(1..=5));
    assert_eq!(doubts(&evidence), [DoubtKind::TotalDiffers]);
}

#[tokio::test]
async fn fault_truncated_body_loses_one_page_and_the_proof() {
    let pair = Pair::new(9, &["truncated-body"]).await;
    let (evidence, records) = pair.read().await;
    let mut others = numbers(1..=9);
    others.retain(|id| !(1005..=1006).contains(id));
    assert_eq!(ids(&records), others);
    assert_eq!(doubts(&evidence), [DoubtKind::PageFailed]);
    assert!(evidence.doubts[0].detail.contains("http.truncated_body"));
    assert_eq!(evidence.level, EvidenceLevel::None);
    assert_eq!(pair.waits.seconds(), [1, 2, 4, 8]);
}

#[tokio::test]
async fn fault_throttle_is_waited_for() {
    let pair = Pair::new(9, &["throttle"]).await;
    let (evidence, _) = pair.read().await;
    assert_proved(&evidence, 9);
    let waits = pair.waits.seconds();
    assert!(
        !waits.is_empty() && waits.iter().all(|wait| *wait == 1),
        "{waits:?}"
    );
}

#[tokio::test]
async fn fault_server_error_passes() {
    let pair = Pair::new(9, &["server-error"]).await;
    let (evidence, _) = pair.read().await;
    assert_proved(&evidence, 9);
    assert_eq!(pair.waits.seconds(), [1, 2]);
}

#[tokio::test]
async fn fault_expired_token_makes_a_new_session_in_mid_read() {
    let pair = Pair::new(9, &["expired-token"]).await;
    let (evidence, records) = pair.read().await;
    assert_proved(&evidence, 9);
    assert_eq!(ids(&records), numbers(1..=9));
    assert_eq!(pair.sessions_made(), 2);
}

#[tokio::test]
async fn fault_permission_loss_shows_by_the_rights() {
    let pair = Pair::new(9, &[]).await;
    let before = pair.account().await.rights.unwrap();
    pair.sandbox
        .set_faults(vec!["permission-loss".parse().unwrap()])
        .unwrap();
    let (evidence, records) = pair.read().await;
    let after = evidence.rights.clone().unwrap();
    assert!(after.is_subset(&before) && after.len() < before.len());
    assert!(records.len() < 9);
    assert!(!has_value(&records, Field::NationalId));
    assert!(!has_value(&records, Field::BankAccount));
}

#[tokio::test]
async fn fault_duplicate_rows_is_a_doubt_and_everybody_counts_once() {
    let pair = Pair::new(20, &["duplicate-rows"]).await;
    let (evidence, records) = pair.read().await;
    assert!(evidence.has(DoubtKind::RecordTwice), "{evidence:?}");
    assert!(!evidence.complete);
    let once: BTreeSet<u64> = ids(&records).into_iter().collect();
    assert_eq!(evidence.read, once.len() as u64);
    assert!(records.len() > once.len());
    // The older of the two can be told by its revision.
    let twice = records.iter().find(|one| {
        let same = |two: &&SourceRecord| two.external_id == one.external_id;
        records
            .iter()
            .filter(same)
            .any(|two| two.revision != one.revision)
    });
    assert!(twice.is_some());
}

#[tokio::test]
async fn fault_moving_pages_loses_somebody_whom_confirming_brings_back() {
    // Four rows a page: the first two are managers, whom nobody deletes.
    let pair = Pair::with(9, &["moving-pages"], &[("page_size", "4")]).await;
    let (_, records) = pair.read().await;
    let read: BTreeSet<u64> = ids(&records).into_iter().collect();
    let missing: Vec<u64> = (numbers(1..=9).into_iter())
        .filter(|id| !read.contains(id))
        .collect();
    assert!(!missing.is_empty());
    let asked: Vec<_> = missing
        .iter()
        .map(|id| muster_model::ExternalId::new(id.to_string()))
        .collect();
    let answers = pair.connector.confirm(&asked).await.unwrap();
    assert_eq!(answers.len(), asked.len());
    let present = |answer: &&Confirmation| **answer == Confirmation::Present;
    assert!(answers.values().filter(present).count() > 0, "{answers:?}");
}

#[tokio::test]
async fn confirming_tells_who_is_not_there() {
    let pair = Pair::new(9, &[]).await;
    let answers = pair
        .connector
        .confirm(&["1009".into(), "1010".into()])
        .await
        .unwrap();
    assert_eq!(answers[&"1009".into()], Confirmation::Present);
    assert_eq!(answers[&"1010".into()], Confirmation::NotThere);
}

#[tokio::test]
async fn fault_slow_is_waited_for() {
    let pair = Pair::new(5, &["slow"]).await;
    let (evidence, _) = pair.read().await;
    assert_proved(&evidence, 5);
}

#[tokio::test]
async fn fault_drop_field_makes_a_field_absent_and_a_record_without_employments_not_whole() {
    for (name, field, whole) in [
        ("email", Field::WorkEmail, true),
        ("firstName", Field::GivenName, true),
        ("department", Field::Department, true),
        ("department.name", Field::Department, true),
        ("employments", Field::Engagements, false),
    ] {
        let fault = format!("drop-field:{name}");
        let pair = Pair::new(3, &[&fault]).await;
        let (evidence, records) = pair.read().await;
        assert_eq!(records.len(), 3, "{fault}");
        assert_eq!(evidence.level, EvidenceLevel::Ended, "{fault}");
        for record in &records {
            assert!(record.fields.get(field).is_absent(), "{fault}");
            assert_eq!(record.whole, whole, "{fault}");
        }
    }
}

#[tokio::test]
async fn fault_drop_field_of_an_employment_ends_nobody() {
    for (name, whole) in [
        ("employments.startDate", false),
        ("employments.employmentDetails", false),
        ("employments.endDate", true),
    ] {
        let fault = format!("drop-field:{name}");
        let pair = Pair::new(3, &[&fault]).await;
        let (_, records) = pair.read().await;
        for record in &records {
            assert_eq!(record.whole, whole, "{fault}");
            let engagements = record.engagements().unwrap();
            let status = muster_model::engagement::employment_on(engagements, TODAY).unwrap();
            assert!(status.runs(), "{fault}: {status:?}");
        }
    }
}

#[tokio::test]
async fn fault_wrong_company_shows_by_the_account() {
    let pair = Pair::new(3, &["wrong-company"]).await;
    let (evidence, records) = pair.read().await;
    assert_eq!(evidence.account.as_deref(), Some("94000002"));
    assert_eq!(records.len(), 5);
    assert_eq!(pair.account().await.name.as_deref(), Some("Skogbris AS"));
}

#[tokio::test]
async fn fault_stale_shows_by_the_revisions() {
    let pair = Pair::new(3, &["stale"]).await;
    let (evidence, records) = pair.read().await;
    assert_eq!(evidence.account.as_deref(), Some("93000001"));
    assert_eq!(ids(&records), numbers(1..=2));
    assert!(records.iter().all(|record| record.revision == Some(2)));
}

#[tokio::test]
async fn every_exchange_keeps_the_contract() {
    let ours = Contract::load(OUR_CONTRACT).unwrap();
    let vendors = vendors_original();
    let contracts: Vec<&Contract> = [Some(&ours), vendors.as_ref()]
        .into_iter()
        .flatten()
        .collect();
    for fault in [
        None,
        Some("empty"),
        Some("short-page"),
        Some("truncated-body"),
        Some("throttle"),
        Some("server-error"),
        Some("expired-token"),
        Some("permission-loss"),
        Some("duplicate-rows"),
        Some("moving-pages"),
        Some("drop-field:email"),
        Some("drop-field:employments.endDate"),
        Some("wrong-company"),
        Some("stale"),
    ] {
        for style in ["post", "put"] {
            let settings = [("page_size", "2"), ("session", style)];
            let pair = Pair::with(9, fault.as_slice(), &settings).await;
            pair.read().await;
            pair.connector
                .confirm(&["1001".into(), "1".into()])
                .await
                .unwrap();
            for contract in &contracts {
                pair.check(contract, fault == Some("truncated-body"));
            }
        }
    }
}

/// The vendor's own document, where the environment names a folder with it.
fn vendors_original() -> Option<Contract> {
    let Some(folder) = std::env::var_os("MUSTER_VENDOR_SPECS") else {
        println!("not run: the vendor's original document (set MUSTER_VENDOR_SPECS to its folder)");
        return None;
    };
    let path = std::path::Path::new(&folder).join("tripletex.json");
    Some(Contract::load(&std::fs::read_to_string(path).unwrap()).unwrap())
}

/// What is written, to the vendor's own rules: partial objects with the version
/// that was read, each exchange as the contract has it.
#[tokio::test]
async fn what_is_written_is_held_against_the_contract_and_read_back() {
    let pair = Pair::new(3, &[]).await;
    let id = ExternalId::new("1003");
    let fields = [
        (Field::GivenName, Value::text("Åse")),
        (Field::Phone, Value::text("+4741234567")),
        (
            Field::BankAccount,
            Value::Sealed(SealedText::new("86011117947")),
        ),
        (Field::DateOfBirth, Value::Date(date(1980, 1, 2))),
        (Field::EndDate, Value::Date(date(2030, 6, 30))),
    ];
    let scope = fields
        .iter()
        .map(|(field, _)| *field)
        .chain([Field::Engagements]);
    let request = ReadRequest::new(FieldScope::only(scope), TODAY).region("NO");
    let record = pair.fetch(&id, &request).await;
    let mut write = RecordWrite {
        external_id: id.clone(),
        revision: record.revision,
        fields: Fields::new(),
        engagement: Some(record.engagements().unwrap()[0].id.clone()),
    };
    for (field, value) in &fields {
        write.fields.put(*field, value.clone());
    }
    let WriteAnswer::Done(written) = pair.connector.write(&write, &request).await.unwrap() else {
        panic!("somebody wrote meanwhile");
    };
    assert!(written.refused.is_empty());
    let after = pair.fetch(&id, &request).await;
    assert_eq!(written.revision, after.revision);
    for (field, value) in &fields {
        assert_eq!(written.fields.value(*field), Some(value), "{field}");
        assert_eq!(after.on(TODAY).value(*field), Some(value), "{field}");
    }

    // With the old version nothing is written, without a right value neither.
    assert!(matches!(
        pair.connector.write(&write, &request).await.unwrap(),
        WriteAnswer::Moved
    ));
    let mut refused = RecordWrite {
        revision: after.revision,
        fields: Fields::new(),
        ..write.clone()
    };
    refused.fields.set(Field::GivenName, Said::Null);
    refused.fields.put(Field::Phone, Value::text("+4799999999"));
    let WriteAnswer::Done(answer) = pair.connector.write(&refused, &request).await.unwrap() else {
        panic!("somebody wrote meanwhile");
    };
    let reasons: Vec<(Field, &str)> = (answer.refused.iter())
        .map(|(field, code)| (*field, code.as_str()))
        .collect();
    assert_eq!(
        reasons,
        [
            (Field::GivenName, "tripletex.value_refused"),
            (Field::Phone, "tripletex.refused_with_another"),
        ]
    );
    let nobody = ExternalId::new("77");
    let fetched = pair.connector.fetch(&[nobody], &request).await.unwrap();
    assert!(fetched.values().all(|one| matches!(one, Fetched::NotThere)));
    assert_eq!(fetched.len(), 1);
    pair.check(&Contract::load(OUR_CONTRACT).unwrap(), false);
    pair.sandbox.stop().await;
}

/// A write is sent once; only what the vendor turned away for the number of calls
/// was certainly not done, and is sent again.
#[tokio::test]
async fn a_write_that_may_have_been_done_is_not_sent_again() {
    for (fault, sent) in [("write-then-fail", 1), ("throttle", 2)] {
        let pair = Pair::new(3, &[fault]).await;
        let id = ExternalId::new("1003");
        let request = ReadRequest::new(FieldScope::only([Field::GivenName]), TODAY);
        let record = pair.fetch(&id, &request).await;
        let mut write = RecordWrite {
            external_id: id.clone(),
            revision: record.revision,
            fields: Fields::new(),
            engagement: None,
        };
        write.fields.put(Field::GivenName, Value::text("Åse"));
        let answer = pair.connector.write(&write, &request).await;
        assert_eq!(answer.is_ok(), fault == "throttle");
        let puts = pair.sandbox.exchanges();
        let puts = puts.iter().filter(|exchange| exchange.method == "PUT");
        assert_eq!(puts.count(), sent, "{fault}");
        let after = pair.fetch(&id, &request).await;
        assert_eq!(after.fields.text(Field::GivenName), Some("Åse"));
        pair.sandbox.stop().await;
    }
}
