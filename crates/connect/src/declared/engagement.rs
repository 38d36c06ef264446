//! Employments and contracts out of rows.

use std::collections::BTreeMap;

use muster_model::engagement::{Engagement, EngagementKind, Period, Terms};
use muster_model::value::Percentage;
use muster_model::values::Email;
use muster_model::{Field, Said as Stated};
use serde_json::Value as Json;

use super::compiling::Compiling;
use super::mapping::{CompiledMapping, Said, Trees};
use super::record::{is_silent, status};
use crate::connector::FieldScope;
use crate::expression::Expression;
use crate::manifest::{Engagements, Mapping, Path, Terms as WrittenTerms};
use crate::normalise::Draft;
use crate::pointer::Pointer;

/// How rows become engagements.
pub(crate) struct CompiledEngagements {
    rows: Option<Pointer>,
    needed: bool,
    empty_is_silence: bool,
    only: Option<Expression>,
    id: Option<CompiledMapping>,
    kind: Option<CompiledMapping>,
    status: Option<CompiledMapping>,
    start_date: Option<CompiledMapping>,
    end_date: Option<CompiledMapping>,
    end_reason: Option<CompiledMapping>,
    primary: Option<CompiledMapping>,
    terms: Vec<(Field, CompiledMapping)>,
    periods: Option<CompiledPeriods>,
}

struct CompiledPeriods {
    rows: Pointer,
    needed: bool,
    only: Option<Expression>,
    from: CompiledMapping,
    order: Option<CompiledMapping>,
    terms: Vec<(Field, CompiledMapping)>,
}

impl CompiledEngagements {
    pub(super) fn compile(
        compiling: &mut Compiling<'_>,
        written: &Engagements,
        joins: &[&str],
    ) -> Self {
        let path = Path::default().name("engagements");
        let mut trees = joins.to_vec();
        trees.push("person");
        let mut variables = vec!["row", "setting", "today"];
        variables.extend(&trees);
        let mut of_periods = trees.clone();
        of_periods.push("engagement");
        let mut one = |name: &str, mapping: &Option<Mapping>| {
            let mapping = mapping.as_ref()?;
            Some(CompiledMapping::compile(
                compiling,
                &path.name(name),
                mapping,
                &trees,
            ))
        };
        let (id, kind, status) = (
            one("id", &written.id),
            one("kind", &written.kind),
            one("status", &written.status),
        );
        let (start_date, end_date) = (
            one("start_date", &written.start_date),
            one("end_date", &written.end_date),
        );
        let (end_reason, primary) = (
            one("end_reason", &written.end_reason),
            one("primary", &written.primary),
        );
        let rows = written.rows.as_ref();
        if rows.is_some() && id.is_none() {
            let message = "a list of engagements needs the id of each";
            compiling.flaw(&path, "manifest.no_source", message);
        }
        let periods = written.periods.as_ref().and_then(|periods| {
            let path = path.name("periods");
            let mut variables = vec!["row", "setting", "today"];
            variables.extend(&of_periods);
            Some(CompiledPeriods {
                rows: compiling.pointer(&path.name("rows"), &periods.rows, &of_periods)?,
                needed: periods.needed,
                only: match &periods.only {
                    Some(only) => {
                        Some(compiling.expression(&path.name("only"), only, &variables)?)
                    }
                    None => None,
                },
                from: CompiledMapping::compile(
                    compiling,
                    &path.name("from"),
                    &periods.from,
                    &of_periods,
                ),
                order: periods.order.as_ref().map(|order| {
                    CompiledMapping::compile(compiling, &path.name("order"), order, &of_periods)
                }),
                terms: terms(compiling, &path.name("terms"), &periods.terms, &of_periods),
            })
        });
        Self {
            rows: rows.and_then(|rows| compiling.pointer(&path.name("rows"), rows, joins)),
            needed: written.needed,
            empty_is_silence: written.empty_is_silence,
            only: (written.only.as_ref())
                .and_then(|only| compiling.expression(&path.name("only"), only, &variables)),
            id,
            kind,
            status,
            start_date,
            end_date,
            end_reason,
            primary,
            terms: terms(compiling, &path.name("terms"), &written.terms, &trees),
            periods,
        }
    }

