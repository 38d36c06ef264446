//! A vendor's interface as facts, to hold requests and answers against.
//!
//! The same check runs on our own extract of a vendor's document (paths,
//! parameters, statuses, property names and types) and on the document itself.

mod elements;
mod operation;
mod schema;
mod violation;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;
use thiserror::Error;

use crate::address::{decoded, query_pairs};
use crate::exchange::Exchange;

pub use elements::Elements;
use operation::{Operation, Segment};
use schema::Schemas;
pub use violation::{Violation, ViolationKind};

/// A vendor's interface: what may be asked and what is answered.
pub struct Contract {
    /// The path in front of every operation (`v2`), as segments.
    base: Vec<String>,
    operations: Vec<Operation>,
    /// The form of every error body.
    error: Option<Validator>,
}

/// Why a document cannot be used as a contract.
#[derive(Debug, Error)]
pub enum ContractError {
    /// The text is no JSON.
    #[error("sandbox.contract.json: the contract is not readable as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// No `paths`.
    #[error(
        "sandbox.contract.paths: the document has no `paths` object; give an OpenAPI 3 document"
    )]
    NoPaths,
    /// No `components.schemas`.
    #[error(
        "sandbox.contract.schemas: the document has no `components.schemas`; give an OpenAPI 3 document"
    )]
    NoSchemas,
    /// A variable of a path is not declared.
    #[error("sandbox.contract.path-parameter: {path} does not declare its parameter `{name}`")]
    PathParameter {
        /// The path as the document writes it.
        path: String,
        /// The variable.
        name: String,
    },
    /// A status that is no number.
    #[error("sandbox.contract.status: {path} promises the status `{status}`, which is no number")]
    Status {
        /// The path as the document writes it.
        path: String,
        /// The status as the document writes it.
        status: String,
    },
    /// A schema does not compile.
    #[error("sandbox.contract.schema: a schema of the document cannot be used: {message}")]
    Schema {
        /// What the validator says.
        message: String,
    },
}

impl Contract {
    /// Reads an OpenAPI 3 document.
    ///
    /// # Errors
    /// When the text is no JSON or not such a document.
    pub fn load(json: &str) -> Result<Self, ContractError> {
        let document: Value = serde_json::from_str(json)?;
        let schemas = Schemas::of(&document)?;
        let paths = document
            .get("paths")
            .and_then(Value::as_object)
            .ok_or(ContractError::NoPaths)?;
        let mut operations = Vec::new();
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                operations.push(Operation::of(path, method, operation, &schemas)?);
            }
        }
        let server = document.pointer("/servers/0/url").and_then(Value::as_str);
        Ok(Self {
            base: server.map(base_path).unwrap_or_default(),
            operations,
            error: schemas.error_validator()?,
        })
    }

    /// Every way in which an exchange breaks the contract; none when it keeps it.
    ///
    /// An exchange that the vendor refused (status 400 and above) is judged by
    /// its answer's form alone: what was asked may be what was refused.
    pub fn check(&self, exchange: &Exchange) -> Vec<Violation> {
        let mut violations = Vec::new();
        if exchange.status >= 400 {
            self.check_error(exchange, &mut violations);
            return violations;
        }
        match self.operation(exchange) {
            None => violations.push(Violation::new(
                ViolationKind::UnknownOperation,
                "path",
                format!("no {} {}", exchange.method, exchange.path),
            )),
            Some((operation, path)) => {
                check_path(operation, &path, &mut violations);
                check_query(operation, &exchange.query, &mut violations);
                check_request(operation, exchange, &mut violations);
                check_answer(operation, exchange, &mut violations);
            }
        }
        violations
    }

    /// What an exchange asked for, judged apart from its answer: for a request
    /// that the vendor refused.
    pub fn check_request(&self, exchange: &Exchange) -> Vec<Violation> {
        let mut violations = Vec::new();
        match self.operation(exchange) {
            None => violations.push(Violation::new(
                ViolationKind::UnknownOperation,
                "path",
                format!("no {} {}", exchange.method, exchange.path),
            )),
            Some((operation, path)) => {
                check_path(operation, &path, &mut violations);
                check_query(operation, &exchange.query, &mut violations);
                check_request(operation, exchange, &mut violations);
            }
        }
        violations
    }

    /// The operation an exchange asked for, with the path behind the base.
    fn operation(&self, exchange: &Exchange) -> Option<(&Operation, Vec<String>)> {
        let segments: Vec<String> = exchange
            .path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(decoded)
            .collect();
        let path = segments.strip_prefix(self.base.as_slice())?.to_vec();
        self.operations
            .iter()
            .filter(|operation| operation.method == exchange.method)
            .filter_map(|operation| Some((operation.nearness(&path)?, operation)))
            .max_by_key(|(nearness, _)| *nearness)
            .map(|(_, operation)| (operation, path))
    }

    fn check_error(&self, exchange: &Exchange, violations: &mut Vec<Violation>) {
        let body = exchange.response_body.as_deref().unwrap_or_default();
        if let Some(value) = parsed(body, "answer", violations)
            && let Some(validator) = &self.error
        {
            check_value(validator, &value, "answer", violations);
        }
    }
}

