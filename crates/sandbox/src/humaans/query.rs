//! The query language of Feathers: `$limit`, `$skip`, equality and operators.

use serde_json::Value;

use crate::wire::WireRequest;

use super::Refusal;
use super::render::text_of;

/// Rows in an answer where nobody says how many.
const DEFAULT_LIMIT: usize = 100;
/// The most rows in an answer: what a client that works asks for.
const MOST: usize = 250;

/// What a list is asked for.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) limit: usize,
    pub(super) skip: usize,
    conditions: Vec<Condition>,
}

#[derive(Debug)]
struct Condition {
    field: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Greater,
    AtLeast,
    Less,
    AtMost,
}

impl Query {
    /// Reads the parameters of a list whose records have these fields.
    pub(super) fn of(request: &WireRequest, fields: &[&str]) -> Result<Self, Refusal> {
        let mut query = Self {
            limit: DEFAULT_LIMIT,
            skip: 0,
            conditions: Vec::new(),
        };
        for (name, value) in request.parameters() {
            match name.as_str() {
                "$limit" => {
                    let limit: usize = value.parse().map_err(|_| Refusal::invalid("$limit"))?;
                    query.limit = limit.min(MOST);
                }
                "$skip" => query.skip = value.parse().map_err(|_| Refusal::invalid("$skip"))?,
                _ => query.add(&name, value, fields)?,
            }
        }
        Ok(query)
    }

    fn add(&mut self, name: &str, value: String, fields: &[&str]) -> Result<(), Refusal> {
        let (field, behind) = name.split_once('[').unwrap_or((name, ""));
        let operator = match behind.trim_end_matches("[]").trim_end_matches(']') {
            "" | "$in" => Operator::In,
            "$nin" => Operator::NotIn,
            "$gt" => Operator::Greater,
            "$gte" => Operator::AtLeast,
            "$lt" => Operator::Less,
            "$lte" => Operator::AtMost,
            _ => return Err(Refusal::invalid(name)),
        };
        if !fields.contains(&field) {
            return Err(Refusal::invalid(name));
        }
        let known = self
            .conditions
            .iter_mut()
            .find(|one| one.field == field && one.operator == operator);
        match known {
            Some(known) => known.values.push(value),
            None => self.conditions.push(Condition {
                field: field.to_owned(),
                operator,
                values: vec![value],
            }),
        }
        Ok(())
    }

    /// What the list is called: the same conditions keep the same records.
    pub(super) fn name(&self) -> String {
        format!("{:?}", self.conditions)
    }

    pub(super) fn is_plain(&self) -> bool {
        self.conditions.is_empty()
    }

    /// The values that a field must have, when the query names them.
    pub(super) fn named(&self, field: &str) -> Option<&[String]> {
        self.conditions
            .iter()
            .find(|one| one.field == field && one.operator == Operator::In)
            .map(|one| one.values.as_slice())
    }

    /// Whether a record passes.
    pub(super) fn keeps(&self, record: &Value) -> bool {
        self.conditions.iter().all(|one| {
            let said = text_of(record.get(&one.field));
            let mut values = one.values.iter();
            match one.operator {
                Operator::In => values.any(|value| *value == said),
                Operator::NotIn => values.all(|value| *value != said),
                Operator::Greater => values.all(|value| said > *value),
                Operator::AtLeast => values.all(|value| said >= *value),
                Operator::Less => values.all(|value| said < *value),
                Operator::AtMost => values.all(|value| said <= *value),
            }
        })
    }
}
