//! Calls that come in: published ones, with published signatures.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use std::sync::Once;

use muster_connect::webhook::{Call, LARGEST_CALL, Speaks, receive};
use muster_connect::{ConnectorSettings, install};
use muster_model::ExternalId;
use secrecy::SecretString;
use serde_json::Value;
use support::TestClock;

const PUBLISHED: &str =
    include_str!("../../../connectors/bamboohr/fixtures/published-webhook.json");

const OWN: &str = r#"
title = "Nordlys HR"
summary = "An HR system that does not exist."
version = 1
confidence = "unverified"
account = "the host"
record_id_survives_rehire = true
read_by_id = "no"
dates = "civil dates"
administrator = ["Make a key."]
evidence = { level = "whole", end = "one answer" }
leaver = { shows = "absent", how = "the record is missing" }
base_urls = [{ title = "Production", url = "https://hr.nordlys.example" }]
company = { id = "{host}" }
secrets = [{ name = "key", meaning = "The key." }]
people = [{ request = { path = "/people" }, rows = "", id = "/id", paging = { none = {} } }]
authentication = [{ bearer = { token = "{secret.key}" } }]
fields = { given_name = "/name" }
"#;

const STANDARD: &str = r#"
[webhook.signature]
header = "webhook-signature"
encoding = "base64"
prefix = "v1,"
secret = "key"
key = "base64"
over = ["header:webhook-id", "text:.", "header:webhook-timestamp", "text:.", "body"]
time_header = "webhook-timestamp"
"#;

/// A folder with two connectors; the built-in ones stay.
fn installed() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let folder = std::env::temp_dir().join(format!("muster-webhooks-{}", std::process::id()));
        for (name, more) in [
            ("w-standard", STANDARD),
            (
                "w-token",
                "[webhook]\ntoken = { header = \"x-challenge\", secret = \"key\" }\n",
            ),
        ] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
            let text = format!("name = \"{name}\"{OWN}{more}");
            std::fs::write(folder.join(name).join("manifest.toml"), text).unwrap();
        }
        let installed = install(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(installed.map_err(|error| error.to_string()), Ok(2));
    });
}

struct Published {
    secret: String,
    headers: BTreeMap<String, String>,
    body: String,
}

fn published(name: &str) -> Published {
    installed();
    let all: Value = serde_json::from_str(PUBLISHED).unwrap();
    let one = &all[name];
    Published {
        secret: one["secret"].as_str().unwrap().to_owned(),
        headers: (one["headers"].as_object().unwrap().iter())
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect(),
        body: one["body"].as_str().unwrap().to_owned(),
    }
}

fn settings(now: &str, secret: &str, value: &str) -> ConnectorSettings {
    ConnectorSettings::new(TestClock::at(now)).secret(secret, SecretString::from(value))
}

fn told(
    connector: &str,
    settings: &ConnectorSettings,
    headers: &BTreeMap<String, String>,
    body: &[u8],
) -> Result<Speaks, String> {
    receive(connector, settings, &Call { headers, body }).map_err(|error| error.code().to_owned())
}

#[test]
fn the_published_call_of_bamboohr_is_proved_and_names_its_record() {
    let call = published("bamboohr");
    let minute_later = "2022-07-19T16:28:03Z";
    let good = settings(minute_later, "webhook_private_key", &call.secret);
    let ours = |headers: &BTreeMap<String, String>, body: &str| {
        told("bamboohr", &good, headers, body.as_bytes())
    };
    assert_eq!(
        ours(&call.headers, &call.body),
        Ok(Speaks::Of(vec![ExternalId::new("5")]))
    );
    // Any other body, time, signature or key is somebody else.
    let proof = Err("webhook.proof".to_owned());
    assert_eq!(
        ours(&call.headers, &call.body.replace("Tefi", "Tina")),
        proof
    );
    for (name, value) in [
        ("x-bamboohr-timestamp", "1658248024"),
        (
            "x-bamboohr-signature",
            "56491dd9c2b352bc5f4fc627159aae20ddff9c8cb19f239a6de6771dc5310bad",
        ),
        ("x-bamboohr-signature", ""),
        ("x-bamboohr-signature", "56491dd9"),
        ("x-bamboohr-signature", "é"),
    ] {
        let mut headers = call.headers.clone();
        headers.insert(name.to_owned(), value.to_owned());
        assert_eq!(ours(&headers, &call.body), proof, "{name}: {value}");
        headers.remove(name);
        assert_eq!(ours(&headers, &call.body), proof, "no {name}");
    }
    let wrong = settings(minute_later, "webhook_private_key", "another");
    assert_eq!(
        told("bamboohr", &wrong, &call.headers, call.body.as_bytes()),
        proof
    );
    // A call that is repeated an hour later, or comes from the future.
    for now in ["2022-07-19T17:27:03Z", "2022-07-19T15:27:03Z"] {
        let then = settings(now, "webhook_private_key", &call.secret);
        assert_eq!(
            told("bamboohr", &then, &call.headers, call.body.as_bytes()),
            Err("webhook.time".to_owned())
        );
    }
}

#[test]
fn the_published_call_of_standard_webhooks_is_proved() {
    let call = published("standard_webhooks");
    let good = settings("2021-02-25T15:03:00Z", "key", &call.secret);
    let ours = |signature: &str| {
        let mut headers = call.headers.clone();
        headers.insert("webhook-signature".to_owned(), signature.to_owned());
        told("w-standard", &good, &headers, call.body.as_bytes())
    };
    let signature = &call.headers["webhook-signature"];
    assert_eq!(ours(signature), Ok(Speaks::OfAll));
    // While a key is changed, the header lists several.
    assert_eq!(
        ours(&format!("v1,AAAA v2,BBBB {signature}")),
        Ok(Speaks::OfAll)
    );
    let proof = Err("webhook.proof".to_owned());
    assert_eq!(ours(signature.trim_start_matches("v1,")), proof);
    assert_eq!(ours(&format!("{}{signature}", "v1,AAAA ".repeat(8))), proof);
}

#[test]
fn a_token_is_compared_and_whoever_takes_no_calls_says_so() {
    installed();
    let good = settings("2025-01-01T12:00:00Z", "key", "hush");
    let with = |value: &str| BTreeMap::from([("x-challenge".to_owned(), value.to_owned())]);
    assert_eq!(
        told("w-token", &good, &with("hush"), b"anything"),
        Ok(Speaks::OfAll)
    );
    assert_eq!(
        told("w-token", &good, &with("hus"), b""),
        Err("webhook.proof".to_owned())
    );
    let none = ConnectorSettings::new(TestClock::at("2025-01-01T12:00:00Z"));
    assert_eq!(
        told("w-token", &none, &with("hush"), b""),
        Err("settings.missing".to_owned())
    );
    assert_eq!(
        told("workday", &none, &with("hush"), b""),
        Err("webhook.none".to_owned())
    );
    let large = vec![b' '; LARGEST_CALL + 1];
    assert_eq!(
        told("w-token", &good, &with("hush"), &large),
        Err("webhook.body".to_owned())
    );
}
