//! A manifest, compiled for the settings of one connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use muster_model::{ExternalId, Field};
use regex::Regex;
use serde_json::Value as Json;

use super::call::CompiledCall;
use super::compiling::{Compiling, GENERAL};
use super::paging::CompiledPaging;
use super::record::RecordMapping;
use super::refusal::Refusals;
use super::streaming::Wanted;
use super::writing::CompiledWrite;
use crate::authentication::{self, CompiledAuthentication};
use crate::expression::{Expression, Template};
use crate::manifest::{
    ById, Call, Company, Discovery, Join, Mapping, Path, People, Per, RightsList,
};
use crate::pointer::Pointer;

/// Bytes of a compiled pattern.
const LARGEST_PATTERN: usize = 64 * 1024;

/// What can be run.
pub(crate) struct Compiled {
    pub(super) authentication: Option<CompiledAuthentication>,
    pub(super) headers: Vec<(String, Template)>,
    pub(super) refusals: Refusals,
    pub(super) company: Option<CompiledCompany>,
    pub(super) people: Vec<CompiledPeople>,
    /// The lists of what changed; empty where the vendor does not tell, or not
    /// with these settings.
    pub(super) changes: Vec<CompiledPeople>,
    pub(super) joins: Vec<CompiledJoin>,
    pub(super) by_id: Option<CompiledById>,
    pub(super) discovery: Option<CompiledDiscovery>,
    pub(super) mapping: RecordMapping,
    pub(super) write: Option<CompiledWrite>,
}

/// A list that is read page by page.
pub(super) struct CompiledList {
    pub(super) request: CompiledCall,
    pub(super) rows: Pointer,
    pub(super) keyed: bool,
    pub(super) paging: CompiledPaging,
}

impl CompiledList {
    /// What is taken out of its answer, where that is one that can be read row by row.
    pub(super) fn streams(&self, refusals: &Refusals) -> Option<Wanted> {
        let is_one = self.paging.is_one_answer() && !self.keyed;
        let way = is_one.then(|| self.rows.plain_names()).flatten()?;
        (refusals.can_do_without(&way)).then(|| Wanted {
            way,
            keeps: refusals.looks_into_success(),
        })
    }
}

/// A list of people.
pub(super) struct CompiledPeople {
    pub(super) list: CompiledList,
    pub(super) id: Pointer,
    pub(super) revision: Option<Revision>,
    pub(super) only: Option<Expression>,
    pub(super) removed: Option<Expression>,
    pub(super) adds: bool,
    pub(super) always: Vec<String>,
    pub(super) bookkeeping: Arc<[String]>,
}

/// What numbers the revisions of a row.
pub(super) enum Revision {
    At(Pointer),
    Of(Expression),
}

/// What is joined to people.
pub(super) struct CompiledJoin {
    pub(super) name: String,
    pub(super) per: Per,
    pub(super) list: CompiledList,
    pub(super) key: Option<Pointer>,
    pub(super) by: By,
    pub(super) many: bool,
    pub(super) batch: usize,
    pub(super) optional: bool,
}

/// What a person's row is joined by.
pub(super) enum By {
    /// The record's id.
    Id,
    /// What stands there.
    Pointer(Pointer),
    /// What it gives: one key, or a list of several.
    Expression(Expression),
}

impl By {
    /// What of the row it needs: ways of names.
    pub(super) fn ways(&self) -> Vec<String> {
        match self {
            Self::Id => Vec::new(),
            Self::Pointer(pointer) => pointer.ways(),
            Self::Expression(expression) => expression.reads("row").map(str::to_owned).collect(),
        }
    }
}

/// The company behind the credentials.
pub(super) struct CompiledCompany {
    pub(super) request: Option<CompiledCall>,
    pub(super) id: CompanyId,
    pub(super) otherwise: Option<Template>,
    pub(super) name: Option<Pointer>,
    pub(super) rights: Option<Pointer>,
    pub(super) rights_list: Option<CompiledRights>,
}

/// The credential's rights as a list of their own.
pub(super) struct CompiledRights {
    pub(super) list: CompiledList,
    pub(super) right: Pointer,
}

/// Where its id is.
pub(super) enum CompanyId {
    Answer(Vec<Pointer>),
    Template(Template),
}

