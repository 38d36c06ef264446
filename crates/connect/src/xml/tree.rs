//! Elements on their way into a tree.

use quick_xml::Error;
use quick_xml::errors::{IllFormedError, SyntaxError};
use quick_xml::events::{BytesRef, BytesStart, Event};
use serde_json::{Map, Value as Json};

use super::{NotRows, NotXml};
use crate::weight::weight;

/// Elements inside elements.
const DEEPEST: usize = 64;

/// Rows that leave as soon as they are whole.
pub(crate) struct Rows<'r> {
    /// The names of the elements that lead to them, their own last.
    pub(crate) way: &'r [String],
    /// Is what stands beside them wanted?
    pub(crate) keeps: bool,
    /// The most that is kept of it, in bytes.
    pub(crate) most_kept: usize,
    /// Takes a row; says whether somebody still wants rows.
    pub(crate) take: &'r mut dyn FnMut(Json) -> bool,
    /// What has come.
    pub(crate) taken: Taken,
}

/// What has come of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// No element stood at the place.
    None,
    /// One that is no row by itself: XML does not tell a list of one from one.
    Odd,
    /// Rows.
    Rows,
}

/// Why an event could not be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The document stopped.
    Stopped,
    /// It is none, whatever follows.
    Wrong,
    /// It is none, unless it stopped just here.
    Unclear,
    /// It is one, and its rows cannot be taken.
    Rows(NotRows),
}

impl Fault {
    pub(super) fn of(error: &Error) -> Self {
        match error {
            // A document type is not taken, whole or not.
            Error::Syntax(SyntaxError::UnclosedDoctype) => Self::Wrong,
            Error::Syntax(SyntaxError::InvalidBangMarkup)
            | Error::IllFormed(IllFormedError::UnclosedReference) => Self::Unclear,
            Error::Syntax(_) | Error::Io(_) => Self::Stopped,
            _ => Self::Wrong,
        }
    }

    /// What it means, where it can be told whether there is more behind it.
    pub(super) fn settled(self, at_end: impl FnOnce() -> bool) -> NotXml {
        match self {
            Self::Stopped => NotXml::Truncated,
            Self::Unclear if at_end() => NotXml::Truncated,
            Self::Unclear | Self::Wrong | Self::Rows(_) => NotXml::Other,
        }
    }
}

/// A tree under construction.
pub(super) struct Tree {
    /// Elements that are not closed; the first is around the document.
    open: Vec<Element>,
    /// How many of them lead to the rows.
    on_way: usize,
    /// Bytes kept beside the rows.
    kept: usize,
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            open: vec![Element::default()],
            on_way: 1,
            kept: 0,
        }
    }
}

impl Tree {
    /// Takes an event of a document that is read as a whole; false at its end.
    pub(super) fn event(&mut self, event: Event<'_>) -> Result<bool, Fault> {
        self.event_of(event, None)
    }

    /// Takes an event; false at the end.
    pub(super) fn event_of(
        &mut self,
        event: Event<'_>,
        rows: Option<&mut Rows<'_>>,
    ) -> Result<bool, Fault> {
        match event {
            Event::Start(start) => {
                self.begins()?;
                if self.open.len() > DEEPEST {
                    return Err(Fault::Wrong);
                }
                let element = Element::of(&start)?;
                let (depth, on_way) = (self.open.len(), self.on_way);
                let leads = |way: &[String]| {
                    // The last name is that of the rows themselves.
                    depth < way.len() && way.get(depth - 1) == Some(&element.name)
                };
                if on_way == depth && !element.nil && rows.is_some_and(|rows| leads(rows.way)) {
                    self.on_way += 1;
                }
                self.open.push(element);
            }
            Event::Empty(start) => {
                self.begins()?;
                self.close(Element::of(&start)?, rows)?;
            }
            Event::End(_) => {
                let element = self.open.pop().ok_or(Fault::Wrong)?;
                self.on_way = self.on_way.min(self.open.len());
                self.close(element, rows)?;
            }
            Event::Text(text) => self.text(&text.decode().map_err(|_| Fault::Unclear)?, rows)?,
            Event::CData(text) => self.text(&text.decode().map_err(|_| Fault::Unclear)?, rows)?,
            Event::GeneralRef(reference) => {
                let mut bytes = [0; 4];
                self.text(resolved(&reference)?.encode_utf8(&mut bytes), rows)?;
            }
            Event::DocType(_) => return Err(Fault::Wrong),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return Ok(false),
        }
        Ok(true)
    }

    /// A document has one element that holds all others.
    fn begins(&self) -> Result<(), Fault> {
        match self.open.as_slice() {
            [root] if !root.children.is_empty() => Err(Fault::Wrong),
            _ => Ok(()),
        }
    }

