//! Workday's web services: the envelope, pages, moments, refusals, every fault, the
//! vendor's description, and the whole manager tree.

use std::collections::{BTreeMap, BTreeSet};

use muster_sandbox::Vendor;
use muster_sandbox::company::Company;
use muster_sandbox::contract::Elements;

use crate::support::{Caller, Reply, managers, oracle, rehearsed, send, simulate};

const WSSE: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const TEXT: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";
const ALL_OF_IT: &str = "<wd:Response_Group><wd:Include_Reference>true</wd:Include_Reference>\
    <wd:Include_Personal_Information>1</wd:Include_Personal_Information>\
    <wd:Include_Additional_Jobs>true</wd:Include_Additional_Jobs>\
    <wd:Include_Employment_Information>true</wd:Include_Employment_Information>\
    <wd:Include_Organizations>true</wd:Include_Organizations>\
    <wd:Include_Management_Chain_Data>true</wd:Include_Management_Chain_Data>\
    <wd:Include_Transaction_Log_Data>true</wd:Include_Transaction_Log_Data>\
    <wd:Include_User_Account>true</wd:Include_User_Account></wd:Response_Group>";

struct Services(Caller);

/// What stands between these two, each time.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> Vec<&'a str> {
    text.split(begin)
        .skip(1)
        .map(|rest| rest.split(end).next().unwrap())
        .collect()
}

fn workers(text: &str) -> Vec<&str> {
    between(text, "<wd:Worker>", "</wd:Worker>")
}

/// The first element of this name.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    between(text, &format!("<wd:{name}>"), "</wd:")
        .first()
        .copied()
}

fn wid(worker: &str) -> String {
    between(worker, "wd:type=\"WID\">", "<")[0].to_owned()
}

fn number(text: &str, name: &str) -> usize {
    element(text, name).unwrap().parse().unwrap()
}

fn pages(page: usize, count: usize, more: &str) -> String {
    format!(
        "<wd:Response_Filter>{more}<wd:Page>{page}</wd:Page><wd:Count>{count}</wd:Count></wd:Response_Filter>"
    )
}

fn as_of(day: &str) -> String {
    format!("<wd:As_Of_Effective_Date>{day}</wd:As_Of_Effective_Date>")
}

fn entered(moment: &str) -> String {
    format!("<wd:As_Of_Entry_DateTime>{moment}</wd:As_Of_Entry_DateTime>")
}

fn named(kind: &str, id: &str, attributes: &str) -> String {
    format!(
        "<wd:Request_References{attributes}><wd:Worker_Reference><wd:ID wd:type=\"{kind}\">{id}</wd:ID>\
         </wd:Worker_Reference></wd:Request_References>"
    )
}

impl Services {
    async fn new(people: u32, faults: &[&str]) -> Self {
        Self(simulate(Vendor::WorkdaySoap, rehearsed(people), faults).await)
    }

    fn tenant(&self) -> String {
        self.0.sandbox.settings()["tenant"].clone()
    }

    fn user(&self) -> String {
        let settings = self.0.sandbox.settings();
        format!("{}@{}", settings["username"], settings["tenant"])
    }

    async fn send(&self, proof: (&str, &str, &str), operation: &str) -> Reply {
        let (user, password, kind) = proof;
        let body = format!(
            "<env:Envelope xmlns:env=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:wd=\"urn:com.workday/bsvc\">\
             <env:Header><s:Security xmlns:s=\"{WSSE}\"><s:UsernameToken><s:Username>{user}</s:Username>\
             <s:Password Type=\"{kind}\">{password}</s:Password></s:UsernameToken></s:Security></env:Header>\
             <env:Body>{operation}</env:Body></env:Envelope>"
        );
        let path = format!("/ccx/service/{}/Human_Resources/v37.0", self.tenant());
        let request = self.0.request("POST", &path);
        send(
            request
                .header("content-type", "text/xml;charset=UTF-8")
                .body(body),
        )
        .await
    }

    async fn ask(&self, inner: &str) -> Reply {
        let operation = format!(
            "<wd:Get_Workers_Request wd:version=\"v37.0\">{inner}</wd:Get_Workers_Request>"
        );
        let (user, password) = (self.user(), self.0.credential("password"));
        self.send((&user, &password, TEXT), &operation).await
    }

