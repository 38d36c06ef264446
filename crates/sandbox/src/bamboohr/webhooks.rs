//! Webhooks as they are kept. The simulator sends none: the vendor calls only
//! addresses with https.

use serde_json::{Map, Value, json};

use crate::stage::secret;
use crate::wire::{Answer, WireRequest};

use super::fields::FIELDS;
use super::{BambooHr, Refusal};

/// Digits of the key a webhook is signed with.
const KEY_DIGITS: usize = 32;
/// What a webhook hears of when it does not say.
const DEFAULT_EVENTS: [&str; 3] = [
    "employee_with_fields.updated",
    "employee_with_fields.deleted",
    "employee_with_fields.created",
];

pub(super) fn answer(
    account: &mut BambooHr,
    request: &WireRequest,
    method: &str,
    path: &[&str],
) -> Result<Answer, Refusal> {
    match (method, path) {
        ("GET", []) => Ok(Answer::json(200, &json!({"webhooks": account.webhooks}))),
        ("POST", []) => {
            let number = account.webhooks.len() + 1;
            let webhook = webhook(request, number)?;
            account.webhooks.push(webhook.clone());
            let mut shown = webhook;
            let key = secret(
                account.stage.seed,
                &format!("bamboohr.webhook.{number}"),
                KEY_DIGITS,
            );
            if let Some(shown) = shown.as_object_mut() {
                shown.insert("privateKey".to_owned(), json!(key));
            }
            Ok(Answer::json(201, &shown))
        }
        ("GET", ["monitor_fields"]) => {
            let fields: Vec<Value> = FIELDS
                .iter()
                .map(|field| json!({"id": field.number, "name": field.name, "alias": field.alias}))
                .collect();
            Ok(Answer::json(200, &json!({"fields": fields})))
        }
        ("GET" | "DELETE", [id]) => {
            let at = account
                .webhooks
                .iter()
                .position(|webhook| webhook.get("id").and_then(Value::as_str) == Some(id))
                .ok_or(Refusal::of(404, "Webhook not found"))?;
            if method == "DELETE" {
                account.webhooks.remove(at);
                return Ok(Answer::empty(200));
            }
            let webhook = account.webhooks.get(at).cloned().unwrap_or_default();
            Ok(Answer::json(200, &webhook))
        }
        _ => Err(Refusal::of(404, "Not found")),
    }
}

fn webhook(request: &WireRequest, number: usize) -> Result<Value, Refusal> {
    let body: Map<String, Value> = serde_json::from_slice(&request.body)
        .map_err(|_| Refusal::of(400, "The request body is not a JSON object"))?;
    let is_secure = body
        .get("url")
        .and_then(Value::as_str)
        .is_some_and(|url| url.starts_with("https://"));
    if !is_secure || !body.contains_key("name") {
        return Err(Refusal::of(400, "A name and an https url are required"));
    }
    let given = |name: &str, default: Value| body.get(name).cloned().unwrap_or(default);
    Ok(json!({
        "id": number.to_string(), "name": given("name", Value::Null),
        "created": "2025-01-01 00:00:00", "lastSent": null,
        "events": given("events", json!(DEFAULT_EVENTS)),
        "monitorFields": given("monitorFields", json!([])),
        "postFields": given("postFields", json!({})), "url": given("url", Value::Null),
        "format": given("format", json!("json")),
        "includeCompanyDomain": given("includeCompanyDomain", json!(false)),
    }))
}
