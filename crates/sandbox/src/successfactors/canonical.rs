//! XML as far as a signed assertion needs it: the tree with its namespaces,
//! and the exclusive canonical form (W3C, Exclusive XML Canonicalization 1.0,
//! without comments and without a prefix list) over which signatures are made.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Elements inside elements.
const DEEPEST: usize = 64;

/// An element as it was written.
#[derive(Debug, Clone, Default)]
pub(super) struct Element {
    /// With its prefix.
    written: String,
    /// Prefix to address; the empty prefix is the default namespace.
    declared: BTreeMap<String, String>,
    /// Names as written, without declarations of namespaces.
    attributes: Vec<(String, String)>,
    children: Vec<Node>,
    /// Every namespace that holds here.
    scope: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
enum Node {
    Element(Element),
    Text(String),
}

fn halves(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

impl Element {
    /// Reads a document; none when it is no XML, or has what is not taken.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::from_reader(bytes);
        let mut open: Vec<Self> = Vec::new();
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) if open.len() < DEEPEST => {
                    let inner = Self::of(&start, open.last())?;
                    open.push(inner);
                }
                Event::Empty(start) if !open.is_empty() => {
                    let inner = Self::of(&start, open.last())?;
                    open.last_mut()?.children.push(Node::Element(inner));
                }
                Event::End(_) => {
                    let done = open.pop()?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(Node::Element(done)),
                        None => return Some(done),
                    }
                }
                Event::Text(text) => {
                    let text = text.decode().ok()?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(Node::Text(text.into_owned())),
                        None if text.trim().is_empty() => {}
                        None => return None,
                    }
                }
                Event::CData(text) => {
                    let text = text.decode().ok()?.into_owned();
                    open.last_mut()?.children.push(Node::Text(text));
                }
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
                    let text = Node::Text(character.to_string());
                    open.last_mut()?.children.push(text);
                }
                Event::Decl(_) | Event::Comment(_) => {}
                _ => return None,
            }
        }
    }

    fn of(start: &BytesStart<'_>, parent: Option<&Self>) -> Option<Self> {
        let mut element = Self {
            written: std::str::from_utf8(start.name().as_ref()).ok()?.to_owned(),
            scope: parent
                .map(|parent| parent.scope.clone())
                .unwrap_or_default(),
            ..Self::default()
        };
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            let name = std::str::from_utf8(attribute.key.as_ref()).ok()?.to_owned();
            let raw = std::str::from_utf8(&attribute.value).ok()?;
            let value = quick_xml::escape::unescape(raw).ok()?.into_owned();
            match halves(&name) {
                ("", "xmlns") => element.declare("", value),
                ("xmlns", prefix) => {
                    let prefix = prefix.to_owned();
                    element.declare(&prefix, value);
                }
                _ => element.attributes.push((name, value)),
            }
        }
        Some(element)
    }

    fn declare(&mut self, prefix: &str, address: String) {
        self.scope.insert(prefix.to_owned(), address.clone());
        self.declared.insert(prefix.to_owned(), address);
    }

    /// Whether it is of this name and namespace.
    pub(super) fn is(&self, namespace: &str, name: &str) -> bool {
        let (prefix, local) = halves(&self.written);
        local == name
            && self
                .scope
                .get(prefix)
                .is_some_and(|known| known == namespace)
    }

    /// Elements of this name and namespace directly inside.
    pub(super) fn inner<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter_map(move |node| match node {
            Node::Element(element) if element.is(namespace, name) => Some(element),
            _ => None,
        })
    }

    /// The one element down a path of names.
    pub(super) fn at(&self, namespace: &str, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| {
            let mut found = element.children.iter().filter_map(|node| match node {
                Node::Element(inner) if inner.is(namespace, name) => Some(inner),
                _ => None,
            });
            match (found.next(), found.next()) {
                (Some(only), None) => Some(only),
                _ => None,
            }
        })
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The text directly inside, without the white space around it.
    pub(super) fn text(&self) -> String {
        let text: String = (self.children.iter())
            .filter_map(|node| match node {
                Node::Text(text) => Some(text.as_str()),
                Node::Element(_) => None,
            })
            .collect();
        text.trim().to_owned()
    }

    /// The same without the elements of this name directly inside.
    pub(super) fn without(&self, namespace: &str, name: &str) -> Self {
        let mut rest = self.clone();
        rest.children.retain(|node| match node {
            Node::Element(element) => !element.is(namespace, name),
            Node::Text(_) => true,
        });
        rest
    }

    /// The canonical form of the element and all inside it.
    pub(super) fn canonical(&self) -> Option<String> {
        let mut text = String::new();
        self.write(&BTreeMap::new(), &mut text)?;
        Some(text)
    }

    fn write(&self, shown: &BTreeMap<String, String>, out: &mut String) -> Option<()> {
        let (own, _) = halves(&self.written);
        let mut used: Vec<&str> = vec![own];
        let mut attributes = Vec::new();
        for (name, value) in &self.attributes {
            let (prefix, local) = halves(name);
            let namespace = match prefix {
                "" => "",
                "xml" => "http://www.w3.org/XML/1998/namespace",
                prefix => {
                    used.push(prefix);
                    self.scope.get(prefix)?
                }
            };
            attributes.push((namespace, local, name, value));
        }
        attributes.sort();
        used.sort_unstable();
        used.dedup();
        out.push('<');
        out.push_str(&self.written);
        let mut shown = shown.clone();
        for prefix in used {
            let address = match self.scope.get(prefix) {
                Some(address) => address.as_str(),
                None if prefix.is_empty() => "",
                None => return None,
            };
            if shown.get(prefix).map_or("", String::as_str) != address {
                let name = match prefix {
                    "" => "xmlns".to_owned(),
                    prefix => format!("xmlns:{prefix}"),
                };
                push_attribute(out, &name, address);
                shown.insert(prefix.to_owned(), address.to_owned());
            }
        }
        for (_, _, name, value) in attributes {
            push_attribute(out, name, value);
        }
        out.push('>');
        for node in &self.children {
            match node {
                Node::Element(element) => element.write(&shown, out)?,
                Node::Text(text) => push_text(out, text),
            }
        }
        out.push_str("</");
        out.push_str(&self.written);
        out.push('>');
        Some(())
    }
}

fn push_attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    for character in value.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
    out.push('"');
}

fn push_text(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_go_where_they_are_used_and_attributes_into_their_order() {
        let text = "<?xml version=\"1.0\"?>\n<a:r xmlns:a=\"urn:a\" xmlns:b=\"urn:b\" z='1' b:y=\"2\" \
                    a='&quot;'><x xmlns=\"urn:x\"/><!-- no --><b:q>1 &lt; 2 &amp; &#229;</b:q></a:r>";
        let element = Element::parse(text.as_bytes()).unwrap();
        assert_eq!(
            element.canonical().unwrap(),
            "<a:r xmlns:a=\"urn:a\" xmlns:b=\"urn:b\" a=\"&quot;\" z=\"1\" b:y=\"2\">\
             <x xmlns=\"urn:x\"></x><b:q>1 &lt; 2 &amp; å</b:q></a:r>"
        );
        let inner = element.at("urn:b", &["q"]).unwrap();
        assert_eq!(
            inner.canonical().unwrap(),
            "<b:q xmlns:b=\"urn:b\">1 &lt; 2 &amp; å</b:q>"
        );
        assert_eq!(inner.text(), "1 < 2 & å");
    }

    #[test]
    fn what_is_no_document_is_none() {
        for text in ["", "x", "<a>", "<a/>x", "<!DOCTYPE a><a/>", "<a>&b;</a>"] {
            assert!(Element::parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
