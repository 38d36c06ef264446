//! From a row to a source record.

use std::sync::Arc;

use muster_model::engagement::{Engagement, EngagementStatus};
use muster_model::values::Country;
use muster_model::{ExternalId, Field, Presence, Raw, Said as Stated, SourceRecord, Value};
use serde_json::Value as Json;

use super::compiled::CompiledJoin;
use super::compiling::Compiling;
use super::derived::{self, Derived};
use super::engagement::{CompiledEngagements, EngagementReader};
use super::mapping::{CompiledMapping, Said, Trees};
use super::reading::id;
use crate::connector::FieldScope;
use crate::expression::Scope;
use crate::manifest::Path;
use crate::normalise::{Draft, Rules};

/// Fields of an employment, which make one engagement where the row itself is it.
pub(super) const OF_EMPLOYMENT: [Field; 5] = [
    Field::EmploymentStatus,
    Field::EmploymentType,
    Field::EmploymentPercentage,
    Field::StartDate,
    Field::EndDate,
];

/// How a row becomes a record.
pub(crate) struct RecordMapping {
    pub(super) fields: Vec<(Field, CompiledMapping)>,
    pub(super) custom: Vec<(String, CompiledMapping)>,
    pub(super) engagements: Option<CompiledEngagements>,
    derived: Vec<Derived>,
}

/// A row with what was joined to it.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) tree: Json,
    /// Members that say nothing of the person.
    pub(crate) bookkeeping: Arc<[String]>,
    /// Joined trees by name, in the order of the manifest.
    pub(crate) joined: Vec<Json>,
    /// Trees made of all that, in the order of the manifest.
    pub(crate) derived: Vec<Json>,
    /// Could everything be read that belongs to it?
    pub(crate) whole: bool,
    pub(crate) presence: Presence,
    pub(crate) revision: Option<i64>,
}

impl RecordMapping {
    pub(super) fn compile(
        compiling: &mut Compiling<'_>,
        changed: &[(Field, crate::manifest::Mapping)],
    ) -> Self {
        let manifest = compiling.manifest();
        let mut joins = compiling.joins();
        let derived = derived::compile(compiling, &joins);
        joins.extend(manifest.derived.keys().map(String::as_str));
        joins.push("setting");
        let root = Path::default();
        let mut fields = Vec::new();
        for (name, mapping) in &manifest.fields {
            // An unknown name is told where the entry in the catalogue is made.
            let Ok(field) = name.parse::<Field>() else {
                continue;
            };
            let path = root.name("fields").name(name);
            if matches!(field, Field::Engagements | Field::Custom) {
                let message = "engagements and custom have tables of their own";
                compiling.flaw(&path, "manifest.own_table", message);
                continue;
            }
            if manifest
                .engagements
                .as_ref()
                .is_some_and(|own| own.rows.is_some())
                && OF_EMPLOYMENT.contains(&field)
            {
                let message = "with a list of engagements, this stands in [engagements]";
                compiling.flaw(&path, "manifest.own_table", message);
            }
            if !changed.iter().any(|(known, _)| *known == field) {
                fields.push((
                    field,
                    CompiledMapping::compile(compiling, &path, mapping, &joins),
                ));
            }
        }
        for (field, mapping) in changed {
            let path = root.name("settings");
            fields.push((
                *field,
                CompiledMapping::compile(compiling, &path, mapping, &joins),
            ));
        }
        fields.sort_by_key(|(field, _)| *field);
        let custom = (manifest.custom.iter())
            .map(|(name, mapping)| {
                let path = root.name("custom").name(name);
                (
                    name.clone(),
                    CompiledMapping::compile(compiling, &path, mapping, &joins),
                )
            })
            .collect();
        let engagements = (manifest.engagements.as_ref())
            .map(|engagements| CompiledEngagements::compile(compiling, engagements, &joins));
        Self {
            fields,
            custom,
            engagements,
            derived,
        }
    }

