//! Workday, by a report and by its web services, over real HTTP: answers in
//! the form that is published, with made-up people; requests and answers of the
//! web services are held against Workday's own description of them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_connect::{Confirmation, Connector, ConnectorSettings, FieldScope, ReadRequest, open};
use muster_model::engagement::{EngagementKind, EngagementStatus};
use muster_model::{DoubtKind, Evidence, EvidenceLevel, ExternalId, Field, SourceRecord};
use muster_sandbox::contract::Elements;
use secrecy::SecretString;
use serde_json::{Value, json};
use support::{Raw, Request, TestClock, Vendor, Waits};

const NOON: &str = "2025-01-01T12:00:00Z";
const REPORTS: &str = include_str!("../../../connectors/workday/fixtures/published.json");
const WORKERS: &str = include_str!("../../../connectors/workday-soap/fixtures/published.json");
const FACTS: &str = include_str!("../../../connectors/workday-soap/contract/facts.json");

fn origin(vendor: &Vendor) -> String {
    vendor.base_url.trim_end_matches("/v2").to_owned()
}

fn connector(
    name: &str,
    vendor: &Vendor,
    secrets: &[(&str, &str)],
    set: &[(&str, &str)],
) -> Box<dyn Connector> {
    let mut settings = ConnectorSettings::new(TestClock::at(NOON))
        .base_url(origin(vendor))
        .pause(Arc::new(Waits::default()))
        .set("tenant", "nordlys")
        .set("username", "ISU_Muster");
    for (name, value) in secrets {
        settings = settings.secret(*name, SecretString::from(*value));
    }
    for (name, value) in set {
        settings = settings.set(*name, *value);
    }
    open(name, settings).unwrap()
}

fn report(vendor: &Vendor, more: &[(&str, &str)]) -> Box<dyn Connector> {
    let mut set = vec![("report_owner", "lmcneil"), ("report_name", "All_Workers")];
    set.extend(more);
    connector("workday", vendor, &[("password", "hush")], &set)
}

fn services(vendor: &Vendor, more: &[(&str, &str)]) -> Box<dyn Connector> {
    connector(
        "workday-soap",
        vendor,
        &[("password", "hush & <more>")],
        more,
    )
}

fn request() -> ReadRequest {
    ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1)).region("NO")
}

async fn read(connector: &dyn Connector) -> (Evidence, Vec<SourceRecord>) {
    let mut records = Vec::new();
    let evidence = connector.read(&request(), &mut records).await.unwrap();
    (evidence, records)
}

fn ids(records: &[SourceRecord]) -> Vec<&str> {
    (records.iter())
        .map(|record| record.external_id.as_str())
        .collect()
}

// --- the report

fn entries() -> Value {
    json!({"Report_Entry": [
        {"Employee_ID": "21001", "First_Name": "Nora", "Last_Name": "Lind", "Work_Email": "nora.lind@nordlys.example",
         "Business_Title": "Developer", "Supervisory_Organization": "R&D (Ada Berg)",
         "Manager_Employee_ID": "21000", "Cost_Center": "CC-300 Engineering", "Location": "Stockholm",
         "Hire_Date": "2024-01-01", "Termination_Date": "", "Worker_Status": "Active", "FTE": "80"},
        {"Employee_ID": "21000", "First_Name": "Ada", "Last_Name": "Berg æøå 🙂", "Hire_Date": "2010-05-01",
         "Termination_Date": "2024-06-30", "Worker_Status": "Terminated", "Manager_Employee_ID": "21000"}
    ]})
}

