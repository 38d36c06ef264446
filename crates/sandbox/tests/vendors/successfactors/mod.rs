//! SAP SuccessFactors: sign-in, pages, days, every fault, the facts of SAP's
//! specification, and the whole manager tree.

mod facts;
mod instance;
mod sign_in;

use std::collections::{BTreeMap, BTreeSet};

use muster_sandbox::Vendor;
use serde_json::{Value, json};

use crate::support::{Reply, managers, oracle, rehearsed, send, simulate};

use instance::{Instance, PEOPLE, ids, refusal};

#[tokio::test]
async fn pages_follow_each_other_and_a_snapshot_stands_still() {
    let instance = Instance::new(60, &[]).await;
    let all = ids(&instance.sweep("PerPerson").await);
    assert_eq!(all.len(), rehearsed(60)[0].employees.len());
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    for path in [
        PEOPLE,
        "PerPerson?customPageSize=7&paging=snapshot",
        "PerPerson?$top=25&customPageSize=10",
    ] {
        let some = ids(&instance.sweep(path).await);
        assert_eq!(some, all[..some.len()], "{path}");
        assert_eq!(
            some.len(),
            if path.contains("$top") { 25 } else { all.len() }
        );
    }
    // In pages of the caller's own no next one is named.
    let page = instance
        .get("PerPerson?$top=10&$skip=10&$inlinecount=allpages")
        .await
        .json();
    assert_eq!(ids(page["d"]["results"].as_array().unwrap()), all[10..20]);
    assert_eq!(page["d"]["__count"], all.len().to_string());
    assert!(page["d"].get("__next").is_none());
    let count = instance.raw("PerPerson/$count").await;
    assert_eq!(count.text, all.len().to_string());
    // While the list is read somebody leaves and somebody else comes.
    instance.set(&["moving-pages"]).await;
    let still = ids(&instance.sweep(&format!("{PEOPLE}&paging=snapshot")).await);
    assert_eq!(still, all);
    instance.set(&["moving-pages"]).await;
    let before = ids(&instance.sweep("PerPerson").await);
    let moved = ids(&instance.sweep(PEOPLE).await);
    assert_eq!(before.iter().filter(|id| !moved.contains(id)).count(), 1);
}

