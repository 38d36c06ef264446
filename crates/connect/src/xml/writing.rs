//! A tree written as XML.

use quick_xml::escape::escape;
use serde_json::Value as Json;

/// Writes a tree as elements, the way round that `parse` reads them; `None` where
/// something in it is no name of an element.
pub(crate) fn written(tree: &Json) -> Option<String> {
    let mut text = String::new();
    match tree {
        Json::Array(list) => {
            for one in list {
                text.push_str(&written(one)?);
            }
        }
        Json::Object(map) => {
            for (name, value) in map {
                element(name, value, &mut text)?;
            }
        }
        _ => return None,
    }
    Some(text)
}

fn element(name: &str, value: &Json, text: &mut String) -> Option<()> {
    let is_name = |name: &str| {
        !name.is_empty()
            && (name.bytes())
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-'))
    };
    if !is_name(name) {
        return None;
    }
    if let Json::Array(list) = value {
        return list.iter().try_for_each(|one| element(name, one, text));
    }
    let plain = |value: &Json| match value {
        Json::String(text) => Some(escape(text.as_str()).into_owned()),
        Json::Null => Some(String::new()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        Json::Array(_) | Json::Object(_) => None,
    };
    text.push('<');
    text.push_str(name);
    let mut inner = String::new();
    match value {
        Json::Object(children) => {
            for (child, value) in children {
                if let Some(attribute) = child.strip_prefix('@') {
                    if !is_name(attribute) {
                        return None;
                    }
                    text.push_str(&format!(" {attribute}=\"{}\"", plain(value)?));
                } else if child == "#text" {
                    inner.push_str(&plain(value)?);
                } else {
                    element(child, value, &mut inner)?;
                }
            }
        }
        other => inner.push_str(&plain(other)?),
    }
    text.push_str(&format!(">{inner}</{name}>"));
    Some(())
}
