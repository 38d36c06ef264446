//! One operation of a contract: a method on a path, what it takes and what it answers.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::Value;

use super::ContractError;
use super::schema::Schemas;

/// A method on a path.
pub(super) struct Operation {
    pub(super) method: String,
    pub(super) segments: Vec<Segment>,
    pub(super) query: BTreeMap<String, Parameter>,
    /// The request's body; none when the operation takes none.
    pub(super) request: Option<Validator>,
    /// By status; without a validator the document promises no particular body.
    pub(super) answers: BTreeMap<u16, Option<Validator>>,
}

/// A piece of a path between two slashes.
pub(super) enum Segment {
    Literal(String),
    Variable(Parameter),
}

/// What a parameter must look like.
pub(super) struct Parameter {
    pub(super) required: bool,
    kind: ParameterKind,
}

enum ParameterKind {
    Text,
    Listed(Vec<String>),
    Integer,
    Number,
    Boolean,
}

impl Parameter {
    fn of(parameter: &Value) -> Self {
        let schema = parameter.get("schema").unwrap_or(&Value::Null);
        let listed = schema.get("enum").and_then(Value::as_array);
        let kind = match (listed, schema.get("type").and_then(Value::as_str)) {
            (Some(listed), _) => ParameterKind::Listed(
                listed
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
            ),
            (None, Some("integer")) => ParameterKind::Integer,
            (None, Some("number")) => ParameterKind::Number,
            (None, Some("boolean")) => ParameterKind::Boolean,
            (None, _) => ParameterKind::Text,
        };
        Self {
            required: parameter.get("required").and_then(Value::as_bool) == Some(true),
            kind,
        }
    }

    /// What the text should have been, when it is not that.
    pub(super) fn refusal(&self, text: &str) -> Option<String> {
        match &self.kind {
            ParameterKind::Text => None,
            ParameterKind::Listed(listed) => (!listed.iter().any(|value| value == text))
                .then(|| format!("must be one of {}", listed.join(", "))),
            ParameterKind::Integer => text
                .parse::<i64>()
                .is_err()
                .then(|| "must be an integer".to_owned()),
            ParameterKind::Number => text
                .parse::<f64>()
                .is_err()
                .then(|| "must be a number".to_owned()),
            ParameterKind::Boolean => {
                (!matches!(text, "true" | "false")).then(|| "must be true or false".to_owned())
            }
        }
    }
}

impl Operation {
    /// Reads one operation of an OpenAPI document.
    pub(super) fn of(
        path: &str,
        method: &str,
        operation: &Value,
        schemas: &Schemas,
    ) -> Result<Self, ContractError> {
        let parameters = operation
            .get("parameters")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let of_kind = |kind: &'static str| {
            parameters.iter().filter_map(move |parameter| {
                let name = parameter.get("name")?.as_str()?;
                (parameter.get("in")?.as_str()? == kind)
                    .then(|| (name.to_owned(), Parameter::of(parameter)))
            })
        };
        let mut in_path: BTreeMap<String, Parameter> = of_kind("path").collect();
        let segments = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| {
                let name = segment
                    .strip_prefix('{')
                    .and_then(|rest| rest.strip_suffix('}'));
                match name {
                    None => Ok(Segment::Literal(segment.to_owned())),
                    Some(name) => in_path.remove(name).map(Segment::Variable).ok_or_else(|| {
                        ContractError::PathParameter {
                            path: path.to_owned(),
                            name: name.to_owned(),
                        }
                    }),
                }
            })
            .collect::<Result<_, _>>()?;
        let request = operation
            .get("requestBody")
            .and_then(body_schema)
            .map(|schema| schemas.validator(schema))
            .transpose()?;
        let mut answers = BTreeMap::new();
        let responses = operation.get("responses").and_then(Value::as_object);
        for (status, answer) in responses.into_iter().flatten() {
            let status: u16 = status.parse().map_err(|_| ContractError::Status {
                path: path.to_owned(),
                status: status.clone(),
            })?;
            let validator = body_schema(answer)
                .map(|schema| schemas.validator(schema))
                .transpose()?;
            answers.insert(status, validator);
        }
        Ok(Self {
            method: method.to_ascii_uppercase(),
            segments,
            query: of_kind("query").collect(),
            request,
            answers,
        })
    }

    /// Whether this path is this operation's, and how many of its segments are literal
    /// (`/employee/list` is nearer to `/employee/list` than to `/employee/{id}`).
    pub(super) fn nearness(&self, path: &[String]) -> Option<usize> {
        if self.segments.len() != path.len() {
            return None;
        }
        let mut literal = 0;
        for (segment, given) in self.segments.iter().zip(path) {
            match segment {
                Segment::Literal(text) if text == given => literal += 1,
                Segment::Literal(_) => return None,
                Segment::Variable(_) => {}
            }
        }
        Some(literal)
    }
}

/// The schema of the JSON content of a request body or an answer.
fn body_schema(holder: &Value) -> Option<&Value> {
    holder
        .get("content")?
        .as_object()?
        .iter()
        .find(|(media_type, _)| media_type.starts_with("application/json"))
        .and_then(|(_, content)| content.get("schema"))
}
