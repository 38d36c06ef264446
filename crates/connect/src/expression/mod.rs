//! Expressions of a manifest: the grammar of CEL, run with limits.
//!
//! The grammar and its macros are those of the crate `cel`. What runs them is
//! here, for three reasons: an administrator's expression must not be able to
//! take the machine (each evaluation has fuel, and each value a largest size;
//! the crate has neither), a million rows must not be copied into another kind
//! of value before anything is read from them, and silence must be harmless:
//!
//! > What is not there is null, and what is made of null is null. Only `==`,
//! > `!=`, `in`, `has`, `filled` and `first` tell null from something.
//!
//! | Limit | Value | Why |
//! |---|---|---|
//! | length of an expression | 2,000 characters | a longer one wants to be two |
//! | depth | 32 | nobody reads more |
//! | steps of one evaluation | 50,000 | a few milliseconds |
//! | a text | 64 KiB | no field is longer |
//! | a list that is made | 10,000 | the memory of one row |

mod evaluate;
mod functions;
mod sight;
mod template;

use std::collections::{BTreeMap, BTreeSet};

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};
use cel::parser::Parser;
use regex::Regex;
use serde_json::Value as Json;

pub(crate) use evaluate::Scope;
pub(crate) use functions::{date as day, odata_milliseconds};
pub(crate) use template::{Escape, JsonTemplate, Template, percent_encoded};

/// Characters of an expression.
const LONGEST: usize = 2_000;
/// Depth of an expression.
const DEEPEST: u16 = 32;
/// Bytes of a compiled regular expression.
const LARGEST_PATTERN: usize = 64 * 1024;

/// An expression that can be run.
pub(crate) struct Expression {
    tree: IdedExpr,
    /// The patterns of `matches`, compiled once.
    patterns: BTreeMap<String, Regex>,
    /// Names that it reads of each variable: `row.email` gives row → email.
    reads: BTreeMap<String, BTreeSet<String>>,
    variables: BTreeSet<String>,
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotAnExpression {
    /// What is wrong.
    pub(crate) message: String,
    /// Characters before the place.
    pub(crate) at: usize,
}

/// Why an evaluation gave no value. Holds nothing of what was evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Values of kinds that do not go together.
    Kind,
    /// Too many steps, or a value too large.
    Limit,
    /// A text that is no number, date, JSON or Base64 where one belongs.
    Unreadable,
}

impl Fault {
    /// What it means, for people.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Kind => "it joins values of kinds that do not go together",
            Self::Limit => "it took too many steps or made too large a value",
            Self::Unreadable => "it read a text that is not of the form expected",
        }
    }
}

impl Expression {
    /// Compiles a text that may use these variables.
    pub(crate) fn compile(text: &str, variables: &[&str]) -> Result<Self, NotAnExpression> {
        let wrong = |message: String, at: usize| NotAnExpression { message, at };
        if text.chars().count() > LONGEST {
            return Err(wrong(
                format!("an expression has at most {LONGEST} characters"),
                LONGEST,
            ));
        }
        let tree = Parser::new()
            .max_recursion_depth(DEEPEST)
            .enable_optional_syntax(false)
            .parse(text)
            .map_err(|errors| {
                let Some(first) = errors.errors.first() else {
                    return wrong("this is no expression".to_owned(), 0);
                };
                let column = usize::try_from(first.pos.1).unwrap_or(1).saturating_sub(1);
                wrong(first.msg.clone(), column)
            })?;
        let mut survey = Survey {
            variables,
            bound: Vec::new(),
            patterns: BTreeMap::new(),
            reads: BTreeMap::new(),
            used: BTreeSet::new(),
            depth: 0,
        };
        survey.walk(&tree).map_err(|message| wrong(message, 0))?;
        Ok(Self {
            patterns: survey.patterns,
            reads: survey.reads,
            variables: survey.used,
            tree,
        })
    }

    /// Runs it.
    pub(crate) fn run(&self, scope: &Scope<'_>) -> Result<Json, Fault> {
        evaluate::run(&self.tree, &self.patterns, scope)
    }

    /// Runs it as a condition: null is no.
    pub(crate) fn holds(&self, scope: &Scope<'_>) -> Result<bool, Fault> {
        match self.run(scope)? {
            Json::Bool(holds) => Ok(holds),
            Json::Null => Ok(false),
            _ => Err(Fault::Kind),
        }
    }

    /// Does it use a variable at all?
    pub(crate) fn names(&self, variable: &str) -> bool {
        self.variables.contains(variable)
    }

    /// Could it see what stands at a way of names in a variable? That it is there, and
    /// no null, is told of an empty list as well, and is not seen.
    pub(crate) fn sees(&self, variable: &str, way: &[String]) -> bool {
        sight::sees(&self.tree, variable, way)
    }

