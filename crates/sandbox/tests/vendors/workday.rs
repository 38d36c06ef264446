//! Workday's report: its forms, who may ask, every fault, and the whole manager tree.

use std::collections::BTreeMap;

use muster_sandbox::Vendor;
use muster_sandbox::company::Company;
use serde_json::Value;

use crate::support::{Caller, Reply, managers, oracle, rehearsed, send, simulate};

struct Report(Caller);

impl Report {
    async fn new(people: u32, faults: &[&str]) -> Self {
        Self(simulate(Vendor::Workday, rehearsed(people), faults).await)
    }

    fn path(&self, format: &str) -> String {
        let settings = self.0.sandbox.settings();
        format!(
            "/ccx/service/customreport2/{}/{}/{}{format}",
            settings["tenant"], settings["report_owner"], settings["report_name"]
        )
    }

    async fn get(&self, format: &str) -> Reply {
        let request = self.0.request("GET", &self.path(format));
        send(request.basic_auth("ISU_Muster", Some(self.0.credential("password")))).await
    }

    async fn rows(&self) -> Vec<Value> {
        let reply = self.get("?format=json").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["Report_Entry"].as_array().unwrap().clone()
    }

    fn set(&self, faults: &[&str]) {
        let faults = faults.iter().map(|name| name.parse().unwrap()).collect();
        self.0.sandbox.set_faults(faults).unwrap();
    }

    async fn token(&self, refresh_token: &str) -> Reply {
        let path = format!("/ccx/oauth2/{}/token", self.0.sandbox.settings()["tenant"]);
        let request = self.0.request("POST", &path);
        let secret = self.0.credential("client_secret");
        let request = request.basic_auth(self.0.credential("client_id"), Some(secret));
        let body = format!("grant_type=refresh_token&refresh_token={refresh_token}");
        let kind = "application/x-www-form-urlencoded";
        send(request.header("content-type", kind).body(body)).await
    }
}

fn begun(company: &Company) -> usize {
    let day = company.as_of;
    let begun = company.employees.iter();
    begun
        .filter(|one| one.engagements.iter().any(|each| each.start_date <= day))
        .count()
}

#[tokio::test]
async fn the_report_shows_everybody_in_one_answer_and_everything_is_text() {
    let [company, ..] = rehearsed(120);
    let report = Report::new(120, &[]).await;
    let rows = report.rows().await;
    assert_eq!(rows.len(), begun(&company));
    let left = rows
        .iter()
        .filter(|row| row["Worker_Status"] == "Terminated");
    let left: Vec<&Value> = left.collect();
    assert!(!left.is_empty() && left.len() < rows.len());
    assert!(left.iter().all(|row| row["Termination_Date"].is_string()));
    for row in &rows {
        let row = row.as_object().unwrap();
        assert!(
            row.values()
                .all(|value| value.as_str().is_some_and(|text| !text.is_empty()))
        );
        assert!(row.contains_key("Employee_ID") && row.contains_key("Last_Functionally_Updated"));
    }
    let hired_in = rows
        .iter()
        .filter(|row| row["Worker_Type"] == "Contingent Worker");
    assert!(hired_in.count() > 0);
}

#[tokio::test]
async fn every_form_shows_the_same_people() {
    let report = Report::new(40, &[]).await;
    let rows = report.rows().await;
    let simple = report.get("?format=simplexml").await.text;
    assert!(simple.starts_with("<?xml") && simple.ends_with("</wd:Report_Data>"));
    assert_eq!(simple.matches("<wd:Report_Entry>").count(), rows.len());
    for row in &rows {
        let id = format!(
            "<wd:Employee_ID>{}</wd:Employee_ID>",
            row["Employee_ID"].as_str().unwrap()
        );
        assert!(simple.contains(&id));
    }
    let whole = report.get("?format=xml").await.text;
    assert_eq!(report.get("").await.text, whole);
    assert_eq!(
        whole.matches("<wd:Worker wd:Descriptor=").count(),
        rows.len()
    );
    let table = report.get("?format=csv").await.text;
    assert_eq!(table.lines().count(), rows.len() + 1);
    assert!(table.starts_with("Employee_ID,Worker_WID,"));
    assert_eq!(report.get("?format=gdata").await.status, 400);
}