    /// Everybody, read by the vendor's rule: until the page is the last one.
    async fn sweep(&self, count: usize, criteria: &str, filter: &str) -> Vec<String> {
        let (mut found, mut page) = (Vec::new(), 1);
        loop {
            let inner = format!("{criteria}{}{ALL_OF_IT}", pages(page, count, filter));
            let reply = self.ask(&inner).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            found.extend(workers(&reply.text).into_iter().map(str::to_owned));
            if number(&reply.text, "Page") >= number(&reply.text, "Total_Pages") {
                return found;
            }
            page += 1;
        }
    }

    async fn wids(&self, count: usize) -> Vec<String> {
        let found = self.sweep(count, "", "").await;
        found.iter().map(|worker| wid(worker)).collect()
    }

    fn set(&self, faults: &[&str]) {
        let faults = faults.iter().map(|name| name.parse().unwrap()).collect();
        self.0.sandbox.set_faults(faults).unwrap();
    }
}

/// Code and text of a fault.
fn fault(reply: &Reply) -> (u16, String, String) {
    let text = |name: &str| {
        let found = between(&reply.text, &format!("<{name}>"), "<");
        found.first().copied().unwrap_or_default().to_owned()
    };
    (reply.status, text("faultcode"), text("faultstring"))
}

fn begun(company: &Company) -> usize {
    let day = company.as_of;
    let begun = company.employees.iter();
    begun
        .filter(|one| one.engagements.iter().any(|each| each.start_date <= day))
        .count()
}

#[tokio::test]
async fn everybody_is_listed_by_pages_and_leavers_are_inactive_with_their_last_day() {
    let [company, ..] = rehearsed(120);
    let services = Services::new(120, &[]).await;
    let all = services.sweep(999, "", "").await;
    assert_eq!(all.len(), begun(&company));
    let whole: Vec<String> = all.iter().map(|worker| wid(worker)).collect();
    assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), whole.len());
    for count in [1, 7, 50, all.len()] {
        assert_eq!(services.wids(count).await, whole, "{count} a page");
    }
    let mut leavers = 0;
    for worker in &all {
        let id = u64::from_str_radix(&wid(worker)[16..], 16).unwrap();
        let employee = company.employees.iter().find(|one| one.id == id).unwrap();
        let active = employee.is_running_on(company.as_of);
        assert_eq!(
            element(worker, "Active"),
            Some(if active { "1" } else { "0" })
        );
        let last = employee
            .engagements
            .iter()
            .filter_map(|one| one.end_date)
            .max();
        if !active {
            leavers += 1;
            let last = last.unwrap().to_string();
            assert_eq!(element(worker, "Termination_Date"), Some(last.as_str()));
        }
    }
    assert!(leavers > 0, "the rehearsal has leavers by this day");
    let criteria = "<wd:Request_Criteria><wd:Exclude_Inactive_Workers>true</wd:Exclude_Inactive_Workers></wd:Request_Criteria>";
    assert_eq!(
        services.sweep(50, criteria, "").await.len(),
        all.len() - leavers
    );
    let contingent = |text: &&String| text.contains("\"Contingent_Worker_ID\"");
    let hired_in = all.iter().filter(|worker| {
        let reference = between(worker, "<wd:Worker_Reference", "</wd:Worker_Reference>")[0];
        contingent(&&reference.to_owned())
    });
    let hired_in = hired_in.count();
    assert!(hired_in > 0);
    let criteria = "<wd:Request_Criteria><wd:Exclude_Contingent_Workers>true</wd:Exclude_Contingent_Workers></wd:Request_Criteria>";
    assert_eq!(
        services.sweep(50, criteria, "").await.len(),
        all.len() - hired_in
    );
}

#[tokio::test]
async fn who_begins_later_is_shown_as_of_a_later_day_only() {
    let [mut company, earlier, other] = rehearsed(60);
    let later = company.as_of.checked_add(jiff::ToSpan::days(20)).unwrap();
    let joiner = company.employees.last_mut().unwrap();
    joiner.engagements.truncate(1);
    joiner.engagements[0].start_date = later;
    joiner.engagements[0].end_date = None;
    let id = joiner.id;
    let services = Services(simulate(Vendor::WorkdaySoap, [company, earlier, other], &[]).await);
    let is_joiner = |worker: &String| u64::from_str_radix(&wid(worker)[16..], 16).unwrap() == id;
    let today = services.sweep(50, "", "").await;
    assert!(!today.iter().any(is_joiner));
    let then = services.sweep(50, "", &as_of(&later.to_string())).await;
    let found = then.iter().find(|worker| is_joiner(worker)).unwrap();
    assert_eq!(element(found, "Active"), Some("1"));
    assert_eq!(
        element(found, "Hire_Date"),
        Some(later.to_string().as_str())
    );
}