#[tokio::test]
async fn what_is_chosen_comes_and_what_is_unknown_is_refused() {
    let instance = Instance::new(60, &[]).await;
    let row = |reply: &Reply| reply.json()["d"]["results"][0].clone();
    let names = |row: &Value| -> Vec<String> { row.as_object().unwrap().keys().cloned().collect() };
    let plain = row(&instance.get("PerPerson").await);
    assert!(
        plain["emailNav"]["__deferred"]["uri"]
            .as_str()
            .unwrap()
            .ends_with("/emailNav")
    );
    assert!(plain["dateOfBirth"].as_str().unwrap().starts_with("/Date("));
    let chosen = row(&instance
        .get("PerPerson?$select=personIdExternal,emailNav/emailAddress&$expand=emailNav,phoneNav")
        .await);
    assert_eq!(
        names(&chosen),
        ["__metadata", "personIdExternal", "emailNav"]
    );
    let address = &chosen["emailNav"]["results"][0];
    assert_eq!(names(address), ["__metadata", "emailAddress"]);
    let id = chosen["personIdExternal"].as_str().unwrap();
    let one = instance.get(&format!("PerPerson('{id}')")).await.json();
    assert_eq!(one["d"]["personIdExternal"], id);
    let behind = instance
        .get(&format!("PerPerson('{id}')/employmentNav"))
        .await
        .json();
    let user = behind["d"]["results"][0]["userId"]
        .as_str()
        .unwrap()
        .to_owned();
    let key = format!("EmpEmployment(personIdExternal='{id}',userId='{user}')");
    let employment = instance
        .get(&format!(
            "{key}?$expand=jobInfoNav/emplStatusNav/picklistLabels"
        ))
        .await;
    let label = "/d/jobInfoNav/results/0/emplStatusNav/picklistLabels/results/0/label";
    assert_eq!(employment.json().pointer(label).unwrap(), "Active");
    let start = instance.get(&format!("{key}/startDate")).await.json();
    assert!(start["d"]["startDate"].is_string());
    for (path, status, code) in [
        ("PerPerson?$select=shoeSize", 400, "COE_PROPERTY_NOT_FOUND"),
        ("PerPerson?$expand=shoeNav", 400, "COE_PROPERTY_NOT_FOUND"),
        (
            "PerPerson?$filter=shoeSize%20eq%2044",
            400,
            "COE_PROPERTY_NOT_FOUND",
        ),
        (
            "PerPerson?$filter=personIdExternal",
            400,
            "COE_GENERAL_BADREQUEST",
        ),
        ("PerPerson?limit=5", 400, "COE_GENERAL_BADREQUEST"),
        ("PerPerson?$skiptoken=x", 400, "COE_GENERAL_BADREQUEST"),
        (
            "EmpJob?asOfDate=2025-01-01&fromDate=2025-01-01",
            400,
            "COE_GENERAL_BADREQUEST",
        ),
        ("Shoes", 400, "COE_ENTITY_NOT_FOUND"),
        ("PerPerson('nobody')", 404, "NotFoundException"),
    ] {
        let reply = instance.get(path).await;
        assert_eq!(refusal(&reply), (status, code.to_owned()), "{path}");
    }
    // Whoever forgets to ask for JSON gets Atom.
    let atom = instance.raw("PerPerson").await;
    assert!(
        atom.header("content-type")
            .starts_with("application/atom+xml")
    );
    assert!(atom.text.contains("<d:personIdExternal>"));
    assert!(instance.raw("Shoes").await.text.starts_with("<?xml"));
    assert!(
        instance
            .raw("$metadata")
            .await
            .text
            .contains("EntityType Name=\"PerPerson\"")
    );
}

#[tokio::test]
async fn filters_find_by_id_and_through_navigations() {
    let instance = Instance::new(60, &[]).await;
    let all = ids(&instance.sweep("PerPerson").await);
    let some = instance
        .sweep(&format!(
            "PerPerson?$filter=personIdExternal in '{}','{}','x'",
            all[3], all[9]
        ))
        .await;
    assert_eq!(ids(&some), [all[3].clone(), all[9].clone()]);
    let people = instance.sweep("PerPerson?$expand=emailNav").await;
    let with_work = people.iter().filter(|row| {
        row["emailNav"]["results"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["emailType"] == "8448")
    });
    let filtered = instance
        .sweep("PerPerson?customPageSize=9&$filter=emailNav/emailType eq '8448'")
        .await;
    assert_eq!(filtered.len(), with_work.count());
    let since = instance
        .sweep("PerPerson?$filter=lastModifiedDateTime ge datetimeoffset'2025-01-20T00:00:00Z'")
        .await;
    assert!(!since.is_empty() && since.len() < all.len());
    let sorted = instance
        .sweep("PerPersonal?$orderby=lastName desc&customPageSize=13")
        .await;
    let names: Vec<&str> = sorted
        .iter()
        .map(|row| row["lastName"].as_str().unwrap())
        .collect();
    assert!(names.is_sorted_by(|one, other| one >= other) && names.len() > 30);
}

