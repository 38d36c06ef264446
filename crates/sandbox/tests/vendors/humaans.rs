//! Humaans: the token, the query language, job roles, every fault, the
//! contract, and the whole manager tree.

use std::collections::{BTreeMap, BTreeSet};

use muster_sandbox::Vendor;
use muster_sandbox::contract::Contract;
use serde_json::{Value, json};

use crate::support::{Caller, Reply, managers, oracle, rehearsed, send, simulate};

struct Humaans(Caller);

fn contract() -> Contract {
    Contract::load(include_str!(
        "../../../../connectors/humaans/contract/openapi.json"
    ))
    .unwrap()
}

impl Humaans {
    async fn new(people: u32, faults: &[&str]) -> Self {
        Self(simulate(Vendor::Humaans, rehearsed(people), faults).await)
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let mut request = self
            .0
            .request(method, &format!("/api/{path}"))
            .bearer_auth(self.0.credential("token"));
        if let Some(body) = body {
            request = request.json(&body);
        }
        send(request).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None).await
    }

    /// All records, read by the vendor's rule: until the total is there.
    async fn sweep(&self, path: &str, limit: usize) -> Vec<Value> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let mut rows = Vec::new();
        loop {
            let skip = rows.len();
            let page = self
                .get(&format!("{path}{mark}%24limit={limit}&%24skip={skip}"))
                .await;
            assert_eq!(page.status, 200, "{}", page.text);
            let page = page.json();
            assert_eq!(page["skip"], skip);
            let data = page["data"].as_array().unwrap().clone();
            let is_empty = data.is_empty();
            rows.extend(data);
            if is_empty || rows.len() >= usize::try_from(page["total"].as_u64().unwrap()).unwrap() {
                return rows;
            }
        }
    }

    fn set(&self, faults: &[&str]) {
        let faults = faults.iter().map(|name| name.parse().unwrap()).collect();
        self.0.sandbox.set_faults(faults).unwrap();
    }
}

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn without_the_token_nothing_is_seen() {
    let humaans = Humaans::new(20, &[]).await;
    let nobody = send(humaans.0.request("GET", "/api/people")).await;
    assert_eq!(nobody.status, 401);
    let wrong = humaans.0.request("GET", "/api/me").bearer_auth("x");
    assert_eq!(send(wrong).await.status, 401);
    let me = humaans.get("me").await.json();
    assert_eq!(me["status"], "active");
    assert_eq!(
        humaans.get("people/VMB1yzL5uL8VvNNCJc9rykJz").await.status,
        404
    );
    assert_eq!(humaans.get("shoes").await.status, 404);
}

#[tokio::test]
async fn lists_are_asked_in_the_vendors_language() {
    let humaans = Humaans::new(120, &[]).await;
    let [company, ..] = rehearsed(120);
    let people = humaans.sweep("people", 50).await;
    assert_eq!(people.len(), company.employees.len());
    assert_eq!(
        ids(&people).iter().collect::<BTreeSet<_>>().len(),
        people.len()
    );
    assert!(ids(&people).iter().all(|id| id.len() == 24));
    let page = humaans.get("people").await.json();
    assert_eq!((&page["limit"], &page["skip"]), (&json!(100), &json!(0)));
    assert_eq!(humaans.get("people?$limit=1000").await.json()["limit"], 250);
    let left = humaans.sweep("people?status=offboarded", 7).await;
    assert!(!left.is_empty());
    assert!(left.iter().all(|one| one["employmentEndDate"].is_string()));
    let others = humaans
        .sweep("people?status%5B%24nin%5D=offboarded", 50)
        .await;
    assert_eq!(left.len() + others.len(), people.len());
    let since = humaans
        .sweep("people?updatedAt%5B%24gte%5D=2025-01-20", 50)
        .await;
    assert!(!since.is_empty() && since.len() < people.len());
    // A limit without the dollar sign is not the documented parameter.
    for wrong in [
        "people?limit=5",
        "people?%24limit=x",
        "people?status%5B%24like%5D=a",
    ] {
        let reply = humaans.get(wrong).await;
        assert_eq!(
            (reply.status, &reply.json()["code"]),
            (422, &json!("ValidationError"))
        );
    }
    let somebody = &people[3];
    let id = somebody["id"].as_str().unwrap();
    assert_eq!(&humaans.get(&format!("people/{id}")).await.json(), somebody);
    let roles = humaans.sweep(&format!("job-roles?personId={id}"), 50).await;
    assert!(!roles.is_empty() && roles.iter().all(|role| role["personId"] == id));
    let role = roles[0]["id"].as_str().unwrap();
    assert_eq!(
        humaans.get(&format!("job-roles/{role}")).await.json(),
        roles[0]
    );
}

