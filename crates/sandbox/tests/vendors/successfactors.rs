//! SAP SuccessFactors: the assertion, pages, days, every fault, the facts of
//! SAP's specification, and the whole manager tree. Assertions are written here
//! in their canonical form, which the simulator makes of whatever comes.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use muster_sandbox::Vendor;
use muster_sandbox::company::DEFAULT_YEAR_START;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::sha2::{Digest, Sha256};
use rsa::signature::{SignatureEncoding, Signer};
use serde_json::{Value, json};

use crate::support::{Caller, Reply, managers, oracle, rehearsed, send, simulate};

const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// What an assertion is to say.
#[derive(Clone)]
struct Claims {
    user: String,
    audience: String,
    recipient: String,
    api_key: String,
    from: Timestamp,
    until: Timestamp,
    certificate: Option<String>,
}

struct Instance {
    caller: Caller,
    token: String,
}

fn form(fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    fields.join("&")
}

impl Instance {
    async fn new(people: u32, faults: &[&str]) -> Self {
        Self::of(simulate(Vendor::SapSuccessFactors, rehearsed(people), faults).await).await
    }

    async fn of(caller: Caller) -> Self {
        let mut instance = Self {
            caller,
            token: String::new(),
        };
        instance.sign_in().await;
        instance
    }

    fn setting(&self, name: &str) -> String {
        self.caller.sandbox.settings()[name].clone()
    }

    fn claims(&self) -> Claims {
        let noon = DEFAULT_YEAR_START.at(12, 0, 0, 0);
        let from = noon.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        Claims {
            user: self.setting("user_id"),
            audience: "www.successfactors.com".to_owned(),
            recipient: format!("{}/oauth/token", self.caller.sandbox.base_url()),
            api_key: self.caller.credential("api_key"),
            from,
            until: from + jiff::SignedDuration::from_mins(10),
            certificate: None,
        }
    }

    fn key(&self) -> SigningKey<Sha256> {
        let private = rsa::RsaPrivateKey::from_pkcs8_pem(&self.caller.credential("private_key"));
        SigningKey::new(private.unwrap())
    }

    fn assertion(&self, claims: &Claims) -> String {
        let head = format!("<a:Assertion xmlns:a=\"{SAML}\" ID=\"_1\" Version=\"2.0\">");
        let body = format!(
            "<a:Issuer>test</a:Issuer><a:Subject><a:NameID>{}</a:NameID><a:SubjectConfirmation \
             Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><a:SubjectConfirmationData \
             Recipient=\"{}\"></a:SubjectConfirmationData></a:SubjectConfirmation></a:Subject>\
             <a:Conditions NotBefore=\"{}\" NotOnOrAfter=\"{}\"><a:AudienceRestriction>\
             <a:Audience>{}</a:Audience></a:AudienceRestriction></a:Conditions>\
             <a:AttributeStatement><a:Attribute Name=\"api_key\"><a:AttributeValue>{}\
             </a:AttributeValue></a:Attribute></a:AttributeStatement></a:Assertion>",
            claims.user,
            claims.recipient,
            claims.from,
            claims.until,
            claims.audience,
            claims.api_key
        );
        let digest = STANDARD.encode(Sha256::digest(format!("{head}{body}").as_bytes()));
        let info = format!(
            "<s:SignedInfo xmlns:s=\"{SIGNATURE}\"><s:CanonicalizationMethod \
             Algorithm=\"{EXCLUSIVE}\"></s:CanonicalizationMethod><s:SignatureMethod \
             Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"></s:SignatureMethod>\
             <s:Reference URI=\"#_1\"><s:Transforms><s:Transform \
             Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></s:Transform>\
             <s:Transform Algorithm=\"{EXCLUSIVE}\"></s:Transform></s:Transforms><s:DigestMethod \
             Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></s:DigestMethod>\
             <s:DigestValue>{digest}</s:DigestValue></s:Reference></s:SignedInfo>"
        );
        let signature = STANDARD.encode(self.key().sign(info.as_bytes()).to_bytes());
        let key_info = claims
            .certificate
            .as_ref()
            .map_or_else(String::new, |text| {
                format!(
                    "<s:KeyInfo><s:X509Data><s:X509Certificate>{text}</s:X509Certificate>\
                 </s:X509Data></s:KeyInfo>"
                )
            });
        // The signature's own prefix is declared further out than it is used.
        let head = head.replace(" ID=", &format!(" xmlns:s=\"{SIGNATURE}\" ID="));
        let info = info.replacen(&format!(" xmlns:s=\"{SIGNATURE}\""), "", 1);
        let xml = format!(
            "{head}<s:Signature>{info}<s:SignatureValue>\n{signature}\n</s:SignatureValue>\
             {key_info}</s:Signature>{body}"
        );
        STANDARD.encode(xml)
    }

