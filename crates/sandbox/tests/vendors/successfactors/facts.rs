//! Rows against what SAP and others have published.

use std::collections::BTreeMap;

use serde_json::Value;

use super::instance::Instance;

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
        "../../../../../connectors/sap-successfactors/contract/facts.json"
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
        "../../../../../connectors/sap-successfactors/fixtures/published.json"
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