#[tokio::test]
async fn requests_and_answers_keep_the_vendors_description() {
    let services = Services::new(60, &[]).await;
    let all = services.sweep(20, "", &as_of("2025-03-02")).await;
    let one = named(
        "WID",
        &wid(&all[3]),
        " wd:Skip_Non_Existing_Instances=\"true\"",
    );
    let reply = services.ask(&format!("{one}{ALL_OF_IT}")).await;
    assert_eq!(workers(&reply.text).len(), 1);
    let facts = Elements::load(include_str!(
        "../../../../connectors/workday-soap/contract/facts.json"
    ))
    .unwrap();
    let exchanges = services.0.sandbox.exchanges();
    assert!(exchanges.len() >= 4);
    for exchange in &exchanges {
        let (asked, answered) = (
            exchange.request_body.as_deref().unwrap(),
            exchange.response_body.as_deref().unwrap(),
        );
        assert!(!asked.contains(&services.0.credential("password")));
        assert!(asked.contains(muster_sandbox::LEFT_OUT));
        assert!(facts.check(asked, "_Request").unwrap() > 5);
        assert!(facts.check(answered, "_Response").unwrap() > 50);
    }
}

#[tokio::test]
async fn only_the_blocks_that_are_asked_for_are_there() {
    let services = Services::new(30, &[]).await;
    let group = |inner: &str| {
        format!(
            "{}<wd:Response_Group>{inner}</wd:Response_Group>",
            pages(1, 5, "")
        )
    };
    let text = services
        .ask(&group("<wd:Include_Reference>true</wd:Include_Reference>"))
        .await
        .text;
    assert!(text.contains("<wd:Worker_Reference") && !text.contains("<wd:Personal_Data"));
    let text = services
        .ask(&group(
            "<wd:Include_Personal_Information>true</wd:Include_Personal_Information>",
        ))
        .await
        .text;
    assert!(!text.contains("<wd:Worker_Reference wd:D") && text.contains("<wd:Birth_Date>"));
    let text = services.ask(&pages(1, 5, "")).await.text;
    for block in [
        "Worker_Reference",
        "Personal_Data",
        "Employment_Data",
        "Organization_Data",
    ] {
        assert!(text.contains(&format!("<wd:{block}")), "{block}");
    }
    assert!(!text.contains("<wd:Transaction_Log_Entry_Data"));
    // A hundred a page is what the vendor gives unasked.
    let text = services.ask("").await.text;
    assert_eq!((number(&text, "Count"), number(&text, "Page")), (100, 1));
}