/// Asking by id.
pub(super) struct CompiledById {
    pub(super) request: CompiledCall,
    pub(super) rows: Pointer,
    pub(super) id: Option<Pointer>,
    /// What an id of this vendor looks like.
    pub(super) ids: Option<Regex>,
    pub(super) only: Option<Expression>,
    pub(super) count: Option<Pointer>,
    pub(super) batch: usize,
    pub(super) gone: Option<(u16, Vec<String>)>,
    pub(super) whole_row: bool,
}

/// Which fields there are.
pub(super) struct CompiledDiscovery {
    pub(super) request: CompiledCall,
    pub(super) rows: Pointer,
    pub(super) name: Vec<Pointer>,
    pub(super) label: Option<Pointer>,
    pub(super) kind: Option<Pointer>,
    pub(super) narrows: bool,
}

impl CompiledById {
    /// Those of these ids that can be this vendor's.
    pub(super) fn own<'a>(&self, ids: &'a [ExternalId]) -> Vec<&'a ExternalId> {
        let known = |id: &&ExternalId| match &self.ids {
            Some(pattern) => pattern.is_match(id.as_str()),
            None => true,
        };
        ids.iter().filter(known).collect()
    }

    /// Does an answer hold as many rows as it says?
    pub(super) fn is_counted(&self, answer: &Json, rows: usize) -> bool {
        let said = (self.count.as_ref()).and_then(|count| count.find(answer)?.as_u64());
        said.is_none_or(|said| said == rows as u64)
    }
}

/// Compiles everything; what cannot be is among the flaws. `changed` are the
/// connection's own mappings.
pub(super) fn compile(
    compiling: &mut Compiling<'_>,
    changed: &BTreeMap<Field, Mapping>,
) -> Compiled {
    let manifest = compiling.manifest();
    let root = Path::default();
    for name in manifest.joins.keys() {
        compiling.tree_name(&root.name("joins").name(name), name);
    }
    let changed: Vec<(Field, Mapping)> = (changed.iter())
        .map(|(field, mapping)| (*field, mapping.clone()))
        .collect();
    let mut people = Vec::new();
    for (place, written) in manifest.people.iter().enumerate() {
        let path = root.name("people").place(place);
        if compiling.is_meant(&written.when, &path) {
            people.extend(self::people(compiling, &path, written));
        }
    }
    let mut changes = Vec::new();
    if let Some(written) = &manifest.changes {
        let root = root.name("changes");
        for (place, written) in written.people.iter().enumerate() {
            let path = root.name("people").place(place);
            if compiling.is_meant(&written.when, &path) {
                changes.extend(self::people(compiling, &path, written));
            }
        }
        if written.people.is_empty() || written.full_hours == 0 {
            let message =
                "name the lists of what changed, and after how many hours everybody is read again";
            compiling.flaw(&root, "manifest.empty", message);
        }
    }
    crate::webhook::check(compiling);
    if manifest.people.is_empty() {
        let message = "name a list of people: [[people]]";
        compiling.flaw(&root.name("people"), "manifest.empty", message);
    }
    let mut joins = Vec::new();
    for (name, written) in &manifest.joins {
        let path = root.name("joins").name(name);
        if compiling.is_meant(&written.when, &path) {
            joins.extend(join(compiling, &path, name, written));
        }
    }
    let mut by_id = None;
    for (place, written) in manifest.by_id.iter().enumerate() {
        let path = root.name("by_id").place(place);
        if compiling.is_meant(&written.when, &path) {
            let compiled = self::by_id(compiling, &path, written);
            by_id = by_id.or(compiled);
        }
    }
    let company = match &manifest.company {
        Some(written) => company(compiling, written),
        None => {
            let message = "say how the company behind the credentials is known: [company]";
            compiling.flaw(&root.name("company"), "manifest.empty", message);
            None
        }
    };
    Compiled {
        authentication: authentication::compile(compiling),
        headers: compiling.templates(&root.name("headers"), &manifest.headers, &GENERAL),
        refusals: Refusals::compile(compiling),
        company,
        people,
        changes,
        joins,
        by_id,
        discovery: (manifest.discovery.as_ref()).and_then(|written| discovery(compiling, written)),
        mapping: RecordMapping::compile(compiling, &changed),
        write: super::writing::compile(compiling),
    }
}