    pub(super) const fn has_rows(&self) -> bool {
        self.rows.is_some()
    }

    /// Does a scope ask for anything of them? Of a list, each of its terms is such a thing.
    pub(super) fn is_meant(&self, scope: &FieldScope) -> bool {
        let mut terms =
            (self.terms.iter()).chain(self.periods.iter().flat_map(|periods| &periods.terms));
        super::record::speaks_of_employment(scope)
            || (self.has_rows() && terms.any(|(field, _)| scope.has(*field)))
    }

    /// The names that a vendor is asked for.
    pub(super) fn asks(&self, scope: &FieldScope) -> Vec<&str> {
        if !self.is_meant(scope) {
            return Vec::new();
        }
        let mut names = Vec::new();
        match &self.rows {
            Some(rows) if rows.of().is_none() => names.extend(rows.first_name()),
            Some(_) => {}
            None => names.extend(self.mappings().flat_map(CompiledMapping::asks)),
        }
        names
    }

    /// The same at any depth, of what is in scope.
    pub(super) fn ways(&self, scope: &FieldScope) -> Vec<String> {
        if !self.is_meant(scope) {
            return Vec::new();
        }
        let own = self.dates().into_iter().flatten();
        let terms = |terms: &[(Field, CompiledMapping)]| -> Vec<String> {
            let used = terms.iter().filter(|(field, _)| scope.has(*field));
            used.flat_map(|(_, mapping)| mapping.ways()).collect()
        };
        let mut ways: Vec<String> = own.flat_map(CompiledMapping::ways).collect();
        ways.extend(terms(&self.terms));
        let mut of_person = Vec::new();
        if let Some(periods) = &self.periods {
            let mut below = periods.from.ways();
            below.extend(periods.order.iter().flat_map(CompiledMapping::ways));
            below.extend(terms(&periods.terms));
            let list = periods.rows.ways();
            match periods.rows.of() {
                None => ways.extend(under(&list, below)),
                Some("person") => of_person = under(&list, below),
                Some(_) => {}
            }
        }
        match &self.rows {
            Some(rows) if rows.of().is_none() => of_person.extend(under(&rows.ways(), ways)),
            Some(_) => {}
            None => of_person.extend(ways),
        }
        of_person
    }

    /// What is read of each, but for its terms.
    const fn dates(&self) -> [&Option<CompiledMapping>; 7] {
        [
            &self.id,
            &self.kind,
            &self.status,
            &self.start_date,
            &self.end_date,
            &self.end_reason,
            &self.primary,
        ]
    }

    pub(super) fn needs(&self, tree: &str, scope: &FieldScope) -> bool {
        self.is_meant(scope)
            && (self
                .rows
                .as_ref()
                .is_some_and(|rows| rows.of() == Some(tree))
                || self.mappings().any(|mapping| mapping.needs(tree))
                || self.periods.as_ref().is_some_and(|periods| {
                    periods.rows.of() == Some(tree)
                        || periods.terms.iter().any(|(_, mapping)| mapping.needs(tree))
                }))
    }

    fn mappings(&self) -> impl Iterator<Item = &CompiledMapping> {
        (self.dates().into_iter().flatten()).chain(self.terms.iter().map(|(_, mapping)| mapping))
    }

