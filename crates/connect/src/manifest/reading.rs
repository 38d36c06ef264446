//! The requests of a connector, as a manifest says them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::text::Texts;

/// A request. Texts may hold CEL expressions in braces; what is null is left out.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    /// The path below the base address, beginning with a slash, or a whole address that begins with https://.
    pub(crate) path: String,
    /// GET, POST, PUT or PATCH; GET when nothing is said. A request of a read is repeated after failures, so it must change nothing.
    #[serde(default)]
    pub(crate) method: Method,
    /// Parameters of the address.
    #[serde(default)]
    pub(crate) query: BTreeMap<String, String>,
    /// Headers beside the usual ones.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// A JSON body.
    pub(crate) json: Option<serde_json::Value>,
    /// The body of a form.
    #[serde(default)]
    pub(crate) form: BTreeMap<String, String>,
    /// An XML body, as text.
    pub(crate) xml: Option<String>,
}

/// The method of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    /// Reads.
    #[default]
    Get,
    /// Sends.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
}

/// A list of people. A connector may have several: those who left may stand in one of their own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct People {
    /// Only when these settings have these values.
    #[serde(default)]
    pub(crate) when: BTreeMap<String, String>,
    /// How a page is asked for.
    pub(crate) request: Call,
    /// Pointer to the list in the answer; empty when the answer is the list.
    pub(crate) rows: String,
    /// The list is an object whose members are the rows.
    #[serde(default)]
    pub(crate) keyed: bool,
    /// Pointer to the record's id in the row.
    pub(crate) id: String,
    /// Pointer to a number or time that only grows; behind `=` a CEL expression for it.
    pub(crate) revision: Option<String>,
    /// Only rows for which this CEL expression holds are people of the company.
    pub(crate) only: Option<String>,
    /// Rows for which this CEL expression holds are of people who were removed.
    pub(crate) removed: Option<String>,
    /// Only rows of people whom the lists before did not hold count; the others are passed over.
    /// For a list that shows the same people as of another day.
    #[serde(default)]
    pub(crate) adds: bool,
    /// How pages follow each other.
    pub(crate) paging: Paging,
    /// Fields always asked for, where the vendor lets fields be chosen.
    #[serde(default)]
    pub(crate) always: Vec<String>,
}

/// Reading only what changed since a read. A read of everybody stays the rule: it alone decides
/// who is gone.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changes {
    /// Seconds before the last read, by the vendor's clock, from which changes are asked for again.
    #[serde(default = "five_minutes")]
    pub(crate) overlap_seconds: u32,
    /// Hours after which everybody is read again.
    #[serde(default = "a_day")]
    pub(crate) full_hours: u32,
    /// The lists; templates see `since` (RFC 3339), and rows are as those of the lists of people.
    pub(crate) people: Vec<People>,
}

const fn five_minutes() -> u32 {
    300
}

const fn a_day() -> u32 {
    24
}

/// How pages follow each other; exactly one of these.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// There are no pages: the whole list is one answer.
    pub(crate) none: Option<NoPages>,
    /// A number of rows to skip.
    pub(crate) offset: Option<Offset>,
    /// A number of the page.
    pub(crate) page: Option<PageNumber>,
    /// A text of the answer that asks for the next page.
    pub(crate) cursor: Option<Cursor>,
    /// A header `Link` with rel="next" (RFC 8288).
    pub(crate) link_header: Option<LinkHeader>,
    /// The next page's address in the answer.
    pub(crate) next_link: Option<NextLink>,
    /// OData: `@odata.nextLink` (4) or `d.__next` (2).
    pub(crate) odata: Option<Odata>,
}

impl Paging {
    /// Does the vendor vouch for a total?
    pub(crate) fn is_exact(&self) -> bool {
        (self.offset.as_ref()).is_some_and(|offset| offset.end.exact)
            || (self.page.as_ref()).is_some_and(|page| page.end.exact)
            || (self.cursor.as_ref()).is_some_and(|cursor| cursor.exact)
            || (self.link_header.as_ref()).is_some_and(|link| link.exact)
            || (self.next_link.as_ref()).is_some_and(|next| next.exact)
    }
}

/// One answer.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoPages {}

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Carrier {
    /// Into the query.
    #[default]
    Query,
    /// Into the JSON body or form.
    Body,
    /// Nowhere: the request's own templates use `page`, `offset`, `size` or `cursor`.
    Template,
}

/// Paging by rows to skip.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Offset {
    /// The parameter of the rows to skip.
    pub(crate) parameter: Option<String>,
    /// The parameter of the rows wanted.
    pub(crate) size_parameter: Option<String>,
    /// Rows wanted: a number, or a template such as {setting.page_size}.
    pub(crate) size: String,
    /// Where parameters go.
    #[serde(default)]
    pub(crate) carried: Carrier,
    /// How the end is known.
    pub(crate) end: End,
}

/// Paging by a page's number.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageNumber {
    /// The parameter of the page's number.
    pub(crate) parameter: Option<String>,
    /// The parameter of the rows wanted, where the vendor takes one.
    pub(crate) size_parameter: Option<String>,
    /// Rows wanted: a number, or a template.
    pub(crate) size: Option<String>,
    /// The number of the first page.
    #[serde(default = "one")]
    pub(crate) first: u64,
    /// Where parameters go.
    #[serde(default)]
    pub(crate) carried: Carrier,
    /// How the end is known.
    pub(crate) end: End,
}

const fn one() -> u64 {
    1
}