#[tokio::test]
async fn a_report_is_read_with_the_columns_that_reports_commonly_have() {
    let vendor = Vendor::start(|request| {
        let proof = format!("Basic {}", STANDARD.encode("ISU_Muster:hush"));
        assert_eq!(request.authorization.as_deref(), Some(proof.as_str()));
        assert_eq!(
            request.path,
            "/ccx/service/customreport2/nordlys/lmcneil/All_Workers"
        );
        assert_eq!(request.parameter("format"), Some("json"));
        Raw::json(200, &entries())
    })
    .await;
    let (evidence, records) = read(&*report(&vendor, &[])).await;
    assert_eq!(evidence.account.as_deref(), Some("nordlys"));
    assert_eq!(evidence.level, EvidenceLevel::Whole);
    assert!(
        evidence.complete && evidence.doubts.is_empty(),
        "{evidence:?}"
    );
    let nora = &records[0];
    assert_eq!((nora.whole, &nora.problems[..]), (true, &[][..]));
    for (field, text) in [
        (Field::EmployeeNumber, "21001"),
        (Field::GivenName, "Nora"),
        (Field::WorkEmail, "nora.lind@nordlys.example"),
        (Field::JobTitle, "Developer"),
        (Field::Department, "R&D (Ada Berg)"),
        (Field::CostCentre, "CC-300 Engineering"),
        (Field::ManagerExternalId, "21000"),
    ] {
        assert_eq!(nora.fields.text(field), Some(text), "{field}");
    }
    let employment = &nora.engagements().unwrap()[0];
    assert_eq!(employment.status.value(), Some(&EngagementStatus::Active));
    assert_eq!(
        employment.start_date.value().unwrap().to_string(),
        "2024-01-01"
    );
    assert!(employment.end_date.is_absent());
    assert_eq!(
        employment.terms.percentage.value().unwrap().hundredths(),
        8000
    );
    let left = &records[1].engagements().unwrap()[0];
    assert_eq!(left.status.value(), Some(&EngagementStatus::Ended));
    assert_eq!(left.end_date.value().unwrap().to_string(), "2024-06-30");
    assert!(records[1].fields.get(Field::ManagerExternalId).is_absent());
}

#[tokio::test]
async fn published_reports_are_read() {
    let published: Value = serde_json::from_str(REPORTS).unwrap();
    let answer = published["json"]["answer"].clone();
    let vendor = Vendor::start(move |_| Raw::json(200, &answer)).await;
    let own = [
        ("id_column", "workdayID"),
        ("map.cost_centre", "/Cost_Center_Name"),
    ];
    let (evidence, records) = read(&*report(&vendor, &own)).await;
    assert!(evidence.complete, "{evidence:?}");
    assert_eq!(ids(&records), ["xxxxxxxxxxxx"]);
    for (field, text) in [
        (Field::GivenName, "Joe"),
        (Field::FamilyName, "Blow"),
        (Field::WorkEmail, "joe.blow@colby.edu"),
        (Field::Department, "President's Office - JM (Jane Doe)"),
        (Field::Location, "Colby College"),
        (Field::CostCentre, "College Historian"),
    ] {
        assert_eq!(records[0].fields.text(field), Some(text), "{field}");
    }
    let employment = &records[0].engagements().unwrap()[0];
    assert_eq!(
        employment.terms.employment_type.value().unwrap(),
        "Temporary"
    );

    let answer = published["simplexml"]["answer"]
        .as_str()
        .unwrap()
        .to_owned();
    let vendor = Vendor::start(move |request| {
        assert_eq!(request.parameter("format"), Some("simplexml"));
        Raw::new(200, &[], &answer)
    })
    .await;
    let own = [
        ("format", "simplexml"),
        ("map.given_name", "/FirstName"),
        ("map.display_name", "/Worker"),
    ];
    let (_, records) = read(&*report(&vendor, &own)).await;
    assert_eq!(ids(&records), ["1234", "1235"]);
    assert_eq!(records[0].fields.text(Field::GivenName), Some("Aidan"));
    assert_eq!(
        records[1].fields.text(Field::DisplayName),
        Some("Wesley Kingston")
    );
}

