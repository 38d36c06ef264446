//! Google Workspace: the assertion, every fault, the contract, and the whole
//! manager tree. Assertions are signed with another library than the
//! simulator's.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::civil::Date;
use muster_sandbox::Vendor;
use muster_sandbox::company::DEFAULT_YEAR_START;
use muster_sandbox::contract::Contract;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer};
use serde_json::{Value, json};

use crate::support::{Caller, Reply, managers, oracle, rehearsed, send, simulate};

const READ: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";
const WRITE: &str = "https://www.googleapis.com/auth/admin.directory.user";

struct Directory {
    caller: Caller,
    token: String,
}

fn second(day: Date) -> i64 {
    day.to_zoned(jiff::tz::TimeZone::UTC)
        .unwrap()
        .timestamp()
        .as_second()
        + 3600
}

impl Directory {
    async fn new(people: u32, faults: &[&str]) -> Self {
        Self::of(simulate(Vendor::GoogleWorkspace, rehearsed(people), faults).await).await
    }

    async fn of(caller: Caller) -> Self {
        let mut directory = Self {
            caller,
            token: String::new(),
        };
        directory.sign_in(WRITE).await;
        directory
    }

    /// The claims of a right assertion.
    fn claims(&self, scope: &str) -> Value {
        let key = self.key();
        let from = second(DEFAULT_YEAR_START);
        json!({
            "iss": key["client_email"], "scope": scope, "aud": key["token_uri"],
            "iat": from, "exp": from + 3600, "sub": self.caller.sandbox.settings()["subject"],
        })
    }

    fn key(&self) -> Value {
        serde_json::from_str(&self.caller.credential("service_account")).unwrap()
    }

    fn signed(&self, claims: &Value) -> String {
        let key = self.key();
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": key["private_key_id"]});
        let text = format!("{}.{}", encode(&header), encode(claims));
        let private = rsa::RsaPrivateKey::from_pkcs8_pem(key["private_key"].as_str().unwrap());
        let signature = SigningKey::<Sha256>::new(private.unwrap()).sign(text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    async fn token_call(&self, assertion: &str) -> Reply {
        let body = format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}"
        );
        let request = self.caller.request("POST", "/token");
        send(
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body),
        )
        .await
    }

    async fn sign_in(&mut self, scope: &str) {
        let reply = self.token_call(&self.signed(&self.claims(scope))).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        self.token = reply.json()["access_token"].as_str().unwrap().to_owned();
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let path = format!("/admin/directory/v1{path}");
        let mut request = self.caller.request(method, &path).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        send(request).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None).await
    }

    /// All users, read by the vendor's rule: until there is no next token.
    async fn sweep(&self, more: &str) -> Vec<Value> {
        let (mut users, mut next) = (Vec::new(), String::new());
        loop {
            let path = format!("/users?customer=my_customer&maxResults=10{more}{next}");
            let reply = self.get(&path).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            let page = reply.json();
            users.extend(page["users"].as_array().cloned().unwrap_or_default());
            match page["nextPageToken"].as_str() {
                Some(token) => next = format!("&pageToken={token}"),
                None => return users,
            }
        }
    }
}

fn reason(reply: &Reply) -> (u16, String) {
    let body = reply.json();
    let reason = body["error"]["errors"][0]["reason"]
        .as_str()
        .unwrap_or_default();
    (reply.status, reason.to_owned())
}

