//! How pages follow each other, and how the end of a list is known.
//!
//! No end is guessed: a list ends where the manifest's rule says so, and what
//! the rule cannot see (a list that does not advance, a total that differs)
//! is a doubt about the read.

use muster_model::EvidenceLevel;
use reqwest::Url;
use reqwest::header::HeaderMap;
use serde_json::Value as Json;

use super::compiling::Compiling;
use crate::error::ConnectError;
use crate::expression::{Expression, Fault, Scope};
use crate::http::Answer;
use crate::manifest::{Carrier, Paging, Path};
use crate::pointer::Pointer;

/// Variables of expressions about an answer.
const OF_ANSWER: [&str; 7] = [
    "answer", "page", "offset", "size", "rows", "seen", "setting",
];

/// A way through pages that can be gone.
pub(crate) struct CompiledPaging {
    kind: Kind,
    size: Option<u64>,
    parameter: Option<String>,
    size_parameter: Option<String>,
    carried: Carrier,
    /// The rows that the answer says it skipped.
    begins: Option<Pointer>,
    /// The rows that the answer says its page has.
    count: Option<Pointer>,
    total: Option<Total>,
}

enum Kind {
    None,
    Offset(EndRule),
    Page {
        first: u64,
        end: EndRule,
    },
    Cursor {
        next: Pointer,
        more: Option<Expression>,
    },
    LinkHeader,
    NextLink(Pointer),
}

struct EndRule {
    short_page: bool,
    empty_page: bool,
    when: Option<Expression>,
    by_total: bool,
}

/// The vendor's number of rows of the whole list.
struct Total {
    place: TotalPlace,
    exact: bool,
}

enum TotalPlace {
    Body(Pointer),
    Header(String),
}

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum At {
    /// The first of a list whose pages are not counted.
    First,
    /// Behind so many rows.
    Offset(u64),
    /// Of this number.
    Page(u64),
    /// That this text asks for.
    Cursor(String),
    /// At this address.
    Address(Url),
}

impl At {
    /// For errors and doubts; a cursor is not shown.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::First => "the first page".to_owned(),
            Self::Offset(offset) => format!("rows from {offset}"),
            Self::Page(page) => format!("page {page}"),
            Self::Cursor(_) | Self::Address(_) => "a further page".to_owned(),
        }
    }
}

/// What an answer says of the pages.
pub(crate) struct Turn {
    /// Where the list goes on; `None` at its end.
    pub(crate) next: Option<At>,
    /// The vendor's total.
    pub(crate) total: Option<u64>,
    /// Does the page hold as many rows as it says?
    pub(crate) counted: bool,
}