    async fn token_call(&self, assertion: &str, more: &[(&str, &str)]) -> Reply {
        let (company, key) = (
            self.setting("company_id"),
            self.caller.credential("api_key"),
        );
        let mut fields = vec![
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:saml2-bearer",
            ),
            ("company_id", company.as_str()),
            ("client_id", key.as_str()),
            ("assertion", assertion),
        ];
        for field in more {
            fields.retain(|(name, _)| name != &field.0);
            fields.push(*field);
        }
        let request = self.caller.request("POST", "/oauth/token");
        send(
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form(&fields)),
        )
        .await
    }

    async fn sign_in(&mut self) {
        let reply = self.token_call(&self.assertion(&self.claims()), &[]).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        self.token = reply.json()["access_token"].as_str().unwrap().to_owned();
    }

    async fn raw(&self, path: &str) -> Reply {
        let path = format!("/odata/v2/{path}");
        send(self.caller.request("GET", &path).bearer_auth(&self.token)).await
    }

    async fn get(&self, path: &str) -> Reply {
        let mark = if path.contains('?') { '&' } else { '?' };
        self.raw(&format!("{path}{mark}$format=json")).await
    }

    /// All rows, read by the vendor's rule: `__next` word for word, until there is none.
    async fn sweep(&self, path: &str) -> Vec<Value> {
        let base = format!("{}/odata/v2/", self.caller.sandbox.base_url());
        let mark = if path.contains('?') { '&' } else { '?' };
        let (mut rows, mut next) = (Vec::new(), Some(format!("{path}{mark}$format=json")));
        while let Some(path) = next {
            let reply = self.raw(&path).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            let page = reply.json();
            rows.extend(page["d"]["results"].as_array().unwrap().clone());
            next = page["d"]["__next"]
                .as_str()
                .map(|address| address.strip_prefix(&base).unwrap().to_owned());
        }
        rows
    }

    async fn set(&self, faults: &[&str]) {
        let faults = faults.iter().map(|name| name.parse().unwrap()).collect();
        self.caller.sandbox.set_faults(faults).unwrap();
    }
}

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter()
        .map(|row| row["personIdExternal"].as_str().unwrap().to_owned())
        .collect()
}

fn refusal(reply: &Reply) -> (u16, String) {
    let code = reply.json()["error"]["code"].as_str().unwrap().to_owned();
    (reply.status, code)
}

const PEOPLE: &str = "PerPerson?customPageSize=10";