    /// What the vendor is asked for, where it lets fields be chosen.
    pub(super) fn asks(&self, scope: &FieldScope) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut add = |asked: Vec<&str>| {
            for name in asked {
                if !names.iter().any(|known| known == name) {
                    names.push(name.to_owned());
                }
            }
        };
        for (_, mapping) in self.in_scope(scope) {
            add(mapping.asks());
        }
        if scope.has(Field::Custom) {
            for (_, mapping) in &self.custom {
                add(mapping.asks());
            }
        }
        if let Some(engagements) = &self.engagements {
            add(engagements.asks(scope));
        }
        for derived in self.derived_for(scope) {
            add(derived.made.reads("row").collect());
        }
        names
    }

    /// The same at any depth, for vendors that let members of members be chosen: ways of names
    /// with slashes between. What rows are joined by is among them.
    pub(super) fn selects(&self, scope: &FieldScope, joins: &[CompiledJoin]) -> Vec<String> {
        let mut ways: Vec<String> = Vec::new();
        for (_, mapping) in self.in_scope(scope) {
            ways.extend(mapping.ways());
        }
        if scope.has(Field::Custom) {
            for (_, mapping) in &self.custom {
                ways.extend(mapping.ways());
            }
        }
        if let Some(engagements) = &self.engagements {
            ways.extend(engagements.ways(scope));
        }
        for derived in self.derived_for(scope) {
            ways.extend(derived.made.reads("row").map(str::to_owned));
        }
        for join in joins.iter().filter(|join| self.needs(&join.name, scope)) {
            ways.extend(join.by.ways());
        }
        ways
    }

    /// Is a joined tree needed for this scope?
    pub(super) fn needs(&self, tree: &str, scope: &FieldScope) -> bool {
        self.reaches(tree, scope)
            || (self.derived_for(scope)).any(|derived| derived.made.names(tree))
    }

    /// Those of the derived trees that something in scope reaches for.
    fn derived_for<'a>(&'a self, scope: &'a FieldScope) -> impl Iterator<Item = &'a Derived> {
        (self.derived.iter()).filter(|derived| self.reaches(&derived.name, scope))
    }

    /// Does a mapping in scope reach into a tree?
    fn reaches(&self, tree: &str, scope: &FieldScope) -> bool {
        self.in_scope(scope).any(|(_, mapping)| mapping.needs(tree))
            || (scope.has(Field::Custom)
                && self.custom.iter().any(|(_, mapping)| mapping.needs(tree)))
            || (self.engagements.as_ref()).is_some_and(|engagements| engagements.needs(tree, scope))
    }

    /// Fields in scope; the days and state of an employment come with any of its fields.
    fn in_scope<'a>(
        &'a self,
        scope: &'a FieldScope,
    ) -> impl Iterator<Item = &'a (Field, CompiledMapping)> {
        let of_employment = self.is_employment_meant(scope);
        self.fields.iter().filter(move |(field, _)| {
            scope.has(*field)
                || (of_employment
                    && matches!(
                        field,
                        Field::StartDate | Field::EndDate | Field::EmploymentStatus
                    ))
        })
    }

    fn is_employment_meant(&self, scope: &FieldScope) -> bool {
        speaks_of_employment(scope)
            || (self.engagements.as_ref()).is_some_and(|list| list.is_meant(scope))
    }

    /// Makes the trees of a row that the scope needs.
    pub(super) fn derive(
        &self,
        row: &mut Row,
        joins: &[String],
        general: &Scope<'_>,
        fields: &FieldScope,
    ) {
        let mut made = Vec::with_capacity(self.derived.len());
        let mut whole = true;
        let trees = self.trees(row, joins, general);
        for derived in &self.derived {
            let wanted = self.reaches(&derived.name, fields);
            let tree = match wanted {
                true => derived.of(&trees.scope),
                false => Ok(Json::Null),
            };
            whole &= tree.is_ok();
            made.push(tree.unwrap_or_default());
        }
        row.derived = made;
        // Whatever cannot be told of somebody is no reason to let them go.
        row.whole &= whole;
    }

    /// The trees of a row.
    pub(super) fn trees<'a>(
        &'a self,
        row: &'a Row,
        joins: &'a [String],
        general: &Scope<'a>,
    ) -> Trees<'a> {
        let mut scope = general.clone().with("row", &row.tree);
        for (name, tree) in joins.iter().zip(&row.joined) {
            scope.set(name, tree);
        }
        for (derived, tree) in self.derived.iter().zip(&row.derived) {
            scope.set(&derived.name, tree);
        }
        Trees {
            scope,
            row: &row.tree,
        }
    }

    /// The record of a row.
    pub(crate) fn record(
        &self,
        row: &Row,
        joins: &[String],
        general: &Scope<'_>,
        fields: &FieldScope,
        rules: &Rules,
    ) -> SourceRecord {
        let trees = self.trees(row, joins, general);
        let mut draft = Draft::new(rules, fields);
        let mut whole = row.whole;
        for (field, mapping) in &self.fields {
            if fields.has(*field) && !OF_EMPLOYMENT.contains(field) {
                put(&mut draft, *field, mapping, &trees, &row.id);
            }
        }
        if fields.has(Field::Custom) && !self.custom.is_empty() {
            let mut custom = std::collections::BTreeMap::new();
            for (name, mapping) in &self.custom {
                if let Some(text) = plain(&mut draft, Field::Custom, mapping, &trees) {
                    custom.insert(name.clone(), text);
                }
            }
            if !custom.is_empty() {
                draft.value(Field::Custom, Value::Map(custom));
            }
        }
        if self.is_employment_meant(fields) {
            let mut reader = EngagementReader {
                draft: &mut draft,
                scope: fields,
                whole: &mut whole,
            };
            let engagements = match &self.engagements {
                Some(list) if list.has_rows() => list.read(&mut reader, &trees),
                own => reader
                    .of_row(&self.fields, own.as_ref(), &trees, &row.id)
                    .map(|one| vec![one]),
            };
            if let Some(engagements) = engagements {
                draft.engagements(engagements);
            }
        }
        let (fields, problems) = draft.finish();
        SourceRecord {
            external_id: ExternalId::new(row.id.as_str()),
            revision: row.revision,
            presence: row.presence,
            whole,
            fields,
            problems,
            raw: Raw::of(words(row)),
        }
    }
}