    /// The engagements of a person; `None` when the source does not show its list.
    pub(super) fn read(
        &self,
        reader: &mut EngagementReader<'_, '_>,
        person: &Trees<'_>,
    ) -> Option<Vec<Engagement>> {
        let rows = person.find(self.rows.as_ref()?);
        if self.needed && rows.is_none_or(Json::is_null) {
            *reader.whole = false;
            return None;
        }
        let rows = rows?;
        let mut engagements: Vec<Engagement> = Vec::new();
        for row in as_list(rows) {
            let trees = below(person, row, "person");
            if let Some(only) = &self.only {
                match only.holds(&trees.scope) {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(fault) => {
                        reader.unreadable(Field::Engagements, "expression", fault.words());
                        continue;
                    }
                }
            }
            let id = reader.text(Field::Engagements, self.id.as_ref(), &trees);
            let Stated::Value(id) = id else {
                reader.draft.unreadable(
                    Field::Engagements,
                    "without_id",
                    "an engagement comes without an id",
                );
                *reader.whole = false;
                continue;
            };
            engagements.push(self.one(reader, id, &trees));
        }
        if engagements.is_empty() && self.empty_is_silence {
            return None;
        }
        // In one order, whatever the vendor's: the same people have the same digest.
        engagements.sort_by(|one, two| {
            let start = |engagement: &Engagement| engagement.start_date.value().copied();
            (start(one), &one.id).cmp(&(start(two), &two.id))
        });
        Some(engagements)
    }

    fn one(
        &self,
        reader: &mut EngagementReader<'_, '_>,
        id: String,
        trees: &Trees<'_>,
    ) -> Engagement {
        let mut engagement = Engagement::new(id);
        engagement.kind = reader.kind(self.kind.as_ref(), trees);
        engagement.status = reader.status(self.status.as_ref(), trees);
        engagement.start_date = reader.date(Field::StartDate, self.start_date.as_ref(), trees);
        engagement.end_date = reader.date(Field::EndDate, self.end_date.as_ref(), trees);
        engagement.end_reason = reader.text(Field::Engagements, self.end_reason.as_ref(), trees);
        engagement.primary = reader.truth(self.primary.as_ref(), trees);
        engagement.terms = reader.terms(&self.terms, trees);
        if let Some(periods) = &self.periods {
            engagement.periods = periods.read(reader, trees);
        }
        engagement
    }
}

impl CompiledPeriods {
    fn read(&self, reader: &mut EngagementReader<'_, '_>, engagement: &Trees<'_>) -> Vec<Period> {
        let rows = engagement.find(&self.rows);
        if self.needed && !rows.is_some_and(Json::is_array) {
            *reader.whole = false;
        }
        let Some(rows) = rows else {
            return Vec::new();
        };
        // One a day: of several that begin together, the greatest counts.
        let mut found: BTreeMap<jiff::civil::Date, (Option<String>, Terms)> = BTreeMap::new();
        for row in as_list(rows) {
            let trees = below(engagement, row, "engagement");
            if let Some(only) = &self.only {
                match only.holds(&trees.scope) {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(fault) => {
                        reader.unreadable(Field::Engagements, "expression", fault.words());
                        continue;
                    }
                }
            }
            let from = reader.date(Field::Engagements, Some(&self.from), &trees);
            let Stated::Value(from) = from else {
                *reader.whole = false;
                continue;
            };
            let order = reader
                .text(Field::Engagements, self.order.as_ref(), &trees)
                .into_value();
            let terms = reader.terms(&self.terms, &trees);
            match found.get(&from) {
                Some((known, _)) if !is_later(order.as_deref(), known.as_deref()) => {}
                _ => {
                    found.insert(from, (order, terms));
                }
            }
        }
        found
            .into_iter()
            .map(|(from, (_, terms))| Period { from, terms })
            .collect()
    }
}

/// Numbers are compared as numbers.
fn is_later(one: Option<&str>, two: Option<&str>) -> bool {
    let number = |text: Option<&str>| text.and_then(|text| text.trim().parse::<i64>().ok());
    match (number(one), number(two)) {
        (Some(one), Some(two)) => one >= two,
        _ => one >= two,
    }
}

/// Reads details, mindful of the scope.
pub(super) struct EngagementReader<'r, 'd> {
    pub(super) draft: &'r mut Draft<'d>,
    pub(super) scope: &'r FieldScope,
    /// Taken back when something of the employment cannot be read.
    pub(super) whole: &'r mut bool,
}

