//! Elements of XML: read with their namespaces, and written.

use quick_xml::XmlVersion;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{NamespaceResolver, ResolveResult};
use quick_xml::reader::NsReader;
use serde_json::Value;

/// Elements inside elements.
const DEEPEST: usize = 32;

/// The namespace of the vendor's web services.
pub(super) const BUSINESS: &str = "urn:com.workday/bsvc";

/// An element as it was read; names without their prefixes.
#[derive(Debug, Clone, Default)]
pub(super) struct Element {
    pub(super) namespace: String,
    pub(super) name: String,
    /// Namespace, name and value; the namespace is empty where there is no prefix.
    attributes: Vec<(String, String, String)>,
    pub(super) children: Vec<Element>,
    text: String,
}

impl Element {
    /// Reads a document; none when it is no XML, or has what is not taken.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = NsReader::from_reader(bytes);
        let mut open: Vec<Self> = vec![Self::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) if open.len() <= DEEPEST => {
                    open.push(Self::begun(reader.resolver(), &start)?);
                }
                Event::Start(_) | Event::DocType(_) => return None,
                Event::Empty(start) => {
                    let element = Self::begun(reader.resolver(), &start)?;
                    open.last_mut()?.children.push(element);
                }
                Event::End(_) => {
                    let element = open.pop()?;
                    open.last_mut()?.children.push(element);
                }
                Event::Text(text) => open.last_mut()?.text.push_str(&text.decode().ok()?),
                Event::CData(text) => open.last_mut()?.text.push_str(&text.decode().ok()?),
                Event::GeneralRef(reference) => {
                    let character = match reference.resolve_char_ref() {
                        Ok(Some(character)) => character,
                        _ => match &*reference.decode().ok()? {
                            "amp" => '&',
                            "lt" => '<',
                            "gt" => '>',
                            "quot" => '"',
                            "apos" => '\'',
                            _ => return None,
                        },
                    };
                    open.last_mut()?.text.push(character);
                }
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                Event::Eof => break,
            }
        }
        match open.as_mut_slice() {
            [root] => root.children.pop(),
            _ => None,
        }
    }

    fn begun(resolver: &NamespaceResolver, start: &BytesStart<'_>) -> Option<Self> {
        let (namespace, name) = resolver.resolve_element(start.name());
        let mut element = Self {
            namespace: text_of(&namespace)?,
            name: String::from_utf8(name.as_ref().to_vec()).ok()?,
            ..Self::default()
        };
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            let (namespace, name) = resolver.resolve_attribute(attribute.key);
            element.attributes.push((
                text_of(&namespace)?,
                String::from_utf8(name.as_ref().to_vec()).ok()?,
                attribute
                    .normalized_value(XmlVersion::Explicit1_0)
                    .ok()?
                    .into_owned(),
            ));
        }
        Some(element)
    }

    /// The first element of this name inside.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All elements of this name inside.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Its text, without the white space around it.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// An attribute of the vendor's namespace: all of theirs carry its prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(namespace, known, _)| namespace == BUSINESS && known == name)
            .map(|(_, _, value)| value.as_str())
    }

    /// An attribute without a prefix.
    pub(super) fn plain_attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(namespace, known, _)| namespace.is_empty() && known == name)
            .map(|(_, _, value)| value.as_str())
    }

    /// The same element in the words of an answer.
    pub(super) fn echo(&self, text: &mut String) {
        text.push_str(&format!("<wd:{}", self.name));
        for (namespace, name, value) in &self.attributes {
            if namespace == BUSINESS {
                text.push_str(&format!(" wd:{name}=\"{}\"", escape(value.as_str())));
            }
        }
        text.push('>');
        if self.children.is_empty() {
            text.push_str(&escape(self.text()));
        }
        for child in &self.children {
            child.echo(text);
        }
        text.push_str(&format!("</wd:{}>", self.name));
    }
}

fn text_of(namespace: &ResolveResult<'_>) -> Option<String> {
    match namespace {
        ResolveResult::Bound(namespace) => String::from_utf8(namespace.as_ref().to_vec()).ok(),
        ResolveResult::Unbound => Some(String::new()),
        ResolveResult::Unknown(_) => None,
    }
}

/// Writes a tree as elements of the vendor's namespace: `@name` is an attribute,
/// `#text` the text, a list several elements; what is null is not written.
pub(super) fn write(name: &str, value: &Value, text: &mut String) {
    match value {
        Value::Null => {}
        Value::Array(list) => list.iter().for_each(|one| write(name, one, text)),
        Value::Object(parts) => {
            text.push_str("<wd:");
            text.push_str(name);
            let mut inner = String::new();
            for (part, value) in parts {
                if let Some(attribute) = part.strip_prefix('@') {
                    let value = plain(value);
                    text.push_str(&format!(" wd:{attribute}=\"{}\"", escape(value.as_str())));
                } else if part == "#text" {
                    inner.push_str(&escape(plain(value).as_str()));
                } else {
                    write(part, value, &mut inner);
                }
            }
            text.push_str(&format!(">{inner}</wd:{name}>"));
        }
        _ => {
            let value = plain(value);
            text.push_str(&format!(
                "<wd:{name}>{}</wd:{name}>",
                escape(value.as_str())
            ));
        }
    }
}

/// Text as the vendor writes it: what is true is 1.
fn plain(value: &Value) -> String {
    match value {
        Value::Bool(yes) => u8::from(*yes).to_string(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_count_and_prefixes_do_not() {
        let root = Element::parse(
            "<a:x xmlns:a='urn:com.workday/bsvc' a:v='1&amp;2' v='0'> <y xmlns='urn:other'>æ&lt;</y></a:x>"
                .as_bytes(),
        )
        .unwrap();
        assert_eq!(
            (root.namespace.as_str(), root.name.as_str()),
            (BUSINESS, "x")
        );
        assert_eq!(root.attribute("v"), Some("1&2"));
        assert_eq!(root.plain_attribute("v"), Some("0"));
        let inner = root.child("y").unwrap();
        assert_eq!(
            (inner.namespace.as_str(), inner.text()),
            ("urn:other", "æ<")
        );
        assert!(Element::parse(b"<a><b></a>").is_none());
        assert!(Element::parse(b"<!DOCTYPE a><a/>").is_none());
        assert!(Element::parse(b"<z:a/>").is_none());
    }

    #[test]
    fn a_tree_is_written_as_elements() {
        let mut text = String::new();
        let tree = serde_json::json!({
            "@Descriptor": "A & \"B\"", "ID": [{"@type": "WID", "#text": "1"}, {"@type": "X", "#text": "<"}],
            "Active": true, "Gone": null,
        });
        write("Worker", &tree, &mut text);
        assert_eq!(
            text,
            "<wd:Worker wd:Descriptor=\"A &amp; &quot;B&quot;\"><wd:ID wd:type=\"WID\">1</wd:ID>\
             <wd:ID wd:type=\"X\">&lt;</wd:ID><wd:Active>1</wd:Active></wd:Worker>"
        );
    }
}