#[tokio::test]
async fn workdays_own_xml_brings_ids_and_dates_with_a_zone() {
    let vendor = Vendor::start(|_| {
        Raw::new(200, &[], "<wd:Report_Data xmlns:wd=\"urn:com.workday.report/x\"><wd:Report_Entry>\
            <wd:Worker wd:Descriptor=\"Nora Lind\"><wd:ID wd:type=\"WID\">0e44</wd:ID>\
            <wd:ID wd:type=\"Employee_ID\">21001</wd:ID></wd:Worker><wd:Employee_ID>21001</wd:Employee_ID>\
            <wd:Manager wd:Descriptor=\"Ada Berg\"><wd:ID wd:type=\"WID\">11</wd:ID>\
            <wd:ID wd:type=\"Employee_ID\">21000</wd:ID></wd:Manager>\
            <wd:Location wd:Descriptor=\"Stockholm\"><wd:ID wd:type=\"Location_ID\">STO</wd:ID></wd:Location>\
            <wd:Hire_Date>2024-01-01-08:00</wd:Hire_Date><wd:Active>1</wd:Active></wd:Report_Entry>\
            </wd:Report_Data>")
    })
    .await;
    let (evidence, records) = read(&*report(&vendor, &[("format", "xml")])).await;
    assert!(evidence.complete);
    let nora = &records[0];
    assert_eq!(nora.fields.text(Field::ManagerExternalId), Some("21000"));
    assert_eq!(nora.fields.text(Field::Location), Some("Stockholm"));
    assert_eq!(nora.fields.text(Field::DisplayName), Some("Nora Lind"));
    let employment = &nora.engagements().unwrap()[0];
    assert_eq!(
        employment.start_date.value().unwrap().to_string(),
        "2024-01-01"
    );
    assert_eq!(employment.status.value(), Some(&EngagementStatus::Active));
}

#[tokio::test]
async fn a_connections_own_columns_keep_codes_and_forms() {
    let vendor = Vendor::start(|_| {
        Raw::json(200, &json!({"Report_Entry": [
            {"Employee_ID": "1", "Statustekst": "Terminated", "Begynte": "2024-01-01-08:00", "Kode": "Ansatt"}]}))
    })
    .await;
    let status =
        |records: &[SourceRecord]| *records[0].engagements().unwrap()[0].status.value().unwrap();
    let own = [
        ("map.employment_status", "/Statustekst"),
        ("map.start_date", "/Begynte"),
    ];
    let (_, records) = read(&*report(&vendor, &own)).await;
    assert_eq!(status(&records), EngagementStatus::Ended);
    let began = &records[0].engagements().unwrap()[0].start_date;
    assert_eq!(began.value().unwrap().to_string(), "2024-01-01");

    let table = "{ from = \"/Kode\", codes = { Ansatt = \"active\", Sluttet = \"ended\" } }";
    let (_, records) = read(&*report(&vendor, &[("map.employment_status", table)])).await;
    assert_eq!(status(&records), EngagementStatus::Active);

    for (value, code) in [
        ("{ from = \"/Kode\", kodes = {} }", "settings.bad_value"),
        ("{ from = \"/Kode\"", "settings.bad_value"),
        ("{ from = \"Kode\" }", "manifest.pointer"),
    ] {
        let settings = ConnectorSettings::new(TestClock::at(NOON))
            .set("tenant", "nordlys")
            .set("report_owner", "x")
            .set("report_name", "y")
            .set("map.employment_status", value);
        let error = open("workday", settings).err().unwrap();
        assert_eq!(error.code(), code, "{value}: {error}");
    }
}

#[tokio::test]
async fn a_page_for_people_is_no_report_of_nobody() {
    for body in [
        "<html><body>Sign in</body></html>",
        "{\"error\": \"invalid\"}",
    ] {
        let vendor = Vendor::start(move |_| Raw::new(200, &[], body)).await;
        let error = report(&vendor, &[])
            .read(&request(), &mut Vec::new())
            .await
            .err()
            .unwrap();
        assert_eq!(error.code(), "workday.bad_setting", "{body}");
    }
}

#[tokio::test]
async fn an_api_clients_refresh_token_signs_in() {
    let vendor = Vendor::start(|request| {
        if request.path == "/ccx/oauth2/nordlys/token" {
            let proof = format!("Basic {}", STANDARD.encode("client:client-hush"));
            assert_eq!(request.authorization.as_deref(), Some(proof.as_str()));
            assert_eq!(
                request.body,
                "grant_type=refresh_token&refresh_token=refresh-hush"
            );
            return Raw::json(200, &json!({"access_token": "t-1", "token_type": "Bearer"}));
        }
        assert_eq!(request.authorization.as_deref(), Some("Bearer t-1"));
        Raw::json(200, &entries())
    })
    .await;
    let secrets = [
        ("client_id", "client"),
        ("client_secret", "client-hush"),
        ("refresh_token", "refresh-hush"),
    ];
    let set = [
        ("report_owner", "lmcneil"),
        ("report_name", "All_Workers"),
        ("authentication", "oauth"),
    ];
    let connector = connector("workday", &vendor, &secrets, &set);
    assert!(read(&*connector).await.0.complete);
}