/// The segments of the path of a server's address.
fn base_path(url: &str) -> Vec<String> {
    let path = url
        .split_once("://")
        .map_or(url, |(_, rest)| rest.split_once('/').map_or("", |(_, p)| p));
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .map(decoded)
        .collect()
}

fn check_path(operation: &Operation, path: &[String], violations: &mut Vec<Violation>) {
    for (segment, given) in operation.segments.iter().zip(path) {
        if let Segment::Variable(parameter) = segment
            && let Some(refusal) = parameter.refusal(given)
        {
            violations.push(Violation::new(
                ViolationKind::ParameterType,
                "path",
                format!("a variable of the path {refusal}"),
            ));
        }
    }
}

fn check_query(operation: &Operation, query: &str, violations: &mut Vec<Violation>) {
    let pairs = query_pairs(query);
    let mut seen: Vec<&str> = Vec::new();
    for (name, text) in &pairs {
        let place = format!("query.{name}");
        let Some(parameter) = operation.query.get(name) else {
            violations.push(Violation::new(
                ViolationKind::UnknownParameter,
                place,
                "the operation has no such parameter",
            ));
            continue;
        };
        if seen.contains(&name.as_str()) {
            violations.push(Violation::new(
                ViolationKind::RepeatedParameter,
                place.clone(),
                "given more than once",
            ));
        }
        seen.push(name);
        if let Some(refusal) = parameter.refusal(text) {
            violations.push(Violation::new(ViolationKind::ParameterType, place, refusal));
        }
    }
    for (name, parameter) in &operation.query {
        if parameter.required && !seen.contains(&name.as_str()) {
            violations.push(Violation::new(
                ViolationKind::MissingInput,
                format!("query.{name}"),
                "required",
            ));
        }
    }
}

fn check_request(operation: &Operation, exchange: &Exchange, violations: &mut Vec<Violation>) {
    match (&operation.request, exchange.request_body.as_deref()) {
        (None, None) => {}
        (None, Some(_)) => violations.push(Violation::new(
            ViolationKind::UnexpectedBody,
            "request",
            "the operation takes no body",
        )),
        (Some(_), None) => violations.push(Violation::new(
            ViolationKind::MissingInput,
            "request",
            "the operation needs a body",
        )),
        (Some(validator), Some(body)) => {
            if let Some(value) = parsed(body, "request", violations) {
                check_value(validator, &value, "request", violations);
            }
        }
    }
}

fn check_answer(operation: &Operation, exchange: &Exchange, violations: &mut Vec<Violation>) {
    let body = exchange.response_body.as_deref();
    // "Not modified" belongs to HTTP and is promised by no document; it has no body.
    let promised = match exchange.status {
        304 => Some(&None),
        status => operation.answers.get(&status),
    };
    match (promised, body) {
        (None, _) => violations.push(Violation::new(
            ViolationKind::UnknownStatus,
            "status",
            format!("{} is not promised", exchange.status),
        )),
        (Some(None), None) => {}
        (Some(None), Some(body)) => {
            if matches!(exchange.status, 204 | 304) {
                violations.push(Violation::new(
                    ViolationKind::UnexpectedBody,
                    "answer",
                    "there must be no body",
                ));
            } else {
                parsed(body, "answer", violations);
            }
        }
        (Some(Some(validator)), body) => {
            if let Some(value) = parsed(body.unwrap_or_default(), "answer", violations) {
                check_value(validator, &value, "answer", violations);
            }
        }
    }
}

fn parsed(body: &str, place: &str, violations: &mut Vec<Violation>) -> Option<Value> {
    match serde_json::from_str(body) {
        Ok(value) => Some(value),
        Err(error) => {
            violations.push(Violation::new(
                ViolationKind::NotJson,
                place,
                format!(
                    "no JSON at line {}, column {}",
                    error.line(),
                    error.column()
                ),
            ));
            None
        }
    }
}

fn check_value(validator: &Validator, value: &Value, place: &str, violations: &mut Vec<Violation>) {
    for error in validator.iter_errors(value) {
        // The value itself stays out of the message: it may be somebody's data.
        let (kind, message) = match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => (
                ViolationKind::UnknownProperty,
                format!("no such property: {}", unexpected.join(", ")),
            ),
            ValidationErrorKind::Required { property } => (
                ViolationKind::MissingField,
                format!("{property} is missing"),
            ),
            ValidationErrorKind::Type { .. } => {
                (ViolationKind::WrongType, error.masked().to_string())
            }
            ValidationErrorKind::Enum { .. } => {
                (ViolationKind::NotListed, error.masked().to_string())
            }
            _ => (ViolationKind::Other, error.masked().to_string()),
        };
        violations.push(Violation::new(
            kind,
            format!("{place}{}", error.instance_path()),
            message,
        ));
    }
}