#[tokio::test]
async fn without_a_word_only_today_is_shown_and_leavers_are_terminated() {
    let instance = Instance::new(120, &[]).await;
    let [company, ..] = rehearsed(120);
    let left: Vec<_> = company
        .employees
        .iter()
        .flat_map(|one| one.engagements.iter())
        .filter(|one| one.end_date.is_some_and(|last| last < company.as_of))
        .collect();
    assert!(!left.is_empty());
    let today = instance.sweep("EmpJob?$expand=emplStatusNav").await;
    let ended = today
        .iter()
        .filter(|row| row["emplStatusNav"]["externalCode"] == "T");
    assert_eq!(ended.count(), left.len());
    let users: BTreeSet<&str> = today
        .iter()
        .map(|row| row["userId"].as_str().unwrap())
        .collect();
    assert_eq!(users.len(), today.len(), "one row an employment");
    let all = instance
        .sweep("EmpJob?fromDate=1900-01-01&toDate=9999-12-31")
        .await;
    assert!(all.len() > today.len());
    let first = left[0];
    let key = format!("sf{}", first.id);
    let before = instance
        .sweep(&format!(
            "EmpJob?$filter=userId eq '{key}'&$expand=emplStatusNav&asOfDate={}",
            first.end_date.unwrap()
        ))
        .await;
    assert_eq!(before[0]["emplStatusNav"]["externalCode"], "A");
    // Users are shown while they are active, unless they are asked for.
    let active = instance.sweep("User").await;
    assert!(active.iter().all(|user| user["status"] == "t"));
    let everybody = instance.sweep("User?$filter=status in 't','f'").await;
    let employments: usize = company
        .employees
        .iter()
        .map(|one| one.engagements.len())
        .sum();
    assert_eq!(everybody.len(), employments);
    assert!(active.len() < everybody.len());
}

#[tokio::test]
async fn the_oracle_company_keeps_its_whole_manager_tree() {
    let expected = managers(&oracle()[0]);
    let caller = simulate(Vendor::SapSuccessFactors, oracle(), &[]).await;
    let instance = Instance::of(caller).await;
    let jobs = instance
        .sweep("EmpJob?$expand=userNav,managerUserNav&customPageSize=20")
        .await;
    let found: BTreeMap<String, Option<String>> = jobs
        .iter()
        .map(|job| {
            let manager = job["managerUserNav"]["email"].as_str().map(str::to_owned);
            (
                job["userNav"]["email"].as_str().unwrap().to_owned(),
                manager,
            )
        })
        .collect();
    assert_eq!(found.len(), 107);
    assert_eq!(found, expected);
    let top: Vec<&Value> = jobs
        .iter()
        .filter(|job| job["managerUserNav"].is_null())
        .collect();
    assert_eq!(top.len(), 1);
    assert_eq!(top[0]["managerId"], "NO_MANAGER");
    // A manager is a user, whose id is not the person's.
    let people: BTreeSet<String> = ids(&instance.sweep("PerPerson").await)
        .into_iter()
        .collect();
    assert!(
        jobs.iter()
            .all(|job| !people.contains(job["managerId"].as_str().unwrap()))
    );
}

