//! Texts with expressions in braces: `https://{setting.company}.vendor.example`.

use serde_json::Value as Json;

use super::functions::text;
use super::{Expression, Fault, NotAnExpression, Scope};

/// A text with expressions in it. `{{` and `}}` stand for braces.
pub(crate) struct Template(Vec<Part>);

enum Part {
    Text(String),
    Expression(Expression),
}

/// What is done with the values that go into a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escape {
    /// Nothing: headers, and whatever encodes by itself.
    None,
    /// For one segment of a path.
    Path,
    /// For the text of an XML element; objects and lists become elements.
    Xml,
}

impl Template {
    /// Compiles a text whose expressions may use these variables.
    pub(crate) fn compile(written: &str, variables: &[&str]) -> Result<Self, NotAnExpression> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = written;
        let at = |rest: &str| written.chars().count().saturating_sub(rest.chars().count());
        while let Some(first) = rest.chars().next() {
            let after = rest.get(first.len_utf8()..).unwrap_or_default();
            match first {
                '{' | '}' if after.starts_with(first) => {
                    plain.push(first);
                    rest = after.get(1..).unwrap_or_default();
                }
                '{' => {
                    let Some(end) = closing(after) else {
                        return Err(NotAnExpression {
                            message: "this brace is never closed; write {{ for a brace".to_owned(),
                            at: at(rest),
                        });
                    };
                    let inner = after.get(..end).unwrap_or_default();
                    let expression =
                        Expression::compile(inner, variables).map_err(|wrong| NotAnExpression {
                            at: at(after) + wrong.at,
                            ..wrong
                        })?;
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Part::Expression(expression));
                    rest = after.get(end + 1..).unwrap_or_default();
                }
                '}' => {
                    return Err(NotAnExpression {
                        message: "this brace was never opened; write }} for a brace".to_owned(),
                        at: at(rest),
                    });
                }
                other => {
                    plain.push(other);
                    rest = after;
                }
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// The whole text; `None` when one of its expressions gives null.
    pub(crate) fn render(
        &self,
        scope: &Scope<'_>,
        escape: Escape,
    ) -> Result<Option<String>, Fault> {
        let mut made = String::new();
        for part in &self.0 {
            match part {
                Part::Text(plain) => made.push_str(plain),
                Part::Expression(expression) => {
                    let value = expression.run(scope)?;
                    if escape == Escape::Xml && (value.is_array() || value.is_object()) {
                        made.push_str(&crate::xml::written(&value).ok_or(Fault::Kind)?);
                        continue;
                    }
                    let Some(value) = text(&value)? else {
                        return Ok(None);
                    };
                    match escape {
                        Escape::None => made.push_str(&value),
                        Escape::Path => made.push_str(&percent_encoded(&value)),
                        Escape::Xml => made.push_str(&quick_xml::escape::escape(&value)),
                    }
                }
            }
        }
        Ok(Some(made))
    }

    /// The value: that of its one expression as it is, else the text.
    pub(crate) fn value(&self, scope: &Scope<'_>) -> Result<Json, Fault> {
        if let [Part::Expression(expression)] = self.0.as_slice() {
            return expression.run(scope);
        }
        Ok((self.render(scope, Escape::None)?).map_or(Json::Null, Json::String))
    }

    /// Its expressions.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.0.iter().filter_map(|part| match part {
            Part::Expression(expression) => Some(expression),
            Part::Text(_) => None,
        })
    }
}

/// JSON whose texts are templates.
pub(crate) enum JsonTemplate {
    Constant(Json),
    Text(Template),
    List(Vec<JsonTemplate>),
    Object(Vec<(String, JsonTemplate)>),
}

