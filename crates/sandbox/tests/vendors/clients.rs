//! Clients that we did not write read the simulators. `./test` makes the Python
//! environment for them; without it the tests say that they did not run.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use muster_sandbox::{SandboxOptions, Vendor, start};
use serde_json::Value;

use crate::support::{managers, oracle};

fn python() -> Option<PathBuf> {
    match std::env::var_os("MUSTER_TEST_CLIENTS") {
        Some(folder) => Some(PathBuf::from(folder).join("bin/python")),
        None => {
            println!("not run: other people's clients, MUSTER_TEST_CLIENTS names no environment");
            None
        }
    }
}

/// The same with a folder of the vendors' own documents, which may not be kept here.
pub(crate) fn python_with_specs() -> Option<(PathBuf, PathBuf)> {
    let python = python()?;
    match std::env::var_os("MUSTER_VENDOR_SPECS") {
        Some(folder) => Some((python, PathBuf::from(folder))),
        None => {
            println!("not run: MUSTER_VENDOR_SPECS names no folder of vendors' documents");
            None
        }
    }
}

/// Runs a script of `tests/clients` with a secret on its standard input.
pub(crate) fn run(python: &PathBuf, script: &str, arguments: &[&str], secret: &str) -> Value {
    let script = format!("{}/tests/clients/{script}", env!("CARGO_MANIFEST_DIR"));
    let mut child = Command::new(python)
        .arg("-B")
        .arg(script)
        .args(arguments)
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(secret.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "the client failed, see standard error"
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The simulator of the Oracle company, on the day that the client's clock shows.
async fn simulate(python: &PathBuf, vendor: Vendor) -> muster_sandbox::Sandbox {
    let code = "import datetime;print(datetime.datetime.now(datetime.timezone.utc).date(),end='')";
    let output = Command::new(python).args(["-c", code]).output().unwrap();
    let today: jiff::civil::Date = String::from_utf8(output.stdout).unwrap().parse().unwrap();
    let [company, earlier, other] = oracle();
    let options = SandboxOptions::new(vendor, company, other, earlier, Arc::new(move || today));
    start(options, "127.0.0.1:0".parse().unwrap())
        .await
        .unwrap()
}

fn found(answer: &Value) -> BTreeMap<String, Option<String>> {
    serde_json::from_value(answer["managers"].clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vendors_own_client_reads_the_google_simulator() {
    let Some(python) = python() else { return };
    let sandbox = simulate(&python, Vendor::GoogleWorkspace).await;
    let (base, settings) = (sandbox.base_url(), sandbox.settings());
    let key = sandbox.credentials()["service_account"].clone();
    let subject = settings["subject"].clone();
    let answer = tokio::task::spawn_blocking(move || {
        run(&python, "google_workspace.py", &[&base, &subject], &key)
    })
    .await
    .unwrap();
    assert_eq!(found(&answer), managers(&oracle()[0]));
    assert_eq!(answer["one"], true);
    assert_eq!(answer["undelegated"], 403);
    assert_eq!(answer["units"], oracle()[0].departments.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_client_reads_the_bamboohr_simulator() {
    let Some(python) = python() else { return };
    let sandbox = simulate(&python, Vendor::BambooHr).await;
    let (base, settings) = (sandbox.base_url(), sandbox.settings());
    let key = sandbox.credentials()["api_key"].clone();
    let company = settings["company_domain"].clone();
    let answer =
        tokio::task::spawn_blocking(move || run(&python, "bamboohr.py", &[&base, &company], &key))
            .await
            .unwrap();
    assert_eq!(found(&answer), managers(&oracle()[0]));
    assert!(answer["fields"].as_u64().unwrap() > 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zeep_reads_the_workday_simulator_by_the_vendors_own_wsdl() {
    let Some((python, specs)) = python_with_specs() else {
        return;
    };
    let sandbox = simulate(&python, Vendor::WorkdaySoap).await;
    let (base, settings) = (sandbox.base_url(), sandbox.settings());
    let password = sandbox.credentials()["password"].clone();
    let (tenant, username) = (settings["tenant"].clone(), settings["username"].clone());
    let wsdl = specs.join("workday.xml").to_string_lossy().into_owned();
    let answer = tokio::task::spawn_blocking(move || {
        let arguments = [&base, &tenant, &username, &wsdl].map(String::as_str);
        run(&python, "workday_soap.py", &arguments, &password)
    })
    .await
    .unwrap();
    assert_eq!(found(&answer), managers(&oracle()[0]));
    assert_eq!(answer["pages"], 5);
    assert_eq!(answer["departments"], oracle()[0].departments.len());
    assert_eq!(answer["one"], true);
    let faults = [
        "SOAP-ENV:Client.authenticationError",
        "SOAP-ENV:Client.validationError",
        "SOAP-ENV:Server.processingError",
    ];
    assert_eq!(answer["faults"], serde_json::json!(faults));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_client_reads_the_successfactors_simulator() {
    let Some(python) = python() else { return };
    let sandbox = simulate(&python, Vendor::SapSuccessFactors).await;
    let (base, settings) = (sandbox.base_url(), sandbox.settings());
    let password = sandbox.credentials()["password"].clone();
    let (company, user) = (settings["company_id"].clone(), settings["user_id"].clone());
    let answer = tokio::task::spawn_blocking(move || {
        let arguments = [base.as_str(), &company, &user];
        run(&python, "sap_successfactors.py", &arguments, &password)
    })
    .await
    .unwrap();
    assert_eq!(found(&answer), managers(&oracle()[0]));
    assert_eq!(answer["people"], 107);
    for proof in ["connected", "refused", "named", "department"] {
        assert_eq!(answer[proof], true, "{proof}");
    }
    assert_eq!(answer["unknown"], 400);
}