// --- the web services

fn reference(id: &str) -> String {
    format!(
        "<wd:Worker_Reference wd:Descriptor=\"W {id}\"><wd:ID wd:type=\"WID\">w{id}</wd:ID>\
         <wd:ID wd:type=\"Employee_ID\">{id}</wd:ID></wd:Worker_Reference>"
    )
}

fn usage(kind: &str, primary: u8) -> String {
    format!(
        "<wd:Usage_Data wd:Public=\"1\"><wd:Type_Data wd:Primary=\"{primary}\"><wd:Type_Reference>\
         <wd:ID wd:type=\"WID\">u{kind}</wd:ID>\
         <wd:ID wd:type=\"Communication_Usage_Type_ID\">{kind}</wd:ID></wd:Type_Reference>\
         </wd:Type_Data></wd:Usage_Data>"
    )
}

fn email(address: &str, kind: &str, primary: u8) -> String {
    format!(
        "<wd:Email_Address_Data><wd:Email_Address>{address}</wd:Email_Address>{}</wd:Email_Address_Data>",
        usage(kind, primary)
    )
}

fn organization(kind: &str, code: &str, name: &str) -> String {
    format!(
        "<wd:Worker_Organization_Data><wd:Organization_Data>\
         <wd:Organization_Code>{code}</wd:Organization_Code><wd:Organization_Name>{name}</wd:Organization_Name>\
         <wd:Organization_Type_Reference><wd:ID wd:type=\"WID\">o</wd:ID>\
         <wd:ID wd:type=\"Organization_Type_ID\">{kind}</wd:ID></wd:Organization_Type_Reference>\
         </wd:Organization_Data></wd:Worker_Organization_Data>"
    )
}

/// A worker with everything that is read, in the order of Workday's description.
fn nora() -> String {
    let job = |primary: u8, title: &str, share: u8| {
        format!(
            "<wd:Worker_Job_Data wd:Primary_Job=\"{primary}\"><wd:Position_Data>\
             <wd:Business_Title>{title}</wd:Business_Title><wd:Start_Date>2024-01-01</wd:Start_Date>\
             <wd:Worker_Type_Reference wd:Descriptor=\"Regular\"><wd:ID wd:type=\"WID\">r</wd:ID>\
             <wd:ID wd:type=\"Employee_Type_ID\">Regular</wd:ID></wd:Worker_Type_Reference>\
             <wd:Full_Time_Equivalent_Percentage>{share}</wd:Full_Time_Equivalent_Percentage>\
             <wd:Business_Site_Summary_Data><wd:Name>Stockholm</wd:Name></wd:Business_Site_Summary_Data>\
             <wd:Manager_as_of_last_detected_manager_change_Reference><wd:ID wd:type=\"WID\">w21000</wd:ID>\
             <wd:ID wd:type=\"Employee_ID\">21000</wd:ID></wd:Manager_as_of_last_detected_manager_change_Reference>\
             </wd:Position_Data></wd:Worker_Job_Data>"
        )
    };
    format!(
        "<wd:Worker>{}<wd:Worker_Data><wd:Worker_ID>21001</wd:Worker_ID><wd:Personal_Data>\
         <wd:Name_Data><wd:Legal_Name_Data><wd:Name_Detail_Data wd:Formatted_Name=\"Nora Lind\">\
         <wd:First_Name>Nora</wd:First_Name><wd:Last_Name>Lind</wd:Last_Name></wd:Name_Detail_Data>\
         </wd:Legal_Name_Data><wd:Preferred_Name_Data><wd:Name_Detail_Data wd:Formatted_Name=\"Åse Lind\">\
         <wd:First_Name>Åse &amp; 🙂</wd:First_Name><wd:Last_Name>Lind</wd:Last_Name></wd:Name_Detail_Data>\
         </wd:Preferred_Name_Data></wd:Name_Data><wd:Birth_Date>1990-09-04-07:00</wd:Birth_Date>\
         <wd:Identification_Data><wd:National_ID><wd:National_ID_Data><wd:ID>17912099997</wd:ID>\
         <wd:Country_Reference><wd:ID wd:type=\"ISO_3166-1_Alpha-2_Code\">NO</wd:ID>\
         <wd:ID wd:type=\"ISO_3166-1_Alpha-3_Code\">NOR</wd:ID></wd:Country_Reference>\
         </wd:National_ID_Data></wd:National_ID></wd:Identification_Data>\
         <wd:Contact_Data><wd:Phone_Data wd:Formatted_Phone=\"+47 400 00 000\">\
         <wd:Country_ISO_Code>NOR</wd:Country_ISO_Code><wd:International_Phone_Code>47</wd:International_Phone_Code>\
         <wd:Phone_Number>40000000</wd:Phone_Number>{}</wd:Phone_Data>{}{}{}</wd:Contact_Data></wd:Personal_Data>\
         <wd:Employment_Data>{}{}<wd:Worker_Status_Data><wd:Active>1</wd:Active>\
         <wd:Hire_Date>2024-01-01</wd:Hire_Date><wd:Terminated>0</wd:Terminated></wd:Worker_Status_Data>\
         </wd:Employment_Data><wd:Organization_Data>{}{}</wd:Organization_Data></wd:Worker_Data></wd:Worker>",
        reference("21001"),
        usage("WORK", 1),
        email("n@home.example", "HOME", 1),
        email("old@nordlys.example", "WORK", 0),
        email("nora.lind@nordlys.example", "WORK", 1),
        job(0, "Board member", 5),
        job(1, "Developer", 100),
        organization("Cost_Center", "CC-300", "Engineering"),
        organization("SUPERVISORY", "", "R&amp;D (Ada Berg)"),
    )
}