/// What the vendor said of the row, as one text: the same as long as the vendor
/// says the same.
fn words(row: &Row) -> String {
    let mut words = match row.bookkeeping.is_empty() {
        true => row.tree.to_string(),
        false => without(&row.tree, &row.bookkeeping).to_string(),
    };
    for joined in &row.joined {
        words.push('\n');
        words.push_str(&joined.to_string());
    }
    words
}

/// A tree without members of these names, at any depth.
fn without(tree: &Json, names: &[String]) -> Json {
    match tree {
        Json::Object(members) => (members.iter())
            .filter(|(name, _)| !names.contains(name))
            .map(|(name, value)| (name.clone(), without(value, names)))
            .collect(),
        Json::Array(values) => values.iter().map(|one| without(one, names)).collect(),
        value => value.clone(),
    }
}

/// Does a scope ask for anything of an employment?
pub(super) fn speaks_of_employment(scope: &FieldScope) -> bool {
    scope.has(Field::Engagements) || scope.has_any(&OF_EMPLOYMENT)
}

/// Puts what is said of a field in its canonical form.
pub(super) fn put(
    draft: &mut Draft<'_>,
    field: Field,
    mapping: &CompiledMapping,
    trees: &Trees<'_>,
    own_id: &str,
) {
    if let Some(parts) = &mapping.address {
        if parts.is_hidden(trees) {
            return;
        }
        let lines: Vec<Option<&Json>> = parts.lines.iter().map(|line| trees.find(line)).collect();
        let find = |pointer: &Option<_>| pointer.as_ref().and_then(|pointer| trees.find(pointer));
        let (code, city) = (find(&parts.postal_code), find(&parts.city));
        draft.address(&lines, code, city, find(&parts.country));
        return;
    }
    let said = match mapping.said(trees) {
        Said::Absent => return,
        Said::None => return draft.none(field),
        Said::Unreadable(code, fault) => return draft.unreadable(field, code, fault.words()),
        Said::Value(value) => value,
    };
    let said = Some(&*said);
    let country = || trees.first(&mapping.country).and_then(Json::as_str);
    match field {
        Field::WorkEmail | Field::PersonalEmail | Field::ManagerEmail => draft.email(field, said),
        Field::Phone => draft.phone(said, country()),
        Field::DateOfBirth => draft.date_of_birth(said),
        Field::NationalId => {
            draft.national_id(
                said,
                country().and_then(|code| Country::parse_either(code).ok()),
            );
        }
        Field::BankAccount => {
            let letters = said.and_then(Json::as_str).map(str::trim_start);
            let iban = letters.is_some_and(|text| {
                text.len() > 1 && text.bytes().take(2).all(|byte| byte.is_ascii_alphabetic())
            });
            if iban {
                draft.iban(said);
            } else {
                draft.bank_account(said);
            }
        }
        Field::Country => draft.country(said),
        Field::Address => draft.address(&[said], None, None, None),
        // Nobody is their own manager.
        Field::ManagerExternalId if said.and_then(id).as_deref() == Some(own_id) => {}
        field => draft.text(field, said),
    }
}

/// What is said as text, for custom fields.
fn plain(
    draft: &mut Draft<'_>,
    field: Field,
    mapping: &CompiledMapping,
    trees: &Trees<'_>,
) -> Option<String> {
    match mapping.said(trees) {
        Said::Absent | Said::None => None,
        Said::Unreadable(code, fault) => {
            draft.unreadable(field, code, fault.words());
            None
        }
        Said::Value(value) => draft.read_text(field, Some(&value)).into_value(),
    }
}

/// The status of a canonical word.
pub(super) fn status(
    draft: &mut Draft<'_>,
    said: &Said<'_>,
) -> Result<Stated<EngagementStatus>, ()> {
    match said {
        Said::Absent => Ok(Stated::Absent),
        Said::None => Ok(Stated::Null),
        Said::Unreadable(code, fault) => {
            draft.unreadable(Field::EmploymentStatus, code, fault.words());
            Err(())
        }
        Said::Value(value) => {
            let word = value.as_str().map(str::trim);
            let known = word.and_then(EngagementStatus::from_name);
            known.map(Stated::Value).ok_or_else(|| {
                draft.problem(
                    Field::EmploymentStatus,
                    "employment_status.unknown_code",
                    word.map(str::to_owned),
                    "The connector does not know this status. Map it to active, on_leave, \
                     laid_off, future, ended or unknown.",
                );
            })
        }
    }
}

/// An engagement says nothing at all.
pub(super) fn is_silent(engagement: &Engagement) -> bool {
    engagement.status.is_absent()
        && engagement.start_date.is_absent()
        && engagement.end_date.is_absent()
        && engagement.periods.is_empty()
        && engagement.terms == muster_model::engagement::Terms::default()
}