#[tokio::test]
async fn an_assertion_is_checked_in_every_part() {
    let instance = Instance::new(20, &[]).await;
    let right = instance.claims();
    let certificate = instance.caller.credential("certificate");
    let own: String = certificate
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let with = |change: &dyn Fn(&mut Claims)| {
        let mut claims = right.clone();
        change(&mut claims);
        instance.assertion(&claims)
    };
    let forged = |from: &str, to: &str| {
        let xml = STANDARD.decode(instance.assertion(&right)).unwrap();
        let xml = String::from_utf8(xml).unwrap();
        assert!(xml.contains(from));
        STANDARD.encode(xml.replacen(from, to, 1))
    };
    let day = jiff::SignedDuration::from_hours(80);
    for (assertion, why) in [
        (
            with(&|claims| "nobody".clone_into(&mut claims.user)),
            "user",
        ),
        (
            with(&|claims| "sp.example".clone_into(&mut claims.audience)),
            "audience",
        ),
        (with(&|claims| claims.recipient.push('x')), "recipient"),
        (with(&|claims| claims.api_key.push('x')), "api key"),
        (
            with(&|claims| {
                claims.from -= day;
                claims.until -= day;
            }),
            "long ago",
        ),
        (with(&|claims| claims.until += day), "good for too long"),
        (
            with(&|claims| claims.certificate = Some(STANDARD.encode("another"))),
            "another certificate",
        ),
        (forged(&right.user, "admin"), "changed behind the signature"),
        (forged("<a:Audience>", "<a:Audience> "), "a blank more"),
        (forged("rsa-sha256", "rsa-sha1"), "another algorithm"),
        (STANDARD.encode("<a/>"), "no assertion"),
        ("%".to_owned(), "no text"),
    ] {
        let reply = instance.token_call(&assertion, &[]).await;
        assert_eq!(reply.status, 401, "{why}");
        assert_eq!(reply.json()["errorHttpCode"], "401", "{why}");
    }
    let good = instance.assertion(&right);
    for (more, status) in [
        (("company_id", "OTHER"), 401),
        (("client_id", "x"), 401),
        (("grant_type", "client_credentials"), 400),
    ] {
        let reply = instance.token_call(&good, &[more]).await;
        assert_eq!(reply.status, status, "{more:?}");
    }
    let sent_along = with(&|claims| claims.certificate = Some(own.clone()));
    for good in [good, sent_along, forged("ID=\"_1\"", "ID='_1'")] {
        assert_eq!(instance.token_call(&good, &[]).await.status, 200);
    }
}

#[tokio::test]
async fn a_token_is_handed_out_again_until_a_new_one_is_asked_for() {
    let instance = Instance::new(20, &[]).await;
    let good = instance.assertion(&instance.claims());
    let token = |reply: &Reply| reply.json()["access_token"].as_str().unwrap().to_owned();
    let again = instance.token_call(&good, &[]).await;
    assert_eq!(token(&again), instance.token);
    let new = instance.token_call(&good, &[("new_token", "true")]).await;
    assert_ne!(token(&new), instance.token);
    assert_eq!(
        refusal(&instance.get("PerPerson").await),
        (403, "LGN0022".to_owned())
    );
    let exchanges = instance.caller.sandbox.exchanges();
    assert!(exchanges.iter().all(|exchange| {
        let kept = format!("{:?}{:?}", exchange.request_body, exchange.response_body);
        !kept.contains(&instance.token) && !kept.contains("assertion=")
    }));
}

#[tokio::test]
async fn basic_names_user_and_company() {
    let instance = Instance::new(20, &[]).await;
    let (company, password) = (
        instance.setting("company_id"),
        instance.caller.credential("password"),
    );
    let ask = async |user: &str, password: &str| {
        let request = instance.caller.request("GET", "/odata/v2/User/$count");
        send(
            request
                .basic_auth(user, Some(password))
                .header("accept", "application/json"),
        )
        .await
    };
    let right = format!("sfapi@{company}");
    assert_eq!(ask(&right, &password).await.status, 200);
    let code = |reply: &Reply| refusal(reply);
    assert_eq!(code(&ask(&right, "x").await), (401, "LGN0015".to_owned()));
    assert_eq!(
        code(&ask("sfapi", &password).await),
        (401, "LGN0015".to_owned())
    );
    assert_eq!(
        code(&ask("sfapi@OTHER", &password).await),
        (403, "LGN0008".to_owned())
    );
    let nobody = send(
        instance
            .caller
            .request("GET", "/odata/v2/User?$format=json"),
    )
    .await;
    assert_eq!(code(&nobody), (401, "LGN0003".to_owned()));
}

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

/// What a document says of entities: property to JSON types.
type Facts = BTreeMap<String, BTreeMap<String, Vec<String>>>;

fn types(schema: &Value) -> Vec<String> {
    match schema.get("types").or_else(|| schema.get("type")) {
        Some(Value::Array(types)) => types
            .iter()
            .map(|one| one.as_str().unwrap().to_owned())
            .collect(),
        Some(Value::String(one)) if one != "object" => vec![one.clone()],
        _ => vec!["navigation".to_owned()],
    }
}

fn facts(entities: &Value) -> Facts {
    let entities = entities.as_object().unwrap().iter();
    entities
        .filter_map(|(name, entity)| {
            let properties = entity["properties"].as_object()?.iter();
            let properties = properties.map(|(name, schema)| (name.clone(), types(schema)));
            Some((name.clone(), properties.collect()))
        })
        .collect()
}