fn worker(id: &str, status: &str) -> String {
    format!(
        "<wd:Worker>{}<wd:Worker_Data><wd:Worker_ID>{id}</wd:Worker_ID><wd:Employment_Data>\
         <wd:Worker_Status_Data>{status}</wd:Worker_Status_Data></wd:Employment_Data></wd:Worker_Data></wd:Worker>",
        reference(id)
    )
}

const LEFT: &str = "<wd:Active>0</wd:Active><wd:Hire_Date>2010-05-01</wd:Hire_Date>\
    <wd:Terminated>true</wd:Terminated><wd:Termination_Date>2024-06-30</wd:Termination_Date>";
const AWAY: &str = "<wd:Active>1</wd:Active><wd:Hire_Date>2010-05-01</wd:Hire_Date>\
    <wd:Leave_Status_Data><wd:On_Leave>0</wd:On_Leave></wd:Leave_Status_Data>\
    <wd:Leave_Status_Data><wd:On_Leave>1</wd:On_Leave></wd:Leave_Status_Data>";
const BEGINS: &str = "<wd:Active>1</wd:Active><wd:Hire_Date>2025-02-01</wd:Hire_Date>";

fn answer(page: usize, pages: usize, total: usize, workers: &[String]) -> Raw {
    Raw::new(
        200,
        &[],
        &format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <env:Envelope xmlns:env=\"http://schemas.xmlsoap.org/soap/envelope/\"><env:Body>\
             <wd:Get_Workers_Response xmlns:wd=\"urn:com.workday/bsvc\" wd:version=\"v37.0\">\
             <wd:Response_Results><wd:Total_Results>{total}</wd:Total_Results>\
             <wd:Total_Pages>{pages}</wd:Total_Pages><wd:Page_Results>{}</wd:Page_Results>\
             <wd:Page>{page}</wd:Page></wd:Response_Results><wd:Response_Data>{}</wd:Response_Data>\
             </wd:Get_Workers_Response></env:Body></env:Envelope>",
            workers.len(),
            workers.concat()
        ),
    )
}

fn fault(code: &str, text: &str) -> Raw {
    Raw::new(
        500,
        &[],
        &format!(
            "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\"><SOAP-ENV:Body>\
             <SOAP-ENV:Fault xmlns:wd=\"urn:com.workday/bsvc\"><faultcode>SOAP-ENV:Client.{code}</faultcode>\
             <faultstring>{text}</faultstring></SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>"
        ),
    )
}