#[tokio::test]
async fn every_answer_keeps_the_contract_and_writes_are_read_back() {
    let humaans = Humaans::new(60, &[]).await;
    let people = humaans.sweep("people", 25).await;
    humaans.sweep("job-roles", 100).await;
    humaans.sweep("companies", 100).await;
    humaans.sweep("locations", 100).await;
    let path = format!("people/{}", people[4]["id"].as_str().unwrap());
    humaans.get(&path).await;
    let change = json!({"email": "ny@nordlys.example", "phoneNumber": "+4740000001"});
    let changed = humaans.call("PATCH", &path, Some(change)).await;
    assert_eq!(changed.status, 200);
    assert_eq!(
        humaans.get(&path).await.json()["email"],
        "ny@nordlys.example"
    );
    assert!(humaans.0.keeps(&contract()) > 8);
    let new = json!({"firstName": "Kari", "lastName": "Prøve", "email": "kari@ny.example"});
    let made = humaans.call("POST", "people", Some(new)).await.json();
    let path = format!("people/{}", made["id"].as_str().unwrap());
    assert_eq!(humaans.get(&path).await.json()["lastName"], "Prøve");
    assert_eq!(
        humaans.call("DELETE", &path, None).await.json()["deleted"],
        true
    );
    assert_eq!(humaans.get(&path).await.status, 404);
    let wrong = humaans
        .call("POST", "people", Some(json!({"firstName": "A"})))
        .await;
    assert_eq!(
        (wrong.status, &wrong.json()["issues"][0]["path"]),
        (422, &json!("lastName"))
    );
}

/// What others have published of people has the same properties with us.
#[tokio::test]
async fn published_people_have_the_same_properties() {
    let published: Value = serde_json::from_str(include_str!(
        "../../../../connectors/humaans/fixtures/published.json"
    ))
    .unwrap();
    let row = &published["people"]["answer"]["data"][0];
    let humaans = Humaans::new(20, &[]).await;
    let people = humaans.sweep("people", 100).await;
    for (name, value) in people[0].as_object().unwrap() {
        let theirs = row
            .get(name)
            .unwrap_or_else(|| panic!("people have no {name}"));
        assert!(
            value.is_null() || theirs.is_null() || value.is_string() == theirs.is_string(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_oracle_company_keeps_its_whole_manager_tree() {
    let expected = managers(&oracle()[0]);
    let humaans = Humaans(simulate(Vendor::Humaans, oracle(), &[]).await);
    let people = humaans.sweep("people", 100).await;
    let emails: BTreeMap<String, String> = people
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            (text("id"), text("email"))
        })
        .collect();
    // The role that holds: the newest that has begun.
    let mut found: BTreeMap<String, (String, Option<String>)> = BTreeMap::new();
    for role in humaans.sweep("job-roles", 100).await {
        let begins = role["effectiveDate"].as_str().unwrap().to_owned();
        let manager = role["reportingTo"].as_str().map(|id| emails[id].clone());
        let person = emails[role["personId"].as_str().unwrap()].clone();
        let newest = found.get(&person).is_none_or(|(known, _)| *known < begins);
        if begins.as_str() <= "2025-01-01" && newest {
            found.insert(person, (begins, manager));
        }
    }
    let found: BTreeMap<String, Option<String>> = found
        .into_iter()
        .map(|(person, (_, manager))| (person, manager))
        .collect();
    assert_eq!(found.len(), 107);
    assert_eq!(found, expected);
}

#[tokio::test]
async fn faults_show_as_this_vendor_shows_them() {
    let humaans = Humaans::new(60, &[]).await;
    let all = humaans.sweep("people", 10).await;
    let page = |from: usize| format!("people?$limit=10&$skip={from}");
    humaans.set(&["empty"]);
    assert!(humaans.sweep("people", 10).await.is_empty());
    humaans.set(&["short-page"]);
    let short = ids(&humaans.sweep("people", 10).await);
    assert!(short.len() < all.len() && ids(&all).starts_with(&short));
    humaans.set(&["duplicate-rows"]);
    assert_eq!(
        humaans.sweep("people", 10).await.len(),
        all.len() + all.len() / 10
    );
    humaans.set(&["throttle"]);
    let reply = humaans.get(&page(0)).await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, "1"));
    humaans.set(&["drop-field:birthday"]);
    let people = humaans.sweep("people", 50).await;
    assert!(people.iter().all(|one| one.get("birthday").is_none()));
    humaans.set(&["permission-loss"]);
    let seen = humaans.sweep("people", 50).await;
    assert!(!seen.is_empty() && seen.len() < all.len());
    assert!(
        seen.iter()
            .all(|one| one.get("taxId").is_none() && one.get("status").is_some())
    );
    humaans.set(&["server-error"]);
    for status in [500, 500, 200] {
        assert_eq!(humaans.get(&page(20)).await.status, status);
    }
    humaans.set(&["truncated-body"]);
    let middle = humaans.get(&page(all.len() / 20 * 10)).await;
    assert!(serde_json::from_str::<Value>(&middle.text).is_err());
    humaans.set(&["stale"]);
    let [_, earlier, other] = rehearsed(60);
    assert_eq!(
        humaans.sweep("people", 50).await.len(),
        earlier.employees.len()
    );
    humaans.set(&["wrong-company"]);
    assert_eq!(
        humaans.sweep("people", 50).await.len(),
        other.employees.len()
    );
    humaans.set(&["moving-pages"]);
    let moved = ids(&humaans.sweep("people", 10).await);
    assert_eq!(ids(&all).iter().filter(|id| !moved.contains(id)).count(), 1);
    humaans.set(&["expired-token"]);
    assert_eq!(humaans.get(&page(10)).await.status, 200);
    assert_eq!(humaans.get(&page(20)).await.status, 401);
    assert_eq!(
        humaans.get("me").await.status,
        401,
        "it is taken back for good"
    );
}