    /// The names that it reads of a variable.
    pub(crate) fn reads(&self, variable: &str) -> impl Iterator<Item = &str> {
        let names = self.reads.get(variable);
        names.into_iter().flatten().map(String::as_str)
    }
}

/// Looks at a whole tree once, before anything runs.
struct Survey<'a> {
    variables: &'a [&'a str],
    bound: Vec<String>,
    patterns: BTreeMap<String, Regex>,
    reads: BTreeMap<String, BTreeSet<String>>,
    used: BTreeSet<String>,
    depth: u16,
}

impl Survey<'_> {
    fn walk(&mut self, tree: &IdedExpr) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST * 4 {
            return Err("the expression is nested too deeply".to_owned());
        }
        self.look(&tree.expr)?;
        self.depth -= 1;
        Ok(())
    }

    fn look(&mut self, expr: &Expr) -> Result<(), String> {
        match expr {
            Expr::Unspecified => Err("this is no expression".to_owned()),
            Expr::Struct(_) => Err("structures have no meaning here".to_owned()),
            Expr::Literal(LiteralValue::Bytes(_)) => Err("bytes have no meaning here".to_owned()),
            Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => {
                if let Expr::Ident(name) = &select.operand.expr {
                    self.read(name, &select.field);
                }
                self.walk(&select.operand)
            }
            Expr::List(list) => list.elements.iter().try_for_each(|one| self.walk(one)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.walk(&entry.key)?;
                    self.walk(&entry.value)
                }
                EntryExpr::StructField(_) => Err("structures have no meaning here".to_owned()),
            }),
            Expr::Call(call) => {
                let arguments = call.args.len() + usize::from(call.target.is_some());
                functions::known(&call.func_name, arguments)?;
                if let (Some(Expr::Ident(name)), Some(Expr::Literal(LiteralValue::String(text)))) = (
                    call.args.first().map(|one| &one.expr),
                    call.args.get(1).map(|one| &one.expr),
                ) {
                    self.read(name, text.inner());
                }
                if call.func_name == "matches" {
                    self.pattern(call.args.last())?;
                }
                let parts = call.target.iter().map(AsRef::as_ref).chain(&call.args);
                parts.into_iter().try_for_each(|part| self.walk(part))
            }
            Expr::Comprehension(comprehension) => {
                if comprehension.iter_var2.is_some() {
                    return Err("two variables have no meaning here".to_owned());
                }
                self.walk(&comprehension.iter_range)?;
                self.walk(&comprehension.accu_init)?;
                self.bound.push(comprehension.iter_var.clone());
                self.bound.push(comprehension.accu_var.clone());
                self.walk(&comprehension.loop_cond)?;
                self.walk(&comprehension.loop_step)?;
                self.walk(&comprehension.result)?;
                self.bound.truncate(self.bound.len().saturating_sub(2));
                Ok(())
            }
        }
    }

    fn variable(&mut self, name: &str) -> Result<(), String> {
        if self.bound.iter().any(|bound| bound == name) {
            return Ok(());
        }
        if self.variables.contains(&name) {
            self.used.insert(name.to_owned());
            return Ok(());
        }
        Err(format!(
            "there is nothing named `{name}` here; there is: {}",
            self.variables.join(", ")
        ))
    }

    fn read(&mut self, variable: &str, name: &str) {
        if !self.bound.iter().any(|bound| bound == variable) {
            let names = self.reads.entry(variable.to_owned()).or_default();
            names.insert(name.to_owned());
        }
    }

    /// A pattern that is made while running could cost anything.
    fn pattern(&mut self, written: Option<&IdedExpr>) -> Result<(), String> {
        let Some(Expr::Literal(LiteralValue::String(text))) = written.map(|one| &one.expr) else {
            return Err("`matches` takes a pattern written out in quotes".to_owned());
        };
        let built = regex::RegexBuilder::new(text.inner())
            .size_limit(LARGEST_PATTERN)
            .build();
        let pattern = built.map_err(|_| "the pattern of `matches` cannot be read".to_owned())?;
        self.patterns.insert(text.inner().to_owned(), pattern);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(text: &str, row: &Json) -> Result<Json, Fault> {
        let expression = Expression::compile(text, &["row", "it"]).unwrap();
        let it = row.get("it").cloned().unwrap_or(Json::Null);
        expression.run(&Scope::new().with("row", row).with("it", &it))
    }

    #[test]
    fn what_the_documentation_promises() {
        let row = json!({
            "first": "Kari", "last": "Hansen", "fte": 75000, "when": "2024-02-01T23:30:00Z",
            "emails": [{"type": "home", "address": "k@home.example"},
                       {"type": "work", "address": "kari@nordlys.example", "primary": true}],
            "text": "1,5", "one": {"a": 1}, "blank": " "
        });
        for (text, expected) in [
            ("row.first + ' ' + row.last", json!("Kari Hansen")),
            ("row.middle + 'x'", json!(null)),
            ("row.a.b.c", json!(null)),
            (
                "row.emails.filter(e, e.type == 'work')[0].address",
                json!("kari@nordlys.example"),
            ),
            ("row.emails.map(e, upper(e.type))", json!(["HOME", "WORK"])),
            ("row.emails.exists(e, e.primary == true)", json!(true)),
            ("row.emails.all(e, has(e.address))", json!(true)),
            (
                "row.emails.map(e, e.primary == true, e.type)",
                json!(["work"]),
            ),
            ("row.fte / 1000", json!(75)),
            ("row.fte / 1000.0 * 2", json!(150.0)),
            ("row.first == 'Kari' ? 1 : 2", json!(1)),
            ("row.nothing ? 1 : 2", json!(2)),
            ("first([row.nothing, row.blank, row.last])", json!("Hansen")),
            ("{'Kari': 'K'}[row.first]", json!("K")),
            ("row['last']", json!("Hansen")),
            ("'a' in ['a', 'b'] && !(3 in [1, 2])", json!(true)),
            (
                "row.first.startsWith('K') && row.first.matches('^[A-Z][a-z]+$')",
                json!(true),
            ),
            ("split('a-b-c', '-')[1]", json!("b")),
            ("join(['a', null, 'b'], ', ')", json!("a, b")),
            ("size(row.emails) == 2 && size('æø') == 2", json!(true)),
            ("list(row.one)", json!([{"a": 1}])),
            ("list(row.nothing)", json!([])),
            ("number(replace(row.text, ',', '.'))", json!(1.5)),
            ("date(row.when, 'UTC')", json!("2024-02-01")),
            ("date(row.when, 'Europe/Oslo')", json!("2024-02-02")),
            ("date('01/02/2024', '%d/%m/%Y')", json!("2024-02-01")),
            ("date('/Date(1704067200000)/', 'UTC')", json!("2024-01-01")),
            ("date(1704067200000, 'UTC')", json!("2024-01-01")),
            ("row.nothing < 3", json!(false)),
            ("text(12) + base64('a:b')", json!("12YTpi")),
            ("json('{\"a\": [1]}').a[0]", json!(1)),
            ("substring('Hansen', 0, 3)", json!("Han")),
            ("max(['2024-01-01', '2025-01-01'])", json!("2025-01-01")),
            (
                "nested(['id', 'a', 'a/b', 'c/d/e', 'a/f', 'id'])",
                json!("id,a(b,f),c(d(e))"),
            ),
            ("national('+4741234567', 'NO')", json!("41234567")),
            ("national('+4520123456', 'NO')", json!("+4520123456")),
            ("national('+4741234567', row.nothing)", json!("+4741234567")),
            ("national(row.nothing, 'NO')", json!(null)),
        ] {
            assert_eq!(run(text, &row), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_told_and_never_panics() {
        let row = json!({"text": "x", "list": [1, 2]});
        for text in [
            "row.text + 1",
            "row.text - 1",
            "number(row.text)",
            "1 / 0",
            "date('x', 'UTC')",
        ] {
            assert!(run(text, &row).is_err(), "{text}");
        }
        assert_eq!(run("row.list[9]", &row), Ok(Json::Null));
        assert_eq!(run("9223372036854775807 + 1", &row), Err(Fault::Limit));
    }

    #[test]
    fn an_expression_that_would_take_the_machine_ends() {
        let many: Vec<u32> = (0..1000).collect();
        let row = json!({"many": many, "long": "x".repeat(60_000)});
        assert_eq!(
            run(
                "row.many.map(a, row.many.map(b, row.many.map(c, a + b + c)))",
                &row
            ),
            Err(Fault::Limit)
        );
        assert_eq!(run("row.long + row.long", &row), Err(Fault::Limit));
        assert_eq!(run("row.many.map(a, row.long)", &row), Err(Fault::Limit));
    }

    #[test]
    fn what_cannot_be_run_is_refused_before_it_runs() {
        let deep = format!("{}1{}", "(".repeat(200), ")".repeat(200));
        let long = "1 + ".repeat(600) + "1";
        for text in [
            "",
            "row.",
            "rows.a",
            "open('file')",
            "row.a.matches(row.b)",
            "'a'.matches('(')",
            "b'a'",
            "Thing{a: 1}",
            "size(1, 2, 3)",
            &deep,
            &long,
        ] {
            assert!(Expression::compile(text, &["row"]).is_err(), "{text}");
        }
        let wrong = Expression::compile("row.a + ", &["row"]).err().unwrap();
        assert!(wrong.at >= 7, "{wrong:?}");
    }

    #[test]
    fn it_tells_what_it_reads() {
        let expression =
            Expression::compile("row.a + row['b'] + row.c.d + size(it.x)", &["row", "it"]).unwrap();
        let names: Vec<&str> = expression.reads("row").collect();
        assert_eq!(names, ["a", "b", "c"]);
    }
}