/// What stands between two tags of a request.
fn said<'a>(request: &'a Request, name: &str) -> &'a str {
    let (_, rest) = request.body.split_once(&format!("<wd:{name}>")).unwrap();
    rest.split_once("</").unwrap().0
}

/// Human Resources with two workers on a page.
fn human_resources(request: &Request) -> Raw {
    let proof = "<wsse:Username>ISU_Muster@nordlys</wsse:Username>";
    if !request.body.contains(proof)
        || !request
            .body
            .contains(">hush &amp; &lt;more&gt;</wsse:Password>")
    {
        return fault(
            "authenticationError",
            "invalid username or password of Nora Lind",
        );
    }
    let everybody = [
        nora(),
        worker("21000", LEFT),
        worker("21002", AWAY),
        worker("21003", BEGINS),
    ];
    if request.body.contains("<wd:Request_References") {
        let asked = |id: &str| {
            request
                .body
                .contains(&format!("<wd:ID wd:type=\"WID\">w{id}</wd:ID>"))
        };
        let found: Vec<String> = ["21001", "21000", "21002", "21003"]
            .iter()
            .zip(&everybody)
            .filter(|(id, _)| asked(id))
            .map(|(_, worker)| worker.clone())
            .collect();
        return answer(1, 1, found.len(), &found);
    }
    let today = said(request, "As_Of_Effective_Date") == "2025-01-01";
    let known = if today {
        &everybody[..3]
    } else {
        &everybody[..]
    };
    let page: usize = said(request, "Page").parse().unwrap();
    let rows: Vec<String> = known.iter().skip((page - 1) * 2).take(2).cloned().collect();
    answer(page, 2, known.len(), &rows)
}

#[tokio::test]
async fn workers_are_read_page_by_page_and_those_who_begin_later_as_well() {
    let vendor = Vendor::start(human_resources).await;
    let connector = services(
        &vendor,
        &[("page_size", "2"), ("test_identities", "accept")],
    );
    let (evidence, records) = read(&*connector).await;
    assert_eq!(evidence.level, EvidenceLevel::Ended, "{evidence:?}");
    assert!(
        evidence.complete && evidence.doubts.is_empty(),
        "{evidence:?}"
    );
    assert_eq!(ids(&records), ["w21001", "w21000", "w21002", "w21003"]);
    let nora = &records[0];
    assert_eq!((nora.whole, &nora.problems[..]), (true, &[][..]));
    for (field, text) in [
        (Field::EmployeeNumber, "21001"),
        (Field::GivenName, "Åse & 🙂"),
        (Field::DisplayName, "Åse Lind"),
        (Field::WorkEmail, "nora.lind@nordlys.example"),
        (Field::PersonalEmail, "n@home.example"),
        (Field::Phone, "+4740000000"),
        (Field::JobTitle, "Developer"),
        (Field::Department, "R&D (Ada Berg)"),
        (Field::CostCentre, "CC-300"),
        (Field::Location, "Stockholm"),
        (Field::ManagerExternalId, "w21000"),
    ] {
        assert_eq!(nora.fields.text(field), Some(text), "{field}");
    }
    let born = nora.fields.value(Field::DateOfBirth).unwrap().to_json();
    assert_eq!(born, json!("1990-09-04"));
    let engagement = |at: usize| &records[at].engagements().unwrap()[0];
    let status = |at: usize| *engagement(at).status.value().unwrap();
    assert_eq!(
        [status(0), status(1), status(2), status(3)],
        [
            EngagementStatus::Active,
            EngagementStatus::Ended,
            EngagementStatus::OnLeave,
            EngagementStatus::Active
        ]
    );
    assert_eq!(engagement(0).kind, EngagementKind::Employee);
    assert_eq!(
        engagement(0).terms.employment_type.value().unwrap(),
        "Regular"
    );
    assert_eq!(
        engagement(0).terms.percentage.value().unwrap().hundredths(),
        10_000
    );
    assert_eq!(
        engagement(1).end_date.value().unwrap().to_string(),
        "2024-06-30"
    );
    assert_eq!(
        engagement(3).status_on(jiff::civil::date(2025, 1, 1)),
        EngagementStatus::Future
    );
    // Every page shows the same instant.
    let requests = vendor.requests();
    assert_eq!(requests.len(), 4);
    for request in &requests {
        assert_eq!(
            said(request, "As_Of_Entry_DateTime"),
            "2025-01-01T11:59:00Z"
        );
        assert_eq!(request.path, "/ccx/service/nordlys/Human_Resources/v37.0");
    }
    assert_eq!(said(&requests[2], "As_Of_Effective_Date"), "2025-03-02");

    let without = [
        ("future_hires", "leave"),
        ("page_size", "2"),
        ("terminated", "leave"),
    ];
    let (_, records) = read(&*services(&vendor, &without)).await;
    assert_eq!(records.len(), 3);
    let last = vendor.requests().pop().unwrap();
    assert_eq!(said(&last, "Exclude_Inactive_Workers"), "true");
}