/// How the end of a list is known; exactly one of `short_page`, `empty_page`, `when` and
/// `total`, or `total` with one of the others.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    /// A page with fewer rows than asked for is the last.
    #[serde(default)]
    pub(crate) short_page: bool,
    /// A page without rows is behind the last.
    #[serde(default)]
    pub(crate) empty_page: bool,
    /// The page is the last when this CEL expression holds; it sees `answer`, `page`, `offset`, `size`, `rows` (of this page) and `seen` (of all).
    pub(crate) when: Option<String>,
    /// Pointer to the number of rows of the whole list.
    pub(crate) total: Option<String>,
    /// Does the vendor vouch for its total? Then rows that equal it prove a whole read, and
    /// others disprove it; else a difference is only a doubt.
    #[serde(default)]
    pub(crate) exact: bool,
}

/// Paging by a text of the answer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cursor {
    /// The parameter that carries it.
    pub(crate) parameter: Option<String>,
    /// Pointer to it in the answer; nothing, null or empty text ends the list.
    pub(crate) next: String,
    /// The list has another page only when this CEL expression over `answer` holds.
    pub(crate) more: Option<String>,
    /// The parameter of the rows wanted.
    pub(crate) size_parameter: Option<String>,
    /// Rows wanted: a number, or a template.
    pub(crate) size: Option<String>,
    /// Where parameters go.
    #[serde(default)]
    pub(crate) carried: Carrier,
    /// Pointer to the number of rows of the whole list.
    pub(crate) total: Option<String>,
    /// Does the vendor vouch for its total?
    #[serde(default)]
    pub(crate) exact: bool,
}

/// Paging by the header `Link`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkHeader {
    /// The header with the number of rows of the whole list.
    pub(crate) total_header: Option<String>,
    /// Does the vendor vouch for its total?
    #[serde(default)]
    pub(crate) exact: bool,
}

/// Paging by an address in the answer; it may be relative to the one before.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NextLink {
    /// Pointer to the address; nothing, null or empty text ends the list.
    pub(crate) next: String,
    /// Pointer to the number of rows of the whole list.
    pub(crate) total: Option<String>,
    /// Does the vendor vouch for its total?
    #[serde(default)]
    pub(crate) exact: bool,
}

/// OData's paging.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Odata {
    /// 2 or 4.
    pub(crate) version: u8,
}

/// A list, or a request for each person, whose rows are joined to people.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Join {
    /// Only when these settings have these values.
    #[serde(default)]
    pub(crate) when: BTreeMap<String, String>,
    /// How often it is asked for: a list once before the people, or once for each person or batch of a page.
    #[serde(default)]
    pub(crate) per: Per,
    /// How it is asked for. Per person the templates see `row` and `id`, per batch `ids`.
    pub(crate) request: Call,
    /// Pointer to the rows in the answer; per person, empty means the answer itself.
    #[serde(default)]
    pub(crate) rows: String,
    /// The list is an object whose members are the rows.
    #[serde(default)]
    pub(crate) keyed: bool,
    /// Pointer in the joined row to what it is joined by. Not needed per person.
    pub(crate) key: Option<String>,
    /// Pointer in the person's row to the same, or behind `=` a CEL expression that gives it, or a
    /// list of several; without it, the record's id.
    pub(crate) by: Option<String>,
    /// A person may have several rows: then the tree is a list.
    #[serde(default)]
    pub(crate) many: bool,
    /// How pages follow each other.
    #[serde(default)]
    pub(crate) paging: Paging,
    /// Ids in one request, per batch.
    #[serde(default = "hundred")]
    pub(crate) batch: usize,
    /// Rights that the credentials may lack: then nothing is joined, instead of failing the read.
    #[serde(default)]
    pub(crate) optional: bool,
}

const fn hundred() -> usize {
    100
}

/// How often something is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Per {
    /// Once, before the people: for small lists (departments, codes).
    #[default]
    Read,
    /// Once for so many people of a page.
    Batch,
    /// Once for each person.
    Person,
}

/// The company behind the credentials: what is pinned when connecting.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Company {
    /// The request that tells it; without one, `id` is a template.
    pub(crate) request: Option<Call>,
    /// Pointer to the company's id in the answer, or a template such as {setting.company} or {host}.
    pub(crate) id: String,
    /// Pointer to its name.
    pub(crate) name: Option<String>,
    /// Pointer to a list of the credential's rights.
    pub(crate) rights: Option<String>,
}

/// Asking by id whether somebody is still there.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ById {
    /// Only when these settings have these values.
    #[serde(default)]
    pub(crate) when: BTreeMap<String, String>,
    /// For one at a time it sees `id`, for many `ids`.
    pub(crate) request: Call,
    /// Pointer to the rows, for many; or to the row, for one.
    #[serde(default)]
    pub(crate) rows: String,
    /// Pointer to the id in a row.
    pub(crate) id: Option<String>,
    /// Ids in one request; 1 asks for one at a time.
    #[serde(default = "one_id")]
    pub(crate) batch: usize,
    /// The answer that says that there is no such record, for one at a time.
    pub(crate) gone: Option<Gone>,
    /// The row is as in the list of people, so that a mapping can be tried on it.
    #[serde(default)]
    pub(crate) whole_row: bool,
}

const fn one_id() -> usize {
    1
}

/// The answer that says that there is no such record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gone {
    /// Its status.
    pub(crate) status: u16,
    /// The vendor's own code, where the status alone could mean a wrong address.
    #[serde(default)]
    pub(crate) codes: Vec<String>,
}

/// Which fields the vendor has for this company.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Discovery {
    /// How they are asked for.
    pub(crate) request: Call,
    /// Pointer to the list.
    pub(crate) rows: String,
    /// Pointers to the name by which a field is asked for and stands in rows; the first there counts.
    pub(crate) name: Texts,
    /// Pointer to what people call it.
    pub(crate) label: Option<String>,
    /// Pointer to its kind.
    pub(crate) kind: Option<String>,
    /// Ask only for fields that are there.
    #[serde(default)]
    pub(crate) narrows: bool,
}
