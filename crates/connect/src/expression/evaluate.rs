//! Running an expression over JSON, without copying what is only looked at.

use std::borrow::Cow;
use std::collections::BTreeMap;

use cel::common::ast::operators as op;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue};
use regex::Regex;
use serde_json::Value as Json;

use super::{Fault, functions};

/// Steps of one evaluation.
const MOST_STEPS: u32 = 50_000;
/// Bytes of a text that is made.
pub(super) const LONGEST_TEXT: usize = 64 * 1024;
/// Elements of a list that is made.
const LONGEST_LIST: usize = 10_000;
/// Bytes of text that a step copies.
const BYTES_A_STEP: usize = 256;

/// What the variables of an expression stand for.
#[derive(Clone, Default)]
pub(crate) struct Scope<'a>(Vec<(&'a str, &'a Json)>);

impl<'a> Scope<'a> {
    /// No variables.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// With a variable; a later one of the same name counts.
    pub(crate) fn with(mut self, name: &'a str, value: &'a Json) -> Self {
        self.set(name, value);
        self
    }

    /// Sets a variable.
    pub(crate) fn set(&mut self, name: &'a str, value: &'a Json) {
        self.0.push((name, value));
    }

    /// The value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Json> {
        let found = self.0.iter().rev().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value)
    }
}

pub(super) fn run(
    tree: &IdedExpr,
    patterns: &BTreeMap<String, Regex>,
    scope: &Scope<'_>,
) -> Result<Json, Fault> {
    let mut machine = Machine {
        scope,
        patterns,
        bound: Vec::new(),
        steps: MOST_STEPS,
    };
    machine.run(tree).map(Cow::into_owned)
}

struct Machine<'a, 's> {
    scope: &'s Scope<'a>,
    patterns: &'s BTreeMap<String, Regex>,
    bound: Vec<(&'s str, Cow<'a, Json>)>,
    steps: u32,
}

type Answer<'a> = Result<Cow<'a, Json>, Fault>;

const NOTHING: Cow<'static, Json> = Cow::Owned(Json::Null);

impl<'a, 's> Machine<'a, 's> {
    fn run(&mut self, tree: &'s IdedExpr) -> Answer<'a> {
        self.spend(1)?;
        match &tree.expr {
            Expr::Literal(literal) => Ok(Cow::Owned(constant(literal)?)),
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => {
                let of = self.run(&select.operand)?;
                let found = member(of, &select.field);
                Ok(if select.test {
                    Cow::Owned(Json::Bool(!found.is_null()))
                } else {
                    found
                })
            }
            Expr::List(list) => {
                let mut made = Vec::with_capacity(list.elements.len());
                for element in &list.elements {
                    let element = self.run(element)?;
                    made.push(self.own(element)?);
                }
                Ok(Cow::Owned(Json::Array(made)))
            }
            Expr::Map(map) => {
                let mut made = serde_json::Map::new();
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else {
                        return Err(Fault::Kind);
                    };
                    let key = functions::text(&*self.run(&entry.key)?)?.ok_or(Fault::Kind)?;
                    let value = self.run(&entry.value)?;
                    made.insert(key, self.own(value)?);
                }
                Ok(Cow::Owned(Json::Object(made)))
            }
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(comprehension) => self.comprehend(comprehension),
            Expr::Struct(_) | Expr::Unspecified => Err(Fault::Kind),
        }
    }

    fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        let steps = u32::try_from(steps).map_err(|_| Fault::Limit)?;
        self.steps = self.steps.checked_sub(steps).ok_or(Fault::Limit)?;
        Ok(())
    }

    /// A copy costs what it weighs.
    fn own(&mut self, value: Cow<'a, Json>) -> Result<Json, Fault> {
        if let Cow::Borrowed(borrowed) = &value {
            self.spend(weight(borrowed))?;
        }
        Ok(value.into_owned())
    }

    fn variable(&mut self, name: &str) -> Answer<'a> {
        let bound = self.bound.iter().rev().find(|(known, _)| *known == name);
        if let Some((_, value)) = bound {
            return match value {
                Cow::Borrowed(value) => Ok(Cow::Borrowed(*value)),
                Cow::Owned(value) => {
                    let copy = value.clone();
                    self.spend(weight(&copy))?;
                    Ok(Cow::Owned(copy))
                }
            };
        }
        Ok(self.scope.get(name).map_or(NOTHING, Cow::Borrowed))
    }

    fn condition(&mut self, tree: &'s IdedExpr) -> Result<bool, Fault> {
        match &*self.run(tree)? {
            Json::Bool(holds) => Ok(*holds),
            Json::Null => Ok(false),
            _ => Err(Fault::Kind),
        }
    }

    fn call(&mut self, call: &'s CallExpr) -> Answer<'a> {
        let truth = |holds: bool| Ok(Cow::Owned(Json::Bool(holds)));
        match (call.func_name.as_str(), call.args.as_slice()) {
            (op::CONDITIONAL, [condition, then, otherwise]) => {
                let chosen = if self.condition(condition)? {
                    then
                } else {
                    otherwise
                };
                self.run(chosen)
            }
            (op::LOGICAL_AND, [one, two]) => truth(self.condition(one)? && self.condition(two)?),
            (op::LOGICAL_OR, [one, two]) => truth(self.condition(one)? || self.condition(two)?),
            (op::LOGICAL_NOT, [one]) => truth(!self.condition(one)?),
            (op::NOT_STRICTLY_FALSE, [one]) => truth(self.condition(one)?),
            (op::INDEX, [of, index]) => {
                let of = self.run(of)?;
                let index = self.run(index)?;
                Ok(match &*index {
                    Json::String(name) => member(of, name),
                    Json::Number(number) => {
                        let place = number.as_u64().and_then(|n| usize::try_from(n).ok());
                        place.map_or(NOTHING, |place| element(of, place))
                    }
                    _ => NOTHING,
                })
            }
            _ => {
                let mut arguments = Vec::with_capacity(call.args.len() + 1);
                for part in call.target.iter().map(AsRef::as_ref).chain(&call.args) {
                    arguments.push(self.run(part)?);
                }
                let of: usize = arguments.iter().map(|argument| weight(argument)).sum();
                self.spend(of)?;
                functions::apply(&call.func_name, arguments, self.patterns)
            }
        }
    }

    fn comprehend(&mut self, over: &'s ComprehensionExpr) -> Answer<'a> {
        let range = self.run(&over.iter_range)?;
        let elements: Vec<Cow<'a, Json>> = match range {
            Cow::Borrowed(Json::Array(list)) => list.iter().map(Cow::Borrowed).collect(),
            Cow::Owned(Json::Array(list)) => list.into_iter().map(Cow::Owned).collect(),
            Cow::Borrowed(Json::Object(map)) => map
                .keys()
                .map(|key| Cow::Owned(Json::String(key.clone())))
                .collect(),
            Cow::Owned(Json::Object(map)) => map
                .into_iter()
                .map(|(key, _)| Cow::Owned(Json::String(key)))
                .collect(),
            ref other if other.is_null() => Vec::new(),
            _ => return Err(Fault::Kind),
        };
        let mut gathered = self.run(&over.accu_init)?.into_owned();
        for element in elements {
            self.spend(1)?;
            self.bound.push((&over.iter_var, element));
            // `map` and `filter` add one element to what they gathered: done in
            // place, because a copy at each step would cost the square.
            let step = if let Some((condition, added)) = appended(over) {
                let wanted = match condition {
                    Some(condition) => self.condition(condition)?,
                    None => true,
                };
                if wanted {
                    let added = self.run(added)?;
                    let added = self.own(added)?;
                    let Json::Array(list) = &mut gathered else {
                        return Err(Fault::Kind);
                    };
                    if list.len() == LONGEST_LIST {
                        return Err(Fault::Limit);
                    }
                    list.push(added);
                }
                None
            } else {
                self.bound
                    .push((&over.accu_var, Cow::Owned(gathered.clone())));
                let goes_on = self.condition(&over.loop_cond)?;
                let step = match goes_on {
                    true => Some(self.run(&over.loop_step)?.into_owned()),
                    false => None,
                };
                self.bound.pop();
                if !goes_on {
                    self.bound.pop();
                    break;
                }
                step
            };
            self.bound.pop();
            if let Some(step) = step {
                gathered = step;
            }
        }
        self.bound.push((&over.accu_var, Cow::Owned(gathered)));
        let result = self.run(&over.result);
        self.bound.pop();
        result
    }
}