impl EngagementReader<'_, '_> {
    /// The one engagement of a row that is itself the employment.
    pub(super) fn of_row(
        &mut self,
        fields: &[(Field, CompiledMapping)],
        own: Option<&CompiledEngagements>,
        trees: &Trees<'_>,
        id: &str,
    ) -> Option<Engagement> {
        let mapping = |wanted: Field| {
            let found = fields.iter().find(|(field, _)| *field == wanted);
            found.map(|(_, mapping)| mapping)
        };
        let trees = &below(trees, trees.row, "person");
        let mut engagement = Engagement::new(id);
        engagement.kind = self.kind(own.and_then(|own| own.kind.as_ref()), trees);
        engagement.status = self.status(mapping(Field::EmploymentStatus), trees);
        engagement.start_date = self.date(Field::StartDate, mapping(Field::StartDate), trees);
        engagement.end_date = self.date(Field::EndDate, mapping(Field::EndDate), trees);
        if let Some(own) = own {
            engagement.end_reason = self.text(Field::Engagements, own.end_reason.as_ref(), trees);
            engagement.terms = self.terms(&own.terms, trees);
            if let Some(periods) = &own.periods {
                engagement.periods = periods.read(self, trees);
            }
        }
        if self.scope.has(Field::EmploymentType)
            && let Some(mapping) = mapping(Field::EmploymentType)
        {
            engagement.terms.employment_type =
                self.text(Field::EmploymentType, Some(mapping), trees);
        }
        if self.scope.has(Field::EmploymentPercentage)
            && let Some(mapping) = mapping(Field::EmploymentPercentage)
        {
            engagement.terms.percentage = self.percentage(mapping, trees);
        }
        (!is_silent(&engagement)).then_some(engagement)
    }

    fn unreadable(&mut self, field: Field, code: &str, words: &str) {
        self.draft.unreadable(field, code, words);
        *self.whole = false;
    }

    fn status(
        &mut self,
        mapping: Option<&CompiledMapping>,
        trees: &Trees<'_>,
    ) -> Stated<muster_model::EngagementStatus> {
        let Some(mapping) = mapping else {
            return Stated::Absent;
        };
        status(self.draft, &mapping.said(trees)).unwrap_or_else(|()| {
            *self.whole = false;
            Stated::Absent
        })
    }

    fn kind(&mut self, mapping: Option<&CompiledMapping>, trees: &Trees<'_>) -> EngagementKind {
        let word = self.text(Field::Engagements, mapping, trees).into_value();
        match word.as_deref() {
            Some("contractor") => EngagementKind::Contractor,
            Some("other") => EngagementKind::Other,
            _ => EngagementKind::Employee,
        }
    }

    fn truth(&mut self, mapping: Option<&CompiledMapping>, trees: &Trees<'_>) -> Stated<bool> {
        let Some(mapping) = mapping else {
            return Stated::Absent;
        };
        match mapping.said(trees) {
            Said::Value(value) => match &*value {
                Json::Bool(truth) => Stated::Value(*truth),
                Json::String(text) if matches!(text.as_str(), "true" | "1") => Stated::Value(true),
                Json::String(text) if matches!(text.as_str(), "false" | "0") => {
                    Stated::Value(false)
                }
                _ => Stated::Absent,
            },
            _ => Stated::Absent,
        }
    }

    fn date(
        &mut self,
        field: Field,
        mapping: Option<&CompiledMapping>,
        trees: &Trees<'_>,
    ) -> Stated<jiff::civil::Date> {
        let Some(mapping) = mapping else {
            return Stated::Absent;
        };
        match mapping.said(trees) {
            Said::Absent => {
                *self.whole &= !mapping.needed;
                Stated::Absent
            }
            Said::None => Stated::Null,
            Said::Unreadable(code, fault) => {
                self.unreadable(field, code, fault.words());
                Stated::Absent
            }
            Said::Value(value) => {
                let date = self.draft.read_date(field, Some(&value));
                *self.whole &= date.value().is_some();
                date
            }
        }
    }