/// Holds rows of an answer against facts; how many properties were looked at.
fn hold(facts: &Facts, value: &Value) -> usize {
    let mut held = 0;
    match value {
        Value::Array(items) => items.iter().for_each(|item| held += hold(facts, item)),
        Value::Object(object) => {
            let kind = value.pointer("/__metadata/type").and_then(Value::as_str);
            let entity = kind.and_then(|kind| facts.get(kind.trim_start_matches("SFOData.")));
            for (name, inner) in object {
                held += hold(facts, inner);
                let Some(known) = entity.and_then(|entity| entity.get(name)) else {
                    // Navigations are known from elsewhere too; properties are not.
                    assert!(
                        entity.is_none() || name.ends_with("Nav") || name == "__metadata",
                        "{kind:?} has no {name}"
                    );
                    continue;
                };
                let found = match inner {
                    Value::Null => "null",
                    Value::Bool(_) => "boolean",
                    Value::Number(number) if number.is_i64() => "integer",
                    Value::Number(_) => "number",
                    Value::String(_) => "string",
                    _ => "navigation",
                };
                // A way that leads nowhere is null.
                let leads_nowhere = inner.is_null() && known[..] == ["navigation"];
                assert!(
                    leads_nowhere || known.iter().any(|one| one == found),
                    "{kind:?}: {name} is {found}, not {known:?}"
                );
                held += 1;
            }
        }
        _ => {}
    }
    held
}

#[tokio::test]
async fn every_row_keeps_the_facts_of_saps_specification() {
    let instance = Instance::new(60, &[]).await;
    instance
        .sweep("EmpJob?fromDate=1900-01-01&$expand=employmentNav,managerEmploymentNav,userNav")
        .await;
    instance.sweep("EmpEmployment?$expand=jobInfoNav").await;
    instance
        .sweep("EmpEmploymentTermination?$expand=employmentNav,jobInfoNav")
        .await;
    instance.sweep("PersonEmpTerminationInfo").await;
    let own: Value = serde_json::from_str(include_str!(
        "../../../../connectors/sap-successfactors/contract/facts.json"
    ))
    .unwrap();
    let mut documents = vec![facts(&own["entities"])];
    match std::env::var_os("MUSTER_VENDOR_SPECS") {
        Some(folder) => {
            let path = std::path::Path::new(&folder).join("sap-successfactors.json");
            let text = std::fs::read_to_string(path).unwrap();
            let document: Value = serde_json::from_str(&text).unwrap();
            documents.push(facts(&document["definitions"]));
        }
        None => println!("not run: SAP's own document, MUSTER_VENDOR_SPECS is not set"),
    }
    for document in documents {
        let mut held = 0;
        for exchange in instance.caller.sandbox.exchanges() {
            if exchange.path.starts_with("/odata") {
                let body = exchange.response_body.unwrap();
                held += hold(&document, &serde_json::from_str(&body).unwrap());
            }
        }
        assert!(held > 10_000, "{held}");
    }
}

/// What others have published of people: the properties that stand there.
#[tokio::test]
async fn published_people_have_the_same_properties() {
    let published: Value = serde_json::from_str(include_str!(
        "../../../../connectors/sap-successfactors/fixtures/published.json"
    ))
    .unwrap();
    let instance = Instance::new(20, &[]).await;
    for (entity, row) in [
        (
            "PerPerson",
            &published["PerPerson"]["answer"]["d"]["results"][0],
        ),
        ("PerPersonal", &published["PerPersonal"]["row"]),
    ] {
        let ours = instance.get(entity).await.json()["d"]["results"][0].clone();
        for (name, value) in row.as_object().unwrap() {
            let own = ours
                .get(name)
                .unwrap_or_else(|| panic!("{entity} has no {name}"));
            let same = match (value, own) {
                (Value::String(text), Value::String(own)) => {
                    text.starts_with("/Date(") == own.starts_with("/Date(")
                        && text.contains("+0000)") == own.contains("+0000)")
                }
                (Value::Null, _) | (_, Value::Null) => true,
                (value, own) => value.is_object() == own.is_object(),
            };
            assert!(same, "{entity}.{name}: {value} and {own}");
        }
    }
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
