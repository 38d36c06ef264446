//! XML read into the same tree as JSON.
//!
//! | XML | JSON |
//! |---|---|
//! | an element with text alone | the text |
//! | an element with attributes or children | an object; attributes as `@name`, its own text as `#text` |
//! | an element that stands several times | a list |
//! | an empty element, or `xsi:nil` | null |
//!
//! Prefixes of namespaces are dropped: a vendor may choose others tomorrow.
//! There are no entities but the five of XML; a document type ends the reading.

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value as Json};

/// Elements inside elements.
const DEEPEST: usize = 64;

/// A text that is no XML, or XML that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotXml {
    /// It stops before its end.
    Truncated,
    /// It is something else, or has what is not taken.
    Other,
}

/// Reads a document; the tree holds the root element by its name.
pub(crate) fn parse(bytes: &[u8]) -> Result<Json, NotXml> {
    let mut reader = Reader::from_reader(bytes);
    let mut open: Vec<Element> = vec![Element::default()];
    loop {
        match reader.read_event().map_err(|_| NotXml::Other)? {
            Event::Start(start) => {
                if open.len() > DEEPEST {
                    return Err(NotXml::Other);
                }
                open.push(Element::of(&start)?);
            }
            Event::Empty(start) => close(&mut open, Element::of(&start)?)?,
            Event::End(_) => {
                let element = open.pop().ok_or(NotXml::Other)?;
                close(&mut open, element)?;
            }
            Event::Text(text) => {
                let text = text.decode().map_err(|_| NotXml::Other)?;
                open.last_mut().ok_or(NotXml::Other)?.text.push_str(&text);
            }
            Event::CData(text) => {
                let text = text.decode().map_err(|_| NotXml::Other)?;
                open.last_mut().ok_or(NotXml::Other)?.text.push_str(&text);
            }
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref() {
                    Ok(Some(character)) => Some(character),
                    _ => match &*reference.decode().map_err(|_| NotXml::Other)? {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => None,
                    },
                };
                let text = &mut open.last_mut().ok_or(NotXml::Other)?.text;
                text.push(resolved.ok_or(NotXml::Other)?);
            }
            Event::DocType(_) => return Err(NotXml::Other),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    let [root] = open.as_mut_slice() else {
        return Err(NotXml::Truncated);
    };
    if root.children.is_empty() {
        return Err(match root.text.trim().is_empty() {
            true => NotXml::Truncated,
            false => NotXml::Other,
        });
    }
    Ok(Json::Object(std::mem::take(&mut root.children)))
}

/// Writes a tree as elements, the way round that [`parse`] reads them; `None` where
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

#[derive(Default)]
struct Element {
    name: String,
    children: Map<String, Json>,
    text: String,
    nil: bool,
}

impl Element {
    fn of(start: &BytesStart<'_>) -> Result<Self, NotXml> {
        let name = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned);
        let mut element = Self {
            name: name(start.local_name().as_ref()).map_err(|_| NotXml::Other)?,
            ..Self::default()
        };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| NotXml::Other)?;
            if attribute.key.as_ref().starts_with(b"xmlns") {
                continue;
            }
            let key = name(attribute.key.local_name().as_ref()).map_err(|_| NotXml::Other)?;
            let value = std::str::from_utf8(&attribute.value).map_err(|_| NotXml::Other)?;
            let value = quick_xml::escape::unescape(value).map_err(|_| NotXml::Other)?;
            if key == "nil" {
                element.nil = matches!(&*value, "true" | "1");
                continue;
            }
            element
                .children
                .insert(format!("@{key}"), Json::String(value.into_owned()));
        }
        Ok(element)
    }

    fn into_json(self) -> Json {
        let text = self.text.trim();
        if self.nil {
            return Json::Null;
        }
        if self.children.is_empty() {
            return match text.is_empty() {
                true => Json::Null,
                false => Json::String(text.to_owned()),
            };
        }
        let mut children = self.children;
        if !text.is_empty() {
            children.insert("#text".to_owned(), Json::String(text.to_owned()));
        }
        Json::Object(children)
    }
}

fn close(open: &mut [Element], mut element: Element) -> Result<(), NotXml> {
    let name = std::mem::take(&mut element.name);
    let parent = open.last_mut().ok_or(NotXml::Other)?;
    let value = element.into_json();
    match parent.children.get_mut(&name) {
        None => {
            parent.children.insert(name, value);
        }
        Some(Json::Array(list)) => list.push(value),
        Some(one) => *one = Json::Array(vec![one.take(), value]),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn elements_attributes_lists_and_nothing() {
        let text = r#"<?xml version="1.0"?>
            <env:Envelope xmlns:env="urn:x"><env:Body><wd:Worker wd:Descriptor="Åse &amp; co">
              <wd:ID wd:type="WID">0e44</wd:ID><wd:ID wd:type="Employee_ID">21001</wd:ID>
              <wd:Name>Åse &lt;Berg&gt; &#248;</wd:Name><wd:Empty/><wd:Nil xsi:nil="true"/>
              <wd:Data><![CDATA[a < b]]></wd:Data>
            </wd:Worker></env:Body></env:Envelope>"#;
        assert_eq!(
            parse(text.as_bytes()),
            Ok(json!({"Envelope": {"Body": {"Worker": {
                "@Descriptor": "Åse & co",
                "ID": [{"@type": "WID", "#text": "0e44"}, {"@type": "Employee_ID", "#text": "21001"}],
                "Name": "Åse <Berg> ø", "Empty": null, "Nil": null, "Data": "a < b"
            }}}}))
        );
    }

    #[test]
    fn what_is_written_is_read_as_the_same_tree() {
        let tree = json!({"r:a": [{"b": {"@k": "\"<Åse & co>", "#text": "x < y"}}, {"b": "2"}]});
        let text = written(&tree).unwrap();
        let read = parse(format!("<all>{text}</all>").as_bytes()).unwrap();
        assert_eq!(read["all"]["a"], tree["r:a"]);
        assert_eq!(written(&json!({"a b": 1})), None);
        assert_eq!(written(&json!({"a": {"@x y": 1}})), None);
    }

    #[test]
    fn what_stops_early_or_brings_its_own_entities_is_refused() {
        for (text, problem) in [
            ("<a><b>1</b>", NotXml::Truncated),
            ("", NotXml::Truncated),
            ("{\"a\": 1}", NotXml::Other),
            ("<a></b>", NotXml::Other),
            ("<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>", NotXml::Other),
            ("<a>&unknown;</a>", NotXml::Other),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(problem), "{text}");
        }
        let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
        assert_eq!(parse(deep.as_bytes()), Err(NotXml::Other));
    }
}