impl CompiledPaging {
    pub(super) fn compile(
        compiling: &mut Compiling<'_>,
        path: &Path,
        written: &Paging,
        needed: bool,
    ) -> Option<Self> {
        let given = usize::from(written.none.is_some())
            + usize::from(written.offset.is_some())
            + usize::from(written.page.is_some())
            + usize::from(written.cursor.is_some())
            + usize::from(written.link_header.is_some())
            + usize::from(written.next_link.is_some())
            + usize::from(written.odata.is_some());
        if given > 1 || (needed && given == 0) {
            let message =
                "say exactly one of: none, offset, page, cursor, link_header, next_link, odata";
            compiling.flaw(path, "manifest.paging", message);
            return None;
        }
        let mut made = Self {
            kind: Kind::None,
            size: None,
            parameter: None,
            size_parameter: None,
            carried: Carrier::Query,
            begins: None,
            count: None,
            total: None,
        };
        if let Some(offset) = &written.offset {
            let path = path.name("offset");
            made.begins = (offset.begins.as_ref())
                .and_then(|begins| compiling.pointer(&path.name("begins"), begins, &[]));
            made.count = count(compiling, &path.name("end"), &offset.end);
            made.size = size(compiling, &path, Some(&offset.size));
            made.parameter.clone_from(&offset.parameter);
            made.size_parameter.clone_from(&offset.size_parameter);
            made.carried = offset.carried;
            let end = &offset.end;
            made.total = total(compiling, &path.name("end"), end.total.as_ref(), end.exact);
            made.kind = Kind::Offset(EndRule::compile(compiling, &path.name("end"), end, true));
        } else if let Some(page) = &written.page {
            let path = path.name("page");
            made.count = count(compiling, &path.name("end"), &page.end);
            made.size = size(compiling, &path, page.size.as_ref());
            made.parameter.clone_from(&page.parameter);
            made.size_parameter.clone_from(&page.size_parameter);
            made.carried = page.carried;
            let end = &page.end;
            made.total = total(compiling, &path.name("end"), end.total.as_ref(), end.exact);
            let sized = page.size.is_some();
            made.kind = Kind::Page {
                first: page.first,
                end: EndRule::compile(compiling, &path.name("end"), end, sized),
            };
        } else if let Some(cursor) = &written.cursor {
            let path = path.name("cursor");
            made.size = size(compiling, &path, cursor.size.as_ref());
            made.parameter.clone_from(&cursor.parameter);
            made.size_parameter.clone_from(&cursor.size_parameter);
            made.carried = cursor.carried;
            made.total = total(compiling, &path, cursor.total.as_ref(), cursor.exact);
            let more = cursor.more.as_ref();
            made.kind = Kind::Cursor {
                next: compiling.pointer(&path.name("next"), &cursor.next, &[])?,
                more: more
                    .and_then(|more| compiling.expression(&path.name("more"), more, &OF_ANSWER)),
            };
        } else if let Some(link) = &written.link_header {
            made.total = link.total_header.clone().map(|header| Total {
                place: TotalPlace::Header(header),
                exact: link.exact,
            });
            made.kind = Kind::LinkHeader;
        } else if let Some(link) = &written.next_link {
            let path = path.name("next_link");
            made.total = total(compiling, &path, link.total.as_ref(), link.exact);
            let next = compiling.pointer(&path.name("next"), &link.next, &[])?;
            made.kind = Kind::NextLink(next);
        } else if let Some(odata) = &written.odata {
            let next = match odata.version {
                2 => "/d/__next",
                4 => "/@odata.nextLink",
                _ => {
                    let path = path.name("odata").name("version");
                    compiling.flaw(&path, "manifest.paging", "OData has the versions 2 and 4");
                    return None;
                }
            };
            made.kind = Kind::NextLink(compiling.pointer(path, next, &[])?);
        }
        Some(made)
    }

    /// The first page.
    pub(super) const fn first(&self) -> At {
        match &self.kind {
            Kind::Offset(_) => At::Offset(0),
            Kind::Page { first, .. } => At::Page(*first),
            _ => At::First,
        }
    }

    /// Is the whole list one answer?
    pub(super) const fn is_one_answer(&self) -> bool {
        matches!(self.kind, Kind::None)
    }

    /// Rows wanted on a page.
    pub(super) const fn size(&self) -> Option<u64> {
        self.size
    }

    /// Can a page that failed be passed over?
    pub(super) fn after_failure(&self, at: &At) -> Option<At> {
        match (&self.kind, at) {
            (Kind::Offset(_), At::Offset(offset)) => Some(At::Offset(offset + self.size?)),
            (Kind::Page { .. }, At::Page(page)) => Some(At::Page(page + 1)),
            _ => None,
        }
    }

    /// The parameters that ask for a page, and where they go.
    pub(super) fn parameters(&self, at: &At) -> (Vec<(String, Json)>, Carrier) {
        let asked = match at {
            At::First | At::Address(_) => None,
            At::Offset(number) | At::Page(number) => Some(Json::from(*number)),
            At::Cursor(text) => Some(Json::String(text.clone())),
        };
        let mut parameters = Vec::new();
        if let (Some(name), Some(asked)) = (&self.parameter, asked) {
            parameters.push((name.clone(), asked));
        }
        if let (Some(name), Some(size)) = (&self.size_parameter, self.size) {
            parameters.push((name.clone(), Json::from(size)));
        }
        (parameters, self.carried)
    }

    /// The best level of evidence that a whole read of these pages has.
    pub(super) const fn level(&self) -> EvidenceLevel {
        match self.kind {
            Kind::None => EvidenceLevel::Whole,
            _ => EvidenceLevel::Ended,
        }
    }

    /// Does the vendor vouch for its total?
    pub(super) fn vouches(&self) -> bool {
        self.total.as_ref().is_some_and(|total| total.exact)
    }