#[tokio::test]
async fn each_row_that_is_written_has_its_own_outcome() {
    let instance = Instance::new(30, &[]).await;
    let people = ids(&instance.sweep("PerPerson").await);
    let id = &people[2];
    let uri = |entity: &str, key: &str| json!({"uri": format!("{entity}({key})")});
    let rows = json!([
        {"__metadata": uri("PerEmail", &format!("emailType='8448',personIdExternal='{id}'")),
         "emailAddress": "ny@nordlys.example"},
        {"__metadata": uri("PerEmail", "emailType='8448',personIdExternal='nobody'"),
         "emailAddress": "ny@nordlys.example"},
        {"__metadata": {"uri": "PerPhone"}, "personIdExternal": id, "phoneType": "8179",
         "countryCode": "47", "phoneNumber": "40000001"},
        {"__metadata": {"uri": "EmpJob"}, "personIdExternal": id},
    ]);
    let path = "/odata/v2/upsert?purgeType=incremental&$format=json";
    let request = instance
        .caller
        .request("POST", path)
        .bearer_auth(&instance.token);
    let reply = send(request.json(&rows)).await;
    assert_eq!(reply.status, 200);
    let outcomes: Vec<String> = reply.json()["d"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["status"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(outcomes, ["OK", "ERROR", "OK", "ERROR"]);
    let person = instance
        .get(&format!("PerPerson('{id}')?$expand=emailNav,phoneNav"))
        .await
        .json();
    assert_eq!(
        person["d"]["emailNav"]["results"][0]["emailAddress"],
        "ny@nordlys.example"
    );
    assert_eq!(
        person["d"]["phoneNav"]["results"][0]["phoneNumber"],
        "40000001"
    );
}

#[tokio::test]
async fn faults_show_as_this_vendor_shows_them() {
    let mut instance = Instance::new(60, &[]).await;
    let all = ids(&instance.sweep(PEOPLE).await);
    instance.set(&["empty"]).await;
    assert!(instance.sweep(PEOPLE).await.is_empty());
    instance.set(&["short-page"]).await;
    let short = ids(&instance.sweep(PEOPLE).await);
    assert!(short.len() < all.len() && all.starts_with(&short));
    instance.set(&["duplicate-rows"]).await;
    assert_eq!(
        instance.sweep(PEOPLE).await.len(),
        all.len() + all.len() / 10
    );
    instance.set(&["throttle"]).await;
    let reply = instance.get(PEOPLE).await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, "1"));
    assert_eq!(instance.get(PEOPLE).await.status, 200);
    instance
        .set(&[
            "drop-field:EmpJob.department",
            "drop-field:PerPerson.emailNav",
        ])
        .await;
    assert!(
        instance
            .sweep("EmpJob")
            .await
            .iter()
            .all(|job| job.get("department").is_none())
    );
    let people = instance.sweep("PerPerson?$expand=emailNav").await;
    assert!(people.iter().all(|person| person.get("emailNav").is_none()));
    instance.set(&["permission-loss"]).await;
    let seen = instance.sweep("PerPerson?$expand=phoneNav").await;
    assert!(!seen.is_empty() && seen.len() < all.len());
    assert!(seen.iter().all(|person| person["dateOfBirth"].is_null()
        && person["phoneNav"]["results"].as_array().unwrap().is_empty()));
    assert!(instance.sweep("EmpJob").await.is_empty());
    let visible = ids(&seen);
    let hidden = all.iter().find(|id| !visible.contains(id)).unwrap();
    assert_eq!(
        instance.get(&format!("PerPerson('{hidden}')")).await.status,
        404
    );
    instance.set(&["server-error"]).await;
    let third = "PerPerson?$top=10&$skip=20";
    assert_eq!(instance.get(third).await.status, 500);
    assert_eq!(instance.get(third).await.status, 500);
    assert_eq!(instance.get(third).await.status, 200);
    instance.set(&["truncated-body"]).await;
    let middle = instance
        .get(&format!("PerPerson?$top=10&$skip={}", all.len() / 20 * 10))
        .await;
    assert!(serde_json::from_str::<Value>(&middle.text).is_err());
    instance.set(&["stale"]).await;
    let [_, earlier, other] = rehearsed(60);
    assert_eq!(instance.sweep(PEOPLE).await.len(), earlier.employees.len());
    instance.set(&["wrong-company"]).await;
    assert_eq!(instance.sweep(PEOPLE).await.len(), other.employees.len());
    instance.set(&["expired-token"]).await;
    assert_eq!(instance.get("PerPerson?$top=10").await.status, 200);
    assert_eq!(instance.get("PerPerson?$top=10&$skip=10").await.status, 200);
    let refused = instance.get("PerPerson?$top=10&$skip=20").await;
    assert_eq!(refusal(&refused), (403, "LGN0022".to_owned()));
    instance.sign_in().await;
    assert_eq!(instance.get("PerPerson?$top=10&$skip=20").await.status, 200);
    for fault in ["drop-field:PerPerson.shoeSize", "write-then-fail"] {
        let faults = vec![fault.parse().unwrap()];
        assert!(
            instance.caller.sandbox.set_faults(faults).is_err(),
            "{fault}"
        );
    }
}