#[tokio::test]
async fn what_the_vendor_refuses_is_refused_in_its_words() {
    let services = Services::new(30, &[]).await;
    let (user, password) = (services.user(), services.0.credential("password"));
    let operation = "<wd:Get_Workers_Request/>";
    let unknown = (
        500,
        "SOAP-ENV:Client.authenticationError".to_owned(),
        "invalid username or password".to_owned(),
    );
    for proof in [
        (user.as_str(), "wrong", TEXT),
        ("ISU_Muster", password.as_str(), TEXT),
        (user.as_str(), password.as_str(), "urn:digest"),
    ] {
        assert_eq!(fault(&services.send(proof, operation).await), unknown);
    }
    let proof = (user.as_str(), password.as_str(), TEXT);
    let other = services
        .send(proof, "<wd:Get_Organizations_Request/>")
        .await;
    assert_eq!(fault(&other).1, "SOAP-ENV:Server.processingError");
    let elsewhere = services
        .0
        .request("POST", "/ccx/service/acme/Human_Resources/v37.0");
    assert_eq!(send(elsewhere.body("x")).await.status, 404);
    let invalid = |reply: &Reply| {
        let (status, code, text) = fault(reply);
        assert_eq!(
            (status, code.as_str()),
            (500, "SOAP-ENV:Client.validationError"),
            "{text}"
        );
        text
    };
    let text = invalid(&services.ask(&pages(0, 10, "")).await);
    assert_eq!(
        text,
        "Validation error occurred. Page number cannot be zero."
    );
    for inner in [
        pages(1, 1000, ""),
        pages(1, 0, ""),
        "<wd:Response_Filter><wd:Count>1</wd:Count><wd:Page>1</wd:Page></wd:Response_Filter>".to_owned(),
        "<wd:Response_Group><wd:Include_Everything>true</wd:Include_Everything></wd:Response_Group>".to_owned(),
        "<wd:Response_Group><wd:Include_Reference>yes</wd:Include_Reference></wd:Response_Group>".to_owned(),
        "<Response_Group/>".to_owned(),
        format!("{}<wd:Request_Criteria/>", named("WID", "1", "")),
        named("Employee_ID", "nobody", ""),
        "<wd:Request_Criteria><wd:Transaction_Log_Criteria_Data><wd:Transaction_Date_Range_Data>\
         <wd:Updated_From>2025-01-01T00:00:00Z</wd:Updated_From></wd:Transaction_Date_Range_Data>\
         </wd:Transaction_Log_Criteria_Data></wd:Request_Criteria>".to_owned(),
    ] {
        invalid(&services.ask(&inner).await);
    }
    let version = "<wd:Get_Workers_Request wd:version=\"v26.1\"/>";
    invalid(&services.send(proof, version).await);
    let skipped = named("WID", "1", " wd:Skip_Non_Existing_Instances=\"1\"");
    let reply = services.ask(&skipped).await;
    assert_eq!((reply.status, workers(&reply.text).len()), (200, 0));
    let field = services
        .0
        .sandbox
        .set_faults(vec!["drop-field:Name".parse().unwrap()]);
    assert_eq!(field.unwrap_err().code(), "sandbox.fault.unknown-field");
}

#[tokio::test]
async fn only_who_has_a_transaction_in_the_range_is_listed() {
    let [company, ..] = rehearsed(120);
    let services = Services::new(120, &[]).await;
    let since = company.as_of.checked_sub(jiff::ToSpan::days(10)).unwrap();
    let criteria = format!(
        "<wd:Request_Criteria><wd:Transaction_Log_Criteria_Data><wd:Transaction_Date_Range_Data>\
         <wd:Updated_From>{since}T00:00:00Z</wd:Updated_From>\
         <wd:Updated_Through>2025-01-01T23:00:00-08:00</wd:Updated_Through></wd:Transaction_Date_Range_Data>\
         </wd:Transaction_Log_Criteria_Data></wd:Request_Criteria>"
    );
    // The vendor's day is the first of the year, and nothing is entered in the future.
    let reply = services.ask(&criteria).await;
    assert_eq!(reply.status, 500);
    let criteria = criteria.replace(&since.to_string(), "2024-01-01");
    let found = services.sweep(20, &criteria, "").await;
    let all = services.sweep(999, "", "").await;
    assert!(!found.is_empty() && found.len() < all.len());
    for worker in &all {
        let moments = between(worker, "<wd:Transaction_Entry_Moment>", "<");
        let last = moments.iter().max().unwrap();
        let inside = *last >= "2024" && *last < "2025-01-02";
        assert_eq!(found.contains(worker), inside, "{last}");
    }
}

#[tokio::test]
async fn the_oracle_company_keeps_its_whole_manager_tree() {
    let expected = managers(&oracle()[0]);
    let services = Services(simulate(Vendor::WorkdaySoap, oracle(), &[]).await);
    let all = services.sweep(50, "", "").await;
    let email = |worker: &str| element(worker, "Email_Address").unwrap().to_owned();
    let by_id: BTreeMap<String, String> = all
        .iter()
        .map(|worker| (wid(worker), email(worker)))
        .collect();
    let found: BTreeMap<String, Option<String>> = all
        .iter()
        .map(|worker| {
            let manager = between(
                worker,
                "<wd:Manager_as_of_last_detected_manager_change_Reference",
                "</wd:Manager_as",
            );
            let manager = manager.first().map(|manager| by_id[&wid(manager)].clone());
            // The chain ends with the same.
            let chain = between(worker, "<wd:Manager_Reference", "</wd:Manager_Reference>");
            assert_eq!(chain.last().map(|last| by_id[&wid(last)].clone()), manager);
            (email(worker), manager)
        })
        .collect();
    assert_eq!(found.len(), 107);
    assert_eq!(found, expected);
}