#[tokio::test]
async fn only_the_integration_or_its_client_is_let_in() {
    let report = Report::new(30, &[]).await;
    let path = report.path("?format=json");
    assert_eq!(send(report.0.request("GET", &path)).await.status, 401);
    let request = report.0.request("GET", &path);
    let wrong = send(request.basic_auth("ISU_Muster", Some("wrong"))).await;
    assert_eq!((wrong.status, wrong.text.as_str()), (401, ""));
    let whole = format!("ISU_Muster@{}", report.0.sandbox.settings()["tenant"]);
    let request = report.0.request("GET", &path);
    let password = report.0.credential("password");
    assert_eq!(
        send(request.basic_auth(whole, Some(password))).await.status,
        200
    );
    let other = report.path("").replace("All_Workers", "No_Workers");
    let request = report.0.request("GET", &other);
    let password = report.0.credential("password");
    assert_eq!(
        send(request.basic_auth("ISU_Muster", Some(password)))
            .await
            .status,
        404
    );
    assert_eq!(report.token("wrong").await.status, 400);
    let reply = report.token(&report.0.credential("refresh_token")).await;
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    let by_token = || send(report.0.request("GET", &path).bearer_auth(&token));
    assert_eq!(by_token().await.status, 200);
    for exchange in report.0.sandbox.exchanges() {
        let told = format!("{exchange:?}");
        for secret in report.0.sandbox.credentials().values().chain([&token]) {
            assert!(!told.contains(secret));
        }
    }
    // A token ends and a new one can be made; the password stays good.
    report.set(&["expired-token"]);
    assert_eq!(by_token().await.status, 200);
    assert_eq!(by_token().await.status, 401);
    assert_eq!(report.rows().await.len(), report.rows().await.len());
    assert_eq!(
        report
            .token(&report.0.credential("refresh_token"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_oracle_company_keeps_its_whole_manager_tree() {
    let expected = managers(&oracle()[0]);
    let report = Report(simulate(Vendor::Workday, oracle(), &[]).await);
    let rows = report.rows().await;
    let email = |row: &Value| row["Work_Email"].as_str().unwrap().to_owned();
    let by_number: BTreeMap<&str, String> = rows
        .iter()
        .map(|row| (row["Employee_ID"].as_str().unwrap(), email(row)))
        .collect();
    let found: BTreeMap<String, Option<String>> = rows
        .iter()
        .map(|row| {
            let manager = row["Manager_Employee_ID"].as_str();
            (email(row), manager.map(|number| by_number[number].clone()))
        })
        .collect();
    assert_eq!(found.len(), 107);
    assert_eq!(found, expected);
}

#[tokio::test]
async fn faults_show_as_this_vendor_shows_them() {
    let [company, earlier, other] = rehearsed(60);
    let report = Report::new(60, &[]).await;
    let all = report.rows().await;
    assert_eq!(all.len(), begun(&company));
    report.set(&["empty"]);
    assert!(report.rows().await.is_empty());
    report.set(&["short-page"]);
    assert!(report.rows().await.len() < all.len());
    report.set(&["duplicate-rows"]);
    assert_eq!(report.rows().await.len(), all.len() + all.len() / 10);
    report.set(&["throttle"]);
    let reply = report.get("?format=json").await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, "1"));
    report.set(&["server-error"]);
    assert_eq!(report.get("?format=json").await.status, 500);
    report.set(&["expired-token"]);
    assert_eq!(report.rows().await.len(), all.len());
    assert_eq!(report.get("?format=json").await.status, 401);
    report.set(&["permission-loss"]);
    let seen = report.rows().await;
    assert!(!seen.is_empty() && seen.len() < all.len());
    assert!(seen.iter().all(|row| row.get("Date_of_Birth").is_none()));
    report.set(&["drop-field:Work_Email"]);
    assert!(
        report
            .rows()
            .await
            .iter()
            .all(|row| row.get("Work_Email").is_none())
    );
    report.set(&["truncated-body"]);
    for _ in 0..2 {
        let reply = report.get("?format=json").await;
        assert!(serde_json::from_str::<Value>(&reply.text).is_err());
    }
    report.set(&["stale"]);
    assert_eq!(report.rows().await.len(), begun(&earlier));
    report.set(&["wrong-company"]);
    assert_eq!(report.rows().await.len(), begun(&other));
    report.set(&["slow", "delay:5"]);
    assert_eq!(report.rows().await.len(), all.len());
}
