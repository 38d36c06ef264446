//! A manifest, compiled for the settings of one connection.

use std::collections::BTreeMap;

use muster_model::Field;
use serde_json::Value as Json;

use super::call::CompiledCall;
use super::compiling::{Compiling, GENERAL};
use super::paging::CompiledPaging;
use super::record::RecordMapping;
use super::refusal::Refusals;
use super::writing::CompiledWrite;
use crate::authentication::{self, CompiledAuthentication};
use crate::expression::{Expression, Template};
use crate::manifest::{ById, Call, Company, Discovery, Join, Mapping, Path, People, Per};
use crate::pointer::Pointer;

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

/// A list of people.
pub(super) struct CompiledPeople {
    pub(super) list: CompiledList,
    pub(super) id: Pointer,
    pub(super) revision: Option<Revision>,
    pub(super) only: Option<Expression>,
    pub(super) removed: Option<Expression>,
    pub(super) adds: bool,
    pub(super) always: Vec<String>,
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

/// The company behind the credentials.
pub(super) struct CompiledCompany {
    pub(super) request: Option<CompiledCall>,
    pub(super) id: CompanyId,
    pub(super) name: Option<Pointer>,
    pub(super) rights: Option<Pointer>,
}

/// Where its id is.
pub(super) enum CompanyId {
    Answer(Pointer),
    Template(Template),
}

/// Asking by id.
pub(super) struct CompiledById {
    pub(super) request: CompiledCall,
    pub(super) rows: Pointer,
    pub(super) id: Option<Pointer>,
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
        "page", "offset", "size", "cursor", "wanted", "read_at", "since",
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
        Some(_) => compiling
            .pointer(&path.name("id"), &written.id, &[])
            .map(CompanyId::Answer),
        None => compiling
            .template(&path.name("id"), &written.id, &GENERAL)
            .map(CompanyId::Template),
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
        name,
        rights,
    })
}

fn by_id(compiling: &mut Compiling<'_>, path: &Path, written: &ById) -> Option<CompiledById> {
    let mut variables = GENERAL.to_vec();
    variables.extend(["id", "ids", "wanted"]);
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
    Some(CompiledById {
        request: request?,
        rows: rows?,
        id,
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
