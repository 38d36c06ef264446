//! A vendor's description of its web services as facts: which elements a type has,
//! in which order and how often, and which attributes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::NsReader;
use serde::Deserialize;

use super::ContractError;

/// The elements of an operation.
#[derive(Debug, Deserialize)]
pub struct Elements {
    namespace: String,
    /// The type that a request begins with.
    request: String,
    /// The type that an answer begins with.
    response: String,
    types: BTreeMap<String, Kind>,
}

#[derive(Debug, Deserialize)]
struct Kind {
    elements: Vec<Known>,
    attributes: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Known {
    name: String,
    /// A type of the description, or one of plain text; none where nothing is known.
    #[serde(rename = "type")]
    kind: Option<String>,
    many: bool,
}

/// An element that has not ended: its type, how far its order has come, its text.
struct Open {
    name: String,
    kind: Option<String>,
    place: usize,
    text: String,
}

impl Elements {
    /// Reads facts as `extract.py` of a connector writes them.
    ///
    /// # Errors
    /// When the text is no JSON of that form.
    pub fn load(json: &str) -> Result<Self, ContractError> {
        Ok(serde_json::from_str(json)?)
    }

    /// Holds the first element whose name ends so against the description; how many
    /// elements were looked at. Requests end in `_Request`, answers in `_Response`.
    ///
    /// # Errors
    /// What is not as described, without anybody's values.
    pub fn check(&self, text: &str, ending: &str) -> Result<usize, String> {
        let begin = match ending {
            "_Request" => &self.request,
            _ => &self.response,
        };
        let mut reader = NsReader::from_str(text);
        let (mut open, mut looked_at): (Vec<Open>, usize) = (Vec::new(), 0);
        loop {
            let event = reader.read_event().map_err(|_| "it is no XML".to_owned())?;
            match event {
                Event::Start(start) => {
                    let empty = false;
                    looked_at += self.enter(&reader, &start, (ending, begin), &mut open, empty)?;
                }
                Event::Empty(start) => {
                    looked_at += self.enter(&reader, &start, (ending, begin), &mut open, true)?;
                }
                Event::Text(piece) => {
                    if let (Some(last), Ok(piece)) = (open.last_mut(), piece.decode()) {
                        last.text.push_str(&piece);
                    }
                }
                Event::End(_) => {
                    if let Some(ended) = open.pop() {
                        is_of_kind(&ended)?;
                        if open.is_empty() {
                            break;
                        }
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        match looked_at {
            0 => Err(format!("nothing that ends in {ending} was found")),
            some => Ok(some),
        }
    }

    fn enter(
        &self,
        reader: &NsReader<&[u8]>,
        start: &BytesStart<'_>,
        (ending, begin): (&str, &str),
        open: &mut Vec<Open>,
        is_empty: bool,
    ) -> Result<usize, String> {
        let (namespace, local) = reader.resolver().resolve_element(start.name());
        let name = String::from_utf8_lossy(local.as_ref()).into_owned();
        let is_own = matches!(
            namespace,
            quick_xml::name::ResolveResult::Bound(bound) if bound.as_ref() == self.namespace.as_bytes()
        );
        let Some(parent) = open.last_mut() else {
            if is_own && name.ends_with(ending) {
                open.push(Open {
                    name,
                    kind: Some(begin.to_owned()),
                    place: 0,
                    text: String::new(),
                });
            }
            return Ok(0);
        };
        if !is_own {
            return Err(format!("{name} is of another namespace"));
        }
        let mut kind = None;
        let mut looked_at = 0;
        if let Some(known) = parent.kind.as_ref().and_then(|kind| self.types.get(kind)) {
            let found = known.elements.iter().position(|one| one.name == name);
            let Some((at, element)) = found.and_then(|at| Some((at, known.elements.get(at)?)))
            else {
                return Err(format!("{} has no {name}", parent.name));
            };
            let is_again = at + 1 == parent.place && element.many;
            if at < parent.place && !is_again {
                return Err(format!(
                    "{name} stands too late in {}, or twice",
                    parent.name
                ));
            }
            parent.place = at + 1;
            looked_at = 1;
            kind = element.kind.clone();
        }
        if let Some(known) = kind.as_ref().and_then(|kind| self.types.get(kind)) {
            for attribute in start.attributes() {
                let attribute = attribute.map_err(|_| format!("an attribute of {name}"))?;
                let key = attribute.key.local_name();
                let key = String::from_utf8_lossy(key.as_ref()).into_owned();
                if !known.attributes.contains(&key) {
                    return Err(format!("{name} has no attribute {key}"));
                }
            }
        }
        if !is_empty {
            open.push(Open {
                name,
                kind,
                place: 0,
                text: String::new(),
            });
        }
        Ok(looked_at)
    }
}

/// Plain types have values of their kind.
fn is_of_kind(ended: &Open) -> Result<(), String> {
    let text = ended.text.trim();
    let fits = match ended.kind.as_deref() {
        Some("boolean") => matches!(text, "true" | "false" | "1" | "0"),
        Some("date") => text
            .get(..10)
            .is_some_and(|day| day.parse::<Date>().is_ok()),
        Some("dateTime") => text.parse::<Timestamp>().is_ok() || text.parse::<DateTime>().is_ok(),
        Some("decimal") => text.parse::<f64>().is_ok(),
        _ => true,
    };
    match fits {
        true => Ok(()),
        false => Err(format!("what {} holds is not of its type", ended.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: &str = r#"{"namespace": "urn:x", "request": "A", "response": "B", "types": {
        "A": {"elements": [{"name": "One", "type": "date", "many": false},
                           {"name": "Two", "type": "C", "many": true}], "attributes": []},
        "C": {"elements": [], "attributes": ["kind"]}}}"#;

    fn said(inner: &str) -> Result<usize, String> {
        let text = format!("<e><x:Get_Request xmlns:x='urn:x'>{inner}</x:Get_Request></e>");
        Elements::load(FACTS).unwrap().check(&text, "_Request")
    }

    #[test]
    fn order_number_attributes_and_values_are_held_to_the_description() {
        assert_eq!(
            said("<x:One>2025-01-01</x:One><x:Two x:kind='1'/><x:Two/>"),
            Ok(3)
        );
        for (wrong, why) in [
            ("<x:Two/><x:One>2025-01-01</x:One>", "too late"),
            (
                "<x:One>2025-01-01</x:One><x:One>2025-01-01</x:One>",
                "twice",
            ),
            ("<x:Three/>", "has no Three"),
            ("<x:Two x:other='1'/>", "no attribute other"),
            ("<x:One>soon</x:One>", "not of its type"),
            ("<One>2025-01-01</One>", "another namespace"),
            ("", "nothing"),
        ] {
            let error = said(wrong).unwrap_err();
            assert!(error.contains(why), "{wrong}: {error}");
        }
    }
}