    /// Where the list goes on after an answer with so many rows; `seen` counts them in.
    pub(super) fn turn(
        &self,
        at: &At,
        asked: &Url,
        answer: &Answer,
        rows: u64,
        seen: u64,
        settings: &Json,
    ) -> Result<Turn, TurnError> {
        let total = self.total.as_ref().and_then(|total| match &total.place {
            TotalPlace::Body(pointer) => number(pointer.find(&answer.json)?),
            TotalPlace::Header(name) => {
                answer.headers.get(name)?.to_str().ok()?.trim().parse().ok()
            }
        });
        let said = |pointer: &Option<Pointer>| number(pointer.as_ref()?.find(&answer.json)?);
        if let (At::Offset(asked), Some(begun)) = (at, said(&self.begins))
            && *asked != begun
        {
            return Err(TurnError::OtherPage);
        }
        let counted = said(&self.count).is_none_or(|count| count == rows);
        let numbers = Numbers::new(at, self.size, rows, seen);
        let scope = numbers.scope(&answer.json).with("setting", settings);
        let next = match &self.kind {
            Kind::None => None,
            Kind::Offset(end) => {
                let last = end.is_last(&scope, rows, seen, self.size, total)?;
                let begun = match at {
                    At::Offset(offset) => *offset,
                    _ => 0,
                };
                // A vendor that gives fewer rows than asked for has not skipped the others.
                let passed = if rows > 0 {
                    rows
                } else {
                    self.size.unwrap_or(1)
                };
                (!last).then(|| At::Offset(begun + passed))
            }
            Kind::Page { first, end } => {
                let last = end.is_last(&scope, rows, seen, self.size, total)?;
                let page = match at {
                    At::Page(page) => *page,
                    _ => *first,
                };
                (!last).then(|| At::Page(page + 1))
            }
            Kind::Cursor { next, more } => {
                let goes_on = match more {
                    Some(more) => more.holds(&scope).map_err(TurnError::Expression)?,
                    None => true,
                };
                let cursor = text(next.find(&answer.json)).filter(|_| goes_on);
                if goes_on && more.is_some() && cursor.is_none() {
                    return Err(TurnError::NoNext);
                }
                cursor.map(At::Cursor)
            }
            Kind::LinkHeader => match next_link(&answer.headers) {
                Some(link) => Some(At::Address(
                    asked.join(&link).map_err(|_| TurnError::NoNext)?,
                )),
                None => None,
            },
            Kind::NextLink(next) => match text(next.find(&answer.json)) {
                Some(link) => Some(At::Address(
                    asked.join(&link).map_err(|_| TurnError::NoNext)?,
                )),
                None => None,
            },
        };
        Ok(Turn {
            next,
            total,
            counted,
        })
    }
}

/// Why it is not known where a list goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TurnError {
    /// An expression gave no answer.
    Expression(Fault),
    /// The answer says that there is more, and not where.
    NoNext,
    /// The answer says that it is another page.
    OtherPage,
}

impl TurnError {
    /// In words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Expression(fault) => fault.words(),
            Self::NoNext => "the answer says that there is more, and not where",
            Self::OtherPage => "the answer is another page than the one asked for",
        }
    }
}

impl EndRule {
    fn compile(
        compiling: &mut Compiling<'_>,
        path: &Path,
        written: &crate::manifest::End,
        sized: bool,
    ) -> Self {
        let rules = usize::from(written.short_page)
            + usize::from(written.empty_page)
            + usize::from(written.when.is_some());
        if rules > 1 || (rules == 0 && written.total.is_none()) {
            let message =
                "say how the end is known: exactly one of short_page, empty_page, when, or total";
            compiling.flaw(path, "manifest.end", message);
        }
        if written.short_page && !sized {
            let message = "a short page is known only where a size is asked for";
            compiling.flaw(path, "manifest.end", message);
        }
        Self {
            short_page: written.short_page,
            empty_page: written.empty_page,
            when: (written.when.as_ref())
                .and_then(|when| compiling.expression(&path.name("when"), when, &OF_ANSWER)),
            by_total: rules == 0,
        }
    }

    fn is_last(
        &self,
        scope: &Scope<'_>,
        rows: u64,
        seen: u64,
        size: Option<u64>,
        total: Option<u64>,
    ) -> Result<bool, TurnError> {
        if let Some(when) = &self.when {
            return when.holds(scope).map_err(TurnError::Expression);
        }
        if self.by_total {
            // Without a total there is no end to be seen.
            return match total {
                Some(total) => Ok(seen >= total || rows == 0),
                None => Err(TurnError::NoNext),
            };
        }
        Ok((self.empty_page && rows == 0)
            || (self.short_page && size.is_some_and(|size| rows < size)))
    }
}

