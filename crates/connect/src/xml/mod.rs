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

//! A document can also be read while it comes, its rows leaving one by one: what
//! leaves is what stands in the tree of the whole, made by the same code.

mod tree;
mod writing;

use std::io::BufRead;

use quick_xml::Reader;
use serde_json::Value as Json;

use tree::{Fault, Tree};
pub(crate) use tree::{Rows, Taken};
pub(crate) use writing::written;

/// A text that is no XML, or XML that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotXml {
    /// It stops before its end.
    Truncated,
    /// It is something else, or has what is not taken.
    Other,
}

/// Why a document gave not all of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotRows {
    /// It cannot be read.
    NotXml(NotXml),
    /// An element on the way to the rows stands twice, so that the way leads to no list.
    Twice,
    /// More stands beside the rows than is kept.
    TooLarge,
    /// Nobody takes rows any more.
    Left,
}

/// Reads a document; the tree holds the root element by its name.
pub(crate) fn parse(bytes: &[u8]) -> Result<Json, NotXml> {
    let mut reader = Reader::from_reader(bytes);
    let mut tree = Tree::default();
    loop {
        let taken = match reader.read_event() {
            Ok(event) => tree.event(event),
            Err(error) => Err(Fault::of(&error)),
        };
        match taken {
            Ok(true) => {}
            Ok(false) => return tree.whole(),
            Err(fault) => {
                // Of a mark that stops at once, nothing has been taken.
                let at_end = || matches!(*reader.get_ref(), b"" | b"<!");
                return Err(fault.settled(at_end));
            }
        }
    }
}

/// Reads a document while it comes; its rows leave, and the tree of the others is
/// given, with an empty list where the rows were.
pub(crate) fn parse_rows(body: impl BufRead, rows: &mut Rows<'_>) -> Result<Json, NotRows> {
    let mut reader = Reader::from_reader(body);
    let mut tree = Tree::default();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let taken = match reader.read_event_into(&mut buffer) {
            Ok(event) => tree.event_of(event, Some(&mut *rows)),
            Err(error) => Err(Fault::of(&error)),
        };
        let fault = match taken {
            Ok(true) => continue,
            Ok(false) => return tree.beside(rows),
            Err(Fault::Rows(why)) => return Err(why),
            Err(fault) => fault,
        };
        // A body that broke has ended.
        let at_end = || (reader.get_mut().fill_buf()).map_or(true, <[u8]>::is_empty);
        return Err(NotRows::NotXml(fault.settled(at_end)));
    }
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
