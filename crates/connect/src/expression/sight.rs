//! What an expression could see of a part of its variable, told before it runs.
//!
//! Told with caution: what cannot be told is seen.

use cel::common::ast::operators as op;
use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};

/// Could the expression see what stands at a way of names in a variable, beyond that it
/// is there and no null?
pub(super) fn sees(tree: &IdedExpr, variable: &str, way: &[String]) -> bool {
    if let Some(names) = names(tree, variable) {
        // A value that holds the place, is the place, or is in it.
        return names.iter().zip(way).all(|(one, other)| one == other);
    }
    let sees = |tree: &IdedExpr| sees(tree, variable, way);
    let inside = |names: &[&str], depth: usize| {
        names.len() >= depth && names.iter().zip(way).all(|(one, other)| one == other)
    };
    match &tree.expr {
        Expr::Literal(_) | Expr::Ident(_) => false,
        // Whether a member is there, of what may stand around the place.
        Expr::Select(select) => match names(&select.operand, variable) {
            Some(names) => inside(&names, way.len()),
            None => sees(&select.operand),
        },
        Expr::List(list) => list.elements.iter().any(sees),
        Expr::Map(map) => map.entries.iter().any(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => sees(&entry.key) || sees(&entry.value),
            EntryExpr::StructField(_) => true,
        }),
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            (op::IN, [one, of]) => {
                let among = match names(of, variable) {
                    Some(names) => inside(&names, way.len()),
                    None => sees(of),
                };
                among || sees(one)
            }
            (op::EQUALS | op::NOT_EQUALS, [one, null] | [null, one]) if is_null(null) => {
                match names(one, variable) {
                    Some(names) => inside(&names, way.len() + 1),
                    None => sees(one),
                }
            }
            (_, arguments) => {
                let target = call.target.iter().map(AsRef::as_ref);
                target.chain(arguments).any(sees)
            }
        },
        Expr::Comprehension(comprehension) => [
            &comprehension.iter_range,
            &comprehension.accu_init,
            &comprehension.loop_cond,
            &comprehension.loop_step,
            &comprehension.result,
        ]
        .into_iter()
        .any(sees),
        Expr::Struct(_) | Expr::Unspecified => true,
    }
}

fn is_null(tree: &IdedExpr) -> bool {
    matches!(tree.expr, Expr::Literal(LiteralValue::Null))
}

/// The names that lead from a variable to a value, where it is made of names alone.
fn names<'t>(tree: &'t IdedExpr, variable: &str) -> Option<Vec<&'t str>> {
    match &tree.expr {
        Expr::Ident(name) => (name == variable).then(Vec::new),
        Expr::Select(select) if !select.test => {
            let mut names = names(&select.operand, variable)?;
            names.push(&select.field);
            Some(names)
        }
        Expr::Call(call) if call.func_name == op::INDEX => match call.args.as_slice() {
            [of, index] => {
                let Expr::Literal(LiteralValue::String(name)) = &index.expr else {
                    return None;
                };
                let mut names = names(of, variable)?;
                names.push(name.inner());
                Some(names)
            }
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::expression::Expression;

    #[test]
    fn what_is_asked_beside_the_rows_is_told_from_what_is_asked_of_them() {
        let way = ["data".to_owned(), "rows".to_owned()];
        for (text, expected) in [
            ("'rows' in answer.data", false),
            ("!('data' in answer || 'token' in answer)", false),
            ("has(answer.data.rows)", false),
            ("answer.data.rows == null", false),
            ("null != answer['data']", false),
            (
                "answer.error.code == 'x' || filled(answer.data.error)",
                false,
            ),
            ("answer.errors.exists(e, e.code == 1)", false),
            ("status == 200 && code == 'rows'", false),
            ("answer.data.rows == []", true),
            ("size(answer.data.rows) == 0", true),
            ("answer.data.rows[0].error != null", true),
            ("answer.data.rows.first == null", true),
            ("has(answer.data.rows.first)", true),
            ("1 in answer.data.rows", true),
            ("filled(answer.data)", true),
            ("answer[code].rows == 1", true),
            ("answer.data[code] == null", true),
            ("answer.data.rows.exists(e, e.error == 1)", true),
            ("{'a': answer}.a.b == 1", true),
        ] {
            let written = Expression::compile(text, &["answer", "status", "code"]).unwrap();
            assert_eq!(written.sees("answer", &way), expected, "{text}");
        }
        let all = Expression::compile("'error' in answer", &["answer"]).unwrap();
        assert!(all.sees("answer", &[]), "the answer is the list");
    }
}