#[tokio::test]
async fn what_changed_since_is_asked_for_by_the_transaction_log() {
    let vendor = Vendor::start(human_resources).await;
    let since = "2024-12-31T09:00:00Z".parse().unwrap();
    let mut records = Vec::new();
    let request = request().since(since);
    let connector = services(&vendor, &[("page_size", "2")]);
    let evidence = connector.read(&request, &mut records).await.unwrap();
    assert_eq!(evidence.changes_since, Some(since));
    for asked in vendor.requests() {
        assert_eq!(said(&asked, "Updated_From"), "2024-12-31T09:00:00Z");
        assert_eq!(said(&asked, "Updated_Through"), "2025-01-01T11:59:00Z");
        held_to_the_description(&asked.body, "request");
    }
}

#[tokio::test]
async fn a_total_that_differs_is_a_doubt() {
    let vendor = Vendor::start(|_| answer(1, 1, 3, &[worker("1", LEFT)])).await;
    let (evidence, _) = read(&*services(&vendor, &[("future_hires", "leave")])).await;
    assert!(evidence.has(DoubtKind::TotalDiffers));
}

/// The last of a worker's transactions, whatever their order and zones.
#[tokio::test]
async fn the_last_transaction_entered_numbers_the_revision() {
    let log = |moments: &[&str]| {
        let entries: String = moments
            .iter()
            .map(|moment| {
                format!(
                    "<wd:Transaction_Log_Entry><wd:Transaction_Log_Data>\
                     <wd:Transaction_Entry_Moment>{moment}</wd:Transaction_Entry_Moment>\
                     </wd:Transaction_Log_Data></wd:Transaction_Log_Entry>"
                )
            })
            .collect();
        format!(
            "<wd:Transaction_Log_Entry_Data>{entries}</wd:Transaction_Log_Entry_Data></wd:Worker_Data>"
        )
    };
    let with =
        |id: &str, moments: &[&str]| worker(id, LEFT).replace("</wd:Worker_Data>", &log(moments));
    let workers = [
        with(
            "1",
            &[
                "2024-05-01T03:00:00.000-07:00",
                "2024-12-01T03:00:00.000-08:00",
                "2024-06-01T03:00:00.000-07:00",
            ],
        ),
        with("2", &["2024-05-01T10:00:00Z"]),
        with("3", &["soon"]),
        worker("4", LEFT),
    ];
    let vendor = Vendor::start(move |_| answer(1, 1, 4, &workers)).await;
    let (_, records) = read(&*services(&vendor, &[("future_hires", "leave")])).await;
    let revisions: Vec<Option<i64>> = records.iter().map(|record| record.revision).collect();
    let may = 1_714_557_600_000;
    let december = 1_733_050_800_000;
    assert_eq!(revisions, [Some(december), Some(may), None, None]);
    assert!(
        vendor.requests()[0]
            .body
            .contains("<wd:Include_Transaction_Log_Data>true<")
    );
}

#[tokio::test]
async fn the_published_answer_is_read() {
    let published: Value = serde_json::from_str(WORKERS).unwrap();
    let text = published["answer"].as_str().unwrap().to_owned();
    // The description is older than this answer, which has one element more.
    let newer = "<wd:Worker_Descriptor>Daniel Rothman</wd:Worker_Descriptor>";
    held_to_the_description(&text.replace(newer, ""), "response");
    let vendor = Vendor::start(move |_| Raw::new(200, &[], &text)).await;
    let (_, records) = read(&*services(&vendor, &[("future_hires", "leave")])).await;
    assert_eq!(ids(&records), ["2000000000"]);
    assert_eq!(
        records[0].fields.text(Field::EmployeeNumber),
        Some("100001")
    );
    assert_eq!(
        records[0].fields.text(Field::DisplayName),
        Some("Daniel Rothman")
    );
}