#[tokio::test]
async fn as_of_one_moment_of_entry_the_list_does_not_move() {
    let services = Services::new(60, &["moving-pages"]).await;
    let pinned = services
        .sweep(10, "", &entered("2025-01-01T12:00:00.000Z"))
        .await;
    services.set(&[]);
    let after = services.wids(10).await;
    let pinned: Vec<String> = pinned.iter().map(|worker| wid(worker)).collect();
    let gone = pinned.iter().filter(|id| !after.contains(id)).count();
    assert_eq!(
        (gone, pinned.len()),
        (1, after.len()),
        "it moved behind the moment"
    );
    let services = Services::new(60, &[]).await;
    let all = services.wids(10).await;
    assert_eq!(pinned, all, "nobody was lost");
    services.set(&["moving-pages"]);
    let moved: BTreeSet<String> = services.wids(10).await.into_iter().collect();
    assert_eq!(all.iter().filter(|id| !moved.contains(*id)).count(), 1);
}

#[tokio::test]
async fn faults_show_as_this_vendor_shows_them() {
    let services = Services::new(60, &[]).await;
    let all = services.wids(10).await;
    services.set(&["empty"]);
    assert!(services.wids(10).await.is_empty());
    services.set(&["short-page"]);
    let short = services.wids(10).await;
    assert!(short.len() < all.len() && all.starts_with(&short));
    services.set(&["duplicate-rows"]);
    let doubled = services.wids(10).await;
    assert_eq!(doubled.len(), all.len() + all.len() / 10);
    services.set(&["throttle"]);
    let reply = services.ask("").await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, "1"));
    assert_eq!(services.ask("").await.status, 200);
    services.set(&["server-error"]);
    let mut statuses = Vec::new();
    for page in [1, 2, 3, 3, 3, 4] {
        statuses.push(services.ask(&pages(page, 10, "")).await.status);
    }
    assert_eq!(statuses, [200, 200, 500, 500, 200, 200]);
    services.set(&["expired-token"]);
    for page in [1, 2] {
        assert_eq!(services.ask(&pages(page, 10, "")).await.status, 200);
    }
    assert_eq!(
        fault(&services.ask(&pages(3, 10, "")).await).1,
        "SOAP-ENV:Client.authenticationError"
    );
    services.set(&["permission-loss"]);
    let seen = services.sweep(10, "", "").await;
    assert!(!seen.is_empty() && seen.len() < all.len());
    assert!(
        seen.iter()
            .all(|worker| !worker.contains("Birth_Date") && !worker.contains("\"HOME\""))
    );
    services.set(&["drop-field:Worker_Data.Personal_Data.Birth_Date"]);
    let pruned = services.sweep(10, "", "").await;
    assert!(pruned.iter().all(|worker| !worker.contains("Birth_Date")));
    services.set(&["truncated-body"]);
    let mut torn = 0;
    for page in 1..=all.len().div_ceil(10) {
        let reply = services.ask(&pages(page, 10, "")).await;
        torn += usize::from(!reply.text.ends_with("</env:Envelope>"));
    }
    assert_eq!(torn, 1);
    services.set(&["stale"]);
    let [_, earlier, other] = rehearsed(60);
    assert_eq!(services.wids(10).await.len(), begun(&earlier));
    services.set(&["wrong-company"]);
    let strangers = services.wids(10).await;
    assert_eq!(strangers.len(), begun(&other));
    assert!(strangers.iter().all(|id| !all.contains(id)));
}

/// Everything that crossed the wire is valid against the vendor's own schema.
#[tokio::test]
async fn the_vendors_own_schema_holds_for_requests_and_answers() {
    let Some((python, specs)) = crate::clients::python_with_specs() else {
        return;
    };
    let services = Services::new(60, &[]).await;
    services.sweep(20, "", &as_of("2025-03-02")).await;
    services.ask(&pages(0, 10, "")).await;
    let exchanges: Vec<serde_json::Value> = (services.0.sandbox.exchanges().iter())
        .map(|one| serde_json::json!([one.request_body, one.response_body]))
        .collect();
    let told = serde_json::Value::Array(exchanges.clone()).to_string();
    let specs = specs.join("workday.xml").to_string_lossy().into_owned();
    let answer = tokio::task::spawn_blocking(move || {
        crate::clients::run(&python, "workday_schema.py", &[&specs], &told)
    })
    .await
    .unwrap();
    assert_eq!(answer["wrong"], serde_json::json!([]));
    // The refused request has no answer of the operation.
    assert_eq!(answer["valid"], exchanges.len() * 2 - 1);
}