fn ids(users: &[Value]) -> Vec<String> {
    users
        .iter()
        .map(|user| user["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn an_assertion_is_checked_in_every_part() {
    let directory = Directory::new(30, &[]).await;
    let right = directory.claims(READ);
    let with = |name: &str, value: Value| {
        let mut claims = right.clone();
        claims[name] = value;
        directory.signed(&claims)
    };
    let from = right["iat"].as_i64().unwrap();
    for (assertion, status, error) in [
        (with("iss", json!("somebody@else")), 400, "invalid_grant"),
        (
            with("aud", json!("https://example.com")),
            400,
            "invalid_grant",
        ),
        (with("exp", json!(from + 3601)), 400, "invalid_grant"),
        (with("iat", json!(from - 300_000)), 400, "invalid_grant"),
        (
            with("sub", json!("nobody@example.com")),
            400,
            "invalid_grant",
        ),
        (
            with("scope", json!("https://www.googleapis.com/auth/drive")),
            401,
            "unauthorized_client",
        ),
        ("a.b.c".to_owned(), 400, "invalid_grant"),
    ] {
        let reply = directory.token_call(&assertion).await;
        assert_eq!(
            (reply.status, reply.json()["error"].as_str().unwrap()),
            (status, error)
        );
    }
    // One claim changed behind the signature.
    let good = directory.signed(&right);
    let mut parts: Vec<&str> = good.split('.').collect();
    let forged = URL_SAFE_NO_PAD.encode(directory.claims(WRITE).to_string());
    parts[1] = &forged;
    assert_eq!(directory.token_call(&parts.join(".")).await.status, 400);
    assert_eq!(directory.token_call(&good).await.status, 200);
}

#[tokio::test]
async fn the_same_seed_makes_the_same_key() {
    let one = Directory::new(10, &[]).await;
    let two = Directory::new(10, &[]).await;
    assert_eq!(one.key()["private_key"], two.key()["private_key"]);
}

#[tokio::test]
async fn only_a_delegated_administrator_may_read_and_only_what_was_granted() {
    let mut directory = Directory::new(30, &[]).await;
    let path = "/users?customer=my_customer";
    let reply = send(directory.caller.request("GET", "/admin/directory/v1/users")).await;
    assert_eq!(reason(&reply), (401, "required".to_owned()));
    let users = directory.sweep("").await;
    let other = users
        .iter()
        .find(|user| user["isAdmin"] == false && user["suspended"] == false)
        .unwrap();
    for subject in [Value::Null, other["primaryEmail"].clone()] {
        let mut claims = directory.claims(READ);
        claims["sub"] = subject;
        let reply = directory.token_call(&directory.signed(&claims)).await;
        directory.token = reply.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(
            reason(&directory.get(path).await),
            (403, "forbidden".to_owned())
        );
    }
    directory.sign_in(READ).await;
    assert_eq!(directory.get(path).await.status, 200);
    let reply = directory
        .call(
            "DELETE",
            &format!("/users/{}", other["id"].as_str().unwrap()),
            None,
        )
        .await;
    assert_eq!(reason(&reply), (403, "insufficientPermissions".to_owned()));
    let reply = directory.get("/customer/my_customer/orgunits").await;
    assert_eq!(reason(&reply), (403, "insufficientPermissions".to_owned()));
}

#[tokio::test]
async fn what_the_vendor_refuses_is_refused_in_its_words() {
    let directory = Directory::new(30, &[]).await;
    for (path, status, expected) in [
        ("/users", 400, "badRequest"),
        ("/users?customer=C1", 404, "notFound"),
        ("/users?domain=elsewhere.example", 404, "notFound"),
        ("/users?customer=my_customer&maxResults=501", 400, "invalid"),
        ("/users?customer=my_customer&maxResults=0", 400, "invalid"),
        ("/users?customer=my_customer&limit=5", 400, "invalid"),
        ("/users?customer=my_customer&pageToken=x", 400, "invalid"),
        (
            "/users?customer=my_customer&projection=custom",
            400,
            "invalid",
        ),
        (
            "/users?customer=my_customer&query=shoeSize=44",
            400,
            "invalid",
        ),
        ("/users/nobody@example.com", 404, "notFound"),
    ] {
        let reply = directory.get(path).await;
        assert_eq!(reason(&reply), (status, expected.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn accounts_are_the_people_with_an_address_and_leavers_are_suspended() {
    let [company, ..] = rehearsed(120);
    let directory = Directory::new(120, &[]).await;
    let users = directory.sweep("&projection=full").await;
    let addresses: BTreeSet<String> = company
        .employees
        .iter()
        .filter_map(|employee| employee.work_email.as_ref())
        .map(|address| address.to_lowercase())
        .collect();
    let found: BTreeSet<String> = users
        .iter()
        .map(|user| user["primaryEmail"].as_str().unwrap().to_lowercase())
        .collect();
    assert_eq!(found, addresses);
    assert_eq!(found.len(), users.len(), "one address is one account");
    let suspended = users
        .iter()
        .filter(|user| user["suspended"] == true)
        .count();
    assert!(suspended > 0, "the rehearsal has leavers by this day");
    assert_eq!(
        directory.sweep("&query=isSuspended=true").await.len(),
        suspended
    );
    assert!(
        users
            .iter()
            .all(|user| user["customSchemas"]["HR"]["startDate"].is_string())
    );
    let basic = directory.sweep("").await;
    assert!(basic.iter().all(|user| user.get("customSchemas").is_none()));
    let sorted = directory
        .sweep("&orderBy=email&fields=nextPageToken,users(id,primaryEmail)")
        .await;
    assert_eq!(sorted.len(), users.len());
    assert!(
        sorted
            .iter()
            .all(|user| user.as_object().unwrap().len() == 2)
    );
    let emails: Vec<&str> = sorted
        .iter()
        .map(|user| user["primaryEmail"].as_str().unwrap())
        .collect();
    assert!(emails.is_sorted());
}

#[tokio::test]
async fn every_answer_keeps_the_contract_and_writes_are_read_back() {
    let directory = Directory::new(60, &[]).await;
    let users = directory.sweep("&projection=full").await;
    let new = json!({
        "primaryEmail": "kari@ny.example", "password": "a-long-secret",
        "name": {"givenName": "Kari", "familyName": "Prøve"},
        "relations": [{"value": users[1]["primaryEmail"], "type": "manager"}],
    });
    let reply = directory.call("POST", "/users", Some(new.clone())).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let id = reply.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        reply.json()["relations"][0]["value"],
        users[1]["primaryEmail"]
    );
    assert_eq!(
        reason(&directory.call("POST", "/users", Some(new)).await),
        (409, "duplicate".to_owned())
    );
    let path = format!("/users/{id}");
    let reply = directory
        .call("PATCH", &path, Some(json!({"suspended": true})))
        .await;
    assert_eq!(reply.json()["suspended"], true);
    assert_eq!(
        directory.get("/users/kari@ny.example").await.json()["id"],
        id
    );
    assert_eq!(directory.call("DELETE", &path, None).await.status, 204);
    assert_eq!(directory.get(&path).await.status, 404);
    let deleted = directory
        .get("/users?customer=my_customer&showDeleted=true")
        .await
        .json();
    assert_eq!(deleted["users"][0]["primaryEmail"], "kari@ny.example");
    let undelete = format!("{path}/undelete");
    assert_eq!(
        directory
            .call("POST", &undelete, Some(json!({})))
            .await
            .status,
        204
    );
    assert_eq!(directory.get(&path).await.status, 200);
    let contract = Contract::load(include_str!(
        "../../../../connectors/google-workspace/contract/openapi.json"
    ))
    .unwrap();
    let mut held = 0;
    for exchange in directory.caller.sandbox.exchanges() {
        assert!(
            !exchange
                .response_body
                .as_deref()
                .unwrap_or_default()
                .contains("ya29.")
        );
        if exchange.path.starts_with("/admin") && exchange.status < 400 {
            let violations = contract.check(&exchange);
            assert!(
                violations.is_empty(),
                "{} {}: {violations:?}",
                exchange.method,
                exchange.path
            );
            held += 1;
        }
    }
    assert!(held > 10);
}

#[tokio::test]
async fn the_oracle_company_keeps_its_whole_manager_tree() {
    let expected = managers(&oracle()[0]);
    let caller = simulate(Vendor::GoogleWorkspace, oracle(), &[]).await;
    let users = Directory::of(caller).await.sweep("").await;
    let found: BTreeMap<String, Option<String>> = users
        .iter()
        .map(|user| {
            let manager = user["relations"][0]["value"].as_str().map(str::to_owned);
            (user["primaryEmail"].as_str().unwrap().to_owned(), manager)
        })
        .collect();
    assert_eq!(found.len(), 107);
    assert_eq!(found, expected);
}

#[tokio::test]
async fn faults_show_as_this_vendor_shows_them() {
    let directory = Directory::new(60, &[]).await;
    let set = |faults: &[&str]| {
        let faults = faults.iter().map(|name| name.parse().unwrap()).collect();
        directory.caller.sandbox.set_faults(faults).unwrap();
    };
    let page = "/users?customer=my_customer&maxResults=10";
    let all = directory.sweep("").await;
    set(&["empty"]);
    assert!(directory.sweep("").await.is_empty());
    set(&["short-page"]);
    let short = directory.sweep("").await;
    assert!(short.len() < all.len() && ids(&all).starts_with(&ids(&short)));
    set(&["duplicate-rows"]);
    let doubled = ids(&directory.sweep("").await);
    assert_eq!(doubled.len(), all.len() + all.len() / 10);
    set(&["throttle"]);
    let mut throttled = Vec::new();
    for _ in 0..10 {
        let reply = directory.get(page).await;
        if reply.status != 200 {
            assert!(
                reply.header("retry-after").is_empty(),
                "this vendor promises none"
            );
            throttled.push(reason(&reply));
        }
    }
    let expected = [
        (403, "quotaExceeded".to_owned()),
        (429, "rateLimitExceeded".to_owned()),
    ];
    assert_eq!(throttled, expected);
    set(&["drop-field:relations"]);
    assert!(
        directory
            .sweep("")
            .await
            .iter()
            .all(|user| user.get("relations").is_none())
    );
    set(&["drop-field:name.givenName"]);
    let users = directory.sweep("").await;
    assert!(
        users
            .iter()
            .all(|user| user["name"].get("givenName").is_none())
    );
    set(&["permission-loss"]);
    let seen = directory.sweep("").await;
    assert!(!seen.is_empty() && seen.len() < all.len());
    assert!(seen.iter().all(|user| user.get("phones").is_none()));
    set(&["truncated-body"]);
    let token = directory.get(page).await.json()["nextPageToken"]
        .as_str()
        .unwrap()
        .to_owned();
    let broken = {
        let (mut next, mut broken) = (Some(token), 0);
        while let Some(token) = next.take() {
            let reply = directory.get(&format!("{page}&pageToken={token}")).await;
            match serde_json::from_str::<Value>(&reply.text) {
                Ok(page) => next = page["nextPageToken"].as_str().map(str::to_owned),
                Err(_) => broken += 1,
            }
        }
        broken
    };
    assert_eq!(broken, 1);
    set(&["stale"]);
    let [_, earlier, other] = rehearsed(60);
    assert!(directory.sweep("").await.len() <= earlier.employees.len());
    set(&["wrong-company"]);
    let strangers = ids(&directory.sweep("").await);
    assert!(strangers.len() <= other.employees.len() && !strangers.is_empty());
    assert!(strangers.iter().all(|id| !ids(&all).contains(id)));
    set(&["moving-pages"]);
    let moved: BTreeSet<String> = ids(&directory.sweep("").await).into_iter().collect();
    assert_eq!(
        ids(&all).iter().filter(|id| !moved.contains(*id)).count(),
        1
    );
    set(&["expired-token"]);
    let first = directory.get(page).await.json();
    let next = format!(
        "{page}&pageToken={}",
        first["nextPageToken"].as_str().unwrap()
    );
    assert_eq!(directory.get(&next).await.status, 200);
    assert_eq!(
        reason(&directory.get(page).await),
        (401, "authError".to_owned())
    );
}