    fn text(&mut self, text: &str, rows: Option<&mut Rows<'_>>) -> Result<(), Fault> {
        let beside = self.on_way == self.open.len();
        let element = self.open.last_mut().ok_or(Fault::Wrong)?;
        // Spaces at both ends are dropped; those between a million rows are not
        // gathered for that.
        let text = match element.text.is_empty() {
            true => text.trim_start(),
            false => text,
        };
        element.text.push_str(text);
        match rows {
            Some(rows) if beside => self.keep(text.len(), rows),
            _ => Ok(()),
        }
    }

    fn keep(&mut self, bytes: usize, rows: &Rows<'_>) -> Result<(), Fault> {
        self.kept = self.kept.saturating_add(bytes);
        match self.kept > rows.most_kept {
            true => Err(Fault::Rows(NotRows::TooLarge)),
            false => Ok(()),
        }
    }

    /// Puts an element into the one around it.
    fn close(&mut self, mut element: Element, rows: Option<&mut Rows<'_>>) -> Result<(), Fault> {
        let name = std::mem::take(&mut element.name);
        let value = element.into_json();
        let depth = self.open.len();
        if let Some(rows) = rows.filter(|_| self.on_way == depth) {
            let is_row = rows.way.len() == depth && rows.way.last() == Some(&name);
            let parent = self.open.last_mut().ok_or(Fault::Wrong)?;
            if is_row {
                return rows.row(parent, name, value).map_err(Fault::Rows);
            }
            if depth < rows.way.len() && rows.way.get(depth - 1) == Some(&name) {
                // It leads to rows.
                if rows.taken != Taken::None && parent.children.contains_key(&name) {
                    return Err(Fault::Rows(NotRows::Twice));
                }
            } else if rows.keeps {
                self.keep(weight(&value), rows)?;
            } else {
                // That an element stands there is all that is kept of it at the root:
                // a document has one.
                match depth {
                    1 => return self.put(name, Json::Null),
                    _ => return Ok(()),
                }
            }
        }
        self.put(name, value)
    }

    fn put(&mut self, name: String, value: Json) -> Result<(), Fault> {
        let parent = self.open.last_mut().ok_or(Fault::Wrong)?;
        match parent.children.get_mut(&name) {
            None => {
                parent.children.insert(name, value);
            }
            Some(Json::Array(list)) => list.push(value),
            Some(one) => *one = Json::Array(vec![one.take(), value]),
        }
        Ok(())
    }

    /// The tree of a document that has ended.
    pub(super) fn whole(mut self) -> Result<Json, NotXml> {
        let [root] = self.open.as_mut_slice() else {
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

    /// What stands beside the rows.
    pub(super) fn beside(self, rows: &mut Rows<'_>) -> Result<Json, NotRows> {
        let whole = self.whole().map_err(NotRows::NotXml)?;
        if !rows.way.is_empty() {
            return Ok(whole);
        }
        // The document is the only row.
        rows.taken = Taken::Rows;
        match (rows.take)(whole) {
            true => Ok(Json::Array(Vec::new())),
            false => Err(NotRows::Left),
        }
    }
}

impl Rows<'_> {
    /// Hands a row over; what stands alone and is no object is none, as in the tree
    /// of the whole.
    fn row(&mut self, parent: &mut Element, name: String, value: Json) -> Result<(), NotRows> {
        let before = match self.taken {
            Taken::None if !value.is_object() => {
                self.taken = Taken::Odd;
                parent.children.insert(name, value);
                return Ok(());
            }
            Taken::Rows => None,
            Taken::None | Taken::Odd => {
                self.taken = Taken::Rows;
                parent.children.insert(name, Json::Array(Vec::new()))
            }
        };
        match before.into_iter().chain([value]).all(&mut *self.take) {
            true => Ok(()),
            false => Err(NotRows::Left),
        }
    }
}

/// The character of a reference: there are no entities but the five of XML.
fn resolved(reference: &BytesRef<'_>) -> Result<char, Fault> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Ok(character);
    }
    match &*reference.decode().map_err(|_| Fault::Wrong)? {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(Fault::Wrong),
    }
}

#[derive(Default)]
struct Element {
    name: String,
    children: Map<String, Json>,
    text: String,
    nil: bool,
}

impl Element {
    fn of(start: &BytesStart<'_>) -> Result<Self, Fault> {
        let name = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned);
        let mut element = Self {
            name: name(start.local_name().as_ref()).map_err(|_| Fault::Wrong)?,
            ..Self::default()
        };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| Fault::Wrong)?;
            if attribute.key.as_ref().starts_with(b"xmlns") {
                continue;
            }
            let key = name(attribute.key.local_name().as_ref()).map_err(|_| Fault::Wrong)?;
            let value = std::str::from_utf8(&attribute.value).map_err(|_| Fault::Wrong)?;
            let value = quick_xml::escape::unescape(value).map_err(|_| Fault::Wrong)?;
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
