//! From the schemas of an OpenAPI document to strict JSON Schema validators.

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::ContractError;

/// Where an OpenAPI document keeps its schemas, and where JSON Schema does.
const OPENAPI_PREFIX: &str = "#/components/schemas/";
const DEFS_PREFIX: &str = "#/$defs/";

/// What a list answer always carries.
const LIST_ENVELOPE: [&str; 5] = ["fullResultSize", "from", "count", "versionDigest", "values"];
/// What an error body always carries, null or not.
const ERROR_FIELDS: [&str; 4] = ["status", "code", "message", "validationMessages"];

/// The schemas of one document, made strict.
///
/// Strict means: an object has no property that the document does not name, a
/// list envelope has all its fields, a single envelope its value. Null is
/// accepted wherever the document gives a type, because recorded answers have
/// nulls in properties that the document does not call nullable; only the
/// fields of an envelope cannot be null.
pub(super) struct Schemas {
    defs: Map<String, Value>,
}

impl Schemas {
    /// Takes `components.schemas` of an OpenAPI document.
    pub(super) fn of(document: &Value) -> Result<Self, ContractError> {
        let schemas = document
            .pointer("/components/schemas")
            .and_then(Value::as_object)
            .ok_or(ContractError::NoSchemas)?;
        let mut defs = Map::new();
        for (name, schema) in schemas {
            let mut strict = strict(schema);
            require_envelope(&mut strict);
            if name == "ApiError" {
                require(&mut strict, &ERROR_FIELDS);
                forbid_null(&mut strict, &["status", "message"]);
            }
            defs.insert(name.clone(), strict);
        }
        Ok(Self { defs })
    }

    /// A validator for a schema of the document; null itself is refused.
    pub(super) fn validator(&self, schema: &Value) -> Result<Validator, ContractError> {
        let mut root = not_null(strict(schema));
        if let Some(object) = root.as_object_mut() {
            object.insert("$defs".to_owned(), Value::Object(self.defs.clone()));
        }
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .build(&root)
            .map_err(|error| ContractError::Schema {
                message: error.to_string(),
            })
    }

    /// A validator for error bodies, when the document has their schema.
    pub(super) fn error_validator(&self) -> Result<Option<Validator>, ContractError> {
        if !self.defs.contains_key("ApiError") {
            return Ok(None);
        }
        self.validator(&json!({"$ref": format!("{OPENAPI_PREFIX}ApiError")}))
            .map(Some)
    }
}

/// One schema, with what it says made strict and what it does not say left open.
fn strict(schema: &Value) -> Value {
    let Some(object) = schema.as_object() else {
        return schema.clone();
    };
    if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
        let name = reference.strip_prefix(OPENAPI_PREFIX).unwrap_or(reference);
        return json!({"$ref": format!("{DEFS_PREFIX}{name}")});
    }
    let mut result = Map::new();
    if let Some(kind) = object.get("type") {
        result.insert("type".to_owned(), json!([kind, "null"]));
    }
    if let Some(Value::Array(listed)) = object.get("enum") {
        let mut listed = listed.clone();
        listed.push(Value::Null);
        result.insert("enum".to_owned(), Value::Array(listed));
    }
    for bound in ["minimum", "maximum"] {
        if let Some(limit) = object.get(bound) {
            result.insert(bound.to_owned(), limit.clone());
        }
    }
    if let Some(items) = object.get("items") {
        result.insert("items".to_owned(), strict(items));
    }
    if let Some(Value::Object(properties)) = object.get("properties") {
        let properties: Map<String, Value> = properties
            .iter()
            .map(|(name, schema)| (name.clone(), strict(schema)))
            .collect();
        result.insert("properties".to_owned(), Value::Object(properties));
        let others = object
            .get("additionalProperties")
            .map_or(Value::Bool(false), strict);
        result.insert("additionalProperties".to_owned(), others);
    } else if let Some(others) = object.get("additionalProperties") {
        result.insert("additionalProperties".to_owned(), strict(others));
    }
    Value::Object(result)
}

/// Makes the fields of an envelope required and never null, if this is one.
fn require_envelope(schema: &mut Value) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    let fields: &[&str] = if LIST_ENVELOPE
        .iter()
        .all(|name| properties.contains_key(*name))
    {
        &LIST_ENVELOPE
    } else if properties.len() == 1 && properties.contains_key("value") {
        &["value"]
    } else {
        return;
    };
    require(schema, fields);
    forbid_null(schema, fields);
}

fn require(schema: &mut Value, fields: &[&str]) {
    if let Some(object) = schema.as_object_mut() {
        object.insert("required".to_owned(), json!(fields));
    }
}

fn forbid_null(schema: &mut Value, fields: &[&str]) {
    for field in fields {
        if let Some(property) = schema.pointer_mut(&format!("/properties/{field}")) {
            *property = not_null(property.take());
        }
    }
}

/// The same schema, null refused.
fn not_null(mut schema: Value) -> Value {
    let Some(object) = schema.as_object_mut() else {
        return schema;
    };
    match object.get("type").and_then(Value::as_array) {
        Some(types) => {
            let types: Vec<Value> = types
                .iter()
                .filter(|kind| kind.as_str() != Some("null"))
                .cloned()
                .collect();
            object.insert("type".to_owned(), Value::Array(types));
        }
        // A reference: what it points to may be null elsewhere, not here.
        None => {
            object.insert(
                "type".to_owned(),
                json!(["object", "array", "string", "number", "boolean"]),
            );
        }
    }
    schema
}