    fn text(
        &mut self,
        field: Field,
        mapping: Option<&CompiledMapping>,
        trees: &Trees<'_>,
    ) -> Stated<String> {
        let Some(mapping) = mapping else {
            return Stated::Absent;
        };
        match mapping.said(trees) {
            Said::Absent => Stated::Absent,
            Said::None => Stated::Null,
            Said::Unreadable(code, fault) => {
                self.draft.unreadable(field, code, fault.words());
                Stated::Absent
            }
            Said::Value(value) => self.draft.read_text(field, Some(&value)),
        }
    }

    fn percentage(&mut self, mapping: &CompiledMapping, trees: &Trees<'_>) -> Stated<Percentage> {
        match mapping.said(trees) {
            Said::Absent => Stated::Absent,
            Said::None => Stated::Null,
            Said::Unreadable(code, fault) => {
                self.draft
                    .unreadable(Field::EmploymentPercentage, code, fault.words());
                Stated::Absent
            }
            Said::Value(value) => self.draft.read_percentage(Some(&value)),
        }
    }

    fn email(&mut self, mapping: &CompiledMapping, trees: &Trees<'_>) -> Stated<String> {
        let text = self.text(Field::ManagerEmail, Some(mapping), trees);
        match text.value().map(|text| Email::parse(text)) {
            Some(Err(error)) => {
                let said = text.into_value();
                let message = error.to_string();
                self.draft
                    .problem(Field::ManagerEmail, error.code, said, message);
                Stated::Absent
            }
            _ => text,
        }
    }

    fn terms(&mut self, mapped: &[(Field, CompiledMapping)], trees: &Trees<'_>) -> Terms {
        let mut terms = Terms::default();
        for (field, mapping) in mapped {
            if !self.scope.has(*field) {
                continue;
            }
            match field {
                Field::EmploymentPercentage => terms.percentage = self.percentage(mapping, trees),
                Field::ManagerEmail => terms.manager_email = self.email(mapping, trees),
                field => {
                    let text = self.text(*field, Some(mapping), trees);
                    match field {
                        Field::EmploymentType => terms.employment_type = text,
                        Field::JobTitle => terms.job_title = text,
                        Field::Department => terms.department = text,
                        Field::Location => terms.location = text,
                        Field::CostCentre => terms.cost_centre = text,
                        _ => terms.manager_external_id = text,
                    }
                }
            }
        }
        terms
    }
}

fn terms(
    compiling: &mut Compiling<'_>,
    path: &Path,
    written: &WrittenTerms,
    trees: &[&str],
) -> Vec<(Field, CompiledMapping)> {
    (written.each())
        .map(|(field, mapping)| {
            let name = match field {
                Field::EmploymentType => "type",
                Field::EmploymentPercentage => "percentage",
                field => field.name(),
            };
            (
                field,
                CompiledMapping::compile(compiling, &path.name(name), mapping, trees),
            )
        })
        .collect()
}

/// Ways below a list.
fn under(list: &[String], below: Vec<String>) -> Vec<String> {
    let Some(list) = list.last() else {
        return below;
    };
    (below.into_iter())
        .map(|way| format!("{list}/{way}"))
        .collect()
}

/// The trees of a row inside another.
fn below<'a>(outer: &Trees<'a>, row: &'a Json, outer_name: &'static str) -> Trees<'a> {
    let mut scope = outer.scope.clone();
    scope.set(outer_name, outer.row);
    scope.set("row", row);
    Trees { scope, row }
}

/// The rows of a list; what is no list is one row, as XML has it.
fn as_list(value: &Json) -> &[Json] {
    match value {
        Json::Array(list) => list,
        Json::Null => &[],
        one => std::slice::from_ref(one),
    }
}