/// The numbers that expressions about pages see.
pub(super) struct Numbers {
    page: Json,
    offset: Json,
    size: Json,
    cursor: Json,
    rows: Json,
    seen: Json,
}

impl Numbers {
    pub(super) fn new(at: &At, size: Option<u64>, rows: u64, seen: u64) -> Self {
        let number = |number: Option<u64>| number.map_or(Json::Null, Json::from);
        Self {
            page: number(match at {
                At::Page(page) => Some(*page),
                _ => None,
            }),
            offset: number(match at {
                At::Offset(offset) => Some(*offset),
                _ => None,
            }),
            cursor: match at {
                At::Cursor(cursor) => Json::String(cursor.clone()),
                _ => Json::Null,
            },
            size: number(size),
            rows: Json::from(rows),
            seen: Json::from(seen),
        }
    }

    fn scope<'a>(&'a self, answer: &'a Json) -> Scope<'a> {
        let mut scope = Scope::new();
        self.add_to(&mut scope);
        scope
            .with("answer", answer)
            .with("rows", &self.rows)
            .with("seen", &self.seen)
    }

    /// As variables of a request's templates.
    pub(super) fn add_to<'a>(&'a self, scope: &mut Scope<'a>) {
        scope.set("page", &self.page);
        scope.set("offset", &self.offset);
        scope.set("size", &self.size);
        scope.set("cursor", &self.cursor);
    }
}

fn size(compiling: &mut Compiling<'_>, path: &Path, written: Option<&String>) -> Option<u64> {
    let path = path.name("size");
    let text = compiling.filled(&path, written?)?;
    let size = text
        .trim()
        .parse()
        .ok()
        .filter(|size| (1..=10_000).contains(size));
    if size.is_none() {
        compiling.flaw(&path, "manifest.size", "a size is a number from 1 to 10000");
    }
    size
}

fn count(
    compiling: &mut Compiling<'_>,
    path: &Path,
    written: &crate::manifest::End,
) -> Option<Pointer> {
    compiling.pointer(&path.name("count"), written.count.as_ref()?, &[])
}

fn total(
    compiling: &mut Compiling<'_>,
    path: &Path,
    written: Option<&String>,
    exact: bool,
) -> Option<Total> {
    if exact && written.is_none() {
        compiling.flaw(
            path,
            "manifest.end",
            "exact speaks of a total; say where it stands",
        );
    }
    let pointer = compiling.pointer(&path.name("total"), written?, &[])?;
    Some(Total {
        place: TotalPlace::Body(pointer),
        exact,
    })
}

fn number(value: &Json) -> Option<u64> {
    match value {
        Json::Number(number) => number.as_u64(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn text(value: Option<&Json>) -> Option<String> {
    let text = match value? {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

/// The address with rel="next" (RFC 8288, section 3).
fn next_link(headers: &HeaderMap) -> Option<String> {
    let lines = headers
        .get_all("link")
        .iter()
        .filter_map(|line| line.to_str().ok());
    for line in lines {
        let mut rest = line;
        while let Some((_, link)) = rest.split_once('<') {
            let (address, behind) = link.split_once('>')?;
            rest = behind;
            let parameters = behind.split('<').next().unwrap_or_default();
            let is_next = parameters.split(';').any(|parameter| {
                parameter.split_once('=').is_some_and(|(name, value)| {
                    name.trim().eq_ignore_ascii_case("rel")
                        && (value.trim_matches([' ', '"', ',']).split_whitespace())
                            .any(|relation| relation.eq_ignore_ascii_case("next"))
                })
            });
            if is_next {
                return Some(address.to_owned());
            }
        }
    }
    None
}

/// What cannot be turned is an answer that cannot be understood.
impl From<TurnError> for ConnectError {
    fn from(error: TurnError) -> Self {
        Self::new(
            crate::error::ErrorKind::Answer,
            "paging.no_next",
            format!("it is not known where the list goes on: {}", error.words()),
            "report it with the connector's name and version",
        )
    }
}