#[tokio::test]
async fn many_are_asked_for_by_id_and_one_can_be_tried() {
    let vendor = Vendor::start(human_resources).await;
    let connector = services(&vendor, &[]);
    let ids = ["w21001", "w99", "w<&>"].map(ExternalId::new);
    let answers = connector.confirm(&ids).await.unwrap();
    assert_eq!(
        ids.each_ref().map(|id| answers[id]),
        [
            Confirmation::Present,
            Confirmation::NotThere,
            Confirmation::NotThere
        ]
    );
    let asked = &vendor.requests()[0].body;
    assert!(asked.contains(
        "<wd:Worker_Reference><wd:ID wd:type=\"WID\">w&lt;&amp;&gt;</wd:ID></wd:Worker_Reference>"
    ));
    held_to_the_description(asked, "request");
    let trial = connector.trial(&ids[0], &request()).await.unwrap().unwrap();
    assert_eq!(trial.canonical["job_title"], json!("Developer"));
    assert!(
        connector
            .trial(&ids[1], &request())
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn requests_and_answers_are_as_workday_describes_them() {
    let vendor = Vendor::start(human_resources).await;
    read(&*services(&vendor, &[])).await;
    for request in vendor.requests() {
        held_to_the_description(&request.body, "request");
    }
    let written = answer(1, 1, 1, &[nora()]);
    let text = String::from_utf8(written.0).unwrap();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    held_to_the_description(body, "response");
    // It could fail: an element that is not Workday's, and one in the wrong order.
    for changed in [
        body.replace("wd:Business_Title", "wd:Job_Title"),
        body.replace(
            "<wd:Worker_Data>",
            "<wd:Worker_Data><wd:User_ID>x</wd:User_ID>",
        ),
        body.replace("wd:Primary_Job", "wd:Primary"),
    ] {
        assert!(described(&changed, "response").is_err());
    }
}

#[tokio::test]
async fn faults_are_told_apart_and_repeat_nobodys_data() {
    for (code, text, wanted) in [
        (
            "authenticationError",
            "Nora Lind",
            "workday-soap.unauthorized",
        ),
        (
            "x",
            "Processing error occurred. The task submitted is not authorized.",
            "workday-soap.forbidden",
        ),
        (
            "validationError",
            "Validation error occurred. Nora Lind",
            "workday-soap.refused",
        ),
    ] {
        let vendor = Vendor::start(move |_| fault(code, text)).await;
        let error = services(&vendor, &[])
            .read(&request(), &mut Vec::new())
            .await
            .err()
            .unwrap();
        assert_eq!(error.code(), wanted, "{error}");
        let text = error.to_string();
        assert!(!text.contains("Nora") && !text.contains("hush"), "{text}");
        // A fault has status 500 and is none: it is not asked again.
        assert_eq!(vendor.requests().len(), 1, "{wanted}");
    }
}

fn held_to_the_description(text: &str, root: &str) {
    described(text, root).unwrap();
}

/// Are the elements of an operation those of Workday's description, in its order?
fn described(text: &str, root: &str) -> Result<usize, String> {
    let ending = match root {
        "request" => "_Request",
        _ => "_Response",
    };
    Elements::load(FACTS).unwrap().check(text, ending)
}

/// Whoever reads it sees no password.
#[tokio::test]
async fn nothing_that_is_told_holds_the_password() {
    let vendor = Vendor::start(|_| Raw::new(404, &[], "")).await;
    let told = Mutex::new(String::new());
    for connector in [report(&vendor, &[]), services(&vendor, &[])] {
        let error = connector
            .read(&request(), &mut Vec::new())
            .await
            .err()
            .unwrap();
        told.lock().unwrap().push_str(&format!("{error} {error:?}"));
    }
    assert!(!told.lock().unwrap().contains("hush"));
}