impl JsonTemplate {
    /// Compiles JSON; the error says in which text.
    pub(crate) fn compile(
        written: &Json,
        variables: &[&str],
    ) -> Result<Self, (String, NotAnExpression)> {
        Ok(match written {
            Json::String(text) => Self::Text(
                Template::compile(text, variables).map_err(|wrong| (text.clone(), wrong))?,
            ),
            Json::Array(list) => Self::List(
                list.iter()
                    .map(|one| Self::compile(one, variables))
                    .collect::<Result<_, _>>()?,
            ),
            Json::Object(map) => Self::Object(
                map.iter()
                    .map(|(name, one)| Ok((name.clone(), Self::compile(one, variables)?)))
                    .collect::<Result<_, _>>()?,
            ),
            other => Self::Constant(other.clone()),
        })
    }

    /// The JSON; members that are null are left out.
    pub(crate) fn render(&self, scope: &Scope<'_>) -> Result<Json, Fault> {
        Ok(match self {
            Self::Constant(value) => value.clone(),
            Self::Text(template) => template.value(scope)?,
            Self::List(list) => Json::Array(
                list.iter()
                    .map(|one| one.render(scope))
                    .collect::<Result<_, _>>()?,
            ),
            Self::Object(map) => {
                let mut made = serde_json::Map::new();
                for (name, value) in map {
                    let value = value.render(scope)?;
                    if !value.is_null() {
                        made.insert(name.clone(), value);
                    }
                }
                Json::Object(made)
            }
        })
    }

    /// Its expressions.
    pub(crate) fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Text(template) => template.expressions().collect(),
            Self::List(list) => list.iter().flat_map(Self::expressions).collect(),
            Self::Object(map) => map.iter().flat_map(|(_, one)| one.expressions()).collect(),
        }
    }
}

/// Where the brace closes, minding quotes and braces inside.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_u32, None);
    for (place, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), character) if character == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return Some(place),
            (None, '}') => depth -= 1,
            _ => {}
        }
    }
    None
}

/// For one segment of a path or one value of a form: RFC 3986, unreserved.
pub(crate) fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut made = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            made.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(made, "%{byte:02X}");
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_go_into_texts_escaped_for_where_they_stand() {
        let setting = json!({"company": "a/b&<c>", "n": 3});
        let scope = Scope::new().with("setting", &setting);
        let render = |text: &str, escape| {
            let template = Template::compile(text, &["setting"]).unwrap();
            template.render(&scope, escape).unwrap()
        };
        assert_eq!(
            render("/x/{setting.company}", Escape::Path).unwrap(),
            "/x/a%2Fb%26%3Cc%3E"
        );
        assert_eq!(
            render("<a>{setting.company}</a>", Escape::Xml).unwrap(),
            "<a>a/b&amp;&lt;c&gt;</a>"
        );
        assert_eq!(render("{{{setting.n + 1}}}", Escape::None).unwrap(), "{4}");
        assert_eq!(render("{setting.missing}/x", Escape::None), None);
        assert_eq!(render("{ {'a': '}'}['a'] }", Escape::None).unwrap(), "}");
    }

    #[test]
    fn a_text_that_is_one_expression_keeps_its_kind_and_null_members_go() {
        let page = json!({"n": 2, "ids": ["a"]});
        let scope = Scope::new().with("page", &page);
        let written =
            json!({"page": "{page.n}", "ids": "{page.ids}", "none": "{page.none}", "on": true});
        let template = JsonTemplate::compile(&written, &["page"]).unwrap();
        assert_eq!(
            template.render(&scope),
            Ok(json!({"page": 2, "ids": ["a"], "on": true}))
        );
    }

    #[test]
    fn a_brace_that_is_not_closed_is_told_with_its_place() {
        let wrong = Template::compile("https://{setting.company", &["setting"])
            .err()
            .unwrap();
        assert_eq!(wrong.at, 8);
        let wrong = Template::compile("ab{row.}", &["row"]).err().unwrap();
        assert!(wrong.at >= 3, "{wrong:?}");
        assert!(Template::compile("a}b", &[]).is_err());
    }
}