/// The one element that a step of `map` or `filter` adds, and on what condition.
fn appended(over: &ComprehensionExpr) -> Option<(Option<&IdedExpr>, &IdedExpr)> {
    let added = |expr: &'_ IdedExpr| -> bool {
        matches!(&expr.expr, Expr::Call(call)
            if call.func_name == op::ADD
                && matches!(call.args.as_slice(), [IdedExpr { expr: Expr::Ident(name), .. },
                    IdedExpr { expr: Expr::List(list), .. }]
                    if *name == over.accu_var && list.elements.len() == 1))
    };
    let element = |expr: &'_ IdedExpr| -> Option<()> { added(expr).then_some(()) };
    match &over.loop_step.expr {
        Expr::Call(call) if call.func_name == op::CONDITIONAL => {
            let [condition, then, _] = call.args.as_slice() else {
                return None;
            };
            element(then)?;
            Some((Some(condition), only_element(then)?))
        }
        _ => {
            element(&over.loop_step)?;
            Some((None, only_element(&over.loop_step)?))
        }
    }
}

fn only_element(expr: &IdedExpr) -> Option<&IdedExpr> {
    let Expr::Call(call) = &expr.expr else {
        return None;
    };
    let Expr::List(list) = &call.args.get(1)?.expr else {
        return None;
    };
    list.elements.first()
}

fn constant(literal: &LiteralValue) -> Result<Json, Fault> {
    Ok(match literal {
        LiteralValue::Boolean(value) => Json::Bool(*value.inner()),
        LiteralValue::Int(value) => (*value.inner()).into(),
        LiteralValue::UInt(value) => (*value.inner()).into(),
        LiteralValue::Double(value) => (*value.inner()).into(),
        LiteralValue::String(value) => Json::String(value.inner().to_owned()),
        LiteralValue::Null => Json::Null,
        LiteralValue::Bytes(_) => return Err(Fault::Kind),
    })
}

fn member<'a>(of: Cow<'a, Json>, name: &str) -> Cow<'a, Json> {
    match of {
        Cow::Borrowed(value) => value.get(name).map_or(NOTHING, Cow::Borrowed),
        Cow::Owned(Json::Object(mut map)) => map.swap_remove(name).map_or(NOTHING, Cow::Owned),
        Cow::Owned(_) => NOTHING,
    }
}

fn element(of: Cow<'_, Json>, place: usize) -> Cow<'_, Json> {
    match of {
        Cow::Borrowed(value) => value.get(place).map_or(NOTHING, Cow::Borrowed),
        Cow::Owned(Json::Array(list)) => list.into_iter().nth(place).map_or(NOTHING, Cow::Owned),
        Cow::Owned(_) => NOTHING,
    }
}

/// What a copy of a value costs, in steps.
fn weight(value: &Json) -> usize {
    match value {
        Json::String(text) => 1 + text.len() / BYTES_A_STEP,
        Json::Array(list) => 1 + list.iter().map(weight).sum::<usize>(),
        Json::Object(map) => 1 + map.values().map(weight).sum::<usize>(),
        _ => 1,
    }
}

/// A list that was made, if it is not too long.
pub(super) fn bounded(list: Vec<Json>) -> Result<Json, Fault> {
    if list.len() > LONGEST_LIST {
        return Err(Fault::Limit);
    }
    Ok(Json::Array(list))
}