/// The variables of a request for a page.
fn of_pages(more: &[&'static str]) -> Vec<&'static str> {
    let mut variables = GENERAL.to_vec();
    variables.extend([
        "page", "offset", "size", "cursor", "wanted", "selected", "read_at", "since",
    ]);
    variables.extend(more);
    variables
}

fn list(
    compiling: &mut Compiling<'_>,
    path: &Path,
    written: (&Call, &str, bool),
    paging: (&crate::manifest::Paging, bool),
    more: &[&'static str],
) -> Option<CompiledList> {
    let (request, rows, keyed) = written;
    let request = CompiledCall::compile(compiling, &path.name("request"), request, &of_pages(more));
    let rows = compiling.pointer(&path.name("rows"), rows, &[]);
    let paging = CompiledPaging::compile(compiling, &path.name("paging"), paging.0, paging.1);
    Some(CompiledList {
        request: request?,
        rows: rows?,
        keyed,
        paging: paging?,
    })
}

fn people(compiling: &mut Compiling<'_>, path: &Path, written: &People) -> Option<CompiledPeople> {
    let of_list = (&written.request, written.rows.as_str(), written.keyed);
    let list = list(compiling, path, of_list, (&written.paging, true), &[]);
    let id = compiling.pointer(&path.name("id"), &written.id, &[]);
    let of_row = ["row", "setting", "today"];
    let place = path.name("revision");
    let revision = (written.revision.as_ref()).and_then(|text| match text.strip_prefix('=') {
        Some(text) => (compiling.expression(&place, text, &of_row)).map(Revision::Of),
        None => compiling.pointer(&place, text, &[]).map(Revision::At),
    });
    let only = written.only.as_ref();
    let only = only.and_then(|text| compiling.expression(&path.name("only"), text, &of_row));
    let removed = written.removed.as_ref();
    let removed =
        removed.and_then(|text| compiling.expression(&path.name("removed"), text, &of_row));
    Some(CompiledPeople {
        list: list?,
        id: id?,
        revision,
        only,
        removed,
        adds: written.adds,
        always: written.always.clone(),
        bookkeeping: written.bookkeeping.clone().into(),
    })
}

fn join(
    compiling: &mut Compiling<'_>,
    path: &Path,
    name: &str,
    written: &Join,
) -> Option<CompiledJoin> {
    let more: &[&'static str] = match written.per {
        Per::Read => &[],
        Per::Batch => &["ids"],
        Per::Person => &["id", "row"],
    };
    let of_list = (&written.request, written.rows.as_str(), written.keyed);
    let paged = written.per == Per::Read;
    let list = list(compiling, path, of_list, (&written.paging, paged), more);
    let key =
        (written.key.as_ref()).and_then(|text| compiling.pointer(&path.name("key"), text, &[]));
    let by = by(compiling, &path.name("by"), written.by.as_deref());
    if written.per != Per::Person && key.is_none() {
        let message = "say by what rows are joined: key";
        compiling.flaw(path, "manifest.join", message);
    }
    if written.batch == 0 || written.batch > 1000 {
        let message = "a batch holds from 1 to 1000 ids";
        compiling.flaw(&path.name("batch"), "manifest.size", message);
    }
    Some(CompiledJoin {
        name: name.to_owned(),
        per: written.per,
        list: list?,
        key,
        by: by?,
        many: written.many,
        batch: written.batch.clamp(1, 1000),
        optional: written.optional,
    })
}

fn by(compiling: &mut Compiling<'_>, path: &Path, written: Option<&str>) -> Option<By> {
    let Some(text) = written else {
        return Some(By::Id);
    };
    match text.strip_prefix('=') {
        Some(text) => compiling
            .expression(path, text, &["row", "setting", "today"])
            .map(By::Expression),
        None => compiling.pointer(path, text, &[]).map(By::Pointer),
    }
}

fn company(compiling: &mut Compiling<'_>, written: &Company) -> Option<CompiledCompany> {
    let path = Path::default().name("company");
    let request = (written.request.as_ref())
        .map(|call| CompiledCall::compile(compiling, &path.name("request"), call, &GENERAL));
    let id = match &request {
        Some(_) => {
            let before = compiling.flaws.len();
            let pointers = match written.id.0.as_slice() {
                // One that stands alone has the place of the text.
                [one] => (compiling.pointer(&path.name("id"), one, &[]).into_iter()).collect(),
                _ => compiling.pointers(&path.name("id"), &written.id, &[]),
            };
            (compiling.flaws.len() == before).then_some(CompanyId::Answer(pointers))
        }
        None => {
            let text = written.id.0.first().map_or("", String::as_str);
            compiling
                .template(&path.name("id"), text, &GENERAL)
                .map(CompanyId::Template)
        }
    };
    let otherwise = (written.otherwise.as_ref())
        .and_then(|text| compiling.template(&path.name("otherwise"), text, &GENERAL));
    let rights_list = match &written.rights_list {
        Some(written) => Some(rights_list(compiling, &path.name("rights_list"), written)?),
        None => None,
    };
    let mut pointer = |name: &str, text: &Option<String>| {
        compiling.pointer(&path.name(name), text.as_ref()?, &[])
    };
    let (name, rights) = (
        pointer("name", &written.name),
        pointer("rights", &written.rights),
    );
    Some(CompiledCompany {
        request: match request {
            Some(request) => Some(request?),
            None => None,
        },
        id: id?,
        otherwise,
        name,
        rights,
        rights_list,
    })
}

fn rights_list(
    compiling: &mut Compiling<'_>,
    path: &Path,
    written: &RightsList,
) -> Option<CompiledRights> {
    let of_list = (&written.request, written.rows.as_str(), false);
    Some(CompiledRights {
        list: list(
            compiling,
            path,
            of_list,
            (&written.paging, true),
            &["company"],
        )?,
        right: compiling.pointer(&path.name("right"), &written.right, &[])?,
    })
}

fn by_id(compiling: &mut Compiling<'_>, path: &Path, written: &ById) -> Option<CompiledById> {
    let mut variables = GENERAL.to_vec();
    variables.extend(["id", "ids", "wanted", "selected"]);
    let request = CompiledCall::compile(
        compiling,
        &path.name("request"),
        &written.request,
        &variables,
    );
    let rows = compiling.pointer(&path.name("rows"), &written.rows, &[]);
    let id = written.id.as_ref();
    let id = id.and_then(|text| compiling.pointer(&path.name("id"), text, &[]));
    if written.batch == 1 && written.gone.is_none() {
        let message = "say which answer means that there is no such record: gone";
        compiling.flaw(path, "manifest.by_id", message);
    }
    if written.batch > 1 && id.is_none() {
        compiling.flaw(
            path,
            "manifest.by_id",
            "say where the id stands in a row: id",
        );
    }
    let only = (written.only.as_ref()).and_then(|text| {
        compiling.expression(&path.name("only"), text, &["row", "setting", "today"])
    });
    let count =
        (written.count.as_ref()).and_then(|text| compiling.pointer(&path.name("count"), text, &[]));
    let ids = written.ids.as_ref().and_then(|pattern| {
        let built = regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
            .size_limit(LARGEST_PATTERN)
            .build();
        if built.is_err() {
            let message = "this is no pattern; whole numbers are [0-9]+";
            compiling.flaw(&path.name("ids"), "manifest.pattern", message);
        }
        built.ok()
    });
    Some(CompiledById {
        request: request?,
        rows: rows?,
        id,
        ids,
        only,
        count,
        batch: written.batch.clamp(1, 1000),
        gone: written
            .gone
            .as_ref()
            .map(|gone| (gone.status, gone.codes.clone())),
        whole_row: written.whole_row,
    })
}

fn discovery(compiling: &mut Compiling<'_>, written: &Discovery) -> Option<CompiledDiscovery> {
    let path = Path::default().name("discovery");
    let request =
        CompiledCall::compile(compiling, &path.name("request"), &written.request, &GENERAL);
    let rows = compiling.pointer(&path.name("rows"), &written.rows, &[]);
    let name = compiling.pointers(&path.name("name"), &written.name, &[]);
    let mut pointer = |name: &str, text: &Option<String>| {
        compiling.pointer(&path.name(name), text.as_ref()?, &[])
    };
    let (label, kind) = (
        pointer("label", &written.label),
        pointer("kind", &written.kind),
    );
    Some(CompiledDiscovery {
        request: request?,
        rows: rows?,
        name,
        label,
        kind,
        narrows: written.narrows,
    })
}

/// The rows that stand in a list, or that an object holds by their keys.
pub(super) fn rows_of(list: &CompiledList, answer: &mut Json) -> Option<Vec<Json>> {
    take_rows(&list.rows, list.keyed, answer)
}

/// The rows at a place of an answer.
pub(super) fn take_rows(rows: &Pointer, keyed: bool, answer: &mut Json) -> Option<Vec<Json>> {
    match rows.take(answer) {
        Some(Json::Array(rows)) => Some(rows),
        Some(Json::Object(map)) if keyed => Some(map.into_iter().map(|(_, row)| row).collect()),
        // XML does not tell a list of one from one, and none from nothing.
        Some(one @ Json::Object(_)) => Some(vec![one]),
        _ => None,
    }
}
